//! What is free inside of files: each table of the pane asks it of a server in the same way, and those with databases have its chart.

use super::super::kept::{HOUR_MS, Kept};
use crate::{
    model::{
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::{demand::Demand, id::Metric},
    },
    tui::{action::Action, id::RowKey, wish::Wish},
};
use std::sync::Arc;

/// What is free inside of the data files of a database, over time. None: history keeps it of others.
pub(super) fn inside(i: &InstanceSnapshot, database: &Arc<str>) -> Option<Kept> {
    i.facts.room.get().filter(|room| room.is_charted(database))?;
    let title = format!("free inside of {database} GB");
    Some(Kept::in_gb(title, Metric::InsideFree, database, 24 * HOUR_MS))
}

/// Asks the database under the cursor what is free inside of its files; where the row is of none, all databases of the instance.
pub(super) fn free_space(
    action: Action,
    row: Option<&RowKey>,
    instance: Option<&InstanceId>,
) -> Option<Wish> {
    if action != Action::FreeSpace {
        return None;
    }
    let database_id = match row {
        Some(RowKey::File(_, id, _) | RowKey::Database(_, id)) => Some(*id),
        _ => None,
    };
    let demand = |instance: &InstanceId| Wish::Demand(instance.clone(), Demand::FreeSpace { database_id });
    Some(instance.map_or_else(
        || {
            let why = "choose an instance first: only its databases tell what is free inside of their files";
            Wish::Say(Level::Ok, why.to_owned())
        },
        demand,
    ))
}
