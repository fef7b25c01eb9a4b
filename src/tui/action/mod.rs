//! Everything a key or a command can ask for. Panes and layers get actions, never keys. `table` has a row for each; here is
//! the form of a row and what can be asked of one.

mod table;

pub use table::{Action, ROWS};

use super::{
    id::{PaneId, Subject},
    key::Chord,
};

/// The part of the screen in which a key has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// everywhere outside text inputs
    Global,
    /// tables of any pane
    Table,
    /// panes whose rows are parts of instances: sessions, waits, files
    Parts,
    /// panes with charts over a time line
    Charts,
    /// panes whose rows are things of the inventory: groups, labels
    Records,
    /// one pane
    Pane(PaneId),
    /// layers that show a text: details, help
    Reader,
    /// text inputs: palette, filter, jump
    Input,
    /// dialogs with fields: a key without a meaning is typed
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
    /// dialogs that choose instances: what has no meaning is typed, and filters them
    Pick,
    /// the tree of a plan
    Plan,
    /// the picture of a deadlock
    Deadlock,
}

impl Context {
    /// All, in the order of the help.
    pub fn all() -> impl Iterator<Item = Self> {
        let dialogs = [
            Self::Reader,
            Self::Input,
            Self::Form,
            Self::Wizard,
            Self::Trial,
            Self::Bulk,
            Self::Question,
            Self::List,
            Self::Pick,
            Self::Plan,
            Self::Deadlock,
        ];
        let shared = [Self::Global, Self::Table, Self::Parts, Self::Charts, Self::Records];
        shared.into_iter().chain(PaneId::ALL.map(Self::Pane)).chain(dialogs)
    }

    /// Where the keys of a pane are looked up, the narrowest first: its own, and those that it has by what it is made of.
    pub fn of_pane(pane: PaneId) -> Vec<Self> {
        let row = pane.row();
        let inherited =
            [(row.has_charts, Self::Charts), (row.has_parts, Self::Parts), (row.has_records, Self::Records)];
        let inherited = inherited.into_iter().filter(|(has, _)| *has).map(|(_, context)| context);
        [Self::Pane(pane)].into_iter().chain(inherited).chain([Self::Table, Self::Global]).collect()
    }

    /// Heading in help and docs.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Table => "In tables",
            Self::Parts => "On rows that are parts of an instance",
            Self::Charts => "With charts",
            Self::Records => "On things of the inventory",
            Self::Pane(pane) => pane.row().name,
            Self::Reader => "Details and help",
            Self::Input => "Command line, filter, jump",
            Self::Form => "Dialogs with fields",
            Self::Wizard => "Wizard",
            Self::Trial => "Wizard: test and save",
            Self::Bulk => "Form for many instances",
            Self::Question => "Questions that ask for a word",
            Self::List => "Dialogs with a list",
            Self::Pick => "Dialogs that choose instances",
            Self::Plan => "Plan",
            Self::Deadlock => "Deadlock",
        }
    }

    /// True where rows are things of the inventory and no instances.
    const fn is_of_things(self) -> bool {
        match self {
            Self::Records => true,
            Self::Pane(pane) => matches!(pane.row().subject, Subject::Inventory),
            _ => false,
        }
    }

    /// True for layers that ask for something: they come over all else, and Esc out of one is an answer.
    pub const fn is_dialog(self) -> bool {
        matches!(
            self,
            Self::Form | Self::Wizard | Self::Trial | Self::Bulk | Self::Question | Self::List | Self::Pick
        )
    }

    /// True if keys without a meaning are typed.
    pub const fn takes_text(self) -> bool {
        matches!(self, Self::Input | Self::Form | Self::Wizard | Self::Bulk | Self::Question | Self::Pick)
    }
}

