//! What the queries of an instance cost between two instants, from what history keeps of the polls of the plan cache: their sums, the
//! time that these cover, and what became of each query beside another such stretch. Pure; the history service reads the polls, the
//! Queries pane and `once` show the sums.
//!
//! A poll tells of the time since the poll before it. It counts for the stretch in which the middle of that time lies: nothing is cut
//! into parts that nobody measured. What took next to nothing in a poll is not kept of it, so that the sum of a query is what was
//! kept of it, and at least that.

use super::{gathered::Cut, reach::Span};
use crate::model::{
    base::time::Timestamp,
    inventory::instance::InstanceId,
    poll::{
        counts::Measure,
        queries::{QueryRow, QueryTable},
    },
};
use std::{collections::HashMap, sync::Arc};

/// A poll that ends so long after a stretch may still count for it, ms: most of its time lies within.
pub const SLACK_MS: i64 = 900_000;
/// Different queries of an instance that are told apart.
const MOST: usize = 20_000;
/// A hole between two polls that is told, ms.
const LEAST_GAP_MS: i64 = 60_000;

/// The queries of one instance between two instants.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spent {
    /// sums of each query and of all; its length is the time that the polls tell of
    pub table: Arc<QueryTable>,
    /// polls
    pub polls: u32,
    /// so much of the stretch they tell of, ms
    pub covered_ms: i64,
    /// length of the stretch as far back as it was read, ms
    pub of_ms: i64,
    /// what they do not tell of, in the order of time
    pub gaps: Vec<Span>,
}

/// What became of a query since another stretch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Became {
    /// one of the stretches is not known
    NotKnown,
    /// it took next to nothing before, or did not run
    New,
    /// it took next to nothing after, or did not run
    Gone,
    /// it takes so many times the CPU
    Times(f64),
}

impl Spent {
    /// A query of it.
    pub fn find(&self, hash: u64) -> Option<&QueryRow> {
        self.table.queries.iter().find(|query| query.hash == hash)
    }

    /// The first instant that the polls tell of, in a stretch from an instant on. None: there is no poll.
    pub fn begins(&self, from: Timestamp) -> Option<Timestamp> {
        let first = self.gaps.first().filter(|gap| gap.from <= from);
        (self.polls > 0).then(|| first.map_or(from, |gap| gap.to))
    }

    /// CPU of a query, ms per s of the time that is covered; nothing if it is not among those that are told.
    pub fn cpu_ms_per_s(&self, query: Option<&QueryRow>) -> Option<f64> {
        match query {
            Some(query) => self.table.cpu_ms_per_s(query),
            None => (self.polls > 0).then_some(0.0),
        }
    }
}

/// A query in a stretch: the stretch, and the query if it is told there.
pub type In<'a> = (&'a Spent, Option<&'a QueryRow>);

/// How much more CPU a query takes than before, or less, ms per s.
pub fn change_ms_per_s(before: In<'_>, after: In<'_>) -> Option<f64> {
    Some((after.0.cpu_ms_per_s(after.1)? - before.0.cpu_ms_per_s(before.1)?).abs())
}

/// The places of each query in the tables of two stretches: those of the later one, then those that are gone.
pub fn pairs(before: &Spent, after: &Spent) -> Vec<(Option<u32>, Option<u32>)> {
    let mut known: HashMap<u64, u32> =
        (0..).zip(&before.table.queries).map(|(place, query)| (query.hash, place)).collect();
    let here = (0..).zip(&after.table.queries);
    let mut all: Vec<_> = here.map(|(place, query)| (known.remove(&query.hash), Some(place))).collect();
    let mut gone: Vec<u32> = known.into_values().collect();
    gone.sort_unstable();
    all.extend(gone.into_iter().map(|place| (Some(place), None)));
    all
}

/// What became of a query from one stretch to another.
pub fn became(before: In<'_>, after: In<'_>) -> Became {
    if before.0.polls == 0 || after.0.polls == 0 {
        return Became::NotKnown;
    }
    match (before.1, after.1) {
        (None, Some(_)) => Became::New,
        (Some(_), None) => Became::Gone,
        _ => match (before.0.cpu_ms_per_s(before.1), after.0.cpu_ms_per_s(after.1)) {
            (Some(a), Some(b)) if a > 0.0 => Became::Times(b / a),
            _ => Became::NotKnown,
        },
    }
}

