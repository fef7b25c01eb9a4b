//! What servers say at the edges: nothing, zero, less than before, more than can be.

use super::*;

fn figures(
    before: impl Into<Box<HeadlineSample>>,
    now: impl Into<Box<HeadlineSample>>,
) -> crate::model::poll::headline::Headline {
    let mut f = fleet(&["a"]);
    poll_headline(&mut f, 0, before);
    *poll_headline(&mut f, 30, now).facts.headline.get().unwrap()
}

#[test]
fn figures_that_cannot_be_told_are_unknown() {
    let logs = |flushes, wait_ms| HeadlineSample {
        log_flushes: flushes,
        log_flush_wait_ms: wait_ms,
        ..headline(0, 0)
    };
    let none = figures(logs(Some(9), Some(70)), logs(Some(9), Some(70)));
    assert_eq!((none.log_flushes_per_s, none.log_flush_ms), (Some(0.0), None), "nobody flushed: no average");
    let some = figures(logs(Some(9), Some(70)), logs(Some(19), Some(90)));
    assert_eq!(some.log_flush_ms, Some(2.0));
    assert_eq!(figures(logs(Some(9), None), logs(Some(19), Some(90))).log_flush_ms, None);
    let cpu = |cpu, cpus| HeadlineSample { process_cpu_ms: cpu, cpu_count: cpus, ..headline(0, 0) };
    assert_eq!(figures(cpu(None, Some(4)), cpu(Some(9), Some(4))).cpu_pct, None);
    assert_eq!(figures(cpu(Some(0), Some(0)), cpu(Some(9), Some(0))).cpu_pct, None, "no CPU at all");
    assert_eq!(figures(cpu(Some(0), Some(4)), cpu(Some(i64::MAX), Some(4))).cpu_pct, Some(100.0));
    assert_eq!(figures(cpu(Some(9), Some(4)), cpu(Some(8), Some(4))).cpu_pct, None, "it fell");
    let tempdb = |size, free| {
        let raw = HeadlineSample { tempdb_size_kb: size, tempdb_free_kb: free, ..headline(0, 0) };
        figures(raw, raw).tempdb_used_pct
    };
    assert_eq!([tempdb(Some(0), Some(0)), tempdb(None, Some(1)), tempdb(Some(1), None)], [None; 3]);
    assert_eq!(tempdb(Some(100), Some(900)), Some(0.0), "more free than there is");
}

#[test]
fn a_start_in_the_future_is_no_restart_of_just_now() {
    let told = |started, server| HeadlineSample {
        started_at: Some(at(started)),
        server_time: Some(at(server)),
        ..headline(0, 0)
    };
    assert_eq!(figures(told(9_000, 0), told(9_000, 30)).started_at, None);
    assert_eq!(figures(told(-90, 0), told(-90, 30)).started_at, Some(at(-90)));
    assert_eq!(figures(told(32, 0), told(32, 30)).started_at, Some(at(30)), "two clocks, two seconds apart");
}

#[test]
fn a_server_whose_clock_stands_still_has_rates_by_ours() {
    let told = |batches| HeadlineSample { server_time: Some(at(0)), ..headline(batches, 0) };
    assert_eq!(figures(told(0), told(300)).batches_per_s, Some(10.0));
}

#[test]
fn a_wait_for_a_cpu_is_part_of_the_wait() {
    let mut f = fleet(&["a"]);
    let counters = |tasks, wait_ms, signal_ms| {
        vec![WaitCounter { name: "LCK_M_X".into(), tasks, wait_ms, max_ms: 0, signal_ms }]
    };
    polled(&mut f, "a", 0, Sample::Waits(counters(1, 1_000, 10)));
    polled(&mut f, "a", 10, Sample::Waits(counters(1, 2_000, 9_010)));
    let waits = Arc::clone(shown(&mut f, 10).facts.waits.get().unwrap());
    let rate = &waits.types[0];
    assert_eq!((rate.ms_per_s, rate.signal_ms_per_s), (100.0, 100.0), "9 s of signal in a wait of 1 s");
    assert_eq!(rate.avg_ms, None, "no wait ended: no average");
}

#[test]
fn a_session_id_that_was_given_out_again_is_lent_nothing() {
    let sleeper = |login| Request { login_at: Some(at(login)), ..request(50, 0, 0) };
    let lent = |login| {
        let mut f = fleet(&["a"]);
        let activity = Activity { requests: vec![sleeper(login)], ..Activity::default() };
        polled(&mut f, "a", 0, Sample::Activity(activity));
        let text = SqlText::new("delete from t".into(), None, None, false);
        let last_statement = Some(Statement { text: Arc::new(text), start: 0, end: 13 });
        let sessions = vec![ChainSession { request: sleeper(-600), last_statement }];
        let tasks = vec![BlockedTask { session_id: 60, blocked_by: 50, ..BlockedTask::default() }];
        polled(&mut f, "a", 0, Sample::Blocking { tasks, sessions });
        shown(&mut f, 0).facts.activity.get().unwrap().requests[0].statement.is_some()
    };
    assert!(lent(-600), "the same session");
    assert!(!lent(-5), "another session with its number");
}

proptest! {
    #[test]
    fn no_rate_of_waits_is_negative_or_no_number(
        polls in proptest::collection::vec(proptest::collection::vec((0u8..4, any::<[i64; 4]>()), 0..8), 2..5)
    ) {
        let mut f = fleet(&["a"]);
        for (n, rows) in polls.iter().enumerate() {
            let counter = |(name, [tasks, wait_ms, max_ms, signal_ms]): &(u8, [i64; 4])| WaitCounter {
                name: format!("W{name}").into(),
                tasks: *tasks,
                wait_ms: *wait_ms,
                max_ms: *max_ms,
                signal_ms: *signal_ms,
            };
            polled(&mut f, "a", n as i64 * 30, Sample::Waits(rows.iter().map(counter).collect()));
            let s = shown(&mut f, n as i64 * 30);
            let Some(table) = s.facts.waits.get() else { continue };
            let good = |rate: f64| rate.is_finite() && rate >= 0.0;
            for t in &table.types {
                prop_assert!(good(t.ms_per_s) && good(t.tasks_per_s) && t.avg_ms.is_none_or(good), "{t:?}");
                prop_assert!(good(t.signal_ms_per_s) && t.signal_ms_per_s <= t.ms_per_s, "{t:?}");
            }
            prop_assert!(good(table.total_ms_per_s) && good(table.signal_ms_per_s));
        }
    }
}
