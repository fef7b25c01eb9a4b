//! The first screen.

use super::until_pane;
use crate::harness::{
    Home, names,
    process::{self, run},
    screen::{Screen, dbtop},
};

/// Rows of the fleet, as they stand: glyph, name, score (None: a dash).
fn fleet_rows(screen: &str) -> Vec<(char, String, Option<u32>)> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let glyph = words.next()?.chars().next().filter(|c| "✖▲●○◌".contains(*c))?;
        let name = words.next().filter(|name| name.starts_with("sql"))?;
        Some((glyph, name.to_owned(), words.next()?.parse().ok()))
    };
    screen.lines().filter_map(row).collect()
}

#[test]
fn the_demo_shows_the_worst_first_with_reasons_and_leaves_nothing_behind() {
    let home = Home::new();
    let mut s = Screen::start(&["--demo"], 140, 50, &home);
    s.until("the header", |t| t.contains("dbtop  demo") && t.contains("LIVE"));
    assert!(s.first_paint.is_some() && s.is_alternate());
    assert!(!s.modes().contains("ICANON") && !s.modes().contains("ECHO |"), "raw mode: {}", s.modes());
    s.until("all who can be polled are", |t| t.contains("39/40 polled"));
    // Readers of the screen follow the hardware cursor: it is on the first row of the table, and goes with the selection.
    let (top, left) = s.look().cursor_position();
    assert!(
        !s.look().hide_cursor()
            && left == 0
            && s.text().lines().nth(usize::from(top)).unwrap().contains("sql")
    );
    s.until("reasons in words", |t| {
        let reason = |name: &str, words: &str| {
            t.lines().any(|row| row.contains(name) && row.contains('✖') && row.contains(words))
        };
        reason("sqlprd-014", "14 sessions blocked")
            && reason("sqlrep-001", "unreachable")
            && reason("sqlprd-009", "% free")
            && t.lines().any(|row| row.contains("sqltst-004") && row.contains("VIEW SERVER STATE"))
    });
    let rows = fleet_rows(&s.text());
    assert!(rows.len() >= 20, "{}", s.text());
    // What nobody has judged yet stands among what nobody can judge.
    let rank = |glyph: char| "✖▲○●".chars().position(|c| c == if glyph == '◌' { '○' } else { glyph });
    assert!(rows.is_sorted_by_key(|(glyph, ..)| rank(*glyph)), "worst first: {rows:?}");
    // What cannot be reached has no points left.
    let critical: Vec<_> = rows.iter().filter(|r| r.0 == '✖').map(|r| r.2).collect();
    assert!(
        critical.len() >= 3 && critical[0] == Some(0) && critical.is_sorted(),
        "the dead first: {rows:?}"
    );
    assert!(
        names(&home.tmp()).iter().any(|n| n.starts_with("dbtop-sim-")),
        "the demo's folder is where it should be"
    );
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
    home.assert_nothing_left();
    assert!(names(&home.path()).is_empty(), "nor in the user's own folder: {:?}", names(&home.path()));
}

#[test]
fn without_instances_the_screen_teaches() {
    let home = Home::new();
    let mut s = Screen::start(&[], 100, 30, &home);
    s.until("how to go on", |t| {
        t.contains("No instances yet") && t.contains("dbtop --demo") && t.contains("dbtop --inventory")
    });
    for piece in ["[[instance]]", "name = ", "host = ", "user = ", "password = { env = "] {
        assert!(s.text().contains(piece), "{piece}\n{}", s.text());
    }
    // every key works here, too, and the help is one key away
    for (key, pane) in [(b"2", "Activity"), (b"3", "Waits"), (b"4", "Blocking"), (b"1", "Fleet")] {
        s.keys(key);
        until_pane(&mut s, pane);
    }
    s.keys(b"?");
    s.until_shows("all about the row");
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}

#[test]
fn no_color_is_honoured() {
    let home = Home::new();
    let mut command = dbtop(&["--demo=12"], &home);
    command.env("NO_COLOR", "1");
    command.env("COLORTERM", "truecolor");
    let mut s = Screen::start_command(command, 120, 40);
    s.until("glyphs tell what colour does elsewhere", |t| t.contains('✖') && t.contains('●'));
    for (key, pane) in [(b"2", "Activity"), (b"3", "Waits"), (b"4", "Blocking")] {
        s.keys(key);
        until_pane(&mut s, pane);
    }
    s.keys(b"?");
    s.until_shows("Keys");
    let coloured: Vec<String> = colours(&s.raw);
    assert!(coloured.is_empty(), "{coloured:?}");
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0);
}

/// The colours that an output sets: every SGR parameter that is neither the default colour nor a mere attribute.
fn colours(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let sequences = text.split("\x1b[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        rest[end..].starts_with('m').then(|| rest[..end].to_owned())
    });
    let is_colour = |n: u16| matches!(n, 30..=38 | 40..=48 | 58 | 90..=107);
    sequences.filter(|s| s.split([';', ':']).filter_map(|n| n.parse().ok()).any(is_colour)).collect()
}

#[test]
fn without_a_terminal_it_says_so() {
    let home = Home::new();
    let ended = run(&mut process::dbtop(&["--demo=1"], &home));
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("terminal") && ended.stderr.contains("dbtop once"), "{}", ended.stderr);
    assert!(ended.stdout.is_empty(), "no escape sequences in a pipe: {:?}", ended.stdout);
    home.assert_nothing_left();
}

#[test]
fn where_the_locale_is_not_utf8_everything_is_drawn_in_ascii() {
    for (name, value) in [("LC_ALL", "C"), ("LC_ALL", "POSIX"), ("LC_CTYPE", "en_US.ISO-8859-1")] {
        let home = Home::new();
        let mut command = dbtop(&["--demo=6"], &home);
        command.env(name, value);
        let mut s = Screen::start_command(command, 140, 40);
        s.until("the fleet", |t| {
            t.contains("> LIVE") && t.contains("6 instances") && t.contains("- Fleet -")
        });
        s.until("health", |t| t.lines().any(|l| l.trim_start().starts_with('o') && l.contains("sql")));
        for (keys, shows) in
            [(&b"2"[..], "- Activity -"), (b"3", "- Waits -"), (b"1\r", "cpu"), (b"?", "Keys")]
        {
            s.keys(keys);
            s.until(shows, |t| t.to_lowercase().contains(&shows.to_lowercase()));
        }
        assert!(s.raw.is_ascii(), "{name}={value}: {}", String::from_utf8_lossy(&s.raw));
        s.keys(b"\x03\x03");
        assert_eq!(s.ended(), 0);
        s.assert_restored();
    }
}

#[test]
fn the_configuration_is_stronger_than_the_locale() {
    let home = Home::new();
    let mut command = dbtop(&["--demo=6"], &home);
    command.env("LC_ALL", "C");
    command.env("DBTOP_UI_GLYPHS", "unicode");
    let mut s = Screen::start_command(command, 140, 40);
    s.until_shows("▶ LIVE");
    let mut command = dbtop(&["--demo=6"], &home);
    command.env("DBTOP_UI_GLYPHS", "ascii");
    let mut s = Screen::start_command(command, 140, 40);
    s.until_shows("> LIVE");
    let mut command = process::dbtop(&["once", "fleet", "--demo=2"], &home);
    let told = run(command.env("LC_ALL", "C"));
    assert!(told.stdout.is_ascii() && told.stdout.contains("sqlprd-001"), "{told:?}");
}