/// A sum of which a part may not be known: then all of it is not.
#[derive(Debug, Clone, Copy, Default)]
struct Whole {
    sum: i64,
    is_unknown: bool,
}

impl Whole {
    const fn add(&mut self, part: Option<i64>) {
        match part {
            Some(part) => self.sum = self.sum.saturating_add(part),
            None => self.is_unknown = true,
        }
    }

    const fn join(&mut self, other: Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.is_unknown |= other.is_unknown;
    }

    fn get(self) -> Option<i64> {
        (!self.is_unknown).then_some(self.sum)
    }
}

/// Sums of an instance that grow with each poll.
#[derive(Debug, Clone)]
pub struct Sums {
    within: Span,
    rows: HashMap<u64, QueryRow>,
    spans: Vec<Span>,
    cpu_us: Option<i64>,
    runs: Option<i64>,
    workload_us: Option<i64>,
    wholes: [Whole; Measure::ALL.len()],
    left_out: u64,
    over_ms: u64,
}

/// A sum of two of which one may not be known.
const fn plus(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (Some(n), None) | (None, Some(n)) => Some(n),
        (None, None) => None,
    }
}

/// Databases that are told of a query.
const MOST_DATABASES: usize = 32;

/// All databases of a query in two stretches but that of its newest plan.
fn other_databases(old: &QueryRow, new: &QueryRow) -> Vec<Arc<str>> {
    let newest = new.databases().chain(old.databases()).next();
    let mut others: Vec<Arc<str>> = Vec::new();
    for name in new.databases().chain(old.databases()) {
        if Some(name) != newest && others.len() < MOST_DATABASES && !others.contains(name) {
            others.push(Arc::clone(name));
        }
    }
    others
}

/// What of a query falls into the interval of its poll, as the whole is told.
fn in_interval(query: &QueryRow, over_ms: u64) -> QueryRow {
    let part = |measure| query.part(measure, over_ms);
    QueryRow {
        runs: part(Measure::Runs),
        cpu_us: part(Measure::Cpu),
        elapsed_us: part(Measure::Elapsed),
        reads: part(Measure::Reads),
        physical_reads: part(Measure::PhysicalReads),
        writes: part(Measure::Writes),
        rows: part(Measure::Rows),
        grant_kb: part(Measure::Grant),
        used_kb: part(Measure::Used),
        ideal_kb: part(Measure::Ideal),
        dop: part(Measure::Dop),
        spills: part(Measure::Spills),
        own_ms: 0,
        ..query.clone()
    }
}

/// A query over two stretches, the later one behind the earlier.
fn joined(old: QueryRow, new: QueryRow) -> QueryRow {
    // A part that is not known: there was as much as is told, at least.
    let is_partly_known = Measure::ALL.iter().any(|m| old.of(*m).is_some() != new.of(*m).is_some());
    let sum = |measure| plus(old.of(measure), new.of(measure));
    QueryRow {
        hash: new.hash,
        runs: sum(Measure::Runs),
        cpu_us: sum(Measure::Cpu),
        elapsed_us: sum(Measure::Elapsed),
        min_us: [old.min_us, new.min_us].into_iter().flatten().min(),
        max_us: old.max_us.max(new.max_us),
        reads: sum(Measure::Reads),
        physical_reads: sum(Measure::PhysicalReads),
        writes: sum(Measure::Writes),
        rows: sum(Measure::Rows),
        grant_kb: sum(Measure::Grant),
        used_kb: sum(Measure::Used),
        ideal_kb: sum(Measure::Ideal),
        dop: sum(Measure::Dop),
        spills: sum(Measure::Spills),
        plans: new.plans.or(old.plans),
        at_least: old.at_least || new.at_least || is_partly_known,
        plan_hash: new.plan_hash.or(old.plan_hash),
        // The plan that it had first.
        old_plan_hash: old.old_plan_hash.or(new.old_plan_hash),
        other_databases: other_databases(&old, &new),
        database: new.database.or(old.database),
        module: new.module.or(old.module),
        statement: new.statement.or(old.statement),
        plan: None,
        own_ms: 0,
    }
}

