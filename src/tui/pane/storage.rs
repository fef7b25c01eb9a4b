//! Storage: how long the reads and writes of each database file take, the slowest file first. Above the files of one instance
//! stand the charts of all its files together.

use super::{
    Pane, Part,
    figure::{Figure, Sight, high},
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
            files::{FileRow, LEAST_PER_S},
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
            column::{self, Kind, number, size, visit_values, words},
            document::Document,
            sort::sort_rows,
            table::{Rows, Table},
        },
        wish::Wish,
    },
};
use ratatui::style::Style;

/// Below this height there is room for the files only.
const LEAST_HEIGHT: u16 = 17;

/// From this width on the two charts stand side by side; below there is one.
const SIDE_BY_SIDE: u16 = 76;

/// Name of the instance: only where several are in scope.
const INSTANCE: &str = "instance";

/// How long reads and writes take: the chart that stands alone where there is no room for two.
const LATENCY: Figure = Figure {
    title: "file latency ms",
    series: SeriesId::FileRead,
    other: Some((SeriesId::FileWrite, ["read", "write"])),
    top: None,
    least: 10.0,
    limits: |t| Some(high(t.io_warning_ms, t.io_critical_ms)),
};

/// How much is read and written.
const BYTES: Figure = Figure::plain("read and written MB/s", SeriesId::FileBytes, 10.0);

/// The series of the charts.
fn series() -> Vec<SeriesKey> {
    LATENCY.series().chain(BYTES.series()).map(SeriesKey::of).collect()
}

/// Rows of the pane: a database file each.
#[derive(Debug)]
enum Files {}

impl Kind for Files {
    type Row<'a> = Line<'a>;
}

/// A file with all that its cells are made from.
#[derive(Clone, Copy)]
struct Line<'a> {
    view: &'a View<'a>,
    instance: &'a InstanceSnapshot,
    row: &'a FileRow,
}

type Column = column::Column<Files>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    Column::text(INSTANCE, "INSTANCE", 16, 0)
        .at_least(10)
        .frozen()
        .value(|f| words(Some(f.instance.id().as_str())))
        .cell(|f, _, out| out.put(f.view.theme.strong, f.instance.id().as_str())),
    Column::text("db", "DATABASE", 18, 0)
        .at_least(10)
        .value(|f| words(f.row.file.database.as_deref()))
        .cell(text)
        .filter()
        .also(&["database"]),
    Column::text("file", "FILE", 20, 2)
        .at_least(10)
        .value(|f| words(f.row.file.name.as_deref()))
        .cell(|f, v, out| match v {
            Some(_) => text(f, v, out),
            None => out.fmt(f.view.theme.dim, format_args!("file {}", f.row.file.file_id)),
        })
        .filter(),
    Column::text("type", "TYPE", 6, 6).value(|f| words(f.row.file.kind.as_deref())).cell(text).filter(),
    Column::number("read_ms", "READ MS", 7, 0)
        .value(|f| number(f.row.read_ms))
        .cell(|f, v, out| latency(f, v, f.row.reads_per_s, out))
        .filter(),
    Column::number("write_ms", "WRITE MS", 8, 0)
        .value(|f| number(f.row.write_ms))
        .cell(|f, v, out| latency(f, v, f.row.writes_per_s, out))
        .filter(),
    Column::number("reads", "READS/S", 7, 3)
        .value(|f| number(f.row.reads_per_s))
        .cell(|f, v, out| rate(f, v, 1.0, out))
        .filter(),
    Column::number("writes", "WRITES/S", 8, 3)
        .value(|f| number(f.row.writes_per_s))
        .cell(|f, v, out| rate(f, v, 1.0, out))
        .filter(),
    Column::number("read_bytes", "READ MB/S", 9, 4)
        .value(|f| f.row.read_bytes_per_s.map(Value::Bytes))
        .cell(|f, v, out| rate(f, v, MB, out))
        .filter(),
    Column::number("write_bytes", "WRITE MB/S", 10, 4)
        .value(|f| f.row.write_bytes_per_s.map(Value::Bytes))
        .cell(|f, v, out| rate(f, v, MB, out))
        .filter(),
    Column::number("size", "SIZE", 8, 4)
        .value(|f| size(f.row.size_bytes, 1.0))
        .cell(|f, v, out| match v.and_then(Value::figure) {
            Some(bytes) => out.with(f.style(), |s| figure::push_size(s, bytes)),
            None => out.put(f.view.theme.dim, "–"),
        })
        .filter(),
    Column::text("path", "PATH", 30, 7)
        .at_least(16)
        .growing()
        .value(|f| words(f.row.file.path.as_deref()))
        .cell(text)
        .filter(),
];

const MB: f64 = 1_048_576.0;

fn text(f: &Line<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(v)) if !v.is_empty() => out.put(f.style(), v),
        _ => out.put(f.view.theme.dim, "–"),
    }
}

