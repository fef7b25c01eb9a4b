//! Colours of labels.

use serde::{Deserialize, Serialize};

/// Colours of labels: names of the theme's palette, not values, so that they fit dark, light and 16-colour terminals.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelColor {
    /// gray
    Gray,
    /// blue
    Blue,
    /// cyan
    Cyan,
    /// green
    Green,
    /// yellow
    Yellow,
    /// orange
    Orange,
    /// magenta
    Magenta,
    /// red
    Red,
}

impl LabelColor {
    /// All, in the order in which they are offered. Append only: the first seven are what [`Self::for_label`] counts.
    pub const ALL: [Self; 8] = [
        Self::Gray,
        Self::Blue,
        Self::Cyan,
        Self::Green,
        Self::Yellow,
        Self::Orange,
        Self::Magenta,
        Self::Red,
    ];

    /// The colour that a new label gets. Production is red; red is for nothing else unless somebody says so.
    pub fn for_label(key: &str, value: &str) -> Self {
        if value.eq_ignore_ascii_case("prod") || value.eq_ignore_ascii_case("production") {
            return Self::Red;
        }
        // FNV-1a: stable from version to version, which std's hasher does not promise.
        let hash =
            key.bytes().chain([b'=']).chain(value.bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        Self::ALL.get((hash >> 32) as usize % 7).copied().unwrap_or(Self::Gray)
    }

    /// Its name, as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::Blue => "blue",
            Self::Cyan => "cyan",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Magenta => "magenta",
            Self::Red => "red",
        }
    }

    /// From its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|color| color.as_str().eq_ignore_ascii_case(text))
    }
}
