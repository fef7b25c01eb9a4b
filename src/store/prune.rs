//! Removing the oldest entries of the audit log by their age (`[audit] keep_days`). What was removed leaves an [`Anchor`] in the sealed
//! header: the chain goes on from it, so that `verify` still notices everything behind it. Called once a day by a running program,
//! which has the [`AuditAge`], and by `dbtop audit prune`.
//!
//! A step of the clock is no age (`model::base::age`): entries are judged by a clock that is believed. Its knowledge is in a file of its
//! own beside the tenant's, sealed with the tenant's key, and made with the first change of the tenant, so that no entry that a wrong
//! clock dates can be what is believed.

use super::{
    Damage, Harm, StoreError,
    anchor::Anchor,
    audit,
    change::Setting,
    home::{hex, private_file, whole_file},
    tenant::Tenant,
};
use crate::{
    model::{
        base::{
            age::{AgeClock, Moment, Remembered},
            time::Timestamp,
            zone::UTC,
        },
        inventory::record::{Author, Outcome, RecordId},
    },
    vault::{self, Place},
};
use serde::{Deserialize, Serialize};
use std::{fs, io::Write, path::PathBuf, time::Duration};

/// The file of the clock's knowledge, beside the tenant's.
const FILE: &str = "audit.clock";
const NOBODY: RecordId = RecordId::from_bytes([0; 16]);
const DAY_MS: i64 = 86_400_000;
/// So often its knowledge is saved.
const SAVE_EVERY: Duration = Duration::from_mins(10);

/// The knowledge of one process for the next.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Serialize, Deserialize)]
struct Left {
    #[serde(rename = "believed_ms")]
    believed: Timestamp,
    #[serde(rename = "wall_ms")]
    wall: Timestamp,
    doubted_ms: u64,
}

/// Entries that were removed by their age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// so many
    pub entries: u64,
    /// what stands for them
    pub anchor: Anchor,
}

/// The clock by which a program that keeps running removes entries of one tenant. Feed it every few seconds.
pub struct AuditAge {
    clock: AgeClock,
    saved: Option<Duration>,
    /// what was believed when entries were looked at last
    looked: Option<Timestamp>,
}

impl AuditAge {
    /// Goes on from what the last process left; without that, from the newest entry.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(tenant: &Tenant, now: Moment) -> Result<Self, StoreError> {
        let clock = AgeClock::resume(tenant.remembered(), tenant.newest_entry()?, now);
        Ok(Self { clock, saved: None, looked: None })
    }

    /// By which time entries are judged now. The second is how far the wall clock is ahead of it, ms; None: it is believed.
    pub fn judge(&mut self, now: Moment) -> (Timestamp, Option<u64>) {
        let judged = self.clock.judge(now);
        (judged.ages, judged.ahead_ms)
    }

    /// Takes the clocks of this machine, and once a day removes what is older than `keep_days`.
    ///
    /// # Errors
    /// As [`Tenant::prune_audit`]. The next day tries again.
    pub fn run(
        &mut self,
        tenant: &mut Tenant,
        author: &Author,
        keep_days: u32,
        now: Moment,
    ) -> Result<Option<Pruned>, StoreError> {
        let (ages, _) = self.judge(now);
        if self.saved.is_none_or(|saved| now.up.saturating_sub(saved) >= SAVE_EVERY) {
            self.saved = Some(now.up);
            tenant.remember(self.clock.remember())?;
        }
        if self.looked.is_some_and(|looked| (ages - looked).abs() < DAY_MS) {
            return Ok(None);
        }
        self.looked = Some(ages);
        tenant.prune_audit(author, keep_days, ages)
    }
}

