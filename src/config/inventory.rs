//! The plain inventory: a TOML file of instances, as `dbtop sim --inventory-out` writes it. It is for tests and for the
//! simulator; passwords come from the environment or a command, and stand in the file itself only for loopback addresses.

use super::error::{ConfigError, Invalid, Origin, line_at, list, plain, shorten};
use crate::model::{
    base::{secret::Secret, text},
    inventory::{
        address::{Endpoint, holds_password, may_hold_password},
        instance::{Fingerprint, InstanceInfo, Target, TlsMode},
        record::{Auth, SecretRef},
    },
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    host: String,
    port: Option<u16>,
    user: Option<String>,
    password: Option<Password>,
    /// a bearer token of Microsoft Entra instead of user and password
    token: Option<Password>,
    /// `kerberos` or `ntlm`
    auth: Option<Kind>,
    #[serde(default)]
    tls: Tls,
    pin: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    database: Option<String>,
    ca_file: Option<PathBuf>,
    host_in_certificate: Option<String>,
    #[serde(default)]
    read_only_intent: bool,
    #[serde(default)]
    multi_subnet_failover: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Sql,
    Entra,
    Kerberos,
    Ntlm,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a password is written as { env = \"NAME\" } or as { command = \"…\" }; text itself only for loopback"
)]
enum Password {
    Literal(String),
    Env { env: String },
    Command { command: String },
    File { file: PathBuf },
    Ask { ask: bool },
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Tls {
    #[default]
    Verify,
    Pin,
    Strict,
    Insecure,
    LoginOnly,
    Off,
}

impl Tls {
    fn mode(self, pin: Option<&str>) -> Result<TlsMode, String> {
        Ok(match (self, pin) {
            (Self::Pin, Some(text)) => {
                TlsMode::Pin(text.parse::<Fingerprint>().map_err(|e| format!("pin: {e}"))?)
            }
            (Self::Pin, None) => return Err("tls = \"pin\" needs pin = \"the certificate's SHA-256\"".into()),
            (_, Some(_)) => return Err("pin stands beside tls = \"pin\" only".into()),
            (Self::Verify, None) => TlsMode::Verify,
            (Self::Strict, None) => TlsMode::Strict,
            (Self::Insecure, None) => TlsMode::Insecure,
            (Self::LoginOnly, None) => TlsMode::LoginOnly,
            (Self::Off, None) => TlsMode::Off,
        })
    }
}

/// A name in a message; longer ones are cut.
const LONGEST_NAME: usize = 128;

/// The content of an inventory file.
#[derive(Default)]
pub struct Read {
    /// instances without an error, each with the line where it begins
    pub targets: Vec<(usize, Target)>,
    /// the others, by line; none of them holds a password
    pub errors: Vec<Invalid>,
}

/// Reads an inventory file, and takes it only without any error.
///
/// # Errors
/// It cannot be read, or its errors with file, line and instance: not TOML, an unknown option, a name twice, a host
/// that cannot be parsed, a literal password for a host that is not loopback.
pub fn load(path: &Path) -> Result<Vec<Target>, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let read = read(path, &text);
    if read.errors.is_empty() {
        Ok(read.targets.into_iter().map(|(_, target)| target).collect())
    } else {
        Err(ConfigError::Invalid(read.errors))
    }
}

/// Parses an inventory's text.
///
/// # Errors
/// The errors, in words.
pub fn parse(text: &str) -> Result<Vec<Target>, String> {
    let read = read(Path::new("inventory"), text);
    if read.errors.is_empty() {
        Ok(read.targets.into_iter().map(|(_, target)| target).collect())
    } else {
        Err(list(&read.errors))
    }
}

/// Reads an inventory's text; `path` is for the errors.
pub fn read(path: &Path, text: &str) -> Read {
    let (file, errors) = DeTable::parse_recoverable(text);
    let mut reading = Reading { path, text, read: Read::default(), seen: HashSet::new() };
    for error in &errors {
        reading.broken(0, "", error);
    }
    if errors.is_empty() {
        reading.file(file.into_inner());
    }
    let mut read = reading.read;
    read.errors.sort_by(|a, b| a.at.cmp(&b.at));
    if !errors.is_empty() {
        // A line with one error has no second one: it may follow from the first.
        read.errors.dedup_by(|a, b| a.at == b.at);
    }
    read
}

struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
    read: Read,
    /// names so far, in lower case
    seen: HashSet<String>,
}

