//! From XML to a [`Plan`]: statements, their queries, and what is said of a query as a whole. Operators are in
//! `read/operator.rs`. Elements and attributes have the names of the published schema of Showplan; any may be missing.

mod operator;
mod text;
mod warning;

use super::{
    Compile, Grant, MAX_OPERATORS, MissingIndex, Parameter, Plan, PlanError, Query, Statement, Statistics,
    Total, Wait,
};
use crate::{
    model::base::text::sanitize_block,
    xml::{Document, Element, LIMITS},
};
use text::{MAX_PARTS, MAX_STATEMENTS, MAX_TEXT, line, name, object, some, unquoted};

/// SET options that decide which plan is made, with the value that SSMS and most drivers set.
const OPTIONS: [(&str, bool); 7] = [
    ("ANSI_NULLS", true),
    ("ANSI_PADDING", true),
    ("ANSI_WARNINGS", true),
    ("ARITHABORT", true),
    ("CONCAT_NULL_YIELDS_NULL", true),
    ("NUMERIC_ROUNDABORT", false),
    ("QUOTED_IDENTIFIER", true),
];

impl Plan {
    /// Reads a plan as servers and files have it: `.sqlplan`, the XML of a column, of any version and encoding.
    ///
    /// # Errors
    /// A [`PlanError`] that says what it is instead, or what is too large.
    pub fn read(bytes: &[u8]) -> Result<Self, PlanError> {
        let document = Document::read(bytes, LIMITS)?;
        // A deadlock or an event may carry a plan: it is taken from within.
        let root = document
            .roots()
            .find_map(|root| if root.is("ShowPlanXML") { Some(root) } else { root.find("ShowPlanXML") });
        let Some(root) = root else {
            let found = document.roots().next().map_or("", Element::name);
            return Err(PlanError::NoPlan(line(found)));
        };
        let mut plan = Self {
            version: line(root.get("Version").unwrap_or_default()),
            build: line(root.get("Build").unwrap_or_default()),
            statements: Vec::new(),
        };
        let mut budget = MAX_OPERATORS;
        // The statements, functions and cursor operations that are open, by where they end.
        let mut open: Vec<(u32, usize)> = Vec::new();
        let mut modules: Vec<(u32, String)> = Vec::new();
        let mut walk = root.descendants();
        while let Some(element) = walk.next() {
            open.retain(|(end, _)| element.place() < *end);
            modules.retain(|(end, _)| element.place() < *end);
            if element.name().starts_with("Stmt") {
                if plan.statements.len() >= MAX_STATEMENTS {
                    break;
                }
                open.push((element.end(), plan.statements.len()));
                let module = modules.last().map(|(_, name)| name.clone());
                plan.statements.push(statement(element, module));
            } else if element.is("UDF") || element.is("StoredProc") {
                modules.push((element.end(), name(element, "ProcName")));
            } else if element.is("QueryPlan") {
                let query = query(element, &mut budget)?;
                if let Some(statement) = open.last().and_then(|(_, at)| plan.statements.get_mut(*at)) {
                    statement.queries.push(query);
                }
                walk.skip_over(element);
            } else if element.is("Operation")
                && let Some(inner) = element.child("QueryPlan")
            {
                let mut query = query(inner, &mut budget)?;
                query.operation = name(element, "OperationType");
                if let Some(statement) = open.last().and_then(|(_, at)| plan.statements.get_mut(*at)) {
                    statement.queries.push(query);
                }
                walk.skip_over(element);
            }
        }
        Ok(plan)
    }
}

fn statement(element: Element<'_>, module: Option<String>) -> Statement {
    let off = element.child("StatementSetOptions").map_or_else(Vec::new, |options| {
        let differs =
            |(option, on): &(&str, bool)| options.get(option).is_some() && options.flag(option) != *on;
        OPTIONS.iter().filter(|option| differs(option)).map(|(option, _)| (*option).to_owned()).collect()
    });
    Statement {
        kind: name(element, "StatementType"),
        text: sanitize_block(element.get("StatementText").unwrap_or_default(), MAX_TEXT).trim().to_owned(),
        module,
        cost: element.number("StatementSubTreeCost"),
        estimated_rows: element.number("StatementEstRows"),
        query_hash: some(element, "QueryHash"),
        plan_hash: some(element, "QueryPlanHash"),
        estimator: element.count("CardinalityEstimationModelVersion"),
        early_end: some(element, "StatementOptmEarlyAbortReason"),
        guide: some(element, "PlanGuideName")
            .or_else(|| some(element, "QueryStoreStatementHintText"))
            .or_else(|| element.flag("UsePlan").then(|| "USE PLAN".to_owned())),
        off,
        dispatcher: element.child("Dispatcher").map_or_else(Vec::new, dispatcher),
        queries: Vec::new(),
    }
}

