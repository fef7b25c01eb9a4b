//! Drawing pieces that know nothing of panes: canvas, table, sparkline, charts, SQL view.

pub mod axis;
pub mod canvas;
pub mod cell;
pub mod chart;
pub mod column;
pub mod cursor;
pub mod document;
pub mod fold;
pub mod layout;
pub mod reader;
pub mod sort;
pub mod spark;
pub mod sqlview;
pub mod stack;
pub mod table;
pub mod trace;

#[cfg(test)]
pub(crate) mod screen;
