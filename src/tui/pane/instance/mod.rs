//! One instance: the reasons for its health, its headline figures, charts, connection and rights.
//!
//! The cursor stands on the reasons; each is a link to the pane and the row that explain it. Below them it goes on to the lines at
//! the foot (`foot`), which lead on, too.

use super::{Pane, Part, figure::Sight, range::TimeLine, reading};
use crate::{
    model::{
        fold::snapshot::InstanceSnapshot,
        judge::{
            health::{Level, Reason, Topic},
            why::Why,
        },
        poll::reading::Unavailable,
        timeline::chart::MarkKind,
    },
    protocol::{ListId, Query},
    tui::{
        action::Action,
        id::{GroupBy, PaneId, RowKey},
        view::View,
        widget::{
            canvas::{Canvas, width},
            cursor::moved,
            document::Document,
        },
        wish::{Look, Wish},
    },
};
use std::sync::Arc;

mod about;
mod charts;
mod contents;
mod evidence;
mod figures;
mod foot;
mod words;

pub use about::document;

#[cfg(test)]
mod tests;

/// State of the pane.
#[derive(Debug, Default)]
pub struct InstancePane {
    /// reason under the cursor
    cursor: usize,
    /// first reason in sight
    top: usize,
    reasons: usize,
    line: TimeLine,
    /// charts of dots
    dots: bool,
    picture: super::waits::Picture,
    /// screen row of the first reason, and how many are in sight
    reasons_at: (u16, u16),
    foot: foot::Foot,
}

/// How the rows of the body are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shares {
    reasons: u16,
    figures: u16,
    charts: u16,
    foot: u16,
    /// blank rows between the parts
    air: u16,
}

impl Shares {
    /// The cursor is at the foot: its lines take the room of the charts, and then that of the figures.
    fn for_foot(height: u16, reasons: u16, figures: u16, foot: u16) -> Self {
        let all = Self::fit(height, reasons, figures, foot);
        let left = height.saturating_sub(all.reasons + all.air);
        if all.foot >= foot || left == 0 {
            return all;
        }
        let foot = foot.min(left);
        // What is left by the lines goes to the figures, with a blank row between.
        Self { foot, figures: figures.min((left - foot).saturating_sub(all.air)), charts: 0, ..all }
    }

    /// Reasons first, then figures; the rest goes to the foot and, if there is enough, to the charts.
    fn fit(height: u16, reasons: u16, figures: u16, foot: u16) -> Self {
        let air = u16::from(height >= 18);
        let reasons = reasons.clamp(1, (height / 4).clamp(2, 8)).min(height);
        let left = height - reasons;
        if height < 10 {
            return Self {
                reasons,
                figures: left.min(figures),
                charts: 0,
                foot: left.saturating_sub(figures),
                air: 0,
            };
        }
        let foot = foot.min(left / 3);
        let left = left - foot;
        let least = charts::LEAST_HEIGHT + 3 * air;
        let figures = figures.min(left.saturating_sub(least).max(3)).min(left);
        let rest = left - figures;
        let charts = if rest >= least { rest - 3 * air } else { 0 };
        Self { reasons, figures, charts, foot, air }
    }
}

impl InstancePane {
    fn move_to(&mut self, to: usize) {
        self.cursor = to.min(self.reasons.saturating_sub(1));
    }

    /// Rows before the foot: the reasons, or the line that says there is none.
    fn above(&self) -> usize {
        self.reasons.max(1)
    }

    /// Moves through the reasons and on into the lines at the foot. False: the action does not move.
    fn go(&mut self, action: Action) -> bool {
        let above = self.above();
        let at = self.foot.cursor.map_or(self.cursor, |line| above + line);
        let Some(to) = moved(action, at, above + self.foot.lines, usize::from(self.reasons_at.1)) else {
            return false;
        };
        self.foot.cursor = to.checked_sub(above);
        self.move_to(to);
        true
    }

    fn enter(&self, view: &View<'_>, wishes: &mut Vec<Wish>) {
        let Some(i) = view.single() else { return };
        if let Some(line) = self.foot.cursor {
            return wishes.push(foot::follow(&foot::lines(i, view), line, i));
        }
        wishes.push(match i.health.reasons.get(self.cursor) {
            Some(r) => follow(r, i),
            None => Wish::Details(RowKey::Instance(i.id().clone())),
        });
    }

