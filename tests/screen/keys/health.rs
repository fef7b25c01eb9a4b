//! How health shows: the order of the fleet, what is new, the chart of the first reason.

use super::small;
use crate::{
    fixture::{self, NOW},
    stage::Stage,
};
use dbtop::{
    model::{
        judge::{
            health::{Level, Reason, Topic},
            why::Why,
        },
        poll::id::{Metric, SeriesKey},
    },
    protocol::{HistoryRequest, Query},
};
use std::sync::Arc;

#[test]
fn the_dead_come_before_what_is_worst_of_the_others() {
    // By rows, by jumps from one problem to the next, and in the list of Ctrl-g.
    let order = ["sqlrep-001", "sqlprd-014", "sqlprd-003", "sqlprd-021"];
    let mut s = Stage::untouched(fixture::small(), 120, 40);
    assert!(!s.lines()[2].contains("unreachable"), "one order, one word: {}", s.lines()[2]);
    for (n, name) in order.iter().enumerate() {
        assert!(s.lines()[4 + n].contains(name), "{n}: {}", s.text());
    }
    s.keys("ctrl-g");
    let at = |text: &str, name: &str| text.rfind(name).unwrap_or_default();
    let text = s.text();
    assert!(order.is_sorted_by_key(|name| at(&text, name)), "{text}");
    s.keys("esc enter");
    for name in order {
        assert!(s.lines()[0].contains(name), "{name}: {}", s.lines()[0]);
        s.keys("n");
    }
}

#[test]
fn the_chart_of_the_first_reason_comes_first_and_says_so() {
    let mut s = small();
    s.keys("enter");
    let charts = |s: &mut Stage, what: &str| {
        let text = s.text();
        text.lines().position(|l| l.contains(what)).unwrap_or_else(|| panic!("{what}:\n{text}"))
    };
    assert!(charts(&mut s, "sessions blocked · first reason") < charts(&mut s, "batches per second"));
    // A volume has no points in memory: history is asked for hours of it.
    let mut fleet = fixture::small();
    let full = fleet.instances.iter_mut().find(|i| i.id().as_str() == "sqlprd-014").unwrap();
    let why = Why::Volume { mount: Some("L:\\".into()), free_pct: 2.0 };
    let health = &mut Arc::make_mut(full).health;
    health.reasons.insert(0, Reason::new(Level::Critical, Topic::Storage, 60, why));
    let mut s = Stage::new(fleet, 120, 40);
    s.keys("enter");
    charts(&mut s, "free on L: GB · last 6 hours · first reason");
    let keys = s.asked().into_iter().filter_map(|request| match request {
        HistoryRequest::Ask { query: Query::Chart(query), .. } => Some((query.series, query.to - query.from)),
        _ => None,
    });
    let wanted = vec![SeriesKey::with(Metric::VolumeFree, "L:\\")];
    assert!(keys.into_iter().any(|(series, ms)| series == wanted && ms == 6 * 3_600_000));
}

#[test]
fn a_change_of_health_is_marked_for_ten_seconds() {
    let mut fleet = fixture::small();
    let changed = fleet.instances.iter_mut().find(|i| i.id().as_str() == "sqlprd-003").unwrap();
    Arc::make_mut(changed).level_since = Some(NOW.plus_ms(-3_000));
    for theme in ["dark", "mono"] {
        let mut s = Stage::with_theme(fleet.clone(), 120, 40, theme);
        let marked = |s: &mut Stage| -> Vec<String> {
            let lines = s.lines();
            lines[4..12].iter().filter(|l| l.contains("new: ")).cloned().collect()
        };
        let shown = marked(&mut s);
        assert!(
            shown.len() == 1 && shown[0].contains("sqlprd-003") && shown[0].contains("new: THREADPOOL"),
            "{}",
            s.text()
        );
        let before = s.lines();
        s.wait_ms(6_900);
        assert_eq!(marked(&mut s).len(), 1);
        s.wait_ms(200);
        let changed: Vec<_> = s.lines().into_iter().zip(before).filter(|(now, then)| now != then).collect();
        assert_eq!(marked(&mut s).len(), 0);
        // The clock, the row with the mark, and no third line.
        assert_eq!(changed.len(), 2, "{changed:?}");
    }
}
