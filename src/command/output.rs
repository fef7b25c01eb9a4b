//! Results on standard output: a typed grid in three spellings (aligned table, JSON, CSV), and plain text. Every
//! sub-command that prints rows makes a [`Grid`]; the screen has a table of its own. Advice for people does not go
//! through here: `ask::say` writes it to standard error.

use crate::{
    app::locale,
    cli::Format,
    model::{
        base::{
            ascii, figure,
            filter::{Kinds, Row, Unit, Value},
            time::Timestamp,
            zone::Zone,
        },
        inventory::instance::InstanceInfo,
        poll::properties::Properties,
    },
};
use anyhow::Context;
use std::io::{ErrorKind, Write};
use unicode_width::UnicodeWidthStr;

/// The last column of most subjects: why an instance has no rows. The table omits it if every instance has rows.
pub const PROBLEM: &str = "problem";
/// The prefix of columns about the store. The table omits such a column if no row has a value in it.
pub const STORE: &str = "store_";

/// One cell. An unknown value is never zero: it is [`Cell::Unknown`] with the reason in words.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// text, sanitized
    Text(String),
    /// whole number
    Int(i64),
    /// number; printed with one decimal in the table, to a thousandth of it or of one in CSV, and as it is in JSON
    Real(f64),
    /// bytes; with a unit that fits in the table, and as they are elsewhere
    Size(i64),
    /// yes or no
    Flag(bool),
    /// an instant, and as it is written for machines, by the clock of `ui.time_zone`
    Time(Timestamp, String),
    /// not known, and why: `n/a (VIEW SERVER STATE)`, in the table without what is in brackets, null in JSON, empty in CSV
    Unknown(String),
}

impl Cell {
    /// A text, or unknown without a reason.
    pub fn text(s: Option<&str>) -> Self {
        s.map_or(Self::Unknown(String::new()), |s| Self::Text(s.to_owned()))
    }

    /// A whole number, or unknown.
    pub fn int(n: Option<i64>) -> Self {
        n.map_or(Self::Unknown(String::new()), Self::Int)
    }

    /// A number, or unknown.
    pub fn real(n: Option<f64>) -> Self {
        n.filter(|n| n.is_finite()).map_or(Self::Unknown(String::new()), Self::Real)
    }

    /// An instant, or unknown.
    pub fn time(at: Option<Timestamp>, zone: &Zone) -> Self {
        at.map_or(Self::Unknown(String::new()), |at| Self::Time(at, zone.rfc3339(at)))
    }

    /// This cell, saying why if it is unknown.
    #[must_use]
    pub fn because(self, reason: Option<&str>) -> Self {
        match (self, reason) {
            (Self::Unknown(_), Some(r)) => Self::Unknown(r.to_owned()),
            (cell, _) => cell,
        }
    }

    /// The text of a text cell.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(s) | Self::Time(_, s) => Some(s),
            _ => None,
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Real(_) | Self::Size(_))
    }

    /// As it reads alone.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(s) | Self::Time(_, s) => s.clone(),
            Self::Int(n) | Self::Size(n) => n.to_string(),
            Self::Real(n) => format!("{n:.1}"),
            Self::Flag(b) => (if *b { "yes" } else { "no" }).into(),
            Self::Unknown(why) if why.is_empty() => "–".into(),
            Self::Unknown(why) => why.clone(),
        }
    }

    /// As [`Self::shown`], in few columns.
    fn short(&self) -> String {
        match self {
            Self::Size(bytes) => {
                let mut text = String::new();
                figure::push_size(&mut text, *bytes as f64);
                text
            }
            // Each reason would make its column as wide as a sentence. It stands in the row's last column.
            Self::Unknown(why) if !why.is_empty() => "n/a".to_owned(),
            other => other.shown(),
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(s) | Self::Time(_, s) => s.as_str().into(),
            Self::Int(n) | Self::Size(n) => (*n).into(),
            Self::Real(n) => serde_json::Number::from_f64(*n).map_or(serde_json::Value::Null, Into::into),
            Self::Flag(b) => (*b).into(),
            Self::Unknown(_) => serde_json::Value::Null,
        }
    }

    fn csv(&self) -> String {
        match self {
            Self::Unknown(_) => String::new(),
            Self::Real(n) => rounded(*n).to_string(),
            // A spreadsheet reads a text that starts with one of these as a formula; a server's texts are hostile.
            Self::Text(s) if s.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{s}"),
            other => other.shown(),
        }
    }
}

