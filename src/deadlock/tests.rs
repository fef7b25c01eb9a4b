//! Shapes of reports, rings, patterns and fingerprints, and damage.

use super::{
    Deadlock, DeadlockError,
    cycle::Graph,
    lines::{pictures, text},
    pattern::Pattern,
};
use crate::model::base::time::Timestamp;
use proptest::prelude::*;

fn read(xml: &str) -> Deadlock {
    Deadlock::read_all(xml.as_bytes()).expect("a deadlock").remove(0)
}

/// A process with its attributes, and the module and statement that it ran.
fn process(id: &str, spid: u64, attributes: &str, module: &str, statement: &str) -> String {
    format!(
        "<process id=\"{id}\" spid=\"{spid}\" isolationlevel=\"read committed (2)\" loginname=\"l\" hostname=\"h\" waittime=\"4100\" {attributes}>\
         <executionStack><frame procname=\"{module}\" line=\"12\">{statement}</frame></executionStack><inputbuf>EXEC</inputbuf></process>"
    )
}

/// A resource: its element with attributes, owners and waiters as `process mode`.
fn resource(kind: &str, attributes: &str, owners: &[(&str, &str)], waiters: &[(&str, &str)]) -> String {
    let list = |name: &str, all: &[(&str, &str)]| -> String {
        all.iter()
            .map(|(id, mode)| format!("<{name} id=\"{id}\" mode=\"{mode}\"/>"))
            .collect::<Vec<_>>()
            .concat()
    };
    format!(
        "<{kind} {attributes}><owner-list>{}</owner-list><waiter-list>{}</waiter-list></{kind}>",
        list("owner", owners),
        list("waiter", waiters)
    )
}

fn graph(victims: &[&str], processes: &[String], resources: &[String]) -> String {
    let victims: Vec<String> = victims.iter().map(|id| format!("<victimProcess id=\"{id}\"/>")).collect();
    format!(
        "<deadlock><victim-list>{}</victim-list><process-list>{}</process-list><resource-list>{}</resource-list></deadlock>",
        victims.concat(),
        processes.concat(),
        resources.concat()
    )
}

/// Two sessions, a and b: a waits for what b holds in `kinds[0]`, b for what a holds in `kinds[1]`.
fn pair(
    a: (&str, &str),
    b: (&str, &str),
    first: (&str, &str, &str, &str),
    second: (&str, &str, &str, &str),
) -> Deadlock {
    let (kind, attributes, wants, held) = first;
    let one = resource(kind, &format!("id=\"r1\" {attributes}"), &[("b", held)], &[("a", wants)]);
    let (kind, attributes, wants, held) = second;
    let other = resource(kind, &format!("id=\"r2\" {attributes}"), &[("a", held)], &[("b", wants)]);
    read(&graph(
        &["a"],
        &[process("a", 62, "", a.0, a.1), process("b", 88, "logused=\"21504\"", b.0, b.1)],
        &[one, other],
    ))
}

fn pattern(deadlock: &Deadlock) -> Pattern {
    pictures(deadlock).first().expect("a ring").pattern
}

const ORDER: &str = "objectname=\"orders.dbo.Order\" indexname=\"PK_Order\"";
const BY_DATE: &str = "objectname=\"orders.dbo.Order\" indexname=\"IX_Date\"";
const CUSTOMER: &str = "objectname=\"orders.dbo.Customer\" indexname=\"PK_Customer\"";

#[test]
fn a_report_is_drawn_with_the_victim_first_and_the_ring_closed() {
    let deadlock = pair(
        ("orders.dbo.usp_OrderList", "SELECT o.Total\n FROM dbo.[Order]"),
        ("orders.dbo.usp_Pay", "UPDATE dbo.[Order] SET Paid = 1"),
        ("keylock", ORDER, "S", "X"),
        ("keylock", BY_DATE, "X", "S"),
    );
    let told = text(&[deadlock], |_| "14:02:11".to_owned());
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("14:02:11 · key lookup · "), "{told}");
    assert!(
        lines[1].starts_with("   ╭▶ 62")
            && lines[1].contains("✖ victim")
            && lines[1].contains("usp_OrderList:12"),
        "{told}"
    );
    assert!(lines[1].ends_with("SELECT o.Total FROM dbo.[Order]"), "one line: {told}");
    assert!(
        lines[2].contains("waits S on key of orders.dbo.Order PK_Order   4.1 s   held X by 88"),
        "{told}"
    );
    assert!(lines[3].contains("88") && !lines[3].contains("victim") && lines[3].contains("21 KB"), "{told}");
    assert!(lines[4].starts_with("   ╰─") && lines[4].contains("held S by 62"), "{told}");
    assert!(lines[5].contains("62 wants S on key of orders.dbo.Order PK_Order, which 88 holds"), "{told}");
}

