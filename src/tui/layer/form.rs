//! Fields to fill in: texts, hidden texts and choices, each with room for a hint or for what is wrong with it. Dialogs own
//! a [`Form`] and say what its fields mean.

use super::input::Line;
use crate::{
    model::base::secret::{Secret, SecretInput},
    tui::{
        key::Chord,
        theme::Theme,
        widget::{
            canvas::{Canvas, width},
            fold::fold,
        },
    },
};
use crossterm::event::KeyCode;
use ratatui::style::Modifier;

/// Column where the values start, unless a label is longer.
const VALUE_AT: u16 = 24;

/// The content of a field.
pub enum Entry {
    /// a text
    Text(Line),
    /// a text that is shown as dots
    Hidden(SecretInput),
    /// one of some words
    Choice(Vec<&'static str>, usize),
}

/// One field.
pub struct Field {
    /// its name in the program, as in [`crate::model::inventory::record::RecordError`]
    pub id: &'static str,
    /// its name for the user
    pub label: &'static str,
    /// what is in it
    pub entry: Entry,
    /// what to write, shown dimmed while nothing is wrong
    pub hint: String,
    /// what is wrong with it
    pub error: Option<String>,
    /// false: means nothing with what the others say, and is passed over
    pub shown: bool,
    /// what a text may be completed to, item by item
    pub known: Vec<String>,
    /// the word of a choice that is shown in red
    pub danger: Option<&'static str>,
}

impl Field {
    const fn new(id: &'static str, label: &'static str, entry: Entry) -> Self {
        let known = Vec::new();
        Self { id, label, entry, hint: String::new(), error: None, shown: true, known, danger: None }
    }

    /// A text.
    pub fn text(id: &'static str, label: &'static str, text: &str) -> Self {
        Self::new(id, label, Entry::Text(Line::new(text)))
    }

    /// A text that the next typed character replaces.
    pub fn selected(id: &'static str, label: &'static str, text: &str) -> Self {
        Self::new(id, label, Entry::Text(Line::selected(text)))
    }

    /// A text that is shown as dots.
    pub fn hidden(id: &'static str, label: &'static str) -> Self {
        Self::new(id, label, Entry::Hidden(SecretInput::default()))
    }

    /// One of some words; the first one if `word` is none of them.
    pub fn choice(id: &'static str, label: &'static str, words: &[&'static str], word: &str) -> Self {
        let at = words.iter().position(|w| *w == word).unwrap_or(0);
        Self::new(id, label, Entry::Choice(words.to_vec(), at))
    }

    /// With a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// With items to complete to.
    #[must_use]
    pub fn known(self, items: &[String]) -> Self {
        Self { known: items.to_vec(), ..self }
    }

    /// With a word that is shown in red.
    #[must_use]
    pub fn danger(self, word: &'static str) -> Self {
        Self { danger: Some(word), ..self }
    }

    /// Replaces a text, or chooses a word.
    pub fn set(&mut self, text: &str) {
        match &mut self.entry {
            Entry::Text(line) => line.set(text),
            Entry::Hidden(typed) => typed.clear(),
            Entry::Choice(words, at) => *at = words.iter().position(|w| *w == text).unwrap_or(*at),
        }
    }

    /// Types a secret into a hidden field, in place of what is there.
    pub fn set_secret(&mut self, secret: &Secret) {
        if let Entry::Hidden(typed) = &mut self.entry {
            typed.clear();
            secret.reveal().chars().for_each(|c| {
                typed.push(c);
            });
        }
    }

    /// A completion of the last item of the text: the rest of the first known one that starts so.
    fn rest(&self) -> Option<&str> {
        let Entry::Text(line) = &self.entry else { return None };
        let item = line.text().rsplit([',', ';']).next().unwrap_or("").trim_start();
        if item.is_empty() || !line.at_end() {
            return None;
        }
        let starts = |known: &&String| {
            known.len() > item.len() && known.get(..item.len()).is_some_and(|k| k.eq_ignore_ascii_case(item))
        };
        self.known.iter().find(starts).and_then(|known| known.get(item.len()..))
    }

    /// Takes the completion. False if there is none.
    fn complete(&mut self) -> bool {
        let Some(rest) = self.rest().map(str::to_owned) else { return false };
        let whole = format!("{}{rest}", self.said());
        self.set(&whole);
        true
    }

    /// Its text; nothing if it is hidden.
    pub fn said(&self) -> &str {
        match &self.entry {
            Entry::Text(line) => line.text(),
            Entry::Hidden(_) => "",
            Entry::Choice(words, at) => words.get(*at).copied().unwrap_or(""),
        }
    }
}

/// The fields and which one the cursor is in.
#[derive(Default)]
pub struct Form {
    fields: Vec<Field>,
    at: usize,
    /// first field that was drawn
    top: usize,
}

impl Form {
    /// With the cursor in the first field.
    pub const fn new(fields: Vec<Field>) -> Self {
        Self { fields, at: 0, top: 0 }
    }