impl Reading<'_> {
    fn wrong(&mut self, line: usize, option: &str, problem: String, advice: String) {
        let at = Origin::File { path: self.path.to_owned(), line: Some(line) };
        self.read.errors.push(Invalid { at, option: option.to_owned(), problem, advice });
    }

    /// The parser's reason without the line itself, which may hold a password.
    fn broken(&mut self, line: usize, instance: &str, error: &toml::de::Error) {
        let line = error.span().map_or(line.max(1), |span| line_at(self.text, span.start));
        let quoted = error.message().contains("string \"");
        let (reason, advice) = if quoted {
            ("a value of the wrong type".to_owned(), String::new())
        } else {
            shorten(&plain(error.message()))
        };
        let whose = if instance.is_empty() { String::new() } else { format!("instance {instance}: ") };
        self.wrong(line, "", whose + &reason, advice);
    }

    fn file(&mut self, file: DeTable<'_>) {
        let mut ca_file = None;
        let mut rows = Vec::new();
        for (name, value) in file {
            let line = line_at(self.text, name.span().start);
            match (&**name.get_ref(), value.into_inner()) {
                ("ca_file", DeValue::String(file)) => ca_file = Some(PathBuf::from(&*file)),
                ("instance", DeValue::Array(elements)) => rows.extend(elements),
                (known @ ("ca_file" | "instance"), _) => {
                    let advice = "write ca_file = \"FILE\" and, for each instance, a line [[instance]]";
                    self.wrong(line, known, "a value of the wrong type".into(), advice.into());
                }
                (unknown, _) => {
                    let near = super::nearest(unknown, ["ca_file", "instance"]).unwrap_or("instance");
                    let advice = match near {
                        "instance" => "each instance begins with a line [[instance]]".to_owned(),
                        name => format!("did you mean `{name}`?"),
                    };
                    self.wrong(line, unknown, format!("unknown option `{unknown}`"), advice);
                }
            }
        }
        for row in rows {
            self.row(row, ca_file.as_ref());
        }
    }

    fn row(&mut self, row: Spanned<DeValue<'_>>, ca_file: Option<&PathBuf>) {
        let line = line_at(self.text, row.span().start);
        let named = row.get_ref().get("name").and_then(|name| name.get_ref().as_str());
        let named = named.filter(|name| !may_hold_password(name));
        let name = named.map(|name| text::sanitize_line(name, LONGEST_NAME).to_string()).unwrap_or_default();
        match Row::deserialize(ValueDeserializer::from(row)) {
            Ok(row) if row.name.is_empty() || row.name.chars().any(char::is_control) => {
                let problem = format!("instance name {:?} is empty or has control characters", row.name);
                self.wrong(line, "name", problem, String::new());
            }
            Ok(row) if may_hold_password(&row.name) => {
                let problem = "the name has a password in it, as a connection string has".to_owned();
                self.wrong(line, "name", problem, "write a name; the address goes into host".into());
            }
            Ok(row) if !self.seen.insert(row.name.to_lowercase()) => {
                let problem = format!("instance {name}: the name stands twice");
                self.wrong(line, "name", problem, "give one of them another".into());
            }
            Ok(row) => match target(row, ca_file) {
                Ok(target) => self.read.targets.push((line, target)),
                Err(problem) => self.wrong(line, "", format!("instance {name}: {problem}"), String::new()),
            },
            Err(error) => self.broken(line, &name, &error),
        }
    }
}

fn target(row: Row, default_ca: Option<&PathBuf>) -> Result<Target, String> {
    let mut endpoint = Endpoint::parse(&row.host).map_err(|why| format!("host {why}"))?;
    if let Some(port) = row.port {
        if endpoint.port.is_some_and(|p| p != port) {
            return Err(format!("host and port = {port} name two ports"));
        }
        endpoint.port = Some(port);
    }
    if let Some(name) = &row.host_in_certificate {
        let at = Endpoint::parse(name).map_err(|why| format!("host_in_certificate {why}"))?;
        if at.port.is_some() || at.instance.is_some() {
            return Err("host_in_certificate is a name alone, without a port or an instance".into());
        }
    }
    shows_no_password(&row)?;
    let tls = row.tls.mode(row.pin.as_deref())?;
    let loopback = is_loopback(&endpoint.host);
    let auth = auth(row.auth, row.user, row.password, row.token, loopback)?;
    let info = InstanceInfo {
        address: endpoint.to_string().into(),
        groups: row.groups.into_iter().map(Arc::from).collect(),
        labels: row.labels.into_iter().map(|(k, v)| (Arc::from(k), Arc::from(v))).collect(),
        tls,
        ..InstanceInfo::named(&row.name)
    };
    Ok(Target {
        info: Arc::new(info),
        endpoint,
        auth,
        action: None,
        database: row.database,
        ca_file: row.ca_file.or_else(|| default_ca.cloned()),
        host_in_certificate: row.host_in_certificate,
        read_only_intent: row.read_only_intent,
        multi_subnet_failover: row.multi_subnet_failover,
    })
}

