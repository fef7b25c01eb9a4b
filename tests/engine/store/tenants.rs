//! Tenants as a whole: made, suspended, renamed, deleted, migrated, moved to another machine; and two processes on one.

use super::support::{Stage, add, author, damage, instance, names, slug};
use crate::world::{World, at, feed, name, uid};
use dbtop::{
    app::inventory::slots::old_key,
    model::inventory::record::{Auth, InstanceRecord, Limits, Outcome, RecordId},
    store::{
        AuditFilter, BackupFile, HISTORY_FILE, Home, Kind, Progress, StoreError, Tenant, Tenants,
        history::{Engine, Options, Reader},
        schema,
    },
    vault::{self, Opener, Place},
};
use std::{fs, path::PathBuf, process::Command, time::Instant};

#[test]
fn tenants_are_apart() {
    let stage = Stage::new();
    let mut acme = stage.create("acme");
    add(&mut acme, &["one"]);
    let other_key = Opener::KeyFile(stage.folder.path().join("other-key"));
    let globex = stage.tenants.create(&slug("globex"), &other_key, "k", None, &author()).unwrap();
    assert!(names(&globex).is_empty());
    assert!(stage.locked("globex").unlock(&stage.key()).is_err(), "another tenant's key opens nothing");
    assert_eq!(stage.tenants.slugs().unwrap(), [slug("acme"), slug("globex")]);
    let error = stage.tenants.get(&slug("initech")).err().unwrap().to_string();
    assert!(error.contains("there are acme, globex"), "{error}");
    let error = stage.tenants.create(&slug("acme"), &stage.key(), "k", None, &author()).err().unwrap();
    assert!(matches!(error, StoreError::TenantExists(_)), "{error}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_and_wider_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    add(&mut tenant, &["one"]);
    for file in super::support::files(&stage.home()) {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    drop(tenant);
    let refused = |path: &PathBuf, wide: u32, command: &str| {
        let before = fs::metadata(path).unwrap().permissions();
        fs::set_permissions(path, fs::Permissions::from_mode(wide)).unwrap();
        let error = stage.tenants.get(&slug("acme")).err().unwrap().to_string();
        assert!(error.contains(&format!("{command} {}", path.display())), "{error}");
        fs::set_permissions(path, before).unwrap();
    };
    refused(&stage.database("acme"), 0o640, "chmod 600");
    refused(&stage.home().join("tenants/acme"), 0o755, "chmod 700");
    stage.open("acme");
}

#[test]
fn a_suspended_tenant_is_read_and_not_changed() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    add(&mut tenant, &["one"]);
    stage.tenants.suspend(&mut tenant, &author()).unwrap();
    assert!(stage.locked("acme").is_suspended());
    assert_eq!(names(&tenant), ["one"]);
    let error = tenant.change(&author(), |change| change.add_instance(&instance("two"))).unwrap_err();
    assert!(error.to_string().contains("dbtop tenant resume acme"), "{error}");
    stage.tenants.resume(&mut tenant, &author()).unwrap();
    add(&mut tenant, &["two"]);
}

#[test]
fn a_tenant_is_renamed_and_deleted() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    add(&mut tenant, &["one"]);
    let tenant = stage.tenants.rename(tenant, &slug("acme-old"), &author()).unwrap();
    assert_eq!(names(&tenant), ["one"]);
    assert_eq!(stage.tenants.slugs().unwrap(), [slug("acme-old")]);
    drop(tenant);
    let deleted = stage.tenants.delete(&slug("acme-old")).unwrap();
    assert!(stage.tenants.slugs().unwrap().is_empty());
    stage.tenants.remove_for_good(&deleted).unwrap();
    let left: Vec<_> = super::support::files(&stage.home());
    assert!(left.iter().all(|file| file.ends_with(".lock") || file.ends_with("clock")), "{left:?}");
}

fn restore(
    stage: &Stage,
    file: &std::path::Path,
    key: &Opener,
    name: Option<&str>,
) -> Result<Tenant, StoreError> {
    let backup = BackupFile::open(file)?;
    let sealer = vault::unlock(backup.uid(), backup.slots(), key)?;
    stage.tenants.restore(backup, sealer, name.map(slug), &author(), &mut |_| {})
}

