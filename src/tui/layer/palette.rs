//! The command line: `:waits`, `:blocking @prod`, `:sqlprd-014`, `:theme light`. Completes fuzzily, remembers. Enter carries out what
//! is typed, or the completion that was chosen with an arrow or Tab; it never guesses.

use super::{
    Behind, Layer, Out,
    input::{Line, Recall, complain},
    jump::{popup, rank},
};
use crate::model::fold::snapshot::FleetSnapshot;
use crate::tui::{
    action::{Action, Context},
    command_line::{Command, interpret, panes, words},
    id::Subject,
    key::Chord,
    theme::BUILT_IN,
    widget::canvas::Canvas,
    wish::Wish,
};
use nucleo_matcher::{Config, Matcher};
use std::{collections::VecDeque, sync::Arc};

/// Columns of the subject of a pane.
const SUBJECT: u16 = 12;

#[derive(Debug)]
struct Candidate {
    text: String,
    about: &'static str,
    /// of a pane
    subject: Option<Subject>,
}

/// The layer.
#[derive(Debug)]
pub struct Palette {
    /// what is typed
    line: Line,
    /// why the last Enter did nothing
    error: Option<String>,
    all: Vec<Candidate>,
    found: Vec<usize>,
    cursor: usize,
    moved: bool,
    matcher: Box<Matcher>,
    history: Recall,
}

impl Palette {
    /// A command line that completes all present names: first the panes by their subjects. `↑` brings recent commands back.
    pub fn new(snapshot: &FleetSnapshot, history: &VecDeque<String>) -> Self {
        let mut all: Vec<Candidate> = Vec::new();
        for subject in Subject::ALL {
            let of = panes().filter(|(.., pane)| pane.row().subject == subject);
            all.extend(of.map(|(n, about, _)| Candidate {
                text: n.to_owned(),
                about,
                subject: Some(subject),
            }));
        }
        all.extend(words().map(|(n, about, _)| Candidate { text: n.to_owned(), about, subject: None }));
        all.extend(BUILT_IN.iter().map(|(n, _)| Candidate {
            text: format!("theme {n}"),
            about: "colours",
            subject: None,
        }));
        let mut groups: Vec<&Arc<str>> = snapshot.instances.iter().flat_map(|i| &i.info.groups).collect();
        groups.sort();
        groups.dedup();
        all.extend(groups.iter().map(|g| Candidate { text: format!("@{g}"), about: "group", subject: None }));
        for (n, about, _) in panes().skip(1) {
            all.extend(groups.iter().map(|g| Candidate { text: format!("{n} @{g}"), about, subject: None }));
        }
        all.extend(snapshot.instances.iter().map(|i| Candidate {
            text: i.id().as_str().to_owned(),
            about: "instance",
            subject: None,
        }));
        let matcher = Box::new(Matcher::new(Config::DEFAULT));
        let mut p = Self {
            line: Line::default(),
            error: None,
            all,
            found: Vec::new(),
            cursor: 0,
            moved: false,
            matcher,
            history: Recall::of(history),
        };
        p.update();
        p
    }

    /// Ranks anew after a key.
    fn update(&mut self) {
        self.found = rank(&mut self.matcher, self.line.text(), self.all.iter().map(|c| c.text.as_str()));
        self.cursor = 0;
        self.moved = false;
        self.error = None;
    }

    /// Moves the cursor through the completions.
    fn step(&mut self, down: bool) {
        let last = self.found.len().saturating_sub(1);
        self.moved = true;
        self.cursor = if down { (self.cursor + 1).min(last) } else { self.cursor.saturating_sub(1) };
    }

    /// Takes the completion into the line.
    fn complete(&mut self) {
        if let Some(text) = self.completion().map(str::to_owned) {
            self.line.set(&text);
            self.update();
        }
    }

    fn completion(&self) -> Option<&str> {
        self.found.get(self.cursor).and_then(|i| self.all.get(*i)).map(|c| c.text.as_str())
    }

    /// The command of Enter: the text as it stands, or the completion that was chosen. None: nothing was typed.
    ///
    /// # Errors
    /// A sentence for the user.
    fn command(&self, snapshot: &FleetSnapshot) -> Result<Option<(Command, String)>, String> {
        let chosen = if self.moved { self.completion() } else { None };
        let text = chosen.unwrap_or_else(|| self.line.text().trim());
        if text.is_empty() {
            return Ok(None);
        }
        interpret(text, snapshot).map(|command| Some((command, text.to_owned())))
    }

    /// Up from the first completion, and down again: commands that were typed before.
    fn recall(&mut self, older: bool) {
        if let Some(text) = self.history.step(older, self.line.text()) {
            self.line.set(&text);
            self.update();
        }
    }
}

impl Layer for Palette {
    fn context(&self) -> Context {
        Context::Input
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        match action {
            Action::Up if self.cursor == 0 => self.recall(true),
            Action::Down if self.history.is_back() => self.recall(false),
            Action::Up | Action::Down => self.step(action == Action::Down),
            Action::NextSection => self.complete(),
            Action::Enter => match self.command(&behind.world.snapshot) {
                Ok(command) => {
                    out.wishes.extend(command.map(|(command, text)| Wish::Run { command, text }));
                    out.close();
                }
                Err(e) => self.error = Some(e),
            },
            Action::Out => out.close(),
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, _: &mut Out) {
        if self.line.key(chord) {
            self.update();
        }
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        self.line.paste(text);
        self.update();
    }

    /// The completions stand above the input line, which is the last line of the screen.
    fn render(&mut self, canvas: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let theme = &behind.world.theme;
        let (w, h) = (canvas.width(), canvas.height());
        // Nothing typed: all panes by subject. Else the nearest names.
        let is_empty = self.line.text().trim().is_empty();
        let most = if is_empty { self.all.iter().filter(|c| c.subject.is_some()).count() } else { 8 };
        let rows = self.found.len().min(most).min(usize::from(h.saturating_sub(2)));
        let mut list = popup(canvas, rows, theme, "go to");
        let top = (self.cursor + 1).saturating_sub(rows);
        let mut before = None;
        for (y, n) in (top..self.found.len()).take(rows).enumerate() {
            let Some(candidate) = self.found.get(n).and_then(|i| self.all.get(*i)) else { continue };
            let y = y as u16 + 1;
            let x = if is_empty { 2 + SUBJECT } else { 2 };
            if let Some(subject) = candidate.subject.filter(|_| is_empty)
                && before != candidate.subject
            {
                list.put(2, y, SUBJECT - 1, subject.name(), theme.accent);
            }
            before = candidate.subject;
            let used = list.put(x, y, w.saturating_sub(x + 2).min(40), &candidate.text, theme.base);
            let at = (x + used + 2).max(x + 26);
            list.put(at, y, w.saturating_sub(at + 2), candidate.about, theme.dim);
            if n == self.cursor {
                list.select(0, y, w, theme.selection);
            }
        }
        let y = h.saturating_sub(1);
        canvas.part(0, y, w, 1).clear(theme.input);
        let used = self.line.render(canvas, y, " :", theme);
        if let Some(e) = &self.error {
            complain(canvas, used, e, theme);
        }
    }
}
