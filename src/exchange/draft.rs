//! A draft: the values by field that a row of a file, or the options of a command, set for an instance. A draft is laid
//! over the existing values and turned into a record in one place.

use super::{
    field::{COLUMNS, Column, Field, Kind, Place, Value},
    problem::RowProblem,
};
use crate::model::{
    base::{text::sanitize_line, time::Timestamp},
    inventory::{
        address::{Endpoint, may_hold_password},
        record::{Auth, InstanceRecord, PollSettings, RecordError, SecretRef, Tls, TlsCheck},
    },
};
use std::collections::BTreeMap;

/// The treatment of the vault's passwords when an inventory is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// they are left out; places outside (command, variable, file) are named
    Leave,
    /// they are written: everybody who can read the file can read them
    Write,
}

/// Values by field. An edit leaves a missing field as it is.
#[derive(Clone, Default)]
pub struct Draft(BTreeMap<Field, Value>, Spelled);

/// The columns as a file calls them, by our names: what is wrong is told in the file's words.
type Spelled = BTreeMap<&'static str, String>;

/// The fields of collection.
const POLL: [Field; 7] = [
    Field::Every,
    Field::DetailEvery,
    Field::ProbesOff,
    Field::DatabasesIn,
    Field::DatabasesOut,
    Field::Running,
    Field::MaintenanceUntil,
];

/// The fields of one login.
struct Login {
    auth: Field,
    user: Field,
    secret: Field,
}

const POLLING: Login = Login { auth: Field::Auth, user: Field::User, secret: Field::Secret };
const ACTION: Login = Login { auth: Field::ActionAuth, user: Field::ActionUser, secret: Field::ActionSecret };

impl Draft {
    /// All values of a record.
    pub fn of(record: &InstanceRecord) -> Self {
        let mut draft = Self::default();
        draft.put_text(Field::Name, Some(&record.name));
        draft.put_text(Field::Host, Some(&record.host));
        draft.put(Field::Port, record.port.map(|port| Value::Number(port.into())));
        draft.put_text(Field::Instance, record.instance.as_ref());
        draft.put_text(Field::Database, record.database.as_ref());
        draft.put_auth(&POLLING, Some(&record.auth));
        draft.put_auth(&ACTION, record.action.as_ref());
        let (tls, pin) = match &record.tls.check {
            TlsCheck::Verify => (None, None),
            TlsCheck::Strict => (Some("strict"), None),
            TlsCheck::Insecure => (Some("insecure"), None),
            TlsCheck::Pin(print) => (Some("pin"), Some(print)),
        };
        draft.put_text(Field::Tls, tls);
        draft.put_text(Field::TlsPin, pin);
        draft.put_text(Field::CaFile, record.tls.ca_file.as_ref().map(|path| path.to_string_lossy()));
        draft.put_text(Field::HostInCertificate, record.tls.host_in_certificate.as_ref());
        draft.put(Field::ReadOnlyIntent, record.read_only_intent.then_some(Value::Flag(true)));
        draft.put(Field::MultiSubnetFailover, record.multi_subnet_failover.then_some(Value::Flag(true)));
        draft.put_poll(&record.poll);
        draft.put_list(Field::Groups, &record.groups);
        draft.put(Field::Labels, (!record.labels.is_empty()).then(|| Value::Labels(record.labels.clone())));
        draft.put_text(Field::Notes, Some(&record.notes).filter(|notes| !notes.is_empty()));
        draft.put(Field::AddedAt, record.added_at.map(Value::Time));
        draft
    }

    /// Sets the fields of collection that `poll` has, and takes out the others.
    pub fn set_poll(&mut self, poll: &PollSettings) {
        for field in POLL {
            self.clear(field);
        }
        self.put_poll(poll);
    }

