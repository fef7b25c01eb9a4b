//! Backups for the screen, written and restored each on a thread of its own: years of history take minutes. The service goes on
//! meanwhile; messages tell how far it is and how it went.

use super::Service;
use crate::{
    app::inventory::backup,
    model::{
        base::{error::with_causes, secret::Secret},
        inventory::record::Slug,
        judge::health::Level,
    },
    protocol::{Refusal, Reply},
    store::{BackupFile, BackupMade, Progress, StoreError, Tenants, clock, current_author},
    vault::{self, Env, Opener},
};
use std::{path::Path, time::Duration};
use tokio::sync::mpsc::Sender;

/// How often it is told how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(2);

impl Service {
    /// Backs the open tenant up into this file, or into one of its own name. The thread has a connection and a copy of the keys until
    /// it ends, also if the inventory is locked meanwhile.
    pub(super) fn back_up(&self, file: Option<&Path>) {
        let begun =
            self.backing_up(file).map_err(|e| Refusal { field: Some("file"), words: with_causes(&*e) });
        self.say(Reply::Saved(begun));
    }

    fn backing_up(&self, file: Option<&Path>) -> anyhow::Result<String> {
        let Some(open) = &self.open else {
            anyhow::bail!("the inventory is locked: nothing was backed up, :unlock opens it");
        };
        let mut tenant = open.tenant.again()?;
        let file = backup::place(&tenant, file)?;
        if file.exists() {
            anyhow::bail!("{} is there already: another name, for nothing is written over", file.display());
        }
        let begun = format!("backing {} up into {} …", tenant.slug(), file.display());
        let screen = self.replies.clone();
        std::thread::Builder::new().name("backup".into()).spawn(move || {
            let done = tenant.backup(&file, &current_author(), &mut telling("backing up", &screen));
            let (level, text) = backed_up(done);
            tell(&screen, level, text);
        })?;
        Ok(begun)
    }

    /// Makes a tenant of a backup. What is wrong with file, name and key is said at once.
    pub(super) fn restore(
        &self,
        tenants: &Tenants,
        file: &Path,
        to: Option<Slug>,
        secret: Option<Secret>,
    ) -> anyhow::Result<String> {
        let backup = BackupFile::open(file)?;
        let (uid, slots) = (backup.uid(), backup.slots());
        let sealer = if let Some(passphrase) = secret {
            vault::unlock(uid, slots, &Opener::Passphrase(passphrase))?
        } else {
            let name = to.as_ref().map_or("", Slug::as_str);
            vault::unlock_any(
                uid,
                slots,
                &Env::of_process(name, self.selection.key_file.clone(), &self.selection.unwrap),
            )?
        };
        let name = match &to {
            Some(name) => Some(name.clone()),
            None => BackupFile::open(file)?.name(&sealer)?,
        };
        if let Some(taken) = name.filter(|name| tenants.slugs().is_ok_and(|all| all.contains(name))) {
            return Err(StoreError::TenantExists(taken.to_string()).into());
        }
        let (screen, tenants) = (self.replies.clone(), tenants.clone());
        std::thread::Builder::new().name("restore".into()).spawn(move || {
            let told = &mut telling("restoring", &screen);
            let (level, text) = match tenants.restore(backup, sealer, to, &current_author(), told) {
                Ok(tenant) => (Level::Ok, format!("tenant {} is restored", tenant.slug())),
                Err(e) => (Level::Critical, format!("not restored: {e}")),
            };
            tell(&screen, level, text);
        })?;
        Ok(format!("restoring {} …", file.display()))
    }
}

/// Tells the screen how far it is, every two seconds.
fn telling(doing: &'static str, screen: &Sender<Reply>) -> impl FnMut(Progress) {
    let (mut told, screen) = (clock::up(), screen.clone());
    move |progress| {
        if clock::up().saturating_sub(told) >= TOLD_EVERY {
            told = clock::up();
            tell(&screen, Level::Ok, progress_words(doing, progress));
        }
    }
}

fn tell(screen: &Sender<Reply>, level: Level, text: String) {
    // The screen is gone: the work goes on to its end.
    let _ = screen.blocking_send(Reply::Message { level, text });
}

fn progress_words(doing: &str, progress: Progress) -> String {
    match progress {
        Progress::Copying(bytes) => format!("{doing}: copying {} MB of history", bytes >> 20),
        Progress::Done { bytes, of } => format!("{doing}: {} %", bytes * 100 / of.max(1)),
    }
}

fn backed_up(done: Result<BackupMade, StoreError>) -> (Level, String) {
    match done {
        Ok(made) => {
            let (file, lacks) = (made.path.display(), backup::lacks(&made));
            if lacks.is_empty() {
                (Level::Ok, format!("backed up into {file}"))
            } else {
                (Level::Warning, format!("backed up into {file}, but {}", lacks.join("; ")))
            }
        }
        Err(e) => (Level::Critical, format!("not backed up: {e}")),
    }
}
