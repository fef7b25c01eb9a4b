//! What is wrong with a plan: findings P01 to P20, each with the time that is at stake. Called by `lines`, `command::plan`
//! and panes. A finding says what was seen and what usually helps; it never guesses what it cannot see in the plan.
//!
//! The rules stand in [`RULES`], a row each. Their thresholds were proposed from 97 public plans; those that come from
//! elsewhere say so. A finding weighs what share of the query's own times it may explain: a grave one half, a warning a
//! tenth. In a plan without times the optimizer's cost stands in, and the finding says so: an estimate makes nothing grave, and
//! neither does a share of next to no time.

mod access;
mod case;
mod rows;
#[cfg(test)]
mod tests;
mod work;

use super::{
    Plan, Query, Statement,
    time::{self, Metric, Own},
};
use case::{Case, Seen};
use serde::Serialize;

pub use access::create_index;
pub use case::Weight;

/// Findings of one rule in one query: a hundred spills are told by the twenty that cost most.
const MAX_EACH: usize = 20;

/// A finding with less time at stake than this is not grave, whatever its share: half of 4 ms is no reason to get up. Clocks of
/// operators count milliseconds, so that shares of a few are noise besides.
const GRAVE_FROM_MS: f64 = 10.0;

/// Something in a plan that a DBA would want to know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// `P01` to `P20`.
    pub code: &'static str,
    /// How much it weighs.
    pub weight: Weight,
    /// The operator at which it was seen: its index in [`Query::operators`].
    pub operator: Option<usize>,
    /// The share of the query that it may explain, 0 to 1; `None` where the plan cannot tell.
    pub share: Option<f64>,
    /// The same in milliseconds, if the query was timed.
    pub stake_ms: Option<f64>,
    /// What was seen.
    pub text: String,
    /// What usually helps.
    pub advice: String,
}

/// A rule: its code, its name, and what looks for it.
pub struct Rule {
    /// `P01` …
    pub code: &'static str,
    /// Its name, for the list in the documents.
    pub name: &'static str,
    find: fn(&Case<'_>) -> Vec<Seen>,
}

const fn rule(code: &'static str, name: &'static str, find: fn(&Case<'_>) -> Vec<Seen>) -> Rule {
    Rule { code, name, find }
}

/// All rules, in the order of their codes.
pub const RULES: [Rule; 20] = [
    rule("P01", "missing index", access::missing_index),
    rule("P02", "conversion that loses the seek", access::seek_lost),
    rule("P03", "condition that no index can serve", access::not_searchable),
    rule("P04", "rows read to be dropped", access::residual),
    rule("P05", "lookup for each row", access::lookup),
    rule("P06", "index built for each run", access::eager_spool),
    rule("P07", "spool that is not reused", access::lazy_spool),
    rule("P08", "wrong estimate of rows", rows::wrong_estimate),
    rule("P09", "spill into tempdb", work::spill),
    rule("P10", "memory grant", work::grant),
    rule("P11", "uneven threads", work::skew),
    rule("P12", "kept serial by the code", work::serial),
    rule("P13", "scalar function called for each row", work::function),
    rule("P14", "loop by mistake", rows::runaway_loop),
    rule("P15", "compiled for other parameters", rows::sniffing),
    rule("P16", "no statistics", rows::no_statistics),
    rule("P17", "unfinished or slow compilation", work::compilation),
    rule("P18", "stale statistics", rows::stale_statistics),
    rule("P19", "join of many to many, or with no condition", work::join),
    rule("P20", "other SET options than SSMS", work::options),
];

/// Own times and findings of a query.
#[derive(Clone, Debug)]
pub struct Judged {
    /// own times of its operators
    pub own: Own,
    /// what is wrong with it, the heaviest first
    pub found: Vec<Finding>,
}

impl Judged {
    /// Of a query.
    pub fn of(statement: &Statement, query: &Query) -> Self {
        let own = time::own(query);
        Self { found: findings(statement, query, &own), own }
    }

    /// Of each query of a plan, statement by statement: to be made where nobody waits, as a plan may be as large as its caps.
    pub fn all(plan: &Plan) -> Vec<Vec<Self>> {
        let of_each = |statement: &Statement| {
            statement.queries.iter().map(|query| Self::of(statement, query)).collect()
        };
        plan.statements.iter().map(of_each).collect()
    }
}

/// The findings of a query, the heaviest first.
pub fn findings(statement: &Statement, query: &Query, own: &Own) -> Vec<Finding> {
    let metric = Metric::best(query);
    let amounts = metric.amounts(query, own);
    let whole = time::whole(metric, query, &amounts);
    let case =
        Case { statement, query, amounts, whole, timed: metric == Metric::Time, outside_ms: own.outside_ms };
    let mut all = Vec::new();
    for rule in &RULES {
        let mut seen = (rule.find)(&case);
        seen.sort_by(|a, b| b.share.unwrap_or(0.0).total_cmp(&a.share.unwrap_or(0.0)));
        let dropped = seen.len().saturating_sub(MAX_EACH);
        seen.truncate(MAX_EACH);
        if let Some(last) = seen.last_mut().filter(|_| dropped > 0) {
            last.text = format!("{}; {dropped} more of this kind take less", last.text);
        }
        all.extend(seen.into_iter().map(|seen| case.weigh(rule.code, seen)));
    }
    all.sort_by(|a, b| {
        let share = |finding: &Finding| finding.share.unwrap_or(0.0);
        b.weight.cmp(&a.weight).then_with(|| share(b).total_cmp(&share(a))).then_with(|| a.code.cmp(b.code))
    });
    all
}

impl Case<'_> {
    fn weigh(&self, code: &'static str, seen: Seen) -> Finding {
        let share = seen.share.map(|share| share.clamp(0.0, 1.0));
        let stake_ms = seen
            .ms
            .or_else(|| share.filter(|_| !seen.is_guess).map(|share| share * self.whole))
            .filter(|_| self.timed);
        let weight = seen.weight.unwrap_or_else(|| share.map_or(Weight::Note, Weight::of));
        let may_be_grave = stake_ms.is_some_and(|ms| ms >= GRAVE_FROM_MS);
        Finding {
            code,
            weight: if may_be_grave { weight } else { weight.min(Weight::Warning) },
            operator: seen.operator,
            share,
            stake_ms,
            text: seen.text,
            advice: seen.advice,
        }
    }
}
