//! What plain mode lists: the rows of `once` by the pane of the screen that they are on. The only place that says which pane has lines.

use crate::{cli::What, tui::PaneId};

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// rows of `once`
    Rows(What),
    /// the one instance in scope
    Instance,
}

impl About {
    /// Its name, as the tabs of the screen say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rows(What::Fleet) => "fleet",
            Self::Rows(What::Activity) => "activity",
            Self::Rows(What::Waits) => "waits",
            Self::Rows(What::Blocking) => "blocking",
            Self::Rows(What::Queries) => "queries",
            Self::Rows(What::Modules) => "modules",
            Self::Rows(What::Querystore) => "query store",
            Self::Rows(What::Stores) => "query stores",
            Self::Rows(What::Plans) => "plans",
            Self::Rows(What::Deadlocks) => "deadlocks",
            Self::Rows(What::Cost) => "cost",
            Self::Rows(What::Databases) => "databases",
            Self::Rows(What::Storage) => "volumes",
            Self::Rows(What::Files) => "storage",
            Self::Rows(What::Growths) => "growths",
            Self::Rows(What::Tempdb) => "tempdb",
            Self::Rows(What::Txlog) => "transaction logs",
            Self::Rows(What::Memory) => "memory",
            Self::Rows(What::Grants) => "grants",
            Self::Instance => "instance",
        }
    }

    /// What a pane of the screen lists.
    pub const fn of(pane: PaneId) -> Option<Self> {
        Some(match pane {
            PaneId::Fleet => Self::Rows(What::Fleet),
            PaneId::Instance => Self::Instance,
            PaneId::Activity => Self::Rows(What::Activity),
            PaneId::Waits => Self::Rows(What::Waits),
            PaneId::Blocking => Self::Rows(What::Blocking),
            PaneId::Queries => Self::Rows(What::Queries),
            PaneId::Modules => Self::Rows(What::Modules),
            PaneId::QueryStore => Self::Rows(What::Querystore),
            PaneId::Deadlocks => Self::Rows(What::Deadlocks),
            PaneId::Storage => Self::Rows(What::Files),
            PaneId::Tempdb => Self::Rows(What::Tempdb),
            PaneId::TxLog => Self::Rows(What::Txlog),
            PaneId::Memory => Self::Rows(What::Memory),
            PaneId::Grants => Self::Rows(What::Grants),
            PaneId::Databases => Self::Rows(What::Databases),
            PaneId::Groups
            | PaneId::Labels
            | PaneId::Filters
            | PaneId::Audit
            | PaneId::Settings
            | PaneId::Tenants
            | PaneId::Vault => return None,
        })
    }
}
