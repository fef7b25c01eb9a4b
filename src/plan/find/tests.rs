//! Each rule at its edges, over plans that are made up.

use super::{Finding, RULES, Weight, create_index, findings};
use crate::plan::{
    MissingIndex, Object, Plan,
    tests::{Op, op, plan, total},
    time::own,
};

/// The findings of the first query of a plan.
fn found(plan: &Plan) -> Vec<Finding> {
    let statement = plan.statements.first().expect("a statement");
    let query = statement.queries.first().expect("a query");
    findings(statement, query, &own(query))
}

/// The finding with that code, of a plan that has it once.
fn one(plan: &Plan, code: &str) -> Finding {
    let all = found(plan);
    let mut with = all.iter().filter(|finding| finding.code == code);
    let first = with.next().unwrap_or_else(|| panic!("no {code} in {all:#?}")).clone();
    assert!(with.next().is_none(), "{code} twice in {all:#?}");
    first
}

fn has(plan: &Plan, code: &str) -> bool {
    found(plan).iter().any(|finding| finding.code == code)
}

fn scan(ms: u64, rows: u64) -> Op {
    op(1, "Clustered Index Scan", "Clustered Index Scan").with("EstimateRows=\"10\"").thread(0, ms, rows)
}

fn predicate(text: &str) -> String {
    format!("<Predicate><ScalarOperator ScalarString=\"{text}\"/></Predicate>")
}

#[test]
fn codes_are_in_order_and_each_is_once() {
    let codes: Vec<String> = RULES.iter().map(|rule| rule.code.to_owned()).collect();
    assert_eq!(codes, (1..=20).map(|n| format!("P{n:02}")).collect::<Vec<_>>());
}

#[test]
fn weight_is_the_share_of_the_time_and_the_heaviest_come_first() {
    let worth = |ms: u64| {
        let lookup = op(1, "RID Lookup", "RID Lookup").counters(&format!(
            "Thread=\"0\" ActualRows=\"1\" ActualExecutions=\"5000\" ActualElapsedms=\"{ms}\""
        ));
        one(
            &plan("", &total(1_000), &op(0, "Nested Loops", "Inner Join").thread(0, 1_000, 1).over([lookup])),
            "P05",
        )
    };
    assert_eq!(worth(500).weight, Weight::Grave);
    assert_eq!(worth(499).weight, Weight::Warning);
    assert_eq!(worth(100).weight, Weight::Warning);
    assert_eq!(worth(99).weight, Weight::Note);
    assert_eq!((worth(250).share, worth(250).stake_ms), (Some(0.25), Some(250.0)));
    assert!(
        worth(500).text.contains("5.0k lookups") && worth(500).advice.contains("heap"),
        "{:?}",
        worth(500)
    );
}

#[test]
fn nothing_is_grave_that_was_not_timed_or_took_next_to_no_time() {
    let lookup = |attributes: &str| op(1, "RID Lookup", "RID Lookup").with(attributes);
    let loops =
        |attributes: &str, lookup: Op| op(0, "Nested Loops", "Inner Join").with(attributes).over([lookup]);
    // By cost: nine tenths of an estimate.
    let estimated = lookup("EstimateRebinds=\"5000\" EstimatedTotalSubtreeCost=\"9\"");
    let estimated = plan("", "", &loops("EstimatedTotalSubtreeCost=\"10\"", estimated));
    let finding = one(&estimated, "P05");
    assert_eq!((finding.weight, finding.share, finding.stake_ms), (Weight::Warning, Some(0.9), None));
    // It ran, and its version counts no time: still an estimate.
    let ran = lookup("EstimatedTotalSubtreeCost=\"9\"")
        .counters("Thread=\"0\" ActualRows=\"1\" ActualExecutions=\"5000\"");
    let ran = plan("", "", &loops("EstimatedTotalSubtreeCost=\"10\"", ran));
    assert_eq!(one(&ran, "P05").weight, Weight::Warning);
    // Of a trifle: all of 9 ms, and of 10.
    let timed = |ms: u64| {
        let counters =
            format!("Thread=\"0\" ActualRows=\"1\" ActualExecutions=\"5000\" ActualElapsedms=\"{ms}\"");
        one(&plan("", &total(ms), &lookup("").counters(&counters)), "P05").weight
    };
    assert_eq!((timed(9), timed(10)), (Weight::Warning, Weight::Grave));
    // A factor does not make it so, either.
    assert_eq!(one(&misjudged(100, 1_000_000, 900), "P08").weight, Weight::Grave);
    let quick = op(1, "Index Seek", "Index Seek").with("EstimateRows=\"1\"").thread(0, 1, 2_000);
    let quick = op(0, "Sort", "Sort").with("EstimateRows=\"1\"").thread(0, 9, 2_000).over([quick]);
    assert_eq!(one(&plan("", &total(9), &quick), "P08").weight, Weight::Warning);
}

