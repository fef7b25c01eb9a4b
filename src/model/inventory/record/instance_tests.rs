//! Tests of the instance record: no password in what it serializes to, errors named by field, filters.

use super::*;
use crate::model::base::filter::Filter;

fn record() -> InstanceRecord {
    let secret = |text: &str| SecretRef::Stored(Secret::new(text.into()));
    let mut record = InstanceRecord::new(
        "sales-1",
        "db1.example",
        Auth::Sql { user: "watcher".into(), secret: secret("hunter2") },
    );
    record.action = Some(Auth::Sql { user: "doer".into(), secret: secret("hunter3") });
    record.labels.insert("env".into(), "prod".into());
    record.groups.push("Sales".into());
    record
}

#[test]
fn passwords_are_never_written_out() {
    let text = toml::to_string(&record()).unwrap();
    assert!(!text.contains("hunter"), "{text}");
    assert!(text.contains("stored = \"\""), "the kind of place is: {text}");
    let back: InstanceRecord = toml::from_str(&text).unwrap();
    assert!(back.secrets().all(|secret| secret.reveal().is_empty()));
    assert_eq!(back.secrets().count(), 2);
}

#[test]
fn secrets_come_in_one_order() {
    let mut record = record();
    let seen: Vec<String> = record.secrets().map(|s| s.reveal().to_owned()).collect();
    assert_eq!(seen, ["hunter2", "hunter3"]);
    let again: Vec<String> = record.secrets_mut().map(|s| s.reveal().to_owned()).collect();
    assert_eq!(again, seen);
    record.auth = Auth::Kerberos;
    assert_eq!(record.secrets().count(), 1);
}

#[test]
fn places_outside_are_written_as_they_are() {
    let read = |text: &str| toml::from_str::<InstanceRecord>(text).unwrap();
    let from = |secret: &str| {
        read(&format!("name='a'\nhost='h'\n[auth]\nkind='sql'\nuser='u'\nsecret={secret}")).auth
    };
    for (text, kind) in [
        ("{ command = 'pass show db' }", "command"),
        ("{ env = 'PW' }", "env"),
        ("{ file = '/run/pw' }", "file"),
        ("'ask'", "ask"),
        ("{ stored = 'x' }", "stored"),
    ] {
        assert_eq!(from(text).secret().unwrap().kind(), kind);
    }
}

#[test]
fn mistakes_are_named_by_field() {
    let broken = |change: &dyn Fn(&mut InstanceRecord)| {
        let mut record = record();
        change(&mut record);
        record.validate().unwrap_err().field
    };
    assert_eq!(record().validate(), Ok(()));
    let named = InstanceRecord { instance: Some("SALES$1_#".into()), port: Some(1444), ..record() };
    assert_eq!(named.validate(), Ok(()));
    let labelled = InstanceRecord { labels: [("secret".into(), "top".into())].into(), ..record() };
    assert_eq!(labelled.validate(), Ok(()), "a word, not a password");
    assert_eq!(broken(&|r| r.name = " a".into()), "name");
    assert_eq!(broken(&|r| r.name = "a\u{7}".into()), "name");
    assert_eq!(broken(&|r| r.host = "a b".into()), "host");
    assert_eq!(broken(&|r| r.port = Some(0)), "port");
    for no_instance in ["", "a b", r"a\b", "a,1433", "a:1433", "a;b", "Server=db1", "u@db1"] {
        assert_eq!(broken(&|r| r.instance = Some(no_instance.into())), "instance", "{no_instance}");
    }
    for no_name in ["", "db1,1433", r"db1\SALES", "Server=db1;Password=x", "tcp:", "10.0.0.700"] {
        assert_eq!(
            broken(&|r| r.tls.host_in_certificate = Some(no_name.into())),
            "host_in_certificate",
            "{no_name}"
        );
    }
    assert_eq!(broken(&|r| r.database = Some("Database=a;Pwd=x".into())), "database");
    let login = |user: &str| Auth::Sql { user: user.into(), secret: SecretRef::Ask };
    assert_eq!(broken(&|r| r.action = Some(login("u;Password=x"))), "user");
    assert_eq!(broken(&|r| drop(r.labels.insert("PWD".into(), "x".into()))), "labels");
    assert_eq!(broken(&|r| r.tls.check = TlsCheck::Pin("00".into())), "tls.pin");
    assert_eq!(broken(&|r| r.poll.every_s = Some(2)), "every_s");
    assert_eq!(broken(&|r| r.groups.push(String::new())), "groups");
    assert_eq!(broken(&|r| drop(r.labels.insert("a=b".into(), "c".into()))), "labels");
    assert_eq!(broken(&|r| r.auth = Auth::Ntlm { user: String::new(), secret: SecretRef::Ask }), "user");
}

#[test]
fn filters_see_names_groups_and_labels_but_no_passwords() {
    let keeps = |text: &str| Filter::parse(text, &|_| true).unwrap().keeps(&record(), &mut String::new());
    for yes in ["SALES", "env=prod", "host~^db1", "group=sales", "login=watcher", "!dev"] {
        assert!(keeps(yes), "{yes}");
    }
    for no in ["hunter2", "env=dev", "auth=entra"] {
        assert!(!keeps(no), "{no}");
    }
}

#[test]
fn filters_see_how_an_instance_is_reached_and_whether_it_is_polled() {
    let keeps = |record: &InstanceRecord, text: &str| {
        let known = |key: &str| InstanceRecord::FILTER_KEYS.contains(&key) || key == "Team";
        Filter::parse(text, &known).unwrap().keeps(record, &mut String::new())
    };
    let mut plain = record();
    plain.labels.insert("Team".into(), "web".into());
    let mut other = record();
    other.port = Some(1533);
    other.instance = Some("SALES".into());
    other.tls.check = TlsCheck::Insecure;
    other.poll.running = Some(false);
    for (text, plain_passes, other_passes) in [
        ("tls=insecure", false, true),
        ("tls=verify,strict", true, false),
        ("port=1433", true, false),
        ("port>1500", false, true),
        ("instance=sales", false, true),
        ("instance~^S", false, true),
        ("running=yes", true, false),
        ("running=no", false, true),
        ("Team=web", true, false),
    ] {
        assert_eq!((keeps(&plain, text), keeps(&other, text)), (plain_passes, other_passes), "{text}");
    }
    other.port = None;
    assert!(!keeps(&other, "port=1433"), "the port of a named instance is not known before it is asked");
    other.tls.check = TlsCheck::Pin("00".into());
    assert!(keeps(&other, "tls=pin"));
    // Every key that is offered returns a value for an instance that has one.
    other.port = Some(1);
    other.database = Some("sales".into());
    for key in InstanceRecord::FILTER_KEYS {
        let mut found = 0;
        other.values(key, &mut |_| found += 1);
        assert_eq!(found, 1, "{key}");
    }
}

#[test]
fn what_people_write_as_an_address_of_mail_or_a_chat_is_no_password() {
    let mut kept = record();
    kept.labels.insert("owner".into(), "mail:dba@corp.example".into());
    kept.groups.push("sip:ops@corp.example".into());
    kept.notes = "teams:dba@corp.example".into();
    kept.auth = Auth::Sql { user: "a:b@corp".into(), secret: SecretRef::Ask };
    assert_eq!(kept.validate(), Ok(()));
    kept.name = "sa:hunter2@db1".into();
    let refused = kept.validate().unwrap_err();
    assert!(refused.field == "name" && !refused.problem.contains("hunter2"), "{refused:?}");
}
