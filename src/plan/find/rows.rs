//! P08, P14, P15, P16, P18: how many rows the optimizer expected, and what it knew.

use super::case::{Case, Seen, WARNING, Weight};
use crate::plan::{
    Object, Operator, Warning,
    figures::{count, factor, short},
};
use std::collections::HashMap;

/// An estimate this far off is wrong.
const OFF: f64 = 10.0;
/// An estimate this far off is grave.
const FAR_OFF: f64 = 100.0;
/// Fewer rows than this hurt nobody, however wrong the estimate.
const MIN_ROWS: f64 = 1_000.0;

/// True if more or fewer rows came by the factor [`OFF`], and enough that it matters.
fn is_off(operator: &Operator) -> bool {
    // It fills a hash table and returns none.
    if operator.physical == "Batch Hash Table Build" {
        return false;
    }
    let rows = operator.actual.as_ref().map_or(0.0, |actual| actual.rows as f64);
    operator.off().is_some_and(|off| off >= OFF || off <= 1.0 / OFF)
        && rows.max(operator.expected_rows()) >= MIN_ROWS
}

/// The nearest join or sort above that suffers from it: it takes a tenth of the time itself, or spills, or runs its inner
/// side for each row too many.
fn sufferer(case: &Case<'_>, at: usize, more: bool) -> Option<usize> {
    case.above(at)
        .find(|(above, operator)| {
            let spills = operator
                .warnings
                .iter()
                .any(|warning| matches!(warning, Warning::Spill(spill) if !spill.exchange));
            let joins = operator.logical.contains("Join") || operator.physical.ends_with("Sort");
            let loops = operator.physical == "Nested Loops";
            let inner = case.query.children(*above).last().filter(|_| loops);
            let inner = inner.and_then(|inner| case.share(inner)).unwrap_or(0.0);
            spills && more || joins && case.share(*above).unwrap_or(0.0) + inner >= WARNING
        })
        .map(|(above, _)| above)
}

/// P08. Where a wrong estimate begins, if something above suffers from it.
pub(super) fn wrong_estimate(case: &Case<'_>) -> Vec<Seen> {
    let each = case.operators().filter(|(_, operator)| is_off(operator)).filter_map(|(at, operator)| {
        // The error is inherited: the operator below is where to look.
        let mut below = case.query.children(at).filter_map(|child| case.operator(child));
        if below.any(is_off) || operator.is_exchange() {
            return None;
        }
        let (off, actual) = (operator.off()?, operator.actual.as_ref()?);
        let suffers = sufferer(case, at, off >= 1.0);
        let wide_grant = case.query.grant.is_some_and(|grant| super::work::is_wasteful(&grant)) && off < 1.0;
        (suffers.is_some() || wide_grant).then(|| {
            let what = if off >= 1.0 { "more" } else { "fewer" };
            let text = format!(
                "{} rows came, {} were expected: {} times {what}",
                count(actual.rows as f64),
                count(operator.expected_rows()),
                factor(off)
            );
            let advice = "look at the statistics, the parameters and the conditions of this operator";
            let share = suffers.and_then(|above| case.share(above)).or_else(|| case.share(at));
            let far = off >= FAR_OFF || off <= 1.0 / FAR_OFF;
            let weight = if far && share.unwrap_or(0.0) >= WARNING { Weight::Grave } else { Weight::Warning };
            Seen { share, ..Seen::at(case, at, text, advice) }.weighing(weight)
        })
    });
    each.collect()
}

/// The inner side of a loop ran this often.
const MANY_RUNS: u64 = 100_000;

/// P14. A loop that runs its inner side for far more rows than was expected.
pub(super) fn runaway_loop(case: &Case<'_>) -> Vec<Seen> {
    let loops = case.operators().filter(|(_, operator)| operator.physical == "Nested Loops");
    let each = loops.filter_map(|(at, _)| {
        let mut inputs = case.query.children(at);
        let outer = case.operator(inputs.next()?)?;
        let inner_at = inputs.next()?;
        let runs = case.operator(inner_at)?.actual.as_ref()?.executions;
        let off = outer.off().filter(|off| *off >= OFF)?;
        (runs > MANY_RUNS).then(|| {
            let text = format!(
                "the inner side ran {} times; the outer has {} times more rows than expected",
                count(runs as f64),
                factor(off)
            );
            let share = Some(case.share(at).unwrap_or(0.0) + below(case, inner_at));
            Seen {
                share,
                ..Seen::at(
                    case,
                    at,
                    text,
                    "correct the estimate of the outer side: a hash join would be chosen",
                )
            }
        })
    });
    each.collect()
}

/// The share of an operator with all below it.
fn below(case: &Case<'_>, at: usize) -> f64 {
    let depth = case.operator(at).map_or(0, |operator| operator.depth);
    let inside =
        case.query.operators.iter().skip(at + 1).take_while(|operator| operator.depth > depth).count();
    (at..=at + inside).filter_map(|at| case.share(at)).sum()
}

