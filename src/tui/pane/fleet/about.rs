//! Details of an instance, and what an empty fleet says.

use super::super::{View, reading};
use super::reason_style;
use crate::model::{figure, snapshot::InstanceSnapshot};
use crate::tui::{layer::document::Document, widget::canvas::Canvas};
use std::fmt::Write as _;

/// All reasons of an instance, its connection and what is known of its age.
pub fn document(i: &InstanceSnapshot, view: &View<'_>) -> Document {
    let t = view.theme;
    let mut d = Document::new(i.id().as_str());
    let level = i.health.level;
    d.field("health", reading::level_style(t, level), |s| {
        let _ = write!(s, "{} {}", reading::glyph(level), reading::level_word(level));
        if let Some(score) = i.health.score {
            let _ = write!(s, ", score {score}");
        }
    });
    d.field("address", t.base, |s| s.push_str(&i.info.address));
    d.field("link", t.base, |s| reading::push_link(s, i, view.now));
    d.field("since", t.base, |s| {
        if let Some(at) = i.facts.link_since {
            figure::push_since(s, at, view.now);
        }
    });
    let tls = if i.info.tls.is_insecure() { t.critical } else { t.base };
    d.field("TLS", tls, |s| s.push_str(super::tls_words(i.info.tls)));
    d.field("last poll", t.base, |s| match i.facts.last_good_at {
        Some(at) => {
            figure::push_since(s, at, view.now);
            s.push_str(", ");
            figure::push_span(s, view.now - at);
            s.push_str(" ago");
        }
        None => s.push_str("never"),
    });
    d.field("groups", t.base, |s| s.push_str(&i.info.groups.join(", ")));
    d.field("labels", t.base, |s| {
        for (k, v) in &i.info.labels {
            let _ = write!(s, "{k}={v} ");
        }
    });
    d.head("reasons");
    if i.health.reasons.is_empty() {
        let mut why = String::new();
        if level == crate::model::health::Level::Ok {
            why.push_str("nothing to do");
        } else {
            reading::push_absence(&mut why, i, &i.facts.headline, view.now);
        }
        d.text(why, t.dim);
    }
    for r in &i.health.reasons {
        d.text(
            format!("{} −{:<3} {}", reading::glyph(r.level), r.points, r.text),
            reason_style(view, r.level),
        );
    }
    d
}

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
