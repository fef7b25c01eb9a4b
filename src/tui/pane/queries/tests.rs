//! Queries added up by what was seen of them, and the ways in and out.

use super::*;
use crate::{
    model::{
        inventory::instance::InstanceId,
        poll::{
            State,
            activity::{Activity, Request},
            id::ProbeId,
            statement::{SqlText, Statement},
        },
        timeline::{
            gathered::{Cut, Gathered},
            history::History,
            record::Recorded,
            samples::Samples,
        },
    },
    protocol::{Answer, Query},
    tui::{fixture, pane::stage::Stage, widget::column::ambiguous},
};
use std::sync::Arc;

#[test]
fn each_name_stands_for_one_column() {
    assert_eq!(ambiguous(group::COLUMNS), [""; 0]);
}

fn request(query: u64, login: &str, wait: Option<&str>, module: Option<&str>) -> Request {
    let batch = match module {
        Some(name) => format!("CREATE PROCEDURE {name} AS\nSELECT {query}"),
        None => format!("SELECT {query}"),
    };
    let start = batch.find("SELECT").unwrap();
    let end = batch.len();
    let text = Arc::new(SqlText::new(batch.into(), None, module.map(|_| 7), false));
    Request {
        command: Some("SELECT".into()),
        query_hash: Some(query),
        login: Some(login.into()),
        program: Some("OrderService".into()),
        database: Some("orders".into()),
        wait_type: wait.map(Into::into),
        statement: Some(Statement { text, start, end }),
        ..Request::default()
    }
}

/// The fleet with these requests at work for ten minutes, on the first instance alone.
fn seen(requests: &[Request]) -> crate::model::fold::snapshot::FleetSnapshot {
    let mut fleet = fixture::small();
    for (n, i) in fleet.instances.iter_mut().enumerate() {
        let mut history = History::default();
        let requests = if n == 0 { requests.to_vec() } else { Vec::new() };
        let activity = Arc::new(Activity { requests, ..Activity::default() });
        for poll in (0..20).rev() {
            let state = Ok(State::Activity(Arc::clone(&activity)));
            let reading = Recorded::Reading { probe: ProbeId::Activity, every_ms: 30_000, state };
            history.note(fixture::NOW.plus_ms(-30_000 * poll), &reading);
        }
        Arc::make_mut(i).history = Arc::new(history);
    }
    fleet
}

fn first(fleet: &crate::model::fold::snapshot::FleetSnapshot) -> String {
    fleet.instances[0].id().to_string()
}

fn busy() -> Vec<Request> {
    vec![
        request(0xa1, "web", Some("LCK_M_X"), Some("dbo.usp_Settle")),
        request(0xa1, "web", Some("LCK_M_X"), Some("dbo.usp_Settle")),
        request(0xa1, "job", None, Some("dbo.usp_Settle")),
        request(0xb2, "web", None, None),
    ]
}

#[test]
fn b_adds_up_what_was_seen_by_statement_module_database_login_and_program() {
    let fleet = seen(&busy());
    let name = first(&fleet);
    let stage = Stage::one(fleet, &name);
    let mut pane = QueriesPane::default();
    let shown = |pane: &mut QueriesPane, words: &[&str]| {
        stage.act(pane, &[Action::GroupBy]);
        let lines = stage.draw(pane, 200, 40);
        let all = lines.join("\n");
        for word in words {
            assert!(all.contains(word), "{word}: {all}");
        }
        let title = stage.title(pane);
        assert!(title.contains("20 polls cover 10m"), "{title}");
        assert!(title.contains("plan cache explains"), "coverage is told: {title}");
        title
    };
    let title =
        shown(&mut pane, &["STATEMENT", "SELECT 161", "dbo.usp_Settle", "LCK_M_X 67 %", "3.00", "75 %"]);
    assert!(title.contains("by statement") && title.contains("4.00 at work"), "{title}");
    shown(&mut pane, &["MODULE", "dbo.usp_Settle", "(ad hoc)", "LONGEST STATEMENT"]);
    shown(&mut pane, &["DATABASE", "orders"]);
    shown(&mut pane, &["LOGIN", "web", "job", "LCK_M_X 67 %"]);
    shown(&mut pane, &["PROGRAM", "OrderService"]);
    stage.act(&mut pane, &[Action::GroupBy]);
    assert!(!stage.title(&mut pane).contains("by "), "one by one again: {}", stage.title(&mut pane));
}

