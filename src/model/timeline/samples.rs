//! What requests did over a stretch of time, from the polls of the activity probe: who was at work, for which query, and what it
//! waited for. Each poll is a sample, and a request that is seen in it counts for the time since the sample before, at most the
//! interval of the probe. `timeline::history` keeps those of the last quarter of an hour, the history service those of a longer
//! range; the Queries pane adds them up. Pure.
//!
//! The idea is that of the active session history: what is seen often lasts long or happens often. What begins and ends between
//! two polls is not seen, so every sum is told with the time that it covers.

use super::chart::{Bucket, ChartLine};
use crate::model::{
    base::time::Timestamp,
    poll::{
        activity::{Activity, Request},
        statement::Statement,
        wait_class::{WaitCategory, category, is_benign},
    },
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

/// Length of a slot in memory, ms.
pub const SLOT_MS: i64 = 30_000;
/// Different requests of a slot that are told apart; what comes later is counted as nobody's.
const MOST: usize = 100;
/// Statements that are kept.
const STATEMENTS: usize = 200;
/// Longest text that is kept for them, and all of them together, in bytes: whoever runs longer ones is known by the plan cache.
const LONGEST_TEXT: usize = 16_384;
const ALL_TEXTS: usize = 262_144;
/// Logins and programs of a query that are kept.
const NAMES: usize = 8;
/// A slot without a poll is bridged for so long, ms: two and a half intervals of a fleet in peace.
const HOLD_MS: i64 = 150_000;

/// What requests have in common that are counted together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Who {
    /// query hash; None: the server told none
    pub query: Option<u64>,
    /// database
    pub database: Option<Arc<str>>,
    /// login
    pub login: Option<Arc<str>>,
    /// job step, or client program
    pub program: Option<Arc<str>>,
    /// what it waited for; None: it computed
    pub wait: Option<Arc<str>>,
}

impl Who {
    /// The category of what it waited for; computing is CPU.
    pub fn category(&self) -> WaitCategory {
        self.wait.as_deref().map_or(WaitCategory::Cpu, category)
    }
}

/// How long they were at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// who
    pub who: Who,
    /// about how long, together, ms
    pub ms: u64,
}

/// The samples of a short time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// where it begins
    pub from: Timestamp,
    /// polls in it
    pub polls: u32,
    /// the time that they stand for, ms
    pub covered_ms: u64,
    /// what was seen
    pub seen: Vec<Seen>,
}

/// What a query waited for, and who ran it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mix {
    /// at work, ms
    pub ms: u64,
    /// of it computing, ms
    pub cpu_ms: u64,
    /// the rest by wait type, the longest first, ms
    pub waits: Vec<(Arc<str>, u64)>,
    /// who ran it
    pub logins: Vec<Arc<str>>,
    /// by which programs
    pub programs: Vec<Arc<str>>,
}

/// Samples of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    slot_ms: i64,
    keep_ms: i64,
    slots: VecDeque<Arc<Slot>>,
    mixes: HashMap<u64, Mix>,
    /// at work, all together, ms
    at_work_ms: u64,
    statements: HashMap<u64, Statement>,
    /// bytes of their texts
    text_bytes: usize,
    /// the newest poll
    last: Option<Timestamp>,
}

impl Samples {
    /// None yet. What is older than `keep_ms` goes.
    pub fn new(slot_ms: i64, keep_ms: i64) -> Self {
        Self {
            slot_ms: slot_ms.max(1_000),
            keep_ms,
            slots: VecDeque::new(),
            mixes: HashMap::new(),
            at_work_ms: 0,
            statements: HashMap::new(),
            text_bytes: 0,
            last: None,
        }
    }

    /// Takes a poll; and what queries waited for is known anew.
    pub fn take(&mut self, at: Timestamp, activity: &Activity, every_ms: u32) {
        self.add(at, activity, every_ms);
        self.sum_up();
    }

