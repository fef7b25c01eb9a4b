//! The script of the demo: always something to find, mostly a healthy fleet, ten minutes that come again.

use super::{Kind, Scenario, Span};

/// Length of a round, s.
const ROUND_S: i64 = 600;

/// One line of the script, written for forty instances: position, kind, begin and end within a round, amount.
struct Line(usize, Kind, i64, i64, Option<f64>);

/// What is there from the first second on, and stays for most of the round. Worst first: small fleets get only the
/// beginning of the list.
const STANDING: [Line; 6] = [
    Line(14, Kind::BlockingStorm, -300, 420, None),
    Line(9, Kind::DiskFill, -3_400, i64::MAX, None),
    Line(25, Kind::Down, -60, 200, None),
    Line(3, Kind::CpuStorm, -90, 240, None),
    Line(34, Kind::NoRights, -9_000, i64::MAX, None),
    Line(18, Kind::FailedJob, -2_700, i64::MAX, None),
];

/// What comes and goes, again each round.
const PASSING: [Line; 16] = [
    Line(21, Kind::GrantQueue, 45, 190, None),
    Line(7, Kind::IoStall, 80, 260, None),
    Line(28, Kind::BlackHole, 110, 300, None),
    Line(2, Kind::AgLag, 140, 420, None),
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
    Line(39, Kind::HostileNames, 460, 580, None),
    Line(5, Kind::Down, 500, 570, None),
];

/// The script for a fleet of some size. Every further forty instances have the same troubles again, so that the share
/// of sick ones stays the same.
pub fn script(instances: usize) -> Scenario {
    // at most a sixth is sick at the start
    let standing = STANDING.len().min(instances.div_ceil(6));
    let passing = PASSING.len().min(instances * PASSING.len() / 40);
    let lines = STANDING.iter().take(standing).map(|line| (line, false));
    let lines = lines.chain(PASSING.iter().take(passing).map(|line| (line, true)));
    lines.fold(Scenario::default(), |scenario, (Line(position, kind, from_s, to_s, amount), again)| {
        let on = if instances >= 40 {
            format!("#{position}/40")
        } else {
            format!("#{}", (position * instances).div_ceil(40).max(1))
        };
        let span =
            if *to_s == i64::MAX { Span::from(from_s * 1000) } else { Span::between_s(*from_s, *to_s) };
        let span = if again && *to_s < i64::MAX { span.every_s(ROUND_S) } else { span };
        let scenario = scenario.with(&on, *kind, span, *amount);
        if again || *to_s == i64::MAX {
            return scenario;
        }
        // what stood there at the start comes again in each later round, younger
        let later = Span::between_s(ROUND_S + from_s.max(&0) + 20, ROUND_S + to_s.min(&(ROUND_S - 60)))
            .every_s(ROUND_S);
        scenario.with(&on, *kind, later, *amount)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positions with trouble at a moment, of a fleet of this size.
    fn sick(scenario: &Scenario, instances: usize, at_s: i64) -> usize {
        (0..instances)
            .filter(|i| {
                scenario.events.iter().any(|e| {
                    e.span.active_at(at_s * 1000).is_some() && e.on.iter().any(|on| on.hits(*i, "", &[]))
                })
            })
            .count()
    }

    #[test]
    fn there_is_always_something_and_most_is_healthy() {
        for instances in [1, 5, 12, 40, 500] {
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
}
