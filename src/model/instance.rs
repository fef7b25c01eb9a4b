//! Who an instance is, and how it is reached. Filled by `config` from the inventory; never changed by a poll.

use super::{record::PollSettings, secret::Secret};
use std::{fmt, path::PathBuf, sync::Arc};

/// The instance's name in the inventory, unique within a tenant. Selection and messages go by it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// From the inventory's name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// TLS for everything, certificate verified: the default
    #[default]
    Verify,
    /// TDS 8.0: TLS before the first TDS byte, certificate verified
    Strict,
    /// TLS without verification: shown in red wherever the instance is
    Insecure,
    /// only the login packet is encrypted, certificate not verified: shown in red
    LoginOnly,
    /// no TLS at all: shown in red
    Off,
}

impl TlsMode {
    /// True when someone between us and the server could read or change the traffic.
    pub const fn is_insecure(self) -> bool {
        !matches!(self, Self::Verify | Self::Strict)
    }
}

/// What the screen needs to know of an instance. Shared, immutable.
#[derive(Debug, Clone)]
pub struct InstanceInfo {
    /// identity
    pub id: InstanceId,
    /// `host`, `host,port` or `host\instance`, for show
    pub address: Arc<str>,
    /// names of the groups it is in, in inventory order; the first one is where the heat map puts it
    pub groups: Vec<Arc<str>>,
    /// labels, sorted by key
    pub labels: Vec<(Arc<str>, Arc<str>)>,
    /// transport protection
    pub tls: TlsMode,
    /// what its record and its labels say about polling it; what they do not say is the configuration's
    pub poll: Arc<PollSettings>,
}

impl InstanceInfo {
    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(k, _)| &**k == key).map(|(_, v)| &**v)
    }

    /// True for a label `env=prod` or a group named `prod`/`production`: coloured border, typed confirmations.
    pub fn is_production(&self) -> bool {
        let prod = |s: &str| s.eq_ignore_ascii_case("prod") || s.eq_ignore_ascii_case("production");
        self.label("env").map_or_else(|| self.groups.iter().any(|g| prod(g)), prod)
    }
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// host name or address
    pub host: String,
    /// port; None: 1433, or asked of SQL Browser if `instance` is set
    pub port: Option<u16>,
    /// named instance
    pub instance: Option<String>,
}

/// Where a password comes from. Resolved by `config` right before the first connect, cached in memory.
#[derive(Clone)]
pub enum SecretSource {
    /// from an environment variable
    Env(String),
    /// from the first line that a command prints
    Command(String),
    /// in the inventory itself: accepted for loopback addresses (the simulator) only
    Literal(Secret),
}

/// All that is needed to reach an instance. Owned by its collector task; never in a snapshot.
#[derive(Clone)]
pub struct Target {
    /// identity and show
    pub info: Arc<InstanceInfo>,
    /// where
    pub endpoint: Endpoint,
    /// login name
    pub user: String,
    /// its password
    pub secret: SecretSource,
    /// database to open; None: the login's default
    pub database: Option<String>,
    /// CA file (PEM) to trust besides the public roots
    pub ca_file: Option<PathBuf>,
    /// host name expected in the certificate, if it differs from `endpoint.host`
    pub host_in_certificate: Option<String>,
    /// read-only application intent
    pub read_only_intent: bool,
}
