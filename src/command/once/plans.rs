//! `once plans`: asks the servers for the plans of the queries that take most CPU, or for a plan of a Query Store by its number, and
//! tells what was found in them, a row a finding.
//! The questions go over the connections that those of the screen go over; a plan is never part of a poll.

use super::rows::{Column, Scoped, grid_with_holes, names_with_holes, of_instance};
use crate::{
    app::demand,
    cli::{StoredPlan, What},
    collect::Command,
    command::output::{Cell, Grid},
    model::{
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        poll::{
            counts::Measure,
            databases::DatabaseRow,
            demand::Demand,
            queries::{QueryRow, QueryTable},
            statement::Statement,
        },
    },
    plan::{
        self, Plan,
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

/// An answer: the plans, or why there are none.
type Answer = Result<Vec<ShownPlan>, String>;

/// The answers by instance and question.
pub type Answers = HashMap<(InstanceId, Demand), Answer>;

/// A question, and what is known of the query without its answer.
#[derive(Clone, Copy)]
struct Question<'a> {
    demand: Demand,
    query: Option<&'a QueryRow>,
    share_pct: Option<f64>,
    database: Option<&'a str>,
}

/// The questions to an instance, or why there is none: about the queries of the plan cache that take most CPU, or about the plan of a
/// Query Store that was named.
fn questions<'a>(
    i: &'a InstanceSnapshot,
    stored: Option<&'a StoredPlan>,
) -> Vec<(&'a str, Result<Question<'a>, String>)> {
    let Some(stored) = stored else {
        return of_instance(i, &i.facts.queries, |table| asked(table).collect());
    };
    of_instance(i, &i.facts.databases, |rows| vec![in_database(rows, stored)])
        .into_iter()
        .map(|(name, found)| (name, found.and_then(std::convert::identity)))
        .collect()
}

/// About those that took CPU, the most first.
fn asked(table: &QueryTable) -> impl Iterator<Item = Question<'_>> {
    let spent = table.queries.iter().filter(|query| query.cpu_us.is_some_and(|us| us > 0)).take(QUERIES);
    spent.map(|query| Question {
        demand: Demand::Plans { query_hash: query.hash },
        query: Some(query),
        share_pct: table.share_pct(query, Measure::Cpu),
        database: query.database.as_deref(),
    })
}

/// About a plan of the Query Store of a database.
fn in_database<'a>(rows: &'a [DatabaseRow], stored: &StoredPlan) -> Result<Question<'a>, String> {
    let is_it = |row: &&DatabaseRow| {
        row.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&stored.database))
    };
    let found = rows.iter().find(is_it);
    let row = found
        .ok_or_else(|| format!("no database {} is there, or the login may not see it", stored.database))?;
    Ok(Question {
        demand: Demand::StoredPlan { database_id: row.id, plan_id: stored.plan_id },
        query: None,
        share_pct: None,
        database: row.name.as_deref(),
    })
}

/// Asks for the plans of the queries that take most CPU, or for the one that was named.
pub async fn ask(commands: Sender<Command>, scope: Scoped<'_>, stored: Option<&StoredPlan>) -> Answers {
    let of_one = |i: &&InstanceSnapshot| {
        let asked = questions(i, stored).into_iter().filter_map(|(_, question)| question.ok());
        asked.map(|question| (i.id().clone(), question.demand)).collect::<Vec<_>>()
    };
    let questions: Vec<(InstanceId, Demand)> = scope.iter().flat_map(of_one).collect();
    let (ask, requests) = mpsc::channel(demand::REQUESTS);
    let (tell, mut told) = mpsc::channel(ANSWERS);
    let lane = tokio::spawn(demand::carry_out(requests, commands, tell));
    let sent = async {
        for (ticket, (instance, demand)) in (0_u64..).zip(&questions) {
            let (instance, demand) = (instance.clone(), *demand);
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
    of: Question<'a>,
    plan: &'a ShownPlan,
    found: Option<Finding>,
}

/// The rows: the queries with most CPU first, the heaviest finding first.
pub fn grid<'a>(scope: Scoped<'a>, answers: &'a Answers, stored: Option<&'a StoredPlan>) -> Grid {
    let rows = scope.iter().flat_map(|i| {
        let each = questions(i, stored).into_iter().flat_map(|(name, question)| {
            let rows = match question {
                Err(why) => vec![Err(why)],
                Ok(question) => told(question, answers.get(&(i.id().clone(), question.demand))),
            };
            rows.into_iter().map(move |row| (name, row))
        });
        each.collect::<Vec<_>>()
    });
    grid_with_holes(&columns(), rows)
}

/// What an answer says.
fn told<'a>(of: Question<'a>, answer: Option<&'a Answer>) -> Vec<Result<Row<'a>, String>> {
    let problem = |why: &str| match of.query {
        Some(query) => Err(format!("the plan of query 0x{:016X}: {why}", query.hash)),
        None => Err(why.to_owned()),
    };
    match answer {
        None => vec![problem("no answer in time")],
        Some(Err(why)) => vec![problem(why)],
        Some(Ok(plans)) if plans.is_empty() => vec![problem("it left the plan cache")],
        Some(Ok(plans)) => {
            let of_plan = |plan: &'a ShownPlan| match &plan.plan {
                Err(why) => vec![problem(why)],
                Ok(read) => {
                    let Some(mut all) = found(read, plan.found.query_hash) else {
                        return vec![problem("no statement in it has this hash")];
                    };
                    all.truncate(FINDINGS);
                    let rows: Vec<_> =
                        all.into_iter().map(|found| Ok(Row { of, plan, found: Some(found) })).collect();
                    if rows.is_empty() { vec![Ok(Row { of, plan, found: None })] } else { rows }
                }
            };
            plans.iter().flat_map(of_plan).collect()
        }
    }
}

