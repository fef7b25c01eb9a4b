//! Tests of the fold: what comes out of it after which updates.

use super::{snapshot::InstanceSnapshot, *};
use crate::model::{
    base::failure::{Failure, FailureKind},
    judge::health::{Health, Level},
    poll::{
        Sample, State,
        activity::{Activity, Request},
        blocking::{BlockedTask, ChainSession},
        cost::CostSample,
        cpu::{CpuRingSample, SchedulerSample},
        databases::DatabaseRow,
        files::{DatabaseFile, FileCounter, FilesSample},
        headline::HeadlineSample,
        id::{ProbeId, SeriesId},
        link::Link,
        memory::{MemoryNow, used_pct},
        reading::Unavailable,
        statement::{SqlText, Statement},
        wait_class::WaitCategory,
        waits::WaitCounter,
    },
    timeline::{
        history::KEEP_MS,
        record::{Record, Recorded},
    },
};
use proptest::prelude::*;

mod edges;
mod kept;

/// An instant, seconds after some morning.
fn at(s: i64) -> Timestamp {
    Timestamp::from_ms(1_700_000_000_000 + s * 1000)
}

fn info(name: &str) -> Arc<InstanceInfo> {
    Arc::new(InstanceInfo::named(name))
}

/// A fleet of connected instances.
fn fleet(names: &[&str]) -> Fleet {
    let mut fleet = Fleet::new(Thresholds::default());
    fleet.apply(Update::Inventory(names.iter().map(|n| info(n)).collect()));
    for name in names {
        link(&mut fleet, name, 0, Link::Up);
    }
    fleet
}

fn link(fleet: &mut Fleet, name: &str, s: i64, link: Link) {
    fleet.apply(Update::Link { instance: InstanceId::new(name), at: at(s), link });
}

fn down(kind: FailureKind) -> Link {
    Link::Down { failure: Failure::new(kind, "connecting"), attempts: 1, next_at: at(0) }
}

fn polled(fleet: &mut Fleet, name: &str, s: i64, sample: Sample) {
    let probe = match &sample {
        Sample::Headline(_) => ProbeId::Headline,
        Sample::Waits(_) => ProbeId::Waits,
        Sample::Activity(_) => ProbeId::Activity,
        Sample::Blocking { .. } => ProbeId::Blocking,
        Sample::Cost(_) => ProbeId::Cost,
        Sample::CpuRing(_) => ProbeId::CpuRing,
        Sample::Schedulers(_) => ProbeId::Schedulers,
        Sample::Counters(_) => ProbeId::Files,
        Sample::Known(State::Memory(_)) => ProbeId::Memory,
        Sample::Known(_) => ProbeId::Databases,
    };
    let update = Update::Polled {
        instance: InstanceId::new(name),
        probe,
        at: at(s),
        took_ms: 4,
        every_ms: 30_000,
        outcome: Ok(sample),
    };
    fleet.apply(update);
}

fn missed(fleet: &mut Fleet, name: &str, probe: ProbeId, s: i64, problem: Unavailable) {
    let instance = InstanceId::new(name);
    fleet.apply(Update::Polled {
        instance,
        probe,
        at: at(s),
        took_ms: 9,
        every_ms: 30_000,
        outcome: Err(problem),
    });
}

/// Whatever else is judged does not apply to the instance.
fn nothing_else(fleet: &mut Fleet, name: &str, s: i64) {
    let others = ProbeId::ALL.into_iter().filter(|p| p.is_judged() && *p != ProbeId::Headline);
    for probe in others {
        missed(fleet, name, probe, s, Unavailable::NotHere("this test".into()));
    }
}

/// A headline of an instance that started an hour before second 0.
fn headline(batches: i64, cpu_ms: i64) -> HeadlineSample {
    HeadlineSample {
        started_at: Some(at(-3_600)),
        process_cpu_ms: Some(cpu_ms),
        cpu_count: Some(4),
        batches: Some(batches),
        ..HeadlineSample::default()
    }
}

fn poll_headline(fleet: &mut Fleet, s: i64, sample: impl Into<Box<HeadlineSample>>) -> Arc<InstanceSnapshot> {
    polled(fleet, "a", s, Sample::Headline(sample.into()));
    shown(fleet, s)
}

