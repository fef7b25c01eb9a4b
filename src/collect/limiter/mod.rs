//! The cost limiter: holds what polling costs an instance against its two budgets, on the screen and off it, and logs when one
//! is broken. Owned by the instance's task; [`budget`] measures and decides. The on-demand lane has a budget of its own: [`ledger`].

pub(super) mod budget;
pub(super) mod ledger;

use self::budget::{Budget, Rule, Verdict};
use super::{
    meter::{Meter, SlowedGuard},
    settings::Settings,
};
use crate::{
    model::{
        inventory::instance::InstanceInfo,
        poll::{Sample, cost::Slowed, id::ProbeId},
    },
    probe::Polled,
};
use std::sync::Arc;
use tokio::time::Instant;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct CostLimiter {
    /// off the screen and on it
    budgets: [Budget; 2],
    counted: Option<SlowedGuard>,
    /// that nothing is left to be slowed was said
    complained: bool,
}

impl CostLimiter {
    /// A new connection, or another pace: measuring begins anew.
    pub fn begin(&mut self) {
        self.budgets.iter_mut().for_each(Budget::begin);
    }

    /// While we watch the cost, it is asked with every poll.
    pub fn ask(&self, focused: bool, due: &mut Vec<ProbeId>) {
        if self.budgets[usize::from(focused)].is_watching() && !due.contains(&ProbeId::Cost) {
            due.push(ProbeId::Cost);
        }
    }

    /// The tiers that are slowed at this pace.
    pub fn slowed(&self, focused: bool, settings: &Settings) -> Slowed {
        self.budgets[usize::from(focused)].slowed(settings.budget(focused))
    }

    /// Takes a poll that is over and writes what is slowed into its cost. Returns what is slowed from now on if that changed.
    pub fn take(
        &mut self,
        pace: Pace<'_>,
        due: &[ProbeId],
        polled: &mut [Polled],
        now: Instant,
    ) -> Option<Slowed> {
        let Pace { focused, rule, info, meter } = pace;
        let budget = &mut self.budgets[usize::from(focused)];
        let mut cost = polled.iter_mut().find_map(|polled| match &mut polled.outcome {
            Ok(Sample::Cost(cost)) => Some(cost),
            _ => None,
        });
        let verdict = budget.take(due, cost.as_deref().copied(), now, rule);
        let slowed = budget.slowed(rule.limit);
        if let Some(cost) = &mut cost {
            cost.slowed = slowed;
        }
        let (instance, limit) = (info.log_name(), rule.limit);
        match verdict {
            Verdict::Keep => None,
            Verdict::Changed(rate) => {
                self.complained = false;
                self.counted = slowed.is_any().then(|| self.counted.take().unwrap_or_else(|| meter.slowed()));
                let words = slowed.words();
                if words.is_empty() {
                    tracing::info!(
                        instance,
                        rate,
                        limit,
                        "own cost is within its budget: polled as usual again"
                    );
                } else {
                    tracing::info!(
                        instance,
                        rate,
                        limit,
                        slower = words,
                        "own cost and its budget, ms of CPU per s"
                    );
                }
                Some(slowed)
            }
            Verdict::Exhausted(rate) => {
                if !std::mem::replace(&mut self.complained, true) {
                    tracing::warn!(
                        instance,
                        rate,
                        limit,
                        "own cost is above its budget, and nothing is left to slow"
                    );
                }
                None
            }
        }
    }
}

/// At which pace an instance is polled, and under which rule.
#[derive(Clone, Copy)]
pub(super) struct Pace<'a> {
    pub focused: bool,
    pub rule: Rule,
    pub info: &'a InstanceInfo,
    pub meter: &'a Arc<Meter>,
}
