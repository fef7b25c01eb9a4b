//! What can be done here and now: the keys that the footer tells, and why an action is refused, which the menu behind `x` says, too.
//! One rule for both: nothing is offered that would only be refused.

use super::{App, forms::WHICH, inventory::READ_ONLY};
use crate::{
    protocol::VaultState,
    tui::{
        action::{Action, Binding, Context, Kind, When, bindings},
        id::Subject,
    },
};

impl App {
    /// Why an action is refused here and now; None: it is carried out.
    pub(super) fn refusal(&mut self, action: Action, when: When) -> Option<String> {
        if let Some(why) = self.world.moment.refuses(action.kind()) {
            return Some(why.to_owned());
        }
        let pane = self.panes.get(self.place.pane);
        match when {
            When::Row | When::RowOfMany if pane.counts().0 == 0 => {
                return Some("no row is under the cursor".to_owned());
            }
            When::RowOfMany if self.world.narrowed => {
                return Some("it is the only instance in scope".to_owned());
            }
            _ => {}
        }
        if let Some(why) = pane.refuses(action, &self.world.view()) {
            return Some(why);
        }
        if action == Action::Freeze && self.means_none() {
            return Some(WHICH.to_owned());
        }
        if action == Action::ToQuery
            && let Some(Err(why)) = self.query_elsewhere()
        {
            return Some(why);
        }
        let is_refused = self.needs_vault(action) && self.inventory.state == VaultState::Plain;
        is_refused.then(|| READ_ONLY.to_owned())
    }

    /// The keys that the footer tells, each with its word: those of the pane first; among them, actions that only show, which are
    /// more usual than changes.
    pub(super) fn told(&mut self) -> Vec<(&'static str, Binding)> {
        let contexts = match self.layers.last() {
            Some(layer) => vec![layer.context()],
            None => Context::of_pane(self.place.pane),
        };
        let is_here = |b: &Binding| contexts.contains(&b.key.context) && b.is_meant(&contexts);
        let mut told = Vec::new();
        for b in bindings().filter(is_here) {
            if let Some(word) = self.word(&b, &contexts)
                && self.offers(&b)
            {
                told.push((word, b));
            }
        }
        let in_past = self.world.moment.past.is_some();
        told.sort_by_key(|(_, b)| {
            let is_travel = in_past && b.kind == Kind::Travels;
            (!is_travel, b.action == Action::Edit, b.key.context == Context::Global)
        });
        told
    }

    /// Without any instance there is nothing to open, filter or sort.
    fn has_nothing(&self) -> bool {
        self.layers.is_empty() && self.world.snapshot.instances.is_empty()
    }