/// Three decimals; below one four digits, whatever their place, so that little is never nothing.
fn rounded(n: f64) -> f64 {
    let text = if n.abs() >= 1.0 { format!("{n:.3}") } else { format!("{n:.3e}") };
    text.parse().unwrap_or(n)
}

/// True if `key` means the column: its name with or without the unit, `elapsed` for `elapsed_ms`.
pub fn names(column: &str, key: &str) -> bool {
    column.eq_ignore_ascii_case(key) || unit(column).0.eq_ignore_ascii_case(key)
}

/// True for a column that only some rows have.
fn is_for_some(column: &str) -> bool {
    column == PROBLEM || column.starts_with(STORE)
}

/// How a figure of a column reads for the filter language.
type Read = fn(f64) -> Value<'static>;

/// A column's name without its unit, and what its figures are by that unit.
fn unit(column: &str) -> (&str, Option<Read>) {
    // The longer one of two that end alike comes first.
    const UNITS: [(&str, Read); 10] = [
        ("_bytes_per_s", |n| Value::In(n, Unit::Bytes)),
        ("_ms_per_s", |n| Value::In(n, Unit::Ms)),
        ("_per_s", Value::Number),
        ("_pct", Value::Number),
        ("_ms", Value::Ms),
        ("_s", |n| Value::Ms(n * 1000.0)),
        ("_kb_per_run", |n| Value::Bytes(n * 1024.0)),
        ("_per_run", Value::Number),
        ("_kb", |n| Value::Bytes(n * 1024.0)),
        ("_mb", |n| Value::Bytes(n * 1024.0 * 1024.0)),
    ];
    let found = UNITS.iter().find_map(|(suffix, read)| Some((column.strip_suffix(suffix)?, Some(*read))));
    found.unwrap_or((column, None))
}

/// What a column holds by its name alone.
fn kinds(column: &str) -> Kinds {
    let mut kinds = Kinds::default();
    if let Some(read) = unit(column).1 {
        kinds.learn(read(0.0));
    }
    kinds
}

/// What the columns that `key` means hold: by their names, else by the rows that are there.
pub fn kinds_of(key: &str, grid: &Grid) -> Kinds {
    let mut found = Kinds::default();
    // It is a text, and a year where that is known.
    if key.eq_ignore_ascii_case("version") {
        return found;
    }
    for (n, column) in grid.columns.iter().enumerate().filter(|(_, column)| names(column, key)) {
        if !kinds(column).is_unknown() {
            return kinds(column);
        }
        for cell in grid.rows.iter().filter_map(|row| row.get(n)) {
            if let Some(value) = value(column, cell) {
                found.learn(value);
            }
        }
    }
    found
}

/// A cell as the filter language reads it; None: it is not known.
fn value<'c>(column: &str, cell: &'c Cell) -> Option<Value<'c>> {
    let read = |n: f64| unit(column).1.map_or(Value::Number(n), |read| read(n));
    Some(match cell {
        Cell::Text(s) | Cell::Time(_, s) => Value::Text(s),
        Cell::Int(n) => read(*n as f64),
        Cell::Size(n) => Value::Bytes(*n as f64),
        Cell::Real(n) => read(*n),
        Cell::Flag(b) => Value::Text(if *b { "yes" } else { "no" }),
        Cell::Unknown(_) => return None,
    })
}

