//! The fields of a certificate, for people, and the check of a signature with its key. Called by `judge` and `check`. The
//! bytes come from a server that is not trusted yet.

use crate::model::{
    base::{text::sanitize_line, time::Timestamp},
    inventory::{check::Certificate, instance::Fingerprint},
};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::{DigitallySignedStruct, crypto::WebPkiSupportedAlgorithms};
use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer, X509Certificate},
};

/// The longest name that is shown, characters.
const NAME_CHARS: usize = 200;
/// The most names of a certificate that are shown.
const MAX_NAMES: usize = 8;

/// SHA-256 of the certificate.
pub(super) fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(der).into())
}

/// Its fields; unreadable ones stay empty.
pub(super) fn describe(der: &[u8]) -> Certificate {
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
    told
}

fn name(name: &GeneralName<'_>) -> Option<std::sync::Arc<str>> {
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

    #[test]
    fn a_certificate_is_described_and_rubbish_only_has_a_fingerprint() {
        let mut params = rcgen::CertificateParams::new(vec!["db1.example".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "db1\u{1b}[2J");
        params.not_after = rcgen::date_time_ymd(2030, 1, 2);
        let der = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let told = describe(&der);
        assert!(told.subject.starts_with("CN=db1") && !told.subject.contains('\u{1b}'), "{}", told.subject);
        assert_eq!(told.subject, told.issuer);
        assert_eq!(told.names, ["db1.example".into()]);
        assert_eq!(told.not_after, Some(Timestamp::from_ms(1_893_542_400_000)));
        assert_eq!(told.fingerprint, fingerprint(&der));
        let rubbish = describe(b"rubbish");
        assert_eq!((&*rubbish.subject, rubbish.not_after), ("", None));
        assert_ne!(rubbish.fingerprint, told.fingerprint);
    }
}
