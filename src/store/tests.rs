//! A tenant's file as a whole: what stands in it, what an older version of it may bring back, and when its key was made.

use super::{
    change::Setting,
    home::{self, free_bytes, written_last},
    *,
};
use crate::{
    model::{
        base::{secret::Secret, time::Timestamp},
        inventory::record::{Auth, InstanceRecord, Outcome, SecretRef, Slug},
    },
    vault::Opener,
};
use rusqlite::params;
use std::{fs, path::Path};

/// A tenant, its home, and the key to it.
struct Stage {
    folder: tempfile::TempDir,
    tenants: Tenants,
    tenant: Tenant,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tenants = Tenants::open(&Home::at(&folder.path().join("home"))).unwrap();
        let key = Opener::KeyFile(folder.path().join("key"));
        let tenant = tenants.create(&slug(), &key, "laptop", None, &current_author()).unwrap();
        Self { folder, tenants, tenant }
    }

    fn add(&mut self, names: &[&str]) {
        for name in names {
            self.tenant.change(&current_author(), |change| change.add_instance(&instance(name))).unwrap();
        }
    }

    fn names(&self) -> Vec<String> {
        self.tenant.inventory().unwrap().instances.iter().map(|it| it.record.name.clone()).collect()
    }

    fn damage(&self) -> Vec<(String, Harm)> {
        self.tenant.inventory().unwrap().damage.into_iter().map(|it| (it.name, it.harm)).collect()
    }

    /// As somebody without the key may write it.
    fn write(&self, sql: &str) {
        assert!(self.tenant.connection.execute(sql, []).unwrap() > 0, "{sql}");
    }

    fn blob(&self, sql: &str) -> Vec<u8> {
        self.tenant.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn details(&self, action: &str) -> Vec<String> {
        let filter = AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
        self.tenant.audit(&filter).unwrap().into_iter().map(|entry| entry.detail).collect()
    }
}

fn slug() -> Slug {
    Slug::parse("acme").unwrap()
}

fn instance(name: &str) -> InstanceRecord {
    let secret = SecretRef::Stored(Secret::new("Passw0rd".to_owned()));
    InstanceRecord::new(name, format!("{name}.internal"), Auth::Sql { user: "dbtop".to_owned(), secret })
}