    /// Takes a poll of many; [`Samples::sum_up`] comes after the last.
    pub fn add(&mut self, at: Timestamp, activity: &Activity, every_ms: u32) {
        let from = Timestamp::from_ms(at.ms().div_euclid(self.slot_ms).saturating_mul(self.slot_ms));
        // A clock that went back: what lies in its future is not known any more.
        while self.slots.back().is_some_and(|slot| slot.from > from) {
            self.slots.pop_back();
        }
        let since = self.last.map(|last| at - last).filter(|ms| *ms > 0);
        let ms = since.map_or(u64::from(every_ms), |ms| ms.unsigned_abs().min(u64::from(every_ms)));
        self.last = Some(at);
        while self.slots.front().is_some_and(|slot| at - slot.from > self.keep_ms) {
            self.slots.pop_front();
        }
        if self.slots.back().is_none_or(|slot| slot.from < from) {
            self.slots.push_back(Arc::new(Slot { from, polls: 0, covered_ms: 0, seen: Vec::new() }));
        }
        let Some(slot) = self.slots.back_mut().map(Arc::make_mut) else { return };
        slot.polls += 1;
        slot.covered_ms = slot.covered_ms.saturating_add(ms);
        for request in activity.requests.iter().filter(|request| is_at_work(request)) {
            slot.count(who(request), ms);
            if let (Some(hash), Some(statement)) = (request.query_hash, &request.statement) {
                let bytes = statement.text.batch.len();
                let is_known = self.statements.contains_key(&hash) || statement.as_str().is_empty();
                let fits = bytes <= LONGEST_TEXT && self.text_bytes + bytes <= ALL_TEXTS;
                if !is_known && fits && self.statements.len() < STATEMENTS {
                    self.text_bytes += bytes;
                    self.statements.insert(hash, statement.clone());
                }
            }
        }
    }

    /// What queries waited for, from all that is kept.
    pub fn sum_up(&mut self) {
        self.mixes.clear();
        self.at_work_ms = self.slots.iter().flat_map(|slot| &slot.seen).map(|seen| seen.ms).sum();
        for seen in self.slots.iter().flat_map(|slot| &slot.seen) {
            if let Some(hash) = seen.who.query {
                self.mixes.entry(hash).or_default().add(seen);
            }
        }
        self.mixes.values_mut().for_each(|mix| mix.waits.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms)));
        let mixes = &self.mixes;
        self.statements.retain(|hash, _| mixes.contains_key(hash));
        self.text_bytes = self.statements.values().map(|statement| statement.text.batch.len()).sum();
    }

    /// Puts what was seen before in front of it: slots of the same length, that end where these begin.
    pub fn put_before(&mut self, older: Self) {
        let own = std::mem::replace(&mut self.slots, older.slots);
        self.slots.extend(own);
        for (hash, statement) in older.statements {
            let bytes = statement.text.batch.len();
            let fits = self.statements.len() < STATEMENTS && self.text_bytes + bytes <= ALL_TEXTS;
            if fits && !self.statements.contains_key(&hash) {
                self.text_bytes += bytes;
                self.statements.insert(hash, statement);
            }
        }
    }

    /// Forgets what was seen before an instant, and from another one on, with its statements.
    pub fn keep_between(&mut self, from: Timestamp, to: Timestamp) {
        self.slots.retain(|slot| slot.from >= from && slot.from < to);
        let seen = self.slots.iter().flat_map(|slot| &slot.seen);
        let queries: HashSet<u64> = seen.filter_map(|seen| seen.who.query).collect();
        self.statements.retain(|hash, _| queries.contains(hash));
        self.text_bytes = self.statements.values().map(|statement| statement.text.batch.len()).sum();
    }

    /// Calls `visit` with every name in it.
    pub fn each_name_mut(&mut self, visit: &mut dyn FnMut(&mut Arc<str>)) {
        for seen in self.slots.iter_mut().flat_map(|slot| &mut Arc::make_mut(slot).seen) {
            let Who { database, login, program, wait, query: _ } = &mut seen.who;
            [database, login, program, wait].into_iter().flatten().for_each(&mut *visit);
        }
    }

    /// How much is told apart in it.
    pub fn len(&self) -> usize {
        self.slots.iter().map(|slot| slot.seen.len()).sum()
    }

    /// Nobody was seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the statements that it holds.
    pub const fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Lets go of its statements.
    pub fn forget_statements(&mut self) {
        self.statements.clear();
        self.text_bytes = 0;
    }

    /// What was seen, slot by slot.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().map(|slot| &**slot)
    }

    /// What a query waited for; None: it was not seen.
    pub fn mix(&self, query: u64) -> Option<&Mix> {
        self.mixes.get(&query)
    }

    /// The time at work of all that was seen, ms, as it was summed up.
    pub const fn at_work_ms(&self) -> u64 {
        self.at_work_ms
    }

    /// A statement of a query.
    pub fn statement(&self, query: u64) -> Option<&Statement> {
        self.statements.get(&query)
    }

    /// Length of a slot, ms.
    pub const fn slot_ms(&self) -> i64 {
        self.slot_ms
    }
}

