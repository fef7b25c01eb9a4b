//! The tenants of this machine, to watch another one.

use super::{Behind, Layer, Out, body};
use crate::protocol::{InventoryRequest, Reply, TenantLine};
use crate::tui::{
    action::{Action, Context},
    widget::{canvas::Canvas, cursor::moved},
};

/// The list.
pub struct Tenants {
    lines: Vec<TenantLine>,
    cursor: usize,
    /// lines in sight
    page: usize,
    /// whose fleet is on the screen
    current: String,
}

impl Tenants {
    /// With the cursor on the one that is watched.
    pub fn new(lines: Vec<TenantLine>, current: &str) -> Self {
        let cursor = lines.iter().position(|l| l.slug.as_str() == current).unwrap_or(0);
        Self { lines, cursor, page: 1, current: current.to_owned() }
    }
}

impl Layer for Tenants {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        if let Some(to) = moved(action, self.cursor, self.lines.len(), self.page) {
            self.cursor = to;
            return;
        }
        match action {
            Action::Copy => {
                if let Some(line) = self.lines.get(self.cursor) {
                    out.copy(line.slug.to_string());
                }
            }
            Action::Enter => {
                let Some(line) = self.lines.get(self.cursor).filter(|l| l.usable) else { return };
                if line.slug.as_str() != self.current {
                    out.ask(InventoryRequest::Switch(line.slug.clone()));
                }
                out.close();
            }
            Action::Out | Action::Back => out.close(),
            _ => {}
        }
    }

    fn hear(&mut self, reply: &Reply, _: &mut Out) -> bool {
        let Reply::Tenants(lines) = reply else { return false };
        self.lines.clone_from(lines);
        self.cursor = self.cursor.min(lines.len().saturating_sub(1));
        true
    }

    fn is_secret(&self) -> bool {
        // Names of tenants are names of folders.
        false
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, theme) = (&mut body(screen), &behind.world.theme);
        canvas.clear(theme.screen);
        let (w, h) = (canvas.width(), canvas.height());
        canvas.repeat(0, 0, w, "─", theme.rule);
        canvas.put(1, 0, w, " Tenants ", theme.strong);
        let rows = usize::from(h.saturating_sub(2));
        self.page = rows;
        let top = (self.cursor + 1).saturating_sub(rows);
        for (y, (n, line)) in self.lines.iter().enumerate().skip(top).take(rows).enumerate() {
            let y = y as u16 + 2;
            let here = line.slug.as_str() == self.current;
            canvas.put(2, y, 2, if here { "▶" } else { " " }, theme.accent);
            let style = if line.usable { theme.base } else { theme.dim };
            canvas.put(4, y, 50, line.slug.as_str(), style);
            let state = if line.usable { theme.dim } else { theme.warning };
            canvas.put(40.min(w / 2), y, w.saturating_sub(41.min(w / 2 + 1)), &line.state, state);
            if n == self.cursor {
                canvas.select(0, y, w, theme.selection);
            }
        }
        if self.lines.is_empty() {
            canvas.put(2, 2, w, "no tenant yet: `dbtop tenant create NAME` makes one", theme.dim);
        }
    }
}
