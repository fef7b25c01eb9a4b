//! Rows of Query Store: a query of a database each, over the newest stretch of its store, beside the day before it.

use super::super::{
    Part,
    costs::{self, Costs, mean},
    figure::Figure,
    parts::{self, By, Line, Parts, Words, text},
    request,
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::{
            Facts,
            counts::Ran,
            demand::Demand,
            query_store::{QueryStoreTable, ReplicaRuns, StoredQuery},
            reading::Reading,
            statement::Statement,
        },
    },
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, number, whole, words},
            document::Document,
        },
        wish::Wish,
    },
};
use std::{fmt::Write as _, sync::Arc};

const KB: f64 = 1024.0;

/// Rows: a query of a store each.
#[derive(Debug)]
pub enum Queries {}

impl Kind for Queries {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Queries {
    type Table = QueryStoreTable;
    type Part = StoredQuery;
    const PANE: PaneId = PaneId::QueryStore;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "module";
    const APART: &'static str = "query";
    const ORDER: &'static [By<StoredQuery>] = &[];
    const FIGURES: &'static [Figure] = &[];
    const WORDS: Words = Words {
        order: "most CPU first",
        left_out: "more took less",
        no_match: "No query matches the filter.",
        unknown: "What Query Store recorded",
        nothing: "No database has a Query Store that is on",
        nameless: "a query",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<QueryStoreTable>> {
        &facts.query_store
    }

    fn parts(table: &QueryStoreTable) -> (&[StoredQuery], u64) {
        (&table.queries, table.left_out)
    }

    fn key(instance: &InstanceId, query: &StoredQuery) -> RowKey {
        RowKey::Stored(instance.clone(), query.database_id, query.query_id, query.hash)
    }

    /// It became slower, or its plan cannot be forced any more.
    fn is_problem(query: &StoredQuery) -> bool {
        query.is_regressed() || query.is_failing()
    }

    /// The plans that the store has of it, which the plan cache may have lost.
    fn act(action: Action, row: Option<&RowKey>, _: Option<&InstanceId>) -> Option<Wish> {
        match (action, row?) {
            (Action::Plan, RowKey::Stored(instance, database_id, query_id, _)) => {
                let demand = Demand::StoredPlans { database_id: *database_id, query_id: *query_id };
                Some(Wish::Demand(instance.clone(), demand))
            }
            _ => None,
        }
    }

    fn texts<'p>(query: &'p StoredQuery, with: &mut dyn FnMut(&'p str)) {
        let statement = query.statement.as_ref().map(Statement::as_str);
        let own = [query.database.as_deref(), query.module.as_deref(), statement, query.hint.as_deref()];
        own.into_iter().flatten().for_each(with);
    }

    fn about(_: &InstanceSnapshot, table: &QueryStoreTable, _: &View<'_>) -> Vec<Vec<(Part, String)>> {
        let mut line = vec![(Part::Plain, figure::counted(table.stores.len(), "store"))];
        for store in table.stores.iter().filter(|store| store.is_problem()).take(3) {
            let name = store.database.as_deref().unwrap_or("?");
            let state = store.state().map_or("unknown", |state| state.words());
            let mut words = format!("{name}: {state}");
            if let Some(why) = store.why_words() {
                let _ = write!(words, ", {why}");
            }
            line.push((Part::Level(Level::Warning), words));
        }
        let later = table.stores.iter().filter(|store| store.is_later).count();
        if later > 0 {
            line.push((Part::Plain, format!("{} in the next poll", figure::counted(later, "database"))));
        }
        let unread = table.stores.iter().filter(|store| store.is_unread()).count();
        if unread > 0 {
            line.push((
                Part::Level(Level::Warning),
                format!("{} cannot be read", figure::counted(unread, "database")),
            ));
        }
        if table.queries.iter().any(|query| !query.replicas.is_empty()) {
            line.push((Part::Plain, "runs on all replicas are added up".to_owned()));
        }
        if line.len() == 1 && table.stores.is_empty() {
            return Vec::new();
        }
        vec![line]
    }

    fn more(line: &Line<'_, Self>, d: &mut Document) {
        more(line, d);
    }
}

/// What the columns do not say.
fn more(line: &Line<'_, Queries>, d: &mut Document) {
    let (q, base, t) = (line.part, line.style(), line.view.theme);
    let store = line.table.store(q.database_id);
    if let Some((from, to)) = store.and_then(|store| store.from.zip(store.to)) {
        let zone = line.view.zone;
        d.field("recorded", base, |s| {
            zone.push_minute(s, from);
            s.push_str(" to ");
            zone.push_minute(s, to);
        });
    }
    costs::one_run(line, d);
    costs::per_run(line, d, "duration", q.now.elapsed_us, costs::push_us);
    d.field("the day before", base, |s| {
        q.before.avg_ms().into_iter().for_each(|ms| figure::push_mean(s, ms));
    });
    costs::pages(line, d);
    costs::per_run(line, d, "memory granted", q.memory_kb, costs::push_kb);
    if !q.waits.is_empty() {
        d.head("waited for");
        for (category, ms) in &q.waits {
            d.text(format!("{category}: {}", figure::wait(*ms as f64)), base);
        }
    }
    if let Some(plan) = &q.forced {
        d.head("forced plan");
        let hash = plan.plan_hash.map_or_else(String::new, |hash| format!(", 0x{hash:016X}"));
        d.text(format!("plan {}{hash}", plan.plan_id), base);
        let new = plan.new_failures.filter(|n| *n > 0);
        let style = if new.is_some() { t.warning } else { base };
        if let Some(n) = plan.failures.filter(|n| *n > 0) {
            let mut words = format!("Forcing it failed {n} times");
            if let Some(new) = new {
                let _ = write!(words, ", {new} times since the poll before");
            }
            let why = plan.reason_words().map_or_else(String::new, |why| format!(": {why}"));
            d.text(format!("{words}{why}."), style);
        }
    }
    if !q.replicas.is_empty() {
        d.head("replicas");
        d.text("They have one store, so that these figures are of all of them together.", t.dim);
        for replica in &q.replicas {
            d.text(of_replica(replica), base);
        }
    }
    if q.variants > 0 {
        d.head("variants");
        d.text(
            format!(
                "It has {} for different parameters, added up in these figures.",
                figure::counted(q.variants as usize, "variant")
            ),
            base,
        );
    }
    for (head, words) in [("hint", &q.hint), ("feedback", &q.feedback)] {
        if let Some(words) = words {
            d.head(head);
            d.text(words.to_string(), base);
        }
    }
    costs::statement(d, q.statement.as_ref(), t.dim);
}

/// `secondary sql-02: 1,200 runs, 12 s CPU, 3.4 ms each`.
fn of_replica(replica: &ReplicaRuns) -> String {
    let mut s = replica.role_words().to_owned();
    if let Some(name) = &replica.name {
        s.push(' ');
        s.push_str(name);
    }
    s.push_str(": ");
    match replica.runs.runs {
        Some(runs) => figure::push_counted(&mut s, u64::try_from(runs).unwrap_or(0), "run"),
        None => s.push_str("runs not known"),
    }
    if let Some(us) = replica.runs.cpu_us {
        s.push_str(", ");
        costs::push_us(&mut s, us as f64);
        s.push_str(" CPU");
    }
    if let Some(ms) = replica.runs.avg_ms() {
        s.push_str(", ");
        figure::push_mean(&mut s, ms);
        s.push_str(" each");
    }
    s
}

impl Costs for Queries {
    fn database(q: &StoredQuery) -> Option<&str> {
        q.database.as_deref()
    }

