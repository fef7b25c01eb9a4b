//! When database files grew by themselves: out of the default trace, which most servers keep; where it tells nothing, out of a session of
//! Extended Events that somebody made (`probe::recorded` says which). Reading either's files is slow: over the on-demand lane, the older
//! ones of the trace once, then the newest alone since the last poll.

use crate::{
    model::{
        base::{text::sanitize_line, time::Timestamp},
        poll::{
            Sample, State,
            cost::Tier,
            growths::{FileGrowth, GrowthTable},
            id::ProbeId,
            reading::Unavailable,
            who::Who,
        },
    },
    probe::{
        batch::Sets,
        catalog::{deadlocks::RING as DEADLOCK_RING, who::who},
        clock::Clock,
        context::ProbeContext,
        descriptor::{Company, Lane, Pace, Part, Probe, optional},
        recorded,
        script::{Event, Needs, Script, Takes, When, script},
    },
    tds::{Cell, Row},
    xml::{Document, Element, LIMITS},
};
use std::sync::Arc;

const TRACE: Script = script!("growth_trace", Nothing, one row);
const GROWTHS: Script =
    script!("growths", Trace, by "start_time" "database_id" "logical_name").taking(Takes::GrowthsSince);
const SESSIONS: Script = script!("growth_source", Performance, by "name" "target_name");
/// Events that were flushed together share their place in the file: one is told from others by itself.
const EVENTS: Script =
    script!("growth_events", Performance, by "event").taking(Takes::Recorded(Event::Growth));
/// Events out of memory.
const RING: Script = DEADLOCK_RING
    .over("growth_ring", "sys.dm_xe_session_targets", "sys.dm_xe_session_targets")
    .taking(Takes::Recorded(Event::Growth));

/// The event of a log that grew; the other one is of data.
const LOG_GREW: i64 = 93;
/// Rows that a script sends at most, and events that are taken out of memory.
const MOST: usize = 300;
/// Characters of a name.
const MOST_NAME: usize = 256;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[
        // Azure SQL Database knows no traces.
        optional(TRACE, &[]),
        optional(GROWTHS, &[]),
        optional(SESSIONS, &[]),
        Part { script: EVENTS, when: &[When::SecondTrip, When::InFile(Event::Growth)], needed: true },
        Part { script: RING, when: &[When::SecondTrip, When::InMemory(Event::Growth)], needed: true },
    ],
    pace: Pace::Seldom(4),
    company: Company::Alone,
    lane: Lane::OnDemand,
    timeout_ms: 20_000,
    unknown_without: &[
        (Needs::Trace, "when database files grew"),
        (Needs::Performance, "when they grew where no default trace tells"),
    ],
    panes: &["storage"],
    second_trip: Some(is_told_by_a_session_alone),
    ..Probe::new(ProbeId::Growths, Tier::Slow, decode)
};

/// The trace tells nothing, and a session keeps what it records.
fn is_told_by_a_session_alone(sets: &Sets) -> bool {
    let is_read = |row: Row<'_>| {
        row.bool("is_enabled") != Some(false)
            && row.bool("alter_trace") != Some(false)
            && row.count("default_traces") != Some(0)
            && sets.has(GROWTHS.name)
    };
    !sets.all(TRACE.name).any(is_read)
        && sets.all(SESSIONS.name).any(|row| row.raw_text("target_name").is_some())
}

fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let table = match of_trace(sets, ctx) {
        Ok(table) => table,
        Err(why) => of_session(sets, ctx)?.ok_or(why)?,
    };
    Ok(Sample::Known(State::from(Arc::new(table))))
}

