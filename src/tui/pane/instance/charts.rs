//! The charts of an instance: as many as there is room for, that of the first reason before the others (`evidence`).

use super::{
    super::{
        figure::{Sight, push_why},
        range::render_events,
        waits::{self, Picture},
    },
    evidence::{self, Evidence, FIGURES},
    reading,
};
use crate::{
    model::{
        fold::snapshot::InstanceSnapshot,
        poll::{
            id::{SeriesId, SeriesKey},
            link::Link,
        },
    },
    tui::{
        view::View,
        widget::{
            canvas::{Canvas, width},
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

/// The series of all charts.
pub fn series() -> Vec<SeriesKey> {
    let first = FIGURES.iter().map(|f| f.series).chain([SeriesId::Waits]);
    let others = FIGURES.iter().filter_map(|f| Some(f.other?.0));
    first.chain(others).chain(evidence::series()).map(SeriesKey::of).collect()
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
    let first = evidence::first(i, &view.snapshot.thresholds);
    let explains =
        |series: SeriesId| matches!(&first, Some((_, Evidence::Figure(shown))) if shown.series == series);
    let mut others = FIGURES.iter().filter(|figure| !explains(figure.series));
    let waits_are_first = matches!(first, Some((_, Evidence::Waits)));
    for n in 0..columns * lines {
        let (x, y) = (n % columns * width + 1, n / columns * height);
        // One column and one row of air between neighbours.
        let last_line = n / columns + 1 == lines;
        let mut part = canvas.part(x, y, width.saturating_sub(2), height - u16::from(!last_line));
        match &first {
            Some((at, Evidence::Figure(figure))) if n == 0 => {
                figure.draw_as(&evidence::head(figure.title, *at), i, view, &mut part, sight);
            }
            Some((at, Evidence::Kept(kept))) if n == 0 => {
                kept.draw(&evidence::place(*at), i, view, &mut part, sight);
            }
            Some((at, Evidence::Waits)) if n == 0 => {
                let title = evidence::head(waits::LOOK.title, *at);
                draw_waits(&title, i, view, &mut part, sight, picture);
            }
            _ if n == 1 && !waits_are_first => {
                draw_waits(waits::LOOK.title, i, view, &mut part, sight, picture);
            }
            _ => {
                if let Some(figure) = others.next() {
                    figure.draw(i, view, &mut part, sight);
                }
            }
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
    title: &str,
    i: &InstanceSnapshot,
    view: &View<'_>,
    canvas: &mut Canvas<'_>,
    sight: Sight<'_>,
    picture: &mut Picture,
) {
    let mut why = String::new();
    push_why(&mut why, i, SeriesId::Waits, view);
    let look = Look { title, empty: &why, ..waits::LOOK };
    let before = sight.line.found_earlier(view, i.id(), sight.asked);
    let before = before.as_ref().and_then(|b| b.line(sight.position(SeriesId::Waits)));
    picture.render(view, canvas, sight.line, &look, before);
    if canvas.height() >= 3 {
        let x = width(title) as u16 + 2;
        let room = canvas.width().saturating_sub(x);
        picture.render_legend(view, &mut canvas.part(x, 0, room, 1), sight.line, &look);
    }
}
