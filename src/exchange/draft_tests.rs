//! Tests of drafts: addresses in every form, logins, fields that depend on others, errors by field.

use super::*;
use crate::{
    exchange::{column, set_text},
    model::base::secret::Secret,
};

fn draft(pairs: &[(&str, &str)]) -> Draft {
    let mut draft = Draft::default();
    for (name, text) in pairs {
        let column = column(name).unwrap();
        if let Some(value) = set_text(column, text).unwrap() {
            draft.add(column, value).unwrap();
        }
    }
    draft
}

fn record(pairs: &[(&str, &str)]) -> InstanceRecord {
    draft(pairs).record(None).unwrap()
}

fn mistake(pairs: &[(&str, &str)]) -> String {
    draft(pairs).record(None).err().unwrap().to_string()
}

#[test]
fn the_least_that_is_needed() {
    let record = record(&[("server", r"db1\SALES,1444"), ("login", "watcher")]);
    assert_eq!(record.name, r"db1\SALES,1444");
    assert_eq!(
        (record.host.as_str(), record.instance.as_deref(), record.port),
        ("db1", Some("SALES"), Some(1444))
    );
    assert!(record.auth == Auth::Sql { user: "watcher".into(), secret: SecretRef::Ask });
    assert_eq!(record.tls.check, TlsCheck::Verify);
}

#[test]
fn mistakes_name_the_field() {
    let host = ("host", "h");
    let user = ("user", "u");
    for (pairs, start) in [
        (vec![user], "host: is missing"),
        (vec![host], "user: no login"),
        (vec![host, user, ("port", "0")], "port: must be"),
        (vec![host, user, ("port", "70000")], "port: must be"),
        (vec![("host", "h,1"), user, ("port", "2")], "port: differs"),
        (vec![host, user, ("tls", "off")], "tls: dbtop does not save"),
        (vec![host, user, ("tls", "pin")], "tls_pin: tls = pin needs"),
        (vec![host, user, ("tls_pin", "abc")], "tls.pin: a fingerprint is"),
        (vec![host, ("auth", "magic")], "auth: must be sql"),
        (vec![host, ("password", "x")], "user: there is a password"),
        (vec![host, user, ("every", "5")], "every_s: must be 30"),
        (vec![host, user, ("groups", "a\u{7}")], "groups: "),
    ] {
        let found = mistake(&pairs);
        assert!(found.starts_with(start), "{found}");
    }
}

#[test]
fn two_places_for_one_password_are_refused() {
    let mut d = draft(&[("host", "h"), ("user", "u"), ("password", "hunter2")]);
    let column = column("password_env").unwrap();
    let problem = d.add(column, set_text(column, "PW").unwrap().unwrap()).err().unwrap().to_string();
    assert!(problem.contains("second time") && !problem.contains("hunter2"), "{problem}");
}

#[test]
fn an_edit_leaves_what_it_does_not_mention() {
    let stored = |text: &str| SecretRef::Stored(Secret::new(text.into()));
    let mut old = record(&[("name", "a"), ("host", "h"), ("port", "1500"), ("user", "u"), ("notes", "n")]);
    old.auth = Auth::Sql { user: "u".into(), secret: stored("p") };
    let edit = |pairs: &[(&str, &str)]| draft(pairs).over(&Draft::of(&old)).record(None).unwrap();
    assert!(edit(&[]) == old);
    let noted = edit(&[("notes", "m"), ("user", "u")]);
    assert!(noted.notes == "m" && noted.auth == old.auth && noted.port == Some(1500));
    assert_eq!(edit(&[("host", "h2")]).port, None, "the port of another host is another one");
    assert!(edit(&[("user", "v")]).auth == Auth::Sql { user: "v".into(), secret: SecretRef::Ask });
    assert!(edit(&[("auth", "kerberos")]).auth == Auth::Kerberos);
    assert_eq!(edit(&[("host", "h,1600")]).port, Some(1600));
}

#[test]
fn everything_survives_the_way_through_a_draft() {
    let mut all = record(&[
        ("name", "a"),
        ("host", "h"),
        ("port", "1"),
        ("instance", "i"),
        ("database", "d"),
        ("auth", "ntlm"),
        ("user", r"D\u"),
        ("password", "p"),
        ("action_auth", "entra"),
        ("action_password_command", "c"),
        ("ca_file", "/ca"),
        ("host_in_certificate", "c"),
        ("read_only_intent", "yes"),
        ("multi_subnet_failover", "1"),
        ("every_s", "60"),
        ("probes_off", "a;b"),
        ("databases_in", "x"),
        ("databases_out", "y"),
        ("running", "no"),
        ("maintenance_until", "2026-11-21T22:00:00Z"),
        ("notes", "n"),
        ("groups", "g; h"),
        ("labels", "k=v; l=w=x"),
    ]);
    all.tls.check = TlsCheck::Pin("ab".repeat(32));
    assert!(Draft::of(&all).record(None).unwrap() == all);
    assert_eq!(all.labels["l"], "w=x");
    assert_eq!(all.poll.maintenance_until.map(Timestamp::ms), Some(1_795_298_400_000));
}

#[test]
fn stored_passwords_are_written_only_if_asked() {
    let d = draft(&[
        ("host", "h"),
        ("user", "u"),
        ("password", "p"),
        ("action_user", "v"),
        ("action_password_env", "E"),
    ]);
    let names = |secrets| d.cells(secrets).map(|(c, _)| c.name).collect::<Vec<_>>();
    assert_eq!(names(Secrets::Leave), ["host", "user", "action_user", "action_password_env"]);
    assert!(names(Secrets::Write).contains(&"password"));
}
