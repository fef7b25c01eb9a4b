//! The script of the demo: a mostly healthy fleet, with some trouble to find at any time. A small fleet repeats a script of
//! ten minutes; a large one has troubles of every kind and size at random, few at a time.

use super::{Kind, Scenario, Span};
use crate::sim::world::dice::Dice;

/// Length of a round, s.
const ROUND_S: i64 = 600;

/// One line of the script, written for forty instances: position, kind, begin and end within a round, amount.
struct Line(usize, Kind, i64, i64, Option<f64>);

/// Troubles from the first second on, which stay for most of the round. Worst first: small fleets get only the beginning
/// of the list.
const STANDING: [Line; 6] = [
    Line(14, Kind::BlockingStorm, -300, 420, None),
    Line(9, Kind::DiskFill, -3_400, i64::MAX, None),
    Line(25, Kind::Down, -60, 200, None),
    Line(3, Kind::CpuStorm, -90, 240, None),
    Line(34, Kind::NoRights, -9_000, i64::MAX, None),
    Line(18, Kind::FailedJob, -2_700, i64::MAX, None),
];

/// Troubles that come and go in each round.
const PASSING: [Line; 20] = [
    Line(15, Kind::LogFill, 20, 340, None),
    Line(10, Kind::PlanRegression, 40, 560, None),
    Line(21, Kind::GrantQueue, 45, 190, None),
    Line(7, Kind::IoStall, 80, 260, None),
    Line(28, Kind::BlackHole, 110, 300, None),
    Line(2, Kind::AgLag, 140, 420, None),
    Line(19, Kind::CpuLimit, 150, 310, None),
    Line(11, Kind::Deadlocks, 170, 330, None),
    Line(30, Kind::CpuStorm, 200, 380, None),
    Line(36, Kind::LoginRefused, 220, 400, None),
    Line(25, Kind::SlowNetwork, 240, 400, None),
    Line(16, Kind::Threadpool, 270, 390, None),
    Line(32, Kind::Restart, 300, 320, None),
    Line(6, Kind::TempdbFill, 320, 590, None),
    Line(23, Kind::BlockingStorm, 360, 560, Some(6.0)),
    Line(26, Kind::IoStall, 410, 560, Some(60.0)),
    Line(12, Kind::CpuStorm, 440, 540, Some(88.0)),
    Line(3, Kind::AgQueue, 450, 570, None),
    Line(39, Kind::HostileNames, 460, 580, None),
    Line(5, Kind::Down, 500, 570, None),
];

/// A deadlock that recurs all the time, where something else is wrong from the first second on: there is something to look at at once.
const RECURS: Line = Line(14, Kind::DeadlockPattern, -5_400, i64::MAX, Some(0.25));

/// The largest fleet that plays the script; in a larger one each line would hit many instances.
const STORY_MAX: usize = 60;
/// After this time a large fleet has the same troubles again, s.
const LARGE_ROUND_S: i64 = 7_200;

/// A trouble as a large fleet has it.
struct Ailment {
    kind: Kind,
    /// instances of a thousand that show it at any moment
    per_mille: f64,
    /// shortest and longest duration, s
    lasts_s: (i64, i64),
    /// how long it is seen after its end, s
    lingers_s: i64,
    /// smallest and largest amount
    amount: (f64, f64),
}

const fn ailment(kind: Kind, per_mille: f64, lasts_s: (i64, i64), amount: (f64, f64)) -> Ailment {
    Ailment { kind, per_mille, lasts_s, lingers_s: 0, amount }
}

