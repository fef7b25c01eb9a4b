//! How far what only grows on a server was read, and whether there is more of it. Owned by `context`; `run` lets it learn from each
//! answer. Of growths that the default trace told `context` keeps the books.

use super::{
    batch::Sets,
    recorded::{PATH_CHARS, Recording},
    script::Event,
};
use crate::{
    model::{
        base::time::Timestamp,
        poll::{id::ProbeId, query_store::QueryStoreTable},
    },
    tds::Param,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The newest reports are not asked for before the headline was heard so often, where nothing says that there are any: a fleet that
/// starts has other things to do.
const FIRST: u8 = 3;
/// The file lags behind the counter: it is read again so often.
const AGAIN: u8 = 2;
/// Growths are asked for from so long before the newest one on, ms: one is written when it ends and has the time at which it began, and
/// an hour comes twice when summer ends.
const GROWTHS_BEFORE_MS: i64 = 2 * 3_600_000;
/// After a reading that failed, and after each further one twice as long, up to the longest, ms.
const FIRST_WAIT_MS: i64 = 30_000;
const LONGEST_WAIT_MS: i64 = 900_000;
/// Where a right or an object was missing, ms: that takes somebody who gives it.
const REFUSED_WAIT_MS: i64 = 3_600_000;

/// How far what only grows on a server was read: it outlives connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermarks {
    /// reports of deadlocks
    deadlocks: Recording,
    /// growths of files that a session of Extended Events told
    grown: Recording,
    /// the database that a probe asked last, where it asks one after another
    pub turns: HashMap<ProbeId, i32>,
    /// what was read of Query Stores: an interval that is closed is read once
    pub query_store: Option<Arc<QueryStoreTable>>,
    /// databases whose newest interval was read with few queries, while nobody looked
    pub briefly: HashSet<i32>,
    /// since when growths of files are asked for, by the server's own clock, ms since 1970 by its zone
    pub growths: Option<i64>,
    /// the file of the default trace that was written when growths were read last
    trace: Option<String>,
}

impl Default for Watermarks {
    fn default() -> Self {
        Self {
            deadlocks: Recording::of(Event::Deadlock),
            grown: Recording::of(Event::Growth),
            turns: HashMap::new(),
            query_store: None,
            briefly: HashSet::new(),
            growths: None,
            trace: None,
        }
    }
}

impl Watermarks {
    /// Where events of a kind are read, and how far they were.
    pub(super) const fn recording(&self, event: Event) -> &Recording {
        match event {
            Event::Deadlock => &self.deadlocks,
            Event::Growth => &self.grown,
        }
    }

    /// The same, to be changed.
    pub(super) const fn recording_mut(&mut self, event: Event) -> &mut Recording {
        match event {
            Event::Deadlock => &mut self.deadlocks,
            Event::Growth => &mut self.grown,
        }
    }

    /// The parameters of `Takes::GrowthsSince`: since when, and the file that was read last.
    pub(super) fn of_growths(&self) -> [Param<'_>; 2] {
        let since = self.growths.map_or(Param::Null, Param::Int);
        [since, self.trace.as_deref().map_or(Param::Null, Param::Text)]
    }

    /// Learns from an answer: which session and which trace is read, and what was read last. `only_urls`: files of the
    /// server itself are out of reach.
    pub(super) fn note(&mut self, sets: &Sets, only_urls: bool, now: Timestamp) {
        if sets.has("growths") {
            let trace = sets.all("growth_trace").next();
            let path = trace.and_then(|row| row.raw_text("trace_path"));
            let is_path = |path: &&str| !path.is_empty() && path.chars().count() <= PATH_CHARS;
            self.trace = path.filter(is_path).map(str::to_owned);
        }
        self.deadlocks.note(sets, only_urls);
        self.grown.forgive(now);
        self.grown.note(sets, only_urls);
    }

    /// Growths were read, the newest of them at this time of the server's clock, which shows `now`: one that went back goes on from there.
    pub(super) fn note_growths(&mut self, newest: Option<i64>, now: Option<i64>) {
        let before = |ms: i64| ms.saturating_sub(GROWTHS_BEFORE_MS);
        let from = newest.map(before).max(self.growths);
        self.growths = from.map(|from| now.map_or(from, |now| from.min(before(now))));
    }

