//! A server made of result sets: answers batches by their tags, fails where it is told to, and notes what it was asked.

use super::columns::{Kind, columns};
use dbtop::{
    model::base::failure::{Failure, FailureKind},
    tds::{Answer, Ask, Cell, Question, ResultSet},
};
use std::collections::HashMap;

/// The server's clock, UTC ms; its zone is one hour east.
pub const NOW: i64 = 1_700_000_000_000;

/// What becomes of one script.
#[derive(Debug, Clone)]
pub enum Fate {
    /// these rows, without the tag; missing cells are NULL
    Rows(Vec<Vec<(&'static str, Cell)>>),
    /// its statement fails, the others go on
    Fails(i32, FailureKind, &'static str),
    /// the whole batch does not compile: nothing is run
    SpoilsBatch(i32, FailureKind, &'static str),
    /// the connection is lost here
    Breaks(FailureKind),
    /// half of its rows, then an error; the next statements go on
    CutShort,
    /// no set and no error
    Silent,
}

/// See the module.
pub struct Fake {
    /// by script name; others answer one row of plausible values
    pub fates: HashMap<&'static str, Fate>,
    /// the tags of each question, in order
    pub asked: Vec<Vec<String>>,
    /// parameters of each question
    pub params: Vec<usize>,
    /// false after `Breaks`
    pub open: bool,
}

impl Fake {
    pub fn new() -> Self {
        Self { fates: HashMap::new(), asked: Vec::new(), params: Vec::new(), open: true }
    }

    pub fn with(mut self, script: &'static str, fate: Fate) -> Self {
        self.fates.insert(script, fate);
        self
    }

    /// Questions so far, without the session set-up.
    pub fn questions(&self) -> Vec<String> {
        self.asked.iter().map(|tags| tags.join(" ")).collect()
    }

    fn answer(&mut self, question: Question<'_>) -> Answer {
        let tags = tags(question.sql);
        self.asked.push(tags.clone());
        self.params.push(question.params.len());
        let fates: Vec<_> = tags.iter().map(|t| (t.clone(), self.fates.get(t.as_str()).cloned())).collect();
        let spoilt = fates.iter().find_map(|(_, fate)| match fate {
            Some(Fate::SpoilsBatch(number, kind, text)) => Some(failure(*number, *kind, text)),
            _ => None,
        });
        if spoilt.is_some() {
            return Answer { sets: Vec::new(), error: spoilt };
        }
        let mut answer = Answer::default();
        for (tag, fate) in fates {
            match fate {
                None => answer.sets.push(set(&tag, vec![plausible(&tag)])),
                Some(Fate::Rows(rows)) => {
                    answer.sets.push(set(&tag, rows.iter().map(|r| row(&tag, r)).collect()));
                }
                Some(Fate::Fails(number, kind, text)) => {
                    answer.error.get_or_insert_with(|| failure(number, kind, text));
                }
                Some(Fate::Breaks(kind)) => {
                    self.open = false;
                    answer.error = Some(Failure::new(kind, "lost"));
                    break;
                }
                Some(Fate::CutShort) => {
                    answer.sets.push(set(&tag, vec![plausible(&tag)]));
                    answer.error.get_or_insert_with(|| failure(8115, FailureKind::Server, "overflow"));
                }
                Some(Fate::Silent | Fate::SpoilsBatch(..)) => {}
            }
        }
        // The driver cannot tell whether the last set before an error is whole.
        if answer.error.is_some()
            && let Some(last) = answer.sets.last_mut()
        {
            last.complete = false;
        }
        answer
    }
}

impl Ask for Fake {
    async fn ask(&mut self, question: Question<'_>) -> Answer {
        assert!(self.open, "asked on a closed connection: {}", question.what);
        self.answer(question)
    }

    fn is_open(&self) -> bool {
        self.open
    }

    fn transport(&self) -> &'static str {
        "no wire at all"
    }
}

fn failure(number: i32, kind: FailureKind, text: &str) -> Failure {
    Failure { kind, number: Some(number), text: text.into(), obstacle: None }
}

/// The tags of a batch, in order.
pub fn tags(sql: &str) -> Vec<String> {
    sql.split("/* dbtop:").skip(1).filter_map(|s| s.split(" */").next()).map(str::to_owned).collect()
}

/// A set of a script with its declared columns.
pub fn set(script: &str, rows: Vec<Vec<Cell>>) -> ResultSet {
    let tag = format!("dbtop_{script}");
    let names = std::iter::once(tag).chain(columns(script).iter().map(|(n, _)| (*n).to_owned())).collect();
    let rows = rows.into_iter().map(|r| std::iter::once(Cell::Int(1)).chain(r).collect()).collect();
    ResultSet { columns: names, rows, complete: true }
}

fn row(script: &str, cells: &[(&'static str, Cell)]) -> Vec<Cell> {
    for (name, _) in cells {
        assert!(columns(script).iter().any(|(n, _)| n == name), "{script} has no {name}");
    }
    let value = |name: &str| cells.iter().find(|(n, _)| *n == name).map(|(_, c)| c.clone());
    columns(script).iter().map(|(n, _)| value(n).unwrap_or_default()).collect()
}

/// A row in which every column has a value that a decoder believes.
pub fn plausible(script: &str) -> Vec<Cell> {
    let value = |(name, kind): &(&str, Kind)| match (*name, kind) {
        ("blocked_requests" | "statement_start_offset", _) => Cell::Int(0),
        ("transaction_isolation_level", _) => Cell::Int(2),
        ("blocking_session_id", _) => Cell::Int(88),
        ("database_id", _) => Cell::Int(5),
        ("last_run_date", _) => Cell::Int(20_231_114),
        ("last_run_time", _) => Cell::Int(93_005),
        ("record_ticks", _) => Cell::Int(1_000),
        ("ms_ticks", _) => Cell::Int(31_000),
        ("record", _) => {
            Cell::Text("<ProcessUtilization>12</ProcessUtilization><SystemIdle>80</SystemIdle>".to_owned())
        }
        ("product_major_version", _) => Cell::Text("15".to_owned()),
        ("product_version", _) => Cell::Text("15.0.4430.1".to_owned()),
        ("host_platform", _) => Cell::Text("Linux".to_owned()),
        ("target_data", _) => Cell::Text("<File name=\"deadlocks_0_1.xel\"/>".to_owned()),
        ("counter_name", _) => Cell::Text("Batch Requests/sec".to_owned()),
        ("instance_name", _) => Cell::Text(String::new()),
        ("program_name", _) => {
            Cell::Text("SQLAgent - TSQL JobStep (Job 0xFF19966F868B11D0B42D00C04FC964FF : Step 2)".to_owned())
        }
        ("sql_handle" | "most_recent_sql_handle", _) => Cell::Bytes(vec![2; 20]),
        ("statement_end_offset", _) => Cell::Int(-1),
        ("sessions_seen" | "requests_seen", _) => Cell::Int(60),
        (_, Kind::Int) => Cell::Int(57),
        (_, Kind::Bit) => Cell::Bool(true),
        (_, Kind::Float) => Cell::Float(42.5),
        (_, Kind::Text) => Cell::Text(format!("some {name}")),
        (_, Kind::Bytes) => Cell::Bytes(vec![0, 0, 0, 0, 0, 0, 0, 7]),
        (_, Kind::Local) => Cell::Local(NOW + 3_600_000 - 60_000),
        (_, Kind::Instant) => Cell::Instant { utc_ms: NOW, offset_min: 60 },
    };
    columns(script).iter().map(value).collect()
}
