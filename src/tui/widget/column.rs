//! A column of a table as one row of its pane: name, title, width, cell, order and filter side by side. Panes declare
//! tables of them; [`super::table`] draws and sorts by them, `tui::filter` asks them.

use super::cell::CellText;
use crate::model::base::filter::{Unit, Value};

/// A kind of rows: says what the cells of one row are made from. It is a type of its own because a row borrows the snapshot.
pub trait Kind: 'static {
    /// One row, for as long as a frame.
    type Row<'a>;
}

/// Reads one value of a row; None if it is not known.
pub type Read<K> = for<'r, 'a> fn(&'r <K as Kind>::Row<'a>) -> Option<Value<'r>>;

/// Fills the cell of a row; the column's value is handed over.
pub type Fill<K> = for<'a> fn(&<K as Kind>::Row<'a>, Option<Value<'_>>, &mut CellText);

/// Visits all that a filter may compare with.
pub type Visit<K> = for<'a> fn(&<K as Kind>::Row<'a>, &mut dyn FnMut(Value<'_>));

/// The content of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// names and sentences: aligned left, ordered from A, cut further on a narrow screen
    Text,
    /// figures: aligned right, greatest first
    Number,
    /// a sign without a title that leans on the column before it
    Sign,
    /// the same, but only to look at: it is not copied
    Picture,
}

/// How a column may be filtered by.
#[derive(Debug)]
pub enum Filter<K: Kind> {
    /// not at all
    None,
    /// by its value
    Value,
    /// by values of its own
    Own(Visit<K>),
}

/// The shape of a column: what it holds, and what it wants of the width of a table.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// what its cells hold
    pub content: Content,
    /// width it wants
    pub ideal: u16,
    /// width below which it is left out
    pub min: u16,
    /// takes its share of what is left over
    pub grow: bool,
    /// has the width that it wants or its min width, nothing between
    pub whole: bool,
    /// width it has before columns of rank [`super::layout::LUXURY`] come
    pub roomy: u16,
    /// 0: always there; the greater, the sooner it makes room
    pub rank: u8,
    /// does not scroll sideways
    pub frozen: bool,
}

/// A column of rows of a kind.
#[derive(Debug)]
pub struct Column<K: Kind> {
    /// its name for good, unlike any other in its table: order, filters and settings go by it
    pub id: &'static str,
    /// head line
    pub title: &'static str,
    /// head line where the title has no room
    pub short: &'static str,
    /// what it holds and how wide it is
    pub shape: Shape,
    /// the value that its cells are about
    pub value: Read<K>,
    /// fills a cell
    pub cell: Fill<K>,
    /// the key that rows are sorted by; None: they cannot be
    pub sort: Option<Read<K>>,
    /// how filters ask for it
    pub filter: Filter<K>,
    /// what else filters may call it
    pub also: &'static [&'static str],
}

impl<K: Kind> Column<K> {
    const fn new(id: &'static str, title: &'static str, ideal: u16, rank: u8, content: Content) -> Self {
        let (min, roomy, grow, whole, frozen) = (ideal, ideal, false, false, false);
        let shape = Shape { content, ideal, min, grow, whole, roomy, rank, frozen };
        Self {
            id,
            title,
            short: title,
            shape,
            value: |_| None,
            cell: |_, _, _| {},
            sort: None,
            filter: Filter::None,
            also: &[],
        }
    }

    /// A column of texts.
    pub const fn text(id: &'static str, title: &'static str, width: u16, rank: u8) -> Self {
        Self::new(id, title, width, rank, Content::Text)
    }

    /// A column of figures.
    pub const fn number(id: &'static str, title: &'static str, width: u16, rank: u8) -> Self {
        Self::new(id, title, width, rank, Content::Number)
    }

    /// A column of signs. It has no title.
    pub const fn sign(id: &'static str, width: u16, rank: u8) -> Self {
        Self::new(id, "", width, rank, Content::Sign)
    }

    /// A column of drawings. It has no title: it belongs to the column before it.
    pub const fn picture(id: &'static str, width: u16, rank: u8) -> Self {
        Self::new(id, "", width, rank, Content::Picture)
    }

