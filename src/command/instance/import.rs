//! `dbtop instance import`: a file, or a Central Management Server, into the inventory. Prints what would change; with
//! `--yes` it saves the changes, in one transaction.

use super::fields;
use crate::{
    app::{
        exported::Exported,
        inventory::{connect::registered_servers, edit::named},
        selection::Selection,
    },
    cli::{
        Format,
        inventory::{FileFormat, Import, OnConflict},
    },
    command::{
        ask::{self, Terminal},
        output::{Cell, Grid},
    },
    exchange::{self, Change, Conflict, Defaults, Plan, Rows},
    model::{
        base::text,
        inventory::record::{Auth, InstanceRecord, Outcome, SecretRef},
    },
    store::{Inventory, Tenant, current_author, sha256},
};
use anyhow::{Context, bail};
use std::{
    io::{IsTerminal, Read},
    path::Path,
};

/// Largest file: 64 MB.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Reads, compares, prints, and with `--yes` saves.
///
/// # Errors
/// The file cannot be read; with `--yes` bad rows without `--skip-bad`; the store refuses.
pub async fn run(args: Import, selection: &Selection, output: Format) -> anyhow::Result<()> {
    let mut tenant = ask::unlocked(selection)?;
    let inventory = tenant.inventory()?;
    let defaults = Defaults { auth: login(&args)? };
    let (rows, sha256) = match (&args.cms, &args.file) {
        (Some(name), _) => {
            let rows = registered_servers(&named(&inventory, name)?.record, &mut Terminal::default()).await?;
            (rows, None)
        }
        (None, Some(file)) => {
            let (rows, sha256) = read(file, args.format)?;
            (rows, Some(sha256))
        }
        (None, None) => bail!("give a file, or --cms NAME"),
    };
    rows.remarks.iter().for_each(|remark| ask::say(remark));
    let records: Vec<InstanceRecord> = inventory.instances.iter().map(|entry| entry.record.clone()).collect();
    let mut plan = exchange::plan(&records, &rows, &defaults);
    if let Some(conflict) = decided(&args, plan.second_logins())? {
        plan.settle(&records, conflict);
    }
    let groups = inventory.groups.iter().map(|entry| entry.record.name.as_str());
    plan.hold_to_names(groups, inventory.labels.iter().map(|entry| entry.record.key.as_str()));
    let counts = plan.counts();
    grid(&plan).print(output, &mut std::io::stdout().lock())?;
    ask::say(&format!(
        "{} new, {} changed, {} unchanged, {} refused",
        counts.add, counts.edit, counts.same, counts.refused
    ));
    say_asked(&plan);
    if !args.yes {
        ask::say("nothing was changed: --yes does it");
        return Ok(());
    }
    if counts.refused > 0 && !args.skip_bad {
        bail!(
            "{} of {} rows are refused, so nothing was changed: fix them, or take the others with --skip-bad",
            counts.refused,
            plan.entries.len()
        );
    }
    if counts.add + counts.edit > 0 {
        apply(&mut tenant, &inventory, &plan)?;
        let scope = format!("{} added, {} changed", counts.add, counts.edit);
        note(&mut tenant, &args, &scope, sha256.as_deref())?;
    }
    ask::say(&format!("{} added, {} changed", counts.add, counts.edit));
    Ok(())
}

/// The entry of the import as a whole; each instance has its own, too.
fn note(tenant: &mut Tenant, args: &Import, scope: &str, sha256: Option<&str>) -> anyhow::Result<()> {
    let done = match (sha256, &args.cms) {
        (Some(sha256), _) => {
            let file = args.file.as_deref().filter(|file| *file != Path::new("-"));
            Exported { what: "instance", scope, period: None, file, sha256 }.note_as("import", tenant)
        }
        (None, server) => {
            let from = server.as_deref().unwrap_or("-");
            let detail = format!("{scope}; from the Central Management Server there");
            tenant.note(&current_author(), ("import", "instance", from), Outcome::Done, &detail)
        }
    };
    done.context("it is done, but the audit log does not tell of it")
}

