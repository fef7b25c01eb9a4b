//! Own times, the tree, names and damage, over plans that are made up. The plans of others are in `tests/engine/plans.rs`.

use super::{
    Plan, PlanError, Query, Warning,
    lines::{self, rows},
    time::{Metric, hot_path, own},
};
use crate::xml::XmlError;
use proptest::prelude::*;
use std::fmt::Write as _;

/// An operator of a made-up plan.
#[derive(Clone, Default)]
pub(super) struct Op {
    id: usize,
    physical: &'static str,
    logical: &'static str,
    attributes: String,
    inside: String,
    threads: String,
    children: Vec<Op>,
}

pub(super) fn op(id: usize, physical: &'static str, logical: &'static str) -> Op {
    Op { id, physical, logical, ..Op::default() }
}

impl Op {
    pub(super) fn with(mut self, attributes: &str) -> Self {
        self.attributes.push(' ');
        self.attributes.push_str(attributes);
        self
    }

    pub(super) fn holding(mut self, xml: &str) -> Self {
        self.inside.push_str(xml);
        self
    }

    /// A thread that ran once: its number, its milliseconds and its rows.
    pub(super) fn thread(self, thread: u64, ms: u64, rows: u64) -> Self {
        self.counters(&format!("Thread=\"{thread}\" ActualRows=\"{rows}\" ActualExecutions=\"1\" ActualElapsedms=\"{ms}\" ActualCPUms=\"{ms}\""))
    }

    pub(super) fn counters(mut self, attributes: &str) -> Self {
        let _ = write!(self.threads, "<RunTimeCountersPerThread {attributes} />");
        self
    }

    pub(super) fn over(mut self, children: impl IntoIterator<Item = Op>) -> Self {
        self.children.extend(children);
        self
    }

    fn xml(&self, out: &mut String) {
        let _ = write!(
            out,
            "<RelOp NodeId=\"{}\" PhysicalOp=\"{}\" LogicalOp=\"{}\"{}>",
            self.id, self.physical, self.logical, self.attributes
        );
        if !self.threads.is_empty() {
            let _ = write!(out, "<RunTimeInformation>{}</RunTimeInformation>", self.threads);
        }
        let _ = write!(out, "{}<Work>", self.inside);
        for child in &self.children {
            child.xml(out);
        }
        out.push_str("</Work></RelOp>");
    }
}

/// A plan of one statement: attributes of the statement, what is within its QueryPlan beside operators, and the root.
pub(super) fn plan(statement: &str, query: &str, root: &Op) -> Plan {
    Plan::read(xml(statement, query, root).as_bytes()).expect("a plan")
}

pub(super) fn xml(statement: &str, query: &str, root: &Op) -> String {
    let mut xml = format!(
        "<ShowPlanXML Version=\"1.564\" Build=\"16.0.1\"><BatchSequence><Batch><Statements><StmtSimple \
         StatementType=\"SELECT\" {statement}><QueryPlan DegreeOfParallelism=\"1\">{query}"
    );
    root.xml(&mut xml);
    xml.push_str("</QueryPlan></StmtSimple></Statements></Batch></BatchSequence></ShowPlanXML>");
    xml
}

pub(super) fn total(ms: u64) -> String {
    format!("<QueryTimeStats ElapsedTime=\"{ms}\" CpuTime=\"{ms}\" />")
}

fn first(plan: &Plan) -> &Query {
    plan.statements.first().and_then(|statement| statement.queries.first()).expect("a query")
}

fn own_ms(query: &Query) -> Vec<Option<u64>> {
    own(query).elapsed_ms
}

#[test]
fn an_operator_in_row_mode_owns_what_its_children_did_not_take() {
    let root = op(0, "Nested Loops", "Inner Join").thread(0, 100, 5).over([
        op(1, "Index Seek", "Index Seek").thread(0, 30, 5),
        op(2, "Clustered Index Seek", "Clustered Index Seek").thread(0, 60, 5),
    ]);
    let plan = plan("", &total(120), &root);
    assert_eq!(own_ms(first(&plan)), [Some(10), Some(30), Some(60)]);
    assert_eq!(own(first(&plan)).outside_ms, Some(20));
}