#[test]
fn one_lookup_is_no_lookups() {
    let lookup = op(1, "RID Lookup", "RID Lookup").thread(0, 900, 1).over([]);
    let plan =
        plan("", &total(1_000), &op(0, "Nested Loops", "Inner Join").thread(0, 1_000, 1).over([lookup]));
    let text = one(&plan, "P05").text;
    assert!(text.starts_with("1 lookup") && !text.contains("lookups"), "{text}");
}

fn missing(impact: f64) -> String {
    format!(
        "<MissingIndexes><MissingIndexGroup Impact=\"{impact}\"><MissingIndex Database=\"[o]\" Schema=\"[dbo]\" Table=\"[T]\">\
         <ColumnGroup Usage=\"EQUALITY\"><Column Name=\"[a]\"/></ColumnGroup><ColumnGroup Usage=\"INEQUALITY\"><Column Name=\"[b]\"/></ColumnGroup>\
         <ColumnGroup Usage=\"INCLUDE\"><Column Name=\"[c]\"/></ColumnGroup></MissingIndex></MissingIndexGroup></MissingIndexes>"
    )
}

#[test]
fn p01_a_missing_index_counts_from_a_quarter_on() {
    let with = |impact| plan("", &(missing(impact) + &total(1_000)), &scan(1_000, 1));
    assert!(!has(&with(24.9), "P01"));
    let finding = one(&with(60.0), "P01");
    assert_eq!(finding.text, "an index on o.dbo.T (a, b) INCLUDE (c) is estimated to save 60 %");
    // It is a wish: no time is promised, and nothing is grave because of it.
    assert_eq!((finding.weight, finding.stake_ms, finding.share), (Weight::Warning, None, Some(0.6)));
    let absurd = &with(1e300).statements[0].queries[0].missing[0];
    assert!(absurd.impact <= 100.0);
    let keyless = missing(60.0).replace("EQUALITY", "OTHER").replace("INOTHER", "OTHER");
    assert!(!has(&plan("", &keyless, &scan(1, 1)), "P01"), "an index has a key");
    // As many as a file can hold.
    let group = missing(60.0).replace("<MissingIndexes>", "").replace("</MissingIndexes>", "");
    let many = format!("<MissingIndexes>{}</MissingIndexes>", group.repeat(5_000));
    let told = found(&plan("", &many, &scan(1, 1)));
    assert_eq!(told.iter().filter(|finding| finding.code == "P01").count(), 20);
}

#[test]
fn a_missing_index_is_written_with_quoted_names_and_its_reservations() {
    let table =
        Object { database: "o".into(), schema: "dbo".into(), table: "T]; DROP".into(), ..Object::default() };
    let index = MissingIndex {
        impact: 60.0,
        table,
        equality: vec!["a".into()],
        inequality: vec!["b".into()],
        include: vec!["c".into()],
    };
    let text = create_index(&index);
    assert!(
        text.ends_with(
            "CREATE INDEX [IX_T]]; DROP_a]\n    ON [o].[dbo].[T]]; DROP] ([a], [b])\n    INCLUDE ([c]);\n"
        ),
        "{text}"
    );
    assert!(text.starts_with("-- The optimizer estimates 60 %"), "{text}");
}

