//! Groups, labels and saved filters: as lists, and every change of them. Each change is one transaction, with its entries in the audit
//! log. The same for the panes of the screen, which the inventory service answers, and for the sub-commands.

use super::{
    edit::{refusal, refused},
    slots,
};
use crate::{
    model::{
        base::{
            figure::counted,
            filter::{Filter, rename},
        },
        inventory::{
            instance::InstanceId,
            record::{FilterRecord, GroupRecord, InstanceRecord, LabelColor, LabelRecord, RecordId},
        },
    },
    protocol::{FilterLine, GroupLine, LabelLine, List, ListChange, ListId, Refusal},
    store::{Change, Entry, Inventory, Kind, StoreError, Tenant, current_author},
};
use anyhow::Context;
use std::collections::{BTreeMap, HashSet};

/// A list as it is now; None for settings and tenants, which are none of one inventory, and for the audit log, which is read in parts.
///
/// # Errors
/// The file cannot be read.
pub fn list(tenant: &Tenant, inventory: &Inventory, id: ListId) -> Result<Option<List>, StoreError> {
    Ok(Some(match id {
        ListId::Settings | ListId::Tenants | ListId::Audit => return Ok(None),
        ListId::Vault => List::Vault(slots::list(tenant)?),
        ListId::Groups => {
            let line = |entry: &Entry<GroupRecord>| GroupLine {
                filters: filters_that_name(inventory, "group", &entry.record.name),
                record: entry.record.clone(),
            };
            List::Groups(inventory.groups.iter().map(line).collect())
        }
        ListId::Labels => {
            List::Labels(inventory.labels.iter().map(|entry| label_line(inventory, &entry.record)).collect())
        }
        ListId::Filters => {
            let line = |entry: &Entry<FilterRecord>| FilterLine {
                count: passing(inventory, &entry.record.expression),
                record: entry.record.clone(),
            };
            List::Filters(inventory.filters.iter().map(line).collect())
        }
    }))
}

fn label_line(inventory: &Inventory, record: &LabelRecord) -> LabelLine {
    LabelLine {
        filters: filters_that_name(inventory, &record.key, &record.value),
        written: usual_spelling(inventory, &record.key).filter(|usual| *usual != record.key),
        key: record.key.clone(),
        value: record.value.clone(),
        color: record.color,
        changes_polling: !record.poll.is_default(),
    }
}

/// The spelling of a label's key that most labels have, where there are several; an older version took them for two keys.
pub fn usual_spelling(inventory: &Inventory, key: &str) -> Option<String> {
    let mut spellings: BTreeMap<&str, usize> = BTreeMap::new();
    for there in inventory.labels.iter().map(|entry| entry.record.key.as_str()) {
        if there.to_lowercase() == key.to_lowercase() {
            *spellings.entry(there).or_default() += 1;
        }
    }
    let usual = spellings.iter().max_by_key(|(_, count)| **count)?;
    (spellings.len() > 1).then(|| (*usual.0).to_owned())
}

