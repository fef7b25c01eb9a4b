//! The commands behind `:` and their meaning: actions by name, panes with a scope, themes, filters, times. The palette
//! lists it and completes; the help and `docs/keys.md` are made from it.

use super::{
    action::{Action, ROWS},
    id::PaneId,
    theme::BUILT_IN,
};
use crate::model::{
    fold::{scope::Scope, snapshot::FleetSnapshot},
    inventory::record::Slug,
};
use std::{borrow::Cow, fmt};

/// The meaning of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// an action
    Do(Action),
    /// a pane, a scope, or both
    Go {
        /// None: stay
        pane: Option<PaneId>,
        /// None: keep; Some(empty): the whole fleet
        scopes: Option<Vec<Scope>>,
    },
    /// another theme
    Theme(String),
    /// a filter for the pane
    Filter(String),
    /// the rows of the pane in the order of a column
    Sort(String),
    /// another tenant
    Tenant(Slug),
    /// a time to go to, as typed
    At(String),
    /// what queries cost between two times, as typed; nothing typed: over the time of the charts
    Period(String),
}

/// Other words for commands: those of k9s and of vi, which hands know. A word that needs a sentence is in [`foreign`].
const ALSO: [(&str, &str); 13] = [
    ("quit", "q"),
    ("exit", "q"),
    ("q!", "q"),
    ("qa", "q"),
    ("wq", "q"),
    ("ctx", "tenant"),
    ("context", "tenant"),
    ("pulses", "heat"),
    ("xray", "blocking"),
    ("inst", "fleet"),
    ("instances", "fleet"),
    ("time", "at"),
    ("h", "help"),
];

/// Words of k9s that mean something else here, and subjects that have no pane yet.
fn foreign(word: &str, rest: &str) -> Option<String> {
    let group = if rest.is_empty() { "NAME" } else { rest };
    match word {
        "ns" | "namespace" => Some(format!("groups take the place of namespaces: :@{group}")),
        "alias" | "aliases" => Some("an empty : lists all panes, ? all commands".to_owned()),
        "jobs" | "job" => Some(
            "jobs have no pane yet: those that failed within a day stand in the details (d) of an instance, and in WHY"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Commands that take something, and what; panes are named in front of them.
const WITH: [(&str, &str); 7] = [
    ("@GROUP or INSTANCE", "only these; the pane stays"),
    ("theme NAME", "colours"),
    ("filter TEXT", "filter the rows of this pane"),
    ("sort COLUMN", "order the rows of this pane by a column"),
    ("tenant NAME", "watch another tenant"),
    ("at TIME", "go to a time: 02:14, -3h, yesterday 14:00"),
    ("period FROM - TO", "what each query cost between two times: 10:00 - 10:30, -2h - -1h"),
];

/// Actions by name: the word, what it does.
pub fn words() -> impl Iterator<Item = (&'static str, &'static str, Action)> {
    ROWS.iter().filter_map(|row| row.word.map(|(word, about)| (word, about, row.action)))
}

/// Panes by name: the word, what the pane shows. A scope may follow.
pub fn panes() -> impl Iterator<Item = (&'static str, &'static str, PaneId)> {
    PaneId::ALL.into_iter().filter_map(|pane| pane.row().word.map(|(word, about)| (word, about, pane)))
}

/// Commands that take something: how they are typed, and what they do.
pub fn with() -> impl Iterator<Item = (&'static str, &'static str)> {
    WITH.into_iter()
}

/// All commands with what they do, for the help and `docs/keys.md`.
pub fn commands() -> impl Iterator<Item = (Cow<'static, str>, &'static str)> {
    let names: Vec<&str> = panes().map(|(name, ..)| name).collect();
    let pane = format!("{} [@GROUP|INSTANCE]", names.join("|"));
    let with = WITH.into_iter().map(|(name, about)| (name.into(), about));
    std::iter::once((pane.into(), "a pane, in that scope"))
        .chain(with)
        .chain(words().map(|(name, about, _)| (name.into(), about)))
}

/// The first words of all commands.
fn first_words() -> impl Iterator<Item = &'static str> {
    let with = WITH.into_iter().filter_map(|(name, _)| name.split(' ').next());
    let with = with.filter(|name| !name.starts_with('@')).chain(["scope"]);
    panes().map(|(name, ..)| name).chain(with).chain(words().map(|(name, ..)| name))
}

/// The command that a first word names: exactly, by another word for it, or as the only one that begins so.
///
/// # Errors
/// It is the beginning of several.
fn command_of(word: &str) -> Result<Option<&'static str>, Unclear> {
    let also = ALSO.iter().find(|(other, _)| *other == word).map(|(_, name)| *name);
    if let Some(name) = first_words().find(|name| *name == word).or(also) {
        return Ok(Some(name));
    }
    let mut begin: Vec<&str> = first_words().filter(|name| name.starts_with(word)).collect();
    begin.sort_unstable();
    begin.dedup();
    match begin.as_slice() {
        [] => Ok(None),
        [name] => Ok(Some(name)),
        several => Err(Unclear::Several(format!("{word} may be {}", several.join(", ")))),
    }
}

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclear {
    /// it is the beginning of several
    Several(String),
    /// nothing is called so; what is near it, if anything is
    Nothing(String, Vec<String>),
    /// a sentence of its own
    Says(String),
}

impl From<String> for Unclear {
    fn from(words: String) -> Self {
        Self::Says(words)
    }
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Several(words) | Self::Says(words) => f.write_str(words),
            Self::Nothing(name, near) if near.is_empty() => write!(f, "nothing is called {name}"),
            Self::Nothing(name, near) => write!(f, "nothing is called {name}; near it: {}", near.join(", ")),
        }
    }
}

