//! What is known of a server's queries between two polls: when they were polled, the statement and module of each, cut out of the texts
//! that are fetched for it, and its newest plans. The decoder and `text` look up; `context` lets it learn from each sample.
//!
//! A query may run in many databases, with plans of their own. A poll tells the newest of them alone: so the plan of each database is
//! remembered that was the newest once, and a plan is another one if that of the same database was.

use super::{
    batch::Sets,
    text::{MAX_CHARS, TextCache},
};
use crate::{
    model::{
        base::text::sanitize_line,
        fold::rate::{MAX_GAP_MS, MIN_GAP_MS},
        poll::{
            queries::QueriesSample,
            statement::{SqlText, Statement},
        },
    },
    sql::module,
    tds::{Param, Row},
};
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

/// The sets with queries: of a server that counts spills, and of an older one.
pub(super) const SETS: [&str; 2] = ["queries", "queries_2016"];

/// Rows that are wanted of an instance in the fleet, and of one on the screen.
const IN_FLEET: i64 = 30;
const ON_SCREEN: i64 = 100;

/// Longest statement that is kept, in characters: an instance has many of them.
const LONGEST: usize = 16_384;

/// Queries that are remembered, those of the last poll aside.
const MOST: usize = 300;

/// Texts that are remembered of queries that the last poll did not tell, in bytes: of a busy server they would be hundreds of KB.
const MOST_TEXT: usize = 32 << 10;

/// Databases that are remembered of a query.
const MOST_DATABASES: usize = 32;

/// The server's clock and ours measure the time between two polls alike but for this, ms.
const GAP_EDGE_MS: u64 = 10_000;

/// Longest name of a module, in characters.
const MODULE_CHARS: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub struct QueryMemory {
    /// the server's clock at the last poll, ms since 1970 by its own zone
    since: Option<i64>,
    known: HashMap<u64, Known>,
}

/// A query that was told before.
#[derive(Debug, Default)]
struct Known {
    /// database and hash of plans that were the newest, the last one first, one of a database; None: nobody knows of which
    plans: Vec<(Option<Arc<str>>, u64)>,
    /// its statement, and the module that it is of
    told: Option<(Statement, Option<Arc<str>>)>,
}

impl Known {
    /// The newest plan of a database. One of which nobody knows the database may be it.
    fn plan(&self, database: Option<&Arc<str>>) -> Option<u64> {
        let may_be = |of: Option<&Arc<str>>| of.is_none() || database.is_none() || of == database;
        self.plans.iter().find(|(of, _)| may_be(of.as_ref())).map(|(_, plan)| *plan)
    }

    /// A plan was told; without `is_told` one that was known before stays.
    fn learn(&mut self, database: Option<&Arc<str>>, plan: u64, is_told: bool) {
        let plan = self.plan(database).filter(|_| !is_told).unwrap_or(plan);
        self.plans.retain(|(of, _)| of.is_some() && of.as_ref() != database);
        self.plans.insert(0, (database.cloned(), plan));
        self.plans.truncate(MOST_DATABASES);
    }
}

impl QueryMemory {
    /// The parameters of the next question.
    pub(super) fn params(&self, focused: bool) -> [Param<'static>; 2] {
        [self.since.map_or(Param::Null, Param::Int), Param::Int(if focused { ON_SCREEN } else { IN_FLEET })]
    }

