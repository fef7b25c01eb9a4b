//! Certificates: pinned, ended, for another name, shown without the key. And logins by a bearer token.

use super::{
    failure,
    support::{Server, WITHIN, ask, connect, one},
};
use crate::echo::{PASSWORD, TOKEN};
use dbtop::{
    model::{
        base::failure::FailureKind,
        inventory::{
            instance::{Fingerprint, Target, TlsMode},
            record::{Auth, SecretRef},
        },
    },
    sim::wire::{EncryptionPolicy, Leaf, Tls},
    tds::{Ask, Roots, look},
};
use std::sync::{Arc, atomic::Ordering};

/// The server's fingerprint, as trust on first use reads it.
async fn shown(target: &Target) -> Fingerprint {
    look(target, &Roots::public(), WITHIN).await.unwrap().certificate.unwrap().fingerprint
}

fn pinned(server: &Server, pin: Fingerprint) -> Target {
    let mut target = server.target(TlsMode::Pin(pin));
    target.ca_file = None;
    // A pin asks for no name either.
    target.endpoint.host = "127.0.0.1".into();
    target
}

#[tokio::test]
async fn a_pinned_certificate_is_enough_and_looking_at_it_needs_no_login() {
    for policy in [EncryptionPolicy::Required, EncryptionPolicy::Optional] {
        let server = Server::start(policy).await;
        let pin = shown(&server.target(TlsMode::Verify)).await;
        let certificate = look(&server.target(TlsMode::Verify), &Roots::public(), WITHIN).await.unwrap();
        assert_eq!(&*certificate.version, "TLS 1.2");
        assert!(certificate.cipher.contains("AES") || certificate.cipher.contains("CHACHA20"));
        assert_eq!(server.backend.next_spid.load(Ordering::SeqCst), 51, "nobody logged in");
        let mut conn = connect(&pinned(&server, pin), PASSWORD, WITHIN).await.unwrap();
        assert_eq!(one(&ask(&mut conn, "select 7").await), Some(7));
        assert_eq!(conn.transport(), "TLS, certificate pinned");
    }
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused_with_both_fingerprints() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let real = shown(&server.target(TlsMode::Verify)).await;
    let pin = Fingerprint([0xAB; 32]);
    let refused = failure(&pinned(&server, pin), PASSWORD).await;
    assert_eq!(refused.kind, FailureKind::Tls);
    for part in [&pin.to_string(), &real.to_string(), "pin that one"] {
        assert!(refused.text.contains(part), "{part}: {refused}");
    }
    assert_eq!(server.backend.next_spid.load(Ordering::SeqCst), 51, "the password was not sent");
}

#[tokio::test]
async fn a_copied_certificate_without_its_key_is_refused() {
    let tls = Tls::new().unwrap().without_its_key().unwrap();
    let server = Server::start_with(EncryptionPolicy::Required, tls).await;
    let pin = shown(&server.target(TlsMode::Insecure)).await;
    let refused = failure(&pinned(&server, pin), PASSWORD).await;
    assert_eq!(refused.kind, FailureKind::Tls);
    assert!(refused.text.contains("does not hold its key"), "{refused}");
    assert_eq!(failure(&server.target(TlsMode::Verify), PASSWORD).await.kind, FailureKind::Tls);
}

#[tokio::test]
async fn ended_certificates_and_wrong_names_are_told_with_what_the_certificate_says() {
    let old = Tls::new().unwrap().showing(Leaf::Ends(2021));
    let server = Server::start_with(EncryptionPolicy::Required, old).await;
    let ended = failure(&server.target(TlsMode::Verify), PASSWORD).await;
    assert!(ended.text.contains("2021-01-01") && ended.text.contains("renew"), "{ended}");
    let pin = shown(&server.target(TlsMode::Verify)).await;
    assert!(
        connect(&pinned(&server, pin), PASSWORD, WITHIN).await.is_ok(),
        "a pin trusts this certificate, ended or not"
    );
    let server = Server::start(EncryptionPolicy::Strict).await;
    let mut target = server.target(TlsMode::Strict);
    target.host_in_certificate = Some("other.example".into());
    let other = failure(&target, PASSWORD).await;
    assert!(other.text.contains("127.0.0.1") && other.text.contains("localhost"), "{other}");
    target.ca_file = None;
    let stranger = failure(&target, PASSWORD).await;
    assert!(stranger.text.contains("SHA-256") && stranger.text.contains("dbtop simulator CA"), "{stranger}");
}

#[tokio::test]
async fn no_mode_is_weakened_by_what_the_server_offers() {
    let server = Server::start(EncryptionPolicy::NotSupported).await;
    for mode in [TlsMode::Verify, TlsMode::Pin(Fingerprint([1; 32])), TlsMode::Insecure] {
        let refused = failure(&server.target(mode), PASSWORD).await;
        assert_eq!(refused.kind, FailureKind::Tls, "{mode:?}: {refused}");
    }
    assert!(connect(&server.target(TlsMode::Strict), PASSWORD, WITHIN).await.is_err());
    assert_eq!(server.backend.next_spid.load(Ordering::SeqCst), 51, "nobody logged in");
}

#[tokio::test]
async fn a_bearer_token_logs_in_and_a_wrong_one_says_whose_it_is_not() {
    for mode in [TlsMode::Verify, TlsMode::Strict] {
        let server = Server::start(EncryptionPolicy::Optional).await;
        let mut target = server.target(mode);
        target.auth = Auth::Entra { token: SecretRef::Env("UNUSED".into()) };
        let mut conn = connect(&target, &format!("{TOKEN}\n"), WITHIN).await.unwrap();
        assert_eq!(one(&ask(&mut conn, "select 7").await), Some(7));
        let wrong = failure(&target, "eyJ.wrong.token").await;
        assert_eq!(wrong.kind, FailureKind::Login);
        assert!(wrong.text.contains("token") && !wrong.text.contains("eyJ"), "{wrong}");
    }
}

#[tokio::test]
async fn logins_that_this_build_cannot_do_say_so() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut target = server.target(TlsMode::Verify);
    if cfg!(not(feature = "kerberos")) {
        target.auth = Auth::Kerberos;
        let refused = failure(&target, "").await;
        assert_eq!(refused.kind, FailureKind::Config);
        assert!(refused.text.contains("--features kerberos"), "{refused}");
    }
    if cfg!(not(all(windows, feature = "ntlm"))) {
        target.auth = Auth::Ntlm { user: "CORP\\mira".into(), secret: SecretRef::Ask };
        target.info = Arc::clone(&target.info);
        assert!(failure(&target, "x").await.text.contains("NTLM"));
    }
}
