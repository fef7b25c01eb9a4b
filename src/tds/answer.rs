//! Answers: result sets of our own cells, read leniently. A DMV column may be of another type than the documentation says,
//! NULL, negative or missing: reading it returns None then, never an error.

use crate::model::base::{failure::Failure, text::sanitize_line, time::Timestamp};
use std::sync::Arc;

/// One value, in the few shapes that decoders care about.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// NULL of any type
    #[default]
    Null,
    /// bit
    Bool(bool),
    /// every integer type, and decimals without a fraction
    Int(i64),
    /// float, real, money, decimals
    Float(f64),
    /// every character type, xml (without its U+FEFF), and uniqueidentifier in its printed form
    Text(String),
    /// every binary type
    Bytes(Vec<u8>),
    /// date and time without a zone: ms since 1970-01-01 00:00 in the server's zone
    Local(i64),
    /// datetimeoffset: ms since the epoch in UTC, and the offset from UTC in minutes
    Instant {
        /// UTC
        utc_ms: i64,
        /// minutes east of UTC
        offset_min: i16,
    },
}

/// One result set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultSet {
    /// column names, in order
    pub columns: Vec<String>,
    /// rows; shorter rows read as NULL
    pub rows: Vec<Vec<Cell>>,
    /// false if the set may lack rows: the answer ended with an error right behind it, or was cut
    pub complete: bool,
}

impl ResultSet {
    /// The rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> + Clone {
        self.rows.iter().map(|cells| Row { columns: &self.columns, cells })
    }

    /// The first row, for sets of one.
    pub fn first(&self) -> Option<Row<'_>> {
        self.rows().next()
    }
}

/// The answer to one question: whole sets and the start of a cut one, and the error that ended it. Sets and an error can
/// be there at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// in the order of the statements; a statement that failed at once has none
    pub sets: Vec<ResultSet>,
    /// the first error that the server sent, or the failure that broke the connection
    pub error: Option<Failure>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    cells: &'a [Cell],
}

/// What no count can be above, by the end of the name of its column or counter; of two that fit the first. A count beyond it is not known:
/// no reason of health and no rate is made of it. Sizes: the largest database has 512 PB. Things that are there now: far more than
/// any server has had.
const MOST: &[(&str, i64)] = &[
    ("bytes", 1 << 60),
    ("bytes_read", 1 << 60),
    ("bytes_written", 1 << 60),
    ("kb", 1 << 50),
    ("(kb)", 1 << 50),
    ("mb", 1 << 40),
    ("pages", 1 << 47),
    ("percent", 100),
    ("numa_node_count", 1 << 16),
    ("cpu_count", 1 << 16),
    ("schedulers", 1 << 16),
    ("workers", 1 << 24),
    ("workers_count", 1 << 24),
    ("tasks", 1 << 24),
    ("sessions", 1 << 24),
    ("requests", 1 << 24),
    ("connections", 1 << 24),
    ("grants pending", 1 << 24),
    ("grants outstanding", 1 << 24),
    ("waiter_count", 1 << 24),
    ("grantee_count", 1 << 24),
    ("transaction_count", 1 << 24),
    ("pending_io", 1 << 24),
    ("pending_ios", 1 << 24),
    ("files", 1 << 24),
    ("clerks", 1 << 24),
    ("types", 1 << 24),
    ("wait_order", 1 << 24),
    ("minutes", 1 << 24),
    ("queue_size", 1 << 50),
    ("vlf_count", 1 << 32),
    ("plans", 1 << 32),
    ("queries", 1 << 32),
    ("modules", 1 << 32),
    ("hashes", 1 << 32),
    ("total_rows", 1 << 32),
];

/// What no other count can be above, what is added up since a server began too: two thousand years in microseconds.
const MOST_OF_ANYTHING: i64 = 1 << 56;

