//! From options to the fields of an instance. Every option is read like a column of a file, so that errors read
//! alike; passwords come from standard input, the terminal or a place outside, never from the arguments.

use super::super::ask;
use crate::{
    app::clock,
    cli::inventory::{Fields, Poll, SecretFrom},
    exchange::{Draft, Field, Value, column, set_text},
    model::{
        base::{secret::Secret, text::sanitize_line},
        inventory::{
            address::{Endpoint, NoAddress},
            connection::ConnectionString,
            record::{PollSettings, SecretRef, maintenance_until},
        },
        poll::id::ProbeId,
    },
};
use anyhow::{Context, bail};
use std::io::{IsTerminal, Read};
use zeroize::Zeroizing;

/// The fields from the options, without the lists that are added to.
///
/// # Errors
/// The first error, with its field.
pub fn draft(fields: &Fields, name: Option<&str>) -> anyhow::Result<Draft> {
    let mut draft = Draft::default();
    let port = fields.port.map(|port| port.to_string());
    let texts = [
        ("name", name),
        ("host", fields.host.as_deref()),
        ("port", port.as_deref()),
        ("instance", fields.instance.as_deref()),
        ("database", fields.database.as_deref()),
        ("auth", fields.auth.as_deref()),
        ("user", fields.user.as_deref()),
        ("action_user", fields.action_user.as_deref()),
        ("action_password_command", fields.action_secret_command.as_deref()),
        ("action_password_env", fields.action_secret_env.as_deref()),
        ("action_password_file", fields.action_secret_file.as_deref()),
        ("tls", fields.tls.as_deref()),
        ("tls_pin", fields.tls_pin.as_deref()),
        ("ca_file", fields.ca_file.as_deref()),
        ("host_in_certificate", fields.host_in_certificate.as_deref()),
        ("read_only_intent", fields.read_only_intent.as_deref()),
        ("multi_subnet_failover", fields.multi_subnet_failover.as_deref()),
        ("notes", fields.notes.as_deref()),
    ];
    if let Some(host) = fields.host.as_deref() {
        check_host(host)?;
    }
    for (name, text) in texts {
        put(&mut draft, name, text)?;
    }
    let mut typed = Typed::default();
    if let Some(secret) = outside(&fields.secret, &mut typed)? {
        draft.set(Field::Secret, Value::Secret(secret));
    }
    if fields.action_password_stdin {
        let password = typed.line("--action-password-stdin")?;
        draft.set(Field::ActionSecret, Value::Secret(SecretRef::Stored(password)));
    }
    Ok(draft)
}

/// A pasted connection string gets the options that say the same.
fn check_host(host: &str) -> anyhow::Result<()> {
    let says = ConnectionString::of(host);
    let (Err(why @ NoAddress::ConnectionString), Ok(at)) =
        (Endpoint::parse(host), Endpoint::parse(&says.host))
    else {
        return Ok(());
    };
    let tls = if says.strict { "strict" } else { "" };
    let (read_only, multi_subnet) =
        (if says.read_only { "yes" } else { "" }, if says.multi_subnet { "yes" } else { "" });
    let options = [
        ("--host", at.to_string()),
        ("--database", says.database.clone()),
        ("--auth", says.auth().to_owned()),
        ("--user", says.user.clone()),
        ("--tls", tls.to_owned()),
        ("--host-in-certificate", says.host_in_certificate.clone()),
        ("--read-only-intent", read_only.to_owned()),
        ("--multi-subnet-failover", multi_subnet.to_owned()),
    ];
    let said = options.iter().filter(|(_, text)| !text.is_empty());
    let said: Vec<String> = said.map(|(option, text)| format!("{option} {}", in_shell(text))).collect();
    let password = if says.password.is_some() {
        "; the password is asked for, and others may have seen it in this command: change it"
    } else {
        ""
    };
    bail!("host: {why}. The same as options: {}{password}", said.join(" "))
}

