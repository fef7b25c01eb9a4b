//! The steps of the wizard: their fields, made from a record, and the way back into one. The errors of a step are
//! found with the rules of the record itself.

use super::super::{
    form::{Field, Form},
    items::{existing, items, labels, written},
    login::{self, ACTION, POLLING, Problem},
};
use crate::{
    model::inventory::{
        address::{Endpoint, NoAddress},
        connection::ConnectionString,
        instance::Fingerprint,
        record::{Auth, InstanceRecord, RecordError, TlsCheck},
    },
    protocol::FormData,
};

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Address,
    Login,
    Tls,
    Sorting,
    Test,
}

impl Step {
    pub const ALL: [Self; 5] = [Self::Address, Self::Login, Self::Tls, Self::Sorting, Self::Test];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "Address",
            Self::Login => "Authentication",
            Self::Tls => "TLS",
            Self::Sorting => "Groups & labels",
            Self::Test => "Test & save",
        }
    }

    /// Its place; the forms stand in the same order.
    pub const fn at(self) -> usize {
        self as usize
    }

    /// The one before or after.
    pub fn next(self, forward: bool) -> Option<Self> {
        let at = if forward { self.at() + 1 } else { self.at().checked_sub(1)? };
        Self::ALL.get(at).copied()
    }
}

const NO_YES: [&str; 2] = ["no", "yes"];
const TLS: [&str; 4] = ["verify", "pin", "strict", "insecure"];
/// The meaning of the red word.
pub const INSECURE: &str = "insecure: the certificate is not checked. Who sits on the line can read the password and change the answers.";

/// A record to lay a single step into, so that only this step can be wrong.
fn blank() -> InstanceRecord {
    InstanceRecord::new("new", "host", Auth::Kerberos)
}

/// The forms of all steps but the last.
pub fn forms(of: Option<&InstanceRecord>, data: &FormData) -> [Form; 4] {
    let new = blank();
    let record = of.unwrap_or(&new);
    let text = |text: &str| if of.is_some() { text.to_owned() } else { String::new() };
    [address(record, &text), logins(of), tls(record), sorting(record, data)]
}

fn address(record: &InstanceRecord, text: &impl Fn(&str) -> String) -> Form {
    let port = record.port.map(|port| port.to_string()).unwrap_or_default();
    Form::new(vec![
        Field::text("name", "Name", &text(&record.name)).hint("what dbtop calls it; empty: as its host"),
        Field::text("host", "Host", &text(&record.host))
            .hint("name or address; host,port and host\\instance are taken apart"),
        Field::text("port", "Port", &port).hint("empty: 1433, or what SQL Browser says of the instance"),
        Field::text("instance", "Instance", record.instance.as_deref().unwrap_or(""))
            .hint("empty: the default instance"),
        Field::text("database", "Database", record.database.as_deref().unwrap_or(""))
            .hint("empty: the login's default"),
    ])
}

fn logins(of: Option<&InstanceRecord>) -> Form {
    let mut fields = login::fields(&POLLING, None, of.map(|record| &record.auth));
    let action = login::fields(&ACTION, Some("none"), of.and_then(|record| record.action.as_ref()));
    fields.extend(action.into_iter().map(|mut field| {
        field.label = match field.label {
            "Authentication" => "Authentication for actions",
            "Login" => "Login for actions",
            other => other,
        };
        field
    }));
    Form::new(fields)
}

fn tls(record: &InstanceRecord) -> Form {
    let check = &record.tls.check;
    let (word, pin) = match check {
        TlsCheck::Verify => ("verify", ""),
        TlsCheck::Pin(print) => ("pin", print.as_str()),
        TlsCheck::Strict => ("strict", ""),
        TlsCheck::Insecure => ("insecure", ""),
    };
    let file = record.tls.ca_file.as_ref().map(|path| path.to_string_lossy()).unwrap_or_default();
    let flag = |id, label, on: bool| Field::choice(id, label, &NO_YES, NO_YES[usize::from(on)]);
    Form::new(vec![
        Field::choice("tls", "Certificate", &TLS, word).danger("insecure"),
        Field::text("tls.pin", "Fingerprint", pin)
            .hint("SHA-256 of the certificate, 64 hex digits; a test can take it over"),
        Field::text("ca_file", "CA file", &file).hint("authorities to trust besides the system's, PEM"),
        Field::text(
            "host_in_certificate",
            "Name in certificate",
            record.tls.host_in_certificate.as_deref().unwrap_or(""),
        )
        .hint("where it is not the host"),
        flag("read_only_intent", "Read-only intent", record.read_only_intent)
            .hint("an availability group may send us to a secondary"),
        flag("multi_subnet_failover", "Multi-subnet failover", record.multi_subnet_failover)
            .hint("try all addresses of the name at once"),
    ])
}

