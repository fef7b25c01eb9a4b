//! `dbtop vault` from outside: in scripts by key file, on a terminal by passphrase. What is typed is never shown, what is
//! wrong is said with the way out, and no secret or label stands readable in any file.
#![cfg(unix)]

use crate::harness::{
    Home,
    process::{Ended, dbtop, run, signal},
    screen::{self, Screen},
    vault::Stage,
};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

impl Stage {
    fn command(&self, args: &[&str]) -> std::process::Command {
        let args: Vec<&str> = ["vault"].iter().chain(args).copied().collect();
        dbtop(&args, &self.home)
    }

    /// Without a key: nothing but arguments.
    fn vault(&self, args: &[&str]) -> Ended {
        run(&mut self.command(args))
    }

    /// With the key file in the environment, as scripts do it; the result as JSON.
    #[track_caller]
    fn vault_json(&self, args: &[&str]) -> Value {
        let ended = run(self.command(args).args(["-o", "json"]).env("DBTOP_KEY_FILE", self.key()));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        serde_json::from_str(&ended.stdout).expect("JSON")
    }

    /// On a terminal.
    fn on_terminal(&self, args: &[&str]) -> Screen {
        let args: Vec<&str> = ["vault"].iter().chain(args).copied().collect();
        Screen::start_command(screen::dbtop(&args, &self.home), 120, 30)
    }
}

/// Every file below the home, as one heap of bytes.
fn all_files(home: &Home) -> Vec<u8> {
    let (mut heap, mut folders) = (Vec::new(), vec![home.path()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { heap.extend(fs::read(path).unwrap()) }
        }
    }
    assert!(heap.len() > 4096, "there is something to search");
    heap
}

