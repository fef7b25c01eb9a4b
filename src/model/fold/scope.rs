//! Scopes: which part of the fleet is meant. The screen narrows by them step by step; `once --scope` takes one.

use super::snapshot::{FleetSnapshot, InstanceSnapshot};
use crate::model::inventory::instance::InstanceId;
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

/// There is nothing of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// `@x`
    #[error("no group is called {0}")]
    Group(String),
    /// `k=v`
    #[error("no instance has the label {0}")]
    Label(String),
    /// a name
    #[error("no instance is called {0}")]
    Instance(String),
}

impl Scope {
    /// Reads `@group`, `label=value` or an instance's name; `all` and `*` mean the whole fleet: None. Case does not matter.
    ///
    /// # Errors
    /// [`ScopeError`] if nothing in the fleet is called so.
    pub fn parse(text: &str, fleet: &FleetSnapshot) -> Result<Option<Self>, ScopeError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("all") || text == "*" {
            return Ok(None);
        }
        if let Some(name) = text.strip_prefix('@') {
            let mut groups = fleet.instances.iter().flat_map(|i| &i.info.groups);
            let group = groups.find(|g| g.eq_ignore_ascii_case(name));
            return group
                .map(|g| Some(Self::Group(Arc::clone(g))))
                .ok_or_else(|| ScopeError::Group(name.to_owned()));
        }
        if let Some((k, v)) = text.split_once('=') {
            let scope = Self::Label(k.trim().into(), v.trim().into());
            let found = fleet.instances.iter().any(|i| scope.holds(i));
            return if found { Ok(Some(scope)) } else { Err(ScopeError::Label(text.to_owned())) };
        }
        let found = fleet.instances.iter().find(|i| i.id().as_str().eq_ignore_ascii_case(text));
        found
            .map(|i| Some(Self::Instance(i.id().clone())))
            .ok_or_else(|| ScopeError::Instance(text.to_owned()))
    }

    /// True if the instance is in it.
    pub fn holds(&self, instance: &InstanceSnapshot) -> bool {
        match self {
            Self::Group(g) => instance.info.groups.iter().any(|x| x == g),
            Self::Label(k, v) => instance.info.label(k).is_some_and(|l| l.eq_ignore_ascii_case(v)),
            Self::Chosen { ids, .. } => ids.contains(instance.id()),
            Self::Instance(id) => instance.id() == id,
        }
    }

    /// Appends its crumb.
    pub fn push_name(&self, out: &mut String) {
        match self {
            Self::Group(g) => out.push_str(g),
            Self::Label(k, v) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "{k}={v}");
            }
            Self::Chosen { name, .. } => out.push_str(name),
            Self::Instance(id) => out.push_str(id.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{inventory::instance::InstanceInfo, judge::health::Health, poll::Facts};

    fn fleet() -> FleetSnapshot {
        let instance = |name: &str, group: &str| {
            let info = InstanceInfo {
                groups: vec![group.into()],
                labels: vec![("env".into(), group.into())],
                ..InstanceInfo::named(name)
            };
            Arc::new(InstanceSnapshot {
                info: Arc::new(info),
                facts: Facts::default(),
                history: Arc::default(),
                health: Health::default(),
                level_since: None,
            })
        };
        FleetSnapshot {
            instances: vec![instance("SQLPRD-1", "prod"), instance("tst", "test")],
            ..FleetSnapshot::default()
        }
    }

    fn held(text: &str) -> Vec<String> {
        let fleet = fleet();
        let scope = Scope::parse(text, &fleet).unwrap();
        let kept = fleet.instances.iter().filter(|i| scope.as_ref().is_none_or(|s| s.holds(i)));
        kept.map(|i| i.id().to_string()).collect()
    }

    #[test]
    fn names_groups_labels_and_all() {
        assert_eq!(held("sqlprd-1"), ["SQLPRD-1"]);
        assert_eq!(held("@PROD"), ["SQLPRD-1"]);
        assert_eq!(held("env=Test"), ["tst"]);
        assert_eq!(held("all").len(), 2);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let e = |t| Scope::parse(t, &fleet()).unwrap_err().to_string();
        assert_eq!(e("@x"), "no group is called x");
        assert_eq!(e("env=x"), "no instance has the label env=x");
        assert_eq!(e("x"), "no instance is called x");
    }
}
