//! Tests of the decoder of Query Store.

use super::*;
use crate::{
    model::{base::time::Timestamp, poll::counts::Ran},
    probe::fixture::{set, sets, text},
    tds::{Cell, ResultSet},
};

const END: i64 = 1_700_000_000_000;

fn int(n: i64) -> Cell {
    Cell::Int(n)
}

fn listed(rows: &[(i64, &str)]) -> ResultSet {
    let row = |(id, state): &(i64, &str)| vec![int(3), int(*id), text(&format!("db{id}")), text(state)];
    let columns = ["total_rows", "database_id", "database_name", "state_desc"];
    set("query_stores", &columns, rows.iter().map(row).collect())
}

fn state(id: i64, interval: i64, actual: i64) -> ResultSet {
    let columns =
        ["database_id", "actual_state", "interval_id", "end_time", "now_id", "from_time", "before_id"];
    let at = |ms| Cell::Instant { utc_ms: ms, offset_min: 60 };
    let row = vec![
        int(id),
        int(actual),
        int(interval),
        at(END),
        int(interval),
        at(END - 900_000),
        int(interval - 5),
    ];
    set("query_store", &columns, vec![row])
}

fn ran(rows: Vec<Vec<Cell>>) -> ResultSet {
    let columns = [
        "database_id",
        "total_queries",
        "query_id",
        "runs",
        "sum_cpu_us",
        "elapsed_us",
        "squares_us",
        "query_text",
    ];
    set("query_store_queries", &columns, rows)
}

fn row(id: i64, query: i64, cpu_us: f64) -> Vec<Cell> {
    let (elapsed, squares) = (Cell::Float(40_000.0), Cell::Float(500_000_000.0));
    vec![int(id), int(9), int(query), int(4), Cell::Float(cpu_us), elapsed, squares, text("SELECT\u{7} 1")]
}

fn forced(id: i64, plan: i64, query: i64, failures: i64) -> ResultSet {
    let columns = [
        "database_id",
        "total_plans",
        "plan_id",
        "query_id",
        "force_failure_count",
        "last_force_failure_reason",
    ];
    set(
        "query_store_forced",
        &columns,
        vec![vec![int(id), int(1), int(plan), int(query), int(failures), int(8_712)]],
    )
}

fn context() -> ProbeContext {
    ProbeContext::new(Timestamp::default)
}

/// What a poll tells; the context learns it.
fn told(ctx: &mut ProbeContext, answer: Vec<ResultSet>) -> Arc<QueryStoreTable> {
    let table = Arc::new(table(&sets(answer), ctx).unwrap());
    ctx.absorb(&Sample::Known(State::QueryStore(Arc::clone(&table))));
    table
}

#[test]
fn a_query_has_what_its_row_says_and_the_deviation_of_all_its_runs() {
    let mut ctx = context();
    let mut rows = vec![row(5, 1, 8_000.0), row(5, 2, -1.0), row(5, 3, f64::NAN)];
    rows.push(vec![int(5), Cell::Null, Cell::Null, int(1), Cell::Null, Cell::Null, Cell::Null, Cell::Null]);
    let table = told(&mut ctx, vec![listed(&[(5, "ONLINE")]), state(5, 70, 2), ran(rows)]);
    let [one, two, three] = &table.queries[..] else { panic!("{table:?}") };
    assert_eq!((one.now.cpu_us, one.now.avg_ms()), (Some(8_000), Some(10.0)));
    assert_eq!(one.stdev_us, Some(5_000), "125 million less 100 million, and the root of that");
    assert_eq!((two.now.cpu_us, three.now.cpu_us), (None, None));
    assert_eq!(one.statement.as_ref().unwrap().as_str(), "SELECT 1", "made harmless");
    assert_eq!((one.over_ms, table.left_out, table.stores_left_out), (900_000, 6, 2));
}

