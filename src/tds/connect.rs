//! From a target to a connection, in two steps, so that whoever limits handshakes can hold a permit for the second one
//! only. Called by `collect` (and `command` for one-off connections).

use super::{
    PROGRAM_NAME, Roots,
    ask::{Client, Connection},
    budget::{Budget, Budgeted},
    error,
};
use crate::model::{
    failure::{Failure, FailureKind},
    instance::{Endpoint, Target, TlsMode},
    secret::Secret,
    text::sanitize_line,
};
use std::{path::PathBuf, time::Duration};
use tiberius::{AuthMethod, Config, EncryptionLevel, SqlBrowser, error::Error};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_util::compat::TokioAsyncWriteCompatExt;

/// SQL Server's port where none is named.
const DEFAULT_PORT: u16 = 1433;
/// All that a server may send until the login is done: certificates and a few packets.
const HANDSHAKE_BYTES: usize = 1 << 20;

/// A TCP connection on which nothing was said yet.
#[derive(Debug)]
pub struct Dialed {
    tcp: TcpStream,
}

/// First step: the name is resolved (or SQL Browser asked for the port of a named instance) and a TCP connection made.
/// Waits for `within` at most. Cheap for us however long it takes: no permit is needed.
///
/// # Errors
/// [`FailureKind::Unreachable`] or [`FailureKind::Timeout`], with a sentence.
pub async fn dial(target: &Target, within: Duration) -> Result<Dialed, Failure> {
    let shown = &target.info.address;
    let connect = async {
        match (&target.endpoint.instance, target.endpoint.port) {
            (Some(instance), None) => dial_named(&target.endpoint, instance).await,
            (_, port) => dial_port(&target.endpoint.host, port.unwrap_or(DEFAULT_PORT), shown).await,
        }
    };
    let tcp = tokio::time::timeout(within, connect).await.unwrap_or_else(|_| {
        let text = format!(
            "connect to {shown}: no answer within {}; a firewall, a wrong address or a dead host",
            words(within)
        );
        Err(Failure::new(FailureKind::Timeout, text))
    })?;
    // A socket that refuses this is slower, not broken.
    let _ = tcp.set_nodelay(true);
    Ok(Dialed { tcp })
}

impl Dialed {
    /// Second step: TLS and login, within `within`. Costs CPU on both sides: callers let a limited number of these run
    /// at once, and should take their permit back after about a second even if the server has not answered yet (run
    /// this future under a timer, drop the permit, go on waiting).
    ///
    /// A redirection (read-only routing, Azure gateways) is followed once.
    ///
    /// # Errors
    /// TLS, login, time-out, configuration; with a sentence that never holds the password.
    pub async fn login(
        self,
        target: &Target,
        secret: &Secret,
        roots: &Roots,
        within: Duration,
    ) -> Result<Connection, Failure> {
        let shown = &target.info.address;
        let config = config(target, secret, roots).await?;
        let deadline = Instant::now() + within;
        let handshake = async {
            let budget = Budget::new(HANDSHAKE_BYTES);
            let first = client(config.clone(), self.tcp, &budget).await;
            let (client, budget) = match first {
                Err(Error::Routing { host, port }) => {
                    let mut config = config;
                    config.host(&host);
                    let host = sanitize_line(&host, 256);
                    let tcp =
                        dial_port(&host, port, &format!("{host},{port} (sent there by {shown})")).await?;
                    let budget = Budget::new(HANDSHAKE_BYTES);
                    (client(config, tcp, &budget).await, budget)
                }
                other => (other, budget),
            };
            let client = client.map_err(|e| error::login(&e, shown, &target.user))?;
            Ok(Connection::new(client, budget, shown.clone(), transport(target.info.tls)))
        };
        timeout_at(deadline, handshake).await.unwrap_or_else(|_| Err(error::handshake_timeout(shown)))
    }
}

async fn client(config: Config, tcp: TcpStream, budget: &Budget) -> Result<Client, Error> {
    // Boxed: the handshake's state is 18 KB, and an instance's task would carry it for life.
    Box::pin(Client::connect(config, Budgeted::new(tcp, budget.clone()).compat_write())).await
}

