//! History returns all that was written: states at every moment, charts over every range, events, texts; through sealing,
//! a restart and a key.

use crate::world::{START, Stage, World, at, feed, name, uid};
use dbtop::{
    model::{
        base::time::Timestamp,
        inventory::record::TenantUid,
        poll::{
            State,
            deadlocks::{DeadlockReport, DeadlockTable},
            id::{Metric, ProbeId, SeriesId, SeriesKey},
            statement::{SqlText, Statement},
        },
        timeline::{
            chart::MarkKind,
            event::What,
            record::{Record, Recorded},
        },
    },
    store::history::{Engine, Event, EventFilter, Marks, Options, Reader},
    vault::{Sealer, history_key},
};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// What the state of an instance at an instant must be, from all that it told.
fn state_of(all: &[Record], uid: &str, when: Timestamp) -> Vec<(Timestamp, Recorded)> {
    let mut newest = BTreeMap::new();
    for kept in all.iter().filter(|kept| *kept.info.uid == *uid && kept.at <= when) {
        let slot = kept.what.slot();
        if newest.get(&slot).is_none_or(|(at, _): &(Timestamp, Recorded)| *at <= kept.at) {
            newest.insert(slot, (kept.at, kept.what.clone()));
        }
    }
    let mut states: Vec<_> = newest.into_values().collect();
    states.sort_by_key(|(at, what)| (*at, what.slot()));
    states
}

fn assert_same(reader: &mut Reader, all: &[Record], uid: &Arc<str>, when: Timestamp) {
    let past = reader.states().at(std::slice::from_ref(uid), when).unwrap();
    assert_eq!(past.damaged, Vec::<String>::new());
    let mut found: Vec<_> = past.kept.into_iter().map(|kept| (kept.at, kept.what)).collect();
    found.sort_by_key(|(at, what)| (*at, what.slot()));
    assert_eq!(found, state_of(all, uid, when), "{uid} at {} s", (when - START) / 1000);
}

#[test]
fn every_moment_comes_back_as_it_was_told() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    let all = feed(&mut engine, &mut World::new(3), 0..5 * 3600);
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    for n in 0..3 {
        for second in [0, 29, 31, 899, 901, 3600, 7199, 7201, 10_000, 14_399, 17_999, 20_000] {
            assert_same(&mut reader, &all, &uid(&name(n)), at(second));
        }
    }
    let (oldest, newest) = reader.stats().span().unwrap().unwrap();
    assert!(oldest >= START && oldest < at(30) && newest <= at(5 * 3600));
    assert_eq!(reader.states().at(&[uid("nobody")], at(100)).unwrap().kept.len(), 0);
    // All of it between two instants, too.
    let one = uid(&name(1));
    let between = reader.states().between(&one, at(5000), at(9000)).unwrap();
    let told = all.iter().filter(|k| k.info.uid == one && k.at > at(5000) && k.at <= at(9000)).count();
    assert_eq!(between.kept.len(), told);
    // And what one probe answered then, out of blocks and of what is not packed yet.
    for (from, to) in [(0, 5000), (5000, 18_000)] {
        let between = reader.states().between(&one, at(from), at(to)).unwrap().kept;
        let of_waits = |kept: &Record| {
            matches!(&kept.what, Recorded::Reading { probe: ProbeId::Waits, state: Ok(_), .. })
        };
        let wanted: Vec<_> = between.into_iter().filter(of_waits).map(|kept| (kept.at, kept.what)).collect();
        let found = reader.states().of_probe(&one, ProbeId::Waits, at(from), at(to)).unwrap();
        let found: Vec<_> = found.kept.into_iter().map(|kept| (kept.at, kept.what)).collect();
        assert!(found == wanted && !wanted.is_empty(), "{} and {}", found.len(), wanted.len());
    }
}

