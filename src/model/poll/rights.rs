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

impl Right {
    /// What the login cannot do without it: `cannot see failed Agent jobs`.
    pub fn loss(&self) -> String {
        match &*self.name {
            "ALTER ANY CONNECTION" => "cannot KILL sessions".to_owned(),
            _ => format!("cannot see {}", self.gives),
        }
    }
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
            // Before 2022 there are no halves.
            (Some(false), _) => Some(false),
            (None, _) => None,
        }
    }
}

impl Outcome for Rights {
    fn points(&self, _probe: ProbeId, _emit: Emit<'_>) {}

    fn each_name_mut(&mut self, _visit: Visit<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_rights_is_enough_and_unknown_is_not_denied() {
        let sees = |whole, half| {
            let right = |name: &str, held| Right { name: name.into(), held, gives: "".into() };
            let rights =
                vec![right("VIEW SERVER STATE", whole), right("VIEW SERVER PERFORMANCE STATE", half)];
            Rights { rights, present: vec![] }.sees_performance()
        };
        for (whole, half, expected) in [
            (Some(true), None, Some(true)),
            (Some(true), Some(false), Some(true)),
            (Some(false), Some(true), Some(true)),
            (None, Some(true), Some(true)),
            (Some(false), None, Some(false)),
            (Some(false), Some(false), Some(false)),
            (None, Some(false), None),
            (None, None, None),
        ] {
            assert_eq!(sees(whole, half), expected, "{whole:?} {half:?}");
        }
        assert_eq!(Rights::default().sees_performance(), None);
    }
}
