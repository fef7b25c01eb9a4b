//! All about one instance, to read: product, connection, rights, polled readings, and things that have no pane of their
//! own yet: databases, volumes, availability groups, failed jobs.

use super::{
    super::{fleet::columns, reading},
    contents, words,
};
use crate::{
    model::{
        base::figure,
        fold::snapshot::InstanceSnapshot,
        judge::health::Topic,
        poll::{
            availability::ReplicaRow, jobs::FailedJobRow, properties::Properties, reading::Reading,
            rights::Right, volumes::VolumeRow,
        },
    },
    tui::{
        view::View,
        widget::{canvas, document::Document},
    },
};
use std::{fmt::Write as _, sync::Arc};

/// Most lines that a list has.
const MOST: usize = 60;

/// The document.
pub fn document(i: &InstanceSnapshot, view: &View<'_>) -> Document {
    document_of(i, view, None)
}

/// The parts of the document, in their usual order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Server,
    Rights,
    Polled,
    Volumes,
    Availability,
    Jobs,
    Databases,
    Options,
    Changes,
}

impl Section {
    const ALL: [Self; 9] = [
        Self::Server,
        Self::Rights,
        Self::Polled,
        Self::Volumes,
        Self::Availability,
        Self::Jobs,
        Self::Databases,
        Self::Options,
        Self::Changes,
    ];

    /// The part with the evidence of a topic.
    const fn of(topic: Topic) -> Self {
        match topic {
            Topic::Storage => Self::Volumes,
            Topic::Availability => Self::Availability,
            Topic::Jobs => Self::Jobs,
            Topic::Databases => Self::Databases,
            Topic::Rights => Self::Rights,
            _ => Self::Server,
        }
    }
}

/// The document, with the evidence of a topic before all other parts.
pub fn document_of(i: &InstanceSnapshot, view: &View<'_>, topic: Option<Topic>) -> Document {
    let mut d = Document::new(i.id().as_str());
    reasons(&mut d, i, view);
    let first = topic.map(Section::of);
    let rest = Section::ALL.into_iter().filter(|section| Some(*section) != first);
    for section in first.into_iter().chain(rest) {
        let f = &i.facts;
        match section {
            Section::Server => properties(&mut d, i, view),
            Section::Rights => rights(&mut d, i, view),
            Section::Polled => polled(&mut d, i, view),
            Section::Volumes => {
                list(&mut d, "volumes", i, &f.volumes, view, |d, v, view| volume(d, i, v, view));
            }
            Section::Availability => {
                d.head("availability groups");
                match f.availability.get() {
                    None => absent(&mut d, i, &f.availability, view),
                    Some(all) => replicas(&mut d, all, view),
                }
            }
            Section::Jobs => list(&mut d, "jobs that failed within a day", i, &f.jobs, view, job),
            Section::Databases => contents::list_databases(&mut d, i, view),
            Section::Changes => contents::list_changes(&mut d, i, view),
            Section::Options => options(&mut d, i, view),
        }
    }
    d
}

fn reasons(d: &mut Document, i: &InstanceSnapshot, view: &View<'_>) {
    let t = view.theme;
    d.field("health", reading::level_style(t, i.health.level), |s| push_verdict(s, i));
    for r in &i.health.reasons {
        let mut line = String::from(reading::sign_of(r));
        let _ = write!(line, " {}", r.told(view.zone));
        if r.points > 0 {
            let _ = write!(line, " (−{})", r.points);
        }
        d.text(line, reading::level_style(t, r.level));
    }
}

/// `✖ critical, score 21`.
pub fn push_verdict(s: &mut String, i: &InstanceSnapshot) {
    let _ = write!(s, "{} {}", reading::sign(&i.health), i.health.level.word());
    if let Some(score) = i.health.score {
        let _ = write!(s, ", score {score}");
    }
}

