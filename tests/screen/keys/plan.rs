//! A plan and a deadlock on the whole screen: what keys do, and how they look at three sizes. The plans are made up; those that
//! others published are drawn, too, where they stand beside the project.

use crate::{
    fixture,
    stage::{Stage, settings, theme},
};
use dbtop::{
    deadlock::Deadlock,
    model::inventory::instance::InstanceId,
    plan::Plan,
    protocol::{Effect, InventoryRequest, Refusal, Reply},
    tui::{DeadlockSource, LiveRequest, PlanSource, Settings},
};
use ratatui::style::Color;
use std::{fmt::Write as _, fs, path::PathBuf, sync::Arc};

const ORDERS: &str = include_str!("../../fixture/plan/orders.sqlplan");
const BEFORE: &str = include_str!("../../fixture/plan/orders_before.sqlplan");
const DEADLOCK: &str = include_str!("../../fixture/deadlock/orders.xdl");

fn source(title: &str, xml: &str) -> PlanSource {
    PlanSource {
        title: title.to_owned(),
        instance: None,
        facts: Vec::new(),
        raw: xml.into(),
        plan: Arc::new(Plan::read(xml.as_bytes()).unwrap()),
        judged: Arc::default(),
        query_hash: None,
        live: None,
    }
}

fn orders() -> PlanSource {
    source("sqlprd-014 · orders · last actual 14:02:11", ORDERS)
}

fn before() -> PlanSource {
    source("sqlprd-014 · orders · Query Store, plan 7", BEFORE)
}

/// The plan over the fleet, with another one to compare with.
fn stage_of(w: u16, h: u16, theme: &str) -> Stage {
    let mut s = Stage::with_theme(fixture::small(), w, h, theme);
    s.app.show_plan(orders(), vec![before()]);
    s.app.take_effects();
    s
}

fn stage() -> Stage {
    stage_of(120, 40, "dark")
}

fn deadlocks() -> Vec<DeadlockSource> {
    let source = |title: &str| DeadlockSource {
        title: title.to_owned(),
        instance: None,
        raw: DEADLOCK.into(),
        deadlock: Arc::new(Deadlock::read_all(DEADLOCK.as_bytes()).unwrap().remove(0)),
    };
    vec![source("2026-11-29 14:02:11 · sqlprd-014"), source("2026-11-28 09:41:00 · sqlprd-014")]
}

fn deadlock(w: u16, h: u16) -> Stage {
    let mut s = Stage::new(fixture::small(), w, h);
    s.app.show_deadlock(deadlocks(), 0);
    s
}

#[test]
fn a_plan_and_a_deadlock_at_three_sizes() {
    for (name, keys, is_plan) in [
        ("plan", "", true),
        ("plan_folded_by_cost", "< z", true),
        ("plan_operator", "enter", true),
        ("plan_statement", "home enter", true),
        ("plan_compared", "=", true),
        ("deadlock", "", false),
        ("deadlock_session", "down enter", false),
    ] {
        let mut all = String::new();
        for (w, h) in [(80, 24), (120, 40), (200, 60)] {
            let mut s = if is_plan { stage_of(w, h, "dark") } else { deadlock(w, h) };
            let _ = writeln!(all, "{w}x{h}\n{}\n", s.keys(keys).text());
        }
        insta::assert_snapshot!(name, all);
    }
}

#[test]
fn it_opens_at_the_heaviest_finding_of_the_heaviest_statement() {
    let mut s = stage();
    assert!(s.selected().contains("Index Scan") && s.selected().contains("Order.IX_Date"), "{}", s.text());
    assert!(s.lines()[2].contains("tree 2 of 3"), "{}", s.text());
    // Readers of the screen follow the hardware cursor.
    let (_, y) = s.app.cursor().unwrap();
    assert!(s.lines()[usize::from(y)].contains("Order.IX_Date"), "{}", s.text());
    s.keys("k");
    assert!(s.selected().contains("Clustered Index Scan"), "{}", s.selected());
    s.keys("j");
    assert!(s.selected().contains("Order.IX_Date"), "{}", s.selected());
}

