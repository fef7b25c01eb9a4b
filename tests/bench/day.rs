//! What a day of history takes of the disk for an instance, by what is asked of it: `cargo bench --bench day` prints the table of
//! docs/performance.md, "History". Simulated instances are asked by the real probes over TLS, at the default pace, while their clock and
//! ours run many times faster; the real fold makes readings of the answers, and real stores take them: one those of the probes that
//! b4e7a4d had, one for each probe that came since with its readings beside those, and one all of them.
//!
//! `DBTOP_BENCH_HOURS` (24), `DBTOP_BENCH_SPEED` (240), `DBTOP_BENCH_INSTANCES` (3).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at the first error and prints"
)]

use dbtop::{
    collect::Settings,
    model::{
        base::{secret::Secret, time::Timestamp},
        fold::{Fleet, update::Update},
        inventory::{
            address::Endpoint,
            instance::{InstanceId, InstanceInfo, Target},
            record::{Auth, PollSettings, SecretRef},
        },
        judge::health::Thresholds,
        poll::{id::ProbeId, link::Link},
        timeline::record::{Record, Recorded},
    },
    probe::{Heard, ProbeContext, descriptor::Worth, poll, prepare, probe},
    sim::{
        Sim, SimConfig,
        scenario::{Kind, Scenario, Span},
        world::version::Version,
    },
    store::history::{Engine, Options, Reader},
    tds::{Roots, dial},
};
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

const WITHIN: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_hours(1);
/// A Tuesday at midnight, UTC.
const ORIGIN_MS: i64 = 1_796_688_000_000;
const HOUR_MS: i64 = 3_600_000;
const ROUND_MS: i64 = 30_000;
/// The probes that b4e7a4d had, by their codes.
const OLD: std::ops::RangeInclusive<u8> = 0..=13;

static CLOCK: OnceLock<(Instant, f64)> = OnceLock::new();

/// Our clock, which runs as fast as the servers'.
fn now() -> Timestamp {
    let (started, speed) = CLOCK.get().unwrap();
    Timestamp::from_ms(ORIGIN_MS + (started.elapsed().as_secs_f64() * speed * 1_000.0) as i64)
}

