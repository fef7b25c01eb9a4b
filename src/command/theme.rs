//! The check of the configured theme: [`crate::config`] knows no themes and [`crate::tui`] no configuration. Used
//! by the screen, at its start and at each reload, and by `config check`.

use crate::{
    config::{Invalid, Origin, Read},
    tui::theme::{Depth, Theme, ThemeError},
};

/// The error of a theme that does not exist or is not valid.
pub fn error(read: &Read) -> Option<Invalid> {
    let problem = Theme::load(&read.config.ui.theme, Depth::True).err()?;
    Some(Invalid {
        at: read.origins.get("ui.theme").cloned().unwrap_or(Origin::Default),
        option: "ui.theme".to_owned(),
        // By itself the error names all themes, too.
        problem: match problem {
            ThemeError::Unknown(name) => format!("no theme named {name}"),
            other => other.to_string(),
        },
        advice: "write dark, light, high-contrast, ansi16, mono, or the path of a theme file".to_owned(),
    })
}
