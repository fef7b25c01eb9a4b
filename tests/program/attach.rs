//! Screens beside a collector, beside each other, and left alone: who polls, who follows, and who takes over. The real program
//! in pseudo-terminals and as a service, over a simulated fleet in another process. That nobody polls twice is counted in
//! connections, as the servers would.
#![cfg(target_os = "linux")]

use crate::harness::{
    Home, PATIENCE,
    process::{SimProcess, dbtop, run, signal, wait},
    screen::Screen,
};
use std::{
    collections::HashSet,
    fs,
    io::{Read, Write},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

const CTRL_C: &[u8] = b"\x03";

/// A fleet of three, and who watches it.
struct Scene {
    _sim: SimProcess,
    home: Home,
    inventory: String,
}

/// A running `dbtop collect`; killed on drop.
struct Collector(Child);

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Collector {
    #[track_caller]
    fn end(&mut self, with: &str) {
        signal(self.0.id(), with);
        assert!(wait(&mut self.0, PATIENCE).is_some(), "it ends");
    }
}

impl Scene {
    fn new() -> Self {
        let sim = SimProcess::start(3, 0, None);
        let inventory = sim.inventory();
        Self { _sim: sim, home: Home::new(), inventory }
    }

    fn collector(&self) -> Collector {
        let mut command = dbtop(&["collect", "--inventory", &self.inventory], &self.home);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Collector(command.spawn().expect("starting a collector"))
    }

    /// A collector that polls all three.
    #[track_caller]
    fn collecting(&self) -> Collector {
        let collector = self.collector();
        self.until("it collects", |row| row["pid"] == collector.0.id() && row["up"] == 3);
        collector
    }

    fn screen(&self) -> Screen {
        Screen::start(&["--inventory", &self.inventory], 160, 30, &self.home)
    }

    fn status(&self) -> serde_json::Value {
        let said = run(&mut dbtop(&["status", "-o", "json", "--inventory", &self.inventory], &self.home));
        let mut rows: Vec<serde_json::Value> = serde_json::from_str(&said.stdout).expect("rows as JSON");
        rows.pop().expect("a fleet")
    }

    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn(&serde_json::Value) -> bool) {
        let started = Instant::now();
        while !holds(&self.status()) {
            assert!(started.elapsed() < PATIENCE, "waited in vain for: {what}\n{:#}", self.status());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// How many connections a process has over TCP.
fn connections(pid: u32) -> usize {
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).expect("the connections of the machine");
    let all: HashSet<&str> =
        table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(9)).collect();
    let files = fs::read_dir(format!("/proc/{pid}/fd")).expect("the files of a process").flatten();
    let sockets = files.filter_map(|file| fs::read_link(file.path()).ok()).filter(|to| {
        let inode = to.to_string_lossy();
        inode.strip_prefix("socket:[").and_then(|i| i.strip_suffix(']')).is_some_and(|i| all.contains(i))
    });
    sockets.count()
}

/// Waits until the screen polls by itself: as many connections as instances.
#[track_caller]
fn until_it_polls(s: &mut Screen) {
    let started = Instant::now();
    while connections(s.pid()) < 3 || s.text().contains("attached") {
        assert!(started.elapsed() < PATIENCE, "{} connections\n{}", connections(s.pid()), s.text());
        s.run_for(Duration::from_millis(200));
    }
}

/// Waits until the screen follows this collector, which polls all three, and has them on the screen.
#[track_caller]
fn until_attached(s: &mut Screen, pid: u32) {
    s.until_shows(&format!("attached · collector pid {pid}, 3/3"));
    s.until("the fleet", |t| t.contains("sqlprd-001") && t.contains("3/3 polled"));
    let started = Instant::now();
    while connections(s.pid()) > 0 {
        assert!(started.elapsed() < PATIENCE, "it does not poll beside the collector\n{}", s.text());
        s.run_for(Duration::from_millis(200));
    }
}

#[track_caller]
fn quit(mut s: Screen) {
    s.keys(CTRL_C);
    s.until_shows("Ctrl-c again quits");
    s.keys(CTRL_C);
    assert_eq!(s.ended(), 0);
}

#[test]
fn screens_beside_a_collector_follow_it_and_it_outlives_them() {
    let scene = Scene::new();
    let collector = scene.collecting();
    let pid = collector.0.id();
    let (mut one, mut two) = (scene.screen(), scene.screen());
    until_attached(&mut one, pid);
    until_attached(&mut two, pid);
    assert!(connections(pid) >= 3, "the collector has them");
    quit(one);
    until_attached(&mut two, pid);
    // What the collector polled is on the screen of one that does not poll: files with their latency, clerks with their share.
    two.keys(b"6");
    two.until("files with their latency", |t| {
        t.contains("READ MS") && t.lines().filter(|line| line.contains("sqlprd-001")).count() > 2
    });
    two.keys(b":memory\r");
    two.until("clerks of all three", |t| {
        t.matches("MEMORYCLERK_SQLBUFFERPOOL").count() == 3 && t.contains('%')
    });
    assert_eq!(connections(two.pid()), 0, "nobody polls twice");
    // Its history says of volumes when they are full, or why it cannot.
    let said =
        run(&mut dbtop(&["once", "storage", "-o", "json", "--inventory", &scene.inventory], &scene.home));
    assert!(said.stdout.contains(" days known") && !said.stdout.contains("no history"), "{said:?}");
    quit(two);
    let row = scene.status();
    assert!(row["collector"] == "collecting" && row["pid"] == pid && row["up"] == 3, "{row:#}");
}

#[test]
fn of_two_screens_one_polls_and_the_other_goes_on_when_it_is_closed() {
    let scene = Scene::new();
    let mut one = scene.screen();
    until_it_polls(&mut one);
    scene.until("a screen collects", |row| row["collector"] == "screen" && row["pid"] == one.pid());
    let mut two = scene.screen();
    two.until_shows(&format!("attached · screen pid {}", one.pid()));
    two.until("the fleet", |t| t.contains("sqlprd-001") && t.contains("3/3 polled"));
    assert_eq!(connections(two.pid()), 0, "nobody polls twice");
    let said = run(&mut dbtop(&["healthcheck", "--inventory", &scene.inventory], &scene.home));
    assert!(said.code == Some(1) && said.stdout.contains("no collector runs: the screen of"), "{said:?}");
    quit(one);
    until_it_polls(&mut two);
    quit(two);
}

#[test]
fn a_screen_stands_in_for_a_collector_that_ended_and_makes_way_for_the_next() {
    let scene = Scene::new();
    let mut collector = scene.collecting();
    let mut s = scene.screen();
    until_attached(&mut s, collector.0.id());
    for with in ["TERM", "KILL"] {
        collector.end(with);
        s.until_shows("no collector runs: waiting for one");
        until_it_polls(&mut s);
        collector = scene.collecting();
        until_attached(&mut s, collector.0.id());
    }
    // As `systemctl restart` does it: the screen does not even begin to poll.
    collector.end("TERM");
    collector = scene.collector();
    let started = Instant::now();
    let attached = format!("attached · collector pid {}, 3/3", collector.0.id());
    while !s.text().contains(&attached) {
        assert!(started.elapsed() < PATIENCE, "{}", s.text());
        assert_eq!(connections(s.pid()), 0, "it waits for the next collector\n{}", s.text());
        s.run_for(Duration::from_millis(100));
    }
    // Another collector is no screen: it is refused at once.
    let second = run(&mut dbtop(&["collect", "--inventory", &scene.inventory], &scene.home));
    assert_eq!(second.code, Some(3));
    assert!(second.stderr.contains(&format!("by process {}", collector.0.id())), "{}", second.stderr);
    quit(s);
}

#[test]
fn plain_mode_beside_a_collector_says_so_once() {
    let scene = Scene::new();
    let collector = scene.collecting();
    let mut command = dbtop(&["--plain", "--inventory", &scene.inventory], &scene.home);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starting dbtop");
    let mut input = child.stdin.take().expect("its input");
    // It looks who collects once a second.
    std::thread::sleep(Duration::from_millis(4_500));
    input.write_all(b"q\n").expect("typing");
    let mut told = String::new();
    child.stdout.take().expect("its output").read_to_string(&mut told).expect("UTF-8");
    assert_eq!(wait(&mut child, PATIENCE).and_then(|s| s.code()), Some(0));
    assert!(told.contains("3 instances"), "{told}");
    let attached = format!("attached · collector pid {}", collector.0.id());
    assert_eq!(told.matches(&attached).count(), 1, "{told}");
}
