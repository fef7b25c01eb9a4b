//! Samples and their sums, by hand and at random.

use super::*;
use crate::model::poll::statement::SqlText;
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000_000;

fn request(query: u64, login: &str, wait: Option<&str>) -> Request {
    let text = Arc::new(SqlText::new(format!("select {query}").into(), None, None, false));
    Request {
        command: Some("SELECT".into()),
        query_hash: Some(query),
        login: Some(login.into()),
        database: Some("orders".into()),
        wait_type: wait.map(Into::into),
        statement: Some(Statement { start: 0, end: text.batch.len(), text }),
        ..Request::default()
    }
}

fn poll(requests: Vec<Request>) -> Activity {
    Activity { requests, ..Activity::default() }
}

fn samples() -> Samples {
    Samples::new(SLOT_MS, 900_000)
}

const EVER: (Timestamp, Timestamp) = (Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX / 4));

fn by_login(_: u32, who: &Who) -> Arc<str> {
    who.login.clone().unwrap_or_else(|| "–".into())
}

#[test]
fn a_request_counts_for_the_time_since_the_poll_before_at_most_for_the_interval() {
    let mut all = samples();
    let blocked = || poll(vec![request(1, "web", Some("LCK_M_X")), request(2, "job", None)]);
    for at in [0, 10_000, 12_000, 90_000] {
        all.take(Timestamp::from_ms(NOW + at), &blocked(), 10_000);
    }
    let mix = all.mix(1).unwrap();
    assert_eq!((mix.ms, mix.cpu_ms), (32_000, 0), "10 + 10 + 2 + 10: the hole is not counted");
    assert_eq!(mix.waits, [("LCK_M_X".into(), 32_000)]);
    assert_eq!((all.mix(2).unwrap().cpu_ms, all.mix(3)), (32_000, None));
    let sums = add_up([(0, &all)].into_iter(), EVER, by_login);
    assert_eq!((sums.ms, sums.covered_ms, sums.polls), (64_000, 32_000, 4));
    assert_eq!(sums.groups.len(), 2);
    assert_eq!(sums.groups[0].categories.len(), 1);
}

#[test]
fn who_sleeps_or_waits_by_the_clock_is_not_at_work() {
    let mut all = samples();
    let asleep = Request { command: None, status: Some("sleeping".into()), ..request(1, "web", None) };
    all.take(Timestamp::from_ms(NOW), &poll(vec![asleep, request(2, "web", Some("WAITFOR"))]), 10_000);
    let sums = add_up([(0, &all)].into_iter(), EVER, by_login);
    assert_eq!((sums.ms, sums.covered_ms, sums.groups.len()), (0, 10_000, 0));
    let lines = lines([(0, &all)].into_iter(), |_, _| true);
    assert_eq!(lines.len(), 1, "it was polled: a line of zeros");
    assert!((lines[0].1.buckets[0].avg).abs() < f32::EPSILON && lines[0].1.buckets.len() == 1);
}

#[test]
fn lines_tell_how_many_were_at_work() {
    let mut all = samples();
    let two =
        poll(vec![request(1, "a", Some("LCK_M_X")), request(1, "b", Some("LCK_M_S")), request(2, "c", None)]);
    for at in 0..6 {
        all.take(Timestamp::from_ms(NOW + at * 10_000), &two, 10_000);
    }
    let of_one = lines([(0, &all)].into_iter(), |_, who| who.query == Some(1));
    let lock = of_one.iter().find(|(category, _)| *category == WaitCategory::Lock).unwrap();
    assert!(lock.1.buckets.iter().all(|bucket| (bucket.avg - 2_000.0).abs() < 1.0), "{:?}", lock.1);
    assert_eq!(lock.1.buckets.len(), 2);
    let none = lines([(0, &all)].into_iter(), |_, who| who.query == Some(9));
    assert_eq!(none.iter().map(|(category, _)| *category).collect::<Vec<_>>(), [WaitCategory::Cpu]);
}

#[test]
fn what_is_old_goes_and_its_statement_with_it() {
    let mut all = samples();
    all.take(Timestamp::from_ms(NOW), &poll(vec![request(1, "a", None)]), 10_000);
    all.take(Timestamp::from_ms(NOW + 1_000_000), &poll(vec![request(2, "a", None)]), 10_000);
    assert!(all.mix(1).is_none() && all.statement(1).is_none() && all.statement(2).is_some());
    // The clock goes back: the future is gone.
    all.take(Timestamp::from_ms(NOW + 500_000), &poll(vec![request(3, "a", None)]), 10_000);
    assert!(all.mix(2).is_none() && all.mix(3).is_some());
}

#[test]
fn the_longest_group_is_first_and_names_its_longest_query() {
    let mut all = samples();
    let many = poll(vec![
        request(1, "a", None),
        request(2, "b", None),
        request(3, "b", Some("LCK_M_X")),
        request(3, "b", None),
    ]);
    all.take(Timestamp::from_ms(NOW), &many, 10_000);
    let sums = add_up([(4, &all)].into_iter(), EVER, by_login);
    let first = &sums.groups[0];
    assert_eq!((&*first.name, first.queries, first.query, first.on.as_slice()), ("b", 2, Some(3), &[4][..]));
    let nothing = add_up([(4, &all)].into_iter(), (Timestamp::from_ms(0), Timestamp::from_ms(1)), by_login);
    assert_eq!(nothing, Sums::default());
}

proptest! {
    #[test]
    fn however_many_are_seen_memory_stays_small(
        polls in prop::collection::vec((0_i64..2_000_000, prop::collection::vec(any::<u64>(), 0..60)), 1..40),
    ) {
        let mut all = samples();
        for (at, queries) in polls {
            let requests = queries.into_iter().map(|query| request(query, "x", None)).collect();
            all.take(Timestamp::from_ms(NOW + at), &poll(requests), 30_000);
            prop_assert!(all.slots.len() <= 32);
            prop_assert!(all.slots().all(|slot| slot.seen.len() <= MOST * 2));
            prop_assert!(all.statements.len() <= STATEMENTS && all.text_bytes <= ALL_TEXTS);
        }
    }
}
