//! One instance at one moment: the object that all questions about its state start from.

use super::{
    fleet::Fleet,
    profile::Profile,
    script::{Happening, Script},
    totals::Totals,
    work::Work,
};
use crate::sim::{backend::Network, scenario::Kind};
use std::{cell::OnceCell, time::Duration};

/// An event that acts right now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Active {
    /// since when, ms
    pub age_ms: i64,
    /// amount
    pub amount: f64,
}

/// An instance at a moment.
#[derive(Debug)]
pub struct Moment<'a> {
    /// who
    pub profile: &'a Profile,
    /// the others, for availability groups
    pub fleet: &'a Fleet,
    /// when, ms since the simulator's start
    pub at_ms: i64,
    script: &'a Script,
    totals: OnceCell<Totals>,
    work: OnceCell<Vec<Work>>,
}

impl Fleet {
    /// The state of an instance at a moment; None if there is no such instance.
    pub fn at<'a>(&'a self, script: &'a Script, index: usize, at_ms: i64) -> Option<Moment<'a>> {
        Some(Moment::new(self, script, self.profiles.get(index)?, at_ms))
    }
}

impl<'a> Moment<'a> {
    /// See [`Fleet::at`].
    pub const fn new(fleet: &'a Fleet, script: &'a Script, profile: &'a Profile, at_ms: i64) -> Self {
        Self { profile, fleet, at_ms, script, totals: OnceCell::new(), work: OnceCell::new() }
    }

    /// The same moment on another instance.
    pub fn elsewhere(&self, index: usize) -> Option<Moment<'a>> {
        self.fleet.at(self.script, index, self.at_ms)
    }

    /// All events of this instance.
    pub fn happenings(&self) -> &'a [Happening] {
        self.script.of(self.profile.index)
    }

    /// True if a session's work was ended by KILL.
    pub fn is_killed(&self, spid: i32, started_ms: i64) -> bool {
        let index = self.profile.index;
        self.script
            .killed
            .iter()
            .any(|k| k.index == index && k.spid == spid && (started_ms..=self.at_ms).contains(&k.at_ms))
    }

    /// The oldest active event of a kind.
    pub fn active(&self, kind: Kind) -> Option<Active> {
        self.happenings()
            .iter()
            .filter(|h| h.kind == kind)
            .filter_map(|h| h.span.active_at(self.at_ms).map(|age_ms| Active { age_ms, amount: h.amount }))
            .max_by_key(|a| a.age_ms)
    }

    /// True if an event of a kind is active.
    pub fn is(&self, kind: Kind) -> bool {
        self.active(kind).is_some()
    }

    /// True time, UTC ms since 1970.
    pub const fn utc_ms(&self) -> i64 {
        self.fleet.utc_origin_ms + self.at_ms
    }

    /// A moment on the simulator's scale as the server's local clock prints it, ns since 1970.
    pub fn local_ns(&self, at_ms: i64) -> i128 {
        let utc_ms = self.fleet.utc_origin_ms + at_ms + self.clock_error_ms();
        i128::from(utc_ms + i64::from(self.profile.utc_offset_min) * 60_000) * 1_000_000
    }

    /// The error of the server's clock.
    pub fn clock_error_ms(&self) -> i64 {
        match self.active(Kind::HostileClock) {
            Some(a) if a.age_ms / 60_000 % 2 == 1 => -(a.amount * 1000.0) as i64,
            _ => 0,
        }
    }

    /// The start of the service.
    pub fn started_ms(&self) -> i64 {
        let restarts = self.happenings().iter().filter(|h| h.kind == Kind::Restart);
        restarts
            .filter_map(|h| h.span.latest(self.at_ms).map(|o| o.from_ms + (h.amount * 1000.0) as i64))
            .max()
            .map_or(-self.profile.uptime_ms, |at| at.max(-self.profile.uptime_ms))
    }

    /// The time since the start of the service; 0 while it is still starting.
    pub fn uptime_ms(&self) -> i64 {
        (self.at_ms - self.started_ms()).max(0)
    }

    /// The counters since the start of the service.
    pub fn totals(&self) -> &Totals {
        self.totals.get_or_init(|| self.totals_between(self.started_ms(), self.at_ms))
    }

    /// All user sessions that run or hold something, oldest request first.
    pub fn work(&self) -> &[Work] {
        self.work.get_or_init(|| self.all_work())
    }

    /// The counters over a stretch of time, for rates.
    pub fn totals_between(&self, from_ms: i64, to_ms: i64) -> Totals {
        Totals::over(self.profile, self.happenings(), self.fleet.utc_origin_ms, from_ms, to_ms.max(from_ms))
    }

    /// The network weather.
    pub fn network(&self) -> Network {
        if self.is(Kind::Down) || self.at_ms < self.started_ms() {
            Network::Down
        } else if self.is(Kind::BlackHole) {
            Network::BlackHole
        } else if let Some(slow) = self.active(Kind::SlowNetwork) {
            Network::Slow(Duration::from_millis(slow.amount.max(0.0) as u64))
        } else {
            Network::Good
        }
    }
}
