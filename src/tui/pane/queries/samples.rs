//! What was seen at work, added up by statement, module, database, login or program, with what it waited for over time: from the
//! samples in memory, of longer and earlier times from history, which are shown as they are read. The polls that sums are made of,
//! and the time that they cover, are told; and where history was not read to the end, how far it was.

use super::{
    super::{
        Pane, Part,
        range::{TimeLine, render_events},
        reading,
    },
    group::{self, GroupRow, GroupRows, Groups, Told},
    source::{self, Source},
};
use crate::{
    model::{
        base::{figure, time::Timestamp},
        inventory::instance::InstanceId,
        poll::{demand::Demand, statement::Statement, wait_class::WaitCategory},
        timeline::{
            chart::ChartLine,
            samples::{By, Samples, Sums, Who, add_up, lines},
        },
    },
    protocol::Query,
    sql::module,
    tui::{
        action::Action,
        filter::FilterSlot,
        id::RowKey,
        view::View,
        widget::{
            canvas::Canvas,
            document::Document,
            stack::{self, Look, Stack},
            table::Table,
        },
        wish::Wish,
    },
};
use std::{collections::HashMap, sync::Arc};

/// Below this height there is room for the rows only.
const LEAST_HEIGHT: u16 = 17;
/// Two charts side by side want this width.
const TWO_CHARTS: u16 = 100;
/// Shortest time between two sums, ms: of many instances they take some milliseconds.
const LOOK_MS: i64 = 1_000;
const LOOK_MANY_MS: i64 = 5_000;
/// More instances than this are many.
const MANY: usize = 50;

/// What the sums were made of: scope, time in looks, range, how far history was read.
type Made = (u64, i64, i64, Option<(Timestamp, u8)>);

type Lines = Vec<(WaitCategory, ChartLine)>;

/// State of the view.
#[derive(Debug)]
pub struct SamplesPane {
    table: Table<Groups>,
    by: By,
    sums: Sums,
    groups: Vec<Told>,
    shown: Vec<u32>,
    filter: FilterSlot,
    line: TimeLine,
    source: Source,
    made: Option<Made>,
    /// how far history was read, in words; empty: as far as it was asked for
    reach: String,
    /// of all, and of the group under the cursor
    all: Lines,
    own: Option<(Arc<str>, Lines)>,
}

impl Default for SamplesPane {
    fn default() -> Self {
        Self {
            table: Table::new(group::COLUMNS),
            by: By::Statement,
            sums: Sums::default(),
            groups: Vec::new(),
            shown: Vec::new(),
            filter: FilterSlot::of_columns(group::COLUMNS),
            line: TimeLine::of_many(),
            source: Source::default(),
            made: None,
            reach: String::new(),
            all: Vec::new(),
            own: None,
        }
    }
}

/// As the title says it.
pub const fn name_of(by: By) -> &'static str {
    match by {
        By::Statement => "by statement",
        By::Module => "by module",
        By::Database => "by database",
        By::Login => "by login",
        By::Program => "by program",
    }
}

const fn title_of(by: By) -> &'static str {
    match by {
        By::Statement => "STATEMENT",
        By::Module => "MODULE",
        By::Database => "DATABASE",
        By::Login => "LOGIN",
        By::Program => "PROGRAM",
    }
}

/// Names of groups, each made once.
struct Names<'a> {
    by: By,
    view: View<'a>,
    /// by place and query hash
    known: HashMap<(u32, u64), Arc<str>>,
    none: Arc<str>,
}

impl<'a> Names<'a> {
    fn new(by: By, view: &View<'a>) -> Self {
        Self { by, view: *view, known: HashMap::new(), none: NONE.into() }
    }

    fn of(&mut self, place: u32, who: &Who, samples: Option<&Samples>) -> Arc<str> {
        let given = match self.by {
            By::Database => &who.database,
            By::Login => &who.login,
            By::Program => &who.program,
            By::Statement | By::Module => return self.of_query(place, who.query, samples),
        };
        given.clone().unwrap_or_else(|| Arc::clone(&self.none))
    }