#[test]
fn a_backup_restores_on_another_machine_with_a_key_slot() {
    let here = Stage::new();
    let mut tenant = here.create("acme");
    let many: Vec<String> = (0..300).map(|n| format!("server-{n:03}")).collect();
    add(&mut tenant, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let file = here.folder.path().join("acme.dbtop-backup");
    let made = tenant.backup(&file, &author(), &mut |_| {}).unwrap();
    assert!(made.portable && made.size_bytes == fs::metadata(&file).unwrap().len());
    assert!(tenant.backup(&file, &author(), &mut |_| {}).is_err(), "never over an older one");

    let there = Stage::new();
    let mut back = restore(&there, &file, &here.key(), None).unwrap();
    assert_eq!(back.slug(), &slug("acme"));
    assert_eq!((names(&back), damage(&back).len()), (many, 0));
    assert_eq!(back.verify_audit().unwrap().bad, None);
    add(&mut back, &["new"]);
    let twice = restore(&there, &file, &here.key(), Some("twin")).err().unwrap();
    assert!(matches!(twice, StoreError::SameTenant { .. }), "{twice}");
    let stranger = Opener::KeyFile(there.folder.path().join("new-key"));
    assert!(restore(&Stage::new(), &file, &stranger, None).is_err());
}

#[test]
fn a_backup_carries_history_while_a_collector_writes_it() {
    let here = Stage::new();
    let mut tenant = here.create("acme");
    add(&mut tenant, &["one"]);
    let key = tenant.history_key(&author()).unwrap();
    let path = tenant.folder().join(HISTORY_FILE);
    let mut engine = Engine::open(&path, Some(key.clone()), Options::default()).unwrap();
    let mut world = World::new(2);
    feed(&mut engine, &mut world, 0..3600);
    let file = here.folder.path().join("acme.dbtop-backup");
    let mut told = Vec::new();
    let made = tenant.backup(&file, &author(), &mut |progress| told.push(progress)).unwrap();
    feed(&mut engine, &mut world, 3600..4000);
    assert!(made.history_bytes.is_some_and(|bytes| bytes > 0 && bytes < made.size_bytes), "{made:?}");
    assert!(matches!(told.first(), Some(Progress::Copying(bytes)) if *bytes > 0), "{told:?}");
    assert!(matches!(told.last(), Some(Progress::Done { bytes, of }) if bytes == of), "{told:?}");
    let entry = tenant.audit(&AuditFilter { last: Some(1), ..AuditFilter::default() }).unwrap().remove(0);
    assert!(entry.detail.contains(&made.sha256) && made.sha256.len() == 64, "{}", entry.detail);
    let left: Vec<_> =
        fs::read_dir(here.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{left:?}");
    let bytes = fs::read(&file).unwrap();
    assert!(!bytes.windows(15).any(|part| part == b"SQLite format 3"), "no page of it is readable");

    let there = Stage::new();
    let mut back = restore(&there, &file, &here.key(), None).unwrap();
    let key = back.history_key(&author()).unwrap();
    let mut reader = Reader::open(&back.folder().join(HISTORY_FILE), Some(key)).unwrap();
    assert!(reader.check().unwrap().is_clean());
    let one = [uid(&name(1))];
    assert!(!reader.states().at(&one, at(3500)).unwrap().kept.is_empty());
    assert!(reader.states().between(&one[0], at(3610), at(4000)).unwrap().kept.is_empty(), "of one instant");
    // A piece of the history that was altered, and the last one that is not there.
    for cut in [false, true] {
        let mut bad = bytes.clone();
        if cut {
            bad.truncate(bytes.len() - 1000);
        } else {
            bad[bytes.len() - 1000] ^= 1;
        }
        fs::write(&file, &bad).unwrap();
        let clean = Stage::new();
        let error = restore(&clean, &file, &here.key(), None).err().unwrap();
        assert!(error.to_string().contains("is missing or was altered"), "{error}");
        assert!(clean.tenants.slugs().unwrap().is_empty());
    }
}

#[test]
fn a_tenant_is_held_to_its_limit_of_instances() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    add(&mut tenant, &["one", "two"]);
    let limits = Limits { max_instances: Some(2), max_history_bytes: None };
    tenant.set_limits(limits, &author()).unwrap();
    let more = InstanceRecord::new("three", "db3", Auth::Kerberos);
    let refused = |tenant: &mut Tenant| tenant.change(&author(), |change| change.add_instance(&more)).err();
    let error = refused(&mut tenant).map_or_else(String::new, |e| e.to_string());
    assert!(error.contains("limited to 2 instances and has 2"), "{error}");
    let id = tenant.inventory().unwrap().instance("one").unwrap().id;
    tenant.change(&author(), |change| change.remove(Kind::Instance, id)).unwrap();
    assert!(refused(&mut tenant).is_none(), "a removed one does not count");
    let back = tenant.change(&author(), |change| change.restore(Kind::Instance, id));
    assert!(matches!(back, Err(StoreError::TooMany { most: 2, there: 2 })), "{back:?}");
    tenant.rotate(&author(), None).unwrap();
    assert_eq!((tenant.limits().unwrap(), stage.locked("acme").instances()), (limits, 2));
    tenant.set_limits(Limits::default(), &author()).unwrap();
    tenant.change(&author(), |change| change.restore(Kind::Instance, id)).unwrap();
}

#[test]
fn the_audit_log_tells_of_a_backup_that_is_there_and_of_one_that_failed() {
    let here = Stage::new();
    let mut tenant = here.create("acme");
    let folder = here.folder.path().join("backups");
    let file = folder.join("acme.dbtop-backup");
    let told = |tenant: &Tenant| -> Vec<Outcome> {
        let entries = tenant.audit(&AuditFilter::default()).unwrap();
        entries.into_iter().filter(|entry| entry.action == "backup").map(|entry| entry.outcome).collect()
    };
    assert!(tenant.backup(&file, &author(), &mut |_| {}).is_err(), "there is no such folder");
    assert!(matches!(&told(&tenant)[..], [Outcome::Refused(why)] if why.contains("No such file")));
    fs::create_dir(&folder).unwrap();
    let made = tenant.backup(&file, &author(), &mut |_| {}).unwrap();
    assert_eq!((made.unlogged, told(&tenant).last()), (None, Some(&Outcome::Done)));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no part is left");
    // One whose keys are of before a rotation writes none: no slot would open it.
    let mut old = here.open("acme");
    tenant.rotate(&author(), None).unwrap();
    let error = old.backup(&folder.join("old"), &author(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, StoreError::KeyChanged(_)), "{error}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_backup_that_was_cut_or_altered_restores_nothing() {
    let here = Stage::new();
    let mut tenant = here.create("acme");
    add(&mut tenant, &["one"]);
    let file = here.folder.path().join("b");
    tenant.backup(&file, &author(), &mut |_| {}).unwrap();
    let good = fs::read(&file).unwrap();
    let there = Stage::new();
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let at = random.usize(..good.len());
        let mut bad = good.clone();
        match seed % 3 {
            0 => bad.truncate(at),
            1 => bad[at] ^= random.u8(1..),
            _ => bad.push(0),
        }
        fs::write(&file, &bad).unwrap();
        assert!(restore(&there, &file, &here.key(), None).is_err(), "seed {seed}, byte {at}");
        assert!(there.tenants.slugs().unwrap().is_empty(), "seed {seed}");
    }
}

#[test]
fn slots_come_and_go_without_touching_records_and_a_rotation_locks_out() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    add(&mut tenant, &["one"]);
    let second = Opener::KeyFile(stage.folder.path().join("second"));
    let slot = tenant.add_slot(&author(), &second, "for the night shift", None).unwrap();
    assert_eq!(names(&stage.locked("acme").unlock(&second).unwrap()), ["one"]);
    let mut other = stage.open("acme");
    tenant.rotate(&author(), Some(&slot.id().to_string())).unwrap();
    assert!(stage.locked("acme").unlock(&second).is_err(), "the removed slot is out");
    assert_eq!(names(&stage.open("acme")), ["one"]);
    let error = other.change(&author(), |change| change.add_instance(&instance("two"))).unwrap_err();
    assert!(matches!(error, StoreError::KeyChanged(_)), "{error}");
    let only = tenant.slots().unwrap()[0].id().to_string();
    assert!(tenant.remove_slot(&author(), &only).is_err(), "the last one stays");
    assert_eq!(tenant.verify_audit().unwrap().bad, None);
}

