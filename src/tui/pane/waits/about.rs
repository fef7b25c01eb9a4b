//! The waits pane in words: details of a type or a category, hidden types, reasons for an empty pane.

use super::{
    super::{objects, reading, request::push_one_line},
    meaning,
    rows::{self, Harvest},
};
use crate::{
    model::{
        base::figure,
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        poll::{activity::Request, wait_class::WaitCategory, waits::WaitRate},
    },
    tui::{
        view::View,
        widget::{canvas::Canvas, document::Document},
        wish::Look,
    },
};
use std::fmt::Write as _;

/// Most sessions of an instance that the details list.
const MOST_WAITERS: usize = 40;

/// Most requests that the details name as a cause.
const MOST_CAUSES: usize = 10;

/// Characters of a statement that the details show; the list has all of it.
const STATEMENT: usize = 60;

/// What the requests of a cause are ordered by.
type Figure = fn(&Request) -> Option<i64>;

/// Most instances that the details list.
const MOST_INSTANCES: usize = 20;

/// All about a wait type, on one instance or on all in scope: its meaning, its figures, the sessions that wait.
pub fn type_document(id: Option<&InstanceId>, name: &str, view: &View<'_>) -> Option<Document> {
    let t = view.theme;
    let of = |i: &'_ InstanceSnapshot| id.is_none_or(|id| i.id() == id);
    let mut found: Vec<(&InstanceSnapshot, &WaitRate)> = view
        .snapshot
        .instances
        .iter()
        .filter(|i| of(i))
        .filter_map(|i| Some((&**i, i.facts.waits.get()?.types.iter().find(|r| &*r.name == name)?)))
        .collect();
    found.sort_by(|(_, a), (_, b)| b.ms_per_s.total_cmp(&a.ms_per_s));
    let (_, first) = found.first()?;
    let mut d = Document::new(name);
    d.text(meaning::of_type(name, first.category), t.base);
    if first.benign {
        d.text("It is on the list of benign waits and not counted.", t.dim);
    }
    if first.poison {
        d.text("It is a poison wait: a sustained value is trouble by itself.", t.warning);
    }
    d.field("category", t.base, |s| s.push_str(first.category.name()));
    for (i, rate) in found.iter().take(MOST_INSTANCES) {
        d.head(i.id().as_str());
        let mut line = String::new();
        push_figures(&mut line, rate);
        d.text(line, reading::value_style(t, &i.facts.waits, view.now));
        push_causes(&mut d, i, name, view);
    }
    if found.len() > MOST_INSTANCES {
        d.text(format!("and {} more instances", found.len() - MOST_INSTANCES), t.dim);
    }
    Some(d)
}

fn push_figures(line: &mut String, r: &WaitRate) {
    rows::push_rate(line, r.ms_per_s);
    line.push_str(" s of waiting per second, ");
    rows::push_share(line, r.signal_ms_per_s, r.ms_per_s);
    line.push_str(" signal, ");
    figure::push_rate(line, r.tasks_per_s);
    line.push_str(" waits/s");
    if let Some(avg) = r.avg_ms {
        line.push_str(", average ");
        figure::push_mean(line, avg);
    }
    line.push_str(", longest ever ");
    figure::push_wait(line, r.max_ms as f64);
}

