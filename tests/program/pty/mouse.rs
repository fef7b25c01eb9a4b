//! The mouse, as a terminal reports it (SGR, 1006): only with `--mouse`, and never needed.

use super::until_pane;
use crate::harness::{Home, process::SimProcess, screen::Screen};

const LEFT: u8 = 0;
const WHEEL_UP: u8 = 64;
const WHEEL_DOWN: u8 = 65;

impl Screen {
    /// Presses a button, or turns the wheel, on a cell; both counted from 0.
    fn press(&mut self, button: u8, x: usize, y: usize) {
        self.keys(format!("\x1b[<{button};{};{}M", x + 1, y + 1).as_bytes());
        if button == LEFT {
            self.keys(format!("\x1b[<{button};{};{}m", x + 1, y + 1).as_bytes());
        }
    }

    /// Where a text stands: column and row.
    fn place(&self, text: &str) -> (usize, usize) {
        let shown = self.text();
        let found = shown.lines().enumerate().find_map(|(y, row)| Some((row.find(text)?, y, row)));
        assert!(found.is_some(), "{text} is not there\n{shown}");
        let (at, y, row) = found.unwrap_or_default();
        (row[..at].chars().count(), y)
    }

    /// Waits until the cursor of the table is on the row of this text: its background is not that of the row above.
    #[track_caller]
    fn until_selected(&mut self, text: &str) {
        let (x, y) = self.place(text);
        let behind =
            move |screen: &vt100::Screen, y: usize| screen.cell(y as u16, x as u16).map(vt100::Cell::bgcolor);
        self.until_looks(text, |s| behind(s, y) != behind(s, y - 1) && behind(s, y) != behind(s, y + 1));
    }
}

#[test]
fn a_click_selects_a_second_one_opens_and_the_wheel_scrolls() {
    let home = Home::new();
    let sim = SimProcess::start(8, 0, None);
    let mut s = Screen::start(&["--inventory", &sim.inventory(), "--mouse"], 120, 40, &home);
    s.until_shows("8/8 polled");
    let (x, y) = s.place("sqlprd-003");
    s.press(LEFT, x, y);
    s.until_selected("sqlprd-003");
    assert!(!s.text().contains("› sqlprd-003"), "one click does not open\n{}", s.text());
    for name in ["sqlprd-004", "sqlprd-005"] {
        s.press(WHEEL_DOWN, x, y);
        s.until_selected(name);
    }
    s.press(WHEEL_UP, x, y);
    s.until_selected("sqlprd-004");
    let (x, y) = s.place("sqlprd-004");
    s.press(LEFT, x, y);
    s.until_shows("› sqlprd-004");
    until_pane(&mut s, "Instance");
    for tab in ["3 Waits", "2 Activity", "4 Blocking", "1 Instance"] {
        let (x, y) = s.place(tab);
        assert_eq!(y, 1, "tabs stand in the second row");
        s.press(LEFT, x + 2, y);
        until_pane(&mut s, &tab[2..]);
    }
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
}

#[test]
fn without_the_option_the_mouse_is_the_terminals() {
    let home = Home::new();
    let mut s = Screen::start(&["--demo=2"], 100, 30, &home);
    s.until_shows("2 instances");
    assert_eq!(s.look().mouse_protocol_mode(), vt100::MouseProtocolMode::None, "a person can select text");
    s.keys(b"\x03\x03");
    assert_eq!(s.ended(), 0);
}
