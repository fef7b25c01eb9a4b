//! The tenants of this machine, the deleted ones last: watched, made, restored from a backup, renamed, limited, suspended, backed up,
//! deleted and brought back. Needs no key but for what is sealed: names, sizes and counts are readable without.

use super::{
    Part,
    listed::{Line, ListPane, Listed, Words, count, name, not_one, text},
};
use crate::{
    model::{
        base::{
            figure::{self, counted},
            filter::Value,
            time::Timestamp,
            zone::Zone,
        },
        inventory::record::{Limits, Slug},
    },
    protocol::{InventoryRequest, ListId, TenantChange, TenantLine},
    tui::{
        action::Action,
        ask::{Answers, Ask, Blank, Tone, Wrong},
        command_line::Command,
        id::RowKey,
        view::{Sealed, View},
        widget::{
            cell::CellText,
            column::{self, Kind, number, size, words},
            document::Document,
        },
        wish::Wish,
    },
};
use std::path::PathBuf;

const GB: f64 = 1e9;

/// The pane.
pub type TenantsPane = ListPane<Tenants>;

/// Rows of the pane: a tenant each.
#[derive(Debug)]
pub enum Tenants {}

impl Kind for Tenants {
    type Row<'a> = Line<'a, Self>;
}

/// A tenant, with its time in words.
#[derive(Debug)]
pub struct Row {
    line: TenantLine,
    used: String,
}

impl Row {
    fn new(line: &TenantLine, zone: &Zone) -> Self {
        Self { used: line.used.map(|at| zone.instant(at)).unwrap_or_default(), line: line.clone() }
    }

    fn name(&self) -> &Slug {
        &self.line.slug
    }
}

impl Listed for Tenants {
    type Record = Row;
    const LIST: Option<ListId> = Some(ListId::Tenants);
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "tenant";
    const WORDS: Words = Words {
        order: "by name, deleted last",
        no_match: "No tenant matches the filter.",
        none: &[
            "No tenant.",
            "A tenant is one fleet with its inventory, passwords, history and audit log, sealed for itself: + makes one.",
            "A demo, a file that you write by hand and a recording have none.",
        ],
        locked: "",
    };
    const NEEDS_KEY: bool = false;

    fn records(view: &View<'_>) -> Vec<Row> {
        view.lists.tenants().unwrap_or(&[]).iter().map(|line| Row::new(line, view.zone)).collect()
    }

    fn key(row: &Row) -> RowKey {
        // Some of one name may have been deleted.
        RowKey::Group(match row.line.deleted {
            None => row.name().as_str().into(),
            Some((at, _)) => format!("{}, deleted {}", row.name(), at.ms()).into(),
        })
    }

    fn texts<'r>(row: &'r Row, with: &mut dyn FnMut(&'r str)) {
        with(row.name().as_str());
        with(&row.line.state);
    }

    fn open(row: &Row) -> Wish {
        if !row.line.usable {
            return Wish::Details(Self::key(row));
        }
        let slug = row.name().clone();
        Wish::Run { text: format!("tenant {slug}"), command: Command::Tenant(slug) }
    }

    fn refuses(action: Action, on: &[&Row], view: &View<'_>) -> Option<String> {
        if !matches!(action, Action::Edit | Action::Backup | Action::Suspend | Action::Remove) {
            return None;
        }
        let [row] = on else { return not_one("tenant", on) };
        match (action, row.line.deleted) {
            (Action::Suspend, Some(_)) | (Action::Remove, None) => None,
            (Action::Suspend, None) if row.line.is_suspended => None,
            (Action::Remove, Some((_, until))) => Some(format!(
                "{} is deleted already: m brings it back, until {}",
                row.name(),
                view.zone.instant(until)
            )),
            _ => not_open(row, view),
        }
    }

