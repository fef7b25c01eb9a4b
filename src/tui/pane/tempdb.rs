//! tempdb: the sessions that hold it, the greatest first. Above those of one instance stand what it is full of, the version stores and
//! who keeps them, and the allocation pages that tasks queue for.

use super::{
    Part,
    figure::{Figure, high},
    kept::{HOUR_MS, Kept},
    parts::{self, By, Line, Parts, PartsPane, Words, bytes, text},
    request::asked,
    who::{one_line, push_who, request, statement, tell_statement},
};
use crate::{
    model::{
        base::figure,
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::{
            Facts,
            id::{Metric, SeriesId, SeriesKey},
            reading::Reading,
            tempdb::{PageKind, TempdbSession, TempdbTable, VersionStore},
            who::Who,
        },
    },
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
        widget::{
            column::{self, Kind, number, size, whole, words},
            document::Document,
        },
        wish::Wish,
    },
};
use std::{fmt::Write as _, sync::Arc};

/// How full it is: the chart that stands alone where there is no room for two.
const USED: Figure = Figure {
    title: "tempdb used %",
    series: SeriesId::Tempdb,
    other: None,
    top: Some(100.0),
    least: 0.0,
    limits: |t| Some(high(100.0 - t.tempdb_warning_pct, 100.0 - t.tempdb_critical_pct)),
};

/// What it is full of.
const OBJECTS: Figure = Figure {
    title: "objects GB",
    series: SeriesId::TempdbUser,
    other: Some((SeriesId::TempdbInternal, ["user", "internal"])),
    top: None,
    least: 1.0,
    limits: |_| None,
};

/// Row versions.
const VERSIONS: Figure = Figure::plain("version store GB", SeriesId::VersionStore, 1.0);

/// Who queues for its pages.
const QUEUES: Figure = Figure {
    title: "tasks that wait for pages",
    series: SeriesId::MapWaits,
    other: Some((SeriesId::PageWaits, ["PFS, GAM, SGAM", "others"])),
    top: None,
    least: 4.0,
    limits: |_| None,
};

/// The largest data file is so many times the smallest: the engine prefers it.
const UNEVEN: i64 = 2;

/// Of that much the sessions must tell, or it is said that none does, KB.
const MUCH_KB: i64 = 128 << 10;

/// A holder of row versions that is older than this is told in a warning's colour, ms.
const LONG_MS: i64 = 600_000;

/// The pane.
pub type TempdbPane = PartsPane<Sessions>;

/// Rows of the pane: a session each.
#[derive(Debug)]
pub enum Sessions {}

