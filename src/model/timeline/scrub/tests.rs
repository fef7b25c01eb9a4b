//! Scrubbing removes what it must and keeps the rest, and the same name is the same everywhere.

use super::{Kind, Names, Where, each_field_of_event};
use crate::model::{
    base::failure::{Failure, FailureKind},
    judge::{
        health::Level,
        why::{Trouble, Why},
    },
    poll::names::Field,
    timeline::event::{Awaited, Cause, Change, Subject, What},
};
use proptest::prelude::*;
use std::sync::Arc;

fn names() -> Names {
    let mut names = Names::default();
    names.learn(Kind::Instance, "SALES-DB");
    names.learn(Kind::Host, "web-07.corp.example,1433");
    names.learn(Kind::Login, "CORP\\svc_web");
    names.learn(Kind::Login, "ad");
    names.learn(Kind::Login, "Ĺubica");
    names.learn(Kind::Database, "Kunden");
    names
}

#[test]
fn a_name_goes_wherever_it_stands_and_however_it_is_spelled() {
    let mut names = names();
    for (text, wanted) in [
        ("3 blocked on sales-db by corp\\SVC_WEB", "3 blocked on instance-1 by login-1"),
        ("svc_web of WEB-07", "login-1 of host-1"),
        ("audit_svc_web and kunden.dbo", "audit_login-1 and database-1.dbo"),
        ("ĺUBICA was here", "login-3 was here"),
        ("ad reads, adds and (ad)", "login-2 reads, adds and (login-2)"),
    ] {
        assert_eq!(&*names.words(Where::Ours, text), wanted, "{text}");
    }
}

#[test]
fn fields_have_one_stand_in_each_and_what_everybody_has_stays() {
    let mut names = names();
    assert_eq!(&*names.name(Kind::Host, "WEB-07"), "host-1");
    assert_eq!(&*names.name(Kind::Host, "web-07.corp.example,1433"), "host-1,1433");
    assert_eq!(&*names.name(Kind::Host, "app9"), "host-2");
    assert_eq!(&*names.name(Kind::Login, "APP9"), "host-2", "the same name, whatever it is of");
    assert_eq!(&*names.name(Kind::Address, "10.1.4.7"), "address-1");
    for everybodys in ["sa", "NT AUTHORITY\\SYSTEM", "msdb", "prod"] {
        assert_eq!(&*names.name(Kind::Login, everybodys), everybodys);
    }
    assert_eq!(&*names.name(Kind::Login, "x"), "login-4", "one letter goes where it stands alone");
    assert_eq!(&*names.words(Where::Ours, "x is no name here"), "x is no name here");
}

#[test]
fn the_domain_of_a_host_is_a_name_unless_everybody_has_it() {
    let clean = |host: &str, text: &str| {
        let mut names = Names::default();
        names.learn(Kind::Host, host);
        names.words(Where::Ours, text).to_string()
    };
    assert_eq!(clean("web-07.corp", "web-07 joined corp today"), "host-1 joined domain-1 today");
    assert_eq!(clean("web-07.com", "web-07 joined com today"), "host-1 joined com today");
    assert_eq!(
        clean("web-07.a.b", "web-07 of a.b today"),
        "host-1 of domain-1 today",
        "short, but with a dot"
    );
    assert_eq!(clean("web-07", "web-07 alone"), "host-1 alone");
    assert_eq!(clean("10.1.2.3", "at 10.1.2.3"), "at address-1");
}

#[test]
fn code_hides_long_names_within_words_and_words_do_not() {
    let names = names();
    let found = |from, text: &str| names.find(from, text).len();
    assert_eq!(found(Where::Code, "tmp2svc_web9"), 1);
    assert_eq!(found(Where::Code, "loaded"), 0, "two letters are no name within a word");
    assert_eq!(found(Where::Ours, "sales-dbs"), 0);
}

#[test]
fn what_looks_like_a_name_goes_though_nobody_told_it() {
    let mut names = names();
    for (text, wanted) in [
        ("connecting to 192.168.7.9:1433: refused", "connecting to address-1:1433: refused"),
        ("no route to fe80::12", "no route to address-2"),
        ("db9.corp.example:1433 does not answer.", "host-2:1433 does not answer."),
        ("Login failed for user 'bob'.", "Login failed for user '?'."),
        ("Login failed for user 'svc_web'.", "Login failed for user 'login-1'."),
        ("it isn't the server's fault", "it isn't the server's fault"),
        ("run as FINANCE\\maria, asked by eve@shop.example", "run as login-4, asked by login-5"),
        ("the object 'sys.dm_os_tasks' is missing", "the object 'sys.dm_os_tasks' is missing"),
        ("version 16.0.4105.2 at 12:30:45", "version 16.0.4105.2 at 12:30:45"),
        ("share \\\\filer2\\dump is full", "share \\\\host-3\\dump is full"),
        ("folder c\\temp is full", "folder c\\temp is full"),
        ("value 'never closed", "value '?"),
    ] {
        assert_eq!(&*names.words(Where::Theirs, text), wanted, "{text}");
    }
}

