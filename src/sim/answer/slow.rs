//! Answers that change slowly: availability groups, volumes, Agent jobs.

use super::{
    asked::{Answer, Asked},
    table::{Table, int, opt, text},
};
use crate::sim::{
    backend::{
        ColumnType::{BigInt, Bit, DateTimeOffset, Int, NVarChar},
        Value,
    },
    world::availability::Replica,
};
use chrono::{DateTime, Datelike, Timelike};

/// The scripts that are answered here.
pub const ANSWERS: &[Answer] = &[
    ("availability", availability),
    ("cms", registered),
    ("jobs", jobs),
    ("resolve_job", resolve_job),
    ("volumes", volumes),
];

/// Databases of availability groups.
pub fn availability(q: &Asked<'_>) -> Table {
    let columns = [
        ("replica_id", NVarChar(36)),
        ("group_database_id", NVarChar(36)),
        ("group_name", NVarChar(128)),
        ("database_name", NVarChar(128)),
        ("replica_server_name", NVarChar(256)),
        ("is_local", Bit),
        ("role_desc", NVarChar(60)),
        ("connected_state_desc", NVarChar(60)),
        ("synchronization_state_desc", NVarChar(60)),
        ("is_suspended", Bit),
        ("suspend_reason_desc", NVarChar(60)),
        ("secondary_lag_seconds", BigInt),
        ("log_send_queue_size", BigInt),
        ("redo_queue_size", BigInt),
    ];
    Table::new(&columns).with(q.moment.replicas().iter().map(|r| replica(q, r)))
}

fn replica(q: &Asked<'_>, r: &Replica) -> Vec<Value> {
    let named = |name: &str| opt(q.rights.definition.then_some(name), text);
    let state = if !r.connected {
        "NOT SYNCHRONIZING"
    } else if r.reverting {
        "REVERTING"
    } else if r.synchronous && r.lag_s.is_some_and(|s| s < 5) {
        "SYNCHRONIZED"
    } else {
        "SYNCHRONIZING"
    };
    // the queues of a disconnected replica are not known; the primary has none
    let figure = |n: i64| opt((r.connected && !r.is_primary).then_some(n), int);
    let id = |bytes: [u8; 16]| text(format!("{:032X}", u128::from_be_bytes(bytes)));
    vec![
        id(r.replica_id),
        id(q.moment.profile.dice.of(&r.database).bytes::<16>()),
        named(&r.group),
        text(&*r.database),
        named(&r.server),
        Value::Bool(r.is_local),
        text(if r.is_primary { "PRIMARY" } else { "SECONDARY" }),
        text(if r.connected { "CONNECTED" } else { "DISCONNECTED" }),
        text(state),
        Value::Bool(false),
        Value::Null,
        opt(r.lag_s.filter(|_| r.connected && !r.is_primary), int),
        figure(r.send_queue_kb),
        figure(r.redo_queue_kb),
    ]
}

/// Volumes with database files. Linux tells no mount point, but the folders of the files: each volume has one.
pub fn volumes(q: &Asked<'_>) -> Table {
    let columns = [
        ("volume_mount_point", NVarChar(256)),
        ("folder", NVarChar(260)),
        ("first_database_id", Int),
        ("total_bytes", BigInt),
        ("available_bytes", BigInt),
    ];
    let is_linux = q.moment.profile.linux;
    let files = q.moment.files();
    let rows = q.moment.volumes().into_iter().filter(|_| q.rights.definition).map(|v| {
        let first =
            files.iter().filter(|file| file.path.starts_with(&v.mount)).map(|file| file.database_id).min();
        vec![
            opt((!is_linux).then(|| v.mount.clone()), text),
            opt(is_linux.then(|| v.mount.clone()), text),
            opt(first, int),
            int(v.total_bytes),
            int(v.free_bytes),
        ]
    });
    Table::new(&columns).with(rows)
}

/// Jobs whose last run failed since yesterday.
pub fn jobs(q: &Asked<'_>) -> Table {
    let columns = [
        ("server_time", DateTimeOffset(7)),
        ("job_name", NVarChar(128)),
        ("step_name", NVarChar(128)),
        ("last_run_date", Int),
        ("last_run_time", Int),
        ("message", NVarChar(4000)),
    ];
    let jobs = q.moment.jobs();
    let failed = jobs.iter().filter(|j| j.run_status == 0 && q.moment.at_ms - j.ran_ms < 86_400_000);
    let rows = failed.map(|j| {
        let (date, time) = agent_time(q.moment.local_ns(j.ran_ms));
        vec![q.now(), text(q.moment.job_name(j)), text(j.step), int(date), int(time), text(&*j.message)]
    });
    Table::new(&columns).with(rows)
}

/// Names of a job and its step, by the id of the job.
pub fn resolve_job(q: &Asked<'_>) -> Table {
    let params: Vec<&Value> = q.params.iter().map(|param| &param.value).collect();
    let jobs = q.moment.jobs();
    let rows = jobs.iter().filter_map(|job| {
        let [Value::Bytes(id), step] = &params[..] else { return None };
        let is_step = **step == Value::Int(job.step_id.into());
        let step = if is_step { text(job.step) } else { Value::Null };
        (id[..] == job.id).then(|| vec![text(q.moment.job_name(job)), step])
    });
    Table::new(&[("job_name", NVarChar(128)), ("step_name", NVarChar(128))]).with(rows)
}

/// The registered servers of every instance as a Central Management Server: one in a folder, and one beside it.
pub fn registered(_: &Asked<'_>) -> Table {
    let columns = [
        ("kind", NVarChar(6)),
        ("server_group_id", Int),
        ("parent_id", Int),
        ("name", NVarChar(128)),
        ("server_name", NVarChar(128)),
        ("description", NVarChar(2048)),
        ("server_type", Int),
    ];
    let group = |id: i32, parent: Option<i32>, name: &str| {
        let nothing = || opt(None::<i32>, int);
        vec![text("group"), int(id), opt(parent, int), text(name), nothing(), nothing(), int(0)]
    };
    let server = |folder: i32, name: &str, address: &str, words: &str| {
        let nothing = opt(None::<i32>, int);
        vec![text("server"), int(folder), nothing, text(name), text(address), text(words), int(0)]
    };
    let rows = [
        group(1, None, "DatabaseEngineServerGroup"),
        group(6, Some(1), "Branches"),
        server(6, "branch-1", r"192.0.2.1\SHOP", "the till"),
        server(1, "archive", "192.0.2.2,1444", ""),
    ];
    Table::new(&columns).with(rows.into_iter())
}

/// Local time as the Agent writes it: 20260131 and 93005.
fn agent_time(local_ns: i128) -> (i32, i32) {
    let at = DateTime::from_timestamp_nanos(i64::try_from(local_ns).unwrap_or_default());
    let date = at.year() * 10_000 + at.month() as i32 * 100 + at.day() as i32;
    (date, (at.hour() * 10_000 + at.minute() * 100 + at.second()) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agent_times_are_decimal_digits() {
        assert_eq!(agent_time(1_769_852_405_000_000_000), (20_260_131, 94_005));
    }
}
