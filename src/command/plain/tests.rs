//! Plain mode as somebody hears it: lines in, lines out.

use super::{about::About, console::Console, help};
use crate::{
    cli::Cli,
    model::{
        base::{time::Timestamp, zone::Zone},
        fold::snapshot::{FleetSnapshot, InstanceSnapshot},
        judge::health::{Health, Level, Reason, Topic},
        judge::why::Why,
    },
    protocol::{Effect, HistoryRequest, InventoryRequest, Reply, VaultState},
    tui::{
        Settings, Subject, command_line,
        fixture::{self, NOW},
        theme::{Depth, Theme},
    },
};
use clap::Parser;
use std::sync::Arc;

struct Heard {
    console: Console,
    now: Timestamp,
}

fn settings() -> Settings {
    Settings {
        theme: Theme::load("mono", Depth::True).unwrap(),
        depth: Depth::True,
        zone: crate::model::base::zone::UTC.clone(),
        low_bandwidth: false,
        ascii: false,
        mouse: false,
        lock_after_ms: None,
    }
}

fn subject(vault: VaultState) -> Subject {
    Subject { tenant: "acme".to_owned(), vault, recording: None }
}

/// The fleet, all ok.
fn calm(fleet: &FleetSnapshot) -> FleetSnapshot {
    let mut fleet = fleet.clone();
    for i in &mut fleet.instances {
        let mut instance = InstanceSnapshot::clone(i);
        instance.health = Health { score: Some(100), level: Level::Ok, reasons: Vec::new() };
        *i = Arc::new(instance);
    }
    fleet
}

fn with(fleet: &FleetSnapshot, name: &str, level: Level, words: &str) -> FleetSnapshot {
    let mut fleet = fleet.clone();
    let i = fleet.instances.iter_mut().find(|i| i.id().as_str() == name).unwrap();
    let mut instance = InstanceSnapshot::clone(i);
    let reason = Reason::new(level, Topic::Cpu, 50, Why::Sentence(words.into()));
    instance.health = Health { score: Some(21), level, reasons: vec![reason] };
    *i = Arc::new(instance);
    fleet
}

impl Heard {
    fn of(fleet: FleetSnapshot) -> Self {
        let mut console = Console::new(&settings(), &subject(VaultState::Plain), NOW);
        console.ingest(Arc::new(fleet));
        let mut heard = Self { console, now: NOW };
        heard.console.look(NOW, true);
        heard
    }

    fn lines(&mut self) -> Vec<String> {
        self.console.take_lines()
    }

    fn type_line(&mut self, line: &str) -> Vec<String> {
        self.console.take_lines();
        self.console.type_line(line, self.now);
        self.console.take_lines()
    }

    /// The fleet becomes this, and so many seconds go by.
    fn after(&mut self, s: i64, fleet: FleetSnapshot) -> Vec<String> {
        self.now = self.now.plus_ms(s * 1000);
        self.console.ingest(Arc::new(fleet));
        self.console.look(self.now, true);
        self.lines()
    }
}

#[test]
fn it_begins_with_the_fleet_and_the_worst() {
    let lines = Heard::of(fixture::small()).lines();
    assert!(lines[0].starts_with("dbtop, acme: 2026-11-20 14:02:11 UTC, 8 instances: "), "{lines:#?}");
    assert!(lines[0].contains("3 critical or offline, 1 warning, 3 ok, 1 unknown"), "{lines:#?}");
    assert_eq!(lines[1], "fleet, the whole fleet: 8 rows");
    assert!(lines[2].starts_with("1 ") && lines[4].starts_with("3 "), "{lines:#?}");
    assert_eq!(lines[5..], ["and 5 more", "help lists the words; a number opens a row"]);
}

#[test]
fn help_names_every_list_that_there_is() {
    let mut heard = Heard::of(fixture::small());
    let help = heard.type_line("help").join("\n");
    for (word, _, pane) in command_line::panes() {
        let list = heard.type_line(word);
        let is_listed = help.contains(&format!("\n{word}, with @GROUP"));
        let command = help::command_of(pane);
        assert!(is_listed != command.is_some(), "{word}: lines, or a sub-command that has them");
        match command {
            Some(command) => {
                assert!(list[0].ends_with(command), "{list:#?}");
                let parsed = Cli::try_parse_from(command.split(' '));
                assert!(parsed.is_ok(), "{command}: {parsed:?}");
            }
            None => assert!(list[0].contains(", the whole fleet: "), "{list:#?}"),
        }
    }
}

#[test]
fn help_names_the_actions_that_are_carried_out_and_no_other() {
    for (word, _, action) in command_line::words() {
        let said = Heard::of(fixture::small()).type_line(word);
        let is_refused = said.iter().any(|line| line.starts_with("only the full screen"));
        assert_eq!(is_refused, !help::ACTIONS.contains(&action), "{word}: {said:#?}");
    }
}

