//! Tests of connections and of the rights that logins lack. Used by the inventory service, `instance test` and `doctor`. Grants
//! nothing.

use crate::{
    app::clock,
    collect::{Resolver, Secrets},
    config::secret,
    model::{
        base::failure::{Failure, FailureKind},
        inventory::{
            check::{ConnectionReport, State},
            doctor::Diagnosis,
            instance::Target,
        },
    },
    probe::doctor::examine,
    tds::{self, Roots},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet};

/// Name, TCP, TLS, login and version together.
const WITHIN: Duration = Duration::from_secs(10);
/// Tests that run at the same time.
const AT_ONCE: usize = 16;
/// Time for closing a connection; a slow one is dropped.
const CLOSE_WITHIN: Duration = Duration::from_millis(200);

/// One instance: its connection, and its rights if it came to that.
pub struct Tested {
    /// the connection, step by step
    pub report: ConnectionReport,
    /// None: it was not reached
    pub rights: Option<Result<Diagnosis, Failure>>,
}

impl Tested {
    /// Examines what the login may see.
    ///
    /// # Errors
    /// The instance was not reached, or does not tell.
    pub fn into_rights(self) -> Result<Diagnosis, Failure> {
        let Self { report, rights } = self;
        rights.unwrap_or_else(|| Err(why_not(&report)))
    }
}

/// Tests all of them, some at once, and returns the results in the same order.
pub async fn run(targets: Vec<Target>) -> Vec<Tested> {
    let mut tested: Vec<(usize, Tested)> = start(targets).join_all().await;
    tested.sort_by_key(|(index, _)| *index);
    tested.into_iter().map(|(_, one)| one).collect()
}

/// Starts to test all of them, some at once; each result comes with the place of its target in the list.
pub fn start(targets: Vec<Target>) -> JoinSet<(usize, Tested)> {
    let resolver: Resolver = Arc::new(secret::resolve);
    let mut secrets = Secrets::new(resolver, clock::now);
    let roots = Roots::load();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (index, target) in targets.into_iter().enumerate() {
        let secret = secrets.cell(&target.auth);
        let (roots, places) = (roots.clone(), Arc::clone(&places));
        tasks.spawn(async move {
            // Nobody closes it; without a place the test would only run earlier.
            let _place = places.acquire_owned().await;
            let (report, conn) = tds::check(&target, secret.get().await, &roots, WITHIN, clock::now).await;
            let mut rights = None;
            if let (Some(mut conn), Some(server)) = (conn, report.server.done()) {
                rights = Some(examine(&mut conn, &target.info.id, server).await);
                conn.close(CLOSE_WITHIN).await;
            }
            (index, Tested { report, rights })
        });
    }
    tasks
}

/// The step at which a connection failed.
fn why_not(report: &ConnectionReport) -> Failure {
    let failed = report.lines().into_iter().find(|line| line.state == State::Failed);
    let words = failed
        .map_or_else(|| "it was not reached".to_owned(), |line| format!("{}: {}", line.step, line.words));
    Failure::new(FailureKind::Unreachable, words)
}
