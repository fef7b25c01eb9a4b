//! Tests of the waits pane: it shows, hides, adds up and filters as it should, and no size or server breaks it.

use super::*;
use crate::tui::{fixture, pane::stage::Stage};
use proptest::prelude::*;

fn pane() -> WaitsPane {
    WaitsPane::default()
}

fn line<'a>(lines: &'a [String], with: &str) -> &'a str {
    lines.iter().find(|l| l.contains(with)).unwrap_or_else(|| panic!("no {with} in {lines:#?}"))
}

#[test]
fn the_heaviest_wait_says_who_waits_on_which_instance() {
    let stage = Stage::fleet(fixture::small());
    let lines = stage.draw(&mut pane(), 120, 36);
    let head = lines.iter().position(|l| l.contains("WHO (NOW)")).unwrap();
    let cells: Vec<&str> = lines[head + 1].split_whitespace().collect();
    assert_eq!(cells[..5], ["sqlprd-014", "LCK_M_S", "■", "Lock", "39.80"]);
    assert!(lines[head + 1].contains("91, 97, +10"), "{}", lines[head + 1]);
}

#[test]
fn categories_of_all_instances_add_up_and_the_title_sums_them() {
    let stage = Stage::fleet(fixture::small());
    let mut pane = pane();
    let lines = stage.draw(&mut pane, 120, 36);
    assert!(line(&lines, "■ Lock  ").contains("41.20"));
    assert!(line(&lines, "■ Buffer IO  ").contains("4.96"));
    assert_eq!(stage.title(&mut pane), "last 15 min ─ 53.96 s/s, signal 6 %");
}

#[test]
fn poison_is_judged_by_the_configured_limits() {
    let mut fleet = fixture::small();
    fleet.thresholds.poison_critical_ms_per_s = 5_000.0;
    let lines = Stage::fleet(fleet.clone()).draw(&mut pane(), 120, 36);
    assert!(lines[0].starts_with(" ▲ poison: THREADPOOL"), "{}", lines[0]);
    fleet.thresholds.poison_warning_ms_per_s = 4_000.0;
    let lines = Stage::fleet(fleet).draw(&mut pane(), 120, 36);
    assert!(!lines.iter().any(|l| l.contains("poison")), "{lines:#?}");
}

#[test]
fn poison_has_a_banner_that_no_filter_hides() {
    let stage = Stage::fleet(fixture::small());
    let mut pane = pane();
    pane.set_filter("WRITELOG").unwrap();
    let lines = stage.draw(&mut pane, 120, 36);
    assert_eq!(lines[0], " ✖ poison: THREADPOOL 2.10 s/s on sqlprd-003");
    assert!(!lines[1..].iter().any(|l| l.contains("✖ THREADPOOL")));
    let lines = Stage::one(fixture::small(), "sqlprd-014").draw(&mut pane, 120, 36);
    assert!(!lines.iter().any(|l| l.contains("poison")), "another instance's poison: {lines:#?}");
}

#[test]
fn benign_waits_are_counted_until_they_are_asked_for() {
    let stage = Stage::fleet(fixture::small());
    let mut pane = pane();
    let hidden = stage.draw(&mut pane, 120, 36);
    assert!(line(&hidden, "hidden").ends_with("up to 79 benign types hidden (i shows them)"));
    let (before, _) = pane.counts();
    stage.act(&mut pane, &[Action::Benign]);
    let shown = stage.draw(&mut pane, 120, 36);
    assert!(!shown.iter().any(|l| l.contains("hidden")));
    assert!(pane.counts().0 > before);
    assert!(stage.title(&mut pane).ends_with("benign too"));
}

#[test]
fn merging_makes_one_row_of_a_type() {
    let stage = Stage::fleet(fixture::small());
    let mut pane = pane();
    stage.act(&mut pane, &[Action::Merge]);
    let lines = stage.draw(&mut pane, 140, 36);
    assert!(!lines.iter().any(|l| l.contains("INSTANCE")));
    let rows: Vec<&String> = lines.iter().filter(|l| l.contains(" PAGEIOLATCH_SH ")).collect();
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let cells: Vec<&str> = rows[0].split_whitespace().collect();
    assert_eq!(cells[4], "4.96", "the sum of six instances");
    assert!(cells.contains(&"6"), "{cells:?}");
    assert!(line(&lines, " LCK_M_S ").ends_with("12 on 1"));
    pane.set_filter("instance=sqlprd-014").unwrap();
    let lines = stage.draw(&mut pane, 140, 36);
    assert!(line(&lines, " PAGEIOLATCH_SH ").contains(" 0.96 "), "a filter looks at instances: {lines:#?}");
}

#[test]
fn enter_on_a_type_asks_for_those_who_wait_for_it() {
    let stage = Stage::fleet(fixture::small());
    let wishes = stage.act(&mut pane(), &[Action::Enter]);
    let [
        Wish::Go {
            pane: PaneId::Activity,
            scope: Some(Scope::Instance(id)),
            look: Some(Look::Filter(filter)),
            ..
        },
    ] = wishes.as_slice()
    else {
        panic!("{wishes:?}");
    };
    assert_eq!((id.as_str(), filter.as_str()), ("sqlprd-014", "wait=LCK_M_S"));
    // In a scope of one instance there is nothing to narrow.
    let wishes = Stage::one(fixture::small(), "sqlprd-014").act(&mut pane(), &[Action::Enter]);
    assert!(matches!(&wishes[..], [Wish::Go { scope: None, .. }]), "{wishes:?}");
}

