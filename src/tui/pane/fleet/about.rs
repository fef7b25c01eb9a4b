//! The words of an empty fleet.

use crate::tui::{
    view::{Sealed, View},
    widget::canvas::Canvas,
};

/// The first screen of a new user. Fits 80 columns and 24 rows.
const FIRST_STEPS: [&str; 18] = [
    "No instances yet.",
    "",
    "Look around in a simulated fleet:",
    "  dbtop --demo",
    "",
    "Watch your own servers. Names and passwords are sealed on disk:",
    "  + or :add                                             the wizard, here",
    "  dbtop vault init                                      from a shell, once",
    "  dbtop instance add sales-1 --host db1 --user watcher  tested, then saved",
    "  dbtop instance import servers.csv                     preview; --yes does it",
    "      also .json, .toml, and .regsrvr of Management Studio; --cms NAME",
    "",
    "Or from a plain file, without a vault:   dbtop --inventory fleet.toml",
    "  [[instance]]",
    "  name = \"sales-1\"",
    "  host = \"db1.example.org\"",
    "  user = \"watcher\"",
    "  password = { env = \"DBTOP_PASSWORD\" }",
];

/// Says why there is no row and what to do about it.
pub fn empty(view: &View<'_>, filter: &str, before: usize, canvas: &mut Canvas<'_>) {
    let t = view.theme;
    let lines: &[&str] = if before > 0 && !filter.is_empty() {
        &["No instance matches the filter.", "", "Esc clears it."]
    } else if view.faults_only && !view.snapshot.instances.is_empty() {
        &["No faults.", "", "Ctrl-z shows all instances again."]
    } else if !view.snapshot.instances.is_empty() {
        &["No instance is in this scope.", "", "Esc widens it."]
    } else if view.sealed == Sealed::Locked {
        &["The inventory is locked: nothing is polled yet.", "", ":unlock opens it."]
    } else if view.sealed == Sealed::Choose {
        &["There are several tenants.", "", ":tenants chooses one."]
    } else if view.sealed == Sealed::Opening {
        &["Opening the inventory …"]
    } else if view.sealed == Sealed::Reading {
        &["Reading the recording …"]
    } else if view.snapshot.version == 0 {
        &["Connecting to the fleet …"]
    } else {
        &FIRST_STEPS
    };
    let longest = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0) as u16;
    let x = canvas.width().saturating_sub(longest) / 2;
    let y = canvas.height().saturating_sub(lines.len() as u16) / 3;
    for (n, line) in lines.iter().enumerate() {
        let style = if n == 0 { t.strong } else { t.dim };
        canvas.put(x.max(1), y + n as u16, canvas.width().saturating_sub(2), line, style);
    }
}
