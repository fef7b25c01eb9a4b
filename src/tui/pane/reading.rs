//! How a reading is shown: the value, dimmed when it is stale, or the reason why there is none. Never a zero for unknown.

use super::View;
use crate::model::{
    figure,
    health::Level,
    reading::{Reading, Unavailable},
    sample::Link,
    snapshot::InstanceSnapshot,
    time::Timestamp,
};
use crate::tui::{theme::Theme, widget::table::CellText};
use ratatui::style::Style;
use std::fmt::Write as _;

/// Glyph of a level: the meaning never hangs on the colour alone.
pub const fn glyph(level: Level) -> &'static str {
    match level {
        Level::Ok => "●",
        Level::Warning => "▲",
        Level::Critical | Level::Offline => "✖",
        Level::Unknown => "○",
    }
}

/// A level in one word.
pub const fn level_word(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Critical => "critical",
        Level::Offline => "offline",
        Level::Unknown => "unknown",
    }
}

/// Style of a level.
pub const fn level_style(theme: &Theme, level: Level) -> Style {
    match level {
        Level::Ok => theme.ok,
        Level::Warning => theme.warning,
        Level::Critical | Level::Offline => theme.critical,
        Level::Unknown => theme.unknown,
    }
}

/// Style of a value: dimmed once it is stale.
pub fn value_style<T>(theme: &Theme, reading: &Reading<T>, now: Timestamp) -> Style {
    if reading.is_stale(now) { theme.dim } else { theme.base }
}

/// Why there is no value, in at most four columns. The whole sentence is in the details.
pub const fn short(problem: Option<&Unavailable>) -> &'static str {
    match problem {
        Some(Unavailable::NoRight(_) | Unavailable::Missing(_)) => "n/a",
        Some(Unavailable::SwitchedOff(_)) => "off",
        Some(Unavailable::NotYet | Unavailable::NeedsTwoSamples) => "…",
        Some(Unavailable::NotHere(_) | Unavailable::Failed(_)) | None => "–",
    }
}

/// Fills a cell with a part of a reading, or with the short reason why there is none.
pub fn cell<T, V>(
    cell: &mut CellText,
    view: &View<'_>,
    reading: &Reading<T>,
    part: impl FnOnce(&T) -> Option<V>,
    draw: impl FnOnce(&mut String, V),
) {
    match reading.get().map(part) {
        Some(Some(v)) => cell.with(value_style(view.theme, reading, view.now), |s| draw(s, v)),
        // The poll worked, this field of it is NULL.
        Some(None) => cell.put(
            view.theme.dim,
            if reading.problem.is_some() { short(reading.problem.as_ref()) } else { "–" },
        ),
        None => cell.put(view.theme.dim, short(reading.problem.as_ref())),
    }
}

/// Appends what stands in place of a whole pane or row: `n/a (VIEW SERVER STATE)`, `connecting …`.
pub fn push_absence<T>(out: &mut String, instance: &InstanceSnapshot, reading: &Reading<T>, now: Timestamp) {
    match (&instance.facts.link, &reading.problem) {
        (Link::Down { .. } | Link::Connecting | Link::Idle, None | Some(Unavailable::NotYet)) => {
            push_link(out, instance, now)
        }
        (_, Some(problem)) => {
            let _ = write!(out, "{problem}");
        }
        (_, None) => out.push_str("not polled yet"),
    }
}

/// Appends the state of the connection: `login refused (18456): …, 3 attempts, next in 12s`.
pub fn push_link(out: &mut String, instance: &InstanceSnapshot, now: Timestamp) {
    match &instance.facts.link {
        Link::Idle => out.push_str("waiting for its first poll"),
        Link::Connecting => out.push_str("connecting …"),
        Link::Up => out.push_str("connected"),
        Link::Down { failure, attempts, next_at } => {
            let _ =
                write!(out, "{failure}, {attempts} attempt{}, next ", if *attempts == 1 { "" } else { "s" });
            let wait = *next_at - now;
            if wait < 1000 {
                out.push_str("now");
            } else {
                out.push_str("in ");
                figure::push_span(out, wait);
            }
        }
    }
}

/// Age in steps that do not tick: below a minute whole tens of seconds. A row must not be sent again every second only
/// because time passes.
pub fn push_calm_age(out: &mut String, age_ms: u64) {
    if age_ms < 10_000 {
        out.push_str("<10s");
    } else if age_ms < 60_000 {
        let _ = write!(out, "{}s", age_ms / 10_000 * 10);
    } else {
        figure::push_span(out, age_ms as i64);
    }
}
