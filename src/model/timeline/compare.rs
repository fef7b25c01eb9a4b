//! The largest changes between two states, in words: of one instance at two instants, of two instances, of a fleet. Pure;
//! the screen asks for it and shows the list.
//!
//! A figure counts by its factor, not by its size: CPU from 5 to 40 % says more than page life from 40,000 to 30,000 s.
//! Each figure has a floor below which a factor means nothing, and only factors of `LEAST_FACTOR` and more are told.

use crate::model::{
    base::{figure, zone::Zone},
    fold::snapshot::{FleetSnapshot, InstanceSnapshot},
    inventory::instance::InstanceId,
    judge::health::Level,
    poll::{
        activity::Activity,
        blocking::Blocking,
        link::Link,
        properties::Properties,
        queries::{QueryRow, QueryTable},
        statement::Statement,
        waits::WaitTable,
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    sync::Arc,
};

/// A figure that changed by less than this factor did not change.
const LEAST_FACTOR: f64 = 1.5;

/// Most differences of one instance that are told.
const MOST_OF_ONE: usize = 60;

/// Most differences of a fleet that are told.
const MOST: usize = 300;

/// Requests of a login or program must differ by so many to be told.
const LEAST_SESSIONS: i64 = 3;

/// CPU of a query below which a factor means nothing, ms per s.
const LEAST_QUERY_MS: f64 = 10.0;

/// The subject of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    /// the verdict
    Health,
    /// the connection
    Link,
    /// who blocks whom
    Blocking,
    /// waits
    Waits,
    /// rates and gauges
    Load,
    /// what queries cost
    Queries,
    /// who works there
    Sessions,
    /// version, hardware, settings
    Configuration,
    /// databases
    Databases,
    /// instances that came or went
    Fleet,
}

impl About {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Link => "link",
            Self::Blocking => "blocking",
            Self::Waits => "waits",
            Self::Load => "load",
            Self::Queries => "queries",
            Self::Sessions => "sessions",
            Self::Configuration => "configuration",
            Self::Databases => "databases",
            Self::Fleet => "fleet",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// of which instance
    pub instance: InstanceId,
    /// about what
    pub about: About,
    /// how much it matters; only good for ordering
    pub weight: f64,
    /// it got worse, better (false), or neither (None)
    pub worse: Option<bool>,
    /// `CPU 12 % → 97 % (×8.1)`
    pub words: String,
}

/// The changes in each instance that both know, and those that came or went; the heaviest first. Times are told by the
/// clock of `zone`.
pub fn fleets(before: &FleetSnapshot, after: &FleetSnapshot, zone: &Zone) -> Vec<Difference> {
    let known: HashMap<&InstanceId, &Arc<InstanceSnapshot>> =
        before.instances.iter().map(|i| (i.id(), i)).collect();
    let mut all = Vec::new();
    for i in &after.instances {
        match known.get(i.id()) {
            // The same `Arc`: nothing came in between.
            Some(b) if Arc::ptr_eq(b, i) => {}
            Some(b) => all.extend(instances(b, i, zone)),
            None => all.push(fleet(i.id(), "was not there before")),
        }
    }
    for i in &before.instances {
        if after.find(i.id()).is_none() {
            all.push(fleet(i.id(), "is gone"));
        }
    }
    rank(all, MOST)
}

fn fleet(id: &InstanceId, words: &str) -> Difference {
    Difference {
        instance: id.clone(),
        about: About::Fleet,
        weight: 5.0,
        worse: None,
        words: words.to_owned(),
    }
}

fn rank(mut all: Vec<Difference>, most: usize) -> Vec<Difference> {
    all.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    all.truncate(most);
    all
}

/// The differences in `after`, the heaviest first. Both may be the same instance at two instants, or two instances; the
/// differences carry the name of `after`. Times are told by the clock of `zone`.
pub fn instances(before: &InstanceSnapshot, after: &InstanceSnapshot, zone: &Zone) -> Vec<Difference> {
    let two = (before.id() != after.id()).then(|| [before.id().clone(), after.id().clone()]);
    let mut out = Out { instance: after.id().clone(), two, zone, all: Vec::new() };
    health(&mut out, before, after);
    load(&mut out, before, after);
    let (a, b) = (&before.facts, &after.facts);
    if let (Some(x), Some(y)) = (a.waits.get(), b.waits.get()) {
        waits(&mut out, x, y);
    }
    if let (Some(x), Some(y)) = (a.blocking.get(), b.blocking.get()) {
        blocking(&mut out, x, y);
    }
    if let (Some(x), Some(y)) = (a.queries.get(), b.queries.get()) {
        queries(&mut out, x, y);
    }
    if let (Some(x), Some(y)) = (a.activity.get(), b.activity.get()) {
        sessions(&mut out, x, y);
    }
    if let (Some(x), Some(y)) = (a.properties.get(), b.properties.get()) {
        properties(&mut out, x, y);
        options(&mut out, x, y);
    }
    databases(&mut out, before, after);
    rank(out.all, MOST_OF_ONE)
}

