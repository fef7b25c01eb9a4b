//! History on a disk that is full, read-only, failing or damaged, and with a clock that goes back. In each case the writer says
//! so in words, keeps the newest records, and continues by itself afterwards.
//!
//! A file system of a few megabytes needs a mount of our own (`unshare`, as root); where that is not allowed the test of it
//! says so and ends. A disk that turns read-only under an open file cannot be made here: the kernel refuses to remount it.

use crate::world::{LONG, START, Stage, World, at, feed, name, uid};
use dbtop::{
    model::{
        poll::id::{SeriesId, SeriesKey},
        timeline::record::Record,
    },
    store::history::{Engine, EventFilter, Options, Reader, StoreHealth, Writer, WriterStats},
};
use std::{
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

/// Waits until the writer says what is wanted.
fn wait(
    stats: &tokio::sync::watch::Receiver<WriterStats>,
    what: &str,
    wanted: impl Fn(&WriterStats) -> bool,
) -> WriterStats {
    let started = Instant::now();
    loop {
        let now = stats.borrow().clone();
        if wanted(&now) {
            return now;
        }
        assert!(started.elapsed() < Duration::from_secs(40), "{what}: {now:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a fleet told, moved to end about now: the writer seals by the clock of the machine.
fn recent(world: &mut World, second: i64) -> Vec<Record> {
    let clock = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let shift = clock.as_millis() as i64 - START.ms() - second * 1000;
    let mut batch = world.round(second);
    for kept in &mut batch {
        kept.at = kept.at.plus_ms(shift);
    }
    batch
}

#[test]
fn the_cap_takes_what_was_never_sealed() {
    let stage = Stage::new();
    let max_bytes = 3 << 20;
    let mut engine = Engine::open(&stage.path(), None, Options { max_bytes, ..Options::default() }).unwrap();
    let mut world = World::new(20);
    let mut evicted = 0;
    for second in (0..8 * 3600).step_by(30) {
        engine.take(world.round(second));
        engine.commit().unwrap();
        evicted += engine.clean_up(at(0), LONG).unwrap().evicted;
    }
    assert!(evicted > 0 && engine.evicted_until_ms() > START.ms());
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    assert!(
        reader.states().at(&[uid(&name(3))], at(8 * 3600)).unwrap().kept.len() > 10,
        "the newest is there"
    );
    assert!(reader.check().unwrap().is_clean());
}

#[test]
fn the_cap_takes_the_oldest_and_keeps_the_file_small() {
    let stage = Stage::new();
    let max_bytes = 6 << 20;
    let mut engine = Engine::open(&stage.path(), None, Options { max_bytes, ..Options::default() }).unwrap();
    let mut world = World::new(20);
    let mut evicted = 0;
    for second in (0..8 * 3600).step_by(30) {
        engine.take(world.round(second));
        engine.commit().unwrap();
        engine.seal(at(second), LONG).unwrap();
        evicted += engine.clean_up(at(second), LONG).unwrap().evicted;
        assert!(std::fs::metadata(stage.path()).unwrap().len() <= max_bytes);
    }
    assert!(evicted > 0 && engine.evicted_until_ms() > START.ms());
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    assert!(
        reader.states().at(&[uid(&name(3))], at(8 * 3600)).unwrap().kept.len() > 10,
        "the newest is there"
    );
    let drawn =
        reader.charts().draw(&uid(&name(3)), &SeriesKey::of(SeriesId::Cpu), at(0), at(8 * 3600), 96).unwrap();
    assert!(drawn.line.buckets.len() > 80, "roll-ups stay when points go: {}", drawn.line.buckets.len());
    assert!(reader.check().unwrap().is_clean());
}

#[test]
fn what_is_too_old_goes_tier_by_tier() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(2), 0..6 * 3600);
    let day = 86_400;
    engine.seal(at(day), LONG).unwrap();
    let reader = Reader::open(&stage.path(), None).unwrap();
    let rows =
        |name: &str| reader.stats().all().unwrap().tiers.iter().find(|tier| tier.name == name).unwrap().rows;
    assert!(rows("states") > 40 && rows("points, sealed chunks") > 20 && rows("events") < 50);
    assert_eq!((rows("not sealed yet"), rows("points, open chunks")), (0, 0));
    engine.clean_up(at(14 * day), LONG).unwrap();
    assert!(rows("states") > 40);
    engine.clean_up(at(15 * day), LONG).unwrap();
    assert_eq!(rows("states"), 0);
    assert!(rows("points, sealed chunks") > 20);
    engine.clean_up(at(31 * day), LONG).unwrap();
    assert_eq!(rows("points, sealed chunks"), 0);
    assert_eq!((rows("roll-ups of 5 min"), rows("roll-ups of 1 h"), rows("roll-ups of 1 day")), (22, 22, 22));
    engine.clean_up(at(92 * day), LONG).unwrap();
    engine.clean_up(at(410 * day), LONG).unwrap();
    assert_eq!((rows("roll-ups of 5 min"), rows("roll-ups of 1 h"), rows("roll-ups of 1 day")), (0, 0, 22));
    assert_eq!(rows("texts"), 0);
    let stats = reader.stats().all().unwrap();
    assert!(stats.free_bytes < 3 << 20, "free pages are given back: {stats:?}");
}

#[test]
fn other_options_are_in_force_with_the_next_pass() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(1), 0..3 * 3600);
    let day = 86_400;
    engine.seal(at(day), LONG).unwrap();
    engine.clean_up(at(10 * day), LONG).unwrap();
    let reader = Reader::open(&stage.path(), None).unwrap();
    let states =
        || reader.stats().all().unwrap().tiers.iter().find(|tier| tier.name == "states").unwrap().rows;
    assert!(states() > 5);
    engine.take_options(Options { state_days: 5, ..Options::default() }).unwrap();
    engine.clean_up(at(10 * day), LONG).unwrap();
    assert_eq!(states(), 0);
}

