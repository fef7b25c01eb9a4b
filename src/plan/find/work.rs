//! P09 to P13, P17, P19, P20: memory, threads, functions, compiling and joins.

use super::case::{Case, Seen, Weight};
use crate::plan::{
    Grant, Spill, Warning,
    figures::{count, kilobytes, milliseconds, short},
};

/// An exchange writes a little into tempdb to get out of a deadlock of its threads; from here on it hurts.
const MIN_EXCHANGE_PAGES: u64 = 10_000;

/// P09. Sorts, hashes and exchanges that wrote into tempdb.
pub(super) fn spill(case: &Case<'_>) -> Vec<Seen> {
    let spills = case.operators().flat_map(|(at, operator)| {
        let own = operator.warnings.iter().filter_map(|warning| match warning {
            Warning::Spill(spill) => Some(*spill),
            _ => None,
        });
        own.map(move |spill| (at, spill))
    });
    let worth =
        spills.filter(|(_, spill)| !spill.exchange || spill.pages_written.unwrap_or(0) >= MIN_EXCHANGE_PAGES);
    let each = worth.map(|(at, spill)| {
        let seen = Seen::at(
            case,
            at,
            told(&spill),
            "correct the estimate of rows below it, so that it is given more memory",
        );
        // An exchange owns no time. Its whole query waits for it.
        if spill.exchange { seen.weighing(Weight::Warning) } else { seen }
    });
    each.collect()
}

fn told(spill: &Spill) -> String {
    let mut parts = vec!["spilled into tempdb".to_owned()];
    if let Some(level) = spill.level {
        parts.push(format!("level {level}"));
    }
    if let Some(pages) = spill.pages_written {
        parts.push(format!("{} written", kilobytes(pages.saturating_mul(8) as f64)));
    }
    if let Some(threads) = spill.threads.filter(|threads| *threads > 1) {
        parts.push(format!("{threads} threads"));
    }
    parts.join(", ")
}

const GIB_IN_KB: u64 = 1 << 20;

/// A gigabyte or more, of which not a tenth was used.
pub(super) fn is_wasteful(grant: &Grant) -> bool {
    let granted = grant.granted_kb.unwrap_or(0);
    grant.used_kb.is_some_and(|used| granted >= GIB_IN_KB && used.saturating_mul(10) < granted)
}

/// P10. A grant that starves others, or for which it waited.
pub(super) fn grant(case: &Case<'_>) -> Vec<Seen> {
    let Some(grant) = case.query.grant else { return Vec::new() };
    let mut seen = Vec::new();
    let (granted, used) = (grant.granted_kb.unwrap_or(0), grant.used_kb);
    if is_wasteful(&grant) {
        let text = format!(
            "{} granted, {} used",
            kilobytes(granted as f64),
            used.map_or_else(|| "?".to_owned(), |used| kilobytes(used as f64))
        );
        let advice =
            "others wait for this memory: correct the estimate of rows, or MAX_GRANT_PERCENT".to_owned();
        seen.push(Seen::of(None, text, advice).weighing(Weight::Warning));
    }
    if let Some(ms) = case.query.grant_wait_ms().filter(|ms| *ms > 0) {
        let text = format!("waited {} for its memory", milliseconds(ms as f64));
        let advice = "see who holds the memory: pane Memory, grants".to_owned();
        seen.push(Seen::of(case.share_of_ms(ms as f64), text, advice));
    }
    seen
}

/// Rows that each worker must have on average before uneven ones matter.
const MIN_ROWS_EACH: u64 = 1_000;

/// P11. One worker does what several should.
pub(super) fn skew(case: &Case<'_>) -> Vec<Seen> {
    let uneven =
        case.operators().filter(|(_, operator)| !operator.is_exchange()).filter_map(|(at, operator)| {
            let workers: Vec<u64> = operator.workers().map(|thread| thread.rows).collect();
            let (most, all): (u64, u64) =
                (*workers.iter().max()?, workers.iter().fold(0, |sum, n| sum.saturating_add(*n)));
            let many = workers.len() as u64;
            // A sort in batch mode hands all rows to one thread on purpose.
            let batch_sort = operator.batch && operator.physical == "Sort";
            let limit = if many == 2 { 0.8 } else { 0.5 };
            let one_has_most =
                many > 1 && !batch_sort && all / many >= MIN_ROWS_EACH && most as f64 >= limit * all as f64;
            one_has_most.then(|| {
                let share = 100.0 * most as f64 / all as f64;
                let text = format!("one of {many} threads has {share:.0} % of {} rows", count(all as f64));
                Seen::at(
                    case,
                    at,
                    text,
                    "rows are spread by few values: spread by another column, or run it serially",
                )
            })
        });
    // All operators of a branch are as uneven as the first: the one that costs most tells it.
    uneven.max_by(|a, b| a.share.unwrap_or(0.0).total_cmp(&b.share.unwrap_or(0.0))).into_iter().collect()
}

