//! The lines at the foot of an instance's page: connection, rights, what it holds. The cursor goes on from the reasons into them;
//! then they take the room of the charts, so that a small screen shows each of them. Enter leads to where more stands.

use super::{contents, words, words::Line};
use crate::{
    model::{fold::snapshot::InstanceSnapshot, judge::health::Topic},
    tui::{
        id::{PaneId, RowKey},
        view::View,
        widget::canvas::Canvas,
        wish::Wish,
    },
};

/// Column where the text of the lines starts.
const TEXT_AT: u16 = 11;

/// Below this height only the lines of the connection stand there until the cursor comes.
const CONTENTS_HEIGHT: u16 = 28;

/// The lines, and the place of the cursor in them.
#[derive(Debug, Default)]
pub struct Foot {
    /// the line under the cursor; None: it is on the reasons
    pub cursor: Option<usize>,
    /// how many there are
    pub lines: usize,
    /// first line in sight
    top: usize,
    /// lines in sight
    rows: usize,
}

impl Foot {
    /// Another state of the instance.
    pub fn see(&mut self, lines: usize) {
        self.lines = lines;
        self.cursor = self.cursor.map(|at| at.min(lines.saturating_sub(1))).filter(|_| lines > 0);
    }

    /// The rows that it needs on a page of this height.
    pub fn needed(&self, lines: &[Line], height: u16) -> u16 {
        let own = if self.cursor.is_some() || height >= CONTENTS_HEIGHT {
            lines.len()
        } else {
            lines.iter().filter(|(name, _)| !contents::NAMES.contains(name)).count()
        };
        own as u16
    }

    /// First and last line in sight, counted from 1; None: none is.
    pub const fn in_sight(&self) -> Option<(usize, usize)> {
        if self.rows == 0 { None } else { Some((self.top + 1, self.top + self.rows)) }
    }

    /// Draws as many as there is room for, that under the cursor among them.
    pub fn render(&mut self, lines: &[Line], view: &View<'_>, canvas: &mut Canvas<'_>) {
        self.rows = usize::from(canvas.height()).min(lines.len());
        let at = self.cursor.unwrap_or(0);
        self.top = self.top.min(at).max((at + 1).saturating_sub(self.rows)).min(lines.len() - self.rows);
        for (y, (name, pieces)) in lines.iter().skip(self.top).take(self.rows).enumerate() {
            let (y, w) = (y as u16, canvas.width());
            canvas.put(1, y, TEXT_AT - 2, name, view.theme.dim);
            let mut x = TEXT_AT;
            for (style, text) in pieces {
                x += canvas.put(x, y, w.saturating_sub(x + 1), text, *style);
            }
            if self.cursor == Some(self.top + usize::from(y)) {
                canvas.select(0, y, w, view.theme.selection);
            }
        }
    }
}

/// All lines, most important first.
pub fn lines(i: &InstanceSnapshot, view: &View<'_>) -> Vec<Line> {
    let mut lines = words::foot(i, view);
    lines.extend(contents::foot(i, view));
    lines
}

/// Where more stands about a line. One without a name goes on with the line above.
pub fn follow(lines: &[Line], at: usize, i: &InstanceSnapshot) -> Wish {
    let above = lines.iter().take(at + 1).rev().map(|(name, _)| *name);
    let evidence = |topic| Wish::Details(RowKey::Evidence(i.id().clone(), topic));
    let go = |pane| Wish::Go { pane, scope: None, focus: None, look: None };
    match above.into_iter().find(|name| !name.is_empty()) {
        Some("databases") => go(PaneId::Databases),
        Some("files") => go(PaneId::Storage),
        Some("changed") => go(PaneId::Audit),
        Some("volumes") => evidence(Topic::Storage),
        Some("rights" | "missing") => evidence(Topic::Rights),
        _ => Wish::Details(RowKey::Instance(i.id().clone())),
    }
}

/// A line as text, for the clipboard.
pub fn push_line(out: &mut String, (name, pieces): &Line) {
    out.push_str(name);
    out.push('\t');
    out.extend(pieces.iter().map(|(_, text)| text.as_str()));
}
