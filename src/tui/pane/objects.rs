//! What is waited for, object by object: the waits that are outstanding now, added up from the requests and the blocking chains of
//! the instances in scope. Called by Blocking, for all of them, and by Waits, for those of one type.

use super::request;
use crate::{
    model::{
        base::figure,
        fold::snapshot::InstanceSnapshot,
        poll::{activity::Request, resource::Resource},
    },
    tui::{view::View, widget::document::Document},
};
use std::{collections::BTreeMap, fmt::Write as _};

/// Objects that are listed.
const MOST: usize = 40;
/// Sessions of an object that are named.
const MOST_SESSIONS: usize = 8;

/// The waits for one object.
#[derive(Debug)]
struct Waited {
    instance: String,
    object: String,
    /// all together, ms
    ms: i64,
    longest_ms: i64,
    waits: Vec<String>,
    sessions: Vec<i32>,
    blockers: Vec<i32>,
}

/// Adds up what is waited for on an instance.
fn of_instance(i: &InstanceSnapshot, is_meant: &dyn Fn(&Request) -> bool, all: &mut Vec<Waited>) {
    let chains = i.facts.blocking.get().map_or(&[][..], |blocking| &blocking.chains);
    let nodes = chains.iter().flat_map(|chain| &chain.nodes);
    // Blocking has asked for names, and a lock mode; activity knows those that wait for no session.
    let mut known: BTreeMap<i32, (&Request, Option<Resource>)> = BTreeMap::new();
    for node in nodes {
        known.insert(node.request.session_id, (&node.request, node.resource.clone()));
    }
    let requests = i.facts.activity.get().map_or(&[][..], |activity| &activity.requests);
    for r in requests {
        known.entry(r.session_id).or_insert_with(|| (r, request::resource(i, r)));
    }
    for (session, (r, resource)) in &known {
        let (Some(wait), Some(resource)) = (&r.wait_type, resource) else { continue };
        if !is_meant(r) || resource.database.is_none() && resource.object.is_none() {
            continue;
        }
        let mut object = String::new();
        request::push_object(&mut object, resource);
        if resource.is_nameless()
            && let Some(id) = &resource.object
        {
            let _ = write!(object, " ({id})");
        }
        let ms = r.wait_ms.unwrap_or(0).max(0);
        let at = all.iter().position(|w| w.instance == i.id().as_str() && w.object == object);
        let at = at.unwrap_or_else(|| {
            all.push(Waited {
                instance: i.id().to_string(),
                object,
                ms: 0,
                longest_ms: 0,
                waits: Vec::new(),
                sessions: Vec::new(),
                blockers: Vec::new(),
            });
            all.len() - 1
        });
        let Some(waited) = all.get_mut(at) else { continue };
        waited.ms = waited.ms.saturating_add(ms);
        waited.longest_ms = waited.longest_ms.max(ms);
        waited.sessions.push(*session);
        let wait = format!("{wait} on {}", resource.kind);
        if !waited.waits.contains(&wait) {
            waited.waits.push(wait);
        }
        let blocker = r.blocked_by.filter(|by| *by != 0 && !waited.blockers.contains(by));
        waited.blockers.extend(blocker);
    }
    // Who waits for nobody is the one to look at.
    let waits = |by: &i32| known.get(by).is_some_and(|(r, _)| r.blocked_by.is_some_and(|other| other != 0));
    for waited in all.iter_mut().filter(|waited| waited.instance == i.id().as_str()) {
        waited.blockers.sort_by_key(|by| (waits(by), *by));
    }
}

/// Tells them, the longest wait first. Nothing where nobody waits for an object.
pub fn tell<'a>(
    instances: impl Iterator<Item = &'a InstanceSnapshot>,
    is_meant: &dyn Fn(&Request) -> bool,
    view: &View<'_>,
    d: &mut Document,
) {
    let mut all = Vec::new();
    for i in instances {
        of_instance(i, is_meant, &mut all);
    }
    all.sort_by(|a, b| b.ms.cmp(&a.ms).then_with(|| a.object.cmp(&b.object)));
    let is_one = view.single().is_some();
    for waited in all.iter_mut().take(MOST) {
        waited.sessions.sort_unstable();
        let whose = if is_one { String::new() } else { format!("{}: ", waited.instance) };
        d.text(format!("{whose}{}", waited.object), view.theme.strong);
        let mut line = String::from("  ");
        figure::push_counted(&mut line, waited.sessions.len() as u64, "session");
        line.push_str(if waited.sessions.len() == 1 { " waits, together " } else { " wait, together " });
        figure::push_wait(&mut line, waited.ms as f64);
        line.push_str(", longest ");
        figure::push_wait(&mut line, waited.longest_ms as f64);
        let _ = write!(line, "  {}", waited.waits.join(", "));
        d.text(line, view.theme.base);
        let mut line = String::from("  ");
        let names: Vec<String> =
            waited.sessions.iter().take(MOST_SESSIONS).map(ToString::to_string).collect();
        line.push_str(&names.join(", "));
        if waited.sessions.len() > MOST_SESSIONS {
            let _ = write!(line, ", +{}", waited.sessions.len() - MOST_SESSIONS);
        }
        for (n, by) in waited.blockers.iter().take(MOST_SESSIONS).enumerate() {
            line.push_str(if n == 0 { "  for " } else { ", " });
            request::push_blocker(&mut line, *by);
        }
        d.text(line, view.theme.dim);
    }
    if all.len() > MOST {
        d.text(format!("and {} more objects", all.len() - MOST), view.theme.dim);
    }
}

/// All of them in scope.
pub fn document(view: &View<'_>) -> Document {
    let mut d = Document::new("What is waited for, by object");
    tell(view.instances().map(|(_, i)| &**i), &|_| true, view, &mut d);
    if d.lines.is_empty() {
        d.text("Nobody waits for an object now.", view.theme.dim);
    }
    d
}