fn properties(d: &mut Document, i: &InstanceSnapshot, view: &View<'_>) {
    let t = view.theme;
    d.head("server");
    d.field("address", t.base, |s| s.push_str(view.address(&i.info)));
    let tls = if i.info.tls.is_insecure() { t.critical } else { t.base };
    d.field("TLS", tls, |s| {
        s.push_str(columns::tls_words(i.info.tls));
        // It is what the line will have to be: nothing was verified yet.
        if i.facts.properties.get().is_none() && i.facts.headline.get().is_none() {
            s.push_str(", once it is reached");
        }
    });
    d.field("in the log", t.dim, |s| s.push_str(i.info.tag.as_deref().unwrap_or_default()));
    d.field("link", t.base, |s| reading::push_link(s, i, view));
    let Some(p) = i.facts.properties.get() else { return absent(d, i, &i.facts.properties, view) };
    let texts = [
        ("server name", &p.server_name),
        ("machine", &p.machine_name),
        ("edition", &p.edition),
        ("version", &p.version),
        ("OS", &p.os_name),
        ("collation", &p.collation),
        ("transport", &p.transport),
    ];
    d.field("product", t.base, |s| words::push_product(s, p));
    for (name, text) in texts {
        d.field(name, t.base, |s| s.push_str(text.as_deref().unwrap_or("")));
    }
    d.field("CPUs", t.base, |s| push_cpus(s, i, p));
    for (name, kb) in [("memory", p.physical_memory_kb), ("memory target", p.target_memory_kb)] {
        d.field(name, t.base, |s| {
            if let Some(kb) = kb {
                figure::push_size(s, kb as f64 * 1024.0);
            }
        });
    }
    d.field("started", t.base, |s| {
        if let Some(at) = i.facts.headline.get().and_then(|h| h.started_at).or(p.started_at) {
            view.zone.push_instant(s, at);
        }
    });
    d.field("UTC offset", t.base, |s| {
        if let Some(min) = p.utc_offset_min {
            let _ =
                write!(s, "{}{:02}:{:02}", if min < 0 { '-' } else { '+' }, min.abs() / 60, min.abs() % 60);
        }
    });
    d.field("clock", t.base, |s| {
        if let Some(ms) = p.clock_skew_ms.filter(|ms| ms.abs() >= 1000) {
            figure::push_wait(s, ms.unsigned_abs() as f64);
            s.push_str(if ms > 0 { " ahead of ours" } else { " behind ours" });
        }
    });
}

/// CPUs of the machine, NUMA nodes, and how many of the CPUs SQL Server may run on.
fn push_cpus(s: &mut String, i: &InstanceSnapshot, p: &Properties) {
    if let Some(n) = p.cpu_count {
        let _ = write!(s, "{n}");
    }
    if let Some(n) = p.numa_nodes {
        let _ = write!(s, " on {n} NUMA node{}", if n == 1 { "" } else { "s" });
    }
    if let Some(cpus) = words::cpus_in_use(i) {
        let may_run = cpus.may_run;
        let _ = write!(s, "; SQL Server may run on {may_run}: its edition or affinity leaves out the others");
    }
}

/// The options, as `sp_configure` would show them.
fn options(d: &mut Document, i: &InstanceSnapshot, view: &View<'_>) {
    let Some(all) = i.facts.properties.get().and_then(|p| p.options.as_ref()) else { return };
    d.head("configuration");
    for option in all.iter() {
        let words = option.words().unwrap_or_else(|| "–".to_owned());
        let waits = option.in_use.is_some() && option.configured.is_some_and(|c| Some(c) != option.in_use);
        let style = if waits { view.theme.warning } else { view.theme.base };
        d.text(format!("{:<36} {words}", option.name), style);
    }
}

/// True for a right that servers before 2022 have not: a half of VIEW SERVER STATE.
fn is_half(right: &Right) -> bool {
    right.name.starts_with("VIEW SERVER ") && &*right.name != "VIEW SERVER STATE"
}

fn rights(d: &mut Document, i: &InstanceSnapshot, view: &View<'_>) {
    let t = view.theme;
    d.head("rights");
    let Some(rights) = i.facts.rights.get() else { return absent(d, i, &i.facts.rights, view) };
    for r in &rights.rights {
        let (word, means, style) = match r.held {
            Some(true) => ("● held     ", r.gives.to_string(), t.ok),
            Some(false) => ("▲ missing  ", r.loss(), t.warning),
            None if is_half(r) => ("○ n/a      ", "before 2022".to_owned(), t.dim),
            None => ("○ unknown  ", r.gives.to_string(), t.dim),
        };
        d.text(format!("{word} {}: {means}", r.name), style);
    }
}

fn polled(d: &mut Document, i: &InstanceSnapshot, view: &View<'_>) {
    let t = view.theme;
    d.head("what is polled");
    for p in words::polled(&i.facts) {
        let style = if p.problem.is_some() { t.dim } else { t.base };
        d.field(p.name, style, |s| {
            if let Some(at) = p.at {
                reading::push_calm_age(s, view.now.ms_since(at));
                s.push_str(" old");
            }
            if p.every_ms > 0 {
                s.push_str(if s.is_empty() { "every " } else { ", every " });
                figure::push_span(s, i64::from(p.every_ms));
            }
            if let Some(problem) = p.problem {
                s.push_str(if s.is_empty() { "" } else { ": " });
                let _ = write!(s, "{problem}");
            }
        });
    }
}

fn absent<T>(d: &mut Document, i: &InstanceSnapshot, r: &Reading<T>, view: &View<'_>) {
    let mut why = String::new();
    reading::push_absence(&mut why, i, r.problem.as_ref(), view);
    d.text(why, view.theme.dim);
}

