//! Errors of the driver and the server as failures with a class and a sentence. The sentence says what was attempted, on
//! what, what came back and what to do next. Numbers are from Microsoft's list of database engine errors.

use super::refusal;
use crate::model::{
    base::{
        failure::{Failure, FailureKind, Obstacle},
        text::sanitize_line,
    },
    inventory::tls::TlsFindings,
};
use std::io;
use tiberius::error::{Error, TokenError};

/// The longest server message that is kept, in characters.
const MESSAGE_CHARS: usize = 400;
/// Errors of this class and above end the connection.
const FATAL_CLASS: u8 = 20;
/// "Too many open files" (EMFILE) on every Unix.
const TOO_MANY_FILES: i32 = 24;

/// True for an error of the statement alone: the connection may be used on.
pub(super) fn is_statement_error(error: &Error) -> bool {
    matches!(error, Error::Server(e) if e.class() < FATAL_CLASS)
}

/// The class of a server error by its number, for statements.
pub(super) const fn kind_of(number: u32) -> FailureKind {
    match number {
        // right on object, server or database; database not accessible (916); metadata (15247, 15562)
        229 | 230 | 262 | 297 | 300 | 371 | 378 | 916 | 8_189 | 15_247 | 15_562 => FailureKind::Permission,
        // column, object, procedure, function, multi-part name, collation or option name
        195 | 207 | 208 | 2812 | 4104 | 4121 | 15_151 => FailureKind::MissingObject,
        1222 => FailureKind::LockTimeout,
        _ => FailureKind::Server,
    }
}

/// A server error that answered `asked`.
fn statement(e: &TokenError, asked: &str) -> Failure {
    Failure {
        kind: kind_of(e.code()),
        number: i32::try_from(e.code()).ok(),
        text: format!("{} (asked for {asked})", sanitize_line(e.message(), MESSAGE_CHARS)).into(),
        obstacle: None,
    }
}

/// A failure while an answer was read.
pub(super) fn query(error: &Error, asked: &str) -> Failure {
    match error {
        Error::Server(e) => statement(e, asked),
        Error::Io { kind: io::ErrorKind::TimedOut, .. } => Failure::new(
            FailureKind::Timeout,
            format!("the answer to {asked} stopped coming; connection dropped"),
        ),
        Error::Io { kind, message } => Failure::new(
            FailureKind::Unreachable,
            format!("connection lost while {asked} was asked for: {}", io_words(*kind, message)),
        ),
        other => Failure::new(
            FailureKind::Protocol,
            format!(
                "the answer to {asked} cannot be read: {}; connection dropped",
                without_links(&other.to_string())
            ),
        ),
    }
}

/// The words of the system or the TLS library about a broken connection, without the links for programmers that the TLS
/// library adds.
fn io_words(kind: io::ErrorKind, message: &str) -> String {
    // In the middle of an answer the driver wraps the error, and its kind is lost.
    if kind == io::ErrorKind::UnexpectedEof || message.contains("close_notify") {
        return "the server, or something in between, ended it without a word".to_owned();
    }
    without_links(message.trim_start_matches("An error occurred during the attempt of performing I/O: "))
}

/// A library's message, sanitized, without links.
fn without_links(message: &str) -> String {
    let line = sanitize_line(message, MESSAGE_CHARS);
    let words: Vec<&str> = line.split(' ').filter(|word| !word.contains("://")).collect();
    words.join(" ").trim_end_matches([':', '.', ' ']).to_owned()
}

/// True for an error of this machine, which every address would have.
pub(super) fn is_ours(error: &io::Error) -> bool {
    error.raw_os_error() == Some(TOO_MANY_FILES)
}

/// The obstacle behind an error, where the system tells it.
pub(super) fn obstacle(error: &io::Error) -> Option<Obstacle> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(Obstacle::Refused),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some(Obstacle::NoRoute),
        _ => None,
    }
}

/// An error of one address among several, in a word or two.
pub(super) fn briefly(error: &io::Error) -> String {
    match obstacle(error) {
        Some(Obstacle::Refused) => "refused".to_owned(),
        Some(Obstacle::NoRoute) => "no route".to_owned(),
        Some(Obstacle::HungUp) | None => sanitize_line(&error.to_string(), 80).to_string(),
    }
}

