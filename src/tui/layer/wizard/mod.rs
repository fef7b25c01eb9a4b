//! The wizard: a new instance step by step, or an old one changed. Typed text stays when the user goes back; the connection
//! is tested before it is saved, and saved untested only on a typed word. The inventory service tests and saves.

mod draw;
mod steps;
mod trial;

use super::{
    Behind, Layer, Out, body,
    confirm::Confirm,
    form::{Field, Form},
    login::{self, POLLING, Problem},
};
use crate::{
    model::{
        base::time::Timestamp,
        inventory::{
            instance::InstanceId,
            record::{Auth, InstanceRecord, RecordError, TlsCheck},
        },
        judge::health::Level,
    },
    protocol::{FormData, InventoryRequest, Refusal, Reply},
    tui::{
        action::{Action, Context},
        key::Chord,
        theme::Theme,
        widget::{canvas::Canvas, reader::Reader},
    },
};
use steps::Step;
use trial::{Rights, Trial, Verdict};

/// A question that must be answered before anything else.
enum Question {
    /// take over the certificate that the server showed?
    Pin(Confirm),
    /// save without a test that passed?
    Untested(Confirm),
    /// watch the server with this login, too? Answered by one key
    SecondLogin(String),
    /// throw away what was typed? Answered by one key
    Discard,
    /// take the connection string apart that stands where a host should? Answered by one key
    TakeApart,
}

/// The wizard.
pub struct Wizard {
    /// as it was when the form was opened, with its revision; None: it is new
    before: Option<(InstanceRecord, u64)>,
    /// names of other instances
    taken: Vec<String>,
    forms: [Form; 4],
    step: Step,
    /// something was typed
    touched: bool,
    trial: Trial,
    /// the report of the trial that is shown, made for a wide screen or not, with a question about the certificate below
    /// it or not; None: to be made
    report: Option<((bool, bool), Reader)>,
    question: Option<Question>,
    /// sent to be saved
    saving: bool,
    /// the server may be watched with two logins
    second_login: bool,
    /// one line above the footer
    said: Option<(Level, String)>,
    /// of the last test
    ticket: u64,
    now: Option<Timestamp>,
    theme: Theme,
}

impl Wizard {
    /// For the instance in `data`, or for a new one. `ticket` is larger than that of any test before.
    pub fn new(data: FormData, ticket: u64, theme: &Theme) -> Self {
        let before = data.of.first().cloned();
        let own = before.as_ref().map(|(record, _)| record.name.clone());
        let mut forms = steps::forms(before.as_ref().map(|(record, _)| record), &data);
        steps::update(&mut forms, before.as_ref().map(|(record, _)| record));
        let taken = data.names.into_iter().filter(|name| Some(name) != own.as_ref()).collect();
        Self {
            before,
            taken,
            forms,
            step: Step::Address,
            touched: false,
            trial: Trial::None,
            report: None,
            question: None,
            saving: false,
            second_login: false,
            said: None,
            ticket,
            now: None,
            theme: theme.clone(),
        }
    }

    fn base(&self) -> Option<&InstanceRecord> {
        self.before.as_ref().map(|(record, _)| record)
    }

    fn form(&mut self) -> Option<&mut Form> {
        self.forms.get_mut(self.step.at())
    }

    /// All typed fields as a record.
    ///
    /// # Errors
    /// The first step with an error.
    fn record(&self) -> Result<InstanceRecord, (Step, Problem)> {
        let mut record = self.base().cloned().unwrap_or_else(|| InstanceRecord::new("", "", Auth::Kerberos));
        for (step, form) in Step::ALL.into_iter().zip(&self.forms) {
            if let Some(problem) = steps::problems(step, form, self.base(), &self.taken).into_iter().next() {
                return Err((step, problem));
            }
            steps::lay(step, form, self.base(), &mut record);
        }
        match record.validate() {
            Ok(()) => Ok(record),
            Err(error) => {
                let nowhere = || (Step::Address, Problem::new("name", error.to_string()));
                Err(steps::place_of(&error).unwrap_or_else(nowhere))
            }
        }
    }

