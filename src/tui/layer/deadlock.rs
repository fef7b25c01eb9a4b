//! The picture of a deadlock: each ring with its parties, what they wait for and who holds it. Other deadlocks of the list that it was
//! opened from are a key away. The reports were read elsewhere.

use super::{Behind, Layer, Out, body, export};
use crate::{
    deadlock::{
        Deadlock, Process,
        cycle::Graph,
        lines::{CUT, Line, Picture, pictures, text, waits_told},
    },
    model::{
        base::figure::{counted, push_size, push_wait},
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::statement::{SqlText, Statement},
    },
    tui::{
        action::{Action, Context},
        theme::Theme,
        widget::{
            canvas::{Canvas, width},
            cursor::moved,
            document::Document,
            fold::fold,
        },
        wish::Wish,
    },
};
use std::sync::Arc;

/// From this width on a party is told in one line.
const WIDE: u16 = 110;
/// Columns before what a party ran and waits for.
const WORDS_AT: u16 = 8;

/// A deadlock, and where it is from.
#[derive(Clone, Debug)]
pub struct DeadlockSource {
    /// when and where, for the title: `2026-11-29 14:02:11 · sqlprd-014 · orders`
    pub title: String,
    /// the instance, which is polled fast while the deadlock is on the screen
    pub instance: Option<InstanceId>,
    /// as the server wrote it, for the file
    pub raw: Arc<str>,
    /// as it was read
    pub deadlock: Arc<Deadlock>,
}

/// A party, ready to be drawn.
#[derive(Debug)]
struct Party {
    /// an index into [`Deadlock::processes`]
    process: Option<usize>,
    session: String,
    is_victim: bool,
    /// `login@host   read committed   21 KB`
    who: String,
    /// `usp_Pay:40`
    place: String,
    statement: String,
    /// `waits X on key of orders.dbo.Order IX_Date   4.2 s   held S by 62`; empty for one in no ring
    waits: String,
}

/// A ring, or what stands in none.
#[derive(Debug)]
struct Ring {
    /// None: nobody in it waits in a ring
    picture: Option<Picture>,
    parties: Vec<Party>,
}

/// The layer.
pub struct DeadlockView {
    /// the list that it was opened from, at least one
    all: Vec<DeadlockSource>,
    at: usize,
    rings: Vec<Ring>,
    ring: usize,
    cursor: usize,
    page: usize,
}

impl DeadlockView {
    /// Of one of these.
    pub fn new(all: Vec<DeadlockSource>, at: usize) -> Self {
        let mut view = Self {
            at: at.min(all.len().saturating_sub(1)),
            all,
            rings: Vec::new(),
            ring: 0,
            cursor: 0,
            page: 1,
        };
        view.open();
        view
    }

    fn source(&self) -> Option<&DeadlockSource> {
        self.all.get(self.at)
    }

    fn open(&mut self) {
        self.rings = self.source().map_or_else(Vec::new, |source| rings(&source.deadlock));
        (self.ring, self.cursor) = (0, 0);
    }

    fn parties(&self) -> &[Party] {
        self.rings.get(self.ring).map_or(&[], |ring| &ring.parties)
    }

    /// All about the party under the cursor.
    fn about(&self, theme: &Theme) -> Option<Document> {
        let party = self.parties().get(self.cursor)?;
        let deadlock = &self.source()?.deadlock;
        Some(about(party, deadlock.processes.get(party.process?)?, theme))
    }

    fn step(&mut self, back: bool, out: &mut Out) {
        if self.rings.len() < 2 {
            return out.say(Level::Ok, "this deadlock is one ring");
        }
        let step = if back { self.rings.len() - 1 } else { 1 };
        self.ring = (self.ring + step) % self.rings.len();
        self.cursor = 0;
    }

    fn another(&mut self, back: bool, out: &mut Out) {
        if self.all.len() < 2 {
            return out.say(Level::Ok, "there is no other deadlock in the list");
        }
        let step = if back { self.all.len() - 1 } else { 1 };
        self.at = (self.at + step) % self.all.len();
        self.open();
    }

    fn copy(&self, is_whole: bool, out: &mut Out) {
        let Some(source) = self.source() else { return };
        let told = if is_whole {
            text(&[(*source.deadlock).clone()], |_| source.title.clone())
        } else {
            self.parties().get(self.cursor).map(|party| party.to_copy() + "\n").unwrap_or_default()
        };
        out.wish(Wish::Copy(told));
    }

