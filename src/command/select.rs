//! The instances that a command selects: records of the inventory by names, a scope, a filter or a saved filter; targets
//! that are polled by a scope.

use super::ask;
use crate::{
    app::inventory::{
        edit::named,
        lists::{self, parse},
    },
    cli::inventory::Which,
    model::{
        fold::{
            scope::Scope,
            snapshot::{FleetSnapshot, InstanceSnapshot},
        },
        inventory::{
            instance::{InstanceInfo, Target},
            record::InstanceRecord,
        },
        judge::health::Health,
        poll::Facts,
    },
    protocol::ListChange,
    store::{Entry, Inventory, Tenant},
};
use anyhow::{Context, anyhow, bail};
use std::sync::Arc;

/// Carries out a change of groups, labels and filters that the screen makes, too. Returns the name.
///
/// # Errors
/// In the words that the screen shows.
pub fn changed(
    tenant: &mut Tenant,
    inventory: &Inventory,
    change: &ListChange,
    name: String,
) -> anyhow::Result<String> {
    lists::change(tenant, inventory, change).map_err(|refusal| anyhow!(refusal.words))?;
    Ok(name)
}

/// Carries out a rename, and says what becomes of what hangs on the old name: told before, and what was done after.
///
/// # Errors
/// As [`changed`].
pub fn renamed(
    tenant: &mut Tenant,
    inventory: &Inventory,
    (what, hangs): (&str, &[String]),
    change: &ListChange,
    name: String,
) -> anyhow::Result<String> {
    if !hangs.is_empty() {
        ask::say(&format!("{what}: {}", hangs.join("; ")));
    }
    let words = lists::change(tenant, inventory, change).map_err(|refusal| anyhow!(refusal.words))?;
    ask::say(&words);
    Ok(name)
}

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

/// The targets within the scope; the others are not polled.
///
/// # Errors
/// The scope is not valid.
pub fn restrict(targets: Vec<Target>, scope: Option<&str>) -> anyhow::Result<Vec<Target>> {
    let infos: Vec<Arc<InstanceInfo>> = targets.iter().map(|t| Arc::clone(&t.info)).collect();
    let held = held_by(&infos, scope)?;
    Ok(targets.into_iter().zip(held).filter(|(_, held)| *held).map(|(t, _)| t).collect())
}

/// For each instance, whether the scope holds it.
///
/// # Errors
/// The scope is not valid.
pub fn held_by(infos: &[Arc<InstanceInfo>], scope: Option<&str>) -> anyhow::Result<Vec<bool>> {
    let Some(text) = scope else { return Ok(vec![true; infos.len()]) };
    // Scopes are tested on a snapshot; one that was never polled has groups, labels and names.
    let unpolled = |info: &Arc<InstanceInfo>| {
        Arc::new(InstanceSnapshot {
            info: Arc::clone(info),
            facts: Facts::default(),
            history: Arc::default(),
            health: Health::default(),
            level_since: None,
        })
    };
    let fleet = FleetSnapshot { instances: infos.iter().map(unpolled).collect(), ..FleetSnapshot::default() };
    let scope = Scope::parse(text, &fleet).with_context(|| format!("--scope {text}"))?;
    let held = |i: &InstanceSnapshot| scope.as_ref().is_none_or(|s| s.holds(i));
    Ok(fleet.instances.iter().map(|i| held(i)).collect())
}
