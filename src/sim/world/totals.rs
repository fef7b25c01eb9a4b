//! All counters of an instance since its start, in closed form: the base load's integral over each stretch of time in which
//! the same events act, changed by those events. Nothing is remembered from one question to the next, and every counter is
//! monotone because the part of each stretch only grows.

use super::{
    profile::{Profile, Role},
    script::Happening,
    wait_types::Driver,
};
use crate::sim::scenario::Kind;

/// The part of all CPU that the query which an event hits has while it is well. None: the event hits no single query.
pub const fn share_of_hit(kind: Kind) -> Option<f64> {
    match kind {
        Kind::PlanRegression => Some(0.04),
        Kind::MissingIndex | Kind::ParameterSniffing => Some(0.015),
        _ => None,
    }
}

/// The counters besides waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Meter {
    /// CPU ms of the process
    Cpu,
    /// batches
    Batches,
    /// logins
    Logins,
    /// transactions
    Transactions,
    /// compilations
    Compilations,
    /// recompilations
    Recompilations,
    /// log flushes
    LogFlushes,
    /// log flush wait ms
    LogFlushWait,
    /// log bytes flushed
    LogBytes,
    /// lazy writes
    LazyWrites,
    /// deadlocks
    Deadlocks,
    /// pages read from disk
    PageReads,
    /// pages written to disk
    PageWrites,
    /// pages looked up in memory
    PageLookups,
    /// page splits
    PageSplits,
    /// lock waits
    LockWaits,
    /// errors raised to users
    Errors,
}

const METERS: usize = Meter::Errors as usize + 1;

/// Cumulative figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    meters: [f64; METERS],
    /// waiting ms by cause
    wait_ms: [f64; Driver::COUNT],
    /// number of waits by cause, in ms of usual waits: dividing by a type's usual length gives its waits
    waits: [f64; Driver::COUNT],
    /// ms by cause that may be signal wait, before each type's own part of it
    signal_ms: [f64; Driver::COUNT],
}

impl Totals {
    const ZERO: Self = Self {
        meters: [0.0; METERS],
        wait_ms: [0.0; Driver::COUNT],
        waits: [0.0; Driver::COUNT],
        signal_ms: [0.0; Driver::COUNT],
    };

    /// Of one instance from `start_ms` to `end_ms` (both since the simulator's start), given what happens there.
    /// `utc_origin_ms` is the simulator's start in UTC.
    pub fn over(
        profile: &Profile,
        happenings: &[Happening],
        utc_origin_ms: i64,
        start_ms: i64,
        end_ms: i64,
    ) -> Self {
        let mut borders = vec![start_ms, end_ms];
        for happening in happenings.iter().filter(|h| bends(h.kind)) {
            for o in happening.span.occurrences(start_ms, end_ms) {
                borders.extend([o.from_ms, o.to_ms].into_iter().filter(|b| (start_ms..end_ms).contains(b)));
            }
        }
        borders.sort_unstable();
        borders.dedup();
        let rates = BaseRates::of(profile);
        let mut sum = Self::ZERO;
        let mut ordinary = Lived::default();
        let mut until = Lived::up_to(profile, utc_origin_ms, start_ms);
        for pair in borders.windows(2) {
            let &[from, to] = pair else { continue };
            let lived = std::mem::replace(&mut until, Lived::up_to(profile, utc_origin_ms, to)).to(until);
            let mut stretch = None;
            for happening in happenings.iter().filter(|h| bends(h.kind)) {
                if let Some(age_ms) = happening.span.active_at(from) {
                    let (began_s, ended_s) = (age_ms as f64 / 1e3, (age_ms + to - from) as f64 / 1e3);
                    stretch
                        .get_or_insert_with(|| Self::calm(profile, &rates, lived))
                        .bend(profile, happening, began_s, ended_s);
                }
            }
            match stretch {
                Some(stretch) => sum.add(&stretch),
                None => ordinary = ordinary.and(lived),
            }
        }
        sum.add(&Self::calm(profile, &rates, ordinary));
        sum
    }

