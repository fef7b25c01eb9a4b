//! The operators of a simulated plan, and how a server writes them: what each was expected to do, and what its threads did.

use std::fmt::Write as _;

/// Threads of a parallel plan.
pub const WORKERS: u32 = 4;

/// How a statement ran, or runs.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// elapsed and CPU time, ms
    pub ms: (i64, i64),
    /// the share of its rows that it has had, 0 to 1; 1 for a run that ended
    pub done: f64,
    /// its operators count CPU: the profiling of 2016 and 2017 does not while a request runs
    pub counts_cpu: bool,
}

/// An operator.
#[derive(Debug, Clone, Default)]
pub struct Node {
    physical: &'static str,
    logical: &'static str,
    /// the element with its parts, and the attributes of that
    holder: (&'static str, &'static str),
    parts: String,
    warnings: &'static str,
    /// rows: those that came, and those that one execution was expected to have
    rows: (f64, f64),
    /// executions: those that were, and those that were expected
    runs: (u64, u64),
    read: Option<f64>,
    /// its own part of the time
    share: f64,
    /// the optimizer's cost of it alone
    cost: f64,
    reads: u64,
    is_parallel: bool,
    is_batch: bool,
    inputs: Vec<Node>,
}

impl Node {
    /// One row, expected as it came, for next to nothing.
    pub fn new(physical: &'static str, logical: &'static str, holder: &'static str) -> Self {
        let (rows, runs) = ((1.0, 1.0), (1, 1));
        Self {
            physical,
            logical,
            holder: (holder, ""),
            rows,
            runs,
            share: 0.02,
            cost: 0.0001,
            ..Self::default()
        }
    }

    pub const fn with(mut self, attributes: &'static str) -> Self {
        self.holder.1 = attributes;
        self
    }

    pub fn part(mut self, xml: &str) -> Self {
        self.parts.push_str(xml);
        self
    }

    pub const fn warning(mut self, xml: &'static str) -> Self {
        self.warnings = xml;
        self
    }

    /// Rows that came, and that one execution was expected to have.
    pub const fn rows(mut self, came: f64, expected: f64) -> Self {
        self.rows = (came, expected);
        self
    }

    /// Executions that were, and that were expected.
    pub const fn runs(mut self, came: u64, expected: u64) -> Self {
        self.runs = (came, expected);
        self
    }

    /// Rows and pages that it read to find its rows.
    pub const fn reading(mut self, rows: f64, pages: u64) -> Self {
        (self.read, self.reads) = (Some(rows), pages);
        self
    }

    /// Its part of the time, in any unit, and its cost.
    pub const fn taking(mut self, share: f64, cost: f64) -> Self {
        (self.share, self.cost) = (share, cost);
        self
    }

    /// On several threads, in batch mode.
    pub const fn mode(mut self, is_parallel: bool, is_batch: bool) -> Self {
        (self.is_parallel, self.is_batch) = (is_parallel, is_batch);
        self
    }

    pub fn over(mut self, inputs: impl IntoIterator<Item = Self>) -> Self {
        self.inputs.extend(inputs);
        self
    }

    /// Rows that came.
    pub const fn came(&self) -> f64 {
        self.rows.0
    }

    /// Rows that one execution was expected to have.
    pub const fn expected(&self) -> f64 {
        self.rows.1
    }

    /// The cost with all below it.
    pub fn subtree_cost(&self) -> f64 {
        self.cost + self.inputs.iter().map(Self::subtree_cost).sum::<f64>()
    }

    /// Its part of the time with all below it.
    fn whole(&self) -> f64 {
        self.share + self.inputs.iter().map(Self::whole).sum::<f64>()
    }

    /// True if this holds for it, or for one below it.
    pub fn any(&self, is_it: fn(&Self) -> bool) -> bool {
        is_it(self) || self.inputs.iter().any(|input| input.any(is_it))
    }

    pub const fn is_parallel(&self) -> bool {
        self.is_parallel
    }