impl Sums {
    /// Nothing yet, of the time from the first instant up to the second.
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Self {
            within: Span { from, to },
            rows: HashMap::new(),
            spans: Vec::new(),
            cpu_us: None,
            runs: None,
            workload_us: None,
            wholes: [Whole::default(); Measure::ALL.len()],
            left_out: 0,
            over_ms: 0,
        }
    }

    /// Takes a poll, if it tells of the stretch.
    pub fn take(&mut self, at: Timestamp, table: &QueryTable) {
        let over_ms = i64::try_from(table.over_ms).unwrap_or(i64::MAX);
        let middle = at.plus_ms(-over_ms / 2);
        if middle < self.within.from || middle >= self.within.to {
            return;
        }
        self.spans.push(Span { from: at.plus_ms(-over_ms), to: at });
        self.over_ms = self.over_ms.saturating_add(table.over_ms);
        self.cpu_us = plus(self.cpu_us, table.cpu_us);
        self.runs = plus(self.runs, table.runs);
        // After a restart the server's own sum is not known: what queries took stands in for it.
        let is_known = table.workload_us.is_some() || self.workload_us.is_some();
        self.workload_us = plus(self.workload_us, table.workload_us.or(table.cpu_us.filter(|_| is_known)));
        for (whole, measure) in self.wholes.iter_mut().zip(Measure::ALL) {
            whole.add(if measure == Measure::Dop { None } else { table.whole(measure) });
        }
        self.left_out = self.left_out.max(table.left_out);
        for query in &table.queries {
            self.add(in_interval(query, table.over_ms), true);
        }
    }

    fn add(&mut self, row: QueryRow, is_newer: bool) {
        if !self.rows.contains_key(&row.hash) && self.rows.len() >= MOST {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let row = match self.rows.remove(&row.hash) {
            None => QueryRow { plan: None, ..row },
            Some(known) if is_newer => joined(known, row),
            Some(known) => joined(row, known),
        };
        self.rows.insert(row.hash, row);
    }

    /// Adds what was before it.
    fn put_before(&mut self, older: Self) {
        self.spans.extend(older.spans);
        self.over_ms = self.over_ms.saturating_add(older.over_ms);
        self.cpu_us = plus(self.cpu_us, older.cpu_us);
        self.runs = plus(self.runs, older.runs);
        self.workload_us = plus(self.workload_us, older.workload_us);
        for (whole, other) in self.wholes.iter_mut().zip(older.wholes) {
            whole.join(other);
        }
        self.left_out = self.left_out.max(older.left_out);
        for row in older.rows.into_values() {
            self.add(row, false);
        }
    }

    /// The sums so far, of what is later than an instant.
    pub fn spent(&self, begins: Timestamp) -> Spent {
        let mut queries: Vec<QueryRow> = self.rows.values().cloned().collect();
        queries.sort_by(|a, b| b.cpu_us.cmp(&a.cpu_us).then(a.hash.cmp(&b.hash)));
        let mut table = QueryTable {
            queries,
            left_out: self.left_out,
            cpu_us: self.cpu_us,
            runs: self.runs,
            workload_us: self.workload_us,
            over_ms: self.over_ms,
            sums: self.wholes.iter().map(|whole| whole.get()).collect(),
        };
        table.leave_trifles_out();
        let from = self.within.from.max(begins);
        let (covered_ms, gaps) = self.coverage(from);
        let (polls, of_ms) = (self.spans.len() as u32, (self.within.to - from).max(0));
        Spent { table: Arc::new(table), polls, covered_ms, of_ms, gaps }
    }

    /// How much of the stretch the polls tell of, and the holes between them.
    fn coverage(&self, from: Timestamp) -> (i64, Vec<Span>) {
        let mut spans = self.spans.clone();
        spans.sort_by_key(|span| span.from);
        let (mut covered_ms, mut gaps, mut until) = (0, Vec::new(), from);
        let end = Span { from: self.within.to, to: self.within.to };
        for span in spans.iter().chain([&end]) {
            let begins = span.from.clamp(from, self.within.to);
            if begins - until >= LEAST_GAP_MS {
                gaps.push(Span { from: until, to: begins });
            }
            let ends = span.to.clamp(from, self.within.to);
            covered_ms += (ends - begins.max(until)).max(0);
            until = until.max(ends);
        }
        (covered_ms, gaps)
    }
}