#[test]
fn an_interval_is_read_once_and_again_if_the_store_begins_anew() {
    let mut ctx = context();
    let wants = |ctx: &ProbeContext, interval| more(&sets(vec![state(5, interval, 2)]), 5, ctx);
    assert_eq!(wants(&ctx, 70), Some(vec![65, 70, 70, 5]));
    told(&mut ctx, vec![listed(&[(5, "ONLINE")]), state(5, 70, 2), ran(vec![row(5, 1, 8.0)])]);
    assert_eq!(wants(&ctx, 70), None);
    assert!(wants(&ctx, 71).is_some() && wants(&ctx, 3).is_some());
    // Nothing new: the rows stay, the state is that of now.
    let table = told(&mut ctx, vec![listed(&[(5, "ONLINE")]), state(5, 70, 1)]);
    assert_eq!((table.queries.len(), table.stores[0].state), (1, Some(1)));
    // The next interval has no run: that is known.
    let table = told(&mut ctx, vec![listed(&[(5, "ONLINE")]), state(5, 71, 2), ran(Vec::new())]);
    assert_eq!((table.queries.len(), table.stores[0].total), (0, Some(0)));
    assert_eq!(wants(&ctx, 71), None);
}

#[test]
fn hours_that_no_poll_read_are_read_with_the_next_one_up_to_six_of_them() {
    let hour = |n: i64| END + (n - 70) * 3_600_000;
    // The hour that ends with interval `last`, one interval each.
    let state = |last: i64| {
        let columns = [
            "database_id",
            "interval_id",
            "end_time",
            "now_id",
            "from_time",
            "reach_id",
            "reach_time",
            "before_id",
        ];
        let at = |ms| Cell::Instant { utc_ms: ms, offset_min: 60 };
        let (begin, reach) = (at(hour(last - 1)), at(hour(last - 6)));
        let ends = at(hour(last));
        let row = vec![int(5), int(last), ends, int(last), begin, int(last - 5), reach, int(last - 24)];
        set("query_store", &columns, vec![row])
    };
    let mut ctx = context();
    let asks = |ctx: &ProbeContext, last| more(&sets(vec![state(last)]), 5, ctx);
    assert_eq!(asks(&ctx, 70), Some(vec![46, 70, 70, 5]), "a process that has begun: the newest hour");
    told(&mut ctx, vec![listed(&[(5, "ONLINE")]), state(70), ran(vec![row(5, 1, 8.0)])]);
    assert_eq!(asks(&ctx, 71), Some(vec![47, 71, 71, 5]));
    assert_eq!(asks(&ctx, 74), Some(vec![50, 71, 74, 5]), "three hours were missed");
    assert_eq!(asks(&ctx, 90), Some(vec![66, 85, 90, 5]), "the newest six of twenty");
    assert_eq!(asks(&ctx, 3), Some(vec![-21, 3, 3, 5]), "the store begins anew");
    // A poll that fails in between loses nothing.
    ctx.problems.insert(5, Unavailable::SwitchedOff(each::NEXT_TIME.into()));
    told(&mut ctx, vec![listed(&[(5, "ONLINE")])]);
    ctx.problems.clear();
    let table = told(&mut ctx, vec![listed(&[(5, "ONLINE")]), state(74), ran(vec![row(5, 1, 8.0)])]);
    let store = &table.stores[0];
    let ends = |n| Some(Timestamp::from_ms(hour(n)));
    assert_eq!((store.interval_id, store.from, store.to), (Some(74), ends(70), ends(74)));
    assert_eq!(table.queries[0].over_ms, 4 * 3_600_000, "rates are those of the whole stretch");
    assert_eq!(asks(&ctx, 74), None);
    assert_eq!(asks(&ctx, 75), Some(vec![51, 75, 75, 5]), "then hour by hour again");
}

