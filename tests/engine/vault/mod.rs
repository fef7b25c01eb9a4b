//! The vault from outside: records that are refused, slots that come and go, key files and their permissions.

mod key_files;
mod records;
mod slots;

use dbtop::{
    model::{
        base::secret::Secret,
        inventory::record::{RecordId, TenantUid},
    },
    vault::{Cost, Opener, Sealer, Slot, VaultError},
};

const TENANT: TenantUid = TenantUid::from_bytes([1; 16]);
const CHEAP: Option<Cost> = Some(Cost::trifling_for_tests());

fn passphrase(text: &str) -> Opener {
    Opener::Passphrase(Secret::new(text.to_owned()))
}

fn open_vault() -> (Sealer, Slot) {
    dbtop::vault::create(&TENANT, &passphrase("correct horse battery"), "mine", CHEAP).unwrap()
}

fn id(number: u8) -> RecordId {
    RecordId::from_bytes([number; 16])
}

/// What somebody reads when it fails. `Sealer` has no `Debug` on purpose, so no `unwrap_err`.
#[track_caller]
fn sentence<T>(result: Result<T, VaultError>) -> String {
    result.err().expect("it must fail").to_string()
}