fn sorting(record: &InstanceRecord, data: &FormData) -> Form {
    let labels = written(record.labels.iter().map(|(key, value)| format!("{key}={value}")));
    let every = |every: Option<u32>| every.map(|s| s.to_string()).unwrap_or_default();
    Form::new(vec![
        Field::text("groups", "Groups", &written(&record.groups))
            .known(&data.groups)
            .hint(existing("with commas between them", &data.groups)),
        Field::text("labels", "Labels", &labels)
            .known(&data.labels)
            .hint(existing("key=value, with commas between them", &data.labels)),
        Field::text("every_s", "Poll every", &every(record.poll.every_s))
            .hint("seconds, 30 to 3600; empty: as configured"),
        Field::text("detail_every_s", "Details every", &every(record.poll.detail_every_s))
            .hint("seconds, 30 to 3600; empty: as configured"),
        Field::text("notes", "Notes", &record.notes).hint("for people"),
    ])
}

/// Shows the fields that mean something with what the others say.
pub fn update(forms: &mut [Form; 4], before: Option<&InstanceRecord>) {
    let [_, logins, tls, _] = forms;
    login::update(logins, &POLLING, before.map(|record| &record.auth));
    login::update(logins, &ACTION, before.and_then(|record| record.action.as_ref()));
    if logins.said(ACTION.auth) == "none" {
        logins.hint(ACTION.auth, "actions that change something, if ever, would use another login");
    }
    let check = tls.said("tls").to_owned();
    tls.show("tls.pin", check == "pin");
    let how = match check.as_str() {
        "verify" => "against the authorities that this machine trusts",
        "pin" => "it must be this very certificate, whoever signed it",
        "strict" => "verified, and TLS from the first byte (TDS 8.0: SQL Server 2022 and later)",
        _ => "",
    };
    tls.hint("tls", how);
}

/// Splits an address that includes its port or instance. True if it did.
pub fn split_host(form: &mut Form) -> bool {
    let said = form.said("host").to_owned();
    let Ok(at) = Endpoint::parse(&said) else { return false };
    if at.host == said.trim() {
        return false;
    }
    let port = at.port.map(|port| port.to_string());
    for (id, text) in [("host", Some(at.host)), ("port", port), ("instance", at.instance)] {
        if let (Some(field), Some(text)) = (form.field_mut(id), text) {
            field.set(&text);
            field.error = None;
        }
    }
    true
}

/// The connection string that stands where a host should, if it is one and names an address.
pub fn connection_string(form: &Form) -> Option<(Endpoint, ConnectionString)> {
    let said = form.said("host");
    if Endpoint::parse(said) != Err(NoAddress::ConnectionString) {
        return None;
    }
    let says = ConnectionString::of(said);
    Some((Endpoint::parse(&says.host).ok()?, says))
}

/// Puts the parts of a connection string into their fields: the password into the hidden one.
pub fn take_apart(forms: &mut [Form; 4], at: &Endpoint, says: &ConnectionString) {
    let port = at.port.map(|port| port.to_string());
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let [address, logins, tls, _] = forms;
    let set = |form: &mut Form, texts: &[(&str, &str)]| {
        for (id, text) in texts.iter().filter(|(_, text)| !text.is_empty()) {
            if let Some(field) = form.field_mut(id) {
                field.set(text);
                field.error = None;
            }
        }
    };
    let instance = at.instance.as_deref().unwrap_or("");
    set(
        address,
        &[
            ("host", at.host.as_str()),
            ("port", port.as_deref().unwrap_or("")),
            ("instance", instance),
            ("database", &says.database),
        ],
    );
    set(logins, &[(POLLING.auth, says.auth()), (POLLING.user, &says.user)]);
    if let Some(password) = &says.password {
        set(logins, &[(POLLING.from, "stored")]);
        if let Some(field) = logins.field_mut(POLLING.secret) {
            field.set_secret(password);
        }
    }
    set(
        tls,
        &[
            ("tls", if says.strict { "strict" } else { "" }),
            ("host_in_certificate", &says.host_in_certificate),
            ("read_only_intent", yes(says.read_only)),
            ("multi_subnet_failover", yes(says.multi_subnet)),
        ],
    );
}

/// The errors of a step by itself, in the order of its fields. `taken` are the names of other instances.
pub fn problems(step: Step, form: &Form, before: Option<&InstanceRecord>, taken: &[String]) -> Vec<Problem> {
    let mut record = blank();
    let mut wrong = lay(step, form, before, &mut record);
    let twice = |name: &&String| name.eq_ignore_ascii_case(&record.name);
    if step == Step::Address
        && let Some(other) = taken.iter().find(twice)
    {
        wrong.push(Problem::new("name", format!("{other} is there already")));
    }
    if let Err(error) = record.validate() {
        wrong.extend(place_of(&error).filter(|(at, _)| *at == step).map(|(_, problem)| problem));
    }
    wrong.sort_by_key(|problem| form.place(problem.id));
    wrong
}