/// Who has what is waited for, where that is known; else who waits.
fn push_causes(d: &mut Document, i: &InstanceSnapshot, name: &str, view: &View<'_>) {
    if name == "THREADPOOL" {
        push_workers(d, i, view);
    }
    let (Look::Sort(column) | Look::Groups(_, column)) = super::evidence_of(name) else {
        return push_waiters(d, i, name, view);
    };
    let (head, figure): (_, Figure) = match column {
        "cpu_delta" => ("who uses the CPU, by CPU since the last poll", |r| r.cpu_delta_ms),
        "grant" => ("who has memory grants, by their size", |r| r.grant.as_ref()?.granted_kb),
        "phys" => ("who reads from disk, by pages", |r| r.reads),
        "log" => ("who writes log, by what the transaction has written", |r| r.log_bytes),
        "blocks" => ("who blocks others, by how many", |r| Some(r.blocks.into())),
        // What is compiled waits itself.
        "requests" => return push_waiters(d, i, name, view),
        _ => ("who has the workers, by tasks", |r| r.waiting_tasks.map(i64::from)),
    };
    let Some(activity) = i.facts.activity.get() else { return push_waiters(d, i, name, view) };
    let mut rows: Vec<(i64, &Request)> =
        activity.requests.iter().filter_map(|r| Some((figure(r).filter(|n| *n > 0)?, r))).collect();
    rows.sort_by_key(|(n, r)| (std::cmp::Reverse(*n), r.session_id));
    d.text(format!("{head}; Enter in the list shows all of them:"), view.theme.dim);
    for (n, r) in rows.iter().take(MOST_CAUSES) {
        let mut line = format!("{:<5} ", r.session_id);
        match column {
            "cpu_delta" => figure::push_wait(&mut line, *n as f64),
            "grant" => figure::push_size(&mut line, *n as f64 * 1024.0),
            "log" => figure::push_size(&mut line, *n as f64),
            "phys" => figure::push_counted(&mut line, n.unsigned_abs(), "page"),
            "blocks" => figure::push_counted(&mut line, n.unsigned_abs(), "session"),
            _ => figure::push_counted(&mut line, n.unsigned_abs(), "task"),
        }
        push_whose(&mut line, r);
        if let Some(statement) = &r.statement {
            let mut text = String::new();
            push_one_line(&mut text, statement.as_str());
            line.push_str("  ");
            line.extend(text.chars().take(STATEMENT));
            line.push_str(if text.chars().nth(STATEMENT).is_some() { "…" } else { "" });
        }
        d.text(line, view.theme.base);
    }
    if rows.is_empty() {
        d.text("nobody at the moment of the last poll", view.theme.dim);
    }
}

/// `workers 576 of 576 · 12 tasks wait for one`.
fn push_workers(d: &mut Document, i: &InstanceSnapshot, view: &View<'_>) {
    let Some(cpu) = i.facts.cpu.get() else {
        let mut why = String::new();
        reading::push_absence(&mut why, i, i.facts.cpu.problem.as_ref(), view);
        return d.text(format!("workers: {why}"), view.theme.dim);
    };
    let mut line = String::from("workers ");
    match (cpu.active_workers.or(cpu.workers), cpu.max_workers) {
        (Some(now), Some(most)) => drop(write!(line, "{now} of {most} are busy")),
        _ => line.push_str("not known"),
    }
    if let Some(queued) = cpu.queued {
        line.push_str(" · ");
        figure::push_counted(&mut line, queued.unsigned_abs(), "task");
        line.push_str(if queued == 1 { " waits for one" } else { " wait for one" });
    }
    d.text(line, view.theme.strong);
}

fn push_whose(line: &mut String, r: &Request) {
    for part in [&r.login, &r.host, &r.database, &r.command].into_iter().flatten() {
        let _ = write!(line, "  {part}");
    }
}

fn push_waiters(d: &mut Document, i: &InstanceSnapshot, name: &str, view: &View<'_>) {
    let t = view.theme;
    if i.facts.activity.get().is_none() {
        let mut why = String::new();
        reading::push_absence(&mut why, i, i.facts.activity.problem.as_ref(), view);
        return d.text(why, t.dim);
    }
    let mut n = 0;
    for r in rows::waiters(i, name).take(MOST_WAITERS) {
        n += 1;
        let mut line = format!("{:<5} ", r.session_id);
        if let Some(ms) = r.wait_ms {
            figure::push_wait(&mut line, ms as f64);
        }
        push_whose(&mut line, r);
        if let Some(resource) = &r.wait_resource {
            let _ = write!(line, "  {resource}");
        }
        if let Some(by) = r.blocked_by.filter(|by| *by != 0) {
            let _ = write!(line, "  blocked by {by}");
        }
        d.text(line, t.base);
    }
    if n == 0 {
        return d.text("nobody at the moment of the last poll", t.dim);
    }
    let mut objects = Document::default();
    let is_it = |r: &Request| r.wait_type.as_deref() == Some(name);
    objects::tell([i].into_iter(), &is_it, view, &mut objects);
    if !objects.lines.is_empty() {
        d.text("by object:", t.dim);
        d.lines.append(&mut objects.lines);
    }
}