    /// The state of the test for the typed fields.
    fn verdict(&self) -> Verdict {
        self.record().map_or(Verdict::Untried, |record| self.trial.verdict(&self.for_trial(record)))
    }

    /// With the password that is typed for the test only.
    fn for_trial(&self, mut record: InstanceRecord) -> InstanceRecord {
        if let Some(form) = self.forms.get(Step::Login.at()) {
            record.auth = login::for_trial(record.auth, form, &POLLING);
        }
        record
    }

    /// True if an instance that is there would be reached as before: there is nothing to test.
    fn is_reached_as_before(&self) -> bool {
        let now = self.record().map(|record| trial::connection(&record));
        self.base().is_some_and(|before| now.is_ok_and(|now| now == trial::connection(before)))
    }

    /// The cursor leaves a field: shows its error.
    fn leave_field(&mut self) {
        let step = self.step;
        let Some(form) = self.forms.get_mut(step.at()) else { return };
        let Some(id) = form.current().map(|field| field.id) else { return };
        if id == "host" && steps::split_host(form) {
            self.said = Some((Level::Ok, "the address was taken apart".to_owned()));
        } else if id == "host" && steps::connection_string(form).is_some() {
            self.question = Some(Question::TakeApart);
        }
        let before = self.before.as_ref().map(|(record, _)| record);
        let wrong =
            steps::problems(step, form, before, &self.taken).into_iter().find(|problem| problem.id == id);
        if let Some(field) = form.field_mut(id) {
            field.error = wrong.map(|problem| problem.words);
        }
    }

    /// The parts of a connection string go into their fields, if that is wished; the host is empty otherwise, since the string
    /// may hold a password in clear.
    fn take_apart(&mut self, yes: bool) {
        let Some(form) = self.forms.get_mut(Step::Address.at()) else { return };
        let found = steps::connection_string(form);
        if let Some(field) = form.field_mut("host") {
            field.set("");
            field.error = None;
        }
        if let (Some((at, says)), true) = (found, yes) {
            steps::take_apart(&mut self.forms, &at, &says);
            self.changed();
            self.said = Some((Level::Ok, "the connection string was taken apart".to_owned()));
        }
    }

    /// Into the next or the previous field; past the last one into the next step.
    fn move_field(&mut self, down: bool, onward: bool, out: &mut Out) {
        self.leave_field();
        let moved = self.form().is_some_and(|form| form.step(down));
        if !moved && onward && down {
            self.go_on(out);
        } else if !moved && onward {
            self.go_back();
        }
    }

    /// Shows the errors of the step; true if there are none.
    fn check_step(&mut self) -> bool {
        self.leave_field();
        let step = self.step;
        let before = self.before.as_ref().map(|(record, _)| record);
        let Some(form) = self.forms.get_mut(step.at()) else { return true };
        form.forgive();
        let wrong = steps::problems(step, form, before, &self.taken);
        // The first one gets the cursor.
        for problem in wrong.iter().rev() {
            form.blame(problem.id, problem.words.clone());
        }
        wrong.is_empty()
    }

    fn go_on(&mut self, out: &mut Out) {
        if !self.check_step() {
            return;
        }
        let Some(next) = self.step.next(true) else { return };
        self.step = next;
        self.said = None;
        if next == Step::Test
            && !self.is_reached_as_before()
            && !self.lacks_password()
            && matches!(self.verdict(), Verdict::Untried | Verdict::Stale)
        {
            self.test(out);
        }
    }

    /// Steps back; false at the first one.
    fn go_back(&mut self) -> bool {
        if self.step != Step::Test {
            self.leave_field();
        }
        let Some(previous) = self.step.next(false) else { return false };
        self.said = None;
        self.step = previous;
        true
    }

