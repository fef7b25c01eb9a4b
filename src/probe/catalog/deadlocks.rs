//! Deadlocks, as a session of Extended Events recorded them (`probe::recorded` says which): read over the on-demand lane when the
//! server's counter of them moved, from where the last reading ended. The first round trip says what there is; only then it is read.
//!
//! Reports are shredded here, not by the server, which takes hundreds of times as long for it.

use crate::{
    deadlock::{
        Deadlock, Process, Resource,
        cycle::{Graph, Ring},
        lean::without_native_stacks,
        pattern::{Pattern, fingerprint_of},
    },
    model::{
        base::{
            text::{sanitize_block, sanitize_line},
            time::Timestamp,
        },
        poll::{
            Sample, State,
            cost::Tier,
            deadlocks::{DeadlockParty, DeadlockReport, DeadlockTable},
            id::ProbeId,
            reading::Unavailable,
            report_text::ReportText,
            statement::SqlText,
            who::Who,
        },
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Company, Lane, Pace, Part, Probe, Want, Worth, needed},
        recorded,
        script::{Event, Needs, Script, Takes, When, script},
    },
};
use std::sync::Arc;

const SOURCE: Script = script!("deadlock_source", Performance, by "name" "target_name");
/// Events that were flushed together share their place in the file: a report is told from others by itself.
const REPORTS: Script =
    script!("deadlocks", Performance, by "report").taking(Takes::Recorded(Event::Deadlock));

/// Reports out of memory.
pub(super) const RING: Script =
    script!("deadlock_ring", Performance, one row).taking(Takes::Recorded(Event::Deadlock));

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[
        needed(SOURCE),
        Part { script: REPORTS, when: &[When::SecondTrip, When::InFile(Event::Deadlock)], needed: true },
        Part { script: RING, when: &[When::SecondTrip, When::InMemory(Event::Deadlock)], needed: true },
    ],
    pace: Pace::NotFaster,
    company: Company::Alone,
    lane: Lane::OnDemand,
    worth: Worth::News(ProbeContext::has_new_deadlocks),
    timeout_ms: 30_000,
    wants: &[Want::Right(Needs::Performance)],
    second_trip: Some(has_target),
    unknown_without: &[(Needs::Performance, "deadlocks")],
    panes: &["deadlocks"],
    ..Probe::new(ProbeId::Deadlocks, Tier::Detail, decode)
};

/// Rows that the script sends at most, and characters of a report: of 4 MB each has two bytes.
const MOST_ROWS: usize = 50;
const MOST_CHARS: usize = 2_000_000;
/// Characters of a name: of a session, a login, a table.
const MOST_NAME: usize = 128;
const MOST_PLACE: usize = 256;
/// Sessions and objects of one report that are kept: parallel queries have hundreds of tasks.
const MOST_PARTIES: usize = 8;
const MOST_OBJECTS: usize = 8;

/// What stands in place of a fingerprint where nobody waits in a ring, where the report cannot be read, and where it ends before it says
/// who waits for whom.
const NO_RING: (u64, &str) = (0, "no ring");
const NOT_READ: (u64, &str) = (1, "report not readable");
const CUT_SHORT: (u64, &str) = (2, "report cut short");

/// True if a session keeps what it records.
fn has_target(sets: &Sets) -> bool {
    sets.all(SOURCE.name).any(|row| row.raw_text("target_name").is_some())
}

fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let Some(session) = sets.many(SOURCE.name)?.next() else {
        return Err(Unavailable::Missing("running session that records deadlocks".into()));
    };
    let Some(source) = ctx.read.recording(Event::Deadlock).source() else {
        let name = sanitize_line(session.raw_text("name").unwrap_or("the session"), MOST_NAME);
        return Err(Unavailable::Missing(format!("readable target of {name}").into()));
    };
    let mut table = DeadlockTable {
        session: sanitize_line(&source.session, MOST_NAME),
        is_from_memory: source.is_ring(),
        ..DeadlockTable::default()
    };
    if source.is_ring() {
        from_memory(sets, ctx, &mut table)?;
    } else {
        let mut rows = 0;
        for row in sets.many(REPORTS.name)? {
            rows += 1;
            if let Some(xml) = row.raw_text("report") {
                take(xml, row.count("report_bytes"), ctx, &mut table);
            }
        }
        table.at_least = rows >= MOST_ROWS;
        table.missed_to = table.first_told().filter(|_| table.at_least);
    }
    table.tidy();
    Ok(Sample::Known(State::Deadlocks(Arc::new(table))))
}