#[test]
fn each_pattern_is_known_by_what_makes_it() {
    let plain = ("adhoc", "UPDATE x");
    let of = |a, b, first, second| pattern(&pair(a, b, first, second));
    assert_eq!(
        of(plain, plain, ("applicationlock", "", "X", "X"), ("keylock", ORDER, "X", "X")),
        Pattern::Applock
    );
    assert_eq!(
        of(plain, plain, ("threadpool", "", "", ""), ("keylock", ORDER, "X", "X")),
        Pattern::Threadpool
    );
    assert_eq!(
        of(plain, plain, ("keylock", ORDER, "S", "X"), ("keylock", BY_DATE, "X", "S")),
        Pattern::KeyLookup
    );
    assert_eq!(
        of(plain, plain, ("keylock", ORDER, "RangeI-N", "RangeS-S"), ("keylock", ORDER, "X", "X")),
        Pattern::Range
    );
    assert_eq!(
        of(plain, plain, ("objectlock", ORDER, "IX", "X"), ("keylock", ORDER, "X", "X")),
        Pattern::TableLock
    );
    assert_eq!(
        of(plain, plain, ("keylock", ORDER, "X", "X"), ("keylock", CUSTOMER, "X", "X")),
        Pattern::OppositeOrder
    );
    let module = ("orders.dbo.usp_Pay", "UPDATE x");
    assert_eq!(
        of(module, module, ("keylock", ORDER, "X", "X"), ("keylock", ORDER, "X", "X")),
        Pattern::SameModule
    );
    assert_eq!(
        of(
            plain,
            plain,
            ("ridlock", "objectname=\"o.dbo.H\"", "X", "X"),
            ("ridlock", "objectname=\"o.dbo.H\"", "X", "X")
        ),
        Pattern::Heap
    );
    assert_eq!(
        of(plain, plain, ("keylock", ORDER, "S", "X"), ("keylock", ORDER, "X", "S")),
        Pattern::ReaderWriter
    );
    assert_eq!(of(plain, plain, ("keylock", ORDER, "U", "X"), ("keylock", ORDER, "X", "U")), Pattern::Ring);
}

#[test]
fn an_owner_that_asks_for_more_of_the_same_is_a_conversion() {
    let shared = resource(
        "keylock",
        &format!("id=\"r\" {ORDER}"),
        &[("a", "S"), ("b", "S")],
        &[("a", "X"), ("b", "X")],
    );
    let deadlock = read(&graph(
        &["a"],
        &[process("a", 62, "", "adhoc", ""), process("b", 88, "", "adhoc", "")],
        &[shared],
    ));
    assert_eq!(pattern(&deadlock), Pattern::Conversion);
    assert_eq!(Graph::of(&deadlock).waits.len(), 2, "nobody waits for itself");
}

#[test]
fn a_parallel_query_with_itself_is_told_by_its_tasks() {
    let tasks = [
        process("a", 62, "ecid=\"0\"", "adhoc", "SELECT"),
        process("b", 62, "ecid=\"3\"", "adhoc", "SELECT"),
    ];
    let deadlock = read(&graph(
        &["a"],
        &tasks,
        &[
            resource("exchangeEvent", "id=\"e1\"", &[("b", "")], &[("a", "")]),
            resource("SyncPoint", "id=\"e2\"", &[("a", "")], &[("b", "")]),
        ],
    ));
    assert_eq!(pattern(&deadlock), Pattern::IntraQuery);
    assert!(text(&[deadlock], |_| String::new()).contains("62.3"));
}

