//! The window's size, and what an idle screen sends.

use crate::{
    harness::{Home, process::SimProcess, screen::Screen},
    key, until_pane,
};
use std::time::Duration;

#[test]
fn any_size_down_to_one_cell_and_back() {
    let home = Home::new();
    let mut s = Screen::start(&["--demo=12"], 120, 40, &home);
    s.until("the fleet", |t| t.contains("12 instances") && t.contains('✖'));
    for (pane, name) in [(b"1", "Fleet"), (b"2", "Activity"), (b"3", "Waits"), (b"4", "Blocking")] {
        s.keys(pane);
        until_pane(&mut s, name);
        for (cols, rows) in [(80, 24), (40, 10), (39, 9), (20, 5), (5, 40), (120, 1), (3, 2), (1, 1)] {
            s.resize_seen(cols, rows);
            s.keys(key::DOWN);
            if (cols, rows) == (39, 9) {
                s.until("it says what is wrong", |t| t.contains("small"));
            }
            if rows >= 10 && cols >= 40 {
                until_pane(&mut s, name);
            }
        }
        s.resize_seen(200, 60);
        until_pane(&mut s, name);
        s.until("a whole frame", |t| {
            let (first, last) = (t.lines().next().unwrap_or(""), t.lines().last().unwrap_or(""));
            first.contains("LIVE") && last.contains("help") && last.contains("polled")
        });
    }
    // layers, too
    let layers: [(&[u8], &[u8], &str); 5] = [
        (b"?", key::ESC, "Keys · Blocking"),
        (b":", key::ESC, "─ go to ─"),
        (b"/", key::ESC, "Enter keeps"),
        (key::CTRL_G, key::ESC, "jump to"),
        (key::F12, key::F12, "dbtop itself"),
    ];
    for (open, close, shows) in layers {
        s.keys(open);
        s.until_shows(shows);
        for (cols, rows) in [(1, 1), (10, 3), (200, 60)] {
            s.resize_seen(cols, rows);
            s.keys(key::DOWN);
        }
        s.until_shows(shows);
        until_header(&mut s);
        s.keys(close);
        s.until("closed", |t| !t.contains(shows));
    }
    // Smaller and larger again before the program looks: what a terminal cut off comes back all the same.
    s.resize(20, 5);
    s.resize_seen(200, 60);
    until_pane(&mut s, "Blocking");
    until_header(&mut s);
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}

fn until_header(s: &mut Screen) {
    s.until("the header", |t| t.lines().next().is_some_and(|l| l.contains("demo") && l.contains("LIVE")));
}

#[test]
fn a_program_that_starts_in_one_cell_lives() {
    let home = Home::new();
    let mut s = Screen::start(&["--demo=2"], 1, 1, &home);
    s.until_looks("the alternate screen", vt100::Screen::alternate_screen);
    s.keys(b"234");
    s.resize(100, 30);
    until_pane(&mut s, "Blocking");
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}

#[test]
fn an_idle_screen_sends_little() {
    let home = Home::new();
    let sim = SimProcess::start(20, 0, None);
    let mut s = Screen::start(&["--inventory", &sim.inventory()], 120, 40, &home);
    s.until_shows("20/20 polled");
    // Still at the start: second samples, figures that come in late.
    s.run_for(Duration::from_secs(5));
    let (bytes, seconds) = (s.bytes, 8);
    s.run_for(Duration::from_secs(seconds));
    let live = (s.bytes - bytes) / seconds;
    s.keys(b"p");
    s.until_shows("PAUSED");
    let bytes = s.bytes;
    s.run_for(Duration::from_secs(3));
    let paused = (s.bytes - bytes) / 3;
    println!("idle: {live} bytes a second live, {paused} paused");
    assert!(paused > 0, "the clock goes on");
    assert!(paused < 400, "{paused} bytes a second for a clock");
    assert!(live < 3_000, "{live} bytes a second on a calm fleet");
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
}
