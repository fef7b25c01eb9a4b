//! Drawing pieces that know nothing of panes: canvas, table, sparkline, charts, SQL view.

pub mod axis;
pub mod canvas;
pub mod chart;
pub mod columns;
pub mod document;
pub mod fold;
pub mod reader;
pub mod spark;
pub mod sqlview;
pub mod stack;
pub mod table;

#[cfg(test)]
pub(crate) mod screen;
