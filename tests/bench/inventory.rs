//! The cost of sealing: a tenant of 5,000 instances against the same records in plain SQLite rows.
//!
//! `cargo bench --bench inventory` prints a table. Targets: unlock and load within 200 ms (the rest of the 300 ms to the
//! first paint is the screen's), a filter over the names within 5 ms, 50,000 audit entries verified a second. The ratio to
//! plain rows comes from the same run and holds on any machine.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its table, and ends where something fails"
)]

use dbtop::{
    model::{
        base::{filter::Filter, secret::Secret},
        inventory::record::{Auth, Author, InstanceRecord, Outcome, SecretRef, Slug},
    },
    store::{Change, Home, Inventory, StoreError, Tenant, Tenants},
    vault::Opener,
};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::{hint::black_box, path::Path, time::Instant};

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let full = std::env::args().any(|arg| arg == "--bench");
    let (instances, entries, rounds) = if full { (5_000, 50_000, 15) } else { (50, 100, 1) };
    let folder = tempfile::tempdir().unwrap();
    let tenants = Tenants::open(&Home::at(&folder.path().join("home"))).unwrap();
    let (slug, key) = (Slug::parse("bench").unwrap(), Opener::KeyFile(folder.path().join("key")));
    let author = Author { user: "bench (1000)".into(), ..Author::default() };
    let mut tenant = tenants.create(&slug, &key, "bench", None, &author).unwrap();
    let records: Vec<InstanceRecord> = (0..instances).map(record).collect();

    println!("{:<44} {:>12} {:>12} {:>8}", format!("{instances} instances"), "sealed", "plain", "ratio");
    let sealed = once(|| import(&mut tenant, &author, &records));
    let plain = once(|| plain_import(&folder.path().join("plain.db"), &records));
    line("import in one transaction, ms", sealed, Some(plain), "");
    drop(tenant);

    let open = || tenants.get(&slug).unwrap().unlock(&key).unwrap();
    let sealed = median(rounds, || drop(black_box(open().inventory().unwrap())));
    let plain = median(rounds, || drop(black_box(plain_load(&folder.path().join("plain.db")))));
    line("open, unlock (key file), load all, ms", sealed, Some(plain), target(sealed <= 200.0, "<= 200"));

    let mut tenant = open();
    let inventory = tenant.inventory().unwrap();
    for text in ["sql-0421", "env=prod !dev", "host~^sql-0[0-4]"] {
        let took = median(rounds * 4, || {
            black_box(filter(&inventory, text));
        });
        line(&format!("filter {text}, ms"), took, None, target(took <= 5.0, "<= 5"));
    }
    let mut entry = inventory.instances[7].clone();
    let took = median(rounds, || {
        entry.record.notes.push('.');
        let edit = |change: &mut Change<'_>| change.edit_instance(entry.id, entry.revision, &entry.record);
        entry.revision = tenant.change(&author, edit).unwrap();
    });
    line("one edit, on disk, ms", took, None, "");

    log(&mut tenant, &author, entries);
    plain_log(&folder.path().join("plain.db"), &tenant);
    let count = tenant.audit_head().unwrap().entries as f64;
    let sealed = median(rounds.min(5), || assert!(tenant.verify_audit().unwrap().bad.is_none()));
    let plain = median(rounds.min(5), || {
        black_box(plain_verify(&folder.path().join("plain.db")));
    });
    let rate = count / sealed * 1000.0;
    line(
        "audit verify, entries/s",
        rate,
        Some(count / plain * 1000.0),
        target(rate >= 50_000.0, ">= 50,000"),
    );
    let took = once(|| tenant.rotate(&author, None).unwrap());
    line(&format!("rotation, with {count:.0} audit entries, ms"), took, None, "");
}

fn line(what: &str, sealed: f64, plain: Option<f64>, note: &str) {
    let (other, ratio) = plain.map_or((String::new(), String::new()), |plain| {
        (format!("{plain:.2}"), format!("{:.2}", sealed / plain))
    });
    println!("{what:<44} {sealed:>12.2} {other:>12} {ratio:>8}  {note}");
}

