//! The message line, and the figures around the panes: who polls, the state of the store, the cost of the watching.

use crate::{
    model::{base::time::Timestamp, fold::snapshot::FleetCost, judge::health::Level},
    tui::layer::overlay::{Figures, Stored},
};

/// How long a message stays, ms; one of trouble is read twice. Each goes with the next action, too: what is said belongs to what was
/// done last.
const MESSAGE_MS: i64 = 5_000;
const TROUBLE_MS: i64 = 15_000;

/// One line for the user.
pub struct Message {
    /// colours it
    pub level: Level,
    /// the line
    pub text: String,
    /// when it vanishes
    until: Timestamp,
}

/// Everything that the app hears besides the fleet.
#[derive(Default)]
pub struct Status {
    /// the line above the footer
    pub message: Option<Message>,
    /// F12 is open
    pub overlay: bool,
    /// the run loop's own figures
    pub figures: Figures,
    /// what the watching costs all servers together
    pub cost: Option<FleetCost>,
    /// who polls, if it is another process
    pub collector: Option<String>,
    /// the trouble of history: why nothing is kept
    pub store: Option<&'static str>,
    /// what it does
    pub stored: Stored,
}

impl Status {
    /// Shows a line for some seconds.
    pub fn say(&mut self, level: Level, text: String, clock: Timestamp) {
        let ms = if level >= Level::Warning { TROUBLE_MS } else { MESSAGE_MS };
        self.message = Some(Message { level, text, until: clock.plus_ms(ms) });
    }

    /// Something else is done: what was said of the action before it goes.
    pub fn forget(&mut self) {
        self.message = None;
    }

    /// Advances the time: an old line vanishes, and so does one of before the clock was set back.
    pub fn tick(&mut self, now: Timestamp) {
        self.message.take_if(|m| m.until <= now || m.until > now.plus_ms(TROUBLE_MS));
    }
}
