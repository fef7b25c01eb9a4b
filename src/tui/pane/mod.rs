//! Panes: each turns (snapshot, its own view state) into rows and draws them. A pane never waits for anything. [`Panes`] is the
//! list of them.

use super::id::PaneId;

pub mod activity;
pub mod api;
pub mod audit;
pub mod blocking;
pub mod costs;
pub mod databases;
pub mod deadlocks;
pub mod figure;
pub mod filters;
pub mod fleet;
pub mod grants;
pub mod groups;
pub mod instance;
pub mod kept;
pub mod labels;
pub mod listed;
pub mod memory;
pub mod memory_words;
pub mod modules;
pub mod objects;
pub mod parts;
pub mod queries;
pub mod query_store;
pub mod range;
pub mod reading;
pub mod request;
pub mod settings;
pub mod sights;
pub mod storage;
pub mod tempdb;
pub mod tenants;
pub mod txlog;
pub mod vault;
pub mod waits;
pub mod who;

#[cfg(test)]
mod stage;

pub use api::{Pane, Part};
pub use instance::evidence_of;

/// The panes with their view states, each in the place of its id.
pub struct Panes([Box<dyn Pane>; PaneId::ALL.len()]);

impl Default for Panes {
    fn default() -> Self {
        Self(PaneId::ALL.map(|id| -> Box<dyn Pane> {
            match id {
                PaneId::Fleet => Box::<fleet::FleetPane>::default(),
                PaneId::Instance => Box::<instance::InstancePane>::default(),
                PaneId::Activity => Box::<activity::ActivityPane>::default(),
                PaneId::Waits => Box::<waits::WaitsPane>::default(),
                PaneId::Queries => Box::<queries::QueriesPane>::default(),
                PaneId::Modules => Box::<modules::ModulesPane>::default(),
                PaneId::QueryStore => Box::new(query_store::pane()),
                PaneId::Storage => Box::new(storage::pane()),
                PaneId::Databases => Box::<databases::DatabasesPane>::default(),
                PaneId::Memory => Box::<memory::MemoryPane>::default(),
                PaneId::Tempdb => Box::<tempdb::TempdbPane>::default(),
                PaneId::TxLog => Box::<txlog::TxLogPane>::default(),
                PaneId::Grants => Box::<grants::GrantsPane>::default(),
                PaneId::Deadlocks => Box::<deadlocks::DeadlocksPane>::default(),
                PaneId::Blocking => Box::<blocking::BlockingPane>::default(),
                PaneId::Settings => Box::<settings::SettingsPane>::default(),
                PaneId::Tenants => Box::<tenants::TenantsPane>::default(),
                PaneId::Vault => Box::<vault::VaultPane>::default(),
                PaneId::Audit => Box::<audit::AuditPane>::default(),
                PaneId::Groups => Box::<groups::GroupsPane>::default(),
                PaneId::Labels => Box::<labels::LabelsPane>::default(),
                PaneId::Filters => Box::<filters::FiltersPane>::default(),
            }
        }))
    }
}

impl Panes {
    /// One of them.
    pub fn get(&mut self, id: PaneId) -> &mut dyn Pane {
        &mut *self.0[id as usize]
    }
}
