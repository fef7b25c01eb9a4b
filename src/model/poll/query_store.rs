//! Query Store: the state of each database's store, and its queries over a stretch (the newest closed hour, and hours before it that no
//! poll read) beside the day before it. Nothing in here is a rate between two polls: an interval of a store is closed, and then
//! its sums stay what they are.

use super::{
    counts::{Ran, Took},
    id::{Emit, Metric, ProbeId, whole},
    names::{Field, Kind, Visit, Where, maybe},
    outcome::Outcome,
    statement::Statement,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// With fewer runs than this, now or before, a difference is chance.
const ENOUGH_RUNS: i64 = 20;
/// A run that takes so many times as long as before is a regression.
const SLOWER: f64 = 1.5;
/// The longest run takes so many times the average one: they differ.
const FAR: f64 = 10.0;

/// The state of a Query Store, as the server numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreState {
    /// it records nothing
    Off,
    /// it can be read, and records nothing
    ReadOnly,
    /// it records
    ReadWrite,
    /// it is broken
    Error,
    /// it records what secondary replicas run
    OfSecondary,
    /// a number of a newer version
    Other(i64),
}

impl StoreState {
    const fn of(number: i64) -> Self {
        match number {
            0 => Self::Off,
            1 => Self::ReadOnly,
            2 => Self::ReadWrite,
            3 => Self::Error,
            4 => Self::OfSecondary,
            other => Self::Other(other),
        }
    }

    /// As the screen says it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
            Self::Error => "error",
            Self::OfSecondary => "of secondaries",
            Self::Other(_) => "unknown",
        }
    }
}

/// Why a store is read-only: its bits in words. None: for no reason that is told.
pub fn readonly_words(bits: i64) -> Option<String> {
    const REASONS: [(i64, &str); 8] = [
        (1, "the database is read-only"),
        (2, "the database is in single-user mode"),
        (4, "the database is in emergency mode"),
        (8, "the database is a secondary replica"),
        (SIZE_CAP, "it reached its size cap"),
        (131_072, "its statements reached the memory limit"),
        (262_144, "what is not flushed yet reached the memory limit"),
        (524_288, "the database reached its disk limit"),
    ];
    let mut words: Vec<&str> =
        REASONS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, words)| *words).collect();
    let known = REASONS.iter().fold(0, |all, (bit, _)| all | bit);
    if bits & !known != 0 {
        words.push("a reason that dbtop does not know");
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// What a store of a secondary replica holds.
const OF_PRIMARY: &str = "this is a secondary replica, and shows what the primary recorded";

/// The bit of [`readonly_words`] for the size cap.
const SIZE_CAP: i64 = 65_536;

/// Why a plan could not be forced the last time, by the server's number. None: it could, or nobody knows.
pub const fn failure_words(reason: i64) -> Option<&'static str> {
    Some(match reason {
        0 => return None,
        3_617 => "the client aborted the compilation",
        8_637 => "an online index build changes the table",
        8_675 => "its compilation could not be replayed",
        8_683 => "the star join is not possible any more",
        8_684 => "the optimizer ran out of time",
        8_689 => "its database is not there",
        8_690 => "a hint contradicts it",
        8_691 => "SET options contradict it",
        8_694 => "a remote or full-text query cannot be forced",
        8_698 => "the optimizer finds no such plan",
        8_712 => "an index of it is not there",
        8_713 => "a view of it changed",
        _ => "a reason that dbtop does not know",
    })
}

/// The store of one database.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreRow {
    /// the database's id
    pub database_id: i32,
    /// its name
    pub database: Option<Arc<str>>,
    /// the state that it is in, by number
    pub state: Option<i64>,
    /// the state that it should be in, by number
    pub desired_state: Option<i64>,
    /// bits that say why it is read-only
    pub readonly_reason: Option<i64>,
    /// size, MB
    pub size_mb: Option<i64>,
    /// size that it may reach, MB
    pub cap_mb: Option<i64>,
    /// length of an interval, minutes
    pub interval_min: Option<i64>,
    /// which queries it takes: ALL, AUTO, NONE, CUSTOM
    pub capture: Option<Arc<str>>,
    /// whether it deletes old queries before it is full: OFF, AUTO
    pub cleanup: Option<Arc<str>>,
    /// the newest closed interval
    pub interval_id: Option<i64>,
    /// begin of the stretch that its queries are of, and the end of that interval
    pub from: Option<Timestamp>,
    /// see `from`
    pub to: Option<Timestamp>,
    /// plans that are forced
    pub forced: Option<i64>,
    /// of them, those whose forcing failed
    pub failing: Option<i64>,
    /// queries that ran in the stretch
    pub total: Option<i64>,
    /// why it could not be read, or why its queries are older than the rest, in words
    pub problem: Option<Arc<str>>,
    /// nothing is wrong with it: a poll asks so many databases, and its turn comes later
    pub is_later: bool,
    /// the database is a secondary replica; None: nobody knows
    pub is_secondary: Option<bool>,
}

