//! Tests of the whole collector over a fake driver, under paused time: every second here takes no time.

use super::{
    fake::{Act, Fake, heavy, target},
    *,
};
use crate::model::{
    base::time::Timestamp,
    fold::snapshot::{FleetSnapshot, InstanceSnapshot},
    inventory::{instance::InstanceInfo, record::PollSettings},
    judge::health::{Level, Thresholds},
    poll::{
        id::{ProbeId, SeriesId},
        link::Link,
    },
};
mod clock;
mod lane;
mod settings;

use std::cell::{Cell, OnceCell};
use tokio::time::{Instant, sleep};

thread_local! {
    static START: OnceCell<Instant> = const { OnceCell::new() };
    /// so long the machine was asleep, ms: the wall clock ran on, timers did not
    static ASLEEP: Cell<i64> = const { Cell::new(0) };
    /// so much of it was a suspend, which the clock of the system counts
    static SUSPENDED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Our clock goes with the paused one; all tasks of a test run on its thread.
fn clock() -> Timestamp {
    let ms = START.with(|s| s.get_or_init(Instant::now).elapsed().as_millis());
    Timestamp::from_ms(1_700_000_000_000 + ms as i64 + ASLEEP.get())
}

/// The clock that is never set, and counts a suspend.
fn up() -> Duration {
    START.with(|s| s.get_or_init(Instant::now).elapsed()) + SUSPENDED.get()
}

fn run(names: &[String], change: impl FnOnce(&mut Settings)) -> (Fake, Collector, Instant) {
    let fake = Fake::new();
    let collector = run_over(&fake, names, change);
    (fake, collector, Instant::now())
}

fn run_over(fake: &Fake, names: &[String], change: impl FnOnce(&mut Settings)) -> Collector {
    clock();
    let mut settings = Settings { clock, up, ..Settings::default() };
    change(&mut settings);
    let resolver: Resolver = Arc::new(|source| match source {
        crate::model::inventory::record::SecretRef::Stored(s) => Ok(s.clone()),
        _ => unreachable!("tests use literals"),
    });
    start_with(names.iter().map(|n| target(n)).collect(), settings, resolver, fake.clone(), None)
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("sql{i:03}")).collect()
}

fn one() -> Vec<String> {
    vec!["a".to_owned()]
}

async fn seconds(s: f64) {
    sleep(Duration::from_secs_f64(s)).await;
}

fn shown(collector: &Collector, name: &str) -> Arc<InstanceSnapshot> {
    let snapshot = Arc::clone(&collector.snapshots.borrow());
    Arc::clone(snapshot.find(&InstanceId::new(name)).expect("the instance is in the snapshot"))
}

fn has_headline(i: &InstanceSnapshot) -> bool {
    i.facts.headline.value.is_some()
}