fn shown(fleet: &mut Fleet, s: i64) -> Arc<InstanceSnapshot> {
    Arc::clone(&fleet.snapshot(at(s)).instances[0])
}

#[test]
fn a_snapshot_carries_the_limits_of_its_verdicts() {
    let limits = Thresholds { cpu_warning_pct: 61.0, ..Thresholds::default() };
    let mut fleet = Fleet::new(limits.clone());
    fleet.apply(Update::Inventory(vec![info("a")]));
    assert_eq!(fleet.snapshot(at(0)).thresholds, limits);
}

#[test]
fn rates_come_with_the_second_sample() {
    let mut f = fleet(&["a"]);
    let first = poll_headline(&mut f, 0, headline(1_000, 50_000));
    assert_eq!(first.facts.headline.get().unwrap().batches_per_s, None);
    let h = *poll_headline(&mut f, 30, headline(4_000, 110_000)).facts.headline.get().unwrap();
    assert_eq!(h.batches_per_s, Some(100.0));
    assert_eq!(h.cpu_pct, Some(50.0), "60 s of CPU time in 30 s on 4 CPUs");
}

#[test]
fn a_restart_and_a_cleared_counter_give_no_rate_and_no_spike_afterwards() {
    let mut f = fleet(&["a"]);
    poll_headline(&mut f, 0, headline(9_000, 50_000));
    let restarted = |batches| HeadlineSample { started_at: Some(at(20)), ..headline(batches, 100) };
    let h = poll_headline(&mut f, 30, restarted(10));
    assert_eq!(h.facts.headline.get().unwrap().batches_per_s, None);
    assert_eq!(h.health.reasons[0].text(), "restarted 10 s ago");
    let h = poll_headline(&mut f, 60, restarted(40));
    assert_eq!(h.facts.headline.get().unwrap().batches_per_s, Some(1.0));
    let h = poll_headline(&mut f, 90, restarted(7));
    assert_eq!(h.facts.headline.get().unwrap().batches_per_s, None, "the counter fell");
}

#[test]
fn the_start_is_told_by_our_clock() {
    let mut f = fleet(&["a"]);
    let skewed = HeadlineSample {
        server_time: Some(at(100_000)),
        started_at: Some(at(99_960)),
        ..HeadlineSample::default()
    };
    let h = poll_headline(&mut f, 0, skewed);
    assert_eq!(h.facts.headline.get().unwrap().started_at, Some(at(-40)), "its clock is ahead by a day");
}

#[test]
fn a_clock_that_goes_back_breaks_nothing() {
    let mut f = fleet(&["a"]);
    nothing_else(&mut f, "a", 1_000);
    poll_headline(&mut f, 1_000, headline(0, 0));
    let h = poll_headline(&mut f, 400, headline(3_000, 0));
    assert_eq!(h.facts.headline.get().unwrap().batches_per_s, None);
    let h = poll_headline(&mut f, 430, headline(6_000, 0));
    assert_eq!(h.facts.headline.get().unwrap().batches_per_s, Some(100.0));
    assert_eq!(h.health.level, Level::Ok);
}

#[test]
fn unchanged_instances_keep_their_arc() {
    let mut f = fleet(&["a", "b"]);
    poll_headline(&mut f, 0, headline(0, 0));
    polled(&mut f, "b", 0, Sample::Headline(Box::new(headline(0, 0))));
    let one = f.snapshot(at(1));
    let same = f.snapshot(at(2));
    assert!(Arc::ptr_eq(&one, &same), "nothing changed");
    polled(&mut f, "b", 3, Sample::Known(State::Memory(Box::default())));
    let two = f.snapshot(at(3));
    assert_eq!(two.version, one.version + 1);
    assert!(Arc::ptr_eq(&one.instances[0], &two.instances[0]));
    assert!(!Arc::ptr_eq(&one.instances[1], &two.instances[1]));
}

