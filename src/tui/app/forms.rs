//! Instances are added, changed and removed: which ones an action is about, and its dialog. The records come when a form opens and
//! leave with it.

use super::App;
use crate::{
    model::{inventory::instance::InstanceId, judge::health::Level},
    protocol::{FormData, InventoryRequest},
    tui::{
        action::Action,
        id::RowKey,
        layer::{Layer, bulk::Bulk, removal::Removal, wizard::Wizard},
    },
};

/// Why what is done to instances is refused where none is meant.
pub(super) const WHICH: &str = "which instance? Put the cursor on it in the fleet, or open it";

impl App {
    /// Actions that change the inventory, with an open vault.
    pub(super) fn change_inventory(&mut self, action: Action) {
        let mut wishes = Vec::new();
        let taken = self.panes.get(self.place.pane).act(action, &self.world.view(), &mut wishes);
        self.carry_out(wishes);
        match action {
            _ if taken => {}
            Action::Add => self.ask_for_form(Vec::new()),
            Action::Edit => {
                if let Some(ids) = self.meant() {
                    self.ask_for_form(ids);
                }
            }
            Action::Remove => {
                if let Some(ids) = self.meant() {
                    self.ask_to_remove(&ids);
                }
            }
            _ => {}
        }
    }

    /// The instances that an action is about: those marked in the fleet, the one under its cursor, the one in scope.
    pub(super) fn meant(&mut self) -> Option<Vec<InstanceId>> {
        let pane = self.panes.get(self.place.pane);
        let mut ids = pane.marked(&self.world.view());
        if ids.is_empty() {
            ids.extend(pane.under_cursor().or_else(|| self.place.instance().cloned()));
        }
        if ids.is_empty() {
            self.say(Level::Warning, WHICH.to_owned());
            return None;
        }
        Some(ids)
    }

    /// The instances that are looked into: those, or the one that the row under the cursor is of, whatever the pane.
    pub(super) fn looked_into(&mut self) -> Option<Vec<InstanceId>> {
        let pane = self.panes.get(self.place.pane);
        let row = pane.selected().filter(|_| pane.counts().0 > 0);
        match row.as_ref().and_then(RowKey::instance) {
            Some(of_row) if pane.marked(&self.world.view()).is_empty() => Some(vec![of_row.clone()]),
            _ => self.meant(),
        }
    }

    /// No instance is meant at all, not even that of the row under the cursor.
    pub(super) fn means_none(&mut self) -> bool {
        let pane = self.panes.get(self.place.pane);
        let row = pane.selected().filter(|_| pane.counts().0 > 0);
        row.as_ref().and_then(RowKey::instance).is_none()
            && pane.under_cursor().is_none()
            && pane.marked(&self.world.view()).is_empty()
            && self.place.instance().is_none()
    }

    fn ask_to_remove(&mut self, ids: &[InstanceId]) {
        let snapshot = &self.world.snapshot;
        let of: Vec<_> = ids.iter().filter_map(|id| snapshot.find(id)).map(|i| &*i.info).collect();
        if !of.is_empty() {
            let dialog = Removal::new(&of, &self.world.theme);
            self.open_layer(dialog);
        }
    }

    fn ask_for_form(&mut self, ids: Vec<InstanceId>) {
        self.ask(InventoryRequest::Form(ids.clone()));
        self.inventory.await_form(ids);
    }

    /// Opens the form that was asked for.
    pub(super) fn open_form(&mut self, data: FormData) {
        let Some((ids, held)) = self.inventory.take_form() else { return };
        let now = self.world.moment.clock;
        let mut dialog: Box<dyn Layer> = match (ids.as_slice(), data.of.len()) {
            ([], 0) | ([_], 1) => Box::new(Wizard::new(data, now.ms().unsigned_abs(), &self.world.theme)),
            ([_, _, ..], 1..) => {
                let zone = self.world.moment.zone.clone();
                Box::new(Bulk::new(data, (now, zone), &self.world.theme))
            }
            _ => {
                let text = "not in the inventory any more: it was removed elsewhere";
                return self.say(Level::Warning, text.to_owned());
            }
        };
        dialog.tick(now);
        self.layers.push(dialog);
        for chord in held {
            self.key(chord);
        }
    }
}
