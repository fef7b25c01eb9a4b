//! The fields of a certificate, for people, and the check of a signature with its key. Called by `judge` and `check`. The
//! bytes come from a server that is not trusted yet.

use crate::model::{
    base::{text::sanitize_line, time::Timestamp},
    inventory::{check::Certificate, instance::Fingerprint, tls::TlsRefusal},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio_rustls::rustls::{DigitallySignedStruct, crypto::WebPkiSupportedAlgorithms};
use x509_parser::{
    extensions::GeneralName,
    oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_SIG_ED25519, Oid},
    prelude::{FromDer, X509Certificate},
    public_key::PublicKey,
};

/// The longest name that is shown, characters.
const NAME_CHARS: usize = 200;
/// The common name of the certificate that SQL Server makes for itself (documented with "Force Encryption").
const MADE_AT_START: &str = "SSL_Self_Signed_Fallback";
/// Signatures by RSA keys of these sizes are checked by the TLS library (aws-lc: `RSA_PKCS1_2048_8192_*`).
const LEAST_RSA_BITS: usize = 2048;
const MOST_RSA_BITS: usize = 8192;
/// And signatures by keys on these curves.
const CURVES: [Oid<'_>; 3] = [OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521];
/// The most names of a certificate that are shown.
const MAX_NAMES: usize = 8;

/// SHA-256 of the certificate.
pub(super) fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(der).into())
}

/// Its fields; unreadable ones stay empty.
pub(super) fn describe(der: &[u8], known: &WebPkiSupportedAlgorithms) -> Certificate {
    let mut told = Certificate { fingerprint: fingerprint(der), ..Certificate::unreadable() };
    let Ok((_, cert)) = X509Certificate::from_der(der) else { return told };
    told.subject = sanitize_line(&cert.subject().to_string(), NAME_CHARS);
    told.issuer = sanitize_line(&cert.issuer().to_string(), NAME_CHARS);
    let at = |t: x509_parser::time::ASN1Time| Some(Timestamp::from_ms(t.timestamp().checked_mul(1000)?));
    told.not_before = at(cert.validity().not_before);
    told.not_after = at(cert.validity().not_after);
    let names = cert.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|san| &san.value.general_names);
    told.names = names.filter_map(name).take(MAX_NAMES).collect();
    (told.key, told.key_fault) = key(&cert);
    told.made_at_start = is_made_at_start(&cert, known);
    told
}

/// The kind and size of its key, and why a signature by it cannot be checked.
fn key(cert: &X509Certificate<'_>) -> (Arc<str>, Option<TlsRefusal>) {
    let Ok(key) = cert.public_key().parsed() else { return ("unknown".into(), Some(TlsRefusal::OtherKey)) };
    let bits = key.key_size();
    match key {
        PublicKey::RSA(_) => {
            let fault = match bits {
                0..LEAST_RSA_BITS => Some(TlsRefusal::ShortKey),
                LEAST_RSA_BITS..=MOST_RSA_BITS => None,
                _ => Some(TlsRefusal::OtherKey),
            };
            (format!("RSA {bits}").into(), fault)
        }
        PublicKey::EC(_) => {
            let curve = cert.public_key().algorithm.parameters.as_ref().and_then(|named| named.as_oid().ok());
            let is_known = curve.is_some_and(|curve| CURVES.contains(&curve));
            (format!("ECDSA {bits}").into(), (!is_known).then_some(TlsRefusal::OtherKey))
        }
        _ => {
            let kind = &cert.public_key().algorithm.algorithm;
            let fault = (*kind != OID_SIG_ED25519).then_some(TlsRefusal::OtherKey);
            (
                if fault.is_none() { "Ed25519".into() } else { sanitize_line(&kind.to_string(), NAME_CHARS) },
                fault,
            )
        }
    }
}

