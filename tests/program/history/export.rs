//! `dbtop export` as people run it: an incident as a page that any browser opens, with a recording beside it; what dbtop
//! itself cost.

use super::cli::dbtop;
use crate::world::{START, Stage, World, at, feed, info, name, properties, uid};
use dbtop::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            time::Timestamp,
        },
        judge::{
            health::{Health, Level, Reason, Topic},
            why::Why,
        },
        poll::{
            State,
            activity::Request,
            blocking::{BlockNode, Blocking, Chain},
            cost::{CostNow, Slowed},
            databases::DatabaseRow,
            deadlocks::{DeadlockParty, DeadlockPattern, DeadlockReport, DeadlockTable},
            files::{DatabaseFile, FileRow, FileTable},
            grants::{GrantRow, GrantTable},
            growths::{FileGrowth, GrowthTable},
            id::ProbeId,
            link::Link,
            logs::{LogHolder, LogRow},
            memory::MemoryNow,
            modules::{ModuleRow, ModuleTable},
            queries::{QueryRow, QueryTable},
            query_store::{QueryStoreTable, StoreRow, StoredQuery, Stretch},
            resource::Resource,
            statement::{SqlText, Statement},
            volumes::VolumeRow,
            who::Who,
        },
        timeline::{
            chart::MarkKind,
            record::{Record, Recorded},
        },
    },
    store::history::{Engine, Event, Options, Reader},
};
use std::{path::Path, sync::Arc};

/// A text that wants to be markup.
pub const HOSTILE: &str = "</pre><script src=\"https://evil.example/x.js\">alert(1)</script>";

fn kept(n: usize, second: i64, what: Recorded) -> Record {
    Record { info: info(&name(n)), at: at(second), what }
}

/// The probe that tells of what these tests make up.
fn probe_of(state: &State) -> ProbeId {
    match state {
        State::Queries(_) => ProbeId::Queries,
        State::Files(_) => ProbeId::Files,
        State::Growths(_) => ProbeId::Growths,
        State::Logs(_) => ProbeId::Logs,
        _ => ProbeId::Deadlocks,
    }
}

fn reading(probe: ProbeId, state: State) -> Recorded {
    Recorded::Reading { probe, every_ms: 30_000, state: Ok(state) }
}

/// Session 88 blocks two others, asleep in the middle of a transaction.
pub fn blocked(lasted_ms: i64) -> Blocking {
    let batch = format!(
        "BEGIN TRAN; UPDATE dbo.[orders] SET note = N'Frau Kowalski''s {HOSTILE}' WHERE card = 4929123412341234 -- ask Bob\n\
         EXEC [web-07].crm.dbo.p_notify 'secret-token-77'"
    );
    let text = Arc::new(SqlText::new(batch.into(), None, None, false));
    let (start, end) = (text.batch.find("UPDATE").unwrap(), text.batch.find(" --").unwrap());
    let node = |session_id: i32, depth: u16| BlockNode {
        request: Request {
            session_id,
            login: Some("CORP\\kim.weber".into()),
            host: Some("web-07".into()),
            program: Some("<script>OrderService".into()),
            address: Some("10.1.4.7".into()),
            database: Some("sales".into()),
            ..Request::default()
        },
        depth,
        parent: (depth > 0).then_some(0),
        last_child: false,
        victims: if depth == 0 { 2 } else { 0 },
        resource: (depth > 0).then(|| Resource {
            kind: "KEY".into(),
            database: Some("sales".into()),
            object: Some("dbo.orders.pk_orders".into()),
            ..Resource::default()
        }),
        statement: Some(Statement { text: text.clone(), start, end }),
        statement_is_last: depth == 0,
        cycle_cut: false,
    };
    let chain = Chain {
        nodes: vec![node(88, 0), node(101, 1), node(102, 1)],
        victims: 2,
        max_wait_ms: lasted_ms,
        lost_ms: lasted_ms * 2,
        depth: 1,
    };
    Blocking { chains: vec![chain], cycles_cut: 0 }
}

/// The verdict on those two, so long after it began.
fn critical(longest_ms: i64) -> Health {
    let status = Some("CORP\\kim.weber on WEB-07".into());
    let why = Why::Blocked { sessions: 2, longest_ms, by: 88, status };
    let reason = Reason::new(Level::Critical, Topic::Blocking(88), 60, why);
    Health { score: Some(40), level: Level::Critical, reasons: vec![reason] }
}