#[test]
fn a_failed_migration_leaves_its_tenant_and_the_others_work() {
    let stage = Stage::new();
    for name in ["aaa", "bbb", "ccc"] {
        add(&mut stage.create(name), &["one"]);
    }
    stage.sqlite("bbb").execute_batch("CREATE TABLE extra(in_the_way)").unwrap();
    let steps: Vec<&str> = schema::STEPS.iter().copied().chain(["CREATE TABLE extra(n)"]).collect();
    let done = stage.tenants.migrate_with(&steps).unwrap();
    let outcomes: Vec<_> = done.iter().map(|m| m.outcome.as_ref().ok().copied()).collect();
    assert_eq!(outcomes, [Some(true), None, Some(true)]);
    assert_eq!(names(&stage.open("bbb")), ["one"], "as it was");
    let error = stage.tenants.get(&slug("aaa")).err().unwrap().to_string();
    assert!(error.contains("newer dbtop"), "{error}");
    assert_eq!(stage.tenants.list().unwrap().iter().filter(|t| t.tenant.is_ok()).count(), 1);
}

/// Made by the version of dbtop that its name says; see `tests/engine/store/released/README.md`.
#[test]
fn every_released_schema_opens_with_everything_in_it() {
    let released = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/engine/store/released");
    for version in 1..=schema::STEPS.len() {
        let stage = Stage::new();
        let key = stage.folder.path().join("key");
        fs::copy(released.join("key"), &key).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let tenant =
            restore(&stage, &released.join(format!("v{version}.dbtop-backup")), &stage.key(), None).unwrap();
        let inventory = tenant.inventory().unwrap();
        assert_eq!(inventory.damage, []);
        let one = &inventory.instance("one").unwrap().record;
        assert_eq!(one.secrets().next().unwrap().reveal(), "Passw0rd-of-one");
        assert_eq!((one.groups.len(), one.labels.len()), (1, 1));
        assert_eq!(tenant.verify_audit().unwrap().bad, None);
    }
}

