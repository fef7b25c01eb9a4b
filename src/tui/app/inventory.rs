//! The vault and the inventory: actions that need it open, the dialogs that open it, locking. The keys and the records are with
//! the inventory service; `inventory_state` has the screen's knowledge of it.

use super::App;
use crate::{
    model::{inventory::instance::InstanceId, judge::health::Level},
    protocol::{AuditQuestion, InventoryRequest, ListId, VaultState},
    tui::{
        action::{Action, Kind},
        id::PaneId,
        layer::{doctor::Doctor, unlock::Unlock},
        pane::{Panes, tenants},
        place::Place,
        view::Sealed,
    },
};

/// Why nothing of a fleet without a vault can be changed.
pub(super) const READ_ONLY: &str = "read-only inventory: `dbtop vault init` makes one to edit";

impl App {
    /// Carries out an action that needs an open vault; opens the dialog first if it is locked.
    pub(super) fn with_vault(&mut self, action: Action) {
        match &self.inventory.state {
            VaultState::Open => self.with_open_vault(action),
            VaultState::Plain => {
                self.say(Level::Warning, READ_ONLY.to_owned());
            }
            VaultState::Opening => {
                self.inventory.then = Some(action);
                self.say(Level::Unknown, "the inventory is being opened: this follows".to_owned());
            }
            VaultState::Choose => self.go(Some(PaneId::Tenants), None),
            VaultState::Absent | VaultState::Locked { .. } => {
                self.inventory.then = Some(action);
                self.open_dialog();
            }
        }
    }

    /// Actions that need an open vault.
    fn with_open_vault(&mut self, action: Action) {
        match action {
            Action::Lock => self.lock(),
            Action::Doctor => self.examine(),
            Action::Backup => self.ask_about(tenants::backup(&self.tenant)),
            // Passwords that were refused are asked for again.
            Action::Unlock => self.ask(InventoryRequest::Unlock(None)),
            _ => self.change_inventory(action),
        }
    }

    /// True for an action that changes what the vault has; settings and tenants are changed where there is none, too.
    pub(super) fn needs_vault(&self, action: Action) -> bool {
        let is_open_to = match self.place.pane {
            PaneId::Settings => matches!(action, Action::Edit | Action::Remove),
            PaneId::Tenants => true,
            _ => false,
        };
        action.kind() == Kind::Changes && !is_open_to
    }

    /// Actions about the inventory; false if it is another one.
    pub(super) fn act_on_inventory(&mut self, action: Action) -> bool {
        match action {
            // Logins of a demo and of a plain file can be examined, too.
            Action::Doctor if self.inventory.state == VaultState::Plain => self.examine(),
            Action::Lock if matches!(self.inventory.state, VaultState::Locked { .. }) => {
                self.say(Level::Ok, "locked already".to_owned());
            }
            Action::Doctor | Action::Lock | Action::Unlock => self.with_vault(action),
            _ if self.needs_vault(action) => self.with_vault(action),
            _ if action.kind() == Kind::Changes => self.change_inventory(action),
            _ => return false,
        }
        true
    }

    /// Asks for the list that the pane on the screen shows, if it is not there yet.
    pub(super) fn ask_for_list(&mut self) {
        let pane = self.panes.get(self.place.pane);
        let list = pane.list();
        let mut question = AuditQuestion::default();
        if list == Some(ListId::Audit) {
            question.about = self.world.view().single().map(|i| i.id().clone());
            // What the pane keeps of the newest entries is looked for in all of them.
            if self.place.pane == PaneId::Audit {
                pane.filter().clone_into(&mut question.filter);
            }
        }
        if !self.world.lists.show(list, question.clone()) {
            return;
        }
        match list {
            // A recording has none of its own, and nobody who could tell.
            Some(ListId::Settings) if self.world.moment.recording.is_none() => {
                self.ask(InventoryRequest::Settings);
            }
            // It needs no key.
            Some(ListId::Tenants) if !matches!(self.inventory.state, VaultState::Plain) => {
                self.ask(InventoryRequest::List(ListId::Tenants));
            }
            Some(ListId::Audit) if self.inventory.state == VaultState::Open => {
                let zone = self.world.view().zone.clone();
                self.ask(InventoryRequest::Audit { question, zone });
            }
            Some(id) if self.inventory.state == VaultState::Open => self.ask(InventoryRequest::List(id)),
            _ => {}
        }
    }

