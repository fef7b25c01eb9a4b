//! What the probes ask of one server at the default pace: round trips, statements and bytes an hour, and what the simulator's
//! model bills our own session for them.
//!
//! `cargo bench --bench cost` prints a table, a line a probe, and whether all of them together stay within the budget of an
//! instance in the fleet. Exits with 1 if they do not. Each probe is asked alone, so its share of a common round trip is
//! rather told too high. Bytes are those of TCP, TLS included.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its table, and fails like a test"
)]

use dbtop::{
    collect::Settings,
    model::{
        base::secret::Secret,
        inventory::{
            address::Endpoint,
            instance::{InstanceId, InstanceInfo, Target, TlsMode},
            record::{Auth, PollSettings, SecretRef},
        },
        poll::{Sample, id::ProbeId},
    },
    probe::{self, Lane, ProbeContext},
    sim::{Sim, SimConfig},
    tds::{Answer, Ask, Connection, Question, Roots, dial},
};
use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const WITHIN: Duration = Duration::from_secs(30);
/// Polls that are counted, after the first three: those learn names, texts and where they were.
const ROUNDS: u64 = 10;
/// What the simulated server has: enough databases, files and queries for rows.
const INSTANCES: usize = 40;
/// A busy one of them.
const INDEX: usize = 2;

/// Bytes that went through a relay.
#[derive(Default)]
struct Wire {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Wire {
    fn now(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.received.load(Ordering::Relaxed))
    }
}

/// A connection that counts what is asked over it.
struct Counted {
    inner: Connection,
    trips: u64,
    statements: u64,
    plans: u64,
}

impl Ask for Counted {
    async fn ask(&mut self, question: Question<'_>) -> Answer {
        self.trips += 1;
        // Every statement of ours begins with its name.
        self.statements += question.sql.matches("/* dbtop:").count() as u64;
        self.plans +=
            u64::from(question.sql.contains("dm_exec_query_plan") || question.sql.contains("query_plan,"));
        self.inner.ask(question).await
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }

    fn transport(&self) -> &'static str {
        self.inner.transport()
    }
}

/// What a poll of a probe takes on average.
#[derive(Default)]
struct Row {
    every_s: f64,
    trips: f64,
    statements: f64,
    sent: f64,
    received: f64,
    cpu_ms: f64,
    plans: u64,
}

