//! How a plan is drawn: title, facts, the lines in sight, what the chosen line does in full, and the findings. Pure; the plan
//! layer calls it for every frame, and it touches only what is in sight.

use super::sheet::{At, Heat, Sheet, Shown};
use crate::{
    plan::{find::Weight, time::Metric},
    tui::{
        theme::Theme,
        widget::{
            canvas::{Canvas, width},
            fold::fold,
        },
    },
};
use ratatui::style::Style;

/// Below this height of the page nothing but the tree is drawn.
const LOW: u16 = 12;
/// From this width on the line of the tree shows most of what an operator does.
const WIDE: u16 = 140;
/// Columns before the name: amount, share, mark and path.
const BEFORE: u16 = 19;

/// Everything that a frame of the tree needs.
pub struct Frame<'a> {
    /// where the plan is from
    pub title: &'a str,
    /// which of how many trees, if there are several
    pub place: &'a str,
    /// the tree
    pub sheet: &'a Sheet,
    /// the line under the cursor
    pub cursor: usize,
    /// the finding that was gone to
    pub chosen: Option<usize>,
    /// what is looked for, in lower case; empty: nothing
    pub wanted: &'a str,
}

/// How the lines were drawn: what the next key has to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawn {
    /// first line in sight
    pub top: usize,
    /// lines in sight
    pub page: usize,
}

/// Draws the whole page. `top` is where the last frame began.
pub fn page(canvas: &mut Canvas<'_>, theme: &Theme, frame: &Frame<'_>, top: usize) -> Drawn {
    canvas.clear(theme.screen);
    let (w, h) = (canvas.width(), canvas.height());
    let mut y = head(canvas, theme, frame);
    let strip = match h {
        0..LOW => 0,
        _ if w >= WIDE => 1,
        _ => 2,
    };
    // What the tree leaves is for findings.
    let free = usize::from(h.saturating_sub(y + 3 + strip)).saturating_sub(frame.sheet.lines.len()) as u16;
    let findings = Findings::of(frame, w, (h, free));
    let below = strip + findings.height();
    let rows = h.saturating_sub(y + 1 + below);
    let columns = Columns::of(frame.sheet, w);
    columns.titles(&mut canvas.part(0, y, w, 1), theme, frame.sheet);
    y += 1;
    let page = usize::from(rows).max(1);
    let count = frame.sheet.lines.len();
    let top =
        top.min(count.saturating_sub(page)).clamp((frame.cursor + 1).saturating_sub(page), frame.cursor);
    for (n, line) in frame.sheet.lines.iter().enumerate().skip(top).take(usize::from(rows)) {
        let mut row = canvas.part(0, y, w, 1);
        let is_found = !frame.wanted.is_empty() && line.has(frame.wanted);
        columns.line(&mut row, theme, line, is_found);
        if n == frame.cursor {
            row.select(0, 0, w, theme.selection);
        }
        y += 1;
    }
    // Below the tree, with a blank line between where there is room for one.
    let y = (y + 1).min(h.saturating_sub(below));
    if let Some(line) = frame.sheet.lines.get(frame.cursor) {
        whole(&mut canvas.part(0, y, w, strip), theme, line);
    }
    findings.draw(&mut canvas.part(0, y + strip, w, h.saturating_sub(y + strip)), theme, frame);
    Drawn { top, page }
}

/// `─ Plan ─ sqlprd-014 · orders ─ actual · 4.2 s, CPU 15 s · DOP 4 ───── 2 of 3 ─`, and facts below it; returns the lines
/// that it took.
fn head(canvas: &mut Canvas<'_>, theme: &Theme, frame: &Frame<'_>) -> u16 {
    let (w, h) = (canvas.width(), canvas.height());
    let place = frame.place;
    let room = w.saturating_sub(width(place) as u16 + 2);
    canvas.repeat(0, 0, w, "─", theme.rule);
    canvas.put_right(0, 0, w.saturating_sub(2), place, theme.dim);
    let mut x = put_part(canvas, 1, 0, room, "Plan", theme.strong, theme);
    x = put_part(canvas, x, 0, room, frame.title, theme.base, theme);
    let headline = frame.sheet.headline.as_str();
    let mut y = 1;
    if usize::from(room.saturating_sub(x + 2)) >= width(headline) {
        put_part(canvas, x, 0, room, headline, theme.dim, theme);
    } else {
        canvas.put(2, 1, w.saturating_sub(3), headline, theme.base);
        y = 2;
    }
    let most = match h {
        0..LOW => 0,
        LOW..17 => 1,
        17..26 => 2,
        26..40 => 3,
        _ => 5,
    };
    y + facts(&mut canvas.part(2, y, w.saturating_sub(4), most), theme, &frame.sheet.facts)
}

