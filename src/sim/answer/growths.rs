//! Answers about growths of files: the default trace, and the sessions of Extended Events that a DBA made where there is none.

use super::{
    asked::{Answer, Asked},
    deadlocks::{SESSIONS, escaped, instant},
    room::first_number,
    table::{Table, int, opt, text},
};
use crate::sim::{
    backend::{
        ColumnType::{BigInt, Bit, DateTime, DateTimeOffset, Int, NVarChar, NVarCharMax},
        Value,
    },
    world::storage::{Growth, GrowthSession},
};

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] = &[
    ("growth_events", events),
    ("growth_ring", memory),
    ("growth_source", sessions),
    ("growth_trace", growth_trace),
    ("growths", growths),
];

/// The session, who asked the files to grow, and by which program.
const SESSION: &str = "file_growths";
const WHO: [&str; 3] = ["ACME\\svc_app", "APP-01", "Core Microsoft SqlClient Data Provider"];
/// What a script asks for at most.
const MOST: usize = 300;

/// Whether the default trace runs, and whether the login may read it.
fn growth_trace(q: &Asked<'_>) -> Table {
    let runs = i64::from(q.moment.has_default_trace());
    let may = q.rights.on_server("ALTER TRACE", q.moment.profile.version);
    // Without the right no trace is seen.
    let seen = if may == Some(true) { runs } else { 0 };
    Table::one(vec![
        ("server_time", DateTimeOffset(7), q.now()),
        ("alter_trace", Int, opt(may, |held| int(i64::from(held)))),
        ("is_enabled", Int, int(runs)),
        ("default_traces", Int, int(seen)),
        ("trace_path", NVarChar(260), opt((seen > 0).then(|| q.moment.trace_file()), |(path, _)| text(path))),
    ])
}

/// The growths in the files of the default trace since a time of the server's clock: in the newest alone, if that was read last.
fn growths(q: &Asked<'_>) -> Table {
    let columns = [
        &[
            ("total_rows", Int),
            ("event_class", Int),
            ("database_id", Int),
            ("database_name", NVarChar(256)),
            ("logical_name", NVarChar(256)),
            ("start_time", DateTime),
            ("duration_us", BigInt),
            ("grown_pages", Int),
        ][..],
        &[("login_name", NVarChar(256)), ("host_name", NVarChar(256)), ("program_name", NVarChar(256))],
    ]
    .concat();
    let may = q.rights.on_server("ALTER TRACE", q.moment.profile.version) == Some(true);
    if !may || !q.moment.has_default_trace() {
        return Table::new(&columns);
    }
    let local_ms = |at_ms: i64| i64::try_from(q.moment.local_ns(at_ms) / 1_000_000).unwrap_or(i64::MAX);
    let since = first_number(q).unwrap_or_else(|| local_ms(q.moment.at_ms) - 31 * 86_400_000);
    let (path, began_ms) = q.moment.trace_file();
    let is_known =
        matches!(q.params.get(1).map(|param| &param.value), Some(Value::Text(known)) if *known == path);
    // A datetime counts in thirds of ten milliseconds.
    let is_new = |growth: &Growth| local_ms(growth.at_ms) - since > 3;
    let is_there = |growth: &Growth| !is_known || growth.at_ms >= began_ms;
    let grown = q.moment.growths().into_iter().filter(|growth| is_new(growth) && is_there(growth));
    let grown: Vec<_> = grown.take(MOST).collect();
    let total = grown.len() as i64;
    let row = |growth: Growth| {
        let database = q.moment.profile.database(growth.database_id);
        vec![
            int(total),
            int(if growth.log { 93 } else { 92 }),
            int(growth.database_id),
            opt(database, |database| text(q.moment.database_name(database))),
            text(growth.name),
            q.datetime(growth.at_ms),
            int(growth.took_ms * 1_000),
            int(growth.bytes / 8_192),
            text(WHO[0]),
            text(WHO[1]),
            text(WHO[2]),
        ]
    };
    Table::new(&columns).with(grown.into_iter().map(row))
}

/// The path of the one file of the session.
fn path(q: &Asked<'_>) -> String {
    let folder = if q.moment.profile.linux { "/var/opt/mssql/log/" } else { "D:\\Log\\" };
    format!("{folder}{SESSION}_0_133900000000000000.xel")
}

