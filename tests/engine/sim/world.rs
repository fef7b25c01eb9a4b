//! The facts of the simulated fleet agree with each other at any moment, whatever the scenario, without a network.

use dbtop::sim::{
    Sim,
    scenario::{Kind, Scenario, Span},
    world::{Fleet, Script, dice::Dice, moment::Moment, profile::Role, storage::File, totals::Meter},
};
use std::collections::{HashMap, HashSet};

/// 2026-03-02 09:00 UTC, a Monday.
const ORIGIN_MS: i64 = 1_772_442_000_000;

fn fleet(instances: usize) -> Fleet {
    Fleet::roll(7, instances, &[], ORIGIN_MS)
}

/// Everything at once: the demo, and each kind somewhere for a while.
fn everything(fleet: &Fleet) -> Script {
    let demo = Sim::demo_script(fleet.profiles.len());
    let calm_ones = |k: &Kind| !matches!(k, Kind::HostileNegative | Kind::Hostile | Kind::HostileClock);
    let all = Kind::ALL.into_iter().filter(calm_ones).enumerate().fold(demo, |scenario, (n, kind)| {
        let from = 40 + n as i64 * 17;
        scenario.with(
            &format!("#{}/11", n % 11 + 1),
            kind,
            Span::between_s(from, from + 90).every_s(400),
            None,
        )
    });
    Script::compile(&all, fleet)
}

/// Moments that come ever later, close together and far apart.
fn times() -> Vec<i64> {
    let mut at = 0;
    (0..300)
        .map(|n| {
            at += *Dice::new(1).at(n).pick(&[1, 7, 90, 700, 2_000, 30_000]);
            at
        })
        .collect()
}

fn meters() -> [Meter; 14] {
    use Meter::{
        Batches, Compilations, Cpu, Deadlocks, LazyWrites, LockWaits, LogBytes, LogFlushWait, LogFlushes,
        Logins, PageLookups, PageReads, Recompilations, Transactions,
    };
    [
        Cpu,
        Batches,
        Logins,
        Transactions,
        Compilations,
        Recompilations,
        LogFlushes,
        LogFlushWait,
        LogBytes,
        LazyWrites,
        Deadlocks,
        PageReads,
        PageLookups,
        LockWaits,
    ]
}

#[test]
fn counters_never_fall_but_at_a_restart() {
    let fleet = fleet(11);
    let script = everything(&fleet);
    let mut restarts = 0;
    for index in 0..fleet.profiles.len() {
        let mut before: Option<Moment<'_>> = None;
        for at_ms in times() {
            let now = fleet.at(&script, index, at_ms).unwrap();
            if at_ms < now.started_ms() {
                continue;
            }
            if let Some(before) = &before {
                if before.started_ms() == now.started_ms() {
                    assert_grown(before, &now);
                } else {
                    restarts += 1;
                }
            }
            before = Some(now);
        }
    }
    assert!(restarts > 1, "no restart was among these times: {restarts}");
}

fn assert_grown(before: &Moment<'_>, now: &Moment<'_>) {
    let context = || format!("{} at {} after {}", now.profile.name, now.at_ms, before.at_ms);
    for meter in meters() {
        assert!(now.totals().get(meter) >= before.totals().get(meter), "{meter:?} {}", context());
    }
    for (old, new) in before.files().into_iter().zip(now.files()) {
        let counters =
            |f: &File| [f.reads, f.read_bytes, f.read_stall_ms, f.writes, f.write_bytes, f.write_stall_ms];
        assert_eq!((old.database_id, old.file_id), (new.database_id, new.file_id));
        let grown = counters(&old).iter().zip(counters(&new)).all(|(old, new)| new >= *old);
        assert!(grown, "{old:?} {new:?} {}", context());
    }
    let old: HashMap<_, _> = before.waits().into_iter().map(|w| (w.name, w)).collect();
    let new = now.waits();
    assert!(new.len() >= old.len(), "{}", context());
    for w in new {
        let Some(old) = old.get(w.name) else { continue };
        let grown = w.tasks >= old.tasks && w.wait_ms >= old.wait_ms && w.signal_ms >= old.signal_ms;
        assert!(grown && w.max_ms >= old.max_ms, "{old:?} {w:?} {}", context());
    }
}

