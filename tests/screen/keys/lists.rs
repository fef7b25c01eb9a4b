//! Panes of the inventory's lists by keys, and the menu behind `x`: what is asked, what is at stake, what is refused and why.

use crate::{
    fixture,
    lists::{audit, filters, groups, settings, slots, tenants},
    stage::Stage,
};
use dbtop::{
    model::inventory::{
        instance::InstanceId,
        record::{GroupRecord, Limits},
    },
    protocol::{
        Effect, InventoryRequest, List, ListChange, ListId, NewKey, Refusal, Reply, SlotChange, TenantChange,
        VaultState,
    },
};
use std::fmt::Write as _;

fn with(state: VaultState, w: u16, h: u16, theme: &str) -> Stage {
    let mut s = Stage::with_theme(fixture::small(), w, h, theme);
    s.app.reply(Reply::Vault { tenant: "acme".to_owned(), state });
    s.app.take_effects();
    s
}

fn open() -> Stage {
    with(VaultState::Open, 120, 40, "dark")
}

fn requests(s: &mut Stage) -> Vec<InventoryRequest> {
    let asked = |effect| match effect {
        Effect::Inventory(request) => Some(*request),
        _ => None,
    };
    s.app.take_effects().into_iter().filter_map(asked).collect()
}

fn change(s: &mut Stage) -> ListChange {
    let mut asked = requests(s);
    match (asked.pop(), asked.len()) {
        (Some(InventoryRequest::Change(change)), 0) => change,
        _ => panic!("no change, or more than that was asked for: {}", s.text()),
    }
}

#[test]
fn a_pane_asks_for_its_list_once_and_again_when_the_vault_was_locked() {
    let mut s = open();
    s.keys(": groups enter");
    assert!(matches!(requests(&mut s)[..], [InventoryRequest::List(ListId::Groups)]));
    s.reply(Reply::List(groups()));
    s.ingest(fixture::small()).keys("down up");
    assert!(requests(&mut s).is_empty());
    assert!(s.text().contains("earns the money"), "{}", s.text());
    let locked = VaultState::Locked { by_passphrase: true, why: None };
    s.reply(Reply::Vault { tenant: "acme".to_owned(), state: locked });
    assert!(!s.text().contains("earns the money"), "what was sealed is gone: {}", s.text());
    s.reply(Reply::Vault { tenant: "acme".to_owned(), state: VaultState::Open });
    assert!(matches!(requests(&mut s)[..], [InventoryRequest::List(ListId::Groups)]));
}

#[test]
fn a_group_is_made_and_a_refusal_stands_at_its_field() {
    let mut s = open();
    s.keys(": groups enter").reply(Reply::List(groups()));
    requests(&mut s);
    s.keys("+ enter enter");
    assert!(
        requests(&mut s).is_empty() && s.text().contains("is empty"),
        "an empty name is refused: {}",
        s.text()
    );
    s.keys("night enter enter");
    let record = GroupRecord { name: "night".into(), description: String::new() };
    assert_eq!(change(&mut s), ListChange::Group { of: None, record });
    let taken = Refusal { field: Some("name"), words: "a group is called night already".into() };
    s.reply(Reply::Saved(Err(taken)));
    assert!(s.text().contains("a group is called night already"), "{}", s.text());
    s.keys("2 enter enter");
    assert!(matches!(change(&mut s), ListChange::Group { record, .. } if record.name == "night2"));
    s.reply(Reply::Saved(Ok("group night2 made".to_owned())));
    assert!(s.text().contains("group night2 made") && !s.text().contains("New group"), "{}", s.text());
}

#[test]
fn a_group_with_members_is_deleted_by_its_name_only() {
    let mut s = open();
    s.keys(": groups enter").reply(Reply::List(groups()));
    requests(&mut s);
    s.keys("D");
    assert!(s.text().contains("5 instances are in it"), "{}", s.text());
    assert!(s.text().contains("Saved filters name it: gold, night."), "{}", s.text());
    s.keys("yes enter");
    assert!(requests(&mut s).is_empty(), "{}", s.text());
    s.keys("ctrl-u prod enter");
    assert_eq!(change(&mut s), ListChange::RemoveGroup("prod".to_owned()));
}

