//! What is known of our clock beside the time that it shows: a step of it is no age (`model::base::age`). The reducer, which has a clock
//! that nobody sets as well, says so before each snapshot. What a step adds to the ages of answers is the business of `asleep`.

use crate::model::inventory::record::PollSettings;
use std::borrow::Cow;

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Doubt {
    /// the wall clock is so far ahead of what is believed, ms
    pub ahead_ms: i64,
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::time::Timestamp;

    #[test]
    fn a_maintenance_ends_by_the_time_that_is_believed() {
        let until = Some(Timestamp::from_ms(50));
        let poll = PollSettings { maintenance_until: until, ..PollSettings::default() };
        let ends = |ahead_ms| Doubt { ahead_ms }.judged(&poll).maintenance_until;
        assert_eq!([ends(0), ends(7)], [until, Some(Timestamp::from_ms(57))]);
        assert_eq!(Doubt { ahead_ms: 9 }.judged(&PollSettings::default()).maintenance_until, None);
    }
}
