//! The products that instances play: build numbers and names as the real servers print them.

use super::dice::Dice;
use std::{fmt, str::FromStr};

/// A major version of SQL Server. Ordered by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// 2016 with Service Pack 2
    V2016,
    /// 2017
    V2017,
    /// 2019
    V2019,
    /// 2022
    V2022,
    /// 2025
    V2025,
}

/// One cumulative update: build, revision, its name, build date for `@@VERSION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// third part of the version, such as 4430
    pub build: u16,
    /// fourth part
    pub revision: u16,
    /// `RTM`, `SP2`
    pub level: &'static str,
    /// `CU27`; empty for none
    pub update: &'static str,
    /// knowledge base article, `KB5050533`
    pub kb: &'static str,
}

const fn build(
    build: u16,
    revision: u16,
    level: &'static str,
    update: &'static str,
    kb: &'static str,
) -> Build {
    Build { build, revision, level, update, kb }
}

const BUILDS_2016: [Build; 2] =
    [build(5026, 0, "SP2", "", "KB4052908"), build(5888, 11, "SP2", "CU17", "KB5001092")];
const BUILDS_2017: [Build; 2] =
    [build(3451, 2, "RTM", "CU30", "KB5013756"), build(3456, 2, "RTM", "CU31", "KB5016884")];
const BUILDS_2019: [Build; 3] = [
    build(4375, 4, "RTM", "CU27", "KB5037331"),
    build(4385, 2, "RTM", "CU28", "KB5039747"),
    build(4430, 1, "RTM", "CU32", "KB5054833"),
];
const BUILDS_2022: [Build; 3] = [
    build(4135, 4, "RTM", "CU14", "KB5038325"),
    build(4165, 4, "RTM", "CU16", "KB5048033"),
    build(4175, 1, "RTM", "CU17", "KB5048038"),
];
const BUILDS_2025: [Build; 1] = [build(1000, 7, "RTM", "", "")];

impl Version {
    /// All, oldest first.
    pub const ALL: [Self; 5] = [Self::V2016, Self::V2017, Self::V2019, Self::V2022, Self::V2025];

    /// 2016 …
    pub const fn year(self) -> u16 {
        match self {
            Self::V2016 => 2016,
            Self::V2017 => 2017,
            Self::V2019 => 2019,
            Self::V2022 => 2022,
            Self::V2025 => 2025,
        }
    }

    /// First part of the version number: 13 …
    pub const fn major(self) -> u8 {
        match self {
            Self::V2016 => 13,
            Self::V2017 => 14,
            Self::V2019 => 15,
            Self::V2022 => 16,
            Self::V2025 => 17,
        }
    }

    /// Builds that are common in the field.
    const fn builds(self) -> &'static [Build] {
        match self {
            Self::V2016 => &BUILDS_2016,
            Self::V2017 => &BUILDS_2017,
            Self::V2019 => &BUILDS_2019,
            Self::V2022 => &BUILDS_2022,
            Self::V2025 => &BUILDS_2025,
        }
    }

    /// The build of one instance.
    pub fn build(self, dice: Dice) -> Build {
        *dice.of("build").pick(self.builds())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.year())
    }
}

/// A year that no simulated server can play.
#[derive(Debug, thiserror::Error)]
#[error("unknown version `{0}`: the simulator plays 2016, 2017, 2019, 2022 and 2025")]
pub struct UnknownVersion(String);

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let text = text.trim();
        Self::ALL.into_iter().find(|v| v.to_string() == text).ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_read_and_others_are_refused_by_name() {
        assert_eq!("2019".parse::<Version>().unwrap(), Version::V2019);
        let error = "2014".parse::<Version>().unwrap_err().to_string();
        assert!(error.contains("2014") && error.contains("2016"), "{error}");
    }
}