fn setting(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The troubles of an ordinary day: deadlocks now and then, a storm of blocking, a plan that gets worse, a full CPU.
fn scenario() -> Scenario {
    let from = |hour: i64, minutes: i64| Span::between_s(hour * 3_600, hour * 3_600 + minutes * 60);
    Scenario::default()
        .with("*", Kind::DeadlockPattern, from(0, 24 * 60), Some(0.02))
        .with("*", Kind::BlockingStorm, from(9, 10), None)
        .with("*", Kind::PlanRegression, from(11, 60), None)
        .with("*", Kind::CpuStorm, from(15, 20), None)
}

fn target(sim: &Sim, index: usize) -> Target {
    let address = sim.address(index).unwrap();
    Target {
        info: Arc::new(InstanceInfo::named(&format!("SIM-{index}"))),
        endpoint: Endpoint { host: address.ip().to_string(), port: Some(address.port()), instance: None },
        auth: Auth::Sql { user: sim.login().0.to_owned(), secret: SecretRef::Env("UNUSED".into()) },
        action: None,
        database: None,
        ca_file: Some(sim.ca_file()),
        host_in_certificate: None,
        read_only_intent: false,
        multi_subnet_failover: false,
    }
}

/// Asks one instance at the default pace until `end`.
async fn ask(target: Target, password: String, end: Timestamp, updates: mpsc::Sender<Update>) {
    let (settings, own) = (Settings::default(), PollSettings::default());
    let dialed = dial(&target, WITHIN).await.unwrap();
    let mut conn = dialed.login(&target, &Secret::new(password), &Roots::public(), WITHIN).await.unwrap();
    let mut ctx = ProbeContext::new(now);
    prepare(&mut conn, &mut ctx).await.unwrap();
    let instance: InstanceId = target.info.id.clone();
    updates.send(Update::Link { instance: instance.clone(), at: now(), link: Link::Up }).await.unwrap();
    let mut due: Vec<(ProbeId, Timestamp)> = ProbeId::ALL.iter().map(|id| (*id, now())).collect();
    while now() < end {
        let at = now();
        let is_due = |(id, then): &(ProbeId, Timestamp)| *then <= at && probe(*id).worth.is_now(&ctx);
        let asked: Vec<ProbeId> = due.iter().filter(|slot| is_due(slot)).map(|(id, _)| *id).collect();
        for (id, then) in due.iter_mut().filter(|(id, _)| asked.contains(id)) {
            *then = then.plus_ms(settings.every_ms(&own, *id, false).into());
            if matches!(probe(*id).worth, Worth::News(_)) {
                ctx.handed_over(*id);
                ctx.heard(Heard::Told);
            }
        }
        for polled in poll(&mut conn, &asked, &mut ctx).await {
            let every_ms = settings.every_ms(&own, polled.probe, false);
            let update = Update::Polled {
                instance: instance.clone(),
                probe: polled.probe,
                at: now(),
                took_ms: polled.took_ms,
                every_ms,
                outcome: polled.outcome,
            };
            updates.send(update).await.unwrap();
        }
        let next = due.iter().filter(|(id, _)| probe(*id).worth.ages()).map(|(_, then)| *then).min().unwrap();
        let speed = CLOCK.get().unwrap().1;
        let wait_s = (next - now()).max(0) as f64 / 1_000.0 / speed;
        tokio::time::sleep(Duration::from_secs_f64(wait_s.max(0.001))).await;
    }
}

/// A store, and whose readings it takes.
struct Store {
    what: String,
    folder: tempfile::TempDir,
    engine: Engine,
    takes: Box<dyn Fn(ProbeId) -> bool>,
}

impl Store {
    fn new(what: &str, takes: impl Fn(ProbeId) -> bool + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(&folder.path().join("history.db"), None, Options::default()).unwrap();
        Self { what: what.to_owned(), folder, engine, takes: Box::new(takes) }
    }

    fn take(&mut self, records: &[Record], at: Timestamp) {
        let is_taken = |record: &&Record| match &record.what {
            Recorded::Reading { probe, .. } | Recorded::Pace { probe, .. } => (self.takes)(*probe),
            _ => true,
        };
        self.engine.take(records.iter().filter(is_taken).cloned().collect());
        self.engine.commit().unwrap();
        self.engine.seal(at, LONG).unwrap();
    }
}

fn stores() -> Vec<Store> {
    let is_old = |id: ProbeId| OLD.contains(&id.code());
    let mut stores = vec![Store::new("probes of b4e7a4d", is_old)];
    for id in ProbeId::ALL.into_iter().filter(|id| !is_old(*id)) {
        stores.push(Store::new(id.name(), move |other| other == id || is_old(other)));
    }
    stores.push(Store::new("all of them", |_| true));
    stores
}

/// KB of a day of one instance, by kind: states, points, roll-ups, texts, events.
fn sizes(store: Store, instances: u32, hours: u32) -> (String, [f64; 5]) {
    let Store { what, folder, engine, .. } = store;
    engine.close().unwrap();
    let mut told = [0.0; 5];
    for tier in Reader::open(&folder.path().join("history.db"), None).unwrap().stats().all().unwrap().tiers {
        let place = match tier.name {
            "states" | "not sealed yet" => 0,
            name if name.starts_with("points") => 1,
            name if name.starts_with("roll-ups") => 2,
            "texts" => 3,
            _ => 4,
        };
        told[place] += tier.bytes as f64 / 1_024.0 / f64::from(instances) * 24.0 / f64::from(hours);
    }
    (what, told)
}

fn main() {
    // `cargo test --benches` runs it, too.
    if std::env::args().any(|word| word == "--test") {
        return;
    }
    let (hours, speed) = (setting("DBTOP_BENCH_HOURS", 24), setting("DBTOP_BENCH_SPEED", 240));
    let instances = setting("DBTOP_BENCH_INSTANCES", 3);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let versions = [Version::V2016, Version::V2019, Version::V2022].to_vec();
    let config = SimConfig {
        instances: instances as usize,
        scenario: scenario(),
        versions,
        port: Some(0),
        utc_origin_ms: Some(ORIGIN_MS),
        speed: speed.into(),
        ..SimConfig::default()
    };
    let sim = runtime.block_on(Sim::start(config)).unwrap();
    CLOCK.set((Instant::now(), speed.into())).unwrap();
    let end = Timestamp::from_ms(ORIGIN_MS + i64::from(hours) * HOUR_MS);
    let targets: Vec<Target> = (0..instances as usize).map(|index| target(&sim, index)).collect();
    let mut fleet = Fleet::new(Thresholds::default());
    fleet.keep();
    fleet.apply(Update::Inventory(targets.iter().map(|target| Arc::clone(&target.info)).collect()));
    let (updates, mut told) = mpsc::channel(10_000);
    for target in targets {
        runtime.spawn(ask(target, sim.login().1.to_owned(), end, updates.clone()));
    }
    drop(updates);
    let mut stores = stores();
    let (mut polls, mut failed, mut next) = (0_u64, 0_u64, ORIGIN_MS + ROUND_MS);
    while let Some(update) = told.blocking_recv() {
        if let Update::Polled { outcome, .. } = &update {
            polls += 1;
            failed += u64::from(outcome.is_err());
        }
        fleet.apply(update);
        if now().ms() >= next {
            next = now().ms() + ROUND_MS;
            let records = fleet.drain_kept();
            for store in &mut stores {
                store.take(&records, now());
            }
        }
    }
    let records = fleet.drain_kept();
    // What is left open is sealed, as it would be hours later.
    for later in 0..8 {
        let records = if later == 0 { &records[..] } else { &[] };
        for store in &mut stores {
            store.take(records, end.plus_ms((1 + later) * HOUR_MS));
        }
    }
    let a_minute = polls as f64 / f64::from(instances) / f64::from(hours) / 60.0;
    println!(
        "{instances} instances, {hours} h, {polls} polls ({a_minute:.1} a minute of an instance), {failed} failed"
    );
    println!(
        "KB of a day of one instance          states  points  roll-ups   texts  events     all      more"
    );
    let mut base = None;
    for (what, told) in stores.into_iter().map(|store| sizes(store, instances, hours)) {
        let all: f64 = told.iter().sum();
        let base = *base.get_or_insert(all);
        let [states, points, rollups, texts, events] = told;
        println!(
            "{what:<34} {states:>8.1} {points:>7.1} {rollups:>9.1} {texts:>7.1} {events:>7.1} {all:>7.1} {:>7.1} %",
            (all / base - 1.0) * 100.0
        );
    }
}
