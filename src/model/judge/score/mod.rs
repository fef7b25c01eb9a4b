//! The health score: from what is known of an instance to a verdict with its reasons. Pure: time is an
//! argument, and so is the verdict that was in force before: the same facts give the same verdict. Called by the fold.
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
//! good poll. Unknown if never polled, if a right is missing and nothing worse is known, or until all that is judged has been
//! answered for the first time.
//!
//! # Thresholds
//! [`Thresholds`] are configuration, one row of [`limits`](super::limits) a figure. CPU and offline defaults are the project's
//! brief; blocking of 15 s is what people wait before they call; poison waits of 10 and 1,000 ms/s are DBA Dash's; three
//! runnable tasks a scheduler are pressure, and two-digit figures are what Microsoft's papers call severe; page life below
//! 300 s is the old rule of thumb and only counts here together with a fall to a quarter; disk and lag limits are those that
//! most alerting templates start with; queues of 1 and 10 GB are minutes of a busy line. One file is slow from 100 ms on, as in First
//! Responder Kit and in SQLskills' scale, which calls 100 to 500 ms bad beyond words; a growth larger than what is free fails, as
//! dbachecks says.
//!
//! # What is in force stays until it clears
//! A figure that is a warning stays one until it is back beyond its clear value, and a critical one until beyond its own:
//! `before` says what is in force. So a figure that hovers at its limit is one reason and not twenty. After a restart of the
//! collector, a lost connection or a gap in the polls nothing is in force: a reason begins at its limit again. New thresholds
//! judge anew, too. History keeps verdicts, so the past has those that were shown, hysteresis included; what is judged anew
//! there (other thresholds) goes on from the verdict that was kept (`fold::entry`).

mod case;
mod files;
mod link;
mod load;
mod memory;
mod parts;
mod space;

use self::case::Case;
use super::health::{Health, Level, Reason, Thresholds, Topic};
use crate::model::{
    base::time::Timestamp, inventory::record::PollSettings, poll::Facts, timeline::history::History,
};

/// The verdict on an instance now, by what is known and what was in force before.
pub fn assess(
    poll: &PollSettings,
    facts: &Facts,
    history: &History,
    thresholds: &Thresholds,
    before: &Health,
    now: Timestamp,
) -> Health {
    let mut case = Case { poll, facts, history, thresholds, before, now, reasons: Vec::new() };
    if link::wanted(&mut case) && link::link(&mut case) {
        link::rights(&mut case);
        link::silence(&mut case);
        link::emptiness(&mut case);
        load::cpu(&mut case);
        load::runnable(&mut case);
        load::workers_and_poison(&mut case);
        load::blocking(&mut case);
        memory::memory(&mut case);
        memory::page_life(&mut case);
        files::io(&mut case);
        load::deadlocks(&mut case);
        space::volumes(&mut case);
        files::room(&mut case);
        space::tempdb(&mut case);
        space::logs(&mut case);
        parts::databases(&mut case);
        parts::availability(&mut case);
        parts::jobs(&mut case);
        parts::query_stores(&mut case);
        link::restart(&mut case);
        link::first_answers(&mut case);
    }
    verdict(case.reasons)
}

/// What a restart makes by itself: cold memory, reads from disk, recovery.
const fn follows_a_restart(topic: Topic) -> bool {
    matches!(
        topic,
        Topic::Cpu | Topic::Memory | Topic::Io | Topic::Waits | Topic::Databases | Topic::Availability
    )
}

fn verdict(mut reasons: Vec<Reason>) -> Health {
    let restarted = reasons.iter().any(|r| r.topic == Topic::Restart);
    // The heaviest first, but a restart before all that follows from it, and before what weighs as little.
    let place = |r: &Reason| match r.topic {
        _ if !restarted => 1,
        Topic::Restart => 1,
        topic if r.level >= Level::Critical && !follows_a_restart(topic) => 0,
        _ => 2,
    };
    reasons.sort_by_key(|r| (place(r), std::cmp::Reverse((r.level, r.points))));
    let level = reasons.iter().map(|r| r.level).max().unwrap_or(Level::Ok);
    let left = reasons.iter().fold(100.0, |left, r| left * (100.0 - f64::from(r.points.min(100))) / 100.0);
    let score = (level != Level::Unknown).then_some(left.round() as u8);
    Health { score, level, reasons }
}

#[cfg(test)]
mod tests;
