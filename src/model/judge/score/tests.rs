//! Tests of the score: what a person reads, and that the figures in it are right.

use super::{case::grade, *};
use crate::model::{
    base::{
        failure::{Failure, FailureKind, Obstacle},
        zone::UTC,
    },
    fold::blocking,
    judge::{
        limits::{Gauge, Limits},
        why::Why,
    },
    poll::{
        activity::Request,
        availability::ReplicaRow,
        blocking::{BlockedTask, ChainSession},
        cpu::CpuNow,
        databases::DatabaseRow,
        headline::Headline,
        id::{ProbeId, SeriesId},
        jobs::FailedJobRow,
        link::Link,
        memory::MemoryNow,
        reading::{Reading, Unavailable},
        resource::DatabaseNames,
        rights::{Right, Rights},
        volumes::VolumeRow,
        wait_class::WaitCategory,
        waits::{CategoryRate, WaitRate, WaitTable},
    },
};
use proptest::prelude::*;
use std::sync::Arc;

/// 14:00:00 UTC on some day.
const NOW: Timestamp = Timestamp::from_ms(1_000 * 86_400_000 + 14 * 3_600_000);

fn good<T>(value: T) -> Reading<T> {
    Reading::good(value, NOW.plus_ms(-3_000), 30_000)
}

/// A connected instance on a calm day, with a change.
fn facts(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = Facts { link: Link::Up, last_good_at: Some(NOW.plus_ms(-3_000)), ..Facts::default() };
    for probe in ProbeId::ALL {
        if let Some(reading) = facts.reading_mut(probe) {
            *reading.problem = Some(Unavailable::NotHere("this test".into()));
        }
    }
    facts.headline = good(Headline { cpu_pct: Some(12.0), page_life_s: Some(4_000), ..Headline::default() });
    change(&mut facts);
    facts
}

fn judge(facts: &Facts) -> Health {
    assess(
        &PollSettings::default(),
        facts,
        &History::default(),
        &Thresholds::default(),
        &Health::default(),
        NOW,
    )
}

/// `level score: reason; reason`
fn told(facts: &Facts) -> String {
    let health = judge(facts);
    let reasons: Vec<_> = health.reasons.iter().map(|reason| reason.told(&UTC)).collect();
    let score = health.score.map_or("–".to_owned(), |s| s.to_string());
    format!("{:?} {score}: {}", health.level, reasons.join("; "))
}

fn with_headline(change: impl FnOnce(&mut Headline)) -> Facts {
    facts(|f| {
        let mut h = Headline { cpu_pct: Some(12.0), ..Headline::default() };
        change(&mut h);
        f.headline = good(h);
    })
}

fn down(kind: FailureKind, number: Option<i32>, since_ms: i64) -> Facts {
    facts(|f| {
        let failure = Failure { kind, number, text: "connecting".into(), obstacle: None };
        f.link = Link::Down { failure, attempts: 2, next_at: NOW };
        f.link_since = Some(NOW.plus_ms(-since_ms));
        f.last_good_at = Some(NOW.plus_ms(-since_ms - 5_000));
    })
}

mod edges;
mod files;
mod holders;
mod hover;

#[test]
fn nobody_is_well_before_the_first_answers() {
    let waits_for = |change: fn(&mut Facts)| told(&facts(change));
    assert_eq!(waits_for(|f| f.volumes.fail(Unavailable::NotYet)), "Unknown –: first poll under way");
    assert_eq!(waits_for(|f| f.waits.fail(Unavailable::NeedsTwoSamples)), "Unknown –: first poll under way");
    // What is known by then is said at once; what cannot be known is not waited for.
    let blocked = facts(|f| {
        f.jobs.fail(Unavailable::NotYet);
        f.databases =
            good(Arc::new(vec![DatabaseRow { state: Some("SUSPECT".into()), ..DatabaseRow::default() }]));
    });
    assert_eq!(told(&blocked), "Critical 40: database ? is SUSPECT");
    assert_eq!(waits_for(|f| f.volumes.fail(Unavailable::NoRight("VIEW SERVER STATE".into()))), "Ok 100: ");
    assert_eq!(waits_for(|f| f.activity.fail(Unavailable::NotYet)), "Ok 100: ", "nobody judges it");
    // After a reconnect the old answers still count.
    let again = facts(|f| {
        f.volumes = good(Arc::default());
        f.volumes.fail(Unavailable::NotYet);
    });
    assert_eq!(told(&again), "Ok 100: ");
    // So do failures: the next attempt may be a quarter of an hour away.
    let failed = facts(|f| {
        f.volumes.fail(Unavailable::NotYet);
        f.heard_of.insert(ProbeId::Volumes);
    });
    assert_eq!(told(&failed), "Ok 100: ");
}

