//! The two clocks of this machine at one instant, for whoever judges ages (`model::base::age` has the rule).

use crate::model::base::age::Moment;
use std::time::Duration;

/// Now. The monotonic clock counts a suspend where the system has one that does (Linux).
pub fn moment() -> Moment {
    Moment { wall: super::tenant::now(), up: up() }
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
