//! Bookmarks and incidents on the time line, the newest first, to jump to; and events of one kind on an instance.

use super::{
    Behind, Layer, Out, body,
    find::{Find, Taken},
};
use crate::{
    model::{
        base::{time::Timestamp, zone::Zone},
        timeline::{
            chart::{Mark, MarkKind},
            past::When,
        },
    },
    protocol::{Answer, Reply},
    tui::{
        action::{Action, Context},
        key::Chord,
        moment::push_ago,
        widget::{axis, canvas::Canvas, cursor::moved},
        wish::Wish,
    },
};
use std::fmt::Write as _;

/// Which marks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    /// what the user and the flight recorder put on the time line
    Kept,
    /// events of this kind
    Of(MarkKind),
}

impl Listed {
    fn holds(self, kind: MarkKind) -> bool {
        match self {
            Self::Kept => matches!(kind, MarkKind::Bookmark | MarkKind::Incident),
            Self::Of(wanted) => kind == wanted,
        }
    }

    fn title(self) -> String {
        match self {
            Self::Kept => " Bookmarks and incidents ".to_owned(),
            Self::Of(kind) => format!(" Events: {} ", kind.name()),
        }
    }
}

/// The list.
pub struct Bookmarks {
    listed: Listed,
    ticket: u64,
    now: Timestamp,
    /// None: history has not answered yet
    marks: Option<Vec<Mark>>,
    /// why there are none
    why: String,
    /// those that have what is looked for, newest first
    shown: Vec<usize>,
    cursor: usize,
    /// lines in sight
    page: usize,
    find: Find,
}

impl Bookmarks {
    /// Before the answer.
    pub fn new(ticket: u64, now: Timestamp, of_recording: bool) -> Self {
        let why = if of_recording { "no bookmark came with the recording" } else { "" };
        Self {
            listed: Listed::Kept,
            ticket,
            now,
            marks: None,
            why: why.to_owned(),
            shown: Vec::new(),
            cursor: 0,
            page: 1,
            find: Find::default(),
        }
    }

    /// The events of a kind on one instance, before the answer.
    pub fn of(kind: MarkKind, ticket: u64, now: Timestamp) -> Self {
        Self { listed: Listed::Of(kind), ..Self::new(ticket, now, false) }
    }

    fn marks(&self) -> &[Mark] {
        self.marks.as_deref().unwrap_or(&[])
    }

    fn under_cursor(&self) -> Option<&Mark> {
        self.shown.get(self.cursor).and_then(|n| self.marks().get(*n))
    }

    /// Finds those that have the text.
    fn look(&mut self, zone: &Zone) {
        let mut text = String::new();
        let mut has = |m: &Mark| {
            text.clear();
            push_line(&mut text, m, self.now, zone);
            self.find.has(&text)
        };
        let all = self.marks.as_deref().unwrap_or(&[]).iter().enumerate();
        self.shown = all.filter_map(|(n, m)| has(m).then_some(n)).collect();
        self.cursor = 0;
    }
}

/// `2026-11-20 02:14:00  11h48m ago  sqlprd-014  incident: …`: where it was comes before the words, which may be cut.
fn push_line(out: &mut String, m: &Mark, now: Timestamp, zone: &Zone) {
    zone.push_instant(out, m.about());
    out.push_str("  ");
    let from = out.len();
    push_ago(out, m.about(), now);
    out.extend(std::iter::repeat_n(' ', 12_usize.saturating_sub(out.len() - from)));
    if let Some(id) = &m.instance {
        out.push_str(id.as_str());
        out.push_str("  ");
    }
    if m.kind == MarkKind::Incident {
        out.push_str("incident ");
        zone.push_clock(out, m.at);
        out.push('–');
        if let Some(to) = m.to {
            zone.push_clock(out, to);
        }
        out.push_str(": ");
    }
    let _ = write!(out, "{}", m.what.told(zone));
}

impl Layer for Bookmarks {
    fn context(&self) -> Context {
        self.find.context(Context::List)
    }

