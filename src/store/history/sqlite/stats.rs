//! The contents of a history in figures: rows, series, sizes, how far each tier reaches back, how fast it grows. For `dbtop store
//! stats` and the overlay. Counting reads the headers of all rows, so a large file takes some seconds.

use super::{failure::Trouble, file::HistoryFile, retain::pages};
use crate::store::history::{
    api::{StoreStats, TierStats},
    codec::rollup::Tier,
};
use crate::{model::base::time::Timestamp, store::StoreError};
use rusqlite::Connection;

/// Name, table with its condition, expression of the items, oldest, newest, in milliseconds.
type Kind = (&'static str, &'static str, Option<&'static str>, &'static str, &'static str);

const KINDS: [Kind; 9] = [
    ("not sealed yet", "hot", Some("count(*)"), "min(at)", "max(at)"),
    ("states", "state", Some("sum(n)"), "min(start)", "max(end)"),
    ("points, open chunks", "chunk WHERE open = 1", Some("sum(n)"), "min(start)", "max(end)"),
    ("points, sealed chunks", "chunk WHERE open = 0", Some("sum(n)"), "min(start)", "max(end)"),
    ("roll-ups of 5 min", "rollup WHERE tier = 1", None, "min(start) * 1000", "(max(start) + 86400) * 1000"),
    ("roll-ups of 1 h", "rollup WHERE tier = 2", None, "min(start) * 1000", "(max(start) + 691200) * 1000"),
    (
        "roll-ups of 1 day",
        "rollup WHERE tier = 3",
        None,
        "min(start) * 1000",
        "(max(start) + 5529600) * 1000",
    ),
    ("texts", "text", Some("count(*)"), "min(seen) * 86400000", "max(seen) * 86400000"),
    ("events", "event", Some("count(*)"), "min(start)", "max(start)"),
];

const DAY_MS: i64 = 86_400_000;

/// The sizes of a history.
#[derive(Clone, Copy)]
pub struct Stats<'a> {
    pub(super) file: &'a HistoryFile,
}

impl Stats<'_> {
    /// Counts everything.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn all(self) -> Result<StoreStats, StoreError> {
        self.file.reading(count(self.file))
    }

    /// Bytes that the newest whole day added. None: there is no whole day yet. Reads the rows of that day.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn growth_a_day(self) -> Result<Option<u64>, StoreError> {
        self.file.reading(growth(self.file))
    }

    /// The first and the last instant that states are known of. None: there is no state.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn span(self) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
        let ends = |first: &str| {
            let sql = format!(
                "SELECT min(first), max(last) FROM (
                    SELECT ({first}) AS first, (SELECT max(end) FROM state) AS last
                    UNION ALL SELECT min(at), max(at) FROM hot)"
            );
            self.file.connection.prepare_cached(&sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        };
        let ends_of_it: Result<(Option<i64>, Option<i64>), Trouble> =
            match ends("SELECT start FROM state ORDER BY end LIMIT 1").map_err(Trouble::from) {
                // The oldest row lies on a damaged page: the index has its end, which is minutes later.
                Err(trouble) if trouble.is_damage() => {
                    ends("SELECT min(end) FROM state").map_err(Trouble::from)
                }
                found => found,
            };
        let (oldest, newest) = self.file.reading(ends_of_it)?;
        Ok(oldest
            .zip(newest)
            .map(|(oldest, newest)| (Timestamp::from_ms(oldest), Timestamp::from_ms(newest))))
    }
}

fn count(file: &HistoryFile) -> Result<StoreStats, Trouble> {
    let tiers: Vec<TierStats> =
        KINDS.iter().map(|kind| tier(&file.connection, kind)).collect::<Result<_, _>>()?;
    let number = |sql: &str| -> Result<u64, rusqlite::Error> {
        file.connection
            .query_row(sql, [], |row| row.get::<_, Option<i64>>(0))
            .map(|n| n.unwrap_or(0).max(0) as u64)
    };
    let (all, free, page) = pages(&file.connection)?;
    let of = |name: &str| tiers.iter().find(|tier| tier.name == name);
    let points = |name: &str| of(name).and_then(|tier| tier.items).unwrap_or(0);
    let sealed = of("points, sealed chunks").map_or(0, |tier| tier.bytes);
    Ok(StoreStats {
        instances: number("SELECT count(*) FROM instance")?,
        series: number("SELECT count(*) FROM series")?,
        file_bytes: (all * page).max(0) as u64,
        free_bytes: (free * page).max(0) as u64,
        points: points("points, open chunks") + points("points, sealed chunks"),
        bytes_a_point: Some(points("points, sealed chunks"))
            .filter(|points| *points > 0)
            .map(|points| sealed as f64 / points as f64),
        growth_a_day_bytes: growth(file)?,
        version: number("PRAGMA user_version")? as u32,
        sealed: file.blobs.sealed(),
        tiers,
    })
}

/// Bytes that the newest whole day added, in states, points and roll-ups.
fn growth(file: &HistoryFile) -> Result<Option<u64>, Trouble> {
    let (oldest, newest): (Option<i64>, Option<i64>) =
        file.connection
            .query_row("SELECT min(end), max(end) FROM state", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((oldest, newest)) = oldest.zip(newest) else { return Ok(None) };
    if newest - oldest < DAY_MS {
        return Ok(None);
    }
    let added = |sql: &str, since: i64| -> Result<i64, rusqlite::Error> {
        file.connection
            .query_row(sql, [since], |row| row.get::<_, Option<i64>>(0))
            .map(Option::unwrap_or_default)
    };
    let since = newest - DAY_MS;
    let mut bytes = added("SELECT sum(length(blob)) FROM state WHERE end > ?1", since)?
        + added("SELECT sum(length(blob)) FROM chunk WHERE end > ?1", since)?;
    for rollup in Tier::ALL {
        // A row of a roll-up holds many days: a day's share of the newest one.
        let row_days = rollup.row_s() / 86_400;
        let sql = "SELECT sum(length(blob)) FROM rollup WHERE tier = ?1 AND start = (SELECT max(start) FROM rollup WHERE tier = ?1)";
        let newest: Option<i64> = file.connection.query_row(sql, [rollup.code()], |row| row.get(0))?;
        bytes += newest.unwrap_or_default() / row_days.max(1);
    }
    Ok(Some(bytes.max(0) as u64))
}

fn tier(from: &Connection, (name, table, items, oldest, newest): &Kind) -> Result<TierStats, Trouble> {
    let items_sql = items.unwrap_or("NULL");
    let sql = format!("SELECT count(*), sum(length(blob)), {oldest}, {newest}, {items_sql} FROM {table}");
    Ok(from.query_row(&sql, [], |row| {
        let bytes: Option<i64> = row.get(1)?;
        let time = |at: usize| -> rusqlite::Result<Option<Timestamp>> {
            Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp::from_ms))
        };
        Ok(TierStats {
            name,
            rows: row.get::<_, i64>(0)?.max(0) as u64,
            items: items
                .map(|_| row.get::<_, Option<i64>>(4))
                .transpose()?
                .map(|n| n.unwrap_or(0).max(0) as u64),
            bytes: bytes.unwrap_or(0).max(0) as u64,
            oldest: time(2)?,
            newest: time(3)?,
        })
    })?)
}
