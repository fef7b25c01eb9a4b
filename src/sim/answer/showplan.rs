//! Plans as the simulated server has them, in the XML of showplan. Four pictures: a seek with a look-up; what becomes of it when
//! the seek is lost (a conversion on the column, a scan, a sort that spills) or its index is gone; and the same seek for a value
//! with very many rows. Numbers agree with the query that they are of.

use crate::sim::world::{theme::Theme, version::Version};
use std::fmt::Write as _;

/// Of what a plan is made.
pub struct Shape<'a> {
    /// the version of the server
    pub version: Version,
    /// its statement
    pub statement: &'a str,
    /// names of tables
    pub theme: &'a Theme,
    /// its database
    pub database: &'a str,
    /// query hash
    pub query_hash: u64,
    /// plan hash
    pub plan_hash: u64,
    /// which one it is
    pub plan: Picture,
    /// elapsed and CPU time of a run, ms: an actual plan. None: as estimated
    pub ran_ms: Option<(i64, i64)>,
    /// the share of its rows that a request which still runs has had, 0 to 1; 1 for a run that ended
    pub done: f64,
}

/// Which plan it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// a seek with a look-up
    Seek,
    /// the seek is lost by a conversion
    LostSeek,
    /// the index of the seek is gone
    NoIndex,
    /// a seek that was compiled for a value with few rows, and runs for one with many
    Sniffed,
}

impl Picture {
    /// By the number of a plan: see `queries::VICTIMS`.
    pub const fn of(plan: u8) -> Self {
        match plan {
            1 => Self::LostSeek,
            2 => Self::NoIndex,
            3 => Self::Sniffed,
            _ => Self::Seek,
        }
    }
}

/// Version and build as the root tells them.
fn root(version: Version) -> (&'static str, &'static str) {
    match version.year() {
        2016 => ("1.5", "13.0.5108.50"),
        2017 => ("1.6", "14.0.3465.1"),
        2019 => ("1.539", "15.0.4360.2"),
        2022 => ("1.564", "16.0.4105.2"),
        _ => ("1.599", "17.0.1000.7"),
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#xA;"),
            c => out.push(c),
        }
    }
}

/// An operator: what it is, what it was expected to do and what it did.
struct Operator {
    id: u32,
    physical: &'static str,
    logical: &'static str,
    rows: f64,
    expected: f64,
    runs: u64,
    read: Option<f64>,
    cost: f64,
    ms: f64,
    reads: u64,
    parallel: bool,
}

