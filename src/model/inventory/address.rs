//! The address of an instance: the one parser for what people type, paste and import, and its way back into a text. Called
//! by the wizard, `config` and `exchange`. It quotes nothing of what it refuses: a pasted text may hold a password.

use super::connection;
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// The longest name of a host (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 255;
/// The port on which SQL Server listens unless somebody says otherwise.
pub(in crate::model) const USUAL_PORT: u16 = 1433;
/// The name of the default instance.
const DEFAULT_INSTANCE: &str = "MSSQLSERVER";

/// The address on which the server listens. Shown as `host`, `host,port`, `host\instance` or `host\instance,port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// host name or address
    pub host: String,
    /// port; None: 1433, or asked of SQL Browser if `instance` is set
    pub port: Option<u16>,
    /// named instance
    pub instance: Option<String>,
}

/// Why a text is no address. Its words say what it is and what to write instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    /// nothing
    #[error("is missing: write a host name or an address, as host, host,port or host\\instance")]
    Missing,
    /// `Server=…;`
    #[error(
        "is a connection string, not a host: write host,port alone, and database and login in their own fields"
    )]
    ConnectionString,
    /// `jdbc:sqlserver://…`, `mssql://…`
    #[error("is a URL, not a host: write host,port alone, and database and login in their own fields")]
    Url,
    /// `user@host`
    #[error("has a login in front of the host: write the host alone, and the login in its own field")]
    Login,
    /// `np:`, `\\host\pipe\…`
    #[error("is a named pipe: dbtop speaks TCP only; enable TCP/IP on the server and write host,port")]
    NamedPipe,
    /// `lpc:`
    #[error("is shared memory: dbtop speaks TCP only; enable TCP/IP on the server and write localhost,port")]
    SharedMemory,
    /// `admin:`
    #[error(
        "is the dedicated administrator connection: that one is for emergencies and there is only one; write the host without admin:"
    )]
    Admin,
    /// `(localdb)\…`
    #[error(
        "is LocalDB, which listens on no port and runs only while somebody uses it: dbtop cannot watch it"
    )]
    LocalDb,
    /// `h;1433`
    #[error("has a semicolon: the port stands behind a comma, as host,1433")]
    Semicolon,
    /// `h/INST`
    #[error("has a slash: a named instance stands behind a backslash, as host\\INSTANCE")]
    Slash,
    /// `h\`, `h\a\b`
    #[error("has no instance name behind the backslash, or two: write host\\INSTANCE, or the host alone")]
    Instance,
    /// not 1 to 65535
    #[error("has a port that is none: write 1 to 65535, as host,1433")]
    Port,
    /// `h:1,2`
    #[error("names two ports: write one, as host,1433")]
    TwoPorts,
    /// `::g`
    #[error("has colons but is no address of IPv6: write ::1 or [::1],1433")]
    Ipv6,
    /// `10.0.0.700`
    #[error("has numbers and dots but is no address of IPv4: write four numbers up to 255, or a name")]
    Ipv4,
    /// anything else
    #[error(
        "cannot be read: a host has letters, digits, dots, hyphens and underscores; write host, host,port or host\\instance"
    )]
    Host,
}

impl Endpoint {
    /// Reads `host`, `host,port`, `host:port`, `host\instance`, `host\instance,port`, `tcp:` in front of any of them,
    /// addresses of IPv6 with or without brackets, and `.` or `(local)` for this machine.
    ///
    /// # Errors
    /// What it is instead, with advice.
    pub fn parse(text: &str) -> Result<Self, NoAddress> {
        let text = text.trim();
        foreign(text)?;
        let rest = after_prefix(text, "tcp:").unwrap_or(text).trim();
        if rest.is_empty() {
            return Err(NoAddress::Missing);
        }
        let (rest, behind_comma) = match rest.split_once(',') {
            Some((rest, port)) => (rest.trim(), Some(port_in(port)?)),
            None => (rest, None),
        };
        let (host, instance) = match rest.split_once('\\') {
            Some((host, instance)) => (host.trim(), Some(instance.trim())),
            None => (rest, None),
        };
        let (host, behind_host) = host_and_port(host)?;
        let (instance, behind_instance) =
            match instance.map(|i| i.split_once(':').map_or((i, None), |(i, p)| (i, Some(p)))) {
                None => (None, None),
                Some((name, port)) => (named(name)?, port.map(port_in).transpose()?),
            };
        let mut ports = [behind_comma, behind_host, behind_instance].into_iter().flatten();
        let port = ports.next();
        if ports.any(|other| Some(other) != port) {
            return Err(NoAddress::TwoPorts);
        }
        Ok(Self { host, port, instance })
    }

