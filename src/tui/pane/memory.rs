//! Memory: which clerks hold the memory of the server, the largest first, and what each of them is. Above the clerks of one
//! instance stands the chart of its buffer pool and of what is stolen from it.

use super::{
    Pane, Part,
    figure::{Figure, Sight},
    range::{TimeLine, render_events},
    reading,
};
use crate::{
    model::{
        base::{
            figure,
            filter::{self, Value},
        },
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        poll::{
            clerks::{ClerkRow, ClerkTable},
            id::{SeriesId, SeriesKey},
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
            column::{self, Kind, number, size, visit_values, whole, words},
            document::Document,
            sort::sort_rows,
            table::{Rows, Table},
        },
        wish::Wish,
    },
};
use ratatui::style::Style;

/// Below this height there is room for the clerks only.
const LEAST_HEIGHT: u16 = 17;

/// Name of the instance: only where several are in scope.
const INSTANCE: &str = "instance";

/// Columns of a bar.
const BAR: u16 = 12;
/// A bar's last column, in eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The buffer pool, and what is stolen from it.
const POOL: Figure = Figure {
    title: "memory GB",
    series: SeriesId::BufferPool,
    other: Some((SeriesId::Stolen, ["buffer pool", "stolen from it"])),
    top: None,
    least: 1.0,
    limits: |_| None,
};

/// The clerks by the start of their names, and what they hold; the longest start comes first.
const MEANING: [(&str, &str); 30] = [
    ("MEMORYCLERK_SQLBUFFERPOOL", "buffer pool: pages of data and indexes read from disk"),
    ("MEMORYCLERK_SQLQERESERVATIONS", "memory grants of queries: sorts, hashes, bulk loads"),
    ("MEMORYCLERK_SQLQUERYEXEC", "queries that run, beside their grants"),
    ("MEMORYCLERK_SQLQUERYPLAN", "running and cached plans, beside the plan cache"),
    ("MEMORYCLERK_SQLQUERYCOMPILE", "queries that are being compiled"),
    ("MEMORYCLERK_SQLOPTIMIZER", "the optimizer: compilations now"),
    ("MEMORYCLERK_SQLSTORENG", "the storage engine: file and allocation structures"),
    ("MEMORYCLERK_SQLCONNECTIONPOOL", "connections: what clients prepared and keep open"),
    ("MEMORYCLERK_SQLGENERAL", "many small consumers, such as linked servers and backups"),
    ("MEMORYCLERK_SQLUTILITIES", "backups, mirroring and other utilities"),
    ("MEMORYCLERK_SQLLOGPOOL", "log records for replicas, replication and rollback"),
    ("MEMORYCLERK_SQLCLR", "CLR code in databases, and spatial types"),
    ("MEMORYCLERK_SQLTRACE", "traces and the default trace"),
    ("MEMORYCLERK_SQLHTTP", "endpoints"),
    ("MEMORYCLERK_SOSNODE", "schedulers, threads and what they allocate"),
    ("MEMORYCLERK_SOSMEMMANAGER", "the memory manager itself"),
    ("MEMORYCLERK_XTP", "In-Memory OLTP: tables and indexes kept in memory"),
    ("MEMORYCLERK_XE", "buffers of Extended Events sessions"),
    ("MEMORYCLERK_QUERYDISKSTORE", "Query Store: what is not written yet"),
    ("MEMORYCLERK_HADR", "availability groups"),
    ("MEMORYCLERK_BACKUP", "buffers of backups"),
    ("CACHESTORE_SQLCP", "plan cache: ad hoc and prepared statements; many single-use plans swell it"),
    ("CACHESTORE_OBJCP", "plan cache: procedures, functions and triggers"),
    ("CACHESTORE_PHDR", "plan cache: trees of views, defaults and constraints"),
    ("CACHESTORE_COLUMNSTOREOBJECTPOOL", "segments of columnstore indexes"),
    ("CACHESTORE_SYSTEMROWSET", "metadata of system tables"),
    ("CACHESTORE_TEMPTABLES", "temporary tables kept for the next call"),
    ("OBJECTSTORE_LOCK_MANAGER", "locks; many of them mean large transactions without escalation"),
    ("USERSTORE_TOKENPERM", "security tokens of logins; a huge one slows every query down"),
    ("USERSTORE_SCHEMAMGR", "metadata of tables and other objects"),
];

/// What a clerk type holds, in plain words; empty for one that is rare.
fn meaning(kind: &str) -> &'static str {
    MEANING.iter().find(|(start, _)| kind.starts_with(start)).map_or("", |(_, words)| words)
}

fn series() -> Vec<SeriesKey> {
    POOL.series().map(SeriesKey::of).collect()
}