#[test]
fn the_chart_is_of_the_group_under_the_cursor_and_of_all() {
    let fleet = seen(&busy());
    let name = first(&fleet);
    let stage = Stage::one(fleet, &name);
    let mut pane = QueriesPane::default();
    stage.act(&mut pane, &[Action::GroupBy]);
    let lines = stage.draw(&mut pane, 160, 40);
    assert!(lines[0].contains("requests at work") && lines[0].contains("of them SELECT 161"), "{lines:#?}");
    assert!(lines[0].contains("Lock") && lines[0].contains("CPU"), "a legend: {}", lines[0]);
    stage.act(&mut pane, &[Action::Down]);
    let lines = stage.draw(&mut pane, 160, 40);
    assert!(lines[0].contains("of them SELECT 178"), "{}", lines[0]);
    assert!(!lines[0].split("of them").nth(1).unwrap().contains("Lock"), "it only computed: {}", lines[0]);
}

#[test]
fn a_filter_asks_for_waits_and_their_categories() {
    let stage = Stage::fleet(seen(&busy()));
    let mut pane = QueriesPane::default();
    pane.show(&Look::Samples("wait=\"LCK_M_X\"".to_owned()));
    pane.rebuild(&stage.view());
    assert_eq!(pane.counts(), (1, 2));
    for (filter, kept) in
        [("wait=Lock", 1), ("wait=CPU", 2), ("share>50", 1), ("module~settle", 1), ("SELECT 178", 1)]
    {
        pane.set_filter(filter).unwrap();
        pane.rebuild(&stage.view());
        assert_eq!(pane.counts().0, kept, "{filter}");
    }
}

#[test]
fn enter_leads_to_the_queries_of_a_group_and_esc_back() {
    let mut requests = busy();
    requests[3].query_hash = Some(0x8a3f_11c0_55aa_0000);
    requests.push(requests[3].clone());
    requests.push(requests[3].clone());
    requests.push(requests[3].clone());
    let fleet = seen(&requests);
    let name = first(&fleet);
    let stage = Stage::one(fleet, &name);
    let mut pane = QueriesPane::default();
    let wishes = stage.act(&mut pane, &[Action::GroupBy, Action::Enter]);
    assert!(wishes.is_empty() && pane.filter() == "hash=\"0x8A3F11C055AA0000\"", "{}", pane.filter());
    assert!(matches!(pane.selected(), Some(RowKey::Query(_, 0x8a3f_11c0_55aa_0000))));
    stage.act(&mut pane, &[Action::Out]);
    assert!(stage.title(&mut pane).contains("by statement") && pane.filter().is_empty());
    // One that is not in the plan cache, as one that has never ended, is told by what was seen of it.
    let wishes = stage.act(&mut pane, &[Action::Down, Action::Enter]);
    assert!(matches!(&wishes[..], [Wish::Details(RowKey::Group(_)), Wish::Say(..)]), "{wishes:?}");
    let key = pane.selected().unwrap();
    let text = pane.details(&key, &stage.view()).unwrap();
    assert!(text.lines.iter().any(|line| format!("{line:?}").contains("LCK_M_X")), "{text:?}");
    assert!(pane.act(Action::Out, &stage.view(), &mut Vec::new()));
    assert!(!stage.title(&mut pane).contains("by statement"));
    assert!(!pane.act(Action::Out, &stage.view(), &mut Vec::new()), "the next one widens the scope");
}

#[test]
fn a_longer_time_is_asked_of_history_and_told_while_it_is_open() {
    let fleet = seen(&busy());
    let name = first(&fleet);
    let mut stage = Stage::one(fleet, &name);
    let mut pane = QueriesPane::default();
    stage.act(&mut pane, &[Action::GroupBy]);
    assert!(pane.wanted(&stage.view()).is_empty(), "memory is enough");
    while pane.wanted(&stage.view()).is_empty() {
        stage.act(&mut pane, &[Action::Longer]);
    }
    let wanted = pane.wanted(&stage.view());
    let Query::Samples { from, to, slot_ms, .. } = wanted[0].clone() else { panic!("{wanted:?}") };
    assert_eq!((to - from, slot_ms), (3_600_000, 60_000));
    let lines = stage.draw(&mut pane, 120, 30).join("\n");
    assert!(lines.contains("asking history"), "{lines}");
    let mut samples = Samples::new(60_000, 7_200_000);
    let activity =
        Activity { requests: vec![request(0xc3, "old", Some("WRITELOG"), None)], ..Activity::default() };
    samples.take(fixture::NOW.plus_ms(-1_800_000), &activity, 30_000);
    let requests = stage.world.charts.missing(wanted, fixture::NOW, || 9);
    assert_eq!(requests.len(), 2);
    let of = vec![(InstanceId::new(name.as_str()), Arc::new(samples))];
    let gathered = Gathered { of, begins: from, read_pct: 100, cut: None, damaged: 0 };
    stage.world.charts.answered(9, Answer::Samples(gathered.into()));
    let lines = stage.draw(&mut pane, 120, 30).join("\n");
    assert!(lines.contains("SELECT 195") && lines.contains("WRITELOG 100 %"), "{lines}");
    // Longer than a day is not read, and says so.
    for _ in 0..12 {
        stage.act(&mut pane, &[Action::Longer]);
    }
    let lines = stage.draw(&mut pane, 120, 30).join("\n");
    assert!(lines.contains("over a day at most") && pane.wanted(&stage.view()).is_empty(), "{lines}");
}