/// The most that a count of this name can be.
fn most(name: &str) -> i64 {
    let ends = |end: &str| {
        let tail = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    MOST.iter().find(|(end, _)| ends(end)).map_or(MOST_OF_ANYTHING, |(_, most)| *most)
}

/// Times outside of this come from a wrong clock or an unset column (datetime's zero is 1900).
const BELIEVED_MS: std::ops::Range<i64> = 631_152_000_000..7_258_118_400_000; // 1990-01-01 .. 2200-01-01

impl<'a> Row<'a> {
    /// The cell of a column; NULL if there is no such column.
    pub fn cell(&self, column: &str) -> &'a Cell {
        // Most names of a set are as long as some others, and begin alike: a byte of the middle spares the comparison of all.
        let half = column.len() / 2;
        let middle = column.as_bytes().get(half);
        let is_it = |c: &String| c.len() == column.len() && c.as_bytes().get(half) == middle && c == column;
        let index = self.columns.iter().position(is_it);
        index.and_then(|i| self.cells.get(i)).unwrap_or(&Cell::Null)
    }

    /// A whole number, from any type that holds one.
    pub fn i64(&self, column: &str) -> Option<i64> {
        match self.cell(column) {
            Cell::Bool(b) => Some(i64::from(*b)),
            Cell::Int(n) => Some(*n),
            // Bounds that an f64 holds exactly.
            Cell::Float(f) if f.abs() < 9.2e18 => Some(*f as i64),
            Cell::Text(t) => t.trim().parse().ok(),
            _ => None,
        }
    }

    /// A whole number that fits an i32.
    pub fn i32(&self, column: &str) -> Option<i32> {
        self.i64(column).and_then(|n| n.try_into().ok())
    }

    /// A count, as far as it can be one: None for one that is negative, or above what can be.
    pub fn count(&self, column: &str) -> Option<i64> {
        self.count_of(column, column)
    }

    /// A count that the name of something else tells the unit of, as a performance counter does.
    pub fn count_of(&self, column: &str, name: &str) -> Option<i64> {
        self.i64(column).filter(|n| (0..=most(name)).contains(n))
    }

    /// A count that fits an i32.
    pub fn small(&self, column: &str) -> Option<i32> {
        self.count(column).and_then(|n| n.try_into().ok())
    }

    /// What came less what went, which may be negative for a moment: None for one that is further from zero than can be.
    pub fn balance(&self, column: &str) -> Option<i64> {
        let most = most(column);
        self.i64(column).filter(|n| (-most..=most).contains(n))
    }

    /// A count with a fraction, as far as it can be one.
    pub fn amount(&self, column: &str) -> Option<f64> {
        self.f64(column).filter(|n| (0.0..=most(column) as f64).contains(n))
    }

    /// A finite number.
    pub fn f64(&self, column: &str) -> Option<f64> {
        match self.cell(column) {
            Cell::Float(f) => Some(*f),
            Cell::Int(n) => Some(*n as f64),
            Cell::Text(t) => t.trim().parse().ok(),
            _ => None,
        }
        .filter(|f: &f64| f.is_finite())
    }

    /// A flag: a bit, or a number that is not zero.
    pub fn bool(&self, column: &str) -> Option<bool> {
        self.i64(column).map(|n| n != 0)
    }

    /// Text as the server sent it: hostile. For texts that are searched or cut, never for the screen.
    pub fn raw_text(&self, column: &str) -> Option<&'a str> {
        match self.cell(column) {
            Cell::Text(t) => Some(t),
            _ => None,
        }
    }

    /// One harmless line of at most `max_chars`, trimmed; None if nothing is left.
    pub fn line(&self, column: &str, max_chars: usize) -> Option<Arc<str>> {
        let line = match self.cell(column) {
            Cell::Text(t) => sanitize_line(t, max_chars),
            Cell::Int(n) => n.to_string().into(),
            _ => return None,
        };
        (!line.is_empty()).then_some(line)
    }

    /// A name: [`Self::line`] with the length of the longest names that SQL Server has (128), doubled.
    pub fn name(&self, column: &str) -> Option<Arc<str>> {
        self.line(column, 256)
    }

    /// Bytes that are not empty.
    pub fn bytes(&self, column: &str) -> Option<&'a [u8]> {
        match self.cell(column) {
            Cell::Bytes(b) if !b.is_empty() => Some(b),
            _ => None,
        }
    }

    /// A datetimeoffset: the instant, and minutes east of UTC.
    pub fn instant(&self, column: &str) -> Option<(Timestamp, i32)> {
        match self.cell(column) {
            Cell::Instant { utc_ms, offset_min } if BELIEVED_MS.contains(utc_ms) => {
                Some((Timestamp::from_ms(*utc_ms), i32::from(*offset_min)))
            }
            _ => None,
        }
    }

    /// A time without zone, made UTC by the server's offset. None without an offset, and for impossible times.
    pub fn local(&self, column: &str, offset_min: Option<i32>) -> Option<Timestamp> {
        let utc_ms = match self.cell(column) {
            Cell::Local(ms) => ms.checked_sub(i64::from(offset_min?) * 60_000)?,
            Cell::Instant { utc_ms, .. } => *utc_ms,
            _ => return None,
        };
        BELIEVED_MS.contains(&utc_ms).then(|| Timestamp::from_ms(utc_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cells: Vec<(&str, Cell)>) -> ResultSet {
        let (columns, row): (Vec<_>, Vec<_>) = cells.into_iter().map(|(n, c)| (n.to_owned(), c)).unzip();
        ResultSet { columns, rows: vec![row], complete: true }
    }

    #[test]
    fn numbers_are_read_from_any_type_that_holds_them() {
        let set = set(vec![
            ("int", Cell::Int(-7)),
            ("float", Cell::Float(2.9)),
            ("text", Cell::Text(" 42 ".into())),
            ("bit", Cell::Bool(true)),
            ("nan", Cell::Float(f64::NAN)),
            ("huge", Cell::Float(1e300)),
            ("null", Cell::Null),
        ]);
        let row = set.first().unwrap();
        assert_eq!(row.i64("int"), Some(-7));
        assert_eq!(row.count("int"), None);
        assert_eq!(row.balance("int"), Some(-7));
        assert_eq!(row.i64("float"), Some(2));
        assert_eq!(row.i64("text"), Some(42));
        assert_eq!(row.bool("bit"), Some(true));
        assert_eq!((row.i64("nan"), row.f64("nan"), row.i64("huge")), (None, None, None));
        assert_eq!((row.i64("null"), row.i64("absent")), (None, None));
    }

    #[test]
    fn names_are_harmless_and_never_empty() {
        let set =
            set(vec![("a", Cell::Text("x\u{1b}[2J\u{202e}y  ".into())), ("b", Cell::Text(" \u{7} ".into()))]);
        let row = set.first().unwrap();
        assert_eq!(row.name("a").as_deref(), Some("xy"));
        assert_eq!(row.name("b"), None);
    }

    #[test]
    fn server_local_times_need_the_servers_offset() {
        let noon = 1_700_000_000_000;
        let set = set(vec![("t", Cell::Local(noon)), ("zero", Cell::Local(-2_208_988_800_000))]);
        let row = set.first().unwrap();
        assert_eq!(row.local("t", Some(120)), Some(Timestamp::from_ms(noon - 7_200_000)));
        assert_eq!(row.local("t", None), None);
        assert_eq!(row.local("zero", Some(0)), None, "datetime's zero is not a time");
    }

    #[test]
    fn a_short_row_reads_as_null() {
        let set = ResultSet {
            columns: vec!["a".into(), "b".into()],
            rows: vec![vec![Cell::Int(1)]],
            complete: true,
        };
        assert_eq!(set.first().unwrap().i64("b"), None);
    }

    #[test]
    fn a_count_that_cannot_be_is_not_known() {
        let row_of = |name: &str, n: i64| set(vec![(name, Cell::Int(n))]);
        for (name, most) in [
            ("runnable_tasks", 1 << 24),
            ("redo_queue_size", 1 << 50),
            ("active_vlf_count", 1 << 32),
            ("total_rows", 1 << 32),
            ("row_count", 1 << 56),
            ("size_pages", 1 << 47),
            ("granted_memory_kb", 1 << 50),
            ("num_of_bytes_read", 1 << 60),
            ("wait_time_ms", 1 << 56),
            ("x", 1 << 56),
        ] {
            let told = [0, most, most + 1, i64::MAX, -1, i64::MIN].map(|n| {
                let set = row_of(name, n);
                let row = set.first().unwrap();
                row.count(name)
            });
            assert_eq!(told, [Some(0), Some(most), None, None, None, None], "{name}");
        }
        let set = row_of("cntr_value", 1 << 55);
        let row = set.first().unwrap();
        assert_eq!(row.count_of("cntr_value", "Batch Requests/sec"), Some(1 << 55));
        assert_eq!(row.count_of("cntr_value", "Total Server Memory (KB)"), None);
        assert_eq!(row.count_of("cntr_value", "User Connections"), None);
        let set = row_of("now_pages", -(1 << 48));
        assert_eq!(set.first().unwrap().balance("now_pages"), None);
        let set = row_of("memory_pages", 1 << 48);
        assert_eq!(set.first().unwrap().amount("memory_pages"), None);
        let set = row_of("cpu_count", 64);
        assert_eq!(set.first().unwrap().small("cpu_count"), Some(64));
    }
}
