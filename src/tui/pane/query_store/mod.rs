//! Query Store: the queries that took most over the newest closed hour of each database, and what was missed before it. `b` shows those
//! that became slower than the day before, those whose runs differ, those with a forced plan, and then the stores themselves: how full,
//! and why not recording.

use super::{
    parts::{Choice, PartsPane},
    sights::{Sight, SightsPane},
};
use crate::{model::poll::query_store::StoredQuery, tui::id::RowKey};

mod queries;
mod stores;

/// The pane.
pub fn pane() -> SightsPane {
    let queries = |word, choice: Choice<queries::Queries>| {
        Sight::new(word, PartsPane::of(choice), |key| matches!(key, RowKey::Stored(..)))
    };
    SightsPane::new(vec![
        queries(
            "",
            Choice {
                keeps: |query| query.now.runs.is_some(),
                rank: |_, query| query.cpu_ms_per_s(),
                order: "most CPU first",
                nothing: "No query ran in the newest closed interval",
            },
        ),
        queries(
            "regressed",
            Choice {
                keeps: StoredQuery::is_regressed,
                rank: |_, query| query.lost_ms(),
                order: "most time lost first",
                nothing: "No query became slower than the day before",
            },
        ),
        queries(
            "varying",
            Choice {
                keeps: StoredQuery::is_varying,
                rank: |_, query| query.stdev_us.map(|us| us as f64),
                order: "greatest deviation first",
                nothing: "No query varies much",
            },
        ),
        queries(
            "forced plans",
            Choice {
                keeps: |query| query.forced.is_some(),
                rank: |_, query| query.forced.as_ref()?.failures.map(|n| n as f64),
                order: "most failures first",
                nothing: "No plan is forced",
            },
        ),
        Sight::new("stores", PartsPane::<stores::Stores>::default(), |key| {
            matches!(key, RowKey::Database(..))
        }),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{
            query_store::{ForcedPlan, QueryStoreTable, StoreRow, Stretch},
            reading::Reading,
        },
        tui::{
            action::Action,
            fixture,
            pane::{Pane, stage::Stage},
        },
    };
    use std::sync::Arc;

    fn query(query_id: i64, runs: i64, elapsed_us: i64) -> StoredQuery {
        StoredQuery {
            database_id: 5,
            database: Some("orders".into()),
            query_id,
            module: Some(format!("dbo.usp_{query_id}").into()),
            now: Stretch { runs: Some(runs), cpu_us: Some(elapsed_us), elapsed_us: Some(elapsed_us) },
            over_ms: 3_600_000,
            ..StoredQuery::default()
        }
    }

    /// One instance: a top query, a slower one, a varying one, one with a failing forced plan; a full store, and one that cannot be read.
    fn stage() -> Stage {
        let slower = StoredQuery {
            before: Stretch { runs: Some(2_400), cpu_us: Some(1), elapsed_us: Some(24_000_000) },
            ..query(2, 100, 4_000_000)
        };
        let varying =
            StoredQuery { max_us: Some(90_000_000), stdev_us: Some(2_000_000), ..query(3, 4, 2_000_000) };
        let plan = ForcedPlan {
            plan_id: 77,
            failures: Some(12),
            new_failures: Some(4),
            reason: Some(8_712),
            ..ForcedPlan::default()
        };
        let forced = StoredQuery { forced: Some(plan), now: Stretch::default(), ..query(4, 0, 0) };
        let store = |id, name: &str| StoreRow {
            database_id: id,
            database: Some(name.into()),
            state: Some(2),
            desired_state: Some(2),
            size_mb: Some(250),
            cap_mb: Some(1_000),
            ..StoreRow::default()
        };
        let full = StoreRow {
            state: Some(1),
            readonly_reason: Some(65_536),
            size_mb: Some(1_000),
            ..store(5, "orders")
        };
        let closed = StoreRow {
            state: None,
            size_mb: None,
            problem: Some("n/a (CONNECT ANY DATABASE)".into()),
            ..store(6, "hr")
        };
        let later = StoreRow {
            problem: Some("off (its turn comes with the next poll)".into()),
            is_later: true,
            ..store(8, "web")
        };
        let table = QueryStoreTable {
            stores: vec![full, closed, store(7, "crm"), later],
            queries: vec![query(1, 50, 9_000_000), slower, varying, forced],
            ..QueryStoreTable::default()
        };
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.query_store = Reading::good(Arc::new(table.clone()), fixture::NOW, 900_000);
        }
        Stage::one(fleet, "sqlprd-001")
    }

    fn has(lines: &[String], words: &str) -> bool {
        lines.iter().any(|line| line.contains(words))
    }

    #[test]
    fn b_goes_from_the_top_to_the_regressed_the_varying_the_forced_and_the_stores_and_esc_back() {
        let stage = stage();
        let mut pane = pane();
        let mut wishes = Vec::new();
        let mut next = |pane: &mut SightsPane| {
            pane.act(Action::GroupBy, &stage.view(), &mut wishes);
            stage.draw(pane, 200, 30)
        };
        let top = stage.draw(&mut pane, 200, 30);
        assert!(has(&top, "usp_1") && has(&top, "usp_2") && !has(&top, "usp_4"), "{top:#?}");
        assert!(has(&top, "orders: read-only") && has(&top, "1 database cannot be read"), "{top:#?}");
        assert!(has(&top, "1 database in the next poll"), "{top:#?}");
        let regressed = next(&mut pane);
        assert!(
            has(&regressed, "usp_2") && has(&regressed, "4.0x") && !has(&regressed, "usp_1"),
            "{regressed:#?}"
        );
        let varying = next(&mut pane);
        assert!(has(&varying, "usp_3") && !has(&varying, "usp_2"), "{varying:#?}");
        let forced = next(&mut pane);
        assert!(has(&forced, "usp_4") && has(&forced, "12 failed"), "{forced:#?}");
        let stores = next(&mut pane);
        assert!(
            has(&stores, "it reached its size cap") && has(&stores, "CONNECT ANY DATABASE"),
            "{stores:#?}"
        );
        assert!(matches!(pane.selected(), Some(RowKey::Database(..))));
        assert!(pane.act(Action::Out, &stage.view(), &mut Vec::new()));
        assert!(has(&stage.draw(&mut pane, 200, 30), "usp_1"));
        assert!(!pane.act(Action::Out, &stage.view(), &mut Vec::new()), "the next one widens the scope");
    }

    #[test]
    fn details_say_why_a_plan_cannot_be_forced_and_a_store_does_not_record() {
        let stage = stage();
        let mut pane = pane();
        pane.rebuild(&stage.view());
        let id = stage.view().single().unwrap().id().clone();
        let text = |key| pane.details(&key, &stage.view()).unwrap().to_copy();
        let forced = text(RowKey::Stored(id.clone(), 5, 4, None));
        for words in ["4 times since the poll before", "an index of it is not there", "plan 77"] {
            assert!(forced.contains(words), "{words} in {forced}");
        }
        let full = text(RowKey::Database(id, 5));
        assert!(full.contains("it reached its size cap") && full.contains("MAX_STORAGE_SIZE_MB"), "{full}");
    }

    #[test]
    fn an_empty_sight_says_what_that_means() {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let table = QueryStoreTable { queries: vec![query(1, 5, 5)], ..QueryStoreTable::default() };
            Arc::make_mut(i).facts.query_store = Reading::good(Arc::new(table), fixture::NOW, 900_000);
        }
        let stage = Stage::one(fleet, "sqlprd-001");
        let mut pane = pane();
        pane.act(Action::GroupBy, &stage.view(), &mut Vec::new());
        let lines = stage.draw(&mut pane, 120, 30);
        assert!(has(&lines, "No query became slower"), "{lines:#?}");
    }
}