#[test]
fn time_alone_makes_silence_a_warning_and_then_offline() {
    let mut f = fleet(&["a"]);
    nothing_else(&mut f, "a", 0);
    poll_headline(&mut f, 0, headline(0, 0));
    poll_headline(&mut f, 30, headline(0, 0));
    assert_eq!(shown(&mut f, 100).health.level, Level::Ok);
    assert_eq!(shown(&mut f, 106).health.reasons[0].text(), "no data for 1m16s");
    let silent = shown(&mut f, 200);
    assert_eq!(silent.health.reasons[0].text(), "no data for 2m50s");
    let line: Vec<f32> = silent.history.get(SeriesId::Batches).unwrap().points().map(|(_, v)| v).collect();
    assert!(line.len() == 2 && line[1].is_nan(), "a gap, not a line: {line:?}");
    assert_eq!(f.snapshot(at(331)).polled, 0);
    let gone = shown(&mut f, 331);
    assert_eq!((gone.health.level, gone.health.score), (Level::Offline, Some(0)));
}

#[test]
fn down_stays_down_until_the_link_is_up() {
    let mut f = fleet(&["a"]);
    nothing_else(&mut f, "a", 0);
    poll_headline(&mut f, 0, headline(0, 0));
    link(&mut f, "a", 10, down(FailureKind::Unreachable));
    link(&mut f, "a", 20, Link::Connecting);
    link(&mut f, "a", 25, down(FailureKind::Unreachable));
    let s = shown(&mut f, 26);
    assert_eq!(s.facts.link_since, Some(at(10)), "since the first failure");
    assert_eq!((s.health.level, f.snapshot(at(26)).counts.critical), (Level::Critical, 1));
    assert!(matches!(s.facts.headline.problem, Some(Unavailable::Failed(_))), "each cell can say why");
    link(&mut f, "a", 30, down(FailureKind::Login));
    assert_eq!(shown(&mut f, 30).facts.link_since, Some(at(30)), "another failure");
    link(&mut f, "a", 40, Link::Up);
    poll_headline(&mut f, 41, headline(5, 5));
    assert_eq!(shown(&mut f, 41).health.level, Level::Ok);
}

#[test]
fn being_up_again_and_again_does_not_hide_what_failed() {
    let mut f = fleet(&["a"]);
    missed(&mut f, "a", ProbeId::Headline, 1, Unavailable::Failed(Failure::new(FailureKind::Protocol, "x")));
    link(&mut f, "a", 2, Link::Up);
    assert_eq!(shown(&mut f, 3).health.reasons[0].text(), "no counters (bad answer)");
}

#[test]
fn a_failed_poll_keeps_the_old_value_and_makes_a_gap() {
    let mut f = fleet(&["a"]);
    poll_headline(&mut f, 0, headline(0, 0));
    poll_headline(&mut f, 30, headline(300, 0));
    missed(&mut f, "a", ProbeId::Headline, 60, Unavailable::Failed(Failure::new(FailureKind::Timeout, "x")));
    let s = shown(&mut f, 61);
    assert_eq!(s.facts.headline.get().unwrap().batches_per_s, Some(10.0));
    assert!(s.facts.headline.problem.is_some());
    assert!(s.history.get(SeriesId::Batches).unwrap().points().next_back().unwrap().1.is_nan());
}

fn wait(name: &str, tasks: i64, wait_ms: i64) -> WaitCounter {
    WaitCounter { name: name.into(), tasks, wait_ms, max_ms: 9, signal_ms: wait_ms / 10 }
}

#[test]
fn waits_by_type_and_category() {
    let mut f = fleet(&["a"]);
    polled(&mut f, "a", 0, Sample::Waits(vec![wait("WRITELOG", 10, 100), wait("LAZYWRITER_SLEEP", 1, 5)]));
    assert_eq!(shown(&mut f, 0).facts.waits.problem, Some(Unavailable::NeedsTwoSamples));
    let now =
        vec![wait("LCK_M_S", 3, 60_000), wait("WRITELOG", 40, 400), wait("LAZYWRITER_SLEEP", 9, 30_005)];
    polled(&mut f, "a", 30, Sample::Waits(now));
    let s = shown(&mut f, 30);
    let t = s.facts.waits.get().unwrap();
    let types: Vec<_> = t.types.iter().map(|w| (&*w.name, w.ms_per_s, w.benign)).collect();
    assert_eq!(
        types,
        [("LCK_M_S", 2_000.0, false), ("LAZYWRITER_SLEEP", 1_000.0, true), ("WRITELOG", 10.0, false)]
    );
    assert_eq!((t.total_ms_per_s, t.signal_ms_per_s, t.over_ms), (2_010.0, 201.0, 30_000));
    assert_eq!(t.categories[0].category, WaitCategory::Lock);
    assert_eq!(t.types[0].avg_ms, Some(20_000.0));
    polled(&mut f, "a", 60, Sample::Waits(vec![wait("LCK_M_S", 3, 60_000), wait("WRITELOG", 40, 400)]));
    let s = shown(&mut f, 60);
    let lock = s.history.get(SeriesId::Wait(WaitCategory::Lock)).unwrap().last();
    assert_eq!(lock, Some(0.0), "no wait is zero, not a gap");
}

