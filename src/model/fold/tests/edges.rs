//! What servers say at the edges: nothing, zero, less than before, more than can be.

use super::*;
use crate::model::poll::properties::{Platform, Properties};

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
    assert_eq!(
        figures(cpu(Some(0), Some(4)), cpu(Some(130_000), Some(4))).cpu_pct,
        Some(100.0),
        "two clocks"
    );
    for nonsense in [9_000_000, i64::MAX] {
        assert_eq!(figures(cpu(Some(0), Some(4)), cpu(Some(nonsense), Some(4))).cpu_pct, None);
    }
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

#[test]
fn the_cpu_of_other_programs_is_unknown_where_the_record_lies() {
    let others = |sql_pct, idle_pct, about: Option<(Platform, Option<i32>)>| {
        let mut f = fleet(&["a"]);
        if let Some((platform, major)) = about {
            let p = Properties { major, platform, ..Properties::default() };
            polled_as(&mut f, ProbeId::Properties, Sample::Known(State::Properties(Arc::new(p))));
        }
        polled(&mut f, "a", 1, Sample::CpuRing(CpuRingSample { sql_pct, idle_pct, age_ms: None }));
        shown(&mut f, 1).facts.cpu.get().unwrap().other_pct
    };
    let (linux, windows) = (Platform::Linux, Platform::Windows);
    let busy = |about| others(Some(30.0), Some(0.0), about);
    assert_eq!(busy(Some((linux, Some(16)))), None, "up to 2022 it says that nothing idles");
    assert_eq!(busy(Some((linux, None))), None);
    assert_eq!(busy(Some((linux, Some(17)))), Some(70.0));
    assert_eq!([Some((windows, Some(16))), Some((windows, None)), None].map(busy), [Some(70.0); 3]);
    assert_eq!([others(None, Some(60.0), None), others(Some(30.0), None, None)], [None; 2], "half of it");
    assert_eq!(others(Some(70.0), Some(60.0), None), Some(0.0), "never less than nothing");
}

fn polled_as(fleet: &mut Fleet, probe: ProbeId, sample: Sample) {
    let instance = InstanceId::new("a");
    fleet.apply(Update::Polled {
        instance,
        probe,
        at: at(0),
        took_ms: 4,
        every_ms: 30_000,
        outcome: Ok(sample),
    });
}

#[test]
fn every_figure_of_the_headline_is_its_own() {
    type Shown = fn(&crate::model::poll::headline::Headline) -> Option<f64>;
    type Raw = fn(&mut HeadlineSample) -> &mut Option<i64>;
    type Now = fn(&crate::model::poll::headline::Headline) -> Option<i64>;
    let rates: [(&str, Raw, Shown, f64); 8] = [
        ("batches", |r| &mut r.batches, |h| h.batches_per_s, 1.0),
        ("logins", |r| &mut r.logins, |h| h.logins_per_s, 1.0),
        ("transactions", |r| &mut r.transactions, |h| h.transactions_per_s, 1.0),
        ("compilations", |r| &mut r.compilations, |h| h.compilations_per_s, 1.0),
        ("recompilations", |r| &mut r.recompilations, |h| h.recompilations_per_s, 1.0),
        ("log flushes", |r| &mut r.log_flushes, |h| h.log_flushes_per_s, 1.0),
        ("lazy writes", |r| &mut r.lazy_writes, |h| h.lazy_writes_per_s, 1.0),
        ("deadlocks", |r| &mut r.deadlocks, |h| h.deadlocks_per_min, 60.0),
    ];
    let plain = || HeadlineSample { started_at: Some(at(-3_600)), ..HeadlineSample::default() };
    for (name, raw, _, a_second) in rates {
        let (mut before, mut now) = (plain(), plain());
        (*raw(&mut before), *raw(&mut now)) = (Some(100), Some(400));
        let h = figures(before, now);
        for (other, _, shown, _) in rates {
            assert_eq!(shown(&h), (other == name).then_some(10.0 * a_second), "{other} from {name}");
        }
    }
    let gauges: [(&str, Raw, Now); 8] = [
        ("connections", |r| &mut r.connections, |h| h.connections),
        ("blocked", |r| &mut r.blocked, |h| h.blocked),
        ("page life", |r| &mut r.page_life_s, |h| h.page_life_s),
        ("grants pending", |r| &mut r.grants_pending, |h| h.grants_pending),
        ("grants outstanding", |r| &mut r.grants_outstanding, |h| h.grants_outstanding),
        ("total memory", |r| &mut r.total_memory_kb, |h| h.total_memory_kb),
        ("target memory", |r| &mut r.target_memory_kb, |h| h.target_memory_kb),
        ("size of tempdb", |r| &mut r.tempdb_size_kb, |h| h.tempdb_size_kb),
    ];
    for (name, raw, _) in gauges {
        let mut now = plain();
        *raw(&mut now) = Some(7);
        let h = figures(plain(), now);
        assert_eq!(h.round_trip_ms, 4);
        for (other, _, shown) in gauges {
            assert_eq!(shown(&h), (other == name).then_some(7), "{other} from {name}");
        }
    }
}