proptest! {
    #[test]
    fn a_known_name_is_found_between_any_other_words(
        before in r"(\PC{0,12}[ .,'(\[])?",
        after in r"([ .,')\]]\PC{0,12})?",
    ) {
        let mut names = names();
        let text = format!("{before}SALES-DB{after}");
        let out = names.words(Where::Ours, &text).to_lowercase();
        prop_assert!(!out.contains("sales-db"), "{text} -> {out}");
    }

    #[test]
    fn no_text_breaks_it(text in r"\PC{0,60}") {
        let mut names = names();
        for from in [Where::Ours, Where::Theirs, Where::Code] {
            let _ = names.words(from, &text);
        }
    }
}

/// A name in each place of a reason that has one. Nothing else says what is a name.
fn reasons() -> Vec<Why> {
    let some = |text: &str| Some(Arc::<str>::from(text));
    vec![
        Why::Sentence("Wagenknecht6 is full".into()),
        Why::Volume { mount: some("E:\\Wagenknecht\\"), free_pct: 1.0 },
        Why::Database { name: some("Wagenknecht7"), state: "SUSPECT".into(), more: 0 },
        Why::Replica {
            database: some("Wagenknecht8"),
            replica: some("Wagenknecht9"),
            trouble: Trouble::Suspended,
            more: 0,
        },
        Why::Jobs { failed: 1, name: some("Wagenknecht10"), at: None },
    ]
}

/// A name in each place of an event that has one.
fn events() -> Vec<What> {
    let some = |text: &str| Some(Arc::<str>::from(text));
    let change = |what, name, before, after| Change { what, name, before, after };
    vec![
        What::Sentence("database Wagenknecht; payroll -> new is new".into()),
        What::Note("Mira says Wagenknecht is slow".into()),
        What::Blocking {
            victims: 3,
            head: 88,
            resource: some("KEY Wagenknecht.dbo.pay"),
            lost_ms: 9000,
            on: Some(Awaited {
                kind: "DATABASE".into(),
                database: some("Wagenknecht"),
                object: some("Wagenknecht.pay"),
            }),
        },
        What::Health {
            before: Level::Ok,
            after: Level::Critical,
            reasons: vec!["Wagenknecht is suspect".into(), "log of 'Wagenknecht' is full".into()],
        },
        What::Lost(Failure::new(FailureKind::Login, "login to Wagenknecht failed")),
        What::Changes(vec![
            change(Subject::Database, some("Wagenknecht"), None, some("ONLINE")),
            change(Subject::Database, some("Wagenknecht"), some("ONLINE"), None),
            change(Subject::ServerName, None, some("Wagenknecht"), some("Wagenknecht2")),
            change(Subject::Machine, None, some("Wagenknecht3"), some("Wagenknecht")),
            change(Subject::Setting, some("x"), some("Wagenknecht"), some("Wagenknecht")),
        ]),
        What::Incident(vec!["Wagenknecht is offline".into()]),
        What::Verdict { before: Level::Ok, after: Level::Critical, reasons: reasons() },
        What::Kept(reasons().into_iter().map(Cause::Verdict).collect()),
        What::Kept(vec![
            Cause::ByHand,
            Cause::Level(Level::Critical),
            Cause::Note("Mira says Wagenknecht4 is slow".into()),
            Cause::Sentence("Wagenknecht5 is offline".into()),
        ]),
        What::Deadlocks(2),
        What::Reported {
            count: 2,
            kind: "key lookup".into(),
            fingerprint: 7,
            objects: vec!["Wagenknecht.dbo.t".into()],
            session_id: Some(62),
            login: some("Wagenknecht"),
        },
        What::Gap(60_000),
    ]
}

/// The data are searched, not a sentence: no wording can bring a name back.
#[test]
fn no_name_is_left_in_an_event_whatever_its_sentence() {
    let mut events = events();
    let mut names = Names::default();
    for event in &mut events {
        each_field_of_event(event, &mut |field, text| {
            if let Field::Name(kind) = field {
                names.learn(kind, text);
            }
        });
    }
    for event in &mut events {
        each_field_of_event(event, &mut |field, text| {
            *text = match field {
                Field::Name(kind) => names.name(kind, text),
                Field::Words(from) => names.words(from, text),
                Field::Message => "(left out)".into(),
            };
        });
        let data = format!("{event:?}").to_lowercase();
        assert!(!data.contains("wagenknecht"), "{data}");
    }
    assert_eq!(events[0].to_string(), "(left out)", "nobody can tell what is a name in an old sentence");
    assert!(events[5].to_string().starts_with("database database-1 is new; database database-1 is gone; "));
}

#[test]
fn both_parts_of_a_login_are_names_and_numbers_and_signs_are_none() {
    let mut names = Names::default();
    names.learn(Kind::Login, "eve@shop.example");
    names.learn(Kind::Login, "FINANCE\\maria");
    names.learn(Kind::Instance, "2024");
    names.learn(Kind::Volume, "E:\\");
    for (text, wanted) in [
        ("asked by Eve", "asked by login-1"),
        ("asked by maria of finance", "asked by login-2 of domain-2"),
        ("shop.example is down", "domain-1 is down"),
        ("since 2024 there are 2024 rows", "since 2024 there are 2024 rows"),
        ("E:\\data is full, and so is E:\\", "volume-1data is full, and so is volume-1"),
        ("@p1 is NULL, and p1@ is not", "@p1 is NULL, and p1@ is not"),
    ] {
        assert_eq!(&*names.words(Where::Ours, text), wanted, "{text}");
    }
    assert_eq!(&*names.name(Kind::Instance, "2024"), "instance-1", "in its own field it is a name");
}
