//! What queries cost over a stretch of time: that of the charts of the pane, or one that was typed; alone, or beside an earlier or later
//! one of the same length. History tells the sums (`model::timeline::spent`); `spent` has rows and columns.

use super::{
    super::{Pane, Part, range::TimeLine, reading},
    shares,
    source::Source,
    spent::{self, Both, Place, SpentRow, SpentRows, Spents},
};
use crate::{
    model::{
        base::{figure, time::Timestamp},
        poll::demand::Demand,
        timeline::{
            chart::Earlier,
            spent::{Told, pairs},
        },
    },
    protocol::{Answer, Query},
    tui::{
        action::Action,
        filter::FilterSlot,
        id::RowKey,
        view::View,
        widget::{
            canvas::Canvas,
            document::Document,
            table::{Rows as _, Table},
        },
        wish::Wish,
    },
};
use std::{fmt::Write as _, sync::Arc};

/// A stretch that ends now is asked for again after a sixtieth of it, and not before this, ms.
const LEAST_STEP_MS: i64 = 60_000;
/// Holes that are named.
const GAPS: usize = 3;

/// First instant and end.
pub type Stretch = (Timestamp, Timestamp);

/// State of the view.
#[derive(Debug)]
pub struct PeriodPane {
    table: Table<Spents>,
    filter: FilterSlot,
    line: TimeLine,
    source: Source,
    /// a stretch that was typed; None: that of the time line
    typed: Option<Stretch>,
    /// where another stretch of the same length begins that it is beside; None: that of the time line, if there is one
    other: Option<Timestamp>,
    /// what history told of both
    told: Option<Arc<Told>>,
    of_other: Option<Arc<Told>>,
    /// the other one is the earlier one
    is_other_before: bool,
    /// all rows
    all: Vec<Place>,
    /// those that the filter keeps, in their order
    places: Vec<Place>,
}

impl Default for PeriodPane {
    fn default() -> Self {
        Self {
            table: Table::new(spent::COLUMNS).with_sets(spent::SETS),
            filter: FilterSlot::new(spent::COLUMNS, &[]),
            line: TimeLine::of_many(),
            source: Source::default(),
            typed: None,
            other: None,
            told: None,
            of_other: None,
            is_other_before: false,
            all: Vec::new(),
            places: Vec::new(),
        }
    }
}

impl PeriodPane {
    /// Shows this stretch; None: that of the time line.
    pub fn set(&mut self, stretch: Option<Stretch>) {
        (self.typed, self.other) = (stretch, None);
    }

    /// Puts the same length of time beside it, from this instant on.
    pub const fn compare_with(&mut self, at: Timestamp) {
        self.other = Some(at);
    }

    /// The stretch that is shown. One that ends now ends with a whole step, so that it is asked for seldom.
    fn stretch(&self, now: Timestamp) -> Stretch {
        if let Some(typed) = self.typed {
            return typed;
        }
        let (from, to) = self.line.span(now);
        if to < now {
            return (from, to);
        }
        let step_ms = (self.line.ms() / 60).max(LEAST_STEP_MS);
        let to = Timestamp::from_ms(to.ms().div_euclid(step_ms).saturating_add(1).saturating_mul(step_ms));
        (to.plus_ms(-self.line.ms()), to)
    }

    /// The stretch beside it.
    fn beside(&self, (from, to): Stretch) -> Option<Stretch> {
        let earlier = self.line.earlier();
        let begins =
            self.other.or_else(|| (earlier != Earlier::None).then(|| from.plus_ms(-earlier.ms())))?;
        Some((begins, begins.plus_ms(to - from)))
    }

    fn query(&self, (from, to): Stretch) -> Option<Query> {
        let instances = self.source.ids();
        (!instances.is_empty()).then(|| Query::Spent { instances: Arc::clone(instances), from, to })
    }

    /// What history has told of a stretch; while it is open, of one of the same length a moment ago.
    fn find(&self, stretch: Stretch, view: &View<'_>) -> Option<Arc<Told>> {
        let ids = self.source.ids();
        let is = |asked: &Query, same: &dyn Fn(Timestamp, Timestamp) -> bool| match asked {
            Query::Spent { instances, from, to } => instances == ids && same(*from, *to),
            _ => false,
        };
        let exact = view.charts.newest(|asked| is(asked, &|from, to| (from, to) == stretch));
        let (from, to) = stretch;
        let near_ms = (to - from).max(LEAST_STEP_MS);
        let is_near = |f: Timestamp, t: Timestamp| t - f == to - from && (f - from).abs() * 10 <= near_ms;
        let found = exact.or_else(|| view.charts.newest(|asked| is(asked, &is_near)));
        match found {
            Some((_, Answer::Spent(told))) => Some(Arc::clone(told)),
            _ => None,
        }
    }

