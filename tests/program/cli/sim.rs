//! `dbtop sim` as a process: its files, and that nothing of it stays behind. And `dbtop keys`.

use super::{assert_harmless, once};
use crate::harness::{
    DBTOP, Home, PATIENCE, names,
    process::{SimProcess, dbtop, run, signal, wait},
    screen::Screen,
};
use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::Instant,
};

#[test]
fn it_ends_in_good_order_and_takes_its_temporary_files_along() {
    for name in ["TERM", "INT", "HUP"] {
        let mut sim = SimProcess::start(2, 0, None);
        assert!(!names(&sim.home.tmp()).is_empty(), "its certificates are somewhere");
        signal(sim.pid(), name);
        let status = wait(&mut sim.child, PATIENCE);
        assert_eq!(status.and_then(|s| s.code()), Some(0), "SIG{name}");
        sim.home.assert_nothing_left();
    }
}

#[test]
fn ctrl_c_in_a_terminal_ends_it_too() {
    let home = Home::new();
    let out = home.path().join("fleet.toml").to_string_lossy().into_owned();
    let mut s =
        Screen::start(&["sim", "--instances", "2", "--port", "0", "--inventory-out", &out], 100, 10, &home);
    s.until_shows("Ctrl-C ends them.");
    assert!(s.text().contains("2 simulated instances listen from 127.1.0.1:"), "{}", s.text());
    s.keys(b"\x03");
    assert_eq!(s.ended(), 0);
    home.assert_nothing_left();
}

#[test]
fn a_signal_during_its_start_leaves_nothing_behind() {
    let home = Home::new();
    let out = home.path().join("fleet.toml").to_string_lossy().into_owned();
    let mut child = dbtop(&["sim", "--instances", "500", "--port", "0", "--inventory-out", &out], &home)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let since = Instant::now();
    while names(&home.tmp()).is_empty() {
        assert!(since.elapsed() < PATIENCE, "it makes its folder");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    signal(child.id(), "TERM");
    let status = wait(&mut child, PATIENCE);
    let _ = child.kill();
    assert_eq!(status.and_then(|s| s.code()), Some(0));
    home.assert_nothing_left();
}

#[test]
fn nobody_else_may_read_its_inventory_which_works_as_it_is() {
    let sim = SimProcess::start(1, 0, None);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&sim.inventory), 0o600);
    let left = names(&sim.home.path());
    assert!(!left.iter().any(|n| n.contains(".part")), "{left:?}");
    assert_eq!(once(&sim, &["fleet"]).code, Some(0));

    // A file from before that anybody may read is not written to, but replaced.
    let home = Home::new();
    let old = home.file("fleet.toml", "old");
    std::fs::set_permissions(&old, PermissionsExt::from_mode(0o644)).unwrap();
    let mut args = vec!["sim", "--instances", "1", "--port", "0", "--inventory-out"];
    let path = old.to_string_lossy().into_owned();
    args.push(&path);
    let mut child = dbtop(&args, &home).stdout(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    while std::fs::read_to_string(&old).is_ok_and(|t| t == "old") && since.elapsed() < PATIENCE {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let (mode, text) = (mode(&old), std::fs::read_to_string(&old).unwrap());
    signal(child.id(), "TERM");
    wait(&mut child, PATIENCE);
    let _ = child.kill();
    assert_eq!(mode, 0o600);
    assert!(text.contains("[[instance]]"), "{text}");
}

#[test]
fn it_says_why_it_cannot_start() {
    let home = Home::new();
    let out = home.path().join("fleet.toml").to_string_lossy().into_owned();
    let start =
        |args: &[&str]| run(dbtop(&["sim", "--instances", "2", "--inventory-out", &out], &home).args(args));
    let scenario = home
        .file("trouble.toml", "[[event]]\non = '#1'\nkind = 'lightning'\n")
        .to_string_lossy()
        .into_owned();
    for (args, said) in [
        (&["--port", "0", "--versions", "2014"][..], &["--versions 2014", "2016, 2017"][..]),
        (&["--port", "0", "--scenario", &scenario], &["trouble.toml", "line 3", "lightning"]),
        (&["--port", "0", "--scenario", "/no/such.toml"], &["/no/such.toml"]),
    ] {
        let ended = start(args);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{args:?}: {}", ended.stderr);
        for words in said {
            assert!(ended.stderr.contains(words), "{args:?}: does not say {words}: {}", ended.stderr);
        }
        home.assert_nothing_left();
    }
    let ended = run(&mut dbtop(
        &["sim", "--instances", "1", "--port", "0", "--inventory-out", "/no/such/f.toml"],
        &home,
    ));
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.contains("writing /no/such/"), "{}", ended.stderr);
    home.assert_nothing_left();
}

#[test]
fn keys_prints_what_the_documentation_has() {
    let home = Home::new();
    let ended = run(&mut dbtop(&["keys"], &home));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md")).unwrap();
    assert!(ended.stdout == file, "docs/keys.md is stale: run `cargo run -- keys > docs/keys.md`");
    assert_harmless(&ended.stdout);
    let mut piped = Command::new("bash");
    piped.args(["-o", "pipefail", "-c", "\"$0\" keys | true", DBTOP]).env_clear().envs(home.environment());
    let ended = run(&mut piped);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "nobody reads it");
}
