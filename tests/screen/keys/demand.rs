//! Questions to one server, asked with a key: what leaves the screen, how they are told, cancelled and answered.

use crate::{fixture, stage::Stage};
use dbtop::{
    model::{
        base::failure::{Failure, FailureKind},
        poll::{
            demand::{
                Buffered, CachedKind, DatabaseRoom, Demand, FileRoom, FoundPlan, PlanSource, Sent,
                SessionWait, Step,
            },
            statement::{SqlText, Statement},
        },
    },
    plan::Plan,
    protocol::{DemandRequest, DemandWord, Effect, Reply, Shown, ShownPlan, VaultState},
};
use std::{fmt::Write as _, sync::Arc};

fn activity() -> Stage {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("2");
    s.app.take_effects();
    s
}

/// What was asked of servers since the last look.
fn asked(s: &mut Stage) -> Vec<DemandRequest> {
    let of_servers = |effect| match effect {
        Effect::Demand(request) => Some(request),
        _ => None,
    };
    s.app.take_effects().into_iter().filter_map(of_servers).collect()
}

fn done(ticket: u64, found: Result<Shown, Failure>) -> Reply {
    Reply::Demanded { ticket, word: DemandWord::Done { found, cost_ms: Some(120) } }
}

/// The plan of what runs, of which nothing else is known.
fn live_plan(xml: Option<&str>) -> FoundPlan {
    FoundPlan {
        source: PlanSource::Live,
        query_hash: None,
        plan_hash: Some(0xAB),
        compiled_at: None,
        started_at: None,
        runs: None,
        cpu_ms: None,
        elapsed_ms: None,
        xml: xml.map(Into::into),
        stored: None,
        not_live: None,
    }
}

fn waits() -> Shown {
    let wait = SessionWait {
        name: "LCK_M_X".into(),
        count: Some(3),
        ms: Some(341_000),
        max_ms: Some(300_000),
        signal_ms: None,
    };
    Shown::Waits(vec![wait])
}

#[test]
fn a_question_is_told_while_it_is_open_and_its_answer_opens() {
    let mut s = activity();
    s.keys("w");
    let [DemandRequest::Ask { ticket, demand: Demand::SessionWaits { session_id }, .. }] = asked(&mut s)[..]
    else {
        panic!("not asked")
    };
    let foot = s.lines().pop().unwrap();
    assert!(foot.contains(&format!("the waits of session {session_id} · waiting for its turn")), "{foot}");
    assert!(foot.contains("Esc cancels"), "{foot}");
    s.reply(Reply::Demanded { ticket, word: DemandWord::Step(Step::Asks) });
    s.wait_ms(3_000);
    assert!(s.lines().pop().unwrap().contains("asking, 3s"), "{}", s.text());
    // The same key again asks nothing twice.
    s.keys("w");
    assert!(asked(&mut s).is_empty() && s.text().contains("is being asked for"), "{}", s.text());
    s.reply(done(ticket, Ok(waits())));
    let text = s.text();
    assert!(
        text.contains("LCK_M_X: 5m41s in 3 waits") || text.contains("5m41s in 3 waits, max 5m"),
        "{text}"
    );
    assert!(text.contains("Lock"), "its category: {text}");
    s.keys("esc");
    assert!(!s.text().contains("LCK_M_X: 5m41s"));
    s.keys(": answer enter");
    assert!(s.text().contains("5m41s in 3 waits"), "it can be shown again: {}", s.text());
}

#[test]
fn esc_cancels_before_it_goes_back() {
    let mut s = activity();
    s.keys("P");
    let [DemandRequest::Ask { ticket, .. }] = asked(&mut s)[..] else { panic!("not asked") };
    s.keys("esc");
    assert_eq!(asked(&mut s), [DemandRequest::Cancel { ticket }]);
    assert!(s.text().contains("cancelled: the plan of session"), "{}", s.text());
    assert!(s.lines()[1].contains("Activity"), "still there");
    s.reply(done(ticket, Ok(waits())));
    assert!(!s.text().contains("LCK_M_X: 5m41s"), "its answer came too late");
}

