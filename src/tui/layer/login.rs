//! The fields of one login, for the forms that have one: how it logs in, as whom, and where the secret is. Made from an
//! [`Auth`] and turned back into one.

use super::form::{Field, Form};
use crate::model::inventory::record::{Auth, SecretRef};

/// A field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// the field's id
    pub id: &'static str,
    /// what to change
    pub words: String,
}

impl Problem {
    /// Of this field.
    pub fn new(id: &'static str, words: impl Into<String>) -> Self {
        Self { id, words: words.into() }
    }
}

/// The names of the fields of one login within its form.
pub struct Ids {
    /// `sql`, `entra`, …, or the word for none
    pub auth: &'static str,
    /// login name
    pub user: &'static str,
    /// where the secret is
    pub from: &'static str,
    /// the secret itself, hidden
    pub secret: &'static str,
    command: &'static str,
    env: &'static str,
    file: &'static str,
    /// a secret for the test alone, where it is asked for at start
    trial: Option<&'static str>,
}

/// The login for polling.
pub const POLLING: Ids = Ids {
    auth: "auth",
    user: "user",
    from: "from",
    secret: "secret",
    command: "command",
    env: "env",
    file: "file",
    trial: Some("trial"),
};

/// The login for actions.
pub const ACTION: Ids = Ids {
    auth: "action.auth",
    user: "action.user",
    from: "action.from",
    secret: "action.secret",
    command: "action.command",
    env: "action.env",
    file: "action.file",
    trial: None,
};

const FROM: [&str; 5] = ["stored", "ask", "command", "env", "file"];

