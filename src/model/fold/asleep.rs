//! Time that nobody measured: the machine was suspended, or its clock was set ahead. It is no silence of a server, so verdicts
//! are made as if it had not been. What is shown keeps its true age.

use crate::model::{
    base::time::Timestamp,
    poll::{Facts, id::ProbeId, reading::MetaMut},
};
use std::borrow::Cow;

/// Times that are remembered: a lid that is opened and closed before anything answered.
const MOST: usize = 16;

/// One such time.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// what is no later than this is from before
    from: Timestamp,
    until: Timestamp,
}

/// All of them, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Asleep(Vec<Gap>);

impl Asleep {
    /// Nobody measured for so long, until now.
    pub fn note(&mut self, until: Timestamp, ms: i64) {
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(Gap { from: until.plus_ms(-ms), until });
    }

    /// A clock that was set back takes back what it had added.
    pub fn look(&mut self, now: Timestamp) {
        self.0.retain(|gap| gap.until <= now);
    }

    /// A time, as much later as nobody measured since.
    pub fn awake(&self, at: Timestamp) -> Timestamp {
        let since = self.0.iter().filter(|gap| at <= gap.from);
        since.fold(at, |moved, gap| moved.plus_ms(gap.until - gap.from))
    }

    /// The facts as they are judged.
    pub fn facts<'a>(&self, facts: &'a Facts) -> Cow<'a, Facts> {
        let Some(newest) = self.0.last() else { return Cow::Borrowed(facts) };
        let times = facts.readings().map(|(_, reading)| reading.at);
        if !times.chain([facts.last_good_at, facts.link_since]).flatten().any(|at| at <= newest.from) {
            return Cow::Borrowed(facts);
        }
        let mut judged = facts.clone();
        let later = |at: &mut Option<Timestamp>| *at = at.map(|at| self.awake(at));
        for probe in ProbeId::ALL {
            if let Some(MetaMut { at, .. }) = judged.reading_mut(probe) {
                later(at);
            }
        }
        later(&mut judged.last_good_at);
        // Since when it is down is told as it is, unless silence counts from there.
        if judged.last_good_at.is_none() {
            later(&mut judged.link_since);
        }
        Cow::Owned(judged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(1_700_000_000_000 + s * 1000)
    }

    #[test]
    fn only_what_was_before_is_moved_and_twice_if_it_was_before_both() {
        let mut asleep = Asleep::default();
        assert_eq!(asleep.awake(at(0)), at(0));
        asleep.note(at(3_700), 3_600_000);
        asleep.note(at(7_400), 3_600_000);
        assert_eq!(
            [90, 100, 101, 3_800, 3_801].map(|s| asleep.awake(at(s)) - at(s)),
            [7_200_000, 7_200_000, 3_600_000, 3_600_000, 0]
        );
        asleep.look(at(7_399));
        assert_eq!(asleep.awake(at(90)), at(3_690), "the clock went back");
    }

    #[test]
    fn no_more_are_remembered_than_anybody_needs() {
        let mut asleep = Asleep::default();
        for n in 0..100 {
            asleep.note(at(n * 100), 1_000);
        }
        assert_eq!(asleep.0.len(), MOST);
    }
}