    fn of_query(&mut self, place: u32, query: Option<u64>, samples: Option<&Samples>) -> Arc<str> {
        let Some(hash) = query else { return Arc::clone(&self.none) };
        if self.by == By::Statement {
            let known = self.known.entry((0, hash));
            return Arc::clone(known.or_insert_with(|| format!("0x{hash:016X}").into()));
        }
        let view = &self.view;
        let known = self.known.entry((place, hash));
        Arc::clone(known.or_insert_with(|| {
            let statement = samples.and_then(|samples| samples.statement(hash));
            match module_of(view, place, hash, statement) {
                Some(name) => name,
                None if statement.is_some_and(|s| s.text.object_id.is_none()) => AD_HOC.into(),
                None => NONE.into(),
            }
        }))
    }
}

/// What belongs to no group, and what belongs to no module.
const NONE: &str = "(not known)";
const AD_HOC: &str = "(ad hoc)";

/// The module of a query: as the plan cache tells it, else by the text that was running.
fn module_of(view: &View<'_>, place: u32, hash: u64, statement: Option<&Statement>) -> Option<Arc<str>> {
    let table = view.instance(place).and_then(|i| i.facts.queries.get());
    let row = table.and_then(|table| table.queries.iter().find(|query| query.hash == hash));
    row.and_then(|row| row.module.clone()).or_else(|| {
        let text = &statement?.text;
        text.object_id?;
        module::name(&text.batch).map(Into::into)
    })
}

impl SamplesPane {
    /// Adds up by something else.
    pub fn group_by(&mut self, by: By) {
        if self.by != by {
            self.by = by;
            self.made = None;
            self.table.release();
        }
    }

    /// The group under the cursor.
    pub fn here(&self) -> Option<&Told> {
        self.groups.get(*self.shown.get(self.table.cursor())? as usize)
    }

    /// What stands for no value and can be asked for by no filter.
    pub fn is_nameless(told: &Told) -> bool {
        [NONE, AD_HOC].contains(&&*told.group.name)
    }

    fn add_up(&mut self, view: &View<'_>) {
        let scope = self.source.see(view);
        let is_many = view.single().is_none() && view.scope.len() > MANY;
        let look_ms = if is_many { LOOK_MANY_MS } else { LOOK_MS };
        let gathered =
            (!self.line.is_in_memory()).then(|| self.source.gathered(self.line, view).ok()).flatten();
        let (from, end) = self.line.span(view.now);
        let made = Some((
            scope,
            end.ms().div_euclid(look_ms),
            self.line.ms(),
            gathered.map(|gathered| (gathered.begins, gathered.read_pct)),
        ));
        if self.made == made {
            return;
        }
        self.made = made;
        self.reach.clear();
        if let Some(gathered) = gathered {
            source::push_reach(&mut self.reach, gathered, view);
        }
        let sources = self.source.samples(self.line, view).unwrap_or_default();
        let mut names = Names::new(self.by, view);
        let of: HashMap<u32, &Samples> = sources.iter().copied().collect();
        self.sums = add_up(sources.iter().copied(), (from, end.plus_ms(1)), |place, who| {
            names.of(place, who, of.get(&place).copied())
        });
        self.all = lines(sources.iter().copied(), |_, _| true);
        self.own = None;
        let tell = |group: crate::model::timeline::samples::Group| {
            let place = group.on.first().copied().unwrap_or_default();
            let statement = group.query.and_then(|hash| statement_of(view, &of, &group.on, hash));
            let module = group.query.and_then(|hash| module_of(view, place, hash, statement.as_ref()));
            Told { group, statement, module }
        };
        self.groups = std::mem::take(&mut self.sums.groups).into_iter().map(tell).collect();
    }

