//! The tenants as a whole, for the screen: their list, one made, suspended, renamed, deleted, brought back, limited, backed up. The
//! sub-commands call the same use cases of `store`.

use super::Service;
use crate::{
    app::{
        history::HistoryCommand,
        inventory::{backup, open},
    },
    collect::Command,
    model::{
        base::{error::with_causes, secret::Secret},
        inventory::record::{Limits, Slug},
        judge::health::Level,
    },
    protocol::{Refusal, Reply, TenantChange, TenantLine},
    store::{Deleted, Listed, LockedTenant, Progress, Tenants, clock, current_author},
    vault::Opener,
};
use anyhow::{Context, bail};
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// How often a backup says how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(2);

impl Service {
    /// Tells the screen which tenants there are, the deleted ones last.
    pub(super) fn list_tenants(&self) {
        let told = open::tenants().and_then(|tenants| {
            let live = tenants.list()?.into_iter().map(|one| self.line(one));
            let deleted = tenants.deleted_tenants()?.into_iter().map(deleted_line);
            Ok(live.chain(deleted).collect())
        });
        match told {
            Ok(lines) => self.say(Reply::Tenants(lines)),
            Err(e) => self.message(Level::Critical, with_causes(&*e)),
        }
    }

    fn line(&self, one: Listed) -> TenantLine {
        let here = self.slug.as_ref() == Some(&one.slug);
        let (state, usable) = match &one.tenant {
            Ok(tenant) if tenant.is_suspended() => ("suspended".to_owned(), false),
            Ok(_) if here => ("watched now".to_owned(), true),
            Ok(_) => (String::new(), true),
            Err(e) => (e.to_string(), false),
        };
        let tenant = one.tenant.as_ref().ok();
        TenantLine {
            state,
            usable,
            is_suspended: tenant.is_some_and(LockedTenant::is_suspended),
            instances: tenant.map(LockedTenant::instances),
            size_bytes: tenant.map(LockedTenant::size_bytes),
            history_bytes: tenant.and_then(LockedTenant::history_bytes),
            // They are sealed: only those of the open one are known.
            limits: self.open.as_ref().filter(|_| here).and_then(|open| open.tenant.limits().ok()),
            deleted: None,
            slug: one.slug,
        }
    }

    /// Carries out a change of a tenant, and tells the list anew.
    pub(super) fn change_tenant(&mut self, change: TenantChange) {
        let done = self.tenant_changed(change);
        self.say(Reply::Saved(done.map_err(|e| Refusal { field: None, words: with_causes(&*e) })));
        self.list_tenants();
    }

    fn tenant_changed(&mut self, change: TenantChange) -> anyhow::Result<String> {
        if self.plain.is_some() {
            bail!("a demo, a plain file and a recording have no tenants");
        }
        let tenants = open::tenants()?;
        match change {
            TenantChange::Create { slug, passphrase } => {
                drop(tenants.create(
                    &slug,
                    &Opener::Passphrase(passphrase),
                    "first",
                    None,
                    &current_author(),
                )?);
                Ok(format!("tenant {slug} is made: keep a second way in with `dbtop vault slot add`"))
            }
            TenantChange::Suspend(slug) => {
                tenants.suspend(self.opened_as(&slug)?, &current_author())?;
                self.load(false);
                Ok(format!(
                    "tenant {slug} is suspended: it is neither polled nor changed until it is resumed"
                ))
            }
            TenantChange::Resume { slug, passphrase } => self.resume(&tenants, &slug, passphrase),
            TenantChange::Rename { slug, to } => self.rename(&tenants, &slug, &to),
            TenantChange::Limit { slug, limits } => self.limit(&slug, limits),
            TenantChange::Delete(slug) => {
                let deleted = tenants.delete(&slug)?;
                if self.slug.as_ref() == Some(&slug) {
                    self.let_go();
                    self.begin();
                }
                Ok(format!("{} is deleted: it can be brought back for 30 days", deleted.slug))
            }
            TenantChange::Undelete { slug, to } => {
                let back = tenants.undelete(&slug, to.as_ref())?;
                Ok(format!("tenant {back} is back"))
            }
        }
    }

    /// The open tenant, if it has this name: only its keys are in memory.
    fn opened_as(&mut self, slug: &Slug) -> anyhow::Result<&mut crate::store::Tenant> {
        let open = self.open.as_mut().filter(|open| open.tenant.slug() == slug);
        open.map(|open| &mut open.tenant)
            .with_context(|| format!("tenant {slug} is not open: switch to it and unlock it first"))
    }

