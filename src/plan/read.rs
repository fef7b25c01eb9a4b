//! From XML to a [`Plan`]: statements, their queries, and what is said of a query as a whole. Operators are in
//! `read/operator.rs`. Elements and attributes have the names of the published schema of Showplan; any may be missing.

mod operator;
mod text;
mod warning;

use super::{
    Compile, Grant, MAX_OPERATORS, MAX_STATEMENTS, MissingIndex, Parameter, Plan, PlanError, Query,
    SetOption, Statement, Statistics, Total, TraceFlag, Wait, figures,
};
use crate::{
    model::base::text::sanitize_block,
    xml::{Document, Element, LIMITS},
};
use text::{MAX_PARTS, MAX_TEXT, line, name, object, some, unquoted};

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

/// Trace flags of one query: no server has as many.
const MAX_FLAGS: usize = 200;

impl Plan {
    /// Reads a plan as servers and files have it: `.sqlplan`, the XML of a column, of any version and encoding.
    ///
    /// # Errors
    /// A [`PlanError`] that says what it is instead, or what is too large.
    pub fn read(bytes: &[u8]) -> Result<Self, PlanError> {
        let document = Document::read(bytes, LIMITS)?;
        let mut reader = Reader::new();
        reader.all(&document)?;
        if !reader.found {
            for text in document.roots().flat_map(Element::whole).filter_map(|element| element.hidden(ROOT)) {
                reader.all(&Document::read(text.as_bytes(), LIMITS)?)?;
            }
        }
        if !reader.found {
            let found = document.roots().next().map_or("", Element::name);
            return Err(PlanError::NoPlan(line(found)));
        }
        if reader.plan.statements.is_empty() { Err(PlanError::NoStatement) } else { Ok(reader.plan) }
    }
}

const ROOT: &str = "ShowPlanXML";

/// Gathers the statements of all plans in a document.
struct Reader {
    plan: Plan,
    found: bool,
    /// Operators and trees that may still come.
    operators: usize,
    queries: usize,
}

impl Reader {
    const fn new() -> Self {
        let plan = Plan { version: String::new(), build: String::new(), statements: Vec::new() };
        Self { plan, found: false, operators: MAX_OPERATORS, queries: MAX_STATEMENTS }
    }

    /// All plans of a document: one in a file of SSMS, several in an export of events or behind each other.
    fn all(&mut self, document: &Document) -> Result<(), PlanError> {
        for root in document.roots() {
            if root.is(ROOT) {
                self.add(root)?;
                continue;
            }
            let mut walk = root.descendants();
            while let Some(element) = walk.next() {
                if element.is(ROOT) {
                    self.add(element)?;
                    walk.skip_over(element);
                }
            }
        }
        Ok(())
    }

    /// Adds the statements of one plan.
    fn add(&mut self, root: Element<'_>) -> Result<(), PlanError> {
        if !self.found {
            self.plan.version = line(root.get("Version").unwrap_or_default());
            self.plan.build = line(root.get("Build").unwrap_or_default());
        }
        self.found = true;
        // The statements, functions and cursor operations that are open, by where they end.
        let mut open: Vec<(u32, usize)> = Vec::new();
        let mut modules: Vec<(u32, String)> = Vec::new();
        let mut walk = root.descendants();
        while let Some(element) = walk.next() {
            open.retain(|(end, _)| element.place() < *end);
            modules.retain(|(end, _)| element.place() < *end);
            if element.name().starts_with("Stmt") {
                if self.plan.statements.len() >= MAX_STATEMENTS {
                    return Err(PlanError::TooManyStatements);
                }
                open.push((element.end(), self.plan.statements.len()));
                let module = modules.last().map(|(_, name)| name.clone());
                self.plan.statements.push(statement(element, module));
            } else if element.is("UDF") || element.is("StoredProc") {
                modules.push((element.end(), name(element, "ProcName")));
            } else if element.is("QueryPlan") {
                self.query(element, String::new(), open.last())?;
                walk.skip_over(element);
            } else if element.is("Operation")
                && let Some(inner) = element.child("QueryPlan")
            {
                self.query(inner, name(element, "OperationType"), open.last())?;
                walk.skip_over(element);
            }
        }
        Ok(())
    }

