//! The picture of a deadlock in lines. Called by `command::deadlock` and panes; it knows no colours.

use super::{
    Deadlock, Process,
    cycle::{Graph, Ring},
    pattern::{Pattern, fingerprint_of},
};
use crate::{
    model::base::figure::{push_size, wait},
    sql::normalize::squeeze,
};

use std::fmt::Write as _;

/// Characters of a statement in the picture.
const STATEMENT: usize = 120;

/// One line of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A party of the ring.
    Party {
        /// Its session, with the task of a parallel query.
        session: String,
        /// It was rolled back.
        victim: bool,
        /// `login@host`
        who: String,
        /// Its isolation level.
        isolation: String,
        /// Log that it would roll back.
        log: String,
        /// `usp_Pay:40`, if known.
        place: String,
        /// Its statement on one line.
        statement: String,
    },
    /// What it waits for.
    Waits {
        /// The mode that it wants.
        wants: String,
        /// The resource.
        on: String,
        /// How long it waited.
        waited: String,
        /// The mode in which it is held.
        held: String,
        /// By whom.
        by: String,
    },
}

/// What is said of a ring.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The kind of deadlock.
    pub pattern: Pattern,
    /// Its fingerprint: sixteen hexadecimal digits.
    pub fingerprint: String,
    /// Parties and waits by turns, the first party waits for the second.
    pub lines: Vec<Line>,
    /// The ring in a sentence.
    pub why: String,
}

/// A picture of each ring in a deadlock, the victim's first.
pub fn pictures(deadlock: &Deadlock) -> Vec<Picture> {
    let graph = Graph::of(deadlock);
    graph.rings().iter().map(|ring| picture(deadlock, &graph, ring)).collect()
}

fn picture(deadlock: &Deadlock, graph: &Graph, ring: &Ring) -> Picture {
    let mut lines = Vec::new();
    let mut why = Vec::new();
    for wait_ in ring.waits.iter().filter_map(|at| graph.waits.get(*at)) {
        let Some((task, resource)) =
            graph.task(deadlock, wait_.from).zip(deadlock.resources.get(wait_.resource))
        else {
            continue;
        };
        let victim = graph.parties.get(wait_.from).is_some_and(|party| party.victim);
        let holder = graph.task(deadlock, wait_.to).map(session).unwrap_or_default();
        lines.push(party(task, victim));
        lines.push(Line::Waits {
            wants: wait_.wants.clone(),
            on: resource.name(),
            waited: task.wait_ms.map_or_else(|| "?".to_owned(), |ms| wait(ms as f64)),
            held: wait_.held.clone(),
            by: holder.clone(),
        });
        let mode = |mode: &str| if mode.is_empty() { String::new() } else { format!("{mode} on ") };
        why.push(format!(
            "{} wants {}{}, which {holder} holds",
            session(task),
            mode(&wait_.wants),
            resource.name()
        ));
    }
    Picture {
        pattern: Pattern::of(deadlock, graph, ring),
        fingerprint: fingerprint_of(deadlock, graph, ring),
        lines,
        why: why.join("; "),
    }
}

/// `62`, or `62.3` for a task of a parallel query.
fn session(task: &Process) -> String {
    match (task.spid, task.ecid.filter(|ecid| *ecid > 0)) {
        (Some(spid), Some(ecid)) => format!("{spid}.{ecid}"),
        (Some(spid), None) => spid.to_string(),
        (None, _) => task.id.clone(),
    }
}

fn party(task: &Process, victim: bool) -> Line {
    let mut log = String::new();
    push_size(&mut log, task.log_used as f64);
    let place = task.place().filter(|frame| !frame.module.is_empty()).map(|frame| {
        // The last part of a three-part name is what people call it.
        let module = frame.module.rsplit('.').next().unwrap_or(&frame.module);
        frame.line.map_or_else(|| module.to_owned(), |line| format!("{module}:{line}"))
    });
    Line::Party {
        session: session(task),
        victim,
        who: match (task.login.is_empty(), task.host.is_empty()) {
            (false, false) => format!("{}@{}", task.login, task.host),
            (false, true) => task.login.clone(),
            _ => task.host.clone(),
        },
        isolation: task.isolation.clone(),
        log,
        place: place.unwrap_or_default(),
        statement: squeeze(task.statement(), STATEMENT),
    }
}

/// All deadlocks of a document as text. `when` says a moment.
pub fn text(deadlocks: &[Deadlock], when: impl Fn(&Deadlock) -> String) -> String {
    let mut out = String::new();
    for (at, deadlock) in deadlocks.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let pictures = pictures(deadlock);
        if pictures.is_empty() {
            let _ = writeln!(out, "{}: nobody waits in a ring; the report may be cut short", when(deadlock));
        }
        for (ring, picture) in pictures.iter().enumerate() {
            let of = if pictures.len() > 1 {
                format!(" · ring {} of {}", ring + 1, pictures.len())
            } else {
                String::new()
            };
            let _ = writeln!(
                out,
                "{} · {} · {}{of}",
                when(deadlock),
                picture.pattern.word(),
                picture.fingerprint
            );
            push_picture(&mut out, picture);
        }
    }
    out
}

fn push_picture(out: &mut String, picture: &Picture) {
    let last = picture.lines.len().saturating_sub(1);
    for (at, line) in picture.lines.iter().enumerate() {
        let edge = match at {
            0 => "╭▶",
            _ if at == last => "╰─",
            _ => "│ ",
        };
        let told = match line {
            Line::Party { session, victim, who, isolation, log, place, statement } => {
                let mark = if *victim { "✖ victim" } else { "" };
                format!("{session:<8} {mark:<8}  {who}  {isolation}  {log}  {place}  {statement}")
            }
            Line::Waits { wants, on, waited, held, by } => {
                format!("   waits {wants} on {on}   {waited}   held {held} by {by}")
            }
        };
        out.push_str("   ");
        out.push_str(edge);
        out.push(' ');
        out.push_str(told.trim_end());
        out.push('\n');
    }
    let _ = writeln!(out, "   why   {}\n   usual cure: {}", picture.why, picture.pattern.cure());
}
