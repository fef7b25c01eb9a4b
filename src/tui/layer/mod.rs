//! Layers lie over the pane and take keys first: command line, filter, help, details, jump, dialogs. Each is a [`Layer`], and
//! the app knows no more of it: it hands over events, draws the layer on top, and carries out the wishes that return as [`Out`].

pub mod asking;
pub mod bookmarks;
pub mod bulk;
pub mod changes;
pub mod confirm;
pub mod deadlock;
pub mod details;
pub mod doctor;
mod export;
pub mod filter;
mod find;
pub mod form;
pub mod found;
pub mod help;
pub mod input;
pub mod items;
pub mod jump;
pub mod login;
pub mod menu;
pub mod overlay;
pub mod palette;
pub mod pick;
pub mod plan;
pub mod prompt;
pub mod removal;
pub mod unlock;
pub mod wizard;

use self::plan::PlanSource;
use super::{
    action::{Action, Context},
    key::Chord,
    pane::Pane,
    widget::canvas::Canvas,
    wish::Wish,
    world::World,
};
use crate::{
    model::{base::time::Timestamp, inventory::instance::InstanceId, judge::health::Level},
    protocol::{InventoryRequest, Reply},
};

/// The world and the pane behind a layer.
pub struct Behind<'a> {
    /// what all panes look at
    pub world: &'a World,
    /// the pane on the screen
    pub pane: &'a mut dyn Pane,
}

/// The outcome of an event in a layer: its wishes.
#[derive(Default)]
pub struct Out {
    /// for the rest of the program
    pub requests: Vec<InventoryRequest>,
    /// for the app
    pub wishes: Vec<Wish>,
    /// the layer is done
    pub is_closed: bool,
    /// the action is for the parts behind the layer, too
    pub is_passed_on: bool,
    /// the rows of the pane are to be made anew
    pub has_changed_pane: bool,
}

impl Out {
    /// Asks the inventory service.
    pub fn ask(&mut self, request: InventoryRequest) {
        self.requests.push(request);
    }

    /// One line for the user.
    pub fn say(&mut self, level: Level, text: impl Into<String>) {
        self.wishes.push(Wish::Say(level, text.into()));
    }

    /// A text for the clipboard.
    pub fn copy(&mut self, text: String) {
        self.wishes.push(Wish::Clip(text));
    }

    /// Adds a wish.
    pub fn wish(&mut self, wish: Wish) {
        self.wishes.push(wish);
    }

    /// Ends the layer.
    pub const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Hands the action on to the parts behind.
    pub const fn pass_on(&mut self) {
        self.is_passed_on = true;
    }
}

/// A layer. It keeps typed text only while it is open: closing drops it.
pub trait Layer {
    /// The context of its keys. In some contexts, keys that mean nothing are typed: [`Context::takes_text`].
    fn context(&self) -> Context;
    /// `/` looks for a text in it.
    fn finds(&self) -> bool {
        false
    }
    /// Carries out an action.
    fn act(&mut self, action: Action, behind: &mut Behind<'_>, out: &mut Out);
    /// What a key means in it that is bound nowhere in its context: it shows keys of its own.
    fn meaning(&self, _chord: Chord) -> Option<Action> {
        None
    }
    /// Takes a key that is no action: text, and the editing keys of a line.
    fn type_key(&mut self, _chord: Chord, _behind: &mut Behind<'_>, _out: &mut Out) {}
    /// Takes pasted text.
    fn paste(&mut self, _text: &str, _behind: &mut Behind<'_>, _out: &mut Out) {}
    /// Hears an answer; false if others must hear it, too.
    fn hear(&mut self, _reply: &Reply, _out: &mut Out) -> bool {
        false
    }
    /// Takes the new time.
    fn tick(&mut self, _now: Timestamp) {}
    /// Takes a new state of the fleet.
    fn follow(&mut self, _behind: &mut Behind<'_>) {}
    /// Takes a newer state of the live plan that it shows; false if it shows none.
    fn renew(&mut self, _plan: &PlanSource) -> bool {
        false
    }
    /// The request whose live plan it shows runs no more: no newer state comes. False: it shows none.
    fn end_live(&mut self) -> bool {
        false
    }
    /// True if an action does something as it is now: the footer tells it then.
    fn offers(&self, _action: Action) -> bool {
        true
    }
    /// The footer's word for an action as it is now; None: the one of the table.
    fn word(&self, _action: Action) -> Option<&'static str> {
        None
    }
    /// The instance that it shows, which is polled fast for as long as it is on top.
    fn instance(&self) -> Option<&InstanceId> {
        None
    }
    /// True if it shows or changes sealed records, so that locking closes it.
    fn is_secret(&self) -> bool {
        false
    }
    /// Draws on the whole screen; most draw over its [`body`] only.
    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>);
}

/// All between header and footer.
pub fn body<'a>(screen: &'a mut Canvas<'_>) -> Canvas<'a> {
    let (w, h) = (screen.width(), screen.height());
    screen.part(0, 2, w, h.saturating_sub(3))
}
