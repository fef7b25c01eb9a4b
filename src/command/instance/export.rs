//! `dbtop instance export`: the inventory as a file. Passwords stay in the vault unless somebody asks for them twice.

use super::import::format_of;
use crate::{
    app::{
        exported::{Exported, write_private},
        selection::Selection,
    },
    cli::inventory::Export,
    command::{
        ask::{self, confirm},
        select::narrowed,
    },
    exchange::{self, Format, Secrets},
    model::{base::figure::counted, inventory::record::InstanceRecord},
    store::sha256,
};
use anyhow::{Context, bail};
use std::io::Write;

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
    let sha256 = match &args.to {
        Some(file) => write_private(file, &bytes)?,
        None => match std::io::stdout().lock().write_all(&bytes) {
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            done => done.map(|()| sha256(&bytes))?,
        },
    };
    let with = if args.with_secrets { "with passwords" } else { "without passwords" };
    let scope = format!("{} {with}", counted(records.len(), "instance"));
    let file = args.to.as_deref();
    let exported = Exported { what: "instance", scope: &scope, period: None, file, sha256: &sha256 };
    exported.note(&mut tenant).context("it is written, but the audit log does not tell of it")?;
    if let Some(file) = file {
        ask::say(&format!("{} instances written to {}", records.len(), file.display()));
    }
    Ok(())
}
