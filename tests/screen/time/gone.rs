//! An instance that was removed from the inventory since, in the past where it still was.

use super::{instants, past, small};
use crate::{fixture, fixture::NOW, stage::Stage};
use dbtop::model::{base::time::Timestamp, fold::snapshot::FleetSnapshot, inventory::instance::InstanceId};
use std::sync::Arc;

const GONE: &str = "sqlprd-099";
const WORDS: &str = "no longer in the inventory";

/// The small fleet and one more, which the inventory does not have any more.
fn with_one_more(at: Timestamp) -> FleetSnapshot {
    let mut fleet = fixture::small_at(at);
    let mut more = Arc::clone(&fleet.instances[4]);
    assert_eq!(more.id().as_str(), "sqlprd-001");
    let info = Arc::make_mut(&mut Arc::make_mut(&mut more).info);
    (info.id, info.uid) = (InstanceId::new(GONE), "a-record".into());
    let gone = [Arc::clone(&more.info)];
    fleet.instances.push(more);
    fleet.mark_gone(&gone);
    fleet
}

fn at_night() -> Stage {
    let mut s = small();
    s.keys("t 02:14 enter");
    let (ticket, at) = instants(&mut s).pop().unwrap_or_default();
    s.reply(past(ticket, at, with_one_more(at)));
    s
}

#[test]
fn it_is_in_the_list_with_a_word_and_can_be_found_and_opened() {
    let mut s = at_night();
    let row = |s: &mut Stage| s.lines().into_iter().find(|line| line.contains(GONE));
    let line = row(&mut s).unwrap();
    assert!(line.contains(WORDS) && line.contains('●'), "{line}");
    assert!(!s.lines().iter().any(|l| l.contains("sqlprd-001") && l.contains(WORDS)), "{}", s.text());
    s.keys("/ longer enter");
    assert!(row(&mut s).is_some() && !s.text().contains("sqlprd-003"), "{}", s.text());
    s.keys("esc : @ prod enter");
    assert!(
        row(&mut s).is_some() && !s.text().contains("sqltst-004"),
        "its groups are those of then: {}",
        s.text()
    );
    s.keys("/ 099 enter enter");
    let text = s.text();
    assert!(text.contains("CPU %") && text.contains(WORDS), "{text}");
    assert!(text.contains(&format!("› {GONE}")), "{text}");
}

#[test]
fn nothing_is_done_to_it_and_it_is_not_there_live() {
    let mut s = at_night();
    s.keys("/ longer enter enter");
    s.asked();
    for key in ["i", "r", "F"] {
        let foot = s.keys(key).lines().pop().unwrap();
        assert!(foot.contains("this is the past: nothing is polled or changed here"), "{key}: {foot}");
    }
    assert!(s.asked().is_empty());
    s.keys("T");
    s.wait_ms(1_000).ingest(fixture::small_at(NOW));
    let text = s.text();
    assert!(text.contains("LIVE") && !text.contains(WORDS), "{text}");
    assert!(text.contains("This instance is not in the inventory (any more)."), "{text}");
    s.keys("esc esc");
    assert!(s.text().contains("sqlprd-003") && !s.text().contains(GONE), "{}", s.text());
}
