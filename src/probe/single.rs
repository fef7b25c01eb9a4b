//! One script that is asked by itself, on demand. Called by `demand` and `room`.

use super::{
    batch::{self, Sets},
    context::ProbeContext,
    script::{Needs, Script},
};
use crate::{
    model::base::failure::{Failure, FailureKind},
    tds::{Ask, Param, Question},
};
use std::time::Duration;

/// Asks a script.
///
/// # Errors
/// No right, no answer in time, or no result set: in words.
pub(super) async fn ask<C: Ask>(
    conn: &mut C,
    script: Script,
    params: &[Param<'_>],
    within: Duration,
    ctx: &ProbeContext,
) -> Result<Sets, Failure> {
    let sql = batch::statement(script.text);
    let answer = conn.ask(Question { what: script.name, sql, params, within }).await;
    let sets = Sets::of(answer.sets, &[script]);
    match answer.error {
        Some(failure) if failure.kind == FailureKind::Permission && script.needs != Needs::Nothing => {
            let text = format!("the login lacks {}", script.needs.right(ctx.major()));
            Err(Failure { text: text.into(), ..failure })
        }
        Some(failure) => Err(failure),
        None if sets.has(script.name) => Ok(sets),
        None => Err(Failure::new(
            FailureKind::Protocol,
            format!("the answer lacks the result set of {}", script.name),
        )),
    }
}