/// A part of the title with a blank on both its sides; returns the column after it.
pub fn put_part(
    canvas: &mut Canvas<'_>,
    x: u16,
    y: u16,
    end: u16,
    text: &str,
    style: Style,
    theme: &Theme,
) -> u16 {
    let room = end.saturating_sub(x + 2);
    if text.is_empty() || room < 4 {
        return x;
    }
    canvas.put(x, y, 1, " ", theme.base);
    let used = canvas.put(x + 1, y, room, text, style);
    canvas.put(x + 1 + used, y, 1, " ", theme.base);
    x + used + 3
}

/// Names and values, one behind the other, as many as there is room for; returns the lines that they took.
fn facts(canvas: &mut Canvas<'_>, theme: &Theme, facts: &[(String, String)]) -> u16 {
    let (w, h) = (canvas.width(), canvas.height());
    if facts.is_empty() || h == 0 {
        return 0;
    }
    let (mut x, mut y) = (0, 0);
    for (n, (name, value)) in facts.iter().enumerate() {
        let needed = (width(name) + 1 + width(value)).min(usize::from(w)) as u16;
        // What does not fit any more is counted, on the last line.
        let is_last = y + 1 == h && n + 1 < facts.len();
        let reserve = if is_last { 10 } else { 0 };
        if x > 0 && x + needed + reserve > w {
            if y + 1 == h {
                let left = facts.len() - n;
                canvas.put(x, y, w.saturating_sub(x), &format!("+{left} more"), theme.dim);
                return h;
            }
            (x, y) = (0, y + 1);
        }
        let room = w.saturating_sub(x);
        let used = canvas.put(x, y, room, name, theme.dim) + 1;
        x += used + canvas.put(x + used, y, room.saturating_sub(used), value, theme.base) + 3;
    }
    y + 1
}

/// The columns behind the name.
struct Columns {
    name: u16,
    rows: u16,
    done: u16,
    off: u16,
    /// 0: there is no room
    what: u16,
}

impl Columns {
    fn of(sheet: &Sheet, w: u16) -> Self {
        let room = w.saturating_sub(BEFORE + 1);
        let title = Self::rows_title(sheet);
        let mut rows = (sheet.rows_width.max(width(title)) as u16).min(18) + 2;
        let mut off = if sheet.is_actual { sheet.off_width.clamp(4, 8) as u16 + 2 } else { 0 };
        let mut done = if sheet.is_live { 6 } else { 0 };
        let wanted = (sheet.name_width as u16).max(10);
        // A name says more than figures do.
        let least = wanted.min(20);
        if least + rows + off + done > room {
            off = 0;
        }
        if least + rows + done > room {
            (rows, done) = (0, 0);
        }
        let left = room.saturating_sub(rows + off + done);
        // A predicate that is cut after a few letters says nothing; the line below the tree has all of it.
        let least = match w {
            0..100 => 0,
            100..WIDE => 26,
            _ => 50,
        };
        let name = wanted.min(left.saturating_sub(least).max(20)).min(left);
        let what = left.saturating_sub(name + 2);
        Self { name, rows, done, off, what: if what < 8 { 0 } else { what } }
    }