    /// Shows an error in its step and field.
    fn blame(&mut self, step: Step, problem: &Problem) {
        self.step = step;
        self.question = None;
        let shown = self.form().is_some_and(|form| form.blame(problem.id, problem.words.clone()));
        if !shown {
            self.said = Some((Level::Critical, problem.words.clone()));
        }
    }

    fn test(&mut self, out: &mut Out) {
        let record = match self.record() {
            Ok(record) => record,
            Err((step, problem)) => return self.blame(step, &problem),
        };
        if self.lacks_password() {
            let problem = Problem::new("trial", "type it to test with: it is not saved");
            return self.blame(Step::Login, &problem);
        }
        if self.trial.is_running() {
            out.ask(InventoryRequest::StopTest);
        }
        let record = self.for_trial(record);
        self.ticket += 1;
        self.step = Step::Test;
        self.question = None;
        self.report = None;
        self.trial = Trial::Running { of: Box::new(trial::connection(&record)), since: self.now };
        let of = self.base().map(|before| InstanceId::new(before.name.as_str()));
        out.ask(InventoryRequest::Test { ticket: self.ticket, record: Box::new(record), of });
    }

    /// True if the password of a new login is asked for at start, and was not typed for the test.
    fn lacks_password(&self) -> bool {
        let form = self.forms.get(Step::Login.at());
        self.before.is_none() && form.is_some_and(|form| login::lacks_trial(form, &POLLING))
    }

    fn stop_test(&mut self, out: &mut Out) -> bool {
        let running = self.trial.is_running();
        if running {
            out.ask(InventoryRequest::StopTest);
            self.trial = Trial::None;
            self.report = None;
        }
        running
    }

    fn tested(&mut self, report: crate::model::inventory::check::ConnectionReport, rights: Rights) {
        let Trial::Running { of, .. } = std::mem::replace(&mut self.trial, Trial::None) else { return };
        self.trial = Trial::Done { of, report: Box::new(report), rights };
        self.report = None;
        let changes = matches!(self.verdict(), Verdict::Stale | Verdict::Untried);
        if self.step == Step::Test && !changes {
            self.question = self.pin_question();
        }
    }

    /// Trust on first use, as a question.
    fn pin_question(&self) -> Option<Question> {
        let certificate = self.trial.pinnable()?;
        let t = &self.theme;
        let check = self.record().map(|record| record.tls.check).unwrap_or_default();
        let pinned = matches!(check, TlsCheck::Pin(_));
        let (style, words) = match (pinned, certificate.made_at_start) {
            (true, true) => (
                t.warning,
                "The pinned certificate is gone: the server made a new one when it started, as it does at every start.",
            ),
            (true, false) => (
                t.critical,
                "This is not the certificate that is pinned: it was renewed, or somebody stands in between.",
            ),
            (false, true) => (
                t.warning,
                "SQL Server made this certificate for itself when it started, and makes another one at every start:",
            ),
            (false, false) => {
                (t.warning, "The server shows a certificate that this machine has no reason to trust:")
            }
        };
        let mut lines = vec![(style, words.to_owned())];
        let fields = trial::certificate_fields(certificate);
        // The note is the first line already.
        let told = fields.into_iter().filter(|(name, _)| name.trim() != "note");
        lines.extend(told.map(|(name, words)| {
            (t.base, format!("{:<9}{}", name.trim(), words.replace('\n', &format!("\n{:9}", ""))))
        }));
        let advice = "Compare the SHA-256 with the one on the server itself. Pinned, no other certificate will do, whoever signed it.";
        lines.push((t.dim, advice.to_owned()));
        if certificate.made_at_start {
            let lasting = "For good: install a certificate on the server, and name its authority as CA file. After a restart a pin refuses this server until you pin again.";
            lines.push((t.warning, lasting.to_owned()));
        }
        if check == TlsCheck::Strict {
            lines.push((
                t.warning,
                "It would not be strict any more: pins go with TDS 7, not with TDS 8.".to_owned(),
            ));
        }
        lines.push((t.strong, "Pin this certificate?".to_owned()));
        Some(Question::Pin(Confirm::new(lines, "yes")))
    }