/// The troubles of a large fleet: about 2.5 % are critical, 6 % have a warning, 0.6 % cannot be judged.
const AILMENTS: [Ailment; 18] = [
    // grave
    ailment(Kind::BlockingStorm, 6.0, (240, 900), (4.0, 44.0)),
    ailment(Kind::CpuStorm, 3.0, (120, 600), (96.6, 99.4)),
    ailment(Kind::Down, 4.0, (60, 900), (1.0, 1.0)),
    ailment(Kind::BlackHole, 2.0, (90, 500), (1.0, 1.0)),
    ailment(Kind::LoginRefused, 2.0, (200, 1_200), (1.0, 1.0)),
    ailment(Kind::Threadpool, 2.0, (90, 300), (600.0, 2_600.0)),
    ailment(Kind::GrantQueue, 3.0, (60, 500), (2.0, 15.0)),
    ailment(Kind::IoStall, 2.0, (120, 420), (260.0, 520.0)),
    ailment(Kind::DiskFill, 2.0, (1_800, 5_400), (0.4, 2.0)),
    // bearable
    ailment(Kind::BlockingStorm, 4.0, (50, 115), (1.0, 6.0)),
    ailment(Kind::CpuStorm, 16.0, (150, 1_500), (83.0, 93.0)),
    ailment(Kind::IoStall, 10.0, (120, 900), (60.0, 130.0)),
    Ailment { lingers_s: 900, ..ailment(Kind::Deadlocks, 14.0, (60, 400), (0.6, 5.0)) },
    Ailment { lingers_s: 600, ..ailment(Kind::Restart, 6.0, (1, 2), (6.0, 40.0)) },
    ailment(Kind::FailedJob, 8.0, (1_500, 5_400), (1.0, 1.0)),
    ailment(Kind::DiskFill, 8.0, (3_000, 6_600), (4.0, 8.0)),
    ailment(Kind::AgLag, 4.0, (120, 420), (10.0, 50.0)),
    // cannot be judged
    ailment(Kind::NoRights, 5.0, (3_000, 6_600), (1.0, 1.0)),
];

/// The script for a fleet of some size.
pub fn script(instances: usize) -> Scenario {
    if instances > STORY_MAX { large(instances) } else { story(instances) }
}

/// The script for up to [`STORY_MAX`] instances.
fn story(instances: usize) -> Scenario {
    // at most a sixth is sick at the start
    let standing = STANDING.len().min(instances.div_ceil(6));
    let passing = PASSING.len().min(instances * PASSING.len() / 40);
    let lines = STANDING.iter().take(standing).map(|line| (line, false));
    let lines = lines.chain(PASSING.iter().take(passing).map(|line| (line, true)));
    let lines = lines.chain(std::iter::once((&RECURS, false)));
    lines.fold(Scenario::default(), |scenario, (Line(position, kind, from_s, to_s, amount), again)| {
        let on = format!(
            "#{}",
            if instances >= 40 { *position } else { (position * instances).div_ceil(40).max(1) }
        );
        let span =
            if *to_s == i64::MAX { Span::from(from_s * 1000) } else { Span::between_s(*from_s, *to_s) };
        let span = if again && *to_s < i64::MAX { span.every_s(ROUND_S) } else { span };
        let scenario = scenario.with(&on, *kind, span, *amount);
        if again || *to_s == i64::MAX {
            return scenario;
        }
        // troubles of the start come again in each later round, younger
        let later = Span::between_s(ROUND_S + from_s.max(&0) + 20, ROUND_S + to_s.min(&(ROUND_S - 60)))
            .every_s(ROUND_S);
        scenario.with(&on, *kind, later, *amount)
    })
}

/// Every trouble as often as its share asks for. Occurrences are spread evenly over the round, so that the share holds at
/// every moment; instances, durations and amounts are random.
fn large(instances: usize) -> Scenario {
    let mut scenario = Scenario::default();
    for (nth, a) in AILMENTS.iter().enumerate() {
        let dice = Dice::new(0x_de30).at(nth as i64);
        let mean_s = i64::midpoint(a.lasts_s.0, a.lasts_s.1) + a.lingers_s;
        let often = a.per_mille / 1000.0 * instances as f64 * LARGE_ROUND_S as f64 / mean_s as f64;
        let count = (often.round() as i64).max(1);
        for n in 0..count {
            let dice = dice.at(n);
            let lasts_s = dice.of("lasts").whole(a.lasts_s.0, a.lasts_s.1);
            let at = (n as f64 + dice.of("at").unit()) / count as f64;
            let from_s = (at * LARGE_ROUND_S as f64) as i64 - lasts_s - a.lingers_s;
            let span = Span::between_s(from_s, from_s + lasts_s).every_s(LARGE_ROUND_S);
            let on = format!("#{}", dice.of("who").whole(1, instances as i64 + 1));
            let amount = dice.of("amount").skewed(a.amount.0, a.amount.1);
            scenario = scenario.with(&on, a.kind, span, Some(amount));
        }
    }
    scenario
}

