//! The vault by keys: when it locks, what a lock hides, and that late answers do no harm.

use super::small;
use crate::{fixture, stage::Stage};
use dbtop::{
    model::{
        base::failure::{Failure, FailureKind},
        inventory::{
            doctor::{Cell, Diagnosis, Hole, Right, Row},
            instance::InstanceId,
        },
    },
    protocol::{Effect, InventoryRequest, Reply, VaultState},
};

/// A fleet whose inventory is open.
fn open() -> Stage {
    let mut s = small();
    hear(&mut s, VaultState::Open);
    s.app.take_effects();
    s
}

fn hear(s: &mut Stage, state: VaultState) {
    s.app.reply(Reply::Vault { tenant: "acme".to_owned(), state });
}

fn locked(why: Option<&str>) -> VaultState {
    VaultState::Locked { by_passphrase: true, why: why.map(str::to_owned) }
}

fn requests(s: &mut Stage) -> Vec<InventoryRequest> {
    let asked = |effect| match effect {
        Effect::Inventory(request) => Some(*request),
        _ => None,
    };
    s.app.take_effects().into_iter().filter_map(asked).collect()
}

#[test]
fn it_locks_itself_when_nobody_types() {
    let mut s = open();
    s.wait_ms(14 * 60_000);
    s.keys("down");
    s.wait_ms(14 * 60_000);
    assert!(requests(&mut s).is_empty(), "a key puts it off");
    s.wait_ms(2 * 60_000);
    assert!(matches!(requests(&mut s)[..], [InventoryRequest::Lock]));
    hear(&mut s, locked(None));
    assert!(s.text().contains("LOCKED") && s.text().contains("polling goes on"), "{}", s.text());
    s.wait_ms(60 * 60_000);
    assert!(requests(&mut s).is_empty(), "what is locked is not locked again");
}

#[test]
fn a_backup_is_asked_for_by_its_word_and_refused_in_words() {
    let mut s = open();
    s.keys(": backup enter enter");
    assert!(matches!(requests(&mut s)[..], [InventoryRequest::Backup(None)]));
    s.app.reply(Reply::Saved(Ok("backing acme up …".to_owned())));

    hear(&mut s, locked(None));
    s.keys(": backup enter");
    assert!(requests(&mut s).is_empty(), "nothing is open to be backed up");
    assert!(s.text().contains("assphrase"), "it is asked for first: {}", s.text());

    let mut plain = small();
    hear(&mut plain, VaultState::Plain);
    plain.keys(": backup enter");
    assert!(requests(&mut plain).is_empty());
    assert!(plain.text().contains("read-only inventory: `dbtop vault init`"), "{}", plain.text());
}

#[test]
fn a_locked_screen_still_goes_anywhere_but_shows_no_address() {
    let mut s = open();
    s.keys("enter");
    assert!(s.text().contains("sqlprd-014.corp"), "{}", s.text());
    s.keys(": lock enter");
    let asked = requests(&mut s);
    assert!(matches!(asked[..], [InventoryRequest::Audit { .. }, InventoryRequest::Lock]));
    hear(&mut s, locked(None));
    for keys in ["esc", "1", "2", "3", "4", "d", "esc", "1", "enter", "d", "esc"] {
        s.keys(keys);
        assert!(!s.text().contains(".corp"), "after {keys}\n{}", s.text());
    }
    s.keys("1 : fleet enter v");
    assert!(!s.text().contains(".corp"), "{}", s.text());
}

#[test]
fn the_dialog_keeps_what_went_wrong_and_forgets_what_was_typed() {
    let mut s = small();
    hear(&mut s, VaultState::Opening);
    hear(&mut s, locked(None));
    assert!(s.text().contains("Unlock acme"), "at start it asks by itself\n{}", s.text());
    s.keys("enter");
    assert!(s.text().contains("type the passphrase") && requests(&mut s).is_empty());
    s.keys("horse enter");
    let asked = requests(&mut s);
    assert!(matches!(&asked[..], [InventoryRequest::Unlock(Some(typed))] if typed.reveal() == "horse"));
    assert!(s.text().contains("opening") && s.text().contains("•••••"));
    s.keys("more enter");
    assert!(requests(&mut s).is_empty(), "one try at a time");
    hear(&mut s, locked(Some("opens no key slot")));
    assert!(s.text().contains("opens no key slot") && !s.text().contains('•'), "{}", s.text());
    s.keys("esc");
    assert!(!s.text().contains("Unlock acme"));
    // Somebody who said no is not asked again by himself.
    hear(&mut s, VaultState::Opening);
    hear(&mut s, locked(Some("still not")));
    assert!(!s.text().contains("Unlock acme") && s.text().contains("still not"), "{}", s.text());
}