    fn per_s(line: &Line<'_, Self>, n: Option<i64>) -> Option<f64> {
        line.part.per_s(n)
    }
}

type Column = column::Column<Queries>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("query", "QUERY", 40, 0)
        .at_least(18)
        .growing()
        .value(|q| words(q.part.statement.as_ref().map(Statement::as_str)))
        .cell(|q, _, out| {
            if Queries::is_problem(q.part) {
                out.put(q.view.theme.warning, "▲ ");
            }
            request::push_statement(out, q.part.statement.as_ref(), false, q.style(), q.view.theme.dim);
        })
        .filter()
        .also(&["sql", "statement", "text"]),
    costs::cpu(),
    Column::number("runs", "RUNS", 7, 2)
        .value(|q| whole(q.part.now.runs))
        .cell(|q, v, out| q.put(v, out, figure::push_count))
        .filter()
        .also(&["executions"]),
    costs::avg(1),
    Column::number("before", "BEFORE", 8, 2)
        .value(|q| q.part.before.avg_ms().map(Value::Ms))
        .cell(mean)
        .filter(),
    Column::number("slower", "SLOWER", 7, 1)
        .value(|q| number(q.part.slower()))
        .cell(|q, v, out| match v.and_then(Value::figure) {
            Some(times) if q.part.is_regressed() && !q.is_stale() => {
                out.fmt(q.view.theme.warning, format_args!("{times:.1}x"));
            }
            Some(times) => out.fmt(q.style(), format_args!("{times:.1}x")),
            None => out.put(q.view.theme.dim, "–"),
        })
        .filter(),
    Column::number("lost", "LOST", 8, 4)
        .value(|q| q.part.lost_ms().filter(|ms| *ms > 0.0).map(Value::Ms))
        .cell(mean)
        .filter(),
    costs::max(3),
    Column::number("stdev", "DEVIATION", 9, 4).value(|q| costs::ms(q.part.stdev_us)).cell(mean).filter(),
    Column::text("forced", "FORCED", 10, 2)
        .value(|q| words(q.part.forced.as_ref().map(|_| "forced")))
        .cell(forced)
        .filter(),
    Column::text("waits", "WAITS FOR", 16, 3)
        .at_least(10)
        .value(|q| words(q.part.waits.first().map(|(category, _)| &**category)))
        .cell(text)
        .filter(),
    costs::reads(5),
    costs::writes(7),
    Column::number("rows", "ROWS", 6, 8)
        .value(|q| number(q.part.per_run(q.part.rows)))
        .cell(|q, v, out| q.put(v, out, figure::push_count))
        .filter(),
    Column::number("memory", "GRANT", 7, 7)
        .value(|q| q.part.per_run(q.part.memory_kb).map(|kb| Value::Bytes(kb * KB)))
        .cell(|q, v, out| q.put(v, out, figure::push_size))
        .filter()
        .also(&["grant"]),
    Column::number("failed", "FAILED", 6, 6)
        .value(|q| whole(q.part.failed))
        .cell(|q, v, out| q.put(v, out, figure::push_count))
        .filter(),
    Column::number("aborted", "ABORTED", 7, 6)
        .value(|q| whole(q.part.aborted))
        .cell(|q, v, out| q.put(v, out, figure::push_count))
        .filter(),
    Column::number("plans", "PLANS", 5, 5)
        .value(|q| whole(q.part.plans))
        .cell(|q, v, out| q.put(v, out, figure::push_count))
        .filter(),
    Column::number("variants", "VARIANTS", 8, 9)
        .value(|q| whole(Some(i64::from(q.part.variants)).filter(|n| *n > 0)))
        .cell(|q, v, out| q.put(v, out, figure::push_count))
        .filter(),
    costs::database(14, 2),
    Column::text("module", "MODULE", 24, 4)
        .at_least(12)
        .value(|q| words(q.part.module.as_deref()))
        .cell(text)
        .filter()
        .also(&["procedure"]),
    Column::number("id", "QUERY ID", 9, 9)
        .value(|q| whole(Some(q.part.query_id)))
        .cell(|q, _, out| out.fmt(q.style(), format_args!("{}", q.part.query_id)))
        .filter(),
];

/// Whether a plan is forced, and how often that failed.
fn forced(q: &Line<'_, Queries>, _: Option<Value<'_>>, out: &mut CellText) {
    let t = q.view.theme;
    match &q.part.forced {
        None => out.put(t.dim, "–"),
        Some(plan) => match plan.failures.filter(|n| *n > 0) {
            Some(n) => {
                let style = if q.part.is_failing() && !q.is_stale() { t.warning } else { q.style() };
                out.with(style, |s| {
                    figure::push_count(s, n as f64);
                    s.push_str(" failed");
                });
            }
            None => out.put(q.style(), "yes"),
        },
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(crate::tui::widget::column::ambiguous(super::COLUMNS), [""; 0]);
    }
}