/// A heading and a line for each row of a reading, or why there is none.
fn list<T>(
    d: &mut Document,
    head: &str,
    i: &InstanceSnapshot,
    rows: &Reading<Arc<Vec<T>>>,
    view: &View<'_>,
    line: impl Fn(&mut Document, &T, &View<'_>),
) {
    d.head(head);
    match rows.get() {
        None => absent(d, i, rows, view),
        Some(all) if all.is_empty() => d.text("none", view.theme.dim),
        Some(all) => {
            for row in all.iter().take(MOST) {
                line(d, row, view);
            }
            if all.len() > MOST {
                d.text(format!("and {} more", all.len() - MOST), view.theme.dim);
            }
        }
    }
}

fn volume(d: &mut Document, i: &InstanceSnapshot, v: &VolumeRow, view: &View<'_>) {
    let mut line = String::new();
    if let (Some(free), Some(total)) = (v.free_bytes, v.total_bytes.filter(|t| *t > 0)) {
        figure::push_pct(&mut line, free as f64 / total as f64 * 100.0);
        line.push_str(" free: ");
        figure::push_size(&mut line, free as f64);
        line.push_str(" of ");
        figure::push_size(&mut line, total as f64);
    } else {
        line.push_str("size not known");
    }
    // The name is last: on Linux it is a path of any length.
    let line = format!("{line:<36} {}", v.mount.as_deref().unwrap_or("–"));
    match contents::guilt(i, v) {
        Some(r) => d.text(
            format!("{line}  {} {}", reading::sign_of(r), r.told(view.zone)),
            reading::level_style(view.theme, r.level),
        ),
        None => d.text(line, view.theme.base),
    }
}

/// The replicas in columns; those that are behind or stand still first.
fn replicas(d: &mut Document, all: &[ReplicaRow], view: &View<'_>) {
    const HEAD: [&str; 8] = ["GROUP", "DATABASE", "REPLICA", "ROLE", "STATE", "LAG", "SEND", "REDO"];
    if all.is_empty() {
        return d.text("none", view.theme.dim);
    }
    let mut rows: Vec<&ReplicaRow> = all.iter().collect();
    let queue = |r: &ReplicaRow| r.send_queue_kb.unwrap_or(0).max(r.redo_queue_kb.unwrap_or(0));
    rows.sort_by_key(|r| (r.suspended != Some(true), std::cmp::Reverse((r.lag_s.unwrap_or(0), queue(r)))));
    let cells: Vec<[String; 8]> = rows.iter().take(MOST).map(|r| replica(r)).collect();
    let mut widths = HEAD.map(canvas::width);
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(canvas::width(cell));
        }
    }
    let line = |row: &[String; 8]| {
        let mut line = String::new();
        for (n, (cell, width)) in row.iter().zip(widths).enumerate() {
            let blanks = " ".repeat(width - canvas::width(cell));
            // Figures stand right.
            line.push_str(if n >= 5 { &blanks } else { "" });
            line.push_str(cell);
            line.push_str(if n >= 5 { "" } else { &blanks });
            line.push_str("  ");
        }
        line.trim_end().to_owned()
    };
    d.text(line(&HEAD.map(str::to_owned)), view.theme.dim);
    for (row, r) in cells.iter().zip(rows) {
        let stands = r.suspended == Some(true);
        d.text(line(row), if stands { view.theme.warning } else { view.theme.base });
    }
    if all.len() > MOST {
        d.text(format!("and {} more", all.len() - MOST), view.theme.dim);
    }
}

fn replica(r: &ReplicaRow) -> [String; 8] {
    let text = |part: &Option<Arc<str>>| part.as_deref().unwrap_or("–").to_owned();
    let size = |kb: Option<i64>| {
        let mut out = String::new();
        match kb {
            Some(kb) => figure::push_size(&mut out, kb as f64 * 1024.0),
            None => out.push('–'),
        }
        out
    };
    let mut state = text(&r.state);
    if r.suspended == Some(true) {
        state.push_str(", suspended");
    }
    let mut lag = String::new();
    match r.lag_s {
        Some(s) => figure::push_wait(&mut lag, s as f64 * 1000.0),
        None => lag.push('–'),
    }
    let (send, redo) = (size(r.send_queue_kb), size(r.redo_queue_kb));
    [text(&r.group), text(&r.database), text(&r.replica), text(&r.role), state, lag, send, redo]
}

fn job(d: &mut Document, j: &FailedJobRow, view: &View<'_>) {
    let mut line = String::new();
    if let Some(at) = j.at {
        view.zone.push_since(&mut line, at, view.now);
        line.push_str("  ");
    }
    line.push_str(j.job.as_deref().unwrap_or("–"));
    if let Some(step) = &j.step {
        let _ = write!(line, ", step {step}");
    }
    if let Some(message) = &j.message {
        let _ = write!(line, ": {message}");
    }
    d.text(line, view.theme.base);
}
