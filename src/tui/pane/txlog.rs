//! Transaction logs: how full each is of what it may take, the fullest first, what it waits for and who holds it, how it grows and
//! whether the next growth has room, its virtual log files.

use super::{
    Part,
    figure::Figure,
    kept::{HOUR_MS, Kept, of_log},
    parts::{self, By, Line, Parts, PartsPane, Words, bytes, text},
    who::{duration, push_who, request},
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::{snapshot::InstanceSnapshot, together::oldest_transaction},
        inventory::instance::InstanceId,
        judge::{health::Level, limits::Gauge},
        poll::{
            Facts,
            availability::ReplicaRow,
            id::{Metric, SeriesKey},
            log_use::LogUseRow,
            logs::LogRow,
            reading::{Meta, Reading},
            space::Fits,
            who::Who,
        },
    },
    tui::{
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, ms, number, size, whole, words},
            document::Document,
        },
    },
};
use std::{fmt::Write as _, sync::Arc};

/// So many virtual log files slow recovery and backups down.
const MANY_VLFS: i64 = 1_000;

/// The pane.
pub type TxLogPane = PartsPane<Logs>;

/// Rows of the pane: the log of a database each.
#[derive(Debug)]
pub enum Logs {}

impl Kind for Logs {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Logs {
    type Table = Vec<LogRow>;
    type Part = LogRow;
    const PANE: PaneId = PaneId::TxLog;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "db";
    const ORDER: &'static [By<LogRow>] = &[LogRow::of_files_pct, LogRow::used_pct];
    const FIGURES: &'static [Figure] = &[];
    const WORDS: Words = Words {
        order: "fullest first",
        left_out: "more logs are less full",
        no_match: "No log matches the filter.",
        unknown: "How full transaction logs are",
        nothing: "No transaction log was seen",
        nameless: "a database without a name",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<Vec<LogRow>>> {
        &facts.logs
    }

    fn seldom(facts: &Facts) -> Option<(&'static str, Meta<'_>)> {
        Some(("VLFS, SINCE BACKUP", facts.log_use.meta()))
    }

    fn parts(table: &Vec<LogRow>) -> (&[LogRow], u64) {
        (table, 0)
    }

    fn key(instance: &InstanceId, log: &LogRow) -> RowKey {
        RowKey::Log(instance.clone(), log.key().into())
    }

    fn is_problem(log: &LogRow) -> bool {
        log.fits().is_some_and(Fits::fails) || log.full_in_ms.is_some()
    }

    fn kept(line: &Line<'_, Self>) -> Vec<Kept> {
        let Some(name) = &line.part.database else { return Vec::new() };
        let used = SeriesKey::with(Metric::LogUsedSize, Arc::clone(name));
        let size = Kept::in_gb(format!("log of {name} GB"), Metric::DatabaseLogSize, name, HOUR_MS);
        let vlfs = SeriesKey::with(Metric::Vlfs, Arc::clone(name));
        vec![
            of_log(name, &line.view.snapshot.thresholds),
            size.beside(used, ["size", "in use"]),
            Kept::new(format!("virtual log files of {name}"), vlfs, 24 * HOUR_MS),
        ]
    }

    fn texts<'p>(log: &'p LogRow, with: &mut dyn FnMut(&'p str)) {
        for text in [&log.database, &log.reuse_wait, &log.path].into_iter().flatten() {
            with(text);
        }
        with(waits_for(log));
        if let Some(holder) = &log.holder {
            holder.who.texts(with);
        }
    }

    /// Whose the oldest transaction in it is.
    fn more(line: &Line<'_, Self>, d: &mut Document) {
        d.field("oldest of session", line.style(), |s| {
            let Some((Some(session), _)) = oldest_transaction(line.instance, line.part) else { return };
            let _ = write!(s, "{session}");
            if let Some(oldest) = line.part.oldest() {
                push_who(s, &oldest.who);
            } else {
                let login = request(line.instance, session).and_then(|request| request.login.clone());
                push_who(s, &Who { login, ..Who::default() });
            }
        });
    }

    fn about(i: &InstanceSnapshot, table: &Vec<LogRow>, _: &View<'_>) -> Vec<Vec<(Part, String)>> {
        let mut line = Vec::new();
        let all = i.facts.databases.get().map_or(0, |rows| rows.len());
        if all > table.len() {
            line.push((Part::Plain, format!("the {} fullest of {all} databases", table.len())));
        }
        let failing = table.iter().filter(|log| log.fits().is_some_and(Fits::fails)).count();
        if failing > 0 {
            let words = format!("{} cannot grow any more", figure::counted(failing, "log"));
            line.push((Part::Level(Level::Warning), words));
        }
        let split = i.facts.log_use.get().map_or(0, |logs| {
            logs.logs.iter().filter(|log| log.vlfs.is_some_and(|n| n >= MANY_VLFS)).count()
        });
        if split > 0 {
            let words =
                format!("{} with {MANY_VLFS} virtual log files or more", figure::counted(split, "log"));
            line.push((Part::Level(Level::Warning), words));
        }
        if line.is_empty() { Vec::new() } else { vec![line] }
    }
}

/// What keeps a log from being used again, in plain words; as the server says it where it has no plain one.
fn waits_for(log: &LogRow) -> &str {
    match log.reuse_wait.as_deref() {
        None => "",
        Some("CHECKPOINT") => "checkpoint",
        Some("LOG_BACKUP") => "log backup",
        Some("ACTIVE_BACKUP_OR_RESTORE") => "backup or restore that runs",
        Some("ACTIVE_TRANSACTION") => "open transaction",
        Some("DATABASE_MIRRORING") => "mirror",
        Some("REPLICATION") => "replication or CDC",
        Some("DATABASE_SNAPSHOT_CREATION") => "database snapshot",
        Some("LOG_SCAN") => "scan of the log",
        Some("AVAILABILITY_REPLICA") => "availability replica",
        Some("OLDEST_PAGE") => "oldest dirty page",
        Some("XTP_CHECKPOINT") => "checkpoint of In-Memory OLTP",
        Some("SLOG_SCAN") => "log of accelerated recovery",
        Some(other) => other,
    }
}

/// Its structure, which is polled more seldom.
fn structure<'a>(log: &Line<'a, Logs>) -> Option<&'a LogUseRow> {
    log.instance.facts.log_use.get()?.of(log.part.database.as_deref()?)
}