#[test]
fn an_operator_in_batch_mode_counts_itself_and_one_in_row_mode_above_it_subtracts_the_whole_zone() {
    let batch = |id, ms| {
        op(id, "Hash Match", "Inner Join").counters(&format!(
        "Thread=\"0\" ActualRows=\"1\" ActualExecutions=\"1\" ActualElapsedms=\"{ms}\" ActualExecutionMode=\"Batch\""
    ))
    };
    let root = op(0, "Sort", "Sort").thread(0, 100, 1).over([batch(1, 40).over([batch(2, 25)])]);
    let plan = plan("", &total(100), &root);
    assert_eq!(own_ms(first(&plan)), [Some(35), Some(40), Some(25)]);
}

#[test]
fn an_exchange_owns_nothing_and_the_coordinator_is_no_worker() {
    let scan = op(2, "Table Scan", "Table Scan").thread(0, 0, 0).thread(1, 700, 10).thread(2, 900, 10);
    let exchange = op(1, "Parallelism", "Gather Streams").thread(0, 950, 20).over([scan]);
    let root = op(0, "Stream Aggregate", "Aggregate").thread(0, 960, 1).over([exchange]);
    let plan = plan("", &total(1_000), &root);
    // 60 ms of the aggregate: what it had to wait for is the slowest worker's 900.
    assert_eq!(own_ms(first(&plan)), [Some(60), None, Some(900)]);
}

#[test]
fn what_threads_wait_for_each_other_is_told_apart_from_what_is_outside() {
    let scan = op(1, "Table Scan", "Table Scan").thread(1, 300, 1).thread(2, 200, 1);
    let root = op(0, "Parallelism", "Gather Streams").thread(0, 900, 2).over([scan]);
    let plan = plan("", &total(1_000), &root);
    let own = own(first(&plan));
    assert_eq!((own.exchanges_ms, own.outside_ms), (Some(600), Some(100)));
}

#[test]
fn an_operator_without_counters_passes_on_what_is_below_it() {
    let root = op(0, "Sort", "Sort")
        .thread(0, 100, 1)
        .over([op(1, "Compute Scalar", "Compute Scalar")
            .over([op(2, "Table Scan", "Table Scan").thread(0, 80, 1)])]);
    let plan = plan("", "", &root);
    assert_eq!(own_ms(first(&plan)), [Some(20), None, Some(80)]);
    assert_eq!(own(first(&plan)).outside_ms, None, "nobody said how long it took in all");
}

#[test]
fn times_that_contradict_each_other_never_go_below_zero() {
    let root =
        op(0, "Sort", "Sort").thread(0, 10, 1).over([op(1, "Table Scan", "Table Scan").thread(0, 80, 1)]);
    let plan = plan("", &total(5), &root);
    assert_eq!(own_ms(first(&plan)), [Some(0), Some(80)]);
    assert_eq!(own(first(&plan)).outside_ms, Some(0));
}

#[test]
fn a_plan_that_did_not_run_has_no_times_and_is_weighed_by_cost() {
    let root = op(0, "Sort", "Sort").with("EstimatedTotalSubtreeCost=\"10\"").over([op(
        1,
        "Table Scan",
        "Table Scan",
    )
    .with("EstimatedTotalSubtreeCost=\"9\"")]);
    let plan = plan("", "", &root);
    let query = first(&plan);
    assert_eq!(own_ms(query), [None, None]);
    assert_eq!(Metric::best(query), Metric::Cost);
    let rows = rows(query, &own(query), Metric::Cost, false, &[]);
    let shares: Vec<Option<f64>> = rows.iter().map(|row| row.share).collect();
    assert_eq!(shares, [Some(0.1), Some(0.9)]);
}

