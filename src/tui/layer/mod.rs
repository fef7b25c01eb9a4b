//! Layers lie over the pane and take keys first: command line, filter, help, details, jump,
//! dialogs.

pub mod bookmarks;
pub mod bulk;
pub mod confirm;
pub mod details;
pub mod doctor;
pub mod form;
pub mod help;
pub mod input;
pub mod items;
pub mod jump;
pub mod login;
pub mod modal;
pub mod overlay;
pub mod palette;
pub mod prompt;
pub mod removal;
pub mod tenants;
pub mod unlock;
pub mod wizard;

use super::{action::Context, widget::reader::Reader};
use crate::model::base::time::Timestamp;

/// An open layer.
pub enum Layer {
    /// `:`
    Palette(palette::Palette),
    /// `/`
    Filter(input::FilterBox),
    /// `?`
    Help(Reader),
    /// `d`
    Details(details::Details),
    /// Ctrl-g
    Jump(jump::Jump),
    /// a time or a note
    Prompt(prompt::Prompt),
    /// a dialog about the inventory
    Modal(Box<dyn modal::Modal>),
}

impl Layer {
    /// Whose keys it takes.
    pub fn context(&self) -> Context {
        match self {
            Self::Modal(m) => m.context(),
            Self::Palette(_) | Self::Filter(_) | Self::Jump(_) | Self::Prompt(_) => Context::Input,
            Self::Help(_) | Self::Details(_) => Context::Reader,
        }
    }

    /// Time goes on.
    pub fn tick(&mut self, now: Timestamp) {
        if let Self::Modal(m) = self {
            m.tick(now);
        }
    }

    /// True if keys without a meaning are typed.
    pub fn takes_text(&self) -> bool {
        self.context().takes_text()
    }
}
