//! A fleet's collector as it is seen from outside: its lock and its last heartbeat, and what they mean together. Nothing is
//! opened, asked or made. Used by `status`, `healthcheck`, `metrics` and `once`.

use super::{
    heartbeat::{self, Heartbeat, Standing},
    lock::{self, Held},
    run_folder::RunFolder,
};
use crate::{
    app::clock,
    model::base::time::Timestamp,
    store::disk::{self, DiskTrouble},
};
use anyhow::Context;

/// A beat older than this, ms, comes from a collector that hangs.
pub const FRESH_MS: u64 = 10_000;

/// Opening an inventory takes no longer, ms.
pub const STARTS_WITHIN_MS: u64 = 60_000;

/// The state of one fleet's collector, seen from outside.
pub struct Seen {
    /// whose
    pub place: RunFolder,
    /// the process that holds the lock
    pub held: Held,
    /// its last beat, or that of the one before
    pub beat: Option<Heartbeat>,
    /// why the collector may be mute: its disk takes nothing
    pub disk: Option<DiskTrouble>,
    /// when this was seen
    pub at: Timestamp,
}

impl Seen {
    /// Reads lock and heartbeat.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn look(place: RunFolder) -> anyhow::Result<Self> {
        let failed = || format!("looking at the collector's files in {}", place.folder.display());
        let held = lock::look(&place.folder).with_context(failed)?;
        let beat = heartbeat::read(&place.folder).with_context(failed)?;
        let at = clock::now();
        let disk = disk::trouble(&place.folder);
        Ok(Self { place, held, beat, disk, at })
    }

    /// True while a process holds the lock.
    pub fn is_held(&self) -> bool {
        self.held != Held::Free
    }

    /// The last beat, if the process that holds the lock made it.
    pub fn living_beat(&self) -> Option<&Heartbeat> {
        let Held::By(holder) = &self.held else { return None };
        let same = |beat: &&Heartbeat| holder.as_ref().is_none_or(|holder| holder.pid == beat.pid);
        self.beat.as_ref().filter(same)
    }

    /// The last beat, if it says something about now.
    pub fn telling_beat(&self) -> Option<&Heartbeat> {
        self.living_beat().filter(|_| self.is_mute().is_none())
    }

    /// Age of the last beat of the process that holds the lock, ms.
    pub fn beat_age_ms(&self) -> Option<u64> {
        self.living_beat().map(|beat| beat.age_ms(self.at))
    }

    /// How long the lock is held, as far as its holder has said so, ms.
    pub fn held_for_ms(&self) -> u64 {
        match &self.held {
            Held::By(Some(holder)) => holder.age_ms(self.at),
            Held::By(None) | Held::Free => 0,
        }
    }

    /// Why it cannot say how it is, if that is known: it holds the lock, its last beat is old, and its disk takes no other. It may
    /// poll all the same.
    pub fn is_mute(&self) -> Option<DiskTrouble> {
        let says = self.beat_age_ms().is_some_and(|age| age <= FRESH_MS);
        self.disk.filter(|_| self.is_held() && !says)
    }

    /// One word: how the collector is.
    pub fn word(&self) -> &'static str {
        if matches!(&self.held, Held::By(Some(holder)) if holder.screen) {
            return "screen";
        }
        if let Some(disk) = self.is_mute() {
            return disk.sign();
        }
        match (self.is_held(), self.living_beat(), &self.beat) {
            (true, None, _) if self.held_for_ms() > STARTS_WITHIN_MS => "hangs",
            (true, None, _) => Standing::Starting.name(),
            (true, Some(_), _) if self.beat_age_ms().is_some_and(|age| age > FRESH_MS) => "hangs",
            (true, Some(beat), _) => beat.standing.name(),
            (false, _, None) => "none",
            (false, _, Some(beat)) if beat.standing == Standing::Stopped => Standing::Stopped.name(),
            (false, _, Some(_)) => "killed",
        }
    }
}
