//! How often, how long, how many: the collector's settings, and the interval of a probe by them. `app::configuration` fills
//! them. Plain values and what is computed from them: nothing in here waits or asks.

use super::{clock, limiter::budget::factor};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::record::PollSettings,
        judge::health::Thresholds,
        poll::{
            cost::{Slowed, Tier},
            id::ProbeId,
        },
    },
    probe::{self, Pace},
};
use std::time::Duration;

/// The shortest and longest interval that an instance's own settings may ask for, s. An instance on the screen is polled
/// faster, whatever they say.
const SHORTEST_S: u32 = 30;
const LONGEST_S: u32 = 3600;

/// A probe that makes a rate must come again within five minutes (`model::fold::rate`), a tenth of jitter aside.
const SLOWEST_RATE_MS: u32 = 240_000;

/// True if the instance's settings switch this probe off. A vital probe stays; an instance that nobody wants polled is
/// stopped instead.
pub fn is_off(poll: &PollSettings, probe: ProbeId) -> bool {
    !probe::probe(probe).vital && poll.probes_off.iter().any(|name| name.eq_ignore_ascii_case(probe.name()))
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
    /// slow tier, ms; failed jobs come three times as often, queries four times, and on the screen 45 times
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
    /// what we may cost an instance in the fleet, CPU ms per s of wall time; 0: no limit
    pub fleet_budget: f64,
    /// and one on the screen
    pub focused_budget: f64,
    /// and the probes of its on-demand lane, CPU time within an hour; zero: no limit
    pub lane_budget: Duration,
    /// so many of the unwell ones are polled as if they were on the screen; 0: none. Only while history is kept
    pub recorder_instances: usize,
    /// readings are kept whole, and the last minutes of everything, for tables and charts; false: what health looks at. Read at the
    /// start alone
    pub charts: bool,
    /// thresholds of the health score
    pub thresholds: Thresholds,
    /// our clock; tests bring their own
    pub clock: fn() -> Timestamp,
    /// a clock that is never set; better one that counts a suspend, or maintenance lasts for hours after it
    pub up: fn() -> Duration,
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
            fleet_budget: 5.0,
            focused_budget: 50.0,
            lane_budget: Duration::from_mins(1),
            recorder_instances: 10,
            charts: true,
            thresholds: Thresholds::default(),
            clock: clock::now,
            up: clock::up,
        }
    }
}

impl Settings {
    /// The interval of a probe, ms, at least 500. The instance's own settings, `poll`, come before these.
    pub fn every_ms(&self, poll: &PollSettings, probe: ProbeId, focused: bool) -> u32 {
        let own = match probe::probe(probe).tier {
            Tier::Fast => poll.every_s,
            Tier::Detail => poll.detail_every_s,
            Tier::Slow | Tier::Identity => None,
        };
        let own_ms = own.map(|s| s.clamp(SHORTEST_S, LONGEST_S).saturating_mul(1000));
        match (own_ms, focused) {
            (Some(own_ms), false) => own_ms,
            (Some(own_ms), true) => own_ms.min(self.usual_ms(probe, true)),
            (None, _) => self.usual_ms(probe, focused),
        }
    }

    /// The same, for what costs too much. The headline is the heartbeat: on the screen it is never slower than off it, and
    /// off it never slowed.
    pub fn slowed_every_ms(&self, poll: &PollSettings, probe: ProbeId, focused: bool, slowed: Slowed) -> u32 {
        let usual = self.every_ms(poll, probe, focused);
        let slow = usual.saturating_mul(factor(slowed, probe));
        let slowest = match probe {
            ProbeId::Headline => self.every_ms(poll, probe, false),
            _ if probe::probe(probe).rate => SLOWEST_RATE_MS,
            _ => LONGEST_S * 1000,
        };
        slow.min(slowest).max(usual)
    }

    /// The most that we may cost, CPU ms per s.
    pub const fn budget(&self, focused: bool) -> f64 {
        if focused { self.focused_budget } else { self.fleet_budget }
    }

    fn usual_ms(&self, probe: ProbeId, focused: bool) -> u32 {
        let probe = probe::probe(probe);
        let in_fleet = self.tier_ms(probe.tier, false);
        let every = match probe.pace {
            Pace::NotFaster => in_fleet,
            Pace::Slower(times) if focused => {
                self.tier_ms(probe.tier, true).saturating_mul(times).min(in_fleet)
            }
            Pace::Seldom(times) if !focused => in_fleet.saturating_mul(times),
            Pace::Faster(times) => self.tier_ms(probe.tier, focused) / times.max(1),
            Pace::Apart(in_fleet, on_screen) => {
                let times = if focused { on_screen } else { in_fleet };
                (self.tier_ms(probe.tier, focused) / times.max(1)).min(SLOWEST_RATE_MS)
            }
            Pace::AsTier | Pace::Slower(_) | Pace::Seldom(_) => self.tier_ms(probe.tier, focused),
        };
        every.max(500)
    }

