//! Keys from the user's side: type, then read the screen.

use crate::{fixture, stage::Stage};
use dbtop::{
    model::{inventory::instance::InstanceId, judge::health::Level},
    protocol::{Effect, InventoryRequest, Reply, VaultState},
};

mod deadlocks;
mod demand;
mod edits;
mod evidence;
mod health;
mod links;
mod lists;
mod plan;
mod vault;
mod words;

fn small() -> Stage {
    Stage::new(fixture::small(), 120, 40)
}

fn focus(stage: &mut Stage) -> Option<Vec<String>> {
    let last = stage.app.take_effects().into_iter().filter_map(|e| match e {
        Effect::Focus(ids) => Some(ids.iter().map(ToString::to_string).collect()),
        Effect::Refresh(_) | Effect::Inventory(_) | Effect::History(_) | Effect::Demand(_) => None,
    });
    last.last()
}

#[test]
fn three_keys_lead_from_the_fleet_to_the_row_that_explains_it() {
    let mut s = small();
    assert!(s.selected().contains("sqlprd-014"), "the worst one is selected");
    s.keys("enter");
    assert!(
        s.selected().contains("14 sessions blocked 5m12s by 88"),
        "its top reason is selected\n{}",
        s.text()
    );
    s.keys("enter");
    assert!(s.lines()[2].contains("Blocking"), "{}", s.text());
    assert!(s.selected().contains("88 sleeping"), "{}", s.text());
    s.keys("enter");
    let text = s.text();
    assert!(text.contains("session 88") && text.contains("UPDATE dbo.[Order]"), "{text}");
}

#[test]
fn every_step_in_has_its_step_out() {
    let mut s = small();
    s.keys("enter enter enter");
    s.keys("esc");
    assert!(s.lines()[2].contains("Blocking"));
    s.keys("esc");
    assert!(s.lines()[2].contains("Instance"), "back the way one came: {}", s.text());
    assert!(s.selected().contains("14 sessions blocked"), "with its row: {}", s.text());
    s.keys("esc");
    assert!(s.lines()[0].starts_with(" dbtop  acme  "), "the scope is the fleet again: {}", s.lines()[0]);
    assert!(s.selected().contains("sqlprd-014"), "the place is kept");
    s.keys("esc esc esc");
    assert!(!s.app.wants_to_quit(), "Esc never quits");
}

#[test]
fn scope_runs_through_all_panes() {
    let mut s = small();
    s.keys("down enter");
    assert!(s.lines()[0].contains("acme › sqlprd-003"));
    for (key, pane) in [("2", "Activity"), ("3", "Waits"), ("4", "Blocking"), ("1", "Instance")] {
        s.keys(key);
        let lines = s.lines();
        assert!(lines[0].contains("› sqlprd-003") && lines[2].contains(pane), "{key}: {}", lines[2]);
        assert!(!lines[4..].iter().any(|l| l.contains("sqlprd-014")), "{key} shows another instance");
    }
}

#[test]
fn a_group_narrows_every_pane() {
    let mut s = small();
    s.keys(":").keys("fleet").keys("space").keys("@test").keys("enter");
    let text = s.text();
    assert!(text.contains("acme › test") && text.contains("2 instances"), "{text}");
    assert!(!text.contains("sqlprd-014"), "{text}");
    s.keys("4");
    assert!(s.text().contains("Nothing is blocked"), "{}", s.text());
    s.keys("esc");
    assert!(s.lines()[2].contains("Fleet") && s.text().contains("2 instances"), "{}", s.text());
    s.keys("esc");
    assert!(s.text().contains("sqlprd-014"));
}

#[test]
fn esc_goes_back_the_way_one_came_and_takes_with_it_what_a_link_brought() {
    let mut s = small();
    let title = |s: &mut Stage| s.lines()[2].clone();
    // A filter of the fleet is there again, and the row.
    s.keys("/ prd enter down down");
    let row = s.selected();
    s.keys("3");
    assert!(title(&mut s).contains("Waits"));
    s.keys("enter");
    assert!(title(&mut s).contains("Activity"), "{}", s.text());
    s.keys("esc");
    assert!(title(&mut s).contains("Waits"), "the filter of the link is no step: {}", s.text());
    s.keys("esc");
    assert!(title(&mut s).contains("/prd"), "{}", s.text());
    assert_eq!(s.selected(), row);
    s.keys("esc");
    assert!(title(&mut s).contains("8 instances"), "then the filter goes: {}", s.text());
    // Another way to the same pane leads back to where it came from.
    s.keys("2 4 2 esc");
    assert!(title(&mut s).contains("Blocking"), "{}", s.text());
    s.keys("esc esc esc esc");
    assert!(title(&mut s).contains("Fleet"), "{}", s.text());
    // Back by the key of the last view is back, too.
    s.keys("enter 4 - esc");
    assert!(title(&mut s).contains("Fleet"), "{}", s.text());
    // n moves without a step of the way.
    s.keys("enter n n esc");
    assert!(title(&mut s).contains("Fleet"), "{}", s.text());
}

