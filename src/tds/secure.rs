//! From a socket to a line that the driver can log in over: PRELOGIN and TLS, both ours. The driver has no pins, does not
//! hand out the server's certificate and reads its authorities anew at every connect; so it gets a line that is secured
//! already.
//! Called by `connect` and `check`.

use super::{
    Roots,
    budget::Budgeted,
    certificate, error,
    judge::{Judge, Rule, Seen},
    line::{Line, Secured, Wrapped},
    prelogin, refusal,
};
use crate::model::{
    base::{
        failure::{Failure, FailureKind, Obstacle},
        text::sanitize_line,
    },
    inventory::{
        check::{Certificate, TlsFacts},
        instance::{Target, TlsMode},
        tls::{TlsFindings, TlsRefusal},
    },
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::Arc,
};
use tokio::io::AsyncWriteExt;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, Error as TlsError,
        client::{Resumption, WebPkiServerVerifier, danger::ServerCertVerifier},
        pki_types::ServerName,
        version::{TLS12, TLS13},
    },
};

/// The ALPN name of TDS 8.0.
const ALPN_TDS8: &[u8] = b"tds/8.0";

/// The reason why there is no line, and the server's certificate if it showed one.
pub(super) struct Broken {
    pub(super) failure: Failure,
    pub(super) certificate: Option<Certificate>,
    /// its class; None: it did not come to TLS
    pub(super) refusal: Option<TlsRefusal>,
}

impl Broken {
    /// The failure by itself: with the fingerprint of the certificate, where it could be pinned.
    pub(super) fn told(self) -> Failure {
        match (self.refusal, &self.certificate) {
            (Some(class), Some(shown)) if class.pin_helps() => {
                let text = format!("{} (shown: SHA-256 {})", self.failure.text, shown.fingerprint);
                Failure { text: text.into(), ..self.failure }
            }
            _ => self.failure,
        }
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { failure, certificate: None, refusal: None }
    }
}

/// Does PRELOGIN and TLS as the target's mode asks for, with `host` as the server's name. Nothing secret is sent. With the
/// modes that leave TLS to the driver or have none, this does nothing.
///
/// # Errors
/// TLS failed, or the server does not speak TDS. A connection weaker than the mode is never returned.
pub(super) async fn secure(
    socket: Budgeted,
    target: &Target,
    host: &str,
    roots: &Roots,
) -> Result<(Line, Option<TlsFacts>), Broken> {
    let rule = match target.info.tls {
        TlsMode::LoginOnly | TlsMode::Off => return Ok((Line::Socket(socket), None)),
        TlsMode::Insecure => Rule::Anything,
        TlsMode::Pin(pin) => Rule::Pin(pin),
        TlsMode::Verify | TlsMode::Strict => Rule::Authorities(authorities(target, roots).await?),
    };
    handshake(socket, target, host, roots, rule).await
}

/// Fetches the server's certificate without judging it, for trust on first use. No login follows.
///
/// # Errors
/// As [`secure`].
pub(super) async fn look(socket: Budgeted, target: &Target, roots: &Roots) -> Result<TlsFacts, Broken> {
    let (_, facts) = handshake(socket, target, &target.endpoint.host, roots, Rule::Anything).await?;
    facts.ok_or_else(|| Failure::new(FailureKind::Tls, "the server showed no certificate").into())
}

async fn authorities(target: &Target, roots: &Roots) -> Result<Vec<Arc<WebPkiServerVerifier>>, Failure> {
    match &target.ca_file {
        None => roots.verifiers(None),
        Some(file) => {
            let shown = sanitize_line(&file.display().to_string(), 300);
            roots.verifiers(Some((&read_ca(file.clone(), &shown).await?, &shown)))
        }
    }
}

async fn handshake(
    mut socket: Budgeted,
    target: &Target,
    host: &str,
    roots: &Roots,
    rule: Rule,
) -> Result<(Line, Option<TlsFacts>), Broken> {
    let address = &*target.info.address;
    let token = matches!(target.auth, crate::model::inventory::record::Auth::Entra { .. });
    let strict = target.info.tls == TlsMode::Strict;
    let early = |e: io::Error| Broken::from(error::before_login(&e, address));
    let mut reply = None;
    if !strict {
        let answer = play(&mut socket, token).await.map_err(early)?;
        if !answer.encrypts() {
            return Err(refused(TlsRefusal::NoTls, "", target, None));
        }
        reply = Some(answer);
    }
    let seen = Arc::new(Seen::default());
    let judge = Judge { rule: rule.clone(), provider: roots.provider(), seen: Arc::clone(&seen) };
    let config = client(strict, Arc::new(judge), roots)
        .map_err(|e| refused(TlsRefusal::Other, &e.to_string(), target, None))?;
    let named = target.host_in_certificate.as_deref().unwrap_or(host);
    let name = server_name(named, &rule, address)?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, Wrapped::new(socket, !strict)).await;
    let known = roots.provider().signature_verification_algorithms;
    let certificate = seen.certificate().map(|der| certificate::describe(der, &known));
    let mut tls = match connected {
        Ok(tls) => tls,
        Err(e) => return Err(broken(&e, target, &seen, certificate)),
    };
    tls.get_mut().0.unwrap_from_now_on();
    let facts = facts(&tls, certificate);
    let reply = match reply {
        Some(reply) => reply,
        None => play(&mut tls, token).await.map_err(early)?,
    };
    Ok((Line::Secured(Box::new(Secured::new(tls, reply.for_driver()))), Some(facts)))
}

