//! The inventory service: the only part of the running program that has the keys. A thread of its own, since keys and files
//! block. It takes [`InventoryRequest`]s, answers with [`Reply`]s, tells the collector what to poll and the history service which
//! fleet it is, and takes over the changes of other processes. The session starts it.
//!
//! Locking drops the tenant with its keys and every record. The collector goes on with the targets that it has: its
//! passwords stay in memory, for connections break and must be made again.

mod audit;
mod backups;
mod search;
mod tenants;

use super::{edit, form, lists, open, passwords::Passwords, slots, targets::targets, trials::Trials, typed};
use crate::{
    app::{
        history::{HistoryCommand, Location},
        module::{Links, Module},
        selection::Selection,
        settings::Editor,
        sockets::allow_sockets,
    },
    collect::Command,
    config::Config,
    model::{
        base::{error::with_causes, secret::Secret},
        inventory::{
            instance::{InstanceId, Target},
            record::{BulkChange, InstanceRecord, Slug},
        },
        judge::health::Level,
    },
    protocol::{AuditQuestion, EFFECTS, InventoryRequest, ListChange, ListId, Refusal, Reply, VaultState},
    store::{AuditAge, Inventory, LockedTenant, Purge, StoreError, Tenant, current_author},
    vault::{Opener, VaultError},
};
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, Receiver, Sender},
        watch,
    },
};

/// How often the file is checked for changes of other processes.
const LOOK_EVERY: Duration = Duration::from_secs(2);

struct Service {
    selection: Selection,
    /// the targets of a demo or of a plain file: nothing is sealed then, and nothing but the doctor is at work
    plain: Option<Vec<Target>>,
    runtime: Handle,
    collector: Sender<Command>,
    replies: Sender<Reply>,
    history: Sender<HistoryCommand>,
    /// which tenant is watched; None: not chosen, or there is none
    slug: Option<Slug>,
    /// open: keys are in memory
    open: Option<Open>,
    passwords: Passwords,
    trials: Trials,
    editor: Editor,
    config: watch::Receiver<Arc<Config>>,
    /// the list that a pane shows: it is told again when it may have changed
    listed: Option<ListId>,
    /// what is looked for in the audit log
    search: Option<search::Search>,
    /// the tenants that the screen was told of; true: a deleted one
    told: Vec<(Slug, bool)>,
    /// None: the tenants' folder cannot be used
    purge: Option<Purge>,
    /// the key files that were named on the screen, by tenant
    key_files: HashMap<Slug, PathBuf>,
}

/// An open tenant.
struct Open {
    tenant: Tenant,
    inventory: Inventory,
    targets: Vec<Target>,
    /// see [`Tenant::data_version`]
    version: i64,
    /// by which entries of the audit log are old; None: not looked at yet
    age: Option<AuditAge>,
}

/// The parts that the service is started with.
pub struct Start {
    /// whose inventory
    pub selection: Selection,
    /// the targets of a demo, a plain file or a recording; None: a tenant's inventory is opened
    pub plain: Option<Vec<Target>>,
    /// who hears the answers
    pub replies: Sender<Reply>,
    /// the history service
    pub history: Sender<HistoryCommand>,
    /// the settings of this program
    pub editor: Editor,
}

/// Starts it. It ends when nobody can ask it any more. Must be called within the runtime.
///
/// # Errors
/// The system has no thread for it.
pub fn start(links: &Links, start: Start) -> anyhow::Result<(Sender<InventoryRequest>, Module)> {
    // Full: the screen says that it is busy.
    let (requests, taken) = mpsc::channel(EFFECTS);
    let Start { selection, plain, replies, history, editor } = start;
    let runtime = Handle::current();
    let service = Service {
        selection,
        plain,
        trials: Trials::new(runtime.clone(), replies.clone()),
        runtime,
        collector: links.collector.clone(),
        replies,
        history,
        slug: None,
        open: None,
        passwords: Passwords::default(),
        editor,
        config: links.config.clone(),
        listed: None,
        search: None,
        told: Vec::new(),
        purge: None,
        key_files: HashMap::new(),
    };
    let thread = std::thread::Builder::new().name("inventory".into()).spawn(move || service.run(taken))?;
    let ended = async {
        // The hook has reported the panic.
        let _ = tokio::task::spawn_blocking(|| thread.join()).await;
    };
    Ok((requests, Module::new("inventory", ended)))
}

