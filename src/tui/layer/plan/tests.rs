//! A plan on the screen: what a newer state changes, and which keys are offered.

use super::*;
use crate::model::base::time::Timestamp;

const ORDERS: &str = include_str!("../../../../tests/fixture/plan/orders.sqlplan");

fn source(xml: &str) -> PlanSource {
    let plan = Arc::new(Plan::read(xml.as_bytes()).unwrap());
    let live = Some(Request { instance: InstanceId::new("a"), session_id: 57, started_at: None });
    PlanSource {
        title: "x".to_owned(),
        instance: None,
        facts: Vec::new(),
        raw: xml.into(),
        plan,
        judged: Arc::default(),
        query_hash: None,
        live,
    }
}

#[test]
fn the_query_that_was_asked_for_opens_and_not_the_heaviest_statement_of_its_batch() {
    let of = |query_hash| PlanView::new(PlanSource { query_hash, ..source(ORDERS) });
    let shown = |view: &PlanView| {
        let kind = view.query().map(|(statement, _)| statement.kind.clone());
        (kind.unwrap(), view.is_beside(), view.without_query().is_some())
    };
    assert_eq!(shown(&of(None)), ("SELECT".to_owned(), false, false), "the heaviest of all");
    let light = of(Some(0x61C0_FFEE_0000_0002));
    assert_eq!(shown(&light), ("UPDATE".to_owned(), false, false));
    let facts = |view: &PlanView| view.sheet.as_ref().map(|sheet| sheet.facts.clone()).unwrap();
    assert!(facts(&light).iter().all(|(name, _)| name != "shows"));
    // None has it: all is shown, and that is said.
    let strange = of(Some(7));
    assert_eq!(shown(&strange), ("SELECT".to_owned(), true, true));
    assert!(
        facts(&strange)[0].1.starts_with("the whole batch: no statement in it has"),
        "{:?}",
        facts(&strange)
    );
    // The others are a key away, and are not taken for it.
    let mut view = light;
    view.next_tree(false, &mut Out::default());
    assert_eq!(shown(&view), ("ASSIGN".to_owned(), true, false));
    // Newer figures in which the tree stands elsewhere.
    let mut view = of(Some(0x61C0_FFEE_0000_0002));
    let alone = ORDERS.replacen("0x61C0FFEE00000001", "0x61C0FFEE00000002", 1);
    view.trees.clear();
    view.replace(PlanSource { query_hash: Some(0x61C0_FFEE_0000_0002), ..source(&alone) });
    assert_eq!(shown(&view).0, "SELECT", "of two with the hash the heaviest");
    // Beside another plan stands the same query.
    let mut view = of(Some(0x61C0_FFEE_0000_0002)).with_others(vec![source(ORDERS)]);
    view.compare(&mut Out::default());
    assert_eq!(view.other_tree(0).map(|(statement, _)| statement.kind.as_str()), Some("UPDATE"));
}

#[test]
fn newer_figures_of_another_request_are_not_taken() {
    let mut view = PlanView::new(source(ORDERS));
    let newer = ORDERS.replace("ActualRows=\"1104711\"", "ActualRows=\"2104711\"");
    let began = |ms| {
        let mut other = source(&newer);
        other.live = other.live.map(|of| Request { started_at: Some(Timestamp::from_ms(ms)), ..of });
        other
    };
    let rows = |view: &PlanView| line(view).rows.clone();
    let before = rows(&view);
    assert!(!view.renew(&began(9)) && !view.renew(&PlanSource { live: None, ..began(9) }));
    assert_eq!(rows(&view), before, "it is another request of the same session");
    view = PlanView::new(PlanSource { plan: source(ORDERS).plan, ..began(5) });
    assert!(!view.renew(&began(9)) && view.renew(&began(5)));
    assert_ne!(rows(&view), before);
    assert!(view.end_live() && !view.end_live() && view.source.title.ends_with("· ended"));
    assert!(!view.renew(&began(5)), "it has ended");
}

#[test]
fn keys_are_offered_where_they_do_something() {
    let mut view = PlanView::new(source(ORDERS));
    let offered = |view: &PlanView| {
        use Action::{Another, Copy, Filter, FoldLight, MetricNext, NextFinding, NextSection};
        [NextSection, MetricNext, FoldLight, Filter, NextFinding, Another, Copy].map(|key| view.offers(key))
    };
    assert_eq!(offered(&view), [true, true, true, true, true, false, true]);
    view = view.with_others(vec![source(ORDERS)]);
    view.compare(&mut Out::default());
    assert_eq!(offered(&view), [false, false, false, false, true, false, true]);
    assert_eq!(view.word(Action::NextFinding), Some("difference"));
}

fn line(view: &PlanView) -> &sheet::Shown {
    view.sheet.as_ref().and_then(|sheet| sheet.lines.get(view.cursor)).unwrap()
}

#[test]
fn a_newer_state_keeps_operator_metric_and_finding() {
    let mut view = PlanView::new(source(ORDERS));
    assert_eq!(line(&view).object, "Order.IX_Date");
    view.next_metric(false);
    let chosen = view.chosen;
    // Another operator comes before it, and more rows have come.
    let filter = "<RelOp NodeId=\"9\" PhysicalOp=\"Filter\" LogicalOp=\"Filter\"><Filter/></RelOp>";
    let newer = ORDERS
        .replacen("<RelOp NodeId=\"3\"", &format!("{filter}<RelOp NodeId=\"3\""), 1)
        .replace("ActualRows=\"1104711\"", "ActualRows=\"2104711\"");
    view.replace(source(&newer));
    assert_eq!(line(&view).object, "Order.IX_Date");
    assert_eq!(line(&view).rows, "2.2M / 1.1k");
    assert_eq!(view.sheet.as_ref().map(|sheet| sheet.metric), Some(Metric::Cpu));
    assert_eq!(view.chosen, chosen);
}

#[test]
fn an_operator_that_is_gone_leaves_the_cursor_in_the_tree() {
    let mut view = PlanView::new(source(ORDERS));
    view.cursor = view.count() - 1;
    let none = "<ShowPlanXML><BatchSequence><Batch><Statements><StmtSimple StatementType=\"X\"><QueryPlan><RelOp NodeId=\"0\" \
                PhysicalOp=\"Constant Scan\" LogicalOp=\"Constant Scan\"/></QueryPlan></StmtSimple></Statements></Batch></BatchSequence></ShowPlanXML>";
    view.replace(source(none));
    assert_eq!((view.count(), view.cursor, view.chosen), (2, 1, None));
    view.replace(source(&none.replace("<QueryPlan>", "<!--").replace("</QueryPlan>", "-->")));
    assert_eq!((view.count(), view.trees.len()), (0, 0));
    view.replace(source(ORDERS));
    assert!(view.count() > 3 && view.cursor < view.count());
}

#[test]
fn what_has_come_of_a_query_that_runs_never_says_that_all_has() {
    let view = PlanView::new(source(ORDERS));
    let done = |object: &str| {
        let lines = &view.sheet.as_ref().unwrap().lines;
        lines.iter().find(|line| line.object == object).map(|line| line.done.clone())
    };
    assert_eq!(done("Customer.PK_Customer").as_deref(), Some("99 %"));
    assert_eq!(done("Order.IX_Date").as_deref(), Some("99 %"), "more came than was expected");
}
