//! Typing into the wizard: steps, errors beside their fields, texts that are kept, and the effect of a lock.

use super::*;
use crate::fixture;

#[test]
fn the_steps_stand_as_crumbs_and_what_is_typed_stays() {
    let mut s = wizard();
    let text = s.text();
    assert!(
        text.contains("Add an instance")
            && text.contains("Address  ›  Authentication  ›  TLS  ›  Groups & labels  ›  Test & save"),
        "{text}"
    );
    s.keys("sales-1 tab db1.example ctrl-n");
    assert!(s.text().contains("Password"), "the login step\n{}", s.text());
    s.keys("tab dbtop tab tab s3cret! esc");
    assert!(s.text().contains("db1.example"), "Esc is the step before\n{}", s.text());
    s.keys("ctrl-n");
    let text = s.text();
    assert!(text.contains("dbtop") && text.contains("•••••••"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn a_mistake_shows_beside_its_field_when_it_is_left() {
    let mut s = wizard();
    s.keys("SALES-9");
    assert!(!s.text().contains("is there already"), "not while it is typed");
    s.keys("tab");
    assert!(s.text().contains("✖ Name") && s.text().contains("sales-9 is there already"), "{}", s.text());
    s.keys("db1 tab 70000 tab");
    assert!(s.text().contains("must be 1 to 65535"), "{}", s.text());
    s.keys("ctrl-n");
    assert!(s.text().contains("› Name") || s.text().contains("✖ Name"), "it does not go on\n{}", s.text());
    assert!(s.text().contains("Host") && !s.text().contains("Secret"), "still the first step\n{}", s.text());
    s.keys("ctrl-u sales-1 tab tab ctrl-u 1444 ctrl-n");
    assert!(s.text().contains("Secret"), "mended, it goes on\n{}", s.text());
    s.keys("ctrl-n");
    let text = s.text();
    assert!(text.contains("who logs in?") && text.contains("type the password"), "{text}");
}

#[test]
fn groups_and_labels_know_what_there_is() {
    let mut s = filled();
    assert!(s.text().contains("There are: prod, web, reporting"), "{}", s.text());
    s.keys("rep");
    assert!(s.text().contains("reporting"), "{}", s.text());
    s.keys("right tab");
    assert!(
        s.text().contains("Groups                reporting") || s.text().contains("reporting"),
        "{}",
        s.text()
    );
    s.keys("env tab");
    assert!(s.text().contains("\"env\" is no label: write key=value"), "{}", s.text());
    s.keys("up ctrl-u tea right tab 10 tab");
    assert!(s.text().contains("team=blue") && s.text().contains("must be 30 to 3600"), "{}", s.text());
    s.keys("up ctrl-u 60 ctrl-s save enter");
    let (record, of) = saved(&mut s).unwrap();
    assert_eq!(
        (record.groups.as_slice(), record.labels["team"].as_str()),
        (&["reporting".to_owned()][..], "blue")
    );
    assert_eq!((record.poll.every_s, of), (Some(60), None));
}

#[test]
fn a_pasted_address_is_taken_apart() {
    let mut s = wizard();
    s.keys("tab");
    s.app.paste("tcp:db7.example\\SALES,1500\n");
    let text = s.text();
    assert!(text.contains("the address was taken apart") && !text.contains("tcp:"), "{text}");
    s.keys("ctrl-n");
    s.keys("tab dbtop tab space ctrl-s save enter");
    let (record, _) = saved(&mut s).unwrap();
    assert_eq!(
        (record.host.as_str(), record.instance.as_deref(), record.port),
        ("db7.example", Some("SALES"), Some(1500))
    );
    assert_eq!(record.name, "db7.example", "without a name it is called as its host");
    assert!(matches!(record.auth.secret(), Some(SecretRef::Ask)));
}

#[test]
fn a_typed_address_is_taken_apart_when_it_is_left() {
    let mut s = wizard();
    s.keys("tab db7,1500 tab");
    assert!(s.text().contains("1500") && !s.text().contains("db7,1500"), "{}", s.text());
}

#[test]
fn nothing_typed_is_thrown_away_by_a_key_too_many() {
    let mut s = wizard();
    s.keys("sales esc");
    assert!(s.text().contains("Throw away what you typed?"), "{}", s.text());
    s.keys("esc");
    assert!(!s.text().contains("Throw away") && s.text().contains("sales"), "{}", s.text());
    s.keys("esc esc esc x enter");
    assert!(s.text().contains("Add an instance"), "only y does");
    s.keys("y");
    assert!(!s.text().contains("Add an instance"), "{}", s.text());
    assert!(asked(&mut s).is_empty(), "nothing was sent");
    let mut s = wizard();
    s.keys("esc");
    assert!(!s.text().contains("Add an instance"), "nothing typed, nothing asked");
}

#[test]
fn insecure_is_red_and_says_what_it_means() {
    let mut s = filled();
    s.keys("ctrl-p i");
    let text = s.text();
    assert!(text.contains("Who sits on the line can read the password"), "{text}");
    let red = crate::stage::theme("dark").critical.fg;
    assert_eq!(s.colour_of("TLS insecure"), red);
    assert_eq!(s.colour_of("insecure: the certificate is not checked"), red);
    s.keys("esc");
    assert_eq!(s.colour_of("TLS insecure"), red, "on every step");
}

#[test]
fn a_locked_inventory_is_opened_first_and_the_wizard_follows() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    vault(&mut s, VaultState::Locked { by_passphrase: true, why: None });
    asked(&mut s);
    s.keys(": add enter");
    assert!(s.text().contains("Unlock acme"), "{}", s.text());
    assert!(asked(&mut s).is_empty());
    vault(&mut s, VaultState::Open);
    assert!(matches!(asked(&mut s).as_slice(), [InventoryRequest::Form(ids)] if ids.is_empty()));
    s.app.reply(data(Vec::new()));
    assert!(s.text().contains("Add an instance"), "{}", s.text());
    // Locking closes it: what it shows is sealed.
    vault(&mut s, VaultState::Locked { by_passphrase: true, why: None });
    assert!(!s.text().contains("Add an instance"), "{}", s.text());
}

#[test]
fn what_is_asked_while_the_inventory_is_being_opened_follows() {
    let mut s = Stage::new(fixture::empty(), 120, 40);
    vault(&mut s, VaultState::Opening);
    asked(&mut s);
    s.keys("+");
    assert!(asked(&mut s).is_empty() && s.text().contains("is being opened: this follows"), "{}", s.text());
    vault(&mut s, VaultState::Open);
    assert!(matches!(asked(&mut s).as_slice(), [InventoryRequest::Form(ids)] if ids.is_empty()));
    // And if there is none yet, the question for the first vault.
    let mut s = Stage::new(fixture::empty(), 120, 40);
    vault(&mut s, VaultState::Opening);
    s.keys("+");
    vault(&mut s, VaultState::Absent);
    assert!(s.text().contains("A vault for your instances"), "{}", s.text());
}

#[test]
fn what_is_typed_before_the_form_is_there_goes_into_it() {
    let mut s = open(fixture::small());
    s.keys("+ quick tab db1");
    assert!(!s.app.wants_to_quit() && !s.text().contains("PAUSED"), "no key reached the fleet");
    asked(&mut s);
    s.app.reply(data(Vec::new()));
    let text = s.text();
    assert!(text.contains("quick") && text.contains("db1"), "{text}");
    let mut s = open(fixture::small());
    s.keys("+ esc");
    s.app.reply(data(Vec::new()));
    assert!(!s.text().contains("Add an instance"), "Esc takes it back");
    s.keys("f");
    assert!(s.text().contains("health=critical"), "and keys are the fleet's again");
}

#[test]
fn an_insecure_instance_is_red_wherever_it_is() {
    let red = crate::stage::theme("dark").critical.fg;
    let mut s = Stage::new(fixture::small(), 200, 60);
    assert_eq!(s.colour_of("!"), red, "in its row of the fleet\n{}", s.text());
    s.keys("/ sqltst-005 enter enter");
    let lines = s.lines();
    for y in [0, 2] {
        let at = lines[y].find("TLS none").unwrap_or_else(|| panic!("{}", lines[y]));
        let x = lines[y][..at].chars().count();
        assert_eq!(Some(s.buffer()[(x as u16, y as u16)].fg), red, "{}", lines[y]);
    }
    s.keys("d");
    let lines = s.lines();
    let y = lines.iter().position(|l| l.starts_with(" TLS ")).unwrap();
    let x = lines[y][..lines[y].find("none").unwrap()].chars().count();
    assert_eq!(Some(s.buffer()[(x as u16, y as u16)].fg), red, "in its details");
}

#[test]
fn what_is_no_inventory_of_ours_says_why_it_cannot_be_changed() {
    for keys in ["+", "i", "D", ": add enter", ": edit enter", ": remove enter"] {
        let mut s = Stage::new(fixture::small(), 120, 40);
        asked(&mut s);
        s.keys(keys);
        assert!(s.text().contains("read-only inventory: `dbtop vault init`"), "{keys}\n{}", s.text());
        assert!(asked(&mut s).is_empty(), "{keys}");
    }
}

#[test]
fn an_empty_fleet_names_the_key() {
    let mut s = Stage::new(fixture::empty(), 120, 40);
    let text = s.text();
    assert!(text.contains("+ or :add ") && s.lines()[39].contains("+ add an instance"), "{text}");
}

#[test]
fn an_edit_starts_from_what_is_there_and_keeps_the_password() {
    let mut s = open(fixture::small());
    s.keys("i");
    assert!(
        matches!(asked(&mut s).as_slice(), [InventoryRequest::Form(ids)] if ids[0].as_str() == "sqlprd-014")
    );
    s.app.reply(data(vec![record("sqlprd-014")]));
    assert!(s.text().contains("Edit sqlprd-014") && s.text().contains("db9"), "{}", s.text());
    s.keys("ctrl-n tab tab tab");
    assert!(s.text().contains("kept unless typed"), "{}", s.text());
    s.keys("ctrl-n ctrl-n");
    s.keys("up up up up tab tab tab tab ctrl-u new! ctrl-s");
    let (record, of) = saved(&mut s).unwrap();
    assert_eq!((record.notes.as_str(), password(&record)), ("new!", ""));
    assert_eq!(of, Some((InstanceId::new("sqlprd-014"), 7)));
    s.app.reply(Reply::Saved(Ok("saved sqlprd-014".to_owned())));
    assert!(s.text().contains("saved sqlprd-014") && !s.text().contains("Edit sqlprd-014"), "{}", s.text());
}

#[test]
fn another_user_needs_another_password() {
    let mut s = open(fixture::small());
    s.keys("enter i");
    asked(&mut s);
    s.app.reply(data(vec![record("sqlprd-014")]));
    s.keys("ctrl-n tab ctrl-u other ctrl-n");
    assert!(s.text().contains("type the password"), "{}", s.text());
}

#[test]
fn an_instance_that_went_meanwhile_is_not_edited() {
    let mut s = open(fixture::small());
    s.keys("i");
    asked(&mut s);
    s.app.reply(data(Vec::new()));
    assert!(s.text().contains("not in the inventory any more"), "{}", s.text());
}

const PASTED: &str = "Server=tcp:db7.example,1555;Database=sales;User Id=watcher;Password=\"hun;ter2\";ApplicationIntent=ReadOnly";

#[test]
fn a_pasted_connection_string_is_offered_to_be_taken_apart() {
    let mut s = wizard();
    s.keys("sales-7 tab");
    s.app.paste(PASTED);
    assert!(s.text().contains("y takes it apart"), "{}", s.text());
    s.keys("y");
    let text = s.text();
    assert!(text.contains("db7.example") && text.contains("1555") && text.contains("sales"), "{text}");
    assert!(!text.contains("hun;ter2") && !text.contains("Password="), "{text}");
    s.keys("ctrl-n");
    assert!(s.text().contains("watcher") && s.text().contains("••••••••"), "{}", s.text());
    s.keys("ctrl-s save enter");
    let record = saved(&mut s).unwrap().0;
    assert_eq!((record.address().as_str(), record.database.as_deref()), ("db7.example,1555", Some("sales")));
    assert_eq!((password(&record), record.read_only_intent), ("hun;ter2", true));
}

#[test]
fn a_connection_string_that_is_not_taken_apart_goes_with_its_password() {
    let mut s = wizard();
    s.keys("sales-7 tab");
    s.app.paste(PASTED);
    s.keys("esc");
    let text = s.text();
    assert!(!text.contains("hun;ter2") && text.contains("Add an instance"), "{text}");
    s.app.paste("mssql://u:hunter2@db1/sales");
    s.keys("ctrl-s");
    assert!(s.text().contains("is a URL, not a host") && asked(&mut s).is_empty(), "{}", s.text());
}
