//! The vault: its key slots, each of which opens it. Added and removed here, and a new data key is made for all of them.

use super::{
    Part,
    listed::{Line, ListPane, Listed, Words, name, not_one, text},
};
use crate::{
    model::{
        base::{figure, figure::counted, filter::Value},
        judge::health::Level,
    },
    protocol::{InventoryRequest, ListId, NewKey, SlotChange, SlotLine, old_key_days},
    tui::{
        action::Action,
        ask::{Answers, Ask, Blank, Tone, Wrong},
        id::RowKey,
        view::View,
        widget::column::{self, Kind, number, size, words},
    },
};

/// Kinds of slots that can be added.
const KINDS: [&str; 5] = ["passphrase", "key-file", "credential", "keyring", "command"];

/// The pane.
pub type VaultPane = ListPane<Slots>;

/// Rows of the pane: a slot each.
#[derive(Debug)]
pub enum Slots {}

impl Kind for Slots {
    type Row<'a> = Line<'a, Self>;
}

impl Listed for Slots {
    type Record = SlotLine;
    const LIST: Option<ListId> = Some(ListId::Vault);
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "slot";
    const WORDS: Words = Words {
        order: "as they were made",
        no_match: "No slot matches the filter.",
        none: &[
            "No vault.",
            "This fleet is a demo, or a file that you write by hand: `dbtop vault init` makes a vault.",
        ],
        locked: "The slots are",
    };

    fn records(view: &View<'_>) -> Vec<SlotLine> {
        view.lists.vault().map_or_else(Vec::new, |vault| vault.slots.clone())
    }

    fn key(slot: &SlotLine) -> RowKey {
        RowKey::Group(slot.id.as_str().into())
    }

    fn texts<'r>(slot: &'r SlotLine, with: &mut dyn FnMut(&'r str)) {
        with(&slot.id);
        with(slot.kind);
        with(slot.label.as_deref().unwrap_or(""));
    }

    fn refuses(action: Action, on: &[&SlotLine], view: &View<'_>) -> Option<String> {
        let is_last = || view.lists.vault().is_some_and(|vault| vault.slots.len() < 2);
        match (action, on) {
            (Action::Remove, [_]) if is_last() => Some(
                "the last slot: without it nobody could open the vault, + adds another one first".to_owned(),
            ),
            (Action::Remove, on) => not_one("slot", on),
            _ => None,
        }
    }

    fn ask(action: Action, on: &[&SlotLine], _view: &View<'_>) -> Option<Ask> {
        Some(match (action, on) {
            (Action::Add, _) => addition(),
            (Action::Remove, [slot]) => removal(slot),
            (Action::Rotate, _) => rotation(),
            _ => return None,
        })
    }

    fn title(slots: &[SlotLine], view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let Some(vault) = view.lists.vault() else { return };
        out.push((Part::Plain, format!("{}, data key {}", counted(slots.len(), "slot"), vault.generation)));
        if let Some(days) = vault.key_age_ms.and_then(old_key_days) {
            let old = format!("data key made {days} days ago: R makes a new one");
            out.push((Part::Level(Level::Warning), old));
        }
        if !slots.iter().any(|slot| slot.is_portable) {
            out.push((Part::Level(Level::Warning), "none opens on another machine".to_owned()));
        } else if slots.len() == 1 {
            out.push((Part::Level(Level::Warning), "one way in: if it is lost, all is lost".to_owned()));
        }
    }
}

fn addition() -> Ask {
    let blanks = vec![
        Blank::choice("kind", "Kind", KINDS.to_vec(), KINDS[0]),
        Blank::text("label", "Label", "", "for people: whose it is, or where it lies"),
        Blank::hidden("passphrase", "Passphrase", "for a passphrase: long and from nowhere else"),
        Blank::hidden("again", "The same again", "for a passphrase"),
        Blank::text(
            "file",
            "File",
            "",
            "a key file (made if it is not there), a credential of systemd, or the wrapped key of a command",
        ),
    ];
    Ask::form("New key slot", blanks, |answers| {
        let change = SlotChange::Add { key: key(answers)?, label: answers.said("label").to_owned() };
        Ok(InventoryRequest::Slots(change))
    })
}

/// The key that the fields say.
fn key(answers: &dyn Answers) -> Result<NewKey, Wrong> {
    let file = || match answers.said("file") {
        "" => Err(("file", "which file? Name it with its folder".to_owned())),
        file => Ok(file.into()),
    };
    match answers.said("kind") {
        "passphrase" => {
            let typed = answers.secret("passphrase");
            let passphrase = typed.ok_or_else(|| ("passphrase", "type the passphrase".to_owned()))?;
            match answers.secret("again") {
                Some(again) if again.reveal() == passphrase.reveal() => Ok(NewKey::Passphrase(passphrase)),
                _ => Err(("again", "it is not the same: nothing was changed".to_owned())),
            }
        }
        "key-file" => Ok(NewKey::KeyFile(file()?)),
        "credential" => Ok(NewKey::Credential(file()?)),
        "command" => Ok(NewKey::Command(file()?)),
        _ => Ok(NewKey::Keyring),
    }
}