    /// Yes: the certificate is pinned, and tried.
    fn pin(&mut self, out: &mut Out) {
        let Some(print) = self.trial.pinnable().map(|c| c.fingerprint.to_string()) else { return };
        if let Some(form) = self.forms.get_mut(Step::Tls.at()) {
            for (id, text) in [("tls", "pin"), ("tls.pin", print.as_str())] {
                if let Some(field) = form.field_mut(id) {
                    field.set(text);
                }
            }
        }
        self.changed();
        self.test(out);
    }

    fn changed(&mut self) {
        self.touched = true;
        self.second_login = false;
        self.said = None;
        let before = self.before.as_ref().map(|(record, _)| record);
        steps::update(&mut self.forms, before);
    }

    /// Saves if the test passed or there is nothing to test; else asks for a word first.
    fn save(&mut self, sure: bool, out: &mut Out) {
        if self.saving {
            return;
        }
        let record = match self.record() {
            Ok(record) => record,
            Err((step, problem)) => return self.blame(step, &problem),
        };
        let verdict = self.verdict();
        if !(sure || verdict == Verdict::Passed || self.is_reached_as_before()) {
            self.step = Step::Test;
            let what = match verdict {
                Verdict::Failed => "The test failed: dbtop will show this instance as it is, out of reach.",
                Verdict::Stale => "The connection was changed after the test.",
                Verdict::Running => "The test is not over yet.",
                Verdict::Untried | Verdict::Passed => "The connection was not tested.",
            };
            let lines = vec![
                (self.theme.warning, what.to_owned()),
                (self.theme.strong, "Save it without a test that passed?".to_owned()),
            ];
            self.question = Some(Question::Untested(Confirm::new(lines, "save")));
            return;
        }
        self.stop_test(out);
        self.saving = true;
        self.said = None;
        let of =
            self.before.as_ref().map(|(before, revision)| (InstanceId::new(before.name.as_str()), *revision));
        let second_login = self.second_login;
        out.ask(InventoryRequest::Save { record: Box::new(record), of, second_login });
    }

    fn refused(&mut self, refusal: &Refusal) {
        self.saving = false;
        if refusal.field == Some("second-login") {
            let asks = format!("y watches it with both logins, Esc goes back: {}", refusal.words);
            self.question = Some(Question::SecondLogin(asks));
            return;
        }
        let place = refusal
            .field
            .and_then(|field| steps::place_of(&RecordError { field, problem: refusal.words.clone() }));
        match place {
            Some((step, problem)) => self.blame(step, &problem),
            None => self.said = Some((Level::Critical, refusal.words.clone())),
        }
    }

    fn close(&mut self, out: &mut Out) {
        self.stop_test(out);
        out.close();
    }

    /// Esc: out of the question, the test, the step; at the first step out of the wizard.
    fn out(&mut self, out: &mut Out) {
        match self.question.take() {
            Some(Question::TakeApart) => return self.take_apart(false),
            Some(_) => return,
            None => {}
        }
        // A test goes on while the steps are looked at; on its own page Esc ends it.
        if (self.step == Step::Test && self.stop_test(out)) || self.go_back() {
            self.saving = false;
            return;
        }
        if self.touched {
            self.question = Some(Question::Discard);
        } else {
            self.close(out);
        }
    }

    fn answer(&mut self, question: Question, out: &mut Out) {
        match question {
            Question::Pin(mut confirm) => {
                if confirm.is_answered() {
                    self.pin(out);
                } else {
                    self.question = Some(Question::Pin(confirm));
                }
            }
            Question::Untested(mut confirm) => {
                if confirm.is_answered() {
                    self.save(true, out);
                } else {
                    self.question = Some(Question::Untested(confirm));
                }
            }
            // One key answers these.
            same @ (Question::SecondLogin(_) | Question::Discard | Question::TakeApart) => {
                self.question = Some(same);
            }
        }
    }

