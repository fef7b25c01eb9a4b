//! What stands above the rows of a pane of parts, of one instance: its charts, those of the part under the cursor, and lines of words.

use super::{
    super::{
        Part,
        figure::{Figure, Sight},
        kept::Kept,
        range::{TimeLine, render_events},
        reading,
    },
    Line, Parts,
};
use crate::{
    model::{fold::snapshot::InstanceSnapshot, poll::id::SeriesKey},
    tui::{
        view::View,
        widget::{
            canvas::{Canvas, width},
            document::Document,
            fold::fold,
        },
    },
};
use ratatui::style::Style;

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

/// What is said between two facts of a line.
const BETWEEN: &str = " · ";
/// Columns before the rest of a line that goes on below.
const INDENT: usize = 2;
/// Said where there was no room for all facts.
const REST: &str = " · d tells the rest";

/// Facts on one line of the screen.
#[derive(Debug, Default, PartialEq)]
struct Row {
    indent: usize,
    facts: Vec<(Part, String)>,
}

impl Row {
    fn width(&self) -> usize {
        let facts = self.facts.iter().map(|(_, text)| width(text) + BETWEEN.len() - 1);
        (self.indent + facts.sum::<usize>()).saturating_sub(BETWEEN.len() - 1)
    }
}

/// Breaks lines of facts between facts, and a fact that is too long at its blanks.
fn wrapped(lines: &[Vec<(Part, String)>], columns: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in lines {
        let mut row = Row::default();
        for (part, text) in line {
            let needs = width(text) + if row.facts.is_empty() { 0 } else { BETWEEN.len() - 1 };
            if row.width() + needs > columns && !row.facts.is_empty() {
                rows.push(std::mem::replace(&mut row, Row { indent: INDENT, facts: Vec::new() }));
            }
            let room = columns.saturating_sub(row.indent);
            if width(text) <= room {
                row.facts.push((*part, text.clone()));
                continue;
            }
            for piece in fold(text, room.saturating_sub(INDENT)) {
                if !row.facts.is_empty() {
                    rows.push(std::mem::replace(&mut row, Row { indent: INDENT, facts: Vec::new() }));
                }
                row.facts.push((*part, piece));
            }
        }
        if !row.facts.is_empty() {
            rows.push(row);
        }
    }
    rows
}

/// Leaves out the fact that matters least: from the last line upward what is no warning, the first fact of a line last. False: all that is
/// left are warnings.
fn leave_one_out(lines: &mut Vec<Vec<(Part, String)>>) -> bool {
    let least = lines.iter().enumerate().rev().find_map(|(n, line)| {
        let at = line.iter().rposition(|(part, _)| !matches!(part, Part::Level(_)))?;
        Some((n, at))
    });
    let Some((n, at)) = least else { return false };
    if let Some(line) = lines.get_mut(n) {
        line.remove(at);
    }
    lines.retain(|line| !line.is_empty());
    true
}

/// What fits into so many rows, and whether that is all.
fn laid_out(said: Vec<Vec<(Part, String)>>, columns: usize, most: usize) -> (Vec<Row>, bool) {
    // A text of several facts is broken between them, too.
    let split = |(part, text): (Part, String)| {
        text.split(BETWEEN).map(|fact| (part, fact.to_owned())).collect::<Vec<_>>()
    };
    let mut lines: Vec<Vec<(Part, String)>> =
        said.into_iter().map(|line| line.into_iter().flat_map(split).collect()).collect();
    let mut rows = wrapped(&lines, columns);
    let is_all = rows.len() <= most;
    while rows.len() > most && leave_one_out(&mut lines) {
        rows = wrapped(&lines, columns);
    }
    rows.truncate(most);
    (rows, is_all)
}

