//! An instance in words, besides its figures: product, connection, rights, missing readings, groups.

use super::super::{fleet::columns, reading};
use crate::{
    model::{
        base::{figure, time::Timestamp},
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        judge::{health::Level, why::CpusInUse},
        poll::{
            Facts,
            link::Link,
            properties::{Platform, Properties},
            reading::{Reading, Unavailable},
            rights::Rights,
        },
        timeline::reach::{self, Outage, Reached, Span},
    },
    protocol::{Answer, Query},
    tui::{theme::Theme, view::View},
};
use ratatui::style::Style;
use std::{borrow::Cow, fmt::Write as _, sync::Arc};

/// `SQL Server 2019 CU27 Enterprise`.
pub fn push_product(out: &mut String, p: &Properties) {
    let edition = p.edition.as_deref().unwrap_or("");
    match p.engine_edition {
        Some(5) => return out.push_str("Azure SQL Database"),
        Some(8) => return out.push_str("Azure SQL Managed Instance"),
        _ => out.push_str("SQL Server "),
    }
    columns::push_version(out, p);
    // `Enterprise Edition: Core-based Licensing (64-bit)` says no more than its first words.
    let short = edition.split(" Edition").next().unwrap_or("").trim();
    if !short.is_empty() {
        out.push(' ');
        out.push_str(short);
    }
}

/// `SQL Server 2019 CU27 Enterprise · Windows · 16 cpu · 128 GB · up 41d · TLS verified`.
pub fn push_properties(out: &mut String, i: &InstanceSnapshot, view: &View<'_>) {
    let Some(p) = i.facts.properties.get() else {
        out.push_str("version not known yet: ");
        return reading::push_why(out, i, i.facts.properties.problem.as_ref(), view);
    };
    push_product(out, p);
    match p.platform {
        Platform::Windows => out.push_str(" · Windows"),
        Platform::Linux => out.push_str(" · Linux"),
        Platform::Unknown => {}
    }
    // Writing to a String cannot fail.
    if let Some(n) = p.cpu_count {
        out.push_str(" · ");
        if let Some(cpus) = cpus_in_use(i) {
            let _ = write!(out, "{} of ", cpus.may_run);
        }
        let _ = write!(out, "{n} cpu");
    }
    if let Some(kb) = p.physical_memory_kb {
        out.push_str(" · ");
        figure::push_size(out, kb as f64 * 1024.0);
    }
    let started = i.facts.headline.get().and_then(|h| h.started_at).or(p.started_at);
    if let Some(at) = started {
        out.push_str(" · up ");
        push_uptime(out, view.now - at);
    }
    // The title says it in red and first when a line is not protected.
    if !i.info.tls.is_insecure() {
        let _ = write!(out, " · TLS {}", columns::tls_words(i.info.tls));
    }
}

/// The CPUs of the machine and those that SQL Server may run on, where that is not the same.
pub fn cpus_in_use(i: &InstanceSnapshot) -> Option<CpusInUse> {
    let cpus = i.facts.properties.get().and_then(|p| p.cpu_count);
    CpusInUse::of(i.facts.cpu.get().and_then(|c| c.schedulers), cpus)
}

/// `up` in days once hours no longer matter.
fn push_uptime(out: &mut String, ms: i64) {
    let days = ms / 86_400_000;
    if days >= 10 {
        let _ = write!(out, "{days}d");
    } else {
        figure::push_span(out, ms);
    }
}

