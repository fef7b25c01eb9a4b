//! The command line: `:waits`, `:blocking @prod`, `:sqlprd-014`, `:theme light`. Completes fuzzily, remembers.

use super::{
    Behind, Layer, Out,
    input::Line,
    jump::{popup, rank},
};
use crate::model::fold::snapshot::FleetSnapshot;
use crate::tui::{
    action::{Action, Context},
    command_line::{Command, interpret, panes, words},
    key::Chord,
    theme::BUILT_IN,
    widget::canvas::Canvas,
    wish::Wish,
};
use nucleo_matcher::{Config, Matcher};
use std::{collections::VecDeque, sync::Arc};

#[derive(Debug)]
struct Candidate {
    text: String,
    about: &'static str,
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
}

impl Palette {
    /// A command line that completes all present names, recent commands first.
    pub fn new(snapshot: &FleetSnapshot, history: &VecDeque<String>) -> Self {
        let mut all: Vec<Candidate> =
            history.iter().map(|h| Candidate { text: h.clone(), about: "again" }).collect();
        all.extend(panes().map(|(n, about, _)| Candidate { text: n.to_owned(), about }));
        all.extend(words().map(|(n, about, _)| Candidate { text: n.to_owned(), about }));
        all.extend(BUILT_IN.iter().map(|(n, _)| Candidate { text: format!("theme {n}"), about: "colours" }));
        let mut groups: Vec<&Arc<str>> = snapshot.instances.iter().flat_map(|i| &i.info.groups).collect();
        groups.sort();
        groups.dedup();
        all.extend(groups.iter().map(|g| Candidate { text: format!("@{g}"), about: "group" }));
        for (n, about, _) in panes().skip(1) {
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

    /// The command of Enter: the text as it stands if it is a command and no completion was chosen, else the completion.
    ///
    /// # Errors
    /// A sentence for the user.
    fn command(&self, snapshot: &FleetSnapshot) -> Result<(Command, String), String> {
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
}

impl Layer for Palette {
    fn context(&self) -> Context {
        Context::Input
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        match action {
            Action::Up | Action::Down => self.step(action == Action::Down),
            Action::NextSection => self.complete(),
            Action::Enter => match self.command(&behind.world.snapshot) {
                Ok((command, text)) => {
                    out.wish(Wish::Run { command, text });
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
        let rows = self.found.len().min(8).min(usize::from(h.saturating_sub(2)));
        let mut list = popup(canvas, rows, theme, "go to");
        let top = (self.cursor + 1).saturating_sub(rows);
        for (y, n) in (top..self.found.len()).take(rows).enumerate() {
            let Some(c) = self.found.get(n).and_then(|i| self.all.get(*i)) else { continue };
            let y = y as u16 + 1;
            let used = list.put(2, y, w.saturating_sub(4).min(40), &c.text, theme.base);
            list.put((2 + used + 2).max(28), y, w.saturating_sub(30), c.about, theme.dim);
            if n == self.cursor {
                list.select(0, y, w, theme.selection);
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
