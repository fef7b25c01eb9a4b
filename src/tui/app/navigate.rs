//! Moving between panes and scopes: in, out, back, to the next problem.

use super::App;
use crate::{
    model::{fold::scope::Scope, inventory::instance::InstanceId, judge::health::Level},
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        place::{Place, Stop},
        wish::Look,
    },
};

/// A scope of at most this many instances is polled fast while a pane other than the fleet shows it.
const FOCUS_MOST: usize = 4;

impl App {
    /// The pane of key 1: the instance in scope, or the fleet.
    pub(super) fn home(&self) -> PaneId {
        if self.place.instance().is_some() { PaneId::Instance } else { PaneId::Fleet }
    }

    /// Leaves the present view for another one: it is remembered, and its charts end now again.
    fn leave(&mut self, brought: Option<&str>) -> Place {
        let place = self.place.clone();
        let pane = self.panes.get(place.pane);
        let (filter, row) = (pane.filter().to_owned(), pane.selected());
        pane.left();
        self.trail.push(Stop { place: place.clone(), filter, row, brought: brought.map(str::to_owned) });
        self.last = Some(place.clone());
        place
    }

    /// The new view is there: one at the top has no way back, a view of itself is no step.
    fn arrived(&mut self) {
        if self.place.is_top() {
            self.trail.clear();
        } else if self.trail.last().is_some_and(|stop| stop.place == self.place) {
            self.trail.pop();
        }
        if self.last.as_ref().is_some_and(|last| last.scopes != self.place.scopes) {
            self.panes.get(self.place.pane).reset_columns();
        }
        self.panes.get(self.place.pane).left();
    }

    /// Back to the view before this one, as it was left; false if there is none.
    fn back_the_way(&mut self) -> bool {
        let Some(stop) = self.trail.pop() else { return false };
        self.panes.get(self.place.pane).left();
        self.last = Some(std::mem::replace(&mut self.place, stop.place));
        let pane = self.panes.get(self.place.pane);
        pane.left();
        let _ = pane.set_filter(&stop.filter);
        if let Some(row) = stop.row {
            pane.focus(row);
        }
        true
    }

    /// Opens a pane in this scope. Marks or a filter in the fleet narrow the scope of what is opened from there.
    pub(super) fn open(&mut self, pane: PaneId) {
        let pane = if matches!(pane, PaneId::Fleet | PaneId::Instance) { self.home() } else { pane };
        if pane == self.place.pane {
            return;
        }
        let from = self.leave(None);
        let left = self.panes.get(from.pane);
        if let Some(chosen) = left.chosen(&self.world.view()) {
            self.place.scopes.push(chosen);
            left.clear_marks();
            let _ = left.set_filter("");
        }
        self.place.pane = pane;
        self.arrived();
    }

    /// Follows a link: narrows, opens the pane, selects the row. A filter that might hide it is cleared.
    pub(super) fn follow(
        &mut self,
        pane: PaneId,
        scope: Option<Scope>,
        focus: Option<RowKey>,
        look: Option<Look>,
    ) {
        let brought = match &look {
            Some(Look::Filter(text) | Look::Samples(text)) => Some(text.as_str()),
            _ => None,
        };
        self.leave(brought);
        self.step_to(pane, scope, focus, look);
    }

    /// The same without a step of the way.
    fn step_to(&mut self, pane: PaneId, scope: Option<Scope>, focus: Option<RowKey>, look: Option<Look>) {
        match scope {
            Some(Scope::Instance(id)) => self.place.narrow(id),
            Some(scope) => self.place.scopes.push(scope),
            None => {}
        }
        self.place.pane = pane;
        self.arrived();
        let target = self.panes.get(pane);
        match look {
            Some(Look::Filter(text)) => {
                target.ungroup();
                drop(target.set_filter(&text));
            }
            Some(look) => {
                drop(target.set_filter(""));
                target.show(&look);
            }
            None if focus.is_some() => drop(target.set_filter("")),
            None => {}
        }
        if let Some(key) = focus {
            target.focus(key);
        }
    }

    /// From a query of the plan cache to the same one in Query Store, and back; where no such row is under the cursor, to the queries of
    /// the scope.
    pub(super) fn go_to_query(&mut self) {
        match self.query_elsewhere() {
            Some(Ok((pane, key))) => self.follow(pane, None, Some(key), Some(Look::Own)),
            Some(Err(why)) => self.say(Level::Ok, why),
            None => self.follow(PaneId::Queries, None, None, Some(Look::Sort("cpu"))),
        }
    }

    /// The row of the query under the cursor in the pane that has it, too, or why that has none; None: no such row is under the cursor.
    pub(super) fn query_elsewhere(&mut self) -> Option<Result<(PaneId, RowKey), String>> {
        let row = self.panes.get(self.place.pane).selected();
        match (self.place.pane, row) {
            (PaneId::Queries, Some(RowKey::Query(id, hash))) => Some(self.stored(&id, hash)),
            (PaneId::QueryStore, Some(RowKey::Stored(id, _, _, hash))) => Some(self.cached(&id, hash)),
            _ => None,
        }
    }

