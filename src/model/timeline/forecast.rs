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
//!
//! A shrink or a restore says nothing of how something grows: a segment never reaches over one ([`last_cut`]). The method is tried
//! week by week in the past; from ten trials on the band is made as wide as holds eight of ten of them. What is full is the
//! caller's to say: less a reserve, if there is one.

use super::chart::Bucket;
use crate::model::base::time::Timestamp;

const DAY_MS: i64 = 86_400_000;
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
/// Least trials by which the band is scaled.
const LEAST_TO_SCALE: usize = 10;
/// The band that holds so many of the trials.
const HELD: f64 = 0.8;
/// Bounds of the factor of the band: few trials do not say more.
const SCALES: (f64, f64) = (0.5, 4.0);
/// Files that became smaller by less than this part of all of them were not shrunk or restored.
const LEAST_CUT: f64 = 0.01;
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
        /// how near the same method came in the past
        tried: Tried,
    },
    /// there is no date
    NoDate(NoDate),
}

/// How near the method came in the past, a week ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tried {
    /// trials
    pub of: u32,
    /// of them within the band
    pub within: u32,
    /// it was off by so much, % of what came, on average
    pub off_pct: f64,
}

/// Why there is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDate {
    /// only so many days are known
    TooShort(u32),
    /// it was shrunk or restored, and only so many days are known since
    Cut(u32),
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
            Self::Cut(_) => "shrunk",
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
            Self::Cut(days) => format!("shrunk or restored, {days} of {LEAST_SEGMENT} days known since"),
            Self::Gaps => "too many days are missing".to_owned(),
            Self::Steady => "does not grow".to_owned(),
            Self::NotWithin(days) => format!("not within {days} days"),
            Self::Unsteady => "grows too unsteadily".to_owned(),
        }
    }
}

/// What was in use of something, the most of each day, the oldest first; None where nobody knows. `capacity` is in the same unit; no
/// day before `cut` says anything of the days behind it. The same `seed` gives the same answer.
pub fn outlook(used: &[Option<f64>], cut: Option<usize>, capacity: f64, seed: u64) -> Outlook {
    let skipped = used.len().saturating_sub(DAYS);
    let used = used.get(skipped..).unwrap_or(used);
    let is_known = |day: &Option<f64>| day.is_some_and(f64::is_finite);
    let known = used.iter().filter(|day| is_known(day)).count();
    if known < LEAST_DAYS {
        return Outlook::NoDate(NoDate::TooShort(known as u32));
    }
    let days = filled(used);
    if (known as f64) < days.len() as f64 * KNOWN {
        return Outlook::NoDate(NoDate::Gaps);
    }
    // The first day of the days is the first known one.
    let first_known = used.iter().position(is_known).unwrap_or(0).saturating_add(skipped);
    let days = days.get(cut.unwrap_or(0).saturating_sub(first_known)..).unwrap_or_default();
    if days.len() < LEAST_SEGMENT {
        return Outlook::NoDate(NoDate::Cut(days.len() as u32));
    }
    let segment = segment(days);
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else {
        return Outlook::NoDate(NoDate::TooShort(0));
    };
    let per_day = theil_sen(segment);
    if last - first < capacity.abs() * LEAST_GROWTH || per_day <= 0.0 || !capacity.is_finite() {
        return Outlook::NoDate(NoDate::Steady);
    }
    let trials = trials(days, seed);
    if !is_of_use(&trials) {
        return Outlook::NoDate(NoDate::Unsteady);
    }
    let scale = scale(&trials);
    let horizon = segment.len() * 2;
    let paths = paths(segment, horizon, scale, seed);
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
        (Some(soonest), Some(likely)) => {
            Outlook::Full { soonest, likely, latest: at(0.9), per_day, tried: tried(&trials, scale) }
        }
        _ => Outlook::NoDate(NoDate::NotWithin(horizon as u32)),
    }
}

/// The end of the day of `now`: an answer for it holds for the whole day.
pub fn end_of_day(now: Timestamp) -> Timestamp {
    Timestamp::from_ms((now.ms().div_euclid(DAY_MS) + 1).saturating_mul(DAY_MS))
}