    /// The field of that name.
    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.id == id)
    }

    /// The same, to change it.
    pub fn field_mut(&mut self, id: &str) -> Option<&mut Field> {
        self.fields.iter_mut().find(|f| f.id == id)
    }

    /// Says what to write into a field.
    pub fn hint(&mut self, id: &str, hint: &str) {
        if let Some(field) = self.field_mut(id) {
            hint.clone_into(&mut field.hint);
        }
    }

    /// Shows a field, or passes it over.
    pub fn show(&mut self, id: &str, shown: bool) {
        if let Some(field) = self.field_mut(id) {
            field.shown = shown;
        }
    }

    /// All fields.
    pub fn fields_mut(&mut self) -> impl Iterator<Item = &mut Field> {
        self.fields.iter_mut()
    }

    /// The text of a field, without blanks around it; nothing if it is hidden text or means nothing now.
    pub fn said(&self, id: &str) -> &str {
        self.field(id).filter(|f| f.shown).map_or("", Field::said).trim()
    }

    /// The text that was typed into a hidden field; None: nothing.
    pub fn secret(&self, id: &str) -> Option<Secret> {
        match &self.field(id)?.entry {
            Entry::Hidden(typed) if !typed.is_empty() => Some(typed.to_secret()),
            _ => None,
        }
    }

    /// The place of a field among the others.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.id == id)
    }

    /// The field that the cursor is in.
    pub fn current(&self) -> Option<&Field> {
        self.fields.get(self.at)
    }

    /// Says what is wrong with a field and puts the cursor there. False if there is no such field.
    pub fn blame(&mut self, id: &str, words: impl Into<String>) -> bool {
        let Some(at) = self.fields.iter().position(|f| f.id == id && f.shown) else { return false };
        self.at = at;
        if let Some(field) = self.fields.get_mut(at) {
            field.error = Some(words.into());
        }
        true
    }

    /// Nothing is wrong any more.
    pub fn forgive(&mut self) {
        self.fields.iter_mut().for_each(|f| f.error = None);
    }

    /// The field that something is wrong with, first one.
    pub fn is_wrong(&self) -> bool {
        self.fields.iter().any(|f| f.shown && f.error.is_some())
    }

    /// Puts the cursor into the next or the previous field that is shown; false if it is the last one already.
    pub fn step(&mut self, down: bool) -> bool {
        let shown = |f: &Field| f.shown;
        let next = if down {
            self.fields.iter().skip(self.at + 1).position(shown).map(|n| self.at + 1 + n)
        } else {
            self.fields.iter().take(self.at).rposition(shown)
        };
        next.map(|at| self.at = at).is_some()
    }

    /// Takes a key into the field with the cursor; true if its content changed, which clears its error.
    pub fn key(&mut self, chord: Chord) -> bool {
        let Some(field) = self.fields.get_mut(self.at) else { return false };
        let onward = matches!(chord.parts(), (KeyCode::Right | KeyCode::End, false, false));
        let completed = onward && field.complete();
        let changed = match &mut field.entry {
            _ if completed => true,
            Entry::Text(line) => line.key(chord),
            Entry::Hidden(typed) => hidden_key(typed, chord),
            Entry::Choice(words, at) => choose(words, at, chord),
        };
        if changed {
            field.error = None;
        }
        changed
    }

    /// Takes pasted text into the field with the cursor: its first line.
    pub fn paste(&mut self, text: &str) {
        let Some(field) = self.fields.get_mut(self.at) else { return };
        match &mut field.entry {
            Entry::Text(line) => line.paste(text),
            Entry::Hidden(typed) => {
                for c in text.lines().next().unwrap_or("").chars() {
                    typed.push(c);
                }
            }
            Entry::Choice(..) => return,
        }
        field.error = None;
    }

    /// Draws the fields that are shown, one a line, as many as fit around the cursor. The error of a field stands
    /// below it, the hint of the field with the cursor below all of them. Returns the lines used.
    pub fn render(&mut self, canvas: &mut Canvas<'_>, theme: &Theme) -> u16 {
        let (w, h) = (canvas.width(), canvas.height());
        let longest = self.fields.iter().map(|f| width(f.label)).max().unwrap_or(0) as u16;
        let value_at = VALUE_AT.max(longest + 3).min(w / 2);
        let room = w.saturating_sub(value_at + 1);
        let told = |text: &str| fold(text, usize::from(room));
        let current = self.fields.get(self.at);
        let hint = current.filter(|f| f.error.is_none() && !f.hint.is_empty()).map(|f| told(&f.hint));
        let hint = hint.unwrap_or_default();
        let shown: Vec<(usize, Vec<String>)> = (self.fields.iter().enumerate())
            .filter(|(_, f)| f.shown)
            .map(|(n, f)| (n, f.error.as_deref().map(told).unwrap_or_default()))
            .collect();
        let cursor = shown.iter().position(|(n, _)| *n == self.at).unwrap_or(0);
        let rows = usize::from(h).saturating_sub(hint.len()).max(1);
        // Down to the cursor everything must fit; what is above it goes first.
        let lines_from = |top: usize| -> usize {
            shown.iter().take(cursor + 1).skip(top).map(|(_, wrong)| 1 + wrong.len()).sum()
        };
        self.top = self.top.min(cursor);
        while self.top < cursor && lines_from(self.top) > rows {
            self.top += 1;
        }
        while self.top > 0
            && shown.iter().skip(self.top - 1).map(|(_, wrong)| 1 + wrong.len()).sum::<usize>() <= rows
        {
            self.top -= 1;
        }
        let mut y = 0;
        for (n, wrong) in shown.iter().skip(self.top) {
            let Some(field) = self.fields.get(*n).filter(|_| usize::from(y) < rows) else { break };
            draw(field, *n == self.at, &mut canvas.part(0, y, w, 1), value_at, theme);
            y += 1;
            for line in wrong.iter().take(rows.saturating_sub(usize::from(y))) {
                canvas.put(value_at, y, room, line, theme.critical);
                y += 1;
            }
        }
        for line in hint.iter().take(usize::from(h.saturating_sub(y))) {
            canvas.put(value_at, y, room, line, theme.dim);
            y += 1;
        }
        y
    }
}

