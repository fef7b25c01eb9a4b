//! Tables: order, place, head, sets of columns.

use super::*;
use crate::{
    model::{base::filter::Value, inventory::instance::InstanceId},
    tui::{
        theme::{Depth, Theme},
        widget::{column::whole, screen},
    },
};

#[derive(Debug)]
enum Servers {}

impl Kind for Servers {
    type Row<'a> = Line<'a>;
}

#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    no: i32,
    load: Option<i64>,
    name: &'a str,
}

type Shelf = Column<Servers>;

const COLUMNS: &[Shelf] = &[
    Shelf::number("no", "NO", 4, 0).frozen().value(|r| whole(Some(i64::from(r.no)))).cell(draw),
    Shelf::number("load", "LOAD", 6, 1).value(|r| whole(r.load)).cell(draw),
    Shelf::text("wide", "WIDE", 30, 2),
    Shelf::number("far", "FAR    OFF", 10, 3).value(|r| whole(r.load)).cell(draw),
];

const SETS: &[Set] = &[Set { name: "far", columns: &["far"] }];

fn draw(row: &Line<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    out.fmt(ratatui::style::Style::new(), format_args!("{}{:?}", row.name, v.and_then(Value::figure)));
}

struct Lines(Vec<(i32, Option<i64>)>);

impl Rows<Servers> for Lines {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn key(&self, i: usize) -> RowKey {
        RowKey::Session(InstanceId::new("a"), self.0[i].0, 0)
    }

    fn get(&self, i: usize) -> Option<Line<'_>> {
        self.0.get(i).map(|(no, load)| line(*no, *load))
    }
}

const fn line<'a>(no: i32, load: Option<i64>) -> Line<'a> {
    Line { no, load, name: "" }
}

fn lines(n: i32) -> Lines {
    Lines((0..n).map(|n| (n, Some(i64::from(n)))).collect())
}

fn frame(table: &mut Table<Servers>, rows: &Lines, width: u16, height: u16) -> Vec<String> {
    let theme = Theme::load("dark", Depth::True).unwrap();
    table.sync(rows);
    screen::drawn(width, height, |c| table.render(c, &theme, rows, true))
}

#[test]
fn unknown_is_last_both_ways() {
    let rows = [(0, Some(2)), (1, None), (2, Some(9)), (3, None), (4, Some(5))];
    let mut table: Table<Servers> = Table::new(COLUMNS);
    for (descending, order) in [(true, [2, 4, 0, 1, 3]), (false, [0, 4, 2, 1, 3])] {
        table.sort = Some(Sort { column: "load", descending });
        let mut found = [0, 1, 2, 3, 4];
        assert!(table.order(&mut found, |n| rows.get(n as usize).map(|(no, load)| line(*no, *load))));
        assert_eq!(found, order, "descending {descending}: unknown last, equal ones in their order");
    }
}

#[test]
fn the_row_under_the_pointer_is_found_while_scrolled() {
    let (mut table, rows) = (Table::new(COLUMNS), lines(40));
    frame(&mut table, &rows, 40, 11);
    assert_eq!(table.position(), Some((1, 10, 40)));
    table.move_to(25, &rows);
    frame(&mut table, &rows, 40, 11);
    assert_eq!(table.position(), Some((17, 26, 40)));
    assert_eq!(table.row_at(1, &rows), Some(16), "the first row in sight");
    assert_eq!(table.row_at(10, &rows), Some(25));
    assert_eq!([table.row_at(0, &rows), table.row_at(11, &rows)], [None, None], "head, and below");
}