#[test]
fn the_slowest_path_leads_to_the_slowest_operator() {
    let root = op(0, "Nested Loops", "Inner Join").thread(0, 100, 1).over([
        op(1, "Index Seek", "Index Seek").thread(0, 30, 1),
        op(2, "Top", "Top").thread(0, 65, 1).over([op(3, "Table Scan", "Table Scan").thread(0, 60, 1)]),
    ]);
    let plan = plan("", &total(100), &root);
    assert_eq!(hot_path(first(&plan), &own(first(&plan))), [0, 2, 3]);
}

#[test]
fn the_tree_is_drawn_and_what_is_light_is_folded() {
    let leaf = |id, ms| op(id, "Index Seek", "Index Seek").thread(0, ms, 1);
    let light = op(3, "Nested Loops", "Inner Join").thread(0, 3, 1).over([leaf(4, 1), leaf(5, 2)]);
    let root = op(0, "Nested Loops", "Inner Join")
        .thread(0, 1_000, 1)
        .over([op(1, "Sort", "Sort").thread(0, 900, 1).over([leaf(2, 890)]), light]);
    let plan = plan("", &total(1_000), &root);
    let query = first(&plan);
    let leads = |fold| -> Vec<(usize, String, usize)> {
        let rows = rows(query, &own(query), Metric::Time, fold, &[]);
        rows.into_iter().map(|row| (row.operator, row.lead, row.folded)).collect()
    };
    let row = |at, lead: &str, folded| (at, lead.to_owned(), folded);
    let all = [
        row(0, "", 0),
        row(1, "├ ", 0),
        row(2, "│ └ ", 0),
        row(3, "└ ", 0),
        row(4, "  ├ ", 0),
        row(5, "  └ ", 0),
    ];
    assert_eq!(leads(false), all);
    assert_eq!(leads(true), [row(0, "", 0), row(1, "├ ", 0), row(2, "│ └ ", 0), row(3, "└ ", 2)]);
}

#[test]
fn the_heaviest_finding_of_an_operator_is_marked_where_no_terminal_cuts() {
    let lookup = op(1, "RID Lookup", "RID Lookup")
        .counters("Thread=\"0\" ActualRows=\"1\" ActualExecutions=\"5000\" ActualElapsedms=\"900\"");
    let root = op(0, "Nested Loops", "Inner Join").thread(0, 1_000, 1).over([lookup]);
    let text = lines::text(&plan("", &total(1_000), &root), None, false);
    let row = text.lines().find(|line| line.contains("RID Lookup")).expect("the lookup is told");
    let before: String = row.chars().take_while(|c| *c != 'R').collect();
    assert!(before.contains("✖┃"), "{text}");
}

#[test]
fn a_deep_tree_leaves_room_for_its_words() {
    let mut root = op(40, "Table Scan", "Table Scan");
    for id in (0..40).rev() {
        root = op(id, "Compute Scalar", "Compute Scalar").over([root]);
    }
    let plan = plan("", "", &root);
    let query = first(&plan);
    let rows = rows(query, &own(query), Metric::Cost, false, &[]);
    let last = rows.last().expect("rows");
    assert!(last.lead.starts_with("+25 "), "{:?}", last.lead);
    assert!(last.lead.chars().count() < 40);
}

#[test]
fn operators_have_the_names_that_people_use() {
    let name = |physical, logical, inside| {
        let plan = plan("", "", &op(0, physical, logical).holding(inside));
        first(&plan).operators.first().expect("an operator").name()
    };
    assert_eq!(
        name("Clustered Index Seek", "Clustered Index Seek", "<IndexScan Lookup=\"1\"/>"),
        "Key Lookup"
    );
    assert_eq!(name("Clustered Index Seek", "Clustered Index Seek", ""), "Clustered Index Seek");
    assert_eq!(name("Hash Match", "Inner Join", ""), "Hash Match Inner Join");
    assert_eq!(name("Merge Join", "Inner Join", ""), "Merge Inner Join");
    assert_eq!(name("Sort", "TopN Sort", ""), "TopN Sort");
    assert_eq!(name("Stream Aggregate", "Aggregate", ""), "Stream Aggregate");
    assert_eq!(name("Index Spool", "Eager Spool", ""), "Index Spool (Eager)");
    assert_eq!(name("Parallelism", "Gather Streams", ""), "Gather Streams");
    assert_eq!(name("RID Lookup", "RID Lookup", ""), "RID Lookup");
}

