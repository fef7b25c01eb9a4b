//! The screen's side of the inventory: how the vault stands, which dialog is open about it, and when it locks by itself.
//! The keys and the records are with the keeper in `command`; here are only what he said and what is typed.

use super::{
    action::Action,
    app::App,
    effect::{Effect, Reply, Request, VaultState},
    id::PaneId,
    key::Chord,
    layer::{
        Layer,
        doctor::Doctor,
        modal::{Modal, Out},
        tenants::Tenants,
        unlock::Unlock,
    },
    moment::Past,
    place::Place,
    view::Sealed,
    widget::{document::Document, reader::Reader},
    world::Panes,
};
use crate::model::{base::time::Timestamp, inventory::instance::InstanceId, judge::health::Level};

/// What the app knows of the inventory.
pub(super) struct Desk {
    /// as the keeper said last
    pub state: VaultState,
    /// lock after so long without a key, ms; None: never
    pub lock_after_ms: Option<i64>,
    /// when a key was pressed last
    pub touched: Timestamp,
    /// what was asked for while it was locked: carried out when it is open
    then: Option<Action>,
    /// the instances whose form was asked for; none: a new one's
    pub form: Option<Vec<InstanceId>>,
    /// keys that were pressed before that form was there
    pub held: Vec<Chord>,
    /// it was the user who dismissed the dialog, so it does not come back by itself
    dismissed: bool,
}

impl Desk {
    pub const fn new(state: VaultState, now: Timestamp, lock_after_ms: Option<i64>) -> Self {
        Self {
            state,
            lock_after_ms,
            touched: now,
            then: None,
            form: None,
            held: Vec::new(),
            dismissed: false,
        }
    }
}

impl App {
    /// Asks the keeper.
    pub(super) fn ask(&mut self, request: Request) {
        self.effects.push(Effect::Ask(Box::new(request)));
    }

    /// F12. How fast the store grows is asked for when somebody looks.
    pub(super) fn toggle_overlay(&mut self) {
        self.overlay = !self.overlay;
        if self.overlay && self.travel.recording.is_none() {
            self.ask(Request::Growth);
        }
    }

    /// Carries out what the vault must be open for; opens the dialog first if it is not.
    pub(super) fn with_vault(&mut self, action: Action) {
        match &self.desk.state {
            VaultState::Open => self.at_desk(action),
            VaultState::Plain => {
                let text = "this fleet is not sealed: a demo, or a file that you write by hand";
                self.say(Level::Warning, text.to_owned());
            }
            VaultState::Opening => {
                self.desk.then = Some(action);
                self.say(Level::Unknown, "the inventory is being opened: this follows".to_owned());
            }
            VaultState::Choose => self.ask(Request::Tenants),
            VaultState::Absent | VaultState::Locked { .. } => {
                self.desk.then = Some(action);
                self.open_dialog();
            }
        }
    }

    /// What needs an open vault.
    fn at_desk(&mut self, action: Action) {
        match action {
            Action::Lock => self.lock(),
            Action::Doctor => self.examine(),
            // Passwords that were not given are asked for again.
            Action::Unlock => self.ask(Request::Unlock(None)),
            _ => self.change_inventory(action),
        }
    }

    /// Actions about the inventory; false if it is another one.
    pub(super) fn act_on_desk(&mut self, action: Action) -> bool {
        match action {
            Action::Tenants if self.desk.state == VaultState::Plain => self.with_vault(action),
            Action::Tenants => self.ask(Request::Tenants),
            // Logins of a demo and of a plain file can be examined, too.
            Action::Doctor if self.desk.state == VaultState::Plain => self.examine(),
            Action::Lock if matches!(self.desk.state, VaultState::Locked { .. }) => {
                self.say(Level::Ok, "locked already".to_owned());
            }
            Action::Doctor | Action::Lock | Action::Unlock | Action::Add | Action::Edit | Action::Remove => {
                self.with_vault(action);
            }
            _ => return false,
        }
        true
    }

