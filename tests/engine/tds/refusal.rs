//! Every refusal of TLS has its own class, sentence and way out: over real TDS and TLS, with certificates of every kind, and
//! servers that answer the first message of TLS as old ones do.

use super::{
    failure,
    support::{Server, WITHIN, connect},
};
use crate::echo::PASSWORD;
use dbtop::{
    app::clock,
    model::{
        base::{failure::FailureKind, secret::Secret},
        inventory::{
            check::ConnectionReport,
            instance::{Target, TlsMode},
            tls::TlsRefusal,
        },
    },
    sim::wire::{Between, EncryptionPolicy, Leaf, Tls},
    tds::{Roots, check},
};
use std::path::Path;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new("tests/fixture/tls").join(name)).unwrap()
}

async fn report(target: &Target) -> ConnectionReport {
    check(target, Ok(Secret::new(PASSWORD.to_owned())), &Roots::public(), WITHIN, clock::now).await.0
}

async fn showing(leaf: Leaf) -> Server {
    Server::start_with(EncryptionPolicy::Required, Tls::new().unwrap().showing(leaf)).await
}

/// The class, and the sentence of the step.
async fn refused(target: &Target) -> (Option<TlsRefusal>, String) {
    let report = report(target).await;
    (report.refusal, report.lines()[2].words.to_string())
}

#[tokio::test]
async fn each_kind_of_certificate_is_refused_for_its_own_reason() {
    for (leaf, class, words) in [
        (Leaf::MadeAtStart, TlsRefusal::MadeAtStart, "makes another one at every start"),
        (Leaf::SelfSigned, TlsRefusal::UnknownIssuer, "pin the certificate after comparing it"),
        (Leaf::Ends(2021), TlsRefusal::Ended, "ended on 2021-01-01; renew"),
        (Leaf::Begins(2090), TlsRefusal::NotYet, "begins on 2090-01-01; check the clocks"),
        (Leaf::Nameless, TlsRefusal::NoName, "no host name among its subject alternative names"),
        (Leaf::ForClients, TlsRefusal::OtherPurpose, "lacks server authentication"),
        (Leaf::Authority, TlsRefusal::CaAsServer, "an authority's own"),
        (
            Leaf::Through(Between::Ends(2021)),
            TlsRefusal::IssuerDates,
            "is in order, but one of the authorities between it and those that we trust is not: its own certificate ended on \
             2021-01-01",
        ),
        (
            Leaf::Through(Between::Begins(2090)),
            TlsRefusal::IssuerDates,
            "own certificate begins on 2090-01-01",
        ),
        (Leaf::Through(Between::NotAuthority), TlsRefusal::IssuerNotAuthority, "no authority's (CA: FALSE"),
        (Leaf::Through(Between::OtherNames), TlsRefusal::IssuerNotForName, "name constraints"),
        (Leaf::Forged, TlsRefusal::BadChain, "is not that of the CN=dbtop simulator CA"),
    ] {
        let server = showing(leaf.clone()).await;
        let target = server.target(TlsMode::Verify);
        let (found, said) = refused(&target).await;
        assert_eq!(found, Some(class), "{leaf:?}: {said}");
        assert!(said.starts_with("TLS failed: TLS with ") && said.contains(words), "{leaf:?}: {said}");
        let polled = failure(&target, PASSWORD).await;
        assert_eq!(polled.kind, FailureKind::Tls, "{polled}");
        assert!(polled.text.contains(words), "{polled}");
        assert_eq!(polled.text.contains("(shown: SHA-256 "), class.pin_helps(), "{polled}");
    }
    let through = showing(Leaf::Through(Between::Good)).await;
    assert!(report(&through.target(TlsMode::Verify)).await.passed(), "an authority of an authority is one");
    let server = showing(Leaf::Good).await;
    let mut target = server.target(TlsMode::Verify);
    target.host_in_certificate = Some("other.example".into());
    let (found, said) = refused(&target).await;
    assert_eq!(found, Some(TlsRefusal::OtherName));
    assert!(said.contains("for 127.0.0.1, ECHO-01, localhost, not for other.example"), "{said}");
}

