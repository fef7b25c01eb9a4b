//! Deleted tenants: each is a folder beside the others that is kept for 30 days, so that it can be brought back. Deleting and
//! bringing back are one rename each, and need no key. For `dbtop tenant delete` and `undelete`, and for the inventory service, which
//! removes for good.
//!
//! The folder's name has the slug and when it was deleted. A step of the clock is no age (`model::base::age`): what is removed for good is
//! judged by an [`AgeClock`] that only a program that keeps running feeds, and its knowledge is beside the folders for the next one.

use super::{
    StoreError,
    clock::moment,
    home::{private_file, private_folder, size, sync_folder, whole_file},
    notes,
    tenant::{FILE, lock_of},
    tenants::{Tenants, uid_of},
};
use crate::{
    model::{
        base::{
            age::{AgeClock, Moment, Remembered},
            time::Timestamp,
        },
        inventory::record::{Slug, TenantUid},
    },
    vault,
};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

/// Days until a deleted tenant is removed for good.
pub const KEPT_DAYS: i64 = 30;
const FOLDER: &str = ".deleted";
const CLOCK: &str = "clock";
const DAY_MS: i64 = 86_400_000;

/// A deleted tenant that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// the name it had
    pub slug: Slug,
    /// when it was deleted
    pub at: Timestamp,
    /// of all its files
    pub size_bytes: u64,
    folder: PathBuf,
}

impl Deleted {
    /// Until then it can be brought back.
    pub const fn until(&self) -> Timestamp {
        self.at.plus_ms(KEPT_DAYS * DAY_MS)
    }
}

impl Tenants {
    /// Deletes a tenant with everything in it: puts it aside for [`KEPT_DAYS`]. Needs no key, so that a tenant with a lost key can be
    /// deleted.
    ///
    /// # Errors
    /// [`StoreError::NoTenant`]; [`StoreError::Busy`] if somebody writes.
    pub fn delete(&self, slug: &Slug) -> Result<Deleted, StoreError> {
        let _lock = self.provision()?;
        let folder = self.folder_of(slug)?;
        let _writer = lock_of(&folder, slug)?;
        let trash = self.trash();
        private_folder(&trash)?;
        let now = moment();
        // A clock that starts in 1970 makes nothing old.
        let at = remembered(&trash).map_or(now.wall, |left| left.believed.max(now.wall));
        if remembered(&trash).is_none() {
            remember(&trash, Remembered { believed: at, wall: at, doubted: Duration::ZERO })?;
        }
        let aside = trash.join(format!("{slug}.{}", at.ms()));
        fs::rename(&folder, &aside).map_err(StoreError::io("deleting", &folder))?;
        sync_folder(&trash)?;
        sync_folder(&self.folder)?;
        // It is deleted, whether the note can be written or not.
        let _ = notes::leave(&aside, "delete", "");
        Ok(Deleted { slug: slug.clone(), at, size_bytes: size(&aside), folder: aside })
    }

