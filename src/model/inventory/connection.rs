//! Connection strings of ADO.NET, as SSMS saves them and people paste them: `key=value;key="a;b"`. Called by `exchange`, and by
//! the wizard, which takes a pasted one apart.

use crate::model::base::secret::Secret;

/// The pairs of a connection string, keys in lower case without blanks. Of pairs with the same key the last one counts.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        // `a;b=c`: the words before the last semicolon are a key without a value.
        let key = key.rsplit(';').next().unwrap_or(key);
        let key: String = key.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        let (value, left) = value(after.trim_start());
        found.push((key, value));
        rest = left;
    }
    found
}

fn value(text: &str) -> (String, &str) {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let (mut value, mut chars) = (String::new(), text[1..].char_indices().peekable());
    while let Some((at, c)) = chars.next() {
        if c != quote {
            value.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            value.push(quote);
        } else {
            let rest = &text[at + 2..];
            return (value, rest.split_once(';').map_or("", |(_, rest)| rest));
        }
    }
    (value, "")
}

/// True for a key, as [`pairs`] gives it, whose value is a password.
pub fn is_password(key: &str) -> bool {
    matches!(key, "password" | "pwd")
}

/// The values of a connection string that matter here.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one key of the string")]
pub struct ConnectionString {
    /// `host`, `host,port`, `tcp:host`
    pub host: String,
    /// initial catalog
    pub database: String,
    /// login
    pub user: String,
    method: String,
    /// name in the certificate
    pub host_in_certificate: String,
    integrated: bool,
    /// TDS 8.0
    pub strict: bool,
    /// the certificate is not checked
    pub unchecked: bool,
    /// read-only intent
    pub read_only: bool,
    /// all addresses at once
    pub multi_subnet: bool,
    /// in clear, unless SSMS wrote it
    pub password: Option<Secret>,
}

impl ConnectionString {
    /// Reads a string; keys that dbtop has no use for are left out.
    pub fn of(text: &str) -> Self {
        let mut says = Self::default();
        for (key, value) in pairs(text) {
            says.take(&key, value);
        }
        says
    }

    fn take(&mut self, key: &str, value: String) {
        let yes = ["true", "yes", "sspi"].iter().any(|yes| value.eq_ignore_ascii_case(yes));
        match key {
            "datasource" | "server" | "address" | "addr" | "networkaddress" => self.host = value,
            "initialcatalog" | "database" => self.database = value,
            "userid" | "uid" | "user" => self.user = value,
            key if is_password(key) => {
                self.password = Some(Secret::new(value)).filter(|p| !p.reveal().is_empty());
            }
            "integratedsecurity" | "trusted_connection" => self.integrated = yes,
            "authentication" => self.method = value.to_lowercase().replace(' ', ""),
            "hostnameincertificate" => self.host_in_certificate = value,
            "encrypt" => self.strict = value.eq_ignore_ascii_case("strict"),
            "trustservercertificate" => self.unchecked = yes,
            "applicationintent" => self.read_only = value.eq_ignore_ascii_case("readonly"),
            "multisubnetfailover" => self.multi_subnet = yes,
            _ => {}
        }
    }

    /// The kind of login, as columns name it; empty: it says none.
    pub fn auth(&self) -> &'static str {
        if self.method.starts_with("activedirectory") {
            "entra"
        } else if self.integrated {
            "kerberos"
        } else if self.user.is_empty() {
            ""
        } else {
            "sql"
        }
    }
}

/// A value, in quotes if it needs them.
pub fn quoted(value: &str) -> String {
    let plain = !value.contains([';', '"', '\'', '=']) && value.trim() == value;
    if plain { value.to_owned() } else { format!("\"{}\"", value.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_odd_strings() {
        let text = "Data Source=db1;User ID='a;b';password=\"x\"\"y\" ; Encrypt = True;;flag;Last=";
        let found = pairs(text);
        let expected = [
            ("datasource", "db1"),
            ("userid", "a;b"),
            ("password", "x\"y"),
            ("encrypt", "True"),
            ("last", ""),
        ];
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        for odd in ["", "=", ";", "a", "a=\"", "a='\u{e4}", "a=\"\"\"", "='\u{e4}'\u{e4}=;"] {
            pairs(odd);
        }
    }

    #[test]
    fn values_survive() {
        for text in ["a", "a;b", "\"", "'", " a ", "", "\u{e4}=\u{e4}"] {
            assert_eq!(
                pairs(&format!("k={};x=y", quoted(text))),
                [("k".into(), text.into()), ("x".into(), "y".into())]
            );
        }
    }
}