    /// One meter, floored: servers count in whole numbers.
    pub fn get(&self, meter: Meter) -> i64 {
        self.meters[meter as usize] as i64
    }

    /// One meter with its fraction, for what shares it.
    pub const fn exact(&self, meter: Meter) -> f64 {
        self.meters[meter as usize]
    }

    /// Waiting of one type: (waits, ms, signal ms), given its cause, share of it, usual length and signal part.
    pub fn wait(&self, driver: Driver, share: f64, avg_ms: f64, signal: f64) -> (i64, i64, i64) {
        let i = driver as usize;
        let ms = self.wait_ms[i] * share;
        let signal_ms = (self.signal_ms[i] * share * signal).min(ms);
        ((self.waits[i] * share / avg_ms) as i64, ms as i64, signal_ms as i64)
    }

    /// A stretch of an ordinary day.
    fn calm(profile: &Profile, per_s: &BaseRates, lived: Lived) -> Self {
        let Lived { load, io, flat } = lived;
        let power = profile.busy * f64::from(profile.cpus);
        let mut t = Self::ZERO;
        let mut count = |meter: Meter, rate: f64, seconds: f64| t.meters[meter as usize] = rate * seconds;
        count(Meter::Cpu, power * 1000.0, load);
        count(Meter::Batches, per_s.batches, load);
        count(Meter::Logins, per_s.batches * 0.004 + 0.05, load);
        count(Meter::Transactions, per_s.batches * 1.3 + 2.0, load);
        count(Meter::Compilations, per_s.batches * 0.06 + 0.2, load);
        count(Meter::Recompilations, per_s.batches * 0.002, load);
        count(Meter::LogFlushes, per_s.flushes, load);
        count(Meter::LogFlushWait, per_s.flushes * 1.4, load);
        count(Meter::LogBytes, per_s.flushes * 9_000.0, load);
        count(Meter::LazyWrites, power * 0.4, io);
        count(Meter::PageReads, power * 90.0, io);
        count(Meter::PageWrites, power * 40.0, io);
        count(Meter::PageLookups, power * 60_000.0, load);
        count(Meter::PageSplits, power * 6.0, load);
        count(Meter::LockWaits, power * 0.3, load);
        count(Meter::Errors, per_s.batches * 0.001 + 0.01, load);
        let mut wait = |driver: Driver, ms_per_s: f64, seconds: f64| {
            let i = driver as usize;
            (t.wait_ms[i], t.waits[i], t.signal_ms[i]) =
                (ms_per_s * seconds, ms_per_s * seconds, ms_per_s * seconds);
        };
        wait(Driver::Cpu, power * 14.0, load);
        wait(Driver::Io, power * per_s.io_ms, io);
        wait(Driver::Log, per_s.flushes * 1.5, load);
        wait(Driver::Network, power * per_s.network_ms, load);
        wait(Driver::Lock, power * 9.0, load);
        wait(Driver::Latch, power * 6.0, load);
        wait(Driver::TempdbLatch, power * 1.2, load);
        wait(Driver::Parallel, power * per_s.parallel_ms, load);
        wait(Driver::Memory, power * 2.2, load);
        wait(Driver::Preemptive, power * 5.0 + 1.0, load);
        wait(Driver::Hadr, per_s.commit_ms, load);
        wait(Driver::HadrIdle, if profile.membership.is_some() { 1000.0 } else { 0.0 }, flat);
        wait(Driver::Backup, power * 1.5, io);
        wait(Driver::Idle, 1000.0, flat);
        wait(Driver::Rare, 0.02, flat);
        t
    }

    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.wait_ms, &other.wait_ms),
            (&mut self.waits, &other.waits),
            (&mut self.signal_ms, &other.signal_ms),
        ];
        for (own, its) in pairs {
            own.iter_mut().zip(its).for_each(|(a, b)| *a += b);
        }
        self.meters.iter_mut().zip(other.meters).for_each(|(a, b)| *a += b);
    }

    /// The effect of an event between two of its ages, in seconds.
    fn bend(&mut self, profile: &Profile, happening: &Happening, from_s: f64, to_s: f64) {
        let (amount, seconds) = (happening.amount, to_s - from_s);
        let cpus = f64::from(profile.cpus);
        match happening.kind {
            Kind::BlockingStorm => {
                self.slow_down(0.75);
                for (driver, first_s) in super::blocking::arrivals(amount) {
                    let ms = 1000.0 * ((to_s - first_s).max(0.0) - (from_s - first_s).max(0.0));
                    self.add_waits(driver, ms, 1.0, 0.0);
                    self.meters[Meter::LockWaits as usize] += ms / 30_000.0;
                }
            }
            Kind::CpuStorm => {
                self.slow_down(0.7);
                let full = amount.clamp(1.0, 99.5) / 100.0 * cpus * 1000.0;
                // a variation of a percent or two, taken from the base load
                let flicker = self.meters[Meter::Cpu as usize] / 0.7 * 0.02;
                self.meters[Meter::Cpu as usize] =
                    (full * 0.985 * seconds + flicker).min(cpus * 1000.0 * seconds);
                self.add_waits(Driver::Cpu, cpus * 620.0 * seconds, 6.0 / 0.4, 1.0);
                for driver in [Driver::Io, Driver::Log, Driver::Network, Driver::Parallel] {
                    self.wait_ms[driver as usize] *= 1.8;
                    self.signal_ms[driver as usize] *= 9.0;
                }
            }
            Kind::CpuLimit => {
                let online = amount.clamp(1.0, cpus);
                self.slow_down(0.8);
                self.meters[Meter::Cpu as usize] = online * 990.0 * seconds;
                self.add_waits(Driver::Cpu, online * 620.0 * seconds, 6.0 / 0.4, 1.0);
            }
            Kind::IoStall => {
                self.slow_down(0.5);
                self.scale_waits(Driver::Io, amount / 3.4 * 0.5, 0.5);
                self.scale_waits(Driver::Log, amount / 3.4 * 0.3, 0.5);
                self.scale_waits(Driver::Backup, amount / 20.0, 0.6);
                self.meters[Meter::LogFlushWait as usize] *= amount / 4.0;
                self.meters[Meter::PageReads as usize] *= 0.6;
            }
            Kind::Threadpool => {
                self.slow_down(0.25);
                self.add_waits(Driver::Threadpool, 14.0 * 1000.0 * seconds, amount / 900.0, 0.0);
                self.add_waits(Driver::LockS, 6.0 * 1000.0 * seconds, 1.0, 0.0);
            }
            Kind::GrantQueue => {
                self.slow_down(0.7);
                for first_s in super::blocking::queue(amount) {
                    let ms = 1000.0 * ((to_s - first_s).max(0.0) - (from_s - first_s).max(0.0));
                    self.add_waits(Driver::Grants, ms, 1.0, 0.0);
                }
            }
            Kind::TempdbFill => {
                self.scale_waits(Driver::Io, 1.6, 1.4);
                self.add_waits(Driver::TempdbLatch, 260.0 * seconds, 2.0, 0.05);
                self.meters[Meter::PageWrites as usize] += 900.0 * seconds;
            }
            Kind::Deadlocks | Kind::DeadlockPattern => {
                self.meters[Meter::Deadlocks as usize] += amount / 60.0 * seconds;
                self.meters[Meter::Errors as usize] += amount / 60.0 * seconds;
                self.add_waits(Driver::LockX, amount / 60.0 * 4_000.0 * seconds, 1.0 / 7.5, 0.0);
            }
            Kind::PlanRegression | Kind::MissingIndex | Kind::ParameterSniffing => {
                let worse = share_of_hit(happening.kind).unwrap_or(0.0) * (amount.max(1.0) - 1.0);
                let cpu = &mut self.meters[Meter::Cpu as usize];
                *cpu = (*cpu * (1.0 + worse)).min(cpus * 970.0 * seconds).max(*cpu);
                self.meters[Meter::PageLookups as usize] *= 1.0 + worse;
                self.scale_waits(Driver::Cpu, 1.0 + worse, 1.0 + worse);
            }
            Kind::AgLag => self.scale_waits(Driver::Hadr, 6.0, 1.1),
            _ => {}
        }
    }

    /// Throughput drops to this part; so do the waits that come with it.
    fn slow_down(&mut self, part: f64) {
        self.meters.iter_mut().for_each(|m| *m *= part);
        for driver in [Driver::Network, Driver::Log, Driver::Hadr, Driver::Parallel] {
            self.scale_waits(driver, part, part);
        }
    }

    fn scale_waits(&mut self, driver: Driver, ms: f64, waits: f64) {
        let i = driver as usize;
        self.wait_ms[i] *= ms;
        self.waits[i] *= waits;
        self.signal_ms[i] *= waits.min(ms);
    }

    /// Adds waiting; `longer` is how many times the usual length each of these waits takes.
    fn add_waits(&mut self, driver: Driver, ms: f64, longer: f64, signal: f64) {
        let i = driver as usize;
        self.wait_ms[i] += ms;
        self.waits[i] += ms / longer;
        self.signal_ms[i] += ms * signal;
    }
}