    /// The handles of the texts that statements are still to be cut out of, the most expensive query first.
    pub(super) fn handles<'a>(&self, sets: &'a Sets) -> Vec<&'a [u8]> {
        let is_known = |row: Row<'_>| hash(row, "query_hash").is_none_or(|hash| self.told(hash).is_some());
        let mut rows: Vec<_> = rows(sets).filter(|row| !is_known(*row)).collect();
        rows.sort_by_key(|row| Reverse(row.i64("cpu_us")));
        rows.into_iter().filter_map(|row| row.bytes("sql_handle")).collect()
    }

    /// Statement and module of a query: as they were at the last poll, else out of the texts that have come.
    pub(super) fn statement(
        &self,
        hash: u64,
        row: Row<'_>,
        texts: &TextCache,
    ) -> Option<(Statement, Option<Arc<str>>)> {
        if let Some(told) = self.told(hash) {
            return Some(told.clone());
        }
        let [start, end] = ["statement_start_offset", "statement_end_offset"].map(|at| row.i64(at));
        let whole = texts.statement(row.bytes("sql_handle")?, start, end)?;
        let module = whole.text.object_id.and_then(|_| module(&whole.text.batch));
        Some((alone(&whole), module))
    }

    /// Takes what a sample has, for the next one. The fold makes nothing of a sample that came too soon or too late after the one
    /// before: a plan that it told stays news for the next one, at the edge once too often rather than never.
    pub(super) fn learn(&mut self, sample: &QueriesSample) {
        let gap_ms = sample.polled_at.zip(self.since).map(|(now, before)| now.abs_diff(before));
        let is_told = gap_ms.is_some_and(|ms| (2 * MIN_GAP_MS..MAX_GAP_MS - GAP_EDGE_MS).contains(&ms));
        self.since = sample.polled_at.or(self.since);
        if self.known.len() > MOST {
            self.known.retain(|hash, _| sample.queries.iter().any(|query| query.hash == *hash));
        }
        for query in &sample.queries {
            let known = self.known.entry(query.hash).or_default();
            if let Some(plan) = query.plan_hash {
                known.learn(query.database.as_ref(), plan, is_told);
            }
            if known.told.is_none() {
                known.told = query.statement.clone().map(|statement| (statement, query.module.clone()));
            }
        }
        self.forget_texts(sample);
    }

    /// A query that comes again costs a question for its text.
    fn forget_texts(&mut self, sample: &QueriesSample) {
        let told: HashSet<u64> = sample.queries.iter().map(|query| query.hash).collect();
        let mut left = MOST_TEXT;
        for (_, known) in self.known.iter_mut().filter(|(hash, _)| !told.contains(hash)) {
            let bytes = known.told.as_ref().map_or(0, |(statement, _)| statement.text.batch.len());
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => known.told = None,
            }
        }
    }

    /// The hash of the newest plan of a query in a database when it was told last.
    pub(super) fn plan(&self, hash: u64, database: Option<&Arc<str>>) -> Option<u64> {
        self.known.get(&hash)?.plan(database)
    }

    /// The other databases that plans of a query were of.
    pub(super) fn other_databases(&self, hash: u64, database: Option<&Arc<str>>) -> Vec<Arc<str>> {
        let plans = self.known.get(&hash).into_iter().flat_map(|known| &known.plans);
        plans.filter_map(|(of, _)| of.as_ref()).filter(|of| Some(*of) != database).cloned().collect()
    }

    fn told(&self, hash: u64) -> Option<&(Statement, Option<Arc<str>>)> {
        self.known.get(&hash)?.told.as_ref()
    }
}

/// The rows of the queries of an answer.
pub(super) fn rows(sets: &Sets) -> impl Iterator<Item = Row<'_>> {
    SETS.into_iter().flat_map(move |name| sets.all(name))
}

/// A query hash, or that of a plan; None for one of zeros.
pub(super) fn hash(row: Row<'_>, column: &str) -> Option<u64> {
    let bytes = row.bytes(column)?.try_into().ok()?;
    Some(u64::from_be_bytes(bytes)).filter(|hash| *hash != 0)
}

/// Tells a handle from others; never 0.
pub(super) fn fingerprint(handle: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    handle.hash(&mut hasher);
    hasher.finish().max(1)
}

/// A statement without the batch around it: thousands of them are kept.
fn alone(whole: &Statement) -> Statement {
    let SqlText { object_id, encrypted, full_chars, .. } = *whole.text;
    let text = whole.as_str().trim();
    let cut = text.char_indices().nth(LONGEST).map(|(end, _)| end);
    let full_chars = match cut {
        Some(_) => Some(text.chars().count() as u64),
        None => full_chars.filter(|_| text.chars().nth(MAX_CHARS - 1).is_some()),
    };
    let text: Arc<str> = text.get(..cut.unwrap_or(text.len())).unwrap_or("").into();
    let end = text.len();
    Statement { text: Arc::new(SqlText::new(text, full_chars, object_id, encrypted)), start: 0, end }
}

