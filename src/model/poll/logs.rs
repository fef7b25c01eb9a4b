//! The transaction logs of databases: how much of each is in use, and how much it may take.

use super::{
    id::{Emit, Metric, ProbeId, rounded, whole},
    log_use::LogUseRow,
    names::{Field, Kind, Visit, maybe},
    outcome::Outcome,
    space::Fits,
    volumes::{VolumeRow, volume_of},
    who::Who,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The log of a database.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogRow {
    /// the database
    pub database: Option<Arc<str>>,
    /// what keeps it from being used again: `LOG_BACKUP`, `ACTIVE_TRANSACTION` …
    pub reuse_wait: Option<Arc<str>>,
    /// size of its files, KB
    pub size_kb: Option<i64>,
    /// in use, KB
    pub used_kb: Option<i64>,
    /// size that its files may reach, KB; None: as their volume lets them, or not known
    pub max_kb: Option<i64>,
    /// path of its first file
    pub path: Option<Arc<str>>,
    /// it may take so much, KB, by its limit and by what its volume has; the fold says so. None: nobody knows
    pub capacity_kb: Option<i64>,
    /// it is full in so long if it goes on filling, ms; the fold says so
    pub full_in_ms: Option<i64>,
    /// it grows next by so much, KB; 0: it does not grow
    pub next_growth_kb: Option<i64>,
    /// which is so many percent of its size
    pub growth_pct: Option<i64>,
    /// the oldest transaction that wrote to it, where it waits for one
    pub holder: Option<LogHolder>,
    /// the oldest transaction that wrote to it, where it waits for something else; None: there is none, or nobody asked
    pub oldest: Option<LogHolder>,
}

/// The oldest transaction in a log.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogHolder {
    /// its session; None: a distributed or a recovered one
    pub session_id: Option<i32>,
    /// since when, by our clock
    pub since: Option<Timestamp>,
    /// log that it used, bytes
    pub log_bytes: Option<i64>,
    /// who it is
    pub who: Who,
}

impl LogRow {
    /// The database that it is about.
    pub fn key(&self) -> &str {
        self.database.as_deref().unwrap_or("?")
    }

    /// Since when what it waits for holds it: an open transaction since its begin, a log that waits for its backup since the last one.
    pub fn held_since(&self, structure: Option<&LogUseRow>) -> Option<Timestamp> {
        match self.reuse_wait.as_deref()? {
            "ACTIVE_TRANSACTION" => self.holder.as_ref()?.since,
            "LOG_BACKUP" => structure?.backup_at,
            _ => None,
        }
    }

    /// The oldest transaction that wrote to it, whatever it waits for. None: nobody asked for it.
    pub fn oldest(&self) -> Option<&LogHolder> {
        self.holder.as_ref().or(self.oldest.as_ref())
    }

    /// What it may take, KB: by its limit or by its volume, whichever is less.
    pub fn capacity_on(&self, volumes: &[VolumeRow]) -> Option<i64> {
        let size_kb = self.size_kb?;
        let of_volume = self
            .path
            .as_deref()
            .and_then(|path| Some(size_kb.saturating_add(volume_of(volumes, path)?.free_bytes? / 1024)));
        // A log that is larger than its limit was limited later.
        let of_limit = self.max_kb.map(|max| max.max(size_kb));
        of_limit.into_iter().chain(of_volume).min()
    }

    /// In use of what its files have now, %.
    pub fn of_files_pct(&self) -> Option<f64> {
        let size_kb = self.size_kb.filter(|kb| *kb > 0)?;
        Some((self.used_kb? as f64 / size_kb as f64 * 100.0).clamp(0.0, 100.0))
    }

    /// Whether its next growth has room. None: nobody knows.
    pub fn fits(&self) -> Option<Fits> {
        let next_kb = self.next_growth_kb?;
        if next_kb == 0 {
            return Some(Fits::Fixed);
        }
        let after_kb = self.size_kb?.saturating_add(next_kb);
        Some(match (self.max_kb, self.capacity_kb?) {
            (Some(max), _) if after_kb > max => Fits::PastLimit,
            (_, capacity) if after_kb > capacity => Fits::NoRoom,
            _ => Fits::Yes,
        })
    }

    /// In use, % of what it may take: a log that can grow is not full at the end of its files.
    pub fn used_pct(&self) -> Option<f64> {
        let capacity_kb = self.capacity_kb.filter(|kb| *kb > 0)?;
        let used_kb = self.used_kb.filter(|kb| *kb >= 0)?;
        Some(rounded((used_kb as f64 / capacity_kb as f64 * 100.0).clamp(0.0, 100.0)))
    }
}

impl Outcome for Vec<LogRow> {
    fn points(&self, _probe: ProbeId, emit: Emit<'_>) {
        for row in self {
            if let Some(database) = row.database.as_deref() {
                emit(Metric::LogUsed, database, row.used_pct());
                emit(Metric::LogUsedSize, database, whole(row.used_kb));
            }
        }
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        for row in self {
            maybe(visit, Field::Name(Kind::Database), &mut row.database);
            maybe(visit, Field::Name(Kind::File), &mut row.path);
            for holder in row.holder.iter_mut().chain(&mut row.oldest) {
                holder.who.each_name_mut(visit);
            }
        }
    }

    fn cut(&mut self, most: usize) {
        self.truncate(most);
    }

    fn rows(&self) -> usize {
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_transaction_is_told_whatever_a_log_waits_for() {
        let at = |session_id| Some(LogHolder { session_id: Some(session_id), ..LogHolder::default() });
        let waits = LogRow { holder: at(71), ..LogRow::default() };
        let other = LogRow { oldest: at(72), ..LogRow::default() };
        let told = |log: &LogRow| log.oldest().and_then(|holder| holder.session_id);
        assert_eq!([told(&waits), told(&other), told(&LogRow::default())], [Some(71), Some(72), None]);
    }

    #[test]
    fn the_next_growth_of_a_log_has_room_or_the_reason_why_not() {
        let log = |next_kb: Option<i64>, max_kb, capacity_kb| {
            let size_kb = Some(1_000);
            LogRow { size_kb, next_growth_kb: next_kb, max_kb, capacity_kb, ..LogRow::default() }.fits()
        };
        assert_eq!(log(Some(0), None, None), Some(Fits::Fixed));
        assert_eq!(log(Some(64), None, Some(1_064)), Some(Fits::Yes));
        assert_eq!(log(Some(65), None, Some(1_064)), Some(Fits::NoRoom));
        assert_eq!(log(Some(65), Some(1_064), Some(1_064)), Some(Fits::PastLimit));
        assert_eq!((log(None, None, Some(9)), log(Some(1), None, None)), (None, None));
    }
}