/// A row as the filter language sees it.
pub struct GridRow<'a> {
    /// names
    pub columns: &'a [&'static str],
    /// cells
    pub cells: &'a [Cell],
    /// the instance it belongs to
    pub info: Option<&'a InstanceInfo>,
    /// the properties of that instance, if they are known
    pub properties: Option<&'a Properties>,
}

impl Row for GridRow<'_> {
    fn text(&self, out: &mut String) {
        for cell in self.cells.iter().filter(|c| !matches!(c, Cell::Unknown(_))) {
            out.push_str(&cell.shown());
            out.push(' ');
        }
        for group in self.info.iter().flat_map(|i| &i.groups) {
            out.push_str(group);
            out.push(' ');
        }
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        for (column, cell) in self.columns.iter().zip(self.cells).filter(|(c, _)| names(c, key)) {
            if let Some(value) = value(column, cell) {
                visit(value);
            }
        }
        // A version means here what it means on the screen.
        if key.eq_ignore_ascii_case("version")
            && let Some(p) = self.properties
        {
            p.versions(visit);
        }
        for (_, v) in self.info.iter().flat_map(|i| &i.labels).filter(|(k, _)| k.eq_ignore_ascii_case(key)) {
            visit(Value::Text(v));
        }
    }
}

/// Columns and rows. Every row has as many cells as there are columns.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// names, `snake_case` with the unit last
    pub columns: Vec<&'static str>,
    /// cells
    pub rows: Vec<Vec<Cell>>,
}

impl Grid {
    /// Prints the grid.
    ///
    /// # Errors
    /// Writing failed; a closed pipe is not an error.
    pub fn print(&self, format: Format, out: &mut impl Write) -> anyhow::Result<()> {
        let done = match format {
            Format::Table => self.table(out),
            Format::Json => self.as_json(out),
            Format::Csv => self.as_csv(out),
        };
        match done {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other.context("writing the result"),
        }
    }

    fn table(&self, out: &mut impl Write) -> std::io::Result<()> {
        const WIDEST: usize = 100;
        // A table is for people, and is as wide in ASCII. JSON and CSV are UTF-8.
        let is_ascii = locale::other_than_utf8().is_some();
        let shown: Vec<Vec<String>> =
            self.rows.iter().map(|r| r.iter().map(|c| clip(&c.short(), WIDEST)).collect()).collect();
        let header: Vec<String> = (0..self.columns.len()).map(|i| self.heading(i)).collect();
        let width: Vec<usize> = (0..self.columns.len())
            .map(|i| shown.iter().map(|r| r[i].width()).chain([header[i].width()]).max().unwrap_or(0))
            .collect();
        let right: Vec<bool> =
            (0..self.columns.len()).map(|i| self.rows.iter().any(|r| r[i].is_number())).collect();
        let is_told = |cell: &Cell| !matches!(cell, Cell::Unknown(_));
        let told = |i: usize| !is_for_some(self.columns[i]) || self.rows.iter().any(|r| is_told(&r[i]));
        for row in std::iter::once(&header).chain(&shown) {
            let mut line = String::new();
            for (i, cell) in row.iter().enumerate().filter(|(i, _)| told(*i)) {
                let pad = " ".repeat(width[i].saturating_sub(cell.width()));
                line.push_str(if i == 0 { "" } else { "  " });
                if right[i] {
                    line.push_str(&pad);
                    line.push_str(cell);
                } else {
                    line.push_str(cell);
                    line.push_str(&pad);
                }
            }
            let line = if is_ascii { ascii::text(&line) } else { line };
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// The head of a column in a table. Sizes say their unit in each cell.
    fn heading(&self, i: usize) -> String {
        let column = self.columns[i];
        let in_units = self.rows.iter().all(|row| matches!(row[i], Cell::Size(_) | Cell::Unknown(_)));
        column.strip_suffix("_bytes").filter(|_| in_units).unwrap_or(column).to_uppercase()
    }

    fn as_json(&self, out: &mut impl Write) -> std::io::Result<()> {
        let rows: Vec<serde_json::Map<String, serde_json::Value>> = self
            .rows
            .iter()
            .map(|r| self.columns.iter().zip(r).map(|(c, v)| ((*c).to_owned(), v.json())).collect())
            .collect();
        serde_json::to_writer_pretty(&mut *out, &rows).map_err(std::io::Error::from)?;
        writeln!(out)
    }

    fn as_csv(&self, out: &mut impl Write) -> std::io::Result<()> {
        // The library's own conversion loses the kind of the error, such as a closed pipe.
        let told = |e: csv::Error| match e.into_kind() {
            csv::ErrorKind::Io(e) => e,
            other => std::io::Error::other(format!("{other:?}")),
        };
        let mut w = csv::Writer::from_writer(out);
        w.write_record(&self.columns).map_err(told)?;
        for row in &self.rows {
            w.write_record(row.iter().map(Cell::csv)).map_err(told)?;
        }
        w.flush()
    }
}

/// Prints a text.
///
/// # Errors
/// Writing failed; a closed pipe is not an error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("writing the result"),
        _ => Ok(()),
    }
}

