//! How something filled in its last polls, thing by thing: volumes and transaction logs, whose trends the charts in memory do not have.

use crate::model::base::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// What was in use, %, by name; `MOST` polls of each. A restart of the collector begins anew.
#[derive(Debug, Default)]
pub(super) struct Filling<const MOST: usize>(BTreeMap<String, VecDeque<(Timestamp, f64)>>);

impl<const MOST: usize> Filling<MOST> {
    /// Forgets what is not there any more.
    pub fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| is_there(name));
    }

    /// Takes a poll of one thing; returns all that is remembered of it, oldest first. What is listed twice is one thing, and a
    /// clock that went back takes its future with it.
    pub fn push(&mut self, name: &str, at: Timestamp, used: f64) -> impl Iterator<Item = (Timestamp, f64)> {
        let points = self.0.entry(name.to_owned()).or_default();
        while points.back().is_some_and(|(last, _)| *last >= at) {
            points.pop_back();
        }
        points.push_back((at, used));
        if points.len() > MOST {
            points.pop_front();
        }
        points.iter().copied()
    }

    /// True if nothing is remembered.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(filling: &mut Filling<3>, name: &str, s: i64, used: f64) -> Vec<(i64, f64)> {
        filling
            .push(name, Timestamp::from_ms(s * 1000), used)
            .map(|(at, used)| (at.ms() / 1000, used))
            .collect()
    }

    #[test]
    fn the_last_polls_of_each_are_remembered_and_not_one_less() {
        let mut filling = Filling::<3>::default();
        assert_eq!(pushed(&mut filling, "C:", 0, 10.0), [(0, 10.0)]);
        assert_eq!(pushed(&mut filling, "C:", 1, 11.0), [(0, 10.0), (1, 11.0)]);
        assert_eq!(pushed(&mut filling, "D:", 1, 90.0), [(1, 90.0)], "each for itself");
        assert_eq!(pushed(&mut filling, "C:", 2, 12.0), [(0, 10.0), (1, 11.0), (2, 12.0)]);
        assert_eq!(pushed(&mut filling, "C:", 3, 13.0), [(1, 11.0), (2, 12.0), (3, 13.0)]);
        assert_eq!(pushed(&mut filling, "C:", 3, 14.0), [(1, 11.0), (2, 12.0), (3, 14.0)], "listed twice");
        assert_eq!(pushed(&mut filling, "C:", 2, 20.0), [(1, 11.0), (2, 20.0)], "the clock went back");
        filling.retain(|name| name == "D:");
        assert_eq!(pushed(&mut filling, "C:", 4, 15.0), [(4, 15.0)], "another disk of that name");
        assert_eq!(pushed(&mut filling, "D:", 4, 91.0), [(1, 90.0), (4, 91.0)]);
    }
}
