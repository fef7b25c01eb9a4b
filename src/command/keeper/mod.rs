//! The keeper of the inventory while the screen is up: the only part of the program that holds its keys then. A thread of
//! its own, since keys and files block; takes [`Request`]s from the screen, answers with [`Reply`]s, and tells the collector
//! what to poll. `screen` starts it; nobody else talks to it.
//!
//! Locking drops the tenant with its keys and every record. The collector goes on with the targets that it has: its
//! passwords stay in memory, for connections break and must be made again.

mod edit;
mod examine;

use super::{
    historian::{self, Order},
    open, source,
};
use crate::{
    cli::Tenancy,
    collect::Command,
    model::{
        base::{error::with_causes, secret::Secret},
        inventory::{
            instance::Target,
            record::{SecretRef, Slug},
        },
        judge::health::Level,
    },
    store::{Inventory, LockedTenant, StoreError, Tenant, current_author},
    tui::effect::{EFFECTS, Reply, Request, TenantLine, VaultState},
    vault::{Opener, VaultError},
};
use std::{path::Path, time::Duration};
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, Receiver, Sender},
    task::AbortHandle,
};

/// How often the file is looked at for changes of other processes.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The keeper's state.
struct Keeper {
    tenancy: Tenancy,
    /// the targets of a demo or of a plain file: nothing is sealed then, and nothing but the doctor is at work
    plain: Option<Vec<Target>>,
    runtime: Handle,
    collector: Sender<Command>,
    replies: Sender<Reply>,
    historian: Sender<Order>,
    /// which tenant is watched; None: not chosen, or there is none
    slug: Option<Slug>,
    /// open: keys are in memory
    open: Option<Open>,
    /// passwords that were typed, by whose they are; kept over a lock, as the collector keeps his
    answers: Vec<(String, Option<Secret>)>,
    /// the question on the screen
    question: Option<String>,
    /// a test and a doctor at work
    test: Option<AbortHandle>,
    doctor: Option<AbortHandle>,
}

/// An open tenant.
struct Open {
    tenant: Tenant,
    inventory: Inventory,
    targets: Vec<Target>,
    /// see [`Tenant::data_version`]
    version: i64,
}

/// Starts the keeper: of a tenant, or of targets that are not sealed. It ends when the sender is dropped. Must be called within the runtime.
///
/// # Errors
/// The system has no thread for it.
pub fn start(
    tenancy: &Tenancy,
    plain: Option<Vec<Target>>,
    collector: Sender<Command>,
    replies: Sender<Reply>,
    historian: Sender<Order>,
) -> anyhow::Result<Sender<Request>> {
    // Full: the screen says that it is busy.
    let (requests, taken) = mpsc::channel(EFFECTS);
    let keeper = Keeper {
        tenancy: tenancy.clone(),
        plain,
        runtime: Handle::current(),
        collector,
        replies,
        historian,
        slug: None,
        open: None,
        answers: Vec::new(),
        question: None,
        test: None,
        doctor: None,
    };
    std::thread::Builder::new().name("keeper".into()).spawn(move || keeper.run(taken))?;
    Ok(requests)
}

impl Keeper {
    fn run(mut self, mut requests: Receiver<Request>) {
        if self.plain.is_none() {
            self.begin();
        }
        loop {
            let runtime = self.runtime.clone();
            match runtime.block_on(async { tokio::time::timeout(LOOK_EVERY, requests.recv()).await }) {
                Ok(Some(request)) => self.carry_out(request),
                Ok(None) => return,
                Err(_) => self.look(),
            }
        }
    }

    fn carry_out(&mut self, request: Request) {
        match request {
            Request::Unlock(None) if self.open.is_some() => self.ask_again(),
            Request::Unlock(None) => self.unlock_any(),
            Request::Unlock(Some(passphrase)) => self.unlock(passphrase),
            Request::CreateVault(passphrase) => self.create(passphrase),
            Request::Lock => self.lock(None),
            Request::Password(answer) => self.answered(answer),
            Request::Tenants => self.list_tenants(),
            Request::Switch(slug) => self.switch(slug),
            Request::Form(ids) => self.form(&ids),
            Request::Save { record, of } => self.save(*record, of.as_ref()),
            Request::Bulk { ids, change } => self.bulk(&ids, &change),
            Request::Remove(ids) => self.remove(&ids),
            Request::Test { ticket, record, of } => self.test(ticket, *record, of.as_ref()),
            Request::StopTest => stop(&mut self.test),
            Request::Doctor(ids) => self.doctor(&ids),
            Request::StopDoctor => stop(&mut self.doctor),
            // The historian's.
            Request::Live
            | Request::At { .. }
            | Request::Chart { .. }
            | Request::Marks { .. }
            | Request::Compare { .. }
            | Request::Bookmark { .. }
            | Request::Bookmarks { .. }
            | Request::Freeze(_)
            | Request::Growth => {}
        }
    }

