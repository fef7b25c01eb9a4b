//! When something is full, from what was in use of it day by day. Pure; history asks it with what it kept (`app::history`), and panes
//! say what it found. `judge::trend` is the same for the next minutes and hours.
//!
//! # The method
//! Growth of disks is no line: files grow in steps, purges come monthly, loads come and go. So what is in use tomorrow is taken from
//! what happened before: the days since the last change of pace are a *segment*, and 400 paths go on from today with weeks drawn
//! from its daily changes. The longer they go, the wider they are spread, as the segment is short. What half of them have reached
//! is likely; a tenth of them before and after it are said beside it. A date is told only for what at least 28 days are known of, no
//! further ahead than twice the segment, and only if the same method would have been better in the past than to say that
//! nothing changes.

use super::chart::Bucket;

/// Most days that are looked at.
pub const DAYS: usize = 120;
/// Least days for a date.
const LEAST_DAYS: usize = 28;
/// Least days of a segment.
const LEAST_SEGMENT: usize = 21;
/// Two lines are better than one if their residuals are less than this part of those of one.
const BETTER: f64 = 0.55;
/// At least this part of the days must be known.
const KNOWN: f64 = 0.75;
/// Paths.
const PATHS: usize = 400;
/// Days that are drawn together.
const BLOCK: usize = 7;
/// Days ahead of a trial in the past.
const TRIAL: usize = 7;
/// Least trials that say whether the method is of use.
const LEAST_TRIALS: usize = 3;
/// A segment that grew by less than this part of what there is, does not grow.
const LEAST_GROWTH: f64 = 0.001;

/// When it is full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outlook {
    /// in so many days
    Full {
        /// a tenth of the paths are full by then
        soonest: f64,
        /// half of them are
        likely: f64,
        /// nine tenths are; None: later than anybody can see
        latest: Option<f64>,
        /// it grows by so much a day
        per_day: f64,
    },
    /// there is no date
    NoDate(NoDate),
}

/// Why there is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDate {
    /// only so many days are known
    TooShort(u32),
    /// too many days are missing
    Gaps,
    /// it does not grow
    Steady,
    /// it is not full within so many days, and nobody can see further
    NotWithin(u32),
    /// in the past the method was no better than to say that nothing changes
    Unsteady,
}

impl NoDate {
    /// In a word or two, for a cell.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooShort(_) => "too new",
            Self::Gaps => "gaps",
            Self::Steady => "steady",
            Self::NotWithin(_) => "far off",
            Self::Unsteady => "unsteady",
        }
    }

    /// In words.
    pub fn words(self) -> String {
        match self {
            Self::TooShort(days) => format!("{days} of {LEAST_DAYS} days known"),
            Self::Gaps => "too many days are missing".to_owned(),
            Self::Steady => "does not grow".to_owned(),
            Self::NotWithin(days) => format!("not within {days} days"),
            Self::Unsteady => "grows too unsteadily".to_owned(),
        }
    }
}

/// What was in use of something, the most of each day, the oldest first; None where nobody knows. `capacity` is in the same unit.
/// The same `seed` gives the same answer.
pub fn outlook(used: &[Option<f64>], capacity: f64, seed: u64) -> Outlook {
    let used = used.get(used.len().saturating_sub(DAYS)..).unwrap_or(used);
    let known = used.iter().filter(|day| day.is_some_and(f64::is_finite)).count();
    if known < LEAST_DAYS {
        return Outlook::NoDate(NoDate::TooShort(known as u32));
    }
    let days = filled(used);
    if (known as f64) < days.len() as f64 * KNOWN {
        return Outlook::NoDate(NoDate::Gaps);
    }
    let segment = segment(&days);
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else {
        return Outlook::NoDate(NoDate::TooShort(0));
    };
    let per_day = theil_sen(segment);
    if last - first < capacity.abs() * LEAST_GROWTH || per_day <= 0.0 || !capacity.is_finite() {
        return Outlook::NoDate(NoDate::Steady);
    }
    if !is_of_use(&days, seed) {
        return Outlook::NoDate(NoDate::Unsteady);
    }
    let horizon = segment.len() * 2;
    let paths = paths(segment, horizon, seed);
    let mut passages: Vec<usize> = paths
        .iter()
        .map(|path| path.iter().position(|value| *value >= capacity).map_or(usize::MAX, |day| day + 1))
        .collect();
    passages.sort_unstable();
    let at = |share: f64| {
        let day = *passages.get((PATHS as f64 * share) as usize)?;
        (day != usize::MAX).then_some(day as f64)
    };
    match (at(0.1), at(0.5)) {
        (Some(soonest), Some(likely)) => Outlook::Full { soonest, likely, latest: at(0.9), per_day },
        _ => Outlook::NoDate(NoDate::NotWithin(horizon as u32)),
    }
}

