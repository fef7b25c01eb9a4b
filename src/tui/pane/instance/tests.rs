//! Tests of the instance pane: its words, the links of its reasons, and that no size or server breaks it.

use super::*;
use crate::{
    model::{
        judge::health::Health,
        poll::{
            properties::Properties,
            reading::Unavailable,
            rights::{Right, Rights},
        },
    },
    tui::{fixture, pane::stage::Stage},
};
use proptest::prelude::*;

fn pane() -> InstancePane {
    InstancePane::default()
}

fn line<'a>(lines: &'a [String], with: &str) -> &'a str {
    lines.iter().find(|l| l.contains(with)).unwrap_or_else(|| panic!("no {with} in {lines:#?}"))
}

#[test]
fn reasons_come_first_and_tell_where_they_lead() {
    let stage = Stage::one(fixture::small(), "sqlprd-014");
    let lines = stage.draw(&mut pane(), 120, 36);
    assert_eq!(lines[0], " ✖ 14 sessions blocked 5m12s by 88 (sleeping)  → Blocking");
    assert_eq!(lines[1], " ▲ CPU 97 % for 6 min  → Queries");
}

#[test]
fn enter_follows_the_reason_to_its_row() {
    let stage = Stage::one(fixture::small(), "sqlprd-014");
    let wishes = stage.act(&mut pane(), &[Action::Enter]);
    let [Wish::Go { pane: PaneId::Blocking, focus: Some(RowKey::Session(id, 88, _)), .. }] = &wishes[..]
    else {
        panic!("{wishes:?}");
    };
    assert_eq!(id.as_str(), "sqlprd-014");
    let wishes = stage.act(&mut pane(), &[Action::Down, Action::Enter]);
    let is_by_cpu =
        |wish: &Wish| matches!(wish, Wish::Go { pane: PaneId::Queries, look: Some(Look::Sort("cpu")), .. });
    assert!(is_by_cpu(&wishes[0]), "{wishes:?}");
    // Who may not see the plan cache is led to what runs.
    let mut fleet = fixture::small();
    for i in &mut fleet.instances {
        Arc::make_mut(i).facts.queries.fail(Unavailable::NoRight("VIEW SERVER STATE".into()));
    }
    let wishes = Stage::one(fleet, "sqlprd-014").act(&mut pane(), &[Action::Down, Action::Enter]);
    assert!(matches!(&wishes[..], [Wish::Go { pane: PaneId::Activity, .. }]), "{wishes:?}");
    // Waits for a worker lead to who has them: those that wait have no session yet.
    let wishes = Stage::one(fixture::small(), "sqlprd-003").act(&mut pane(), &[Action::Enter]);
    let [Wish::Go { pane: PaneId::Activity, focus: None, look: Some(look), .. }] = &wishes[..] else {
        panic!("{wishes:?}");
    };
    assert_eq!(*look, Look::Sort("tasks"));
    // A reason without a pane of its own leads to the details.
    let wishes = Stage::one(fixture::small(), "sqlrep-001").act(&mut pane(), &[Action::Enter]);
    assert!(matches!(&wishes[..], [Wish::Details(RowKey::Evidence(_, Topic::Link))]), "{wishes:?}");
}

#[test]
fn the_title_says_what_it_is() {
    let stage = Stage::one(fixture::small(), "sqlprd-014");
    assert_eq!(
        stage.title(&mut pane()),
        "✖ critical, score 21 ─ SQL Server 2022 CU16 Enterprise · Windows · 16 cpu · 128 GB · up 41d · TLS verified"
    );
}

#[test]
fn products_are_named_as_people_name_them() {
    let product = |major, version: &str, edition: &str, engine| {
        let p = Properties {
            major,
            version: Some(version.into()),
            level: Some("RTM".into()),
            edition: Some(edition.into()),
            engine_edition: engine,
            ..Properties::default()
        };
        let mut out = String::new();
        words::push_product(&mut out, &p);
        out
    };
    assert_eq!(
        product(Some(13), "13.0.1", "Enterprise Edition: Core-based Licensing (64-bit)", Some(3)),
        "SQL Server 2016 RTM Enterprise"
    );
    assert_eq!(
        product(Some(99), "99.0.1", "Developer Edition (64-bit)", Some(3)),
        "SQL Server 99.0.1 RTM Developer"
    );
    assert_eq!(product(Some(12), "12.0.2000", "SQL Azure", Some(8)), "Azure SQL Managed Instance");
}