#[test]
fn p02_points_at_the_operator_that_converts() {
    let warning = "<Warnings><PlanAffectingConvert ConvertIssue=\"Seek Plan\" Expression=\"CONVERT_IMPLICIT(nvarchar(40),[u].[Name],0)=[@d]\"/></Warnings>";
    let tests = scan(900, 1)
        .holding(&predicate("CONVERT_IMPLICIT(nvarchar(40),[db].[dbo].[Users].[Name] as [u].[Name],0)=[@d]"));
    let finding = one(
        &plan(
            "",
            &(warning.to_owned() + &total(1_000)),
            &op(0, "Top", "Top").thread(0, 1_000, 1).over([tests]),
        ),
        "P02",
    );
    assert_eq!((finding.operator, finding.weight), (Some(1), Weight::Grave));
    // A conversion that only hinders an estimate loses no seek.
    let estimate = warning.replace("Seek Plan", "Cardinality Estimate");
    assert!(!has(&plan("", &estimate, &scan(1, 1)), "P02"));
}

#[test]
fn p03_hidden_columns_are_found_and_bare_ones_are_not() {
    let seen = |text: &str| has(&plan("", &total(10), &scan(10, 1).holding(&predicate(text))), "P03");
    for hidden in [
        "upper([db].[dbo].[T].[Name])=[@n]",
        "[db].[dbo].[T].[Name] like N'%x%'",
        "datepart(year,[t].[d].[Date])=(2024)",
        "CASE WHEN [T].[a]=(1) THEN [T].[b] ELSE [T].[c] END=(1)",
        "[db].[dbo].[UpperName]([db].[dbo].[T].[Name])=[@n]",
        "[@n]=reverse(CONVERT_IMPLICIT(nvarchar(40),[db].[dbo].[T].[Name],0))",
    ] {
        assert!(seen(hidden), "{hidden}");
    }
    for bare in [
        "[db].[dbo].[T].[Name]=upper([@n])",
        "[db].[dbo].[T].[upper]=(1)",
        "[db].[dbo].[T].[Name] like N'x%'",
        "CONVERT_IMPLICIT(int,[@p],0)=[db].[dbo].[T].[Id]",
        "[db].[dbo].[T].[a]=upper([@x]) AND [db].[dbo].[T].[b]=(1)",
        "[db].[dbo].[T].[a]=dateadd(day,(1),[@x]) OR [db].[dbo].[T].[b]=(1)",
        "CASE WHEN [@x]=(1) THEN (1) ELSE (0) END=(1) AND [db].[dbo].[T].[b]=(1)",
        "[db].[dbo].[T].[a]=N'left([t].[b])'",
        "PROBE([Bitmap1008],[db].[dbo].[T].[a],N'[IN ROW]')",
    ] {
        assert!(!seen(bare), "{bare}");
    }
}

#[test]
fn p04_ten_rows_read_for_each_that_stays() {
    let read = |read: u64, rows: u64| {
        let scan = op(0, "Index Seek", "Index Seek").counters(&format!(
            "Thread=\"0\" ActualRows=\"{rows}\" ActualRowsRead=\"{read}\" ActualExecutions=\"1\" ActualElapsedms=\"10\""
        ));
        has(&plan("", &total(10), &scan), "P04")
    };
    assert!(read(10_000, 1_000) && read(10_000, 0));
    assert!(!read(10_000, 1_001), "nine for each");
    assert!(!read(9_999, 1), "too few to matter");
}

#[test]
fn p06_and_p07_spools() {
    let spool = |logical: &'static str, rebinds: u64, rewinds: u64| {
        let spool = op(0, "Index Spool", logical).counters(&format!(
            "Thread=\"0\" ActualRows=\"1\" ActualExecutions=\"1\" ActualRebinds=\"{rebinds}\" ActualRewinds=\"{rewinds}\" ActualElapsedms=\"100\""
        ));
        plan("", &total(100), &spool.over([scan(60, 5)]))
    };
    let eager = one(&spool("Eager Spool", 1, 0), "P06");
    assert_eq!(eager.stake_ms, Some(100.0), "what fills it is part of its price");
    assert!(has(&spool("Lazy Spool", 101, 504), "P07"));
    assert!(!has(&spool("Lazy Spool", 101, 505), "P07"), "reused five times");
    assert!(!has(&spool("Lazy Spool", 100, 0), "P07"), "too seldom to matter");
}