    /// Lets the doctor examine the marked instances, else those in scope.
    fn examine(&mut self) {
        let view = self.world.view();
        let marked = self.panes.get(self.place.pane).chosen(&view);
        let in_scope = view.instances().filter(|(_, i)| marked.as_ref().is_none_or(|scope| scope.holds(i)));
        let ids: Vec<InstanceId> = in_scope.map(|(_, i)| i.id().clone()).collect();
        if ids.is_empty() {
            return self.say(Level::Warning, "no instance is in this scope".to_owned());
        }
        let doctor = Doctor::new(ids.len(), &self.world.theme);
        self.open_layer(doctor);
        self.ask(InventoryRequest::Doctor(ids));
    }

    fn open_dialog(&mut self) {
        let dialog = match &self.inventory.state {
            VaultState::Locked { by_passphrase, why } => {
                Unlock::vault(&self.tenant, *by_passphrase, why.clone())
            }
            VaultState::Absent => Unlock::new_vault(),
            _ => return,
        };
        self.inventory.is_dismissed = false;
        self.open_layer(dialog);
    }

    /// Forgets the keys, and closes everything that shows or changes sealed records.
    pub(super) fn lock(&mut self) {
        self.close_secrets();
        self.ask(InventoryRequest::Lock);
    }

    fn close_secrets(&mut self) {
        self.layers.retain(|layer| !layer.is_secret());
        self.inventory.then = None;
        self.inventory.forget_form();
    }

    /// Takes over a new state of the vault, or another fleet's vault.
    pub(super) fn vault(&mut self, tenant: String, state: VaultState) {
        if tenant != self.tenant {
            // Another fleet: nothing of the one before may stay on the screen.
            self.tenant = tenant;
            self.panes = Panes::default();
            self.place = Place { scopes: Vec::new(), pane: PaneId::Fleet };
            self.last = None;
            self.trail.clear();
            self.forget_past();
            self.forget_answers();
            self.layers.clear();
            self.inventory.forget_form();
            self.inventory.is_dismissed = false;
        }
        self.world.sealed = Sealed::of(&state);
        self.world.lists.forget();
        let before = std::mem::replace(&mut self.inventory.state, state);
        match &self.inventory.state {
            VaultState::Open => {
                self.inventory.touched = self.world.moment.clock;
                if let Some(action) = self.inventory.then.take() {
                    self.with_open_vault(action);
                }
            }
            VaultState::Locked { why, .. } => {
                let why = why.clone();
                self.close_secrets_if(before == VaultState::Open);
                let asked = self.has_dialog();
                if before == VaultState::Opening && !self.inventory.is_dismissed && !asked {
                    self.open_dialog();
                } else if let Some(why) = why.filter(|_| !asked) {
                    self.say(Level::Warning, why);
                } else if before == VaultState::Open {
                    self.say(Level::Ok, "locked: polling goes on; :unlock opens the inventory".to_owned());
                }
            }
            // What was asked for while it opened follows, as was said.
            VaultState::Choose => {
                self.inventory.then = None;
                self.go(Some(PaneId::Tenants), None);
            }
            VaultState::Absent | VaultState::Plain if before == VaultState::Opening => {
                if let Some(action) = self.inventory.then.take() {
                    self.with_vault(action);
                }
            }
            VaultState::Absent | VaultState::Opening | VaultState::Plain => {}
        }
        self.refresh();
    }

    fn close_secrets_if(&mut self, was_open: bool) {
        if was_open {
            self.close_secrets();
        }
    }
}
