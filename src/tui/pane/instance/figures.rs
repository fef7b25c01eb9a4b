//! The headline figures of an instance: a name, the value now, the last minutes as a sparkline.

use super::super::reading;
use crate::{
    model::{
        base::figure,
        fold::snapshot::InstanceSnapshot,
        judge::{health::Level, why::Why},
        poll::id::SeriesId,
    },
    tui::{
        view::View,
        widget::{
            canvas::{Canvas, width},
            cell::CellText,
            spark,
        },
    },
};
use std::fmt::Write as _;

/// Columns of a name.
const NAME: u16 = 9;

/// Columns of a value.
const VALUE: u16 = 9;

/// Least columns of a figure with its sparkline.
const LEAST: u16 = 26;

/// Longest sparkline.
const LONGEST: u16 = 30;

/// Fills the value.
type Fill = fn(&InstanceSnapshot, &View<'_>, &mut CellText);

/// One figure.
struct Figure {
    name: &'static str,
    series: SeriesId,
    /// upper edge of the sparkline; None: the highest value in sight
    top: Option<f32>,
    /// the reasons that are about this figure, and colour it: another one of the same topic does not
    guilty: fn(&Why) -> bool,
    fill: Fill,
}

/// The most telling ones first: a small screen shows the first ones only.
const FIGURES: [Figure; 18] = [
    Figure {
        name: "CPU",
        series: SeriesId::Cpu,
        top: Some(100.0),
        guilty: |why| matches!(why, Why::Cpu { .. }),
        fill: |i, v, out| reading::cell(out, v, &i.facts.headline, |h| h.cpu_pct, figure::push_pct),
    },
    Figure {
        name: "batches",
        series: SeriesId::Batches,
        top: None,
        guilty: |_| false,
        fill: |i, v, out| reading::cell(out, v, &i.facts.headline, |h| h.batches_per_s, push_per_s),
    },
    Figure {
        name: "waits",
        series: SeriesId::Waits,
        top: None,
        guilty: |why| matches!(why, Why::Waits { workers: None, .. }),
        fill: |i, v, out| {
            reading::cell(
                out,
                v,
                &i.facts.waits,
                |w| Some(w.total_ms_per_s / 1000.0),
                |s, x| {
                    figure::push_count(s, x);
                    s.push_str(" s/s");
                },
            );
        },
    },
    Figure {
        name: "blocked",
        series: SeriesId::Blocked,
        top: None,
        guilty: |why| matches!(why, Why::Blocked { .. }),
        fill: |i, v, out| reading::cell(out, v, &i.facts.headline, |h| h.blocked, push_whole),
    },
    Figure {
        name: "memory",
        series: SeriesId::Memory,
        top: Some(100.0),
        guilty: |why| {
            matches!(
                why,
                Why::Memory { .. }
                    | Why::MemoryLow
                    | Why::MachineMemoryLow
                    | Why::MemoryFree { .. }
                    | Why::MemoryTarget { .. }
            )
        },
        fill: |i, v, out| reading::cell(out, v, &i.facts.memory, |m| m.used_pct, figure::push_pct),
    },
    Figure {
        name: "page life",
        series: SeriesId::PageLife,
        top: None,
        guilty: |why| matches!(why, Why::PageLife { .. }),
        fill: |i, v, out| {
            reading::cell(
                out,
                v,
                &i.facts.headline,
                |h| h.page_life_s,
                |s, x| figure::push_wait(s, x as f64 * 1000.0),
            );
        },
    },
    Figure {
        name: "log flush",
        series: SeriesId::LogFlush,
        top: None,
        guilty: |why| matches!(why, Why::LogFlushes(_)),
        fill: |i, v, out| reading::cell(out, v, &i.facts.headline, |h| h.log_flush_ms, figure::push_mean),
    },
    Figure {
        name: "page read",
        series: SeriesId::PageRead,
        top: None,
        guilty: |why| matches!(why, Why::PageReads(_)),
        fill: |i, v, out| {
            let last =
                i.history.get(SeriesId::PageRead).and_then(crate::model::timeline::history::Series::last);
            reading::cell(out, v, &i.facts.waits, |_| last.map(f64::from), figure::push_mean);
        },
    },
    Figure {
        name: "runnable",
        series: SeriesId::Runnable,
        top: None,
        guilty: |why| matches!(why, Why::Runnable { .. }),
        fill: |i, v, out| reading::cell(out, v, &i.facts.cpu, |c| c.runnable, push_whole),
    },
    Figure {
        name: "workers",
        series: SeriesId::Score,
        top: None,
        guilty: |why| matches!(why, Why::Workers(_) | Why::Waits { workers: Some(_), .. }),
        fill: |i, v, out| {
            reading::cell(
                out,
                v,
                &i.facts.cpu,
                // As the reason counts them: those that do something.
                |c| c.active_workers.or(c.workers).zip(c.max_workers),
                |s, (now, most)| {
                    let _ = write!(s, "{now}/{most}");
                },
            );
        },
    },
    Figure {
        name: "grants",
        series: SeriesId::GrantsPending,
        top: None,
        guilty: |why| matches!(why, Why::Grants(_)),
        fill: |i, v, out| {
            reading::cell(
                out,
                v,
                &i.facts.headline,
                |h| h.grants_pending,
                |s, x| {
                    push_whole(s, x);
                    s.push_str(" wait");
                },
            );
        },
    },
    Figure {
        name: "tempdb",
        series: SeriesId::Tempdb,
        top: Some(100.0),
        guilty: |why| matches!(why, Why::Tempdb(_) | Why::TempdbHeld { .. } | Why::TempdbFilling { .. }),
        fill: |i, v, out| reading::cell(out, v, &i.facts.headline, |h| h.tempdb_used_pct, figure::push_pct),
    },
    Figure {
        name: "users",
        series: SeriesId::Connections,
        top: None,
        guilty: |_| false,
        fill: |i, v, out| reading::cell(out, v, &i.facts.headline, |h| h.connections, push_whole),
    },
    Figure {
        name: "logins",
        series: SeriesId::Logins,
        top: None,
        guilty: |_| false,
        fill: |i, v, out| reading::cell(out, v, &i.facts.headline, |h| h.logins_per_s, push_per_s),
    },
    Figure {
        name: "trans.",
        series: SeriesId::Transactions,
        top: None,
        guilty: |_| false,
        fill: |i, v, out| reading::cell(out, v, &i.facts.headline, |h| h.transactions_per_s, push_per_s),
    },
    Figure {
        name: "deadlocks",
        series: SeriesId::Deadlocks,
        top: None,
        guilty: |why| matches!(why, Why::Deadlocks(_)),
        fill: |i, v, out| {
            reading::cell(
                out,
                v,
                &i.facts.headline,
                |h| h.deadlocks_recent,
                |s, x| {
                    let _ = write!(s, "{x}/15 min");
                },
            );
        },
    },
    Figure {
        name: "poll",
        series: SeriesId::PollMs,
        top: None,
        guilty: |why| matches!(why, Why::Silent { .. } | Why::NoCounters(_)),
        fill: |i, v, out| {
            reading::cell(out, v, &i.facts.headline, |h| Some(f64::from(h.round_trip_ms)), figure::push_wait);
        },
    },
    Figure {
        name: "our cost",
        series: SeriesId::Cost,
        top: None,
        guilty: |_| false,
        fill: |i, v, out| {
            reading::cell(
                out,
                v,
                &i.facts.cost,
                |c| c.cpu_ms_per_s,
                |s, x| {
                    figure::push_count(s, x);
                    s.push_str(" ms/s");
                },
            );
        },
    },
];

fn push_whole(s: &mut String, v: i64) {
    figure::push_count(s, v as f64);
}

fn push_per_s(s: &mut String, v: f64) {
    figure::push_count(s, v);
    s.push_str("/s");
}

const fn per_row(width: u16) -> u16 {
    let n = width / LEAST;
    if n == 0 {
        1
    } else if n > 6 {
        6
    } else {
        n
    }
}

/// Rows that all figures need on this width.
pub const fn rows(width: u16) -> u16 {
    (FIGURES.len() as u16).div_ceil(per_row(width))
}

/// Draws as many figures as there is room for, their sparklines over `range_ms`.
pub fn render(i: &InstanceSnapshot, view: &View<'_>, canvas: &mut Canvas<'_>, range_ms: i64) {
    let t = view.theme;
    let columns = per_row(canvas.width());
    let step = canvas.width() / columns;
    let length = step.saturating_sub(NAME + VALUE + 4).min(LONGEST);
    let mut cell = CellText::default();
    let mut buckets = vec![f32::NAN; usize::from(length)];
    for (n, f) in FIGURES.iter().enumerate().take(usize::from(columns * canvas.height())) {
        let (x, y) = (n as u16 % columns * step + 1, n as u16 / columns);
        canvas.put(x, y, NAME, f.name, t.dim);
        cell.clear();
        (f.fill)(i, view, &mut cell);
        cell.draw(canvas, x + NAME + 1, y, VALUE, true);
        let level = i.health.reasons.iter().filter(|r| (f.guilty)(r.why())).map(|r| r.level).max();
        let bad = level.filter(|l| *l >= Level::Warning).map(|l| reading::level_style(t, l));
        if let Some(style) = bad {
            let wide = width(cell.as_str()).min(usize::from(VALUE)) as u16;
            canvas.tint(x + NAME + 1 + VALUE - wide, y, wide, 1, style);
        }
        if !view.low_bandwidth && length >= 3 && f.name != "workers" {
            spark::bucket(i.history.get(f.series), view.now, range_ms / i64::from(length), &mut buckets);
            spark::draw(canvas, x + NAME + VALUE + 2, y, &buckets, f.top, bad.unwrap_or(t.spark));
        }
    }
}