impl Row {
    fn an_hour(&self) -> f64 {
        3_600.0 / self.every_s
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let rows = runtime.block_on(measure());
    let settings = Settings::default();
    println!(
        "{:<14} {:>8} {:>8} {:>9} {:>12} {:>12} {:>11} {:>11} {:>10}",
        "probe",
        "lane",
        "every s",
        "trips/h",
        "statements",
        "statements/h",
        "sent KB/h",
        "recv KB/h",
        "CPU ms/h"
    );
    let mut all = [0.0; 5];
    for (id, row) in &rows {
        let lane = match probe::probe(*id).lane {
            Lane::Polls => "polls",
            Lane::OnDemand => "demand",
        };
        let figures = [row.trips, row.statements, row.sent / 1024.0, row.received / 1024.0, row.cpu_ms]
            .map(|figure| figure * row.an_hour());
        for (sum, figure) in all.iter_mut().zip(figures) {
            *sum += figure;
        }
        let [trips, statements, sent, received, cpu] = figures;
        println!(
            "{:<14} {lane:>8} {:>8.0} {trips:>9.0} {:>12.1} {statements:>12.0} {sent:>11.0} {received:>11.0} {cpu:>10.0}",
            id.name(),
            row.every_s,
            row.statements,
        );
    }
    let [trips, statements, sent, received, cpu] = all;
    println!(
        "{:<14} {:>8} {:>8} {trips:>9.0} {:>12} {statements:>12.0} {sent:>11.0} {received:>11.0} {cpu:>10.0}",
        "all", "", "", ""
    );
    let ms_per_s = cpu / 3_600.0;
    let budget = settings.budget(false);
    let plans: u64 = rows.iter().map(|(_, row)| row.plans).sum();
    let met = ms_per_s <= budget;
    println!(
        "CPU of the server, ms a second: {ms_per_s:.3}, budget {budget}, ratio {:.3}x {}",
        ms_per_s / budget,
        if met { "met" } else { "MISSED" }
    );
    println!("polls that ask for the XML of a plan: {plans} {}", if plans == 0 { "met" } else { "MISSED" });
    ExitCode::from(u8::from(!met || plans > 0))
}

async fn measure() -> Vec<(ProbeId, Row)> {
    let config = SimConfig { instances: INSTANCES, port: Some(0), ..SimConfig::default() };
    let sim = Sim::start(config).await.expect("a simulator");
    let wire = Arc::new(Wire::default());
    let address = relay(sim.address(INDEX).expect("an instance"), Arc::clone(&wire)).await;
    let target = target(&sim, address);
    let secret = Secret::new(sim.login().1.to_owned());
    let dialed = dial(&target, WITHIN).await.expect("it answers");
    let inner = dialed.login(&target, &secret, &Roots::public(), WITHIN).await.expect("a session");
    let mut conn = Counted { inner, trips: 0, statements: 0, plans: 0 };
    let mut ctx = ProbeContext::new(dbtop::app::clock::now);
    probe::prepare(&mut conn, &mut ctx).await.expect("a session that is set up");
    let settings = Settings::default();
    let mut rows = Vec::new();
    for _ in 0..3 {
        probe::poll(&mut conn, &ProbeId::ALL, &mut ctx).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for id in ProbeId::ALL {
        let before = billed(&mut conn, &mut ctx).await;
        let (trips, statements, plans, (sent, received)) =
            (conn.trips, conn.statements, conn.plans, wire.now());
        for _ in 0..ROUNDS {
            probe::poll(&mut conn, &[id], &mut ctx).await;
        }
        let after = wire.now();
        let n = ROUNDS as f64;
        let mut row = Row {
            every_s: f64::from(settings.every_ms(&PollSettings::default(), id, false)) / 1_000.0,
            trips: (conn.trips - trips) as f64 / n,
            statements: (conn.statements - statements) as f64 / n,
            sent: (after.0 - sent) as f64 / n,
            received: (after.1 - received) as f64 / n,
            plans: conn.plans - plans,
            cpu_ms: 0.0,
        };
        row.cpu_ms = (billed(&mut conn, &mut ctx).await - before) as f64 / n;
        rows.push((id, row));
    }
    rows
}

/// CPU that the server has billed our session for, ms.
async fn billed<C: Ask>(conn: &mut C, ctx: &mut ProbeContext) -> i64 {
    let polled = probe::poll(conn, &[ProbeId::Cost], ctx).await.remove(0);
    let cost = if let Ok(Sample::Cost(cost)) = polled.outcome { cost.cpu_ms } else { None };
    cost.expect("the simulator says what a session cost")
}

fn target(sim: &Sim, address: SocketAddr) -> Target {
    let info = InstanceInfo {
        id: InstanceId::new("SIM"),
        uid: "SIM".into(),
        address: address.to_string().into(),
        groups: vec![],
        labels: vec![],
        tls: TlsMode::Verify,
        poll: Arc::default(),
        tag: None,
        colors: Vec::new(),
        added_at: None,
    };
    Target {
        info: Arc::new(info),
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

/// Listens before an instance, and counts the bytes of each connection to it.
async fn relay(to: SocketAddr, wire: Arc<Wire>) -> SocketAddr {
    let listener = TcpListener::bind((to.ip(), 0)).await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(to).await else { continue };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let (up, down) = (Arc::clone(&wire), Arc::clone(&wire));
            tokio::spawn(async move { pump(from_client, to_server, &up.sent).await });
            tokio::spawn(async move { pump(from_server, to_client, &down.received).await });
        }
    });
    address
}

async fn pump(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, count: &AtomicU64) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        count.fetch_add(n as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}
