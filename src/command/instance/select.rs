//! The instances that a command selects: by names, a scope, a filter, a saved filter.

use crate::{
    app::inventory::edit::named,
    cli::inventory::Which,
    model::{base::filter::Filter, inventory::record::InstanceRecord},
    store::{Entry, Inventory},
};
use anyhow::{Context, bail};

/// The selected instances, at least one.
///
/// # Errors
/// Nothing was named, a name is not known, or nothing passes.
pub fn selected<'i>(
    inventory: &'i Inventory,
    which: &Which,
) -> anyhow::Result<Vec<&'i Entry<InstanceRecord>>> {
    if which.names.is_empty() && which.scope.is_none() && which.filter.is_none() && which.saved.is_none() {
        bail!(
            "which instances? give names, --scope @group, --scope label=value, --scope all, --filter or --saved"
        );
    }
    let found = narrowed(inventory, which)?;
    if found.is_empty() {
        bail!("no instance is meant by this: see `dbtop instance list`");
    }
    Ok(found)
}

/// As [`selected`], but all instances without an option, and the result may be empty.
pub fn narrowed<'i>(
    inventory: &'i Inventory,
    which: &Which,
) -> anyhow::Result<Vec<&'i Entry<InstanceRecord>>> {
    let mut found: Vec<&Entry<InstanceRecord>> = if which.names.is_empty() {
        inventory.instances.iter().collect()
    } else {
        which.names.iter().map(|name| named(inventory, name)).collect::<Result<_, _>>()?
    };
    if let Some(scope) = &which.scope {
        let keeps = scope_of(inventory, scope)?;
        found.retain(|entry| keeps(&entry.record));
    }
    let saved = which
        .saved
        .as_ref()
        .map(|name| {
            let entry = inventory.filter(name);
            entry.with_context(|| format!("no saved filter is called {name}: see `dbtop filter list`"))
        })
        .transpose()?;
    for expression in
        [which.filter.as_deref(), saved.map(|entry| entry.record.expression.as_str())].into_iter().flatten()
    {
        let filter = parse(inventory, expression)?;
        let mut scratch = String::new();
        found.retain(|entry| filter.keeps(&entry.record, &mut scratch));
    }
    Ok(found)
}

/// Reads a filter over instances.
///
/// # Errors
/// The filter is not valid.
pub fn parse(inventory: &Inventory, expression: &str) -> anyhow::Result<Filter> {
    let label = |key: &str| inventory.labels.iter().any(|entry| entry.record.key.eq_ignore_ascii_case(key));
    let known = |key: &str| InstanceRecord::FILTER_KEYS.contains(&key.to_lowercase().as_str()) || label(key);
    Filter::parse(expression, &known).with_context(|| format!("filter {expression:?}"))
}

type Keeps<'a> = Box<dyn Fn(&InstanceRecord) -> bool + 'a>;

fn scope_of<'a>(inventory: &'a Inventory, scope: &'a str) -> anyhow::Result<Keeps<'a>> {
    let scope = scope.trim();
    if scope == "*" || scope.eq_ignore_ascii_case("all") {
        return Ok(Box::new(|_| true));
    }
    if let Some(name) = scope.strip_prefix('@') {
        if inventory.group(name).is_none() {
            bail!("no group is called {name}: see `dbtop group list`");
        }
        return Ok(Box::new(move |record| {
            record.groups.iter().any(|group| group.eq_ignore_ascii_case(name))
        }));
    }
    if let Some((key, value)) = scope.split_once('=') {
        if inventory.label(key, value).is_none() {
            bail!("no instance has the label {scope}: see `dbtop label list`");
        }
        let same =
            move |(k, v): (&String, &String)| k.eq_ignore_ascii_case(key) && v.eq_ignore_ascii_case(value);
        return Ok(Box::new(move |record| record.labels.iter().any(same)));
    }
    let name = named(inventory, scope)?.record.name.clone();
    Ok(Box::new(move |record| record.name == name))
}
