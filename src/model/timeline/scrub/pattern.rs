//! Finds texts like names that must go, though nobody has named them: addresses, hosts with their domain, `DOMAIN\\login`,
//! `user@domain`, and what a server quotes. Part of `scrub`; pure.

use std::net::{IpAddr, Ipv4Addr};

/// The kind of name that it seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// `10.1.4.7`, `fe80::1`
    Address,
    /// `db9.corp.example`
    Host,
    /// `CORP\\svc_web`, `svc@corp.example`
    Login,
    /// what stands between quotes
    Quoted,
}

/// Ends of names of hosts with one dot only.
const TOP: [&str; 10] =
    ["local", "lan", "internal", "intranet", "corp", "com", "net", "org", "example", "invalid"];

/// All of it in a text, as first and last byte, in order; none overlaps another. `theirs`: hosts and quoted words, too.
pub(super) fn find(text: &str, theirs: bool) -> Vec<(usize, usize, Seen)> {
    let mut found = if theirs { quoted(text) } else { Vec::new() };
    let within =
        |found: &[(usize, usize, Seen)], at: usize| found.iter().any(|(s, e, _)| (*s..*e).contains(&at));
    let count = found.len();
    let mut start = None;
    let ends = text.char_indices().map(|(at, c)| (at, is_part(c))).chain([(text.len(), false)]);
    for (at, part) in ends {
        match (start, part) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                start = None;
                if !within(&found[..count], from)
                    && let Some(word) = text.get(from..at)
                {
                    found.extend(of_word(word, theirs).map(|(s, e, seen)| (from + s, from + e, seen)));
                }
            }
            _ => {}
        }
    }
    found.sort_by_key(|(start, ..)| *start);
    found
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | ':' | '\\' | '-' | '_' | '@' | '$')
}

/// The name in a word, and where in it.
fn of_word(word: &str, theirs: bool) -> Option<(usize, usize, Seen)> {
    let word = word.trim_end_matches(['.', ':', '-']);
    // `\\\\server\\share`
    if let Some(rest) = word.strip_prefix("\\\\") {
        let len = rest.find('\\').unwrap_or(rest.len());
        return (len > 0).then_some((2, 2 + len, Seen::Host));
    }
    let whole = |seen| Some((0, word.len(), seen));
    if word.parse::<IpAddr>().is_ok() {
        return whole(Seen::Address);
    }
    // With a port.
    let (host, port) = word.rsplit_once(':').unwrap_or((word, ""));
    let host = if port.bytes().all(|b| b.is_ascii_digit()) { host } else { word };
    if host.parse::<Ipv4Addr>().is_ok() {
        return Some((0, host.len(), Seen::Address));
    }
    if let Some((domain, user)) = word.split_once('\\') {
        let is_domain =
            domain.len() > 1 && domain.starts_with(char::is_alphanumeric) && !domain.contains(':');
        return (is_domain && !user.is_empty()).then_some((0, word.len(), Seen::Login));
    }
    if let Some((user, domain)) = word.split_once('@') {
        return if user.is_empty() || domain.is_empty() { None } else { whole(Seen::Login) };
    }
    (theirs && is_host(host)).then_some((0, host.len(), Seen::Host))
}

/// `db9.corp.example`, `db9.local`; not `1.5.2`, not `sys.dm_os_wait_stats`.
fn is_host(word: &str) -> bool {
    let labels: Vec<&str> = word.split('.').collect();
    let (Some(first), Some(last)) = (labels.first(), labels.last()) else { return false };
    let good = |label: &&str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let is_top = last.len() > 1 && last.chars().all(char::is_alphabetic);
    let ours = ["sys", "dbo", "msdb", "master", "tempdb"].iter().any(|name| first.eq_ignore_ascii_case(name));
    let enough =
        labels.len() > 2 || labels.len() == 2 && TOP.iter().any(|top| last.eq_ignore_ascii_case(top));
    enough && is_top && !ours && labels.iter().all(good)
}

/// The text between quotes, without them. An apostrophe within a word is no quote.
fn quoted(text: &str) -> Vec<(usize, usize, Seen)> {
    let mut found = Vec::new();
    let mut open: Option<(char, usize)> = None;
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map_or(' ', |(_, next)| *next);
        match open {
            None if matches!(c, '\'' | '"' | '`') && !before.is_alphanumeric() => open = Some((c, at + 1)),
            Some((quote, start)) if c == quote && !next.is_alphanumeric() => {
                open = None;
                let inner = text.get(start..at).unwrap_or("");
                if !inner.is_empty() && !inner.starts_with("sys.") {
                    found.push((start, at, Seen::Quoted));
                }
            }
            _ => {}
        }
        before = c;
    }
    // A text that was cut within quotes.
    if let Some((_, start)) = open.filter(|(_, start)| *start < text.len()) {
        found.push((start, text.len(), Seen::Quoted));
    }
    found
}
