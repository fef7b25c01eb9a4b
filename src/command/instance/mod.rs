//! `dbtop instance`: the inventory from the command line. Opens the tenant, changes records through the store, which writes
//! the audit log, and prints what came of it: results on standard output, advice on standard error.

mod bulk;
mod export;
mod fields;
mod import;
mod select;
mod show;
mod try_out;

pub use fields::{poll_over, split_label};
pub use select::{parse, selected};

use super::{
    ask, open,
    output::{Cell, Grid},
};
use crate::{
    cli::{Format, Tenancy, inventory as cli},
    exchange::Draft,
    model::inventory::record::InstanceRecord,
    store::{Entry, Inventory, Kind, Tenant, current_author},
};
use anyhow::{Context, bail};
use std::io::IsTerminal;

/// Runs one of the sub-commands.
///
/// # Errors
/// In sentences that say the way out.
pub async fn run(args: cli::Instance, tenancy: &Tenancy) -> anyhow::Result<()> {
    use cli::InstanceCommand as Do;
    let output = args.output;
    match args.command {
        // `command` sends this one to `check` itself: it has an exit code of its own, and the demo can be tested too.
        Do::Test(_) => Ok(()),
        Do::Add(add) => add_one(*add, tenancy, output).await,
        Do::Edit(edit) => bulk::edit(&edit, tenancy, output),
        Do::List { which, removed } => show::list(&which, removed, tenancy, output),
        Do::Show { name } => show::one(&name, tenancy, output),
        Do::Remove { which, yes } => remove(&which, yes, tenancy, output),
        Do::Restore { name } => restore(&name, tenancy, output),
        Do::Import(import) => import::run(import, tenancy, output).await,
        Do::Export(export) => export::run(&export, tenancy),
    }
}

async fn add_one(args: cli::Add, tenancy: &Tenancy, output: Format) -> anyhow::Result<()> {
    let mut tenant = open::unlocked(tenancy)?;
    let mut draft = fields::draft(&args.fields, Some(&args.name))?;
    fields::add_lists(&mut draft, &args.fields, &Draft::default())?;
    draft.set_poll(&poll_over(&args.fields.poll, &Draft::default().poll())?);
    fields::ask_passwords(&mut draft)?;
    let record = draft.record(None)?;
    refuse_twin(&tenant.inventory()?, &record, None)?;
    if !args.no_test {
        try_out::connect(&record).await.with_context(|| {
            format!("{} is not saved, for it cannot be reached; --no-test saves it all the same", record.name)
        })?;
    }
    warn_insecure(&record);
    tenant.change(&current_author(), |change| change.add_instance(&record))?;
    done(&[("added", record.name)], output)
}

/// Refuses an address that another instance has: it would be watched twice.
///
/// # Errors
/// There is one.
pub fn refuse_twin(inventory: &Inventory, record: &InstanceRecord, own: Option<&str>) -> anyhow::Result<()> {
    let same = |other: &InstanceRecord| {
        other.address().eq_ignore_ascii_case(&record.address()) && other.database == record.database
    };
    let twin = inventory.instances.iter().find(|e| same(&e.record) && Some(e.record.name.as_str()) != own);
    match twin {
        Some(twin) => {
            bail!("{} is at {} already: it would be watched twice", twin.record.name, record.address())
        }
        None => Ok(()),
    }
}

fn warn_insecure(record: &InstanceRecord) {
    if record.tls.check == crate::model::inventory::record::TlsCheck::Insecure {
        ask::say(&format!(
            "{}: its certificate is not checked: who sits on the line can read its password; --tls pin is better",
            record.name
        ));
    }
}

fn remove(which: &cli::Selection, yes: bool, tenancy: &Tenancy, output: Format) -> anyhow::Result<()> {
    let mut tenant = open::unlocked(tenancy)?;
    let inventory = tenant.inventory()?;
    let found = selected(&inventory, which)?;
    confirm(&format!("Remove {}?", told(&found)), yes)?;
    tenant.change(&current_author(), |change| {
        found.iter().try_for_each(|entry| change.remove(Kind::Instance, entry.id))
    })?;
    let names: Vec<_> = found.iter().map(|entry| ("removed", entry.record.name.clone())).collect();
    done(&names, output)
}

fn restore(name: &str, tenancy: &Tenancy, output: Format) -> anyhow::Result<()> {
    let mut tenant = open::unlocked(tenancy)?;
    let deleted = tenant.deleted()?;
    let entry = deleted.instance(name).with_context(|| {
        format!("no removed instance is called {name}: see `dbtop instance list --removed`")
    })?;
    let (id, name) = (entry.id, entry.record.name.clone());
    tenant.change(&current_author(), |change| change.restore(Kind::Instance, id))?;
    done(&[("restored", name)], output)
}

/// The instance of this name.
pub fn named<'i>(inventory: &'i Inventory, name: &str) -> anyhow::Result<&'i Entry<InstanceRecord>> {
    inventory
        .instance(name)
        .with_context(|| format!("no instance is called {name}: see `dbtop instance list`"))
}

/// Saves changed records in one transaction: all of them or none.
pub fn save(tenant: &mut Tenant, changed: &[(Entry<InstanceRecord>, InstanceRecord)]) -> anyhow::Result<()> {
    tenant.change(&current_author(), |change| {
        changed.iter().try_for_each(|(old, new)| change.edit_instance(old.id, old.revision, new).map(drop))
    })?;
    Ok(())
}

/// `sales-1`, or `12 instances`.
fn told(found: &[&Entry<InstanceRecord>]) -> String {
    match found {
        [one] => one.record.name.clone(),
        several => format!("{} instances", several.len()),
    }
}

/// Asks unless `yes`.
///
/// # Errors
/// The answer was no, or there is nobody to ask.
pub fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        bail!("this needs a yes and there is no terminal to ask on: give --yes");
    }
    ask::say(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("reading the answer")?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    bail!("nothing was changed")
}

/// Prints what happened to which names.
///
/// # Errors
/// Writing failed.
pub fn done(what: &[(&str, String)], output: Format) -> anyhow::Result<()> {
    let row =
        |(action, name): &(&str, String)| vec![Cell::Text((*action).to_owned()), Cell::Text(name.clone())];
    let grid = Grid { columns: vec!["action", "name"], rows: what.iter().map(row).collect() };
    grid.print(output, &mut std::io::stdout().lock())
}