#[tokio::test]
async fn certificates_of_old_formats_and_signatures_are_told_apart() {
    let key = fixture("test-key.der");
    let old = Tls::new().unwrap().showing(Leaf::This(fixture("v1.der"))).holding(key.clone()).unwrap();
    let server = Server::start_with(EncryptionPolicy::Required, old).await;
    let report = report(&server.target(TlsMode::Verify)).await;
    assert_eq!(report.refusal, Some(TlsRefusal::OldFormat), "{:?}", report.tls);
    // Its key is good, so it can be pinned.
    let pin = report.pinnable().unwrap().fingerprint;
    assert!(connect(&server.target(TlsMode::Pin(pin)), PASSWORD, WITHIN).await.is_ok());

    let weak = Tls::new().unwrap().showing(Leaf::This(fixture("weak-signature.der"))).holding(key).unwrap();
    let server = Server::start_with(EncryptionPolicy::Required, weak).await;
    let mut target = server.target(TlsMode::Verify);
    target.ca_file = Some("tests/fixture/tls/weak-authority.pem".into());
    let (found, said) = refused(&target).await;
    assert_eq!(found, Some(TlsRefusal::WeakSignature), "{said}");
    assert!(said.contains("such as with SHA-1"), "{said}");
}

#[tokio::test]
async fn a_pin_on_a_short_key_is_no_attack_and_is_not_offered() {
    let server = showing(Leaf::This(fixture("short-key.der"))).await;
    let first = report(&server.target(TlsMode::Verify)).await;
    assert_eq!(first.refusal, Some(TlsRefusal::MadeAtStart), "{:?}", first.tls);
    assert_eq!(first.pinnable(), None, "a pin could not hold");
    let shown = first.certificate.unwrap();
    assert_eq!((&*shown.key, shown.made_at_start), ("RSA 1024", true));
    let target = server.target(TlsMode::Pin(shown.fingerprint));
    let (found, said) = refused(&target).await;
    assert_eq!(found, Some(TlsRefusal::ShortKey), "{said}");
    assert!(said.contains("(RSA 1024) is too short to be checked") && !said.contains("in between"), "{said}");
    assert!(!failure(&target, PASSWORD).await.text.contains("in between"));
}

#[tokio::test]
async fn a_restart_of_the_service_is_not_called_an_attack() {
    let before = showing(Leaf::MadeAtStart).await;
    let report = report(&before.target(TlsMode::Verify)).await;
    let pin = report.pinnable().expect("it can be pinned, knowing what it is").fingerprint;
    // As long as it runs, the pin holds; the report of a good test says what will come.
    let good = self::report(&before.target(TlsMode::Pin(pin))).await;
    assert!(good.passed());
    let words = good.lines()[2].words.to_string();
    assert!(words.contains("a pin on it ends with the next start of the service"), "{words}");
    let after = showing(Leaf::MadeAtStart).await;
    let target = after.target(TlsMode::Pin(pin));
    let failed = failure(&target, PASSWORD).await;
    assert_eq!(failed.kind, FailureKind::Tls, "it is refused all the same: {failed}");
    for part in [
        "the server made a new one when it started",
        "valid from 2020-01-01",
        &pin.to_string(),
        "pin the new one",
    ] {
        assert!(failed.text.contains(part), "{part}: {failed}");
    }
    assert!(!failed.text.contains("in between"), "{failed}");
    assert_eq!(refused(&target).await.0, Some(TlsRefusal::MadeAnew));
    // Another one that only bears the name is another one.
    let other = showing(Leaf::SelfSigned).await;
    assert_eq!(refused(&other.target(TlsMode::Pin(pin))).await.0, Some(TlsRefusal::NotPinned));
}

