//! A session of Extended Events that records growths of files, as a script for a DBA: each table of the pane shows it.

use super::super::deadlocks;
use crate::{
    deadlock::session,
    model::judge::health::Level,
    tui::{action::Action, view::View, wish::Wish},
};

/// Shows a session that records growths of files, as a script: from each table of the pane.
pub(super) fn session_of_growths(action: Action, view: &View<'_>) -> Option<Wish> {
    (action == Action::RecordGrowths).then(|| match view.single() {
        Some(i) => Wish::Read(deadlocks::shown(i, view, "when files grow", session::of_growths)),
        None => Wish::Say(Level::Ok, "the script depends on the server: s leads to one".to_owned()),
    })
}
