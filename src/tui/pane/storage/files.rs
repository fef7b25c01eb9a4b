//! The files: how long reads and writes of each take, the slowest first; how it grows, and whether the next growth has room. Above
//! the files of one instance stand the charts of all its files together.

use super::{
    super::{
        figure::{Figure, limits},
        kept::{self, Kept},
        parts::{self, By, Line, Parts, Words, bytes, text},
    },
    free::{free_space, inside},
    recorded::session_of_growths,
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::together::next_fits,
        inventory::instance::InstanceId,
        judge::limits::Gauge,
        poll::{
            Facts,
            files::{FileRow, FileTable, LEAST_PER_S},
            id::SeriesId,
            reading::Reading,
            space::{FileSpace, Fits, Growth, Most},
        },
    },
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, in_ms, ms, number, size, whole, words},
        },
        wish::Wish,
    },
};
use std::sync::Arc;

/// How long reads and writes take: the chart that stands alone where there is no room for two.
pub(super) const LATENCY: Figure = Figure {
    title: "file latency ms",
    series: SeriesId::FileRead,
    other: Some((SeriesId::FileWrite, ["read", "write"])),
    top: None,
    least: 10.0,
    limits: |t| limits(t, Gauge::Io),
};

/// How much is read and written.
pub(super) const BYTES: Figure = Figure::plain("read and written MB/s", SeriesId::FileBytes, 10.0);

/// Rows of the pane: a database file each.
#[derive(Debug)]
pub enum Files {}