    fn put_poll(&mut self, poll: &PollSettings) {
        self.put(Field::Every, poll.every_s.map(Value::Number));
        self.put(Field::DetailEvery, poll.detail_every_s.map(Value::Number));
        self.put_list(Field::ProbesOff, &poll.probes_off);
        self.put_list(Field::DatabasesIn, &poll.databases_in);
        self.put_list(Field::DatabasesOut, &poll.databases_out);
        self.put(Field::Running, poll.running.map(Value::Flag));
        self.put(Field::MaintenanceUntil, poll.maintenance_until.map(Value::Time));
    }

    fn put_auth(&mut self, login: &Login, auth: Option<&Auth>) {
        let Some(auth) = auth else { return };
        self.put_text(login.auth, Some(auth.kind()));
        self.put_text(login.user, auth.user());
        self.put(login.secret, auth.secret().cloned().map(Value::Secret));
    }

    fn put_text(&mut self, field: Field, text: Option<impl AsRef<str>>) {
        self.put(field, text.map(|text| Value::Text(text.as_ref().to_owned())));
    }

    fn put_list(&mut self, field: Field, items: &[String]) {
        self.put(field, (!items.is_empty()).then(|| Value::List(items.to_vec())));
    }

    fn put(&mut self, field: Field, value: Option<Value>) {
        if let Some(value) = value {
            self.0.insert(field, value);
        }
    }

    /// Notes what a file calls a column.
    pub(super) fn spell(&mut self, column: &Column, header: &str) {
        self.1.insert(column.name, sanitize_line(header, 60).to_string());
    }

    /// Notes what a file calls a field.
    pub(super) fn spell_field(&mut self, field: Field, header: &'static str) {
        self.1.insert(field.name(), header.to_owned());
    }

    /// What its file calls the first column of a field; our name where it has none.
    pub(super) fn heading(&self, field: Field) -> &str {
        self.1.get(field.name()).map_or(field.name(), String::as_str)
    }

    /// A mistake of a row, in the words of its file.
    pub(super) fn problem(&self, line: usize, mistake: RecordError) -> RowProblem {
        let field = self.1.get(mistake.field).map_or(mistake.field, String::as_str).to_owned();
        RowProblem { line, field, reason: mistake.problem }
    }

    /// Sets a field.
    pub fn set(&mut self, field: Field, value: Value) {
        self.0.insert(field, value);
    }

    /// Takes a field out: it has its default again.
    pub fn clear(&mut self, field: Field) {
        self.0.remove(&field);
    }

    /// Adds the value of a column.
    ///
    /// # Errors
    /// The field has another value already, such as a password and a command for it.
    pub fn add(&mut self, column: &Column, value: Value) -> Result<(), RecordError> {
        match (self.0.get_mut(&column.field), value) {
            (None, value) => {
                self.0.insert(column.field, value);
                Ok(())
            }
            (Some(Value::Labels(there)), Value::Labels(more)) => {
                there.extend(more);
                Ok(())
            }
            (Some(there), value) if *there == value => Ok(()),
            (Some(_), _) => {
                Err(column.field.wrong(format!("{} says it a second time, otherwise", column.name)))
            }
        }
    }

