//! The lists of the inventory as the inventory service told them last, for the panes that show them. Gone as soon as the vault is
//! locked or another fleet is watched.

use crate::protocol::{
    AuditList, AuditQuestion, FilterLine, GroupLine, LabelLine, List, ListId, Settings, TenantLine, VaultList,
};

/// The lists.
#[derive(Debug, Default)]
pub struct Lists {
    held: Vec<List>,
    /// the one that is asked for, and told again whenever it changes
    shown: Option<ListId>,
    /// what is asked of the audit log, if it is that one
    question: AuditQuestion,
}

impl Lists {
    /// The pane on the screen shows this list, of the audit log these entries. True if it is to be asked for.
    pub fn show(&mut self, id: Option<ListId>, question: AuditQuestion) -> bool {
        let is_new = self.shown != id || self.question != question;
        self.shown = id;
        self.question = question;
        is_new && id.is_some()
    }

    /// Takes a list as it is now.
    pub fn take(&mut self, list: List) {
        self.held.retain(|held| held.id() != list.id());
        self.held.push(list);
    }

    /// Forgets all of them; the one on the screen is asked for again.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The question was not taken: it is asked again.
    pub const fn ask_again(&mut self) {
        self.shown = None;
    }

    fn get(&self, id: ListId) -> Option<&List> {
        self.held.iter().find(|held| held.id() == id)
    }

    /// Groups; None: not told.
    pub fn groups(&self) -> Option<&[GroupLine]> {
        match self.get(ListId::Groups)? {
            List::Groups(groups) => Some(groups),
            _ => None,
        }
    }

    /// Labels; None: not told.
    pub fn labels(&self) -> Option<&[LabelLine]> {
        match self.get(ListId::Labels)? {
            List::Labels(labels) => Some(labels),
            _ => None,
        }
    }

    /// Saved filters; None: not told.
    pub fn filters(&self) -> Option<&[FilterLine]> {
        match self.get(ListId::Filters)? {
            List::Filters(filters) => Some(filters),
            _ => None,
        }
    }

    /// The audit log; None: not told.
    pub fn audit(&self) -> Option<&AuditList> {
        match self.get(ListId::Audit)? {
            List::Audit(audit) => Some(audit),
            _ => None,
        }
    }

    /// The settings; None: not told.
    pub fn settings(&self) -> Option<&Settings> {
        match self.get(ListId::Settings)? {
            List::Settings(settings) => Some(settings),
            _ => None,
        }
    }

    /// The tenants; None: not told.
    pub fn tenants(&self) -> Option<&[TenantLine]> {
        match self.get(ListId::Tenants)? {
            List::Tenants(tenants) => Some(tenants),
            _ => None,
        }
    }

    /// The key slots; None: not told.
    pub fn vault(&self) -> Option<&VaultList> {
        match self.get(ListId::Vault)? {
            List::Vault(vault) => Some(vault),
            _ => None,
        }
    }
}
