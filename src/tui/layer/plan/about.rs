//! Texts about a plan: all about an operator, about the statement as a whole, and the indexes that the optimizer missed. The
//! plan layer shows them over itself.

use super::{
    draw::weight_style,
    sheet::{At, Sheet},
};
use crate::{
    model::{
        base::figure::{counted, push_count, push_grouped, push_pct, push_size, push_wait},
        poll::statement::{SqlText, Statement as Text},
    },
    plan::{
        Actual, Operator, Query, Statement, Thread, Warning,
        find::{Finding, create_index},
        lines::off_told,
    },
    tui::{theme::Theme, widget::document::Document},
};
use std::{fmt::Write as _, sync::Arc};

/// Threads that are listed: more say nothing new.
const MOST_THREADS: usize = 128;
/// Lines of a list, such as statistics.
const MOST: usize = 200;

/// All about what a line is about.
pub fn line(sheet: &Sheet, at: At, statement: &Statement, query: &Query, theme: &Theme) -> Option<Document> {
    match at {
        At::Operator(at) => Some(operator(sheet, at, query.operators.get(at)?, query, theme)),
        At::Statement => Some(whole(sheet, statement, query, theme)),
        At::Exchanges => Some(told(
            "Threads that wait for each other",
            "An exchange hands rows from thread to thread. It counts the waiting of both its sides, so it owns no time. What is left of \
             the time of the exchange at the root stands here: threads waited for each other, or for the client.",
            theme,
        )),
        At::Outside => Some(told(
            "Outside operators",
            "What the query took beyond its operators: functions of several statements, scalar functions, the wait for its memory grant, \
             compiling, and the client that fetches rows slowly.",
            theme,
        )),
    }
}

/// Two operators that belong together, one below the other; each by the sheet of its plan.
pub fn pair(
    a: Option<(&Sheet, usize, &Query)>,
    b: Option<(&Sheet, usize, &Query)>,
    theme: &Theme,
) -> Option<Document> {
    let mut both: Option<Document> = None;
    for (name, (sheet, at, query)) in
        [("A", a), ("B", b)].into_iter().filter_map(|(name, of)| Some((name, of?)))
    {
        let one = operator(sheet, at, query.operators.get(at)?, query, theme);
        let both = both.get_or_insert_with(|| Document::new("Two plans, one operator"));
        both.head(format!("{name} · {}", one.title));
        both.lines.extend(one.lines);
    }
    both
}

fn told(title: &str, words: &str, theme: &Theme) -> Document {
    let mut d = Document::new(title);
    d.text(words, theme.base);
    d
}

/// The statements that make the indexes which the optimizer missed; None if it missed none.
pub fn missing_indexes(statement: &Statement, query: &Query, theme: &Theme) -> Option<Document> {
    if query.missing.is_empty() {
        return None;
    }
    let mut d = Document::new(format!(
        "Missing indexes · {}",
        statement.module.as_deref().unwrap_or(&statement.kind)
    ));
    d.text(
        "What the optimizer wished for this one statement, and not what the table needs. Before one of them is made: can an index \
         that is there take the columns? Do others ask for nearly the same? What does it cost when rows change? y copies all.",
        theme.base,
    );
    let mut text = String::new();
    for index in query.missing.iter().take(MOST) {
        let name = format!("{} {:.0} %", index.table.full(), index.impact);
        let keys = index.equality.len() + index.inequality.len();
        d.field("wish", theme.base, |s| {
            let _ = write!(s, "{name}, {}, {} included", counted(keys, "key"), index.include.len());
        });
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&create_index(index));
    }
    d.statement = Some(sql(&text));
    Some(d)
}

/// A text of SQL for a document.
pub fn sql(text: &str) -> Text {
    let batch: Arc<str> = text.into();
    let end = batch.len();
    Text { text: Arc::new(SqlText::new(batch, None, None, false)), start: 0, end }
}