impl Kind for Sessions {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Sessions {
    type Table = TempdbTable;
    type Part = TempdbSession;
    const PANE: PaneId = PaneId::Tempdb;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "session";
    const APART: &'static str = "statement";
    const ORDER: &'static [By<TempdbSession>] = &[|s| s.total_kb().map(|kb| kb as f64)];
    const FIGURES: &'static [Figure] = &[USED, OBJECTS, QUEUES, VERSIONS];
    const WORDS: Words = Words {
        order: "greatest first",
        left_out: "more sessions hold less",
        no_match: "No session matches the filter.",
        unknown: "Who holds tempdb",
        nothing: "No session holds 1 MB of tempdb or more",
        nameless: "a session",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<TempdbTable>> {
        &facts.tempdb_use
    }

    fn parts(table: &TempdbTable) -> (&[TempdbSession], u64) {
        (&table.sessions, table.left_out)
    }

    fn key(instance: &InstanceId, session: &TempdbSession) -> RowKey {
        RowKey::Session(instance.clone(), session.session_id, 0)
    }

    fn act(action: Action, row: Option<&RowKey>, _: Option<&InstanceId>) -> Option<Wish> {
        asked(action, row)
    }

    fn texts<'p>(session: &'p TempdbSession, with: &mut dyn FnMut(&'p str)) {
        session.who.texts(with);
    }

    fn more(line: &Line<'_, Self>, d: &mut Document) {
        tell_statement(line.instance, line.part.session_id, d);
    }

    /// The row versions of the database with most of them, in tempdb and of its own.
    fn kept(line: &Line<'_, Self>) -> Vec<Kept> {
        let of = |store: &VersionStore| store.tempdb_kb.max(store.own_kb);
        let Some(name) =
            line.table.stores.iter().max_by_key(|store| of(store)).and_then(|s| s.database.as_ref())
        else {
            return Vec::new();
        };
        let title = format!("row versions of {name} GB");
        let own = SeriesKey::with(Metric::PersistentVersions, Arc::clone(name));
        let kept = Kept::in_gb(title, Metric::VersionStoreOf, name, HOUR_MS);
        vec![kept.beside(own, ["in tempdb", "its own"])]
    }

    /// What matters most first: the last lines make room where there is little.
    fn about(i: &InstanceSnapshot, table: &TempdbTable, view: &View<'_>) -> Vec<Vec<(Part, String)>> {
        let lines =
            [contents(table), versions(table), own_holders(i, table, view), contention(table), files(table)];
        lines.into_iter().filter(|line| !line.is_empty()).collect()
    }
}

fn push_kb(out: &mut String, kb: i64) {
    figure::push_size(out, kb as f64 * 1024.0);
}

/// `tempdb 32 GB: user objects 3 GB, internal objects 8 GB, …`.
fn contents(table: &TempdbTable) -> Vec<(Part, String)> {
    let mut s = String::new();
    let parts = [
        ("user objects", table.user_kb, table.user_of_nobody_kb()),
        ("internal objects", table.internal_kb, table.internal_of_nobody_kb()),
        ("version store", table.version_kb, None),
        ("mixed extents", table.mixed_kb, None),
        ("free", table.free_kb(), None),
    ];
    let known = parts.into_iter().filter_map(|(name, kb, of_nobody)| Some((name, kb?, of_nobody)));
    for (n, (name, kb, of_nobody)) in known.enumerate() {
        s.push_str(if n == 0 { ": " } else { " · " });
        s.push_str(name);
        s.push(' ');
        push_kb(&mut s, kb);
        // They are freed lazily, cached for the next call, or of sessions that are gone.
        if let Some(of_nobody) = of_nobody.filter(|kb| *kb >= MUCH_KB) {
            s.push_str(" (");
            if of_nobody < kb {
                push_kb(&mut s, of_nobody);
                s.push(' ');
            }
            s.push_str("of no session now)");
        }
    }
    let Some(size_kb) = table.size_kb().filter(|_| !s.is_empty()) else { return Vec::new() };
    let mut all = String::new();
    push_kb(&mut all, size_kb);
    vec![(Part::Plain, all + &s)]
}

/// `8 files of 4 GB each`, or that they are not of one size.
fn files(table: &TempdbTable) -> Vec<(Part, String)> {
    let Some((least, most)) = table.file_sizes_kb() else { return Vec::new() };
    let mut s = figure::counted(table.files.len(), "file");
    s.push_str(" of ");
    push_kb(&mut s, least);
    if least == most {
        if table.files.len() > 1 {
            s.push_str(" each");
        }
        return vec![(Part::Plain, s)];
    }
    s.push_str(" to ");
    push_kb(&mut s, most);
    let is_uneven = most / UNEVEN >= least;
    if is_uneven {
        s.push_str(": the largest is filled most");
    }
    vec![(if is_uneven { Part::Level(Level::Warning) } else { Part::Plain }, s)]
}

/// The version stores by database, and who keeps them from being cleaned up.
fn versions(table: &TempdbTable) -> Vec<(Part, String)> {
    let mut s = String::new();
    let in_tempdb = table.stores.iter().filter(|store| store.tempdb_kb.is_some());
    push_stores(&mut s, "version store", in_tempdb, |store| store.tempdb_kb);
    let own = table.stores.iter().filter(|store| store.own_kb.is_some());
    push_stores(&mut s, "persistent versions", own, |store| store.own_kb);
    let mut line = Vec::new();
    if !s.is_empty() {
        line.push((Part::Plain, s));
    }
    if let Some(holder) = table.holders.first() {
        let mut s = format!("held by session {}", holder.session_id);
        if let Some(ms) = holder.for_ms {
            s.push_str(" for ");
            figure::push_wait(&mut s, ms as f64);
        }
        push_who(&mut s, &holder.who);
        let is_long = holder.for_ms.is_some_and(|ms| ms >= LONG_MS);
        line.push((if is_long { Part::Level(Level::Warning) } else { Part::Plain }, s));
    }
    line
}

/// Who keeps the greatest store of versions that a database has itself from being cleaned up, and for how long.
fn own_holders(i: &InstanceSnapshot, table: &TempdbTable, view: &View<'_>) -> Vec<(Part, String)> {
    let own = table.stores.iter().filter(|store| store.own_kb.is_some());
    let Some(store) = own.max_by_key(|store| store.own_kb) else { return Vec::new() };
    let mut s = match &store.database {
        Some(database) => format!("persistent versions of {database} are kept for "),
        None => format!("persistent versions of db {} are kept for ", store.database_id),
    };
    let (start, mut longest_ms) = (s.len(), 0);
    for session in store.holders() {
        let _ = write!(s, "{}session {session}", if s.len() > start { ", " } else { "" });
        let (for_ms, who) = whose(i, table, session, view);
        if let Some(ms) = for_ms {
            s.push_str(" for ");
            figure::push_wait(&mut s, ms as f64);
            longest_ms = longest_ms.max(ms);
        }
        push_who(&mut s, &who);
    }
    if let Some(aborted) = store.aborted.filter(|n| *n > 0) {
        s.push_str(if s.len() > start { ", " } else { "" });
        figure::push_counted(&mut s, aborted.unsigned_abs(), "transaction that aborted");
    }
    if s.len() == start {
        return Vec::new();
    }
    vec![(if longest_ms >= LONG_MS { Part::Level(Level::Warning) } else { Part::Plain }, s)]
}

/// For how long a session is in its transaction and who it is, as those that need versions tell, or as the poll of activity knows it.
fn whose(i: &InstanceSnapshot, table: &TempdbTable, session: i32, view: &View<'_>) -> (Option<i64>, Who) {
    if let Some(holder) = table.holders.iter().find(|holder| holder.session_id == session) {
        return (holder.for_ms, holder.who.clone());
    }
    let Some(request) = request(i, session) else { return (None, Who::default()) };
    let for_ms = request.transaction_at.map(|at| (view.now - at).max(0));
    let (login, host) = (request.login.clone(), request.host.clone());
    (for_ms, Who { login, host, program: request.job.clone().or_else(|| request.program.clone()) })
}

/// `version store orders 3 GB, crm 12 MB`: the three greatest.
fn push_stores<'t>(
    out: &mut String,
    name: &str,
    stores: impl Iterator<Item = &'t VersionStore>,
    kb: fn(&VersionStore) -> Option<i64>,
) {
    let found = stores.filter_map(|store| Some((store, kb(store)?))).take(3);
    for (n, (store, kb)) in found.enumerate() {
        if n > 0 {
            out.push_str(", ");
        } else {
            out.push_str(if out.is_empty() { "" } else { " · " });
            out.push_str(name);
            out.push(' ');
        }
        if let Some(database) = &store.database {
            out.push_str(database);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "db {}", store.database_id);
        }
        out.push(' ');
        push_kb(out, kb);
    }
}