#[test]
fn calm_is_a_hundred_without_reasons() {
    assert_eq!(told(&facts(|_| {})), "Ok 100: ");
}

#[test]
fn a_failed_link_is_critical_at_once_and_offline_later() {
    assert_eq!(
        told(&down(FailureKind::Timeout, None, 80_000)),
        "Critical 0: unreachable since 13:58:40 (timed out)"
    );
    let mut unreachable = down(FailureKind::Unreachable, None, 400_000);
    assert_eq!(told(&unreachable), "Offline 0: unreachable since 13:53:20");
    if let Link::Down { failure, .. } = &mut unreachable.link {
        failure.obstacle = Some(Obstacle::Refused);
    }
    assert_eq!(told(&unreachable), "Offline 0: unreachable since 13:53:20 (refused)");
    assert_eq!(
        told(&down(FailureKind::Login, Some(18456), 20_000)),
        "Critical 0: login refused (18456) since 13:59:40"
    );
    let mut unset = down(FailureKind::Config, None, 20_000);
    if let Link::Down { failure, .. } = &mut unset.link {
        failure.text = "password: the environment variable ERP_PW is not set; set it".into();
    }
    assert_eq!(
        told(&unset),
        "Critical 0: password: the environment variable ERP_PW is not set; set it",
        "what is missing and what to do, not that something is"
    );
    let never = facts(|f| {
        *f = Facts::default();
        let failure = Failure::new(FailureKind::Tls, "handshake");
        f.link = Link::Down { failure, attempts: 1, next_at: NOW };
        f.link_since = Some(NOW.plus_ms(-1_000));
    });
    assert_eq!(told(&never), "Critical 0: TLS failed since 13:59:59");
}

#[test]
fn never_polled_is_unknown() {
    assert_eq!(told(&Facts::default()), "Unknown –: not polled yet");
    let connecting = Facts { link: Link::Connecting, ..Facts::default() };
    assert_eq!(told(&connecting), "Unknown –: first poll under way");
}

#[test]
fn a_missing_right_is_unknown_and_named() {
    let refused = facts(|f| {
        f.headline =
            Reading { problem: Some(Unavailable::NoRight("VIEW SERVER STATE".into())), ..Reading::default() };
    });
    assert_eq!(told(&refused), "Unknown –: needs VIEW SERVER STATE");
    let told_by_rights = facts(|f| {
        let right = |name: &str, held| Right { name: name.into(), held, gives: "".into() };
        let rights =
            vec![right("VIEW SERVER STATE", Some(false)), right("VIEW SERVER PERFORMANCE STATE", None)];
        f.rights = good(Arc::new(Rights { rights, present: Vec::new() }));
    });
    assert_eq!(told(&told_by_rights), "Unknown –: needs VIEW SERVER STATE");
}

#[test]
fn silence_is_told_with_its_age_and_nothing_stale_is_judged() {
    let stale = facts(|f| {
        f.last_good_at = Some(NOW.plus_ms(-90_400));
        let h = Headline { cpu_pct: Some(99.0), ..Headline::default() };
        f.headline = Reading::good(h, NOW.plus_ms(-90_400), 30_000);
        f.headline.fail(Unavailable::Failed(Failure::new(FailureKind::Timeout, "headline")));
    });
    assert_eq!(told(&stale), "Warning 75: no data for 1m30s (timed out)");
    let gone = facts(|f| f.last_good_at = Some(NOW.plus_ms(-301_000)));
    assert_eq!(told(&gone), "Offline 0: no data since 13:54:59");
}

#[test]
fn a_headline_of_nulls_is_not_fine() {
    let empty = facts(|f| f.headline = good(Headline { round_trip_ms: 4, ..Headline::default() }));
    assert_eq!(told(&empty), "Unknown –: no figures: every counter is NULL");
}

