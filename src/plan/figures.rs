//! How figures of a plan are written: counts, sizes, times, factors. Used by findings and lines alike.

use crate::model::base::{
    figure::{push_count, push_size, wait},
    text::sanitize_line,
};

/// `1.2M`
pub fn count(value: f64) -> String {
    let mut text = String::new();
    push_count(&mut text, value);
    text
}

/// `88 MB` of so many KB.
pub fn kilobytes(kb: f64) -> String {
    let mut text = String::new();
    push_size(&mut text, kb * 1024.0);
    text
}

/// `4.2 s`
pub fn milliseconds(ms: f64) -> String {
    wait(ms)
}

/// By which factor an estimate is off, whichever way: `1.3k`.
pub fn factor(off: f64) -> String {
    count(if off >= 1.0 { off } else { 1.0 / off })
}

/// A text on one line of at most so many characters.
pub fn short(text: &str, max: usize) -> String {
    sanitize_line(text, max).to_string()
}
