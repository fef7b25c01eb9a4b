//! The identity of an instance, and how it is reached. Filled by `config` from the inventory; never changed by a poll.

use super::{
    address::Endpoint,
    record::{Auth, LabelColor, PollSettings},
};
use crate::model::base::{failure::Failure, time::Timestamp};
use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

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

/// SHA-256 of a certificate (DER). Shown and read as hex with colons: `1F:09:…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if i == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is the SHA-256 of the certificate: 64 hex digits, with or without colons")]
pub struct NoFingerprint;

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digits: Vec<u32> = text
            .chars()
            .filter(|c| !matches!(c, ':' | ' ' | '-'))
            .map(|c| c.to_digit(16).ok_or(NoFingerprint))
            .collect::<Result<_, _>>()?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |n, d| n * 16 + *d as u8)).collect();
        match (digits.len(), <[u8; 32]>::try_from(bytes)) {
            (64, Ok(bytes)) => Ok(Self(bytes)),
            _ => Err(NoFingerprint),
        }
    }
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// TLS for everything, certificate verified: the default
    #[default]
    Verify,
    /// TLS for everything; the certificate must be this one, whoever signed it
    Pin(Fingerprint),
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
        !matches!(self, Self::Verify | Self::Pin(_) | Self::Strict)
    }
}

/// Everything that the screen needs to know of an instance. Shared, immutable.
#[derive(Debug, Clone)]
pub struct InstanceInfo {
    /// identity
    pub id: InstanceId,
    /// what history knows it by: its record's random identity, so that a new name keeps it; the name where there is no record
    pub uid: Arc<str>,
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
    /// what the log calls it, if its inventory is sealed; None: by its name, and failures in full
    pub tag: Option<Arc<str>>,
    /// colours of its labels, in their order, where the inventory says some
    pub colors: Vec<LabelColor>,
    /// when it came into the inventory; None: that is not known
    pub added_at: Option<Timestamp>,
}

impl InstanceInfo {
    /// An instance of a list that has no records: the name is its identity and its address, and nothing more is said of it.
    pub fn named(name: &str) -> Self {
        Self {
            id: InstanceId::new(name),
            uid: name.into(),
            address: name.into(),
            groups: Vec::new(),
            labels: Vec::new(),
            tls: TlsMode::Verify,
            poll: Arc::default(),
            tag: None,
            colors: Vec::new(),
            added_at: None,
        }
    }

    /// The colour of label number `n`: as the inventory says, else the one that the label gets by itself.
    pub fn label_color(&self, n: usize) -> LabelColor {
        let by_itself = || self.labels.get(n).map(|(key, value)| LabelColor::for_label(key, value));
        self.colors.get(n).copied().or_else(by_itself).unwrap_or(LabelColor::Gray)
    }

    /// Its name in the log. The log is no sealed file, so of a sealed inventory it tells neither names nor hosts.
    pub fn log_name(&self) -> &str {
        self.tag.as_deref().unwrap_or_else(|| self.id.as_str())
    }

    /// The words of the log for a failure: the whole sentence, which names host and login, or its class alone.
    pub fn log_words(&self, failure: &Failure) -> String {
        match failure.number {
            _ if self.tag.is_none() => failure.to_string(),
            Some(number) => format!("{} ({number})", failure.kind.words()),
            None => failure.kind.words().to_owned(),
        }
    }

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

/// All that is needed to reach an instance. Owned by its collector task; never in a snapshot.
#[derive(Clone)]
pub struct Target {
    /// identity and show
    pub info: Arc<InstanceInfo>,
    /// where
    pub endpoint: Endpoint,
    /// how to log in for polling
    pub auth: Auth,
    /// how to log in for actions that change something; None: there are none
    pub action: Option<Auth>,
    /// database to open; None: the login's default
    pub database: Option<String>,
    /// CA file (PEM) to trust besides the public roots
    pub ca_file: Option<PathBuf>,
    /// host name expected in the certificate, if it differs from `endpoint.host`
    pub host_in_certificate: Option<String>,
    /// read-only application intent
    pub read_only_intent: bool,
    /// try all addresses of the name at once
    pub multi_subnet_failover: bool,
}

impl Target {
    /// True if a change of the inventory does not touch how the instance is reached: its connections may stay.
    pub fn is_reached_like(&self, other: &Self) -> bool {
        self.auth == other.auth
            && self.info.tls == other.info.tls
            && self.info.address == other.info.address
            && self.endpoint == other.endpoint
            && self.database == other.database
            && self.ca_file == other.ca_file
            && self.host_in_certificate == other.host_in_certificate
            && self.read_only_intent == other.read_only_intent
            && self.multi_subnet_failover == other.multi_subnet_failover
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_tools_print_them_and_nothing_else_is() {
        let bytes: Vec<u8> = (0..32).map(|n| n * 8).collect();
        let print = Fingerprint(bytes.try_into().unwrap());
        let shown = print.to_string();
        assert!(shown.starts_with("00:08:10:") && shown.ends_with(":F8"), "{shown}");
        for form in [shown.clone(), shown.replace(':', "").to_lowercase(), shown.replace(':', " ")] {
            assert_eq!(form.parse(), Ok(print), "{form}");
        }
        for wrong in
            ["", "00:08", &shown[3..], &format!("{shown}:00"), &shown.replace("F8", "G8"), &shown[..94]]
        {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(NoFingerprint), "{wrong}");
        }
    }
}
