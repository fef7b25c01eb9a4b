//! The menu of all that can be done to the row or to the marks, made from the table of actions: what is refused says why. Enter runs
//! what the cursor is on.

use super::{Behind, Layer, Out, body};
use crate::{
    model::judge::health::Level,
    tui::{
        action::{Action, Context},
        key::Chord,
        widget::{
            canvas::{Canvas, width},
            cursor::moved,
            fold::fold,
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

impl Item {
    /// All about it: what it does, and why it cannot be done.
    fn words(&self) -> String {
        match &self.refused {
            Some(why) => format!("Not now: {why}."),
            None => self.help.to_owned(),
        }
    }
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

    fn meaning(&self, chord: Chord) -> Option<Action> {
        let name = chord.to_string();
        self.items.iter().find(|item| item.key == name).map(|item| item.action)
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
            // The key beside a line runs it.
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
        // Why the row under the cursor is refused, or what it does where its line is cut, whole at the foot.
        let said = self.items.get(self.cursor).map_or_else(String::new, Item::words);
        let said = fold(&said, usize::from(w.saturating_sub(4)));
        let foot = (said.len() as u16 + 1).min(h / 2);
        let rows = usize::from(h.saturating_sub(2 + foot));
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
            let room = w.saturating_sub(x + 1);
            // A line that is too long keeps a piece of the reason.
            let why = item.refused.as_ref().map_or_else(String::new, |why| format!(" – {why}"));
            let kept = (width(&why) as u16).min(room / 3);
            let used = canvas.put(x, y, room.saturating_sub(kept), item.help, words);
            canvas.put(x + used, y, room.saturating_sub(used), &why, theme.warning);
            if n == self.cursor {
                canvas.select(0, y, w, theme.selection);
            }
        }
        let y = h.saturating_sub(foot);
        canvas.repeat(0, y, w, "─", theme.rule);
        for (y, line) in (y + 1..h).zip(&said) {
            canvas.put(2, y, w.saturating_sub(3), line, theme.base);
        }
    }
}
