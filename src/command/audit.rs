//! `dbtop audit`: shows, checks, exports and shortens the log of every change.

use super::{
    ask,
    invocation::Invocation,
    output::{Cell, Grid, print},
    when::Watch,
};
use crate::{
    app::{
        configuration,
        exported::{self, write_private},
    },
    cli::{Audit, AuditCommand, AuditRows, Format},
    exchange::audit::{COLUMNS, texts},
    model::{
        base::{figure, time::Timestamp},
        inventory::record::AuditEntry,
    },
    store::{Anchor, AuditAge, AuditFilter, AuditHead, Tenant, clock as store_clock, current_author, sha256},
};
use anyhow::Context;
use std::{path::Path, process::ExitCode};

pub(super) use crate::exchange::audit::shown;

/// Runs one of the sub-commands. The code is 2 if the log is not whole.
///
/// # Errors
/// In sentences that say the way out: see `store::StoreError` and `vault::VaultError`.
pub fn run(args: Audit, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let out = &mut std::io::stdout();
    let mut tenant = ask::unlocked(&invocation.selection)?;
    let watch = &Watch::of(invocation)?;
    match args.command {
        AuditCommand::List(rows) => {
            grid(&tenant.audit(&filter(&rows, watch)?)?).print(args.output, out)?;
        }
        AuditCommand::Prune => {
            let config = configuration::load(&invocation.given)?;
            prune(&mut tenant, config.audit.keep_days)?.print(args.output, out)?;
        }
        AuditCommand::Head => head(tenant.audit_head()?).print(args.output, out)?,
        AuditCommand::Export { csv, out: file, rows } => {
            let entries = tenant.audit(&filter(&rows, watch)?)?;
            let format = if csv { Format::Csv } else { args.output };
            export(&mut tenant, &entries, format, file.as_deref())?;
        }
        AuditCommand::Verify => {
            let check = tenant.verify_audit()?;
            let whole = check.bad.is_none();
            let grid = Grid {
                columns: vec![
                    "whole",
                    "good_entries",
                    "first_bad",
                    "problem",
                    "last_hash",
                    "removed_entries",
                    "removed_until_utc",
                ],
                rows: vec![vec![
                    Cell::Flag(whole),
                    Cell::Int(check.good as i64),
                    Cell::int(check.bad.map(|(at, _)| at as i64)),
                    Cell::text(check.bad.map(|(_, why)| why)),
                    Cell::Text(check.head.hash_hex()),
                    Cell::Int(check.anchor.map_or(0, |anchor| anchor.entries as i64)),
                    Cell::text(check.anchor.and_then(|anchor| shown(anchor.at)).as_deref()),
                ]],
            };
            grid.print(args.output, out)?;
            if !whole {
                return Ok(ExitCode::from(2));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn head(head: AuditHead) -> Grid {
    Grid {
        columns: vec!["entries", "last_hash"],
        rows: vec![vec![Cell::Int(head.entries as i64), Cell::Text(head.hash_hex())]],
    }
}

fn filter(rows: &AuditRows, watch: &Watch) -> anyhow::Result<AuditFilter> {
    let moment = |text: &Option<String>| text.as_deref().map(|text| watch.limit(text)).transpose();
    Ok(AuditFilter {
        action: rows.action.clone(),
        entity: rows.entity.clone(),
        name: rows.name.clone(),
        search: rows.search.clone(),
        from: moment(&rows.from)?,
        until: moment(&rows.until)?,
        last: rows.last,
    })
}

fn grid(entries: &[AuditEntry]) -> Grid {
    Grid { columns: COLUMNS.to_vec(), rows: entries.iter().map(row).collect() }
}

fn row(entry: &AuditEntry) -> Vec<Cell> {
    let texts = texts(entry).into_iter().map(|text| Cell::text(text.as_deref()));
    std::iter::once(Cell::Int(entry.seq as i64)).chain(texts).collect()
}

/// Removes what is older than the configuration keeps it, by a time that is believed.
fn prune(tenant: &mut Tenant, keep_days: u32) -> anyhow::Result<Grid> {
    let now = store_clock::moment();
    let (ages, ahead_ms) = AuditAge::of(tenant, now)?.judge(now);
    let pruned = tenant.prune_audit(&current_author(), keep_days, ages)?;
    if let Some(ahead) = ahead_ms {
        let (clock, believed) = (shown(now.wall).unwrap_or_default(), shown(ages).unwrap_or_default());
        let mut span = String::new();
        figure::push_span(&mut span, ahead as i64);
        ask::say(&format!(
            "the clock says {clock}, {span} more than dbtop knew last: ages were judged by {believed}. A dbtop that runs for six hours makes sure which is right"
        ));
    }
    let at = |at: Option<Timestamp>| Cell::text(at.and_then(shown).as_deref());
    Ok(Grid {
        columns: vec![
            "removed_entries",
            "removed_until_utc",
            "last_removed",
            "last_removed_sha256",
            "keep_days",
        ],
        rows: vec![vec![
            Cell::Int(pruned.map_or(0, |pruned| pruned.entries as i64)),
            at(pruned.map(|pruned| pruned.anchor.at)),
            Cell::int(pruned.map(|pruned| pruned.anchor.entries as i64)),
            Cell::text(pruned.map(|pruned| hash_hex(&pruned.anchor)).as_deref()),
            Cell::Int(keep_days.into()),
        ]],
    })
}

fn hash_hex(anchor: &Anchor) -> String {
    AuditHead { entries: anchor.entries, hash: anchor.hash }.hash_hex()
}

/// Entries into a file, or to standard output; the audit log tells of it.
fn export(
    tenant: &mut Tenant,
    entries: &[AuditEntry],
    format: Format,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    grid(entries).print(format, &mut bytes)?;
    let sha256 = if let Some(path) = file {
        write_private(path, &bytes)?
    } else {
        print(&String::from_utf8_lossy(&bytes))?;
        sha256(&bytes)
    };
    exported::of_entries(tenant, entries, file, &sha256)
        .context("it is written, but the audit log does not tell of it")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::zone::UTC;

    #[test]
    fn limits_are_days_or_times_and_may_lie_in_the_future() {
        let watch = Watch { zone: UTC.clone(), now: Timestamp::from_ms(0) };
        let ms = |text: &str| watch.limit(text).map(Timestamp::ms).ok();
        assert_eq!(ms("1970-01-02"), Some(86_400_000));
        assert_eq!(ms("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(ms("soon"), None);
    }
}
