//! The parts of charts over longer times: which stretch of time, what is asked of history, what it answers, and the
//! events that are marked on the axis. Plain data; the screen asks and draws, history answers.

use crate::model::{
    base::{code::codes, time::Timestamp},
    inventory::instance::InstanceId,
    poll::id::SeriesKey,
    timeline::event::What,
};

const MIN_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MIN_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Lengths that a chart can have, ms, with their names.
pub const LENGTHS: [(i64, &str); 13] = [
    (MIN_MS, "1 min"),
    (5 * MIN_MS, "5 min"),
    (15 * MIN_MS, "15 min"),
    (HOUR_MS, "1 hour"),
    (3 * HOUR_MS, "3 hours"),
    (6 * HOUR_MS, "6 hours"),
    (12 * HOUR_MS, "12 hours"),
    (DAY_MS, "1 day"),
    (3 * DAY_MS, "3 days"),
    (7 * DAY_MS, "1 week"),
    (30 * DAY_MS, "30 days"),
    (90 * DAY_MS, "90 days"),
    (365 * DAY_MS, "1 year"),
];

/// The length of what is in memory: 15 min. See [`super::history::KEEP_MS`].
const IN_MEMORY: usize = 2;

/// Buckets that a chart asks for: about as many as a wide terminal has columns, so that a chart of any width can be drawn
/// from the same answer.
pub const POINTS: u32 = 240;

/// Which stretch of time a chart shows. It ends now, and moves with it, unless it was moved into the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// index into [`LENGTHS`]
    length: usize,
    /// where it ends; None: now
    end: Option<Timestamp>,
}

impl Default for Range {
    /// The last 15 minutes.
    fn default() -> Self {
        Self { length: IN_MEMORY, end: None }
    }
}

impl Range {
    /// The shortest range up to now that holds so much; at most what is in memory.
    pub fn holding(ms: i64) -> Self {
        let length = LENGTHS.iter().position(|(len, _)| *len >= ms).unwrap_or(IN_MEMORY);
        Self { length: length.min(IN_MEMORY), end: None }
    }

    /// Length, ms.
    pub fn length_ms(self) -> i64 {
        LENGTHS.get(self.length).map_or(15 * MIN_MS, |(ms, _)| *ms)
    }

    /// Length in words: `15 min`, `1 week`.
    pub fn name(self) -> &'static str {
        LENGTHS.get(self.length).map_or("15 min", |(_, name)| name)
    }

    /// The end of the stretch.
    pub fn end(self, now: Timestamp) -> Timestamp {
        self.end.unwrap_or(now)
    }

    /// It ends now and moves on.
    pub const fn follows(self) -> bool {
        self.end.is_none()
    }

    /// It can be drawn from what is in memory.
    pub const fn is_in_memory(self) -> bool {
        self.length <= IN_MEMORY && self.end.is_none()
    }

    /// The next longer or shorter length. The time under the cursor stays where it is, as far as now allows. False at
    /// either end of the lengths.
    pub fn zoom(&mut self, longer: bool, cursor: Option<Timestamp>, now: Timestamp) -> bool {
        let length = if longer { self.length + 1 } else { self.length.wrapping_sub(1) };
        if length >= LENGTHS.len() {
            return false;
        }
        let before_ms = self.length_ms();
        let end = self.end(now);
        self.length = length;
        if let Some(cursor) = cursor {
            let behind_ms = i128::from(end - cursor) * i128::from(self.length_ms()) / i128::from(before_ms);
            self.set_end(cursor.plus_ms(i64::try_from(behind_ms).unwrap_or(0)), now);
        }
        true
    }

    /// Moves it by a part of its length: `pan(-1, 2, now)` by half a length back. Never beyond now: there it follows again.
    pub fn pan(&mut self, numerator: i64, denominator: i64, now: Timestamp) {
        let by_ms = self.length_ms() * numerator / denominator.max(1);
        self.set_end(self.end(now).plus_ms(by_ms), now);
    }

    /// Moves it as little as needed so that this time is in it.
    pub fn show(&mut self, at: Timestamp, now: Timestamp) {
        let end = self.end(now);
        if at >= end {
            self.set_end(at, now);
        } else if end - at >= self.length_ms() {
            self.set_end(at.plus_ms(self.length_ms()), now);
        }
    }

    fn set_end(&mut self, end: Timestamp, now: Timestamp) {
        self.end = Some(end).filter(|end| *end < now);
    }

    /// It follows now again.
    pub const fn follow(&mut self) {
        self.end = None;
    }

    /// The question to history. The end is on a whole bucket, so that a chart that moves with time asks once a bucket.
    pub fn query(self, instance: InstanceId, series: Vec<SeriesKey>, now: Timestamp) -> ChartQuery {
        let bucket_ms = (self.length_ms() / i64::from(POINTS)).max(1);
        let end_ms = self.end(now).ms().div_euclid(bucket_ms).saturating_add(1).saturating_mul(bucket_ms);
        let to = Timestamp::from_ms(end_ms);
        ChartQuery { instance, series, from: to.plus_ms(-self.length_ms()), to, points: POINTS }
    }
}

