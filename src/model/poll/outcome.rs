//! What each probe's file says of its own state, so that no list elsewhere has to name it: numbers for charts, names,
//! statements, size. Implemented beside every state; called through [`State`](super::State) only.

use super::{
    id::{Emit, ProbeId},
    names::Visit,
    statement::Statement,
};
use crate::model::fold::rate::Interval;
use std::{any::Any, fmt::Debug, sync::Arc};

/// What is known after a poll of a probe. Charts and names have no default: to forget them would lose a line, or tell a name.
pub trait Outcome {
    /// Calls `emit` with every number in it that charts show. Where two probes feed it, each tells its own part.
    fn points(&self, probe: ProbeId, emit: Emit<'_>);

    /// Shows `visit` every place in it where a name may stand, statements aside.
    fn each_name_mut(&mut self, visit: Visit<'_>);

    /// Calls `with` for every statement in it.
    fn each_statement(&self, _with: &mut dyn FnMut(&Statement)) {}

    /// Calls `with` for every statement in it, to be changed.
    fn each_statement_mut(&mut self, _with: &mut dyn FnMut(&mut Statement)) {}

    /// Keeps its first rows, at most so many, where it is a list of rows as they came.
    fn cut(&mut self, _most: usize) {}

    /// What health and the fold read of it, where that is much less than all of it.
    fn only_judged(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// About how many rows of a hundred bytes it is in memory.
    fn rows(&self) -> usize {
        4
    }
}

/// Counters of a poll: they tell something only together with those of the poll before. The fold keeps what that takes of the newest.
pub trait Counters: Any + Debug + Send + Sync + Sized {
    /// what is known between two polls, as a state holds it
    type Between;
    /// what is kept of a poll for the next one
    type Base: Any + Debug + Send + Sync;

    /// What the next poll is compared with. `before`: what this one is compared with, if that is of the same life of the instance.
    fn base(self: Arc<Self>, before: Option<&Self::Base>) -> Arc<Self::Base>;

    /// What lies between two polls that may be compared.
    fn between(before: &Self::Base, now: &Self, over: Interval) -> Self::Between;
}

/// How a state is held, and what a reading has of it.
pub trait Held {
    /// the value of the reading
    type Shown;

    /// Copies it: an `Arc` is shared, what is small is copied.
    fn shown(&self) -> Self::Shown;
}

impl<T> Held for Arc<T> {
    type Shown = Self;

    fn shown(&self) -> Self {
        Self::clone(self)
    }
}

impl<T: Copy> Held for Box<T> {
    type Shown = T;

    fn shown(&self) -> T {
        **self
    }
}

impl<T: Outcome + Clone> Outcome for Arc<T> {
    fn points(&self, probe: ProbeId, emit: Emit<'_>) {
        T::points(self, probe, emit);
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        Self::make_mut(self).each_name_mut(visit);
    }

    fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        T::each_statement(self, with);
    }

    /// What others hold too is copied only if there is a statement to change.
    fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        let mut has_any = false;
        T::each_statement(self, &mut |_| has_any = true);
        if has_any {
            Self::make_mut(self).each_statement_mut(with);
        }
    }

    fn cut(&mut self, most: usize) {
        Self::make_mut(self).cut(most);
    }

    fn only_judged(&self) -> Option<Self> {
        T::only_judged(self).map(Self::new)
    }

    fn rows(&self) -> usize {
        T::rows(self)
    }
}

impl<T: Outcome> Outcome for Box<T> {
    fn points(&self, probe: ProbeId, emit: Emit<'_>) {
        T::points(self, probe, emit);
    }

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        T::each_name_mut(self, visit);
    }

    fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        T::each_statement(self, with);
    }

    fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        T::each_statement_mut(self, with);
    }

    fn cut(&mut self, most: usize) {
        T::cut(self, most);
    }

    fn rows(&self) -> usize {
        T::rows(self)
    }
}
