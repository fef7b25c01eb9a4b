//! The records that the fold returns for history, and takes back.

use super::*;

fn kept_fleet(names: &[&str]) -> Fleet {
    let mut live = Fleet::new(Thresholds::default());
    live.keep();
    live.apply(Update::Inventory(names.iter().map(|n| info(n)).collect()));
    for name in names {
        link(&mut live, name, 0, Link::Up);
    }
    live
}

/// The records of history, in the order of time, make the same snapshot: values, problems, links, verdicts, charts.
#[test]
fn what_was_kept_makes_the_same_fleet_again() {
    let mut live = kept_fleet(&["a", "b", "c"]);
    for s in (0..300).step_by(30) {
        let cpu = CpuRingSample { sql_pct: Some(30.0), idle_pct: Some(50.0), age_ms: None };
        polled(&mut live, "a", s, Sample::Headline(Box::new(headline(s, 1_000 + s * 70))));
        polled(
            &mut live,
            "a",
            s,
            Sample::Waits(vec![wait("PAGEIOLATCH_SH", s * 300, s * 10), wait("LCK_M_X", s, s)]),
        );
        polled(
            &mut live,
            "a",
            s,
            Sample::Schedulers(SchedulerSample { runnable: Some(2), ..Default::default() }),
        );
        polled(&mut live, "a", s, Sample::CpuRing(cpu));
        polled(&mut live, "b", s, Sample::Headline(Box::new(headline(s, 1_000))));
        live.snapshot(at(s));
    }
    missed(&mut live, "a", ProbeId::Memory, 300, Unavailable::NoRight("VIEW SERVER STATE".into()));
    link(&mut live, "b", 301, down(FailureKind::Unreachable));
    polled(&mut live, "c", 302, Sample::Headline(Box::new(headline(302, 5))));
    link(&mut live, "c", 303, down(FailureKind::Timeout));
    link(&mut live, "c", 304, Link::Up);
    live.apply(Update::Pace {
        instance: InstanceId::new("a"),
        probe: ProbeId::Waits,
        at: at(305),
        every_ms: 2_000,
    });
    let before = live.snapshot(at(306));
    let kept = live.drain_kept();
    assert!(live.drain_kept().is_empty());

    // The newest of each slot, as a store gives them.
    let mut newest = HashMap::new();
    for (n, k) in kept.iter().enumerate() {
        newest.insert((k.info.id.clone(), k.what.slot()), n);
    }
    let mut order: Vec<usize> = newest.into_values().collect();
    order.sort_unstable();
    let mut past = Fleet::new(Thresholds::default());
    past.apply(Update::Inventory(["a", "b", "c"].map(info).to_vec()));
    for n in order {
        past.apply(Update::Remembered(Box::new(kept[n].clone())));
    }
    for i in &before.instances {
        past.apply(Update::History { instance: i.id().clone(), history: Arc::clone(&i.history) });
    }
    let again = past.snapshot(at(306));
    for (a, b) in before.instances.iter().zip(&again.instances) {
        assert_eq!(format!("{:?}", a.facts), format!("{:?}", b.facts), "{}", a.id());
        assert_eq!(a.health, b.health, "{}", a.id());
    }
    assert_eq!(before.counts, again.counts);
}

/// A fleet that nobody looks at holds less of its readings, and judges and keeps the same.
#[test]
fn a_fleet_that_nobody_looks_at_judges_and_keeps_the_same() {
    let run = |is_looked_at: bool| {
        let mut fleet = Fleet::new(Thresholds::default());
        if !is_looked_at {
            fleet.remember_only_judged();
        }
        fleet.keep();
        fleet.apply(Update::Inventory(vec![info("a")]));
        link(&mut fleet, "a", 0, Link::Up);
        for s in (0..300).step_by(30) {
            polled(&mut fleet, "a", s, Sample::Headline(Box::new(headline(s, 1_000 + s * 70))));
            let waits = ["THREADPOOL", "PAGEIOLATCH_SH", "LCK_M_X"].map(|name| wait(name, s * 20, s * 9_000));
            polled(&mut fleet, "a", s, Sample::Waits(waits.to_vec()));
            let all = FileCounter { reads: Some(s), read_stall_ms: Some(s * 900), ..FileCounter::default() };
            let file = |file_id| FileCounter {
                file: DatabaseFile { file_id, ..DatabaseFile::default() },
                ..all.clone()
            };
            let files = FilesSample { files: (1..7).map(file).collect(), total: Some(6), all };
            polled(&mut fleet, "a", s, Sample::Counters(Arc::new(files)));
            fleet.snapshot(at(s));
        }
        let kept: Vec<Recorded> = fleet.drain_kept().into_iter().map(|kept| kept.what).collect();
        (kept, Arc::clone(&fleet.snapshot(at(300)).instances[0]))
    };
    let ((all, whole), (also, judged)) = (run(true), run(false));
    assert_eq!(all, also);
    assert_eq!(whole.health, judged.health);
    assert!(judged.health.reasons.len() >= 2, "a poison wait, slow reads: {:?}", judged.health.reasons);
    let rows = |i: &InstanceSnapshot| {
        let (waits, files) = (i.facts.waits.get().unwrap(), i.facts.files.get().unwrap());
        (waits.types.len(), waits.total_ms_per_s, files.files.len(), files.read_ms)
    };
    let (waits, read_ms) = (rows(&whole).1, rows(&whole).3);
    assert_eq!((rows(&whole), rows(&judged)), ((3, waits, 6, read_ms), (1, waits, 4, read_ms)));
}

/// All of it in order, as one follows another process: the charts are the same, too.
#[test]
fn following_gives_the_same_charts() {
    let mut live = kept_fleet(&["a"]);
    for s in (0..300).step_by(30) {
        polled(&mut live, "a", s, Sample::Headline(Box::new(headline(s, 1_000 + s * 70))));
        let lock = wait("LCK_M_X", if s < 120 { s * 9 } else { 1_080 }, s.min(120));
        polled(&mut live, "a", s, Sample::Waits(vec![wait("PAGEIOLATCH_SH", s * 300, s * 10), lock]));
        live.snapshot(at(s));
    }
    let before = live.snapshot(at(300));
    let mut other = Fleet::new(Thresholds::default());
    other.apply(Update::Inventory(vec![info("a")]));
    for kept in live.drain_kept() {
        other.apply(Update::Remembered(Box::new(kept)));
    }
    let again = other.snapshot(at(300));
    let charts = |s: &FleetSnapshot| format!("{:?}", s.instances[0].history);
    assert_eq!(charts(&before), charts(&again));
    assert!(charts(&before).contains("Lock"), "a category that stopped is zero, not gone");
}
