//! The fields of an instance as files and options name them: one table of columns, and how a text becomes a value.

use super::text::{self, MAX_CELL_BYTES};
use crate::model::{
    base::{secret::Secret, time::Timestamp},
    inventory::{
        address::{holds_password, may_hold_password},
        record::{RecordError, SecretRef},
    },
};
use chrono::{DateTime, SecondsFormat, Utc};
use std::collections::BTreeMap;

/// The fields of an instance, one level deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the columns below say what each is")]
pub enum Field {
    Name,
    Host,
    Port,
    Instance,
    Database,
    Auth,
    User,
    Secret,
    ActionAuth,
    ActionUser,
    ActionSecret,
    Tls,
    TlsPin,
    CaFile,
    HostInCertificate,
    ReadOnlyIntent,
    MultiSubnetFailover,
    Every,
    DetailEvery,
    ProbesOff,
    DatabasesIn,
    DatabasesOut,
    Running,
    MaintenanceUntil,
    Notes,
    Groups,
    Labels,
    AddedAt,
}

/// The place of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// in the file itself; goes to the vault
    Here,
    /// a command prints it
    Command,
    /// an environment variable
    Env,
    /// a file
    File,
    /// asked at start
    Ask,
}

/// The form of a column's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// as it is
    Text,
    /// 0 to 4 billion
    Number,
    /// yes, no, true, false, on, off, 1, 0
    Flag,
    /// texts between `;`
    List,
    /// `key=value` between `;`
    Labels,
    /// RFC 3339
    Time,
    /// a secret, or its place
    Secret(Place),
}

/// A column of a file, a key of an object.
#[derive(Debug)]
pub struct Column {
    /// as we write it
    pub name: &'static str,
    /// the field that it sets
    pub field: Field,
    /// the form of its text
    pub kind: Kind,
    /// other spellings, in lower case and without blanks and signs
    also: &'static [&'static str],
}

/// A value of a field.
#[derive(Clone, PartialEq)]
#[expect(missing_docs, reason = "each is what its kind of column holds")]
pub enum Value {
    Text(String),
    Number(u32),
    Flag(bool),
    List(Vec<String>),
    Labels(BTreeMap<String, String>),
    Time(Timestamp),
    Secret(SecretRef),
}

