//! The queries of an instance as its plan cache has them: a fixed set of them shares the CPU that it uses, so that their sums
//! agree with its counters at any moment. A burner has what a storm adds; a regression, an index that is gone, or a plan that was
//! compiled for another value hits one query each, which runs by a plan of its own from then on.

use super::{
    moment::Moment,
    profile::{Profile, Role},
    script::Happening,
    texts::{self, Sort, TEXTS, of_sort},
    totals::{Meter, Totals, share_of_hit},
};
use crate::sim::scenario::Kind;

/// Modules that run within a query, whose figures have theirs in them: the query's text, the sort of the module, how often it runs in
/// each of its runs, and the part of its CPU that a run of the module takes.
const WITHIN: [(u16, Sort, i64, f64); 2] = [(1, Sort::Trigger, 1, 0.35), (4, Sort::Function, 12, 0.02)];

/// The part of all CPU that the cached queries account for; the rest is compilations, what is never cached, and logins.
const COVERED: f64 = 0.82;
/// A query that an event hits.
#[derive(Debug)]
pub struct Victim {
    /// by which event
    pub kind: Kind,
    /// position of its text
    pub template: u16,
    /// number of its plan then; 0 is the good one
    pub plan: u8,
}

/// All of them: the page of `usp_GetPage`, the list of a customer's orders, `usp_MonthlyTurnover`.
pub const VICTIMS: [Victim; 3] = [
    Victim { kind: Kind::PlanRegression, template: 3, plan: 1 },
    Victim { kind: Kind::MissingIndex, template: 0, plan: 2 },
    Victim { kind: Kind::ParameterSniffing, template: 7, plan: 3 },
];

fn victim(template: u16) -> Option<&'static Victim> {
    VICTIMS.iter().find(|victim| victim.template == template)
}

/// The part of all CPU that they have together while they are well.
fn share_of_victims() -> f64 {
    VICTIMS.iter().filter_map(|victim| share_of_hit(victim.kind)).sum()
}

/// What a run takes, or many of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// runs
    pub runs: i64,
    /// CPU, µs
    pub cpu_us: i64,
    /// duration, µs
    pub elapsed_us: i64,
    /// pages from memory
    pub reads: i64,
    /// pages from disk
    pub physical_reads: i64,
    /// pages written
    pub writes: i64,
    /// rows
    pub rows: i64,
    /// granted, KB
    pub grant_kb: i64,
    /// used of it, KB
    pub used_kb: i64,
    /// ideal, KB
    pub ideal_kb: i64,
    /// degree of parallelism
    pub dop: i64,
    /// pages spilled
    pub spills: i64,
}

/// The plans of one query hash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Query {
    /// position of its text
    pub template: u16,
    /// database
    pub database_id: i32,
    /// compiled then, ms
    pub created_ms: i64,
    /// the last run began then, ms
    pub last_ms: i64,
    /// which of its plans it is: 0 the good one, else that of an event, see [`VICTIMS`]
    pub plan: u8,
    /// plans
    pub plans: i64,
    /// one run
    pub run: Figures,
    /// all runs since it was compiled
    pub total: Figures,
}

/// The hash of the query in a text, the same in requests and in the plan cache.
pub fn hash(profile: &Profile, template: u16) -> [u8; 8] {
    profile.dice.of("query").at(i64::from(template)).bytes()
}

/// The hash of one of its plans.
pub fn plan_hash(profile: &Profile, query: &Query) -> [u8; 8] {
    profile.dice.of("plan").at(i64::from(query.template)).at(i64::from(query.plan)).bytes()
}

