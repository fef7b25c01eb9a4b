//! The wizard, the form for many and removal in a real pseudo-terminal, against simulated servers that speak real TDS: what
//! is typed is tested, saved, seen in the fleet, and found again by the sub-commands and in the audit log. No password is
//! ever among the bytes that reach the terminal.
#![cfg(unix)]

use crate::harness::{
    Home,
    process::{self, Ended, SimProcess, run},
    screen::Screen,
};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt};

const ENTER: &[u8] = b"\r";
const TAB: &[u8] = b"\t";
const NEXT_STEP: &[u8] = b"\x0e";
const CTRL_N: &[u8] = b"\x0e";
const CTRL_P: &[u8] = b"\x10";
const CTRL_S: &[u8] = b"\x13";
const CTRL_T: &[u8] = b"\x14";
const CTRL_U: &[u8] = b"\x15";

/// A user with a vault that a key file opens.
struct Stage {
    home: Home,
    key: String,
}

impl Stage {
    fn new() -> Self {
        let home = Home::new();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let key = home.tmp().join("key").to_string_lossy().into_owned();
        let stage = Self { home, key };
        stage.done(&["vault", "init"]);
        stage
    }

    #[track_caller]
    fn done(&self, args: &[&str]) -> Ended {
        let ended = run(process::dbtop(args, &self.home).args(["--key-file", &self.key]));
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        ended
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let ended = self.done(&[args, &["-o", "json"]].concat());
        serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {}", ended.stdout))
    }

    /// What the audit log has of this action: names and outcomes, and that somebody at a terminal did it.
    fn audited(&self, action: &str) -> Vec<String> {
        let all = self.json(&["audit", "list", "--action", action, "--entity", "instance"]);
        let entries = all.as_array().unwrap().iter();
        let named = entries.map(|entry| {
            assert_eq!(entry["outcome"], "done", "{entry}");
            assert!(entry["tty"].as_str().is_some_and(|tty| tty.starts_with("/dev/")), "{entry}");
            entry["name"].as_str().unwrap_or_default().to_owned()
        });
        named.collect()
    }

    fn screen(&self) -> Screen {
        Screen::start(&["--key-file", &self.key], 120, 40, &self.home)
    }
}

/// Where the instances of a simulated fleet are, and the password that lets in.
fn addresses(sim: &SimProcess) -> (Vec<String>, String) {
    let file: toml::Table = fs::read_to_string(&sim.inventory).unwrap().parse().unwrap();
    let instances = file["instance"].as_array().unwrap();
    let address = |i: &toml::Value| format!("{},{}", i["host"].as_str().unwrap(), i["port"]);
    (instances.iter().map(address).collect(), instances[0]["password"].as_str().unwrap().to_owned())
}

/// All that dbtop wrote, the log among it.
fn written(folder: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            bytes.extend(written(&path));
        } else {
            bytes.extend(path.to_string_lossy().as_bytes());
            bytes.extend(fs::read(&path).unwrap());
        }
    }
    bytes
}

/// Fills the wizard in up to the last step but one.
fn fill(s: &mut Screen, name: &str, address: &str, password: &str) {
    s.keys(b"+");
    s.until_shows("Add an instance");
    for piece in [name.as_bytes(), TAB, address.as_bytes(), NEXT_STEP] {
        s.keys(piece);
    }
    s.until_shows("Authentication for");
    for piece in [TAB, b"dbtop", TAB, TAB, password.as_bytes(), NEXT_STEP] {
        s.keys(piece);
    }
    s.until_shows("Read-only intent");
    s.keys(NEXT_STEP);
    s.until_shows("Details every");
}

#[track_caller]
fn quit(mut s: Screen, secrets: &[&str]) {
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0, "{}", s.text());
    s.assert_restored();
    let shown = String::from_utf8_lossy(&s.raw).into_owned();
    for secret in secrets {
        assert!(!shown.contains(secret), "a password is never shown");
    }
}

#[test]
fn the_wizard_pins_a_certificate_survives_a_wrong_password_and_adds_the_instance() {
    let sim = SimProcess::start(2, 0, None);
    let (addresses, password) = addresses(&sim);
    let stage = Stage::new();
    let mut s = stage.screen();
    s.until_shows("+ add an instance");
    fill(&mut s, "sales-1", &addresses[1], "Wr0ng-zebra");
    s.keys(b"night");
    s.keys(TAB);
    s.keys(b"env=test");
    s.keys(NEXT_STEP);
    s.until_shows("Pin this certificate?");
    assert!(s.text().contains("CN=dbtop simulator CA") && s.text().contains("SHA-256"), "{}", s.text());
    s.keys(b"yes");
    s.keys(ENTER);
    s.until_shows("login refused (18456)");
    let text = s.text();
    assert!(text.contains("● TLS 1.2") && text.contains("It does not work yet."), "{text}");
    // Back to the password: all else is as it was.
    s.keys(CTRL_P);
    s.until_shows("env=test");
    s.keys(CTRL_P);
    s.until_shows("Fingerprint");
    s.keys(CTRL_P);
    s.until_shows("•••••••••••");
    s.keys(CTRL_U);
    s.keys(password.as_bytes());
    s.keys(CTRL_T);
    s.until_shows("It works");
    let text = s.text();
    assert!(text.contains("● 1") && text.contains("SQL Server") || text.contains("Edition"), "{text}");
    s.keys(ENTER);
    s.until("it is in the fleet", |t| t.contains("saved sales-1") && t.contains("1 instance "));
    s.until("it is polled", |t| t.contains("1/1 polled"));
    quit(s, &["zebra", &password]);

    let shown = stage.json(&["instance", "show", "sales-1"]);
    let shown = &shown[0];
    assert_eq!(format!("{},{}", shown["host"].as_str().unwrap(), shown["port"]), addresses[1]);
    assert_eq!((shown["user"].as_str(), shown["tls"].as_str()), (Some("dbtop"), Some("pin")));
    assert_eq!(shown["tls_pin"].as_str().map(str::len), Some(64), "{shown}");
    assert_eq!((&shown["groups"][0], &shown["labels"]["env"]), (&"night".into(), &"test".into()));
    assert_eq!(stage.audited("add"), ["sales-1"]);
    let tested = stage.json(&["instance", "test", "sales-1"]);
    assert_eq!(tested[0]["passed"], true, "the password is the right one, and the pin holds: {tested}");
    stage.done(&["audit", "verify"]);
    let files = written(&stage.home.path());
    let telling = ["sales-1", "night", "zebra", &password, addresses[1].split(',').next().unwrap()];
    for piece in telling {
        assert!(!files.windows(piece.len()).any(|w| w == piece.as_bytes()), "{piece:?} is in a file");
    }
}