struct Out<'a> {
    instance: InstanceId,
    /// two instances beside each other; None: one at two instants
    two: Option<[InstanceId; 2]>,
    zone: &'a Zone,
    all: Vec<Difference>,
}

impl Out<'_> {
    fn push(&mut self, about: About, weight: f64, worse: Option<bool>, words: String) {
        self.all.push(Difference { instance: self.instance.clone(), about, weight, worse, words });
    }

    /// `only on sqlprd-014: `, where two instances stand beside each other: there nothing came or went.
    fn only(&self, on_second: bool) -> Option<String> {
        self.two.as_ref().map(|two| format!("only on {}: ", two[usize::from(on_second)]))
    }

    /// A figure that changed by a factor. `floor`: so little is nothing. `high_is_bad` None: neither is.
    fn figure(
        &mut self,
        about: About,
        name: &str,
        (before, after): (Option<f64>, Option<f64>),
        floor: f64,
        high_is_bad: Option<bool>,
        push: fn(&mut String, f64),
    ) {
        let (Some(a), Some(b)) = (before, after) else { return };
        if !(a.is_finite() && b.is_finite()) {
            return;
        }
        let (low, high) = (a.min(b).max(0.0) + floor, a.max(b).max(0.0) + floor);
        let factor = high / low;
        if factor < LEAST_FACTOR {
            return;
        }
        let mut words = format!("{name} ");
        push(&mut words, a);
        words.push_str(" → ");
        push(&mut words, b);
        push_factor(&mut words, a, b);
        self.push(about, factor.log2() * 2.0, high_is_bad.map(|bad| (b > a) == bad), words);
    }
}

/// ` (×8.1)`, ` (÷3)`; nothing where one of them is zero.
fn push_factor(out: &mut String, before: f64, after: f64) {
    if before <= 0.0 || after <= 0.0 {
        return;
    }
    let (sign, factor) = if after >= before { ('×', after / before) } else { ('÷', before / after) };
    // Writing to a String cannot fail.
    let _ =
        if factor < 9.95 { write!(out, " ({sign}{factor:.1})") } else { write!(out, " ({sign}{factor:.0})") };
}

fn health(out: &mut Out<'_>, before: &InstanceSnapshot, after: &InstanceSnapshot) {
    let word = |i: &InstanceSnapshot| {
        let mut words = i.health.level.word().to_owned();
        if let Some(score) = i.health.score {
            let _ = write!(words, " {score}");
        }
        words
    };
    if before.health.level != after.health.level {
        let mut words = format!("{} → {}", word(before), word(after));
        if let Some(reason) = after.health.reasons.first() {
            let _ = write!(words, ": {}", reason.told(out.zone));
        }
        let is_known = ![before, after].iter().any(|i| i.health.level == Level::Unknown);
        let worse = is_known.then_some(after.health.level > before.health.level);
        out.push(About::Health, 12.0, worse, words);
    }
    let up = |i: &InstanceSnapshot| !matches!(i.facts.link, Link::Down { .. });
    if up(before) != up(after) {
        let words = match &after.facts.link {
            Link::Down { failure, .. } => format!("connected → {}", failure.kind.words()),
            _ => "not connected → connected".to_owned(),
        };
        out.push(About::Link, 10.0, Some(!up(after)), words);
    }
    // By reasons: what is new and what is over.
    let has = |i: &InstanceSnapshot, topic| {
        i.health.reasons.iter().any(|r| std::mem::discriminant(&r.topic) == topic)
    };
    // The first one was told with the level.
    let told = usize::from(before.health.level != after.health.level);
    for r in after.health.reasons.iter().skip(told) {
        if !has(before, std::mem::discriminant(&r.topic)) {
            out.push(
                About::Health,
                2.0 + f64::from(r.points) / 10.0,
                Some(true),
                format!("{}{}", out.only(true).as_deref().unwrap_or("new: "), r.told(out.zone)),
            );
        }
    }
    for r in &before.health.reasons {
        if !has(after, std::mem::discriminant(&r.topic)) {
            out.push(
                About::Health,
                1.5 + f64::from(r.points) / 10.0,
                Some(false),
                format!("{}{}", out.only(false).as_deref().unwrap_or("resolved: "), r.told(out.zone)),
            );
        }
    }
}

