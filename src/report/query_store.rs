//! What Query Store recorded around an incident: queries that became slower than the day before, those that took most CPU, forced plans
//! that fail, and stores that record nothing. `gather` hands over the readings, `page` asks for the section.
//!
//! A store tells of intervals that are closed. So the newest one that was read before the stretch counts, too, and one that was open at
//! its end is not told: each row says until when it is.

use super::{
    html::Html,
    parts::{Worst, more, name, none, one_line},
    spent::Spent,
    words::{count, pct, span, wait},
};
use crate::model::{
    base::{time::Timestamp, zone::Zone},
    inventory::instance::InstanceId,
    poll::{
        counts::Ran,
        query_store::{ForcedPlan, QueryStoreTable, StoreRow, StoredQuery},
        statement::Statement,
    },
};
use std::{cmp::Ordering, collections::HashMap, sync::Arc};

/// Rows of each table that are kept while the story is gathered.
const KEPT: usize = 60;
/// The most rows of a table.
const TOP: usize = 20;

/// A query of a store over all that was read of it.
#[derive(Debug, Clone, Default)]
struct Sum {
    database: Option<Arc<str>>,
    query_id: i64,
    module: Option<Arc<str>>,
    statement: Option<Statement>,
    spent: Spent,
    /// the end of the newest stretch that it ran in
    until: Option<Timestamp>,
    /// the stretch in which it lost most against the day before
    slower: Option<Slower>,
    forced: Option<ForcedPlan>,
}

/// It became slower.
#[derive(Debug, Clone, Copy)]
struct Slower {
    until: Option<Timestamp>,
    before_ms: f64,
    now_ms: f64,
    lost_ms: f64,
}

type Row = (InstanceId, Sum);

/// What was recorded.
#[derive(Debug, Default)]
pub(super) struct QueryStore {
    slower: Worst<Row>,
    costliest: Worst<Row>,
    failing: Worst<Row>,
    stores: Worst<(InstanceId, StoreRow)>,
    polls: u64,
    own: Own,
}

/// Of the instance that is read now.
#[derive(Debug, Default)]
struct Own {
    /// the interval of each database that was taken last: polls tell it until the next one is closed
    taken: HashMap<i32, (Option<i64>, Option<Timestamp>)>,
    queries: HashMap<(i32, i64), Sum>,
    last: Option<Arc<QueryStoreTable>>,
}

impl QueryStore {
    /// Takes a reading of the instance that is read now.
    pub fn take(&mut self, table: &Arc<QueryStoreTable>) {
        self.polls += 1;
        for store in &table.stores {
            let interval = (store.interval_id, store.to);
            let is_new = self.own.taken.insert(store.database_id, interval) != Some(interval);
            for query in table.of(store.database_id) {
                self.own
                    .queries
                    .entry((query.database_id, query.query_id))
                    .or_default()
                    .take(query, store, is_new);
            }
        }
        self.own.last = Some(Arc::clone(table));
    }

    /// The instance is read: of each kind the worst stay.
    pub fn end(&mut self, instance: &InstanceId) {
        let own = std::mem::take(&mut self.own);
        let (mut slower, mut costliest, mut failing) = (Vec::new(), Vec::new(), Vec::new());
        for sum in own.queries.into_values() {
            let fails = sum.forced.as_ref().is_some_and(|plan| plan.failures > Some(0));
            let kinds = [
                (&mut slower, sum.slower.is_some()),
                (&mut failing, fails),
                (&mut costliest, sum.spent.is_some()),
            ];
            for (rows, _) in kinds.into_iter().filter(|(_, is_one)| *is_one) {
                rows.push((instance.clone(), sum.clone()));
            }
        }
        let same =
            |a: &Row, b: &Row| (&a.0, &a.1.database, a.1.query_id).cmp(&(&b.0, &b.1.database, b.1.query_id));
        let by = |figure: fn(&Sum) -> f64| {
            move |a: &Row, b: &Row| -> Ordering {
                figure(&b.1).total_cmp(&figure(&a.1)).then_with(|| same(a, b))
            }
        };
        self.slower.take(slower, KEPT, by(|sum| sum.slower.map_or(0.0, |slower| slower.lost_ms)));
        self.costliest.take(costliest, KEPT, by(|sum| sum.spent.cpu_us as f64));
        let failures = |sum: &Sum| sum.forced.as_ref().and_then(|plan| plan.failures).unwrap_or(0) as f64;
        self.failing.take(failing, KEPT, by(failures));
        let stores = own.last.iter().flat_map(|table| &table.stores);
        let stores = stores.filter(|store| store.is_problem() || store.is_unread());
        self.stores.take(stores.map(|store| (instance.clone(), store.clone())), KEPT, |a, b| {
            (&a.0, a.1.database_id).cmp(&(&b.0, b.1.database_id))
        });
    }
}

