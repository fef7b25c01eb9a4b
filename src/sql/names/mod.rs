//! The objects and columns that a batch names: which sources, under which alias, and which of their columns.
//!
//! The simulator uses it to answer error 208 or 207 like a server does ([`bind()`]), so that a probe that names a
//! column which some version lacks fails in a test. It is a tolerant reader, not a compiler: it understands the
//! queries that a monitor writes (joins, APPLY, derived tables, CTEs, sub-queries, set operations, windows), and
//! where it fails it marks the query as not understood, and no column of such a query is reported missing.
//!
//! `found` holds the result. `parser` walks the tokens, `statement` finds the queries in a batch, `query` reads SELECT and its clauses, `source`
//! reads the sources after FROM, `expr` reads expressions and notes their columns.

mod bind;
mod expr;
mod found;
mod parser;
mod query;
mod source;
mod statement;
#[cfg(test)]
mod tests;

pub use bind::{Columns, Fault, Schema, bind};
pub use found::{ColumnRef, Names, Output, Query, QueryId, Shape, Source, Statement};

/// Reads the names in `batch`. Any text has an answer, in time linear in its length.
pub fn read(batch: &str) -> Names {
    let mut parser = parser::Parser::new(batch);
    parser.statements();
    parser.names
}
