//! Fuzzy choice from a list: the instances for Ctrl-g, the completions of the command line.

use super::{Behind, Layer, Out, input::Line};
use crate::model::{fold::snapshot::FleetSnapshot, inventory::instance::InstanceId, judge::health::Reason};
use crate::tui::{
    action::{Action, Context},
    key::Chord,
    pane::reading,
    theme::Theme,
    widget::canvas::Canvas,
    wish::Wish,
};
use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

/// Ranks candidates by how well they match; without a pattern, all in their order. Returns indices, best first.
pub fn rank<'a>(
    matcher: &mut Matcher,
    pattern: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Vec<usize> {
    if pattern.trim().is_empty() {
        return candidates.enumerate().map(|(i, _)| i).collect();
    }
    let pattern = Pattern::parse(pattern, CaseMatching::Ignore, Normalization::Smart);
    let mut buf = Vec::new();
    let mut found: Vec<(u32, usize)> = candidates
        .enumerate()
        .filter_map(|(i, c)| pattern.score(Utf32Str::new(c, &mut buf), matcher).map(|s| (s, i)))
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    found.into_iter().map(|(_, i)| i).collect()
}

/// The layer of Ctrl-g.
#[derive(Debug)]
pub struct Jump {
    /// what is typed
    line: Line,
    /// instances of the snapshot that match, best first
    found: Vec<u32>,
    cursor: usize,
    matcher: Box<Matcher>,
}

impl Jump {
    /// All instances, worst first.
    pub fn new(snapshot: &FleetSnapshot) -> Self {
        let matcher = Box::new(Matcher::new(Config::DEFAULT));
        let mut j = Self { line: Line::default(), found: Vec::new(), cursor: 0, matcher };
        j.update(snapshot);
        j
    }

    /// Ranks anew after a key.
    fn update(&mut self, snapshot: &FleetSnapshot) {
        let names = snapshot.instances.iter().map(|i| i.id().as_str());
        self.found = rank(&mut self.matcher, self.line.text(), names).into_iter().map(|i| i as u32).collect();
        if self.line.text().trim().is_empty() {
            snapshot.sort_worst_first(&mut self.found);
        }
        self.cursor = 0;
    }

    /// Moves the cursor.
    fn step(&mut self, down: bool) {
        let last = self.found.len().saturating_sub(1);
        self.cursor = if down { (self.cursor + 1).min(last) } else { self.cursor.saturating_sub(1) };
    }

    /// The chosen instance.
    fn chosen(&self, snapshot: &FleetSnapshot) -> Option<InstanceId> {
        self.found.get(self.cursor).and_then(|i| snapshot.instances.get(*i as usize)).map(|i| i.id().clone())
    }
}

impl Layer for Jump {
    fn context(&self) -> Context {
        Context::Input
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        match action {
            Action::Up | Action::Down => self.step(action == Action::Down),
            Action::Enter => {
                out.wishes.extend(self.chosen(&behind.world.snapshot).map(Wish::Instance));
                out.close();
            }
            Action::Out => out.close(),
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, behind: &mut Behind<'_>, _: &mut Out) {
        if self.line.key(chord) {
            self.update(&behind.world.snapshot);
        }
    }

    fn paste(&mut self, text: &str, behind: &mut Behind<'_>, _: &mut Out) {
        self.line.paste(text);
        self.update(&behind.world.snapshot);
    }

    /// The list stands above the input line, which is the last line of the screen.
    fn render(&mut self, canvas: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (snapshot, theme) = (&behind.world.snapshot, &behind.world.theme);
        let (w, h) = (canvas.width(), canvas.height());
        let rows = self.found.len().min(10).min(usize::from(h.saturating_sub(2)));
        let mut list = popup(canvas, rows, theme, "instances");
        let top = (self.cursor + 1).saturating_sub(rows);
        for (y, n) in (top..self.found.len()).take(rows).enumerate() {
            let Some(i) = self.found.get(n).and_then(|i| snapshot.instances.get(*i as usize)) else {
                continue;
            };
            let y = y as u16 + 1;
            list.put(2, y, 2, reading::sign(&i.health), reading::level_style(theme, i.health.level));
            list.put(4, y, 28, i.id().as_str(), theme.base);
            let why = i.health.reasons.first().map_or("", Reason::text);
            list.put(34, y, w.saturating_sub(36), why, theme.dim);
            if n == self.cursor {
                list.select(0, y, w, theme.selection);
            }
        }
        let y = h.saturating_sub(1);
        canvas.part(0, y, w, 1).clear(theme.input);
        let used = self.line.render(canvas, y, " jump to ", theme);
        if self.found.is_empty() {
            canvas.put(used + 2, y, w, "no instance matches", theme.warning);
        }
    }
}

/// A panel of `rows` lines with a rule above, right over the last line of the canvas.
pub fn popup<'a>(canvas: &'a mut Canvas<'_>, rows: usize, theme: &Theme, title: &str) -> Canvas<'a> {
    let (w, h) = (canvas.width(), canvas.height());
    let height = rows as u16 + 1;
    let mut list = canvas.part(0, h.saturating_sub(height + 1), w, height.min(h.saturating_sub(1)));
    list.clear(theme.panel);
    list.repeat(0, 0, w, "─", theme.rule);
    list.put(1, 0, w, " ", theme.panel);
    let used = list.put(2, 0, w.saturating_sub(3), title, theme.dim);
    list.put(2 + used, 0, 1, " ", theme.panel);
    list
}