    /// All rows anew, if history told anything new.
    fn pair(&mut self, view: &View<'_>) {
        let stretch = self.stretch(view.now);
        let beside = self.beside(stretch);
        let told = self.find(stretch, view);
        let of_other = beside.and_then(|beside| self.find(beside, view));
        let is_same = |a: Option<&Arc<Told>>, b: Option<&Arc<Told>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        let is_before = beside.is_some_and(|(from, _)| from <= stretch.0);
        if is_same(self.told.as_ref(), told.as_ref())
            && is_same(self.of_other.as_ref(), of_other.as_ref())
            && self.is_other_before == is_before
        {
            return;
        }
        (self.told, self.of_other) = (told, of_other);
        self.is_other_before = is_before;
        // Until both have come there is nothing to be put side by side.
        if beside.is_some() && (self.told.is_none() || self.of_other.is_none()) {
            (self.told, self.of_other) = (None, None);
        }
        let both = both(self.told.as_deref(), self.of_other.as_deref(), self.is_other_before, view);
        let mut all = Vec::new();
        for (n, (_, after)) in (0..).zip(both.after) {
            let before = both.before.and_then(|before| before.get(n as usize)).map(|(_, spent)| spent);
            match before {
                Some(before) => {
                    let pairs = pairs(before, after).into_iter();
                    all.extend(pairs.map(|(before, after)| (n, after, before)));
                }
                None => all.extend((0..after.table.queries.len() as u32).map(|place| (n, Some(place), None))),
            }
        }
        self.all = all;
    }

    fn order(&mut self, view: &View<'_>) {
        let both = both(self.told.as_deref(), self.of_other.as_deref(), self.is_other_before, view);
        let filter = &mut self.filter;
        let kept = |place: &Place| both.row(*place).is_some_and(|row| filter.keeps(&row));
        let places: Vec<Place> = self.all.iter().copied().filter(kept).collect();
        let mut order: Vec<u32> = (0..places.len() as u32).collect();
        let at = |n: u32| both.row(*places.get(n as usize)?);
        if !self.table.order(&mut order, at) {
            // Where nobody knows what changed, as on an instance that was not polled then, its CPU tells the order.
            self.table.order_by("cpu", true, &mut order, at);
            if self.tells_changes() {
                self.table.order_by("change", true, &mut order, at);
            }
        }
        self.places = order.into_iter().filter_map(|n| places.get(n as usize).copied()).collect();
    }

    /// Both times are known, at least in part.
    fn tells_changes(&self) -> bool {
        [&self.told, &self.of_other].into_iter().all(|told| told.as_deref().is_some_and(is_known))
    }

