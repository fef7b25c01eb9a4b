//! Memory: which clerks hold the memory of the server, the largest first, and what each of them is. Above the clerks of one
//! instance stand the charts of its buffer pool and of what is stolen from it, and of the clerk under the cursor.

use super::{
    Part,
    figure::Figure,
    grants::{LIFE, WAITING},
    kept::{HOUR_MS, Kept},
    memory_words,
    parts::{self, By, Line, Parts, PartsPane, Words, bytes, text},
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        poll::{
            Facts,
            clerks::{ClerkRow, ClerkTable},
            demand::Demand,
            id::{Metric, SeriesId},
            reading::Reading,
        },
    },
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, number, size, whole, words},
        },
        wish::Wish,
    },
};
use std::sync::Arc;

/// Columns of a bar.
const BAR: u16 = 12;
/// A bar's last column, in eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The buffer pool, and what is stolen from it.
const POOL: Figure = Figure {
    title: "memory GB",
    series: SeriesId::BufferPool,
    other: Some((SeriesId::Stolen, ["buffer pool", "stolen from it"])),
    top: None,
    least: 1.0,
    limits: |_| None,
};

/// The clerks by the start of their names, and what they hold; the longest start comes first.
const MEANING: [(&str, &str); 30] = [
    ("MEMORYCLERK_SQLBUFFERPOOL", "buffer pool: pages of data and indexes read from disk"),
    ("MEMORYCLERK_SQLQERESERVATIONS", "memory grants of queries: sorts, hashes, bulk loads"),
    ("MEMORYCLERK_SQLQUERYEXEC", "queries that run, beside their grants"),
    ("MEMORYCLERK_SQLQUERYPLAN", "running and cached plans, beside the plan cache"),
    ("MEMORYCLERK_SQLQUERYCOMPILE", "queries that are being compiled"),
    ("MEMORYCLERK_SQLOPTIMIZER", "the optimizer: compilations now"),
    ("MEMORYCLERK_SQLSTORENG", "the storage engine: file and allocation structures"),
    ("MEMORYCLERK_SQLCONNECTIONPOOL", "connections: what clients prepared and keep open"),
    ("MEMORYCLERK_SQLGENERAL", "many small consumers, such as linked servers and backups"),
    ("MEMORYCLERK_SQLUTILITIES", "backups, mirroring and other utilities"),
    ("MEMORYCLERK_SQLLOGPOOL", "log records for replicas, replication and rollback"),
    ("MEMORYCLERK_SQLCLR", "CLR code in databases, and spatial types"),
    ("MEMORYCLERK_SQLTRACE", "traces and the default trace"),
    ("MEMORYCLERK_SQLHTTP", "endpoints"),
    ("MEMORYCLERK_SOSNODE", "schedulers, threads and what they allocate"),
    ("MEMORYCLERK_SOSMEMMANAGER", "the memory manager itself"),
    ("MEMORYCLERK_XTP", "In-Memory OLTP: tables and indexes kept in memory"),
    ("MEMORYCLERK_XE", "buffers of Extended Events sessions"),
    ("MEMORYCLERK_QUERYDISKSTORE", "Query Store: what is not written yet"),
    ("MEMORYCLERK_HADR", "availability groups"),
    ("MEMORYCLERK_BACKUP", "buffers of backups"),
    ("CACHESTORE_SQLCP", "plan cache: ad hoc and prepared statements; many single-use plans swell it"),
    ("CACHESTORE_OBJCP", "plan cache: procedures, functions and triggers"),
    ("CACHESTORE_PHDR", "plan cache: trees of views, defaults and constraints"),
    ("CACHESTORE_COLUMNSTOREOBJECTPOOL", "segments of columnstore indexes"),
    ("CACHESTORE_SYSTEMROWSET", "metadata of system tables"),
    ("CACHESTORE_TEMPTABLES", "temporary tables kept for the next call"),
    ("OBJECTSTORE_LOCK_MANAGER", "locks; many of them mean large transactions without escalation"),
    ("USERSTORE_TOKENPERM", "security tokens of logins; a huge one slows every query down"),
    ("USERSTORE_SCHEMAMGR", "metadata of tables and other objects"),
];

