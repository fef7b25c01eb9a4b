//! The audit log of the open tenant: old entries are removed once a day, and those on the screen are written into a file.

use super::Service;
use crate::{
    app::exported::{self, Exported, write_private},
    exchange::audit::{AuditFormat, write},
    model::{
        base::{error::with_causes, zone::Zone},
        inventory::record::AuditEntry,
        judge::health::Level,
    },
    protocol::{AuditQuestion, ListId, Refusal, Reply},
    store::{AuditAge, Tenant, clock, current_author},
};
use anyhow::{Context, bail};
use std::path::Path;

impl Service {
    /// Removes entries that are older than the configuration keeps them, once a day.
    pub(super) fn prune(&mut self) {
        let keep_days = self.config.borrow().audit.keep_days;
        let Some(open) = &mut self.open else { return };
        let now = clock::moment();
        let age = match &mut open.age {
            Some(age) => age,
            none => match AuditAge::of(&open.tenant, now) {
                Ok(age) => none.insert(age),
                Err(e) => return tracing::warn!("reading the age of the audit log: {e}"),
            },
        };
        match age.run(&mut open.tenant, &current_author(), keep_days, now) {
            Ok(None) => {}
            Ok(Some(pruned)) => {
                tracing::info!(
                    entries = pruned.entries,
                    keep_days,
                    "old entries of the audit log are removed"
                );
                if self.listed == Some(ListId::Audit) {
                    self.tell_list();
                }
            }
            Err(e) => {
                tracing::warn!("removing old entries of the audit log: {e}");
                self.message(Level::Warning, format!("old entries of the audit log are not removed: {e}"));
            }
        }
    }

    /// Tells the screen of these entries, and again when there are more.
    pub(super) fn list_audit(&mut self, question: AuditQuestion, zone: Zone) {
        self.listed = Some(ListId::Audit);
        self.search(question, zone);
    }

    /// Writes a text that is on the screen into a file; where there is a tenant, its audit log tells of it.
    pub(super) fn write_file(&mut self, file: &Path, (what, scope): (&str, &str), text: &str) {
        let is_noted = self.is_noted();
        let done = match (&mut self.open, is_noted) {
            (None, true) => Err("the inventory is locked, so the audit log could not have it: nothing was written, :unlock opens it".to_owned()),
            (open, _) => {
                write_text(open.as_mut().map(|open| &mut open.tenant), file, (what, scope), text)
                    .map_err(|e| with_causes(&*e))
            }
        };
        self.say(Reply::Saved(done.map_err(|words| Refusal { field: Some("file"), words })));
    }

    /// Writes entries into a file, and the audit log tells of it.
    pub(super) fn export_audit(&mut self, file: &Path, entries: &[u64]) {
        let done = self.change(|open| {
            export(&mut open.tenant, file, entries)
                .map_err(|e| Refusal { field: Some("file"), words: with_causes(&*e) })
        });
        self.say(Reply::Saved(done));
        self.tell_list();
    }
}

fn write_text(
    tenant: Option<&mut Tenant>,
    file: &Path,
    (what, scope): (&str, &str),
    text: &str,
) -> anyhow::Result<String> {
    let sha256 = write_private(file, text.as_bytes())?;
    if let Some(tenant) = tenant {
        let exported = Exported { what, scope, period: None, file: Some(file), sha256: &sha256 };
        exported
            .note(tenant)
            .with_context(|| format!("{} is written, but its entry is not", file.display()))?;
    }
    Ok(format!("{what} written to {}", file.display()))
}

fn export(tenant: &mut Tenant, file: &Path, seqs: &[u64]) -> anyhow::Result<String> {
    let format = file.extension().and_then(|end| AuditFormat::of_extension(&end.to_string_lossy()));
    let Some(format) = format else { bail!("the name says what is written: end it in .csv or .json") };
    let mut entries: Vec<AuditEntry> = Vec::with_capacity(seqs.len());
    for seq in seqs {
        let slice = tenant.audit_before(seq.saturating_add(1), 1)?;
        entries.extend(slice.entries.into_iter().filter(|entry| entry.seq == *seq));
    }
    let bytes = write(format, &entries).map_err(anyhow::Error::msg)?;
    let sha256 = write_private(file, &bytes)?;
    let scope = exported::of_entries(tenant, &entries, Some(file), &sha256)
        .with_context(|| format!("{} is written, but its entry is not", file.display()))?;
    Ok(format!("{scope} written to {}", file.display()))
}