    /// Lets the doctor examine what is marked, else what is in scope.
    fn examine(&mut self) {
        let view = self.world.view();
        let marked = self.panes.get(self.place.pane).chosen(&view);
        let in_scope = view.instances().filter(|(_, i)| marked.as_ref().is_none_or(|scope| scope.holds(i)));
        let ids: Vec<InstanceId> = in_scope.map(|(_, i)| i.id().clone()).collect();
        if ids.is_empty() {
            return self.say(Level::Warning, "no instance is in this scope".to_owned());
        }
        let doctor = Doctor::new(ids.len(), &self.world.theme);
        self.layers.push(Layer::Modal(Box::new(doctor)));
        self.ask(Request::Doctor(ids));
    }

    fn open_dialog(&mut self) {
        let dialog = match &self.desk.state {
            VaultState::Locked { by_passphrase, why } => {
                Unlock::vault(&self.tenant, *by_passphrase, why.clone())
            }
            VaultState::Absent => Unlock::new_vault(),
            _ => return,
        };
        self.desk.dismissed = false;
        self.layers.push(Layer::Modal(Box::new(dialog)));
    }

    /// Forgets the keys, and everything that shows or changes what they protect.
    fn lock(&mut self) {
        self.close_secrets();
        self.ask(Request::Lock);
    }

    fn close_secrets(&mut self) {
        self.layers.retain(|l| !matches!(l, Layer::Modal(m) if m.is_secret()));
        self.desk.then = None;
        self.forget_form();
    }

    /// Locks if nobody pressed a key for so long.
    pub(super) fn lock_when_idle(&mut self, now: Timestamp) {
        let idle =
            self.desk.lock_after_ms.is_some_and(|after| now.ms_since(self.desk.touched) >= after as u64);
        if idle && self.desk.state == VaultState::Open {
            self.desk.touched = now;
            self.lock();
        }
    }

    /// Gives an answer to the dialog on top, then to the app.
    pub(super) fn hear(&mut self, reply: Reply) {
        if self.heard_by_modal(&reply) {
            return;
        }
        match reply {
            Reply::Message { level, text } => self.say(level, text),
            Reply::Notes(notes) => self.show_notes(notes),
            Reply::Vault { tenant, state } => self.vault(tenant, state),
            Reply::Password { who, wanted_by } => {
                let dialog = Unlock::password(&who, &wanted_by);
                self.layers.push(Layer::Modal(Box::new(dialog)));
            }
            Reply::Tenants(lines) => {
                let list = Tenants::new(lines, &self.tenant);
                self.layers.push(Layer::Modal(Box::new(list)));
            }
            Reply::Form(data) => self.open_form(*data),
            // Answers to dialogs that were closed meanwhile.
            Reply::Tested { .. } | Reply::Examined { .. } => {}
            Reply::Compared { ticket, snapshot } => self.compared(ticket, &snapshot),
            Reply::Bookmarked(mark) => {
                self.world.charts.forget_marks();
                self.say(Level::Ok, format!("bookmark set: {}", mark.words));
                self.refresh();
            }
            Reply::Past { ticket, snapshot, at, oldest, damaged, .. } => {
                self.arrive(snapshot, Past { at, oldest, ticket }, damaged);
            }
            Reply::Chart { ticket, data } => self.world.charts.chart_came(ticket, data),
            Reply::Marks { ticket, marks } => drop(self.world.charts.marks_came(ticket, marks)),
            Reply::NoHistory { ticket, why } => {
                // A chart says it in its own place.
                let is_chart = ticket.is_some_and(|ticket| self.world.charts.none_came(ticket, &why));
                if !is_chart && (self.stay(ticket) || self.no_comparison(ticket) || ticket.is_none()) {
                    self.say(Level::Warning, why);
                }
            }
            Reply::Collector(words) => self.collector = words,
            Reply::Store(sign) => self.store = sign,
            Reply::Stored(stored) => self.stored.store = stored,
            Reply::Growth(bytes) => self.stored.growth_bytes = bytes,
            Reply::Saved(Ok(text)) => self.say(Level::Ok, text),
            Reply::Saved(Err(refusal)) => self.say(Level::Warning, refusal.words),
        }
    }

    /// The dialog on top hears first; those below wait for answers, too.
    fn heard_by_modal(&mut self, reply: &Reply) -> bool {
        for at in (0..self.layers.len()).rev() {
            if !matches!(self.layers.get(at), Some(Layer::Modal(_))) {
                continue;
            }
            let above = self.layers.split_off(at + 1);
            let mut out = Out::default();
            let mut taken = false;
            if let Some(Layer::Modal(mut modal)) = self.layers.pop() {
                taken = modal.hear(reply, &mut out);
                self.after_modal(modal, out);
            }
            self.layers.extend(above);
            if taken {
                return true;
            }
        }
        false
    }

