//! The result of a test of one connection, step by step. Made by `tds::check` for the tests of `app::inventory`, shown by the
//! wizard and printed by `dbtop instance test`.

use super::{
    instance::{Fingerprint, InstanceId},
    tls::TlsRefusal,
};
use crate::model::base::{
    failure::Failure,
    figure::{mean, wait},
    time::Timestamp,
};
use std::{fmt::Write as _, net::SocketAddr, sync::Arc};

/// A server's certificate, for people. Its words are not to be believed unless the TLS step is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// whom it is for: `CN=db1.example`
    pub subject: Arc<str>,
    /// who signed it
    pub issuer: Arc<str>,
    /// host names and addresses that it is for
    pub names: Vec<Arc<str>>,
    /// begin
    pub not_before: Option<Timestamp>,
    /// end
    pub not_after: Option<Timestamp>,
    /// SHA-256 of it
    pub fingerprint: Fingerprint,
    /// kind and size of its key: `RSA 2048`
    pub key: Arc<str>,
    /// what can be said against its key; None: a signature by it can be checked
    pub key_fault: Option<TlsRefusal>,
    /// SQL Server made it for itself when it started, and makes another one at its next start
    pub made_at_start: bool,
}

impl Certificate {
    /// Without any field.
    pub fn unreadable() -> Self {
        let none: Arc<str> = "".into();
        Self {
            subject: Arc::clone(&none),
            issuer: none,
            names: Vec::new(),
            not_before: None,
            not_after: None,
            fingerprint: Fingerprint([0; 32]),
            key: "unknown".into(),
            key_fault: None,
            made_at_start: false,
        }
    }

    /// What a person must know before and after such a certificate is pinned.
    pub const fn remark(&self) -> Option<&'static str> {
        if self.made_at_start { Some(MADE_AT_START) } else { None }
    }
}

/// Said of the certificate that SQL Server makes for itself.
const MADE_AT_START: &str =
    "made by SQL Server for itself when it started: a pin on it ends with the next start of the service";

/// How a line is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLS 1.2`
    pub version: Arc<str>,
    /// `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384`
    pub cipher: Arc<str>,
    /// the server's certificate
    pub certificate: Option<Certificate>,
}

/// The answer of a server about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerFacts {
    /// `16.0.4185.3`
    pub version: Option<Arc<str>>,
    /// 13 = 2016, 16 = 2022
    pub major: Option<i32>,
    /// `Enterprise Edition (64-bit)`
    pub edition: Option<Arc<str>>,
    /// 2 Standard, 3 Enterprise, 4 Express, 5 Azure SQL Database, 8 Managed Instance
    pub engine_edition: Option<i32>,
    /// the login as the server knows it
    pub login: Option<Arc<str>>,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Step<T> {
    /// an earlier step failed
    #[default]
    NotReached,
    /// it did not work
    Failed(Failure),
    /// what it found
    Done(T),
}

impl<T> Step<T> {
    /// Its finding.
    pub const fn done(&self) -> Option<&T> {
        match self {
            Self::Done(found) => Some(found),
            _ => None,
        }
    }
}

/// A test of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionReport {
    /// of which instance
    pub instance: InstanceId,
    /// `host,port`, for show
    pub address: Arc<str>,
    /// the addresses of its name
    pub name: Step<Vec<SocketAddr>>,
    /// how long TCP took, ms
    pub tcp: Step<u64>,
    /// None: this mode has no TLS, or hides it in the driver
    pub tls: Step<Option<TlsFacts>>,
    /// what the server showed, whether it was accepted or not
    pub certificate: Option<Certificate>,
    /// why there is no TLS; None: there is, or it did not come to that
    pub refusal: Option<TlsRefusal>,
    /// how long the login took, ms
    pub login: Step<u64>,
    /// refused in words if it is older than 2016
    pub server: Step<ServerFacts>,
    /// one short question, its answer, microseconds; the best of three
    pub latency: Step<u64>,
    /// the server's clock minus ours, ms
    pub skew: Step<i64>,
}

/// How a step stands, for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// it worked
    Ok,
    /// it did not
    Failed,
    /// it did not come to that
    NotReached,
}

impl State {
    /// Its name, as it is shown and written.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::NotReached => "not reached",
        }
    }
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `name`, `tcp`, `tls`, …
    pub step: &'static str,
    /// how it stands
    pub state: State,
    /// what was found, or what went wrong and what to do
    pub words: Arc<str>,
}

