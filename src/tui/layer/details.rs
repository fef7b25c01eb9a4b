//! Layers to read: `d`, all about one row, and texts such as the help.

use super::{Behind, Layer, Out, body};
use crate::{
    model::inventory::instance::InstanceId,
    tui::{
        action::{Action, Context, Kind},
        id::RowKey,
        widget::{canvas::Canvas, document::Document, reader::Reader},
        wish::Wish,
    },
};

/// Scrolls and copies. Actions that lead elsewhere close the layer and go on.
fn read(reader: &mut Reader, action: Action, out: &mut Out) {
    if reader.act(action) {
        return;
    }
    match action {
        Action::Copy => out.wish(Wish::Clip(reader.document().to_copy())),
        Action::Out | Action::Back | Action::Enter | Action::Details | Action::Help => out.close(),
        Action::Open(_) | Action::Palette | Action::Jump | Action::Quit => {
            out.close();
            out.pass_on();
        }
        _ => {}
    }
}

/// A text.
#[derive(Debug)]
pub struct Text(Reader);

impl Text {
    /// Of this document.
    pub fn new(document: Document) -> Self {
        Self(Reader::new(document))
    }
}

impl Layer for Text {
    fn context(&self) -> Context {
        Context::Reader
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        read(&mut self.0, action, out);
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        self.0.render(&mut body(screen), &behind.world.theme);
    }
}

/// The details of one row; they follow the row while it lives.
#[derive(Debug)]
pub struct Details {
    key: RowKey,
    reader: Reader,
    /// the row has gone: the text is its last state
    gone: bool,
}

impl Details {
    /// Of this row.
    pub fn new(key: RowKey, document: Document) -> Self {
        Self { key, reader: Reader::new(document), gone: false }
    }
}

impl Layer for Details {
    fn context(&self) -> Context {
        Context::Reader
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        // They stay open on the way through time.
        if action.kind() == Kind::Travels {
            out.pass_on();
        } else {
            read(&mut self.reader, action, out);
        }
    }

    fn follow(&mut self, behind: &mut Behind<'_>) {
        match behind.pane.details(&self.key, &behind.world.view()) {
            Some(document) => {
                self.gone = false;
                self.reader.set(document);
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
        self.reader.render(&mut body(screen), theme);
        if self.gone {
            let y = h.saturating_sub(1);
            screen.put_right(0, y, w.saturating_sub(1), "it has gone: this is its last state", theme.warning);
        }
    }
}