impl Shape<'_> {
    /// The whole XML.
    pub fn xml(&self) -> String {
        let (version, build) = root(self.version);
        let mut out = format!(
            "<ShowPlanXML xmlns=\"http://schemas.microsoft.com/sqlserver/2004/07/showplan\" Version=\"{version}\" \
             Build=\"{build}\"><BatchSequence><Batch><Statements><StmtSimple StatementText=\""
        );
        escape(self.statement, &mut out);
        let (cost, rows) = match self.plan {
            Picture::LostSeek => (912.4, 900.0),
            Picture::NoIndex => (640.2, 50.0),
            Picture::Seek | Picture::Sniffed => (0.1634, 50.0),
        };
        let _ = write!(
            out,
            "\" StatementId=\"1\" StatementCompId=\"1\" StatementType=\"SELECT\" StatementSubTreeCost=\"{cost}\" \
             StatementEstRows=\"{rows}\" StatementOptmLevel=\"FULL\" QueryHash=\"0x{:016X}\" QueryPlanHash=\"0x{:016X}\" \
             CardinalityEstimationModelVersion=\"{}\"><StatementSetOptions QUOTED_IDENTIFIER=\"true\" ARITHABORT=\"true\" \
             CONCAT_NULL_YIELDS_NULL=\"true\" ANSI_NULLS=\"true\" ANSI_PADDING=\"true\" ANSI_WARNINGS=\"true\" \
             NUMERIC_ROUNDABORT=\"false\" />",
            self.query_hash,
            self.plan_hash,
            match self.version.year() {
                2016 => 130,
                2017 => 140,
                2019 => 150,
                2022 => 160,
                _ => 170,
            },
        );
        self.query(&mut out);
        out.push_str("</StmtSimple></Statements></Batch></BatchSequence></ShowPlanXML>");
        out
    }

    fn query(&self, out: &mut String) {
        let dop = if self.plan == Picture::LostSeek { 4 } else { 1 };
        let _ = write!(
            out,
            "<QueryPlan DegreeOfParallelism=\"{dop}\" CachedPlanSize=\"72\" CompileTime=\"4\" CompileCPU=\"4\" \
             CompileMemory=\"616\">"
        );
        if self.plan == Picture::LostSeek {
            out.push_str(
                "<Warnings><PlanAffectingConvert ConvertIssue=\"Seek Plan\" \
                 Expression=\"CONVERT_IMPLICIT(nvarchar(32),[o].[Status],0)=[@p1]\" /></Warnings>",
            );
            self.grant(out);
        }
        if matches!(self.plan, Picture::LostSeek | Picture::NoIndex) {
            self.missing_index(out);
        }
        if let Some((elapsed, cpu)) = self.ran_ms.filter(|_| self.done >= 1.0) {
            let _ = write!(out, "<QueryTimeStats CpuTime=\"{cpu}\" ElapsedTime=\"{elapsed}\" />");
        }
        match self.plan {
            Picture::LostSeek => self.lost_seek(out),
            Picture::NoIndex => self.scan(out),
            Picture::Seek | Picture::Sniffed => self.seek(out),
        }
        let (name, kind, compiled, runtime) = match self.plan {
            Picture::Sniffed => ("@Region", "nvarchar(40)", "N'Faroe Islands'", "N'Bavaria'"),
            _ => ("@p0", "bigint", "(7)", "(88412)"),
        };
        let _ = write!(
            out,
            "<ParameterList><ColumnReference Column=\"{name}\" ParameterDataType=\"{kind}\" \
             ParameterCompiledValue=\"{compiled}\"{} /></ParameterList></QueryPlan>",
            if self.ran_ms.is_some() {
                format!(" ParameterRuntimeValue=\"{runtime}\"")
            } else {
                String::new()
            },
        );
    }

    fn grant(&self, out: &mut String) {
        // Only a run knows what was used and waited for.
        let ran = if self.ran_ms.is_some() { " GrantWaitTime=\"0\" MaxUsedMemory=\"31744\"" } else { "" };
        let _ = write!(
            out,
            "<MemoryGrantInfo SerialRequiredMemory=\"512\" SerialDesiredMemory=\"524288\" RequiredMemory=\"2048\" \
             DesiredMemory=\"524288\" RequestedMemory=\"524288\" GrantedMemory=\"524288\"{ran} />"
        );
    }

    fn missing_index(&self, out: &mut String) {
        let (schema, table) = self.table();
        let _ = write!(
            out,
            "<MissingIndexes><MissingIndexGroup Impact=\"96.4\"><MissingIndex Database=\"[{}]\" Schema=\"[{schema}]\" \
             Table=\"[{table}]\"><ColumnGroup Usage=\"EQUALITY\"><Column Name=\"[CustomerId]\" ColumnId=\"2\" />\
             </ColumnGroup><ColumnGroup Usage=\"INCLUDE\"><Column Name=\"[{}]\" ColumnId=\"5\" /></ColumnGroup>\
             </MissingIndex></MissingIndexGroup></MissingIndexes>",
            self.database, self.theme.amount,
        );
    }

    /// Schema and name of the busiest table, without brackets.
    fn table(&self) -> (String, String) {
        let clean = |part: &str| part.trim_matches(['[', ']']).to_owned();
        self.theme.table.split_once('.').map_or_else(
            || ("dbo".to_owned(), clean(self.theme.table)),
            |(schema, table)| (clean(schema), clean(table)),
        )
    }

    fn object(&self, index: &str, out: &mut String) {
        let (schema, table) = self.table();
        let _ = write!(
            out,
            "<Object Database=\"[{}]\" Schema=\"[{schema}]\" Table=\"[{table}]\" Index=\"[{index}]\" Alias=\"[o]\" \
             IndexKind=\"{}\" Storage=\"RowStore\" />",
            self.database,
            if index.starts_with("PK") { "Clustered" } else { "NonClustered" },
        );
    }

    /// A nested loop: an index is sought, the rest of each row is looked up.
    fn seek(&self, out: &mut String) {
        let ms = self.ran_ms.map_or(0.0, |(elapsed, _)| elapsed as f64);
        // As many as it was compiled for, or as this value has.
        let rows = if self.plan == Picture::Sniffed { 412_600.0 } else { 50.0 };
        let base = Operator {
            id: 0,
            physical: "Nested Loops",
            logical: "Inner Join",
            rows,
            expected: 48.0,
            runs: 1,
            read: None,
            cost: 0.1634,
            ms,
            reads: 0,
            parallel: false,
        };
        self.open(&base, out);
        out.push_str("<NestedLoops Optimized=\"0\">");
        let seek = Operator {
            id: 1,
            physical: "Index Seek",
            logical: "Index Seek",
            read: Some(rows),
            cost: 0.0033,
            ms: ms * 0.3,
            reads: (rows / 12.0) as u64,
            ..base
        };
        self.open(&seek, out);
        out.push_str(
            "<IndexScan Ordered=\"1\" ScanDirection=\"FORWARD\" ForcedIndex=\"0\" Storage=\"RowStore\">",
        );
        self.object("IX_CustomerId", out);
        out.push_str(
            "<SeekPredicates><SeekPredicateNew><SeekKeys><Prefix ScanType=\"EQ\"><RangeColumns><ColumnReference \
             Alias=\"[o]\" Column=\"CustomerId\" /></RangeColumns><RangeExpressions><ScalarOperator ScalarString=\"[@p0]\">\
             <Identifier><ColumnReference Column=\"@p0\" /></Identifier></ScalarOperator></RangeExpressions></Prefix>\
             </SeekKeys></SeekPredicateNew></SeekPredicates></IndexScan></RelOp>",
        );
        let lookup = Operator {
            id: 3,
            physical: "Clustered Index Seek",
            logical: "Clustered Index Seek",
            expected: 1.0,
            runs: rows as u64,
            read: Some(rows),
            cost: 0.158,
            ms: ms * 0.5,
            reads: (rows * 3.16) as u64,
            ..seek
        };
        self.open(&lookup, out);
        out.push_str("<IndexScan Lookup=\"1\" Ordered=\"1\" ScanDirection=\"FORWARD\" Storage=\"RowStore\">");
        let (_, table) = self.table();
        self.object(&format!("PK_{table}"), out);
        out.push_str("</IndexScan></RelOp></NestedLoops></RelOp>");
    }

    /// A scan of the whole table for a few rows of it.
    fn scan(&self, out: &mut String) {
        let ms = self.ran_ms.map_or(0.0, |(elapsed, _)| elapsed as f64);
        let sort = Operator {
            id: 0,
            physical: "Sort",
            logical: "TopN Sort",
            rows: 50.0,
            expected: 50.0,
            runs: 1,
            read: None,
            cost: 640.2,
            ms,
            reads: 0,
            parallel: false,
        };
        self.open(&sort, out);
        out.push_str(
            "<TopSort Distinct=\"0\" Rows=\"50\"><OrderBy><OrderByColumn Ascending=\"0\"><ColumnReference Alias=\"[o]\" \
             Column=\"ChangedAt\" /></OrderByColumn></OrderBy>",
        );
        let scan = Operator {
            id: 1,
            physical: "Clustered Index Scan",
            logical: "Clustered Index Scan",
            rows: 61.0,
            expected: 58.0,
            read: Some(88_000_000.0),
            cost: 638.9,
            ms: ms * 0.98,
            reads: 1_417_322,
            ..sort
        };
        self.open(&scan, out);
        out.push_str("<IndexScan Ordered=\"0\" ForcedIndex=\"0\" ForceScan=\"0\" NoExpandHint=\"0\" Storage=\"RowStore\">");
        let (_, table) = self.table();
        self.object(&format!("PK_{table}"), out);
        out.push_str(
            "<Predicate><ScalarOperator ScalarString=\"[o].[CustomerId]=[@p0] AND [o].[Status]=[@p1]\" /></Predicate>\
             </IndexScan></RelOp></TopSort></RelOp>",
        );
    }

    /// A parallel scan of the whole table with a conversion on its column, and a sort that spills.
    fn lost_seek(&self, out: &mut String) {
        let ms = self.ran_ms.map_or(0.0, |(elapsed, _)| elapsed as f64);
        let gather = Operator {
            id: 0,
            physical: "Parallelism",
            logical: "Gather Streams",
            rows: 50.0,
            expected: 50.0,
            runs: 1,
            read: None,
            cost: 912.4,
            ms,
            reads: 0,
            parallel: true,
        };
        self.open(&gather, out);
        out.push_str("<Parallelism>");
        let sort = Operator {
            id: 1,
            physical: "Sort",
            logical: "TopN Sort",
            rows: 50.0,
            expected: 50.0,
            cost: 910.0,
            ms: ms * 0.99,
            ..gather
        };
        self.open(&sort, out);
        if self.ran_ms.is_some() && self.done >= 1.0 {
            out.push_str("<Warnings><SpillToTempDb SpillLevel=\"1\" SpilledThreadCount=\"4\" /></Warnings>");
        }
        out.push_str(
            "<TopSort Distinct=\"0\" Rows=\"50\"><OrderBy><OrderByColumn Ascending=\"0\"><ColumnReference Alias=\"[o]\" \
             Column=\"ChangedAt\" /></OrderByColumn></OrderBy>",
        );
        let scan = Operator {
            id: 2,
            physical: "Clustered Index Scan",
            logical: "Clustered Index Scan",
            rows: 1_200_000.0,
            expected: 900.0,
            read: Some(88_000_000.0),
            cost: 871.3,
            ms: ms * 0.9,
            reads: 1_417_322,
            ..gather
        };
        self.open(&scan, out);
        out.push_str("<IndexScan Ordered=\"0\" ForcedIndex=\"0\" ForceScan=\"0\" NoExpandHint=\"0\" Storage=\"RowStore\">");
        let (_, table) = self.table();
        self.object(&format!("PK_{table}"), out);
        out.push_str(
            "<Predicate><ScalarOperator ScalarString=\"[o].[CustomerId]=[@p0] AND \
             CONVERT_IMPLICIT(nvarchar(32),[o].[Status],0)=[@p1]\" /></Predicate></IndexScan></RelOp></TopSort></RelOp>\
             </Parallelism></RelOp>",
        );
    }

    /// Begins an operator: its attributes and what each thread did.
    fn open(&self, operator: &Operator, out: &mut String) {
        let Operator { id, physical, logical, rows, expected, runs, read, cost, ms, reads, parallel } =
            operator;
        let _ = write!(
            out,
            "<RelOp NodeId=\"{id}\" PhysicalOp=\"{physical}\" LogicalOp=\"{logical}\" EstimateRows=\"{expected}\" \
             EstimateIO=\"0.003125\" EstimateCPU=\"0.0001\" AvgRowSize=\"88\" EstimatedTotalSubtreeCost=\"{cost}\" \
             Parallel=\"{}\" EstimateRebinds=\"{}\" EstimateRewinds=\"0\" EstimatedExecutionMode=\"Row\"{}><OutputList />",
            u8::from(*parallel),
            // What runs for each row was expected to.
            runs.saturating_sub(1),
            read.map(|read| format!(" TableCardinality=\"{}\"", read.max(88_000_000.0))).unwrap_or_default(),
        );
        let Some((elapsed, cpu)) = self.ran_ms else { return };
        let busy = if elapsed > 0 { cpu as f64 / elapsed as f64 } else { 1.0 };
        out.push_str("<RunTimeInformation>");
        let threads: &[u32] = if *parallel { &[0, 1, 2, 3, 4] } else { &[0] };
        let workers = if *parallel { 4.0 } else { 1.0 };
        for thread in threads {
            // The first thread of a parallel plan only gathers.
            let is_idle = *parallel && *thread == 0 && *id != 0;
            let part = if is_idle { 0.0 } else { self.done / workers };
            let _ = write!(
                out,
                "<RunTimeCountersPerThread Thread=\"{thread}\" ActualRows=\"{:.0}\"{} ActualEndOfScans=\"0\" \
                 ActualExecutions=\"{}\" ActualExecutionMode=\"Row\" ActualElapsedms=\"{:.0}\" ActualCPUms=\"{:.0}\" \
                 ActualLogicalReads=\"{:.0}\" ActualScans=\"1\" />",
                rows * part,
                read.map(|read| format!(" ActualRowsRead=\"{:.0}\"", read * part)).unwrap_or_default(),
                if is_idle { 0 } else { *runs },
                if is_idle { 0.0 } else { *ms },
                if is_idle { 0.0 } else { ms * busy / workers },
                *reads as f64 * part,
            );
        }
        out.push_str("</RunTimeInformation>");
    }
}
