//! What stands above the rows of a pane of parts, of one instance: its charts, those of the part under the cursor, and lines of words.

use super::{
    super::{
        Part,
        figure::{Figure, Sight},
        kept::Kept,
        range::{TimeLine, render_events},
        reading,
    },
    Parts,
};
use crate::{
    model::{fold::snapshot::InstanceSnapshot, poll::id::SeriesKey},
    tui::{view::View, widget::canvas::Canvas},
};

/// A chart beside another one has this width at least.
const LEAST_WIDTH: u16 = 38;

/// A chart above the rows.
enum Drawn<'a> {
    /// of the instance
    Figure(&'static Figure),
    /// of the part under the cursor
    Kept(&'a Kept),
}

/// Draws the charts of an instance side by side, as many as there is room for.
pub(super) fn render_charts<P: Parts>(
    i: &InstanceSnapshot,
    view: &View<'_>,
    canvas: &mut Canvas<'_>,
    line: TimeLine,
    kept: &[Kept],
) {
    let (w, h) = (canvas.width(), canvas.height());
    let marks = line.marks(view, i.id());
    let words = u16::from((!marks.is_empty() || line.cursor().is_some()) && h > 5);
    if words > 0 {
        render_events(line, marks, view, &mut canvas.part(0, h - 1, w, 1));
    }
    let asked = asked::<P>();
    let sight = Sight { line, asked: &asked, dots: false };
    let (first, others) = P::FIGURES.split_at(P::FIGURES.len().min(1));
    let figures = |figures: &'static [Figure]| figures.iter().map(Drawn::Figure);
    let charts = figures(first).chain(kept.iter().map(Drawn::Kept)).chain(figures(others));
    let count = (w / LEAST_WIDTH).clamp(1, (P::FIGURES.len() + kept.len()).max(1) as u16);
    for (n, chart) in (0..count).zip(charts) {
        let x = n * (w / count);
        let room = if n + 1 == count { w - x } else { w / count };
        let mut part = canvas.part(x + 1, 0, room.saturating_sub(2), h - words);
        match chart {
            Drawn::Figure(figure) => figure.draw(i, view, &mut part, sight),
            Drawn::Kept(kept) => kept.draw("", i, view, &mut part, sight),
        }
    }
}

/// Draws what is said above the parts, a third of the room at most, and an empty line; returns how many lines that took.
pub(super) fn render_about<P: Parts>(
    i: &InstanceSnapshot,
    table: &P::Table,
    view: &View<'_>,
    canvas: &mut Canvas<'_>,
) -> u16 {
    let lines = P::about(i, table, view);
    if lines.is_empty() {
        return 0;
    }
    let shown = (lines.len() as u16).min(canvas.height() / 3);
    for (y, line) in (0..shown).zip(&lines) {
        let mut x = 1;
        for (n, (part, text)) in line.iter().enumerate() {
            let room = canvas.width().saturating_sub(x);
            if n > 0 {
                x += canvas.put(x, y, room, " · ", view.theme.dim);
            }
            let style = match part {
                Part::Level(level) => reading::level_style(view.theme, *level),
                _ => view.theme.base,
            };
            x += canvas.put(x, y, canvas.width().saturating_sub(x), text, style);
        }
    }
    shown + 1
}

/// The series of its charts.
pub(super) fn asked<P: Parts>() -> Vec<SeriesKey> {
    P::FIGURES.iter().flat_map(Figure::series).map(SeriesKey::of).collect()
}