impl StoreRow {
    /// Its state.
    pub fn state(&self) -> Option<StoreState> {
        self.state.map(StoreState::of)
    }

    /// Why it records nothing, in words, where that is told.
    pub fn why_words(&self) -> Option<String> {
        match self.state()? {
            StoreState::ReadOnly => {
                let told = self.readonly_reason.and_then(readonly_words);
                let by_role = || (self.is_secondary == Some(true)).then(|| OF_PRIMARY.to_owned());
                told.or_else(by_role)
            }
            StoreState::Off if self.interval_id.is_some() => Some(match self.is_secondary {
                Some(true) => format!("it says off and holds rows all the same: {OF_PRIMARY}"),
                Some(false) => "it is off and still holds what it recorded before".to_owned(),
                None => {
                    "it says off and holds rows all the same: of before, or of the primary if this is a secondary replica"
                        .to_owned()
                }
            }),
            _ => None,
        }
    }

    /// It stopped recording since it is as large as it may be.
    pub fn is_full(&self) -> bool {
        self.state() == Some(StoreState::ReadOnly)
            && self.readonly_reason.is_some_and(|bits| bits & SIZE_CAP != 0)
    }

    /// It should record and does not, whatever the reason, but for a database that nobody may write to, and a secondary replica that
    /// shows what the primary recorded. One that may be such a replica is none.
    pub fn is_problem(&self) -> bool {
        const OF_DATABASE: i64 = 1 | 8;
        let may_be_secondary = match self.state() {
            Some(StoreState::Off) => self.interval_id.is_some() && self.is_secondary != Some(false),
            _ => self.is_secondary == Some(true) && !self.is_full(),
        };
        let is_meant = may_be_secondary || self.readonly_reason.is_some_and(|bits| bits & OF_DATABASE != 0);
        let records = |state| matches!(state, StoreState::ReadWrite | StoreState::OfSecondary);
        let should = self.desired_state.map(StoreState::of) == Some(StoreState::ReadWrite);
        self.state() == Some(StoreState::Error)
            || should && !is_meant && self.state().is_some_and(|state| !records(state))
    }

    /// It could not be read.
    pub const fn is_unread(&self) -> bool {
        self.problem.is_some() && !self.is_later
    }

    /// Size in percent of the cap.
    pub fn used_pct(&self) -> Option<f64> {
        let cap = self.cap_mb.filter(|mb| *mb > 0)?;
        Some(self.size_mb? as f64 * 100.0 / cap as f64)
    }
}

/// Runs of a stretch of time, and what they took together.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stretch {
    /// runs
    pub runs: Option<i64>,
    /// CPU, µs
    pub cpu_us: Option<i64>,
    /// duration, µs
    pub elapsed_us: Option<i64>,
}

impl Ran for Stretch {
    fn took(&self) -> Took {
        Took { runs: self.runs, cpu_us: self.cpu_us, elapsed_us: self.elapsed_us, ..Took::default() }
    }
}

impl Stretch {
    /// Both together.
    fn plus(self, other: Self) -> Self {
        Self {
            runs: sum(self.runs, other.runs),
            cpu_us: sum(self.cpu_us, other.cpu_us),
            elapsed_us: sum(self.elapsed_us, other.elapsed_us),
        }
    }
}

/// A sum of what is known.
fn sum(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    [a, b].into_iter().flatten().reduce(i64::saturating_add)
}

/// A plan that is forced.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForcedPlan {
    /// its number in the store
    pub plan_id: i64,
    /// its hash
    pub plan_hash: Option<u64>,
    /// how often forcing it failed. It counts compilations, and begins anew when the plan is forced again
    pub failures: Option<i64>,
    /// how often it failed since the poll before; None: there was none
    pub new_failures: Option<i64>,
    /// why the last time, by the server's number
    pub reason: Option<i64>,
}

impl ForcedPlan {
    /// Why forcing it failed the last time.
    pub fn reason_words(&self) -> Option<&'static str> {
        self.reason.and_then(failure_words)
    }
}

/// Runs of a query on one group of replicas.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaRuns {
    /// its role, by the server's number
    pub role: Option<i64>,
    /// its name, where it has one
    pub name: Option<Arc<str>>,
    /// its runs of the stretch
    pub runs: Stretch,
}

impl ReplicaRuns {
    /// What it is.
    pub const fn role_words(&self) -> &'static str {
        match self.role {
            Some(1) => "primary",
            Some(2) => "secondary",
            Some(3) => "geo-primary",
            Some(4) => "geo-secondary",
            Some(5..) => "named replica",
            _ => "a replica",
        }
    }
}