/// The days from the first known one to the last, those between filled in evenly.
fn filled(used: &[Option<f64>]) -> Vec<f64> {
    let known: Vec<(usize, f64)> = used
        .iter()
        .enumerate()
        .filter_map(|(day, value)| Some((day, value.filter(|value| value.is_finite())?)))
        .collect();
    let mut days = Vec::with_capacity(used.len());
    days.extend(known.first().map(|(_, value)| *value));
    for pair in known.windows(2) {
        let [(from, before), (to, after)] = pair else { continue };
        let steps = to - from;
        days.extend((1..=steps).map(|n| before + (after - before) * n as f64 / steps as f64));
    }
    days
}

/// The days since the pace changed: all of them, unless two lines fit far better than one.
fn segment(days: &[f64]) -> &[f64] {
    let one = residual(days);
    let splits = LEAST_SEGMENT..(days.len() + 1).saturating_sub(LEAST_SEGMENT);
    let best = splits
        .map(|at| (at, days.get(..at).map_or(0.0, residual) + days.get(at..).map_or(0.0, residual)))
        .min_by(|(_, a), (_, b)| a.total_cmp(b));
    match best {
        Some((at, two)) if two < one * BETTER => days.get(at..).unwrap_or(days),
        _ => days,
    }
}

/// How far the days lie beside their line, all added up.
fn residual(days: &[f64]) -> f64 {
    let n = days.len() as f64;
    let (mean_x, mean_y) = ((n - 1.0) / 2.0, days.iter().sum::<f64>() / n);
    let (mut xy, mut xx) = (0.0, 0.0);
    for (x, y) in days.iter().enumerate() {
        let x = x as f64 - mean_x;
        xy += x * (y - mean_y);
        xx += x * x;
    }
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    days.iter().enumerate().map(|(x, y)| (y - mean_y - slope * (x as f64 - mean_x)).abs()).sum()
}

/// The median slope between two days.
fn theil_sen(days: &[f64]) -> f64 {
    let mut slopes = Vec::with_capacity(days.len() * days.len() / 2);
    for (n, before) in days.iter().enumerate() {
        let later = days.iter().enumerate().skip(n + 1);
        slopes.extend(later.map(|(m, after)| (after - before) / (m - n) as f64));
    }
    slopes.sort_by(f64::total_cmp);
    slopes.get(slopes.len() / 2).copied().unwrap_or(0.0)
}

/// What may come of a segment: paths of so many days, spread about their median.
fn paths(segment: &[f64], days: usize, seed: u64) -> Vec<Vec<f64>> {
    let changes: Vec<f64> = segment.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let last = segment.last().copied().unwrap_or(0.0);
    let starts = (changes.len() + 1).saturating_sub(BLOCK).max(1) as u64;
    let mut dice = Dice(seed);
    let mut paths: Vec<Vec<f64>> = Vec::with_capacity(PATHS);
    for _ in 0..PATHS {
        let (mut path, mut value) = (Vec::with_capacity(days), last);
        while path.len() < days && !changes.is_empty() {
            let start = (dice.next() % starts) as usize;
            for change in changes.iter().skip(start).take(BLOCK.min(days - path.len())) {
                value += change;
                path.push(value);
            }
        }
        paths.push(path);
    }
    for day in 0..days {
        let middle = median_at(&paths, day);
        let wider = (1.0 + (day + 1) as f64 / segment.len() as f64).sqrt();
        for value in paths.iter_mut().filter_map(|path| path.get_mut(day)) {
            *value = middle + (*value - middle) * wider;
        }
    }
    paths
}

