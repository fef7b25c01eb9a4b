//! Every place in what history keeps where a name may stand: those of instances, links, verdicts and events; the rest is said
//! by `poll`. All else is a number, a word of SQL Server or a word of ours. Part of `scrub`.

use crate::model::{
    inventory::instance::{Fingerprint, InstanceId, InstanceInfo, TlsMode},
    judge::health::Health,
    poll::{
        link::Link,
        names::{Field, Kind, Visit, Where, maybe},
        reading::Unavailable,
    },
    timeline::{
        event::{Cause, Change, Subject, What},
        record::Recorded,
    },
};
use std::sync::Arc;

/// Visits every text in what happened, statements aside: see [`Recorded::each_statement_mut`].
pub fn each_field(what: &mut Recorded, visit: Visit<'_>) {
    match what {
        Recorded::Link { link: Link::Down { failure, .. }, .. } => {
            visit(Field::Words(Where::Theirs), &mut failure.text);
        }
        Recorded::Reading { state: Err(problem), .. } => unavailable(problem, visit),
        Recorded::Reading { state: Ok(state), .. } => state.each_name_mut(visit),
        Recorded::Health { health, .. } => verdict(health, visit),
        Recorded::Link { .. } | Recorded::Pace { .. } => {}
    }
}

/// Visits every text in what happened on the time line.
pub fn each_field_of_event(what: &mut What, visit: Visit<'_>) {
    match what {
        // Any word of an old sentence, or of a person, may be a name.
        What::Sentence(text) | What::Note(text) => visit(Field::Message, text),
        What::Blocking { resource, on, .. } => {
            maybe(visit, Field::Message, resource);
            if let Some(on) = on {
                on.each_name_mut(visit);
            }
        }
        What::Health { reasons, .. } | What::Incident(reasons) => {
            for reason in reasons {
                visit(Field::Message, reason);
            }
        }
        What::Verdict { reasons, .. } => reasons.iter_mut().for_each(|why| why.each_name_mut(visit)),
        What::Kept(causes) => causes.iter_mut().for_each(|one| cause(one, visit)),
        What::Lost(failure) => visit(Field::Words(Where::Theirs), &mut failure.text),
        What::Changes(changes) => changes.iter_mut().for_each(|one| change(one, visit)),
        What::Grown { database, file, .. } => {
            maybe(visit, Field::Name(Kind::Database), database);
            maybe(visit, Field::Name(Kind::File), file);
        }
        What::Reported { objects, login, .. } => {
            for name in objects {
                visit(Field::Words(Where::Code), name);
            }
            maybe(visit, Field::Name(Kind::Login), login);
        }
        What::Deadlocks(_) | What::Gap(_) => {}
    }
}

fn cause(cause: &mut Cause, visit: Visit<'_>) {
    match cause {
        Cause::Verdict(why) => why.each_name_mut(visit),
        Cause::Note(text) | Cause::Sentence(text) => visit(Field::Message, text),
        Cause::Level(_) | Cause::ByHand => {}
    }
}

fn change(change: &mut Change, visit: Visit<'_>) {
    let values = match change.what {
        Subject::ServerName | Subject::Machine => Field::Name(Kind::Host),
        Subject::Property | Subject::Setting | Subject::Restart | Subject::Right | Subject::Database => {
            Field::Words(Where::Theirs)
        }
        Subject::QueryStore => Field::Words(Where::Ours),
        Subject::Plan | Subject::Regression => Field::Words(Where::Code),
    };
    let is_database = matches!(change.what, Subject::Database | Subject::QueryStore);
    let name = if is_database { Field::Name(Kind::Database) } else { values };
    maybe(visit, name, &mut change.name);
    maybe(visit, values, &mut change.before);
    maybe(visit, values, &mut change.after);
}

fn unavailable(problem: &mut Unavailable, visit: Visit<'_>) {
    match problem {
        Unavailable::NoRight(text)
        | Unavailable::Missing(text)
        | Unavailable::NotHere(text)
        | Unavailable::SwitchedOff(text) => visit(Field::Words(Where::Ours), text),
        Unavailable::Failed(failure) => visit(Field::Words(Where::Theirs), &mut failure.text),
        Unavailable::NotYet | Unavailable::NeedsTwoSamples => {}
    }
}

fn verdict(health: &mut Health, visit: Visit<'_>) {
    for reason in &mut health.reasons {
        reason.each_name_mut(visit);
    }
}

/// An instance with other names: `rename` gives what stands in each place instead. Its tag and the fingerprint of its
/// certificate are left out.
pub fn renamed_info(
    info: &InstanceInfo,
    rename: &mut dyn FnMut(Field, &Arc<str>) -> Arc<str>,
) -> InstanceInfo {
    let id: Arc<str> = info.id.as_str().into();
    InstanceInfo {
        id: InstanceId::new(rename(Field::Name(Kind::Instance), &id)),
        uid: rename(Field::Name(Kind::Uid), &info.uid),
        address: rename(Field::Name(Kind::Host), &info.address),
        groups: info.groups.iter().map(|group| rename(Field::Name(Kind::Group), group)).collect(),
        labels: info
            .labels
            .iter()
            .map(|(key, value)| {
                (rename(Field::Words(Where::Ours), key), rename(Field::Name(Kind::Group), value))
            })
            .collect(),
        tls: match info.tls {
            TlsMode::Pin(_) => TlsMode::Pin(Fingerprint([0; 32])),
            other => other,
        },
        poll: Arc::default(),
        tag: None,
        colors: info.colors.clone(),
        added_at: info.added_at,
    }
}