    fn copy(&self, view: &View<'_>) -> Option<String> {
        let i = view.single()?;
        let mut text = format!("{}\t", i.id());
        if let Some(line) = self.foot.cursor.and_then(|n| foot::lines(i, view).into_iter().nth(n)) {
            foot::push_line(&mut text, &line);
            return Some(text);
        }
        match i.health.reasons.get(self.cursor) {
            Some(r) => text.push_str(&r.told(view.zone)),
            None => words::push_properties(&mut text, i, view),
        }
        Some(text)
    }

    fn render_reasons(&mut self, i: &InstanceSnapshot, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (t, rows) = (view.theme, usize::from(canvas.height()));
        self.reasons_at = (canvas.area().y, canvas.height());
        if i.health.reasons.is_empty() {
            let style = reading::level_style(t, i.health.level);
            canvas.put(1, 0, 1, reading::sign(&i.health), style);
            let mut why = String::from("ok");
            if i.health.level != Level::Ok {
                why.clear();
                reading::push_absence(&mut why, i, i.facts.headline.problem.as_ref(), view);
            }
            canvas.put(3, 0, canvas.width().saturating_sub(3), &why, t.dim);
            return;
        }
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(rows));
        for (n, r) in i.health.reasons.iter().enumerate().skip(self.top).take(rows) {
            let y = (n - self.top) as u16;
            let more = i.health.reasons.len() - n - 1;
            let hidden = if n + 1 == self.top + rows { more } else { 0 };
            render_reason(r, hidden, view, &mut canvas.part(0, y, canvas.width(), 1));
            if n == self.cursor && self.foot.cursor.is_none() {
                canvas.select(0, y, canvas.width(), t.selection);
            }
        }
    }
}

/// `✖ 14 sessions blocked 312 s by 88 (sleeping)  → Blocking`. The link is told where the text leaves room for it.
fn render_reason(r: &Reason, hidden: usize, view: &View<'_>, canvas: &mut Canvas<'_>) {
    let (t, w) = (view.theme, canvas.width());
    canvas.put(1, 0, 1, reading::sign_of(r), reading::level_style(t, r.level));
    let more = if hidden > 0 { format!("+{hidden} more") } else { String::new() };
    let end = w.saturating_sub(width(&more) as u16 + 1);
    canvas.put(end, 0, w.saturating_sub(end), &more, t.dim);
    let text = if r.level >= Level::Warning { t.strong } else { t.base };
    let mut x = 3 + canvas.put(3, 0, end.saturating_sub(4), &r.told(view.zone), text) + 2;
    let link = link_of(r).name();
    if usize::from(end.saturating_sub(x)) >= width(link) + 3 {
        x += canvas.put(x, 0, 2, "→ ", t.accent);
        canvas.put(x, 0, end - x, link, t.accent);
    }
}

/// Where the evidence of a reason is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
    /// in a pane, in this look
    Pane(PaneId, Option<Look>),
    /// among the events of the instance
    Events(MarkKind),
    /// in the details of the instance, which begin with it
    Details,
}

impl Link {
    const fn name(&self) -> &'static str {
        match self {
            Self::Pane(pane, _) => pane.name(),
            Self::Events(_) => "events",
            Self::Details => "details",
        }
    }
}

/// The pane that shows what is behind a reason; None: no pane alone does.
pub fn evidence_of(r: &Reason) -> Option<PaneId> {
    match link_of(r) {
        Link::Pane(pane, _) => Some(pane),
        _ => None,
    }
}

/// The query that takes most CPU first.
const BY_CPU: Look = Look::Sort("cpu");

fn link_of(r: &Reason) -> Link {
    let by = |column| Link::Pane(PaneId::Activity, Some(Look::Sort(column)));
    match r.topic {
        Topic::Blocking(_) => Link::Pane(PaneId::Blocking, None),
        // The cause where others than those that wait have it, else the type of wait.
        Topic::Waits => match r.why() {
            Why::Waits { name, .. } if &**name == "RESOURCE_SEMAPHORE" => Link::Pane(PaneId::Grants, None),
            Why::Waits { name, .. } => match super::waits::evidence_of(name) {
                Look::Filter(_) => Link::Pane(PaneId::Waits, None),
                look => Link::Pane(PaneId::Activity, Some(look)),
            },
            _ => Link::Pane(PaneId::Waits, None),
        },
        // The row of a file, there and only there.
        Topic::Io | Topic::Storage
            if matches!(r.why(), Why::SlowFile { .. } | Why::StalledIo { .. } | Why::CannotGrow { .. }) =>
        {
            Link::Pane(PaneId::Storage, None)
        }
        // The slowest files come first there, however they were added up last.
        Topic::Io => Link::Pane(PaneId::Storage, Some(Look::Own)),
        Topic::Session(_) => Link::Pane(PaneId::Activity, None),
        Topic::Workers => by("tasks"),
        Topic::Cpu => Link::Pane(PaneId::Queries, Some(BY_CPU)),
        Topic::Memory if matches!(r.why(), Why::Grants(_)) => Link::Pane(PaneId::Grants, None),
        Topic::Memory => Link::Pane(PaneId::Memory, None),
        Topic::Tempdb => Link::Pane(PaneId::Tempdb, None),
        Topic::Log => Link::Pane(PaneId::TxLog, None),
        Topic::QueryStore => Link::Pane(PaneId::QueryStore, None),
        Topic::Databases => Link::Pane(PaneId::Databases, None),
        Topic::Deadlocks => Link::Events(MarkKind::Deadlock),
        Topic::Link
        | Topic::Rights
        | Topic::Storage
        | Topic::Availability
        | Topic::Jobs
        | Topic::Restart
        | Topic::Inventory => Link::Details,
    }
}