/// A sort over a scan whose estimate is off.
fn misjudged(expected: u64, came: u64, sort_ms: u64) -> Plan {
    let scan =
        op(1, "Index Seek", "Index Seek").with(&format!("EstimateRows=\"{expected}\"")).thread(0, 100, came);
    let sort = op(0, "Sort", "Sort")
        .with(&format!("EstimateRows=\"{expected}\""))
        .thread(0, 100 + sort_ms, came)
        .over([scan]);
    plan("", &total(100 + sort_ms), &sort)
}

#[test]
fn p08_a_wrong_estimate_counts_where_it_begins_and_if_something_suffers() {
    let grave = one(&misjudged(100, 1_000_000, 900), "P08");
    assert_eq!((grave.operator, grave.weight, grave.stake_ms), (Some(1), Weight::Grave, Some(900.0)));
    assert_eq!(one(&misjudged(1_000, 20_000, 900), "P08").weight, Weight::Warning, "20 times is no 100");
    assert!(!has(&misjudged(1_000, 9_999, 900), "P08"), "within ten times");
    assert!(!has(&misjudged(100, 1_000_000, 5), "P08"), "nothing suffers");
    assert!(!has(&misjudged(1, 900, 900), "P08"), "few rows");
}

#[test]
fn p09_an_exchange_counts_from_ten_thousand_pages_on() {
    let exchange = |pages: u64| {
        let details = format!("<Warnings><ExchangeSpillDetails WritesToTempDb=\"{pages}\"/></Warnings>");
        has(
            &plan(
                "",
                &total(10),
                &op(0, "Parallelism", "Repartition Streams").holding(&details).thread(0, 10, 1),
            ),
            "P09",
        )
    };
    assert!(exchange(10_000) && !exchange(9_999));
    let sort =
        "<Warnings><SpillToTempDb SpillLevel=\"2\"/><SortSpillDetails WritesToTempDb=\"11264\"/></Warnings>";
    let finding = one(&plan("", &total(10), &op(0, "Sort", "Sort").holding(sort).thread(0, 10, 1)), "P09");
    assert_eq!(finding.text, "spilled into tempdb, level 2, 88 MB written");
}

#[test]
fn p10_memory_that_was_not_used_or_waited_for() {
    let grant = |granted: u64, used: u64, waited: u64| {
        let grant = format!(
            "<MemoryGrantInfo GrantedMemory=\"{granted}\" MaxUsedMemory=\"{used}\" GrantWaitTime=\"{waited}\"/>"
        );
        plan("", &(grant + &total(10_000)), &scan(10, 1))
    };
    assert_eq!(one(&grant(1_048_576, 104_857, 0), "P10").text, "1.0 GB granted, 102 MB used");
    assert!(!has(&grant(1_048_576, 104_858, 0), "P10"), "a tenth was used");
    assert!(!has(&grant(1_048_575, 0, 0), "P10"), "less than a gigabyte");
    assert_eq!(one(&grant(1_000, 1_000, 6), "P10").stake_ms, Some(6_000.0));
}

#[test]
fn p11_one_worker_with_most_rows() {
    let skew = |rows: &[u64]| {
        let mut scan = op(0, "Table Scan", "Table Scan").thread(0, 0, 0);
        for (thread, rows) in rows.iter().enumerate() {
            scan = scan.thread(thread as u64 + 1, 10, *rows);
        }
        has(&plan("", &total(10), &scan), "P11")
    };
    assert!(skew(&[5_000, 1_700, 1_650, 1_650]));
    assert!(!skew(&[4_900, 1_700, 1_700, 1_700]), "under a half");
    assert!(skew(&[8_000, 2_000]) && !skew(&[7_900, 2_100]), "of two, four fifths");
    assert!(!skew(&[3_900, 0, 0, 0]), "few rows");
    assert!(!skew(&[100_000]), "nobody to share with");
}