fn holds(heap: &[u8], text: &str) -> bool {
    heap.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_script_makes_and_opens_a_vault_by_key_file() {
    let stage = Stage::with_vault();
    assert_eq!(fs::metadata(&stage.key).unwrap().permissions().mode() & 0o777, 0o600);
    let status = &stage.vault_json(&["status"])[0];
    assert_eq!(
        (&status["tenant"], &status["opens_here"], &status["slots"]),
        (&"default".into(), &true.into(), &1.into())
    );
    assert!(status["problem"].is_null());
    let slots = stage.vault_json(&["slot", "list"]);
    assert_eq!((&slots[0]["kind"], &slots[0]["label"]), (&"key-file".into(), &"first".into()));
    // Without the key it says what to give; it does not fail, since to say so is its task.
    let told = stage.vault(&["status"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.contains("DBTOP_KEY_FILE") && told.stdout.contains("no "), "{}", told.stdout);
    let refused = stage.vault(&["slot", "list"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("the vault is locked: give `--key-file FILE`"), "{}", refused.stderr);
}

#[test]
fn what_is_wrong_with_a_key_file_is_said_with_the_way_out() {
    let stage = Stage::with_vault();
    fs::set_permissions(&stage.key, fs::Permissions::from_mode(0o644)).unwrap();
    let wide = stage.vault(&["slot", "list", "--key-file", stage.key()]);
    assert!(wide.stderr.contains(&format!("chmod 600 {}", stage.key())), "{}", wide.stderr);
    fs::set_permissions(&stage.key, fs::Permissions::from_mode(0o600)).unwrap();
    let missing = stage.vault(&["slot", "list", "--key-file", "nowhere"]);
    assert!(missing.stderr.contains("there is no key file nowhere"), "{}", missing.stderr);
    let other = Stage::with_vault();
    let wrong = stage.vault(&["slot", "list", "--key-file", other.key()]);
    assert!(wrong.stderr.contains("belongs to another tenant"), "{}", wrong.stderr);
    assert!([wide, missing, wrong].iter().all(|ended| ended.code == Some(3) && ended.stdout.is_empty()));
}

#[test]
fn without_a_tenant_the_first_step_is_named_and_with_several_the_choice() {
    let stage = Stage::new();
    let none = stage.vault(&["status"]);
    assert!(none.code == Some(3) && none.stderr.contains("`dbtop vault init`"), "{none:?}");
    for name in ["east", "west"] {
        let made = stage.vault(&["init", "--tenant", name, "--key-file", stage.key()]);
        assert_eq!(made.code, Some(0), "{made:?}");
    }
    let which = stage.vault(&["status"]);
    assert!(which.stderr.contains("--tenant (east, west)"), "{}", which.stderr);
    assert_eq!(stage.vault_json(&["status", "--tenant", "west"])[0]["tenant"], "west");
    let again = stage.vault(&["init", "--tenant", "west", "--key-file", stage.key()]);
    assert!(again.code == Some(3) && again.stderr.contains("there already"), "{again:?}");
}

#[test]
fn slots_come_and_go_and_the_last_one_stays() {
    let stage = Stage::with_vault();
    let first = stage.vault_json(&["slot", "list"])[0]["id"].as_str().unwrap().to_owned();
    let second = stage.home.tmp().join("second");
    let path = second.to_str().unwrap();
    let added = stage.vault_json(&["slot", "add", "key-file", path, "--label", "zebra-backup-job"]);
    assert_eq!(added[0]["label"], "zebra-backup-job");
    assert_eq!(stage.vault(&["slot", "list", "--key-file", path]).code, Some(0));
    assert!(!holds(&all_files(&stage.home), "zebra"), "the label is sealed");

    assert_eq!(stage.vault_json(&["rotate"])[0]["generation"], 2);
    assert_eq!(
        stage.vault(&["slot", "list", "--key-file", path]).code,
        Some(0),
        "nobody was asked, both open"
    );

    let id = added[0]["id"].as_str().unwrap();
    let removed = stage.vault_json(&["slot", "remove", id, "--rotate"]);
    assert_eq!((&removed[0]["id"], &removed[0]["label"]), (&id.into(), &"zebra-backup-job".into()));
    let out = stage.vault(&["slot", "list", "--key-file", path]);
    assert!(out.code == Some(3) && out.stderr.contains("its slot was removed"), "{out:?}");
    assert_eq!(stage.vault_json(&["slot", "list"])[0]["generation"], 3);

    let last = stage.vault(&["slot", "remove", &first, "--key-file", stage.key()]);
    assert!(last.code == Some(3) && last.stderr.contains("`dbtop vault slot add`"), "{last:?}");
    let unknown = stage.vault(&["slot", "remove", "ffffffff", "--key-file", stage.key()]);
    assert!(unknown.stderr.contains("there is no key slot ffffffff"), "{}", unknown.stderr);
}

#[test]
fn no_option_takes_a_passphrase() {
    let stage = Stage::new();
    for args in [&["init", "--passphrase", "correct horse battery"][..], &["init", "correct horse battery"]] {
        assert_eq!(stage.vault(args).code, Some(3), "a usage error");
    }
}

#[test]
fn the_machine_says_how_well_it_protects_keys() {
    let stage = Stage::new();
    let rows = stage.vault_json(&["lock-check"]);
    let checks: Vec<&str> =
        rows.as_array().unwrap().iter().map(|row| row["check"].as_str().unwrap()).collect();
    assert_eq!(checks[..2], ["core dumps and tracing are off", "keys stay out of swap"]);
    for row in rows.as_array().unwrap() {
        assert_eq!(row["ok"].as_bool().unwrap(), row["problem"].is_null(), "{row}");
    }
    if cfg!(target_os = "linux") {
        assert_eq!((&rows[0]["ok"], checks[2]), (&true.into(), "kernel-keyring"));
    }
}

#[test]
fn a_passphrase_is_asked_for_twice_and_never_shown() {
    let stage = Stage::new();
    let mut s = stage.on_terminal(&["init"]);
    s.until_shows("New passphrase for tenant default:");
    s.keys(b"too short\r");
    s.until("the first question again", |t| t.matches("New passphrase").count() == 2);
    assert!(s.text().contains("take at least 12"), "{}", s.text());
    s.keys(b"correct horse zebra\r");
    s.until_shows("Once more:");
    s.keys(b"correct horse zebrA\r");
    s.until("the first question again", |t| t.matches("New passphrase").count() == 3);
    assert!(s.text().contains("not the same"), "{}", s.text());
    s.keys(b"correct horse zebra\r");
    s.until("the second question again", |t| t.matches("Once more:").count() == 2);
    s.keys(b"correct horse zebra\r");
    assert_eq!(s.ended(), 0, "{}", s.text());
    s.assert_restored();
    assert!(s.text().contains("tenant default is made") && s.text().contains("passphrase"), "{}", s.text());
    assert!(!holds(&s.raw, "horse") && !holds(&s.raw, "short"), "nothing typed is shown");
    assert!(!holds(&all_files(&stage.home), "zebra"));

    // Wrong, then right.
    let mut s = stage.on_terminal(&["slot", "list"]);
    s.until_shows("Passphrase of tenant default:");
    s.keys(b"correct horse zebrA\r");
    // While the key is derived, too.
    s.keys(b"correct horse zebra\r");
    assert_eq!(s.ended(), 0, "{}", s.text());
    assert!(s.text().contains("65536") || s.text().contains("MEMORY_KB"), "{}", s.text());

    // Three times wrong ends it.
    let mut s = stage.on_terminal(&["rotate"]);
    for asked in 1..=3 {
        s.until("the question", |t| t.matches("Passphrase of tenant").count() == asked);
        s.keys(b"no idea at all\r");
    }
    assert_eq!(s.ended(), 3, "{}", s.text());
    s.assert_restored();
}

#[test]
fn what_is_typed_ahead_is_kept_and_not_shown() {
    let stage = Stage::new();
    // Both answers at once, as they are pasted; the second one is typed while nobody asks yet.
    let mut s = stage.on_terminal(&["init"]);
    s.until_shows("New passphrase");
    s.keys(b"correct horse zebra\rcorrect horse zebra\r");
    assert_eq!(s.ended(), 0, "{}", s.text());
    s.assert_restored();
    assert!(!holds(&s.raw, "horse"), "{}", s.text());
    // Mistakes are taken back: a character of two bytes, a whole line.
    let mut s = stage.on_terminal(&["slot", "list"]);
    s.until_shows("Passphrase of tenant default:");
    s.keys("nonsense\x15correct horse zebrö\x7fa\r".as_bytes());
    assert_eq!(s.ended(), 0, "{}", s.text());
    // What was typed before the program asked was shown by the terminal then, but it counts.
    let mut command = screen::dbtop(&[], &stage.home);
    let shell = ["sh", "-c", "sleep 1; echo go; exec \"$0\" vault slot list", crate::harness::DBTOP];
    *command.get_argv_mut() = shell.map(Into::into).to_vec();
    let mut s = Screen::start_command(command, 120, 30);
    s.keys(b"correct horse zebra\r");
    assert_eq!(s.ended(), 0, "{}", s.text());
    // Too long for a passphrase: refused, not cut.
    let mut s = stage.on_terminal(&["slot", "list"]);
    s.until_shows("Passphrase of tenant default:");
    for _ in 0..40 {
        s.keys(&[b'x'; 500]);
        s.run_for(Duration::from_millis(5));
    }
    s.keys(b"\r");
    assert_eq!(s.ended(), 3, "{}", s.text());
    assert!(s.text().contains("longer than 16384 bytes"), "{}", s.text());
    s.assert_restored();
}

#[test]
fn a_signal_during_a_question_puts_the_terminal_back() {
    let stage = Stage::new();
    for name in ["TERM", "INT", "HUP"] {
        let mut s = stage.on_terminal(&["init"]);
        s.until_shows("New passphrase");
        s.keys(b"half a zebra");
        signal(s.pid(), name);
        assert_eq!(s.ended(), 3, "SIG{name}: {}", s.text());
        s.assert_restored();
        assert!(!holds(&s.raw, "zebra"), "{}", s.text());
    }
}

#[test]
fn after_a_question_signals_end_the_program_again() {
    let stage = Stage::with_vault();
    // It takes connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let mut command = screen::dbtop(
            &[
                "instance",
                "add",
                "x",
                "--host",
                "127.0.0.1",
                "--port",
                &port,
                "--user",
                "u",
                "--key-file",
                stage.key(),
            ],
            &stage.home,
        );
        command.cwd(stage.home.path());
        let mut s = Screen::start_command(command, 120, 30);
        s.until_shows("Password of u");
        s.keys(b"hunter2-hunter2\r");
        // It is at work: the connection is there.
        let _connection = silent.accept().unwrap();
        signal(s.pid(), name);
        assert_eq!(s.ended(), code, "SIG{name}: {}", s.text());
        s.assert_restored();
    }
}

#[test]
fn breaking_off_leaves_the_terminal_as_it_was_and_makes_nothing() {
    let stage = Stage::new();
    let mut s = stage.on_terminal(&["init"]);
    s.until_shows("New passphrase");
    s.keys(b"half a passph\x03");
    assert_eq!(s.ended(), 3, "{}", s.text());
    assert!(s.text().contains("broken off: nothing was changed"), "{}", s.text());
    s.assert_restored();
    assert!(stage.vault(&["status"]).stderr.contains("there is no tenant yet"));
}

/// Changes one byte of every slot, as a failing disk would.
fn hurt_slots(stage: &Stage, at: usize, to: impl Fn(u8) -> u8) {
    let file = stage.home.path().join("tenants/default/inventory.db");
    let database = rusqlite::Connection::open(file).unwrap();
    let mut slot: Vec<u8> = database.query_row("SELECT slot FROM slot", [], |row| row.get(0)).unwrap();
    slot[at] = to(slot[at]);
    assert_eq!(database.execute("UPDATE slot SET slot = ?1", [slot]).unwrap(), 1);
}

#[test]
fn a_damaged_slot_and_one_of_a_newer_dbtop_are_told_from_a_wrong_key() {
    let stage = Stage::with_vault();
    hurt_slots(&stage, 200, |byte| byte ^ 1);
    for args in [&["slot", "list", "--key-file", stage.key()][..], &["slot", "list"]] {
        let told = stage.vault(args);
        assert_eq!(told.code, Some(3), "{told:?}");
        assert!(
            told.stderr.contains("is damaged") && told.stderr.contains("tenant restore"),
            "{}",
            told.stderr
        );
    }
    hurt_slots(&stage, 0, |_| 9);
    let told = stage.vault(&["slot", "list", "--key-file", stage.key()]);
    assert!(
        told.stderr.contains("written by a newer dbtop") && told.stderr.contains("upgrade"),
        "{}",
        told.stderr
    );
}

#[test]
fn a_program_of_the_configuration_opens_the_vault_without_a_key_file() {
    let stage = Stage::with_vault();
    let program = stage.home.file("unwrap.sh", "#!/bin/sh\ntr a-z A-Z\n");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let wrapped = stage.home.file("wrapped", "what the kms has wrapped, in small letters");
    let add = ["vault", "slot", "add", "command", "--wrapped", wrapped.to_str().unwrap(), "--label", "kms"];
    let none = stage.run(&add);
    assert!(none.code != Some(0) && none.stderr.contains("[vault] unwrap"), "{none:?}");
    let relative = stage.run(&["config", "set", "vault.unwrap", "[\"unwrap.sh\"]"]);
    assert!(relative.code != Some(0) && relative.stderr.contains("full path"), "{relative:?}");
    stage.done(&["config", "set", "vault.unwrap", &format!("[\"{}\"]", program.display())]);
    stage.done(&add);
    // No key file, no passphrase: the program alone.
    let status = run(stage.command(&["status"]).args(["-o", "json"]));
    let told: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!((&told[0]["opens_here"], &told[0]["warning"]), (&true.into(), &Value::Null), "{told}");
    assert!(
        told[0]["kinds"].as_str().unwrap().contains("command") && told[0]["data_key_made_utc"].is_string()
    );
    let heap = all_files(&stage.home);
    let secret = b"WHAT THE KMS HAS WRAPPED";
    assert!(!heap.windows(secret.len()).any(|window| window == secret), "the secret is in no file");
}
