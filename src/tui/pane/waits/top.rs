//! The lines above the wait types: the poison banner, the chart of the last minutes, and the room that the categories
//! have beside it.

use super::{
    super::{figure::push_why_none, range::TimeLine, reading},
    rows::{self, Row},
};
use crate::{
    model::{
        base::zone::UTC,
        judge::health::Level,
        poll::{
            id::{ProbeId, SeriesId, SeriesKey},
            wait_class::WaitCategory,
        },
        timeline::chart::ChartLine,
    },
    tui::{
        view::View,
        widget::{
            canvas::Canvas,
            stack::{self, Look, Stack},
        },
    },
};
use std::{
    fmt::Write as _,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// Below this height there is room for the types only.
const LEAST_HEIGHT: u16 = 17;

/// Below this width there is room for the categories only, not for the chart beside them.
const LEAST_FOR_CHART: u16 = 72;

/// The chart's title and unit; series hold ms.
pub const LOOK: Look<'_> = Look {
    title: "waiting s/s",
    factor: 0.001,
    empty: "no waits seen yet",
    zone: &UTC,
    cursor: None,
    marks: &[],
    earlier: "",
};

/// How the upper part is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// rows of the upper part, the blank one below it included
    pub height: u16,
    /// columns of the chart; the categories have the rest
    pub chart: u16,
}

impl Split {
    /// Shares a body of this size.
    pub const fn fit(width: u16, height: u16) -> Self {
        if height < LEAST_HEIGHT || width < 30 {
            return Self { height: 0, chart: 0 };
        }
        let wish = height * 2 / 5;
        let height = if wish > 15 { 15 } else { wish };
        let categories = if width >= 110 { 56 } else { 34 };
        let chart = if width >= LEAST_FOR_CHART { width - categories } else { 0 };
        Self { height, chart }
    }
}

/// Shortest time between two reads of the histories, ms: those of 500 instances take a while.
const LOOK_MS: i64 = 1_000;

/// The longest such time, ms: for many instances the histories are read once for each column of the chart.
const LOOK_MANY_MS: i64 = 5_000;

/// More instances than this are many.
const MANY: usize = 50;

/// The input of a picture: scope, time in reads, columns, range.
type Made = (u64, i64, u16, i64);

/// The series that the chart is made of, in the order of the categories.
pub fn series() -> Vec<SeriesKey> {
    WaitCategory::ALL.into_iter().map(|c| SeriesKey::of(SeriesId::Wait(c))).collect()
}

/// The series of all waits together.
pub fn total() -> SeriesKey {
    SeriesKey::of(SeriesId::Waits)
}

/// The chart, made anew at most once a second (over many instances: once a column), or when scope or size change.
#[derive(Debug, Default)]
pub struct Picture {
    stack: Stack,
    made: Option<Made>,
}

impl Picture {
    /// Draws the chart of all instances in scope; of one instance from history where memory does not reach.
    pub fn render(
        &mut self,
        view: &View<'_>,
        canvas: &mut Canvas<'_>,
        line: TimeLine,
        look: &Look<'_>,
        before: Option<&ChartLine>,
    ) {
        let range_ms = line.ms();
        let columns = stack::plot_columns(canvas.width(), canvas.height());
        let look = &Look { zone: view.zone, cursor: line.cursor(), earlier: line.earlier().name(), ..*look };
        if let Some(i) = view.single().filter(|_| !line.is_in_memory()) {
            let found = line.found(view, i.id(), &series());
            let lines =
                WaitCategory::ALL.into_iter().enumerate().filter_map(|(n, c)| Some((c, found.line(n)?)));
            let before = before.map(|b| (b, line.earlier().ms()));
            self.stack = Stack::kept(lines, before, line.end(view), range_ms, columns);
            self.made = None;
            let mut why = String::new();
            push_why_none(&mut why, &found, i, ProbeId::Waits, view);
            let look = Look { empty: &why, marks: line.marks(view, i.id()), ..*look };
            return self.stack.draw(canvas, &look, view.theme);
        }
        let mut scope = DefaultHasher::new();
        (view.scope, view.faults_only, view.snapshot.instances.len()).hash(&mut scope);
        let many = view.single().is_none() && view.snapshot.instances.len() > MANY;
        let column_ms = range_ms / i64::from(columns.max(1));
        let end = line.end(view);
        let look_ms = if many { column_ms.clamp(LOOK_MS, LOOK_MANY_MS) } else { LOOK_MS };
        let made = Some((scope.finish(), end.ms().div_euclid(look_ms), columns, range_ms));
        if self.made != made {
            let histories = view.instances().map(|(_, i)| &*i.history);
            self.stack = Stack::gather(histories, end, range_ms, columns);
            self.made = made;
        }
        self.stack.draw(canvas, look, view.theme);
    }

    /// Names the bands of the last picture on one line.
    pub fn render_legend(&self, view: &View<'_>, canvas: &mut Canvas<'_>, line: TimeLine, look: &Look<'_>) {
        let look = Look { zone: view.zone, cursor: line.cursor(), earlier: line.earlier().name(), ..*look };
        self.stack.draw_legend(canvas, &look, view.theme);
    }
}

/// Draws the banner: `✖ poison: THREADPOOL 2.10 s/s on sqlprd-003 +4 · RESOURCE_SEMAPHORE …`.
pub fn render_banner(poison: &[(Level, Row)], view: &View<'_>, canvas: &mut Canvas<'_>) {
    let Some(worst) = poison.iter().map(|(l, _)| *l).max() else { return };
    let (t, style) = (view.theme, reading::level_style(view.theme, worst));
    let mut x = canvas.put(1, 0, 1, reading::glyph(worst), style) + 2;
    x += canvas.put(x, 0, canvas.width(), "poison: ", style);
    let mut text = String::new();
    for (n, (level, row)) in poison.iter().enumerate() {
        text.clear();
        text.push_str(&row.rate.name);
        text.push(' ');
        rows::push_rate(&mut text, row.rate.ms_per_s);
        text.push_str(" s/s");
        if let Some(i) = row.instance.and_then(|i| view.instance(i)).filter(|_| view.single().is_none()) {
            text.push_str(" on ");
            text.push_str(i.id().as_str());
        }
        if row.on > 1 {
            // Writing to a String cannot fail.
            let _ = write!(text, " +{}", row.on - 1);
        }
        if n > 0 {
            x += canvas.put(x, 0, canvas.width().saturating_sub(x), " · ", t.dim);
        }
        x += canvas.put(x, 0, canvas.width().saturating_sub(x), &text, reading::level_style(t, *level));
    }
}