impl Figures {
    /// So many of the same.
    pub(super) const fn times(self, n: i64) -> Self {
        Self {
            runs: n,
            cpu_us: self.cpu_us.saturating_mul(n),
            elapsed_us: self.elapsed_us.saturating_mul(n),
            reads: self.reads.saturating_mul(n),
            physical_reads: self.physical_reads.saturating_mul(n),
            writes: self.writes.saturating_mul(n),
            rows: self.rows.saturating_mul(n),
            grant_kb: self.grant_kb.saturating_mul(n),
            used_kb: self.used_kb.saturating_mul(n),
            ideal_kb: self.ideal_kb.saturating_mul(n),
            dop: self.dop.saturating_mul(n),
            spills: self.spills.saturating_mul(n),
        }
    }

    /// The same by a plan that is so much worse.
    fn worse(self, times: f64) -> Self {
        let more = |n: i64| (n as f64 * times) as i64;
        Self {
            cpu_us: more(self.cpu_us),
            elapsed_us: more(self.elapsed_us),
            reads: more(self.reads),
            physical_reads: more(self.physical_reads.max(1)),
            spills: self.reads / 9,
            ..self
        }
    }
}

/// CPU of the process between two moments, ms: the everyday part, and what a storm adds.
struct Cpu {
    everyday: f64,
    storm: f64,
}

