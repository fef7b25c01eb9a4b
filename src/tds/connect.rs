//! Second step of a connection: TLS and login over a socket that [`dial`](super::dial()) made. Called by `collect`, and
//! by `check` step by step.

use super::{
    Roots,
    ask::{Client, Connection},
    budget::{Budget, Budgeted},
    dial::{Dialed, connect, resolve_within},
    error,
    line::Line,
    secure::{Broken, secure},
};
use crate::model::{
    base::{
        failure::{Failure, FailureKind},
        secret::Secret,
        text::sanitize_line,
    },
    inventory::{
        address::{Endpoint, NoAddress},
        check::TlsFacts,
        instance::{Target, TlsMode},
        record::Auth,
    },
};
use std::time::Duration;
use tiberius::{AuthMethod, Config, EncryptionLevel, error::Error};
use tokio_util::compat::TokioAsyncWriteCompatExt;

/// The program name of our sessions, by which a server knows them.
const PROGRAM_NAME: &str = "dbtop";
/// The most bytes that a server may send until the login is done: certificates and a few packets.
const HANDSHAKE_BYTES: usize = 1 << 20;
/// The longest that the address of a redirection is tried; the time for the login as a whole ends it earlier.
const ROUTED_WITHIN: Duration = Duration::from_secs(10);

/// A connection before the login.
pub(super) struct Protected {
    line: Line,
    budget: Budget,
    /// the server's name, as the login says it
    host: String,
    /// how it is protected, if TLS is ours
    pub(super) tls: Option<TlsFacts>,
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
        let shown = &self.shown(&target.info.address);
        let handshake = async {
            let line = self.protect(target, &target.endpoint.host, roots).await.map_err(Broken::told)?;
            line.login(target, secret, roots).await
        };
        tokio::time::timeout(within, handshake).await.unwrap_or_else(|_| Err(error::handshake_timeout(shown)))
    }

    /// PRELOGIN and TLS. Nothing secret is sent.
    pub(super) async fn protect(
        self,
        target: &Target,
        host: &str,
        roots: &Roots,
    ) -> Result<Protected, Broken> {
        let budget = Budget::new(HANDSHAKE_BYTES);
        let socket = Budgeted::new(self.tcp, budget.clone());
        // Boxed, as the login below: the state of a handshake would stay in an instance's task for life.
        let (line, tls) = Box::pin(secure(socket, target, host, roots)).await?;
        Ok(Protected { line, budget, host: host.to_owned(), tls })
    }
}

impl Protected {
    /// The login.
    pub(super) async fn login(
        self,
        target: &Target,
        secret: &Secret,
        roots: &Roots,
    ) -> Result<Connection, Failure> {
        let shown = &target.info.address;
        let (client, budget) = match self.client(target, secret).await? {
            (Err(Error::Routing { host, port }), _) => {
                let way = format!("{},{port} (sent there by {shown})", sanitize_line(&host, 256));
                let to = routed(&host, port).map_err(|why| {
                    let text = format!("connect to {way}: the address {why}; the listener's routing list must name the replica as tcp://host:port");
                    Failure::new(FailureKind::Unreachable, text)
                })?;
                let addresses = resolve_within(&to, ROUTED_WITHIN).await?;
                let dialed = connect(&addresses, target.multi_subnet_failover, &way, ROUTED_WITHIN).await?;
                let line = dialed.protect(target, &to.host, roots).await.map_err(Broken::told)?;
                line.client(target, secret).await?
            }
            other => other,
        };
        let is_login_only = target.info.tls == TlsMode::LoginOnly;
        let client = client.map_err(|e| {
            let hung_up = error::hung_up(&e, shown).filter(|_| is_login_only);
            hung_up.unwrap_or_else(|| error::login(&e, shown, target.auth.who()))
        })?;
        Ok(Connection::new(client, budget, shown.clone(), transport(target.info.tls)))
    }

    async fn client(
        self,
        target: &Target,
        secret: &Secret,
    ) -> Result<(Result<Client, Error>, Budget), Failure> {
        let config = config(target, &self.host, secret)?;
        let client = Box::pin(Client::connect(config, self.line.compat_write())).await;
        Ok((client, self.budget))
    }
}

/// The address that a server sends us to: `host` or `host\INSTANCE`, beside a port, which counts then.
fn routed(host: &str, port: u16) -> Result<Endpoint, NoAddress> {
    let at = Endpoint::parse(host)?;
    Ok(Endpoint { port: Some(port).filter(|port| *port > 0).or(at.port), ..at })
}

/// The driver's configuration.
fn config(target: &Target, host: &str, secret: &Secret) -> Result<Config, Failure> {
    let mut config = Config::new();
    config.host(host);
    config.application_name(PROGRAM_NAME);
    config.authentication(method(&target.auth, secret)?);
    config.readonly(target.read_only_intent);
    config.lossy_utf16_decoding(true);
    // Both deadlines are ours: the driver's would start after TCP, and start anew with every stall.
    config.handshake_timeout(None);
    config.command_timeout(None);
    if let Some(database) = &target.database {
        config.database(database);
    }
    match target.info.tls {
        // TLS happens below the driver.
        TlsMode::Verify | TlsMode::Pin(_) | TlsMode::Strict | TlsMode::Insecure | TlsMode::Off => {
            config.encryption(EncryptionLevel::NotSupported);
        }
        TlsMode::LoginOnly => {
            config.encryption(EncryptionLevel::Off);
            config.trust_cert();
        }
    }
    Ok(config)
}

fn method(auth: &Auth, secret: &Secret) -> Result<AuthMethod, Failure> {
    match auth {
        Auth::Sql { user, .. } => Ok(AuthMethod::sql_server(user, secret.reveal())),
        Auth::Entra { .. } => Ok(AuthMethod::aad_token(secret.reveal().trim())),
        #[cfg(feature = "kerberos")]
        Auth::Kerberos => Ok(AuthMethod::Integrated),
        #[cfg(not(feature = "kerberos"))]
        Auth::Kerberos => Err(not_built("Kerberos", "build with --features kerberos")),
        #[cfg(all(windows, feature = "ntlm"))]
        Auth::Ntlm { user, .. } => Ok(AuthMethod::windows(user, secret.reveal())),
        #[cfg(not(all(windows, feature = "ntlm")))]
        Auth::Ntlm { .. } => Err(not_built(
            "NTLM",
            "it is for Windows, --features ntlm; elsewhere use Kerberos or a SQL login",
        )),
    }
}

/// The failure of a kind of login that this build does not have.
#[cfg(not(all(feature = "kerberos", windows, feature = "ntlm")))]
fn not_built(what: &str, how: &str) -> Failure {
    let text = format!("log in by {what}: this dbtop was built without it; {how}");
    Failure::new(FailureKind::Config, text)
}

const fn transport(tls: TlsMode) -> &'static str {
    match tls {
        TlsMode::Verify => "TLS, certificate verified",
        TlsMode::Pin(_) => "TLS, certificate pinned",
        TlsMode::Strict => "TLS first (TDS 8.0), certificate verified",
        TlsMode::Insecure => "TLS, certificate not verified",
        TlsMode::LoginOnly => "login encrypted, the rest in clear",
        TlsMode::Off => "no TLS",
    }
}