    /// The deleted tenants that can be brought back, by name; of one name the newest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn deleted_tenants(&self) -> Result<Vec<Deleted>, StoreError> {
        let trash = self.trash();
        if !trash.exists() {
            return Ok(Vec::new());
        }
        let failed = || StoreError::io("reading", &trash);
        let mut found = Vec::new();
        for entry in fs::read_dir(&trash).map_err(failed())? {
            let folder = entry.map_err(failed())?.path();
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some((slug, at)) = name.rsplit_once('.') else { continue };
            if let (Ok(slug), Ok(ms)) = (Slug::parse(slug), at.parse()) {
                let size_bytes = size(&folder);
                found.push(Deleted { slug, at: Timestamp::from_ms(ms), size_bytes, folder });
            }
        }
        found.sort_by(|a, b| (&a.slug, b.at).cmp(&(&b.slug, a.at)));
        Ok(found)
    }

    /// Brings the deleted tenant of this name back, under it or another name. Of several `which` says when it was deleted.
    ///
    /// # Errors
    /// None of this name was deleted then; [`StoreError::SeveralDeleted`] if it is not said which; [`StoreError::TenantExists`];
    /// [`StoreError::SameTenant`] if it is here already, from a backup.
    pub fn undelete(
        &self,
        slug: &Slug,
        which: Option<Timestamp>,
        to: Option<&Slug>,
    ) -> Result<Slug, StoreError> {
        let _lock = self.provision()?;
        let all = self.deleted_tenants()?;
        let is_meant = |one: &&Deleted| one.slug == *slug && which.is_none_or(|at| one.at == at);
        let meant: Vec<&Deleted> = all.iter().filter(is_meant).collect();
        let found = match &meant[..] {
            [] => {
                let mut known: Vec<String> = all.iter().map(|deleted| deleted.slug.to_string()).collect();
                known.dedup();
                return Err(StoreError::NotDeleted { name: slug.to_string(), known });
            }
            [one] => *one,
            several => {
                let told = several.iter().map(|one| (one.at, one.size_bytes)).collect();
                return Err(StoreError::SeveralDeleted { name: slug.to_string(), deleted: told });
            }
        };
        let to = to.unwrap_or(slug);
        self.refuse_taken(to)?;
        if let Ok(uid) = uid_of(&found.folder.join(FILE)) {
            self.refuse_second(&uid, &found.folder)?;
        }
        let place = self.folder.join(to.as_str());
        fs::rename(&found.folder, &place).map_err(StoreError::io("bringing back", &place))?;
        sync_folder(&self.folder)?;
        let detail = if to == slug { String::new() } else { format!("it was called {slug}") };
        let _ = notes::leave(&place, "undelete", &detail);
        Ok(to.clone())
    }

    /// Removes a deleted tenant for good. Nothing but a backup brings it back then.
    ///
    /// # Errors
    /// Its files cannot be removed.
    pub fn remove_for_good(&self, deleted: &Deleted) -> Result<(), StoreError> {
        let _lock = self.provision()?;
        // A process that is killed leaves a name that the next one sweeps.
        let gone = self.folder.join(format!("{}{}", super::tenants::TEMPORARY, vault::random_id()?));
        fs::rename(&deleted.folder, &gone).map_err(StoreError::io("removing", &deleted.folder))?;
        sync_folder(&self.folder)?;
        fs::remove_dir_all(&gone).map_err(StoreError::io("removing", &gone))
    }

    /// Two copies of one tenant would take each other's records for their own.
    pub(super) fn refuse_second(&self, uid: &TenantUid, path: &Path) -> Result<(), StoreError> {
        for slug in self.slugs()? {
            if uid_of(&self.folder.join(slug.as_str()).join(FILE)).is_ok_and(|there| there == *uid) {
                return Err(StoreError::SameTenant {
                    path: path.to_owned(),
                    uid: uid.short(),
                    slug: slug.to_string(),
                });
            }
        }
        Ok(())
    }

    fn trash(&self) -> PathBuf {
        self.folder.join(FOLDER)
    }
}

/// The clock of a running program, by which deleted tenants are removed for good. Feed it every few seconds.
pub struct Purge {
    tenants: Tenants,
    /// None: nothing was deleted here yet
    clock: Option<AgeClock>,
    saved: Option<Duration>,
}

/// So often its knowledge is saved, and the folders are looked at.
const SAVE_EVERY: Duration = Duration::from_mins(10);

impl Purge {
    /// Reads nothing yet.
    pub const fn new(tenants: Tenants) -> Self {
        Self { tenants, clock: None, saved: None }
    }

    /// Takes the clocks of this machine, and removes what is too old. Returns the names of what was removed.
    ///
    /// # Errors
    /// A folder cannot be read or removed. The next call tries again.
    pub fn run(&mut self, now: Moment) -> Result<Vec<Slug>, StoreError> {
        let trash = self.tenants.trash();
        if self.clock.is_none() && !trash.exists() {
            return Ok(Vec::new());
        }
        let clock = self.clock.get_or_insert_with(|| AgeClock::resume(remembered(&trash), None, now));
        let ages = clock.judge(now).ages;
        if self.saved.is_some_and(|saved| now.up.saturating_sub(saved) < SAVE_EVERY) {
            return Ok(Vec::new());
        }
        self.saved = Some(now.up);
        remember(&trash, clock.remember())?;
        let mut removed = Vec::new();
        for deleted in self.tenants.deleted_tenants()?.into_iter().filter(|deleted| deleted.until() <= ages) {
            self.tenants.remove_for_good(&deleted)?;
            removed.push(deleted.slug);
        }
        Ok(removed)
    }
}

fn remembered(trash: &Path) -> Option<Remembered> {
    let text = fs::read_to_string(trash.join(CLOCK)).ok()?;
    let mut numbers = text.split_whitespace().map(str::parse::<i64>);
    let mut next = || numbers.next()?.ok();
    let (believed, wall, doubted) = (next()?, next()?, next()?);
    Some(Remembered {
        believed: Timestamp::from_ms(believed),
        wall: Timestamp::from_ms(wall),
        doubted: Duration::from_millis(u64::try_from(doubted).ok()?),
    })
}