    fn query(
        &mut self,
        element: Element<'_>,
        operation: String,
        of: Option<&(u32, usize)>,
    ) -> Result<(), PlanError> {
        self.queries = self.queries.checked_sub(1).ok_or(PlanError::TooManyStatements)?;
        let query = Query { operation, ..query(element, &mut self.operators)? };
        if let Some(statement) = of.and_then(|(_, at)| self.plan.statements.get_mut(*at)) {
            statement.queries.push(query);
        }
        Ok(())
    }
}

fn statement(element: Element<'_>, module: Option<String>) -> Statement {
    let options = element.child("StatementSetOptions").map_or_else(Vec::new, options);
    let is_usual = |option: &SetOption| OPTIONS.contains(&(option.name.as_str(), option.on));
    let off = options.iter().filter(|option| !is_usual(option)).map(|option| option.name.clone()).collect();
    Statement {
        kind: name(element, "StatementType"),
        text: sanitize_block(element.get("StatementText").unwrap_or_default(), MAX_TEXT).trim().to_owned(),
        module,
        cost: element.number("StatementSubTreeCost").filter(|cost| *cost >= 0.0),
        estimated_rows: element.number("StatementEstRows"),
        query_hash: some(element, "QueryHash"),
        plan_hash: some(element, "QueryPlanHash"),
        estimator: element.count("CardinalityEstimationModelVersion"),
        early_end: some(element, "StatementOptmEarlyAbortReason"),
        guide: some(element, "PlanGuideName")
            .or_else(|| some(element, "QueryStoreStatementHintText"))
            .or_else(|| element.flag("UsePlan").then(|| "USE PLAN".to_owned())),
        off,
        options,
        dispatcher: element.child("Dispatcher").map_or_else(Vec::new, dispatcher),
        queries: Vec::new(),
    }
}

/// Those that the plan tells.
fn options(element: Element<'_>) -> Vec<SetOption> {
    let told = OPTIONS.iter().filter(|(name, _)| element.get(name).is_some());
    told.map(|(name, _)| SetOption { name: (*name).to_owned(), on: element.flag(name) }).collect()
}

/// One line for each predicate by which a plan is chosen: `[a] between 100 and 1000000`.
fn dispatcher(element: Element<'_>) -> Vec<String> {
    let predicates = element.children().map(|predicate| {
        let text = predicate.find("ScalarOperator").and_then(|scalar| scalar.get("ScalarString"));
        let bounds = predicate.number("LowBoundary").zip(predicate.number("HighBoundary"));
        let bounds = bounds.map_or_else(String::new, |(low, high)| {
            format!(", of {} to {} rows", figures::count(low), figures::count(high))
        });
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
            "MissingIndexes" => {
                query.missing = part.children().flat_map(missing).take(MAX_PARTS).collect();
            }
            "OptimizerStatsUsage" => {
                query.statistics = part.children().take(MAX_PARTS).map(statistics).collect();
            }
            "Warnings" => query.warnings = warning::all(part),
            "TraceFlags" => trace_flags(part, &mut query.trace_flags),
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

/// A plan has them twice: those of its compilation, and those of its run.
fn trace_flags(element: Element<'_>, all: &mut Vec<TraceFlag>) {
    let compiled = element.flag("IsCompileTime");
    for flag in element.children() {
        let Some(number) = flag.count("Value") else { continue };
        let scope = name(flag, "Scope");
        let known = all.iter().position(|known| known.number == number && known.scope == scope);
        let at = known.unwrap_or(all.len());
        if at == MAX_FLAGS {
            return;
        }
        if known.is_none() {
            all.push(TraceFlag { number, scope, compiled: false, ran: false });
        }
        if let Some(flag) = all.get_mut(at) {
            (flag.compiled, flag.ran) = (flag.compiled || compiled, flag.ran || !compiled);
        }
    }
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
    let impact = group.number("Impact").unwrap_or(0.0).clamp(0.0, 100.0);
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
    // Without a key there is no index.
    each.filter(|index| !index.equality.is_empty() || !index.inequality.is_empty()).take(MAX_PARTS).collect()
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
