//! Rules over the values of a configuration, each with the options that it is about, so that a mistake can be shown
//! where it was made. One function a section; called by [`super::load`].

use super::{Config, Poll, Vault};
use crate::model::health::Thresholds;

/// A rule that does not hold.
pub(super) struct Broken {
    /// where the options stand
    pub section: &'static str,
    /// who may be to blame: the first of them that somebody set
    pub options: Vec<&'static str>,
    /// option, value and rule
    pub message: String,
}

/// The first rule that does not hold.
pub(super) fn broken(c: &Config) -> Option<Broken> {
    poll(&c.poll).or_else(|| health(&c.health)).or_else(|| vault(&c.vault)).or_else(|| {
        let level = &c.log.level;
        let known = ["error", "warn", "info", "debug", "trace"].contains(&level.as_str());
        (!known).then(|| Broken {
            section: "log",
            options: vec!["level"],
            message: format!("[log] level = \"{level}\" is none of error, warn, info, debug, trace"),
        })
    })
}

fn poll(p: &Poll) -> Option<Broken> {
    let ranges = [
        ("fleet_s", p.fleet_s, 10, 3600),
        ("fleet_detail_s", p.fleet_detail_s, 10, 3600),
        ("focused_s", p.focused_s, 2, 3600),
        ("focused_detail_s", p.focused_detail_s, 2, 3600),
        ("slow_s", p.slow_s, 60, 86_400),
        ("identity_s", p.identity_s, 60, 86_400),
        ("connect_timeout_s", p.connect_timeout_s, 1, 120),
        ("max_queries", p.max_queries, 1, 1000),
        ("max_handshakes", p.max_handshakes, 1, 256),
    ];
    ranges.into_iter().find(|(_, value, low, high)| !(low..=high).contains(&value)).map(
        |(name, value, low, high)| Broken {
            section: "poll",
            options: vec![name],
            message: format!("[poll] {name} = {value} is not within {low} to {high}"),
        },
    )
}

fn health(t: &Thresholds) -> Option<Broken> {
    let pairs = [
        ("cpu_warning_pct", t.cpu_warning_pct, "cpu_critical_pct", t.cpu_critical_pct),
        ("memory_warning_pct", t.memory_warning_pct, "memory_critical_pct", t.memory_critical_pct),
        ("blocked_warning_s", t.blocked_warning_s as f64, "blocked_critical_s", t.blocked_critical_s as f64),
        ("volume_critical_pct", t.volume_critical_pct, "volume_warning_pct", t.volume_warning_pct),
        ("tempdb_critical_pct", t.tempdb_critical_pct, "tempdb_warning_pct", t.tempdb_warning_pct),
        ("lag_warning_s", t.lag_warning_s as f64, "lag_critical_s", t.lag_critical_s as f64),
        ("io_warning_ms", t.io_warning_ms, "io_critical_ms", t.io_critical_ms),
        (
            "poison_warning_ms_per_s",
            t.poison_warning_ms_per_s,
            "poison_critical_ms_per_s",
            t.poison_critical_ms_per_s,
        ),
    ];
    pairs.into_iter().find(|(_, low, _, high)| !(*low >= 0.0 && low <= high)).map(
        |(low_name, low, high_name, high)| Broken {
            section: "health",
            options: vec![low_name, high_name],
            message: format!(
                "[health] {low_name} = {low} must not be above {high_name} = {high}, nor below 0"
            ),
        },
    )
}

fn vault(v: &Vault) -> Option<Broken> {
    (v.lock_after_min > 1440).then(|| Broken {
        section: "vault",
        options: vec!["lock_after_min"],
        message: format!("[vault] lock_after_min = {} is not within 0 to 1440", v.lock_after_min),
    })
}
