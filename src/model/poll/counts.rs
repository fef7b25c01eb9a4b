//! What is counted of cached plans, of queries (`queries`) as of modules (`modules`): sums over all plans of a thing, and what lies
//! between two samples of them.
//!
//! A plan's counters begin with its compilation and vanish with the plan. So the server sums plans that are older than the poll
//! before apart from newer ones: all of a newer one is growth, and where older ones are fewer than before, growth is a lower
//! bound. Of a thing that was not told before, only the last run of each older plan is known to be new.
//!
//! A poll tells what ran, as far as it was among the first. What was told once and then not keeps its sums here ([`Bases`]): when it is
//! told again its growth since then is known, if no plan of it was compiled or went. It is that of the last interval where the thing
//! idled between; where it may have run unseen, it is that of a time of its own.

use crate::model::fold::rate::MAX_GAP_MS;
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

/// Idle things that are kept of an instance, beside those of the newest poll: as many as a poll of the fleet tells of queries. A query
/// has 120 bytes here and a module 72, so that they are 6 KB an instance and 31 MB of 5,000, at most. Those that idle longest go first.
const IDLE: usize = 32;

/// What is summed. Modules have the first six.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Measure {
    /// runs that ended
    Runs,
    /// CPU, µs
    Cpu,
    /// duration, µs
    Elapsed,
    /// pages read from memory
    Reads,
    /// pages read from disk
    PhysicalReads,
    /// pages written
    Writes,
    /// rows returned
    Rows,
    /// memory granted, KB
    Grant,
    /// memory used of it, KB
    Used,
    /// memory that would have been ideal, KB
    Ideal,
    /// degree of parallelism
    Dop,
    /// pages spilled to tempdb
    Spills,
}

impl Measure {
    /// All, each at the place of its number.
    pub const ALL: [Self; 12] = [
        Self::Runs,
        Self::Cpu,
        Self::Elapsed,
        Self::Reads,
        Self::PhysicalReads,
        Self::Writes,
        Self::Rows,
        Self::Grant,
        Self::Used,
        Self::Ideal,
        Self::Dop,
        Self::Spills,
    ];
}

/// A sum for each of the first `N` measures; None: the server did not say.
pub type Sums<const N: usize> = [Option<i64>; N];

/// All cached plans of one thing: sums since their compilations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanCounts<const N: usize> {
    /// cached plans
    pub plans: Option<i64>,
    /// of them, compiled before the poll before
    pub old_plans: Option<i64>,
    /// when the newest of those was compiled, ms by the server's clock
    pub old_compiled_at: Option<i64>,
    /// over all plans
    pub all: Sums<N>,
    /// over those that were compiled since the poll before
    pub new: Sums<N>,
    /// over the last run of each older plan that ran since
    pub last: Sums<N>,
    /// shortest and longest run of the plans that ran, µs
    pub range_us: [Option<i64>; 2],
}

impl<const N: usize> Default for PlanCounts<N> {
    fn default() -> Self {
        let none = [None; N];
        Self {
            plans: None,
            old_plans: None,
            old_compiled_at: None,
            all: none,
            new: none,
            last: none,
            range_us: [None; 2],
        }
    }
}

/// The part of [`PlanCounts`] that those of a later poll are compared with. A fleet keeps it of every query between two polls, so it
/// is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanBase<const N: usize> {
    /// the server's clock when it was told, ms
    told_at: i64,
    /// over all plans; negative: the server did not say
    all: [i64; N],
    /// cached plans; negative: the server did not say
    plans: i32,
}

impl<const N: usize> PlanBase<N> {
    fn plans(&self) -> Option<i64> {
        (self.plans >= 0).then_some(self.plans.into())
    }
}

/// What is kept of things between two polls, for the next one: of those that the newest one told, and of some that idle.
#[derive(Debug)]
pub struct Bases<K, const N: usize> {
    /// the server's clock at the newest poll, ms since 1970 by its own zone
    polled_at: Option<i64>,
    /// the same at the newest poll that did not tell all that ran: what was not among the first then may have run
    untold_at: Option<i64>,
    /// those of the newest poll first, then those that idle, the longest last
    rows: Box<[(K, PlanBase<N>)]>,
}

