//! The databases of cached plans: asked once per plan, a few questions per poll, since each is a look-up in the plan cache. No counter of
//! a query tells them. `run` fetches, the decoder of queries looks up.

use super::{
    batch::{self, Sets},
    query,
    script::{Script, script},
};
use crate::{
    model::base::failure::Failure,
    tds::{Ask, Param, Question, ResultSet, Row},
};
use std::{collections::HashMap, time::Duration};

/// The databases of as many plans as the script has parameters.
pub(super) const PLAN_DATABASES: Script = script!("plan_databases", Performance, by "plan_handle");

/// Handles per question: all of an instance in the fleet, which has 30 rows.
const HANDLES: usize = 32;
/// Questions per poll for an instance on the screen, and for one in the fleet.
const FOCUSED_QUESTIONS: usize = 4;
const FLEET_QUESTIONS: usize = 1;
/// A name is not worth more than this.
const WITHIN: Duration = Duration::from_secs(3);
/// So many polls nothing is asked after a question that failed.
const PAUSE: u32 = 20;
/// Plans that are remembered, those of the last poll aside.
const MOST: usize = 64;

/// The database of each plan that was asked for. None: it has left the cache.
#[derive(Debug, Default)]
pub struct PlanDatabases {
    known: HashMap<u64, Option<i32>>,
    pause: u32,
}

impl PlanDatabases {
    /// The database of the plan of a row, as far as it was asked for.
    pub(super) fn of(&self, row: Row<'_>) -> Option<i32> {
        self.known.get(&query::fingerprint(handle(row)?)).copied().flatten()
    }

    /// The handles that were not asked for yet, each once, in order.
    fn unknown<'a>(&self, handles: &[&'a [u8]]) -> Vec<&'a [u8]> {
        let mut unknown: Vec<&[u8]> = Vec::new();
        for handle in handles {
            if !self.known.contains_key(&query::fingerprint(handle)) && !unknown.contains(handle) {
                unknown.push(handle);
            }
        }
        unknown
    }

    /// Takes an answer. A plan that has no row in it has left the cache.
    fn take(&mut self, asked: &[&[u8]], sets: &Sets) {
        self.known.extend(asked.iter().map(|handle| (query::fingerprint(handle), None)));
        for row in sets.get(PLAN_DATABASES.name).into_iter().flat_map(ResultSet::rows) {
            if let Some(handle) = handle(row).filter(|handle| asked.contains(handle)) {
                self.known.insert(query::fingerprint(handle), row.i32("database_id"));
            }
        }
    }

    /// Forgets plans that the last poll did not tell, where there are many.
    fn trim(&mut self, handles: &[&[u8]]) {
        if self.known.len() > MOST + handles.len() {
            let here: Vec<u64> = handles.iter().map(|handle| query::fingerprint(handle)).collect();
            self.known.retain(|plan, _| here.contains(plan));
        }
    }
}

fn handle(row: Row<'_>) -> Option<&[u8]> {
    row.bytes("plan_handle").filter(|handle| !handle.is_empty())
}

/// Asks for the databases of plans that are new. Returns the failure that broke the connection, if one did.
pub(super) async fn fetch<C: Ask>(
    conn: &mut C,
    sets: &Sets,
    databases: &mut PlanDatabases,
    focused: bool,
) -> Option<Failure> {
    let handles: Vec<&[u8]> = query::rows(sets).filter_map(handle).collect();
    if handles.is_empty() {
        return None;
    }
    databases.trim(&handles);
    if databases.pause > 0 {
        databases.pause -= 1;
        return None;
    }
    let questions = if focused { FOCUSED_QUESTIONS } else { FLEET_QUESTIONS };
    for chunk in databases.unknown(&handles).chunks(HANDLES).take(questions) {
        let mut params = [Param::Null; HANDLES];
        for (param, handle) in params.iter_mut().zip(chunk) {
            *param = Param::Bytes(handle);
        }
        let sql = batch::statement(PLAN_DATABASES.text);
        let question = Question { what: "the databases of plans", sql, params: &params, within: WITHIN };
        let answer = conn.ask(question).await;
        if answer.error.is_some() {
            databases.pause = PAUSE;
            return answer.error.filter(|_| !conn.is_open());
        }
        databases.take(chunk, &Sets::of(answer.sets, &[PLAN_DATABASES]));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets},
        tds::Cell,
    };

    fn told(handles: &[u8]) -> Sets {
        let row = |(hash, n): (u8, &u8)| vec![Cell::Bytes(vec![hash; 8]), Cell::Bytes(vec![*n; 20])];
        let rows = (1..).zip(handles).map(row).collect();
        sets(vec![set("queries", &["query_hash", "plan_handle"], rows)])
    }

    fn of(sets: &Sets) -> Vec<&[u8]> {
        query::rows(sets).filter_map(handle).collect()
    }

    #[test]
    fn a_plan_is_asked_for_once_and_one_that_has_left_the_cache_has_no_database() {
        let rows = told(&[1, 2, 1, 3]);
        let mut databases = PlanDatabases::default();
        let unknown = databases.unknown(&of(&rows));
        assert_eq!(unknown, [&[1_u8; 20][..], &[2; 20], &[3; 20]]);
        let row = |n: u8, id: Cell| vec![Cell::Bytes(vec![n; 20]), id];
        let answer = sets(vec![set(
            "plan_databases",
            &["plan_handle", "database_id"],
            vec![row(1, Cell::Int(5)), row(2, Cell::Null), row(9, Cell::Int(6))],
        )]);
        databases.take(&unknown, &answer);
        let found: Vec<_> = query::rows(&rows).map(|row| databases.of(row)).collect();
        assert_eq!(found, [Some(5), None, Some(5), None]);
        assert!(databases.unknown(&of(&rows)).is_empty(), "none is asked for again");
        let other = told(&[9]);
        assert_eq!(databases.unknown(&of(&other)).len(), 1, "nobody asked for it");
    }

    #[test]
    fn plans_that_are_gone_are_forgotten() {
        let (many, few): (Vec<u8>, Vec<u8>) = ((0..90).collect(), (0..10).collect());
        let mut databases = PlanDatabases::default();
        let rows = told(&many);
        databases.take(&of(&rows), &sets(Vec::new()));
        databases.trim(&of(&rows));
        assert_eq!(databases.known.len(), 90);
        databases.trim(&of(&told(&few)));
        assert_eq!(databases.known.len(), 10);
    }
}