/// What a clerk type holds, in plain words; empty for one that is rare.
fn meaning(kind: &str) -> &'static str {
    MEANING.iter().find(|(start, _)| kind.starts_with(start)).map_or("", |(_, words)| words)
}

/// The pane.
pub type MemoryPane = PartsPane<Clerks>;

/// Rows of the pane: a clerk type each.
#[derive(Debug)]
pub enum Clerks {}

impl Kind for Clerks {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Clerks {
    type Table = ClerkTable;
    type Part = ClerkRow;
    const PANE: PaneId = PaneId::Memory;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "clerk";
    const ORDER: &'static [By<ClerkRow>] = &[|clerk| clerk.pages_kb.map(|kb| kb as f64)];
    const FIGURES: &'static [Figure] = &[POOL, WAITING, LIFE];
    const WORDS: Words = Words {
        order: "largest first",
        left_out: "more clerk types hold less",
        no_match: "No clerk matches the filter.",
        unknown: "Who holds the memory",
        nothing: "No memory clerk was seen",
        nameless: "a clerk without a name",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<ClerkTable>> {
        &facts.clerks
    }

    fn parts(table: &ClerkTable) -> (&[ClerkRow], u64) {
        (&table.clerks, table.left_out)
    }

    fn key(instance: &InstanceId, clerk: &ClerkRow) -> RowKey {
        RowKey::Clerk(instance.clone(), Arc::clone(&clerk.kind))
    }

    fn act(action: Action, _: Option<&RowKey>, instance: Option<&InstanceId>) -> Option<Wish> {
        let demand = match action {
            Action::BufferPool => Demand::BufferPool,
            Action::PlanCache => Demand::PlanCache,
            _ => return None,
        };
        Some(Wish::Demand(instance?.clone(), demand))
    }

    fn kept(line: &Line<'_, Self>) -> Vec<Kept> {
        let kind = &line.part.kind;
        // What is behind the kind of store is told by the row.
        let short = kind.split_once('_').map_or(&**kind, |(_, short)| short);
        vec![Kept::in_gb(format!("{short} GB"), Metric::ClerkPages, kind, HOUR_MS)]
    }

    fn about(i: &InstanceSnapshot, _: &ClerkTable, view: &View<'_>) -> Vec<Vec<(Part, String)>> {
        let mut lines = vec![memory_words::amounts(i), memory_words::state_of_memory(i, view)];
        if let Some(grants) = i.facts.grants.get() {
            lines.extend([memory_words::page_life(grants), memory_words::plans(grants)]);
        }
        lines.retain(|line| !line.is_empty());
        lines
    }

    fn texts<'p>(clerk: &'p ClerkRow, with: &mut dyn FnMut(&'p str)) {
        with(&clerk.kind);
        with(meaning(&clerk.kind));
    }
}

type Column = column::Column<Clerks>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("clerk", "CLERK", 33, 0)
        .at_least(29)
        .value(|c| words(Some(&c.part.kind)))
        .cell(text)
        .filter()
        .also(&["type"]),
    Column::number("size", "SIZE", 8, 0)
        .value(|c| size(c.part.pages_kb, KB))
        .cell(bytes)
        .filter()
        .also(&["pages"]),
    Column::number("share", "SHARE", 6, 1)
        .value(|c| number(c.table.share_pct(c.part)))
        .cell(|c, v, out| c.put(v, out, figure::push_pct))
        .filter(),
    Column::picture("bar", BAR, 3).cell(|c, _, out| bar(c, out)),
    Column::number("grown", "CHANGE", 8, 5).value(|c| size(c.part.grown_kb, KB)).cell(grown).filter(),
    Column::number("virtual", "VIRTUAL", 8, 10).value(|c| size(c.part.virtual_kb, KB)).cell(bytes).filter(),
    Column::number("clerks", "CLERKS", 6, 11)
        .value(|c| whole(c.part.clerks))
        .cell(|c, v, out| c.put(v, out, figure::push_count))
        .filter(),
    Column::text("holds", "WHAT IT HOLDS", 40, 4)
        .at_least(20)
        .roomy(60)
        .growing()
        .value(|c| words(Some(meaning(&c.part.kind))))
        .cell(|c, v, out| {
            if let Some(Value::Text(v)) = v {
                out.put(c.view.theme.dim, v);
            }
        })
        .filter(),
];

const KB: f64 = 1024.0;

/// More or less than at the poll before.
fn grown(c: &Line<'_, Clerks>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(bytes) if bytes > 0.0 => out.with(c.style(), |s| {
            s.push('+');
            figure::push_size(s, bytes);
        }),
        Some(bytes) if bytes.abs() < 1.0 => out.put(c.view.theme.dim, "0"),
        _ => c.put(v, out, figure::push_size),
    }
}

