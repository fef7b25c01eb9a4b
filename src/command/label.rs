//! `dbtop label`: labels of instances, their colours, and settings of collection for all instances that carry one.

use super::{
    ask,
    group::members,
    instance::{poll_over, split_label},
    invocation::Invocation,
    output::{Cell, Grid, done},
};
use crate::{
    app::inventory::edit::save,
    cli::inventory::{Label, LabelCommand},
    model::inventory::record::{LabelColor, LabelRecord},
    store::{Entry, Inventory, current_author},
};
use anyhow::Context;
use std::process::ExitCode;

/// Runs one of the sub-commands.
///
/// # Errors
/// In sentences that say the way out.
pub fn run(args: Label, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let mut tenant = ask::unlocked(&invocation.selection)?;
    let inventory = tenant.inventory()?;
    let said = match args.command {
        LabelCommand::List => {
            list(&inventory).print(args.output, &mut std::io::stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        LabelCommand::Set { label, which } => {
            let (key, value) = split_label(&label)?;
            let changed = members(&inventory, &which, |record| {
                record.labels.insert(key.clone(), value.clone());
            })?;
            save(&mut tenant, &changed)?;
            changed.into_iter().map(|(_, record)| ("labelled", record.name)).collect()
        }
        LabelCommand::Unset { key, which } => {
            let changed = members(&inventory, &which, |record| {
                record.labels.remove(&key);
            })?;
            save(&mut tenant, &changed)?;
            changed.into_iter().map(|(_, record)| ("unlabelled", record.name)).collect()
        }
        LabelCommand::Color { label, color } => {
            let names: Vec<&str> = LabelColor::ALL.iter().map(|color| color.as_str()).collect();
            let color = LabelColor::parse(&color)
                .with_context(|| format!("{color:?} is no colour: take {}", names.join(", ")))?;
            let entry = named(&inventory, &label)?;
            let record = LabelRecord { color, ..entry.record.clone() };
            tenant.change(&current_author(), |change| change.edit(entry.id, entry.revision, &record))?;
            vec![("coloured", record.name())]
        }
        LabelCommand::Poll { label, poll } => {
            let entry = named(&inventory, &label)?;
            let poll = poll_over(&poll, &entry.record.poll)?;
            let record = LabelRecord { poll, ..entry.record.clone() };
            tenant.change(&current_author(), |change| change.edit(entry.id, entry.revision, &record))?;
            vec![("edited", record.name())]
        }
    };
    done(&said, args.output)?;
    Ok(ExitCode::SUCCESS)
}

fn named<'i>(inventory: &'i Inventory, label: &str) -> anyhow::Result<&'i Entry<LabelRecord>> {
    let (key, value) = split_label(label)?;
    inventory
        .label(&key, &value)
        .with_context(|| format!("no instance has the label {label}: see `dbtop label list`"))
}

fn list(inventory: &Inventory) -> Grid {
    let count = |label: &LabelRecord| {
        inventory.instances.iter().filter(|i| i.record.labels.get(&label.key) == Some(&label.value)).count()
    };
    let row = |entry: &Entry<LabelRecord>| {
        let label = &entry.record;
        vec![
            Cell::Text(label.key.clone()),
            Cell::Text(label.value.clone()),
            Cell::Text(label.color.as_str().into()),
            Cell::Int(count(label) as i64),
            Cell::int(label.poll.every_s.map(i64::from)),
        ]
    };
    let columns = vec!["key", "value", "color", "instances", "every_s"];
    Grid { columns, rows: inventory.labels.iter().map(row).collect() }
}