#[test]
fn members_are_picked_from_the_fleet_with_a_filter_and_marks() {
    let mut s = open();
    s.keys(": groups enter").reply(Reply::List(groups()));
    requests(&mut s);
    s.keys("m");
    assert!(s.text().contains("Members of prod") && s.text().contains("5 chosen"), "{}", s.text());
    s.keys("tst-00 space");
    assert!(s.text().contains("1 added"), "{}", s.text());
    s.keys("backspace backspace backspace backspace backspace backspace");
    s.keys("014 space enter");
    let ListChange::Members { group, join, leave } = change(&mut s) else { panic!("{}", s.text()) };
    assert_eq!((group.as_str(), join.len(), leave.len()), ("prod", 1, 1));
    assert_eq!((join[0].as_str(), leave[0].as_str()), ("sqltst-004", "sqlprd-014"));
    s.reply(Reply::Saved(Err(Refusal { field: None, words: "sqltst-004 is gone".into() })));
    assert!(s.text().contains("Members of prod") && s.text().contains("sqltst-004 is gone"), "{}", s.text());
    s.keys("esc");
    assert!(s.text().contains("earns the money"), "{}", s.text());
}

#[test]
fn labels_are_coloured_renamed_and_made_one() {
    let mut s = open();
    s.keys(": labels enter i");
    assert!(s.text().contains("Label env=prod, on 5 instances"), "{}", s.text());
    s.keys("ctrl-u prod enter enter");
    assert!(requests(&mut s).iter().all(|r| matches!(r, InventoryRequest::List(_))), "no key, no label");
    assert!(s.text().contains("write key=value"), "{}", s.text());
    s.keys("ctrl-u stage=live enter right enter");
    let ListChange::Label { of, to, color } = change(&mut s) else { panic!("{}", s.text()) };
    assert_eq!(of, [("env".to_owned(), "prod".to_owned())]);
    assert_eq!((to.0.as_str(), to.1.as_str(), color.as_str()), ("stage", "live", "red"));
}

#[test]
fn a_saved_filter_filters_the_fleet() {
    let mut s = open();
    s.keys(": filters enter").reply(Reply::List(filters()));
    s.keys("down enter");
    assert!(s.text().contains("/group=web") && s.text().contains("─ Fleet"), "{}", s.text());
}

#[test]
fn the_past_and_a_fleet_without_a_vault_change_nothing_and_say_why() {
    let mut s = with(VaultState::Plain, 120, 30, "dark");
    for keys in [": groups enter", ": labels enter", ": filters enter"] {
        s.keys(keys);
        s.keys("+");
        assert!(s.text().contains("read-only inventory"), "{keys}: {}", s.text());
    }
    s.keys(": audit enter");
    assert!(s.text().contains("A fleet without a vault has no audit log"), "{}", s.text());
    assert!(requests(&mut s).is_empty(), "nobody is asked where there is no inventory");
}

#[test]
fn an_instance_has_its_changes_on_its_page_and_its_entries_in_the_log() {
    let mut s = open();
    s.keys("enter");
    let asked = requests(&mut s);
    let [InventoryRequest::Audit { question, .. }] = &asked[..] else { panic!("{}", s.text()) };
    assert_eq!(question.about.as_ref().map(InstanceId::as_str), Some("sqlprd-014"));
    s.reply(Reply::List(audit()));
    assert!(s.text().contains("edit by mira (1000): poll, labels"), "{}", s.text());
    s.keys(": audit enter");
    let text = s.text();
    assert!(text.contains("2 entries") && !text.contains("already"), "of this instance alone: {text}");
    s.keys("esc");
    assert!(s.lines()[2].contains("Instance"), "back the way one came: {}", s.text());
    s.keys("esc : audit enter");
    assert!(s.text().contains("already"), "of all: {}", s.text());
}

#[test]
fn the_menu_has_all_that_can_be_done_and_says_what_cannot() {
    let mut s = open();
    s.keys("down x");
    let text = s.text();
    assert!(text.contains("To do: sql") && text.contains("new: an instance"), "{text}");
    assert!(text.contains(":doctor"), "{text}");
    assert!(!text.contains(":backup") && !text.contains(":query"), "of tenants and of requests: {text}");
    s.keys("d");
    assert!(s.text().contains("what is polled"), "the key beside a line runs it: {}", s.text());
    s.keys("esc x");
    s.keys("esc / zzz enter x");
    assert!(s.text().contains("no row is under the cursor"), "{}", s.text());
    s.keys("enter");
    assert!(requests(&mut s).is_empty());
    let mut s = with(VaultState::Plain, 120, 30, "dark");
    s.keys("x");
    assert!(s.text().contains("read-only inventory"), "{}", s.text());
    s.keys("esc 2 x");
    assert!(s.text().contains("copy the row"), "{}", s.text());
    s.keys("enter");
    assert!(!s.text().contains("To do:"), "what was chosen runs, and the menu is gone: {}", s.text());
}