#[test]
fn the_first_row_in_sight_follows_a_list_that_shrank() {
    let (mut table, rows) = (Table::new(COLUMNS), lines(40));
    frame(&mut table, &rows, 40, 11);
    table.move_to(39, &rows);
    frame(&mut table, &rows, 40, 11);
    let few = lines(12);
    frame(&mut table, &few, 40, 11);
    assert_eq!(table.position(), Some((3, 12, 12)), "no blank lines below the last row");
    frame(&mut table, &lines(4), 40, 11);
    assert_eq!((table.position(), table.row_at(1, &lines(4))), (None, Some(0)));
    frame(&mut table, &lines(0), 40, 11);
    assert_eq!((table.selected(), table.row_at(1, &lines(0))), (None, None));
}

#[test]
fn sorting_walks_what_is_seen_and_the_title_has_no_gaps() {
    let (mut table, rows) = (Table::new(COLUMNS), lines(3));
    frame(&mut table, &rows, 20, 5);
    let mut walked = Vec::new();
    for _ in 0..3 {
        table.act(Action::SortRight, &rows);
        walked.push(table.sort.map(|s| s.column));
    }
    assert_eq!(walked, [Some("no"), Some("load"), None], "FAR is out of sight");
    table.sort_by("far").unwrap();
    let mut name = String::new();
    table.order_name("", &mut name);
    assert_eq!(name, "by FAR OFF ▾");
}

#[test]
fn a_click_on_the_head_sorts_and_the_second_one_turns_round() {
    let (mut table, rows) = (Table::new(COLUMNS), lines(3));
    let head = frame(&mut table, &rows, 60, 5).remove(0);
    let x = head.find("LOAD").unwrap() as u16;
    assert!(table.click_head(x, 0));
    assert_eq!(table.sort, Some(Sort { column: "load", descending: true }));
    assert!(table.click_head(x, 0));
    assert_eq!(table.sort, Some(Sort { column: "load", descending: false }));
    assert!(!table.click_head(x, 1), "a row is no head");
}

#[test]
fn a_set_brings_its_columns_into_sight() {
    let (mut table, rows) = (Table::new(COLUMNS).with_sets(SETS), lines(3));
    assert!(!frame(&mut table, &rows, 24, 5)[0].contains("FAR"));
    table.act(Action::Columns, &rows);
    assert!(frame(&mut table, &rows, 24, 5)[0].contains("FAR"));
    assert_eq!(table.set_name(), Some("far"));
    table.act(Action::Columns, &rows);
    assert_eq!(table.set_name(), None);
}

#[test]
fn marked_rows_are_seen_and_copied() {
    let (mut table, rows) = (Table::new(COLUMNS), lines(3));
    frame(&mut table, &rows, 60, 5);
    let none = lines(0);
    assert!(table.act(Action::MarkRange, &none), "without a row nothing is marked");
    assert!(table.copy_chosen(&rows).starts_with("Some(0.0)\tSome(0.0)"), "the row under the cursor");
    table.act(Action::Mark, &rows);
    table.act(Action::Mark, &rows);
    assert_eq!(table.copy_chosen(&rows).lines().count(), 2);
    let seen = frame(&mut table, &rows, 60, 5);
    let marked: Vec<_> = seen.iter().map(|line| line.contains('▌')).collect();
    assert_eq!(marked[..4], [false, true, true, false], "{seen:?}");
}

#[test]
fn a_mark_of_order_leaves_the_title_in_its_place() {
    let (mut table, rows) = (Table::new(COLUMNS), lines(3));
    let place = |head: &str, what: &str| head.split_once(what).map(|(before, _)| before.chars().count());
    let plain = frame(&mut table, &rows, 24, 5).remove(0);
    assert!(plain.contains('›'), "there are more columns: {plain}");
    table.sort = Some(Sort { column: "load", descending: true });
    let sorted = frame(&mut table, &rows, 24, 5).remove(0);
    assert_eq!(place(&sorted, "▾LOAD").map(|x| x + 1), place(&plain, "LOAD"), "{sorted}");
    table.set_title("load", "HEAVY");
    let named = frame(&mut table, &rows, 24, 5).remove(0);
    assert!(named.contains("HEAVY") && !named.contains("LOAD"), "{named}");
}
