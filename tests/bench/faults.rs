//! The fault run: 200 simulated instances, 30 % of them down, black-holed, slow, hostile, refusing or without rights,
//! in a process of their own; the collector in this one.
//!
//! `cargo bench --bench faults [-- INSTANCES [MINUTES]]` prints a table: whether the healthy ones are polled on time,
//! how soon every broken one says why in words, and whether memory stays flat. Exits with 1 if a target is missed.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its table, and fails like a test"
)]

#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with the tests, which look at more")]
mod harness;
mod support;

use dbtop::{
    collect::{self, Settings},
    config::{inventory, secret},
    model::{
        fold::snapshot::{FleetSnapshot, InstanceSnapshot},
        inventory::instance::InstanceId,
    },
    tds::Roots,
};
use harness::process::SimProcess;
use std::{
    collections::HashMap,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use support::{figures, percentile};

/// What is wrong with the n-th of every twenty instances; six of twenty are 30 %.
const FAULTS: [(usize, &str); 6] = [
    (2, "down"),
    (5, "black_hole"),
    (8, "slow_network"),
    (11, "hostile"),
    (14, "login_refused"),
    (17, "hostile_endless"),
];

/// A poll is on time when its value is never older than its interval, the jitter of 10 %, and the time for one round
/// trip.
const ON_TIME_S: f64 = 30.0 * 1.1 + 2.0;
const SAYS_WHY_WITHIN_S: f64 = 15.0;

fn main() -> ExitCode {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let instances = numbers.first().copied().unwrap_or(200);
    let minutes = numbers.get(1).copied().unwrap_or(10);
    let events =
        FAULTS.map(|(n, kind)| format!("[[event]]\non = \"#{n}/20\"\nkind = \"{kind}\"\nfrom_s = -60\n"));
    let scenario = events.join("\n");
    let sim = SimProcess::start(instances, 14_700, Some(&scenario));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let missed = runtime.block_on(watch(&sim, instances, Duration::from_secs(u64::from(minutes) * 60)));
    runtime.shutdown_background();
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was seen of one instance.
#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "units stand last in names")]
struct Seen {
    says_why_s: Option<f64>,
    first_good_s: Option<f64>,
    oldest_s: f64,
}

async fn watch(sim: &SimProcess, instances: u32, time: Duration) -> usize {
    let targets = inventory::load(&sim.inventory).expect("the simulator's inventory");
    let collector =
        collect::start(targets, Settings::default(), Arc::new(secret::resolve), Roots::load(), None);
    let started = Instant::now();
    let mut snapshots = collector.snapshots.clone();
    let mut seen: HashMap<InstanceId, Seen> = HashMap::new();
    let mut memory = Vec::new();
    let (cpu_before, _) = figures(std::process::id());
    let mut next_look = started;
    while started.elapsed() < time {
        if tokio::time::timeout(Duration::from_secs(1), snapshots.changed()).await.is_ok_and(|r| r.is_err()) {
            break;
        }
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        look(&snapshot, started.elapsed().as_secs_f64(), &mut seen);
        if started >= next_look || Instant::now() >= next_look {
            next_look = Instant::now() + Duration::from_secs(10);
            memory.push((started.elapsed().as_secs_f64(), figures(std::process::id()).1 as f64 / 1024.0));
        }
    }
    let took = started.elapsed().as_secs_f64();
    let (cpu_after, _) = figures(std::process::id());
    let last = Arc::clone(&collector.snapshots.borrow());
    let clean = collector.shutdown().await;
    let report = Report { instances, took, cpu: cpu_after - cpu_before, memory, clean };
    report.print(&last, &seen)
}

fn is_broken(index: usize) -> bool {
    FAULTS.iter().any(|(n, _)| (index + 1) % 20 == *n)
}

/// Notes when an instance first says why it has no value, or first has one, and how old its value ever got.
fn look(snapshot: &FleetSnapshot, now_s: f64, seen: &mut HashMap<InstanceId, Seen>) {
    for i in &snapshot.instances {
        let s = seen.entry(i.info.id.clone()).or_default();
        if s.says_why_s.is_none() && says_why(i) {
            s.says_why_s = Some(now_s);
        }
        let age_s = i.facts.headline.age_ms(snapshot.at).map(|ms| ms as f64 / 1000.0);
        match (age_s, s.first_good_s) {
            (Some(_), None) => s.first_good_s = Some(now_s),
            (Some(age), Some(_)) => s.oldest_s = s.oldest_s.max(age),
            (None, _) => {}
        }
    }
}

/// The fleet pane shows what is wrong with this instance; that nothing came yet is no reason.
fn says_why(i: &InstanceSnapshot) -> bool {
    let not_yet = ["", "not polled yet", "first poll under way"];
    i.health.reasons.iter().any(|r| !not_yet.contains(&r.text().trim()))
}

struct Report {
    instances: u32,
    took: f64,
    cpu: f64,
    memory: Vec<(f64, f64)>,
    clean: bool,
}

impl Report {
    /// Prints the table; how many targets were missed.
    fn print(&self, last: &FleetSnapshot, seen: &HashMap<InstanceId, Seen>) -> usize {
        let mut missed = 0;
        let mut row = |what: &str, measured: f64, target: f64, unit: &str| {
            let met = measured <= target;
            missed += usize::from(!met);
            let mark = if met { "" } else { "  MISSED" };
            let ratio = if target > 0.0 { format!("{:.2}x", measured / target) } else { "–".into() };
            println!("{what:<58} {measured:>9.2} {unit:<3} {target:>9.2} {unit:<3} {ratio:>7}{mark}");
        };
        println!("\n{} instances, 30 % broken, {:.0} s", self.instances, self.took);
        println!("{:<58} {:>13} {:>13} {:>7}", "what", "measured", "target", "ratio");
        let of = |broken: bool| {
            let ids = last.instances.iter().enumerate().filter(move |(n, _)| is_broken(*n) == broken);
            ids.filter_map(|(_, i)| seen.get(i.id())).collect::<Vec<_>>()
        };
        let healthy = of(false);
        let mut first: Vec<f64> = healthy.iter().map(|s| s.first_good_s.unwrap_or(f64::INFINITY)).collect();
        first.sort_by(f64::total_cmp);
        row("healthy: first figures, slowest", percentile(&first, 1.0), SAYS_WHY_WITHIN_S, "s");
        let mut oldest: Vec<f64> = healthy.iter().map(|s| s.oldest_s).collect();
        oldest.sort_by(f64::total_cmp);
        row("healthy: oldest headline ever, median", percentile(&oldest, 0.5), ON_TIME_S, "s");
        row("healthy: oldest headline ever, worst", percentile(&oldest, 1.0), ON_TIME_S, "s");
        for (n, kind) in FAULTS {
            let ids = last.instances.iter().enumerate().filter(|(i, _)| (i + 1) % 20 == n);
            let worst = ids
                .filter_map(|(_, i)| seen.get(i.id()))
                .map(|s| match (says_why_matters(kind), s.says_why_s, s.first_good_s) {
                    (true, why, _) => why.unwrap_or(f64::INFINITY),
                    // Slow and hostile ones may be polled well: figures are an answer, too.
                    (false, why, good) => why.unwrap_or(f64::INFINITY).min(good.unwrap_or(f64::INFINITY)),
                })
                .fold(0.0, f64::max);
            row(&format!("{kind}: says why, slowest"), worst, SAYS_WHY_WITHIN_S, "s");
        }
        let by_minute = self.memory.iter().step_by(6).map(|(_, mb)| format!("{mb:.1}")).collect::<Vec<_>>();
        println!("memory at the start and after each minute, MB: {}", by_minute.join(" "));
        let settled: Vec<f64> = self.memory.iter().filter(|(t, _)| *t > 60.0).map(|(_, m)| *m).collect();
        if let (Some(first), Some(last)) = (settled.first(), settled.last()) {
            row("memory at the end, against that after a minute", *last, first * 1.1 + 2.0, "MB");
        }
        row("CPU of one core", self.cpu / self.took * 100.0, 15.0, "%");
        row(
            "polls skipped because the one before still ran",
            last.collector.polls_skipped as f64,
            0.0_f64.max(self.took / 30.0 * f64::from(self.instances) * 0.01),
            "",
        );
        row("samples that waited", last.collector.samples_waited as f64, 0.0, "");
        row("unclean shutdown", f64::from(u8::from(!self.clean)), 0.0, "");
        missed
    }
}

/// Faults without any figures.
fn says_why_matters(kind: &str) -> bool {
    matches!(kind, "down" | "black_hole" | "login_refused")
}