#[test]
fn figures_without_a_value_do_not_say_zero() {
    let stage = Stage::one(fixture::small(), "sqltst-004");
    let lines = stage.draw(&mut pane(), 120, 36);
    let cpu: Vec<&str> = line(&lines, " CPU   ").split_whitespace().take(2).collect();
    assert_eq!(cpu, ["CPU", "n/a"]);
    let blocked = line(&lines, " blocked ").split_once("blocked").unwrap().1;
    assert_eq!(blocked.split_whitespace().next(), Some("n/a"));
    assert!(
        lines.iter().any(|l| l == "   n/a (VIEW SERVER STATE)"),
        "no empty charts but the reason: {lines:#?}"
    );
}

#[test]
fn a_missing_right_tells_what_it_costs() {
    let lines = Stage::one(fixture::small(), "sqltst-004").draw(&mut pane(), 120, 36);
    line(&lines, "▲ no VIEW SERVER STATE: cannot see activity, waits, blocking, CPU, memory");
    let missing = line(&lines, " missing ");
    assert!(
        missing.contains("n/a (VIEW SERVER STATE): headline, activity, blocking, waits, schedulers, memory")
    );
    let lines = Stage::one(fixture::small(), "sqlprd-001").draw(&mut pane(), 120, 36);
    line(&lines, "○ no msdb: SELECT on sysjobs: cannot see failed Agent jobs");
    assert!(!lines.iter().any(|l| l.contains(" missing ")), "{lines:#?}");
}

#[test]
fn the_halves_of_2022_are_not_missed_by_who_holds_the_whole() {
    let right = |name: &str, held| Right { name: name.into(), held, gives: "x".into() };
    let whole = Rights {
        rights: vec![
            right("VIEW SERVER STATE", Some(true)),
            right("VIEW SERVER PERFORMANCE STATE", Some(false)),
        ],
        present: vec![],
    };
    assert!(words::missing(&whole).is_empty());
    let half = Rights {
        rights: vec![
            right("VIEW SERVER STATE", Some(false)),
            right("VIEW SERVER PERFORMANCE STATE", Some(true)),
        ],
        present: vec![],
    };
    assert_eq!(
        words::missing(&half).iter().map(|(name, _, vital)| (&**name, *vital)).collect::<Vec<_>>(),
        [("VIEW SERVER STATE", false)]
    );
}

#[test]
fn a_broken_link_says_why_since_when_and_what_comes_next() {
    let lines = Stage::one(fixture::small(), "sqlrep-001").draw(&mut pane(), 160, 36);
    let link = line(&lines, " link ");
    for words in [
        "link      timed out since 13:58:40, 9 attempts, next in 22s",
        "last answer 4m ago",
        "no answer from sqlrep-001 within 5 s",
    ] {
        assert!(link.contains(words), "no {words} in {link}");
    }
}

#[test]
fn an_instance_that_was_never_reached_tells_its_whole_story() {
    let lines = Stage::one(fixture::errors(24), "sqlbad-002").draw(&mut pane(), 80, 24);
    assert!(!lines.iter().any(|l| l.contains("CPU %")), "{lines:#?}");
    line(&lines, "   could not log in to 10.1.0.9 as dbtop: login failed");
    line(&lines, "Nothing is known yet");
}

#[test]
fn without_reasons_it_says_that_all_is_well() {
    let lines = Stage::one(fixture::small(), "sqlprd-001").draw(&mut pane(), 80, 20);
    assert_eq!(lines[0], " ● ok");
}

#[test]
fn more_reasons_than_rows_scroll_and_are_counted() {
    let mut fleet = fixture::small();
    let at = fleet.instances.iter().position(|i| i.id().as_str() == "sqlprd-014").unwrap();
    let mut i = (*fleet.instances[at]).clone();
    let reason = |n: i32| {
        Reason::new(Level::Warning, Topic::Session(n), 1, Why::Sentence(format!("reason {n}").into()))
    };
    i.health = Health { score: Some(50), level: Level::Warning, reasons: (1..=9).map(reason).collect() };
    fleet.instances[at] = Arc::new(i);
    let stage = Stage::one(fleet, "sqlprd-014");
    let mut pane = pane();
    let lines = stage.draw(&mut pane, 80, 8);
    assert!(lines[0].contains("reason 1") && lines[1].ends_with("+7 more"), "{lines:#?}");
    stage.act(&mut pane, &[Action::End]);
    let lines = stage.draw(&mut pane, 80, 8);
    assert!(lines[1].contains("reason 9"), "{lines:#?}");
}

