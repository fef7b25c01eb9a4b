//! How a plan is told in lines: the rows of its tree, the words around it, and the whole as text. Called by
//! `command::plan` and panes; it knows no colours.

use super::{
    Operator, Parameter, Part, Plan, Query, Statement,
    compare::align,
    figures::{count, factor, kilobytes, short},
    find::{Finding, findings},
    settings,
    time::{self, Metric, Own, hot_path, own},
};
use crate::model::base::figure::{counted, wait};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// What is less than this share of the whole may be folded away.
const FOLD: f64 = 0.01;
/// Levels that are drawn; deeper ones are told as a number, since the tree would leave no room for its words.
const MAX_LEVELS: usize = 14;

/// Lines of a statement above its plan.
const MAX_STATEMENT_LINES: usize = 12;

/// A line of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its operator: an index into [`Query::operators`].
    pub operator: usize,
    /// What draws the tree before its name.
    pub lead: String,
    /// It is on the slowest path.
    pub hot: bool,
    /// Its own amount by the metric; `None` where it is not known.
    pub amount: Option<f64>,
    /// Its share of the whole, 0 to 1.
    pub share: Option<f64>,
    /// Operators below it that are folded away.
    pub folded: usize,
}

/// The lines of a query's tree. With `fold`, what takes less than a hundredth with all below it is one line, unless
/// something was found in it.
pub fn rows(query: &Query, own: &Own, metric: Metric, fold: bool, found: &[Finding]) -> Vec<Row> {
    let amounts = metric.amounts(query, own);
    let whole = time::whole(metric, query, &amounts);
    let share = |amount: Option<f64>| amount.filter(|_| whole > 0.0).map(|amount| amount / whole);
    let hot = hot_path(query, own);
    let inside = inside(query);
    // Shares with all below, and whether anything was found there: from the last to the first.
    let mut heavy: Vec<f64> = amounts.iter().map(|amount| share(*amount).unwrap_or(0.0)).collect();
    let mut telling: Vec<bool> = vec![false; heavy.len()];
    for at in found.iter().filter_map(|finding| finding.operator) {
        if let Some(slot) = telling.get_mut(at) {
            *slot = true;
        }
    }
    for at in (1..query.operators.len()).rev() {
        let Some(parent) = query.operators.get(at).and_then(|operator| operator.parent) else { continue };
        let (weight, tells) =
            (heavy.get(at).copied().unwrap_or(0.0), telling.get(at).copied().unwrap_or(false));
        if let Some(sum) = heavy.get_mut(parent as usize) {
            *sum += weight;
        }
        if let Some(slot) = telling.get_mut(parent as usize) {
            *slot |= tells;
        }
    }
    let mut rows = Vec::new();
    // For each open level, whether more siblings follow.
    let mut more: Vec<bool> = Vec::new();
    let mut at = 0;
    while let Some(operator) = query.operators.get(at) {
        more.truncate(operator.depth as usize);
        more.push(follows(query, operator, at));
        let below = inside.get(at).copied().unwrap_or(0);
        let light =
            heavy.get(at).copied().unwrap_or(0.0) < FOLD && !telling.get(at).copied().unwrap_or(false);
        let folded = if fold && light && at > 0 { below } else { 0 };
        let amount = amounts.get(at).copied().flatten();
        rows.push(Row {
            operator: at,
            lead: lead(&more),
            hot: hot.contains(&at),
            amount,
            share: share(amount),
            folded,
        });
        at += 1 + folded;
    }
    rows
}

/// How many operators stand below each.
fn inside(query: &Query) -> Vec<usize> {
    let mut inside = vec![0; query.operators.len()];
    for at in (1..query.operators.len()).rev() {
        let below: usize = inside.get(at).copied().unwrap_or(0) + 1;
        let parent = query.operators.get(at).and_then(|operator| operator.parent);
        if let Some(sum) = parent.and_then(|parent| inside.get_mut(parent as usize)) {
            *sum += below;
        }
    }
    inside
}

fn follows(query: &Query, operator: &Operator, at: usize) -> bool {
    let parent = operator.parent.and_then(|parent| query.operators.get(parent as usize));
    parent.and_then(|parent| parent.children.last()).is_some_and(|last| *last as usize != at)
}

