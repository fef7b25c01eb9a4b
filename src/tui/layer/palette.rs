//! The command line: `:waits`, `:blocking @prod`, `:sqlprd-014`, `:theme light`. Completes fuzzily, remembers.

use super::{
    input::Line,
    jump::{popup, rank},
};
use crate::model::{record::Slug, snapshot::FleetSnapshot};
use crate::tui::{
    action::Action, pane::PaneId, place::Scope, theme::BUILT_IN, theme::Theme, widget::canvas::Canvas,
};
use nucleo_matcher::{Config, Matcher};
use std::{collections::VecDeque, sync::Arc};

/// Commands that the history keeps.
const HISTORY: usize = 50;

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
const WORDS: [(&str, &str, Action); 26] = [
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
const PANES: [(&str, &str, PaneId); 4] = [
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

#[derive(Debug)]
struct Candidate {
    text: String,
    about: &'static str,
}

/// The layer.
#[derive(Debug)]
pub struct Palette {
    /// what is typed
    pub line: Line,
    /// why the last Enter did nothing
    pub error: Option<String>,
    all: Vec<Candidate>,
    found: Vec<usize>,
    cursor: usize,
    moved: bool,
    matcher: Box<Matcher>,
}

impl Palette {
    /// With all that can be named now, recent commands first.
    pub fn new(snapshot: &FleetSnapshot, history: &VecDeque<String>) -> Self {
        let mut all: Vec<Candidate> =
            history.iter().map(|h| Candidate { text: h.clone(), about: "again" }).collect();
        all.extend(PANES.iter().map(|(n, about, _)| Candidate { text: (*n).to_owned(), about }));
        all.extend(WORDS.iter().map(|(n, about, _)| Candidate { text: (*n).to_owned(), about }));
        all.extend(BUILT_IN.iter().map(|(n, _)| Candidate { text: format!("theme {n}"), about: "colours" }));
        let mut groups: Vec<&Arc<str>> = snapshot.instances.iter().flat_map(|i| &i.info.groups).collect();
        groups.sort();
        groups.dedup();
        all.extend(groups.iter().map(|g| Candidate { text: format!("@{g}"), about: "group" }));
        for (n, about, _) in PANES.iter().skip(1) {
            all.extend(groups.iter().map(|g| Candidate { text: format!("{n} @{g}"), about }));
        }
        all.extend(
            snapshot
                .instances
                .iter()
                .map(|i| Candidate { text: i.id().as_str().to_owned(), about: "instance" }),
        );
        let matcher = Box::new(Matcher::new(Config::DEFAULT));
        let mut p = Self {
            line: Line::default(),
            error: None,
            all,
            found: Vec::new(),
            cursor: 0,
            moved: false,
            matcher,
        };
        p.update();
        p
    }

    /// Ranks anew after a key.
    pub fn update(&mut self) {
        self.found = rank(&mut self.matcher, self.line.text(), self.all.iter().map(|c| c.text.as_str()));
        self.cursor = 0;
        self.moved = false;
        self.error = None;
    }

    /// Moves the cursor through the completions.
    pub fn step(&mut self, down: bool) {
        let last = self.found.len().saturating_sub(1);
        self.moved = true;
        self.cursor = if down { (self.cursor + 1).min(last) } else { self.cursor.saturating_sub(1) };
    }

    /// Takes the completion into the line.
    pub fn complete(&mut self) {
        if let Some(text) = self.completion().map(str::to_owned) {
            self.line.set(&text);
            self.update();
        }
    }

    fn completion(&self) -> Option<&str> {
        self.found.get(self.cursor).and_then(|i| self.all.get(*i)).map(|c| c.text.as_str())
    }

    /// What Enter means: the text as it stands if it is a command and no completion was chosen, else the completion.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn command(&self, snapshot: &FleetSnapshot) -> Result<(Command, String), String> {
        let typed = self.line.text();
        let as_typed = interpret(typed, snapshot);
        if !self.moved && (as_typed.is_ok() || typed.trim().contains(' ')) && !typed.trim().is_empty() {
            return as_typed.map(|c| (c, typed.trim().to_owned()));
        }
        match self.completion() {
            Some(text) => interpret(text, snapshot).map(|c| (c, text.to_owned())),
            None => as_typed.map(|c| (c, typed.trim().to_owned())),
        }
    }

    /// Puts a command in front of the history.
    pub fn remember(history: &mut VecDeque<String>, text: String) {
        history.retain(|h| *h != text);
        history.push_front(text);
        history.truncate(HISTORY);
    }

    /// Draws the completions above the input line, which is the last line of the canvas.
    pub fn render(&self, canvas: &mut Canvas<'_>, theme: &Theme) {
        let (w, h) = (canvas.width(), canvas.height());
        let rows = self.found.len().min(8).min(usize::from(h.saturating_sub(2)));
        let mut list = popup(canvas, rows, theme, "go to");
        let top = (self.cursor + 1).saturating_sub(rows);
        for (y, n) in (top..self.found.len()).take(rows).enumerate() {
            let Some(c) = self.found.get(n).and_then(|i| self.all.get(*i)) else { continue };
            let y = y as u16 + 1;
            let used = list.put(2, y, w.saturating_sub(4).min(40), &c.text, theme.base);
            list.put((2 + used + 2).max(28), y, w.saturating_sub(30), c.about, theme.dim);
            if n == self.cursor {
                list.tint(0, y, w, 1, theme.selection);
            }
        }
        let y = h.saturating_sub(1);
        canvas.part(0, y, w, 1).clear(theme.input);
        let used = self.line.render(canvas, y, " :", theme);
        if let Some(e) = &self.error {
            canvas.put(used + 2, y, w.saturating_sub(used + 3), e, theme.critical);
        }
    }
}