/// Reasons that the statement itself makes, in words; others are settings, or plans too small to matter.
const MADE_BY_CODE: [(&str, &str); 14] = [
    ("CLRUserDefinedFunctionRequiresDataAccess", "it calls a CLR function that reads data"),
    ("DMLQueryReturnsOutputToClient", "it changes rows and returns them by OUTPUT"),
    (
        "MixedSerialAndParallelOnlineIndexBuildNotSupported",
        "an online index build cannot mix serial and parallel parts",
    ),
    ("NoParallelCursorFetchByBookmark", "its cursor fetches by bookmarks"),
    ("NoParallelDynamicCursor", "it is a dynamic cursor"),
    ("NoParallelFastForwardCursor", "it is a fast forward cursor"),
    ("NoParallelForNativelyCompiledModule", "it runs in a natively compiled module"),
    ("NoParallelWithRemoteQuery", "it asks another server"),
    ("NonParallelizableIntrinsicFunction", "it calls a built-in function that only runs serially"),
    ("NoParallelForDmlOnMemoryOptimizedTable", "it changes a memory-optimized table"),
    ("NoParallelForPDWCompilation", "it was compiled for a distributed query"),
    ("TableVariableTransactionsDoNotSupportParallelNestedTransaction", "it changes a table variable"),
    ("TSQLUserDefinedFunctionsNotParallelizable", "it calls a scalar function written in T-SQL"),
    ("UpdatingWritebackVariable", "it assigns a variable for each row"),
];

/// P12. The code keeps a costly statement serial.
pub(super) fn serial(case: &Case<'_>) -> Vec<Seen> {
    let reason = case.query.serial_reason.as_deref().unwrap_or_default();
    let costly = case.statement.cost.unwrap_or(0.0) >= 1.0;
    let known = MADE_BY_CODE.iter().find(|(name, _)| *name == reason).filter(|_| costly);
    let each = known.map(|(name, words)| {
        let text = format!("cannot run in parallel: {words} ({name})");
        Seen::of(None, text, "take what it names out of the statement".to_owned()).weighing(Weight::Warning)
    });
    each.into_iter().collect()
}

/// P13. Time in scalar functions.
pub(super) fn function(case: &Case<'_>) -> Vec<Seen> {
    let total = case.query.total.unwrap_or_default();
    let Some(ms) = total.function_elapsed_ms.filter(|ms| *ms > 0) else { return Vec::new() };
    let text = format!("{} in scalar functions", milliseconds(ms as f64));
    let advice =
        "put the function's expression into the statement; 2019 and later can do so by themselves".to_owned();
    vec![Seen::of(case.share_of_ms(ms as f64), text, advice)]
}

/// P17. The optimizer gave up, or took long.
pub(super) fn compilation(case: &Case<'_>) -> Vec<Seen> {
    let ran_out_of = match case.statement.early_end.as_deref() {
        Some("TimeOut") => Some("steps"),
        Some("MemoryLimitExceeded") => Some("memory"),
        _ => None,
    };
    let early = ran_out_of.map(|what| {
        let text = format!("the optimizer ran out of {what} and took the best plan that it had");
        Seen::of(None, text, "split the statement: fewer joins at a time".to_owned())
            .weighing(Weight::Warning)
    });
    let mut found: Vec<Seen> = early.into_iter().collect();
    if let Some(cpu) = case.query.compile.cpu_ms.filter(|cpu| *cpu >= 1_000) {
        let text = format!("compiling took {} of CPU", milliseconds(cpu as f64));
        // Compiling comes before the time of the query.
        let share = case.timed.then(|| cpu as f64 / (cpu as f64 + case.whole).max(1.0));
        let advice = "see that the plan is reused; split the statement".to_owned();
        found.push(Seen { ms: Some(cpu as f64), ..Seen::of(share, text, advice) });
    }
    found
}

/// P19. Joins that make too many rows, and plans that somebody chose.
pub(super) fn join(case: &Case<'_>) -> Vec<Seen> {
    let mut seen: Vec<Seen> = case
        .operators()
        .flat_map(|(at, operator)| {
            let reads = operator.actual.as_ref().and_then(|actual| actual.logical_reads).unwrap_or(0);
            let many = operator.marks.many_to_many && reads > 0;
            let many = many.then(|| {
                let text =
                    format!("both sides have duplicates: {} reads of its worktable", count(reads as f64));
                Seen::at(case, at, text, "join by a unique key, or let a hash join be chosen")
            });
            let bare = operator.warnings.contains(&Warning::NoJoinPredicate).then(|| {
                Seen::at(
                    case,
                    at,
                    "a join without a condition".to_owned(),
                    "see whether a condition was forgotten",
                )
            });
            many.into_iter().chain(bare)
        })
        .collect();
    if let Some(guide) = &case.statement.guide {
        let text = format!("somebody fixed this plan: {}", short(guide, 80));
        seen.push(Seen::of(None, text, "see whether the reason still holds".to_owned()));
    }
    seen
}

/// P20. Options for which SQL Server keeps a plan of its own: what SSMS shows is another one.
pub(super) fn options(case: &Case<'_>) -> Vec<Seen> {
    let telling = ["QUOTED_IDENTIFIER", "ANSI_NULLS", "ARITHABORT"];
    let off: Vec<&str> =
        case.statement.off.iter().map(String::as_str).filter(|option| telling.contains(option)).collect();
    if off.is_empty() {
        return Vec::new();
    }
    let text = format!("{} off: SSMS compiles another plan for the same statement", off.join(", "));
    vec![Seen::of(None, text, "test with the same options as the program has".to_owned())]
}
