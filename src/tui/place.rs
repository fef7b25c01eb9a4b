//! The user's place: a pane and the scopes that narrow the fleet, widest first. The crumbs of the header are this list.

use super::id::PaneId;
use crate::model::{fold::scope::Scope, inventory::instance::InstanceId};

/// A view that one can come back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// widest first; empty: the whole fleet
    pub scopes: Vec<Scope>,
    /// pane
    pub pane: PaneId,
}

impl Place {
    /// The instance in scope, if it is one.
    pub fn instance(&self) -> Option<&InstanceId> {
        match self.scopes.last() {
            Some(Scope::Instance(id)) => Some(id),
            _ => None,
        }
    }

    /// Narrows to one instance; another one in scope is replaced, not nested.
    pub fn narrow(&mut self, id: InstanceId) {
        if self.instance().is_some() {
            self.scopes.pop();
        }
        self.scopes.push(Scope::Instance(id));
    }
}
