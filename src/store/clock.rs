//! The clocks of this machine: the one place of the store that reads them. Ages are judged by two of them at one instant
//! (`model::base::age` has the rule).

use crate::model::base::{age::Moment, time::Timestamp};
use std::time::{Duration, SystemTime};

/// Now, by the wall.
pub fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// Now. The monotonic clock counts a suspend where the system has one that does (Linux).
pub fn moment() -> Moment {
    Moment { wall: now(), up: up() }
}

/// Which start of the system [`up`] counts from. None: it does not say.
#[cfg(target_os = "linux")]
pub fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// It does not say.
#[cfg(not(target_os = "linux"))]
pub fn boot() -> Option<String> {
    None
}

/// Since the system started; the same for every process of this machine.
#[cfg(target_os = "linux")]
pub fn up() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Since the first call of this process.
#[cfg(not(target_os = "linux"))]
pub fn up() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}