#[test]
fn tasks_of_a_session_are_one_party_among_others() {
    let tasks = [
        process("a0", 62, "ecid=\"0\"", "adhoc", "SELECT"),
        process("a1", 62, "ecid=\"1\"", "adhoc", "SELECT"),
        process("b", 88, "", "adhoc", "UPDATE"),
    ];
    let deadlock = read(&graph(
        &["a1"],
        &tasks,
        &[
            resource("keylock", &format!("id=\"k1\" {ORDER}"), &[("b", "X")], &[("a1", "S")]),
            resource("keylock", &format!("id=\"k2\" {CUSTOMER}"), &[("a0", "S")], &[("b", "X")]),
        ],
    ));
    let graph = Graph::of(&deadlock);
    assert_eq!(
        graph.parties.iter().map(|party| (party.tasks.clone(), party.victim)).collect::<Vec<_>>(),
        [(vec![0, 1], true), (vec![2], false)]
    );
    assert_eq!(graph.rings().len(), 1);
}

#[test]
fn rings_that_have_nothing_to_do_with_each_other_are_told_apart() {
    let tasks: Vec<String> = ["a", "b", "c", "d", "e"]
        .iter()
        .enumerate()
        .map(|(at, id)| process(id, 50 + at as u64, "", "adhoc", "x"))
        .collect();
    let lock = |id: &str, owner, waiter| {
        resource("keylock", &format!("id=\"{id}\" {ORDER}"), &[(owner, "X")], &[(waiter, "X")])
    };
    // a → b → c → a, and d ↔ e.
    let all = [
        lock("1", "b", "a"),
        lock("2", "c", "b"),
        lock("3", "a", "c"),
        lock("4", "e", "d"),
        lock("5", "d", "e"),
    ];
    let deadlock = read(&graph(&["d"], &tasks, &all));
    let rings: Vec<usize> = Graph::of(&deadlock).rings().iter().map(|ring| ring.waits.len()).collect();
    assert_eq!(rings, [2, 3], "the victim's first");
    assert!(text(&[deadlock], |_| String::new()).contains("ring 2 of 2"));
}

#[test]
fn entries_of_one_resource_are_merged_and_nobody_counts_twice() {
    let entry = |owner| {
        resource("keylock", &format!("id=\"k\" {ORDER}"), &[(owner, "X"), (owner, "X")], &[("a", "S")])
    };
    let deadlock = read(&graph(
        &[],
        &[process("a", 1, "", "", ""), process("b", 2, "", "", "")],
        &[entry("b"), entry("b"), entry("c")],
    ));
    assert_eq!(deadlock.resources.len(), 1);
    assert_eq!(deadlock.resources[0].owners.len(), 2);
    assert_eq!(deadlock.resources[0].waiters.len(), 1);
}

#[test]
fn every_shape_of_document_is_read() {
    let bare = graph(&["a"], &[process("a", 1, "", "", "")], &[]);
    let event = format!(
        "<event name=\"xml_deadlock_report\" timestamp=\"2026-02-18T08:26:24.698Z\"><data><value>{bare}</value></data></event>"
    );
    let list = bare
        .replace("<deadlock>", "<deadlock victim=\"a\">")
        .replace("<victim-list><victimProcess id=\"a\"/></victim-list>", "");
    let list = format!("<deadlock-list>{list}</deadlock-list>");
    let upper = bare.replace("process-list", "PROCESS-LIST").replace("victimProcess", "VictimProcess");
    for xml in [&bare, &event, &list, &upper] {
        let deadlock = read(xml);
        assert_eq!(
            (deadlock.victims.as_slice(), deadlock.processes.len()),
            (&["a".to_owned()][..], 1),
            "{xml}"
        );
    }
    assert_eq!(read(&event).at.map(Timestamp::ms), Some(1_771_403_184_698));
    assert_eq!(read(&bare).at, None);
    let two = format!("<events>{event}{event}</events>");
    assert_eq!(Deadlock::read_all(two.as_bytes()).expect("deadlocks").len(), 2);
    assert_eq!(
        Deadlock::read_all(b"<ShowPlanXML/>").err(),
        Some(DeadlockError::None("ShowPlanXML".to_owned()))
    );
}

#[test]
fn the_native_stack_of_2022_is_no_t_sql_and_unknown_is_no_statement() {
    let xml = "<deadlock><process-list><process id=\"a\" spid=\"5\"><stackFrames><frame id=\"00\" module=\"sqlmin\"/></stackFrames>\
               <executionStack><frame procname=\"adhoc\" line=\"4\">unknown    </frame><frame procname=\"db.dbo.Outer\" line=\"7\">EXEC inner</frame></executionStack>\
               <inputbuf>EXEC Outer</inputbuf></process></process-list></deadlock>";
    let process = &read(xml).processes[0];
    assert_eq!(process.frames.len(), 2);
    assert_eq!((process.statement(), process.place().map(|frame| frame.line)), ("EXEC inner", Some(Some(7))));
}