impl Sum {
    fn take(&mut self, query: &StoredQuery, store: &StoreRow, is_new: bool) {
        self.query_id = query.query_id;
        for (to, from) in [(&mut self.database, &query.database), (&mut self.module, &query.module)] {
            if to.is_none() {
                to.clone_from(from);
            }
        }
        if self.statement.is_none() {
            self.statement.clone_from(&query.statement);
        }
        if query.forced.is_some() {
            self.forced.clone_from(&query.forced);
        }
        if !is_new || query.now.runs.is_none() {
            return;
        }
        self.spent.take(query, false);
        self.until = self.until.max(store.to);
        let figures = (query.before.avg_ms(), query.avg_ms(), query.lost_ms());
        if let (true, (Some(before_ms), Some(now_ms), Some(lost_ms))) = (query.is_regressed(), figures)
            && self.slower.is_none_or(|known| lost_ms > known.lost_ms)
        {
            self.slower = Some(Slower { until: store.to, before_ms, now_ms, lost_ms });
        }
    }

    /// The database, and the query by its number and module.
    fn cells(&self) -> [String; 3] {
        [name(&self.database), self.query_id.to_string(), name(&self.module)]
    }

    fn line(&self) -> String {
        self.statement.as_ref().map_or_else(|| "–".to_owned(), |statement| one_line(statement.as_str()))
    }
}

/// The section.
pub(super) fn section(html: &mut Html, stores: &QueryStore, zone: &Zone) {
    if stores.polls == 0 {
        return none(html, "No poll of Query Store is kept of that time.");
    }
    none(
        html,
        "What closed intervals tell that were read in that time, or last before it. An interval that was open at its end is not among them.",
    );
    slower(html, stores, zone);
    costliest(html, stores, zone);
    failing(html, stores);
    silent(html, stores);
}

fn until(at: Option<Timestamp>, zone: &Zone) -> String {
    at.map_or_else(|| "–".to_owned(), |at| zone.instant(at))
}

fn slower(html: &mut Html, stores: &QueryStore, zone: &Zone) {
    html.leaf("h3", &[], "Slower than the day before");
    if stores.slower.rows.is_empty() {
        return none(html, "No query that ran often enough became slower.");
    }
    let row = |(instance, sum): &Row| {
        let own = sum.slower.map_or_else(Vec::new, |slower| {
            let times = format!("{:.1}×", slower.now_ms / slower.before_ms);
            let [before, now] = [slower.before_ms, slower.now_ms].map(wait);
            vec![until(slower.until, zone), before, now, times, span(slower.lost_ms as i64)]
        });
        [instance.to_string()].into_iter().chain(sum.cells()).chain(own).chain([sum.line()]).collect()
    };
    let columns = [
        "instance",
        "database",
        "#query",
        "module",
        "until",
        "#average before",
        "#average",
        "#slower",
        "#time lost",
        "statement",
    ];
    html.table(&columns, stores.slower.rows.iter().take(TOP).map(row));
    more(html, stores.slower.all, TOP, "row");
}

fn costliest(html: &mut Html, stores: &QueryStore, zone: &Zone) {
    html.leaf("h3", &[], "Most CPU");
    if stores.costliest.rows.is_empty() {
        return none(html, "No query ran.");
    }
    let row = |(instance, sum): &Row| {
        let (own, end) = (sum.spent.cells(), [until(sum.until, zone), sum.line()]);
        [instance.to_string()].into_iter().chain(sum.cells()).chain(own).chain(end).collect()
    };
    let columns =
        [&["instance", "database", "#query", "module"][..], &Spent::COLUMNS[..], &["until", "statement"][..]]
            .concat();
    html.table(&columns, stores.costliest.rows.iter().take(TOP).map(row));
    more(html, stores.costliest.all, TOP, "row");
}

