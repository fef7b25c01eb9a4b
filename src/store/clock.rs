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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_lies_between_two_looks_at_the_systems_clocks() {
        let (wall, since) = (Timestamp::from(SystemTime::now()), up());
        let found = moment();
        assert!(wall <= found.wall && found.wall <= Timestamp::from(SystemTime::now()), "{found:?}");
        assert!(since <= found.up && found.up <= up(), "{found:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_uptime_is_the_kernels_and_a_start_has_one_name() {
        let kernels = || -> f64 {
            let text = std::fs::read_to_string("/proc/uptime").unwrap();
            text.split(' ').next().unwrap().parse().unwrap()
        };
        let before = kernels();
        let found = up().as_secs_f64();
        // It is told in hundredths.
        assert!(before - 0.02 <= found && found <= kernels() + 0.02, "{before} {found}");
        let name = boot().unwrap();
        assert!(name.len() == 36 && name.bytes().filter(|b| *b == b'-').count() == 4, "{name}");
        assert_eq!(boot().as_deref(), Some(name.as_str()));
    }
}