/// Who did it, by names that are secret.
fn kim() -> Who {
    Who {
        login: Some("CORP\\kim.weber".into()),
        host: Some("web-07".into()),
        program: Some("<script>OrderService".into()),
    }
}

/// A minute of ten runs of one query.
fn queries(plan: u64, old_plan: Option<u64>, run_ms: i64) -> QueryTable {
    let batch =
        format!("SELECT note FROM dbo.[orders] WHERE note = N'{HOSTILE}' AND owner = 'Frau Kowalski'");
    let text = Arc::new(SqlText::new(batch.into(), None, None, false));
    let end = text.batch.len();
    let query = QueryRow {
        hash: 0x8a3f_11c0,
        runs: Some(10),
        cpu_us: Some(run_ms * 9_000),
        elapsed_us: Some(run_ms * 10_000),
        max_us: Some(run_ms * 1_100),
        reads: Some(4_000),
        plan_hash: Some(plan),
        old_plan_hash: old_plan,
        database: Some("GehaltsDB".into()),
        statement: Some(Statement { text, start: 0, end }),
        ..QueryRow::default()
    };
    QueryTable {
        queries: vec![query],
        cpu_us: Some(run_ms * 9_000),
        workload_us: Some(run_ms * 18_000),
        over_ms: 60_000,
        ..QueryTable::default()
    }
}

/// A minute of what queries, files, a log and tempdb went through, with a deadlock and a growth in it.
fn performance(second: i64, plan: u64, old_plan: Option<u64>, run_ms: i64) -> Vec<State> {
    let queries = queries(plan, old_plan, run_ms);
    let file = FileRow {
        file: DatabaseFile {
            database_id: 9,
            file_id: 1,
            database: Some("GehaltsDB".into()),
            name: Some("GehaltsDB_data".into()),
            kind: Some("ROWS".into()),
            path: Some("E:\\Kowalski\\GehaltsDB.mdf".into()),
        },
        reads_per_s: Some(80.0),
        read_ms: Some(47.0),
        ..FileRow::default()
    };
    let growth = FileGrowth {
        at: at(4510),
        took_ms: Some(8_800),
        by_kb: Some(1 << 20),
        database: Some("GehaltsDB".into()),
        file: Some("GehaltsDB_data".into()),
        who: kim(),
        ..FileGrowth::default()
    };
    let log = LogRow {
        database: Some("GehaltsDB".into()),
        reuse_wait: Some("ACTIVE_TRANSACTION".into()),
        size_kb: Some(1_000),
        used_kb: Some(if second == 4590 { 970 } else { 100 }),
        holder: Some(LogHolder { session_id: Some(88), who: kim(), ..LogHolder::default() }),
        ..LogRow::default()
    };
    let party = DeadlockParty { is_victim: true, who: kim(), ..DeadlockParty::default() };
    let report = DeadlockReport {
        at: at(4520),
        hash: 7,
        parties: vec![party],
        objects: vec!["GehaltsDB.dbo.orders".into()],
        databases: vec!["GehaltsDB".into()],
        rings: 1,
        ..DeadlockReport::default()
    };
    let mut pattern = DeadlockPattern { kind: "opposite order".into(), ..DeadlockPattern::default() };
    pattern.push(report);
    vec![
        State::Queries(Arc::new(queries)),
        State::Files(Arc::new(FileTable { files: vec![file], over_ms: 60_000, ..FileTable::default() })),
        State::Growths(Arc::new(GrowthTable { growths: vec![growth], new: 1, ..GrowthTable::default() })),
        State::Logs(Arc::new(vec![log])),
        State::Deadlocks(Arc::new(DeadlockTable { patterns: vec![pattern], ..DeadlockTable::default() })),
    ]
}