#[test]
fn statements_cursors_and_functions_each_have_their_own_plans() {
    let tree = "<RelOp NodeId=\"0\" PhysicalOp=\"Constant Scan\" LogicalOp=\"Constant Scan\"/>";
    let text = format!(
        "<ShowPlanXML><BatchSequence><Batch><Statements>\
           <StmtCond StatementType=\"COND\" StatementText=\"IF 1=1\"><Condition/><Then><Statements>\
             <StmtSimple StatementType=\"SELECT\"><QueryPlan>{tree}</QueryPlan>\
               <UDF ProcName=\"dbo.F\"><Statements><StmtSimple StatementType=\"RETURN\"><QueryPlan>{tree}</QueryPlan></StmtSimple></Statements></UDF>\
             </StmtSimple></Statements></Then></StmtCond>\
           <StmtCursor StatementType=\"DECLARE CURSOR\"><CursorPlan>\
             <Operation OperationType=\"PopulateQuery\"><QueryPlan>{tree}</QueryPlan></Operation>\
             <Operation OperationType=\"FetchQuery\"><QueryPlan>{tree}</QueryPlan></Operation></CursorPlan></StmtCursor>\
         </Statements></Batch></BatchSequence></ShowPlanXML>"
    );
    let plan = Plan::read(text.as_bytes()).expect("a plan");
    let told: Vec<(&str, Option<&str>, usize)> = plan
        .statements
        .iter()
        .map(|statement| (statement.kind.as_str(), statement.module.as_deref(), statement.queries.len()))
        .collect();
    assert_eq!(
        told,
        [("COND", None, 0), ("SELECT", None, 1), ("RETURN", Some("dbo.F"), 1), ("DECLARE CURSOR", None, 2)]
    );
    let operations: Vec<&str> =
        plan.statements[3].queries.iter().map(|query| query.operation.as_str()).collect();
    assert_eq!(operations, ["PopulateQuery", "FetchQuery"]);
}

#[test]
fn booleans_are_true_or_1_and_what_runs_decides_the_mode() {
    let scan = op(0, "Clustered Index Seek", "Clustered Index Seek")
        .with("EstimatedExecutionMode=\"Row\" Parallel=\"true\"")
        .holding("<IndexScan Lookup=\"true\"/>")
        .counters("Thread=\"0\" ActualExecutionMode=\"Batch\"");
    let plan = plan("", "", &scan);
    let operator = &first(&plan).operators[0];
    assert!(operator.batch && operator.parallel && operator.marks.lookup);
}

#[test]
fn a_wait_for_memory_is_in_seconds_unless_it_would_be_longer_than_the_query() {
    let waited = |waited: u64, total_ms: u64| {
        let grant = format!("<MemoryGrantInfo GrantedMemory=\"1\" GrantWaitTime=\"{waited}\"/>");
        first(&plan("", &(grant + &total(total_ms)), &op(0, "Sort", "Sort"))).grant_wait_ms()
    };
    assert_eq!(waited(3, 10_000), Some(3_000));
    assert_eq!(waited(1_000, 27_000), Some(1_000));
    // The wait for the semaphore knows better.
    let semaphore = |ms: u64| {
        let grant = format!(
            "<MemoryGrantInfo GrantWaitTime=\"4\"/><WaitStats><Wait WaitType=\"RESOURCE_SEMAPHORE\" WaitTimeMs=\"{ms}\"/></WaitStats>"
        );
        first(&plan("", &(grant + &total(60_000)), &op(0, "Sort", "Sort"))).grant_wait_ms()
    };
    assert_eq!((semaphore(4), semaphore(3_900)), (Some(4), Some(4_000)));
}