/// A list pane in one of its states: without any row, with rows, while the vault is locked, and refusing a change in the past.
fn in_state(name: &str, list: Option<&List>, state: &str, (w, h): (u16, u16), theme: &str) -> String {
    let fleet = if state == "empty" { fixture::empty() } else { fixture::small() };
    let mut s = Stage::with_theme(fleet, w, h, theme);
    let vault = match state {
        "locked" => VaultState::Locked { by_passphrase: true, why: None },
        _ => VaultState::Open,
    };
    s.reply(Reply::Vault { tenant: "acme".to_owned(), state: vault });
    s.keys("esc").keys(&format!(": {name} enter"));
    match list {
        Some(List::Settings(settings)) if state != "empty" => {
            s.reply(Reply::Settings(settings.clone()));
        }
        // They need no key.
        Some(list @ List::Tenants(_)) if state == "locked" => {
            s.reply(Reply::List(list.clone()));
        }
        Some(list) if matches!(state, "filled" | "past") => {
            s.reply(Reply::List(list.clone()));
        }
        _ => {}
    }
    if state == "past" {
        s.app.take_effects();
        s.keys("t 02:14 enter");
        for request in s.asked() {
            if let Some(reply) = fixture::past::answer(&request) {
                s.reply(reply);
            }
        }
        s.keys("+");
    }
    s.text()
}

#[test]
fn lists_at_four_sizes_in_four_states() {
    for (name, list) in [
        ("groups", Some(groups())),
        ("labels", None),
        ("filters", Some(filters())),
        ("audit", Some(audit())),
        ("vault", Some(slots())),
        ("tenants", Some(tenants())),
        ("settings", Some(List::Settings(Box::new(settings())))),
    ] {
        let mut all = String::new();
        for state in ["filled", "empty", "locked", "past"] {
            for size in [(40, 10), (80, 24), (120, 40), (200, 60)] {
                let text = in_state(name, list.as_ref(), state, size, "dark");
                let _ = writeln!(all, "{state} {}x{}\n{}\n", size.0, size.1, squeezed(&text));
            }
        }
        let of = |theme| in_state(name, list.as_ref(), "filled", (120, 40), theme);
        assert_eq!(of("dark"), of("light"), "a theme changes colours only");
        insta::assert_snapshot!(format!("list_{name}"), all);
    }
    let mut s = with(VaultState::Open, 80, 24, "dark");
    s.keys(": groups enter").reply(Reply::List(groups()));
    insta::assert_snapshot!("list_form", s.keys("i").text());
    insta::assert_snapshot!("list_question", s.keys("esc D").text());
    insta::assert_snapshot!("list_pick", s.keys("esc m").text());
    insta::assert_snapshot!("list_details", s.keys("esc d").text());
    insta::assert_snapshot!("menu", s.keys("esc x").text());
}

/// Without the empty lines that follow each other: a list on a large screen is mostly those.
fn squeezed(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    lines.join("\n")
}

#[test]
fn the_hardware_cursor_stands_on_the_selected_row_in_every_pane_and_list() {
    for keys in
        ["", "2", "3", "4", "6", "enter", ": groups enter", ": labels enter", ": databases enter", "x"]
    {
        let mut s = open();
        s.keys(keys).keys("down");
        let selected = s.selected();
        let lines = s.lines();
        let (x, y) = s.app.cursor().unwrap_or_else(|| panic!("{keys}: no cursor\n{}", lines.join("\n")));
        assert_eq!((x, lines[usize::from(y)].as_str()), (0, selected.as_str()), "{keys}");
    }
    let mut s = open();
    s.keys("/ ab");
    s.lines();
    let (x, y) = s.app.cursor().unwrap();
    assert_eq!(y, 39, "where the text is typed");
    assert!(s.lines()[39].chars().take(usize::from(x)).collect::<String>().ends_with("ab"), "{x}");
}

#[test]
fn a_setting_is_edited_without_a_vault_and_a_refusal_is_read() {
    let mut s = with(VaultState::Plain, 120, 40, "dark");
    s.keys(": settings enter");
    assert!(matches!(requests(&mut s)[..], [InventoryRequest::Settings]));
    s.reply(Reply::Settings(Box::new(settings())));
    s.keys("down enter");
    assert!(s.text().contains("set by DBTOP_POLL_FLEET_S"), "{}", s.text());
    s.keys("ctrl-u 90 enter");
    let asked = requests(&mut s);
    assert!(
        matches!(&asked[..], [InventoryRequest::Set { key, value: Some(v) }] if key == "poll.fleet_s" && v == "90"),
        "{}",
        s.text()
    );
    let words = "poll.fleet_s: 90 is more than an hour".to_owned();
    s.reply(Reply::Saved(Err(Refusal { field: None, words })));
    assert!(s.text().contains("90 is more than an hour") && s.text().contains("Value"), "{}", s.text());
    s.keys("esc +");
    assert!(s.text().contains("read-only inventory"), "+ is the wizard here as elsewhere: {}", s.text());
}

