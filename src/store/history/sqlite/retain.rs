//! Deletes rows that are too old, tier by tier, and the oldest rows of a file that is too large. In small transactions, so
//! no commit waits long. Free pages return to the file system in small steps.
//!
//! States and points within an incident of their instance stay as long as the incident itself, `events_days`. The cap
//! deletes them when no others are left. The age of an event counts from its end: one that goes on is never deleted, and written
//! again if its row is gone.

use super::{engine::Engine, failure::Trouble};
use crate::store::history::{
    api::{Cleaned, Options},
    codec::rollup::Tier,
};
use crate::{model::base::time::Timestamp, store::StoreError};
use rusqlite::{Connection, TransactionBehavior, params};
use std::{
    collections::HashSet,
    fmt::Write as _,
    time::{Duration, Instant},
};

const DAY_MS: i64 = 86_400_000;
/// Rows that one transaction deletes.
const ROWS: i64 = 500;
/// How often old rows are looked for, ms. One day more or less does not matter.
const EVERY_MS: i64 = 60_000;
/// Pages given back at once.
const PAGES: i64 = 256;
/// Free pages that are kept for the next rows: one of so many.
const SPARE: i64 = 20;
/// The file is kept below so many percent of its cap, so that the next sealing has room.
const FULL_PCT: u64 = 95;

/// The rows that an incident keeps.
#[derive(Clone, Copy)]
enum Detail {
    States,
    Points,
}

impl Detail {
    const fn table(self) -> &'static str {
        match self {
            Self::States => "state",
            Self::Points => "chunk",
        }
    }

    /// The oldest ?3 rows that end from ?1 on and before ?2 and lie within no incident.
    fn loose(self) -> String {
        format!(
            "SELECT no FROM {0} AS it WHERE end >= ?1 AND end < ?2 AND NOT EXISTS(SELECT 1 FROM event WHERE kind = 6
                AND event.instance = it.instance AND event.start <= it.end AND event.end >= it.start)
                ORDER BY end LIMIT ?3",
            self.table()
        )
    }
}

impl Engine {
    /// Deletes old and surplus rows, for about `budget` at most. `now` is the time by which ages are judged
    /// ([`Engine::judge`]), never the wall clock alone.
    ///
    /// # Errors
    /// As [`Engine::commit`].
    pub fn clean_up(&mut self, now: Timestamp, budget: Duration) -> Result<Cleaned, StoreError> {
        self.clean(now.ms(), budget).map_err(Trouble::at("cleaning up the history", &self.path))
    }

    fn clean(&mut self, now: i64, budget: Duration) -> Result<Cleaned, Trouble> {
        let started = Instant::now();
        let mut done = Cleaned::default();
        while self.is_too_large()? {
            let evicted = self.evict()?;
            done.evicted += evicted;
            done.more = evicted > 0 && started.elapsed() > budget;
            if evicted == 0 || done.more {
                break;
            }
        }
        if (now - self.cleaning.looked_at).abs() >= EVERY_MS {
            if (now - self.cleaning.spared_at).abs() >= DAY_MS {
                // Once a day finds the rows of incidents that were deleted meanwhile.
                (self.cleaning.spared, self.cleaning.spared_at) = ([i64::MIN; 2], now);
            }
            self.delete_old(now, (started, budget), &mut done)?;
            if done.more {
                return Ok(done);
            }
            self.restore_open()?;
            self.cleaning.looked_at = now;
        }
        self.give_back(started, budget)?;
        Ok(done)
    }

    /// Deletes what is too old, until the budget runs out.
    fn delete_old(
        &mut self,
        now: i64,
        (started, budget): (Instant, Duration),
        done: &mut Cleaned,
    ) -> Result<(), Trouble> {
        let before = |days: u32| now.saturating_sub(i64::from(days) * DAY_MS);
        let (events, states) = (before(self.options.events_days), before(self.options.state_days));
        let (points, open) = (before(self.options.raw_days), self.open_events());
        let mut repeat = |step: &mut dyn FnMut() -> Result<u64, Trouble>| -> Result<(), Trouble> {
            let mut deleted = ROWS as u64;
            while deleted >= ROWS as u64 && !done.more {
                done.more = started.elapsed() > budget;
                deleted = if done.more { 0 } else { step()? };
                done.old += deleted;
            }
            Ok(())
        };
        // Events first: a deleted incident frees its rows.
        repeat(&mut || self.delete_events(events, &open))?;
        for (sql, before) in due(&self.options, now) {
            repeat(&mut || self.delete(sql, before))?;
        }
        for (detail, before) in [(Detail::States, states), (Detail::Points, points)] {
            repeat(&mut || self.delete_loose(detail, before))?;
        }
        Ok(())
    }

