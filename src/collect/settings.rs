//! How often, how long, how many: the collector's settings and the tiers of the probes. Data only; `command` fills it
//! from the configuration.

use super::clock;
use crate::model::{health::Thresholds, sample::ProbeId, time::Timestamp};
use std::time::Duration;

/// Probes that are polled together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// headline, activity, blocking
    Fast,
    /// waits, schedulers, memory, own cost …
    Detail,
    /// databases, volumes, jobs
    Slow,
    /// properties and rights
    Identity,
}

/// The tier of a probe.
pub const fn tier(probe: ProbeId) -> Tier {
    match probe {
        ProbeId::Headline | ProbeId::Activity | ProbeId::Blocking => Tier::Fast,
        ProbeId::Waits
        | ProbeId::Schedulers
        | ProbeId::CpuRing
        | ProbeId::Memory
        | ProbeId::Availability
        | ProbeId::Cost => Tier::Detail,
        ProbeId::Databases | ProbeId::Volumes | ProbeId::Jobs => Tier::Slow,
        ProbeId::Properties | ProbeId::Rights => Tier::Identity,
    }
}

/// All that can be set. The defaults are the project's brief.
#[derive(Debug, Clone)]
pub struct Settings {
    /// fast tier, instance in the fleet, ms
    pub fleet_every_ms: u32,
    /// detail tier, instance in the fleet, ms
    pub fleet_detail_every_ms: u32,
    /// fast tier, instance on the screen, ms
    pub focused_every_ms: u32,
    /// detail tier, instance on the screen, ms
    pub focused_detail_every_ms: u32,
    /// slow tier, ms; failed jobs come three times as often
    pub slow_every_ms: u32,
    /// identity tier, ms
    pub identity_every_ms: u32,
    /// name, TCP, TLS and login together
    pub connect_within: Duration,
    /// polls that run at once; one that takes longer than [`Settings::hold`] makes room for the next
    pub max_queries: usize,
    /// handshakes that run at once, with the same rule
    pub max_handshakes: usize,
    /// TCP connects that run at once, with the same rule
    pub max_dials: usize,
    /// longest that a permit is held: who waits for a silent server costs nothing and must not stand in the way
    pub hold: Duration,
    /// the same for handshakes, of which fewer run at once: longer than a good one takes over a slow line
    pub handshake_hold: Duration,
    /// start of one instance after another when many start at once
    pub start_gap: Duration,
    /// the second poll of what needs two samples for a rate comes this soon
    pub warm_up: Duration,
    /// snapshots are published at most this often
    pub publish_every: Duration,
    /// thresholds of the health score
    pub thresholds: Thresholds,
    /// our clock; tests bring their own
    pub clock: fn() -> Timestamp,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fleet_every_ms: 30_000,
            fleet_detail_every_ms: 60_000,
            focused_every_ms: 2_000,
            focused_detail_every_ms: 5_000,
            slow_every_ms: 900_000,
            identity_every_ms: 3_600_000,
            connect_within: Duration::from_secs(10),
            max_queries: 64,
            max_handshakes: 16,
            max_dials: 512,
            hold: Duration::from_secs(1),
            handshake_hold: Duration::from_millis(250),
            start_gap: Duration::from_millis(8),
            warm_up: Duration::from_millis(1_500),
            publish_every: Duration::from_millis(200),
            thresholds: Thresholds::default(),
            clock: clock::now,
        }
    }
}

impl Settings {
    /// The interval of a probe, ms, at least 500.
    pub fn every_ms(&self, probe: ProbeId, focused: bool) -> u32 {
        let every = match (tier(probe), focused) {
            (Tier::Fast, false) => self.fleet_every_ms,
            (Tier::Fast, true) => self.focused_every_ms,
            (Tier::Detail, false) => self.fleet_detail_every_ms,
            // One record a minute, whoever looks.
            (Tier::Detail, true) if matches!(probe, ProbeId::CpuRing) => self.fleet_detail_every_ms,
            // A round trip of its own over several views: not at the pace of waits.
            (Tier::Detail, true) if matches!(probe, ProbeId::Availability) => {
                self.focused_detail_every_ms.saturating_mul(3).min(self.fleet_detail_every_ms)
            }
            (Tier::Detail, true) => self.focused_detail_every_ms,
            (Tier::Slow, _) if matches!(probe, ProbeId::Jobs) => self.slow_every_ms / 3,
            (Tier::Slow, _) => self.slow_every_ms,
            (Tier::Identity, _) => self.identity_every_ms,
        };
        every.max(500)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_the_screen_is_never_slower() {
        let s = Settings::default();
        for probe in ProbeId::ALL {
            assert!(s.every_ms(probe, true) <= s.every_ms(probe, false), "{probe:?}");
        }
        assert_eq!(s.every_ms(ProbeId::Headline, true), 2_000);
        assert_eq!(s.every_ms(ProbeId::Waits, false), 60_000);
        assert_eq!(s.every_ms(ProbeId::Jobs, false), 300_000);
    }
}
