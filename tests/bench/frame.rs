//! What a frame costs: the screen alone, without server or terminal, against the obvious way of drawing a table.
//!
//! `cargo bench --bench frame` prints a table. Targets: a frame at 200×60 with 500 instances and a frame over 50,000 rows
//! within 4 ms, a key to its frame within 16 ms at p99, an idle second within 1 KB. "naive" is ratatui's own `Table` with
//! every row built by `format!` in every frame; the ratio of the same run holds on any machine.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use dbtop::{
    model::{base::zone::Zone, fold::snapshot::FleetSnapshot, poll::queries::QueryRow},
    plan::Plan,
    protocol::VaultState,
    tui::{
        App, Encoder, PlanSource, Settings, Subject,
        theme::{Depth, Theme},
    },
};
use ratatui::{
    Terminal,
    buffer::Buffer,
    layout::{Constraint, Rect},
    widgets::{Row, Table, Widget},
};
use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

#[path = "../fixture/mod.rs"]
mod fixture;

const AREA: Rect = Rect::new(0, 0, 200, 60);

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let rounds = if std::env::args().any(|a| a == "--bench") { 400 } else { 3 };
    println!("{:<46} {:>10} {:>10} {:>9} {:>8}", "200×60", "p50", "p99", "target", "naive");
    let fleet = fixture::large(500);
    let naive = naive_fleet(&fleet, rounds);
    let mut fleet_app = app(fleet);
    report("frame, fleet of 500", &mut frames(&mut fleet_app, rounds), 4.0, Some(naive));
    fleet_app.keys("v");
    report("frame, heat map of 500", &mut frames(&mut fleet_app, rounds), 4.0, None);
    fleet_app.keys("v");
    report("key to frame, fleet of 500", &mut keys(&mut fleet_app, rounds, "down"), 16.0, None);
    report("sort key to frame, fleet of 500", &mut keys(&mut fleet_app, rounds, ">"), 16.0, None);
    report(
        "snapshot to frame, fleet of 500",
        &mut ingests(&mut fleet_app, rounds, &fixture::large(500)),
        33.0,
        None,
    );
    for (key, pane) in [("2", "activity"), ("3", "waits"), ("4", "blocking"), ("1 enter", "instance")] {
        let mut app = app(fixture::large(500));
        app.keys(key);
        report(&format!("frame, {pane}, 500 instances"), &mut frames(&mut app, rounds), 4.0, None);
    }
    plan(rounds);
    many_rows(rounds);
    many_queries(rounds);
    idle();
}

/// The largest plan that others published, if it is beside the project: 1.3 MB, 125 operators.
fn plan(rounds: usize) {
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/plans/hqp_batch_hash_table_build.sqlplan");
    let Ok(bytes) = std::fs::read(file) else { return println!("no published plans beside the project") };
    let shown = || {
        let plan = Arc::new(Plan::read(&bytes).unwrap_or_else(|e| unreachable!("{e}")));
        let raw = "".into();
        PlanSource {
            title: "bench".to_owned(),
            instance: None,
            facts: Vec::new(),
            raw,
            plan,
            judged: Arc::default(),
            query_hash: None,
            live: None,
        }
    };
    let first = |_| {
        let mut app = app(fixture::small());
        let mut last = Buffer::empty(AREA);
        let t = Instant::now();
        app.show_plan(shown(), Vec::new());
        paint(&mut app, &mut last);
        ms(t)
    };
    let mut times: Vec<f64> = (0..rounds.min(50)).map(first).collect();
    report("plan of 1.3 MB, from its text to its frame", &mut times, 50.0, None);
    let mut app = app(fixture::small());
    app.show_plan(shown(), Vec::new());
    report("frame, plan of 125 operators", &mut frames(&mut app, rounds), 4.0, None);
    report("metric key to frame, plan of 125 operators", &mut keys(&mut app, rounds, ">"), 16.0, None);
}

