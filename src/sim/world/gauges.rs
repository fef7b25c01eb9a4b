//! The gauges of an instance at a moment: memory, connections, schedulers, tempdb, the CPU ring buffer.

use super::{moment::Moment, totals::Meter};
use crate::sim::scenario::Kind;

/// tempdb's data files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tempdb {
    /// size, KB
    pub size_kb: i64,
    /// used by everyday work, KB
    pub used_kb: i64,
    /// used by the session that fills it, KB
    pub eaten_kb: i64,
    /// row versions, KB
    pub version_kb: i64,
}

impl Tempdb {
    /// Free, KB.
    pub const fn free_kb(self) -> i64 {
        self.size_kb - self.used_kb - self.eaten_kb - self.version_kb
    }
}

/// Memory of machine and process, KB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// of the machine
    pub physical_kb: i64,
    /// of it not in use
    pub available_kb: i64,
    /// in use by the process
    pub process_kb: i64,
    /// Total Server Memory
    pub total_kb: i64,
    /// Target Server Memory
    pub target_kb: i64,
    /// the process was told that memory is short
    pub low: bool,
    /// everybody on the machine was told so
    pub machine_low: bool,
    /// granted to queries
    pub granted_kb: i64,
    /// may still be granted
    pub grantable_kb: i64,
}

/// All visible schedulers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedulers {
    /// how many
    pub count: i32,
    /// tasks that wait for a CPU
    pub runnable: i32,
    /// on so many of them
    pub busy: i32,
    /// tasks that wait for a worker
    pub queued: i32,
    /// workers
    pub workers: i32,
    /// busy workers
    pub active_workers: i32,
    /// I/Os in flight
    pub pending_io: i32,
}

