//! Lists of the inventory that have a pane of their own, and their changes. The screen holds a list for as long as it shows it and
//! the vault is open.

use super::{Settings, TenantLine, VaultList};
use crate::model::{
    base::time::Timestamp,
    inventory::{
        instance::InstanceId,
        record::{AuditEntry, FilterRecord, GroupRecord, LabelColor},
    },
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
    Groups(Vec<GroupLine>),
    /// the labels, those that nobody carries too
    Labels(Vec<LabelLine>),
    /// the saved filters
    Filters(Vec<FilterLine>),
    /// entries of the audit log
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

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupLine {
    /// it
    pub record: GroupRecord,
    /// the saved filters that name it
    pub filters: Vec<String>,
}

/// Which entries of the audit log are wanted. Nothing said: the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuestion {
    /// about this instance alone, whatever it was called
    pub about: Option<InstanceId>,
    /// that pass this filter, as it is typed behind `/` in `:audit`
    pub filter: String,
}

/// Entries of the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditList {
    /// what was asked
    pub question: AuditQuestion,
    /// those found, the newest first
    pub entries: Vec<Arc<AuditEntry>>,
    /// so many are in the log
    pub total: u64,
    /// so many of them, the newest, were looked at
    pub read: u64,
    /// when the oldest of these was written; None: not known
    pub reached: Option<Timestamp>,
    /// the others are being looked at
    pub goes_on: bool,
}

impl AuditList {
    /// The entries about an instance: all of the answer to a question about it, and those of its name in another answer.
    pub fn about<'l>(&'l self, instance: &'l str) -> impl Iterator<Item = &'l Arc<AuditEntry>> {
        let is_answer = self.question.about.as_ref().is_some_and(|id| id.as_str() == instance);
        self.entries
            .iter()
            .filter(move |e| is_answer || (e.entity == "instance" && e.name.eq_ignore_ascii_case(instance)))
    }
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
    /// the saved filters that name it
    pub filters: Vec<String>,
    /// other labels write its key in another case, most of them so; None: all write it alike
    pub written: Option<String>,
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
