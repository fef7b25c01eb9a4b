//! Deadlocks of an instance: when each happened and of which pattern it was. The counter of the server (`totals`) moves with
//! them, for both count an event's amount from its begin on.

use super::{moment::Moment, texts::Sort};
use crate::sim::scenario::Kind;

/// `system_health` writes what it has into its file this often.
const FLUSH_MS: i64 = 10_000;
/// A new file is begun this often, and so many are kept.
const FILE_MS: i64 = 7_200_000;
const FILES: i64 = 4;
/// The simulator starts in the middle of a file.
const BEGUN_MS: i64 = FILE_MS / 2;
/// Deadlocks that a server remembers, the newest.
const MOST: usize = 2_000;
/// What lies between two flushes in a file.
const BLOCK: i64 = 65_536;

/// The patterns that happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// a reader goes from an index to its table, a writer the other way
    KeyLookup,
    /// two tables in two orders
    OppositeOrder,
    /// two share a lock and both want more
    Conversion,
}

/// Every so many deadlocks a parallel query is in one.
const WIDE_EVERY: i64 = 31;

/// A deadlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlock {
    /// when, ms since the simulator's start
    pub at_ms: i64,
    /// tells it from others
    pub number: i64,
    /// its pattern
    pub pattern: Pattern,
    /// a parallel query is in it: its report is long
    pub is_wide: bool,
}

/// A place in the files of `system_health`: the file's number, and the offset.
pub type Place = (i64, i64);

impl Moment<'_> {
    /// The deadlocks whose reports are in the files by now, the newest first.
    pub fn deadlocks(&self) -> Vec<Deadlock> {
        let from_ms = self.event_files().start() * FILE_MS - BEGUN_MS;
        let flushed_ms = self.at_ms.div_euclid(FLUSH_MS) * FLUSH_MS;
        let mut all = Vec::new();
        for (nth, h) in self.happenings().iter().enumerate() {
            let recurs = h.kind == Kind::DeadlockPattern;
            if !(recurs || h.kind == Kind::Deadlocks) || h.amount <= 0.0 {
                continue;
            }
            let apart_ms = ((60_000.0 / h.amount) as i64).max(1);
            for o in h.span.occurrences(from_ms, flushed_ms) {
                // The first of an occurrence comes when the counter has reached one.
                let first = (from_ms.max(o.from_ms) - o.from_ms) / apart_ms + 1;
                let last = (flushed_ms.min(o.to_ms) - o.from_ms) / apart_ms;
                all.extend((first.max(last - MOST as i64)..=last).map(|n| {
                    let pattern = match (recurs, n % 3) {
                        (true, _) | (false, 0) => Pattern::KeyLookup,
                        (false, 1) => Pattern::OppositeOrder,
                        (false, _) => Pattern::Conversion,
                    };
                    let at_ms = o.from_ms + n * apart_ms;
                    Deadlock { at_ms, number: at_ms * 8 + nth as i64, pattern, is_wide: n % WIDE_EVERY == 0 }
                }));
            }
        }
        all.retain(|deadlock| deadlock.at_ms < flushed_ms);
        all.sort_by_key(|deadlock| std::cmp::Reverse((deadlock.at_ms, deadlock.number)));
        all.truncate(MOST);
        all
    }

    /// The file that is written now.
    pub fn event_file(&self) -> i64 {
        file_of(self.at_ms)
    }

    /// The files that are there, the oldest first.
    pub fn event_files(&self) -> std::ops::RangeInclusive<i64> {
        let newest = self.event_file();
        newest - FILES + 1..=newest
    }
}

const fn file_of(at_ms: i64) -> i64 {
    (at_ms + BEGUN_MS).div_euclid(FILE_MS)
}

impl Deadlock {
    /// Where its report is. What was flushed together has one place.
    pub const fn place(self) -> Place {
        let within_ms = (self.at_ms + BEGUN_MS).rem_euclid(FILE_MS);
        (file_of(self.at_ms), (within_ms / FLUSH_MS + 1) * BLOCK)
    }
}

