//! The Query Stores of an instance: which databases have one, how large it is, and the runs of its queries over any stretch of time.
//! They are the queries of the plan cache: what regressed there is slower in here, once the interval has closed.

use super::{
    moment::Moment,
    profile::Database,
    queries::{Figures, Query, VICTIMS},
    texts::{Sort, TEXTS},
    version::Version,
};
use crate::sim::scenario::Kind;

/// The first user database, whose store fills, and whose plan cannot be forced any more.
const FIRST: i32 = 5;
/// A filling store is full after so long, with the usual amount.
const FILLS_MS: f64 = 300_000.0;
/// Intervals are numbered from here on, UTC ms: 2020.
const NUMBERED_FROM_MS: i64 = 1_577_836_800_000;
/// Queries with another number than that of their text: variants of one.
const VARIANTS: i64 = 100_000;

/// A Query Store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    /// database
    pub database_id: i32,
    /// length of an interval, minutes
    pub interval_min: i64,
    /// size
    pub size_mb: i64,
    /// size that it may reach
    pub cap_mb: i64,
    /// 0 off, 1 read-only, 2 read-write
    pub state: i64,
    /// why it is read-only
    pub readonly_reason: i64,
    /// it deletes old queries by itself
    pub cleans: bool,
}

/// Runs of a query over some time: those by its everyday plan, and those by a bad one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Runs {
    /// its number
    pub query_id: i64,
    /// position of its text
    pub template: u16,
    /// the query as the cache has it
    pub query: Query,
    /// what they took
    pub total: Figures,
    /// runs by the bad plan
    pub bad: i64,
    /// how much they differ, of the average
    pub spread: f64,
    /// the longest run, µs
    pub max_us: i64,
}

/// A forced plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forced {
    /// its query
    pub query: i64,
    /// position of the text
    pub template: u16,
    /// how often it failed
    pub failures: i64,
    /// why
    pub reason: i64,
}

impl Store {
    /// Length of an interval, ms.
    const fn interval_ms(&self) -> i64 {
        self.interval_min * 60_000
    }

    /// The number of the interval that a moment is in, UTC ms.
    pub const fn interval_at(&self, utc_ms: i64) -> i64 {
        (utc_ms - NUMBERED_FROM_MS).div_euclid(self.interval_ms())
    }

    /// The begin of an interval, UTC ms.
    pub const fn begin_ms(&self, interval: i64) -> i64 {
        NUMBERED_FROM_MS + interval * self.interval_ms()
    }
}

