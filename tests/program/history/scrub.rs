//! `--scrub`: of what is handed on nothing can be read that names a machine, a person, a database or a value, neither in the
//! page nor in the recording; and what is the same before is the same after.

use super::{
    cli::dbtop,
    export::{incident, well_formed},
};
use crate::world::{Stage, at, name, uid};
use dbtop::{
    model::{base::time::Timestamp, poll::State, timeline::kept::Happened},
    store::history::{EventFilter, Reader},
};
use std::{collections::BTreeSet, fmt::Write as _, path::Path};

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
    let small = text.to_lowercase();
    let small = small.replace("\\\\", "\\");
    for secret in SECRETS {
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
            if let Happened::Reading { state: Ok(State::Blocking(b)), .. } = &kept.what {
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
    assert!(text.contains(&format!("kept by hand for {login}")), "however it is spelled");
    let mut source = Reader::open(&stage.path(), None).unwrap();
    assert_eq!(logins(&mut source, &uid(&name(0)), at(4700)).len(), 1);
}
