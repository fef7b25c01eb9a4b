//! Files added up by database, the largest database first.

use super::{
    super::{
        figure::Figure,
        kept::{self, HOUR_MS, Kept},
        parts::{self, By, Line, Parts, Words, bytes, text},
    },
    files::{BYTES, LATENCY, megabytes, oldest_io},
    free::{free_space, inside},
    recorded::session_of_growths,
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::together::Sums,
        inventory::instance::InstanceId,
        poll::{
            Facts,
            databases::DatabaseRow,
            id::{Metric, SeriesId},
            reading::Reading,
        },
    },
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
        widget::column::{self, Kind, in_ms, ms, number, size, whole, words},
        wish::Wish,
    },
};
use std::sync::Arc;

/// How large all of them are: over weeks it shows how they grow.
pub(super) const SIZES: Figure = Figure::plain("database files GB", SeriesId::DatabaseFiles, 1.0);

/// Rows: a database each.
#[derive(Debug)]
pub enum Databases {}

impl Kind for Databases {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Databases {
    type Table = Vec<DatabaseRow>;
    type Part = DatabaseRow;
    const PANE: PaneId = PaneId::Storage;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "db";
    const ORDER: &'static [By<DatabaseRow>] = &[|d| d.size_bytes.map(|bytes| bytes as f64)];
    const FIGURES: &'static [Figure] = &[SIZES, LATENCY, BYTES];
    const WORDS: Words = Words {
        order: "largest first",
        left_out: "more databases",
        no_match: "No database matches the filter.",
        unknown: "Which databases there are",
        nothing: "No database was seen",
        nameless: "a database that the login may not see",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<Vec<DatabaseRow>>> {
        &facts.databases
    }

    fn parts(table: &Vec<DatabaseRow>) -> (&[DatabaseRow], u64) {
        (table, 0)
    }

    fn key(instance: &InstanceId, row: &DatabaseRow) -> RowKey {
        RowKey::Database(instance.clone(), row.id)
    }

    /// How large it is, over weeks it shows how it grows; how fast its files are, what is free inside of them, and how large its log is.
    fn kept(line: &Line<'_, Self>) -> Vec<Kept> {
        let Some(name) = &line.part.name else { return Vec::new() };
        let chart = |what: &str, metric| Kept::in_gb(format!("{name} {what} GB"), metric, name, 24 * HOUR_MS);
        let [latency, bytes, ops] = kept::traffic(name, OF_DATABASE, name);
        let (size, log) = (chart("files", Metric::DatabaseSize), chart("log", Metric::DatabaseLogSize));
        let inside = inside(line.instance, name);
        [size, latency].into_iter().chain(inside).chain([log, bytes, ops]).collect()
    }

    fn act(action: Action, row: Option<&RowKey>, instance: Option<&InstanceId>) -> Option<Wish> {
        free_space(action, row, instance)
    }

    fn look(action: Action, view: &View<'_>) -> Option<Wish> {
        session_of_growths(action, view)
    }

    fn texts<'p>(row: &'p DatabaseRow, with: &mut dyn FnMut(&'p str)) {
        row.name.as_deref().into_iter().for_each(with);
    }
}

/// What its files do: read, write, operations, traffic.
const OF_DATABASE: [Metric; 4] =
    [Metric::DatabaseRead, Metric::DatabaseWrite, Metric::DatabaseOps, Metric::DatabaseBytes];

type Column = column::Column<Databases>;

fn sums(d: &Line<'_, Databases>) -> Sums {
    Sums::of(d.instance, |file| file.file.database_id == d.part.id)
}

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("db", "DATABASE", 22, 0)
        .at_least(12)
        .growing()
        .value(|d| words(d.part.name.as_deref()))
        .cell(|d, v, out| match v {
            Some(_) => text(d, v, out),
            None => out.fmt(d.view.theme.dim, format_args!("db {}", d.part.id)),
        })
        .filter()
        .also(&["database"]),
    Column::number("size", "SIZE", 8, 0).value(|d| size(d.part.size_bytes, 1.0)).cell(bytes).filter(),
    Column::number("log", "LOG", 8, 2).value(|d| size(d.part.log_bytes, 1.0)).cell(bytes).filter(),
    Column::number("read_ms", "READ MS", 7, 0)
        .value(|d| in_ms(sums(d).traffic.read_ms))
        .cell(|d, v, out| d.put(v, out, figure::push_rate))
        .filter(),
    Column::number("write_ms", "WRITE MS", 8, 0)
        .value(|d| in_ms(sums(d).traffic.write_ms))
        .cell(|d, v, out| d.put(v, out, figure::push_rate))
        .filter(),
    Column::number("reads", "READS/S", 7, 1)
        .value(|d| number(sums(d).traffic.reads))
        .cell(|d, v, out| d.put(v, out, figure::push_rate))
        .filter(),
    Column::number("writes", "WRITES/S", 8, 1)
        .value(|d| number(sums(d).traffic.writes))
        .cell(|d, v, out| d.put(v, out, figure::push_rate))
        .filter(),
    Column::number("read_bytes", "READ MB/S", 9, 3)
        .value(|d| sums(d).traffic.read_bytes.map(Value::Bytes))
        .cell(megabytes)
        .filter(),
    Column::number("write_bytes", "WRITE MB/S", 10, 3)
        .value(|d| sums(d).traffic.write_bytes.map(Value::Bytes))
        .cell(megabytes)
        .filter(),
    Column::number("read_stall", "READ STALL", 10, 6)
        .value(|d| in_ms(sums(d).traffic.read_stall))
        .cell(|d, v, out| d.put(v, out, figure::push_rate))
        .filter(),
    Column::number("write_stall", "WRITE STALL", 11, 6)
        .value(|d| in_ms(sums(d).traffic.write_stall))
        .cell(|d, v, out| d.put(v, out, figure::push_rate))
        .filter(),
    Column::number("pending", "PENDING", 7, 5)
        .value(|d| whole(sums(d).traffic.pending))
        .cell(|d, v, out| d.put(v, out, figure::push_count))
        .filter(),
    Column::number("oldest_io", "OLDEST I/O", 10, 5)
        .value(|d| ms(sums(d).traffic.oldest_io_ms))
        .cell(oldest_io)
        .filter(),
    Column::number("failing", "CANNOT GROW", 11, 4)
        .value(|d| whole(d.instance.facts.space.get().map(|_| sums(d).failing)))
        .cell(|d, v, out| match v.and_then(Value::figure) {
            Some(n) if n > 0.0 => out.with(d.view.theme.warning, |s| figure::push_count(s, n)),
            _ => d.put(v, out, figure::push_count),
        })
        .filter(),
];

#[cfg(test)]
mod tests {
    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(crate::tui::widget::column::ambiguous(super::COLUMNS), [""; 0]);
    }
}
