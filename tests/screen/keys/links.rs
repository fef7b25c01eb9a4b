//! Links between waits, requests, modules and queries: each leads to its evidence, and Esc leads back.

use crate::{fixture, stage::Stage};
use dbtop::{
    model::{
        base::time::Timestamp,
        judge::health::{Reason, Topic},
        poll::{
            demand::{Demand, FoundPlan, PlanSource, StoredPlan},
            statement::{SqlText, Statement},
        },
    },
    plan::Plan,
    protocol::{DemandRequest, DemandWord, Effect, Reply, Shown, ShownPlan},
};
use std::{fmt::Write as _, sync::Arc};

const ORDERS: &str = include_str!("../../fixture/plan/orders.sqlplan");
const BEFORE: &str = include_str!("../../fixture/plan/orders_before.sqlplan");

fn at(width: u16, height: u16) -> Stage {
    Stage::new(fixture::small(), width, height)
}

#[test]
fn what_was_seen_at_work_at_three_sizes() {
    for (name, keys) in [("queries_by_login", "enter 5 b b b b"), ("queries_by_statement_of_all", "5 b")] {
        let mut all = String::new();
        for (w, h) in [(80, 24), (120, 40), (200, 60)] {
            let _ = writeln!(all, "{w}x{h}\n{}\n", at(w, h).keys(keys).text());
        }
        insta::assert_snapshot!(name, all);
    }
}

#[test]
fn a_wait_leads_to_the_queries_that_have_it_and_esc_back() {
    let mut s = at(140, 40);
    s.keys("enter 3 / type=LCK_M_S enter");
    assert!(s.selected().contains("LCK_M_S"), "{}", s.text());
    s.keys("Q");
    let text = s.text();
    assert!(s.lines()[2].contains("Queries") && s.lines()[2].contains("by statement"), "{text}");
    assert!(s.lines()[2].contains("wait=\"LCK_M_S\"") && s.selected().contains("LCK_M_S"), "{text}");
    s.keys("esc");
    assert!(s.lines()[2].contains("Waits") && s.selected().contains("LCK_M_S"), "{}", s.text());
    // One that no request has says so, and leads nowhere.
    s.keys("esc / type=WRITELOG enter Q");
    assert!(s.lines()[2].contains("Waits"), "{}", s.text());
    assert!(s.text().contains("no request was seen waiting for WRITELOG"), "{}", s.text());
}

#[test]
fn a_cpu_reason_and_q_lead_to_the_queries_that_take_most_cpu() {
    let fleet = fixture::large(100);
    let is_cpu = |r: &Reason| r.topic == Topic::Cpu;
    let hot = fleet.instances.iter().find(|i| i.health.reasons.iter().any(is_cpu)).expect("one is hot");
    let name = hot.id().to_string();
    let row = hot.health.reasons.iter().position(is_cpu).expect("its reason");
    let mut s = Stage::new(fleet, 140, 40);
    s.keys("ctrl-g").keys(&name).keys("enter");
    s.keys(&"down ".repeat(row)).keys("enter");
    assert!(s.lines()[2].contains("Queries") && s.lines()[2].contains("by CPU"), "{}", s.text());
    assert!(s.lines()[0].contains(&name), "{}", s.text());
    s.keys("esc");
    assert!(s.lines()[2].contains("Instance"), "{}", s.text());
    s.keys("d Q");
    assert!(s.lines()[2].contains("Queries"), "out of the details: {}", s.text());
    s.keys("esc esc");
    assert!(s.lines()[2].contains("Fleet"), "{}", s.text());
    s.keys("Q");
    assert!(s.lines()[2].contains("Queries"), "from the row of the fleet: {}", s.text());
}

#[test]
fn what_is_waited_for_is_added_up_by_object() {
    let mut s = at(140, 50);
    s.keys("enter 4 b");
    let text = s.text();
    assert!(text.contains("What is waited for, by object"), "{text}");
    assert!(text.contains("orders.dbo.Order.PK_Order") && text.contains("sessions wait, together"), "{text}");
    assert!(text.contains("for 88"), "who holds it: {text}");
    s.keys("esc 3 / type=LCK_M_S enter d");
    assert!(s.text().contains("by object:"), "{}", s.text());
}