#[test]
fn selection_follows_its_instance_when_the_order_changes() {
    let mut s = small();
    s.keys("down down");
    let name = "sqlprd-021";
    assert!(s.selected().contains(name), "{}", s.selected());
    s.keys(">");
    assert!(s.lines()[2].contains("by INSTANCE"), "{}", s.lines()[2]);
    assert!(s.selected().contains(name), "{}", s.selected());
    let mut next = fixture::small();
    next.instances.reverse();
    next.instances.remove(0);
    s.ingest(next);
    assert!(s.selected().contains(name), "{}", s.selected());
    s.keys("o");
    assert!(s.lines()[2].contains('▾') && s.selected().contains(name));
}

#[test]
fn an_untouched_cursor_stays_on_the_worst() {
    let mut s = Stage::untouched(fixture::large(40), 120, 40);
    assert!(s.selected().contains("sqlprd-000"));
    s.ingest(fixture::small());
    assert!(s.selected().contains("sqlrep-001"), "{}", s.selected());
}

#[test]
fn the_filter_works_while_it_is_typed() {
    let mut s = small();
    s.keys("/ env=test");
    assert!(s.text().contains("2 of 8") && !s.text().contains("sqlprd-014"), "{}", s.text());
    s.keys("enter");
    assert!(s.lines()[2].contains("/env=test"), "it stays visible in the title");
    s.keys("esc");
    assert!(s.text().contains("sqlprd-014"), "Esc clears it");
    s.keys("/ !prd enter");
    assert!(!s.text().contains("sqlprd-") && s.text().contains("sqlrep-001"));
    s.keys("esc / prd esc");
    assert!(s.text().contains("sqlrep-001"), "Esc while typing takes it back");
    s.keys("/ cpu>90 enter");
    assert!(s.lines()[2].contains("1 of 8"), "{}", s.lines()[2]);
    s.keys("/ ctrl-u nocolumn>9");
    let text = s.text();
    assert!(text.contains("no field or label is called nocolumn") && text.contains("sqlrep-001"), "{text}");
}

#[test]
fn a_filter_of_the_fleet_goes_along_to_other_panes() {
    let mut s = small();
    s.keys("/ env=prod enter 2");
    assert!(s.lines()[0].contains("› /env=prod"), "{}", s.lines()[0]);
    assert!(!s.text().contains("sqltst-"), "{}", s.text());
    s.keys("esc");
    assert!(s.lines()[2].contains("/env=prod") && s.lines()[2].contains("Fleet"), "{}", s.text());
    s.keys("esc");
    assert!(s.text().contains("sqltst-"), "Esc widens to the whole fleet");
}

#[test]
fn marked_instances_are_a_scope() {
    let mut s = small();
    s.keys("space down space");
    assert!(s.lines()[2].contains("2 marked"), "{}", s.lines()[2]);
    s.keys("2");
    let text = s.text();
    assert!(
        text.contains("› 2 marked") && text.contains("sqlprd-021") && !text.contains("sqlprd-003"),
        "{text}"
    );
    s.keys("esc 1 home ctrl-space");
    assert!(s.lines()[2].contains("1 marked"));
    s.keys("end ctrl-space");
    assert!(s.lines()[2].contains("8 marked"), "{}", s.lines()[2]);
}

#[test]
fn health_cards_filter_in_turn() {
    let mut s = small();
    s.keys("f");
    assert!(s.lines()[2].contains("/health=critical"), "{}", s.lines()[2]);
    assert!(s.text().contains("sqlrep-001") && !s.text().contains("sqlprd-021"), "offline is critical too");
    s.keys("f");
    assert!(s.text().contains("sqlprd-021") && !s.text().contains("sqlprd-014"));
    s.keys("f f f");
    assert!(s.lines()[2].contains("8 instances"));
}

#[test]
fn faults_only_hides_what_is_well() {
    let mut s = small();
    s.keys("ctrl-z");
    let text = s.text();
    assert!(
        text.contains("faults only") && !text.contains("sqlprd-001") && text.contains("sqltst-004"),
        "{text}"
    );
    s.keys("esc");
    assert!(s.text().contains("sqlprd-001"));
}