/// Which earlier time a chart is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Earlier {
    /// with none
    #[default]
    None,
    /// the same range a day before
    Day,
    /// the same range a week before
    Week,
}

impl Earlier {
    /// The next choice.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::None => Self::Day,
            Self::Day => Self::Week,
            Self::Week => Self::None,
        }
    }

    /// How much earlier, ms; 0 without a comparison.
    pub const fn ms(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Day => DAY_MS,
            Self::Week => 7 * DAY_MS,
        }
    }

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "nothing earlier",
            Self::Day => "a day earlier",
            Self::Week => "a week earlier",
        }
    }
}

/// Asks for series of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChartQuery {
    /// whose
    pub instance: InstanceId,
    /// which; answered in this order
    pub series: Vec<SeriesKey>,
    /// first instant
    pub from: Timestamp,
    /// end, exclusive
    pub to: Timestamp,
    /// so many buckets or fewer; see [`POINTS`]
    pub points: u32,
}

impl ChartQuery {
    /// The same earlier.
    #[must_use]
    pub fn earlier(&self, ms: i64) -> Self {
        Self { from: self.from.plus_ms(-ms), to: self.to.plus_ms(-ms), ..self.clone() }
    }
}

/// Everything that was measured within a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// where it begins
    pub at: Timestamp,
    /// least value
    pub min: f32,
    /// mean value
    pub avg: f32,
    /// greatest value
    pub max: f32,
    /// values; 0: from here on nothing is known, until the next bucket
    pub n: u32,
}

/// One series of a chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChartLine {
    /// in the order of time, whole buckets of `bucket_ms`; where nothing was measured there is none
    pub buckets: Vec<Bucket>,
    /// length of a bucket, ms: what was asked for, or that of the roll-up that was to be had
    pub bucket_ms: i64,
    /// a value is good until the next one, for so long at most, ms; then there is a gap. At least `bucket_ms`, and two
    /// and a half intervals of the probe
    pub hold_ms: i64,
}

impl ChartLine {
    /// Least, mean and greatest value within `[from, to)`; None in a gap.
    pub fn over(&self, from: Timestamp, to: Timestamp) -> Option<Bucket> {
        if let Some(sum) = self.within(from, to) {
            return Some(sum);
        }
        // Nothing begins within: the one before may still hold, unless it is a gap that begins here.
        let (first, inside) = self.inside(from, to);
        let before = self.buckets.get(first.checked_sub(1)?).filter(|_| inside.is_empty())?;
        (before.n > 0 && from - before.at < self.hold_ms.max(self.bucket_ms)).then_some(*before)
    }

    /// The same of what was measured within, and nothing before it.
    pub fn within(&self, from: Timestamp, to: Timestamp) -> Option<Bucket> {
        let mut sum: Option<Bucket> = None;
        let mut weighted = 0.0_f64;
        for b in self.inside(from, to).1.iter().filter(|b| b.n > 0) {
            weighted += f64::from(b.avg) * f64::from(b.n);
            let s = sum.get_or_insert(Bucket { n: 0, ..*b });
            s.min = s.min.min(b.min);
            s.max = s.max.max(b.max);
            s.n = s.n.saturating_add(b.n);
        }
        if let Some(s) = &mut sum {
            s.avg = (weighted / f64::from(s.n)) as f32;
        }
        sum
    }