/// The day on which what lies there was last made smaller: `files` is the size of all database files and `used` what is in use, day by
/// day in one unit. A purge empties a place, too, but leaves the files as they are.
pub fn last_cut(files: &[Option<f64>], used: &[Option<f64>]) -> Option<usize> {
    let (mut cut, mut before): (Option<usize>, Option<(f64, f64)>) = (None, None);
    for (day, (files, used)) in files.iter().zip(used).enumerate() {
        let (Some(files), Some(used)) = (files, used) else { continue };
        if let Some((files_before, used_before)) = before {
            let gone = files_before - files;
            if gone > files_before * LEAST_CUT && used_before - used > gone / 2.0 {
                cut = Some(day);
            }
        }
        before = Some((*files, *used));
    }
    cut
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

/// What may come of a segment: paths of so many days, spread about their median, so many times as wide.
fn paths(segment: &[f64], days: usize, scale: f64, seed: u64) -> Vec<Vec<f64>> {
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
        let [_, middle, _] = band_at(&paths, day);
        let wider = (1.0 + (day + 1) as f64 / segment.len() as f64).sqrt() * scale;
        for value in paths.iter_mut().filter_map(|path| path.get_mut(day)) {
            *value = middle + (*value - middle) * wider;
        }
    }
    paths
}

/// What a tenth, half and nine tenths of the paths are below on a day.
fn band_at(paths: &[Vec<f64>], day: usize) -> [f64; 3] {
    let mut values: Vec<f64> = paths.iter().filter_map(|path| path.get(day)).copied().collect();
    values.sort_by(f64::total_cmp);
    [0.1, 0.5, 0.9].map(|share| {
        let at = (values.len() as f64 * share) as usize;
        values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
    })
}

/// What the method would have told of a day, a week before it.
struct Trial {
    /// a tenth, half and nine tenths of the paths
    band: [f64; 3],
    /// what came
    came: f64,
    /// what was there when it was told
    was: f64,
}

impl Trial {
    /// How many times as wide the band would have to be to reach what came.
    fn needs(&self) -> f64 {
        let [low, middle, high] = self.band;
        let half = if self.came >= middle { high - middle } else { middle - low };
        let off = (self.came - middle).abs();
        if off <= f64::EPSILON * self.came.abs() { 0.0 } else { off / half.max(f64::MIN_POSITIVE) }
    }
}

/// The trials of the past, week by week.
fn trials(days: &[f64], seed: u64) -> Vec<Trial> {
    let (mut trials, mut end) = (Vec::new(), days.len().saturating_sub(TRIAL));
    while end >= LEAST_DAYS {
        let (Some(before), Some(came)) = (days.get(..end), days.get(end + TRIAL - 1)) else { break };
        let band = band_at(&paths(segment(before), TRIAL, 1.0, seed), TRIAL - 1);
        trials.push(Trial { band, came: *came, was: before.last().copied().unwrap_or(0.0) });
        end = end.saturating_sub(TRIAL);
    }
    trials
}

/// Whether the method would have been nearer in the past than to say that nothing changes; yes where too little of it is known.
fn is_of_use(trials: &[Trial]) -> bool {
    let ours: f64 = trials.iter().map(|trial| (trial.band[1] - trial.came).abs()).sum();
    let naive: f64 = trials.iter().map(|trial| (trial.was - trial.came).abs()).sum();
    trials.len() < LEAST_TRIALS || ours < naive
}

/// How many times as wide the band has to be for eight of ten trials to lie in it; as it is where there are too few of them.
fn scale(trials: &[Trial]) -> f64 {
    if trials.len() < LEAST_TO_SCALE {
        return 1.0;
    }
    let mut needs: Vec<f64> = trials.iter().map(Trial::needs).collect();
    needs.sort_by(f64::total_cmp);
    let at = ((needs.len() as f64 * HELD).ceil() as usize).saturating_sub(1);
    needs.get(at).copied().unwrap_or(1.0).clamp(SCALES.0, SCALES.1)
}