#[test]
fn an_inner_side_that_ran_more_often_than_expected_is_not_to_blame_for_it() {
    let inner = op(2, "Index Seek", "Index Seek").with("EstimateRows=\"1\"");
    let inner =
        inner.counters("Thread=\"0\" ActualRows=\"50000\" ActualExecutions=\"50000\" ActualElapsedms=\"90\"");
    let outer = op(1, "Table Scan", "Table Scan").with("EstimateRows=\"1\"").thread(0, 5, 50_000);
    let root = op(0, "Nested Loops", "Inner Join")
        .with("EstimateRows=\"1\"")
        .thread(0, 100, 50_000)
        .over([outer, inner]);
    let plan = plan("", &total(100), &root);
    let off: Vec<Option<f64>> = first(&plan).operators.iter().map(super::Operator::off).collect();
    assert_eq!(off, [Some(50_000.0), Some(50_000.0), Some(1.0)]);
}

#[test]
fn parameters_lose_the_brackets_of_the_optimizer() {
    let list = "<ParameterList><ColumnReference Column=\"@a\" ParameterCompiledValue=\"((7))\" ParameterRuntimeValue=\"(8)\"/>\
                <ColumnReference Column=\"@b\" ParameterRuntimeValue=\"N'a (b)'\"/>\
                <ColumnReference Column=\"@c\" ParameterCompiledValue=\"(f(1)+(2))\"/></ParameterList>";
    let plan = plan("", list, &op(0, "Sort", "Sort"));
    let told: Vec<_> =
        first(&plan).parameters.iter().map(|p| (p.compiled.as_deref(), p.runtime.as_deref())).collect();
    assert_eq!(told, [(Some("7"), Some("8")), (None, Some("N'a (b)'")), (Some("f(1)+(2)"), None)]);
}

#[test]
fn a_seek_is_told_in_columns_and_values() {
    let seek = "<SeekPredicates><SeekPredicateNew><SeekKeys><Prefix ScanType=\"EQ\"><RangeColumns>\
                <ColumnReference Alias=\"[o]\" Column=\"Id\"/></RangeColumns><RangeExpressions>\
                <ScalarOperator ScalarString=\"[@id]\"/></RangeExpressions></Prefix>\
                <StartRange ScanType=\"GE\"><RangeColumns><ColumnReference Table=\"[Order]\" Column=\"Date\"/></RangeColumns>\
                <RangeExpressions><ScalarOperator ScalarString=\"[@from]\"/></RangeExpressions></StartRange></SeekKeys></SeekPredicateNew></SeekPredicates>";
    let object =
        "<Object Database=\"[a]\" Schema=\"[dbo]\" Table=\"[#t____________0001]\" Index=\"[I]]X]\"/>";
    let plan = plan("", "", &op(0, "Index Seek", "Index Seek").holding(object).holding(seek));
    assert_eq!(lines::what(&first(&plan).operators[0]), "#t.I]X · seek o.Id = [@id], Order.Date >= [@from]");
}

#[test]
fn what_terminals_obey_is_taken_out_of_every_text() {
    let evil = "a\u{1b}[2Jb\u{202e}c";
    let plan = plan(
        &format!("StatementText=\"{evil}&#xa;SELECT 1\" QueryHash=\"{evil}\""),
        &format!("<WaitStats><Wait WaitType=\"{evil}\" WaitTimeMs=\"1\"/></WaitStats>"),
        &op(0, "Sort", "Sort").holding(&format!(
            "<Object Table=\"{evil}\"/><Predicate><ScalarOperator ScalarString=\"{evil}\"/></Predicate>"
        )),
    );
    let text = lines::text(&plan, None, false);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    assert!(text.contains("SELECT 1"), "a statement keeps its lines: {text}");
}

