//! The health score: from what is known of an instance to a verdict with its reasons. Pure: time is an
//! argument, nothing is remembered, so the same facts always give the same verdict. Called by the fold.
//!
//! # The formula
//! Each reason takes points; the score is what several of them leave of 100, one after another:
//! `100 × Π (1 − points/100)`. So every point lost has a reason, one grave reason is enough to be at the top, and many
//! small ones add up without ever reaching zero. A threshold gives points by distance: a **warning** takes 15 at its
//! threshold, growing evenly to 40 just below the critical one; a **critical** takes 50, and 15 more each time the
//! value doubles (for free space: evenly up to 90 at nothing free). Without a connection the score is 0.
//!
//! # Levels
//! The worst level of the reasons. A failed link is critical at once and offline after `offline_after_s` without a
//! good poll. Unknown if never polled, or if a right is missing and nothing worse is known.
//!
//! # Thresholds
//! [`Thresholds`] are configuration. CPU, memory, blocking and offline defaults are the project's brief; poison waits
//! of 10 and 1,000 ms/s are DBA Dash's; page life below 300 s is the old rule of thumb and only counts here together
//! with a fall to a quarter; disk and lag limits are those that most alerting templates start with.

mod rules;

use super::{
    health::{Health, Level, Reason, Thresholds, Topic},
    why::Why,
};
use crate::model::{
    base::time::Timestamp, inventory::record::PollSettings, poll::Facts, timeline::history::History,
};

/// For this long after its start an instance is said to have restarted.
pub const RESTART_SHOWN_MS: u64 = 600_000;

/// The facts that the rules read, and the reasons they have found.
struct Case<'a> {
    poll: &'a PollSettings,
    facts: &'a Facts,
    history: &'a History,
    thresholds: &'a Thresholds,
    now: Timestamp,
    reasons: Vec<Reason>,
}

impl Case<'_> {
    fn add(&mut self, (level, points): (Level, u8), topic: Topic, why: Why) {
        self.reasons.push(Reason::new(level, topic, points, why));
    }
}

/// The verdict on an instance now.
pub fn assess(
    poll: &PollSettings,
    facts: &Facts,
    history: &History,
    thresholds: &Thresholds,
    now: Timestamp,
) -> Health {
    let mut case = Case { poll, facts, history, thresholds, now, reasons: Vec::new() };
    if rules::wanted(&mut case) && rules::link(&mut case) {
        rules::rights(&mut case);
        rules::silence(&mut case);
        rules::emptiness(&mut case);
        rules::cpu(&mut case);
        rules::workers_and_poison(&mut case);
        rules::blocking(&mut case);
        rules::memory(&mut case);
        rules::page_life(&mut case);
        rules::io(&mut case);
        rules::deadlocks(&mut case);
        rules::space(&mut case);
        rules::databases(&mut case);
        rules::availability(&mut case);
        rules::jobs(&mut case);
        rules::restart(&mut case);
    }
    verdict(case.reasons)
}

fn verdict(mut reasons: Vec<Reason>) -> Health {
    reasons.sort_by_key(|r| std::cmp::Reverse((r.level, r.points)));
    let level = reasons.first().map_or(Level::Ok, |r| r.level);
    let left = reasons.iter().fold(100.0, |left, r| left * (100.0 - f64::from(r.points.min(100))) / 100.0);
    let score = (level != Level::Unknown).then_some(left.round() as u8);
    Health { score, level, reasons }
}

/// Level and points of a value that should be low.
fn above(value: f64, warning: f64, critical: f64) -> Option<(Level, u8)> {
    if value >= critical {
        let doublings = (value / critical.max(f64::MIN_POSITIVE)).log2().clamp(0.0, 10.0);
        Some((Level::Critical, (50.0 + 15.0 * doublings).min(90.0) as u8))
    } else if value > warning {
        let part = ((value - warning) / (critical - warning)).clamp(0.0, 1.0);
        Some((Level::Warning, (15.0 + 25.0 * part) as u8))
    } else {
        None
    }
}

/// Level and points of a value that should be high.
fn below(value: f64, warning: f64, critical: f64) -> Option<(Level, u8)> {
    if value <= critical {
        let part = ((critical - value) / critical.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        Some((Level::Critical, (50.0 + 40.0 * part) as u8))
    } else if value < warning {
        let part = ((warning - value) / (warning - critical)).clamp(0.0, 1.0);
        Some((Level::Warning, (15.0 + 25.0 * part) as u8))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