    fn pop_modal(&mut self) -> Option<Layer> {
        self.layers.pop_if(|l| matches!(l, Layer::Modal(_)))
    }

    /// An action for the dialog on top. Esc out of the one that opens the vault: what was asked for is not wanted any more.
    pub(super) fn act_on_modal(&mut self, mut modal: Box<dyn Modal>, action: Action) {
        let mut out = Out::default();
        modal.act(action, &mut out);
        if out.close && action == Action::Out {
            self.desk.dismissed = true;
            self.desk.then = None;
        }
        self.after_modal(modal, out);
    }

    /// Carries out what a dialog wants, and puts it back unless it is done.
    pub(super) fn after_modal(&mut self, modal: Box<dyn Modal>, out: Out) {
        if !out.close {
            self.layers.push(Layer::Modal(modal));
        }
        for request in out.requests {
            self.ask(request);
        }
        if let Some((level, text)) = out.say {
            self.say(level, text);
        }
        self.copies.extend(out.copy);
        if let Some(at) = out.go {
            self.go_to_time(at);
        }
    }

    fn vault(&mut self, tenant: String, state: VaultState) {
        if tenant != self.tenant {
            // Another fleet: nothing of the one before may stay on the screen.
            self.tenant = tenant;
            self.panes = Panes::default();
            self.place = Place { scopes: Vec::new(), pane: PaneId::Fleet };
            self.last = None;
            self.forget_past();
            self.layers.clear();
            self.forget_form();
            self.desk.dismissed = false;
        }
        self.world.sealed = Sealed::of(&state);
        let before = std::mem::replace(&mut self.desk.state, state);
        match &self.desk.state {
            VaultState::Open => {
                self.desk.touched = self.travel.clock;
                if let Some(action) = self.desk.then.take() {
                    self.at_desk(action);
                }
            }
            VaultState::Locked { why, .. } => {
                let why = why.clone();
                self.close_secrets_if(before == VaultState::Open);
                let asked = self.layers.iter().any(|l| matches!(l, Layer::Modal(_)));
                if before == VaultState::Opening && !self.desk.dismissed && !asked {
                    self.open_dialog();
                } else if let Some(why) = why.filter(|_| !asked) {
                    self.say(Level::Warning, why);
                } else if before == VaultState::Open {
                    self.say(Level::Ok, "locked: polling goes on; :unlock opens the inventory".to_owned());
                }
            }
            VaultState::Absent | VaultState::Choose | VaultState::Opening | VaultState::Plain => {}
        }
        self.refresh();
    }

    fn close_secrets_if(&mut self, was_open: bool) {
        if was_open {
            self.close_secrets();
        }
    }

    fn show_notes(&mut self, notes: Vec<String>) {
        let mut document = Document::new("The inventory needs a look");
        for note in notes {
            document.text(note, self.world.theme.base);
        }
        // Below a dialog that asks for something, above all else.
        let asked = self.pop_modal();
        self.layers.push(Layer::Help(Reader::new(document)));
        self.layers.extend(asked);
    }

    /// An effect could not be handed over.
    pub fn effect_dropped(&mut self, effect: &Effect) {
        let text = match effect {
            // Sent again with the next change or frame.
            Effect::Focus(_) => return self.focused.clear(),
            Effect::Refresh(_) => "busy: the refresh was not taken, try again",
            Effect::Ask(_) => "busy: that was not taken, try again",
        };
        if let Effect::Ask(request) = effect {
            self.forget_form();
            self.forget_going(request);
            if let Some(ticket) = request.ticket() {
                self.world.charts.forget_open(ticket);
            }
        }
        self.say(Level::Warning, text.to_owned());
    }

    pub(super) fn request_refresh(&mut self, ids: Vec<InstanceId>) {
        let text = match ids.as_slice() {
            [] => return,
            [one] => format!("polling {one} now"),
            many => format!("polling {} instances now", many.len()),
        };
        self.effects.push(Effect::Refresh(ids));
        self.say(Level::Ok, text);
    }
}