    /// The place of the first bucket that begins within, and all of them.
    fn inside(&self, from: Timestamp, to: Timestamp) -> (usize, &[Bucket]) {
        let first = self.buckets.partition_point(|b| b.at < from);
        let end = self.buckets.partition_point(|b| b.at < to);
        (first, self.buckets.get(first..end).unwrap_or(&[]))
    }
}

/// The answer to a [`ChartQuery`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChartData {
    /// one for each series that was asked for, in that order; without buckets where nothing is kept
    pub lines: Vec<ChartLine>,
    /// which tier the figures come from, in words: `as measured`, `min, avg, max of 5 min`
    pub tier: &'static str,
}

/// The kind of event that is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MarkKind {
    /// an episode of blocking
    Blocking,
    /// one or more deadlocks
    Deadlock,
    /// health changed
    Health,
    /// the connection was lost or came back
    Connection,
    /// a configuration value, a version or a right changed
    Configuration,
    /// a query has another plan
    Plan,
    /// a database file grew by itself
    Growth,
    /// the collector did not run
    Gap,
    /// kept by the flight recorder
    Incident,
    /// set by the user, with a note
    Bookmark,
}

impl MarkKind {
    /// All, the worst first.
    pub const ALL: [Self; 10] = [
        Self::Blocking,
        Self::Deadlock,
        Self::Health,
        Self::Connection,
        Self::Configuration,
        Self::Plan,
        Self::Growth,
        Self::Gap,
        Self::Incident,
        Self::Bookmark,
    ];

    /// In one character, for axes: a letter, so that no font and no theme matters.
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Blocking => "B",
            Self::Deadlock => "D",
            Self::Health => "H",
            Self::Connection => "L",
            Self::Configuration => "C",
            Self::Plan => "P",
            Self::Growth => "F",
            Self::Gap => "G",
            Self::Incident => "I",
            Self::Bookmark => "★",
        }
    }

    /// In a word or two.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Deadlock => "deadlock",
            Self::Health => "health",
            Self::Connection => "link",
            Self::Configuration => "configuration",
            Self::Plan => "plan",
            Self::Growth => "file growth",
            Self::Gap => "no collector",
            Self::Incident => "incident",
            Self::Bookmark => "bookmark",
        }
    }
}

// Statements and an index of `store::history` name some of these as literals.
codes!(MarkKind as u8 {
    0 => Blocking,
    1 => Deadlock,
    2 => Health,
    3 => Connection,
    4 => Configuration,
    5 => Gap,
    6 => Incident,
    7 => Bookmark,
    8 => Plan,
    9 => Growth,
});

/// An incident is kept from so long before its trigger, ms. Not shorter than the flight recorder's minutes.
pub const INCIDENT_BEFORE_MS: i64 = 10 * MIN_MS;

impl Mark {
    /// The instant that it is about: of an incident what triggered it, not the beginning of what is kept.
    pub fn about(&self) -> Timestamp {
        match self.kind {
            MarkKind::Incident => {
                let trigger = self.at.plus_ms(INCIDENT_BEFORE_MS);
                self.to.map_or(trigger, |to| trigger.min(to))
            }
            _ => self.at,
        }
    }
}