#[test]
fn a_damaged_page_costs_what_was_on_it() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(12), 0..4 * 3600);
    engine.close().unwrap();
    let clean = Reader::open(&stage.path(), None).unwrap().check().unwrap();
    assert!(clean.is_clean() && clean.rows > 1000, "{clean:?}");
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(stage.path()).unwrap();
    let length = file.metadata().unwrap().len();
    // Pages in the middle: of blobs, mostly.
    for part in 3..7 {
        file.seek(SeekFrom::Start(length / 10 * part / 8192 * 8192 + 100)).unwrap();
        file.write_all(&[0x5a; 4000]).unwrap();
    }
    drop(file);
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    let checked = reader.check().unwrap();
    assert!(!checked.is_clean() && !checked.words.is_empty(), "{checked:?}");
    let uids: Vec<Arc<str>> = (0..12).map(|n| uid(&name(n))).collect();
    let (mut whole, mut told) = (0, 0);
    for second in (600..4 * 3600).step_by(900) {
        for one in &uids {
            match reader.states().at(std::slice::from_ref(one), at(second)) {
                Ok(past) => {
                    whole += usize::from(past.damaged.is_empty());
                    told += past.damaged.len();
                }
                Err(error) => {
                    told += 1;
                    assert!(error.to_string().contains("dbtop store"), "{error}");
                }
            }
            let _ = reader.charts().draw(one, &SeriesKey::of(SeriesId::Cpu), at(0), at(4 * 3600), 500);
        }
    }
    assert!(told > 0, "damage is told");
    assert!(whole > told, "{whole} moments are whole, {told} are not");
    // A stretch of time over it, too, loses only what was there.
    let pasts: Vec<_> =
        uids.iter().map(|one| reader.states().between(one, at(0), at(4 * 3600)).unwrap()).collect();
    let readings: usize = pasts.iter().map(|past| past.kept.len()).sum();
    assert!(readings > 12 * 4 * 120 * 4, "{readings} readings are left");
    assert!(pasts.iter().any(|past| past.damaged.iter().any(|words| words.starts_with("15 min of"))));
    // A backup of before takes its place, and a damaged one does not.
    let other = Stage::new();
    let mut engine = Engine::open(&other.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(1), 0..600);
    engine.close().unwrap();
    let backup = other.folder.path().join("b.db");
    Reader::open(&other.path(), None).unwrap().backup(&backup).unwrap();
    let error = dbtop::store::history::restore(&stage.path(), &other.path(), None).unwrap_err().to_string();
    assert!(error.contains("damaged") && error.contains("nothing was changed"), "{error}");
    drop(reader);
    let old = dbtop::store::history::restore(&backup, &stage.path(), None).unwrap().unwrap();
    assert!(old.exists());
    let restored = Reader::open(&stage.path(), None).unwrap();
    assert!(restored.check().unwrap().is_clean());
    assert_eq!(
        restored.stats().span().unwrap(),
        Reader::open(&other.path(), None).unwrap().stats().span().unwrap()
    );
}

#[test]
fn a_file_cut_short_or_overwritten_is_an_error_in_words_and_no_panic() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(3), 0..3600);
    engine.close().unwrap();
    let whole = std::fs::read(stage.path()).unwrap();
    for length in [0, 50, 512, 8192, 20_000, whole.len() / 2, whole.len() - 100] {
        std::fs::write(stage.path(), &whole[..length]).unwrap();
        let looked = Reader::open(&stage.path(), None).and_then(|mut reader| {
            let checked = reader.check()?;
            let past = reader.states().at(&[uid(&name(1))], at(3000))?;
            Ok((checked, past))
        });
        match looked {
            Ok((checked, _)) => assert!(!checked.is_clean(), "{length} bytes of {}", whole.len()),
            Err(error) => assert!(error.to_string().contains("history.db"), "{error}"),
        }
    }
}