    fn file(&self) -> Option<export::File> {
        let source = self.source()?;
        let (name, scope) = (source.title.clone(), source.title.clone());
        Some(export::File { what: "deadlock", ending: "xdl", name, scope, text: Arc::clone(&source.raw) })
    }
}

impl Party {
    fn to_copy(&self) -> String {
        let victim = if self.is_victim { "victim" } else { "" };
        let parts = [&self.session, victim, &self.who, &self.place, &self.statement, &self.waits];
        parts.join("\t").trim_end().to_owned()
    }
}

/// The rings of a deadlock, the victim's first, and behind them whoever is in none.
fn rings(deadlock: &Deadlock) -> Vec<Ring> {
    let graph = Graph::of(deadlock);
    let mut told = vec![false; graph.parties.len()];
    let mut rings = Vec::new();
    for (ring, picture) in graph.rings().iter().zip(pictures(deadlock)) {
        let waits = ring.waits.iter().filter_map(|at| graph.waits.get(*at));
        let mut process = waits.map(|wait| {
            if let Some(told) = told.get_mut(wait.from) {
                *told = true;
            }
            wait.waiter
        });
        let mut parties: Vec<Party> = Vec::new();
        for line in &picture.lines {
            match line {
                Line::Party { .. } => parties.extend(party(line, process.next())),
                Line::Waits { .. } => {
                    if let Some(last) = parties.last_mut() {
                        last.waits = waits_told(line);
                    }
                }
            }
        }
        drop(process);
        rings.push(Ring { picture: Some(picture), parties });
    }
    let left = graph.parties.iter().zip(&told).filter(|(_, told)| !**told);
    let parties: Vec<Party> = left
        .filter_map(|(party, _)| {
            let at = *party.tasks.first()?;
            Some(alone(deadlock.processes.get(at)?, at, party.victim))
        })
        .collect();
    if !parties.is_empty() {
        rings.push(Ring { picture: None, parties });
    }
    rings
}

fn party(line: &Line, process: Option<usize>) -> Option<Party> {
    let Line::Party { session, victim, who, isolation, log, place, statement } = line else { return None };
    Some(Party {
        process,
        session: session.clone(),
        is_victim: *victim,
        who: joined(&[who, isolation, log]),
        place: place.clone(),
        statement: statement.clone(),
        waits: String::new(),
    })
}

/// Parts that are known, with room between them.
fn joined(parts: &[&str]) -> String {
    let known: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    known.join("   ")
}

/// A process that is in no ring.
fn alone(process: &Process, at: usize, is_victim: bool) -> Party {
    let who = match (process.login.is_empty(), process.host.is_empty()) {
        (false, false) => format!("{}@{}", process.login, process.host),
        (false, true) => process.login.clone(),
        _ => process.host.clone(),
    };
    let place = process.place().filter(|frame| !frame.module.is_empty());
    Party {
        process: Some(at),
        session: process.spid.map_or_else(|| process.id.clone(), |spid| spid.to_string()),
        is_victim,
        who: joined(&[&who, &process.isolation]),
        place: place.map(|frame| frame.module.clone()).unwrap_or_default(),
        statement: crate::sql::normalize::squeeze(process.statement(), 120),
        waits: if process.wait_resource.is_empty() {
            String::new()
        } else {
            format!("waits for {}", process.wait_resource)
        },
    }
}