/// Rows of the pane: a clerk type each.
#[derive(Debug)]
enum Clerks {}

impl Kind for Clerks {
    type Row<'a> = Line<'a>;
}

/// A clerk type with all that its cells are made from.
#[derive(Clone, Copy)]
struct Line<'a> {
    view: &'a View<'a>,
    instance: &'a InstanceSnapshot,
    table: &'a ClerkTable,
    clerk: &'a ClerkRow,
}

type Column = column::Column<Clerks>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    Column::text(INSTANCE, "INSTANCE", 16, 0)
        .at_least(10)
        .frozen()
        .value(|c| words(Some(c.instance.id().as_str())))
        .cell(|c, _, out| out.put(c.view.theme.strong, c.instance.id().as_str())),
    Column::text("clerk", "CLERK", 33, 0)
        .at_least(29)
        .value(|c| words(Some(&c.clerk.kind)))
        .cell(text)
        .filter()
        .also(&["type"]),
    Column::number("size", "SIZE", 8, 0)
        .value(|c| size(c.clerk.pages_kb, KB))
        .cell(bytes)
        .filter()
        .also(&["pages"]),
    Column::number("share", "SHARE", 6, 1)
        .value(|c| number(c.table.share_pct(c.clerk)))
        .cell(|c, v, out| match v.and_then(Value::figure) {
            Some(pct) => out.with(c.style(), |s| figure::push_pct(s, pct)),
            None => out.put(c.view.theme.dim, "–"),
        })
        .filter(),
    Column::picture("bar", BAR, 3).cell(|c, _, out| bar(c, out)),
    Column::number("virtual", "VIRTUAL", 8, 10).value(|c| size(c.clerk.virtual_kb, KB)).cell(bytes).filter(),
    Column::number("clerks", "CLERKS", 6, 11)
        .value(|c| whole(c.clerk.clerks))
        .cell(|c, v, out| match v.and_then(Value::figure) {
            Some(n) => out.with(c.style(), |s| figure::push_count(s, n)),
            None => out.put(c.view.theme.dim, "–"),
        })
        .filter(),
    Column::text("holds", "WHAT IT HOLDS", 40, 4)
        .at_least(20)
        .roomy(60)
        .growing()
        .value(|c| words(Some(meaning(&c.clerk.kind))))
        .cell(|c, v, out| {
            if let Some(Value::Text(v)) = v {
                out.put(c.view.theme.dim, v);
            }
        })
        .filter(),
];

const KB: f64 = 1024.0;

fn text(c: &Line<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(v)) => out.put(c.style(), v),
        _ => out.put(c.view.theme.dim, "–"),
    }
}

fn bytes(c: &Line<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(bytes) => out.with(c.style(), |s| figure::push_size(s, bytes)),
        None => out.put(c.view.theme.dim, "–"),
    }
}

/// The share, drawn in eighths of a column; anything above zero is seen.
fn bar(c: &Line<'_>, out: &mut CellText) {
    let Some(pct) = c.table.share_pct(c.clerk).filter(|pct| *pct > 0.0 && !c.view.low_bandwidth) else {
        return;
    };
    let eighths = (pct.min(100.0) / 100.0 * f64::from(BAR) * 8.0).ceil() as usize;
    out.with(c.view.theme.spark, |s| {
        (0..eighths / 8).for_each(|_| s.push('█'));
        s.push_str(EIGHTHS.get(eighths % 8).unwrap_or(&""));
    });
}

impl Line<'_> {
    fn style(&self) -> Style {
        let is_stale = self.instance.facts.clerks.is_stale(self.view.now);
        if is_stale { self.view.theme.dim } else { self.view.theme.base }
    }

    fn key(&self) -> RowKey {
        RowKey::Clerk(self.instance.id().clone(), self.clerk.kind.clone())
    }
}

impl filter::Row for Line<'_> {
    fn text(&self, out: &mut String) {
        for text in [self.instance.id().as_str(), " ", &self.clerk.kind, " ", meaning(&self.clerk.kind)] {
            out.push_str(text);
        }
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        if !visit_values(COLUMNS, self, key, visit) {
            instance_values(&self.instance.info, key, visit);
        }
    }
}

/// Places of the rows: instance in the snapshot, clerk in its table.
type Place = (u32, u32);

struct Lines<'a> {
    places: &'a [Place],
    view: &'a View<'a>,
}

fn line<'a>(view: &'a View<'_>, (instance, clerk): Place) -> Option<Line<'a>> {
    let instance = view.instance(instance)?;
    let table = instance.facts.clerks.get()?;
    Some(Line { view, instance, table, clerk: table.clerks.get(clerk as usize)? })
}

