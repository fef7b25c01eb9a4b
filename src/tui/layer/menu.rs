//! The menu of all that can be done to the row or to the marks, made from the table of actions: what is refused says why. Enter runs
//! what the cursor is on.

use super::{Behind, Layer, Out, body};
use crate::{
    model::judge::health::Level,
    tui::{
        action::{Action, Context},
        widget::{
            canvas::{Canvas, width},
            cursor::moved,
        },
        wish::Wish,
    },
};

/// One thing to do.
pub struct Item {
    /// what
    pub action: Action,
    /// its key, or its word behind `:`
    pub key: String,
    /// what it does
    pub help: &'static str,
    /// why it cannot be done now
    pub refused: Option<String>,
}

/// The menu.
pub struct Menu {
    /// what it is done to
    on: String,
    items: Vec<Item>,
    cursor: usize,
    /// lines in sight
    page: usize,
}

impl Menu {
    /// With the cursor on the first that can be done.
    pub fn new(on: String, items: Vec<Item>) -> Self {
        let cursor = items.iter().position(|item| item.refused.is_none()).unwrap_or(0);
        Self { on, items, cursor, page: 1 }
    }

    fn run(item: &Item, out: &mut Out) {
        if let Some(why) = &item.refused {
            return out.say(Level::Warning, why.clone());
        }
        out.wish(Wish::Do(item.action));
        out.close();
    }
}

impl Layer for Menu {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        if let Some(to) = moved(action, self.cursor, self.items.len(), self.page) {
            self.cursor = to;
            return;
        }
        match action {
            Action::Enter => {
                if let Some(item) = self.items.get(self.cursor) {
                    Self::run(item, out);
                }
            }
            Action::Out | Action::Back | Action::Menu => out.close(),
            // A key that opens something else everywhere does so here, if the menu has it.
            other => {
                if let Some(item) = self.items.iter().find(|item| item.action == other) {
                    Self::run(item, out);
                }
            }
        }
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, theme) = (&mut body(screen), &behind.world.theme);
        canvas.clear(theme.screen);
        let (w, h) = (canvas.width(), canvas.height());
        canvas.repeat(0, 0, w, "─", theme.rule);
        canvas.put(1, 0, w, &format!(" To do: {} ", self.on), theme.strong);
        let rows = usize::from(h.saturating_sub(2));
        self.page = rows;
        let top = (self.cursor + 1).saturating_sub(rows);
        let keys = self.items.iter().map(|item| width(&item.key)).max().unwrap_or(0) as u16;
        for (y, (n, item)) in self.items.iter().enumerate().skip(top).take(rows).enumerate() {
            let y = y as u16 + 2;
            let (key, words) = match item.refused {
                None => (theme.accent, theme.base),
                Some(_) => (theme.dim, theme.dim),
            };
            canvas.put(2, y, keys, &item.key, key);
            let x = keys + 4;
            let used = canvas.put(x, y, w.saturating_sub(x + 1), item.help, words);
            if let Some(why) = &item.refused {
                let at = x + used;
                canvas.put(at, y, w.saturating_sub(at + 1), &format!(" – {why}"), theme.warning);
            }
            if n == self.cursor {
                canvas.select(0, y, w, theme.selection);
            }
        }
    }
}