#[test]
fn tempdb_is_as_full_as_it_can_be() {
    let used = |size, free| {
        let now = HeadlineSample { tempdb_size_kb: size, tempdb_free_kb: free, ..headline(0, 0) };
        figures(headline(0, 0), now).tempdb_used_pct
    };
    assert_eq!(used(Some(1_000), Some(250)), Some(75.0));
    assert_eq!([used(Some(1_000), Some(1_000)), used(Some(1_000), Some(9_000))], [Some(0.0); 2]);
    assert_eq!(used(Some(1_000), Some(0)), Some(100.0));
    assert_eq!([used(Some(0), Some(0)), used(None, Some(1)), used(Some(1), None)], [None; 3]);
}

#[test]
fn deadlocks_count_for_a_quarter_of_an_hour() {
    let mut f = fleet(&["a"]);
    let mut poll = |s, deadlocks| {
        let sample = HeadlineSample { deadlocks, ..headline(0, 0) };
        poll_headline(&mut f, s, sample).facts.headline.get().unwrap().deadlocks_recent
    };
    assert_eq!(poll(0, Some(7)), Some(0), "those of before are nobody's news");
    assert_eq!(poll(30, Some(9)), Some(2));
    assert_eq!(poll(60, Some(9)), Some(2));
    assert_eq!(poll(90, None), None, "not told is not none");
    assert_eq!(poll(120, Some(12)), Some(2), "nobody knows when these were");
    for s in [400, 650, 900] {
        assert_eq!(poll(s, Some(12)), Some(2));
    }
    assert_eq!(poll(930, Some(13)), Some(3), "to the second");
    assert_eq!(poll(931, Some(13)), Some(1));
    assert_eq!(poll(929, Some(13)), Some(1), "a clock that is set back by two seconds forgets nothing");
    assert_eq!((poll(1_829, Some(13)), poll(1_830, Some(13))), (Some(1), Some(0)), "and begins anew");
}

#[test]
fn time_that_nobody_measured_is_no_silence() {
    let mut f = fleet(&["a"]);
    nothing_else(&mut f, "a", 0);
    poll_headline(&mut f, 0, headline(0, 0));
    assert_eq!(poll_headline(&mut f, 30, headline(0, 0)).health.level, Level::Ok);
    // An hour of sleep from second 40 on.
    f.slept(at(3_642), 3_600_000);
    let woken = f.snapshot(at(3_642));
    assert_eq!((woken.counts.ok, woken.polled), (1, 1));
    assert!(woken.instances[0].facts.headline.is_stale(at(3_642)), "what is shown says its age");
    assert_eq!(shown(&mut f, 3_700).health.level, Level::Ok);
    assert_eq!(shown(&mut f, 3_706).health.level, Level::Warning, "76 s awake");
    assert_eq!(shown(&mut f, 3_931).health.level, Level::Offline, "five minutes awake");
    // A clock that was set ahead, and back.
    let mut f = fleet(&["a"]);
    nothing_else(&mut f, "a", 0);
    poll_headline(&mut f, 30, headline(0, 0));
    f.slept(at(3_642), 3_600_000);
    assert_eq!(shown(&mut f, 3_642).health.level, Level::Ok);
    assert_eq!(shown(&mut f, 45).health.level, Level::Ok);
    assert_eq!(shown(&mut f, 331).health.level, Level::Offline, "it counts from its answer again");
}

#[test]
fn a_first_connection_that_failed_before_a_sleep_failed_for_no_longer() {
    let mut f = fleet(&["a"]);
    link(&mut f, "a", 10, down(FailureKind::Unreachable));
    assert_eq!(shown(&mut f, 20).health.level, Level::Critical);
    f.slept(at(3_642), 3_600_000);
    assert_eq!(shown(&mut f, 3_642).health.level, Level::Critical);
    assert_eq!(shown(&mut f, 3_911).health.level, Level::Offline);
}

#[test]
fn the_cpu_is_measured_by_the_cpus_that_may_be_used() {
    let cpu = |cpu_count, schedulers| {
        let mut f = fleet(&["a"]);
        if let Some(online) = schedulers {
            polled(
                &mut f,
                "a",
                0,
                Sample::Schedulers(SchedulerSample {
                    schedulers: Some(online),
                    ..SchedulerSample::default()
                }),
            );
        }
        let sample = |cpu_ms| HeadlineSample { cpu_count, ..headline(0, cpu_ms) };
        poll_headline(&mut f, 0, sample(0));
        poll_headline(&mut f, 30, sample(30_000)).facts.headline.get().unwrap().cpu_pct
    };
    assert_eq!(cpu(Some(4), None), Some(25.0));
    assert_eq!(cpu(Some(4), Some(2)), Some(50.0), "the edition takes two of them");
    assert_eq!(cpu(Some(4), Some(8)), Some(25.0));
    assert_eq!(cpu(Some(4), Some(0)), Some(25.0), "no scheduler at all is no answer");
    assert_eq!([cpu(Some(0), Some(2)), cpu(None, Some(2))], [None; 2]);
}