const fn col(name: &'static str, field: Field, kind: Kind, also: &'static [&'static str]) -> Column {
    Column { name, field, kind, also }
}

/// All columns, in the order in which they are written.
pub static COLUMNS: &[Column] = &[
    col("name", Field::Name, Kind::Text, &["displayname", "alias"]),
    col(
        "host",
        Field::Host,
        Kind::Text,
        &["server", "servername", "address", "hostname", "datasource", "fqdn"],
    ),
    col("port", Field::Port, Kind::Number, &["tcpport"]),
    col("instance", Field::Instance, Kind::Text, &["instancename", "namedinstance"]),
    col(
        "database",
        Field::Database,
        Kind::Text,
        &["db", "databasename", "initialcatalog", "defaultdatabase"],
    ),
    col("auth", Field::Auth, Kind::Text, &["authentication", "authkind", "authenticationtype"]),
    col("user", Field::User, Kind::Text, &["username", "login", "loginname", "userid", "uid", "authuser"]),
    col(
        "password",
        Field::Secret,
        Kind::Secret(Place::Here),
        &["pwd", "authsecretstored", "authtokenstored"],
    ),
    col(
        "password_command",
        Field::Secret,
        Kind::Secret(Place::Command),
        &["secretcommand", "authsecretcommand", "authtokencommand"],
    ),
    col(
        "password_env",
        Field::Secret,
        Kind::Secret(Place::Env),
        &["secretenv", "authsecretenv", "authtokenenv"],
    ),
    col(
        "password_file",
        Field::Secret,
        Kind::Secret(Place::File),
        &["secretfile", "authsecretfile", "authtokenfile"],
    ),
    col(
        "password_ask",
        Field::Secret,
        Kind::Secret(Place::Ask),
        &["secretask", "secret", "authsecret", "authtoken"],
    ),
    col("action_auth", Field::ActionAuth, Kind::Text, &["actionkind"]),
    col("action_user", Field::ActionUser, Kind::Text, &["actionlogin"]),
    col(
        "action_password",
        Field::ActionSecret,
        Kind::Secret(Place::Here),
        &["actionsecretstored", "actiontokenstored"],
    ),
    col(
        "action_password_command",
        Field::ActionSecret,
        Kind::Secret(Place::Command),
        &["actionsecretcommand", "actiontokencommand"],
    ),
    col(
        "action_password_env",
        Field::ActionSecret,
        Kind::Secret(Place::Env),
        &["actionsecretenv", "actiontokenenv"],
    ),
    col(
        "action_password_file",
        Field::ActionSecret,
        Kind::Secret(Place::File),
        &["actionsecretfile", "actiontokenfile"],
    ),
    col(
        "action_password_ask",
        Field::ActionSecret,
        Kind::Secret(Place::Ask),
        &["actionsecret", "actiontoken"],
    ),
    col("tls", Field::Tls, Kind::Text, &["tlsmode", "tlscheck"]),
    col("tls_pin", Field::TlsPin, Kind::Text, &["tlscheckpin", "fingerprint"]),
    col("ca_file", Field::CaFile, Kind::Text, &["tlscafile"]),
    col(
        "host_in_certificate",
        Field::HostInCertificate,
        Kind::Text,
        &["hostnameincertificate", "tlshostincertificate"],
    ),
    col("read_only_intent", Field::ReadOnlyIntent, Kind::Flag, &["readonly"]),
    col("multi_subnet_failover", Field::MultiSubnetFailover, Kind::Flag, &[]),
    col("every_s", Field::Every, Kind::Number, &["every", "polleverys"]),
    col("detail_every_s", Field::DetailEvery, Kind::Number, &["detailevery", "polldetaileverys"]),
    col("probes_off", Field::ProbesOff, Kind::List, &["probeoff", "pollprobesoff"]),
    col("databases_in", Field::DatabasesIn, Kind::List, &["databases", "polldatabasesin"]),
    col("databases_out", Field::DatabasesOut, Kind::List, &["polldatabasesout"]),
    col("running", Field::Running, Kind::Flag, &["pollrunning"]),
    col("maintenance_until", Field::MaintenanceUntil, Kind::Time, &["pollmaintenanceuntilms", "maintenance"]),
    col("notes", Field::Notes, Kind::Text, &["note", "description", "comment", "comments"]),
    col("groups", Field::Groups, Kind::List, &["group", "folder"]),
    col("labels", Field::Labels, Kind::Labels, &["label", "tags"]),
    col("added_at", Field::AddedAt, Kind::Time, &["added"]),
];

/// Finds the column of a header or a key. Case, blanks, hyphens and underscores do not matter.
pub fn column(header: &str) -> Option<&'static Column> {
    let plain = plain(header);
    COLUMNS.iter().find(|c| self::plain(c.name) == plain || c.also.contains(&plain.as_str()))
}

fn plain(header: &str) -> String {
    header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Field {
    /// The name of its first column.
    pub fn name(self) -> &'static str {
        COLUMNS.iter().find(|c| c.field == self).map_or("?", |c| c.name)
    }

    /// An error in it.
    pub(super) fn wrong(self, problem: impl Into<String>) -> RecordError {
        RecordError { field: self.name(), problem: problem.into() }
    }
}

/// Reads the text of a cell; None if it is empty.
///
/// # Errors
/// A sentence that says what to change. It never quotes a secret.
pub fn set_text(column: &Column, text: &str) -> Result<Option<Value>, RecordError> {
    let wrong = |problem: String| RecordError { field: column.name, problem };
    if text.len() > MAX_CELL_BYTES {
        return Err(wrong(format!("has {} bytes: is a closing quote missing?", text.len())));
    }
    if let Kind::Secret(place) = column.kind {
        return secret(place, text).map(|secret| secret.map(Value::Secret)).map_err(|p| wrong(p.to_owned()));
    }
    // Notes keep their inner lines; blanks around them are an accident.
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    // Split at its semicolons, a pasted connection string is a list, and parts of its password are items.
    if matches!(column.kind, Kind::List | Kind::Labels) && holds_password(text) {
        return Err(wrong("has a password in it, as a connection string has: everybody would see it".into()));
    }
    Ok(Some(match column.kind {
        Kind::Text | Kind::Secret(_) => Value::Text(text.to_owned()),
        Kind::Number => {
            Value::Number(text.parse().map_err(|_| wrong(format!("{} is no number", shown(text))))?)
        }
        Kind::Flag => {
            Value::Flag(flag(text).ok_or_else(|| wrong(format!("{} is neither yes nor no", shown(text))))?)
        }
        Kind::List => Value::List(text::split_list(text)),
        Kind::Labels => Value::Labels(labels(text).map_err(wrong)?),
        Kind::Time => {
            Value::Time(time(text).ok_or_else(|| {
                wrong(format!("{} is no time: write it as 2026-11-21T22:00:00Z", shown(text)))
            })?)
        }
    }))
}