/// What everybody sees of an instance has no password in it: somebody may have pasted a connection string into it.
fn shows_no_password(row: &Row) -> Result<(), String> {
    let texts = [("database", &row.database), ("user", &row.user)].into_iter();
    let texts = texts.filter_map(|(option, text)| Some((option, text.as_deref()?)));
    let groups = row.groups.iter().map(|group| ("groups", group.as_str()));
    let labels =
        row.labels.iter().flat_map(|(key, value)| [("labels", key.as_str()), ("labels", value.as_str())]);
    match texts.chain(groups).chain(labels).find(|(_, text)| holds_password(text)) {
        Some((option, _)) => {
            Err(format!("{option} has a password in it, which goes into password, from where it comes"))
        }
        None => Ok(()),
    }
}

/// The login. Without `auth` its kind follows from the other options.
fn auth(
    kind: Option<Kind>,
    user: Option<String>,
    password: Option<Password>,
    token: Option<Password>,
    loopback: bool,
) -> Result<Auth, String> {
    let kind = kind.unwrap_or(if token.is_some() { Kind::Entra } else { Kind::Sql });
    let stray = |what: &str| Err(format!("{what} does not go with this kind of login"));
    match (kind, user, password, token) {
        (Kind::Sql, Some(user), Some(password), None) => {
            Ok(Auth::Sql { user, secret: secret("password", password, loopback)? })
        }
        (Kind::Ntlm, Some(user), Some(password), None) => {
            Ok(Auth::Ntlm { user, secret: secret("password", password, loopback)? })
        }
        (Kind::Entra, None, None, Some(token)) => {
            Ok(Auth::Entra { token: secret("token", token, loopback)? })
        }
        (Kind::Kerberos, None, None, None) => Ok(Auth::Kerberos),
        (Kind::Sql | Kind::Ntlm, _, _, Some(_)) => stray("token"),
        (Kind::Sql | Kind::Ntlm, None, ..) => Err("user is missing".into()),
        (Kind::Sql | Kind::Ntlm, _, None, _) => Err("password is missing".into()),
        (Kind::Entra, None, None, None) => Err("token is missing".into()),
        (Kind::Entra | Kind::Kerberos, ..) => stray("user, password or token"),
    }
}

