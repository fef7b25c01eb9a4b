//! `dbtop instance export`: the inventory as a file. Passwords stay in the vault unless somebody asks for them twice.

use super::import::format_of;
use crate::{
    app::selection::Selection,
    cli::inventory::Export,
    command::{
        ask::{self, confirm},
        select::narrowed,
    },
    exchange::{self, Format, Secrets},
    model::inventory::record::{InstanceRecord, Outcome},
    store::current_author,
};
use anyhow::{Context, bail};
use std::{fs::File, io::Write, path::Path};

/// Writes a file or standard output.
///
/// # Errors
/// Nothing to write, the file is there already, or it cannot be written.
pub fn run(args: &Export, selection: &Selection) -> anyhow::Result<()> {
    let by_name = || args.to.as_ref()?.extension()?.to_str().and_then(Format::of_extension);
    let format = args.format.map(format_of).or_else(by_name).unwrap_or(Format::Csv);
    let mut tenant = ask::unlocked(selection)?;
    let inventory = tenant.inventory()?;
    let records: Vec<InstanceRecord> =
        narrowed(&inventory, &args.which)?.into_iter().map(|entry| entry.record.clone()).collect();
    if args.with_secrets && format == Format::Regsrvr {
        bail!(
            "registered servers cannot carry passwords: SSMS encrypts them for one Windows user; leave --with-secrets"
        );
    }
    let secrets = if args.with_secrets { Secrets::Write } else { Secrets::Leave };
    if args.with_secrets {
        let count = records.iter().map(|record| record.secrets().count()).sum::<usize>();
        confirm(&format!("Write {count} passwords, readable by whoever can read the file?"), args.yes)?;
    }
    let bytes =
        zeroize::Zeroizing::new(exchange::write(format, &records, secrets).map_err(anyhow::Error::msg)?);
    let Some(file) = &args.to else {
        return match std::io::stdout().lock().write_all(&bytes) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        };
    };
    write_private(file, &bytes).with_context(|| format!("writing {}", file.display()))?;
    if args.with_secrets {
        // The audit log records that passwords left the vault.
        let detail = format!("{} instances with passwords", records.len());
        tenant.change(&current_author(), |change| {
            change.log("export", "instance", "", Outcome::Done, &detail)
        })?;
    }
    ask::say(&format!("{} instances written to {}", records.len(), file.display()));
    Ok(())
}

/// A new file that only its owner may read: hosts and logins tell something even without passwords.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
