//! The picture of a deadlock in lines. Called by `command::deadlock` and panes; it knows no colours.

use super::{
    Deadlock, Holder, Process, Resource,
    cycle::{Graph, Ring, Wait},
    pattern::{Pattern, fingerprint_of},
};
use crate::{
    model::base::figure::{counted, push_size, wait},
    sql::normalize::squeeze,
};

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

/// Waits of a ring that the sentence on it tells.
const MAX_WHY: usize = 8;

/// Rings of one report that are told as text: a parallel query with hundreds of tasks has as many.
const MAX_RINGS: usize = 20;

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
            deadlock.processes.get(wait_.waiter).zip(deadlock.resources.get(wait_.resource))
        else {
            continue;
        };
        let victim = graph.parties.get(wait_.from).is_some_and(|party| party.victim);
        let (waiter, holder) = (called(deadlock, graph, wait_.from), called(deadlock, graph, wait_.to));
        lines.push(party(task, waiter.clone(), victim));
        lines.push(Line::Waits {
            wants: wait_.wants.clone(),
            on: resource.name(),
            waited: task.wait_ms.map_or_else(|| "?".to_owned(), |ms| wait(ms as f64)),
            held: wait_.held.clone(),
            by: holder.clone(),
        });
        if why.len() == MAX_WHY {
            why.push(format!("… and so on, {} in all", counted(ring.waits.len(), "session")));
        }
        if why.len() > MAX_WHY {
            continue;
        }
        let mode = |mode: &str| if mode.is_empty() { String::new() } else { format!("{mode} on ") };
        why.push(format!("{waiter} wants {}{}, which {holder} holds", mode(&wait_.wants), resource.name()));
    }
    Picture {
        pattern: Pattern::of(deadlock, graph, ring),
        fingerprint: fingerprint_of(deadlock, graph, ring),
        lines,
        why: why.join("; "),
    }
}

/// How a party is called: by its session, whichever of its tasks waits.
fn called(deadlock: &Deadlock, graph: &Graph, party: usize) -> String {
    let several = graph.parties.get(party).is_some_and(|party| party.tasks.len() > 1);
    let Some(task) = graph.task(deadlock, party) else { return String::new() };
    task.spid.filter(|_| several).map_or_else(|| session(task), |spid| spid.to_string())
}

/// `62`, or `62.3` for a task of a parallel query.
fn session(task: &Process) -> String {
    match (task.spid, task.ecid.filter(|ecid| *ecid > 0)) {
        (Some(spid), Some(ecid)) => format!("{spid}.{ecid}"),
        (Some(spid), None) => spid.to_string(),
        (None, _) => task.id.clone(),
    }
}