    /// True if a text is more than a host: it names a port or an instance, and counts as one value with them.
    pub fn is_whole(text: &str) -> bool {
        text.contains('\\') || Self::parse(text).is_ok_and(|at| at.port.is_some())
    }

    /// The place in one spelling, to compare: case, a dot at the end of a name, the usual port and the ways to write an address of IPv6
    /// make no difference, and `localhost` is 127.0.0.1 and ::1. Other addresses of the loopback are other places: tunnels end there. A port
    /// decides where an instance is named beside it.
    pub fn place(&self) -> String {
        let lower = self.host.to_lowercase();
        let host = lower.strip_suffix('.').unwrap_or(&lower);
        let address = host.parse::<IpAddr>().map(|address| address.to_canonical());
        let host = match address {
            Ok(IpAddr::V4(Ipv4Addr::LOCALHOST) | IpAddr::V6(Ipv6Addr::LOCALHOST)) => "localhost".to_owned(),
            Ok(address) => address.to_string(),
            Err(_) => host.to_owned(),
        };
        match (self.port, &self.instance) {
            (None, Some(instance)) => format!("{host}\\{}", instance.to_lowercase()),
            (port, _) => format!("{host},{}", port.unwrap_or(USUAL_PORT)),
        }
    }

    /// The name of an instance, None for that of the default one.
    pub fn named(instance: &str) -> Option<String> {
        Some(instance).filter(|name| !name.eq_ignore_ascii_case(DEFAULT_INSTANCE)).map(str::to_owned)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if let Some(instance) = &self.instance {
            write!(f, "\\{instance}")?;
        }
        self.port.map_or(Ok(()), |port| write!(f, ",{port}"))
    }
}

/// The rest behind a prefix, whatever its case.
fn after_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// What other programs call an address, and dbtop does not.
fn foreign(text: &str) -> Result<(), NoAddress> {
    let starts = |prefix: &str| after_prefix(text, prefix).is_some();
    Err(if text.is_empty() {
        NoAddress::Missing
    } else if starts("jdbc:") || text.contains("://") {
        NoAddress::Url
    } else if text.contains('=') {
        NoAddress::ConnectionString
    } else if text.contains('@') {
        NoAddress::Login
    } else if starts("np:") || text.starts_with("\\\\") {
        NoAddress::NamedPipe
    } else if starts("lpc:") {
        NoAddress::SharedMemory
    } else if starts("admin:") {
        NoAddress::Admin
    } else if starts("(localdb)") {
        NoAddress::LocalDb
    } else if text.contains(';') {
        NoAddress::Semicolon
    } else if text.contains('/') {
        NoAddress::Slash
    } else {
        return Ok(());
    })
}

fn port_in(text: &str) -> Result<u16, NoAddress> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let port = if digits { text.parse::<u16>().ok() } else { None };
    port.filter(|port| *port > 0).ok_or(NoAddress::Port)
}

/// `host`, `host:port`, `v6`, `[v6]`, `[v6]:port`.
fn host_and_port(text: &str) -> Result<(String, Option<u16>), NoAddress> {
    if text == "." || text.eq_ignore_ascii_case("(local)") {
        return Ok(("localhost".to_owned(), None));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (host, behind) = rest.split_once(']').ok_or(NoAddress::Ipv6)?;
        let port = match behind.strip_prefix(':') {
            Some(port) => Some(port_in(port)?),
            None if behind.is_empty() => None,
            None => return Err(NoAddress::Ipv6),
        };
        return Ok((v6(host)?, port));
    }
    match text.split_once(':') {
        Some((_, more)) if more.contains(':') => Ok((v6(text)?, None)),
        Some((host, port)) => Ok((name(host)?, Some(port_in(port)?))),
        None => Ok((name(text)?, None)),
    }
}

/// An address of IPv6, with or without a zone.
fn v6(text: &str) -> Result<String, NoAddress> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    let word =
        |zone: &str| !zone.is_empty() && zone.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if address.parse::<Ipv6Addr>().is_err() || !zone.is_none_or(word) {
        return Err(NoAddress::Ipv6);
    }
    Ok(text.to_owned())
}

