//! `--scrub`: of what is handed on nothing can be read that names a machine, a person, a database or a value, neither in the
//! page nor in the recording; and what is the same before is the same after.

use super::{
    cli::dbtop,
    export::{incident, well_formed},
};
use crate::world::{LONG, Stage, at, info, name, uid};
use dbtop::{
    model::{
        base::time::Timestamp,
        judge::{
            health::{Health, Level, Reason, Topic},
            why::{Trouble, Why},
        },
        poll::{
            State,
            activity::Request,
            blocking::{BlockNode, Blocking, Chain},
            databases::DatabaseRow,
            id::ProbeId,
            resource::Resource,
            space::Grown,
        },
        timeline::{
            event::Cause,
            record::{Record, Recorded},
        },
    },
    store::history::{Engine, Event, EventFilter, Options, Reader},
};
use std::{collections::BTreeSet, fmt::Write as _, path::Path, sync::Arc};

/// Names, addresses and values that are in the source, in small letters.
const SECRETS: &[&str] = &[
    "sqlprd-00",
    "sqlprd",
    "uid-sqlprd",
    "db.example",
    "web-07",
    "10.1.4.7",
    "svc_web",
    "corp\\",
    "kim.weber",
    "weber",
    "orderservice",
    "gehaltsdb",
    "192.168.77.12",
    "svc_dbtop_ro",
    "hidden.example",
    "db9",
    "kowalski",
    "4929123412341234",
    "secret-token-77",
    "ask bob",
    "evil.example",
    "north-",
];

/// Everything that a recording holds, as text.
fn all_of(path: &Path) -> String {
    let mut reader = Reader::open(path, None).unwrap();
    let mut out = String::new();
    for info in reader.instances().all().unwrap() {
        write!(out, "{info:?} ").unwrap();
        let mut kept = reader.states().at(std::slice::from_ref(&info.uid), at(0)).unwrap().kept;
        kept.extend(reader.states().between(&info.uid, at(-10), at(99_999)).unwrap().kept);
        for kept in kept {
            write!(out, "{:?} ", kept.info).unwrap();
            out.push_str(&serde_json::to_string(&kept.what).unwrap());
            kept.what.each_statement(&mut |statement| {
                out.push_str(&statement.text.batch);
                out.push('\n');
            });
        }
        for key in reader.charts().series_of(&info.uid).unwrap() {
            write!(out, "{key:?} ").unwrap();
        }
    }
    for event in reader.events().list(&EventFilter::default(), at(-10), at(99_999)).unwrap() {
        write!(out, "{event:?} ").unwrap();
        if let Some(id) = event.episode.as_ref().and_then(|episode| episode.text) {
            out.push_str(&reader.text(id).unwrap().unwrap().batch);
        }
    }
    out
}

fn assert_clean(what: &str, text: &str) {
    assert_without(SECRETS, what, text);
}

fn assert_without(secrets: &[&str], what: &str, text: &str) {
    let small = text.to_lowercase();
    let small = small.replace("\\\\", "\\");
    for secret in secrets {
        if let Some(at) = small.find(secret) {
            let around: String = small[at.saturating_sub(60)..].chars().take(160).collect();
            assert!(around.is_empty(), "{what} tells {secret}: {around}");
        }
    }
}