#[test]
fn a_database_that_fails_keeps_what_was_known_and_says_why() {
    let mut ctx = context();
    let answer =
        vec![listed(&[(5, "ONLINE")]), state(5, 70, 2), ran(vec![row(5, 1, 8.0)]), forced(5, 9, 1, 2)];
    told(&mut ctx, answer);
    ctx.problems.insert(5, Unavailable::NoRight("VIEW DATABASE STATE".into()));
    let table = told(&mut ctx, vec![listed(&[(5, "ONLINE"), (6, "RESTORING")])]);
    let store = &table.stores[0];
    assert_eq!(store.problem.as_deref(), Some("n/a (VIEW DATABASE STATE)"));
    assert_eq!((store.state, store.forced, table.queries.len()), (Some(2), Some(1), 1));
    assert_eq!(table.queries[0].forced.as_ref().unwrap().new_failures, None);
    assert_eq!((table.stores[1].state, table.stores[1].database.as_deref()), (None, Some("db6")));
    assert!(store.is_unread() && !table.stores[1].is_unread(), "of that one nobody said why");
    ctx.problems.insert(5, Unavailable::SwitchedOff(each::NEXT_TIME.into()));
    let table = told(&mut ctx, vec![listed(&[(5, "ONLINE")])]);
    let store = &table.stores[0];
    assert!(store.is_later && !store.is_unread() && store.problem.is_some(), "{store:?}");
}

#[test]
fn failures_of_forcing_are_told_when_they_rise_and_a_plan_forced_again_begins_anew() {
    let mut ctx = context();
    let poll = |ctx: &mut ProbeContext, failures| {
        let table = told(ctx, vec![listed(&[(5, "ONLINE")]), state(5, 70, 2), forced(5, 9, 1, failures)]);
        let query = table.queries.iter().find(|query| query.forced.is_some()).unwrap();
        (query.forced.as_ref().unwrap().new_failures, table.stores[0].failing, table.queries.len())
    };
    assert_eq!(poll(&mut ctx, 7), (None, Some(1), 1), "nobody knows when those were");
    assert_eq!(poll(&mut ctx, 7), (Some(0), Some(1), 1));
    assert_eq!(poll(&mut ctx, 9), (Some(2), Some(1), 1));
    assert_eq!(poll(&mut ctx, 1), (Some(1), Some(1), 1));
    let table = told(&mut ctx, vec![listed(&[(5, "ONLINE")]), state(5, 70, 2)]);
    assert_eq!((table.stores[0].forced, table.queries.len()), (Some(0), 0), "it is forced no more");
}

#[test]
fn variants_stand_under_their_query_with_waits_hints_and_feedback() {
    let mut ctx = context();
    let variants = ["database_id", "query_variant_query_id", "parent_query_id"];
    let pairs = [(11, 1), (12, 1), (12, 1), (13, 99), (1, 1)];
    let pairs = pairs.iter().map(|(variant, parent)| vec![int(5), int(*variant), int(*parent)]).collect();
    let waits = ["database_id", "query_id", "wait_category_desc", "wait_ms"];
    let waited = [(11, "Lock", 4), (12, "Lock", 5), (12, "Memory", 1)];
    let waited = waited.iter().map(|(id, name, ms)| vec![int(5), int(*id), text(name), int(*ms)]).collect();
    let feedback = ["database_id", "query_id", "plan_id", "feature_id", "state_desc"];
    let learned = vec![vec![int(5), int(12), int(3), int(2), text("VERIFICATION_PASSED")]];
    let table = told(
        &mut ctx,
        vec![
            listed(&[(5, "ONLINE")]),
            state(5, 70, 2),
            ran(vec![row(5, 11, 8.0), row(5, 12, 2.0)]),
            set("query_store_variants", &variants, pairs),
            set("query_store_waits", &waits, waited),
            set("query_store_feedback", &feedback, learned),
        ],
    );
    let [parent] = &table.queries[..] else { panic!("{table:?}") };
    assert_eq!((parent.query_id, parent.variants, parent.now.runs), (1, 2, Some(8)));
    assert_eq!(parent.waits, [("Lock".into(), 9), ("Memory".into(), 1)]);
    assert_eq!(parent.feedback.as_deref(), Some("memory grant: verification passed"));
}