/// [`read`], with the keys of the palette that help on.
///
/// # Errors
/// A sentence for the user when nothing of that name is there, or several are.
pub fn interpret(text: &str, snapshot: &FleetSnapshot) -> Result<Command, String> {
    read(text, snapshot).map_err(|unclear| match unclear {
        Unclear::Several(_) => format!("{unclear}: type on, or ↓ chooses"),
        Unclear::Nothing(..) => format!("{unclear}: ↓ or Tab takes the nearest, ? shows all"),
        Unclear::Says(words) => words,
    })
}

/// Reads a command from a text: exact names, and beginnings that fit one name only. Guesses are the palette's, and are never
/// carried out before they were chosen.
///
/// # Errors
/// Nothing of that name is there, or several are.
pub fn read(text: &str, snapshot: &FleetSnapshot) -> Result<Command, Unclear> {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).map_or((text, ""), |(a, b)| (a, b.trim()));
    let typed = first.to_ascii_lowercase();
    if let Some(words) = foreign(&typed, rest) {
        return Err(words.into());
    }
    // A name of the fleet comes before the beginning of a command.
    let exact = scope(text, snapshot);
    let word = match command_of(&typed) {
        Ok(word) => word.unwrap_or_default(),
        Err(_) if exact.is_ok() => "",
        Err(several) => return Err(several),
    };
    let word = if exact.is_ok() && word != typed { "" } else { word };
    if let Some((_, _, pane)) = panes().find(|(n, ..)| *n == word) {
        let scopes = if rest.is_empty() { None } else { Some(scope(rest, snapshot)?) };
        return Ok(Command::Go { pane: Some(pane), scopes });
    }
    match word {
        "sort" if rest.is_empty() => {
            return Err("sort by which column? Its title, such as :sort cpu".to_owned().into());
        }
        "sort" => return Ok(Command::Sort(rest.to_owned())),
        "theme" if rest.is_empty() => return Err(format!("which theme? {}", theme_names()).into()),
        "theme" => return Ok(Command::Theme(rest.to_owned())),
        "filter" => return Ok(Command::Filter(rest.to_owned())),
        "tenant" if rest.is_empty() => {
            return Ok(Command::Go { pane: Some(PaneId::Tenants), scopes: None });
        }
        "tenant" => return Ok(Command::Tenant(Slug::parse(rest).map_err(|e| e.to_string())?)),
        "at" => return Ok(Command::At(rest.to_owned())),
        "period" => return Ok(Command::Period(rest.to_owned())),
        "scope" if !rest.is_empty() => {
            return Ok(Command::Go { pane: None, scopes: Some(scope(rest, snapshot)?) });
        }
        _ => {}
    }
    if rest.is_empty()
        && let Some((_, _, action)) = words().find(|(n, ..)| *n == word)
    {
        return Ok(Command::Do(action));
    }
    let scopes = exact
        .or_else(|why| begun(text, snapshot).ok_or(why))
        .map_err(|_| Unclear::Nothing(text.to_owned(), near(text, snapshot)))?;
    let one = matches!(scopes.last(), Some(Scope::Instance(_)));
    Ok(Command::Go { pane: one.then_some(PaneId::Instance), scopes: Some(scopes) })
}

/// The only instance whose name begins so.
fn begun(text: &str, snapshot: &FleetSnapshot) -> Option<Vec<Scope>> {
    let begins = |name: &str| name.get(..text.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(text));
    let mut found = snapshot.instances.iter().filter(|i| !text.is_empty() && begins(i.id().as_str()));
    let one = found.next()?;
    found.next().is_none().then(|| vec![Scope::Instance(one.id().clone())])
}

