//! F12: dbtop's own cost, and how well it keeps up.

use crate::{
    model::{
        base::{figure, time::Timestamp},
        fold::{snapshot::FleetSnapshot, stats::CollectorStats},
    },
    protocol::StoreNow,
    tui::{theme::Theme, widget::canvas::Canvas},
};

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

/// The figures of the store.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stored {
    /// None: nothing is kept, or the process that keeps it does not tell
    pub store: Option<StoreNow>,
    /// what a day adds, bytes; None: not known yet
    pub growth_bytes: Option<u64>,
}

type Line = (&'static str, String);

/// Columns of the panel, and where values begin in it. A value has 27: `1.2k rows/s, 12.5k points/s`.
const WIDTH: u16 = 48;
const VALUES: u16 = 20;

/// From this width on the panel has room beside the columns that matter most.
const BESIDE: u16 = 100;

const TITLE: &str = " dbtop itself · F12 or Esc closes ";

/// Draws the lines in two columns at the foot of a narrow screen, where they hide the reasons of the worst rows least.
fn below(lines: &[Line], canvas: &mut Canvas<'_>, theme: &Theme) {
    let (w, rows) = (canvas.width(), lines.len().div_ceil(2));
    let h = (rows as u16 + 1).min(canvas.height());
    let mut panel = canvas.part(0, canvas.height() - h, w, h);
    panel.clear(theme.panel);
    panel.repeat(0, 0, w, "─", theme.rule);
    panel.put(2, 0, w, TITLE, theme.dim);
    let half = w / 2;
    for (n, (name, value)) in lines.iter().enumerate() {
        let (x, y) = (1 + (n / rows) as u16 * half, (n % rows) as u16 + 1);
        panel.put(x, y, VALUES - 4, name, theme.dim);
        panel.put(x + VALUES - 3, y, half.saturating_sub(VALUES - 2), value, theme.base);
    }
}

/// Draws the panel at the top right. The snapshot is that of now, whatever moment is on the screen; without `stored` it is of
/// a recording, which nobody polls or writes.
pub fn render(
    figures: &Figures,
    snapshot: &FleetSnapshot,
    (stored, clock): (Option<&Stored>, Timestamp),
    canvas: &mut Canvas<'_>,
    theme: &Theme,
) {
    let mut lines: Vec<Line> = Vec::with_capacity(16);
    screen(figures, snapshot, &mut lines);
    match stored {
        Some(stored) => {
            collector(&snapshot.collector, figures, &mut lines);
            store(stored, clock, &mut lines);
        }
        None => lines.push(("polls", "none: a recording".to_owned())),
    }
    if canvas.width() < BESIDE {
        return below(&lines, canvas, theme);
    }
    let w = WIDTH.min(canvas.width());
    let h = (lines.len() as u16 + 2).min(canvas.height());
    let mut panel = canvas.part(canvas.width() - w, 0, w, h);
    panel.clear(theme.panel);
    panel.repeat(0, 0, w, "─", theme.rule);
    panel.put(2, 0, w, TITLE, theme.dim);
    // The edge: the row behind is not cut short, it goes on below.
    for y in 1..h {
        panel.glyph(0, y, "│", theme.rule);
    }
    panel.repeat(0, h - 1, w, "─", theme.rule);
    panel.glyph(0, 0, "┌", theme.rule);
    panel.glyph(0, h - 1, "└", theme.rule);
    for (y, (name, value)) in lines.iter().enumerate() {
        panel.put(2, y as u16 + 1, VALUES - 3, name, theme.dim);
        panel.put(VALUES, y as u16 + 1, w.saturating_sub(VALUES + 1), value, theme.base);
    }
}

fn screen(figures: &Figures, snapshot: &FleetSnapshot, lines: &mut Vec<Line>) {
    let ms = |us: u32| figure::mean(f64::from(us) / 1000.0);
    lines.push(("frames", figures.frames.to_string()));
    lines.push(("frame", format!("{}, p99 {}", ms(figures.frame_us), ms(figures.frame_p99_us))));
    lines.push(("key to paint p99", ms(figures.key_p99_us)));
    let mut sent = String::new();
    figure::push_size(&mut sent, f64::from(figures.bytes_per_s));
    sent.push_str("/s, ");
    figure::push_size(&mut sent, figures.bytes as f64);
    lines.push(("sent", sent));
    lines.push(("snapshot", format!("{}, {} instances", snapshot.version, snapshot.instances.len())));
}

fn collector(c: &CollectorStats, figures: &Figures, lines: &mut Vec<Line>) {
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
    lines.push((
        "late",
        format!("p99 {}, {} skipped", figure::wait(c.start_delay_p99_ms.into()), c.polls_skipped),
    ));
    lines.push(("samples waited", c.samples_waited.to_string()));
    lines.push(("effects dropped", figures.effects_dropped.to_string()));
}

/// Writes a second, and how long there is room for them.
fn store(stored: &Stored, clock: Timestamp, lines: &mut Vec<Line>) {
    let Some(s) = &stored.store else {
        return lines.push(("store", "no figures".to_owned()));
    };
    let mut rates = String::new();
    figure::push_count(&mut rates, s.rows_per_s);
    rates.push_str(" rows/s, ");
    figure::push_count(&mut rates, s.points_per_s);
    rates.push_str(" points/s");
    lines.push(("store", rates));
    let mut commit = String::new();
    match s.committed_at {
        Some(at) => {
            figure::push_span(&mut commit, clock - at);
            commit.push_str(" ago");
        }
        None => commit.push_str("none yet"),
    }
    commit.push_str(", ");
    figure::push_count(&mut commit, s.backlog as f64);
    commit.push_str(" waiting");
    lines.push(("last commit", commit));
    lines.push(("readings lost", s.lost.to_string()));
    let mut size = String::new();
    figure::push_size(&mut size, s.size_bytes as f64);
    if s.max_bytes > 0 {
        size.push_str(" of ");
        figure::push_size(&mut size, s.max_bytes as f64);
    }
    lines.push(("file", size));
    let days = stored.growth_bytes.and_then(|growth| s.days_left(growth));
    let full = days.map_or_else(|| "not known yet".to_owned(), |days| format!("{days:.0} days as it grows"));
    lines.push(("full in", full));
}