impl Moment<'_> {
    /// The stores; new versions have one in every user database.
    pub fn stores(&self) -> Vec<Store> {
        let p = self.profile;
        let users = p.databases.iter().filter(|d| d.id >= FIRST);
        let is_secondary = p.membership.is_some_and(|own| own.place != 0);
        let has_one = |id: i32| {
            id == FIRST
                || p.version >= Version::V2022
                || p.dice.of("query store").at(i64::from(id)).chance(0.4)
        };
        let store = |d: &Database| {
            let store = self.store(d.id);
            // A secondary says that it is off, and shows what the primary recorded.
            if is_secondary && d.replicated { Store { state: 0, readonly_reason: 0, ..store } } else { store }
        };
        users.filter(|d| has_one(d.id)).map(store).collect()
    }

    fn store(&self, database_id: i32) -> Store {
        let dice = self.profile.dice.of("store").at(i64::from(database_id));
        let cap_mb = if self.profile.version >= Version::V2019 { 1_000 } else { 100 };
        let usual_mb = (dice.of("size").between(0.2, 0.8) * cap_mb as f64) as i64;
        let store = Store {
            database_id,
            interval_min: *dice.of("interval").pick(&[15, 30, 60, 60]),
            size_mb: usual_mb,
            cap_mb,
            state: 2,
            readonly_reason: 0,
            cleans: dice.of("cleanup").chance(0.8),
        };
        let Some(fills) = self.active(Kind::QueryStoreFull).filter(|_| database_id == FIRST) else {
            return store;
        };
        let part = fills.age_ms as f64 / FILLS_MS * fills.amount.max(0.0) / 100.0;
        let size_mb = (usual_mb as f64 + (cap_mb - usual_mb) as f64 * part.min(1.0)) as i64;
        let (state, readonly_reason) = if part >= 1.0 { (1, 65_536) } else { (2, 0) };
        Store { size_mb, state, readonly_reason, cleans: false, ..store }
    }

    /// What the queries of a database did from one moment to another, UTC ms.
    pub fn stored(&self, database_id: i32, from_ms: i64, to_ms: i64) -> Vec<Runs> {
        let queries = self.queries().into_iter().filter(|query| query.database_id == database_id);
        let mut all: Vec<Runs> = Vec::new();
        for (n, query) in queries.enumerate() {
            let runs = self.runs(query, from_ms, to_ms);
            if n == 0 && self.profile.version >= Version::V2022 {
                // It has a plan for few rows and one for many.
                for (variant, part) in [(0, 0.7), (1, 0.3)] {
                    let query_id = VARIANTS + i64::from(query.template) * 2 + variant;
                    all.push(Runs { query_id, total: part_of(runs.total, part), bad: 0, ..runs });
                }
            } else {
                all.push(runs);
            }
        }
        all.retain(|runs| runs.total.runs > 0);
        all
    }

    /// The variants of queries of a database: variant, and what it is of.
    pub fn variants(&self, database_id: i32) -> Vec<(i64, i64)> {
        let first = self.queries().into_iter().find(|query| query.database_id == database_id);
        first
            .into_iter()
            .flat_map(|query| {
                [0, 1].map(|n| (VARIANTS + i64::from(query.template) * 2 + n, number(query.template)))
            })
            .collect()
    }

    fn runs(&self, query: Query, from_ms: i64, to_ms: i64) -> Runs {
        let dice = self.profile.dice.of("stored").at(i64::from(query.template));
        let lived_ms = (self.at_ms - query.created_ms).max(1) as f64;
        let per_ms = query.total.runs as f64 / lived_ms;
        let good = self.run(query.template);
        let (bad_ms, bad_run) = match VICTIMS.iter().find(|victim| victim.plan == query.plan) {
            Some(victim) => (self.hit_ms(victim.kind, from_ms, to_ms), query.run),
            None => (0, good),
        };
        // What a storm burns began with the storm.
        let is_burner = TEXTS.get(usize::from(query.template)).is_some_and(|text| text.sort == Sort::Burner);
        let origin = self.utc_ms() - self.at_ms;
        let from_ms = if is_burner { from_ms.max(query.created_ms + origin) } else { from_ms };
        let count = |ms: i64| (per_ms * ms as f64) as i64;
        let (bad, well) = (count(bad_ms), count((to_ms - from_ms).max(0) - bad_ms));
        let total = plus(good.times(well), bad_run.times(bad));
        let is_wide = dice.of("wide").chance(0.15);
        let spread = if is_wide { 2.4 } else { dice.of("spread").between(0.1, 0.8) };
        let longest = if is_wide { 35 } else { 4 };
        let max_us =
            good.elapsed_us.saturating_mul(longest).max(if bad > 0 { bad_run.elapsed_us } else { 0 });
        Runs { query_id: number(query.template), template: query.template, query, total, bad, spread, max_us }
    }

    /// How much of a stretch of time events of a kind took, ms.
    fn hit_ms(&self, kind: Kind, from_ms: i64, to_ms: i64) -> i64 {
        let origin = self.utc_ms() - self.at_ms;
        let (from_ms, to_ms) = (from_ms - origin, (to_ms - origin).min(self.at_ms));
        let hit = self.happenings().iter().filter(|h| h.kind == kind);
        let hit = hit.flat_map(|h| h.span.occurrences(from_ms, to_ms));
        hit.map(|o| o.to_ms.min(to_ms) - o.from_ms.max(from_ms))
            .filter(|ms| *ms > 0)
            .sum::<i64>()
            .min((to_ms - from_ms).max(0))
    }

    /// The forced plans of a database.
    pub fn forced(&self, database_id: i32) -> Vec<Forced> {
        let dice = self.profile.dice.of("forced").at(i64::from(database_id));
        let fails = self.active(Kind::PlanForceFailure).filter(|_| database_id == FIRST);
        if !dice.chance(0.5) && fails.is_none() {
            return Vec::new();
        }
        // What has variants is not forced.
        let with_variants = usize::from(self.profile.version >= Version::V2022);
        let mut queries =
            self.queries().into_iter().filter(|q| q.database_id == database_id).skip(with_variants);
        let query = queries.find(|q| TEXTS[usize::from(q.template)].proc.is_some());
        let failures = fails.map_or(0, |a| 1 + (a.age_ms as f64 * a.amount.max(0.0) / 3.6e6) as i64);
        let forced = |query: Query| Forced {
            query: number(query.template),
            template: query.template,
            failures,
            reason: if failures > 0 { 8_712 } else { 0 },
        };
        query.map(forced).into_iter().collect()
    }
}