#[test]
fn what_is_no_plan_says_what_it_is() {
    let error = |text: &str| Plan::read(text.as_bytes()).expect_err("no plan").to_string();
    assert_eq!(
        error("<deadlock/>"),
        "it is XML, but no plan: it begins with <deadlock>, not with <ShowPlanXML>"
    );
    assert_eq!(error("hello"), "there is no XML in it");
    assert_eq!(Plan::read(b"<ShowPlanXML><a>").err(), Some(PlanError::Xml(XmlError::Cut)));
    assert_eq!(error("<ShowPlanXML/>"), "it is a plan, but no statement is in it");
    let many =
        |what: &str, n| format!("<ShowPlanXML><StmtSimple>{}</StmtSimple></ShowPlanXML>", what.repeat(n));
    let limit = super::MAX_STATEMENTS;
    assert_eq!(error(&many("<StmtSimple/>", limit)), "it has more than the 10000 statements that are read");
    assert_eq!(
        error(&many("<QueryPlan/>", limit + 1)),
        "it has more than the 10000 statements that are read"
    );
    assert!(Plan::read(many("<QueryPlan/>", limit).as_bytes()).is_ok());
}

#[test]
fn all_plans_of_a_document_are_read_however_they_stand_in_it() {
    let one = |text: &str| {
        format!("<ShowPlanXML Version=\"1.5\"><StmtSimple StatementText=\"{text}\"/></ShowPlanXML>")
    };
    let escaped = one("a").replace('<', "&lt;").replace('"', "&quot;");
    for (document, told) in [
        (one("a") + &one("b"), "a b"),
        (format!("<events><event>{}</event><event>{}</event></events>", one("a"), one("b")), "a b"),
        (format!("<event><value>{escaped}</value></event>"), "a"),
        (format!("<event><value><![CDATA[{}]]></value></event>", one("a")), "a"),
        (format!("\"{}\"", one("a").replace('"', "\"\"")), "a"),
        (escaped.clone(), "a"),
    ] {
        let plan = Plan::read(document.as_bytes()).expect("a plan");
        let texts: Vec<&str> = plan.statements.iter().map(|statement| statement.text.as_str()).collect();
        assert_eq!((texts.join(" ").as_str(), plan.version.as_str()), (told, "1.5"), "{document}");
    }
}

#[test]
fn times_beyond_what_a_number_holds_are_told_and_not_added_up() {
    let most = u64::MAX;
    let leaf = |id| op(id, "Table Scan", "Table Scan").thread(0, most, most);
    let plan = plan("", &total(most), &op(0, "Concatenation", "Concatenation").over([leaf(1), leaf(2)]));
    assert_eq!(own(first(&plan)).outside_ms, Some(0));
    let wild = op(0, "Sort", "Sort")
        .with("EstimateRows=\"1e308\" EstimateRebinds=\"1e308\" EstimatedTotalSubtreeCost=\"1e308\"");
    let wild = wild.thread(0, 5, 1);
    let told = lines::text(
        &super::tests::plan("StatementSubTreeCost=\"1e308\"", &total(5), &wild),
        Some(Metric::Cost),
        false,
    );
    assert!(told.contains("cost >999P") && told.lines().all(|line| line.chars().count() < 140), "{told}");
    let negative = super::tests::plan("StatementSubTreeCost=\"-3\"", "", &op(0, "Sort", "Sort"));
    assert_eq!(negative.statements[0].cost, None);
}

#[test]
fn a_plan_says_what_it_cannot_know() {
    let parallel = op(0, "Parallelism", "Gather Streams").with("Parallel=\"1\"");
    let mut estimated = plan("", "", &parallel);
    estimated.statements[0].queries[0].dop = None;
    let told = lines::text(&estimated, Some(Metric::Reads), false);
    assert!(told.contains("estimated · parallel"), "{told}");
    assert!(told.contains("this plan has no reads: it did not run"), "{told}");
    assert!(!lines::text(&estimated, None, false).contains("this plan has no"));
    let ran = plan("", "", &op(0, "", "").counters("Thread=\"0\" ActualRows=\"1\" ActualExecutions=\"1\""));
    let told = lines::text(&ran, Some(Metric::Time), false);
    assert!(told.contains("(no name)") && told.contains("has no time: its version counts none"), "{told}");
}

