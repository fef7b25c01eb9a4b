//! The last step of every answer: a hostile scenario may change it.

use super::types;
use crate::sim::{
    backend::{Column, Replies, Reply, Value},
    scenario::Kind,
    world::moment::Moment,
};

/// Durations that no server can have meant: 17.9 days for a request of seconds, as it was seen on a real one, and the
/// largest number that the column holds.
const ABSURD: [(&str, i64); 6] = [
    ("total_elapsed_time", 1_546_560_000),
    ("wait_time", 2_147_483_647),
    ("wait_duration_ms", 9_223_372_036_854_775_807),
    ("wait_time_ms", 9_223_372_036_854_775_807),
    ("estimated_completion_time", 9_223_372_036_854_775_807),
    ("secondary_lag_seconds", 9_223_372_036_854_775_807),
];

/// Appends a result set to the replies, as it is or as the scenario makes it. Some: rows without end.
pub fn reply(
    moment: &Moment<'_>,
    name: &str,
    columns: Vec<Column>,
    mut rows: Vec<Vec<Value>>,
    out: &mut Vec<Reply>,
) -> Option<Replies> {
    if moment.is(Kind::HostileNulls) {
        // the first column is the script's own constant
        rows.iter_mut().flat_map(|row| row.iter_mut().skip(1)).for_each(|value| *value = Value::Null);
    }
    if moment.is(Kind::HostileNegative) {
        for row in rows.iter_mut().step_by(3) {
            for (value, column) in row.iter_mut().zip(&columns).skip(1) {
                if let Value::Int(n) = value
                    && !column.name.ends_with("_id")
                {
                    *n = -n.saturating_abs();
                }
            }
        }
    }
    if moment.is(Kind::HostileDurations) && name != "waits" {
        for row in &mut rows {
            for (value, column) in row.iter_mut().zip(&columns).skip(1) {
                let absurd = ABSURD.iter().find(|(name, _)| *name == column.name);
                if let (Value::Int(_), Some((_, ms))) = (&value, absurd) {
                    *value = Value::Int(*ms);
                }
            }
        }
    }
    let many = rows.len() > 3;
    if moment.is(Kind::HostileEndless) && many && matches!(name, "waits" | "activity" | "counters") {
        out.push(Reply::Columns(columns));
        return Some(types::endless(rows));
    }
    let cut = moment.is(Kind::HostileCut) && many;
    let count = rows.len() as u64;
    out.push(Reply::Columns(columns));
    if cut {
        out.extend(rows.into_iter().take(2).map(Reply::Row));
        out.push(Reply::Cut { keep: 90 });
        return None;
    }
    out.extend(rows.into_iter().map(Reply::Row));
    out.push(Reply::Done(Some(count)));
    None
}