#[test]
fn with_optimized_locking_the_changed_row_is_named() {
    let lock = "<xactlock xdesIdLow=\"1\" id=\"x1\" mode=\"X\"><UnderlyingResource><keylock objectname=\"o.dbo.T\" indexname=\"PK\"/></UnderlyingResource>\
                <owner-list><owner id=\"b\" mode=\"X\"/></owner-list><waiter-list><waiter id=\"a\" mode=\"S\"/></waiter-list></xactlock>";
    let deadlock =
        read(&graph(&[], &[process("a", 1, "", "", ""), process("b", 2, "", "", "")], &[lock.to_owned()]));
    assert_eq!(deadlock.resources[0].name(), "transaction of o.dbo.T PK");
    assert_eq!(deadlock.resources[0].owners.len(), 1);
}

/// A transaction that changed a row: `b` waits for `a`.
fn changed(xdes: u32, row: &str, a: &str, b: &str) -> String {
    let under = format!("<UnderlyingResource><{row}/></UnderlyingResource><owner-list>");
    let attributes = format!("xdesIdLow=\"{xdes}\" xdesIdHigh=\"0\" dbid=\"6\" mode=\"X\"");
    resource("xactlock", &attributes, &[(a, "X")], &[(b, "S")]).replace("<owner-list>", &under)
}

#[test]
fn two_transactions_that_changed_a_table_are_two_and_those_of_a_heap_are_of_a_heap() {
    let tasks = [process("a", 1, "", "m", ""), process("b", 2, "", "n", "")];
    for (row, pattern) in [
        ("keylock hobtid=\"7\" objectname=\"o.dbo.T\" indexname=\"PK\"", Pattern::Ring),
        ("ridlock fileid=\"1\" pageid=\"9\" objectname=\"o.dbo.T\"", Pattern::Heap),
    ] {
        let report = graph(&["a"], &tasks, &[changed(5, row, "b", "a"), changed(6, row, "a", "b")]);
        let deadlock = read(&report);
        assert_eq!(deadlock.resources.len(), 2, "they have no id but their transactions");
        assert_eq!(self::pattern(&deadlock), pattern, "who waits to share it does not only read");
    }
}

#[test]
fn the_same_cause_has_the_same_fingerprint_and_another_has_not() {
    let of = |a: (&str, &str), index: &str, victim_spid: u64| {
        let locks = [
            resource(
                "keylock",
                &format!(
                    "id=\"{victim_spid}\" hobtid=\"{victim_spid}\" objectname=\"o.dbo.T\" indexname=\"{index}\""
                ),
                &[("b", "X")],
                &[("a", "S")],
            ),
            resource(
                "keylock",
                "id=\"r2\" objectname=\"o.dbo.T\" indexname=\"IX\"",
                &[("a", "S")],
                &[("b", "X")],
            ),
        ];
        let tasks = [
            process("a", victim_spid, "hostname=\"x\"", a.0, a.1),
            process("b", 88, "", "o.dbo.Pay", "UPDATE"),
        ];
        pictures(&read(&graph(&["a"], &tasks, &locks))).remove(0).fingerprint
    };
    let base = of(("adhoc", "SELECT * FROM T WHERE Id = 7"), "PK__T__3214EC07A1B2C3D4", 62);
    assert_eq!(
        base,
        of(("adhoc", "SELECT * FROM T WHERE Id = 9000"), "PK__T__3214EC07FFFFFFFF", 63),
        "literals, tails, sessions"
    );
    assert_ne!(
        base,
        of(("adhoc", "SELECT * FROM U WHERE Id = 7"), "PK__T__3214EC07A1B2C3D4", 62),
        "another statement"
    );
    assert_ne!(base, of(("adhoc", "SELECT * FROM T WHERE Id = 7"), "IX_Date", 62), "another index");
    assert_eq!(base.len(), 16);
}