/// Draws what is said above the parts, a third of the room at most if there are any, and an empty line; returns how many lines that took.
pub(super) fn render_about<P: Parts>(
    i: &InstanceSnapshot,
    table: &P::Table,
    view: &View<'_>,
    canvas: &mut Canvas<'_>,
    has_rows: bool,
) -> u16 {
    let most = if has_rows { canvas.height() / 3 } else { canvas.height().saturating_sub(4) };
    let columns = usize::from(canvas.width().saturating_sub(2));
    let (rows, is_all) = laid_out(P::about(i, table, view), columns, most.into());
    if rows.is_empty() {
        return 0;
    }
    let last = rows.len() - 1;
    for (y, row) in (0..canvas.height()).zip(&rows) {
        let mut x = 1 + row.indent as u16;
        for (n, (part, text)) in row.facts.iter().enumerate() {
            if n > 0 {
                x += canvas.put(x, y, canvas.width().saturating_sub(x), BETWEEN, view.theme.dim);
            }
            x += canvas.put(x, y, canvas.width().saturating_sub(x), text, style_of(*part, view));
        }
        if !is_all && has_rows && usize::from(y) == last && row.width() + REST.len() <= columns {
            canvas.put(x, y, canvas.width().saturating_sub(x), REST, view.theme.dim);
        }
    }
    rows.len() as u16 + 1
}

fn style_of(part: Part, view: &View<'_>) -> Style {
    match part {
        Part::Level(level) => reading::level_style(view.theme, level),
        _ => view.theme.base,
    }
}

/// Adds all that is said above the parts to the details of one.
pub(super) fn tell_about<P: Parts>(row: &Line<'_, P>, d: &mut Document) {
    let said = P::about(row.instance, row.table, row.view);
    if said.is_empty() {
        return;
    }
    d.head(row.instance.id().as_str());
    for (part, text) in said.into_iter().flatten() {
        d.text(text, style_of(part, row.view));
    }
}

/// The series of its charts.
pub(super) fn asked<P: Parts>() -> Vec<SeriesKey> {
    P::FIGURES.iter().flat_map(Figure::series).map(SeriesKey::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::judge::health::Level;

    const WARNING: Part = Part::Level(Level::Warning);

    fn lines(said: &[&[(Part, &str)]]) -> Vec<Vec<(Part, String)>> {
        said.iter()
            .map(|line| line.iter().map(|(part, text)| (*part, (*text).to_owned())).collect())
            .collect()
    }

    fn shown(said: &[&[(Part, &str)]], columns: usize, most: usize) -> (Vec<String>, bool) {
        let (rows, is_all) = laid_out(lines(said), columns, most);
        let text = |row: &Row| {
            let facts: Vec<&str> = row.facts.iter().map(|(_, text)| &**text).collect();
            " ".repeat(row.indent) + &facts.join(BETWEEN)
        };
        assert!(rows.iter().all(|row| width(&text(row)) == row.width()));
        (rows.iter().map(text).collect(), is_all)
    }

    #[test]
    fn a_line_goes_on_below_between_two_facts_and_nothing_is_lost() {
        let said: &[&[(Part, &str)]] = &[
            &[(Part::Plain, "10 GB: user objects 3 GB · free 5 GB"), (Part::Plain, "all well")],
            &[(Part::Plain, "second")],
        ];
        assert_eq!(
            shown(said, 30, 9),
            (
                vec!["10 GB: user objects 3 GB".to_owned(), "  free 5 GB · all well".into(), "second".into()],
                true
            )
        );
        assert_eq!(shown(said, 200, 9).0.len(), 2, "where there is room each line is one");
        let long: &[&[(Part, &str)]] = &[&[(Part::Plain, "one fact that is longer than its line")]];
        assert_eq!(shown(long, 20, 9).0, ["one fact that is", "  longer than its", "  line"]);
        for columns in 0..60 {
            let (rows, _) = shown(said, columns, 99);
            assert!(rows.iter().all(|row| width(row) <= columns.max(3)), "{columns}: {rows:?}");
        }
    }

    #[test]
    fn where_there_is_no_room_the_last_facts_go_first_and_warnings_stay() {
        let said: &[&[(Part, &str)]] = &[
            &[(Part::Plain, "target 64 GB"), (Part::Plain, "total 60 GB")],
            &[(WARNING, "memory is low"), (Part::Plain, "the engine says LOW")],
            &[(Part::Plain, "plan cache 3 GB"), (Part::Plain, "procedures 1 GB")],
        ];
        let first = shown(said, 40, 3);
        assert_eq!(first.0.len(), 3);
        assert!(first.1);
        let (two, is_all) = shown(said, 40, 2);
        assert_eq!(two, ["target 64 GB · total 60 GB", "memory is low · the engine says LOW"]);
        assert!(!is_all);
        assert_eq!(shown(said, 40, 1).0, ["memory is low"], "what warns is said before any figure");
        assert_eq!(shown(said, 40, 0).0, [""; 0]);
    }
}
