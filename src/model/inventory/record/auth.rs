//! How dbtop logs in, and where the secret of a login is.

use crate::model::base::secret::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::PathBuf;

/// The source of a password or token. Only [`SecretRef::Stored`] is in the vault; the others name a place outside.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretRef {
    /// in the vault. Serializes as an empty text, see the module
    Stored(#[serde(serialize_with = "hidden", deserialize_with = "given")] Secret),
    /// the first line that a command prints
    Command(String),
    /// an environment variable
    Env(String),
    /// the first line of a file
    File(PathBuf),
    /// asked at start and kept in memory
    Ask,
}

fn hidden<S: Serializer>(_: &Secret, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str("")
}

fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::new)
}

impl SecretRef {
    /// The kind, as it is shown and written: `stored`, `command`, `env`, `file`, `ask`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Stored(_) => "stored",
            Self::Command(_) => "command",
            Self::Env(_) => "env",
            Self::File(_) => "file",
            Self::Ask => "ask",
        }
    }
}

impl PartialEq for SecretRef {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            // Both are in the memory of one person's process: there is nobody to time this comparison.
            (Self::Stored(a), Self::Stored(b)) => a.reveal() == b.reveal(),
            (Self::Command(a), Self::Command(b)) | (Self::Env(a), Self::Env(b)) => a == b,
            (Self::File(a), Self::File(b)) => a == b,
            (Self::Ask, Self::Ask) => true,
            _ => false,
        }
    }
}

/// How an instance is logged in to.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Auth {
    /// a login of the server
    Sql {
        /// login name
        user: String,
        /// its password
        secret: SecretRef,
    },
    /// a bearer token of Microsoft Entra
    Entra {
        /// where the token comes from
        token: SecretRef,
    },
    /// the ticket of the operating system's user (cargo feature `kerberos`)
    Kerberos,
    /// a Windows login (cargo feature `ntlm`)
    Ntlm {
        /// `DOMAIN\user`
        user: String,
        /// its password
        secret: SecretRef,
    },
}

impl Auth {
    /// The kind, as it is shown and written: `sql`, `entra`, `kerberos`, `ntlm`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sql { .. } => "sql",
            Self::Entra { .. } => "entra",
            Self::Kerberos => "kerberos",
            Self::Ntlm { .. } => "ntlm",
        }
    }

    /// True for the same kind of login with the same name: two of them on one server watch it twice.
    pub fn is_login_of(&self, other: &Self) -> bool {
        let name = |auth: &Self| auth.user().unwrap_or_default().to_lowercase();
        self.kind() == other.kind() && name(self) == name(other)
    }

    /// The login name, where there is one.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Sql { user, .. } | Self::Ntlm { user, .. } => Some(user),
            Self::Entra { .. } | Self::Kerberos => None,
        }
    }

    /// The login, for messages.
    pub fn who(&self) -> &str {
        match self {
            Self::Sql { user, .. } | Self::Ntlm { user, .. } => user,
            Self::Entra { .. } => "the owner of the token",
            Self::Kerberos => "the owner of the Kerberos ticket",
        }
    }

    /// The place of its secret.
    pub const fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Sql { secret, .. } | Self::Ntlm { secret, .. } => Some(secret),
            Self::Entra { token } => Some(token),
            Self::Kerberos => None,
        }
    }

    /// The same, to change it.
    pub const fn secret_mut(&mut self) -> Option<&mut SecretRef> {
        match self {
            Self::Sql { secret, .. } | Self::Ntlm { secret, .. } => Some(secret),
            Self::Entra { token } => Some(token),
            Self::Kerberos => None,
        }
    }
}
