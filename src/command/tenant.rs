//! `dbtop tenant`: makes, lists, suspends, renames, deletes tenants; exports one to a file and imports it. Results
//! go to standard output in the format of `-o`, advice to standard error.

use super::{
    ask,
    audit::shown,
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
    model::{
        base::{figure, text},
        inventory::record::{Limits, Slug},
    },
    store::{BackupFile, Deleted, KEPT_DAYS, Listed, Progress, StoreError, Tenant, Tenants, current_author},
    vault::{self, Env, Opener, Sealer, SlotKind, VaultError},
};
use anyhow::{Context, bail};
use std::{
    io::{BufRead, IsTerminal},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
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
        TenantCommand::List { deleted: false } => list(&invocation.selection)?,
        TenantCommand::List { deleted: true } => deleted()?,
        TenantCommand::Limit { name, instances, history_gb } => {
            limit(&invocation.selection.of_tenant(&name), instances, history_gb)?
        }
        TenantCommand::Undelete { name, deleted, to } => undelete(&name, deleted.as_deref(), to.as_deref())?,
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

fn list(selection: &Selection) -> anyhow::Result<Grid> {
    let rows = open::tenants()?.list()?.iter().map(|line| listed(line, selection)).collect();
    let columns = vec![
        "tenant",
        "id",
        "suspended",
        "slots",
        "instances",
        "size_bytes",
        "history_bytes",
        "max_instances",
        "max_history_bytes",
        "problem",
    ];
    Ok(Grid { columns, rows })
}

fn listed(line: &Listed, selection: &Selection) -> Vec<Cell> {
    let unknown = || Cell::Unknown(String::new());
    let name = Cell::Text(line.slug.to_string());
    let tenant = match &line.tenant {
        Ok(tenant) => tenant,
        Err(e) => {
            let unknown = std::iter::repeat_with(unknown).take(8);
            return std::iter::once(name).chain(unknown).chain([sentence(&e.to_string())]).collect();
        }
    };
    let count = |number: u64| Cell::Int(number as i64);
    let size = |bytes: u64| Cell::Size(bytes as i64);
    let mut cells = vec![
        name,
        Cell::Text(tenant.uid().to_string()),
        Cell::Flag(tenant.is_suspended()),
        Cell::Int(tenant.slots().len() as i64),
        count(tenant.instances()),
        size(tenant.size_bytes()),
        tenant.history_bytes().map_or_else(unknown, size),
    ];
    match limits(line, selection) {
        Some(limits) => {
            let none = || Cell::Unknown("none".to_owned());
            cells.push(limits.max_instances.map_or_else(none, |most| count(most.into())));
            cells.push(limits.max_history_bytes.map_or_else(none, size));
        }
        None => cells.extend(["locked", "locked"].map(|why| Cell::Unknown(why.to_owned()))),
    }
    cells.push(unknown());
    cells
}

/// The limits of a tenant that a key file opens; no passphrase is asked for, and no keyring, which may ask, too.
fn limits(line: &Listed, selection: &Selection) -> Option<Limits> {
    let locked = line.tenant.as_ref().ok()?;
    let file = Env::of_process(line.slug.as_str(), selection.key_file.clone(), &[]).key_file?;
    locked.unlock(&Opener::KeyFile(file)).ok()?.limits().ok()
}

fn deleted() -> anyhow::Result<Grid> {
    let row = |deleted: Deleted| {
        vec![
            Cell::Text(deleted.slug.to_string()),
            Cell::text(shown(deleted.at).as_deref()),
            Cell::text(shown(deleted.until()).as_deref()),
            Cell::Size(deleted.size_bytes as i64),
        ]
    };
    let columns = vec!["tenant", "deleted_at_utc", "until_utc", "size_bytes"];
    Ok(Grid { columns, rows: open::tenants()?.deleted_tenants()?.into_iter().map(row).collect() })
}

/// Brings a deleted tenant back; of several of one name the one that is named, or chosen at the terminal.
fn undelete(name: &str, when: Option<&str>, to: Option<&str>) -> anyhow::Result<Grid> {
    let (slug, to) = (Slug::parse(name)?, to.map(Slug::parse).transpose()?);
    let tenants = open::tenants()?;
    let of_name: Vec<Deleted> =
        tenants.deleted_tenants()?.into_iter().filter(|one| one.slug == slug).collect();
    let begins = |one: &&Deleted, when: &str| {
        shown(one.at).is_some_and(|at| at.starts_with(when.trim_end_matches('Z')))
    };
    let chosen = |when: &str| {
        let mut meant = of_name.iter().filter(|one| begins(one, when));
        match (meant.next(), meant.next()) {
            (Some(one), None) => Ok(one.at),
            (None, _) => {
                bail!("no tenant called {slug} was deleted at {when}: see `dbtop tenant list --deleted`")
            }
            (Some(_), Some(_)) => {
                bail!("more than one tenant called {slug} was deleted at {when}: say more of its time")
            }
        }
    };
    let which = match when {
        Some(when) => Some(chosen(when)?),
        None if of_name.len() > 1 && std::io::stdin().is_terminal() => {
            ask::say(&format!("{} tenants called {slug} were deleted:", of_name.len()));
            for one in &of_name {
                let mut size = String::new();
                figure::push_size(&mut size, one.size_bytes as f64);
                ask::say(&format!("{}, {size}", shown(one.at).unwrap_or_default()));
            }
            ask::say("Which one comes back? Its time, or the beginning of it:");
            let mut typed = String::new();
            std::io::stdin().lock().read_line(&mut typed)?;
            if typed.trim().is_empty() {
                bail!("none is named, so none comes back");
            }
            Some(chosen(typed.trim())?)
        }
        None => None,
    };
    let back = tenants.undelete(&slug, which, to.as_ref()).map_err(|error| match error {
        several @ StoreError::SeveralDeleted { .. } => anyhow::anyhow!("{several}, with --deleted TIME"),
        other => other.into(),
    })?;
    Ok(Grid { columns: vec!["tenant"], rows: vec![vec![Cell::Text(back.to_string())]] })
}

fn limit(selection: &Selection, instances: Option<u32>, history_gb: Option<f64>) -> anyhow::Result<Grid> {
    let mut tenant = ask::unlocked(selection)?;
    let mut limits = tenant.limits()?;
    if let Some(most) = instances {
        limits.max_instances = Some(most).filter(|most| *most > 0);
    }
    if let Some(most) = history_gb {
        let bytes = Limits::history_of_gb(most).with_context(|| {
            let [least, greatest] = Limits::HISTORY_GB;
            format!("--history-gb {most} is not within {least} to {greatest}: 0 takes the limit away")
        });
        limits.max_history_bytes = if most.total_cmp(&0.0).is_eq() { None } else { Some(bytes?) };
    }
    tenant.set_limits(limits, &current_author())?;
    let there = open::tenants()?.get(tenant.slug())?.instances();
    if limits.max_instances.is_some_and(|most| there > most.into()) {
        ask::say(&format!("it has {there} instances already: they stay, and none can be added"));
    }
    let none = || Cell::Unknown("none".to_owned());
    Ok(Grid {
        columns: vec!["tenant", "max_instances", "max_history_bytes"],
        rows: vec![vec![
            Cell::Text(tenant.slug().to_string()),
            limits.max_instances.map_or_else(none, |most| Cell::Int(most.into())),
            limits.max_history_bytes.map_or_else(none, |most| Cell::Size(most as i64)),
        ]],
    })
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
            bail!(
                "deleting tenant {name} needs its name typed and there is no terminal: give --yes to do it without a question"
            );
        }
        ask::say(&format!(
            "this deletes tenant {name} with its inventory, passwords, history and audit log; `dbtop tenant undelete` brings it back for 30 days. Type its name to go on:"
        ));
        let mut typed = String::new();
        std::io::stdin().lock().read_line(&mut typed)?;
        if typed.trim() != name.as_str() {
            bail!("that is not its name: nothing was deleted");
        }
    }
    let deleted = tenants.delete(name)?;
    ask::say(&format!("`dbtop tenant undelete {name}` brings it back for {KEPT_DAYS} days"));
    Ok(Grid {
        columns: vec!["deleted", "until_utc"],
        rows: vec![vec![Cell::Text(name.to_string()), Cell::text(shown(deleted.until()).as_deref())]],
    })
}