/// The effect of an action outside of the screen. It decides where the action is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// nothing: it shows something else
    Shows,
    /// nothing, and the rows stay as they are: it moves a cursor, marks or copies
    Moves,
    /// nothing: it changes the instant on the screen
    Travels,
    /// asks servers
    Polls,
    /// changes the inventory
    Changes,
    /// writes into history what happens now
    Records,
    /// writes a note into history, at any instant
    Notes,
    /// opens, locks or changes the vault
    Vault,
}

impl Kind {
    /// Why it is refused while an instant of the past is shown; None: it is not.
    pub const fn refused_in_past(self) -> Option<&'static str> {
        match self {
            Self::Polls | Self::Changes | Self::Records => {
                Some("this is the past: nothing is polled or changed here, T leads back to live")
            }
            Self::Shows | Self::Moves | Self::Travels | Self::Notes | Self::Vault => None,
        }
    }

    /// Why it is refused while a recording is played; None: it is not.
    pub const fn refused_in_recording(self) -> Option<&'static str> {
        match self {
            Self::Polls => Some("a recording: no server is there to be asked"),
            Self::Changes => Some("a recording has no inventory to change"),
            Self::Records | Self::Notes => Some("a recording cannot be written: no bookmarks"),
            Self::Vault => Some("a recording has no tenant and no vault"),
            Self::Shows | Self::Moves | Self::Travels => None,
        }
    }
}

/// When the footer tells an action: only where it can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// always
    Always,
    /// there is an instance
    Instances,
    /// the cursor is on a row
    Row,
    /// the cursor is on a row, and more than one instance is in scope
    RowOfMany,
    /// an instant of the past is shown
    Past,
}

/// One key of an action.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// where it means that
    pub context: Context,
    /// its name for `Chord::parse`
    pub name: &'static str,
    /// the word in the footer; None keeps it out of there
    pub hint: Option<&'static str>,
}

/// Keys that have a letter, too, as in vi, wherever keys are not typed: a key of the table of actions, and its letter. A
/// narrower context that has the key has the letter with it.
const VIM: [(&str, &str); 8] = [
    ("up", "k"),
    ("down", "j"),
    ("left", "h"),
    ("right", "l"),
    ("home", "g"),
    ("end", "G"),
    ("pgup", "ctrl-b"),
    ("pgdn", "ctrl-f"),
];

impl Key {
    /// The letter that means the same, where nothing is typed.
    fn letter(&self) -> Option<Self> {
        let letter = VIM.iter().find(|(name, _)| *name == self.name && !self.context.takes_text());
        letter.map(|(_, letter)| at(self.context, letter))
    }
}

/// A key that the footer does not tell.
const fn at(context: Context, name: &'static str) -> Key {
    Key { context, name, hint: None }
}

/// A key that the footer tells with this word, in the order of the table, those of the pane first.
const fn told(context: Context, name: &'static str, hint: &'static str) -> Key {
    Key { context, name, hint: Some(hint) }
}

/// Everything about an action: one row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// which one
    pub action: Action,
    /// the help: one line, no final stop
    pub help: &'static str,
    /// what it does outside of the screen
    pub kind: Kind,
    /// when the footer tells it
    pub when: When,
    /// its word behind `:`, and other words for it
    pub word: Option<(&'static str, &'static str)>,
    /// default keys
    pub keys: &'static [Key],
}

impl Row {
    const fn new(action: Action, help: &'static str) -> Self {
        Self { action, help, kind: Kind::Shows, when: When::Instances, word: None, keys: &[] }
    }

    const fn moves(self) -> Self {
        Self { kind: Kind::Moves, ..self }
    }

    const fn travels(self) -> Self {
        Self { kind: Kind::Travels, ..self }
    }

    const fn polls(self) -> Self {
        Self { kind: Kind::Polls, ..self }
    }

    const fn changes(self) -> Self {
        Self { kind: Kind::Changes, ..self }
    }

    const fn records(self) -> Self {
        Self { kind: Kind::Records, ..self }
    }

    const fn notes(self) -> Self {
        Self { kind: Kind::Notes, ..self }
    }

    const fn of_vault(self) -> Self {
        Self { kind: Kind::Vault, ..self }
    }