impl Service {
    fn run(mut self, mut requests: Receiver<InventoryRequest>) {
        if self.plain.is_none() {
            self.purge = open::tenants_of_user().ok().map(Purge::new);
            self.begin();
        }
        loop {
            let runtime = self.runtime.clone();
            let wait = if self.is_searching() { Duration::ZERO } else { LOOK_EVERY };
            match runtime.block_on(async { tokio::time::timeout(wait, requests.recv()).await }) {
                Ok(Some(request)) => self.carry_out(request),
                Ok(None) => return,
                Err(_) if self.is_searching() => self.search_on(),
                Err(_) => self.look(),
            }
        }
    }

    fn carry_out(&mut self, request: InventoryRequest) {
        self.selection.unwrap.clone_from(&self.config.borrow().vault.unwrap);
        match typed::placed(request, std::env::home_dir().as_deref()) {
            InventoryRequest::Unlock(None) if self.open.is_some() => self.ask_again(),
            InventoryRequest::Unlock(None) => self.unlock_any(),
            InventoryRequest::UnlockWith(file) => {
                let slug = self.slug.clone();
                self.key_files.extend(slug.clone().map(|slug| (slug, file)));
                self.unlock_any();
                // One that does not open it is not tried again.
                if let Some(slug) = slug.filter(|_| self.open.is_none()) {
                    self.key_files.remove(&slug);
                }
            }
            InventoryRequest::Unlock(Some(passphrase)) => self.unlock(passphrase),
            InventoryRequest::CreateVault(passphrase) => self.create(passphrase),
            InventoryRequest::Lock => self.lock(None),
            InventoryRequest::Password(answer) => self.answered(answer),
            InventoryRequest::Backup(file) => self.back_up(file.as_deref()),
            InventoryRequest::List(ListId::Audit) => {
                self.list_audit(AuditQuestion::default(), crate::model::base::zone::UTC.clone());
            }
            InventoryRequest::Audit { question, zone } => self.list_audit(question, zone),
            InventoryRequest::List(id) => {
                (self.listed, self.search) = (Some(id), None);
                self.tell_list();
            }
            InventoryRequest::ExportAudit { file, entries } => self.export_audit(&file, &entries),
            InventoryRequest::WriteFile { file, what, scope, text } => {
                self.write_file(&file, (what, &scope), &text);
            }
            InventoryRequest::Change(change) => self.change_list(&change),
            InventoryRequest::Slots(change) => {
                let unwrap = self.selection.unwrap.clone();
                let done = self.change(|open| slots::change(&mut open.tenant, change, &unwrap));
                self.finish(done);
            }
            InventoryRequest::Switch(slug) => self.switch(slug),
            InventoryRequest::Form(ids) => self.form(&ids),
            InventoryRequest::Save { record, of, second_login } => {
                self.save(*record, of.as_ref(), second_login);
            }
            InventoryRequest::Bulk { ids, change } => self.bulk(&ids, &change),
            InventoryRequest::Remove(ids) => self.remove(&ids),
            InventoryRequest::Test { ticket, record, of } => self.test(ticket, *record, of.as_ref()),
            InventoryRequest::StopTest => self.trials.stop_test(),
            InventoryRequest::Doctor(ids) => self.doctor(&ids),
            InventoryRequest::StopDoctor => self.trials.stop_doctor(),
            InventoryRequest::Tenant(change) => self.change_tenant(change),
            InventoryRequest::Settings => self.say(Reply::Settings(Box::new(self.editor.list()))),
            InventoryRequest::Set { key, value } => self.set(&key, value.as_deref()),
        }
    }

    fn say(&self, reply: Reply) {
        // Nobody listens: the screen is gone, and this ends soon.
        let _ = self.replies.blocking_send(reply);
    }

    fn message(&self, level: Level, text: impl Into<String>) {
        self.say(Reply::Message { level, text: text.into() });
    }

    fn state(&self, state: VaultState) {
        let tenant = self.slug.as_ref().map_or_else(|| "no tenant".to_owned(), Slug::to_string);
        self.say(Reply::Vault { tenant, state });
    }

    /// Chooses the tenant and opens it without a question if possible.
    fn begin(&mut self) {
        if let Some(name) = &self.selection.tenant {
            self.slug = Slug::parse(name).ok();
        } else {
            match open::tenants_there() {
                Ok(slugs) if slugs.is_empty() => return self.state(VaultState::Absent),
                Ok(slugs) if slugs.len() > 1 => {
                    return self.state(VaultState::Choose);
                }
                Ok(slugs) => self.slug = slugs.into_iter().next(),
                Err(e) => return self.locked(false, Some(with_causes(&*e))),
            }
        }
        self.unlock_any();
    }