/// Reads what a session has in memory. What was told before is passed over, but for a minute of it.
fn from_memory(sets: &Sets, ctx: &ProbeContext, table: &mut DeadlockTable) -> Result<(), Unavailable> {
    // A session that was stopped meanwhile has nothing.
    let Some(row) = sets.many(RING.name)?.next() else { return Ok(()) };
    let ring = row.raw_text("ring").unwrap_or_default();
    let head = row.raw_text("ring_head").unwrap_or_default();
    let (events, is_cut) = recorded::events(Event::Deadlock, ring);
    let from = ctx.read.recording(Event::Deadlock).ring_from();
    let skew_ms = ctx.skew_ms().unwrap_or(0);
    let is_new = |xml: &&str| {
        let at = stamp(xml).map(|at| at.plus_ms(skew_ms.saturating_neg()));
        from.zip(at).is_none_or(|(from, at)| at >= from)
    };
    let mut told = 0;
    for xml in events.filter(is_new).take(MOST_ROWS) {
        told += 1;
        // As the server would tell it out of a file: two bytes a character.
        take(xml, i64::try_from(xml.encode_utf16().count() * 2).ok(), ctx, table);
    }
    // Each XML begins with its element: what the server left out stands in it.
    let is_truncated = head.split('>').next().is_some_and(|head| head.contains("truncated=\"1\""));
    // Newer ones push older ones out: what begins before the last reading ended lacks nothing.
    let oldest = ring.find("<event ").and_then(|at| stamp(ring.get(at..)?));
    let oldest = oldest.map(|at| at.plus_ms(skew_ms.saturating_neg()));
    let told_to = ctx.read.recording(Event::Deadlock).ring_to();
    let reaches_back = told_to.zip(oldest).is_some_and(|(told_to, oldest)| oldest <= told_to);
    table.at_least = told >= MOST_ROWS || (is_cut || is_truncated) && !reaches_back;
    let missed_to = if told >= MOST_ROWS { table.first_told() } else { oldest };
    table.missed_to = table.at_least.then(|| missed_to.map_or(ctx.now(), |at| at.min(ctx.now())));
    Ok(())
}

/// Adds the deadlocks of an event.
fn take(xml: &str, bytes: Option<i64>, ctx: &ProbeContext, table: &mut DeadlockTable) {
    if xml.trim().is_empty() {
        return;
    }
    for (fingerprint, kind, report) in reports(xml, bytes, ctx) {
        table.pattern(fingerprint, kind).push(report);
    }
}

/// The deadlocks of an event: one, but for what is hostile.
fn reports(xml: &str, bytes: Option<i64>, ctx: &ProbeContext) -> Vec<(u64, &'static str, DeadlockReport)> {
    let lean = without_native_stacks(xml);
    let text = ReportText::packed(&sanitize_block(&lean, MOST_CHARS));
    let hash = text.id().0;
    let clock = ctx.clock();
    // A clock that was set back since leaves events of the future in the file.
    let by_our_clock = |at: Timestamp| clock.is_noted(at).then(|| clock.ours(at));
    let chars = xml.encode_utf16().count();
    let is_cut = bytes.is_some_and(|bytes| bytes / 2 > i64::try_from(chars).unwrap_or(i64::MAX));
    let whole = DeadlockReport {
        at: stamp(xml).and_then(by_our_clock).unwrap_or_else(|| ctx.now()),
        hash,
        text: Some(text),
        bytes,
        cut_after: is_cut.then(|| u32::try_from(chars).unwrap_or(u32::MAX)),
        ..DeadlockReport::default()
    };
    let Ok(deadlocks) = Deadlock::read_all(lean.as_bytes()) else {
        return vec![(NOT_READ.0, NOT_READ.1, whole)];
    };
    let told = |(nth, deadlock): (usize, &Deadlock)| {
        let graph = Graph::of(deadlock);
        let rings = graph.rings();
        let without = if is_cut || deadlock.is_cut { CUT_SHORT } else { NO_RING };
        let (fingerprint, kind) = rings.first().map_or(without, |ring| {
            let fingerprint = u64::from_str_radix(&fingerprint_of(deadlock, &graph, ring), 16);
            (fingerprint.unwrap_or(without.0), Pattern::of(deadlock, &graph, ring).word())
        });
        let report = DeadlockReport {
            at: deadlock.at.and_then(by_our_clock).unwrap_or(whole.at),
            hash: hash.wrapping_add(nth as u64),
            event: deadlock.at.or_else(|| stamp(xml)).map_or(0, |at| event(deadlock, at)),
            parties: parties(deadlock, &graph, rings.first()),
            objects: objects(deadlock, &graph, rings.first()),
            databases: databases(deadlock),
            rings: u32::try_from(rings.len()).unwrap_or(u32::MAX),
            ..whole.clone()
        };
        (fingerprint, kind, report)
    };
    deadlocks.iter().take(MOST_ROWS).enumerate().map(told).collect()
}

