//! Recordings and configuration files of an earlier release, in the hands of their user.

use super::cli::dbtop;
use crate::{
    released::{FIRST, assert_told, list, told, unpack},
    world::at,
};
use dbtop::store::history::{EventFilter, Reader};
use serde_json::Value;
use std::fs;

#[test]
fn a_recording_of_the_first_release_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("night.db");
    unpack("night.db", &file);
    let told = told("night");
    for what in ["fleet", "activity", "waits", "blocking"] {
        let args =
            ["once", what, "--replay", file.to_str().unwrap(), "--at", "2026-10-01 01:10", "-o", "json"];
        let (_, out, err) = dbtop(folder.path(), &args);
        assert_eq!(err, "");
        let mut told = told[what].clone();
        // The verdict is judged anew, by the rules and in the words of today.
        let is_verdict = |name: &str| ["reason", "level", "score", "why"].contains(&name);
        told.as_array_mut()
            .unwrap()
            .iter_mut()
            .for_each(|row| row.as_object_mut().unwrap().retain(|name, _| !is_verdict(name)));
        // Every subject has the worst instance first since then; the rows of each are in their order.
        let by_instance = |rows: &mut Value| {
            let rows = rows.as_array_mut().unwrap();
            rows.sort_by_key(|row| row["instance"].as_str().unwrap().to_owned());
        };
        let mut found: Value = serde_json::from_str(&out).unwrap();
        by_instance(&mut told);
        by_instance(&mut found);
        assert_told(&told, &found, what);
    }
}

#[test]
fn a_configuration_of_the_first_release_means_what_it_meant() {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("{FIRST}/config.toml");
    let run = |args: &[&str]| dbtop(folder.path(), &[&["--config", &config], args].concat());
    let (output, out, err) = run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(1), "one warning, of the level of the log: {out}{err}");
    let (_, out, _) = run(&["config", "show", "-o", "json"]);
    let shown: Value = serde_json::from_str(&out).unwrap();
    let told: Value = serde_json::from_slice(&fs::read(format!("{FIRST}/config.json")).unwrap()).unwrap();
    assert!(list(&told).len() > 40);
    for row in list(&told) {
        let found = list(&shown).iter().find(|found| found["option"] == row["option"]);
        assert_eq!(found.map(|found| &found["value"]), Some(&row["value"]), "{}", row["option"]);
    }
}

#[test]
fn an_old_sentence_is_left_out_of_what_is_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    unpack("history.db", &file);
    let page = folder.path().join("night.html");
    let (history, out) = (file.to_str().unwrap(), page.to_str().unwrap());
    let args = ["export", "incident", "--history", history, "--scrub", "--out", out];
    // A database was new at 01:28, says the sentence of an event; Olga called at 00:58, says a note; verdicts have reasons.
    let (output, _, err) = dbtop(
        folder.path(),
        &[&args[..], &["--from", "2026-10-01 00:50", "--to", "2026-10-01 01:40"]].concat(),
    );
    assert!(output.status.success() && err.contains("sentences that an older version kept"), "{err}");
    let html = fs::read_to_string(&page).unwrap();
    let told =
        |text: &str| ["payroll", "Olga", "reason 0 of step"].into_iter().find(|word| text.contains(word));
    assert_eq!((html.contains("(left out)"), told(&html)), (true, None), "{html}");
    let mut reader = Reader::open(&page.with_extension("dbtop"), None).unwrap();
    let events = reader.events().list(&EventFilter::default(), at(3000), at(6000)).unwrap();
    assert!(!events.is_empty() && told(&format!("{events:?}")).is_none(), "{events:?}");
    let uid = reader.instances().all().unwrap().remove(0).uid.clone();
    let states = reader.states().between(&uid, at(3000), at(6000)).unwrap().kept;
    assert!(!states.is_empty() && told(&format!("{states:?}")).is_none(), "{states:?}");
}
