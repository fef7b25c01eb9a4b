//! `dbtop group`: groups and who is in them.

use super::{
    ask,
    invocation::Invocation,
    output::{Cell, Grid, done},
    select::{changed, renamed, selected},
};
use crate::{
    app::inventory::{
        edit::save,
        lists::{hangs_on_group, lost_with_group},
    },
    cli::inventory::{Group, GroupCommand, MembersCommand, Which},
    model::inventory::{
        instance::InstanceId,
        record::{GroupRecord, InstanceRecord},
    },
    protocol::ListChange,
    store::{Entry, Inventory, Kind, Tenant, current_author},
};
use anyhow::{Context, bail};
use std::process::ExitCode;

/// Runs one of the sub-commands.
///
/// # Errors
/// In sentences that say the way out.
pub fn run(args: Group, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let mut tenant = ask::unlocked(&invocation.selection)?;
    let inventory = tenant.inventory()?;
    let author = current_author();
    let said = match args.command {
        GroupCommand::List => {
            list(&inventory).print(args.output, &mut std::io::stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        GroupCommand::Add { name, description } => {
            let record = GroupRecord { name: name.clone(), description };
            tenant.change(&author, |change| change.add(&record))?;
            vec![("added", name)]
        }
        GroupCommand::Edit { name, rename, description } => {
            let change = edited(&inventory, &name, rename, description)?;
            vec![("edited", renamed_or_changed(&mut tenant, &inventory, &change)?)]
        }
        GroupCommand::Copy { name, to } => {
            let like = &named(&inventory, &name)?.record;
            let is_in = |record: &InstanceRecord| record.groups.iter().any(|g| g.eq_ignore_ascii_case(&name));
            let members = inventory.instances.iter().filter(|entry| is_in(&entry.record));
            let members = members.map(|entry| InstanceId::new(entry.record.name.as_str())).collect();
            let record = GroupRecord { name: to.clone(), description: like.description.clone() };
            let change = ListChange::CopyGroup { record, members };
            vec![("added", changed(&mut tenant, &inventory, &change, to)?)]
        }
        GroupCommand::Remove { name, yes } => {
            let entry = named(&inventory, &name)?;
            ask::confirm_loss(&format!("group {name}"), &lost_with_group(&inventory, &name), yes)?;
            tenant.change(&author, |change| change.remove(Kind::Group, entry.id))?;
            vec![("removed", entry.record.name.clone())]
        }
        GroupCommand::Restore { name } => {
            let deleted = tenant.deleted()?;
            let entry = deleted.group(&name).with_context(|| format!("no removed group is called {name}"))?;
            tenant.change(&author, |change| change.restore(Kind::Group, entry.id))?;
            vec![("restored", entry.record.name.clone())]
        }
        GroupCommand::Members(MembersCommand::Add { group, which, yes }) => {
            let name = inventory.group(&group).map_or(group, |entry| entry.record.name.clone());
            let changed = members(&inventory, &which, |record| {
                if !record.groups.iter().any(|there| there.eq_ignore_ascii_case(&name)) {
                    record.groups.push(name.clone());
                }
            })?;
            ask::confirm_many(changed.len(), &format!("get into group {name}"), yes)?;
            save(&mut tenant, &changed)?;
            changed.into_iter().map(|(_, record)| ("added", record.name)).collect()
        }
        GroupCommand::Members(MembersCommand::Remove { group, which, yes }) => {
            named(&inventory, &group)?;
            let changed = members(&inventory, &which, |record| {
                record.groups.retain(|there| !there.eq_ignore_ascii_case(&group));
            })?;
            ask::confirm_many(changed.len(), &format!("leave group {group}"), yes)?;
            save(&mut tenant, &changed)?;
            changed.into_iter().map(|(_, record)| ("removed", record.name)).collect()
        }
    };
    done(&said, args.output)?;
    Ok(ExitCode::SUCCESS)
}

fn named<'i>(inventory: &'i Inventory, name: &str) -> anyhow::Result<&'i Entry<GroupRecord>> {
    inventory.group(name).with_context(|| format!("no group is called {name}: see `dbtop group list`"))
}

/// A group with another name or description.
fn edited(
    inventory: &Inventory,
    name: &str,
    rename: Option<String>,
    description: Option<String>,
) -> anyhow::Result<(String, GroupRecord)> {
    let old = &named(inventory, name)?.record;
    let name = rename.unwrap_or_else(|| old.name.clone());
    let description = description.unwrap_or_else(|| old.description.clone());
    Ok((old.name.clone(), GroupRecord { name, description }))
}

/// Saves a group; before another name is given it is told what hangs on the old one.
fn renamed_or_changed(
    tenant: &mut Tenant,
    inventory: &Inventory,
    (old, record): &(String, GroupRecord),
) -> anyhow::Result<String> {
    let change = ListChange::Group { of: Some(old.clone()), record: record.clone() };
    if *old == record.name {
        return changed(tenant, inventory, &change, old.clone());
    }
    let hangs = hangs_on_group(inventory, old);
    renamed(tenant, inventory, (&format!("group {old}"), &hangs), &change, record.name.clone())
}

type Changed = Vec<(Entry<InstanceRecord>, InstanceRecord)>;

/// The selected instances that `change` alters.
///
/// # Errors
/// Nothing is selected, or the change alters none of them.
pub fn members(
    inventory: &Inventory,
    which: &Which,
    change: impl Fn(&mut InstanceRecord),
) -> anyhow::Result<Changed> {
    let mut changed = Vec::new();
    for entry in selected(inventory, which)? {
        let mut record = entry.record.clone();
        change(&mut record);
        if record != entry.record {
            changed.push((entry.clone(), record));
        }
    }
    if changed.is_empty() {
        bail!("nothing to change: it is so already");
    }
    Ok(changed)
}

fn list(inventory: &Inventory) -> Grid {
    let count = |name: &str| {
        inventory
            .instances
            .iter()
            .filter(|i| i.record.groups.iter().any(|g| g.eq_ignore_ascii_case(name)))
            .count()
    };
    let row = |entry: &Entry<GroupRecord>| {
        vec![
            Cell::Text(entry.record.name.clone()),
            Cell::Int(count(&entry.record.name) as i64),
            Cell::Text(entry.record.description.clone()),
        ]
    };
    Grid {
        columns: vec!["name", "instances", "description"],
        rows: inventory.groups.iter().map(row).collect(),
    }
}
