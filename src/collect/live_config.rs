//! The live configuration: the settings that are in force, with the permits that follow from them. Replaced as a whole when
//! the settings change; whoever holds an old permit, or waits for one, keeps it, so for a moment as many as both allow may
//! run.

use super::{meter::Meter, permits::Permits, settings::Settings};
use std::{sync::Arc, time::Duration};

/// One for the whole collector. Two are the same only if they are the same place in memory.
#[derive(Debug)]
pub(super) struct LiveConfig {
    pub settings: Settings,
    pub dials: Arc<Permits>,
    pub handshakes: Arc<Permits>,
    pub queries: Arc<Permits>,
}

impl PartialEq for LiveConfig {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for LiveConfig {}

impl LiveConfig {
    /// Permits as the settings say; those of `before` stay where nothing changed for them.
    pub fn new(settings: Settings, before: Option<&Self>, meter: &Arc<Meter>) -> Self {
        let permits = |count: usize, hold: Duration, old: Option<&Arc<Permits>>| match old {
            Some(old) if old.is_like(count, hold) => Arc::clone(old),
            _ => Arc::new(Permits::new(count, hold, Arc::clone(meter))),
        };
        Self {
            dials: permits(settings.max_dials, settings.hold, before.map(|o| &o.dials)),
            handshakes: permits(
                settings.max_handshakes,
                settings.handshake_hold,
                before.map(|o| &o.handshakes),
            ),
            queries: permits(settings.max_queries, settings.hold, before.map(|o| &o.queries)),
            settings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn permits_are_replaced_only_if_their_number_changes() {
        let meter = Arc::new(Meter::default());
        let old = LiveConfig::new(Settings::default(), None, &meter);
        let new = LiveConfig::new(Settings { max_queries: 3, ..Settings::default() }, Some(&old), &meter);
        assert!(Arc::ptr_eq(&old.handshakes, &new.handshakes) && Arc::ptr_eq(&old.dials, &new.dials));
        assert!(!Arc::ptr_eq(&old.queries, &new.queries));
    }
}