    const fn rows_title(sheet: &Sheet) -> &'static str {
        if sheet.is_actual { "ROWS act/est" } else { "ROWS est" }
    }

    fn titles(&self, line: &mut Canvas<'_>, theme: &Theme, sheet: &Sheet) {
        let own = match sheet.metric {
            Metric::Time => "OWN time",
            Metric::Cpu => "OWN CPU",
            Metric::Reads => "READS",
            Metric::Rows => "ROWS",
            Metric::Cost => "COST",
        };
        line.put_right(1, 0, 9, own, theme.accent);
        line.put_right(11, 0, 4, "%", theme.dim);
        line.put(BEFORE, 0, self.name, "OPERATOR", theme.dim);
        let mut x = BEFORE + self.name;
        for (columns, title) in [(self.rows, Self::rows_title(sheet)), (self.done, "DONE"), (self.off, "OFF")]
        {
            line.put_right(x, 0, columns, if columns > 0 { title } else { "" }, theme.dim);
            x += columns;
        }
        if self.what > 0 {
            line.put(x + 2, 0, self.what, "OBJECT, PREDICATE", theme.dim);
        }
    }

    fn line(&self, row: &mut Canvas<'_>, theme: &Theme, line: &Shown, is_found: bool) {
        let amount = match line.heat {
            Heat::Low => theme.dim,
            Heat::Some => theme.base,
            Heat::High => theme.strong,
        };
        row.put_right(1, 0, 9, &line.amount, amount);
        row.put_right(11, 0, 4, &line.share, amount);
        if let Some((weight, _)) = line.marks.first() {
            row.glyph(16, 0, weight.mark(), weight_style(*weight, theme));
        }
        if line.is_hot {
            row.glyph(17, 0, "┃", theme.accent);
        }
        let is_beyond = matches!(line.at, At::Exchanges | At::Outside);
        // What is no operator has nothing in the columns behind its name.
        let end = if is_beyond { row.width().saturating_sub(1) } else { BEFORE + self.name };
        if line.at == At::Statement {
            // It has no figures of its own: the text takes their place.
            let x = BEFORE + row.put(BEFORE, 0, self.name, &line.name, theme.strong) + 2;
            let room = row.width().saturating_sub(x + 1);
            let used = marks(row, x, room, line, theme);
            row.put(x + used, 0, room.saturating_sub(used), &line.what, theme.dim);
            return;
        }
        let lead = row.put(BEFORE, 0, self.name, &line.lead, theme.dim);
        let style = match (is_found, line.at) {
            (true, _) => theme.accent,
            (false, At::Operator(_)) => theme.base,
            (false, _) => theme.dim,
        };
        let x = BEFORE + lead;
        let used = row.put(x, 0, end.saturating_sub(x), &line.name, style);
        row.put(x + used, 0, end.saturating_sub(x + used), &line.tail, theme.dim);
        if is_beyond {
            return;
        }
        let mut x = end;
        let off = match line.off_by {
            Heat::Low => theme.dim,
            Heat::Some => theme.warning,
            Heat::High => theme.critical,
        };
        let figures =
            [(self.rows, &line.rows, amount), (self.done, &line.done, theme.ok), (self.off, &line.off, off)];
        for (columns, text, style) in figures {
            row.put_right(x, 0, columns, text, style);
            x += columns;
        }
        self.tell(&mut row.part(x + 2, 0, self.what, 1), theme, line);
    }

    /// The marks of what was found, the object and what is done with it.
    fn tell(&self, cell: &mut Canvas<'_>, theme: &Theme, line: &Shown) {
        let w = self.what;
        let mut x = marks(cell, 0, w, line, theme);
        if !line.object.is_empty() {
            x += cell.put(x, 0, w.saturating_sub(x), &line.object, theme.base) + 2;
        }
        cell.put(x, 0, w.saturating_sub(x), &line.what, theme.dim);
    }
}

/// The marks of a line, `✖ P02 ▲ P09 `; returns the columns that they took.
fn marks(cell: &mut Canvas<'_>, at: u16, room: u16, line: &Shown, theme: &Theme) -> u16 {
    /// A line has room for so many; the list below has all.
    const MOST: usize = 3;
    let mut x = 0;
    for (weight, code) in line.marks.iter().take(MOST) {
        let style = weight_style(*weight, theme);
        if room < x + 6 {
            break;
        }
        cell.put(at + x, 0, 1, weight.mark(), style);
        cell.put(at + x + 2, 0, 3, code, style);
        x += 6;
    }
    x
}

/// The colour of a finding.
pub const fn weight_style(weight: Weight, theme: &Theme) -> Style {
    match weight {
        Weight::Note => theme.dim,
        Weight::Warning => theme.warning,
        Weight::Grave => theme.critical,
    }
}

/// What the line under the cursor does, in full.
fn whole(canvas: &mut Canvas<'_>, theme: &Theme, line: &Shown) {
    let (w, h) = (canvas.width(), canvas.height());
    if h == 0 {
        return;
    }
    let used = canvas.put(2, 0, w.saturating_sub(3), &line.name, theme.strong) + 4;
    let room = usize::from(w.saturating_sub(3));
    // The first line begins behind the name.
    let indent = usize::from(used).saturating_sub(2).min(room);
    let text = format!("{:indent$}{}", "", line.whole);
    let lines = fold(&text, room);
    for (y, text) in (0..h).zip(&lines) {
        let is_cut = y + 1 == h && lines.len() > usize::from(h) && !text.ends_with('…');
        let skip = if y == 0 { indent } else { 0 };
        let text = text.get(skip..).unwrap_or_default();
        let end = canvas.put(2 + skip as u16, y, w.saturating_sub(4 + skip as u16), text, theme.dim);
        if is_cut {
            canvas.glyph(2 + skip as u16 + end, y, "…", theme.dim);
        }
    }
}

