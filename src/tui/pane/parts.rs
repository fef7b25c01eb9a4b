//! A pane whose rows are parts of instances, such as files or memory clerks: everything that is the same for each such pane. Its
//! own file says in [`Parts`] which reading it shows, in which columns, words and charts. Above the parts of one instance stand
//! its charts.

use super::{Pane, Part, figure::Figure, kept::Kept, range::TimeLine, reading};
use crate::{
    model::{
        base::{
            figure,
            filter::{self, Seen, Value},
        },
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::{
            Facts,
            reading::{Meta, Reading},
        },
    },
    protocol::Query,
    tui::{
        action::Action,
        filter::{FilterSlot, instance_values},
        id::{PaneId, RowKey},
        view::View,
        widget::{
            canvas::{Canvas, width},
            cell::CellText,
            column::{Column, Content, Kind, number, visit_values, words},
            document::Document,
            sort::sort_rows,
            table::{Rows, Set, Table},
        },
        wish::Wish,
    },
};
use ratatui::style::Style;
use std::{
    fmt::{self, Debug},
    sync::Arc,
};

mod above;
mod label;
mod refusal;

use above::{asked, render_about, render_charts, tell_about};
use label::label;

/// Below this height there is room for the rows only.
const LEAST_HEIGHT: u16 = 17;

/// The column of the instance: only where several are in scope.
const INSTANCE: &str = "instance";

/// Reads the figure by which parts are ordered; None if it is not known.
pub type By<P> = fn(&P) -> Option<f64>;

/// Reads such a figure from a part and its table.
pub type Rank<P> = fn(&<P as Parts>::Table, &<P as Parts>::Part) -> Option<f64>;

/// What a pane of parts says of itself.
pub trait Parts: for<'a> Kind<Row<'a> = Line<'a, Self>> + Debug + Sized {
    /// all parts of one instance, as its probe told
    type Table: 'static;
    /// one of them
    type Part: 'static;
    /// the pane
    const PANE: PaneId;
    /// the columns, [`instance`] first
    const COLUMNS: &'static [Column<Self>];
    /// the column with the name of a part: it heads the details
    const NAME: &'static str;
    /// the column that the details say in their own way
    const APART: &'static str = "";
    /// by what the rows are ordered, the most important last; the greatest first, unknown ones last
    const ORDER: &'static [By<Self::Part>];
    /// the same by a figure that only part and table together tell, such as a rate; it is the most important
    const RANK: Option<Rank<Self>> = None;
    /// the charts; where they have no room side by side the first ones stay
    const FIGURES: &'static [Figure];
    /// columns that are there only while the rows are ordered by another one, or with a set that has them: which, beside which. The
    /// first one belongs to the pane's own order
    const BESIDE: &'static [(&'static str, &'static str)] = &[];
    /// sets of columns
    const SETS: &'static [Set] = &[];
    /// the words
    const WORDS: Words;

    /// The reading that it shows.
    fn reading(facts: &Facts) -> &Reading<Arc<Self::Table>>;
    /// The parts, and how many are not among them.
    fn parts(table: &Self::Table) -> (&[Self::Part], u64);
    /// What identifies a part.
    fn key(instance: &InstanceId, part: &Self::Part) -> RowKey;
    /// Where Enter leads from a part.
    fn open(key: &RowKey) -> Wish {
        Wish::Details(key.clone())
    }
    /// What an action of this pane alone asks for, on the row under the cursor or, without one, the instance in scope; None: it
    /// is no such action.
    fn act(_action: Action, _row: Option<&RowKey>, _instance: Option<&InstanceId>) -> Option<Wish> {
        None
    }
    /// The same of an action that needs more than a row.
    fn look(_action: Action, _view: &View<'_>) -> Option<Wish> {
        None
    }
    /// What is said below the reason why there are no parts: what to do about it.
    fn advice(_view: &View<'_>) -> Vec<String> {
        Vec::new()
    }
    /// True for a part that is in trouble by itself.
    fn is_problem(_part: &Self::Part) -> bool {
        false
    }
    /// What some columns show that is read more seldom than the rest: its title, and the reading.
    fn seldom(_facts: &Facts) -> Option<(&'static str, Meta<'_>)> {
        None
    }
    /// What is said above the parts of one instance, line by line.
    fn about(
        _instance: &InstanceSnapshot,
        _table: &Self::Table,
        _view: &View<'_>,
    ) -> Vec<Vec<(Part, String)>> {
        Vec::new()
    }
    /// Calls `with` for every text that a filter without a field searches.
    fn texts<'p>(part: &'p Self::Part, with: &mut dyn FnMut(&'p str));
    /// What it asks of history beside its charts, of all instances in scope.
    fn asked(_view: &View<'_>) -> Vec<Query> {
        Vec::new()
    }
    /// The charts of the part under the cursor, of what history keeps. They stand behind the first chart of all.
    fn kept(_line: &Line<'_, Self>) -> Vec<Kept> {
        Vec::new()
    }
    /// What the title says of all tables in scope together, what may be left out on a narrow screen last; nothing by itself.
    fn told(_view: &View<'_>) -> Vec<String> {
        Vec::new()
    }
    /// Adds to the details what the columns do not say of a part.
    fn more(_line: &Line<'_, Self>, _details: &mut Document) {}
}

/// Some of the parts, in an order of their own: one of several sights on a table.
pub struct Choice<P: Parts> {
    /// whether a part is among them
    pub keeps: fn(&P::Part) -> bool,
    /// by what they are ordered, the greatest first
    pub rank: Rank<P>,
    /// that order in words
    pub order: &'static str,
    /// when there is none: `No query varies much`
    pub nothing: &'static str,
}

impl<P: Parts> Debug for Choice<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice").field("order", &self.order).finish_non_exhaustive()
    }
}