/// A failure before the TCP connection was made.
pub(super) fn tcp(error: &io::Error, address: &str) -> Failure {
    if is_ours(error) {
        let text = format!(
            "connect to {address}: this process has too many open files; raise its limit (ulimit -n)"
        );
        return Failure::new(FailureKind::Config, text);
    }
    let obstacle = obstacle(error);
    let text = match obstacle {
        Some(Obstacle::Refused) => {
            format!("connect to {address}: refused; is the instance started, and is this its port?")
        }
        Some(Obstacle::NoRoute) => {
            format!("connect to {address}: no route; check the network and the address")
        }
        Some(Obstacle::HungUp) | None => {
            format!("connect to {address}: {}", sanitize_line(&error.to_string(), MESSAGE_CHARS))
        }
    };
    Failure { obstacle, ..Failure::new(FailureKind::Unreachable, text) }
}

/// A failure on a fresh TCP connection before anything secret was sent.
pub(super) fn before_login(error: &io::Error, address: &str) -> Failure {
    let said = sanitize_line(&error.to_string(), MESSAGE_CHARS);
    match error.kind() {
        io::ErrorKind::InvalidData => {
            Failure::new(FailureKind::Protocol, format!("talking to {address}: {said}"))
        }
        io::ErrorKind::TimedOut => handshake_timeout(address),
        _ => Failure::new(
            FailureKind::Unreachable,
            format!(
                "{address} closed the connection before the login was done: {said}; does it speak TDS, and the TLS mode \
                 asked for?"
            ),
        ),
    }
}

/// A failure in TLS or login.
pub(super) fn login(error: &Error, address: &str, user: &str) -> Failure {
    match error {
        Error::Server(e) => refused(e, address, user),
        // The driver reports the errors of rustls that are not about certificates as "invalid data".
        Error::Tls(message) | Error::Io { kind: io::ErrorKind::InvalidData, message } => {
            tls(message, address)
        }
        Error::Io { kind: io::ErrorKind::TimedOut, .. } => handshake_timeout(address),
        Error::Io { kind, message } => Failure::new(
            FailureKind::Unreachable,
            format!(
                "{address} closed the connection before the login was done: {}; does it speak TDS, and the TLS mode asked \
                 for?",
                io_words(*kind, message)
            ),
        ),
        Error::Routing { host, port } => Failure::new(
            FailureKind::Unreachable,
            format!(
                "{address} sent us on to {},{port} a second time; connect there directly",
                sanitize_line(host, MESSAGE_CHARS)
            ),
        ),
        other => Failure::new(
            FailureKind::Protocol,
            format!(
                "login to {address}: the answer cannot be read: {}; is this a SQL Server?",
                without_links(&other.to_string())
            ),
        ),
    }
}

/// A connection that ended in a login of which only the packet is encrypted. The driver makes that TLS by itself, so that nobody
/// saw how far it came: TLS is one of the causes. None: it did not end.
pub(super) fn hung_up(error: &Error, address: &str) -> Option<Failure> {
    let Error::Io { kind, message } = error else { return None };
    let is_end = match kind {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => true,
        // As the driver passes on what the TLS library says.
        _ => message.contains("close_notify") || message.contains("reset by peer"),
    };
    is_end.then(|| {
        let text = format!(
            "login to {address}: the server, or something before it, hung up during the login: it takes no more connections or is on its \
             way down, is no SQL Server, or its TLS has no cipher suite or protocol in common with dbtop (TLS 1.2, ECDHE with AES-GCM; \
             Windows Server 2012 R2 and older need an ECDSA certificate for that); the server's error log and System log (Schannel) say \
             which"
        );
        Failure { obstacle: Some(Obstacle::HungUp), ..Failure::new(FailureKind::Unreachable, text) }
    })
}

/// TLS and login did not end in time.
pub(super) fn handshake_timeout(address: &str) -> Failure {
    let text = format!(
        "login to {address}: connected, but no answer in time; an overloaded instance (THREADPOOL), a firewall, or a TLS \
         mode that it does not speak"
    );
    Failure::new(FailureKind::Timeout, text)
}

fn refused(e: &TokenError, address: &str, user: &str) -> Failure {
    let message = sanitize_line(e.message(), MESSAGE_CHARS);
    let user = sanitize_line(user, MESSAGE_CHARS);
    let number = e.code();
    let hint = match number {
        18_456 => "check user and password; the server's error log says which of both",
        18_470 => "the login is disabled",
        18_486 => "the login is locked",
        18_487 | 18_488 => "the password has expired or must be changed",
        18_452 => "the server takes Windows logins only, or does not trust this domain",
        4060 | 4064 => "the login cannot open its database; name another one",
        17_809 | 17_810 => "the server takes no more connections",
        _ => "",
    };
    // Class 14 is about security: the only class of a refused login besides the database that cannot be opened (11).
    let kind = if e.class() == 14 || matches!(number, 4060 | 4064 | 18_452..=18_488 | 40_532 | 40_615) {
        FailureKind::Login
    } else {
        FailureKind::Server
    };
    let text = if hint.is_empty() {
        format!("login to {address} as {user}: {message}")
    } else {
        format!("login to {address} as {user}: {message} ({hint})")
    };
    Failure { kind, number: i32::try_from(number).ok(), text: text.into(), obstacle: None }
}

