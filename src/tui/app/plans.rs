//! Plans and deadlocks on the whole screen. They were read elsewhere: whoever has one hands it over here.

use super::App;
use crate::{
    model::judge::health::Level,
    tui::{
        action::Action,
        layer::{
            deadlock::{DeadlockSource, DeadlockView},
            plan::{PlanSource, PlanView},
        },
        settings::Alone,
    },
};

impl App {
    /// Shows a plan over the pane. `=` puts the others beside it, one by one.
    pub fn show_plan(&mut self, plan: PlanSource, others: Vec<PlanSource>) {
        self.open_layer(PlanView::new(plan).with_others(others));
    }

    /// A newer state of the live plan on the screen; false if none is there any more.
    pub fn renew_plan(&mut self, plan: &PlanSource) -> bool {
        self.layers.iter_mut().rev().any(|layer| layer.renew(plan))
    }

    /// Shows one of these deadlocks over the pane.
    pub fn show_deadlock(&mut self, all: Vec<DeadlockSource>, at: usize) {
        self.open_layer(DeadlockView::new(all, at));
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
