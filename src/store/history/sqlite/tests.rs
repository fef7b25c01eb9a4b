//! A history at its edges. Rows are put in by hand where only their columns count: whole stores are for `tests/engine`.

use super::{engine::Engine, file::HistoryFile};
use crate::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            time::Timestamp,
        },
        inventory::{instance::InstanceInfo, record::TenantUid},
        poll::{State, headline::Headline, id::ProbeId, link::Link},
        timeline::record::{Record, Recorded},
    },
    store::history::api::Options,
    vault::{Sealer, history_key},
};
use rusqlite::Params;
use std::{path::PathBuf, sync::Arc};

mod again;
mod cleaning;
mod copying;
mod figures;
mod reading;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// A midnight.
const MIDNIGHT: i64 = 20_000 * DAY_MS;

/// An instant, seconds after a midnight.
fn at(s: i64) -> Timestamp {
    Timestamp::from_ms(MIDNIGHT + s * 1000)
}

fn info(name: &str) -> Arc<InstanceInfo> {
    Arc::new(InstanceInfo::named(name))
}

fn sealer(tenant: u8) -> Sealer {
    Sealer::of_history(TenantUid::from_bytes([tenant; 16]), &history_key().unwrap()).unwrap()
}

/// A poll of the headline.
fn polled(name: &str, s: i64, cpu_pct: f64) -> Record {
    let headline = Headline { cpu_pct: Some(cpu_pct), ..Headline::default() };
    let state = Ok(State::Headline(Box::new(headline)));
    let what = Recorded::Reading { probe: ProbeId::Headline, every_ms: 1_000, state };
    Record { info: info(name), at: at(s), what }
}

/// The connection is up, or lost.
fn linked(name: &str, s: i64, is_up: bool) -> Record {
    let failure = Failure::new(FailureKind::Unreachable, "no route to host");
    let link = if is_up { Link::Up } else { Link::Down { failure, attempts: 3, next_at: at(s + 30) } };
    let what = Recorded::Link { link, since: at(s), was_down: is_up };
    Record { info: info(name), at: at(s), what }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

struct Stage {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Stage {
    /// A history without rows; its options may be changed.
    fn new() -> Self {
        let folder = folder();
        let engine = Engine::open(&folder.path().join("history.db"), None, Options::default()).unwrap();
        Self { folder, engine }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn file(&self) -> HistoryFile {
        HistoryFile::open(&self.path(), None).unwrap()
    }

    fn run(&self, sql: &str, values: impl Params) {
        self.engine.connection.execute(sql, values).unwrap();
    }

    fn number(&self, sql: &str) -> i64 {
        self.engine.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn take(&mut self, records: Vec<Record>) {
        self.engine.take(records);
        self.engine.commit().unwrap();
    }

    /// States of an instance from one instant to the other, ms; `bytes` long.
    fn state(&self, instance: u32, start: i64, end: i64, bytes: u32) {
        let sql = "INSERT INTO state(instance, start, end, n, blob) VALUES (?1, ?2, ?3, 10, zeroblob(?4))";
        self.run(sql, (instance, start, end, bytes));
    }

    /// Points of the headline.
    fn chunk(&self, instance: u32, start: i64, end: i64, (open, n, bytes): (bool, i64, u32)) {
        let sql = "INSERT INTO chunk(instance, probe, start, end, open, n, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6, zeroblob(?7))";
        self.run(sql, (instance, ProbeId::Headline.code(), start, end, open, n, bytes));
    }

    /// A roll-up of the headline; `start` in seconds.
    fn rollup(&self, instance: u32, tier: u8, start: i64, bytes: u32) {
        let sql =
            "INSERT INTO rollup(instance, probe, tier, start, blob) VALUES (?1, ?2, ?3, ?4, zeroblob(?5))";
        self.run(sql, (instance, ProbeId::Headline.code(), tier, start, bytes));
    }

    fn incident(&self, instance: u32, start: i64, end: i64) {
        let sql = "INSERT INTO event(instance, kind, start, end, blob) VALUES (?1, 6, ?2, ?3, zeroblob(1))";
        self.run(sql, (instance, start, end));
    }

    fn buffered(&self, instance: u32, at: i64) {
        let sql = "INSERT INTO hot(instance, at, slot, blob) VALUES (?1, ?2, 1, zeroblob(1))";
        self.run(sql, (instance, at));
    }
}

impl Engine {
    /// As a disk that takes nothing, until the file is opened anew.
    pub(in crate::store::history) fn refuse_rows(&self) {
        let sql =
            "CREATE TEMP TRIGGER no_room BEFORE INSERT ON main.hot BEGIN SELECT RAISE(ABORT, 'no room'); END";
        self.connection.execute_batch(sql).unwrap();
    }
}