/// A query of a store: sums over its newest stretch. What is not known is None.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredQuery {
    /// the database's id
    pub database_id: i32,
    /// the database
    pub database: Option<Arc<str>>,
    /// its number in the store
    pub query_id: i64,
    /// query hash
    pub hash: Option<u64>,
    /// runs of the stretch
    pub now: Stretch,
    /// runs of the day before it
    pub before: Stretch,
    /// of the runs, those that a client aborted
    pub aborted: Option<i64>,
    /// of the runs, those that ended with an error
    pub failed: Option<i64>,
    /// shortest run, µs
    pub min_us: Option<i64>,
    /// longest run, µs
    pub max_us: Option<i64>,
    /// standard deviation of the duration, µs
    pub stdev_us: Option<i64>,
    /// pages read from memory
    pub reads: Option<i64>,
    /// pages read from disk
    pub physical_reads: Option<i64>,
    /// pages written
    pub writes: Option<i64>,
    /// rows returned
    pub rows: Option<i64>,
    /// memory granted, KB
    pub memory_kb: Option<i64>,
    /// plans that ran
    pub plans: Option<i64>,
    /// variants for different parameters that are added up in it
    pub variants: u32,
    /// the plan that is forced on it
    pub forced: Option<ForcedPlan>,
    /// the hint that the store gives it
    pub hint: Option<Arc<str>>,
    /// how often that failed
    pub hint_failures: Option<i64>,
    /// what the optimizer learned from its runs: `memory grant: VERIFICATION_PASSED`
    pub feedback: Option<Arc<str>>,
    /// what it waited for, by category, ms; the longest first
    pub waits: Vec<(Arc<str>, i64)>,
    /// length of the stretch, ms; 0: not known
    pub over_ms: u64,
    /// module
    pub module: Option<Arc<str>>,
    /// statement
    pub statement: Option<Statement>,
    /// the replicas that it ran on, the most CPU first, all of which are added up in it; none: they are not told apart
    pub replicas: Vec<ReplicaRuns>,
}

impl Ran for StoredQuery {
    fn took(&self) -> Took {
        Took {
            min_us: self.min_us,
            max_us: self.max_us,
            reads: self.reads,
            physical_reads: self.physical_reads,
            writes: self.writes,
            ..self.now.took()
        }
    }
}

impl StoredQuery {
    /// So many per second of the stretch.
    pub fn per_s(&self, n: Option<i64>) -> Option<f64> {
        (self.over_ms > 0).then(|| Some(n? as f64 * 1000.0 / self.over_ms as f64))?
    }

    /// CPU, ms per s.
    pub fn cpu_ms_per_s(&self) -> Option<f64> {
        self.per_s(self.now.cpu_us).map(|us| us / 1000.0)
    }

    /// How many times as long a run takes now as before; None with too few runs.
    pub fn slower(&self) -> Option<f64> {
        let enough = |stretch: &Stretch| stretch.runs.is_some_and(|n| n >= ENOUGH_RUNS);
        let before = self.before.avg_ms().filter(|ms| *ms > 0.0)?;
        (enough(&self.now) && enough(&self.before)).then(|| Some(self.avg_ms()? / before))?
    }

    /// It became slower, so that it is no chance.
    pub fn is_regressed(&self) -> bool {
        self.slower().is_some_and(|times| times >= SLOWER)
    }

    /// The time that all its runs together lost, ms: by how much an average one is longer than before, times their number.
    pub fn lost_ms(&self) -> Option<f64> {
        self.slower()?;
        Some((self.avg_ms()? - self.before.avg_ms()?) * self.now.runs? as f64)
    }

    /// Its runs differ: by more than their average, or one of them by much more.
    pub fn is_varying(&self) -> bool {
        let Some(avg_us) = self.per_run(self.now.elapsed_us) else { return false };
        let is_far = |n: Option<i64>, times: f64| n.is_some_and(|us| us as f64 > avg_us * times);
        self.now.runs >= Some(2) && (is_far(self.stdev_us, 1.0) || is_far(self.max_us, FAR))
    }

    /// Forcing a plan on it failed since the poll before.
    pub fn is_failing(&self) -> bool {
        self.forced.as_ref().is_some_and(|plan| plan.new_failures.is_some_and(|n| n > 0))
    }

