//! The class of a handshake that failed: from the errors of the TLS library and the certificate that the server showed to
//! a row of `model::inventory::tls`. Called by `secure`; for the mode that leaves TLS to the driver, `error` asks
//! [`class_in_words`]. Pure.

use crate::model::inventory::{check::Certificate, instance::TlsMode, tls::TlsRefusal};
use std::io;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as TlsError, PeerIncompatible};

/// The class, and the words of the library where the class needs some. `accepted`: the certificate itself was good. None:
/// it was not about TLS.
pub(super) fn class(
    e: &io::Error,
    mode: &TlsMode,
    shown: Option<&Certificate>,
    accepted: bool,
) -> Option<(TlsRefusal, String)> {
    let strict = *mode == TlsMode::Strict;
    let Some(tls) = e.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) else {
        let class = match e.kind() {
            // The words of `line`, and of the TLS library for records that are none.
            io::ErrorKind::InvalidData => TlsRefusal::NotTls,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
                if shown.is_none() =>
            {
                if strict {
                    TlsRefusal::ClosedAtOnce
                } else {
                    TlsRefusal::HungUp
                }
            }
            _ => return None,
        };
        return Some((class, e.to_string()));
    };
    let class = match tls {
        TlsError::InvalidCertificate(wrong) => of_certificate(wrong, mode, shown, accepted),
        TlsError::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | TlsError::AlertReceived(AlertDescription::ProtocolVersion) => TlsRefusal::OldProtocol,
        TlsError::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NoEcPointFormatsInCommon,
        )
        | TlsError::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
        ) => TlsRefusal::NoCommonCipher,
        TlsError::NoApplicationProtocol
        | TlsError::AlertReceived(AlertDescription::NoApplicationProtocol) => TlsRefusal::NoTds8,
        TlsError::AlertReceived(alert) => return Some((TlsRefusal::Alert, format!("{alert:?}"))),
        TlsError::InvalidMessage(_) if strict && shown.is_none() => TlsRefusal::NoTds8,
        TlsError::InvalidMessage(_)
        | TlsError::InappropriateMessage { .. }
        | TlsError::InappropriateHandshakeMessage { .. }
        | TlsError::PeerSentOversizedRecord => TlsRefusal::NotTls,
        _ => TlsRefusal::Other,
    };
    Some((class, tls.to_string()))
}

fn of_certificate(
    wrong: &CertificateError,
    mode: &TlsMode,
    shown: Option<&Certificate>,
    accepted: bool,
) -> TlsRefusal {
    let made_at_start = shown.is_some_and(|shown| shown.made_at_start);
    if let CertificateError::ApplicationVerificationFailure = wrong {
        // Only a pin refuses with this.
        return if made_at_start { TlsRefusal::MadeAnew } else { TlsRefusal::NotPinned };
    }
    if accepted {
        // The certificate is good, but not the proof that the server holds its key. A key that cannot be checked proves
        // nothing either way, which is no sign of anybody in between.
        return shown.and_then(|shown| shown.key_fault).unwrap_or(TlsRefusal::KeyNotHeld);
    }
    if made_at_start && !matches!(mode, TlsMode::Pin(_)) {
        // Whatever else is wrong with it, this one is never right.
        return TlsRefusal::MadeAtStart;
    }
    match wrong {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsRefusal::Ended,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsRefusal::NotYet,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            if shown.is_some_and(|shown| shown.names.is_empty()) {
                TlsRefusal::NoName
            } else {
                TlsRefusal::OtherName
            }
        }
        CertificateError::UnknownIssuer => TlsRefusal::UnknownIssuer,
        CertificateError::BadSignature => TlsRefusal::BadChain,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            TlsRefusal::OtherPurpose
        }
        CertificateError::Revoked => TlsRefusal::Revoked,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            TlsRefusal::WeakSignature
        }
        other => of_name(&format!("{other:?}")),
    }
}

/// By the names that webpki gives its errors: rustls has no variants for these, and hides their type.
fn of_name(name: &str) -> TlsRefusal {
    if name.contains("CaUsedAsEndEntity") {
        TlsRefusal::CaAsServer
    } else if name.contains("UnsupportedCertVersion") {
        TlsRefusal::OldFormat
    } else if name.contains("UnsupportedSignatureAlgorithm") {
        TlsRefusal::WeakSignature
    } else {
        TlsRefusal::Unreadable
    }
}

/// The class by the driver's words, which hides the error: for the mode in which TLS protects the login only.
pub(super) fn class_in_words(said: &str) -> TlsRefusal {
    let any = |names: &[&str]| names.iter().any(|name| said.contains(name));
    if any(&["HandshakeFailure", "NoCipherSuitesInCommon", "InsufficientSecurity"]) {
        TlsRefusal::NoCommonCipher
    } else if any(&["ProtocolVersion", "ServerDoesNotSupportTls12Or13"]) {
        TlsRefusal::OldProtocol
    } else {
        TlsRefusal::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_rustls::rustls::InvalidMessage;

    fn of(tls: TlsError, mode: TlsMode) -> TlsRefusal {
        class(&io::Error::new(io::ErrorKind::InvalidData, tls), &mode, None, false).unwrap().0
    }

    #[test]
    fn errors_that_no_server_of_ours_makes_have_their_class() {
        use AlertDescription as A;
        for (tls, class) in [
            (TlsError::InvalidCertificate(CertificateError::Revoked), TlsRefusal::Revoked),
            (TlsError::InvalidCertificate(CertificateError::BadEncoding), TlsRefusal::Unreadable),
            (TlsError::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon), TlsRefusal::NoCommonCipher),
            (TlsError::AlertReceived(A::InsufficientSecurity), TlsRefusal::NoCommonCipher),
            (TlsError::AlertReceived(A::InternalError), TlsRefusal::Alert),
            (TlsError::NoApplicationProtocol, TlsRefusal::NoTds8),
            (TlsError::InvalidMessage(InvalidMessage::InvalidContentType), TlsRefusal::NotTls),
            (TlsError::DecryptError, TlsRefusal::Other),
        ] {
            assert_eq!(of(tls.clone(), TlsMode::Verify), class, "{tls:?}");
        }
        let no_tls = TlsError::InvalidMessage(InvalidMessage::InvalidContentType);
        assert_eq!(of(no_tls, TlsMode::Strict), TlsRefusal::NoTds8);
    }

    #[test]
    fn a_connection_that_ends_before_or_after_the_certificate_is_not_the_same() {
        let eof = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let class = |shown, mode: TlsMode| class(&eof(), &mode, shown, false).map(|(class, _)| class);
        assert_eq!(class(None, TlsMode::Verify), Some(TlsRefusal::HungUp));
        assert_eq!(class(None, TlsMode::Strict), Some(TlsRefusal::ClosedAtOnce));
        assert_eq!(class(Some(&Certificate::unreadable()), TlsMode::Verify), None);
    }

    #[test]
    fn the_drivers_words_are_enough_for_what_old_servers_do() {
        assert_eq!(class_in_words("received fatal alert: HandshakeFailure"), TlsRefusal::NoCommonCipher);
        assert_eq!(
            class_in_words("peer is incompatible: ServerDoesNotSupportTls12Or13"),
            TlsRefusal::OldProtocol
        );
        assert_eq!(class_in_words("something"), TlsRefusal::Other);
    }
}
