//! `once plans`: asks the servers for the plans of the queries that take most CPU and tells what was found in them, a row a finding.
//! The questions go over the connections that those of the screen go over; a plan is never part of a poll.

use super::rows::{Column, Scoped, grid_with_holes, names_with_holes, of_instance};
use crate::{
    app::demand,
    cli::What,
    collect::Command,
    command::output::{Cell, Grid},
    model::{
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        poll::{
            demand::Demand,
            queries::{QueryRow, QueryTable},
            statement::Statement,
        },
    },
    plan::{
        Plan,
        find::{Finding, Weight, findings},
        time::own,
    },
    protocol::{DemandRequest, DemandWord, Reply, Shown, ShownPlan},
};
use std::{collections::HashMap, time::Duration};
use tokio::sync::mpsc::{self, Sender};

/// So many queries of an instance are asked for.
const QUERIES: usize = 3;
/// So many findings of a plan are told, the heaviest.
const FINDINGS: usize = 8;
/// Answers that may wait to be taken.
const ANSWERS: usize = 64;
/// All are asked within so long; what has not answered then says so.
const WITHIN: Duration = Duration::from_secs(30);

/// What was asked, and its answer.
type Answer = Result<Vec<ShownPlan>, String>;

/// The answers by instance and query hash.
pub type Answers = HashMap<(InstanceId, u64), Answer>;

/// The queries of a table that are asked for: those that took CPU, the most first.
fn asked(table: &QueryTable) -> impl Iterator<Item = &QueryRow> {
    table.queries.iter().filter(|query| query.cpu_us.is_some_and(|us| us > 0)).take(QUERIES)
}

/// Asks for the plans of the queries that take most CPU.
pub async fn ask(commands: Sender<Command>, scope: Scoped<'_>) -> Answers {
    let of_one = |i: &&InstanceSnapshot| {
        let queries = i.facts.queries.get().into_iter().flat_map(|table| asked(table));
        queries.map(|query| (i.id().clone(), query.hash)).collect::<Vec<_>>()
    };
    let questions: Vec<(InstanceId, u64)> = scope.iter().flat_map(of_one).collect();
    let (ask, requests) = mpsc::channel(demand::REQUESTS);
    let (tell, mut told) = mpsc::channel(ANSWERS);
    let lane = tokio::spawn(demand::carry_out(requests, commands, tell));
    let sent = async {
        for (ticket, (instance, query_hash)) in (0_u64..).zip(&questions) {
            let (instance, demand) = (instance.clone(), Demand::Plans { query_hash: *query_hash });
            if ask.send(DemandRequest::Ask { ticket, instance, demand }).await.is_err() {
                return;
            }
        }
    };
    let mut answers = Answers::new();
    let heard = async {
        while answers.len() < questions.len() {
            let Some(reply) = told.recv().await else { return };
            if let Reply::Demanded { ticket, word: DemandWord::Done { found, .. } } = reply
                && let Some(question) = questions.get(ticket as usize)
            {
                let answer = match found {
                    Ok(Shown::Plans(plans)) => Ok(plans),
                    Ok(_) => Err("another answer came".to_owned()),
                    Err(failure) => Err(failure.to_string()),
                };
                answers.insert(question.clone(), answer);
            }
        }
    };
    // What is missing then is told as such.
    let _ = tokio::time::timeout(WITHIN, async { tokio::join!(sent, heard) }).await;
    drop(ask);
    // It ends with the last sender, and cancels what is open.
    let _ = lane.await;
    answers
}

/// A finding of a plan of a query, or a plan in which nothing was found.
pub struct Row<'a> {
    query: &'a QueryRow,
    share_pct: Option<f64>,
    plan: &'a ShownPlan,
    found: Option<Finding>,
}

