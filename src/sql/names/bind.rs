//! Checks the names in a batch against a schema, as a server does when it binds: errors 208, 207 and 4104.

use std::{cell::Cell, fmt};

use super::{ColumnRef, Names, Output, Query, QueryId, Shape, Source};
use crate::sql::ident::ObjectName;

/// A source of objects and of their columns.
pub trait Schema {
    /// The columns of an object; None if there is no such object. `called` is true for a function with arguments.
    fn columns(&self, object: &ObjectName, called: bool) -> Option<Columns<'_>>;
}

/// The columns of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Columns<'a> {
    /// Exactly these; compared without case.
    These(Vec<&'a str>),
    /// Not known: any name is accepted.
    Any,
}

/// A name that does not bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The server's error number: 208 object, 207 column, 4104 alias.
    pub number: i32,
    /// The name as it was written.
    pub name: String,
    /// Line of the batch, from 1.
    pub line: u32,
    /// The query that it stands in.
    pub query: QueryId,
}

impl fmt::Display for Fault {
    /// The message of the server.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            208 => write!(f, "Invalid object name '{}'.", self.name),
            207 => write!(f, "Invalid column name '{}'.", self.name),
            _ => write!(f, "The multi-part identifier \"{}\" could not be bound.", self.name),
        }
    }
}

/// Everything in `names` that `schema` does not have, objects first, each group in the order of the text. Empty for
/// a good batch. A query that was not understood is checked for its objects only.
pub fn bind(names: &Names, schema: &impl Schema) -> Vec<Fault> {
    let known: Vec<Vec<Known<'_>>> = names
        .queries
        .iter()
        .map(|query| query.sources.iter().map(|source| look_up(source, schema)).collect())
        .collect();
    let mut faults = Vec::new();
    for (id, (query, known)) in names.queries.iter().zip(&known).enumerate() {
        for (source, known) in query.sources.iter().zip(known) {
            if let (Known::Missing, Shape::Object { name, .. }) = (known, &source.shape) {
                faults.push(Fault { number: 208, name: name.to_string(), line: source.line, query: id });
            }
        }
    }
    faults.sort_by_key(|fault| fault.line);
    let binder = Binder { names, known: &known, left: Cell::new(MAX_LOOKS) };
    let objects = faults.len();
    for (id, query) in names.queries.iter().enumerate() {
        faults.extend(query.columns.iter().filter_map(|column| binder.fault(id, column)));
        faults.extend(query.output.iter().filter_map(|output| binder.star_fault(id, output)));
    }
    if let Some(columns) = faults.get_mut(objects..) {
        columns.sort_by_key(|fault| fault.line);
    }
    faults
}

/// The answer of the schema about one source.
enum Known<'a> {
    Columns(Vec<&'a str>),
    Any,
    /// the source is not an object of the server
    Local,
    Missing,
}

fn look_up<'a>(source: &Source, schema: &'a impl Schema) -> Known<'a> {
    match &source.shape {
        Shape::Object { name, called } => match schema.columns(name, *called) {
            Some(Columns::These(columns)) => Known::Columns(columns),
            Some(Columns::Any) => Known::Any,
            None => Known::Missing,
        },
        _ => Known::Local,
    }
}

/// Derived tables within derived tables are followed to this depth; beyond that any column is accepted.
const MAX_NESTING: usize = 12;

/// The most look-ups of sources in one batch; beyond that any column is accepted. Bounds texts that were made to be slow.
const MAX_LOOKS: u32 = 1_000_000;

struct Binder<'a> {
    names: &'a Names,
    known: &'a [Vec<Known<'a>>],
    left: Cell<u32>,
}

impl<'a> Binder<'a> {
    /// The query and those around it, from the inside out.
    fn chain(&self, from: QueryId) -> impl Iterator<Item = (QueryId, &'a Query)> {
        let mut next = Some(from);
        std::iter::from_fn(move || {
            let id = next?;
            let query = self.names.queries.get(id)?;
            // An outer query always began earlier, so this ends.
            next = query.outer.filter(|&outer| outer < id);
            Some((id, query))
        })
    }

    fn fault(&self, id: QueryId, column: &ColumnRef) -> Option<Fault> {
        if self.chain(id).any(|(_, query)| query.unclear) {
            return None;
        }
        let unknown = || Fault { number: 207, name: column.name.clone(), line: column.line, query: id };
        let Some(qualifier) = &column.qualifier else {
            let by_output = column.orders && self.outputs(id, &column.name, 0);
            let found = by_output
                || self.chain(id).any(|(id, query)| {
                    (0..query.sources.len()).any(|source| self.has(id, source, &column.name, 0))
                });
            return (!found).then(unknown);
        };
        match self.source(id, qualifier) {
            None => {
                let name = format!("{qualifier}.{}", column.name);
                Some(Fault { number: 4104, name, line: column.line, query: id })
            }
            Some((id, source)) => (!self.has(id, source, &column.name, 0)).then(unknown),
        }
    }

    fn star_fault(&self, id: QueryId, output: &Output) -> Option<Fault> {
        let Output::Star(Some(qualifier), line) = output else { return None };
        let unclear = self.names.queries.get(id).is_none_or(|query| query.unclear);
        if unclear || self.source(id, qualifier).is_some() {
            return None;
        }
        Some(Fault { number: 4104, name: format!("{qualifier}.*"), line: *line, query: id })
    }

    /// The innermost source with this alias.
    fn source(&self, id: QueryId, alias: &str) -> Option<(QueryId, usize)> {
        self.chain(id).find_map(|(id, query)| {
            let source = query.sources.iter().position(|source| source.alias.eq_ignore_ascii_case(alias))?;
            Some((id, source))
        })
    }

    /// True if source number `source` of a query has, or may have, this column.
    fn has(&self, id: QueryId, source: usize, column: &str, nesting: usize) -> bool {
        self.left.set(self.left.get().saturating_sub(1));
        if nesting > MAX_NESTING || self.left.get() == 0 {
            return true;
        }
        let shape = self.names.queries.get(id).and_then(|query| query.sources.get(source)).map(|s| &s.shape);
        match (self.known.get(id).and_then(|known| known.get(source)), shape) {
            (Some(Known::Columns(columns)), _) => contains(columns, column),
            (_, Some(Shape::Columns(columns) | Shape::Query { renamed: Some(columns), .. })) => {
                contains(columns, column)
            }
            (_, Some(Shape::Query { query, renamed: None })) => self.outputs(*query, column, nesting + 1),
            // Missing objects are reported as such, not column by column.
            _ => true,
        }
    }

    /// True if the query returns, or may return, this column.
    fn outputs(&self, id: QueryId, column: &str, nesting: usize) -> bool {
        let Some(query) = self.names.queries.get(id) else { return true };
        query.unclear
            || query.output.iter().any(|output| match output {
                Output::Named(name) => name.eq_ignore_ascii_case(column),
                Output::Unnamed => false,
                Output::Star(alias, _) => query.sources.iter().enumerate().any(|(number, source)| {
                    let meant = alias.as_ref().is_none_or(|alias| alias.eq_ignore_ascii_case(&source.alias));
                    meant && self.has(id, number, column, nesting)
                }),
            })
    }
}

fn contains(columns: &[impl AsRef<str>], column: &str) -> bool {
    columns.iter().any(|known| known.as_ref().eq_ignore_ascii_case(column))
}
