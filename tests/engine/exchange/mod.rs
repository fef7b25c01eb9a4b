//! Files of instances from outside: each format brings back what was written, whatever is in a file nothing panics, and a
//! large file with errors names exactly these.

mod pasted;
mod regsrvr;

use dbtop::{
    exchange::{Change, Defaults, Entry, Format, Secrets, plan, read, write},
    model::{
        base::{secret::Secret, time::Timestamp},
        inventory::record::{Auth, GroupRecord, InstanceRecord, PollSettings, SecretRef, TlsCheck},
    },
};
use proptest::{collection, option, prelude::*};
use std::{collections::BTreeMap, fmt::Write as _};

const FORMATS: [Format; 4] = [Format::Csv, Format::Json, Format::Toml, Format::Regsrvr];

/// A text as people write it: signs that formats stumble over, no blanks around.
fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9äß=+@'\"<>&;,|#%!\\\\-]([ a-zA-Z0-9äß'\"<>&;,\\\\_./-]{0,12}[a-z0-9;\"'\\\\])?"
}

/// A place and a text for it. Logins are made from plain texts, for they print none of themselves.
fn secret() -> impl Strategy<Value = (u8, String)> {
    (0..5_u8, "[ -~]{0,10}[!-~]")
}

fn secret_of((place, text): (u8, String)) -> SecretRef {
    let plain = || text.trim().to_owned();
    match place {
        0 => SecretRef::Stored(Secret::new(text)),
        1 => SecretRef::Command(plain()),
        2 => SecretRef::Env(plain()),
        3 => SecretRef::File(plain().into()),
        _ => SecretRef::Ask,
    }
}

fn auth() -> impl Strategy<Value = (u8, String, (u8, String))> {
    (0..4_u8, text(), secret())
}

fn auth_of((kind, user, secret): (u8, String, (u8, String))) -> Auth {
    match kind {
        0 => Auth::Sql { user, secret: secret_of(secret) },
        1 => Auth::Entra { token: secret_of(secret) },
        2 => Auth::Kerberos,
        _ => Auth::Ntlm { user, secret: secret_of(secret) },
    }
}

/// A record that shows all of itself when a test fails.
#[derive(Clone)]
struct Whole(InstanceRecord);

impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = write(Format::Json, std::slice::from_ref(&self.0), Secrets::Write).unwrap_or_default();
        f.write_str(&String::from_utf8_lossy(&bytes))
    }
}

fn tls() -> impl Strategy<Value = TlsCheck> {
    prop_oneof![
        Just(TlsCheck::Verify),
        Just(TlsCheck::Strict),
        Just(TlsCheck::Insecure),
        "[0-9a-f]{64}".prop_map(TlsCheck::Pin),
    ]
}

fn poll() -> impl Strategy<Value = PollSettings> {
    let times = (option::of(30..=3600_u32), option::of(30..=3600_u32), option::of(0..4_000_000_000_000_i64));
    let lists = (collection::vec(text(), 0..3), collection::vec(text(), 0..3), option::of(any::<bool>()));
    (times, lists).prop_map(|((every_s, detail_every_s, until), (probes_off, databases_in, running))| {
        PollSettings {
            every_s,
            detail_every_s,
            probes_off,
            databases_in,
            databases_out: Vec::new(),
            running,
            maintenance_until: until.map(Timestamp::from_ms),
        }
    })
}

prop_compose! {
    fn record()(
        name in text(), host in "[a-z0-9][a-z0-9.-]{0,12}", port in option::of(1..=u16::MAX),
        instance in option::of("[A-Z0-9]{1,8}"), database in option::of(text()), auth in auth(),
        action in option::of(auth()), check in tls(), flags in any::<(bool, bool)>(), poll in poll(),
        groups in collection::btree_set("[A-Za-z;\\\\&.,_ -]{0,6}[a-z]", 0..3),
        labels in collection::btree_map("[a-z][a-z0-9_.-]{0,6}", text(), 0..3), notes in option::of(text()),
        added in option::of(1_600_000_000..1_900_000_000_i64),
    ) -> Whole {
        let mut record = InstanceRecord::new(name, host, auth_of(auth));
        record.port = port;
        record.instance = instance;
        record.database = database;
        record.action = action.map(auth_of);
        record.tls.check = check;
        record.tls.ca_file = flags.0.then(|| "/etc/ca.pem".into());
        (record.read_only_intent, record.multi_subnet_failover) = flags;
        record.poll = poll;
        record.groups = groups.into_iter().map(|group| group.trim().to_owned()).collect();
        record.labels = labels;
        record.notes = notes.unwrap_or_default();
        record.added_at = added.map(|s| Timestamp::from_ms(s * 1000));
        Whole(record)
    }
}

fn through(format: Format, record: &InstanceRecord, secrets: Secrets) -> InstanceRecord {
    let bytes = write(format, std::slice::from_ref(record), secrets).expect("written");
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    let rows = read(format, &bytes).unwrap_or_else(|problem| panic!("{problem}\n{shown}"));
    assert_eq!(rows.rows.len(), 1, "{shown}");
    assert!(rows.remarks.is_empty(), "{:?}\n{shown}", rows.remarks);
    let found = rows.records(&Defaults::default()).remove(0);
    found.unwrap_or_else(|problem| panic!("{problem}\n{shown}"))
}

