//! The tree of a query as lines that are ready to be drawn. It is made anew when the query, the metric or the folding
//! changes, and never for a frame. Called by the plan layer; `draw` and `about` read it.

use crate::{
    model::base::figure::wait,
    plan::{
        Object, Operator, Query, Statement,
        figures::short,
        find::{Finding, Judged, Weight},
        lines::{self, Row, amount_told, off_told, rows_told, what},
        settings,
        time::{Metric, Own},
        words::plain,
    },
    sql::normalize::squeeze,
    tui::widget::canvas::width,
};
use std::fmt::Write as _;

/// Characters of a predicate in a line; the details have all of it.
const WHAT: usize = 400;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// the statement as a whole
    Statement,
    /// an operator: an index into [`Query::operators`]
    Operator(usize),
    /// what threads waited for each other
    Exchanges,
    /// what the query took beyond its operators
    Outside,
}

/// How far something stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heat {
    /// less than a hundredth
    Low,
    /// between
    Some,
    /// a tenth or more
    High,
}

/// A line.
#[derive(Debug)]
pub struct Shown {
    /// what it is about
    pub at: At,
    /// `4.2 s`
    pub amount: String,
    /// `86`, or `0.4`
    pub share: String,
    /// by its share
    pub heat: Heat,
    /// it is on the slowest path
    pub is_hot: bool,
    /// branches of the tree before the name
    pub lead: String,
    /// `Index Seek`
    pub name: String,
    /// ` batch ×4 +12`: behind the name
    pub tail: String,
    /// columns of lead, name and tail
    pub width: usize,
    /// `1.2M / 900`
    pub rows: String,
    /// by which factor the estimate is off
    pub off: String,
    /// ten times off or more, a hundred times or more
    pub off_by: Heat,
    /// how much of what is expected has come, of a query that runs
    pub done: String,
    /// what was found there: the heaviest of each code first
    pub marks: Vec<(Weight, &'static str)>,
    /// `Order.IX_Date`
    pub object: String,
    /// `seek Id = @id`, or the words of a line that is no operator
    pub what: String,
    /// all of it, with database and schema
    pub whole: String,
}

impl Shown {
    /// True if it has a text in it; `wanted` is in lower case.
    pub fn has(&self, wanted: &str) -> bool {
        let is_code = |(_, code): &(Weight, &str)| code.to_lowercase() == wanted;
        [&self.name, &self.tail, &self.whole].iter().any(|text| text.to_lowercase().contains(wanted))
            || self.marks.iter().any(is_code)
    }

    /// The line as text, with tabs between its parts.
    pub fn to_copy(&self) -> String {
        let mark = self.marks.iter().map(|(weight, code)| format!("{} {code} ", weight.mark()));
        let name = format!("{}{}", self.name, self.tail);
        let told = format!("{}{}", mark.collect::<String>(), self.whole);
        let parts = [&self.amount, &self.share, &name, &self.rows, &self.off, &told];
        let parts: Vec<&str> = parts.into_iter().map(|part| part.trim()).collect();
        parts.join("\t").trim_end().to_owned()
    }
}

/// A query's lines, and what was concluded from it.
#[derive(Debug)]
pub struct Sheet {
    /// by what operators are compared
    pub metric: Metric,
    /// what takes little is folded away
    pub is_folded: bool,
    /// there are counters of operators
    pub is_actual: bool,
    /// it runs still
    pub is_live: bool,
    /// own times
    pub own: Own,
    /// what is wrong with it, the heaviest first
    pub found: Vec<Finding>,
    /// what is at stake, for each of `found`
    pub stakes: Vec<String>,
    /// the lines
    pub lines: Vec<Shown>,
    /// what it is, in a line
    pub headline: String,
    /// names and values
    pub facts: Vec<(String, String)>,
    /// columns of the widest name
    pub name_width: usize,
    /// columns of the widest rows
    pub rows_width: usize,
    /// columns of the widest factor
    pub off_width: usize,
}

impl Sheet {
    /// Of a query and what was concluded from it. No metric: the best that it has.
    pub fn of(
        (statement, query): (&Statement, &Query),
        Judged { own, found }: Judged,
        metric: Option<Metric>,
        is_folded: bool,
        is_live: bool,
    ) -> Self {
        let stake = |finding: &Finding| match (finding.stake_ms, finding.share) {
            (Some(ms), _) => wait(ms),
            (None, Some(share)) => format!("{:.0} % cost", share * 100.0),
            (None, None) => String::new(),
        };
        let metric = metric.filter(|metric| has(*metric, query, &own));
        let mut sheet = Self {
            metric: metric.unwrap_or_else(|| Metric::best(query)),
            is_folded,
            is_actual: query.is_actual(),
            is_live,
            stakes: found.iter().map(stake).collect(),
            own,
            found,
            lines: Vec::new(),
            headline: lines::headline(statement, query),
            facts: facts(statement, query),
            name_width: 0,
            rows_width: 0,
            off_width: 0,
        };
        sheet.lay(statement, query);
        sheet
    }

