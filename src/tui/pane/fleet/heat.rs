//! The heat map: one cell per instance, by group, so that five hundred fit one screen. The line below names the cursor's.
//! A small fleet has cells with names.

use super::super::reading;
use crate::model::{fold::snapshot::InstanceSnapshot, judge::health::Level};
use crate::tui::{
    action::Action,
    view::View,
    widget::canvas::{Canvas, width},
};
use ratatui::style::Modifier;
use std::sync::Arc;

const NO_GROUP: &str = "no group";

/// Where the cells are; filled while drawing, so that keys and clicks move as the eye sees.
#[derive(Debug, Default)]
pub struct Heat {
    /// start of each group in the rows, with its name
    starts: Vec<(usize, Arc<str>)>,
    /// cell of each row: column, line (relative to the map)
    cells: Vec<(u16, u16)>,
    origin: (u16, u16),
    top: u16,
    /// columns a cell
    step: u16,
    /// columns of the longest name
    name: u16,
    /// what a cell says besides its sign
    says: Says,
}

fn group(i: &InstanceSnapshot) -> Arc<str> {
    i.info.groups.first().cloned().unwrap_or_else(|| NO_GROUP.into())
}

/// Orders rows by group (largest first), worst first within each.
pub fn order(rows: &mut [u32], view: &View<'_>) {
    let mut sizes: Vec<(Arc<str>, usize)> = Vec::new();
    for i in rows.iter().filter_map(|r| view.instance(*r)) {
        let g = group(i);
        match sizes.iter_mut().find(|(n, _)| *n == g) {
            Some((_, n)) => *n += 1,
            None => sizes.push((g, 1)),
        }
    }
    sizes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let place = |i: &InstanceSnapshot| sizes.iter().position(|(n, _)| *n == group(i));
    view.snapshot.sort_worst_first(rows);
    rows.sort_by_cached_key(|r| view.instance(*r).map(|i| place(i)));
}

/// What a cell says besides its sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Says {
    #[default]
    Nothing,
    Name,
    NameAndScore,
}

impl Heat {
    /// Finds the borders of the groups.
    pub fn rebuild(&mut self, rows: &[u32], view: &View<'_>) {
        self.starts.clear();
        self.name = 0;
        for (n, i) in rows.iter().filter_map(|r| view.instance(*r)).enumerate() {
            self.name = self.name.max(width(i.id().as_str()).min(28) as u16);
            let g = group(i);
            if self.starts.last().is_none_or(|(_, last)| *last != g) {
                self.starts.push((n, g));
            }
        }
    }

    /// Lays the cells out: two columns each if there is room, else one.
    fn lay_out(&mut self, columns: u16, lines: u16, n: usize) -> u16 {
        let label = self.starts.iter().map(|(_, g)| width(g)).max().unwrap_or(0).min(16) as u16 + 3;
        // Names with scores, names, two columns a cell, and a line between groups while there is room; none of it if there must be.
        let ways = [
            (Says::NameAndScore, self.name + 9, 1),
            (Says::Name, self.name + 4, 1),
            (Says::Name, self.name + 4, 0),
            (Says::Nothing, 2, 1),
            (Says::Nothing, 2, 0),
            (Says::Nothing, 1, 0),
        ];
        for (says, step, air) in ways {
            (self.says, self.step) = (says, step);
            let per_line = (columns.saturating_sub(label + 1) / step).max(1);
            self.cells.clear();
            let mut y = 0;
            for (k, (start, _)) in self.starts.iter().enumerate() {
                let end = self.starts.get(k + 1).map_or(n, |(s, _)| *s);
                for j in 0..end.saturating_sub(*start) as u32 {
                    let (row, column) = (j / u32::from(per_line), j % u32::from(per_line));
                    self.cells.push((label + column as u16 * step, y + row as u16));
                }
                y = self.cells.last().map_or(y, |(_, y)| y + 1) + air;
            }
            if y <= lines + air {
                break;
            }
        }
        label
    }