fn party(task: &Process, session: String, victim: bool) -> Line {
    let mut log = String::new();
    push_size(&mut log, task.log_used as f64);
    let place = task.place().filter(|frame| !frame.module.is_empty()).map(|frame| {
        // The last part of a three-part name is what people call it.
        let module = frame.module.rsplit('.').next().unwrap_or(&frame.module);
        frame.line.map_or_else(|| module.to_owned(), |line| format!("{module}:{line}"))
    });
    Line::Party {
        session,
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
        let graph = Graph::of(deadlock);
        let rings = graph.rings();
        // Only those that are told need a picture.
        let told_rings = rings.iter().take(MAX_RINGS);
        let pictures: Vec<Picture> = told_rings.map(|ring| picture(deadlock, &graph, ring)).collect();
        if pictures.is_empty() {
            let _ = writeln!(out, "{}: {}", when(deadlock), no_ring(deadlock));
        }
        for (ring, picture) in pictures.iter().enumerate() {
            let of = if rings.len() > 1 {
                format!(" · ring {} of {}", ring + 1, rings.len())
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
        if let Some(more) = rings.len().checked_sub(MAX_RINGS).filter(|more| *more > 0) {
            let _ = writeln!(out, "   … and {} more: -o json has them all", counted(more, "ring"));
        }
        if deadlock.is_cut {
            let _ = writeln!(out, "   {CUT}");
        }
        let outside = outside(deadlock, &graph, &rings);
        if !outside.is_empty() && !pictures.is_empty() {
            out.push_str("   in no ring\n");
        }
        for line in &outside {
            let _ = writeln!(out, "      {}", told(line).trim_end());
        }
    }
    out
}

/// What is said of a report that ends in the middle.
pub const CUT: &str = "the report is cut short: sessions and locks may be missing";

/// Why there is no picture.
const fn no_ring(deadlock: &Deadlock) -> &'static str {
    if deadlock.processes.is_empty() {
        "no session is named in this report"
    } else {
        "nobody waits in a ring; the report may be cut short"
    }
}

fn push_picture(out: &mut String, picture: &Picture) {
    let last = picture.lines.len().saturating_sub(1);
    for (at, line) in picture.lines.iter().enumerate() {
        let edge = match at {
            0 => "╭▶",
            _ if at == last => "╰─",
            _ => "│ ",
        };
        let told = told(line);
        out.push_str("   ");
        out.push_str(edge);
        out.push(' ');
        out.push_str(told.trim_end());
        out.push('\n');
    }
    let _ = writeln!(out, "   why   {}\n   usual cure: {}", picture.why, picture.pattern.cure());
}

/// A line without its edge.
fn told(line: &Line) -> String {
    match line {
        Line::Party { session, victim, who, isolation, log, place, statement } => {
            let mark = if *victim { "✖ victim" } else { "" };
            format!("{session:<8} {mark:<8}  {who}  {isolation}  {log}  {place}  {statement}")
        }
        Line::Waits { .. } => format!("   {}", waits_told(line)),
    }
}

/// `waits S on key of … 4.1 s   held X by 88`; what has no modes is told without them. Empty for a party.
pub fn waits_told(line: &Line) -> String {
    let Line::Waits { wants, on, waited, held, by } = line else { return String::new() };
    let wants = if wants.is_empty() { "for".to_owned() } else { format!("{wants} on") };
    let held = if held.is_empty() { String::new() } else { format!(" {held}") };
    let by = if by.is_empty() {
        "   nobody is told to hold it".to_owned()
    } else {
        format!("   held{held} by {by}")
    };
    format!("waits {wants} {on}   {waited}{by}")
}

/// Who is in no ring, with what each waits for: behind a ring, or in a report that was cut short.
fn outside(deadlock: &Deadlock, graph: &Graph, rings: &[Ring]) -> Vec<Line> {
    let waits = rings.iter().flat_map(|ring| &ring.waits).filter_map(|at| graph.waits.get(*at));
    let in_ring: HashSet<usize> = waits.map(|wait| wait.from).collect();
    // The first wait of each party, and the first resource that each task asks for: a report has thousands of both.
    let mut waits: HashMap<usize, &Wait> = HashMap::new();
    for wait in &graph.waits {
        waits.entry(wait.from).or_insert(wait);
    }
    let mut asked: HashMap<&str, (&Resource, &Holder)> = HashMap::new();
    for resource in &deadlock.resources {
        for waiter in &resource.waiters {
            asked.entry(waiter.process.as_str()).or_insert((resource, waiter));
        }
    }
    let mut lines = Vec::new();
    for (at, of) in graph.parties.iter().enumerate().filter(|(at, _)| !in_ring.contains(at)) {
        let known = waits.get(&at);
        let first = known.map(|wait| wait.waiter).or_else(|| of.tasks.first().copied());
        let Some(task) = first.and_then(|first| deadlock.processes.get(first)) else { continue };
        lines.push(party(task, called(deadlock, graph, at), of.victim));
        if let Some((resource, waiter)) = asked.get(task.id.as_str()) {
            lines.push(Line::Waits {
                wants: waiter.mode.clone(),
                on: resource.name(),
                waited: task.wait_ms.map_or_else(|| "?".to_owned(), |ms| wait(ms as f64)),
                held: known.map(|wait| wait.held.clone()).unwrap_or_default(),
                by: known.map(|wait| called(deadlock, graph, wait.to)).unwrap_or_default(),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// `n` sessions that queue for what two who lock each other hold, each behind the one before: in no ring, and thousands of waits.
    fn queue(n: usize) -> Deadlock {
        let id = |at: usize| format!("p{at}");
        let process = |at: usize| Process { id: id(at), spid: Some(50 + at as u64), ..Process::default() };
        let holder = |at: usize| Holder { process: id(at), mode: "X".to_owned(), converts: false };
        let lock = |n: usize, owner: usize, waiters: Vec<usize>| Resource {
            kind: "keylock".to_owned(),
            id: n.to_string(),
            owners: vec![holder(owner)],
            waiters: waiters.into_iter().map(holder).collect(),
            ..Resource::default()
        };
        let ring = [lock(0, 0, vec![1]), lock(1, 1, vec![0])];
        let chain = (2..n).map(|at| lock(at, at - 1, vec![at]));
        Deadlock {
            victims: (0..n).map(id).collect(),
            processes: (0..n).map(process).collect(),
            resources: ring.into_iter().chain(chain).collect(),
            ..Deadlock::default()
        }
    }

    #[test]
    fn more_sessions_take_longer_in_proportion() {
        let takes = |n: usize| {
            let all = [queue(n)];
            let tries = (0..3).map(|_| {
                let began = Instant::now();
                let told = text(&all, |_| String::new());
                assert!(told.contains("in no ring") && told.lines().count() >= 2 * n - 4, "{n}: {told}");
                began.elapsed()
            });
            tries.min().unwrap_or_default()
        };
        let (small, large) = (takes(100), takes(3_200));
        // Were it quadratic it would be 1,024 times; the machine does other work.
        assert!(large < small.max(Duration::from_micros(200)) * 350, "{small:?} and {large:?}");
    }
}
