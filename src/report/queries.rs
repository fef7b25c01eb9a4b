//! The queries of an incident: what each cost between two instants, by the counters of the plan cache, and which got another plan.
//! `gather` hands over the readings, `page` asks for the section.

use super::{
    html::Html,
    parts::{Worst, more, name, none, one_line, sql},
    spent::Spent,
    words::{pct, wait},
};
use crate::model::{
    base::{time::Timestamp, zone::Zone},
    inventory::instance::InstanceId,
    poll::{queries::QueryTable, statement::Statement},
};
use std::{collections::HashMap, sync::Arc};

/// Queries that are kept while the story is gathered.
const KEPT: usize = 30;
/// The most rows.
const TOP: usize = 20;
/// Of so many the whole statement is shown.
const TEXTS: usize = 10;
/// Databases of a query that are counted.
const DATABASES: usize = 32;
/// The most changes of plans.
const CHANGES: usize = 40;

/// A query over the stretch.
#[derive(Debug, Clone, Default)]
struct Sum {
    spent: Spent,
    databases: Vec<Arc<str>>,
    module: Option<Arc<str>>,
    statement: Option<Statement>,
}

/// A query that got another plan.
#[derive(Debug, Clone)]
struct Changed {
    instance: InstanceId,
    query: u64,
    at: Timestamp,
    plans: (u64, u64),
    /// average duration before it and since, ms, as far as the stretch shows both
    before: Option<f64>,
    since: Option<f64>,
}

/// What queries cost.
#[derive(Debug, Default)]
pub(super) struct Queries {
    all: Worst<(InstanceId, u64, Sum)>,
    changed: Vec<Changed>,
    /// CPU that was told, and of all sessions, µs
    told_us: i64,
    workload_us: i64,
    polls: u64,
    /// of the instance that is read now
    own: HashMap<u64, Sum>,
    own_changes: Vec<(Changed, Sum)>,
}

impl Queries {
    /// Takes a reading of the instance that is read now.
    pub fn take(&mut self, instance: &InstanceId, at: Timestamp, table: &QueryTable) {
        self.polls += 1;
        self.told_us = self.told_us.saturating_add(table.cpu_us.unwrap_or(0));
        self.workload_us = self.workload_us.saturating_add(table.workload_us.unwrap_or(0));
        for query in &table.queries {
            let sum = self.own.entry(query.hash).or_default();
            if let (Some(old), Some(new)) = (query.old_plan_hash, query.plan_hash) {
                // Until the next change each poll tells of this one.
                let is_known = self
                    .own_changes
                    .iter()
                    .any(|(known, _)| (known.query, known.plans) == (query.hash, (old, new)));
                if !is_known && self.own_changes.len() < CHANGES {
                    let (before, since) = (sum.spent.avg_ms(), None);
                    let instance = instance.clone();
                    let change =
                        Changed { instance, query: query.hash, at, plans: (old, new), before, since };
                    self.own_changes.push((change, sum.clone()));
                }
            }
            sum.spent.take(query, query.at_least);
            for name in query.databases() {
                if sum.databases.len() < DATABASES && !sum.databases.contains(name) {
                    sum.databases.push(Arc::clone(name));
                }
            }
            if sum.module.is_none() {
                sum.module.clone_from(&query.module);
            }
            if sum.statement.is_none() {
                sum.statement.clone_from(&query.statement);
            }
        }
    }

    /// The instance is read: of its queries those that cost most stay.
    pub fn end(&mut self, instance: &InstanceId) {
        for (mut change, before) in self.own_changes.drain(..) {
            let now = self.own.get(&change.query).cloned().unwrap_or_default();
            let (now, before) = (now.spent, before.spent);
            let runs = now.runs - before.runs;
            change.since =
                (runs > 0).then(|| (now.elapsed_us - before.elapsed_us) as f64 / 1_000.0 / runs as f64);
            self.changed.push(change);
        }
        let own = self.own.drain().filter(|(_, sum)| sum.spent.is_some());
        let own = own.map(|(hash, sum)| (instance.clone(), hash, sum));
        self.all.take(own, KEPT, |a, b| {
            b.2.spent.cpu_us.cmp(&a.2.spent.cpu_us).then_with(|| (&a.0, a.1).cmp(&(&b.0, b.1)))
        });
    }
}

/// The section: what cost most, and which plans changed. `told`: events about changes.
pub(super) fn section(html: &mut Html, queries: &Queries, zone: &Zone, told: usize) {
    if queries.polls == 0 {
        return none(html, "No poll of the plan cache is kept of that time.");
    }
    if queries.all.rows.is_empty() {
        none(html, "No query of the plan cache ended a run in that time.");
    } else {
        top(html, queries);
    }
    changes(html, queries, zone, told);
}