    const fn tier_ms(&self, tier: Tier, focused: bool) -> u32 {
        match (tier, focused) {
            (Tier::Fast, false) => self.fleet_every_ms,
            (Tier::Fast, true) => self.focused_every_ms,
            (Tier::Detail, false) => self.fleet_detail_every_ms,
            (Tier::Detail, true) => self.focused_detail_every_ms,
            (Tier::Slow, _) => self.slow_every_ms,
            (Tier::Identity, _) => self.identity_every_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_the_screen_is_never_slower() {
        let s = Settings::default();
        for probe in ProbeId::ALL {
            assert!(s.every_ms(&usual(), probe, true) <= s.every_ms(&usual(), probe, false), "{probe:?}");
        }
        assert_eq!(s.every_ms(&usual(), ProbeId::Headline, true), 2_000);
        assert_eq!(s.every_ms(&usual(), ProbeId::Waits, false), 60_000);
        assert_eq!(s.every_ms(&usual(), ProbeId::Jobs, false), 300_000);
        assert_eq!(s.every_ms(&usual(), ProbeId::Volumes, true), 900_000);
        assert_eq!(s.every_ms(&usual(), ProbeId::CpuRing, true), 60_000);
        assert_eq!(s.every_ms(&usual(), ProbeId::Availability, true), 15_000);
        assert_eq!(s.every_ms(&usual(), ProbeId::Files, true), 15_000);
        let queries = [false, true].map(|focused| s.every_ms(&usual(), ProbeId::Queries, focused));
        assert_eq!(queries, [225_000, 20_000]);
        let seldom = Settings { slow_every_ms: 3_600_000, ..Settings::default() };
        assert_eq!(seldom.every_ms(&usual(), ProbeId::Queries, false), SLOWEST_RATE_MS, "or it has no rates");
        assert_eq!(s.every_ms(&usual(), ProbeId::TempdbUse, true), 5_000);
        assert_eq!(s.every_ms(&usual(), ProbeId::TempdbUse, false), 300_000);
        let slow_details = Settings { focused_detail_every_ms: 50_000, ..Settings::default() };
        assert_eq!(slow_details.every_ms(&usual(), ProbeId::Availability, true), 60_000);
    }

    #[test]
    fn nobody_waits_longer_for_an_answer_than_until_the_next_poll_in_the_fleet() {
        let s = Settings::default();
        for probe in ProbeId::ALL {
            let timeout_ms = probe::probe(probe).timeout_ms;
            assert!((1_000..=s.every_ms(&usual(), probe, false)).contains(&timeout_ms), "{probe:?}");
        }
    }

    fn usual() -> PollSettings {
        PollSettings::default()
    }

    #[test]
    fn an_instance_may_be_polled_more_seldom_but_not_off_the_screen_faster_than_its_floor() {
        let s = Settings::default();
        let own = PollSettings { every_s: Some(300), detail_every_s: Some(1), ..usual() };
        assert_eq!(s.every_ms(&own, ProbeId::Headline, false), 300_000);
        assert_eq!(s.every_ms(&own, ProbeId::Headline, true), 2_000, "on the screen it is as fast as any");
        assert_eq!(s.every_ms(&own, ProbeId::Waits, false), 30_000, "never below the floor");
        assert_eq!(s.every_ms(&own, ProbeId::Jobs, false), 300_000);
    }

    #[test]
    fn what_costs_too_much_is_slowed_and_the_headline_not_below_its_pace_in_the_fleet() {
        let (s, slowed) = (Settings::default(), Slowed { doubled: [4, 2, 3, 1], budget_us_per_s: 5_000 });
        let every = |probe, focused| s.slowed_every_ms(&usual(), probe, focused, slowed);
        assert_eq!((every(ProbeId::Headline, true), every(ProbeId::Headline, false)), (30_000, 30_000));
        assert_eq!((every(ProbeId::Activity, true), every(ProbeId::Activity, false)), (32_000, 240_000));
        assert_eq!((every(ProbeId::Waits, true), every(ProbeId::Waits, false)), (20_000, 240_000));
        assert_eq!(every(ProbeId::Memory, false), 240_000);
        assert_eq!(every(ProbeId::Databases, false), 3_600_000, "an hour at most");
        assert_eq!(every(ProbeId::Cost, true), 5_000, "it is what tells when it is over");
    }

    #[test]
    fn the_heartbeat_cannot_be_switched_off() {
        let own =
            PollSettings { probes_off: ["Waits", "headline", "jobs"].map(String::from).into(), ..usual() };
        let off: Vec<_> = ProbeId::ALL.into_iter().filter(|p| is_off(&own, *p)).collect();
        assert_eq!(off, [ProbeId::Waits, ProbeId::Jobs]);
    }
}