fn load(out: &mut Out<'_>, before: &InstanceSnapshot, after: &InstanceSnapshot) {
    let (a, b) = (&before.facts, &after.facts);
    if let (Some(x), Some(y)) = (a.headline.get(), b.headline.get()) {
        let n = |v: Option<i64>| v.map(|v| v as f64);
        let mut of = |name, pair, floor, bad, push| out.figure(About::Load, name, pair, floor, bad, push);
        of("CPU", (x.cpu_pct, y.cpu_pct), 5.0, Some(true), figure::push_pct);
        of("batches/s", (x.batches_per_s, y.batches_per_s), 10.0, None, figure::push_rate);
        of("transactions/s", (x.transactions_per_s, y.transactions_per_s), 10.0, None, figure::push_rate);
        of("logins/s", (x.logins_per_s, y.logins_per_s), 2.0, None, figure::push_rate);
        of(
            "compilations/s",
            (x.compilations_per_s, y.compilations_per_s),
            10.0,
            Some(true),
            figure::push_rate,
        );
        of(
            "recompilations/s",
            (x.recompilations_per_s, y.recompilations_per_s),
            5.0,
            Some(true),
            figure::push_rate,
        );
        of("lazy writes/s", (x.lazy_writes_per_s, y.lazy_writes_per_s), 5.0, Some(true), figure::push_rate);
        of("log flushes/s", (x.log_flushes_per_s, y.log_flushes_per_s), 20.0, None, figure::push_rate);
        of("log flush", (x.log_flush_ms, y.log_flush_ms), 2.0, Some(true), figure::push_mean);
        of("deadlocks/min", (x.deadlocks_per_min, y.deadlocks_per_min), 0.2, Some(true), figure::push_rate);
        of("users", (n(x.connections), n(y.connections)), 20.0, None, figure::push_count);
        of("page life", (n(x.page_life_s), n(y.page_life_s)), 60.0, Some(false), push_seconds);
        of("grants pending", (n(x.grants_pending), n(y.grants_pending)), 1.0, Some(true), figure::push_count);
        of("tempdb", (x.tempdb_used_pct, y.tempdb_used_pct), 10.0, Some(true), figure::push_pct);
        let round_trips = (Some(f64::from(x.round_trip_ms)), Some(f64::from(y.round_trip_ms)));
        of("round trip", round_trips, 100.0, Some(true), figure::push_wait);
        // The start is read off a clock: seconds are noise.
        if let (Some(p), Some(q)) = (x.started_at, y.started_at)
            && q - p > 60_000
            && before.id() == after.id()
        {
            let mut words = String::from("restarted ");
            out.zone.push_instant(&mut words, q);
            out.push(About::Link, 8.0, Some(true), words);
        }
    }
    if let (Some(x), Some(y)) = (a.memory.get(), b.memory.get()) {
        out.figure(About::Load, "memory", (x.used_pct, y.used_pct), 20.0, Some(true), figure::push_pct);
    }
    if let (Some(x), Some(y)) = (a.cpu.get(), b.cpu.get()) {
        let n = |v: Option<i64>| v.map(|v| v as f64);
        out.figure(
            About::Load,
            "other processes",
            (x.other_pct, y.other_pct),
            10.0,
            Some(true),
            figure::push_pct,
        );
        out.figure(
            About::Load,
            "runnable tasks",
            (n(x.runnable), n(y.runnable)),
            8.0,
            Some(true),
            figure::push_count,
        );
        let workers = (n(x.active_workers), n(y.active_workers));
        out.figure(About::Load, "active workers", workers, 20.0, Some(true), figure::push_count);
    }
}

fn push_seconds(out: &mut String, s: f64) {
    figure::push_wait(out, s * 1000.0);
}