/// A line at the foot of the pane: a name, and pieces of text.
pub type Line = (&'static str, Vec<(Style, String)>);

/// The lines of the foot, most important first.
pub fn foot(i: &InstanceSnapshot, view: &View<'_>) -> Vec<Line> {
    let mut lines = vec![("link", link(i, view))];
    lines.extend(reached(i, view).map(|pieces| ("reached", pieces)));
    lines.extend(rights(i, view));
    let holes = holes(&i.facts, view.theme);
    // Without a connection everything is missing, and the line above says why.
    if !holes.is_empty() && !matches!(i.facts.link, Link::Down { .. }) {
        lines.push(("missing", holes));
    }
    let groups = groups(i, view.theme);
    if !groups.is_empty() {
        lines.push(("groups", groups));
    }
    lines
}

/// State of the connection: its start, the age of the newest answer, the last error.
fn link(i: &InstanceSnapshot, view: &View<'_>) -> Vec<(Style, String)> {
    let (t, f) = (view.theme, &i.facts);
    let (mut state, mut more) = (String::new(), String::new());
    let style = if let Link::Down { failure, attempts, next_at } = &f.link {
        state.push_str(failure.kind.words());
        if let Some(n) = failure.number {
            let _ = write!(state, " ({n})");
        }
        push_since(&mut state, f, view);
        reading::push_attempts(&mut state, *attempts, *next_at, view);
        t.critical
    } else {
        reading::push_link(&mut state, i, view);
        push_since(&mut state, f, view);
        t.base
    };
    if let Some(at) = f.last_good_at {
        more.push_str(" · last answer ");
        reading::push_calm_age(&mut more, view.now.ms_since(at));
        more.push_str(" ago");
    }
    if let Link::Down { failure, .. } = &f.link {
        more.push_str(" · ");
        more.push_str(view.failure(failure));
    } else if f.headline.every_ms > 0 {
        more.push_str(" · polled every ");
        figure::push_span(&mut more, i64::from(f.headline.every_ms));
    }
    let _ = write!(more, " · {}", view.address(&i.info));
    vec![(style, state), (t.dim, more)]
}

/// The stretches that the page tells of, the longest first, and their names.
const STRETCHES: [(i64, &str); 2] = [(7 * 86_400_000, "7 d"), (86_400_000, "24 h")];

/// The question that the line about reachability is made of. It ends with a whole minute, so that it is asked once a minute.
pub fn reach_query(instance: &InstanceId, now: Timestamp) -> Query {
    let to = Timestamp::from_ms(now.ms().div_euclid(60_000) * 60_000);
    Query::Reach { instance: instance.clone(), from: to.plus_ms(-STRETCHES[0].0), to }
}

/// `99.98 % of 7 d · 100 % of 24 h · last outage 14:02:10, 3m12s`. What is known of the last 24 h alone is said once. None until
/// history has answered.
fn reached(i: &InstanceSnapshot, view: &View<'_>) -> Option<Vec<(Style, String)>> {
    let of = |asked: &Query| match asked {
        // The answer of a minute ago will do until the next one is there; that of another moment will not.
        Query::Reach { instance, to, .. } => {
            instance == i.id() && (0..5 * 60_000).contains(&(view.now - *to))
        }
        _ => false,
    };
    let Some((Query::Reach { to, .. }, Answer::Reach(facts))) = view.charts.newest(of) else { return None };
    let (facts, to) = with_link(facts, i, *to, view.now);
    let all = STRETCHES.map(|(ms, _)| facts.reached(to.plus_ms(-ms), to));
    let style = |reached: &Reached| if reached.known_ms > 0 { view.theme.base } else { view.theme.dim };
    let mut pieces = Vec::new();
    if all[1].is_all_of(&all[0]) {
        let mut text = String::new();
        all[1].push_known(&mut text);
        pieces.push((style(&all[1]), text));
    } else {
        for (reached, (_, length)) in all.iter().zip(STRETCHES) {
            let mut text = String::from(if pieces.is_empty() { "" } else { " · " });
            reached.push(&mut text, length);
            pieces.push((style(reached), text));
        }
    }
    if let Some(outage) = all[0].last {
        let mut text = String::from(" · ");
        outage.push(&mut text, view.now, view.zone);
        pieces.push((view.theme.dim, text));
    }
    Some(pieces)
}

/// What history knows, and what the link says now: an outage that goes on may be too young for history, or older than it keeps.
/// What was polled since the answer came counts at once, not with the next answer a minute later.
fn with_link<'a>(
    facts: &'a reach::Facts,
    i: &InstanceSnapshot,
    to: Timestamp,
    now: Timestamp,
) -> (Cow<'a, reach::Facts>, Timestamp) {
    let mut facts = Cow::Borrowed(facts);
    if !matches!(i.facts.link, Link::Down { .. }) {
        let Some(newest) = i.facts.last_good_at.filter(|at| *at > to && *at <= now) else {
            return (facts, to);
        };
        let since = Span { from: i.facts.link_since.map_or(to, |up| up.max(to)), to: newest };
        let known = &mut facts.to_mut().known;
        *known = Some(known.map_or(since, |known| Span { to: known.to.max(newest), ..known }));
        facts.to_mut().polled.push(since);
        return (facts, newest);
    }
    let from = to.plus_ms(-STRETCHES[0].0);
    if facts.outages.iter().all(|outage| outage.to.is_some()) {
        let outage = Outage { at: i.facts.link_since.unwrap_or(from), to: None };
        facts.to_mut().outages.push(outage);
    }
    (facts, now)
}

fn push_since(out: &mut String, f: &Facts, view: &View<'_>) {
    if let Some(since) = f.link_since {
        out.push_str(" since ");
        view.zone.push_since(out, since, view.now);
    }
}

