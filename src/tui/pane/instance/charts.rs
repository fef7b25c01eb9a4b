//! The charts of an instance: as many as there is room for, the most telling ones first.

use super::{
    super::{
        range::{TimeLine, render_events},
        waits::{self, Picture},
    },
    reading,
};
use crate::{
    model::{
        fold::snapshot::InstanceSnapshot,
        judge::health::Thresholds,
        poll::{
            id::{SeriesId, SeriesKey},
            link::Link,
        },
    },
    tui::{
        view::View,
        widget::{
            canvas::Canvas,
            chart::{Chart, Limits, Plot, Points, Shape},
            fold::fold,
            stack::Look,
        },
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

/// One chart of a single figure.
struct Kind {
    title: &'static str,
    series: SeriesId,
    /// a second series, drawn as a line, and the names of both
    other: Option<(SeriesId, [&'static str; 2])>,
    top: Option<f32>,
    least: f32,
    limits: fn(&Thresholds) -> Option<Limits>,
}

impl Kind {
    /// Without limits; the axis goes to `least` at least.
    const fn plain(title: &'static str, series: SeriesId, least: f32) -> Self {
        Self { title, series, other: None, top: None, least, limits: |_| None }
    }
}

const fn high(warning: f64, critical: f64) -> Limits {
    Limits { warning: warning as f32, critical: critical as f32, low_is_bad: false }
}

/// All charts but the waits, which come second.
const KINDS: [Kind; 8] = [
    Kind {
        title: "CPU %",
        series: SeriesId::Cpu,
        other: Some((SeriesId::CpuOther, ["SQL Server", "others"])),
        top: Some(100.0),
        least: 0.0,
        limits: |t| Some(high(t.cpu_warning_pct, t.cpu_critical_pct)),
    },
    Kind::plain("batches per second", SeriesId::Batches, 10.0),
    Kind::plain("sessions blocked", SeriesId::Blocked, 4.0),
    Kind {
        title: "memory of the machine %",
        series: SeriesId::Memory,
        other: None,
        top: Some(100.0),
        least: 0.0,
        limits: |t| Some(high(t.memory_warning_pct, t.memory_critical_pct)),
    },
    Kind::plain("page life s", SeriesId::PageLife, 300.0),
    Kind {
        title: "page read ms",
        series: SeriesId::PageRead,
        other: None,
        top: None,
        least: 10.0,
        limits: |t| Some(high(t.io_warning_ms, t.io_critical_ms)),
    },
    Kind::plain("log flush ms", SeriesId::LogFlush, 5.0),
    Kind {
        title: "tempdb used %",
        series: SeriesId::Tempdb,
        other: None,
        top: Some(100.0),
        least: 0.0,
        limits: |t| Some(high(100.0 - t.tempdb_warning_pct, 100.0 - t.tempdb_critical_pct)),
    },
];

/// The series of all charts, those of the kinds first.
pub fn series() -> Vec<SeriesKey> {
    let first = KINDS.iter().map(|k| k.series).chain([SeriesId::Waits]);
    first.chain(KINDS.iter().filter_map(|k| Some(k.other?.0))).map(SeriesKey::of).collect()
}

/// The place of a series among them.
fn position(id: SeriesId) -> usize {
    let first = KINDS.iter().map(|k| k.series).chain([SeriesId::Waits]);
    let mut all = first.chain(KINDS.iter().filter_map(|k| Some(k.other?.0)));
    all.position(|s| s == id).unwrap_or(usize::MAX)
}

/// The charts to show.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// which time, and the cursor in it
    pub line: TimeLine,
    /// lines of braille dots in place of areas
    pub dots: bool,
}

/// Draws charts side by side and below each other until the canvas is full.
pub fn render(
    i: &InstanceSnapshot,
    view: &View<'_>,
    canvas: &mut Canvas<'_>,
    sight: Sight,
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
        } else if let Some(kind) = KINDS.get(usize::from(n.saturating_sub(1))) {
            draw(i, view, &mut part, sight, kind);
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
    sight: Sight,
    picture: &mut Picture,
) {
    let mut why = String::new();
    push_why(&mut why, i, SeriesId::Waits, view);
    let look = Look { empty: &why, ..waits::LOOK };
    let before = sight.line.found_earlier(view, i.id(), &series());
    let before = before.as_ref().and_then(|b| b.line(position(SeriesId::Waits)));
    picture.render(view, canvas, sight.line, &look, before);
    if canvas.height() >= 3 {
        let x = look.title.len() as u16 + 2;
        let width = canvas.width().saturating_sub(x);
        picture.render_legend(view, &mut canvas.part(x, 0, width, 1), sight.line, &look);
    }
}

fn draw(i: &InstanceSnapshot, view: &View<'_>, canvas: &mut Canvas<'_>, sight: Sight, kind: &Kind) {
    let t = view.theme;
    let found = (!sight.line.is_in_memory()).then(|| sight.line.found(view, i.id(), &series()));
    let before = sight.line.found_earlier(view, i.id(), &series());
    let points = |id| match &found {
        Some(found) => Points::Kept(found.line(position(id)), 0),
        None => Points::Live(i.history.get(id)),
    };
    let plot = |name, id, shape, style| Plot { name, points: points(id), shape, style };
    let (main, second) =
        if sight.dots { (Shape::Braille, Shape::Braille) } else { (Shape::Area, Shape::Line) };
    let mut plots = vec![plot(kind.other.map_or("", |(_, names)| names[0]), kind.series, main, t.area(0))];
    if let Some((series, names)) = kind.other
        && match points(series) {
            Points::Live(s) => s.is_some_and(|s| s.last().is_some()),
            Points::Kept(line, _) => line.is_some_and(|l| !l.buckets.is_empty()),
        }
    {
        plots.push(plot(names[1], series, second, t.area(9)));
    }
    if let Some(before) = &before {
        let earlier = sight.line.earlier();
        let points = Points::Kept(before.line(position(kind.series)), earlier.ms());
        plots.push(Plot { name: earlier.name(), points, shape: Shape::Line, style: t.earlier() });
    }
    let mut why = String::new();
    match &found {
        Some(found) => why.push_str(found.words()),
        None => push_why(&mut why, i, kind.series, view),
    }
    Chart {
        title: kind.title,
        plots: &plots,
        now: sight.line.end(view),
        range_ms: sight.line.ms(),
        factor: 1.0,
        top: kind.top,
        least: kind.least,
        limits: (kind.limits)(&view.snapshot.thresholds),
        empty: &why,
        cursor: sight.line.cursor(),
        marks: sight.line.marks(view, i.id()),
    }
    .draw(canvas, t);
}

/// Why a series has no points.
fn push_why(out: &mut String, i: &InstanceSnapshot, series: SeriesId, view: &View<'_>) {
    let reading = i.facts.meta(series.probe());
    if reading.problem.is_some() || !reading.has_value {
        reading::push_why(out, i, reading.problem, view);
    } else {
        out.push_str("nothing in this time");
    }
}