    /// The numbers of the events that go on, as JSON.
    fn open_events(&self) -> String {
        let mut numbers = String::from("[");
        for event in self.tracker.open() {
            let comma = if numbers.len() > 1 { "," } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(numbers, "{comma}{}", event.no);
        }
        numbers.push(']');
        numbers
    }

    fn delete_events(&mut self, before: i64, open: &str) -> Result<u64, Trouble> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let deleted = transaction.prepare_cached(OLD_EVENTS)?.execute(params![before, ROWS, open])?;
        transaction.commit()?;
        Ok(deleted as u64)
    }

    /// Writes events that go on, and whose row is gone, again with the next commit: by hand, by damage, or by a dbtop that deleted
    /// them by their beginning.
    fn restore_open(&mut self) -> Result<(), Trouble> {
        let waiting: HashSet<i64> = self.events.iter().map(|event| event.no).collect();
        let mut row = self.connection.prepare_cached("SELECT 1 FROM event WHERE no = ?1")?;
        let mut gone = Vec::new();
        for event in self.tracker.open().filter(|event| !waiting.contains(&event.no)) {
            if !row.exists([event.no])? {
                gone.push(event.clone());
            }
        }
        drop(row);
        self.events.extend(gone);
        Ok(())
    }

    fn delete(&mut self, sql: &str, before: i64) -> Result<u64, Trouble> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let deleted = transaction.prepare_cached(sql)?.execute(params![before, ROWS])?;
        transaction.commit()?;
        Ok(deleted as u64)
    }

    fn is_too_large(&self) -> Result<bool, Trouble> {
        let (pages, free, page) = pages(&self.connection)?;
        let used = (pages - free).max(0) as u64 * page as u64;
        Ok(used > self.options.max_bytes / 100 * FULL_PCT)
    }

    /// Deletes the oldest rows that end before `before` and lie within no incident. When it finds no more, it remembers up
    /// to where all rows stay.
    fn delete_loose(&mut self, detail: Detail, before: i64) -> Result<u64, Trouble> {
        let from = self.cleaning.spared[detail as usize];
        let sql = format!("DELETE FROM {} WHERE no IN ({})", detail.table(), detail.loose());
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let deleted = transaction.prepare_cached(&sql)?.execute(params![from, before, ROWS])?;
        transaction.commit()?;
        if deleted < ROWS as usize {
            self.cleaning.spared[detail as usize] = from.max(before);
        }
        Ok(deleted as u64)
    }

    /// The end of the oldest row that lies within no incident.
    fn oldest_loose(&self, detail: Detail) -> Result<Option<i64>, Trouble> {
        let sql = format!("SELECT min(end) FROM {} WHERE no IN ({})", detail.table(), detail.loose());
        let from = self.cleaning.spared[detail as usize];
        Ok(self.connection.prepare_cached(&sql)?.query_row(params![from, i64::MAX, 1], |row| row.get(0))?)
    }

    /// Deletes the oldest states, points or buffered rows, whichever reach further back. When no states and points are left,
    /// those within incidents; then the oldest roll-ups, then buffered rows.
    fn evict(&mut self) -> Result<u64, Trouble> {
        let (states, points) = (self.oldest_loose(Detail::States)?, self.oldest_loose(Detail::Points)?);
        let oldest = match (states, points) {
            (Some(state), Some(point)) if point < state => Some((Detail::Points, point)),
            (Some(state), _) => Some((Detail::States, state)),
            (None, Some(point)) => Some((Detail::Points, point)),
            (None, None) => None,
        };
        let buffered = self.oldest_buffered()?;
        match (oldest, buffered) {
            (Some((_, sealed)), Some(buffered)) if buffered < sealed => self.evict_buffered(buffered),
            (Some((detail, sealed)), _) => {
                // An hour of the fleet at once.
                let until = sealed.saturating_add(3_600_000);
                let deleted = self.delete_loose(detail, until)?;
                self.cleaning.evicted_until = self.cleaning.evicted_until.max(until);
                Ok(deleted)
            }
            (None, buffered) => match (self.evict_kept()?, buffered) {
                (0, Some(buffered)) => self.evict_buffered(buffered),
                (deleted, _) => Ok(deleted),
            },
        }
    }

    fn evict_kept(&mut self) -> Result<u64, Trouble> {
        match self.delete(OLDEST_STATES, i64::MAX)? + self.delete(OLDEST_CHUNKS, i64::MAX)? {
            0 => self.delete(OLDEST_ROLLUPS, i64::MAX),
            deleted => Ok(deleted),
        }
    }

    fn oldest_buffered(&self) -> Result<Option<i64>, Trouble> {
        Ok(self.connection.prepare_cached("SELECT min(at) FROM hot")?.query_row([], |row| row.get(0))?)
    }

    /// Deletes the oldest rows that are not sealed: of runs that were too short for it. `oldest` is the time of the first.
    fn evict_buffered(&mut self, oldest: i64) -> Result<u64, Trouble> {
        let deleted = self.delete(OLDEST_BUFFERED, i64::MAX)?;
        self.cleaning.evicted_until = self.cleaning.evicted_until.max(oldest);
        Ok(deleted)
    }

    /// Returns free pages to the file system, but keeps some for the next sealing.
    fn give_back(&self, started: Instant, budget: Duration) -> Result<(), Trouble> {
        loop {
            let (pages, free, _) = pages(&self.connection)?;
            if free <= pages / SPARE + PAGES || started.elapsed() > budget {
                return Ok(());
            }
            let mut vacuum = self.connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
            let mut rows = vacuum.query([])?;
            while rows.next()?.is_some() {}
        }
    }

    /// The cap deleted everything before this, ms since 1970; 0: nothing.
    pub fn evicted_until_ms(&self) -> i64 {
        self.cleaning.evicted_until
    }

    /// The file and its log, bytes.
    pub fn size_bytes(&self) -> u64 {
        let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        size(&self.path) + size(log.as_ref())
    }
}

