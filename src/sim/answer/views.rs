//! `SELECT columns FROM one system view`, for people and clients that look around: no joins, no conditions. Columns that
//! the simulator has no value for are NULL.

use super::{
    Asked, server, sessions,
    table::{Table, int, int4, opt, text},
};
use crate::sim::{
    backend::{
        Column,
        ColumnType::{BigInt, Bit, DateTime, Int, NVarChar, SmallInt},
        Value,
    },
    schema::{self, Home},
};

/// Columns and rows; the error says what the simulator does not know. `*` among the names stands for all columns.
pub fn view(name: &str, columns: &[String], q: &Asked<'_>) -> Result<(Vec<Column>, Vec<Vec<Value>>), String> {
    let year = q.moment.profile.version.year();
    let unknown = || format!("the simulator has no rows for sys.{name}");
    let object = schema::get(Home::Sys, name).ok_or_else(unknown)?;
    let table = rows_of(name, q).ok_or_else(unknown)?;
    let mut shape = Vec::new();
    for wanted in columns {
        if wanted == "*" {
            shape.extend(object.columns_in(year).map(schema::Column::described));
        } else {
            let column = object.column_in(wanted, year);
            shape
                .push(column.ok_or_else(|| format!("the simulator cannot evaluate '{wanted}'"))?.described());
        }
    }
    let shape: Vec<Column> = shape.into_iter().map(|c| Column { nullable: true, ..c }).collect();
    let rows = table.shaped(&shape);
    Ok((shape, rows))
}

fn rows_of(name: &str, q: &Asked<'_>) -> Option<Table> {
    Some(match name.to_ascii_lowercase().as_str() {
        "dm_exec_sessions" => all_sessions(q),
        "dm_exec_requests" => sessions::activity(q),
        "dm_os_wait_stats" => server::waits(q),
        "dm_os_performance_counters" => server::counters(q),
        "dm_os_sys_info" => server::sysinfo(q),
        "dm_os_host_info" => server::host(q),
        "databases" => server::databases(q),
        "configurations" => server::configurations(q),
        _ => return None,
    })
}

/// Working sessions and our own; pooled connections at rest are only counted, not listed.
fn all_sessions(q: &Asked<'_>) -> Table {
    let columns = [
        ("session_id", SmallInt),
        ("login_time", DateTime),
        ("host_name", NVarChar(128)),
        ("program_name", NVarChar(128)),
        ("login_name", NVarChar(128)),
        ("status", NVarChar(30)),
        ("cpu_time", Int),
        ("logical_reads", BigInt),
        ("reads", BigInt),
        ("writes", BigInt),
        ("row_count", BigInt),
        ("last_request_start_time", DateTime),
        ("last_request_end_time", DateTime),
        ("is_user_process", Bit),
        ("database_id", SmallInt),
        ("open_transaction_count", Int),
        ("transaction_isolation_level", SmallInt),
    ];
    let others = q.visible().iter().map(|w| {
        vec![
            int(w.spid),
            q.datetime(w.login_ms),
            text(&*w.host),
            text(&*w.program),
            text(&*w.login),
            text(if w.slept_since_ms.is_some() { "sleeping" } else { "running" }),
            int4(w.cpu_ms),
            int(w.logical_reads),
            int(w.reads),
            int(w.writes),
            int(w.rows),
            q.datetime(w.started_ms),
            opt(w.slept_since_ms, |at| q.datetime(at)),
            Value::Bool(true),
            int(w.database_id),
            int(i64::from(w.transaction.is_some())),
            int(w.isolation),
        ]
    });
    let databases = &q.moment.profile.databases;
    let database = databases.iter().find(|d| d.name == q.session.database).map_or(1, |d| d.id);
    let own = vec![
        int(q.session.spid),
        q.datetime(q.own.login_ms),
        text(&*q.session.host),
        text(&*q.session.program),
        text(&*q.session.user),
        text("running"),
        int4(q.own.cpu_us / 1000),
        int(q.own.logical_reads),
        int(0),
        int(0),
        int(1),
        q.datetime(q.moment.at_ms),
        q.datetime(q.moment.at_ms),
        Value::Bool(true),
        int(database),
        int(0),
        int(2),
    ];
    Table::new(&columns).with(others.chain([own]))
}