/// P15. Other parameters than those that it was compiled for, and an estimate that is wrong.
pub(super) fn sniffing(case: &Case<'_>) -> Vec<Seen> {
    let differing: Vec<String> = case
        .query
        .parameters
        .iter()
        .filter_map(|parameter| {
            let (compiled, runtime) = parameter.compiled.as_ref().zip(parameter.runtime.as_ref())?;
            (compiled != runtime).then(|| {
                format!(
                    "{} compiled for {}, ran with {}",
                    parameter.name,
                    short(compiled, 40),
                    short(runtime, 40)
                )
            })
        })
        .collect();
    if differing.is_empty() {
        return Vec::new();
    }
    let Some(worst) = wrong_estimate(case)
        .into_iter()
        .max_by(|a, b| a.share.unwrap_or(0.0).total_cmp(&b.share.unwrap_or(0.0)))
    else {
        return Vec::new();
    };
    let advice =
        "compare with a plan compiled for these values; OPTION (RECOMPILE), OPTIMIZE FOR, or a forced plan"
            .to_owned();
    vec![Seen { operator: worst.operator, ..Seen::of(worst.share, differing.join("; "), advice) }]
}

/// P16. Table variables and functions of several statements have no statistics: one row, or 100, is assumed.
pub(super) fn no_statistics(case: &Case<'_>) -> Vec<Seen> {
    let each = case.operators().filter_map(|(at, operator)| {
        let object = operator.object.as_ref();
        let variable = object.is_some_and(|object| object.table.starts_with('@'));
        // An inline function leaves no operator of its own.
        let function = operator.physical.eq_ignore_ascii_case("Table-valued function");
        // What the server itself has, STRING_SPLIT and OPENJSON among it, stands in no schema, or in sys.
        let own = object
            .is_some_and(|object| !object.schema.is_empty() && !object.schema.eq_ignore_ascii_case("sys"));
        let reads = ["Scan", "Seek"].iter().any(|word| operator.physical.ends_with(word));
        (reads && variable || function && own).then_some(())?;
        // Below this the guess of one row does no harm.
        let few = operator.actual.as_ref().is_some_and(|actual| actual.rows < 100) && variable;
        (!few).then_some(())?;
        let what = object.map_or_else(|| "a function".to_owned(), |object| object.table.clone());
        let rows = operator.actual.as_ref().map_or_else(String::new, |actual| {
            format!(", {} came, {} expected", count(actual.rows as f64), count(operator.expected_rows()))
        });
        let kind = if variable { "a table variable" } else { "a function of several statements" };
        let text = format!("{what} is {kind} without statistics{rows}");
        let advice = if variable {
            "use a temporary table for more than a few rows"
        } else {
            "make it an inline function"
        };
        let seen = Seen::at(case, at, text, advice);
        // The time within such a function is outside of all operators.
        let outside = function.then(|| case.outside()).flatten();
        let share = seen.share.into_iter().chain(outside).reduce(f64::max);
        Some(Seen { share, ..seen })
    });
    each.collect()
}

/// SQL Server itself thinks of new statistics after 500 changes and a fifth of the rows (the rule before 2016).
const MIN_CHANGES: f64 = 500.0;

/// P18. Statistics that have changed by a fifth, or of which hardly anything was read: one finding a table.
pub(super) fn stale_statistics(case: &Case<'_>) -> Vec<Seen> {
    let mut tables: Vec<(&Object, Vec<&str>, String, &'static str)> = Vec::new();
    let mut sizes: HashMap<&str, f64> = HashMap::new();
    for operator in &case.query.operators {
        if let Some((object, rows)) = operator.object.as_ref().zip(operator.table_rows) {
            let size = sizes.entry(&object.table).or_insert(rows);
            *size = size.max(rows);
        }
    }
    for statistics in &case.query.statistics {
        let rows = sizes.get(statistics.table.table.as_str()).copied();
        let stale = statistics
            .changes
            .zip(rows)
            .filter(|(changes, rows)| *changes >= MIN_CHANGES && *rows > 0.0 && changes / rows >= 0.2);
        let thin = statistics.sampled.filter(|sampled| *sampled < 1.0 && *sampled > 0.0);
        let (why, advice) = match (stale, thin) {
            (Some((changes, rows)), _) => {
                let why = format!("{} of {} rows changed since they were made", count(changes), count(rows));
                (why, "UPDATE STATISTICS")
            }
            (None, Some(sampled)) => {
                let why = format!("only {sampled:.2} % of the rows were read for them");
                (why, "UPDATE STATISTICS … WITH FULLSCAN or a larger sample")
            }
            (None, None) => continue,
        };
        match tables.iter_mut().find(|(table, _, _, known)| **table == statistics.table && *known == advice) {
            Some((_, names, _, _)) => names.push(&statistics.name),
            None => tables.push((&statistics.table, vec![&statistics.name], why, advice)),
        }
    }
    let each = tables.into_iter().map(|(table, names, why, advice)| {
        let text = format!("{} of {}: {why}", names.join(", "), table.full());
        Seen::of(None, text, advice.to_owned())
    });
    each.collect()
}