/// By type; the sum first.
fn waits(out: &mut Out<'_>, before: &WaitTable, after: &WaitTable) {
    let push: fn(&mut String, f64) = |out, ms| {
        let _ = write!(out, "{:.2} s/s", ms / 1000.0);
    };
    let totals = (Some(before.total_ms_per_s), Some(after.total_ms_per_s));
    out.figure(About::Waits, "all waits", totals, 100.0, Some(true), push);
    let of = |t: &WaitTable| -> BTreeMap<Arc<str>, f64> {
        t.types.iter().filter(|w| !w.benign).map(|w| (Arc::clone(&w.name), w.ms_per_s)).collect()
    };
    let (a, b) = (of(before), of(after));
    for (name, y) in &b {
        let x = a.get(name).copied().unwrap_or(0.0);
        if x <= 0.0 && *y >= 50.0 {
            let mut words = match out.only(true) {
                Some(only) => format!("{only}wait {name} "),
                None => format!("new wait {name} "),
            };
            push(&mut words, *y);
            out.push(About::Waits, ((y + 50.0) / 50.0).log2(), Some(true), words);
        } else {
            out.figure(About::Waits, name, (Some(x), Some(*y)), 50.0, Some(true), push);
        }
    }
    for (name, x) in a.iter().filter(|(name, x)| !b.contains_key(*name) && **x >= 50.0) {
        let mut words = match out.only(false) {
            Some(only) => format!("{only}wait {name} "),
            None => format!("no {name} any more, was "),
        };
        push(&mut words, *x);
        out.push(About::Waits, ((x + 50.0) / 50.0).log2() * 0.8, Some(false), words);
    }
}

fn blocking(out: &mut Out<'_>, before: &Blocking, after: &Blocking) {
    let victims = |b: &Blocking| b.chains.iter().map(|c| c.victims).sum::<u32>();
    let (a, b) = (victims(before), victims(after));
    if a == b {
        return;
    }
    let mut words = format!("{a} → {b} sessions blocked");
    if let Some(chain) = after.chains.first()
        && let Some(head) = chain.nodes.first()
    {
        let _ = write!(words, ", head {} for ", head.request.session_id);
        figure::push_wait(&mut words, chain.max_wait_ms as f64);
    }
    let factor = (f64::from(a.max(b)) + 1.0) / (f64::from(a.min(b)) + 1.0);
    out.push(About::Blocking, 3.0 + factor.log2(), Some(b > a), words);
}

/// By query hash: its CPU, and its plan. What took less than a hundredth of all is in neither table, so `new` means that it took little
/// before, too.
fn queries(out: &mut Out<'_>, before: &QueryTable, after: &QueryTable) {
    let push: fn(&mut String, f64) = |out, ms| {
        let _ = write!(out, "{ms:.0} ms/s");
    };
    let (a, b) = (by_hash(before), by_hash(after));
    for y in b.values() {
        let (name, now) = (query_name(y), after.cpu_ms_per_s(y));
        if let Some(x) = a.get(&y.hash) {
            let cpu = (before.cpu_ms_per_s(x), now);
            out.figure(About::Queries, &format!("CPU of {name}"), cpu, LEAST_QUERY_MS, Some(true), push);
            if x.plan_hash.is_some() && y.plan_hash.is_some() && x.plan_hash != y.plan_hash {
                out.push(About::Queries, 3.0, None, format!("another plan of {name}"));
            }
            continue;
        }
        let Some(ms) = now.filter(|ms| *ms >= 2.0 * LEAST_QUERY_MS) else { continue };
        let mut words = match out.only(true) {
            Some(only) => format!("{only}CPU of {name} "),
            None => format!("new query {name} "),
        };
        push(&mut words, ms);
        out.push(About::Queries, ((ms + LEAST_QUERY_MS) / LEAST_QUERY_MS).log2(), Some(true), words);
    }
    for x in a.values().filter(|x| !b.contains_key(&x.hash)) {
        let Some(ms) = before.cpu_ms_per_s(x).filter(|ms| *ms >= 2.0 * LEAST_QUERY_MS) else { continue };
        let name = query_name(x);
        let mut words = match out.only(false) {
            Some(only) => format!("{only}CPU of {name} "),
            None => format!("no query {name} any more, was "),
        };
        push(&mut words, ms);
        out.push(About::Queries, ((ms + LEAST_QUERY_MS) / LEAST_QUERY_MS).log2() * 0.8, Some(false), words);
    }
}

fn by_hash(table: &QueryTable) -> BTreeMap<u64, &QueryRow> {
    table.queries.iter().map(|query| (query.hash, query)).collect()
}

/// Its module, its first words, or its hash.
fn query_name(query: &QueryRow) -> String {
    const WORDS: usize = 60;
    let statement = query.statement.as_ref().map(Statement::as_str).filter(|text| !text.trim().is_empty());
    match (&query.module, statement) {
        (Some(module), _) => module.to_string(),
        (None, Some(text)) => {
            let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some((cut, _)) = line.char_indices().nth(WORDS) {
                line.truncate(cut);
                line.push('…');
            }
            line
        }
        (None, None) => format!("0x{:016X}", query.hash),
    }
}