    /// May be as narrow as this.
    #[must_use]
    pub const fn at_least(mut self, min: u16) -> Self {
        self.shape.min = min;
        self
    }

    /// Is this narrow, under a shorter title, where there is no room for its whole width.
    #[must_use]
    pub const fn or(mut self, short: &'static str, min: u16) -> Self {
        self.short = short;
        self.shape.min = min;
        self.shape.whole = true;
        self
    }

    /// Takes what is left over.
    #[must_use]
    pub const fn growing(mut self) -> Self {
        self.shape.grow = true;
        self
    }

    /// Shall be this wide before the least important columns come.
    #[must_use]
    pub const fn roomy(mut self, width: u16) -> Self {
        self.shape.roomy = width;
        self
    }

    /// Stays when the rest scrolls.
    #[must_use]
    pub const fn frozen(mut self) -> Self {
        self.shape.frozen = true;
        self
    }

    /// The value that its cells are about. Rows can be ordered by it.
    #[must_use]
    pub const fn value(mut self, read: Read<K>) -> Self {
        self.value = read;
        self.sort = Some(read);
        self
    }

    /// How a cell is filled.
    #[must_use]
    pub const fn cell(mut self, fill: Fill<K>) -> Self {
        self.cell = fill;
        self
    }

    /// Rows are ordered by this and not by the value.
    #[must_use]
    pub const fn sort(mut self, read: Read<K>) -> Self {
        self.sort = Some(read);
        self
    }

    /// Filters may ask for the value by the column's id.
    #[must_use]
    pub const fn filter(mut self) -> Self {
        self.filter = Filter::Value;
        self
    }

    /// Filters may ask by the column's id for these values and not for that of the cell.
    #[must_use]
    pub const fn filter_by(mut self, visit: Visit<K>) -> Self {
        self.filter = Filter::Own(visit);
        self
    }

    /// Filters may call it so, too.
    #[must_use]
    pub const fn also(mut self, names: &'static [&'static str]) -> Self {
        self.also = names;
        self
    }

    /// The title that this many screen columns have room for.
    pub const fn title_within(&self, width: u16) -> &'static str {
        if width < self.shape.ideal { self.short } else { self.title }
    }

    /// True if a filter means this column by `name`.
    pub fn answers_to(&self, name: &str) -> bool {
        !matches!(self.filter, Filter::None) && (self.id == name || self.also.contains(&name))
    }
}

/// Visits the filter values of the column of this name; false if no column of the table has it.
pub fn visit_values<K: Kind>(
    columns: &[Column<K>],
    row: &K::Row<'_>,
    name: &str,
    visit: &mut dyn FnMut(Value<'_>),
) -> bool {
    let Some(column) = columns.iter().find(|c| c.answers_to(name)) else { return false };
    match column.filter {
        Filter::Own(values) => values(row, visit),
        _ => (column.value)(row).into_iter().for_each(visit),
    }
    true
}

/// A figure.
pub fn number(v: Option<f64>) -> Option<Value<'static>> {
    v.map(Value::Number)
}

/// A time whose title says that it is in ms.
pub fn in_ms(v: Option<f64>) -> Option<Value<'static>> {
    v.map(|v| Value::In(v, Unit::Ms))
}

/// A whole number.
pub fn whole(v: Option<i64>) -> Option<Value<'static>> {
    v.map(|v| Value::Number(v as f64))
}

/// A time, ms.
pub fn ms(v: Option<i64>) -> Option<Value<'static>> {
    v.map(|v| Value::Ms(v as f64))
}

/// A size in units of so many bytes.
pub fn size(v: Option<i64>, unit: f64) -> Option<Value<'static>> {
    v.map(|v| Value::Bytes(v as f64 * unit))
}

/// A text.
pub fn words(v: Option<&str>) -> Option<Value<'_>> {
    v.map(Value::Text)
}

/// For tests of panes: names that stand for more than one column, as an id or in filters.
#[cfg(test)]
pub(crate) fn ambiguous<K: Kind>(columns: &[Column<K>]) -> Vec<&'static str> {
    let names = || columns.iter().flat_map(|c| [&[c.id], c.also].concat());
    names().filter(|name| names().filter(|other| other == name).count() > 1).collect()
}