/// All about a process: its statement, isolation, who it is and what it came through.
fn about(party: &Party, process: &Process, theme: &Theme) -> Document {
    let mut title = format!("Session {}", party.session);
    if party.is_victim {
        title.push_str(" · victim");
    }
    let mut d = Document::new(title);
    let style = if party.is_victim { theme.critical } else { theme.base };
    d.field("in the deadlock", style, |s| {
        s.push_str(if party.is_victim { "✖ victim: rolled back" } else { "went on" });
    });
    d.field("waits", theme.strong, |s| {
        s.push_str(party.waits.strip_prefix("waits ").unwrap_or(&party.waits));
    });
    let fields = [
        ("isolation", &process.isolation),
        ("login", &process.login),
        ("host", &process.host),
        ("program", &process.program),
        ("database", &process.database),
        ("transaction", &process.transaction),
        ("wait resource", &process.wait_resource),
    ];
    for (name, value) in fields {
        d.field(name, theme.base, |s| s.push_str(value));
    }
    d.field("waited", theme.base, |s| {
        if let Some(ms) = process.wait_ms {
            push_wait(s, ms as f64);
        }
    });
    d.field("log to roll back", theme.base, |s| push_size(s, process.log_used as f64));
    d.field("priority", theme.base, |s| s.push_str(&process.priority.to_string()));
    if !process.frames.is_empty() {
        d.head("Calls, the innermost first");
    }
    for frame in &process.frames {
        let module = if frame.module.is_empty() { "batch" } else { &frame.module };
        let line = frame.line.map_or_else(String::new, |line| format!(" line {line}"));
        d.text(format!("{module}{line}   {}", crate::sql::normalize::squeeze(&frame.text, 200)), theme.base);
    }
    if !process.input.is_empty() {
        d.head("What the client sent");
        d.text(process.input.clone(), theme.base);
    }
    let statement: Arc<str> = process.statement().into();
    if !statement.is_empty() {
        let end = statement.len();
        d.statement =
            Some(Statement { text: Arc::new(SqlText::new(statement, None, None, false)), start: 0, end });
    }
    d
}

impl Layer for DeadlockView {
    fn context(&self) -> Context {
        Context::Deadlock
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        if let Some(to) = moved(action, self.cursor, self.parties().len(), self.page) {
            self.cursor = to;
            return;
        }
        match action {
            Action::Enter | Action::Details => {
                out.wishes.extend(self.about(&behind.world.theme).map(Wish::Read));
            }
            Action::NextSection | Action::PrevSection => self.step(action == Action::PrevSection, out),
            Action::Another => self.another(false, out),
            Action::Copy | Action::CopyWhole => self.copy(action == Action::CopyWhole, out),
            Action::WriteFile => {
                out.wishes.extend(self.file().map(|file| Wish::Ask(Box::new(file.ask()))));
            }
            Action::OpenEditor => out.wishes.extend(self.file().map(export::File::edit)),
            Action::Out | Action::Back => out.close(),
            Action::Help => out.pass_on(),
            Action::Open(_) | Action::Palette | Action::Jump | Action::Quit => {
                out.close();
                out.pass_on();
            }
            _ => {}
        }
    }

    fn offers(&self, action: Action) -> bool {
        match action {
            Action::NextSection => self.rings.len() > 1,
            Action::Another => self.all.len() > 1,
            _ => true,
        }
    }

    fn instance(&self) -> Option<&InstanceId> {
        self.source()?.instance.as_ref()
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, theme) = (&mut body(screen), &behind.world.theme);
        canvas.clear(theme.screen);
        self.head(canvas, theme);
        let (w, h) = (canvas.width(), canvas.height());
        let Some(ring) = self.rings.get(self.ring) else {
            canvas.put(2, 3, w.saturating_sub(3), "The report names nobody: it may be cut short.", theme.dim);
            return;
        };
        let is_wide = w >= WIDE;
        let each = if is_wide { 2 } else { 3 };
        let mut foot = foot(ring, w);
        if self.source().is_some_and(|source| source.deadlock.is_cut) {
            foot.push(("", CUT.to_owned()));
        }
        let room = h.saturating_sub(4 + foot.len() as u16 + 1);
        self.page = usize::from(room / each).max(1);
        let count = ring.parties.len();
        let top = (self.cursor + 1).saturating_sub(self.page);
        let widest = ring.parties.iter().map(|party| width(&party.who)).max().unwrap_or(0) as u16;
        let mut y = 3;
        for (n, party) in ring.parties.iter().enumerate().skip(top).take(self.page) {
            let mut part = canvas.part(0, y, w, each);
            party.draw(&mut part, theme, (n == 0, n + 1 == count), widest.min(w / 3), ring.picture.is_some());
            if n == self.cursor {
                part.select(0, 0, w, theme.selection);
            }
            y += each;
        }
        if count > self.page {
            let words = format!("parties {}–{} of {count}", top + 1, (top + self.page).min(count));
            canvas.put_right(0, 1, w.saturating_sub(2), &words, theme.dim);
        }
        y += 1;
        for (name, text) in foot {
            canvas.put(2, y, 12, name, theme.dim);
            canvas.put(14, y, w.saturating_sub(15), &text, theme.base);
            y += 1;
        }
    }
}

