//! History while the disk fails, under a running screen: full, broken, read-only. The screen goes on, says what is the matter
//! for as long as it lasts, and keeps history again by itself.
//!
//! A file system of a few megabytes needs a mount of our own (`unshare`, as root): the test is started again below it. Where
//! that is not allowed it says so and ends.

use crate::harness::{
    Home, PATIENCE,
    process::{self, SimProcess, run},
    screen::Screen,
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const FOLDER: &str = "DBTOP_DISK_FOLDER";

/// Starts a test of this file again with its temporary files on a small disk of its own. True: it is that second time.
fn on_a_small_disk(test: &str) -> bool {
    if std::env::var_os(FOLDER).is_some() {
        return true;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let program = std::env::current_exe().expect("this program");
    let script = format!(
        "mount -t tmpfs -o size=32m,nr_inodes=2k tmpfs \"$TMPDIR\" || exit 9; exec '{}' --exact {} --nocapture --test-threads=1",
        program.display(),
        crate::again::path(module_path!(), test)
    );
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .env(FOLDER, folder.path())
        .env("TMPDIR", folder.path())
        .output();
    let said = output.as_ref().map(|o| String::from_utf8_lossy(&o.stderr).into_owned()).unwrap_or_default();
    match output {
        Ok(output) if !["unshare failed", "mount:", "not permitted"].iter().any(|no| said.contains(no)) => {
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && told.contains("running 1 test"), "{told}{said}");
        }
        _ => eprintln!("not tested here, no mount of our own: {said}"),
    }
    false
}

/// A screen over four simulated instances.
fn screen(sim: &SimProcess, home: &Home) -> Screen {
    let mut s = Screen::start(&["--inventory", &sim.inventory()], 160, 30, home);
    s.until("all are polled", |t| t.contains("4/4 polled"));
    s
}

/// It still does what it is told.
#[track_caller]
fn goes_on(s: &mut Screen) {
    s.keys(b"2");
    s.until("the pane of activity", |t| t.contains("─ Activity"));
    s.keys(b"1");
    s.until("the pane of the fleet", |t| t.contains("─ Fleet"));
}

fn limit(pid: u32, bytes: &str) -> bool {
    let limit = format!("--fsize={bytes}:unlimited");
    Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status().is_ok_and(|s| s.success())
}

#[test]
fn a_full_or_failing_disk_is_said_for_as_long_as_it_lasts() {
    if !on_a_small_disk("a_full_or_failing_disk_is_said_for_as_long_as_it_lasts") {
        return;
    }
    let (sim, home) = (SimProcess::start(4, 0, None), Home::new());
    let mut s = screen(&sim, &home);
    let hog = PathBuf::from(std::env::var_os(FOLDER).expect("the second time")).join("hog");
    let mut file = std::fs::File::create(&hog).expect("a file");
    while file.write_all(&[1; 4096]).is_ok() {}
    drop(file);
    s.until_shows("HISTORY NOT KEPT: disk full");
    goes_on(&mut s);
    assert!(s.text().contains("HISTORY NOT KEPT: disk full"), "{}", s.text());
    std::fs::remove_file(&hog).expect("removing it");
    s.until("history is kept again", |t| !t.contains("HISTORY NOT KEPT"));
    assert!(limit(s.pid(), "4096"), "prlimit");
    s.until_shows("HISTORY NOT KEPT: file size limit");
    goes_on(&mut s);
    assert!(limit(s.pid(), "unlimited"), "prlimit");
    s.until("history is kept again", |t| !t.contains("HISTORY NOT KEPT"));
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
    a_fresh_screen_says(&sim, &home, "disk full", &|disk| {
        // Room for a page, and not for the index of the log.
        let hog = disk.join("hog");
        let mut file = std::fs::File::create(&hog).expect("a file");
        let mut bytes = 0;
        while file.write_all(&[1; 4096]).is_ok() {
            bytes += 4096;
        }
        file.set_len(bytes - 24 * 1024).expect("a shorter file");
        vec![hog]
    });
    a_fresh_screen_says(&sim, &home, "no inodes left", &|disk| {
        // A history that is there already, with its log, needs no more files.
        let gone = Command::new("find").arg(disk).args(["-name", "history.db*", "-delete"]).status();
        assert!(gone.is_ok_and(|status| status.success()), "find");
        let files = (0..).map(|n| disk.join(format!("hog{n}")));
        files.take_while(|file| std::fs::File::create(file).is_ok()).collect()
    });
}

/// A screen that finds the disk so. That history is kept again is waited for elsewhere.
#[track_caller]
fn a_fresh_screen_says(sim: &SimProcess, home: &Home, sign: &str, fill: &dyn Fn(&Path) -> Vec<PathBuf>) {
    let hogs = fill(Path::new(&std::env::var_os(FOLDER).expect("the second time")));
    let mut s = screen(sim, home);
    s.until_shows(&format!("HISTORY NOT KEPT: {sign}"));
    for hog in hogs {
        std::fs::remove_file(hog).expect("removing it");
    }
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}

#[test]
fn a_read_only_disk_is_said_and_history_begins_when_it_is_over() {
    if !on_a_small_disk("a_read_only_disk_is_said_and_history_begins_when_it_is_over") {
        return;
    }
    let (sim, home) = (SimProcess::start(4, 0, None), Home::new());
    let plain = home.path().join("plain");
    std::fs::create_dir(&plain).expect("a folder");
    let mount = |args: &[&str]| {
        let done = Command::new("mount").args(args).arg(&plain).status();
        assert!(done.is_ok_and(|status| status.success()), "mount {args:?}");
    };
    let path = plain.to_string_lossy().into_owned();
    mount(&["--bind", &path]);
    // Its own folder must be there: nothing can be made any more.
    let mut s = screen(&sim, &home);
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    mount(&["-o", "remount,ro,bind"]);
    let mut s = screen(&sim, &home);
    s.until_shows("HISTORY NOT KEPT: disk read-only");
    goes_on(&mut s);
    mount(&["-o", "remount,rw,bind"]);
    s.until("history is kept again", |t| !t.contains("HISTORY NOT KEPT"));
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}

#[test]
fn a_full_disk_is_named_by_all_who_look_at_a_collector_that_polls_well() {
    if !on_a_small_disk("a_full_disk_is_named_by_all_who_look_at_a_collector_that_polls_well") {
        return;
    }
    let (sim, home) = (SimProcess::start(4, 0, None), Home::new());
    let inventory = sim.inventory();
    let mut command = process::dbtop(&["collect", "--inventory", &inventory], &home);
    let mut collector = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a collector");
    let told =
        |args: &[&str]| run(&mut process::dbtop(&[args, &["--inventory", &inventory]].concat(), &home));
    let until = |what: &str, holds: &dyn Fn() -> Option<String>| {
        let since = Instant::now();
        while let Some(instead) = holds() {
            assert!(since.elapsed() < PATIENCE, "waited in vain for {what}: {instead}");
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let status_says = |words: &[&str]| {
        let out = told(&["status"]).stdout;
        words.iter().any(|w| !out.contains(w)).then_some(out)
    };
    until("polls", &|| status_says(&["collecting", "ok"]));
    let hog = PathBuf::from(std::env::var_os(FOLDER).expect("the second time")).join("hog");
    let mut file = std::fs::File::create(&hog).expect("a file");
    while file.write_all(&[1; 4096]).is_ok() {}
    while file.write_all(&[1]).is_ok() {}
    drop(file);
    // It goes on saying how it is, and that the store is full.
    until("the full disk", &|| status_says(&["collecting", "disk full"]));
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(status_says(&["collecting", "disk full"]), None);
    let health = told(&["healthcheck"]);
    assert_eq!(health.code, Some(2), "{health:?}");
    assert!(health.stdout.contains("the disk is full") && health.stdout.contains("4/4 up"), "{health:?}");
    assert!(
        !health.stdout.contains("has not said") && !health.stdout.contains("it is written"),
        "{health:?}"
    );
    // A screen that follows it.
    let mut s = Screen::start(&["--inventory", &inventory], 160, 30, &home);
    s.until("whom it follows", |t| t.contains("attached") && t.contains("4/4"));
    s.until_shows("HISTORY NOT KEPT");
    goes_on(&mut s);
    assert!(!s.text().contains("does not answer"), "{}", s.text());
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    process::signal(collector.id(), "TERM");
    assert!(process::wait(&mut collector, PATIENCE).is_some_and(|ended| ended.success()), "its end");
    // One of its own: it polls, and shows the past that is there.
    let mut s = Screen::start(&["--inventory", &inventory], 160, 30, &home);
    s.until("polls", |t| t.contains("4/4 polled") && t.contains("HISTORY NOT KEPT: disk full"));
    assert!(!s.text().contains("I/O error"), "{}", s.text());
    s.keys(b"t-30s\r");
    s.until_shows("◀ PAST");
    s.keys(b"T");
    s.until_shows("▶ LIVE");
    std::fs::remove_file(&hog).expect("removing it");
    s.until("history is kept again", |t| !t.contains("HISTORY NOT KEPT"));
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}