    fn ask(action: Action, on: &[&Row], view: &View<'_>) -> Option<Ask> {
        Some(match (action, on) {
            (Action::Add, _) => addition(),
            (Action::Edit, [row]) => edit(row),
            (Action::Backup, [row]) => backup(row.name().as_str()),
            (Action::Suspend, [row]) => match &row.line {
                TenantLine { deleted: Some((at, _)), .. } => undeletion(&row.line, *at, view),
                line if line.is_suspended => resumption(line),
                line => suspension(line),
            },
            (Action::Remove, [row]) => removal(&row.line),
            _ => return None,
        })
    }

    fn tell(line: &Line<'_, Self>, document: &mut Document) {
        if let Some((at, until)) = line.record.line.deleted {
            let (base, zone) = (line.view.theme.base, line.view.zone);
            document.field("deleted", base, |s| zone.push_instant(s, at));
            document.field("comes back until", base, |s| zone.push_instant(s, until));
        }
    }

    fn title(rows: &[Row], _view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let deleted = rows.iter().filter(|row| row.line.deleted.is_some()).count();
        out.push((Part::Plain, counted(rows.len() - deleted, "tenant")));
        if deleted > 0 {
            out.push((Part::Plain, format!("{deleted} deleted, can come back")));
        }
    }
}

/// Why what needs the keys of a tenant cannot be done; None: they are in memory.
fn not_open(row: &Row, view: &View<'_>) -> Option<String> {
    let slug = row.name();
    match &row.line {
        line if line.deleted.is_some() => Some(format!("{slug} is deleted: m brings it back")),
        line if line.is_suspended => Some(format!("{slug} is suspended: m resumes it")),
        line if !line.is_watched => Some(format!("{slug} is sealed: Enter watches it, then it can be done")),
        _ if view.sealed == Sealed::Locked => Some(format!("{slug} is locked: :unlock opens it")),
        _ => None,
    }
}

/// The name that was typed.
fn slug(answers: &dyn Answers) -> Result<Slug, Wrong> {
    Slug::parse(answers.said("name")).map_err(|e| ("name", e.to_string()))
}

fn addition() -> Ask {
    let blanks = vec![
        Blank::text(
            "name",
            "Name",
            "",
            "small letters, digits and -; of a backup: empty means the name that it had",
        ),
        Blank::text(
            "file",
            "Backup",
            "",
            "a file of `dbtop tenant backup` to restore; empty: a new, empty tenant",
        ),
        Blank::hidden(
            "passphrase",
            "Passphrase",
            "opens its vault; of a backup: empty means a key file or the keyring",
        ),
        Blank::hidden("again", "The same again", "for a new tenant"),
    ];
    Ask::form("New tenant", blanks, |answers| {
        let passphrase = answers.secret("passphrase");
        let file = answers.said("file");
        if !file.is_empty() {
            let to = if answers.said("name").is_empty() { None } else { Some(slug(answers)?) };
            let file = PathBuf::from(file);
            return Ok(InventoryRequest::Tenant(TenantChange::Restore { file, to, passphrase }));
        }
        let slug = slug(answers)?;
        let passphrase = passphrase.ok_or_else(|| ("passphrase", "type the passphrase".to_owned()))?;
        match answers.secret("again") {
            Some(again) if again.reveal() == passphrase.reveal() => {
                Ok(InventoryRequest::Tenant(TenantChange::Create { slug, passphrase }))
            }
            _ => Err(("again", "it is not the same: nothing was made".to_owned())),
        }
    })
}

fn edit(row: &Row) -> Ask {
    let of = row.name().clone();
    let limits = row.line.limits.unwrap_or_default();
    let instances = limits.max_instances.map(|most| most.to_string()).unwrap_or_default();
    let there = limits.max_history_bytes;
    let history = there.map(|most| (most as f64 / GB).to_string()).unwrap_or_default();
    let blanks = vec![
        Blank::text(
            "name",
            "Name",
            of.as_str(),
            "small letters, digits and -; scripts that say --tenant need the new one",
        ),
        Blank::text(
            "max_instances",
            "Max instances",
            &instances,
            "empty: no limit; what is there already stays",
        ),
        Blank::text("max_history", "Max history, GB", &history, "empty: no limit; the oldest goes first"),
    ];
    Ask::form(format!("Tenant {of}"), blanks, move |answers| {
        let to = slug(answers)?;
        let max_history_bytes = most_history(answers.said("max_history"), (&history, there))?;
        let limits = Limits { max_instances: most_instances(answers)?, max_history_bytes };
        Ok(InventoryRequest::Tenant(TenantChange::Edit { slug: of.clone(), to, limits }))
    })
}