#[test]
fn who_starts_with_nothing_makes_a_vault_and_is_led_on_to_the_wizard() {
    let home = Home::new();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let mut s = Screen::start(&[], 100, 30, &home);
    s.until_shows("+ add an instance");
    s.until_shows("no tenant");
    s.keys(b"+");
    s.until_shows("A vault for your instances");
    for _ in 0..2 {
        s.keys(b"correct horse zebra");
        s.keys(ENTER);
    }
    s.until_shows("Add an instance");
    s.keys(b"dark-1");
    s.until_shows("dark-1");
    s.keys(b"\x1b");
    s.until_shows("Throw away what you typed?");
    s.keys(b"y");
    s.until("the fleet again", |t| !t.contains("Add an instance"));
    quit(s, &["horse", "zebra"]);
}

#[test]
fn untested_it_is_saved_on_a_typed_word_and_can_be_edited_after() {
    let stage = Stage::new();
    let mut s = stage.screen();
    s.until_shows("+ add an instance");
    // Nobody listens there.
    fill(&mut s, "dark-1", "127.0.0.1,1", "H0rse-battery");
    s.keys(CTRL_S);
    s.until_shows("Save it without a test that passed?");
    s.keys(ENTER);
    s.until_shows("that is not it");
    s.keys(b"save");
    s.keys(ENTER);
    s.until_shows("saved dark-1");
    s.until("it is in the fleet", |t| t.contains("1 instance "));
    s.keys(b"i");
    s.until_shows("Edit dark-1");
    for step in ["Authentication for", "Read-only intent", "Details every"] {
        s.keys(CTRL_N);
        s.until_shows(step);
    }
    s.keys(b"quiet");
    s.keys(CTRL_S);
    s.until("no test is asked for: it is reached as before", |t| {
        t.contains("saved dark-1") && !t.contains("Edit dark-1")
    });
    s.until("its group is there", |t| t.contains("dark-1"));
    s.keys(b"D");
    s.until_shows("Remove from the inventory: dark-1");
    s.keys(b"yes");
    s.keys(ENTER);
    s.until_shows("removed dark-1");
    quit(s, &["H0rse", "battery"]);
    let all = stage.json(&["instance", "list", "--removed"]);
    assert_eq!((&all[0]["name"], &all[0]["groups"][0]), (&"dark-1".into(), &"quiet".into()), "{all}");
    assert_eq!([stage.audited("add"), stage.audited("edit"), stage.audited("remove")], [["dark-1"]; 3]);
}

#[test]
fn a_label_for_three_marked_rows_at_once() {
    let stage = Stage::new();
    let csv = "name,host,port,user,password_env\na,127.0.0.1,1,u,NOPE\nb,127.0.0.1,2,u,NOPE\nc,127.0.0.1,3,u,NOPE\nd,127.0.0.1,4,u,NOPE\n";
    let file = stage.home.file("four.csv", csv);
    stage.done(&["instance", "import", &file.to_string_lossy(), "--yes"]);
    let mut s = stage.screen();
    s.until("the fleet", |t| t.contains("4 instances"));
    // By name, so that the order stays while they fail.
    s.keys(b">");
    s.until_shows("by INSTANCE");
    for n in 1..=3 {
        s.keys(b" ");
        s.until_shows(&format!("{n} marked"));
    }
    s.keys(b"i");
    s.until_shows("Change 3 instances");
    for piece in [TAB, TAB, b"team=blue", NEXT_STEP] {
        s.keys(piece);
    }
    s.until_shows("Change 3 instances?");
    assert!(s.text().contains("label team=blue"), "{}", s.text());
    s.keys(b"4");
    s.keys(ENTER);
    s.until_shows("that is not it");
    s.keys(CTRL_U);
    s.keys(b"3");
    s.keys(ENTER);
    s.until_shows("changed 3 instances");
    quit(s, &[]);
    let labelled = stage.json(&["instance", "list", "--scope", "team=blue"]);
    assert_eq!(labelled.as_array().unwrap().len(), 3, "{labelled}");
    assert_eq!(stage.audited("edit").len(), 3);
}