fn secret(place: Place, text: &str) -> Result<Option<SecretRef>, &'static str> {
    Ok(match place {
        _ if text.is_empty() => None,
        // A password may start or end with a blank.
        Place::Here => Some(SecretRef::Stored(Secret::new(text.to_owned()))),
        Place::Command => Some(SecretRef::Command(text.trim().to_owned())),
        Place::Env => Some(SecretRef::Env(text.trim().to_owned())),
        Place::File => Some(SecretRef::File(text.trim().into())),
        Place::Ask if text.eq_ignore_ascii_case("ask") => Some(SecretRef::Ask),
        Place::Ask => match flag(text) {
            Some(yes) => yes.then_some(SecretRef::Ask),
            None => return Err("write yes to be asked; a password goes into the column password"),
        },
    })
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Some(true),
        "no" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn labels(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut labels = BTreeMap::new();
    for item in text::split_list(text) {
        let (key, value) = item
            .split_once('=')
            .ok_or_else(|| format!("{} is no label: write key=value; key=value", shown(&item)))?;
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        if let Some(other) = labels.insert(key.clone(), value.clone()).filter(|other| *other != value) {
            return Err(format!(
                "label {} stands twice: {} and {}",
                shown(&key),
                shown(&other),
                shown(&value)
            ));
        }
    }
    Ok(labels)
}

fn time(text: &str) -> Option<Timestamp> {
    let ms = DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis());
    ms.ok().or_else(|| text.parse().ok()).map(Timestamp::from_ms)
}

/// A text from a file, short and in quotes.
pub(super) fn shown(text: &str) -> String {
    if may_hold_password(text) {
        return "a text with a password in it".to_owned();
    }
    let short: String = text.chars().take(40).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

impl Value {
    /// The text of a cell, and of a difference. For a stored secret only its kind.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(n) => n.to_string(),
            Self::Flag(yes) => (if *yes { "yes" } else { "no" }).into(),
            Self::List(items) => text::join_list(items.iter().map(String::as_str)),
            Self::Labels(labels) => {
                let items: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                text::join_list(items.iter().map(String::as_str))
            }
            Self::Time(at) => DateTime::<Utc>::from_timestamp_millis(at.ms())
                .map_or_else(|| at.ms().to_string(), |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Secret(SecretRef::Stored(_)) => "in the vault".into(),
            Self::Secret(SecretRef::Command(line)) => line.clone(),
            Self::Secret(SecretRef::Env(name)) => name.clone(),
            Self::Secret(SecretRef::File(path)) => path.to_string_lossy().into_owned(),
            Self::Secret(SecretRef::Ask) => "yes".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_64_kb_at_most() {
        let notes = COLUMNS.iter().find(|column| column.name == "notes").unwrap();
        let set = |bytes: usize| set_text(notes, &"x".repeat(bytes));
        assert!(set(MAX_CELL_BYTES).is_ok_and(|value| value.is_some()));
        let refused = set(MAX_CELL_BYTES + 1).err().unwrap();
        assert!(refused.problem.contains("65537 bytes"), "{}", refused.problem);
    }

    #[test]
    fn headers_in_many_spellings() {
        for (header, field) in [
            ("Server Name", Field::Host),
            ("HOST", Field::Host),
            ("read-only intent", Field::ReadOnlyIntent),
            ("Initial Catalog", Field::Database),
            ("auth.secret.command", Field::Secret),
            ("poll.every_s", Field::Every),
            ("tls.check.pin", Field::TlsPin),
        ] {
            assert_eq!(column(header).map(|c| c.field), Some(field), "{header}");
        }
        assert!(column("owner").is_none() && column("").is_none());
    }

    #[test]
    fn no_two_columns_answer_to_one_name() {
        for (at, one) in COLUMNS.iter().enumerate() {
            for other in &COLUMNS[at + 1..] {
                let names = |c: &Column| {
                    [plain(c.name)]
                        .into_iter()
                        .chain(c.also.iter().map(|s| (*s).to_owned()))
                        .collect::<Vec<_>>()
                };
                let both: Vec<String> = names(one).into_iter().filter(|n| names(other).contains(n)).collect();
                assert!(both.is_empty(), "{}, {}: {both:?}", one.name, other.name);
            }
            assert!(
                one.also.iter().all(|also| plain(also) == *also),
                "{}: aliases are in plain form",
                one.name
            );
        }
    }

    #[test]
    fn mistakes_do_not_quote_passwords() {
        let column = column("secret").unwrap();
        let problem = set_text(column, "hunter2").err().unwrap().to_string();
        assert!(!problem.contains("hunter2") && problem.contains("column password"), "{problem}");
    }
}