    fn order(&mut self, view: &View<'_>) {
        let mut shown: Vec<u32> = Vec::with_capacity(self.groups.len());
        for (n, told) in (0..).zip(&self.groups) {
            if self.filter.keeps(&GroupRow { told, sums: &self.sums, by: self.by, view }) {
                shown.push(n);
            }
        }
        self.table.order(&mut shown, |n| {
            Some(GroupRow { told: self.groups.get(n as usize)?, sums: &self.sums, by: self.by, view })
        });
        self.shown = shown;
    }

    fn rows<'a>(&'a self, view: &'a View<'a>) -> GroupRows<'a> {
        GroupRows { groups: &self.groups, sums: &self.sums, shown: &self.shown, by: self.by, view }
    }

    /// The lines of the group under the cursor, made when it becomes another one.
    fn look_at_own(&mut self, view: &View<'_>) {
        let Some(name) = self.here().map(|told| Arc::clone(&told.group.name)) else { return self.own = None };
        if self.own.as_ref().is_some_and(|(known, _)| *known == name) {
            return;
        }
        let sources = self.source.samples(self.line, view).unwrap_or_default();
        let of: HashMap<u32, &Samples> = sources.iter().copied().collect();
        let mut names = Names::new(self.by, view);
        let is_own = |place: u32, who: &Who| names.of(place, who, of.get(&place).copied()) == name;
        self.own = Some((Arc::clone(&name), lines(sources.iter().copied(), is_own)));
    }

    fn render_charts(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        self.look_at_own(view);
        let (w, h) = (canvas.width(), canvas.height());
        let marks = view.single().map_or(&[][..], |i| self.line.marks(view, i.id()));
        let words = u16::from((!marks.is_empty() || self.line.cursor().is_some()) && h > 5);
        if words > 0 {
            render_events(self.line, marks, view, &mut canvas.part(0, h - 1, w, 1));
        }
        let half = if w >= TWO_CHARTS { w / 2 } else { 0 };
        if half > 0 {
            self.chart(&self.all, "requests at work", view, &mut canvas.part(1, 0, half - 2, h - words));
        }
        let Some((name, own)) = &self.own else { return };
        let mut title = String::from("of them ");
        match self.here().filter(|_| self.by == By::Statement).and_then(|told| told.statement.as_ref()) {
            Some(statement) => super::super::request::push_one_line(&mut title, statement.as_str()),
            None => title.push_str(name),
        }
        let title = if half > 0 { title.as_str() } else { title.trim_start_matches("of them ") };
        self.chart(own, title, view, &mut canvas.part(half + 1, 0, (w - half).saturating_sub(2), h - words));
    }

    /// One stacked chart with its legend below the title.
    fn chart(&self, lines: &Lines, title: &str, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (w, h) = (canvas.width(), canvas.height());
        let room = usize::from(w / 2);
        let mut short: String = title.chars().take(room).collect();
        if title.chars().nth(room).is_some() {
            short.push('…');
        }
        let mut why = String::new();
        match view.single() {
            Some(i) if i.facts.activity.get().is_none() => {
                reading::push_why(&mut why, i, i.facts.activity.problem.as_ref(), view);
            }
            _ => why.push_str("nothing was polled"),
        }
        let look = Look {
            title: &short,
            factor: 0.001,
            empty: &why,
            zone: view.zone,
            cursor: self.line.cursor(),
            marks: view.single().map_or(&[][..], |i| self.line.marks(view, i.id())),
            earlier: "",
        };
        let lines = lines.iter().map(|(category, line)| (*category, line));
        let columns = stack::plot_columns(w, h);
        let stack = Stack::kept(lines, None, self.line.end(view), self.line.ms(), columns);
        stack.draw(canvas, &look, view.theme);
        let x = crate::tui::widget::canvas::width(&short) as u16 + 2;
        stack.draw_legend(&mut canvas.part(x.min(w), 0, w.saturating_sub(x), 1), &look, view.theme);
    }

    fn plan(&self, view: &View<'_>) -> Option<Wish> {
        let told = self.here()?;
        let query_hash = told.group.query?;
        Some(Wish::Demand(instance_of(told, view)?, Demand::Plans { query_hash }))
    }
}