/// The rights that the login has, and the loss by missing ones.
fn rights(i: &InstanceSnapshot, view: &View<'_>) -> Vec<Line> {
    let t = view.theme;
    let Some(rights) = i.facts.rights.get() else {
        let mut why = String::from("not known yet: ");
        reading::push_why(&mut why, i, i.facts.rights.problem.as_ref(), view);
        return vec![("rights", vec![(t.dim, why)])];
    };
    let missing = missing(rights);
    let mut all = vec![];
    let known = rights.rights.iter().filter(|r| r.held.is_some()).count();
    if missing.is_empty() {
        all.push((t.base, format!("all {known} that this build can use")));
    } else {
        all.push((t.base, format!("{} of {known} that this build can use", known - missing.len())));
    }
    let mut lines = vec![("rights", all)];
    for (name, loss, vital) in missing {
        let style = if vital { t.warning } else { t.dim };
        let glyph = reading::glyph(if vital { Level::Warning } else { Level::Unknown });
        lines.push(("", vec![(style, format!("{glyph} no {name}")), (t.dim, format!(": {loss}"))]));
    }
    lines
}

/// The missing rights: name, what the login cannot do, and whether most of the screen depends on them.
pub fn missing(rights: &Rights) -> Vec<(Arc<str>, String, bool)> {
    let sees = rights.sees_performance();
    // The halves of 2022 do not matter to a login that has the whole right.
    let whole = rights.held("VIEW SERVER STATE") == Some(true);
    let covered = |name: &str| whole && name.starts_with("VIEW SERVER ");
    let missing = rights.rights.iter().filter(|r| r.held == Some(false) && !covered(&r.name));
    missing
        .map(|r| {
            let vital = sees == Some(false) && r.name.starts_with("VIEW SERVER ");
            (Arc::clone(&r.name), r.loss(), vital)
        })
        .collect()
}

/// One polled thing: name, what is wrong with it, its age and interval in ms.
pub struct Polled<'a> {
    /// in words
    pub name: &'static str,
    /// why the newest attempt failed
    pub problem: Option<&'a Unavailable>,
    /// when the value was taken
    pub at: Option<Timestamp>,
    /// interval, ms
    pub every_ms: u32,
}

/// Everything that is polled, in the order of the probes.
pub fn polled(f: &Facts) -> [Polled<'_>; 13] {
    const fn of<'a, T>(name: &'static str, r: &'a Reading<T>) -> Polled<'a> {
        Polled { name, problem: r.problem.as_ref(), at: r.at, every_ms: r.every_ms }
    }
    [
        of("properties", &f.properties),
        of("rights", &f.rights),
        of("databases", &f.databases),
        of("headline", &f.headline),
        of("activity", &f.activity),
        of("blocking", &f.blocking),
        of("waits", &f.waits),
        of("schedulers", &f.cpu),
        of("memory", &f.memory),
        of("availability", &f.availability),
        of("volumes", &f.volumes),
        of("failed jobs", &f.jobs),
        of("own cost", &f.cost),
    ]
}

/// Readings that are not available here, and why; those that only need time or do not apply are left out.
fn holes(f: &Facts, t: &Theme) -> Vec<(Style, String)> {
    let mut pieces = Vec::new();
    // One reason often stands behind most of them: it is said once.
    let mut reasons: Vec<(&Unavailable, Vec<&str>)> = Vec::new();
    for p in polled(f) {
        let Some(problem) = p.problem else { continue };
        if matches!(problem, Unavailable::NotYet | Unavailable::NeedsTwoSamples | Unavailable::NotHere(_)) {
            continue;
        }
        match reasons.iter_mut().find(|(reason, _)| *reason == problem) {
            Some((_, names)) => names.push(p.name),
            None => reasons.push((problem, vec![p.name])),
        }
    }
    for (problem, names) in reasons {
        let dot = if pieces.is_empty() { "" } else { " · " };
        pieces.push((t.dim, format!("{dot}{problem}: {}", names.join(", "))));
    }
    let slower = f.cost.get().map(|cost| cost.slowed.words()).unwrap_or_default();
    if !slower.is_empty() {
        let dot = if pieces.is_empty() { "" } else { " · " };
        pieces.push((t.dim, format!("{dot}slowed: {slower}")));
    }
    pieces
}

fn groups(i: &InstanceSnapshot, t: &Theme) -> Vec<(Style, String)> {
    let mut pieces = Vec::new();
    if !i.info.groups.is_empty() {
        pieces.push((t.base, i.info.groups.join(", ")));
    }
    for (n, (key, value)) in i.info.labels.iter().enumerate() {
        pieces.push((t.label(i.info.label_color(n)), "  ■ ".to_owned()));
        pieces.push((t.dim, format!("{key}=")));
        pieces.push((t.base, value.to_string()));
    }
    pieces
}
