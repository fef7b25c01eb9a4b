//! Keys: the only place that knows them. Footer hints, the help layer and `docs/keys.md` are made from this table.
//!
//! Left out on purpose: Ctrl-H, Ctrl-I, Ctrl-M and Ctrl-[, which terminals cannot tell from Backspace, Tab, Enter, Esc.

use super::{action::Action, command_line, id::PaneId};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt::{self, Write as _};

/// Where a key means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// everywhere outside text inputs
    Global,
    /// tables of any pane
    Table,
    /// one pane
    Pane(PaneId),
    /// layers that show a text: details, help
    Reader,
    /// text inputs: palette, filter, jump
    Input,
    /// dialogs with fields: what is no key here is typed
    Form,
    /// the wizard: fields in steps
    Wizard,
    /// the wizard's last step: the report of a test
    Trial,
    /// the form for many instances
    Bulk,
    /// a question that a typed word answers
    Question,
    /// dialogs with a list
    List,
}

impl Context {
    /// All, in the order of the help.
    pub const ALL: [Self; 15] = [
        Self::Global,
        Self::Table,
        Self::Pane(PaneId::Fleet),
        Self::Pane(PaneId::Instance),
        Self::Pane(PaneId::Activity),
        Self::Pane(PaneId::Waits),
        Self::Pane(PaneId::Blocking),
        Self::Reader,
        Self::Input,
        Self::Form,
        Self::Wizard,
        Self::Trial,
        Self::Bulk,
        Self::Question,
        Self::List,
    ];

    /// Heading in help and docs.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Table => "In tables",
            Self::Pane(pane) => pane.name(),
            Self::Reader => "Details and help",
            Self::Input => "Command line, filter, jump",
            Self::Form => "Dialogs with fields",
            Self::Wizard => "Wizard",
            Self::Trial => "Wizard: test and save",
            Self::Bulk => "Form for many instances",
            Self::Question => "Questions that ask for a word",
            Self::List => "Dialogs with a list",
        }
    }
}

/// A key with its modifiers, as bindings name it: `q`, `enter`, `ctrl-g`, `f12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
    /// of arrows only: in a character it is there already
    shift: bool,
}

const NAMES: [(&str, KeyCode); 14] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("backspace", KeyCode::Backspace),
];

impl Chord {
    /// From an event. Shift is part of a character already.
    pub const fn of(event: KeyEvent) -> Self {
        let is_arrow = matches!(event.code, KeyCode::Left | KeyCode::Right);
        Self {
            code: event.code,
            ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
            alt: event.modifiers.contains(KeyModifiers::ALT),
            shift: is_arrow && event.modifiers.contains(KeyModifiers::SHIFT),
        }
    }

    /// From its name; None if there is no such key.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "shift-tab" {
            return Some(Self { code: KeyCode::BackTab, ctrl: false, alt: false, shift: false });
        }
        if let "shift-left" | "shift-right" = name {
            let code = if name == "shift-left" { KeyCode::Left } else { KeyCode::Right };
            return Some(Self { code, ctrl: false, alt: false, shift: true });
        }
        let (ctrl, rest) =
            name.strip_prefix("ctrl-").filter(|r| !r.is_empty()).map_or((false, name), |r| (true, r));
        let (alt, rest) =
            rest.strip_prefix("alt-").filter(|r| !r.is_empty()).map_or((false, rest), |r| (true, r));
        let code = if let Some((_, code)) = NAMES.iter().find(|(n, _)| *n == rest) {
            *code
        } else if let Some(n) =
            rest.strip_prefix('f').and_then(|n| n.parse().ok()).filter(|n| (1..=12).contains(n))
        {
            KeyCode::F(n)
        } else {
            let mut chars = rest.chars();
            let c = chars.next()?;
            if chars.next().is_some() {
                return None;
            }
            KeyCode::Char(c)
        };
        Some(Self { code, ctrl, alt, shift: false })
    }

    /// The event that this key makes: how tests type.
    pub const fn event(self) -> KeyEvent {
        let mut mods = KeyModifiers::NONE;
        if self.ctrl {
            mods = mods.union(KeyModifiers::CONTROL);
        }
        if self.alt {
            mods = mods.union(KeyModifiers::ALT);
        }
        if self.shift {
            mods = mods.union(KeyModifiers::SHIFT);
        }
        KeyEvent::new(self.code, mods)
    }

    /// The character that a text input takes; None for everything else.
    pub const fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// The key without modifiers, and whether Ctrl and Alt were held: for the editing keys of text inputs.
    pub const fn parts(self) -> (KeyCode, bool, bool) {
        (self.code, self.ctrl, self.alt)
    }
}

