//! The permission doctor over the fleet: a line an instance with what its login lacks, worst first; Enter shows the matrix
//! and the script that grants the missing rights, `y` copies it. This file grants nothing.

use super::{Behind, Layer, Out, body};
use crate::{
    model::{
        base::failure::Failure,
        inventory::{
            doctor::{Cell, Diagnosis, Right},
            instance::InstanceId,
        },
        judge::health::Level,
    },
    protocol::{InventoryRequest, Reply},
    tui::{
        action::{Action, Context},
        pane::reading,
        theme::Theme,
        widget::{
            canvas::{Canvas, width},
            cursor::moved,
            document::Document,
            reader::Reader,
        },
    },
};
use ratatui::style::Style;
use std::fmt::Write as _;

/// Columns of the list: the name at most, and at least (its heading), each right; what is lost has the rest of the line.
const NAME: u16 = 24;
const SHORT_NAME: u16 = 10;
const RIGHT: u16 = 13;

/// The answer of one instance.
struct Examined {
    instance: InstanceId,
    rights: Result<Diagnosis, Failure>,
}

impl Examined {
    fn level(&self) -> Level {
        match &self.rights {
            Err(_) => Level::Unknown,
            Ok(found) if found.holes.is_empty() => Level::Ok,
            Ok(_) => Level::Warning,
        }
    }

    /// Most missing rights first, then instances that could not be asked, then the rest by name.
    fn rank(&self) -> (u8, usize) {
        match &self.rights {
            Ok(found) if !found.holes.is_empty() => (0, usize::MAX - found.holes.len()),
            Err(_) => (1, 0),
            Ok(_) => (2, 0),
        }
    }
}

/// The dialog.
pub struct Doctor {
    /// how many shall be examined
    of: usize,
    left: usize,
    all: Vec<Examined>,
    cursor: usize,
    /// moved by hand: the cursor stays on its instance, not on the worst
    moved: bool,
    page: usize,
    open: Option<Reader>,
    theme: Theme,
}

impl Doctor {
    /// For so many instances.
    pub fn new(of: usize, theme: &Theme) -> Self {
        let theme = theme.clone();
        Self { of, left: of, all: Vec::new(), cursor: 0, moved: false, page: 1, open: None, theme }
    }

    fn take(&mut self, examined: Examined, left: usize) {
        let chosen = self.all.get(self.cursor).filter(|_| self.moved).map(|e| e.instance.clone());
        self.left = left;
        self.all.push(examined);
        self.all.sort_by(|a, b| a.rank().cmp(&b.rank()).then(a.instance.cmp(&b.instance)));
        let place = |id| self.all.iter().position(|e| e.instance == id);
        self.cursor = chosen.and_then(place).unwrap_or(0);
    }

    fn script(&self) -> Option<String> {
        self.all.get(self.cursor)?.rights.as_ref().ok()?.script()
    }

    fn copy(&self, out: &mut Out) {
        match self.script() {
            Some(script) => {
                out.copy(script);
                out.say(Level::Ok, "script copied: read it, then run it as who may grant");
            }
            None => out.say(Level::Unknown, "nothing to copy: no right is missing here"),
        }
    }

    fn step(&mut self, action: Action) {
        self.moved = true;
        if let Some(to) = moved(action, self.cursor, self.all.len(), self.page.saturating_sub(1)) {
            self.cursor = to;
        }
    }

    fn title(&self) -> String {
        let count = |level| self.all.iter().filter(|e| e.level() == level).count();
        let done = self.of.saturating_sub(self.left);
        let progress = if self.left > 0 {
            format!("{done} of {} examined …", self.of)
        } else {
            format!("{done} examined")
        };
        let mut title = format!("Permission doctor ─ {progress}");
        for (n, words) in
            [(count(Level::Warning), "with missing permissions"), (count(Level::Unknown), "not reached")]
        {
            if n > 0 {
                let _ = write!(title, " ─ {n} {words}");
            }
        }
        title
    }

    fn list(&mut self, canvas: &mut Canvas<'_>, theme: &Theme) {
        canvas.clear(theme.screen);
        let (w, h) = (canvas.width(), canvas.height());
        canvas.repeat(0, 0, w, "─", theme.rule);
        canvas.put(1, 0, 1, " ", theme.base);
        let used = canvas.put(2, 0, w.saturating_sub(4), &self.title(), theme.strong);
        canvas.put(2 + used, 0, 1, " ", theme.base);
        // Names take what they need; what is lost has the rest.
        let longest = self.all.iter().map(|one| width(one.instance.as_str()) as u16 + 2).max().unwrap_or(0);
        let name = longest.clamp(SHORT_NAME, NAME);
        let wide = w >= 2 + name + RIGHT * Right::ALL.len() as u16 + 20;
        canvas.put(4, 1, name, "INSTANCE", theme.dim);
        let mut x = 4 + name;
        if wide {
            for right in Right::ALL {
                canvas.put(x, 1, RIGHT - 1, &right.word().to_uppercase(), theme.dim);
                x += RIGHT;
            }
        }
        canvas.put(x, 1, w.saturating_sub(x), "LOST", theme.dim);
        self.page = usize::from(h.saturating_sub(2));
        let top = (self.cursor + 1).saturating_sub(self.page);
        for (y, (n, one)) in self.all.iter().enumerate().skip(top).take(self.page).enumerate() {
            let mut line = canvas.part(0, y as u16 + 2, w, 1);
            draw(one, name, wide, &mut line, theme);
            if n == self.cursor {
                line.select(0, 0, w, theme.selection);
            }
        }
    }
}

