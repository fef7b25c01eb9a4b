//! The judge of a server's certificate: authorities, a pin, or nobody. Made by `secure` for each connection; keeps the
//! certificate, so that a refusal can name it.

use super::certificate;
use crate::model::inventory::instance::Fingerprint;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// The rule by which a certificate is judged.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// name, time and chain, by these authorities: the next are asked where the issuer is unknown to the ones before; never empty
    Authorities(Vec<Arc<WebPkiServerVerifier>>),
    /// it must be this one, and the server must hold its key; its fields do not matter
    Pin(Fingerprint),
    /// any certificate is accepted
    Anything,
}

/// The judge of one connection.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) rule: Rule,
    pub(super) provider: Arc<CryptoProvider>,
    /// what the server showed, and the verdict on it
    pub(super) seen: Arc<Seen>,
}

/// What one handshake showed.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// the server's own certificate, DER; set once, whatever the verdict
    certificate: OnceLock<Vec<u8>>,
    /// it was accepted: what is refused after that is the proof that the server holds its key
    accepted: AtomicBool,
}

impl Seen {
    /// The server's own certificate, DER.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        self.certificate.get().map(Vec::as_slice)
    }

    /// True if the certificate was accepted.
    pub(super) fn is_accepted(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Judge {
    /// Checks the signature of the handshake, which proves that the server holds the key. With a pin this is essential, as
    /// anybody can copy a certificate. Authorities judge it `by_authorities`.
    fn signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
        by_authorities: impl FnOnce(&WebPkiServerVerifier) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        match &self.rule {
            // A signature is no question of authorities: all of them check it alike.
            Rule::Authorities(all) => match all.first() {
                Some(any) => by_authorities(any),
                None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
            },
            Rule::Pin(_) if !certificate::signed_by(cert, message, signature, known) => {
                Err(Error::InvalidCertificate(CertificateError::BadSignature))
            }
            Rule::Pin(_) | Rule::Anything => Ok(HandshakeSignatureValid::assertion()),
        }
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // One judge for each handshake: it cannot be set already.
        let _ = self.seen.certificate.set(end_entity.to_vec());
        let verdict = match &self.rule {
            Rule::Authorities(all) => {
                let unknown = || Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));
                let by = |one: &Arc<WebPkiServerVerifier>| {
                    one.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                };
                all.iter().fold(unknown(), |verdict, next| match verdict {
                    Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => by(next),
                    said => said,
                })
            }
            Rule::Pin(pin) if certificate::fingerprint(end_entity) != *pin => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            Rule::Pin(_) | Rule::Anything => Ok(ServerCertVerified::assertion()),
        };
        self.seen.accepted.store(verdict.is_ok(), Ordering::Relaxed);
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, cert, dss, |all| all.verify_tls12_signature(message, cert, dss))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, cert, dss, |all| all.verify_tls13_signature(message, cert, dss))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
