//! `dbtop tenant` and `dbtop audit` as a person or a script runs them: the real program, a home of its own, a key file.

use serde_json::Value;
use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs dbtop with this home; the key file is made by the first `create`.
    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_dbtop"))
            .args(args)
            .env_clear()
            .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
            .env("DBTOP_HOME", self.file("home"))
            .env("DBTOP_KEY_FILE", self.file("key"))
            .env("SSH_CLIENT", "192.0.2.7 4000 22")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        let done = self.run(args);
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{args:?}: {error}");
        String::from_utf8(done.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[args, &["-o", "json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// What it says when it refuses.
    #[track_caller]
    fn refused(&self, args: &[&str]) -> String {
        let done = self.run(args);
        assert!(!done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8(done.stderr).unwrap()
    }

    fn sqlite(&self, tenant: &str) -> rusqlite::Connection {
        let path = self.file("home").join("tenants").join(tenant).join("inventory.db");
        rusqlite::Connection::open(path).unwrap()
    }
}

#[test]
fn a_tenant_is_made_listed_suspended_resumed_renamed_and_deleted() {
    let place = Place::new();
    let status = |tenants: &str| {
        let done = place.run(&["status"]);
        (done.status.code(), String::from_utf8(done.stdout).unwrap().contains(tenants))
    };
    assert_eq!(status("acme"), (Some(3), false), "no tenant");
    let error = place.refused(&["audit", "list"]);
    assert!(error.contains("there is no tenant yet"), "{error}");
    place.ok(&["tenant", "create", "acme"]);
    assert_eq!(status("acme"), (Some(2), true), "no collector");
    place.ok(&["tenant", "create", "globex"]);
    let error = place.refused(&["tenant", "create", "acme"]);
    assert!(error.contains("acme is there already"), "{error}");
    let error = place.refused(&["tenant", "create", "Acme Ltd"]);
    assert!(error.contains("a to z, 0 to 9 and hyphens"), "{error}");

    let list = place.json(&["tenant", "list"]);
    assert_eq!(list[0]["tenant"], "acme");
    assert_eq!((&list[1]["suspended"], &list[1]["slots"]), (&false.into(), &1.into()));
    assert_eq!(place.json(&["tenant", "suspend", "acme"])[0]["suspended"], true);
    assert_eq!(place.json(&["tenant", "list"])[0]["suspended"], true);
    place.ok(&["tenant", "suspend", "globex"]);
    assert_eq!(status("acme"), (Some(0), true), "suspended tenants need no collector");
    place.ok(&["tenant", "resume", "globex"]);
    assert_eq!(place.json(&["tenant", "resume", "acme"])[0]["suspended"], false);
    place.ok(&["tenant", "move", "acme", "acme-old"]);

    let error = place.refused(&["tenant", "delete", "acme-old"]);
    assert!(error.contains("--yes"), "no question without a terminal: {error}");
    place.ok(&["tenant", "delete", "acme-old", "--yes"]);
    let error = place.refused(&["tenant", "delete", "acme-old", "--yes"]);
    assert!(error.contains("there are globex"), "{error}");
    let deleted = place.json(&["tenant", "list", "--deleted"]);
    assert_eq!((deleted.as_array().unwrap().len(), &deleted[0]["tenant"]), (1, &"acme-old".into()));
    let error = place.refused(&["tenant", "undelete", "acme"]);
    assert!(error.contains("there are acme-old"), "{error}");
    let error = place.refused(&["tenant", "undelete", "acme-old", "--as", "globex"]);
    assert!(error.contains("globex is there already"), "{error}");
    assert_eq!(place.json(&["tenant", "undelete", "acme-old", "--as", "acme"])[0]["tenant"], "acme");
    assert_eq!(place.json(&["tenant", "limit", "acme", "--instances", "1"])[0]["max_instances"], 1);
    let add = |name: &str| {
        let host = format!("{name}.example");
        place.run(&[
            "instance",
            "add",
            name,
            "--host",
            &host,
            "--auth",
            "kerberos",
            "--no-test",
            "--tenant",
            "acme",
        ])
    };
    assert!(add("one").status.success(), "{:?}", add("one"));
    let error = String::from_utf8(add("two").stderr).unwrap();
    assert!(error.contains("limited to 1 instances"), "{error}");
    let list = place.json(&["tenant", "list"]);
    assert_eq!((&list[0]["instances"], &list[0]["max_instances"]), (&1.into(), &1.into()), "{list}");
    let people = place.ok(&["tenant", "list"]);
    let head = people.lines().next().unwrap();
    assert!(head.contains("  SIZE") && !head.contains("BYTES") && people.contains(" KB"), "{people}");
    assert!(
        list[0]["size_bytes"].as_u64().is_some_and(|bytes| bytes > 4096)
            && list[0]["history_bytes"].is_null()
    );
}

#[test]
fn of_two_deleted_tenants_of_one_name_it_is_said_which_comes_back() {
    let place = Place::new();
    for _ in 0..2 {
        place.ok(&["tenant", "create", "acme"]);
        let error = place.refused(&["tenant", "limit", "acme", "--history-gb", "0.0000000001"]);
        assert!(error.contains("not within 0.1 to 10000"), "{error}");
        place.ok(&["tenant", "delete", "acme", "--yes"]);
    }
    let deleted = place.json(&["tenant", "list", "--deleted"]);
    let newest = deleted[0]["deleted_at_utc"].as_str().unwrap();
    let error = place.refused(&["tenant", "undelete", "acme"]);
    assert!(
        error.contains("2 tenants called acme were deleted: 20") && error.contains("--deleted"),
        "{error}"
    );
    let back = ["tenant", "undelete", "acme", "--deleted", newest, "--as", "acme-new"];
    assert_eq!(place.json(&back)[0]["tenant"], "acme-new");
    let error = place.refused(&back);
    assert!(error.contains("no tenant called acme was deleted at"), "{error}");
    assert_eq!(place.json(&["tenant", "undelete", "acme"])[0]["tenant"], "acme", "one is no question");
}

#[test]
fn a_backup_moves_a_tenant_to_another_machine() {
    let here = Place::new();
    here.ok(&["tenant", "create", "acme"]);
    let file = here.file("acme.dbtop-backup");
    let file = file.to_str().unwrap();
    let made = here.json(&["tenant", "backup", "acme", file]);
    assert_eq!(made[0]["portable"], true);
    let named = here.json(&["tenant", "backup", "acme"])[0]["backup"].as_str().unwrap().to_owned();
    assert!(named.contains("backups/acme-20") && std::path::Path::new(&named).exists(), "{named}");
    let there = Place::new();
    let error = there.refused(&["tenant", "restore", file]);
    assert!(error.contains("key file"), "not with a key that is not there: {error}");
    std::fs::copy(here.file("key"), there.file("key")).unwrap();
    there.ok(&["tenant", "restore", file]);
    let actions = |place: &Place| -> Vec<String> {
        let rows: Vec<Value> = place.json(&["audit", "list"]).as_array().unwrap().clone();
        rows.iter().filter_map(|row| row["action"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(actions(&here), ["create", "backup", "backup"]);
    assert_eq!(actions(&there), ["create", "restore"], "a file is written before its entry is");
    let entry = there.json(&["audit", "list", "--action", "restore"]);
    let detail = entry[0]["detail"].as_str().unwrap();
    let sha256 = made[0]["sha256"].as_str().unwrap();
    assert!(detail.contains(file) && detail.contains(" UTC, ") && detail.ends_with(sha256), "{detail}");
    let error = there.refused(&["tenant", "restore", file, "twin"]);
    assert!(error.contains("here already as acme"), "{error}");
}

#[test]
fn the_audit_log_is_listed_filtered_and_exported() {
    let place = Place::new();
    place.ok(&["tenant", "create", "acme"]);
    place.ok(&["tenant", "suspend", "acme"]);
    place.ok(&["tenant", "resume", "acme"]);
    let all = place.json(&["audit", "list"]);
    assert_eq!(all.as_array().unwrap().len(), 3);
    assert_eq!(all[0]["ssh_client"], "192.0.2.7 4000 22");
    assert!(all[0]["user"].as_str().is_some_and(|user| !user.is_empty()));
    assert!(all[0]["at_utc"].as_str().is_some_and(|at| at.ends_with('Z')), "{all}");
    let one = place.json(&["audit", "list", "--action", "suspend"]);
    assert_eq!((one.as_array().unwrap().len(), &one[0]["seq"]), (1, &2.into()));
    assert_eq!(place.json(&["audit", "list", "--until", "2020-01-01"]), Value::Array(Vec::new()));
    assert_eq!(place.json(&["audit", "list", "--last", "1"])[0]["action"], "resume");
    let error = place.refused(&["audit", "list", "--from", "soon"]);
    assert!(error.contains("2026-11-20 02:14"), "{error}");

    let file = place.file("audit.csv");
    place.ok(&["audit", "export", "--csv", "--out", file.to_str().unwrap()]);
    let mut csv = csv::Reader::from_path(&file).unwrap();
    assert_eq!(&csv.headers().unwrap()[5], "action");
    assert_eq!(csv.records().count(), 3);
    assert_eq!(place.json(&["audit", "list", "--search", "SUSP"])[0]["seq"], 2);
    assert_eq!(place.json(&["audit", "list", "--name", "nobody"]), Value::Array(Vec::new()));
    let told = place.json(&["audit", "list", "--action", "export"]);
    let detail = told[0]["detail"].as_str().unwrap();
    assert!(detail.contains("3 entries; from 20") && told[0]["entity"] == "audit", "{told}");
    assert!(detail.contains(" UTC; SHA-256 "), "{told}");
    place.ok(&["audit", "export", "--action", "suspend"]);
    let told = place.json(&["audit", "list", "--action", "export", "--last", "1"]);
    let detail = told[0]["detail"].as_str().unwrap();
    assert!(told[0]["name"] == "-" && detail.contains("1 entry; from 20"), "standard output, too: {told}");
    let error = place.refused(&["audit", "export", "--csv", "--out", file.to_str().unwrap()]);
    assert!(error.contains("not there yet"), "never over another file: {error}");
}

#[test]
fn exports_of_the_inventory_and_what_needs_no_key_are_entries() {
    let place = Place::new();
    place.ok(&["tenant", "create", "acme"]);
    let add = ["instance", "add", "a", "--host", "h", "--user", "u", "--secret-env", "X", "--no-test"];
    place.ok(&add);
    let file = place.file("all.json");
    let out = file.to_str().unwrap();
    place.ok(&["instance", "export", "--to", out]);
    place.ok(&["instance", "export", "--format", "csv"]);
    place.ok(&["tenant", "delete", "acme", "--yes"]);
    place.ok(&["tenant", "undelete", "acme"]);
    let told = place.json(&["audit", "list"]);
    let one = |action: &str| -> Vec<&Value> {
        told.as_array().unwrap().iter().filter(|entry| entry["action"] == action).collect()
    };
    let exports = one("export");
    assert_eq!((&exports[0]["name"], &exports[1]["name"]), (&out.into(), &"-".into()), "{told}");
    let sha = Command::new("sha256sum").arg(&file).output().unwrap().stdout;
    let sha = String::from_utf8(sha).unwrap().split_whitespace().next().unwrap().to_owned();
    let detail = exports[0]["detail"].as_str().unwrap();
    assert!(detail.contains(&sha) && detail.contains("1 instance without passwords"), "{detail}");
    assert_eq!((one("delete").len(), one("undelete").len()), (1, 1));
    // Seven years have not passed.
    let pruned = place.json(&["audit", "prune"]);
    assert_eq!((&pruned[0]["removed_entries"], &pruned[0]["keep_days"]), (&0.into(), &2_555.into()));
}

#[test]
fn a_broken_chain_ends_with_code_2_and_the_first_bad_entry() {
    let place = Place::new();
    place.ok(&["tenant", "create", "acme"]);
    place.ok(&["tenant", "suspend", "acme"]);
    place.ok(&["tenant", "resume", "acme"]);
    let verified = place.json(&["audit", "verify"]);
    assert_eq!((&verified[0]["whole"], &verified[0]["good_entries"]), (&true.into(), &3.into()));
    assert_eq!(verified[0]["last_hash"], place.json(&["audit", "head"])[0]["last_hash"]);
    place.sqlite("acme").execute("UPDATE audit SET sealed = zeroblob(200) WHERE seq = 2", []).unwrap();
    let done = place.run(&["audit", "verify", "-o", "json"]);
    assert_eq!(done.status.code(), Some(2));
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&found[0]["whole"], &found[0]["first_bad"]), (&false.into(), &2.into()));
}

#[test]
fn a_damaged_tenant_says_so_and_is_repaired() {
    let place = Place::new();
    place.ok(&["tenant", "create", "acme"]);
    place.ok(&["tenant", "create", "globex"]);
    place.sqlite("acme").execute("UPDATE header SET sealed = zeroblob(100)", []).unwrap();
    let error = place.refused(&["tenant", "suspend", "acme"]);
    assert!(error.contains("header was altered") && error.contains("dbtop tenant repair"), "{error}");
    assert_eq!(place.json(&["tenant", "repair", "acme"])[0]["kind"], "header");
    place.ok(&["tenant", "suspend", "acme"]);
    // A file that is none: listed with the reason, and the other one goes on.
    let broken = place.file("home").join("tenants/acme/inventory.db");
    std::fs::write(&broken, b"rubbish").unwrap();
    let list = place.json(&["tenant", "list"]);
    assert!(list[0]["problem"].as_str().is_some_and(|why| why.contains("restore")), "{list}");
    assert_eq!(list[1]["problem"], Value::Null);
    let migrated = place.run(&["tenant", "migrate"]);
    assert_eq!(migrated.status.code(), Some(2), "one of them cannot be read");
    place.ok(&["audit", "list", "--tenant", "globex"]);
}