    /// Learns what was read of Query Stores, on the screen or off it; `failed` tells the databases that could not be asked.
    pub(super) fn note_stores(
        &mut self,
        table: &Arc<QueryStoreTable>,
        focused: bool,
        failed: impl Fn(i32) -> bool,
    ) {
        let before = self.query_store.replace(Arc::clone(table));
        for store in table.stores.iter().filter(|store| !failed(store.database_id)) {
            let read = before.as_ref().and_then(|before| before.store(store.database_id));
            let is_same =
                read.is_some_and(|read| (read.interval_id, read.to) == (store.interval_id, store.to));
            let told = |of: &QueryStoreTable| {
                of.queries.iter().filter(|query| query.database_id == store.database_id).count()
            };
            let lost_some = || before.as_ref().is_some_and(|before| told(before) > told(table));
            if focused {
                self.briefly.remove(&store.database_id);
            } else if !is_same || lost_some() {
                self.briefly.insert(store.database_id);
            }
        }
        self.briefly.retain(|id| table.store(*id).is_some());
    }
}

/// How a reading over the on-demand lane ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// it told
    Told,
    /// a right or an object is missing
    Refused,
    /// it failed
    Failed,
}

/// How long the next reading waits after so many that failed one after another, ms.
pub fn wait_ms(failures: u32) -> i64 {
    let doublings = failures.saturating_sub(1).min(10);
    FIRST_WAIT_MS.saturating_mul(1 << doublings).min(LONGEST_WAIT_MS)
}

/// When deadlocks were read last.
#[derive(Debug, Clone, Copy, Default)]
enum Read {
    /// not yet
    #[default]
    Never,
    /// when the counter was this, if the server told it
    At(Option<i64>),
}

/// Whether there are deadlocks that nobody has read, by the server's counter of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct News {
    /// polls of the headline
    heard: u8,
    /// the counter; None: the server does not tell it
    counter: Option<i64>,
    /// when they were read last
    read: Read,
    /// they are read so often still
    again: u8,
    /// readings that failed, one after another
    failures: u32,
    /// since when the next one waits, and how long, ms
    waits: Option<(Timestamp, i64)>,
}

impl News {
    /// The headline was polled.
    pub const fn hear(&mut self, counter: Option<i64>) {
        self.heard = self.heard.saturating_add(1);
        if counter.is_some() {
            self.counter = counter;
        }
    }

    /// It is time to read. On the screen, and where the counter says that there are some, the first reading does not wait.
    pub fn are_there(&self, focused: bool, now: Timestamp) -> bool {
        if let Some((since, ms)) = self.waits {
            // A clock that was set back is no reason to wait longer.
            return !(0..ms).contains(&(now - since));
        }
        let at = match self.read {
            Read::Never => {
                let is_wanted = focused || self.counter.is_some_and(|count| count > 0);
                return self.heard >= if is_wanted { 1 } else { FIRST };
            }
            Read::At(at) => at,
        };
        let is_same = match (at, self.counter) {
            (Some(at), Some(now)) => at == now,
            (at, now) => at.is_none() && now.is_none(),
        };
        !is_same || self.again > 0
    }

    /// They are being read.
    pub fn asked(&mut self) {
        self.again = match self.read {
            Read::At(at) if at == self.counter => self.again.saturating_sub(1),
            Read::At(_) => AGAIN,
            // Nothing is on its way to the file of a server that had none.
            Read::Never => u8::from(self.counter.is_some_and(|count| count > 0)),
        };
        self.read = Read::At(self.counter);
        self.waits = None;
    }

    /// A reading ended. One that told nothing is made again.
    pub fn ended(&mut self, how: Heard, now: Timestamp) {
        self.failures = if how == Heard::Failed { self.failures.saturating_add(1) } else { 0 };
        self.waits = match how {
            Heard::Told => None,
            Heard::Refused => Some((now, REFUSED_WAIT_MS)),
            Heard::Failed => Some((now, wait_ms(self.failures))),
        };
    }