#[test]
fn variants_that_name_each_other_stay_and_those_of_variants_stand_under_the_query() {
    let variants = ["database_id", "query_variant_query_id", "parent_query_id"];
    let of = |pairs: &[(i64, i64)]| {
        let pairs = pairs.iter().map(|(variant, parent)| vec![int(5), int(*variant), int(*parent)]).collect();
        let ran = ran((11..=13).map(|id| row(5, id, 8.0)).collect());
        let sets = vec![
            listed(&[(5, "ONLINE")]),
            state(5, 70, 2),
            ran,
            set("query_store_variants", &variants, pairs),
        ];
        let table = told(&mut context(), sets);
        let mut found: Vec<_> = table.queries.iter().map(|q| (q.query_id, q.variants, q.now.runs)).collect();
        found.sort_unstable();
        found
    };
    let alone = |id| (id, 0, Some(4));
    assert_eq!(of(&[(11, 12), (12, 11)]), [11, 12, 13].map(alone), "no query vanishes");
    assert_eq!(of(&[(11, 12), (12, 13), (13, 11)]), [11, 12, 13].map(alone));
    assert_eq!(of(&[(13, 11), (11, 12), (12, 11)]), [11, 12, 13].map(alone), "nor what points at them");
    assert_eq!(of(&[(11, 12), (12, 1)]), [(1, 2, Some(8)), alone(13)]);
    assert_eq!(of(&[(12, 1), (11, 12)]), [(1, 2, Some(8)), alone(13)], "in any order");
}

#[test]
fn a_store_that_says_it_is_off_is_told_if_it_holds_rows_and_its_queries_with_it() {
    let columns = ["total_rows", "database_id", "database_name", "state_desc", "is_query_store_on"];
    let database =
        |id: i64, is_on| vec![int(2), int(id), text(&format!("db{id}")), text("ONLINE"), Cell::Bool(is_on)];
    let list = || set("query_stores", &columns, vec![database(5, false), database(6, false)]);
    let mut ctx = context();
    let table = told(&mut ctx, vec![list(), state(5, 70, 0), ran(vec![row(5, 1, 8.0)])]);
    let [store] = &table.stores[..] else { panic!("db6 has no store: {table:?}") };
    let why = store.why_words();
    assert!(why.is_some_and(|why| why.contains("if this is a secondary replica")), "{store:?}");
    assert!(!store.is_problem() && table.queries.len() == 1 && table.stores_left_out == 0);
    // It does not answer: what is known of it stays, and of the other nobody misses anything.
    ctx.problems.insert(5, Unavailable::NoRight("VIEW DATABASE STATE".into()));
    ctx.problems.insert(6, Unavailable::NoRight("VIEW DATABASE STATE".into()));
    let table = told(&mut ctx, vec![list()]);
    assert_eq!((table.stores.len(), table.queries.len()), (1, 1), "{table:?}");
}