/// An event on the time line.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// when it began
    pub at: Timestamp,
    /// when it ended; None: it has no length, or it is not over
    pub to: Option<Timestamp>,
    /// what kind
    pub kind: MarkKind,
    /// on which instance; None: on all
    pub instance: Option<InstanceId>,
    /// what happened
    pub what: What,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{base::code::released, poll::id::SeriesId};

    const NOW: Timestamp = Timestamp::from_ms(1_795_181_400_000);

    #[test]
    fn a_kind_of_event_keeps_its_number() {
        for (code, name) in released("event") {
            let kind = MarkKind::from_code(code as u8).unwrap();
            assert_eq!((format!("{kind:?}").as_str(), u16::from(kind.code())), (name, code));
        }
    }

    fn bucket(at_s: i64, min: f32, avg: f32, max: f32, n: u32) -> Bucket {
        Bucket { at: Timestamp::from_ms(at_s * 1000), min, avg, max, n }
    }

    fn over(line: &ChartLine, from_s: i64, to_s: i64) -> Option<(f32, f32, f32)> {
        let b = line.over(Timestamp::from_ms(from_s * 1000), Timestamp::from_ms(to_s * 1000))?;
        Some((b.min, b.avg, b.max))
    }

    #[test]
    fn a_range_zooms_from_a_minute_to_a_year() {
        let mut range = Range::holding(0);
        let mut names = vec![range.name()];
        while range.zoom(true, None, NOW) {
            names.push(range.name());
        }
        assert_eq!((names.first(), names.last(), names.len()), (Some(&"1 min"), Some(&"1 year"), 13));
        assert!(range.follows(), "zooming alone does not leave the present");
        assert_eq!(Range::holding(i64::MAX).name(), "15 min");
    }

    #[test]
    fn zooming_keeps_the_cursor_in_its_place() {
        let mut range = Range::default();
        range.zoom(true, None, NOW);
        // A quarter of an hour before the end of an hour; then of three hours.
        let cursor = NOW.plus_ms(-15 * MIN_MS);
        range.zoom(true, Some(cursor), NOW);
        assert!(range.follows(), "45 minutes after the cursor would be the future");
        range.zoom(false, Some(cursor), NOW);
        assert_eq!(range.end(NOW), cursor.plus_ms(5 * MIN_MS));
        assert!(!range.follows() && !range.is_in_memory());
    }

    #[test]
    fn panning_leaves_the_present_and_comes_back() {
        let mut range = Range::default();
        assert!(range.is_in_memory());
        range.pan(-1, 2, NOW);
        assert_eq!(range.end(NOW), NOW.plus_ms(-450_000));
        assert!(!range.is_in_memory());
        range.pan(1, 1, NOW);
        assert!(range.follows());
        range.show(NOW.plus_ms(-HOUR_MS), NOW);
        assert_eq!(range.end(NOW), NOW.plus_ms(-45 * MIN_MS));
        range.show(NOW.plus_ms(-45 * MIN_MS), NOW);
        assert_eq!(range.end(NOW), NOW.plus_ms(-45 * MIN_MS));
    }

    #[test]
    fn a_moving_chart_asks_once_a_bucket() {
        let mut range = Range::default();
        range.zoom(true, None, NOW);
        let ask =
            |ms: i64| range.query(InstanceId::new("a"), vec![SeriesKey::of(SeriesId::Cpu)], NOW.plus_ms(ms));
        assert_eq!(ask(0), ask(14_999));
        assert_ne!(ask(0), ask(15_000));
        assert_eq!(ask(0).to - ask(0).from, HOUR_MS);
        assert!(ask(0).to > NOW, "the bucket that now lies in is asked for");
        assert_eq!(ask(0).earlier(DAY_MS).to, ask(0).to.plus_ms(-DAY_MS));
    }

    #[test]
    fn columns_take_least_mean_and_greatest_of_their_buckets() {
        let line = ChartLine {
            buckets: vec![
                bucket(0, 1.0, 2.0, 3.0, 1),
                bucket(10, 0.0, 6.0, 9.0, 3),
                bucket(20, 4.0, 4.0, 4.0, 1),
            ],
            bucket_ms: 10_000,
            hold_ms: 10_000,
        };
        assert_eq!(over(&line, 0, 20), Some((0.0, 5.0, 9.0)));
        assert_eq!(over(&line, 20, 30), Some((4.0, 4.0, 4.0)));
        assert_eq!(over(&line, 12, 14), Some((0.0, 6.0, 9.0)), "a column within a bucket shows that bucket");
        assert_eq!(over(&line, 30, 40), None);
        assert_eq!(over(&line, -10, 0), None);
    }

    #[test]
    fn a_slow_probe_has_no_gaps_between_its_values_and_a_lost_one_has() {
        let slow = ChartLine {
            buckets: vec![
                bucket(0, 1.0, 1.0, 1.0, 1),
                bucket(300, 2.0, 2.0, 2.0, 1),
                bucket(600, 0.0, 0.0, 0.0, 0),
            ],
            bucket_ms: 15_000,
            hold_ms: 750_000,
        };
        assert_eq!(over(&slow, 120, 135), Some((1.0, 1.0, 1.0)));
        assert_eq!(over(&slow, 585, 600), Some((2.0, 2.0, 2.0)));
        assert_eq!(over(&slow, 600, 615), None, "the store said that from here nothing is known");
        assert_eq!(over(&slow, 700, 715), None);
    }
}