impl Rows<Clerks> for Lines<'_> {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn key(&self, i: usize) -> RowKey {
        self.get(i).map_or_else(|| RowKey::Clerk(InstanceId::new(""), "".into()), |c| c.key())
    }

    fn get(&self, i: usize) -> Option<Line<'_>> {
        line(self.view, *self.places.get(i)?)
    }
}

/// State of the pane.
#[derive(Debug)]
pub struct MemoryPane {
    table: Table<Clerks>,
    places: Vec<Place>,
    before: usize,
    left_out: u64,
    filter: FilterSlot,
    line: TimeLine,
}

impl Default for MemoryPane {
    fn default() -> Self {
        Self {
            table: Table::new(COLUMNS),
            places: Vec::new(),
            before: 0,
            left_out: 0,
            filter: FilterSlot::new(COLUMNS, &[]),
            line: TimeLine::default(),
        }
    }
}

impl MemoryPane {
    fn collect(&mut self, view: &View<'_>) {
        let mut places: Vec<Place> = Vec::new();
        (self.before, self.left_out) = (0, 0);
        for (n, instance) in view.instances() {
            let Some(table) = instance.facts.clerks.get() else { continue };
            self.before += table.clerks.len();
            self.left_out += table.left_out;
            for (i, clerk) in table.clerks.iter().enumerate() {
                if self.filter.keeps(&Line { view, instance, table, clerk }) {
                    places.push((n, i as u32));
                }
            }
        }
        let mut order: Vec<u32> = (0..places.len() as u32).collect();
        let at = |n: u32| line(view, *places.get(n as usize)?);
        if !self.table.order(&mut order, at) {
            sort_rows(&mut order, true, |n| size(at(n).and_then(|c| c.clerk.pages_kb), KB).into());
        }
        self.places = order.into_iter().filter_map(|n| places.get(n as usize).copied()).collect();
    }

    fn render_chart(&self, i: &InstanceSnapshot, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (w, h) = (canvas.width(), canvas.height());
        let marks = self.line.marks(view, i.id());
        let words = u16::from((!marks.is_empty() || self.line.cursor().is_some()) && h > 5);
        if words > 0 {
            render_events(self.line, marks, view, &mut canvas.part(0, h - 1, w, 1));
        }
        let asked = series();
        let sight = Sight { line: self.line, asked: &asked, dots: false };
        POOL.draw(i, view, &mut canvas.part(1, 0, w.saturating_sub(2), h - words), sight);
    }
}

impl Pane for MemoryPane {
    fn rebuild(&mut self, view: &View<'_>) {
        self.filter.learn(view);
        self.line.see(view);
        self.collect(view);
        self.table.hide(INSTANCE, view.single().is_some());
        let names = self.places.iter().filter_map(|(n, _)| view.instance(*n));
        let longest = names.map(|i| width(i.id().as_str())).max();
        self.table.set_width(INSTANCE, longest.map(|w| w.clamp(10, 28) as u16));
        self.table.sync(&Lines { places: &self.places, view });
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        if let Some(i) = view.single() {
            let mut range = String::new();
            self.line.push_name(&mut range, view.now);
            out.push((if self.line.is_in_memory() { Part::Plain } else { Part::Accent }, range));
            reading::push_sampled(out, &i.facts.clerks, view.now);
        }
        if self.left_out > 0 {
            out.push((Part::Plain, format!("{} more clerk types hold less", self.left_out)));
        }
        if self.table.sort.is_some() {
            let mut order = String::new();
            self.table.order_name("", &mut order);
            out.push((Part::Plain, order));
        }
        reading::push_unknown(out, view, |f| &f.clerks);
        if self.table.sort.is_none() && !self.places.is_empty() {
            out.push((Part::Plain, "largest first".to_owned()));
        }
    }

    fn wanted(&self, view: &View<'_>) -> Vec<Query> {
        view.single().map_or_else(Vec::new, |i| self.line.wanted(view, i.id(), &[series()], &series()))
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (w, h) = (canvas.width(), canvas.height());
        let mut y = 0;
        if let Some(i) = view.single()
            && h >= LEAST_HEIGHT
            && i.facts.clerks.get().is_some()
        {
            y = (h * 2 / 5).min(15);
            self.render_chart(i, view, &mut canvas.part(0, 0, w, y - 1));
        }
        let mut body = canvas.part(0, y, w, h - y);
        if self.places.is_empty() {
            let lines = if self.before > 0 {
                vec!["No clerk matches the filter.".to_owned(), "Esc clears it.".to_owned()]
            } else {
                reading::absence("Who holds the memory", "No memory clerk was seen", view, |f| &f.clerks)
            };
            return reading::empty(&lines, view, &mut body);
        }
        self.table.render(&mut body, view.theme, &Lines { places: &self.places, view }, true);
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        if self.line.act(action, view, wishes) {
            return true;
        }
        match action {
            Action::Enter | Action::Details => {
                wishes.extend(self.table.selected().cloned().map(Wish::Details));
            }
            Action::Copy => {
                let rows = Lines { places: &self.places, view };
                wishes.push(Wish::Copy(self.table.copy_chosen(&rows)));
            }
            Action::Narrow => wishes.extend(reading::narrow(PaneId::Memory, self.table.selected(), view)),
            Action::Out if self.line.leave() => {}
            Action::Out if !self.table.marks.is_empty() => self.table.marks.clear(),
            _ => return self.table.act(action, &Lines { places: &self.places, view }),
        }
        true
    }