impl<K: Copy + Eq + Hash, const N: usize> Bases<K, N> {
    /// What is kept after a poll. `before`: what was kept until then, of the same life of the instance. `told`: what the poll told.
    /// `is_all`: nothing else ran.
    pub fn after<'a>(
        before: Option<&Self>,
        polled_at: Option<i64>,
        is_all: bool,
        told: impl Iterator<Item = (K, &'a PlanCounts<N>)>,
    ) -> Self {
        let told_at = polled_at.unwrap_or(i64::MIN);
        let mut rows: Vec<_> = told.map(|(key, counts)| (key, counts.base(told_at))).collect();
        // After a longer time a poll tells of its last part only.
        let is_near = |before: i64, now: i64| {
            now.checked_sub(before).is_some_and(|ms| (0..=MAX_GAP_MS as i64).contains(&ms))
        };
        let before = before.filter(|b| b.polled_at.zip(polled_at).is_some_and(|(a, b)| is_near(a, b)));
        if let Some(before) = before {
            let here: HashSet<K> = rows.iter().map(|(key, _)| *key).collect();
            rows.extend(before.rows.iter().filter(|(key, _)| !here.contains(key)).take(IDLE).copied());
        }
        let untold_at = if is_all { before.and_then(|before| before.untold_at) } else { polled_at };
        Self { polled_at, untold_at, rows: rows.into() }
    }

    /// The server's clock at the newest poll.
    pub const fn polled_at(&self) -> Option<i64> {
        self.polled_at
    }

    /// To be compared with a poll. Of two rows of a thing the first counts.
    pub fn before(&self, polled_at: Option<i64>) -> Olds<'_, K, N> {
        let by_key = self.rows.iter().rev().map(|(key, base)| (*key, base)).collect();
        Olds { of: self, by_key, polled_at }
    }

    /// Of which time the difference to it is; None: its plans are others, or that was too long ago.
    fn time_since(&self, base: &PlanBase<N>, now: &PlanCounts<N>, polled_at: Option<i64>) -> Option<Own> {
        if self.polled_at.is_none_or(|newest| base.told_at >= newest) {
            return Some(Own::Interval);
        }
        let is_same = now.old_plans.is_some_and(|plans| base.plans() == Some(plans))
            && now.old_compiled_at.is_some_and(|at| at <= base.told_at);
        let has_idled = self.untold_at.is_none_or(|at| base.told_at >= at);
        match polled_at?.checked_sub(base.told_at) {
            _ if !is_same => None,
            _ if has_idled || now.is_last_run(base) => Some(Own::Interval),
            Some(ms) if ms <= MAX_GAP_MS as i64 => Some(Own::Longer(ms.unsigned_abs())),
            _ => None,
        }
    }
}

/// The time that the growth of a thing is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// since the newest poll
    Interval,
    /// since a poll before it, so many ms ago: it may have run unseen between
    Longer(u64),
}

impl Own {
    /// Its length, ms; 0: that of the interval.
    pub const fn ms(self) -> u64 {
        match self {
            Self::Interval => 0,
            Self::Longer(ms) => ms,
        }
    }
}

/// What is compared with the things of a poll.
#[derive(Debug)]
pub struct Olds<'a, K, const N: usize> {
    of: &'a Bases<K, N>,
    by_key: HashMap<K, &'a PlanBase<N>>,
    polled_at: Option<i64>,
}

impl<K: Copy + Eq + Hash, const N: usize> Olds<'_, K, N> {
    /// What to compare a thing with, and of which time the difference is.
    pub fn of(&self, key: K, now: &PlanCounts<N>) -> (Option<&PlanBase<N>>, Own) {
        let base = self.by_key.get(&key).copied();
        let found = base.and_then(|base| Some((base, self.of.time_since(base, now, self.polled_at)?)));
        found.map_or((None, Own::Interval), |(base, own)| (Some(base), own))
    }
}

/// What of a sum over a time of its own falls into an interval, on the average.
pub fn within(sum: Option<i64>, own_ms: u64, over_ms: u64) -> Option<i64> {
    match sum {
        Some(sum) if own_ms > over_ms => {
            i64::try_from(i128::from(sum) * i128::from(over_ms) / i128::from(own_ms)).ok()
        }
        sum => sum,
    }
}

impl<const N: usize> PlanCounts<N> {
    /// What is kept of a poll.
    fn base(&self, told_at: i64) -> PlanBase<N> {
        let plans = self.plans.map_or(-1, |plans| i32::try_from(plans).unwrap_or(i32::MAX));
        PlanBase { told_at, all: self.all.map(|sum| sum.unwrap_or(-1)), plans }
    }

    /// All that older plans ran since then is their last runs, which ended since the poll before.
    fn is_last_run(&self, base: &PlanBase<N>) -> bool {
        let sum = |sums: &Sums<N>| sums.first().copied().flatten();
        let new = sum(&self.new).unwrap_or(0);
        let all = sum(&self.all).and_then(|all| all.checked_sub(new)?.checked_sub(*base.all.first()?));
        all.is_some() && all == sum(&self.last)
    }