impl Moment<'_> {
    /// The queries that ran since they were compiled.
    pub fn queries(&self) -> Vec<Query> {
        let shapes = self.shapes();
        let weights: f64 = shapes.iter().map(|(_, weight)| weight).sum();
        let minute = self.cpu_between((self.at_ms - 60_000).max(self.started_ms()));
        let mut all = Vec::with_capacity(shapes.len() + 2);
        for (template, weight) in shapes {
            let part = weight / weights * (COVERED - share_of_victims());
            let created_ms = self.compiled_ms(template);
            let ran_ms = self.cpu_between(created_ms).everyday * part;
            all.extend(self.query(template, created_ms, ran_ms, minute.everyday * part / 60_000.0));
        }
        all.extend(VICTIMS.iter().filter_map(|victim| self.hit(victim, &minute)));
        all.extend(self.burner());
        all
    }

    /// The modules that run within queries: triggers and functions.
    pub fn modules_within(&self) -> Vec<Query> {
        let queries = self.queries();
        let within = |(parent, sort, times, part): (u16, Sort, i64, f64)| {
            let query = queries.iter().find(|query| query.template == parent)?;
            let of = |n: i64| (n as f64 * part) as i64;
            let run = Figures {
                runs: 1,
                cpu_us: of(query.run.cpu_us).max(1),
                elapsed_us: of(query.run.elapsed_us).max(1),
                reads: of(query.run.reads).max(2),
                physical_reads: 0,
                writes: i64::from(sort == Sort::Trigger),
                ..Figures::default()
            };
            let runs = query.total.runs.saturating_mul(times);
            let template = *of_sort(sort).first()?;
            Some(Query { template, plan: 0, plans: 1, run, total: run.times(runs), ..*query })
        };
        WITHIN.into_iter().filter_map(within).collect()
    }

    /// The everyday texts with their weights.
    fn shapes(&self) -> Vec<(u16, f64)> {
        let p = self.profile;
        let kinds = [
            (Sort::App, if p.role == Role::Reporting { 0.2 } else { 1.0 }),
            (Sort::Report, if p.role == Role::Reporting { 2.0 } else { 0.3 }),
            (Sort::Etl, 0.3),
            (Sort::Job, 0.15),
            (Sort::BlockingVictim, 0.4),
        ];
        let weigh = |(sort, factor): (Sort, f64)| {
            let texts = of_sort(sort).into_iter().filter(|template| victim(*template).is_none());
            texts.map(move |template| {
                (template, p.dice.of("weight").at(i64::from(template)).skewed(0.3, 12.0) * factor)
            })
        };
        kinds.into_iter().flat_map(weigh).collect()
    }

    /// When a query ran first.
    fn began_ms(&self, template: u16) -> i64 {
        self.started_ms().saturating_add(20_000 + i64::from(template) * 1_700).min(self.at_ms)
    }

    /// Then, or for some the last time that their statistics changed.
    fn compiled_ms(&self, template: u16) -> i64 {
        let dice = self.profile.dice.of("compiled").at(i64::from(template));
        let began_ms = self.began_ms(template);
        if !dice.chance(0.3) {
            return began_ms;
        }
        let every_ms = dice.of("every").whole(1_500_000, 20_000_000);
        let age_ms = self.at_ms.saturating_add(dice.of("phase").whole(0, every_ms)).rem_euclid(every_ms);
        (self.at_ms - age_ms).max(began_ms)
    }

    /// A query by the CPU that it took since it was compiled, and by what it takes now. None if it has not run yet.
    fn query(&self, template: u16, created_ms: i64, cpu_ms: f64, now: f64) -> Option<Query> {
        let p = self.profile;
        let dice = p.dice.of("shape").at(i64::from(template));
        let run = self.run(template);
        let runs = cpu_ms * 1e3 / run.cpu_us as f64;
        let whole = runs as i64;
        let since_last_ms = (runs - runs.floor()) * run.cpu_us as f64 / 1e3 / now.max(1e-9);
        let ended_ms = self.at_ms - since_last_ms.min(1e12) as i64;
        (whole > 0).then(|| Query {
            template,
            database_id: texts::database_of(p.dice, template),
            created_ms,
            last_ms: (ended_ms - run.elapsed_us / 1_000).max(created_ms),
            plan: 0,
            plans: if TEXTS[usize::from(template)].proc.is_some() { 1 } else { dice.of("plans").whole(1, 4) },
            run,
            total: run.times(whole),
        })
    }

    /// One run of a query.
    pub(super) fn run(&self, template: u16) -> Figures {
        let text = &TEXTS[usize::from(template)];
        let dice = self.profile.dice.of("run").at(i64::from(template));
        let (cpu_ms, dop, memory_mb) = match text.sort {
            _ if victim(template).is_some() => (dice.of("cpu").skewed(0.3, 45.0), 1, 0.0),
            Sort::Report => (dice.of("cpu").skewed(900.0, 40_000.0), 8, dice.of("grant").skewed(40.0, 900.0)),
            Sort::Etl => (dice.of("cpu").skewed(2_000.0, 30_000.0), 4, 240.0),
            Sort::Job => (dice.of("cpu").skewed(4_000.0, 60_000.0), 1, 12.0),
            Sort::Burner => (700.0, 1, 0.0),
            _ => (dice.of("cpu").skewed(0.3, 45.0), 1, 0.0),
        };
        let busy = dice.of("busy").between(0.3, 0.95) * f64::from(dop);
        let reads = (cpu_ms * dice.of("reads").between(20.0, 90.0)) as i64;
        let grant_kb = (memory_mb * 1_024.0) as i64;
        let is_write = !matches!(text.command, "SELECT" | "SELECT INTO");
        Figures {
            runs: 1,
            cpu_us: (cpu_ms * 1e3) as i64,
            elapsed_us: (cpu_ms * 1e3 / busy) as i64,
            reads,
            physical_reads: reads / dice.of("disk").whole(30, 900),
            writes: if is_write { reads / 25 + 1 } else { 0 },
            rows: if is_write { 1 } else { dice.of("rows").skewed(1.0, 50_000.0) as i64 },
            grant_kb,
            used_kb: grant_kb / dice.of("used").whole(1, 9),
            ideal_kb: grant_kb * dice.of("ideal").whole(1, 3),
            dop: i64::from(dop),
            spills: if dop > 4 && dice.of("spills").chance(0.4) { reads / 40 } else { 0 },
        }
    }

    /// A query that an event hits: compiled at its begin, and again at its end.
    fn hit(&self, victim: &Victim, minute: &Cpu) -> Option<Query> {
        let (template, at_ms) = (victim.template, self.at_ms);
        let share = share_of_hit(victim.kind)?;
        let hit = self.happenings().iter().filter(|h| h.kind == victim.kind);
        let latest = hit.filter_map(|h| h.span.latest(at_ms));
        let turns = latest.flat_map(|o| [o.from_ms, o.to_ms]).filter(|turn| *turn <= at_ms);
        let created_ms = turns.max().unwrap_or(i64::MIN).max(self.began_ms(template));
        let everyday = self.cpu_between(created_ms).everyday;
        let now = minute.everyday * share / 60_000.0;
        // A plan is compiled by a run: it never stands in the cache without one.
        let first_ms = self.run(template).cpu_us as f64 / 1e3;
        let well = self.query(template, created_ms, (everyday * share).max(first_ms), now)?;
        let Some(bad) = self.active(victim.kind) else { return Some(well) };
        let run = well.run.worse(bad.amount.max(1.0));
        let total = Figures {
            // What the counters of the process have of it.
            cpu_us: well.total.cpu_us.saturating_add((self.added_by(victim.kind, created_ms) * 1e3) as i64),
            ..run.times(well.total.runs)
        };
        Some(Query { plan: victim.plan, run, total, ..well })
    }

    /// What a storm burns.
    fn burner(&self) -> Option<Query> {
        let kinds = [Kind::CpuStorm, Kind::CpuLimit];
        let storms = self.happenings().iter().filter(|h| kinds.contains(&h.kind));
        let began_ms = storms.filter_map(|h| h.span.latest(self.at_ms)).map(|o| o.from_ms).max()?;
        let created_ms = began_ms.max(self.started_ms());
        let cpu = self.cpu_between(created_ms);
        let template = *of_sort(Sort::Burner).first()?;
        let is_on = kinds.into_iter().any(|kind| self.is(kind));
        let now = if is_on { cpu.storm / (self.at_ms - created_ms).max(1) as f64 } else { 0.0 };
        self.query(template, created_ms, cpu.storm * 0.97, now)
    }

    /// CPU from some moment until now.
    fn cpu_between(&self, from_ms: i64) -> Cpu {
        let [regression, index, sniffing] = VICTIMS.map(|victim| victim.kind);
        let everyday =
            self.cpu_without(&[Kind::CpuStorm, Kind::CpuLimit, regression, index, sniffing], from_ms);
        let calm = self.cpu_without(&[Kind::CpuStorm, Kind::CpuLimit], from_ms);
        let all = self.cpu_without(&[], from_ms);
        Cpu { everyday, storm: (all - calm).max(0.0) }
    }

    /// What events of a kind add to the CPU since some moment, storms aside.
    fn added_by(&self, kind: Kind, from_ms: i64) -> f64 {
        let with = self.cpu_without(&[Kind::CpuStorm, Kind::CpuLimit], from_ms);
        let without = self.cpu_without(&[Kind::CpuStorm, Kind::CpuLimit, kind], from_ms);
        (with - without).max(0.0)
    }

    /// CPU of the process since some moment, if events of these kinds had not been.
    fn cpu_without(&self, without: &[Kind], from_ms: i64) -> f64 {
        let all = self.happenings().iter().copied();
        let happenings: Vec<Happening> = all.filter(|h| !without.contains(&h.kind)).collect();
        let from_ms = from_ms.min(self.at_ms);
        Totals::over(self.profile, &happenings, self.fleet.utc_origin_ms, from_ms, self.at_ms)
            .exact(Meter::Cpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_victims_are_the_texts_that_they_are_called_after() {
        let names = VICTIMS.map(|victim| TEXTS[usize::from(victim.template)].proc);
        assert_eq!(names, [Some("dbo.usp_GetPage"), None, Some("rpt.usp_MonthlyTurnover")]);
        let parts: f64 = share_of_victims();
        assert!(VICTIMS.iter().all(|victim| share_of_hit(victim.kind).is_some()) && parts < COVERED / 2.0);
    }
}