#[test]
fn every_kind_of_resource_has_its_words_and_an_unknown_one_its_name() {
    let page = "fileid=\"1\" pageid=\"4528\" dbid=\"6\"";
    let whole = "subresource=\"FULL\" dbid=\"6\"";
    let kinds = [
        ("keylock", format!("hobtid=\"7\" dbid=\"6\" {ORDER}"), "key of orders.dbo.Order PK_Order"),
        ("pagelock", format!("{page} {whole} {ORDER}"), "page of orders.dbo.Order PK_Order"),
        ("pagelock", format!("{page} {whole} objectname=\"\""), "page 1:4528"),
        ("ridlock", format!("{page} objectname=\"o.dbo.Heap\""), "row of o.dbo.Heap"),
        ("objectlock", format!("objid=\"7\" {whole} objectname=\"o.dbo.T\""), "table of o.dbo.T"),
        ("hobtlock", format!("hobtid=\"7\" {whole} {ORDER}"), "heap or index of orders.dbo.Order PK_Order"),
        ("allocunitlock", format!("hobtid=\"7\" {whole}"), "allocation unit"),
        ("extentlock", page.to_owned(), "extent 1:4528"),
        ("filelock", format!("fileid=\"2\" {whole}"), "file 2"),
        ("databaselock", format!("{whole} dbname=\"orders\""), "database orders"),
        ("applicationlock", "hash=\"nightly4f2a\"".to_owned(), "application lock nightly4f2a"),
        (
            "metadatalock",
            "subresource=\"STATS\" classid=\"object_id = 7, stats_id = 2\"".to_owned(),
            "metadata STATS object_id = 7, stats_id = 2",
        ),
        ("xactlock", "xdesIdLow=\"5\" xdesIdHigh=\"0\" dbid=\"6\"".to_owned(), "transaction"),
        (
            "exchangeEvent",
            "WaitType=\"e_waitPipeGetRow\" nodeId=\"3\"".to_owned(),
            "exchange e_waitPipeGetRow",
        ),
        ("SyncPoint", "WaitType=\"e_waitPortOpen\"".to_owned(), "exchange e_waitPortOpen"),
        ("threadpool", "scheduler=\"1\"".to_owned(), "worker thread"),
        ("waitfor", String::new(), "WAITFOR"),
        ("newlock", String::new(), "newlock"),
    ];
    for (kind, attributes, name) in kinds {
        let lock = |id: &str, owner, waiter| {
            resource(kind, &format!("id=\"{id}\" {attributes}"), &[(owner, "X")], &[(waiter, "S")])
        };
        let deadlock = read(&graph(
            &["a"],
            &[process("a", 1, "", "", ""), process("b", 2, "", "", "")],
            &[lock("1", "b", "a"), lock("2", "a", "b")],
        ));
        assert_eq!(deadlock.resources[0].name(), name);
        let drawn = pictures(&deadlock);
        assert!(drawn.len() == 1 && drawn[0].why.contains(name), "{kind}: {drawn:?}");
    }
}

#[test]
fn a_graph_that_stands_in_an_event_as_a_text_is_read_with_the_time_of_its_event() {
    let bare = graph(&["a"], &[process("a", 1, "", "", "")], &[]);
    let escaped = |xml: &str| xml.replace('<', "&lt;").replace('"', "&quot;");
    let event = |at: &str, inside: &str| format!("<event {at}><data><value>{inside}</value></data></event>");
    let (first, second) =
        ("timestamp=\"2026-02-18T08:26:24.698Z\"", "timestamp=\"2026-02-19T08:26:24.698Z\"");
    let at = |text: &str| Timestamp::parse(text).expect("a time");
    let both = [Some(at("2026-02-18T08:26:24.698Z")), Some(at("2026-02-19T08:26:24.698Z"))];
    // The first servers with events left two tags out.
    let old = format!(
        "<deadlock-list>{}</deadlock-list>",
        bare.replace("<deadlock>", "").replace("</victim-list>", "")
    );
    for inside in [bare.clone(), escaped(&bare), format!("<![CDATA[{bare}]]>"), escaped(&old)] {
        let document = format!("<x>{}{}</x>", event(first, &inside), event(second, &inside));
        let all = Deadlock::read_all(document.as_bytes()).expect("deadlocks");
        assert_eq!(all.iter().map(|deadlock| deadlock.at).collect::<Vec<_>>(), both, "{inside}");
        assert!(
            all.iter().all(|deadlock| deadlock.victims == ["a"] && deadlock.processes.len() == 1),
            "{inside}"
        );
    }
    // An event without a time has none: that of the event before it is another's.
    let document = format!("<x>{}{}</x>", event(first, &bare), event("", &bare));
    let all = Deadlock::read_all(document.as_bytes()).expect("deadlocks");
    assert_eq!(all.iter().map(|deadlock| deadlock.at).collect::<Vec<_>>(), [both[0], None]);
    assert!(Deadlock::read_all(b"<e><v>&lt;deadlock&gt;</v></e>").is_err());
}

