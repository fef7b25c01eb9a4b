//! Everything that leaves the screen: effects for the rest of the program, texts for the clipboard. The run loop takes them.

use crate::{
    model::inventory::instance::InstanceId,
    protocol::{Effect, InventoryRequest},
    tui::wish::Edit,
};

/// Effects and texts that wait for the run loop.
#[derive(Default)]
pub struct Outbox {
    effects: Vec<Effect>,
    copies: Vec<String>,
    /// one at a time: the terminal is the editor's until it is closed
    edit: Option<Edit>,
    /// the instances that were asked to be polled fast
    focused: Vec<InstanceId>,
}

impl Outbox {
    /// Asks the inventory or history.
    pub fn ask(&mut self, request: impl Into<Effect>) {
        self.effects.push(request.into());
    }

    /// Locks the vault before anything else is asked. For a lock that could not be handed over: it is owed.
    pub fn lock_first(&mut self) {
        let lock: Effect = InventoryRequest::Lock.into();
        self.effects.retain(|effect| !effect.is_lock());
        self.effects.insert(0, lock);
    }

    /// Asks for a poll of these now.
    pub fn poll(&mut self, ids: Vec<InstanceId>) {
        self.effects.push(Effect::Refresh(ids));
    }

    /// Asks for fast polls of these and no others. Sends nothing if they are the same as before.
    pub fn focus(&mut self, ids: Vec<InstanceId>) {
        if ids != self.focused {
            self.focused.clone_from(&ids);
            self.effects.retain(|e| !matches!(e, Effect::Focus(_)));
            self.effects.push(Effect::Focus(ids));
        }
    }

    /// Sends them again with the next change, even if they are the same.
    pub fn forget_focus(&mut self) {
        self.focused.clear();
    }

    /// Puts a text on the clipboard.
    pub fn copy(&mut self, text: String) {
        self.copies.push(text);
    }

    /// Opens a text in the user's editor.
    pub fn edit(&mut self, edit: Edit) {
        self.edit = Some(edit);
    }

    /// Takes the text for the editor.
    pub const fn take_edit(&mut self) -> Option<Edit> {
        self.edit.take()
    }

    /// Takes the effects for the program.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Takes the texts for the clipboard.
    pub fn take_copies(&mut self) -> Vec<String> {
        std::mem::take(&mut self.copies)
    }
}