#[test]
fn p12_only_what_the_code_does_and_only_where_it_costs() {
    let serial = |reason: &str, cost: &str| {
        let mut made = plan(&format!("StatementSubTreeCost=\"{cost}\""), "", &scan(1, 1));
        made.statements[0].queries[0].serial_reason = Some(reason.to_owned());
        has(&made, "P12")
    };
    assert!(serial("TSQLUserDefinedFunctionsNotParallelizable", "1"));
    assert!(!serial("TSQLUserDefinedFunctionsNotParallelizable", "0.9"));
    assert!(!serial("MaxDOPSetToOne", "50"));
    assert!(serial("NoParallelFastForwardCursor", "1") && serial("NoParallelWithRemoteQuery", "1"));
}

#[test]
fn p13_time_in_functions() {
    let stats =
        "<QueryTimeStats ElapsedTime=\"1000\" CpuTime=\"1000\" UdfElapsedTime=\"700\" UdfCpuTime=\"600\"/>";
    assert_eq!(one(&plan("", stats, &scan(1_000, 1)), "P13").stake_ms, Some(700.0));
    assert!(!has(&plan("", &total(1_000), &scan(1_000, 1)), "P13"));
}

#[test]
fn p14_a_loop_over_far_more_rows_than_expected() {
    let loops = |runs: u64, expected: u64| {
        let outer = op(1, "Index Scan", "Index Scan")
            .with(&format!("EstimateRows=\"{expected}\""))
            .thread(0, 10, runs);
        let inner = op(2, "Index Seek", "Index Seek").with("EstimateRows=\"1\"").counters(&format!(
            "Thread=\"0\" ActualRows=\"{runs}\" ActualExecutions=\"{runs}\" ActualElapsedms=\"900\""
        ));
        plan(
            "",
            &total(1_000),
            &op(0, "Nested Loops", "Inner Join").thread(0, 1_000, runs).over([outer, inner]),
        )
    };
    assert_eq!(one(&loops(100_001, 10_000), "P14").stake_ms, Some(990.0));
    assert!(!has(&loops(100_000, 10_000), "P14"), "not often enough");
    assert!(!has(&loops(200_000, 100_000), "P14"), "about as expected");
}

#[test]
fn p15_needs_other_values_and_a_wrong_estimate() {
    let sniffed = |compiled: &str, came: u64| {
        let mut made = misjudged(100, came, 900);
        made.statements[0].queries[0].parameters = vec![crate::plan::Parameter {
            name: "@c".into(),
            kind: None,
            compiled: Some(compiled.into()),
            runtime: Some("8".into()),
        }];
        made
    };
    assert_eq!(one(&sniffed("7", 1_000_000), "P15").text, "@c compiled for 7, ran with 8");
    assert!(!has(&sniffed("8", 1_000_000), "P15"));
    assert!(!has(&sniffed("7", 100), "P15"));
}

#[test]
fn p16_table_variables_and_functions_of_several_statements() {
    let variable = |rows| plan("", &total(10), &scan(10, rows).holding("<Object Table=\"[@t]\"/>"));
    assert!(one(&variable(100), "P16").text.starts_with("@t is a table variable"));
    assert!(!has(&variable(99), "P16"), "few rows");
    let function = op(0, "Table-valued function", "Table-valued function")
        .holding("<Object Schema=\"[dbo]\" Table=\"[F]\"/>")
        .thread(0, 10, 5);
    let finding = one(&plan("", &total(1_000), &function), "P16");
    assert_eq!(finding.stake_ms, Some(990.0), "its body is outside of all operators");
    let seek = op(0, "Clustered Index Seek", "Clustered Index Seek").holding("<Object Table=\"[@t]\"/>");
    assert!(
        has(&plan("", &total(10), &seek.thread(0, 10, 500)), "P16"),
        "an index has no statistics there, either"
    );
    // What the server itself has is nobody's to rewrite.
    for object in ["<Object Table=\"[STRING_SPLIT]\"/>", "<Object Schema=\"[sys]\" Table=\"[f]\"/>"] {
        let function =
            op(0, "Table-valued function", "Table-valued function").holding(object).thread(0, 10, 500);
        assert!(!has(&plan("", &total(1_000), &function), "P16"), "{object}");
    }
}

