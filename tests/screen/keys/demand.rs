//! Questions to one server, asked with a key: what leaves the screen, how they are told, cancelled and answered.

use crate::{fixture, stage::Stage};
use dbtop::{
    model::{
        base::failure::{Failure, FailureKind},
        poll::demand::{Buffered, Demand, FoundPlan, PlanSource, SessionWait, Step},
    },
    plan::Plan,
    protocol::{DemandRequest, DemandWord, Effect, Reply, Shown, ShownPlan},
};
use std::sync::Arc;

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
fn a_failure_is_a_sentence() {
    let mut s = activity();
    s.keys("P");
    let [DemandRequest::Ask { ticket, .. }] = asked(&mut s)[..] else { panic!("not asked") };
    s.reply(done(ticket, Err(Failure::new(FailureKind::Permission, "the login lacks VIEW SERVER STATE"))));
    assert!(s.text().contains("the login lacks VIEW SERVER STATE"), "{}", s.text());
    assert!(!s.lines().pop().unwrap().contains("Esc cancels"));
}

#[test]
fn what_costs_a_server_more_is_asked_at_the_second_wish() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys(": memory enter");
    s.app.take_effects();
    s.keys("b");
    assert!(asked(&mut s).is_empty());
    assert!(s.text().contains("about 1 s of CPU for 64 GB: the same key again asks"), "{}", s.text());
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
fn a_plan_that_cannot_be_read_says_why() {
    let mut s = activity();
    s.keys("P");
    let [DemandRequest::Ask { ticket, .. }] = asked(&mut s)[..] else { panic!("not asked") };
    let found = FoundPlan {
        source: PlanSource::Live,
        plan_hash: Some(0xAB),
        compiled_at: None,
        started_at: None,
        runs: None,
        cpu_ms: None,
        elapsed_ms: None,
        xml: None,
    };
    let plan = Plan::read(b"<x/>").map(Arc::new).map_err(|error| error.to_string());
    s.reply(done(ticket, Ok(Shown::Plans(vec![ShownPlan { found, plan }]))));
    assert!(s.text().contains("no plan"), "{}", s.text());
}