/// Time weighted by load: seconds, more of them in busy hours.
#[derive(Debug, Clone, Copy, Default)]
struct Lived {
    load: f64,
    io: f64,
    flat: f64,
}

impl Lived {
    /// From some fixed moment up to this one; only differences mean something.
    fn up_to(profile: &Profile, utc_origin_ms: i64, at_ms: i64) -> Self {
        let local_s = (utc_origin_ms + at_ms) as f64 / 1e3 + f64::from(profile.utc_offset_min) * 60.0;
        Self {
            load: profile.load.antiderivative(local_s),
            io: profile.io.antiderivative(local_s),
            flat: local_s,
        }
    }

    fn to(self, later: Self) -> Self {
        Self { load: later.load - self.load, io: later.io - self.io, flat: later.flat - self.flat }
    }

    fn and(self, more: Self) -> Self {
        Self { load: self.load + more.load, io: self.io + more.io, flat: self.flat + more.flat }
    }
}

/// Rates of an ordinary moment.
struct BaseRates {
    batches: f64,
    flushes: f64,
    io_ms: f64,
    network_ms: f64,
    parallel_ms: f64,
    commit_ms: f64,
}

impl BaseRates {
    fn of(profile: &Profile) -> Self {
        let dice = profile.dice.of("rates");
        let power = profile.busy * f64::from(profile.cpus);
        let (batches, io, network, parallel) = match profile.role {
            Role::Prod => (dice.at(1).between(90.0, 520.0), 45.0, 22.0, 12.0),
            Role::Reporting => (dice.at(1).between(2.0, 18.0), 190.0, 90.0, 260.0),
            Role::Test => (dice.at(1).between(20.0, 120.0), 60.0, 30.0, 20.0),
        };
        let batches = batches * power;
        let writes = dice.at(2).between(0.15, 0.6) * if profile.role == Role::Reporting { 0.3 } else { 1.0 };
        let flushes = batches * writes + 1.0;
        let vary = |n: i64, base: f64| base * dice.at(n).between(0.5, 1.8);
        Self {
            batches,
            flushes,
            io_ms: vary(3, io),
            network_ms: vary(4, network),
            parallel_ms: vary(5, parallel),
            commit_ms: if profile.membership.is_some_and(|m| m.place == 0) { flushes * 2.2 } else { 0.0 },
        }
    }
}

/// True if a kind changes counters at all.
const fn bends(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::BlockingStorm
            | Kind::CpuStorm
            | Kind::CpuLimit
            | Kind::IoStall
            | Kind::Threadpool
            | Kind::GrantQueue
            | Kind::TempdbFill
            | Kind::Deadlocks
            | Kind::DeadlockPattern
            | Kind::PlanRegression
            | Kind::MissingIndex
            | Kind::ParameterSniffing
            | Kind::AgLag
    )
}
