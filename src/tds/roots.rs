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
    store: Arc<RootCertStore>,
    /// of `store` alone, for instances without a CA file
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
        let store = Arc::new(store);
        // Building fails only for an empty store; then every connection says that nothing is trusted.
        let verifier = verifier(&store, &provider).ok();
        Self { provider, store, verifier }
    }

    pub(super) fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
    }

    /// The verifier, with the authorities of a CA file (PEM, or one DER certificate) if there is one; `shown` names it.
    ///
    /// # Errors
    /// The file holds no certificate.
    pub(super) fn verifier(&self, ca: Option<(&[u8], &str)>) -> Result<Arc<WebPkiServerVerifier>, Failure> {
        let config = |text: String| Failure::new(FailureKind::Config, text);
        let Some((bytes, shown)) = ca else {
            return self
                .verifier
                .clone()
                .ok_or_else(|| config("no certificate authority is trusted".to_owned()));
        };
        let mut certs: Vec<_> = CertificateDer::pem_slice_iter(bytes).flatten().collect();
        if certs.is_empty() {
            certs.push(CertificateDer::from(bytes.to_vec()));
        }
        let mut store = RootCertStore::clone(&self.store);
        let (added, _) = store.add_parsable_certificates(certs);
        if added == 0 {
            let text = format!("read the certificate authority {shown}: no certificate in it; check ca_file");
            return Err(config(text));
        }
        verifier(&Arc::new(store), &self.provider)
            .map_err(|e| config(format!("use the certificate authority {shown}: {e}; check ca_file")))
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
        let failure = Roots::public().verifier(Some((b"nothing", "ca.pem"))).err().unwrap();
        assert_eq!(failure.kind, FailureKind::Config);
        assert!(failure.text.contains("ca.pem"), "{failure}");
        assert!(Roots::public().verifier(None).is_ok());
    }
}