#[test]
fn a_type_that_nobody_waited_for_is_not_listed_and_categories_are_sums() {
    let mut f = fleet(&["a"]);
    let rows =
        |n: i64| vec![wait("LCK_M_S", n, n * 300), wait("LCK_M_X", n * 2, n * 100), wait("WRITELOG", 7, 70)];
    polled(&mut f, "a", 0, Sample::Waits(rows(0)));
    polled(&mut f, "a", 30, Sample::Waits(rows(30)));
    let s = shown(&mut f, 30);
    let table = s.facts.waits.get().unwrap();
    let types: Vec<_> = table.types.iter().map(|w| (&*w.name, w.ms_per_s, w.tasks_per_s)).collect();
    assert_eq!(types, [("LCK_M_S", 300.0, 1.0), ("LCK_M_X", 100.0, 2.0)]);
    let sums: Vec<_> =
        table.categories.iter().map(|c| (c.category, c.ms_per_s, c.signal_ms_per_s, c.tasks_per_s)).collect();
    assert_eq!(sums, [(WaitCategory::Lock, 400.0, 40.0, 3.0)]);
}

#[test]
fn a_server_that_seems_to_start_within_the_jitter_of_two_clocks_started_now() {
    let started = |ahead_ms: i64| {
        let mut f = fleet(&["a"]);
        let sample = HeadlineSample {
            server_time: Some(at(0)),
            started_at: Some(at(0).plus_ms(ahead_ms)),
            ..headline(0, 0)
        };
        poll_headline(&mut f, 0, sample).facts.headline.get().unwrap().started_at
    };
    assert_eq!([1, 5_000].map(started), [Some(at(0)); 2]);
    assert_eq!(started(5_001), None);
}

#[test]
fn wait_counters_of_which_most_vanished_were_cleared() {
    let mut f = fleet(&["a"]);
    polled(&mut f, "a", 0, Sample::Waits(["A", "B", "C"].map(|name| wait(name, 1_000, 1_000)).to_vec()));
    polled(&mut f, "a", 30, Sample::Waits(vec![wait("A", 4_000, 4_000)]));
    assert_eq!(shown(&mut f, 30).facts.waits.problem, Some(Unavailable::NeedsTwoSamples));
}

#[test]
fn a_category_whose_waits_took_no_time_is_listed() {
    let mut f = fleet(&["a"]);
    polled(&mut f, "a", 0, Sample::Waits(vec![wait("WRITELOG", 10, 100)]));
    polled(&mut f, "a", 30, Sample::Waits(vec![wait("WRITELOG", 40, 100)]));
    let s = shown(&mut f, 30);
    let listed = s.facts.waits.get().unwrap().categories.iter().map(|c| (c.ms_per_s, c.tasks_per_s));
    assert_eq!(listed.collect::<Vec<_>>(), [(0.0, 1.0)]);
}

#[test]
fn a_connection_that_comes_up_takes_back_what_failed_and_nothing_else() {
    let problems = |links: &[Link]| {
        let mut f = fleet(&[]);
        f.apply(Update::Inventory(vec![info("a")]));
        poll_headline(&mut f, 0, headline(0, 0));
        missed(&mut f, "a", ProbeId::Jobs, 0, Unavailable::NotHere("no Agent".into()));
        for (s, to) in (10..).zip(links) {
            link(&mut f, "a", s, to.clone());
        }
        let facts = shown(&mut f, 20).facts.clone();
        [facts.headline.problem, facts.jobs.problem]
    };
    let jobs = || Some(Unavailable::NotHere("no Agent".into()));
    assert_eq!(problems(&[Link::Connecting, Link::Up]), [None, jobs()], "nothing was down");
    assert_eq!(problems(&[Link::Up, Link::Up]), [None, jobs()]);
    let lost = || down(FailureKind::Unreachable);
    assert_eq!(problems(&[Link::Up, lost(), Link::Up]), [Some(Unavailable::NotYet), jobs()]);
    let failed = problems(&[Link::Up, lost()]);
    assert!(matches!(failed, [Some(Unavailable::Failed(_)), Some(Unavailable::NotHere(_))]), "{failed:?}");
}

#[test]
fn coming_up_before_anything_was_answered_is_no_news_and_neither_is_the_first_answer() {
    let mut f = fleet(&[]);
    f.apply(Update::Inventory(vec![info("a")]));
    nothing_else(&mut f, "a", 0);
    link(&mut f, "a", 10, down(FailureKind::Unreachable));
    assert_eq!(shown(&mut f, 10).health.level, Level::Critical);
    link(&mut f, "a", 100, Link::Up);
    let up = shown(&mut f, 100);
    assert!(up.health.is_before_the_first() && !up.is_news(at(100)), "{:?}", up.health);
    let first = poll_headline(&mut f, 130, headline(0, 0));
    assert!(!first.health.is_before_the_first() && !first.is_news(at(130)), "{:?}", first.health);
    link(&mut f, "a", 200, down(FailureKind::Unreachable));
    assert!(shown(&mut f, 200).is_news(at(200)));
}