#[test]
fn a_time_is_told_as_on_the_screen_with_date_and_zone() {
    let mut heard = Heard::of(fixture::small());
    heard.console.configure(&Settings { zone: Zone::ahead(3600).unwrap(), ..settings() });
    let mut seen = 0;
    for (word, _, pane) in command_line::panes() {
        if About::of(pane).is_none() {
            continue;
        }
        let rows = heard.type_line(word).len().min(4);
        for n in 1..rows {
            let row = heard.type_line(&n.to_string());
            for line in row.iter().filter(|line| line.contains("2026-11-")) {
                seen += 1;
                assert!(!line.contains("T1") && line.contains(" +01:00"), "{word}: {line}");
            }
            heard.type_line(word);
        }
    }
    assert!(seen > 0, "no row has a time");
    let page = heard.type_line("sqlprd-021");
    for line in page.iter().filter(|line| line.contains(" at ") || line.contains(" since ")) {
        let has_clock = line.as_bytes().windows(3).any(|w| w[0] == b':' && w[1].is_ascii_digit());
        assert!(!has_clock || line.contains("+01:00"), "{line}");
    }
}

#[test]
fn a_number_opens_its_row_and_back_leads_where_one_was() {
    let mut heard = Heard::of(fixture::small());
    let list = heard.type_line("fleet");
    let row = list.iter().find(|line| line.contains("sqlprd-014")).unwrap_or_else(|| panic!("{list:#?}"));
    let number = row.split(' ').next().unwrap().to_owned();
    let page = heard.type_line(&number);
    assert_eq!(page[0], "instance, sqlprd-014", "{page:#?}");
    assert!(
        page[1].starts_with("1 critical: 14 sessions blocked") && page[1].ends_with("see blocking"),
        "{page:#?}"
    );
    assert!(page.iter().any(|line| line.starts_with("CPU: ") && line.ends_with('%')), "{page:#?}");
    assert!(page.contains(&"databases: 7, all online".to_owned()), "{page:#?}");
    assert!(page.iter().any(|l| l.starts_with("slowest files: ") && l.ends_with(" ms")), "{page:#?}");
    let focused = heard.console.take_effects();
    assert!(matches!(&focused[..], [Effect::Focus(ids)] if ids.len() == 1), "polled as on the screen");
    let evidence = heard.type_line("1");
    assert!(evidence[0].starts_with("blocking, sqlprd-014: "), "{evidence:#?}");
    assert!(evidence[1].starts_with("1 chain 1, session 88"), "{evidence:#?}");
    assert!(evidence[1].contains(", blocking 5m12s, "), "a head says for how long: {evidence:#?}");
    let facts = heard.type_line("1");
    assert!(facts.contains(&"session: 88".to_owned()), "one fact a line: {facts:#?}");
    assert_eq!(heard.type_line("back")[0], "instance, sqlprd-014");
    assert_eq!(heard.type_line("back")[0], "fleet, the whole fleet: 8 rows");
    assert_eq!(heard.type_line("back"), ["there is nothing before this"]);
    assert_eq!(heard.type_line("99"), ["no row has the number 99"]);
}

#[test]
fn the_words_are_those_of_the_palette() {
    let mut heard = Heard::of(fixture::small());
    assert!(heard.type_line(":waits")[0].starts_with("waits, the whole fleet: "));
    assert!(heard.type_line("activity sqlprd-014")[0].starts_with("activity, sqlprd-014: "));
    assert!(heard.type_line("act @prod")[0].starts_with("activity, prod: "), "a unique beginning");
    assert!(heard.type_line("filter session_id=88")[0].ends_with("filter session_id=88: 1 row"));
    assert_eq!(heard.type_line("a"), ["a may be activity, add, answer, at, audit; help lists the words"]);
    assert_eq!(heard.type_line("lorem"), ["nothing is called lorem; help lists the words"]);
    assert_eq!(heard.type_line("groups"), ["Groups is told by a command of its own: dbtop group list"]);
    assert!(heard.type_line("heat")[0].contains("full screen"));
    let help = heard.type_line("help");
    for word in ["waits", "at TIME", "next", "pause", "q"] {
        assert!(help.iter().any(|line| line.starts_with(word)), "{word}: {help:#?}");
    }
    heard.type_line("quit");
    assert!(heard.console.wants_to_quit());
}

#[test]
fn changes_are_lines_at_most_every_five_seconds_and_nothing_is_said_of_none() {
    let calm = calm(&fixture::small());
    let mut heard = Heard::of(calm.clone());
    heard.lines();
    let bad = with(&calm, "sqlprd-014", Level::Critical, "14 sessions blocked 5m12s by 88");
    assert_eq!(heard.after(1, bad.clone()), Vec::<String>::new(), "not yet");
    assert_eq!(heard.after(4, bad.clone()), ["new critical: sqlprd-014: 14 sessions blocked 5m12s by 88"]);
    assert_eq!(heard.after(60, bad.clone()), Vec::<String>::new(), "an unchanged state says nothing");
    let better = with(&calm, "sqlprd-014", Level::Warning, "1 session blocked 20 s by 88");
    assert_eq!(heard.after(6, better), ["now warning: sqlprd-014: 1 session blocked 20 s by 88"]);
    assert_eq!(heard.after(6, calm.clone()), ["resolved: sqlprd-014: ok"]);
    heard.type_line("pause");
    assert_eq!(heard.after(6, bad.clone()), Vec::<String>::new());
    assert_eq!(heard.type_line("pause")[1], "new critical: sqlprd-014: 14 sessions blocked 5m12s by 88");
    let all = fixture::errors(9);
    let mut heard = Heard::of(self::calm(&all));
    heard.lines();
    let news = heard.after(6, all);
    assert_eq!((news.len(), news[6].as_str()), (7, "and 3 more changed: fleet lists them"), "{news:#?}");
}

