//! Plans as the simulated server has them, in the XML of showplan: operators that fit the statement, in one of four pictures. A
//! seek with a look-up; what becomes of it when the seek is lost (a conversion on the column, a scan, a sort that spills) or its
//! index is gone; and the same seek for a value with very many rows. Numbers agree with the query that they are of. Each version
//! writes what it has: batch mode of stored rows since 2019, plans by parameter since 2022, by optional parameter in 2025.

mod reading;
mod shapes;
#[cfg(test)]
mod tests;
mod tree;

use crate::sim::world::{theme::Theme, version::Version};
use reading::Reading;
use shapes::Shapes;
use std::fmt::Write as _;
use tree::{Node, WORKERS};

pub use tree::Run;

/// Of what the plan of a statement is made.
#[derive(Clone, Copy)]
pub struct Shape<'a> {
    /// the version of the server
    pub version: Version,
    /// the statement
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
    /// an actual plan: how it ran. None: as estimated
    pub run: Option<Run>,
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

/// The version of the schema.
fn schema(version: Version) -> &'static str {
    match version.year() {
        2016 => "1.5",
        2017 => "1.6",
        2019 => "1.539",
        2022 => "1.564",
        _ => "1.599",
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

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(text, &mut out);
    out
}

/// A document with the plans of these statements, as a server of that version and build writes it.
pub fn document(version: Version, build: &str, statements: &[Shape<'_>]) -> String {
    let mut out = format!(
        "<ShowPlanXML xmlns=\"http://schemas.microsoft.com/sqlserver/2004/07/showplan\" Version=\"{}\" \
         Build=\"{build}\"><BatchSequence><Batch><Statements>",
        schema(version),
    );
    for (at, shape) in statements.iter().enumerate() {
        shape.write(at + 1, &mut out);
    }
    out.push_str("</Statements></Batch></BatchSequence></ShowPlanXML>");
    out
}

impl Shape<'_> {
    fn write(&self, number: usize, out: &mut String) {
        let read = Reading::of(self.statement, self.theme);
        let year = self.version.year();
        let shapes = Shapes { read: &read, database: self.database, year, picture: self.plan };
        let tree = shapes.tree();
        let (cost, rows) = tree.as_ref().map_or((0.0, 0.0), |tree| (tree.subtree_cost(), tree.expected()));
        out.push_str("<StmtSimple StatementText=\"");
        escape(self.statement, out);
        let _ = write!(
            out,
            "\" StatementId=\"{number}\" StatementCompId=\"{number}\" StatementType=\"{}\" \
             StatementSubTreeCost=\"{cost:.6}\" StatementEstRows=\"{rows}\" StatementOptmLevel=\"FULL\" \
             QueryHash=\"0x{:016X}\" QueryPlanHash=\"0x{:016X}\" CardinalityEstimationModelVersion=\"{}\"",
            read.kind(),
            self.query_hash,
            self.plan_hash,
            match year {
                2016 => 130,
                2017 => 140,
                2019 => 150,
                2022 => 160,
                _ => 170,
            },
        );
        if tree.as_ref().is_some_and(|tree| tree.any(Node::is_batch)) {
            out.push_str(" BatchModeOnRowStoreUsed=\"true\"");
        }
        let chooses = year >= 2022 && shapes.depends_on_value() || year >= 2025 && read.is_optional();
        if chooses {
            out.push_str(" QueryVariantID=\"2\"");
        }
        out.push_str(
            "><StatementSetOptions QUOTED_IDENTIFIER=\"true\" ARITHABORT=\"true\" CONCAT_NULL_YIELDS_NULL=\"true\" \
             ANSI_NULLS=\"true\" ANSI_PADDING=\"true\" ANSI_WARNINGS=\"true\" NUMERIC_ROUNDABORT=\"false\" />",
        );
        if chooses {
            self.dispatcher(&read, out);
        }
        if let Some(tree) = tree {
            self.query(&shapes, &tree, out);
        }
        out.push_str("</StmtSimple>");
    }

    /// By what one of several plans is chosen.
    fn dispatcher(&self, read: &Reading<'_>, out: &mut String) {
        let Some((column, value)) = read.equality() else { return };
        out.push_str("<Dispatcher>");
        if read.is_optional() {
            let _ = write!(
                out,
                "<OptionalParameterPredicate><Predicate><ScalarOperator ScalarString=\"[{value}] IS NULL\" /></Predicate>\
                 </OptionalParameterPredicate>"
            );
        } else {
            out.push_str("<ParameterSensitivePredicate LowBoundary=\"100\" HighBoundary=\"1000000\">");
            self.statistics(read, out);
            let _ = write!(
                out,
                "<Predicate><ScalarOperator ScalarString=\"[o].[{column}]=[{value}]\" /></Predicate>\
                 </ParameterSensitivePredicate>"
            );
        }
        out.push_str("</Dispatcher>");
    }

    fn query(&self, shapes: &Shapes<'_>, tree: &Node, out: &mut String) {
        let dop = if tree.any(Node::is_parallel) { WORKERS } else { 1 };
        let _ = write!(
            out,
            "<QueryPlan DegreeOfParallelism=\"{dop}\" CachedPlanSize=\"72\" CompileTime=\"4\" CompileCPU=\"4\" \
             CompileMemory=\"616\">"
        );
        if shapes.is_lost() {
            self.missing_index(shapes.read, out);
        }
        if let Some(expression) = shapes.conversion() {
            let _ = write!(
                out,
                "<Warnings><PlanAffectingConvert ConvertIssue=\"Seek Plan\" Expression=\"{expression}\" /></Warnings>"
            );
            self.grant(out);
        }
        if !matches!(shapes.read.kind(), "ASSIGN" | "RETURN" | "BULK INSERT") {
            out.push_str("<OptimizerStatsUsage>");
            self.statistics(shapes.read, out);
            out.push_str("</OptimizerStatsUsage>");
        }
        if self.version.year() == 2016 {
            out.push_str(
                "<TraceFlags IsCompileTime=\"true\"><TraceFlag Value=\"4199\" Scope=\"Global\" /></TraceFlags>",
            );
        }
        if let Some(Run { ms: (elapsed, cpu), .. }) = self.run.filter(|run| run.done >= 1.0) {
            self.waits(elapsed, cpu, dop, out);
            let _ = write!(out, "<QueryTimeStats CpuTime=\"{cpu}\" ElapsedTime=\"{elapsed}\" />");
        }
        tree.write(self.run, out);
        self.parameters(shapes.read, out);
        out.push_str("</QueryPlan>");
    }

    /// What a run waited for: what it did not compute. Its threads waited for each other, too.
    fn waits(&self, elapsed: i64, cpu: i64, dop: u32, out: &mut String) {
        let disk = (elapsed * i64::from(dop) - cpu).max(0) / 2;
        let mut waits = Vec::new();
        if dop > 1 {
            let threads = if self.version.year() >= 2022 { "CXSYNC_PORT" } else { "CXCONSUMER" };
            waits.extend([("CXPACKET", elapsed / 2), (threads, elapsed / 5)]);
        }
        waits.push(("PAGEIOLATCH_SH", disk));
        waits.retain(|(_, ms)| *ms > 0);
        if waits.is_empty() {
            return;
        }
        out.push_str("<WaitStats>");
        for (name, ms) in waits {
            let count = ms / 3 + 1;
            let _ = write!(out, "<Wait WaitType=\"{name}\" WaitTimeMs=\"{ms}\" WaitCount=\"{count}\" />");
        }
        out.push_str("</WaitStats>");
    }

    fn grant(&self, out: &mut String) {
        // Only a run knows what was used and waited for.
        let ran = if self.run.is_some() { " GrantWaitTime=\"0\" MaxUsedMemory=\"31744\"" } else { "" };
        // The server corrects grants by what was used.
        let feedback = match self.version.year() {
            2016 | 2017 => "",
            _ => " LastRequestedMemory=\"0\" IsMemoryGrantFeedbackAdjusted=\"No: First Execution\"",
        };
        let _ = write!(
            out,
            "<MemoryGrantInfo SerialRequiredMemory=\"512\" SerialDesiredMemory=\"524288\" RequiredMemory=\"2048\" \
             DesiredMemory=\"524288\" RequestedMemory=\"524288\" GrantedMemory=\"524288\"{ran}{feedback} />"
        );
    }

    fn missing_index(&self, read: &Reading<'_>, out: &mut String) {
        let (schema, table) = shapes::parts(read.source());
        let column = read.equality().map_or("CustomerId", |(column, _)| column);
        let _ = write!(
            out,
            "<MissingIndexes><MissingIndexGroup Impact=\"96.4\"><MissingIndex Database=\"[{}]\" Schema=\"[{schema}]\" \
             Table=\"[{table}]\"><ColumnGroup Usage=\"EQUALITY\"><Column Name=\"[{column}]\" ColumnId=\"2\" />\
             </ColumnGroup><ColumnGroup Usage=\"INCLUDE\"><Column Name=\"[{}]\" ColumnId=\"5\" /></ColumnGroup>\
             </MissingIndex></MissingIndexGroup></MissingIndexes>",
            self.database, self.theme.amount,
        );
    }

    /// The statistics that were read.
    fn statistics(&self, read: &Reading<'_>, out: &mut String) {
        let (schema, table) = shapes::parts(read.source());
        let name = match read.equality() {
            Some((column, _)) if !read.is_key(column) => format!("IX_{column}"),
            _ => format!("PK_{table}"),
        };
        let _ = write!(
            out,
            "<StatisticsInfo Database=\"[{}]\" Schema=\"[{schema}]\" Table=\"[{table}]\" Statistics=\"[{name}]\" \
             ModificationCount=\"4118\" SamplingPercent=\"12.5\" LastUpdate=\"2025-11-02T03:11:09.41\" />",
            self.database,
        );
    }

    fn parameters(&self, read: &Reading<'_>, out: &mut String) {
        let names = read.parameters();
        if names.is_empty() {
            return;
        }
        out.push_str("<ParameterList>");
        for name in names {
            let (kind, compiled, runtime) = value(name);
            let _ = write!(
                out,
                "<ColumnReference Column=\"{name}\" ParameterDataType=\"{kind}\" ParameterCompiledValue=\"{compiled}\""
            );
            if self.run.is_some() {
                let _ = write!(out, " ParameterRuntimeValue=\"{runtime}\"");
            }
            out.push_str(" />");
        }
        out.push_str("</ParameterList>");
    }
}

/// The type of a parameter, and the values that it was compiled for and ran with.
fn value(name: &str) -> (&'static str, &'static str, &'static str) {
    match name {
        "@Region" => ("nvarchar(40)", "N'Faroe Islands'", "N'Bavaria'"),
        "@p1" => ("nvarchar(32)", "N'open'", "N'open'"),
        "@like" => ("nvarchar(200)", "N'%lake%'", "N'%lake%'"),
        "@From" | "@To" | "@cutoff" => ("datetime2(7)", "'2025-11-01 00:00:00'", "'2025-11-29 00:00:00'"),
        "@Size" | "@KeepDays" | "@BatchId" | "@region" => ("int", "(50)", "(50)"),
        _ => ("bigint", "(7)", "(88412)"),
    }
}
