//! Where the user is: a pane and the scopes that narrow the fleet, widest first. The crumbs of the header are this list.

use super::pane::PaneId;
use crate::model::{instance::InstanceId, snapshot::InstanceSnapshot};
use std::{fmt::Write as _, sync::Arc};

/// One step of narrowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// instances of a group
    Group(Arc<str>),
    /// instances with a label
    Label(Arc<str>, Arc<str>),
    /// instances chosen by marks or by a filter, as they were then: the set does not change under one's eyes
    Chosen {
        /// crumb: `3 marked`, `/cpu>80`
        name: Arc<str>,
        /// who
        ids: Arc<[InstanceId]>,
    },
    /// one instance
    Instance(InstanceId),
}

impl Scope {
    /// True if the instance is in it.
    pub fn holds(&self, instance: &InstanceSnapshot) -> bool {
        match self {
            Self::Group(g) => instance.info.groups.iter().any(|x| x == g),
            Self::Label(k, v) => instance.info.label(k).is_some_and(|l| l.eq_ignore_ascii_case(v)),
            Self::Chosen { ids, .. } => ids.contains(instance.id()),
            Self::Instance(id) => instance.id() == id,
        }
    }

    /// Its crumb.
    pub fn push_name(&self, out: &mut String) {
        match self {
            Self::Group(g) => out.push_str(g),
            Self::Label(k, v) => {
                let _ = write!(out, "{k}={v}");
            }
            Self::Chosen { name, .. } => out.push_str(name),
            Self::Instance(id) => out.push_str(id.as_str()),
        }
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
