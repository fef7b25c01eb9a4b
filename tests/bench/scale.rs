//! `dbtop collect` over fleets of growing size: the real program, the simulator in a process of its own, real TDS with TLS,
//! default cadence, history on the disk.
//!
//! `cargo bench --bench scale [-- MINUTES [INSTANCES …]]` prints a table (default: 10 minutes each of 100, 500, 1,000 and
//! 2,000) and whether the targets for 1,000, 5,000 and 10,000 are met. Exits with 1 if one is missed. `DBTOP_BENCH` names
//! another binary of dbtop to measure, with the simulators of this one.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its table, and fails like a test"
)]

#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with the tests, which look at more")]
mod harness;
#[expect(dead_code, reason = "other benchmarks use the rest")]
mod support;

use harness::{
    Home,
    process::{SimProcess, dbtop, signal, wait},
};
use serde_json::Value;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};
use support::figures;

/// The first connect and the first poll of everything are over.
const SETTLED: Duration = Duration::from_mins(1);

/// Instances, most percent of one core, most MB.
const TARGETS: [(u32, f64, f64); 3] = [(1_000, 30.0, 250.0), (5_000, 20.0, 500.0), (10_000, 45.0, 1_024.0)];

/// So many instances a simulator plays: each has a socket to listen and one for the connection.
const A_SIMULATOR: u32 = 2_500;

/// What the names of the simulators but the first begin with.
const LETTERS: &str = "b c d e f g h";

struct Row {
    instances: u32,
    cpu_pct: f64,
    sim_cpu_pct: f64,
    rss_mb: f64,
    polls: f64,
    on_time_pct: f64,
    late: f64,
    skipped: f64,
    failed: f64,
    latency_ms: [f64; 3],
    points: f64,
    point_bytes: f64,
    lost: f64,
    drain_s: f64,
}

