//! From a key to its action, and `docs/keys.md`. Both are made from the rows of `action::table`.

use super::{
    action::{Action, Context, bindings},
    command_line,
    key::Chord,
};
use std::fmt::Write as _;

/// The table with its keys parsed: what the program looks keys up in.
#[derive(Debug)]
pub struct Keymap {
    keys: Vec<(Context, Chord, Action)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let parsed = bindings().filter_map(|b| Some((b.key.context, Chord::parse(b.key.name)?, b.action)));
        Self { keys: parsed.collect() }
    }
}

impl Keymap {
    /// The action of a key in the first of these contexts that knows it.
    pub fn resolve(&self, contexts: &[Context], chord: Chord) -> Option<Action> {
        let find =
            |c: &Context| self.keys.iter().find(|(at, k, _)| at == c && *k == chord).map(|(_, _, a)| *a);
        contexts.iter().find_map(find)
    }
}

/// `docs/keys.md`.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Keys\n\nMade from the table of actions in `src/tui/action/table.rs` by `dbtop keys`; a test keeps it true.\n\
         Ctrl-H, Ctrl-I, Ctrl-M and Ctrl-[ are unbound on purpose: terminals cannot tell them from other keys.\n",
    );
    for context in Context::all() {
        let _ = write!(out, "\n## {}\n\n| key | does |\n|---|---|\n", context.title());
        for b in bindings().filter(|b| b.key.context == context) {
            if let Some(chord) = Chord::parse(b.key.name) {
                let _ = writeln!(out, "| `{chord}` | {} |", b.help);
            }
        }
    }
    out.push_str("\n## Commands, after `:`\n\n| command | does |\n|---|---|\n");
    for (name, about) in command_line::commands() {
        let _ = writeln!(out, "| `{}` | {about} |", name.replace('|', "\\|"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::id::PaneId;
    use std::collections::HashSet;

    #[test]
    fn every_key_can_be_typed_and_means_one_thing_in_its_context() {
        let mut seen = HashSet::new();
        for b in bindings() {
            let name = b.key.name;
            let chord = Chord::parse(name).unwrap_or_else(|| panic!("no key is called {name}"));
            assert!(seen.insert((b.key.context, chord)), "{name} is bound twice in {:?}", b.key.context);
            assert_eq!(Chord::of(chord.event()), chord);
            assert!(
                !matches!(name, "ctrl-h" | "ctrl-i" | "ctrl-m" | "ctrl-["),
                "{name} cannot be told apart"
            );
            assert!(!b.help.is_empty() && !b.help.ends_with('.'));
        }
    }

    #[test]
    fn the_narrower_context_wins() {
        let map = Keymap::default();
        let tab = Chord::parse("y").unwrap();
        assert_eq!(
            map.resolve(&[Context::Pane(PaneId::Activity), Context::Table, Context::Global], tab),
            Some(Action::Copy)
        );
        let g = Chord::parse("g").unwrap();
        assert_eq!(map.resolve(&[Context::Pane(PaneId::Fleet), Context::Table, Context::Global], g), None);
    }

    #[test]
    fn the_keys_document_is_true() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
        let file = std::fs::read_to_string(path).unwrap_or_default();
        assert!(file == markdown(), "docs/keys.md is stale: run `cargo run -- keys > docs/keys.md`");
    }
}
