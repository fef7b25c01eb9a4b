//! Layers to read: `d`, all about one row, and texts such as the help. `/` looks for a text in them.

use super::{Behind, Layer, Out, body, input::Line};
use crate::{
    model::{base::figure::counted, inventory::instance::InstanceId},
    tui::{
        action::{Action, Context, Kind},
        id::RowKey,
        key::Chord,
        theme::Theme,
        widget::{
            canvas::Canvas,
            document::{self, Document},
            reader::Reader,
        },
        wish::Wish,
    },
};

/// A document that is read, and searched with `/`: only lines that have the text stay, under their headings.
#[derive(Debug)]
struct Text {
    whole: Document,
    reader: Reader,
    /// what is looked for
    wanted: String,
    /// it is typed
    line: Option<Line>,
}

impl Text {
    fn new(document: Document) -> Self {
        let reader = Reader::new(document.clone());
        Self { whole: document, reader, wanted: String::new(), line: None }
    }

    /// Shows another state of the document.
    fn set(&mut self, document: Document) {
        self.whole = document;
        self.reader.set(self.whole.with(&self.wanted));
    }

    fn look_for(&mut self, text: &str) {
        text.trim().clone_into(&mut self.wanted);
        self.reader.set(self.whole.with(&self.wanted));
        self.reader.act(Action::Home);
    }

    const fn context(&self) -> Context {
        if self.line.is_some() { Context::Input } else { Context::Reader }
    }

    /// Scrolls, searches and copies. Actions that lead elsewhere close the layer and go on.
    fn act(&mut self, action: Action, out: &mut Out) {
        if self.line.is_some() {
            match action {
                Action::Enter => self.line = None,
                Action::Out => {
                    self.line = None;
                    self.look_for("");
                }
                Action::Up | Action::Down => drop(self.reader.act(action)),
                _ => {}
            }
            return;
        }
        if self.reader.act(action) {
            return;
        }
        match action {
            Action::Filter => self.line = Some(Line::selected(&self.wanted)),
            Action::Copy => out.wish(Wish::Clip(self.reader.document().to_copy())),
            Action::Out if !self.wanted.is_empty() => self.look_for(""),
            Action::Out | Action::Back | Action::Enter | Action::Details | Action::Help => out.close(),
            Action::Open(_) | Action::Palette | Action::Jump | Action::Quit | Action::ToQuery => {
                out.close();
                out.pass_on();
            }
            _ => {}
        }
    }

    fn typed(&mut self, change: impl FnOnce(&mut Line) -> bool) {
        if let Some(line) = &mut self.line
            && change(line)
        {
            let text = line.text().to_owned();
            self.look_for(&text);
        }
    }

    fn render(&mut self, screen: &mut Canvas<'_>, theme: &Theme) {
        let mut page = body(screen);
        self.reader.render(&mut page, theme);
        if !self.wanted.is_empty() && !self.reader.document().lines.iter().any(document::Line::is_said) {
            let words = format!("nothing found for {:?}: Esc shows all again", self.wanted);
            page.put(1, 2, page.width().saturating_sub(2), &words, theme.dim);
        }
        let (w, h) = (screen.width(), screen.height());
        let mut foot = screen.part(0, h.saturating_sub(1), w, 1);
        if let Some(line) = &self.line {
            foot.clear(theme.input);
            let used = line.render(&mut foot, 0, " /", theme) + 2;
            let found = self.reader.document().lines.iter().filter(|line| line.is_said()).count();
            let words = format!("{}   Enter keeps, Esc takes back", counted(found, "line"));
            foot.put(used, 0, w.saturating_sub(used), &words, theme.dim);
        } else if !self.wanted.is_empty() {
            let mut head = screen.part(0, 2, w, 1);
            head.put_right(0, 0, w.saturating_sub(18), &format!(" /{} ", self.wanted), theme.accent);
        }
    }
}

/// A text, such as the help.
#[derive(Debug)]
pub struct Reading(Text);

impl Reading {
    /// Of this document.
    pub fn new(document: Document) -> Self {
        Self(Text::new(document))
    }
}

impl Layer for Reading {
    fn context(&self) -> Context {
        self.0.context()
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        self.0.act(action, out);
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, _: &mut Out) {
        self.0.typed(|line| line.key(chord));
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        self.0.typed(|line| {
            line.paste(text);
            true
        });
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        self.0.render(screen, &behind.world.theme);
    }
}

/// The details of one row; they follow the row while it lives.
#[derive(Debug)]
pub struct Details {
    key: RowKey,
    text: Text,
    /// the row has gone: the text is its last state
    gone: bool,
}

impl Details {
    /// Of this row.
    pub fn new(key: RowKey, document: Document) -> Self {
        Self { key, text: Text::new(document), gone: false }
    }
}

impl Layer for Details {
    fn context(&self) -> Context {
        self.text.context()
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, _: &mut Out) {
        self.text.typed(|line| line.key(chord));
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        self.text.typed(|line| {
            line.paste(text);
            true
        });
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        // They stay open on the way through time.
        if action.kind() == Kind::Travels {
            out.pass_on();
        } else {
            self.text.act(action, out);
        }
    }

    fn follow(&mut self, behind: &mut Behind<'_>) {
        match behind.pane.details(&self.key, &behind.world.view()) {
            Some(document) => {
                self.gone = false;
                self.text.set(document);
            }
            None => self.gone = true,
        }
    }

    fn instance(&self) -> Option<&InstanceId> {
        self.key.instance()
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (w, h) = (screen.width(), screen.height());
        let theme = &behind.world.theme;
        self.text.render(screen, theme);
        if self.gone {
            let y = h.saturating_sub(1);
            screen.put_right(0, y, w.saturating_sub(1), "it has gone: this is its last state", theme.warning);
        }
    }
}