#[test]
fn cleared_wait_counters_give_no_rate_once() {
    let mut f = fleet(&["a"]);
    let many = |n: i64| vec![wait("A", n, n), wait("B", n, n), wait("C", n, n)];
    polled(&mut f, "a", 0, Sample::Waits(many(1_000)));
    polled(&mut f, "a", 30, Sample::Waits(many(4_000)));
    polled(&mut f, "a", 60, Sample::Waits(vec![wait("A", 5, 5)]));
    let s = shown(&mut f, 60);
    assert_eq!(s.facts.waits.problem, Some(Unavailable::NeedsTwoSamples));
    assert!(s.history.get(SeriesId::Waits).unwrap().points().next_back().unwrap().1.is_nan());
    polled(&mut f, "a", 90, Sample::Waits(vec![wait("A", 35, 35)]));
    assert_eq!(shown(&mut f, 90).facts.waits.get().map(|t| t.total_ms_per_s), Some(1.0));
}

#[test]
fn hostile_wait_counters_do_no_harm() {
    let mut f = fleet(&["a"]);
    polled(
        &mut f,
        "a",
        0,
        Sample::Waits(vec![wait("A", i64::MIN, i64::MIN), wait("A", 1, 1), wait("B", 5, 5)]),
    );
    polled(
        &mut f,
        "a",
        30,
        Sample::Waits(vec![wait("A", i64::MAX, i64::MAX), wait("B", -7, 9), wait("C", 2, 2)]),
    );
    let s = shown(&mut f, 30);
    assert!(s.facts.waits.get().is_none_or(|t| t.types.iter().all(|w| w.ms_per_s >= 0.0)));
}

fn request(id: i32, started: i64, cpu_ms: i64) -> Request {
    Request {
        session_id: id,
        login_at: Some(at(-100)),
        started_at: Some(at(started)),
        cpu_ms: Some(cpu_ms),
        logical_reads: Some(cpu_ms * 2),
        ..Request::default()
    }
}

#[test]
fn growth_belongs_to_a_request_not_to_its_session_id() {
    let mut f = fleet(&["a"]);
    let rows = |requests| Sample::Activity(Activity { requests, ..Activity::default() });
    polled(&mut f, "a", 0, rows(vec![request(60, -5, 100), request(61, -5, 100)]));
    polled(&mut f, "a", 30, rows(vec![request(60, -5, 700), request(61, 20, 900)]));
    let s = shown(&mut f, 30);
    let deltas: Vec<_> = s.facts.activity.get().unwrap().requests.iter().map(|r| r.cpu_delta_ms).collect();
    assert_eq!(deltas, [Some(600), None], "61 runs another request now");
    assert_eq!(s.facts.activity.get().unwrap().requests[0].reads_delta, Some(1200));
}

#[test]
fn a_blocker_knows_its_victims() {
    let mut f = fleet(&["a"]);
    let blocked = |id, by| Request { blocked_by: Some(by), ..request(id, 0, 0) };
    let requests = vec![request(50, 0, 0), blocked(60, 50), blocked(61, 60), blocked(62, 62)];
    polled(&mut f, "a", 0, Sample::Activity(Activity { requests, ..Activity::default() }));
    let s = shown(&mut f, 0);
    let blocks: Vec<_> = s.facts.activity.get().unwrap().requests.iter().map(|r| r.blocks).collect();
    assert_eq!(blocks, [2, 1, 0, 0]);
}

