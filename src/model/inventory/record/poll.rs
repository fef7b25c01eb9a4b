//! Which probes an instance is polled with, and how often. An instance and each of its labels may say; what nobody says is the
//! configuration's default.

use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Collection of one instance, or of all with a label. Everything is optional.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PollSettings {
    /// seconds between polls of the headline probes, 30 to 3600
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_s: Option<u32>,
    /// seconds between polls of the details, 30 to 3600
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail_every_s: Option<u32>,
    /// probes that are never asked here, by name
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probes_off: Vec<String>,
    /// only these databases; empty: all
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub databases_in: Vec<String>,
    /// none of these databases
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub databases_out: Vec<String>,
    /// false: nothing is polled until it is started again
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// until then neither polls nor alerts (UTC)
    #[serde(rename = "maintenance_until_ms", skip_serializing_if = "Option::is_none")]
    pub maintenance_until: Option<Timestamp>,
}

impl PollSettings {
    /// These settings where they say something, else those of `under`. Lists are replaced, not joined: what is closer
    /// to the instance wins.
    #[must_use]
    pub fn over(&self, under: &Self) -> Self {
        let list = |near: &Vec<String>, far: &Vec<String>| if near.is_empty() { far } else { near }.clone();
        Self {
            every_s: self.every_s.or(under.every_s),
            detail_every_s: self.detail_every_s.or(under.detail_every_s),
            probes_off: list(&self.probes_off, &under.probes_off),
            databases_in: list(&self.databases_in, &under.databases_in),
            databases_out: list(&self.databases_out, &under.databases_out),
            running: self.running.or(under.running),
            maintenance_until: self.maintenance_until.max(under.maintenance_until),
        }
    }

    /// True if it says nothing.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// True if a database is to be looked at. System databases always are: tempdb and msdb tell about the instance.
    pub fn wants_database(&self, name: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|n| n.eq_ignore_ascii_case(name));
        let system = ["master", "model", "msdb", "tempdb"].iter().any(|n| n.eq_ignore_ascii_case(name));
        system
            || (!listed(&self.databases_out) && (self.databases_in.is_empty() || listed(&self.databases_in)))
    }

    /// Why nothing is polled now, if so.
    pub fn paused(&self, now: Timestamp) -> Option<Pause> {
        match (self.running, self.maintenance_until) {
            (Some(false), _) => Some(Pause::Stopped),
            (_, Some(until)) if until > now => Some(Pause::Maintenance),
            _ => None,
        }
    }
}

/// Why an instance is not polled.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pause {
    /// until somebody starts it again
    Stopped,
    /// until its maintenance is over
    Maintenance,
}

impl Pause {
    /// In a word or two.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Maintenance => "in maintenance",
        }
    }
}

/// Longest maintenance, minutes: 30 days. An instance that is silent for longer is forgotten.
const LONGEST_MIN: i64 = 30 * 24 * 60;

/// When a maintenance that starts now ends: `30m`, `2h`, `1d`; None for `off`, which ends one.
///
/// # Errors
/// Advice on what to write instead.
pub fn maintenance_until(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let text = text.trim().to_lowercase();
    if text == "off" {
        return Ok(None);
    }
    let (figure, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let each = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => 0,
    };
    let minutes = figure.parse::<i64>().ok().filter(|n| *n > 0 && each > 0).and_then(|n| n.checked_mul(each));
    let minutes = minutes.filter(|minutes| *minutes <= LONGEST_MIN);
    let minutes = minutes.ok_or_else(|| format!("{text:?}: write 30m, 2h, 1d (30d at most) or off"))?;
    Ok(Some(now.plus_ms(minutes * 60_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closer_wins() {
        let label = PollSettings {
            every_s: Some(300),
            probes_off: vec!["volumes".into()],
            running: Some(false),
            ..PollSettings::default()
        };
        let own = PollSettings { every_s: Some(60), running: Some(true), ..PollSettings::default() };
        let both = own.over(&label);
        assert_eq!((both.every_s, both.running), (Some(60), Some(true)));
        assert_eq!(both.probes_off, ["volumes"]);
    }

    #[test]
    fn databases_are_chosen_by_name_whatever_its_case() {
        let lists = |inside: &[&str], outside: &[&str]| PollSettings {
            databases_in: inside.iter().map(ToString::to_string).collect(),
            databases_out: outside.iter().map(ToString::to_string).collect(),
            ..PollSettings::default()
        };
        assert!(lists(&[], &[]).wants_database("Sales"));
        assert!(!lists(&[], &["sales"]).wants_database("Sales"));
        assert!(lists(&["sales"], &[]).wants_database("Sales"));
        assert!(!lists(&["sales"], &[]).wants_database("Stock"));
        assert!(lists(&["sales"], &[]).wants_database("tempdb"), "tempdb tells about the instance");
    }

    #[test]
    fn maintenance_is_written_as_a_span() {
        let now = Timestamp::from_ms(1_000_000);
        let ends = |text| maintenance_until(text, now).map(|end| end.map(|end| end.ms_since(now) / 60_000));
        assert_eq!(
            [ends("30m"), ends(" 2H "), ends("1d"), ends("30d")],
            [30, 120, 1440, 43_200].map(|m| Ok(Some(m)))
        );
        assert_eq!(ends("off"), Ok(None));
        for wrong in ["", "h", "0m", "-1h", "31d", "2", "2w", "999999999999999999d", "2ä"] {
            assert!(ends(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn maintenance_ends_by_itself() {
        let at = Timestamp::from_ms;
        let settings = PollSettings { maintenance_until: Some(at(1000)), ..PollSettings::default() };
        assert_eq!(settings.paused(at(999)), Some(Pause::Maintenance));
        assert_eq!(settings.paused(at(1000)), None);
        assert_eq!(PollSettings { running: Some(false), ..settings }.paused(at(2000)), Some(Pause::Stopped));
    }
}
