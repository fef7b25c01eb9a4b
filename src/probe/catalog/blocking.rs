//! Blocking chains: the waiting tasks, and the sessions in each chain. The forest is the fold's business. The first round
//! trip counts blocked requests; all else is asked in a second one, only if something is blocked.

use super::activity::{CONNECTIONS, Extras, TRANSACTIONS, request};
use crate::{
    model::poll::{
        Sample,
        activity::blocker,
        blocking::{BlockedTask, ChainSession},
        cost::Tier,
        id::ProbeId,
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Part, Probe, Want, needed, optional},
        script::{Needs, Script, When, script},
        text,
    },
};
use std::collections::HashMap;

/// The number of blocked requests; the headline asks it too.
pub(super) const BLOCKED: Script = script!("blocked", Nothing, one row);
const BLOCKING: Script = script!("blocking", Performance, by "session_id" "blocking_session_id" "wait_type" "resource_description");
const CHAIN: Script = script!("chain", Performance, by "session_id" "request_id");
const INPUT_BUFFERS: Script = script!("input_buffers", Performance, by "session_id");

/// Longest resource description that is kept, in characters. The column has 3,072; what is read of it stands in front.
const RESOURCE_CHARS: usize = 1_024;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[
        needed(BLOCKED),
        Part { script: BLOCKING, when: &[When::SecondTrip], needed: true },
        Part { script: CHAIN, when: &[When::SecondTrip], needed: true },
        optional(TRANSACTIONS, &[When::SecondTrip]),
        optional(CONNECTIONS, &[When::SecondTrip]),
        optional(INPUT_BUFFERS, &[When::SecondTrip, When::Has("dm_exec_input_buffer")]),
    ],
    second_trip: Some(is_blocked),
    rate: true,
    wants: &[Want::Right(Needs::Performance)],
    unknown_without: &[(Needs::Performance, "blocking")],
    panes: &["blocking"],
    ..Probe::new(ProbeId::Blocking, Tier::Fast, decode)
};

/// True if `blocked` says that the chain is worth a second round trip.
fn is_blocked(sets: &Sets) -> bool {
    blocked_requests(sets).is_some_and(|n| n > 0)
}

/// The number of blocked requests. None: it was not told.
pub(super) fn blocked_requests(sets: &Sets) -> Option<i64> {
    sets.all("blocked").next()?.count("blocked_requests")
}

