//! Paths as people type them on the screen. No shell stands between, so that `~/` is put in its place here. The inventory service asks
//! for it once, before it carries a request out; sub-commands have a shell for that.

use crate::{
    model::inventory::record::{Auth, InstanceRecord, SecretRef},
    protocol::{InventoryRequest, NewKey, SlotChange, TenantChange},
};
use std::path::{Path, PathBuf};

/// The request with each typed path as a shell would have put it. `home`: of the user; None: not known, and nothing is changed.
pub fn placed(mut request: InventoryRequest, home: Option<&Path>) -> InventoryRequest {
    let Some(home) = home else { return request };
    for file in typed(&mut request) {
        if let Ok(below) = file.strip_prefix("~") {
            *file = home.join(below);
        }
    }
    request
}

fn typed(request: &mut InventoryRequest) -> Vec<&mut PathBuf> {
    match request {
        InventoryRequest::UnlockWith(file)
        | InventoryRequest::Backup(Some(file))
        | InventoryRequest::ExportAudit { file, .. }
        | InventoryRequest::WriteFile { file, .. }
        | InventoryRequest::Tenant(TenantChange::Restore { file, .. })
        | InventoryRequest::Slots(SlotChange::Add {
            key: NewKey::KeyFile(file) | NewKey::Credential(file) | NewKey::Command(file),
            ..
        }) => vec![file],
        InventoryRequest::Save { record, .. } | InventoryRequest::Test { record, .. } => of_record(record),
        InventoryRequest::Bulk { change, .. } => {
            let logins = [change.auth.as_mut(), change.action.as_mut().and_then(Option::as_mut)];
            logins.into_iter().flatten().filter_map(of_login).collect()
        }
        _ => Vec::new(),
    }
}

fn of_record(record: &mut InstanceRecord) -> Vec<&mut PathBuf> {
    let logins = [Some(&mut record.auth), record.action.as_mut()].into_iter().flatten().filter_map(of_login);
    record.tls.ca_file.iter_mut().chain(logins).collect()
}

/// The file that a password comes from.
fn of_login(auth: &mut Auth) -> Option<&mut PathBuf> {
    match auth.secret_mut()? {
        SecretRef::File(file) => Some(file),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(request: InventoryRequest, home: Option<&str>) -> PathBuf {
        match placed(request, home.map(Path::new)) {
            InventoryRequest::UnlockWith(file)
            | InventoryRequest::Backup(Some(file))
            | InventoryRequest::WriteFile { file, .. }
            | InventoryRequest::Slots(SlotChange::Add { key: NewKey::KeyFile(file), .. })
            | InventoryRequest::Tenant(TenantChange::Restore { file, .. }) => file,
            _ => panic!("it has a path"),
        }
    }

    #[test]
    fn a_path_that_begins_with_the_home_is_put_there_and_no_other() {
        let unlock = |path: &str| file(InventoryRequest::UnlockWith(path.into()), Some("/h/mira"));
        for (typed, is) in [
            ("~/keys/acme", "/h/mira/keys/acme"),
            ("~", "/h/mira"),
            ("/srv/~/key", "/srv/~/key"),
            ("keys/acme", "keys/acme"),
            ("~olga/key", "~olga/key"),
            ("./~/key", "./~/key"),
        ] {
            assert_eq!(unlock(typed), Path::new(is), "{typed}");
        }
        assert_eq!(file(InventoryRequest::UnlockWith("~/key".into()), None), Path::new("~/key"));
    }

    #[test]
    fn every_request_with_a_typed_path_has_it() {
        let typed = || PathBuf::from("~/x");
        let slot = SlotChange::Add { key: NewKey::KeyFile(typed()), label: String::new() };
        let restore = TenantChange::Restore { file: typed(), to: None, passphrase: None };
        for request in [
            InventoryRequest::UnlockWith(typed()),
            InventoryRequest::Backup(Some(typed())),
            InventoryRequest::WriteFile {
                file: typed(),
                what: "plan",
                scope: String::new(),
                text: "".into(),
            },
            InventoryRequest::Slots(slot),
            InventoryRequest::Tenant(restore),
        ] {
            assert_eq!(file(request, Some("/h")), Path::new("/h/x"));
        }
    }

    #[test]
    fn the_files_of_an_instance_are_typed_too() {
        let login = || Auth::Sql { user: "u".into(), secret: SecretRef::File("~/pw".into()) };
        let mut record = InstanceRecord::new("a", "h".to_owned(), login());
        (record.action, record.tls.ca_file) = (Some(login()), Some("~/ca.pem".into()));
        let request = InventoryRequest::Test { ticket: 1, record: Box::new(record), of: None };
        let InventoryRequest::Test { record, .. } = placed(request, Some(Path::new("/h"))) else {
            panic!("it stays one")
        };
        assert_eq!(record.tls.ca_file.as_deref(), Some(Path::new("/h/ca.pem")));
        for auth in [Some(&record.auth), record.action.as_ref()] {
            assert!(
                matches!(auth.and_then(Auth::secret), Some(SecretRef::File(file)) if file == Path::new("/h/pw"))
            );
        }
    }
}
