//! A tour of the demo by keys: each step asserts what a person would look for next.

use super::{key, until_pane};
use crate::harness::{Home, screen::Screen};

/// The demo, as soon as the blocked instance is known and most others are polled.
fn demo(args: &[&str], home: &Home) -> Screen {
    let mut s = Screen::start(args, 140, 45, home);
    s.until("the fleet", |t| t.contains("14 sessions blocked") && t.contains("39/40 polled"));
    s
}

fn quit(mut s: Screen, home: &Home) {
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
    home.assert_nothing_left();
}

/// Rows of the fleet on the screen: those that begin with a health glyph, marked or not.
fn instances(screen: &str) -> Vec<&str> {
    let row = |line: &&str| line.trim_start_matches([' ', '▌']).starts_with(['✖', '▲', '●', '○']);
    screen.lines().filter(row).filter(|row| row.contains("sql")).collect()
}

/// The names in them.
fn names(screen: &str) -> Vec<&str> {
    instances(screen)
        .iter()
        .filter_map(|row| row.split_whitespace().find(|word| word.starts_with("sql")))
        .collect()
}

#[test]
fn panes_and_the_way_from_a_reason_to_its_cause() {
    let home = Home::new();
    let mut s = demo(&["--demo"], &home);
    s.keys(b"2");
    until_pane(&mut s, "Activity");
    s.until("who runs what, and who is blocked", |t| t.contains("LCK_M_") && t.contains("SELECT"));
    s.keys(b"3");
    until_pane(&mut s, "Waits");
    s.until("waits by category", |t| t.contains("CATEGORY") && t.contains("■ Lock"));
    s.keys(b"4");
    until_pane(&mut s, "Blocking");
    s.until("the tree", |t| t.contains("1 chain, 14 sessions blocked") && t.contains("sleeping in tran"));
    assert!(s.text().contains("├ ") && s.text().contains("└ "), "{}", s.text());
    s.keys(b"1");
    until_pane(&mut s, "Fleet");
    // Into the blocked instance, by a few letters of its name.
    s.keys(key::CTRL_G);
    s.keys(b"prd-014");
    s.until_shows("sqlprd-014");
    s.keys(key::ENTER);
    until_pane(&mut s, "Instance");
    assert!(s.text().lines().next().is_some_and(|l| l.contains("demo › sqlprd-014")), "{}", s.text());
    s.until("the reason is a link", |t| {
        t.lines().any(|row| row.contains("14 sessions blocked") && row.contains("→ Blocking"))
    });
    s.keys(key::HOME);
    s.keys(key::ENTER);
    until_pane(&mut s, "Blocking");
    assert!(s.text().contains("14 sessions blocked") && s.text().contains("› sqlprd-014"), "{}", s.text());
    // Details of the head blocker, and out again, step by step, to where we came from.
    s.keys(b"d");
    s.until_shows("Esc close");
    s.keys(key::ESC);
    s.until("details are closed", |t| !t.contains("Esc close"));
    s.keys(b"-");
    until_pane(&mut s, "Instance");
    s.keys(key::ESC);
    until_pane(&mut s, "Fleet");
    s.until("the whole fleet again", |t| t.contains("40 instances") && !t.contains("› sqlprd-014"));
    // The dead one is first, the blocked one the second.
    s.keys(key::DOWN);
    s.keys(key::ENTER);
    until_pane(&mut s, "Instance");
    s.until_shows("demo › sqlprd-014");
    s.keys(b"n");
    s.until("the next problem is another instance", |t| {
        t.contains("1 Instance") && !t.contains("demo › sqlprd-014")
    });
    quit(s, &home);
}

#[test]
fn filter_palette_and_help() {
    let home = Home::new();
    let mut s = demo(&["--demo"], &home);
    s.keys(b"/cpu>");
    s.until("what is missing is said while typing", |t| t.contains("a value is missing after cpu>"));
    s.keys(b"\x7f\x7f\x7f\x7f");
    s.keys(b"env=test");
    s.until("only the tests stay", |t| {
        t.contains("10 of 40 instances") && instances(t).iter().all(|r| r.contains("sqltst-"))
    });
    s.keys(key::ENTER);
    s.until("the filter stays visible", |t| {
        t.lines().nth(2).is_some_and(|title| title.contains("/env=test"))
    });
    s.keys(key::ESC);
    s.until("Esc clears it", |t| t.contains("─ 40 instances ─"));
    // Pasted, inverse, a regular expression.
    s.keys(b"/");
    s.keys(b"\x1b[200~!sql(tst|rep)\x1b[201~");
    s.until("all but those", |t| {
        t.contains("24 of 40 instances") && instances(t).iter().all(|r| r.contains("sqlprd-"))
    });
    s.keys(key::ESC);
    s.until_shows("─ 40 instances ─");
    // The palette: a pane with a scope, by words; a wrong word is told.
    s.keys(b":blocking @prod");
    s.keys(key::ENTER);
    until_pane(&mut s, "Blocking");
    s.until("production is scope, and looks it", |t| {
        t.contains("demo › prod") && t.lines().nth(2).is_some_and(|title| title.contains("━━"))
    });
    s.keys(b":nosuchthing");
    s.keys(key::ENTER);
    s.until_shows("nothing is called nosuchthing");
    s.keys(key::ESC);
    s.until("the palette is closed", |t| !t.contains("nosuchthing"));
    s.keys(b":wai");
    s.keys(key::TAB);
    s.until("completed", |t| t.lines().last().is_some_and(|l| l.contains(":waits")));
    s.keys(key::ENTER);
    until_pane(&mut s, "Waits");
    // Help is about this pane, and about what works everywhere.
    s.keys(b"?");
    s.until("help", |t| t.contains("Keys · Waits") && t.contains("show benign waits too"));
    s.keys(key::ESC);
    s.until("help is closed", |t| !t.contains("Keys · Waits"));
    quit(s, &home);
}

