//! `dbtop tenant`: makes, lists, suspends, renames, deletes tenants; exports one to a file and imports it. Results
//! go to standard output in the format of `-o`, advice to standard error.

use super::{
    ask,
    invocation::Invocation,
    output::{Cell, Grid},
    vault as vault_command,
};
use crate::{
    app::{
        inventory::{backup, open},
        selection::Selection,
    },
    cli::{Tenant as Args, TenantCommand},
    model::{base::text, inventory::record::Slug},
    store::{BackupFile, Listed, StoreError, Tenant, current_author},
    vault::{self, Env, Opener, Sealer, SlotKind, VaultError},
};
use anyhow::bail;
use std::{
    io::{BufRead, IsTerminal},
    path::Path,
    process::ExitCode,
};

/// The widest text of a cell; a problem is a sentence or two.
const WIDEST: usize = 500;

/// Runs one of the sub-commands. The code is 2 if some tenants of several failed.
///
/// # Errors
/// In sentences that say the way out: see `store::StoreError` and `vault::VaultError`.
pub fn run(args: Args, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let grid = match args.command {
        TenantCommand::Create { name, keyring } => {
            let tenant = vault_command::make(&Slug::parse(&name)?, keyring, &invocation.selection)?;
            one(&tenant)?
        }
        TenantCommand::List => list()?,
        TenantCommand::Suspend { name } => {
            let mut tenant = ask::unlocked(&invocation.selection.of_tenant(&name))?;
            open::tenants()?.suspend(&mut tenant, &current_author())?;
            one(&tenant)?
        }
        TenantCommand::Resume { name } => {
            let mut tenant = ask::unlocked(&invocation.selection.of_tenant(&name))?;
            open::tenants()?.resume(&mut tenant, &current_author())?;
            one(&tenant)?
        }
        TenantCommand::Delete { name, yes } => delete(&Slug::parse(&name)?, yes)?,
        TenantCommand::Move { name, to } => {
            let to = Slug::parse(&to)?;
            let tenant = ask::unlocked(&invocation.selection.of_tenant(&name))?;
            one(&open::tenants()?.rename(tenant, &to, &current_author())?)?
        }
        TenantCommand::Backup { name, file } => {
            backup(&invocation.selection.of_tenant(&name), file.as_deref())?
        }
        TenantCommand::Restore { file, name } => restore(&file, name.as_deref(), &invocation.selection)?,
        TenantCommand::Repair { name } => repair(&invocation.selection.of_tenant(&name))?,
        TenantCommand::Migrate => {
            let (grid, failed) = migrate()?;
            if failed {
                code = ExitCode::from(2);
            }
            grid
        }
    };
    grid.print(args.output, &mut std::io::stdout().lock())?;
    Ok(code)
}

fn list() -> anyhow::Result<Grid> {
    let rows = open::tenants()?.list()?.iter().map(listed).collect();
    Ok(Grid { columns: vec!["tenant", "id", "suspended", "slots", "problem"], rows })
}

fn listed(line: &Listed) -> Vec<Cell> {
    let unknown = || Cell::Unknown(String::new());
    let name = Cell::Text(line.slug.to_string());
    match &line.tenant {
        Ok(tenant) => vec![
            name,
            Cell::Text(tenant.uid().to_string()),
            Cell::Flag(tenant.is_suspended()),
            Cell::Int(tenant.slots().len() as i64),
            unknown(),
        ],
        Err(e) => vec![name, unknown(), unknown(), unknown(), sentence(&e.to_string())],
    }
}

fn sentence(text: &str) -> Cell {
    Cell::Text(text::sanitize_line(text, WIDEST).to_string())
}

fn one(tenant: &Tenant) -> anyhow::Result<Grid> {
    Ok(Grid {
        columns: vec!["tenant", "id", "suspended", "slots"],
        rows: vec![vec![
            Cell::Text(tenant.slug().to_string()),
            Cell::Text(tenant.uid().to_string()),
            Cell::Flag(tenant.is_suspended()?),
            Cell::Int(tenant.slots()?.len() as i64),
        ]],
    })
}