#[test]
fn p17_an_optimizer_that_gave_up_or_took_long() {
    let early = |reason: &str| {
        has(&plan(&format!("StatementOptmEarlyAbortReason=\"{reason}\""), "", &scan(1, 1)), "P17")
    };
    assert!(early("TimeOut") && early("MemoryLimitExceeded") && !early("GoodEnoughPlanFound"));
    let mut slow = plan("", &total(1_000), &scan(1_000, 1));
    slow.statements[0].queries[0].compile.cpu_ms = Some(1_000);
    assert_eq!((one(&slow, "P17").share, one(&slow, "P17").stake_ms), (Some(0.5), Some(1_000.0)));
    slow.statements[0].queries[0].compile.cpu_ms = Some(3_000);
    assert_eq!(one(&slow, "P17").stake_ms, Some(3_000.0), "it comes before the time of the query");
    slow.statements[0].queries[0].compile.cpu_ms = Some(999);
    assert!(!has(&slow, "P17"));
}

#[test]
fn p18_one_finding_a_table() {
    let with = |changes: u64, sampled: &str| {
        let info = |name| {
            format!(
                "<StatisticsInfo Table=\"[T]\" Statistics=\"[{name}]\" ModificationCount=\"{changes}\" SamplingPercent=\"{sampled}\"/>"
            )
        };
        let usage = format!("<OptimizerStatsUsage>{}{}</OptimizerStatsUsage>", info("s1"), info("s2"));
        plan("", &usage, &scan(1, 1).with("TableCardinality=\"10000\"").holding("<Object Table=\"[T]\"/>"))
    };
    let finding = one(&with(2_000, "100"), "P18");
    assert_eq!(finding.text, "s1, s2 of T: 2.0k of 10k rows changed since they were made");
    assert!(!has(&with(1_999, "100"), "P18"));
    assert!(has(&with(0, "0.99"), "P18") && !has(&with(0, "1"), "P18"));
}

#[test]
fn p19_joins_of_many_to_many_and_without_condition() {
    let merge = |many: u8, reads: u64| {
        let merge = op(0, "Merge Join", "Inner Join").holding(&format!("<Merge ManyToMany=\"{many}\"/>")).counters(&format!(
            "Thread=\"0\" ActualRows=\"1\" ActualExecutions=\"1\" ActualElapsedms=\"9\" ActualLogicalReads=\"{reads}\""
        ));
        has(&plan("", &total(10), &merge), "P19")
    };
    assert!(merge(1, 5) && !merge(1, 0) && !merge(0, 5));
    let bare =
        op(0, "Nested Loops", "Inner Join").holding("<Warnings NoJoinPredicate=\"true\"/>").thread(0, 9, 1);
    assert!(has(&plan("", &total(10), &bare), "P19"));
    let idle = op(0, "Nested Loops", "Inner Join")
        .holding("<Warnings NoJoinPredicate=\"true\"/>")
        .counters("Thread=\"0\" ActualExecutions=\"0\"");
    assert!(!has(&plan("", &total(10), &idle), "P19"), "what did not run harms nobody");
}

#[test]
fn p20_options_that_make_another_plan() {
    let with = |options: &str| {
        let mut made = plan("", "", &scan(1, 1));
        made.statements[0].off = options.split_whitespace().map(str::to_owned).collect();
        has(&made, "P20")
    };
    assert!(with("ARITHABORT") && !with("ANSI_PADDING") && !with(""));
}

#[test]
fn the_document_lists_every_rule_by_its_name() {
    let document = include_str!("../../../docs/plans.md");
    for rule in &RULES {
        let row = format!("| {} | {} |", rule.code, rule.name);
        assert!(document.contains(&row), "docs/plans.md has no row `{row}`");
    }
}