#[test]
fn problems_are_visited_in_turn() {
    let mut s = small();
    s.keys("n");
    assert!(s.selected().contains("sqlprd-003"));
    s.keys("n n n");
    assert!(s.selected().contains("sqlprd-014"), "round again, past what is down: {}", s.selected());
    s.keys("enter n");
    assert!(s.lines()[0].contains("› sqlprd-003"), "from instance to instance: {}", s.lines()[0]);
    s.keys("N N N");
    assert!(s.lines()[0].contains("› sqlprd-021"), "{}", s.lines()[0]);
}

#[test]
fn the_last_view_is_one_key_away() {
    let mut s = small();
    s.keys("enter 4 -");
    assert!(s.lines()[2].contains("Instance"));
    s.keys("-");
    assert!(s.lines()[2].contains("Blocking"));
}

#[test]
fn a_jump_keeps_the_pane() {
    let mut s = small();
    s.keys("2 ctrl-g 003 enter");
    assert!(s.lines()[0].contains("› sqlprd-003") && s.lines()[2].contains("Activity"), "{}", s.text());
    s.keys("ctrl-g t4 enter");
    assert!(
        s.lines()[0].contains("acme › sqltst-004") && !s.lines()[0].contains("003"),
        "replaced, not nested"
    );
}

#[test]
fn pause_holds_the_picture_and_catches_up() {
    let mut s = small();
    s.keys("p");
    let mut later = fixture::small();
    later.version = 4;
    later.instances.truncate(1);
    s.ingest(later);
    let text = s.text();
    assert!(text.contains("PAUSED 14:02:11 +3") && text.contains("8 instances"), "{text}");
    // Time goes on in the clock alone: a trend that went on would draw what nobody measured.
    let rows = |s: &mut Stage| s.lines()[2..].to_vec();
    let (before, clock) = (rows(&mut s), s.lines()[0].clone());
    s.wait_ms(120_000);
    assert_eq!(before, rows(&mut s), "what is shown stands still");
    assert_ne!(clock, s.lines()[0], "the clock goes on");
    s.keys("p");
    assert!(s.text().contains("LIVE") && s.text().contains("1 instance "), "{}", s.text());
}

#[test]
fn what_is_looked_at_is_polled_fast() {
    let mut s = small();
    assert_eq!(focus(&mut s), None);
    s.keys("enter");
    assert_eq!(focus(&mut s), Some(vec!["sqlprd-014".to_owned()]));
    s.keys("4");
    assert_eq!(focus(&mut s), None, "still the same one");
    s.keys("esc esc");
    assert_eq!(focus(&mut s), Some(Vec::new()));
    s.keys("2 enter");
    assert_eq!(focus(&mut s), Some(vec!["sqlprd-014".to_owned()]), "the one whose details are open");
    s.app.effect_dropped(&Effect::Focus(Vec::new()));
    s.ingest(fixture::small());
    assert_eq!(focus(&mut s), Some(vec!["sqlprd-014".to_owned()]), "asked again after it was dropped");
}

#[test]
fn a_lock_that_found_no_room_is_asked_for_again_before_anything_else() {
    let mut s = small();
    s.app.take_effects();
    let lock: Effect = InventoryRequest::Lock.into();
    s.app.effect_dropped(&lock);
    s.keys("r");
    s.app.effect_dropped(&lock);
    let effects = s.app.take_effects();
    assert!(effects[0].is_lock() && effects.iter().filter(|effect| effect.is_lock()).count() == 1);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Refresh(_))));
    assert!(!s.text().contains("busy"), "{}", s.text());
}

#[test]
fn refresh_asks_for_the_row_or_the_scope() {
    let mut s = small();
    s.keys("down r");
    let wanted = |e: &Effect| matches!(e, Effect::Refresh(ids) if *ids == [InstanceId::new("sqlprd-003")]);
    assert!(s.app.take_effects().iter().any(wanted));
    assert!(s.text().contains("polling sqlprd-003 now"));
    s.wait_ms(6_000);
    assert!(!s.text().contains("polling sqlprd-003 now"), "messages vanish");
    s.keys("2 r");
    let all = s.app.take_effects().into_iter().any(|e| matches!(e, Effect::Refresh(ids) if ids.len() == 8));
    assert!(all);
    s.app.reply(Reply::Message { level: Level::Warning, text: "no permit".to_owned() });
    assert!(s.text().contains("▲ no permit"));
}

