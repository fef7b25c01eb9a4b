//! Attackers who can write the file, and failing disks: each damage is refused by the name of its record,
//! and the others stay readable. An attacker who can only read the files learns nothing.

use super::support::{Stage, add, author, damage, files, instance, names};
use dbtop::{
    model::{
        base::{secret::Secret, time::Timestamp},
        inventory::record::{Auth, GroupRecord, SecretRef},
    },
    store::{AuditFilter, Kind, StoreError, Tenant},
};
use rusqlite::params;
use std::collections::HashMap;

const THREE: &[&str] = &["alpha", "beta", "gamma"];

/// A tenant with three instances, closed.
fn three() -> Stage {
    let stage = Stage::new();
    add(&mut stage.create("acme"), THREE);
    stage
}

fn id_of(tenant: &Tenant, name: &str) -> [u8; 16] {
    *tenant.inventory().unwrap().instance(name).unwrap().id.as_bytes()
}

fn sealed(stage: &Stage, id: [u8; 16]) -> Vec<u8> {
    stage.sqlite("acme").query_row("SELECT sealed FROM record WHERE id = ?1", [id], |row| row.get(0)).unwrap()
}

fn put(stage: &Stage, id: [u8; 16], sealed: &[u8]) {
    let done =
        stage.sqlite("acme").execute("UPDATE record SET sealed = ?2 WHERE id = ?1", params![id, sealed]);
    assert_eq!(done.unwrap(), 1);
}

#[track_caller]
fn assert_only_beta_is_refused(stage: &Stage, what: &str) {
    let tenant = stage.open("acme");
    assert_eq!(names(&tenant), ["alpha", "gamma"], "{what}: the others stay readable");
    let damage = damage(&tenant);
    assert_eq!(damage, ["instance beta"], "{what}");
}

#[test]
fn every_changed_byte_of_a_record_is_refused_by_name() {
    let stage = three();
    let tenant = stage.open("acme");
    let beta = id_of(&tenant, "beta");
    let good = sealed(&stage, beta);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        put(&stage, beta, &bad);
        assert_eq!(damage(&tenant), ["instance beta"], "byte {at}");
        assert_eq!(names(&tenant), ["alpha", "gamma"], "byte {at}");
    }
    put(&stage, beta, &good);
    assert_eq!(names(&tenant), THREE);
}

#[test]
fn every_truncation_is_refused_by_name() {
    let stage = three();
    let tenant = stage.open("acme");
    let beta = id_of(&tenant, "beta");
    let good = sealed(&stage, beta);
    for length in 0..good.len() {
        put(&stage, beta, &good[..length]);
        assert_eq!(damage(&tenant), ["instance beta"], "cut to {length}");
    }
    put(&stage, beta, &[&good[..], &[0]].concat());
    assert_only_beta_is_refused(&stage, "a byte more");
}

#[test]
fn swapped_records_are_both_refused() {
    let stage = three();
    let tenant = stage.open("acme");
    let (alpha, beta) = (id_of(&tenant, "alpha"), id_of(&tenant, "beta"));
    let (a, b) = (sealed(&stage, alpha), sealed(&stage, beta));
    put(&stage, alpha, &b);
    put(&stage, beta, &a);
    assert_eq!(names(&tenant), ["gamma"]);
    let mut refused = damage(&tenant);
    refused.sort();
    assert_eq!(refused, ["instance alpha", "instance beta"]);
}

#[test]
fn an_older_version_put_back_is_refused() {
    let stage = three();
    let mut tenant = stage.open("acme");
    let entry = tenant.inventory().unwrap().instance("beta").unwrap().clone();
    let id = *entry.id.as_bytes();
    let old = sealed(&stage, id);
    let mut record = entry.record.clone();
    record.host = "moved".into();
    tenant.change(&author(), |change| change.edit_instance(entry.id, entry.revision, &record)).unwrap();
    put(&stage, id, &old);
    assert_only_beta_is_refused(&stage, "old blob under the new revision");
    let sqlite = stage.sqlite("acme");
    sqlite.execute("UPDATE record SET revision = 1 WHERE id = ?1", [id]).unwrap();
    assert_only_beta_is_refused(&stage, "old blob, old revision");
    assert!(tenant.inventory().unwrap().damage[0].to_string().contains("older version"));
}

