//! What an empty fleet says.

use super::super::View;
use crate::tui::widget::canvas::Canvas;

/// Says why there is no row and what to do about it.
pub fn empty(view: &View<'_>, filter: &str, before: usize, canvas: &mut Canvas<'_>) {
    let t = view.theme;
    let lines: &[&str] = if before > 0 && !filter.is_empty() {
        &["No instance matches the filter.", "", "Esc clears it."]
    } else if view.faults_only && !view.snapshot.instances.is_empty() {
        &["No faults.", "", "Ctrl-z shows all instances again."]
    } else if !view.snapshot.instances.is_empty() {
        &["No instance is in this scope.", "", "Esc widens it."]
    } else if view.snapshot.version == 0 {
        &["Connecting to the fleet …"]
    } else {
        &[
            "No instances yet.",
            "",
            "See a simulated fleet:   dbtop --demo",
            "Watch your own:          dbtop --inventory fleet.toml",
            "",
            "fleet.toml:",
            "  [[instance]]",
            "  name = \"sqlprd-001\"",
            "  host = \"sqlprd-001.example.org\"",
            "  user = \"dbtop\"",
            "  password = { env = \"DBTOP_PASSWORD\" }",
            "  groups = [\"prod\"]",
        ]
    };
    let longest = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0) as u16;
    let x = canvas.width().saturating_sub(longest) / 2;
    let y = canvas.height().saturating_sub(lines.len() as u16) / 3;
    for (n, line) in lines.iter().enumerate() {
        let style = if n == 0 { t.strong } else { t.dim };
        canvas.put(x.max(1), y + n as u16, canvas.width().saturating_sub(2), line, style);
    }
}