fn hidden_key(typed: &mut SecretInput, chord: Chord) -> bool {
    if let Some(c) = chord.typed() {
        return typed.push(c);
    }
    match chord.parts() {
        (KeyCode::Backspace, false, _) => typed.pop(),
        (KeyCode::Backspace | KeyCode::Char('u' | 'w'), true, _) => {
            typed.clear();
            true
        }
        _ => false,
    }
}

fn choose(words: &[&str], at: &mut usize, chord: Chord) -> bool {
    let last = words.len().saturating_sub(1);
    let before = *at;
    match (chord.parts().0, chord.typed()) {
        (KeyCode::Left, _) => *at = at.saturating_sub(1),
        (KeyCode::Right, _) => *at = (*at + 1).min(last),
        (_, Some(' ')) => *at = if *at == last { 0 } else { *at + 1 },
        // The next word that starts with this letter.
        (_, Some(c)) => {
            let next = (1..=words.len()).map(|n| (*at + n) % words.len().max(1));
            let starts = |n: &usize| words.get(*n).is_some_and(|w| w.starts_with(c.to_ascii_lowercase()));
            *at = next.into_iter().find(starts).unwrap_or(*at);
        }
        _ => {}
    }
    *at != before
}

fn draw(field: &Field, current: bool, line: &mut Canvas<'_>, value_at: u16, theme: &Theme) {
    let w = line.width();
    let mark = if field.error.is_some() {
        "✖"
    } else if current {
        "›"
    } else {
        " "
    };
    let style = if field.error.is_some() { theme.critical } else { theme.accent };
    line.put(0, 0, 1, mark, style);
    line.put(2, 0, value_at.saturating_sub(3), field.label, if current { theme.strong } else { theme.dim });
    let mut value = line.part(value_at, 0, w.saturating_sub(value_at + 1), 1);
    if current {
        value.clear(theme.input);
    }
    match &field.entry {
        Entry::Text(text) if current => {
            let used = text.render(&mut value, 0, "", theme);
            if let Some(rest) = field.rest() {
                let room = value.width().saturating_sub(used.saturating_sub(1));
                value.put(used.saturating_sub(1), 0, room, rest, theme.dim);
            }
        }
        Entry::Text(text) => {
            value.put(0, 0, value.width(), text.text(), theme.base);
        }
        Entry::Hidden(typed) => {
            let dots = (typed.count() as u16).min(value.width().saturating_sub(1));
            value.repeat(0, 0, dots, "•", theme.strong);
            if current {
                value.put(dots, 0, 1, "▏", theme.accent);
            }
        }
        Entry::Choice(words, at) => {
            let mut x = 0;
            for (n, word) in words.iter().enumerate() {
                let danger = field.danger == Some(*word);
                let style = match (n == *at, danger) {
                    (true, true) => theme.critical.add_modifier(Modifier::REVERSED),
                    (true, false) => theme.tab,
                    (false, _) => theme.dim,
                };
                let room = value.width().saturating_sub(x);
                x += value.put(x, 0, room, " ", style);
                x += value.put(x, 0, value.width().saturating_sub(x), word, style);
                x += value.put(x, 0, value.width().saturating_sub(x), " ", style) + 1;
            }
            if current {
                value.put(x + 2, 0, value.width().saturating_sub(x + 2), "← →", theme.dim);
            }
        }
    }
}
