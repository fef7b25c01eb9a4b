//! From files, environment and command line to one validated [`Config`]. Read by `command` only; knows nothing of
//! sockets or screens. Strength: command line > environment > file > default.
//!
//! [`inventory`] reads the plain inventory, [`secret`] fetches a password from where the inventory says it is.

pub mod inventory;
mod rules;
pub mod secret;

use crate::model::health::Thresholds;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What `config.example.toml` holds.
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
    /// the log file
    pub log: Log,
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
}

impl Default for Ui {
    fn default() -> Self {
        Self { theme: "dark".into(), mouse: false, low_bandwidth: false }
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
}

impl Default for Vault {
    fn default() -> Self {
        Self { lock_after_min: 15 }
    }
}

/// The log file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`
    pub level: String,
    /// folder; empty: the platform's
    pub folder: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), folder: String::new() }
    }
}

/// Why there is no valid configuration. The text names the file, the line or the variable, and the option.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// the file cannot be read
    #[error("reading {}: {source}", path.display())]
    Read {
        /// file
        path: PathBuf,
        /// cause
        source: std::io::Error,
    },
    /// not TOML, an unknown option, or a value of the wrong type
    #[error("{}: {message}", path.display())]
    Parse {
        /// file
        path: PathBuf,
        /// what and where
        message: String,
    },
    /// an environment variable that names no option or holds no fitting value
    #[error("environment: {0}")]
    Environment(String),
    /// a value that breaks a rule
    #[error("{place}: {message}")]
    Invalid {
        /// the file and line, or the variable, that set it
        place: String,
        /// the option, its value, and the rule
        message: String,
    },
}

/// Reads the configuration: defaults, then `file` (if any), then `env` (all variables; those that start with
/// `DBTOP_<SECTION>_` count).
///
/// # Errors
/// The first mistake, with its place.
pub fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut table = toml::Table::new();
    let mut text = String::new();
    if let Some(path) = file {
        text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        // Parsed once on its own so that a mistake is reported with the file's line.
        toml::from_str::<Config>(&text).map_err(|e| ConfigError::Parse {
            path: path.to_owned(),
            message: plain(e.to_string().trim()),
        })?;
        table = text.parse().map_err(|e: toml::de::Error| ConfigError::Parse {
            path: path.to_owned(),
            message: e.to_string(),
        })?;
    }
    let mut from_env = BTreeMap::new();
    for (name, value) in env {
        if let Some((section, option)) = option_of(&name) {
            overlay(&mut table, section, &option, &value);
            // Tried one by one: so it is known which of them is wrong.
            let known: Result<Config, toml::de::Error> = table.clone().try_into();
            let option = format!("[{section}] {option}");
            known.map_err(|e| {
                ConfigError::Environment(format!("{name} for {option}: {}", plain(e.message())))
            })?;
            from_env.insert(option, name);
        }
    }
    let config: Config =
        table.try_into().map_err(|e: toml::de::Error| ConfigError::Environment(plain(e.message())))?;
    if let Some(broken) = rules::broken(&config) {
        let place = broken.options.iter().find_map(|option| {
            if let Some(variable) = from_env.get(&format!("[{}] {option}", broken.section)) {
                return Some(variable.clone());
            }
            let line = line_of(&text, broken.section, option)?;
            Some(format!("{}: line {line}", file?.display()))
        });
        let place = place.unwrap_or_else(|| "configuration".into());
        return Err(ConfigError::Invalid { place, message: broken.message });
    }
    Ok(config)
}

/// The parser's words, without names of types that only programmers know.
fn plain(message: &str) -> String {
    message.replace("expected u32", "expected a whole number").replace("expected f64", "expected a number")
}

/// The line of a file that sets an option, from 1.
fn line_of(text: &str, section: &str, option: &str) -> Option<usize> {
    let file = toml::de::DeTable::parse(text).ok()?;
    let (_, options) = file.get_ref().iter().find(|(name, _)| name.get_ref().as_ref() == section)?;
    let mut options = options.get_ref().as_table()?.iter();
    let (name, _) = options.find(|(name, _)| name.get_ref().as_ref() == option)?;
    Some(line_at(text, name.span().start))
}

/// The line of a byte, from 1.
fn line_at(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or("").matches('\n').count() + 1
}

const SECTIONS: [&str; 5] = ["ui", "poll", "health", "vault", "log"];