    /// By another metric, or folded otherwise.
    pub fn change(&mut self, statement: &Statement, query: &Query, metric: Metric, is_folded: bool) {
        self.metric = metric;
        self.is_folded = is_folded;
        self.lay(statement, query);
    }

    /// The metric beside this one that the query has figures of.
    pub fn metric_beside(&self, query: &Query, back: bool) -> Metric {
        let all = Metric::ALL;
        let here = all.iter().position(|metric| *metric == self.metric).unwrap_or(0);
        let step = if back { all.len() - 1 } else { 1 };
        let beside = (1..=all.len()).filter_map(|n| all.get((here + n * step) % all.len()));
        beside.copied().find(|metric| has(*metric, query, &self.own)).unwrap_or(self.metric)
    }

    /// The place of the line about this; of an operator that is folded away, the line that it is folded into.
    pub fn place(&self, at: At) -> Option<usize> {
        let exact = self.lines.iter().position(|line| line.at == at);
        let At::Operator(wanted) = at else { return exact };
        let is_before = |line: &Shown| matches!(line.at, At::Operator(operator) if operator <= wanted);
        exact.or_else(|| self.lines.iter().rposition(is_before))
    }

    /// The findings about a line: places in `found`.
    pub fn found_at(&self, at: At) -> impl Iterator<Item = usize> + '_ {
        let operator = match at {
            At::Operator(operator) => Some(Some(operator)),
            At::Statement => Some(None),
            At::Exchanges | At::Outside => None,
        };
        let is_here = move |finding: &Finding| operator == Some(finding.operator);
        self.found.iter().enumerate().filter(move |(_, finding)| is_here(finding)).map(|(at, _)| at)
    }