#[test]
fn pages_without_an_id_are_told_apart_by_their_number() {
    let page = |number: u8, owner: &str, waiter: &str| {
        let place = format!("fileid=\"1\" pageid=\"{number}\" dbid=\"6\" objectname=\"o.dbo.T\"");
        resource("pagelock", &place, &[(owner, "X")], &[(waiter, "S")])
    };
    let tasks = [process("a", 1, "", "m", ""), process("b", 2, "", "n", "")];
    let deadlock = read(&graph(&["a"], &tasks, &[page(1, "b", "a"), page(2, "a", "b")]));
    assert_eq!(deadlock.resources.len(), 2);
    assert_ne!(pattern(&deadlock), Pattern::Conversion);
}

#[test]
fn a_parallel_session_is_told_by_the_task_that_waits() {
    let tasks = [
        process("a0", 60, "ecid=\"0\"", "m", "SELECT 0").replace("4100", "1"),
        process("a7", 60, "ecid=\"7\"", "m", "SELECT 7").replace("4100", "9000"),
        process("b", 88, "", "n", ""),
    ];
    let locks = [
        resource("keylock", &format!("id=\"1\" {ORDER}"), &[("b", "X")], &[("a7", "S")]),
        resource("keylock", &format!("id=\"2\" {ORDER}"), &[("a0", "S")], &[("b", "X")]),
    ];
    let told = text(&[read(&graph(&["a7"], &tasks, &locks))], |_| "now".into());
    assert!(told.contains("waits S on key of orders.dbo.Order PK_Order   9.0 s   held X by 88"), "{told}");
    assert!(told.contains("SELECT 7") && told.contains("held S by 60\n"), "{told}");
}

#[test]
fn who_is_in_no_ring_is_told_and_what_has_no_modes_without_them() {
    let tasks =
        [process("a", 62, "", "m", ""), process("b", 88, "", "n", ""), process("c", 99, "", "o", "DELETE T")];
    let exchange = "id=\"x\" WaitType=\"e_waitPipeGetRow\"";
    let locks = [
        resource("exchangeEvent", exchange, &[("b", "")], &[("a", "")]),
        resource("databaselock", "id=\"d\" dbname=\"orders\"", &[("a", "S")], &[("b", "X")]),
        resource("keylock", &format!("id=\"2\" {ORDER}"), &[("a", "S")], &[("c", "X")]),
    ];
    let told = text(&[read(&graph(&["c"], &tasks, &locks))], |_| "now".into());
    assert!(told.contains("waits for exchange e_waitPipeGetRow   4.1 s   held by 88"), "{told}");
    assert!(told.contains("waits X on database orders"), "{told}");
    let behind = told.split_once("in no ring").expect("one is in no ring").1;
    assert!(behind.contains("99       ✖ victim") && behind.contains("DELETE T"), "{told}");
    assert!(behind.contains("waits X on key of orders.dbo.Order PK_Order   4.1 s   held S by 62"), "{told}");
    // A report without owners has no ring, and yet says who waited for what.
    let cut = text(
        &[read(&graph(&["a"], &tasks, &[resource("threadpool", "id=\"t\"", &[], &[("a", "")])]))],
        |_| "now".into(),
    );
    assert!(cut.contains("nobody waits in a ring") && cut.contains("62       ✖ victim"), "{cut}");
    assert!(cut.contains("waits for worker thread   4.1 s   nobody is told to hold it"), "{cut}");
    assert_eq!(text(&[read("<deadlock/>")], |_| "now".into()), "now: no session is named in this report\n");
}

#[test]
fn with_optimized_locking_two_indexes_of_a_table_are_a_lookup_too() {
    let lock = format!(
        "<xactlock id=\"x\" mode=\"X\"><UnderlyingResource><keylock {ORDER}/></UnderlyingResource>\
         <owner-list><owner id=\"b\" mode=\"X\"/></owner-list><waiter-list><waiter id=\"a\" mode=\"S\"/></waiter-list></xactlock>"
    );
    let other = resource("keylock", &format!("id=\"k\" {BY_DATE}"), &[("a", "S")], &[("b", "X")]);
    let tasks = [process("a", 1, "", "m", ""), process("b", 2, "", "n", "")];
    assert_eq!(pattern(&read(&graph(&["a"], &tasks, &[lock, other]))), Pattern::KeyLookup);
}