#[test]
fn another_server_is_told_with_what_it_is_asked_and_a_top_by_its_own_rows() {
    let asks = "<RemoteQuery RemoteSource=\"LINK\" RemoteQuery=\"SELECT a FROM b\"/>";
    let remote = plan("", "", &op(0, "Remote Query", "Remote Query").holding(asks));
    assert_eq!(lines::what(&first(&remote).operators[0]), "asks LINK SELECT a FROM b");
    let below = "<Top><RelOp><Top><TopExpression><ScalarOperator ScalarString=\"(5)\"/></TopExpression></Top></RelOp></Top>";
    let tops = plan("", "", &op(0, "Top", "Top").holding(below));
    let told: Vec<String> = first(&tops).operators.iter().map(lines::what).collect();
    assert_eq!(told, ["", "top (5)"]);
}

#[test]
fn too_many_operators_are_refused() {
    let mut text = String::from("<ShowPlanXML><Statements><StmtSimple><QueryPlan>");
    for _ in 0..=super::MAX_OPERATORS {
        text.push_str("<RelOp/>");
    }
    text.push_str("</QueryPlan></StmtSimple></Statements></ShowPlanXML>");
    assert_eq!(Plan::read(text.as_bytes()).err(), Some(PlanError::TooMany));
    // What is read in full stays below 80 MB, texts aside.
    assert!(size_of::<super::Operator>() * super::MAX_OPERATORS < 80 << 20);
}

#[test]
fn spills_of_one_operator_are_one_warning() {
    let warnings = "<Warnings><SpillToTempDb SpillLevel=\"2\" SpilledThreadCount=\"4\"/>\
                    <HashSpillDetails GrantedMemoryKb=\"100\" WritesToTempDb=\"11\" ReadsFromTempDb=\"12\"/></Warnings>";
    let plan = plan("", "", &op(0, "Hash Match", "Inner Join").holding(warnings));
    let operator = &first(&plan).operators[0];
    let [Warning::Spill(spill)] = operator.warnings.as_slice() else { panic!("{:?}", operator.warnings) };
    assert_eq!((spill.level, spill.pages_written, spill.exchange), (Some(2), Some(11), false));
}

#[test]
fn plans_are_aligned_by_what_operators_are_for() {
    let on = |id, physical, index: &str| {
        op(id, physical, physical).holding(&format!("<Object Table=\"[T]\" Index=\"[{index}]\"/>"))
    };
    let of = |id, table: &str| {
        op(id, "Index Seek", "Index Seek").holding(&format!("<Object Table=\"[{table}]\"/>"))
    };
    let left = op(0, "Nested Loops", "Inner Join").over([on(1, "Index Scan", "a"), of(2, "U")]);
    let right = op(0, "Hash Match", "Inner Join")
        .over([op(1, "Sort", "Sort").over([on(2, "Index Seek", "b")]), of(3, "V")]);
    let (left, right) = (plan("", "", &left), plan("", "", &right));
    let pairs: Vec<_> = super::compare::align(first(&left), first(&right))
        .iter()
        .map(|pair| (pair.left, pair.right))
        .collect();
    // The join is the join, the table is the table by another index; the sort came, U went, V came.
    assert_eq!(
        pairs,
        [(Some(0), Some(0)), (None, Some(1)), (Some(1), Some(2)), (None, Some(3)), (Some(2), None)]
    );
    let text = lines::comparison((&left.statements[0], first(&left)), (&right.statements[0], first(&right)));
    assert!(text.contains("Nested Loops Inner Join → Hash Match Inner Join"), "{text}");
    assert!(text.contains("Index Scan T.a → Index Seek T.b"), "{text}");
    assert!(text.contains("only in A: Index Seek U") && text.contains("only in B: Sort"), "{text}");
}

