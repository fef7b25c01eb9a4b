//! The operators of a query: `RelOp` elements, what they do and what they counted.

use super::{
    text::{MAX_DETAIL, MAX_PARTS, line, name, object, unquoted},
    warning,
};
use crate::{
    model::base::text::sanitize_line,
    plan::{Actual, Detail, Marks, Operator, Part, PlanError, Thread},
    xml::Element,
};

/// Threads of one operator: a server has at most 64 a branch, a damaged file any number.
const MAX_THREADS: usize = 1_024;

/// All operators below a `QueryPlan`, each before its children. Those of functions and procedures within are theirs.
pub(super) fn all(plan: Element<'_>, budget: &mut usize) -> Result<Vec<Operator>, PlanError> {
    let mut operators: Vec<Operator> = Vec::new();
    let mut open: Vec<(u32, u32)> = Vec::new();
    let mut walk = plan.descendants();
    while let Some(element) = walk.next() {
        if is_module(element) {
            walk.skip_over(element);
            continue;
        }
        if !element.is("RelOp") {
            continue;
        }
        *budget = budget.checked_sub(1).ok_or(PlanError::TooMany)?;
        while open.last().is_some_and(|(end, _)| *end <= element.place()) {
            open.pop();
        }
        let at = operators.len() as u32;
        let parent = open.last().map(|(_, parent)| *parent);
        if let Some(parent) = parent.and_then(|parent| operators.get_mut(parent as usize)) {
            parent.children.push(at);
        }
        operators.push(Operator { parent, depth: open.len() as u32, ..operator(element) });
        open.push((element.end(), at));
    }
    own_costs(&mut operators);
    Ok(operators)
}

fn is_module(element: Element<'_>) -> bool {
    element.is("UDF") || element.is("StoredProc")
}

/// The cost of an operator without what is below it. It can come out below 0 where the optimizer's sums are not exact, and
/// counts as 0 then.
fn own_costs(operators: &mut [Operator]) {
    let mut below = vec![0.0; operators.len()];
    for at in (0..operators.len()).rev() {
        let Some(operator) = operators.get_mut(at) else { continue };
        operator.own_cost = (operator.subtree_cost - below.get(at).copied().unwrap_or(0.0)).max(0.0);
        let (cost, parent) = (operator.subtree_cost, operator.parent);
        if let Some(sum) = parent.and_then(|parent| below.get_mut(parent as usize)) {
            *sum += cost;
        }
    }
}

/// Everything in an operator that is not in an operator below it.
fn own_elements(operator: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    let mut walk = operator.descendants();
    std::iter::from_fn(move || {
        loop {
            let element = walk.next()?;
            if !element.is("RelOp") && !is_module(element) {
                return Some(element);
            }
            walk.skip_over(element);
        }
    })
}

fn operator(element: Element<'_>) -> Operator {
    let number = |attribute: &str| element.number(attribute).unwrap_or(0.0).max(0.0);
    let mut operator = Operator {
        id: element.count("NodeId").unwrap_or(0),
        physical: name(element, "PhysicalOp"),
        logical: name(element, "LogicalOp"),
        estimated_rows: number("EstimateRows"),
        estimated_rows_read: element.number("EstimatedRowsRead"),
        rows_without_goal: element.number("EstimateRowsWithoutRowGoal"),
        // An operator is begun once, and again for each rebind and rewind.
        estimated_executions: 1.0 + number("EstimateRebinds") + number("EstimateRewinds"),
        subtree_cost: number("EstimatedTotalSubtreeCost"),
        table_rows: element.number("TableCardinality"),
        batch: is_batch(element.get("EstimatedExecutionMode")),
        parallel: element.flag("Parallel"),
        marks: Marks { adaptive: element.flag("IsAdaptive"), ..Marks::default() },
        ..Operator::default()
    };
    for part in own_elements(element) {
        note(&mut operator, part);
    }
    operator.marks.builds_index = operator.physical == "Index Spool" && operator.logical == "Eager Spool";
    operator
}

fn is_batch(mode: Option<&str>) -> bool {
    mode.is_some_and(|mode| mode.eq_ignore_ascii_case("Batch"))
}

/// What one element adds to the operator in which it stands.
fn note(operator: &mut Operator, part: Element<'_>) {
    match part.name() {
        "RunTimeInformation" => {
            if let Some(mode) = part.children().find_map(|thread| thread.get("ActualExecutionMode")) {
                operator.batch = is_batch(Some(mode));
            }
            operator.actual = actual(part);
        }
        "Warnings" => operator.warnings.extend(warning::all(part)),
        "IndexScan" | "TableScan" => {
            operator.marks.lookup |= part.flag("Lookup");
            operator.marks.forced_index |= part.flag("ForcedIndex");
        }
        "Merge" => operator.marks.many_to_many |= part.flag("ManyToMany"),
        "Filter" => operator.marks.startup |= part.flag("StartupExpression"),
        "Object" => {
            // The first is what it works on. A changed table comes with each index that follows it.
            operator.object.get_or_insert_with(|| object(part));
        }
        "SeekPredicates" => {
            add(operator, Part::Seek, &seek(part));
        }
        "Predicate" | "SetPredicate" => add(operator, Part::Predicate, scalar(part)),
        "ProbeResidual" | "Residual" | "BuildResidual" => add(operator, Part::Residual, scalar(part)),
        "HashKeysBuild" | "HashKeysProbe" | "InnerSideJoinColumns" | "OuterSideJoinColumns" | "HashKeys" => {
            add(operator, Part::Keys, &columns(part));
        }
        "OuterReferences" => add(operator, Part::Outer, &columns(part)),
        "OrderBy" => add(operator, Part::Order, &order(part)),
        "GroupBy" => add(operator, Part::Group, &columns(part)),
        "PartitionColumns" => add(operator, Part::Spread, &columns(part)),
        "Top" => {
            // Its own: a Top below it has another.
            let rows = part.child("TopExpression").map(scalar).filter(|text| !text.is_empty());
            add(operator, Part::Top, rows.unwrap_or_default());
        }
        "RemoteQuery" | "RemoteScan" | "RemoteModify" | "RemoteRange" | "RemoteFetch" => {
            let asked = part.get("RemoteQuery").or_else(|| part.get("RemoteObject")).unwrap_or_default();
            add(operator, Part::Remote, &[part.get("RemoteSource").unwrap_or_default(), asked].join(" "));
        }
        "DefinedValue" => {
            let (column, text) = (part.child("ColumnReference"), scalar(part));
            if !text.is_empty()
                && operator.details.iter().filter(|detail| detail.part == Part::Computes).count() < 64
            {
                let column = column.and_then(|column| column.get("Column")).unwrap_or("?");
                add(operator, Part::Computes, &format!("{column} = {text}"));
            }
        }
        _ => {}
    }
}