fn failing(html: &mut Html, stores: &QueryStore) {
    html.leaf("h3", &[], "Forced plans that failed");
    if stores.failing.rows.is_empty() {
        return none(html, "None.");
    }
    let row = |(instance, sum): &Row| {
        let plan = sum.forced.as_ref();
        let own = [
            plan.map_or_else(|| "–".to_owned(), |plan| plan.plan_id.to_string()),
            plan.and_then(|plan| plan.failures).map_or_else(|| "–".to_owned(), |n| count(n as f64)),
            plan.and_then(ForcedPlan::reason_words).unwrap_or("–").to_owned(),
            sum.line(),
        ];
        [instance.to_string()].into_iter().chain(sum.cells()).chain(own).collect()
    };
    let columns =
        ["instance", "database", "#query", "module", "#plan", "#failures", "why the last time", "statement"];
    html.table(&columns, stores.failing.rows.iter().take(TOP).map(row));
    more(html, stores.failing.all, TOP, "plan");
}

fn silent(html: &mut Html, stores: &QueryStore) {
    if stores.stores.rows.is_empty() {
        return;
    }
    html.leaf("h3", &[], "Stores that recorded nothing or were not read");
    let row = |(instance, store): &(InstanceId, StoreRow)| {
        let why = store.problem.as_deref().map(str::to_owned).or_else(|| store.why_words());
        vec![
            instance.to_string(),
            name(&store.database),
            store.state().map_or("–", |state| state.words()).to_owned(),
            store.used_pct().map_or_else(|| "–".to_owned(), pct),
            why.unwrap_or_else(|| "–".to_owned()),
        ]
    };
    html.table(
        &["instance", "database", "state", "#of its cap", "why"],
        stores.stores.rows.iter().take(TOP).map(row),
    );
    more(html, stores.stores.all, TOP, "store");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{base::zone::UTC, poll::query_store::Stretch};

    fn stretch(runs: i64, ms: i64) -> Stretch {
        Stretch { runs: Some(runs), cpu_us: Some(runs * 1_000_000), elapsed_us: Some(runs * ms * 1_000) }
    }

    fn table(interval: i64, now_ms: i64) -> Arc<QueryStoreTable> {
        let query = StoredQuery {
            database_id: 5,
            database: Some("orders".into()),
            query_id: 7,
            module: Some("dbo.usp_GetPage".into()),
            now: stretch(40, now_ms),
            before: stretch(900, 4),
            forced: Some(ForcedPlan {
                plan_id: 77,
                failures: Some(12),
                reason: Some(8_712),
                ..ForcedPlan::default()
            }),
            ..StoredQuery::default()
        };
        let store = StoreRow {
            database_id: 5,
            database: Some("orders".into()),
            state: Some(1),
            desired_state: Some(2),
            readonly_reason: Some(65_536),
            interval_id: Some(interval),
            to: Some(Timestamp::from_ms(interval * 3_600_000)),
            ..StoreRow::default()
        };
        Arc::new(QueryStoreTable { stores: vec![store], queries: vec![query], ..QueryStoreTable::default() })
    }

    #[test]
    fn an_interval_counts_once_and_the_worst_one_of_a_query_is_told() {
        let mut stores = QueryStore::default();
        for (interval, ms) in [(1, 4), (2, 84), (2, 84), (2, 84), (3, 44)] {
            stores.take(&table(interval, ms));
        }
        stores.end(&InstanceId::new("sql-01"));
        let [(_, sum)] = &stores.costliest.rows[..] else { panic!("{stores:?}") };
        assert_eq!((sum.spent.runs, sum.spent.cpu_us), (120, 120_000_000), "three intervals");
        let page = Html::page("", "", |html| section(html, &stores, &UTC));
        for words in [
            "21.0×",
            "1970-01-01 02:00:00",
            "dbo.usp_GetPage",
            "an index of it is not there",
            "it reached its size cap",
        ] {
            assert!(page.contains(words), "{words} in {page}");
        }
        assert!(page.contains("1970-01-01 03:00:00"), "the sums are until the last one: {page}");
    }

    #[test]
    fn what_was_not_read_is_not_called_nothing() {
        let told = |stores: &QueryStore| Html::page("", "", |html| section(html, stores, &UTC));
        let page = told(&QueryStore::default());
        assert!(page.contains("No poll of Query Store is kept") && !page.contains("No query"), "{page}");
        let mut stores = QueryStore::default();
        stores.take(&Arc::default());
        stores.end(&InstanceId::new("sql-01"));
        assert!(told(&stores).contains("No query ran."));
    }
}