    fn row<'a>(&'a self, key: &RowKey, view: &'a View<'a>) -> Option<SpentRow<'a>> {
        let RowKey::Query(id, hash) = key else { return None };
        let both = both(self.told.as_deref(), self.of_other.as_deref(), self.is_other_before, view);
        let is_it = |row: &SpentRow<'_>| row.id == id && row.query.hash == *hash;
        self.all.iter().filter_map(|place| both.row(*place)).find(is_it)
    }

    /// What is said where there is nothing to show.
    fn absence(&self, view: &View<'_>) -> Vec<String> {
        if !self.all.is_empty() {
            return vec!["No query matches the filter.".to_owned(), "Esc clears it.".to_owned()];
        }
        let stretch = self.stretch(view.now);
        let asked = [Some(stretch), self.beside(stretch)].into_iter().flatten();
        let Some(told) = &self.told else {
            let why =
                asked.filter_map(|stretch| self.query(stretch)).find_map(|query| view.charts.why_not(&query));
            return vec![why.unwrap_or("asking history…").to_owned()];
        };
        let mut words = String::from("No poll of the plan cache is kept from ");
        push_stretch(&mut words, stretch, view);
        words.push('.');
        let mut lines = vec![words];
        if told.of.iter().any(|(_, spent)| spent.polls > 0) {
            lines = vec!["No query ended a run in that time.".to_owned()];
        } else if let Some((oldest, newest)) = told.kept {
            let mut words = String::from("History is kept from ");
            push_stretch(&mut words, (oldest, newest), view);
            words.push_str(
                ": nobody collected then, the instance was not reachable, or its queries could not be read.",
            );
            lines.push(words);
        } else {
            lines.push("History keeps nothing yet.".to_owned());
        }
        lines
    }

    /// `9 polls cover 28m of 30m`, and what is not known.
    fn push_coverage(out: &mut String, told: &Told, (from, to): Stretch, now: Timestamp) {
        let length_ms = (to.min(now) - from).max(0);
        let polls: u64 = told.of.iter().map(|(_, spent)| u64::from(spent.polls)).sum();
        figure::push_counted(out, polls, "poll");
        out.push_str(if polls == 1 { " covers " } else { " cover " });
        if let [(_, spent)] = &told.of[..] {
            figure::push_span(out, spent.covered_ms.min(length_ms));
            out.push_str(" of ");
            figure::push_span(out, length_ms);
        } else {
            let covered: i64 = told.of.iter().map(|(_, spent)| spent.covered_ms.min(length_ms)).sum();
            let all = length_ms.saturating_mul(told.of.len() as i64).max(1);
            figure::push_pct(out, covered as f64 * 100.0 / all as f64);
            out.push_str(" of ");
            figure::push_span(out, length_ms);
            let without = told.of.iter().filter(|(_, spent)| spent.polls == 0).count();
            if without > 0 {
                out.push_str(", none of ");
                figure::push_counted(out, without as u64, "instance");
            }
        }
    }

    /// The holes, of one instance.
    fn push_gaps(out: &mut String, told: &Told, view: &View<'_>) {
        let [(_, spent)] = &told.of[..] else { return };
        // What is to come is no hole.
        let gaps: Vec<_> = spent.gaps.iter().filter(|gap| gap.from < view.now && spent.polls > 0).collect();
        for (n, gap) in gaps.iter().take(GAPS).enumerate() {
            out.push_str(if n == 0 { "not known: " } else { ", " });
            view.zone.push_minute(out, gap.from);
            out.push('–');
            view.zone.push_minute(out, gap.to.min(view.now));
        }
        if gaps.len() > GAPS {
            out.push_str(", …");
        }
    }

    fn side(told: &Told, view: &View<'_>, word: &str, stretch: Stretch, out: &mut Vec<(Part, String)>) {
        let mut text = String::from(word);
        if is_known(told) || told.read_pct < 100 {
            Self::push_coverage(&mut text, told, stretch, view.now);
            out.push((Part::Plain, text));
        } else {
            text.push_str("nothing is known of that time");
            out.push((Part::Accent, text));
        }
        let mut gaps = String::new();
        Self::push_gaps(&mut gaps, told, view);
        if !gaps.is_empty() {
            out.push((Part::Accent, gaps));
        }
        if told.read_pct < 100 {
            out.push((Part::Accent, format!("{} % read", told.read_pct)));
        } else if let Some(cut) = told.cut {
            let mut text = String::from("read back to ");
            view.zone.push_minute(&mut text, told.begins);
            text.push_str(": ");
            text.push_str(cut.words());
            out.push((Part::Accent, text));
        }
    }
}

/// A poll of it is kept.
fn is_known(told: &Told) -> bool {
    told.of.iter().any(|(_, spent)| spent.polls > 0)
}

/// The later stretch, or the only one, and the earlier one.
fn both<'a>(
    told: Option<&'a Told>,
    other: Option<&'a Told>,
    is_other_before: bool,
    view: &'a View<'a>,
) -> Both<'a> {
    let of = |told: Option<&'a Told>| told.map(|told| told.of.as_slice());
    let (after, before) = match (of(told), of(other)) {
        (told, Some(other)) if !is_other_before => (Some(other), told),
        both => both,
    };
    Both { after: after.unwrap_or_default(), before, view }
}

/// `2026-11-20 10:00:00 – 10:30:00`.
fn push_stretch(out: &mut String, (from, to): Stretch, view: &View<'_>) {
    view.zone.push_moment(out, from);
    out.push_str(" – ");
    let mut days = [String::new(), String::new()];
    view.zone.push_date(&mut days[0], from);
    view.zone.push_date(&mut days[1], to);
    if days[0] == days[1] {
        view.zone.push_clock(out, to);
    } else {
        view.zone.push_moment(out, to);
    }
}