/// The list of findings: its lines, and which of them are told in full.
struct Findings {
    /// findings in the list
    count: usize,
    /// the one that is told in full
    open: Option<usize>,
    /// its words after the first line
    more: Vec<String>,
    /// lines of the list, without its title
    lines: u16,
}

/// Columns before the words of a finding.
const WORDS_AT: u16 = 19;

impl Findings {
    fn of(frame: &Frame<'_>, w: u16, (h, free): (u16, u16)) -> Self {
        let sheet = frame.sheet;
        let count = sheet.found.len();
        let at = sheet.lines.get(frame.cursor).map(|line| line.at);
        let here = at.and_then(|at| {
            let chosen = frame.chosen.filter(|chosen| sheet.found_at(at).any(|found| found == *chosen));
            chosen.or_else(|| sheet.found_at(at).next())
        });
        let room = usize::from(w.saturating_sub(WORDS_AT + 2));
        let mut more = Vec::new();
        if let Some(finding) = here.and_then(|here| sheet.found.get(here)) {
            more.extend(fold(&finding.text, room).into_iter().skip(1).take(2));
            more.extend(fold(&finding.advice, room).into_iter().take(2));
        }
        let most = match h {
            0..LOW => return Self { count, open: here, more, lines: 0 },
            LOW..26 => 5,
            26..40 => 9,
            _ => h / 3,
        };
        let wanted = (count.max(1) + more.len()) as u16;
        Self { count, open: here, more, lines: wanted.min(most.max(free)) }
    }

    const fn height(&self) -> u16 {
        if self.lines == 0 { 0 } else { self.lines + 1 }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, theme: &Theme, frame: &Frame<'_>) {
        let (w, h) = (canvas.width(), canvas.height());
        if h == 0 || self.lines == 0 {
            return;
        }
        canvas.repeat(0, 0, w, "─", theme.rule);
        put_part(canvas, 1, 0, w, "Findings", theme.strong, theme);
        let sheet = frame.sheet;
        if self.count == 0 {
            let words = "none: nothing of what P01 to P20 look for is in this plan";
            canvas.put(2, 1, w.saturating_sub(3), words, theme.dim);
            return;
        }
        let rows = usize::from(self.lines);
        let open = self.open.unwrap_or(0);
        // The open one is in sight with all that it says.
        let first = (open + 1 + self.more.len()).saturating_sub(rows).min(open);
        let mut y = 1;
        let mut last = first;
        for (n, finding) in sheet.found.iter().enumerate().skip(first) {
            if usize::from(y) > rows {
                break;
            }
            last = n + 1;
            let style = weight_style(finding.weight, theme);
            let is_open = self.open == Some(n);
            canvas.put(0, y, 1, if is_open { "›" } else { "" }, theme.accent);
            canvas.put(2, y, 1, finding.weight.mark(), style);
            canvas.put(4, y, 3, finding.code, style);
            let stake = sheet.stakes.get(n).map_or("", String::as_str);
            canvas.put_right(8, y, 9, stake, theme.base);
            let words = if is_open { theme.strong } else { theme.base };
            put_folded(canvas, y, w, &finding.text, is_open, words);
            y += 1;
            if !is_open {
                continue;
            }
            for text in &self.more {
                canvas.put(WORDS_AT, y, w.saturating_sub(WORDS_AT + 1), text, theme.dim);
                y += 1;
            }
        }
        if first > 0 || last < self.count {
            canvas.put_right(
                0,
                0,
                w.saturating_sub(2),
                &format!(" {}–{last} of {} ", first + 1, self.count),
                theme.dim,
            );
        }
    }
}

/// The first line of a finding's words; of an open one the rest follows, so that nothing is cut.
fn put_folded(canvas: &mut Canvas<'_>, y: u16, w: u16, text: &str, is_open: bool, style: Style) {
    let room = w.saturating_sub(WORDS_AT + 1);
    if is_open && width(text) > usize::from(room) {
        let first = fold(text, usize::from(w.saturating_sub(WORDS_AT + 2)));
        canvas.put(WORDS_AT, y, room, first.first().map_or("", String::as_str), style);
    } else {
        canvas.put(WORDS_AT, y, room, text, style);
    }
}
