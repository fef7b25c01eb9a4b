//! One change for the marked instances: a form, then in words what would change, and only the typed number of instances
//! carries it out. The inventory service does it in one transaction.

mod change;
mod draw;

use super::{Behind, Layer, Out, body, confirm::Confirm, form::Form, login::Problem};
use crate::{
    model::{
        base::{time::Timestamp, zone::Zone},
        inventory::{
            instance::{InstanceId, Target},
            record::{BulkChange, InstanceRecord},
        },
        judge::health::Level,
    },
    protocol::{FormData, InventoryRequest, Refusal, Reply},
    tui::{
        action::{Action, Context},
        key::Chord,
        theme::Theme,
        widget::canvas::Canvas,
    },
};

/// The page on the screen.
enum Page {
    Form,
    /// what would change, and the question
    Preview(Confirm),
    /// throw away what was typed?
    Leave,
}

/// The dialog.
pub struct Bulk {
    of: Vec<InstanceRecord>,
    form: Form,
    page: Page,
    touched: bool,
    saving: bool,
    said: Option<(Level, String)>,
    now: Timestamp,
    zone: Zone,
    theme: Theme,
}

impl Bulk {
    /// For the instances in `data`.
    pub fn new(data: FormData, (now, zone): (Timestamp, Zone), theme: &Theme) -> Self {
        let form = change::form(&data);
        let of = data.of.into_iter().map(|(record, _)| record).collect();
        Self {
            of,
            form,
            page: Page::Form,
            touched: false,
            saving: false,
            said: None,
            now,
            zone,
            theme: theme.clone(),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        change::read(&self.form, self.now).err().unwrap_or_default()
    }

    fn leave_field(&mut self) {
        let Some(id) = self.form.current().map(|field| field.id) else { return };
        let wrong = self.problems().into_iter().find(|problem| problem.id == id);
        if let Some(field) = self.form.field_mut(id) {
            field.error = wrong.map(|problem| problem.words);
        }
    }

    fn blame(&mut self, wrong: &[Problem]) {
        self.page = Page::Form;
        self.form.forgive();
        for problem in wrong.iter().rev() {
            if !self.form.blame(problem.id, problem.words.clone()) {
                self.said = Some((Level::Critical, problem.words.clone()));
            }
        }
    }

    /// The change, and how many instances it changes.
    ///
    /// # Errors
    /// The errors, in the order of the fields.
    fn change(&self) -> Result<(BulkChange, usize), Vec<Problem>> {
        let change = change::read(&self.form, self.now)?;
        let wrong = change::of_nobody(&change, &self.of);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut changed = 0;
        for before in &self.of {
            let mut after = before.clone();
            change.apply(&mut after);
            if let Err(error) = after.validate() {
                return Err(vec![Problem::new(change::field_of(error.field), error.problem)]);
            }
            changed += usize::from(after != *before);
        }
        Ok((change, changed))
    }

    fn preview(&mut self) {
        self.leave_field();
        self.said = None;
        match self.change() {
            Err(wrong) => self.blame(&wrong),
            Ok((change, _)) if change.is_empty() => {
                self.said = Some((
                    Level::Warning,
                    "nothing to change yet: what is left empty stays as it is".to_owned(),
                ));
            }
            Ok((_, 0)) => {
                let n = self.of.len();
                self.said = Some((Level::Warning, format!("nothing to change: all {n} are so already")));
            }
            Ok((change, changed)) => self.page = Page::Preview(self.question(&change, changed)),
        }
    }

    fn question(&self, change: &BulkChange, changed: usize) -> Confirm {
        let t = &self.theme;
        let n = self.of.len();
        let mut lines: Vec<_> =
            change::words(change, &self.zone).into_iter().map(|text| (t.base, format!("· {text}"))).collect();
        if changed < n {
            lines.push((t.dim, format!("{} of them are so already.", n - changed)));
        }
        let production = self.of.iter().filter(|record| is_production(record)).count();
        if production > 0 {
            lines.push((t.prod, format!("{production} of them are production.")));
        }
        lines.push((t.strong, format!("Change {n} instances?")));
        Confirm::new(lines, n.to_string())
    }

    fn apply(&mut self, out: &mut Out) {
        match self.change() {
            Err(wrong) => self.blame(&wrong),
            Ok((change, _)) => {
                let ids = self.of.iter().map(|record| InstanceId::new(record.name.as_str())).collect();
                self.saving = true;
                self.said = Some((Level::Unknown, "saving …".to_owned()));
                out.ask(InventoryRequest::Bulk { ids, change: Box::new(change) });
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        self.saving = false;
        self.page = Page::Form;
        self.said = Some((Level::Critical, refusal.words.clone()));
        if let Some(field) = refusal.field {
            self.form.blame(change::field_of(field), refusal.words.clone());
        }
    }

    fn move_field(&mut self, down: bool, onward: bool) {
        self.leave_field();
        if !self.form.step(down) && onward && down {
            self.preview();
        }
    }

    fn out(&mut self, out: &mut Out) {
        self.saving = false;
        self.said = None;
        match self.page {
            Page::Form if self.touched => self.page = Page::Leave,
            Page::Form => out.close(),
            Page::Preview(_) | Page::Leave => self.page = Page::Form,
        }
    }
}

/// By its labels and groups, as everywhere.
fn is_production(record: &InstanceRecord) -> bool {
    Target::try_from(record).is_ok_and(|target| target.info.is_production())
}

impl Layer for Bulk {
    fn context(&self) -> Context {
        if matches!(self.page, Page::Form) { Context::Bulk } else { Context::Question }
    }

    fn act(&mut self, action: Action, _: &mut Behind<'_>, out: &mut Out) {
        if action == Action::Out {
            return self.out(out);
        }
        match &mut self.page {
            Page::Leave => {}
            Page::Preview(confirm) => {
                if action == Action::Enter && !self.saving && confirm.is_answered() {
                    self.apply(out);
                }
            }
            Page::Form => match action {
                Action::Enter | Action::NextSection => self.move_field(true, true),
                Action::Down => self.move_field(true, false),
                Action::Up | Action::PrevSection => self.move_field(false, false),
                Action::NextStep | Action::Save => self.preview(),
                _ => {}
            },
        }
    }

    fn type_key(&mut self, chord: Chord, _: &mut Behind<'_>, out: &mut Out) {
        match &mut self.page {
            Page::Leave if chord.typed() == Some('y') => out.close(),
            Page::Leave => {}
            Page::Preview(confirm) => confirm.key(chord),
            Page::Form => {
                if self.form.key(chord) {
                    self.touched = true;
                    self.said = None;
                    change::update(&mut self.form);
                }
            }
        }
    }

    fn paste(&mut self, text: &str, _: &mut Behind<'_>, _: &mut Out) {
        if matches!(self.page, Page::Form) {
            self.form.paste(text);
            self.touched = true;
        }
    }

    fn hear(&mut self, reply: &Reply, out: &mut Out) -> bool {
        let Reply::Saved(done) = reply else { return false };
        match done {
            Ok(text) => {
                out.say(Level::Ok, text.clone());
                out.close();
            }
            Err(refusal) => self.refused(refusal),
        }
        true
    }

    fn tick(&mut self, now: Timestamp) {
        self.now = now;
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn render(&mut self, screen: &mut Canvas<'_>, behind: &mut Behind<'_>) {
        let (canvas, theme) = (&mut body(screen), &behind.world.theme);
        draw::render(self, canvas, theme);
    }
}
