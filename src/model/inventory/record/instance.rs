//! An instance as the inventory keeps it: where it is, how it is logged in to, how the line is protected, what is
//! collected of it.

use super::{Auth, PollSettings, SecretRef};
use crate::model::{
    base::{
        filter::{Row, Value},
        secret::Secret,
        time::Timestamp,
    },
    inventory::{
        address::{Endpoint, USUAL_PORT, holds_password, may_hold_password},
        connection,
        instance::Fingerprint,
    },
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
};

/// How the certificate of a server is checked.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsCheck {
    /// against the authorities that are trusted
    #[default]
    Verify,
    /// it must be this one: SHA-256 of the certificate, in hex
    Pin(String),
    /// verified, and TLS from the first byte (TDS 8.0)
    Strict,
    /// not at all: shown in red wherever the instance is
    Insecure,
}

impl TlsCheck {
    /// The mode, as it is shown and written: `verify`, `pin`, `strict`, `insecure`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Pin(_) => "pin",
            Self::Strict => "strict",
            Self::Insecure => "insecure",
        }
    }
}

/// Protection of the line.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tls {
    /// how the certificate is checked
    pub check: TlsCheck,
    /// authorities to trust besides the system's (PEM)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// name in the certificate, where it is not the host
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_in_certificate: Option<String>,
}

/// An instance of the inventory.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// unique within the tenant, whatever its case
    pub name: String,
    /// host name or address
    pub host: String,
    /// None: 1433, or asked of SQL Browser if `instance` is set
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// named instance
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// database to open; None: the login's default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// login for polling: the least rights
    pub auth: Auth,
    /// login for actions that change something; None: there are none
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Auth>,
    /// protection of the line
    #[serde(default)]
    pub tls: Tls,
    /// read-only application intent
    #[serde(default)]
    pub read_only_intent: bool,
    /// try all addresses of the name at once
    #[serde(default)]
    pub multi_subnet_failover: bool,
    /// what is collected, and how often
    #[serde(default, skip_serializing_if = "PollSettings::is_default")]
    pub poll: PollSettings,
    /// names of its groups, in the order in which they were given
    #[serde(default)]
    pub groups: Vec<String>,
    /// its labels
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// for people
    #[serde(default)]
    pub notes: String,
    /// when it came into the inventory: the store says so, and keeps it; None: an older version added it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_at: Option<Timestamp>,
}

/// An error in a record, for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RecordError {
    /// the field
    pub field: &'static str,
    /// what to change
    pub problem: String,
}

const MAX_NAME: usize = 128;

impl InstanceRecord {
    /// An instance with defaults for all but this.
    pub fn new(name: impl Into<String>, host: impl Into<String>, auth: Auth) -> Self {
        Self {
            name: name.into(),
            host: host.into(),
            port: None,
            instance: None,
            database: None,
            auth,
            action: None,
            tls: Tls::default(),
            read_only_intent: false,
            multi_subnet_failover: false,
            poll: PollSettings::default(),
            groups: Vec::new(),
            labels: BTreeMap::new(),
            notes: String::new(),
            added_at: None,
        }
    }

    /// `host`, `host,port`, `host\instance` or `host\instance,port`, for show.
    pub fn address(&self) -> String {
        self.endpoint().to_string()
    }

    /// Where it listens.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { host: self.host.clone(), port: self.port, instance: self.instance.clone() }
    }

    /// The stored passwords, always in the same order: `auth`, then `action`.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = &mut Secret> {
        [Some(&mut self.auth), self.action.as_mut()].into_iter().flatten().filter_map(|auth| {
            match auth.secret_mut() {
                Some(SecretRef::Stored(secret)) => Some(secret),
                _ => None,
            }
        })
    }

    /// The stored passwords, in the order of [`Self::secrets_mut`].
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> + Clone {
        [Some(&self.auth), self.action.as_ref()].into_iter().flatten().filter_map(|auth| {
            match auth.secret() {
                Some(SecretRef::Stored(secret)) => Some(secret),
                _ => None,
            }
        })
    }

    /// Checks what can be checked without asking the server.
    ///
    /// # Errors
    /// The first error, with its field.
    pub fn validate(&self) -> Result<(), RecordError> {
        if may_hold_password(&self.name) {
            return Err(wrong("name", PASSWORD_IN_IT));
        }
        check_name("name", &self.name)?;
        match Endpoint::parse(&self.host) {
            Ok(at) if at.port.is_none() && at.instance.is_none() => {}
            Ok(_) => return Err(wrong("host", "port and instance stand in their own fields")),
            Err(why) => return Err(wrong("host", why.to_string())),
        }
        if self.port == Some(0) {
            return Err(wrong("port", "must be 1 to 65535"));
        }
        if Endpoint::parse(&self.endpoint().to_string()) != Ok(self.endpoint()) {
            return Err(wrong("instance", "is no name of an instance: write it alone, as SALES"));
        }
        if let Some(name) = &self.tls.host_in_certificate {
            match Endpoint::parse(name) {
                Ok(at) if at.port.is_none() && at.instance.is_none() => {}
                Ok(_) => {
                    return Err(wrong(
                        "host_in_certificate",
                        "is a name alone, without a port or an instance",
                    ));
                }
                Err(why) => return Err(wrong("host_in_certificate", why.to_string())),
            }
        }
        if self.database.as_deref().is_some_and(holds_password) {
            return Err(wrong(
                "database",
                "has a password in it, as a connection string has: write its name alone",
            ));
        }
        for auth in [Some(&self.auth), self.action.as_ref()].into_iter().flatten() {
            if auth.user().is_some_and(|user| user.is_empty() || user.chars().any(char::is_control)) {
                return Err(wrong("user", "a login name is missing, or has control characters"));
            }
            if auth.user().is_some_and(holds_password) {
                return Err(wrong("user", "has a password in it, which has a field of its own"));
            }
        }
        if let TlsCheck::Pin(print) = &self.tls.check
            && let Err(error) = print.parse::<Fingerprint>()
        {
            return Err(wrong("tls.pin", error.to_string()));
        }
        for (field, every) in [("every_s", self.poll.every_s), ("detail_every_s", self.poll.detail_every_s)] {
            if every.is_some_and(|every| !(30..=3600).contains(&every)) {
                return Err(wrong(field, "must be 30 to 3600 seconds"));
            }
        }
        self.groups.iter().try_for_each(|group| check_name("groups", group))?;
        let mut keys = HashSet::new();
        if let Some(key) = self.labels.keys().find(|key| !keys.insert(key.to_lowercase())) {
            return Err(wrong("labels", format!("the key {key} is there twice, in two spellings: keep one")));
        }
        self.labels.iter().try_for_each(|(key, value)| check_label(key, value))
    }

    /// Where it is, whatever way that is written. See [`Endpoint::place`].
    pub fn place(&self) -> (String, String) {
        (self.endpoint().place(), self.database.as_deref().unwrap_or_default().to_lowercase())
    }

    /// True if the other watches the same place with the same login.
    pub fn is_where(&self, other: &Self) -> bool {
        self.place() == other.place() && self.auth.is_login_of(&other.auth)
    }
}