#[test]
fn nothing_that_names_anybody_leaves_the_house() {
    let stage = Stage::new();
    incident(&stage.path());
    let small = all_of(&stage.path()).to_lowercase().replace("\\\\", "\\");
    for secret in SECRETS {
        assert!(small.contains(secret), "the source must tell {secret}, or this test shows nothing");
    }
    let home = stage.folder.path().join("home");
    let page_file = stage.folder.path().join("night.html");
    let (history, page) = (stage.path().display().to_string(), page_file.display().to_string());
    let (output, _, err) = dbtop(
        &home,
        &[
            "export",
            "incident",
            "--history",
            &history,
            "--scrub",
            "--out",
            &page,
            "--from",
            "2026-10-01 01:00",
            "--to",
            "2026-10-01 01:30",
        ],
    );
    assert!(output.status.success(), "{err}");
    assert!(err.contains("were replaced"), "{err}");

    let html = std::fs::read_to_string(&page_file).unwrap();
    let text = well_formed(&html);
    assert_clean("the page", &html);
    assert_clean("the text of the page", &text);
    let recording = page_file.with_extension("dbtop");
    assert_clean("the recording", &all_of(&recording));
    let bytes: Vec<u8> = std::fs::read(&recording).unwrap();
    assert_clean("the bytes of the recording", &String::from_utf8_lossy(&bytes));

    // The page is still of use: the same names are the same, and the statement is still there.
    for wanted in [
        "instance-1",
        "login-",
        "host-",
        "database-",
        "Free on volume-1 ",
        "Heaviest wait types",
        "KEY dbo.orders.pk_orders",
        "UPDATE dbo.[orders] SET note = N'?' WHERE card = ?",
    ] {
        assert!(text.contains(wanted), "no {wanted}: {text}");
    }
    let mut reader = Reader::open(&recording, None).unwrap();
    assert!(reader.check().unwrap().is_clean());
    let logins = |reader: &mut Reader, uid: &str, when: Timestamp| -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for kept in reader.states().at(&[uid.into()], when).unwrap().kept {
            if let Recorded::Reading { state: Ok(State::Blocking(b)), .. } = &kept.what {
                let nodes = b.chains.iter().flat_map(|chain| &chain.nodes);
                found.extend(nodes.filter_map(|node| node.request.login.as_deref().map(str::to_owned)));
            }
        }
        found
    };
    let shown: Vec<_> = reader.instances().all().unwrap();
    let first = shown.iter().find(|info| info.id.as_str() == "instance-1").unwrap();
    let clean = logins(&mut reader, &first.uid, at(4700));
    assert_eq!(clean.len(), 1, "one login before, one after: {clean:?}");
    let login = clean.first().unwrap();
    assert!(text.contains(&format!("({login} on host-")), "the reason names the same login {login}: {text}");
    assert!(text.contains(" · (left out)"), "any word of a note may be a name: {text}");
    let mut source = Reader::open(&stage.path(), None).unwrap();
    assert_eq!(logins(&mut source, &uid(&name(0)), at(4700)).len(), 1);
}

/// Names that only events have, once the states of their time are gone.
const OF_EVENTS: &[&str] = &[
    "sqlprd",
    "payroll",
    "lohnkonto",
    "umsatz",
    "sqldr-77",
    "nachtlauf",
    "stammdaten",
    "altbestand",
    "kundenakte",
    "archivdb",
    "mira",
];

/// A volume that fills, with what grew on it.
fn filling() -> Why {
    let (database, file) = (Some("Kundenakte".into()), Some("Kundenakte_log".into()));
    let grown = Some(Grown { database, file, by_kb: 1 << 20, more: 0 });
    Why::VolumeFilling { mount: Some("E:\\Payroll\\".into()), full_in_ms: 3_600_000, free_pct: 9.0, grown }
}