fn remember(trash: &Path, left: Remembered) -> Result<(), StoreError> {
    let file = trash.join(CLOCK);
    let new = trash.join(format!("{CLOCK}-{}", vault::random_id()?.short()));
    let text = format!("{} {} {}\n", left.believed.ms(), left.wall.ms(), left.doubted.as_millis());
    whole_file(&new, |part| {
        private_file(part)?.write_all(text.as_bytes()).map_err(StoreError::io("writing", part))
    })?;
    fs::rename(&new, &file).map_err(StoreError::io("writing", &file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{AuditFilter, Home, current_author},
        vault::Opener,
    };

    const HOUR: u64 = 3_600;

    fn stage() -> (tempfile::TempDir, Tenants, Slug) {
        let folder = tempfile::tempdir().unwrap();
        let tenants = Tenants::open(&Home::at(&folder.path().join("home"))).unwrap();
        let slug = Slug::parse("acme").unwrap();
        let key = Opener::KeyFile(folder.path().join("key"));
        drop(tenants.create(&slug, &key, "test", None, &current_author()).unwrap());
        (folder, tenants, slug)
    }

    #[test]
    fn a_deleted_tenant_comes_back_whole() {
        let (folder, tenants, slug) = stage();
        let deleted = tenants.delete(&slug).unwrap();
        assert_eq!((tenants.slugs().unwrap().len(), deleted.slug.as_str()), (0, "acme"));
        assert!(tenants.get(&slug).err().unwrap().to_string().contains("no tenant is called acme"));
        let other = Slug::parse("acme-2").unwrap();
        let unknown = tenants.undelete(&other, None, None).unwrap_err().to_string();
        assert!(unknown.contains("acme-2") && unknown.contains("there are acme"), "{unknown}");
        assert_eq!(tenants.undelete(&slug, None, None).unwrap(), slug);
        let opener = Opener::KeyFile(folder.path().join("key"));
        let back = tenants.get(&slug).unwrap().unlock(&opener).unwrap();
        let told = back.audit(&AuditFilter::default()).unwrap();
        let actions: Vec<&str> = told.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["create", "delete", "undelete"], "noted without a key, entries with it");
        assert!(told[1].detail.contains("without a key"), "{}", told[1].detail);
        drop(back);
        let again = tenants.get(&slug).unwrap().unlock(&opener).unwrap();
        assert_eq!(again.audit(&AuditFilter::default()).unwrap().len(), 3, "once");
        drop(again);
        assert!(tenants.deleted_tenants().unwrap().is_empty());
        // A new one has taken the name.
        tenants.delete(&slug).unwrap();
        drop(tenants.create(&slug, &opener, "test", None, &current_author()).unwrap());
        assert!(matches!(tenants.undelete(&slug, None, None), Err(StoreError::TenantExists(_))));
        assert_eq!(tenants.undelete(&slug, None, Some(&other)).unwrap(), other);
        assert_eq!(tenants.slugs().unwrap(), [slug, other]);
    }

    #[test]
    fn of_two_deleted_tenants_of_one_name_none_is_taken_silently() {
        let (folder, tenants, slug) = stage();
        let first = tenants.delete(&slug).unwrap();
        std::thread::sleep(Duration::from_millis(2));
        let key = Opener::KeyFile(folder.path().join("key"));
        drop(tenants.create(&slug, &key, "test", None, &current_author()).unwrap());
        let second = tenants.delete(&slug).unwrap();
        let refused = tenants.undelete(&slug, None, None).unwrap_err();
        let StoreError::SeveralDeleted { deleted, .. } = &refused else { panic!("{refused}") };
        assert_eq!(deleted.iter().map(|one| one.0).collect::<Vec<_>>(), [second.at, first.at]);
        let words = refused.to_string();
        assert_eq!(words.matches(" KB").count() + words.matches(" MB").count(), 2, "{words}");
        assert_eq!(tenants.undelete(&slug, Some(first.at), None).unwrap(), slug);
        let left: Vec<Timestamp> = tenants.deleted_tenants().unwrap().iter().map(|one| one.at).collect();
        assert_eq!(left, [second.at]);
    }

    #[test]
    fn it_is_removed_after_thirty_days_and_a_step_of_the_clock_is_none() {
        let (_folder, tenants, slug) = stage();
        let at = tenants.delete(&slug).unwrap().at;
        let mut purge = Purge::new(tenants.clone());
        let mut run = |days: i64, up_s: u64| {
            let wall = at.plus_ms(days * DAY_MS + up_s as i64 * 1000);
            purge.run(Moment { wall, up: Duration::from_secs(up_s) }).unwrap().len()
        };
        assert_eq!(run(0, 10), 0);
        // The clock is set 40 days ahead, and back.
        assert_eq!((run(40, HOUR), run(40, 2 * HOUR), run(0, 3 * HOUR)), (0, 0, 0));
        // Another process begins with a clock that is ahead.
        let mut purge = Purge::new(tenants.clone());
        let mut run = |days: i64, up_s: u64| {
            let wall = at.plus_ms(days * DAY_MS + up_s as i64 * 1000);
            purge.run(Moment { wall, up: Duration::from_secs(up_s) }).unwrap().len()
        };
        assert_eq!((run(40, 3 * HOUR), run(40, 8 * HOUR)), (0, 0));
        assert_eq!(tenants.deleted_tenants().unwrap().len(), 1);
        assert_eq!(run(40, 10 * HOUR), 1, "it has gone evenly for six hours: it is the time");
        assert!(
            tenants.deleted_tenants().unwrap().is_empty() && tenants.undelete(&slug, None, None).is_err()
        );
    }
}