fn wrong(field: &'static str, problem: impl Into<String>) -> RecordError {
    RecordError { field, problem: problem.into() }
}

/// Why a name is refused.
const PASSWORD_IN_IT: &str = "has a password in it, as a connection string has: everybody would see it";

/// Checks the name of an instance, a group or a filter.
pub(super) fn check_name(field: &'static str, name: &str) -> Result<(), RecordError> {
    if holds_password(name) {
        return Err(wrong(field, PASSWORD_IN_IT));
    }
    if name.is_empty() || name.trim() != name || name.chars().any(char::is_control) {
        return Err(wrong(
            field,
            format!("{name:?} is empty, has blanks around it or control characters in it"),
        ));
    }
    if name.chars().count() > MAX_NAME {
        return Err(wrong(field, format!("is longer than {MAX_NAME} characters")));
    }
    Ok(())
}

/// Checks a label: keys are words, so that `key=value` can be typed as a filter.
pub(super) fn check_label(key: &str, value: &str) -> Result<(), RecordError> {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if key.is_empty() || !key.chars().all(word) {
        return Err(wrong("labels", format!("{key:?} is no key: take letters, digits, _ - . and /")));
    }
    if connection::is_password(&key.to_lowercase()) && !value.is_empty() {
        return Err(wrong("labels", "everybody sees labels: a password goes into its own field"));
    }
    check_name("labels", key)?;
    check_name("labels", value)
}

impl InstanceRecord {
    /// The fields that a filter over instances may ask for, besides labels.
    pub const FILTER_KEYS: [&str; 11] =
        ["name", "host", "port", "instance", "database", "auth", "login", "user", "group", "tls", "running"];
}

impl Row for InstanceRecord {
    fn text(&self, out: &mut String) {
        out.push_str(&self.name);
        out.push(' ');
        out.push_str(&self.host);
        for group in &self.groups {
            out.push(' ');
            out.push_str(group);
        }
        for (key, value) in &self.labels {
            out.push(' ');
            out.push_str(key);
            out.push('=');
            out.push_str(value);
        }
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        match key {
            "name" => visit(Value::Text(&self.name)),
            "host" => visit(Value::Text(&self.host)),
            // A named instance is asked for its port; another one has the usual one.
            "port" => match (self.port, &self.instance) {
                (Some(port), _) => visit(Value::Number(port.into())),
                (None, None) => visit(Value::Number(USUAL_PORT.into())),
                (None, Some(_)) => {}
            },
            "instance" => {
                if let Some(instance) = &self.instance {
                    visit(Value::Text(instance));
                }
            }
            "tls" => visit(Value::Text(self.tls.check.kind())),
            "running" => visit(Value::Text(if self.poll.running == Some(false) { "no" } else { "yes" })),
            "auth" => visit(Value::Text(self.auth.kind())),
            "login" | "user" => {
                if let Some(user) = self.auth.user() {
                    visit(Value::Text(user));
                }
            }
            "database" => {
                if let Some(database) = &self.database {
                    visit(Value::Text(database));
                }
            }
            "group" => self.groups.iter().for_each(|group| visit(Value::Text(group))),
            _ => {
                // Keys of filters come in lower case.
                for (_, value) in self.labels.iter().filter(|(label, _)| label.eq_ignore_ascii_case(key)) {
                    visit(Value::Text(value));
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "instance_tests.rs"]
mod tests;