/// The branches before a name: `│ ├ `. The root has none.
fn lead(more: &[bool]) -> String {
    let Some((own, above)) = more.split_last().filter(|(_, above)| !above.is_empty()) else {
        return String::new();
    };
    let mut text = String::new();
    // The root is no branch.
    let above = above.get(1..).unwrap_or_default();
    let hidden = above.len().saturating_sub(MAX_LEVELS);
    if hidden > 0 {
        let _ = write!(text, "+{hidden} ");
    }
    for open in above.iter().skip(hidden) {
        text.push_str(if *open { "│ " } else { "  " });
    }
    text.push_str(if *own { "├ " } else { "└ " });
    text
}

/// What a query is, what it took and how it was compiled, in one line: `actual · 4.2 s, CPU 15 s · DOP 4 · CE 150`.
pub fn headline(statement: &Statement, query: &Query) -> String {
    let mut parts = vec![if query.is_actual() { "actual" } else { "estimated" }.to_owned()];
    if !query.operation.is_empty() {
        parts.push(query.operation.clone());
    }
    if let Some(total) = query.total {
        parts.push(format!("{}, CPU {}", wait(total.elapsed_ms as f64), wait(total.cpu_ms as f64)));
    }
    if let Some(cost) = statement.cost {
        parts.push(format!("cost {}", count(cost)));
    }
    match query.dop {
        Some(dop) if dop > 1 => parts.push(format!("DOP {dop}")),
        // How many threads it gets is known when it runs.
        _ if query.operators.iter().any(|operator| operator.parallel) => parts.push("parallel".to_owned()),
        _ => parts.push("serial".to_owned()),
    }
    if let Some(estimator) = statement.estimator {
        parts.push(format!("CE {estimator}"));
    }
    if let Some(cpu) = query.compile.cpu_ms.filter(|cpu| *cpu > 0) {
        parts.push(format!("compiled in {} of CPU", wait(cpu as f64)));
    }
    parts.join(" · ")
}

/// What else is known of a query: its grant, waits, parameters, hashes. One line each, those that there are.
pub fn facts(statement: &Statement, query: &Query) -> Vec<String> {
    let mut facts = Vec::new();
    let hashes = [("query", &statement.query_hash), ("plan", &statement.plan_hash)];
    let known: Vec<String> =
        hashes.into_iter().filter_map(|(name, hash)| Some(format!("{name} {}", hash.as_ref()?))).collect();
    if !known.is_empty() {
        facts.push(format!("hash     {}", known.join(", ")));
    }
    if let Some(grant) = query.grant.filter(|grant| grant.granted_kb.is_some_and(|granted| granted > 0)) {
        let size = |kb: Option<u64>| kb.map_or_else(|| "?".to_owned(), |kb| kilobytes(kb as f64));
        let waited =
            query.grant_wait_ms().map_or_else(String::new, |ms| format!(", waited {}", wait(ms as f64)));
        facts.push(format!("grant    {}, used {}{waited}", size(grant.granted_kb), size(grant.used_kb)));
    }
    if !query.waits.is_empty() {
        let each = query.waits.iter().take(6).map(|w| format!("{} {}", w.name, wait(w.ms as f64)));
        facts.push(format!("waits    {}", each.collect::<Vec<_>>().join(", ")));
    }
    for parameter in query.parameters.iter().take(20) {
        if let Some(told) = values(parameter) {
            facts.push(format!("{}  {told}", parameter.name));
        }
    }
    for line in &statement.dispatcher {
        facts.push(format!("chosen by  {line}"));
    }
    facts
}

/// `compiled for 7, ran with 88412`; None: neither is known.
pub fn values(parameter: &Parameter) -> Option<String> {
    let value = |value: &Option<String>| value.as_deref().map(|v| short(v, 60));
    match (value(&parameter.compiled), value(&parameter.runtime)) {
        (Some(compiled), Some(ran)) => Some(format!("compiled for {compiled}, ran with {ran}")),
        // An estimated plan has not run.
        (Some(compiled), None) => Some(format!("compiled for {compiled}")),
        (None, Some(ran)) => Some(format!("ran with {ran}")),
        (None, None) => None,
    }
}

/// What an operator works on and how, in one line: `Order.IX_Date · seek o.Id = @id`.
pub fn what(operator: &Operator) -> String {
    let mut parts = Vec::new();
    if let Some(object) = &operator.object {
        parts.push(object.short());
    }
    let telling = [
        Part::Remote,
        Part::Seek,
        Part::Predicate,
        Part::Keys,
        Part::Residual,
        Part::Order,
        Part::Group,
        Part::Top,
    ];
    for part in telling {
        if let Some(text) = operator.detail(part) {
            parts.push(format!("{} {text}", part.word()));
        }
    }
    parts.join(" · ")
}