#[test]
fn a_parallel_query_of_two_hundred_tasks_at_many_exchanges_is_drawn() {
    let ids: Vec<String> = (0..200).map(|n| format!("p{n}")).collect();
    let tasks: Vec<String> =
        ids.iter().enumerate().map(|(n, id)| process(id, 60, &format!("ecid=\"{n}\""), "m", "x")).collect();
    let (ones, others) = ids.split_at(100);
    let exchange = |n: usize, owners: &[String], waiters: &[String]| {
        let owners: Vec<(&str, &str)> = owners.iter().map(|id| (id.as_str(), "")).collect();
        let waiters: Vec<(&str, &str)> = waiters.iter().map(|id| (id.as_str(), "")).collect();
        resource("exchangeEvent", &format!("id=\"e{n}\""), &owners, &waiters)
    };
    let one_way = (0..20).map(|n| exchange(n, ones, others));
    let exchanges: Vec<String> = one_way.chain((20..40).map(|n| exchange(n, others, ones))).collect();
    let deadlock = read(&graph(&["p0"], &tasks, &exchanges));
    let graph = Graph::of(&deadlock);
    assert_eq!(graph.waits.len(), 20_000, "each waits for each of the other half once");
    assert_eq!(pattern(&deadlock), Pattern::IntraQuery);
    let told = text(&[deadlock], |_| "now".into());
    assert_eq!(told.matches("· ring ").count(), 20, "{told}");
    assert!(told.contains(" rings more: -o json has them all"), "{told}");
}

#[test]
fn what_terminals_obey_is_taken_out() {
    let evil = "a\u{1b}[2J\u{202e}b";
    let deadlock = read(&graph(
        &[evil],
        &[process(evil, 1, "", evil, evil), process("b", 2, "", "", "")],
        &[
            resource("keylock", &format!("id=\"1\" objectname=\"{evil}\""), &[("b", evil)], &[(evil, evil)]),
            resource("keylock", "id=\"2\"", &[(evil, "X")], &[("b", "X")]),
        ],
    ));
    let told = text(&[deadlock], |_| String::new());
    assert!(!told.contains(['\u{1b}', '\u{202e}']) && told.contains("victim"), "{told:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_graph_ends_and_each_ring_is_closed(edges in proptest::collection::vec((0_usize..12, 0_usize..12), 0..60), victim in 0_usize..12) {
        let ids: Vec<String> = (0..12).map(|n| format!("p{n}")).collect();
        let tasks: Vec<String> = ids.iter().enumerate().map(|(n, id)| process(id, 50 + n as u64, "", "adhoc", "x")).collect();
        let locks: Vec<String> = edges
            .iter()
            .enumerate()
            .map(|(n, (owner, waiter))| resource("keylock", &format!("id=\"{n}\" {ORDER}"), &[(&ids[*owner], "X")], &[(&ids[*waiter], "X")]))
            .collect();
        let deadlock = read(&graph(&[&ids[victim]], &tasks, &locks));
        let graph = Graph::of(&deadlock);
        let mut seen = std::collections::HashSet::new();
        for ring in graph.rings() {
            let waits: Vec<_> = ring.waits.iter().map(|at| &graph.waits[*at]).collect();
            for (wait, next) in waits.iter().zip(waits.iter().cycle().skip(1)) {
                prop_assert_eq!(wait.to, next.from);
            }
            let mut all = ring.waits.clone();
            all.sort_unstable();
            prop_assert!(seen.insert(all), "a ring twice");
        }
    }

    #[test]
    fn no_damage_makes_it_panic(hits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6), cut in any::<proptest::sample::Index>()) {
        let xml = graph(&["a"], &[process("a", 62, "", "m", "SELECT 1"), process("b", 88, "", "m", "x")], &[
            resource("keylock", &format!("id=\"1\" {ORDER}"), &[("b", "X")], &[("a", "S")]),
            resource("keylock", &format!("id=\"2\" {BY_DATE}"), &[("a", "S")], &[("b", "X")]),
        ]);
        let mut bytes = xml.into_bytes();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = Deadlock::read_all(&bytes[..cut.index(bytes.len())]);
        if let Ok(deadlocks) = Deadlock::read_all(&bytes) {
            let _ = text(&deadlocks, |_| String::new());
        }
    }
}