/// What a server does at the first message of TLS.
#[derive(Clone, Copy)]
enum Answer {
    /// these records, in a packet of their own, then nothing more
    Records(&'static [u8]),
    /// it closes
    Close,
}

/// A server that agrees to encrypt, and then answers TLS like this.
async fn old_server(answer: Answer, strict: bool) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            if !strict {
                let _ = tcp.read(&mut buffer).await;
                // PRELOGIN: version, encryption on.
                let options = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 11, 0, 8, 0x0d, 0, 0, 1];
                let mut packet = vec![4, 1, 0, 8 + options.len() as u8, 0, 0, 1, 0];
                packet.extend(options);
                let _ = tcp.write_all(&packet).await;
            }
            let _ = tcp.read(&mut buffer).await;
            match answer {
                Answer::Records(records) => {
                    let mut packet = vec![0x12, 1, 0, 8 + records.len() as u8, 0, 0, 0, 0];
                    if strict {
                        packet.clear();
                    }
                    packet.extend_from_slice(records);
                    let _ = tcp.write_all(&packet).await;
                    let _ = tcp.read(&mut buffer).await;
                }
                Answer::Close => drop(tcp),
            }
        }
    });
    address
}

/// ServerHello of TLS 1.0 with TLS_RSA_WITH_AES_128_CBC_SHA, as a server without TLS 1.2 answers.
const HELLO_OF_TLS_10: &[u8] = &[
    22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0x2f, 0,
];

#[tokio::test]
async fn servers_that_have_no_tls_in_common_with_us_are_no_unreachable_ones() {
    for (answer, mode, class, words) in [
        (
            Answer::Records(&[21, 3, 3, 0, 2, 2, 40]),
            TlsMode::Verify,
            TlsRefusal::NoCommonCipher,
            "Windows Server 2012 R2",
        ),
        (
            Answer::Records(&[21, 3, 1, 0, 2, 2, 70]),
            TlsMode::Verify,
            TlsRefusal::OldProtocol,
            "enable TLS 1.2",
        ),
        (Answer::Records(HELLO_OF_TLS_10), TlsMode::Verify, TlsRefusal::OldProtocol, "enable TLS 1.2"),
        (
            Answer::Records(&[21, 3, 3, 0, 2, 2, 80]),
            TlsMode::Verify,
            TlsRefusal::Alert,
            "the alert InternalError",
        ),
        (
            Answer::Records(&[21, 3, 3, 0, 2, 2, 116]),
            TlsMode::Verify,
            TlsRefusal::WantsOurs,
            "a proxy or a load balancer",
        ),
        (
            Answer::Records(&[21, 3, 3, 0, 2, 2, 112]),
            TlsMode::Verify,
            TlsRefusal::NameNotKnown,
            "for the name that dbtop asks for, 127.0.0.1; connect by a name that it has",
        ),
        (Answer::Close, TlsMode::Verify, TlsRefusal::HungUp, "at the first message of TLS"),
        (Answer::Close, TlsMode::Strict, TlsRefusal::ClosedAtOnce, "say verify instead of strict"),
        (Answer::Records(b"HTTP/1.1 400 Bad Request\r\n"), TlsMode::Strict, TlsRefusal::NoTds8, "TDS 8.0"),
        (
            Answer::Records(b"HTTP/1.1 400 Bad Request\r\n"),
            TlsMode::Verify,
            TlsRefusal::NotTls,
            "is this a SQL Server",
        ),
    ] {
        let address = old_server(answer, mode == TlsMode::Strict).await;
        let server = Server::start(EncryptionPolicy::Required).await;
        let mut target = server.target(mode);
        target.endpoint.port = Some(address.port());
        let (found, said) = refused(&target).await;
        assert_eq!(found, Some(class), "{said}");
        assert!(said.contains(words) && !said.contains("does it speak TDS"), "{said}");
        let failure = failure(&target, PASSWORD).await;
        let is_silent = class == TlsRefusal::ClosedAtOnce;
        assert_eq!(failure.kind, if is_silent { FailureKind::Unreachable } else { FailureKind::Tls });
        assert_eq!(failure.is_transient(), is_silent || class == TlsRefusal::HungUp, "{failure}");
    }
}