/// The words of a pane of parts.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// the order of the rows: `slowest first`
    pub order: &'static str,
    /// what the parts have in common that are left out: `more files were waited for less`
    pub left_out: &'static str,
    /// when a filter keeps no row
    pub no_match: &'static str,
    /// what is not known where nobody told: `How fast files are`
    pub unknown: &'static str,
    /// when there is no part: `No file was seen`
    pub nothing: &'static str,
    /// the head of a part without a name
    pub nameless: &'static str,
}

/// A part with all that its cells are made from.
pub struct Line<'a, P: Parts> {
    /// what is looked at
    pub view: &'a View<'a>,
    /// whose it is
    pub instance: &'a InstanceSnapshot,
    /// all parts of that instance
    pub table: &'a P::Table,
    /// the part
    pub part: &'a P::Part,
}

impl<P: Parts> Line<'_, P> {
    /// The reading is older than it should be.
    pub fn is_stale(&self) -> bool {
        P::reading(&self.instance.facts).is_stale(self.view.now)
    }

    /// Plain, or dimmed if it is stale.
    pub fn style(&self) -> Style {
        if self.is_stale() { self.view.theme.dim } else { self.view.theme.base }
    }

    /// Writes a figure, or that there is none.
    pub fn put(&self, v: Option<Value<'_>>, out: &mut CellText, push: fn(&mut String, f64)) {
        match v.and_then(Value::figure) {
            Some(figure) => out.with(self.style(), |s| push(s, figure)),
            None => out.put(self.view.theme.dim, "–"),
        }
    }
}

impl<P: Parts> filter::Row for Line<'_, P> {
    fn text(&self, out: &mut String) {
        out.push_str(self.instance.id().as_str());
        P::texts(self.part, &mut |text| {
            out.push(' ');
            out.push_str(text);
        });
    }

    fn pieces(&self, visit: &mut dyn FnMut(&str)) -> bool {
        visit(self.instance.id().as_str());
        P::texts(self.part, &mut |text| visit(text));
        true
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        if !visit_values(P::COLUMNS, self, key, visit) {
            instance_values(&self.instance.info, key, visit);
        }
    }
}

/// The column of the instance, the first of each pane of parts.
pub const fn instance<P: Parts>() -> Column<P> {
    Column::text(INSTANCE, "INSTANCE", 16, 0)
        .at_least(10)
        .frozen()
        .value(|line: &Line<'_, P>| words(Some(line.instance.id().as_str())))
        .cell(|line: &Line<'_, P>, _, out| out.put(line.view.theme.strong, line.instance.id().as_str()))
}

/// A cell with a text.
pub fn text<P: Parts>(line: &Line<'_, P>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(v)) if !v.is_empty() => out.put(line.style(), v),
        _ => out.put(line.view.theme.dim, "–"),
    }
}

/// A cell with a size; its value is in bytes.
pub fn bytes<P: Parts>(line: &Line<'_, P>, v: Option<Value<'_>>, out: &mut CellText) {
    line.put(v, out, figure::push_size);
}

/// Places of the rows: instance in the snapshot, part in its table.
type Place = (u32, u32);

struct Lines<'a> {
    places: &'a [Place],
    view: &'a View<'a>,
}

