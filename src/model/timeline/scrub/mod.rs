//! Names that must not leave the house, and what stands for them: the same name always has the same stand-in, whatever its
//! case. Called by the export of incidents, which first shows it every name ([`Names::learn`]) and then every text. Pure.
//!
//! A name is found in a text where it stands as a word of its own; `_` ends a word, so that `svc_web` is found in
//! `audit_svc_web`. In identifiers of SQL ([`Where::Code`]) names of hosts, instances and logins are found within words, too.
//! A text like an address, a host with its domain or `DOMAIN\login` goes even if nobody has named it.

mod pattern;
mod walk;

pub use walk::{each_field, each_field_of_event, renamed_info};

use crate::model::{
    inventory::address::Endpoint,
    poll::names::{Kind, Where},
};
use pattern::Seen;
use std::{collections::HashMap, net::IpAddr, sync::Arc};

/// A name and what stands for it, to be found in texts.
#[derive(Debug)]
struct Known {
    name: Vec<char>,
    stand_in: Arc<str>,
    /// found within words of code
    within: bool,
}

/// A character of a text as names are compared, and the bytes that it comes from.
struct Folded {
    c: char,
    start: usize,
    end: usize,
}

/// A name that was found in a text: first byte, length in bytes, what stands for it.
pub type Found = (usize, usize, Arc<str>);

/// Everybody has these; they tell nothing.
const EVERYBODYS: &[&str] = &[
    "master",
    "tempdb",
    "model",
    "msdb",
    "mssqlsystemresource",
    "sa",
    "dbo",
    "guest",
    "public",
    "sys",
    "localhost",
    "system",
    "nt authority",
    "nt service",
    "builtin",
    "prod",
    "production",
    "test",
    "dev",
    "development",
    "uat",
    "staging",
    "qa",
    "mssqlserver",
    "sqlexpress",
    "dbtop",
    "(local)",
    ".",
];

/// A shorter name is replaced where it stands alone in its field; in a text it is found by chance.
const SHORTEST: usize = 2;
/// A shorter name is not looked for within words.
const SHORTEST_WITHIN: usize = 4;

/// Names, and what stands for them.
#[derive(Debug, Default)]
pub struct Names {
    /// by the folded name
    stand_ins: HashMap<String, Arc<str>>,
    /// by its first two characters, the longest name first
    texts: HashMap<[char; 2], Vec<Known>>,
    counts: HashMap<Kind, u32>,
}

#[cfg(test)]
mod tests;

/// As names are compared: `Web-07` and `WEB-07` are one.
fn fold(name: &str) -> String {
    name.trim().chars().flat_map(char::to_lowercase).collect()
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric()
}

impl Names {
    /// Takes a name, and the names it is made of: host and instance of an address, domain and user of a login.
    pub fn learn(&mut self, kind: Kind, name: &str) {
        let name = name.trim();
        if name.is_empty() || is_everybodys(name) {
            return;
        }
        if let Ok(ip) = name.parse::<IpAddr>() {
            self.put(Kind::Address, &ip.to_string());
            self.put(Kind::Address, name);
            return;
        }
        match kind {
            Kind::Host => self.learn_host(name),
            Kind::Login if name.contains('\\') => {
                let (domain, user) = name.rsplit_once('\\').unwrap_or(("", name));
                self.learn(Kind::Domain, domain);
                let stand_in = self.put(Kind::Login, name);
                self.alias(user, &stand_in, true);
            }
            Kind::Login if name.contains('@') => {
                let (user, domain) = name.split_once('@').unwrap_or((name, ""));
                self.learn(Kind::Domain, domain);
                let stand_in = self.put(Kind::Login, name);
                self.alias(user, &stand_in, true);
            }
            Kind::Instance => {
                drop(self.put(kind, name));
                if name.contains(['\\', '.', ',']) {
                    self.learn_host(name);
                }
            }
            Kind::Volume => {
                let stand_in = self.put(kind, name);
                // Within texts a folder often stands without the separator at its end.
                let folder = name.trim_end_matches(['\\', '/']);
                if folder.len() > "E:".len() {
                    self.alias(folder, &stand_in, false);
                }
            }
            _ => drop(self.put(kind, name)),
        }
    }

    /// `db1.corp.example,1433`, `db1\sales`, `db1`.
    fn learn_host(&mut self, name: &str) {
        let Ok(endpoint) = Endpoint::parse(name) else {
            drop(self.put(Kind::Host, name));
            return;
        };
        if let Some(instance) = &endpoint.instance {
            self.learn(Kind::Instance, instance);
        }
        let host = endpoint.host;
        if is_everybodys(&host) {
            return;
        }
        if host.parse::<IpAddr>().is_ok() {
            return drop(self.put(Kind::Address, &host));
        }
        let Some((first, domain)) = host.split_once('.') else { return drop(self.put(Kind::Host, &host)) };
        let stand_in = self.put(Kind::Host, &host);
        self.alias(first, &stand_in, true);
        if domain.contains('.') || domain.len() > 3 {
            self.learn(Kind::Domain, domain);
        }
    }

