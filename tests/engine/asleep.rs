//! The machine that collects was asleep for an hour, as a laptop is: the collector, real TDS, the store's writer and reader. Our
//! clock is the test's; timers stand still meanwhile, as they do in a suspend.

use dbtop::{
    collect::{self, Collector, Settings},
    config,
    model::{
        base::time::Timestamp,
        fold::snapshot::FleetSnapshot,
        poll::id::{SeriesId, SeriesKey},
        timeline::{chart::MarkKind, record::Record},
    },
    sim::{Sim, SimConfig, scenario::Scenario},
    store::history::{EventFilter, Options, Reader, Writer},
    tds::Roots,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::mpsc::Sender;

const HOUR_MS: i64 = 3_600_000;

/// So long it was asleep, ms.
static ASLEEP: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that goes");
    Timestamp::from_ms(since.as_millis() as i64 + ASLEEP.load(Relaxed))
}

fn start(sim: &Sim, recorder: Sender<Vec<Record>>) -> Collector {
    let targets = config::inventory::parse(&sim.inventory_toml()).expect("the simulator's inventory is read");
    let settings = Settings {
        fleet_every_ms: 3_000,
        fleet_detail_every_ms: 4_000,
        slow_every_ms: 10_000,
        clock,
        ..Settings::default()
    };
    collect::start(targets, settings, Arc::new(config::secret::resolve), Roots::public(), Some(recorder))
}

/// Waits until every instance has a rate of batches that was made later than `after`.
async fn until_rates(collector: &mut Collector, after: Timestamp) -> Arc<FleetSnapshot> {
    let started = Instant::now();
    loop {
        let snapshot = Arc::clone(&collector.snapshots.borrow_and_update());
        let has_rate = |i: &dbtop::model::fold::snapshot::InstanceSnapshot| {
            i.history
                .get(SeriesId::Batches)
                .is_some_and(|s| s.points().filter(|(at, v)| *at > after && !v.is_nan()).count() >= 2)
        };
        if snapshot.instances.iter().all(|i| has_rate(i)) {
            return snapshot;
        }
        assert!(started.elapsed() < Duration::from_secs(150), "no rates: {:?}", snapshot.counts);
        let _ = tokio::time::timeout(Duration::from_millis(500), collector.snapshots.changed()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_asleep_is_a_gap_in_history_and_in_charts() {
    let config =
        SimConfig { instances: 4, port: Some(0), scenario: Scenario::default(), ..SimConfig::default() };
    let sim = Sim::start(config).await.expect("the simulator starts");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("history.db");
    let (recorder, writer) = Writer::start(&file, None, Options::default()).expect("the store opens");
    let began = clock();
    let mut collector = start(&sim, recorder);
    until_rates(&mut collector, began).await;
    let slept = clock();
    ASLEEP.store(HOUR_MS, Relaxed);
    let woke = clock();
    // It fell asleep between the two looks at the clock, however long a busy machine took for that.
    let fell = woke.plus_ms(-HOUR_MS);
    let last = until_rates(&mut collector, woke).await;
    assert_eq!(last.counts.critical, 0, "a sleep is no trouble of the servers");
    assert!(collector.shutdown().await);
    writer.join().expect("all is written");

    let reader = Reader::open(&file, None).expect("the store is read");
    let filter = EventFilter { kinds: vec![MarkKind::Gap], ..EventFilter::default() };
    let gaps = reader.events().list(&filter, began, clock()).expect("events");
    assert_eq!(gaps.len(), 1, "one gap for the fleet: {gaps:?}");
    let is_all_of_it = gaps[0].at <= fell && gaps[0].to.is_some_and(|to| to >= slept.plus_ms(HOUR_MS));
    assert!(is_all_of_it, "{gaps:?}");
    for instance in &last.instances {
        let key = SeriesKey::of(SeriesId::Batches);
        let drawn = reader.charts().draw(&instance.info.uid, &key, began, clock(), 240).expect("a chart");
        let buckets = &drawn.line.buckets;
        let is_after = |at: Timestamp| at > woke.plus_ms(-60_000);
        assert!(buckets.iter().any(|b| b.at <= fell), "the evening: {buckets:?}");
        assert!(buckets.iter().any(|b| is_after(b.at)), "the morning: {buckets:?}");
        assert!(buckets.iter().all(|b| b.at <= fell || is_after(b.at)), "nothing is made up: {buckets:?}");
        assert_eq!(drawn.line.over(slept.plus_ms(HOUR_MS / 3), slept.plus_ms(HOUR_MS / 2)), None);
    }
}