fn rate(f: &Line<'_>, v: Option<Value<'_>>, unit: f64, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(v) => out.with(f.style(), |s| figure::push_rate(s, v / unit)),
        None => out.put(f.view.theme.dim, "–"),
    }
}

/// A time that passes the limits of the score stands out, where there is more than a trickle.
fn latency(f: &Line<'_>, v: Option<Value<'_>>, per_s: Option<f64>, out: &mut CellText) {
    let Some(ms) = v.and_then(Value::figure) else { return out.put(f.view.theme.dim, "–") };
    let (t, limits) = (f.view.theme, &f.view.snapshot.thresholds);
    let style = if f.is_stale() || per_s.is_none_or(|n| n < LEAST_PER_S) || ms < limits.io_warning_ms {
        f.style()
    } else if ms < limits.io_critical_ms {
        t.warning
    } else {
        t.critical
    };
    out.with(style, |s| figure::push_rate(s, ms));
}

impl Line<'_> {
    fn is_stale(&self) -> bool {
        self.instance.facts.files.is_stale(self.view.now)
    }

    fn style(&self) -> Style {
        if self.is_stale() { self.view.theme.dim } else { self.view.theme.base }
    }

    fn key(&self) -> RowKey {
        let (database, file) = self.row.file.ids();
        RowKey::File(self.instance.id().clone(), database, file)
    }
}

impl filter::Row for Line<'_> {
    fn text(&self, out: &mut String) {
        out.push_str(self.instance.id().as_str());
        let file = &self.row.file;
        for text in [&file.database, &file.name, &file.kind, &file.path].into_iter().flatten() {
            out.push(' ');
            out.push_str(text);
        }
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        if !visit_values(COLUMNS, self, key, visit) {
            instance_values(&self.instance.info, key, visit);
        }
    }
}

/// Places of the rows: instance in the snapshot, file in its table.
type Place = (u32, u32);

struct Lines<'a> {
    places: &'a [Place],
    view: &'a View<'a>,
}

fn line<'a>(view: &'a View<'_>, (instance, file): Place) -> Option<Line<'a>> {
    let instance = view.instance(instance)?;
    let row = instance.facts.files.get()?.files.get(file as usize)?;
    Some(Line { view, instance, row })
}

impl Rows<Files> for Lines<'_> {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn key(&self, i: usize) -> RowKey {
        self.get(i).map_or_else(|| RowKey::File(InstanceId::new(""), 0, 0), |f| f.key())
    }

    fn get(&self, i: usize) -> Option<Line<'_>> {
        line(self.view, *self.places.get(i)?)
    }
}

/// State of the pane.
#[derive(Debug)]
pub struct StoragePane {
    table: Table<Files>,
    places: Vec<Place>,
    before: usize,
    left_out: u64,
    filter: FilterSlot,
    line: TimeLine,
}

impl Default for StoragePane {
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

impl StoragePane {
    fn collect(&mut self, view: &View<'_>) {
        self.places.clear();
        (self.before, self.left_out) = (0, 0);
        for (n, instance) in view.instances() {
            let Some(table) = instance.facts.files.get() else { continue };
            self.before += table.files.len();
            self.left_out += table.left_out;
            for (f, row) in table.files.iter().enumerate() {
                if self.filter.keeps(&Line { view, instance, row }) {
                    self.places.push((n, f as u32));
                }
            }
        }
        let mut order: Vec<u32> = (0..self.places.len() as u32).collect();
        let at = |n: u32| line(view, *self.places.get(n as usize)?);
        if !self.table.order(&mut order, at) {
            // A trickle behind the rest: both orders are stable.
            for ms in [FileRow::slowest_ms, FileRow::busy_ms] {
                sort_rows(&mut order, true, |n| number(at(n).and_then(|f| ms(f.row))).into());
            }
        }
        self.places = order.into_iter().filter_map(|n| self.places.get(n as usize).copied()).collect();
    }

