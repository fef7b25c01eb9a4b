//! What is counted of cached plans, of queries (`queries`) as of modules (`modules`): sums over all plans of a thing, and what lies
//! between two samples of them.
//!
//! A plan's counters begin with its compilation and vanish with the plan. So the server sums plans that are older than the poll
//! before apart from newer ones: all of a newer one is growth, and where older ones are fewer than before, growth is a lower
//! bound. Of a thing that was not told before, only the last run of each older plan is known to be new.

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
        Self { plans: None, old_plans: None, all: none, new: none, last: none, range_us: [None; 2] }
    }
}

/// The part of [`PlanCounts`] that those of the next poll are compared with. A fleet keeps it of every query between two polls, so it
/// is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanBase<const N: usize> {
    plans: Option<i64>,
    /// over all plans; negative: the server did not say
    all: [i64; N],
}

impl<const N: usize> PlanCounts<N> {
    /// What is kept for the next poll.
    pub fn base(&self) -> PlanBase<N> {
        PlanBase { plans: self.plans, all: self.all.map(|sum| sum.unwrap_or(-1)) }
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
            Some(old) => self.old_plans < old.plans,
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
            let old = old.map(PlanCounts::base);
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
        let before = counts(1, 1, [5, 0, 1]).base();
        assert_eq!(PlanCounts::<6>::default().grown(Some(&before), Measure::Runs), None);
        assert_eq!(counts(1, 1, [9, 0, 1]).grown(Some(&PlanCounts::default().base()), Measure::Runs), None);
        assert_eq!(counts(1, 1, [9, -4, 1]).grown(Some(&before), Measure::Runs), None);
        assert_eq!(counts(1, 1, [9, 0, 1]).grown(Some(&before), Measure::Spills), None, "modules have none");
    }
}