/// A row without a time is left out.
fn of_trace(sets: &Sets, ctx: &ProbeContext) -> Result<GrowthTable, Unavailable> {
    let trace = sets.one(TRACE.name)?;
    let off = || Err(Unavailable::SwitchedOff("default trace enabled".into()));
    if trace.bool("is_enabled") == Some(false) {
        return off();
    }
    // Without the right no trace is seen.
    if trace.bool("alter_trace") == Some(false) {
        return Err(Unavailable::NoRight(Needs::Trace.right(ctx.major()).into()));
    }
    if trace.count("default_traces") == Some(0) {
        return off();
    }
    let clock = ctx.clock();
    let (mut total, mut read_to) = (None, None);
    let rows = sets.many(GROWTHS.name)?.filter_map(|row| {
        total = total.max(row.count("total_rows"));
        let at = clock.at(row, "start_time").filter(|at| clock.is_noted(*at))?;
        let server_ms = local(row);
        read_to = read_to.max(server_ms);
        Some(FileGrowth {
            at: clock.ours(at),
            took_ms: clock.over(row.count("duration_us").map(|us| us / 1_000), at),
            by_kb: row.count("grown_pages").and_then(|pages| pages.checked_mul(8)),
            database: row.name("database_name").or_else(|| ctx.database(row.i32("database_id"))),
            file: row.name("logical_name"),
            is_log: row.i64("event_class").map(|event| event == LOG_GREW),
            who: who(row, ctx),
            server_ms,
        })
    });
    let growths: Vec<FileGrowth> = rows.collect();
    let total = total.and_then(|n| usize::try_from(n).ok()).unwrap_or(growths.len());
    Ok(GrowthTable { read_to, ..table(growths, total) })
}

/// What a session recorded; None: none can be read.
fn of_session(sets: &Sets, ctx: &ProbeContext) -> Result<Option<GrowthTable>, Unavailable> {
    let source = ctx.read.recording(Event::Growth).source().filter(|_| sets.has(SESSIONS.name));
    let Some(source) = source else { return Ok(None) };
    let told: Vec<&str> = if source.is_ring() {
        // A session that was stopped meanwhile has nothing.
        let ring = sets.many(RING.name)?.next().and_then(|row| row.raw_text("ring")).unwrap_or_default();
        recorded::events(Event::Growth, ring).0.take(MOST).collect()
    } else {
        sets.many(EVENTS.name)?.filter_map(|row| row.raw_text("event")).collect()
    };
    let growths: Vec<FileGrowth> = told.into_iter().filter_map(|xml| growth(xml, ctx)).collect();
    let count = growths.len();
    Ok(Some(GrowthTable {
        session: sanitize_line(&source.session, MOST_NAME),
        is_from_memory: source.is_ring(),
        ..table(growths, count)
    }))
}

/// The newest first.
fn table(mut growths: Vec<FileGrowth>, total: usize) -> GrowthTable {
    growths.sort_by_key(|growth| std::cmp::Reverse(growth.at));
    let left_out = total.saturating_sub(growths.len()) as u64;
    GrowthTable { new: growths.len() as u64, growths, left_out, ..GrowthTable::default() }
}

/// A growth out of its event. None: it is none, or somebody asked for it, or it has no time.
fn growth(xml: &str, ctx: &ProbeContext) -> Option<FileGrowth> {
    // What stands behind the place where it was cut says nothing of the file.
    let (document, _) = Document::read_as_far(xml.as_bytes(), LIMITS).ok()?;
    let is_growth =
        |element: &Element<'_>| element.is("event") && element.get("name") == Some(Event::Growth.name());
    let event = document.roots().find(is_growth)?;
    let of = |part: &'static str, field: &str, child: &'static str| {
        let named = |element: &Element<'_>| element.is(part) && element.get("name") == Some(field);
        event.children().find(named)?.child(child).map(Element::text).filter(|text| !text.is_empty())
    };
    let data = |field: &str| of("data", field, "value");
    let count = |field: &str| data(field)?.parse().ok().filter(|n: &i64| *n >= 0);
    let name = |text: Option<&str>| text.map(|text| sanitize_line(text, MOST_NAME));
    let action = |fields: &[&str]| name(fields.iter().find_map(|field| of("action", field, "value")));
    // A file that shrinks changes by less than nothing.
    let by_kb = data("size_change_kb").and_then(|kb| kb.parse::<i64>().ok());
    if data("is_automatic").is_some_and(|value| value == "false" || value == "0")
        || by_kb.is_some_and(|kb| kb <= 0)
    {
        return None;
    }
    let clock = ctx.clock();
    let took_ms = Clock::span(count("duration"));
    // It is written when the growth has ended.
    let ended = Timestamp::parse(event.get("timestamp")?).filter(|at| clock.is_noted(*at))?;
    let at = Some(ended.plus_ms(-took_ms.unwrap_or(0))).filter(|at| clock.is_noted(*at))?;
    let id = count("database_id").and_then(|id| i32::try_from(id).ok());
    let kind = of("data", "file_type", "text").map(str::to_ascii_lowercase);
    let is = |word: &str| kind.as_deref().is_some_and(|kind| kind.starts_with(word));
    let program = of("action", "client_app_name", "value");
    Some(FileGrowth {
        at: clock.ours(at),
        took_ms,
        by_kb,
        database: name(data("database_name")).or_else(|| ctx.database(id)),
        file: name(data("file_name")),
        is_log: (is("log") || is("data")).then(|| is("log")),
        who: Who {
            login: action(&["username", "server_principal_name", "session_server_principal_name"]),
            host: action(&["client_hostname"]),
            program: program.and_then(|program| ctx.jobs.of(program)).or_else(|| name(program)),
        },
        // Only ever compared with others of the same session.
        server_ms: Some(at.ms()),
    })
}

