//! Checks that a history is whole: SQLite's own structure, and every blob. For `dbtop store check`, and before a backup takes the
//! place of a history.

use super::{failure::Trouble, file::HistoryFile};
use crate::store::history::{
    api::Checked,
    codec::{
        blobs::Of,
        block::{Block, Press},
        chunk::Window,
        numbers::{Garbled, unchecked},
        pack, points,
        rollup::Row,
    },
    event,
};
use crate::{model::timeline::chart::MarkKind, store::StoreError};

/// Problems that are named. More are counted.
const NAMED: usize = 50;

impl Checked {
    /// True if there is no problem.
    pub const fn is_clean(&self) -> bool {
        self.problems == 0
    }

    fn bad(&mut self, words: impl FnOnce() -> String) {
        self.problems += 1;
        if self.words.len() < NAMED {
            self.words.push(words());
        }
    }
}

/// A table, and the statement for its rows: number, instance, when, a small number, blob.
const TABLES: [(&str, &str); 8] = [
    ("info", "SELECT since, instance, since, 0, blob FROM info"),
    ("series", "SELECT no, no, 0, 0, key FROM series WHERE key IS NOT NULL"),
    ("hot", "SELECT no, instance, at, slot, blob FROM hot"),
    ("state", "SELECT no, instance, start, n, blob FROM state"),
    ("chunk", "SELECT no, instance, start, n, blob FROM chunk"),
    ("rollup", "SELECT no, instance, start, tier, blob FROM rollup"),
    ("event", "SELECT no, instance, start, kind, blob FROM event"),
    ("points", "SELECT no, instance, at, slot, points FROM hot WHERE points IS NOT NULL"),
];

/// Checks SQLite's own structure and every row. [`Checked::words`] also names a file that SQLite cannot walk.
///
/// # Errors
/// Not even the first page can be read.
pub(super) fn check(file: &HistoryFile) -> Result<Checked, StoreError> {
    let mut found = Checked::default();
    match structure(file, &mut found) {
        Ok(()) => {}
        Err(Trouble::Sqlite(error)) => found.bad(|| format!("the file cannot be walked: {error}")),
        Err(other) => return file.reading(Err(other)),
    }
    for (table, sql) in TABLES {
        if let Err(error) = rows_of(file, table, sql, &mut found) {
            found.bad(|| format!("table {table} cannot be read to its end: {error}"));
        }
    }
    if let Err(error) = texts(file, &mut found) {
        found.bad(|| format!("table text cannot be read to its end: {error}"));
    }
    Ok(found)
}

fn structure(file: &HistoryFile, found: &mut Checked) -> Result<(), Trouble> {
    let mut statement = file.connection.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            found.bad(|| line);
        }
    }
    let strays = [
        (
            "points of no known instance",
            "SELECT count(*) FROM chunk WHERE instance NOT IN (SELECT no FROM instance)",
        ),
        (
            "states of no known instance",
            "SELECT count(*) FROM state WHERE instance NOT IN (SELECT no FROM instance)",
        ),
        (
            "series of no known instance",
            "SELECT count(*) FROM series WHERE instance NOT IN (SELECT no FROM instance)",
        ),
    ];
    for (what, sql) in strays {
        let count: i64 = file.connection.query_row(sql, [], |row| row.get(0))?;
        if count > 0 {
            found.bad(|| format!("{count} rows with {what}"));
        }
    }
    Ok(())
}

fn rows_of(file: &HistoryFile, table: &str, sql: &str, found: &mut Checked) -> Result<(), rusqlite::Error> {
    let mut statement = file.connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.rows += 1;
        let (no, instance, at, small): (i64, u32, i64, i64) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let blob = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
        if row_of(file, table, (instance, at, small), blob).is_err() {
            found.bad(|| format!("row {no} of {table} (instance {instance}) is damaged"));
        }
    }
    Ok(())
}

fn row_of(
    file: &HistoryFile,
    table: &str,
    (instance, at, small): (u32, i64, i64),
    blob: &[u8],
) -> Result<(), Garbled> {
    let open = |of: Of| file.blobs.open(of, blob);
    match table {
        "info" => pack::info("".into(), &open(Of::Info(instance, at))?).map(drop),
        "series" => open(Of::Series(instance)).map(drop),
        "hot" => pack::happened(&open(Of::Buffered(instance, at))?).map(drop),
        "points" => points::decode(blob).map(drop),
        "state" => {
            let plain = open(Of::State(instance, at))?;
            let all = Block::read(&plain)?.between(i64::MIN, i64::MAX, &mut Press::default())?;
            for entry in &all {
                pack::happened(&entry.bytes)?;
            }
            if (all.len() as i64) < small { Err(Garbled) } else { Ok(()) }
        }
        "chunk" => {
            let window = Window::decode(unchecked(blob)?)?;
            if window.points() as i64 == small { Ok(()) } else { Err(Garbled) }
        }
        "rollup" => unchecked(blob).and_then(Row::decode).map(drop),
        _ => {
            MarkKind::from_code(small as u8).ok_or(Garbled)?;
            event::check_body(&open(Of::Event(instance, at))?)
        }
    }
}

fn texts(file: &HistoryFile, found: &mut Checked) -> Result<(), rusqlite::Error> {
    let mut statement = file.connection.prepare("SELECT id, blob FROM text")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.rows += 1;
        let id = <[u8; 16]>::try_from(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?);
        let blob = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let plain = id.map_err(|_| Garbled).and_then(|id| file.blobs.open(Of::Text(id), blob));
        if plain.and_then(|plain| pack::text(&plain)).is_err() {
            found.bad(|| "a text is damaged".to_owned());
        }
    }
    Ok(())
}
