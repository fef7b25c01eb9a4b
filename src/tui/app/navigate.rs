//! Moving between panes and scopes: in, out, back, to the next problem.

use super::App;
use crate::{
    model::{fold::scope::Scope, inventory::instance::InstanceId, judge::health::Level},
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        pane::fleet,
        place::Place,
    },
};

/// A scope of at most this many instances is polled fast while a pane other than the fleet shows it.
const FOCUS_MOST: usize = 4;

impl App {
    /// The pane of key 1: the instance in scope, or the fleet.
    pub(super) fn home(&self) -> PaneId {
        if self.place.instance().is_some() { PaneId::Instance } else { PaneId::Fleet }
    }

    fn leave(&mut self) -> Place {
        let place = self.place.clone();
        self.last = Some(place.clone());
        place
    }

    /// Opens a pane in this scope. Marks or a filter in the fleet narrow the scope of what is opened from there.
    pub(super) fn open(&mut self, pane: PaneId) {
        let pane = if matches!(pane, PaneId::Fleet | PaneId::Instance) { self.home() } else { pane };
        if pane == self.place.pane {
            return;
        }
        let from = self.leave();
        let left = self.panes.get(from.pane);
        if let Some(chosen) = left.chosen(&self.world.view()) {
            self.place.scopes.push(chosen);
            left.clear_marks();
            let _ = left.set_filter("");
        }
        self.place.pane = pane;
    }

    /// Follows a link: narrows, opens the pane, selects the row. A filter that might hide it is cleared.
    pub(super) fn follow(
        &mut self,
        pane: PaneId,
        scope: Option<Scope>,
        focus: Option<RowKey>,
        filter: Option<&str>,
    ) {
        self.leave();
        match scope {
            Some(Scope::Instance(id)) => self.place.narrow(id),
            Some(scope) => self.place.scopes.push(scope),
            None => {}
        }
        self.place.pane = pane;
        let target = self.panes.get(pane);
        if focus.is_some() || filter.is_some() {
            let _ = target.set_filter(filter.unwrap_or(""));
        }
        if let Some(key) = focus {
            target.focus(key);
        }
    }

    /// Opens a pane and a scope by name.
    pub(super) fn go(&mut self, pane: Option<PaneId>, scopes: Option<Vec<Scope>>) {
        self.leave();
        if let Some(scopes) = scopes {
            self.place.scopes = scopes;
        }
        let pane = pane.unwrap_or(self.place.pane);
        self.place.pane = if matches!(pane, PaneId::Fleet | PaneId::Instance) { self.home() } else { pane };
    }

    /// Narrows to an instance and stays in the pane; from the fleet it opens the instance.
    pub(super) fn go_to_instance(&mut self, id: InstanceId) {
        let pane = if self.place.pane == PaneId::Fleet { PaneId::Instance } else { self.place.pane };
        self.follow(pane, Some(Scope::Instance(id)), None, None);
    }

    pub(super) fn last_view(&mut self) {
        if let Some(last) = self.last.take() {
            self.last = Some(std::mem::replace(&mut self.place, last));
        }
    }

    /// One step out; false at the top.
    pub(super) fn out(&mut self) -> bool {
        let pane = self.panes.get(self.place.pane);
        if !pane.filter().is_empty() {
            let _ = pane.set_filter("");
            return true;
        }
        if self.world.faults_only && self.place.scopes.is_empty() {
            self.world.faults_only = false;
            return true;
        }
        let Some(scope) = self.place.scopes.last().cloned() else { return false };
        self.leave();
        self.place.scopes.pop();
        if let Scope::Instance(id) = scope {
            let key = RowKey::Instance(id);
            if self.place.pane == PaneId::Instance {
                self.place.pane = PaneId::Fleet;
                self.panes.get(PaneId::Fleet).focus(key);
            }
        }
        true
    }

    /// As out, but from the top of another pane to the fleet, and from there out of the program.
    pub(super) fn back(&mut self) {
        if self.out() {
            return;
        }
        if self.place.pane == PaneId::Fleet {
            self.act(Action::Quit);
        } else {
            self.open(PaneId::Fleet);
        }
    }

    /// From instance to instance by badness, when the pane has no problems of its own to go to.
    pub(super) fn neighbour_problem(&mut self, back: bool) {
        let mut bad: Vec<_> =
            self.world.snapshot.instances.iter().filter(|i| i.health.level >= Level::Warning).collect();
        bad.sort_by_cached_key(|i| fleet::badness(i));
        let here = self.place.instance().and_then(|id| bad.iter().position(|i| i.id() == id));
        let n = bad.len();
        let next = match (here, back) {
            (_, _) if n == 0 => return self.say(Level::Ok, "no problem anywhere".to_owned()),
            (Some(i), false) => (i + 1) % n,
            (Some(i), true) => (i + n - 1) % n,
            (None, false) => 0,
            (None, true) => n - 1,
        };
        let Some(id) = bad.get(next).map(|i| i.id().clone()) else { return };
        self.follow(self.place.pane, Some(Scope::Instance(id)), None, None);
    }

    /// Finds the instances of the snapshot that the scopes hold.
    pub(super) fn resolve_scope(&mut self) {
        let (world, scopes) = (&mut self.world, &self.place.scopes);
        world.scope.clear();
        for (n, i) in world.snapshot.instances.iter().enumerate() {
            if scopes.iter().all(|s| s.holds(i)) {
                world.scope.push(n as u32);
            }
        }
        // An instance named directly may be outside of a wider scope: the narrowest one wins.
        if world.scope.is_empty()
            && let Some(id) = self.place.instance()
            && let Some(n) = world.snapshot.instances.iter().position(|i| i.id() == id)
        {
            world.scope.push(n as u32);
        }
        world.narrowed = self.place.instance().is_some() && world.scope.len() == 1;
    }

    /// The instances to be polled fast.
    pub(super) fn looked_at(&self) -> Vec<InstanceId> {
        // In the past nothing needs to be polled fast.
        if self.world.moment.past.is_some() {
            return Vec::new();
        }
        if let Some(id) = self.place.instance() {
            return vec![id.clone()];
        }
        if let Some(id) = self.layers.last().and_then(|top| top.instance()) {
            return vec![id.clone()];
        }
        if self.place.pane == PaneId::Fleet || self.world.scope.len() > FOCUS_MOST {
            return Vec::new();
        }
        self.world.view().instances().map(|(_, i)| i.id().clone()).collect()
    }
}
