//! One line of the audit log: who did what to what, when, and how it went.

use super::RecordId;
use crate::model::base::{
    filter::{Row, Value},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

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
    /// identity of the record that it was done to, whatever its name; None: it is none, or an older version wrote the entry
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RecordId>,
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

/// What the detail of a rename begins with, before the old name.
const WAS: &str = "was ";
/// What ends the old name there.
const WAS_END: &str = "; ";
/// The longest value that is told whole, in characters.
const LONGEST: usize = 80;

impl AuditEntry {
    /// The beginning of the detail of a rename, for [`AuditEntry::was`].
    pub fn renamed(old: &str) -> String {
        format!("{WAS}{old}{WAS_END}")
    }

    /// A value as an entry tells it: a long one is cut.
    pub fn clipped(text: &str) -> String {
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        }
    }

    /// The name until then, of an entry that is a rename. A name may have in it what ends it there: the part `name: … → …` says which end
    /// is meant, and of a label, which only gets another case, its new name.
    pub fn was(&self) -> Option<&str> {
        if self.action != "edit" || self.outcome != Outcome::Done {
            return None;
        }
        let detail = self.detail.strip_prefix(WAS)?;
        let new = Self::clipped(&self.name);
        let is_meant = |(old, rest): &(&str, &str)| {
            let part = format!("name: {} → {new}", Self::clipped(old));
            let is_part = |text: &str| {
                text.strip_prefix(&*part).is_some_and(|after| after.is_empty() || after.starts_with(", "))
            };
            is_part(rest)
                || rest.match_indices(", ").any(|(at, comma)| is_part(&rest[at + comma.len()..]))
                || old.to_lowercase() == self.name.to_lowercase()
        };
        let mut splits =
            detail.rmatch_indices(WAS_END).map(|(at, end)| (&detail[..at], &detail[at + end.len()..]));
        splits.find(is_meant).or_else(|| detail.split_once(WAS_END)).map(|(old, _)| old)
    }
}

/// The entries about one thing, whatever it was called: by its identity, and where an older version wrote none by the name that it
/// had at that time. Entries come from the newest to the oldest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    ids: HashSet<RecordId>,
    /// kind and name in lower case; no kind: of any
    names: HashSet<(String, String)>,
}

impl About {
    /// Things of this name, of any kind. Whoever looks for more than the last thing of this name lets it [`learn`](Self::learn) first.
    pub fn named(name: &str) -> Self {
        Self { names: HashSet::from([(String::new(), name.to_lowercase())]), ..Self::default() }
    }

    /// This thing.
    pub fn thing(entity: &str, name: &str, id: Option<RecordId>) -> Self {
        let names = HashSet::from([(entity.to_owned(), name.to_lowercase())]);
        Self { ids: id.into_iter().collect(), names }
    }

    fn has(&self, entity: &str, name: &str) -> bool {
        let name = name.to_lowercase();
        [entity, ""].into_iter().any(|kind| self.names.contains(&(kind.to_owned(), name.clone())))
    }

    /// Learns who had the name at any time.
    pub fn learn(&mut self, entry: &AuditEntry) {
        let had = self.has(&entry.entity, &entry.name);
        if had || entry.was().is_some_and(|old| self.has(&entry.entity, old)) {
            self.ids.extend(entry.id);
        }
    }

    /// True for an entry about it. To be asked of every entry, for it follows renames.
    pub fn takes(&mut self, entry: &AuditEntry) -> bool {
        let is_about = match entry.id {
            Some(id) if !self.ids.is_empty() => self.ids.contains(&id),
            _ => self.has(&entry.entity, &entry.name),
        };
        if let Some(old) = entry.was().filter(|_| is_about) {
            self.names.insert((entry.entity.clone(), old.to_lowercase()));
        }
        is_about
    }
}

/// An entry as a filter sees it: by the names of the columns of `:audit`.
#[derive(Debug)]
pub struct AuditRow<'a> {
    /// it
    pub entry: &'a AuditEntry,
    /// when it was written, in the words of the screen
    pub at: &'a str,
}