proptest! {
    #[test]
    fn text_formats_bring_back_everything(Whole(record) in record()) {
        prop_assume!(record.validate().is_ok());
        for format in [Format::Csv, Format::Json, Format::Toml] {
            prop_assert!(through(format, &record, Secrets::Write) == record, "{format:?}");
        }
    }

    #[test]
    fn registered_servers_bring_back_what_ssms_knows(Whole(record) in record()) {
        prop_assume!(record.validate().is_ok());
        let back = through(Format::Regsrvr, &record, Secrets::Leave);
        prop_assert_eq!(&back.name, &record.name);
        prop_assert_eq!(back.address(), record.address());
        prop_assert_eq!(&back.database, &record.database);
        prop_assert_eq!(&back.notes, &record.notes);
        // A folder that no new group may be called as is written otherwise, and may be the same as another then.
        let groups = record.groups.iter().map(|group| GroupRecord::free_name(group));
        let groups = groups.fold(Vec::new(), |mut all, group| {
            if !all.contains(&group) {
                all.push(group);
            }
            all
        });
        prop_assert_eq!(&back.groups, &groups);
        prop_assert_eq!(back.read_only_intent, record.read_only_intent);
        prop_assert_eq!(back.tls.check == TlsCheck::Strict, record.tls.check == TlsCheck::Strict);
        if let Auth::Sql { user, .. } = &record.auth {
            prop_assert_eq!(back.auth.user(), Some(user.as_str()));
        }
    }

    #[test]
    fn without_asking_no_password_is_written(Whole(record) in record()) {
        let mut record = record;
        record.auth = Auth::Sql { user: "u".into(), secret: SecretRef::Stored(Secret::new("Xq7-hidden".into())) };
        record.action = Some(record.auth.clone());
        for format in FORMATS {
            let bytes = write(format, std::slice::from_ref(&record), Secrets::Leave).expect("written");
            prop_assert!(!String::from_utf8_lossy(&bytes).contains("Xq7-hidden"), "{:?}", format);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in collection::vec(any::<u8>(), 0..300)) {
        for format in FORMATS {
            let _ = read(format, &bytes);
        }
    }

    #[test]
    fn no_damage_makes_it_panic(Whole(record) in record(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        for format in FORMATS {
            let Ok(mut bytes) = write(format, std::slice::from_ref(&record), Secrets::Write) else { continue };
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            if let Ok(rows) = read(format, &bytes) {
                rows.records(&Defaults::default());
            }
        }
    }
}

#[test]
fn ten_thousand_rows_with_two_hundred_mistakes() {
    let mistakes = ["port", "host", "tls", "every_s"];
    // A mistake is told in the words of the file.
    let spelled = |field| match field {
        "port" => "Port",
        "host" => "Server",
        "tls" => "TLS",
        other => other,
    };
    let mut text = String::from("Name;Server;Port;Login;TLS;every_s;label.env;notes\r\n");
    let mut expected = BTreeMap::new();
    let mut line = 2;
    for row in 0..10_000 {
        let bad = (row % 50 == 7).then(|| mistakes[row / 50 % 4]);
        let or = |field: &str, wrong: &'static str, right: &'static str| {
            if bad == Some(field) { wrong } else { right }
        };
        // A note of two lines, so that lines are not rows.
        let note = if row % 100 == 0 { "\"two\nlines\"" } else { "" };
        let _ = write!(
            text,
            "srv-{row};{}{};{};u;{};{};prod;{note}\r\n",
            or("host", "a b", "h"),
            row,
            or("port", "x", "1433"),
            or("tls", "off", "verify"),
            or("every_s", "5", "60"),
        );
        if let Some(field) = bad {
            expected.insert(line, spelled(field));
        }
        line += if note.is_empty() { 1 } else { 2 };
    }
    let rows = read(Format::Csv, text.as_bytes()).expect("a CSV");
    let plan = plan(&[], &rows, &Defaults::default());
    let found: BTreeMap<usize, String> =
        plan.entries.iter().filter_map(Entry::problem).map(|p| (p.line, p.field)).collect();
    assert_eq!(expected.len(), 200);
    assert!(found.iter().map(|(line, field)| (*line, field.as_str())).eq(expected), "{found:?}");
    assert_eq!(plan.counts().add, 9_800);
}

#[test]
fn a_second_import_changes_nothing() {
    let csv = "name,host,user,password,groups,labels\na,h1,u,p,EU;Night,env=prod\nb,h2,u,p,,\n";
    let rows = read(Format::Csv, csv.as_bytes()).expect("a CSV");
    let there: Vec<_> = rows.records(&Defaults::default()).into_iter().map(|r| r.expect("good")).collect();
    for format in FORMATS {
        // Without passwords, as exports are: those in the vault stay.
        let bytes = write(format, &there, Secrets::Leave).expect("written");
        let plan = plan(&there, &read(format, &bytes).expect("read"), &Defaults::default());
        for entry in &plan.entries {
            assert!(entry.change == Change::Same, "{format:?}: {}: {:?}", entry.name, entry.problem());
        }
    }
}