    /// Readings that failed, one after another.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Somebody wants to have them read.
    pub fn wanted(&mut self) {
        self.again = self.again.max(1);
        self.waits = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::fixture::{set, sets, text};

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn noted(read_to: &mut Watermarks, sets: &Sets) {
        read_to.note(sets, false, NOW);
    }

    #[test]
    fn growths_are_asked_for_from_before_the_newest_on_for_a_long_one_is_told_late() {
        let mut read_to = Watermarks::default();
        read_to.note_growths(None, Some(100 * GROWTHS_BEFORE_MS));
        assert_eq!(read_to.growths, None, "nothing was told: all that there is");
        read_to.note_growths(Some(50 * GROWTHS_BEFORE_MS), Some(51 * GROWTHS_BEFORE_MS));
        assert_eq!(read_to.growths, Some(49 * GROWTHS_BEFORE_MS));
        read_to.note_growths(Some(40 * GROWTHS_BEFORE_MS), None);
        read_to.note_growths(None, Some(52 * GROWTHS_BEFORE_MS));
        assert_eq!(read_to.growths, Some(49 * GROWTHS_BEFORE_MS));
        // The server's clock had been a day ahead.
        read_to.note_growths(None, Some(20 * GROWTHS_BEFORE_MS));
        assert_eq!(read_to.growths, Some(19 * GROWTHS_BEFORE_MS));
    }

    #[test]
    fn the_file_of_the_trace_is_known_when_it_was_read() {
        let trace = |path: &str| set("growth_trace", &["trace_path"], vec![vec![text(path)]]);
        let growths = || set("growths", &["start_time"], Vec::new());
        let mut read_to = Watermarks::default();
        noted(&mut read_to, &sets(vec![trace("C:\\log_7.trc")]));
        assert_eq!(read_to.of_growths(), [Param::Null, Param::Null], "the second statement failed");
        noted(&mut read_to, &sets(vec![trace("C:\\log_7.trc"), growths()]));
        assert_eq!(read_to.of_growths(), [Param::Null, Param::Text("C:\\log_7.trc")], "nothing grew");
        noted(&mut read_to, &sets(Vec::new()));
        assert_eq!(read_to.of_growths()[1], Param::Text("C:\\log_7.trc"), "another probe was asked");
        noted(&mut read_to, &sets(vec![trace(&"x".repeat(300)), growths()]));
        assert_eq!(read_to.of_growths()[1], Param::Null, "no path of a trace");
    }

    #[test]
    fn deadlocks_are_read_when_the_counter_moved_and_twice_more_for_the_file_lags() {
        let mut news = News::default();
        assert!(!news.are_there(true, NOW), "nothing is known of the server");
        news.hear(Some(4));
        assert!(news.are_there(false, NOW), "there are some");
        let readings = |news: &mut News| {
            let mut count = 0;
            while news.are_there(false, NOW) && count < 9 {
                news.asked();
                count += 1;
            }
            count
        };
        assert_eq!(readings(&mut news), 2, "at first, and once more: the last one may be on its way");
        news.hear(Some(4));
        assert_eq!(readings(&mut news), 0);
        news.hear(Some(5));
        assert_eq!(readings(&mut news), 3);
        news.hear(None);
        assert_eq!(readings(&mut news), 0, "a poll without the counter is no news");
        news.hear(Some(1));
        assert_eq!(readings(&mut news), 3, "the server was restarted");
        news.wanted();
        assert_eq!(readings(&mut news), 1);
    }

    #[test]
    fn a_server_without_deadlocks_or_without_a_counter_is_asked_once_and_not_first() {
        for counter in [Some(0), None] {
            let mut news = News::default();
            news.hear(counter);
            assert!(news.are_there(true, NOW) && !news.are_there(false, NOW), "a fleet starts");
            (0..5).for_each(|_| news.hear(counter));
            assert!(news.are_there(false, NOW));
            news.asked();
            assert!(!news.are_there(true, NOW), "{counter:?}");
        }
    }

    #[test]
    fn a_reading_that_failed_is_made_again_after_a_while_that_doubles() {
        let mut news = News::default();
        news.hear(Some(4));
        let mut at = NOW;
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(news.are_there(true, at));
            news.asked();
            news.ended(Heard::Failed, at);
            // A counter that moves is no reason to ask a server that fails more often.
            news.hear(Some(5));
            let wait = wait_ms(news.failures());
            assert!(!news.are_there(true, at.plus_ms(wait - 1)), "{wait}");
            at = at.plus_ms(wait);
            waits.push(wait / 1_000);
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
        assert!(news.are_there(true, NOW.plus_ms(-99)), "the clock was set back");
        news.asked();
        news.ended(Heard::Refused, at);
        assert!(!news.are_there(true, at.plus_ms(LONGEST_WAIT_MS)), "somebody has to give the right");
        news.wanted();
        assert!(news.are_there(true, at), "somebody asks");
        news.asked();
        news.ended(Heard::Told, at);
        assert_eq!(news.failures(), 0);
        assert!(wait_ms(0) == FIRST_WAIT_MS && wait_ms(u32::MAX) == LONGEST_WAIT_MS);
    }
}
