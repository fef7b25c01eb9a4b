//! What changed between two instants or two instances, a line each, what changed most first. Enter leads to the pane that shows it; `/`
//! looks for a text. `app::review` fills it in.

use super::{
    Behind, Layer, Out, body,
    find::{Find, Taken},
};
use crate::{
    model::{
        fold::scope::Scope,
        inventory::instance::InstanceId,
        timeline::compare::{About, Difference},
    },
    tui::{
        action::{Action, Context},
        id::{PaneId, RowKey},
        key::Chord,
        theme::Theme,
        widget::{
            canvas::{Canvas, width},
            cursor::moved,
            fold::fold,
        },
        wish::Wish,
    },
};
use ratatui::style::Style;

/// One line.
struct Change {
    text: String,
    worse: Option<bool>,
    about: About,
    instance: InstanceId,
}

/// The list.
pub struct Changes {
    title: String,
    all: Vec<Change>,
    /// those that have what is looked for
    shown: Vec<usize>,
    cursor: usize,
    top: usize,
    /// lines in sight
    page: usize,
    find: Find,
}

impl Changes {
    /// Of these differences; of `many` instances each line names its own.
    pub fn new(title: String, differences: &[Difference], many: bool) -> Self {
        let change = |one: &Difference| {
            let name = if many { format!("{:<16} ", one.instance.as_str()) } else { String::new() };
            let sign = match one.worse {
                Some(true) => "▲",
                Some(false) => "▽",
                None => "·",
            };
            Change {
                text: format!("{:<14}{name}{sign} {}", one.about.name(), one.words),
                worse: one.worse,
                about: one.about,
                instance: one.instance.clone(),
            }
        };
        let all: Vec<Change> = differences.iter().map(change).collect();
        let shown = (0..all.len()).collect();
        Self { title, all, shown, cursor: 0, top: 0, page: 1, find: Find::default() }
    }

    fn look(&mut self) {
        let has = |n: &usize| self.all.get(*n).is_some_and(|c| self.find.has(&c.text));
        self.shown = (0..self.all.len()).filter(has).collect();
        self.cursor = 0;
    }

    fn under_cursor(&self) -> Option<&Change> {
        self.shown.get(self.cursor).and_then(|n| self.all.get(*n))
    }

    /// The pane that shows a change, and its instance.
    fn follow(change: &Change) -> Wish {
        let of_one = |pane| Wish::Go {
            pane,
            scope: Some(Scope::Instance(change.instance.clone())),
            focus: None,
            look: None,
        };
        match change.about {
            About::Blocking => of_one(PaneId::Blocking),
            About::Waits => of_one(PaneId::Waits),
            About::Queries => of_one(PaneId::Queries),
            About::Sessions => of_one(PaneId::Activity),
            About::Databases => of_one(PaneId::Databases),
            About::Health | About::Link | About::Load | About::Configuration => of_one(PaneId::Instance),
            About::Fleet => Wish::Go {
                pane: PaneId::Fleet,
                scope: None,
                focus: Some(RowKey::Instance(change.instance.clone())),
                look: None,
            },
        }
    }

    fn copy(&self) -> String {
        let lines = self.shown.iter().filter_map(|n| self.all.get(*n)).map(|change| change.text.as_str());
        std::iter::once(self.title.as_str()).chain(lines).collect::<Vec<_>>().join("\n")
    }

    /// The last lines: the line under the cursor whole, if it is cut; and what the signs mean.
    fn foot(&self, w: u16) -> Vec<String> {
        let room = usize::from(w.saturating_sub(3));
        let cut = self.under_cursor().filter(|change| width(&change.text) > room);
        let mut lines = cut.map(|change| fold(&change.text, room)).unwrap_or_default();
        if !self.all.is_empty() {
            lines.push("▲ worse   ▽ better   · neither; what changed most comes first".to_owned());
        }
        lines
    }

    fn render_head(&self, canvas: &mut Canvas<'_>, rows: usize, theme: &Theme) {
        let w = canvas.width();
        canvas.repeat(0, 0, w, "─", theme.rule);
        let mut position = String::new();
        if self.shown.len() > rows {
            let last = (self.top + rows).min(self.shown.len());
            position = format!(" {}–{last} of {} ", self.top + 1, self.shown.len());
        }
        if !self.find.wanted().is_empty() {
            position = format!(" /{} {position}", self.find.wanted());
        }
        let room = w.saturating_sub(width(&position) as u16 + 3);
        // The times are worth more than the words before them.
        let short =
            self.title.strip_prefix("What changed ").filter(|_| width(&self.title) + 2 > usize::from(room));
        let title = format!(" {} ", short.unwrap_or(&self.title));
        canvas.put(1, 0, room, &title, theme.strong);
        canvas.put_right(0, 0, w.saturating_sub(2), &position, theme.dim);
    }
}

const fn style(worse: Option<bool>, theme: &Theme) -> Style {
    match worse {
        Some(true) => theme.warning,
        Some(false) => theme.ok,
        None => theme.base,
    }
}

impl Layer for Changes {
    fn context(&self) -> Context {
        self.find.context(Context::List)
    }

    fn finds(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        if let Some(to) = moved(action, self.cursor, self.shown.len(), self.page) {
            self.cursor = to;
            return;
        }
        match self.find.act(action) {
            Taken::No => {}
            Taken::Same => return,
            Taken::Other => return self.look(),
        }
        match action {
            Action::Enter => {
                if let Some(change) = self.under_cursor() {
                    out.wish(Self::follow(change));
                    out.close();
                }
            }
            Action::Copy => out.copy(self.copy()),
            Action::Out | Action::Back | Action::Compare => out.close(),
            Action::Open(_) | Action::Palette | Action::Jump | Action::Quit | Action::Help => {
                out.close();
                out.pass_on();
            }
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, _: &mut Out) {
        if self.find.key(chord) {
            self.look();
        }
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        if self.find.paste(text) {
            self.look();
        }
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let theme = &behind.world.theme;
        {
            let canvas = &mut body(screen);
            canvas.clear(theme.screen);
            let (w, h) = (canvas.width(), canvas.height());
            let foot = self.foot(w);
            let rows = usize::from(h).saturating_sub(2 + foot.len()).max(1);
            self.page = rows;
            self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(rows));
            self.render_head(canvas, rows, theme);
            for (y, n) in self.shown.iter().skip(self.top).take(rows).enumerate() {
                let (Some(change), at) = (self.all.get(*n), y as u16 + 1) else { continue };
                canvas.put(1, at, w.saturating_sub(2), &change.text, style(change.worse, theme));
                if self.top + y == self.cursor {
                    canvas.select(0, at, w, theme.selection);
                }
            }
            let words = if self.all.is_empty() {
                "Nothing changed that is worth a word: no figure by half, no new wait, no setting.".to_owned()
            } else if self.shown.is_empty() {
                format!("nothing found for {:?}: Esc shows all again", self.find.wanted())
            } else {
                String::new()
            };
            for (y, line) in (2..h).zip(fold(&words, usize::from(w.saturating_sub(2)))) {
                canvas.put(1, y, w.saturating_sub(2), &line, theme.base);
            }
            for (y, line) in (h.saturating_sub(foot.len() as u16)..h).zip(&foot) {
                canvas.put(1, y, w.saturating_sub(2), line, theme.dim);
            }
        }
        self.find.render(screen, self.shown.len(), theme);
    }
}