/// It does something: neither asleep in a transaction nor waiting to be told to.
fn is_at_work(request: &Request) -> bool {
    request.command.is_some()
        && request.status.as_deref() != Some("sleeping")
        && !request.wait_type.as_deref().is_some_and(is_benign)
}

fn who(request: &Request) -> Who {
    Who {
        query: request.query_hash,
        database: request.database.clone(),
        login: request.login.clone(),
        program: request.job.clone().or_else(|| request.program.clone()),
        wait: request.wait_type.clone(),
    }
}

impl Slot {
    fn count(&mut self, who: Who, ms: u64) {
        // Few are seen in half a minute.
        let known = self.seen.iter_mut().find(|seen| seen.who == who);
        if let Some(seen) = known {
            seen.ms = seen.ms.saturating_add(ms);
            return;
        }
        if self.seen.len() < MOST {
            self.seen.push(Seen { who, ms });
            return;
        }
        let nobody = Who { wait: who.wait, ..Who::default() };
        let has_room = self.seen.len() < MOST * 2;
        match self.seen.iter_mut().find(|seen| seen.who == nobody) {
            Some(seen) => seen.ms = seen.ms.saturating_add(ms),
            None if has_room => self.seen.push(Seen { who: nobody, ms }),
            None => {}
        }
    }
}

impl Mix {
    /// Adds what was seen.
    pub fn add(&mut self, seen: &Seen) {
        self.ms = self.ms.saturating_add(seen.ms);
        match &seen.who.wait {
            None => self.cpu_ms = self.cpu_ms.saturating_add(seen.ms),
            Some(wait) => match self.waits.iter_mut().find(|(name, _)| name == wait) {
                Some((_, ms)) => *ms = ms.saturating_add(seen.ms),
                None => self.waits.push((Arc::clone(wait), seen.ms)),
            },
        }
        let note = |names: &mut Vec<Arc<str>>, name: &Option<Arc<str>>| {
            if let Some(name) = name.as_ref().filter(|name| names.len() < NAMES && !names.contains(name)) {
                names.push(Arc::clone(name));
            }
        };
        note(&mut self.logins, &seen.who.login);
        note(&mut self.programs, &seen.who.program);
    }
}

/// By what samples are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// query hash: a statement
    Statement,
    /// the module that the statement is of
    Module,
    /// database
    Database,
    /// login
    Login,
    /// job step or client program
    Program,
}

/// What was seen, added up by something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// what its requests share; of a statement its hash as text
    pub name: Arc<str>,
    /// the query that was at work longest
    pub query: Option<u64>,
    /// sums
    pub mix: Mix,
    /// by category, ms; the longest first
    pub categories: Vec<(WaitCategory, u64)>,
    /// different queries
    pub queries: usize,
    /// a database of them
    pub database: Option<Arc<str>>,
    /// the instances that it was seen on, as places in what was added up
    pub on: Vec<u32>,
}

/// Sums over some samples, and the time that they cover.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// the longest first
    pub groups: Vec<Group>,
    /// all, ms
    pub ms: u64,
    /// the time that the samples stand for, of the instance that has most of it, ms
    pub covered_ms: u64,
    /// polls of all instances
    pub polls: u64,
}

/// Whether a slot lies in a stretch of time.
fn is_within(slot: &Slot, slot_ms: i64, (from, to): (Timestamp, Timestamp)) -> bool {
    slot.from.plus_ms(slot_ms) > from && slot.from < to
}

