//! From XML to [`Deadlock`]s. Events, bare graphs and lists of older tools are read; names are compared without regard to case,
//! and anything may be missing.

use super::{Deadlock, DeadlockError, Frame, Holder, Process, Resource};
use crate::{
    model::base::{
        text::{sanitize_block, sanitize_line},
        time::Timestamp,
    },
    xml::{Document, Element, LIMITS},
};

const MAX_NAME: usize = 512;
const MAX_TEXT: usize = 16_000;
/// Deadlocks of one document, tasks and resources of one deadlock: parallel queries have hundreds of tasks.
const MAX_EACH: usize = 4_096;
const MAX_FRAMES: usize = 64;

impl Deadlock {
    /// Reads all deadlocks in a document: an event of Extended Events, a `.xdl` file, a list.
    ///
    /// # Errors
    /// It is no XML, or no deadlock is in it.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, DeadlockError> {
        let document = Document::read(bytes, LIMITS)?;
        let mut found = Vec::new();
        for root in document.roots() {
            // The time and, in older lists, the victim stand on what holds the graph.
            let mut at = moment(root);
            let mut victim = root.get("victim");
            let whole = [root].into_iter().chain(root.descendants());
            for element in whole {
                if element.is("event") || element.is("deadlock-list") {
                    at = moment(element).or(at);
                    victim = element.get("victim");
                }
                if element.is("deadlock") && found.len() < MAX_EACH {
                    found.push(deadlock(element, at, victim));
                }
            }
        }
        if found.is_empty() {
            let root = document.roots().next().map_or("", Element::name);
            return Err(DeadlockError::None(line(root)));
        }
        Ok(found)
    }
}

fn moment(element: Element<'_>) -> Option<Timestamp> {
    Timestamp::parse(element.get("timestamp")?)
}

fn line(raw: &str) -> String {
    sanitize_line(raw, MAX_NAME).to_string()
}

fn name(element: Element<'_>, attribute: &str) -> String {
    line(element.get(attribute).unwrap_or_default())
}

fn block(raw: &str) -> String {
    let text = sanitize_block(raw.trim(), MAX_TEXT);
    // What the server could not tell any more is no statement.
    if text.eq_ignore_ascii_case("unknown") { String::new() } else { text.into_owned() }
}

fn deadlock(element: Element<'_>, at: Option<Timestamp>, list_victim: Option<&str>) -> Deadlock {
    let part = |name: &str| element.child(name).into_iter().flat_map(Element::children).take(MAX_EACH);
    let mut victims: Vec<String> = part("victim-list").map(|victim| name(victim, "id")).collect();
    victims.extend(element.get("victim").or(list_victim).map(line));
    victims.retain(|victim| !victim.is_empty());
    victims.sort();
    victims.dedup();
    let mut resources: Vec<Resource> = Vec::new();
    for entry in part("resource-list").map(resource) {
        merge(&mut resources, entry);
    }
    Deadlock {
        at: moment(element).or(at),
        victims,
        processes: part("process-list").map(process).collect(),
        resources,
    }
}

fn process(element: Element<'_>) -> Process {
    // 2022 writes the native stack beside it, by the same name of its frames: only this one is T-SQL.
    let frames = element.child("executionStack").into_iter().flat_map(Element::children);
    let isolation = name(element, "isolationlevel");
    let database = Some(name(element, "currentdbname")).filter(|name| !name.is_empty());
    Process {
        id: name(element, "id"),
        spid: element.count("spid"),
        ecid: element.count("ecid"),
        login: name(element, "loginname"),
        host: name(element, "hostname"),
        program: name(element, "clientapp"),
        database: database.unwrap_or_else(|| name(element, "currentdb")),
        isolation: isolation.split(" (").next().unwrap_or_default().to_owned(),
        priority: element.get("priority").and_then(|value| value.trim().parse().ok()).unwrap_or(0),
        log_used: element.count("logused").unwrap_or(0),
        wait_ms: element.count("waittime"),
        wait_resource: name(element, "waitresource"),
        transaction: name(element, "transactionname"),
        frames: frames.filter(|frame| frame.is("frame")).take(MAX_FRAMES).map(frame).collect(),
        input: element.child("inputbuf").map_or_else(String::new, |input| block(input.text())),
    }
}

fn frame(element: Element<'_>) -> Frame {
    let module = name(element, "procname");
    let known = !["adhoc", "unknown", "mssqlsystemresource.sys.sp_executesql"]
        .contains(&module.to_lowercase().as_str());
    Frame {
        module: if known { module } else { String::new() },
        line: element.count("line").filter(|line| *line > 0),
        text: block(element.text()),
        query_hash: name(element, "queryhash"),
    }
}

fn resource(element: Element<'_>) -> Resource {
    // With optimized locking the transaction is locked; what it changed stands within.
    let inner = element.find("UnderlyingResource").and_then(|under| under.children().next());
    let of = |attribute: &str| {
        let own = name(element, attribute);
        if own.is_empty() { inner.map_or_else(String::new, |inner| name(inner, attribute)) } else { own }
    };
    let holders = |list: &str| -> Vec<Holder> {
        let each = element.child(list).into_iter().flat_map(Element::children).take(MAX_EACH);
        let mut holders: Vec<Holder> = Vec::new();
        for holder in each.map(holder) {
            if !holder.process.is_empty() && !holders.contains(&holder) {
                holders.push(holder);
            }
        }
        holders
    };
    let id = ["id", "hash", "fileid", "dbid"].iter().map(|attribute| of(attribute)).find(|id| !id.is_empty());
    Resource {
        kind: line(element.name()),
        id: id.unwrap_or_default(),
        object: of("objectname"),
        index: of("indexname"),
        mode: of("mode"),
        owners: holders("owner-list"),
        waiters: holders("waiter-list"),
    }
}

fn holder(element: Element<'_>) -> Holder {
    Holder {
        process: name(element, "id"),
        mode: name(element, "mode"),
        converts: element.get("requestType").is_some_and(|kind| kind.eq_ignore_ascii_case("convert")),
    }
}

/// The entries of a report are edges: several of one resource are one resource.
fn merge(resources: &mut Vec<Resource>, entry: Resource) {
    let known = resources
        .iter_mut()
        .find(|known| !entry.id.is_empty() && known.kind == entry.kind && known.id == entry.id);
    let Some(known) = known else { return resources.push(entry) };
    for (list, more) in [(&mut known.owners, entry.owners), (&mut known.waiters, entry.waiters)] {
        for holder in more {
            if !list.contains(&holder) {
                list.push(holder);
            }
        }
    }
}
