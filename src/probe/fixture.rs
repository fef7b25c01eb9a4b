//! Sets for the tests of decoders.

use super::batch::Sets;
use crate::tds::{Cell, ResultSet};

/// A set named `name`, its columns and rows without the tag.
pub fn set(name: &str, columns: &[&str], rows: Vec<Vec<Cell>>) -> ResultSet {
    let tag = format!("dbtop_{name}");
    let columns = std::iter::once(tag).chain(columns.iter().map(|c| (*c).to_owned())).collect();
    let rows = rows.into_iter().map(|r| std::iter::once(Cell::Int(1)).chain(r).collect()).collect();
    ResultSet { columns, rows, complete: true }
}

/// Several sets as an answer.
pub fn sets(sets: Vec<ResultSet>) -> Sets {
    let scripts: Vec<_> = super::catalog::scripts().collect();
    Sets::of(sets, &scripts)
}

/// A text cell.
pub fn text(s: &str) -> Cell {
    Cell::Text(s.to_owned())
}
