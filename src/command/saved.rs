//! `dbtop filter`: saved filters, the dynamic groups of a fleet.

use super::{
    ask,
    invocation::Invocation,
    output::{Cell, Grid, done},
    select::changed,
};
use crate::{
    app::inventory::lists::{parse, passing},
    cli::inventory::{Filter, FilterCommand},
    model::inventory::record::FilterRecord,
    protocol::ListChange,
    store::{Entry, Inventory, Kind, current_author},
};
use anyhow::Context;
use std::process::ExitCode;

/// Runs one of the sub-commands.
///
/// # Errors
/// A filter that cannot be read, a name that is not known.
pub fn run(args: Filter, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let mut tenant = ask::unlocked(&invocation.selection)?;
    let inventory = tenant.inventory()?;
    let author = current_author();
    let said = match args.command {
        FilterCommand::List => {
            list(&inventory).print(args.output, &mut std::io::stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        FilterCommand::Save { name, expression, description, yes } => {
            parse(&inventory, &expression)?;
            let there = inventory.filter(&name).map(|entry| &entry.record);
            if let Some(there) = there {
                let told =
                    format!("the saved filter {} is there already, as {}", there.name, there.expression);
                ask::confirm(&format!("{told}. Replace it?"), yes).context(told)?;
            }
            let kept = there.map(|there| there.description.clone());
            let description = description.or(kept).unwrap_or_default();
            let record = FilterRecord { name: name.clone(), expression, description };
            let change = ListChange::Filter { of: there.map(|there| there.name.clone()), record };
            ("saved", changed(&mut tenant, &inventory, &change, name)?)
        }
        FilterCommand::Rename { name, to } => {
            let entry = named(&inventory, &name)?;
            let record = FilterRecord { name: to, ..entry.record.clone() };
            tenant.change(&author, |change| change.edit(entry.id, entry.revision, &record))?;
            ("renamed", record.name)
        }
        FilterCommand::Remove { name } => {
            let entry = named(&inventory, &name)?;
            tenant.change(&author, |change| change.remove(Kind::Filter, entry.id))?;
            let FilterRecord { name, expression, .. } = &entry.record;
            ask::say(&format!("the filter was {expression}: `dbtop filter save {name} EXPR` makes it anew"));
            ("removed", entry.record.name.clone())
        }
    };
    done(&[said], args.output)?;
    Ok(ExitCode::SUCCESS)
}

fn named<'i>(inventory: &'i Inventory, name: &str) -> anyhow::Result<&'i Entry<FilterRecord>> {
    inventory
        .filter(name)
        .with_context(|| format!("no saved filter is called {name}: see `dbtop filter list`"))
}

fn list(inventory: &Inventory) -> Grid {
    let row = |entry: &Entry<FilterRecord>| {
        let filter = &entry.record;
        let count = passing(inventory, &filter.expression).map(|count| count as i64);
        vec![
            Cell::Text(filter.name.clone()),
            Cell::Text(filter.expression.clone()),
            Cell::int(count),
            Cell::Text(filter.description.clone()),
        ]
    };
    let columns = vec!["name", "expression", "instances", "description"];
    Grid { columns, rows: inventory.filters.iter().map(row).collect() }
}
