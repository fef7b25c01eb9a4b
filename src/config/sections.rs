//! The configuration as values: a type for each section of the file, with the defaults. The names of the fields are the
//! names of the options.

use crate::model::judge::health::Thresholds;
use serde::{Deserialize, Serialize};

/// The configuration; `config.example.toml` has all of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// the screen
    pub ui: Ui,
    /// polling
    pub poll: Poll,
    /// thresholds of the health score
    pub health: Thresholds,
    /// the sealed inventory
    pub vault: Vault,
    /// the audit log
    pub audit: Audit,
    /// limits of the load on a server
    pub budget: Budget,
    /// the collector
    pub collect: Collect,
    /// history
    pub history: History,
    /// the log
    pub log: Log,
    /// figures for Prometheus
    pub metrics: Metrics,
}

/// The screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ui {
    /// name of a built-in theme, or a path
    pub theme: String,
    /// mouse support
    pub mouse: bool,
    /// slow line: half the frames, no sparklines
    pub low_bandwidth: bool,
    /// lines instead of a screen: for screen readers and braille lines
    pub plain: bool,
    /// `local`, `utc`, or a name such as `Europe/Berlin`: the clock that times are told and read by
    pub time_zone: String,
    /// `auto` (ASCII where the locale is not UTF-8), `unicode` or `ascii`
    pub glyphs: String,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            theme: "dark".into(),
            mouse: false,
            low_bandwidth: false,
            plain: false,
            time_zone: "local".into(),
            glyphs: "auto".into(),
        }
    }
}

/// Polling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Poll {
    /// headline, activity, blocking: whole fleet, seconds
    pub fleet_s: u32,
    /// waits and other details: whole fleet, seconds
    pub fleet_detail_s: u32,
    /// headline, activity, blocking: instances on the screen, seconds
    pub focused_s: u32,
    /// details: instances on the screen, seconds
    pub focused_detail_s: u32,
    /// databases, volumes, jobs, seconds
    pub slow_s: u32,
    /// properties and rights, seconds
    pub identity_s: u32,
    /// name + TCP + TLS + login, seconds
    pub connect_timeout_s: u32,
    /// concurrent queries
    pub max_queries: u32,
    /// concurrent handshakes
    pub max_handshakes: u32,
}

impl Default for Poll {
    fn default() -> Self {
        Self {
            fleet_s: 30,
            fleet_detail_s: 60,
            focused_s: 2,
            focused_detail_s: 5,
            slow_s: 900,
            identity_s: 3600,
            connect_timeout_s: 10,
            max_queries: 64,
            max_handshakes: 16,
        }
    }
}

/// The sealed inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vault {
    /// minutes without a key until the screen locks; 0: never
    pub lock_after_min: u32,
    /// program and arguments that unwrap the key of a `command` slot; empty: none
    pub unwrap: Vec<String>,
}

impl Default for Vault {
    fn default() -> Self {
        Self { lock_after_min: 15, unwrap: Vec::new() }
    }
}

/// Limits of the load on a server: CPU time of dbtop's own sessions there; 0: no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// an instance in the fleet, ms per second
    pub fleet_ms_per_s: f64,
    /// an instance on the screen, ms per second
    pub focused_ms_per_s: f64,
    /// slow probes, which have a second connection, seconds per hour
    pub lane_s_per_hour: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { fleet_ms_per_s: 5.0, focused_ms_per_s: 50.0, lane_s_per_hour: 60.0 }
    }
}

/// The collector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Collect {
    /// so many unwell instances are polled at the pace of the screen, the worst first; 0: none
    pub recorder_instances: u32,
}

impl Default for Collect {
    fn default() -> Self {
        Self { recorder_instances: 10 }
    }
}

/// The limits of history, in days and in size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    /// states of every pane: time travel reaches back so far
    pub state_days: u32,
    /// points as they were measured
    pub raw_days: u32,
    /// min, avg and max of each 5 minutes
    pub five_min_days: u32,
    /// min, avg and max of each hour
    pub hour_days: u32,
    /// min, avg and max of each day
    pub day_days: u32,
    /// episodes of blocking, changes, bookmarks
    pub events_days: u32,
    /// the largest size of a history, GB: the oldest states and points are deleted first
    pub max_store_gb: u32,
}

impl Default for History {
    fn default() -> Self {
        Self {
            state_days: 14,
            raw_days: 30,
            five_min_days: 90,
            hour_days: 400,
            day_days: 1825,
            events_days: 400,
            max_store_gb: 20,
        }
    }
}

/// The audit log of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// days that entries are kept: seven years
    pub keep_days: u32,
}

impl Default for Audit {
    fn default() -> Self {
        Self { keep_days: 2_555 }
    }
}

/// The log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`
    pub level: String,
    /// folder; empty: the platform's
    pub folder: String,
    /// `text` or `json`
    pub format: String,
    /// daily files that are kept
    pub keep_days: u32,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), folder: String::new(), format: "text".into(), keep_days: 7 }
    }
}

/// Figures of the collector for Prometheus.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// address and port at which `dbtop collect` answers; empty: it does not
    pub listen: String,
    /// an address that other machines can reach is allowed
    pub allow_remote: bool,
}
