//! The rights of our login, and the optional objects that the server has.

use super::{
    id::{Emit, ProbeId},
    names::Visit,
    outcome::Outcome,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A right that some probe needs, and whether the login has it.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// such as `VIEW SERVER STATE`
    pub name: Arc<str>,
    /// HAS_PERMS_BY_NAME: Some(true/false), or None where the server does not know the name (NULL is not "denied")
    pub held: Option<bool>,
    /// what is shown only with it, in words
    pub gives: Arc<str>,
}

/// The login's rights and the columns that this server has beyond 2016.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rights {
    /// rights, most important first
    pub rights: Vec<Right>,
    /// optional objects and columns that are present, as `dm_os_host_info` or `dm_exec_requests.page_resource`
    pub present: Vec<Arc<str>>,
}

impl Rights {
    /// Whether the login holds a right by name; None if unknown.
    pub fn held(&self, name: &str) -> Option<bool> {
        self.rights.iter().find(|r| &*r.name == name).and_then(|r| r.held)
    }
    /// True when performance views may be read: VIEW SERVER STATE, or its 2022 half.
    pub fn sees_performance(&self) -> Option<bool> {
        match (self.held("VIEW SERVER STATE"), self.held("VIEW SERVER PERFORMANCE STATE")) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (None, None) => None,
            _ => Some(false),
        }
    }
}

impl Outcome for Rights {
    fn points(&self, _probe: ProbeId, _emit: Emit<'_>) {}

    fn each_name_mut(&mut self, _visit: Visit<'_>) {}
}