async fn play(
    line: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin),
    token: bool,
) -> io::Result<prelogin::Reply> {
    line.write_all(&prelogin::ask(token)).await?;
    line.flush().await?;
    prelogin::read(line).await
}

fn client(strict: bool, judge: Arc<dyn ServerCertVerifier>, roots: &Roots) -> Result<ClientConfig, TlsError> {
    // TLS in packets must be 1.2: 1.3 sends records after its handshake, and no packet carries them then.
    let versions: &[_] = if strict { &[&TLS13, &TLS12] } else { &[&TLS12] };
    let mut config = ClientConfig::builder_with_provider(roots.provider())
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(judge)
        .with_no_client_auth();
    // A resumed session shows no certificate.
    config.resumption = Resumption::disabled();
    if strict {
        config.alpn_protocols = vec![ALPN_TDS8.to_vec()];
    }
    Ok(config)
}

fn server_name(name: &str, rule: &Rule, address: &str) -> Result<ServerName<'static>, Failure> {
    match (ServerName::try_from(name.to_owned()), rule) {
        (Ok(name), _) => Ok(name),
        // Nobody compares this name, and an address is never sent.
        (Err(_), Rule::Pin(_) | Rule::Anything) => Ok(IpAddr::from(Ipv4Addr::LOCALHOST).into()),
        (Err(_), Rule::Authorities(_)) => {
            let text = format!(
                "TLS with {address}: no certificate can have the name {}; say in host_in_certificate which one it has",
                sanitize_line(name, 256)
            );
            Err(Failure::new(FailureKind::Config, text))
        }
    }
}

fn facts(tls: &TlsStream<Wrapped>, certificate: Option<Certificate>) -> TlsFacts {
    let (_, session) = tls.get_ref();
    let version = session.protocol_version().and_then(|v| v.as_str()).unwrap_or("unknown version");
    let suite =
        session.negotiated_cipher_suite().and_then(|s| s.suite().as_str()).unwrap_or("unknown cipher");
    TlsFacts {
        version: version.replace('_', ".").replacen("TLSv", "TLS ", 1).into(),
        cipher: suite.into(),
        certificate,
    }
}

/// A failed handshake: its class and its sentence.
fn broken(e: &io::Error, target: &Target, seen: &Seen, shown: Option<Certificate>) -> Broken {
    let class = refusal::class(e, &target.info.tls, shown.as_ref(), seen.is_accepted());
    match class {
        Some((class, why)) => refused(class, &why, target, shown),
        None => Broken {
            failure: error::before_login(e, &target.info.address),
            certificate: shown,
            refusal: None,
        },
    }
}

fn refused(class: TlsRefusal, why: &str, target: &Target, certificate: Option<Certificate>) -> Broken {
    let pinned = match target.info.tls {
        TlsMode::Pin(pin) => Some(pin),
        _ => None,
    };
    let host = target.host_in_certificate.as_deref().unwrap_or(&target.endpoint.host);
    let words = class.words(&TlsFindings { shown: certificate.as_ref(), pinned, host, why });
    // Without an answer to PRELOGIN nobody knows that a server is there at all.
    let (kind, obstacle) = match class {
        TlsRefusal::ClosedAtOnce => (FailureKind::Unreachable, Some(Obstacle::HungUp)),
        TlsRefusal::HungUp => (FailureKind::Tls, Some(Obstacle::HungUp)),
        _ => (FailureKind::Tls, None),
    };
    let text = format!("TLS with {}: {words}", target.info.address);
    let failure = Failure { obstacle, ..Failure::new(kind, text) };
    Broken { failure, certificate, refusal: Some(class) }
}

async fn read_ca(file: PathBuf, shown: &str) -> Result<Vec<u8>, Failure> {
    let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
    let unreadable = |why: &str| {
        let text = format!("read the certificate authority {shown}: {why}; check ca_file");
        Failure::new(FailureKind::Config, text)
    };
    match read {
        Ok(Ok(bytes)) if bytes.is_empty() => Err(unreadable("the file is empty")),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(e)) => Err(unreadable(&e.to_string())),
        Err(e) => Err(unreadable(&e.to_string())),
    }
}