/// The replica that is furthest behind with this database.
fn replica<'a>(log: &Line<'a, Logs>) -> Option<&'a ReplicaRow> {
    let replicas = log.instance.facts.availability.get()?.iter();
    let behind = |r: &&ReplicaRow| r.send_queue_kb.unwrap_or(0).saturating_add(r.redo_queue_kb.unwrap_or(0));
    replicas
        .filter(|r| r.database.is_some() && r.database == log.part.database)
        .filter(|r| r.role.as_deref() != Some("PRIMARY"))
        .max_by_key(behind)
}

/// Who holds it, as rows are ordered and filtered by it.
fn holder<'a>(log: &Line<'a, Logs>) -> Option<&'a str> {
    match log.part.reuse_wait.as_deref()? {
        "ACTIVE_TRANSACTION" => log.part.holder.as_ref()?.who.login.as_deref(),
        "AVAILABILITY_REPLICA" => replica(log)?.replica.as_deref(),
        _ => None,
    }
}

/// For how long it is held, ms.
fn held_ms(log: &Line<'_, Logs>) -> Option<i64> {
    Some((log.view.now - log.part.held_since(structure(log))?).max(0))
}

/// For how long the oldest transaction that wrote to it is open, ms, whatever it waits for.
fn oldest_ms(log: &Line<'_, Logs>) -> Option<i64> {
    let (_, since) = oldest_transaction(log.instance, log.part)?;
    Some((log.view.now - since).max(0))
}

type Column = column::Column<Logs>;

