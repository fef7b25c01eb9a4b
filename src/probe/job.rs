//! Names of the Agent jobs and steps that are at work: asked of msdb once per step, a few per poll. The program name of their
//! sessions tells their ids alone. `run` fetches, decoders look up.

use super::{
    batch::{self, Sets},
    script::{Needs, Script, script},
};
use crate::{
    model::{base::failure::Failure, poll::rights::Rights},
    tds::{Ask, Param, Question, ResultSet, Row},
};
use std::{collections::HashMap, fmt::Write as _, sync::Arc, time::Duration};

/// Names of one step and its job.
pub(super) const RESOLVE_JOB: Script = script!("resolve_job", MsdbJobs, one row);

/// Like `unknown_without` of a probe.
pub(super) const UNKNOWN_WITHOUT: (Needs, &str) = (Needs::MsdbJobs, "names of jobs at work");

/// Questions per poll: names are nice to have.
const PER_POLL: usize = 2;
/// More than the lock time-out of the session.
const WITHIN: Duration = Duration::from_secs(3);
/// Names kept; beyond it all are forgotten and asked for anew.
const MAX_NAMES: usize = 500;
/// The column that tells of a job.
const PROGRAM: &str = "program_name";

/// A step of a job, as the program name of its session tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Step {
    /// as it lies in memory
    job: [u8; 16],
    number: Option<u32>,
}

impl Step {
    /// Reads `SQLAgent - TSQL JobStep (Job 0x… : Step n)`. None: another program.
    fn parse(program: &str) -> Option<Self> {
        let (_, rest) = program.strip_prefix("SQLAgent - TSQL JobStep")?.split_once("(Job 0x")?;
        let (hex, rest) = rest.split_at_checked(32)?;
        let number =
            u128::from_str_radix(hex, 16).ok().filter(|_| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let step = rest.split_once("Step ").map_or("", |(_, step)| step);
        let digits = step.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        Some(Self { job: number.to_be_bytes(), number: digits.parse().ok() })
    }

    /// `job 6F9619FF-8B86-D011-B42D-00C04FC964FF step 2`: the first three groups of a printed id are byte-swapped.
    fn by_id(self) -> String {
        let mut out = String::from("job ");
        for (n, place) in [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].into_iter().enumerate() {
            if [4, 6, 8, 10].contains(&n) {
                out.push('-');
            }
            // Writing to a String cannot fail.
            let _ = write!(out, "{:02X}", self.job.get(place).copied().unwrap_or_default());
        }
        if let Some(number) = self.number {
            let _ = write!(out, " step {number}");
        }
        out
    }

    /// `Nightly load, step 2: copy rows`.
    fn by_name(self, row: Row<'_>) -> Option<Arc<str>> {
        let mut out = row.name("job_name")?.to_string();
        if let Some(number) = self.number {
            let _ = write!(out, ", step {number}");
        }
        if let Some(step) = row.name("step_name") {
            out.push_str(": ");
            out.push_str(&step);
        }
        Some(out.into())
    }
}

/// Names by step. None: it cannot be had.
#[derive(Debug, Default)]
pub struct JobNames(HashMap<Step, Option<Arc<str>>>);

impl JobNames {
    /// The job and step behind a program name: by name, or by id while the name is not known. None: the program is no job.
    pub fn of(&self, program: &str) -> Option<Arc<str>> {
        let step = Step::parse(program)?;
        Some(self.0.get(&step).cloned().flatten().unwrap_or_else(|| step.by_id().into()))
    }

