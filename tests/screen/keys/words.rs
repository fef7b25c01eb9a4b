//! What is typed: commands, filters, columns by name.

use super::small;
use crate::{fixture, stage::Stage};

#[test]
fn a_filter_opens_selected_and_the_ones_before_come_back() {
    let mut s = small();
    s.keys("/ sqlprd-011 enter / sqlprd-002");
    assert!(s.text().contains("/sqlprd-002") && s.text().contains("1 of 8"), "typing replaces\n{}", s.text());
    s.keys("enter / end 1");
    assert!(s.text().contains("/sqlprd-0021"), "a move keeps the text\n{}", s.text());
    s.keys("esc / up up");
    assert!(s.text().contains("/sqlprd-011"), "{}", s.text());
    s.keys("down");
    assert!(s.text().contains("/sqlprd-002"), "{}", s.text());
    s.keys("esc / backspace enter");
    assert!(s.lines()[2].contains("8 instances"), "{}", s.text());
    s.keys("/ cpu space > space 90 enter");
    assert!(s.lines()[2].contains("1 of 8"), "{}", s.text());
}

#[test]
fn an_action_by_its_word_leads_to_the_pane_that_has_it() {
    for (word, title) in [("pulses", "heat map"), ("group", "by "), ("benign", "benign too")] {
        for pane in ["1", "2", "3", "4", "enter"] {
            let mut s = small();
            s.keys(pane).keys(&format!(": {word} enter"));
            assert!(s.lines()[2].contains(title), "{word} from {pane}\n{}", s.text());
        }
    }
}

#[test]
fn a_column_is_sorted_by_its_name() {
    let mut s = small();
    s.keys(": sort space cpu enter");
    assert!(s.lines()[2].contains("by CPU % ▾"), "{}", s.text());
    s.keys(": sort space blk enter");
    assert!(s.lines()[2].contains("by BLOCKED ▾"), "{}", s.text());
    s.keys(": sort space nope enter");
    assert!(s.text().contains("no column is called nope: "), "{}", s.text());
}

#[test]
fn esc_closes_the_figures_of_dbtop_before_what_lies_below_them() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut s = Stage::new(fixture::small(), width, height);
        s.keys("enter f12");
        assert!(s.text().contains("F12 or Esc closes") && s.text().contains("key to paint"), "{}", s.text());
        assert!(s.text().contains("14 sessions blocked"), "the reason stays in sight\n{}", s.text());
        s.keys("esc");
        assert!(!s.text().contains("key to paint") && s.lines()[2].contains("Instance"), "{}", s.text());
        s.keys("d f12 esc");
        assert!(!s.text().contains("key to paint") && !s.lines()[2].contains("Instance"), "the details stay");
    }
}

#[test]
fn the_palette_goes_anywhere() {
    let mut s = small();
    s.keys(": waits enter");
    assert!(s.lines()[2].contains("Waits"));
    s.keys(": blocking space @prod enter");
    assert!(s.lines()[0].contains("acme › prod") && s.lines()[2].contains("Blocking"));
    s.keys(": SQLPRD-021 enter");
    assert!(s.lines()[0].contains("acme › sqlprd-021") && s.lines()[2].contains("Instance"));
    s.keys(": all enter");
    assert!(s.lines()[2].contains("Fleet") && s.lines()[2].contains("8 instances"), "{}", s.lines()[2]);
    s.keys(": p21 enter");
    assert!(s.text().contains("nothing is called p21"), "a guess is not carried out\n{}", s.text());
    s.keys("tab enter");
    assert!(s.lines()[0].contains("sqlprd-021"), "it was chosen: {}", s.lines()[0]);
    s.keys(": waits space @nowhere enter");
    assert!(s.text().contains("no group is called nowhere"), "{}", s.text());
    s.keys("esc :");
    let text = s.text();
    for subject in ["fleet", "sessions", "resources"] {
        assert!(text.contains(&format!("\n  {subject} ")), "all panes by subject\n{text}");
    }
    s.keys("up up");
    assert!(s.text().contains("\n :all"), "history\n{}", s.text());
    s.keys("down down");
    assert!(s.text().contains("\n  sessions "), "and back to nothing typed\n{}", s.text());
    s.keys("enter");
    assert!(!s.text().contains("what runs now"), "an empty line does nothing\n{}", s.text());
}

#[test]
fn the_next_problem_moves_the_cursor_and_never_the_scope_of_many() {
    for pane in [
        "1",
        "2",
        "3",
        "4",
        "6",
        ": modules enter",
        ": querystore enter",
        ": databases enter",
        ": memory enter",
        ": tempdb enter",
        ": txlog enter",
        ": grants enter",
        ": deadlocks enter",
    ] {
        let mut s = small();
        s.keys(pane);
        let scope = s.lines()[0].split("  ").nth(1).map(str::to_owned);
        for key in ["n", "n", "N", "n"] {
            s.keys(key);
            let lines = s.lines();
            assert_eq!(lines[0].split("  ").nth(1).map(str::to_owned), scope, "{pane} {key}: {}", lines[0]);
        }
    }
    // In Waits it goes from the longest wait of one instance in trouble to that of the next.
    let mut s = small();
    s.keys("3 n");
    let first = s.selected();
    s.keys("n");
    assert_ne!(s.selected(), first, "{}", s.text());
    // With one instance in scope its rows come first, then the next instance.
    s.keys(": sqlprd-014 enter 4 n");
    assert!(s.lines()[0].contains("› sqlprd-003"), "{}", s.lines()[0]);
    let mut s = small();
    s.keys(": groups enter n");
    assert!(s.text().contains("no row here is a problem"), "{}", s.text());
}

