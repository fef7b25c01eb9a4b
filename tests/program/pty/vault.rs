//! The sealed inventory on the screen: the dialog that opens it, the lock, other processes, other tenants. The fleet is
//! simulated in a process of its own.

use super::key;
use crate::harness::{
    Home,
    process::{self, SimProcess, run},
    screen::{self, Screen},
    vault::Stage,
};
use std::fs;

pub const PASSPHRASE: &str = "correct horse zebra";

impl Stage {
    /// With a tenant that has the instances of `sim`, and a passphrase for the screen.
    pub fn watching(sim: &SimProcess) -> Self {
        let stage = Self::with_vault();
        stage.done(&["instance", "import", &sim.inventory(), "--yes"]);
        stage.add_passphrase("default");
        stage
    }

    #[track_caller]
    fn add_passphrase(&self, tenant: &str) {
        let args = ["vault", "slot", "add", "passphrase", "--tenant", tenant, "--key-file", self.key()];
        let mut s = Screen::start_command(screen::dbtop(&args, &self.home), 120, 30);
        for question in ["New passphrase", "Once more"] {
            s.until_shows(question);
            s.until("nothing that is typed is shown", |_| true);
            s.run_for(std::time::Duration::from_millis(300));
            s.keys(format!("{PASSPHRASE}\r").as_bytes());
        }
        assert_eq!(s.ended(), 0, "{}", s.text());
    }

    fn screen(&self, args: &[&str]) -> Screen {
        Screen::start(args, 120, 40, &self.home)
    }

    /// The screen, unlocked by the passphrase.
    #[track_caller]
    fn unlocked(&self, args: &[&str]) -> Screen {
        let mut s = self.screen(args);
        s.until_shows("Unlock ");
        s.keys(format!("{PASSPHRASE}\r").as_bytes());
        s.until("the fleet", |t| t.contains("sqlprd-001") && !t.contains(" LOCKED"));
        s
    }
}

#[track_caller]
fn command(s: &mut Screen, text: &str) {
    s.keys(format!(":{text}").as_bytes());
    s.until("the command line", |t| t.lines().last().is_some_and(|l| l.contains(&format!(":{text}"))));
    s.keys(key::ENTER);
}

#[track_caller]
fn quit(mut s: Screen) {
    s.keys(key::CTRL_C);
    s.keys(key::CTRL_C);
    assert_eq!(s.ended(), 0, "{}", s.text());
    s.assert_restored();
    let shown = String::from_utf8_lossy(&s.raw).into_owned();
    for piece in ["horse", "zebra"] {
        assert!(!shown.contains(piece), "a passphrase is never shown");
    }
}

#[test]
fn the_first_vault_is_made_on_the_screen() {
    let stage = Stage::new();
    let mut s = stage.screen(&[]);
    s.until_shows("No instances yet");
    command(&mut s, "unlock");
    s.until_shows("A vault for your instances");
    s.keys(b"short\r");
    s.until_shows("at least 12 characters");
    s.keys(b"\x15correct horse zebra\rcorrect horse zebrA\r");
    s.until_shows("the two are not the same");
    assert!(!stage.home.path().join("tenants/default").exists(), "nothing is made yet");
    s.keys(b"correct horse zebra\rcorrect horse zebra\r");
    s.until("the tenant in the header", |t| t.starts_with(" dbtop  default") && !t.contains("A vault for"));
    quit(s);
    let mut again = stage.screen(&[]);
    again.until_shows("Unlock default");
    again.keys(format!("{PASSPHRASE}\r").as_bytes());
    again.until("open", |t| t.contains("No instances yet") && !t.contains(" LOCKED"));
    quit(again);
}

