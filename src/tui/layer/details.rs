//! `d`: all about one row.

use crate::tui::{id::RowKey, widget::reader::Reader};

/// The details of one row; follows the row while it lives.
#[derive(Debug)]
pub struct Details {
    /// the row
    pub key: RowKey,
    /// the text
    pub reader: Reader,
    /// the row has gone: the text is its last state
    pub gone: bool,
}