/// True for the certificate that SQL Server makes for itself when it starts without another one: it is known by its subject,
/// and by having signed itself. Anybody can make such a one, so this is worth a sentence and no trust.
fn is_made_at_start(cert: &X509Certificate<'_>, known: &WebPkiSupportedAlgorithms) -> bool {
    let mut names = cert.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    if cert.subject().as_raw() != cert.issuer().as_raw() || !names.any(|name| name == MADE_AT_START) {
        return false;
    }
    let algorithm = cert.signature_algorithm.algorithm.as_bytes();
    let (body, signature) = (cert.tbs_certificate.as_ref(), &cert.signature_value.data);
    let key = &cert.public_key().subject_public_key.data;
    // The identifier of an algorithm begins with its OID: tag, length, bytes.
    let of_kind = known
        .all
        .iter()
        .filter(|kind| kind.signature_alg_id().as_ref().get(2..).is_some_and(|id| id.starts_with(algorithm)));
    let mut checks = of_kind.map(|kind| kind.verify_signature(key, body, signature).is_ok()).peekable();
    // Old ones are signed with SHA-1 or have a short key, which nobody checks any more.
    checks.peek().is_none() || self::key(cert).1.is_some() || checks.any(|good| good)
}

fn name(name: &GeneralName<'_>) -> Option<Arc<str>> {
    match name {
        GeneralName::DNSName(dns) => Some(sanitize_line(dns, NAME_CHARS)),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let any = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
            any.ok().map(|ip| ip.to_string().into())
        }
        _ => None,
    }
}

/// True if the signer of `message` holds the certificate's key. Works for certificates of X.509 version 1 too, as SQL
/// Server makes them for itself on Linux. Nothing else about the certificate is checked.
pub(super) fn signed_by(
    der: &[u8],
    message: &[u8],
    signature: &DigitallySignedStruct,
    known: &WebPkiSupportedAlgorithms,
) -> bool {
    let Ok((_, cert)) = X509Certificate::from_der(der) else { return false };
    let key = &cert.public_key().subject_public_key.data;
    let of_scheme = known.mapping.iter().filter(|(scheme, _)| *scheme == signature.scheme);
    // A scheme stands for several curves; the algorithm itself refuses a key of another kind.
    let mut algorithms = of_scheme.flat_map(|(_, algorithms)| *algorithms);
    algorithms.any(|algorithm| algorithm.verify_signature(key, message, signature.signature()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> WebPkiSupportedAlgorithms {
        tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms
    }

    #[test]
    fn a_certificate_is_described_and_rubbish_only_has_a_fingerprint() {
        let mut params = rcgen::CertificateParams::new(vec!["db1.example".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "db1\u{1b}[2J");
        params.not_after = rcgen::date_time_ymd(2030, 1, 2);
        let der = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let told = describe(&der, &known());
        assert!(told.subject.starts_with("CN=db1") && !told.subject.contains('\u{1b}'), "{}", told.subject);
        assert_eq!(told.subject, told.issuer);
        assert_eq!(told.names, ["db1.example".into()]);
        assert_eq!((&*told.key, told.key_fault, told.made_at_start), ("ECDSA 256", None, false));
        assert_eq!(told.not_after, Some(Timestamp::from_ms(1_893_542_400_000)));
        assert_eq!(told.fingerprint, fingerprint(&der));
        // The same on another curve, of which the library checks no signature.
        let (p256, p192) = (b"\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x2a\x86\x48\xce\x3d\x03\x01\x01");
        let at = der.windows(p256.len()).position(|bytes| bytes == p256).unwrap();
        let mut other = der.clone();
        other[at..at + p192.len()].copy_from_slice(p192);
        let told_other = describe(&other, &known());
        assert_eq!((&*told_other.key, told_other.key_fault), ("ECDSA 256", Some(TlsRefusal::OtherKey)));
        let rubbish = describe(b"rubbish", &known());
        assert_eq!((&*rubbish.subject, rubbish.not_after), ("", None));
        assert_ne!(rubbish.fingerprint, told.fingerprint);
    }
}