#[test]
fn a_sleeping_blocker_has_its_last_statement_in_activity_too() {
    let mut f = fleet(&["a"]);
    let sleeper = || Request { started_at: None, ..request(50, 0, 0) };
    let requests = vec![sleeper(), Request { blocked_by: Some(50), ..request(60, 0, 0) }];
    polled(&mut f, "a", 0, Sample::Activity(Activity { requests, ..Activity::default() }));
    let batch = "update t set x = 1".into();
    let text = SqlText::new(batch, None, None, false);
    let last_statement = Some(Statement { text: Arc::new(text), start: 0, end: 18 });
    let sessions = vec![ChainSession { request: sleeper(), last_statement }];
    let tasks = vec![BlockedTask { session_id: 60, blocked_by: 50, ..BlockedTask::default() }];
    polled(&mut f, "a", 0, Sample::Blocking { tasks, sessions });
    let s = shown(&mut f, 0);
    let of = |n: usize| s.facts.activity.get().unwrap().requests[n].statement.clone();
    assert_eq!(of(0).unwrap().as_str(), "update t set x = 1");
    assert!(of(1).is_none(), "nothing is known of the other");
}

#[test]
fn blocking_names_its_databases() {
    let mut f = fleet(&["a"]);
    let row = DatabaseRow { id: 7, name: Some("orders".into()), ..DatabaseRow::default() };
    polled(&mut f, "a", 0, Sample::Known(State::Databases(Arc::new(vec![row]))));
    let task = BlockedTask {
        session_id: 60,
        blocked_by: 50,
        wait_ms: Some(200_000),
        resource: Some("objectlock lockPartition=0 objid=5 subresource=FULL dbid=7 id=lock1 mode=X".into()),
        ..BlockedTask::default()
    };
    polled(&mut f, "a", 1, Sample::Headline(Box::default()));
    polled(&mut f, "a", 1, Sample::Blocking { tasks: vec![task], sessions: Vec::new() });
    let s = shown(&mut f, 1);
    let node = &s.facts.blocking.get().unwrap().chains[0].nodes[1];
    assert_eq!(node.resource.as_ref().unwrap().database.as_deref(), Some("orders"));
    assert_eq!(s.health.reasons[0].text(), "1 session blocked 3m20s by 50 (gone)");
}

#[test]
fn own_cost_is_counted_over_reconnects() {
    let mut f = fleet(&["a"]);
    let cost = |session, cpu_ms| {
        Sample::Cost(CostSample { session_id: Some(session), cpu_ms: Some(cpu_ms), ..CostSample::default() })
    };
    polled(&mut f, "a", 0, cost(55, 10));
    polled(&mut f, "a", 30, cost(55, 40));
    let now = *shown(&mut f, 30).facts.cost.get().unwrap();
    assert_eq!((now.cpu_ms_per_s, now.cpu_ms_total), (Some(1.0), Some(40)));
    polled(&mut f, "a", 60, cost(71, 5));
    let now = *shown(&mut f, 60).facts.cost.get().unwrap();
    assert_eq!((now.cpu_ms_per_s, now.cpu_ms_total), (None, Some(45)), "a new session counts from zero");
}

#[test]
fn own_cost_is_settled_once_the_first_polls_no_longer_stand_alone() {
    let mut f = fleet(&["a", "b"]);
    let cost = |cpu_ms| {
        Sample::Cost(CostSample { session_id: Some(55), cpu_ms: Some(cpu_ms), ..CostSample::default() })
    };
    let mut told = |s, cpu_ms| {
        polled(&mut f, "a", s, cost(cpu_ms));
        polled(&mut f, "b", s, cost(cpu_ms));
        f.snapshot(at(s)).own_cost().map(|c| (c.cpu_ms_per_s, c.settled))
    };
    assert_eq!(told(0, 20), None);
    assert_eq!(
        told(2, 60),
        Some((40.0, false)),
        "two polls at the start: a spike, and said to be none to go by"
    );
    assert_eq!(told(32, 66), Some((2.875, true)), "averaged with what came after it");
    assert_eq!(told(62, 72), Some((0.4, true)), "the start has left the window");
}

#[test]
fn what_was_never_read_is_due_until_it_is_there() {
    let mut f = fleet(&["a"]);
    let (instance, due) = (InstanceId::new("a"), at(1_800));
    f.apply(Update::Due { instance, probe: ProbeId::Databases, at: due });
    assert_eq!(shown(&mut f, 1).facts.databases.meta().first_due(), Some(due));
    polled(&mut f, "a", 1_800, Sample::Known(State::Databases(Arc::default())));
    assert_eq!(shown(&mut f, 1_800).facts.databases.meta().first_due(), None);
}