    /// Forgets all: rights may have changed, jobs and steps may have other names now, and a step that ran for the first time has one.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Asks for names that are not known yet, if the login may read them. Returns the failure that broke the connection, if one did.
pub(super) async fn fetch<C: Ask>(
    conn: &mut C,
    sets: &Sets,
    rights: Option<&Rights>,
    names: &mut JobNames,
) -> Option<Failure> {
    if rights.and_then(|rights| rights.held(Needs::MsdbJobs.right(None))) != Some(true) {
        return None;
    }
    let mut asked = 0;
    let told = sets.iter().filter(|set| set.columns.iter().any(|column| column == PROGRAM));
    for step in told.flat_map(ResultSet::rows).filter_map(|row| Step::parse(row.raw_text(PROGRAM)?)) {
        if names.0.contains_key(&step) {
            continue;
        }
        if asked == PER_POLL {
            return None;
        }
        asked += 1;
        let number = step.number.map_or(Param::Null, |number| Param::Int(number.into()));
        let params = [Param::Bytes(&step.job), number];
        let sql = batch::statement(RESOLVE_JOB.text);
        let answer =
            conn.ask(Question { what: "the name of a job", sql, params: &params, within: WITHIN }).await;
        let found = Sets::of(answer.sets, &[RESOLVE_JOB]);
        let name = found.get(RESOLVE_JOB.name).and_then(ResultSet::first).and_then(|row| step.by_name(row));
        if names.0.len() >= MAX_NAMES {
            names.0.clear();
        }
        names.0.insert(step, name);
        if !conn.is_open() {
            return answer.error;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, text},
        tds::Cell,
    };

    const PROGRAM_OF_STEP: &str = "SQLAgent - TSQL JobStep (Job 0xFF19966F868B11D0B42D00C04FC964FF : Step 2)";

    fn by_id(program: &str) -> Option<String> {
        Step::parse(program).map(Step::by_id)
    }

    #[test]
    fn ids_are_printed_byte_swapped_and_what_is_no_step_is_none() {
        assert_eq!(
            by_id(PROGRAM_OF_STEP).as_deref(),
            Some("job 6F9619FF-8B86-D011-B42D-00C04FC964FF step 2")
        );
        let no_step = "SQLAgent - TSQL JobStep (Job 0xFF19966F868B11D0B42D00C04FC964FF)";
        assert_eq!(by_id(no_step).as_deref(), Some("job 6F9619FF-8B86-D011-B42D-00C04FC964FF"));
        for other in [
            "SQLAgent - Job Manager",
            "SQLAgent - TSQL JobStep (Job 0xFF19 : Step 2)",
            "SQLAgent - TSQL JobStep (Job 0xéééééééééééééééééééééééé",
            "SQLAgent - TSQL JobStep (Job 0x+F19966F868B11D0B42D00C04FC964FF : Step 2)",
        ] {
            assert_eq!(by_id(other), None, "{other}");
        }
        let absurd = "SQLAgent - TSQL JobStep (Job 0xFF19966F868B11D0B42D00C04FC964FF : Step 99999999999)";
        assert!(by_id(absurd).is_some_and(|id| id.ends_with("964FF")), "a number that is none is left out");
    }

    #[test]
    fn a_step_is_called_by_its_name_as_far_as_it_is_known() {
        let named = |job: Cell, step: Cell| {
            let answer = set("resolve_job", &["job_name", "step_name"], vec![vec![job, step]]);
            Step::parse(PROGRAM_OF_STEP).unwrap().by_name(answer.first().unwrap())
        };
        assert_eq!(named(text("Nightly load"), text("copy")).as_deref(), Some("Nightly load, step 2: copy"));
        assert!(!named(text("load\u{1b}[31m"), text("copy\u{7}")).unwrap().contains(['\u{1b}', '\u{7}']));
        assert_eq!(named(text("Nightly load"), Cell::Null).as_deref(), Some("Nightly load, step 2"));
        assert_eq!(named(Cell::Null, text("copy")), None);
        let mut all = JobNames::default();
        all.0.insert(Step::parse(PROGRAM_OF_STEP).unwrap(), named(text("Nightly load"), Cell::Null));
        assert_eq!(all.of(PROGRAM_OF_STEP).as_deref(), Some("Nightly load, step 2"));
        assert_eq!(all.of("OrderService"), None);
    }
}
