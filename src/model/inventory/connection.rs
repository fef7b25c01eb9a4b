//! Connection strings of ADO.NET and ODBC, as SSMS saves them and people paste them: `key=value;key="a;b"`, `key={a;b}`. Called
//! by `exchange`, and by the wizard, which takes a pasted one apart.

use crate::model::base::secret::Secret;

/// The pairs of a connection string, keys in lower case without blanks. Of pairs with the same key the last one counts.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = unwrapped(text);
    let braces = has_braces(rest);
    while let Some((key, after)) = rest.split_once('=') {
        // `a;b=c`: the words before the last semicolon are a key without a value.
        let key = key.rsplit(';').next().unwrap_or(key);
        let key: String = key.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        let (value, left) = match after.trim_start().strip_prefix('{') {
            Some(quoted) if braces => braced(quoted),
            _ => value(after.trim_start()),
        };
        found.push((key, value));
        rest = left;
    }
    found
}

/// A string without the quotes that it had as a word of a program: no key begins with one.
fn unwrapped(text: &str) -> &str {
    let text = text.trim();
    let inside = |quote: char| text.strip_prefix(quote)?.trim_end_matches([';', ',']).strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// True for strings of ODBC and of JDBC, which quote values with braces; for ADO.NET a brace is a sign as any other.
fn has_braces(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let odbc = text
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .any(|(key, _)| matches!(key.trim(), "driver" | "dsn" | "filedsn"));
    odbc || text.starts_with("jdbc:")
}

/// A value in braces, from behind the first one; `}}` is a brace in it.
fn braced(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices().peekable());
    while let Some((at, c)) = chars.next() {
        if c != '}' {
            value.push(c);
        } else if chars.next_if(|(_, next)| *next == '}').is_some() {
            value.push('}');
        } else {
            return (value, text[at + 1..].split_once(';').map_or("", |(_, rest)| rest));
        }
    }
    (value, "")
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

/// True for a key whose value nobody but its owner should see: passwords of logins, keys and stores, secrets, tokens.
pub fn is_secret(key: &str) -> bool {
    // A label may be called `secret`.
    let is_of_something = key != "secret" && key.ends_with("secret");
    ["password", "pwd"].iter().any(|end| key.ends_with(end))
        || is_of_something
        || matches!(key, "accesstoken" | "sharedaccesskey" | "accountkey")
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
        for odd in
            ["", "=", ";", "a", "a=\"", "a='\u{e4}", "a=\"\"\"", "='\u{e4}'\u{e4}=;", "\"", "''", "driver={"]
        {
            pairs(odd);
        }
    }

    #[test]
    fn strings_of_odbc_quote_with_braces_and_those_of_ado_do_not() {
        let text = "Driver={ODBC Driver 18 for SQL Server};Server=tcp:db1,1444;Uid=u;Pwd={a;Server=b}}\"};Encrypt=Strict";
        let says = ConnectionString::of(text);
        assert_eq!((says.host.as_str(), says.user.as_str(), says.strict), ("tcp:db1,1444", "u", true));
        assert_eq!(says.password.as_ref().map(Secret::reveal), Some("a;Server=b}\""));
        let says = ConnectionString::of("Server=db1;User ID=u;Password={a}");
        assert_eq!(says.password.as_ref().map(Secret::reveal), Some("{a}"), "it is so in ADO.NET");
        let open = ConnectionString::of("DSN=x;Server=db1;Pwd={never;closed=1");
        assert_eq!(open.password.as_ref().map(Secret::reveal), Some("never;closed=1"));
    }

    #[test]
    fn the_quotes_of_a_program_are_taken_off() {
        for text in
            ["\"Server=db1;Password='x\\\"y';\"", "'Server=db1;Password=x'", " \"Server=db1;Password=x\"; "]
        {
            let says = ConnectionString::of(text);
            assert_eq!(says.host, "db1", "{text}");
            assert!(says.password.is_some(), "{text}");
        }
        assert_eq!(ConnectionString::of("Server=db1;Database=\"a;b\"").database, "a;b");
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
