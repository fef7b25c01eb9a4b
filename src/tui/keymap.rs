//! From a key to its action, and `docs/keys.md`. Both are made from the rows of `action::table`.

use super::{
    action::{Action, Context, bindings, listed},
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
         Ctrl-H, Ctrl-I, Ctrl-M and Ctrl-[ are unbound on purpose: to terminals they are other keys.\n",
    );
    for context in Context::all() {
        let _ = write!(out, "\n## {}\n", context.title());
        if let Context::Pane(pane) = context {
            let shared =
                Context::of_pane(pane).into_iter().filter(|shared| !matches!(shared, Context::Pane(_)));
            let titles: Vec<&str> = shared.map(Context::title).collect();
            let _ = write!(out, "\nIt has the keys of: {}.\n", titles.join(" · "));
        }
        let lines = listed(context);
        if !lines.is_empty() {
            out.push_str("\n| key | does |\n|---|---|\n");
        }
        for (chords, help) in lines {
            let keys: Vec<String> = chords.iter().map(|chord| format!("`{chord}`")).collect();
            let _ = writeln!(out, "| {} | {help} |", keys.join(" "));
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
    use crate::{
        model::inventory::record::{AuditEntry, Author, FilterRecord, Outcome, Slug},
        protocol::{
            AuditList, Effect, FilterLine, List, Reply, SettingLine, Settings as Options, SlotLine,
            TenantLine, VaultList, VaultState,
        },
        tui::{
            App, Settings, Subject,
            action::{Binding, Kind},
            fixture,
            id::PaneId,
            theme::{Depth, Theme},
        },
    };
    use ratatui::{buffer::Buffer, layout::Rect};
    use std::{collections::HashSet, sync::Arc};

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
        let pane = |pane: PaneId, key: &str| map.resolve(&Context::of_pane(pane), Chord::parse(key).unwrap());
        // An arrow and its letter are the chart's cursor on an instance, and columns in a table.
        for key in ["left", "h"] {
            assert_eq!(pane(PaneId::Instance, key), Some(Action::Earlier));
            assert_eq!(pane(PaneId::Activity, key), Some(Action::Left));
        }
        // Read and listed, a letter moves; typed, it is a letter. Out of the pane behind it nothing is heard.
        for key in ["g", "h", "j", "k", "l", "G"].map(|key| Chord::parse(key).unwrap()) {
            for typed in Context::all().filter(|context| context.takes_text()) {
                assert_eq!(map.resolve(&[typed], key), None, "{key} in {typed:?}");
            }
        }
        // For every key of every pane: its narrowest context has it, however the contexts overlap.
        for id in PaneId::ALL {
            let contexts = Context::of_pane(id);
            for b in bindings().filter(|b| contexts.contains(&b.key.context)) {
                let narrowest = bindings()
                    .filter(|other| other.key.name == b.key.name && contexts.contains(&other.key.context))
                    .min_by_key(|other| contexts.iter().position(|c| *c == other.key.context))
                    .unwrap();
                assert_eq!(pane(id, b.key.name), Some(narrowest.action), "{} in {}", b.key.name, id.name());
                assert_eq!(b.is_meant(&contexts), narrowest.key.context == b.key.context, "{}", b.key.name);
            }
        }
    }

    #[test]
    fn a_time_key_means_the_same_everywhere() {
        for b in bindings().filter(|b| ["p", "t", "T", "[", "]"].contains(&b.key.name)) {
            assert_eq!(b.key.context, Context::Global, "{} is bound anew", b.key.name);
        }
    }

    #[test]
    fn the_keys_of_vi_move_in_every_table_list_and_document() {
        let map = Keymap::default();
        for context in [Context::Table, Context::Reader, Context::List, Context::Trial] {
            for (key, action) in [
                ("j", Action::Down),
                ("k", Action::Up),
                ("g", Action::Home),
                ("G", Action::End),
                ("ctrl-f", Action::PageDown),
                ("ctrl-b", Action::PageUp),
                ("ctrl-d", Action::HalfDown),
                ("ctrl-u", Action::HalfUp),
            ] {
                assert_eq!(
                    map.resolve(&[context], Chord::parse(key).unwrap()),
                    Some(action),
                    "{key} in {context:?}"
                );
            }
        }
    }

    /// Places in which a key may have something to do, as keys that lead there from a pane: as it opens, in the middle of its
    /// rows, with a mark, moved to the right, sorted, narrowed to an instance, and with charts that were moved.
    const PLACES: [&str; 7] =
        ["", "down down", "space", "right right right", ">", "s", "s w w shift-left shift-left , ,"];

    /// An hour ago, where most that changes anything is refused: for the keys that travel.
    const PAST: [&str; 1] = ["{"];

    /// A fleet with a story for each pane, on a screen that has no room for every column.
    fn at(pane: PaneId, place: &str) -> App {
        let theme = Theme::load("dark", Depth::True).unwrap();
        let settings = Settings {
            zone: crate::model::base::zone::UTC.clone(),
            theme,
            depth: Depth::True,
            low_bandwidth: false,
            ascii: false,
            mouse: false,
            lock_after_ms: None,
        };
        let subject = Subject { tenant: "acme".into(), vault: VaultState::Open, recording: None };
        let mut app = App::new(settings, subject, fixture::NOW);
        app.ingest(Arc::new(fixture::small()));
        // The blocked instance has rows in every pane.
        app.keys(if pane == PaneId::Instance { "2 1 enter" } else { "2 3" });
        match (pane.row().key, pane.row().word) {
            (Some(key), _) => app.keys(key),
            (None, Some((word, _))) => app.keys(&format!(": {word} enter")),
            (None, None) => {}
        }
        let filter = |name: &str| {
            let record = FilterRecord { name: name.into(), ..FilterRecord::default() };
            FilterLine { record, count: Some(3) }
        };
        app.reply(Reply::List(List::Filters(["a", "b", "c", "d"].map(filter).into())));
        let entry = |seq| {
            let (author, outcome) = (Author::default(), Outcome::Done);
            let [action, entity, name, detail] = ["edit", "instance", "sqlprd-014", ""].map(str::to_owned);
            Arc::new(AuditEntry {
                seq,
                at: fixture::NOW,
                author,
                action,
                entity,
                name,
                outcome,
                detail,
                id: None,
            })
        };
        let entries = [4, 3, 2, 1].map(entry).into();
        app.reply(Reply::List(List::Audit(AuditList { entries, ..AuditList::default() })));
        let option = |key: &str| SettingLine {
            key: key.into(),
            is_in_file: true,
            help: "what it means, in a sentence that is cut".into(),
            ..SettingLine::default()
        };
        let lines = ["a", "b", "c", "d"].map(option).into();
        app.reply(Reply::Settings(Box::new(Options { file: "a.toml".into(), problems: Vec::new(), lines })));
        let slot = |id: &str| SlotLine { id: id.into(), kind: "passphrase", ..SlotLine::default() };
        let slots = ["a", "b", "c", "d"].map(slot).into();
        let tenant = |name: &str| TenantLine {
            slug: Slug::parse(name).unwrap(),
            state: "not watched".into(),
            usable: true,
            is_watched: true,
            is_suspended: false,
            instances: Some(3),
            size_bytes: None,
            history_bytes: None,
            used: None,
            limits: None,
            deleted: None,
        };
        app.reply(Reply::List(List::Tenants(["aaa", "bbb", "ccc", "ddd"].map(tenant).into())));
        app.reply(Reply::List(List::Vault(VaultList { slots, generation: 1, keyed: None })));
        shown(&mut app);
        app.keys(place);
        app
    }

    fn shown(app: &mut App) -> Buffer {
        let area = Rect::new(0, 0, 72, 24);
        let mut buf = Buffer::empty(area);
        app.render(area, &mut buf);
        buf
    }

    /// True if a key changes the screen, or asks for something, in one of the places of a pane.
    fn does_something(pane: PaneId, b: &Binding) -> bool {
        let past: &[&str] = if b.kind == Kind::Travels { &PAST } else { &[] };
        PLACES.iter().chain(past).any(|place| {
            let mut app = at(pane, place);
            let before = shown(&mut app);
            app.take_effects();
            app.take_copies();
            app.key(Chord::parse(b.key.name).unwrap());
            let is_request = |effect: &Effect| !matches!(effect, Effect::Focus(_));
            let asks = app.take_effects().iter().any(is_request) || !app.take_copies().is_empty();
            asks || app.wants_to_quit() || app.take_repaint() || shown(&mut app) != before
        })
    }

    #[test]
    fn every_key_of_a_pane_does_something_there() {
        let mut idle = Vec::new();
        for pane in PaneId::ALL {
            let contexts = Context::of_pane(pane);
            for b in bindings().filter(|b| b.is_meant(&contexts)) {
                // The reasons of an instance have a cursor and no columns.
                let is_of_rows = b.key.context == Context::Table && pane == PaneId::Instance;
                if b.key.context != Context::Global && !is_of_rows && !does_something(pane, &b) {
                    idle.push(format!("{}: {}, {}", pane.name(), b.key.name, b.help));
                }
            }
        }
        assert!(idle.is_empty(), "keys that do nothing where they are bound:\n{}", idle.join("\n"));
    }

    #[test]
    fn every_key_that_works_everywhere_does_something_somewhere() {
        for b in bindings().filter(|b| b.key.context == Context::Global) {
            let works = PaneId::ALL.into_iter().any(|pane| does_something(pane, &b));
            assert!(works, "{}: {}", b.key.name, b.help);
        }
    }

    #[test]
    fn the_keys_document_is_true() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
        let file = std::fs::read_to_string(path).unwrap_or_default();
        assert!(file == markdown(), "docs/keys.md is stale: run `cargo run -- keys > docs/keys.md`");
    }
}
