//! From XML to [`Deadlock`]s. Events, bare graphs and lists of older tools are read; names are compared without regard to case,
//! and anything may be missing.

use super::{Deadlock, DeadlockError, Frame, Holder, Process, Resource};
use crate::{
    model::base::{
        text::{sanitize_block, sanitize_line},
        time::Timestamp,
    },
    xml::{Document, Element, LIMITS, XmlError},
};
use std::collections::{HashMap, HashSet};

const MAX_NAME: usize = 512;
const MAX_TEXT: usize = 16_000;
/// Deadlocks of one document, tasks and resources of one deadlock: parallel queries have hundreds of tasks.
const MAX_EACH: usize = 4_096;
const MAX_FRAMES: usize = 64;
/// The part of a thing that is all of it.
const WHOLE: &str = "FULL";

impl Deadlock {
    /// Reads all deadlocks in a document: an event of Extended Events, a `.xdl` file, a list. Of one that was cut it tells what
    /// is there.
    ///
    /// # Errors
    /// It is no XML, or no deadlock is in it; it was cut before anything was said of one.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, DeadlockError> {
        let (document, is_cut) = Document::read_as_far(bytes, LIMITS)?;
        let mut found = Vec::new();
        for (text, at) in gather(&document, None, &mut found) {
            match hidden(text) {
                Ok(graph) => drop(gather(&graph, at, &mut found)),
                Err(_) if is_cut => {}
                Err(error) => return Err(error.into()),
            }
        }
        if is_cut {
            // What is open at the end is the last one.
            if let Some(last) = found.last_mut() {
                last.is_cut = true;
            }
            found.retain(|deadlock| !deadlock.is_cut || !deadlock.processes.is_empty());
            if found.is_empty() {
                return Err(XmlError::Cut.into());
            }
        }
        if found.is_empty() {
            let root = document.roots().next().map_or("", Element::name);
            return Err(DeadlockError::None(line(root)));
        }
        Ok(found)
    }
}

/// Adds the deadlocks of a document; `at`: the time of what it stands in. Servers of 2008 and traces write the graph as a text
/// into the event: returns such texts, with their times.
fn gather<'a>(
    document: &'a Document,
    at: Option<Timestamp>,
    found: &mut Vec<Deadlock>,
) -> Vec<(&'a str, Option<Timestamp>)> {
    let mut texts = Vec::new();
    // What holds the graphs, by where it ends: the time and, in older lists, the victim stand there.
    let mut open: Vec<(u32, Option<Timestamp>, Option<&str>)> = vec![(u32::MAX, at, None)];
    for element in document.roots().flat_map(Element::whole) {
        open.retain(|(end, ..)| element.place() < *end);
        let (_, at, victim) = open.last().copied().unwrap_or_default();
        let own = moment(element);
        if element.is("deadlock") {
            if found.len() < MAX_EACH {
                found.push(deadlock(element, at, victim));
            }
        } else if element.is("event") {
            // The time of another event is not its own.
            open.push((element.end(), own, element.get("victim")));
        } else if element.is("deadlock-list") || own.is_some() {
            open.push((element.end(), own.or(at), element.get("victim")));
        }
        if let Some(text) = element.hidden("<deadlock").filter(|_| texts.len() < MAX_EACH) {
            texts.push((text, open.last().and_then(|(_, at, _)| *at)));
        }
    }
    texts
}

/// A graph that stands in an event as a text. The first servers with events forgot the begin of the deadlock and the end of its
/// victims.
fn hidden(text: &str) -> Result<Document, XmlError> {
    Document::read(text.as_bytes(), LIMITS).or_else(|error| {
        let is_old =
            text.contains("<deadlock-list>") && !text.contains("<deadlock>") && !text.contains("<deadlock ");
        let mended = text
            .replace("<victim-list>", "<deadlock><victim-list>")
            .replace("<process-list>", "</victim-list><process-list>");
        if !is_old {
            return Err(error);
        }
        let closed = if mended.contains("</deadlock>") {
            mended
        } else {
            mended.replace("</deadlock-list>", "</deadlock></deadlock-list>")
        };
        Document::read(closed.as_bytes(), LIMITS)
    })
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
    let resources = merged(part("resource-list").map(resource));
    let mut seen = HashSet::new();
    Deadlock {
        at: moment(element).or(at),
        victims,
        processes: part("process-list")
            .map(process)
            .filter(|p| p.id.is_empty() || seen.insert(p.id.clone()))
            .collect(),
        resources,
        is_cut: false,
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
        transaction_id: element.count("xactid"),
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
        let each = element.child(list).into_iter().flat_map(Element::children).take(MAX_EACH).map(holder);
        each.filter(|holder| !holder.process.is_empty()).collect()
    };
    // Numbers that tell places apart, where there is no id: a page is one of its file, and a transaction changes many rows of a table.
    let places =
        ["hash", "xdesIdLow", "xdesIdHigh", "dbid", "fileid", "pageid", "hobtid", "associatedObjectId"];
    let id = Some(of("id")).filter(|id| !id.is_empty()).unwrap_or_else(|| {
        let known: Vec<String> =
            places.iter().map(|place| of(place)).filter(|place| !place.is_empty()).collect();
        known.join(":")
    });
    let page =
        [of("fileid"), of("pageid")].into_iter().filter(|n| !n.is_empty()).collect::<Vec<_>>().join(":");
    let about =
        ["dbname", "subresource", "classid", "hash", "WaitType"].iter().map(|about| of(about)).chain([page]);
    let object = of("objectname");
    Resource {
        kind: line(element.name()),
        id,
        about: if object.is_empty() {
            about.filter(|about| !about.is_empty() && about != WHOLE).collect::<Vec<_>>().join(" ")
        } else {
            String::new()
        },
        object,
        under: inner.map_or_else(String::new, |inner| line(inner.name())),
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

/// The entries of a report are edges: several of one resource are one resource, with each holder once.
fn merged(entries: impl Iterator<Item = Resource>) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    for entry in entries {
        let place = if entry.id.is_empty() {
            resources.len()
        } else {
            *known.entry((entry.kind.clone(), entry.id.clone())).or_insert(resources.len())
        };
        match resources.get_mut(place) {
            Some(known) => {
                known.owners.extend(entry.owners);
                known.waiters.extend(entry.waiters);
            }
            None => resources.push(entry),
        }
    }
    for resource in &mut resources {
        for list in [&mut resource.owners, &mut resource.waiters] {
            let mut seen = HashSet::new();
            list.retain(|holder| seen.insert(holder.clone()));
        }
    }
    resources
}