/// `DBTOP_UI_THEME` -> (`ui`, `theme`).
fn option_of(variable: &str) -> Option<(&'static str, String)> {
    let rest = variable.strip_prefix("DBTOP_")?.to_ascii_lowercase();
    SECTIONS.into_iter().find_map(|s| {
        let option = rest.strip_prefix(s)?.strip_prefix('_')?;
        Some((s, option.to_owned()))
    })
}

/// Sets one option; the text becomes a boolean or number where it reads as one.
fn overlay(table: &mut toml::Table, section: &str, option: &str, text: &str) {
    let is_text = matches!((section, option), ("ui", "theme") | ("log", _));
    let value = match text {
        _ if is_text => toml::Value::String(text.to_owned()),
        "true" | "1" if option == "mouse" || option == "low_bandwidth" => toml::Value::Boolean(true),
        "false" | "0" if option == "mouse" || option == "low_bandwidth" => toml::Value::Boolean(false),
        t => t
            .parse::<i64>()
            .map(toml::Value::Integer)
            .or_else(|_| t.parse::<f64>().map(toml::Value::Float))
            .unwrap_or_else(|_| toml::Value::String(t.to_owned())),
    };
    let entry = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let Some(t) = entry.as_table_mut() {
        t.insert(option.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_example_file_is_the_defaults() {
        let text = include_str!("../../config.example.toml");
        let example: Config = toml::from_str(text).unwrap();
        assert_eq!(example, Config::default());
        // and it names every option, so nobody has to guess
        let named: toml::Table = text.parse().unwrap();
        let all = toml::Table::try_from(Config::default()).unwrap();
        for (section, options) in &all {
            for option in options.as_table().unwrap().keys() {
                assert!(
                    named[section].get(option).is_some(),
                    "[{section}] {option} is not in config.example.toml"
                );
            }
        }
    }

    #[test]
    fn environment_beats_file_beats_default() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        std::fs::write(&file, "[ui]\ntheme = \"light\"\n[poll]\nfleet_s = 45\n").unwrap();
        let c = load(Some(&file), env(&[("DBTOP_UI_THEME", "mono"), ("DBTOP_HEALTH_CPU_WARNING_PCT", "70")]))
            .unwrap();
        assert_eq!((c.ui.theme.as_str(), c.poll.fleet_s, c.poll.focused_s), ("mono", 45, 2));
        assert!((c.health.cpu_warning_pct - 70.0).abs() < f64::EPSILON);
    }

    #[test]
    fn mistakes_name_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        std::fs::write(&file, "[ui]\n\ntheem = \"light\"\n").unwrap();
        let e = load(Some(&file), env(&[])).unwrap_err().to_string();
        assert!(
            e.contains("c.toml") && e.contains("line 3") && e.contains("theem") && e.contains("theme"),
            "{e}"
        );
        let e = load(None, env(&[("DBTOP_POLL_FLEET_S", "soon")])).unwrap_err().to_string();
        assert!(e.contains("DBTOP_POLL_FLEET_S"), "{e}");
        let e = load(None, env(&[("DBTOP_POLL_FOCUSED_S", "1")])).unwrap_err().to_string();
        assert!(e.contains("focused_s = 1") && e.contains("2 to 3600"), "{e}");
        let e = load(None, env(&[("DBTOP_HEALTH_CPU_WARNING_PCT", "99")])).unwrap_err().to_string();
        assert!(e.contains("DBTOP_HEALTH_CPU_WARNING_PCT") && e.contains("cpu_warning_pct = 99"), "{e}");
        let e = load(None, env(&[("DBTOP_VAULT_LOCK_AFTER_MIN", "1441")])).unwrap_err().to_string();
        assert!(e.contains("[vault] lock_after_min = 1441") && e.contains("0 to 1440"), "{e}");
        std::fs::write(&file, "[ui]\nmouse = true\n[poll]\n\n\"fleet_s\" = 5\n").unwrap();
        let e = load(Some(&file), env(&[])).unwrap_err().to_string();
        assert!(e.contains("c.toml: line 5: [poll] fleet_s = 5") && e.contains("10 to 3600"), "{e}");
        // the environment beats the file, so it is the one to blame
        let e = load(Some(&file), env(&[("DBTOP_POLL_FLEET_S", "6")])).unwrap_err().to_string();
        assert!(e.starts_with("DBTOP_POLL_FLEET_S: [poll] fleet_s = 6"), "{e}");
    }
}
