//! From the command line to a tenant: which one, and its vault opened with what needs no question, else with a passphrase
//! from the terminal. Every command that reads or changes an inventory starts here.

use super::{ask, quiet::Quiet};
use crate::{
    cli::Tenancy,
    model::inventory::record::Slug,
    store::{Home, LockedTenant, StoreError, Tenant, Tenants},
    vault::{Env, Opener, SlotKind, VaultError},
};
use anyhow::bail;

/// The name of a tenant that is made without one.
const DEFAULT: &str = "default";
const TRIES: usize = 3;

/// The tenants of this user.
///
/// # Errors
/// No folder for data, or others can enter it.
pub fn tenants() -> anyhow::Result<Tenants> {
    Ok(tenants_of_user()?)
}

/// The same, for who tells errors of the store apart.
///
/// # Errors
/// As [`tenants`].
pub fn tenants_of_user() -> Result<Tenants, StoreError> {
    Tenants::open(&Home::find()?)
}

/// The name of a tenant to make.
///
/// # Errors
/// A text that is no name.
pub fn new_name(tenancy: &Tenancy) -> anyhow::Result<Slug> {
    Ok(Slug::parse(tenancy.tenant.as_deref().unwrap_or(DEFAULT))?)
}

/// The tenant that is meant, locked: `--tenant`, else the only one.
///
/// # Errors
/// There is none, or more than one and none was named.
pub fn locked(tenancy: &Tenancy) -> anyhow::Result<LockedTenant> {
    let tenants = tenants()?;
    if let Some(name) = &tenancy.tenant {
        return Ok(tenants.get(&Slug::parse(name)?)?);
    }
    match tenants.slugs()?.as_slice() {
        [only] => Ok(tenants.get(only)?),
        [] => bail!("there is no tenant yet: make one with `dbtop vault init`"),
        several => {
            let names: Vec<&str> = several.iter().map(Slug::as_str).collect();
            bail!("there are several tenants: name one with --tenant ({})", names.join(", "))
        }
    }
}

/// What may open the tenant without a question.
pub fn env(tenancy: &Tenancy, tenant: &LockedTenant) -> Env {
    Env::of_process(tenant.slug().as_str(), tenancy.key_file.clone())
}

/// The tenant that is meant, unlocked; asks for its passphrase if nothing else opens it, three times at most.
///
/// # Errors
/// Those of [`locked`]; a key file that does not open it; no terminal to ask on; three wrong passphrases.
pub fn unlocked(tenancy: &Tenancy) -> anyhow::Result<Tenant> {
    let tenant = locked(tenancy)?;
    match tenant.unlock_any(&env(tenancy, &tenant)) {
        Err(StoreError::Vault(VaultError::Locked(_))) if has_passphrase(&tenant) => by_passphrase(&tenant),
        done => Ok(done?),
    }
}

/// True if a passphrase opens it.
pub fn has_passphrase(tenant: &LockedTenant) -> bool {
    tenant.slots().iter().any(|slot| slot.kind() == SlotKind::Passphrase)
}

fn by_passphrase(tenant: &LockedTenant) -> anyhow::Result<Tenant> {
    let question = format!("Passphrase of tenant {}: ", tenant.slug());
    let mut quiet = Quiet::begin()?;
    for left in (0..TRIES).rev() {
        let opener = Opener::Passphrase(quiet.ask(&question)?);
        match tenant.unlock(&opener) {
            Err(StoreError::Vault(e @ VaultError::WrongPassphrase)) if left > 0 => ask::say(&e.to_string()),
            done => return Ok(done?),
        }
    }
    Err(VaultError::WrongPassphrase.into())
}
