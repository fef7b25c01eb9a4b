//! One chart of a figure of an instance, or of two that are read together: its points, those of an earlier time behind them, its
//! limits, and why it is empty. For the panes that draw charts of one instance (`instance`, `storage`); what they ask of history
//! is theirs.

use super::{range::TimeLine, reading};
use crate::{
    model::{
        fold::snapshot::InstanceSnapshot,
        judge::limits::{Gauge, Thresholds},
        poll::id::{ProbeId, SeriesId, SeriesKey},
    },
    tui::{
        charts::Found,
        view::View,
        widget::{
            canvas::Canvas,
            chart::{Chart, Limits, Plot, Points, Shape},
        },
    },
};

/// What one chart shows.
pub struct Figure {
    /// what it shows, with the unit
    pub title: &'static str,
    /// its series
    pub series: SeriesId,
    /// a second series, drawn as a line, and the names of both
    pub other: Option<(SeriesId, [&'static str; 2])>,
    /// end of the axis; None: what the points need
    pub top: Option<f32>,
    /// the axis goes at least so far
    pub least: f32,
    /// from where on the figure is a warning, and critical
    pub limits: fn(&Thresholds) -> Option<Limits>,
}

/// Which part of the time a chart shows, and how.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// which time, and the cursor in it
    pub line: TimeLine,
    /// the series that the pane asks history for, in this order
    pub asked: &'a [SeriesKey],
    /// lines of braille dots in place of areas
    pub dots: bool,
}

impl Sight<'_> {
    /// The place of a series among those that history was asked for.
    pub fn position(&self, id: SeriesId) -> usize {
        let key = SeriesKey::of(id);
        self.asked.iter().position(|asked| *asked == key).unwrap_or(usize::MAX)
    }
}

/// The limits that a figure is judged by; none if nobody judges it.
pub fn limits(thresholds: &Thresholds, gauge: Gauge) -> Option<Limits> {
    thresholds.limits(gauge).map(|l| Limits {
        warning: l.warning as f32,
        critical: l.critical as f32,
        low_is_bad: l.low_is_bad,
    })
}

/// Limits of a figure that is bad when it is high.
pub const fn high(warning: f64, critical: f64) -> Limits {
    Limits { warning: warning as f32, critical: critical as f32, low_is_bad: false }
}

impl Figure {
    /// One series without limits; the axis goes to `least` at least.
    pub const fn plain(title: &'static str, series: SeriesId, least: f32) -> Self {
        Self { title, series, other: None, top: None, least, limits: |_| None }
    }

    /// Every series in it.
    pub fn series(&self) -> impl Iterator<Item = SeriesId> {
        std::iter::once(self.series).chain(self.other.map(|(series, _)| series))
    }

    /// Draws it.
    pub fn draw(&self, i: &InstanceSnapshot, view: &View<'_>, canvas: &mut Canvas<'_>, sight: Sight<'_>) {
        self.draw_as(self.title, i, view, canvas, sight);
    }

    /// Draws it under another head.
    pub fn draw_as(
        &self,
        title: &str,
        i: &InstanceSnapshot,
        view: &View<'_>,
        canvas: &mut Canvas<'_>,
        sight: Sight<'_>,
    ) {
        let (t, line) = (view.theme, sight.line);
        let found = (!line.is_in_memory()).then(|| line.found(view, i.id(), sight.asked));
        let before = line.found_earlier(view, i.id(), sight.asked);
        let points = |id| match &found {
            Some(found) => Points::Kept(found.line(sight.position(id)), 0),
            None => Points::Live(i.history.get(id)),
        };
        let plot = |name, id, shape, style| Plot { name, points: points(id), shape, style };
        let (main, second) =
            if sight.dots { (Shape::Braille, Shape::Braille) } else { (Shape::Area, Shape::Line) };
        let name = self.other.map_or("", |(_, names)| names[0]);
        let mut plots = vec![plot(name, self.series, main, t.area(0))];
        if let Some((series, names)) = self.other
            && !points(series).is_empty()
        {
            plots.push(plot(names[1], series, second, t.area(9)));
        }
        if let Some(before) = &before {
            let earlier = line.earlier();
            let points = Points::Kept(before.line(sight.position(self.series)), earlier.ms());
            plots.push(Plot { name: earlier.name(), points, shape: Shape::Line, style: t.earlier() });
        }
        let mut why = String::new();
        match &found {
            Some(found) => push_why_none(&mut why, found, i, self.series.probe(), view),
            None => push_why(&mut why, i, self.series, view),
        }
        Chart {
            title,
            plots: &plots,
            now: line.end(view),
            zone: view.zone,
            range_ms: line.ms(),
            factor: 1.0,
            top: self.top,
            least: self.least,
            limits: (self.limits)(&view.snapshot.thresholds),
            empty: &why,
            cursor: line.cursor(),
            marks: line.marks(view, i.id()),
        }
        .draw(canvas, t);
    }
}

/// Why history has no points of a series: the reason that its probe has none, where that is lasting.
pub fn push_why_none(
    out: &mut String,
    found: &Found<'_>,
    i: &InstanceSnapshot,
    probe: ProbeId,
    view: &View<'_>,
) {
    let problem = i.facts.meta(probe).problem.filter(|problem| problem.is_final());
    match (found, problem) {
        (Found::Data(_), Some(problem)) => reading::push_why(out, i, Some(problem), view),
        _ => out.push_str(found.words()),
    }
}

/// Why a series has no points.
pub fn push_why(out: &mut String, i: &InstanceSnapshot, series: SeriesId, view: &View<'_>) {
    let reading = i.facts.meta(series.probe());
    if reading.problem.is_some() || !reading.has_value {
        reading::push_why(out, i, reading.problem, view);
    } else {
        out.push_str("nothing in this time");
    }
}
