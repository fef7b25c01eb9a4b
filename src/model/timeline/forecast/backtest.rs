//! The method of `forecast` tried on growth that was made up, of which the truth is known: 120 days are told, and it says in how many
//! days it is full that really is in about 30, and in about 90. Beside it stand a line through the last 30 days and the median slope of
//! the last 60. `the_table_of_all` prints the figures of `docs/performance.md`.

use super::{Dice, Outlook, outlook, theil_sen};

/// Days that are told.
const TOLD: usize = 120;
/// Days until it is full, about.
const AHEAD: [usize; 2] = [30, 90];

/// How something grows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Growth {
    /// evenly, with noise
    Steady,
    /// at once, every week or two
    Stepped,
    /// evenly, with more of it in the middle of each week and of each month
    Seasonal,
    /// evenly, and every four weeks somebody deletes two thirds of what came
    Purged,
    /// evenly, and once somebody deleted a quarter of all
    CleanedUp,
}

const ALL: [Growth; 5] =
    [Growth::Steady, Growth::Stepped, Growth::Seasonal, Growth::Purged, Growth::CleanedUp];

/// What is in use, day by day: what is told, and what comes.
fn series(growth: Growth, seed: u64) -> Vec<f64> {
    let mut dice = Dice(seed.wrapping_mul(0x1234_5678_9ABC_DEF1));
    let mut unit = move || (dice.next() % 10_000) as f64 / 10_000.0;
    let (per_day, start, clean_up) =
        (1.0 + 4.0 * unit(), 400.0 + 400.0 * unit(), 30 + (unit() * 60.0) as usize);
    let (mut used, mut due, mut next) = (start, 0.0, 0_usize);
    let mut days = Vec::new();
    for day in 0..TOLD + 3 * AHEAD[1] {
        let grown = per_day * (0.5 + unit());
        match growth {
            Growth::Stepped => {
                due += grown;
                if day >= next {
                    (used, due, next) = (used + due, 0.0, day + 7 + (unit() * 7.0) as usize);
                }
            }
            Growth::Purged if day % 28 == 27 => used -= per_day * 28.0 * (0.6 + 0.1 * unit()),
            Growth::CleanedUp if day == clean_up => used *= 0.75,
            _ => used += grown,
        }
        let wave = |length: f64| (day as f64 / length * std::f64::consts::TAU).sin();
        let season =
            if growth == Growth::Seasonal { per_day * (2.0 * wave(7.0) + 6.0 * wave(30.4)) } else { 0.0 };
        days.push(used + season + per_day * (unit() - 0.5));
    }
    days
}

/// A line through the last days by least squares: in how many days it reaches this.
fn by_line(days: &[f64], capacity: f64) -> Option<f64> {
    let days = &days[days.len() - 30..];
    let (mean_x, mean_y) = (14.5, days.iter().sum::<f64>() / 30.0);
    let of = |with: fn(f64, f64) -> f64| {
        days.iter().enumerate().map(|(x, y)| with(x as f64 - mean_x, y - mean_y)).sum::<f64>()
    };
    let slope = of(|x, y| x * y) / of(|x, _| x * x);
    (slope > 0.0).then(|| ((capacity - mean_y) / slope + mean_x - 29.0).max(0.0))
}

/// The median slope of the last days, from where they ended.
fn by_slope(days: &[f64], capacity: f64) -> Option<f64> {
    let slope = theil_sen(&days[days.len() - 60..]);
    (slope > 0.0).then(|| ((capacity - days[days.len() - 1]) / slope).max(0.0))
}

/// What a method made of some series.
#[derive(Debug, Default)]
struct Found {
    /// how far off each date was, % of the days that there were
    off_pct: Vec<f64>,
    /// series of which there was no date
    none: usize,
    /// dates whose band held the truth
    within: usize,
}

impl Found {
    fn take(&mut self, told: Option<f64>, truth: f64) {
        match told {
            Some(days) => self.off_pct.push((days - truth).abs() / truth * 100.0),
            None => self.none += 1,
        }
    }

