//! A stretch of one history in another: everything once.

use super::*;
use crate::{
    model::{
        poll::{
            activity::{Activity, Request},
            statement::{SqlText, Statement},
        },
        timeline::chart::MarkKind,
    },
    store::history::{
        api::{Copied, EventFilter, Stretch},
        sqlite::{Reader, copy},
    },
};
use std::path::Path;

fn copied(from: &mut Reader, to: &Path, span: (i64, i64)) -> Copied {
    let stretch = Stretch { uids: Vec::new(), from: at(span.0), to: at(span.1) };
    copy(from, to, None, &stretch, &mut |_| {}, &mut |_| {}).unwrap()
}

fn outages(reader: &Reader) -> Vec<(Timestamp, Option<Timestamp>)> {
    let filter = EventFilter { uids: Vec::new(), kinds: vec![MarkKind::Connection] };
    reader
        .events()
        .list(&filter, at(-1), at(9_999))
        .unwrap()
        .iter()
        .map(|event| (event.at, event.to))
        .collect()
}

#[test]
fn an_outage_is_copied_and_not_told_a_second_time_by_the_readings() {
    let mut stage = Stage::new();
    stage.take(vec![linked("a", 0, true), linked("a", 60, false), linked("a", 120, true)]);
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    let to = stage.folder.path().join("copy.dbtop");
    let done = copied(&mut reader, &to, (0, 600));
    assert_eq!((done.instances, done.readings), (1, 3), "{done:?}");
    let there = outages(&Reader::open(&to, None).unwrap());
    assert_eq!((there.len(), &there), (1, &outages(&reader)), "{there:?}");
}

#[test]
fn a_stretch_whose_first_reading_is_there_already_is_left_out() {
    let mut stage = Stage::new();
    stage.take(vec![polled("a", 100, 5.0), polled("b", 300, 5.0)]);
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    let to = stage.folder.path().join("copy.dbtop");
    let first = copied(&mut reader, &to, (100, 200));
    assert_eq!((first.instances, first.readings, first.left_out.len()), (1, 1, 0));
    let again = copied(&mut reader, &to, (100, 200));
    assert_eq!((again.instances, again.readings), (0, 0));
    assert_eq!(again.left_out, ["a"], "its one reading lies at the very beginning");
}

#[test]
fn a_recording_may_be_large() {
    let mut stage = Stage::new();
    // Two megabytes that no packing makes small.
    let mut seed = 1_u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (seed >> 33) as u8 % 90)
    };
    let records = (0..20).map(|n| {
        let text: String = (0..100_000).map(|_| noise()).collect();
        let text = SqlText::new(text.as_str().into(), None, None, false);
        let statement = Some(Statement { text: Arc::new(text), start: 0, end: 10 });
        let requests = vec![Request { session_id: 60, statement, ..Request::default() }];
        let known = Ok(State::Activity(Arc::new(Activity { requests, ..Activity::default() })));
        let what = Recorded::Reading { probe: ProbeId::Activity, every_ms: 1_000, state: known };
        Record { info: info("a"), at: at(n), what }
    });
    let records: Vec<Record> = records.collect();
    stage.take(records);
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    let to = stage.folder.path().join("copy.dbtop");
    let done = copied(&mut reader, &to, (0, 600));
    assert_eq!((done.readings, done.damaged.len()), (20, 0));
    assert!(std::fs::metadata(&to).unwrap().len() > 1_000_000);
    assert!(Reader::open(&to, None).unwrap().check().unwrap().is_clean());
}