/// What tells a deadlock from others, however its report is read: when the server saw it, and who was rolled back; where nobody was, who
/// took part. Victims stand at the head of a report, which one that was cut has, too.
fn event(deadlock: &Deadlock, at: Timestamp) -> u64 {
    let mut who: Vec<&str> = deadlock.victims.iter().map(String::as_str).collect();
    if who.is_empty() {
        who = deadlock.processes.iter().map(|task| task.id.as_str()).collect();
    }
    who.sort_unstable();
    let words = format!("{} {}", at.ms(), who.join(" "));
    // Never 0, which says that nobody knows.
    SqlText::new(words.into(), None, None, false).id().0.max(1)
}

/// The time of an event, which a report that was cut has, too.
fn stamp(xml: &str) -> Option<Timestamp> {
    let head = xml.split('>').find(|tag| tag.contains("timestamp="))?;
    let value = head.split_once("timestamp=")?.1.get(1..)?;
    Timestamp::parse(value.split(['"', '\'']).next()?)
}

/// Who is in the first ring, or in the report without one; victims first.
fn parties(deadlock: &Deadlock, graph: &Graph, ring: Option<&Ring>) -> Vec<DeadlockParty> {
    let mut places: Vec<usize> = match ring {
        Some(ring) => ring.waits.iter().filter_map(|at| Some(graph.waits.get(*at)?.from)).collect(),
        None => (0..graph.parties.len()).collect(),
    };
    let is_victim = |place: &usize| graph.parties.get(*place).is_some_and(|party| party.victim);
    places.sort_by_key(|place| !is_victim(place));
    let told = |place: &usize| Some(party(graph.task(deadlock, *place)?, is_victim(place)));
    places.iter().filter_map(told).take(MOST_PARTIES).collect()
}

fn party(task: &Process, is_victim: bool) -> DeadlockParty {
    let name = |name: &str| (!name.is_empty()).then(|| short(name, MOST_NAME));
    let place = task.place().filter(|frame| !frame.module.is_empty()).map(|frame| match frame.line {
        Some(line) => format!("{}:{line}", short(&frame.module, MOST_PLACE)).into(),
        None => short(&frame.module, MOST_PLACE),
    });
    DeadlockParty {
        session_id: task.spid.and_then(|spid| i64::try_from(spid).ok()),
        is_victim,
        who: Who { login: name(&task.login), host: name(&task.host), program: name(&task.program) },
        isolation: short(&task.isolation, MOST_NAME),
        place,
    }
}

/// What the first ring is about: its tables, or the kind of what has no table. Each once.
fn objects(deadlock: &Deadlock, graph: &Graph, ring: Option<&Ring>) -> Vec<Arc<str>> {
    let of_ring: Vec<&Resource> = match ring {
        Some(ring) => ring
            .waits
            .iter()
            .filter_map(|at| deadlock.resources.get(graph.waits.get(*at)?.resource))
            .collect(),
        None => deadlock.resources.iter().collect(),
    };
    let name = |resource: &Resource| -> Arc<str> {
        short(if resource.object.is_empty() { resource.word() } else { &resource.object }, MOST_PLACE)
    };
    once(of_ring.into_iter().map(name))
}

