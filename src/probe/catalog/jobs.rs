//! Agent jobs whose last outcome within a day was a failure. They come three times as often as the other slow probes.

use crate::{
    model::{
        base::time::Timestamp,
        poll::{Sample, State, cost::Tier, id::ProbeId, jobs::FailedJobRow, reading::Unavailable},
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Company, Pace, Probe, Want, needed},
        script::{Needs, Script, script},
    },
    tds::Row,
};
use std::sync::Arc;

const JOBS: Script = script!("jobs", MsdbJobs, by "job_name");

/// Longest message of a job that is kept, in characters.
const MESSAGE_CHARS: usize = 1_000;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(JOBS)],
    pace: Pace::Faster(3),
    company: Company::Alone,
    timeout_ms: 10_000,
    wants: &[Want::Agent, Want::Right(Needs::MsdbJobs)],
    unknown_without: &[(Needs::MsdbJobs, "failed Agent jobs")],
    panes: &["jobs"],
    ..Probe::new(ProbeId::Jobs, Tier::Slow, decode)
};

fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let rows = sets.many("jobs")?.map(|row| FailedJobRow {
        job: row.name("job_name"),
        step: row.name("step_name"),
        at: agent_time(row, ctx),
        message: row.line("message", MESSAGE_CHARS),
    });
    Ok(Sample::Known(State::Jobs(Arc::new(rows.collect()))))
}

/// The Agent's integers, such as 20260131 and 93005 for 09:30:05, in server-local time.
fn agent_time(row: Row<'_>, ctx: &ProbeContext) -> Option<Timestamp> {
    let (date, time) = (row.i32("last_run_date")?, row.i32("last_run_time")?);
    let part = |n: i32| u32::try_from(n).ok();
    let local = chrono::NaiveDate::from_ymd_opt(date / 10_000, part(date / 100 % 100)?, part(date % 100)?)?
        .and_hms_opt(part(time / 10_000)?, part(time / 100 % 100)?, part(time % 100)?)?;
    let clock = ctx.clock();
    let offset_ms = i64::from(clock.offset_min?) * 60_000;
    let at = Timestamp::from_ms(local.and_utc().timestamp_millis() - offset_ms);
    clock.is_noted(at).then(|| clock.ours(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    #[test]
    fn the_agents_integers_become_utc() {
        let row = |date, time| {
            vec![
                Cell::Instant { utc_ms: 1_769_850_000_000, offset_min: 120 },
                text(&format!("backup {date}")),
                Cell::Int(date),
                Cell::Int(time),
            ]
        };
        let columns = ["server_time", "job_name", "last_run_date", "last_run_time"];
        let answer = sets(vec![set(
            "jobs",
            &columns,
            vec![
                row(20_260_131, 93_005),
                row(20_261_399, 0),
                row(-1, -1),
                row(20_260_201, 93_005),
                row(10_101, 93_005),
            ],
        )]);
        let mut ctx = ProbeContext::new(Timestamp::default);
        ctx.note_clock(&answer, Timestamp::from_ms(1_769_850_000_000));
        let Ok(Sample::Known(State::Jobs(jobs))) = decode(&answer, &ctx) else { panic!() };
        assert_eq!(jobs[0].at, Some(Timestamp::from_ms(1_769_844_605_000)), "2026-01-31 07:30:05 UTC");
        assert_eq!((jobs[1].at, jobs[2].at), (None, None));
        assert_eq!((jobs[3].at, jobs[4].at), (None, None), "tomorrow; the year 1");
    }
}
