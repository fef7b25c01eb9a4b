//! Rows of `once` as sentences: each figure with its name and its unit in words. Pure.

use crate::{
    cli::What,
    command::output::{Cell, Grid, PROBLEM},
    model::base::{figure, zone::Zone},
};

/// The columns that a line of a list tells; opening the row tells all.
const fn told(what: What) -> &'static [&'static str] {
    match what {
        What::Fleet => &["level", "score", "why"],
        What::Activity => {
            &["session_id", "status", "elapsed_ms", "database", "login", "wait_type", "blocked_by"]
        }
        What::Waits => &["wait_type", "category", "ms_per_s"],
        What::Blocking => {
            &["chain", "session_id", "blocked_by", "victims", "blocking_ms", "status", "wait_ms", "resource"]
        }
        What::Queries => &["module", "statement", "cpu_ms_per_s", "share_cpu_pct", "runs_per_s", "avg_ms"],
        What::Modules => &["module", "database", "cpu_ms_per_s", "runs_per_s", "avg_ms"],
        What::Querystore => &["database", "module", "statement", "cpu_ms_per_s", "avg_ms", "times_slower"],
        What::Stores => &["database", "state", "used_pct", "readonly_reason", "failing"],
        What::Plans => &["query_hash", "finding", "weight", "found", "advice"],
        What::Deadlocks => &["pattern", "times", "last_at", "objects", "victim_session_id", "victim_login"],
        What::Cost => &["cpu_ms_per_s", "reads_per_s", "process_cpu_pct"],
        What::Databases => &["database", "state", "recovery", "size_kb", "owner"],
        What::Storage => {
            &["volume", "free_kb", "free_pct", "full_in_ms", "days_to_full", "read_ms", "write_ms"]
        }
        What::Files => &["database", "file", "read_ms", "write_ms", "next_fits"],
        What::Growths => &["at", "database", "file", "grown_kb", "took_ms"],
        What::Tempdb => &[
            "row",
            "name",
            "session_id",
            "total_kb",
            "own_versions_kb",
            "tasks",
            "for_ms",
            "login",
            "program",
        ],
        What::Txlog => &[
            "database",
            "used_pct",
            "of_max_pct",
            "waits_for",
            "holder_session_id",
            "held_for_ms",
            "next_fits",
            "full_in_ms",
        ],
        What::Memory => &["row", "name", "size_kb", "share_pct", "page_life_s", "is_low"],
        What::Grants => &["session_id", "state", "wait_ms", "requested_kb", "granted_kb", "used_kb"],
    }
}

/// Columns whose value needs no name before it.
const BARE: [&str; 8] = ["level", "why", "wait_type", "category", "resource", "status", "row", "name"];

/// `sqlprd-014: session 88, running, elapsed 5m12s, database crm`: one row of a list. Without the instance where all rows
/// are of one.
pub fn row(what: What, grid: &Grid, cells: &[Cell], is_of_one: bool, zone: &Zone) -> String {
    let known = told(what).iter().chain([&PROBLEM]).filter_map(|name| {
        let at = grid.columns.iter().position(|column| column == name)?;
        let cell = cells.get(at)?;
        let is_empty = matches!(cell, Cell::Unknown(why) if why.is_empty());
        (!is_empty && (*name != PROBLEM || !matches!(cell, Cell::Unknown(_)))).then(|| {
            let value = value(name, cell, zone);
            if BARE.contains(name) { value } else { format!("{} {value}", label(name)) }
        })
    });
    let mut facts: Vec<String> = known.filter(|fact| !fact.is_empty()).collect();
    // Where a row has nothing else, its problem is why.
    if let [only] = &mut facts[..]
        && let Some(why) = only.strip_prefix(PROBLEM)
    {
        *only = format!("no data,{why}");
    }
    let name = cells.first().and_then(Cell::as_text).unwrap_or("?");
    match (facts.is_empty(), is_of_one) {
        (true, _) => name.to_owned(),
        (false, true) => facts.join(", "),
        (false, false) => format!("{name}: {}", facts.join(", ")),
    }
}

/// One fact of a row a line, as `CPU: 97 %`; unknown ones without a reason are left out.
pub fn facts<'g>(
    grid: &'g Grid,
    cells: &'g [Cell],
    zone: &'g Zone,
) -> impl Iterator<Item = String> + use<'g> {
    grid.columns.iter().zip(cells).filter_map(move |(name, cell)| {
        let is_empty = matches!(cell, Cell::Unknown(why) if why.is_empty());
        (!is_empty).then(|| format!("{}: {}", label(name), value(name, cell, zone)))
    })
}