fn follow(r: &Reason, i: &InstanceSnapshot) -> Wish {
    match link_of(r) {
        // Who may not see the plan cache sees what runs.
        Link::Pane(PaneId::Queries, _)
            if i.facts.queries.problem.as_ref().is_some_and(Unavailable::is_final) =>
        {
            let look = Some(Look::Groups(GroupBy::Hash, "cpu_delta"));
            Wish::Go { pane: PaneId::Activity, scope: None, focus: None, look }
        }
        // Rows in a look of their own have the evidence first.
        Link::Pane(pane, look) => {
            let focus = if look.is_none() { row_of(r, i) } else { None };
            Wish::Go { pane, scope: None, focus, look }
        }
        // Their reports say more than the list of events, once they are read.
        Link::Events(MarkKind::Deadlock)
            if i.facts.deadlocks.get().is_some_and(|t| !t.patterns.is_empty()) =>
        {
            Wish::Go { pane: PaneId::Deadlocks, scope: None, focus: None, look: None }
        }
        Link::Events(kind) => Wish::Events(i.id().clone(), kind),
        Link::Details => Wish::Details(RowKey::Evidence(i.id().clone(), r.topic)),
    }
}

/// The row of that pane: the head blocker, the request, the log, the file, the type of wait.
fn row_of(r: &Reason, i: &InstanceSnapshot) -> Option<RowKey> {
    match r.topic {
        Topic::Blocking(session) | Topic::Session(session) => {
            Some(RowKey::Session(i.id().clone(), session, 0))
        }
        _ => match r.why() {
            Why::TempdbFilling { holder: Some(by), .. } => {
                Some(RowKey::Session(i.id().clone(), by.session, 0))
            }
            Why::Log { database: Some(database), .. } => {
                Some(RowKey::Log(i.id().clone(), Arc::clone(database)))
            }
            Why::SlowFile { ids, .. } | Why::StalledIo { ids, .. } | Why::CannotGrow { ids, .. } => {
                Some(RowKey::File(i.id().clone(), ids.0, ids.1))
            }
            Why::Waits { name, .. } => Some(RowKey::Wait(Some(i.id().clone()), Arc::clone(name))),
            _ => None,
        },
    }
}

impl Pane for InstancePane {
    fn rebuild(&mut self, view: &View<'_>) {
        self.reasons = view.single().map_or(0, |i| i.health.reasons.len());
        self.move_to(self.cursor);
        self.foot.see(view.single().map_or(0, |i| foot::lines(i, view).len()));
        self.line.see(view);
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let Some(i) = view.single() else { return };
        let mut verdict = String::new();
        about::push_verdict(&mut verdict, i);
        out.push((Part::Level(i.health.level), verdict));
        if !self.line.is_in_memory() {
            let mut range = String::new();
            self.line.push_name(&mut range, view.now, view.zone);
            out.push((self.line.part(), range));
        }
        if i.info.tls.is_insecure() {
            out.push((
                Part::Level(Level::Critical),
                format!("TLS {}", super::fleet::columns::tls_words(i.info.tls)),
            ));
        }
        let mut text = String::new();
        words::push_properties(&mut text, i, view);
        out.push((Part::Plain, text));
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let Some(i) = view.single().map(Arc::clone) else {
            let lines = [
                "This instance is not in the inventory (any more).".to_owned(),
                "Esc leads back.".to_owned(),
            ];
            return reading::empty(&lines, view, canvas);
        };
        let (w, h) = (canvas.width(), canvas.height());
        let lines = foot::lines(&i, view);
        let needed = self.foot.needed(&lines, h);
        let share = if self.foot.cursor.is_some() { Shares::for_foot } else { Shares::fit };
        let shares = share(h, self.reasons as u16, figures::rows(w), needed);
        let mut y = 0;
        self.render_reasons(&i, view, &mut canvas.part(0, y, w, shares.reasons));
        y += shares.reasons + shares.air;
        figures::render(&i, view, &mut canvas.part(0, y, w, shares.figures), self.line.memory_ms());
        y += shares.figures + shares.air;
        let asked = charts::series();
        let sight = Sight { line: self.line, asked: &asked, dots: self.dots };
        charts::render(&i, view, &mut canvas.part(0, y, w, shares.charts), sight, &mut self.picture);
        self.foot.render(&lines, view, &mut canvas.part(0, h - shares.foot.min(h), w, shares.foot));
    }

