//! What is free inside of files: each table of the pane asks it of a server in the same way.

use crate::{
    model::{inventory::instance::InstanceId, judge::health::Level, poll::demand::Demand},
    tui::{action::Action, id::RowKey, wish::Wish},
};

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