#[test]
fn plain_columns_are_vouched_for_too() {
    for change in [
        "UPDATE record SET deleted = 1 WHERE id = ?1",
        "UPDATE record SET revision = 7 WHERE id = ?1",
        "UPDATE record SET version = 0 WHERE id = ?1",
        "UPDATE record SET version = 9 WHERE id = ?1",
        "UPDATE record SET tag = randomblob(32) WHERE id = ?1",
        "UPDATE record SET kind = 'group' WHERE id = ?1",
        "DELETE FROM record WHERE id = ?1",
        "UPDATE record SET id = randomblob(16) WHERE id = ?1",
        "UPDATE record SET id = randomblob(3) WHERE id = ?1",
    ] {
        let stage = three();
        let beta = id_of(&stage.open("acme"), "beta");
        stage.sqlite("acme").execute(change, [beta]).unwrap();
        let tenant = stage.open("acme");
        assert_eq!(names(&tenant), ["alpha", "gamma"], "{change}");
        let damage = damage(&tenant);
        assert!(damage.contains(&"instance beta".to_owned()), "{change}: {damage:?}");
    }
}

#[test]
fn a_broken_list_or_header_is_told_read_past_and_not_written_over() {
    for change in [
        "UPDATE contents SET sealed = zeroblob(9) WHERE kind = 'instance'",
        "UPDATE contents SET revision = revision - 1 WHERE kind = 'instance'",
        "DELETE FROM contents WHERE kind = 'instance'",
        "UPDATE header SET sealed = zeroblob(60)",
        "UPDATE header SET suspended = 1",
        "UPDATE header SET revision = revision - 1",
        "INSERT INTO slot(slot) SELECT slot FROM slot",
        "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
    ] {
        let stage = three();
        stage.sqlite("acme").execute(change, []).unwrap();
        let mut tenant = stage.open("acme");
        assert_eq!(names(&tenant), THREE, "{change}");
        assert_eq!(damage(&tenant).len(), 1, "{change}");
        let refused = tenant.change(&author(), |change| change.add_instance(&instance("delta"))).unwrap_err();
        assert!(refused.to_string().contains("dbtop tenant repair"), "{change}: {refused}");
        assert_eq!(tenant.repair(&author()).unwrap().len(), 1, "{change}");
        stage.tenants.resume(&mut tenant, &author()).unwrap(); // whether it was suspended nobody knows any more
        add(&mut tenant, &["delta"]);
        drop(tenant);
        let tenant = stage.open("acme");
        assert_eq!((names(&tenant).len(), damage(&tenant).len()), (4, 0), "{change}");
    }
}

#[test]
fn repair_keeps_what_is_left_and_says_what_is_gone() {
    let stage = three();
    let beta = id_of(&stage.open("acme"), "beta");
    put(&stage, beta, b"rubbish");
    let mut tenant = stage.open("acme");
    add(&mut tenant, &["delta"]); // one damaged record keeps nobody from working
    let error = tenant.rotate(&author(), None).unwrap_err();
    assert!(error.to_string().contains("beta"), "{error}");
    assert_eq!(tenant.repair(&author()).unwrap().len(), 1);
    assert_eq!(names(&tenant), ["alpha", "delta", "gamma"]);
    let last = tenant.audit(&AuditFilter { last: Some(1), ..AuditFilter::default() }).unwrap().remove(0);
    assert_eq!((last.action.as_str(), last.name.as_str()), ("repair", "beta"));
    tenant.rotate(&author(), None).unwrap();
    add(&mut tenant, &["beta"]);
}

#[test]
fn bytes_changed_anywhere_in_the_file_never_panic_and_never_lie() {
    let stage = three();
    drop(stage.sqlite("acme").query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
    let path = stage.database("acme");
    let good = std::fs::read(&path).unwrap();
    let truth = stage.open("acme").inventory().unwrap();
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bad = good.clone();
        let at = random.usize(..bad.len());
        bad[at] ^= random.u8(1..);
        if seed % 10 == 0 {
            bad.truncate(at);
        }
        std::fs::write(&path, &bad).unwrap();
        let _ = std::fs::remove_file(path.with_extension("db-wal"));
        let _ = std::fs::remove_file(path.with_extension("db-shm"));
        let read = stage
            .tenants
            .get(&super::support::slug("acme"))
            .and_then(|locked| locked.unlock(&stage.key()))
            .and_then(|tenant| tenant.inventory());
        let Ok(inventory) = read else { continue };
        for entry in &inventory.instances {
            assert!(truth.instances.contains(entry), "seed {seed}: an instance nobody entered");
        }
        let whole = inventory.instances.len() == truth.instances.len();
        assert!(whole || !inventory.damage.is_empty(), "seed {seed}: lost without a word");
    }
}