fn top(html: &mut Html, queries: &Queries) {
    let explained = queries.told_us as f64 * 100.0 / queries.workload_us.max(1) as f64;
    let mut words = "What runs that ended in that time cost, by the counters of the plan cache".to_owned();
    if queries.workload_us > 0 {
        words.extend([", which explain ", &pct(explained.min(100.0)), " of the CPU of all sessions"]);
    }
    words.push_str(". ≥: plans went, so it was more. Max: since the plan was compiled.");
    none(html, &words);
    let row = |(instance, hash, sum): &(InstanceId, u64, Sum)| {
        let [cpu, runs, average, max, reads] = sum.spent.cells();
        let of_all = sum.spent.cpu_us as f64 * 100.0 / queries.workload_us.max(queries.told_us).max(1) as f64;
        vec![
            instance.to_string(),
            cpu,
            pct(of_all),
            runs,
            average,
            max,
            reads,
            databases(&sum.databases),
            name(&sum.module),
            hash_words(*hash),
            sum.statement.as_ref().map_or_else(|| "–".to_owned(), |s| one_line(s.as_str())),
        ]
    };
    let columns = [
        "instance",
        "#CPU",
        "#of CPU",
        "#runs",
        "#average",
        "#max",
        "#reads",
        "database",
        "module",
        "query",
        "statement",
    ];
    html.table(&columns, queries.all.rows.iter().take(TOP).map(row));
    more(html, queries.all.all, TOP, "row");
    let with_text = queries
        .all
        .rows
        .iter()
        .filter_map(|(instance, hash, sum)| Some((instance, hash, sum.statement.as_ref()?)));
    html.within("details", &[], |html| {
        html.leaf("summary", &[], "Their statements");
        for (instance, hash, statement) in with_text.take(TEXTS) {
            let title = format!("Query {} on {instance}", hash_words(*hash));
            sql(html, &title, &statement.text, Some((statement.start, statement.end)));
        }
    });
}

/// `orders`, or `3 dbs, orders`.
fn databases(names: &[Arc<str>]) -> String {
    match names {
        [] => "–".to_owned(),
        [one] => one.to_string(),
        [first, ..] => format!("{} dbs, {first}", names.len()),
    }
}

fn changes(html: &mut Html, queries: &Queries, zone: &Zone, told: usize) {
    html.leaf("h3", &[], "Other plans");
    let changed = &queries.changed;
    if changed.is_empty() {
        let words = if told == 0 {
            "No query got another plan."
        } else {
            "Among the events: of these queries no run ended."
        };
        return none(html, words);
    }
    let mut changed: Vec<&Changed> = changed.iter().collect();
    changed.sort_by_key(|change| change.at);
    let row = |change: &&Changed| {
        let told = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), wait);
        let slower = match (change.before, change.since) {
            (Some(before), Some(since)) if before > 0.0 => format!("{:.1}×", since / before),
            _ => "–".to_owned(),
        };
        vec![
            change.instance.to_string(),
            zone.instant(change.at),
            hash_words(change.query),
            format!("{} → {}", hash_words(change.plans.0), hash_words(change.plans.1)),
            told(change.before),
            told(change.since),
            slower,
        ]
    };
    let columns = ["instance", "seen at", "query", "plan", "#average before", "#since", "#slower"];
    html.table(&columns, changed.iter().take(CHANGES).map(row));
    more(html, changed.len(), CHANGES, "change");
}

fn hash_words(hash: u64) -> String {
    format!("0x{hash:016X}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::queries::QueryRow;

    fn table(runs: i64, elapsed_ms: i64, plan: u64, old: Option<u64>) -> QueryTable {
        let query = |hash: u64, cpu_us: i64| QueryRow {
            hash,
            runs: Some(runs),
            cpu_us: Some(cpu_us),
            elapsed_us: Some(elapsed_ms * 1_000 * runs),
            plan_hash: Some(plan),
            old_plan_hash: old.filter(|_| hash == 1),
            ..QueryRow::default()
        };
        QueryTable {
            queries: vec![query(1, 900_000), query(2, 100_000)],
            cpu_us: Some(1_000_000),
            workload_us: Some(2_000_000),
            over_ms: 60_000,
            ..QueryTable::default()
        }
    }

    #[test]
    fn runs_add_up_and_a_plan_that_changed_is_told_once_with_what_it_did() {
        let (mut queries, id) = (Queries::default(), InstanceId::new("a"));
        let at = |minute: i64| Timestamp::from_ms(minute * 60_000);
        queries.take(&id, at(1), &table(10, 5, 7, None));
        queries.take(&id, at(2), &table(10, 50, 8, Some(7)));
        queries.take(&id, at(3), &table(10, 50, 8, Some(7)));
        queries.end(&id);
        let [(_, hash, sum), _] = &queries.all.rows[..] else { panic!("{queries:?}") };
        assert_eq!((*hash, sum.spent.runs, sum.spent.cpu_us), (1, 30, 2_700_000));
        let [change] = &queries.changed[..] else { panic!("{queries:?}") };
        assert_eq!((change.query, change.at, change.plans), (1, at(2), (7, 8)));
        assert_eq!((change.before, change.since), (Some(5.0), Some(50.0)));
        assert_eq!((queries.told_us, queries.workload_us), (3_000_000, 6_000_000));
        // Of the next instance the same query is another one.
        let other = InstanceId::new("b");
        queries.take(&other, at(1), &table(1, 5, 7, None));
        queries.end(&other);
        assert_eq!(queries.all.rows.len(), 4);
    }

    #[test]
    fn of_many_queries_the_most_expensive_stay() {
        let (mut queries, id) = (Queries::default(), InstanceId::new("a"));
        let query =
            |hash: u64| QueryRow { hash, runs: Some(1), cpu_us: Some(hash as i64), ..QueryRow::default() };
        queries.take(
            &id,
            Timestamp::default(),
            &QueryTable { queries: (1..200).map(query).collect(), ..QueryTable::default() },
        );
        queries.end(&id);
        assert_eq!((queries.all.rows.len(), queries.all.rows[0].1, queries.all.all), (KEPT, 199, 199));
    }
}
