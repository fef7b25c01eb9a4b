//! Figures as a report spells them. `model::base::figure` has the spelling of each; this is its form as a text of its own.

use crate::model::base::figure;

fn text(push: impl FnOnce(&mut String)) -> String {
    let mut out = String::new();
    push(&mut out);
    out
}

/// `0 s`, `2.4 s`, `5m41s`, `2h04m`: as the screen says how long something took.
pub(super) fn span(ms: i64) -> String {
    if ms.abs() < 1_000 { "0 s".to_owned() } else { wait(ms as f64) }
}

/// `12ms`, `1.4s`.
pub(super) fn wait(ms: f64) -> String {
    text(|out| figure::push_wait(out, ms))
}

/// `42%`.
pub(super) fn pct(value: f64) -> String {
    text(|out| figure::push_pct(out, value))
}

/// `1.5 GB`.
pub(super) fn size(bytes: f64) -> String {
    text(|out| figure::push_size(out, bytes))
}

/// `1.2k`.
pub(super) fn count(value: f64) -> String {
    text(|out| figure::push_count(out, value))
}

/// A figure with its unit, short.
pub(super) fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "%" => pct(value),
        "ms" => wait(value),
        "s" => wait(value * 1000.0),
        "KB" => size(value * 1024.0),
        _ => text(|out| {
            figure::push_count(out, value);
            if !unit.is_empty() {
                out.push(' ');
                out.push_str(unit);
            }
        }),
    }
}