    fn say(&self, reply: Reply) {
        // Nobody listens: the screen is gone, and so shall we be.
        let _ = self.replies.blocking_send(reply);
    }

    fn message(&self, level: Level, text: impl Into<String>) {
        self.say(Reply::Message { level, text: text.into() });
    }

    fn state(&self, state: VaultState) {
        let tenant = self.slug.as_ref().map_or_else(|| "no tenant".to_owned(), Slug::to_string);
        self.say(Reply::Vault { tenant, state });
    }

    /// Chooses the tenant and opens it without a question if that can be.
    fn begin(&mut self) {
        if let Some(name) = &self.tenancy.tenant {
            self.slug = Slug::parse(name).ok();
        } else {
            match source::tenants_there() {
                Ok(slugs) if slugs.is_empty() => return self.state(VaultState::Absent),
                Ok(slugs) if slugs.len() > 1 => {
                    self.state(VaultState::Choose);
                    return self.list_tenants();
                }
                Ok(slugs) => self.slug = slugs.into_iter().next(),
                Err(e) => return self.locked(false, Some(with_causes(&*e))),
            }
        }
        self.unlock_any();
    }

    fn locked_tenant(&self) -> Result<LockedTenant, StoreError> {
        let slug = self
            .slug
            .as_ref()
            .ok_or_else(|| StoreError::NoTenant { name: String::new(), known: Vec::new() })?;
        open::tenants_of_user()?.get(slug)
    }

    fn unlock_any(&mut self) {
        self.state(VaultState::Opening);
        let opened = self.locked_tenant().map(|locked| {
            let env = open::env(&self.tenancy, &locked);
            (locked.unlock_any(&env), open::has_passphrase(&locked))
        });
        match opened {
            Ok((Ok(tenant), _)) => self.opened(tenant),
            // Nothing but the question is left, and at start that is no trouble to tell.
            Ok((Err(StoreError::Vault(VaultError::Locked(_))), true)) => self.locked(true, None),
            Ok((Err(e), by_passphrase)) => self.locked(by_passphrase, Some(e.to_string())),
            Err(e) => self.locked(false, Some(e.to_string())),
        }
    }

    fn unlock(&mut self, passphrase: Secret) {
        let opener = Opener::Passphrase(passphrase);
        match self.locked_tenant().and_then(|locked| locked.unlock(&opener)) {
            Ok(tenant) => self.opened(tenant),
            Err(e) => self.locked(true, Some(e.to_string())),
        }
    }

    fn create(&mut self, passphrase: Secret) {
        let made = open::new_name(&self.tenancy).and_then(|slug| {
            let opener = Opener::Passphrase(passphrase);
            let tenant = open::tenants()?.create(&slug, &opener, "first", None, &current_author())?;
            Ok((slug, tenant))
        });
        match made {
            Ok((slug, tenant)) => {
                self.slug = Some(slug);
                self.opened(tenant);
                self.message(
                    Level::Ok,
                    "the vault is made: keep a second way in with `dbtop vault slot add`",
                );
            }
            Err(e) => {
                self.state(VaultState::Absent);
                self.message(Level::Critical, with_causes(&*e));
            }
        }
    }

    fn opened(&mut self, mut tenant: Tenant) {
        match tenant.history_key(&current_author()) {
            Ok(sealer) => {
                let file = tenant.path().with_file_name(historian::FILE);
                let folder = tenant.path().parent().map_or_else(Default::default, Path::to_path_buf);
                let fleet = historian::Fleet { folder, file, sealer: Some(sealer) };
                // The historian is gone only when the program ends.
                let _ = self.historian.blocking_send(Order::Open(fleet));
            }
            Err(e) => {
                let text = format!("no history is kept: {e}");
                self.message(Level::Warning, text);
                let _ = self.collector.blocking_send(Command::Follow(false));
            }
        }
        self.open = Some(Open { tenant, inventory: Inventory::default(), targets: Vec::new(), version: 0 });
        if self.load(true) {
            self.state(VaultState::Open);
        }
    }

    /// Reads the inventory and hands it to the collector. False if it could not be read: the vault is locked then.
    fn load(&mut self, tell: bool) -> bool {
        let Some(open) = &mut self.open else { return false };
        let read = open.tenant.data_version().and_then(|version| {
            let inventory = if open.tenant.is_suspended()? { None } else { Some(open.tenant.inventory()?) };
            Ok((version, inventory))
        });
        let inventory = match read {
            Ok((version, Some(inventory))) => {
                open.version = version;
                inventory
            }
            Ok((_, None)) => {
                let slug = open.tenant.slug();
                let why = format!(
                    "tenant {slug} is suspended: nothing is polled until `dbtop tenant resume {slug}`"
                );
                let _ = self.collector.blocking_send(Command::Inventory(Vec::new()));
                self.lock(Some(why));
                return false;
            }
            Err(e) => {
                self.lock(Some(e.to_string()));
                return false;
            }
        };
        let (targets, notes) = source::targets(&inventory);
        open.inventory = inventory;
        open.targets = targets;
        if tell && !notes.is_empty() {
            self.say(Reply::Notes(notes));
        }
        self.hand_over();
        true
    }