/// The kinds of login that this program was built with, and the one that is there already.
fn kinds(none: Option<&'static str>, there: Option<&Auth>) -> Vec<&'static str> {
    let built = [
        ("sql", true),
        ("entra", true),
        ("kerberos", cfg!(feature = "kerberos")),
        ("ntlm", cfg!(feature = "ntlm")),
    ];
    let kept = |kind: &str| there.is_some_and(|auth| auth.kind() == kind);
    let kinds = built.into_iter().filter(|(kind, built)| *built || kept(kind)).map(|(kind, _)| kind);
    none.into_iter().chain(kinds).collect()
}

/// The fields. `none` is the word for no login, or none to change; without it there must be one.
pub fn fields(ids: &Ids, none: Option<&'static str>, auth: Option<&Auth>) -> Vec<Field> {
    let kind = auth.map_or_else(|| none.unwrap_or("sql"), Auth::kind);
    let secret = auth.and_then(Auth::secret);
    let text = |of: Option<&SecretRef>| match of {
        Some(SecretRef::Command(text) | SecretRef::Env(text)) => text.clone(),
        Some(SecretRef::File(path)) => path.to_string_lossy().into_owned(),
        _ => String::new(),
    };
    let only = |kind: &str| text(secret.filter(|s| s.kind() == kind));
    let mut fields = vec![
        Field::choice(ids.auth, "Authentication", &kinds(none, auth), kind),
        Field::text(ids.user, "Login", auth.and_then(Auth::user).unwrap_or("")),
        Field::choice(ids.from, "Secret", &FROM, secret.map_or("stored", SecretRef::kind)),
        Field::hidden(ids.secret, "Password"),
        Field::text(ids.command, "Command", &only("command"))
            .hint("its first line is the password: pass show sql/dbtop"),
        Field::text(ids.env, "Variable", &only("env")).hint("name of an environment variable"),
        Field::text(ids.file, "File", &only("file")).hint("its first line is the password"),
    ];
    if let Some(trial) = ids.trial {
        let hint = "for the test only: it is not saved, and dbtop asks for it when it starts";
        fields.push(Field::hidden(trial, "Password, to test").hint(hint));
    }
    fields
}

/// Shows the fields that mean something now, with hints that fit.
pub fn update(form: &mut Form, ids: &Ids, before: Option<&Auth>) {
    let kind = form.said(ids.auth).to_owned();
    let user = matches!(kind.as_str(), "sql" | "ntlm");
    let secret = user || kind == "entra";
    form.show(ids.user, user);
    form.show(ids.from, secret);
    let from = form.said(ids.from).to_owned();
    for (id, word) in [(ids.secret, "stored"), (ids.command, "command"), (ids.env, "env"), (ids.file, "file")]
    {
        form.show(id, secret && from == word);
    }
    if let Some(trial) = ids.trial {
        form.show(trial, secret && from == "ask");
    }
    let kept = keeps(form, ids, before);
    if let Some(field) = form.field_mut(ids.secret) {
        field.label = if kind == "entra" { "Token" } else { "Password" };
    }
    form.hint(ids.secret, if kept { "kept unless typed" } else { "sealed in the vault, never shown again" });
    form.hint(
        ids.user,
        if kind == "ntlm" { "DOMAIN\\user" } else { "login of the server: the least rights do" },
    );
    let place = match from.as_str() {
        "stored" => "typed here and sealed in the vault",
        "ask" => "asked when dbtop starts, kept in memory only",
        "command" => "what a command prints, such as a password manager",
        "env" => "in an environment variable",
        _ => "in a file",
    };
    form.hint(ids.from, place);
    let how = match kind.as_str() {
        "sql" => "a login of the server with a password",
        "entra" => "a bearer token of Microsoft Entra",
        "kerberos" => "the Kerberos ticket of who runs dbtop",
        "ntlm" => "a Windows login",
        _ => "",
    };
    form.hint(ids.auth, how);
}

/// True if a stored secret that is not typed is the one there was: for the same login only.
fn keeps(form: &Form, ids: &Ids, before: Option<&Auth>) -> bool {
    let same =
        |auth: &Auth| auth.kind() == form.said(ids.auth) && auth.user().unwrap_or("") == form.said(ids.user);
    before.is_some_and(|auth| same(auth) && matches!(auth.secret(), Some(SecretRef::Stored(_))))
}

/// The login; None if no login is chosen. A stored secret that is kept is empty.
///
/// # Errors
/// All fields that are missing.
pub fn auth(form: &Form, ids: &Ids, before: Option<&Auth>) -> Result<Option<Auth>, Vec<Problem>> {
    let kind = form.said(ids.auth);
    let mut wrong = Vec::new();
    let user = form.said(ids.user).to_owned();
    if matches!(kind, "sql" | "ntlm") && user.is_empty() {
        wrong.push(Problem::new(ids.user, "who logs in?"));
    }
    let mut must = |id: &'static str, words: &str| {
        let said = form.said(id).to_owned();
        if said.is_empty() {
            wrong.push(Problem::new(id, words));
        }
        said
    };
    let secret = match form.said(ids.from) {
        "command" => SecretRef::Command(must(ids.command, "write the command that prints it")),
        "env" => SecretRef::Env(must(ids.env, "write the name of the variable")),
        "file" => SecretRef::File(must(ids.file, "write the path of the file").into()),
        "stored" => match form.secret(ids.secret) {
            Some(typed) => SecretRef::Stored(typed),
            None if keeps(form, ids, before) => {
                SecretRef::Stored(crate::model::base::secret::Secret::new(String::new()))
            }
            None => {
                let what = if kind == "entra" { "token" } else { "password" };
                wrong.push(Problem::new(
                    ids.secret,
                    format!("type the {what}, or choose another place for it"),
                ));
                SecretRef::Ask
            }
        },
        _ => SecretRef::Ask,
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(match kind {
        "sql" => Some(Auth::Sql { user, secret }),
        "entra" => Some(Auth::Entra { token: secret }),
        "kerberos" => Some(Auth::Kerberos),
        "ntlm" => Some(Auth::Ntlm { user, secret }),
        _ => None,
    })
}

/// True if the secret is asked for at start and none is typed for a test.
pub fn lacks_trial(form: &Form, ids: &Ids) -> bool {
    form.said(ids.from) == "ask" && ids.trial.is_some_and(|id| form.secret(id).is_none())
}

/// The same login for a test: with the secret that was typed for it, where it is asked for at start.
pub fn for_trial(mut auth: Auth, form: &Form, ids: &Ids) -> Auth {
    let typed = ids.trial.and_then(|id| form.secret(id));
    if let (Some(secret @ SecretRef::Ask), Some(typed)) = (auth.secret_mut(), typed) {
        *secret = SecretRef::Stored(typed);
    }
    auth
}