    const fn always(self) -> Self {
        Self { when: When::Always, ..self }
    }

    const fn in_past(self) -> Self {
        Self { when: When::Past, ..self }
    }

    const fn on_row(self) -> Self {
        Self { when: When::Row, ..self }
    }

    const fn on_row_of_many(self) -> Self {
        Self { when: When::RowOfMany, ..self }
    }

    const fn word(self, word: &'static str, about: &'static str) -> Self {
        Self { word: Some((word, about)), ..self }
    }

    const fn keys(self, keys: &'static [Key]) -> Self {
        Self { keys, ..self }
    }
}

impl Action {
    /// Its effect outside of the screen.
    pub fn kind(self) -> Kind {
        ROWS.iter().find(|row| row.action == self).map_or(Kind::Shows, |row| row.kind)
    }

    /// True for an action that leaves the rows as they are.
    pub fn only_moves(self) -> bool {
        self.kind() == Kind::Moves
    }
}

/// A key and what it does, for lists of keys.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// the key
    pub key: Key,
    /// the action
    pub action: Action,
    /// what it does
    pub help: &'static str,
    /// see [`Row::kind`]
    pub kind: Kind,
    /// see [`Row::when`]
    pub when: When,
}

impl Binding {
    /// What it does in its place, in words: what some actions do differs by it, and the footer's word says it.
    pub fn does(&self) -> &'static str {
        let (context, is_of_things) = (self.key.context, self.key.context.is_of_things());
        match (self.action, self.key.hint) {
            (Action::Enter | Action::Out | Action::NextSection | Action::Filter, Some(hint))
                if context != Context::Global =>
            {
                hint
            }
            (Action::Add | Action::Edit | Action::Remove, Some(hint)) if is_of_things => hint,
            (Action::Edit, None) if is_of_things => "edit",
            // Where text is typed, the parts are fields.
            (Action::NextSection, None) if context.takes_text() => "next field",
            (Action::PrevSection, None) if context.takes_text() => "previous field",
            _ => self.help,
        }
    }

    /// True if its key means this where these contexts are asked, the narrowest first: no narrower one has the key, too.
    pub fn is_meant(&self, contexts: &[Context]) -> bool {
        let place = |key: &Key| contexts.iter().position(|context| *context == key.context);
        let is_narrower = |key: &Key, at: usize| place(key).is_some_and(|n| n < at);
        place(&self.key).is_some_and(|at| {
            !bindings().any(|other| other.key.name == self.key.name && is_narrower(&other.key, at))
        })
    }
}

/// The keys of a context with what they do, those of one action together: `↑ k`, `one row up`.
pub fn listed(context: Context) -> Vec<(Vec<Chord>, &'static str)> {
    let mut lines: Vec<(Action, Vec<Chord>, &str)> = Vec::new();
    for b in bindings().filter(|b| b.key.context == context) {
        let Some(chord) = Chord::parse(b.key.name) else { continue };
        match lines.iter_mut().find(|(action, ..)| *action == b.action) {
            Some((_, chords, _)) => chords.push(chord),
            None => lines.push((b.action, vec![chord], b.does())),
        }
    }
    lines.into_iter().map(|(_, chords, help)| (chords, help)).collect()
}

/// All keys, in the order in which they are listed within their context: first those that open panes.
pub fn bindings() -> impl Iterator<Item = Binding> {
    let panes = PaneId::ALL.into_iter().filter_map(|pane| {
        let (key, help) = (at(Context::Global, pane.row().key?), pane.row().help);
        Some(Binding { key, action: Action::Open(pane), help, kind: Kind::Shows, when: When::Instances })
    });
    let actions = ROWS.iter().flat_map(|row| {
        let (action, help, kind, when) = (row.action, row.help, row.kind, row.when);
        let keys = row.keys.iter().flat_map(|key| [Some(*key), key.letter()]).flatten();
        keys.map(move |key| Binding { key, action, help, kind, when })
    });
    panes.chain(actions)
}
