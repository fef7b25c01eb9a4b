//! Deadlocks, as the server's own session `system_health` recorded them: read over the on-demand lane when the server's counter of
//! them moved, from where the last reading ended. The first round trip says whether there is a file; only then it is read.
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
        base::{text::sanitize_block, time::Timestamp},
        poll::{
            Sample, State,
            cost::Tier,
            deadlocks::{DeadlockParty, DeadlockReport, DeadlockTable},
            id::ProbeId,
            reading::Unavailable,
            statement::{SqlText, Statement},
            who::Who,
        },
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Company, Lane, Pace, Part, Probe, Want, Worth, needed},
        script::{Needs, Script, Takes, When, script},
    },
    tds::Row,
};
use std::sync::Arc;

const SOURCE: Script = script!("deadlock_source", Performance, one row);
/// Events that were flushed together share their place in the file: a report is told from others by itself.
const REPORTS: Script = script!("deadlocks", Performance, by "report").taking(Takes::Deadlocks);

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(SOURCE), Part { script: REPORTS, when: &[When::SecondTrip], needed: true }],
    pace: Pace::NotFaster,
    company: Company::Alone,
    lane: Lane::OnDemand,
    worth: Worth::News(ProbeContext::has_new_deadlocks),
    timeout_ms: 30_000,
    wants: &[Want::SystemHealth, Want::Right(Needs::Performance)],
    second_trip: Some(has_file),
    unknown_without: &[(Needs::Performance, "deadlocks")],
    panes: &["deadlocks"],
    ..Probe::new(ProbeId::Deadlocks, Tier::Detail, decode)
};

/// Rows that the script sends at most, and characters of a report.
const MOST_ROWS: usize = 50;
const MOST_CHARS: usize = 80_000;
/// Sessions and objects of one report that are kept: parallel queries have hundreds of tasks.
const MOST_PARTIES: usize = 8;
const MOST_OBJECTS: usize = 8;

/// What stands in place of a fingerprint where nobody waits in a ring, and where the report cannot be read.
const NO_RING: (u64, &str) = (0, "no ring");
const NOT_READ: (u64, &str) = (1, "report not readable");

/// True if `system_health` writes into a file.
fn has_file(sets: &Sets) -> bool {
    sets.all(SOURCE.name).any(|row| row.raw_text("target_name").is_some())
}

fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    if sets.many(SOURCE.name)?.next().is_none() {
        return Err(Unavailable::Missing("running session system_health".into()));
    }
    if !has_file(sets) {
        return Err(Unavailable::Missing("file target of system_health".into()));
    }
    let mut table = DeadlockTable::default();
    let mut rows = 0;
    for row in sets.many(REPORTS.name)? {
        rows += 1;
        let Some(xml) = row.raw_text("report").filter(|xml| !xml.trim().is_empty()) else { continue };
        for (fingerprint, kind, report) in reports(xml, row, ctx) {
            table.pattern(fingerprint, kind).push(report);
        }
    }
    table.at_least = rows >= MOST_ROWS;
    table.tidy();
    Ok(Sample::Known(State::Deadlocks(Arc::new(table))))
}