fn main() -> ExitCode {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let minutes = numbers.first().copied().unwrap_or(10);
    let sizes = if numbers.len() > 1 { numbers[1..].to_vec() } else { vec![100, 500, 1_000, 2_000] };
    println!(
        "instances   CPU %  memory  polls/s  on time %  late  skipped  failed   p50/p95/p99 ms  points/s  bytes/point  lost  \
         drain  sim CPU"
    );
    let rows: Vec<Row> =
        sizes.iter().map(|n| measure(*n, Duration::from_secs(u64::from(minutes) * 60))).collect();
    let mut missed = 0;
    let mut target = |what: &str, met: bool| {
        missed += u32::from(!met);
        println!("{what:<62} {}", if met { "met" } else { "MISSED" });
    };
    for (instances, cpu_pct, mb) in TARGETS {
        let Some(r) = rows.iter().find(|r| r.instances == instances) else { continue };
        target(
            &format!("{instances}: {:.1} % of a core, target {cpu_pct} %", r.cpu_pct),
            r.cpu_pct <= cpu_pct,
        );
        target(&format!("{instances}: {:.0} MB, target {mb} MB", r.rss_mb), r.rss_mb <= mb);
        target(
            &format!("{instances}: {:.2} % of polls on time, target 99.9 %", r.on_time_pct),
            r.on_time_pct >= 99.9,
        );
    }
    if let (Some(first), Some(last)) = (rows.first(), rows.last())
        && last.instances > first.instances
    {
        let grown = last.cpu_pct / first.cpu_pct / f64::from(last.instances / first.instances);
        target(
            &format!(
                "CPU an instance, {} against {}: {grown:.2}x, target 1x",
                last.instances, first.instances
            ),
            grown <= 1.05,
        );
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(instances: u32, time: Duration) -> Row {
    let home = Home::new();
    let sims = Simulators::start(instances);
    let inventory = home.file("fleet.toml", &sims.inventory());
    let inventory = inventory.to_string_lossy();
    let mut command = dbtop(&["--inventory", &inventory, "collect"], &home);
    if let Some(other) = std::env::var_os("DBTOP_BENCH") {
        command = with_program(&command, &other);
    }
    let mut collector = command.stderr(Stdio::null()).spawn().expect("starting dbtop collect");
    std::thread::sleep(SETTLED.min(time / 3));
    let (before, _) = figures(collector.id());
    let sim_before = sims.cpu_s();
    let polls_before = heartbeat(&home);
    let started = Instant::now();
    let mut rss = 0;
    while started.elapsed() < time.saturating_sub(SETTLED.min(time / 3)) {
        std::thread::sleep(Duration::from_secs(2));
        rss = rss.max(figures(collector.id()).1);
    }
    let took = started.elapsed().as_secs_f64();
    let (after, _) = figures(collector.id());
    let sim_after = sims.cpu_s();
    let beat = heartbeat(&home);
    signal(collector.id(), "TERM");
    let ending = Instant::now();
    assert!(wait(&mut collector, Duration::from_secs(10)).is_some(), "dbtop collect did not end");
    let grown = |pointer: &str| number(&beat, pointer) - number(&polls_before, pointer);
    let (ok, late, skipped) = (grown("/polls/ok"), grown("/polls/late"), grown("/polls/skipped"));
    let row = Row {
        instances,
        cpu_pct: (after - before) / took * 100.0,
        sim_cpu_pct: (sim_after - sim_before) / took * 100.0,
        rss_mb: rss as f64 / 1024.0,
        polls: ok / took,
        late,
        skipped,
        on_time_pct: (1.0 - (late + skipped) / (ok + skipped).max(1.0)) * 100.0,
        failed: grown("/polls/failed"),
        latency_ms: ["p50", "p95", "p99"].map(|p| number(&beat, &format!("/latency/{p}_ms"))),
        points: grown("/store/points") / took,
        // Nothing is sealed in ten minutes: this is what a point costs while it is hot, states and log included.
        point_bytes: number(&beat, "/store/size_bytes") / number(&beat, "/store/points"),
        lost: number(&beat, "/store/samples_lost"),
        drain_s: ending.elapsed().as_secs_f64(),
    };
    let latency = row.latency_ms.map(|ms| format!("{ms:.0}")).join("/");
    println!(
        "{:>9} {:>7.1} {:>4.0} MB {:>8.0} {:>10.2} {:>5.0} {:>8.0} {:>7.0} {latency:>16} {:>9.0} {:>12.1} {:>5.0} {:>4.1} s {:>6.0} %",
        row.instances,
        row.cpu_pct,
        row.rss_mb,
        row.polls,
        row.on_time_pct,
        row.late,
        row.skipped,
        row.failed,
        row.points,
        row.point_bytes,
        row.lost,
        row.drain_s,
        row.sim_cpu_pct
    );
    row
}

/// The same call of another program.
fn with_program(command: &Command, program: &OsStr) -> Command {
    let mut other = Command::new(program);
    other.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}

/// Simulators beside each other.
struct Simulators(Vec<SimProcess>);

impl Simulators {
    fn start(instances: u32) -> Self {
        let (whole, rest) = (instances / A_SIMULATOR, instances % A_SIMULATOR);
        let sizes = (0..whole).map(|_| A_SIMULATOR).chain((rest > 0).then_some(rest));
        let port = |i: usize| u16::try_from(14_700 + i).expect("a port");
        Self(sizes.enumerate().map(|(i, n)| SimProcess::start(n, port(i), None)).collect())
    }

    /// One inventory of all. The fleets are alike, so that the names of all but the first get a letter; each has its CA.
    fn inventory(&self) -> String {
        let mut all = String::new();
        for (letter, sim) in [""].into_iter().chain(LETTERS.split(' ')).zip(&self.0) {
            let text = std::fs::read_to_string(&sim.inventory).expect("the simulator's inventory");
            let (head, instances) = text.split_once("[[instance]]").expect("an instance");
            let ca = head.lines().find(|l| l.starts_with("ca_file")).expect("the simulator's CA");
            for instance in instances.split("[[instance]]") {
                all.push_str("[[instance]]\n");
                all.push_str(ca);
                all.push_str(&instance.replace("name = \"", &format!("name = \"{letter}")));
            }
        }
        all
    }

    fn cpu_s(&self) -> f64 {
        self.0.iter().map(|sim| figures(sim.pid()).0).sum()
    }
}

/// What the collector said of itself last.
fn heartbeat(home: &Home) -> Value {
    let file = find(&home.path(), "collector.json").expect("the collector's heartbeat");
    let text = std::fs::read_to_string(file).expect("reading the heartbeat");
    serde_json::from_str(&text).expect("the heartbeat is JSON")
}

fn number(beat: &Value, pointer: &str) -> f64 {
    beat.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries
        .map(|e| e.path())
        .find_map(|path| if path.is_dir() { find(&path, name) } else { path.ends_with(name).then_some(path) })
}
