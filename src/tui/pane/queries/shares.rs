//! Each figure of a query beside its share of what all queries of the instance have: columns that stand beside the one that the rows
//! are ordered by, a set of all of them, and the lines of the details. `model::poll::share` has the shares.

use super::{
    super::parts::Line,
    rows::{Column, PAGE, Queries, mix},
};
use crate::{
    model::{
        base::{figure, filter::Value, time::Timestamp},
        poll::{
            counts::Measure,
            queries::{QueryRow, QueryTable},
        },
        timeline::samples::Samples,
    },
    tui::{
        view::View,
        widget::{cell::CellText, column::number, document::Document, table::Set},
    },
};
use ratatui::style::Style;

/// The share of a measure, by its number.
pub const fn share<const M: usize>(id: &'static str, title: &'static str) -> Column {
    Column::number(id, title, 8, 1)
        .value(|q| number(Measure::ALL.get(M).and_then(|measure| q.table.share_pct(q.part, *measure))))
        .cell(bound)
        .filter()
}

/// The share of the time that requests were seen at work.
pub const fn at_work() -> Column {
    Column::number("share_work", "WORK %", 8, 1)
        .value(|q| {
            let all = q.instance.history.samples()?.at_work_ms();
            number(mix(q).filter(|_| all > 0).map(|mix| mix.ms as f64 * 100.0 / all as f64))
        })
        .cell(|q, v, out| q.put(v, out, figure::push_pct))
        .filter()
}

/// A share, and which column it stands beside. Of the pane's own order, which is that of CPU, the first one is.
pub const BESIDE: &[(&str, &str)] = &[
    ("share", "cpu"),
    ("share_runs", "runs"),
    ("share_duration", "avg"),
    ("share_reads", "reads"),
    ("share_disk", "disk"),
    ("share_writes", "writes"),
    ("share_rows", "rows"),
    ("share_grant", "grant"),
    ("share_spills", "spills"),
    ("share_work", "wait"),
];

/// Sets of columns.
pub const SETS: &[Set] = &[Set {
    name: "shares",
    columns: &[
        "share",
        "share_runs",
        "share_duration",
        "share_reads",
        "share_disk",
        "share_writes",
        "share_rows",
        "share_grant",
        "share_spills",
        "share_work",
    ],
}];

/// A share of what is a lower bound is one.
fn bound(q: &Line<'_, Queries>, v: Option<Value<'_>>, out: &mut CellText) {
    if v.is_some() && q.part.at_least {
        out.put(q.style(), "≥");
    }
    q.put(v, out, figure::push_pct);
}

/// `orders`, or `3 dbs, orders`: how many databases it is known to be of, and that of its newest plan. The number stands where a narrow
/// column shows it.
pub fn put_databases(q: &QueryRow, base: Style, dim: Style, out: &mut CellText) {
    let Some(first) = q.databases().next() else { return out.put(dim, "–") };
    match q.databases().count() {
        ..=1 => {}
        many => out.fmt(base, format_args!("{many} dbs, ")),
    }
    out.put(base, first);
}

