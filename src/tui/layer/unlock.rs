//! Dialogs for hidden texts: the passphrase that opens the vault, the one of a new vault, a login's password.

use super::{
    Behind, Layer, Out, body,
    form::{Entry, Field, Form},
    input::Line,
};
use crate::{
    model::inventory::instance::InstanceId,
    protocol::{InventoryRequest, Reply, VaultState},
    tui::{
        action::{Action, Context},
        key::Chord,
        widget::{canvas::Canvas, fold::fold},
    },
};

/// Shortest passphrase of a new vault. `vault::check_passphrase` has the last word.
const SHORTEST: usize = 12;

/// Width of the box.
const WIDTH: u16 = 72;

/// The question.
enum Question {
    /// the passphrase of this tenant; false: its key file or keyring is tried again
    Unlock { tenant: String, by_passphrase: bool },
    /// a passphrase for the first vault, twice
    NewVault,
    /// the password of a login
    Password { who: String, wanted_by: InstanceId },
}

/// The dialog.
pub struct Unlock {
    question: Question,
    form: Form,
    /// an answer was sent and is being tried
    busy: bool,
    /// why the last answer was refused
    why: Option<String>,
}

impl Unlock {
    fn new(question: Question, fields: Vec<Field>) -> Self {
        Self { question, form: Form::new(fields), busy: false, why: None }
    }

    /// For a vault that is locked.
    pub fn vault(tenant: &str, by_passphrase: bool, why: Option<String>) -> Self {
        let key_file = || {
            Field::text("key-file", "Key file", "")
                .hint("the whole path of the file that opens this tenant; empty: as at the start")
        };
        let fields = vec![if by_passphrase { Field::hidden("passphrase", "Passphrase") } else { key_file() }];
        let question = Question::Unlock { tenant: tenant.to_owned(), by_passphrase };
        Self { why, ..Self::new(question, fields) }
    }

    /// For the first vault of this machine.
    pub fn new_vault() -> Self {
        let fields = vec![Field::hidden("passphrase", "New passphrase"), Field::hidden("again", "Once more")];
        Self::new(Question::NewVault, fields)
    }

    /// For a login whose password is asked for at start.
    pub fn password(who: &str, wanted_by: &InstanceId) -> Self {
        let question = Question::Password { who: who.to_owned(), wanted_by: wanted_by.clone() };
        Self::new(question, vec![Field::hidden("password", "Password")])
    }

    fn enter(&mut self, out: &mut Out) {
        let request = match &self.question {
            _ if self.busy => return,
            Question::Unlock { by_passphrase: false, .. } => match self.form.said("key-file") {
                "" => InventoryRequest::Unlock(None),
                file => InventoryRequest::UnlockWith(file.into()),
            },
            Question::Unlock { .. } => match self.form.secret("passphrase") {
                Some(typed) => InventoryRequest::Unlock(Some(typed)),
                None => return self.complain("type the passphrase"),
            },
            Question::Password { .. } => match self.form.secret("password") {
                Some(typed) => {
                    out.close();
                    InventoryRequest::Password(Some(typed))
                }
                None => return self.complain("type the password, or press Esc: its instances wait then"),
            },
            Question::NewVault => match (self.form.secret("passphrase"), self.form.secret("again")) {
                (Some(first), _) if first.reveal().chars().count() < SHORTEST => {
                    self.form
                        .blame("passphrase", format!("at least {SHORTEST} characters: a few words are best"));
                    return;
                }
                (Some(_), None) => {
                    self.form.blame("again", "type it once more");
                    return;
                }
                (Some(first), Some(again)) if first.reveal() != again.reveal() => {
                    self.clear();
                    self.form.blame("passphrase", "the two are not the same: again, please");
                    return;
                }
                (Some(first), Some(_)) => InventoryRequest::CreateVault(first),
                (None, _) => {
                    self.form.blame("passphrase", "type a passphrase");
                    return;
                }
            },
        };
        self.why = None;
        self.busy = true;
        out.ask(request);
    }

    /// Moves on to the second field only when the first has a passphrase that is good enough.
    fn long_enough(&self) -> bool {
        let first = self.form.current().is_some_and(|field| field.id == "passphrase");
        let long = |typed: crate::model::base::secret::Secret| typed.reveal().chars().count() >= SHORTEST;
        !first || self.form.secret("passphrase").is_some_and(long)
    }

    fn complain(&mut self, words: &str) {
        self.why = Some(words.to_owned());
    }