    /// Tells the collector what to poll, with the passwords that were typed; asks for the first that was not.
    fn hand_over(&mut self) {
        let Some(open) = &self.open else { return };
        let mut targets = open.targets.clone();
        let mut missing = None;
        for target in &mut targets {
            let who = source::whose(&target.auth);
            let id = target.info.id.clone();
            let Some(secret) = target.auth.secret_mut().filter(|s| matches!(s, SecretRef::Ask)) else {
                continue;
            };
            match self.answers.iter().find(|(whose, _)| *whose == who) {
                Some((_, Some(answer))) => *secret = SecretRef::Stored(answer.clone()),
                None if missing.is_none() => missing = Some((who, id)),
                // Asked for later; or Esc was the answer, and these instances say that nobody was asked.
                None | Some((_, None)) => {}
            }
        }
        source::allow_sockets(targets.len() * 2);
        // The collector is gone only when the program ends.
        let _ = self.collector.blocking_send(Command::Inventory(targets));
        if let Some((who, wanted_by)) = missing
            && self.question.is_none()
        {
            self.question = Some(who.clone());
            self.say(Reply::Password { who, wanted_by });
        }
    }

    /// Asks anew for the passwords that were not given.
    fn ask_again(&mut self) {
        let before = self.answers.len();
        self.answers.retain(|(_, answer)| answer.is_some());
        self.question = None;
        if self.answers.len() < before {
            self.hand_over();
        } else {
            self.message(Level::Ok, "the inventory is open");
        }
    }

    fn answered(&mut self, answer: Option<Secret>) {
        if let Some(who) = self.question.take() {
            self.answers.push((who, answer));
            self.hand_over();
        }
    }

    /// Drops keys and records.
    fn lock(&mut self, why: Option<String>) {
        stop(&mut self.test);
        stop(&mut self.doctor);
        self.open = None;
        let by_passphrase = self.locked_tenant().is_ok_and(|locked| open::has_passphrase(&locked));
        self.locked(by_passphrase, why);
    }

    fn locked(&mut self, by_passphrase: bool, why: Option<String>) {
        self.open = None;
        self.state(VaultState::Locked { by_passphrase, why });
    }

    /// Takes over what another process changed.
    fn look(&mut self) {
        let Some(open) = &self.open else { return };
        match open.tenant.data_version() {
            Ok(version) if version == open.version => {}
            Ok(_) => {
                let before = open.inventory.instances.len();
                if self.load(false) {
                    let after = self.open.as_ref().map_or(0, |open| open.inventory.instances.len());
                    tracing::info!(before, after, "the inventory was changed by another process: reloaded");
                    self.message(Level::Ok, "the inventory was changed elsewhere: reloaded");
                }
            }
            Err(e) => self.lock(Some(e.to_string())),
        }
    }

    fn list_tenants(&self) {
        match open::tenants().and_then(|tenants| Ok(tenants.list()?)) {
            Ok(listed) => {
                let line = |one: crate::store::Listed| {
                    let (state, usable) = match &one.tenant {
                        Ok(_) if self.slug.as_ref() == Some(&one.slug) => ("watched now".to_owned(), true),
                        Ok(tenant) if tenant.is_suspended() => ("suspended".to_owned(), false),
                        Ok(_) => (String::new(), true),
                        Err(e) => (e.to_string(), false),
                    };
                    TenantLine { slug: one.slug, state, usable }
                };
                self.say(Reply::Tenants(listed.into_iter().map(line).collect()));
            }
            Err(e) => self.message(Level::Critical, with_causes(&*e)),
        }
    }

    /// Watches another tenant. The one before is locked, and nothing of it is polled any more.
    fn switch(&mut self, slug: Slug) {
        if self.slug.as_ref() == Some(&slug) {
            return self.message(Level::Ok, format!("{slug} is watched already"));
        }
        if let Err(e) = open::tenants_of_user().and_then(|tenants| tenants.get(&slug)) {
            return self.message(Level::Warning, e.to_string());
        }
        stop(&mut self.test);
        stop(&mut self.doctor);
        self.open = None;
        self.answers.clear();
        self.question = None;
        let _ = self.historian.blocking_send(Order::Close);
        let _ = self.collector.blocking_send(Command::Inventory(Vec::new()));
        self.slug = Some(slug);
        // A key file that was named is the other tenant's; this one has its own ways.
        self.unlock_any();
    }
}

fn stop(task: &mut Option<AbortHandle>) {
    if let Some(task) = task.take() {
        task.abort();
    }
}