/// A filter asks for each of its databases.
pub fn visit_databases(q: &QueryRow, visit: &mut dyn FnMut(Value<'_>)) {
    q.databases().for_each(|name| visit(Value::Text(name)));
}

/// Which databases it is of, and how sure: a poll tells that of the newest plan alone.
pub fn tell_databases(q: &QueryRow, base: Style, dim: Style, d: &mut Document) {
    let Some(newest) = &q.database else { return };
    let mut words = String::from("Its newest plan is of ");
    words.push_str(newest);
    if q.other_databases.is_empty() {
        if q.plans > Some(1) {
            words.push_str(": its other plans may be of other databases.");
            d.head("databases");
            d.text(words, dim);
        }
        return;
    }
    words.push_str(". Plans that were the newest before were of ");
    words.push_str(&q.other_databases.join(", "));
    words.push_str(". It may be of more. Figures are those of all of them; a plan counts as changed within its database.");
    d.head("databases");
    d.text(words, base);
}

fn push_us(out: &mut String, us: f64) {
    figure::push_wait(out, us / 1_000.0);
}

fn push_kb(out: &mut String, kb: f64) {
    figure::push_size(out, kb * 1024.0);
}

fn push_pages(out: &mut String, pages: f64) {
    figure::push_size(out, pages * PAGE);
}

/// A measure, its name, and how its sum is written.
type TellsMeasure = (Measure, &'static str, fn(&mut String, f64));

/// What the details tell.
const TOLD: [TellsMeasure; 9] = [
    (Measure::Cpu, "CPU", push_us),
    (Measure::Runs, "runs", figure::push_count),
    (Measure::Elapsed, "duration", push_us),
    (Measure::Reads, "pages from memory", figure::push_count),
    (Measure::PhysicalReads, "pages from disk", figure::push_count),
    (Measure::Writes, "pages written", figure::push_count),
    (Measure::Rows, "rows", figure::push_count),
    (Measure::Grant, "memory granted", push_kb),
    (Measure::Spills, "spilled to tempdb", push_pages),
];

/// `explains 71 % of CPU`, `since 13:58:20`: how much of all CPU these tables explain together, each told from an instant on; until now,
/// or until the end of a stretch.
pub fn told(
    tables: &mut dyn Iterator<Item = (Timestamp, &QueryTable)>,
    until: Option<Timestamp>,
    view: &View<'_>,
) -> Vec<String> {
    let (mut explained, mut all, mut since) = (0.0, 0.0, None);
    for (from, table) in tables {
        let (Some(part), Some(whole)) = (table.per_s(table.cpu_us), table.per_s(table.workload_us)) else {
            continue;
        };
        explained += part;
        all += whole;
        since = since.into_iter().chain([from]).min();
    }
    let Some(since) = since.filter(|_| all > 0.0) else { return Vec::new() };
    let mut told = "explains ".to_owned();
    figure::push_pct(&mut told, explained * 100.0 / all);
    told.push_str(" of CPU");
    let mut when = if until.is_some() { "from " } else { "since " }.to_owned();
    view.zone.push_since(&mut when, since, view.now);
    if let Some(until) = until {
        when.push_str(" to ");
        view.zone.push_since(&mut when, until, view.now);
    }
    vec![told, when]
}

/// `12 s of 30 s, 41 %`, a line for each measure that has a whole.
pub fn tell(q: &QueryRow, table: &QueryTable, base: Style, d: &mut Document) {
    let bound = if q.at_least { "≥" } else { "" };
    for (measure, name, push) in TOLD {
        let Some(part) = q.of(measure) else { continue };
        d.field(name, base, |s| {
            s.push_str(bound);
            push(s, table.share(q, measure).map_or(part, |share| share.part) as f64);
            match (table.share(q, measure), table.whole(measure)) {
                (Some(share), _) => {
                    s.push_str(" of ");
                    push(s, share.whole as f64);
                    s.push_str(", ");
                    s.push_str(bound);
                    figure::push_pct(s, share.pct());
                }
                (None, Some(_)) => s.push_str(" of nothing"),
                (None, None) => s.push_str("; how much that is of all is not known"),
            }
        });
    }
}

/// What the wholes are, and how sure.
pub fn tell_wholes(table: &QueryTable, dim: Style, d: &mut Document) {
    let mut why = "CPU is of all sessions, all else of the queries that were told; DOP and the longest run have no whole.".to_owned();
    let bounds = table.lower_bounds();
    if bounds > 0 {
        why.push(' ');
        figure::push_grouped(&mut why, bounds as i64);
        why.push_str(
            " of these may have had more than is told, so a whole may be greater, and a share smaller.",
        );
    }
    d.text(why, dim);
}

/// All of a query of the newest poll.
pub fn tell_line(line: &Line<'_, Queries>, d: &mut Document) {
    let (table, base) = (line.table, line.style());
    let mut head = "of all queries of this instance, over ".to_owned();
    figure::push_span(&mut head, i64::try_from(table.over_ms).unwrap_or(i64::MAX));
    d.head(head);
    tell(line.part, table, base, d);
    let all = line.instance.history.samples().map(Samples::at_work_ms).filter(|all| *all > 0);
    if let (Some(all), Some(mix)) = (all, mix(line)) {
        d.field("at work, in 15 min", base, |s| {
            figure::push_wait(s, mix.ms as f64);
            s.push_str(" of ");
            figure::push_wait(s, all as f64);
            s.push_str(", ");
            figure::push_pct(s, mix.ms as f64 * 100.0 / all as f64);
        });
    }
    tell_wholes(table, line.view.theme.dim, d);
}
