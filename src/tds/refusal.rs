//! The class of a handshake that failed: from the errors of the TLS library and the certificate that the server showed to
//! a row of `model::inventory::tls`. Called by `secure`; for the mode that leaves TLS to the driver, `error` asks
//! [`class_in_words`]. Pure.

use crate::model::{
    base::time::Timestamp,
    inventory::{check::Certificate, instance::TlsMode, tls::TlsRefusal},
};
use std::io;
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, Error as TlsError, PeerIncompatible, pki_types::UnixTime,
};

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
        TlsError::InvalidCertificate(wrong) => {
            let class = of_certificate(wrong, mode, shown, accepted);
            if class == TlsRefusal::IssuerDates {
                return Some((class, dates(wrong)));
            }
            class
        }
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
        TlsError::AlertReceived(AlertDescription::UnrecognisedName) => TlsRefusal::NameNotKnown,
        TlsError::AlertReceived(alert) => return Some((of_alert(*alert), format!("{alert:?}"))),
        TlsError::NoCertificatesPresented => TlsRefusal::NoCertificate,
        TlsError::InvalidMessage(_) if strict && shown.is_none() => TlsRefusal::NoTds8,
        TlsError::InvalidMessage(_)
        | TlsError::InappropriateMessage { .. }
        | TlsError::InappropriateHandshakeMessage { .. }
        | TlsError::PeerSentOversizedRecord => TlsRefusal::NotTls,
        _ => TlsRefusal::Other,
    };
    Some((class, tls.to_string()))
}

/// What else an alert is about, if anything.
const fn of_alert(alert: AlertDescription) -> TlsRefusal {
    match alert {
        AlertDescription::CertificateRequired
        | AlertDescription::NoCertificate
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA => TlsRefusal::WantsOurs,
        _ => TlsRefusal::Alert,
    }
}

/// When a certificate began or ended that is not the server's own.
fn dates(wrong: &CertificateError) -> String {
    let day = |at: UnixTime| {
        i64::try_from(at.as_secs()).map_or_else(
            |_| "a day that no calendar has".to_owned(),
            |s| Timestamp::from_ms(s.saturating_mul(1_000)).day(),
        )
    };
    match wrong {
        CertificateError::ExpiredContext { not_after, .. } => format!("ended on {}", day(*not_after)),
        CertificateError::NotValidYetContext { not_before, .. } => format!("begins on {}", day(*not_before)),
        other => other.to_string(),
    }
}

/// True if the server's own certificate is valid at that time: then it is an authority's that is not.
fn is_in_its_time(shown: Option<&Certificate>, at: UnixTime) -> bool {
    let at = i64::try_from(at.as_secs()).map(|s| Timestamp::from_ms(s.saturating_mul(1_000)));
    let (Some(shown), Ok(at)) = (shown, at) else { return false };
    shown.not_before.is_some_and(|begins| begins <= at) && shown.not_after.is_some_and(|ends| at <= ends)
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
        CertificateError::ExpiredContext { time, .. } | CertificateError::NotValidYetContext { time, .. }
            if is_in_its_time(shown, *time) =>
        {
            TlsRefusal::IssuerDates
        }
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
        CertificateError::UnhandledCriticalExtension => TlsRefusal::UnknownExtension,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            TlsRefusal::WeakSignature
        }
        other => of_name(&format!("{other:?}")),
    }
}

/// By the names that webpki gives its errors: rustls has no variants for these, and hides their type.
fn of_name(name: &str) -> TlsRefusal {
    let any = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if any(&["CaUsedAsEndEntity"]) {
        TlsRefusal::CaAsServer
    } else if any(&["EndEntityUsedAsCa", "PathLenConstraintViolated", "MaximumPathDepthExceeded"]) {
        TlsRefusal::IssuerNotAuthority
    } else if any(&["NameConstraintViolation"]) {
        TlsRefusal::IssuerNotForName
    } else if any(&["EmptyEkuExtension"]) {
        TlsRefusal::OtherPurpose
    } else if any(&["InvalidSerialNumber"]) {
        TlsRefusal::BadSerial
    } else if any(&["UnsupportedCertVersion"]) {
        TlsRefusal::OldFormat
    } else if any(&["UnsupportedSignatureAlgorithm", "SignatureAlgorithmMismatch"]) {
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
            (TlsError::AlertReceived(A::CertificateRequired), TlsRefusal::WantsOurs),
            (TlsError::AlertReceived(A::BadCertificate), TlsRefusal::WantsOurs),
            (TlsError::AlertReceived(A::UnrecognisedName), TlsRefusal::NameNotKnown),
            (TlsError::NoCertificatesPresented, TlsRefusal::NoCertificate),
            (
                TlsError::InvalidCertificate(CertificateError::UnhandledCriticalExtension),
                TlsRefusal::UnknownExtension,
            ),
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
    fn faults_without_a_variant_of_their_own_are_known_by_their_name() {
        for (name, class) in [
            ("CaUsedAsEndEntity", TlsRefusal::CaAsServer),
            ("EndEntityUsedAsCa", TlsRefusal::IssuerNotAuthority),
            ("PathLenConstraintViolated", TlsRefusal::IssuerNotAuthority),
            ("NameConstraintViolation", TlsRefusal::IssuerNotForName),
            ("EmptyEkuExtension", TlsRefusal::OtherPurpose),
            ("InvalidSerialNumber", TlsRefusal::BadSerial),
            ("UnsupportedCertVersion", TlsRefusal::OldFormat),
            ("SignatureAlgorithmMismatch", TlsRefusal::WeakSignature),
            ("ExtensionValueInvalid", TlsRefusal::Unreadable),
        ] {
            assert_eq!(of_name(&format!("Other(OtherError({name}))")), class, "{name}");
        }
    }

    #[test]
    fn who_is_out_of_time_is_the_one_that_is_called_so() {
        let at = |s: u64| UnixTime::since_unix_epoch(std::time::Duration::from_secs(s));
        let (day, year) = (86_400, 366 * 86_400);
        let now = 30 * year;
        let shown = |begins: u64, ends: u64| Certificate {
            not_before: Some(Timestamp::from_ms(begins as i64 * 1_000)),
            not_after: Some(Timestamp::from_ms(ends as i64 * 1_000)),
            ..Certificate::unreadable()
        };
        let ended = CertificateError::ExpiredContext { time: at(now), not_after: at(day) };
        let not_yet = CertificateError::NotValidYetContext { time: at(now), not_before: at(40 * year) };
        let class = |wrong: &CertificateError, shown: Option<&Certificate>| {
            of_certificate(wrong, &TlsMode::Verify, shown, false)
        };
        let good = shown(year, 31 * year);
        assert_eq!(class(&ended, Some(&good)), TlsRefusal::IssuerDates);
        assert_eq!(class(&not_yet, Some(&good)), TlsRefusal::IssuerDates);
        assert_eq!(dates(&ended), "ended on 1970-01-02");
        assert!(dates(&not_yet).starts_with("begins on 2010-"), "{}", dates(&not_yet));
        assert_eq!(class(&ended, Some(&shown(year, 29 * year))), TlsRefusal::Ended);
        assert_eq!(class(&not_yet, Some(&shown(31 * year, 40 * year))), TlsRefusal::NotYet);
        assert_eq!(class(&ended, None), TlsRefusal::Ended, "nobody knows whose");
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
