//! A plan of a file on the screen, without a fleet: keys, the editor, the file that is written, the end.

use super::key;
use crate::harness::{
    Home,
    screen::{Screen, dbtop},
};

const ORDERS: &str = include_str!("../../fixture/plan/orders.sqlplan");

/// It says so, shows how the file begins, and waits for a line.
const EDITOR: &str = "echo IN THE EDITOR; head -c 12 \"$1\"; read line; echo \"$line\" > said\n";

#[test]
fn a_plan_of_a_file_is_looked_at_edited_and_written_without_a_fleet() {
    let home = Home::new();
    let file = home.file("orders.sqlplan", ORDERS);
    let editor = home.file("editor.sh", EDITOR);
    let mut command = dbtop(&["plan", "--screen"], &home);
    command.arg(&file);
    command.env("EDITOR", format!("sh {}", editor.display()));
    let mut s = Screen::start_command(command, 120, 40);
    s.until("the plan", |t| t.contains("OPERATOR") && t.contains("Order.IX_Date"));
    s.keys(b"2");
    s.until("nowhere to go", |t| t.contains("only this plan is here"));
    s.keys(b"E");
    s.until("the editor", |t| t.contains("IN THE EDITOR") && t.contains("<ShowPlanXML"));
    assert!(!s.is_alternate() && s.modes().contains("ICANON"), "the terminal is the editor's: {}", s.modes());
    // Keys are the editor's, too.
    s.keys(b"qq\n");
    s.until("the plan again", |t| t.contains("OPERATOR") && t.contains("Order.IX_Date"));
    assert_eq!(std::fs::read_to_string(home.path().join("said")).ok().as_deref(), Some("qq\n"));
    assert!(s.is_alternate());
    s.keys(b"e");
    s.until("its name", |t| t.contains("plan-0x8A3F00000000B10C.sqlplan"));
    s.keys(key::ENTER);
    s.until("that it is written", |t| t.contains("plan written to"));
    let written = std::fs::read_to_string(home.path().join("plan-0x8A3F00000000B10C.sqlplan"));
    assert_eq!(written.ok().as_deref(), Some(ORDERS));
    s.keys(b"q");
    assert_eq!(s.ended(), 0);
    s.assert_restored();
    home.assert_nothing_left();
}