fn median_at(paths: &[Vec<f64>], day: usize) -> f64 {
    let mut values: Vec<f64> = paths.iter().filter_map(|path| path.get(day)).copied().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Whether the method would have been nearer in the past than to say that nothing changes; yes where too little of it is known.
fn is_of_use(days: &[f64], seed: u64) -> bool {
    let (mut ours, mut naive, mut trials) = (0.0, 0.0, 0);
    let mut end = days.len().saturating_sub(TRIAL);
    while end >= LEAST_DAYS {
        let (Some(before), Some(came)) = (days.get(..end), days.get(end + TRIAL - 1)) else { break };
        let told = median_at(&paths(segment(before), TRIAL, seed), TRIAL - 1);
        ours += (told - came).abs();
        naive += (before.last().copied().unwrap_or(0.0) - came).abs();
        trials += 1;
        end = end.saturating_sub(TRIAL);
    }
    trials < LEAST_TRIALS || ours < naive
}

/// Numbers that look random and follow from their seed.
struct Dice(u64);

impl Dice {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// The most that was in use of a volume on a day, by its sizes and by what was free: on a day on which it became larger or smaller the
/// least that was free is of its smaller size.
pub fn in_use(size: &Bucket, free: &Bucket) -> f64 {
    f64::from(size.min) - f64::from(free.min)
}

/// A seed from the name of a series and a day.
pub fn seed(name: &str, day: i64) -> u64 {
    let start = 0xCBF2_9CE4_8422_2325 ^ day.unsigned_abs();
    name.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::time::Timestamp;
    use proptest::prelude::*;

    fn of(days: impl IntoIterator<Item = f64>, capacity: f64) -> Outlook {
        let days: Vec<_> = days.into_iter().map(Some).collect();
        outlook(&days, capacity, 7)
    }

    fn likely(outlook: Outlook) -> Option<f64> {
        match outlook {
            Outlook::Full { soonest, likely, latest, .. } => {
                assert!(soonest <= likely && latest.is_none_or(|latest| likely <= latest), "{outlook:?}");
                Some(likely)
            }
            Outlook::NoDate(_) => None,
        }
    }

    /// Some noise that follows from the day.
    fn noise(day: usize) -> f64 {
        (Dice(day as u64).next() % 1_000) as f64 / 1_000.0 - 0.5
    }

    #[test]
    fn a_volume_that_was_made_larger_or_smaller_today_has_no_more_in_use_for_that() {
        let day = |min, max| Bucket { at: Timestamp::default(), min, avg: max, max, n: 6 };
        // 950 of 1,000 GB are in use, and 1,000 more come or go at noon.
        for (size, free) in [((1_000.0, 2_000.0), (50.0, 1_050.0)), ((1_000.0, 1_000.0), (50.0, 60.0))] {
            let used = in_use(&day(size.0, size.1), &day(free.0, free.1));
            assert!((used - 950.0).abs() < 0.1, "{used} of {size:?}");
        }
    }

    #[test]
    fn steady_growth_is_full_when_the_line_says_so() {
        let days = (0..60).map(|day| 100.0 + 2.0 * day as f64 + noise(day));
        // 218 of 300 on the last day, 2 a day: 41 days.
        let outlook = of(days, 300.0);
        assert!(likely(outlook).is_some_and(|days| (38.0..=44.0).contains(&days)), "{outlook:?}");
        let Outlook::Full { per_day, .. } = outlook else { panic!() };
        assert!((1.9..2.1).contains(&per_day), "{per_day}");
    }

    #[test]
    fn growth_in_steps_and_with_purges_has_a_date_near_its_mean() {
        // 64 a week, at once.
        let steps = (0..84).map(|day: usize| 1_000.0 + 64.0 * (day / 7) as f64);
        let found = likely(of(steps, 1_704.0 + 512.0)).unwrap();
        assert!((42.0..=70.0).contains(&found), "8 weeks: {found}");
        // 10 a day, and a third of it is given back every 28 days.
        let purged = (0..112).map(|day: usize| 500.0 + 10.0 * day as f64 - 90.0 * (day / 28) as f64);
        let last = 500.0 + 1_110.0 - 270.0;
        let found = likely(of(purged, last + 270.0)).unwrap();
        assert!((22.0..=60.0).contains(&found), "40 days at the mean of 6.8 a day: {found}");
    }

    #[test]
    fn the_pace_since_it_changed_counts() {
        let changed = (0..90).map(|day: usize| {
            let day = day as f64;
            if day < 50.0 { 100.0 + 0.2 * day } else { 110.0 + 5.0 * (day - 50.0) }
        });
        // 305 on the last day, 5 a day: 20 days. All ninety together would say 80.
        let found = likely(of(changed, 405.0)).unwrap();
        assert!((17.0..=23.0).contains(&found), "{found}");
    }

    #[test]
    fn what_does_not_grow_or_is_not_known_has_no_date() {
        let reason = |outlook| match outlook {
            Outlook::NoDate(reason) => Some(reason),
            Outlook::Full { .. } => None,
        };
        assert_eq!(reason(of([100.0; 60], 101.0)), Some(NoDate::Steady));
        assert_eq!(
            reason(of((0..60).map(|day| 200.0 - f64::from(day)), 201.0)),
            Some(NoDate::Steady),
            "it empties"
        );
        assert_eq!(reason(of((0..27).map(f64::from), 40.0)), Some(NoDate::TooShort(27)));
        assert!(likely(of((0..28).map(f64::from), 40.0)).is_some());
        assert_eq!(reason(of([], 1.0)), Some(NoDate::TooShort(0)));
        let slow = (0..60).map(|day| 100.0 + f64::from(day));
        assert_eq!(reason(of(slow, 5_000.0)), Some(NoDate::NotWithin(120)), "further than anybody can see");
        let holes: Vec<_> = (0..90).map(|day| (day % 3 == 0).then_some(f64::from(day))).collect();
        assert_eq!(reason(outlook(&holes, 100.0, 7)), Some(NoDate::Gaps));
        // To and fro, a little higher at the end: the last week says nothing of the next.
        let swings =
            (0..70).map(|day: usize| 500.0 + if day / 7 % 2 == 1 { 300.0 } else { 0.0 } + day as f64 / 50.0);
        assert!(likely(of(swings, 900.0)).is_none());
        assert_eq!(reason(outlook(&[Some(f64::NAN); 60], 1.0, 7)), Some(NoDate::TooShort(0)));
    }

    #[test]
    fn a_few_missing_days_change_little_and_the_same_seed_says_the_same() {
        let all: Vec<_> = (0..60).map(|day| Some(100.0 + 2.0 * f64::from(day))).collect();
        let some: Vec<_> = all.iter().enumerate().map(|(n, v)| v.filter(|_| n % 5 != 2)).collect();
        assert_eq!(outlook(&some, 300.0, 7), outlook(&some, 300.0, 7));
        let (whole, holed) = (likely(outlook(&all, 300.0, 7)), likely(outlook(&some, 300.0, 7)));
        assert!(whole.zip(holed).is_some_and(|(a, b)| (a - b).abs() <= 2.0), "{whole:?} {holed:?}");
        assert_ne!(seed("D:\\", 1), seed("D:\\", 2));
        assert_ne!(seed("D:\\", 1), seed("L:\\", 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_date_is_never_over_nor_absurd(
            days in prop::collection::vec(prop::option::of(-1e15f64..1e15), 0..150),
            capacity in prop::num::f64::ANY,
            seed in any::<u64>(),
        ) {
            if let Outlook::Full { soonest, likely, latest, per_day } = outlook(&days, capacity, seed) {
                prop_assert!(soonest >= 1.0 && soonest <= likely && likely <= 2.0 * DAYS as f64);
                prop_assert!(latest.is_none_or(|latest| latest >= likely) && per_day.is_finite());
            }
        }
    }
}