/// The numbers that a series must have between two instants, from all that was told.
fn points_of(all: &[Record], uid: &str, key: &SeriesKey, from: Timestamp, to: Timestamp) -> Vec<f64> {
    let mut found = Vec::new();
    for kept in all.iter().filter(|kept| *kept.info.uid == *uid && kept.at >= from && kept.at < to) {
        let mut of_poll = None;
        let mut polled = false;
        kept.what.points(&mut |metric, name, value| {
            polled |= metric.probe() == key.metric.probe() && key.metric.absent_is_zero();
            if metric == key.metric && *name == *key.key {
                of_poll =
                    value.and_then(|value| metric.to_steps(value)).map(|steps| metric.from_steps(steps));
            }
        });
        found.extend(of_poll.or(polled.then_some(0.0)));
    }
    found
}

#[test]
fn charts_of_every_length_tell_the_same_as_the_polls() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    let all = feed(&mut engine, &mut World::new(2), 0..50 * 3600);
    let reader = Reader::open(&stage.path(), None).unwrap();
    let one = uid(&name(1));
    let keys = [
        SeriesKey::of(SeriesId::Cpu),
        SeriesKey::of(SeriesId::Score),
        SeriesKey::of(Metric::Sessions),
        SeriesKey::with(Metric::WaitType, "PAGEIOLATCH_SH"),
        // Missing in two polls of three: a zero, not a gap.
        SeriesKey::with(Metric::WaitType, "RESOURCE_SEMAPHORE"),
        SeriesKey::with(Metric::VolumeFree, "D:\\"),
    ];
    // Of a minute, 10 minutes, an hour, a day: each from its own tier, on bounds that all tiers share.
    for (points, tier) in [
        (48 * 60, "as measured"),
        (288, "min, avg, max of 5 min"),
        (48, "min, avg, max of 1 h"),
        (2, "min, avg, max of 1 day"),
    ] {
        for key in &keys {
            let (from, to) = (at(0), at(48 * 3600));
            let drawn = reader.charts().draw(&one, key, from, to, points).unwrap();
            assert_eq!((drawn.tier_words(), drawn.damaged), (tier, 0), "{key:?}");
            let told = points_of(&all, &one, key, from, to);
            let n: u32 = drawn.line.buckets.iter().map(|bucket| bucket.n).sum();
            assert_eq!(n as usize, told.len(), "{key:?} {tier}");
            let (mut sum, mut min, mut max) = (0.0, f32::MAX, f32::MIN);
            for bucket in &drawn.line.buckets {
                sum += f64::from(bucket.avg) * f64::from(bucket.n);
                (min, max) = (min.min(bucket.min), max.max(bucket.max));
                assert!(
                    bucket.min <= bucket.avg * 1.000_1 && bucket.avg <= bucket.max * 1.000_1,
                    "{bucket:?}"
                );
            }
            let wanted: f64 = told.iter().sum();
            assert!((sum - wanted).abs() <= wanted.abs() * 1e-5 + 1e-6, "{key:?} {tier}: {sum} {wanted}");
            let low = told.iter().copied().fold(f64::MAX, f64::min);
            let high = told.iter().copied().fold(f64::MIN, f64::max);
            assert!(
                (f64::from(min) - low).abs() < high.abs() * 1e-6 + 1e-6
                    && (f64::from(max) - high).abs() <= high.abs() * 1e-6 + 1e-6
            );
        }
    }
    // The newest end, which is neither sealed nor rolled up, is there in every tier.
    let told = points_of(&all, &one, &keys[0], at(49 * 3600), at(50 * 3600));
    let drawn = reader.charts().draw(&one, &keys[0], at(49 * 3600), at(50 * 3600), 12).unwrap();
    assert_eq!(drawn.line.buckets.iter().map(|bucket| bucket.n).sum::<u32>() as usize, told.len());
    let exact = reader.charts().points(&one, &keys[0], at(49 * 3600), at(50 * 3600)).unwrap();
    assert_eq!(exact.iter().map(|point| point.1).collect::<Vec<_>>(), told);
    assert!(reader.charts().series_of(&one).unwrap().contains(&keys[3]));
    let unknown = SeriesKey::with(Metric::WaitType, "NOBODY_WAITS");
    assert_eq!(reader.charts().draw(&one, &unknown, at(0), at(3600), 10).unwrap().line.buckets, []);
}

