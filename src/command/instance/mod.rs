//! `dbtop instance`: the inventory from the command line. Opens the tenant, changes records through the store, which writes
//! the audit log, and prints the outcome: results on standard output, advice on standard error.

mod bulk;
mod export;
mod fields;
mod import;
mod show;

pub use fields::{poll_over, split_label};

use super::{
    ask::{self, Terminal, confirm},
    check,
    invocation::Invocation,
    output::done,
    select::selected,
};
use crate::{
    app::{
        inventory::{connect, edit},
        selection::Selection,
    },
    cli::{Format, inventory as cli},
    exchange::Draft,
    model::inventory::record::InstanceRecord,
    store::Entry,
};
use anyhow::{Context, anyhow};
use std::{io::IsTerminal, process::ExitCode};

/// Runs one of the sub-commands.
///
/// # Errors
/// In sentences that say the way out.
pub async fn run(args: cli::Instance, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    use cli::InstanceCommand as Do;
    let output = args.output;
    match args.command {
        Do::Test(test) => return check::test(test, output, invocation).await,
        Do::Add(add) => add_one(*add, &invocation.selection, output).await,
        Do::Edit(edit) => bulk::edit(&edit, &invocation.selection, output),
        Do::List { which, removed } => show::list(&which, removed, &invocation.selection, output),
        Do::Show { name } => show::one(&name, &invocation.selection, output),
        Do::Remove { which, yes } => remove(&which, yes, &invocation.selection, output),
        Do::Restore { name } => restore(&name, &invocation.selection, output),
        Do::Import(import) => import::run(import, &invocation.selection, output).await,
        Do::Export(export) => export::run(&export, &invocation.selection),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// What decides about a second login on a server.
const DECIDE: &str = ": --second-login watches it with both";

async fn add_one(args: cli::Add, selection: &Selection, output: Format) -> anyhow::Result<()> {
    let mut tenant = ask::unlocked(selection)?;
    let mut draft = fields::draft(&args.fields, Some(&args.name))?;
    fields::add_lists(&mut draft, &args.fields, &Draft::default())?;
    draft.set_poll(&poll_over(&args.fields.poll, &Draft::default().poll())?);
    fields::ask_passwords(&mut draft)?;
    let record = draft.record(None)?;
    let mut twin = edit::refuse_twin(&tenant.inventory()?, &record, None, args.second_login);
    if let Err(refusal) = &twin
        && refusal.field == Some(edit::SECOND_LOGIN)
        && std::io::stdin().is_terminal()
    {
        confirm(&format!("{}. Watch it with this one, too?", refusal.words), false)?;
        twin = Ok(());
    }
    twin.map_err(|refusal| {
        let decide = if refusal.field == Some(edit::SECOND_LOGIN) { DECIDE } else { "" };
        anyhow!("{}{decide}", refusal.words)
    })?;
    if !args.no_test {
        connect::connect(&record, &mut Terminal::default()).await.with_context(|| {
            format!("{} is not saved, for it cannot be reached; --no-test saves it all the same", record.name)
        })?;
    }
    warn_insecure(&record);
    edit::add(&mut tenant, &record)?;
    done(&[("added", record.name)], output)
}

fn warn_insecure(record: &InstanceRecord) {
    if record.tls.check == crate::model::inventory::record::TlsCheck::Insecure {
        ask::say(&format!(
            "{}: its certificate is not checked: who sits on the line can read its password; --tls pin is better",
            record.name
        ));
    }
}

fn remove(which: &cli::Which, yes: bool, selection: &Selection, output: Format) -> anyhow::Result<()> {
    let mut tenant = ask::unlocked(selection)?;
    let inventory = tenant.inventory()?;
    let found = selected(&inventory, which)?;
    confirm(&format!("Remove {}?", told(&found)), yes)?;
    edit::remove(&mut tenant, &found)?;
    let names: Vec<_> = found.iter().map(|entry| ("removed", entry.record.name.clone())).collect();
    done(&names, output)
}

fn restore(name: &str, selection: &Selection, output: Format) -> anyhow::Result<()> {
    let name = edit::restore(&mut ask::unlocked(selection)?, name)?;
    done(&[("restored", name)], output)
}

/// `sales-1`, or `12 instances`.
fn told(found: &[&Entry<InstanceRecord>]) -> String {
    match found {
        [one] => one.record.name.clone(),
        several => format!("{} instances", several.len()),
    }
}