fn line<'a, P: Parts>(view: &'a View<'_>, (instance, part): Place) -> Option<Line<'a, P>> {
    let instance = view.instance(instance)?;
    let table: &P::Table = P::reading(&instance.facts).get()?;
    Some(Line { view, instance, table, part: P::parts(table).0.get(part as usize)? })
}

impl<P: Parts> Rows<P> for Lines<'_> {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn key(&self, i: usize) -> RowKey {
        let row = self.places.get(i).and_then(|place| line::<P>(self.view, *place));
        row.map_or_else(|| RowKey::Group("".into()), |row| P::key(row.instance.id(), row.part))
    }

    fn get(&self, i: usize) -> Option<Line<'_, P>> {
        line(self.view, *self.places.get(i)?)
    }
}

/// State of such a pane.
#[derive(Debug)]
pub struct PartsPane<P: Parts> {
    table: Table<P>,
    places: Vec<Place>,
    before: usize,
    left_out: u64,
    filter: FilterSlot,
    line: TimeLine,
    /// None: all, in their usual order
    choice: Option<Choice<P>>,
}

impl<P: Parts> Default for PartsPane<P> {
    fn default() -> Self {
        Self {
            table: Table::new(P::COLUMNS).with_sets(P::SETS),
            places: Vec::new(),
            before: 0,
            left_out: 0,
            filter: FilterSlot::new(P::COLUMNS, &[]),
            line: TimeLine::default(),
            choice: None,
        }
    }
}

impl<P: Parts> PartsPane<P> {
    /// One that shows some of the parts.
    pub fn of(choice: Choice<P>) -> Self {
        Self { choice: Some(choice), ..Self::default() }
    }

    fn collect(&mut self, view: &View<'_>) {
        let (mut places, mut seen): (Vec<Place>, _) = (Vec::new(), Seen::default());
        (self.before, self.left_out) = (0, 0);
        for (n, instance) in view.instances() {
            let Some(table) = P::reading(&instance.facts).get() else { continue };
            let (parts, left_out) = P::parts(table);
            self.left_out = self.left_out.saturating_add(left_out);
            let is_chosen = |part: &P::Part| self.choice.as_ref().is_none_or(|choice| (choice.keeps)(part));
            for (i, part) in parts.iter().enumerate().filter(|(_, part)| is_chosen(part)) {
                self.before += 1;
                if self.filter.keeps_in(&Line::<P> { view, instance, table, part }, Some(&mut seen)) {
                    places.push((n, i as u32));
                }
            }
        }
        let mut order: Vec<u32> = (0..places.len() as u32).collect();
        let at = |n: u32| line::<P>(view, *places.get(n as usize)?);
        if !self.table.order(&mut order, at) {
            // Every order is stable.
            for by in P::ORDER {
                sort_rows(&mut order, true, |n, keys| keys.add(number(at(n).and_then(|row| by(row.part)))));
            }
            if let Some(rank) = self.choice.as_ref().map(|choice| choice.rank).or(P::RANK) {
                sort_rows(&mut order, true, |n, keys| {
                    keys.add(number(at(n).and_then(|row| rank(row.table, row.part))));
                });
            }
        }
        self.places = order.into_iter().filter_map(|n| places.get(n as usize).copied()).collect();
    }

    /// The width of the longest name of an instance with a row, each measured once.
    fn longest(&self, view: &View<'_>) -> Option<usize> {
        let mut is_known = vec![false; view.snapshot.instances.len()];
        let is_new =
            |n: &u32| is_known.get_mut(*n as usize).is_some_and(|known| !std::mem::replace(known, true));
        let names = self.places.iter().map(|(n, _)| *n).filter(is_new).filter_map(|n| view.instance(n));
        names.map(|i| width(i.id().as_str())).max()
    }