/// All about a category: its meaning and its types.
pub fn category_document(category: WaitCategory, harvest: &Harvest, view: &View<'_>) -> Document {
    let t = view.theme;
    let mut d = Document::new(category.name());
    d.text(meaning::of_category(category), t.base);
    d.head("types, heaviest first");
    // Aligned, and short enough for 80 columns: the type has its own sentence in its own details.
    d.text(format!("{:>7} {:>7} {:>8} {:>8}  type", "s/s", "waits/s", "average", "longest"), t.dim);
    let mut cells = [const { String::new() }; 4];
    for row in harvest.rows.iter().filter(|r| r.rate.category == category).take(MOST_WAITERS) {
        let r = &row.rate;
        cells.iter_mut().for_each(String::clear);
        let [rate, count, average, longest] = &mut cells;
        rows::push_rate(rate, r.ms_per_s);
        figure::push_rate(count, r.tasks_per_s);
        if let Some(avg) = r.avg_ms {
            figure::push_mean(average, avg);
        }
        figure::push_wait(longest, r.max_ms as f64);
        let mut line = format!("{rate:>7} {count:>7} {average:>8} {longest:>8}  {}", r.name);
        if let Some(i) = row.instance.and_then(|n| view.instance(n)).filter(|_| view.single().is_none()) {
            let _ = write!(line, " on {}", i.id());
        }
        d.text(line, t.base);
    }
    d
}

/// The line below the types: hidden types and silent instances.
pub fn push_foot(out: &mut String, harvest: &Harvest, view: &View<'_>) {
    // Instances that cannot tell come first: a narrow screen cuts the end, and `i` stands in the footer too.
    let silent = reading::silent(view, |f| &f.waits);
    if !silent.is_empty() && view.single().is_none() {
        let unknown: usize = silent.iter().map(|(_, n)| n).sum();
        let _ = write!(out, "{unknown} of {} without data: ", harvest.instances);
        for (n, (why, count)) in silent.iter().enumerate() {
            let _ = write!(out, "{}{count} {why}", if n > 0 { ", " } else { "" });
        }
    }
    if harvest.benign_hidden > 0 {
        let s = if harvest.benign_hidden == 1 { "" } else { "s" };
        let most = if harvest.instances > 1 { "up to " } else { "" };
        out.push_str(if out.is_empty() { "" } else { " · " });
        let _ = write!(out, "{most}{} benign type{s} hidden (i shows them)", harvest.benign_hidden);
    }
}

/// Says why there is no row and what to do about it.
pub fn empty(harvest: &Harvest, filter: &str, view: &View<'_>, canvas: &mut Canvas<'_>) {
    let lines = if harvest.before > 0 {
        let way_out = if filter.is_empty() { "" } else { "Esc clears it." };
        vec!["No wait matches the filter.".to_owned(), way_out.to_owned()]
    } else {
        let mut lines =
            reading::absence("What is waited for", "Nobody waited between the last two polls", view, |f| {
                &f.waits
            });
        if harvest.instances > 0 && lines.len() == 1 && harvest.benign_hidden > 0 {
            lines.push("i shows the benign waits.".to_owned());
        }
        lines
    };
    reading::empty(&lines, view, canvas);
}
