//! Who a session is: its login, host and program, as far as the server says. A part of states that name sessions.

use super::names::{Field, Kind, Visit, maybe};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who a session is.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Who {
    /// login
    pub login: Option<Arc<str>>,
    /// client host
    pub host: Option<Arc<str>>,
    /// program
    pub program: Option<Arc<str>>,
}

impl Who {
    /// Shows the places of its names.
    pub fn each_name_mut(&mut self, visit: Visit<'_>) {
        maybe(visit, Field::Name(Kind::Login), &mut self.login);
        maybe(visit, Field::Name(Kind::Host), &mut self.host);
        maybe(visit, Field::Name(Kind::Program), &mut self.program);
    }

    /// Calls `with` for each text that is known.
    pub fn texts<'p>(&'p self, with: &mut dyn FnMut(&'p str)) {
        for text in [&self.login, &self.host, &self.program].into_iter().flatten() {
            with(text);
        }
    }
}
