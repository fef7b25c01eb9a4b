//! Plans and deadlocks on the whole screen. They were read elsewhere: whoever has one hands it over here.

use super::App;
use crate::{
    deadlock::{Deadlock, lean::graph},
    model::{
        base::{figure::push_grouped, zone::Zone},
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::deadlocks::{DeadlockPattern, DeadlockReport},
    },
    tui::{
        action::Action,
        layer::{
            deadlock::{DeadlockSource, DeadlockView},
            plan::{PlanSource, PlanView},
        },
        settings::Alone,
    },
};
use std::sync::Arc;

impl App {
    /// Shows a plan over the pane. `=` puts the others beside it, one by one.
    pub fn show_plan(&mut self, plan: PlanSource, others: Vec<PlanSource>) {
        self.open_layer(PlanView::new(plan).with_others(others));
    }

    /// A newer state of the live plan on the screen; false if that of its request is there no more.
    pub fn renew_plan(&mut self, plan: &PlanSource) -> bool {
        self.layers.iter_mut().rev().any(|layer| layer.renew(plan))
    }

    /// Shows one of these deadlocks over the pane.
    pub fn show_deadlock(&mut self, all: Vec<DeadlockSource>, at: usize) {
        self.open_layer(DeadlockView::new(all, at));
    }

    /// Draws the newest deadlock of a pattern; the older ones of which a report is kept are behind it.
    pub(super) fn open_deadlock(&mut self, id: &InstanceId, fingerprint: u64) {
        let view = self.world.view();
        let table = view.snapshot.find(id).and_then(|instance| instance.facts.deadlocks.get());
        let pattern = table.and_then(|t| t.patterns.iter().find(|p| p.fingerprint == fingerprint));
        let Some(pattern) = pattern else { return };
        let all: Vec<DeadlockSource> =
            pattern.reports.iter().filter_map(|report| source(id, pattern, report, view.zone)).collect();
        if all.is_empty() {
            let why = "its report cannot be drawn: it was cut before it names a session, or its text has no room in memory any more (history has it: t goes back to its time)";
            return self.say(Level::Warning, why.to_owned());
        }
        self.show_deadlock(all, 0);
    }

    /// Shows something by itself.
    pub fn show_alone(&mut self, alone: Alone) {
        match alone {
            Alone::Plan(plan, others) => {
                self.alone = Some("only this plan is here: q ends");
                self.show_plan(plan, others);
            }
            Alone::Deadlocks(all) => {
                self.alone = Some("only this deadlock is here: q ends");
                self.show_deadlock(all, 0);
            }
        }
    }

    /// Refuses what leads away from something that is shown by itself: there is nowhere to go.
    pub(super) fn refuses_to_leave(&mut self, action: Action) -> bool {
        let leads_away = matches!(action, Action::Open(_) | Action::Palette | Action::Jump);
        let Some(words) = self.alone.filter(|_| leads_away) else { return false };
        self.say(Level::Ok, words.to_owned());
        true
    }
}

/// A deadlock of a pattern for the screen. None: its report is not there, or cannot be read.
fn source(
    id: &InstanceId,
    pattern: &DeadlockPattern,
    report: &DeadlockReport,
    zone: &Zone,
) -> Option<DeadlockSource> {
    let statement = report.text.as_ref()?.statement();
    let text = &*statement.text.batch;
    let all = Deadlock::read_all(text.as_bytes()).ok()?;
    // A server writes one into each report.
    let deadlock = all.into_iter().next()?;
    let times = match pattern.times {
        1 => String::new(),
        times => format!(" · ×{times} since {}", zone.instant(pattern.first_at)),
    };
    let cut = match report.cut_after {
        None => String::new(),
        Some(chars) => {
            let mut words = String::from(" · cut after ");
            push_grouped(&mut words, chars.into());
            words + " characters"
        }
    };
    Some(DeadlockSource {
        title: format!("{} · {id}{times}{cut}", zone.instant(report.at)),
        instance: Some(id.clone()),
        raw: graph(text).into(),
        deadlock: Arc::new(deadlock),
    })
}
