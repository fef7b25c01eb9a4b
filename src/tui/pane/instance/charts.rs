//! The charts of an instance: as many as there is room for, the most telling ones first.

use super::{
    super::{
        figure::{Figure, Sight, high, limits, push_why},
        range::render_events,
        waits::{self, Picture},
    },
    reading,
};
use crate::{
    model::{
        fold::snapshot::InstanceSnapshot,
        judge::limits::Gauge,
        poll::{
            id::{SeriesId, SeriesKey},
            link::Link,
        },
    },
    tui::{
        view::View,
        widget::{canvas::Canvas, fold::fold, stack::Look},
    },
};

/// Least rows of a chart.
pub const LEAST_HEIGHT: u16 = 6;

/// Rows from which on two lines of charts are better than one.
const LINE_HEIGHT: u16 = 10;

/// Columns from which on two or three charts stand side by side.
const SIDE_BY_SIDE: [u16; 2] = [76, 150];

/// Column where text begins that stands in place of the charts.
const INDENT: u16 = 3;

/// Longest line of such a text: longer ones are hard to read.
const LONGEST_LINE: u16 = 100;

/// All charts but the waits, which come second.
const FIGURES: [Figure; 8] = [
    Figure {
        title: "CPU %",
        series: SeriesId::Cpu,
        other: Some((SeriesId::CpuOther, ["SQL Server", "others"])),
        top: Some(100.0),
        least: 0.0,
        limits: |t| limits(t, Gauge::Cpu),
    },
    Figure::plain("batches per second", SeriesId::Batches, 10.0),
    Figure::plain("sessions blocked", SeriesId::Blocked, 4.0),
    Figure {
        title: "memory of the machine %",
        series: SeriesId::Memory,
        other: None,
        top: Some(100.0),
        least: 0.0,
        limits: |t| limits(t, Gauge::Memory),
    },
    Figure::plain("page life s", SeriesId::PageLife, 300.0),
    Figure {
        title: "page read ms",
        series: SeriesId::PageRead,
        other: None,
        top: None,
        least: 10.0,
        limits: |t| limits(t, Gauge::Io),
    },
    Figure::plain("log flush ms", SeriesId::LogFlush, 5.0),
    Figure {
        title: "tempdb used %",
        series: SeriesId::Tempdb,
        other: None,
        top: Some(100.0),
        least: 0.0,
        limits: |t| Some(high(100.0 - t.tempdb_warning_pct, 100.0 - t.tempdb_critical_pct)),
    },
];

/// The series of all charts.
pub fn series() -> Vec<SeriesKey> {
    let first = FIGURES.iter().map(|f| f.series).chain([SeriesId::Waits]);
    first.chain(FIGURES.iter().filter_map(|f| Some(f.other?.0))).map(SeriesKey::of).collect()
}

/// Draws charts side by side and below each other until the canvas is full.
pub fn render(
    i: &InstanceSnapshot,
    view: &View<'_>,
    canvas: &mut Canvas<'_>,
    sight: Sight<'_>,
    picture: &mut Picture,
) {
    if canvas.height() < LEAST_HEIGHT || canvas.width() < 2 {
        return;
    }
    if sight.line.is_in_memory() && i.history.iter().all(|(_, series)| series.last().is_none()) {
        return render_silence(i, view, canvas);
    }
    let marks = sight.line.marks(view, i.id());
    let height = canvas.height();
    let words = u16::from(!marks.is_empty() && height > LEAST_HEIGHT);
    if words > 0 {
        render_events(sight.line, marks, view, &mut canvas.part(0, height - 1, canvas.width(), 1));
    }
    let canvas = &mut canvas.part(0, 0, canvas.width(), height - words);
    let total = canvas.width() - 1;
    let columns = 1 + SIDE_BY_SIDE.iter().filter(|least| total >= **least).count() as u16;
    let lines = (canvas.height() / LINE_HEIGHT).clamp(1, 3);
    let (width, height) = (total / columns, canvas.height() / lines);
    for n in 0..columns * lines {
        let (x, y) = (n % columns * width + 1, n / columns * height);
        // One column and one row of air between neighbours.
        let last_line = n / columns + 1 == lines;
        let mut part = canvas.part(x, y, width.saturating_sub(2), height - u16::from(!last_line));
        if n == 1 {
            draw_waits(i, view, &mut part, sight, picture);
        } else if let Some(figure) = FIGURES.get(usize::from(n.saturating_sub(1))) {
            figure.draw(i, view, &mut part, sight);
        }
    }
}

/// Without a single point there is room for the whole story of the connection.
fn render_silence(i: &InstanceSnapshot, view: &View<'_>, canvas: &mut Canvas<'_>) {
    let mut text = String::new();
    match &i.facts.link {
        Link::Down { failure, .. } => text.push_str(view.failure(failure)),
        _ => reading::push_why(&mut text, i, i.facts.headline.problem.as_ref(), view),
    }
    let room = canvas.width().saturating_sub(INDENT + 2).min(LONGEST_LINE);
    let mut lines = fold(&text, usize::from(room));
    lines.extend([String::new(), "Nothing is known yet, so there is nothing to draw.".to_owned()]);
    let last = lines.len() - 1;
    for (y, line) in lines.iter().enumerate() {
        let style = if y == last { view.theme.dim } else { view.theme.base };
        canvas.put(INDENT, y as u16, room, line, style);
    }
}

fn draw_waits(
    i: &InstanceSnapshot,
    view: &View<'_>,
    canvas: &mut Canvas<'_>,
    sight: Sight<'_>,
    picture: &mut Picture,
) {
    let mut why = String::new();
    push_why(&mut why, i, SeriesId::Waits, view);
    let look = Look { empty: &why, ..waits::LOOK };
    let before = sight.line.found_earlier(view, i.id(), sight.asked);
    let before = before.as_ref().and_then(|b| b.line(sight.position(SeriesId::Waits)));
    picture.render(view, canvas, sight.line, &look, before);
    if canvas.height() >= 3 {
        let x = look.title.len() as u16 + 2;
        let width = canvas.width().saturating_sub(x);
        picture.render_legend(view, &mut canvas.part(x, 0, width, 1), sight.line, &look);
    }
}
