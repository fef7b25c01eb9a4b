//! `dbtop plan`: a plan in a file, without any server.

use crate::harness::{
    Home,
    process::{dbtop, run},
};

/// A plan that ran for a second, nine tenths of it in a scan that converts its column.
const SLOW: &str = r#"<?xml version="1.0" encoding="utf-16"?>
<ShowPlanXML xmlns="http://schemas.microsoft.com/sqlserver/2004/07/showplan" Version="1.564" Build="16.0.4085.2"><BatchSequence><Batch><Statements>
<StmtSimple StatementType="SELECT" StatementText="SELECT * FROM Users WHERE Name = @n" StatementSubTreeCost="12" QueryHash="0x1F">
<QueryPlan DegreeOfParallelism="1">
<Warnings><PlanAffectingConvert ConvertIssue="Seek Plan" Expression="CONVERT_IMPLICIT(nvarchar(40),[u].[Name],0)=[@n]"/></Warnings>
<QueryTimeStats ElapsedTime="1000" CpuTime="990"/>
<RelOp NodeId="0" PhysicalOp="Top" LogicalOp="Top" EstimateRows="1" EstimatedTotalSubtreeCost="12">
<RunTimeInformation><RunTimeCountersPerThread Thread="0" ActualRows="1" ActualExecutions="1" ActualElapsedms="1000" ActualCPUms="990"/></RunTimeInformation>
<Top><RelOp NodeId="1" PhysicalOp="Index Scan" LogicalOp="Index Scan" EstimateRows="1" EstimatedTotalSubtreeCost="11.9">
<RunTimeInformation><RunTimeCountersPerThread Thread="0" ActualRows="1" ActualRowsRead="2500000" ActualExecutions="1" ActualElapsedms="900" ActualCPUms="900"/></RunTimeInformation>
<IndexScan><Object Database="[web]" Schema="[dbo]" Table="[Users]" Index="[IX_Name]"/>
<Predicate><ScalarOperator ScalarString="CONVERT_IMPLICIT(nvarchar(40),[web].[dbo].[Users].[Name] as [u].[Name],0)=[@n]"/></Predicate></IndexScan>
</RelOp></Top></RelOp></QueryPlan></StmtSimple></Statements></Batch></BatchSequence></ShowPlanXML>"#;

#[test]
fn a_plan_names_its_guilty_operator_and_exits_with_1() {
    let home = Home::new();
    let file = home.file("slow.sqlplan", SLOW);
    let done = run(dbtop(&["plan"], &home).arg(&file));
    assert_eq!((done.code, done.stderr.as_str()), (Some(1), ""), "{}", done.stdout);
    let scan = done.stdout.lines().find(|line| line.contains("Index Scan")).expect("the scan is told");
    assert!(scan.contains("900 ms") && scan.contains(" 90 ") && scan.contains("✖ P02"), "{}", done.stdout);
    assert!(done.stdout.contains("actual · 1.0 s, CPU 990 ms"), "{}", done.stdout);
    assert!(done.stdout.contains("✖ P02   900 ms  CONVERT_IMPLICIT"), "{}", done.stdout);
    assert!(!done.stdout.contains('…'), "nothing is cut in a pipe: {}", done.stdout);

    let narrow = run(dbtop(&["plan", "--width", "60"], &home).arg(&file));
    assert!(narrow.stdout.lines().all(|line| line.chars().count() <= 60), "{}", narrow.stdout);
}