#[test]
fn what_is_wrong_is_told_with_its_colour_and_what_helps() {
    for name in ["dark", "light"] {
        let mut s = stage_of(120, 40, name);
        let (critical, accent) = (theme(name).critical.fg, theme(name).accent.fg);
        assert_eq!(s.colour_of("✖ P02"), critical, "{name}");
        assert_eq!(s.colour_of("┃"), accent, "{name}");
    }
    let mut s = stage();
    let text = s.text();
    assert!(text.contains("loses the seek"), "{text}");
    assert!(text.contains("declare the parameter as the column is"), "the advice of the chosen one: {text}");
    assert!(text.contains("outside operators"), "{text}");
    assert!(text.contains("@cust") && text.contains("N'88412'"), "{text}");
}

#[test]
fn n_goes_from_finding_to_finding_and_round() {
    let mut s = stage();
    let open = |s: &mut Stage| s.lines().into_iter().find(|line| line.starts_with('›')).unwrap_or_default();
    let first = open(&mut s);
    assert!(first.contains("P02"), "{}", s.text());
    let mut seen = vec![first.clone()];
    for _ in 0..30 {
        s.keys("n");
        let here = open(&mut s);
        if here == first {
            break;
        }
        seen.push(here);
    }
    assert!(seen.len() >= 6, "{seen:#?}");
    assert!(seen.iter().any(|line| line.contains("P09")) && seen.iter().any(|line| line.contains("P15")));
    s.keys("n N");
    assert_eq!(open(&mut s), first, "back again");
    // A finding on the statement as a whole stands on its line.
    for _ in 0..30 {
        s.keys("n");
        if open(&mut s).contains("P01") {
            break;
        }
    }
    assert!(s.selected().contains("statement") && s.selected().contains("SELECT o.Id"), "{}", s.text());
}

#[test]
fn the_metric_changes_to_what_the_plan_has() {
    let mut s = stage();
    assert!(s.text().contains("OWN time"));
    s.keys(">");
    assert!(s.text().contains("OWN CPU") && s.selected().contains("Order.IX_Date"), "{}", s.text());
    s.keys("> > >");
    assert!(s.text().contains("COST"), "{}", s.text());
    assert!(!s.text().contains("outside operators"), "it is a time");
    s.keys(">");
    assert!(s.text().contains("OWN time"), "round: {}", s.text());
    s.keys("<");
    assert!(s.text().contains("COST"));
    // What did not run has neither times nor reads.
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.app.show_plan(before(), Vec::new());
    for _ in 0..5 {
        assert!(!s.text().contains("OWN time") && !s.text().contains("READS"), "{}", s.text());
        s.keys(">");
    }
}

#[test]
fn folding_keeps_the_cursor_and_says_so() {
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.app.show_plan(before(), Vec::new());
    let count = |s: &mut Stage| s.lines().iter().filter(|line| line.contains("Index Seek")).count();
    let whole = count(&mut s);
    s.keys("end up z");
    assert!(s.lines()[2].contains("folded"), "{}", s.text());
    assert!(count(&mut s) <= whole);
    s.keys("z");
    assert!(!s.lines()[2].contains("folded") && count(&mut s) == whole, "{}", s.text());
}

#[test]
fn tab_goes_through_the_trees_of_a_batch() {
    let mut s = stage();
    s.keys("tab");
    assert!(
        s.text().contains("Clustered Index Update") && s.lines()[2].contains("tree 3 of 3"),
        "{}",
        s.text()
    );
    s.keys("tab");
    assert!(s.text().contains("Constant Scan"), "{}", s.text());
    s.keys("shift-tab shift-tab");
    assert!(s.text().contains("Hash Match"), "{}", s.text());
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.app.show_plan(before(), Vec::new());
    assert!(s.keys("tab").text().contains("this plan has one tree"));
}

#[test]
fn a_text_is_found_in_operators_and_esc_forgets_it() {
    let mut s = stage();
    s.keys("/ pk_customer");
    assert!(s.selected().contains("Customer.PK_Customer"), "while it is typed: {}", s.text());
    s.keys("enter home n");
    assert!(s.selected().contains("Customer.PK_Customer"), "{}", s.text());
    s.keys("esc");
    assert!(!s.lines()[2].contains("/pk_customer"), "{}", s.text());
    assert!(s.text().contains("OPERATOR"), "it is open still");
    s.keys("/ nowhere");
    s.keys("enter n");
    assert!(s.text().contains("nothing has \"nowhere\""), "{}", s.text());
    s.keys("esc esc");
    assert!(s.text().contains("INSTANCE"), "the fleet again: {}", s.text());
}