#[test]
fn figures_stay_within_what_a_server_can_show() {
    let fleet = fleet(40);
    let script = everything(&fleet);
    for index in 0..40 {
        for at_ms in times().into_iter().step_by(19) {
            let now = fleet.at(&script, index, at_ms).unwrap();
            let share = now.cpu_share();
            assert!((0.0..=1.001).contains(&share), "{} {at_ms} CPU {share}", now.profile.name);
            for w in now.waits() {
                assert!(w.signal_ms <= w.wait_ms && w.max_ms <= w.wait_ms.max(1), "{w:?}");
            }
            let m = now.memory();
            assert!(m.available_kb > 0 && m.process_kb < m.physical_kb && m.total_kb <= m.target_kb, "{m:?}");
            let t = now.tempdb();
            assert!(t.free_kb() > 0 && t.used_kb > 0, "{t:?}");
            assert!(now.page_life_s() > 0 && now.connections() > 0);
            let s = now.schedulers();
            assert!(s.active_workers <= s.workers && s.workers <= now.profile.max_workers(), "{s:?}");
            for v in now.volumes() {
                assert!(v.free_bytes > 0 && v.free_bytes < v.total_bytes, "{v:?}");
            }
        }
    }
}

#[test]
fn sessions_are_distinct_and_requests_only_get_older() {
    let fleet = fleet(40);
    let script = everything(&fleet);
    for index in 0..40 {
        for at_ms in times().into_iter().step_by(11) {
            let now = fleet.at(&script, index, at_ms).unwrap();
            if at_ms < now.started_ms() {
                continue;
            }
            let spids: HashSet<i32> = now.work().iter().map(|w| w.spid).collect();
            assert_eq!(
                spids.len(),
                now.work().len(),
                "{} at {at_ms}: two sessions with one id",
                now.profile.name
            );
            let soon = fleet.at(&script, index, at_ms + 400).unwrap();
            for w in now.work() {
                assert!(w.started_ms <= at_ms && w.login_ms <= w.started_ms, "{w:?}");
                assert!(w.cpu_ms >= 0 && w.tempdb_dealloc <= w.tempdb_alloc);
                let same = soon.work().iter().find(|s| s.spid == w.spid && s.started_ms == w.started_ms);
                if let Some(same) = same {
                    assert!(
                        same.cpu_ms >= w.cpu_ms && same.logical_reads >= w.logical_reads,
                        "{w:?} {same:?}"
                    );
                    assert_eq!((same.text, same.login_ms), (w.text, w.login_ms));
                }
            }
        }
    }
}

#[test]
fn everyone_who_blocks_is_there_to_be_seen() {
    let fleet = fleet(4);
    let storm = Scenario::default().with("*", Kind::BlockingStorm, Span::from(-600_000), Some(30.0));
    let script = Script::compile(&storm, &fleet);
    let now = fleet.at(&script, 2, 1_000).unwrap();
    let spids: HashSet<i32> = now.work().iter().map(|w| w.spid).collect();
    let blockers: Vec<i32> = now.work().iter().filter_map(|w| Some(w.wait.as_ref()?.blocked_by)).collect();
    assert!(blockers.iter().all(|by| *by == 0 || spids.contains(by)));
    assert_eq!(now.blocked(), 30);
    assert_eq!(blockers.iter().filter(|by| **by != 0).count(), 30);
}

