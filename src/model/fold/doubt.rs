//! What is known of our clock beside the time that it shows: a step of it is no age (`model::base::age`). The reducer, which has a clock
//! that nobody sets as well, says so before each snapshot.

use crate::model::{base::time::Timestamp, inventory::record::PollSettings};
use std::borrow::Cow;

/// When a clock was set, or the machine woke up, all instances are polled at once. One that was not heard of since keeps its verdict for so
/// long, ms.
const GRACE_MS: i64 = 30_000;

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Doubt {
    /// the wall clock is so far ahead of what is believed, ms
    pub ahead_ms: i64,
    /// when it went ahead by a step, or the machine woke up: nobody could be asked in between
    pub jumped_at: Option<Timestamp>,
}

impl Doubt {
    /// The settings of an instance as its verdict reads them: a maintenance ends by the time that is believed, as its polls do.
    pub(super) fn judged(self, poll: &PollSettings) -> Cow<'_, PollSettings> {
        let ends = poll.maintenance_until.filter(|_| self.ahead_ms > 0);
        ends.map_or(Cow::Borrowed(poll), |until| {
            let maintenance_until = Some(until.plus_ms(self.ahead_ms));
            Cow::Owned(PollSettings { maintenance_until, ..poll.clone() })
        })
    }

    /// Until when the verdict of an instance that was heard of last at this time stays what it is. None: it is judged.
    pub(super) fn keeps_until(self, heard_at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let jumped_at = self.jumped_at.filter(|at| heard_at.is_some_and(|heard| heard < *at))?;
        (0..GRACE_MS).contains(&(now - jumped_at)).then(|| jumped_at.plus_ms(GRACE_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_stays_until_somebody_is_heard_of_or_half_a_minute_is_over() {
        let at = Timestamp::from_ms;
        let doubt = Doubt { jumped_at: Some(at(1_000_000)), ..Doubt::default() };
        let keeps = |heard: Option<i64>, now: i64| doubt.keeps_until(heard.map(at), at(now)).is_some();
        assert!(keeps(Some(5), 1_000_000) && keeps(Some(999_999), 1_029_999));
        assert!(!keeps(Some(5), 1_030_000), "it is silent");
        assert!(!keeps(Some(1_000_000), 1_000_001), "it was asked since");
        assert!(!keeps(None, 1_000_001), "it was never heard of");
        assert!(!keeps(Some(5), 999_999), "the clock was set back");
        assert_eq!(Doubt::default().keeps_until(Some(at(5)), at(9)), None);
    }

    #[test]
    fn a_maintenance_ends_by_the_time_that_is_believed() {
        let until = Some(Timestamp::from_ms(50));
        let poll = PollSettings { maintenance_until: until, ..PollSettings::default() };
        let ends = |ahead_ms| Doubt { ahead_ms, ..Doubt::default() }.judged(&poll).maintenance_until;
        assert_eq!([ends(0), ends(7)], [until, Some(Timestamp::from_ms(57))]);
        let never = PollSettings::default();
        let ahead = Doubt { ahead_ms: 9, ..Doubt::default() };
        assert_eq!(ahead.judged(&never).maintenance_until, None);
    }
}