#[test]
fn two_plans_of_the_greatest_size_are_aligned() {
    let wide = |name| {
        let leaves = (1..20_000).map(|id| op(id, "Index Seek", name));
        plan("", "", &op(0, "Concatenation", "Concatenation").over(leaves))
    };
    let (left, right) = (wide("Index Seek"), wide("Other"));
    let same = super::compare::align(first(&left), first(&left));
    assert!(same.iter().enumerate().all(|(at, pair)| (pair.left, pair.right) == (Some(at), Some(at))));
    assert_eq!(super::compare::align(first(&left), first(&right)).len(), 39_999);
}

/// A plan with something of everything, for what damages it.
fn rich() -> String {
    let scan = op(2, "Clustered Index Scan", "Clustered Index Scan")
        .with("EstimateRows=\"10\" EstimatedTotalSubtreeCost=\"3\" TableCardinality=\"1000\"")
        .holding("<IndexScan Lookup=\"0\"><Object Table=\"[t]\" Index=\"[i]\"/><Predicate><ScalarOperator ScalarString=\"upper([a].[b])='x'\"/></Predicate></IndexScan>")
        .thread(0, 0, 0)
        .thread(1, 40, 100_000)
        .thread(2, 4, 1);
    let join = op(1, "Hash Match", "Inner Join")
        .with("EstimateRows=\"1\" EstimatedTotalSubtreeCost=\"4\"")
        .holding("<Warnings NoJoinPredicate=\"1\"><SpillToTempDb SpillLevel=\"1\"/></Warnings>")
        .thread(0, 50, 100_001)
        .over([scan.clone(), scan]);
    let query = "<MemoryGrantInfo GrantedMemory=\"2000000\" MaxUsedMemory=\"10\"/><ParameterList><ColumnReference Column=\"@p\" ParameterCompiledValue=\"1\" ParameterRuntimeValue=\"2\"/></ParameterList>";
    xml(
        "StatementSubTreeCost=\"5\" StatementText=\"SELECT 1\"",
        &(query.to_owned() + &total(60)),
        &op(0, "Sort", "Sort").thread(0, 60, 9).over([join]),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_damage_makes_it_panic_or_lie_about_shares(
        hits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        let mut bytes = rich().into_bytes();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(plan) = Plan::read(&bytes) {
            let text = lines::text(&plan, None, true);
            prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "control");
            for query in plan.statements.iter().flat_map(|statement| &statement.queries) {
                let own = own(query);
                for metric in Metric::ALL {
                    for row in rows(query, &own, metric, false, &[]) {
                        prop_assert!(row.share.is_none_or(|share| (0.0..=1.000_001).contains(&share)), "{row:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_of_any_size_are_told(ms in any::<u64>(), rows in any::<u64>(), cost in any::<f64>()) {
        let scan = op(1, "Table Scan", "Table Scan")
            .with(&format!("EstimateRows=\"{cost}\" EstimatedTotalSubtreeCost=\"{cost}\" EstimateRebinds=\"{cost}\""))
            .thread(1, ms, rows)
            .thread(2, ms, rows);
        let root = op(0, "Sort", "Sort").with(&format!("EstimatedTotalSubtreeCost=\"{cost}\"")).thread(0, ms, rows).over([scan]);
        let plan = plan("", &total(ms), &root);
        prop_assert!(!lines::text(&plan, None, false).is_empty());
    }
}

#[test]
fn what_a_parameter_was_not_told_is_not_asked() {
    let list = "<ParameterList><ColumnReference Column=\"@a\" ParameterCompiledValue=\"(7)\" ParameterRuntimeValue=\"(8)\"/>\
                <ColumnReference Column=\"@b\" ParameterCompiledValue=\"(7)\"/><ColumnReference Column=\"@c\"/></ParameterList>";
    let plan = plan("", list, &op(0, "Sort", "Sort"));
    let statement = plan.statements.first().expect("a statement");
    let facts = lines::facts(statement, first(&plan));
    let of = |name: &str| facts.iter().find(|fact| fact.starts_with(name)).map(String::as_str);
    assert_eq!(of("@a"), Some("@a  compiled for 7, ran with 8"));
    assert_eq!(of("@b"), Some("@b  compiled for 7"), "an estimated plan has not run");
    assert_eq!(of("@c"), None);
}