/// Rows that came and rows that were expected: `1.2M / 900`; without the first in a plan that did not run.
pub fn rows_told(operator: &Operator) -> String {
    let expected = count(operator.expected_rows());
    match &operator.actual {
        Some(actual) if actual.executions == 0 && !operator.is_exchange() => format!("not run / {expected}"),
        Some(actual) => format!("{} / {expected}", count(actual.rows as f64)),
        None => expected,
    }
}

/// The factor by which the estimate is off, from twice on; empty for a good one.
pub fn off_told(operator: &Operator) -> String {
    match operator.off() {
        Some(off) if off >= 2.0 => count(off),
        Some(off) if off <= 0.5 => format!("1/{}", factor(off)),
        _ => String::new(),
    }
}

/// A share as a whole percentage, without a sign.
pub fn share_told(share: Option<f64>) -> String {
    share.map_or_else(String::new, |share| format!("{:.0}", share * 100.0))
}

/// An amount by its metric: `4.2 s` of time, `1.2M` of others.
pub fn amount_told(metric: Metric, amount: Option<f64>) -> String {
    match (metric, amount) {
        (_, None) => "–".to_owned(),
        (Metric::Time | Metric::Cpu, Some(ms)) => wait(ms),
        // Most plans of a fast server cost less than 1.
        (Metric::Cost, Some(cost)) if (0.000_05..1.0).contains(&cost) => format!("{cost:.4}"),
        (_, Some(amount)) => count(amount),
    }
}

/// A whole plan as text: each statement with its tree and what was found.
pub fn text(plan: &Plan, metric: Option<Metric>, fold: bool) -> String {
    let mut out = String::new();
    for (at, statement) in plan.statements.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let module = statement.module.as_ref().map_or_else(String::new, |module| format!(" in {module}"));
        let kind = if statement.kind.is_empty() { "statement" } else { &statement.kind };
        push_line(&mut out, &format!("{}. {kind}{module}", at + 1));
        for line in statement.text.lines().take(MAX_STATEMENT_LINES) {
            push_line(&mut out, &format!("   {line}"));
        }
        let more = statement.text.lines().count().saturating_sub(MAX_STATEMENT_LINES);
        if more > 0 {
            push_line(&mut out, &format!("   … {} more", counted(more, "line")));
        }
        for query in &statement.queries {
            push_query(&mut out, statement, query, metric, fold);
        }
        if statement.queries.is_empty() {
            push_line(&mut out, "   (this statement has no plan of its own)");
        }
    }
    out
}

fn push_query(out: &mut String, statement: &Statement, query: &Query, metric: Option<Metric>, fold: bool) {
    let own = own(query);
    let found = findings(statement, query, &own);
    let metric = metric.unwrap_or_else(|| Metric::best(query));
    push_line(out, &format!("   {}", headline(statement, query)));
    for fact in facts(statement, query).into_iter().chain(settings(statement, query)) {
        push_line(out, &format!("   {fact}"));
    }
    let rows = rows(query, &own, metric, fold, &found);
    let name = |row: &Row| {
        let operator = query.operators.get(row.operator).map(Operator::name).unwrap_or_default();
        let batch =
            query.operators.get(row.operator).filter(|operator| operator.batch).map_or("", |_| " batch");
        let folded = if row.folded > 0 { format!(" +{}", row.folded) } else { String::new() };
        format!("{}{operator}{batch}{folded}", row.lead)
    };
    let names: Vec<String> = rows.iter().map(name).collect();
    let wide = names.iter().map(|name| name.width()).max().unwrap_or(0).clamp(8, 64);
    let title = if metric == Metric::Cost { "COST".to_owned() } else { format!("OWN {}", metric.word()) };
    let head =
        format!(" {title:>10} {:>4}    {:wide$}  {:>16} {:>6}  WHAT", "%", "OPERATOR", "ROWS act/est", "OFF");
    push_line(out, &head);
    for (row, name) in rows.iter().zip(&names) {
        let Some(operator) = query.operators.get(row.operator) else { continue };
        let here = || found.iter().filter(|finding| finding.operator == Some(row.operator));
        let marks: Vec<String> =
            here().map(|finding| format!("{} {} ", finding.weight.mark(), finding.code)).collect();
        let pad = wide.saturating_sub(name.width());
        let line = format!(
            " {:>10} {:>4} {}{} {name}{:pad$}  {:>16} {:>6}  {}{}",
            amount_told(metric, row.amount),
            share_told(row.share),
            // The heaviest, before the name: a narrow terminal cuts what comes last.
            here().next().map_or(" ", |finding| finding.weight.mark()),
            if row.hot { '┃' } else { ' ' },
            "",
            rows_told(operator),
            off_told(operator),
            marks.concat(),
            what(operator),
        );
        push_line(out, &line);
    }
    if let Some(words) = not_told(query, &own, metric) {
        push_line(out, &format!("   {words}"));
    }
    for (ms, words) in
        [(own.exchanges_ms, "threads that wait for each other"), (own.outside_ms, "outside operators")]
    {
        let Some(ms) = ms.filter(|ms| *ms > 0 && metric == Metric::Time) else { continue };
        let share = query.total.map(|total| ms as f64 / total.elapsed_ms.max(1) as f64);
        push_line(out, &format!(" {:>10} {:>4}    {words}", wait(ms as f64), share_told(share)));
    }
    for finding in &found {
        let stake = match (finding.stake_ms, finding.share) {
            (Some(ms), _) => format!("{:>8}", wait(ms)),
            (None, Some(share)) => format!("{:>5.0} % of cost", share * 100.0),
            (None, None) => format!("{:>8}", ""),
        };
        push_line(out, &format!(" {} {} {stake}  {}", finding.weight.mark(), finding.code, finding.text));
        push_line(out, &format!("                 {}", finding.advice));
    }
}