impl Tenant {
    /// By which time the age of what is in it is judged, for who does not keep running: as the last program that did has left it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn ages(&self, now: Moment) -> Result<Timestamp, StoreError> {
        Ok(AuditAge::of(self, now)?.judge(now).0)
    }

    /// Removes the entries of the audit log that are older than `keep_days` at this time, which is one that is believed, up to the first
    /// that is younger; with an entry of its own. None: there is none so old.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the log is not whole: what is broken stays as evidence. As [`Tenant::change`].
    pub fn prune_audit(
        &mut self,
        author: &Author,
        keep_days: u32,
        ages: Timestamp,
    ) -> Result<Option<Pruned>, StoreError> {
        let limit = ages.plus_ms(-i64::from(keep_days) * DAY_MS);
        if self.old_entries(limit, ages, Some(1))?.is_none() {
            return Ok(None);
        }
        let _lock = self.write_lock()?;
        if let Some((at, _)) = self.verify_audit()?.bad {
            let damage = Damage { kind: "audit entry", name: at.to_string(), harm: Harm::Broken };
            return Err(StoreError::Damaged { slug: self.slug.to_string(), damage });
        }
        let Some(anchor) = self.old_entries(limit, ages, None)? else { return Ok(None) };
        let slug = self.slug.to_string();
        self.change_locked(author, Setting::Active, |change| {
            let before = change.header.anchor.map_or(0, |anchor| anchor.entries);
            change
                .transaction
                .execute("DELETE FROM audit WHERE seq <= ?1", [anchor.entries as i64])
                .map_err(StoreError::sqlite("pruning the audit log of", change.path))?;
            change.header.anchor = Some(anchor);
            let entries = anchor.entries - before;
            let mut detail = format!("{entries} entries up to number {} of ", anchor.entries);
            UTC.push_date(&mut detail, anchor.at);
            detail.push_str(", SHA-256 of the last ");
            detail.push_str(&hex(&anchor.hash));
            change.log("prune", "audit", &slug, Outcome::Done, &detail)?;
            Ok(Some(Pruned { entries, anchor }))
        })
    }

    /// The last of the oldest entries that are all from before `limit`, of the first `most`.
    fn old_entries(
        &self,
        limit: Timestamp,
        removed: Timestamp,
        most: Option<usize>,
    ) -> Result<Option<Anchor>, StoreError> {
        let failed = || StoreError::sqlite("reading the audit log of", &self.path);
        let mut all = self
            .connection
            .prepare_cached("SELECT seq, version, sealed FROM audit ORDER BY seq LIMIT ?1")
            .map_err(failed())?;
        let mut rows = all.query([most.map_or(-1, |most| most as i64)]).map_err(failed())?;
        let mut anchor = None;
        while let Some(row) = rows.next().map_err(failed())? {
            let entries = row.get::<_, i64>(0).map_err(failed())? as u64;
            let Some((at, hash)) = self.dated(row).filter(|(at, _)| *at < limit) else { break };
            anchor = Some(Anchor { entries, hash, at, removed });
        }
        Ok(anchor)
    }

    fn remembered(&self) -> Option<Remembered> {
        let sealed = fs::read(self.clock_file()).ok()?;
        let plain = self.sealer.open(&place(self), &sealed).ok()?;
        let left: Left = serde_json::from_slice(&plain).ok()?;
        let doubted = Duration::from_millis(left.doubted_ms);
        Some(Remembered { believed: left.believed, wall: left.wall, doubted })
    }

    fn remember(&self, left: Remembered) -> Result<(), StoreError> {
        let doubted_ms = u64::try_from(left.doubted.as_millis()).unwrap_or(u64::MAX);
        let left = Left { believed: left.believed, wall: left.wall, doubted_ms };
        let file = self.clock_file();
        let failed = || StoreError::io("writing", &file);
        let plain = serde_json::to_vec(&left).map_err(|e| failed()(e.into()))?;
        let sealed = self.sealer.seal(&place(self), &plain)?;
        let new = self.folder.join(format!("{FILE}-{}", vault::random_id()?.short()));
        whole_file(&new, |part| {
            private_file(part)?.write_all(&sealed).map_err(StoreError::io("writing", part))
        })?;
        fs::rename(&new, &file).map_err(failed())
    }

    fn clock_file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Before the first change: from now on there is a time that was believed before any entry of a wrong clock.
    pub(super) fn remember_first(&self, now: Timestamp) {
        if self.clock_file().exists() {
            return;
        }
        let believed = self.newest_entry().ok().flatten().map_or(now, |newest| newest.min(now));
        // Without it the newest entry is what is believed.
        let _ = self.remember(Remembered { believed, wall: now, doubted: Duration::ZERO });
    }

    /// Seals the clock's knowledge with the key that the tenant has now.
    pub(super) fn reseal_clock(&self, left: Option<Remembered>) {
        if let Some(left) = left {
            let _ = self.remember(left);
        }
    }

    pub(super) fn clock_left(&self) -> Option<Remembered> {
        self.remembered()
    }

    /// When the newest entry of the audit log was written; None: not known.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn newest_entry(&self) -> Result<Option<Timestamp>, StoreError> {
        let last = audit::last_entry(&self.connection, &self.path)?;
        let found = self.connection.query_row(
            "SELECT seq, version, sealed FROM audit WHERE seq = ?1",
            [last as i64],
            |row| Ok(self.dated(row)),
        );
        Ok(found.ok().flatten().map(|(at, _)| at))
    }
}