#[test]
fn an_answer_that_comes_while_one_is_elsewhere_waits_to_be_looked_at() {
    let mut s = activity();
    s.keys("w");
    let [DemandRequest::Ask { ticket, .. }] = asked(&mut s)[..] else { panic!("not asked") };
    s.keys("3");
    s.reply(done(ticket, Ok(waits())));
    let text = s.text();
    assert!(text.contains(":answer shows it") && !text.contains("5m41s in 3 waits"), "{text}");
    s.keys(": answer enter");
    assert!(s.text().contains("5m41s in 3 waits"), "{}", s.text());
}

#[test]
fn the_plan_and_the_waits_of_a_session_are_asked_for_where_it_holds_tempdb_or_a_grant() {
    for (pane, session) in [("tempdb", 61), ("grants", 74)] {
        let mut s = Stage::new(fixture::small(), 140, 40);
        s.keys(&format!("/ sqlprd-014 enter enter : {pane} enter"));
        s.app.take_effects();
        assert!(s.selected().contains(&session.to_string()), "{pane}: {}", s.text());
        s.keys("P");
        let asked_for = asked(&mut s);
        let [DemandRequest::Ask { ticket, instance, demand: Demand::SessionPlan { session_id } }] =
            &asked_for[..]
        else {
            panic!("{pane}: {asked_for:?}")
        };
        assert_eq!((instance.as_str(), *session_id), ("sqlprd-014", session), "{pane}");
        let foot = s.lines().pop().unwrap();
        assert!(foot.contains(&format!("the plan of session {session}")), "{pane}: {foot}");
        let xml = include_str!("../../fixture/plan/orders.sqlplan");
        let found = live_plan(Some(xml));
        let plan = Plan::read(xml.as_bytes()).map(Arc::new).map_err(|error| error.to_string());
        let reply = done(*ticket, Ok(Shown::Plans(vec![ShownPlan::of(found, plan)])));
        s.reply(reply);
        assert!(s.text().contains("OWN time"), "{pane}: its plan opens: {}", s.text());
        s.keys("esc");
        s.keys("a");
        let waits = asked(&mut s);
        assert!(
            matches!(waits[..], [DemandRequest::Ask { demand: Demand::SessionWaits { session_id }, .. }] if session_id == session),
            "{pane}: {waits:?}"
        );
    }
}

#[test]
fn a_failure_is_a_sentence() {
    let mut s = activity();
    s.keys("P");
    let asked = asked(&mut s);
    let [DemandRequest::Ask { ticket, instance, demand }] = &asked[..] else { panic!("not asked") };
    s.reply(done(*ticket, Err(Failure::new(FailureKind::Permission, "the login lacks VIEW SERVER STATE"))));
    let words = format!("{instance}: {demand}: the login lacks VIEW SERVER STATE");
    assert!(s.text().contains(&words), "whom and what: {}", s.text());
    assert!(!s.lines().pop().unwrap().contains("Esc cancels"));
}

#[test]
fn what_costs_a_server_more_is_asked_at_the_second_wish() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys(": memory enter");
    s.app.take_effects();
    s.keys("b");
    assert!(asked(&mut s).is_empty());
    let text = s.text();
    let told = text.lines().find(|line| line.contains("page descriptors to read: many seconds"));
    let told = told.unwrap_or_else(|| panic!("its own pages: {text}"));
    assert!(told.contains(" GB are ") && told.contains("60 s at most: the same key again asks"), "{told}");
    s.keys("b");
    let [DemandRequest::Ask { ticket, demand: Demand::BufferPool, .. }] = asked(&mut s)[..] else {
        panic!("not asked")
    };
    let buffers = vec![
        Buffered { database: "Sales".into(), pages: Some(3 << 17), modified: Some(1 << 10) },
        Buffered { database: "db 7".into(), pages: Some(1 << 17), modified: None },
    ];
    s.reply(done(ticket, Ok(Shown::Buffers(buffers))));
    let text = s.text();
    assert!(text.contains("3.0 GB · 75 % · not on disk yet 8.0 MB"), "{text}");
    s.keys("esc");
    s.wait_ms(11_000);
    s.keys("b");
    assert!(asked(&mut s).is_empty(), "much later it is a first wish again");
}