#[test]
fn a_slot_is_added_with_a_passphrase_typed_twice_and_removed_by_its_name() {
    let mut s = open();
    s.keys(": vault enter").reply(Reply::List(slots()));
    assert!(matches!(requests(&mut s)[..], [InventoryRequest::List(ListId::Vault)]));
    s.keys("+ tab night tab horse-battery tab horse enter enter");
    assert!(requests(&mut s).is_empty() && s.text().contains("not the same"), "{}", s.text());
    assert!(!s.text().contains("horse"), "a secret is never shown: {}", s.text());
    s.keys("ctrl-u horse-battery enter enter");
    let asked = requests(&mut s);
    let is_added = |r: &InventoryRequest| {
        matches!(r, InventoryRequest::Slots(SlotChange::Add { key: NewKey::Passphrase(p), label })
            if p.reveal() == "horse-battery" && label == "night")
    };
    assert!(asked.len() == 1 && asked.iter().all(is_added), "{}", s.text());
    s.reply(Reply::Saved(Ok("slot added".to_owned())));
    s.keys("D right enter");
    assert!(s.text().contains("Type 3f21ab09"), "{}", s.text());
    s.keys("3f21ab09 enter");
    assert!(matches!(&requests(&mut s)[..],
        [InventoryRequest::Slots(SlotChange::Remove { id, rotate: false })] if id == "3f21ab09"));
    s.reply(Reply::Saved(Ok("slot removed".to_owned())));
    s.keys("R yes enter");
    assert!(matches!(&requests(&mut s)[..], [InventoryRequest::Slots(SlotChange::Rotate)]));
}

fn tenant(s: &mut Stage) -> TenantChange {
    let mut asked = requests(s);
    match (asked.pop(), asked.len()) {
        (Some(InventoryRequest::Tenant(change)), 0) => change,
        _ => panic!("no change of a tenant, or more than that was asked for: {}", s.text()),
    }
}

#[test]
fn tenants_are_listed_without_a_key_and_each_is_done_what_fits_its_state() {
    let mut s = with(VaultState::Opening, 120, 30, "dark");
    s.reply(Reply::Vault { tenant: "acme".to_owned(), state: VaultState::Choose });
    assert!(matches!(requests(&mut s)[..], [InventoryRequest::List(ListId::Tenants)]), "{}", s.text());
    assert!(s.text().contains("Tenants"), "several, and none was named: {}", s.text());
    let mut s = with(VaultState::Locked { by_passphrase: true, why: None }, 120, 30, "dark");
    s.keys("esc : tenants enter");
    assert!(matches!(requests(&mut s)[..], [InventoryRequest::List(ListId::Tenants)]), "{}", s.text());
    s.reply(Reply::List(tenants()));
    insta::assert_snapshot!(s.text());
    // The open one alone is renamed, limited, suspended, backed up.
    s.keys("i");
    assert!(s.text().contains("acme is locked: :unlock opens it"), "{}", s.text());
    s.reply(Reply::Vault { tenant: "acme".to_owned(), state: VaultState::Open })
        .reply(Reply::List(tenants()));
    requests(&mut s);
    s.keys("i - 2 tab ctrl-u enter 0 enter");
    assert!(s.text().contains("write gigabytes"), "{}", s.text());
    s.keys("ctrl-u 20 enter");
    let limits = Limits { max_instances: None, max_history_bytes: Some(20_000_000_000) };
    let TenantChange::Edit { slug, to, limits: asked } = tenant(&mut s) else { panic!("{}", s.text()) };
    assert_eq!((slug.as_str(), to.as_str(), asked), ("acme", "acme-2", limits));
    s.reply(Reply::Saved(Ok("saved".to_owned())));
    s.keys("m yes enter");
    assert!(matches!(tenant(&mut s), TenantChange::Suspend(slug) if slug.as_str() == "acme"));
    s.reply(Reply::Saved(Ok("suspended".to_owned())));
    s.keys("down b");
    assert!(s.text().contains("beta is sealed: Enter watches it"), "{}", s.text());
    s.keys("down m enter");
    assert!(
        matches!(tenant(&mut s), TenantChange::Resume { slug, passphrase: None } if slug.as_str() == "calm")
    );
}