/// Why no operator has an amount of this metric; `None` where one has.
fn not_told(query: &Query, own: &Own, metric: Metric) -> Option<String> {
    let is_told = metric.amounts(query, own).iter().any(Option::is_some);
    let why = if query.is_actual() { "its version counts none" } else { "it did not run" };
    (!is_told && !query.operators.is_empty()).then(|| format!("this plan has no {}: {why}", metric.word()))
}

/// Two plans side by side: own times, rows and operators of both, a pair a line.
pub fn comparison(left: (&Statement, &Query), right: (&Statement, &Query)) -> String {
    let mut out = String::new();
    for (name, (statement, query)) in [("A", left), ("B", right)] {
        push_line(&mut out, &format!("{name}  {}", headline(statement, query)));
    }
    let ((_, a), (_, b)) = (left, right);
    let timed = a.is_timed() && b.is_timed();
    let metric = if timed { Metric::Time } else { Metric::Cost };
    let (of_a, of_b) = (metric.amounts(a, &own(a)), metric.amounts(b, &own(b)));
    let title = if timed { "OWN" } else { "COST" };
    let (title_a, title_b) = (format!("{title} A"), format!("{title} B"));
    push_line(&mut out, &format!("{title_a:>10} {title_b:>10}  {:>18} {:>18}  OPERATOR", "ROWS A", "ROWS B"));
    for pair in align(a, b) {
        let operator =
            |query: &'_ Query, at: Option<usize>| at.and_then(|at| query.operators.get(at).cloned());
        let amount = |amounts: &[Option<f64>], at: Option<usize>| match at {
            Some(at) => amount_told(metric, amounts.get(at).copied().flatten()),
            None => String::new(),
        };
        let (first, second) = (operator(a, pair.left), operator(b, pair.right));
        let told = |operator: &Option<Operator>| operator.as_ref().map(rows_told).unwrap_or_default();
        let line = format!(
            "{:>10} {:>10}  {:>18} {:>18}  {}",
            amount(&of_a, pair.left),
            amount(&of_b, pair.right),
            told(&first),
            told(&second),
            change(first.as_ref(), second.as_ref()),
        );
        push_line(&mut out, &line);
    }
    out
}

/// `only in B: Sort`, `Index Scan → Index Seek Order.IX_Date`, or what is the same in both.
pub fn change(a: Option<&Operator>, b: Option<&Operator>) -> String {
    let told = |operator: &Operator| {
        let object =
            operator.object.as_ref().map_or_else(String::new, |object| format!(" {}", object.short()));
        format!("{}{object}", operator.name())
    };
    let lead = "  ".repeat(a.or(b).map_or(0, |operator| operator.depth as usize).min(MAX_LEVELS));
    match (a.map(told), b.map(told)) {
        (Some(a), Some(b)) if a == b => format!("{lead}{a}"),
        (Some(a), Some(b)) => format!("{lead}{a} → {b}"),
        (Some(a), None) => format!("{lead}only in A: {a}"),
        (None, Some(b)) => format!("{lead}only in B: {b}"),
        (None, None) => String::new(),
    }
}

/// A line without blanks at its end.
fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}