#[test]
fn the_dialog_takes_the_right_passphrase_only_and_esc_leaves_it_locked() {
    let sim = SimProcess::start(3, 0, None);
    let stage = Stage::watching(&sim);
    let mut s = stage.screen(&[]);
    s.until("the dialog", |t| t.contains("Unlock default") && t.contains(" LOCKED"));
    s.keys(b"correct horse zebrA\r");
    s.until_shows("opens no key slot");
    assert!(s.text().contains("caps lock") && !s.text().contains("sqlprd"), "{}", s.text());
    s.keys(key::ESC);
    s.until("why there is nothing", |t| {
        !t.contains("Unlock default") && t.contains("The inventory is locked") && t.contains(":unlock")
    });
    // The screen is alive, only empty.
    s.keys(b"2");
    s.until_shows("─ Activity");
    s.keys(b"1");
    command(&mut s, "unlock");
    s.until_shows("Unlock default");
    s.keys(format!("{PASSPHRASE}\r").as_bytes());
    s.until("all are polled", |t| t.contains("3/3 polled") && !t.contains(" LOCKED"));
    quit(s);
}

/// Every file below a folder, as one heap of bytes.
fn files_below(folder: &std::path::Path) -> Vec<u8> {
    let mut heap = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        heap.extend(if path.is_dir() { files_below(&path) } else { fs::read(path).expect("a file") });
    }
    heap
}

fn around<'t>(text: &'t str, word: &str) -> &'t str {
    text.lines().find(|line| line.contains(word)).unwrap_or("")
}

#[test]
fn a_locked_screen_keeps_monitoring_and_shows_no_address() {
    let sim = SimProcess::start(3, 0, None);
    let stage = Stage::watching(&sim);
    let mut s = stage.unlocked(&[]);
    s.until_shows("3/3 polled");
    command(&mut s, "sqlprd-001");
    s.until_shows("127.1.");
    command(&mut s, "lock");
    s.until("locked, and no address", |t| t.contains(" LOCKED") && !t.contains("127.1."));
    s.keys(b"d");
    s.until_shows("address");
    assert!(s.row("address").is_some_and(|row| row.contains("locked")), "{}", s.text());
    let tag = s.row("in the log").and_then(|row| row.split_whitespace().last().map(str::to_owned));
    assert!(tag.as_ref().is_some_and(|tag| tag.len() == 8), "{}", s.text());
    s.keys(key::ESC);
    s.until("the instance again", |t| t.contains("CPU %") && !t.contains("in the log"));
    // It still sees what happens: the servers go, and it says so.
    drop(sim);
    s.until("the server is gone", |t| t.contains("unreachable since"));
    assert!(s.text().contains(" LOCKED") && !s.text().contains("127.1."), "{}", s.text());
    quit(s);
    // What it wrote about that tells what happened, and to whom only those who can open the inventory.
    let heap = files_below(&stage.home.path());
    let log = String::from_utf8_lossy(&heap);
    assert!(log.contains("link down") && log.contains("unreachable"), "there is something to search");
    for telling in ["127.1.", "sqlprd-", "dbtop (sql)", "orders", PASSPHRASE] {
        assert!(!log.contains(telling), "{telling} stands in a file: {}", around(&log, telling));
    }
    let shown = stage.done(&["instance", "show", "sqlprd-001"]).stdout;
    let told = shown.lines().find(|l| l.contains("in the log")).and_then(|l| l.split_whitespace().last());
    let told = told.expect("its name in the log");
    assert!(
        log.contains(told),
        "{told} is not in {}",
        log.lines().filter(|l| l.contains("link down")).collect::<Vec<_>>().join("\n")
    );
    assert_eq!(tag.as_deref(), Some(told));
}