/// What modules, Query Store and memory went through.
fn recorded() -> [State; 4] {
    let of = |ms: i64| Stretch { runs: Some(40), cpu_us: Some(90), elapsed_us: Some(40_000 * ms) };
    let (name, database) = (Some(Arc::from("dbo.usp_Lohn")), Some(Arc::from("GehaltsDB")));
    let module =
        ModuleRow { name: name.clone(), database: database.clone(), runs: Some(7), ..ModuleRow::default() };
    let (now, before) = (of(84), of(4));
    let query = StoredQuery { module: name, database, now, before, query_id: 4711, ..StoredQuery::default() };
    let grant = GrantRow { waited_ms: Some(77_000), session_id: 99, who: kim(), ..GrantRow::default() };
    let (stores, queries) = (vec![StoreRow::default()], vec![query]);
    [
        State::Modules(Arc::new(ModuleTable { modules: vec![module], ..ModuleTable::default() })),
        State::QueryStore(Arc::new(QueryStoreTable { stores, queries, ..QueryStoreTable::default() })),
        State::Grants(Arc::new(GrantTable { grants: vec![grant], ..GrantTable::default() })),
        State::Memory(Box::new(MemoryNow { used_pct: Some(93.0), ..MemoryNow::default() })),
    ]
}

/// What was kept by hand.
fn frozen() -> Event {
    let mut frozen = Event::bookmark(Some(uid(&name(0))), at(4400), "kept by hand for KIM.WEBER");
    frozen.kind = MarkKind::Incident;
    frozen.to = Some(at(5000));
    frozen
}

/// What was told of performance at a second.
fn told_at(second: i64) -> impl Iterator<Item = Record> {
    let told = match second {
        4530 => performance(second, 7, None, 5),
        4590 | 4650 => performance(second, 8, Some(7), 400),
        _ => Vec::new(),
    };
    let more = if second == 4530 { recorded().into() } else { Vec::new() };
    told.into_iter().chain(more).map(move |state| kept(0, second, reading(probe_of(&state), state)))
}

/// Two hours of three instances; the first is blocked in the second hour, the second loses its connection.
pub fn incident(path: &Path) {
    let mut engine = Engine::open(path, None, Options::default()).unwrap();
    let mut world = World::new(3);
    feed(&mut engine, &mut world, 0..4500);
    for second in (4500..4800).step_by(30) {
        let mut batch: Vec<Record> = world.round(second);
        // Of the first instance only what is told here is seen.
        batch.retain(|k| {
            k.info.uid != uid(&name(0))
                || !matches!(
                    &k.what,
                    Recorded::Health { .. }
                        | Recorded::Reading { probe: ProbeId::Blocking | ProbeId::Cost, .. }
                )
        });
        let lasted_ms = (second - 4490) * 1000;
        batch.push(kept(
            0,
            second,
            reading(ProbeId::Blocking, State::Blocking(Arc::new(blocked(lasted_ms)))),
        ));
        batch.push(kept(0, second, Recorded::Health { health: critical(lasted_ms), polled: true }));
        let slowed = Slowed { budget_us_per_s: 5_000, ..Slowed::default() };
        let cost = CostNow {
            cpu_ms_per_s: Some(9.0),
            reads_per_s: Some(10.0),
            over_ms: 60_000,
            slowed,
            ..CostNow::default()
        };
        batch.push(kept(0, second, reading(ProbeId::Cost, State::Cost(cost))));
        // A volume that fills.
        let volume = VolumeRow {
            mount: Some("E:\\Kowalski\\".into()),
            total_bytes: Some(200 << 30),
            free_bytes: Some((100 << 30) - (second - 4500) * (200 << 20)),
            ..VolumeRow::default()
        };
        batch.push(kept(0, second, reading(ProbeId::Volumes, State::Volumes(Arc::new(vec![volume])))));
        batch.extend(told_at(second));
        engine.take(batch);
        engine.commit().unwrap();
    }
    let failure = Failure::new(
        FailureKind::Login,
        "connecting to sqlprd-001.db.example,1433 (192.168.77.12): login failed for user 'svc_dbtop_ro' from db9.hidden.example",
    );
    let down = Link::Down { failure, attempts: 1, next_at: at(4900) };
    let databases = vec![DatabaseRow::in_state(9, "GehaltsDB", "ONLINE")];
    engine.take(vec![
        kept(1, 4810, Recorded::Link { link: down, since: at(4810), was_down: false }),
        kept(1, 4820, Recorded::Link { link: Link::Up, since: at(4820), was_down: true }),
        kept(1, 4830, reading(ProbeId::Databases, State::Databases(Arc::new(databases)))),
        kept(1, 4835, reading(ProbeId::Properties, State::Properties(Arc::new(properties(30_000))))),
        kept(0, 4840, reading(ProbeId::Blocking, State::Blocking(Arc::default()))),
        kept(
            0,
            4840,
            Recorded::Health {
                health: Health { score: Some(100), level: Level::Ok, reasons: vec![] },
                polled: true,
            },
        ),
    ]);
    engine.note(frozen());
    engine.commit().unwrap();
    feed(&mut engine, &mut world, 4860..7200);
    engine.close().unwrap();
}

