//! What can be typed behind `:`, and what it means: actions by name, panes with a scope, themes, filters, times. The palette
//! lists it and completes; the help and `docs/keys.md` are made from it.

use super::{action::Action, id::PaneId, theme::BUILT_IN};
use crate::model::{record::Slug, scope::Scope, snapshot::FleetSnapshot};

/// What a command asks for.
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

/// Words that need nothing after them.
pub const WORDS: [(&str, &str, Action); 26] = [
    ("help", "the keys of this pane", Action::Help),
    ("pause", "the screen stands still", Action::Pause),
    ("refresh", "poll what is in view now", Action::Refresh),
    ("faults", "faults only", Action::FaultsOnly),
    ("heat", "heat map", Action::HeatMap),
    ("jump", "to an instance", Action::Jump),
    ("next", "next problem", Action::NextProblem),
    ("last", "the view before this one", Action::LastView),
    ("benign", "show benign waits too", Action::Benign),
    ("group", "group by the next field", Action::GroupBy),
    ("own", "dbtop's own figures", Action::Overlay),
    ("redraw", "paint everything anew", Action::Redraw),
    ("lock", "the inventory; polling goes on", Action::Lock),
    ("unlock", "the inventory", Action::Unlock),
    ("doctor", "what the logins here may not see", Action::Doctor),
    ("tenants", "watch another one", Action::Tenants),
    ("add", "an instance", Action::Add),
    ("edit", "this instance, or those marked", Action::Edit),
    ("remove", "this instance, or those marked", Action::Remove),
    ("live", "back to the present", Action::Live),
    ("compare", "what changed most since another time, or between two marked instances", Action::Compare),
    ("bookmark", "this instant, with a note", Action::Bookmark),
    ("bookmarks", "and incidents: jump to one", Action::Bookmarks),
    ("freeze", "keep the last ten minutes as an incident", Action::Freeze),
    ("cost", "what the watching costs", Action::Cost),
    ("q", "quit", Action::Quit),
];

/// Panes by name; a scope may follow.
pub const PANES: [(&str, &str, PaneId); 4] = [
    ("fleet", "all instances", PaneId::Fleet),
    ("activity", "what runs now", PaneId::Activity),
    ("waits", "what is waited for", PaneId::Waits),
    ("blocking", "who blocks whom", PaneId::Blocking),
];

/// Commands that take something, and what.
const WITH: [(&str, &str); 6] = [
    ("fleet|activity|waits|blocking [@GROUP|INSTANCE]", "a pane, in that scope"),
    ("@GROUP or INSTANCE", "only these; the pane stays"),
    ("theme NAME", "colours"),
    ("filter TEXT", "filter the rows of this pane"),
    ("tenant NAME", "watch another tenant"),
    ("at TIME", "go to a time: 02:14, -3h, yesterday 14:00"),
];

/// All commands with what they do, for the help and `docs/keys.md`.
pub fn commands() -> impl Iterator<Item = (&'static str, &'static str)> {
    WITH.into_iter().chain(WORDS.iter().map(|(name, about, _)| (*name, *about)))
}

/// Makes a command of a text.
///
/// # Errors
/// A sentence for the user when nothing of that name is there.
pub fn interpret(text: &str, snapshot: &FleetSnapshot) -> Result<Command, String> {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).map_or((text, ""), |(a, b)| (a, b.trim()));
    let word = first.to_ascii_lowercase();
    if let Some((_, _, pane)) = PANES.iter().find(|(n, ..)| *n == word) {
        let scopes = if rest.is_empty() { None } else { Some(scope(rest, snapshot)?) };
        return Ok(Command::Go { pane: Some(*pane), scopes });
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
        && let Some((_, _, action)) = WORDS.iter().find(|(n, ..)| *n == word)
    {
        return Ok(Command::Do(*action));
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
