//! The transaction logs of databases, the fullest ones: sizes and use by the performance counters, limits by the files.

use super::who::who;
use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        id::ProbeId,
        logs::{LogHolder, LogRow},
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Probe, needed, optional},
        script::{Needs, Script, When, script},
    },
};
use std::{collections::HashMap, sync::Arc};

/// What a log waits for that an open transaction holds.
const TRANSACTION: &str = "ACTIVE_TRANSACTION";

const LOG_SPACE: Script = script!("log_space", Performance, by "database_name");

/// Only where a log waits for a transaction; it tells of the other logs, too.
const HOLDERS: Script = script!("log_holders", Performance, by "database_id" "transaction_id");

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(LOG_SPACE), optional(HOLDERS, &[When::SecondTrip])],
    second_trip: Some(waits_for_a_transaction),
    unknown_without: &[
        (Needs::Performance, "the use of transaction logs"),
        (Needs::Definition, "how large a transaction log may become"),
    ],
    panes: &["databases", "transaction logs"],
    ..Probe::new(ProbeId::Logs, Tier::Detail, decode)
};

fn waits_for_a_transaction(sets: &Sets) -> bool {
    sets.all("log_space").any(|row| row.raw_text("log_reuse_wait_desc") == Some(TRANSACTION))
}

/// The oldest transaction that wrote to the log of each database.
fn holders(sets: &Sets, ctx: &ProbeContext) -> HashMap<Arc<str>, LogHolder> {
    let clock = ctx.clock();
    let mut holders: HashMap<Arc<str>, LogHolder> = HashMap::new();
    for row in sets.all("log_holders") {
        let Some(database) = ctx.database(row.i32("database_id")) else { continue };
        let since = clock.at(row, "database_transaction_begin_time").map(|at| clock.ours(at));
        let holder = LogHolder {
            session_id: row.i32("session_id"),
            since,
            log_bytes: row.count("database_transaction_log_bytes_used"),
            who: who(row, ctx),
        };
        let is_older = |old: &LogHolder| since.is_some_and(|at| old.since.is_none_or(|old| at < old));
        if holders.get(&database).is_none_or(is_older) {
            holders.insert(database, holder);
        }
    }
    holders
}

/// A row without a database is left out, and so is one of a log without any size.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let mut holders = holders(sets, ctx);
    let rows = sets.many("log_space")?.filter_map(|row| {
        let database = row.name("database_name")?;
        let reuse_wait = row.line("log_reuse_wait_desc", 60).filter(|wait| &**wait != "NOTHING");
        let is_held = reuse_wait.as_deref() == Some(TRANSACTION);
        let (holder, oldest) = match holders.remove(&database) {
            holder if is_held => (holder, None),
            oldest => (None, oldest),
        };
        Some(LogRow {
            holder,
            oldest,
            database: Some(database),
            reuse_wait,
            next_growth_kb: row.count("next_growth_kb"),
            growth_pct: row.count("growth_pct"),
            size_kb: row.count("size_kb").filter(|kb| *kb > 0),
            used_kb: row.count("used_kb"),
            max_kb: row.count("max_kb").filter(|kb| *kb > 0),
            path: row.line("log_path", 260),
            ..LogRow::default()
        })
    });
    Ok(Sample::Known(State::Logs(Arc::new(rows.collect()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    fn decoded(answer: Vec<crate::tds::ResultSet>) -> Arc<Vec<LogRow>> {
        let mut context = ProbeContext::new(crate::model::base::time::Timestamp::default);
        context.databases = [(5, "orders"), (6, "crm")].map(|(id, name)| (id, Arc::from(name))).into();
        match decode(&sets(answer), &context) {
            Ok(Sample::Known(State::Logs(found))) => found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_oldest_transaction_holds_the_log_that_waits_for_one_and_is_told_of_the_others() {
        let logs = ["orders", "crm"].into_iter().zip([TRANSACTION, "LOG_BACKUP"]);
        let logs = logs.map(|(name, wait)| vec![text(name), text(wait)]).collect();
        let open =
            [(5, 71), (6, 72)].map(|(database, session)| vec![Cell::Int(database), Cell::Int(session)]);
        let found = decoded(vec![
            set("log_space", &["database_name", "log_reuse_wait_desc"], logs),
            set("log_holders", &["database_id", "session_id"], open.to_vec()),
        ]);
        let sessions = |log: &LogRow| {
            let session = |holder: &Option<LogHolder>| holder.as_ref().and_then(|holder| holder.session_id);
            (session(&log.holder), session(&log.oldest))
        };
        assert_eq!(found.iter().map(sessions).collect::<Vec<_>>(), [(Some(71), None), (None, Some(72))]);
    }

    #[test]
    fn a_log_is_what_the_counters_say_and_nothing_else() {
        let columns = ["database_name", "log_reuse_wait_desc", "size_kb", "used_kb", "max_kb", "log_path"];
        let row = |name: Cell, wait: &str, figures: [Cell; 3]| {
            let [size, used, max] = figures;
            vec![name, text(wait), size, used, max, text("L:\\Log\\orders.ldf")]
        };
        let rows = vec![
            row(text("orders"), "LOG_BACKUP", [Cell::Int(1_000), Cell::Int(900), Cell::Int(4_000)]),
            row(text("crm"), "NOTHING", [Cell::Int(-1), Cell::Int(-8), Cell::Int(0)]),
            row(Cell::Null, "NOTHING", [Cell::Int(1), Cell::Int(1), Cell::Null]),
        ];
        let found = decoded(vec![set("log_space", &columns, rows)]);
        let [orders, crm] = &found[..] else { panic!("{found:?}") };
        assert_eq!((orders.reuse_wait.as_deref(), orders.max_kb), (Some("LOG_BACKUP"), Some(4_000)));
        assert_eq!((orders.size_kb, orders.used_kb), (Some(1_000), Some(900)));
        assert_eq!(orders.path.as_deref(), Some("L:\\Log\\orders.ldf"));
        assert_eq!(
            (crm.reuse_wait.as_deref(), crm.size_kb, crm.used_kb, crm.max_kb),
            (None, None, None, None)
        );
    }
}