#[test]
fn one_that_does_not_answer_keeps_nobody_from_knowing_the_cost() {
    let mut f = fleet(&["a", "dead"]);
    let cost = |cpu_ms| {
        Sample::Cost(CostSample { session_id: Some(55), cpu_ms: Some(cpu_ms), ..CostSample::default() })
    };
    for (s, cpu_ms) in [(0, 20), (2, 60)] {
        polled(&mut f, "a", s, cost(cpu_ms));
        polled(&mut f, "dead", s, cost(cpu_ms));
    }
    link(&mut f, "dead", 3, down(FailureKind::Timeout));
    polled(&mut f, "a", 32, cost(66));
    let told = f.snapshot(at(32)).own_cost().map(|c| (c.cpu_ms_per_s, c.settled));
    assert_eq!(told, Some((46.0 / 32.0, true)), "its two polls at the start would wait for a third for ever");
}

#[test]
fn processor_of_others_and_schedulers_share_a_reading() {
    let mut f = fleet(&["a"]);
    let ring = CpuRingSample { sql_pct: Some(30.0), idle_pct: Some(60.0), age_ms: None };
    polled(&mut f, "a", 0, Sample::CpuRing(ring));
    polled(
        &mut f,
        "a",
        1,
        Sample::Schedulers(SchedulerSample { runnable: Some(3), ..SchedulerSample::default() }),
    );
    let s = shown(&mut f, 1);
    let cpu = s.facts.cpu.get().unwrap();
    assert_eq!((cpu.other_pct, cpu.runnable), (Some(10.0), Some(3)));
    missed(&mut f, "a", ProbeId::CpuRing, 60, Unavailable::NotHere("Linux".into()));
    let s = shown(&mut f, 60);
    assert_eq!((s.facts.cpu.get().unwrap().other_pct, s.facts.cpu.problem.is_none()), (None, true));
}

#[test]
fn the_inventory_may_change_under_way() {
    let mut f = fleet(&["a", "b"]);
    poll_headline(&mut f, 0, headline(0, 0));
    f.apply(Update::Inventory(vec![info("c"), info("a"), info("c")]));
    let s = f.snapshot(at(1));
    assert_eq!(s.instances.iter().map(|i| i.id().as_str()).collect::<Vec<_>>(), ["c", "a"]);
    assert!(s.instances[1].facts.headline.value.is_some(), "what is known of a stays");
    polled(&mut f, "b", 2, Sample::Known(State::Memory(Box::default())));
    assert_eq!(f.snapshot(at(2)).counts.total(), 2);
}

#[test]
fn a_change_of_health_is_news_and_a_first_look_is_none() {
    let mut f = fleet(&["a"]);
    assert!(!poll_headline(&mut f, 0, headline(0, 0)).is_news(at(0)), "not judged yet");
    nothing_else(&mut f, "a", 1);
    assert!(!shown(&mut f, 1).is_news(at(1)), "the first verdict");
    link(&mut f, "a", 10, down(FailureKind::Unreachable));
    let s = shown(&mut f, 10);
    let news: Vec<bool> = [9, 10, 19, 20, 3_000].into_iter().map(|now| s.is_news(at(now))).collect();
    assert_eq!(news, [false, true, true, false, false], "for ten seconds, whatever the clock does");
    assert_eq!(shown(&mut f, 400).health.level, Level::Offline);
    link(&mut f, "a", 500, Link::Up);
    assert!(poll_headline(&mut f, 501, headline(1, 1)).is_news(at(502)), "it is ok again");
}