/// `blocked`, and if something is: `blocking`, `chain`, and the optional ones.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let test = sets.one("blocked")?;
    if ctx.sees_all().is_none() && test.count("requests_seen").is_some_and(|n| n <= 1) {
        // A server always has requests of its own: we see but ours, and "nothing blocked" would be a lie.
        return Err(Unavailable::NoRight(Needs::Performance.right(ctx.major()).into()));
    }
    if !is_blocked(sets) {
        return Ok(Sample::Blocking { tasks: Vec::new(), sessions: Vec::new() });
    }
    let extras = Extras::of(sets);
    let buffers: HashMap<_, _> =
        sets.all("input_buffers").filter_map(|r| Some((r.i32("session_id")?, r))).collect();
    let sessions: Vec<_> = sets
        .many("chain")?
        .filter_map(|row| {
            let request = request(row, &extras, ctx)?;
            let last_statement = if request.statement.is_some() {
                None
            } else {
                let buffer = buffers.get(&request.session_id);
                let buffer = buffer
                    .and_then(|r| Some(text::statement_of(r.raw_text("event_info")?, r.count("full_chars"))));
                buffer.or_else(|| ctx.texts.statement(extras.last_handle(request.session_id)?, None, None))
            };
            Some(ChainSession { request, last_statement })
        })
        .collect();
    // By session; None: of one of its requests nobody knows.
    let mut runs_ms: HashMap<i32, Option<i64>> = HashMap::new();
    for request in sessions.iter().map(|s: &ChainSession| &s.request) {
        let longest = runs_ms.entry(request.session_id).or_insert(Some(0));
        *longest = longest.zip(request.elapsed_ms).map(|(a, b)| a.max(b));
    }
    let clock = ctx.clock();
    let tasks = sets.many("blocking")?.filter_map(|row| {
        let session_id = row.i32("session_id")?;
        let wait_type = row.line("wait_type", 60);
        // No task waits for longer than its request runs.
        let runs_ms = runs_ms.get(&session_id).copied().flatten();
        let wait_ms = clock.within(row.i64("wait_duration_ms"), runs_ms);
        let told = row.i32("blocking_session_id");
        let named = row.raw_text("resource_description").and_then(|r| ctx.objects.name(r));
        Some(BlockedTask {
            session_id,
            blocked_by: blocker(session_id, told, wait_type.as_deref(), wait_ms)?,
            wait_type,
            wait_ms,
            resource: row.line("resource_description", RESOURCE_CHARS),
            object: named.clone().and_then(Result::ok),
            unnamed: named.and_then(Result::err),
        })
    });
    Ok(Sample::Blocking { tasks: tasks.collect(), sessions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::statement::Statement,
        probe::fixture::{set, sets, text},
        tds::{Cell, ResultSet},
    };

    fn test_row(seen: i64, blocked: i64) -> ResultSet {
        set(
            "blocked",
            &["requests_seen", "blocked_requests"],
            vec![vec![Cell::Int(seen), Cell::Int(blocked)]],
        )
    }

    #[test]
    fn nothing_blocked_is_said_only_by_who_can_see() {
        let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
        let calm = decode(&sets(vec![test_row(40, 0)]), &ctx).unwrap();
        assert!(
            matches!(calm, Sample::Blocking { tasks, sessions } if tasks.is_empty() && sessions.is_empty())
        );
        let blind = decode(&sets(vec![test_row(1, 0)]), &ctx).unwrap_err();
        assert_eq!(blind, Unavailable::NoRight("VIEW SERVER STATE".into()));
    }

    #[test]
    fn waits_for_latches_that_nobody_owns_are_no_chain() {
        let row = |who, by, wait: &str, ms| vec![Cell::Int(who), Cell::Int(by), text(wait), Cell::Int(ms)];
        let told = vec![
            row(57, -5, "PAGEIOLATCH_SH", 4),
            row(58, -4, "LATCH_EX", 90_000),
            row(59, 59, "CXPACKET", 90_000),
            row(60, 57, "PAGELATCH_EX", 2),
            row(61, -2, "LCK_M_S", 4),
        ];
        let tasks = ["session_id", "blocking_session_id", "wait_type", "wait_duration_ms"];
        let requests = ["session_id", "blocking_session_id", "wait_type", "wait_time"];
        let sets =
            sets(vec![test_row(40, 5), set("blocking", &tasks, told.clone()), set("chain", &requests, told)]);
        let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
        let Ok(Sample::Blocking { tasks, sessions }) = decode(&sets, &ctx) else { panic!() };
        assert_eq!(tasks.iter().map(|t| (t.session_id, t.blocked_by)).collect::<Vec<_>>(), [(61, -2)]);
        let blocked: Vec<_> = sessions.iter().filter_map(|s| s.request.blocked_by).collect();
        assert_eq!(blocked, [-2]);
    }

    #[test]
    fn a_wait_of_a_request_whose_age_nobody_knows_is_not_believed_blindly() {
        let waits = |wait_ms: i64, elapsed: Cell| {
            let tasks = ["session_id", "blocking_session_id", "wait_type", "wait_duration_ms"];
            let row = vec![Cell::Int(57), Cell::Int(88), text("LCK_M_S"), Cell::Int(wait_ms)];
            let chain = vec![vec![Cell::Int(57), elapsed], vec![Cell::Int(88), Cell::Null]];
            let answer = sets(vec![
                test_row(40, 1),
                set("blocking", &tasks, vec![row]),
                set("chain", &["session_id", "total_elapsed_time"], chain),
            ]);
            let ctx = ProbeContext::new(crate::model::base::time::Timestamp::default);
            let Ok(Sample::Blocking { tasks, .. }) = decode(&answer, &ctx) else { panic!() };
            tasks[0].wait_ms
        };
        assert_eq!(waits(9_000, Cell::Null), Some(9_000));
        assert_eq!(waits(i64::MAX, Cell::Null), None);
        assert_eq!(waits(i64::MAX, Cell::Int(7_000)), Some(7_000), "no longer than its request");
    }

    #[test]
    fn a_sleeping_head_shows_what_it_sent_last() {
        let tasks = set(
            "blocking",
            &["session_id", "blocking_session_id", "wait_type", "wait_duration_ms"],
            vec![
                vec![Cell::Int(57), Cell::Int(88), text("LCK_M_S"), Cell::Int(312_000)],
                vec![Cell::Null, Cell::Int(88)],
            ],
        );
        let chain = set(
            "chain",
            &["session_id", "status", "blocking_session_id"],
            vec![
                vec![Cell::Int(57), text("suspended"), Cell::Int(88)],
                vec![Cell::Int(88), text("sleeping"), Cell::Null],
            ],
        );
        let buffers = set(
            "input_buffers",
            &["session_id", "event_info"],
            vec![vec![Cell::Int(88), text("update t\u{1b} set x = 1")]],
        );
        let sets = sets(vec![test_row(40, 1), tasks, chain, buffers]);
        let Ok(Sample::Blocking { tasks, sessions }) =
            decode(&sets, &ProbeContext::new(crate::model::base::time::Timestamp::default))
        else {
            panic!()
        };
        assert_eq!((tasks.len(), tasks[0].blocked_by, tasks[0].wait_ms), (1, 88, Some(312_000)));
        assert_eq!(sessions[0].request.blocked_by, Some(88));
        let head = &sessions[1];
        assert_eq!(head.request.command, None);
        assert_eq!(head.last_statement.as_ref().map(Statement::as_str), Some("update t set x = 1"));
    }
}