/// The queries of some instances between two instants, as far as they were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// in the order of the question
    pub of: Vec<(InstanceId, Spent)>,
    /// so far back it was read
    pub begins: Timestamp,
    /// how much of the stretch was read, %; 100: no more comes
    pub read_pct: u8,
    /// why not all of it was read
    pub cut: Option<Cut>,
    /// the oldest and the newest poll that history keeps, of whatever instance; None: it keeps none
    pub kept: Option<(Timestamp, Timestamp)>,
}

/// Time that is read of all instances before older time of any, ms.
const STRETCH_MS: i64 = 1_800_000;

/// The way through history: the newest stretch of all instances first.
#[derive(Debug)]
pub struct Walk {
    ids: Vec<InstanceId>,
    within: Span,
    sums: Vec<Sums>,
    /// the stretch that is read
    stretch: Span,
    /// what was read of it, of the first instances
    pending: Vec<Sums>,
    begins: Timestamp,
    is_over: bool,
    cut: Option<Cut>,
}

impl Walk {
    /// Nothing is read yet.
    pub fn new(ids: &[InstanceId], from: Timestamp, to: Timestamp) -> Self {
        let within = Span { from, to };
        let mut walk = Self {
            ids: ids.to_vec(),
            within,
            sums: ids.iter().map(|_| Sums::new(from, to)).collect(),
            stretch: within,
            pending: Vec::new(),
            begins: to.plus_ms(SLACK_MS),
            is_over: ids.is_empty() || from >= to,
            cut: None,
        };
        walk.next_stretch();
        walk
    }

    fn next_stretch(&mut self) {
        let to = self.begins;
        self.stretch = Span { from: to.plus_ms(-STRETCH_MS).max(self.within.from), to };
    }

    /// No more comes.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// The next thing to read: the instance with this number, later than the first instant and up to the second. None: all is read.
    pub fn wanted(&self) -> Option<(usize, Timestamp, Timestamp)> {
        (!self.is_over).then_some((self.pending.len(), self.stretch.from, self.stretch.to))
    }

    /// What was read of that.
    pub fn take<'a>(&mut self, polls: impl Iterator<Item = (Timestamp, &'a QueryTable)>) {
        let mut sums = Sums::new(self.within.from, self.within.to);
        polls.for_each(|(at, table)| sums.take(at, table));
        self.pending.push(sums);
        if self.pending.len() < self.ids.len() {
            return;
        }
        for (all, read) in self.sums.iter_mut().zip(self.pending.drain(..)) {
            all.put_before(read);
        }
        self.begins = self.stretch.from;
        if self.begins <= self.within.from {
            self.is_over = true;
        } else {
            self.next_stretch();
        }
    }

    /// Reading takes too long. The newest stretch is always read.
    pub fn out_of_time(&mut self) {
        if self.begins < self.within.to && !self.is_over {
            self.pending.clear();
            (self.cut, self.is_over) = (Some(Cut::Time), true);
        }
    }

    /// The share of the time that is read, %: 100 when no more comes.
    pub fn read_pct(&self) -> u8 {
        if self.is_over {
            return 100;
        }
        let length_ms = (self.within.to - self.within.from).max(1);
        ((self.within.to - self.begins()) * 100 / length_ms).clamp(0, 99) as u8
    }

    fn begins(&self) -> Timestamp {
        self.begins.clamp(self.within.from, self.within.to)
    }

    /// What was read so far, of whole stretches.
    pub fn told(&self, kept: Option<(Timestamp, Timestamp)>) -> Told {
        let begins = self.begins();
        let of = self.ids.iter().cloned().zip(self.sums.iter().map(|sums| sums.spent(begins))).collect();
        Told { of, begins, read_pct: self.read_pct(), cut: self.cut, kept }
    }
}

#[cfg(test)]
mod tests;