fn backup(selection: &Selection, file: Option<&Path>) -> anyhow::Result<Grid> {
    let made = backup::backup(&mut ask::unlocked(selection)?, file, &mut Told::default().hears())?;
    for lack in backup::lacks(&made) {
        ask::say(&lack);
    }
    Ok(Grid {
        columns: vec!["backup", "size_bytes", "history_bytes", "sha256", "portable"],
        rows: vec![vec![
            sentence(&made.path.display().to_string()),
            Cell::Size(made.size_bytes as i64),
            made.history_bytes.map_or_else(|| Cell::int(None), |bytes| Cell::Size(bytes as i64)),
            Cell::Text(made.sha256),
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
    let name = match name {
        None => free_name(&tenants, &sealer, file)?,
        named => named,
    };
    let mut told = Told::default();
    let tenant = tenants.restore(backup, sealer, name, &current_author(), &mut told.hears())?;
    for damage in tenant.inventory()?.damage {
        ask::say(&damage.to_string());
    }
    one(&tenant)
}

/// Asks for another name where the one in the backup is taken. None: it is free.
fn free_name(tenants: &Tenants, sealer: &Sealer, file: &Path) -> anyhow::Result<Option<Slug>> {
    let Some(mut had) = BackupFile::open(file)?.name(sealer)? else { return Ok(None) };
    let taken = tenants.slugs()?;
    if !taken.contains(&had) {
        return Ok(None);
    }
    while taken.contains(&had) {
        if !std::io::stdin().is_terminal() {
            return Err(StoreError::TenantExists(had.to_string()).into());
        }
        ask::say(&format!("a tenant called {had} is there already. A name for the one in the backup:"));
        let mut typed = String::new();
        std::io::stdin().lock().read_line(&mut typed)?;
        if typed.trim().is_empty() {
            bail!("no name, so nothing was restored");
        }
        had = Slug::parse(typed.trim())?;
    }
    Ok(Some(had))
}

/// Tells on a terminal how far long work is, every second.
#[derive(Default)]
struct Told(Option<Instant>);

impl Told {
    fn hears(&mut self) -> impl FnMut(Progress) + '_ {
        |progress| {
            let is_due = self.0.is_none_or(|at| at.elapsed() >= Duration::from_secs(1));
            let first = self.0.is_none() && matches!(progress, Progress::Done { .. });
            if first {
                // Small ones are done before anybody reads a line.
                self.0 = Some(Instant::now());
            } else if is_due && std::io::stderr().is_terminal() {
                self.0 = Some(Instant::now());
                ask::say(&match progress {
                    Progress::Copying(bytes) => format!("copying {} MB of history", bytes >> 20),
                    Progress::Done { bytes, of } => format!("{} %", bytes * 100 / of.max(1)),
                });
            }
        }
    }
}

fn open_backup(backup: &BackupFile, name: &str, selection: &Selection) -> anyhow::Result<Sealer> {
    let (uid, slots) = (backup.uid(), backup.slots());
    match vault::unlock_any(uid, slots, &Env::of_process(name, selection.key_file.clone(), &selection.unwrap))
    {
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
