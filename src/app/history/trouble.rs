//! Trouble with history: told once in a sentence, shown in two words for as long as it lasts.

use crate::{app::module::Links, model::judge::health::Level, protocol::Reply, store::history::WriterStats};

/// The trouble that was told last.
#[derive(Default)]
pub(super) struct Trouble {
    said: Option<String>,
}

impl Trouble {
    /// Tells a change: two words for the screen and a sentence; None: all is well.
    pub fn tell(&mut self, trouble: Option<(&'static str, String)>, links: &Links) {
        let (sign, words) = trouble.unzip();
        if self.said == words {
            return;
        }
        if let Some(text) = words.clone() {
            tracing::warn!("{text}");
            links.say(Reply::Message { level: Level::Warning, text });
        } else {
            tracing::info!("history is kept again");
            links.say(Reply::Message { level: Level::Ok, text: "history is kept again".into() });
        }
        links.say(Reply::Store(sign));
        self.said = words;
    }
}

/// Says in the log when the clock begins to be in doubt.
pub(super) fn warn_of_clock(before: Option<&WriterStats>, now: &WriterStats) {
    let known = before.is_some_and(|before| before.clock_ahead_ms.is_some());
    if let Some(ahead) = now.clock_ahead_ms.filter(|_| !known) {
        tracing::warn!(
            hours = ahead / 3_600_000,
            "the clock is so far ahead of history: nothing is deleted by it before it has gone evenly for 6 h (it is wrong, or \
             nobody was collecting)"
        );
    }
}
