//! What a person waits for, measured from outside: the real program in a pseudo-terminal, a simulated fleet in a
//! process of its own, real TDS with TLS between them.
//!
//! `cargo bench --bench live [-- INSTANCES [SECONDS]]` prints a table; each row has its target beside it.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its table, and fails like a test"
)]

#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with the tests, which look at more")]
mod harness;
mod support;

use harness::{Home, process::SimProcess, screen::Screen};
use std::time::{Duration, Instant};
use support::{figures, percentile};

fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let instances = numbers.first().copied().unwrap_or(500);
    let seconds = numbers.get(1).copied().unwrap_or(120);
    println!("\n{:<44} {:>12} {:>12} {:>7}", "what", "measured", "target", "ratio");
    demo();
    fleet(instances, seconds);
}

fn row(what: &str, measured: f64, target: f64, unit: &str) {
    println!("{what:<44} {measured:>9.1} {unit:<2} {target:>9.1} {unit:<2} {:>6.2}x", measured / target);
}

/// `--demo`: time to the first paint and to the first useful frame.
fn demo() {
    let home = Home::new();
    let (mut paints, mut useful) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let mut s = Screen::start(&["--demo"], 120, 40, &home);
        let t = s.wait(s.started, Duration::from_secs(20), has_scores);
        useful.push(t.map_or(f64::NAN, |t| t.as_secs_f64() * 1000.0));
        paints.push(s.first_paint.map_or(f64::NAN, |t| t.as_secs_f64() * 1000.0));
        s.keys(b"\x03\x03");
        assert!(s.exit(Duration::from_secs(5)).is_some(), "the demo ends on Ctrl-C twice");
    }
    paints.sort_by(f64::total_cmp);
    useful.sort_by(f64::total_cmp);
    row("--demo: first paint, median of 5", percentile(&paints, 0.5), 100.0, "ms");
    row("--demo: first useful frame, median of 5", percentile(&useful, 0.5), 1000.0, "ms");
}

/// Some instance has a score in words: the fleet pane has been fed.
fn has_scores(screen: &str) -> bool {
    screen
        .lines()
        .any(|l| l.contains('✖') && (l.contains("blocked") || l.contains("CPU") || l.contains("unreachable")))
}

/// A fleet at the default cadence: CPU, memory, bytes, key to paint.
fn fleet(instances: u32, seconds: u32) {
    let home = Home::new();
    let sim = SimProcess::start(instances, 14_600, None);
    let inventory = sim.inventory();
    let mut s = Screen::start(&["--inventory", &inventory], 200, 60, &home);
    let all = format!("{instances}/{instances}");
    let polled = s.wait(s.started, Duration::from_mins(2), |t| t.contains(&all));
    row("all polled once", polled.map_or(f64::NAN, |t| t.as_secs_f64()), 30.0, "s");
    s.run_for(Duration::from_secs(35));
    let (cpu, _) = figures(s.pid());
    let (bytes, from) = (s.bytes, Instant::now());
    s.run_for(Duration::from_secs(u64::from(seconds)));
    let took = from.elapsed().as_secs_f64();
    let (cpu_end, rss) = figures(s.pid());
    let name = |what: &str| format!("{instances} instances, calm: {what}");
    row(&name("CPU of one core"), (cpu_end - cpu) / took * 100.0, 15.0, "%");
    row(&name("memory"), rss as f64 / 1024.0, 150.0, "MB");
    row(&name("output"), (s.bytes - bytes) as f64 / took / 1024.0, 1.0, "KB/s".trim_end_matches("/s"));
    let mut paints = key_to_paint(&mut s, 200);
    paints.sort_by(f64::total_cmp);
    row(&name("key to paint p50"), percentile(&paints, 0.5), 16.0, "ms");
    row(&name("key to paint p99"), percentile(&paints, 0.99), 16.0, "ms");
    s.keys(b"\x03\x03");
    assert!(s.exit(Duration::from_secs(5)).is_some(), "ends on Ctrl-C twice");
    assert!(!s.is_alternate(), "the terminal is restored");
    let (sim_cpu, sim_rss) = figures(sim.pid());
    println!("(the simulator itself: {sim_cpu:.1} s of CPU, {} MB)", sim_rss / 1024);
}

/// Moves the cursor down and up; the time from the key to the first byte that the program writes after it.
fn key_to_paint(s: &mut Screen, times: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(times);
    for i in 0..times {
        // Quiet first, so that the byte we see is the answer to the key and not the clock.
        while s.pump(Duration::from_millis(40)) {}
        let at = Instant::now();
        s.keys(if i % 2 == 0 { b"\x1b[B" } else { b"\x1b[A" });
        if s.pump(Duration::from_millis(500)) {
            out.push(at.elapsed().as_secs_f64() * 1000.0);
        }
    }
    out
}