impl Kind for Files {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Files {
    type Table = FileTable;
    type Part = FileRow;
    const PANE: PaneId = PaneId::Storage;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "file";
    // A trickle behind the rest.
    const ORDER: &'static [By<FileRow>] = &[FileRow::slowest_ms, FileRow::busy_ms];
    const FIGURES: &'static [Figure] = &[LATENCY, BYTES];
    const WORDS: Words = Words {
        order: "slowest first, below 1/s behind",
        left_out: "more files were waited for less",
        no_match: "No file matches the filter.",
        unknown: "How fast files are",
        nothing: "No file was seen",
        nameless: "a file without a name",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<FileTable>> {
        &facts.files
    }

    fn parts(table: &FileTable) -> (&[FileRow], u64) {
        (&table.files, table.left_out)
    }

    fn key(instance: &InstanceId, row: &FileRow) -> RowKey {
        let (database, file) = row.file.ids();
        RowKey::File(instance.clone(), database, file)
    }

    /// What it does, and of a data file what is free inside of those of its database.
    fn kept(line: &Line<'_, Self>) -> Vec<Kept> {
        let file = &line.part.file;
        let database = file.database.as_ref().filter(|_| file.kind.as_deref() != Some("LOG"));
        let inside = database.and_then(|database| inside(line.instance, database));
        of_file(line.part).unwrap_or_default().into_iter().chain(inside).collect()
    }

    fn act(action: Action, row: Option<&RowKey>, instance: Option<&InstanceId>) -> Option<Wish> {
        free_space(action, row, instance)
    }

    fn look(action: Action, view: &View<'_>) -> Option<Wish> {
        session_of_growths(action, view)
    }

    fn texts<'p>(row: &'p FileRow, with: &mut dyn FnMut(&'p str)) {
        let file = &row.file;
        for text in [&file.database, &file.name, &file.kind, &file.path].into_iter().flatten() {
            with(text);
        }
    }
}

/// The charts of a file. None: it has no name, and so no series.
fn of_file(row: &FileRow) -> Option<Vec<Kept>> {
    let (name, key) = (row.file.name.as_deref()?, row.file.series_key()?);
    Some(kept::traffic(name, kept::OF_FILE, &key).into())
}

type Column = column::Column<Files>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("db", "DATABASE", 18, 0)
        .at_least(10)
        .value(|f| words(f.part.file.database.as_deref()))
        .cell(text)
        .filter()
        .also(&["database"]),
    Column::text("file", "FILE", 20, 2)
        .at_least(10)
        .value(|f| words(f.part.file.name.as_deref()))
        .cell(|f, v, out| match v {
            Some(_) => text(f, v, out),
            None => out.fmt(f.view.theme.dim, format_args!("file {}", f.part.file.file_id)),
        })
        .filter(),
    Column::text("type", "TYPE", 6, 6).value(|f| words(f.part.file.kind.as_deref())).cell(text).filter(),
    Column::number("read_ms", "READ MS", 7, 0)
        .value(|f| in_ms(f.part.read_ms))
        .cell(|f, v, out| latency(f, v, f.part.reads_per_s, out))
        .filter(),
    Column::number("write_ms", "WRITE MS", 8, 0)
        .value(|f| in_ms(f.part.write_ms))
        .cell(|f, v, out| latency(f, v, f.part.writes_per_s, out))
        .filter(),
    Column::number("reads", "READS/S", 7, 3)
        .value(|f| number(f.part.reads_per_s))
        .cell(|f, v, out| f.put(v, out, figure::push_rate))
        .filter(),
    Column::number("writes", "WRITES/S", 8, 3)
        .value(|f| number(f.part.writes_per_s))
        .cell(|f, v, out| f.put(v, out, figure::push_rate))
        .filter(),
    Column::number("read_bytes", "READ MB/S", 9, 4)
        .value(|f| f.part.read_bytes_per_s.map(Value::Bytes))
        .cell(megabytes)
        .filter(),
    Column::number("write_bytes", "WRITE MB/S", 10, 4)
        .value(|f| f.part.write_bytes_per_s.map(Value::Bytes))
        .cell(megabytes)
        .filter(),
    Column::number("read_stall", "READ STALL", 10, 6)
        .value(|f| in_ms(f.part.read_stall()))
        .cell(|f, v, out| f.put(v, out, figure::push_rate))
        .filter(),
    Column::number("write_stall", "WRITE STALL", 11, 6)
        .value(|f| in_ms(f.part.write_stall()))
        .cell(|f, v, out| f.put(v, out, figure::push_rate))
        .filter(),
    Column::number("size", "SIZE", 8, 4).value(|f| size(f.part.size_bytes, 1.0)).cell(bytes).filter(),
    Column::number("inside", "FREE IN %", 9, 5)
        .value(|f| {
            number(f.instance.facts.room.get().and_then(|room| room.of(f.part.file.ids())?.free_pct()))
        })
        .cell(|f, v, out| f.put(v, out, figure::push_pct))
        .filter(),
    Column::text("fits", "NEXT FITS", 9, 5)
        .value(|f| words(next_fits(f.instance, f.part).map(Fits::word)))
        .cell(fits)
        .filter(),
    Column::number("next", "GROWS BY", 8, 6)
        .value(|f| size(next_kb(f), KB))
        .cell(grows_by)
        .filter()
        .also(&["growth"]),
    Column::number("max", "MAX SIZE", 9, 8)
        .value(|f| match space(f)?.most {
            Most::Kb(kb) => size(Some(kb), KB),
            Most::Unknown | Most::Unlimited => None,
        })
        .cell(most)
        .filter(),
    Column::number("pending", "PENDING", 7, 6)
        .value(|f| whole(f.part.pending_ios))
        .cell(|f, v, out| f.put(v, out, figure::push_count))
        .filter(),
    Column::number("oldest_io", "OLDEST I/O", 10, 6)
        .value(|f| ms(f.part.oldest_io_ms))
        .cell(oldest_io)
        .filter(),
    Column::number("at_os", "AT OS", 6, 8)
        .value(|f| whole(f.part.ios_at_os))
        .cell(|f, v, out| f.put(v, out, figure::push_count))
        .filter(),
    Column::text("path", "PATH", 30, 7)
        .at_least(16)
        .growing()
        .value(|f| words(f.part.file.path.as_deref()))
        .cell(text)
        .filter(),
];

const MB: f64 = 1_048_576.0;
const KB: f64 = 1024.0;

/// Its room, which is polled more seldom.
fn space<'a>(f: &Line<'a, Files>) -> Option<&'a FileSpace> {
    f.instance.facts.space.get()?.of(f.part.file.ids())
}