fn delete(name: &Slug, yes: bool) -> anyhow::Result<Grid> {
    let tenants = open::tenants()?;
    if !tenants.slugs()?.contains(name) {
        // Says which there are.
        tenants.get(name)?;
    }
    if !yes {
        if !std::io::stdin().is_terminal() {
            bail!("deleting tenant {name} cannot be undone: give --yes to do it without a question");
        }
        ask::say(&format!(
            "this deletes tenant {name} with its inventory, passwords and audit log. Type its name to go on:"
        ));
        let mut typed = String::new();
        std::io::stdin().lock().read_line(&mut typed)?;
        if typed.trim() != name.as_str() {
            bail!("that is not its name: nothing was deleted");
        }
    }
    tenants.delete(name)?;
    Ok(Grid { columns: vec!["deleted"], rows: vec![vec![Cell::Text(name.to_string())]] })
}

fn backup(selection: &Selection, file: Option<&Path>) -> anyhow::Result<Grid> {
    let made = backup::backup(&mut ask::unlocked(selection)?, file)?;
    for lack in backup::lacks(&made) {
        ask::say(&lack);
    }
    Ok(Grid {
        columns: vec!["backup", "size_bytes", "portable"],
        rows: vec![vec![
            sentence(&made.path.display().to_string()),
            Cell::Int(made.size_bytes as i64),
            Cell::Flag(made.portable),
        ]],
    })
}

fn restore(file: &Path, name: Option<&str>, selection: &Selection) -> anyhow::Result<Grid> {
    let name = name.map(Slug::parse).transpose()?;
    let tenants = open::tenants()?;
    if let Some(taken) = name.as_ref().filter(|name| tenants.slugs().is_ok_and(|all| all.contains(name))) {
        return Err(StoreError::TenantExists(taken.to_string()).into());
    }
    let backup = BackupFile::open(file)?;
    let sealer = open_backup(&backup, name.as_ref().map_or("", Slug::as_str), selection)?;
    let tenant = tenants.restore(backup, sealer, name, &current_author())?;
    for damage in tenant.inventory()?.damage {
        ask::say(&damage.to_string());
    }
    one(&tenant)
}

fn open_backup(backup: &BackupFile, name: &str, selection: &Selection) -> anyhow::Result<Sealer> {
    let (uid, slots) = (backup.uid(), backup.slots());
    match vault::unlock_any(uid, slots, &Env::of_process(name, selection.key_file.clone())) {
        Err(VaultError::Locked(_)) if slots.iter().any(|slot| slot.kind() == SlotKind::Passphrase) => {
            let passphrase = ask::passphrase("Passphrase of the backup: ")?;
            Ok(vault::unlock(uid, slots, &Opener::Passphrase(passphrase))?)
        }
        done => Ok(done?),
    }
}

fn repair(selection: &Selection) -> anyhow::Result<Grid> {
    let mut tenant = ask::unlocked(selection)?;
    let damage = tenant.repair(&current_author())?;
    if damage.is_empty() {
        ask::say("nothing is damaged");
    }
    let row = |what: crate::store::Damage| {
        vec![Cell::Text(what.kind.to_owned()), sentence(&what.name), sentence(&what.to_string())]
    };
    Ok(Grid { columns: vec!["kind", "name", "was"], rows: damage.into_iter().map(row).collect() })
}

fn migrate() -> anyhow::Result<(Grid, bool)> {
    let all = open::tenants()?.migrate_all()?;
    let failed = all.iter().any(|one| one.outcome.is_err());
    let rows = all.into_iter().map(|one| {
        let (migrated, problem) = match one.outcome {
            Ok(migrated) => (Cell::Flag(migrated), Cell::Unknown(String::new())),
            Err(e) => (Cell::Flag(false), sentence(&e.to_string())),
        };
        vec![Cell::Text(one.slug.to_string()), migrated, problem]
    });
    Ok((Grid { columns: vec!["tenant", "migrated", "problem"], rows: rows.collect() }, failed))
}