/// A word of a POSIX shell.
fn in_shell(text: &str) -> String {
    let text = sanitize_line(text, 300);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._,-:@%".contains(c);
    if text.chars().all(plain) { text.to_string() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn put(draft: &mut Draft, name: &str, text: Option<&str>) -> anyhow::Result<()> {
    if let (Some(column), Some(text)) = (column(name), text)
        && let Some(value) = set_text(column, text)?
    {
        draft.add(column, value)?;
    }
    Ok(())
}

/// Groups and labels: added to those of `base`.
///
/// # Errors
/// As [`draft`].
pub fn add_lists(draft: &mut Draft, fields: &Fields, base: &Draft) -> anyhow::Result<()> {
    if !fields.group.is_empty() {
        let mut groups = list(base, Field::Groups);
        groups.extend(fields.group.iter().filter(|g| !list(base, Field::Groups).contains(g)).cloned());
        draft.set(Field::Groups, Value::List(groups));
    }
    if !fields.label.is_empty() {
        let mut labels = match base.get(Field::Labels) {
            Some(Value::Labels(labels)) => labels.clone(),
            _ => std::collections::BTreeMap::new(),
        };
        for label in &fields.label {
            let (key, value) = split_label(label)?;
            labels.insert(key, value);
        }
        draft.set(Field::Labels, Value::Labels(labels));
    }
    Ok(())
}

fn list(draft: &Draft, field: Field) -> Vec<String> {
    match draft.get(field) {
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    }
}

/// `key=value`, split.
///
/// # Errors
/// There is no `=`.
pub fn split_label(label: &str) -> anyhow::Result<(String, String)> {
    let (key, value) =
        label.split_once('=').with_context(|| format!("{label:?} is no label: write key=value"))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// The present settings of collection, changed by the options.
///
/// # Errors
/// An interval, a probe or a time that is not valid.
pub fn poll_over(options: &Poll, base: &PollSettings) -> anyhow::Result<PollSettings> {
    let mut poll = base.clone();
    for (name, every) in [("--every", options.every), ("--detail-every", options.detail_every)] {
        if every.is_some_and(|every| !(30..=3600).contains(&every)) {
            bail!("{name} must be 30 to 3600 seconds");
        }
    }
    poll.every_s = options.every.or(poll.every_s);
    poll.detail_every_s = options.detail_every.or(poll.detail_every_s);
    for name in &options.probe_off {
        let mut known = ProbeId::ALL.iter().map(|id| id.name());
        let Some(name) = known.find(|known| known.eq_ignore_ascii_case(name)) else {
            let known: Vec<&str> = ProbeId::ALL.iter().map(|id| id.name()).collect();
            bail!("no probe is called {name}: there are {}", known.join(", "));
        };
        if !poll.probes_off.iter().any(|off| off == name) {
            poll.probes_off.push(name.to_owned());
        }
    }
    poll.probes_off.retain(|name| !options.probe_on.iter().any(|on| on.eq_ignore_ascii_case(name)));
    for (given, there) in
        [(&options.databases, &mut poll.databases_in), (&options.databases_out, &mut poll.databases_out)]
    {
        if !given.is_empty() {
            there.clone_from(given);
            // `--databases ''` resets the list to all databases.
            there.retain(|name| !name.trim().is_empty());
        }
    }
    if options.stop || options.start {
        poll.running = options.stop.then_some(false);
    }
    if let Some(text) = &options.maintenance {
        let now = clock::now();
        poll.maintenance_until =
            maintenance_until(text, now).map_err(|e| anyhow::anyhow!("--maintenance {e}"))?;
    }
    Ok(poll)
}

/// Where the password is, if the options say so.
///
/// # Errors
/// Standard input is empty.
pub fn secret(from: &SecretFrom) -> anyhow::Result<Option<SecretRef>> {
    outside(from, &mut Typed::default())
}

fn outside(from: &SecretFrom, typed: &mut Typed) -> anyhow::Result<Option<SecretRef>> {
    if from.password_stdin {
        return Ok(Some(SecretRef::Stored(typed.line("--password-stdin")?)));
    }
    Ok(from
        .secret_command
        .clone()
        .map(SecretRef::Command)
        .or_else(|| from.secret_env.clone().map(SecretRef::Env))
        .or_else(|| from.secret_file.as_ref().map(|file| SecretRef::File(file.into())))
        .or_else(|| from.secret_ask.then_some(SecretRef::Ask)))
}

/// Longest input with passwords, bytes.
const MOST_TYPED: u64 = 64 * 1024;

/// Standard input, read once and handed out by lines.
#[derive(Default)]
struct Typed {
    text: Option<Zeroizing<String>>,
    lines_taken: usize,
}

impl Typed {
    /// The next line, for this option.
    fn line(&mut self, option: &str) -> anyhow::Result<Secret> {
        if self.text.is_none() {
            let mut text = Zeroizing::new(String::new());
            let read = std::io::stdin().take(MOST_TYPED).read_to_string(&mut text);
            read.context("reading the password from standard input")?;
            self.text = Some(text);
        }
        let mut lines = self.text.iter().flat_map(|text| text.lines()).skip(self.lines_taken);
        self.lines_taken += 1;
        match lines.next() {
            Some(line) if !line.is_empty() => Ok(Secret::new(line.to_owned())),
            _ if self.lines_taken > 1 => bail!("{option}: standard input has no second line"),
            _ => bail!("{option}: standard input is empty"),
        }
    }
}

/// Asks for the passwords of logins that have none.
///
/// # Errors
/// There is no terminal to ask on.
pub fn ask_passwords(draft: &mut Draft) -> anyhow::Result<()> {
    for (user, secret, option) in [
        (
            Field::User,
            Field::Secret,
            "--password-stdin, --secret-command, --secret-env, --secret-file or --secret-ask",
        ),
        (
            Field::ActionUser,
            Field::ActionSecret,
            "--action-password-stdin, --action-secret-command, --action-secret-env or --action-secret-file",
        ),
    ] {
        let Some(login) = draft.text(user).filter(|_| draft.get(secret).is_none()) else { continue };
        if !std::io::stdin().is_terminal() {
            bail!("the password of {login} is needed and there is no terminal to ask on: give {option}");
        }
        let given = ask::passphrase(&format!("Password of {login}: "))?;
        draft.set(secret, Value::Secret(SecretRef::Stored(given)));
    }
    Ok(())
}