#[test]
fn details_name_everything_that_is_polled_and_its_age() {
    let stage = Stage::one(fixture::small(), "sqltst-004");
    let text = pane().details(&RowKey::Reason(0), &stage.view()).unwrap().to_copy();
    assert!(text.contains("waits: n/a (VIEW SERVER STATE)"), "{text}");
    assert!(text.contains("activity: n/a (VIEW SERVER STATE)"), "{text}");
    assert!(text.contains("own cost: <10s old, every 1m"), "{text}");
    assert!(text.contains("▲ missing   VIEW SERVER STATE"), "{text}");
    assert!(text.contains("collation: SQL_Latin1_General_CP1_CI_AS"), "{text}");
}

#[test]
fn ranges_change_the_charts() {
    let stage = Stage::one(fixture::small(), "sqlprd-014");
    let mut pane = pane();
    let fifteen = stage.draw(&mut pane, 120, 36);
    stage.act(&mut pane, &[Action::Shorter]);
    let five = stage.draw(&mut pane, 120, 36);
    assert!(line(&fifteen, "13:50").contains("13:55"));
    assert!(line(&five, "13:59").contains("14:01"), "{five:#?}");
}

#[test]
fn the_cursor_of_the_charts_tells_the_values_of_a_moment() {
    let stage = Stage::one(fixture::small(), "sqlprd-014");
    let mut pane = pane();
    stage.act(&mut pane, &[Action::Earlier; 12]);
    let lines = stage.draw(&mut pane, 120, 36);
    let head = line(&lines, "CPU %");
    assert!(head.contains("13:59:15") && !head.contains("max"), "{head}");
    let waits = line(&lines, "■ Lock 1");
    assert!(waits.contains("13:59:15"), "{waits}");
    stage.act(&mut pane, &[Action::Later; 12]);
    assert!(
        line(&stage.draw(&mut pane, 120, 36), "CPU %").contains("last 97"),
        "past the present it is gone"
    );
    stage.act(&mut pane, &[Action::Earlier, Action::Out]);
    assert_eq!(pane.line.cursor(), None);
    stage.act(&mut pane, &[Action::Later]);
    assert_eq!(pane.line.cursor(), None, "there is nothing later than now");
}

#[test]
fn dots_take_the_place_of_blocks_when_asked_for() {
    let stage = Stage::one(fixture::small(), "sqlprd-014");
    let mut pane = pane();
    let dots = |lines: &[String]| {
        lines.iter().flat_map(|l| l.chars()).filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count()
    };
    assert_eq!(dots(&stage.draw(&mut pane, 120, 36)), 0);
    stage.act(&mut pane, &[Action::Dots]);
    assert!(dots(&stage.draw(&mut pane, 120, 36)) > 100);
}

#[test]
fn holes_leave_out_what_only_needs_time() {
    let mut fleet = fixture::small();
    let mut i = (*fleet.instances[0]).clone();
    i.facts.waits.problem = Some(Unavailable::NeedsTwoSamples);
    i.facts.jobs.problem = Some(Unavailable::NoRight("msdb reader".into()));
    let name = i.id().as_str().to_owned();
    fleet.instances[0] = Arc::new(i);
    let lines = Stage::one(fleet, &name).draw(&mut pane(), 120, 36);
    assert_eq!(line(&lines, " missing "), " missing   n/a (msdb reader): failed jobs");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_size_holds(w in 0_u16..220, h in 0_u16..70, which in 0_usize..9) {
        let mut fleet = fixture::small();
        fleet.instances.push(Arc::new(fixture::hostile(fixture::NOW)));
        let name = fleet.instances[which % fleet.instances.len()].id().as_str().to_owned();
        let mut pane = InstancePane { cursor: which, ..InstancePane::default() };
        Stage::one(fleet, &name).draw(&mut pane, w, h);
    }
}