#[test]
fn a_clock_that_goes_back_makes_no_negative_time() {
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    let mut world = World::new(2);
    feed(&mut engine, &mut world, 0..3600);
    // Twenty minutes back, and on from there, for three hours.
    feed(&mut engine, &mut world, 2400..4 * 3600);
    let mut reader = Reader::open(&stage.path(), None).unwrap();
    assert!(reader.check().unwrap().is_clean());
    for second in [2000, 3000, 3500, 5000, 14_000] {
        let past = reader.states().at(&[uid(&name(0))], at(second)).unwrap();
        assert!(past.damaged.is_empty() && past.kept.iter().all(|kept| kept.at <= at(second)));
        let newest = past.kept.iter().map(|kept| kept.at).max().unwrap();
        assert!(newest > at(second - 61), "at {second}: {}", (newest - START) / 1000);
    }
    let points =
        reader.charts().points(&uid(&name(0)), &SeriesKey::of(SeriesId::Cpu), at(0), at(4 * 3600)).unwrap();
    assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0), "in the order of time");
    for event in reader.events().list(&EventFilter::default(), at(0), at(5 * 3600)).unwrap() {
        assert!(event.to.is_none_or(|to| to >= event.at), "{event:?}");
    }
}

#[test]
fn the_writer_says_how_it_fares_and_a_full_queue_makes_the_sender_wait() {
    let stage = Stage::new();
    let (recorder, writer) = Writer::start(&stage.path(), None, Options::default()).unwrap();
    let mut world = World::new(10);
    let mut sent = 0;
    for second in (0..300).step_by(30) {
        let batch = recent(&mut world, second);
        sent += batch.len() as u64;
        recorder.blocking_send(batch).unwrap();
    }
    let stats = wait(&writer.stats, "all is written", |stats| stats.rows == sent);
    assert!(
        stats.health.is_fine() && stats.lost == 0 && stats.backlog == 0 && stats.size_bytes > 0,
        "{stats:?}"
    );
    assert!(stats.points > sent && stats.series > 100 && stats.committed_at_ms > 0);
    // It ends when nobody sends any more, with everything written.
    let batch = recent(&mut world, 300);
    sent += batch.len() as u64;
    recorder.blocking_send(batch).unwrap();
    drop(recorder);
    writer.join().unwrap();
    let stats = Reader::open(&stage.path(), None).unwrap().stats().all().unwrap();
    assert_eq!(stats.tiers.iter().find(|tier| tier.name == "not sealed yet").unwrap().rows, sent);
}

/// Runs a test of this file again, below a shell that prepares something for it first.
fn again(test: &str, prepare: &str, folder: &Path) -> Option<std::process::Output> {
    let program = std::env::current_exe().unwrap();
    let script = format!(
        "{prepare}; exec \"{}\" --exact {} --nocapture --test-threads=1",
        program.display(),
        crate::again::path(module_path!(), test)
    );
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .env("DBTOP_FAIL_FOLDER", folder)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let refused =
        said.contains("unshare failed") || said.contains("mount:") || said.contains("not permitted");
    if refused {
        println!("not tested here, no mount of our own: {said}");
        return None;
    }
    assert!(String::from_utf8_lossy(&output.stdout).contains("running 1 test"), "{test} was found again");
    Some(output)
}

