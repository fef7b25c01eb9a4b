//! What the statement about queries of Query Store adds up, run by SQLite over made-up tables: an interval that is current, or was
//! flushed in between, has a row for what is in memory and one for what is on disk, and both count. SQLite reads the statement as it is,
//! but for the hint at its end and the name of the database before each table.

use rusqlite::{Connection, named_params};

const SCRIPT: &str = include_str!("../../../tsql/probe/query_store_queries.sql");

const TABLES: &str = "
    CREATE TABLE query_store_plan (plan_id, query_id);
    CREATE TABLE query_store_query (query_id, query_hash, query_text_id, object_id);
    CREATE TABLE query_store_query_text (query_text_id, query_sql_text, is_part_of_encrypted_module);
    CREATE TABLE objects (object_id, name, schema_id);
    CREATE TABLE schemas (schema_id, name);
    CREATE TABLE query_store_replicas (replica_group_id, role_type, replica_name);
    INSERT INTO query_store_replicas VALUES (1, 1, 'sql-01'), (2, 2, 'sql-02');
    CREATE TABLE query_store_runtime_stats (plan_id, runtime_stats_interval_id, execution_type, count_executions, avg_cpu_time,
        avg_duration, stdev_duration, min_duration, max_duration, avg_logical_io_reads, avg_physical_io_reads,
        avg_logical_io_writes, avg_rowcount, avg_query_max_used_memory, replica_group_id);
    INSERT INTO query_store_query VALUES (1, x'01', 1, 0), (2, x'02', 2, 9);
    INSERT INTO query_store_query SELECT value, x'03', 1, 0 FROM json_each('[31, 32, 33, 34, 35, 36, 41, 51]');
    INSERT INTO query_store_plan SELECT query_id, query_id FROM query_store_query WHERE query_id > 30;
    INSERT INTO query_store_query_text VALUES (1, 'SELECT 1', 0), (2, 'SELECT 2', 0);
    INSERT INTO query_store_plan VALUES (11, 1), (12, 1), (21, 2);
    INSERT INTO objects VALUES (9, 'usp_Two', 1);
    INSERT INTO schemas VALUES (1, 'dbo');";

/// Plan, interval, kind of end, runs, average CPU and duration, the longest run.
type Stats = (i64, i64, i64, i64, f64, f64, i64);

/// What is told of each query: number, runs of now, CPU, duration, longest run, plans, aborted, failed, runs of the day before.
type Told = (i64, i64, f64, f64, i64, i64, i64, i64, i64);

/// The intervals 9 and 10 against 7 and 8.
fn told(stats: &[Stats]) -> Vec<Told> {
    first_of_each(15, stats)
}