#[test]
fn each_reason_leads_to_its_evidence() {
    let link = |topic, why| link_of(&Reason::new(Level::Warning, topic, 10, why));
    let sorted = |column| Link::Pane(PaneId::Activity, Some(Look::Sort(column)));
    let by_hash = Look::Groups(GroupBy::Hash, "cpu_delta");
    assert_eq!(link(Topic::Workers, Why::NotPolled), sorted("tasks"));
    assert_eq!(link(Topic::Memory, Why::Grants(9)), Link::Pane(PaneId::Grants, None));
    assert_eq!(link(Topic::Tempdb, Why::Tempdb(78.0)), Link::Pane(PaneId::Tempdb, None));
    assert_eq!(link(Topic::Log, Why::NotPolled), Link::Pane(PaneId::TxLog, None));
    assert_eq!(link(Topic::Cpu, Why::NotPolled), Link::Pane(PaneId::Queries, Some(Look::Sort("cpu"))));
    assert_eq!(link(Topic::Deadlocks, Why::Deadlocks(9)), Link::Pane(PaneId::Deadlocks, None));
    assert_eq!(link(Topic::Jobs, Why::NotPolled), Link::Details);
    let (database, file) = (Some("orders".into()), Some("f".into()));
    let slow = Why::SlowFile { ids: (5, 3), database, file, writes: false, ms: 240.0 };
    let i = (*fixture::small().instances[0]).clone();
    let row = row_of(&Reason::new(Level::Warning, Topic::Io, 10, slow.clone()), &i);
    assert_eq!(row, Some(RowKey::File(i.id().clone(), 5, 3)));
    assert_eq!(link(Topic::Io, slow), Link::Pane(PaneId::Storage, None));
    let full = Why::CannotGrow {
        ids: (5, 3),
        database: None,
        file: None,
        mount: None,
        next_kb: 1,
        room_kb: 0,
        grew: 0,
        inside_pct: None,
    };
    assert_eq!(link(Topic::Storage, full), Link::Pane(PaneId::Storage, None));
    assert_eq!(link(Topic::Storage, Why::Tempdb(1.0)), Link::Details);
    assert_eq!(link(Topic::Io, Why::NotPolled), Link::Pane(PaneId::Storage, Some(Look::Own)));
    let waits =
        |name: &str| link(Topic::Waits, Why::Waits { name: name.into(), ms_per_s: 9_000.0, workers: None });
    assert_eq!(waits("RESOURCE_SEMAPHORE"), Link::Pane(PaneId::Grants, None));
    assert_eq!(waits("LCK_M_S"), Link::Pane(PaneId::Waits, None));
    // The same from the types of waits: not those that wait, but the cause.
    let of = super::super::waits::evidence_of;
    assert_eq!(of("THREADPOOL"), Look::Sort("tasks"));
    assert_eq!(of("RESOURCE_SEMAPHORE"), Look::Sort("grant"));
    assert_eq!(of("SOS_SCHEDULER_YIELD"), by_hash);
    assert_eq!(of("LCK_M_S"), Look::Filter("wait=LCK_M_S".into()));
}

#[test]
fn deadlocks_lead_to_their_reports_and_without_the_right_to_read_them_to_their_times() {
    let mut i = (*fixture::small().instances[0]).clone();
    let reason = Reason::new(Level::Warning, Topic::Deadlocks, 30, Why::Deadlocks(40));
    let problems = [None, Some(Unavailable::NotYet), Some(Unavailable::Missing("session".into()))];
    for problem in problems {
        i.facts.deadlocks.problem = problem;
        let wish = follow(&reason, &i);
        assert!(matches!(wish, Wish::Go { pane: PaneId::Deadlocks, look: None, .. }), "{wish:?}");
    }
    i.facts.deadlocks.problem = Some(Unavailable::NoRight("VIEW SERVER STATE".into()));
    let wish = follow(&reason, &i);
    assert!(matches!(wish, Wish::Events(_, MarkKind::Deadlock)), "{wish:?}");
}

#[test]
fn every_poison_wait_leads_to_its_cause_by_a_column_that_there_is() {
    use super::super::activity::{columns, groups};
    let of = super::super::waits::evidence_of;
    for name in crate::model::poll::wait_class::poison() {
        match of(name) {
            Look::Sort(id) => assert!(columns::COLUMNS.iter().any(|c| c.id == id), "{name}: {id}"),
            Look::Groups(_, id) => assert!(groups::COLUMNS.iter().any(|c| c.id == id), "{name}: {id}"),
            Look::Samples(_) => panic!("{name}: who waits is not the cause"),
            // Who is debugged waits for as long as the debugger holds it.
            look => {
                assert!(matches!(look, Look::Filter(_)), "{name}");
                assert_eq!(name, "PREEMPTIVE_DEBUG", "who waits is not the cause");
            }
        }
        let why = Why::Waits { name: name.into(), ms_per_s: 9_000.0, workers: None };
        let link = link_of(&Reason::new(Level::Warning, Topic::Waits, 10, why));
        let wanted = match name {
            "PREEMPTIVE_DEBUG" => PaneId::Waits,
            // A pane of its own has both who waits and who holds.
            "RESOURCE_SEMAPHORE" => PaneId::Grants,
            _ => PaneId::Activity,
        };
        assert!(matches!(link, Link::Pane(pane, _) if pane == wanted), "{name}");
    }
}

