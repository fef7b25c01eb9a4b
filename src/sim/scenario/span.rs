//! The times at which an event acts: once or again and again, cut where the scenario was changed meanwhile.

/// All times are milliseconds since the simulator's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// begin of the first occurrence
    pub from_ms: i64,
    /// end of the first occurrence; `i64::MAX` for never
    pub to_ms: i64,
    /// distance of occurrences; None for a single one
    pub every_ms: Option<i64>,
    /// nothing acts before: the moment at which the event was added
    pub since_ms: i64,
    /// nothing acts from here on: the moment at which the event was taken out
    pub until_ms: i64,
}

/// A stretch of time in which an event acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// its begin, from which ages count
    pub began_ms: i64,
    /// the time from which on it acts
    pub from_ms: i64,
    /// the time until which it acts, exclusive
    pub to_ms: i64,
}

impl Span {
    /// From this moment on, for good.
    pub const fn from(from_ms: i64) -> Self {
        Self { from_ms, to_ms: i64::MAX, every_ms: None, since_ms: i64::MIN, until_ms: i64::MAX }
    }

    /// From one moment to another, in seconds.
    pub const fn between_s(from_s: i64, to_s: i64) -> Self {
        Self { to_ms: to_s * 1000, ..Self::from(from_s * 1000) }
    }

    /// Again every so many seconds.
    #[must_use]
    pub const fn every_s(self, every_s: i64) -> Self {
        Self { every_ms: Some(every_s * 1000), ..self }
    }

    /// The occurrences that act at some moment of `[start_ms, end_ms)`, in order, not cut to it.
    pub fn occurrences(self, start_ms: i64, end_ms: i64) -> impl Iterator<Item = Occurrence> {
        let every = self.every_ms.unwrap_or(0);
        let length = self.to_ms.saturating_sub(self.from_ms);
        let first = if every > 0 { (start_ms.saturating_sub(self.to_ms) / every).max(0) } else { 0 };
        let count = if every > 0 { usize::MAX } else { 1 };
        (first..)
            .take(count)
            .map(move |n| {
                let began_ms = self.from_ms + n * every;
                let (from_ms, to_ms) =
                    (began_ms.max(self.since_ms), began_ms.saturating_add(length).min(self.until_ms));
                Occurrence { began_ms, from_ms, to_ms }
            })
            .take_while(move |o| o.began_ms < end_ms && o.began_ms < self.until_ms)
            .filter(move |o| o.from_ms < o.to_ms && o.to_ms > start_ms && o.from_ms < end_ms)
    }

    /// The age of the occurrence that acts at this moment.
    pub fn active_at(self, at_ms: i64) -> Option<i64> {
        self.occurrences(at_ms, at_ms + 1).next().map(|o| at_ms - o.began_ms)
    }

    /// This span without the rest of the occurrence that acts at this moment: before it, and after it.
    pub fn cut_at(self, at_ms: i64) -> (Self, Option<Self>) {
        let before = Self { until_ms: self.until_ms.min(at_ms), ..self };
        let running = self.occurrences(at_ms, at_ms.saturating_add(1)).next();
        let after = running.filter(|o| o.to_ms < self.until_ms).map(|o| Self { since_ms: o.to_ms, ..self });
        (before, after)
    }

    /// The newest occurrence that had begun to act by this moment, over or not. Looks back two periods.
    pub fn latest(self, at_ms: i64) -> Option<Occurrence> {
        let back = self.every_ms.map_or(i64::MIN / 2, |every| at_ms - 2 * every);
        self.occurrences(back, at_ms + 1).last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_means_once() {
        let span = Span::between_s(-300, 60);
        assert_eq!(span.active_at(-300_001), None);
        assert_eq!(span.active_at(0), Some(300_000));
        assert_eq!(span.active_at(60_000), None);
        assert_eq!(span.latest(90_000).map(|o| o.to_ms), Some(60_000));
        assert_eq!(span.latest(-400_000), None);
    }

    #[test]
    fn again_and_again() {
        let span = Span::between_s(10, 20).every_s(100);
        assert_eq!(span.active_at(115_000), Some(5_000));
        assert_eq!(span.active_at(120_000), None);
        assert_eq!(span.active_at(1_000_019_999), Some(9_999));
        assert_eq!(span.occurrences(0, 1_000_000).count(), 10);
        assert_eq!(span.occurrences(915_000, 1_000_000).count(), 1);
        assert_eq!(span.latest(250_000).map(|o| o.began_ms), Some(210_000));
    }

    #[test]
    fn a_cut_takes_the_rest_of_one_occurrence_only() {
        let (before, after) = Span::between_s(10, 20).every_s(100).cut_at(115_000);
        let after = after.unwrap();
        assert_eq!((before.active_at(114_999), before.active_at(115_000)), (Some(4_999), None));
        assert_eq!((after.active_at(119_999), after.active_at(215_000)), (None, Some(5_000)));
        assert_eq!(Span::from(0).cut_at(5_000).1, None);
    }

    #[test]
    fn cuts_shorten_occurrences_but_not_their_age() {
        let span = Span { since_ms: 15_000, until_ms: 112_000, ..Span::between_s(10, 20).every_s(100) };
        let all: Vec<_> = span.occurrences(0, 1_000_000).collect();
        assert_eq!(all[0], Occurrence { began_ms: 10_000, from_ms: 15_000, to_ms: 20_000 });
        assert_eq!(all[1], Occurrence { began_ms: 110_000, from_ms: 110_000, to_ms: 112_000 });
        assert_eq!(all.len(), 2);
    }
}