    fn clear(&mut self) {
        for field in self.form.fields_mut() {
            match &mut field.entry {
                Entry::Hidden(typed) => typed.clear(),
                // A path that was mistyped is there to be put right, or to be typed over.
                Entry::Text(line) => *line = Line::selected(line.text()),
                Entry::Choice(..) => {}
            }
        }
    }

    fn title(&self) -> String {
        match &self.question {
            Question::Unlock { tenant, .. } => format!("Unlock {tenant}"),
            Question::NewVault => "A vault for your instances".to_owned(),
            Question::Password { who, .. } => format!("Password of {who}"),
        }
    }

    fn about(&self) -> String {
        match &self.question {
            Question::Unlock { by_passphrase: true, .. } => {
                "The inventory is sealed. Enter opens it, Esc leaves it locked: what is polled already goes on.".to_owned()
            }
            Question::Unlock { tenant, .. } => format!(
                "The inventory is sealed. Enter opens it with its key file, credential or keyring. Each tenant has its own key file: \
                 name that of {tenant} here, or start `dbtop --tenant {tenant} --key-file FILE`."
            ),
            Question::NewVault => "Hosts, logins and passwords are sealed on this machine with this passphrase. Nobody can recover it: keep it \
                 where your other keys are. `dbtop vault` adds key files and keyrings later."
                .to_owned(),
            Question::Password { wanted_by, .. } => {
                format!("It is kept in memory only, as the inventory says. First wanted by {wanted_by}.")
            }
        }
    }
}

impl Layer for Unlock {
    fn context(&self) -> Context {
        Context::Form
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        match action {
            Action::Enter if self.long_enough() && self.form.step(true) => {}
            Action::NextSection | Action::Down => {
                self.form.step(true);
            }
            Action::PrevSection | Action::Up => {
                self.form.step(false);
            }
            Action::Enter => self.enter(out),
            Action::Out => {
                if matches!(self.question, Question::Password { .. }) {
                    out.ask(InventoryRequest::Password(None));
                }
                out.close();
            }
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, _: &mut Out) {
        if !self.busy && self.form.key(chord) {
            self.why = None;
        }
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        if !self.busy {
            self.form.paste(text);
        }
    }

    fn hear(&mut self, reply: &Reply, out: &mut Out) -> bool {
        let Reply::Vault { state, .. } = reply else { return false };
        match (&self.question, state) {
            (Question::Unlock { .. } | Question::NewVault, VaultState::Open) => out.close(),
            (_, VaultState::Locked { why, .. }) => {
                self.busy = false;
                self.why.clone_from(why);
                self.clear();
            }
            (_, VaultState::Absent) => self.busy = false,
            (_, VaultState::Open | VaultState::Opening | VaultState::Choose | VaultState::Plain) => {}
        }
        // The app must hear of it, too.
        false
    }

    fn is_secret(&self) -> bool {
        // The question for a password needs an answer; the question for the passphrase belongs to a locked screen.
        false
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, theme) = (&mut body(screen), &behind.world.theme);
        let (w, h) = (canvas.width(), canvas.height());
        let width = WIDTH.min(w);
        let inner = width.saturating_sub(4);
        let about = fold(&self.about(), usize::from(inner));
        let (text, style) = match &self.why {
            _ if self.busy => ("opening …", theme.dim),
            Some(why) => (why.as_str(), theme.critical),
            None => ("", theme.dim),
        };
        let why = fold(text, usize::from(inner.saturating_sub(2)));
        // Rules, blanks, at most two fields and what is wrong with one.
        let height = (about.len() as u16 + why.len() as u16 + 7).min(h);
        let (x, y) = ((w - width) / 2, (h - height) / 3);
        let mut frame = canvas.part(x, y, width, height);
        frame.clear(theme.panel);
        frame.repeat(0, 0, width, "─", theme.rule);
        frame.repeat(0, height.saturating_sub(1), width, "─", theme.rule);
        frame.put(1, 0, 1, " ", theme.panel);
        let used = frame.put(2, 0, inner, &self.title(), theme.strong);
        frame.put(2 + used, 0, 1, " ", theme.panel);
        for (n, line) in about.iter().enumerate() {
            frame.put(2, 2 + n as u16, inner, line, theme.dim);
        }
        let at = about.len() as u16 + 3;
        let used = self.form.render(&mut frame.part(2, at, inner, 3), theme);
        let room = height.saturating_sub(at + used + 1);
        for (n, line) in why.iter().take(usize::from(room)).enumerate() {
            frame.put(4, at + used + n as u16, inner.saturating_sub(2), line, style);
        }
    }
}