    /// How much a measure grew since the poll before: what older plans have beyond the sum then, and all that newer ones have.
    /// Without a poll before, what their last runs took. None: it is not known, or not among the measures.
    pub fn grown(&self, old: Option<&PlanBase<N>>, measure: Measure) -> Option<i64> {
        let of = |sums: &Sums<N>| sums.get(measure as usize).copied().flatten().filter(|n| *n >= 0);
        let new = of(&self.new)?;
        let of_older = match old {
            Some(old) => {
                let before = old.all.get(measure as usize).copied().filter(|n| *n >= 0)?;
                of(&self.all)?.saturating_sub(new).saturating_sub(before).max(0)
            }
            None => of(&self.last)?,
        };
        Some(of_older.saturating_add(new))
    }

    /// Plans went since the poll before, or the thing was not told then: there may have been more.
    pub fn is_at_least(&self, old: Option<&PlanBase<N>>) -> bool {
        match old {
            Some(old) => self.old_plans < old.plans(),
            None => self.last.first() != Some(&Some(0)),
        }
    }
}

/// Runs of a stretch of time, and what they took together. What is not known is None.
#[derive(Debug, Clone, Copy, Default)]
pub struct Took {
    /// runs that ended
    pub runs: Option<i64>,
    /// CPU, µs
    pub cpu_us: Option<i64>,
    /// duration, µs
    pub elapsed_us: Option<i64>,
    /// the shortest run, µs
    pub min_us: Option<i64>,
    /// the longest run, µs
    pub max_us: Option<i64>,
    /// pages read from memory
    pub reads: Option<i64>,
    /// pages read from disk
    pub physical_reads: Option<i64>,
    /// pages written
    pub writes: Option<i64>,
}

/// Something that runs.
pub trait Ran {
    /// Its runs.
    fn took(&self) -> Took;

    /// Something of an average run. None without a run.
    fn per_run(&self, sum: Option<i64>) -> Option<f64> {
        match (sum, self.took().runs) {
            (Some(sum), Some(runs @ 1..)) => Some(sum as f64 / runs as f64),
            _ => None,
        }
    }

