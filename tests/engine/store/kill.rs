//! kill -9 at random points of rotation, migration, import and the making of tenants: nothing lost, nothing half.
//!
//! `cargo test` kills a few times each; `DBTOP_KILL_ROUNDS=50 cargo test --test engine store::kill` kills 200 times. The victim is
//! this test binary itself, started again with `DBTOP_KILL_WORK` set.

use super::support::{Stage, add, author, damage, instance, names, slug};
use dbtop::store::{Home, StoreError, Tenants, schema};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

const BATCH: usize = 20;
const ROWS: usize = 40_000;

fn rounds() -> u32 {
    std::env::var("DBTOP_KILL_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

/// The released steps and one more that takes a while.
fn steps() -> Vec<String> {
    let slow = format!(
        "CREATE TABLE extra(n INTEGER PRIMARY KEY, filler BLOB) STRICT;
         WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {ROWS})
         INSERT INTO extra SELECT n, zeroblob(100) FROM c;"
    );
    schema::STEPS.iter().map(|step| (*step).to_owned()).chain([slow]).collect()
}

/// What the victim does until it is killed. Not a test of its own: returns at once when nobody asks for work.
#[test]
fn victim() {
    let Ok(work) = std::env::var("DBTOP_KILL_WORK") else { return };
    let folder = std::path::PathBuf::from(std::env::var_os("DBTOP_KILL_FOLDER").unwrap());
    let tenants = Tenants::open(&Home::at(&folder.join("home"))).unwrap();
    let key = dbtop::vault::Opener::KeyFile(folder.join("key"));
    let open = || tenants.get(&slug("acme")).unwrap().unlock(&key).unwrap();
    match work.as_str() {
        "rotate" => {
            let mut tenant = open();
            say("ready");
            loop {
                tenant.rotate(&author(), None).unwrap();
                say("done");
            }
        }
        "import" => {
            let mut tenant = open();
            let start = names(&tenant).len();
            say("ready");
            for batch in 0.. {
                tenant
                    .change(&author(), |change| {
                        for n in 0..BATCH {
                            change.add_instance(&instance(&format!("i-{start}-{batch}-{n}")))?;
                        }
                        Ok::<_, StoreError>(())
                    })
                    .unwrap();
                say("done");
            }
        }
        "create" => {
            let start = tenants.slugs().unwrap().len();
            say("ready");
            for n in start.. {
                let name = format!("tenant-{n}");
                tenants.create(&slug(&name), &key, "k", None, &author()).unwrap();
                say(&name);
            }
        }
        "migrate" => {
            let steps = steps();
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            say("ready");
            tenants.migrate_with(&steps).unwrap().remove(0).outcome.unwrap();
            say("done");
            std::thread::sleep(Duration::from_mins(1));
        }
        other => panic!("no work is called {other}"),
    }
}

fn say(word: &str) {
    // The line starts with a mark: the test harness prints lines of its own.
    println!("\n>{word}");
    std::io::stdout().flush().unwrap();
}

fn start(work: &str, folder: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &crate::again::path(module_path!(), "victim"), "--nocapture", "--test-threads=1"])
        .env("DBTOP_KILL_WORK", work)
        .env("DBTOP_KILL_FOLDER", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with(">ready") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "the victim ended before it was ready");
    }
    (child, out)
}

/// Kills the victim within `at_most_ms`; returns what it said it had done.
fn strike(work: &str, folder: &Path, at_most_ms: u64) -> Vec<String> {
    let (mut child, out) = start(work, folder);
    std::thread::sleep(Duration::from_micros(fastrand::u64(0..at_most_ms * 1000)));
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    let said = out.lines().map_while(Result::ok);
    said.filter_map(|line| line.strip_prefix('>').map(str::to_owned)).collect()
}

fn assert_whole(stage: &Stage, expected: usize) {
    let tenant = stage.open("acme");
    assert_eq!(damage(&tenant), [""; 0]);
    let inventory = tenant.inventory().unwrap();
    assert_eq!(inventory.instances.len(), expected);
    for entry in &inventory.instances {
        let password = entry.record.secrets().next().unwrap().reveal().to_owned();
        assert_eq!(password, format!("Passw0rd-of-{}", entry.record.name));
    }
    assert_eq!(tenant.verify_audit().unwrap().bad, None);
    let integrity: String =
        stage.sqlite("acme").query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
}

fn stage_of(instances: usize) -> Stage {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    let all: Vec<String> = (0..instances).map(|n| format!("start-{n}")).collect();
    add(&mut tenant, &all.iter().map(String::as_str).collect::<Vec<_>>());
    stage
}

#[test]
fn a_rotation_has_happened_or_not() {
    let stage = stage_of(100);
    let mut generation = 0;
    for _ in 0..rounds() {
        strike("rotate", stage.folder.path(), 400);
        assert_whole(&stage, 100);
        let now = stage.open("acme").sealer().generation();
        assert!(now >= generation, "no way back: {now} after {generation}");
        generation = now;
    }
    stage.open("acme").rotate(&author(), None).unwrap();
}

#[test]
fn an_import_is_there_batch_by_batch() {
    let stage = stage_of(0);
    let mut count = 0;
    for _ in 0..rounds() {
        let said = strike("import", stage.folder.path(), 300);
        let now = names(&stage.open("acme")).len();
        assert_eq!(now % BATCH, 0, "half a batch");
        assert!(now >= count + said.len() * BATCH, "{} batches were done, {count} -> {now}", said.len());
        count = now;
        assert_eq!(damage(&stage.open("acme")), [""; 0]);
    }
    assert_whole(&stage, count);
}

#[test]
fn a_tenant_is_there_or_not() {
    let stage = stage_of(0);
    for _ in 0..rounds() {
        let said = strike("create", stage.folder.path(), 200);
        for name in &said {
            assert!(stage.tenants.slugs().unwrap().contains(&slug(name)), "{name} was there");
        }
        for tenant in stage.tenants.slugs().unwrap() {
            assert_eq!(damage(&stage.open(tenant.as_str())), [""; 0]);
            if tenant.as_str() != "acme" && !said.contains(&tenant.to_string()) {
                stage.open(tenant.as_str()).verify_audit().unwrap();
            }
        }
    }
    stage.create("the-last");
    let left: Vec<_> = std::fs::read_dir(stage.home().join("tenants"))
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "leftovers are swept: {left:?}");
}

#[test]
fn a_migration_has_happened_or_not() {
    let stage = stage_of(30);
    for _ in 0..rounds() {
        strike("migrate", stage.folder.path(), 300);
        let file = stage.sqlite("acme");
        let version: u32 = file.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        let tables: u32 = file
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'", [], |row| row.get(0))
            .unwrap();
        if version as usize == schema::STEPS.len() {
            assert_eq!(tables, 0, "half a migration");
        } else {
            let rows: i64 = file.query_row("SELECT count(*) FROM extra", [], |row| row.get(0)).unwrap();
            assert_eq!((version as usize, rows as usize), (schema::STEPS.len() + 1, ROWS));
            // Back to where this version of dbtop can read it.
            file.execute_batch(&format!(
                "DROP TABLE extra; PRAGMA user_version = {}; VACUUM",
                schema::STEPS.len()
            ))
            .unwrap();
        }
        drop(file);
        assert_whole(&stage, 30);
    }
}