/// A session in a deadlock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// the id of its task in the report
    pub id: String,
    /// session id
    pub spid: i64,
    /// log of its transaction, bytes; 0: it only reads
    pub log_used: i64,
    /// how long it waited, ms
    pub waited_ms: i64,
    /// its transaction
    pub transaction: i64,
    /// login
    pub login: String,
    /// client host
    pub host: String,
    /// program
    pub program: String,
    /// hexadecimal digits that differ from deadlock to deadlock
    pub hash: String,
}

impl Side {
    /// One of the two; the first is the victim.
    pub fn of(moment: &Moment<'_>, deadlock: Deadlock, nth: usize) -> Self {
        let dice = moment.profile.dice.of("deadlock").at(deadlock.number).at(nth as i64);
        let reads = nth == 0 && deadlock.pattern == Pattern::KeyLookup;
        let (login, host, program) = moment.people(if reads { Sort::Report } else { Sort::App }, dice);
        let hash = dice.bytes::<6>().iter().fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
        Self {
            id: format!("process{hash}"),
            // Two sessions are two numbers.
            spid: dice.of("spid").whole(30, 190) * 2 + nth as i64,
            log_used: if reads { 0 } else { dice.of("log").whole(200, 40_000) },
            waited_ms: dice.of("wait").whole(900, 4_800),
            transaction: 8_000_000 + deadlock.number.rem_euclid(90_000_000) + nth as i64,
            login,
            host,
            program,
            hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{
        scenario::{Scenario, Span},
        world::{Fleet, Script, totals::Meter, version::Version},
    };

    fn fleet() -> Fleet {
        Fleet::roll(7, 1, &[Version::V2022], 1_790_000_000_000)
    }

    fn script(fleet: &Fleet, kind: Kind, span: Span, amount: f64) -> Script {
        Script::compile(&Scenario::default().with("*", kind, span, Some(amount)), fleet)
    }

    #[test]
    fn the_counter_moves_with_the_reports() {
        let fleet = fleet();
        let script = script(&fleet, Kind::DeadlockPattern, Span::between_s(0, 600), 2.0);
        for minute in [1, 3, 9, 10, 20] {
            let moment = fleet.at(&script, 0, minute * 60_000 + 10).unwrap();
            let counted = moment.totals().get(Meter::Deadlocks);
            let before = fleet.at(&script, 0, 0).unwrap().totals().get(Meter::Deadlocks);
            let reported = moment.deadlocks();
            assert!((counted - before - reported.len() as i64).abs() <= 1, "{counted} {}", reported.len());
            assert!(reported.is_sorted_by_key(|d| -d.at_ms));
            assert!(reported.iter().all(|d| d.pattern == Pattern::KeyLookup));
        }
    }

    #[test]
    fn what_was_told_once_stays_and_the_file_lags() {
        let fleet = fleet();
        let script = script(&fleet, Kind::Deadlocks, Span::from(-30_000), 60.0);
        let at = |ms| fleet.at(&script, 0, ms).unwrap().deadlocks();
        let (early, late) = (at(14_000), at(29_999));
        assert!(early.iter().all(|d| d.at_ms < 10_000 && late.contains(d)), "{early:?}");
        assert!(late.len() > early.len());
        let places: Vec<_> = late.iter().map(|d| d.place()).collect();
        assert!(places.is_sorted_by_key(|place| std::cmp::Reverse(*place)), "{places:?}");
        assert!(late.iter().any(|d| d.pattern != Pattern::KeyLookup));
    }

    #[test]
    fn the_sides_of_a_deadlock_are_two_sessions_and_another_one_has_others() {
        let fleet = fleet();
        let script = Script::default();
        let moment = fleet.at(&script, 0, 0).unwrap();
        let of = |number, nth| {
            Side::of(&moment, Deadlock { at_ms: 1, number, pattern: Pattern::KeyLookup, is_wide: false }, nth)
        };
        assert_ne!(of(1, 0).spid, of(1, 1).spid);
        assert_ne!(of(1, 0).id, of(2, 0).id);
        assert_eq!((of(1, 0), of(1, 0).log_used), (of(1, 0), 0));
    }
}