#[test]
fn a_long_message_is_whole_and_goes_with_the_next_thing_that_is_done() {
    let mut s = Stage::new(fixture::small(), 80, 24);
    let long = "the history of tenant acme could not be opened: the file /srv/dbtop/tenants/acme/history.db is \
                not one of dbtop, or somebody else wrote into it; `dbtop store check` says what is wrong";
    let warning = dbtop::model::judge::health::Level::Warning;
    s.reply(dbtop::protocol::Reply::Message { level: warning, text: long.to_owned() });
    let text = s.text().replace("\n   ", " ");
    assert!(text.contains(long), "{text}");
    s.keys("down");
    assert!(s.text().contains("could not be opened"), "a cursor that moves leaves it");
    s.keys("2");
    assert!(!s.text().contains("could not be opened"), "{}", s.text());
    s.keys(": sort space nope enter");
    assert!(s.text().contains("no column is called nope"), "{}", s.text());
    s.keys(": sort space cpu enter");
    assert!(!s.text().contains("nope"), "{}", s.text());
}

#[test]
fn a_theme_that_is_not_named_lists_all() {
    for (width, height) in [(80, 24), (60, 15)] {
        let mut s = Stage::new(fixture::small(), width, height);
        s.keys(": theme enter");
        let text = s.text().replace("\n  ", " ");
        assert!(text.contains("which theme? dark, light, high-contrast, ansi16, mono"), "{text}");
    }
}

#[test]
fn help_and_details_are_searched() {
    let mut s = small();
    s.keys("?");
    let all = s.text();
    s.keys("/ copy");
    let text = s.text();
    assert!(text.contains("copy the row") && !text.contains("one row up"), "{text}");
    assert!(all.contains("one row") || all.contains("of "), "{all}");
    s.keys("enter");
    assert!(s.text().contains(" /copy "), "it stays in sight\n{}", s.text());
    s.keys("esc");
    assert!(s.lines()[2].contains("Keys"), "the first Esc takes the search away\n{}", s.text());
    s.keys("esc");
    assert!(s.lines()[2].contains("Fleet"), "{}", s.text());
    s.keys("d / page space life esc esc");
    assert!(s.lines()[2].contains("Fleet"), "{}", s.text());
}

#[test]
fn a_refusal_in_the_menu_is_whole_on_a_narrow_screen() {
    let mut s = Stage::new(fixture::small(), 80, 24);
    s.keys("x j j j");
    let text = s.text();
    assert!(text.contains("read-only inventory: `dbtop vault init` makes one to edit"), "{text}");
    let refused = s.lines().into_iter().filter(|line| line.contains(" – read-only")).count();
    assert!(refused > 2, "each refused line begins its reason\n{text}");
}

#[test]
fn a_footer_offers_only_what_there_is() {
    let mut s = Stage::new(fixture::small(), 200, 40);
    let foot = |s: &mut Stage| s.lines().pop().unwrap();
    assert!(foot(&mut s).contains("n next problem"), "{}", s.text());
    for pane in ["settings", "audit", "groups", "vault"] {
        s.keys(":").keys(pane).keys("enter");
        assert!(!foot(&mut s).contains("next problem"), "{pane}\n{}", s.text());
        assert!(foot(&mut s).contains("/ filter"), "{pane}\n{}", s.text());
    }
    s.keys("1 '");
    assert!(foot(&mut s).contains("/ find"), "{}", s.text());
    s.keys("esc x");
    assert!(s.text().contains("To do: ") && !foot(&mut s).contains("find"), "{}", s.text());
}

#[test]
fn keys_of_panes_to_come_say_so() {
    let mut s = small();
    for key in ["0", "7", "8", "9"] {
        s.keys(key);
        assert!(s.text().contains("0 Code are to come"), "{key}\n{}", s.text());
        s.keys("1 enter esc");
    }
}

#[test]
fn a_heat_map_names_its_cells_where_they_have_room() {
    let mut s = Stage::new(fixture::large(500), 200, 60);
    s.keys("v");
    let used = s.lines().iter().filter(|line| line.contains("● sql")).count();
    assert!(used >= 30, "{used} of 60 rows\n{}", s.text());
    let mut s = Stage::new(fixture::large(500), 80, 24);
    s.keys("v");
    assert!(s.text().contains("●●●") || s.text().contains("● ● ●"), "{}", s.text());
}

#[test]
fn enter_keeps_no_filter_that_is_none() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.keys("/ c p u > f a s t enter");
    let text = s.text();
    assert!(text.contains("fast is no figure"), "{text}");
    s.keys("esc");
    assert!(!s.text().contains("fast"), "{}", s.text());
}