    /// The charts of the part under the cursor.
    fn kept(&self, view: &View<'_>) -> Vec<Kept> {
        let row = self.places.get(self.table.cursor()).and_then(|place| line::<P>(view, *place));
        row.map_or_else(Vec::new, |row| P::kept(&row))
    }

    /// Whether there is anything to be drawn above the rows.
    fn has_charts(&self) -> bool {
        P::PANE.row().has_charts && !(P::FIGURES.is_empty() && self.places.is_empty())
    }

    /// Where Enter leads from the row under the cursor; nowhere without one.
    fn open(&self, wishes: &mut Vec<Wish>) {
        wishes.extend(self.table.selected().filter(|_| !self.places.is_empty()).map(P::open));
    }
}

impl<P: Parts> Pane for PartsPane<P> {
    fn rebuild(&mut self, view: &View<'_>) {
        self.filter.learn(view);
        self.line.see(view);
        self.collect(view);
        self.table.hide(INSTANCE, view.single().is_some());
        self.table.show_beside(P::BESIDE);
        self.table.set_width(INSTANCE, self.longest(view).map(|w| w.clamp(10, 28) as u16));
        self.table.sync(&Lines { places: &self.places, view });
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        if let Some(i) = view.single() {
            if P::PANE.row().has_charts {
                let mut range = String::new();
                self.line.push_name(&mut range, view.now, view.zone);
                out.push((self.line.part(), range));
            }
            reading::push_sampled(out, P::reading(&i.facts), view.now);
        }
        out.extend(P::told(view).into_iter().map(|told| (Part::Plain, told)));
        // What a sight leaves out it says by its name.
        let is_usual = self.choice.as_ref().is_none_or(|choice| choice.order == P::WORDS.order);
        if self.left_out > 0 && is_usual {
            let mut text = String::new();
            figure::push_grouped(&mut text, i64::try_from(self.left_out).unwrap_or(i64::MAX));
            text.push(' ');
            text.push_str(P::WORDS.left_out);
            out.push((Part::Plain, text));
        }
        out.extend(self.table.set_name().map(|set| (Part::Accent, format!("columns: {set}"))));
        if self.table.sort.is_some() {
            let mut order = String::new();
            self.table.order_name("", &mut order);
            out.push((Part::Plain, order));
        }
        reading::push_unknown(out, view, P::reading);
        reading::push_seldom(out, view, P::seldom);
        if self.table.sort.is_none() && !self.places.is_empty() {
            let order = self.choice.as_ref().map_or(P::WORDS.order, |choice| choice.order);
            out.push((Part::Plain, order.to_owned()));
        }
    }

    fn refuses(&self, action: Action, view: &View<'_>) -> Option<String> {
        self.refusal(action, view)
    }

    fn wanted(&self, view: &View<'_>) -> Vec<Query> {
        let of_scope = P::asked(view);
        let Some(i) = view.single() else { return of_scope };
        let asked = asked::<P>();
        let all = if asked.is_empty() { &[][..] } else { std::slice::from_ref(&asked) };
        let mut wanted = self.line.wanted(view, i.id(), all, &asked);
        wanted.extend(self.kept(view).iter().map(|kept| kept.query(self.line, i, view)));
        wanted.extend(of_scope);
        wanted
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (w, h) = (canvas.width(), canvas.height());
        let mut y = 0;
        if let Some(i) = view.single()
            && h >= LEAST_HEIGHT
            && let Some(table) = P::reading(&i.facts).get()
        {
            if self.has_charts() {
                y = (h * 2 / 5).min(15);
                render_charts::<P>(i, view, &mut canvas.part(0, 0, w, y - 1), self.line, &self.kept(view));
            }
            let has_rows = !self.places.is_empty();
            y += render_about::<P>(i, table, view, &mut canvas.part(0, y, w, h - y), has_rows);
        }
        let mut body = canvas.part(0, y, w, h - y);
        if self.places.is_empty() {
            let lines = if self.before > 0 {
                vec![P::WORDS.no_match.to_owned(), "Esc clears it.".to_owned()]
            } else {
                let nothing = self.choice.as_ref().map_or(P::WORDS.nothing, |choice| choice.nothing);
                let mut lines = reading::absence(P::WORDS.unknown, nothing, view, P::reading);
                lines.extend(P::advice(view));
                lines
            };
            return reading::empty(&lines, view, &mut body);
        }
        self.table.render(&mut body, view.theme, &Lines { places: &self.places, view }, true);
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        if self.line.act(action, view, wishes) {
            return true;
        }
        if let Some(wish) = P::look(action, view) {
            wishes.push(wish);
            return true;
        }
        if let Some(wish) = self.deed(action, view) {
            wishes.push(wish);
            return true;
        }
        let rows = Lines { places: &self.places, view };
        match action {
            Action::Enter => self.open(wishes),
            Action::Details => wishes.extend(self.table.selected().cloned().map(Wish::Details)),
            Action::Copy => wishes.push(Wish::Copy(self.table.copy_chosen(&rows))),
            Action::Narrow => wishes.extend(reading::narrow(P::PANE, self.table.selected(), view)),
            Action::Out if self.line.leave() => {}
            Action::Out if !self.table.marks.is_empty() => self.table.marks.clear(),
            _ => return self.table.act(action, &rows),
        }
        true
    }