#[test]
fn q_leads_from_the_plan_cache_to_the_same_query_in_query_store_and_back() {
    let mut s = at(200, 40);
    s.keys("ctrl-g sqlprd-001 enter 5 / module~usp_Settle enter");
    assert!(s.selected().contains("usp_Set"), "{}", s.text());
    s.keys("Q");
    assert!(
        s.lines()[2].contains("Query Store") && s.selected().contains("UPDATE dbo.[Order]"),
        "{}",
        s.text()
    );
    assert!(s.lines().pop().unwrap().contains("Q plan cache"), "{}", s.text());
    // From whichever sight: the row is in the first one.
    s.keys("b b Q");
    assert!(s.lines()[2].contains("Queries"), "{}", s.text());
    s.keys("esc esc esc");
    assert!(s.lines()[2].contains("Queries") && s.selected().contains("usp_Set"), "{}", s.text());
    s.keys("esc / module~LoadIncrement enter Q");
    assert!(s.lines()[2].contains("Queries"), "it leads nowhere: {}", s.text());
    assert!(s.text().contains("no Query Store of sqlprd-001 has it"), "{}", s.text());
}

#[test]
fn both_plans_of_query_store_stand_side_by_side_and_say_whether_they_are_forced() {
    let mut s = at(160, 40);
    s.keys("ctrl-g sqlprd-001 enter : querystore enter / usp_GetPage enter");
    s.app.take_effects();
    s.keys("P");
    let ask = |effect| match effect {
        Effect::Demand(DemandRequest::Ask { ticket, demand, .. }) => Some((ticket, demand)),
        _ => None,
    };
    let (ticket, demand) = s.app.take_effects().into_iter().find_map(ask).expect("asked");
    assert_eq!(demand, Demand::StoredPlans { database_id: 5, query_id: 17 });
    let shown = |plan_id, failures, xml: Option<&str>| {
        let stored = StoredPlan {
            database: "orders".into(),
            query_id: 17,
            plan_id,
            is_forced: plan_id == 212,
            failures: Some(failures),
            reason: Some(8_712),
            xml_bytes: None,
        };
        let found = FoundPlan {
            source: PlanSource::Stored,
            query_hash: None,
            plan_hash: Some(0xAB),
            compiled_at: Some(Timestamp::from_ms(1_790_000_000_000)),
            started_at: Some(Timestamp::from_ms(1_790_000_600_000)),
            runs: Some(400),
            cpu_ms: Some(3_000.0),
            elapsed_ms: Some(3_600.0),
            xml: xml.map(Into::into),
            stored: Some(stored),
            not_live: None,
        };
        let plan = match xml {
            Some(xml) => Plan::read(xml.as_bytes()).map(Arc::new).map_err(|error| error.to_string()),
            None => Err(found.words_without_xml()),
        };
        ShownPlan::of(found, plan)
    };
    let plans = vec![shown(212, 12, Some(ORDERS)), shown(198, 0, Some(BEFORE)), shown(197, 0, None)];
    let word = DemandWord::Done { found: Ok(Shown::Plans(plans)), cost_ms: None };
    s.reply(Reply::Demanded { ticket, word });
    let text = s.text();
    assert!(
        text.contains("orders query 17 · plan 212 · Query Store, forcing fails · 400 runs, avg 9.0 ms"),
        "{text}"
    );
    assert!(text.contains("forced yes, and it failed 12 times: an index of it is not there"), "{text}");
    assert!(text.contains("compiled 2026-"), "{text}");
    assert!(text.contains("plan 197 cannot be shown: Query Store has no XML of it"), "{text}");
    s.keys("=");
    let text = s.text();
    assert!(text.contains("Two plans") && text.contains("plan 198 · Query Store · 400 runs"), "{text}");
    assert!(text.contains("Index Scan Order.IX_Date → Index Seek Order.IX_Customer"), "{text}");
}

/// The blocked statements belong to a procedure.
fn of_modules() -> dbtop::model::fold::snapshot::FleetSnapshot {
    let batch = "CREATE PROCEDURE [dbo].[usp_Settle] @Id bigint\nAS\nBEGIN TRAN;\n\nUPDATE dbo.Orders SET x = 1;\nCOMMIT;";
    let start = batch.find("\nUPDATE").unwrap();
    let end = batch.find("\nCOMMIT").unwrap();
    let text = Arc::new(SqlText::new(batch.into(), None, Some(1_234), false));
    let statement = Statement { start, end, text };
    let mut fleet = fixture::small();
    for i in &mut fleet.instances {
        let facts = &mut Arc::make_mut(i).facts;
        if let Some(blocking) = &mut facts.blocking.value {
            for node in Arc::make_mut(blocking).chains.iter_mut().flat_map(|chain| &mut chain.nodes) {
                node.statement = Some(statement.clone());
            }
        }
    }
    fleet
}

