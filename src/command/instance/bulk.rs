//! `dbtop instance edit`: one instance or many, in one transaction.

use super::{DECIDE, fields, told, warn_insecure};
use crate::{
    app::{
        inventory::edit::{SECOND_LOGIN, refuse_twin, save},
        selection::Selection,
    },
    cli::{Format, inventory::Edit},
    command::{ask, output::done, select::selected},
    exchange::{self, Draft, Field, Value, column},
    model::inventory::record::InstanceRecord,
    store::Entry,
};
use anyhow::{Context, anyhow, bail};

/// Changes the selected instances as the options say.
///
/// # Errors
/// Nothing to change, an error in the change, or another process changed one first.
pub fn edit(args: &Edit, selection: &Selection, output: Format) -> anyhow::Result<()> {
    let mut tenant = ask::unlocked(selection)?;
    let inventory = tenant.inventory()?;
    let found = selected(&inventory, &args.which)?;
    let mut said = fields::draft(&args.fields, args.rename.as_deref())?;
    let own = [Field::Name, Field::Host, Field::Port, Field::Instance];
    if found.len() > 1 && own.iter().any(|field| said.get(*field).is_some()) {
        bail!("name and address belong to one instance: {} are meant", found.len());
    }
    // Asked for once: a bulk edit often sets one password for many instances with the same login.
    if said.get(Field::User).is_some() || said.get(Field::ActionUser).is_some() {
        fields::ask_passwords(&mut said)?;
    }
    let mut changed: Vec<(Entry<InstanceRecord>, InstanceRecord)> = Vec::new();
    for entry in &found {
        let after = one(&entry.record, &said, args).with_context(|| entry.record.name.clone())?;
        if after != entry.record {
            refuse_twin(&inventory, &after, Some(&entry.record.name), args.second_login).map_err(
                |refusal| {
                    let decide = if refusal.field == Some(SECOND_LOGIN) { DECIDE } else { "" };
                    anyhow!("{}{decide}", refusal.words)
                },
            )?;
            changed.push(((*entry).clone(), after));
        }
    }
    if changed.is_empty() {
        bail!("nothing to change: {} is so already, or no option says what", told(&found));
    }
    ask::confirm_many(changed.len(), "are changed", args.yes)?;
    for (_, after) in &changed {
        warn_insecure(after);
    }
    save(&mut tenant, &changed)?;
    let names: Vec<_> =
        changed.iter().map(|(before, after)| (action(&before.record, after), after.name.clone())).collect();
    let names: Vec<(&str, String)> =
        names.iter().map(|(action, name)| (action.as_str(), name.clone())).collect();
    done(&names, output)
}

/// `edited notes, labels`.
fn action(before: &InstanceRecord, after: &InstanceRecord) -> String {
    let fields: Vec<&str> = exchange::changes(before, after).iter().map(|change| change.field).collect();
    format!("edited {}", fields.join(", "))
}

fn one(before: &InstanceRecord, said: &Draft, args: &Edit) -> anyhow::Result<InstanceRecord> {
    let base = Draft::of(before);
    let mut draft = said.clone();
    fields::add_lists(&mut draft, &args.fields, &base)?;
    let mut all = draft.over(&base);
    if !args.ungroup.is_empty()
        && let Some(Value::List(groups)) = all.get(Field::Groups).cloned()
    {
        let out = |group: &String| args.ungroup.iter().any(|name| name.eq_ignore_ascii_case(group));
        all.set(Field::Groups, Value::List(groups.into_iter().filter(|group| !out(group)).collect()));
    }
    if let Some(Value::Labels(mut labels)) = all.get(Field::Labels).cloned() {
        labels.retain(|key, _| !args.unlabel.iter().any(|out| out.eq_ignore_ascii_case(key)));
        all.set(Field::Labels, Value::Labels(labels));
    }
    all.set_poll(&fields::poll_over(&args.fields.poll, &base.poll())?);
    for name in &args.unset {
        let column = column(name).with_context(|| format!("--unset {name}: there is no such field"))?;
        all.clear(column.field);
        if column.field == Field::ActionUser {
            all.clear(Field::ActionAuth);
            all.clear(Field::ActionSecret);
        }
        if column.field == Field::TlsPin || column.field == Field::Tls {
            all.clear(Field::Tls);
            all.clear(Field::TlsPin);
        }
    }
    let record = all.record(None)?;
    // It was added when it was added, whatever is set or unset.
    Ok(InstanceRecord { added_at: before.added_at, ..record })
}