/// A clock that differs more than this is worth a word, ms.
const SKEW_WORTH_A_WORD_MS: u64 = 1_000;

impl ConnectionReport {
    /// Nothing reached yet.
    pub fn new(instance: InstanceId, address: Arc<str>) -> Self {
        Self {
            instance,
            address,
            name: Step::NotReached,
            tcp: Step::NotReached,
            tls: Step::NotReached,
            certificate: None,
            refusal: None,
            login: Step::NotReached,
            server: Step::NotReached,
            latency: Step::NotReached,
            skew: Step::NotReached,
        }
    }

    /// The certificate that was refused, and could be pinned instead.
    pub fn pinnable(&self) -> Option<&Certificate> {
        let pin_helps = self.refusal.is_some_and(TlsRefusal::pin_helps);
        self.certificate.as_ref().filter(|shown| pin_helps && shown.key_fault.is_none())
    }

    /// True if the instance can be watched: every step worked.
    pub fn passed(&self) -> bool {
        self.lines().iter().all(|line| line.state == State::Ok)
    }

    /// The steps in order, in words.
    pub fn lines(&self) -> Vec<Line> {
        vec![
            line("name", &self.name, |found| {
                found.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")
            }),
            line("tcp", &self.tcp, |ms| wait(*ms as f64)),
            line("tls", &self.tls, |found| tls_words(found.as_ref())),
            line("login", &self.login, |ms| wait(*ms as f64)),
            line("version", &self.server, server_words),
            line("latency", &self.latency, |us| mean(*us as f64 / 1000.0)),
            line("clock", &self.skew, |ms| skew_words(*ms)),
        ]
    }
}

fn line<T>(step: &'static str, of: &Step<T>, words: impl Fn(&T) -> String) -> Line {
    let (state, words) = match of {
        Step::NotReached => (State::NotReached, "".into()),
        Step::Failed(failure) => (State::Failed, failure.to_string().into()),
        Step::Done(found) => (State::Ok, words(found).into()),
    };
    Line { step, state, words }
}

fn tls_words(found: Option<&TlsFacts>) -> String {
    let Some(tls) = found else { return "not for all of the traffic".to_owned() };
    let mut words = format!("{}, {}", tls.version, tls.cipher);
    if let Some(cert) = &tls.certificate {
        let end = cert.not_after.map_or_else(|| "an unknown day".to_owned(), Timestamp::day);
        let _ =
            write!(words, "; {} by {}, until {end}; SHA-256 {}", cert.subject, cert.issuer, cert.fingerprint);
        if let Some(remark) = cert.remark() {
            let _ = write!(words, "; {remark}");
        }
    }
    words
}

fn server_words(found: &ServerFacts) -> String {
    let parts = [found.version.as_deref(), found.edition.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn skew_words(ms: i64) -> String {
    match (ms.unsigned_abs() >= SKEW_WORTH_A_WORD_MS, ms > 0) {
        (false, _) => format!("{} apart", wait(ms as f64)),
        (true, true) => format!("the server is {} ahead", wait(ms.unsigned_abs() as f64)),
        (true, false) => format!("the server is {} behind", wait(ms.unsigned_abs() as f64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::base::failure::FailureKind;

    #[test]
    fn steps_behind_a_failure_are_not_reached() {
        let mut report = ConnectionReport::new(InstanceId::new("a"), "db1".into());
        report.name = Step::Done(vec!["10.0.0.1:1433".parse().unwrap()]);
        report.tcp = Step::Failed(Failure::new(FailureKind::Timeout, "no answer"));
        let lines = report.lines();
        let states: Vec<_> = lines.iter().map(|l| l.state).collect();
        assert_eq!(states[..3], [State::Ok, State::Failed, State::NotReached]);
        assert_eq!((&*lines[0].words, &*lines[1].words), ("10.0.0.1", "timed out: no answer"));
        assert!(!report.passed());
    }

    #[test]
    fn clocks_that_differ_say_which_one_is_ahead() {
        assert_eq!(skew_words(-12), "-12 ms apart");
        assert_eq!(skew_words(90_000), "the server is 1m30s ahead");
        assert_eq!(skew_words(-90_000), "the server is 1m30s behind");
        assert_eq!(skew_words(-7_200_000), "the server is 2h00m behind", "an hour of daylight saving, twice");
    }
}