#[test]
fn a_record_that_was_removed_for_good_does_not_come_back() {
    let mut stage = Stage::new();
    stage.add(&["alpha", "beta"]);
    let beta = stage.tenant.inventory().unwrap().instance("beta").unwrap().id;
    let row = "SELECT tag, sealed FROM record WHERE id = ?1";
    let (tag, sealed): (Vec<u8>, Vec<u8>) = stage
        .tenant
        .connection
        .query_row(row, [beta.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    stage.write("UPDATE record SET sealed = zeroblob(60) WHERE rowid = (SELECT max(rowid) FROM record WHERE kind = 'instance')");
    stage.tenant.change(&current_author(), |change| change.remove(Kind::Instance, beta)).unwrap();
    assert_eq!((stage.names(), stage.damage()), (vec!["alpha".to_owned()], Vec::new()));
    // Its whole row, with a seal that fits.
    let put = "INSERT INTO record(id, kind, revision, version, deleted, tag, sealed) VALUES (?1, 'instance', 1, 1, 0, ?2, ?3)";
    stage.tenant.connection.execute(put, params![beta.as_bytes(), tag, sealed]).unwrap();
    assert_eq!(stage.names(), ["alpha"]);
    assert_eq!(stage.damage(), [(beta.short(), Harm::Unexpected)]);
}

#[test]
fn a_record_of_a_newer_version_is_told_as_that_and_one_of_an_older_as_altered() {
    let mut stage = Stage::new();
    stage.add(&["alpha"]);
    for (version, harm) in [(9, Harm::Newer), (0, Harm::Broken)] {
        stage.write(&format!("UPDATE record SET version = {version}"));
        assert_eq!(stage.damage(), [("alpha".to_owned(), harm)], "version {version}");
    }
    stage.write("UPDATE record SET version = 1");
    assert_eq!(stage.names(), ["alpha"]);
}

#[test]
fn what_a_repair_took_out_cannot_be_put_back_with_the_list_of_before() {
    let mut stage = Stage::new();
    stage.add(&["alpha", "beta"]);
    let list = stage.blob("SELECT sealed FROM contents WHERE kind = 'instance'");
    let beta = stage.blob("SELECT sealed FROM record WHERE rowid = (SELECT max(rowid) FROM record)");
    let row = "(SELECT max(rowid) FROM record)";
    let (id, tag) = (
        stage.blob(&format!("SELECT id FROM record WHERE rowid = {row}")),
        stage.blob(&format!("SELECT tag FROM record WHERE rowid = {row}")),
    );
    stage.write(&format!("UPDATE record SET sealed = zeroblob(60) WHERE rowid = {row}"));
    let name = stage.damage()[0].0.clone();
    assert_eq!(stage.tenant.repair(&current_author()).unwrap().len(), 1);
    assert_eq!((stage.names().len(), stage.damage()), (1, Vec::new()), "without {name}");
    let put = "INSERT INTO record(id, kind, revision, version, deleted, tag, sealed) VALUES (?1, 'instance', 1, 1, 0, ?2, ?3)";
    stage.tenant.connection.execute(put, params![id, tag, beta]).unwrap();
    stage
        .tenant
        .connection
        .execute("UPDATE contents SET sealed = ?1 WHERE kind = 'instance'", [&list])
        .unwrap();
    let told: Vec<Harm> = stage.damage().into_iter().map(|(_, harm)| harm).collect();
    assert!(told.contains(&Harm::Contents), "{told:?}");
}

#[test]
fn the_log_says_of_a_rename_what_the_name_was_and_of_another_edit_nothing_of_names() {
    let mut stage = Stage::new();
    stage.add(&["alpha"]);
    for (name, host) in [("alpha", "moved"), ("gamma", "moved")] {
        let entry = stage.tenant.inventory().unwrap().instances[0].clone();
        let record = InstanceRecord { name: name.to_owned(), host: host.to_owned(), ..entry.record };
        let edit = |change: &mut Change<'_>| change.edit_instance(entry.id, entry.revision, &record);
        stage.tenant.change(&current_author(), edit).unwrap();
    }
    let told = stage.details("edit");
    assert!(!told[0].contains("was ") && told[0].contains("host"), "{told:?}");
    assert!(told[1].starts_with("was alpha; "), "{told:?}");
}

#[test]
fn when_the_key_was_made_is_read_off_the_log_where_the_header_does_not_say() {
    let mut stage = Stage::new();
    let (author, then) = (current_author(), |s: i64| Timestamp::from_ms(1_700_000_000_000 + s * 1000));
    let note = |tenant: &mut Tenant, s: i64, (action, entity): (&str, &str), outcome: Outcome| {
        tenant
            .change_locked(&author, Setting::Any, |change| {
                (change.now, change.header.keyed) = (then(s), None);
                change.log(action, entity, "x", outcome, "")
            })
            .unwrap();
    };
    let made = stage.tenant.audit(&AuditFilter::default()).unwrap()[0].at;
    let refused = || Outcome::Refused("the disk is full".to_owned());
    for (s, what, outcome) in [
        (10, ("create", "group"), Outcome::Done),
        (20, ("rotate", "slot"), Outcome::Done),
        (30, ("remove", "vault"), Outcome::Done),
        (40, ("rotate", "vault"), refused()),
    ] {
        note(&mut stage.tenant, s, what, outcome);
        assert_eq!(stage.tenant.keyed().unwrap(), Some(made), "{what:?} made no key");
    }
    for s in [50, 60] {
        note(&mut stage.tenant, s, ("rotate", "vault"), Outcome::Done);
        assert_eq!(stage.tenant.keyed().unwrap(), Some(then(s)));
    }
    stage.tenant.rotate(&current_author(), None).unwrap();
    assert!(stage.tenant.keyed().unwrap() > Some(then(60)), "the header says it");
}

#[test]
fn a_locked_tenant_tells_its_slots_its_history_and_its_last_use() {
    let stage = Stage::new();
    let locked = stage.tenants.get(&slug()).unwrap();
    let told: Vec<&str> = locked.slots().iter().map(|slot| slot.kind().name()).collect();
    assert_eq!((told, locked.uid()), (vec!["key-file"], stage.tenant.uid()));
    assert_eq!(locked.history_bytes(), None);
    fs::write(locked.folder().join(HISTORY_FILE), [0; 321]).unwrap();
    assert_eq!(locked.history_bytes(), Some(321));
    assert!(locked.size_bytes() > 4096 + 321, "{}", locked.size_bytes());
    assert!(locked.used().is_some() && locked.used() == written_last(locked.folder()));
}

#[test]
fn the_version_of_the_data_changes_by_others_and_not_by_oneself() {
    let mut stage = Stage::new();
    let before = stage.tenant.data_version().unwrap();
    stage.add(&["alpha"]);
    assert_eq!(stage.tenant.data_version().unwrap(), before, "its own change");
    let mut other = stage.tenant.again().unwrap();
    other.change(&current_author(), |change| change.add_instance(&instance("beta"))).unwrap();
    assert_ne!(stage.tenant.data_version().unwrap(), before);
    assert_eq!(stage.names(), ["alpha", "beta"]);
}

#[test]
fn a_folder_that_is_no_tenant_says_what_it_holds_and_is_left_alone() {
    let stage = Stage::new();
    let (key, author) = (Opener::KeyFile(stage.folder.path().join("key")), current_author());
    let make = |name: &str| {
        let name = Slug::parse(name).unwrap();
        stage.tenants.create(&name, &key, "first", None, &author).map(drop).map_err(|e| e.to_string())
    };
    let folder = stage.folder.path().join("home/tenants/globex");
    fs::create_dir(&folder).unwrap();
    assert!(make("globex").is_err_and(|e| e.contains("holds no tenant, it is empty: move it away")));
    for (n, name) in ["history.db", "notes.txt", "a", "b"].into_iter().enumerate() {
        fs::write(folder.join(name), b"x").unwrap();
        let told = make("globex").unwrap_err();
        let words =
            ["only history.db", "only history.db, notes.txt", "only a, history.db, notes.txt", "and 1 more"];
        assert!(told.contains(words[n]) && told.contains("tenants/globex is there"), "{told}");
        assert!(!told.contains("called globex"), "it is no tenant: {told}");
    }
    assert!(folder.join("history.db").exists());
    assert!(make("acme").is_err_and(|e| e.contains("a tenant called acme is there already")));
    fs::write(stage.folder.path().join("home/tenants/initech"), b"x").unwrap();
    assert!(make("initech").is_err_and(|e| e.contains("it is a file")));
}

#[test]
fn a_home_is_one_folder_or_those_of_the_platform() {
    let stage = Stage::new();
    let at = stage.folder.path().join("home");
    let home = Home::at(&at);
    assert_eq!((home.config(), home.data(), home.log()), (&*at, &*at, &*at.join("log")));
    let backups = home.backups().unwrap();
    assert_eq!(backups, at.join("backups"));
    assert!(home::check_mode(&backups, 0o700).is_ok() && backups.is_dir());
}

#[test]
fn the_last_use_of_a_folder_is_that_of_its_newest_file_with_something_in_it() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(written_last(folder.path()), None);
    let write = |name: &str, bytes: &[u8], s: u64| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let when = std::time::UNIX_EPOCH + std::time::Duration::from_secs(s);
        fs::File::options().write(true).open(path).unwrap().set_modified(when).unwrap();
    };
    write("inventory.db", b"x", 100);
    write("other", b"x", 900);
    write("history.db-wal", b"", 800);
    assert_eq!(written_last(folder.path()), Some(Timestamp::from_ms(100_000)), "nobody else's, none empty");
    write("history.db-wal", b"x", 200);
    assert_eq!(written_last(folder.path()), Some(Timestamp::from_ms(200_000)));
}

#[test]
fn a_sum_is_that_of_the_whole_file_and_free_room_is_told_where_there_is_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, b"abc").unwrap();
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!((file_sha256(&path).unwrap().as_str(), sha256(b"abc").as_str()), (abc, abc));
    let long = vec![7; 200_000];
    fs::write(&path, &long).unwrap();
    assert_eq!(file_sha256(&path).unwrap(), sha256(&long), "more than is read at once");
    assert!(file_sha256(&folder.path().join("none")).is_err());
    #[cfg(unix)]
    {
        assert!(free_bytes(folder.path()).is_some_and(|free| free > 1 << 16));
        assert_eq!(free_bytes(Path::new("/no/such/folder")), None);
        assert!(home::sync_folder(&folder.path().join("none")).is_err());
    }
}
