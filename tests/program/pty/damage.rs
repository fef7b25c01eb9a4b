//! A history with damaged bytes, looked at from a screen of 80 × 24: what is missing is said for as long as one stands at such
//! an instant, the rest is shown, and other instants are whole.

use super::key;
use crate::{
    harness::{Home, find, process::SimProcess, screen::Screen},
    world::{START, World, name},
};
use dbtop::{
    model::inventory::instance::InstanceInfo,
    store::history::{Engine, Options},
};
use std::{path::Path, sync::Arc, time::Duration};

/// Longer than a message stands on the screen.
const LONGER_THAN_A_MESSAGE: Duration = Duration::from_secs(7);

/// Two hours of three of the simulated instances, as the history of this plain inventory.
fn history(file: &Path) {
    let mut engine = Engine::open(file, None, Options::default()).expect("a history");
    let mut world = World::new(4);
    for second in (0..7200).step_by(30) {
        let mut batch = world.round(second);
        for kept in &mut batch {
            // A plain inventory knows its instances by their names.
            let uid = Arc::from(kept.info.id.as_str());
            kept.info = Arc::new(InstanceInfo { uid, ..(*kept.info).clone() });
        }
        engine.take(batch);
        engine.commit().expect("it is written");
        engine.seal(START.plus_ms((second + 30) * 1000), Duration::from_hours(1)).expect("it is sealed");
    }
    engine.close().expect("it is closed");
}

/// The block of an instance in which this second lies.
fn block(file: &Path, instance: &str, second: i64) -> (i64, Vec<u8>) {
    let sql = "SELECT state.no, blob FROM state JOIN instance ON instance.no = state.instance
        WHERE uid = ?1 AND start <= ?2 ORDER BY start DESC LIMIT 1";
    let history = rusqlite::Connection::open(file).expect("the history");
    let at = START.plus_ms(second * 1000).ms();
    history.query_row(sql, (instance, at), |row| Ok((row.get(0)?, row.get(1)?))).expect("a block")
}

/// One byte of a block, as if a disk had turned it.
fn turn_a_byte(file: &Path, instance: &str, second: i64) {
    let (_, blob) = block(file, instance, second);
    let mut bytes = std::fs::read(file).expect("the file");
    let part = &blob[40..72];
    let places: Vec<usize> =
        bytes.windows(part.len()).enumerate().filter(|(_, w)| *w == part).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the block is in the file");
    for at in places {
        bytes[at] ^= 0x10;
    }
    std::fs::write(file, bytes).expect("writing the file");
}

/// The page that has the row of a block: nothing of it makes sense any more.
fn spoil_a_page(file: &Path, instance: &str, second: i64) {
    let (no, _) = block(file, instance, second);
    let history = rusqlite::Connection::open(file).expect("the history");
    let ask = |sql: &str, n: i64| history.query_row(sql, [n], |row| row.get::<_, i64>(0)).expect("a page");
    // Leaves lie in the order of the rows, each with some of them.
    let before = ask("SELECT count(*) FROM state WHERE no < ?1", no);
    let leaf = ask(
        "SELECT pageno FROM (SELECT pageno, path, sum(ncell) OVER (ORDER BY path) AS cells FROM dbstat
            WHERE name = 'state' AND pagetype = 'leaf') WHERE cells > ?1 ORDER BY path LIMIT 1",
        before,
    );
    let size = ask("SELECT page_size + ?1 FROM pragma_page_size", 0);
    drop(history);
    let mut bytes = std::fs::read(file).expect("the file");
    let from = usize::try_from((leaf - 1) * size).expect("a place");
    bytes[from..from + 64].fill(0xee);
    std::fs::write(file, bytes).expect("writing the file");
}

#[track_caller]
fn go_to(s: &mut Screen, time: &str) {
    s.keys(format!("t2026-10-01 {time}").as_bytes());
    s.keys(key::ENTER);
    s.until_shows(&format!("PAST 10-01 {time} UTC, "));
}

#[test]
fn damage_is_said_for_as_long_as_one_stands_there_and_the_rest_is_shown() {
    let (sim, home) = (SimProcess::start(4, 0, None), Home::new());
    // What is seven weeks old is still kept.
    std::fs::write(home.path().join("config.toml"), "[history]\nraw_days = 3650\nstate_days = 3650\n")
        .expect("a file");
    let start = || {
        let mut s = Screen::start(&["--inventory", &sim.inventory()], 80, 24, &home);
        s.until("all are polled", |t| t.contains("4/4 polled"));
        s
    };
    let ends = |mut s: Screen| {
        s.keys(b"q");
        assert_eq!(s.ended(), 0);
        s.assert_restored();
    };
    ends(start());
    let file = find(&home.path(), "history.db");
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", file.display()));
    }
    history(&file);
    turn_a_byte(&file, &name(1), 3000);
    spoil_a_page(&file, &name(2), 6000);

    let mut s = start();
    go_to(&mut s, "00:52:00");
    let damage = format!("damaged: 15 min of {}", name(1));
    s.until_shows(&damage);
    s.until("the message goes", |t| !t.contains("history is damaged here"));
    s.run_for(LONGER_THAN_A_MESSAGE);
    let text = s.text();
    assert!(text.contains(&damage) && text.contains("◀ PAST 10-01 00:52:00 UTC, "), "{text}");
    assert!(
        text.lines()
            .nth(1)
            .is_some_and(|tabs| tabs.contains("1 Fleet   2   3   4") && tabs.contains(&damage)),
        "{text}"
    );
    // Below the frame, whose second line names an instance, too.
    let figures = |s: &Screen, n: usize| {
        let text = s.text();
        let row = text.lines().skip(2).find(|row| row.contains(&name(n))).expect("its row");
        row.chars().filter(char::is_ascii_digit).count()
    };
    assert!(figures(&s, 2) > figures(&s, 1), "the others are there: {text}");
    // In every pane, and not where it is whole.
    s.keys(b"3");
    s.until("the pane of waits", |t| t.contains("─ Waits") && t.contains(&damage));
    s.keys(b"1");
    go_to(&mut s, "00:20:00");
    s.until("it is whole", |t| !t.contains("damaged"));
    go_to(&mut s, "01:41:00");
    s.until("the page is missing", |t| t.contains("damaged: "));
    s.keys(b"T");
    s.until("the present is whole", |t| t.contains("▶ LIVE") && !t.contains("damaged: "));
    ends(s);
}