/// The names that begin most like a text, the nearest first: of instances, groups and commands.
fn near(text: &str, snapshot: &FleetSnapshot) -> Vec<String> {
    const MOST: usize = 3;
    let text = text.trim_start_matches('@').to_lowercase();
    let shared =
        |name: &str| name.to_lowercase().chars().zip(text.chars()).take_while(|(a, b)| a == b).count();
    let instances = snapshot.instances.iter().map(|i| i.id().to_string());
    let groups = snapshot.instances.iter().flat_map(|i| &i.info.groups).map(|group| format!("@{group}"));
    let all = instances.chain(groups).chain(first_words().map(str::to_owned));
    // Half of a word is a likeness, and a letter alone is none.
    let mut found: Vec<(usize, String)> =
        all.map(|name| (shared(name.trim_start_matches('@')), name)).collect();
    found.retain(|(same, _)| *same >= 2 && same * 2 >= text.chars().count());
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    found.dedup();
    let best = found.first().map_or(0, |(same, _)| *same);
    found.into_iter().take_while(|(same, _)| *same == best).take(MOST).map(|(_, name)| name).collect()
}

fn theme_names() -> String {
    BUILT_IN.map(|(n, _)| n).join(", ")
}

fn scope(text: &str, snapshot: &FleetSnapshot) -> Result<Vec<Scope>, String> {
    Scope::parse(text, snapshot).map(|s| s.into_iter().collect()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture;

    fn read(text: &str) -> Result<Command, String> {
        interpret(text, &fixture::small())
    }

    fn goes(text: &str) -> Option<PaneId> {
        match read(text) {
            Ok(Command::Go { pane, .. }) => pane,
            _ => None,
        }
    }

    #[test]
    fn exact_names_and_beginnings_of_one_name_are_carried_out() {
        assert_eq!(goes("waits"), Some(PaneId::Waits));
        assert_eq!(goes("WA"), Some(PaneId::Waits));
        assert_eq!(goes("wa @prod"), Some(PaneId::Waits));
        assert_eq!(goes("sqlprd-014"), Some(PaneId::Instance));
        assert_eq!(goes("sqlrep"), Some(PaneId::Instance), "one instance begins so");
        assert_eq!(read("q"), Ok(Command::Do(Action::Quit)), "an exact name, however many begin so");
    }

    #[test]
    fn a_guess_is_never_carried_out() {
        for text in ["rm", "ns", "lorem", "p21", "wiats", "sqlprd", "drop", "x", ""] {
            assert!(read(text).is_err(), "{text} did {:?}", read(text));
        }
        for (text, among) in [("f", "fleet"), ("a", "activity"), ("re", "remove"), ("b", "backup")] {
            let why = read(text).unwrap_err();
            assert!(why.starts_with(&format!("{text} may be ")) && why.contains(among), "{why}");
        }
    }

    #[test]
    fn an_unknown_word_is_answered_with_what_is_near_it() {
        let why = |text: &str| read(text).unwrap_err();
        assert!(
            why("sqlprd-099").starts_with("nothing is called sqlprd-099; near it: sqlprd-00"),
            "{}",
            why("sqlprd-099")
        );
        assert!(why("wairs").contains("near it: waits"), "{}", why("wairs"));
        assert!(why("@prid").contains("near it: @prod"), "{}", why("@prid"));
        assert!(why("zzz").starts_with("nothing is called zzz: "), "{}", why("zzz"));
        assert!(why("jobs failed").starts_with("jobs have no pane yet"), "{}", why("jobs failed"));
    }

    #[test]
    fn words_of_k9s_lead_to_what_they_mean() {
        assert_eq!(goes("ctx"), Some(PaneId::Tenants));
        assert_eq!(read("q!"), Ok(Command::Do(Action::Quit)));
        assert_eq!(read("pulses"), Ok(Command::Do(Action::HeatMap)));
        assert_eq!(goes("xray"), Some(PaneId::Blocking));
        assert_eq!(read("sort cpu"), Ok(Command::Sort("cpu".into())));
        assert_eq!(goes("inst sqlprd-014"), Some(PaneId::Fleet));
        assert!(matches!(read("inst sqlprd-014"), Ok(Command::Go { scopes: Some(s), .. }) if s.len() == 1));
        assert_eq!(read("ns prod").unwrap_err(), "groups take the place of namespaces: :@prod");
    }

    #[test]
    fn every_other_word_leads_to_a_command_and_hides_none() {
        for (other, name) in ALSO {
            assert!(first_words().any(|word| word == name), "{other} leads to {name}");
            assert!(first_words().all(|word| word != other), "{other} is a command itself");
        }
    }
}