#[test]
fn the_day_has_a_rhythm_and_the_same_seed_the_same_fleet() {
    let (fleet, again) = (fleet(40), fleet(40));
    let script = Script::default();
    let hour = |fleet: &Fleet, index: usize, hour: i64| {
        let local = fleet.profiles[index].utc_offset_min;
        let midnight = -9 * 3_600_000 - i64::from(local) * 60_000;
        let from = midnight + (24 + hour) * 3_600_000;
        let now = fleet.at(&script, index, from).unwrap();
        now.totals_between(from, from + 3_600_000).get(Meter::Batches)
    };
    for (index, profile) in fleet.profiles.iter().enumerate().filter(|(_, p)| p.role == Role::Prod) {
        let (noon, night) = (hour(&fleet, index, 13), hour(&fleet, index, 3));
        assert!(noon as f64 > night as f64 * 1.3, "{}: {noon} {night}", profile.name);
        assert_eq!(noon, hour(&again, index, 13));
        let (now, then) = (fleet.at(&script, index, 777).unwrap(), again.at(&script, index, 777).unwrap());
        assert_eq!(format!("{:?}", now.work()), format!("{:?}", then.work()));
        assert_eq!(now.waits(), then.waits());
    }
}

#[test]
fn storms_reach_the_share_that_they_ask_for() {
    let fleet = fleet(40);
    let storm = Scenario::default().with("*", Kind::CpuStorm, Span::from(-60_000), Some(97.0));
    let script = Script::compile(&storm, &fleet);
    for index in 0..40 {
        let share = fleet.at(&script, index, 5_000).unwrap().cpu_share();
        assert!((0.95..0.995).contains(&share), "{index}: {share}");
    }
}

#[test]
fn the_queries_share_the_cpu_that_the_process_uses() {
    let fleet = fleet(20);
    let script = Script::compile(&Scenario::default(), &fleet);
    for index in 0..20 {
        let [then, now] = [3_600_000, 12 * 3_600_000].map(|at| fleet.at(&script, index, at).unwrap());
        let cpu_ms = |m: &Moment<'_>| m.totals().get(Meter::Cpu) as f64;
        let all_ms = cpu_ms(&now) - cpu_ms(&then);
        let old: HashMap<u16, _> = then.queries().into_iter().map(|q| (q.template, q)).collect();
        let grown = now.queries().into_iter().map(|q| match old.get(&q.template) {
            Some(old) if old.created_ms == q.created_ms => q.total.cpu_us - old.total.cpu_us,
            _ => q.total.cpu_us,
        });
        let (part, parts) = (grown.clone().sum::<i64>() as f64 / 1e3 / all_ms, grown.count());
        // What was compiled anew meanwhile lost what it had before.
        assert!((0.4..0.86).contains(&part) && parts >= 10, "{index}: {part} in {parts}");
    }
}

#[test]
fn a_regression_is_another_plan_of_one_query_and_the_process_uses_as_much_more() {
    let fleet = fleet(8);
    let event =
        |scenario: Scenario| scenario.with("*", Kind::PlanRegression, Span::between_s(600, 1_200), None);
    let (ill, calm) = (event(Scenario::default()), Scenario::default());
    let (ill, calm) = (Script::compile(&ill, &fleet), Script::compile(&calm, &fleet));
    let at = |script, index, s: i64| fleet.at(script, index, s * 1_000).unwrap();
    for index in 0..8 {
        let page = at(&ill, index, 1_190).queries().into_iter().find(|q| q.plan == 1).unwrap().template;
        let found = |s: i64| {
            let hit = at(&ill, index, s).queries().into_iter().find(|q| q.template == page);
            hit.map(|q| (q.plan, q.created_ms, q.total))
        };
        assert!(found(590).is_none_or(|(plan, ..)| plan == 0));
        let (plan, created_ms, total) = found(1_190).unwrap();
        assert_eq!((plan, created_ms), (1, 600_000));
        let extra_ms = (at(&ill, index, 1_190).totals().get(Meter::Cpu)
            - at(&calm, index, 1_190).totals().get(Meter::Cpu)) as f64;
        let told_ms = total.cpu_us as f64 / 1e3;
        assert!(extra_ms > 0.0 && (0.9..1.3).contains(&(told_ms / extra_ms)), "{told_ms} of {extra_ms}");
        assert!(total.reads > 0 && total.cpu_us / total.runs > 0);
        assert_eq!(
            found(1_300).map(|(plan, created_ms, _)| (plan, created_ms)),
            Some((0, 1_200_000)),
            "it is over"
        );
    }
}