#[test]
fn a_blocked_statement_names_its_module_and_line_and_its_text_is_there() {
    let mut s = Stage::new(of_modules(), 140, 40);
    s.keys("enter 4");
    assert!(s.text().contains("dbo.usp_Settle, line 5"), "{}", s.text());
    s.keys("d");
    let text = s.text();
    assert!(text.contains("module") && text.contains("dbo.usp_Settle, line 5"), "{text}");
    let line = s.lines().into_iter().find(|line| line.contains("UPDATE dbo.Orders")).expect("its text");
    assert!(line.contains(" 5 UPDATE"), "the line has its number: {line}");
    assert!(text.contains("COMMIT;"), "with what stands around it: {text}");
}

fn live(started_ms: i64, xml: &str) -> Reply {
    live_of(1, started_ms, xml)
}

fn live_of(ticket: u64, started_ms: i64, xml: &str) -> Reply {
    let found = FoundPlan {
        source: PlanSource::Live,
        query_hash: None,
        plan_hash: Some(0xAB),
        compiled_at: None,
        started_at: Some(Timestamp::from_ms(started_ms)),
        runs: None,
        cpu_ms: None,
        elapsed_ms: None,
        xml: Some(xml.into()),
        stored: None,
        not_live: None,
    };
    let plan = Plan::read(xml.as_bytes()).map(Arc::new).map_err(|error| error.to_string());
    let shown = Shown::Plans(vec![ShownPlan::of(found, plan)]);
    Reply::Demanded { ticket, word: DemandWord::Done { found: Ok(shown), cost_ms: None } }
}

/// The ticket of a plan that the screen has asked for since the last look.
fn asked_plan(s: &mut Stage) -> Option<u64> {
    s.app.take_effects().into_iter().find_map(|effect| match effect {
        Effect::Demand(DemandRequest::Ask { ticket, demand: Demand::SessionPlan { .. }, .. }) => Some(ticket),
        _ => None,
    })
}

#[test]
fn a_live_plan_takes_newer_figures_of_its_own_request_only() {
    let newer = ORDERS.replace("ActualRows=\"1104711\"", "ActualRows=\"2104711\"");
    let mut s = at(140, 40);
    s.keys("2 P");
    assert_eq!(asked_plan(&mut s), Some(1));
    s.reply(live(5_000, ORDERS));
    assert!(s.text().contains("live") && !s.text().contains("2.2M"), "{}", s.text());
    s.wait_ms(6_000);
    let ticket = asked_plan(&mut s).expect("it is asked for again");
    s.reply(live_of(ticket, 5_000, &newer));
    assert!(s.text().contains("2.2M"), "newer figures: {}", s.text());
    // A clock that is set back lets it wait no longer than once more.
    s.wait_ms(-3_600_000);
    assert_eq!(asked_plan(&mut s), None);
    s.wait_ms(6_000);
    let ticket = asked_plan(&mut s).expect("and again");
    s.reply(live_of(ticket, 9_000, ORDERS));
    let text = s.text();
    assert!(text.contains("2.2M"), "another request of the session is not shown as this one: {text}");
    assert!(text.contains("· ended") && text.contains("the request has ended"), "{text}");
    s.wait_ms(20_000);
    assert_eq!(asked_plan(&mut s), None, "nobody asks any more");
}

#[test]
fn the_footer_of_a_comparison_tells_what_does_something_there() {
    let source = |title: &str| dbtop::tui::PlanSource {
        title: title.to_owned(),
        instance: None,
        facts: Vec::new(),
        raw: ORDERS.into(),
        plan: Arc::new(Plan::read(ORDERS.as_bytes()).unwrap()),
        judged: Arc::default(),
        query_hash: None,
        live: None,
    };
    let mut s = at(200, 40);
    s.app.show_plan(source("one"), vec![source("other")]);
    let foot = |s: &mut Stage| s.lines().pop().unwrap();
    let alone = foot(&mut s);
    for word in ["finding", "metric", "fold", "tree", "find", "indexes", "compare"] {
        assert!(alone.contains(word), "{word}: {alone}");
    }
    s.keys("=");
    let both = foot(&mut s);
    for word in ["metric", "fold", "tree", "indexes", "/ find"] {
        assert!(!both.contains(word), "{word}: {both}");
    }
    assert!(both.contains("n difference") && both.contains("the first alone"), "{both}");
    s.keys("esc");
    assert_eq!(foot(&mut s), alone);
    // Without another plan there is nothing to compare with.
    let mut s = at(200, 40);
    s.app.show_plan(source("one"), Vec::new());
    assert!(!foot(&mut s).contains("compare"), "{}", s.text());
}