#[test]
fn blocking_as_the_mock_up_says_it() {
    let head = ChainSession {
        request: Request { session_id: 88, status: Some("sleeping".into()), ..Request::default() },
        last_statement: None,
    };
    let tasks: Vec<_> = (0..14)
        .map(|i| BlockedTask {
            session_id: 100 + i,
            blocked_by: 88,
            wait_ms: Some(312_000 - i64::from(i) * 1000),
            ..BlockedTask::default()
        })
        .collect();
    let blocked = facts(|f| {
        f.blocking = good(Arc::new(blocking::build(&tasks, &[head], DatabaseNames(&[]))));
        f.headline = good(Headline { cpu_pct: Some(97.0), ..Headline::default() });
    });
    assert_eq!(told(&blocked), "Critical 14: 14 sessions blocked 5m12s by 88 (sleeping); CPU 97 %");
    assert_eq!(judge(&blocked).reasons[0].topic, Topic::Blocking(88));
    let short = facts(|f| {
        let tasks =
            [BlockedTask { session_id: 1, blocked_by: -2, wait_ms: Some(31_000), ..BlockedTask::default() }];
        f.blocking = good(Arc::new(blocking::build(&tasks, &[], DatabaseNames(&[]))));
    });
    assert_eq!(told(&short), "Warning 82: 1 session blocked 31 s by -2 (orphaned distributed transaction)");
}

fn waits(name: &str, category: WaitCategory, ms_per_s: f64, tasks_per_s: f64) -> Reading<Arc<WaitTable>> {
    let rate = WaitRate {
        name: name.into(),
        category,
        benign: false,
        poison: crate::model::poll::wait_class::is_poison(name, None),
        ms_per_s,
        signal_ms_per_s: 0.0,
        tasks_per_s,
        avg_ms: None,
        max_ms: 0,
    };
    let sum = CategoryRate { category, ms_per_s, signal_ms_per_s: 0.0, tasks_per_s };
    good(Arc::new(WaitTable { types: vec![rate], categories: vec![sum], ..WaitTable::default() }))
}

#[test]
fn poison_waits_and_workers() {
    let mut starved = facts(|f| {
        f.waits = waits("THREADPOOL", WaitCategory::WorkerThread, 2_100.0, 1.0);
        f.cpu = good(CpuNow { max_workers: Some(1024), active_workers: Some(1024), ..CpuNow::default() });
    });
    assert_eq!(told(&starved), "Critical 34: THREADPOOL waits 2.1 s/s; 0 of 1,024 free");
    starved.waits = Reading::default();
    assert_eq!(told(&starved), "Critical 40: 0 of 1,024 workers free");
    let few = facts(|f| f.waits = waits("RESOURCE_SEMAPHORE", WaitCategory::Memory, 9.0, 1.0));
    assert_eq!(told(&few), "Ok 100: ");
}

#[test]
fn processor_memory_and_disk() {
    assert_eq!(told(&with_headline(|h| h.cpu_pct = Some(80.0))), "Ok 100: ");
    assert_eq!(told(&with_headline(|h| h.cpu_pct = Some(88.0))), "Warning 72: CPU 88 %");
    let other = facts(|f| f.cpu = good(CpuNow { other_pct: Some(85.0), ..CpuNow::default() }));
    assert_eq!(
        told(&other),
        "Critical 50: CPU 12 %, other processes 85 %",
        "SQL Server's figure is the one of its column"
    );
    let mut history = History::default();
    for (minutes, pct) in [(9, 12.0), (6, 96.0), (3, 97.0), (0, 97.0)] {
        history.record(SeriesId::Cpu, NOW.plus_ms(-minutes * 60_000), Some(pct));
        history.record(SeriesId::Cpu, NOW.plus_ms(-minutes * 60_000 + 140_000), Some(pct));
    }
    let busy = with_headline(|h| h.cpu_pct = Some(97.0));
    let health =
        assess(&PollSettings::default(), &busy, &history, &Thresholds::default(), &Health::default(), NOW);
    assert_eq!(health.reasons[0].text(), "CPU 97 % for 6m");
    let volume = |mount: &str, free| VolumeRow {
        mount: Some(mount.into()),
        total_bytes: Some(1000),
        free_bytes: Some(free),
        ..VolumeRow::default()
    };
    let disks = facts(|f| f.volumes = good(Arc::new(vec![volume("D:\\", 500), volume("L:\\", 31)])));
    assert_eq!(told(&disks), "Warning 61: volume L: 3.1 % free");
    assert_eq!(told(&with_headline(|h| h.tempdb_used_pct = Some(96.0))), "Critical 42: tempdb 4 % free");
    let reads = facts(|f| f.waits = waits("PAGEIOLATCH_SH", WaitCategory::BufferIo, 3_400.0, 100.0));
    assert_eq!(told(&reads), "Warning 81: page reads take 34 ms");
}