async fn dial_port(host: &str, port: u16, shown: &str) -> Result<TcpStream, Failure> {
    let addresses = tokio::net::lookup_host((host, port)).await.map_err(|e| {
        let text = format!(
            "look up {}: {}; check the name",
            sanitize_line(host, 256),
            sanitize_line(&e.to_string(), 200)
        );
        Failure::new(FailureKind::Unreachable, text)
    })?;
    let mut last = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => return Ok(tcp),
            Err(e) => last = Some(e),
        }
    }
    Err(last.map_or_else(
        || Failure::new(FailureKind::Unreachable, format!("look up {shown}: the name has no address")),
        |e| error::tcp(&e, shown),
    ))
}

async fn dial_named(endpoint: &Endpoint, instance: &str) -> Result<TcpStream, Failure> {
    let mut config = Config::new();
    config.host(&endpoint.host);
    config.instance_name(instance);
    TcpStream::connect_named(&config).await.map_err(|e| {
        let said = sanitize_line(&e.to_string(), 200);
        let text = format!(
            "ask SQL Browser on {} (UDP 1434) for the port of {instance}: {said}; give the port as host,port if that \
             service is not running",
            endpoint.host
        );
        Failure::new(FailureKind::Unreachable, text)
    })
}

/// The driver's configuration. `trust_cert` and certificate authorities exclude each other (the driver panics on both):
/// the match on the mode is what keeps them apart.
async fn config(target: &Target, secret: &Secret, roots: &Roots) -> Result<Config, Failure> {
    let mut config = Config::new();
    config.host(&target.endpoint.host);
    config.application_name(PROGRAM_NAME);
    config.authentication(AuthMethod::sql_server(&target.user, secret.reveal()));
    config.readonly(target.read_only_intent);
    config.lossy_utf16_decoding(true);
    // Both are ours: they would start after TCP, and count every stall anew.
    config.handshake_timeout(None);
    config.command_timeout(None);
    if let Some(database) = &target.database {
        config.database(database);
    }
    config.encryption(match target.info.tls {
        TlsMode::Verify | TlsMode::Insecure => EncryptionLevel::Required,
        TlsMode::Strict => EncryptionLevel::Strict,
        TlsMode::LoginOnly => EncryptionLevel::Off,
        TlsMode::Off => EncryptionLevel::NotSupported,
    });
    match target.info.tls {
        TlsMode::Verify | TlsMode::Strict => {
            config.trust_webpki_roots();
            for der in roots.extra_der() {
                config.trust_cert_ca_bundle(der.as_slice());
            }
            if let Some(file) = &target.ca_file {
                config.trust_cert_ca_bundle(read_ca(file.clone()).await?);
            }
            if let Some(name) = &target.host_in_certificate {
                config.hostname_in_certificate(name);
            }
        }
        TlsMode::Insecure | TlsMode::LoginOnly => config.trust_cert(),
        TlsMode::Off => {}
    }
    Ok(config)
}

async fn read_ca(file: PathBuf) -> Result<Vec<u8>, Failure> {
    let shown = file.display().to_string();
    let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
    let unreadable = |why: &str| {
        let text =
            format!("read the certificate authority {}: {why}; check ca_file", sanitize_line(&shown, 300));
        Failure::new(FailureKind::Config, text)
    };
    match read {
        Ok(Ok(bytes)) if bytes.is_empty() => Err(unreadable("the file is empty")),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(e)) => Err(unreadable(&e.to_string())),
        Err(e) => Err(unreadable(&e.to_string())),
    }
}

const fn transport(tls: TlsMode) -> &'static str {
    match tls {
        TlsMode::Verify => "TLS, certificate verified",
        TlsMode::Strict => "TLS first (TDS 8.0), certificate verified",
        TlsMode::Insecure => "TLS, certificate not verified",
        TlsMode::LoginOnly => "login encrypted, the rest in clear",
        TlsMode::Off => "no TLS",
    }
}

/// A duration for a sentence: `5 s` or `300 ms`.
pub(super) fn words(d: Duration) -> String {
    if d.subsec_millis() == 0 { format!("{} s", d.as_secs()) } else { format!("{} ms", d.as_millis()) }
}