fn target(met: bool, what: &'static str) -> &'static str {
    if met { what } else { Box::leak(format!("MISSED: {what}").into_boxed_str()) }
}

fn once(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64() * 1000.0
}

fn median(rounds: usize, mut work: impl FnMut()) -> f64 {
    let mut took: Vec<f64> = (0..rounds).map(|_| once(&mut work)).collect();
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}

fn record(n: usize) -> InstanceRecord {
    let secret = SecretRef::Stored(Secret::new(format!("Passw0rd-{n}")));
    let auth = Auth::Sql { user: format!("watch{n}"), secret };
    let mut record = InstanceRecord::new(format!("sql-{n:04}"), format!("sql-{n:04}.db.example"), auth);
    record.groups = vec![format!("Group {}", n % 20)];
    record.labels.insert("env".into(), ["prod", "test", "dev"][n % 3].into());
    record.labels.insert("team".into(), format!("team-{}", n % 12));
    record.notes = "Windows are Sundays, 02:00 to 04:00. Ask the owner before a restart.".into();
    record
}

fn import(tenant: &mut Tenant, author: &Author, records: &[InstanceRecord]) {
    tenant
        .change(author, |change| {
            records.iter().try_for_each(|record| change.add_instance(record).map(|_| ()))
        })
        .unwrap();
}

fn filter(inventory: &Inventory, text: &str) -> usize {
    let filter = Filter::parse(text, &|_| true).unwrap();
    let mut scratch = String::new();
    inventory.instances.iter().filter(|entry| filter.keeps(&entry.record, &mut scratch)).count()
}

fn log(tenant: &mut Tenant, author: &Author, entries: usize) {
    tenant
        .change(author, |change| {
            for n in 0..entries {
                change.log("edit", "instance", &format!("sql-{n:04}"), Outcome::Done, "host: a -> b")?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

// The same in plain rows: what an inventory without a vault would do.

fn plain_import(path: &Path, records: &[InstanceRecord]) {
    let mut file = Connection::open(path).unwrap();
    file.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE instance(id INTEGER PRIMARY KEY, name TEXT UNIQUE, json TEXT);
         CREATE TABLE audit(seq INTEGER PRIMARY KEY, before BLOB, json TEXT);",
    )
    .unwrap();
    let transaction = file.transaction().unwrap();
    for record in records {
        let json = serde_json::to_string(record).unwrap();
        transaction
            .prepare_cached("INSERT INTO instance(name, json) VALUES (?1, ?2)")
            .unwrap()
            .execute((&record.name, &json))
            .unwrap();
        transaction
            .prepare_cached("INSERT INTO audit(before, json) VALUES (zeroblob(32), ?1)")
            .unwrap()
            .execute([&json])
            .unwrap();
    }
    transaction.commit().unwrap();
}

fn plain_load(path: &Path) -> Vec<InstanceRecord> {
    let file = Connection::open(path).unwrap();
    let mut all = file.prepare("SELECT json FROM instance ORDER BY name").unwrap();
    let rows = all.query_map([], |row| Ok(serde_json::from_str(row.get_ref(0)?.as_str()?).unwrap()));
    rows.unwrap().map(Result::unwrap).collect()
}

fn plain_log(path: &Path, tenant: &Tenant) {
    let mut file = Connection::open(path).unwrap();
    let transaction = file.transaction().unwrap();
    transaction.execute("DELETE FROM audit", []).unwrap();
    let mut before = [0; 32];
    for entry in tenant.audit(&dbtop::store::AuditFilter::default()).unwrap() {
        let json = serde_json::to_string(&entry).unwrap();
        transaction
            .prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3)")
            .unwrap()
            .execute((entry.seq as i64, &before, &json))
            .unwrap();
        before = hash(&before, &json);
    }
    transaction.commit().unwrap();
}

fn plain_verify(path: &Path) -> [u8; 32] {
    let file = Connection::open(path).unwrap();
    let mut all = file.prepare("SELECT before, json FROM audit ORDER BY seq").unwrap();
    let mut rows = all.query([]).unwrap();
    let mut before = [0; 32];
    while let Some(row) = rows.next().unwrap() {
        assert_eq!(row.get_ref(0).unwrap().as_blob().unwrap(), before);
        before = hash(&before, row.get_ref(1).unwrap().as_str().unwrap());
    }
    before
}

fn hash(before: &[u8; 32], json: &str) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(json).finalize().into()
}
