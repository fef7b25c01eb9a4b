//! How far back charts look: what the user chose, or what the history fills.

use super::View;
use crate::model::{snapshot::InstanceSnapshot, time::Timestamp};

/// Choices, ms.
const CHOICES_MS: [i64; 3] = [900_000, 300_000, 60_000];

/// The range of a pane's charts. Until the user chooses one it is the shortest that holds all there is, so that the first
/// minutes after a start fill the charts too.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range {
    chosen: Option<usize>,
    /// age of the oldest point in sight, ms; the greatest number there is without any point
    known_ms: i64,
}

impl Range {
    /// Learns how much history the instances in scope have.
    pub fn see(&mut self, view: &View<'_>) {
        let oldest = view.instances().filter_map(|(_, i)| oldest(i)).min();
        self.known_ms = oldest.map_or(i64::MAX, |at| view.now - at);
    }

    fn index(self) -> usize {
        let fits = |ms: &i64| *ms >= self.known_ms;
        self.chosen.unwrap_or_else(|| CHOICES_MS.iter().rposition(fits).unwrap_or(0))
    }

    /// Length, ms.
    pub fn ms(self) -> i64 {
        CHOICES_MS.get(self.index()).copied().unwrap_or(CHOICES_MS[0])
    }

    /// Chooses the next shorter range, and the longest one after the shortest.
    pub fn next(&mut self) {
        self.chosen = Some((self.index() + 1) % CHOICES_MS.len());
    }
}

fn oldest(i: &InstanceSnapshot) -> Option<Timestamp> {
    i.history.iter().filter_map(|(_, series)| series.points().next()).map(|(at, _)| at).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::history::SeriesId,
        tui::{fixture, pane::stage::Stage},
    };
    use std::sync::Arc;

    /// A fleet whose history begins this long ago.
    fn since(ms: i64) -> Stage {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let mut young = (**i).clone();
            let mut history = crate::model::history::History::default();
            history.entry(SeriesId::Cpu).push(fixture::NOW.plus_ms(-ms), 1.0);
            young.history = Arc::new(history);
            *i = Arc::new(young);
        }
        Stage::fleet(fleet)
    }

    #[test]
    fn without_any_history_it_is_the_longest() {
        let mut range = Range::default();
        range.see(&Stage::fleet(fixture::empty()).view());
        assert_eq!(range.ms(), 900_000);
    }

    #[test]
    fn the_range_grows_with_what_is_known_until_one_is_chosen() {
        let mut range = Range::default();
        let mut after = |ms: i64, choose: bool| {
            range.see(&since(ms).view());
            if choose {
                range.next();
            }
            range.ms()
        };
        assert_eq!([after(10_000, false), after(60_000, false)], [60_000, 60_000]);
        assert_eq!([after(61_000, false), after(301_000, false)], [300_000, 900_000]);
        assert_eq!([after(901_000, false), after(901_000, true)], [900_000, 300_000]);
        assert_eq!(
            [after(10_000, false), after(10_000, true), after(10_000, true)],
            [300_000, 60_000, 900_000]
        );
    }
}