fn app(snapshot: FleetSnapshot) -> App {
    let theme = Theme::load("dark", Depth::True).unwrap_or_else(|e| unreachable!("{e}"));
    let settings = Settings {
        theme,
        depth: Depth::True,
        low_bandwidth: false,
        ascii: false,
        mouse: false,
        lock_after_ms: None,
        zone: Zone::default(),
    };
    let subject = Subject { tenant: "bench".to_owned(), vault: VaultState::Plain, recording: None };
    let mut app = App::new(settings, subject, fixture::NOW);
    app.ingest(Arc::new(snapshot));
    app
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Draws and compares with the frame before, as the terminal does; returns the cells that changed.
fn paint(app: &mut App, last: &mut Buffer) -> usize {
    let mut next = Buffer::empty(AREA);
    app.render(AREA, &mut next);
    let changed = last.diff(&next).len();
    *last = next;
    changed
}

fn frames(app: &mut App, rounds: usize) -> Vec<f64> {
    let mut last = Buffer::empty(AREA);
    let one = |n: usize| {
        app.tick(fixture::NOW.plus_ms(n as i64 * 40));
        let t = Instant::now();
        paint(app, &mut last);
        ms(t)
    };
    (0..rounds).map(one).collect()
}

fn keys(app: &mut App, rounds: usize, key: &str) -> Vec<f64> {
    let mut last = Buffer::empty(AREA);
    let one = |_| {
        let t = Instant::now();
        app.keys(key);
        paint(app, &mut last);
        ms(t)
    };
    (0..rounds).map(one).collect()
}

fn ingests(app: &mut App, rounds: usize, snapshot: &FleetSnapshot) -> Vec<f64> {
    let mut last = Buffer::empty(AREA);
    let shared = Arc::new(snapshot.clone());
    let one = |_| {
        let t = Instant::now();
        app.ingest(Arc::clone(&shared));
        paint(app, &mut last);
        ms(t)
    };
    (0..rounds).map(one).collect()
}

/// Every row of the fleet built with `format!`, drawn by the library's table.
fn naive_fleet(fleet: &FleetSnapshot, rounds: usize) -> f64 {
    let one = |_| {
        let t = Instant::now();
        let rows: Vec<Row<'_>> = fleet
            .instances
            .iter()
            .map(|i| {
                let h = i.facts.headline.get().copied().unwrap_or_default();
                let why = i.health.reasons.first().map(|r| r.text().to_owned()).unwrap_or_default();
                Row::new(vec![
                    format!("{:?}", i.health.level),
                    i.id().to_string(),
                    format!("{}", i.health.score.unwrap_or(0)),
                    why,
                    format!("{:.0}", h.cpu_pct.unwrap_or(0.0)),
                    format!("{:.1}", h.batches_per_s.unwrap_or(0.0)),
                    format!("{}", h.blocked.unwrap_or(0)),
                    format!("{}", h.connections.unwrap_or(0)),
                    format!("{}", h.page_life_s.unwrap_or(0)),
                    format!("{:.1}", h.logins_per_s.unwrap_or(0.0)),
                    i.info.groups.join(", "),
                    i.info.address.to_string(),
                ])
            })
            .collect();
        let mut buf = Buffer::empty(AREA);
        Table::new(rows, [Constraint::Fill(1); 12]).render(AREA, &mut buf);
        ms(t)
    };
    let mut times: Vec<f64> = (0..rounds.min(100)).map(one).collect();
    quantile(&mut times, 0.5)
}

/// 50,000 requests in one table: 500 instances with a hundred each.
fn many_rows(rounds: usize) {
    let mut snapshot = fixture::large(500);
    for i in &mut snapshot.instances {
        let mut copy = (**i).clone();
        let mut activity = copy.facts.activity.get().map(|a| (**a).clone()).unwrap_or_default();
        let model = activity.requests.first().cloned().unwrap_or_default();
        activity.requests = (0..100).map(|n| with_session(&model, n)).collect();
        copy.facts.activity.value = Some(Arc::new(activity));
        *i = Arc::new(copy);
    }
    let naive = naive_requests(&snapshot, rounds);
    let mut big = app(snapshot.clone());
    big.keys("2");
    report("frame, 50,000 rows", &mut frames(&mut big, rounds), 4.0, Some(naive));
    report("snapshot to frame, 50,000 rows", &mut ingests(&mut big, rounds.min(40), &snapshot), 250.0, None);
}

/// 100,000 queries in one table: 500 instances with 200 each, which is what a poll keeps of one.
fn many_queries(rounds: usize) {
    let mut snapshot = fixture::large(500);
    for i in &mut snapshot.instances {
        let mut copy = (**i).clone();
        let mut table = copy.facts.queries.get().map(|t| (**t).clone()).unwrap_or_default();
        let model = table.queries.clone();
        if model.is_empty() {
            continue;
        }
        table.queries = (0..200).map(|n| with_hash(&model[n % model.len()], n as i64)).collect();
        copy.facts.queries.value = Some(Arc::new(table));
        *i = Arc::new(copy);
    }
    let mut big = app(snapshot.clone());
    big.keys("5");
    report("frame, 500 × 200 queries", &mut frames(&mut big, rounds), 4.0, None);
    report("sort key to frame, 500 × 200 queries", &mut keys(&mut big, rounds.min(100), ">"), 16.0, None);
    big.keys("/");
    let mut times: Vec<f64> = (0..rounds.min(50))
        .flat_map(|_| ["u", "p", "d", "backspace", "backspace", "backspace"])
        .map(|key| keys(&mut big, 1, key)[0])
        .collect();
    report("filter key to frame, 500 × 200 queries", &mut times, 16.0, None);
    big.keys("esc");
    report(
        "snapshot to frame, 500 × 200 queries",
        &mut ingests(&mut big, rounds.min(40), &snapshot),
        250.0,
        None,
    );
}

fn with_hash(model: &QueryRow, n: i64) -> QueryRow {
    let mut row = model.clone();
    row.hash = row.hash.wrapping_add((n as u64) << 8);
    row.cpu_us = row.cpu_us.map(|us| us + n * 7_919 % 100_003);
    row
}

fn with_session(
    model: &dbtop::model::poll::activity::Request,
    n: i32,
) -> dbtop::model::poll::activity::Request {
    let mut r = model.clone();
    r.session_id = 51 + n;
    r.elapsed_ms = Some(i64::from(n * 7919 % 100_003));
    r
}

fn naive_requests(fleet: &FleetSnapshot, rounds: usize) -> f64 {
    let one = |_| {
        let t = Instant::now();
        let mut rows = Vec::new();
        for i in &fleet.instances {
            for r in i.facts.activity.get().map(|a| a.requests.as_slice()).unwrap_or_default() {
                let text = |v: &Option<Arc<str>>| v.as_deref().unwrap_or("").to_owned();
                rows.push(Row::new(vec![
                    i.id().to_string(),
                    format!("{}", r.session_id),
                    text(&r.status),
                    format!("{} ms", r.elapsed_ms.unwrap_or(0)),
                    text(&r.wait_type),
                    format!("{} ms", r.wait_ms.unwrap_or(0)),
                    format!("{} ms", r.cpu_ms.unwrap_or(0)),
                    text(&r.database),
                    text(&r.login),
                    r.statement.as_ref().map(|s| s.as_str().to_owned()).unwrap_or_default(),
                ]));
            }
        }
        let mut buf = Buffer::empty(AREA);
        Table::new(rows, [Constraint::Fill(1); 10]).render(AREA, &mut buf);
        ms(t)
    };
    let mut times: Vec<f64> = (0..rounds.min(5)).map(one).collect();
    quantile(&mut times, 0.5)
}

/// Counts what would go to the terminal.
struct Sent(Arc<AtomicU64>);

impl Write for Sent {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(buf.len() as u64, Ordering::Relaxed);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A calm minute at 200×60 with 40 instances: the clock ticks, each instance is polled every 30 s.
fn idle() {
    let sent = Arc::new(AtomicU64::new(0));
    let options = ratatui::TerminalOptions { viewport: ratatui::Viewport::Fixed(AREA) };
    let backend = Encoder::new(Sent(Arc::clone(&sent)));
    let Ok(mut terminal) = Terminal::with_options(backend, options) else {
        println!("idle: no terminal");
        return;
    };
    let mut app = app(fixture::large(40));
    let mut draw = |app: &mut App| {
        let drawn = terminal.draw(|f| app.render(f.area(), f.buffer_mut()));
        drawn.map_or(0, |_| sent.load(Ordering::Relaxed))
    };
    let first = draw(&mut app);
    for second in 1..=60 {
        let now = fixture::NOW.plus_ms(second * 1000);
        app.tick(now);
        let before = sent.load(Ordering::Relaxed);
        draw(&mut app);
        if second == 1 {
            println!("{:<46} {:>8} B", "sent for a tick of the clock", sent.load(Ordering::Relaxed) - before);
        }
    }
    let per_s = (sent.load(Ordering::Relaxed) - first) as f64 / 60.0;
    println!("{:<46} {per_s:>6.0} B/s {:>20}", "sent over a minute without new data", "1024");
    println!("{:<46} {first:>8} B", "sent for the first frame");
}

fn quantile(times: &mut [f64], q: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times
        .get(((times.len() as f64 * q) as usize).min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

fn report(what: &str, times: &mut [f64], target: f64, naive: Option<f64>) {
    let (p50, p99) = (quantile(times, 0.5), quantile(times, 0.99));
    let ratio = naive.map_or_else(String::new, |n| format!("{:.0}×", n / p50));
    println!("{what:<46} {p50:>7.2} ms {p99:>7.2} ms {target:>6.0} ms {ratio:>8}");
}
