//! F12: what dbtop itself costs and how well it keeps up.

use crate::model::{figure, snapshot::FleetSnapshot};
use crate::tui::{theme::Theme, widget::canvas::Canvas};
use std::fmt::Write as _;

/// Figures of the run loop. Times in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// frames since the start
    pub frames: u64,
    /// time to build and send the last frame
    pub frame_us: u32,
    /// 99th percentile of the last frames
    pub frame_p99_us: u32,
    /// 99th percentile of the time from a key to the end of its frame, over the last keys
    pub key_p99_us: u32,
    /// bytes sent to the terminal
    pub bytes: u64,
    /// bytes sent over the last seconds, a second
    pub bytes_per_s: u32,
    /// effects that the program did not take in time
    pub effects_dropped: u64,
}

/// Draws the panel at the top right.
pub fn render(figures: &Figures, snapshot: &FleetSnapshot, canvas: &mut Canvas<'_>, theme: &Theme) {
    let c = &snapshot.collector;
    let mut lines: Vec<(&str, String)> = Vec::with_capacity(16);
    let ms = |us: u32| format!("{:.1} ms", f64::from(us) / 1000.0);
    lines.push(("frames", figures.frames.to_string()));
    lines.push(("frame", format!("{}, p99 {}", ms(figures.frame_us), ms(figures.frame_p99_us))));
    lines.push(("key to paint p99", ms(figures.key_p99_us)));
    let mut sent = String::new();
    figure::push_size(&mut sent, f64::from(figures.bytes_per_s));
    sent.push_str("/s, ");
    figure::push_size(&mut sent, figures.bytes as f64);
    lines.push(("sent", sent));
    lines.push(("snapshot", format!("{}, {} instances", snapshot.version, snapshot.instances.len())));
    let mut process = format!("{:.1} % of a core, ", c.process_cpu_pct);
    figure::push_size(&mut process, c.process_rss_bytes as f64);
    lines.push(("process", process));
    lines.push(("connections", format!("{} up, {} waiting", c.connected, c.queued)));
    lines.push(("queries", format!("{} running", c.in_flight)));
    let mut polls = String::new();
    figure::push_count(&mut polls, c.polls_ok as f64);
    polls.push_str(" ok, ");
    figure::push_count(&mut polls, c.polls_failed as f64);
    polls.push_str(" failed");
    lines.push(("polls", polls));
    lines.push(("late", format!("p99 {} ms, {} skipped", c.start_delay_p99_ms, c.polls_skipped)));
    let mut dropped = String::new();
    let _ = write!(dropped, "{} samples waited, {} effects", c.samples_waited, figures.effects_dropped);
    lines.push(("dropped", dropped));
    let w = 46.min(canvas.width());
    let h = (lines.len() as u16 + 2).min(canvas.height());
    let mut panel = canvas.part(canvas.width() - w, 0, w, h);
    panel.clear(theme.panel);
    panel.repeat(0, 0, w, "─", theme.rule);
    panel.put(2, 0, w, " dbtop itself ", theme.dim);
    // The edge: the row behind is not cut short, it goes on below.
    for y in 1..h {
        panel.glyph(0, y, "│", theme.rule);
    }
    panel.glyph(0, 0, "┌", theme.rule);
    for (y, (name, value)) in lines.iter().enumerate() {
        panel.put(2, y as u16 + 1, 17, name, theme.dim);
        panel.put(20, y as u16 + 1, w.saturating_sub(21), value, theme.base);
    }
}
