//! Plans of queries: estimated, actual, live and those of Query Store are one tree of operators here.
//!
//! It owns what a plan says ([`Plan::read`]), how long each operator itself took (`time`), what is wrong with the plan
//! (`find`), how its tree is told in lines (`lines`) and how two plans differ (`compare`). Pure: no file, no server, no screen. `command::plan` calls it;
//! panes draw what it returns. Every text in it is sanitized, since plans come from servers and from files of others.

pub mod compare;
pub mod figures;
pub mod find;
pub mod lines;
mod read;
mod setting;
pub mod time;
pub mod words;

#[cfg(test)]
mod pace;
#[cfg(test)]
mod tests;

pub use crate::xml::decoded;
pub use setting::{SetOption, TraceFlag, settings};

use crate::xml::XmlError;
use serde::Serialize;

/// Bytes of one plan. A larger one is refused before it is read.
pub const MAX_BYTES: usize = crate::xml::LIMITS.bytes;

/// Operators in one plan. The largest published has 125.
pub const MAX_OPERATORS: usize = 100_000;

/// Statements in one document, and trees of operators in all of them.
pub const MAX_STATEMENTS: usize = 10_000;

/// Why a text is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It is no XML that can be read.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// It is XML, but no plan; the name of its outermost element.
    #[error("it is XML, but no plan: it begins with <{0}>, not with <ShowPlanXML>")]
    NoPlan(String),
    /// It has more operators than [`MAX_OPERATORS`].
    #[error("it has more than the {MAX_OPERATORS} operators that are read")]
    TooMany,
    /// It has more statements, or more trees of operators, than [`MAX_STATEMENTS`].
    #[error("it has more than the {MAX_STATEMENTS} statements that are read")]
    TooManyStatements,
    /// It is a plan of nothing.
    #[error("it is a plan, but no statement is in it")]
    NoStatement,
}

/// A document of plans: one for each statement of a batch.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The version of the schema: `1.564` is SQL Server 2022.
    pub version: String,
    /// The build of the server: `16.0.4222.2`.
    pub build: String,
    /// In the order of the batch; those within an IF or a function follow what holds them.
    pub statements: Vec<Statement>,
}

/// A statement and its plans.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Statement {
    /// `SELECT`, `INSERT`, `COND`, `DECLARE CURSOR` …
    pub kind: String,
    /// As the plan has it. SQL Server cuts it near 4,000 characters.
    pub text: String,
    /// The procedure or function in which it stands, if the plan says so.
    pub module: Option<String>,
    /// The optimizer's estimate of the whole statement, in its own unit.
    pub cost: Option<f64>,
    /// Rows that the optimizer expects.
    pub estimated_rows: Option<f64>,
    /// `0x…`; what Query Store and the plan cache call query_hash.
    pub query_hash: Option<String>,
    /// `0x…`; query_plan_hash.
    pub plan_hash: Option<String>,
    /// The version of the cardinality estimator: 70 to 170.
    pub estimator: Option<u64>,
    /// Why the optimizer ended early: `TimeOut`, `MemoryLimitExceeded`, `GoodEnoughPlanFound`.
    pub early_end: Option<String>,
    /// A plan guide, or a plan that Query Store forces.
    pub guide: Option<String>,
    /// SET options that are not what SSMS and most drivers set.
    pub off: Vec<String>,
    /// All SET options that change which plan is made.
    pub options: Vec<SetOption>,
    /// What chooses between several plans of this statement (2022 on): one line for each.
    pub dispatcher: Vec<String>,
    /// One for most statements, several for a cursor, none for `IF` and the like.
    pub queries: Vec<Query>,
}

impl Statement {
    /// True if it is the query with this hash.
    pub fn is_of(&self, query_hash: u64) -> bool {
        let hex = self.query_hash.as_deref().and_then(|hash| hash.strip_prefix("0x"));
        hex.and_then(|hex| u64::from_str_radix(hex, 16).ok()) == Some(query_hash)
    }
}

