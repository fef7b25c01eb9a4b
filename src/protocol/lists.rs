//! Lists of the inventory that have a pane of their own, and their changes. The screen holds a list for as long as it shows it and
//! the vault is open.

use super::{Settings, TenantLine, VaultList};
use crate::model::inventory::{
    instance::InstanceId,
    record::{AuditEntry, FilterRecord, GroupRecord, LabelColor},
};
use std::sync::Arc;

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListId {
    /// groups
    Groups,
    /// labels
    Labels,
    /// saved filters
    Filters,
    /// the audit log
    Audit,
    /// the key slots
    Vault,
    /// the settings: also where there is no inventory
    Settings,
    /// the tenants of this machine: also while none is open
    Tenants,
}

/// A list as it is now. See [`crate::protocol::InventoryRequest::List`].
#[derive(Debug, Clone, PartialEq)]
pub enum List {
    /// the groups, those without members too
    Groups(Vec<GroupRecord>),
    /// the labels, those that nobody carries too
    Labels(Vec<LabelLine>),
    /// the saved filters
    Filters(Vec<FilterLine>),
    /// the newest entries of the audit log
    Audit(AuditList),
    /// the key slots
    Vault(VaultList),
    /// the settings
    Settings(Box<Settings>),
    /// the tenants, the deleted ones last
    Tenants(Vec<TenantLine>),
}

impl List {
    /// Which one.
    pub const fn id(&self) -> ListId {
        match self {
            Self::Groups(_) => ListId::Groups,
            Self::Labels(_) => ListId::Labels,
            Self::Filters(_) => ListId::Filters,
            Self::Audit(_) => ListId::Audit,
            Self::Vault(_) => ListId::Vault,
            Self::Settings(_) => ListId::Settings,
            Self::Tenants(_) => ListId::Tenants,
        }
    }
}

/// Entries of the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditList {
    /// the newest first
    pub entries: Vec<Arc<AuditEntry>>,
    /// so many are in the log
    pub total: u64,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelLine {
    /// `env`
    pub key: String,
    /// `prod`
    pub value: String,
    /// how it is shown
    pub color: LabelColor,
    /// it changes how its instances are polled
    pub changes_polling: bool,
}

/// A saved filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterLine {
    /// it
    pub record: FilterRecord,
    /// so many instances pass it now; None: it cannot be read
    pub count: Option<usize>,
}

/// A change of a list. Answered by [`crate::protocol::Reply::Saved`], and by the list as it is then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListChange {
    /// save a group
    Group {
        /// its name until now; None: it is new
        of: Option<String>,
        /// as it shall be
        record: GroupRecord,
    },
    /// make a group that has these members from the start
    CopyGroup {
        /// it
        record: GroupRecord,
        /// they
        members: Vec<InstanceId>,
    },
    /// delete a group; its members stay
    RemoveGroup(String),
    /// put instances into a group and take others out, all or none
    Members {
        /// which group
        group: String,
        /// these go in
        join: Vec<InstanceId>,
        /// these go out
        leave: Vec<InstanceId>,
    },
    /// make a label, or change some; with the name of another one they become one with it
    Label {
        /// their keys and values until now; none: it is new
        of: Vec<(String, String)>,
        /// key and value as they shall be
        to: (String, String),
        /// its colour; a label that is there already keeps its own
        color: LabelColor,
    },
    /// take a label off all instances
    RemoveLabel {
        /// key
        key: String,
        /// value
        value: String,
    },
    /// save a filter
    Filter {
        /// its name until now; None: it is new
        of: Option<String>,
        /// as it shall be
        record: FilterRecord,
    },
    /// delete a saved filter
    RemoveFilter(String),
}