#[test]
fn a_full_disk_is_told_and_over_when_it_is_over() {
    if let Some(folder) = std::env::var_os("DBTOP_FAIL_FOLDER") {
        return fill_and_free(Path::new(&folder));
    }
    let stage = Stage::new();
    let folder = stage.folder.path().display().to_string();
    let prepare = format!("mount -t tmpfs -o size=12m tmpfs '{folder}' || exit 9");
    if let Some(output) = again("a_full_disk_is_told_and_over_when_it_is_over", &prepare, stage.folder.path())
    {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn fill_and_free(folder: &Path) {
    let (recorder, writer) = Writer::start(&folder.join("history.db"), None, Options::default()).unwrap();
    let mut world = World::new(30);
    let mut taken = 0;
    let mut send = |second: i64| {
        let batch = recent(&mut world, second);
        taken += batch.len() as u64;
        recorder.blocking_send(batch).unwrap();
        taken
    };
    let first = send(0);
    wait(&writer.stats, "the first is written", |stats| stats.rows == first);
    let hog = folder.join("hog");
    let mut file = std::fs::File::create(&hog).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    drop(file);
    for round in 1..40 {
        send(round * 30);
    }
    let stats = wait(&writer.stats, "it is told", |stats| !stats.health.is_fine());
    assert!(matches!(&stats.health, StoreHealth::Full(words) if words.contains("disk is full")), "{stats:?}");
    assert!(stats.backlog > 0 && stats.lost == 0);
    std::fs::remove_file(&hog).unwrap();
    let all = send(1200);
    let stats = wait(&writer.stats, "all is written by itself", |stats| stats.rows == all);
    assert!(stats.health.is_fine() && stats.backlog == 0 && stats.lost == 0, "{stats:?}");
    drop(recorder);
    writer.join().unwrap();
    assert!(Reader::open(&folder.join("history.db"), None).unwrap().check().unwrap().is_clean());
}

#[test]
fn a_file_size_limit_is_told_and_over_when_it_is_over() {
    if let Some(folder) = std::env::var_os("DBTOP_FAIL_FOLDER") {
        return limit_and_lift(Path::new(&folder));
    }
    let stage = Stage::new();
    let output = again("a_file_size_limit_is_told_and_over_when_it_is_over", ":", stage.folder.path());
    if let Some(output) = output {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn limit_and_lift(folder: &Path) {
    // It holds for every file that the process writes: nothing may be printed to a file meanwhile.
    let limit = |bytes: &str| {
        let pid = std::process::id().to_string();
        Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")])
            .status()
            .is_ok_and(|s| s.success())
    };
    let options = Options { backlog_bytes: 200_000, ..Options::default() };
    // As the program does it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { dbtop::app::signals::survive_file_size_limit() });
    let (recorder, writer) = Writer::start(&folder.join("history.db"), None, options).unwrap();
    let mut world = World::new(30);
    recorder.blocking_send(recent(&mut world, 0)).unwrap();
    wait(&writer.stats, "the first is written", |stats| stats.rows > 0);
    if !limit("4096") {
        println!("not tested here: no prlimit");
        return;
    }
    for round in 1..40 {
        recorder.blocking_send(recent(&mut world, round * 30)).unwrap();
    }
    let stats = wait(&writer.stats, "it is told and the oldest are counted", |stats| {
        !stats.health.is_fine() && stats.lost > 0
    });
    assert_eq!(stats.health.sign(), "file size limit", "{stats:?}");
    assert!(stats.health.words().contains("history.db") && stats.health.words().contains("ulimit -f"));
    assert!(limit("unlimited"));
    let stats =
        wait(&writer.stats, "it goes on by itself", |stats| stats.health.is_fine() && stats.backlog == 0);
    assert!(stats.rows > 0 && stats.lost > 0);
    drop(recorder);
    writer.join().unwrap();
    assert!(Reader::open(&folder.join("history.db"), None).unwrap().check().unwrap().is_clean());
}

#[test]
fn a_read_only_disk_is_told_in_words() {
    if let Some(folder) = std::env::var_os("DBTOP_FAIL_FOLDER") {
        let path = Path::new(&folder).join("history.db");
        let error = Writer::start(&path, None, Options::default()).err().unwrap();
        assert!(matches!(StoreHealth::of(&error), StoreHealth::ReadOnly(_)), "{error}");
        // It can be read all the same.
        let mut reader = Reader::open(&path, None).unwrap();
        assert!(!reader.states().at(&[uid(&name(0))], at(500)).unwrap().kept.is_empty());
        return;
    }
    let stage = Stage::new();
    let mut engine = Engine::open(&stage.path(), None, Options::default()).unwrap();
    feed(&mut engine, &mut World::new(1), 0..600);
    engine.close().unwrap();
    let folder = stage.folder.path().display().to_string();
    let prepare =
        format!("mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}' || exit 9");
    if let Some(output) = again("a_read_only_disk_is_told_in_words", &prepare, stage.folder.path()) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_disk_that_never_comes_back_costs_the_oldest_and_they_are_counted() {
    let stage = Stage::new();
    let options = Options { max_bytes: 1, backlog_bytes: 100_000, ..Options::default() };
    let mut engine = Engine::open(&stage.path(), None, options).unwrap();
    let mut world = World::new(20);
    let mut told = 0_u64;
    let mut failed = 0;
    for second in (0..3600).step_by(30) {
        let batch = world.round(second);
        told += batch.len() as u64;
        engine.take(batch);
        failed += u64::from(engine.commit().is_err());
    }
    assert!(failed > 10 && engine.lost > 0);
    let mut text = String::new();
    let _ = std::fs::File::open(stage.path()).unwrap().take(16).read_to_string(&mut text);
    assert!(text.starts_with("SQLite format 3"));
    let stats = Reader::open(&stage.path(), None).unwrap().stats().all().unwrap();
    let written = stats.tiers.iter().find(|tier| tier.name == "not sealed yet").unwrap().rows;
    assert_eq!(written + engine.backlog() as u64 + engine.lost, told, "nothing is lost uncounted");
}
