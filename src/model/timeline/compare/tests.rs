//! What a comparison says, and what it leaves out.

use super::*;
use crate::model::base::zone::UTC;
use crate::model::{
    base::time::Timestamp,
    inventory::instance::{InstanceInfo, TlsMode},
    judge::{
        health::{Health, Reason, Topic},
        why::Why,
    },
    poll::{
        Facts, databases::DatabaseRow, headline::Headline, reading::Reading, wait_class::WaitCategory,
        waits::WaitRate,
    },
    timeline::history::History,
};

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
