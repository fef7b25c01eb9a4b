//! How far what only grows on a server was read, and whether there is more of it. Owned by `context`; `run` lets it learn from each
//! answer. Of growths `context` keeps the books.

use super::batch::Sets;
use crate::{
    model::poll::{id::ProbeId, query_store::QueryStoreTable},
    tds::Param,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The files of `system_health`, in the server's log folder.
const FILES: &str = "system_health*.xel";
/// Longest path that the function takes, in characters.
const PATH_CHARS: usize = 260;
/// The newest reports are not asked for before the headline was heard so often: a fleet that starts has other things to do.
const FIRST: u8 = 3;
/// The file lags behind the counter: it is read again so often.
const AGAIN: u8 = 2;
/// Growths are asked for from so long before the newest one on, ms: one is written when it ends and has the time at which it began, and
/// an hour comes twice when summer ends.
const GROWTHS_BEFORE_MS: i64 = 2 * 3_600_000;

/// How far what only grows on a server was read: it outlives connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watermarks {
    /// the file of the deadlock reports, and the place in it, up to which they were read
    deadlocks: Option<(String, i64)>,
    /// the file that is written now
    newest: Option<String>,
    /// the database that a probe asked last, where it asks one after another
    pub turns: HashMap<ProbeId, i32>,
    /// what was read of Query Stores: an interval that is closed is read once
    pub query_store: Option<Arc<QueryStoreTable>>,
    /// databases whose newest interval was read with few queries, while nobody looked
    pub briefly: HashSet<i32>,
    /// since when growths of files are asked for, by the server's own clock, ms since 1970 by its zone
    pub growths: Option<i64>,
}

impl Watermarks {
    /// The parameters of `Takes::Deadlocks`: the files, and from where on. The first time it is the newest file alone, for some
    /// servers keep a GB of them.
    pub(super) fn params(&self) -> [Param<'_>; 3] {
        match (&self.deadlocks, &self.newest) {
            (Some((file, place)), _) => [Param::Text(FILES), Param::Text(file), Param::Int(*place)],
            (None, Some(newest)) => [Param::Text(newest), Param::Null, Param::Null],
            (None, None) => [Param::Text(FILES), Param::Null, Param::Null],
        }
    }

    /// Learns from an answer: which file is written, and what was read last.
    pub(super) fn note(&mut self, sets: &Sets) {
        if let Some(row) = sets.all("deadlock_source").next() {
            self.newest = row.raw_text("target_data").and_then(file_of);
        }
        let newest = sets.all("deadlocks").next();
        if let Some((file, place)) =
            newest.and_then(|row| row.raw_text("file_name").zip(row.count("file_offset")))
            && !file.is_empty()
            && file.chars().count() <= PATH_CHARS
        {
            self.deadlocks = Some((file.to_owned(), place));
        }
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
            if focused {
                self.briefly.remove(&store.database_id);
            } else if !is_same {
                self.briefly.insert(store.database_id);
            }
        }
        self.briefly.retain(|id| table.store(*id).is_some());
    }

    /// The next reading begins anew.
    pub(super) fn forget(&mut self) {
        self.deadlocks = None;
    }
}

/// The path in `<EventFileTarget …><File name="…"/></EventFileTarget>`.
fn file_of(target: &str) -> Option<String> {
    let rest = target.split_once("<File ")?.1.split_once("name=\"")?.1;
    let path = rest.split_once('"')?.0.replace("&apos;", "'").replace("&amp;", "&");
    (!path.is_empty() && path.chars().count() <= PATH_CHARS).then_some(path)
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
}

impl News {
    /// The headline was polled.
    pub const fn hear(&mut self, counter: Option<i64>) {
        self.heard = self.heard.saturating_add(1);
        if counter.is_some() {
            self.counter = counter;
        }
    }

    /// It is time to read. On the screen the first reading does not wait.
    pub const fn are_there(&self, focused: bool) -> bool {
        let at = match self.read {
            Read::Never => return self.heard >= if focused { 1 } else { FIRST },
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
    }

    /// Somebody wants to have them read.
    pub fn wanted(&mut self) {
        self.again = self.again.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    fn source(target: Cell) -> Sets {
        let columns = ["name", "target_name", "target_data"];
        sets(vec![set(
            "deadlock_source",
            &columns,
            vec![vec![text("system_health"), text("event_file"), target]],
        )])
    }

    fn read(file: Cell, place: Cell) -> Sets {
        sets(vec![set(
            "deadlocks",
            &["file_name", "file_offset", "report"],
            vec![vec![file, place, text("<e/>")]],
        )])
    }

    #[test]
    fn the_first_reading_is_of_the_newest_file_and_the_next_goes_on_behind_it() {
        let mut read_to = Watermarks::default();
        assert_eq!(read_to.params(), [Param::Text(FILES), Param::Null, Param::Null]);
        let xml = r#"<EventFileTarget truncated="0"><Buffers logged="3" dropped="0"/><File name="C:\A &amp; B\system_health_0_9.xel"/></EventFileTarget>"#;
        read_to.note(&source(text(xml)));
        assert_eq!(read_to.params()[..2], [Param::Text(r"C:\A & B\system_health_0_9.xel"), Param::Null]);
        read_to.note(&read(text("x_9.xel"), Cell::Int(4_096)));
        assert_eq!(read_to.params(), [Param::Text(FILES), Param::Text("x_9.xel"), Param::Int(4_096)]);
        read_to.note(&read(Cell::Null, Cell::Int(9)));
        read_to.note(&read(text(&"x".repeat(300)), Cell::Int(9)));
        read_to.note(&sets(Vec::new()));
        assert_eq!(read_to.params()[2], Param::Int(4_096), "what means nothing changes nothing");
        read_to.forget();
        assert_eq!(read_to.params()[2], Param::Null);
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
    fn a_target_that_names_no_file_is_read_by_pattern() {
        for target in
            [Cell::Null, text(""), text("<File name=\""), text("<File name=\"\"/>"), text("File name")]
        {
            let mut read_to = Watermarks::default();
            read_to.note(&source(target));
            assert_eq!(read_to.params()[0], Param::Text(FILES));
        }
    }

    #[test]
    fn deadlocks_are_read_when_the_counter_moved_and_twice_more_for_the_file_lags() {
        let mut news = News::default();
        assert!(!news.are_there(true), "nothing is known of the server");
        news.hear(Some(4));
        assert!(news.are_there(true) && !news.are_there(false), "a fleet that starts has other things to do");
        news.hear(Some(4));
        news.hear(Some(4));
        assert!(news.are_there(false));
        let readings = |news: &mut News| {
            let mut count = 0;
            while news.are_there(false) && count < 9 {
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
    fn a_server_without_deadlocks_or_without_a_counter_is_asked_once() {
        for counter in [Some(0), None] {
            let mut news = News::default();
            (0..5).for_each(|_| news.hear(counter));
            assert!(news.are_there(false));
            news.asked();
            assert!(!news.are_there(true), "{counter:?}");
        }
    }
}