/// The pages that tasks queue for.
fn contention(table: &TempdbTable) -> Vec<(Part, String)> {
    let Some(found) = &table.contention else { return Vec::new() };
    if found.is_empty() {
        return vec![(Part::Plain, "no task waits for a page of tempdb in memory".to_owned())];
    }
    let mut s = String::from("tasks wait for pages in memory:");
    for contention in found {
        let _ = write!(s, " {} {}", contention.kind.word(), contention.tasks);
        if let Some(ms) = contention.longest_ms {
            s.push_str(" (");
            figure::push_wait(&mut s, ms as f64);
            s.push(')');
        }
    }
    let is_map = found.iter().any(|contention| contention.kind != PageKind::Other);
    if is_map {
        s.push_str(": more data files of one size help");
    }
    vec![(if is_map { Part::Level(Level::Warning) } else { Part::Plain }, s)]
}

type Column = column::Column<Sessions>;

const KB: f64 = 1024.0;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::number("session", "SESSION", 7, 0)
        .value(|s| whole(Some(s.part.session_id.into())))
        .cell(|s, _, out| out.fmt(s.style(), format_args!("{}", s.part.session_id)))
        .filter(),
    Column::number("held", "HOLDS", 8, 0).value(|s| size(s.part.total_kb(), KB)).cell(bytes).filter(),
    Column::number("user", "USER OBJ", 8, 2).value(|s| size(s.part.user_kb, KB)).cell(bytes).filter(),
    Column::number("internal", "INTERNAL", 8, 2).value(|s| size(s.part.internal_kb, KB)).cell(bytes).filter(),
    Column::number("share", "SHARE", 6, 3)
        .value(|s| number(share_pct(s)))
        .cell(|s, v, out| s.put(v, out, figure::push_pct))
        .filter(),
    Column::text("status", "STATUS", 10, 5).value(|s| words(s.part.status.as_deref())).cell(text).filter(),
    Column::text("login", "LOGIN", 16, 1)
        .at_least(8)
        .value(|s| words(s.part.who.login.as_deref()))
        .cell(text)
        .filter(),
    Column::text("host", "HOST", 14, 7)
        .at_least(8)
        .value(|s| words(s.part.who.host.as_deref()))
        .cell(text)
        .filter(),
    Column::text("program", "PROGRAM", 20, 4).at_least(10).value(|s| words(program(s))).cell(text).filter(),
    Column::text("db", "DATABASE", 14, 8)
        .at_least(8)
        .value(|s| words(request(s.instance, s.part.session_id).and_then(|r| r.database.as_deref())))
        .cell(text)
        .filter()
        .also(&["database"]),
    Column::text("statement", "STATEMENT", 30, 6)
        .at_least(16)
        .growing()
        .value(|s| words(statement(s.instance, s.part.session_id)))
        .cell(one_line)
        .filter(),
];

