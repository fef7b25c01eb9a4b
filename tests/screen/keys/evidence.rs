//! Keys that lead to what explains a row, and answers to keys and words that lead nowhere.

use crate::{fixture, stage::Stage};

fn at(width: u16, height: u16) -> Stage {
    Stage::new(fixture::small(), width, height)
}

#[test]
fn statements_added_up_by_hash_are_shown_and_told_whole() {
    for (w, h) in [(80, 24), (120, 40), (200, 60)] {
        let mut s = at(w, h);
        s.keys("2 b b b b b");
        let text = s.text();
        assert!(text.contains("QUERY HASH") && text.contains("LONGEST STATEMENT"), "{w}: {text}");
        let row = s.selected();
        assert!(row.contains("0x8A3F001122334455") && row.contains("BACKUP DATABASE"), "{w}: {row}");
        let text = s.keys("d").text();
        assert!(text.contains("query hash 0x") && text.contains("requests, as they are listed"), "{text}");
        assert!(text.contains("TO DISK"), "the statement is there: {text}");
        s.keys("esc");
        assert!(s.selected().contains("0x"), "{}", s.text());
        s.keys("enter");
        assert!(s.lines()[2].contains("query hash = 0x"), "{}", s.text());
    }
}

#[test]
fn groups_use_the_width_there_is() {
    // The names of programs are short: the statement gets what they leave.
    let mut s = at(120, 40);
    let text = s.keys("2 b b").text();
    assert!(text.contains("LOGIN") && text.contains("LONGEST STATEMENT"), "{text}");
    let row = s.selected();
    assert!(row.trim_end().chars().count() > 100, "{row}");
}

#[test]
fn a_key_that_means_nothing_says_where_the_keys_are() {
    let mut s = at(80, 24);
    for (key, name) in [("a", "a"), ("z", "z"), ("ctrl-k", "Ctrl-k")] {
        let text = s.keys(key).text();
        assert!(text.contains(&format!("{name} does nothing here: ? lists the keys")), "{text}");
    }
    s.wait_ms(6_000);
    assert!(!s.keys("down j").text().contains("does nothing"), "a key that moves does something");
    // In a text that is read, too; where text is typed a key is text.
    assert!(s.keys("? z").text().contains("z does nothing here"), "{}", s.text());
    let text = s.keys("/ z").text();
    assert!(!text.contains("does nothing"), "{text}");
}

#[test]
fn a_search_that_finds_nothing_says_so() {
    let mut s = at(80, 24);
    let text = s.keys("? / qqqq enter").text();
    assert!(text.contains("nothing found for \"qqqq\": Esc shows all again"), "{text}");
    let text = s.keys("esc").text();
    assert!(!text.contains("nothing found") && text.contains("one row up"), "{text}");
}

#[test]
fn the_instance_is_named_at_forty_columns() {
    let mut s = Stage::new(fixture::small(), 40, 12);
    s.keys("enter");
    assert!(s.lines()[0].contains("sqlprd-014"), "{}", s.text());
    s.keys("2");
    assert!(s.lines()[0].contains("sqlprd-014"), "{}", s.text());
}

#[test]
fn a_fleet_that_cannot_be_edited_offers_no_edit() {
    let foot = |s: &mut Stage| s.lines().pop().unwrap();
    let mut s = at(200, 40);
    assert!(!foot(&mut s).contains("edit"), "{}", s.text());
    s.keys("enter");
    assert!(!foot(&mut s).contains("edit"), "{}", s.text());
    let menu = s.keys("x").text();
    assert!(menu.contains("read-only inventory"), "the menu has it, with the reason: {menu}");
}

#[test]
fn an_unknown_word_is_answered_with_what_is_near_it() {
    let mut s = at(80, 24);
    let text = s.keys(":").keys("sqlprd-099 enter").text();
    assert!(text.contains("nothing is called sqlprd-099; near it: sqlprd-00"), "{text}");
    s.keys("esc :").keys("sqlprd-014 enter");
    assert!(s.lines()[0].contains("sqlprd-014"), "{}", s.text());
}

#[test]
fn columns_begin_at_the_left_in_the_next_scope() {
    let mut s = at(80, 24);
    let head = s.keys("enter 2").lines()[3].clone();
    s.keys("right right right right right right");
    assert_ne!(s.lines()[3], head, "moved");
    let next = s.keys("1 down enter 2").lines()[3].clone();
    assert_eq!(next, head, "{}", s.text());
}

#[test]
fn a_list_that_is_longer_than_the_screen_says_which_of_it_is_in_sight() {
    let mut s = Stage::new(fixture::large(60), 120, 24);
    let of = |s: &mut Stage| s.lines()[2].clone();
    assert!(of(&mut s).contains("1–") && of(&mut s).contains("of 60"), "{}", of(&mut s));
    s.keys("G");
    assert!(of(&mut s).contains("–60 of 60"), "{}", of(&mut s));
    let mut all = Stage::new(fixture::small(), 120, 40);
    assert!(!all.lines()[2].contains('–'), "nothing is out of sight: {}", all.lines()[2]);
}
