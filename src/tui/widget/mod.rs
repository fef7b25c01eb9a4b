//! Drawing pieces that know nothing of panes: canvas, table, sparkline, charts, SQL view.

pub mod axis;
pub mod canvas;
pub mod chart;
pub mod spark;
pub mod sqlview;
pub mod stack;

#[cfg(test)]
pub(crate) mod screen;