fn name(text: &str) -> Result<String, NoAddress> {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > MAX_HOST || !text.chars().all(good) {
        return Err(NoAddress::Host);
    }
    // A dot at the end says that the name is whole.
    let parts = text.strip_suffix('.').unwrap_or(text);
    if parts.split('.').any(|part| part.is_empty() || part.starts_with('-') || part.ends_with('-')) {
        return Err(NoAddress::Host);
    }
    let is_numbers = text.contains('.') && text.chars().all(|c| c == '.' || c.is_ascii_digit());
    if is_numbers && text.parse::<Ipv4Addr>().is_err() {
        return Err(NoAddress::Ipv4);
    }
    Ok(text.to_owned())
}

fn named(text: &str) -> Result<Option<String>, NoAddress> {
    let bad = |c: char| c == '\\' || c.is_whitespace() || c.is_control();
    if text.is_empty() || text.len() > MAX_HOST || text.chars().any(bad) {
        return Err(NoAddress::Instance);
    }
    Ok(Endpoint::named(text))
}

/// True if a text has a password in it, as connection strings and URLs have: it must not be shown, stored or logged.
pub fn holds_password(text: &str) -> bool {
    let mut pairs = connection::pairs(text).into_iter();
    let keyed = pairs.any(|(key, value)| !value.is_empty() && connection::is_secret(&key));
    keyed || text.split_once("://").is_some_and(|(scheme, rest)| has_login(scheme, rest))
}

/// The same, and `user:password@host`, a URL without its scheme: for hosts, names of servers and words that a message would quote.
/// Elsewhere such a text is `mail:dba@corp.example`.
pub fn may_hold_password(text: &str) -> bool {
    holds_password(text) || (!text.contains("://") && is_login_at_host(text))
}

/// `user:password@host`, as a URL without its scheme. An address of mail is none.
fn is_login_at_host(text: &str) -> bool {
    let Some((login, host)) = text.trim().rsplit_once('@') else { return false };
    let Some((user, password)) = login.split_once(':') else { return false };
    let is_word = |c: char| !c.is_whitespace() && c != '/';
    !user.is_empty()
        && user.chars().all(is_word)
        && !user.eq_ignore_ascii_case("mailto")
        && password.starts_with(|c: char| !c.is_whitespace())
        && host.starts_with(|c: char| c.is_alphanumeric() || c == '[')
}

/// A message without those of the typed words that have a password in them: an error quotes what it does not know.
pub fn without_passwords(mut message: String, typed: impl Iterator<Item = String>) -> String {
    for word in typed.filter(|word| may_hold_password(word)) {
        // `--host=Server=…` is quoted without the name of the option.
        let value = word.strip_prefix("--").and_then(|option| option.split_once('=')).map(|(_, value)| value);
        for said in
            [Some(word.as_str()), value.filter(|value| may_hold_password(value))].into_iter().flatten()
        {
            for said in [said.to_owned(), said.escape_debug().to_string()] {
                message = message.replace(&said, "(a text with a password in it)");
            }
        }
    }
    message
}