#[test]
fn all_about_an_operator_and_about_the_statement() {
    let mut s = stage_of(120, 100, "dark");
    s.keys("enter");
    let text = s.text();
    for word in [
        "own time",
        "3.0 s",
        "read to find them",
        "88,000,000",
        "Threads",
        "0 coordinates",
        "usually helps",
        "predicate",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    s.keys("esc home d");
    let text = s.text();
    for word in ["CXPACKET", "Memory grant", "512 MB", "Statistics", "IX_Date", "ARITHABORT", "SELECT o.Id"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    s.keys("y");
    assert!(s.app.take_copies()[0].starts_with("SELECT o.Id"), "of the statement its text is copied");
    s.keys("esc end enter");
    assert!(s.text().contains("functions of several statements"), "{}", s.text());
    s.keys("q");
    assert!(s.text().contains("OPERATOR"));
}

#[test]
fn a_line_or_the_whole_is_copied() {
    let mut s = stage();
    s.keys("y");
    let copied = s.app.take_copies();
    assert!(
        copied[0].contains("\tIndex Scan ×4\t") && copied[0].contains("orders.dbo.Order.IX_Date"),
        "{copied:?}"
    );
    assert!(s.text().contains("copied"));
    s.keys("Y");
    let copied = s.app.take_copies();
    assert!(copied[0].contains("UPDATE dbo.Customer") && copied[0].contains("Hash Match"), "{copied:?}");
}

#[test]
fn two_plans_stand_side_by_side() {
    let mut s = stage();
    s.keys("=");
    let text = s.text();
    assert!(text.contains("Two plans") && text.contains("COST A"), "{text}");
    assert!(text.contains("only in B: Key Lookup"), "{text}");
    assert!(text.contains("Index Scan Order.IX_Date → Index Seek Order.IX_Customer"), "{text}");
    s.keys("n");
    assert!(s.selected().contains("only in") || s.selected().contains('→'), "{}", s.selected());
    s.keys("y");
    assert!(s.app.take_copies()[0].contains("Query Store, plan 7"));
    s.keys("end k enter");
    assert!(s.text().contains("A · Index Scan · Order.IX_Date"), "{}", s.text());
    assert!(s.keys("pgdn").text().contains("B · Index Seek · Order.IX_Customer"), "{}", s.text());
    s.keys("esc");
    s.keys("esc");
    assert!(s.text().contains("OPERATOR") && s.text().contains("Findings"), "{}", s.text());
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.app.show_plan(before(), Vec::new());
    assert!(s.keys("=").text().contains("no other plan here"), "{}", s.text());
}

#[test]
fn missing_indexes_are_statements_with_their_reservations() {
    let mut s = stage();
    s.keys("m");
    let text = s.text();
    assert!(text.contains("CREATE INDEX") && text.contains("[CustomerNo]"), "{text}");
    assert!(text.contains("can an index"), "{text}");
    s.keys("y");
    assert!(s.app.take_copies()[0].contains("INCLUDE ([Total], [CustomerId])"));
    s.keys("esc tab m");
    assert!(s.text().contains("missed no index here"), "{}", s.text());
}

fn requests(s: &mut Stage) -> Vec<InventoryRequest> {
    let asked = |effect| if let Effect::Inventory(request) = effect { Some(*request) } else { None };
    s.app.take_effects().into_iter().filter_map(asked).collect()
}

#[test]
fn a_plan_is_written_as_it_came() {
    let mut s = stage();
    s.keys("e");
    assert!(s.text().contains("plan-0x8A3F00000000B10C.sqlplan"), "{}", s.text());
    s.keys("enter");
    let asked = requests(&mut s);
    let [InventoryRequest::WriteFile { file, what: "plan", scope, text }] = &asked[..] else {
        panic!("{}", s.text())
    };
    assert_eq!(file.to_str(), Some("plan-0x8A3F00000000B10C.sqlplan"));
    assert_eq!((&**text, scope.as_str()), (ORDERS, orders().title.as_str()));
    let refusal = Refusal { field: Some("file"), words: "name a file that is not there yet".to_owned() };
    s.reply(Reply::Saved(Err(refusal)));
    assert!(s.text().contains("not there yet"), "{}", s.text());
    s.keys("enter").reply(Reply::Saved(Ok("plan written to x.sqlplan".to_owned())));
    assert!(s.text().contains("plan written to") && s.text().contains("OPERATOR"), "{}", s.text());
    requests(&mut s);
    // Another ending would hide from other tools what it is.
    s.keys("e ctrl-u x.txt enter");
    assert!(s.text().contains("ends in .sqlplan") && requests(&mut s).is_empty(), "{}", s.text());
}

#[test]
fn help_is_about_the_plan_and_leads_back_to_it() {
    let mut s = stage();
    assert!(s.lines()[39].contains("operator") && s.lines()[39].contains("finding"), "{}", s.lines()[39]);
    s.keys("?");
    let text = s.text();
    assert!(text.contains("Keys · Plan") && text.contains("next finding"), "{text}");
    assert!(s.keys("G").text().contains("the slowest path"), "{}", s.text());
    s.keys("esc");
    assert!(s.text().contains("OPERATOR"));
    s.keys("2");
    assert!(s.lines()[2].contains("Activity"), "another pane is there at once: {}", s.text());
}

#[test]
fn mono_sends_no_colour_and_ascii_nothing_else() {
    for cell in stage_of(120, 40, "mono").buffer().content() {
        assert!(matches!((cell.fg, cell.bg), (Color::Reset, Color::Reset)), "{cell:?}");
    }
    for mut s in [stage(), deadlock(120, 40)] {
        s.app.configure(Settings { ascii: true, ..settings("dark") });
        let text = s.text();
        assert!(text.is_ascii() && text.contains("X "), "{text}");
    }
}

#[test]
fn a_plan_with_hostile_names_or_none_is_drawn_at_every_size() {
    let evil = ORDERS
        .replace("PK_Customer", "&#x202e;&#x1b;[2J&#x0a;日本語&#x200b;")
        .replace("Index Scan", "&#x9;Ind&#x202d;ex")
        .replace("CXPACKET", &"W".repeat(500));
    let none = "<ShowPlanXML Version=\"1.6\" Build=\"14\"><BatchSequence><Batch><Statements><StmtSimple StatementType=\"USE DATABASE\"/></Statements></Batch></BatchSequence></ShowPlanXML>";
    let lone = none.replace("/></Statements>", "><QueryPlan/></StmtSimple></Statements>");
    for xml in [evil.as_str(), none, &lone] {
        let title = "x\u{1b}]0;\u{7}\u{202e}".repeat(40);
        for (w, h) in [(40, 10), (41, 11), (60, 14), (80, 24), (99, 25), (140, 30), (300, 100)] {
            let mut s = Stage::new(fixture::small(), w, h);
            // Without any character of control on the screen, whatever is pressed.
            let others = vec![source(&title, xml), orders()];
            let live = LiveRequest { instance: InstanceId::new("a"), session_id: 57, started_at: None };
            s.app.show_plan(PlanSource { live: Some(live), ..source(&title, xml) }, others);
            for keys in [
                "",
                "enter",
                "esc > > z",
                "tab n N",
                "/ x",
                "enter",
                "esc m",
                "esc =",
                "n =",
                "end y Y",
                "esc home d",
            ] {
                let text = s.keys(keys).text();
                assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{202d}', '\u{200b}', '\u{7}']), "{text}");
            }
        }
    }
    let mut s = Stage::new(fixture::small(), 120, 40);
    s.app.show_plan(source("x", none), Vec::new());
    assert!(s.text().contains("No statement of this plan has a tree"), "{}", s.text());
}

#[test]
fn every_published_plan_is_drawn() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/plans");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no published plans beside the project");
        return;
    };
    let mut last: Option<PlanSource> = None;
    for file in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if file.extension().is_none_or(|end| end != "sqlplan") {
            continue;
        }
        let name = file.display().to_string();
        let plan = Arc::new(Plan::read(&fs::read(&file).unwrap()).unwrap());
        let source = PlanSource {
            title: name.clone(),
            instance: None,
            facts: Vec::new(),
            raw: "".into(),
            plan,
            judged: Arc::default(),
            query_hash: None,
            live: None,
        };
        let operators: usize =
            source.plan.statements.iter().flat_map(|s| &s.queries).map(|q| q.operators.len()).sum();
        for (w, h) in [(80, 24), (120, 40), (200, 60)] {
            let mut s = Stage::new(fixture::small(), w, h);
            s.app.show_plan(source.clone(), last.iter().cloned().collect());
            let text = s.text();
            assert!(
                operators == 0 || text.contains("OPERATOR") && text.contains("Findings"),
                "{name}: {text}"
            );
            for keys in ["enter", "esc >", "z n", "n tab", "=", "down esc", "home d", "esc end enter"] {
                s.keys(keys).text();
            }
        }
        last = Some(source);
    }
}