fn next_kb(f: &Line<'_, Files>) -> Option<i64> {
    match space(f)?.growth {
        Growth::Fixed => Some(0),
        _ => space(f)?.next_kb(f.part.size_bytes.map(|bytes| bytes / 1024)),
    }
}

fn fits(f: &Line<'_, Files>, v: Option<Value<'_>>, out: &mut CellText) {
    match v {
        Some(Value::Text(words)) if next_fits(f.instance, f.part).is_some_and(Fits::fails) => {
            out.put(f.view.theme.warning, words);
        }
        _ => text(f, v, out),
    }
}

fn grows_by(f: &Line<'_, Files>, v: Option<Value<'_>>, out: &mut CellText) {
    match space(f).map(|space| space.growth) {
        Some(Growth::Fixed) => out.put(f.style(), "fixed"),
        Some(Growth::ByPct(pct)) => out.fmt(f.style(), format_args!("{pct} %")),
        _ => bytes(f, v, out),
    }
}

fn most(f: &Line<'_, Files>, v: Option<Value<'_>>, out: &mut CellText) {
    match space(f).map(|space| space.most) {
        Some(Most::Unlimited) => out.put(f.style(), "unlimited"),
        _ => bytes(f, v, out),
    }
}

/// A cell with bytes per second, in MB.
pub(super) fn megabytes<P: Parts>(line: &Line<'_, P>, v: Option<Value<'_>>, out: &mut CellText) {
    line.put(v, out, |s, bytes| figure::push_rate(s, bytes / MB));
}

/// The age of the oldest I/O in flight: one that passes the limits of the score stands out.
pub(super) fn oldest_io<P: Parts>(line: &Line<'_, P>, v: Option<Value<'_>>, out: &mut CellText) {
    let Some(ms) = v.and_then(Value::figure) else { return out.put(line.view.theme.dim, "–") };
    let t = line.view.theme;
    let style = match line.view.snapshot.thresholds.limits(Gauge::PendingIo) {
        _ if line.is_stale() => line.style(),
        Some(limits) if limits.is_critical(ms / 1_000.0) => t.critical,
        Some(limits) if limits.is_warning(ms / 1_000.0) => t.warning,
        _ => line.style(),
    };
    out.with(style, |s| figure::push_wait(s, ms));
}

/// A time that passes the limits of the score stands out, where there is more than a trickle.
fn latency(f: &Line<'_, Files>, v: Option<Value<'_>>, per_s: Option<f64>, out: &mut CellText) {
    let Some(ms) = v.and_then(Value::figure) else { return out.put(f.view.theme.dim, "–") };
    let t = f.view.theme;
    let limits = f.view.snapshot.thresholds.limits(Gauge::Io);
    let style = match limits {
        _ if f.is_stale() || per_s.is_none_or(|n| n < LEAST_PER_S) => f.style(),
        Some(limits) if limits.is_critical(ms) => t.critical,
        Some(limits) if limits.is_warning(ms) => t.warning,
        _ => f.style(),
    };
    out.with(style, |s| figure::push_rate(s, ms));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::files::DatabaseFile,
        tui::{
            fixture,
            pane::{Pane, stage::Stage, storage},
            widget::column::ambiguous,
        },
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn the_slowest_file_of_the_scope_stands_first() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = storage::pane();
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
        let lines = Stage::fleet(fleet).draw(&mut storage::pane(), 120, 60);
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
        let mut pane = storage::pane();
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
        let mut pane = storage::pane();
        pane.rebuild(&stage.view());
        let all = pane.counts().0;
        pane.set_filter("write_ms>50").unwrap();
        pane.rebuild(&stage.view());
        assert!(all > pane.counts().0 && pane.counts().0 == 1, "{:?} of {all}", pane.counts());
    }
}