    fn mean(&self) -> f64 {
        self.off_pct.iter().sum::<f64>() / self.off_pct.len().max(1) as f64
    }
}

/// The method, a line, a slope: what each made of so many series that are full about so many days ahead.
fn tried(growth: Growth, ahead: usize, seeds: std::ops::Range<u64>) -> [Found; 3] {
    let mut found = <[Found; 3]>::default();
    for seed in seeds {
        let days = series(growth, seed);
        let (told, comes) = days.split_at(TOLD);
        let capacity = comes[..ahead].iter().copied().fold(f64::MIN, f64::max);
        // Before it has grown again no disk of that size would be bought.
        if told.iter().any(|used| *used >= capacity) {
            continue;
        }
        let truth = comes.iter().position(|used| *used >= capacity).unwrap() as f64 + 1.0;
        let cut = (growth == Growth::CleanedUp).then(|| {
            let drop = |day: &usize| told[*day] < told[*day - 1] * 0.85;
            (1..TOLD).find(drop).unwrap()
        });
        let known: Vec<_> = told.iter().copied().map(Some).collect();
        let ours = match outlook(&known, cut, capacity, seed) {
            Outlook::Full { soonest, likely, latest, .. } => {
                let is_within = soonest <= truth && latest.is_none_or(|latest| truth <= latest);
                found[0].within += usize::from(is_within);
                Some(likely)
            }
            Outlook::NoDate(_) => None,
        };
        found[0].take(ours, truth);
        found[1].take(by_line(told, capacity), truth);
        found[2].take(by_slope(told, capacity), truth);
    }
    found
}

/// So far off a date may be on average, %: 30 days ahead, 90 days ahead.
fn bound(growth: Growth) -> [f64; 2] {
    match growth {
        Growth::Steady | Growth::CleanedUp => [10.0, 10.0],
        Growth::Stepped => [35.0, 10.0],
        Growth::Seasonal => [20.0, 10.0],
        // The last purge before it is full may come a day too late for the truth.
        Growth::Purged => [100.0, 20.0],
    }
}

#[test]
fn dates_a_month_and_a_quarter_ahead_hold_their_bounds() {
    for growth in ALL {
        for (ahead, bound) in AHEAD.into_iter().zip(bound(growth)) {
            let [ours, ..] = tried(growth, ahead, 0..2);
            assert!(!ours.off_pct.is_empty(), "{growth:?}, {ahead} days ahead: no date at all");
            assert_eq!(ours.none, 0, "{growth:?}, {ahead} days ahead: without a date");
            assert!(ours.mean() <= bound, "{growth:?}, {ahead} days ahead: {:.1} % off", ours.mean());
        }
    }
}

#[test]
#[ignore = "prints a table: cargo test --release --lib backtest -- --ignored --nocapture"]
fn the_table_of_all() {
    println!(
        "| growth | ahead | series | no date | off | in the band | line of 30 days | slope of 60 days | may be off |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for growth in ALL {
        for (ahead, bound) in AHEAD.into_iter().zip(bound(growth)) {
            let [ours, line, slope] = tried(growth, ahead, 0..200);
            let dates = ours.off_pct.len();
            println!(
                "| {growth:?} | {ahead} days | {} | {} | {:.1} % | {:.0} % | {:.1} % | {:.1} % | {bound:.0} % |",
                dates + ours.none,
                ours.none,
                ours.mean(),
                ours.within as f64 / dates.max(1) as f64 * 100.0,
                line.mean(),
                slope.mean(),
            );
            assert!(ours.mean() <= bound, "{growth:?}, {ahead} days ahead: {:.1} % off", ours.mean());
            let best = line.mean().min(slope.mean());
            assert!(ours.mean() <= best, "{growth:?}, {ahead} days ahead: another is only {best:.1} % off");
        }
    }
}
