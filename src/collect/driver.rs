//! The seam between the collector and a server: dial, log in, poll. [`Tds`] is the real one; tests bring a server made
//! of answers, so that time-tables and failures can be played under paused time.

use crate::{
    model::{
        base::{failure::Failure, secret::Secret},
        inventory::instance::Target,
        poll::{
            demand::{Demand, Found},
            id::ProbeId,
        },
    },
    probe::{self, Polled, ProbeContext},
    tds::{self, Ask, Connection, Roots},
};
use std::{future::Future, time::Duration};

/// How instances are reached. One for the whole collector.
pub trait Driver: Send + Sync + 'static {
    /// A connection on which nothing was said yet.
    type Dialed: Send;
    /// A logged-in session.
    type Session: Session;

    /// Name and TCP. Cheap for us however long it takes.
    fn dial(
        &self,
        target: &Target,
        within: Duration,
    ) -> impl Future<Output = Result<Self::Dialed, Failure>> + Send;

    /// TLS and login: costs CPU on both sides.
    fn login(
        &self,
        dialed: Self::Dialed,
        target: &Target,
        secret: &Secret,
        within: Duration,
    ) -> impl Future<Output = Result<Self::Session, Failure>> + Send;
}

/// A logged-in session. Owned by one task; dropping it, or a future of it, closes the connection.
pub trait Session: Send + 'static {
    /// Session set-up, once after the login.
    fn prepare(&mut self, ctx: &mut ProbeContext) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Polls what is due; one outcome for each probe. Has its own deadlines.
    fn poll(&mut self, due: &[ProbeId], ctx: &mut ProbeContext) -> impl Future<Output = Vec<Polled>> + Send;

    /// Asks one question on demand. Has its own deadline.
    fn demand(
        &mut self,
        demand: Demand,
        ctx: &mut ProbeContext,
    ) -> impl Future<Output = Result<Found, Failure>> + Send;

    /// False once the connection must not be used any more.
    fn is_open(&self) -> bool;
}

/// Real servers.
pub struct Tds {
    roots: Roots,
}

impl Tds {
    /// `roots`: what the operating system trusts, read once at start.
    pub const fn new(roots: Roots) -> Self {
        Self { roots }
    }
}

impl Driver for Tds {
    type Dialed = tds::Dialed;
    type Session = Connection;

    async fn dial(&self, target: &Target, within: Duration) -> Result<tds::Dialed, Failure> {
        tds::dial(target, within).await
    }

    async fn login(
        &self,
        dialed: tds::Dialed,
        target: &Target,
        secret: &Secret,
        within: Duration,
    ) -> Result<Connection, Failure> {
        dialed.login(target, secret, &self.roots, within).await
    }
}

impl Session for Connection {
    async fn prepare(&mut self, ctx: &mut ProbeContext) -> Result<(), Failure> {
        probe::prepare(self, ctx).await
    }

    async fn poll(&mut self, due: &[ProbeId], ctx: &mut ProbeContext) -> Vec<Polled> {
        // Boxed: the state of a poll is needed for milliseconds, an instance's task would carry it for life.
        Box::pin(probe::poll(self, due, ctx)).await
    }

    async fn demand(&mut self, demand: Demand, ctx: &mut ProbeContext) -> Result<Found, Failure> {
        probe::demand(self, demand, ctx).await
    }

    fn is_open(&self) -> bool {
        Ask::is_open(self)
    }
}
