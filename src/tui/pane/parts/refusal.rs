//! What an action of a pane of parts is about, and why it cannot be carried out.

use super::{Parts, PartsPane};
use crate::{
    model::{inventory::instance::InstanceId, judge::health::Level},
    tui::{action::Action, id::RowKey, view::View, wish::Wish},
};

impl<P: Parts> PartsPane<P> {
    /// The row under the cursor, and its instance or the one in scope.
    pub(super) fn meant<'a>(&'a self, view: &View<'a>) -> (Option<&'a RowKey>, Option<&'a InstanceId>) {
        let row = self.table.selected().filter(|_| !self.places.is_empty());
        (row, row.and_then(RowKey::instance).or_else(|| view.single().map(|i| i.id())))
    }

    /// What an action does with what it is about; one that is about a session says where there is none. None: nothing.
    pub(super) fn deed(&self, action: Action, view: &View<'_>) -> Option<Wish> {
        let (row, instance) = self.meant(view);
        let is_of_session = matches!(action, Action::Plan | Action::SessionWaits | Action::SessionInput);
        let why = || self.refusal(action, view).filter(|_| is_of_session);
        P::act(action, row, instance).or_else(|| why().map(|why| Wish::Say(Level::Ok, why)))
    }

    /// Why an action cannot be carried out; None: it can.
    pub(super) fn refusal(&self, action: Action, view: &View<'_>) -> Option<String> {
        if let Some(why) = self.line.refuses(action, view) {
            return Some(why);
        }
        let nothing = match action {
            Action::Plan | Action::SessionWaits | Action::SessionInput => "no session is under the cursor",
            Action::BufferPool | Action::PlanCache | Action::FreeSpace => "no instance is under the cursor",
            _ => return None,
        };
        let (row, instance) = self.meant(view);
        match P::act(action, row, instance) {
            Some(Wish::Say(_, why)) => Some(why),
            Some(_) => None,
            None => Some(nothing.to_owned()),
        }
    }
}
