//! The collector over real TDS against the simulator: the view of healthy and of broken instances.

use dbtop::{
    collect::{self, Collector, Command, Settings},
    config,
    model::{
        fold::snapshot::{FleetSnapshot, InstanceSnapshot},
        inventory::instance::InstanceId,
        judge::health::{Level, Reason, Thresholds, Topic},
        poll::{
            id::SeriesId,
            link::Link,
            reading::{Reading, Unavailable},
        },
    },
    sim::{
        Sim, SimConfig,
        scenario::{Kind, Scenario},
    },
    tds::Roots,
};
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

async fn sim(instances: usize) -> Sim {
    let config =
        SimConfig { instances, port: Some(0), scenario: Scenario::default(), ..SimConfig::default() };
    Sim::start(config).await.expect("the simulator starts")
}

fn name(sim: &Sim, index: usize) -> String {
    sim.fleet().profiles[index].name.clone()
}

fn start(sim: &Sim, settings: Settings) -> Collector {
    let targets = config::inventory::parse(&sim.inventory_toml()).expect("the simulator's inventory is read");
    collect::start(targets, settings, Arc::new(config::secret::resolve), Roots::public(), None)
}

/// Waits until the snapshot is as wanted; the last one if that does not happen in time.
async fn wait(
    collector: &mut Collector,
    within_s: u64,
    wanted: impl Fn(&FleetSnapshot) -> bool,
) -> Arc<FleetSnapshot> {
    let until = Instant::now() + Duration::from_secs(within_s);
    loop {
        let snapshot = Arc::clone(&collector.snapshots.borrow_and_update());
        if wanted(&snapshot) || Instant::now() > until {
            return snapshot;
        }
        let _ = tokio::time::timeout(Duration::from_millis(500), collector.snapshots.changed()).await;
    }
}

fn find<'a>(snapshot: &'a FleetSnapshot, name: &str) -> &'a InstanceSnapshot {
    snapshot.find(&InstanceId::new(name)).expect("the instance is in the snapshot")
}

fn told(i: &InstanceSnapshot) -> String {
    let reasons: Vec<&str> = i.health.reasons.iter().map(Reason::text).collect();
    format!("{} {:?} {:?}: {}", i.id(), i.health.level, i.health.score, reasons.join("; "))
}

/// A second for the fast tier, so that these tests take seconds.
fn quick() -> Settings {
    let thresholds = Thresholds { blocked_warning_s: 1, ..Thresholds::default() };
    Settings { fleet_every_ms: 1_000, fleet_detail_every_ms: 2_000, thresholds, ..Settings::default() }
}

/// What a reading tells: its value, or in words why there is none. Empty only if it tells neither.
fn tells<T>(reading: &Reading<T>) -> bool {
    reading.value.is_some() || !matches!(reading.problem, None | Some(Unavailable::NotYet))
}