/// The job, if it is one, else the program.
fn program<'a>(s: &Line<'a, Sessions>) -> Option<&'a str> {
    let job = request(s.instance, s.part.session_id).and_then(|r| r.job.as_deref());
    job.or(s.part.who.program.as_deref())
}

/// What it holds, % of the data files.
fn share_pct(s: &Line<'_, Sessions>) -> Option<f64> {
    let all = s.table.size_kb().filter(|kb| *kb > 0)?;
    Some(s.part.total_kb()? as f64 / all as f64 * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::tempdb::{Contention, TempdbFile, VersionHolder},
        tui::{
            fixture,
            pane::{Pane, stage::Stage},
            widget::column::ambiguous,
        },
    };

    fn shown(table: &TempdbTable, height: u16) -> Vec<String> {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.tempdb_use = Reading::good(Arc::new(table.clone()), fixture::NOW, 60_000);
        }
        Stage::one(fleet, "sqlprd-001").draw(&mut TempdbPane::default(), 150, height)
    }

    fn session(session_id: i32, user_kb: Option<i64>, internal_kb: Option<i64>) -> TempdbSession {
        TempdbSession { session_id, user_kb, internal_kb, ..TempdbSession::default() }
    }

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn the_greatest_holder_stands_first_with_its_share_and_an_unknown_one_last() {
        let file = TempdbFile { file_id: 1, size_kb: Some(4 << 20), free_kb: Some(1 << 20) };
        let sessions = vec![
            session(61, Some(0), Some(1 << 20)),
            session(62, None, Some(5)),
            session(63, Some(2 << 20), Some(0)),
        ];
        let table = TempdbTable { sessions, files: vec![file], ..TempdbTable::default() };
        let lines = shown(&table, 12);
        let at = |id: &str| lines.iter().position(|l| l.contains(id)).unwrap();
        assert!(at(" 63 ") < at(" 61 ") && at(" 61 ") < at(" 62 "), "{lines:#?}");
        assert!(lines[at(" 63 ")].contains("50 %") && lines[at(" 62 ")].contains('–'), "{lines:#?}");
    }

    #[test]
    fn the_details_say_whose_they_are() {
        let table = TempdbTable { sessions: vec![session(61, Some(8), Some(8))], ..TempdbTable::default() };
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.tempdb_use = Reading::good(Arc::new(table.clone()), fixture::NOW, 60_000);
        }
        let stage = Stage::one(fleet, "sqlprd-001");
        let mut pane = TempdbPane::default();
        stage.draw(&mut pane, 150, 12);
        let text = pane.details(&pane.selected().unwrap(), &stage.view()).unwrap().to_copy();
        assert!(text.starts_with("sqlprd-001 · session 61\n"), "{text}");
        assert!(text.contains("user objects: 8.0 KB") && !text.contains("user obj:"), "{text}");
    }

    #[test]
    fn what_fills_it_and_who_holds_its_versions_is_said_above() {
        let store = VersionStore {
            database: Some("orders".into()),
            tempdb_kb: Some(3 << 20),
            own_kb: Some(2048),
            ..VersionStore::default()
        };
        let who = Who { login: Some("CORP\\ann".into()), ..Who::default() };
        let table = TempdbTable {
            sessions: vec![session(61, Some(0), Some(1 << 20))],
            files: [(1, 8 << 20), (3, 2 << 20)]
                .map(|(file_id, kb)| TempdbFile { file_id, size_kb: Some(kb), free_kb: Some(kb / 2) })
                .to_vec(),
            version_kb: Some(3 << 20),
            stores: vec![store],
            holders: vec![VersionHolder {
                session_id: 71,
                for_ms: Some(900_000),
                who,
                ..VersionHolder::default()
            }],
            contention: Some(vec![Contention { kind: PageKind::Pfs, tasks: 6, longest_ms: Some(31) }]),
            ..TempdbTable::default()
        };
        let text = shown(&table, 40).join("\n");
        for words in [
            "10 GB: version store 3.0 GB · free 5.0 GB",
            "2 files of 2.0 GB to 8.0 GB: the largest is filled most",
            "version store orders 3.0 GB · persistent versions orders 2.0 MB",
            "held by session 71 for 15m00s (CORP\\ann)",
            "tasks wait for pages in memory: PFS 6 (31 ms): more data files of one size help",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(!text.contains("user objects"), "what nobody told is not said: {text}");
    }

    #[test]
    fn who_keeps_the_versions_that_a_database_has_itself_is_said_with_login_and_age() {
        let store = VersionStore {
            database: Some("orders".into()),
            own_kb: Some(9 << 20),
            aborted: Some(2),
            oldest_session: Some(60),
            snapshot_session: Some(71),
            ..VersionStore::default()
        };
        let who = Who { login: Some("CORP\\ann".into()), ..Who::default() };
        let holder = VersionHolder { session_id: 71, for_ms: Some(900_000), who, ..VersionHolder::default() };
        let table = TempdbTable { stores: vec![store], holders: vec![holder], ..TempdbTable::default() };
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.tempdb_use = Reading::good(Arc::new(table.clone()), fixture::NOW, 60_000);
            let mut activity = facts.activity.get().cloned().unwrap_or_default();
            let request = crate::model::poll::activity::Request {
                session_id: 60,
                login: Some("etl".into()),
                transaction_at: Some(fixture::NOW.plus_ms(-41_000)),
                ..crate::model::poll::activity::Request::default()
            };
            Arc::make_mut(&mut activity).requests.insert(0, request);
            facts.activity = Reading::good(activity, fixture::NOW, 60_000);
        }
        let said = |width: u16, height: u16| {
            let stage = Stage::one(fleet.clone(), "sqlprd-001");
            let lines = stage.draw(&mut TempdbPane::default(), width, height);
            lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
        };
        let words = "persistent versions of orders are kept for session 60 for 41 s (etl), session 71 for 15m00s (CORP\\ann), \
                     2 transactions that aborted";
        for width in [200, 80] {
            let text = said(width, 40);
            assert!(text.contains(words), "{width}: {text}");
        }
    }

    #[test]
    fn what_is_of_no_session_now_is_called_so() {
        let file = TempdbFile { file_id: 1, size_kb: Some(8 << 20), free_kb: Some(1 << 20) };
        let mut table = TempdbTable {
            files: vec![file],
            user_kb: Some(3 << 20),
            internal_kb: Some(2 << 20),
            ..TempdbTable::default()
        };
        let text = shown(&table, 40).join("\n");
        assert!(text.contains("user objects 3.0 GB (of no session now)"), "{text}");
        assert!(text.contains("No session holds 1 MB"), "{text}");
        table.sessions = vec![session(61, Some(2 << 20), Some(2 << 20))];
        let text = shown(&table, 40).join("\n");
        assert!(text.contains("user objects 3.0 GB (1.0 GB of no session now)"), "{text}");
        assert!(text.contains("internal objects 2.0 GB · free"), "all of them are of a session: {text}");
    }
}
