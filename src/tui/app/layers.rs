//! The stack of layers: events go to the one on top, and the wishes of layers and panes are carried out.

use super::App;
use crate::{
    model::{judge::health::Level, timeline::past::When},
    protocol::{InventoryRequest, Reply},
    tui::{
        action::{Action, Context, Kind},
        ask::Ask,
        command_line::Command,
        id::RowKey,
        layer::{
            Behind, Layer, Out,
            asking::Asking,
            details::{Details, Reading},
            input::remember,
            pick::Pick,
            prompt::{Asks, Prompt},
        },
        theme::Theme,
        wish::Wish,
    },
};

/// How a layer answered.
struct Answer<R> {
    value: R,
    is_closed: bool,
    is_passed_on: bool,
}

impl App {
    /// Puts a layer on top.
    pub(super) fn open_layer(&mut self, layer: impl Layer + 'static) {
        self.layers.push(Box::new(layer));
    }

    /// Lets a layer do something, closes it if it is done, and carries out its wishes. None if there is none at this place.
    fn with_layer<R>(
        &mut self,
        at: usize,
        f: impl FnOnce(&mut dyn Layer, &mut Behind<'_>, &mut Out) -> R,
    ) -> Option<Answer<R>> {
        let layer = self.layers.get_mut(at)?;
        let mut behind = Behind { world: &self.world, pane: self.panes.get(self.place.pane) };
        let mut out = Out::default();
        let value = f(&mut **layer, &mut behind, &mut out);
        let Out { requests, wishes, is_closed, is_passed_on, has_changed_pane } = out;
        if is_closed {
            self.layers.remove(at);
            self.quit |= self.alone.is_some() && self.layers.is_empty();
        }
        for request in requests {
            self.ask(request);
        }
        self.carry_out(wishes);
        if has_changed_pane {
            self.refresh();
        }
        Some(Answer { value, is_closed, is_passed_on })
    }

    /// The same with the layer on top.
    pub(super) fn with_top(&mut self, f: impl FnOnce(&mut dyn Layer, &mut Behind<'_>, &mut Out)) {
        if let Some(top) = self.layers.len().checked_sub(1) {
            self.with_layer(top, f);
        }
    }

    /// Hands an action to the layer on top. False if there is none, or the action is for the parts behind it, too.
    pub(super) fn act_on_layer(&mut self, action: Action) -> bool {
        let Some(context) = self.layers.last().map(|layer| layer.context()) else { return false };
        if action == Action::Interrupt && context.takes_text() {
            // The message about the second Ctrl-c needs the line of the input.
            self.act_on_top(Action::Out, context);
            self.interrupt();
            self.refresh();
            return true;
        }
        if matches!(action, Action::Interrupt | Action::Overlay | Action::Redraw | Action::Pause) {
            self.act_on_app(action);
            return true;
        }
        self.act_on_top(action, context)
    }

    fn act_on_top(&mut self, action: Action, context: Context) -> bool {
        let Some(top) = self.layers.len().checked_sub(1) else { return false };
        let answer = self.with_layer(top, |layer, behind, out| layer.act(action, behind, out));
        let Some(Answer { is_closed, is_passed_on, .. }) = answer else { return false };
        if is_closed && action == Action::Out && context.is_dialog() {
            self.inventory.dismiss();
        }
        if is_closed && !is_passed_on {
            self.refresh();
        }
        !is_passed_on
    }

    /// The layer on top hears an answer first; those below wait for answers, too. True if one of them took it.
    pub(super) fn is_heard(&mut self, reply: &Reply) -> bool {
        (0..self.layers.len()).rev().any(|at| {
            let answer = self.with_layer(at, |layer, _, out| layer.hear(reply, out));
            answer.is_some_and(|answer| answer.value)
        })
    }

    /// True if a dialog is open.
    pub(super) fn has_dialog(&self) -> bool {
        self.layers.iter().any(|layer| layer.context().is_dialog())
    }

    /// Carries out the wishes of a pane or a layer.
    pub(super) fn carry_out(&mut self, wishes: Vec<Wish>) {
        for wish in wishes {
            match wish {
                Wish::Go { pane, scope, focus, look } => self.follow(pane, scope, focus, look),
                Wish::Events(id, kind) => self.open_events(id, kind),
                Wish::Deadlock(id, fingerprint) => self.open_deadlock(&id, fingerprint),
                Wish::Details(key) => self.open_details(key),
                Wish::Edit(edit) => self.outbox.edit(edit),
                Wish::Read(document) => self.open_layer(Reading::new(document)),
                Wish::Copy(text) if text.is_empty() => {
                    self.say(Level::Ok, "no row here: nothing to copy".to_owned());
                }
                Wish::Copy(text) => {
                    let lines = text.lines().count();
                    let what = if lines == 1 { "copied".to_owned() } else { format!("copied {lines} lines") };
                    self.outbox.copy(text);
                    self.say(Level::Ok, what);
                }
                Wish::Clip(text) => self.outbox.copy(text),
                Wish::Say(level, text) => self.say(level, text),
                Wish::Refresh(ids) => self.request_refresh(ids),
                Wish::Demand(id, demand) => self.demand(id, demand),
                Wish::Instance(id) => self.go_to_instance(id),
                Wish::Travel(When::At(at)) => self.go_to_time(at),
                Wish::Travel(When::Live) => self.live(),
                Wish::Compare(when) => self.compare_with(when),
                Wish::Bookmark { at, note } => self.bookmark(at, note),
                Wish::Ask(ask) => self.ask_about(*ask),
                Wish::Do(action) => self.act(action),
                Wish::Filtered(text) => remember(&mut self.filters, text),
                Wish::Run { command, text } => self.run(command, text),
            }
        }
    }

    /// Opens the dialog of a question.
    pub(super) fn ask_about(&mut self, ask: Ask) {
        match ask {
            Ask::Form { title, lines, blanks, word, make } => {
                let dialog = Asking::new(title, lines, blanks, word, make, &self.world.theme);
                self.open_layer(dialog);
            }
            Ask::Pick { title, chosen, make } => {
                let dialog = Pick::new(title, chosen, make, &self.world);
                self.open_layer(dialog);
            }
        }
    }

    /// Carries out a command, and puts it in front of those that are remembered.
    fn run(&mut self, command: Command, text: String) {
        remember(&mut self.commands, text);
        match command {
            Command::Do(action) => self.act(action),
            Command::Go { pane, scopes } => self.go(pane, scopes),
            Command::Theme(name) => match Theme::built_in(&name, self.depth) {
                Ok(theme) => {
                    self.world.theme = theme;
                    self.repaint = true;
                }
                Err(e) => self.say(Level::Warning, e.to_string()),
            },
            Command::Filter(text) => {
                if let Err(e) = self.panes.get(self.place.pane).set_filter(&text) {
                    self.say(Level::Warning, e);
                }
            }
            Command::Sort(column) => {
                if let Err(e) = self.panes.get(self.place.pane).sort_by(&column) {
                    self.say(Level::Warning, e);
                }
            }
            Command::Tenant(_) if self.world.moment.recording.is_some() => {
                self.say(Level::Warning, Kind::Vault.refused_in_recording().unwrap_or_default().to_owned());
            }
            Command::Tenant(slug) => self.ask(InventoryRequest::Switch(slug)),
            Command::Period(text) => self.go_to_period(&text),
            Command::At(when) => {
                self.open_layer(Prompt::with(Asks::Time, &when));
                if !when.is_empty() {
                    self.act(Action::Enter);
                }
            }
        }
    }

    fn open_details(&mut self, key: RowKey) {
        if let Some(document) = self.panes.get(self.place.pane).details(&key, &self.world.view()) {
            self.open_layer(Details::new(key, document));
        }
    }

    /// The layer on top shows the newest state of the fleet.
    pub(super) fn follow_on_top(&mut self) {
        self.with_top(|layer, behind, _| layer.follow(behind));
    }
}