#[test]
fn a_missed_hour_is_a_gap_and_not_a_line() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    let mut world = World::new(1);
    feed(&mut engine, &mut world, 0..3600);
    feed(&mut engine, &mut world, 7200..10_800);
    let reader = Reader::open(&stage.path(), None).unwrap();
    let drawn =
        reader.charts().draw(&uid(&name(0)), &SeriesKey::of(SeriesId::Cpu), at(0), at(10_800), 180).unwrap();
    assert!(drawn.line.buckets.iter().all(|b| b.at < at(3660) || b.at >= at(7200)), "nothing is made up");
    assert_eq!(drawn.line.over(at(5000), at(5060)), None);
    assert!(drawn.line.over(at(1000), at(1060)).is_some());
    let gaps = EventFilter { kinds: vec![MarkKind::Gap], ..EventFilter::default() };
    let gaps = reader.events().list(&gaps, at(0), at(20_000)).unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].what.to_string(), "nobody was collecting for 1h00m");
}

#[test]
fn blocking_is_an_episode_with_a_beginning_a_peak_and_an_end() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    let mut world = World::new(40);
    let all = feed(&mut engine, &mut world, 0..6 * 3600);
    let reader = Reader::open(&stage.path(), None).unwrap();
    let filter = EventFilter { kinds: vec![MarkKind::Blocking], ..EventFilter::default() };
    let episodes = reader.events().list(&filter, at(0), at(6 * 3600)).unwrap();
    assert!(episodes.len() > 3, "{}", episodes.len());
    for event in &episodes {
        let uid = event.uid.as_ref().unwrap();
        let episode = event.episode.as_ref().unwrap();
        let end = event.to.unwrap_or(at(6 * 3600));
        let mut peak = 0;
        for kept in all.iter().filter(|k| k.info.uid == *uid && k.at >= event.at && k.at <= end) {
            if let Recorded::Reading { state: Ok(State::Blocking(blocking)), .. } = &kept.what {
                peak = peak.max(blocking.chains.iter().map(|chain| chain.victims).max().unwrap_or(0));
            }
        }
        assert_eq!(episode.peak_victims, peak);
        assert_eq!((episode.head, episode.awaited().as_deref()), (88, Some("KEY dbo.orders.pk_orders")));
        assert!(episode.lost_ms > 0 || end - event.at < 60_000);
        assert!(
            event.what.to_string().contains("blocked by session 88 on KEY dbo.orders.pk_orders"),
            "{}",
            event.what
        );
        let mut reader = Reader::open(&stage.path(), None).unwrap();
        assert!(reader.text(episode.text.unwrap()).unwrap().unwrap().batch.contains("dbo.orders"));
    }
    let health = EventFilter { kinds: vec![MarkKind::Health], uids: vec![uid(&name(3))] };
    let changes = reader.events().list(&health, at(0), at(6 * 3600)).unwrap();
    assert!(
        changes
            .iter()
            .map(|event| event.what.to_string())
            .all(|words| words.contains("ok → warning") || words.contains("warning → ok"))
    );
}

fn sealer() -> Sealer {
    Sealer::of_history(TenantUid::from_bytes([7; 16]), &history_key().unwrap()).unwrap()
}

fn bytes_of(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(folder).unwrap().flatten() {
        all.extend(std::fs::read(file.path()).unwrap());
    }
    all
}

#[test]
fn with_a_key_nothing_readable_reaches_the_disk() {
    let (stage, key) = (Stage::new(), sealer());
    let mut engine = Engine::open(&stage.path(), Some(key.clone()), Options::default()).unwrap();
    let all = feed(&mut engine, &mut World::new(2), 0..3 * 3600);
    engine.note(Event::bookmark(None, at(60), "deployed-by-mira"));
    engine.commit().unwrap();
    let mut reader = Reader::open(&stage.path(), Some(key.clone())).unwrap();
    for second in [600, 3000, 10_799] {
        assert_same(&mut reader, &all, &uid(&name(1)), at(second));
    }
    let waits = SeriesKey::with(Metric::WaitType, "WRITELOG");
    assert_eq!(
        reader.charts().draw(&uid(&name(0)), &waits, at(0), at(7200), 60).unwrap().line.buckets.len(),
        60
    );
    let disk = bytes_of(stage.folder.path());
    let shows = |word: &str| disk.windows(word.len()).any(|part| part == word.as_bytes());
    for word in ["sqlprd-001.db", "PAGEIOLATCH", "dbo.orders", "svc_web", "OrderService", "deployed-by-mira"]
    {
        assert!(!shows(word), "{word} is readable");
    }
    assert!(shows("uid-sqlprd-001"), "the search works: identities are not sealed");
    for wrong in [None, Some(sealer())] {
        let error = Reader::open(&stage.path(), wrong).err().unwrap().to_string();
        assert!(error.contains("sealed"), "{error}");
    }
    drop(engine);
    assert!(Engine::open(&stage.path(), Some(sealer()), Options::default()).is_err());
    assert!(Engine::open(&stage.path(), Some(key), Options::default()).is_ok());
}

