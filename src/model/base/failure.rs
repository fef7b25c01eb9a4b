//! Why something could not be had, in classes that the screen can say in words. Made by `tds` and `probe`, read by
//! everyone.

use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// The class of a failed connect or query.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FailureKind {
    /// name not resolved, connection refused, no route, reset
    Unreachable,
    /// TLS handshake or certificate
    Tls,
    /// login refused (18456, 4060, 18470 …)
    Login,
    /// a right is missing (229, 230, 262, 297, 300, 371 …)
    Permission,
    /// object or column does not exist on this server (207, 208, 2812 …)
    MissingObject,
    /// no answer within the deadline
    Timeout,
    /// lock timeout 1222: not available this time
    LockTimeout,
    /// any other error that the server sent
    Server,
    /// the server sent something that is not TDS, or an answer of an unexpected shape
    Protocol,
    /// the configuration of this instance cannot be used (secret command failed, CA file unreadable …)
    Config,
}

impl FailureKind {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Unreachable,
        Self::Tls,
        Self::Login,
        Self::Permission,
        Self::MissingObject,
        Self::Timeout,
        Self::LockTimeout,
        Self::Server,
        Self::Protocol,
        Self::Config,
    ];

    /// One word for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Permission => "permission",
            Self::MissingObject => "missing_object",
            Self::Timeout => "timeout",
            Self::LockTimeout => "lock_timeout",
            Self::Server => "server",
            Self::Protocol => "protocol",
            Self::Config => "config",
        }
    }

    /// True when trying again later may help without anyone changing anything.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::LockTimeout | Self::Server | Self::Protocol)
    }

    /// Two or three words for a cell.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "TLS failed",
            Self::Login => "login refused",
            Self::Permission => "no right",
            Self::MissingObject => "missing object",
            Self::Timeout => "timed out",
            Self::LockTimeout => "locked out (1222)",
            Self::Server => "server error",
            Self::Protocol => "bad answer",
            Self::Config => "not configured",
        }
    }
}

/// The obstacle on the way to a server, where it is known.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Obstacle {
    /// nobody listens on the port
    Refused,
    /// no way to its network
    NoRoute,
    /// it closed the connection at the first message of TLS: it has no cipher suite in common with us, or goes down just now
    HungUp,
}

/// One failure: its class, the server's error number if it sent one, and a sanitized sentence.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// class
    pub kind: FailureKind,
    /// SQL Server's error number
    pub number: Option<i32>,
    /// what was attempted, on what, and what came back; one line, no control characters, no secrets
    pub text: Arc<str>,
    /// what stood in the way; None: it is not known
    #[serde(default)]
    pub obstacle: Option<Obstacle>,
}

impl Failure {
    /// A failure without a server error number.
    pub fn new(kind: FailureKind, text: impl Into<Arc<str>>) -> Self {
        Self { kind, number: None, text: text.into(), obstacle: None }
    }

    /// True when trying again soon may help without anyone changing anything.
    pub fn is_transient(&self) -> bool {
        self.kind.is_transient() || self.obstacle == Some(Obstacle::HungUp)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(n) => write!(f, "{} ({n}): {}", self.kind.words(), self.text),
            None => write!(f, "{}: {}", self.kind.words(), self.text),
        }
    }
}

impl std::error::Error for Failure {}