/// One tree of operators, and what SQL Server says of it as a whole.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Query {
    /// What a cursor does with it: `FetchQuery`, `PopulateQuery`. Empty for others.
    pub operation: String,
    /// The degree of parallelism; 0 and 1 are serial.
    pub dop: Option<u64>,
    /// Why it may not run in parallel.
    pub serial_reason: Option<String>,
    /// How it was compiled.
    pub compile: Compile,
    /// Memory that it asked for, was given and used. All in KB.
    pub grant: Option<Grant>,
    /// What it waited for, the longest first.
    pub waits: Vec<Wait>,
    /// What it took as a whole. Actual plans of 2016 and later have it.
    pub total: Option<Total>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Indexes that the optimizer would have liked.
    pub missing: Vec<MissingIndex>,
    /// Statistics that the optimizer read.
    pub statistics: Vec<Statistics>,
    /// Warnings on the whole plan.
    pub warnings: Vec<Warning>,
    /// Trace flags that were in force.
    pub trace_flags: Vec<TraceFlag>,
    /// In the order in which a plan is read: each before its children. The first is the root.
    pub operators: Vec<Operator>,
}

impl Query {
    /// True if it ran: there are counters of operators.
    pub fn is_actual(&self) -> bool {
        self.operators.iter().any(|operator| operator.actual.is_some())
    }

    /// True if operators have their times.
    pub fn is_timed(&self) -> bool {
        self.operators.iter().any(|operator| operator.elapsed_ms().is_some())
    }

    /// How long it waited for its memory, in milliseconds. The schema says seconds, newer servers write milliseconds:
    /// what would be longer than the whole query, or than its wait for a semaphore, is no number of seconds.
    pub fn grant_wait_ms(&self) -> Option<u64> {
        let waited = self.grant?.waited?;
        let seconds = waited.saturating_mul(1_000);
        let semaphore = self.waits.iter().find(|wait| wait.name.starts_with("RESOURCE_SEMAPHORE"));
        // It is counted to the second where it is told in seconds.
        let fits = match semaphore {
            Some(wait) => seconds <= wait.ms.saturating_add(1_000),
            None => self.total.is_none_or(|total| seconds <= total.elapsed_ms),
        };
        Some(if fits { seconds } else { waited })
    }

    /// The children of an operator.
    pub fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.operators.get(at).map_or(&[][..], |operator| &operator.children);
        first.iter().map(|child| *child as usize)
    }
}

/// How a plan was compiled.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Compile {
    /// Milliseconds from begin to end.
    pub elapsed_ms: Option<u64>,
    /// Milliseconds of CPU.
    pub cpu_ms: Option<u64>,
    /// Memory that compiling took.
    pub memory_kb: Option<u64>,
    /// What the plan takes in the cache.
    pub plan_kb: Option<u64>,
}

/// Memory of sorts and hashes, in KB.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Grant {
    /// What it asked for.
    pub requested_kb: Option<u64>,
    /// What it got.
    pub granted_kb: Option<u64>,
    /// The most that it used at a time.
    pub used_kb: Option<u64>,
    /// What a serial plan wants at best.
    pub desired_kb: Option<u64>,
    /// How long it waited for it, as the plan has it; [`Query::grant_wait_ms`] knows the unit.
    pub waited: Option<u64>,
}

/// A wait of the whole query.
#[derive(Clone, Debug, Serialize)]
pub struct Wait {
    /// The type of the wait.
    pub name: String,
    /// Milliseconds, all threads.
    pub ms: u64,
    /// How often.
    pub count: u64,
}

/// What the whole query took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Total {
    /// From begin to end.
    pub elapsed_ms: u64,
    /// CPU of all threads.
    pub cpu_ms: u64,
    /// Of it, in scalar functions.
    pub function_elapsed_ms: Option<u64>,
    /// Of it, in scalar functions.
    pub function_cpu_ms: Option<u64>,
}