#[test]
fn copy_takes_the_row_the_marks_or_the_statement() {
    let mut s = small();
    s.keys("y");
    let row = s.app.take_copies().pop().unwrap();
    assert!(row.starts_with("✖\tsqlprd-014\t21\t14 sessions blocked"), "{row}");
    s.keys("space space y");
    assert_eq!(s.app.take_copies().pop().unwrap().lines().count(), 2);
    s.keys("esc 4 y");
    let sql = s.app.take_copies().pop().unwrap();
    assert!(sql.starts_with("UPDATE dbo.[Order]\n"), "the whole statement with its lines: {sql}");
    s.keys("enter y");
    assert!(s.app.take_copies().pop().unwrap().starts_with("UPDATE"));
}

#[test]
fn where_no_row_is_seen_nothing_is_opened_changed_or_copied() {
    let mut s = small();
    s.keys("/ zzz enter");
    assert!(s.lines()[2].contains("0 of 8 instances"), "{}", s.text());
    let empty = s.text();
    for key in ["enter", "d", "i", "D", "r", "space"] {
        s.keys(key);
        let asks = s.app.take_effects().iter().any(|e| !matches!(e, Effect::Focus(_)));
        assert!(!asks, "{key} asks for something");
        assert_eq!(
            s.lines()[..s.lines().len() - 1],
            empty.lines().collect::<Vec<_>>()[..s.lines().len() - 1],
            "{key}"
        );
    }
    s.keys("y");
    assert!(s.text().contains("no row here: nothing to copy"), "{}", s.text());
    assert!(s.app.take_copies().is_empty());
    // The row is remembered, and found again when it is back.
    s.keys("esc down / zzz enter esc");
    assert!(s.selected().contains("sqlprd-003"), "{}", s.text());
    for pane in ["2", "3", "4", "6"] {
        s.keys(pane).keys("/ zzz enter y d enter s");
        assert!(s.lines()[2].starts_with("─ "), "{pane}: a layer is open\n{}", s.text());
        assert!(s.app.take_copies().is_empty(), "{pane}");
        s.keys("esc 1");
    }
}

#[test]
fn a_row_without_a_statement_is_copied_itself() {
    let mut s = small();
    s.keys("2 b y");
    let copied = s.app.take_copies().pop().unwrap_or_default();
    assert!(copied.contains(" instances\t"), "the group, not a statement: {copied}");
    s.keys("1 tab y");
    let copied = s.app.take_copies().pop().unwrap_or_default();
    assert!(copied.starts_with("prod\t"), "{copied}");
}

#[test]
fn requests_are_grouped_and_opened() {
    let mut s = small();
    s.keys("2 b b");
    assert!(s.lines()[2].contains("by login"), "{}", s.lines()[2]);
    assert!(s.selected().contains("app_web"), "{}", s.text());
    s.keys("enter");
    assert!(s.lines()[2].contains("login = app_web") && !s.text().contains("BACKUP"), "{}", s.text());
    s.keys("esc");
    assert!(s.lines()[2].contains("by login"));
    s.keys("esc");
    assert!(s.lines()[2].contains("blockers first"));
}

#[test]
fn a_chain_stays_whole_under_filter_and_sort() {
    let mut s = small();
    s.keys("4 / etl enter");
    let text = s.text();
    assert!(text.contains("├ 93") && text.contains("88 sleeping") && text.contains("└ 104"), "{text}");
    s.keys("> > >");
    let lines = s.lines();
    let head = lines.iter().position(|l| l.contains("88 sleeping")).unwrap();
    assert!(lines[head + 1].contains("├ 91") && lines[head + 2].contains("│ ├ 97"), "{}", s.text());
}

#[test]
fn details_follow_their_row_and_outlive_it() {
    let mut s = small();
    s.keys("2 enter");
    assert!(s.text().contains("sqlprd-014 · session 88"));
    s.ingest(fixture::large(3));
    let text = s.text();
    assert!(text.contains("session 88") && text.contains("it has gone"), "{text}");
}

#[test]
fn the_heat_map_moves_in_two_directions_and_opens() {
    let mut s = Stage::new(fixture::large(500), 120, 40);
    s.keys("v");
    let first = s.lines().iter().find(|l| l.contains('▸')).unwrap().clone();
    assert!(first.contains("sqlprd-000"), "{first}");
    let dots = s.text().chars().filter(|c| "●▲✖○".contains(*c)).count();
    assert!(dots >= 500, "all 500 on one screen: {dots}");
    s.keys("right down");
    let moved = s.lines().iter().find(|l| l.contains('▸')).unwrap().clone();
    assert_ne!(first, moved);
    let name: String = moved.split_whitespace().nth(1).unwrap().to_owned();
    s.keys("enter");
    assert!(s.lines()[0].contains(&name), "{}", s.lines()[0]);
}