impl DeadlockView {
    /// `─ Deadlock ─ 14:02:11 · orders ───── cycle 1 of 2 · deadlock 3 of 41 ─`, and its pattern below.
    fn head(&self, canvas: &mut Canvas<'_>, theme: &Theme) {
        let w = canvas.width();
        canvas.repeat(0, 0, w, "─", theme.rule);
        let mut places = Vec::new();
        if self.rings.len() > 1 {
            places.push(format!("cycle {} of {}", self.ring + 1, self.rings.len()));
        }
        if self.all.len() > 1 {
            places.push(format!("deadlock {} of {}", self.at + 1, self.all.len()));
        }
        let place = if places.is_empty() { String::new() } else { format!(" {} ", places.join(" · ")) };
        canvas.put_right(0, 0, w.saturating_sub(2), &place, theme.dim);
        let room = w.saturating_sub(width(&place) as u16 + 2);
        let title = self.source().map_or("", |source| source.title.as_str());
        let mut x = 1;
        let parts = [("Deadlock", theme.strong), (title, theme.base)];
        for (text, style) in parts.into_iter().filter(|(text, _)| !text.is_empty()) {
            let left = room.saturating_sub(x + 2);
            // A part is shown whole or at least long enough to be understood.
            if usize::from(left) < width(text).min(16) {
                break;
            }
            canvas.put(x, 0, 1, " ", theme.base);
            let used = canvas.put(x + 1, 0, left, text, style);
            canvas.put(x + 1 + used, 0, 1, " ", theme.base);
            x += used + 3;
        }
        let picture = self.rings.get(self.ring).and_then(|ring| ring.picture.as_ref());
        let Some(picture) = picture else { return };
        let used = canvas.put(2, 1, w.saturating_sub(3), picture.pattern.word(), theme.accent);
        let x = 2 + used + 3;
        let used = canvas.put(x, 1, w.saturating_sub(x + 1), "pattern ", theme.dim);
        canvas.put(x + used, 1, w.saturating_sub(x + used + 1), &picture.fingerprint, theme.dim);
    }
}

impl Party {
    /// Draws its lines: who it is, what it ran, what it waits for; `is_edge`: it is the first, the last of the ring.
    fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        theme: &Theme,
        (is_first, is_last): (bool, bool),
        widest: u16,
        is_ring: bool,
    ) {
        let (w, h) = (canvas.width(), canvas.height());
        if is_ring {
            for y in 0..h {
                let edge = match y {
                    0 if is_first => "╭▶",
                    _ if is_last && y + 1 == h => "╰─",
                    _ => "│ ",
                };
                canvas.put(2, y, 2, edge, theme.dim);
            }
        }
        canvas.put(5, 0, 6, &self.session, theme.strong);
        let mut x = 12;
        if self.is_victim {
            x = 12 + canvas.put(12, 0, 8, "✖ victim", theme.critical) + 2;
        }
        let x = x.max(22);
        let used = canvas.put(x, 0, w.saturating_sub(x + 1), &self.who, theme.base);
        let (x, y) = if h > 2 { (WORDS_AT, 1) } else { (x + used.max(widest) + 3, 0) };
        let used = canvas.put(x, y, w.saturating_sub(x + 1), &self.place, theme.accent);
        let x = x + if used > 0 { used + 3 } else { 0 };
        canvas.put(x, y, w.saturating_sub(x + 1), &self.statement, theme.base);
        let at = WORDS_AT;
        canvas.put(at, h.saturating_sub(1), w.saturating_sub(at + 1), &self.waits, theme.dim);
    }
}

/// Why it is a deadlock, and what usually ends it: names and lines.
fn foot(ring: &Ring, w: u16) -> Vec<(&'static str, String)> {
    let room = usize::from(w.saturating_sub(15));
    let Some(picture) = &ring.picture else {
        let words =
            format!("{} in the report wait in no cycle", counted(ring.parties.len(), "other session"));
        return vec![("", words)];
    };
    let mut foot = Vec::new();
    for (name, text) in [("why", picture.why.as_str()), ("usual cure", picture.pattern.cure())] {
        for (n, line) in fold(text, room).into_iter().take(3).enumerate() {
            foot.push((if n == 0 { name } else { "" }, line));
        }
    }
    foot
}