/// Those that ended before ?1, and those without an end that no writer goes on with; never those in ?3.
const OLD_EVENTS: &str =
    "DELETE FROM event WHERE no IN (SELECT no FROM event WHERE start < ?1 AND coalesce(end, start) < ?1
    AND no NOT IN (SELECT value FROM json_each(?3)) ORDER BY start LIMIT ?2)";
const OLDEST_BUFFERED: &str =
    "DELETE FROM hot WHERE no IN (SELECT no FROM hot WHERE at < ?1 ORDER BY at LIMIT ?2)";
const OLDEST_STATES: &str =
    "DELETE FROM state WHERE no IN (SELECT no FROM state WHERE end < ?1 ORDER BY end LIMIT ?2)";
const OLDEST_CHUNKS: &str =
    "DELETE FROM chunk WHERE no IN (SELECT no FROM chunk WHERE end < ?1 ORDER BY end LIMIT ?2)";
const OLDEST_ROLLUPS: &str =
    "DELETE FROM rollup WHERE no IN (SELECT no FROM rollup WHERE start < ?1 ORDER BY tier, start LIMIT ?2)";

/// The other rows that age deletes: the statement, and the time before which they are too old.
fn due(options: &Options, now: i64) -> [(&'static str, i64); 4] {
    let before = |days: u32| now.saturating_sub(i64::from(days) * DAY_MS);
    // Roll-ups count seconds. A row of them is deleted when its last bucket is too old.
    let rollups = |days: u32, tier: Tier| before(days) / 1000 - tier.row_s();
    // A text is needed as long as a state or an event may refer to it.
    let texts = before(options.state_days.max(options.events_days).saturating_add(1)).div_euclid(DAY_MS);
    [
        (ROLLUPS_FIVE_MINUTES, rollups(options.five_min_days, Tier::FiveMinutes)),
        (ROLLUPS_HOUR, rollups(options.hour_days, Tier::Hour)),
        (ROLLUPS_DAY, rollups(options.day_days, Tier::Day)),
        ("DELETE FROM text WHERE id IN (SELECT id FROM text WHERE seen < ?1 LIMIT ?2)", texts),
    ]
}

const ROLLUPS_FIVE_MINUTES: &str =
    "DELETE FROM rollup WHERE no IN (SELECT no FROM rollup WHERE tier = 1 AND start < ?1 LIMIT ?2)";
const ROLLUPS_HOUR: &str =
    "DELETE FROM rollup WHERE no IN (SELECT no FROM rollup WHERE tier = 2 AND start < ?1 LIMIT ?2)";
const ROLLUPS_DAY: &str =
    "DELETE FROM rollup WHERE no IN (SELECT no FROM rollup WHERE tier = 3 AND start < ?1 LIMIT ?2)";

/// The number of pages, of free pages, and the bytes of one page.
pub(super) fn pages(connection: &Connection) -> Result<(i64, i64, i64), rusqlite::Error> {
    let one = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
    Ok((one("page_count")?, one("freelist_count")?, one("page_size")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of rows of the roll-ups (tier, start) and of texts (day on which each was seen last), of a real file.
    fn left(options: &Options, now: i64, rollups: &[(Tier, i64)], texts: &[i64]) -> (Vec<i64>, Vec<i64>) {
        let to = Connection::open_in_memory().unwrap();
        to.execute_batch(
            "CREATE TABLE rollup(no INTEGER PRIMARY KEY, tier, start); CREATE TABLE text(id, seen);",
        )
        .unwrap();
        for (tier, start) in rollups {
            to.execute("INSERT INTO rollup(tier, start) VALUES (?1, ?2)", params![tier.code(), start])
                .unwrap();
        }
        for (id, seen) in texts.iter().enumerate() {
            to.execute("INSERT INTO text VALUES (?1, ?2)", params![id as i64, seen]).unwrap();
        }
        for (sql, before) in due(options, now) {
            to.execute(sql, params![before, ROWS]).unwrap();
        }
        let all = |sql| {
            let mut statement = to.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.collect::<Result<Vec<i64>, _>>().unwrap()
        };
        (all("SELECT no - 1 FROM rollup ORDER BY no"), all("SELECT seen FROM text ORDER BY seen"))
    }

    #[test]
    fn a_roll_up_goes_when_its_last_bucket_is_too_old_and_not_when_its_first_is() {
        const DAY_S: i64 = 86_400;
        let now_s = 20_000 * DAY_S;
        let options = Options { five_min_days: 30, hour_days: 400, day_days: 3_650, ..Options::default() };
        for (tier, days) in [(Tier::FiveMinutes, 30), (Tier::Hour, 400), (Tier::Day, 3_650)] {
            let cut = now_s - days * DAY_S;
            let ends = |end: i64| (tier, end - tier.row_s());
            let rows = [ends(cut - 1), ends(cut), ends(cut + tier.row_s()), (tier, cut)];
            assert_eq!(left(&options, now_s * 1000, &rows, &[]).0, [1, 2, 3], "{tier:?}");
        }
    }

    #[test]
    fn a_text_stays_for_as_long_as_an_event_or_a_state_may_show_it() {
        let seen = [100, 194, 195, 199];
        let days = |state_days, events_days| Options { state_days, events_days, ..Options::default() };
        let texts = |options: &Options| left(options, 200 * DAY_MS, &[], &seen).1;
        assert_eq!(texts(&days(5, 5)), [194, 195, 199], "one day more, as a day is all that is known of it");
        assert_eq!(texts(&days(5, 100)), [100, 194, 195, 199]);
        assert_eq!(texts(&days(100, 5)), [100, 194, 195, 199]);
        assert_eq!(texts(&days(1, 0)), [199]);
    }
}
