//! What became of the Query Stores of an instance between two polls: for the time line. `tracker` calls it.

use crate::model::{
    base::figure,
    poll::{
        counts::Ran,
        query_store::{QueryStoreTable, StoreRow, StoredQuery},
    },
    timeline::event::{Change, Subject},
};
use std::sync::Arc;

/// Stores that are in another state, with the reason why one does not record.
pub fn states(before: &QueryStoreTable, now: &QueryStoreTable) -> Vec<Change> {
    let told = |store: &StoreRow| -> Option<Arc<str>> {
        let state = store.state()?.words();
        Some(store.why_words().map_or_else(|| state.into(), |why| format!("{state} ({why})").into()))
    };
    let change = |store: &StoreRow| {
        let old = before.store(store.database_id)?;
        let (before, after) = (told(old)?, told(store)?);
        let name = store.database.clone()?;
        (before != after).then(|| Change::named(Subject::QueryStore, name, Some(before), Some(after)))
    };
    now.stores.iter().filter_map(change).collect()
}

/// Queries that are slower than the day before since an interval closed, and were not in the one before it.
pub fn regressions(before: &QueryStoreTable, now: &QueryStoreTable) -> Vec<Change> {
    let is_new = |query: &&StoredQuery| {
        let [old, new] = [before, now].map(|table| table.store(query.database_id)?.interval_id);
        let was_slow =
            || before.of(query.database_id).any(|old| old.query_id == query.query_id && old.is_regressed());
        query.is_regressed() && old.is_some() && old != new && !was_slow()
    };
    now.queries.iter().filter(is_new).map(slower).collect()
}

fn slower(query: &StoredQuery) -> Change {
    let name = query.module.clone().unwrap_or_else(|| {
        let database = query.database.as_deref().unwrap_or("?");
        format!("query {} of {database}", query.query_id).into()
    });
    let told = |ms: Option<f64>| -> Option<Arc<str>> {
        let mut text = String::new();
        figure::push_mean(&mut text, ms?);
        Some(text.into())
    };
    Change::named(Subject::Regression, name, told(query.before.avg_ms()), told(query.avg_ms()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::query_store::Stretch;

    fn table(interval: i64, state: i64, ms: i64) -> QueryStoreTable {
        let stretch = |ms: i64| Stretch { runs: Some(100), cpu_us: Some(0), elapsed_us: Some(100_000 * ms) };
        let query = |query_id, module: Option<&str>| StoredQuery {
            database_id: 5,
            database: Some("orders".into()),
            query_id,
            now: stretch(ms),
            before: stretch(4),
            module: module.map(Into::into),
            ..StoredQuery::default()
        };
        let store = StoreRow {
            database_id: 5,
            database: Some("orders".into()),
            state: Some(state),
            readonly_reason: Some(65_536),
            interval_id: Some(interval),
            ..StoreRow::default()
        };
        QueryStoreTable {
            stores: vec![store],
            queries: vec![query(7, Some("dbo.usp_GetPage")), query(9, None)],
            ..QueryStoreTable::default()
        }
    }

    fn words(changes: Vec<Change>) -> Vec<String> {
        changes.into_iter().map(|change| change.to_string()).collect()
    }

    #[test]
    fn a_query_that_became_slower_is_told_once() {
        let slower = [
            "dbo.usp_GetPage became slower, 4.0 ms → 84 ms",
            "query 9 of orders became slower, 4.0 ms → 84 ms",
        ];
        assert_eq!(words(regressions(&table(70, 2, 4), &table(71, 2, 84))), slower);
        assert_eq!(words(regressions(&table(71, 2, 84), &table(72, 2, 84))), [""; 0], "it still is");
        assert_eq!(
            words(regressions(&table(71, 2, 4), &table(71, 2, 84))),
            [""; 0],
            "no interval has closed"
        );
        assert_eq!(
            words(regressions(&QueryStoreTable::default(), &table(71, 2, 84))),
            [""; 0],
            "nobody knows since when"
        );
        assert_eq!(words(regressions(&table(72, 2, 84), &table(73, 2, 4))), [""; 0]);
    }

    #[test]
    fn a_store_that_ends_to_record_says_why() {
        let full = "Query Store of orders read-write → read-only (it reached its size cap)";
        assert_eq!(words(states(&table(70, 2, 4), &table(70, 1, 4))), [full]);
        assert_eq!(words(states(&table(70, 1, 4), &table(71, 1, 4))), [""; 0]);
    }
}