/// True if a URL has a password in front of its host. A password may hold any sign: a page of the web alone ends its host at the
/// first slash.
fn has_login(scheme: &str, rest: &str) -> bool {
    let web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    let authority = if web { rest.split(['/', '?', '#']).next().unwrap_or(rest) } else { rest };
    authority.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_in_every_form_are_taken_apart() {
        for (text, host, instance, port) in [
            ("db1", "db1", None, None),
            (" db1.corp.example ", "db1.corp.example", None, None),
            ("db1,1533", "db1", None, Some(1533)),
            ("db1 , 1533", "db1", None, Some(1533)),
            ("db1:1433", "db1", None, Some(1433)),
            ("db1:1433,1433", "db1", None, Some(1433)),
            ("tcp:db1,1533", "db1", None, Some(1533)),
            ("TCP: db1:1533", "db1", None, Some(1533)),
            (r"db1\SALES", "db1", Some("SALES"), None),
            (r"db1\SALES, 1444", "db1", Some("SALES"), Some(1444)),
            (r"db1\SALES:1444", "db1", Some("SALES"), Some(1444)),
            (r"db1,1444", "db1", None, Some(1444)),
            (r"db1\MSSQLServer", "db1", None, None),
            (r"db1\MSSQLSERVER,1444", "db1", None, Some(1444)),
            (r"tcp:.\EXPRESS", "localhost", Some("EXPRESS"), None),
            (".", "localhost", None, None),
            ("(LOCAL),1444", "localhost", None, Some(1444)),
            ("10.0.0.7:65535", "10.0.0.7", None, Some(65_535)),
            ("::1", "::1", None, None),
            ("::1,1433", "::1", None, Some(1433)),
            ("[::1]", "::1", None, None),
            ("[2001:db8::7]:1433", "2001:db8::7", None, Some(1433)),
            ("[fe80::1%eth0],1433", "fe80::1%eth0", None, Some(1433)),
            (r"[::1]\SALES", "::1", Some("SALES"), None),
            ("münchen.example", "münchen.example", None, None),
            ("my_host-1.", "my_host-1.", None, None),
        ] {
            let instance = instance.map(str::to_owned);
            let expected = Endpoint { host: host.to_owned(), port, instance };
            assert_eq!(Endpoint::parse(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn one_place_has_one_spelling_whatever_is_typed() {
        let place = |text: &str| Endpoint::parse(text).unwrap().place();
        for same in [
            &["h", "H", "h.", "H.,1433", "h:1433", "tcp:h"][..],
            &[
                "localhost",
                "LOCALHOST.",
                "127.0.0.1",
                "127.0.0.1,1433",
                "::1",
                "[::1]:1433",
                ".",
                "(local)",
                "::ffff:127.0.0.1",
            ],
            &[r"h\SALES", r"H.\sales"],
            &[r"h\SALES,1500", "h,1500", r"h\OTHER:1500"],
            &["2001:db8::7", "2001:DB8:0:0::7,1433"],
        ] {
            let first = place(same[0]);
            assert!(same.iter().all(|text| place(text) == first), "{same:?}: {first}");
        }
        for (one, other) in [
            ("h", "h2"),
            ("h", "h,1434"),
            ("h", r"h\SALES"),
            ("h", "h.corp"),
            ("10.0.0.1", "10.0.0.2"),
            ("127.0.0.2", "127.0.0.3"),
            ("127.0.0.2", "localhost"),
        ] {
            assert_ne!(place(one), place(other));
        }
    }

    #[test]
    fn what_is_no_address_is_called_by_its_name() {
        use NoAddress as No;
        for (text, why) in [
            ("", No::Missing),
            (" \t", No::Missing),
            ("tcp:", No::Missing),
            (r"np:\\db1\pipe\sql\query", No::NamedPipe),
            ("NP:db1", No::NamedPipe),
            (r"\\.\pipe\sql\query", No::NamedPipe),
            ("lpc:db1", No::SharedMemory),
            ("admin:db1", No::Admin),
            ("ADMIN:.", No::Admin),
            (r"(localdb)\MSSQLLocalDB", No::LocalDb),
            ("jdbc:sqlserver://db1:1433;databaseName=sales;user=u;password=hunter2", No::Url),
            ("mssql://u:hunter2@db1:1433/sales", No::Url),
            ("https://db1", No::Url),
            ("tcp://db1:1433", No::Url),
            ("Server=db1;Database=sales;User Id=u;Password=hunter2;", No::ConnectionString),
            ("Data Source=db1", No::ConnectionString),
            ("u:hunter2@db1", No::Login),
            ("db1;1433", No::Semicolon),
            ("db1/SALES", No::Slash),
            (r"db1\", No::Instance),
            (r"db1\a\b", No::Instance),
            (r"db1\ SALES x", No::Instance),
            ("db1,0", No::Port),
            ("db1,65536", No::Port),
            ("db1,+1", No::Port),
            ("db1,", No::Port),
            ("db1,1433,1434", No::Port),
            ("db1:x", No::Port),
            ("[::1]:", No::Port),
            ("db1:1433,1434", No::TwoPorts),
            ("10.0.0.700", No::Ipv4),
            ("10.0.7,1433", No::Ipv4),
            ("db1..corp", No::Host),
            ("-", No::Host),
            ("db1.-corp", No::Host),
            ("..", No::Host),
            ("::g", No::Ipv6),
            ("[::1", No::Ipv6),
            ("[::1]1433", No::Ipv6),
            ("[db1]", No::Ipv6),
            ("fe80::1%", No::Ipv6),
            ("1:2:3", No::Ipv6),
            ("db 1", No::Host),
            ("db\u{1b}1", No::Host),
            (r"\SALES", No::Host),
            (",1433", No::Host),
            (":1433", No::Host),
            ("'db1'", No::Host),
            ("..", No::Host),
            ("(other)", No::Host),
        ] {
            let found = Endpoint::parse(text);
            assert_eq!(found, Err(why), "{text:?}");
            assert!(!why.to_string().contains("hunter2"), "{why}");
        }
        assert_eq!(Endpoint::parse(&"a".repeat(256)), Err(No::Host));
    }

    #[test]
    fn passwords_are_seen_in_whatever_is_pasted() {
        for text in [
            "Server=db1;Password=hunter2",
            "server = db1 ; pwd = hunter2",
            "jdbc:sqlserver://db1;user=u;password=hunter2",
            "mssql://u:hunter2@db1/sales?encrypt=true",
            "mssql+pyodbc://u:hun/ter?2#@db1/sales",
            "Driver={ODBC Driver 18 for SQL Server};Server=db1;Pwd={hunter2}",
            "\"Server=db1;Password=hunter2\"",
            "jdbc:sqlserver://db1;trustStorePassword=hunter2",
            "Server=db1;Client Secret=hunter2",
            "Server=db1;Access Token=hunter2",
        ] {
            assert!(holds_password(text) && may_hold_password(text), "{text}");
        }
        for text in [
            "sa:hunter2@db1",
            " corp\\svc:hun@t:er2@db1,1433 ",
            "sa:hunter2@[::1]:1433/sales",
            "mail:dba@corp.example",
            "sip:dba@corp.example",
        ] {
            assert!(may_hold_password(text), "{text}");
            assert!(!holds_password(text), "{text}: somebody is called so");
        }
        for text in [
            "db1",
            "Server=db1;Password=;",
            "key=value",
            "https://example/a:b@c",
            "team=a;note=password",
            "u@db1",
            "u@corp.example",
            "mailto:dba@corp.example",
            "DBA: max@corp.example",
            "::1",
            "db1:1433",
            "a:b@",
        ] {
            assert!(!holds_password(text) && !may_hold_password(text), "{text}");
        }
    }

    #[test]
    fn no_message_quotes_a_password_that_was_typed() {
        let pasted = r#"Server=db1;Password="hunter2\x""#;
        let typed = || {
            ["dbtop", "list", pasted, "--host=Server=db1;Pwd=hunter3", "env=prod", "sa:hunter4@db1"]
                .map(str::to_owned)
                .into_iter()
        };
        for (message, told) in [
            (
                format!("no instance is called {pasted}: see"),
                "no instance is called (a text with a password in it): see",
            ),
            (format!("filter {pasted:?}: no field"), "filter \"(a text with a password in it)\": no field"),
            (
                "unexpected '--host=Server=db1;Pwd=hunter3'".to_owned(),
                "unexpected '(a text with a password in it)'",
            ),
            ("host Server=db1;Pwd=hunter3 is none".to_owned(), "host (a text with a password in it) is none"),
            ("no label env=prod".to_owned(), "no label env=prod"),
            (
                "no instance is called sa:hunter4@db1".to_owned(),
                "no instance is called (a text with a password in it)",
            ),
        ] {
            assert_eq!(without_passwords(message, typed()), told);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(
            host in r"[a-z0-9]([a-z0-9_-]{0,8}[a-z0-9])?(\.[a-z_][a-z0-9_]{0,6}){0,2}|10\.0\.0\.[1-9]|::1|2001:db8::[1-9a-f]{1,4}|fe80::1%eth0",
            instance in prop::option::of("[A-Z][A-Z0-9_$]{0,12}"),
            port in prop::option::of(1u16..),
        ) {
            let at = Endpoint { host, port, instance };
            prop_assert_eq!(Endpoint::parse(&at.to_string()), Ok(at.clone()));
            prop_assert_eq!(Endpoint::parse(&format!(" tcp:{at} ")), Ok(at));
        }

        #[test]
        fn whatever_is_read_is_written_and_read_again(text in "\\PC{0,40}|[a-z:.,\\\\\\[\\]0-9%]{0,20}") {
            if let Ok(at) = Endpoint::parse(&text) {
                prop_assert!(!at.host.contains([';', '=', '@', '/', ' ', ',', '\\']), "{at:?}");
                prop_assert_eq!(Endpoint::parse(&at.to_string()), Ok(at));
            }
            may_hold_password(&text);
        }
    }
}