#[test]
fn page_life_counts_only_when_it_fell() {
    let low = with_headline(|h| h.page_life_s = Some(180));
    assert_eq!(told(&low), "Ok 100: ");
    let mut history = History::default();
    history.entry(SeriesId::PageLife).push(NOW.plus_ms(-600_000), 4_200.0);
    history.entry(SeriesId::PageLife).push(NOW.plus_ms(-3_000), 180.0);
    let health =
        assess(&PollSettings::default(), &low, &history, &Thresholds::default(), &Health::default(), NOW);
    assert_eq!(health.reasons[0].text(), "page life 3m00s, was 1h10m");
}

#[test]
fn the_rest_in_words() {
    assert_eq!(
        told(&with_headline(|h| h.started_at = Some(NOW.plus_ms(-40_500)))),
        "Warning 80: restarted 40 s ago"
    );
    assert_eq!(told(&with_headline(|h| h.deadlocks_recent = Some(3))), "Warning 82: 3 deadlocks in 15 min");
    assert_eq!(
        told(&with_headline(|h| h.grants_pending = Some(1))),
        "Warning 79: 1 query waits for a memory grant"
    );
    let job =
        |name: &str, at| FailedJobRow { job: Some(name.into()), at: Some(at), ..FailedJobRow::default() };
    let jobs =
        facts(|f| f.jobs = good(Arc::new(vec![job("a", NOW.plus_ms(-9_000)), job("Backup full", NOW)])));
    assert_eq!(told(&jobs), "Warning 80: 2 jobs failed: Backup full at 14:00:00");
    let lag = ReplicaRow {
        database: Some("orders".into()),
        replica: Some("SQL02".into()),
        lag_s: Some(412),
        ..ReplicaRow::default()
    };
    let cut = ReplicaRow { state: Some("NOT SYNCHRONIZING".into()), lag_s: None, ..lag.clone() };
    let ag = facts(|f| f.availability = good(Arc::new(vec![lag, cut])));
    assert_eq!(
        told(&ag),
        "Critical 45: orders on SQL02 not synchronizing",
        "one database on one replica is one thing"
    );
    let suspect = DatabaseRow::in_state(7, "orders", "SUSPECT");
    let broken = facts(|f| f.databases = good(Arc::new(vec![suspect])));
    assert_eq!(told(&broken), "Critical 40: database orders is SUSPECT");
}

proptest! {
    #[test]
    fn any_figures_give_a_verdict(v in any::<f64>(), n in any::<i64>(), at in any::<i64>()) {
        let f = facts(|f| {
            f.headline = Reading::good(
                Headline {
                    cpu_pct: Some(v), log_flush_ms: Some(v), log_flushes_per_s: Some(v), tempdb_used_pct: Some(v),
                    page_life_s: Some(n), grants_pending: Some(n), started_at: Some(Timestamp::from_ms(at)),
                    ..Headline::default()
                },
                Timestamp::from_ms(at), 30_000,
            );
            f.cpu = good(CpuNow { max_workers: Some(n), active_workers: Some(n.wrapping_neg()), ..CpuNow::default() });
            f.volumes = good(Arc::new(vec![VolumeRow { mount: None, total_bytes: Some(n), free_bytes: Some(n), ..VolumeRow::default() }]));
        });
        let health = judge(&f);
        prop_assert!(health.score.is_none_or(|s| s <= 100));
        prop_assert_eq!(health.score.is_none(), health.level == Level::Unknown);
    }

    #[test]
    fn worse_never_scores_better(a in 0.0f64..200.0, b in 0.0f64..200.0) {
        for gauge in Gauge::ALL {
            let Some(limits) = Thresholds::default().limits(gauge) else { continue };
            for before in [Level::Ok, Level::Warning, Level::Critical] {
                let of = |v| grade(&limits, v, before).unwrap_or((Level::Ok, 0));
                let (low, high) = if limits.low_is_bad { (of(b), of(a)) } else { (of(a), of(b)) };
                prop_assert!(a > b || low <= high, "{gauge:?}");
            }
        }
    }
}