#[test]
fn what_was_so_before_the_start_is_no_news() {
    let mut before = fleet(&["a"]);
    before.keep();
    poll_headline(&mut before, 0, headline(0, 0));
    nothing_else(&mut before, "a", 0);
    shown(&mut before, 1);
    // The program was away for an hour, and what it reads first says that nothing came since.
    let mut f = Fleet::new(Thresholds::default());
    f.apply(Update::Inventory(vec![info("a")]));
    before.drain_kept().into_iter().for_each(|kept| f.apply(Update::Remembered(Box::new(kept))));
    assert!(!shown(&mut f, 3_600).is_news(at(3_600)));
    link(&mut f, "a", 3_601, Link::Up);
    assert!(!poll_headline(&mut f, 3_602, headline(0, 0)).is_news(at(3_602)));
    nothing_else(&mut f, "a", 3_603);
    assert!(!shown(&mut f, 3_603).is_news(at(3_603)));
    link(&mut f, "a", 3_610, down(FailureKind::Login));
    assert!(shown(&mut f, 3_610).is_news(at(3_610)), "that happened under its eyes");
    // Who follows hears of it by what the other keeps.
    let mut follower = Fleet::new(Thresholds::default());
    follower.apply(Update::Inventory(vec![info("a")]));
    let verdict = |s, level| {
        let health = Health { score: Some(50), level, reasons: Vec::new() };
        let what = Recorded::Health { health, polled: true };
        Update::Remembered(Box::new(Record { info: info("a"), at: at(s), what }))
    };
    follower.apply(verdict(1, Level::Ok));
    assert!(!shown(&mut follower, 2).is_news(at(2)));
    follower.apply(verdict(5, Level::Critical));
    assert!(shown(&mut follower, 6).is_news(at(6)));
}

#[test]
fn a_slower_pace_is_not_silence() {
    let mut f = fleet(&["a"]);
    nothing_else(&mut f, "a", 0);
    let (instance, probe) = (InstanceId::new("a"), ProbeId::Headline);
    for s in [0, 2] {
        let outcome = Ok(Sample::Headline(Box::new(headline(0, 0))));
        f.apply(Update::Polled {
            instance: instance.clone(),
            probe,
            at: at(s),
            took_ms: 1,
            every_ms: 2_000,
            outcome,
        });
    }
    f.apply(Update::Pace { instance, probe, at: Timestamp::from_ms(0), every_ms: 30_000 });
    assert_eq!(shown(&mut f, 30).health.level, Level::Ok);
}

#[test]
fn history_is_bounded() {
    let mut f = fleet(&["a"]);
    for s in 0..2_000 {
        poll_headline(&mut f, s, headline(s, 0));
    }
    let s = shown(&mut f, 2_000);
    let series = s.history.get(SeriesId::Batches).unwrap();
    assert!(series.points().len() <= 1_000);
    assert!(series.points().all(|(t, _)| at(1_999) - t <= KEEP_MS));
}

proptest! {
    #[test]
    fn any_order_of_updates_gives_a_snapshot(
        steps in proptest::collection::vec((0u8..9, -500i64..5_000, any::<i64>(), any::<Option<i64>>()), 1..60)
    ) {
        let mut f = fleet(&["a"]);
        for (what, s, n, o) in steps {
            match what {
                0 => link(&mut f, "a", s, Link::Up),
                1 => link(&mut f, "a", s, down(FailureKind::Timeout)),
                2 => missed(&mut f, "a", ProbeId::Headline, s, Unavailable::NotYet),
                3 => polled(&mut f, "a", s, Sample::Waits(vec![wait("LCK_M_X", n, n), wait("X", n, 1)])),
                4 => polled(&mut f, "a", s, Sample::Cost(CostSample { cpu_ms: o, ..CostSample::default() })),
                5 => {
                    let now = MemoryNow { used_pct: used_pct(o, Some(n)), ..MemoryNow::default() };
                    polled(&mut f, "a", s, Sample::Known(State::Memory(Box::new(now))));
                }
                _ => {
                    let raw = HeadlineSample {
                        started_at: o.map(Timestamp::from_ms), server_time: Some(Timestamp::from_ms(n)),
                        batches: o, process_cpu_ms: Some(n), cpu_count: Some(n as i32), deadlocks: o,
                        tempdb_size_kb: Some(n), tempdb_free_kb: o, ..HeadlineSample::default()
                    };
                    polled(&mut f, "a", s, Sample::Headline(Box::new(raw)));
                }
            }
            let snapshot = f.snapshot(at(s));
            prop_assert_eq!(snapshot.counts.total(), 1);
            let i = &snapshot.instances[0];
            if let Some(h) = i.facts.headline.get() {
                prop_assert!(h.cpu_pct.is_none_or(|p| (0.0..=100.0).contains(&p)));
                prop_assert!(h.batches_per_s.is_none_or(|r| r >= 0.0));
            }
            for (_, series) in i.history.iter() {
                let times: Vec<_> = series.points().map(|(t, _)| t).collect();
                prop_assert!(times.is_sorted_by(|a, b| a < b));
            }
        }
    }
}
