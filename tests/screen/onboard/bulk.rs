//! Many at once: which ones, what would change in words, and the number that must be typed; and removal.

use super::*;
use crate::fixture;
use dbtop::model::inventory::record::BulkChange;

/// Three marked instances, of which one is insecure and all are production.
fn three() -> Stage {
    let mut s = open(fixture::small());
    s.keys("space space space i");
    assert!(matches!(asked(&mut s).as_slice(), [InventoryRequest::Form(ids)] if ids.len() == 3));
    let mut of: Vec<_> = ["sqlprd-014", "sqlprd-003", "sqlrep-001"].map(record).into();
    of[2].tls.check = TlsCheck::Insecure;
    of[1].groups.clear();
    s.app.reply(data(of));
    s
}

/// The change that was asked for, and of how many.
fn change(stage: &mut Stage) -> Option<(BulkChange, usize)> {
    asked(stage).into_iter().find_map(|request| match request {
        InventoryRequest::Bulk { ids, change } => Some((*change, ids.len())),
        _ => None,
    })
}

#[test]
fn the_form_says_which_instances_and_shows_the_insecure_one_in_red() {
    let mut s = three();
    let text = s.text();
    assert!(
        text.contains("Change 3 instances") && text.contains("sqlprd-003  sqlrep-001 ! TLS insecure"),
        "{text}"
    );
    assert_eq!(s.colour_of("sqlrep-001 ! TLS"), crate::stage::theme("dark").critical.fg);
    assert_ne!(s.colour_of("sqlprd-003"), crate::stage::theme("dark").critical.fg);
}

#[test]
fn what_would_change_is_told_and_only_the_number_does_it() {
    let mut s = three();
    s.keys("prod tab tab team=red tab env tab 120 tab default tab s s tab 2h ctrl-n");
    let text = s.text();
    for shown in [
        "join prod",
        "label team=red",
        "take off the label env",
        "poll every 2m00s",
        "poll the details as often as configured",
        "stop polling",
        "maintenance until 2026-11-20 16:02:11 UTC",
        "of them are production.",
        "Change 3 instances?",
        "Type 3 and Enter",
    ] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    s.keys("enter yes enter");
    assert!(change(&mut s).is_none() && s.text().contains("that is not it"), "{}", s.text());
    s.keys("ctrl-u 3 enter");
    let (done, n) = change(&mut s).unwrap();
    assert_eq!((n, done.join.as_slice(), done.label["team"].as_str()), (3, &["prod".to_owned()][..], "red"));
    assert_eq!((done.every_s, done.detail_every_s, done.running), (Some(Some(120)), Some(None), Some(false)));
    assert!(done.auth.is_none() && done.unlabel == ["env"]);
    s.app.reply(Reply::Saved(Ok("changed 3 instances".to_owned())));
    assert!(
        s.text().contains("changed 3 instances") && !s.text().contains("Take labels off"),
        "{}",
        s.text()
    );
}

#[test]
fn mistakes_and_empty_changes_go_no_further() {
    let mut s = three();
    s.keys("ctrl-n");
    assert!(s.text().contains("nothing to change yet"), "{}", s.text());
    s.keys("tab tab env=prod ctrl-n");
    assert!(s.text().contains("nothing to change: all 3 are so already"), "{}", s.text());
    s.keys("up ws tab down colour tab ctrl-n");
    let text = s.text();
    assert!(
        text.contains("none of them is in ws") && text.contains("none of them has the label colour"),
        "{text}"
    );
    s.keys("ctrl-u down down ctrl-u up");
    s.keys("ctrl-u team tab tab 5 tab ctrl-n");
    let text = s.text();
    assert!(text.contains("write key=value") && text.contains("must be 30 to 3600, or default"), "{text}");
    assert!(!text.contains("Change 3 instances?"), "{text}");
}

#[test]
fn those_that_are_so_already_are_counted() {
    let mut s = three();
    s.keys("prod ctrl-n");
    assert!(s.text().contains("2 of them are so already."), "{}", s.text());
}

#[test]
fn a_login_is_changed_for_all_of_them() {
    let mut s = three();
    s.keys("up down down down down down down down down sql tab watcher tab tab");
    s.keys("n3w! ctrl-n");
    let text = s.text();
    assert!(
        text.contains("log in as watcher (sql), with the password that was typed") && !text.contains("n3w!"),
        "{text}"
    );
    s.keys("3 enter");
    let (done, _) = change(&mut s).unwrap();
    let auth = done.auth.unwrap();
    assert!(auth.user() == Some("watcher"));
    assert!(matches!(auth.secret(), Some(SecretRef::Stored(secret)) if secret.reveal() == "n3w!"));
}

#[test]
fn a_refusal_comes_back_to_the_form() {
    let mut s = three();
    s.keys("tab tab x=y ctrl-n 3 enter");
    assert!(change(&mut s).is_some());
    refuse(&mut s, Some("labels"), "that label cannot be");
    let text = s.text();
    assert!(text.contains("✖ Set labels") && text.contains("that label cannot be"), "{text}");
}

#[test]
fn esc_goes_back_and_asks_before_it_throws_away() {
    let mut s = three();
    s.keys("prod ctrl-n esc");
    assert!(s.text().contains("Join groups"), "{}", s.text());
    s.keys("esc");
    assert!(s.text().contains("Throw away what you typed?"), "{}", s.text());
    s.keys("y");
    assert!(!s.text().contains("Join groups") && asked(&mut s).is_empty());
}

#[test]
fn one_mark_is_one_instance() {
    let mut s = open(fixture::small());
    s.keys("down space home i");
    assert!(
        matches!(asked(&mut s).as_slice(), [InventoryRequest::Form(ids)] if ids[0].as_str() == "sqlprd-003")
    );
}

#[test]
fn a_cursor_in_the_groups_is_on_no_instance() {
    let mut s = open(fixture::small());
    s.keys("tab D");
    assert!(s.text().contains("which instance?"), "{}", s.text());
    s.keys("i");
    assert!(asked(&mut s).is_empty());
}

#[test]
fn a_production_instance_is_removed_by_its_name_only() {
    let mut s = open(fixture::small());
    s.keys("D");
    let text = s.text();
    assert!(
        text.contains("Remove from the inventory: sqlprd-014") && text.contains("It is production."),
        "{text}"
    );
    s.keys("yes enter");
    assert!(asked(&mut s).is_empty());
    s.keys("ctrl-u sqlprd-014 enter enter");
    assert!(
        matches!(asked(&mut s).as_slice(), [InventoryRequest::Remove(ids)] if ids[0].as_str() == "sqlprd-014"),
        "once"
    );
    s.app.reply(Reply::Saved(Ok("removed sqlprd-014".to_owned())));
    assert!(s.text().contains("removed sqlprd-014") && !s.text().contains("Remove from"), "{}", s.text());
}

#[test]
fn others_by_yes_and_several_by_their_number() {
    let mut s = open(fixture::small());
    s.keys("/ tst enter");
    s.keys(": remove enter");
    assert!(s.text().contains("Type yes and Enter"), "{}", s.text());
    s.keys("esc");
    assert!(asked(&mut s).is_empty() && !s.text().contains("Type yes"));
    s.keys("esc home ctrl-space end ctrl-space D");
    let text = s.text();
    assert!(text.contains("Type 8 and Enter") && text.contains("of them are production"), "{text}");
    s.keys("8 enter");
    assert!(matches!(asked(&mut s).as_slice(), [InventoryRequest::Remove(ids)] if ids.len() == 8));
    refuse(&mut s, None, "the disk is full");
    assert!(s.text().contains("the disk is full"), "{}", s.text());
}