/// It loads nothing and runs nothing.
fn harmless(tag: &quick_xml::events::BytesStart<'_>) {
    let name = tag.name().as_ref().to_owned();
    let active = ["script", "iframe", "object", "embed", "img", "link", "form", "base"];
    assert!(!active.contains(&name.as_str()), "{name}");
    for attribute in tag.attributes() {
        let attribute = attribute.unwrap();
        let key: &str = attribute.key.as_ref();
        assert!(!key.starts_with("on") && !["src", "style"].contains(&key), "{key}");
        assert!(key != "href" || attribute.value.starts_with('#'), "{key}");
    }
}

/// Every element is closed where it must be, none loads or runs anything; all text of the page.
pub fn well_formed(page: &str) -> String {
    use quick_xml::{Reader as Xml, events::Event as Part};
    let body = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    let mut xml = Xml::from_str(body);
    xml.config_mut().check_end_names = true;
    let (mut text, mut depth) = (String::new(), 0);
    loop {
        match xml.read_event().unwrap() {
            Part::Start(tag) => {
                harmless(&tag);
                depth += 1;
            }
            Part::Empty(tag) => harmless(&tag),
            Part::End(_) => depth -= 1,
            Part::Text(words) => text.push_str(&words),
            Part::GeneralRef(name) => text.push(match &*name {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "#39" => '\'',
                other => unreachable!("{other}"),
            }),
            Part::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    text
}

fn says(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "no {wanted:?} in:\n{text}");
    }
}

#[cfg(unix)]
fn are_their_owners(folder: &Path) {
    for file in ["night.html", "night.dbtop"] {
        let meta = std::fs::metadata(folder.join(file)).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions());
        assert_eq!(mode & 0o077, 0, "{file} is its owner's");
    }
}

/// No draft is left.
fn is_tidy(folder: &Path) {
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".dbtop-export")), "{left:?}");
}

/// What the page tells of performance.
const PERFORMANCE: &[&str] = &[
    // Queries: sums over the time, and what the other plan did.
    "which explain 50 % of the CPU of all sessions",
    "0x000000008A3F11C0",
    "0x0000000000000007 → 0x0000000000000008",
    "80.0×",
    // Storage: the slow file, the volume, the growth, the log at its fullest.
    "E:\\Kowalski\\GehaltsDB.mdf",
    "47 ms",
    "8.8 s",
    "GehaltsDB, log97 %",
    "ACTIVE_TRANSACTION",
    // Modules, Query Store, memory, who waited for a grant.
    "dbo.usp_Lohn",
    "21.0×",
    "93 %",
    "1m17s",
    // Deadlocks by what recurs.
    "opposite order1",
    "GehaltsDB.dbo.orders",
];