impl Pane for PeriodPane {
    fn rebuild(&mut self, view: &View<'_>) {
        self.filter.learn(view);
        self.line.see(view);
        self.source.see(view);
        self.pair(view);
        self.order(view);
        let is_beside = self.of_other.is_some();
        self.table.hide(spent::INSTANCE, view.single().is_some());
        for id in spent::BESIDE {
            self.table.hide(id, !is_beside);
        }
        for id in spent::ALONE {
            self.table.hide(id, is_beside);
        }
        self.table.show_beside(spent::SHARES);
        if is_beside {
            for (share, _) in spent::SHARES {
                self.table.hide(share, true);
            }
        }
        let both = both(self.told.as_deref(), self.of_other.as_deref(), self.is_other_before, view);
        self.table.sync(&SpentRows { both, places: &self.places });
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let stretch = self.stretch(view.now);
        let mut text = String::from("added up, ");
        if self.typed.is_some() || stretch.1 < view.now {
            push_stretch(&mut text, stretch, view);
        } else {
            text.push_str("last ");
            figure::push_span(&mut text, self.line.ms());
        }
        let beside = self.beside(stretch);
        out.push((if stretch.1 < view.now { Part::Past } else { Part::Accent }, text));
        if let Some(beside) = beside {
            let mut text = String::from("beside ");
            push_stretch(&mut text, beside, view);
            out.push((Part::Past, text));
        }
        if let Some(told) = &self.told {
            let word = match (beside, self.is_other_before) {
                (None, _) => "",
                (Some(_), true) => "after: ",
                (Some(_), false) => "before: ",
            };
            Self::side(told, view, word, stretch, out);
        }
        if let (Some(other), Some(beside)) = (&self.of_other, beside) {
            let word = if self.is_other_before { "before: " } else { "after: " };
            Self::side(other, view, word, beside, out);
            out.push((Part::Plain, "CPU in ms/s".to_owned()));
        } else if let Some(told) = &self.told {
            let from = stretch.0.max(told.begins);
            let mut tables =
                told.of.iter().filter_map(|(_, spent)| Some((spent.begins(from)?, &*spent.table)));
            let until = Some(stretch.1).filter(|to| *to < view.now);
            out.extend(shares::told(&mut tables, until, view).into_iter().map(|told| (Part::Plain, told)));
        }
        out.extend(self.table.set_name().map(|set| (Part::Accent, format!("columns: {set}"))));
        let natural = if self.tells_changes() { "largest change first" } else { "most CPU first" };
        let mut order = String::new();
        self.table.order_name(natural, &mut order);
        out.push((Part::Plain, order));
    }

    fn wanted(&self, view: &View<'_>) -> Vec<Query> {
        let stretch = self.stretch(view.now);
        let both = [Some(stretch), self.beside(stretch)];
        both.into_iter().flatten().filter_map(|stretch| self.query(stretch)).collect()
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        if self.places.is_empty() {
            return reading::empty(&self.absence(view), view, canvas);
        }
        let both = both(self.told.as_deref(), self.of_other.as_deref(), self.is_other_before, view);
        self.table.render(canvas, view.theme, &SpentRows { both, places: &self.places }, true);
    }

    fn refuses(&self, action: Action, view: &View<'_>) -> Option<String> {
        match action {
            Action::Plan if !matches!(self.selected(), Some(RowKey::Query(..))) => {
                Some("no single query is under the cursor".to_owned())
            }
            _ => self.line.refuses(action, view),
        }
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        if self.line.act(action, view, wishes) {
            // Another range takes the place of what was typed.
            if !matches!(action, Action::Beside | Action::Earlier | Action::Later) {
                self.typed = None;
            }
            self.other = None;
            return true;
        }
        let both = both(self.told.as_deref(), self.of_other.as_deref(), self.is_other_before, view);
        let rows = SpentRows { both, places: &self.places };
        match action {
            Action::Details | Action::Enter => wishes.extend(self.selected().map(Wish::Details)),
            Action::Copy => wishes.push(Wish::Copy(self.table.copy_chosen(&rows))),
            Action::Plan => {
                if let Some(RowKey::Query(instance, query_hash)) = self.selected() {
                    wishes.push(Wish::Demand(instance, Demand::Plans { query_hash }));
                }
            }
            Action::Narrow => {
                let instance = self.selected().as_ref().and_then(RowKey::instance).cloned();
                wishes.extend(instance.filter(|_| view.single().is_none()).map(Wish::Instance));
            }
            Action::Out if self.other.take().is_some() || self.line.alone() => {}
            Action::Out if !self.table.marks.is_empty() => self.table.marks.clear(),
            Action::Out if self.typed.take().is_some() || self.line.leave() => {}
            _ => return self.table.act(action, &rows),
        }
        true
    }