    fn resume(&mut self, tenants: &Tenants, slug: &Slug, secret: Option<Secret>) -> anyhow::Result<String> {
        let locked = tenants.get(slug)?;
        let mut tenant = match secret {
            Some(passphrase) => locked.unlock(&Opener::Passphrase(passphrase))?,
            None => open::unlock_unasked(&self.selection.of_tenant(slug.as_str()), &locked)?,
        };
        tenants.resume(&mut tenant, &current_author())?;
        if self.slug.as_ref() == Some(slug) {
            self.opened(tenant);
        }
        Ok(format!("tenant {slug} goes on"))
    }

    fn rename(&mut self, tenants: &Tenants, slug: &Slug, to: &Slug) -> anyhow::Result<String> {
        self.opened_as(slug)?;
        let Some(open) = self.open.take() else { bail!("tenant {slug} is not open") };
        // Its files are closed first.
        let _ = self.history.blocking_send(HistoryCommand::Close);
        match tenants.rename(open.tenant, to, &current_author()) {
            Ok(tenant) => {
                self.slug = Some(to.clone());
                self.opened(tenant);
                Ok(format!("tenant {slug} is called {to} now"))
            }
            Err(e) => {
                self.unlock_any();
                Err(e.into())
            }
        }
    }

    fn limit(&mut self, slug: &Slug, limits: Limits) -> anyhow::Result<String> {
        let tenant = self.opened_as(slug)?;
        tenant.set_limits(limits, &current_author())?;
        Ok(format!("limits of tenant {slug}: {limits}; history keeps to it when it is opened next"))
    }

    /// Stops polling and writing for the tenant that was watched.
    fn let_go(&mut self) {
        self.trials.stop_test();
        self.trials.stop_doctor();
        self.open = None;
        self.slug = None;
        self.passwords.forget_all();
        let _ = self.history.blocking_send(HistoryCommand::Close);
        let _ = self.collector.blocking_send(Command::Inventory(Vec::new()));
    }

    /// Another process has deleted or renamed the tenant.
    pub(super) fn gone(&mut self) {
        let slug = self.slug.as_ref().map_or_else(String::new, Slug::to_string);
        self.let_go();
        let why = format!(
            "tenant {slug} was deleted or renamed by another process: nothing is polled, :tenants shows all"
        );
        tracing::warn!("{why}");
        self.locked(false, Some(why));
    }

    /// Removes tenants for good that were deleted 30 days ago.
    pub(super) fn purge(&mut self) {
        let Some(purge) = &mut self.purge else { return };
        match purge.run(clock::moment()) {
            Ok(removed) if removed.is_empty() => {}
            // The slug is readable on the disk; the log may name it.
            Ok(removed) => {
                tracing::info!(count = removed.len(), "tenants deleted 30 days ago are removed for good");
            }
            Err(e) => tracing::warn!("removing tenants deleted 30 days ago: {e}"),
        }
    }

    /// Backs the open tenant up on a thread of its own: years of history take minutes. It has a connection and a copy of the keys until
    /// it ends, also if the inventory is locked meanwhile.
    pub(super) fn back_up(&self) {
        let Some(open) = &self.open else {
            return self
                .message(Level::Warning, "the inventory is locked: nothing was backed up, :unlock opens it");
        };
        let mut tenant = match open.tenant.again() {
            Ok(tenant) => tenant,
            Err(e) => return self.message(Level::Critical, format!("not backed up: {e}")),
        };
        let screen = self.replies.clone();
        let work = move || {
            let mut told = clock::up();
            let done = backup::backup(&mut tenant, None, &mut |progress| {
                if clock::up().saturating_sub(told) >= TOLD_EVERY {
                    told = clock::up();
                    tell(&screen, Level::Ok, progress_words(progress));
                }
            });
            let (level, text) = outcome(done);
            tell(&screen, level, text);
        };
        let started = std::thread::Builder::new().name("backup".into()).spawn(work);
        if let Err(e) = started {
            self.message(Level::Critical, format!("not backed up: {e}"));
        }
    }
}

fn deleted_line(deleted: Deleted) -> TenantLine {
    TenantLine {
        state: "deleted".to_owned(),
        size_bytes: Some(deleted.size_bytes),
        deleted: Some((deleted.at, deleted.until())),
        slug: deleted.slug,
        usable: false,
        is_suspended: false,
        instances: None,
        history_bytes: None,
        limits: None,
    }
}

fn tell(screen: &Sender<Reply>, level: Level, text: String) {
    // The screen is gone: the backup goes on to its end.
    let _ = screen.blocking_send(Reply::Message { level, text });
}

fn progress_words(progress: Progress) -> String {
    match progress {
        Progress::Copying(bytes) => format!("backing up: copying {} MB of history", bytes >> 20),
        Progress::Done { bytes, of } => format!("backing up: {} %", bytes * 100 / of.max(1)),
    }
}

fn outcome(done: Result<crate::store::BackupMade, crate::store::StoreError>) -> (Level, String) {
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