/// The time as the server's clock shows it: it is only ever compared with others of that clock.
fn local(row: Row<'_>) -> Option<i64> {
    match row.cell("start_time") {
        Cell::Local(ms) => Some(*ms),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::fixture::{set, sets, text};

    const NOW_MS: i64 = 1_769_850_000_000;

    fn decoded(trace: [Cell; 3], rows: Vec<Vec<Cell>>) -> Result<GrowthTable, Unavailable> {
        let clock = Cell::Instant { utc_ms: NOW_MS, offset_min: 0 };
        let of_trace = set(
            "growth_trace",
            &["alter_trace", "is_enabled", "default_traces", "server_time"],
            vec![trace.into_iter().chain([clock]).collect()],
        );
        let columns = [
            "total_rows",
            "event_class",
            "database_id",
            "database_name",
            "logical_name",
            "start_time",
            "duration_us",
            "grown_pages",
            "login_name",
        ];
        let answer = sets(vec![of_trace, set("growths", &columns, rows)]);
        let mut ctx = ProbeContext::new(Timestamp::default);
        ctx.note_clock(&answer, Timestamp::from_ms(NOW_MS));
        match decode(&answer, &ctx)? {
            Sample::Known(State::Growths(table)) => Ok(Arc::unwrap_or_clone(table)),
            other => panic!("{other:?}"),
        }
    }

    fn row(event: i64, file: &str, ms: i64, pages: Cell) -> Vec<Cell> {
        vec![
            Cell::Int(9),
            Cell::Int(event),
            Cell::Int(7),
            Cell::Null,
            text(file),
            Cell::Local(ms),
            Cell::Int(1_250_000),
            pages,
            text("CORP\\ann"),
        ]
    }

    #[test]
    fn a_growth_has_what_the_trace_says_the_newest_first() {
        let on = [Cell::Int(1), Cell::Int(1), Cell::Int(1)];
        let rows = vec![
            row(92, "orders\u{1b}[31m", NOW_MS - 8_000, Cell::Int(8_192)),
            row(93, "orders_log", NOW_MS - 1_000, Cell::Int(-1)),
            vec![
                Cell::Int(9),
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
            ],
        ];
        let table = decoded(on, rows).unwrap();
        let [log, data] = &table.growths[..] else { panic!("{table:?}") };
        assert_eq!((log.is_log, log.by_kb, log.database.as_deref()), (Some(true), None, Some("db 7")));
        assert_eq!((data.is_log, data.by_kb, data.took_ms), (Some(false), Some(65_536), Some(1_250)));
        assert!(!data.file.as_deref().unwrap().contains('\u{1b}') && data.is_long(), "{data:?}");
        assert_eq!((table.left_out, table.new, table.read_to), (7, 2, Some(NOW_MS - 1_000)));
        assert_eq!((data.who.login.as_deref(), data.server_ms), (Some("CORP\\ann"), Some(NOW_MS - 8_000)));
    }

    #[test]
    fn a_growth_took_no_longer_than_since_it_began() {
        let on = [Cell::Int(1), Cell::Int(1), Cell::Int(1)];
        let took = |us: Cell| {
            let mut row = row(92, "a", NOW_MS - 60_000, Cell::Int(1));
            row[6] = us;
            decoded(on.clone(), vec![row]).unwrap().growths[0].took_ms
        };
        assert_eq!([took(Cell::Int(0)), took(Cell::Int(59_000_000))], [Some(0), Some(59_000)]);
        assert_eq!(
            [took(Cell::Int(70_000_000)), took(Cell::Int(1 << 55)), took(Cell::Int(i64::MAX))],
            [None; 3]
        );
        assert_eq!([took(Cell::Int(-1)), took(Cell::Null)], [None; 2]);
    }

    #[test]
    fn why_nobody_knows_is_told_apart() {
        let off = Err(Unavailable::SwitchedOff("default trace enabled".into()));
        let no_right = Err(Unavailable::NoRight("ALTER TRACE".into()));
        let (yes, no) = (|| Cell::Int(1), || Cell::Int(0));
        assert_eq!(decoded([yes(), no(), no()], vec![]), off);
        assert_eq!(decoded([no(), no(), no()], vec![]), off, "a right would not help");
        assert_eq!(decoded([no(), yes(), no()], vec![]), no_right, "without the right no trace is seen");
        assert_eq!(decoded([yes(), yes(), no()], vec![]), off, "somebody stopped it");
        assert_eq!(decoded([yes(), yes(), yes()], vec![]).map(|table| table.growths.len()), Ok(0));
        assert!(decoded([Cell::Null, Cell::Null, Cell::Null], vec![]).is_ok(), "unknown is not denied");
    }

    const EVENT: &str = r#"<event name="database_file_size_change" package="sqlserver" timestamp="2026-01-31T08:59:58.400Z">
        <data name="database_id"><type name="uint32" package="package0"/><value>7</value></data>
        <data name="file_type"><type name="database_file_type" package="sqlserver"/><value>1</value><text>Log file</text></data>
        <data name="is_automatic"><value>true</value></data><data name="size_change_kb"><value>65536</value></data>
        <data name="duration"><value>400</value></data><data name="file_name"><value>orders_log &amp; more</value></data>
        <action name="client_app_name" package="sqlserver"><value>shop</value></action>
        <action name="username" package="sqlserver"><value>CORP\ann</value></action></event>"#;

    /// What is decoded where the trace is off and this session has these events.
    fn of_session(target: &str, events: &[&str]) -> Result<GrowthTable, Unavailable> {
        let clock = Cell::Instant { utc_ms: NOW_MS, offset_min: 60 };
        let trace = set("growth_trace", &["is_enabled", "server_time"], vec![vec![Cell::Int(0), clock]]);
        let path = text("<F><File name=\"/x/g_0_1.xel\"/></F>");
        let columns = ["name", "target_name", "target_data"];
        let target = if target.is_empty() { Cell::Null } else { text(target) };
        let is_kept = target != Cell::Null;
        let source = set("growth_source", &columns, vec![vec![text("gr\u{1b}ow"), target, path]]);
        let rows = events.iter().map(|xml| vec![text("/x/g_0_1.xel"), Cell::Int(7), text(xml)]).collect();
        let file = set("growth_events", &["file_name", "file_offset", "event"], rows);
        let ring = set("growth_ring", &["ring"], vec![vec![text(&format!("<R>{}</R>", events.concat()))]]);
        let answer = sets(vec![trace, source, file, ring]);
        assert_eq!(is_told_by_a_session_alone(&answer), is_kept);
        let mut ctx = ProbeContext::new(|| Timestamp::from_ms(NOW_MS));
        ctx.note_clock(&answer, Timestamp::from_ms(NOW_MS));
        ctx.read.note(&answer, false, Timestamp::from_ms(NOW_MS));
        match decode(&answer, &ctx)? {
            Sample::Known(State::Growths(table)) => Ok(Arc::unwrap_or_clone(table)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_session_tells_where_the_trace_is_off() {
        for (target, is_from_memory) in [("event_file", false), ("ring_buffer", true)] {
            let table = of_session(target, &[EVENT]).unwrap();
            let [log] = &table.growths[..] else { panic!("{table:?}") };
            assert_eq!((log.is_log, log.by_kb, log.took_ms), (Some(true), Some(65_536), Some(400)));
            assert_eq!(
                (log.database.as_deref(), log.file.as_deref()),
                (Some("db 7"), Some("orders_log & more"))
            );
            assert_eq!((log.who.program.as_deref(), log.who.host.as_deref()), (Some("shop"), None));
            assert_eq!(log.at, Timestamp::parse("2026-01-31T08:59:58Z").unwrap(), "when it began");
            assert_eq!(
                (&*table.session, table.is_from_memory, table.read_to),
                ("grow", is_from_memory, None)
            );
        }
    }

    #[test]
    fn what_is_no_growth_by_itself_or_cannot_be_read_is_left_out() {
        let asked_for = EVENT.replace(">true<", ">false<");
        let shrunk = EVENT.replace(">65536<", ">-65536<");
        let later = EVENT.replace("2026-01-31", "2036-01-31");
        let ancient = EVENT.replace("2026-01-31", "0001-01-01");
        let endless = EVENT.replace("2026-01-31", "2017-01-31").replace(">400<", ">300000000000<");
        let nameless = EVENT.replace("name=", "nome=");
        let none = [
            &*asked_for,
            &shrunk,
            &later,
            &ancient,
            &endless,
            &nameless,
            "",
            "<event",
            "\u{0}<<>",
            &"<event ".repeat(9_000),
        ];
        assert_eq!(of_session("event_file", &none).unwrap().growths, []);
        // Cut within what else the session collects; hostile figures and names.
        let cut = &EVENT[..EVENT.len() - 60];
        let absurd =
            EVENT.replace(">400<", ">-4<").replace(">7<", ">99999999999<").replace("orders", "\u{7}o");
        let table = of_session("event_file", &[cut, &absurd]).unwrap();
        assert_eq!(table.growths.len(), 2, "{table:?}");
        let odd = table.growths.iter().find(|growth| growth.took_ms.is_none()).unwrap();
        assert_eq!(odd.database, None);
        assert!(!odd.file.as_deref().unwrap().contains('\u{7}'), "{odd:?}");
    }

    #[test]
    fn a_session_tells_where_a_server_knows_no_traces() {
        assert!(PROBE.parts.iter().all(|part| part.script.name != TRACE.name || !part.needed));
        let columns = ["server_time", "name", "target_name", "target_data"];
        let clock = Cell::Instant { utc_ms: NOW_MS, offset_min: 0 };
        let row = vec![clock, text("grow"), text("ring_buffer"), Cell::Null];
        let ring = set("growth_ring", &["ring"], vec![vec![text(&format!("<R>{EVENT}</R>"))]]);
        let answer = sets(vec![set("growth_source", &columns, vec![row]), ring]);
        assert!(is_told_by_a_session_alone(&answer));
        let mut ctx = ProbeContext::new(|| Timestamp::from_ms(NOW_MS));
        ctx.note_clock(&answer, Timestamp::from_ms(NOW_MS));
        ctx.read.note(&answer, false, Timestamp::from_ms(NOW_MS));
        let told = decode(&answer, &ctx).unwrap();
        assert!(
            matches!(&told, Sample::Known(State::Growths(table)) if table.growths.len() == 1),
            "{told:?}"
        );
    }

    #[test]
    fn without_a_session_the_reason_of_the_trace_stays() {
        assert_eq!(
            of_session("", &[]).unwrap_err(),
            Unavailable::SwitchedOff("default trace enabled".into())
        );
    }
}