#[test]
fn quitting_takes_intent() {
    let mut s = small();
    s.keys("enter q");
    assert!(!s.app.wants_to_quit() && s.lines()[2].contains("Fleet"), "q goes back first");
    s.keys("ctrl-c");
    assert!(!s.app.wants_to_quit() && s.text().contains("Ctrl-c again quits"));
    s.wait_ms(3_000).keys("ctrl-c");
    assert!(!s.app.wants_to_quit(), "too late for the second one");
    s.keys("/ x ctrl-c");
    assert!(s.text().contains("Ctrl-c again quits"), "said where it can be seen");
    s.keys("ctrl-c");
    assert!(s.app.wants_to_quit(), "from anywhere");
    let mut s = small();
    s.keys("q");
    assert!(s.app.wants_to_quit(), "q quits at the top");
    let mut s = small();
    s.keys(": q enter");
    assert!(s.app.wants_to_quit());
}

#[test]
fn a_new_configuration_changes_the_theme_unless_the_user_chose_one() {
    let mut s = small();
    let ok = |name| crate::stage::theme(name).ok.fg;
    let follows = |s: &mut Stage, name: &str| {
        s.app.configure(crate::stage::settings(name));
        s.colour_of("● ")
    };
    assert_eq!(follows(&mut s, "light"), ok("light"));
    s.keys(": theme space dark enter");
    assert_eq!(follows(&mut s, "light"), ok("dark"), "another option changed, the theme did not");
    assert_eq!(follows(&mut s, "mono"), ok("mono"), "the configuration names another one now");
}

#[test]
fn a_new_configuration_changes_when_the_inventory_locks() {
    let mut s = small();
    s.app.reply(Reply::Vault { tenant: "acme".to_owned(), state: VaultState::Open });
    let locks_within = |s: &mut Stage, ms| {
        s.wait_ms(ms);
        let is_lock = |e: &Effect| matches!(e, Effect::Inventory(request) if matches!(**request, InventoryRequest::Lock));
        s.app.take_effects().iter().any(is_lock)
    };
    let configured = |lock_after_ms| dbtop::tui::Settings { lock_after_ms, ..crate::stage::settings("dark") };
    s.app.configure(configured(None));
    assert!(!locks_within(&mut s, 3_600_000), "never");
    s.app.configure(configured(Some(7_200_000)));
    assert!(!locks_within(&mut s, 3_000_000));
    assert!(locks_within(&mut s, 900_000), "two hours without a key");
}

#[test]
fn theme_changes_live() {
    let mut s = small();
    let before = s.colour_of("sqlprd-014");
    s.keys(": theme space light enter");
    assert_ne!(s.colour_of("sqlprd-014"), before);
    s.keys(": theme space nope enter");
    assert!(s.text().contains("no theme named nope"), "{}", s.text());
}

#[test]
fn a_cell_never_lies() {
    let mut s = small();
    let line = |s: &mut Stage, name: &str| s.lines().into_iter().find(|l| l.contains(name)).unwrap();
    let blind = line(&mut s, "sqltst-004");
    assert!(blind.contains("n/a (VIEW SERVER STATE)") && !blind.contains(" 0"), "{blind}");
    let down = line(&mut s, "sqlrep-001");
    assert!(down.contains("unreachable since 13:58:40") && down.contains("4m"), "{down}");
    let dim = crate::stage::theme("dark").dim.fg;
    assert_eq!(s.colour_of("2.9k"), dim, "stale values are dimmed");
    let insecure = line(&mut s, "sqltst-005");
    assert!(insecure.contains("sqltst-005 !"), "no TLS is marked: {insecure}");
    s.keys("end enter");
    assert_eq!(
        s.colour_of("TLS none"),
        crate::stage::theme("dark").critical.fg,
        "and told in red\n{}",
        s.text()
    );
}

#[test]
fn production_is_marked_by_more_than_colour() {
    let mut s = small();
    s.keys("enter");
    assert!(s.lines()[2].contains('━'), "{}", s.lines()[2]);
    s.keys("esc : @test enter");
    assert!(!s.lines()[2].contains('━'), "{}", s.lines()[2]);
}

#[test]
fn columns_scroll_sideways_behind_the_name() {
    let mut s = Stage::new(fixture::small(), 80, 24);
    assert!(!s.lines()[3].contains("TLS"));
    for _ in 0..30 {
        s.keys("right");
    }
    let lines = s.lines();
    assert!(
        lines[3].contains("ADDRESS") && lines[3].contains("INSTANCE") && !lines[3].contains("WHY"),
        "{}",
        lines[3]
    );
    assert!(lines[4].contains("sqlrep-001.corp.ex"), "{}", lines[4]);
}
