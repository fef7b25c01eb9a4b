//! Every place in what history keeps where a name may stand. What is not visited here is a number, a word of SQL Server or a
//! word of ours. Part of `scrub`.

use super::{Kind, Where};
use crate::model::{
    inventory::instance::{Fingerprint, InstanceId, InstanceInfo, TlsMode},
    judge::health::Health,
    poll::{
        State, activity::Request, link::Link, properties::Properties, reading::Unavailable,
        resource::Resource,
    },
    timeline::kept::Happened,
};
use std::sync::Arc;

/// What stands in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// a name and nothing else
    Name(Kind),
    /// words in which names may be
    Words(Where),
    /// what an Agent job said: anything may be in it
    Message,
}

type Visit<'a> = &'a mut dyn FnMut(Field, &mut Arc<str>);

fn maybe(visit: Visit<'_>, field: Field, text: &mut Option<Arc<str>>) {
    if let Some(text) = text {
        visit(field, text);
    }
}

/// Visits every text in what happened, statements aside: see [`Happened::each_statement_mut`].
pub fn each_field(what: &mut Happened, visit: Visit<'_>) {
    match what {
        Happened::Link { link: Link::Down { failure, .. }, .. } => {
            visit(Field::Words(Where::Theirs), &mut failure.text);
        }
        Happened::Reading { state: Err(problem), .. } => unavailable(problem, visit),
        Happened::Reading { state: Ok(state), .. } => in_state(state, visit),
        Happened::Health { health, .. } => verdict(health, visit),
        Happened::Link { .. } | Happened::Pace { .. } => {}
    }
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
        visit(Field::Words(Where::Theirs), &mut reason.text);
    }
}

fn in_state(state: &mut State, visit: Visit<'_>) {
    match state {
        State::Properties(p) => properties(Arc::make_mut(p), visit),
        State::Databases(rows) => {
            for row in Arc::make_mut(rows) {
                maybe(visit, Field::Name(Kind::Database), &mut row.name);
            }
        }
        State::Activity(a) => Arc::make_mut(a).requests.iter_mut().for_each(|r| request(r, visit)),
        State::Blocking(b) => {
            for node in Arc::make_mut(b).chains.iter_mut().flat_map(|c| &mut c.nodes) {
                request(&mut node.request, visit);
                if let Some(r) = &mut node.resource {
                    resource(r, visit);
                }
            }
        }
        State::Availability(rows) => {
            for row in Arc::make_mut(rows) {
                maybe(visit, Field::Name(Kind::Group), &mut row.group);
                maybe(visit, Field::Name(Kind::Database), &mut row.database);
                maybe(visit, Field::Name(Kind::Host), &mut row.replica);
            }
        }
        State::Volumes(rows) => {
            for mount in Arc::make_mut(rows).iter_mut().filter_map(|row| row.mount.as_mut()) {
                // `C:\\` and `/` are everybody's.
                if mount.len() > 3 {
                    visit(Field::Name(Kind::Volume), mount);
                }
            }
        }
        State::Jobs(rows) => {
            for row in Arc::make_mut(rows) {
                maybe(visit, Field::Name(Kind::Job), &mut row.job);
                maybe(visit, Field::Name(Kind::Job), &mut row.step);
                maybe(visit, Field::Message, &mut row.message);
            }
        }
        State::Rights(_)
        | State::Headline(_)
        | State::Waits(_)
        | State::Cpu(_)
        | State::Memory(_)
        | State::Cost(_) => {}
    }
}

fn properties(p: &mut Properties, visit: Visit<'_>) {
    maybe(visit, Field::Name(Kind::Host), &mut p.server_name);
    maybe(visit, Field::Name(Kind::Host), &mut p.machine_name);
    maybe(visit, Field::Words(Where::Ours), &mut p.os_name);
    maybe(visit, Field::Words(Where::Theirs), &mut p.transport);
}

fn request(r: &mut Request, visit: Visit<'_>) {
    maybe(visit, Field::Name(Kind::Database), &mut r.database);
    maybe(visit, Field::Name(Kind::Login), &mut r.login);
    maybe(visit, Field::Name(Kind::Host), &mut r.host);
    maybe(visit, Field::Name(Kind::Program), &mut r.program);
    maybe(visit, Field::Name(Kind::Address), &mut r.address);
    maybe(visit, Field::Name(Kind::Job), &mut r.job);
    maybe(visit, Field::Words(Where::Code), &mut r.wait_resource);
}

fn resource(r: &mut Resource, visit: Visit<'_>) {
    maybe(visit, Field::Name(Kind::Database), &mut r.database);
    maybe(visit, Field::Words(Where::Code), &mut r.object);
    maybe(visit, Field::Words(Where::Code), &mut r.detail);
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
    }
}
