//! The driver layer against the simulator's wire: real sockets, real TLS. Every class of failure, what it says, and
//! whether the connection lives on.

mod check;
mod gateway;
mod refusal;
mod support;
mod trust;

use crate::echo::PASSWORD;
use dbtop::{
    model::{
        base::{
            failure::{Failure, FailureKind},
            time::Timestamp,
        },
        inventory::{
            instance::{Target, TlsMode},
            record::{Auth, SecretRef},
        },
    },
    sim::{backend::Network, wire::EncryptionPolicy},
    tds::{Ask, Cell, Param, Question, dial},
};
use std::{sync::atomic::Ordering, time::Duration};
use support::{Server, WITHIN, ask, connect, one};

async fn failure(target: &Target, password: &str) -> Failure {
    match connect(target, password, WITHIN).await {
        Ok(_) => panic!("connected"),
        Err(failure) => failure,
    }
}

#[tokio::test]
async fn every_tls_mode_logs_in_and_answers() {
    use {EncryptionPolicy as Policy, TlsMode as Mode};
    let cases = [
        (Policy::Required, Mode::Verify),
        (Policy::Strict, Mode::Strict),
        (Policy::Optional, Mode::Strict),
        (Policy::Required, Mode::Insecure),
        (Policy::Optional, Mode::LoginOnly),
        (Policy::NotSupported, Mode::Off),
    ];
    for (policy, mode) in cases {
        let server = Server::start(policy).await;
        let mut conn =
            connect(&server.target(mode), PASSWORD, WITHIN).await.unwrap_or_else(|e| panic!("{mode:?}: {e}"));
        let answer = ask(&mut conn, "select server").await;
        assert_eq!(answer.error, None, "{mode:?}");
        let row = answer.sets[0].first().unwrap();
        assert_eq!(row.raw_text("program"), Some("dbtop"), "{mode:?}");
        assert_eq!(
            conn.transport().contains("verified") && !conn.transport().contains("not"),
            !mode.is_insecure()
        );
        conn.close(WITHIN).await;
    }
}

#[tokio::test]
async fn every_type_has_a_cell_and_every_null_is_null() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let answer = ask(&mut server.connection().await, "select types").await;
    assert_eq!(answer.error, None);
    let set = &answer.sets[0];
    assert!(set.complete);
    let row = set.first().unwrap();
    assert_eq!(row.i64("c_tinyint"), Some(200));
    assert_eq!(row.i64("c_bigint"), Some(-1_234_567_890_123_456_789));
    assert_eq!(row.f64("c_decimal"), Some(-12_345.67));
    assert_eq!(row.f64("c_money"), Some(-12_345_678.901_2));
    assert_eq!(row.raw_text("c_nvarchar"), Some("日本語 😀"));
    assert_eq!(row.raw_text("c_xml"), Some("<a b=\"1\">é</a>"), "without its U+FEFF");
    assert_eq!(row.raw_text("c_guid"), Some("01234567-89AB-CDEF-FEDC-BA9876543210"));
    assert_eq!(row.bytes("c_varbinary"), Some(&[0, 255, 1][..]));
    let moment_ms = i64::try_from(crate::echo::MOMENT_NS / 1_000_000).unwrap();
    assert_eq!(row.local("c_datetime2", Some(0)), Some(Timestamp::from_ms(moment_ms)));
    assert_eq!(row.local("c_datetime", Some(0)), Some(Timestamp::from_ms(moment_ms)), "to 1/300 s");
    let instant = row.instant("c_datetimeoffset");
    assert_eq!(
        instant,
        Some((Timestamp::from_ms(moment_ms - 330 * 60_000), 330)),
        "datetimeoffset is UTC on the wire"
    );
    let nulls = set.rows.iter().filter(|r| r.iter().all(|c| *c == Cell::Null)).count();
    assert!(nulls > 0, "a row of NULLs of every type");
}

#[tokio::test]
async fn a_failed_login_says_why_and_never_the_password() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let wrong = failure(&server.target(TlsMode::Verify), "not-the-password").await;
    assert_eq!((wrong.kind, wrong.number), (FailureKind::Login, Some(18_456)));
    assert!(
        wrong.text.contains("Login failed for user 'sa'") && !wrong.text.contains("not-the-password"),
        "{wrong}"
    );
}

#[tokio::test]
async fn what_a_server_says_of_a_login_is_harmless_whatever_it_is() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut target = server.target(TlsMode::Verify);
    // The server repeats the name in its message.
    let user = format!("sa\u{1b}]0;owned\u{7}\r\n{}", "x".repeat(100));
    target.auth = Auth::Sql { user, secret: SecretRef::Ask };
    let refused = failure(&target, PASSWORD).await;
    assert_eq!((refused.kind, refused.number), (FailureKind::Login, Some(18_456)));
    assert!(refused.text.contains("Login failed for user 'sa"), "{refused}");
    assert!(!refused.text.chars().any(char::is_control), "{:?}", refused.text);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_says_what_to_do() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut target = server.target(TlsMode::Verify);
    target.ca_file = None;
    let stranger = failure(&target, PASSWORD).await;
    assert_eq!(stranger.kind, FailureKind::Tls);
    assert!(stranger.text.contains("ca_file") && stranger.text.contains("UnknownIssuer"), "{stranger}");
    assert!(!stranger.text.contains("Config::"), "{stranger}");
    let mut target = server.target(TlsMode::Verify);
    target.host_in_certificate = Some("other.example".into());
    let other = failure(&target, PASSWORD).await;
    assert_eq!(other.kind, FailureKind::Tls);
    assert!(other.text.contains("host_in_certificate"), "{other}");
    let mut target = server.target(TlsMode::Verify);
    target.ca_file = Some("/nowhere/ca.pem".into());
    let unreadable = failure(&target, PASSWORD).await;
    assert_eq!(unreadable.kind, FailureKind::Config);
    assert!(unreadable.text.contains("/nowhere/ca.pem"), "{unreadable}");
}

