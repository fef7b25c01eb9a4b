//! The wizard, the forms for one and for many instances, and removal, from the user's side: type, read the screen, and look
//! at what is asked of the inventory service. Its answers are played.

use crate::{fixture, stage::Stage};
use dbtop::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            secret::Secret,
            time::Timestamp,
        },
        fold::snapshot::FleetSnapshot,
        inventory::{
            check::{Certificate, ConnectionReport, ServerFacts, Step, TlsFacts},
            doctor::{Diagnosis, Hole, Right},
            instance::{Fingerprint, InstanceId},
            record::{Auth, InstanceRecord, SecretRef, TlsCheck},
            tls::TlsRefusal,
        },
    },
    protocol::{Effect, FormData, InventoryRequest, Refusal, Reply, VaultState},
};

mod bulk;
mod test;
mod typing;

/// What the screen asked of the inventory service since the last time.
fn asked(stage: &mut Stage) -> Vec<InventoryRequest> {
    let effects = stage.app.take_effects().into_iter();
    effects.filter_map(|e| if let Effect::Inventory(request) = e { Some(*request) } else { None }).collect()
}

fn vault(to: &mut Stage, state: VaultState) {
    to.app.reply(Reply::Vault { tenant: "acme".to_owned(), state });
}

/// A screen with an open vault.
fn open(snapshot: FleetSnapshot) -> Stage {
    let mut stage = Stage::new(snapshot, 120, 40);
    vault(&mut stage, VaultState::Open);
    asked(&mut stage);
    stage
}

/// What the inventory service says of an inventory with these instances.
fn data(of: Vec<InstanceRecord>) -> Reply {
    let names = ["sqlprd-014", "sqlprd-003", "sales-9"].map(str::to_owned).to_vec();
    Reply::Form(Box::new(FormData {
        of: of.into_iter().map(|record| (record, 7)).collect(),
        names,
        groups: vec!["prod".to_owned(), "web".to_owned(), "reporting".to_owned()],
        labels: vec!["env=prod".to_owned(), "team=blue".to_owned()],
    }))
}

/// The wizard for a new instance.
fn wizard() -> Stage {
    let mut stage = open(fixture::small());
    stage.keys("+");
    assert!(matches!(asked(&mut stage).as_slice(), [InventoryRequest::Form(ids)] if ids.is_empty()));
    stage.app.reply(data(Vec::new()));
    stage
}

/// The wizard with all that must be typed, at the last step but one.
fn filled() -> Stage {
    let mut stage = wizard();
    stage.keys("sales-1 tab db1.example tab 1444 ctrl-n");
    stage.keys("tab dbtop tab tab s3cret! ctrl-n ctrl-n");
    stage
}

/// A record as the inventory service returns it to a form: its password is empty.
fn record(name: &str) -> InstanceRecord {
    let secret = SecretRef::Stored(Secret::new(String::new()));
    let mut record = InstanceRecord::new(name, "db9", Auth::Sql { user: "watcher".to_owned(), secret });
    record.port = Some(1433);
    record.groups = vec!["prod".to_owned()];
    record.labels.insert("env".to_owned(), "prod".to_owned());
    record.notes.push_str("old");
    record
}

/// The ticket of the test that was asked for, and what is to be tested.
fn tested(stage: &mut Stage) -> (u64, InstanceRecord) {
    let found = asked(stage).into_iter().find_map(|request| match request {
        InventoryRequest::Test { ticket, record, .. } => Some((ticket, *record)),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no test was asked for\n{}", stage.text()))
}

fn certificate() -> Certificate {
    Certificate {
        subject: "CN=db1.example".into(),
        issuer: "CN=Example Authority".into(),
        names: vec!["db1.example".into()],
        not_before: Some(Timestamp::from_ms(1_700_000_000_000)),
        not_after: Some(Timestamp::from_ms(1_900_000_000_000)),
        fingerprint: Fingerprint([0xAB; 32]),
        key: "RSA 2048".into(),
        ..Certificate::unreadable()
    }
}

fn passed() -> ConnectionReport {
    let mut report = ConnectionReport::new(InstanceId::new("sales-1"), "db1.example,1444".into());
    report.name = Step::Done(vec!["10.0.0.7:1444".parse().unwrap()]);
    report.tcp = Step::Done(3);
    let facts = TlsFacts {
        version: "TLS 1.2".into(),
        cipher: "ECDHE_RSA_AES_256".into(),
        certificate: Some(certificate()),
    };
    report.tls = Step::Done(Some(facts));
    report.certificate = Some(certificate());
    report.login = Step::Done(12);
    report.server = Step::Done(ServerFacts {
        version: Some("16.0.4185.3".into()),
        edition: Some("Enterprise Edition".into()),
        ..ServerFacts::default()
    });
    report.latency = Step::Done(800);
    report.skew = Step::Done(-12);
    report
}

/// TLS fails, and the server has shown this certificate.
fn untrusted() -> ConnectionReport {
    let mut report = passed();
    report.tls = Step::Failed(Failure::new(FailureKind::Tls, "the issuer is not trusted"));
    report.refusal = Some(TlsRefusal::UnknownIssuer);
    report.login = Step::NotReached;
    report.server = Step::NotReached;
    report.latency = Step::NotReached;
    report.skew = Step::NotReached;
    report
}

fn login_refused() -> ConnectionReport {
    let mut report = passed();
    report.login = Step::Failed(Failure::new(FailureKind::Login, "Login failed for user 'dbtop'."));
    report.server = Step::NotReached;
    report.latency = Step::NotReached;
    report.skew = Step::NotReached;
    report
}

/// A login that lacks one right.
fn one_hole() -> Diagnosis {
    Diagnosis {
        instance: InstanceId::new("sales-1"),
        login: "dbtop".into(),
        rows: Vec::new(),
        holes: vec![Hole {
            closes: vec![Right::Performance],
            name: "VIEW SERVER STATE",
            panes: vec!["waits", "activity"],
            lost: "waits and sessions of others".into(),
            script: "GRANT VIEW SERVER STATE TO [dbtop];\nGO\n".into(),
        }],
    }
}

fn answer(stage: &mut Stage, ticket: u64, report: ConnectionReport, holes: Option<Diagnosis>) {
    stage.app.reply(Reply::Tested { ticket, report: Box::new(report), rights: holes.map(Ok) });
}

/// What was asked to be saved.
fn saved(stage: &mut Stage) -> Option<(InstanceRecord, Option<(InstanceId, u64)>)> {
    asked(stage).into_iter().find_map(|request| match request {
        InventoryRequest::Save { record, of, .. } => Some((*record, of)),
        _ => None,
    })
}

fn refuse(stage: &mut Stage, field: Option<&'static str>, words: &str) {
    stage.app.reply(Reply::Saved(Err(Refusal { field, words: words.to_owned() })));
}

fn password(record: &InstanceRecord) -> &str {
    record.secrets().next().map_or("", Secret::reveal)
}

fn pin(record: &InstanceRecord) -> Option<&str> {
    match &record.tls.check {
        TlsCheck::Pin(print) => Some(print),
        _ => None,
    }
}
