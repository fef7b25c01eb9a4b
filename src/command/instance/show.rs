//! `dbtop instance list` and `show`: the records of the inventory, never a password.

use crate::{
    app::{
        clock,
        inventory::{edit::named, targets::log_tag},
        selection::Selection,
    },
    cli::{Format, inventory::Which},
    command::{
        ask,
        output::{Cell, Grid},
        select::narrowed,
    },
    exchange::{self, Draft, Secrets, Value},
    model::{
        base::{text, time::Timestamp},
        inventory::record::{InstanceRecord, Pause},
    },
    store::Inventory,
};
use std::io::Write;

/// Lists instances.
///
/// # Errors
/// As [`narrowed`].
pub fn list(which: &Which, removed: bool, selection: &Selection, output: Format) -> anyhow::Result<()> {
    let tenant = ask::unlocked(selection)?;
    let inventory = if removed { tenant.deleted()? } else { tenant.inventory()? };
    say_damage(&inventory);
    let records: Vec<InstanceRecord> =
        narrowed(&inventory, which)?.into_iter().map(|entry| entry.record.clone()).collect();
    let now = clock::now();
    match output {
        Format::Table => table(&records, now).print(output, &mut std::io::stdout().lock()),
        Format::Json => raw(exchange::Format::Json, &records),
        Format::Csv => raw(exchange::Format::Csv, &records),
    }
}

/// Shows one instance.
///
/// # Errors
/// There is none of that name.
pub fn one(name: &str, selection: &Selection, output: Format) -> anyhow::Result<()> {
    let inventory = ask::unlocked(selection)?.inventory()?;
    say_damage(&inventory);
    let entry = named(&inventory, name)?;
    let record = &entry.record;
    match output {
        Format::Table => details(record, &log_tag(entry.id)).print(output, &mut std::io::stdout().lock()),
        Format::Json => raw(exchange::Format::Json, std::slice::from_ref(record)),
        Format::Csv => raw(exchange::Format::Csv, std::slice::from_ref(record)),
    }
}

/// Warns each time about records that could not be read.
fn say_damage(inventory: &Inventory) {
    inventory.damage.iter().for_each(|damage| ask::say(&damage.to_string()));
}

fn raw(format: exchange::Format, records: &[InstanceRecord]) -> anyhow::Result<()> {
    let bytes = exchange::write(format, records, Secrets::Leave).map_err(anyhow::Error::msg)?;
    match std::io::stdout().lock().write_all(&bytes) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn table(records: &[InstanceRecord], now: Timestamp) -> Grid {
    let clean = |text: &str| Cell::Text(text::sanitize_line(text, 500).to_string());
    let row = |record: &InstanceRecord| {
        let labels: Vec<String> = record.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        vec![
            clean(&record.name),
            clean(&record.address()),
            Cell::Text(record.auth.kind().into()),
            Cell::text(record.auth.user()),
            Cell::text(Draft::of(record).text(exchange::Field::Tls).or(Some("verify"))),
            clean(&record.groups.join(", ")),
            clean(&labels.join(" ")),
            Cell::int(record.poll.every_s.map(i64::from)),
            Cell::Text(record.poll.paused(now).map_or("polled", Pause::words).into()),
        ]
    };
    Grid {
        columns: vec!["name", "address", "auth", "login", "tls", "groups", "labels", "every_s", "state"],
        rows: records.iter().map(row).collect(),
    }
}

fn details(record: &InstanceRecord, tag: &str) -> Grid {
    let draft = Draft::of(record);
    // Reads stored passwords to say that there is one; never shows the value.
    let cells = draft.cells(Secrets::Write);
    let row = |(column, value): (&exchange::Column, &Value)| {
        vec![Cell::Text(column.name.into()), Cell::Text(text::sanitize_line(&value.text(), 2000).to_string())]
    };
    let in_the_log = vec![Cell::Text("in the log".into()), Cell::Text(tag.to_owned())];
    Grid { columns: vec!["field", "value"], rows: cells.map(row).chain([in_the_log]).collect() }
}