/// Adds up what was seen between two instants, of several instances. `name` gives the group of each.
pub fn add_up<'a>(
    all: impl Iterator<Item = (u32, &'a Samples)>,
    between: (Timestamp, Timestamp),
    mut name: impl FnMut(u32, &Who) -> Arc<str>,
) -> Sums {
    let mut sums = Sums::default();
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    let mut of_queries: Vec<HashMap<Option<u64>, u64>> = Vec::new();
    for (place, samples) in all {
        let mut covered_ms = 0_u64;
        for slot in samples.slots().filter(|slot| is_within(slot, samples.slot_ms, between)) {
            covered_ms = covered_ms.saturating_add(slot.covered_ms);
            sums.polls += u64::from(slot.polls);
            for seen in &slot.seen {
                sums.ms = sums.ms.saturating_add(seen.ms);
                let name = name(place, &seen.who);
                let at = *places.entry(Arc::clone(&name)).or_insert_with(|| {
                    of_queries.push(HashMap::new());
                    sums.groups.push(Group {
                        name,
                        query: None,
                        mix: Mix::default(),
                        categories: Vec::new(),
                        queries: 0,
                        database: None,
                        on: Vec::new(),
                    });
                    sums.groups.len() - 1
                });
                if let (Some(group), Some(queries)) = (sums.groups.get_mut(at), of_queries.get_mut(at)) {
                    group.add(place, seen);
                    *queries.entry(seen.who.query).or_default() += seen.ms;
                }
            }
        }
        sums.covered_ms = sums.covered_ms.max(covered_ms);
    }
    for (group, queries) in sums.groups.iter_mut().zip(of_queries) {
        let most = queries.iter().filter(|(query, _)| query.is_some());
        group.query = most.max_by_key(|(query, ms)| (**ms, **query)).and_then(|(query, _)| *query);
        group.queries = queries.keys().filter(|query| query.is_some()).count();
        group.mix.waits.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms));
        group.categories.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms));
    }
    sums.groups.sort_by(|a, b| b.mix.ms.cmp(&a.mix.ms).then_with(|| a.name.cmp(&b.name)));
    sums
}

impl Group {
    fn add(&mut self, place: u32, seen: &Seen) {
        self.mix.add(seen);
        let category = seen.who.category();
        match self.categories.iter_mut().find(|(known, _)| *known == category) {
            Some((_, ms)) => *ms = ms.saturating_add(seen.ms),
            None => self.categories.push((category, seen.ms)),
        }
        if self.on.last() != Some(&place) {
            self.on.push(place);
        }
        if self.database.is_none() {
            self.database.clone_from(&seen.who.database);
        }
    }
}

/// How many requests were at work on average, over time, by category: a line for each category that was seen, in requests times
/// 1,000, which is ms of work per second. Only what `is_meant` says counts. Where nothing was polled there is no bucket.
pub fn lines<'a>(
    all: impl Iterator<Item = (u32, &'a Samples)>,
    mut is_meant: impl FnMut(u32, &Who) -> bool,
) -> Vec<(WaitCategory, ChartLine)> {
    let mut lines: Vec<(WaitCategory, ChartLine)> = Vec::new();
    let mut slot_ms = SLOT_MS;
    // Of each slot: what was seen by category, ms per second, over all instances that were polled in it.
    let mut by_time: HashMap<i64, Vec<(WaitCategory, f64)>> = HashMap::new();
    for (place, samples) in all {
        slot_ms = samples.slot_ms;
        for slot in samples.slots().filter(|slot| slot.covered_ms > 0) {
            let here = by_time.entry(slot.from.ms()).or_default();
            for seen in slot.seen.iter().filter(|seen| is_meant(place, &seen.who)) {
                let (category, rate) =
                    (seen.who.category(), seen.ms as f64 * 1_000.0 / slot.covered_ms as f64);
                match here.iter_mut().find(|(known, _)| *known == category) {
                    Some((_, sum)) => *sum += rate,
                    None => here.push((category, rate)),
                }
            }
        }
    }
    let mut times: Vec<i64> = by_time.keys().copied().collect();
    times.sort_unstable();
    let hold_ms = slot_ms.max(HOLD_MS);
    for category in WaitCategory::ALL {
        let value = |time: &i64| {
            let found = by_time.get(time)?.iter().find(|(known, _)| *known == category)?;
            Some(found.1 as f32)
        };
        // A chart of nothing is one of zeros: something was polled.
        if category != WaitCategory::Cpu && times.iter().all(|time| value(time).is_none()) {
            continue;
        }
        let bucket = |time: &i64| {
            let value = value(time).unwrap_or(0.0);
            Bucket { at: Timestamp::from_ms(*time), min: value, avg: value, max: value, n: 1 }
        };
        let buckets = times.iter().map(bucket).collect();
        lines.push((category, ChartLine { buckets, bucket_ms: slot_ms, hold_ms }));
    }
    lines
}

#[cfg(test)]
mod tests;