/// A failure of TLS, in the words of the driver or rustls.
pub(super) fn tls(message: &str, address: &str) -> Failure {
    // The driver appends advice on its own API; the words of rustls stand between these.
    let said = message.split_once("handshake: ").map_or(message, |(_, rest)| rest);
    let said = said.split_once(" To connect anyway").map_or(said, |(said, _)| said);
    let said = without_links(said);
    let class = refusal::class_in_words(&said);
    let words = class.words(&TlsFindings { why: &said, ..TlsFindings::default() });
    Failure::new(FailureKind::Tls, format!("TLS with {address}: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_class_that_the_screen_can_say() {
        assert_eq!(kind_of(300), FailureKind::Permission);
        assert_eq!(kind_of(229), FailureKind::Permission);
        assert_eq!(kind_of(207), FailureKind::MissingObject);
        assert_eq!(kind_of(208), FailureKind::MissingObject);
        assert_eq!(kind_of(1222), FailureKind::LockTimeout);
        assert_eq!(kind_of(8134), FailureKind::Server);
    }

    #[test]
    fn a_rejected_certificate_gives_our_advice_not_the_drivers() {
        let driver = "the server's certificate was rejected during the TLS handshake: UnknownIssuer. To connect anyway \
                      you can: (1) trust a specific CA certificate with `Config::trust_cert_ca(path)`";
        let failure = tls(driver, "SQL1");
        assert_eq!(failure.kind, FailureKind::Tls);
        assert!(failure.text.contains("UnknownIssuer; check the TLS mode"), "{failure}");
        assert!(!failure.text.contains("trust_cert_ca("), "{failure}");
    }

    /// The words of rustls, passed on by the driver, when a server ends without closing TLS.
    const EOF: &str = "peer closed connection without sending TLS close_notify: \
                       https://docs.rs/rustls/latest/rustls/manual/_03_howto/index.html#unexpected-eof";

    #[test]
    fn a_lost_connection_is_told_in_words_without_links() {
        let wrapped = format!("An error occurred during the attempt of performing I/O: {EOF}");
        for (kind, message) in [(io::ErrorKind::UnexpectedEof, EOF), (io::ErrorKind::Other, &wrapped)] {
            let lost = Error::Io { kind, message: message.into() };
            for failure in [query(&lost, "headline"), login(&lost, "SQL1", "u")] {
                assert_eq!(failure.kind, FailureKind::Unreachable);
                assert!(
                    failure.text.contains(": the server, or something in between, ended it"),
                    "{failure}"
                );
                assert!(!failure.text.contains("http") && !failure.text.contains("notify"), "{failure}");
            }
        }
        let message =
            "An error occurred during the attempt of performing I/O: Connection reset by peer".into();
        let reset = Error::Io { kind: io::ErrorKind::ConnectionReset, message };
        let text = query(&reset, "headline").text;
        assert_eq!(&*text, "connection lost while headline was asked for: Connection reset by peer");
        for lost in [reset, Error::Io { kind: io::ErrorKind::Other, message: wrapped }] {
            let failure = hung_up(&lost, "SQL1").unwrap();
            assert_eq!((failure.kind, failure.obstacle), (FailureKind::Unreachable, Some(Obstacle::HungUp)));
            assert!(
                failure.text.starts_with("login to SQL1: the server, or something before it, hung up"),
                "{failure}"
            );
            assert!(failure.text.contains("no cipher suite or protocol in common"), "{failure}");
        }
        assert!(hung_up(&Error::Io { kind: io::ErrorKind::TimedOut, message: "x".into() }, "SQL1").is_none());
        let failure = tls(EOF, "SQL1");
        assert!(failure.text.contains("close_notify; check") && !failure.text.contains("http"), "{failure}");
    }

    #[test]
    fn a_refused_connection_asks_for_the_port() {
        let failure = tcp(&io::Error::from(io::ErrorKind::ConnectionRefused), "10.0.0.1,1433");
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.text.contains("10.0.0.1,1433") && failure.text.contains("port"), "{failure}");
    }
}