fn tried(trials: &[Trial], scale: f64) -> Tried {
    let off = |trial: &Trial| (trial.band[1] - trial.came).abs() / trial.came.abs().max(f64::MIN_POSITIVE);
    Tried {
        of: trials.len() as u32,
        within: trials.iter().filter(|trial| trial.needs() <= scale).count() as u32,
        off_pct: trials.iter().map(off).sum::<f64>() / trials.len().max(1) as f64 * 100.0,
    }
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
mod backtest;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::time::Timestamp;
    use proptest::prelude::*;

    fn of(days: impl IntoIterator<Item = f64>, capacity: f64) -> Outlook {
        let days: Vec<_> = days.into_iter().map(Some).collect();
        outlook(&days, None, capacity, 7)
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
        assert_eq!(reason(outlook(&holes, None, 100.0, 7)), Some(NoDate::Gaps));
        // To and fro, a little higher at the end: the last week says nothing of the next.
        let swings =
            (0..70).map(|day: usize| 500.0 + if day / 7 % 2 == 1 { 300.0 } else { 0.0 } + day as f64 / 50.0);
        assert!(likely(of(swings, 900.0)).is_none());
        assert_eq!(reason(outlook(&[Some(f64::NAN); 60], None, 1.0, 7)), Some(NoDate::TooShort(0)));
    }

    #[test]
    fn a_few_missing_days_change_little_and_the_same_seed_says_the_same() {
        let all: Vec<_> = (0..60).map(|day| Some(100.0 + 2.0 * f64::from(day))).collect();
        let some: Vec<_> = all.iter().enumerate().map(|(n, v)| v.filter(|_| n % 5 != 2)).collect();
        assert_eq!(outlook(&some, None, 300.0, 7), outlook(&some, None, 300.0, 7));
        let (whole, holed) = (likely(outlook(&all, None, 300.0, 7)), likely(outlook(&some, None, 300.0, 7)));
        assert!(whole.zip(holed).is_some_and(|(a, b)| (a - b).abs() <= 2.0), "{whole:?} {holed:?}");
        assert_ne!(seed("D:\\", 1), seed("D:\\", 2));
        assert_ne!(seed("D:\\", 1), seed("L:\\", 1));
    }

    #[test]
    fn no_segment_reaches_over_a_shrink_or_a_restore() {
        // 2 a day; on day 60 a third of it was given back.
        let shrunk =
            |days: usize| (0..days).map(|day| 100.0 + 2.0 * day as f64 - if day < 60 { 0.0 } else { 70.0 });
        let at = |days: usize, cut| outlook(&shrunk(days).map(Some).collect::<Vec<_>>(), cut, 400.0, 7);
        assert_eq!(at(75, Some(60)), Outlook::NoDate(NoDate::Cut(15)), "too few days since");
        // 208 on the last day: 96 days, of which 60 can be told.
        assert_eq!(at(90, Some(60)), Outlook::NoDate(NoDate::NotWithin(60)));
        let found = likely(at(115, Some(60))).unwrap();
        assert!((70.0..=76.0).contains(&found), "258 on the last day, 71 days: {found}");
        let day = |from: f64, to: f64| [Some(from), Some(from), None, Some(to), Some(to)];
        assert_eq!(
            last_cut(&day(100.0, 60.0), &day(200.0, 160.0)),
            Some(3),
            "the first day that is known since"
        );
        assert_eq!(last_cut(&day(100.0, 100.0), &day(200.0, 90.0)), None, "somebody deleted backups");
        assert_eq!(last_cut(&day(100.0, 60.0), &day(200.0, 200.0)), None, "on another volume");
        assert_eq!(last_cut(&day(100.0, 99.5), &day(200.0, 199.5)), None, "too little");
        assert_eq!(last_cut(&day(60.0, 100.0), &day(160.0, 200.0)), None, "it grew");
    }

    #[test]
    fn the_band_holds_eight_of_ten_trials_and_says_how_near_it_came() {
        let tried = |days: usize, by: fn(usize) -> f64| match of((0..days).map(by), 420.0) {
            Outlook::Full { tried, .. } => tried,
            Outlook::NoDate(why) => panic!("{why:?}"),
        };
        let steady = tried(120, |day| 100.0 + 2.0 * day as f64 + noise(day));
        assert_eq!(steady.of, 13, "a week each");
        assert!(steady.within >= 11 && steady.off_pct < 1.0, "{steady:?}");
        let loads = |day: usize| 100.0 + 2.0 * day as f64 + 14.0 * noise(day / 5);
        let wild = tried(120, loads);
        assert!(wild.within >= 11 && wild.off_pct > steady.off_pct, "{wild:?}");
        assert_eq!(tried(35, |day| 350.0 + day as f64).of, 1);
        let width = |trials: Vec<f64>| {
            let trial = |came: f64| Trial { band: [-1.0, 0.0, 1.0], came, was: 0.0 };
            scale(&trials.into_iter().map(trial).collect::<Vec<_>>())
        };
        let same = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        same(width(vec![0.1; 9]), 1.0);
        same(width(vec![0.1; 10]), 0.5);
        same(width(vec![1.0, -1.0, 1.5, 2.0, -2.5, 0.5, 0.5, 0.5, 9.0, -9.0]), 2.5);
        same(width(vec![99.0; 10]), 4.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_date_is_never_over_nor_absurd(
            days in prop::collection::vec(prop::option::of(-1e15f64..1e15), 0..150),
            cut in prop::option::of(0usize..200),
            capacity in prop::num::f64::ANY,
            seed in any::<u64>(),
        ) {
            if let Outlook::Full { soonest, likely, latest, per_day, tried } = outlook(&days, cut, capacity, seed) {
                prop_assert!(soonest >= 1.0 && soonest <= likely && likely <= 2.0 * DAYS as f64);
                prop_assert!(latest.is_none_or(|latest| latest >= likely) && per_day.is_finite());
                prop_assert!(tried.within <= tried.of);
            }
        }
    }
}