#[cfg(test)]
mod tests {
    use super::{super::Event, *};

    /// Positions with trouble at a moment, of a fleet of this size. A query with a bad plan makes no instance sick, and a deadlock
    /// every four minutes does it where something else is wrong.
    fn sick(scenario: &Scenario, instances: usize, at_s: i64) -> usize {
        (0..instances)
            .filter(|i| {
                scenario.events.iter().any(|e| {
                    ![Kind::PlanRegression, Kind::DeadlockPattern].contains(&e.kind)
                        && e.span.active_at(at_s * 1000).is_some()
                        && e.on.iter().any(|on| on.hits(*i, "", &[]))
                })
            })
            .count()
    }

    #[test]
    fn there_is_always_something_and_most_is_healthy() {
        for instances in [1, 5, 12, 40, 60] {
            let scenario = script(instances);
            for at_s in (0..4_000).step_by(5) {
                let sick = sick(&scenario, instances, at_s);
                assert!(sick > 0 || instances < 12, "{instances} at {at_s}");
                let share = if instances < 40 { 2 } else { 3 };
                assert!(sick * share <= instances.max(9), "{sick} of {instances} at {at_s}");
            }
        }
    }

    #[test]
    fn the_first_second_shows_one_of_each() {
        let scenario = script(40);
        let now = |kind| scenario.events.iter().any(|e| e.kind == kind && e.span.active_at(0).is_some());
        for kind in [Kind::BlockingStorm, Kind::CpuStorm, Kind::NoRights, Kind::Down, Kind::DiskFill] {
            assert!(now(kind), "{kind}");
        }
    }

    #[test]
    fn a_deadlock_recurs_from_the_first_second_on_whatever_the_size() {
        for instances in [1, 5, 40, 60] {
            let scenario = script(instances);
            let recurs: Vec<_> = scenario.events.iter().filter(|e| e.kind == Kind::DeadlockPattern).collect();
            let [one] = &recurs[..] else { panic!("{instances}: {recurs:?}") };
            let had_s = one.span.active_at(0).map(|ms| ms / 1_000);
            assert!(had_s.is_some_and(|s| s >= 3_600), "the files have some by then");
            assert!((0..instances).any(|i| one.on.iter().any(|on| on.hits(i, "", &[]))));
        }
    }

    /// Instances of 500 with one of these troubles at every minute of three hours, as a share in %.
    fn shares(kinds: &[Kind]) -> impl Iterator<Item = f64> {
        let mut scenario = script(500);
        scenario.events.retain(|e| kinds.contains(&e.kind));
        (0..10_800).step_by(60).map(move |at_s| {
            let acts = |e: &&Event| e.span.active_at(at_s * 1000).is_some();
            let now = scenario.events.iter().filter(acts).cloned().collect();
            let now = Scenario { events: now, cuts: Vec::new() };
            sick(&now, 500, at_s) as f64 / 5.0
        })
    }

    #[test]
    fn a_large_fleet_is_ill_by_a_steady_small_share() {
        let all: Vec<f64> = shares(&Kind::ALL).collect();
        assert!(all.iter().all(|share| (4.0..13.0).contains(share)), "{all:?}");
        let grave = [Kind::BlockingStorm, Kind::Down, Kind::BlackHole, Kind::LoginRefused, Kind::Threadpool];
        let grave: Vec<f64> = shares(&grave).collect();
        assert!(grave.iter().all(|share| (0.8..4.0).contains(share)), "{grave:?}");
    }

    #[test]
    fn no_two_storms_of_a_large_fleet_are_alike() {
        let scenario = script(500);
        // the long ones: those that someone gets to see
        let storms = scenario.events.iter().filter(|e| e.kind == Kind::BlockingStorm);
        let length_ms = |e: &Event| e.span.to_ms - e.span.from_ms;
        let storms: Vec<&Event> = storms.filter(|e| length_ms(e) >= 200_000).collect();
        let looks: std::collections::BTreeSet<(i64, i64)> =
            storms.iter().map(|e| (e.amount as i64, length_ms(e))).collect();
        assert_eq!(looks.len(), storms.len(), "{looks:?}");
        let sizes: std::collections::BTreeSet<i64> = looks.iter().map(|(size, _)| *size).collect();
        assert!(sizes.len() >= 12, "{sizes:?}");
    }
}