fn complete(i: &InstanceSnapshot) -> bool {
    let f = &i.facts;
    f.headline.get().is_some_and(|h| h.batches_per_s.is_some() && h.cpu_pct.is_some())
        && f.waits.value.is_some()
        && f.cpu.value.is_some()
        && f.memory.value.is_some()
        && f.activity.value.is_some()
        && f.blocking.value.is_some()
        && f.properties.value.is_some()
        && f.rights.value.is_some()
        && f.databases.value.is_some()
        && f.cost.value.is_some()
        && tells(&f.availability)
        && tells(&f.volumes)
        && tells(&f.jobs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_fills_every_reading() {
    let sim = sim(20).await;
    let mut collector = start(&sim, Settings::default());
    let snapshot = wait(&mut collector, 30, |s| s.instances.iter().all(|i| complete(i))).await;
    for i in &snapshot.instances {
        assert!(complete(i), "{} lacks something: {:#?}", told(i), i.facts);
        assert_eq!(i.facts.link, Link::Up);
    }
    let versions: HashSet<_> =
        snapshot.instances.iter().filter_map(|i| i.facts.properties.get()?.year()).collect();
    assert!(versions.len() >= 4, "{versions:?}");
    assert_eq!(snapshot.polled, 20);
    assert!(collector.shutdown().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_ones_say_why_and_the_others_do_not_wait_for_them() {
    let sim = sim(40).await;
    let broken = [
        (Kind::Down, "unreachable since "),
        (Kind::BlackHole, "unreachable since "),
        (Kind::LoginRefused, "login refused (18456) since "),
        (Kind::NoRights, "needs VIEW SERVER "),
        (Kind::HostileCut, "unreachable since "),
        (Kind::HostileNulls, "no figures"),
    ];
    let name_of = |n: usize| name(&sim, n * 3);
    for n in 0..12 {
        sim.set(&name_of(n), broken[n % 6].0, None);
    }
    let mut collector = start(&sim, Settings::default());
    let of_broken: HashSet<String> = (0..12).map(name_of).collect();
    let is_healthy = |i: &&Arc<InstanceSnapshot>| !of_broken.contains(i.id().as_str());
    let healthy_done =
        |s: &FleetSnapshot| s.instances.iter().filter(is_healthy).all(|i| i.facts.headline.value.is_some());
    let snapshot = wait(&mut collector, 8, healthy_done).await;
    assert!(healthy_done(&snapshot), "healthy ones wait: {:?}", snapshot.collector);
    let all_said = |s: &FleetSnapshot| {
        (0..12).all(|n| {
            let said = find(s, &name_of(n));
            said.health.reasons.iter().any(|r| r.text().starts_with(broken[n % 6].1))
        })
    };
    let snapshot = wait(&mut collector, 15, all_said).await;
    for n in 0..12 {
        let i = find(&snapshot, &name_of(n));
        assert!(told(i).contains(broken[n % 6].1), "{:?}: {}", broken[n % 6].0, told(i));
    }
    let before = Instant::now();
    assert!(collector.shutdown().await, "black holes do not hold it up");
    assert!(before.elapsed() < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_storm_is_told_with_its_head() {
    let sim = sim(3).await;
    let storm = name(&sim, 1);
    sim.set(&storm, Kind::BlockingStorm, None);
    let mut collector = start(&sim, quick());
    let blocked = |i: &InstanceSnapshot| {
        i.health.reasons.iter().find_map(|r| match r.topic {
            Topic::Blocking(id) => Some((id, r.text().to_owned())),
            _ => None,
        })
    };
    let deep = |s: &FleetSnapshot| {
        let chains = find(s, &storm)
            .facts
            .blocking
            .get()
            .map_or(0, |b| b.chains.iter().map(|c| c.depth).max().unwrap_or(0));
        blocked(find(s, &storm)).is_some() && chains >= 2
    };
    let snapshot = wait(&mut collector, 40, deep).await;
    let i = find(&snapshot, &storm);
    let (id, text) = blocked(i).unwrap_or_else(|| panic!("{}", told(i)));
    assert!(text.contains(&format!(" by {id} (sleeping)")), "{text}");
    let blocking = i.facts.blocking.get().expect("chains are known");
    let chain = blocking
        .chains
        .iter()
        .find(|c| c.nodes[0].request.session_id == id)
        .expect("the chain of the reason");
    assert!(chain.depth >= 2 && chain.victims >= 3, "{} victims, {} deep", chain.victims, chain.depth);
    let head = &chain.nodes[0];
    assert!(head.statement_is_last && head.request.open_transactions.is_some_and(|n| n > 0), "{head:?}");
    let resource = chain.nodes[1].resource.as_ref().expect("what it waits for");
    assert!(resource.held_mode.is_some() && resource.database.is_some(), "{resource:?}");
    assert!(collector.shutdown().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_a_gap_and_not_a_spike() {
    let sim = sim(1).await;
    let mut collector = start(&sim, quick());
    let name = name(&sim, 0);
    wait(&mut collector, 10, |s| complete(find(s, &name))).await;
    sim.set(&name, Kind::Restart, Some(3.0));
    let snapshot = wait(&mut collector, 20, |s| find(s, &name).health.level == Level::Critical).await;
    assert!(told(find(&snapshot, &name)).contains("unreachable since "), "{}", told(find(&snapshot, &name)));
    let said = |s: &FleetSnapshot| told(find(s, &name)).contains("restarted ");
    let snapshot = wait(&mut collector, 40, said).await;
    assert!(said(&snapshot), "{}", told(find(&snapshot, &name)));
    let rates =
        |s: &FleetSnapshot| find(s, &name).facts.headline.get().is_some_and(|h| h.batches_per_s.is_some());
    let snapshot = wait(&mut collector, 10, rates).await;
    let i = find(&snapshot, &name);
    let batches: Vec<f32> =
        i.history.get(SeriesId::Batches).expect("a history").points().map(|(_, v)| v).collect();
    assert!(batches.iter().any(|v| v.is_nan()), "the outage is a gap: {batches:?}");
    assert!(batches.iter().all(|v| v.is_nan() || (0.0..1e6).contains(v)), "no spike: {batches:?}");
    assert!(collector.shutdown().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_hole_in_mid_life_is_told_and_heals_by_itself() {
    let sim = sim(2).await;
    let mut collector = start(&sim, quick());
    let name = name(&sim, 0);
    wait(&mut collector, 10, |s| complete(find(s, &name))).await;
    sim.set(&name, Kind::BlackHole, None);
    let snapshot = wait(&mut collector, 15, |s| find(s, &name).health.level == Level::Critical).await;
    let text = told(find(&snapshot, &name));
    assert!(text.contains("unreachable since ") && text.contains("(timed out)"), "{text}");
    sim.clear(&name, Kind::BlackHole);
    collector
        .commands
        .send(Command::Refresh(vec![InstanceId::new(&*name)]))
        .await
        .expect("the manager listens");
    let snapshot = wait(&mut collector, 45, |s| find(s, &name).facts.link == Link::Up).await;
    assert_eq!(find(&snapshot, &name).facts.link, Link::Up);
    assert!(collector.shutdown().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_data_harms_nobody() {
    let sim = sim(8).await;
    let kinds = [
        Kind::HostileNames,
        Kind::HostileTexts,
        Kind::HostileNulls,
        Kind::HostileCycle,
        Kind::HostileNegative,
        Kind::HostileClock,
        Kind::HostileEndless,
    ];
    for (n, kind) in kinds.into_iter().enumerate() {
        sim.set(&name(&sim, n + 1), kind, None);
    }
    let mut settings = quick();
    settings.focused_every_ms = 1_000;
    let mut collector = start(&sim, settings);
    let everyone = (0..8).map(|n| InstanceId::new(&*name(&sim, n))).collect();
    collector.commands.send(Command::Focus(everyone)).await.expect("the manager listens");
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        let snapshot = wait(&mut collector, 1, |_| false).await;
        for i in &snapshot.instances {
            let everything = format!("{:?} {:?}", i.facts, i.health);
            for bad in ["\\u{1b}", "\\u{202e}", "\\u{9b}", "\\u{7}", "\\0"] {
                assert!(!everything.contains(bad), "{} holds {bad}", i.id());
            }
            assert!(i.health.score.is_none_or(|s| s <= 100));
            let rates =
                i.facts.headline.get().into_iter().flat_map(|h| [h.cpu_pct, h.batches_per_s, h.log_flush_ms]);
            assert!(rates.flatten().all(|r| r >= 0.0), "{}", told(i));
            for (_, series) in i.history.iter() {
                assert!(series.points().is_sorted_by(|a, b| a.0 < b.0));
            }
        }
    }
    let snapshot = Arc::clone(&collector.snapshots.borrow());
    assert!(complete(&snapshot.instances[0]), "the healthy one is well: {}", told(&snapshot.instances[0]));
    let cycle = find(&snapshot, &name(&sim, 4));
    assert!(cycle.facts.blocking.get().is_some_and(|b| b.cycles_cut > 0), "{:?}", cycle.facts.blocking);
    assert!(collector.shutdown().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_stores_of_a_fleet_that_nobody_looks_at_are_read_and_judged() {
    let sim = sim(4).await;
    sim.set("*", Kind::QueryStoreFull, Some(1e9));
    let mut collector = start(&sim, Settings { slow_every_ms: 1_000, ..quick() });
    let stores = |i: &InstanceSnapshot| i.facts.query_store.get().cloned();
    let judged = |s: &FleetSnapshot| {
        let of_stores = |i: &InstanceSnapshot| i.health.reasons.iter().any(|r| r.topic == Topic::QueryStore);
        s.instances.iter().all(|i| stores(i).is_some()) && s.instances.iter().any(|i| of_stores(i))
    };
    let seen = wait(&mut collector, 30, judged).await;
    assert!(judged(&seen), "{:?}", seen.instances.iter().map(|i| told(i)).collect::<Vec<_>>());
    let queries: Vec<usize> =
        seen.instances.iter().map(|i| stores(i).map_or(0, |t| t.queries.len())).collect();
    assert!(
        queries.iter().any(|n| *n > 0) && queries.iter().all(|n| *n <= 30),
        "fewer than on the screen: {queries:?}"
    );
    assert!(collector.shutdown().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_reach_running_instances() {
    let sim = sim(4).await;
    let slow =
        Settings { fleet_every_ms: 3_600_000, fleet_detail_every_ms: 3_600_000, ..Settings::default() };
    let mut collector = start(&sim, slow.clone());
    let polled = |s: &FleetSnapshot| s.instances.iter().filter_map(|i| i.facts.headline.at).min();
    let rates = |s: &FleetSnapshot| {
        s.instances.iter().all(|i| i.facts.headline.get().is_some_and(|h| h.batches_per_s.is_some()))
    };
    let first = wait(&mut collector, 20, rates).await;
    assert!(rates(&first), "all were polled twice");
    let connects = first.collector.connects;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let quiet = Arc::clone(&collector.snapshots.borrow());
    assert_eq!(polled(&quiet), polled(&first), "once an hour");
    // Another pace, one query at a time, and a CPU threshold that everything is above.
    let thresholds = Thresholds { cpu_warning_pct: 0.0, cpu_critical_pct: 0.0, ..Thresholds::default() };
    let faster = Settings { fleet_every_ms: 1_000, max_queries: 1, max_handshakes: 1, thresholds, ..slow };
    collector.commands.send(Command::Settings(Box::new(faster))).await.expect("the collector runs");
    let seen = wait(&mut collector, 20, |s| polled(s) > polled(&first)).await;
    assert!(polled(&seen) > polled(&first), "polled again, all of them");
    assert!(seen.instances.iter().all(|i| i.facts.headline.every_ms == 1_000), "and shown as such");
    let judged = |s: &FleetSnapshot| s.instances.iter().all(|i| i.health.level == Level::Critical);
    let seen = wait(&mut collector, 20, judged).await;
    assert!(judged(&seen), "{:?}", seen.instances.iter().map(|i| told(i)).collect::<Vec<_>>());
    assert_eq!(seen.collector.connects, connects, "on the same connections");
    assert!(collector.shutdown().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_file_and_one_that_cannot_grow_are_reasons() {
    let sim = sim(2).await;
    sim.set("#1", Kind::IoSlowFile, Some(240.0));
    sim.set("#2", Kind::Autogrowth, Some(1.0));
    // The volume, which is as good as full then, is a reason of its own.
    let thresholds =
        Thresholds { volume_warning_pct: 0.1, volume_critical_pct: 0.1, ..Thresholds::default() };
    let mut collector = start(&sim, Settings { slow_every_ms: 2_000, thresholds, ..quick() });
    let reason = |s: &FleetSnapshot, index: usize, words: &str| {
        let i = find(s, &name(&sim, index));
        i.health.reasons.iter().find(|r| r.text().contains(words)).map(|r| (r.topic, i.health.score))
    };
    let both = |s: &FleetSnapshot| {
        s.instances.len() == 2
            && reason(s, 0, "reads of ").is_some()
            && reason(s, 1, " cannot grow ").is_some()
    };
    let snapshot = wait(&mut collector, 60, both).await;
    let all: Vec<String> = snapshot.instances.iter().map(|i| told(i)).collect();
    let (topic, score) = reason(&snapshot, 0, "reads of ").unwrap_or_else(|| panic!("{all:?}"));
    assert_eq!(topic, Topic::Io);
    assert!(score.is_some_and(|score| score < 90), "{all:?}");
    let (topic, score) = reason(&snapshot, 1, " cannot grow ").unwrap_or_else(|| panic!("{all:?}"));
    assert_eq!(topic, Topic::Storage);
    assert!(score.is_some_and(|score| score < 90), "{all:?}");
    collector.shutdown().await;
    sim.stop().await;
}
