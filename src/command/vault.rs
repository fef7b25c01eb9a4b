//! `dbtop vault`: makes a vault, shows and changes what opens it, rotates its key. A command prints its result on
//! standard output, in the format of `-o`; advice goes to standard error.

use super::{
    ask,
    audit::shown,
    invocation::Invocation,
    output::{Cell, Grid},
};
use crate::{
    app::{
        inventory::{
            open,
            slots::{self as of_slots, key_age_ms, old_key},
        },
        selection::Selection,
    },
    cli::{NewSlot, SlotCommand, Vault, VaultCommand},
    model::{base::text, inventory::record::Slug},
    store::{Tenant, clock::moment, current_author},
    vault::{self, Opener, Sealer, Slot, SlotKind},
};
use anyhow::Context;
use std::process::ExitCode;

/// Runs one of the sub-commands.
///
/// # Errors
/// In sentences that say the way out: see `store::StoreError` and `vault::VaultError`.
pub fn run(args: Vault, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let grid = match args.command {
        VaultCommand::Init { keyring } => init(keyring, &invocation.selection)?,
        VaultCommand::Status => status(&invocation.selection)?,
        VaultCommand::Slot(SlotCommand::List) => {
            let tenant = ask::unlocked(&invocation.selection)?;
            slots(&tenant, &tenant.slots()?)
        }
        VaultCommand::Slot(SlotCommand::Add { slot, label }) => add(&slot, &label, &invocation.selection)?,
        VaultCommand::Slot(SlotCommand::Remove { id, rotate }) => remove(&id, rotate, &invocation.selection)?,
        VaultCommand::Rotate => rotate(&invocation.selection)?,
        VaultCommand::LockCheck => lock_check(),
    };
    grid.print(args.output, &mut std::io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

fn init(keyring: bool, selection: &Selection) -> anyhow::Result<Grid> {
    let tenant = make(&open::new_name(selection)?, keyring, selection)?;
    Ok(slots(&tenant, &tenant.slots()?))
}

/// Makes a tenant whose first slot is the keyring, the key file that is named, or a passphrase that is asked for.
///
/// # Errors
/// There is one of this name; those of the vault; no terminal to ask on.
pub(super) fn make(name: &Slug, keyring: bool, selection: &Selection) -> anyhow::Result<Tenant> {
    let tenants = open::tenants()?;
    // Checked before somebody thinks of a passphrase for it.
    if tenants.slugs()?.contains(name) {
        return Err(crate::store::StoreError::TenantExists(name.to_string()).into());
    }
    // Set in the environment or the arguments: both mean a script.
    let key_file = vault::Env::of_process(name.as_str(), selection.key_file.clone(), &[]).key_file;
    let opener = match key_file {
        _ if keyring => Opener::Keyring,
        Some(file) => Opener::KeyFile(file),
        None => Opener::Passphrase(ask::new_passphrase(&format!("tenant {name}"))?),
    };
    let tenant = tenants.create(name, &opener, "first", None, &current_author())?;
    ask::say(&format!("tenant {name} is made. Keep a second way in: `dbtop vault slot add`"));
    Ok(tenant)
}

fn status(selection: &Selection) -> anyhow::Result<Grid> {
    let tenant = open::locked(selection)?;
    let mut kinds: Vec<&str> = tenant.slots().iter().map(|slot| slot.kind().name()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let opened = open::unlock_unasked(selection, &tenant);
    let keyed = opened.as_ref().ok().and_then(|tenant| tenant.keyed().ok().flatten());
    let age_ms = opened.as_ref().ok().and_then(|tenant| key_age_ms(tenant, moment()).ok().flatten());
    let old = age_ms.and_then(old_key);
    let generation = tenant.slots().iter().map(Slot::generation).max();
    Ok(Grid {
        columns: vec![
            "tenant",
            "id",
            "suspended",
            "generation",
            "slots",
            "kinds",
            "opens_here",
            "problem",
            "data_key_made_utc",
            "warning",
        ],
        rows: vec![vec![
            Cell::Text(tenant.slug().to_string()),
            Cell::Text(tenant.uid().to_string()),
            Cell::Flag(tenant.is_suspended()),
            Cell::int(generation.map(|number| number as i64)),
            Cell::Int(tenant.slots().len() as i64),
            Cell::Text(kinds.join(" ")),
            Cell::Flag(opened.is_ok()),
            Cell::text(opened.err().map(|e| e.to_string()).as_deref()),
            Cell::text(keyed.and_then(shown).as_deref()),
            Cell::text(old.as_deref()),
        ]],
    })
}

fn add(slot: &NewSlot, label: &str, selection: &Selection) -> anyhow::Result<Grid> {
    let mut tenant = ask::unlocked(selection)?;
    let opener = match slot {
        NewSlot::Passphrase => Opener::Passphrase(ask::new_passphrase(&format!("tenant {}", tenant.slug()))?),
        NewSlot::KeyFile { file } => Opener::KeyFile(file.clone()),
        NewSlot::Credential { file } => Opener::Credential(file.clone()),
        NewSlot::Keyring => Opener::Keyring,
        NewSlot::Command { wrapped } => {
            let wrapped =
                of_slots::wrapped(wrapped).with_context(|| format!("reading {}", wrapped.display()))?;
            Opener::Command { argv: selection.unwrap.clone(), wrapped }
        }
    };
    let made = tenant.add_slot(&current_author(), &opener, label, None)?;
    if made.kind() == SlotKind::KernelKeyring {
        ask::say("this is the kernel's keyring of the login session: it forgets at reboot, often at logout");
    }
    Ok(slots(&tenant, &[made]))
}

fn remove(id: &str, rotate: bool, selection: &Selection) -> anyhow::Result<Grid> {
    let mut tenant = ask::unlocked(selection)?;
    let (_, removed) = vault::without_slot(&tenant.slots()?, id)?;
    // Its label can be read with the key that it was sealed with.
    let grid = slots(&tenant, &[removed]);
    if rotate {
        tenant.rotate(&current_author(), Some(id))?;
    } else {
        tenant.remove_slot(&current_author(), id)?;
        ask::say(
            "who kept a copy of the data key can still read the file: `dbtop vault rotate` locks them out",
        );
    }
    Ok(grid)
}

fn rotate(selection: &Selection) -> anyhow::Result<Grid> {
    let mut tenant = ask::unlocked(selection)?;
    tenant.rotate(&current_author(), None)?;
    Ok(Grid {
        columns: vec!["tenant", "generation"],
        rows: vec![vec![
            Cell::Text(tenant.slug().to_string()),
            Cell::Int(tenant.sealer().generation() as i64),
        ]],
    })
}

fn lock_check() -> Grid {
    let hardened = vault::harden();
    let line = |what: &str, ok: bool, otherwise: &str| {
        let detail = if ok { "" } else { otherwise };
        vec![
            Cell::Text(what.to_owned()),
            Cell::Flag(ok),
            Cell::text(Some(detail).filter(|text| !text.is_empty())),
        ]
    };
    let mut rows = vec![
        line(
            "core dumps and tracing are off",
            hardened.is_undumpable,
            "only Linux can; switch core dumps off yourself",
        ),
        line(
            "keys stay out of swap",
            hardened.is_memory_lockable,
            "not allowed here: raise `ulimit -l` (RLIMIT_MEMLOCK), or encrypt the swap space",
        ),
    ];
    for (kind, found) in vault::keyrings() {
        let why = found.as_ref().err().map(ToString::to_string).unwrap_or_default();
        rows.push(line(kind.name(), found.is_ok(), &why));
    }
    Grid { columns: vec!["check", "ok", "problem"], rows }
}

fn slots(tenant: &Tenant, slots: &[Slot]) -> Grid {
    Grid {
        columns: vec!["id", "kind", "label", "generation", "memory_kb", "passes"],
        rows: slots.iter().map(|slot| row(tenant.sealer(), slot)).collect(),
    }
}

fn row(sealer: &Sealer, slot: &Slot) -> Vec<Cell> {
    let cost = |figure: u32| Cell::int((slot.kind() == SlotKind::Passphrase).then_some(i64::from(figure)));
    let label = slot.label(sealer);
    vec![
        Cell::Text(slot.id().short()),
        Cell::Text(slot.kind().name().to_owned()),
        match &label {
            Ok(text) => Cell::Text(text::sanitize_line(text, vault::MAX_LABEL_BYTES).to_string()),
            Err(_) => Cell::Unknown("damaged".to_owned()),
        },
        Cell::Int(slot.generation() as i64),
        cost(slot.cost().memory_kib),
        cost(slot.cost().passes),
    ]
}