/// The step and field that an error in a record belongs to.
pub fn place_of(error: &RecordError) -> Option<(Step, Problem)> {
    let (step, id) = match error.field {
        "name" | "host" | "port" | "instance" | "database" => (Step::Address, error.field),
        "user" | "auth" => (Step::Login, error.field),
        "tls.pin" | "ca_file" | "host_in_certificate" => (Step::Tls, error.field),
        "groups" | "labels" | "every_s" | "detail_every_s" | "notes" => (Step::Sorting, error.field),
        _ => return None,
    };
    Some((step, Problem::new(id, error.problem.clone())))
}

/// Writes the fields of a step into a record; returns the errors.
pub fn lay(
    step: Step,
    form: &Form,
    before: Option<&InstanceRecord>,
    record: &mut InstanceRecord,
) -> Vec<Problem> {
    match step {
        Step::Address => lay_address(form, record),
        Step::Login => lay_logins(form, before, record),
        Step::Tls => lay_tls(form, record),
        Step::Sorting => lay_sorting(form, record),
        Step::Test => Vec::new(),
    }
}

fn lay_address(form: &Form, record: &mut InstanceRecord) -> Vec<Problem> {
    let mut wrong = Vec::new();
    let text = |id: &str| Some(form.said(id)).filter(|said| !said.is_empty()).map(str::to_owned);
    (record.instance, record.database) = (text("instance"), text("database"));
    record.port = match number(form, "port", 1..=65_535) {
        Ok(port) => port.and_then(|port| u16::try_from(port).ok()),
        Err(problem) => {
            wrong.push(problem);
            None
        }
    };
    let host = form.said("host");
    if host.is_empty() {
        wrong.push(Problem::new("host", "where is it? A host name or an address"));
    } else {
        match Endpoint::parse(host) {
            Ok(at) => {
                record.host = at.host;
                record.port = at.port.or(record.port);
                record.instance = at.instance.or(record.instance.take());
            }
            Err(why) => wrong.push(Problem::new("host", why.to_string())),
        }
    }
    record.name = text("name").unwrap_or_else(|| record.host.clone());
    wrong
}

fn lay_logins(form: &Form, before: Option<&InstanceRecord>, record: &mut InstanceRecord) -> Vec<Problem> {
    let mut wrong = Vec::new();
    match login::auth(form, &POLLING, before.map(|record| &record.auth)) {
        Ok(auth) => record.auth = auth.unwrap_or(Auth::Kerberos),
        Err(problems) => wrong.extend(problems),
    }
    match login::auth(form, &ACTION, before.and_then(|record| record.action.as_ref())) {
        Ok(auth) => record.action = auth,
        Err(problems) => wrong.extend(problems),
    }
    wrong
}

fn lay_tls(form: &Form, record: &mut InstanceRecord) -> Vec<Problem> {
    let mut wrong = Vec::new();
    record.tls.check = match form.said("tls") {
        "strict" => TlsCheck::Strict,
        "insecure" => TlsCheck::Insecure,
        "pin" => match form.said("tls.pin").parse::<Fingerprint>() {
            Ok(print) => TlsCheck::Pin(print.to_string().replace(':', "").to_lowercase()),
            Err(error) => {
                wrong.push(Problem::new("tls.pin", error.to_string()));
                TlsCheck::Verify
            }
        },
        _ => TlsCheck::Verify,
    };
    let text = |id: &str| Some(form.said(id)).filter(|said| !said.is_empty()).map(str::to_owned);
    record.tls.ca_file = text("ca_file").map(Into::into);
    record.tls.host_in_certificate = text("host_in_certificate");
    record.read_only_intent = form.said("read_only_intent") == "yes";
    record.multi_subnet_failover = form.said("multi_subnet_failover") == "yes";
    wrong
}

fn lay_sorting(form: &Form, record: &mut InstanceRecord) -> Vec<Problem> {
    let mut wrong = Vec::new();
    record.groups = items(form.said("groups"));
    match labels(form.said("labels")) {
        Ok(labels) => record.labels = labels,
        Err(words) => wrong.push(Problem::new("labels", words)),
    }
    for (id, every) in
        [("every_s", &mut record.poll.every_s), ("detail_every_s", &mut record.poll.detail_every_s)]
    {
        match number(form, id, 30..=3600) {
            Ok(seconds) => *every = seconds,
            Err(problem) => wrong.push(problem),
        }
    }
    form.said("notes").clone_into(&mut record.notes);
    wrong
}

/// A whole number, or nothing.
fn number(
    form: &Form,
    id: &'static str,
    within: std::ops::RangeInclusive<u32>,
) -> Result<Option<u32>, Problem> {
    let said = form.said(id);
    if said.is_empty() {
        return Ok(None);
    }
    let found = said.parse().ok().filter(|n| within.contains(n));
    found.map(Some).ok_or_else(|| Problem::new(id, format!("must be {} to {}", within.start(), within.end())))
}