    fn wanted(&self, view: &View<'_>) -> Vec<Query> {
        let Some(i) = view.single() else { return Vec::new() };
        let series = charts::series();
        let mut wanted = self.line.wanted(view, i.id(), &[series.clone(), super::waits::series()], &series);
        if let Some((_, evidence::Evidence::Kept(kept))) = evidence::first(i, &view.snapshot.thresholds) {
            wanted.push(kept.query(self.line, i, view));
        }
        wanted.push(words::reach_query(i.id(), view.now));
        wanted
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        if self.line.act(action, view, wishes) {
            return true;
        }
        match action {
            Action::Enter => self.enter(view, wishes),
            Action::Details => {
                wishes.extend(view.single().map(|i| Wish::Details(RowKey::Instance(i.id().clone()))));
            }
            Action::Dots => self.dots = !self.dots,
            Action::ToQuery => {
                wishes.push(Wish::Go { pane: PaneId::Queries, scope: None, focus: None, look: Some(BY_CPU) });
            }
            Action::Out if self.line.leave() => {}
            Action::Copy => wishes.extend(self.copy(view).map(Wish::Copy)),
            Action::NextSection | Action::PrevSection => {
                self.foot.cursor =
                    if self.foot.cursor.is_some() || self.foot.lines == 0 { None } else { Some(0) };
            }
            _ => return self.go(action),
        }
        true
    }

    fn focus(&mut self, key: RowKey) {
        if let RowKey::Reason(n) = key {
            // Clamped when the reasons are known.
            self.cursor = n;
            self.foot.cursor = n.checked_sub(self.above());
        }
    }

    fn selected(&self) -> Option<RowKey> {
        Some(RowKey::Reason(self.foot.cursor.map_or(self.cursor, |line| self.above() + line)))
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        let i = match key {
            RowKey::Instance(id) | RowKey::Evidence(id, _) => view.snapshot.find(id),
            _ => view.single(),
        };
        let topic = if let RowKey::Evidence(_, topic) = key { Some(*topic) } else { None };
        i.map(|i| about::document_of(i, view, topic))
    }

    /// What was changed about it last stands at its foot.
    fn list(&self) -> Option<ListId> {
        Some(ListId::Audit)
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            Ok(())
        } else {
            Err("nothing to filter here: 2, 3 and 4 lead to tables".to_owned())
        }
    }

    fn filter(&self) -> &'static str {
        ""
    }

    fn left(&mut self) {
        self.line.leave();
        self.foot.cursor = None;
    }

    fn follow_now(&mut self) -> bool {
        self.line.leave()
    }

    fn position(&self) -> Option<(usize, usize, usize)> {
        let (above, reasons) = (self.above(), usize::from(self.reasons_at.1).max(1));
        let all = above + self.foot.lines;
        let (first, last) = match (self.foot.cursor, self.foot.in_sight()) {
            (Some(_), Some((first, last))) if self.top + reasons < above || first > 1 => {
                (above + first, above + last)
            }
            (_, Some((_, last))) if self.top + reasons >= above => (self.top + 1, above + last),
            _ => (self.top + 1, (self.top + reasons).min(above)),
        };
        (first > 1 || last < all).then_some((first, last, all))
    }

    fn counts(&self) -> (usize, usize) {
        let all = self.reasons + self.foot.lines;
        (all, all)
    }

    fn click(&mut self, _x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        let (first, rows) = self.reasons_at;
        let Some(n) = y.checked_sub(first).filter(|n| *n < rows) else { return };
        let at = self.top + usize::from(n);
        if at == self.cursor && self.foot.cursor.is_none() {
            self.enter(view, wishes);
        } else if at < self.reasons {
            self.cursor = at;
            self.foot.cursor = None;
        }
    }
}