    fn focus(&mut self, key: RowKey) {
        self.table.select(key);
    }

    fn selected(&self) -> Option<RowKey> {
        self.table.selected().cloned()
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        let RowKey::Clerk(id, kind) = key else { return None };
        let instance = view.snapshot.find(id)?;
        let table = instance.facts.clerks.get()?;
        let clerk = table.clerks.iter().find(|clerk| clerk.kind == *kind)?;
        Some(document(&Line { view, instance, table, clerk }))
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.filter.set(text)
    }

    fn filter(&self) -> &str {
        self.filter.text()
    }

    fn counts(&self) -> (usize, usize) {
        (self.places.len(), self.before)
    }

    fn click(&mut self, _x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        let rows = Lines { places: &self.places, view };
        let Some(i) = self.table.row_at(y, &rows) else { return };
        if i == self.table.cursor() {
            wishes.extend(self.table.selected().cloned().map(Wish::Details));
        } else {
            self.table.move_to(i, &rows);
        }
    }
}

/// All about a clerk type: every column that is known.
fn document(row: &Line<'_>) -> Document {
    let mut d = Document::new(&*row.clerk.kind);
    d.field("instance", row.view.theme.strong, |s| s.push_str(row.instance.id().as_str()));
    let mut cell = CellText::default();
    for column in COLUMNS.iter().filter(|c| ![INSTANCE, "clerk", "bar"].contains(&c.id)) {
        cell.clear();
        (column.cell)(row, (column.value)(row), &mut cell);
        d.field(column.title, row.style(), |s| s.push_str(cell.as_str().trim()));
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{clerks::BUFFER_POOL, reading::Reading},
        tui::{fixture, pane::stage::Stage, widget::column::ambiguous},
    };
    use std::sync::Arc;

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn the_longest_start_explains_a_clerk() {
        for (n, (start, words)) in MEANING.iter().enumerate() {
            assert_eq!(meaning(start), *words, "{start} is hidden by one of {:?}", &MEANING[..n]);
        }
        assert_eq!(meaning("MEMORYCLERK_NEW"), "");
    }

    #[test]
    fn the_largest_clerk_stands_first_with_its_share_and_an_unknown_one_last() {
        let mut fleet = fixture::small();
        let clerk = |kind: &str, pages_kb| ClerkRow { kind: kind.into(), pages_kb, ..ClerkRow::default() };
        let clerks = vec![
            clerk("CACHESTORE_SQLCP", Some(1_048_576)),
            clerk("CACHESTORE_OBJCP", None),
            clerk(BUFFER_POOL, Some(3_145_728)),
        ];
        let table = ClerkTable { clerks, left_out: 4, all_kb: Some(4_194_304) };
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.clerks = Reading::good(Arc::new(table.clone()), fixture::NOW, 60_000);
        }
        let lines = Stage::one(fleet, "sqlprd-001").draw(&mut MemoryPane::default(), 120, 16);
        let at = |name: &str| lines.iter().position(|l| l.contains(name)).unwrap();
        assert_eq!([BUFFER_POOL, "CACHESTORE_SQLCP", "CACHESTORE_OBJCP"].map(at), [1, 2, 3], "{lines:#?}");
        assert!(lines[1].contains("75") && lines[1].contains("█████████"), "{}", lines[1]);
        assert!(lines[3].contains('–') && !lines[3].contains('█'), "{}", lines[3]);
    }

    #[test]
    fn a_filter_by_size_keeps_large_clerks_and_finds_them_by_what_they_hold() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = MemoryPane::default();
        let mut kept = |filter: &str| {
            pane.set_filter(filter).unwrap();
            pane.rebuild(&stage.view());
            pane.counts()
        };
        let (all, _) = kept("");
        let (large, before) = kept("share>50");
        assert!(large > 0 && large < all && before == all, "{large} of {all}");
        assert_eq!(kept("buffer pool: pages").0, large);
    }
}