fn most_instances(answers: &dyn Answers) -> Result<Option<u32>, Wrong> {
    match answers.said("max_instances") {
        "" => Ok(None),
        typed => match typed.parse() {
            Ok(0) | Err(_) => Err(("max_instances", "write a number, such as 500, or nothing".to_owned())),
            Ok(most) => Ok(Some(most)),
        },
    }
}

/// A limit that is there stays as it is, even one of an older version that could not be given now.
fn most_history(typed: &str, (shown, there): (&str, Option<u64>)) -> Result<Option<u64>, Wrong> {
    match typed {
        "" => Ok(None),
        typed if typed == shown => Ok(there),
        typed => {
            let most = typed.parse().ok().and_then(Limits::history_of_gb);
            most.map(Some).ok_or_else(|| {
                let [least, most] = Limits::HISTORY_GB;
                ("max_history", format!("write gigabytes from {least} to {most}, such as 20, or nothing"))
            })
        }
    }
}

/// Asks where the backup of the open tenant goes.
pub fn backup(tenant: &str) -> Ask {
    let hint = "empty: named by tenant and time, in dbtop's folder of backups; never over another file";
    let blanks = vec![Blank::text("file", "File", "", hint)];
    let lines = vec![(
        Tone::Plain,
        "Inventory, passwords, audit log and history go into one file, sealed as they are. It goes on while you look elsewhere."
            .to_owned(),
    )];
    Ask::form(format!("Back up tenant {tenant}"), blanks, |answers| {
        let file = answers.said("file");
        Ok(InventoryRequest::Backup((!file.is_empty()).then(|| file.into())))
    })
    .with_lines(lines)
}

fn suspension(line: &TenantLine) -> Ask {
    let slug = line.slug.clone();
    let lines = vec![(
        Tone::Warning,
        "Nothing of it is polled or changed until it is resumed. Its history stays.".to_owned(),
    )];
    Ask::confirm(format!("Suspend tenant {slug}?"), lines, "yes", move || {
        InventoryRequest::Tenant(TenantChange::Suspend(slug.clone()))
    })
}

fn resumption(line: &TenantLine) -> Ask {
    let slug = line.slug.clone();
    let hint = "empty: what opens it without a question, such as a key file or the keyring";
    let blanks = vec![Blank::hidden("passphrase", "Passphrase", hint)];
    Ask::form(format!("Resume tenant {slug}"), blanks, move |answers| {
        let (slug, passphrase) = (slug.clone(), answers.secret("passphrase"));
        Ok(InventoryRequest::Tenant(TenantChange::Resume { slug, passphrase }))
    })
}

fn undeletion(line: &TenantLine, at: Timestamp, view: &View<'_>) -> Ask {
    let of = line.slug.clone();
    let blanks = vec![Blank::text("name", "Name", of.as_str(), "another one where this is taken")];
    let mut told = format!("The one that was deleted {}", view.zone.instant(at));
    if let Some(bytes) = line.size_bytes {
        told.push_str(", ");
        figure::push_size(&mut told, bytes as f64);
    }
    told.push('.');
    Ask::form(format!("Bring tenant {of} back"), blanks, move |answers| {
        let to = slug(answers)?;
        Ok(InventoryRequest::Tenant(TenantChange::Undelete { slug: of.clone(), at, to: Some(to) }))
    })
    .with_lines(vec![(Tone::Plain, told)])
}