impl fmt::Display for Chord {
    /// As a person reads it: `⏎`, `Ctrl-g`, `F12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if self.shift {
            f.write_str("Shift-")?;
        }
        match self.code {
            KeyCode::Enter => f.write_str("Enter"),
            KeyCode::Esc => f.write_str("Esc"),
            KeyCode::Tab => f.write_str("Tab"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::Home => f.write_str("Home"),
            KeyCode::End => f.write_str("End"),
            KeyCode::Backspace => f.write_str("Backspace"),
            KeyCode::Char(c) => f.write_char(c),
            KeyCode::F(n) => write!(f, "F{n}"),
            _ => f.write_str("?"),
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// where
    pub context: Context,
    /// the key's name for [`Chord::parse`]
    pub key: &'static str,
    /// what it does
    pub action: Action,
    /// the word in the footer; None keeps it out of there
    pub hint: Option<&'static str>,
}

const fn bind(context: Context, key: &'static str, action: Action) -> Binding {
    Binding { context, key, action, hint: None }
}

const fn hint(context: Context, key: &'static str, action: Action, word: &'static str) -> Binding {
    Binding { context, key, action, hint: Some(word) }
}

/// The table. Hints appear in the footer in this order, those of the pane first.
const BINDINGS: &[Binding] = &[
    bind(Context::Global, "1", Action::Open(PaneId::Fleet)),
    bind(Context::Global, "2", Action::Open(PaneId::Activity)),
    bind(Context::Global, "3", Action::Open(PaneId::Waits)),
    bind(Context::Global, "4", Action::Open(PaneId::Blocking)),
    bind(Context::Global, "enter", Action::Enter),
    bind(Context::Global, "esc", Action::Out),
    bind(Context::Global, "-", Action::LastView),
    bind(Context::Global, "tab", Action::NextSection),
    bind(Context::Global, "shift-tab", Action::PrevSection),
    hint(Context::Global, "/", Action::Filter, "filter"),
    hint(Context::Global, "n", Action::NextProblem, "next problem"),
    bind(Context::Global, "N", Action::PrevProblem),
    hint(Context::Global, ":", Action::Palette, "go to"),
    bind(Context::Global, "ctrl-g", Action::Jump),
    bind(Context::Global, "ctrl-z", Action::FaultsOnly),
    bind(Context::Global, "p", Action::Pause),
    bind(Context::Global, "r", Action::Refresh),
    hint(Context::Global, "T", Action::Live, "live"),
    hint(Context::Global, "[", Action::StepBack, "back"),
    hint(Context::Global, "]", Action::StepOn, "forward"),
    bind(Context::Global, "{", Action::LongBack),
    bind(Context::Global, "}", Action::LongOn),
    hint(Context::Global, "t", Action::GoToTime, "time"),
    bind(Context::Global, "=", Action::Compare),
    bind(Context::Global, "B", Action::Bookmark),
    bind(Context::Global, "'", Action::Bookmarks),
    bind(Context::Global, "F", Action::Freeze),
    hint(Context::Global, "?", Action::Help, "help"),
    bind(Context::Global, "+", Action::Add),
    bind(Context::Global, "f12", Action::Overlay),
    bind(Context::Global, "ctrl-l", Action::Redraw),
    bind(Context::Global, "q", Action::Back),
    bind(Context::Global, "ctrl-c", Action::Interrupt),
    bind(Context::Table, "up", Action::Up),
    bind(Context::Table, "down", Action::Down),
    bind(Context::Table, "pgup", Action::PageUp),
    bind(Context::Table, "pgdn", Action::PageDown),
    bind(Context::Table, "home", Action::Home),
    bind(Context::Table, "end", Action::End),
    bind(Context::Table, "left", Action::Left),
    bind(Context::Table, "right", Action::Right),
    bind(Context::Table, "space", Action::Mark),
    bind(Context::Table, "ctrl-space", Action::MarkRange),
    bind(Context::Table, "<", Action::SortLeft),
    bind(Context::Table, ">", Action::SortRight),
    bind(Context::Table, "o", Action::SortReverse),
    bind(Context::Table, "y", Action::Copy),
    hint(Context::Pane(PaneId::Fleet), "enter", Action::Enter, "open"),
    hint(Context::Pane(PaneId::Fleet), "d", Action::Details, "why"),
    hint(Context::Pane(PaneId::Fleet), "v", Action::HeatMap, "heat map"),
    bind(Context::Pane(PaneId::Fleet), "f", Action::HealthFilter),
    hint(Context::Pane(PaneId::Fleet), "i", Action::Edit, "edit"),
    bind(Context::Pane(PaneId::Fleet), "ctrl-d", Action::Remove),
    hint(Context::Pane(PaneId::Instance), "enter", Action::Enter, "follow"),
    hint(Context::Pane(PaneId::Instance), "w", Action::Longer, "range"),
    bind(Context::Pane(PaneId::Instance), "W", Action::Shorter),
    bind(Context::Pane(PaneId::Instance), "shift-left", Action::PanBack),
    bind(Context::Pane(PaneId::Instance), "shift-right", Action::PanOn),
    bind(Context::Pane(PaneId::Instance), "c", Action::Beside),
    hint(Context::Pane(PaneId::Instance), "left", Action::Earlier, "values"),
    bind(Context::Pane(PaneId::Instance), "right", Action::Later),
    bind(Context::Pane(PaneId::Instance), ",", Action::Earlier),
    bind(Context::Pane(PaneId::Instance), ".", Action::Later),
    bind(Context::Pane(PaneId::Instance), "b", Action::Dots),
    hint(Context::Pane(PaneId::Instance), "d", Action::Details, "details"),
    hint(Context::Pane(PaneId::Instance), "i", Action::Edit, "edit"),
    hint(Context::Pane(PaneId::Activity), "enter", Action::Enter, "open"),
    hint(Context::Pane(PaneId::Activity), "g", Action::GroupBy, "group"),
    hint(Context::Pane(PaneId::Activity), "y", Action::Copy, "copy"),
    bind(Context::Pane(PaneId::Activity), "d", Action::Details),
    hint(Context::Pane(PaneId::Activity), "s", Action::Narrow, "this instance"),
    hint(Context::Pane(PaneId::Waits), "enter", Action::Enter, "who waits"),
    hint(Context::Pane(PaneId::Waits), "i", Action::Benign, "benign"),
    hint(Context::Pane(PaneId::Waits), "m", Action::Merge, "merge"),
    hint(Context::Pane(PaneId::Waits), "w", Action::Longer, "range"),
    bind(Context::Pane(PaneId::Waits), "W", Action::Shorter),
    bind(Context::Pane(PaneId::Waits), ",", Action::Earlier),
    bind(Context::Pane(PaneId::Waits), ".", Action::Later),
    bind(Context::Pane(PaneId::Waits), "shift-left", Action::PanBack),
    bind(Context::Pane(PaneId::Waits), "shift-right", Action::PanOn),
    bind(Context::Pane(PaneId::Waits), "c", Action::Beside),
    bind(Context::Pane(PaneId::Waits), "s", Action::Narrow),
    bind(Context::Pane(PaneId::Waits), "d", Action::Details),
    hint(Context::Pane(PaneId::Blocking), "enter", Action::Enter, "details"),
    hint(Context::Pane(PaneId::Blocking), "y", Action::Copy, "copy"),
    bind(Context::Pane(PaneId::Blocking), "d", Action::Details),
    hint(Context::Pane(PaneId::Blocking), "s", Action::Narrow, "this instance"),
    bind(Context::Reader, "up", Action::Up),
    bind(Context::Reader, "down", Action::Down),
    bind(Context::Reader, "pgup", Action::PageUp),
    bind(Context::Reader, "pgdn", Action::PageDown),
    bind(Context::Reader, "home", Action::Home),
    bind(Context::Reader, "end", Action::End),
    hint(Context::Reader, "esc", Action::Out, "close"),
    hint(Context::Reader, "y", Action::Copy, "copy"),
    hint(Context::Input, "enter", Action::Enter, "go"),
    hint(Context::Input, "esc", Action::Out, "cancel"),
    hint(Context::Input, "tab", Action::NextSection, "complete"),
    bind(Context::Input, "up", Action::Up),
    bind(Context::Input, "down", Action::Down),
    bind(Context::Input, "ctrl-c", Action::Interrupt),
    hint(Context::Form, "enter", Action::Enter, "go on"),
    hint(Context::Form, "esc", Action::Out, "back"),
    hint(Context::Form, "tab", Action::NextSection, "next field"),
    bind(Context::Form, "shift-tab", Action::PrevSection),
    bind(Context::Form, "down", Action::Down),
    bind(Context::Form, "up", Action::Up),
    bind(Context::Form, "ctrl-c", Action::Interrupt),
    hint(Context::Wizard, "enter", Action::Enter, "go on"),
    hint(Context::Wizard, "esc", Action::Out, "back"),
    bind(Context::Wizard, "tab", Action::NextSection),
    bind(Context::Wizard, "shift-tab", Action::PrevSection),
    bind(Context::Wizard, "down", Action::Down),
    bind(Context::Wizard, "up", Action::Up),
    hint(Context::Wizard, "pgdn", Action::NextStep, "next step"),
    bind(Context::Wizard, "pgup", Action::PrevStep),
    bind(Context::Wizard, "ctrl-n", Action::NextStep),
    bind(Context::Wizard, "ctrl-p", Action::PrevStep),
    hint(Context::Wizard, "ctrl-t", Action::Test, "test"),
    hint(Context::Wizard, "ctrl-s", Action::Save, "save"),
    bind(Context::Wizard, "ctrl-c", Action::Interrupt),
    hint(Context::Trial, "enter", Action::Enter, "go on"),
    hint(Context::Trial, "esc", Action::Out, "back"),
    bind(Context::Trial, "up", Action::Up),
    bind(Context::Trial, "down", Action::Down),
    bind(Context::Trial, "pgup", Action::PageUp),
    bind(Context::Trial, "pgdn", Action::PageDown),
    bind(Context::Trial, "home", Action::Home),
    bind(Context::Trial, "end", Action::End),
    bind(Context::Trial, "ctrl-p", Action::PrevStep),
    hint(Context::Trial, "ctrl-t", Action::Test, "test"),
    hint(Context::Trial, "ctrl-s", Action::Save, "save"),
    hint(Context::Trial, "y", Action::Copy, "copy script"),
    hint(Context::Bulk, "enter", Action::Enter, "go on"),
    hint(Context::Bulk, "esc", Action::Out, "back"),
    bind(Context::Bulk, "tab", Action::NextSection),
    bind(Context::Bulk, "shift-tab", Action::PrevSection),
    bind(Context::Bulk, "down", Action::Down),
    bind(Context::Bulk, "up", Action::Up),
    hint(Context::Bulk, "pgdn", Action::NextStep, "what would change"),
    bind(Context::Bulk, "ctrl-n", Action::NextStep),
    bind(Context::Bulk, "ctrl-s", Action::Save),
    bind(Context::Bulk, "ctrl-c", Action::Interrupt),
    hint(Context::Question, "enter", Action::Enter, "yes, if it is typed"),
    hint(Context::Question, "esc", Action::Out, "no"),
    bind(Context::Question, "ctrl-c", Action::Interrupt),
    hint(Context::List, "enter", Action::Enter, "open"),
    hint(Context::List, "esc", Action::Out, "close"),
    bind(Context::List, "up", Action::Up),
    bind(Context::List, "down", Action::Down),
    bind(Context::List, "pgup", Action::PageUp),
    bind(Context::List, "pgdn", Action::PageDown),
    bind(Context::List, "home", Action::Home),
    bind(Context::List, "end", Action::End),
    hint(Context::List, "y", Action::Copy, "copy"),
];

/// The bindings, in the order of the help.
pub const fn default_bindings() -> &'static [Binding] {
    BINDINGS
}