#[test]
fn what_is_free_inside_of_files_is_asked_of_the_database_under_the_cursor_or_of_all() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("6");
    s.app.take_effects();
    s.keys("u");
    assert!(asked(&mut s).is_empty(), "its cost is said first");
    assert!(s.text().contains("a page for each 4 GB: the same key again asks"), "{}", s.text());
    s.keys("u");
    let [DemandRequest::Ask { ticket, demand: Demand::FreeSpace { database_id: Some(id) }, .. }] =
        asked(&mut s)[..]
    else {
        panic!("not asked")
    };
    assert!(id > 0);
    let file = |name: &str, kind: &str, used_kb| FileRoom {
        name: Some(name.into()),
        kind: Some(kind.into()),
        size_kb: Some(10 << 20),
        used_kb,
    };
    let files = vec![file("orders", "ROWS", Some(9 << 20)), file("orders_log", "LOG", None)];
    let closed = Err("the login may not enter it: CONNECT ANY DATABASE, or a user in it".into());
    let room = vec![
        DatabaseRoom { database: "orders".into(), files: Ok(files) },
        DatabaseRoom { database: "crm".into(), files: closed },
    ];
    s.reply(done(ticket, Ok(Shown::Room(room))));
    let text = s.text();
    assert!(text.contains("10 GB, free 1.0 GB · 10 %"), "{text}");
    assert!(text.contains("free – · log") && text.contains("CONNECT ANY DATABASE"), "{text}");
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("enter 6 b b");
    s.app.take_effects();
    s.keys("u u");
    let all = asked(&mut s);
    assert!(
        matches!(all[..], [DemandRequest::Ask { demand: Demand::FreeSpace { database_id: None }, .. }]),
        "by volume all databases are asked: {all:?}"
    );
}

#[test]
fn the_plan_cache_says_how_much_of_it_ran_once_only() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys(": memory enter");
    s.app.take_effects();
    s.keys("u u");
    let [DemandRequest::Ask { ticket, demand: Demand::PlanCache, .. }] = asked(&mut s)[..] else {
        panic!("not asked")
    };
    let kind = CachedKind {
        name: "Adhoc".into(),
        plans: Some(48_211),
        bytes: Some(4 << 30),
        single: Some(40_000),
        single_bytes: Some(3 << 30),
    };
    s.reply(done(ticket, Ok(Shown::PlanCache(vec![kind]))));
    let text = s.text();
    assert!(text.contains("3.0 GB of 4.0 GB · 75 %"), "{text}");
    assert!(text.contains("once only: 40,000 plans, 3.0 GB"), "{text}");
}

#[test]
fn a_plan_that_cannot_be_read_says_why() {
    let mut s = activity();
    s.keys("P");
    let [DemandRequest::Ask { ticket, .. }] = asked(&mut s)[..] else { panic!("not asked") };
    let found = live_plan(None);
    let plan = Plan::read(b"<x/>").map(Arc::new).map_err(|error| error.to_string());
    s.reply(done(ticket, Ok(Shown::Plans(vec![ShownPlan::of(found, plan)]))));
    assert!(s.text().contains("no plan"), "{}", s.text());
}

#[test]
fn the_plan_of_a_query_opens_at_its_own_statement_and_says_why_it_is_not_live() {
    let mut s = Stage::new(fixture::small(), 160, 40);
    s.keys("5 P");
    let [DemandRequest::Ask { ticket, .. }] = asked(&mut s)[..] else { panic!("not asked") };
    let xml = include_str!("../../fixture/plan/orders.sqlplan");
    let found = FoundPlan {
        source: PlanSource::LastActual,
        query_hash: Some(0x61C0_FFEE_0000_0002),
        plan_hash: Some(0xAB),
        compiled_at: None,
        started_at: None,
        runs: Some(1),
        cpu_ms: None,
        elapsed_ms: None,
        xml: Some(xml.into()),
        stored: None,
        not_live: Some("13.0.4001.0 can crash when it is asked".into()),
    };
    let plan = Plan::read(xml.as_bytes()).map(Arc::new).map_err(|error| error.to_string());
    s.reply(done(ticket, Ok(Shown::Plans(vec![ShownPlan::of(found, plan)]))));
    let text = s.text();
    assert!(
        text.contains("Clustered Index Update") && text.contains(" tree 3 of 3 "),
        "not the heaviest: {text}"
    );
    assert!(text.contains("not live 13.0.4001.0 can crash"), "{text}");
    s.keys("shift-tab");
    assert!(s.text().contains("tree 2 of 3, another statement"), "{}", s.text());
}