#[test]
fn a_secondary_replica_is_known_by_what_nobody_may_write_and_nobody_set_so() {
    let columns = [
        "total_rows",
        "database_id",
        "database_name",
        "state_desc",
        "updateability",
        "is_read_only",
        "is_in_standby",
    ];
    let of = |updateability: &str, read_only, standby| {
        let mut row = vec![int(1), int(5), text("db5"), text("ONLINE"), text(updateability)];
        row.extend([Cell::Bool(read_only), Cell::Bool(standby)]);
        let table = told(&mut context(), vec![set("query_stores", &columns, vec![row]), state(5, 70, 0)]);
        table.stores[0].is_secondary
    };
    assert_eq!(of("READ_ONLY", false, false), Some(true));
    assert_eq!(of("READ_WRITE", false, false), Some(false));
    assert_eq!(of("READ_ONLY", true, false), Some(false), "somebody set it so");
    assert_eq!(of("READ_ONLY", false, true), Some(false), "a standby of log shipping");
    assert_eq!(of("?", false, false), None);
    let silent = told(&mut context(), vec![listed(&[(5, "ONLINE")]), state(5, 70, 0)]);
    assert_eq!(silent.stores[0].is_secondary, None);
    let alone = vec![int(1), int(5), text("db5"), text("ONLINE"), Cell::Bool(false), Cell::Null];
    let columns =
        ["total_rows", "database_id", "database_name", "state_desc", "may_be_secondary", "updateability"];
    let alone = told(&mut context(), vec![set("query_stores", &columns, vec![alone]), state(5, 70, 0)]);
    assert_eq!(alone.stores[0].is_secondary, Some(false), "of no availability group: not asked");
}

#[test]
fn runs_on_several_replicas_are_added_up_and_told_apart() {
    let columns = [
        "database_id",
        "query_id",
        "replica_group_id",
        "role_type",
        "replica_name",
        "runs",
        "sum_cpu_us",
        "elapsed_us",
    ];
    let part = |query: i64, role: i64, name: &str, runs: i64| {
        vec![
            int(5),
            int(query),
            int(role),
            int(role),
            text(name),
            int(runs),
            Cell::Float(runs as f64 * 10.0),
            Cell::Float(runs as f64 * 1_000.0),
        ]
    };
    let replicas = set(
        "query_store_replicas",
        &columns,
        vec![part(1, 1, "sql-01", 3), part(1, 2, "sql-02", 1), part(7, 2, "x", 9)],
    );
    let answer = vec![listed(&[(5, "ONLINE")]), state(5, 70, 2), ran(vec![row(5, 1, 8.0)]), replicas];
    let table = told(&mut context(), answer);
    let query = &table.queries[0];
    let parts: Vec<_> =
        query.replicas.iter().map(|r| (r.role_words(), r.name.as_deref(), r.runs.runs)).collect();
    assert_eq!(parts, [("primary", Some("sql-01"), Some(3)), ("secondary", Some("sql-02"), Some(1))]);
    assert_eq!(query.now.runs, Some(4));
}

#[test]
fn what_was_read_for_nobody_is_read_again_with_more_queries_when_somebody_looks() {
    let mut ctx = context();
    let sent = |ctx: &ProbeContext| more(&sets(vec![state(5, 70, 2)]), 5, ctx).map(|params| params[3]);
    assert_eq!(sent(&ctx), Some(5));
    let answer = || vec![listed(&[(5, "ONLINE")]), state(5, 70, 2), ran(vec![row(5, 1, 8.0)])];
    told(&mut ctx, answer());
    assert_eq!(sent(&ctx), None, "an interval is read once");
    ctx.set_focused(true);
    assert_eq!(sent(&ctx), Some(15));
    told(&mut ctx, answer());
    assert_eq!(sent(&ctx), None);
    ctx.set_focused(false);
    told(&mut ctx, vec![listed(&[(5, "ONLINE")]), state(5, 70, 2)]);
    ctx.set_focused(true);
    assert_eq!(sent(&ctx), None, "all of it is known still");
}

#[test]
fn off_the_screen_fewer_queries_are_kept() {
    let rows = |ctx: &mut ProbeContext| {
        let rows = (0..200).map(|n| row(5, n, 1_000.0 - n as f64)).collect();
        told(ctx, vec![listed(&[(5, "ONLINE")]), state(5, 70, 2), ran(rows)]).queries.len()
    };
    assert_eq!(rows(&mut context()), 15);
    let mut ctx = context();
    ctx.set_focused(true);
    assert_eq!(rows(&mut ctx), 50);
}