/// The first instance that it was seen on.
fn instance_of(told: &Told, view: &View<'_>) -> Option<InstanceId> {
    Some(view.instance(*told.group.on.first()?)?.id().clone())
}

/// A statement of a query: of one that was running, else as the plan cache tells it.
fn statement_of(view: &View<'_>, of: &HashMap<u32, &Samples>, on: &[u32], hash: u64) -> Option<Statement> {
    let seen = on.iter().find_map(|place| of.get(place)?.statement(hash));
    seen.cloned().or_else(|| {
        on.iter().find_map(|place| {
            let table = view.instance(*place)?.facts.queries.get()?;
            table.queries.iter().find(|query| query.hash == hash)?.statement.clone()
        })
    })
}

impl Pane for SamplesPane {
    fn rebuild(&mut self, view: &View<'_>) {
        self.line.see(view);
        self.add_up(view);
        self.order(view);
        self.table.set_title(group::NAME, title_of(self.by));
        self.table.hide(group::QUERIES, self.by == By::Statement);
        self.table.hide(group::MODULE, self.by != By::Statement);
        self.table.hide(group::STATEMENT, self.by == By::Statement);
        self.table.hide("db", self.by == By::Database);
        self.table.hide(group::ON, view.single().is_some());
        let rows =
            GroupRows { groups: &self.groups, sums: &self.sums, shown: &self.shown, by: self.by, view };
        self.table.sync(&rows);
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        // The time that the sums stand for is told at every width.
        let mut text = name_of(self.by).to_owned();
        if self.sums.covered_ms > 0 {
            text.push_str(", ");
            figure::push_grouped(&mut text, i64::try_from(self.sums.polls).unwrap_or(i64::MAX));
            text.push_str(if self.sums.polls == 1 { " poll covers " } else { " polls cover " });
            figure::push_span(&mut text, i64::try_from(self.sums.covered_ms).unwrap_or(i64::MAX));
        }
        out.push((Part::Accent, text));
        if let Some(active) = group::average(self.sums.ms, self.sums.covered_ms) {
            let mut text = String::new();
            group::push_active(&mut text, active);
            text.push_str(" at work");
            out.push((Part::Plain, text));
        }
        if !self.reach.is_empty() {
            out.push((Part::Accent, self.reach.clone()));
        }
        let mut range = String::new();
        self.line.push_name(&mut range, view.now, view.zone);
        out.push((self.line.part(), range));
        if self.table.sort.is_some() {
            let mut order = String::new();
            self.table.order_name("", &mut order);
            out.push((Part::Plain, order));
        }
        reading::push_unknown(out, view, |f| &f.activity);
    }

    fn wanted(&self, view: &View<'_>) -> Vec<Query> {
        let Some(query) = self.source.query(self.line, view) else { return Vec::new() };
        let marks = match (&query, view.single()) {
            (Query::Samples { from, to, .. }, Some(i)) => {
                Some(Query::Marks { instance: i.id().clone(), from: *from, to: *to })
            }
            _ => None,
        };
        [query].into_iter().chain(marks).collect()
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (w, h) = (canvas.width(), canvas.height());
        if self.shown.is_empty() {
            let lines = match self.source.samples(self.line, view) {
                Err(why) => vec![why],
                Ok(_) if !self.groups.is_empty() => {
                    vec!["Nothing that was seen matches the filter.".to_owned(), "Esc clears it.".to_owned()]
                }
                Ok(_) => reading::absence(
                    "What was at work",
                    "No poll of this time saw a request at work",
                    view,
                    |f| &f.activity,
                ),
            };
            return reading::empty(&lines, view, canvas);
        }
        let mut y = 0;
        if h >= LEAST_HEIGHT {
            y = (h * 2 / 5).min(15);
            self.render_charts(view, &mut canvas.part(0, 0, w, y - 1));
        }
        let rows =
            GroupRows { groups: &self.groups, sums: &self.sums, shown: &self.shown, by: self.by, view };
        self.table.render(&mut canvas.part(0, y, w, h - y), view.theme, &rows, true);
    }