    pub const fn is_batch(&self) -> bool {
        self.is_batch
    }

    /// All of it as XML.
    pub fn write(&self, run: Option<Run>, out: &mut String) {
        self.push(&mut 0, self.whole().max(f64::MIN_POSITIVE), run, out);
    }

    fn push(&self, id: &mut u32, all: f64, run: Option<Run>, out: &mut String) {
        let (holder, attributes) = self.holder;
        let told = |read: f64| {
            format!(" EstimatedRowsRead=\"{read}\" TableCardinality=\"{}\"", read.max(88_000_000.0))
        };
        let _ = write!(
            out,
            "<RelOp NodeId=\"{id}\" PhysicalOp=\"{}\" LogicalOp=\"{}\" EstimateRows=\"{}\" EstimateIO=\"0.003125\" \
             EstimateCPU=\"0.0001\" AvgRowSize=\"88\" EstimatedTotalSubtreeCost=\"{:.6}\" Parallel=\"{}\" \
             EstimateRebinds=\"{}\" EstimateRewinds=\"0\" EstimatedExecutionMode=\"{}\"{}><OutputList />",
            self.physical,
            self.logical,
            self.rows.1,
            self.subtree_cost(),
            u8::from(self.is_parallel),
            self.runs.1.saturating_sub(1),
            self.mode_word(),
            self.read.map(told).unwrap_or_default(),
        );
        if let Some(run) = run {
            if run.done >= 1.0 {
                out.push_str(self.warnings);
            }
            self.push_threads(*id == 0, all, run, out);
        }
        *id += 1;
        let blank = if attributes.is_empty() { "" } else { " " };
        let _ = write!(out, "<{holder}{blank}{attributes}>{}", self.parts);
        for input in &self.inputs {
            input.push(id, all, run, out);
        }
        let _ = write!(out, "</{holder}></RelOp>");
    }

    const fn mode_word(&self) -> &'static str {
        if self.is_batch { "Batch" } else { "Row" }
    }

    /// What each thread did. In batch mode an operator counts itself, else itself and all below it.
    fn push_threads(&self, is_root: bool, all: f64, run: Run, out: &mut String) {
        let (elapsed, cpu) = (run.ms.0 as f64, run.ms.1 as f64);
        let ms = if self.is_batch { self.share } else { self.whole() } / all * elapsed;
        let busy = if elapsed > 0.0 { cpu / elapsed } else { 1.0 };
        let workers = if self.is_parallel { WORKERS } else { 1 };
        out.push_str("<RunTimeInformation>");
        let threads = if self.is_parallel { 0..=WORKERS } else { 0..=0 };
        for thread in threads {
            // The first thread of a parallel plan only gathers.
            let is_idle = self.is_parallel && thread == 0 && !is_root;
            let part = if is_idle { 0.0 } else { run.done / f64::from(workers) };
            let ms = if is_idle { 0.0 } else { ms };
            let _ = write!(
                out,
                "<RunTimeCountersPerThread Thread=\"{thread}\" ActualRows=\"{:.0}\"",
                self.rows.0 * part
            );
            if let Some(read) = self.read {
                let _ = write!(out, " ActualRowsRead=\"{:.0}\"", read * part);
            }
            if self.is_batch {
                let _ = write!(out, " Batches=\"{:.0}\"", (self.rows.0 * part / 900.0).ceil());
            }
            if run.counts_cpu {
                let _ = write!(out, " ActualCPUms=\"{:.0}\"", ms * busy / f64::from(workers));
            }
            let _ = write!(
                out,
                " ActualEndOfScans=\"0\" ActualExecutions=\"{}\" ActualExecutionMode=\"{}\" ActualElapsedms=\"{ms:.0}\" \
                 ActualLogicalReads=\"{:.0}\" ActualScans=\"1\" />",
                if is_idle { 0 } else { self.runs.0 },
                self.mode_word(),
                self.reads as f64 * part,
            );
        }
        out.push_str("</RunTimeInformation>");
    }
}