#[test]
fn what_another_process_changes_is_taken_over() {
    let sim = SimProcess::start(3, 0, None);
    let stage = Stage::watching(&sim);
    let mut s = stage.unlocked(&[]);
    s.until_shows("3/3 polled");
    stage.done(&["instance", "remove", "sqlprd-002", "--yes"]);
    s.until("it is gone", |t| t.contains("reloaded") && !t.contains("sqlprd-002"));
    stage.done(&["instance", "restore", "sqlprd-002"]);
    s.until("it is back and polled", |t| t.contains("3/3 polled") && t.contains("sqlprd-002"));
    // Whoever changes the data key locks out those who hold the old one, until they show that they have a key.
    stage.done(&["vault", "rotate"]);
    s.until("the key was changed", |t| t.contains(" LOCKED") && t.contains("was changed by another process"));
    command(&mut s, "unlock");
    s.until_shows("Unlock default");
    s.keys(format!("{PASSPHRASE}\r").as_bytes());
    s.until("open again", |t| !t.contains(" LOCKED"));
    // Nothing of a suspended tenant is polled, and it opens when it is resumed.
    stage.done(&["tenant", "suspend", "default"]);
    s.until("it is suspended", |t| {
        t.contains(" LOCKED") && t.contains("suspended") && !t.contains("sqlprd-")
    });
    stage.done(&["tenant", "resume", "default"]);
    command(&mut s, "unlock");
    s.until_shows("Unlock default");
    s.keys(format!("{PASSPHRASE}\r").as_bytes());
    s.until("all are polled again", |t| t.contains("3/3 polled") && !t.contains(" LOCKED"));
    quit(s);
}

#[test]
fn a_password_to_be_asked_for_is_asked_for_on_the_screen() {
    let sim = SimProcess::start(2, 0, None);
    let stage = Stage::new();
    stage.done(&["vault", "init"]);
    let inventory = fs::read_to_string(&sim.inventory).expect("an inventory");
    let line = inventory.lines().find(|l| l.starts_with("password")).expect("a password");
    let password = line.split('"').nth(1).expect("a password in quotes").to_owned();
    let asking =
        inventory.lines().map(|l| if l.starts_with("password") { "password = { ask = true }" } else { l });
    let text = asking.collect::<Vec<_>>().join("\n");
    let file = stage.home.file("ask.toml", &text).to_string_lossy().into_owned();
    stage.done(&["instance", "import", &file, "--yes"]);
    let mut s = stage.screen(&["--key-file", stage.key()]);
    s.until("the question, for the first of the login's instances", |t| {
        t.contains("Password of dbtop (sql)") && t.contains("First wanted by") && t.contains("0/2 polled")
    });
    s.keys(key::ESC);
    s.until("it is not known", |t| {
        t.contains("password: it is to be asked for") && !t.contains("Password of")
    });
    command(&mut s, "sqlprd-001");
    s.until("why, and what to do", |t| t.contains("was not given") && t.contains(":unlock asks again"));
    command(&mut s, "unlock");
    s.until_shows("Password of dbtop (sql)");
    s.keys(format!("{password}\r").as_bytes());
    s.until_shows("2/2 polled");
    assert!(!String::from_utf8_lossy(&s.raw).contains(&password));
    quit(s);
}

#[test]
fn the_doctor_examines_the_scope_and_its_script_can_be_copied() {
    let home = Home::new();
    let mut s = Screen::start(&["--demo"], 140, 40, &home);
    s.until_shows("39/40 polled");
    command(&mut s, "@test");
    s.until("a narrower scope", |t| {
        t.lines().nth(2).is_some_and(|l| l.contains("instances") && !l.contains("40 inst"))
    });
    command(&mut s, "doctor");
    s.until("all are examined", |t| {
        t.contains("Permission doctor") && t.contains(" examined ─") && !t.contains("…  ")
    });
    assert!(!s.text().contains("sqlprd"), "only what is in scope\n{}", s.text());
    assert!(s.row("sqltst-004").is_some_and(|row| row.contains("missing")), "{}", s.text());
    s.keys(key::HOME);
    s.keys(key::ENTER);
    s.until_shows("GRANT VIEW SERVER STATE TO [dbtop]");
    s.keys(b"y");
    s.until_shows("script copied");
    assert!(s.copies().iter().any(|copied| copied.contains("GRANT VIEW SERVER STATE TO [dbtop]")));
    s.keys(key::ESC);
    s.until_shows("INSTANCE");
    s.keys(key::ESC);
    s.until("the fleet again", |t| !t.contains("Permission doctor"));
    quit(s);
}