/// So many instances pass a filter; None: it cannot be read.
pub fn passing(inventory: &Inventory, expression: &str) -> Option<usize> {
    let (filter, mut scratch) = (parse(inventory, expression).ok()?, String::new());
    Some(inventory.instances.iter().filter(|entry| filter.keeps(&entry.record, &mut scratch)).count())
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

/// Carries a change out. Returns what was done, in words.
///
/// # Errors
/// What is named is gone, a name is taken or not valid, another process changed it first.
pub fn change(tenant: &mut Tenant, inventory: &Inventory, change: &ListChange) -> Result<String, Refusal> {
    match change {
        ListChange::Group { of, record } => save_group(tenant, inventory, of.as_deref(), record),
        ListChange::CopyGroup { record, members } => copy_group(tenant, inventory, record, members),
        ListChange::RemoveGroup(name) => {
            let entry = group(inventory, name)?;
            tenant.change(&current_author(), |c| c.remove(Kind::Group, entry.id)).map_err(refusal)?;
            Ok(format!("group {name} deleted: `dbtop group restore {name}` brings it back"))
        }
        ListChange::Members { group, join, leave } => members(tenant, inventory, group, join, leave),
        ListChange::Label { of, to, color } => label(tenant, inventory, of, to, *color),
        ListChange::RemoveLabel { key, value } => {
            let entry = labelled(inventory, key, value)?;
            tenant.change(&current_author(), |c| c.remove(Kind::Label, entry.id)).map_err(refusal)?;
            Ok(format!("label {key}={value} taken off every instance"))
        }
        ListChange::Filter { of, record } => save_filter(tenant, inventory, of.as_deref(), record),
        ListChange::RemoveFilter(name) => {
            let entry = inventory.filter(name).ok_or_else(|| gone("saved filter", name))?;
            tenant.change(&current_author(), |c| c.remove(Kind::Filter, entry.id)).map_err(refusal)?;
            Ok(format!("saved filter {name} deleted"))
        }
    }
}

/// What hangs on a group, a sentence each; empty: nothing.
pub fn hangs_on_group(inventory: &Inventory, name: &str) -> Vec<String> {
    let members = members_of(inventory, name);
    let told = (members > 0).then(|| format!("{} in it", counted(members, "instance")));
    told.into_iter().chain(named_by(&filters_that_name(inventory, "group", name))).collect()
}

/// The same before it is removed: its members stay.
pub fn lost_with_group(inventory: &Inventory, name: &str) -> Vec<String> {
    let mut hangs = hangs_on_group(inventory, name);
    if let (Some(members), count @ 1..) = (hangs.first_mut(), members_of(inventory, name)) {
        members.push_str(if count == 1 { ", which stays" } else { ", which stay" });
        members.push_str(" in the inventory");
    }
    hangs
}

fn members_of(inventory: &Inventory, name: &str) -> usize {
    let is_in = |record: &InstanceRecord| record.groups.iter().any(|group| group.eq_ignore_ascii_case(name));
    inventory.instances.iter().filter(|entry| is_in(&entry.record)).count()
}

/// What hangs on a label, a sentence each; empty: nothing.
pub fn hangs_on_label(inventory: &Inventory, label: &LabelRecord) -> Vec<String> {
    let has = |record: &InstanceRecord| {
        let is = |(key, value): (&String, &String)| {
            key.eq_ignore_ascii_case(&label.key) && value.eq_ignore_ascii_case(&label.value)
        };
        record.labels.iter().any(is)
    };
    let count = inventory.instances.iter().filter(|entry| has(&entry.record)).count();
    let told = (count > 0).then(|| format!("carried by {}", counted(count, "instance")));
    let polls = (!label.poll.is_default())
        .then(|| "settings of collection for all that carry it (`dbtop label poll`)".to_owned());
    let filters = named_by(&filters_that_name(inventory, &label.key, &label.value));
    told.into_iter().chain(polls).chain(filters).collect()
}

/// The saved filters that ask for this, by name or by a pattern.
fn filters_that_name(inventory: &Inventory, key: &str, value: &str) -> Vec<String> {
    let asks = |entry: &&Entry<FilterRecord>| rename::names(&entry.record.expression, key, value);
    inventory.filters.iter().filter(asks).map(|entry| entry.record.name.clone()).collect()
}

fn named_by(filters: &[String]) -> Option<String> {
    (!filters.is_empty()).then(|| format!("saved filters that name it: {}", filters.join(", ")))
}

/// What a rename does to the saved filters.
#[derive(Default)]
struct Rewritten<'i> {
    /// these name the new one afterwards
    filters: Vec<(&'i Entry<FilterRecord>, FilterRecord)>,
    /// these find the old one in a way that only a person can write anew
    open: Vec<&'i str>,
}

/// The saved filters when these keys and values are called otherwise.
fn rewritten<'i>(inventory: &'i Inventory, old: &[(&str, &str)], new: (&str, &str)) -> Rewritten<'i> {
    let mut all = Rewritten::default();
    for entry in &inventory.filters {
        let (mut record, mut is_open) = (entry.record.clone(), false);
        for old in old {
            // One that cannot be read finds nothing, whatever it names.
            let Ok(found) = rename::renamed(&record.expression, *old, new) else { continue };
            is_open |= found.is_open;
            record.expression = found.text.unwrap_or(record.expression);
        }
        if is_open {
            all.open.push(&entry.record.name);
        }
        if record != entry.record {
            all.filters.push((entry, record));
        }
    }
    all
}

impl Rewritten<'_> {
    fn save(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        let save = |(entry, record): &(&Entry<FilterRecord>, FilterRecord)| {
            change.edit(entry.id, entry.revision, record).map(drop)
        };
        self.filters.iter().try_for_each(save)
    }

    /// What became of them, behind the words of the rename.
    fn words(&self) -> String {
        let mut words = String::new();
        if !self.filters.is_empty() {
            let names: Vec<&str> = self.filters.iter().map(|(entry, _)| entry.record.name.as_str()).collect();
            words.push_str("; saved filters name the new one: ");
            words.push_str(&names.join(", "));
        }
        if !self.open.is_empty() {
            words.push_str("; look at the saved filters that find it by a pattern or with others: ");
            words.push_str(&self.open.join(", "));
        }
        words
    }
}

fn gone(what: &str, name: &str) -> Refusal {
    refused(&format!("the {what} {name} is not in the inventory any more: nothing was changed"))
}

