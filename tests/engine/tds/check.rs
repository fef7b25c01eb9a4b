//! The test of a connection: what each step finds, where it stops, and that it ends in time whatever the server does.

use super::support::{Server, ask, one};
use crate::echo::PASSWORD;
use dbtop::{
    app::clock,
    model::{
        base::{
            failure::{Failure, FailureKind},
            secret::Secret,
        },
        inventory::{
            check::{ConnectionReport, State},
            instance::{Target, TlsMode},
        },
    },
    sim::{backend::Network, wire::EncryptionPolicy},
    tds::{Connection, Roots, check},
};
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(10);

async fn run(target: &Target, password: &str) -> (ConnectionReport, Option<Connection>) {
    check(target, Ok(Secret::new(password.to_owned())), &Roots::public(), WITHIN, clock::now).await
}

/// `ok ok failed …`, and the words of the step that failed.
fn told(report: &ConnectionReport) -> (Vec<&'static str>, String) {
    let lines = report.lines();
    let failed = lines.iter().find(|line| line.state == State::Failed);
    (
        lines.iter().map(|line| line.state.words()).collect(),
        failed.map(|line| format!("{}: {}", line.step, line.words)).unwrap_or_default(),
    )
}

const OK: &str = "ok";
const FAILED: &str = "failed";
const NOT: &str = "not reached";

#[tokio::test]
async fn a_good_connection_is_told_in_full_and_can_be_used_on() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let (report, conn) = run(&server.target(TlsMode::Verify), PASSWORD).await;
    assert_eq!(told(&report), (vec![OK; 7], String::new()));
    assert!(report.passed());
    let words: Vec<_> = report.lines().into_iter().map(|line| line.words).collect();
    assert_eq!(&*words[0], "127.0.0.1");
    assert!(
        words[2].starts_with("TLS 1.2, TLS_ECDHE") && words[2].contains("until 2099-01-01"),
        "{}",
        words[2]
    );
    assert_eq!(&*words[4], "16.0.4188.2, Developer Edition (64-bit)");
    let skew = *report.skew.done().unwrap();
    assert!((-130_000..-110_000).contains(&skew), "the server is two minutes behind: {skew}");
    assert!(words[6].contains("behind"), "{}", words[6]);
    assert_eq!(one(&ask(&mut conn.unwrap(), "select 7").await), Some(7));
    let strict = Server::start(EncryptionPolicy::Strict).await;
    let (report, _) = run(&strict.target(TlsMode::Strict), PASSWORD).await;
    assert_eq!(&*report.tls.done().unwrap().as_ref().unwrap().version, "TLS 1.3");
}

#[tokio::test]
async fn each_step_stops_the_ones_behind_it_and_says_why() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let good = || server.target(TlsMode::Verify);
    let mut unknown = good();
    unknown.endpoint.host = "no-such-host.invalid".into();
    let (report, _) = run(&unknown, PASSWORD).await;
    let (steps, why) = told(&report);
    assert_eq!(steps, [FAILED, NOT, NOT, NOT, NOT, NOT, NOT]);
    assert!(why.contains("no-such-host.invalid"), "{why}");

    let mut stranger = good();
    stranger.ca_file = None;
    let (report, _) = run(&stranger, PASSWORD).await;
    assert_eq!(told(&report).0, [OK, OK, FAILED, NOT, NOT, NOT, NOT]);
    let certificate = report.certificate.expect("it is shown, so that it can be pinned");
    assert!(certificate.issuer.contains("dbtop simulator CA"));

    let (report, conn) = run(&good(), "wrong").await;
    let (steps, why) = told(&report);
    assert_eq!(steps, [OK, OK, OK, FAILED, NOT, NOT, NOT]);
    assert!(why.contains("Login failed") && !why.contains("wrong"), "{why}");
    assert!(conn.is_none());

    let no_secret = Failure::new(FailureKind::Config, "password: the environment variable PW is not set");
    let (report, _) = check(&good(), Err(no_secret), &Roots::public(), WITHIN, clock::now).await;
    assert!(told(&report).1.starts_with("login") && told(&report).1.contains("PW"));
}

#[tokio::test]
async fn versions_before_2016_are_refused_in_words() {
    let server = Server::start(EncryptionPolicy::Required).await;
    for (version, word) in
        [("12.0.6024.0", "2016 (13.0) and later"), ("", "does not say"), ("x.y", "does not say")]
    {
        *server.backend.product_version.lock().unwrap() = version.into();
        let (report, conn) = run(&server.target(TlsMode::Verify), PASSWORD).await;
        let (steps, why) = told(&report);
        assert_eq!(steps, [OK, OK, OK, OK, FAILED, NOT, NOT], "{version}");
        assert!(why.contains(word) && why.contains(version), "{why}");
        assert!(conn.is_none());
    }
}

#[tokio::test]
async fn a_black_hole_takes_no_longer_than_the_limit() {
    let server = Server::start(EncryptionPolicy::Required).await;
    *server.backend.network.lock().unwrap() = Network::BlackHole;
    let limit = Duration::from_secs(2);
    let began = Instant::now();
    let secret = || Ok(Secret::new(PASSWORD.to_owned()));
    let (report, _) =
        check(&server.target(TlsMode::Verify), secret(), &Roots::public(), limit, clock::now).await;
    assert!(began.elapsed() < limit + Duration::from_secs(8), "{:?}", began.elapsed());
    let (steps, why) = told(&report);
    assert_eq!(steps, [OK, OK, FAILED, NOT, NOT, NOT, NOT]);
    assert!(why.contains("timed out"), "{why}");
}
