//! What all dialogs have in common: they take every key, ask the keeper of the inventory, and hear his answers. The app
//! knows them by this trait only.

use crate::{
    model::{base::time::Timestamp, judge::health::Level},
    tui::{
        action::{Action, Context},
        effect::{Reply, Request},
        key::Chord,
        theme::Theme,
        widget::canvas::Canvas,
    },
};

/// What a dialog wants done, besides being drawn.
#[derive(Default)]
pub struct Out {
    /// wishes to the keeper
    pub requests: Vec<Request>,
    /// one line for the user
    pub say: Option<(Level, String)>,
    /// a text for the clipboard
    pub copy: Option<String>,
    /// an instant to go to
    pub go: Option<Timestamp>,
    /// the dialog is done
    pub close: bool,
}

impl Out {
    /// Adds a wish.
    pub fn ask(&mut self, request: Request) {
        self.requests.push(request);
    }

    /// Ends the dialog.
    pub const fn close(&mut self) {
        self.close = true;
    }
}

/// A dialog. Holds what was typed into it and nothing longer than it is open: closing drops it.
pub trait Modal {
    /// Whose keys it takes. Keys that mean nothing there are typed.
    fn context(&self) -> Context;
    /// Carries out an action.
    fn act(&mut self, action: Action, out: &mut Out);
    /// Takes a key that is no action: text, and the editing keys of a line.
    fn type_key(&mut self, chord: Chord, out: &mut Out);
    /// Takes pasted text.
    fn paste(&mut self, text: &str, out: &mut Out);
    /// Hears an answer; false if it is not for this dialog.
    fn hear(&mut self, reply: &Reply, out: &mut Out) -> bool;
    /// Time goes on.
    fn tick(&mut self, _: Timestamp) {}
    /// True if it shows or changes what is sealed, so that locking closes it.
    fn is_secret(&self) -> bool;
    /// Draws over everything between header and footer.
    fn render(&mut self, canvas: &mut Canvas<'_>, theme: &Theme);
}
