//! Groups below the fleet: a bar each, worst part first, as long as the group is large.

use super::super::reading;
use crate::model::judge::health::Level;
use crate::tui::{
    action::Action,
    view::View,
    widget::canvas::{Canvas, width},
};
use ratatui::style::Modifier;
use std::sync::Arc;

/// Levels in the order of a bar, with the block that draws them where there is no colour.
const PARTS: [(Level, &str); 4] =
    [(Level::Critical, "▓"), (Level::Warning, "▒"), (Level::Unknown, "░"), (Level::Ok, "▇")];

/// Longest bar, columns.
const BAR: usize = 24;

#[derive(Debug)]
struct Group {
    name: Arc<str>,
    /// by `PARTS`
    counts: [u32; 4],
    /// the first group of some instance: its main purpose
    first: bool,
}

impl Group {
    fn total(&self) -> u32 {
        self.counts.iter().sum()
    }
}

/// The groups of the instances in scope.
#[derive(Debug, Default)]
pub struct Groups {
    all: Vec<Group>,
    selected: Option<Arc<str>>,
    largest: u32,
}

impl Groups {
    /// Counts anew.
    pub fn rebuild(&mut self, view: &View<'_>) {
        self.all.clear();
        for (_, i) in view.instances() {
            let part = match i.health.level {
                Level::Critical | Level::Offline => 0,
                Level::Warning => 1,
                Level::Unknown => 2,
                Level::Ok => 3,
            };
            for name in &i.info.groups {
                if let Some(g) = self.all.iter_mut().find(|g| g.name == *name) {
                    g.counts[part] += 1;
                } else {
                    let mut counts = [0; 4];
                    counts[part] = 1;
                    self.all.push(Group { name: name.clone(), counts, first: false });
                }
            }
            let first = i.info.groups.first();
            if let Some(g) = self.all.iter_mut().find(|g| Some(&g.name) == first) {
                g.first = true;
            }
        }
        // First the groups that inventories name, large ones first; then the others, worst first.
        let rank = |g: &Group| (g.first, if g.first { [g.total(), 0] } else { [g.counts[0], g.counts[1]] });
        self.all.sort_by(|a, b| {
            rank(b).cmp(&rank(a)).then(b.total().cmp(&a.total())).then_with(|| a.name.cmp(&b.name))
        });
        self.largest = self.all.iter().map(Group::total).max().unwrap_or(0);
        if !self.all.iter().any(|g| Some(&g.name) == self.selected.as_ref()) {
            self.selected = self.all.first().map(|g| g.name.clone());
        }
    }

    /// How many groups.
    pub const fn len(&self) -> usize {
        self.all.len()
    }

    /// The group that the cursor is on.
    pub fn selected(&self) -> Option<Arc<str>> {
        self.selected.clone()
    }

    /// The group under the cursor as a text: its name, and how many instances are critical, warning, unknown and ok.
    pub fn copy(&self) -> String {
        let here = self.all.iter().find(|g| Some(&g.name) == self.selected.as_ref());
        here.map_or_else(String::new, |g| {
            let counts = g.counts.map(|n| n.to_string()).join("\t");
            format!("{}\t{counts}\n", g.name)
        })
    }

    /// Moves the cursor.
    pub fn act(&mut self, action: Action) -> bool {
        let at = self.all.iter().position(|g| Some(&g.name) == self.selected.as_ref()).unwrap_or(0);
        let to = match action {
            Action::Left | Action::Up => at.saturating_sub(1),
            Action::Right | Action::Down => (at + 1).min(self.all.len().saturating_sub(1)),
            _ => return false,
        };
        self.selected = self.all.get(to).map(|g| g.name.clone());
        true
    }

    /// Columns of a name, of a bar, and cells a line: at least two cells share a line if their bars can be short.
    fn measure(&self, columns: u16) -> (usize, usize, usize) {
        let name = self.all.iter().map(|g| width(&g.name)).max().unwrap_or(0).min(20);
        let room = usize::from(columns).saturating_sub(2);
        let fixed = name + 6 + 3;
        let bar = (room / 2).saturating_sub(fixed).clamp(6, BAR).min((self.largest as usize).max(1));
        (name, bar, (room / (fixed + bar)).max(1))
    }

    /// Lines that all groups need.
    pub fn lines(&self, columns: u16) -> u16 {
        self.all.len().div_ceil(self.measure(columns).2) as u16
    }

    /// A rule, and the bars below it.
    pub fn render(&self, view: &View<'_>, canvas: &mut Canvas<'_>, active: bool) {
        let t = view.theme;
        let w = canvas.width();
        canvas.repeat(0, 0, w, "─", t.rule);
        canvas.put(1, 0, w, " groups ", if active { t.accent } else { t.dim });
        let (name_width, bar, per_line) = self.measure(w);
        let cell = name_width + 6 + bar + 3;
        let room = usize::from(canvas.height().saturating_sub(1)) * per_line;
        let largest = self.largest.max(1);
        for (n, g) in self.all.iter().take(room).enumerate() {
            let x = (2 + n % per_line * cell) as u16;
            let y = (1 + n / per_line) as u16;
            let chosen = active && Some(&g.name) == self.selected.as_ref();
            canvas.put(x, y, name_width as u16, &g.name, t.base);
            let count = g.total().to_string();
            canvas.put_right(x + name_width as u16 + 1, y, 4, &count, t.dim);
            let mut at = x + name_width as u16 + 6;
            for ((level, block), cells) in PARTS.iter().zip(cells(g.counts, largest, bar)) {
                let style = reading::level_style(t, *level).remove_modifier(Modifier::BOLD);
                canvas.repeat(at, y, cells, if t.hatched { block } else { "▇" }, style);
                at += cells;
            }
            if chosen {
                canvas.select(x.saturating_sub(1), y, cell as u16 - 1, t.selection);
            }
        }
        if self.all.len() > room {
            let more = format!(" +{} more ", self.all.len() - room);
            canvas.put_right(0, 0, w.saturating_sub(1), &more, t.dim);
        }
    }
}

/// Cells for the parts of a group: together as long as the group is large beside the largest one, and at least one. The worst parts
/// have a cell each as long as there are some.
fn cells(counts: [u32; 4], largest: u32, bar: usize) -> [u16; 4] {
    let all: u32 = counts.iter().sum();
    let scaled =
        |count: u32, of: u32, cells: f64| (f64::from(count) / f64::from(of.max(1)) * cells).round() as u16;
    let whole = scaled(all, largest, bar as f64).max(u16::from(all > 0));
    let mut left = whole;
    let mut rest = counts.iter().filter(|count| **count > 0).count();
    counts.map(|count| {
        if count == 0 {
            return 0;
        }
        rest -= 1;
        let share = if rest == 0 { left } else { scaled(count, all, f64::from(whole)).max(1).min(left) };
        left -= share;
        share
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_to_scale_and_show_the_worst_first() {
        for (counts, cells_wanted) in [
            ([0, 0, 0, 300], [0, 0, 0, 24]),
            ([5, 10, 0, 285], [1, 1, 0, 22]),
            ([0, 0, 0, 3], [0, 0, 0, 1]),
            ([1, 1, 0, 1], [1, 0, 0, 0]),
            ([0, 0, 0, 0], [0, 0, 0, 0]),
            ([0, 75, 0, 75], [0, 6, 0, 6]),
            ([300, 0, 0, 0], [24, 0, 0, 0]),
        ] {
            assert_eq!(cells(counts, 300, 24), cells_wanted, "{counts:?}");
        }
    }
}