fn add(operator: &mut Operator, part: Part, text: &str) {
    if !text.is_empty() && operator.details.len() < MAX_PARTS {
        let text = sanitize_line(text, MAX_DETAIL).to_string();
        operator.details.push(Detail { part, text });
    }
}

/// The statement's words of the first expression in an element.
fn scalar(element: Element<'_>) -> &str {
    let own = element.children().find(|child| child.is("ScalarOperator"));
    own.or_else(|| element.find("ScalarOperator"))
        .and_then(|scalar| scalar.get("ScalarString"))
        .unwrap_or_default()
}

/// A column with the name by which the statement knows its table: `o.Total`.
fn column(element: Element<'_>) -> String {
    let name = unquoted(element.get("Column").unwrap_or_default());
    let table = element.get("Alias").or_else(|| element.get("Table")).map(unquoted);
    match table {
        Some(table) if !table.is_empty() => format!("{table}.{name}"),
        _ => name,
    }
}

fn columns(element: Element<'_>) -> String {
    let own = element.children().filter(|child| child.is("ColumnReference"));
    own.take(MAX_PARTS).map(column).collect::<Vec<_>>().join(", ")
}

fn order(element: Element<'_>) -> String {
    let each = element.children().filter_map(|by| {
        let name = column(by.child("ColumnReference")?);
        let down = by.get("Ascending").is_some() && !by.flag("Ascending");
        Some(if down { format!("{name} DESC") } else { name })
    });
    each.take(MAX_PARTS).collect::<Vec<_>>().join(", ")
}

/// The keys of a seek: `o.Id = @id, o.Date >= @from`.
fn seek(element: Element<'_>) -> String {
    let mut keys = Vec::new();
    for range in element.descendants() {
        let compare = match range.name() {
            "Prefix" | "StartRange" | "EndRange" => range.get("ScanType").unwrap_or_default(),
            "IsNotNull" => "IS NOT NULL",
            _ => continue,
        };
        let compare = match compare {
            "EQ" => "=",
            "GT" => ">",
            "GE" => ">=",
            "LT" => "<",
            "LE" => "<=",
            "NE" => "<>",
            other => other,
        };
        let left = range.child("RangeColumns").map_or_else(|| columns(range), columns);
        let right = range.child("RangeExpressions").map_or_else(String::new, |expressions| {
            let texts = expressions.children().filter_map(|scalar| scalar.get("ScalarString"));
            texts.take(MAX_PARTS).collect::<Vec<_>>().join(", ")
        });
        keys.push(line(&format!("{left} {compare} {right}")));
        if keys.len() >= MAX_PARTS {
            break;
        }
    }
    keys.join(", ")
}

/// The sums of an operator's threads.
fn actual(element: Element<'_>) -> Option<Actual> {
    let mut actual = Actual::default();
    let add = |sum: &mut Option<u64>, thread: Element<'_>, names: &[&str]| {
        for n in names.iter().filter_map(|name| thread.count(name)) {
            *sum = Some(sum.unwrap_or(0).saturating_add(n));
        }
    };
    let threads = element.children().filter(|thread| thread.is("RunTimeCountersPerThread"));
    for thread in threads.take(MAX_THREADS) {
        let count = |name| thread.count(name).unwrap_or(0);
        actual.rows = actual.rows.saturating_add(count("ActualRows"));
        actual.executions = actual.executions.saturating_add(count("ActualExecutions"));
        actual.rebinds = actual.rebinds.saturating_add(count("ActualRebinds"));
        actual.rewinds = actual.rewinds.saturating_add(count("ActualRewinds"));
        add(&mut actual.rows_read, thread, &["ActualRowsRead"]);
        add(&mut actual.cpu_ms, thread, &["ActualCPUms"]);
        add(&mut actual.logical_reads, thread, &["ActualLogicalReads", "ActualLobLogicalReads"]);
        let physical =
            ["ActualPhysicalReads", "ActualReadAheads", "ActualLobPhysicalReads", "ActualLobReadAheads"];
        add(&mut actual.physical_reads, thread, &physical);
        if actual.join.is_none() {
            actual.join = thread.get("ActualJoinType").map(line);
        }
        actual.threads.push(Thread {
            thread: count("Thread"),
            rows: count("ActualRows"),
            elapsed_ms: thread.count("ActualElapsedms"),
            cpu_ms: thread.count("ActualCPUms"),
        });
    }
    (!actual.threads.is_empty()).then_some(actual)
}
