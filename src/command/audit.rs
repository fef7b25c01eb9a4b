//! `dbtop audit`: shows, checks and exports the log of every change. Reads only.

use super::{
    ask,
    invocation::Invocation,
    output::{Cell, Grid},
    when::Watch,
};
use crate::{
    cli::{Audit, AuditCommand, AuditRows, Format},
    model::{
        base::{text, time::Timestamp},
        inventory::record::{AuditEntry, Outcome},
    },
    store::{AuditFilter, AuditHead, Tenant},
};
use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use std::{fs::OpenOptions, io::Write, process::ExitCode};

const WIDEST: usize = 1_000;

/// Runs one of the sub-commands. The code is 2 if the log is not whole.
///
/// # Errors
/// In sentences that say the way out: see `store::StoreError` and `vault::VaultError`.
pub fn run(args: Audit, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let out = &mut std::io::stdout().lock();
    let tenant = ask::unlocked(&invocation.selection)?;
    let watch = &Watch::of(invocation)?;
    match args.command {
        AuditCommand::List(rows) => listing(&tenant, &rows, watch)?.print(args.output, out)?,
        AuditCommand::Head => head(tenant.audit_head()?).print(args.output, out)?,
        AuditCommand::Export { csv, out: file, rows } => {
            let grid = listing(&tenant, &rows, watch)?;
            let format = if csv { Format::Csv } else { args.output };
            match file {
                None => grid.print(format, out)?,
                Some(path) => {
                    let mut file = new_file(&path)?;
                    grid.print(format, &mut file)?;
                    file.flush().with_context(|| format!("writing {}", path.display()))?;
                }
            }
        }
        AuditCommand::Verify => {
            let check = tenant.verify_audit()?;
            let whole = check.bad.is_none();
            let grid = Grid {
                columns: vec!["whole", "good_entries", "first_bad", "problem", "last_hash"],
                rows: vec![vec![
                    Cell::Flag(whole),
                    Cell::Int(check.good as i64),
                    Cell::int(check.bad.map(|(at, _)| at as i64)),
                    Cell::text(check.bad.map(|(_, why)| why)),
                    Cell::Text(check.head.hash_hex()),
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

fn listing(tenant: &Tenant, rows: &AuditRows, watch: &Watch) -> anyhow::Result<Grid> {
    let moment = |text: &Option<String>| text.as_deref().map(|text| watch.limit(text)).transpose();
    let filter = AuditFilter {
        action: rows.action.clone(),
        entity: rows.entity.clone(),
        from: moment(&rows.from)?,
        until: moment(&rows.until)?,
        last: rows.last,
    };
    let columns = vec![
        "seq",
        "at_utc",
        "user",
        "tty",
        "ssh_client",
        "action",
        "entity",
        "name",
        "outcome",
        "reason",
        "detail",
    ];
    Ok(Grid { columns, rows: tenant.audit(&filter)?.iter().map(row).collect() })
}

fn row(entry: &AuditEntry) -> Vec<Cell> {
    let clean = |text: &str| Cell::Text(text::sanitize_line(text, WIDEST).to_string());
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map_or(Cell::text(None), clean);
    let (outcome, reason) = match &entry.outcome {
        Outcome::Done => ("done", None),
        Outcome::Refused(why) => ("refused", Some(why.as_str())),
    };
    vec![
        Cell::Int(entry.seq as i64),
        some(shown(entry.at).as_deref()),
        clean(&entry.author.user),
        some(entry.author.tty.as_deref()),
        some(entry.author.ssh_client.as_deref()),
        clean(&entry.action),
        clean(&entry.entity),
        clean(&entry.name),
        clean(outcome),
        some(reason),
        some(Some(&entry.detail)),
    ]
}

/// A time as RFC 3339, UTC; None: no calendar has it.
pub(super) fn shown(at: Timestamp) -> Option<String> {
    DateTime::<Utc>::from_timestamp_millis(at.ms()).map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// The log names hosts and people: only its owner can read the export, and no file is overwritten.
fn new_file(path: &std::path::Path) -> anyhow::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .with_context(|| format!("making {}: name a file that is not there yet", path.display()))
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
        assert_eq!(shown(Timestamp::from_ms(1)).as_deref(), Some("1970-01-01T00:00:00.001Z"));
        assert!(shown(Timestamp::from_ms(i64::MAX)).is_none(), "a hostile time is no panic");
    }
}