#[test]
fn a_tenant_is_deleted_by_its_name_and_a_deleted_one_is_brought_back() {
    let mut s = open();
    s.keys(": tenants enter").reply(Reply::List(tenants()));
    requests(&mut s);
    s.keys("down D");
    let text = s.text();
    assert!(text.contains("of 40 instances") && text.contains("brought back for 30 days"), "{text}");
    s.keys("yes enter");
    assert!(requests(&mut s).is_empty(), "only its name deletes it: {}", s.text());
    s.keys("ctrl-u beta enter");
    assert!(matches!(tenant(&mut s), TenantChange::Delete(slug) if slug.as_str() == "beta"));
    s.reply(Reply::Saved(Ok("deleted".to_owned())));
    s.keys("G D");
    assert!(s.text().contains("old is deleted already"), "{}", s.text());
    s.keys("m");
    assert!(s.text().contains("The one that was deleted"), "some of one name may be: {}", s.text());
    s.keys("enter");
    let TenantChange::Undelete { slug, at, to } = tenant(&mut s) else { panic!("{}", s.text()) };
    assert_eq!((slug.as_str(), at, to.unwrap().as_str()), ("old", fixture::NOW, "old"));
}

#[test]
fn a_new_tenant_is_empty_or_comes_from_a_backup() {
    let mut s = open();
    s.keys(": tenants enter").reply(Reply::List(tenants()));
    requests(&mut s);
    // A name that no tenant may have is refused where it is typed.
    for leave in ["enter", "tab", "down"] {
        s.keys("+ B a d");
        s.keys(leave);
        assert!(s.text().contains("take a to z"), "{leave}: {}", s.text());
        s.keys("- x");
        assert!(s.text().contains("Bad-x") && !s.text().contains("take a to z"), "{leave}: {}", s.text());
        s.keys("esc");
    }
    s.keys("+ new-one tab tab secret tab other enter");
    assert!(s.text().contains("it is not the same"), "{}", s.text());
    s.keys("ctrl-u secret enter");
    assert!(matches!(tenant(&mut s), TenantChange::Create { slug, .. } if slug.as_str() == "new-one"));
    s.reply(Reply::Saved(Ok("made".to_owned())));
    s.keys("+ tab /mnt/acme.dbtop-backup tab enter enter");
    let TenantChange::Restore { file, to: None, passphrase: None } = tenant(&mut s) else {
        panic!("{}", s.text())
    };
    assert_eq!(file.to_str(), Some("/mnt/acme.dbtop-backup"));
    s.reply(Reply::Saved(Ok("restoring".to_owned())));
    // Where it goes is asked for, and what is refused stands at the field.
    s.keys("b /tmp/x enter");
    assert!(
        matches!(&requests(&mut s)[..], [InventoryRequest::Backup(Some(f))] if f.to_str() == Some("/tmp/x"))
    );
    let taken = Refusal { field: Some("file"), words: "/tmp/x is there already".into() };
    s.reply(Reply::Saved(Err(taken)));
    assert!(s.text().contains("is there already") && s.text().contains("Back up tenant"), "{}", s.text());
}

#[test]
fn what_the_log_shows_is_exported_in_its_order() {
    let mut s = open();
    s.keys(": audit enter").reply(Reply::List(audit()));
    requests(&mut s);
    s.keys("/ sqlprd enter");
    // All entries that are kept are searched, not those that were told alone.
    let asked = requests(&mut s);
    let Some(InventoryRequest::Audit { question, .. }) = asked.last() else { panic!("{}", s.text()) };
    assert_eq!((question.filter.as_str(), &question.about), ("sqlprd", &None));
    s.keys("e");
    assert!(s.text().contains("Export 2 entries"), "{}", s.text());
    s.keys("enter /tmp/audit.csv enter");
    let asked = requests(&mut s);
    let [InventoryRequest::ExportAudit { file, entries }] = &asked[..] else { panic!("{}", s.text()) };
    assert_eq!((file.to_str(), &entries[..]), (Some("/tmp/audit.csv"), &[99, 97][..]));
    s.reply(Reply::Saved(Ok("2 entries written to /tmp/audit.csv".to_owned())));
    // The marked ones, if there are any.
    s.keys("space e");
    assert!(s.text().contains("Export 1 entry"), "{}", s.text());
}