    /// Draws the charts of an instance: times, and bytes beside them where there is room.
    fn render_charts(&self, i: &InstanceSnapshot, view: &View<'_>, canvas: &mut Canvas<'_>) {
        let (w, h) = (canvas.width(), canvas.height());
        let marks = self.line.marks(view, i.id());
        let words = u16::from((!marks.is_empty() || self.line.cursor().is_some()) && h > 5);
        if words > 0 {
            render_events(self.line, marks, view, &mut canvas.part(0, h - 1, w, 1));
        }
        let height = h - words;
        let asked = series();
        let sight = Sight { line: self.line, asked: &asked, dots: false };
        let width = if w >= SIDE_BY_SIDE { w / 2 } else { w };
        LATENCY.draw(i, view, &mut canvas.part(1, 0, width.saturating_sub(2), height), sight);
        if width < w {
            let mut part = canvas.part(width + 1, 0, (w - width).saturating_sub(2), height);
            BYTES.draw(i, view, &mut part, sight);
        }
    }
}

impl Pane for StoragePane {
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
            reading::push_sampled(out, &i.facts.files, view.now);
        }
        if self.left_out > 0 {
            out.push((Part::Plain, format!("{} more files were waited for less", self.left_out)));
        }
        if self.table.sort.is_some() {
            let mut order = String::new();
            self.table.order_name("", &mut order);
            out.push((Part::Plain, order));
        }
        reading::push_unknown(out, view, |f| &f.files);
        if self.table.sort.is_none() && !self.places.is_empty() {
            out.push((Part::Plain, "slowest first, below 1/s behind".to_owned()));
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
            && i.facts.files.get().is_some()
        {
            y = (h * 2 / 5).min(15);
            self.render_charts(i, view, &mut canvas.part(0, 0, w, y - 1));
        }
        let mut body = canvas.part(0, y, w, h - y);
        if self.places.is_empty() {
            let lines = if self.before > 0 {
                vec!["No file matches the filter.".to_owned(), "Esc clears it.".to_owned()]
            } else {
                reading::absence("How fast files are", "No file was seen", view, |f| &f.files)
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
            Action::Narrow => wishes.extend(reading::narrow(PaneId::Storage, self.table.selected(), view)),
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
        let RowKey::File(id, database, file) = key else { return None };
        let instance = view.snapshot.find(id)?;
        let files = &instance.facts.files.get()?.files;
        let row = files.iter().find(|f| f.file.ids() == (*database, *file))?;
        Some(document(&Line { view, instance, row }))
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

/// All about a file: every column that is known.
fn document(row: &Line<'_>) -> Document {
    let mut d = Document::new(row.row.file.name.as_deref().unwrap_or("a file without a name"));
    d.field("instance", row.view.theme.strong, |s| s.push_str(row.instance.id().as_str()));
    let mut cell = CellText::default();
    for column in COLUMNS.iter().filter(|c| c.id != INSTANCE && c.id != "file") {
        cell.clear();
        (column.cell)(row, (column.value)(row), &mut cell);
        d.field(label(column.title), row.style(), |s| s.push_str(cell.as_str().trim()));
    }
    d
}

/// A title as the name of a field: small, as the names of all documents are.
fn label(title: &str) -> String {
    title.to_lowercase().replace("mb/s", "MB/s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{files::DatabaseFile, reading::Reading},
        tui::{fixture, pane::stage::Stage, widget::column::ambiguous},
    };
    use std::sync::Arc;

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn the_slowest_file_of_the_scope_stands_first() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = StoragePane::default();
        let lines = stage.draw(&mut pane, 120, 20);
        let slow = lines.iter().position(|l| l.contains("sqlprd-003") && l.contains("orders_log"));
        assert_eq!(slow, Some(1), "{lines:#?}");
    }

    #[test]
    fn a_file_with_one_slow_write_a_minute_does_not_stand_first() {
        let mut fleet = fixture::small();
        let calm = fleet.instances.iter_mut().find(|i| i.id().as_str() == "sqlprd-001").unwrap();
        let facts = &mut Arc::make_mut(calm).facts;
        let mut table = facts.files.get().unwrap().as_ref().clone();
        table.files[0] = FileRow {
            file: DatabaseFile { name: Some("rare_log".into()), ..table.files[0].file.clone() },
            writes_per_s: Some(1.0 / 60.0),
            write_ms: Some(900.0),
            reads_per_s: Some(0.0),
            read_ms: None,
            ..table.files[0].clone()
        };
        facts.files = Reading::good(Arc::new(table), fixture::NOW, 60_000);
        let lines = Stage::fleet(fleet).draw(&mut StoragePane::default(), 120, 60);
        let at = |name: &str| lines.iter().position(|l| l.contains(name)).unwrap();
        assert_eq!(at("orders_log"), 1, "{lines:#?}");
        assert_eq!(
            at("rare_log") + 1,
            at("crm_log"),
            "behind all that are busy, before the unknown: {lines:#?}"
        );
    }

    #[test]
    fn the_details_of_a_file_name_their_fields_as_all_details_do() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = StoragePane::default();
        pane.rebuild(&stage.view());
        let document = pane.details(&pane.selected().unwrap(), &stage.view()).unwrap();
        let text = document.to_copy();
        for name in
            ["instance: ", "database: ", "read ms: ", "write ms: ", "writes/s: ", "read MB/s: ", "path: "]
        {
            assert!(text.contains(&format!("\n{name}")), "{name} in {text}");
        }
    }

    #[test]
    fn a_filter_by_latency_keeps_the_slow_ones_and_unknown_is_not_slow() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = StoragePane::default();
        pane.rebuild(&stage.view());
        let all = pane.counts().0;
        pane.set_filter("write_ms>50").unwrap();
        pane.rebuild(&stage.view());
        assert!(all > pane.counts().0 && pane.counts().0 == 1, "{:?} of {all}", pane.counts());
    }
}
