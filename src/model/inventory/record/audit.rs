//! One line of the audit log: who did what to what, when, and how it went.

use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The person who acted, as far as the operating system tells.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Author {
    /// user of the operating system: `mira (1000)`
    pub user: String,
    /// terminal: `/dev/pts/3`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
    /// `SSH_CLIENT`: address and ports of the other end
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_client: Option<String>,
    /// the user who logged in, where the system knows it, whoever they have become since: `mira (1000)`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
}

/// How it went.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// done
    Done,
    /// not done, and why
    Refused(String),
}

/// An entry of the audit log. Actions and kinds of entities are texts: an entry of a newer version stays readable.
/// In files by name: fields and variants keep their names, a new field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// 1, 2, 3 … without gaps
    pub seq: u64,
    /// when (UTC)
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// who
    pub author: Author,
    /// `add`, `edit`, `remove`, `restore`, `rotate`, …
    pub action: String,
    /// kind of what it was done to: `instance`, `group`, `label`, `filter`, `slot`, `tenant`
    pub entity: String,
    /// its name
    pub name: String,
    /// how it went
    pub outcome: Outcome,
    /// what changed, in words; never a secret
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl AuditEntry {
    /// True if this text is somewhere in it, in any case: who, action, entity, name, what changed, why it was refused.
    pub fn has_text(&self, text: &str) -> bool {
        let wanted = text.to_lowercase();
        let login = self.author.login.as_deref().unwrap_or("");
        let why = match &self.outcome {
            Outcome::Refused(why) => why,
            Outcome::Done => "",
        };
        [&self.author.user, login, &self.action, &self.entity, &self.name, &self.detail, why]
            .iter()
            .any(|found| found.to_lowercase().contains(&wanted))
    }
}
