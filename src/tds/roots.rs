//! The authorities whose certificates are trusted: the public ones that are compiled in, those of the operating system
//! (read once at start; at every connect it would cost 3 ms), and the CA file of an instance.

use crate::model::base::failure::{Failure, FailureKind};
use std::sync::Arc;
use tokio_rustls::rustls::{
    RootCertStore,
    client::WebPkiServerVerifier,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, pem::PemObject},
};

/// Trusted authorities, and the cryptography of all connections. Cheap to clone.
#[derive(Clone)]
pub struct Roots {
    provider: Arc<CryptoProvider>,
    /// None: nothing is trusted
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

impl Default for Roots {
    fn default() -> Self {
        Self::public()
    }
}

impl Roots {
    /// Only the public authorities.
    pub fn public() -> Self {
        Self::of(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// Reads the operating system's store: some 10 ms of blocking file access, to be called once at start. Unreadable
    /// certificates are left out and logged.
    pub fn load() -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!("reading the system's certificate authorities: {error}");
        }
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let (added, ignored) = store.add_parsable_certificates(found.certs);
        tracing::debug!(added, ignored, "system certificate authorities read");
        Self::of(store)
    }

    fn of(store: RootCertStore) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        // Building fails only for an empty store; then every connection says that nothing is trusted.
        let verifier = verifier(&Arc::new(store), &provider).ok();
        Self { provider, verifier }
    }

    pub(super) fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
    }

    /// Who judges a certificate, in the order in which they are asked: the authorities of a CA file (PEM, or one DER certificate) if
    /// there is one, `shown` names it; then those that all connections share. A connection holds its verifiers for life: a copy
    /// of all authorities for each would be most of its memory.
    ///
    /// # Errors
    /// The file holds no certificate; without a file, nothing is trusted.
    pub(super) fn verifiers(
        &self,
        ca: Option<(&[u8], &str)>,
    ) -> Result<Vec<Arc<WebPkiServerVerifier>>, Failure> {
        let config = |text: String| Failure::new(FailureKind::Config, text);
        let own = ca.map(|(bytes, shown)| self.own(bytes, shown)).transpose().map_err(config)?;
        let all: Vec<_> = own.into_iter().chain(self.verifier.clone()).collect();
        if all.is_empty() { Err(config("no certificate authority is trusted".to_owned())) } else { Ok(all) }
    }

    /// The verifier of a CA file's authorities.
    fn own(&self, bytes: &[u8], shown: &str) -> Result<Arc<WebPkiServerVerifier>, String> {
        let mut certs: Vec<_> = CertificateDer::pem_slice_iter(bytes).flatten().collect();
        if certs.is_empty() {
            certs.push(CertificateDer::from(bytes.to_vec()));
        }
        let mut store = RootCertStore::empty();
        let (added, _) = store.add_parsable_certificates(certs);
        if added == 0 {
            return Err(format!(
                "read the certificate authority {shown}: no certificate in it; check ca_file"
            ));
        }
        verifier(&Arc::new(store), &self.provider)
            .map_err(|e| format!("use the certificate authority {shown}: {e}; check ca_file"))
    }
}

fn verifier(
    store: &Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, tokio_rustls::rustls::server::VerifierBuilderError> {
    WebPkiServerVerifier::builder_with_provider(Arc::clone(store), Arc::clone(provider)).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_without_a_certificate_is_named() {
        let failure = Roots::public().verifiers(Some((b"nothing", "ca.pem"))).err().unwrap();
        assert_eq!(failure.kind, FailureKind::Config);
        assert!(failure.text.contains("ca.pem"), "{failure}");
        assert!(Roots::public().verifiers(None).is_ok());
    }
}