#[test]
fn tenants_are_switched_and_never_mixed() {
    let sim = SimProcess::start(3, 0, None);
    let stage = Stage::watching(&sim);
    stage.done(&["tenant", "create", "other"]);
    stage.done(&[
        "instance",
        "add",
        "lonely",
        "--host",
        "127.0.0.1",
        "--port",
        "9",
        "--user",
        "u",
        "--secret-env",
        "X",
        "--no-test",
        "--tenant",
        "other",
    ]);
    let mut s = stage.screen(&["--key-file", stage.key()]);
    s.until("which one", |t| t.contains("TENANT") && t.contains("default") && t.contains("other"));
    s.keys(key::DOWN);
    s.keys(key::ENTER);
    s.until("the other tenant's fleet", |t| t.starts_with(" dbtop  other") && t.contains("lonely"));
    assert!(!s.text().contains("sqlprd"), "{}", s.text());
    command(&mut s, "tenant default");
    s.until("this one's", |t| t.starts_with(" dbtop  default") && t.contains("3/3 polled"));
    assert!(!s.text().contains("lonely"), "{}", s.text());
    command(&mut s, "tenant nobody");
    s.until_shows("no tenant is called nobody");
    // Deleted by its name, listed with the day until which it comes back, and back.
    command(&mut s, "tenants");
    s.until("the list", |t| t.contains("LAST USE") && t.contains("watched now"));
    s.keys(key::DOWN);
    s.keys(b"D");
    s.until_shows("Delete tenant other?");
    s.keys(b"other\r");
    s.until("it is deleted", |t| t.contains("30 days") && t.contains("1 deleted, can come back"));
    s.keys(b"m");
    s.until_shows("Bring tenant other back");
    s.keys(b"-2\r");
    s.until("it is back", |t| t.contains("other-2") && !t.contains("can come back"));
    stage.done(&["tenant", "delete", "other-2", "--yes"]);
    s.until("what another process did", |t| t.contains("1 deleted, can come back"));
    quit(s);
}

#[test]
fn a_tenant_with_a_key_file_of_its_own_is_opened_by_naming_the_file() {
    let sim = SimProcess::start(1, 0, None);
    let stage = Stage::watching(&sim);
    let other = stage.home.path().join("other.key");
    let other = other.to_str().unwrap();
    let made = run(&mut process::dbtop(&["tenant", "create", "other", "--key-file", other], &stage.home));
    assert_eq!(made.code, Some(0), "{made:?}");
    let mut s = stage.screen(&["--tenant", "default", "--key-file", stage.key()]);
    s.until("this one's", |t| t.starts_with(" dbtop  default") && t.contains("1/1 polled"));
    command(&mut s, "tenant other");
    s.until("what is needed", |t| t.contains("Unlock other") && t.contains("--tenant other --key-file FILE"));
    s.keys(b"/nowhere/x.key\r");
    s.until_shows("there is no key file /nowhere/x.key");
    s.keys(other.as_bytes());
    s.keys(key::ENTER);
    s.until("it is open", |t| t.starts_with(" dbtop  other") && !t.contains("Unlock other"));
    command(&mut s, "tenant default");
    s.until("and this one as before", |t| t.starts_with(" dbtop  default") && t.contains("1/1 polled"));
    quit(s);
}

#[test]
fn a_tenant_is_backed_up_from_the_screen() {
    let sim = SimProcess::start(1, 0, None);
    let stage = Stage::watching(&sim);
    let mut s = stage.unlocked(&[]);
    command(&mut s, "backup");
    s.until_shows("Back up tenant default");
    s.keys(key::ENTER);
    s.until("the file is named", |t| t.contains("backed up into"));
    quit(s);
    let backups = fs::read_dir(stage.home.path().join("backups")).unwrap();
    let files: Vec<_> = backups.map(|file| file.unwrap().path()).collect();
    assert!(files.len() == 1 && files[0].to_string_lossy().contains("backups/default-20"), "{files:?}");
    let twin = Stage::with_vault();
    fs::copy(stage.key(), twin.key()).unwrap();
    twin.done(&["tenant", "restore", files[0].to_str().unwrap(), "twin"]);
}