    /// The row of a query of the plan cache in Query Store. The most expensive one, if several databases have it.
    fn stored(&self, id: &InstanceId, hash: u64) -> Result<(PaneId, RowKey), String> {
        let table = self.world.snapshot.find(id).and_then(|i| i.facts.query_store.get());
        let table =
            table.ok_or_else(|| format!("what the Query Stores of {id} recorded is not known yet"))?;
        let found = table.queries.iter().find(|q| q.hash == Some(hash) && q.now.runs.is_some());
        let query = found.ok_or_else(|| {
            format!(
                "no Query Store of {id} has it among the most expensive queries of its newest closed hour"
            )
        })?;
        Ok((PaneId::QueryStore, RowKey::Stored(id.clone(), query.database_id, query.query_id, query.hash)))
    }

    /// The row of a query of Query Store in the plan cache.
    fn cached(&self, id: &InstanceId, hash: Option<u64>) -> Result<(PaneId, RowKey), String> {
        let table = self.world.snapshot.find(id).and_then(|i| i.facts.queries.get());
        let table = table.ok_or_else(|| format!("what the plan cache of {id} has is not known yet"))?;
        let found = table.queries.iter().find(|q| Some(q.hash) == hash);
        let query = found.ok_or_else(|| {
            format!("the plan cache of {id} has no run of it that ended since the poll before: P asks Query Store for its plans")
        })?;
        Ok((PaneId::Queries, RowKey::Query(id.clone(), query.hash)))
    }

    /// Opens a pane and a scope by name.
    pub(super) fn go(&mut self, pane: Option<PaneId>, scopes: Option<Vec<Scope>>) {
        self.leave(None);
        if let Some(scopes) = scopes {
            self.place.scopes = scopes;
        }
        let pane = pane.unwrap_or(self.place.pane);
        self.place.pane = if matches!(pane, PaneId::Fleet | PaneId::Instance) { self.home() } else { pane };
        self.arrived();
    }

    /// Narrows to an instance and stays in the pane; from the fleet it opens the instance.
    pub(super) fn go_to_instance(&mut self, id: InstanceId) {
        let pane = if self.place.pane == PaneId::Fleet { PaneId::Instance } else { self.place.pane };
        self.follow(pane, Some(Scope::Instance(id)), None, None);
    }

    pub(super) fn last_view(&mut self) {
        let Some(last) = self.last.take() else { return };
        if self.trail.last().is_some_and(|stop| stop.place == last) {
            // It is where one came from: a step back, not one more.
            self.panes.get(self.place.pane).left();
            self.trail.pop();
            self.last = Some(self.place.clone());
        } else {
            self.leave(None);
        }
        self.place = last;
        self.arrived();
    }

    /// One step out: clears the filter, goes back the way one came, and at its beginning widens the scope; false at the top.
    pub(super) fn out(&mut self) -> bool {
        let brought = self.trail.last().and_then(|stop| stop.brought.clone());
        let pane = self.panes.get(self.place.pane);
        if brought.is_some_and(|filter| filter == pane.filter()) {
            let _ = pane.set_filter("");
        } else if !pane.filter().is_empty() {
            let _ = pane.set_filter("");
            return true;
        }
        if self.world.faults_only && self.place.scopes.is_empty() {
            self.world.faults_only = false;
            return true;
        }
        if self.back_the_way() {
            return true;
        }
        let Some(scope) = self.place.scopes.last().cloned() else { return false };
        self.last = Some(self.place.clone());
        self.panes.get(self.place.pane).left();
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

    /// To the next problem. Where several instances are in scope, the cursor goes from row to row and the scope stays; where one is,
    /// its rows come first, and then the scope goes on to the next instance that is not ok.
    pub(super) fn next_problem(&mut self, back: bool) {
        let has_one = self.place.instance().is_some();
        let view = self.world.view();
        let pane = self.panes.get(self.place.pane);
        let before = pane.selected();
        if pane.next_problem(back, !has_one, &view) {
            if before.is_some() && pane.selected() == before {
                self.say(Level::Ok, "no other row here is a problem".to_owned());
            }
            return;
        }
        if has_one {
            return self.neighbour_problem(back);
        }
        let is_calm = self.world.snapshot.instances.iter().all(|i| i.health.level < Level::Warning);
        let words = if is_calm { "no problem anywhere" } else { "no row here is a problem: 1 Fleet has all" };
        self.say(Level::Ok, words.to_owned());
    }

    /// From instance to instance, the worst first.
    fn neighbour_problem(&mut self, back: bool) {
        let mut bad: Vec<_> =
            self.world.snapshot.instances.iter().filter(|i| i.health.level >= Level::Warning).collect();
        bad.sort_by(|a, b| a.worst_first(b));
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
        self.last = Some(self.place.clone());
        self.step_to(self.place.pane, Some(Scope::Instance(id)), None, None);
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