fn operator(sheet: &Sheet, at: usize, o: &Operator, query: &Query, theme: &Theme) -> Document {
    let mut title = o.name();
    if let Some(object) = &o.object {
        title.push_str(" · ");
        title.push_str(&object.short());
    }
    let mut d = Document::new(title);
    let found = sheet.found.iter().filter(|finding| finding.operator == Some(at));
    tell_findings(&mut d, found, sheet, theme);
    d.head("Time");
    let own = sheet.own.elapsed_ms.get(at).copied().flatten();
    d.field("own time", theme.strong, |s| push_ms(s, own));
    d.field("own CPU", theme.base, |s| push_ms(s, sheet.own.cpu_ms.get(at).copied().flatten()));
    let path = sheet.own.path_ms.get(at).copied().filter(|_| query.is_timed());
    d.field("with all below", theme.base, |s| push_ms(s, path));
    d.field("as it counts", theme.dim, |s| push_ms(s, o.elapsed_ms()));
    d.field("cost", theme.base, |s| {
        let _ = write!(
            s,
            "{:.4} own, {:.4} with all below, by the optimizer's estimate",
            o.own_cost, o.subtree_cost
        );
    });
    rows(&mut d, o, theme);
    if let Some(actual) = &o.actual {
        reads(&mut d, actual, theme);
    }
    works(&mut d, o, theme);
    if let Some(actual) = &o.actual {
        threads(&mut d, &actual.threads, theme);
    }
    d
}

/// Findings with what usually helps, under a heading.
fn tell_findings<'a>(
    d: &mut Document,
    found: impl Iterator<Item = &'a Finding>,
    sheet: &Sheet,
    theme: &Theme,
) {
    for (n, finding) in found.enumerate() {
        if n == 0 {
            d.head("Findings");
        }
        let place = sheet.found.iter().position(|other| std::ptr::eq(other, finding));
        let stake = place.and_then(|place| sheet.stakes.get(place)).map_or("", String::as_str);
        let name = format!("{} {} {stake}", finding.weight.mark(), finding.code);
        d.field(name, weight_style(finding.weight, theme), |s| s.push_str(&finding.text));
        d.field("usually helps", theme.base, |s| s.push_str(&finding.advice));
    }
}

fn push_ms(out: &mut String, ms: Option<u64>) {
    if let Some(ms) = ms {
        push_wait(out, ms as f64);
    }
}

fn push_rows(out: &mut String, rows: Option<f64>) {
    if let Some(rows) = rows {
        if rows.abs() < 1e15 && rows.fract() == 0.0 {
            push_grouped(out, rows as i64);
        } else {
            push_count(out, rows);
        }
    }
}

fn rows(d: &mut Document, o: &Operator, theme: &Theme) {
    d.head("Rows");
    let actual = o.actual.as_ref();
    d.field("came", theme.strong, |s| push_rows(s, actual.map(|actual| actual.rows as f64)));
    d.field("expected", theme.base, |s| push_rows(s, Some(o.expected_rows())));
    d.field("estimate off by", theme.warning, |s| s.push_str(&off_told(o)));
    d.field("executions", theme.base, |s| {
        push_rows(s, actual.map(|actual| actual.executions as f64));
        s.push_str(if actual.is_some() { ", expected " } else { "expected " });
        push_rows(s, Some(o.estimated_executions));
    });
    d.field("one execution", theme.base, |s| {
        if let Some(each) = o.rows_each() {
            push_rows(s, Some(each));
            s.push_str(", ");
        }
        s.push_str("expected ");
        push_rows(s, Some(o.estimated_rows));
    });
    let read = actual.and_then(|actual| actual.rows_read);
    d.field("read to find them", theme.base, |s| push_rows(s, read.map(|read| read as f64)));
    d.field("expected to read", theme.base, |s| push_rows(s, o.estimated_rows_read));
    d.field("in the table", theme.base, |s| push_rows(s, o.table_rows));
    d.field("without row goal", theme.base, |s| push_rows(s, o.rows_without_goal));
    if let Some(actual) = actual.filter(|actual| actual.rebinds + actual.rewinds > 0) {
        d.field("computed anew", theme.base, |s| push_rows(s, Some(actual.rebinds as f64)));
        d.field("reused", theme.base, |s| push_rows(s, Some(actual.rewinds as f64)));
    }
}

fn reads(d: &mut Document, actual: &Actual, theme: &Theme) {
    if actual.logical_reads.is_none() && actual.physical_reads.is_none() {
        return;
    }
    d.head("Reads");
    for (name, pages) in [("from memory", actual.logical_reads), ("from disk", actual.physical_reads)] {
        d.field(name, theme.base, |s| {
            if let Some(pages) = pages {
                push_grouped(s, pages as i64);
                s.push_str(" pages, ");
                push_size(s, pages as f64 * 8192.0);
            }
        });
    }
}