/// All that was found in a plan, the heaviest first: in the statements with this hash, for the last actual plan of a query is that of its
/// whole batch. None: there is no such statement.
fn found(plan: &Plan, query_hash: Option<u64>) -> Option<Vec<Finding>> {
    let is_asked = |statement: &&plan::Statement| query_hash.is_none_or(|hash| statement.is_of(hash));
    let asked: Vec<&plan::Statement> = plan.statements.iter().filter(is_asked).collect();
    let each = asked.iter().flat_map(|statement| {
        statement.queries.iter().flat_map(move |query| findings(statement, query, &own(query)))
    });
    let mut all: Vec<Finding> = each.collect();
    all.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    (!asked.is_empty()).then_some(all)
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

fn columns<'a>() -> [Column<Row<'a>>; 17] {
    [
        ("query_hash", |r| {
            let own =
                r.plan.plan.as_ref().ok().and_then(|plan| plan.statements.first()?.query_hash.as_deref());
            r.of.query.map_or_else(|| Cell::text(own), |query| hash(Some(query.hash)))
        }),
        ("plan_hash", |r| hash(r.plan.found.plan_hash)),
        ("plan", |r| Cell::text(Some(r.plan.found.source.words()))),
        ("plan_id", |r| Cell::int(r.plan.found.stored.as_ref().map(|stored| stored.plan_id))),
        ("forced", |r| {
            let stored = r.plan.found.stored.as_ref();
            Cell::text(
                stored.map(|stored| stored.forced_words().unwrap_or_else(|| "no".to_owned())).as_deref(),
            )
        }),
        ("cpu_share_pct", |r| Cell::real(r.of.share_pct)),
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
        ("database", |r| Cell::text(r.of.database)),
        ("module", |r| {
            let own = r.plan.plan.as_ref().ok().and_then(|plan| plan.statements.first()?.module.as_deref());
            Cell::text(r.of.query.map_or(own, |query| query.module.as_deref()))
        }),
        ("statement", |r| {
            let own = r.plan.plan.as_ref().ok().and_then(|plan| Some(plan.statements.first()?.text.as_str()));
            let text = match r.of.query {
                Some(query) => query.statement.as_ref().map(Statement::as_str),
                None => own,
            };
            Cell::text(text.map(super::rows::squeeze).as_deref())
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_other_statements_of_a_batch_are_not_those_of_the_query() {
        let read = Plan::read(include_bytes!("../../../tests/fixture/plan/orders.sqlplan")).unwrap();
        let codes =
            |hash| found(&read, hash).map(|all| all.iter().map(|found| found.code).collect::<Vec<_>>());
        let all = codes(None).unwrap();
        assert!(all.contains(&"P02") && all.contains(&"P09"), "{all:?}");
        assert_eq!(codes(Some(0x61C0_FFEE_0000_0001)), Some(all), "they are all of the second statement");
        assert_eq!(codes(Some(0x61C0_FFEE_0000_0002)), Some(Vec::new()), "the third one has none");
        assert_eq!(codes(Some(7)), None, "that is no statement without findings");
    }
}