    fn finds(&self) -> bool {
        true
    }

    fn type_key(&mut self, chord: Chord, behind: &mut Behind<'_>, _: &mut Out) {
        if self.find.key(chord) {
            self.look(&behind.world.moment.zone);
        }
    }

    fn paste(&mut self, text: &str, behind: &mut Behind<'_>, _: &mut Out) {
        if self.find.paste(text) {
            self.look(&behind.world.moment.zone);
        }
    }

    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out) {
        if let Some(to) = moved(action, self.cursor, self.shown.len(), self.page) {
            self.cursor = to;
            return;
        }
        match self.find.act(action) {
            Taken::No => {}
            Taken::Same => return,
            Taken::Other => return self.look(&behind.world.moment.zone),
        }
        match action {
            Action::Copy => {
                let mut text = String::new();
                if let Some(m) = self.under_cursor() {
                    push_line(&mut text, m, self.now, &behind.world.moment.zone);
                }
                if !text.is_empty() {
                    out.copy(text);
                }
            }
            Action::Enter => {
                if let Some(m) = self.under_cursor() {
                    out.wish(Wish::Travel(When::At(m.about())));
                    out.close();
                }
            }
            Action::Out | Action::Back => out.close(),
            _ => {}
        }
    }

    fn hear(&mut self, reply: &Reply, _: &mut Out) -> bool {
        match reply {
            Reply::Answer { ticket, answer: Answer::Marks(marks) } if *ticket == self.ticket => {
                let mut marks = marks.clone();
                marks.retain(|m| self.listed.holds(m.kind));
                marks.sort_by_key(|m| std::cmp::Reverse(m.about()));
                // A text that was typed before the answer came is looked for with its next key.
                self.shown = (0..marks.len()).collect();
                self.marks = Some(marks);
                true
            }
            Reply::NoHistory { ticket: Some(ticket), why } if *ticket == self.ticket => {
                self.marks = Some(Vec::new());
                self.why.clone_from(why);
                true
            }
            _ => false,
        }
    }

    fn is_secret(&self) -> bool {
        // Notes are sealed with the history.
        true
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let theme = &behind.world.theme;
        self.find.render(screen, self.shown.len(), theme);
        let canvas = &mut body(screen);
        canvas.clear(theme.screen);
        let (w, h) = (canvas.width(), canvas.height());
        canvas.repeat(0, 0, w, "─", theme.rule);
        canvas.put(1, 0, w, &self.listed.title(), theme.strong);
        if !self.find.wanted().is_empty() {
            let wanted = format!(" /{} ", self.find.wanted());
            canvas.put_right(0, 0, w.saturating_sub(2), &wanted, theme.accent);
        }
        let rows = usize::from(h.saturating_sub(2));
        self.page = rows;
        let top = (self.cursor + 1).saturating_sub(rows);
        let mut text = String::new();
        for (y, (n, at)) in self.shown.iter().enumerate().skip(top).take(rows).enumerate() {
            let (Some(m), y) = (self.marks().get(*at), y as u16 + 2) else { continue };
            text.clear();
            push_line(&mut text, m, self.now, &behind.world.moment.zone);
            canvas.put(1, y, 1, m.kind.glyph(), axis::mark_style(m.kind, theme));
            canvas.put(3, y, w.saturating_sub(4), &text, theme.base);
            if n == self.cursor {
                canvas.select(0, y, w, theme.selection);
            }
        }
        let words = match &self.marks {
            None => "asking history…",
            Some(marks) if marks.is_empty() && self.why.is_empty() && self.listed != Listed::Kept => {
                "history has none of the last day"
            }
            Some(marks) if marks.is_empty() && self.why.is_empty() => {
                "no bookmark yet: B sets one where the screen is, with a note"
            }
            Some(marks) if marks.is_empty() => &self.why,
            Some(_) if self.shown.is_empty() => "nothing found: Esc shows all again",
            Some(_) => return,
        };
        canvas.put(2, 2, w.saturating_sub(3), words, theme.dim);
    }
}
