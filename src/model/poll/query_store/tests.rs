//! Tests of the model of Query Store.

use super::*;
use proptest::prelude::*;

fn runs(runs: i64, elapsed_us: i64) -> Stretch {
    Stretch { runs: Some(runs), cpu_us: Some(elapsed_us / 2), elapsed_us: Some(elapsed_us) }
}

#[test]
fn a_store_says_why_it_records_nothing() {
    assert_eq!(readonly_words(0), None);
    assert_eq!(readonly_words(65_536).as_deref(), Some("it reached its size cap"));
    assert_eq!(
        readonly_words(1 | 8).as_deref(),
        Some("the database is read-only, the database is a secondary replica")
    );
    assert_eq!(readonly_words(1 << 40).as_deref(), Some("a reason that dbtop does not know"));
    let store = |state, bits| StoreRow {
        state: Some(state),
        desired_state: Some(2),
        readonly_reason: Some(bits),
        size_mb: Some(990),
        cap_mb: Some(1_000),
        ..StoreRow::default()
    };
    let full = store(1, 65_536);
    assert!(full.is_full() && full.is_problem() && full.used_pct() == Some(99.0));
    assert_eq!(full.why_words().as_deref(), Some("it reached its size cap"));
    assert!(!store(2, 65_536).is_full(), "the reason of the time before");
    assert_eq!(store(2, 65_536).why_words(), None);
    assert!(!store(1, 8).is_problem(), "a secondary is meant to be read-only");
    assert!(store(3, 0).is_problem() && store(0, 0).is_problem());
    let on = |is_secondary, state, bits| {
        let row = StoreRow { is_secondary, interval_id: Some(7), ..store(state, bits) };
        (row.is_problem(), row.why_words().unwrap_or_default())
    };
    let of_primary = "this is a secondary replica, and shows what the primary recorded";
    assert_eq!(
        on(Some(true), 0, 0),
        (false, format!("it says off and holds rows all the same: {of_primary}"))
    );
    assert_eq!(on(Some(false), 0, 0), (true, "it is off and still holds what it recorded before".to_owned()));
    let unknown = on(None, 0, 0);
    assert!(!unknown.0 && unknown.1.contains("if this is a secondary"), "{unknown:?}");
    assert_eq!(on(Some(true), 1, 0), (false, of_primary.to_owned()));
    assert_eq!(on(Some(true), 1, 8), (false, "the database is a secondary replica".to_owned()));
    assert!(on(Some(false), 1, 0).0 && on(None, 1, 0).0 && on(Some(true), 1, 65_536).0);
    assert_eq!(on(Some(true), 4, 0), (false, String::new()), "it records for the primary");
    let by_choice = StoreRow { desired_state: Some(1), ..store(1, 0) };
    assert!(!by_choice.is_problem(), "somebody wanted it so");
    let unknown = StoreRow::default();
    assert!(!unknown.is_problem() && unknown.state().is_none() && unknown.used_pct().is_none());
    assert_eq!(StoreRow { cap_mb: Some(0), size_mb: Some(3), ..unknown }.used_pct(), None);
}

#[test]
fn a_hint_with_its_values_is_left_out_by_who_hides_names() {
    let hint = Some("OPTION (OPTIMIZE FOR (@card = N'4111 1111'))".into());
    let queries = vec![StoredQuery { hint, module: Some("dbo.p".into()), ..StoredQuery::default() }];
    let mut table = QueryStoreTable { queries, ..QueryStoreTable::default() };
    table.each_name_mut(&mut |field, text| {
        if field == Field::Message {
            *text = "(left out)".into();
        }
    });
    assert_eq!(table.queries[0].hint.as_deref(), Some("(left out)"));
    assert_eq!(table.queries[0].module.as_deref(), Some("dbo.p"));
}

#[test]
fn a_regression_takes_enough_runs_on_both_sides_and_half_as_long_again() {
    let query = |now, before| StoredQuery { now, before, ..StoredQuery::default() };
    let slow = query(runs(100, 3_000_000), runs(1_000, 20_000_000));
    assert!(slow.is_regressed() && (slow.slower().unwrap() - 1.5).abs() < 1e-9);
    assert!((slow.lost_ms().unwrap() - 1_000.0).abs() < 1e-6, "10 ms a run, a hundred runs");
    assert!(!query(runs(100, 2_900_000), runs(1_000, 20_000_000)).is_regressed());
    for (now, before) in [
        (runs(19, 3_000_000), runs(1_000, 20_000_000)),
        (runs(100, 3_000_000), runs(19, 1)),
        (runs(100, 3_000_000), Stretch::default()),
        (runs(100, 3_000_000), runs(1_000, 0)),
    ] {
        let query = query(now, before);
        assert!(!query.is_regressed() && query.lost_ms().is_none(), "{query:?}");
    }
}

