//! The settings in force: those of file and environment, overruled by the command line; and their meaning for the
//! collector and for history. `command::config` shows them, [`super::reload`] follows their file.

use crate::{
    collect,
    config::{self, Config, Origin, Read},
    model::base::zone::Zone,
    store::{self, Home, history},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The options of the command line that overrule the configuration.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// the file; None: the usual one, if it is there
    pub file: Option<PathBuf>,
    /// a theme by its name or its file
    pub theme: Option<String>,
    /// the mouse selects and scrolls
    pub mouse: bool,
    /// half the frame rate, no sparklines
    pub low_bandwidth: bool,
    /// lines instead of a screen
    pub plain: bool,
}

/// The place of the configuration file.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    /// the file
    pub file: PathBuf,
    /// somebody named it: it must be there
    pub named: bool,
}

impl ConfigFile {
    /// The file that is named, else `config.toml` in `$DBTOP_HOME` or the platform's configuration folder.
    pub fn find(given: &Given) -> Option<Self> {
        if let Some(file) = given.file.clone() {
            return Some(Self { file, named: true });
        }
        Some(Self { file: Home::find().ok()?.config().join("config.toml"), named: false })
    }

    /// The file, if it is to be read.
    pub fn to_read(&self) -> Option<&Path> {
        (self.named || self.file.exists()).then_some(&self.file)
    }
}

/// The configuration of file and environment, with the options of the command line over it.
///
/// # Errors
/// All errors in it.
pub fn load(given: &Given) -> anyhow::Result<Config> {
    let place = ConfigFile::find(given);
    let mut config = config::load(place.as_ref().and_then(ConfigFile::to_read), environment())?;
    overlay(given, &mut config);
    Ok(config)
}

/// File and environment with all their errors, overruled by the options of the command line.
pub fn read(place: Option<&ConfigFile>, given: &Given) -> Read {
    let mut read = config::read(place.and_then(ConfigFile::to_read), environment());
    read.origins.extend(overlay(given, &mut read.config));
    read
}

/// [`read()`] of a file that would have this text.
pub fn read_as(file: &Path, text: &str, given: &Given) -> Read {
    let mut read = config::read_text(file, text, environment());
    read.origins.extend(overlay(given, &mut read.config));
    read
}

/// Overrules a configuration by the command line; returns the options it set. `NO_COLOR` beats the file unless a theme is
/// named on the command line.
fn overlay(given: &Given, config: &mut Config) -> Vec<(String, Origin)> {
    let mut set = Vec::new();
    let ui = &mut config.ui;
    if let Some(theme) = &given.theme {
        ui.theme.clone_from(theme);
        set.push(("ui.theme".to_owned(), Origin::CommandLine("--theme")));
    } else if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        "mono".clone_into(&mut ui.theme);
        set.push(("ui.theme".to_owned(), Origin::Variable("NO_COLOR".into())));
    }
    // A terminal that cannot move its cursor shows no screen.
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        ui.plain = true;
        set.push(("ui.plain".to_owned(), Origin::Variable("TERM".into())));
    }
    for (is_said, option, name, flag) in [
        (given.mouse, &mut ui.mouse, "ui.mouse", "--mouse"),
        (given.low_bandwidth, &mut ui.low_bandwidth, "ui.low_bandwidth", "--low-bandwidth"),
        (given.plain, &mut ui.plain, "ui.plain", "--plain"),
    ] {
        if is_said {
            *option = true;
            set.push((name.to_owned(), Origin::CommandLine(flag)));
        }
    }
    set
}

/// The environment, without variables that are not text.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The zone whose clock times are told and read by.
pub fn zone(config: &Config) -> Zone {
    // A name was checked when the configuration was read.
    config::zone(&config.ui.time_zone).unwrap_or_default()
}

/// The collector's settings out of the configuration.
pub fn collector(config: &Config) -> collect::Settings {
    let poll = &config.poll;
    let ms = |s: u32| s.saturating_mul(1000);
    collect::Settings {
        fleet_every_ms: ms(poll.fleet_s),
        fleet_detail_every_ms: ms(poll.fleet_detail_s),
        focused_every_ms: ms(poll.focused_s),
        focused_detail_every_ms: ms(poll.focused_detail_s),
        slow_every_ms: ms(poll.slow_s),
        identity_every_ms: ms(poll.identity_s),
        connect_within: Duration::from_secs(poll.connect_timeout_s.into()),
        max_queries: poll.max_queries as usize,
        max_handshakes: poll.max_handshakes as usize,
        fleet_budget: config.budget.fleet_ms_per_s,
        focused_budget: config.budget.focused_ms_per_s,
        lane_budget: Duration::try_from_secs_f64(config.budget.lane_s_per_hour).unwrap_or_default(),
        recorder_instances: config.collect.recorder_instances as usize,
        thresholds: config.health.clone(),
        up: store::clock::up,
        ..collect::Settings::default()
    }
}

/// How history is kept by this configuration.
pub fn history(config: &Config) -> history::Options {
    let kept = &config.history;
    history::Options {
        raw_days: kept.raw_days,
        state_days: kept.state_days,
        five_min_days: kept.five_min_days,
        hour_days: kept.hour_days,
        day_days: kept.day_days,
        events_days: kept.events_days,
        max_bytes: u64::from(kept.max_store_gb) << 30,
        ..history::Options::default()
    }
}