/// Cuts to `max` columns of the terminal and marks the cut.
pub fn clip(s: &str, max: usize) -> String {
    if s.width() <= max {
        return s.to_owned();
    }
    let mut out = String::new();
    for c in s.chars() {
        if out.width() + unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) + 1 > max {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Prints the names with what happened to each.
///
/// # Errors
/// Writing failed.
pub fn done(what: &[(&str, String)], output: Format) -> anyhow::Result<()> {
    let row =
        |(action, name): &(&str, String)| vec![Cell::Text((*action).to_owned()), Cell::Text(name.clone())];
    let grid = Grid { columns: vec!["action", "name"], rows: what.iter().map(row).collect() };
    grid.print(output, &mut std::io::stdout().lock())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(format: Format) -> String {
        let grid = Grid {
            columns: vec!["instance", "cpu_pct", "why"],
            rows: vec![
                vec![Cell::Text("sql-1".into()), Cell::Real(97.25), Cell::Text("=1+1".into())],
                vec![
                    Cell::Text("größer".into()),
                    Cell::Unknown("n/a (VIEW SERVER STATE)".into()),
                    Cell::text(None),
                ],
            ],
        };
        let mut out = Vec::new();
        grid.print(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_aligns_and_says_why() {
        assert_eq!(
            print(Format::Table),
            "INSTANCE  CPU_PCT  WHY\n\
             sql-1        97.2  =1+1\n\
             größer        n/a  –\n"
        );
    }

    #[test]
    fn sizes_are_read_by_people_in_a_table_and_by_programs_elsewhere() {
        let rows =
            vec![vec![Cell::Size(45_158)], vec![Cell::Unknown("none".into())], vec![Cell::Size(3 << 30)]];
        let grid = Grid { columns: vec!["size_bytes"], rows };
        let print = |format| {
            let mut out = Vec::new();
            grid.print(format, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(print(Format::Table), "  SIZE\n 44 KB\n   n/a\n3.0 GB\n");
        assert_eq!(print(Format::Csv), "size_bytes\n45158\n\"\"\n3221225472\n");
    }

    #[test]
    fn json_has_null_for_unknown() {
        let v: serde_json::Value = serde_json::from_str(&print(Format::Json)).unwrap();
        assert_eq!(v[0]["cpu_pct"], 97.25);
        assert!(v[1]["cpu_pct"].is_null());
    }

    #[test]
    fn csv_is_no_formula() {
        assert_eq!(print(Format::Csv), "instance,cpu_pct,why\nsql-1,97.25,'=1+1\ngrößer,,\n");
    }
}