/// A column's name as it is said: `wait`, `session`, `CPU`.
fn label(column: &str) -> String {
    // The one figure of a wait type has a unit and no name.
    if column == "ms_per_s" {
        return "waiting".to_owned();
    }
    let name = UNITS.iter().find_map(|(ending, _)| column.strip_suffix(ending)).unwrap_or(column);
    let name = name.strip_suffix("_id").unwrap_or(name).replace('_', " ");
    if name == "cpu" { "CPU".to_owned() } else { name.replace("cpu", "CPU") }
}

/// How a figure of a unit is spelled.
type Spell = fn(f64) -> String;

fn push(push: fn(&mut String, f64), value: f64) -> String {
    let mut out = String::new();
    push(&mut out, value);
    out
}

/// The endings of columns with their units.
const UNITS: [(&str, Spell); 6] = [
    ("_ms_per_s", |v| figure::wait(v) + " a second"),
    ("_per_s", |v| push(figure::push_rate, v) + " a second"),
    ("_pct", |v| push(figure::push_pct, v)),
    ("_ms", figure::wait),
    ("_s", |v| figure::wait(v * 1000.0)),
    ("_kb", |v| push(figure::push_size, v * 1024.0)),
];

fn value(column: &str, cell: &Cell, zone: &Zone) -> String {
    let is_of = |ending: &str| column.ends_with(ending) || column == ending.trim_start_matches('_');
    let spell = UNITS.iter().find(|(ending, _)| is_of(ending)).map(|(_, spell)| spell);
    match (cell, spell) {
        (Cell::Int(n), Some(spell)) => spell(*n as f64),
        (Cell::Real(n), Some(spell)) => spell(*n),
        // As the screen tells it: what is for machines cannot be listened to.
        (Cell::Time(at, _), _) => zone.instant(*at),
        (cell, _) => cell.shown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::{time::Timestamp, zone::UTC};

    #[test]
    fn figures_are_said_with_name_and_unit() {
        let said = |column: &str, cell: Cell| format!("{} {}", label(column), value(column, &cell, &UTC));
        assert_eq!(said("wait_ms", Cell::Int(301_000)), "wait 5m01s");
        assert_eq!(said("cpu_pct", Cell::Real(97.2)), "CPU 97 %");
        assert_eq!(said("ms_per_s", Cell::Real(4_900.0)), "waiting 4.9 s a second");
        assert_eq!(said("batches_per_s", Cell::Real(166.4)), "batches 166 a second");
        assert_eq!(said("grant_kb", Cell::Int(2048)), "grant 2.0 MB");
        assert_eq!(said("session_id", Cell::Int(88)), "session 88");
        assert_eq!(
            said("cpu_ms", Cell::Unknown("n/a (VIEW SERVER STATE)".into())),
            "CPU n/a (VIEW SERVER STATE)"
        );
        let at = Timestamp::from_ms(1_795_874_400_000);
        let nepal = Zone::ahead(5 * 3600 + 45 * 60).unwrap();
        let cell = Cell::time(Some(at), &nepal);
        assert_eq!(value("last_backup", &cell, &nepal), nepal.instant(at), "with date and zone");
        assert!(cell.shown().contains('T') && cell.shown().ends_with("+05:45"), "{}", cell.shown());
    }

    #[test]
    fn what_is_not_known_is_left_out_and_never_zero() {
        let grid = Grid { columns: vec!["instance", "session_id", "wait_ms", PROBLEM], rows: Vec::new() };
        let unknown = || Cell::Unknown(String::new());
        let row_of = |cells: &[Cell]| row(What::Blocking, &grid, cells, false, &UTC);
        let none = [Cell::Text("a".into()), unknown(), unknown(), unknown()];
        assert_eq!(row_of(&none), "a");
        let known = [Cell::Text("a".into()), Cell::Int(88), unknown(), unknown()];
        assert_eq!(row_of(&known), "a: session 88");
        let failed = [Cell::Text("a".into()), unknown(), unknown(), Cell::Text("login refused".into())];
        assert_eq!(row_of(&failed), "a: no data, login refused");
        let half = [Cell::Text("a".into()), Cell::Int(88), unknown(), Cell::Text("cut".into())];
        assert_eq!(row_of(&half), "a: session 88, problem cut");
        assert_eq!(facts(&grid, &known, &UTC).collect::<Vec<_>>(), ["instance: a", "session: 88"]);
    }
}