#[test]
fn a_locked_inventory_asks_for_its_key_before_anything_is_added() {
    let mut s = small();
    hear(&mut s, locked(None));
    s.keys("+");
    assert!(s.text().contains("Unlock acme"), "{}", s.text());
}

#[test]
fn a_demo_has_no_vault_and_says_so() {
    let mut s = small();
    for word in ["lock", "unlock"] {
        s.keys(&format!(": {word} enter"));
        assert!(s.text().contains("read-only inventory"), "{word}\n{}", s.text());
        assert!(requests(&mut s).is_empty());
        s.wait_ms(6_000);
    }
}

fn found(lost: &'static [&'static str]) -> Diagnosis {
    let hole = |name: &&'static str| Hole {
        closes: vec![Right::Performance],
        name,
        panes: vec!["waits"],
        lost: "cannot see waits".into(),
        script: format!("GRANT {name} TO [watcher];\nGO\n").into(),
    };
    let cell = if lost.is_empty() { Cell::Held } else { Cell::Missing };
    let mut cells = [Cell::NotUsed; Right::ALL.len()];
    cells[0] = cell;
    Diagnosis {
        instance: InstanceId::new("x"),
        login: "watcher".into(),
        rows: vec![Row { pane: "waits", cells }],
        holes: lost.iter().map(hole).collect(),
    }
}

#[test]
fn the_doctor_lists_the_worst_first_and_copies_scripts() {
    let mut s = open();
    s.keys(": doctor enter");
    let asked = requests(&mut s);
    let [InventoryRequest::Doctor(ids)] = &asked[..] else { panic!("it asks for the scope") };
    let (of, total) = (ids.len(), ids.len());
    assert!(of > 3 && s.text().contains(&format!("0 of {total} examined")), "{}", s.text());
    let down = Err(Failure::new(FailureKind::Unreachable, "tcp: refused"));
    let all = [("well", Ok(found(&[]))), ("down", down), ("poor", Ok(found(&["VIEW SERVER STATE"])))];
    for (n, (name, rights)) in all.into_iter().enumerate() {
        s.app.reply(Reply::Examined { instance: InstanceId::new(name), rights, left: of - n - 1 });
    }
    let text = s.text();
    let at = |name: &str| text.lines().position(|l| l.split_whitespace().any(|w| w == name));
    assert!(at("poor") < at("down") && at("down") < at("well"), "{text}");
    assert!(
        text.contains("3 of")
            && text.contains("1 with missing permissions")
            && text.contains("1 not reached"),
        "{text}"
    );
    assert!(s.selected().contains("poor") && s.selected().contains("▲ missing"), "{}", s.selected());
    s.keys("enter");
    assert!(s.text().contains("GRANT VIEW SERVER STATE") && s.text().contains("cannot see waits"));
    s.keys("y");
    assert_eq!(s.app.take_copies().len(), 1);
    s.keys("esc down down y");
    assert!(s.selected().contains("well") && s.app.take_copies().is_empty());
    assert!(s.text().contains("nothing to copy"), "{}", s.text());
    // A lock closes it: scripts name logins.
    hear(&mut s, locked(None));
    assert!(!s.text().contains("Permission doctor"), "{}", s.text());
}

#[test]
fn another_tenant_starts_at_its_own_fleet() {
    let mut s = open();
    s.keys("enter 2 / x enter");
    assert!(s.text().contains("sqlprd-014") && s.text().contains("/x"));
    s.app.reply(Reply::Vault { tenant: "other".to_owned(), state: VaultState::Opening });
    s.ingest(fixture::empty());
    let text = s.text();
    assert!(text.contains("dbtop  other") && text.contains("Opening the inventory"), "{text}");
    assert!(!text.contains("sqlprd-014") && !text.contains("/x"), "{text}");
}

#[test]
fn a_locked_start_counts_nothing_and_every_change_asks_for_the_passphrase() {
    for key in ["+", "i", "D", "x"] {
        let mut s = small();
        s.ingest(dbtop::model::fold::snapshot::FleetSnapshot { version: 1, ..Default::default() });
        hear(&mut s, locked(None));
        let head = s.lines()[0].clone();
        assert!(head.contains("LOCKED") && !head.contains("LIVE") && !head.contains('●'), "{head}");
        s.ingest(fixture::small());
        assert!(s.lines()[0].contains("LIVE"), "{}", s.lines()[0]);
        s.keys(key);
        if key == "x" {
            s.keys("down down down enter");
        }
        assert!(s.text().contains("Passphrase"), "{key}\n{}", s.text());
    }
}
