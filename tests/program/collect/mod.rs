//! `dbtop collect` and what looks at it from outside: the real program over a simulated fleet in another process, with
//! real signals and a socket in the place of systemd's.
#![cfg(target_os = "linux")]

mod clock;
mod fault;
mod flight;
mod killed;

use crate::harness::{
    DBTOP, Home, PATIENCE,
    process::{Ended, SimProcess, dbtop, run, signal, wait},
    vault::Stage,
};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running `dbtop collect`; killed on drop.
struct Collector {
    child: Child,
    /// where its standard error goes
    log: PathBuf,
    notify: UnixDatagram,
    /// what it has told systemd so far
    told: Vec<String>,
}

impl Collector {
    /// Starts it with `args`, and with what systemd would give it.
    fn start(args: &[&str], home: &Home) -> Self {
        Self::start_with(args, home, |_| {})
    }

    fn start_with(args: &[&str], home: &Home, more: impl FnOnce(&mut Command)) -> Self {
        let socket = home.tmp().join(format!("notify-{}", fastrand::u32(..)));
        let notify = UnixDatagram::bind(&socket).unwrap();
        notify.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let log = home.tmp().join("stderr");
        let mut command = dbtop(&["collect"], home);
        command.args(args).env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "4000000");
        command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        more(&mut command);
        Self { child: command.spawn().unwrap(), log, notify, told: Vec::new() }
    }

    fn stderr(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it tells this, and forgets what it told before.
    #[track_caller]
    fn hears(&mut self, what: &str) -> String {
        let started = Instant::now();
        loop {
            if let Some(i) = self.told.iter().position(|told| told.starts_with(what)) {
                let told = self.told[i].clone();
                self.told.drain(..=i);
                return told;
            }
            let mut bytes = [0; 2048];
            if let Ok(n) = self.notify.recv(&mut bytes) {
                self.told.push(String::from_utf8_lossy(&bytes[..n]).into_owned());
            }
            assert!(started.elapsed() < PATIENCE, "no {what} in {:?}\n{}", self.told, self.stderr());
        }
    }

    /// Ends it as systemd does; how long that took.
    #[track_caller]
    fn terminate(&mut self) -> Duration {
        let started = Instant::now();
        signal(self.child.id(), "TERM");
        let status = wait(&mut self.child, PATIENCE);
        assert_eq!(status.and_then(|s| s.code()), Some(0), "{}", self.stderr());
        started.elapsed()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The only row of `dbtop status`.
#[track_caller]
fn status(args: &[&str], home: &Home) -> Value {
    let ended = run(dbtop(&["status", "-o", "json"], home).args(args));
    let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {ended:?}"));
    assert_eq!(rows.len(), 1, "{rows:?}");
    let code = match rows[0]["collector"].as_str() {
        Some("collecting") => 0,
        Some("starting" | "waiting" | "screen") => 1,
        _ => 2,
    };
    assert_eq!(ended.code, Some(code), "{ended:?}");
    rows.into_iter().next().unwrap()
}

/// Waits until the status is so.
#[track_caller]
fn until(args: &[&str], home: &Home, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let row = status(args, home);
        if holds(&row) {
            return row;
        }
        assert!(started.elapsed() < PATIENCE, "never {what}: {row:#?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn healthcheck(args: &[&str], home: &Home) -> Ended {
    run(dbtop(&["healthcheck"], home).args(args))
}

/// The simulator's inventory with its first `n` instances, as a file of the home.
fn part_of(sim: &SimProcess, n: usize, home: &Home) -> PathBuf {
    let text = fs::read_to_string(&sim.inventory).unwrap();
    let head_and_instances: Vec<&str> = text.split("[[instance]]").collect();
    let part = head_and_instances.iter().take(n + 1).copied().collect::<Vec<_>>().join("[[instance]]");
    home.file("part.toml", &part)
}

#[test]
fn a_service_collects_says_so_follows_changes_and_ends_in_time() {
    let (sim, home) = (SimProcess::start(3, 0, None), Home::new());
    let file = part_of(&sim, 2, &home);
    let fleet = ["--inventory", file.to_str().unwrap()];
    assert_eq!(healthcheck(&fleet, &home).code, Some(2), "nobody collects yet");
    assert_eq!(status(&fleet, &home)["collector"], "none");

    let mut collector = Collector::start(&fleet, &home);
    collector.hears("READY=1");
    collector.hears("WATCHDOG=1");
    let row = until(&fleet, &home, "two up", |row| row["up"] == 2);
    assert_eq!(row["pid"], collector.child.id());
    assert_eq!(row["collector"], "collecting");
    // Who names no fleet is told of it, too, while it is collected.
    let told = status(&[], &home);
    assert_eq!((&told["fleet"], &told["pid"]), (&row["fleet"], &row["pid"]));
    let good = healthcheck(&[&fleet[..], &["--disk-warning", "0", "--disk-critical", "0"]].concat(), &home);
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.starts_with("DBTOP part OK: collecting with pid"), "{}", good.stdout);
    // A second one has to stay away.
    let second = run(dbtop(&["collect"], &home).args(fleet));
    assert_eq!(second.code, Some(3));
    assert!(second.stderr.contains(&format!("by process {}", collector.child.id())), "{}", second.stderr);

    // One more instance, without a restart; then a configuration, by SIGHUP.
    part_of(&sim, 3, &home);
    until(&fleet, &home, "three up", |row| row["up"] == 3);
    fs::write(home.path().join("config.toml"), "[log]\nlevel = \"debug\"\n").unwrap();
    collector.told.clear();
    signal(collector.child.id(), "HUP");
    let reloading = collector.hears("RELOADING=1");
    assert!(reloading.contains("\nMONOTONIC_USEC="), "{reloading}");
    collector.hears("READY=1");
    let told = collector.hears("STATUS=3/3 up");
    assert!(told.contains("polls"), "{told}");

    let took = collector.terminate();
    assert!(took < Duration::from_secs(5), "it drains within three seconds: {took:?}");
    collector.hears("STOPPING=1");
    assert_eq!(status(&fleet, &home)["collector"], "stopped");
    let nobody = run(dbtop(&["status"], &home).args(["-o", "json"]));
    assert_eq!((nobody.code, nobody.stdout.trim()), (Some(3), "[]"), "{nobody:?}");
    assert_eq!(healthcheck(&fleet, &home).code, Some(2));
    assert!(collector.stderr().contains("configuration read again"), "{}", collector.stderr());
}

#[test]
fn its_figures_are_there_for_prometheus_on_loopback_only() {
    let (sim, home) = (SimProcess::start(2, 0, None), Home::new());
    let inventory = sim.inventory();
    let fleet = ["--inventory", inventory.as_str()];
    let wide = run(dbtop(&["collect", "--metrics", "0.0.0.0:0"], &home).args(fleet));
    assert_eq!(wide.code, Some(3));
    assert!(wide.stderr.contains("allow_remote = true"), "{}", wide.stderr);
    let none = run(dbtop(&["metrics"], &home).args(fleet));
    assert!(none.code == Some(3) && none.stderr.contains("nobody collects fleet"), "{none:?}");

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut collector = Collector::start(&[&fleet[..], &["--metrics", &port.to_string()]].concat(), &home);
    collector.hears("READY=1");
    until(&fleet, &home, "two up", |row| row["up"] == 2 && row["polls_ok"].as_u64() > Some(20));
    let scrape = scrape(port);
    assert!(scrape.starts_with("HTTP/1.1 200 OK"), "{scrape}");
    assert!(scrape.ends_with("# EOF\n"), "{scrape}");
    let value = |name: &str| -> f64 {
        let line = scrape.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {scrape}")).parse().unwrap()
    };
    for name in sim_names(&sim.inventory) {
        assert!((value(&format!("dbtop_instance_up{{instance=\"{name}\"}}")) - 1.0).abs() < 0.1);
    }
    assert!(value("dbtop_polls_total{outcome=\"ok\"}") > 20.0);
    assert!(value("dbtop_errors_total{class=\"login\"}").abs() < 0.1);
    // Polls take time, and each is in one bucket: the last is all of them.
    let all = value("dbtop_poll_seconds_count");
    assert!(all >= 4.0 && value("dbtop_poll_seconds_sum") > 0.0);
    assert!((value("dbtop_poll_seconds_bucket{le=\"+Inf\"}") - all).abs() < 0.1);
    assert!((value("dbtop_poll_seconds_bucket{le=\"524.288\"}") - all).abs() < 0.1);
    assert!(value("dbtop_poll_latency_seconds{quantile=\"0.99\"}") > 0.0);
    let printed = run(dbtop(&["metrics"], &home).args(fleet));
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(printed.stdout.contains("dbtop_build_info{version=") && printed.stdout.ends_with("# EOF\n"));

    // What it costs and what it keeps stands beside what another process costs.
    let cost = run(dbtop(&["once", "cost", "-o", "json"], &home).args(fleet));
    let rows: Vec<Value> = serde_json::from_str(&cost.stdout).unwrap();
    let of = |name: &str| rows.iter().find(|row| row["instance"] == name).unwrap();
    let (own, theirs) = (of("(this process)"), of("(collector)"));
    assert!(own["store_size_kb"].is_null() && theirs["process_rss_kb"].as_i64() > Some(1_000), "{rows:#?}");
    assert!(theirs["store_size_kb"].as_i64() > Some(10) && theirs["store_lost"] == 0, "{rows:#?}");
    let table = run(dbtop(&["once", "cost"], &home).args(fleet)).stdout;
    assert!(table.contains("STORE_ROWS_PER_S") && table.contains("(collector)"), "{table}");
    collector.terminate();
    let rows = run(dbtop(&["once", "cost"], &home).args(fleet)).stdout;
    assert!(!rows.contains("STORE") && !rows.contains("(collector)"), "nobody collects: {rows}");
}

/// What a scraper gets.
fn scrape(port: SocketAddr) -> String {
    let mut stream = TcpStream::connect(port).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_killed_collector_leaves_no_lock_behind() {
    let (sim, home) = (SimProcess::start(1, 0, None), Home::new());
    let inventory = sim.inventory();
    let fleet = ["--inventory", inventory.as_str()];
    let mut first = Collector::start(&fleet, &home);
    first.hears("READY=1");
    until(&fleet, &home, "up", |row| row["up"] == 1);
    signal(first.child.id(), "KILL");
    wait(&mut first.child, PATIENCE).unwrap();
    assert_eq!(status(&fleet, &home)["collector"], "killed");
    let answer = healthcheck(&[&fleet[..], &["-o", "json"]].concat(), &home);
    let answer: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((&answer["status"], &answer["checks"][0]["name"]), (&"critical".into(), &"collector".into()));
    let mut next = Collector::start(&fleet, &home);
    next.hears("READY=1");
    let row = until(&fleet, &home, "up again", |row| row["up"] == 1);
    assert_eq!(row["pid"], next.child.id());
}

#[test]
fn a_collector_that_hangs_is_seen_and_ended_by_the_watchdog() {
    let (sim, home) = (SimProcess::start(1, 0, None), Home::new());
    let inventory = sim.inventory();
    let fleet = ["--inventory", inventory.as_str()];
    let mut collector = Collector::start(&fleet, &home);
    collector.hears("WATCHDOG=1");
    until(&fleet, &home, "polling", |row| row["collector"] == "collecting" && row["up"] == 1);
    let before = status(&fleet, &home)["polls_ok"].as_u64();
    signal(collector.child.id(), "STOP");
    let row = until(&fleet, &home, "hanging", |row| row["collector"] == "hangs");
    assert_eq!(row["pid"], collector.child.id());
    let ended = healthcheck(&fleet, &home);
    assert!(matches!(ended.code, Some(1 | 2)), "{ended:?}");
    assert!(ended.stdout.contains("has not said anything for"), "{}", ended.stdout);
    signal(collector.child.id(), "CONT");
    until(&fleet, &home, "polling again", |row| {
        row["collector"] == "collecting" && row["polls_ok"].as_u64() > before
    });
}

#[test]
fn logs_are_json_if_wanted_and_name_the_poll() {
    let (sim, home) = (SimProcess::start(1, 0, None), Home::new());
    let inventory = sim.inventory();
    let fleet = ["--inventory", inventory.as_str()];
    fs::write(home.path().join("config.toml"), "[log]\nformat = \"json\"\nlevel = \"debug\"\n").unwrap();
    let mut collector = Collector::start(&fleet, &home);
    collector.hears("READY=1");
    until(&fleet, &home, "up", |row| row["polls_ok"].as_u64() > Some(5));
    collector.terminate();
    let lines = |text: &str| -> Vec<Value> {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    };
    let said = lines(&collector.stderr());
    let polled: Vec<&Value> = said.iter().filter(|line| line["message"] == "polled").collect();
    assert!(polled.iter().any(|line| line["probe"] == "headline" && line["poll"] == 1), "{said:#?}");
    assert!(polled.iter().all(|line| line["instance"].is_string() && line["poll"].is_u64()));
    let folder = home.path().join("log");
    let files = crate::harness::names(&folder);
    assert!(files.len() == 1 && files[0].starts_with("file-fleet-"), "{files:?}");
    assert_eq!(lines(&fs::read_to_string(folder.join(&files[0])).unwrap()).len(), said.len());
}

#[test]
fn a_sealed_inventory_is_followed_and_nothing_of_it_is_told() {
    let (sim, stage) = (SimProcess::start(2, 0, None), Stage::with_vault());
    let inventory = sim.inventory();
    stage.done(&["instance", "import", &inventory, "--yes"]);
    let names: Vec<String> = sim_names(&sim.inventory);
    let fleet = ["--key-file", stage.key()];
    let other = stage.home.file("other.key", "nonsense");
    let wrong =
        run(dbtop(&["collect", "--key-file", other.to_str().unwrap()], &stage.home).env_remove("PATH"));
    assert_eq!(wrong.code, Some(3), "{wrong:?}");

    let mut collector = Collector::start(&fleet, &stage.home);
    collector.hears("READY=1");
    until(&[], &stage.home, "two up", |row| row["up"] == 2);
    stage.done(&["instance", "remove", &names[0], "--yes"]);
    until(&[], &stage.home, "one left", |row| row["instances"] == 1);
    // A suspended tenant is not polled, and waited for.
    stage.done(&["tenant", "suspend", "default"]);
    let row = until(&[], &stage.home, "waiting", |row| row["collector"] == "waiting");
    assert!(row["words"].as_str().unwrap().contains("suspended"), "{row:#?}");
    assert_eq!(healthcheck(&["--disk-warning", "0", "--disk-critical", "0"], &stage.home).code, Some(1));
    stage.done(&["tenant", "resume", "default"]);
    until(&[], &stage.home, "collecting", |row| row["collector"] == "collecting" && row["up"] == 1);
    collector.terminate();

    let folder = stage.home.path().join("tenants/default");
    let mut told = collector.stderr() + &collector.told.join("\n");
    told += &fs::read_to_string(folder.join("collector.json")).unwrap();
    told += &fs::read_to_string(folder.join("collector.lock")).unwrap();
    for name in names {
        assert!(!told.contains(&name), "{name} in {told}");
    }
}

/// The names in an inventory of the simulator.
fn sim_names(inventory: &Path) -> Vec<String> {
    let table: toml::Table = fs::read_to_string(inventory).unwrap().parse().unwrap();
    let instances = table["instance"].as_array().unwrap();
    instances.iter().map(|i| i["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_unit_is_one_that_systemd_understands() {
    let unit = include_str!("../../../docs/dbtop-collect@.service");
    for line in ["Type=notify", "WatchdogSec=30", "NoNewPrivileges=yes", "ProtectSystem=strict"] {
        assert!(unit.lines().any(|l| l == line), "{line}");
    }
    let home = Home::new();
    let file = home.file("dbtop-collect@.service", &unit.replace("/usr/bin/dbtop", DBTOP));
    let Ok(output) = Command::new("systemd-analyze").arg("verify").arg(&file).output() else {
        // A machine without systemd has nothing to ask.
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("dbtop-collect"), "{said}");
}