#[tokio::test]
async fn refused_silent_and_unknown_hosts_are_told_apart() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut target = server.target(TlsMode::Verify);
    *server.backend.network.lock().unwrap() = Network::BlackHole;
    let silent = connect(&target, PASSWORD, Duration::from_millis(400)).await.err().unwrap();
    assert_eq!(silent.kind, FailureKind::Timeout);
    server.cancel.cancel();
    let mut refused = dial(&target, WITHIN).await.err();
    for _ in 0..100 {
        if refused.as_ref().is_some_and(|f| f.text.contains("refused")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        refused = dial(&target, WITHIN).await.err();
    }
    let refused = refused.expect("nobody listens any more");
    assert_eq!(refused.kind, FailureKind::Unreachable);
    assert!(refused.text.contains("refused") && refused.text.contains("port"), "{refused}");
    target.endpoint.host = "no-such-host.invalid".into();
    let unknown = dial(&target, WITHIN).await.err().unwrap();
    assert_eq!(unknown.kind, FailureKind::Unreachable);
    assert!(unknown.text.contains("no-such-host.invalid"), "{unknown}");
}

#[tokio::test]
async fn a_server_error_keeps_the_sets_before_it_and_the_connection() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut conn = server.connection().await;
    let answer = ask(&mut conn, "select 1; select * from missing; select 3").await;
    let error = answer.error.clone().unwrap();
    assert_eq!((error.kind, error.number), (FailureKind::MissingObject, Some(208)));
    assert!(error.text.contains("'missing'") && error.text.contains("a test"), "{error}");
    assert_eq!(answer.sets.len(), 2);
    assert_eq!((one(&answer), answer.sets[0].complete), (Some(1), true));
    assert!(!answer.sets[1].complete, "an error may have cut the last set");
    assert!(conn.is_open());
    assert_eq!(one(&ask(&mut conn, "select 7").await), Some(7));
}

#[tokio::test]
async fn an_answer_that_comes_too_late_closes_the_connection() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut conn = server.connection().await;
    let question = Question {
        what: "waits",
        sql: "select rows 2000; waitfor delay '00:01:00'",
        params: &[],
        within: Duration::from_millis(300),
    };
    let answer = conn.ask(question).await;
    assert_eq!(answer.error.map(|e| e.kind), Some(FailureKind::Timeout));
    assert!(
        !answer.sets[0].rows.is_empty() && !answer.sets[0].complete,
        "what came is kept, and not believed whole"
    );
    assert!(!conn.is_open());
    let after = ask(&mut conn, "select 1").await;
    assert_eq!(
        after.error.map(|e| e.kind),
        Some(FailureKind::Unreachable),
        "asking on is an error, not a hang"
    );
    // The session on the server ends too.
    for _ in 0..500 {
        if server.backend.open.load(Ordering::SeqCst) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the server still has the session");
}

#[tokio::test]
async fn a_question_that_is_given_up_closes_the_connection() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut conn = server.connection().await;
    let given_up =
        tokio::time::timeout(Duration::from_millis(100), ask(&mut conn, "waitfor delay '00:01:00'")).await;
    assert!(given_up.is_err());
    assert!(!conn.is_open());
}

#[tokio::test]
async fn endless_and_giant_answers_are_cut_off() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut conn = server.connection().await;
    let answer = ask(&mut conn, "select endless").await;
    assert_eq!(answer.error.as_ref().map(|e| e.kind), Some(FailureKind::Protocol), "{:?}", answer.error);
    assert!(answer.sets[0].rows.len() <= 20_000 && !answer.sets[0].complete);
    assert!(!conn.is_open());
    let mut conn = server.connection().await;
    // 20 MB on the wire in one value: no row ever comes, only the bytes can be counted.
    let answer = ask(&mut conn, "select text 10000000").await;
    let error = answer.error.unwrap();
    assert_eq!(error.kind, FailureKind::Protocol);
    assert!(error.text.contains("MB"), "{error}");
    assert!(!conn.is_open());
    let mut conn = server.connection().await;
    let answer = ask(&mut conn, "select text 1000000").await;
    assert_eq!(answer.error, None, "a text of 2 MB is large, not hostile");
}

#[tokio::test]
async fn an_answer_cut_in_the_middle_of_a_row_keeps_whole_rows() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut conn = server.connection().await;
    let answer = ask(&mut conn, "select 5; select cut").await;
    let error = answer.error.clone().unwrap();
    assert_eq!(error.kind, FailureKind::Unreachable, "{error}");
    assert_eq!((one(&answer), answer.sets[0].complete), (Some(5), true));
    assert!(!answer.sets[1].complete);
    assert!(!conn.is_open());
}

#[tokio::test]
async fn a_killed_session_is_closed() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut conn = server.connection().await;
    let answer = ask(&mut conn, "kill me").await;
    assert!(answer.error.is_some());
    assert!(!conn.is_open());
}

#[tokio::test]
async fn parameters_arrive_as_they_are() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut conn = server.connection().await;
    let params = [Param::Int(-5), Param::Bytes(&[1, 0, 255]), Param::Null];
    let answer =
        conn.ask(Question { what: "a test", sql: "select params", params: &params, within: WITHIN }).await;
    assert_eq!(answer.error, None);
    let shown: Vec<_> = answer.sets[0].rows().map(|r| (r.raw_text("name"), r.raw_text("value"))).collect();
    assert_eq!(
        shown,
        [(Some("@P1"), Some("-5")), (Some("@P2"), Some("Bytes([1, 0, 255])")), (Some("@P3"), None)]
    );
}