#[test]
fn the_audit_log_names_its_first_bad_entry() {
    let stage = three();
    let whole = stage.open("acme").verify_audit().unwrap();
    assert_eq!((whole.good, whole.bad), (4, None));
    assert_eq!(stage.open("acme").audit_head().unwrap(), whole.head);
    for (change, first) in [
        ("UPDATE audit SET sealed = zeroblob(80) WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("UPDATE audit SET seq = 5 WHERE seq = 4", 4),
        ("UPDATE audit SET sealed = (SELECT sealed FROM audit WHERE seq = 1) WHERE seq = 3", 3),
        ("INSERT INTO audit SELECT 5, version, sealed FROM audit WHERE seq = 4", 5),
        ("UPDATE audit SET version = 2 WHERE seq = 1", 1),
    ] {
        let stage = three();
        stage.sqlite("acme").execute(change, []).unwrap();
        let check = stage.open("acme").verify_audit().unwrap();
        assert_eq!(check.bad.map(|(at, _)| at), Some(first), "{change}: {check:?}");
    }
}

#[test]
fn a_kept_hash_outlives_a_rotation_and_tells_an_older_file() {
    let stage = three();
    let mut tenant = stage.open("acme");
    let copy = {
        drop(stage.sqlite("acme").query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        std::fs::read(stage.database("acme")).unwrap()
    };
    add(&mut tenant, &["delta"]);
    let before = tenant.audit(&AuditFilter::default()).unwrap();
    tenant.rotate(&author(), None).unwrap();
    let after = tenant.audit(&AuditFilter::default()).unwrap();
    assert_eq!(after[..before.len()], before[..]);
    let kept = tenant.audit_head().unwrap();
    assert_eq!(tenant.verify_audit().unwrap().head, kept);
    drop(tenant);
    std::fs::write(stage.database("acme"), copy).unwrap();
    let rolled_back = stage.open("acme").audit_head().unwrap();
    assert_ne!(rolled_back, kept, "the file alone is whole; the kept hash tells");
}

#[test]
fn another_entry_that_was_written_in_the_last_place_is_not_taken_for_the_one_that_is_there() {
    let stage = three();
    let checkpoint =
        || drop(stage.sqlite("acme").query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
    checkpoint();
    let before = std::fs::read(stage.database("acme")).unwrap();
    add(&mut stage.open("acme"), &["delta"]);
    let last = "SELECT sealed FROM audit WHERE seq = 5";
    let other: Vec<u8> = stage.sqlite("acme").query_row(last, [], |row| row.get(0)).unwrap();
    checkpoint();
    // The file is put back, and something else happens instead.
    std::fs::write(stage.database("acme"), before).unwrap();
    add(&mut stage.open("acme"), &["epsilon"]);
    assert_eq!(stage.open("acme").verify_audit().unwrap().bad, None);
    stage.sqlite("acme").execute("UPDATE audit SET sealed = ?1 WHERE seq = 5", [other]).unwrap();
    let bad = stage.open("acme").verify_audit().unwrap().bad.unwrap();
    assert!(bad.0 == 5 && bad.1.contains("not the entry that was written there"), "{bad:?}");
}

#[test]
fn a_new_password_alone_is_an_entry_without_the_password() {
    let stage = three();
    let mut tenant = stage.open("acme");
    let entry = tenant.inventory().unwrap().instance("beta").unwrap().clone();
    let mut record = entry.record.clone();
    let secret = SecretRef::Stored(Secret::new("An0ther-Secret".to_owned()));
    record.auth = Auth::Sql { user: "login_beta".into(), secret };
    tenant.change(&author(), |change| change.edit_instance(entry.id, entry.revision, &record)).unwrap();
    let last = tenant.audit(&AuditFilter { last: Some(1), ..AuditFilter::default() }).unwrap().remove(0);
    assert_eq!((last.seq, last.entity.as_str(), last.name.as_str()), (5, "instance", "beta"), "{last:?}");
    assert!(
        !last.detail.is_empty() && !last.detail.contains("An0ther") && !last.detail.contains("Passw0rd"),
        "{last:?}"
    );
}

#[test]
fn the_log_is_filtered_by_action_entity_and_date() {
    let stage = three();
    let mut tenant = stage.open("acme");
    let group = GroupRecord { name: "Sales".into(), ..GroupRecord::default() };
    let id = tenant.change(&author(), |change| change.add(&group)).unwrap();
    tenant.change(&author(), |change| change.remove(Kind::Group, id)).unwrap();
    let count = |filter: AuditFilter| tenant.audit(&filter).unwrap().len();
    assert_eq!(count(AuditFilter { action: Some("ADD".into()), ..AuditFilter::default() }), 4);
    assert_eq!(count(AuditFilter { entity: Some("group".into()), ..AuditFilter::default() }), 2);
    assert_eq!(count(AuditFilter { entity: Some("beta".into()), ..AuditFilter::default() }), 1);
    let beta = AuditFilter { entity: Some("beta".into()), last: Some(1), ..AuditFilter::default() };
    assert_eq!(count(beta), 1, "the last of those that pass, and not of all");
    let future = Timestamp::from_ms(i64::MAX);
    assert_eq!(count(AuditFilter { from: Some(future), ..AuditFilter::default() }), 0);
    assert_eq!(count(AuditFilter { until: Some(future), last: Some(2), ..AuditFilter::default() }), 2);
    let entry = tenant.audit(&AuditFilter { last: Some(1), ..AuditFilter::default() }).unwrap().remove(0);
    assert_eq!(entry.author, author());
    assert!(entry.at > Timestamp::from_ms(1_600_000_000_000));
}

#[test]
fn fifty_telling_instances_leave_no_trace_in_any_file() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    let mut telling: Vec<String> =
        ["mira-the-dba", "192.0.2.77", "pts/3", "Crown-Jewels", "olga", "Passw0rd"].map(str::to_owned).into();
    tenant
        .change(&author(), |change| {
            for n in 0..50 {
                let mut record = instance(&format!("zebra{n:02}"));
                record.groups = vec!["Crown-Jewels".into()];
                record.labels.insert("payroll".into(), format!("quokka{n:02}"));
                record.database = Some(format!("ledger{n:02}"));
                change.add_instance(&record)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    for n in 0..50 {
        let texts = ["zebra", "quokka", "ledger", "login_zebra", "Passw0rd-of-zebra", "about zebra"];
        telling.extend(texts.map(|text| format!("{text}{n:02}")));
    }
    telling
        .extend(["db.internal", "payroll", "instance.add", "generation 2", "was zebra"].map(str::to_owned));
    scan(&stage, &telling, "with the log of SQLite open");
    let entry = tenant.inventory().unwrap().instances.remove(7);
    let mut renamed = entry.record.clone();
    renamed.name = "walrus07".into();
    telling.push("walrus07".into());
    tenant.change(&author(), |change| change.edit_instance(entry.id, entry.revision, &renamed)).unwrap();
    tenant.change(&author(), |change| change.remove(Kind::Instance, entry.id)).unwrap();
    tenant.rotate(&author(), None).unwrap();
    scan(&stage, &telling, "after a rotation");
    tenant.backup(&stage.home().join("all.dbtop-backup"), &author(), &mut |_| {}).unwrap();
    drop(tenant);
    scan(&stage, &telling, "closed, with a backup");
}

/// Every byte of every file of the home, for texts as UTF-8 and as UTF-16, whatever their case.
fn scan(stage: &Stage, telling: &[String], when: &str) {
    // One pass: texts by their first four bytes.
    let mut needles: HashMap<[u8; 4], Vec<(Vec<u8>, &str)>> = HashMap::new();
    for text in telling {
        let wide = text.to_lowercase().encode_utf16().flat_map(u16::to_le_bytes).collect();
        for needle in [text.to_lowercase().into_bytes(), wide] {
            needles.entry(*needle.first_chunk().unwrap()).or_default().push((needle, text));
        }
    }
    let all = files(&stage.home());
    assert!(all.iter().any(|file| file.ends_with("inventory.db")), "{all:?}");
    for file in all {
        let bytes = std::fs::read(&file).unwrap().to_ascii_lowercase();
        for at in 0..bytes.len().saturating_sub(3) {
            let start = bytes[at..].first_chunk().unwrap();
            for (needle, text) in needles.get(start).into_iter().flatten() {
                assert!(!bytes[at..].starts_with(needle), "{when}: {} holds {text}", file.display());
            }
        }
    }
}

#[test]
fn the_scan_sees_what_is_there() {
    let stage = Stage::new();
    drop(stage.create("acme"));
    for bytes in [b"xxTellTale".to_vec(), "xTellTale".encode_utf16().flat_map(u16::to_le_bytes).collect()] {
        std::fs::write(stage.home().join("temp"), bytes).unwrap();
        assert!(std::panic::catch_unwind(|| scan(&stage, &["telltale".into()], "now")).is_err());
    }
}
