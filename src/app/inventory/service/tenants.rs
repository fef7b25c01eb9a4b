//! The tenants as a whole, for the screen: their list, one made, suspended, renamed, limited, deleted, brought back. The
//! sub-commands call the same use cases of `store`. `backups` has what takes minutes.

use super::Service;
use crate::{
    app::{history::HistoryCommand, inventory::open},
    collect::Command,
    model::{
        base::{error::with_causes, secret::Secret},
        inventory::record::{Limits, Slug},
        judge::health::Level,
    },
    protocol::{List, ListId, Refusal, Reply, TenantChange, TenantLine},
    store::{Deleted, Listed, LockedTenant, Tenants, clock, current_author},
    vault::Opener,
};
use anyhow::{Context, bail};

impl Service {
    /// Tells the screen which tenants there are, the deleted ones last.
    pub(super) fn list_tenants(&mut self) {
        if self.plain.is_some() {
            return self.say(Reply::List(List::Tenants(Vec::new())));
        }
        match open::tenants().and_then(|tenants| self.lines(&tenants)) {
            Ok(lines) => {
                self.told = names(&lines);
                self.say(Reply::List(List::Tenants(lines)));
            }
            Err(e) => self.message(Level::Critical, with_causes(&*e)),
        }
    }

    fn lines(&self, tenants: &Tenants) -> anyhow::Result<Vec<TenantLine>> {
        let live = tenants.list()?.into_iter().map(|one| self.line(one));
        let deleted = tenants.deleted_tenants()?.into_iter().map(deleted_line);
        Ok(live.chain(deleted).collect())
    }

    /// Another process, or a restore, has made or deleted one while the list is on the screen.
    pub(super) fn look_at_tenants(&mut self) {
        if self.listed != Some(ListId::Tenants) || self.plain.is_some() {
            return;
        }
        let there = open::tenants().and_then(|tenants| {
            let deleted = tenants.deleted_tenants()?.into_iter().map(|one| (one.slug, true));
            Ok(tenants.slugs()?.into_iter().map(|slug| (slug, false)).chain(deleted).collect::<Vec<_>>())
        });
        if there.is_ok_and(|there| there != self.told) {
            self.list_tenants();
        }
    }

    fn line(&self, one: Listed) -> TenantLine {
        let here = self.slug.as_ref() == Some(&one.slug);
        let (state, usable) = match &one.tenant {
            Ok(tenant) if tenant.is_suspended() => ("suspended".to_owned(), false),
            Ok(_) if here => ("watched now".to_owned(), true),
            Ok(_) => ("not watched".to_owned(), true),
            Err(e) => (e.to_string(), false),
        };
        let tenant = one.tenant.as_ref().ok();
        TenantLine {
            state,
            usable,
            is_watched: here,
            is_suspended: tenant.is_some_and(LockedTenant::is_suspended),
            instances: tenant.map(LockedTenant::instances),
            size_bytes: tenant.map(LockedTenant::size_bytes),
            history_bytes: tenant.and_then(LockedTenant::history_bytes),
            used: tenant.and_then(LockedTenant::used),
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
            TenantChange::Edit { slug, to, limits } => {
                let limited = self.limit(&slug, limits)?;
                if slug == to { Ok(limited) } else { self.rename(&tenants, &slug, &to) }
            }
            TenantChange::Restore { file, to, passphrase } => self.restore(&tenants, &file, to, passphrase),
            TenantChange::Delete(slug) => {
                let deleted = tenants.delete(&slug)?;
                if self.slug.as_ref() == Some(&slug) {
                    self.let_go();
                    self.begin();
                }
                Ok(format!("{} is deleted: it can be brought back for 30 days", deleted.slug))
            }
            TenantChange::Undelete { slug, at, to } => {
                let back = tenants.undelete(&slug, Some(at), to.as_ref())?;
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
        if tenant.limits()? == limits {
            return Ok(format!("tenant {slug}: its limits are so already"));
        }
        tenant.set_limits(limits, &current_author())?;
        Ok(format!("limits of tenant {slug}: {limits}; history keeps to it when it is opened next"))
    }

    /// Stops polling and writing for the tenant that was watched.
    fn let_go(&mut self) {
        self.close();
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
}

fn deleted_line(deleted: Deleted) -> TenantLine {
    TenantLine {
        state: "deleted".to_owned(),
        size_bytes: Some(deleted.size_bytes),
        deleted: Some((deleted.at, deleted.until())),
        slug: deleted.slug,
        usable: false,
        is_watched: false,
        is_suspended: false,
        instances: None,
        history_bytes: None,
        used: Some(deleted.at),
        limits: None,
    }
}

/// What the screen was told of: the names, and whether each is deleted.
fn names(lines: &[TenantLine]) -> Vec<(Slug, bool)> {
    lines.iter().map(|line| (line.slug.clone(), line.deleted.is_some())).collect()
}
