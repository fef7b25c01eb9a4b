//! Certificates and TLS settings of the simulated fleet: a CA of its own, made at start and never stored, and one
//! leaf certificate for each instance.
//!
//! All leaves share one key, so that a leaf costs one signature (about 0.1 ms) instead of a key pair as well, and
//! each names only its own instance, so that the handshake stays short whatever the size of the fleet.
//! Only this file and `wrapped` know rcgen and rustls.

use std::{net::IpAddr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, KeyPair, KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
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
    leaf: Leaf,
}

/// The kind of certificate that the servers show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Leaf {
    /// as it should be
    #[default]
    Good,
    /// made by the server for itself, anew at each start, as SQL Server does without another one
    MadeAtStart,
    /// signed by itself, and by nobody else
    SelfSigned,
    /// ended at the beginning of a year
    Ends(i32),
    /// begins with a year
    Begins(i32),
    /// without names, but for the common name
    Nameless,
    /// for clients
    ForClients,
    /// an authority's own
    Authority,
    /// signed by another key under the authority's name
    Forged,
    /// signed by an authority that ours signed; the server sends both
    Through(Between),
    /// this one, DER
    This(Vec<u8>),
}

/// The authority between ours and a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// as it should be
    Good,
    /// ended at the beginning of a year
    Ends(i32),
    /// begins with a year
    Begins(i32),
    /// no authority
    NotAuthority,
    /// may vouch for names of another domain only
    OtherNames,
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
        let ca = CertifiedIssuer::self_signed(authority(), KeyPair::generate()?)?;
        let leaf_key = KeyPair::generate()?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let signing_key = aws_lc_rs::sign::any_supported_type(&der)?;
        Ok(Self { ca, leaf_key, signing_key, leaf: Leaf::Good })
    }

    /// The servers show certificates of this kind.
    #[must_use]
    pub fn showing(self, leaf: Leaf) -> Self {
        Self { leaf, ..self }
    }

    /// The servers hold this key (PKCS#8, DER) instead of the one that is in their certificates.
    ///
    /// # Errors
    /// [`TlsError`] if rustls does not know such keys.
    pub fn holding(self, pkcs8: Vec<u8>) -> Result<Self, TlsError> {
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pkcs8));
        Ok(Self { signing_key: aws_lc_rs::sign::any_supported_type(&der)?, ..self })
    }

    /// From now on the servers show their certificates without holding the key, as a man in the middle would.
    ///
    /// # Errors
    /// [`TlsError`] if the system gives no random bytes.
    pub fn without_its_key(self) -> Result<Self, TlsError> {
        self.holding(KeyPair::generate()?.serialize_der())
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
        let chain = CertifiedKey::new(self.chain(address, names)?, Arc::clone(&self.signing_key));
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

impl Tls {
    /// What the server shows: its own certificate, and behind it those of authorities that it sends along.
    fn chain(&self, address: IpAddr, names: &[&str]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let mut leaf = params("dbtop simulated instance");
        leaf.subject_alt_names.push(SanType::IpAddress(address));
        for name in names.iter().chain(&["localhost"]).filter(|name| is_dns_name(name)) {
            leaf.subject_alt_names.push(SanType::DnsName((*name).try_into()?));
        }
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let signed = match &self.leaf {
            Leaf::This(der) => return Ok(vec![der.clone().into()]),
            Leaf::MadeAtStart => {
                // Its signature has a random part: no two are the same.
                let own = params("SSL_Self_Signed_Fallback").self_signed(&self.leaf_key)?;
                return Ok(vec![own.into()]);
            }
            Leaf::SelfSigned => return Ok(vec![leaf.self_signed(&self.leaf_key)?.into()]),
            Leaf::Through(between) => {
                let between = CertifiedIssuer::signed_by(between.params(), KeyPair::generate()?, &self.ca)?;
                let own = leaf.signed_by(&self.leaf_key, &between)?;
                return Ok(vec![own.into(), between.der().clone()]);
            }
            Leaf::Forged => {
                let forger = CertifiedIssuer::self_signed(authority(), KeyPair::generate()?)?;
                leaf.signed_by(&self.leaf_key, &forger)?
            }
            kind => {
                match kind {
                    Leaf::Ends(year) => leaf.not_after = date_time_ymd(*year, 1, 1),
                    Leaf::Begins(year) => leaf.not_before = date_time_ymd(*year, 1, 1),
                    Leaf::Nameless => leaf.subject_alt_names.clear(),
                    Leaf::ForClients => leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
                    Leaf::Authority => leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
                    _ => {}
                }
                leaf.signed_by(&self.leaf_key, &self.ca)?
            }
        };
        Ok(vec![signed.into()])
    }
}

impl Between {
    fn params(self) -> CertificateParams {
        let mut between = params("dbtop simulator CA 2");
        between.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        match self {
            Self::Good => {}
            Self::Ends(year) => between.not_after = date_time_ymd(year, 1, 1),
            Self::Begins(year) => between.not_before = date_time_ymd(year, 1, 1),
            Self::NotAuthority => between.is_ca = IsCa::ExplicitNoCa,
            Self::OtherNames => {
                between.name_constraints = Some(NameConstraints {
                    permitted_subtrees: vec![GeneralSubtree::DnsName("other.example".to_owned())],
                    excluded_subtrees: Vec::new(),
                });
            }
        }
        between
    }
}

fn authority() -> CertificateParams {
    let mut ca = params("dbtop simulator CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca
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
