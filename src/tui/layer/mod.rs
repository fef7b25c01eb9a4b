//! Layers lie over the pane and take keys first: command line, filter, help, details, jump.

pub mod details;
pub mod document;
pub mod help;
pub mod input;
pub mod jump;
pub mod overlay;
pub mod palette;

use super::keymap::Context;

/// An open layer.
#[derive(Debug)]
pub enum Layer {
    /// `:`
    Palette(palette::Palette),
    /// `/`
    Filter(input::FilterBox),
    /// `?`
    Help(details::Reader),
    /// `d`
    Details(details::Details),
    /// Ctrl-g
    Jump(jump::Jump),
}

impl Layer {
    /// Whose keys it takes.
    pub const fn context(&self) -> Context {
        match self {
            Self::Palette(_) | Self::Filter(_) | Self::Jump(_) => Context::Input,
            Self::Help(_) | Self::Details(_) => Context::Reader,
        }
    }
}
