//! From a record to what a connection needs.

use super::{InstanceRecord, RecordError, TlsCheck};
use crate::model::inventory::instance::{InstanceId, InstanceInfo, NoFingerprint, Target, TlsMode};
use std::sync::Arc;

impl TryFrom<&InstanceRecord> for Target {
    type Error = RecordError;

    /// The entry of the inventory, ready to connect. The record is taken to be valid; only the pin is read anew.
    fn try_from(record: &InstanceRecord) -> Result<Self, RecordError> {
        let tls = match &record.tls.check {
            TlsCheck::Verify => TlsMode::Verify,
            TlsCheck::Strict => TlsMode::Strict,
            TlsCheck::Insecure => TlsMode::Insecure,
            TlsCheck::Pin(text) => TlsMode::Pin(
                text.parse()
                    .map_err(|e: NoFingerprint| RecordError { field: "tls.pin", problem: e.to_string() })?,
            ),
        };
        let info = InstanceInfo {
            id: InstanceId::new(record.name.as_str()),
            uid: record.name.as_str().into(),
            address: record.address().into(),
            groups: record.groups.iter().map(|group| group.as_str().into()).collect(),
            labels: record.labels.iter().map(|(k, v)| (k.as_str().into(), v.as_str().into())).collect(),
            tls,
            poll: Arc::new(record.poll.clone()),
            tag: None,
            colors: Vec::new(),
            added_at: record.added_at,
        };
        let endpoint = record.endpoint();
        Ok(Self {
            info: Arc::new(info),
            endpoint,
            auth: record.auth.clone(),
            action: record.action.clone(),
            database: record.database.clone(),
            ca_file: record.tls.ca_file.clone(),
            host_in_certificate: record.tls.host_in_certificate.clone(),
            read_only_intent: record.read_only_intent,
            multi_subnet_failover: record.multi_subnet_failover,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::{instance::Fingerprint, record::Auth};

    #[test]
    fn a_record_becomes_a_target_with_its_pin() {
        let mut record = InstanceRecord::new("a", "db1", Auth::Kerberos);
        record.port = Some(1444);
        record.tls.check = TlsCheck::Pin(Fingerprint([7; 32]).to_string());
        record.labels.insert("env".into(), "prod".into());
        let target = Target::try_from(&record).unwrap();
        assert_eq!(target.info.tls, TlsMode::Pin(Fingerprint([7; 32])));
        assert!(!target.info.tls.is_insecure() && target.info.is_production());
        assert_eq!(&*target.info.address, "db1,1444");
        record.tls.check = TlsCheck::Pin("xyz".into());
        assert_eq!(Target::try_from(&record).err().map(|e| e.field), Some("tls.pin"));
    }
}
