//! The names that a batch holds, as [`read`](super::read) finds them: its statements, their queries, and the sources and
//! columns of each. Only data and look-ups.

use crate::sql::ident::ObjectName;

/// Index of a query in [`Names::queries`].
pub type QueryId = usize;

/// The names in a batch. Made by [`read`](super::read).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Every SELECT of the batch (each branch of a UNION is one) and each INSERT's target, in the order in which
    /// they begin.
    pub queries: Vec<Query>,
    /// The statements in the order of the text. The condition of an IF or WHILE is one, and what follows it another.
    pub statements: Vec<Statement>,
}

/// One statement of a batch. A WITH belongs to the query after it, an INSERT to the query that fills it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statement {
    /// The begin of its first token, in bytes of the batch.
    pub start: usize,
    /// The end of its last token; a `;` after it is not part of it.
    pub end: usize,
    /// Line of its first token, from 1.
    pub line: u32,
    /// The first of its queries, which reach up to the first query of the next statement.
    pub first_query: QueryId,
}

/// One SELECT: its sources, its result columns and the columns that it asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The query around it whose sources are visible here too; None for the outermost one, for a CTE, and for a
    /// derived table that is not under APPLY.
    pub outer: Option<QueryId>,
    /// The sources that it selects from.
    pub sources: Vec<Source>,
    /// The columns that it returns, in order.
    pub output: Vec<Output>,
    /// The columns that its clauses name.
    pub columns: Vec<ColumnRef>,
    /// True when some part of it could not be read. Its columns are then not to be judged.
    pub unclear: bool,
}

/// One entry of a FROM clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name by which columns refer to it; empty if it has none.
    pub alias: String,
    /// The kind of source.
    pub shape: Shape,
    /// Line of the batch, from 1.
    pub line: u32,
}

/// The columns of a source, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A table, view or table-valued function of the server.
    Object {
        /// Its name as written.
        name: ObjectName,
        /// True for a function with arguments.
        called: bool,
    },
    /// A derived table or a common table expression: the output of a query.
    Query {
        /// The query (of a UNION, the first).
        query: QueryId,
        /// The column list after its alias or name, which then replaces the names of the output.
        renamed: Option<Vec<String>>,
    },
    /// Columns given in the batch itself: `VALUES … AS v(a, b)`, table variables, `#temp` tables, `nodes()`.
    Columns(Vec<String>),
    /// Not known: a `#temp` table made elsewhere, a rowset function.
    Opaque,
}

/// One result column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A column with a name.
    Named(String),
    /// `*` (None) or `alias.*`.
    Star(Option<String>, u32),
    /// An expression without a name.
    Unnamed,
}

/// One column asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRef {
    /// The alias before the dot; of a longer name, the part before the last dot.
    pub qualifier: Option<String>,
    /// The column.
    pub name: String,
    /// Line of the batch, from 1.
    pub line: u32,
    /// True in ORDER BY, where the names of the output may be used too.
    pub orders: bool,
}

impl Names {
    /// The queries of statement number `statement`.
    pub fn queries_of(&self, statement: usize) -> std::ops::Range<QueryId> {
        let first = |number: usize| self.statements.get(number).map(|statement| statement.first_query);
        let end = self.queries.len();
        first(statement).unwrap_or(end)..first(statement + 1).unwrap_or(end)
    }

    /// The number of the statement that a query is part of.
    pub fn statement_of(&self, query: QueryId) -> usize {
        self.statements.partition_point(|statement| statement.first_query <= query).saturating_sub(1)
    }

    /// The server objects that the batch selects from or inserts into, with their lines.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectName, u32)> {
        self.queries.iter().flat_map(|query| &query.sources).filter_map(|source| match &source.shape {
            Shape::Object { name, .. } => Some((name, source.line)),
            _ => None,
        })
    }
}
