//! The fields of a change for many, the change that they say, and that change in words.

use super::super::{
    form::{Field, Form},
    items::{existing, items, labels},
    login::{self, POLLING, Problem},
};
use crate::{
    model::{
        base::{figure, time::Timestamp, zone::Zone},
        inventory::record::{Auth, BulkChange, InstanceRecord, SecretRef, maintenance_until},
    },
    protocol::FormData,
};
use std::time::Duration;

const AS_IT_IS: &str = "as it is";

/// The fields.
pub fn form(data: &FormData) -> Form {
    let mut groups: Vec<String> = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    for (record, _) in &data.of {
        groups.extend(record.groups.iter().filter(|g| !groups.contains(g)).cloned().collect::<Vec<_>>());
        keys.extend(record.labels.keys().filter(|k| !keys.contains(k)).cloned().collect::<Vec<_>>());
    }
    let seconds = "seconds, 30 to 3600; default: as configured";
    let mut fields = vec![
        Field::text("join", "Join groups", "")
            .known(&data.groups)
            .hint(existing("with commas between them", &data.groups)),
        Field::text("leave", "Leave groups", "")
            .known(&groups)
            .hint(existing("with commas between them", &groups)),
        Field::text("label", "Set labels", "")
            .known(&data.labels)
            .hint(existing("key=value, with commas between them", &data.labels)),
        Field::text("unlabel", "Take labels off", "")
            .known(&keys)
            .hint(existing("keys, with commas between them", &keys)),
        Field::text("every_s", "Poll every", "").known(&["default".to_owned()]).hint(seconds),
        Field::text("detail_every_s", "Details every", "").known(&["default".to_owned()]).hint(seconds),
        Field::choice("running", "Polling", &[AS_IT_IS, "start", "stop"], AS_IT_IS)
            .hint("stopped, nothing is asked until it is started again"),
        Field::text("maintenance", "Maintenance", "")
            .hint("30m, 2h, 1d: neither polls nor alerts for so long; off ends it"),
    ];
    let logins = login::fields(&POLLING, Some(AS_IT_IS), None);
    // Nothing is tested here, so nothing is typed for a test.
    fields.extend(logins.into_iter().filter(|field| field.id != "trial"));
    let mut form = Form::new(fields);
    update(&mut form);
    form
}

/// Shows the fields that mean something with what the others say.
pub fn update(form: &mut Form) {
    login::update(form, &POLLING, None);
    if form.said(POLLING.auth) == AS_IT_IS {
        form.hint(POLLING.auth, "another login for polling, the same for all of them");
    }
}

/// The field of the form that an error in a record belongs to.
pub fn field_of(field: &str) -> &'static str {
    match field {
        "groups" => "join",
        "labels" => "label",
        "every_s" => "every_s",
        "detail_every_s" => "detail_every_s",
        "user" => "user",
        _ => "",
    }
}

/// The change that the form describes.
///
/// # Errors
/// All that is wrong, in the order of the fields.
pub fn read(form: &Form, now: Timestamp) -> Result<BulkChange, Vec<Problem>> {
    let mut wrong = Vec::new();
    let label = labels(form.said("label")).unwrap_or_else(|words| {
        wrong.push(Problem::new("label", words));
        std::collections::BTreeMap::new()
    });
    let mut every = |id: &'static str| match form.said(id) {
        "" => None,
        "default" => Some(None),
        text => {
            let seconds = text.parse().ok().filter(|s| (30..=3600).contains(s));
            if seconds.is_none() {
                wrong.push(Problem::new(id, "must be 30 to 3600, or default"));
            }
            seconds.map(Some)
        }
    };
    let (every_s, detail_every_s) = (every("every_s"), every("detail_every_s"));
    let maintenance = Some(form.said("maintenance")).filter(|text| !text.is_empty());
    let maintenance_until = maintenance.and_then(|text| {
        maintenance_until(text, now).map_err(|words| wrong.push(Problem::new("maintenance", words))).ok()
    });
    let auth = login::auth(form, &POLLING, None).unwrap_or_else(|problems| {
        wrong.extend(problems);
        None
    });
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(BulkChange {
        join: items(form.said("join")),
        leave: items(form.said("leave")),
        label,
        unlabel: items(form.said("unlabel")),
        every_s,
        detail_every_s,
        running: match form.said("running") {
            "start" => Some(true),
            "stop" => Some(false),
            _ => None,
        },
        maintenance_until,
        auth,
        action: None,
    })
}

/// Groups to leave that none of them is in, labels to take off that none of them has: mistyped.
pub fn of_nobody(change: &BulkChange, of: &[InstanceRecord]) -> Vec<Problem> {
    let mut wrong = Vec::new();
    let in_group =
        |group: &String| of.iter().any(|r| r.groups.iter().any(|there| there.eq_ignore_ascii_case(group)));
    if let Some(group) = change.leave.iter().find(|group| !in_group(group)) {
        wrong.push(Problem::new("leave", format!("none of them is in {group}")));
    }
    let has_key =
        |key: &String| of.iter().any(|r| r.labels.keys().any(|there| there.eq_ignore_ascii_case(key)));
    if let Some(key) = change.unlabel.iter().find(|key| !has_key(key)) {
        wrong.push(Problem::new("unlabel", format!("none of them has the label {key}")));
    }
    wrong
}

/// The change, a line each.
pub fn words(change: &BulkChange, zone: &Zone) -> Vec<String> {
    let mut words = Vec::new();
    let mut list = |what: &str, items: &[String]| {
        if !items.is_empty() {
            words.push(format!("{what} {}", items.join(", ")));
        }
    };
    list("join", &change.join);
    list("leave", &change.leave);
    let labels: Vec<String> = change.label.iter().map(|(key, value)| format!("{key}={value}")).collect();
    list("label", &labels);
    list("take off the label", &change.unlabel);
    for (what, every) in [("poll", change.every_s), ("poll the details", change.detail_every_s)] {
        match every {
            Some(Some(s)) => {
                words.push(format!("{what} every {}", figure::limit(Duration::from_secs(s.into()))));
            }
            Some(None) => words.push(format!("{what} as often as configured")),
            None => {}
        }
    }
    words.extend(change.running.map(|run| if run { "start polling" } else { "stop polling" }.to_owned()));
    match change.maintenance_until {
        Some(Some(until)) => {
            let mut text = "maintenance until ".to_owned();
            zone.push_instant(&mut text, until);
            text.push_str(": neither polls nor alerts");
            words.push(text);
        }
        Some(None) => words.push("maintenance ends now".to_owned()),
        None => {}
    }
    words.extend(change.auth.as_ref().map(login_words));
    words
}

fn login_words(auth: &Auth) -> String {
    let place = match auth.secret() {
        Some(SecretRef::Stored(_)) => ", with the password that was typed",
        Some(SecretRef::Ask) => ", the password asked for at start",
        Some(SecretRef::Command(_)) => ", the password from a command",
        Some(SecretRef::Env(_)) => ", the password from an environment variable",
        Some(SecretRef::File(_)) => ", the password from a file",
        None => "",
    };
    format!("log in as {} ({}){place}", auth.who(), auth.kind())
}
