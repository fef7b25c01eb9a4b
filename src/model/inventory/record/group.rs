//! Groups, labels and saved filters: the ways to name a part of the fleet.

use super::{
    LabelColor, PollSettings, RecordError,
    instance::{check_label, check_name},
};
use serde::{Deserialize, Serialize};

/// A group. Its members are named in the instances ([`InstanceRecord::groups`](super::InstanceRecord::groups)).
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupRecord {
    /// unique within the tenant, whatever its case
    pub name: String,
    /// for people
    #[serde(default)]
    pub description: String,
}

impl GroupRecord {
    /// Checks the name.
    ///
    /// # Errors
    /// Advice on what to change.
    pub fn validate(&self) -> Result<(), RecordError> {
        check_name("name", &self.name)
    }
}

/// One `key=value` that instances carry. Appears by itself when an instance first carries it.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelRecord {
    /// `env`
    pub key: String,
    /// `prod`
    pub value: String,
    /// how it is shown
    pub color: LabelColor,
    /// collection of all instances that carry it
    #[serde(default, skip_serializing_if = "PollSettings::is_default")]
    pub poll: PollSettings,
}

impl LabelRecord {
    /// A label as it appears by itself: its colour follows from its text, so that two tenants show it alike.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        let (key, value) = (key.into(), value.into());
        let color = LabelColor::for_label(&key, &value);
        Self { key, value, color, poll: PollSettings::default() }
    }

    /// Checks key and value.
    ///
    /// # Errors
    /// Advice on what to change.
    pub fn validate(&self) -> Result<(), RecordError> {
        check_label(&self.key, &self.value)
    }

    /// `key=value`, its name.
    pub fn name(&self) -> String {
        format!("{}={}", self.key, self.value)
    }
}

/// A saved filter: a dynamic group. Its members are the instances that pass it now.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FilterRecord {
    /// unique among filters, whatever its case
    pub name: String,
    /// in the language of `/` ([`model::base::filter`](crate::model::base::filter))
    pub expression: String,
    /// for people
    #[serde(default)]
    pub description: String,
}

impl FilterRecord {
    /// Checks the name. Whether the expression can be read is for who knows the fields: `model::base::filter`.
    ///
    /// # Errors
    /// Advice on what to change.
    pub fn validate(&self) -> Result<(), RecordError> {
        check_name("name", &self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_stable_and_red_is_for_production() {
        assert_eq!(LabelRecord::new("env", "Prod").color, LabelColor::Red);
        let others = [("env", "dev"), ("team", "erp"), ("site", "fra"), ("owner", "mira")];
        let colors = others.map(|(key, value)| LabelColor::for_label(key, value));
        assert_eq!(
            colors,
            [LabelColor::Orange, LabelColor::Blue, LabelColor::Green, LabelColor::Cyan],
            "as the first release coloured them"
        );
        for color in LabelColor::ALL {
            assert_eq!(LabelColor::parse(color.as_str()), Some(color));
        }
    }
}