fn works(d: &mut Document, o: &Operator, theme: &Theme) {
    d.head("How");
    d.field("operator", theme.base, |s| {
        let _ = write!(s, "{} {}", o.id, o.physical);
        if o.logical != o.physical && !o.logical.is_empty() {
            let _ = write!(s, ", {}", o.logical);
        }
    });
    if let Some(object) = &o.object {
        d.field("object", theme.strong, |s| s.push_str(&object.full()));
        d.field("index", theme.strong, |s| s.push_str(&object.index));
        d.field("known as", theme.base, |s| s.push_str(&object.alias));
        d.field("kind", theme.base, |s| {
            let parts = [object.kind.as_str(), object.storage.as_str()];
            let known: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            s.push_str(&known.join(", "));
        });
    }
    let marks = [
        (o.batch, "batch mode"),
        (o.parallel, "several threads"),
        (o.marks.lookup, "lookup of columns that the index lacks"),
        (o.marks.many_to_many, "many to many"),
        (o.marks.adaptive, "adaptive"),
        (o.marks.forced_index, "the statement forces the index"),
        (o.marks.builds_index, "builds an index in tempdb"),
        (o.marks.startup, "decides before anything below it runs"),
    ];
    let known: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect();
    d.field("works", theme.base, |s| s.push_str(&known.join(", ")));
    let join = o.actual.as_ref().and_then(|actual| actual.join.as_deref());
    d.field("chose", theme.base, |s| s.push_str(join.unwrap_or("")));
    for detail in &o.details {
        d.field(detail.part.word(), theme.base, |s| s.push_str(&detail.text));
    }
    if !o.warnings.is_empty() {
        d.head("Warnings of SQL Server");
    }
    for warning in o.warnings.iter().take(MOST) {
        d.text(warned(warning), theme.warning);
    }
}

/// A warning of the plan in words.
fn warned(warning: &Warning) -> String {
    match warning {
        Warning::Spill(spill) => {
            let mut text = if spill.exchange { "exchange spill" } else { "spill into tempdb" }.to_owned();
            let parts = [("level", spill.level), ("threads", spill.threads)];
            for (name, value) in parts {
                if let Some(value) = value {
                    let _ = write!(text, ", {name} {value}");
                }
            }
            for (name, pages) in [("written", spill.pages_written), ("read", spill.pages_read)] {
                if let Some(pages) = pages {
                    let _ = write!(text, ", {name} ");
                    push_size(&mut text, pages as f64 * 8192.0);
                }
            }
            text
        }
        Warning::NoJoinPredicate => "a join without a condition".to_owned(),
        Warning::NoStatistics(columns) => format!("columns without statistics: {columns}"),
        Warning::StaleStatistics(columns) => format!("columns with stale statistics: {columns}"),
        Warning::Convert { seek: true, expression } => format!("a conversion loses the seek: {expression}"),
        Warning::Convert { seek: false, expression } => {
            format!("a conversion hinders the estimate: {expression}")
        }
        Warning::Grant(kind) => format!("memory grant: {kind}"),
        Warning::UnmatchedIndex(index) => format!("a parameter kept a filtered index from use: {index}"),
        Warning::Wait(what) => format!("waited for {what}"),
        Warning::Other(name) => name.clone(),
    }
}

/// Threads with their share of the rows: skew is seen at a glance.
fn threads(d: &mut Document, threads: &[Thread], theme: &Theme) {
    /// Columns of a whole bar.
    const BAR: f64 = 24.0;
    if threads.len() < 2 {
        return;
    }
    d.head("Threads");
    let most = threads.iter().map(|thread| thread.rows).max().unwrap_or(0).max(1);
    let mut sorted: Vec<&Thread> = threads.iter().collect();
    sorted.sort_by_key(|thread| thread.thread);
    for thread in sorted.into_iter().take(MOST_THREADS) {
        let name = if thread.thread == 0 { "0 coordinates".to_owned() } else { thread.thread.to_string() };
        d.field(name, theme.base, |s| {
            let mut rows = String::new();
            push_count(&mut rows, thread.rows as f64);
            let bar = (thread.rows as f64 / most as f64 * BAR).ceil() as usize;
            let _ = write!(s, "{rows:>6} rows  {:<24}", "█".repeat(bar));
            for (name, ms) in [("", thread.elapsed_ms), ("CPU ", thread.cpu_ms)] {
                if let Some(ms) = ms {
                    let _ = write!(s, "  {name}");
                    push_wait(s, ms as f64);
                }
            }
            s.truncate(s.trim_end().len());
        });
    }
    if threads.len() > MOST_THREADS {
        d.text(format!("and {} more", counted(threads.len() - MOST_THREADS, "thread")), theme.dim);
    }
}

