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

    /// Checks a name that a group is given: scopes (`@name`), filters (`group=name,other`) and lists of groups in files must be able to
    /// say it. A group that has another one already keeps it, and a filter finds it in quotes or by `*`.
    ///
    /// # Errors
    /// The sign that is in the way.
    pub fn check_new_name(&self) -> Result<(), RecordError> {
        match self.name.chars().find(|c| is_in_the_way(*c)) {
            None => Ok(()),
            Some(sign) => Err(RecordError {
                field: "name",
                problem: format!(
                    "the group {:?} cannot have {sign} in its name: scopes and filters could not name it",
                    self.name
                ),
            }),
        }
    }

    /// A name of another program as a new group may have it: `-` for every sign that is in the way.
    pub fn free_name(name: &str) -> String {
        name.replace(is_in_the_way, "-")
    }
}

/// Scopes, filters and lists give it another meaning.
const fn is_in_the_way(c: char) -> bool {
    matches!(c, ',' | ';' | '@' | '"' | '*')
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

    /// Holds a key to the spelling of those that are there: filters take keys in any case, so one key in two spellings would be two that
    /// nobody can tell apart. What is there in both already stays until somebody makes it one.
    ///
    /// # Errors
    /// It is there in another spelling alone.
    pub fn check_spelling<'k>(
        key: &str,
        there: impl Iterator<Item = &'k str> + Clone,
    ) -> Result<(), RecordError> {
        if there.clone().any(|there| there == key) {
            return Ok(());
        }
        match there.into_iter().find(|there| there.to_lowercase() == key.to_lowercase()) {
            None => Ok(()),
            Some(there) => {
                let problem = format!("the key {key} is there already, written {there}: write it so");
                Err(RecordError { field: "labels", problem })
            }
        }
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
    fn a_new_group_has_a_name_that_scopes_and_filters_can_say() {
        let check = |name: &str| GroupRecord { name: name.into(), ..GroupRecord::default() }.check_new_name();
        for good in ["web", "night shift", "EU-1", "a.b/c", "größe"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, sign) in
            [("a,b", ','), ("@web", '@'), ("a@b", '@'), ("a;b", ';'), ("a\"b", '"'), ("a*", '*')]
        {
            let problem = check(bad).unwrap_err().problem;
            assert!(problem.contains(sign) && problem.contains("scopes and filters"), "{bad}: {problem}");
        }
        let named = |name: &str| GroupRecord { name: name.into(), ..GroupRecord::default() };
        for bad in ["", " web", "web ", "we\nb", "we\u{1b}b"] {
            assert!(named(bad).validate().is_err(), "{bad:?}");
        }
    }

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