fn group<'i>(inventory: &'i Inventory, name: &str) -> Result<&'i Entry<GroupRecord>, Refusal> {
    inventory.group(name).ok_or_else(|| gone("group", name))
}

fn labelled<'i>(inventory: &'i Inventory, key: &str, value: &str) -> Result<&'i Entry<LabelRecord>, Refusal> {
    inventory.label(key, value).ok_or_else(|| gone("label", &format!("{key}={value}")))
}

fn save_group(
    tenant: &mut Tenant,
    inventory: &Inventory,
    of: Option<&str>,
    record: &GroupRecord,
) -> Result<String, Refusal> {
    let entry = of.map(|name| group(inventory, name)).transpose()?;
    let old = entry.map(|entry| entry.record.name.as_str()).filter(|old| *old != record.name);
    let filters =
        old.map(|old| rewritten(inventory, &[("group", old)], ("group", &record.name))).unwrap_or_default();
    let saved = tenant.change(&current_author(), |c| match entry {
        Some(entry) => {
            c.edit(entry.id, entry.revision, record)?;
            filters.save(c)
        }
        None => c.add(record).map(drop),
    });
    saved.map_err(refusal)?;
    Ok(match of {
        None => format!("group {} made: it is empty, m picks its members", record.name),
        Some(name) if name != record.name => {
            format!("group {name} is called {} now{}", record.name, filters.words())
        }
        Some(name) => format!("group {name} saved"),
    })
}

fn save_filter(
    tenant: &mut Tenant,
    inventory: &Inventory,
    of: Option<&str>,
    record: &FilterRecord,
) -> Result<String, Refusal> {
    if record.expression.trim().is_empty() {
        let words = "a filter that keeps all is none: write env=prod, or a name".to_owned();
        return Err(Refusal { field: Some("expression"), words });
    }
    parse(inventory, &record.expression)
        .map_err(|e| Refusal { field: Some("expression"), words: format!("{:#}", e.root_cause()) })?;
    let entry =
        of.map(|name| inventory.filter(name).ok_or_else(|| gone("saved filter", name))).transpose()?;
    let saved = tenant.change(&current_author(), |c| match entry {
        Some(entry) => c.edit(entry.id, entry.revision, record).map(drop),
        None => c.add(record).map(drop),
    });
    saved.map_err(refusal)?;
    Ok(format!("filter {} saved", record.name))
}

/// Puts instances into a group and takes others out.
///
/// # Errors
/// The group or an instance is gone; nothing is to be changed.
fn members(
    tenant: &mut Tenant,
    inventory: &Inventory,
    name: &str,
    join: &[InstanceId],
    leave: &[InstanceId],
) -> Result<String, Refusal> {
    let name = group(inventory, name)?.record.name.as_str();
    let (join, leave): (HashSet<&str>, HashSet<&str>) =
        (join.iter().map(InstanceId::as_str).collect(), leave.iter().map(InstanceId::as_str).collect());
    let mut changed = Vec::new();
    for entry in &inventory.instances {
        let mut record = entry.record.clone();
        let is_in = record.groups.iter().any(|there| there.eq_ignore_ascii_case(name));
        if join.contains(record.name.as_str()) && !is_in {
            record.groups.push(name.to_owned());
        } else if leave.contains(record.name.as_str()) && is_in {
            record.groups.retain(|there| !there.eq_ignore_ascii_case(name));
        } else {
            continue;
        }
        changed.push((entry.clone(), record));
    }
    if changed.is_empty() {
        return Err(refused("nothing to change: it is so already"));
    }
    super::edit::save(tenant, &changed).map_err(refusal)?;
    Ok(format!("group {name}: {} changed", counted(changed.len(), "instance")))
}

/// Makes a group with these members.
///
/// # Errors
/// Its name is taken, or an instance is gone.
fn copy_group(
    tenant: &mut Tenant,
    inventory: &Inventory,
    record: &GroupRecord,
    members: &[InstanceId],
) -> Result<String, Refusal> {
    let mut changed = Vec::new();
    for id in members {
        let entry = inventory.instance(id.as_str()).ok_or_else(|| gone("instance", id.as_str()))?;
        let mut after = entry.record.clone();
        after.groups.push(record.name.clone());
        changed.push((entry, after));
    }
    let done: Result<(), StoreError> = tenant.change(&current_author(), |c| {
        c.add(record)?;
        for (entry, after) in &changed {
            c.edit_instance(entry.id, entry.revision, after)?;
        }
        Ok(())
    });
    done.map_err(refusal)?;
    Ok(format!("group {} made, with {}", record.name, counted(members.len(), "instance")))
}

