//! The settings that are in force, with the gates that follow from them. Replaced as a whole when the settings change;
//! who has a place at an old gate, or waits at it, goes through it, so for a moment as many as both allow may run.

use super::{gate::Gate, meter::Meter, settings::Settings};
use std::{sync::Arc, time::Duration};

/// One for the whole collector. Two are the same only if they are the same place in memory.
#[derive(Debug)]
pub(super) struct Orders {
    pub settings: Settings,
    pub dials: Arc<Gate>,
    pub handshakes: Arc<Gate>,
    pub queries: Arc<Gate>,
}

impl PartialEq for Orders {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Orders {}

impl Orders {
    /// Gates as the settings say; those of `before` stay where nothing changed for them.
    pub fn new(settings: Settings, before: Option<&Self>, meter: &Arc<Meter>) -> Self {
        let gate = |places: usize, hold: Duration, old: Option<&Arc<Gate>>| match old {
            Some(old) if old.is_like(places, hold) => Arc::clone(old),
            _ => Arc::new(Gate::new(places, hold, Arc::clone(meter))),
        };
        Self {
            dials: gate(settings.max_dials, settings.hold, before.map(|o| &o.dials)),
            handshakes: gate(settings.max_handshakes, settings.handshake_hold, before.map(|o| &o.handshakes)),
            queries: gate(settings.max_queries, settings.hold, before.map(|o| &o.queries)),
            settings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gate_is_replaced_only_if_its_number_changes() {
        let meter = Arc::new(Meter::default());
        let old = Orders::new(Settings::default(), None, &meter);
        let new = Orders::new(Settings { max_queries: 3, ..Settings::default() }, Some(&old), &meter);
        assert!(Arc::ptr_eq(&old.handshakes, &new.handshakes) && Arc::ptr_eq(&old.dials, &new.dials));
        assert!(!Arc::ptr_eq(&old.queries, &new.queries));
    }
}
