//! The way to a session: name and TCP, TLS and login, session set-up, each with its permit. Used by the polls of an instance and
//! by its on-demand lane.

use super::{
    driver::{Driver, Session},
    live_config::LiveConfig,
    permits::Priority,
    secrets::SecretCell,
    shared::Shared,
};
use crate::{
    model::{
        base::failure::{Failure, FailureKind},
        inventory::instance::Target,
    },
    probe::ProbeContext,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Session set-up gets what is left of the time to connect, and no less than this.
const LEAST_SET_UP: Duration = Duration::from_secs(2);

/// Connects and sets the session up.
///
/// # Errors
/// The step that failed, in words.
pub(super) async fn connect<D: Driver>(
    shared: &Shared<D>,
    target: &Target,
    secret: &SecretCell,
    (live, priority): (Arc<LiveConfig>, Priority),
    ctx: &mut ProbeContext,
) -> Result<D::Session, Failure> {
    shared.meter.connect();
    let password = secret.get().await?;
    let within = live.settings.connect_within;
    let permit = live.dials.acquire(priority).await;
    let started = Instant::now();
    let dialed = permit.run(shared.driver.dial(target, within / 2)).await?;
    let left = within.saturating_sub(started.elapsed());
    let permit = live.handshakes.acquire(priority).await;
    let session = permit.run(shared.driver.login(dialed, target, &password, left)).await;
    if session.as_ref().is_err_and(|f| f.kind == FailureKind::Login) {
        secret.refused();
    }
    let mut session = session?;
    let permit = live.queries.acquire(priority).await;
    let left = within.saturating_sub(started.elapsed()).max(LEAST_SET_UP);
    match tokio::time::timeout(left, permit.run(session.prepare(ctx))).await {
        Ok(prepared) => prepared.map(|()| session),
        Err(_) => Err(Failure::new(FailureKind::Timeout, "session set-up: logged in, but no answer in time")),
    }
}
