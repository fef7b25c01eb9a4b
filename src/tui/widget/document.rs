//! A text to read: named fields, headings, sentences and at most one statement at its end. Panes make them, the details
//! layer shows them.

use crate::model::poll::statement::Statement;
use ratatui::style::Style;
use std::borrow::Cow;

/// One line before wrapping.
#[derive(Debug, Clone)]
pub enum Line {
    /// a heading with a rule
    Head(String),
    /// a name and its value
    Field(Cow<'static, str>, String, Style),
    /// a sentence
    Text(String, Style),
    /// nothing
    Blank,
}

impl Line {
    /// True for a sentence or a field.
    pub const fn is_said(&self) -> bool {
        matches!(self, Self::Field(..) | Self::Text(..))
    }
}

/// A document.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// title of the layer
    pub title: String,
    /// lines
    pub lines: Vec<Line>,
    /// a statement below them
    pub statement: Option<Statement>,
}

impl Document {
    /// An empty document.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds a heading.
    pub fn head(&mut self, text: impl Into<String>) {
        if !self.lines.is_empty() {
            self.lines.push(Line::Blank);
        }
        self.lines.push(Line::Head(text.into()));
    }

    /// Adds a field. An empty value is left out: the absence of a figure is said by the pane that knows why.
    pub fn field(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        style: Style,
        write: impl FnOnce(&mut String),
    ) {
        let mut value = String::new();
        write(&mut value);
        if !value.is_empty() {
            self.lines.push(Line::Field(name.into(), value, style));
        }
    }

    /// Adds a sentence.
    pub fn text(&mut self, text: impl Into<String>, style: Style) {
        self.lines.push(Line::Text(text.into(), style));
    }

    /// Only the lines that have this text in them, whatever its case, under their headings; the statement stays.
    #[must_use]
    pub fn with(&self, text: &str) -> Self {
        let text = text.to_lowercase();
        if text.is_empty() {
            return self.clone();
        }
        let has = |s: &str| s.to_lowercase().contains(&text);
        let mut found = Self { lines: Vec::new(), ..self.clone() };
        let mut head: Option<&str> = None;
        for line in &self.lines {
            match line {
                Line::Head(title) => head = Some(title),
                Line::Text(words, _) if !has(words) => {}
                Line::Field(name, value, _) if !has(name) && !has(value) => {}
                Line::Blank => {}
                line => {
                    if let Some(title) = head.take() {
                        found.head(title);
                    }
                    found.lines.push(line.clone());
                }
            }
        }
        found
    }

    /// The text that the copy key takes: the statement if there is one, else everything.
    pub fn to_copy(&self) -> String {
        if let Some(s) = &self.statement {
            let all = &s.text.batch;
            return if s.as_str().is_empty() { all.to_string() } else { s.as_str().to_owned() };
        }
        let mut out = self.title.clone();
        for line in &self.lines {
            out.push('\n');
            match line {
                Line::Head(t) | Line::Text(t, _) => out.push_str(t),
                Line::Field(n, v, _) => {
                    out.push_str(n);
                    out.push_str(": ");
                    out.push_str(v);
                }
                Line::Blank => {}
            }
        }
        out
    }
}