    fn refuses(&self, action: Action, view: &View<'_>) -> Option<String> {
        match action {
            Action::Plan if !matches!(self.plan(view), Some(Wish::Demand(..))) => {
                Some("no single query is under the cursor".to_owned())
            }
            _ => self.line.refuses(action, view),
        }
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        if self.line.act(action, view, wishes) {
            self.made = None;
            return true;
        }
        match action {
            Action::Details | Action::Enter => wishes.extend(self.selected().map(Wish::Details)),
            Action::Plan => wishes.extend(self.plan(view)),
            Action::Copy => wishes.push(Wish::Copy(self.table.copy_chosen(&self.rows(view)))),
            Action::Narrow => {
                let instance = self.here().and_then(|told| instance_of(told, view));
                wishes.extend(instance.filter(|_| view.single().is_none()).map(Wish::Instance));
            }
            Action::Out if self.line.leave() => self.made = None,
            Action::Out if !self.table.marks.is_empty() => self.table.marks.clear(),
            _ => {
                let rows = GroupRows {
                    groups: &self.groups,
                    sums: &self.sums,
                    shown: &self.shown,
                    by: self.by,
                    view,
                };
                return self.table.act(action, &rows);
            }
        }
        true
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
        if self.line.leave() {
            self.made = None;
        }
        self.table.scroll_back();
    }

    fn follow_now(&mut self) -> bool {
        let was_moved = self.line.leave();
        if was_moved {
            self.made = None;
        }
        was_moved
    }

    fn clear_marks(&mut self) {
        self.table.marks.clear();
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        let RowKey::Group(name) = key else { return None };
        let told = self.groups.iter().find(|told| told.group.name == *name)?;
        let (t, row) = (view.theme, GroupRow { told, sums: &self.sums, by: self.by, view });
        let mut d = Document::new(format!("{} {name}", name_of(self.by).trim_start_matches("by ")));
        let mut range = String::new();
        self.line.push_name(&mut range, view.now, view.zone);
        d.head(range);
        d.field("active", t.strong, |s| row.active().into_iter().for_each(|n| group::push_active(s, n)));
        group::tell_mix(&told.group.mix, t.base, &mut d);
        d.field("queries", t.base, |s| figure::push_count(s, told.group.queries as f64));
        d.field("module", t.base, |s| s.push_str(told.module.as_deref().unwrap_or("")));
        d.field("database", t.base, |s| s.push_str(told.group.database.as_deref().unwrap_or("")));
        d.field("seen on", t.base, |s| {
            let names = told.group.on.iter().filter_map(|place| Some(view.instance(*place)?.id().as_str()));
            s.push_str(&names.take(20).collect::<Vec<_>>().join(", "));
        });
        d.text(
            "Each poll of Activity is a sample: what began and ended between two polls is not among it.",
            t.dim,
        );
        d.statement.clone_from(&told.statement);
        Some(d)
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
        (self.shown.len(), self.groups.len())
    }

    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        if self.table.click_head(x, y) {
            return;
        }
        let rows =
            GroupRows { groups: &self.groups, sums: &self.sums, shown: &self.shown, by: self.by, view };
        match self.table.row_at(y, &rows) {
            Some(i) if i == self.table.cursor() => {
                wishes.extend(self.table.selected().cloned().map(Wish::Details));
            }
            Some(i) => self.table.move_to(i, &rows),
            None => {}
        }
    }
}