/// The share, drawn in eighths of a column; anything above zero is seen.
fn bar(c: &Line<'_, Clerks>, out: &mut CellText) {
    let Some(pct) = c.table.share_pct(c.part).filter(|pct| *pct > 0.0 && !c.view.low_bandwidth) else {
        return;
    };
    let eighths = (pct.min(100.0) / 100.0 * f64::from(BAR) * 8.0).ceil() as usize;
    out.with(c.view.theme.spark, |s| {
        (0..eighths / 8).for_each(|_| s.push('█'));
        s.push_str(EIGHTHS.get(eighths % 8).unwrap_or(&""));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{
            clerks::BUFFER_POOL,
            grants::{GrantTable, PlanKind},
            memory::MemoryNow,
        },
        tui::{
            fixture,
            pane::{Pane, stage::Stage},
            widget::column::ambiguous,
        },
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn the_longest_start_explains_a_clerk() {
        for (n, (start, words)) in MEANING.iter().enumerate() {
            assert_eq!(meaning(start), *words, "{start} is hidden by one of {:?}", &MEANING[..n]);
        }
        assert_eq!(meaning("MEMORYCLERK_NEW"), "");
    }

    #[test]
    fn the_largest_clerk_stands_first_with_its_share_and_an_unknown_one_last() {
        let mut fleet = fixture::small();
        let clerk = |kind: &str, pages_kb| ClerkRow { kind: kind.into(), pages_kb, ..ClerkRow::default() };
        let clerks = vec![
            clerk("CACHESTORE_SQLCP", Some(1_048_576)),
            clerk("CACHESTORE_OBJCP", None),
            clerk(BUFFER_POOL, Some(3_145_728)),
        ];
        let table = ClerkTable { clerks, left_out: 4, all_kb: Some(4_194_304) };
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.clerks = Reading::good(Arc::new(table.clone()), fixture::NOW, 60_000);
        }
        let lines = Stage::one(fleet, "sqlprd-001").draw(&mut MemoryPane::default(), 120, 16);
        let at = |name: &str| lines.iter().position(|l| l.contains(name)).unwrap();
        assert_eq!([BUFFER_POOL, "CACHESTORE_SQLCP", "CACHESTORE_OBJCP"].map(at), [1, 2, 3], "{lines:#?}");
        assert!(lines[1].contains("75") && lines[1].contains("█████████"), "{}", lines[1]);
        assert!(lines[3].contains('–') && !lines[3].contains('█'), "{}", lines[3]);
    }

    #[test]
    fn a_filter_by_size_keeps_large_clerks_and_finds_them_by_what_they_hold() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = MemoryPane::default();
        let mut kept = |filter: &str| {
            pane.set_filter(filter).unwrap();
            pane.rebuild(&stage.view());
            pane.counts()
        };
        let (all, _) = kept("");
        let (large, before) = kept("share>50");
        assert!(large > 0 && large < all && before == all, "{large} of {all}");
        assert_eq!(kept("buffer pool: pages").0, large);
    }

    fn told(facts: impl Fn(&mut Facts), width: u16, height: u16) -> (String, Vec<String>) {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            facts(&mut Arc::make_mut(i).facts);
        }
        let stage = Stage::one(fleet, "sqlprd-001");
        let mut pane = MemoryPane::default();
        let lines = stage.draw(&mut pane, width, height);
        let document = pane.selected().and_then(|key| pane.details(&key, &stage.view()));
        (document.map_or_else(String::new, |d| d.to_copy()), lines)
    }

    fn much(facts: &mut Facts) {
        let clerk = |kind: &str, pages_kb| ClerkRow { kind: kind.into(), pages_kb, ..ClerkRow::default() };
        let clerks = vec![clerk(BUFFER_POOL, Some(51 << 20)), clerk("CACHESTORE_SQLCP", Some(9 << 20))];
        let table = ClerkTable { clerks, left_out: 0, all_kb: Some(60 << 20) };
        facts.clerks = Reading::good(Arc::new(table), fixture::NOW, 60_000);
        let mut headline = facts.headline.get().copied().unwrap_or_default();
        headline.target_memory_kb = Some(64 << 20);
        headline.total_memory_kb = Some(60 << 20);
        facts.headline = Reading::good(headline, fixture::NOW, 60_000);
        let memory = MemoryNow {
            process_kb: Some(62 << 20),
            physical_kb: Some(96 << 20),
            process_low: Some(true),
            machine_low: Some(false),
            ..MemoryNow::default()
        };
        facts.memory = Reading::good(memory, fixture::NOW, 60_000);
        let plans = |name: &str, gb: i64| PlanKind {
            name: name.into(),
            pages_kb: Some(gb << 20),
            plans: Some(48_211),
            in_use: Some(41),
        };
        let grants = GrantTable {
            page_life: vec![(0, 4_200), (1, 90)],
            plans: vec![plans("SQL Plans", 9), plans("Object Plans", 2), plans("Bound Trees", 1)],
            ..GrantTable::default()
        };
        facts.grants = Reading::good(Arc::new(grants), fixture::NOW, 60_000);
    }

    #[test]
    fn what_there_is_and_who_says_that_memory_is_low_stands_above() {
        let (_, lines) = told(much, 160, 44);
        let text = lines.join("\n");
        for words in [
            "target 64 GB · total 60 GB · stolen from the buffer pool 9.0 GB · process 62 GB · machine 96 GB",
            "process: memory is low · operating system: memory is not low",
            "page life by NUMA node: 0: 1h10m, 1: 1m30s",
            "plan cache: SQL Plans 9.0 GB in 48,211 (41 in use) · Object Plans 2.0 GB",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        let calm = |facts: &mut Facts| {
            much(facts);
            facts.memory = Reading::default();
            facts.headline = Reading::default();
        };
        let text = told(calm, 160, 44).1.join("\n");
        assert!(
            !text.contains("target") && !text.contains("memory is"),
            "what nobody told is not said: {text}"
        );
    }

    #[test]
    fn on_a_small_screen_no_line_above_is_cut_and_the_details_have_all() {
        // A screen of 80x24 leaves a pane that much.
        let (details, lines) = told(much, 80, 20);
        let clerk = lines.iter().position(|line| line.contains("CLERK ")).unwrap();
        let above = lines[8..clerk].join("\n");
        assert!(!above.contains('…') && above.contains("target 64 GB · total 60 GB"), "{lines:#?}");
        assert!(above.contains("process: memory is low") && above.contains("d tells the rest"), "{lines:#?}");
        for words in ["machine 96 GB", "Bound Trees 1.0 GB", "page life by NUMA node", "target 64 GB"] {
            assert!(details.contains(words), "{words} in {details}");
        }
    }
}
