//! Decoders of slow things: availability groups, volumes, failed jobs.

use super::many;
use crate::{
    model::{
        reading::Unavailable,
        sample::{FailedJobRow, ReplicaRow, Sample, VolumeRow},
        time::Timestamp,
    },
    probe::{batch::Sets, context::ProbeContext, registry::Needs},
    tds::Row,
};

/// Longest message of a job that is kept, in characters.
const MESSAGE_CHARS: usize = 1_000;

/// `availability`.
pub fn availability(sets: &Sets, _ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let rows = many(sets, "availability")?.map(|row| ReplicaRow {
        group: row.name("group_name"),
        database: row.name("database_name"),
        replica: row.name("replica_server_name"),
        is_local: row.bool("is_local"),
        role: row.name("role_desc"),
        state: row.name("synchronization_state_desc"),
        suspended: row.bool("is_suspended"),
        lag_s: row.count("secondary_lag_seconds"),
        send_queue_kb: row.count("log_send_queue_size"),
        redo_queue_kb: row.count("redo_queue_size"),
    });
    Ok(Sample::Availability(rows.collect()))
}

/// `volumes`. Every instance has files: no row means that we may not see them.
pub fn volumes(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let rows: Vec<_> = many(sets, "volumes")?
        .map(|row| VolumeRow {
            mount: row.line("volume_mount_point", 260),
            total_bytes: row.count("total_bytes").filter(|b| *b > 0),
            free_bytes: row.count("available_bytes"),
        })
        .collect();
    if rows.is_empty() {
        return Err(Unavailable::NoRight(Needs::Definition.right(ctx.major()).into()));
    }
    Ok(Sample::Volumes(rows))
}

/// `jobs`.
pub fn jobs(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let rows = many(sets, "jobs")?.map(|row| FailedJobRow {
        job: row.name("job_name"),
        step: row.name("step_name"),
        at: agent_time(row, ctx),
        message: row.line("message", MESSAGE_CHARS),
    });
    Ok(Sample::Jobs(rows.collect()))
}

/// The Agent's integers, such as 20260131 and 93005 for 09:30:05, in server-local time.
fn agent_time(row: Row<'_>, ctx: &ProbeContext) -> Option<Timestamp> {
    let (date, time) = (row.i32("last_run_date")?, row.i32("last_run_time")?);
    let part = |n: i32| u32::try_from(n).ok();
    let local = chrono::NaiveDate::from_ymd_opt(date / 10_000, part(date / 100 % 100)?, part(date % 100)?)?
        .and_hms_opt(part(time / 10_000)?, part(time / 100 % 100)?, part(time % 100)?)?;
    let offset_ms = i64::from(ctx.offset_min()?) * 60_000;
    Some(Timestamp::from_ms(local.and_utc().timestamp_millis() - offset_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::decode::fixture::{set, sets, text},
        tds::Cell,
    };

    #[test]
    fn the_agents_integers_become_utc() {
        let row = |date, time| {
            vec![
                Cell::Instant { utc_ms: 1_769_850_000_000, offset_min: 120 },
                text("backup"),
                Cell::Int(date),
                Cell::Int(time),
            ]
        };
        let columns = ["server_time", "job_name", "last_run_date", "last_run_time"];
        let answer =
            sets(vec![set("jobs", &columns, vec![row(20_260_131, 93_005), row(20_261_399, 0), row(-1, -1)])]);
        let mut ctx = ProbeContext::new();
        ctx.note_clock(&answer, Timestamp::from_ms(0));
        let Ok(Sample::Jobs(jobs)) = jobs(&answer, &ctx) else { panic!() };
        assert_eq!(jobs[0].at, Some(Timestamp::from_ms(1_769_844_605_000)), "2026-01-31 07:30:05 UTC");
        assert_eq!((jobs[1].at, jobs[2].at), (None, None));
    }

    #[test]
    fn no_volume_at_all_is_a_missing_right() {
        let empty = sets(vec![set("volumes", &["volume_mount_point"], vec![])]);
        let refused = volumes(&empty, &ProbeContext::new()).unwrap_err();
        assert_eq!(refused, Unavailable::NoRight("VIEW ANY DEFINITION".into()));
    }
}