/// The report is kept once, as a text, and both it and what is known of it are sealed.
#[test]
fn the_report_of_a_deadlock_is_sealed_and_comes_back_whole() {
    let (stage, key) = (Stage::new(), sealer());
    let mut engine = Engine::open(&stage.path(), Some(key.clone()), Options::default()).unwrap();
    let xml =
        "<event><deadlock><process hostname=\"web-of-mira\">UPDATE dbo.Secrets</process></deadlock></event>";
    let text = Arc::new(SqlText::new(xml.into(), None, None, false));
    let mut table = DeadlockTable::default();
    table.pattern(7, "key lookup").push(DeadlockReport {
        at: at(100),
        hash: 1,
        objects: vec!["orders.dbo.Secrets".into()],
        text: Some(Statement { text, start: 0, end: xml.len() }.into()),
        ..DeadlockReport::default()
    });
    let mut told = feed(&mut engine, &mut World::new(1), 0..60);
    let kept = |second, table: &DeadlockTable| Record {
        info: told[0].info.clone(),
        at: at(second),
        what: Recorded::Reading {
            probe: ProbeId::Deadlocks,
            every_ms: 0,
            state: Ok(State::Deadlocks(Arc::new(table.clone()))),
        },
    };
    let records = vec![kept(160, &table), kept(220, &table)];
    engine.take(records.clone());
    told.extend(records);
    engine.commit().unwrap();
    let mut reader = Reader::open(&stage.path(), Some(key)).unwrap();
    assert_same(&mut reader, &told, &uid(&name(0)), at(300));
    let disk = bytes_of(stage.folder.path());
    for word in ["web-of-mira", "Secrets", "key lookup"] {
        assert!(!disk.windows(word.len()).any(|part| part == word.as_bytes()), "{word} is readable");
    }
}

#[test]
fn a_restart_goes_on_where_it_ended_and_one_writes_at_a_time() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    let mut world = World::new(2);
    let mut all = feed(&mut engine, &mut world, 0..1000);
    let error = Engine::open(&stage.path(), None, Options::default()).err().unwrap().to_string();
    assert!(error.contains("is being changed by"), "{error}");
    engine.close().unwrap();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    all.extend(feed(&mut engine, &mut world, 1020..4000));
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    for second in [500, 1005, 2000, 3999] {
        assert_same(&mut reader, &all, &uid(&name(0)), at(second));
    }
    // A screen that follows sees what is new, in order; the user's marks come in beside the writer.
    let cursor = reader.follow().cursor().unwrap();
    let batch = world.round(4020);
    engine.take(batch.clone());
    engine.commit().unwrap();
    let new = reader.follow().since(cursor).unwrap();
    assert_eq!((new.kept.len(), new.missed), (batch.len(), false));
    assert_eq!(new.kept[5].what, batch[5].what);
    assert_eq!(reader.follow().since(new.cursor).unwrap().kept.len(), 0);
    let marks = Marks::open(&stage.path(), None).unwrap();
    marks.put(&Event::bookmark(Some(uid(&name(1))), at(3000), "before the deployment")).unwrap();
    let found = reader.events().list(&EventFilter::default(), at(2999), at(3001)).unwrap();
    assert!(
        found.iter().any(|event| event.what == What::Note("before the deployment".into())
            && event.kind == MarkKind::Bookmark)
    );
}