#[test]
fn an_incident_is_one_page_and_a_recording_beside_it() {
    let stage = Stage::new();
    incident(&stage.path());
    let home = stage.folder.path().join("home");
    let history = stage.path().display().to_string();
    let out = stage.folder.path().join("night.html");
    let page_name = out.display().to_string();
    let range = ["--from", "2026-10-01 01:00", "--to", "2026-10-01 01:30"];
    let run = |more: &[&str]| {
        dbtop(
            &home,
            &[&["export", "incident", "--history", &history, "--out", &page_name], &range[..], more].concat(),
        )
    };
    let (output, table, err) = run(&[]);
    assert!(output.status.success(), "{err}");
    says(&format!("{err}{table}"), &["neither file is sealed", "night.html", "night.dbtop"]);
    let page = std::fs::read_to_string(&out).unwrap();
    let text = well_formed(&page);
    says(
        &text,
        &[
            // The flight recorder saw it by itself; what was kept by hand prolongs it.
            "Incident on sqlprd-000: 2 sessions blocked",
            "· kept by hand for KIM.WEBER",
            "2026-10-01 01:00:00 UTC",
            "Worst was sqlprd-000: critical (score 40)",
            "CORP\\kim.weber",
            "KEY dbo.orders.pk_orders",
            HOSTILE,
            "login failed for user 'svc_dbtop_ro'",
            "database GehaltsDB is new",
            "max server memory (MB) 60000 → 30000",
            "sqlprd-001: options of sp_configure",
            "Enterprise Edition (64-bit)",
            "CPU min",
            "By program",
            "Heaviest wait types",
            "Free on E:\\Kowalski\\ min 4",
            "0 → 2 sessions blocked",
            "dbtop took",
        ],
    );
    says(&text, PERFORMANCE);
    says(
        &page,
        &["default-src 'none'".replace('\'', "&#39;").as_str(), "prefers-color-scheme: dark", "<polyline"],
    );
    assert!(!page.contains("<script"));
    // What is folded away is on paper all the same, and no head of a column is broken within a word.
    let print = page.split("@media print").nth(1).expect("how it is printed");
    assert!(print.contains("details::details-content { content-visibility: visible;"), "{print}");
    assert!(page.contains("th { overflow-wrap: normal;"));
    let mut recording = Reader::open(&out.with_extension("dbtop"), None).unwrap();
    assert!(recording.check().unwrap().is_clean());
    let there = recording.states().at(&[uid(&name(0))], at(4700)).unwrap();
    assert!(there.kept.iter().any(
        |k| matches!(&k.what, Recorded::Reading { state: Ok(State::Blocking(b)), .. } if b.chains.len() == 1)
    ));
    drop(recording);
    #[cfg(unix)]
    are_their_owners(stage.folder.path());

    let (output, _, err) = run(&[]);
    assert!(!output.status.success() && err.contains("is there already"), "{err}");
    let (output, _, err) = run(&["--force", "--instance", "SQLPRD-001"]);
    assert!(output.status.success(), "{err}");
    let text = well_formed(&std::fs::read_to_string(&out).unwrap());
    assert!(text.contains("sqlprd-001") && !text.contains("sqlprd-000 "), "one instance");
    is_tidy(stage.folder.path());
}

#[test]
fn an_export_of_a_recording_and_what_cannot_be_exported() {
    let stage = Stage::new();
    incident(&stage.path());
    let home = stage.folder.path().join("home");
    let history = stage.path().display().to_string();
    let file = |name: &str| stage.folder.path().join(name).display().to_string();
    let run = |history: &str, more: &[&str]| {
        dbtop(&home, &[&["export", "incident", "--history", history], more].concat())
    };
    let range = ["--from", "2026-10-01 01:10", "--to", "2026-10-01 01:25"];
    let (first, second) = (file("a.html"), file("b.html"));
    let (output, _, err) = run(&history, &[&range[..], &["--out", &first, "--scope", "@prod"]].concat());
    assert!(output.status.success(), "{err}");
    // A page made of the recording tells the same as the page beside it.
    let (output, _, err) = run(&file("a.dbtop"), &[&range[..], &["--out", &second]].concat());
    assert!(output.status.success(), "{err}");
    let text = |path: &str| well_formed(&std::fs::read_to_string(path).unwrap());
    let summary = |path: &str| text(path).split("Charts").nth(1).unwrap().to_owned();
    assert_eq!(summary(&first), summary(&second));

    for (more, wanted) in [
        (
            vec!["--from", "2026-09-01", "--to", "2026-09-02"],
            "nothing is kept of these instances between 2026-09-01 00:00:00",
        ),
        (vec!["--instance", "nobody"], "history knows no instance nobody"),
        (vec!["--scope", "@nobody"], "no group is called nobody"),
        (vec!["--from", "-1h", "--to", "-2h"], "the stretch ends before it begins"),
        (
            vec!["--out", "/nowhere/at/all.html", "--from", "2026-10-01 01:00", "--to", "2026-10-01 01:10"],
            "/nowhere/at",
        ),
        (vec!["--from", "soon"], "is no time"),
    ] {
        let (output, _, err) = run(&history, &more);
        assert!(!output.status.success() && err.contains(wanted), "{more:?}: {err}");
    }
    let (output, _, err) = run(&file("nothing.db"), &[]);
    assert!(!output.status.success() && err.contains("there is no history at"), "{err}");
}