/// All about the statement: its text, what it took, how it was compiled, its statistics.
fn whole(sheet: &Sheet, statement: &Statement, query: &Query, theme: &Theme) -> Document {
    let mut title = statement.kind.clone();
    if let Some(module) = &statement.module {
        let _ = write!(title, " in {module}");
    }
    let mut d = Document::new(title);
    d.text(sheet.headline.clone(), theme.strong);
    for (name, value) in &sheet.facts {
        d.field(name.clone(), theme.base, |s| s.push_str(value));
    }
    for line in &statement.dispatcher {
        d.field("chosen by", theme.base, |s| s.push_str(line));
    }
    tell_findings(&mut d, sheet.found.iter(), sheet, theme);
    compiled(&mut d, query, theme);
    if !query.waits.is_empty() {
        d.head("Waits, of all threads");
    }
    for wait in query.waits.iter().take(MOST) {
        d.field(wait.name.clone(), theme.base, |s| {
            push_wait(s, wait.ms as f64);
            let _ = write!(s, ", {}", counted(wait.count as usize, "time"));
        });
    }
    if !query.missing.is_empty() {
        d.head("Missing indexes");
        let wishes = counted(query.missing.len(), "wish of the optimizer");
        d.text(format!("{wishes}: m shows the statements"), theme.base);
    }
    statistics(&mut d, query, theme);
    if !query.warnings.is_empty() {
        d.head("Warnings of SQL Server");
    }
    for warning in query.warnings.iter().take(MOST) {
        d.text(warned(warning), theme.warning);
    }
    if !statement.text.is_empty() {
        d.statement = Some(sql(&statement.text));
    }
    d
}

fn compiled(d: &mut Document, query: &Query, theme: &Theme) {
    let compile = query.compile;
    if compile.elapsed_ms.or(compile.cpu_ms).or(compile.memory_kb).or(compile.plan_kb).is_some() {
        d.head("Compiled");
    }
    d.field("took", theme.base, |s| push_ms(s, compile.elapsed_ms));
    d.field("CPU", theme.base, |s| push_ms(s, compile.cpu_ms));
    for (name, kb) in [("memory", compile.memory_kb), ("in the cache", compile.plan_kb)] {
        d.field(name, theme.base, |s| {
            if let Some(kb) = kb {
                push_size(s, kb as f64 * 1024.0);
            }
        });
    }
    if let Some(grant) = query.grant {
        let sizes = [
            ("asked for", grant.requested_kb),
            ("a serial plan", grant.desired_kb),
            ("given", grant.granted_kb),
        ];
        d.head("Memory grant");
        for (name, kb) in sizes.into_iter().chain([("used at most", grant.used_kb)]) {
            d.field(name, theme.base, |s| {
                if let Some(kb) = kb {
                    push_size(s, kb as f64 * 1024.0);
                }
            });
        }
        d.field("waited", theme.base, |s| push_ms(s, query.grant_wait_ms()));
    }
}

fn statistics(d: &mut Document, query: &Query, theme: &Theme) {
    if query.statistics.is_empty() {
        return;
    }
    d.head("Statistics that the optimizer read");
    for statistics in query.statistics.iter().take(MOST) {
        d.field(statistics.table.short(), theme.base, |s| {
            s.push_str(&statistics.name);
            if let Some(changes) = statistics.changes {
                s.push_str(", ");
                push_count(s, changes);
                s.push_str(" changes since");
            }
            if let Some(sampled) = statistics.sampled {
                s.push_str(", ");
                push_pct(s, sampled);
                s.push_str(" read for them");
            }
            if let Some(updated) = &statistics.updated {
                let _ = write!(s, ", made {updated}");
            }
        });
    }
}