const KB: f64 = 1024.0;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("db", "DATABASE", 18, 0)
        .at_least(10)
        .value(|l| words(l.part.database.as_deref()))
        .cell(text)
        .filter()
        .also(&["database"]),
    Column::number("used", "USED", 6, 0)
        .value(|l| number(l.part.of_files_pct()))
        .cell(|l, v, out| l.put(v, out, figure::push_pct))
        .filter(),
    Column::number("of_max", "OF MAX", 6, 1).value(|l| number(l.part.used_pct())).cell(of_max).filter(),
    Column::number("size", "SIZE", 8, 2).value(|l| size(l.part.size_kb, KB)).cell(bytes).filter(),
    Column::number("max", "MAX SIZE", 8, 5).value(|l| size(l.part.capacity_kb, KB)).cell(bytes).filter(),
    Column::text("waits", "WAITS FOR", 20, 1)
        .at_least(16)
        .value(|l| words(Some(waits_for(l.part)).filter(|words| !words.is_empty())))
        .cell(text)
        .filter(),
    Column::text("holder", "HELD BY", 26, 2).at_least(20).value(|l| words(holder(l))).cell(held_by).filter(),
    Column::number("since", "SINCE", 7, 3).value(|l| ms(held_ms(l))).cell(duration).filter(),
    Column::number("oldest", "OLDEST TX", 9, 7).value(|l| ms(oldest_ms(l))).cell(duration).filter(),
    Column::number("holder_log", "ITS LOG", 8, 8)
        .value(|l| size(l.part.holder.as_ref().and_then(|holder| holder.log_bytes), 1.0))
        .cell(bytes)
        .filter(),
    Column::number("next", "GROWS BY", 8, 4)
        .value(|l| size(l.part.next_growth_kb, KB))
        .cell(|l, v, out| match l.part.growth_pct {
            Some(pct) => out.fmt(l.style(), format_args!("{pct} %")),
            None if l.part.next_growth_kb == Some(0) => out.put(l.style(), "fixed"),
            None => bytes(l, v, out),
        })
        .filter()
        .also(&["growth"]),
    Column::text("fits", "FITS", 8, 4).value(|l| words(l.part.fits().map(Fits::word))).cell(fits).filter(),
    Column::number("full_in", "FULL IN", 7, 3).value(|l| ms(l.part.full_in_ms)).cell(full_in).filter(),
    Column::number("vlfs", "VLFS", 6, 6)
        .value(|l| whole(structure(l).and_then(|log| log.vlfs)))
        .cell(vlfs)
        .filter(),
    Column::number("unsaved", "SINCE BACKUP", 12, 7)
        .value(|l| size(structure(l).and_then(|log| log.since_backup_kb), KB))
        .cell(bytes)
        .filter(),
    Column::text("path", "PATH", 26, 9)
        .at_least(14)
        .growing()
        .value(|l| words(l.part.path.as_deref()))
        .cell(text)
        .filter(),
];

/// A share that passes the limits of the score stands out.
fn of_max(l: &Line<'_, Logs>, v: Option<Value<'_>>, out: &mut CellText) {
    let Some(pct) = v.and_then(Value::figure) else { return out.put(l.view.theme.dim, "–") };
    let t = l.view.theme;
    let style = match l.view.snapshot.thresholds.limits(Gauge::Log) {
        _ if l.is_stale() => l.style(),
        Some(limits) if limits.is_critical(100.0 - pct) => t.critical,
        Some(limits) if limits.is_warning(100.0 - pct) => t.warning,
        _ => l.style(),
    };
    out.with(style, |s| figure::push_pct(s, pct));
}

/// `session 71 CORP\ann`, `sqlprd-002`, or nobody in particular.
fn held_by(l: &Line<'_, Logs>, v: Option<Value<'_>>, out: &mut CellText) {
    let holder =
        l.part.holder.as_ref().filter(|_| l.part.reuse_wait.as_deref() == Some("ACTIVE_TRANSACTION"));
    match (holder.map(|holder| holder.session_id), v) {
        (Some(Some(id)), Some(Value::Text(login))) => {
            out.fmt(l.style(), format_args!("session {id} {login}"));
        }
        (Some(Some(id)), _) => out.fmt(l.style(), format_args!("session {id}")),
        (Some(None), _) => out.put(l.style(), "no session: distributed or recovered"),
        (None, v) => text(l, v, out),
    }
}

fn fits(l: &Line<'_, Logs>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(words)) if l.part.fits().is_some_and(Fits::fails) && !l.is_stale() => {
            out.put(l.view.theme.warning, words);
        }
        _ => text(l, v, out),
    }
}

/// A log that does not fill has no date.
fn full_in(l: &Line<'_, Logs>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(ms) if !l.is_stale() => out.with(l.view.theme.warning, |s| figure::push_wait(s, ms)),
        _ => duration(l, v, out),
    }
}