#[tokio::test(start_paused = true)]
async fn forty_instances_are_on_the_screen_within_a_second_and_have_rates_in_three() {
    let (_, collector, _) = run(&names(40), |_| {});
    seconds(1.0).await;
    let first = Arc::clone(&collector.snapshots.borrow());
    assert!(first.instances.iter().all(|i| has_headline(i)), "{:?}", first.counts);
    seconds(2.0).await;
    let next = Arc::clone(&collector.snapshots.borrow());
    let with_rates =
        next.instances.iter().filter(|i| i.facts.headline.get().unwrap().batches_per_s.is_some());
    assert_eq!(with_rates.count(), 40);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_do_not_start_in_one_burst_and_spread_out() {
    let (fake, collector, start) = run(&names(500), |_| {});
    seconds(120.0).await;
    let logins: Vec<f64> =
        fake.logins.lock().unwrap().iter().map(|(_, at)| (*at - start).as_secs_f64()).collect();
    assert_eq!(logins.len(), 500);
    let in_first_half_second = logins.iter().filter(|t| **t < 0.5).count();
    assert!(in_first_half_second < 100, "{in_first_half_second}");
    assert!(logins.iter().all(|t| *t < 6.0));
    let mut in_second = vec![0; 121];
    for (_, at, _) in fake.asked.lock().unwrap().iter() {
        in_second[(*at - start).as_secs() as usize] += 1;
    }
    let later = &in_second[45..];
    let most = later.iter().max().unwrap();
    let mean = later.iter().sum::<i32>() / later.len() as i32;
    assert!(*most < mean * 4, "polls per second: mean {mean}, most {most}");
    assert_eq!(collector.snapshots.borrow().counts.ok, 500);
}

#[tokio::test(start_paused = true)]
async fn broken_ones_say_why_and_the_others_are_on_time() {
    let fake = Fake::new();
    let names = names(200);
    let kinds = [Act::BlackHole, Act::NoRoute, Act::Refuse, Act::WrongPassword, Act::Silent, Act::NoRight];
    let broken = |i: usize| i % 10 < 3;
    for (i, name) in names.iter().enumerate().filter(|(i, _)| broken(*i)) {
        fake.set(name, kinds[i / 10 % kinds.len()]);
    }
    let start = Instant::now();
    let collector = run_over(&fake, &names, |_| {});
    seconds(3.0).await;
    for (_, name) in names.iter().enumerate().filter(|(i, _)| !broken(*i)) {
        assert!(has_headline(&shown(&collector, name)), "{name} has to wait for broken ones");
    }
    // The last one starts at 200 × 8 ms.
    seconds(15.0 + 1.6 - 3.0).await;
    for (_, name) in names.iter().enumerate().filter(|(i, _)| broken(*i)) {
        let i = shown(&collector, name);
        assert!(!i.health.reasons.is_empty(), "{name} ({:?}) says nothing", i.facts.link);
        assert_ne!(i.health.level, Level::Ok);
    }
    seconds(600.0).await;
    let snapshot = Arc::clone(&collector.snapshots.borrow());
    assert_eq!(snapshot.counts.ok, 140);
    assert!(snapshot.collector.start_delay_p99_ms <= 64, "{:?}", snapshot.collector);
    assert_eq!((snapshot.collector.samples_waited, snapshot.collector.polls_skipped), (0, 0));
    for (_, name) in names.iter().enumerate().filter(|(i, _)| !broken(*i)) {
        let times = fake.polls(name, ProbeId::Headline, start);
        let longest = times.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max);
        assert!(longest <= 34.0, "{name}: {longest} s between two polls");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_lets_us_in_and_never_answers_stays_down() {
    let fake = Fake::new();
    fake.set("a", Act::Silent);
    let collector = run_over(&fake, &one(), |_| {});
    seconds(8.0).await;
    for _ in 0..300 {
        seconds(0.5).await;
        let i = shown(&collector, "a");
        assert!(matches!(i.facts.link, Link::Down { .. }), "{:?}", i.facts.link);
        assert!(i.health.reasons[0].text().starts_with("unreachable since "), "{:?}", i.health.reasons);
    }
    fake.set("a", Act::Answer(5));
    // A poll that is under way takes 5 s more, the longest wait before the next attempt is 30 s.
    seconds(37.0).await;
    assert_eq!(shown(&collector, "a").facts.link, Link::Up);
    // A headline alone came first; all else is there an interval later.
    seconds(40.0).await;
    assert_eq!(shown(&collector, "a").health.level, Level::Ok);
}

#[tokio::test(start_paused = true)]
async fn an_idle_disconnect_is_nobodys_business() {
    let (fake, collector, start) = run(&one(), |_| {});
    seconds(10.0).await;
    fake.set("a", Act::Closed);
    for _ in 0..200 {
        seconds(0.2).await;
        assert_eq!(shown(&collector, "a").facts.link, Link::Up);
    }
    assert_eq!(fake.logins.lock().unwrap().len(), 2);
    let gaps: Vec<f64> = fake.polls("a", ProbeId::Headline, start).windows(2).map(|w| w[1] - w[0]).collect();
    assert!(gaps.iter().any(|g| *g < 1.0), "asked again at once: {gaps:?}");
    assert!(collector.snapshots.has_changed().is_ok());
}

#[tokio::test(start_paused = true)]
async fn after_three_failures_one_cheap_question_comes_first() {
    let fake = Fake::new();
    fake.set("a", Act::Silent);
    let _collector = run_over(&fake, &one(), |_| {});
    seconds(60.0).await;
    fake.asked.lock().unwrap().clear();
    fake.set("a", Act::Answer(5));
    seconds(60.0).await;
    let asked = fake.asked.lock().unwrap();
    assert_eq!(asked[0].2, [ProbeId::Headline]);
    assert!(
        asked[1].2.contains(&ProbeId::Rights) && asked[1].2.contains(&ProbeId::Activity),
        "{:?}",
        asked[1].2
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_on_the_screen_is_polled_faster_and_leaving_it_is_not_silence() {
    let (fake, collector, start) = run(&one(), |_| {});
    seconds(60.0).await;
    let slow = fake.polls("a", ProbeId::Activity, start).len();
    collector.commands.send(Command::Focus(vec![InstanceId::new("a")])).await.unwrap();
    seconds(60.0).await;
    let fast = fake.polls("a", ProbeId::Activity, start).len() - slow;
    assert!(slow <= 5 && (27..=36).contains(&fast), "{slow} {fast}");
    collector.commands.send(Command::Watched(vec![InstanceId::new("a")])).await.unwrap();
    collector.commands.send(Command::Focus(Vec::new())).await.unwrap();
    seconds(60.0).await;
    let still = fake.polls("a", ProbeId::Activity, start).len() - slow - fast;
    assert!(still >= 27, "another screen has it: {still}");
    collector.commands.send(Command::Watched(Vec::new())).await.unwrap();
    for _ in 0..60 {
        seconds(0.5).await;
        assert_eq!(shown(&collector, "a").health.level, Level::Ok);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_stops_polls_and_is_not_counted_as_late() {
    let (fake, collector, start) = run(&one(), |_| {});
    seconds(40.0).await;
    collector.commands.send(Command::Pause(true)).await.unwrap();
    seconds(1.0).await;
    let before = fake.polls("a", ProbeId::Headline, start).len();
    seconds(200.0).await;
    assert_eq!(fake.polls("a", ProbeId::Headline, start).len(), before);
    assert_eq!(shown(&collector, "a").health.level, Level::Warning, "what is shown gets old, and says so");
    collector.commands.send(Command::Pause(false)).await.unwrap();
    seconds(3.0).await;
    assert_eq!(fake.polls("a", ProbeId::Headline, start).len(), before + 1);
    assert_eq!(collector.snapshots.borrow().collector.polls_skipped, 0);
}

#[tokio::test(start_paused = true)]
async fn refresh_asks_now_and_cuts_the_wait_after_a_failure_short() {
    let (fake, collector, start) = run(&["a".into(), "b".into()], |_| {});
    fake.set("b", Act::WrongPassword);
    seconds(36.0).await;
    let before = fake.polls("a", ProbeId::Volumes, start).len();
    collector.commands.send(Command::Refresh(vec![InstanceId::new("a")])).await.unwrap();
    seconds(0.1).await;
    assert_eq!(fake.polls("a", ProbeId::Volumes, start).len(), before + 1);
    let tried = || fake.logins.lock().unwrap().iter().filter(|(n, _)| n == "b").count();
    fake.set("b", Act::Answer(5));
    let before = tried();
    collector.commands.send(Command::Refresh(Vec::new())).await.unwrap();
    seconds(0.1).await;
    assert_eq!(tried(), before + 1, "the wait after a refused login is half a minute and more");
    seconds(1.0).await;
    assert!(shown(&collector, "b").facts.headline.get().is_some());
    // A headline alone came first, and waits need two polls.
    seconds(4.0).await;
    assert_eq!(shown(&collector, "b").health.level, Level::Ok);
}

#[tokio::test(start_paused = true)]
async fn the_inventory_changes_without_a_restart() {
    let (fake, collector, start) = run(&["a".into(), "b".into()], |_| {});
    seconds(5.0).await;
    collector.commands.send(Command::Inventory(vec![target("c"), target("a")])).await.unwrap();
    seconds(5.0).await;
    let snapshot = Arc::clone(&collector.snapshots.borrow());
    assert_eq!(snapshot.instances.iter().map(|i| i.id().as_str()).collect::<Vec<_>>(), ["c", "a"]);
    assert!(snapshot.instances.iter().all(|i| has_headline(i)));
    let before = fake.polls("b", ProbeId::Headline, start).len();
    seconds(120.0).await;
    assert_eq!(fake.polls("b", ProbeId::Headline, start).len(), before, "nobody asks b any more");
    assert_eq!(
        fake.logins.lock().unwrap().iter().filter(|(n, _)| n == "a").count(),
        1,
        "a kept its connection"
    );
}

#[tokio::test(start_paused = true)]
async fn a_poll_never_runs_twice_at_once_and_late_ones_are_counted() {
    let fake = Fake::new();
    fake.set("a", Act::Answer(70_000));
    let start = Instant::now();
    let collector = run_over(&fake, &one(), |_| {});
    seconds(400.0).await;
    let times = fake.polls("a", ProbeId::Headline, start);
    assert!(times.windows(2).all(|w| w[1] - w[0] >= 70.0), "{times:?}");
    assert!(collector.snapshots.borrow().collector.polls_skipped > 0);
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_nobody() {
    let fake = Fake::new();
    let names = names(30);
    for (i, name) in names.iter().enumerate() {
        fake.set(name, [Act::BlackHole, Act::NoRoute, Act::Silent, Act::Answer(5)][i % 4]);
    }
    let collector = run_over(&fake, &names, |_| {});
    let snapshots = collector.snapshots.clone();
    seconds(7.0).await;
    let before = Instant::now();
    assert!(collector.shutdown().await);
    assert!(before.elapsed() < Duration::from_secs(1));
    assert!(snapshots.has_changed().is_err(), "the reducer has ended, too");
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_one_task_is_told_and_the_task_starts_anew() {
    let (fake, collector, _) = run(&["a".into(), "b".into()], |_| {});
    fake.set("a", Act::Bug);
    seconds(2.0).await;
    assert_eq!(shown(&collector, "a").health.level, Level::Critical);
    assert_eq!(shown(&collector, "b").health.level, Level::Ok);
    fake.set("a", Act::Answer(5));
    seconds(35.0).await;
    assert_eq!(shown(&collector, "a").health.level, Level::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_missing_is_said_and_the_link_is_up() {
    let fake = Fake::new();
    fake.set("a", Act::NoRight);
    let collector = run_over(&fake, &one(), |_| {});
    seconds(2.0).await;
    let i = shown(&collector, "a");
    assert_eq!((&i.facts.link, i.health.level), (&Link::Up, Level::Unknown));
    assert_eq!(i.health.reasons[0].text(), "needs VIEW SERVER STATE");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_nothing_slows_polling_and_loses_nothing() {
    let fake = Fake::new();
    let names = names(40);
    clock();
    let settings = Settings { clock, up, ..Settings::default() };
    let resolver: Resolver = Arc::new(|_| Ok(crate::model::base::secret::Secret::new(String::new())));
    let (recorder, mut store) = mpsc::channel(1);
    let targets = names.iter().map(|n| target(n)).collect();
    let collector = start_with(targets, settings, resolver, fake.clone(), Some(recorder));
    seconds(3_600.0).await;
    let asked = fake.asked.lock().unwrap().len();
    let stuck = collector.snapshots.borrow().collector;
    assert!(stuck.history_waits >= 8_192, "{stuck:?}");
    assert!(stuck.samples_waited > 0, "{stuck:?}");
    seconds(600.0).await;
    assert!(fake.asked.lock().unwrap().len() < asked + 40, "nobody polls for nothing");
    // It takes again: everything comes, and polling goes on.
    let reader = tokio::spawn(async move {
        let mut came = 0;
        while let Some(batch) = store.recv().await {
            came += batch.len();
        }
        came
    });
    seconds(600.0).await;
    let now = fake.asked.lock().unwrap().len();
    assert!(now > asked + 400, "{asked}, then {now}");
    let left = collector.snapshots.borrow().collector.history_waits;
    assert!(left < 40, "{left}: no more than what came in this very second");
    assert!(collector.shutdown().await);
    assert!(reader.await.unwrap() > 8_192);
}

#[tokio::test(start_paused = true)]
async fn what_costs_too_much_is_slowed_says_so_and_recovers() {
    // Whatever chance does to the times of the polls.
    for seed in 0..12 {
        fastrand::seed(seed);
        slows_and_recovers().await;
    }
}

async fn slows_and_recovers() {
    let (fake, collector, start) = run(&one(), |_| {});
    fake.set("a", Act::Costly(750));
    seconds(3_600.0).await;
    let (slowed, stats) = (shown(&collector, "a"), collector.snapshots.borrow().collector);
    let cost = slowed.facts.cost.get().unwrap();
    // 12.5 ms/s and what is asked seldom, of 5.
    assert_eq!(cost.slowed.words(), "waits and details ×4 (own cost above 5 ms/s)");
    assert!(cost.cpu_ms_per_s.is_some_and(|rate| rate < 25.0), "{cost:?}");
    assert_eq!((slowed.facts.waits.every_ms, stats.slowed), (240_000, 1));
    assert!(!slowed.facts.waits.is_stale(clock()), "its age is measured by the new interval");
    let gaps = |probe, from: f64| -> Vec<f64> {
        let at: Vec<f64> = fake.polls("a", probe, start).into_iter().filter(|at| *at > from).collect();
        at.windows(2).map(|pair| pair[1] - pair[0]).collect()
    };
    // 240 s, a tenth less by chance; the first may be late and the next early by half a round of 30 s. What is asked seldom has
    // its share of the cost, and so the second step may take until then.
    let waits = gaps(ProbeId::Waits, 2_600.0);
    assert!(waits.iter().all(|gap| *gap > 185.0), "{waits:?}");
    assert!(gaps(ProbeId::Headline, 0.0).iter().all(|gap| *gap < 35.0), "the heartbeat goes on");

    fake.set("a", Act::Answer(5));
    seconds(5_400.0).await;
    let (easy, stats) = (shown(&collector, "a"), collector.snapshots.borrow().collector);
    assert!(!easy.facts.cost.get().unwrap().slowed.is_any());
    assert_eq!((easy.facts.waits.every_ms, stats.slowed), (60_000, 0));
    assert!(collector.shutdown().await);
}

#[tokio::test(start_paused = true)]
async fn while_another_process_polls_nothing_is_asked_and_what_it_saw_is_shown() {
    let (fake, collector, _) = run(&one(), |_| {});
    seconds(5.0).await;
    collector.commands.send(Command::Follow(true)).await.unwrap();
    seconds(1.0).await;
    let asked = fake.asked.lock().unwrap().len();
    let info = Arc::clone(&shown(&collector, "a").info);
    let headline = crate::model::poll::headline::Headline { cpu_pct: Some(77.0), ..Default::default() };
    let state = Ok(crate::model::poll::State::Headline(Box::new(headline)));
    let what = crate::model::timeline::record::Recorded::Reading {
        probe: ProbeId::Headline,
        every_ms: 30_000,
        state,
    };
    let kept = crate::model::timeline::record::Record { info, at: clock(), what };
    collector.feed.upgrade().unwrap().send(Update::Remembered(Box::new(kept))).await.unwrap();
    // The inventory may change meanwhile; nobody new is polled.
    let targets = ["a", "b"].map(target).to_vec();
    collector.commands.send(Command::Inventory(targets)).await.unwrap();
    seconds(300.0).await;
    assert_eq!(fake.asked.lock().unwrap().len(), asked);
    assert_eq!(shown(&collector, "a").facts.headline.get().unwrap().cpu_pct, Some(77.0));
    collector.commands.send(Command::Follow(false)).await.unwrap();
    seconds(5.0).await;
    assert!(has_headline(&shown(&collector, "b")), "it polls by itself again");
    assert!(fake.asked.lock().unwrap().len() > asked);
    assert!(collector.shutdown().await);
}

#[tokio::test(start_paused = true)]
async fn production_is_polled_before_tests_when_permits_are_scarce() {
    let (fake, label) = (Fake::new(), |name: &str, env: &str| {
        let target = target(name);
        let labels = vec![("env".into(), env.into())];
        Target { info: Arc::new(InstanceInfo { labels, ..InstanceInfo::clone(&target.info) }), ..target }
    });
    let mut targets: Vec<Target> = names(20).iter().map(|name| label(name, "test")).collect();
    targets.push(label("prod", "prod"));
    for target in &targets {
        fake.set(target.info.id.as_str(), Act::Answer(400));
    }
    clock();
    let settings = Settings { clock, up, max_queries: 1, ..Settings::default() };
    let resolver: Resolver = Arc::new(|_| Ok(crate::model::base::secret::Secret::new(String::new())));
    let _collector = start_with(targets, settings, resolver, fake.clone(), None);
    seconds(20.0).await;
    let asked = fake.asked.lock().unwrap();
    let turn = asked.iter().position(|(name, ..)| name == "prod");
    assert!(turn.is_some_and(|turn| turn <= 2), "it started last of 21: {turn:?}");
    assert!(asked.iter().filter(|(name, ..)| name == "prod").count() >= 2);
    let polled: std::collections::HashSet<_> = asked.iter().map(|(name, ..)| name).collect();
    assert_eq!(polled.len(), 21, "and nobody is forgotten");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_of_all_does_not_make_them_march_in_step() {
    let (fake, collector, start) = run(&names(300), |_| {});
    seconds(300.0).await;
    collector.commands.send(Command::Refresh(Vec::new())).await.unwrap();
    seconds(120.0).await;
    let mut in_second = vec![0; 121];
    for (_, at, _) in fake.asked.lock().unwrap().iter() {
        let s = (*at - start).as_secs_f64() - 300.0;
        if s >= 0.0 {
            in_second[s as usize] += 1;
        }
    }
    assert!(in_second[..2].iter().sum::<i32>() >= 300, "all at once, as was asked: {in_second:?}");
    let most = in_second[5..].iter().max().unwrap();
    let mean = in_second[5..].iter().sum::<i32>() / 116;
    assert!(*most < mean * 4, "polls per second: mean {mean}, most {most}");
}

#[tokio::test(start_paused = true)]
async fn an_hour_asleep_is_a_gap_that_ends_at_once_and_no_spike() {
    let (fake, collector, start) = run(&names(20), |_| {});
    seconds(100.0).await;
    let usual = shown(&collector, "sql000").facts.headline.get().unwrap().batches_per_s.unwrap();
    assert_eq!(collector.snapshots.borrow().counts.ok, 20);
    // An hour of work that nobody saw.
    ASLEEP.set(3_600_000);
    for name in names(20) {
        fake.set(&name, Act::Ahead(900_000_000));
    }
    // Nobody measured it, so no server was silent: not in the first snapshot, nor in any after it.
    for _ in 0..50 {
        seconds(0.1).await;
        let fleet = Arc::clone(&collector.snapshots.borrow());
        assert_eq!((fleet.counts.ok, fleet.polled), (20, 20), "{} ms after it", clock() - fleet.at);
    }
    for name in names(20) {
        let polls = fake.polls(&name, ProbeId::Headline, start);
        assert!(polls.iter().any(|s| *s >= 100.0), "{name} is asked at once: {polls:?}");
        let i = shown(&collector, &name);
        assert!(!i.facts.headline.is_stale(clock()), "{name} is of now");
        assert_eq!(i.facts.headline.get().unwrap().batches_per_s, None, "{name}: an hour's work is no rate");
    }
    seconds(60.0).await;
    let i = shown(&collector, "sql000");
    let rate = i.facts.headline.get().unwrap().batches_per_s.unwrap();
    assert!(rate < usual * 5.0, "{usual} batches a second before, {rate} after");
    let chart: Vec<_> = i.history.get(SeriesId::Batches).unwrap().points().collect();
    assert!(chart.iter().all(|(_, v)| v.is_nan() || f64::from(*v) < usual * 5.0), "no spike: {chart:?}");
    // What was before may be too old by now to be in the chart.
    let is_line =
        |ends: &[(Timestamp, f32)]| ends[1].0 - ends[0].0 > 600_000 && ends.iter().all(|(_, v)| !v.is_nan());
    assert!(!chart.is_empty() && !chart.windows(2).any(is_line), "no line through the hour: {chart:?}");
}

/// As [`run_over`], and what history keeps is thrown away.
fn run_recorded(fake: &Fake, names: &[String], settings: Settings) -> Collector {
    clock();
    let resolver: Resolver = Arc::new(|_| Ok(crate::model::base::secret::Secret::new(String::new())));
    let (recorder, mut kept) = mpsc::channel(256);
    tokio::spawn(async move { while kept.recv().await.is_some() {} });
    let targets = names.iter().map(|n| target(n)).collect();
    start_with(targets, Settings { clock, up, ..settings }, resolver, fake.clone(), Some(recorder))
}

#[tokio::test(start_paused = true)]
async fn an_unwell_instance_is_polled_at_the_pace_of_the_screen_until_it_was_well_for_five_minutes() {
    let fake = Fake::new();
    fake.set("b", Act::Full);
    let start = Instant::now();
    let two = ["a".to_owned(), "b".to_owned()];
    let collector = run_recorded(&fake, &two, Settings::default());
    seconds(120.0).await;
    assert_eq!(shown(&collector, "b").health.level, Level::Warning);
    let of = |name: &str, from: f64, to: f64| {
        fake.polls(name, ProbeId::Headline, start).iter().filter(|t| (from..to).contains(*t)).count()
    };
    assert!(of("b", 60.0, 120.0) >= 25, "{} polls in a minute", of("b", 60.0, 120.0));
    assert!(of("a", 60.0, 120.0) <= 4, "the well one as ever: {}", of("a", 60.0, 120.0));
    fake.set("b", Act::Answer(5));
    seconds(240.0).await;
    assert!(of("b", 300.0, 360.0) >= 25, "held: {}", of("b", 300.0, 360.0));
    seconds(240.0).await;
    assert!(of("b", 540.0, 600.0) <= 4, "let go: {}", of("b", 540.0, 600.0));
    drop(collector);
    let off = run_recorded(&fake, &two, Settings { recorder_instances: 0, ..Settings::default() });
    fake.set("b", Act::Full);
    seconds(120.0).await;
    assert!(of("b", 660.0, 720.0) <= 4, "switched off: {}", of("b", 660.0, 720.0));
    drop(off);
}
