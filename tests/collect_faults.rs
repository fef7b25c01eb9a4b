//! The fault run: 200 simulated instances over real TDS, 30 % of them down, black-holed, slow, hostile or refusing.
//! The others are polled on time, every broken one says why in words within 15 s of its first due poll, and memory is
//! flat. It measures time, so it wants a machine for itself and is not part of a plain `cargo test`:
//! `cargo test --test collect_faults -- --ignored` runs it for 40 s, with `DBTOP_FAULT_RUN_S=600` for ten minutes.

use dbtop::{
    collect::{self, Settings},
    config,
    model::{health::Level, snapshot::InstanceSnapshot},
    sim::{
        Sim, SimConfig,
        scenario::{Kind, Scenario},
    },
    tds::Roots,
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

const INSTANCES: usize = 200;

/// What breaks, and how its reason begins.
const BROKEN: [(Kind, &[&str]); 7] = [
    (Kind::Down, &["unreachable since "]),
    (Kind::BlackHole, &["unreachable since "]),
    (Kind::SlowNetwork, &["unreachable since ", "no headline (timed out)"]),
    (Kind::LoginRefused, &["login refused (18456) since "]),
    (Kind::NoRights, &["needs VIEW SERVER "]),
    (Kind::HostileCut, &["unreachable since "]),
    (Kind::HostileNulls, &["no figures: "]),
];

/// Polls of the fast tier, and how old a headline may get on a machine that is busy with the simulator and with other
/// tests. Waiting for a black hole would make it older than that: a login gives up after 10 s.
const EVERY_MS: u32 = 5_000;
const LATEST_MS: u64 = 12_000;

/// Few of these: the simulator, in the same process, has to make each of their rows.
const ENDLESS: (Kind, &[&str]) =
    (Kind::HostileEndless, &["bad answer since ", "unreachable since ", "no headline "]);

/// The kind of trouble of an instance: three of ten are broken.
fn broken(index: usize) -> Option<(Kind, &'static [&'static str])> {
    if index % 100 == 1 {
        return Some(ENDLESS);
    }
    (index % 10 < 3).then(|| BROKEN[(index / 10 * 3 + index % 10) % BROKEN.len()])
}

fn says_why(i: &InstanceSnapshot, reasons: &[&str]) -> bool {
    i.health.reasons.iter().any(|r| reasons.iter().any(|w| r.text.starts_with(w)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures time: wants a machine for itself, and a minute"]
async fn a_third_is_broken_and_the_others_do_not_notice() {
    let seconds = std::env::var("DBTOP_FAULT_RUN_S").ok().and_then(|s| s.parse().ok()).unwrap_or(40);
    let config = SimConfig {
        instances: INSTANCES,
        port: Some(0),
        scenario: Scenario::default(),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.expect("the simulator starts");
    let names: Vec<String> = sim.fleet().profiles.iter().map(|p| p.name.clone()).collect();
    for (index, name) in names.iter().enumerate() {
        if let Some((kind, _)) = broken(index) {
            sim.set(name, kind, None);
        }
    }
    let targets = config::inventory::parse(&sim.inventory_toml()).expect("the simulator's inventory is read");
    let settings =
        Settings { fleet_every_ms: EVERY_MS, fleet_detail_every_ms: 10_000, ..Settings::default() };
    let started = Instant::now();
    let collector = collect::start(targets, settings, Arc::new(config::secret::resolve), Roots::public());

    let mut told_after: HashMap<usize, Duration> = HashMap::new();
    let mut oldest_ms: HashMap<usize, u64> = HashMap::new();
    let mut early_rss = 0;
    while started.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let snapshot = Arc::clone(&collector.snapshots.borrow());
        for (index, i) in snapshot.instances.iter().enumerate() {
            if let Some((_, reasons)) = broken(index) {
                if says_why(i, reasons) {
                    told_after.entry(index).or_insert_with(|| started.elapsed());
                }
            } else if started.elapsed() > Duration::from_secs(12) {
                let age = i.facts.headline.age_ms(snapshot.at).unwrap_or(u64::MAX);
                let oldest = oldest_ms.entry(index).or_default();
                *oldest = age.max(*oldest);
            }
        }
        if started.elapsed() < Duration::from_secs(30) {
            early_rss = snapshot.collector.process_rss_bytes.max(early_rss);
        }
    }

    let snapshot = Arc::clone(&collector.snapshots.borrow());
    println!("{:?} {:?}", snapshot.counts, snapshot.collector);
    for (index, name) in names.iter().enumerate() {
        let shown = &snapshot.instances[index];
        let reasons: Vec<&str> = shown.health.reasons.iter().map(|r| &*r.text).collect();
        if let Some((kind, _)) = broken(index) {
            // The first poll of each is due 8 ms after the one before.
            let limit = Duration::from_secs(15) + Duration::from_millis(8) * index as u32;
            let told = told_after.get(&index);
            assert!(
                told.is_some_and(|t| *t <= limit),
                "{name} ({kind}) said why after {told:?}: {reasons:?}"
            );
        } else {
            let oldest = oldest_ms.get(&index).copied().unwrap_or(u64::MAX);
            assert!(oldest <= LATEST_MS, "{name} was {oldest} ms old");
            assert_ne!(shown.health.level, Level::Offline);
        }
    }
    assert_eq!(snapshot.collector.samples_dropped, 0);
    let grown = snapshot.collector.process_rss_bytes.saturating_sub(early_rss);
    assert!(grown < 48 << 20, "memory grew by {} MB", grown >> 20);
    assert!(collector.shutdown().await);
}