fn secret(what: &str, given: Password, loopback: bool) -> Result<SecretRef, String> {
    let is_empty = match &given {
        Password::Env { env } => env.trim().is_empty(),
        Password::Command { command } => command.trim().is_empty(),
        Password::File { file } => file.as_os_str().is_empty(),
        Password::Literal(_) | Password::Ask { .. } => false,
    };
    if is_empty {
        return Err(format!(
            "{what} names nothing that it comes from: write {{ env = \"NAME\" }} or {{ command = \"…\" }}"
        ));
    }
    Ok(match given {
        Password::Env { env } => SecretRef::Env(env),
        Password::Command { command } => SecretRef::Command(command),
        Password::File { file } => SecretRef::File(file),
        Password::Ask { ask: true } => SecretRef::Ask,
        Password::Ask { ask: false } => {
            return Err(format!("{what}: ask = false says nothing; leave it out"));
        }
        Password::Literal(text) if loopback => SecretRef::Stored(Secret::new(text)),
        Password::Literal(_) => {
            return Err(format!(
                "a {what} may stand in the file for loopback addresses only: use \
                 {what} = {{ env = \"NAME\" }}, {{ command = \"…\" }} or {{ file = \"…\" }}"
            ));
        }
    })
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(row: &str) -> Result<Target, String> {
        parse(&format!("[[instance]]\nname = \"a\"\nuser = \"u\"\n{row}\n")).map(|mut v| v.remove(0))
    }

    #[test]
    fn a_host_that_is_none_is_refused_without_a_word_of_it() {
        for host in
            ["Server=db1;User Id=u;Password=hunter2", "mssql://u:hunter2@db1/sales", "np:db1", "db1;1433"]
        {
            let error = one(&format!("host = \"{host}\"\npassword = {{ env = \"PW\" }}")).err().unwrap();
            assert!(error.contains("host ") && !error.contains("hunter2"), "{error}");
        }
        for pasted in [
            "host_in_certificate = \"Server=db1;Password=hunter2\"",
            "database = \"Database=a;Pwd=hunter2\"",
            "groups = [\"prod\", \"Server=db1;Password=hunter2\"]",
            "labels = { team = \"mssql://u:hunter2@db1\" }",
        ] {
            let error =
                one(&format!("host = \"db1\"\n{pasted}\npassword = {{ env = \"PW\" }}")).err().unwrap();
            assert!(
                error.contains(pasted.split(' ').next().unwrap()) && !error.contains("hunter2"),
                "{error}"
            );
        }
        for row in ["host = \"db1\"\npassword = { env = \"P\" }", "host = 5", "colour = 1", "host = \"np:x\""]
        {
            let named =
                format!("[[instance]]\nname = \"Server=db1;Password=hunter2\"\nuser = \"u\"\n{row}\n");
            let error = parse(&named).err().unwrap();
            assert!(error.contains("line ") && !error.contains("hunter2"), "{error}");
        }
        let port = one("host = \"db1:1444\"\nport = 1445\npassword = { env = \"PW\" }").err().unwrap();
        assert!(port.contains("name two ports"), "{port}");
        let target = one("host = \"TCP:[::1]:1444\"\npassword = { env = \"PW\" }").unwrap();
        assert_eq!((&*target.info.address, target.endpoint.port), ("::1,1444", Some(1444)));
    }

    #[test]
    fn literal_passwords_only_for_loopback() {
        assert!(one("host = \"127.1.0.1\"\npassword = \"p\"").is_ok());
        let e = one("host = \"db1\"\npassword = \"hunter2\"").err().unwrap();
        assert!(e.contains("loopback") && e.contains("instance a") && !e.contains("hunter2"), "{e}");
        assert!(one("host = \"db1\"\npassword = { env = \"PW\" }").is_ok());
        assert!(one("host = \"db1\"\npassword = { command = \"pass show db1\" }").is_ok());
    }

    #[test]
    fn a_password_comes_from_one_place_that_is_named() {
        for from in ["env = \"\"", "command = \" \"", "file = \"\""] {
            let e = one(&format!("host = \"db1\"\npassword = {{ {from} }}")).err().unwrap();
            assert!(e.contains("instance a: password names nothing"), "{e}");
        }
        let two = one("host = \"db1\"\npassword = { env = \"A\", command = \"b\" }").err().unwrap();
        assert!(two.contains("a password is written as"), "{two}");
        let wide =
            one("host = \"db1\"\npassword = { env = \"A\" }\nport = 99999999999999999999").err().unwrap();
        assert!(wide.contains("99999999999999999999 is not a whole number"), "{wide}");
    }

    #[test]
    fn labels_groups_tls_and_defaults() {
        let t = parse(
            "ca_file = \"ca.pem\"\n[[instance]]\nname = \"a\"\nhost = \"db1,1444\"\nuser = \"u\"\n\
             password = { env = \"PW\" }\ntls = \"strict\"\ngroups = [\"prod\"]\nlabels = { tier = \"1\", env = \"prod\" }",
        )
        .unwrap()
        .remove(0);
        assert_eq!(t.info.tls, TlsMode::Strict);
        assert_eq!(&*t.info.address, "db1,1444");
        assert!(t.info.is_production());
        assert_eq!(t.ca_file.as_deref(), Some(Path::new("ca.pem")));
        assert_eq!(
            one("host = \"db1\"\npassword = { env = \"PW\" }").ok().map(|t| t.info.tls),
            Some(TlsMode::Verify)
        );
    }

    #[test]
    fn pins_tokens_and_places_of_secrets() {
        let pin = Fingerprint([9; 32]).to_string();
        let pinned =
            one(&format!("host = \"db1\"\npassword = {{ file = \"pw\" }}\ntls = \"pin\"\npin = \"{pin}\""))
                .unwrap();
        assert_eq!(pinned.info.tls, TlsMode::Pin(Fingerprint([9; 32])));
        assert_eq!(pinned.auth.secret().map(SecretRef::kind), Some("file"));
        for wrong in ["tls = \"pin\"", "pin = \"00\"", "tls = \"pin\"\npin = \"00\""] {
            let e = one(&format!("host = \"db1\"\npassword = {{ ask = true }}\n{wrong}")).err().unwrap();
            assert!(e.contains("pin"), "{e}");
        }
        let entra = |rest: &str| parse(&format!("[[instance]]\nname = \"a\"\nhost = \"db1\"\n{rest}"));
        let token =
            entra("token = { command = \"az account\" }\nmulti_subnet_failover = true").unwrap().remove(0);
        assert!(token.multi_subnet_failover && token.auth.kind() == "entra");
        assert_eq!(entra("auth = \"kerberos\"").unwrap()[0].auth.kind(), "kerberos");
        assert!(entra("auth = \"kerberos\"\nuser = \"u\"").is_err());
        assert!(entra("user = \"u\"\ntoken = { env = \"T\" }\npassword = { env = \"P\" }").is_err());
        assert!(entra("token = \"eyJ\"").err().unwrap().contains("loopback"));
    }

    #[test]
    fn every_instance_with_an_error_is_named_with_its_line() {
        let text = "cafile = \"x\"\n[[instance]]\nname = \"a\"\nhst = \"h\"\n\n[[instance]]\nname = \"b\"\n\
                    host = \"h\"\nuser = \"u\"\npassword = \"hunter2\"\n[[instance]]\nname = \"c\"\nhost = \"h\"\n\
                    auth = \"kerberos\"\n";
        let read = read(Path::new("f.toml"), text);
        let told: Vec<String> = read.errors.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        for (error, said) in told.iter().zip([
            "f.toml: line 1: unknown option `cafile`; did you mean `ca_file`?",
            "f.toml: line 4: instance a: unknown option `hst`; did you mean `host`?",
            "f.toml: line 6: instance b: a password may stand in the file for loopback",
        ]) {
            assert!(error.starts_with(said), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let good: Vec<_> = read.targets.iter().map(|(line, t)| (*line, t.info.id.as_str())).collect();
        assert_eq!(good, [(11, "c")]);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_wrong_with_a_file_no_error_holds_a_password(
            at in 0_usize..400, cut in 0_usize..3, put in "[\"'=\\[\\]{}#\n a-c]{0,2}",
        ) {
            let mut text = "ca_file = \"ca.pem\"\n[[instance]]\nname = \"a\"\nhost = \"127.0.0.1\"\nuser = \"u\"\n\
                            password = \"hunter2\"\ntls = \"off\"\n\n[[instance]]\nname = \"b\"\nhost = \"localhost\"\n\
                            token = \"hunter2\"\nlabels = { env = \"prod\" }\nport = 1433\n".to_owned();
            let at = at % text.len();
            text.replace_range(at..(at + cut).min(text.len()), &put);
            for error in read(Path::new("f.toml"), &text).errors {
                let words = error.to_string();
                assert!(!words.contains("hunter"), "{words}\n{text}");
                assert!(!words.chars().any(char::is_control), "{words:?}\n{text}");
            }
        }
    }

    #[test]
    fn errors_are_named() {
        let twice = "[[instance]]\nname=\"a\"\nhost=\"h\"\nuser=\"u\"\npassword={env=\"P\"}\n\
                     [[instance]]\nname=\"A\"\nhost=\"h\"\nuser=\"u\"\npassword={env=\"P\"}";
        assert!(parse(twice).err().unwrap().contains("twice"));
        let e = one("host = \"h\"\npassword = { env = \"P\" }\ncolour = 1").err().unwrap();
        assert!(e.contains("colour") && e.contains("line"), "{e}");
        for leaky in [
            "password = \"hunter2\"\ntls = 5",
            "password = [\"hunter2\"]",
            "tls = \"hunter2\"\npassword=\"x\"",
            "password = \"hunter2",
            "port = \"hunter2\"\npassword={env=\"P\"}",
        ] {
            let e = one(&format!("host = \"h\"\n{leaky}")).err().unwrap();
            assert!(e.contains("line") && !e.contains('\n'), "{e}");
            assert!(!leaky.starts_with("pass") || !e.contains("hunter2"), "{e}");
            assert!(!leaky.starts_with("port") || !e.contains("hunter2"), "{e}");
        }
        assert!(
            one("host = \"h,1\"\nport = 2\npassword = { env = \"P\" }").err().unwrap().contains("two ports")
        );
    }
}