/// Makes a label, changes its colour, gives it another name, or makes some one with another.
///
/// # Errors
/// A label is gone; an instance has another value of the new key, which it would lose.
fn label(
    tenant: &mut Tenant,
    inventory: &Inventory,
    of: &[(String, String)],
    to: &(String, String),
    color: LabelColor,
) -> Result<String, Refusal> {
    let entries =
        of.iter().map(|(key, value)| labelled(inventory, key, value)).collect::<Result<Vec<_>, _>>()?;
    let there = inventory.label(&to.0, &to.1);
    let poll = entries.first().map(|entry| entry.record.poll.clone()).unwrap_or_default();
    let wanted = LabelRecord { key: to.0.clone(), value: to.1.clone(), color, poll };
    let gone: Vec<&Entry<LabelRecord>> =
        entries.iter().copied().filter(|entry| there.is_none_or(|there| there.id != entry.id)).collect();
    if let (Some(there), true) = (there, gone.is_empty()) {
        if of.is_empty() {
            return Err(Refusal {
                field: Some("label"),
                words: format!("{} is there already", wanted.name()),
            });
        }
        return respell(tenant, inventory, there, &wanted);
    }
    let target = there.map_or_else(|| wanted.clone(), |there| there.record.clone());
    let changed = relabelled(inventory, &gone, &target)?;
    let names: Vec<(&str, &str)> =
        gone.iter().map(|entry| (entry.record.key.as_str(), entry.record.value.as_str())).collect();
    let filters = rewritten(inventory, &names, (&target.key, &target.value));
    let leaving: Vec<RecordId> = gone.iter().map(|entry| entry.id).collect();
    let done: Result<(), StoreError> = tenant.change(&current_author(), |c| {
        if there.is_none() {
            c.add_label_for(&wanted, &leaving)?;
        }
        filters.save(c)?;
        for (entry, record) in &changed {
            c.edit_instance(entry.id, entry.revision, record)?;
        }
        gone.iter().try_for_each(|entry| c.remove(Kind::Label, entry.id))
    });
    done.map_err(refusal)?;
    let names: Vec<String> = names.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let (old, new, on) = (names.join(", "), target.name(), counted(changed.len(), "instance"));
    Ok(match (there, names.len()) {
        (None, 0) => format!("label {new} made"),
        (None, 1) => format!("label {old} is called {new} now, on {on}{}", filters.words()),
        _ => format!("{old} became {new}, on {on}{}", filters.words()),
    })
}

/// Gives a label its colour, and another spelling on all that carry it, where only the case differs.
fn respell(
    tenant: &mut Tenant,
    inventory: &Inventory,
    there: &Entry<LabelRecord>,
    wanted: &LabelRecord,
) -> Result<String, Refusal> {
    let saved = LabelRecord { poll: there.record.poll.clone(), ..wanted.clone() };
    let is_respelled = saved.name() != there.record.name();
    let changed = if is_respelled { relabelled(inventory, &[there], &saved)? } else { Vec::new() };
    let done: Result<(), StoreError> = tenant.change(&current_author(), |c| {
        c.edit(there.id, there.revision, &saved)?;
        changed
            .iter()
            .try_for_each(|(entry, record)| c.edit_instance(entry.id, entry.revision, record).map(drop))
    });
    done.map_err(refusal)?;
    Ok(if is_respelled {
        let on = counted(changed.len(), "instance");
        format!("label {} is called {} now, on {on}", there.record.name(), saved.name())
    } else {
        format!("label {} is {} now", saved.name(), saved.color.as_str())
    })
}

/// The instances that carry one of these labels, with the other one in its place.
fn relabelled<'i>(
    inventory: &'i Inventory,
    old: &[&Entry<LabelRecord>],
    new: &LabelRecord,
) -> Result<Vec<(&'i Entry<InstanceRecord>, InstanceRecord)>, Refusal> {
    let mut changed = Vec::new();
    for entry in &inventory.instances {
        let mut record = entry.record.clone();
        for label in old {
            let is = |(key, value): (&String, &String)| {
                key.eq_ignore_ascii_case(&label.record.key) && value.eq_ignore_ascii_case(&label.record.value)
            };
            let carried = record.labels.iter().find(|label| is(*label)).map(|(key, _)| key.clone());
            if let Some(key) = carried {
                record.labels.remove(&key);
                let other = record.labels.insert(new.key.clone(), new.value.clone());
                if let Some(other) = other.filter(|other| !other.eq_ignore_ascii_case(&new.value)) {
                    let words = format!(
                        "{} has {}={other}, which it would lose: change it there first",
                        record.name, new.key
                    );
                    return Err(Refusal { field: Some("label"), words });
                }
            }
        }
        if record != entry.record {
            changed.push((entry, record));
        }
    }
    Ok(changed)
}