/// What a client sent: a call of a procedure within a batch, with literals that had to go.
fn sent(is_covered: bool) -> Sent {
    let batch = "EXEC dbo.usp_NewLogin N'?';\nEXEC dbo.usp_Settle ?;";
    let text = Arc::new(SqlText::new(batch.into(), None, None, false));
    Sent {
        event: Some("Language Event".into()),
        parameters: Some(2),
        text: Some(Statement { text, start: 0, end: batch.len() }),
        running: Some("UPDATE dbo.Orders SET Settled = 1".into()),
        is_covered,
    }
}

#[test]
fn what_the_client_sent_and_the_parameters_of_the_plan_stand_in_the_details_of_the_session() {
    let mut s = Stage::new(fixture::small(), 160, 60);
    s.keys("2 d");
    assert!(!s.text().contains("sent by the client") && !s.text().contains("parameters"), "{}", s.text());
    s.keys("esc");
    asked(&mut s);
    s.keys("i");
    let [DemandRequest::Ask { ticket, demand: Demand::SessionInput { session_id }, .. }] = asked(&mut s)[..]
    else {
        panic!("not asked")
    };
    s.reply(done(ticket, Ok(Shown::Sent(vec![sent(true)]))));
    let text = s.text();
    for words in [
        &*format!("what session {session_id} sent"),
        "Language Event, 2 parameters",
        "UPDATE dbo.Orders SET Settled = 1",
        "literals are left out",
        "EXEC dbo.usp_NewLogin N'?'",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    s.keys("esc P");
    let [DemandRequest::Ask { ticket, .. }] = asked(&mut s)[..] else { panic!("not asked") };
    // The plan of what this session runs.
    let xml =
        include_str!("../../fixture/plan/orders.sqlplan").replace("61C0FFEE00000001", "8A3F001122334455");
    let found = FoundPlan {
        source: PlanSource::Live,
        query_hash: Some(0x8A3F_0011_2233_4455),
        plan_hash: None,
        compiled_at: None,
        started_at: None,
        runs: None,
        cpu_ms: None,
        elapsed_ms: None,
        xml: Some((&*xml).into()),
        stored: None,
        not_live: None,
    };
    let plan = Ok(Arc::new(Plan::read(xml.as_bytes()).unwrap()));
    s.reply(done(ticket, Ok(Shown::Plans(vec![ShownPlan::of(found, plan)]))));
    s.keys("esc d");
    let text = s.text();
    for words in [
        "parameters by its plan, as of ",
        "compiled for N'7', ran with",
        "sent by the client, as of ",
        "Language Event, 2 parameters",
        "EXEC dbo.usp_Settle ?;",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Of another session nothing is known.
    s.keys("esc down d");
    assert!(!s.text().contains("sent by the client") && !s.text().contains("parameters by"), "{}", s.text());
}

/// Every kind of answer, the keys that ask for it, and the answer with something in it and with nothing.
fn each_kind() -> [(&'static str, &'static str, Shown, Shown); 6] {
    let plan = || {
        let xml = include_str!("../../fixture/plan/orders.sqlplan");
        let found = FoundPlan {
            source: PlanSource::LastActual,
            query_hash: None,
            plan_hash: Some(0xAB),
            compiled_at: None,
            started_at: None,
            runs: Some(4_211),
            cpu_ms: Some(88_000.0),
            elapsed_ms: Some(93_000.0),
            xml: Some(xml.into()),
            stored: None,
            not_live: None,
        };
        ShownPlan::of(found, Ok(Arc::new(Plan::read(xml.as_bytes()).unwrap())))
    };
    let room = DatabaseRoom {
        database: "orders".into(),
        files: Ok(vec![FileRoom {
            name: Some("orders".into()),
            kind: Some("ROWS".into()),
            size_kb: Some(10 << 20),
            used_kb: Some(9 << 20),
        }]),
    };
    let buffers = Buffered { database: "Sales".into(), pages: Some(3 << 17), modified: Some(1 << 10) };
    let kind = CachedKind {
        name: "Adhoc".into(),
        plans: Some(48_211),
        bytes: Some(4 << 30),
        single: Some(40_000),
        single_bytes: Some(3 << 30),
    };
    [
        ("plans", "5 P", Shown::Plans(vec![plan()]), Shown::Plans(Vec::new())),
        ("waits", "2 w", waits(), Shown::Waits(Vec::new())),
        ("buffers", ": memory enter b b", Shown::Buffers(vec![buffers]), Shown::Buffers(Vec::new())),
        ("room", "6 u u", Shown::Room(vec![room]), Shown::Room(Vec::new())),
        ("plan_cache", ": memory enter u u", Shown::PlanCache(vec![kind]), Shown::PlanCache(Vec::new())),
        (
            "input",
            "2 i",
            Shown::Sent(vec![sent(true)]),
            Shown::Sent(vec![Sent { text: None, ..sent(false) }]),
        ),
    ]
}

/// Its place in [`each_kind`]: a new kind of answer does not compile without one.
const fn place(shown: &Shown) -> usize {
    match shown {
        Shown::Plans(_) => 0,
        Shown::Waits(_) => 1,
        Shown::Buffers(_) => 2,
        Shown::Room(_) => 3,
        Shown::PlanCache(_) => 4,
        Shown::Sent(_) => 5,
    }
}

#[test]
fn every_kind_of_answer_at_every_size_in_every_state() {
    for (n, (name, keys, full, empty)) in each_kind().into_iter().enumerate() {
        assert_eq!((place(&full), place(&empty)), (n, n), "{name}");
        let refused = Failure::new(FailureKind::Permission, "the login lacks VIEW SERVER STATE");
        let slow = Failure::new(FailureKind::Timeout, "no answer from sqlprd-014 within 20 s");
        let states = [
            ("open", None),
            ("full", Some(Ok(full))),
            ("nothing", Some(Ok(empty))),
            ("no_right", Some(Err(refused))),
            ("late", Some(Err(slow))),
        ];
        for (state, found) in states {
            let mut all = String::new();
            for (w, h) in [(40, 10), (80, 24), (120, 40), (200, 60)] {
                let mut s = Stage::new(fixture::small(), w, h);
                s.keys(keys);
                let [DemandRequest::Ask { ticket, .. }] = asked(&mut s)[..] else {
                    panic!("{name} is not asked after {keys:?}: {}", s.text())
                };
                s.reply(Reply::Demanded { ticket, word: DemandWord::Step(Step::Asks) });
                if let Some(found) = found.clone() {
                    s.reply(done(ticket, found));
                }
                let _ = writeln!(all, "{w}x{h}\n{}\n", s.text());
            }
            insta::assert_snapshot!(format!("asked_{name}_{state}"), all);
        }
    }
}

#[test]
fn another_tenant_sees_no_answer_of_the_one_before() {
    let mut s = activity();
    let vault = |s: &mut Stage, tenant: &str| {
        s.reply(Reply::Vault { tenant: tenant.to_owned(), state: VaultState::Open });
    };
    vault(&mut s, "acme");
    s.keys("2");
    asked(&mut s);
    s.keys("w");
    let [DemandRequest::Ask { ticket, .. }] = asked(&mut s)[..] else { panic!("not asked") };
    vault(&mut s, "globex");
    assert_eq!(asked(&mut s), [DemandRequest::Cancel { ticket }]);
    s.reply(done(ticket, Ok(waits())));
    s.keys(": answer enter");
    assert!(!s.text().contains("5m41s in 3 waits"), "{}", s.text());
}