/// A parameter, with the value that the plan was made for and the one that it ran with. Either may be unknown.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// `@name`.
    pub name: String,
    /// Its type, as declared.
    pub kind: Option<String>,
    /// The value for which the plan was compiled.
    pub compiled: Option<String>,
    /// The value with which it ran.
    pub runtime: Option<String>,
}

/// An index that the optimizer missed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MissingIndex {
    /// How much cheaper the statement would be, in percent, by the optimizer's estimate.
    pub impact: f64,
    /// Its table.
    pub table: Object,
    /// Columns compared with `=`.
    pub equality: Vec<String>,
    /// Columns compared otherwise.
    pub inequality: Vec<String>,
    /// Columns to include.
    pub include: Vec<String>,
}

/// Statistics that the optimizer read.
#[derive(Clone, Debug, Serialize)]
pub struct Statistics {
    /// Their table.
    pub table: Object,
    /// Their name.
    pub name: String,
    /// Changes since they were made.
    pub changes: Option<f64>,
    /// The share of rows that was read for them, in percent.
    pub sampled: Option<f64>,
    /// When they were made, as the server says it: local time without a zone.
    pub updated: Option<String>,
}

/// A table, index or function, by its parts. Empty parts are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Object {
    /// The database.
    pub database: String,
    /// The schema.
    pub schema: String,
    /// The table, view or function.
    pub table: String,
    /// The index.
    pub index: String,
    /// The name that the statement gives the table.
    pub alias: String,
    /// `RowStore`, `ColumnStore`, `MemoryOptimized`.
    pub storage: String,
    /// `Heap`, `Clustered`, `NonClustered`, `ViewClustered` …
    pub kind: String,
}

/// An operator of a plan.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Operator {
    /// Its number in the plan.
    pub id: u64,
    /// Where it hangs.
    pub parent: Option<u32>,
    /// Where its inputs stand, in order: the upper (outer, build) first.
    pub children: Vec<u32>,
    /// How far below the root.
    pub depth: u32,
    /// How it works: `Hash Match`.
    pub physical: String,
    /// What for: `Inner Join`.
    pub logical: String,
    /// Rows expected, one execution.
    pub estimated_rows: f64,
    /// Rows that it was expected to read, one execution.
    pub estimated_rows_read: Option<f64>,
    /// Rows expected had nobody asked for the first few only.
    pub rows_without_goal: Option<f64>,
    /// Executions expected.
    pub estimated_executions: f64,
    /// The optimizer's cost with all below it.
    pub subtree_cost: f64,
    /// The optimizer's cost of it alone: never below 0.
    pub own_cost: f64,
    /// Rows in the table.
    pub table_rows: Option<f64>,
    /// True if it works on batches, as it ran or, if it did not, as expected.
    pub batch: bool,
    /// True if several threads run it.
    pub parallel: bool,
    /// What it reads or writes.
    pub object: Option<Object>,
    /// What it does there, in the statement's words: predicates, keys, order.
    pub details: Vec<Detail>,
    /// Marks of the schema that findings ask for.
    pub marks: Marks,
    /// Warnings of SQL Server.
    pub warnings: Vec<Warning>,
    /// What it did, if it ran.
    pub actual: Option<Actual>,
}

/// Yes-or-no facts of an operator.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of the schema that stands alone")]
pub struct Marks {
    /// A seek that fetches the columns that another index lacks.
    pub lookup: bool,
    /// A merge join with duplicates on both sides.
    pub many_to_many: bool,
    /// The join chooses its kind while it runs.
    pub adaptive: bool,
    /// The statement forces the index.
    pub forced_index: bool,
    /// A spool that writes into tempdb a table with an index.
    pub builds_index: bool,
    /// A filter that decides before anything below it runs.
    pub startup: bool,
}

/// One line on what an operator does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// Which part of it.
    pub part: Part,
    /// In the statement's words.
    pub text: String,
}