    fn next_problem(&mut self, back: bool, round: bool, view: &View<'_>) -> bool {
        let rows = Lines { places: &self.places, view };
        let at = |i: usize| line::<P>(view, *self.places.get(i)?);
        // A part in trouble, or the first one of an instance that is not ok.
        let is_problem = |i: usize| {
            at(i).is_some_and(|row| {
                let is_first = || {
                    self.places
                        .iter()
                        .position(|place| self.places.get(i).is_some_and(|here| here.0 == place.0))
                        == Some(i)
                };
                let is_ill = view.single().is_none() && row.instance.health.level >= Level::Warning;
                P::is_problem(row.part) || is_ill && is_first()
            })
        };
        self.table.move_to_next((back, round), &rows, is_problem)
    }

    fn focus(&mut self, key: RowKey) {
        self.table.select(key);
    }

    fn selected(&self) -> Option<RowKey> {
        self.table.selected().cloned()
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        let instance = view.snapshot.find(key.instance()?)?;
        let table: &P::Table = P::reading(&instance.facts).get()?;
        let part = P::parts(table).0.iter().find(|part| P::key(instance.id(), part) == *key)?;
        Some(document(&Line::<P> { view, instance, table, part }))
    }

    fn marks(&self) -> usize {
        self.table.marks.len()
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

    fn left(&mut self) {
        self.line.leave();
        self.table.scroll_back();
    }

    fn follow_now(&mut self) -> bool {
        self.line.leave()
    }

    fn counts(&self) -> (usize, usize) {
        (self.places.len(), self.before)
    }

    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        if self.table.click_head(x, y) {
            return;
        }
        let rows = Lines { places: &self.places, view };
        let Some(i) = self.table.row_at(y, &rows) else { return };
        if i == self.table.cursor() {
            self.open(wishes);
        } else {
            self.table.move_to(i, &rows);
        }
    }
}

/// All about a part: every column that is known, under its name.
fn document<P: Parts>(row: &Line<'_, P>) -> Document {
    let name = P::COLUMNS.iter().find(|column| column.id == P::NAME).and_then(|column| (column.value)(row));
    let mut d = Document::new(match (name, P::key(row.instance.id(), row.part)) {
        (Some(Value::Text(name)), _) if !name.is_empty() => name.to_owned(),
        // As the other panes of sessions head it.
        (_, RowKey::Session(instance, session_id, _)) => format!("{instance} · session {session_id}"),
        _ => P::WORDS.nameless.to_owned(),
    });
    d.field("instance", row.view.theme.strong, |s| s.push_str(row.instance.id().as_str()));
    let mut cell = CellText::default();
    let is_told = |c: &&Column<P>| {
        let is_share = P::BESIDE.iter().any(|(share, _)| *share == c.id);
        ![INSTANCE, P::NAME, P::APART].contains(&c.id) && !is_share && c.shape.content != Content::Picture
    };
    for column in P::COLUMNS.iter().filter(is_told) {
        cell.clear();
        (column.cell)(row, (column.value)(row), &mut cell);
        d.field(label(column.title), row.style(), |s| s.push_str(cell.as_str().trim()));
    }
    P::more(row, &mut d);
    tell_about(row, &mut d);
    d
}