/// The same, the first ones of each order alone.
fn first_of_each(n: i64, stats: &[Stats]) -> Vec<Told> {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(TABLES).unwrap();
    for (plan, interval, kind, runs, cpu, duration, max) in stats {
        let row = rusqlite::params![plan, interval, kind, runs, cpu, duration, max];
        let sql = "INSERT INTO query_store_runtime_stats VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0.0, 1, ?7, 1.0, 1.0, 1.0, 1.0, 1.0, 1)";
        db.execute(sql, row).unwrap();
    }
    let sql = SCRIPT.replace("[$db$].sys.", "").replace("OPTION (MAXDOP 1)", "");
    let mut statement = db.prepare(&sql).unwrap();
    let params = named_params! { "@P1": 5, "@P2": 7, "@P3": 9, "@P4": 10, "@P5": n };
    let rows = statement.query_map(params, |row| {
        Ok((
            row.get("query_id")?,
            row.get("runs")?,
            row.get("sum_cpu_us")?,
            row.get("elapsed_us")?,
            row.get("max_us")?,
            row.get("plans")?,
            row.get("aborted")?,
            row.get("failed")?,
            row.get("before_runs")?,
        ))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn both_rows_of_an_interval_are_added_up() {
    // On disk 94 runs, in memory 8 more of the same plan and interval.
    let flushed = told(&[(11, 10, 0, 94, 100.0, 200.0, 900), (11, 10, 0, 8, 300.0, 400.0, 7_000)]);
    assert_eq!(
        flushed,
        [(1, 102, 94.0 * 100.0 + 8.0 * 300.0, 94.0 * 200.0 + 8.0 * 400.0, 7_000, 1, 0, 0, 0)]
    );
    let alone = told(&[(11, 10, 0, 102, 100.0, 200.0, 900)]);
    assert_eq!(
        (alone[0].1, alone[0].5),
        (flushed[0].1, flushed[0].5),
        "a plan is one plan, in one row or in two"
    );
}

#[test]
fn runs_of_other_plans_and_other_ends_count_and_what_is_outside_of_the_stretch_does_not() {
    let all = told(&[
        (11, 9, 0, 10, 1.0, 1.0, 5),
        (12, 10, 0, 20, 1.0, 1.0, 6),
        (11, 10, 3, 2, 1.0, 1.0, 7),
        (11, 10, 4, 3, 1.0, 1.0, 8),
        // The day before, in two rows, with a run that was longer.
        (11, 7, 0, 40, 1.0, 1.0, 99),
        (11, 8, 0, 50, 1.0, 1.0, 99),
        (11, 8, 0, 5, 1.0, 1.0, 99),
        // Before that day, and an interval that is open still.
        (11, 6, 0, 1_000, 1.0, 1.0, 99),
        (11, 11, 0, 1_000, 1.0, 1.0, 99),
        // A query that ran on the day before alone is none of now.
        (21, 8, 0, 70, 1.0, 1.0, 5),
    ]);
    assert_eq!(all, [(1, 35, 35.0, 35.0, 8, 2, 2, 3, 95)]);
}

#[test]
fn what_is_a_little_slower_pushes_out_nothing_that_is_much_slower_or_varies() {
    // Heavy, 10 % slower, one run of theirs eight times the average: all that is lost, and each range, is more than those of 41 and 51.
    let mut stats: Vec<Stats> = Vec::new();
    for (plan, cpu) in (31..).zip([9_006.0, 9_005.0, 9_004.0, 9_003.0, 9_002.0, 9_001.0]) {
        stats.push((plan, 10, 0, 100, cpu, cpu * 1_100.0, 80_000_000));
        stats.push((plan, 8, 0, 100, cpu, cpu * 1_000.0, 80_000_000));
    }
    // Ten times slower.
    stats.extend([(41, 10, 0, 100, 2.0, 10_000.0, 20_000), (41, 8, 0, 100, 2.0, 1_000.0, 1_000)]);
    // One run of 40 s among some of 10 ms; no run of the day before.
    stats.push((51, 10, 0, 100, 1.0, 10_000.0, 40_000_000));
    let told =
        |stats: &[Stats]| -> Vec<i64> { first_of_each(1, stats).into_iter().map(|query| query.0).collect() };
    assert_eq!(told(&stats), [31, 41, 51]);
    stats.truncate(12);
    assert_eq!(told(&stats), [31], "none became slower or varies, and none stands for it");
}

/// Query, group, role, runs and CPU of each replica: plan, interval, group, runs of each row.
fn by_replica(stats: &[(i64, i64, i64, i64)]) -> Vec<(i64, i64, Option<i64>, i64, f64)> {
    of_groups("", stats)
}

/// The same, of a store in whose tables this was changed.
fn of_groups(change: &str, stats: &[(i64, i64, i64, i64)]) -> Vec<(i64, i64, Option<i64>, i64, f64)> {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(TABLES).unwrap();
    db.execute_batch(change).unwrap();
    for (plan, interval, group, runs) in stats {
        let sql = "INSERT INTO query_store_runtime_stats VALUES (?1, ?2, 0, ?4, 2.0, 3.0, 0.0, 1, 1, 1.0, 1.0, 1.0, 1.0, 1.0, ?3)";
        db.execute(sql, rusqlite::params![plan, interval, group, runs]).unwrap();
    }
    let sql = include_str!("../../../tsql/probe/query_store_replicas.sql").replace("[$db$].sys.", "");
    let sql = sql.replace("TOP (300) ", "").replace("OPTION (MAXDOP 1)", "");
    let mut statement = db.prepare(&sql).unwrap();
    let rows = statement.query_map(named_params! { "@P1": 5, "@P3": 9, "@P4": 10 }, |row| {
        Ok((
            row.get("query_id")?,
            row.get("replica_group_id")?,
            row.get("role_type")?,
            row.get("runs")?,
            row.get("sum_cpu_us")?,
        ))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn runs_of_several_replicas_are_told_apart_and_those_of_one_are_not_told_again() {
    assert_eq!(by_replica(&[(11, 9, 1, 10), (12, 10, 1, 20), (21, 10, 1, 5)]), [], "one replica");
    let apart =
        by_replica(&[(11, 9, 1, 10), (12, 10, 2, 20), (12, 10, 2, 4), (21, 10, 7, 5), (21, 8, 2, 90)]);
    let one_group = "DELETE FROM query_store_replicas WHERE replica_group_id = 2";
    assert_eq!(of_groups(one_group, &[(11, 9, 1, 10), (12, 10, 2, 20)]), [], "the statistics are not read");
    assert_eq!(apart, [(1, 2, Some(2), 24, 48.0), (1, 1, Some(1), 10, 20.0), (2, 7, None, 5, 10.0)]);
}
