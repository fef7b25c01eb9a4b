//! The window's size, and what an idle screen sends.

use super::{key, until_pane};
use crate::harness::{Home, process::SimProcess, screen::Screen};
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

/// Updates of the screen in what a program wrote.
fn frames(raw: &[u8]) -> usize {
    const END: &[u8] = b"\x1b[?2026l";
    raw.windows(END.len()).filter(|w| *w == END).count()
}

#[test]
fn a_slow_line_gets_half_the_frames_and_no_sparklines() {
    const BUSY: &str = "
        [[event]]
        on = \"*\"
        kind = \"blocking_storm\"
        [[event]]
        on = \"*\"
        kind = \"cpu_storm\"
    ";
    let home = Home::new();
    let sim = SimProcess::start(20, 0, Some(BUSY));
    let inventory = sim.inventory();
    let mut usual = Screen::start(&["--inventory", &inventory], 120, 40, &home);
    let mut slow = Screen::start(&["--inventory", &inventory, "--low-bandwidth"], 120, 40, &home);
    usual.until_shows("20/20 polled");
    slow.until_shows("20/20 polled");
    // One instance is on the screen: it is polled every other second, so that there is something to send.
    for s in [&mut usual, &mut slow] {
        s.keys(key::ENTER);
        until_pane(s, "Instance");
    }
    // What the pane is first drawn with is sent once, on a slow line in several frames: it is no part of the going on.
    for _ in 0..60 {
        usual.run_for(Duration::from_millis(50));
        slow.run_for(Duration::from_millis(50));
    }
    let start = [&usual, &slow].map(|s| (s.bytes, s.raw.len()));
    for _ in 0..100 {
        usual.run_for(Duration::from_millis(50));
        slow.run_for(Duration::from_millis(50));
    }
    let [(usual_bytes, usual_frames), (slow_bytes, slow_frames)] = [(&usual, start[0]), (&slow, start[1])]
        .map(|(s, (bytes, at))| (s.bytes - bytes, frames(&s.raw[at..])));
    println!(
        "in ten seconds: {usual_bytes} bytes in {usual_frames} frames, on a slow line {slow_bytes} in {slow_frames}"
    );
    assert!(slow_frames > 0, "it goes on");
    assert!(slow_frames * 2 <= usual_frames, "{slow_frames} frames, usually {usual_frames}");
    assert!(slow_bytes * 3 <= usual_bytes * 2, "{slow_bytes} bytes, usually {usual_bytes}");
    for s in [&mut usual, &mut slow] {
        s.keys(key::ESC);
        until_pane(s, "Fleet");
    }
    usual.until("sparklines", |t| t.contains(SPARKS));
    assert!(!slow.text().contains(SPARKS), "{}", slow.text());
    // A key is answered at once all the same.
    slow.keys(b"3");
    until_pane(&mut slow, "Waits");
}

/// What only sparklines are made of; bars of groups are `▇`.
const SPARKS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '█'];