fn removal(line: &TenantLine) -> Ask {
    let slug = line.slug.clone();
    let instances =
        line.instances.map(|n| format!(" of {}", counted(n as usize, "instance"))).unwrap_or_default();
    let mut lines = vec![(
        Tone::Warning,
        format!("Its inventory{instances}, passwords, history and audit log go with it."),
    )];
    if line.is_watched {
        lines.push((Tone::Warning, "It is watched now: polling ends.".to_owned()));
    }
    lines.push((
        Tone::Plain,
        "It can be brought back for 30 days (m here, or `dbtop tenant undelete`), then it is gone."
            .to_owned(),
    ));
    Ask::confirm(format!("Delete tenant {slug}?"), lines, slug.to_string(), move || {
        InventoryRequest::Tenant(TenantChange::Delete(slug.clone()))
    })
}

type Column = column::Column<Tenants>;

fn bytes(line: &Line<'_, Tenants>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(bytes) => out.with(line.style(), |out| figure::push_size(out, bytes)),
        None => out.put(line.view.theme.dim, "–"),
    }
}

/// A limit, which is sealed.
fn limit(
    line: &Line<'_, Tenants>,
    v: Option<Value<'_>>,
    out: &mut CellText,
    push: impl Fn(&mut String, f64),
) {
    match (v.and_then(Value::figure), line.record.line.limits) {
        (Some(most), _) => out.with(line.style(), |out| push(out, most)),
        (None, Some(_)) => out.put(line.view.theme.dim, "none"),
        (None, None) => out.put(line.view.theme.dim, "sealed"),
    }
}

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    Column::text("tenant", "TENANT", 20, 0)
        .at_least(12)
        .frozen()
        .value(|t| words(Some(t.record.name().as_str())))
        .cell(name)
        .filter(),
    Column::text("state", "STATE", 16, 0)
        .at_least(12)
        .growing()
        .value(|t| words(Some(&t.record.line.state)))
        .cell(|t, v, out| match &t.record.line {
            line if line.is_watched && line.usable => out.put(t.view.theme.accent, &line.state),
            line if line.usable || line.deleted.is_some() => out.put(t.view.theme.dim, &line.state),
            _ => match v {
                Some(Value::Text(words)) => out.put(t.view.theme.warning, words),
                _ => text(t, v, out),
            },
        })
        .filter(),
    Column::number("instances", "INSTANCES", 9, 0)
        .value(|t| number(t.record.line.instances.map(|n| n as f64)))
        .cell(count)
        .filter(),
    Column::number("max_instances", "MAX", 7, 2)
        .value(|t| number(t.record.line.limits.and_then(|limits| limits.max_instances).map(f64::from)))
        .cell(|t, v, out| limit(t, v, out, |out, most| figure::push_grouped(out, most as i64)))
        .filter(),
    Column::number("size", "SIZE", 9, 0)
        .value(|t| size(t.record.line.size_bytes.map(|bytes| bytes as i64), 1.0))
        .cell(bytes)
        .filter(),
    Column::number("history", "HISTORY", 9, 1)
        .value(|t| size(t.record.line.history_bytes.map(|bytes| bytes as i64), 1.0))
        .cell(bytes)
        .filter(),
    Column::number("max_history", "MAX HISTORY", 11, 2)
        .value(|t| {
            let most = t.record.line.limits.and_then(|limits| limits.max_history_bytes);
            size(most.map(|bytes| bytes as i64), 1.0)
        })
        .cell(|t, v, out| limit(t, v, out, figure::push_size))
        .filter(),
    Column::text("used", "LAST USE", 23, 1).value(|t| words(Some(&t.record.used))).cell(text).filter(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widget::column::ambiguous;

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn a_limit_of_an_older_version_stays_and_none_so_small_is_given_anew() {
        let there = ("0.05", Some(50_000_000));
        assert_eq!(most_history("0.05", there), Ok(there.1));
        assert_eq!(most_history("", there), Ok(None));
        assert_eq!(most_history("0.5", there), Ok(Some(500_000_000)));
        assert!(most_history("0.05", ("", None)).is_err() && most_history("0.06", there).is_err());
    }
}
