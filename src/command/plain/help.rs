//! The words of plain mode: those of the palette that mean something here, out of the same tables, and the few of its own.

use super::about::About;
use crate::tui::{Action, PaneId, command_line};

/// Actions that are carried out here.
pub const ACTIONS: [Action; 12] = [
    Action::LastView,
    Action::NextProblem,
    Action::FaultsOnly,
    Action::Pause,
    Action::Refresh,
    Action::Live,
    Action::Cost,
    Action::Help,
    Action::Lock,
    Action::Unlock,
    Action::Redraw,
    Action::Quit,
];

/// Words that only lists of lines need.
const OWN: [(&str, &str); 4] = [
    ("a number", "opens that row of the list above"),
    ("more", "the next rows of it"),
    ("back", "to where you were before"),
    ("an empty line", "says again where you are, and the list as it is now"),
];

/// A command a line.
pub fn lines() -> Vec<String> {
    let own = OWN.into_iter().map(|(word, about)| format!("{word}: {about}"));
    let panes = command_line::panes().filter(|(_, _, pane)| About::of(*pane).is_some());
    let panes = panes.map(|(word, about, _)| format!("{word}, with @GROUP or INSTANCE behind it: {about}"));
    let taking =
        command_line::with().filter(|(name, _)| !name.starts_with("theme") && !name.starts_with("sort"));
    let taking = taking.map(|(name, about)| format!("{name}: {about}"));
    let actions = command_line::words().filter(|(_, _, action)| ACTIONS.contains(action));
    let actions = actions.map(|(word, about, action)| match action {
        // Nothing stands still here: it is lines that come or do not.
        Action::Pause => format!("{word}: no news until it is said again"),
        Action::Help => format!("{word}: these words"),
        _ => format!("{word}: {about}"),
    });
    own.chain(panes).chain(taking).chain(actions).collect()
}

/// The sub-command that tells what a pane shows that has no list of lines.
pub const fn command_of(pane: PaneId) -> Option<&'static str> {
    match pane {
        PaneId::Groups => Some("dbtop group list"),
        PaneId::Labels => Some("dbtop label list"),
        PaneId::Filters => Some("dbtop filter list"),
        PaneId::Audit => Some("dbtop audit list"),
        PaneId::Tenants => Some("dbtop tenant list"),
        PaneId::Vault => Some("dbtop vault status"),
        PaneId::Settings => Some("dbtop config show"),
        _ => None,
    }
}

/// Where a pane is told that has no list of lines.
pub fn elsewhere(pane: PaneId) -> String {
    let name = pane.name();
    command_of(pane).map_or_else(
        || format!("{name} has no list of lines yet: only the full screen shows it"),
        |command| format!("{name} is told by a command of its own: {command}"),
    )
}