#[test]
fn a_collector_is_told_when_it_changes_and_not_every_second() {
    let mut heard = Heard::of(fixture::small());
    heard.lines();
    let mut hear = |words: Option<&str>| {
        heard.console.hear(Reply::Collector(words.map(str::to_owned)));
        heard.lines()
    };
    assert_eq!(hear(None), Vec::<String>::new(), "as from the beginning");
    let attached = "attached · collector pid 4711, 7/8";
    assert_eq!(hear(Some(attached)), [attached]);
    for _ in 0..60 {
        assert_eq!(hear(Some(attached)), Vec::<String>::new());
    }
    assert_eq!(
        hear(Some("attached · collector pid 4711, 8/8")),
        Vec::<String>::new(),
        "its own news tell that"
    );
    let gone = "attached · no collector runs: waiting for one";
    assert_eq!(hear(Some(gone)), [gone]);
    assert_eq!(hear(Some(gone)), Vec::<String>::new());
    assert_eq!(hear(None), ["no collector runs: this program polls"]);
    assert_eq!(hear(None), Vec::<String>::new());
}

#[test]
fn a_clock_that_is_set_back_keeps_no_news_and_no_lock() {
    let calm = calm(&fixture::small());
    let mut heard = Heard {
        console: Console::new(
            &Settings { lock_after_ms: Some(60_000), ..settings() },
            &subject(VaultState::Open),
            NOW,
        ),
        now: NOW,
    };
    heard.after(0, calm.clone());
    let bad = with(&calm, "sqlprd-014", Level::Critical, "14 sessions blocked 5m12s by 88");
    assert_eq!(heard.after(-3_600, bad.clone()), Vec::<String>::new());
    assert_eq!(heard.after(5, bad.clone()), ["new critical: sqlprd-014: 14 sessions blocked 5m12s by 88"]);
    assert!(heard.console.take_effects().is_empty());
    heard.after(55, bad);
    let effects = heard.console.take_effects();
    let is_lock =
        |e: &Effect| matches!(e, Effect::Inventory(request) if matches!(**request, InventoryRequest::Lock));
    assert!(effects.iter().any(is_lock), "a minute that nobody typed");
}

#[test]
fn a_time_is_asked_of_history_and_told() {
    let mut heard = Heard::of(fixture::small());
    assert!(heard.type_line("time -3h").is_empty());
    let asked = heard.console.take_effects().into_iter().find_map(|effect| match effect {
        Effect::History(request) => match *request {
            HistoryRequest::At { ticket, at } => Some((ticket, at)),
            _ => None,
        },
        _ => None,
    });
    let (ticket, at) = asked.unwrap();
    assert_eq!(at, NOW.plus_ms(-3 * 3_600_000));
    assert!(!heard.console.listens(), "the answer comes before the next line");
    let snapshot = Arc::new(fixture::small_at(at));
    heard.console.hear(Reply::Past { ticket, snapshot, at, oldest: at, newest: NOW, damaged: Vec::new() });
    let lines = heard.lines();
    assert!(lines[0].starts_with("past, 2026-11-20 11:02:11 UTC, 8 instances"), "{lines:#?}");
    assert_eq!(heard.type_line("refresh"), ["this is the past; live comes back"]);
    assert!(heard.type_line("live")[0].starts_with("2026-11-20 14:02:11 UTC, 8 instances"));
    assert!(heard.type_line("at 25:00")[0].contains("there is no 25:00"));
}

#[test]
fn a_passphrase_is_asked_for_and_never_said() {
    let mut console = Console::new(&settings(), &subject(VaultState::Opening), NOW);
    let state = VaultState::Locked { by_passphrase: true, why: None };
    console.hear(Reply::Vault { tenant: "acme".to_owned(), state });
    assert!(console.asks_secret() && console.listens() && console.prompt().contains("not shown"));
    assert_eq!(console.take_lines(), ["the inventory of acme is locked; an empty line leaves it so"]);
    console.type_line("hunter2 hunter2", NOW);
    let effects = console.take_effects();
    let is_unlock = |effect: &Effect| match effect {
        Effect::Inventory(request) => {
            matches!(&**request, InventoryRequest::Unlock(Some(secret)) if secret.reveal() == "hunter2 hunter2")
        }
        _ => false,
    };
    assert!(effects.iter().any(is_unlock));
    assert!(!console.asks_secret() && console.take_lines().is_empty());
    assert!(!console.listens(), "it opens");
}
