//! The shape of queues behind a lock or a memory grant: each waiter and the time of its arrival. Counters (`totals`) and
//! sessions (`work`) both read it here, so that they agree.

use super::wait_types::Driver;

/// Seconds between two victims.
const STEP_S: f64 = 5.0;

/// A session that waits for a lock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Victim {
    /// position in the queue, from 0
    pub nth: usize,
    /// position of the victim that blocks it; None: the head
    pub behind: Option<usize>,
    /// seconds after the head's statement at which it began to wait
    pub first_s: f64,
    /// the lock it wants
    pub wants: Driver,
}

/// The queue of a blocking storm with this many victims (at most 60): a third waits for the head, half of the rest
/// for one of those, the others for one of these.
pub fn victims(amount: f64) -> impl Iterator<Item = Victim> {
    let count = (amount.clamp(1.0, 60.0)) as usize;
    let (first, second) = (count.div_ceil(3), count.div_ceil(3) + (count - count.div_ceil(3)).div_ceil(2));
    (0..count).map(move |nth| {
        let behind = if nth < first {
            None
        } else if nth < second {
            // most wait behind the same one: a bushy tree, not a comb
            Some(if nth % 3 == 0 { nth % first } else { 0 })
        } else {
            Some(first + (nth - second) % (second - first).clamp(1, 2))
        };
        let wants = [Driver::LockS, Driver::LockS, Driver::LockU, Driver::LockX, Driver::LockIx][nth % 5];
        Victim { nth, behind, first_s: 1.0 + nth as f64 * STEP_S, wants }
    })
}

/// The begins of the waits of a blocking storm, for the counters.
pub fn arrivals(amount: f64) -> impl Iterator<Item = (Driver, f64)> {
    victims(amount).map(|v| (v.wants, v.first_s))
}

/// The arrivals of queries in the queue for memory grants: seconds after the event began.
pub fn queue(amount: f64) -> impl Iterator<Item = f64> {
    (0..amount.clamp(1.0, 60.0) as usize).map(|nth| 0.5 + nth as f64 * 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_three_levels_deep_and_has_no_cycle() {
        let all: Vec<_> = victims(14.0).collect();
        assert_eq!(all.len(), 14);
        let depth = |mut v: Victim| {
            let mut depth = 1;
            while let Some(behind) = v.behind {
                assert!(behind < v.nth, "{v:?}");
                v = all[behind];
                depth += 1;
            }
            depth
        };
        assert_eq!(all.iter().copied().map(depth).max(), Some(3));
        assert!(all.iter().copied().filter(|v| depth(*v) == 1).count() >= 3);
    }
}