/// The number of a query in its store.
pub fn number(template: u16) -> i64 {
    i64::from(template) + 1
}

/// A plan in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredPlan {
    /// its number: that of its query, and which of the plans of the query it is
    pub plan_id: i64,
    /// its query
    pub query_id: i64,
    /// position of the text
    pub template: u16,
    /// which picture it has: see `queries::VICTIMS`
    pub plan: u8,
    /// runs, CPU and duration in µs of the last 25 hours
    pub ran: [i64; 3],
    /// how long ago it ran last, ms
    pub idle_ms: i64,
}

impl Moment<'_> {
    /// The plans of the queries of a database that ran in the last 25 hours. A query that an event hit has its bad plan and the good
    /// one of before; of the two variants of a query the second one, for many rows, scans.
    pub fn stored_plans(&self, database_id: i32) -> Vec<StoredPlan> {
        let now = self.utc_ms();
        let all = self.stored(database_id, now - 25 * 3_600_000, now);
        all.iter().flat_map(plans_of).collect()
    }
}

fn plans_of(runs: &Runs) -> Vec<StoredPlan> {
    let (total, bad) = (runs.total, runs.query.run.times(runs.bad));
    let is_hit = runs.query.plan != 0;
    let plan = |plan: u8, ran: [i64; 3], idle_ms| StoredPlan {
        plan_id: runs.query_id * 10 + i64::from(plan),
        query_id: runs.query_id,
        template: runs.template,
        plan,
        ran,
        idle_ms,
    };
    if runs.query_id >= VARIANTS {
        let picture = if runs.query_id % 2 == 0 { 0 } else { 2 };
        return vec![plan(picture, [total.runs, total.cpu_us, total.elapsed_us], 2_000)];
    }
    let good = [total.runs - bad.runs, total.cpu_us - bad.cpu_us, total.elapsed_us - bad.elapsed_us];
    if !is_hit {
        return vec![plan(0, good, 2_000)];
    }
    // A plan is there with its first run.
    let bad = runs.query.run.times(runs.bad.max(1));
    vec![plan(runs.query.plan, [bad.runs, bad.cpu_us, bad.elapsed_us], 2_000), plan(0, good, 600_000)]
}

fn plus(a: Figures, b: Figures) -> Figures {
    Figures {
        runs: a.runs + b.runs,
        cpu_us: a.cpu_us + b.cpu_us,
        elapsed_us: a.elapsed_us + b.elapsed_us,
        reads: a.reads + b.reads,
        physical_reads: a.physical_reads + b.physical_reads,
        writes: a.writes + b.writes,
        rows: a.rows + b.rows,
        grant_kb: a.grant_kb + b.grant_kb,
        used_kb: a.used_kb + b.used_kb,
        ideal_kb: a.ideal_kb + b.ideal_kb,
        dop: a.dop + b.dop,
        spills: a.spills + b.spills,
    }
}

fn part_of(all: Figures, part: f64) -> Figures {
    let of = |n: i64| (n as f64 * part) as i64;
    Figures {
        runs: of(all.runs),
        cpu_us: of(all.cpu_us),
        elapsed_us: of(all.elapsed_us),
        reads: of(all.reads),
        physical_reads: of(all.physical_reads),
        writes: of(all.writes),
        rows: of(all.rows),
        grant_kb: of(all.grant_kb),
        used_kb: of(all.used_kb),
        ideal_kb: of(all.ideal_kb),
        dop: of(all.dop),
        spills: of(all.spills),
    }
}