    /// Adds up a variant of it. Plans are those of all variants.
    pub fn take_variant(&mut self, variant: &Self) {
        let pooled = pooled_stdev(self, variant);
        self.stdev_us = pooled;
        self.now = self.now.plus(variant.now);
        self.before = self.before.plus(variant.before);
        self.variants = self.variants.saturating_add(1);
        self.min_us = [self.min_us, variant.min_us].into_iter().flatten().min();
        self.max_us = self.max_us.max(variant.max_us);
        let sums = [
            (&mut self.aborted, variant.aborted),
            (&mut self.failed, variant.failed),
            (&mut self.reads, variant.reads),
            (&mut self.physical_reads, variant.physical_reads),
            (&mut self.writes, variant.writes),
            (&mut self.rows, variant.rows),
            (&mut self.memory_kb, variant.memory_kb),
            (&mut self.plans, variant.plans),
        ];
        for (mine, more) in sums {
            *mine = sum(*mine, more);
        }
        for (category, ms) in &variant.waits {
            match self.waits.iter_mut().find(|(mine, _)| mine == category) {
                Some((_, mine)) => *mine = mine.saturating_add(*ms),
                None => self.waits.push((category.clone(), *ms)),
            }
        }
        self.waits.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms));
        for part in &variant.replicas {
            match self.replicas.iter_mut().find(|mine| (mine.role, &mine.name) == (part.role, &part.name)) {
                Some(mine) => mine.runs = mine.runs.plus(part.runs),
                None => self.replicas.push(part.clone()),
            }
        }
        self.over_ms = self.over_ms.max(variant.over_ms);
        self.hash = self.hash.or(variant.hash);
        self.module = self.module.take().or_else(|| variant.module.clone());
        self.statement = self.statement.take().or_else(|| variant.statement.clone());
        self.forced = self.forced.take().or_else(|| variant.forced.clone());
        self.feedback = self.feedback.take().or_else(|| variant.feedback.clone());
        self.hint_failures = self.hint_failures.or(variant.hint_failures);
        self.hint = self.hint.take().or_else(|| variant.hint.clone());
    }
}

/// The standard deviation of the runs of both together, µs.
fn pooled_stdev(a: &StoredQuery, b: &StoredQuery) -> Option<i64> {
    let squares = |q: &StoredQuery| {
        let (runs, stdev) = (q.now.runs.filter(|n| *n > 0)? as f64, q.stdev_us? as f64);
        let avg = q.now.elapsed_us? as f64 / runs;
        Some((runs, avg * runs, (stdev * stdev + avg * avg) * runs))
    };
    match (squares(a), squares(b)) {
        (Some(a), Some(b)) => {
            let (runs, sum, squares) = (a.0 + b.0, a.1 + b.1, a.2 + b.2);
            Some((squares / runs - (sum / runs) * (sum / runs)).max(0.0).sqrt() as i64)
        }
        (Some(_), None) => a.stdev_us,
        (None, _) => b.stdev_us,
    }
}

/// The Query Stores of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryStoreTable {
    /// databases with a store, in trouble or not, by id
    pub stores: Vec<StoreRow>,
    /// their queries, most CPU first, unknown ones last
    pub queries: Vec<StoredQuery>,
    /// databases that are not among them
    pub stores_left_out: u64,
    /// queries that ran and are not among them
    pub left_out: u64,
}

impl QueryStoreTable {
    /// The store of a database.
    pub fn store(&self, database_id: i32) -> Option<&StoreRow> {
        self.stores.iter().find(|store| store.database_id == database_id)
    }

    /// The queries of a database.
    pub fn of(&self, database_id: i32) -> impl Iterator<Item = &StoredQuery> {
        self.queries.iter().filter(move |query| query.database_id == database_id)
    }
}

impl Outcome for QueryStoreTable {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        for store in &self.stores {
            if let Some(database) = store.database.as_deref() {
                emit(Metric::QueryStoreSize, database, whole(store.size_mb));
            }
        }
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for store in &mut self.stores {
            maybe(visit, Field::Name(Kind::Database), &mut store.database);
            maybe(visit, Field::Words(Where::Theirs), &mut store.problem);
        }
        for query in &mut self.queries {
            maybe(visit, Field::Name(Kind::Database), &mut query.database);
            maybe(visit, Field::Words(Where::Code), &mut query.module);
            // It holds values as they were written.
            maybe(visit, Field::Message, &mut query.hint);
            for replica in &mut query.replicas {
                maybe(visit, Field::Name(Kind::Instance), &mut replica.name);
            }
        }
    }

    fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        self.queries.iter().filter_map(|query| query.statement.as_ref()).for_each(with);
    }

    fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        self.queries.iter_mut().filter_map(|query| query.statement.as_mut()).for_each(with);
    }

    fn only_judged(&self) -> Option<Self> {
        Some(Self {
            queries: self.queries.iter().filter(|q| q.is_failing()).cloned().collect(),
            ..self.clone()
        })
    }

    fn rows(&self) -> usize {
        self.stores.len() * 2 + self.queries.len() * 5
    }
}

#[cfg(test)]
mod tests;
