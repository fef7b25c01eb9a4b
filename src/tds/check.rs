//! A test of one connection, step by step, for a person who adds an instance. It polls nothing and keeps nothing.

use super::{
    Ask, Connection, Question, Roots, Row,
    budget::{Budget, Budgeted},
    dial::{self, dial},
    error, secure,
};
use crate::model::{
    base::{
        failure::{Failure, FailureKind},
        secret::Secret,
        time::Timestamp,
    },
    inventory::{
        check::{ConnectionReport, ServerFacts, Step, TlsFacts},
        instance::Target,
    },
};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The oldest version that is watched: 2016.
const OLDEST_MAJOR: i32 = 13;
/// Engine editions of the cloud: their version is 12 and they are always the newest.
const CLOUD: [i32; 4] = [5, 8, 9, 11];
/// The most bytes of an answer: certificates and a few packets.
const LOOK_BYTES: usize = 1 << 20;
/// The number of short questions; the quickest answer is the latency of the line.
const PINGS: u32 = 3;

const WHO: &str = include_str!("../../tsql/check.sql");

/// Tests a connection within `within`, all steps together. `now` is our wall clock, which the server's is compared with. A connection comes back if the login worked and the server
/// is one that can be watched, so that its rights can be asked next.
pub async fn check(
    target: &Target,
    secret: Result<Secret, Failure>,
    roots: &Roots,
    within: Duration,
    now: fn() -> Timestamp,
) -> (ConnectionReport, Option<Connection>) {
    let mut report = ConnectionReport::new(target.info.id.clone(), target.info.address.clone());
    let deadline = Instant::now() + within;
    let connection = steps(&mut report, target, secret, roots, (deadline, within)).await;
    let Some(mut connection) = connection else { return (report, None) };
    ask_server(&mut report, &mut connection, deadline, now).await;
    let is_watchable = report.server.done().is_some();
    (report, is_watchable.then_some(connection))
}

/// The certificate of a server, for trust on first use: the person who sees it decides. No login is sent.
///
/// # Errors
/// The reason why there is none, in a sentence.
pub async fn look(target: &Target, roots: &Roots, within: Duration) -> Result<TlsFacts, Failure> {
    let deadline = Instant::now() + within;
    let dialed = dial(target, within).await?;
    let shown = dialed.shown(&target.info.address);
    let socket = Budgeted::new(dialed.tcp, Budget::new(LOOK_BYTES));
    let looked = timeout_at(deadline, secure::look(socket, target, roots)).await;
    looked.map_or_else(|_| Err(error::handshake_timeout(&shown)), |found| found.map_err(secure::Broken::told))
}

/// Does the steps until one fails; None then.
async fn steps(
    report: &mut ConnectionReport,
    target: &Target,
    secret: Result<Secret, Failure>,
    roots: &Roots,
    (deadline, within): (Instant, Duration),
) -> Option<Connection> {
    let shown = &*target.info.address;
    let found = dial::resolve_within(&target.endpoint, within).await;
    let addresses = settle(&mut report.name, found, Clone::clone)?;

    let began = Instant::now();
    let left = deadline.saturating_duration_since(began);
    let dialed = dial::connect(&addresses, target.multi_subnet_failover, shown, left).await;
    let dialed = settle(&mut report.tcp, dialed, |_| ms(began))?;
    let shown = &*dialed.shown(shown);

    let protecting = dialed.protect(target, &target.endpoint.host, roots);
    let protected = match timeout_at(deadline, protecting).await {
        Ok(Ok(protected)) => Ok(protected),
        Ok(Err(broken)) => {
            report.certificate = broken.certificate;
            report.refusal = broken.refusal;
            Err(broken.failure)
        }
        Err(_) => Err(error::handshake_timeout(shown)),
    };
    let protected = settle(&mut report.tls, protected, |p| p.tls.clone())?;
    report.certificate = protected.tls.as_ref().and_then(|tls| tls.certificate.clone());

    let began = Instant::now();
    let login = async { protected.login(target, &secret?, roots).await };
    let login = timeout_at(deadline, login).await;
    let login = login.unwrap_or_else(|_| Err(error::handshake_timeout(shown)));
    settle(&mut report.login, login, |_| ms(began))
}

/// Notes how a step ended; returns the result that the next step needs.
fn settle<T, F>(step: &mut Step<F>, ended: Result<T, Failure>, found: impl FnOnce(&T) -> F) -> Option<T> {
    match ended {
        Ok(value) => {
            *step = Step::Done(found(&value));
            Some(value)
        }
        Err(failure) => {
            *step = Step::Failed(failure);
            None
        }
    }
}

/// Version, latency and clock, in a few round trips of one question.
async fn ask_server(
    report: &mut ConnectionReport,
    connection: &mut Connection,
    deadline: Instant,
    now: fn() -> Timestamp,
) {
    let mut best: Option<(Duration, i64)> = None;
    for _ in 0..PINGS {
        let sent = now();
        let began = Instant::now();
        let within = deadline.saturating_duration_since(began);
        let question = Question { what: "version and clock", sql: WHO, params: &[], within };
        let answer = connection.ask(question).await;
        let took = began.elapsed();
        let row = answer.sets.first().filter(|set| set.complete).and_then(super::ResultSet::first);
        let Some(row) = row else {
            let nothing = || {
                Failure::new(FailureKind::Protocol, "the server answers a question about itself with nothing")
            };
            report.server = Step::Failed(answer.error.unwrap_or_else(nothing));
            return;
        };
        if report.server == Step::NotReached {
            report.server = watchable(facts(row));
        }
        let half_ms = i64::try_from(took.as_millis() / 2).unwrap_or(i64::MAX);
        let skew = row.instant("server_time").map_or(0, |(at, _)| at - sent.plus_ms(half_ms));
        if best.is_none_or(|(known, _)| took < known) {
            best = Some((took, skew));
        }
        if matches!(report.server, Step::Failed(_)) {
            return;
        }
    }
    if let Some((took, skew)) = best {
        report.latency = Step::Done(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        report.skew = Step::Done(skew);
    }
}

fn facts(row: Row<'_>) -> ServerFacts {
    ServerFacts {
        version: row.name("product_version"),
        major: row.name("product_version").and_then(|v| v.split('.').next()?.parse().ok()),
        edition: row.name("edition"),
        engine_edition: row.i32("engine_edition"),
        login: row.name("login_name"),
    }
}

/// 2016 or later, or Azure.
fn watchable(facts: ServerFacts) -> Step<ServerFacts> {
    let cloud = facts.engine_edition.is_some_and(|edition| CLOUD.contains(&edition));
    let version = facts.version.as_deref().unwrap_or("an unknown version");
    match facts.major {
        Some(major) if major >= OLDEST_MAJOR || cloud => Step::Done(facts),
        Some(_) => Step::Failed(Failure::new(
            FailureKind::Config,
            format!("this is SQL Server {version}; dbtop watches 2016 (13.0) and later"),
        )),
        None => Step::Failed(Failure::new(
            FailureKind::Protocol,
            format!("the server does not say which version it is ({version}); is this a SQL Server?"),
        )),
    }
}

fn ms(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}
