//! kill -9 of the writer at random moments: no more than the end is lost, and the file is whole.
//!
//! `cargo test` kills a few times; `DBTOP_KILL_ROUNDS=100 cargo test --test engine history::kill` kills as often. The victim is this
//! test binary itself, started again with `DBTOP_HISTORY_VICTIM` set.

use crate::world::{START, Stage, World, name, uid};
use dbtop::{
    model::base::time::Timestamp,
    store::history::{Options, Reader, Writer},
};
use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

fn clock_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Records a fleet until it is killed: a batch every 20 ms, each thing with the time of now. Not a test of its own.
#[test]
fn victim() {
    let Some(path) = std::env::var_os("DBTOP_HISTORY_VICTIM").map(PathBuf::from) else { return };
    let (recorder, _writer) = Writer::start(&path, None, Options::default()).unwrap();
    let mut world = World::new(20);
    let mut second = clock_ms() / 1000 % 86_400 / 30 * 30;
    loop {
        second += 30;
        let mut batch = world.round(second);
        let now = clock_ms();
        for (nth, kept) in batch.iter_mut().enumerate() {
            // Some of it so old that it is sealed at once: sealing is under fire, too.
            let old = if nth % 3 == 0 { 900_000 + (second % 7) * 600_000 } else { 0 };
            kept.at = Timestamp::from_ms(now - old);
        }
        recorder.blocking_send(batch).unwrap();
        println!("\n>{now}");
        std::io::stdout().flush().unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_killed_writer_loses_no_more_than_its_end() {
    let rounds = std::env::var("DBTOP_KILL_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_u64);
    let stage = Stage::new();
    let (mut worst, mut dice) = (0, crate::world::Dice::new(clock_ms() as u64));
    for round in 0..rounds {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                &crate::again::path(module_path!(), "victim"),
                "--nocapture",
                "--test-threads=1",
            ])
            .env("DBTOP_HISTORY_VICTIM", stage.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(victim.stdout.take().unwrap());
        let mut lines = out.lines();
        assert!(lines.by_ref().map_while(Result::ok).any(|line| line.starts_with('>')), "it never began");
        let (started, wait) = (Instant::now(), Duration::from_millis(6000 + dice.below(1500)));
        let mut last = 0;
        for line in lines.by_ref().map_while(Result::ok) {
            last = line.strip_prefix('>').and_then(|at| at.parse().ok()).unwrap_or(last);
            if started.elapsed() > wait {
                break;
            }
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            last = line.strip_prefix('>').and_then(|at| at.parse().ok()).unwrap_or(last);
        }
        let mut reader = Reader::open(&stage.path(), None).unwrap();
        let checked = reader.check().unwrap();
        assert!(checked.is_clean(), "round {round}: {checked:?}");
        let past = reader.states().at(&[uid(&name(1))], Timestamp::from_ms(i64::MAX / 2)).unwrap();
        let newest = past.kept.iter().map(|kept| kept.at.ms()).max().unwrap();
        worst = worst.max(last - newest);
        println!("round {round}: {} rows, {} ms lost", checked.rows, last - newest);
        assert!(newest > START.ms() && last > 0);
        // It lived for 6 s and more, so a writer that commits now and then only has lost more than this. The second is what the
        // benchmark `kill` holds it to: here other tests run beside it.
        assert!(last - newest <= 4000, "round {round}: {} ms lost", last - newest);
    }
    println!("{rounds} kills: at most {worst} ms lost");
}