#[test]
fn many_instances_are_read_from_history_as_far_as_it_goes_and_that_is_told() {
    let mut stage = Stage::fleet(seen(&busy()));
    let mut pane = QueriesPane::default();
    stage.act(&mut pane, &[Action::GroupBy, Action::GroupBy, Action::GroupBy, Action::GroupBy]);
    while pane.wanted(&stage.view()).is_empty() {
        stage.act(&mut pane, &[Action::Longer]);
    }
    let wanted = pane.wanted(&stage.view());
    let [Query::Samples { instances, from, to, slot_ms }] = &wanted[..] else { panic!("{wanted:?}") };
    assert_eq!((instances.len(), *to - *from, *slot_ms), (8, 3_600_000, 75_000));
    let (begins, of) = (to.plus_ms(-1_800_000), instances.to_vec());
    let told = |read_pct, cut| {
        let samples = |n: usize| {
            let mut samples = Samples::new(75_000, 7_200_000);
            let who = if n == 3 { "night_load" } else { "web" };
            let activity = Activity { requests: vec![request(0xc3, who, None, None)], ..Activity::default() };
            samples.add(fixture::NOW.plus_ms(-600_000), &activity, 30_000);
            Arc::new(samples)
        };
        let of = of.iter().enumerate().map(|(n, id)| (id.clone(), samples(n))).collect();
        Answer::Samples(Gathered { of, begins, read_pct, cut, damaged: 0 }.into())
    };
    let all = stage.world.charts.missing(wanted, fixture::NOW, || 9).len();
    stage.world.charts.answered(9, told(50, None));
    let lines = stage.draw(&mut pane, 160, 30).join("\n");
    assert!(lines.contains("night_load") && stage.title(&mut pane).contains("50 % read"), "{lines}");
    stage.world.charts.answered(9, told(100, Some(Cut::Time)));
    let lines = stage.draw(&mut pane, 160, 30).join("\n");
    let title = stage.title(&mut pane);
    assert!(title.contains("read back to 13:32: 20 s of reading at most"), "{title}");
    assert!(title.contains("8 polls cover 30s") && all == 1, "{title}");
    let row = lines.lines().rfind(|line| line.contains("web")).unwrap_or_default();
    assert!(row.split_whitespace().any(|word| word == "7"), "seen on seven instances: {row}");
    // An earlier time of many is asked, too.
    stage.act(&mut pane, &[Action::PanBack]);
    let earlier = pane.wanted(&stage.view());
    assert!(matches!(&earlier[..], [Query::Samples { to, .. }] if *to < fixture::NOW), "{earlier:?}");
}

#[test]
fn queries_one_by_one_tell_what_they_waited_for() {
    let mut one = request(0x8a3f_11c0_55aa_0000, "web", Some("LCK_M_X"), None);
    one.program = Some("OrderService".into());
    let fleet = seen(&[one]);
    let name = first(&fleet);
    let stage = Stage::one(fleet, &name);
    let mut pane = QueriesPane::default();
    for (filter, kept) in [("wait=LCK_M_X", 1), ("wait=Lock", 1), ("login=web", 1), ("program=nobody", 0)] {
        pane.set_filter(filter).unwrap();
        pane.rebuild(&stage.view());
        assert_eq!(pane.counts().0, kept, "{filter}");
    }
    pane.set_filter("login=web").unwrap();
    pane.rebuild(&stage.view());
    let text = pane.details(&pane.selected().unwrap(), &stage.view()).unwrap();
    assert!(format!("{:?}", text.lines).contains("LCK_M_X"), "{text:?}");
}

#[test]
fn more_than_two_hundred_plans_of_a_query_are_a_problem_that_is_explained() {
    let mut fleet = fixture::small();
    for i in &mut fleet.instances {
        let facts = &mut Arc::make_mut(i).facts;
        if let Some(table) = &mut facts.queries.value {
            for query in &mut Arc::make_mut(table).queries {
                query.old_plan_hash = None;
                query.plans = Some(if query.module.is_none() { 1_204 } else { 200 });
            }
        }
    }
    let name = first(&fleet);
    let stage = Stage::one(fleet, &name);
    let mut pane = QueriesPane::default();
    pane.rebuild(&stage.view());
    assert!(pane.next_problem(false, true, &stage.view()));
    let text = format!("{:?}", pane.details(&pane.selected().unwrap(), &stage.view()).unwrap().lines);
    assert!(text.contains("1,204 plans of one query"), "{text}");
}