#[test]
fn runs_that_differ_by_more_than_their_average_vary() {
    let query = |runs_n, max_us, stdev_us| StoredQuery {
        now: runs(runs_n, runs_n * 1_000),
        max_us,
        stdev_us,
        ..StoredQuery::default()
    };
    assert!(query(5, Some(10_001), Some(1)).is_varying());
    assert!(query(5, Some(2_000), Some(1_001)).is_varying());
    assert!(!query(5, Some(10_000), Some(1_000)).is_varying());
    assert!(!query(1, Some(99_999), Some(9_999)).is_varying(), "one run is like itself");
    assert!(!StoredQuery::default().is_varying());
}

#[test]
fn variants_are_added_up_and_their_texts_stay() {
    let waits = |ms| vec![("CPU".into(), ms)];
    let on = |role, n| ReplicaRuns { role: Some(role), name: None, runs: runs(n, n * 2) };
    let variant = |n, max_us, waits| StoredQuery {
        query_id: n,
        now: runs(n, n * 1_000),
        max_us: Some(max_us),
        stdev_us: Some(0),
        reads: Some(n),
        plans: Some(1),
        module: Some(format!("dbo.p{n}").into()),
        replicas: vec![on(1, n), on(1 + n, 5)],
        waits,
        ..StoredQuery::default()
    };
    let mut parent = StoredQuery { query_id: 1, ..StoredQuery::default() };
    parent.take_variant(&variant(3, 50, waits(7)));
    parent.take_variant(&variant(1, 90, vec![("Lock".into(), 9), ("CPU".into(), 1)]));
    assert_eq!((parent.now, parent.variants, parent.plans), (runs(4, 4_000), 2, Some(2)));
    assert_eq!((parent.max_us, parent.reads, parent.stdev_us), (Some(90), Some(4), Some(0)));
    assert_eq!(parent.module.as_deref(), Some("dbo.p3"));
    assert_eq!(parent.replicas, [on(1, 4), on(4, 5), on(2, 5)]);
    assert_eq!(parent.waits, [("Lock".into(), 9), ("CPU".into(), 8)]);
}

proptest! {
    /// The deviation over two groups is that of all runs together.
    #[test]
    fn deviations_of_variants_are_pooled(a in prop::collection::vec(1_000_i64..900_000, 1..20), b in prop::collection::vec(1_000_i64..900_000, 1..20)) {
        let of = |runs: &[i64]| {
            let (n, sum) = (runs.len() as f64, runs.iter().sum::<i64>());
            let avg = sum as f64 / n;
            let var = runs.iter().map(|us| (*us as f64 - avg).powi(2)).sum::<f64>() / n;
            StoredQuery {
                now: Stretch { runs: Some(runs.len() as i64), cpu_us: None, elapsed_us: Some(sum) },
                stdev_us: Some(var.sqrt() as i64),
                ..StoredQuery::default()
            }
        };
        let all: Vec<i64> = a.iter().chain(&b).copied().collect();
        let mut pooled = of(&a);
        pooled.take_variant(&of(&b));
        let (found, expected) = (pooled.stdev_us.unwrap() as f64, of(&all).stdev_us.unwrap() as f64);
        prop_assert!((found - expected).abs() <= 2.0 + expected * 1e-3, "{found} {expected}");
    }

    /// Whatever a server says, nothing panics.
    #[test]
    fn any_numbers_are_borne(n in any::<[Option<i64>; 8]>()) {
        let [a, b, c, d, e, f, g, h] = n;
        let query = StoredQuery {
            now: Stretch { runs: a, cpu_us: b, elapsed_us: c },
            before: Stretch { runs: d, cpu_us: e, elapsed_us: f },
            max_us: g,
            stdev_us: h,
            over_ms: a.unwrap_or(0).unsigned_abs(),
            ..StoredQuery::default()
        };
        let mut both = query.clone();
        both.take_variant(&query);
        let told = (both.is_regressed(), both.is_varying(), both.lost_ms(), both.cpu_ms_per_s());
        let store = StoreRow { state: a, readonly_reason: b, size_mb: c, cap_mb: d, ..StoreRow::default() };
        let _ = (told, store.why_words(), store.used_pct(), store.is_problem());
        let _ = e.and_then(failure_words);
    }
}