    /// The stand-in of a name; a new one if it has none.
    fn put(&mut self, kind: Kind, name: &str) -> Arc<str> {
        let folded = fold(name);
        if let Some(known) = self.stand_ins.get(&folded) {
            return Arc::clone(known);
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let stand_in: Arc<str> = format!("{}-{count}", kind.word()).into();
        self.alias(name, &stand_in, matches!(kind, Kind::Instance | Kind::Host | Kind::Login | Kind::Uid));
        stand_in
    }

    /// Another name of what has a stand-in already.
    fn alias(&mut self, name: &str, stand_in: &Arc<str>, within: bool) {
        let folded = fold(name);
        if folded.is_empty() || is_everybodys(&folded) || self.stand_ins.contains_key(&folded) {
            return;
        }
        let chars: Vec<char> = folded.chars().collect();
        self.stand_ins.insert(folded, Arc::clone(stand_in));
        let &[first, second, ..] = &chars[..] else { return };
        if chars.len() < SHORTEST || chars.iter().all(char::is_ascii_digit) {
            return;
        }
        let within = within && chars.len() >= SHORTEST_WITHIN;
        let known = self.texts.entry([first, second]).or_default();
        let at = known.partition_point(|k| k.name.len() >= chars.len());
        known.insert(at, Known { name: chars, stand_in: Arc::clone(stand_in), within });
    }

    /// The stand-in for a name that fills its field; learns one that is new.
    pub fn name(&mut self, kind: Kind, name: &str) -> Arc<str> {
        if let Some(known) = self.stand_ins.get(&fold(name)) {
            return Arc::clone(known);
        }
        if name.trim().is_empty() || is_everybodys(name) {
            return name.into();
        }
        self.learn(kind, name);
        // An address with its port is no name itself: its host is.
        let known = self.stand_ins.get(&fold(name)).cloned();
        known.unwrap_or_else(|| self.words(Where::Ours, name))
    }

    /// A text with stand-ins for every name in it.
    pub fn words(&mut self, from: Where, text: &str) -> Arc<str> {
        if from == Where::Code {
            return replaced(text, self.find(from, text)).into();
        }
        // Patterns first: they are longer than the names in them.
        let found = self.find_patterns(from, text);
        let text = replaced(text, found);
        replaced(&text, self.find(from, &text)).into()
    }

    /// The names in a text that are known, in order; none overlaps another.
    pub fn find(&self, from: Where, text: &str) -> Vec<Found> {
        let mut folded: Vec<Folded> = Vec::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            folded.extend(c.to_lowercase().map(|c| Folded { c, start: at, end }));
        }
        let mut found = Vec::new();
        let mut at = 0;
        while at < folded.len() {
            let Some(known) = self.longest_at(from, &folded, at) else {
                at += 1;
                continue;
            };
            let len = known.name.len();
            if let (Some(first), Some(last)) = (folded.get(at), folded.get(at + len - 1)) {
                found.push((first.start, last.end - first.start, Arc::clone(&known.stand_in)));
            }
            at += len;
        }
        found
    }

    fn longest_at(&self, from: Where, folded: &[Folded], at: usize) -> Option<&Known> {
        let word = |at: usize| folded.get(at).is_some_and(|f| in_word(f.c));
        let begins = at == 0 || !word(at - 1) || !word(at);
        let known = self.texts.get(&[folded.get(at)?.c, folded.get(at + 1)?.c])?;
        known.iter().find(|known| {
            let end = at + known.name.len();
            let same = |piece: &[Folded]| piece.iter().map(|f| &f.c).eq(&known.name);
            let alone = || begins && !(word(end) && word(end - 1));
            (known.within && from == Where::Code || alone()) && folded.get(at..end).is_some_and(same)
        })
    }

    fn find_patterns(&mut self, from: Where, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        for (start, end, seen) in pattern::find(text, from == Where::Theirs) {
            let word = &text[start..end];
            if is_everybodys(word) {
                continue;
            }
            let stand_in = match seen {
                Seen::Address => self.put(Kind::Address, word),
                Seen::Host => self.put(Kind::Host, word),
                Seen::Login => self.put(Kind::Login, word),
                Seen::Quoted => self.stand_ins.get(&fold(word)).cloned().unwrap_or_else(|| "?".into()),
            };
            found.push((start, end - start, stand_in));
        }
        found
    }
}

fn replaced(text: &str, found: Vec<Found>) -> String {
    let mut out = text.to_owned();
    for (start, len, stand_in) in found.into_iter().rev() {
        out.replace_range(start..start + len, &stand_in);
    }
    out
}

fn is_everybodys(name: &str) -> bool {
    let name = name.trim();
    let built_in = ["NT AUTHORITY\\", "NT SERVICE\\", "BUILTIN\\", "##MS_"];
    EVERYBODYS.iter().any(|known| name.eq_ignore_ascii_case(known))
        || built_in.iter().any(|start| name.get(..start.len()).is_some_and(|n| n.eq_ignore_ascii_case(start)))
}