/// The rows: the queries with most CPU first, the heaviest finding first.
pub fn grid<'a>(scope: Scoped<'a>, answers: &'a Answers) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        let of_query = |(table, query): (&'a QueryTable, &'a QueryRow)| {
            told(query, table.share_pct(query), answers.get(&(i.id().clone(), query.hash)))
        };
        let queries = of_instance(i, &i.facts.queries, |table| asked(table).map(|q| (&**table, q)).collect());
        let each = queries.into_iter().flat_map(|(name, found)| {
            let rows = found.map_or_else(|why| vec![Err(why)], of_query);
            rows.into_iter().map(move |row| (name, row))
        });
        each.collect::<Vec<_>>()
    });
    grid_with_holes(&columns(), rows)
}

/// What an answer says of a query.
fn told<'a>(
    query: &'a QueryRow,
    share_pct: Option<f64>,
    answer: Option<&'a Answer>,
) -> Vec<Result<Row<'a>, String>> {
    let problem = |why: &str| Err(format!("the plan of query 0x{:016X}: {why}", query.hash));
    match answer {
        None => vec![problem("no answer in time")],
        Some(Err(why)) => vec![problem(why)],
        Some(Ok(plans)) if plans.is_empty() => vec![problem("it left the plan cache")],
        Some(Ok(plans)) => {
            let of_plan = |plan: &'a ShownPlan| match &plan.plan {
                Err(why) => vec![problem(why)],
                Ok(read) => {
                    let mut all = found(read);
                    all.truncate(FINDINGS);
                    let rows = all.into_iter().map(Some);
                    let rows: Vec<_> = rows.map(|found| Ok(Row { query, share_pct, plan, found })).collect();
                    if rows.is_empty() { vec![Ok(Row { query, share_pct, plan, found: None })] } else { rows }
                }
            };
            plans.iter().flat_map(of_plan).collect()
        }
    }
}

/// All that was found in a plan, the heaviest first.
fn found(plan: &Plan) -> Vec<Finding> {
    let each = plan.statements.iter().flat_map(|statement| {
        statement.queries.iter().flat_map(move |query| findings(statement, query, &own(query)))
    });
    let mut all: Vec<Finding> = each.collect();
    all.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    all
}

const fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
        Weight::Grave => "grave",
    }
}

fn hash(hash: Option<u64>) -> Cell {
    Cell::text(hash.map(|hash| format!("0x{hash:016X}")).as_deref())
}

/// The names of the columns, if it is this subject.
pub fn names(what: What) -> Option<Vec<&'static str>> {
    (what == What::Plans).then(|| names_with_holes(&columns()))
}

fn columns<'a>() -> [Column<Row<'a>>; 15] {
    [
        ("query_hash", |r| hash(Some(r.query.hash))),
        ("plan_hash", |r| hash(r.plan.found.plan_hash)),
        ("plan", |r| Cell::text(Some(r.plan.found.source.words()))),
        ("cpu_share_pct", |r| Cell::real(r.share_pct)),
        ("runs", |r| Cell::int(r.plan.found.runs)),
        ("avg_ms", |r| {
            let runs = r.plan.found.runs.filter(|runs| *runs > 0);
            Cell::real(r.plan.found.elapsed_ms.zip(runs).map(|(ms, runs)| ms / runs as f64))
        }),
        ("finding", |r| Cell::text(r.found.as_ref().map(|found| found.code))),
        ("weight", |r| Cell::text(r.found.as_ref().map(|found| weight(found.weight)))),
        ("of_plan_pct", |r| {
            Cell::real(r.found.as_ref().and_then(|found| found.share).map(|share| share * 100.0))
        }),
        ("stake_ms", |r| Cell::real(r.found.as_ref().and_then(|found| found.stake_ms))),
        ("found", |r| Cell::text(r.found.as_ref().map(|found| found.text.as_str()))),
        ("advice", |r| Cell::text(r.found.as_ref().map(|found| found.advice.as_str()))),
        ("database", |r| Cell::text(r.query.database.as_deref())),
        ("module", |r| Cell::text(r.query.module.as_deref())),
        ("statement", |r| {
            let text = r.query.statement.as_ref().map(Statement::as_str);
            Cell::text(text.map(super::rows::squeeze).as_deref())
        }),
    ]
}