    fn next_problem(&mut self, back: bool, round: bool, view: &View<'_>) -> bool {
        let both = both(self.told.as_deref(), self.of_other.as_deref(), self.is_other_before, view);
        let rows = SpentRows { both, places: &self.places };
        let has_other_plan = |i: usize| rows.get(i).is_some_and(|row| row.query.old_plan_hash.is_some());
        self.table.move_to_next((back, round), &rows, has_other_plan)
    }

    fn focus(&mut self, key: RowKey) {
        self.table.select(key);
    }

    fn selected(&self) -> Option<RowKey> {
        self.table.selected().cloned()
    }

    fn marks(&self) -> usize {
        self.table.marks.len()
    }

    fn left(&mut self) {
        self.table.scroll_back();
    }

    fn follow_now(&mut self) -> bool {
        let (was_typed, was_moved) = (self.typed.take().is_some(), self.line.leave());
        was_typed || was_moved
    }

    fn clear_marks(&mut self) {
        self.table.marks.clear();
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        let row = self.row(key, view)?;
        let stretch = self.stretch(view.now);
        let mut name = String::new();
        push_stretch(&mut name, stretch, view);
        if let Some(beside) = self.beside(stretch) {
            name.push_str(" beside ");
            push_stretch(&mut name, beside, view);
        }
        Some(document(&row, name))
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.filter.set(text)
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn reset_columns(&mut self) {
        self.table.reset_columns();
    }

    fn position(&self) -> Option<(usize, usize, usize)> {
        self.table.position()
    }

    fn sort_by(&mut self, column: &str) -> Result<(), String> {
        self.table.sort_by(column)
    }

    fn counts(&self) -> (usize, usize) {
        (self.places.len(), self.all.len())
    }

    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        if self.table.click_head(x, y) {
            return;
        }
        let both = both(self.told.as_deref(), self.of_other.as_deref(), self.is_other_before, view);
        let rows = SpentRows { both, places: &self.places };
        match self.table.row_at(y, &rows) {
            Some(i) if i == self.table.cursor() => {
                wishes.extend(self.table.selected().cloned().map(Wish::Details));
            }
            Some(i) => self.table.move_to(i, &rows),
            None => {}
        }
    }
}

/// All about a query over a stretch, or over two.
fn document(row: &SpentRow<'_>, stretch: String) -> Document {
    let (q, t) = (row.query, row.view.theme);
    let mut d = Document::new(q.module.as_deref().unwrap_or("a query").to_owned());
    d.field("instance", t.strong, |s| s.push_str(row.id.as_str()));
    d.field("database", t.base, |s| s.push_str(q.database.as_deref().unwrap_or("")));
    d.field("query hash", t.base, |s| {
        let _ = write!(s, "0x{:016X}", q.hash);
    });
    d.head(stretch);
    if let Some(became) = row.became() {
        d.field("change of its CPU", t.strong, |s| spent::push_change(s, became));
        let sides = [("before", row.before), ("after", Some(row.after))];
        for (word, side) in sides {
            let Some((spent, query)) = side else { continue };
            let mut head = String::from(word);
            head.push_str(", ");
            figure::push_counted(&mut head, u64::from(spent.polls), "poll");
            d.head(head);
            match query {
                Some(query) => shares::tell(query, &spent.table, t.base, &mut d),
                None if spent.polls == 0 => d.text("not known: no poll of that time is kept.", t.dim),
                None => d.text("It did not run, or took less than a hundredth of each sum.", t.dim),
            }
        }
    } else {
        shares::tell(q, &row.after.0.table, t.base, &mut d);
    }
    shares::tell_databases(q, t.base, t.dim, &mut d);
    if let Some(old) = q.old_plan_hash {
        d.head("plan");
        let new = q.plan_hash.unwrap_or_default();
        d.text(format!("It changed in this time: 0x{old:016X} → 0x{new:016X}."), t.warning);
    }
    shares::tell_wholes(&row.after.0.table, t.dim, &mut d);
    d.text("In each poll, what took less than a hundredth of each sum is not kept: a query may have had a little more.", t.dim);
    d.statement.clone_from(&q.statement);
    d
}