/// The sessions that record growths, with their targets.
fn sessions(q: &Asked<'_>) -> Table {
    let row = q.moment.growth_session().map(|session| match session {
        GrowthSession::File => {
            let data =
                format!("<EventFileTarget truncated=\"0\"><File name=\"{}\"/></EventFileTarget>", path(q));
            vec![q.now(), text(SESSION), text("event_file"), text(data), Value::Bool(false)]
        }
        GrowthSession::Memory => {
            vec![q.now(), text(SESSION), text("ring_buffer"), Value::Null, Value::Bool(false)]
        }
    });
    let columns: Vec<_> = SESSIONS.into_iter().chain([("is_shared", Bit)]).collect();
    Table::new(&columns).with(row.into_iter())
}

/// The place of an event in the file.
fn place(q: &Asked<'_>, growth: &Growth) -> i64 {
    (growth.at_ms + growth.took_ms - q.moment.started_ms()).max(0) + 4_096
}

/// The events behind a place of the file, the newest first.
fn events(q: &Asked<'_>) -> Table {
    let columns = [("file_name", NVarChar(260)), ("file_offset", BigInt), ("event", NVarCharMax)];
    if q.moment.growth_session() != Some(GrowthSession::File) {
        return Table::new(&columns);
    }
    let behind = match q.params.get(2).map(|param| &param.value) {
        Some(Value::Int(place)) => *place,
        _ => 0,
    };
    let told = q.moment.growths().into_iter().filter(|growth| place(q, growth) > behind).take(MOST);
    let rows = told.map(|growth| vec![text(path(q)), int(place(q, &growth)), text(event(q, &growth, true))]);
    Table::new(&columns).with(rows)
}

/// What the session has in memory: the oldest first, and one file that somebody made larger.
fn memory(q: &Asked<'_>) -> Table {
    let columns = [("ring_head", NVarCharMax), ("ring", NVarCharMax)];
    let is_asked =
        matches!(q.params.first().map(|param| &param.value), Some(Value::Text(name)) if name == SESSION);
    if q.moment.growth_session() != Some(GrowthSession::Memory) || !is_asked {
        return Table::new(&columns);
    }
    let growths = q.moment.growths();
    let head = format!("<RingBufferTarget truncated=\"0\" eventCount=\"{}\">", growths.len() + 1);
    let mut ring = head.clone();
    if let Some(oldest) = growths.last() {
        ring.push_str(&event(q, &Growth { at_ms: oldest.at_ms - 1_000, ..oldest.clone() }, false));
    }
    growths.iter().rev().for_each(|growth| ring.push_str(&event(q, growth, true)));
    ring.push_str("</RingBufferTarget>");
    Table::new(&columns).with(std::iter::once(vec![text(head), text(ring)]))
}

/// An event as the server writes it, when the growth has ended.
fn event(q: &Asked<'_>, growth: &Growth, is_automatic: bool) -> String {
    let ended_ms = growth.at_ms + growth.took_ms;
    let at = instant(q.moment.fleet.utc_origin_ms + ended_ms + q.moment.clock_error_ms());
    let database = q.moment.profile.database(growth.database_id);
    let database = database.map(|database| q.moment.database_name(database)).unwrap_or_default();
    let (kind, kind_name) = if growth.log { (1, "Log file") } else { (0, "Data file") };
    let data = |name: &str, value: &str| {
        format!("<data name=\"{name}\"><type name=\"x\" package=\"package0\"/><value>{value}</value></data>")
    };
    let action = |name: &str, value: &str| {
        format!("<action name=\"{name}\" package=\"sqlserver\"><value>{}</value></action>", escaped(value))
    };
    [
        format!("<event name=\"database_file_size_change\" package=\"sqlserver\" timestamp=\"{at}\">"),
        data("database_id", &growth.database_id.to_string()),
        data("file_id", if growth.log { "2" } else { "1" }),
        format!(
            "<data name=\"file_type\"><type name=\"database_file_type\" package=\"sqlserver\"/><value>{kind}</value>\
             <text>{kind_name}</text></data>"
        ),
        data("is_automatic", if is_automatic { "true" } else { "false" }),
        data("total_size_kb", "8388608"),
        data("size_change_kb", &(growth.bytes / 1024).to_string()),
        data("duration", &growth.took_ms.to_string()),
        data("file_name", &escaped(&growth.name)),
        data("database_name", &escaped(&database)),
        action("client_app_name", WHO[2]),
        action("client_hostname", WHO[1]),
        action("username", WHO[0]),
        "</event>".to_owned(),
    ]
    .concat()
}