    /// Draws the map and the line that names the cursor's instance.
    pub fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>, cursor: usize, rows: &[u32]) {
        let theme = view.theme;
        let (w, h) = (canvas.width(), canvas.height());
        let lines = h.saturating_sub(2);
        let label = self.lay_out(w, lines, rows.len());
        self.origin = (canvas.area().x, canvas.area().y);
        let here = self.cells.get(cursor).copied().unwrap_or_default();
        self.top = self.top.min(here.1).max((here.1 + 1).saturating_sub(lines.max(1)));
        let mut map = canvas.part(0, 0, w, lines);
        for (start, name) in &self.starts {
            if let Some(y) = self.cells.get(*start).and_then(|c| c.1.checked_sub(self.top)) {
                map.put(1, y, label.saturating_sub(2), name, theme.dim);
            }
        }
        for (n, r) in rows.iter().enumerate() {
            let (Some(at), Some(instance)) = (self.cells.get(n), view.instance(*r)) else { continue };
            let Some(y) = at.1.checked_sub(self.top) else { continue };
            let mut style = reading::level_style(theme, instance.health.level);
            if instance.is_news(view.now) {
                style = style.add_modifier(Modifier::REVERSED);
            }
            map.glyph(at.0, y, reading::sign(&instance.health), style);
            let named = self.says != Says::Nothing;
            if named {
                let calm = instance.health.level == Level::Ok;
                let id = instance.id().as_str();
                map.put(at.0 + 2, y, self.name, id, if calm { theme.base } else { theme.strong });
                if let Some(score) =
                    instance.health.score.filter(|_| !calm && self.says == Says::NameAndScore)
                {
                    map.put_right(at.0 + 2 + self.name, y, 4, &score.to_string(), style);
                }
            }
            if n == cursor {
                map.tint(
                    at.0.saturating_sub(1),
                    y,
                    if named { self.step.saturating_sub(1) } else { 3 },
                    1,
                    theme.selection,
                );
                map.tint(at.0, y, 1, 1, theme.selection.patch(theme.strong).fg(style.fg.unwrap_or_default()));
            }
        }
        if let Some(i) = rows.get(cursor).and_then(|r| view.instance(*r)) {
            name_line(i, view, &mut canvas.part(0, h.saturating_sub(1), w, 1));
        }
    }

    /// The row that an arrow leads to.
    pub fn step(&self, action: Action, cursor: usize) -> Option<usize> {
        let (x, y) = self.cells.get(cursor).copied()?;
        let line = |y: u16| {
            let on_it = self.cells.iter().enumerate().filter(move |(_, c)| c.1 == y);
            on_it.min_by_key(|(_, c)| c.0.abs_diff(x)).map(|(i, _)| i)
        };
        match action {
            Action::Left => cursor.checked_sub(1),
            Action::Right => Some(cursor + 1).filter(|i| *i < self.cells.len()),
            Action::Up => y.checked_sub(1).and_then(line),
            Action::Down => line(y + 1),
            _ => None,
        }
    }

    /// The row drawn at a place of the screen.
    pub fn at(&self, x: u16, y: u16) -> Option<usize> {
        let (x, y) = (x.checked_sub(self.origin.0)?, y.checked_sub(self.origin.1)? + self.top);
        self.cells.iter().position(|c| c.1 == y && (c.0..c.0 + self.step.max(1)).contains(&x))
    }
}

fn name_line(i: &InstanceSnapshot, view: &View<'_>, canvas: &mut Canvas<'_>) {
    let t = view.theme;
    let style = reading::level_style(t, i.health.level);
    let mut x = 1;
    x += canvas.put(x, 0, 2, "▸ ", t.accent);
    x += canvas.put(x, 0, 40, i.id().as_str(), t.strong) + 2;
    let score = i.health.score.map_or_else(|| "–".to_owned(), |s| s.to_string());
    x += canvas.put(x, 0, 4, &score, style) + 2;
    let mut why = String::new();
    match i.health.reasons.first() {
        Some(r) => why.push_str(&r.told(view.zone)),
        None if i.health.level == Level::Ok => why.push_str("ok"),
        None => reading::push_absence(&mut why, i, i.facts.headline.problem.as_ref(), view),
    }
    canvas.put(x, 0, canvas.width(), &why, t.base);
}
