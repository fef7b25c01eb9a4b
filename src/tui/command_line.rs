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
use std::borrow::Cow;

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
    /// another tenant
    Tenant(Slug),
    /// a time to go to, as typed
    At(String),
}

/// Commands that take something, and what; panes are named in front of them.
const WITH: [(&str, &str); 5] = [
    ("@GROUP or INSTANCE", "only these; the pane stays"),
    ("theme NAME", "colours"),
    ("filter TEXT", "filter the rows of this pane"),
    ("tenant NAME", "watch another tenant"),
    ("at TIME", "go to a time: 02:14, -3h, yesterday 14:00"),
];

/// Actions by name: the word, what it does.
pub fn words() -> impl Iterator<Item = (&'static str, &'static str, Action)> {
    ROWS.iter().filter_map(|row| row.word.map(|(word, about)| (word, about, row.action)))
}

/// Panes by name: the word, what the pane shows. A scope may follow.
pub fn panes() -> impl Iterator<Item = (&'static str, &'static str, PaneId)> {
    PaneId::ALL.into_iter().filter_map(|pane| pane.row().word.map(|(word, about)| (word, about, pane)))
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

/// Reads a command from a text.
///
/// # Errors
/// A sentence for the user when nothing of that name is there.
pub fn interpret(text: &str, snapshot: &FleetSnapshot) -> Result<Command, String> {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).map_or((text, ""), |(a, b)| (a, b.trim()));
    let word = first.to_ascii_lowercase();
    if let Some((_, _, pane)) = panes().find(|(n, ..)| *n == word) {
        let scopes = if rest.is_empty() { None } else { Some(scope(rest, snapshot)?) };
        return Ok(Command::Go { pane: Some(pane), scopes });
    }
    match word.as_str() {
        "quit" | "exit" => return Ok(Command::Do(Action::Quit)),
        "theme" if rest.is_empty() => return Err(format!("which theme? {}", theme_names())),
        "theme" => return Ok(Command::Theme(rest.to_owned())),
        "filter" => return Ok(Command::Filter(rest.to_owned())),
        "tenant" if rest.is_empty() => return Ok(Command::Do(Action::Tenants)),
        "tenant" => return Slug::parse(rest).map(Command::Tenant).map_err(|e| e.to_string()),
        "at" | "time" => return Ok(Command::At(rest.to_owned())),
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
    let scopes = scope(text, snapshot).map_err(|_| format!("nothing is called {text}: ? shows the keys"))?;
    let one = matches!(scopes.last(), Some(Scope::Instance(_)));
    Ok(Command::Go { pane: one.then_some(PaneId::Instance), scopes: Some(scopes) })
}

fn theme_names() -> String {
    BUILT_IN.map(|(n, _)| n).join(", ")
}

fn scope(text: &str, snapshot: &FleetSnapshot) -> Result<Vec<Scope>, String> {
    Scope::parse(text, snapshot).map(|s| s.into_iter().collect()).map_err(|e| e.to_string())
}