impl AuditRow<'_> {
    /// The fields that a filter may ask for.
    pub const FILTER_KEYS: [&'static str; 10] =
        ["at", "date", "user", "who", "action", "entity", "name", "outcome", "detail", "seq"];

    /// Calls `with` for every text that is searched.
    pub fn texts<'r>(entry: &'r AuditEntry, at: &'r str, with: &mut dyn FnMut(&'r str)) {
        for text in [at, &entry.author.user, &entry.action, &entry.entity, &entry.name, &entry.detail] {
            with(text);
        }
        with(entry.author.login.as_deref().unwrap_or(""));
        if let Outcome::Refused(why) = &entry.outcome {
            with(why);
        }
    }
}

impl Row for AuditRow<'_> {
    fn text(&self, out: &mut String) {
        let mut separator = "";
        Self::texts(self.entry, self.at, &mut |text| {
            out.push_str(separator);
            out.push_str(text);
            separator = " ";
        });
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        let e = self.entry;
        let (outcome, detail) = match &e.outcome {
            Outcome::Done => ("done", &e.detail),
            Outcome::Refused(why) => ("refused", why),
        };
        visit(match key {
            "at" | "date" => Value::Text(self.at),
            "user" | "who" => Value::Text(&e.author.user),
            "action" => Value::Text(&e.action),
            "entity" => Value::Text(&e.entity),
            "name" => Value::Text(&e.name),
            "outcome" => Value::Text(outcome),
            "detail" => Value::Text(detail),
            "seq" => Value::Number(e.seq as f64),
            _ => return,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(action: &str, name: &str, detail: &str, id: Option<u8>) -> AuditEntry {
        AuditEntry {
            seq: 1,
            at: Timestamp::from_ms(0),
            author: Author::default(),
            action: action.into(),
            entity: "instance".into(),
            name: name.into(),
            outcome: Outcome::Done,
            detail: detail.into(),
            id: id.map(|id| RecordId::from_bytes([id; 16])),
        }
    }

    #[test]
    fn a_thing_is_followed_through_its_renames_and_no_other_of_its_name_is_taken_for_it() {
        let renamed = |old: &str| AuditEntry::renamed(old) + "name: a → b";
        // The newest first: 1 was called a, then b; 2 is called a today. Older versions wrote no identity.
        let log = [
            entry("add", "a", "", Some(2)),
            entry("edit", "b", &renamed("a"), Some(1)),
            entry("edit", "a", "port", Some(1)),
            entry("edit", "a", &renamed("old"), None),
            entry("add", "old", "", None),
            entry("add", "c", "", None),
        ];
        let taken =
            |mut about: About| -> Vec<usize> { (0..log.len()).filter(|n| about.takes(&log[*n])).collect() };
        let first = RecordId::from_bytes([1; 16]);
        assert_eq!(taken(About::thing("instance", "b", Some(first))), [1, 2, 3, 4]);
        let mut both = About::named("A");
        for entry in &log {
            both.learn(entry);
        }
        assert_eq!(taken(both), [0, 1, 2, 3, 4], "who had the name at any time");
        assert_eq!(taken(About::thing("group", "b", None)), [0; 0]);
        assert_eq!(entry("add", "b", &renamed("a"), None).was(), None);
    }

    #[test]
    fn a_name_may_have_in_it_what_ends_it_in_an_entry() {
        let long = "x; ".repeat(40) + "y";
        for old in ["a", "a; b", "a; name: a", "a; name: a → c", "; ", &long] {
            let fields = format!("host: h → i, name: {} → c", AuditEntry::clipped(old));
            let renamed = entry("edit", "c", &(AuditEntry::renamed(old) + &fields), None);
            assert_eq!(renamed.was(), Some(old), "{}", renamed.detail);
        }
        let label = AuditEntry::renamed("Env=a; b") + "key: Env → env";
        assert_eq!(entry("edit", "env=a; b", &label, None).was(), Some("Env=a; b"));
        let hidden = AuditEntry::renamed("old") + "name: (a text with a password in it) → c";
        assert_eq!(entry("edit", "c", &hidden, None).was(), Some("old"));
    }
}