/// The deadlocks of an event: one, but for what is hostile.
fn reports(xml: &str, row: Row<'_>, ctx: &ProbeContext) -> Vec<(u64, &'static str, DeadlockReport)> {
    let lean = without_native_stacks(xml);
    let text: Arc<str> = sanitize_block(&lean, MOST_CHARS).into();
    let (end, text) = (text.len(), SqlText::new(text, None, None, false));
    let hash = text.id().0;
    let skew_ms = ctx.skew_ms().unwrap_or(0);
    let by_our_clock = |at: Timestamp| at.plus_ms(skew_ms.saturating_neg());
    let whole = DeadlockReport {
        at: stamp(xml).map_or_else(|| ctx.now(), by_our_clock),
        hash,
        text: Some(Statement { text: Arc::new(text), start: 0, end }),
        bytes: row.count("report_bytes"),
        ..DeadlockReport::default()
    };
    let Ok(deadlocks) = Deadlock::read_all(lean.as_bytes()) else {
        return vec![(NOT_READ.0, NOT_READ.1, whole)];
    };
    let told = |(nth, deadlock): (usize, &Deadlock)| {
        let graph = Graph::of(deadlock);
        let rings = graph.rings();
        let (fingerprint, kind) = rings.first().map_or(NO_RING, |ring| {
            let fingerprint = u64::from_str_radix(&fingerprint_of(deadlock, &graph, ring), 16);
            (fingerprint.unwrap_or(NO_RING.0), Pattern::of(deadlock, &graph, ring).word())
        });
        let report = DeadlockReport {
            at: deadlock.at.map_or(whole.at, by_our_clock),
            hash: hash.wrapping_add(nth as u64),
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
    let name = |name: &str| (!name.is_empty()).then(|| Arc::from(name));
    let place = task.place().filter(|frame| !frame.module.is_empty()).map(|frame| match frame.line {
        Some(line) => format!("{}:{line}", frame.module).into(),
        None => frame.module.as_str().into(),
    });
    DeadlockParty {
        session_id: task.spid.and_then(|spid| i64::try_from(spid).ok()),
        is_victim,
        who: Who { login: name(&task.login), host: name(&task.host), program: name(&task.program) },
        isolation: task.isolation.as_str().into(),
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
        if resource.object.is_empty() { resource.word().into() } else { resource.object.as_str().into() }
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
    once(of_locks.chain(of_tasks).filter(|name| !name.is_empty()).map(Arc::from))
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

    fn source(rows: Vec<Vec<Cell>>) -> ResultSet {
        set("deadlock_source", &["name", "target_name", "target_data"], rows)
    }

    fn with_file() -> ResultSet {
        source(vec![vec![text("system_health"), text("event_file"), Cell::Null]])
    }

    fn answered(reports: Vec<Cell>) -> Result<Sample, Unavailable> {
        let columns = ["file_name", "file_offset", "report_bytes", "report"];
        let rows = reports.into_iter().map(|xml| vec![text("f.xel"), Cell::Int(7), Cell::Int(900), xml]);
        let answer = sets(vec![with_file(), set("deadlocks", &columns, rows.collect())]);
        decode(&answer, &ProbeContext::new(|| Timestamp::from_ms(99)))
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
        assert_eq!((report.rings, report.bytes), (1, Some(900)));
        let kept = &report.text.as_ref().unwrap().text.batch;
        assert!(!kept.contains("stackFrames") && kept.contains("usp_Pay"), "the native stack goes: {kept}");
    }

    #[test]
    fn the_same_event_read_twice_is_one_deadlock() {
        assert_eq!(patterns(&table(vec![text(EVENT), text(EVENT)])), [("key lookup", 1)]);
    }

    #[test]
    fn a_report_that_was_cut_or_is_no_report_is_told_with_its_time() {
        let cut = &EVENT[..600];
        let told = table(vec![text(cut), text("no xml \u{1b}[31m"), Cell::Null, text("  ")]);
        assert_eq!(patterns(&told), [("report not readable", 2)]);
        let [one, other] = &told.patterns[0].reports[..] else { panic!("{told:?}") };
        assert_eq!(Some(one.at), Timestamp::parse("2026-11-29T14:02:11.250Z"), "by its head");
        assert_eq!(other.at, Timestamp::from_ms(99), "when it was read");
        assert!(!other.text.as_ref().unwrap().text.batch.contains('\u{1b}'));
        let told = table(vec![text(
            "<deadlock><process-list><process id=\"a\" spid=\"5\"/></process-list></deadlock>",
        )]);
        assert_eq!(patterns(&told), [("no ring", 1)]);
    }

    #[test]
    fn as_many_rows_as_may_come_mean_that_there_may_be_more() {
        let report = |n: usize| text(&EVENT.replace("14:02:11", &format!("14:02:{n:02}")));
        assert!(!table((0..MOST_ROWS - 1).map(report).collect()).at_least);
        assert!(table((0..MOST_ROWS).map(report).collect()).at_least);
    }

    #[test]
    fn no_session_and_no_file_are_told_apart_and_nothing_is_a_value() {
        let ctx = ProbeContext::new(Timestamp::default);
        let refused = |answer| decode(&sets(answer), &ctx).unwrap_err().to_string();
        assert_eq!(refused(vec![source(Vec::new())]), "n/a (no running session system_health here)");
        let ring_buffer = source(vec![vec![text("system_health"), Cell::Null, Cell::Null]]);
        assert!(!has_file(&sets(vec![ring_buffer.clone()])), "then the second round trip is spared");
        assert_eq!(refused(vec![ring_buffer]), "n/a (no file target of system_health here)");
        assert!(has_file(&sets(vec![with_file()])));
        assert!(table(Vec::new()).patterns.is_empty(), "none is known to be there");
    }
}