/// Parts of an operator that have words of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Keys by which an index is entered.
    Seek,
    /// A condition tested on each row that was read.
    Predicate,
    /// What a hash or merge join tests beyond its keys.
    Residual,
    /// Keys of a hash or merge join.
    Keys,
    /// Columns handed to the inner side for each row.
    Outer,
    /// The order of a sort.
    Order,
    /// Columns of a group.
    Group,
    /// What is computed.
    Computes,
    /// How rows are spread over threads.
    Spread,
    /// How many rows are enough.
    Top,
    /// The other server, and what it is asked.
    Remote,
}

impl Part {
    /// Its word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seek => "seek",
            Self::Predicate => "predicate",
            Self::Residual => "residual",
            Self::Keys => "keys",
            Self::Outer => "outer",
            Self::Order => "order",
            Self::Group => "group",
            Self::Computes => "computes",
            Self::Spread => "spread",
            Self::Top => "top",
            Self::Remote => "asks",
        }
    }
}

/// A warning that SQL Server put into the plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// A sort, hash or exchange wrote into tempdb.
    Spill(Spill),
    /// A join without a condition.
    NoJoinPredicate,
    /// Columns without statistics.
    NoStatistics(String),
    /// Columns whose statistics are stale.
    StaleStatistics(String),
    /// A conversion that hinders the estimate or the seek.
    Convert {
        /// True if it hinders the seek.
        seek: bool,
        /// The expression.
        expression: String,
    },
    /// A grant that was too large, too small or grew.
    Grant(String),
    /// Filtered indexes that a parameter kept from use.
    UnmatchedIndex(String),
    /// It waited for something for long.
    Wait(String),
    /// Any other, by its name in the schema.
    Other(String),
}

/// What went to tempdb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spill {
    /// How many times rows went there again.
    pub level: Option<u64>,
    /// Threads that spilled.
    pub threads: Option<u64>,
    /// 8 KB pages written.
    pub pages_written: Option<u64>,
    /// 8 KB pages read.
    pub pages_read: Option<u64>,
    /// Memory that the operator had.
    pub granted_kb: Option<u64>,
    /// True for an exchange.
    pub exchange: bool,
}

/// What an operator did, over all threads.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Actual {
    /// Rows that it returned, all executions.
    pub rows: u64,
    /// Rows that it read to find them.
    pub rows_read: Option<u64>,
    /// Executions, all threads.
    pub executions: u64,
    /// Executions that had to be computed anew.
    pub rebinds: u64,
    /// Executions that reused what was there.
    pub rewinds: u64,
    /// CPU in milliseconds, as the schema counts it: of batch operators their own, of row operators with all below.
    pub cpu_ms: Option<u64>,
    /// Pages read from memory.
    pub logical_reads: Option<u64>,
    /// Pages read from disk, read ahead or not.
    pub physical_reads: Option<u64>,
    /// The join that an adaptive join chose.
    pub join: Option<String>,
    /// One for each thread; thread 0 coordinates.
    pub threads: Vec<Thread>,
}

/// Counters of one thread.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Thread {
    /// Its number.
    pub thread: u64,
    /// Rows that it returned.
    pub rows: u64,
    /// Milliseconds, as [`Actual::cpu_ms`] counts.
    pub elapsed_ms: Option<u64>,
    /// Milliseconds of CPU.
    pub cpu_ms: Option<u64>,
}

impl Operator {
    /// Milliseconds of its slowest worker. Thread 0 only coordinates where there are others.
    pub fn elapsed_ms(&self) -> Option<u64> {
        self.workers().filter_map(|thread| thread.elapsed_ms).max()
    }

    /// CPU of all workers, in milliseconds.
    pub fn cpu_ms(&self) -> Option<u64> {
        self.workers().filter_map(|thread| thread.cpu_ms).reduce(u64::saturating_add)
    }

    /// The threads that work: all, or all but the coordinator.
    pub fn workers(&self) -> impl Iterator<Item = &Thread> {
        let threads = self.actual.as_ref().map_or(&[][..], |actual| &actual.threads);
        let several = threads.len() > 1;
        threads.iter().filter(move |thread| !several || thread.thread != 0)
    }