#[test]
fn heat_map_faults_pause_marks_sort_and_copy() {
    let home = Home::new();
    let mut s = demo(&["--demo"], &home);
    s.keys(b"v");
    s.until("a cell an instance", |t| {
        let cells = |row: &str| row.matches(['✖', '▲', '●', '○']).count();
        // A small fleet has room for names; a group may take several rows.
        let of_prod =
            t.lines().skip_while(|row| !row.starts_with(" prod ")).take_while(|row| !row.trim().is_empty());
        t.contains("heat map") && of_prod.map(cells).sum::<usize>() == 24
    });
    s.keys(b"v");
    s.until_shows("worst first");
    s.keys(key::CTRL_Z);
    s.until("faults only", |t| {
        t.contains("faults only") && instances(t).len() >= 3 && !instances(t).iter().any(|r| r.contains('●'))
    });
    s.keys(key::CTRL_Z);
    s.until("all again", |t| !t.contains("faults only"));
    s.keys(b"p");
    s.until_shows("PAUSED");
    let rows = |s: &Screen| instances(&s.text()).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let before = rows(&s);
    s.until("polling goes on behind it", |t| t.lines().next().is_some_and(|l| l.contains(" +")));
    assert_eq!(before, rows(&s), "what is shown stands still, ages and trends too");
    s.keys(b">");
    s.until("sorted by the first column", |t| t.contains("─ by INSTANCE ▴ ─") && names(t).is_sorted());
    s.keys(b"o");
    let descending = |t: &str| names(t).iter().rev().is_sorted();
    s.until("the other way round", |t| t.contains("─ by INSTANCE ▾ ─") && descending(t));
    s.keys(key::HOME);
    s.keys(b"  ");
    s.until_shows("2 marked");
    s.keys(b"y");
    s.until_shows("copied 2 lines");
    let text = s.text();
    let marked: Vec<&str> = text.lines().filter(|row| row.starts_with('▌')).collect();
    let copied = s.copies().last().expect("OSC 52").clone();
    assert!(marked.len() == 2 && copied.lines().count() == 2, "{copied}\n{text}");
    assert!(names(&marked.join("\n")).iter().all(|n| copied.contains(n)), "{copied}\n{text}");
    // The marked ones are the scope of what is opened.
    s.keys(b"2");
    until_pane(&mut s, "Activity");
    s.until_shows("demo › 2 marked");
    s.keys(b"p");
    s.until_shows("LIVE");
    quit(s, &home);
}

#[test]
fn themes_own_figures_and_the_mouse() {
    let home = Home::new();
    let mut s = demo(&["--demo", "--mouse"], &home);
    assert_ne!(s.look().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    // The header between crumbs and counts: nothing but the background.
    let paper = |screen: &vt100::Screen| screen.cell(0, 60).map(vt100::Cell::bgcolor);
    let dark = paper(s.look());
    s.keys(b":theme light");
    s.keys(key::ENTER);
    s.until_looks("a light screen", |screen| paper(screen) != dark);
    let light = paper(s.look());
    assert!(colours(s.look()).iter().any(|c| matches!(c, vt100::Color::Idx(16..) | vt100::Color::Rgb(..))));
    s.keys(b":theme ansi16");
    s.keys(key::ENTER);
    s.until_looks("the terminal's own background", |screen| paper(screen) != light);
    let few = |c: &vt100::Color| matches!(c, vt100::Color::Default | vt100::Color::Idx(0..=15));
    assert!(colours(s.look()).iter().all(few), "sixteen colours: {:?}", colours(s.look()));
    s.keys(b":theme nosuch");
    s.keys(key::ENTER);
    s.until("which there are", |t| t.contains("no theme named nosuch") && t.contains("high-contrast"));
    s.keys(key::F12);
    s.until("own figures", |t| {
        t.contains("dbtop itself") && t.contains("key to paint p99") && t.contains("of a core")
    });
    s.keys(key::F12);
    s.until("gone again", |t| !t.contains("dbtop itself"));
    // A click on the tab `2 Activity`, then one on a row.
    let column = s.text().lines().nth(1).and_then(|l| l.find("Activity")).expect("the tab") + 1;
    s.keys(format!("\x1b[<0;{column};2M\x1b[<0;{column};2m").as_bytes());
    until_pane(&mut s, "Activity");
    quit(s, &home);
}

/// All colours on the screen, each once.
fn colours(screen: &vt100::Screen) -> Vec<vt100::Color> {
    let (rows, cols) = screen.size();
    let mut found = Vec::new();
    for cell in (0..rows).flat_map(|y| (0..cols).filter_map(move |x| screen.cell(y, x))) {
        for colour in [cell.fgcolor(), cell.bgcolor()] {
            if !found.contains(&colour) {
                found.push(colour);
            }
        }
    }
    found
}