fn apply(tenant: &mut Tenant, inventory: &Inventory, plan: &Plan) -> anyhow::Result<()> {
    let old: std::collections::HashMap<String, _> =
        inventory.instances.iter().map(|entry| (entry.record.name.to_lowercase(), entry)).collect();
    tenant.change(&current_author(), |change| {
        for entry in &plan.entries {
            match &entry.change {
                Change::Add(record) => drop(change.add_instance(record)?),
                Change::Edit(record, _) => {
                    if let Some(old) = old.get(&record.name.to_lowercase()) {
                        change.edit_instance(old.id, old.revision, record)?;
                    }
                }
                Change::Same
                | Change::Bad(_)
                | Change::DuplicateName(_)
                | Change::DuplicateAddress(_)
                | Change::SecondLogin(..) => {}
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// What becomes of rows with another login for a server that is there: as the option says, else as the terminal answers. None: they are
/// refused, with the words how to decide.
fn decided(args: &Import, rows: usize) -> anyhow::Result<Option<Conflict>> {
    let of = |option| match option {
        OnConflict::Skip => Conflict::Skip,
        OnConflict::Replace => Conflict::Replace,
        OnConflict::Both => Conflict::Both,
    };
    // Standard input may be the file.
    let is_asked = args.yes && args.file.as_deref() != Some(Path::new("-")) && std::io::stdin().is_terminal();
    if args.on_conflict.is_some() || rows == 0 || !is_asked {
        return Ok(args.on_conflict.map(of));
    }
    ask::say(&format!(
        "{rows} rows have another login for a server that is watched already: skip them, replace the login that is there, or watch with both? [skip/replace/both]"
    ));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("reading the answer")?;
    match answer.trim() {
        "skip" => Ok(Some(Conflict::Skip)),
        "replace" => Ok(Some(Conflict::Replace)),
        "both" => Ok(Some(Conflict::Both)),
        _ => bail!("that is none of skip, replace, both: nothing was changed"),
    }
}

fn login(args: &Import) -> anyhow::Result<Option<Auth>> {
    let secret = fields::secret(&args.secret)?;
    match (&args.user, secret) {
        (Some(user), secret) => {
            Ok(Some(Auth::Sql { user: user.clone(), secret: secret.unwrap_or(SecretRef::Ask) }))
        }
        (None, Some(_)) => bail!("there is a password for rows without a login, but no --user"),
        (None, None) => Ok(None),
    }
}

/// The rows of a file, and its SHA-256.
fn read(file: &Path, format: Option<FileFormat>) -> anyhow::Result<(Rows, String)> {
    let doing = || format!("reading {}", file.display());
    let format = format
        .map(format_of)
        .or_else(|| exchange::Format::of_extension(file.extension()?.to_str()?))
        .with_context(|| format!("{}: its name does not say the format: give --format", file.display()))?;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let mut from: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = std::fs::File::open(file).with_context(doing)?;
        fits(opened.metadata().with_context(doing)?.len(), file)?;
        Box::new(opened)
    };
    (&mut from).take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).with_context(doing)?;
    fits(bytes.len() as u64, file)?;
    let rows = exchange::read(format, &bytes).with_context(|| file.display().to_string())?;
    Ok((rows, sha256(&bytes)))
}

fn fits(bytes: u64, file: &Path) -> anyhow::Result<()> {
    if bytes > MAX_FILE_BYTES {
        bail!("{}: larger than 64 MB: split it", file.display());
    }
    Ok(())
}

/// The format that an option names.
pub const fn format_of(format: FileFormat) -> exchange::Format {
    match format {
        FileFormat::Csv => exchange::Format::Csv,
        FileFormat::Json => exchange::Format::Json,
        FileFormat::Toml => exchange::Format::Toml,
        FileFormat::Regsrvr => exchange::Format::Regsrvr,
    }
}

/// A row for each record that changes something or has an error.
fn grid(plan: &Plan) -> Grid {
    let clean = |text: &str| Cell::Text(text::sanitize_line(text, 500).to_string());
    let rows = plan.entries.iter().filter(|entry| entry.change != Change::Same).map(|entry| {
        let (action, detail) = match (&entry.change, entry.problem()) {
            (_, Some(problem)) => ("refused", format!("{}: {}", problem.field, problem.reason)),
            (Change::Edit(_, fields), None) => {
                ("change", fields.iter().map(told).collect::<Vec<_>>().join("; "))
            }
            (Change::Add(record), None) => ("add", record.address()),
            _ => ("same", String::new()),
        };
        let remark = entry.remark.as_deref().map_or(Cell::Unknown(String::new()), clean);
        vec![
            Cell::Int(entry.line as i64),
            Cell::Text(action.into()),
            clean(&entry.name),
            clean(&detail),
            remark,
        ]
    });
    Grid { columns: vec!["line", "action", "name", "detail", "remark"], rows: rows.collect() }
}

fn told(change: &exchange::FieldChange) -> String {
    let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".into());
    format!("{}: {} → {}", change.field, side(&change.before), side(&change.after))
}

/// Warns about logins without a password: they are asked for at each start.
fn say_asked(plan: &Plan) {
    let asks = |change: &Change| match change {
        Change::Add(record) => matches!(record.auth.secret(), Some(SecretRef::Ask)),
        _ => false,
    };
    let count = plan.entries.iter().filter(|entry| asks(&entry.change)).count();
    if count > 0 {
        ask::say(&format!(
            "{count} new instances have no password: it will be asked for at start; `dbtop instance edit` gives one to many"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_64_mb_at_most() {
        let file = Path::new("fleet.csv");
        assert!(fits(MAX_FILE_BYTES, file).is_ok() && fits(0, file).is_ok());
        // A file that is all hole: it is refused before it is read.
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("fleet.csv");
        std::fs::File::create(&large).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
        let refused = read(&large, None).err().unwrap().to_string();
        assert!(refused.contains("fleet.csv: larger than 64 MB"), "{refused}");
    }
}