#[test]
fn enter_on_a_category_shows_its_types() {
    let stage = Stage::fleet(fixture::small());
    let mut pane = pane();
    stage.act(&mut pane, &[Action::NextSection, Action::Down, Action::Enter]);
    assert_eq!(pane.filter(), "category=\"Buffer IO\"");
    let (shown, before) = pane.counts();
    assert!(shown > 0 && shown < before);
    assert!(matches!(pane.selected(), Some(RowKey::Wait(..))), "the cursor is on the types again");
}

#[test]
fn a_focused_type_is_selected_and_explained() {
    let stage = Stage::fleet(fixture::small());
    let mut pane = pane();
    let key = RowKey::Wait(
        Some(crate::model::inventory::instance::InstanceId::new("sqlprd-003")),
        "THREADPOOL".into(),
    );
    pane.focus(key.clone());
    stage.draw(&mut pane, 120, 36);
    assert_eq!(pane.selected(), Some(key.clone()));
    let text = pane.details(&key, &stage.view()).unwrap().to_copy();
    assert!(text.contains("No worker thread is free"), "{text}");
    assert!(text.contains("2.10 s of waiting per second"), "{text}");
    assert!(text.contains("tasks wait for one"), "{text}");
}

#[test]
fn filters_ask_for_types_rates_and_labels() {
    let stage = Stage::fleet(fixture::small());
    let mut pane = pane();
    let mut types = |filter: &str| {
        stage.draw(&mut pane, 120, 36);
        pane.set_filter(filter).unwrap();
        stage.draw(&mut pane, 120, 36);
        let names = pane.harvest.rows.iter().map(|r| r.rate.name.to_string());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(types("rate>2"), ["LCK_M_S", "THREADPOOL"]);
    assert_eq!(types("type=LCK* env=prod"), ["LCK_M_IX", "LCK_M_S"]);
    assert_eq!(types("signal>50"), ["SOS_SCHEDULER_YIELD"]);
    assert_eq!(types("max>5m"), ["LCK_M_IX", "LCK_M_S"]);
    assert_eq!(types("poison=yes"), ["THREADPOOL"]);
}

#[test]
fn sorting_keeps_the_rows_whole() {
    let stage = Stage::fleet(fixture::small());
    let mut pane = pane();
    // From the natural order to the left is the last column, one more is the longest wait.
    stage.act(&mut pane, &[Action::SortLeft, Action::SortLeft]);
    let lines = stage.draw(&mut pane, 120, 36);
    let head = lines.iter().position(|l| l.contains("WHO (NOW)")).unwrap();
    assert!(lines[head].contains("▾MAX"), "{}", lines[head]);
    assert!(lines[head + 1].contains("5m12s") && lines[head + 2].contains("5m01s"), "{lines:#?}");
}

#[test]
fn who_says_nothing_is_counted_with_the_reason() {
    let lines = Stage::fleet(fixture::small()).draw(&mut pane(), 120, 36);
    assert!(
        line(&lines, "without data")
            .starts_with(" 2 of 8 without data: 1 timed out, 1 n/a (VIEW SERVER STATE) · ")
    );
    let lines = Stage::fleet(fixture::errors(24)).draw(&mut pane(), 120, 36);
    line(&lines, "What is waited for is not known: none of 24 instances have data.");
    line(&lines, "   3 login refused");
}

#[test]
fn an_instance_without_the_right_says_which() {
    let lines = Stage::one(fixture::small(), "sqltst-004").draw(&mut pane(), 100, 20);
    assert!(line(&lines, "n/a").trim() == "n/a (VIEW SERVER STATE)");
}

#[test]
fn an_empty_scope_and_a_filter_without_rows_say_so() {
    let lines = Stage::fleet(fixture::empty()).draw(&mut pane(), 80, 20);
    line(&lines, "1 says how to add some.");
    let mut pane = pane();
    pane.set_filter("\"no such wait\"").unwrap();
    let lines = Stage::fleet(fixture::small()).draw(&mut pane, 80, 20);
    assert!(line(&lines, "No wait matches").trim().len() > 10);
    line(&lines, "Esc clears it.");
}

#[test]
fn rates_keep_their_point_in_place() {
    let shown = |ms| {
        let mut s = String::new();
        rows::push_rate(&mut s, ms);
        s
    };
    assert_eq!(
        [0.0, 4.0, 30.0, 2_100.0, 41_200.0, 412_000.0].map(shown),
        ["0.00", "<0.01", "0.03", "2.10", "41.20", "412"]
    );
    assert_eq!(shown(f64::NAN), "–");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_size_holds(w in 0_u16..220, h in 0_u16..70, merged: bool, benign: bool, hostile: bool) {
        let fleet = if hostile {
            fixture::snapshot(vec![fixture::hostile(fixture::NOW)], fixture::NOW)
        } else {
            fixture::small()
        };
        let stage = Stage::fleet(fleet);
        let mut pane = WaitsPane { benign, merged, ..WaitsPane::default() };
        stage.draw(&mut pane, w, h);
    }
}

#[test]
fn details_of_a_wait_name_its_cause_and_not_only_who_waits() {
    let details = |name: &str, wait: &str| {
        let stage = Stage::one(fixture::small(), name);
        about::type_document(None, wait, &stage.view()).unwrap().to_copy()
    };
    let text = details("sqlprd-003", "THREADPOOL");
    assert!(text.contains(" of 1024 are busy · 214 tasks wait for one"), "{text}");
    assert!(text.contains("who has the workers, by tasks"), "{text}");
    let text = details("sqlprd-014", "SOS_SCHEDULER_YIELD");
    let head = "who uses the CPU, by CPU since the last poll";
    let first = text.lines().skip_while(|l| !l.contains(head)).nth(1).unwrap();
    assert!(first.starts_with(|c: char| c.is_ascii_digit()), "a session comes first: {text}");
    assert!(details("sqlprd-014", "LCK_M_S").contains("blocked by"), "who waits for a lock is named");
}