impl Moment<'_> {
    /// Share of all CPUs that the process used over the last second, 0 to 1; made from the counters, so that both agree.
    pub fn cpu_share(&self) -> f64 {
        let span_ms = self.uptime_ms().clamp(1, 1_000);
        let used = self.totals_between(self.at_ms - span_ms, self.at_ms).get(Meter::Cpu);
        used as f64 / span_ms as f64 / f64::from(self.profile.cpus)
    }

    /// Page life expectancy, s: climbs a second a second, drops when something sweeps through memory.
    pub fn page_life_s(&self) -> i64 {
        let dice = self.profile.dice.of("page life");
        let period_s = dice.whole(9_000, 60_000);
        let since_s = (self.at_ms / 1000 + dice.of("phase").whole(0, period_s)).rem_euclid(period_s);
        let calm = (dice.of("floor").whole(900, 4_000) + since_s).min(self.uptime_ms() / 1000);
        let sweeps = self.happenings().iter().filter(|h| matches!(h.kind, Kind::GrantQueue | Kind::IoStall));
        let low = sweeps.filter_map(|h| h.span.latest(self.at_ms)).map(|o| {
            let swept_s = (o.to_ms.min(self.at_ms) - o.from_ms) as f64 / 1000.0;
            let bottom = (calm as f64 * (-swept_s / 40.0).exp()).max(35.0);
            bottom as i64 + (self.at_ms - o.to_ms.min(self.at_ms)) / 1000
        });
        low.fold(calm, i64::min).max(1)
    }

    /// User connections, those of monitoring not counted.
    pub fn connections(&self) -> i64 {
        let p = self.profile;
        let base = p.dice.of("connections").between(14.0, 40.0) + p.busy * f64::from(p.cpus) * 22.0;
        let local_s = self.utc_ms() as f64 / 1e3 + f64::from(p.utc_offset_min) * 60.0;
        let extra = self.blocked() * 2 + if self.is(Kind::Threadpool) { 180 } else { 0 };
        (base * (0.4 + 0.6 * p.load.value(local_s))) as i64 + extra
    }

    /// Queries that wait for a memory grant, and those that hold one.
    pub fn grants(&self) -> (i64, i64) {
        let work = self.work();
        let pending = work.iter().filter(|w| w.grant.is_some_and(|g| g.granted_kb.is_none())).count();
        let held = work.iter().filter(|w| w.grant.is_some_and(|g| g.granted_kb.is_some())).count();
        (pending as i64, held as i64)
    }

    /// Memory.
    pub fn memory(&self) -> Memory {
        let p = self.profile;
        let physical_kb = p.memory_mb * 1024;
        let target_kb = p.target_memory_kb();
        // the buffer pool fills within the first hours of a service's life
        let filled = (self.uptime_ms() as f64 / 5.0e6).min(1.0) * p.dice.of("filled").between(0.93, 1.0);
        let total_kb = (target_kb as f64 * (0.08 + 0.92 * filled)) as i64;
        let other_kb = (physical_kb as f64 * p.dice.of("other").between(0.02, 0.08)) as i64;
        let short = self.is(Kind::GrantQueue);
        let available_kb = (physical_kb - total_kb - other_kb).max(physical_kb / 50);
        let granted_kb: i64 = self.work().iter().filter_map(|w| w.grant?.granted_kb).sum();
        let workspace_kb = target_kb * 3 / 4;
        Memory {
            physical_kb,
            available_kb: if short { physical_kb / 40 } else { available_kb },
            process_kb: total_kb + total_kb / 40,
            total_kb,
            target_kb,
            low: short,
            machine_low: short,
            granted_kb: granted_kb.min(workspace_kb),
            grantable_kb: (workspace_kb - granted_kb).max(0),
        }
    }

    /// tempdb.
    pub fn tempdb(&self) -> Tempdb {
        let p = self.profile;
        let size_kb = i64::from(p.cpus.min(8)) * *p.dice.of("tempdb").pick(&[1, 2, 4, 8]) * 1024 * 1024;
        let used_kb = (size_kb as f64 * p.dice.of("tempdb used").between(0.02, 0.12)) as i64;
        let eaten_kb = self.active(Kind::TempdbFill).map_or(0, |a| {
            let part = (a.age_ms as f64 / 300e3).min(1.0) * a.amount.clamp(0.0, 99.9) / 100.0;
            (size_kb as f64 * part) as i64 - used_kb
        });
        let calm_kb = (size_kb as f64 * p.dice.of("versions").between(0.000_1, 0.004)) as i64;
        let version_kb = self.active(Kind::VersionStoreHold).map_or(calm_kb, |a| {
            let part = (a.age_ms as f64 / 300e3).min(1.0) * a.amount.clamp(0.0, 80.0) / 100.0;
            calm_kb.max((size_kb as f64 * part) as i64)
        });
        let room_kb = size_kb - used_kb - eaten_kb.max(0);
        Tempdb { size_kb, used_kb, eaten_kb: eaten_kb.max(0), version_kb: version_kb.min(room_kb).max(0) }
    }

    /// Schedulers.
    pub fn schedulers(&self) -> Schedulers {
        let p = self.profile;
        let share = self.cpu_share();
        let flicker = p.dice.of("runnable").at(self.at_ms / 700);
        let limit = self.active(Kind::CpuLimit);
        let count = limit.map_or(p.cpus, |a| (a.amount as i32).clamp(1, p.cpus));
        let runnable = if limit.is_some() {
            count * 11 + 1
        } else if self.is(Kind::CpuStorm) {
            p.cpus * 3 / 4 + flicker.whole(0, i64::from(p.cpus)) as i32
        } else {
            (share * f64::from(p.cpus) * flicker.unit() * 0.6) as i32
        };
        let starved = self.active(Kind::Threadpool);
        let busy = 24 + self.work().iter().map(|w| w.dop.max(1)).sum::<i32>();
        let workers = 40 + p.cpus * 4 + (self.connections() / 4) as i32;
        let pending_io = if self.is(Kind::IoStall) || self.is(Kind::IoSlowFile) {
            flicker.whole(40, 190)
        } else {
            flicker.whole(0, 4)
        };
        Schedulers {
            count,
            runnable,
            busy: runnable.min(count),
            queued: starved.map_or(0, |a| (a.age_ms / 900).min(64) as i32 + 3),
            workers: if starved.is_some() { p.max_workers() } else { workers.max(busy) },
            active_workers: if starved.is_some() { p.max_workers() - 2 } else { busy },
            pending_io: pending_io as i32,
        }
    }

    /// The `n`th newest record (from 0) of the scheduler monitor's ring buffer, one a minute: SQL Server %, idle %,
    /// age ms. Linux before 2025 says idle 0. None before the first one.
    pub fn cpu_ring(&self, n: i64) -> Option<(i64, i64, i64)> {
        let age_ms = (self.uptime_ms() + self.profile.dice.of("ring").whole(0, 60_000)) % 60_000 + n * 60_000;
        let to_ms = self.at_ms - age_ms;
        let from_ms = (to_ms - 60_000).max(self.started_ms());
        if to_ms <= from_ms {
            return None;
        }
        let used = self.totals_between(from_ms, to_ms).get(Meter::Cpu) as f64;
        let sql = used / (to_ms - from_ms) as f64 / f64::from(self.profile.cpus) * 100.0;
        let sql = sql.clamp(0.0, 100.0) as i64;
        let other = self.profile.dice.of("other cpu").whole(1, 4);
        let blind = self.profile.linux && self.profile.version.year() < 2025;
        Some((sql, if blind { 0 } else { (100 - sql - other).max(0) }, age_ms))
    }
}