fn vlfs(l: &Line<'_, Logs>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(n) if n >= MANY_VLFS as f64 => out.with(l.view.theme.warning, |s| figure::push_count(s, n)),
        _ => l.put(v, out, figure::push_count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{activity::Request, log_use::LogUseTable, logs::LogHolder},
        tui::{
            fixture,
            pane::{Pane, stage::Stage},
            widget::column::ambiguous,
        },
    };

    fn log(database: &str, used_kb: Option<i64>, wait: &str) -> LogRow {
        LogRow {
            database: Some(database.into()),
            reuse_wait: Some(wait.into()),
            size_kb: Some(1 << 20),
            used_kb,
            capacity_kb: Some(1 << 21),
            next_growth_kb: Some(65_536),
            ..LogRow::default()
        }
    }

    fn stage(logs: &[LogRow]) -> Stage {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.logs = Reading::good(Arc::new(logs.to_vec()), fixture::NOW, 60_000);
            let row = LogUseRow {
                database: Some("crm".into()),
                vlfs: Some(4_100),
                backup_at: Some(fixture::NOW.plus_ms(-720_000)),
                ..LogUseRow::default()
            };
            let table = LogUseTable { logs: vec![row], left_out: 0 };
            facts.log_use = Reading::good(Arc::new(table), fixture::NOW, 900_000);
        }
        Stage::one(fleet, "sqlprd-001")
    }

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn the_fullest_log_stands_first_with_who_holds_it_and_since_when() {
        let holder = LogHolder {
            session_id: Some(71),
            since: Some(fixture::NOW.plus_ms(-341_000)),
            log_bytes: Some(48_000),
            who: Who { login: Some("CORP\\ann".into()), ..Who::default() },
        };
        let held = LogRow { holder: Some(holder), ..log("orders", Some(900_000), "ACTIVE_TRANSACTION") };
        let logs = [log("crm", Some(100_000), "LOG_BACKUP"), held, log("odd", None, "NEW_REASON")];
        let mut pane = TxLogPane::default();
        let lines = stage(&logs).draw(&mut pane, 200, 30);
        let at =
            |name: &str| lines.iter().rposition(|l| l.contains(name)).unwrap_or_else(|| panic!("{lines:#?}"));
        let (orders, crm, odd) = (at("orders "), at("crm "), at("odd "));
        assert!(orders < crm && crm < odd, "{lines:#?}");
        assert!(
            lines[orders].contains("session 71 CORP\\ann") && lines[orders].contains("5m41s"),
            "{}",
            lines[orders]
        );
        assert!(lines[crm].contains("log backup") && lines[crm].contains("12m00s"), "{}", lines[crm]);
        assert!(lines[crm].contains("4,100") || lines[crm].contains("4.1k"), "{}", lines[crm]);
        assert!(lines[odd].contains("NEW_REASON") && lines[odd].contains('–'), "{}", lines[odd]);
        assert!(at("1 log with 1000 virtual log files or more") < orders, "{lines:#?}");
    }

    #[test]
    fn a_log_that_cannot_grow_is_a_problem() {
        let fixed = LogRow { capacity_kb: Some(1 << 20), ..log("orders", Some(9), "NOTHING") };
        let logs = [log("crm", Some(9), "NOTHING"), fixed];
        let stage = stage(&logs);
        let mut pane = TxLogPane::default();
        let lines = stage.draw(&mut pane, 200, 30);
        assert!(lines.iter().any(|l| l.contains("no room")), "{lines:#?}");
        assert!(pane.next_problem(false, true, &stage.view()));
        assert!(matches!(pane.selected(), Some(RowKey::Log(_, name)) if &*name == "orders"));
        pane.set_filter("fits~room").unwrap();
        pane.rebuild(&stage.view());
        assert_eq!(pane.counts(), (1, 2));
    }

    #[test]
    fn the_oldest_transaction_is_told_whatever_a_log_waits_for() {
        let opened = |ms: i64, session_id| LogHolder {
            session_id: Some(session_id),
            since: Some(fixture::NOW.plus_ms(-ms)),
            who: Who { login: Some("CORP\\ann".into()), ..Who::default() },
            ..LogHolder::default()
        };
        let told = LogRow { oldest: Some(opened(341_000, 71)), ..log("crm", Some(9), "LOG_BACKUP") };
        let Stage { mut world } =
            stage(&[told, log("orders", Some(8), "LOG_BACKUP"), log("odd", Some(7), "NOTHING")]);
        let fleet = Arc::make_mut(&mut world.snapshot);
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            let mut activity = facts.activity.get().cloned().unwrap_or_default();
            let writes = |database: &str, ms: i64, log_bytes| Request {
                session_id: 80,
                database: Some(database.into()),
                transaction_at: Some(fixture::NOW.plus_ms(-ms)),
                log_bytes: Some(log_bytes),
                ..Request::default()
            };
            Arc::make_mut(&mut activity).requests =
                vec![writes("orders", 61_000, 4_096), writes("odd", 99_000, 0)];
            facts.activity = Reading::good(activity, fixture::NOW, 60_000);
        }
        let stage = Stage { world };
        let mut pane = TxLogPane::default();
        let lines = stage.draw(&mut pane, 200, 30);
        let line = |name: &str| lines.iter().rfind(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(lines.iter().any(|line| line.contains("OLDEST TX")), "{lines:#?}");
        assert!(line("crm ").contains("5m41s"), "as the poll of logs told: {}", line("crm "));
        assert!(line("orders ").contains("1m01s"), "as activity knows: {}", line("orders "));
        assert!(!line("odd ").contains("1m39s"), "it wrote nothing: {}", line("odd "));
        let details = pane.details(&pane.selected().unwrap(), &stage.view()).unwrap().to_copy();
        assert!(details.contains("oldest of session: 71 (CORP\\ann)"), "{details}");
    }
}