/// Requests by login and by program.
fn sessions(out: &mut Out<'_>, before: &Activity, after: &Activity) {
    type Of = fn(&crate::model::poll::activity::Request) -> Option<&Arc<str>>;
    let fields: [(&str, Of); 3] =
        [("login", |r| r.login.as_ref()), ("program", |r| r.program.as_ref()), ("host", |r| r.host.as_ref())];
    for (field, of) in fields {
        let count = |a: &Activity| {
            let mut n: BTreeMap<Arc<str>, i64> = BTreeMap::new();
            for name in a.requests.iter().filter_map(of) {
                *n.entry(Arc::clone(name)).or_default() += 1;
            }
            n
        };
        let (a, b) = (count(before), count(after));
        let mut names: Vec<&Arc<str>> = a.keys().chain(b.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let [x, y] = [&a, &b].map(|n| n.get(name).copied().unwrap_or(0));
            let factor = (x.max(y) as f64 + 1.0) / (x.min(y) as f64 + 1.0);
            if (x - y).abs() >= LEAST_SESSIONS && factor >= LEAST_FACTOR {
                let words = format!("requests of {field} {name}: {x} → {y}");
                out.push(About::Sessions, factor.log2() * 1.5, None, words);
            }
        }
    }
}

fn properties(out: &mut Out<'_>, before: &Properties, after: &Properties) {
    let mut text = |name: &str, a: &Option<Arc<str>>, b: &Option<Arc<str>>| {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            out.push(About::Configuration, 4.0, None, format!("{name} {a} → {b}"));
        }
    };
    text("version", &before.version, &after.version);
    text("edition", &before.edition, &after.edition);
    text("update", &before.update_level, &after.update_level);
    text("collation", &before.collation, &after.collation);
    text("operating system", &before.os_name, &after.os_name);
    text("machine", &before.machine_name, &after.machine_name);
    text("connection", &before.transport, &after.transport);
    let int = |v: Option<i32>| v.map(i64::from);
    let numbers: [(&str, Option<i64>, Option<i64>); 5] = [
        ("CPUs", int(before.cpu_count), int(after.cpu_count)),
        ("NUMA nodes", int(before.numa_nodes), int(after.numa_nodes)),
        ("maximum of workers", int(before.max_workers), int(after.max_workers)),
        ("physical memory KB", before.physical_memory_kb, after.physical_memory_kb),
        ("UTC offset min", int(before.utc_offset_min), int(after.utc_offset_min)),
    ];
    for (name, a, b) in numbers {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            let mut words = format!("{name} ");
            figure::push_grouped(&mut words, a);
            words.push_str(" → ");
            figure::push_grouped(&mut words, b);
            out.push(About::Configuration, 4.0, None, words);
        }
    }
}

/// Every option is a line of its own: who compares two servers looks for just this.
fn options(out: &mut Out<'_>, before: &Properties, after: &Properties) {
    for (name, a, b) in before.changed_options(after) {
        out.push(About::Configuration, 4.0, None, format!("{name} {a} → {b}"));
    }
}

fn databases(out: &mut Out<'_>, before: &InstanceSnapshot, after: &InstanceSnapshot) {
    let (Some(a), Some(b)) = (before.facts.databases.get(), after.facts.databases.get()) else { return };
    let state = |rows: &[crate::model::poll::databases::DatabaseRow], name: &Arc<str>| {
        rows.iter().find(|d| d.name.as_ref() == Some(name)).map(|d| d.state.clone())
    };
    for name in b.iter().filter_map(|d| d.name.as_ref()) {
        let words = match (state(a, name), state(b, name)) {
            (None, _) => match out.only(true) {
                Some(only) => format!("{only}database {name}"),
                None => format!("new database {name}"),
            },
            (Some(Some(x)), Some(Some(y))) if x != y => format!("database {name} {x} → {y}"),
            _ => continue,
        };
        out.push(About::Databases, 3.0, None, words);
    }
    for name in a.iter().filter_map(|d| d.name.as_ref()) {
        if state(b, name).is_none() {
            let words = match out.only(false) {
                Some(only) => format!("{only}database {name}"),
                None => format!("database {name} is gone"),
            };
            out.push(About::Databases, 3.5, None, words);
        }
    }
}

#[cfg(test)]
mod tests;