    fn enter(&mut self, out: &mut Out) {
        if let Some(question) = self.question.take() {
            return self.answer(question, out);
        }
        if self.step != Step::Test {
            return self.move_field(true, true, out);
        }
        match self.verdict() {
            Verdict::Running => {}
            Verdict::Passed => self.save(false, out),
            Verdict::Untried if self.is_reached_as_before() => self.save(false, out),
            Verdict::Untried | Verdict::Failed | Verdict::Stale => self.test(out),
        }
    }
}

impl Layer for Wizard {
    fn context(&self) -> Context {
        match (&self.question, self.step) {
            (Some(_), _) => Context::Question,
            (None, Step::Test) => Context::Trial,
            (None, _) => Context::Wizard,
        }
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        let asked = self.question.is_some();
        match action {
            Action::Enter => self.enter(out),
            Action::Out => self.out(out),
            _ if asked => {}
            Action::Test => self.test(out),
            Action::Save => self.save(false, out),
            Action::PrevStep => {
                self.go_back();
            }
            Action::NextStep if self.step != Step::Test => self.go_on(out),
            Action::Copy => match self.trial.script() {
                Some(script) => {
                    out.copy(script);
                    out.say(Level::Ok, "copied the script that grants what is missing".to_owned());
                }
                None => out.say(Level::Unknown, "nothing is missing, as far as is known".to_owned()),
            },
            _ if self.step == Step::Test => {
                if let Some((_, reader)) = &mut self.report {
                    reader.act(action);
                }
            }
            Action::NextSection => self.move_field(true, true, out),
            Action::PrevSection => self.move_field(false, true, out),
            Action::Down => self.move_field(true, false, out),
            Action::Up => self.move_field(false, false, out),
            _ => {}
        }
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, out: &mut Out) {
        match &mut self.question {
            Some(Question::Pin(confirm) | Question::Untested(confirm)) => confirm.key(chord),
            Some(Question::SecondLogin(_)) => {
                if chord.typed() == Some('y') {
                    (self.question, self.second_login) = (None, true);
                    self.save(true, out);
                }
            }
            Some(Question::Discard) => {
                if chord.typed() == Some('y') {
                    self.close(out);
                }
            }
            Some(Question::TakeApart) => {
                if chord.typed() == Some('y') {
                    self.question = None;
                    self.take_apart(true);
                }
            }
            None => {
                if self.form().is_some_and(|form| form.key(chord)) {
                    self.changed();
                }
            }
        }
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        if self.question.is_some() {
            return;
        }
        let Some(form) = self.form() else { return };
        form.paste(text);
        let host = form.current().is_some_and(|field| field.id == "host");
        let split = host && steps::split_host(form);
        let connection = host && steps::connection_string(form).is_some();
        self.changed();
        if connection {
            self.question = Some(Question::TakeApart);
        }
        if split {
            self.said = Some((Level::Ok, "the address was taken apart".to_owned()));
        }
    }

    fn hear(&mut self, reply: &Reply, out: &mut Out) -> bool {
        match reply {
            Reply::Tested { ticket, report, rights } if *ticket == self.ticket && self.trial.is_running() => {
                self.tested((**report).clone(), rights.clone());
            }
            Reply::Saved(done) if self.saving => match done {
                Ok(text) => {
                    out.say(Level::Ok, text.clone());
                    self.close(out);
                }
                Err(refusal) => self.refused(refusal),
            },
            _ => return false,
        }
        true
    }

    fn tick(&mut self, now: Timestamp) {
        self.now = Some(now);
        if let Trial::Running { since: since @ None, .. } = &mut self.trial {
            *since = Some(now);
        }
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, theme) = (&mut body(screen), &behind.world.theme);
        draw::render(self, canvas, theme);
    }
}

/// True if the certificate is not to be checked.
fn is_insecure(form: &Form) -> bool {
    form.field("tls").map(Field::said) == Some("insecure")
}