/// A night of warnings, of which each says a name.
fn warnings(path: &Path) {
    let some = |text: &str| Some(Arc::<str>::from(text));
    let health = |level, whys: Vec<(Topic, Why)>| Recorded::Health {
        health: Health {
            score: Some(70),
            level,
            reasons: whys.into_iter().map(|(topic, why)| Reason::new(level, topic, 20, why)).collect(),
        },
        polled: true,
    };
    let replica = Why::Replica {
        database: some("Umsatz"),
        replica: some("SQLDR-77"),
        trouble: Trouble::Behind(45),
        more: 0,
    };
    let whys = vec![
        (Topic::Storage, Why::Volume { mount: some("E:\\Payroll\\"), free_pct: 4.0 }),
        (Topic::Storage, filling()),
        (Topic::Databases, Why::Database { name: some("Lohnkonto"), state: "SUSPECT".into(), more: 2 }),
        (Topic::Availability, replica),
        (Topic::Jobs, Why::Jobs { failed: 1, name: some("Nachtlauf"), at: Some(at(4500)) }),
    ];
    let node = |session_id, depth: u16| BlockNode {
        request: Request { session_id, ..Request::default() },
        depth,
        parent: (depth > 0).then_some(0),
        last_child: false,
        victims: u32::from(depth == 0),
        resource: Some(Resource {
            kind: "DATABASE".into(),
            database: some("Stammdaten"),
            ..Resource::default()
        }),
        statement: None,
        statement_is_last: false,
        cycle_cut: false,
    };
    let chain = Chain {
        nodes: vec![node(88, 0), node(101, 1)],
        victims: 1,
        max_wait_ms: 9000,
        lost_ms: 9000,
        depth: 1,
    };
    let blocking = Blocking { chains: vec![chain], cycles_cut: 0 };
    let databases = |name: &str| State::Databases(Arc::new(vec![DatabaseRow::in_state(9, name, "ONLINE")]));
    let told = |second, what| Record { info: info(&name(0)), at: at(second), what };
    let read =
        |second, probe, state| told(second, Recorded::Reading { probe, every_ms: 30_000, state: Ok(state) });
    let mut engine = Engine::open(path, None, Options::default()).unwrap();
    engine.take(vec![
        told(4400, health(Level::Ok, Vec::new())),
        read(4400, ProbeId::Databases, databases("Altbestand")),
        told(4500, health(Level::Warning, whys.clone())),
        read(4500, ProbeId::Databases, databases("ArchivDB")),
        read(4500, ProbeId::Blocking, State::Blocking(Arc::new(blocking))),
        read(4530, ProbeId::Blocking, State::Blocking(Arc::default())),
        // It lasted.
        told(4530, health(Level::Warning, whys)),
        // An incident keeps the states of its own stretch: this one has none.
        Record { info: info(&name(1)), at: at(0), what: health(Level::Ok, Vec::new()) },
    ]);
    let of = |why: Why| Cause::Verdict(why);
    let suspect = Why::Database { name: some("Lohnkonto"), state: "SUSPECT".into(), more: 0 };
    engine.note(Event::incident(uid(&name(1)), at(5000), of(suspect)));
    engine.note(Event::incident(uid(&name(1)), at(5010), Cause::Note("Mira: Stammdaten?".into())));
    engine.note(Event::bookmark(Some(uid(&name(0))), at(4600), "Mira says that Lohnkonto is slow"));
    engine.commit().unwrap();
    engine.seal(at(86_400), LONG).unwrap();
    engine.clean_up(at(60 * 86_400), LONG).unwrap();
    engine.close().unwrap();
}

#[test]
fn names_in_events_go_though_no_state_tells_them_any_more() {
    let stage = Stage::new();
    warnings(&stage.path());
    let mut source = Reader::open(&stage.path(), None).unwrap();
    for n in 0..2 {
        assert!(source.states().at(&[uid(&name(n))], at(9000)).unwrap().kept.is_empty(), "states are gone");
        assert!(source.states().between(&uid(&name(n)), at(0), at(9000)).unwrap().kept.is_empty());
    }
    drop(source);
    let small = all_of(&stage.path()).to_lowercase();
    for name in OF_EVENTS {
        assert!(small.contains(name), "the source must tell {name}, or this test shows nothing");
    }
    let page_file = stage.folder.path().join("night.html");
    let (history, page) = (stage.path().display().to_string(), page_file.display().to_string());
    let args = ["export", "incident", "--history", &history, "--scrub", "--out", &page];
    let range = ["--from", "2026-10-01 01:00", "--to", "2026-10-01 01:30"];
    let (output, _, err) = dbtop(&stage.folder.path().join("home"), &[&args[..], &range].concat());
    assert!(output.status.success(), "{err}");
    assert!(err.contains("no states are kept of that time") && err.contains("notes"), "{err}");

    let html = std::fs::read_to_string(&page_file).unwrap();
    let text = well_formed(&html);
    let recording = page_file.with_extension("dbtop");
    let bytes = std::fs::read(&recording).unwrap();
    for (what, told) in [
        ("the page", &html),
        ("the text of the page", &text),
        ("the recording", &all_of(&recording)),
        ("the bytes of the recording", &String::from_utf8_lossy(&bytes).into_owned()),
    ] {
        assert_without(OF_EVENTS, what, told);
    }
    for wanted in [
        "ok → warning: volume volume-1 4 % free; volume volume-1 full in 1h00m, database-",
        "/file-1 grew 1.0 GB; database database-",
        " is SUSPECT, +2; ",
        " on host-",
        " 45 s behind; job failed: job-1 at ",
        "blocked by session 88 on DATABASE database-",
        " is new",
        " is SUSPECT · (left out)",
    ] {
        assert!(text.contains(wanted), "no {wanted:?}: {text}");
    }
}
