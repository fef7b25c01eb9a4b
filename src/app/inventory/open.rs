//! From a selection to a tenant: which one, and its vault opened without a question, else with a passphrase that a
//! person is asked for. Every command that reads or changes an inventory starts here.

use crate::{
    app::{prompt::Prompt, selection::Selection},
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

/// The same, for callers that tell errors of the store apart.
///
/// # Errors
/// As [`tenants`].
pub fn tenants_of_user() -> Result<Tenants, StoreError> {
    Tenants::open(&Home::find()?)
}

/// The tenants that there are. Makes nothing: the first folder comes with `dbtop vault init`.
///
/// # Errors
/// The folder cannot be read, or others can enter it.
pub fn tenants_there() -> anyhow::Result<Vec<Slug>> {
    if !Home::find()?.data().join("tenants").exists() {
        return Ok(Vec::new());
    }
    Ok(tenants()?.slugs()?)
}

/// The name of a tenant to make.
///
/// # Errors
/// A text that is no name.
pub fn new_name(selection: &Selection) -> anyhow::Result<Slug> {
    Ok(Slug::parse(selection.tenant.as_deref().unwrap_or(DEFAULT))?)
}

/// The selected tenant, locked: `--tenant`, else the only one.
///
/// # Errors
/// There is none, or more than one and none was named.
pub fn locked(selection: &Selection) -> anyhow::Result<LockedTenant> {
    let tenants = tenants()?;
    if let Some(name) = &selection.tenant {
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

/// Refuses a suspended tenant: nothing of it is polled.
///
/// # Errors
/// It is suspended.
pub fn refuse_suspended(tenant: &LockedTenant) -> anyhow::Result<()> {
    if tenant.is_suspended() {
        let slug = tenant.slug();
        bail!("tenant {slug} is suspended: nothing is polled until `dbtop tenant resume {slug}`");
    }
    Ok(())
}

/// The means that may open the tenant without a question.
fn env(selection: &Selection, tenant: &LockedTenant) -> Env {
    Env::of_process(tenant.slug().as_str(), selection.key_file.clone(), &selection.unwrap)
}

/// Opens the tenant without a question.
///
/// # Errors
/// Neither key file, keyring nor environment opens it.
pub fn unlock_unasked(selection: &Selection, tenant: &LockedTenant) -> Result<Tenant, StoreError> {
    tenant.unlock_any(&env(selection, tenant))
}

/// The selected tenant, unlocked; asks for its passphrase if nothing else opens it, three times at most.
///
/// # Errors
/// Those of [`locked`]; a key file that does not open it; no terminal to ask on; three wrong passphrases.
pub fn unlocked(selection: &Selection, prompt: &mut dyn Prompt) -> anyhow::Result<Tenant> {
    let tenant = locked(selection)?;
    match unlock_unasked(selection, &tenant) {
        Err(StoreError::Vault(VaultError::Locked(_))) if has_passphrase(&tenant) => {
            by_passphrase(&tenant, prompt)
        }
        done => Ok(done?),
    }
}

/// True if a passphrase opens it.
pub fn has_passphrase(tenant: &LockedTenant) -> bool {
    tenant.slots().iter().any(|slot| slot.kind() == SlotKind::Passphrase)
}

fn by_passphrase(tenant: &LockedTenant, prompt: &mut dyn Prompt) -> anyhow::Result<Tenant> {
    let question = format!("Passphrase of tenant {}: ", tenant.slug());
    for left in (0..TRIES).rev() {
        let opener = Opener::Passphrase(prompt.secret(&question)?);
        match tenant.unlock(&opener) {
            Err(StoreError::Vault(e @ VaultError::WrongPassphrase)) if left > 0 => prompt.say(&e.to_string()),
            done => return Ok(done?),
        }
    }
    Err(VaultError::WrongPassphrase.into())
}