    /// The footer's word for a key; None: it does not tell it.
    fn word(&self, b: &Binding, contexts: &[Context]) -> Option<&'static str> {
        if let Some(word) = self.layers.last().and_then(|top| top.word(b.action)) {
            return Some(word);
        }
        match b.action {
            Action::Back if self.has_nothing() => Some("quit"),
            Action::Add if self.has_nothing() && !contexts.contains(&Context::Records) => {
                Some("add an instance")
            }
            Action::Live if self.world.moment.recording.is_some() => Some("last instant"),
            _ => b.key.hint,
        }
    }

    /// True if a key does something here and now.
    fn offers(&mut self, b: &Binding) -> bool {
        let in_past = self.world.moment.past.is_some();
        if let Some(top) = self.layers.last() {
            let finds = b.action != Action::Filter || b.key.context != Context::List || top.finds();
            let is_now = b.when != When::Past || in_past;
            return finds && is_now && top.offers(b.action) && self.world.moment.refuses(b.kind).is_none();
        }
        let nothing = self.has_nothing();
        match b.when {
            When::Past if !in_past => return false,
            When::Instances if nothing && !(in_past && b.kind == Kind::Travels) => return false,
            _ => {}
        }
        // What is listed there has no health.
        let is_inventory = self.place.pane.row().subject == Subject::Inventory;
        if b.action == Action::NextProblem && is_inventory {
            return false;
        }
        // Where there is none yet, the answer says how to get the first one.
        if b.action == Action::Add && nothing && self.world.moment.refuses(b.kind).is_none() {
            return true;
        }
        self.refusal(b.action, b.when).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        id::PaneId,
        key::Chord,
        places::{at, shown},
    };
    use std::collections::BTreeSet;

    /// Where keys are offered: on rows in different states, and with marks.
    const PLACES: [&str; 5] = ["", "down", "G", "space space", "s"];

    /// The keys that the footer tells and that the menu has without a refusal.
    fn offered(app: &mut App) -> BTreeSet<String> {
        let told = app.told().into_iter().filter_map(|(_, b)| Chord::parse(b.key.name));
        let mut keys: BTreeSet<String> = told.map(|chord| chord.to_string()).collect();
        let deeds = app.deeds().into_iter().filter(|item| item.refused.is_none());
        keys.extend(deeds.map(|item| item.key));
        keys
    }

    /// What a key says, if it does nothing else.
    fn only_says(app: &mut App, key: &str) -> Option<String> {
        app.status.forget();
        let before = (shown(app), app.layers.len(), app.place.clone());
        app.take_effects();
        app.take_copies();
        match key.strip_prefix(':') {
            Some(word) if !word.is_empty() => app.keys(&format!(": {word} enter")),
            _ => {
                let mut chords = bindings().filter_map(|b| Chord::parse(b.key.name));
                let chord = chords.find(|chord| chord.to_string() == key);
                app.key(chord.unwrap_or_else(|| panic!("{key} is no key")));
            }
        }
        let asks = !app.take_effects().is_empty() || !app.take_copies().is_empty() || app.wants_to_quit();
        let said = app.status.message.take().map_or_else(|| "nothing".to_owned(), |message| message.text);
        let is_same = (shown(app), app.layers.len(), app.place.clone()) == before;
        // What costs a server more than a moment is asked for twice; what was seen of a wait, and whether a row is a problem, is looked
        // up when it is asked.
        let answers = ["the same key again", "was seen waiting for", "is a problem", "no problem anywhere"];
        let is_answer = answers.iter().any(|words| said.contains(words));
        (is_same && !asks && !is_answer).then_some(said)
    }

    #[test]
    fn no_key_is_offered_that_would_only_be_refused() {
        let mut refused = Vec::new();
        for pane in PaneId::ALL {
            for place in PLACES {
                let mut app = at(pane, place);
                app.status.forget();
                let (frame, view) = (shown(&mut app), app.place.clone());
                for key in offered(&mut app) {
                    if let Some(said) = only_says(&mut app, &key) {
                        refused.push(format!("{} at {place:?}: {key}: {said}", pane.name()));
                    }
                    // Out of what it opened; if that leads elsewhere, all is made anew.
                    app.inventory.forget_form();
                    app.layers.clear();
                    app.status.forget();
                    if app.place != view || shown(&mut app) != frame {
                        app = at(pane, place);
                    }
                }
            }
        }
        assert!(refused.is_empty(), "offered, and refused:\n{}", refused.join("\n"));
    }

    #[test]
    fn on_a_row_of_many_sessions_what_asks_for_one_says_so() {
        let mut app = at(PaneId::Activity, "b");
        let offered = offered(&mut app);
        for key in ["P", "w", "i"] {
            assert_eq!(only_says(&mut app, key).as_deref(), Some("no session is under the cursor"), "{key}");
            assert!(!offered.contains(key), "{key}: {offered:?}");
        }
    }

    #[test]
    fn a_pane_of_the_inventory_offers_nothing_of_the_fleet_and_only_its_own() {
        let fleet = ["fleet", "poll", "wizard", "instances in view", "permission"];
        for pane in PaneId::ALL.into_iter().filter(|pane| pane.row().subject == Subject::Inventory) {
            let mut app = at(pane, "");
            for item in app.deeds() {
                let is_of_fleet =
                    item.action != Action::Members && fleet.iter().any(|w| item.help.contains(w));
                assert!(!is_of_fleet, "{}: {}: {}", pane.name(), item.key, item.help);
            }
        }
        let keys = |pane: PaneId| offered(&mut at(pane, ""));
        let has = |pane: PaneId, key: &str| keys(pane).contains(key);
        assert!(!has(PaneId::Tenants, "c") && !has(PaneId::Vault, "c") && !has(PaneId::Vault, "i"));
        assert!(!has(PaneId::Labels, "c") && has(PaneId::Groups, "c") && has(PaneId::Filters, "c"));
        assert!(has(PaneId::Tenants, "i") && has(PaneId::Vault, "D") && has(PaneId::Settings, "D"));
        let second = offered(&mut at(PaneId::Settings, "down"));
        assert!(!second.contains("D"), "what is not in the file cannot be taken out of it: {second:?}");
    }
}
