//! One change for many instances: what the marked rows of the screen get. Says nothing about name and address, which
//! belong to one instance.

use super::{Auth, InstanceRecord};
use crate::model::base::time::Timestamp;
use std::collections::BTreeMap;

/// The changes; a field that says nothing stays as it is.
#[derive(Clone, Default, PartialEq)]
pub struct BulkChange {
    /// groups to join
    pub join: Vec<String>,
    /// groups to leave, whatever their case
    pub leave: Vec<String>,
    /// labels to set
    pub label: BTreeMap<String, String>,
    /// keys of labels to take off, whatever their case
    pub unlabel: Vec<String>,
    /// seconds between polls; Some(None): the default again
    pub every_s: Option<Option<u32>>,
    /// seconds between polls of the details; Some(None): the default again
    pub detail_every_s: Option<Option<u32>>,
    /// poll, or stop polling
    pub running: Option<bool>,
    /// neither polls nor alerts until then; Some(None): maintenance ends now
    pub maintenance_until: Option<Option<Timestamp>>,
    /// the login for polling
    pub auth: Option<Auth>,
    /// the login for actions; Some(None): none
    pub action: Option<Option<Auth>>,
}

impl BulkChange {
    /// True if it changes nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Carries it out on one record. The result is not validated.
    pub fn apply(&self, record: &mut InstanceRecord) {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        record.groups.retain(|group| !self.leave.iter().any(|out| same(out, group)));
        for group in &self.join {
            if !record.groups.iter().any(|there| same(there, group)) {
                record.groups.push(group.clone());
            }
        }
        record.labels.retain(|key, _| !self.unlabel.iter().any(|out| same(out, key)));
        record.labels.extend(self.label.clone());
        let poll = &mut record.poll;
        poll.every_s = self.every_s.unwrap_or(poll.every_s);
        poll.detail_every_s = self.detail_every_s.unwrap_or(poll.detail_every_s);
        poll.running = self.running.map_or(poll.running, |run| (!run).then_some(false));
        poll.maintenance_until = self.maintenance_until.unwrap_or(poll.maintenance_until);
        if let Some(auth) = &self.auth {
            record.auth = auth.clone();
        }
        if let Some(action) = &self.action {
            record.action.clone_from(action);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::record::SecretRef;

    #[test]
    fn it_changes_what_it_names_and_nothing_else() {
        let auth = Auth::Sql { user: "dbtop".into(), secret: SecretRef::Ask };
        let mut record = InstanceRecord::new("a", "db1", auth);
        record.groups = vec!["Prod".into(), "crm".into()];
        record.labels.insert("env".into(), "test".into());
        record.labels.insert("team".into(), "blue".into());
        record.poll.every_s = Some(60);
        let before = record.clone();
        BulkChange::default().apply(&mut record);
        assert!(record == before && BulkChange::default().is_empty());
        let change = BulkChange {
            join: vec!["prod".into(), "night".into()],
            leave: vec!["CRM".into()],
            label: [("env".to_owned(), "prod".to_owned())].into(),
            unlabel: vec!["TEAM".into()],
            every_s: Some(None),
            running: Some(false),
            auth: Some(Auth::Kerberos),
            ..BulkChange::default()
        };
        change.apply(&mut record);
        assert_eq!(record.groups, ["Prod", "night"]);
        assert_eq!(record.labels.into_iter().collect::<Vec<_>>(), [("env".to_owned(), "prod".to_owned())]);
        assert_eq!((record.poll.every_s, record.poll.running), (None, Some(false)));
        assert!(record.auth == Auth::Kerberos && record.host == "db1");
    }
}