#[test]
fn a_deadlock_has_its_rings_its_parties_and_its_file() {
    let mut s = deadlock(120, 40);
    let text = s.text();
    assert!(
        text.contains("key lookup") && text.contains("cycle 1 of 2") && text.contains("deadlock 1 of 2"),
        "{text}"
    );
    assert!(text.contains("╭▶") && text.contains("╰─") && text.contains("held X by 88"), "{text}");
    assert!(s.selected().contains("62") && s.selected().contains("✖ victim"), "{}", s.selected());
    assert_eq!(s.colour_of("✖ victim"), theme("dark").critical.fg);
    assert!(text.contains("usual cure") && text.contains("include the missing columns"), "{text}");
    s.keys("j enter");
    let text = s.text();
    for word in ["Session 88", "read committed", "usp_Pay line 40", "UPDATE dbo.[Order]", "21 KB", "app_web"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    s.keys("esc tab");
    assert!(s.text().contains("conversion") && s.text().contains("repeatable read"), "{}", s.text());
    s.keys("=");
    assert!(s.text().contains("2026-11-28 09:41:00") && s.text().contains("deadlock 2 of 2"), "{}", s.text());
    s.keys("y");
    assert!(s.app.take_copies()[0].contains("report@WEB-03"));
    s.keys("Y");
    assert!(s.app.take_copies()[0].contains("usual cure"));
    s.app.take_effects();
    s.keys("e enter");
    let asked = requests(&mut s);
    let [InventoryRequest::WriteFile { file, what: "deadlock", text, .. }] = &asked[..] else {
        panic!("{}", s.text())
    };
    assert_eq!(file.to_str(), Some("deadlock-2026-11-28-09-41-00-sqlprd-014.xdl"));
    assert_eq!(&**text, DEADLOCK);
    s.keys("esc ? esc esc");
    assert!(s.text().contains("INSTANCE"), "{}", s.text());
}

#[test]
fn a_report_that_is_cut_short_still_says_who_was_in_it() {
    for xml in [
        "<deadlock><process-list><process id=\"a\" spid=\"51\" loginname=\"x\"/></process-list></deadlock>",
        "<deadlock/>",
        &DEADLOCK.replace("keylock", "Kl\u{f6}tze").replace("usp_Pay", "&#x202e;&#x1b;[2J"),
    ] {
        for (w, h) in [(40, 10), (80, 24), (200, 60)] {
            let mut s = Stage::new(fixture::small(), w, h);
            let deadlock = Arc::new(Deadlock::read_all(xml.as_bytes()).unwrap().remove(0));
            let source =
                DeadlockSource { title: "x\u{1b}".into(), instance: None, raw: xml.into(), deadlock };
            s.app.show_deadlock(vec![source], 0);
            for keys in ["", "enter", "esc tab =", "j k y Y", "d"] {
                let text = s.keys(keys).text();
                assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
            }
        }
    }
    let mut s = Stage::new(fixture::small(), 80, 24);
    s.app.show_deadlock(Vec::new(), 3);
    assert!(s.keys("enter = tab y Y e").text().contains("names nobody"), "{}", s.text());
}