    fn locked_tenant(&self) -> Result<LockedTenant, StoreError> {
        let slug = self.slug.as_ref().ok_or(StoreError::NotOpen)?;
        open::tenants_of_user()?.get(slug)
    }

    fn unlock_any(&mut self) {
        self.state(VaultState::Opening);
        // The key file of the command line may belong to another tenant.
        let named = self.slug.as_ref().and_then(|slug| self.key_files.get(slug)).cloned();
        let selection = Selection {
            key_file: named.or_else(|| self.selection.key_file.clone()),
            ..self.selection.clone()
        };
        let opened = self
            .locked_tenant()
            .map(|locked| (open::unlock_unasked(&selection, &locked), open::has_passphrase(&locked)));
        match opened {
            Ok((Ok(tenant), _)) => self.opened(tenant),
            // Only the question is left; at the start that is nothing to report.
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
        let made = open::new_name(&self.selection).and_then(|slug| {
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
        let max_bytes = tenant.limits().ok().and_then(|limits| limits.max_history_bytes);
        match tenant.history_key(&current_author()) {
            Ok(sealer) => {
                let location = Location::of_tenant(tenant.path(), sealer, max_bytes);
                // The history service is gone only when the program ends.
                let _ = self.history.blocking_send(HistoryCommand::Open(location));
            }
            Err(e) => {
                let text = format!("no history is kept: {e}");
                self.message(Level::Warning, text);
                let _ = self.history.blocking_send(HistoryCommand::KeepNothing);
                let _ = self.collector.blocking_send(Command::Follow(false));
            }
        }
        self.open = Some(Open {
            tenant,
            inventory: Inventory::default(),
            targets: Vec::new(),
            version: 0,
            age: None,
        });
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
        let (targets, notes) = targets(&inventory);
        open.inventory = inventory;
        open.targets = targets;
        if tell && !notes.is_empty() {
            self.say(Reply::Notes(notes));
        }
        self.hand_over();
        self.tell_list();
        true
    }

    /// Tells the collector what to poll, with the passwords that were typed; asks for the first that was not.
    fn hand_over(&mut self) {
        let Some(open) = &self.open else { return };
        let mut targets = open.targets.clone();
        let wanted = self.passwords.fill(&mut targets);
        allow_sockets(targets.len() * 2);
        // The collector is gone only when the program ends.
        let _ = self.collector.blocking_send(Command::Inventory(targets));
        if let Some((who, wanted_by)) = wanted {
            self.say(Reply::Password { who, wanted_by });
        }
    }

    /// Asks again for the passwords that were refused.
    fn ask_again(&mut self) {
        if self.passwords.forget_refusals() {
            self.hand_over();
        } else {
            self.message(Level::Ok, "the inventory is open");
        }
    }

    fn answered(&mut self, answer: Option<Secret>) {
        if self.passwords.answer(answer) {
            self.hand_over();
        }
    }

    /// Drops keys and records.
    fn lock(&mut self, why: Option<String>) {
        self.close();
        let by_passphrase = self.locked_tenant().is_ok_and(|locked| open::has_passphrase(&locked));
        self.locked(by_passphrase, why);
    }

    fn locked(&mut self, by_passphrase: bool, why: Option<String>) {
        self.close();
        self.state(VaultState::Locked { by_passphrase, why });
    }

    /// Drops the tenant with its keys and records, and what was read with them.
    fn close(&mut self) {
        self.trials.stop_test();
        self.trials.stop_doctor();
        self.open = None;
        self.search = None;
    }

    /// Takes over the changes of another process.
    fn look(&mut self) {
        self.purge();
        self.look_at_tenants();
        self.prune();
        if self.open.as_ref().is_some_and(|open| !open.tenant.path().exists()) {
            return self.gone();
        }
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

    /// Watches another tenant. Locks the previous one and stops polling it.
    fn switch(&mut self, slug: Slug) {
        if self.slug.as_ref() == Some(&slug) {
            return self.message(Level::Ok, format!("{slug} is watched already"));
        }
        if let Err(e) = open::tenants_of_user().and_then(|tenants| tenants.get(&slug)) {
            return self.message(Level::Warning, e.to_string());
        }
        self.close();
        self.passwords.forget_all();
        let _ = self.history.blocking_send(HistoryCommand::Close);
        let _ = self.collector.blocking_send(Command::Inventory(Vec::new()));
        self.slug = Some(slug);
        self.unlock_any();
    }

    fn form(&self, ids: &[InstanceId]) {
        if let Some(open) = &self.open {
            self.say(Reply::Form(Box::new(form::data(&open.inventory, ids))));
        }
    }

    fn save(&mut self, mut record: InstanceRecord, of: Option<&(InstanceId, u64)>, second_login: bool) {
        let name = record.name.clone();
        let done = self
            .change(|open| edit::save_form(&mut open.tenant, &open.inventory, &mut record, of, second_login));
        self.finish(done.map(|()| format!("saved {name}")));
    }

    fn bulk(&mut self, ids: &[InstanceId], change: &BulkChange) {
        let done = self.change(|open| edit::bulk(&mut open.tenant, &open.inventory, ids, change));
        self.finish(done.map(|changed| match changed {
            0 => "nothing to change: they are so already".to_owned(),
            1 => "changed 1 instance".to_owned(),
            n => format!("changed {n} instances"),
        }));
    }

    fn remove(&mut self, ids: &[InstanceId]) {
        let done = self.change(|open| edit::remove_all(&mut open.tenant, &open.inventory, ids));
        self.finish(done.map(|()| match ids {
            [one] => format!("removed {one}: `dbtop instance restore {one}` brings it back"),
            many => {
                format!("removed {} instances: `dbtop instance restore NAME` brings one back", many.len())
            }
        }));
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Open) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let locked = || Refusal { field: None, words: "the inventory is locked: nothing was changed".into() };
        change(self.open.as_mut().ok_or_else(locked)?)
    }

    /// Reports the outcome of a change; the collector hears of it before the screen does.
    fn finish(&mut self, done: Result<String, Refusal>) {
        if done.is_ok() {
            self.load(false);
        }
        self.say(Reply::Saved(done));
    }

    /// True if there is a tenant, whose audit log has what is done.
    const fn is_noted(&self) -> bool {
        self.plain.is_none() && self.slug.is_some()
    }

    /// Edits the configuration file. Where there is a tenant its log has the entry, so it must be open.
    fn set(&mut self, key: &str, value: Option<&str>) {
        let is_noted = self.is_noted();
        let tenant = match (&mut self.open, is_noted) {
            (Some(open), _) => Some(&mut open.tenant),
            (None, false) => None,
            (None, true) => {
                let words = "the inventory is locked, so the audit log could not have it: nothing was changed, :unlock opens it";
                return self.say(Reply::Saved(Err(Refusal { field: None, words: words.into() })));
            }
        };
        let done = self.editor.edit(key, value).and_then(|edit| edit.write(tenant));
        let told =
            done.map(|edited| edited.words).map_err(|e| Refusal { field: None, words: with_causes(&*e) });
        self.say(Reply::Saved(told));
        self.say(Reply::Settings(Box::new(self.editor.list())));
    }

    /// Nothing while it is locked: the screen asks again once it is open.
    fn tell_list(&mut self) {
        if self.listed == Some(ListId::Tenants) {
            return self.list_tenants();
        }
        if self.listed == Some(ListId::Audit) {
            return self.search_again();
        }
        let (Some(open), Some(id)) = (&self.open, self.listed) else { return };
        match lists::list(&open.tenant, &open.inventory, id) {
            Ok(list) => list.into_iter().for_each(|list| self.say(Reply::List(list))),
            Err(e) => self.message(Level::Warning, e.to_string()),
        }
    }

    fn change_list(&mut self, change: &ListChange) {
        let done = self.change(|open| lists::change(&mut open.tenant, &open.inventory, change));
        self.finish(done);
    }

    fn test(&mut self, ticket: u64, mut record: InstanceRecord, of: Option<&InstanceId>) {
        self.trials.stop_test();
        let Some(open) = &self.open else { return };
        if let Some(entry) = of.and_then(|id| open.inventory.instance(id.as_str())) {
            edit::keep_secrets(&mut record, &entry.record);
        }
        match Target::try_from(&record) {
            Ok(target) => self.trials.test(ticket, self.passwords.with_answer(target)),
            Err(e) => self.message(Level::Warning, e.to_string()),
        }
    }

    fn doctor(&mut self, ids: &[InstanceId]) {
        self.trials.stop_doctor();
        let Some(all) = self.plain.as_ref().or_else(|| self.open.as_ref().map(|open| &open.targets)) else {
            return;
        };
        let ids: HashSet<&InstanceId> = ids.iter().collect();
        let wanted = |target: &&Target| ids.is_empty() || ids.contains(&target.info.id);
        let with_answer = |target: &Target| self.passwords.with_answer(target.clone());
        self.trials.examine(all.iter().filter(wanted).map(with_answer).collect());
    }
}
