//! The screen's side of the inventory: the state of the vault, the action that waits for it, the form that was asked for,
//! and when the vault locks by itself. The keys and the records are with the inventory service; here are only its answers
//! and typed keys.

use super::{action::Action, key::Chord};
use crate::{
    model::{
        base::{age::passed_ms, time::Timestamp},
        inventory::instance::InstanceId,
    },
    protocol::VaultState,
};
use crossterm::event::KeyCode;

/// Keys that are kept for a form: nobody types more before it is there.
const HELD: usize = 64;

/// The app's knowledge of the inventory.
pub struct InventoryState {
    /// as it was told last
    pub state: VaultState,
    /// lock after so long without a key, ms; None: never
    pub lock_after_ms: Option<i64>,
    /// when a key was pressed last
    pub touched: Timestamp,
    /// an action that was asked for while it was locked: carried out when it is open
    pub then: Option<Action>,
    /// the user closed a dialog, so the one that unlocks does not come back by itself
    pub is_dismissed: bool,
    /// the instances whose form was asked for; none: a new one's
    form: Option<Vec<InstanceId>>,
    /// keys that were pressed before that form was there
    held: Vec<Chord>,
}

impl InventoryState {
    /// At the start.
    pub const fn new(state: VaultState, now: Timestamp, lock_after_ms: Option<i64>) -> Self {
        Self {
            state,
            lock_after_ms,
            touched: now,
            then: None,
            is_dismissed: false,
            form: None,
            held: Vec::new(),
        }
    }

    /// True if it is open and nobody pressed a key for so long that it is to be locked. A clock that was set back lets the time
    /// begin anew.
    pub fn is_idle(&mut self, now: Timestamp) -> bool {
        let untouched_ms = passed_ms(&mut self.touched, now);
        let is_late = |after_ms: i64| untouched_ms >= after_ms.unsigned_abs();
        self.state == VaultState::Open && self.lock_after_ms.is_some_and(is_late)
    }

    /// The user closed a dialog: drops the action that waited for it.
    pub fn dismiss(&mut self) {
        self.is_dismissed = true;
        self.then = None;
    }

    /// Waits for the form of these instances.
    pub fn await_form(&mut self, ids: Vec<InstanceId>) {
        self.form = Some(ids);
    }

    /// Keeps a key that is pressed before the form opens: it is for the form, not for the pane below. Esc drops the form.
    /// False if no form is waited for, or the key is not for it.
    pub fn hold(&mut self, chord: Chord) -> bool {
        if self.form.is_none() {
            return false;
        }
        match chord.parts() {
            (KeyCode::Esc, ..) => self.forget_form(),
            (_, true, _) => return false,
            _ if self.held.len() < HELD => self.held.push(chord),
            _ => {}
        }
        true
    }

    /// The form came: returns its instances and the keys that were kept for it. None if it is not wanted any more.
    pub fn take_form(&mut self) -> Option<(Vec<InstanceId>, Vec<Chord>)> {
        let ids = self.form.take()?;
        Some((ids, std::mem::take(&mut self.held)))
    }

    /// The form that was asked for is not wanted any more, or will not come.
    pub fn forget_form(&mut self) {
        self.form = None;
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_183_331_000);

    fn inventory() -> InventoryState {
        InventoryState::new(VaultState::Open, NOW, Some(60_000))
    }

    fn key(name: &str) -> Chord {
        Chord::parse(name).unwrap()
    }

    #[test]
    fn keys_are_kept_for_a_form_that_is_on_its_way() {
        let mut inventory = inventory();
        assert!(!inventory.hold(key("a")), "no form was asked for");
        inventory.await_form(vec![InstanceId::new("a")]);
        assert!(inventory.hold(key("x")) && inventory.hold(key("enter")));
        assert!(!inventory.hold(key("ctrl-c")), "commands of the app are none of the form's keys");
        let (ids, held) = inventory.take_form().unwrap();
        assert_eq!((ids.len(), held), (1, vec![key("x"), key("enter")]));
        assert!(inventory.take_form().is_none());
    }

    #[test]
    fn esc_takes_the_wish_for_a_form_back() {
        let mut inventory = inventory();
        inventory.await_form(Vec::new());
        assert!(inventory.hold(key("x")) && inventory.hold(key("esc")));
        assert!(inventory.take_form().is_none());
    }

    #[test]
    fn only_an_open_vault_locks_by_itself() {
        let mut inventory = inventory();
        assert!(!inventory.is_idle(NOW.plus_ms(59_999)));
        assert!(inventory.is_idle(NOW.plus_ms(60_000)));
        assert!(!inventory.is_idle(NOW.plus_ms(-86_400_000)), "the clock was set back");
        assert!(inventory.is_idle(NOW.plus_ms(-86_400_000 + 60_000)));
        inventory.state = VaultState::Opening;
        assert!(!inventory.is_idle(NOW.plus_ms(600_000)));
    }
}