/// Writes the fixture of this version: `DBTOP_FIXTURE=tests/engine/store/released cargo test --test engine store::tenants::fixture`.
#[test]
fn fixture() {
    let Some(folder) = std::env::var_os("DBTOP_FIXTURE").map(PathBuf::from) else { return };
    let home = tempfile::tempdir().unwrap();
    let tenants = Tenants::open(&Home::at(&home.path().join("home"))).unwrap();
    let key = Opener::KeyFile(folder.join("key"));
    let mut tenant = tenants.create(&slug("released"), &key, "fixture", None, &author()).unwrap();
    let mut record = instance("one");
    record.groups = vec!["Sales".into()];
    record.labels.insert("env".into(), "prod".into());
    tenant.change(&author(), |change| change.add_instance(&record)).unwrap();
    tenant
        .backup(&folder.join(format!("v{}.dbtop-backup", schema::STEPS.len())), &author(), &mut |_| {})
        .unwrap();
}

/// Holds the tenant's lock as another process; not a test of its own.
#[test]
fn holder() {
    let Some(folder) = std::env::var_os("DBTOP_HOLD").map(PathBuf::from) else { return };
    let tenants = Tenants::open(&Home::at(&folder.join("home"))).unwrap();
    let locked = tenants.get(&slug("acme")).unwrap();
    let mut tenant = locked.unlock(&Opener::KeyFile(folder.join("key"))).unwrap();
    tenant
        .change(&author(), |change| {
            change.add_instance(&instance("theirs"))?;
            fs::write(folder.join("held"), "").unwrap();
            let started = Instant::now();
            while !folder.join("let-go").exists() && started.elapsed().as_secs() < 30 {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn a_second_writer_waits_then_is_told_who_writes() {
    let stage = Stage::new();
    drop(stage.create("acme"));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &crate::again::path(module_path!(), "holder")])
        .env("DBTOP_HOLD", stage.folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !stage.folder.path().join("held").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the holder ended early");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut tenant = stage.open("acme");
    assert!(names(&tenant).is_empty(), "readers go on, and see nothing half");
    let error = tenant.change(&author(), |change| change.add_instance(&instance("mine"))).unwrap_err();
    assert!(error.to_string().contains(&format!("process {}", child.id())), "{error}");
    let release = stage.folder.path().join("let-go");
    let waiter = std::thread::spawn(move || {
        tenant.change(&author(), |change| change.add_instance(&instance("mine"))).map(|_| tenant)
    });
    fs::write(release, "").unwrap();
    assert!(child.wait().unwrap().success());
    let tenant = waiter.join().unwrap().expect("who waits gets its turn");
    assert_eq!(names(&tenant), ["mine", "theirs"]);
}

/// History outlives rotations, backups and restores with one key, which nobody reads without the data key.
#[test]
fn the_key_of_history_stays_and_is_sealed_anew() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    let seal = |tenant: &mut Tenant| {
        let sealer = tenant.history_key(&author()).unwrap();
        let id = RecordId::from_bytes([3; 16]);
        let place = Place { tenant: sealer.tenant(), table: "history hot", id: &id, revision: 0, schema: 1 };
        sealer.seal(&place, b"at 02:14").unwrap()
    };
    let opens = |tenant: &mut Tenant, blob: &[u8]| {
        let sealer = tenant.history_key(&author()).unwrap();
        let id = RecordId::from_bytes([3; 16]);
        let place = Place { tenant: sealer.tenant(), table: "history hot", id: &id, revision: 0, schema: 1 };
        sealer.open(&place, blob).is_ok_and(|plain| plain.as_slice() == b"at 02:14")
    };
    let blob = seal(&mut tenant);
    let before: Vec<u8> =
        stage.sqlite("acme").query_row("SELECT sealed FROM history", [], |row| row.get(0)).unwrap();
    let backup = stage.folder.path().join("b.dbtop-backup");
    tenant.backup(&backup, &author(), &mut |_| {}).unwrap();
    tenant.rotate(&author(), None).unwrap();
    let after: Vec<u8> =
        stage.sqlite("acme").query_row("SELECT sealed FROM history", [], |row| row.get(0)).unwrap();
    assert_ne!(before, after, "sealed anew");
    assert!(opens(&mut tenant, &blob), "and the same");
    drop(tenant);
    assert!(opens(&mut stage.open("acme"), &blob), "after a restart");
    assert_eq!(stage.open("acme").verify_audit().unwrap().bad, None);
    // The backup was made with the old data key and has the history's key, too.
    let other = Stage::new();
    let mut restored = restore(&other, &backup, &stage.key(), None).unwrap();
    assert!(opens(&mut restored, &blob));
    // Another tenant has another one.
    assert!(!opens(&mut stage.create("globex"), &blob));
}

/// A key that does not open is told of, not replaced: the history would be lost with it.
#[test]
fn a_damaged_key_of_history_is_never_replaced() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    tenant.history_key(&author()).unwrap();
    stage.sqlite("acme").execute("UPDATE history SET sealed = zeroblob(61)", []).unwrap();
    let error = tenant.history_key(&author()).err().unwrap().to_string();
    assert!(error.contains("history key was altered or damaged"), "{error}");
    let error = tenant.rotate(&author(), None).unwrap_err().to_string();
    assert!(error.contains("cannot be rotated") && error.contains("history key"), "{error}");
    assert!(tenant.history_key(&author()).is_err());
}

#[test]
fn a_restore_waits_for_who_makes_tenants_and_then_says_who_it_is() {
    let here = Stage::new();
    let mut tenant = here.create("acme");
    let file = here.folder.path().join("acme.dbtop-backup");
    tenant.backup(&file, &author(), &mut |_| {}).unwrap();
    let there = Stage::new();
    let lock = there.home().join("tenants").join(".lock");
    let held = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&lock).unwrap();
    held.lock().unwrap();
    let busy = restore(&there, &file, &here.key(), None).err().unwrap();
    assert!(matches!(busy, StoreError::Busy { .. }), "{busy}");
    assert!(there.tenants.slugs().unwrap().is_empty(), "nothing was begun");
    drop(held);
    restore(&there, &file, &here.key(), None).unwrap();
}

#[test]
fn a_rotation_makes_the_data_key_young_again() {
    let stage = Stage::new();
    let mut tenant = stage.create("acme");
    let made = tenant.keyed().unwrap().unwrap();
    let in_a_year = made.plus_ms(366 * 86_400_000);
    assert!(old_key(in_a_year.ms_since(made)).is_some_and(|words| words.contains("dbtop vault rotate")));
    std::thread::sleep(std::time::Duration::from_millis(5));
    tenant.rotate(&author(), None).unwrap();
    let renewed = stage.open("acme").keyed().unwrap().unwrap();
    assert!(renewed > made, "{renewed:?}");
    assert_eq!(old_key(in_a_year.ms_since(renewed)), None, "a few milliseconds less than 366 days");
}
