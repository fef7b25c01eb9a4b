//! The user's place: a pane and the scopes that narrow the fleet, widest first. The crumbs of the header are this list.

use super::id::{PaneId, RowKey};
use crate::model::{fold::scope::Scope, inventory::instance::InstanceId};

/// Steps that are remembered.
const MOST: usize = 50;

/// A step of the way to where the user is.
#[derive(Debug, Clone)]
pub struct Stop {
    /// where it was
    pub place: Place,
    /// the filter there
    pub filter: String,
    /// the row there
    pub row: Option<RowKey>,
    /// the filter that came with the link which led away: it is left together with its pane
    pub brought: Option<String>,
}

/// The way that the user came, the last step last. It ends where there is nothing wider: at the whole fleet.
#[derive(Debug, Default)]
pub struct Trail(Vec<Stop>);

impl Trail {
    /// Adds a step.
    pub fn push(&mut self, stop: Stop) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(stop);
    }

    /// Takes the last step back.
    pub fn pop(&mut self) -> Option<Stop> {
        self.0.pop()
    }

    /// The last step.
    pub fn last(&self) -> Option<&Stop> {
        self.0.last()
    }

    /// Forgets the way.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// A view that one can come back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// widest first; empty: the whole fleet
    pub scopes: Vec<Scope>,
    /// pane
    pub pane: PaneId,
}

impl Place {
    /// True for the whole fleet in its own pane: nothing is wider.
    pub fn is_top(&self) -> bool {
        self.scopes.is_empty() && self.pane == PaneId::Fleet
    }

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
