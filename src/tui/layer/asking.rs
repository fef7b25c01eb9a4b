//! Asks the question of a pane ([`crate::tui::ask::Ask`]): fields, then, where something may be lost, a typed word. What the
//! inventory refuses stands at its field.

use super::{
    Behind, Layer, Out, body,
    confirm::Confirm,
    form::{Field, Form},
};
use crate::{
    model::{base::secret::Secret, judge::health::Level},
    protocol::Reply,
    tui::{
        action::{Action, Context},
        ask::{Answers, Blank, Input, Make, Tone},
        key::Chord,
        theme::Theme,
        widget::{canvas::Canvas, fold::fold},
    },
};
use ratatui::style::Style;

/// The dialog.
pub struct Asking {
    title: String,
    lines: Vec<(Style, String)>,
    form: Form,
    has_fields: bool,
    word: Option<String>,
    /// the typed word is asked for
    confirm: Option<Confirm>,
    make: Make,
    busy: bool,
    said: Option<String>,
}

impl Asking {
    /// Of these parts of an [`Ask::Form`](crate::tui::ask::Ask::Form).
    pub fn new(
        title: String,
        lines: Vec<(Tone, String)>,
        blanks: Vec<Blank>,
        word: Option<String>,
        make: Make,
        theme: &Theme,
    ) -> Self {
        let style = |tone| match tone {
            Tone::Plain => theme.base,
            Tone::Aside => theme.dim,
            Tone::Warning => theme.warning,
        };
        let mut asking = Self {
            title,
            lines: lines.into_iter().map(|(tone, text)| (style(tone), text)).collect(),
            has_fields: !blanks.is_empty(),
            form: Form::new(blanks.into_iter().map(field).collect()),
            word,
            confirm: None,
            make,
            busy: false,
            said: None,
        };
        if !asking.has_fields {
            asking.confirm = asking.question(theme.strong);
        }
        asking
    }

    fn question(&self, strong: Style) -> Option<Confirm> {
        let mut lines = vec![(strong, self.title.clone())];
        lines.extend(self.lines.iter().cloned());
        Some(Confirm::new(lines, self.word.clone()?))
    }

    /// What is filled in is right, as far as the screen can tell: goes on to the word, or sends.
    fn go_on(&mut self, theme: &Theme, out: &mut Out) {
        self.form.forgive();
        match (self.make)(&self.form) {
            Err((id, words)) => self.blame(id, words),
            Ok(_) if self.word.is_some() && self.confirm.is_none() => {
                self.confirm = self.question(theme.strong);
            }
            Ok(request) => {
                self.busy = true;
                self.said = Some("saving …".to_owned());
                out.ask(request);
            }
        }
    }

    /// To the next field; from the last one, or with the word, onwards.
    fn enter(&mut self, theme: &Theme, out: &mut Out) {
        let is_ready = match &mut self.confirm {
            _ if self.busy => false,
            Some(confirm) => confirm.is_answered(),
            None => self.leave() && !self.form.step(true),
        };
        if is_ready {
            self.go_on(theme, out);
        }
    }

    fn forward(&mut self) {
        if self.leave() {
            self.form.step(true);
        }
    }

    /// False if the text of the field with the cursor is wrong already, whatever the others will say: it stays there.
    fn leave(&mut self) -> bool {
        let Some(id) = self.form.current().map(|field| field.id) else { return true };
        if self.form.said(id).is_empty() {
            return true;
        }
        match (self.make)(&self.form) {
            Err((wrong, words)) if wrong == id => {
                self.form.blame(id, words);
                false
            }
            _ => true,
        }
    }

    fn blame(&mut self, id: &str, words: String) {
        if !self.form.blame(id, words.clone()) {
            self.said = Some(words);
        }
    }
}

fn field(blank: Blank) -> Field {
    let Blank { id, label, input, hint, known } = blank;
    let field = match input {
        Input::Old(text) => Field::selected(id, label, &text),
        Input::Text(text) => Field::text(id, label, &text),
        Input::Choice(words, word) => Field::choice(id, label, &words, word),
        Input::Hidden => Field::hidden(id, label),
    };
    field.hint(hint).known(&known)
}

impl Answers for Form {
    fn said(&self, id: &str) -> &str {
        Self::said(self, id)
    }

    fn secret(&self, id: &str) -> Option<Secret> {
        Self::secret(self, id)
    }
}

impl Layer for Asking {
    fn context(&self) -> Context {
        if self.confirm.is_some() { Context::Question } else { Context::Form }
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        let theme = &behind.world.theme;
        match (action, &mut self.confirm) {
            (Action::Out, Some(_)) if self.has_fields && !self.busy => self.confirm = None,
            (Action::Out, _) => out.close(),
            (Action::Enter, _) => self.enter(theme, out),
            (Action::NextSection | Action::Down, None) => self.forward(),
            (Action::PrevSection | Action::Up, None) => {
                self.form.step(false);
            }
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, _: &mut Out) {
        match &mut self.confirm {
            Some(confirm) => confirm.key(chord),
            None => {
                if self.form.key(chord) {
                    self.said = None;
                }
            }
        }
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        if self.confirm.is_none() {
            self.form.paste(text);
        }
    }

    fn hear(&mut self, reply: &Reply, out: &mut Out) -> bool {
        let (Reply::Saved(done), true) = (reply, self.busy) else { return false };
        self.busy = false;
        self.said = None;
        match done {
            Ok(text) => {
                out.say(Level::Ok, text);
                out.close();
            }
            Err(refusal) if self.has_fields => {
                self.confirm = None;
                self.blame(refusal.field.unwrap_or(""), refusal.words.clone());
            }
            Err(refusal) => {
                out.say(Level::Critical, &refusal.words);
                out.close();
            }
        }
        true
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, theme) = (&mut body(screen), &behind.world.theme);
        let (w, h) = (canvas.width(), canvas.height());
        if let Some(confirm) = &self.confirm {
            let height = confirm.height(w).min(h);
            return confirm.render(&mut canvas.part(0, h.saturating_sub(height), w, height), theme);
        }
        canvas.clear(theme.panel);
        canvas.repeat(0, 0, w, "─", theme.rule);
        canvas.put(1, 0, w, &format!(" {} ", self.title), theme.strong);
        let mut y = 2;
        for (style, text) in &self.lines {
            for line in fold(text, usize::from(w.saturating_sub(4))) {
                canvas.put(2, y, w.saturating_sub(4), &line, *style);
                y += 1;
            }
        }
        if !self.lines.is_empty() {
            y += 1;
        }
        let room = h.saturating_sub(y + 1);
        self.form.render(&mut canvas.part(0, y, w, room), theme);
        if let Some(said) = &self.said {
            canvas.put(2, h.saturating_sub(1), w.saturating_sub(4), said, theme.warning);
        }
    }
}