#[test]
fn the_older_spelling_writes_the_same_files() {
    let stage = Stage::new();
    incident(&stage.path());
    let home = stage.folder.path().join("home");
    let history = stage.path().display().to_string();
    let range = ["--from", "2026-10-01 01:00", "--to", "2026-10-01 01:30", "--history", &history];
    let write = |what: &str, spelling: &[&str]| {
        let folder = stage.folder.path().join(spelling.concat());
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(what).display().to_string();
        let (output, _, err) = dbtop(&home, &[spelling, &range[..], &["--out", &file]].concat());
        assert!(output.status.success(), "{spelling:?}: {err}");
        (std::fs::read_to_string(&file).unwrap(), err)
    };
    let new = write("night.html", &["export", "incident"]);
    assert!(new.0.contains("night.dbtop beside this page"), "{}", new.0);
    assert_eq!(write("night.html", &["--export", "incident"]), new);
    let new = write("cost.csv", &["export", "cost", "-o", "csv"]);
    assert_eq!(write("cost.csv", &["--export", "cost", "-o", "csv"]), new);

    let (output, _, err) = dbtop(&home, &["--history", &history, "--export", "incident", "keys"]);
    assert!(!output.status.success() && err.contains("--export stands alone"), "{err}");
    let (output, _, err) = dbtop(&home, &["--scrub"]);
    assert!(!output.status.success() && err.contains("--export <WHAT>"), "an option of nothing: {err}");
    let (output, _, err) = dbtop(&home, &["export", "--scrub"]);
    assert!(!output.status.success() && err.contains("<WHAT>"), "{err}");
}

#[test]
fn own_cost_is_certified_worst_first_with_its_coverage_and_budget() {
    let stage = Stage::new();
    incident(&stage.path());
    let home = stage.folder.path().join("home");
    let history = stage.path().display().to_string();
    let run = |more: &[&str]| dbtop(&home, &[&["export", "cost", "--history", &history], more].concat());
    // The five minutes in which the first instance told 9 ms/s.
    let (output, out, err) = run(&["--from", "2026-10-01 01:15", "--to", "2026-10-01 01:20", "-o", "json"]);
    assert!(output.status.success(), "{err}");
    assert!(err.contains("by that server's counters"), "{err}");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(rows.iter().map(|row| row["instance"].as_str().unwrap()).next(), Some("sqlprd-000"));
    assert_eq!(rows.len(), 4, "three instances and all of them: {out}");
    let worst = &rows[0];
    let mean = worst["cpu_ms_per_s"].as_f64().unwrap();
    assert!((8.9..9.1).contains(&mean), "{worst}");
    assert_eq!(
        (worst["within_budget"].as_bool(), rows[3]["instance"].as_str()),
        (Some(false), Some("(all)"))
    );
    assert_eq!(worst["budget_ms_per_s"], 5.0, "{worst}");
    assert!(worst["covered_pct"].as_f64().unwrap() > 95.0, "{worst}");
    let sum: f64 = rows[..3].iter().map(|row| row["cpu_ms_per_s"].as_f64().unwrap()).sum();
    assert!((rows[3]["cpu_ms_per_s"].as_f64().unwrap() - sum).abs() < 0.01);

    // Half of this is before anybody looked.
    let before = Timestamp::from_ms(START.ms() - 3_600_000);
    assert_eq!(before.day(), "2026-09-30");
    let (_, out, _) = run(&["--from", "2026-09-30 23:00", "--to", "2026-10-01 01:00", "-o", "json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let covered = rows[0]["covered_pct"].as_f64().unwrap();
    assert!((45.0..51.0).contains(&covered), "{out}");
    assert!(rows[0]["cpu_ms_per_s"].as_f64().unwrap() > 1.5, "a gap is no zero: {out}");

    let file = stage.folder.path().join("cost.csv").display().to_string();
    let range = ["--from", "2026-10-01", "--to", "2026-10-01 02:00", "-o", "csv", "--out", &file];
    assert!(run(&range).0.status.success());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("instance,cpu_ms_per_s,"));
    assert!(run(&range).2.contains("is there already"));
    let (output, _, err) = run(&["--from", "2026-09-01", "--to", "2026-09-02"]);
    assert!(!output.status.success() && err.contains("nothing is kept of what dbtop cost"), "{err}");
}