#[test]
fn json_has_all_that_was_read_and_found_and_a_page_stands_alone() {
    let home = Home::new();
    let plan = home.file("slow.sqlplan", SLOW);
    let done = run(dbtop(&["plan", "-o", "json"], &home).arg(&plan));
    assert_eq!(done.code, Some(1), "the exit code is the same in every format");
    let value: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    let statement = &value["statements"][0];
    assert_eq!(statement["queries"][0]["operators"][1]["object"]["index"], "IX_Name");
    assert_eq!(statement["judged"][0]["own"]["elapsed_ms"], serde_json::json!([100, 900]));
    let codes: Vec<_> = statement["judged"][0]["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|f| f["code"].clone())
        .collect();
    assert_eq!(codes, ["P02", "P04"]);

    let set = "<StatementSetOptions ANSI_NULLS=\"true\" ARITHABORT=\"false\"/><QueryPlan DegreeOfParallelism=\"1\"><TraceFlags \
               IsCompileTime=\"1\"><TraceFlag Value=\"4199\" Scope=\"Global\"/></TraceFlags>";
    let plan = home.file("set.sqlplan", &SLOW.replace("<QueryPlan DegreeOfParallelism=\"1\">", set));
    let html = run(dbtop(&["plan", "-o", "html"], &home).arg(&plan));
    assert!(html.stdout.contains("settings  ANSI_NULLS on; ARITHABORT off"), "{}", html.stdout);
    assert!(html.stdout.contains("trace flags  4199 global"), "{}", html.stdout);
    assert!(html.stdout.starts_with("<!DOCTYPE html>") && html.stdout.contains("IX_Name"), "{}", html.stdout);
    assert!(!html.stdout.contains("http://") && !html.stdout.contains("https://"), "it loads nothing");
}

#[test]
fn a_plan_without_a_grave_finding_exits_with_0_and_may_come_by_a_pipe() {
    let home = Home::new();
    let harmless = SLOW
        .replace("\"900\"", "\"20\"")
        .replace("ActualRowsRead=\"2500000\"", "")
        .replace("Seek Plan", "Cardinality Estimate");
    let file = home.file("fine.sqlplan", &harmless);
    let done = run(dbtop(&["plan", "-"], &home).stdin(std::fs::File::open(&file).expect("the file")));
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{}", done.stdout);
    assert!(done.stdout.contains("Index Scan"), "{}", done.stdout);
}

#[test]
fn two_plans_stand_side_by_side() {
    let home = Home::new();
    let (slow, fast) = (
        home.file("a.sqlplan", SLOW),
        home.file("b.sqlplan", &SLOW.replace("Index Scan", "Index Seek").replace("\"900\"", "\"1\"")),
    );
    let done = run(dbtop(&["plan"], &home).arg(&slow).arg("--compare").arg(&fast));
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    let row =
        done.stdout.lines().find(|line| line.contains("Index Scan Users.IX_Name → Index Seek Users.IX_Name"));
    let row = row.unwrap_or_else(|| panic!("{}", done.stdout));
    assert!(row.contains("900 ms") && row.contains("1 ms"), "{row}");
    // The file without a plan is the one that is named, and what a comparison cannot print is refused.
    let bare = home.file("bare.sqlplan", "<ShowPlanXML><StmtSimple/></ShowPlanXML>");
    let none = run(dbtop(&["plan"], &home).arg(&slow).arg("--compare").arg(&bare));
    assert!(
        none.code == Some(3)
            && none.stderr.contains("no statement in")
            && none.stderr.contains("bare.sqlplan"),
        "{}",
        none.stderr
    );
    let json = run(dbtop(&["plan", "-o", "json"], &home).arg(&slow).arg("--compare").arg(&fast));
    assert!(json.code == Some(3) && json.stderr.contains("cannot be used with"), "{}", json.stderr);
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let home = Home::new();
    let mut empty = dbtop(&["config", "check"], &home);
    for name in ["DBTOP_CONFIG", "DBTOP_INVENTORY", "DBTOP_TENANT", "DBTOP_KEY_FILE"] {
        empty.env(name, "");
    }
    let done = run(&mut empty);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
}

#[test]
fn what_cannot_be_read_is_said_in_a_sentence_with_the_file() {
    let home = Home::new();
    let cases = [
        (SLOW[..700].to_owned(), "cut short"),
        ("<deadlock/>".to_owned(), "begins with <deadlock>"),
        ("<a>".repeat(2_000), "nested deeper than 512"),
        (" ".repeat((16 << 20) + 1), "more than the 16 MB"),
        (String::new(), "no XML"),
    ];
    for (text, words) in cases {
        let file = home.file("bad.sqlplan", &text);
        let done = run(dbtop(&["plan"], &home).arg(&file));
        assert_ne!(done.code, Some(0), "{words}");
        assert_ne!(done.code, Some(1), "a plan that cannot be read is no grave finding: {words}");
        assert!(
            done.stderr.contains(words) && done.stderr.contains("bad.sqlplan"),
            "{words}: {}",
            done.stderr
        );
        assert!(!done.stderr.contains("panicked") && done.stdout.is_empty(), "{}", done.stderr);
    }
    let gone = run(&mut dbtop(&["plan", "nowhere.sqlplan"], &home));
    assert!(gone.stderr.contains("nowhere.sqlplan"), "{}", gone.stderr);
}
