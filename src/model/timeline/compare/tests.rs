//! What a comparison says, and what it leaves out.

use super::*;
use crate::model::base::zone::UTC;
use crate::model::{
    base::{
        failure::{Failure, FailureKind},
        time::Timestamp,
    },
    inventory::instance::{InstanceInfo, TlsMode},
    judge::{
        health::{Health, Reason, Topic},
        why::Why,
    },
    poll::{
        Facts,
        activity::Request,
        blocking::{BlockNode, Chain},
        databases::DatabaseRow,
        headline::Headline,
        reading::Reading,
        wait_class::WaitCategory,
        waits::WaitRate,
    },
    timeline::history::History,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_ms(1_795_183_331_000);

fn info(name: &str) -> InstanceInfo {
    InstanceInfo { tls: TlsMode::Strict, ..InstanceInfo::named(name) }
}

fn instance(name: &str, facts: Facts) -> InstanceSnapshot {
    InstanceSnapshot {
        info: Arc::new(info(name)),
        facts,
        history: Arc::new(History::default()),
        health: Health::default(),
        level_since: None,
    }
}

fn headline(cpu: f64, page_life_s: i64) -> Reading<Headline> {
    let h = Headline { cpu_pct: Some(cpu), page_life_s: Some(page_life_s), ..Headline::default() };
    Reading::good(h, NOW, 30_000)
}

fn words(d: &[Difference]) -> Vec<&str> {
    d.iter().map(|d| d.words.as_str()).collect()
}

fn table(rates: &[(&str, f64)]) -> Facts {
    let rate = |(name, ms_per_s): &(&str, f64)| WaitRate {
        name: (*name).into(),
        category: WaitCategory::Lock,
        benign: false,
        poison: false,
        ms_per_s: *ms_per_s,
        signal_ms_per_s: 0.0,
        tasks_per_s: 1.0,
        avg_ms: None,
        max_ms: 0,
    };
    let t = WaitTable { types: rates.iter().map(rate).collect(), ..WaitTable::default() };
    Facts { waits: Reading::good(Arc::new(t), NOW, 30_000), ..Facts::default() }
}

#[test]
fn figures_are_told_by_factor_and_the_heaviest_first() {
    let a = instance("a", Facts { headline: headline(12.0, 4200), ..Facts::default() });
    let b = instance("a", Facts { headline: headline(97.0, 180), ..Facts::default() });
    let d = instances(&a, &b, &UTC);
    assert_eq!(words(&d), ["page life 1h10m → 3m00s (÷23)", "CPU 12 % → 97 % (×8.1)"]);
    assert_eq!((d[0].worse, d[1].worse), (Some(true), Some(true)));
    let back = instances(&b, &a, &UTC);
    assert_eq!(back[0].worse, Some(false));
    assert!(instances(&a, &a, &UTC).is_empty());
}

#[test]
fn little_of_little_is_nothing() {
    let a = instance("a", Facts { headline: headline(0.5, 4200), ..Facts::default() });
    let b = instance("a", Facts { headline: headline(2.5, 4200), ..Facts::default() });
    assert!(instances(&a, &b, &UTC).is_empty(), "{:?}", instances(&a, &b, &UTC));
}

#[test]
fn waits_are_new_grown_or_gone() {
    let a = instance("a", table(&[("WRITELOG", 400.0), ("CXPACKET", 900.0), ("TINY", 1.0)]));
    let b = instance("a", table(&[("WRITELOG", 4_000.0), ("LCK_M_S", 39_800.0), ("OTHER", 2.0)]));
    assert_eq!(
        words(&instances(&a, &b, &UTC)),
        [
            "new wait LCK_M_S 39.80 s/s",
            "WRITELOG 0.40 s/s → 4.00 s/s (×10)",
            "no CXPACKET any more, was 0.90 s/s"
        ]
    );
}

#[test]
fn beside_another_server_nothing_came_or_went() {
    let with = |name: &str, database: &str, wait: &str| {
        let waits = Facts::clone(&table(&[(wait, 400.0)]));
        let row = DatabaseRow { name: Some(database.into()), ..DatabaseRow::default() };
        let databases = Reading::good(Arc::new(vec![row]), NOW, 900_000);
        let mut it = instance(name, Facts { databases, ..waits });
        let why = Why::Cpu { pct: 96.0, busy_ms: None, at_least: false, other_pct: None, cpus: None };
        it.health.reasons =
            if name == "a" { vec![Reason::new(Level::Warning, Topic::Cpu, 10, why)] } else { Vec::new() };
        it
    };
    let (a, b) = (with("a", "payments", "WRITELOG"), with("b", "orders", "LCK_M_S"));
    let d = instances(&a, &b, &UTC);
    for said in [
        "only on a: database payments",
        "only on b: database orders",
        "only on a: wait WRITELOG 0.40 s/s",
        "only on b: wait LCK_M_S 0.40 s/s",
    ] {
        assert!(words(&d).contains(&said), "{said}: {:?}", words(&d));
    }
    let all = words(&d).join("\n");
    assert!(all.contains("only on a: CPU"), "{all}");
    assert!(!all.contains("gone") && !all.contains("new") && !all.contains("resolved"), "{all}");
}

#[test]
fn of_a_fleet_what_came_and_went_is_told() {
    let one =
        |name: &str| Arc::new(instance(name, Facts { headline: headline(12.0, 4200), ..Facts::default() }));
    let before = FleetSnapshot { instances: vec![one("a"), one("b")], ..FleetSnapshot::default() };
    let after = FleetSnapshot { instances: vec![one("b"), one("c")], ..FleetSnapshot::default() };
    let all: Vec<String> =
        fleets(&before, &after, &UTC).iter().map(|d| format!("{} {}", d.instance, d.words)).collect();
    assert_eq!(all, ["c was not there before", "a is gone"]);
}

fn figures(cpu_pct: Option<f64>, batches_per_s: Option<f64>, page_life_s: Option<i64>) -> InstanceSnapshot {
    let h = Headline { cpu_pct, batches_per_s, page_life_s, ..Headline::default() };
    instance("a", Facts { headline: Reading::good(h, NOW, 30_000), ..Facts::default() })
}

#[test]
fn a_figure_is_told_from_its_least_factor_on_and_unknown_is_no_figure() {
    let said = |before: Option<f64>, after: Option<f64>| {
        let d = instances(&figures(before, None, None), &figures(after, None, None), &UTC);
        words(&d).join("|")
    };
    // Five points stand on both sides of the factor: (25 + 5) / (15 + 5) = 1.5.
    assert_eq!(said(Some(15.0), Some(25.0)), "CPU 15 % → 25 % (×1.7)");
    assert_eq!(said(Some(15.0), Some(24.9)), "");
    assert_eq!(said(Some(0.0), Some(60.0)), "CPU 0 % → 60 %", "no factor of nothing");
    assert_eq!(said(Some(60.0), Some(0.0)), "CPU 60 % → 0 %");
    for unknown in [None, Some(f64::NAN), Some(f64::INFINITY)] {
        assert_eq!([said(unknown, Some(90.0)), said(Some(90.0), unknown)], ["", ""], "{unknown:?}");
    }
}

#[test]
fn a_restart_is_told_of_one_instance_and_not_of_two() {
    let started = |name: &str, ago_ms: i64| {
        let h = Headline { started_at: Some(NOW.plus_ms(-ago_ms)), ..Headline::default() };
        instance(name, Facts { headline: Reading::good(h, NOW, 30_000), ..Facts::default() })
    };
    let said = |a: &InstanceSnapshot, b: &InstanceSnapshot| words(&instances(a, b, &UTC)).join("|");
    assert!(said(&started("a", 900_000), &started("a", 60_000)).starts_with("restarted 2026-11-20"));
    assert_eq!(said(&started("a", 900_000), &started("a", 840_000)), "", "a minute is noise of a clock");
    assert_eq!(said(&started("a", 60_000), &started("a", 900_000)), "", "nobody starts into the past");
    assert_eq!(said(&started("a", 900_000), &started("b", 60_000)), "");
}

#[test]
fn some_requests_more_are_nothing_and_three_are_told() {
    let with = |logins: &[(&str, usize)]| {
        let of = |(login, n): &(&str, usize)| {
            vec![Request { login: Some((*login).into()), ..Request::default() }; *n]
        };
        let requests = logins.iter().flat_map(of).collect();
        let activity = Reading::good(Activity { requests, ..Activity::default() }.into(), NOW, 30_000);
        instance("a", Facts { activity, ..Facts::default() })
    };
    let (a, b) = (with(&[("web", 2), ("etl", 10), ("app", 1)]), with(&[("web", 5), ("etl", 13), ("app", 3)]));
    assert_eq!(words(&instances(&a, &b, &UTC)), ["requests of login web: 2 → 5"]);
    assert_eq!(words(&instances(&b, &with(&[]), &UTC)).len(), 3, "{:?}", instances(&b, &with(&[]), &UTC));
}

#[test]
fn a_list_is_cut_at_its_lightest() {
    let names: Vec<String> = (0..100).map(|n| format!("W{n:02}")).collect();
    let rates: Vec<(&str, f64)> =
        names.iter().enumerate().map(|(n, name)| (name.as_str(), 100.0 * (n + 1) as f64)).collect();
    let d = instances(&instance("a", table(&[])), &instance("a", table(&rates)), &UTC);
    assert_eq!(d.len(), MOST_OF_ONE);
    assert!(d[0].words.contains("W99") && d.iter().all(|d| !d.words.contains("W00")), "{:?}", words(&d));
}

#[test]
fn a_level_that_nobody_knows_is_neither_better_nor_worse() {
    let with = |level| {
        let mut it = instance("a", Facts::default());
        it.health.level = level;
        it
    };
    for (before, after, worse) in [
        (Level::Ok, Level::Critical, Some(true)),
        (Level::Critical, Level::Warning, Some(false)),
        (Level::Unknown, Level::Critical, None),
        (Level::Ok, Level::Unknown, None),
    ] {
        let d = instances(&with(before), &with(after), &UTC);
        assert_eq!((d.len(), d[0].about, d[0].worse), (1, About::Health, worse), "{before:?} {after:?}");
    }
}

fn weights(d: &[Difference]) -> Vec<(&str, f64, Option<bool>)> {
    d.iter().map(|d| (d.words.as_str(), d.weight, d.worse)).collect()
}

#[test]
fn a_lost_connection_says_why_and_one_that_came_back_says_that() {
    let with = |link| instance("a", Facts { link, ..Facts::default() });
    let failure = Failure::new(FailureKind::Login, "logging in");
    let down = || with(Link::Down { failure: failure.clone(), attempts: 1, next_at: NOW });
    let lost = format!("connected → {}", FailureKind::Login.words());
    assert_eq!(weights(&instances(&with(Link::Up), &down(), &UTC)), [(lost.as_str(), 10.0, Some(true))]);
    let back = instances(&down(), &with(Link::Up), &UTC);
    assert_eq!(weights(&back), [("not connected → connected", 10.0, Some(false))]);
    assert!(instances(&with(Link::Connecting), &with(Link::Up), &UTC).is_empty(), "it was not down");
}

#[test]
fn a_new_reason_weighs_by_its_points_more_than_one_that_is_over_and_less_than_a_level() {
    let with = |level, reasons: &[(Topic, u8)]| {
        let mut it = instance("a", Facts::default());
        it.health.level = level;
        it.health.score = None;
        let why = |topic: &Topic| Why::Sentence(format!("{topic:?}").into());
        it.health.reasons =
            reasons.iter().map(|(topic, points)| Reason::new(level, *topic, *points, why(topic))).collect();
        it
    };
    let before = with(Level::Warning, &[(Topic::Log, 20), (Topic::Io, 20)]);
    let after = with(Level::Warning, &[(Topic::Jobs, 5), (Topic::Cpu, 50), (Topic::Io, 90)]);
    let d = instances(&before, &after, &UTC);
    assert_eq!(
        weights(&d),
        [("new: Cpu", 7.0, Some(true)), ("resolved: Log", 3.5, Some(false)), ("new: Jobs", 2.5, Some(true))]
    );
    let d =
        instances(&with(Level::Ok, &[]), &with(Level::Critical, &[(Topic::Cpu, 50), (Topic::Jobs, 5)]), &UTC);
    assert_eq!(words(&d), ["ok → critical: Cpu", "new: Jobs"], "its first reason is told with the level");
}

#[test]
fn more_blocked_sessions_weigh_more_and_name_the_head() {
    let with = |victims: u32| {
        let head = BlockNode {
            request: Request { session_id: 71, ..Request::default() },
            depth: 0,
            parent: None,
            last_child: true,
            victims,
            resource: None,
            statement: None,
            statement_is_last: false,
            cycle_cut: false,
        };
        let chain = Chain { nodes: vec![head], victims, max_wait_ms: 12_000, lost_ms: 12_000, depth: 1 };
        let chains = if victims == 0 { Vec::new() } else { vec![chain] };
        let blocking = Reading::good(Blocking { chains, ..Blocking::default() }.into(), NOW, 5_000);
        instance("a", Facts { blocking, ..Facts::default() })
    };
    let said = |before, after| instances(&with(before), &with(after), &UTC);
    assert_eq!(weights(&said(0, 3)), [("0 → 3 sessions blocked, head 71 for 12 s", 5.0, Some(true))]);
    assert_eq!(weights(&said(3, 0)), [("3 → 0 sessions blocked", 5.0, Some(false))]);
    let four_times = [("1 → 7 sessions blocked, head 71 for 12 s", 5.0, Some(true))];
    assert_eq!(weights(&said(1, 7)), four_times, "counted from one");
    assert_eq!(weights(&said(0, 15)), [("0 → 15 sessions blocked, head 71 for 12 s", 7.0, Some(true))]);
    assert!(said(3, 3).is_empty());
}

#[test]
fn a_database_is_told_when_its_state_changed_and_not_when_nobody_knows_it() {
    let with = |rows: &[(&str, Option<&str>)]| {
        let of = |(name, state): &(&str, Option<&str>)| DatabaseRow {
            name: Some((*name).into()),
            state: state.map(Into::into),
            ..DatabaseRow::default()
        };
        let databases = Reading::good(Arc::new(rows.iter().map(of).collect::<Vec<_>>()), NOW, 900_000);
        instance("a", Facts { databases, ..Facts::default() })
    };
    let before = with(&[("sales", Some("ONLINE")), ("hr", Some("ONLINE")), ("x", None), ("old", None)]);
    let after =
        with(&[("sales", Some("SUSPECT")), ("hr", Some("ONLINE")), ("x", Some("ONLINE")), ("new", None)]);
    assert_eq!(
        words(&instances(&before, &after, &UTC)),
        ["database old is gone", "database sales ONLINE → SUSPECT", "new database new"]
    );
}

proptest! {
    #[test]
    fn the_way_back_tells_the_same_figures_the_other_way_round(
        cpu in any::<[Option<f64>; 2]>(), batches in any::<[Option<f64>; 2]>(), life in any::<[Option<i64>; 2]>(),
    ) {
        let [a, b] = [0, 1].map(|n| figures(cpu[n], batches[n], life[n]));
        prop_assert!(instances(&a, &a, &UTC).is_empty() && instances(&b, &b, &UTC).is_empty());
        let told = |from, to| {
            let of = |d: &Difference| (d.words.split(' ').next().unwrap_or_default().to_owned(), d.worse, d.weight);
            let mut told: Vec<_> = instances(from, to, &UTC).iter().map(of).collect();
            told.sort_by(|x, y| x.0.cmp(&y.0));
            told
        };
        let (there, back) = (told(&a, &b), told(&b, &a));
        prop_assert_eq!(there.len(), back.len());
        for (x, y) in there.iter().zip(&back) {
            prop_assert_eq!((&x.0, x.1), (&y.0, y.1.map(|worse| !worse)));
            prop_assert!(x.2.is_finite() && x.2 > 0.0 && (x.2 - y.2).abs() < 1e-9, "{x:?} {y:?}");
        }
    }
}

/// Queries over a minute: hash, CPU ms per s, plan.
fn queries_of(rows: &[(u64, i64, u64)]) -> Facts {
    let row = |(hash, ms_per_s, plan): &(u64, i64, u64)| QueryRow {
        hash: *hash,
        cpu_us: Some(ms_per_s * 60_000),
        plan_hash: Some(*plan),
        module: (*hash == 1).then(|| "dbo.usp_Settle".into()),
        ..QueryRow::default()
    };
    let t = QueryTable { queries: rows.iter().map(row).collect(), over_ms: 60_000, ..QueryTable::default() };
    Facts { queries: Reading::good(Arc::new(t), NOW, 20_000), ..Facts::default() }
}

#[test]
fn queries_that_take_more_or_less_that_came_or_went_are_told() {
    let a = instance("a", queries_of(&[(1, 20, 7), (2, 500, 7), (3, 400, 7), (4, 12, 7), (5, 11, 7)]));
    let b = instance("a", queries_of(&[(1, 400, 8), (2, 510, 7), (4, 15, 7), (6, 300, 7)]));
    let d = instances(&a, &b, &UTC);
    let all = words(&d);
    for wanted in [
        "CPU of dbo.usp_Settle 20 ms/s → 400 ms/s (×20)",
        "another plan of dbo.usp_Settle",
        "no query 0x0000000000000003 any more, was 400 ms/s",
        "new query 0x0000000000000006 300 ms/s",
    ] {
        assert!(all.contains(&wanted), "{wanted} in {all:#?}");
    }
    assert_eq!(all.len(), 4, "little is nothing: {all:#?}");
    assert!(d.iter().all(|d| d.about == About::Queries));
    // Of two instances nothing came or went.
    let other = instance("b", queries_of(&[(6, 300, 7)]));
    let all = instances(&a, &other, &UTC);
    assert!(words(&all).contains(&"only on b: CPU of 0x0000000000000006 300 ms/s"), "{all:#?}");
    assert!(words(&all).contains(&"only on a: CPU of 0x0000000000000002 500 ms/s"), "{all:#?}");
}