fn draw(one: &Examined, name: u16, wide: bool, line: &mut Canvas<'_>, theme: &Theme) {
    let w = line.width();
    let level = one.level();
    line.put(1, 0, 2, reading::glyph(level), reading::level_style(theme, level));
    line.put(4, 0, name - 1, one.instance.as_str(), theme.base);
    let mut x = 4 + name;
    let room = |x: u16| w.saturating_sub(x + 1);
    match &one.rights {
        Err(failure) => drop(line.put(x, 0, room(x), &failure.text, theme.dim)),
        Ok(found) => {
            if wide {
                for n in 0..Right::ALL.len() {
                    let cell = worst(found, n);
                    line.put(x, 0, RIGHT - 1, shown(cell), style(cell, theme));
                    x += RIGHT;
                }
            }
            let mut lost = String::new();
            for hole in &found.holes {
                lost.push_str(if lost.is_empty() { "" } else { "; " });
                lost.push_str(&hole.lost);
            }
            let (text, style) = if lost.is_empty() { ("nothing", theme.dim) } else { (&*lost, theme.base) };
            line.put(x, 0, room(x), text, style);
        }
    }
}

/// The state of a right over all panes: missing in one is missing.
fn worst(found: &Diagnosis, right: usize) -> Cell {
    let cells = || found.rows.iter().filter_map(|row| row.cells.get(right).copied());
    [Cell::Missing, Cell::Unknown, Cell::Held, Cell::NotHere]
        .into_iter()
        .find(|wanted| cells().any(|cell| cell == *wanted))
        .unwrap_or(Cell::NotUsed)
}

const fn shown(cell: Cell) -> &'static str {
    match cell {
        Cell::NotUsed => "·",
        Cell::Held => "● yes",
        Cell::Missing => "▲ missing",
        cell => cell.word(),
    }
}

const fn style(cell: Cell, theme: &Theme) -> Style {
    match cell {
        Cell::Missing => theme.warning,
        Cell::Held => theme.ok,
        _ => theme.dim,
    }
}

/// Matrix, missing rights and script of one instance. Also shown by the wizard after a test.
pub fn document(instance: &InstanceId, rights: &Result<Diagnosis, Failure>, theme: &Theme) -> Document {
    let mut d = Document::new(format!("Rights on {instance}"));
    match rights {
        Err(failure) => d.text(failure.to_string(), theme.critical),
        Ok(found) => push_diagnosis(&mut d, found, theme),
    }
    d
}

/// Adds what was found to a document.
pub fn push_diagnosis(d: &mut Document, found: &Diagnosis, theme: &Theme) {
    if found.holes.is_empty() {
        d.text(format!("● {} may see all that dbtop shows.", found.login), theme.ok);
    } else {
        let names: Vec<&str> = found.holes.iter().map(|h| h.name).collect();
        d.text(format!("▲ {} lacks {}.", found.login, names.join(", ")), theme.warning);
    }
    d.head("pane × right");
    let mut head = format!("{:<16}", "");
    for right in Right::ALL {
        let _ = write!(head, "{:<13}", right.word());
    }
    d.text(head, theme.dim);
    for row in &found.rows {
        let mut line = format!("{:<16}", row.pane);
        for cell in row.cells {
            let _ = write!(line, "{:<13}", shown(cell));
        }
        let hole = row.cells.contains(&Cell::Missing);
        d.text(line.trim_end(), if hole { theme.warning } else { theme.base });
    }
    if let Some(hint) = found.hint() {
        d.text(hint, theme.warning);
    }
    for hole in &found.holes {
        d.head(hole.name);
        d.text(format!("without it: {}", hole.lost), theme.base);
        d.text(format!("wanted by: {}", hole.panes.join(", ")), theme.dim);
        for line in hole.script.lines() {
            d.text(line, theme.string);
        }
    }
}

impl Layer for Doctor {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        match (action, &mut self.open) {
            (Action::Copy, _) => self.copy(out),
            (Action::Out | Action::Back, open @ Some(_)) => *open = None,
            (_, Some(reader)) => {
                reader.act(action);
            }
            (Action::Out | Action::Back, None) => {
                out.ask(InventoryRequest::StopDoctor);
                out.close();
            }
            (Action::Enter, None) => {
                let document = |one: &Examined| document(&one.instance, &one.rights, &self.theme);
                self.open = self.all.get(self.cursor).map(|one| Reader::new(document(one)));
            }
            (_, None) => self.step(action),
        }
    }

    fn hear(&mut self, reply: &Reply, _: &mut Out) -> bool {
        let Reply::Examined { instance, rights, left } = reply else { return false };
        self.take(Examined { instance: instance.clone(), rights: rights.clone() }, *left);
        true
    }

    fn is_secret(&self) -> bool {
        // Scripts name logins.
        true
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, theme) = (&mut body(screen), &behind.world.theme);
        match &mut self.open {
            Some(reader) => reader.render(canvas, theme),
            None => self.list(canvas, theme),
        }
    }
}