/// The name of a module by its own text, made harmless.
pub(super) fn module(text: &str) -> Option<Arc<str>> {
    Some(sanitize_line(&module::name(text)?, MODULE_CHARS)).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::queries::QueryCounter,
        probe::fixture::{set, sets},
        tds::Cell,
    };

    #[test]
    fn a_module_has_the_name_in_its_text() {
        let name = |text: &str| module(text).as_deref().map(str::to_owned);
        for text in [
            "CREATE PROCEDURE dbo.usp_Settle @Id bigint AS SELECT 1",
            "-- of old\n/* procedure x */ create or alter proc [dbo].[usp_Settle]\nas select 1",
            "ALTER FUNCTION dbo . usp_Settle (@a int) RETURNS int",
        ] {
            assert_eq!(name(text).as_deref(), Some("dbo.usp_Settle"), "{text}");
        }
        assert_eq!(name("CREATE TRIGGER [a]]b] ON t").as_deref(), Some("a]b"));
        assert_eq!(name("SELECT 1 FROM view_of"), None);
        assert_eq!(name("CREATE PROCEDURE"), None);
        assert!(name("CREATE PROCEDURE [a\u{1b}b]").is_some_and(|name| !name.contains('\u{1b}')), "harmless");
    }

    #[test]
    fn a_statement_is_kept_without_its_batch_and_cut_where_it_is_endless() {
        let text = |batch: &str| Arc::new(SqlText::new(batch.into(), None, Some(7), false));
        let whole = text("CREATE PROC p AS SELECT 1; UPDATE t SET x = 1;");
        let kept = alone(&Statement { start: 17, end: 26, text: whole });
        assert_eq!((&*kept.text.batch, kept.as_str()), ("SELECT 1;", "SELECT 1;"));
        assert_eq!((kept.text.object_id, kept.text.full_chars), (Some(7), None));
        let long = "é".repeat(LONGEST + 5);
        let cut = alone(&Statement { start: 0, end: long.len(), text: text(&long) });
        assert_eq!(cut.as_str().chars().count(), LONGEST);
        assert_eq!(cut.text.full_chars, Some(LONGEST as u64 + 5));
    }

    #[test]
    fn a_changed_plan_is_news_until_a_poll_that_can_be_compared_has_told_it() {
        let mut memory = QueryMemory::default();
        let mut learn = |at: i64, plan: u64| {
            let queries = vec![QueryCounter { hash: 1, plan_hash: Some(plan), ..QueryCounter::default() }];
            memory.learn(&QueriesSample { queries, polled_at: Some(at), ..QueriesSample::default() });
            memory.plan(1, None)
        };
        assert_eq!(learn(1_000_000, 7), Some(7), "the first one is no change");
        assert_eq!(learn(1_000_060, 8), Some(7), "too soon: the fold says nothing of it");
        assert_eq!(learn(1_020_060, 8), Some(8), "told");
        assert_eq!(learn(1_400_000, 9), Some(8), "too late");
        assert_eq!(learn(1_420_000, 9), Some(9));
        assert_eq!(
            learn(1_410_000, 5),
            Some(5),
            "a clock that was set back some seconds: once told is enough"
        );
    }

    #[test]
    fn plans_of_other_databases_are_no_change_and_the_databases_are_remembered() {
        let mut memory = QueryMemory::default();
        let mut at = 1_000_000;
        let mut learn = |database: Option<&str>, plan: u64| {
            let database: Option<Arc<str>> = database.map(Into::into);
            let before = memory.plan(1, database.as_ref());
            let others = memory.other_databases(1, database.as_ref());
            let query = QueryCounter { hash: 1, plan_hash: Some(plan), database, ..QueryCounter::default() };
            at += 20_000;
            memory.learn(&QueriesSample {
                queries: vec![query],
                polled_at: Some(at),
                ..QueriesSample::default()
            });
            (before, others.join(" "))
        };
        let none = String::new;
        assert_eq!(learn(Some("orders"), 7), (None, none()));
        assert_eq!(learn(Some("crm"), 8), (None, "orders".to_owned()), "it has a plan of its own");
        assert_eq!(learn(Some("orders"), 7), (Some(7), "crm".to_owned()), "the one that it had");
        assert_eq!(learn(Some("orders"), 9), (Some(7), "crm".to_owned()), "another one");
        assert_eq!(learn(Some("crm"), 8), (Some(8), "orders".to_owned()));
        // Nobody knows of which database: against the last one, as before.
        assert_eq!(learn(None, 10), (Some(8), "crm orders".to_owned()));
        assert_eq!(learn(Some("web"), 10), (Some(10), "crm orders".to_owned()), "that was this one");
        assert_eq!(learn(Some("orders"), 9), (Some(9), "web crm".to_owned()));
    }

    #[test]
    fn long_texts_of_queries_that_are_not_told_any_more_are_forgotten() {
        let batch: Arc<str> = "x".repeat(MOST_TEXT / 2).into();
        let statement =
            Statement { text: Arc::new(SqlText::new(batch, None, None, false)), start: 0, end: 1 };
        let query = |hash| QueryCounter {
            hash,
            plan_hash: Some(9),
            statement: Some(statement.clone()),
            ..QueryCounter::default()
        };
        let mut memory = QueryMemory::default();
        let learn = |memory: &mut QueryMemory, hashes: std::ops::Range<u64>| {
            memory.learn(&QueriesSample { queries: hashes.map(query).collect(), ..QueriesSample::default() });
            (0..8).filter(|hash| memory.told(*hash).is_some()).count()
        };
        assert_eq!(learn(&mut memory, 0..5), 5, "all that was told last");
        assert_eq!(learn(&mut memory, 4..8), 4 + 2, "and some others");
        assert!((0..8).all(|hash| memory.plan(hash, None) == Some(9)), "their plans are still known");
    }

    #[test]
    fn texts_are_asked_for_until_a_statement_is_known_and_the_next_poll_begins_where_this_one_was() {
        let columns = ["query_hash", "cpu_us", "sql_handle"];
        let row = |hash: u8, cpu, handle: u8| {
            vec![Cell::Bytes(vec![0, 0, 0, 0, 0, 0, 0, hash]), Cell::Int(cpu), Cell::Bytes(vec![handle])]
        };
        let sets =
            sets(vec![set("queries_2016", &columns, vec![row(1, 5, 11), row(2, 9, 12), row(0, 99, 13)])]);
        let mut memory = QueryMemory::default();
        assert_eq!(memory.params(true), [Param::Null, Param::Int(ON_SCREEN)]);
        assert_eq!(memory.handles(&sets), [&[12], &[11]], "the most expensive one first");
        let statement =
            Statement { text: Arc::new(SqlText::new("x".into(), None, None, false)), start: 0, end: 1 };
        let known = QueryCounter { hash: 2, statement: Some(statement), ..QueryCounter::default() };
        let queries = vec![known, QueryCounter { hash: 1, plan_hash: Some(9), ..QueryCounter::default() }];
        memory.learn(&QueriesSample { queries, polled_at: Some(77), ..QueriesSample::default() });
        assert_eq!(memory.handles(&sets), [&[11]]);
        assert_eq!(memory.params(false), [Param::Int(77), Param::Int(IN_FLEET)]);
        memory.learn(&QueriesSample::default());
        assert_eq!(
            [1, 2, 3].map(|hash| memory.plan(hash, None)),
            [Some(9), None, None],
            "also of one that is idle"
        );
        assert_eq!(memory.params(false)[0], Param::Int(77), "a poll that does not tell the clock");
    }
}