/// The table with its keys parsed: what the program looks keys up in.
#[derive(Debug)]
pub struct Keymap {
    keys: Vec<(Context, Chord, Action)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let parsed = |b: &Binding| Chord::parse(b.key).map(|c| (b.context, c, b.action));
        Self { keys: BINDINGS.iter().filter_map(parsed).collect() }
    }
}

impl Keymap {
    /// What a key means in the first of these contexts that knows it.
    pub fn resolve(&self, contexts: &[Context], chord: Chord) -> Option<Action> {
        let find =
            |c: &Context| self.keys.iter().find(|(at, k, _)| at == c && *k == chord).map(|(_, _, a)| *a);
        contexts.iter().find_map(find)
    }
}

/// `docs/keys.md`.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Keys\n\nMade from the key table in `src/tui/keymap.rs` by `dbtop keys`; a test keeps it true.\n\
         Ctrl-H, Ctrl-I, Ctrl-M and Ctrl-[ are unbound on purpose: terminals cannot tell them from other keys.\n",
    );
    for context in Context::ALL {
        let _ = write!(out, "\n## {}\n\n| key | does |\n|---|---|\n", context.title());
        for b in BINDINGS.iter().filter(|b| b.context == context) {
            if let Some(chord) = Chord::parse(b.key) {
                let _ = writeln!(out, "| `{chord}` | {} |", b.action.help());
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
    use std::collections::HashSet;

    #[test]
    fn every_key_can_be_typed_and_means_one_thing_in_its_context() {
        let mut seen = HashSet::new();
        for b in BINDINGS {
            let chord = Chord::parse(b.key).unwrap_or_else(|| panic!("no key is called {}", b.key));
            assert!(seen.insert((b.context, chord)), "{} is bound twice in {:?}", b.key, b.context);
            assert_eq!(Chord::of(chord.event()), chord);
            assert!(
                !matches!(b.key, "ctrl-h" | "ctrl-i" | "ctrl-m" | "ctrl-["),
                "{} cannot be told apart",
                b.key
            );
            assert!(!b.action.help().is_empty() && !b.action.help().ends_with('.'));
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
