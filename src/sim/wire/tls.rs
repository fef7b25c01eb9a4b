//! Certificates and TLS settings of the simulated fleet: a CA of its own, made at start and never stored, and one
//! leaf certificate for each instance.
//!
//! All leaves share one key, so that a leaf costs one signature (about 0.1 ms) instead of a key pair as well, and
//! each names only its own instance, so that the handshake stays short whatever the size of the fleet.
//! Only this file and `wrapped` know rcgen and rustls.

use std::{net::IpAddr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
        server::NoServerSessionStorage,
        sign::{CertifiedKey, SigningKey, SingleCertAndKey},
        version::{TLS12, TLS13},
    },
};

/// The ALPN name of TDS 8.0.
const ALPN_TDS8: &[u8] = b"tds/8.0";

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// rcgen refused
    #[error("could not make a certificate for the simulated fleet: {0}")]
    Certificate(#[from] rcgen::Error),
    /// rustls refused the key
    #[error("could not set up TLS for the simulated fleet: {0}")]
    Setup(#[from] rustls::Error),
}

/// The fleet's certificate authority and the key that all its leaf certificates share.
pub struct Tls {
    ca: CertifiedIssuer<'static, KeyPair>,
    leaf_key: KeyPair,
    signing_key: Arc<dyn SigningKey>,
    /// the year in which leaf certificates end
    ends_in: i32,
}

/// The year in which certificates end unless a test wants another.
const FAR_YEAR: i32 = 2099;

/// The TLS settings of one instance.
#[derive(Clone)]
pub struct Acceptors {
    /// for TLS inside TDS packets: TLS 1.2 only
    pub wrapped: TlsAcceptor,
    /// for TDS 8.0: TLS 1.2 or 1.3, with ALPN
    pub strict: TlsAcceptor,
}

impl Tls {
    /// Makes a new CA and the leaves' key.
    ///
    /// # Errors
    /// [`TlsError`] if the system gives no random bytes.
    pub fn new() -> Result<Self, TlsError> {
        let mut ca = params("dbtop simulator CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
        let leaf_key = KeyPair::generate()?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let signing_key = aws_lc_rs::sign::any_supported_type(&der)?;
        Ok(Self { ca, leaf_key, signing_key, ends_in: FAR_YEAR })
    }

    /// Leaf certificates end at the beginning of `year`.
    #[must_use]
    pub fn ending_in(self, year: i32) -> Self {
        Self { ends_in: year, ..self }
    }

    /// From now on the servers show their certificates without holding the key, as a man in the middle would.
    ///
    /// # Errors
    /// [`TlsError`] if the system gives no random bytes.
    pub fn without_its_key(self) -> Result<Self, TlsError> {
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KeyPair::generate()?.serialize_der()));
        Ok(Self { signing_key: aws_lc_rs::sign::any_supported_type(&der)?, ..self })
    }

    /// The CA certificate, for a client's trust file.
    pub fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// The settings of an instance that is reached as `address`, `localhost` or one of `names`. A name that cannot
    /// stand in a certificate is left out.
    ///
    /// # Errors
    /// [`TlsError`] if signing fails.
    pub fn acceptors(&self, address: IpAddr, names: &[&str]) -> Result<Acceptors, TlsError> {
        let mut leaf = params("dbtop simulated instance");
        leaf.not_after = date_time_ymd(self.ends_in, 1, 1);
        leaf.subject_alt_names.push(SanType::IpAddress(address));
        for name in names.iter().chain(&["localhost"]).filter(|name| is_dns_name(name)) {
            leaf.subject_alt_names.push(SanType::DnsName((*name).try_into()?));
        }
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = leaf.signed_by(&self.leaf_key, &self.ca)?;
        let chain = CertifiedKey::new(vec![certificate.into()], Arc::clone(&self.signing_key));
        let resolver = Arc::new(SingleCertAndKey::from(chain));
        let config = |versions, alpn: &[&[u8]]| -> Result<TlsAcceptor, TlsError> {
            let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(versions)?
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(&resolver) as _);
            config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
            // A resumed handshake ends with the client's message, which the wrapping in TDS packets cannot carry.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            Ok(TlsAcceptor::from(Arc::new(config)))
        };
        Ok(Acceptors { wrapped: config(&[&TLS12], &[])?, strict: config(&[&TLS13, &TLS12], &[ALPN_TDS8])? })
    }
}

fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(FAR_YEAR, 1, 1);
    params
}

fn is_dns_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_left_out_of_the_certificate() {
        let tls = Tls::new().unwrap();
        let address = IpAddr::from([127, 1, 0, 9]);
        tls.acceptors(address, &["HOST\\INST", "", "127.0.0.1", "db-1.example"]).unwrap();
        assert!(is_dns_name("db-1.example"));
        assert!(!is_dns_name("HOST\\INST"));
        assert!(tls.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    }
}