    /// Average duration of a run, ms.
    fn avg_ms(&self) -> Option<f64> {
        self.per_run(self.took().elapsed_us).map(|us| us / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(plans: i64, old_plans: i64, [all, new, last]: [i64; 3]) -> PlanCounts<6> {
        PlanCounts {
            plans: Some(plans),
            old_plans: Some(old_plans),
            all: [Some(all); 6],
            new: [Some(new); 6],
            last: [Some(last); 6],
            ..PlanCounts::default()
        }
    }

    #[test]
    fn growth_is_what_older_plans_gained_and_all_of_newer_ones() {
        let before = counts(2, 2, [1_000, 0, 1]);
        let grown = |old: Option<&PlanCounts<6>>, now: PlanCounts<6>| {
            let old = old.map(|old| old.base(0));
            (now.grown(old.as_ref(), Measure::Cpu), now.is_at_least(old.as_ref()))
        };
        assert_eq!(grown(Some(&before), counts(2, 2, [1_400, 0, 1])), (Some(400), false), "it ran");
        assert_eq!(grown(Some(&before), counts(3, 2, [1_500, 300, 1])), (Some(500), false), "a plan more");
        assert_eq!(grown(Some(&before), counts(2, 1, [900, 300, 1])), (Some(300), true), "compiled anew");
        assert_eq!(grown(Some(&before), counts(1, 0, [70, 70, 0])), (Some(70), true), "all of them");
        assert_eq!(grown(Some(&before), counts(1, 1, [1_100, 0, 1])), (Some(100), true), "one went");
        assert_eq!(grown(Some(&before), counts(1, 1, [600, 0, 1])), (Some(0), true), "never below nothing");
        assert_eq!(grown(None, counts(1, 0, [900, 900, 0])), (Some(900), false), "it was never told");
        assert_eq!(grown(None, counts(1, 1, [99_000, 0, 250])), (Some(250), true), "its last run");
    }

    #[test]
    fn what_is_not_told_or_makes_no_sense_is_not_known() {
        let before = counts(1, 1, [5, 0, 1]).base(0);
        assert_eq!(PlanCounts::<6>::default().grown(Some(&before), Measure::Runs), None);
        assert_eq!(counts(1, 1, [9, 0, 1]).grown(Some(&PlanCounts::default().base(0)), Measure::Runs), None);
        assert_eq!(counts(1, 1, [9, -4, 1]).grown(Some(&before), Measure::Runs), None);
        assert_eq!(counts(1, 1, [9, 0, 1]).grown(Some(&before), Measure::Spills), None, "modules have none");
    }

    /// Polls of one thing, a minute apart; None: it idled. Each says whether it told all that ran.
    fn kept(polls: &[(Option<PlanCounts<6>>, bool)]) -> Bases<u8, 6> {
        let mut bases: Option<Bases<u8, 6>> = None;
        for (minute, (counts, is_all)) in (1..).zip(polls) {
            let told = counts.iter().map(|counts| (1, counts));
            bases = Some(Bases::after(bases.as_ref(), Some(minute * 60_000), *is_all, told));
        }
        bases.unwrap()
    }

    /// Growth of CPU until a poll, whether it is a lower bound, and of how many ms it is.
    fn grown_until(bases: &Bases<u8, 6>, polled_at: i64, now: &PlanCounts<6>) -> (Option<i64>, bool, u64) {
        let before = bases.before(Some(polled_at));
        let (old, own) = before.of(1, now);
        (now.grown(old, Measure::Cpu), now.is_at_least(old), own.ms())
    }

    #[test]
    fn what_idled_for_some_polls_is_compared_with_what_it_had_then() {
        let compiled = |at: i64, sums| PlanCounts { old_compiled_at: Some(at), ..counts(1, 1, sums) };
        let (told, idle) = ((Some(compiled(7, [1_000, 0, 1])), true), (None, true));
        let bases = kept(&[told, idle, idle, idle]);
        let again = compiled(7, [1_400, 0, 90]);
        let since = |bases: &Bases<u8, 6>, now: PlanCounts<6>| grown_until(bases, 300_000, &now);
        assert_eq!(since(&bases, again), (Some(400), false, 0), "all that it ran");
        let other = compiled(70_000, [1_400, 0, 90]);
        assert_eq!(since(&bases, other), (Some(90), true, 0), "its plan is another one: the last run");
        let fewer = PlanCounts { old_plans: Some(0), ..again };
        assert_eq!(since(&bases, fewer), (Some(90), true, 0), "its plan went");
        let mute = PlanCounts { old_compiled_at: None, ..again };
        assert_eq!(since(&bases, mute), (Some(90), true, 0), "nobody says whether it is the same plan");
    }

    #[test]
    fn what_may_have_run_unseen_is_told_over_a_time_of_its_own() {
        let now = |all, last| PlanCounts { old_compiled_at: Some(7), ..counts(1, 1, [all, 0, last]) };
        let bases = kept(&[(Some(now(1_000, 1)), true), (None, false), (None, true)]);
        assert_eq!(grown_until(&bases, 240_000, &now(1_400, 90)), (Some(400), false, 180_000));
        assert_eq!(
            grown_until(&bases, 400_000, &now(1_400, 90)),
            (Some(90), true, 0),
            "that is too long ago"
        );
        let mut once = now(1_090, 90);
        (once.all[1], once.last[1]) = (Some(1_700), Some(700));
        assert_eq!(grown_until(&bases, 240_000, &once), (Some(700), false, 0), "these are its last runs");
        let later = kept(&[(None, false), (Some(now(1_000, 1)), true), (None, true)]);
        assert_eq!(grown_until(&later, 240_000, &now(1_400, 90)), (Some(400), false, 0), "it was told then");
        let parts = [within(Some(900), 180_000, 60_000), within(Some(900), 0, 60_000), within(None, 9, 1)];
        assert_eq!(parts, [Some(300), Some(900), None]);
        assert_eq!(within(Some(i64::MAX), u64::MAX, u64::MAX - 1), Some(i64::MAX - 1));
    }

    #[test]
    fn what_is_kept_of_idle_things_is_bounded_and_ends_with_a_long_gap() {
        let one = counts(1, 1, [5, 0, 1]);
        let told = |bases: Option<&Bases<u32, 6>>, minute: i64, keys: std::ops::Range<u32>| {
            Bases::after(bases, Some(minute * 60_000), true, keys.map(|key| (key, &one)))
        };
        let first = told(None, 1, 0..100);
        let second = told(Some(&first), 2, 90..120);
        let third = told(Some(&second), 3, 200..201);
        assert_eq!([first.rows.len(), second.rows.len(), third.rows.len()], [100, 30 + IDLE, 1 + IDLE]);
        let has = |key: u32| third.rows.iter().any(|(k, _)| *k == key);
        assert!(has(119) && !has(31), "the newest stay");
        assert_eq!(told(Some(&second), 8, 0..1).rows.len(), 1, "nobody knows what ran meanwhile");
        assert_eq!(told(Some(&second), 1, 0..1).rows.len(), 1, "a clock that was set back");
        let silent = Bases::after(Some(&second), None, true, std::iter::once((7_u32, &one)));
        assert_eq!(silent.rows.len(), 1);
        assert!(silent.before(None).of(7, &one).0.is_some(), "the poll before is enough without a clock");
        assert_eq!(size_of::<(u64, PlanBase<12>)>(), 120);
        assert_eq!(size_of::<(u64, PlanBase<6>)>(), 72);
    }
}