    fn lay(&mut self, statement: &Statement, query: &Query) {
        let rows = lines::rows(query, &self.own, self.metric, self.is_folded, &self.found);
        let mut marks: Vec<Vec<(Weight, &'static str)>> = vec![Vec::new(); query.operators.len()];
        for finding in &self.found {
            let Some(marks) = finding.operator.and_then(|at| marks.get_mut(at)) else { continue };
            if marks.iter().all(|(_, code)| *code != finding.code) {
                marks.push((finding.weight, finding.code));
            }
        }
        self.lines.clear();
        self.lines.push(statement_line(statement, &self.found));
        for row in &rows {
            let Some(operator) = query.operators.get(row.operator) else { continue };
            let marks = marks.get_mut(row.operator).map(std::mem::take).unwrap_or_default();
            self.lines.push(self.operator_line(query, operator, row, marks));
        }
        self.name_width = self.lines.iter().skip(1).map(|line| line.width).max().unwrap_or(0);
        let widest =
            |of: fn(&Shown) -> &str| self.lines.iter().map(|line| width(of(line))).max().unwrap_or(0);
        (self.rows_width, self.off_width) = (widest(|line| &line.rows), widest(|line| &line.off));
        let beyond = [
            (self.own.exchanges_ms, At::Exchanges, "threads that wait for each other"),
            (self.own.outside_ms, At::Outside, "outside operators"),
        ];
        for (ms, at, words) in beyond {
            let Some(ms) = ms.filter(|ms| *ms > 0 && self.metric == Metric::Time) else { continue };
            let share = query.total.map(|total| ms as f64 / total.elapsed_ms.max(1) as f64);
            let line = bare(at, words.to_owned(), String::new());
            let (amount, heat) = (wait(ms as f64), heat(share));
            self.lines.push(Shown { amount, share: share_told(share), heat, ..line });
        }
    }

    fn operator_line(
        &self,
        query: &Query,
        operator: &Operator,
        row: &Row,
        marks: Vec<(Weight, &'static str)>,
    ) -> Shown {
        let (name, tail) = (operator.name(), tail(query, operator, row.folded));
        let far = operator.off().map_or(0.0, |off| off.max(1.0).max(1.0 / off.max(f64::MIN_POSITIVE)));
        let (object, told) = split(operator);
        Shown {
            at: At::Operator(row.operator),
            amount: amount_told(self.metric, row.amount),
            share: share_told(row.share),
            heat: heat(row.share),
            is_hot: row.hot,
            width: width(&row.lead) + width(&name) + width(&tail),
            lead: row.lead.clone(),
            name,
            tail,
            rows: rows_told(operator),
            off: off_told(operator),
            off_by: match far {
                100.0.. => Heat::High,
                10.0.. => Heat::Some,
                _ => Heat::Low,
            },
            done: if self.is_live { done(operator) } else { String::new() },
            marks,
            whole: whole(operator, &told),
            object,
            what: told,
        }
    }
}

/// True if a query has figures of a metric.
fn has(metric: Metric, query: &Query, own: &Own) -> bool {
    metric.amounts(query, own).iter().any(Option::is_some)
}

/// The line of the statement, with the marks of what was found on it as a whole.
fn statement_line(statement: &Statement, found: &[Finding]) -> Shown {
    let text = squeeze(&statement.text, WHAT);
    // The kind is the first word of most texts.
    let name = match &statement.module {
        Some(module) => module.clone(),
        None if text.is_empty() => statement.kind.clone(),
        None => "statement".to_owned(),
    };
    let mut line = bare(At::Statement, name, text);
    for finding in found.iter().filter(|finding| finding.operator.is_none()) {
        if line.marks.iter().all(|(_, code)| *code != finding.code) {
            line.marks.push((finding.weight, finding.code));
        }
    }
    line
}

/// A line that is no operator.
fn bare(at: At, name: String, what: String) -> Shown {
    Shown {
        at,
        amount: String::new(),
        share: String::new(),
        heat: Heat::Some,
        is_hot: false,
        lead: String::new(),
        width: width(&name),
        name,
        tail: String::new(),
        rows: String::new(),
        off: String::new(),
        off_by: Heat::Low,
        done: String::new(),
        marks: Vec::new(),
        object: String::new(),
        whole: what.clone(),
        what,
    }
}

/// `86`, `4.2`, `0`, in at most four columns.
fn share_told(share: Option<f64>) -> String {
    let Some(share) = share else { return String::new() };
    let pct = share * 100.0;
    if pct <= 0.0 {
        "0".to_owned()
    } else if pct < 0.05 {
        "<0.1".to_owned()
    } else if pct < 9.95 {
        format!("{pct:.1}")
    } else {
        format!("{pct:.0}")
    }
}

const fn heat(share: Option<f64>) -> Heat {
    match share {
        Some(0.1..) => Heat::High,
        Some(0.01..) => Heat::Some,
        _ => Heat::Low,
    }
}

/// ` batch ×4 +12`: its mode, its workers, and how many operators are folded into it.
fn tail(query: &Query, operator: &Operator, folded: usize) -> String {
    let mut tail = String::new();
    if operator.batch {
        tail.push_str(" batch");
    }
    let workers = match (&operator.actual, query.dop) {
        (Some(_), _) => operator.workers().count(),
        (None, Some(dop)) if operator.parallel => dop as usize,
        (None, _) => 0,
    };
    if workers > 1 {
        let _ = write!(tail, " ×{workers}");
    }
    if folded > 0 {
        let _ = write!(tail, " +{folded}");
    }
    tail
}

/// How much of what is expected has come: it never says that all has, since more may come than was expected.
fn done(operator: &Operator) -> String {
    let Some(actual) = operator.actual.as_ref() else { return "0 %".to_owned() };
    let expected = operator.expected_rows();
    if expected > 0.0 {
        format!("{:.0} %", (actual.rows as f64 / expected * 100.0).clamp(0.0, 99.0))
    } else {
        "?".to_owned()
    }
}

/// The object and what is done with it.
fn split(operator: &Operator) -> (String, String) {
    let object = operator.object.as_ref().map(Object::short).unwrap_or_default();
    let told = short(&plain(&what(operator)), WHAT);
    let rest = told.strip_prefix(object.as_str()).map(|rest| rest.trim_start_matches(" · ").to_owned());
    (object, rest.unwrap_or(told))
}

/// `orders.dbo.Order.IX_Date (o) · seek o.Id = @id`
fn whole(operator: &Operator, told: &str) -> String {
    let mut whole = String::new();
    if let Some(object) = &operator.object {
        whole.push_str(&object.full());
        if !object.index.is_empty() {
            whole.push_str(if whole.is_empty() { "" } else { "." });
            whole.push_str(&object.index);
        }
        if !object.alias.is_empty() && object.alias != object.table {
            let _ = write!(whole, " ({})", object.alias);
        }
    }
    if !whole.is_empty() && !told.is_empty() {
        whole.push_str(" · ");
    }
    whole.push_str(told);
    whole
}

/// Names and values of what is known of a query as a whole: what is particular first, hashes and settings last.
fn facts(statement: &Statement, query: &Query) -> Vec<(String, String)> {
    let named = |line: String| match line.split_once("  ") {
        Some((name, value)) => (name.to_owned(), value.trim_start().to_owned()),
        None => (String::new(), line),
    };
    let mut facts: Vec<(String, String)> = lines::facts(statement, query).into_iter().map(named).collect();
    let hashes = usize::from(facts.first().is_some_and(|(name, _)| name == "hash"));
    let mut more = Vec::new();
    let mut add = |name: &str, value: Option<&str>| {
        more.extend(value.map(|value| (name.to_owned(), short(value, 200))));
    };
    add("serial because", query.serial_reason.as_deref());
    // That it stopped at a good plan is no news.
    let early = statement.early_end.as_deref().filter(|why| *why != "GoodEnoughPlanFound");
    add("early end", early);
    add("guide", statement.guide.as_deref());
    let off = statement.off.join(", ");
    add("SET off", Some(off.as_str()).filter(|off| !off.is_empty()));
    facts.extend(more);
    facts.rotate_left(hashes);
    facts.extend(settings(statement, query).into_iter().map(named));
    facts
}
