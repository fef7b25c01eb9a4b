//! Paths as people type them on the screen. No shell stands between, so that `~/` is put in its place here. The inventory service asks
//! for it once, before it carries a request out; sub-commands have a shell for that.

use crate::protocol::{InventoryRequest, NewKey, SlotChange, TenantChange};
use std::path::{Path, PathBuf};

/// The request with each typed path as a shell would have put it. `home`: of the user; None: not known, and nothing is changed.
pub fn placed(mut request: InventoryRequest, home: Option<&Path>) -> InventoryRequest {
    let Some(home) = home else { return request };
    let typed: Option<&mut PathBuf> = match &mut request {
        InventoryRequest::UnlockWith(file)
        | InventoryRequest::Backup(Some(file))
        | InventoryRequest::ExportAudit { file, .. }
        | InventoryRequest::Tenant(TenantChange::Restore { file, .. })
        | InventoryRequest::Slots(SlotChange::Add {
            key: NewKey::KeyFile(file) | NewKey::Credential(file) | NewKey::Command(file),
            ..
        }) => Some(file),
        _ => None,
    };
    if let Some(file) = typed
        && let Ok(below) = file.strip_prefix("~")
    {
        *file = home.join(below);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(request: InventoryRequest, home: Option<&str>) -> PathBuf {
        match placed(request, home.map(Path::new)) {
            InventoryRequest::UnlockWith(file)
            | InventoryRequest::Backup(Some(file))
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
            InventoryRequest::Slots(slot),
            InventoryRequest::Tenant(restore),
        ] {
            assert_eq!(file(request, Some("/h")), Path::new("/h/x"));
        }
    }
}