/// One line for each predicate by which a plan is chosen: `[a] between 100 and 1000000`.
fn dispatcher(element: Element<'_>) -> Vec<String> {
    let predicates = element.children().map(|predicate| {
        let text = predicate.find("ScalarOperator").and_then(|scalar| scalar.get("ScalarString"));
        let bounds = predicate.get("LowBoundary").zip(predicate.get("HighBoundary"));
        let bounds = bounds.map_or_else(String::new, |(low, high)| format!(", of {low} to {high} rows"));
        line(&format!("{}{bounds}", text.unwrap_or(predicate.name())))
    });
    predicates.take(MAX_PARTS).collect()
}

fn query(element: Element<'_>, budget: &mut usize) -> Result<Query, PlanError> {
    let operators = operator::all(element, budget)?;
    let mut query = Query {
        dop: element.count("DegreeOfParallelism"),
        serial_reason: some(element, "NonParallelPlanReason"),
        compile: Compile {
            elapsed_ms: element.count("CompileTime"),
            cpu_ms: element.count("CompileCPU"),
            memory_kb: element.count("CompileMemory"),
            plan_kb: element.count("CachedPlanSize"),
        },
        operators,
        ..Query::default()
    };
    for part in element.children() {
        match part.name() {
            "MemoryGrantInfo" => query.grant = Some(grant(part)),
            "WaitStats" => query.waits = waits(part),
            "QueryTimeStats" => query.total = total(part),
            "ParameterList" => query.parameters = part.children().take(MAX_PARTS).map(parameter).collect(),
            "MissingIndexes" => query.missing = part.children().take(MAX_PARTS).flat_map(missing).collect(),
            "OptimizerStatsUsage" => {
                query.statistics = part.children().take(MAX_PARTS).map(statistics).collect();
            }
            "Warnings" => query.warnings = warning::all(part),
            _ => {}
        }
    }
    Ok(query)
}

fn grant(element: Element<'_>) -> Grant {
    Grant {
        requested_kb: element.count("RequestedMemory"),
        granted_kb: element.count("GrantedMemory"),
        used_kb: element.count("MaxUsedMemory"),
        desired_kb: element.count("SerialDesiredMemory"),
        waited: element.count("GrantWaitTime"),
    }
}

fn waits(element: Element<'_>) -> Vec<Wait> {
    let each = element.children().filter_map(|wait| {
        let name = some(wait, "WaitType")?;
        Some(Wait { name, ms: wait.count("WaitTimeMs")?, count: wait.count("WaitCount").unwrap_or(0) })
    });
    let mut waits: Vec<Wait> = each.take(MAX_PARTS).collect();
    waits.sort_by(|a, b| b.ms.cmp(&a.ms).then_with(|| a.name.cmp(&b.name)));
    waits
}

fn total(element: Element<'_>) -> Option<Total> {
    Some(Total {
        elapsed_ms: element.count("ElapsedTime")?,
        cpu_ms: element.count("CpuTime").unwrap_or(0),
        function_elapsed_ms: element.count("UdfElapsedTime"),
        function_cpu_ms: element.count("UdfCpuTime"),
    })
}

fn parameter(element: Element<'_>) -> Parameter {
    let value = |attribute| some(element, attribute).map(|value| bare(&value));
    Parameter {
        name: name(element, "Column"),
        kind: some(element, "ParameterDataType"),
        compiled: value("ParameterCompiledValue"),
        runtime: value("ParameterRuntimeValue"),
    }
}

/// `((7))` as a person would write it: `7`. Brackets that are part of the value stay.
fn bare(value: &str) -> String {
    let mut value = value.trim();
    while let Some(inner) = value.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        // The first bracket may close before the end: `(1)+(2)`.
        let mut depth = 0_i32;
        let closes_early = inner.chars().any(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth < 0
        });
        if closes_early {
            break;
        }
        value = inner;
    }
    value.to_owned()
}

fn missing(group: Element<'_>) -> Vec<MissingIndex> {
    let impact = group.number("Impact").unwrap_or(0.0);
    let each = group.children().filter(|index| index.is("MissingIndex")).map(|index| {
        let mut found = MissingIndex { impact, table: object(index), ..MissingIndex::default() };
        for columns in index.children() {
            let names = columns.children().filter_map(|column| column.get("Name"));
            let names = names.take(MAX_PARTS).map(unquoted).collect();
            match columns.get("Usage").unwrap_or_default() {
                "EQUALITY" => found.equality = names,
                "INEQUALITY" => found.inequality = names,
                "INCLUDE" => found.include = names,
                _ => {}
            }
        }
        found
    });
    each.take(MAX_PARTS).collect()
}

fn statistics(element: Element<'_>) -> Statistics {
    Statistics {
        table: object(element),
        name: unquoted(element.get("Statistics").unwrap_or_default()),
        changes: element.number("ModificationCount"),
        sampled: element.number("SamplingPercent"),
        updated: some(element, "LastUpdate"),
    }
}
