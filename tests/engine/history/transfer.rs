//! A history copied out and in: backup beside a running writer, a recording exported and imported, under another
//! key or none; and files of every released version.

use crate::world::{LONG, Stage, World, at, feed, name, uid};
use dbtop::{
    model::{
        base::time::Timestamp,
        inventory::record::TenantUid,
        poll::id::{SeriesId, SeriesKey},
        timeline::{
            chart::MarkKind,
            record::{Record, Recorded},
        },
    },
    store::history::{Engine, Event, EventFilter, Options, Reader, Stretch, copy},
    vault::{Sealer, history_key},
};
use std::{path::PathBuf, sync::Arc};

fn sealer() -> Sealer {
    Sealer::of_history(TenantUid::from_bytes([9; 16]), &history_key().unwrap()).unwrap()
}

fn states(reader: &mut Reader, uid: &Arc<str>, when: Timestamp) -> Vec<(Timestamp, Recorded)> {
    let past = reader.states().at(std::slice::from_ref(uid), when).unwrap();
    assert!(past.damaged.is_empty());
    let mut states: Vec<_> = past.kept.into_iter().map(|kept| (kept.at, kept.what)).collect();
    states.sort_by_key(|(at, what)| (*at, what.slot()));
    states
}

#[test]
fn a_backup_is_made_beside_the_writer_and_opens_with_the_same_key() {
    let (stage, key) = (Stage::new(), sealer());
    let mut engine = Engine::open(&stage.path(), Some(key.clone()), Options::default()).unwrap();
    let mut world = World::new(2);
    feed(&mut engine, &mut world, 0..3600);
    let mut reader = Reader::open(&stage.path(), Some(key.clone())).unwrap();
    let file = stage.folder.path().join("backup.db");
    let size = reader.backup(&file).unwrap();
    assert_eq!(size, std::fs::metadata(&file).unwrap().len());
    assert!(reader.backup(&file).is_err(), "nothing is overwritten");
    feed(&mut engine, &mut world, 3600..4000);
    assert!(Reader::open(&file, None).is_err(), "it stays sealed");
    let mut copied = Reader::open(&file, Some(key)).unwrap();
    assert!(copied.check().unwrap().is_clean());
    let one = uid(&name(1));
    assert_eq!(states(&mut copied, &one, at(3500)), states(&mut reader, &one, at(3500)));
}

#[test]
fn a_recording_tells_the_same_without_the_key_and_comes_back_in() {
    let (stage, key) = (Stage::new(), sealer());
    let mut engine = Engine::open(&stage.path(), Some(key.clone()), Options::default()).unwrap();
    feed(&mut engine, &mut World::new(4), 0..4 * 3600);
    engine.note(Event::bookmark(Some(uid(&name(2))), at(8000), "here it began"));
    engine.commit().unwrap();
    let mut reader = Reader::open(&stage.path(), Some(key.clone())).unwrap();
    let file = stage.folder.path().join("night.db");
    let uids = vec![uid(&name(1)), uid(&name(2))];
    let stretch = Stretch { uids: uids.clone(), from: at(7000), to: at(9000) };
    let done = copy(&mut reader, &file, None, &stretch, &mut |_| {}, &mut |_| {}).unwrap();
    assert_eq!((done.instances, done.damaged.len(), done.left_out.len()), (2, 0, 0));
    assert!(done.readings > 500 && done.events >= 1, "{done:?}");
    let mut recording = Reader::open(&file, None).unwrap();
    assert!(recording.check().unwrap().is_clean());
    for one in &uids {
        for second in [7000, 7333, 8000, 8999] {
            assert_eq!(states(&mut recording, one, at(second)), states(&mut reader, one, at(second)));
        }
        let key = SeriesKey::of(SeriesId::Cpu);
        let points = |reader: &Reader| reader.charts().points(one, &key, at(7001), at(9000)).unwrap();
        assert_eq!(points(&recording), points(&reader));
    }
    let marks = EventFilter { kinds: vec![MarkKind::Bookmark], ..EventFilter::default() };
    assert_eq!(
        recording.events().list(&marks, at(0), at(9999)).unwrap()[0].what.to_string(),
        "here it began"
    );
    assert_eq!(states(&mut recording, &uid(&name(3)), at(8000)), []);

    // In again, into the history of somebody else; a second time nothing comes twice.
    let (other, other_key) = (Stage::new(), sealer());
    let all = Stretch { uids: Vec::new(), from: at(0), to: at(20_000) };
    let mut take = || {
        copy(&mut recording, &other.path(), Some(other_key.clone()), &all, &mut |_| {}, &mut |_| {}).unwrap()
    };
    assert_eq!(take().instances, 2);
    let again = take();
    assert_eq!((again.instances, again.left_out), (0, vec![name(1), name(2)]));
    let mut taken = Reader::open(&other.path(), Some(other_key.clone())).unwrap();
    assert!(taken.check().unwrap().is_clean());
    assert_eq!(states(&mut taken, &uids[0], at(8500)), states(&mut reader, &uids[0], at(8500)));
}

#[test]
fn a_recording_can_be_changed_on_its_way() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(1), 0..1800);
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    let file = stage.folder.path().join("scrubbed.db");
    let stretch = Stretch { uids: Vec::new(), from: at(0), to: at(1800) };
    let hidden = crate::world::info("host-1");
    let mut scrub = |kept: &mut Record| kept.info = hidden.clone();
    copy(&mut reader, &file, None, &stretch, &mut scrub, &mut |event| event.uid = Some(uid("host-1")))
        .unwrap();
    let mut scrubbed = Reader::open(&file, None).unwrap();
    let names: Vec<String> =
        scrubbed.instances().all().unwrap().iter().map(|info| info.id.to_string()).collect();
    assert_eq!(names, ["host-1"]);
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(name(0).len()).any(|part| part == name(0).as_bytes()));
}

fn released() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/engine/history/released")
}

/// Made by the version of dbtop that its name says. An older one is read by its writer, which takes it along.
#[test]
fn every_released_format_opens_with_everything_in_it() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(released()).unwrap().flatten().map(|file| file.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "db"));
    files.sort();
    assert!(!files.is_empty());
    for released in files {
        let stage = Stage::new();
        std::fs::copy(&released, stage.path()).unwrap();
        let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
        let mut reader = Reader::open(&stage.path(), None).unwrap();
        assert!(reader.check().unwrap().is_clean(), "{}", released.display());
        let past = states(&mut reader, &uid(&name(0)), at(2390));
        assert!(past.len() >= 14, "{}: {past:?}", released.display());
        let drawn =
            reader.charts().draw(&uid(&name(0)), &SeriesKey::of(SeriesId::Cpu), at(0), at(2400), 8).unwrap();
        assert_eq!(drawn.line.buckets.iter().map(|bucket| bucket.n).sum::<u32>(), 80);
        // And it goes on.
        feed(&mut engine, &mut World::new(1), 2400..9000);
        assert!(reader.check().unwrap().is_clean());
    }
}

/// Writes the fixture of this version: `DBTOP_FIXTURE=tests/engine/history/released/v1.db cargo test --test engine history::transfer::fixture`.
#[test]
fn fixture() {
    let Some(path) = std::env::var_os("DBTOP_FIXTURE").map(PathBuf::from) else { return };
    let mut engine = Engine::open(&path, None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(1), 0..2400);
    engine.seal(at(2400), LONG).unwrap();
    engine.close().unwrap();
}
