//! The screen and the sub-commands are one set of use cases: each edit by its keys and by its command.

use crate::{
    fixture,
    lists::{audit, filters, groups, settings, slots, tenants},
    stage::Stage,
};
use clap::Parser;
use dbtop::{
    cli::Cli,
    protocol::{Effect, HistoryRequest, InventoryRequest, Reply, VaultState},
};

/// What the screen does at the key of an edit.
#[derive(Clone, Copy)]
enum Does {
    /// shows this question
    Asks(&'static str),
    /// asks the inventory for what its form needs
    Form,
    /// asks history to keep it
    Keeps,
}
use Does::{Asks, Form, Keeps};

/// Of `src/protocol`: the edit. On the screen: the pane, and the keys there. In a script: the command.
#[rustfmt::skip]
const EDITS: [(&str, &str, &str, Does, &str); 34] = [
    ("Save", "fleet", "+", Form, "instance add x --host h"),
    ("Save", "fleet", "i", Form, "instance edit x --host h"),
    ("Bulk", "fleet", "space space i", Form, "instance edit --scope @prod --label env=prod --yes"),
    ("Remove", "fleet", "D", Asks("Remove "), "instance remove x --yes"),
    ("Bookmark", "fleet", "B", Asks("a note for"), "bookmark add --note deployed"),
    ("Freeze", "fleet", "F", Keeps, "bookmark keep --instance x"),
    ("Group", "groups", "+", Asks("New group"), "group add night"),
    ("Group", "groups", "i", Asks("Group prod"), "group edit prod --rename live --description x"),
    ("CopyGroup", "groups", "c", Asks("New group with the members of prod"), "group copy prod live"),
    ("Members", "groups", "m", Asks("Members of prod"), "group members add prod x"),
    ("Members", "groups", "m", Asks("Members of prod"), "group members remove prod x"),
    ("RemoveGroup", "groups", "D", Asks("Delete group prod?"), "group remove prod --yes"),
    ("Label", "labels", "+", Asks("New label"), "label add env=dev --color blue"),
    ("Label", "labels", "i", Asks("Label env=prod"), "label rename env=prod env=live"),
    ("Label", "labels", "i", Asks("Colour"), "label color env=prod red"),
    ("Label", "labels", "m", Asks("one label"), "label merge env=prod --into env=live"),
    ("RemoveLabel", "labels", "D", Asks("Delete label env=prod?"), "label remove env=prod --yes"),
    ("Filter", "filters", "+", Asks("New saved filter"), "filter save web group=web"),
    ("Filter", "filters", "i", Asks("Saved filter odd"), "filter rename odd web"),
    ("RemoveFilter", "filters", "D", Asks("Delete saved filter odd?"), "filter remove odd"),
    ("ExportAudit", "audit", "e", Asks("Export 3 entries"), "audit export --out x.csv"),
    ("Add", "vault", "+", Asks("New key slot"), "vault slot add --label night passphrase"),
    ("Remove", "vault", "D", Asks("Remove slot 3f21ab09?"), "vault slot remove 3f21ab09 --rotate"),
    ("Rotate", "vault", "R", Asks("Make a new data key?"), "vault rotate"),
    ("Create", "tenants", "+", Asks("New tenant"), "tenant create night"),
    ("Restore", "tenants", "+", Asks("Backup"), "tenant restore x.dbtop"),
    ("Edit", "tenants", "i", Asks("Max instances"), "tenant limit acme --instances 5"),
    ("Edit", "tenants", "i", Asks("Name"), "tenant rename acme night"),
    ("Suspend", "tenants", "m", Asks("Suspend tenant acme?"), "tenant suspend acme"),
    ("Resume", "tenants", "down down m", Asks("Resume tenant calm"), "tenant resume calm"),
    ("Delete", "tenants", "D", Asks("Delete tenant acme?"), "tenant delete acme --yes"),
    ("Undelete", "tenants", "G m", Asks("Bring tenant old back"), "tenant undelete old"),
    ("Set", "settings", "enter", Asks("history.raw_days"), "config set history.raw_days 60"),
    ("Set", "settings", "D", Asks("Take history.raw_days out"), "config set history.raw_days --unset"),
];

fn at(pane: &str) -> Stage {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.reply(Reply::Vault { tenant: "acme".to_owned(), state: VaultState::Open });
    s.keys(&format!(": {pane} enter"));
    for list in [groups(), filters(), audit(), slots(), tenants()] {
        s.reply(Reply::List(list));
    }
    let mut options = settings();
    options.lines.iter_mut().for_each(|line| line.is_in_file = true);
    s.reply(Reply::Settings(Box::new(options)));
    s.app.take_effects();
    s
}

#[test]
fn each_edit_has_its_keys_and_its_command() {
    for (edit, pane, keys, does, command) in EDITS {
        let mut s = at(pane);
        s.keys(keys);
        let effects = s.app.take_effects();
        let is_done = match does {
            Asks(words) => s.text().contains(words),
            Form => effects
                .iter()
                .any(|e| matches!(e, Effect::Inventory(r) if matches!(**r, InventoryRequest::Form(_)))),
            Keeps => effects
                .iter()
                .any(|e| matches!(e, Effect::History(r) if matches!(**r, HistoryRequest::Freeze(_)))),
        };
        assert!(is_done, "{edit}: {keys} in {pane}\n{}", s.text());
        let args = ["dbtop"].into_iter().chain(command.split(' ')).chain(["-o", "json"]);
        if let Err(why) = Cli::try_parse_from(args) {
            panic!("{edit}: {command}: {why}");
        }
    }
}

/// The variants of an enum of `src/protocol`.
fn variants(file: &str, name: &str) -> Vec<String> {
    let path = format!("{}/src/protocol/{file}.rs", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let (_, body) = text.split_once(&format!("pub enum {name} {{")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let is_variant = |line: &&str| line.starts_with("    ") && line[4..].starts_with(char::is_uppercase);
    let word = |line: &str| line.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
    body.lines().filter(is_variant).map(word).collect()
}

#[test]
fn no_edit_is_left_out_of_the_table() {
    for (file, name) in [("lists", "ListChange"), ("vault", "SlotChange"), ("inventory", "TenantChange")] {
        let all = variants(file, name);
        assert!(all.len() > 2, "{name}: {all:?}");
        for variant in all {
            assert!(EDITS.iter().any(|(edit, ..)| *edit == variant), "{name}::{variant} has no row");
        }
    }
}