    /// An exchange: it moves rows between threads and does nothing itself.
    pub fn is_exchange(&self) -> bool {
        self.physical == "Parallelism"
    }

    /// The words by which it is known: `Key Lookup` and not `Clustered Index Seek`; `Hash Match` with what for.
    pub fn name(&self) -> String {
        if self.physical.is_empty() && self.logical.is_empty() {
            return "(no name)".to_owned();
        }
        if self.marks.lookup && self.physical == "Clustered Index Seek" {
            return "Key Lookup".to_owned();
        }
        if self.is_exchange() {
            return self.logical.clone();
        }
        if self.logical.is_empty() || self.physical == self.logical || self.is_access() {
            return self.physical.clone();
        }
        let (physical, logical) = (self.physical.as_str(), self.logical.as_str());
        // No word twice: `TopN Sort`, `Stream Aggregate`, `Index Spool (Eager)`, `Merge Inner Join`.
        if logical.starts_with(physical) || logical.ends_with(physical) {
            return logical.to_owned();
        }
        if physical.ends_with(logical) || physical == "Sequence Project" {
            return physical.to_owned();
        }
        if let Some((what, how)) = physical.strip_suffix(" Spool").zip(logical.strip_suffix(" Spool")) {
            return format!("{what} Spool ({how})");
        }
        let what = physical.strip_suffix(" Join").filter(|_| logical.ends_with("Join")).unwrap_or(physical);
        format!("{what} {logical}")
    }

    /// It reads or writes a table or an index.
    pub fn is_access(&self) -> bool {
        ["Scan", "Seek", "Lookup", "Insert", "Update", "Delete", "Merge"]
            .iter()
            .any(|word| self.physical.ends_with(word))
    }

    /// Rows that one execution returned on average.
    pub fn rows_each(&self) -> Option<f64> {
        let actual = self.actual.as_ref()?;
        (actual.executions > 0).then(|| actual.rows as f64 / actual.executions as f64)
    }

    /// Rows that were expected over all executions, as far as executions were expected.
    pub fn expected_rows(&self) -> f64 {
        (self.estimated_rows * self.estimated_executions.max(1.0)).min(f64::MAX)
    }

    /// By which factor the estimate was wrong: above 1 for more rows than expected, below for fewer. `None` if it did not
    /// run. What is below one row counts as one.
    ///
    /// The inner side of a loop is also compared run by run, and the better of the two counts: that it ran more often than
    /// expected is the outer side's fault.
    pub fn off(&self) -> Option<f64> {
        let actual = self.actual.as_ref().filter(|actual| actual.executions > 0)?;
        let all = (actual.rows as f64).max(1.0) / self.expected_rows().max(1.0);
        // Each thread counts an execution of its own: a few are no loop.
        let loops = actual.executions as f64 > 4.0 * self.workers().count().max(1) as f64;
        let each =
            self.rows_each().filter(|_| loops).map(|rows| rows.max(1.0) / self.estimated_rows.max(1.0));
        let far = |off: f64| off.ln().abs();
        Some(each.filter(|each| far(*each) < far(all)).unwrap_or(all))
    }

    /// The words of one part, joined.
    pub fn detail(&self, part: Part) -> Option<&str> {
        self.details.iter().find(|detail| detail.part == part).map(|detail| detail.text.as_str())
    }
}

impl Object {
    /// `Order.IX_Date`, as short as it stays clear: without database and schema.
    pub fn short(&self) -> String {
        match (self.table.is_empty(), self.index.is_empty()) {
            (false, false) => format!("{}.{}", self.table, self.index),
            (false, true) => self.table.clone(),
            _ => self.index.clone(),
        }
    }

    /// `orders.dbo.Order`: database, schema and table as far as they are known.
    pub fn full(&self) -> String {
        let parts = [&self.database, &self.schema, &self.table];
        let known: Vec<&str> =
            parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
        known.join(".")
    }
}