fn databases(deadlock: &Deadlock) -> Vec<Arc<str>> {
    let of_locks = deadlock.resources.iter().filter_map(|resource| {
        let mut parts = resource.object.split('.');
        let database = parts.next().filter(|name| !name.is_empty())?;
        (parts.count() >= 2).then_some(database)
    });
    let of_tasks = deadlock.processes.iter().map(|task| task.database.as_str());
    once(of_locks.chain(of_tasks).filter(|name| !name.is_empty()).map(|name| short(name, MOST_NAME)))
}

fn short(name: &str, most: usize) -> Arc<str> {
    sanitize_line(name, most)
}

fn once(names: impl Iterator<Item = Arc<str>>) -> Vec<Arc<str>> {
    let mut each: Vec<Arc<str>> = Vec::new();
    for name in names {
        if each.len() < MOST_OBJECTS && !each.contains(&name) {
            each.push(name);
        }
    }
    each
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::deadlocks::DeadlockPattern,
        probe::fixture::{set, sets, text},
        tds::{Cell, ResultSet},
    };

    const EVENT: &str = r#"<event name="xml_deadlock_report" package="sqlserver" timestamp="2026-11-29T14:02:11.250Z"><data name="xml_report"><value>
        <deadlock><victim-list><victimProcess id="a"/></victim-list><process-list>
        <process id="b" spid="88" loginname="app_web" hostname="WEB-07" clientapp="shop" isolationlevel="read committed (2)" currentdbname="orders">
          <stackFrames><frame id="00" module="sqldk"/></stackFrames>
          <executionStack><frame procname="orders.dbo.usp_Pay" line="40">UPDATE dbo.[Order] SET Paid = 1</frame></executionStack><inputbuf>x</inputbuf></process>
        <process id="a" spid="62" loginname="report" hostname="WEB-03" isolationlevel="read committed (2)" currentdbname="orders">
          <executionStack><frame procname="adhoc" line="1">SELECT Total FROM dbo.[Order]</frame></executionStack><inputbuf>x</inputbuf></process>
        </process-list><resource-list>
        <keylock id="l1" objectname="orders.dbo.Order" indexname="PK_Order" mode="X"><owner-list><owner id="b" mode="X"/></owner-list><waiter-list><waiter id="a" mode="S"/></waiter-list></keylock>
        <keylock id="l2" objectname="orders.dbo.Order" indexname="IX_Date" mode="S"><owner-list><owner id="a" mode="S"/></owner-list><waiter-list><waiter id="b" mode="X"/></waiter-list></keylock>
        </resource-list></deadlock></value></data></event>"#;

    const NOW: Timestamp = Timestamp::from_ms(99);

    fn source(rows: Vec<Vec<Cell>>) -> ResultSet {
        set("deadlock_source", &["name", "target_name", "target_data"], rows)
    }

    fn with_file() -> ResultSet {
        source(vec![vec![text("system_health"), text("event_file"), Cell::Null]])
    }

    /// What is decoded of an answer, behind what came before it.
    fn decoded(ctx: &mut ProbeContext, answer: Vec<ResultSet>) -> Result<Sample, Unavailable> {
        let answer = sets(answer);
        ctx.read.note(&answer, false, NOW);
        let sample = decode(&answer, ctx)?;
        ctx.absorb(&sample);
        Ok(sample)
    }

    fn answered(reports: Vec<Cell>) -> Result<Sample, Unavailable> {
        let columns = ["file_name", "file_offset", "report_bytes", "report"];
        let rows = reports.into_iter().map(|xml| vec![text("f.xel"), Cell::Int(7), Cell::Int(90), xml]);
        let answer = vec![with_file(), set("deadlocks", &columns, rows.collect())];
        decoded(&mut ProbeContext::new(|| NOW), answer)
    }

    fn table(reports: Vec<Cell>) -> Arc<DeadlockTable> {
        match answered(reports) {
            Ok(Sample::Known(State::Deadlocks(table))) => table,
            other => panic!("{other:?}"),
        }
    }

    fn patterns(table: &DeadlockTable) -> Vec<(&str, u64)> {
        table.patterns.iter().map(|p: &DeadlockPattern| (&*p.kind, p.times)).collect()
    }

    #[test]
    fn a_report_says_who_took_part_what_they_fought_for_and_when() {
        let again = EVENT.replace("14:02:11", "14:09:00").replace("\"62\"", "\"71\"");
        let table = table(vec![text(&again), text(EVENT)]);
        assert_eq!(patterns(&table), [("key lookup", 2)], "another session and time is the same pattern");
        let pattern = &table.patterns[0];
        assert_eq!(pattern.reports.iter().map(|r| r.at).max(), Timestamp::parse("2026-11-29T14:09:00.250Z"));
        assert_eq!(Some(pattern.first_at), Timestamp::parse("2026-11-29T14:02:11.250Z"));
        let report = pattern.reports.last().unwrap();
        let [victim, other] = &report.parties[..] else { panic!("{report:?}") };
        assert_eq!((victim.session_id, victim.is_victim, victim.place.as_deref()), (Some(62), true, None));
        assert_eq!(other.place.as_deref(), Some("orders.dbo.usp_Pay:40"));
        assert_eq!(other.who.program.as_deref(), Some("shop"));
        assert_eq!(&*other.isolation, "read committed");
        assert_eq!(
            (&*report.objects, &*report.databases),
            (&["orders.dbo.Order".into()][..], &["orders".into()][..])
        );
        assert_eq!((report.rings, report.bytes), (1, Some(90)));
        let kept = report.text.as_ref().unwrap().statement().text.batch.clone();
        assert!(!kept.contains("stackFrames") && kept.contains("usp_Pay"), "the native stack goes: {kept}");
    }

    #[test]
    fn the_same_event_read_twice_is_one_deadlock() {
        assert_eq!(patterns(&table(vec![text(EVENT), text(EVENT)])), [("key lookup", 1)]);
    }

    #[test]
    fn a_report_that_was_cut_or_is_no_report_is_told_with_its_time() {
        let cut = &EVENT[..300];
        let told = table(vec![text(cut), text("no xml \u{1b}[31m"), Cell::Null, text("  ")]);
        assert_eq!(patterns(&told), [("report not readable", 2)]);
        let [one, other] = &told.patterns[0].reports[..] else { panic!("{told:?}") };
        assert_eq!(Some(one.at), Timestamp::parse("2026-11-29T14:02:11.250Z"), "by its head");
        assert_eq!(other.at, Timestamp::from_ms(99), "when it was read");
        assert!(!other.text.as_ref().unwrap().statement().text.batch.contains('\u{1b}'));
        let told = table(vec![text(
            "<deadlock><process-list><process id=\"a\" spid=\"5\"/></process-list></deadlock>",
        )]);
        assert_eq!(patterns(&told), [("no ring", 1)]);
    }

    /// A report as 2022 and later write it where a parallel query is in it: so many tasks, each with its native stack.
    fn long(tasks: usize) -> String {
        let stack =
            "<frame id=\"00\" address=\"0x7ff8\" pdb=\"sqldk.pdb\" module=\"sqldk\" rva=\"0x1\"/>".repeat(60);
        let task = |n: usize| {
            format!(
                "<process id=\"t{n}\" spid=\"300\" ecid=\"{n}\"><stackFrames>{stack}</stackFrames>\
                 <executionStack/><inputbuf>{}</inputbuf></process>",
                "x".repeat(500)
            )
        };
        let tasks: String = (0..tasks).map(task).collect();
        EVENT.replace("</process-list>", &format!("{tasks}</process-list>"))
    }

    #[test]
    fn a_long_report_is_read_whole_and_one_that_was_cut_says_what_it_has() {
        let long = long(200);
        assert!(long.len() > 900_000, "{}", long.len());
        let bytes = Cell::Int(long.len() as i64 * 2);
        let row = |xml: &str| vec![text("f.xel"), Cell::Int(7), bytes.clone(), text(xml)];
        let told = |xml: &str| {
            let columns = ["file_name", "file_offset", "report_bytes", "report"];
            let answer = vec![with_file(), set("deadlocks", &columns, vec![row(xml)])];
            match decoded(&mut ProbeContext::new(|| NOW), answer) {
                Ok(Sample::Known(State::Deadlocks(table))) => table,
                other => panic!("{other:?}"),
            }
        };
        let whole = told(&long);
        assert_eq!(patterns(&whole), [("key lookup", 1)]);
        let report = &whole.patterns[0].reports[0];
        assert_eq!((report.cut_after, report.bytes), (None, Some(long.len() as i64 * 2)));
        let kept = report.text.as_ref().unwrap().statement();
        assert_eq!(
            kept.text.batch.matches("<process ").count(),
            202,
            "with each task, without native stacks"
        );
        assert!(report.text.as_ref().unwrap().held_bytes() < 20_000);

        let cut = told(&long[..40_000]);
        assert_eq!(patterns(&cut), [("report cut short", 1)]);
        let short = &cut.patterns[0].reports[0];
        assert_eq!(short.cut_after, Some(40_000));
        assert_eq!(short.parties[0].session_id, Some(62), "the victim is known");
        assert_eq!((short.at, short.event), (report.at, report.event), "it is the same deadlock");
        let within_locks = &long[..long.rfind("</resource-list>").unwrap() - 5];
        assert_eq!(patterns(&told(within_locks)), [("key lookup", 1)], "the ring is there");
    }

    #[test]
    fn a_deadlock_of_the_future_is_one_of_now() {
        let server_time = Timestamp::parse("2026-11-29T14:00:00Z").unwrap();
        let clock = Cell::Instant { utc_ms: server_time.ms(), offset_min: 60 };
        let of_file = set(
            "deadlock_source",
            &["server_time", "name", "target_name"],
            vec![vec![clock, text("system_health"), text("event_file")]],
        );
        let report = |minute: &str| vec![text(&EVENT.replace("14:02", minute))];
        let rows = vec![report("13:59"), report("14:02"), report("13:58")];
        let answer = sets(vec![of_file, set("deadlocks", &["report"], rows)]);
        // Our clock is ten seconds behind the server's.
        let mut ctx = ProbeContext::new(|| Timestamp::from_ms(1_795_960_790_000));
        ctx.note_clock(&answer, server_time.plus_ms(-10_000));
        ctx.read.note(&answer, false, NOW);
        let Ok(Sample::Known(State::Deadlocks(table))) = decode(&answer, &ctx) else { panic!() };
        let mut at: Vec<_> = table.patterns[0].reports.iter().map(|r| r.at).collect();
        at.sort_unstable();
        let ours = |text: &str| Timestamp::parse(text).unwrap();
        assert_eq!(
            at,
            [
                ours("2026-11-29T13:58:01.250Z"),
                ours("2026-11-29T13:59:01.250Z"),
                Timestamp::from_ms(1_795_960_790_000)
            ]
        );
    }

    #[test]
    fn as_many_rows_as_may_come_mean_that_there_may_be_more() {
        let report = |n: usize| text(&EVENT.replace("14:02:11", &format!("14:02:{n:02}")));
        assert!(!table((0..MOST_ROWS - 1).map(report).collect()).at_least);
        assert!(table((0..MOST_ROWS).map(report).collect()).at_least);
    }

    #[test]
    fn no_session_and_no_target_are_told_apart_and_nothing_is_a_value() {
        let refused = |answer| decoded(&mut ProbeContext::new(|| NOW), answer).unwrap_err().to_string();
        assert_eq!(refused(vec![source(Vec::new())]), "n/a (no running session that records deadlocks here)");
        let no_target = source(vec![vec![text("dl\u{1b}"), Cell::Null, Cell::Null]]);
        assert!(!has_target(&sets(vec![no_target.clone()])), "then the second round trip is spared");
        assert_eq!(refused(vec![no_target]), "n/a (no readable target of dl here)");
        assert!(has_target(&sets(vec![with_file()])));
        assert!(table(Vec::new()).patterns.is_empty(), "none is known to be there");
    }

    fn ring(head: &str, ring: &str) -> Vec<ResultSet> {
        let sessions = source(vec![vec![text("system_health"), text("ring_buffer"), Cell::Null]]);
        vec![sessions, set("deadlock_ring", &["ring_head", "ring"], vec![vec![text(head), text(ring)]])]
    }

    fn of_ring(ctx: &mut ProbeContext, told: Vec<ResultSet>) -> Arc<DeadlockTable> {
        match decoded(ctx, told) {
            Ok(Sample::Known(State::Deadlocks(table))) => table,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn memory_is_read_whole_each_time_and_tells_nothing_twice() {
        let now = || Timestamp::parse("2026-11-29T15:00:00Z").unwrap();
        let mut ctx = ProbeContext::new(now);
        let later = EVENT.replace("14:02:11", "14:50:00").replace("\"62\"", "\"71\"");
        let head = "<RingBufferTarget truncated=\"0\" eventCount=\"2\">";
        let whole = format!("{head}{EVENT}{later}</RingBufferTarget>");
        let first = of_ring(&mut ctx, ring(head, &whole));
        assert_eq!((patterns(&first), first.at_least), (vec![("key lookup", 2)], false));
        assert_eq!((&*first.session, first.is_from_memory), ("system_health", true));
        let again = of_ring(&mut ctx, ring(head, &whole));
        let times: Vec<_> = again.patterns.iter().flat_map(|p| &p.seen).map(|seen| seen.at).collect();
        assert_eq!(times, [Timestamp::parse("2026-11-29T14:50:00.250Z").unwrap()], "an hour ago is known");
        let gone = of_ring(
            &mut ctx,
            vec![ring(head, "").remove(0), set("deadlock_ring", &["ring_head", "ring"], Vec::new())],
        );
        assert!(gone.patterns.is_empty(), "stopped meanwhile");
    }

    #[test]
    fn memory_that_lost_what_was_told_before_lacks_nothing_since_then() {
        let now = || Timestamp::parse("2026-11-29T15:00:00Z").unwrap();
        let mut ctx = ProbeContext::new(now);
        let head = "<RingBufferTarget truncated=\"1\">";
        let mut missed_to = |xml: &str| {
            let told = of_ring(&mut ctx, ring(head, &format!("{head}{xml}</RingBufferTarget>")));
            assert_eq!(told.at_least, told.missed_to.is_some());
            told.missed_to
        };
        let at = |minute: &str| EVENT.replace("14:02:11", &format!("14:{minute}:00"));
        let other = "<event name=\"wait_info\" timestamp=\"2026-11-29T13:00:00Z\"><data/></event>";
        assert_eq!(missed_to(&format!("{other}{EVENT}")), Timestamp::parse("2026-11-29T13:00:00Z"));
        assert_eq!(missed_to(&format!("{EVENT}{}", at("20"))), None, "older things are gone that were told");
        let half_an_hour = Timestamp::parse("2026-11-29T14:50:00.250Z");
        assert_eq!(missed_to(&at("50")), half_an_hour, "of which nothing is left");
        assert_eq!(missed_to(&at("50")), None);
    }

    #[test]
    fn memory_that_was_cut_says_at_least_and_a_part_of_an_event_is_none() {
        let told = |head: &str, whole: &str| {
            let table = of_ring(&mut ProbeContext::new(|| NOW), ring(head, whole));
            (table.patterns.iter().map(|p| p.times).sum::<u64>(), table.at_least)
        };
        let head = "<RingBufferTarget truncated=\"0\">";
        assert_eq!(told(head, &format!("{head}{EVENT}</RingBufferTarget>")), (1, false));
        let truncated = head.replace('0', "1");
        assert_eq!(told(&truncated, &format!("{truncated}{EVENT}</RingBufferTarget>")), (1, true));
        assert_eq!(
            told(head, &format!("mode=\"X\"/></event>{EVENT}</RingBufferTarget>")),
            (1, true),
            "its begin"
        );
        assert_eq!(told(head, &format!("{head}{EVENT}{}", &EVENT[..600])), (1, true), "its end");
        let (one, two) = (EVENT.replace("14:02:11", "13:00:00"), EVENT.to_owned());
        let in_order = of_ring(&mut ProbeContext::new(|| NOW), ring(head, &format!("{head}{one}{two}")));
        let reversed = of_ring(&mut ProbeContext::new(|| NOW), ring(head, &format!("{head}{two}{one}")));
        assert_eq!(in_order, reversed, "whatever the order");
        assert_eq!(told("<", &"<event ".repeat(1_000_000)), (0, true), "as much as one answer may have");
        let many: String =
            (0..70).map(|n| EVENT.replace("14:02:11", &format!("14:{:02}:11", n % 60))).collect();
        assert_eq!(
            told(head, &format!("{head}{many}</RingBufferTarget>")),
            (50, true),
            "as many as one poll takes"
        );
        assert_eq!((told("", ""), told("<", "\u{1b}<<>\u{0}")), ((0, false), (0, true)));
    }
}