const fn place(tenant: &Tenant) -> Place<'_> {
    Place { tenant: tenant.sealer.tenant(), table: "audit clock", id: &NOBODY, revision: 1, schema: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::inventory::record::Slug,
        store::{AuditFilter, Home, Tenants, clock, current_author},
        vault::Opener,
    };

    fn stage() -> (tempfile::TempDir, Tenant) {
        let folder = tempfile::tempdir().unwrap();
        let tenants = Tenants::open(&Home::at(&folder.path().join("home"))).unwrap();
        let key = Opener::KeyFile(folder.path().join("key"));
        let slug = Slug::parse("acme").unwrap();
        let mut tenant = tenants.create(&slug, &key, "test", None, &current_author()).unwrap();
        for n in 0..4 {
            note(&mut tenant, &format!("n{n}"));
        }
        (folder, tenant)
    }

    fn note(tenant: &mut Tenant, name: &str) {
        tenant.note(&current_author(), ("test", "thing", name), Outcome::Done, "").unwrap();
    }

    fn in_years(years: i64) -> Timestamp {
        clock::now().plus_ms(years * 366 * DAY_MS)
    }

    const KEPT: u32 = 2_555;

    #[test]
    fn what_is_removed_leaves_an_anchor_and_the_rest_is_whole() {
        let (_folder, mut tenant) = stage();
        let author = current_author();
        assert_eq!(tenant.prune_audit(&author, KEPT, in_years(6)).unwrap(), None);
        let pruned = tenant.prune_audit(&author, KEPT, in_years(8)).unwrap().unwrap();
        assert_eq!((pruned.entries, pruned.anchor.entries), (5, 5));
        note(&mut tenant, "later");
        let check = tenant.verify_audit().unwrap();
        assert_eq!((check.bad, check.good, check.anchor), (None, 2, Some(pruned.anchor)));
        let left = tenant.audit(&AuditFilter::default()).unwrap();
        let names: Vec<(u64, &str)> = left.iter().map(|entry| (entry.seq, entry.action.as_str())).collect();
        assert_eq!(names, [(6, "prune"), (7, "test")]);
        assert!(left[0].detail.contains("5 entries up to number 5"), "{}", left[0].detail);
        // A new data key changes neither.
        tenant.rotate(&author, None).unwrap();
        let check = tenant.verify_audit().unwrap();
        assert_eq!((check.bad, check.anchor), (None, Some(pruned.anchor)));
        // And once more, behind the anchor.
        let again = tenant.prune_audit(&author, KEPT, in_years(9)).unwrap().unwrap();
        assert_eq!((again.entries, again.anchor.entries), (3, 8));
        assert_eq!(tenant.verify_audit().unwrap().bad, None);
    }

    #[test]
    fn a_removed_entry_that_comes_back_and_a_touched_anchor_are_noticed() {
        let (_folder, mut tenant) = stage();
        let blob = |tenant: &Tenant, sql: &str| -> Vec<u8> {
            tenant.connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        let (row, header) = (
            blob(&tenant, "SELECT sealed FROM audit WHERE seq = 3"),
            blob(&tenant, "SELECT sealed FROM header"),
        );
        tenant.prune_audit(&current_author(), KEPT, in_years(8)).unwrap().unwrap();
        let put = "INSERT INTO audit VALUES (3, 1, ?1)";
        tenant.connection.execute(put, [&row]).unwrap();
        let bad = tenant.verify_audit().unwrap().bad.unwrap();
        assert!(bad.0 == 3 && bad.1.contains("removed by its age"), "{bad:?}");
        tenant.connection.execute("DELETE FROM audit WHERE seq = 3", []).unwrap();
        assert_eq!(tenant.verify_audit().unwrap().bad, None);
        // The anchor is in the header's seal: an older one, or another byte, is refused.
        tenant.connection.execute("UPDATE header SET sealed = ?1", [&header]).unwrap();
        let bad = tenant.verify_audit().unwrap().bad.unwrap();
        assert!(bad.1.contains("the header was altered"), "{bad:?}");
    }

    #[test]
    fn a_broken_log_is_evidence_and_is_not_removed() {
        let (_folder, mut tenant) = stage();
        tenant.connection.execute("UPDATE audit SET sealed = zeroblob(200) WHERE seq = 2", []).unwrap();
        let refused = tenant.prune_audit(&current_author(), KEPT, in_years(8)).unwrap_err().to_string();
        assert!(refused.contains("audit entry 2"), "{refused}");
        assert_eq!(tenant.verify_audit().unwrap().bad.map(|(at, _)| at), Some(2));
    }

    #[test]
    fn a_clock_that_jumps_ten_years_removes_nothing_until_it_has_gone_evenly() {
        const HOUR: u64 = 3_600;
        let (_folder, mut tenant) = stage();
        let (start, author) = (clock::now(), current_author());
        let at = |years: i64, up_s: u64| Moment {
            wall: start.plus_ms(years * 366 * DAY_MS + up_s as i64 * 1000),
            up: Duration::from_secs(up_s),
        };
        let mut age = AuditAge::of(&tenant, at(0, 0)).unwrap();
        assert_eq!(age.run(&mut tenant, &author, KEPT, at(0, 10)).unwrap(), None);
        // Set ahead while it runs, and an entry is dated by that clock; then a process that starts with it.
        assert_eq!(age.run(&mut tenant, &author, KEPT, at(10, HOUR)).unwrap(), None);
        let mut age = AuditAge::of(&tenant, at(10, HOUR)).unwrap();
        for hours in 1..6 {
            assert_eq!(age.run(&mut tenant, &author, KEPT, at(10, hours * HOUR)).unwrap(), None, "{hours} h");
        }
        // One command, which cannot know better.
        assert!(tenant.ages(at(10, 5 * HOUR)).unwrap() < in_years(1));
        let (ages, ahead) = AuditAge::of(&tenant, at(10, 5 * HOUR)).unwrap().judge(at(10, 5 * HOUR));
        assert!(ages < in_years(1) && ahead.is_some(), "{ages:?}");
        let pruned = age.run(&mut tenant, &author, KEPT, at(10, 9 * HOUR)).unwrap();
        assert!(pruned.is_some(), "it has gone evenly for six hours: it is the time");
    }

    #[test]
    fn old_entries_are_looked_for_once_a_day() {
        const HOUR_MS: i64 = 3_600_000;
        let (_folder, mut tenant) = stage();
        let (start, author) = (clock::now(), current_author());
        let after = |hours: i64| Moment {
            wall: start.plus_ms(hours * HOUR_MS),
            up: Duration::from_secs(hours as u64 * 3_600),
        };
        let mut age = AuditAge::of(&tenant, after(0)).unwrap();
        for hours in 0..12 {
            age.run(&mut tenant, &author, KEPT, after(hours)).unwrap();
        }
        // Everything is older than no days, but it was looked at eleven hours ago.
        for hours in 12..24 {
            assert_eq!(age.run(&mut tenant, &author, 0, after(hours)).unwrap(), None, "{hours} h");
        }
        let pruned = (24..50).find_map(|hours| age.run(&mut tenant, &author, 0, after(hours)).unwrap());
        assert_eq!(pruned.map(|pruned| pruned.entries), Some(5));
    }

    #[test]
    fn an_entry_of_a_wrong_clock_is_not_what_is_believed() {
        let (_folder, tenant) = stage();
        // As if the newest entry were of a clock ten years ahead: what was believed before it counts.
        let ahead = Moment { wall: in_years(10), up: Duration::ZERO };
        let (ages, _) = AuditAge::of(&tenant, ahead).unwrap().judge(ahead);
        assert!(ages < in_years(1), "{ages:?}");
        fs::remove_file(tenant.clock_file()).unwrap();
        tenant.remember_first(in_years(10));
        let (ages, _) = AuditAge::of(&tenant, ahead).unwrap().judge(ahead);
        assert!(ages < in_years(1), "the newest entry that was there: {ages:?}");
    }
}
