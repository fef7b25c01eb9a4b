//! The differences between two versions of a record, in words, for the audit log: each field with its value before and after.
//!
//! Records never serialize passwords and keys, so none can get here. Of a place where one is found only the kind is told, and a text that
//! has a password in it, as connection strings have, is not.

use crate::model::{
    base::{time::Timestamp, zone::UTC},
    inventory::{
        address::{holds_password, may_hold_password},
        record::{AuditEntry, Auth, InstanceRecord, SecretRef},
    },
};
use serde::Serialize;
use serde_json::Value;

/// The fields that differ, each as `field: before → after`.
pub(super) fn difference(before: &impl Serialize, after: &impl Serialize) -> String {
    let value = |record: Result<Value, serde_json::Error>| record.unwrap_or(Value::Null);
    let mut told = Vec::new();
    walk("", &value(serde_json::to_value(before)), &value(serde_json::to_value(after)), &mut told);
    told.join(", ")
}

/// The stored passwords that differ, each as `password: changed`.
pub(super) fn changed_passwords(before: &InstanceRecord, after: &InstanceRecord) -> Vec<String> {
    let stored = |auth: Option<&Auth>| match auth.and_then(Auth::secret) {
        Some(SecretRef::Stored(secret)) => Some(secret.clone()),
        _ => None,
    };
    let is_changed = |old: Option<&Auth>, new: Option<&Auth>| match (stored(old), stored(new)) {
        (Some(old), Some(new)) => old.reveal() != new.reveal(),
        _ => false,
    };
    let mut told = Vec::new();
    if is_changed(Some(&before.auth), Some(&after.auth)) {
        told.push("password: changed".to_owned());
    }
    if is_changed(before.action.as_ref(), after.action.as_ref()) {
        told.push("action password: changed".to_owned());
    }
    told
}

fn walk(path: &str, old: &Value, new: &Value, told: &mut Vec<String>) {
    let is_whole = |value: &Value| matches!(value, Value::Object(_) | Value::Null);
    match (old, new) {
        _ if old == new => {}
        (Value::Object(_), _) | (_, Value::Object(_))
            if !is_secret(path) && is_whole(old) && is_whole(new) =>
        {
            let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
            let (old, new) = (fields(old), fields(new));
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let field = |of: &serde_json::Map<String, Value>| of.get(name).cloned().unwrap_or_default();
                walk(&below, &field(&old), &field(&new), told);
            }
        }
        _ => {
            let (old, new) = (text(path, old), text(path, new));
            let name = spoken(path);
            told.push(if old == new {
                format!("{name}: changed")
            } else {
                format!("{name}: {old} → {new}")
            });
        }
    }
}

fn is_secret(path: &str) -> bool {
    matches!(path.rsplit_once('.'), Some((_, "secret" | "token")))
}

/// A field in the words of the screen.
fn spoken(path: &str) -> String {
    match path {
        "auth.secret" => "password".to_owned(),
        "auth.token" => "token".to_owned(),
        "action.secret" => "action password".to_owned(),
        "action.token" => "action token".to_owned(),
        _ => path.strip_prefix("labels.").map_or_else(|| path.to_owned(), |key| format!("label {key}")),
    }
}

fn text(path: &str, value: &Value) -> String {
    let kind = |value: &Value| match value {
        Value::Object(fields) => fields.keys().next().cloned().unwrap_or_default(),
        other => text("", other),
    };
    match value {
        _ if is_secret(path) => kind(value),
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) if is_password_in(path, text) => "(a text with a password in it)".to_owned(),
        Value::String(text) => AuditEntry::clipped(text),
        Value::Bool(_) => value.to_string(),
        Value::Number(number) => match number.as_i64().filter(|_| path.ends_with("until_ms")) {
            Some(ms) => UTC.instant(Timestamp::from_ms(ms)),
            None => value.to_string(),
        },
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => {
            AuditEntry::clipped(&items.iter().map(|item| text("", item)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name} {}", text("", value)));
            AuditEntry::clipped(&fields.collect::<Vec<_>>().join(" "))
        }
    }
}

fn is_password_in(path: &str, text: &str) -> bool {
    match path {
        "name" | "host" => may_hold_password(text),
        _ => holds_password(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::secret::Secret;
    use serde_json::json;

    #[test]
    fn a_change_is_told_field_by_field_and_what_stayed_is_not() {
        let before =
            json!({ "address": "sql-1", "port": 1433, "labels": { "env": "test", "team": "a" }, "note": "" });
        let after = json!({ "address": "sql-2", "port": 1433, "labels": { "env": "prod", "tier": "1" }, "note": "new" });
        let told = "address: sql-1 → sql-2, label env: test → prod, label team: a → none, label tier: none → 1, note: none → new";
        assert_eq!(difference(&before, &after), told);
        assert_eq!(difference(&after, &after), "");
        let groups = |names: &[&str]| json!({ "groups": names });
        assert_eq!(difference(&groups(&["a"]), &groups(&[])), "groups: a → none");
        let long = |end: &str| json!({ "notes": "x".repeat(200) + end });
        assert_eq!(
            difference(&long("1"), &long("2")),
            "notes: changed",
            "no wall of text that looks the same"
        );
        let until = |ms: i64| json!({ "poll": { "maintenance_until_ms": ms } });
        assert_eq!(
            difference(&json!({ "poll": {} }), &until(1_795_181_400_000)),
            "poll.maintenance_until_ms: none → 2026-11-20 13:30:00 UTC"
        );
    }

    #[test]
    fn no_secret_is_told_only_that_it_changed() {
        let with = |secret: SecretRef| InstanceRecord::new("a", "h", Auth::Sql { user: "u".into(), secret });
        let stored = |text: &str| with(SecretRef::Stored(Secret::new(text.into())));
        assert_eq!(difference(&stored("hunter2"), &stored("hunter3")), "");
        assert_eq!(changed_passwords(&stored("hunter2"), &stored("hunter3")), ["password: changed"]);
        assert!(changed_passwords(&stored("hunter2"), &stored("hunter2")).is_empty());
        let command = |text: &str| with(SecretRef::Command(text.into()));
        assert_eq!(difference(&stored("hunter2"), &command("pass hunter3")), "password: stored → command");
        assert_eq!(difference(&command("pass hunter2"), &command("pass hunter3")), "password: changed");
        let mut noted = stored("x");
        noted.notes = "Server=db1;Password=hunter2".into();
        assert_eq!(difference(&stored("x"), &noted), "notes: none → (a text with a password in it)");
    }
}