fn removal(slot: &SlotLine) -> Ask {
    let lines = vec![
        (Tone::Plain, format!("{} {}", slot.kind, slot.label.as_deref().unwrap_or(""))),
        (
            Tone::Warning,
            "Who has its key and kept a copy of the data key can still read the file, unless a new data key is made with it."
                .to_owned(),
        ),
    ];
    let (id, word) = (slot.id.clone(), slot.id.clone());
    Ask::Form {
        title: format!("Remove slot {id}?"),
        lines,
        blanks: vec![Blank::choice("rotate", "New data key", vec!["yes", "no"], "yes")],
        word: Some(word),
        make: Box::new(move |answers| {
            let rotate = answers.said("rotate") == "yes";
            Ok(InventoryRequest::Slots(SlotChange::Remove { id: id.clone(), rotate }))
        }),
    }
}

fn rotation() -> Ask {
    let lines = vec![
        (
            Tone::Plain,
            "Every record is sealed anew. All slots open the new key as before, without their secrets."
                .to_owned(),
        ),
        (Tone::Aside, "Who kept a copy of the old key cannot read what is written from now on.".to_owned()),
        (Tone::Aside, "Another dbtop that has this tenant open must unlock it again.".to_owned()),
    ];
    Ask::confirm("Make a new data key?", lines, "yes", || InventoryRequest::Slots(SlotChange::Rotate))
}

type Column = column::Column<Slots>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    Column::text("slot", "SLOT", 10, 0).frozen().value(|s| words(Some(&s.record.id))).cell(name).filter(),
    Column::text("kind", "KIND", 14, 0).value(|s| words(Some(s.record.kind))).cell(text).filter(),
    Column::text("label", "LABEL", 30, 0)
        .at_least(12)
        .growing()
        .value(|s| words(s.record.label.as_deref()))
        .cell(|s, v, out| match v {
            Some(_) => text(s, v, out),
            None => out.put(s.view.theme.warning, "damaged"),
        })
        .filter(),
    Column::text("opens", "OPENS", 22, 1)
        .value(|s| {
            words(Some(match (s.record.is_portable, s.record.is_lasting) {
                (true, _) => "anywhere",
                (false, true) => "on this machine",
                (false, false) => "until the next logout",
            }))
        })
        .cell(text)
        .filter(),
    Column::number("generation", "DATA KEY", 8, 3)
        .value(|s| number(Some(s.record.generation as f64)))
        .cell(|s, _, out| out.fmt(s.style(), format_args!("{}", s.record.generation)))
        .filter(),
    Column::number("memory", "ARGON2", 8, 4)
        .value(|s| size(s.record.memory_kib.map(i64::from), 1024.0))
        .cell(|s, v, out| match v.and_then(Value::figure) {
            Some(bytes) => out.with(s.style(), |out| figure::push_size(out, bytes)),
            None => out.put(s.view.theme.dim, "–"),
        })
        .filter(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{List, VaultList},
        tui::{fixture, pane::stage::Stage, widget::column::ambiguous, wish::Wish},
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    fn stage(kinds: &[&'static str]) -> Stage {
        let mut stage = Stage::fleet(fixture::small());
        let line = |(n, kind): (usize, &&'static str)| SlotLine {
            id: format!("a{n}b2c3d4"),
            kind,
            label: Some(format!("slot of {kind}")),
            is_portable: *kind == "passphrase",
            ..SlotLine::default()
        };
        let slots = kinds.iter().enumerate().map(line).collect();
        stage.world.lists.take(List::Vault(VaultList { slots, generation: 3, key_age_ms: None }));
        stage
    }

    #[test]
    fn the_last_slot_stays_and_what_is_missing_is_said() {
        let mut pane = VaultPane::default();
        let one = stage(&["keyring"]);
        assert!(
            matches!(&one.act(&mut pane, &[Action::Remove])[..], [Wish::Say(_, w)] if w.contains("the last slot"))
        );
        assert!(one.title(&mut pane).contains("none opens on another machine"));
        let two = stage(&["keyring", "passphrase"]);
        assert!(matches!(&two.act(&mut pane, &[Action::Remove])[..], [Wish::Ask(_)]));
        assert!(!two.title(&mut pane).contains("none opens"));
        // A year is a year.
        let mut old = stage(&["keyring", "passphrase"]);
        let mut list = old.world.lists.vault().unwrap().clone();
        let title = |stage: &mut Stage, list: &VaultList| {
            stage.world.lists.take(List::Vault(list.clone()));
            stage.title(&mut VaultPane::default())
        };
        list.key_age_ms = Some(365 * 86_400_000);
        assert!(!title(&mut old, &list).contains("data key made"));
        list.key_age_ms = Some(366 * 86_400_000);
        assert!(title(&mut old, &list).contains("R makes a new one"));
    }
}
