//! Answers about blocking, and about texts and names on demand.

use super::{
    asked::{Answer, Asked},
    handle::Handle,
    sessions::blocker,
    table::{Table, int, opt, text},
};
use crate::sim::{
    backend::{
        ColumnType::{BigInt, Bit, DateTimeOffset, Int, NVarChar, NVarCharMax, SmallInt, VarBinary},
        Value,
    },
    world::trouble::{TABLE_HOBT, TABLE_ID},
};

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] = &[
    ("blocked", blocked),
    ("blocking", blocking),
    ("input_buffers", input_buffers),
    ("resolve_hobt", resolve),
    ("resolve_object", resolve),
    ("texts", texts),
];

/// The most characters of a text that the scripts ask for.
const CUT_CHARS: usize = 262_144;

/// The number of blocked requests.
pub fn blocked(q: &Asked<'_>) -> Table {
    let engine = if q.rights.performance { 24 + i64::from(q.moment.profile.cpus) } else { 0 };
    let blocked = q.running().filter(|w| blocker(w).is_some()).count() as i64;
    Table::one(vec![
        ("server_time", DateTimeOffset(7), q.now()),
        ("requests_seen", Int, int(engine + q.running().count() as i64 + 1)),
        ("blocked_requests", Int, int(blocked)),
    ])
}

/// Tasks that wait for another session.
pub fn blocking(q: &Asked<'_>) -> Table {
    let columns = [
        ("session_id", SmallInt),
        ("blocking_session_id", SmallInt),
        ("wait_type", NVarChar(60)),
        ("wait_duration_ms", BigInt),
        ("resource_description", NVarChar(3072)),
    ];
    let rows = q.running().filter_map(|w| {
        let (wait, by) = (w.wait.as_ref()?, blocker(w)?);
        Some(vec![int(w.spid), int(by), text(&*wait.kind), int(wait.ms), text(&*wait.description)])
    });
    Table::new(&columns).with(rows)
}

/// Last statements of sleeping blockers.
pub fn input_buffers(q: &Asked<'_>) -> Table {
    let blockers: Vec<i32> = q.visible().iter().filter_map(blocker).collect();
    let heads = q.visible().iter().filter(|w| w.slept_since_ms.is_some() && blockers.contains(&w.spid));
    let rows = heads.map(|w| {
        let units = Handle { text: w.text, database_id: w.database_id }.server_text(q.moment).units;
        vec![int(w.spid), int(units.len() as i64), Value::Utf16(units.into_iter().take(CUT_CHARS).collect())]
    });
    Table::new(&[("session_id", SmallInt), ("full_chars", Int), ("event_info", NVarCharMax)]).with(rows)
}

/// Texts of the handles in the parameters.
pub fn texts(q: &Asked<'_>) -> Table {
    let columns = [
        ("sql_handle", VarBinary(64)),
        ("objectid", Int),
        ("encrypted", Bit),
        ("full_chars", Int),
        ("batch_text", NVarCharMax),
    ];
    let handles = q.params.iter().filter_map(|p| match &p.value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    });
    let rows = handles.map(|bytes| {
        let found = Handle::from_bytes(bytes, q.moment).map(|h| h.server_text(q.moment));
        let Some(found) = found else {
            return vec![Value::Bytes(bytes.clone()), Value::Null, Value::Null, Value::Null, Value::Null];
        };
        let full = found.units.len() as i64;
        vec![
            Value::Bytes(bytes.clone()),
            opt(found.object_id, int),
            Value::Bool(false),
            int(full),
            Value::Utf16(found.units.into_iter().take(CUT_CHARS).collect()),
        ]
    });
    Table::new(&columns).with(rows)
}

/// The table behind an object id or a b-tree.
pub fn resolve(q: &Asked<'_>) -> Table {
    let columns =
        [("schema_name", NVarChar(128)), ("object_name", NVarChar(128)), ("index_name", NVarChar(128))];
    let ids = [TABLE_HOBT, i64::from(TABLE_ID)].map(Value::Int);
    let known = q.rights.definition && q.params.iter().any(|p| ids.contains(&p.value));
    let theme = q.moment.profile.theme;
    let (schema, table) = theme.table.split_once('.').unwrap_or(("dbo", theme.table));
    let table = table.trim_matches(['[', ']']);
    let row = vec![text(schema), text(table), text(format!("PK_{table}"))];
    Table::new(&columns).with(known.then_some(row).into_iter())
}
