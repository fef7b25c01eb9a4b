//! Virtual log files and log backups, by the log manager of each database. Known to be slow with many of them: over the on-demand lane.

use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        id::ProbeId,
        log_use::{LogUseRow, LogUseTable},
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Company, Lane, Pace, Probe, needed},
        script::{Needs, Script, script},
    },
};
use std::sync::Arc;

const LOG_USE: Script = script!("log_use", Performance, by "database_id");

/// No backup of a log is from before this: SQL Server says so where there was none.
const FIRST_MS: i64 = 631_152_000_000;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(LOG_USE)],
    pace: Pace::Seldom(4),
    company: Company::Alone,
    lane: Lane::OnDemand,
    timeout_ms: 20_000,
    unknown_without: &[(Needs::Performance, "the structure of transaction logs")],
    panes: &["transaction logs"],
    ..Probe::new(ProbeId::LogUse, Tier::Slow, decode)
};

/// A row without a database is left out, and so is a database that the configuration leaves out: nobody misses that one.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let clock = ctx.clock();
    let (mut total, mut unwanted) = (None, 0);
    let rows = sets.many("log_use")?.filter_map(|row| {
        total = total.max(row.count("total_rows"));
        if row.raw_text("database_name").is_some_and(|name| !ctx.wants_database(name)) {
            unwanted += 1;
            return None;
        }
        let backup_at = clock.at(row, "log_backup_time").filter(|at| at.ms() >= FIRST_MS);
        Some(LogUseRow {
            database: Some(row.name("database_name")?),
            vlfs: row.count("total_vlf_count"),
            active_vlfs: row.count("active_vlf_count"),
            backup_at: backup_at.map(|at| clock.ours(at)),
            since_backup_kb: row.amount("log_since_last_log_backup_mb").map(|mb| (mb * 1024.0) as i64),
        })
    });
    let logs: Vec<LogUseRow> = rows.collect();
    let total = total.and_then(|n| usize::try_from(n).ok()).unwrap_or(logs.len());
    let left_out = total.saturating_sub(logs.len() + unwanted) as u64;
    Ok(Sample::Known(State::from(Arc::new(LogUseTable { logs, left_out }))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::inventory::record::PollSettings,
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    #[test]
    fn a_log_has_what_its_manager_says_and_a_backup_that_never_was_is_unknown() {
        let columns = [
            "total_rows",
            "database_name",
            "total_vlf_count",
            "active_vlf_count",
            "log_backup_time",
            "log_since_last_log_backup_mb",
        ];
        let row = |name: Cell, vlfs, at, mb| vec![Cell::Int(9), name, vlfs, Cell::Int(2), at, mb];
        let rows = vec![
            row(text("orders"), Cell::Int(4_100), Cell::Local(1_700_000_000_000), Cell::Float(1.5)),
            row(text("crm"), Cell::Int(-1), Cell::Local(-2_208_988_800_000), Cell::Float(-1.0)),
            row(Cell::Null, Cell::Int(1), Cell::Null, Cell::Null),
        ];
        let answer = sets(vec![set("log_use", &columns, rows)]);
        let mut context = ProbeContext::new(crate::model::base::time::Timestamp::default);
        context.set_focused(true);
        let Ok(Sample::Known(State::LogUse(table))) = decode(&answer, &context) else { panic!() };
        let [orders, crm] = &table.logs[..] else { panic!("{table:?}") };
        assert_eq!((orders.vlfs, orders.since_backup_kb, table.left_out), (Some(4_100), Some(1_536), 7));
        assert_eq!((crm.vlfs, crm.backup_at, crm.since_backup_kb), (None, None, None));
        assert!(table.of("orders").is_some() && table.of("x").is_none());
        let settings = PollSettings { databases_out: vec!["crm".into()], ..PollSettings::default() };
        context.want_databases(Arc::new(settings));
        let Ok(Sample::Known(State::LogUse(table))) = decode(&answer, &context) else { panic!() };
        assert!(table.of("orders").is_some() && table.of("crm").is_none(), "{table:?}");
        assert_eq!(table.left_out, 7, "nobody misses what is left out on purpose");
    }
}