#[test]
fn details_begin_with_what_was_asked_for() {
    use crate::tui::widget::document::Line;
    let stage = Stage::one(fixture::small(), "sqlprd-014");
    let view = stage.view();
    let instance = view.single().unwrap();
    let first = |topic| {
        let document = about::document_of(instance, &view, topic);
        document
            .lines
            .into_iter()
            .find_map(|line| if let Line::Head(head) = line { Some(head) } else { None })
    };
    assert_eq!(first(None).as_deref(), Some("server"));
    assert_eq!(first(Some(Topic::Jobs)).as_deref(), Some("jobs that failed within a day"));
    assert_eq!(first(Some(Topic::Storage)).as_deref(), Some("volumes"));
    assert_eq!(first(Some(Topic::Availability)).as_deref(), Some("availability groups"));
    assert_eq!(first(Some(Topic::Databases)).as_deref(), Some("databases"));
}

#[test]
fn every_line_at_the_foot_is_reached_on_a_small_screen_and_leads_on() {
    let stage = Stage::one(fixture::small(), "sqlprd-014");
    let mut pane = pane();
    let lines = foot::lines(stage.view().single().unwrap(), &stage.view());
    assert!(
        lines.iter().any(|(name, _)| *name == "databases") && lines.iter().any(|(name, _)| *name == "files")
    );
    let first = stage.draw(&mut pane, 80, 20);
    assert!(!first.iter().any(|l| l.starts_with(" databases")), "{first:#?}");
    let reasons = stage.view().single().unwrap().health.reasons.len();
    assert_eq!(pane.position().unwrap().2, reasons + lines.len(), "the title says that there is more");
    let mut seen = Vec::new();
    for _ in 0..reasons + lines.len() {
        stage.act(&mut pane, &[Action::Down]);
        for height in [6, 20, 36] {
            let drawn = stage.draw(&mut pane, 80, height);
            let Some(at) = pane.foot.cursor else { continue };
            let name = format!(" {:<9}", lines[at].0);
            assert!(drawn.iter().any(|l| l.starts_with(name.trim_end())), "{height}: {name} of {drawn:#?}");
            seen.push(at);
        }
    }
    assert!((0..lines.len()).all(|at| seen.contains(&at)), "{seen:?}");
    assert_eq!(pane.position().map(|(_, last, all)| last == all), None, "at 36 rows all are in sight");
    let leads = |name: &str| {
        let at = lines.iter().position(|(known, _)| *known == name).unwrap();
        foot::follow(&lines, at, stage.view().single().unwrap())
    };
    assert!(matches!(leads("databases"), Wish::Go { pane: PaneId::Databases, .. }));
    assert!(matches!(leads("files"), Wish::Go { pane: PaneId::Storage, .. }));
    assert!(matches!(leads("rights"), Wish::Details(RowKey::Evidence(_, Topic::Rights))));
    // Back up, and Tab between the two.
    stage.act(&mut pane, &[Action::Home]);
    assert_eq!((pane.cursor, pane.foot.cursor), (0, None));
    stage.act(&mut pane, &[Action::NextSection]);
    assert_eq!(pane.foot.cursor, Some(0));
    stage.act(&mut pane, &[Action::NextSection]);
    assert_eq!(pane.foot.cursor, None);
}

#[test]
fn the_guilty_volume_has_the_colour_of_its_reason() {
    use crate::model::{judge::health::Level, poll::volumes::VolumeRow};
    let mut fleet = fixture::small();
    let i = Arc::make_mut(&mut fleet.instances[0]);
    let volume = |mount: &str, free: i64| VolumeRow {
        mount: Some(mount.into()),
        total_bytes: Some(100 << 30),
        free_bytes: Some(free << 30),
        ..VolumeRow::default()
    };
    i.facts.volumes.value = Some(Arc::new(vec![volume("D:", 50), volume("L:", 3)]));
    let why = Why::Volume { mount: Some("L:".into()), free_pct: 3.0 };
    i.health.reasons = vec![Reason::new(Level::Critical, Topic::Storage, 40, why)];
    let volumes = i.facts.volumes.get().unwrap();
    assert_eq!(contents::guilt(i, &volumes[0]), None);
    assert_eq!(contents::guilt(i, &volumes[1]).map(|r| r.level), Some(Level::Critical));
}
