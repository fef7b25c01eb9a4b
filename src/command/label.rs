//! `dbtop label`: labels of instances, their colours, and settings of collection for all instances that carry one.

use super::{
    ask,
    group::members,
    instance::{poll_over, split_label},
    invocation::Invocation,
    output::{Cell, Grid, done},
    select::{changed, renamed},
};
use crate::{
    app::inventory::{
        edit::save,
        lists::{hangs_on_label, usual_spelling},
    },
    cli::inventory::{Label, LabelCommand},
    model::inventory::record::{LabelColor, LabelRecord},
    protocol::ListChange,
    store::{Entry, Inventory, Tenant, current_author},
};
use anyhow::{Context, bail};
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
            say_spellings(&inventory);
            return Ok(ExitCode::SUCCESS);
        }
        LabelCommand::Set { label, which, yes } => {
            let (key, value) = split_label(&label)?;
            let changed = members(&inventory, &which, |record| {
                record.labels.insert(key.clone(), value.clone());
            })?;
            ask::confirm_many(changed.len(), &format!("get the label {key}={value}"), yes)?;
            save(&mut tenant, &changed)?;
            changed.into_iter().map(|(_, record)| ("labelled", record.name)).collect()
        }
        LabelCommand::Unset { key, which, yes } => {
            let changed = members(&inventory, &which, |record| {
                record.labels.retain(|there, _| !there.eq_ignore_ascii_case(&key));
            })?;
            ask::confirm_many(changed.len(), &format!("lose their label {key}"), yes)?;
            save(&mut tenant, &changed)?;
            changed.into_iter().map(|(_, record)| ("unlabelled", record.name)).collect()
        }
        LabelCommand::Color { label, color } => {
            let color = colour(&color)?;
            let entry = named(&inventory, &label)?;
            let record = LabelRecord { color, ..entry.record.clone() };
            tenant.change(&current_author(), |change| change.edit(entry.id, entry.revision, &record))?;
            vec![("coloured", record.name())]
        }
        LabelCommand::Add { label, color } => {
            let change =
                ListChange::Label { of: Vec::new(), to: split_label(&label)?, color: colour(&color)? };
            vec![("added", changed(&mut tenant, &inventory, &change, label)?)]
        }
        LabelCommand::Rename { label, to } => {
            let entry = named(&inventory, &label)?;
            let name = split_label(&to)?;
            if inventory.label(&name.0, &name.1).is_some_and(|there| there.id != entry.id) {
                bail!(
                    "the label {to} is there already: `dbtop label merge {label} --into {to}` makes the two one"
                );
            }
            vec![("renamed", united(&mut tenant, &inventory, &[entry], &to)?)]
        }
        LabelCommand::Merge { labels, into } => {
            let entries =
                labels.iter().map(|label| named(&inventory, label)).collect::<Result<Vec<_>, _>>()?;
            vec![("merged", united(&mut tenant, &inventory, &entries, &into)?)]
        }
        LabelCommand::Remove { label, yes } => {
            let record = &named(&inventory, &label)?.record;
            ask::confirm_loss(&format!("label {}", record.name()), &hangs_on_label(&inventory, record), yes)?;
            let change = ListChange::RemoveLabel { key: record.key.clone(), value: record.value.clone() };
            vec![("removed", changed(&mut tenant, &inventory, &change, record.name())?)]
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

/// Advice on keys that an older version took in two spellings.
fn say_spellings(inventory: &Inventory) {
    for label in inventory.labels.iter().map(|entry| &entry.record) {
        if let Some(usual) = usual_spelling(inventory, &label.key).filter(|usual| *usual != label.key) {
            let (name, value) = (label.name(), &label.value);
            ask::say(&format!(
                "{name}: other labels write its key {usual}, and filters take both for one: `dbtop label merge {name} --into {usual}={value}` makes them one"
            ));
        }
    }
}

fn colour(text: &str) -> anyhow::Result<LabelColor> {
    let names: Vec<&str> = LabelColor::ALL.iter().map(|color| color.as_str()).collect();
    LabelColor::parse(text).with_context(|| format!("{text:?} is no colour: take {}", names.join(", ")))
}

/// These labels become one, under this name; it has the colour of the first where it is new.
fn unite(entries: &[&Entry<LabelRecord>], to: (String, String)) -> ListChange {
    let of = entries.iter().map(|entry| (entry.record.key.clone(), entry.record.value.clone())).collect();
    let color = entries.first().map_or(LabelColor::Gray, |entry| entry.record.color);
    ListChange::Label { of, to, color }
}

/// Makes these labels one under this name; before that it is told what hangs on them.
fn united(
    tenant: &mut Tenant,
    inventory: &Inventory,
    entries: &[&Entry<LabelRecord>],
    to: &str,
) -> anyhow::Result<String> {
    let names: Vec<String> = entries.iter().map(|entry| entry.record.name()).collect();
    let hangs: Vec<String> =
        entries.iter().flat_map(|entry| hangs_on_label(inventory, &entry.record)).collect();
    let change = unite(entries, split_label(to)?);
    renamed(tenant, inventory, (&names.join(", "), &hangs), &change, to.to_owned())
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