    /// The value of a field.
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.0.get(&field)
    }

    /// The text of a field.
    pub fn text(&self, field: Field) -> Option<&str> {
        match self.0.get(&field) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Its name; without one, its address, if it is one: a pasted connection string has a password in it.
    pub fn name(&self) -> Option<&str> {
        let address = || self.text(Field::Host).filter(|host| Endpoint::parse(host).is_ok());
        self.text(Field::Name).filter(|name| !may_hold_password(name)).or_else(address)
    }

    /// True if no field is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The columns that it fills, with their values, in the table's order.
    pub fn cells(&self, secrets: Secrets) -> impl Iterator<Item = (&'static Column, &Value)> {
        COLUMNS.iter().filter_map(move |column| {
            let value = self.0.get(&column.field)?;
            let fits = match (column.kind, value) {
                (Kind::Secret(place), Value::Secret(secret)) => {
                    place == place_of(secret) && (place != Place::Here || secrets == Secrets::Write)
                }
                _ => true,
            };
            fits.then_some((column, value))
        })
    }

    /// The fields of this draft over those of `base`. Fields of `base` that depend on a changed one are dropped: the
    /// port and instance of another host, the password of another user, the fingerprint of another check.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        let mut all = base.clone();
        let says = |field: Field| self.0.get(&field);
        let changes = |field: Field| says(field).is_some_and(|new| base.0.get(&field) != Some(new));
        let mut forget = |changed: bool, fields: &[Field]| {
            if changed {
                all.0.retain(|field, _| !fields.contains(field));
            }
        };
        // An address with a port or instance in it is one value, even if the host alone is as before.
        let address = self.text(Field::Host).is_some_and(Endpoint::is_whole);
        forget(changes(Field::Host) || address, &[Field::Port, Field::Instance]);
        forget(changes(Field::Tls), &[Field::TlsPin]);
        forget(changes(Field::TlsPin), &[Field::Tls]);
        for login in [POLLING, ACTION] {
            forget(changes(login.auth), &[login.user, login.secret]);
            forget(changes(login.user), &[login.secret]);
        }
        all.0.extend(self.0.iter().map(|(field, value)| (*field, value.clone())));
        all
    }

    /// The record. A login without a secret is asked for at start.
    ///
    /// # Errors
    /// The first error, with its field.
    pub fn record(&self, login: Option<&Auth>) -> Result<InstanceRecord, RecordError> {
        let host = self.text(Field::Host).ok_or_else(|| Field::Host.wrong("is missing"))?;
        let at = Endpoint::parse(host).map_err(|why| Field::Host.wrong(why.to_string()))?;
        let auth = self.auth(&POLLING)?.or_else(|| login.cloned()).ok_or_else(|| {
            Field::User.wrong("no login: give a user, or auth = kerberos, or entra with a token")
        })?;
        let name = self.text(Field::Name).unwrap_or(host);
        let mut record = InstanceRecord::new(name, at.host, auth);
        record.port = self.port(at.port)?;
        record.instance =
            one_of(Field::Instance, at.instance, self.text(Field::Instance).and_then(Endpoint::named))?;
        record.database = self.owned(Field::Database);
        record.action = self.auth(&ACTION)?;
        record.tls = Tls {
            check: self.tls()?,
            ca_file: self.owned(Field::CaFile).map(Into::into),
            host_in_certificate: self.owned(Field::HostInCertificate),
        };
        record.read_only_intent = self.flag(Field::ReadOnlyIntent) == Some(true);
        record.multi_subnet_failover = self.flag(Field::MultiSubnetFailover) == Some(true);
        record.poll = self.poll();
        record.groups = self.list(Field::Groups);
        record.labels = match self.get(Field::Labels) {
            Some(Value::Labels(labels)) => labels.clone(),
            _ => BTreeMap::new(),
        };
        record.notes = self.owned(Field::Notes).unwrap_or_default();
        record.added_at = self.time(Field::AddedAt);
        record.validate()?;
        Ok(record)
    }

    /// The fields of collection as a record.
    pub fn poll(&self) -> PollSettings {
        PollSettings {
            every_s: self.number(Field::Every),
            detail_every_s: self.number(Field::DetailEvery),
            probes_off: self.list(Field::ProbesOff),
            databases_in: self.list(Field::DatabasesIn),
            databases_out: self.list(Field::DatabasesOut),
            running: self.flag(Field::Running),
            maintenance_until: self.time(Field::MaintenanceUntil),
        }
    }

    fn auth(&self, login: &Login) -> Result<Option<Auth>, RecordError> {
        let (kind, user) = (self.text(login.auth), self.owned(login.user));
        let given = match self.get(login.secret) {
            Some(Value::Secret(secret)) => Some(secret.clone()),
            _ => None,
        };
        let Some(kind) = kind.or_else(|| user.as_ref().map(|_| "sql")) else {
            return match given {
                Some(_) => Err(login.user.wrong("there is a password, but no user")),
                None => Ok(None),
            };
        };
        let secret = given.unwrap_or(SecretRef::Ask);
        let user = || user.clone().ok_or_else(|| login.user.wrong("is missing"));
        Ok(Some(match kind.to_ascii_lowercase().as_str() {
            "sql" | "sqlserver" | "sql server" | "sql login" => Auth::Sql { user: user()?, secret },
            "entra" | "token" => Auth::Entra { token: secret },
            "kerberos" | "windows" | "integrated" => Auth::Kerberos,
            "ntlm" => Auth::Ntlm { user: user()?, secret },
            _ => return Err(login.auth.wrong("must be sql, entra, kerberos or ntlm")),
        }))
    }

    fn tls(&self) -> Result<TlsCheck, RecordError> {
        let pin = self.text(Field::TlsPin).map(|print| {
            print.chars().filter(|c| !matches!(c, ':' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
        });
        let check = self.text(Field::Tls).unwrap_or(if pin.is_some() { "pin" } else { "verify" });
        match (check.to_ascii_lowercase().as_str(), pin) {
            ("verify", None) => Ok(TlsCheck::Verify),
            ("strict", None) => Ok(TlsCheck::Strict),
            ("insecure", None) => Ok(TlsCheck::Insecure),
            ("pin", Some(print)) => Ok(TlsCheck::Pin(print)),
            ("pin", None) => Err(Field::TlsPin.wrong("tls = pin needs the certificate's SHA-256 here")),
            (_, Some(_)) => Err(Field::Tls.wrong("with a fingerprint in tls_pin it must be pin")),
            ("off" | "login-only", _) => {
                Err(Field::Tls
                    .wrong("dbtop does not save unencrypted lines: verify, pin, strict or insecure"))
            }
            _ => Err(Field::Tls.wrong("must be verify, pin, strict or insecure")),
        }
    }

    fn port(&self, in_host: Option<u16>) -> Result<Option<u16>, RecordError> {
        let wrong = || Field::Port.wrong("must be 1 to 65535");
        let own = self.number(Field::Port).map(u16::try_from).transpose().map_err(|_| wrong())?;
        if own == Some(0) {
            return Err(wrong());
        }
        one_of(Field::Port, in_host, own)
    }

    fn owned(&self, field: Field) -> Option<String> {
        self.text(field).map(str::to_owned)
    }

    fn number(&self, field: Field) -> Option<u32> {
        match self.get(field) {
            Some(Value::Number(n)) => Some(*n),
            _ => None,
        }
    }

    fn flag(&self, field: Field) -> Option<bool> {
        match self.get(field) {
            Some(Value::Flag(yes)) => Some(*yes),
            _ => None,
        }
    }

    fn time(&self, field: Field) -> Option<Timestamp> {
        match self.get(field) {
            Some(Value::Time(at)) => Some(*at),
            _ => None,
        }
    }

    fn list(&self, field: Field) -> Vec<String> {
        match self.get(field) {
            Some(Value::List(items)) => items.clone(),
            _ => Vec::new(),
        }
    }
}

const fn place_of(secret: &SecretRef) -> Place {
    match secret {
        SecretRef::Stored(_) => Place::Here,
        SecretRef::Command(_) => Place::Command,
        SecretRef::Env(_) => Place::Env,
        SecretRef::File(_) => Place::File,
        SecretRef::Ask => Place::Ask,
    }
}

/// The value from the address, or from the field of its own; both only if they agree.
fn one_of<T: PartialEq>(field: Field, in_host: Option<T>, own: Option<T>) -> Result<Option<T>, RecordError> {
    match (in_host, own) {
        (Some(a), Some(b)) if a != b => Err(field.wrong("differs from what stands in host")),
        (a, b) => Ok(b.or(a)),
    }
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
