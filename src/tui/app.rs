//! The state of the screen and how keys change it. No terminal, no clock, no channel in here: events and time come in,
//! effects and texts for the clipboard go out, so tests drive it with key names.

use super::{
    action::{Action, Context, Kind},
    charts::Charts,
    chrome,
    command_line::Command,
    desk::Desk,
    effect::{Effect, Reply, Request},
    id::{PaneId, RowKey},
    key::Chord,
    keymap::Keymap,
    layer::{
        Layer,
        details::Details,
        help,
        input::FilterBox,
        jump::Jump,
        modal::Out,
        overlay::{Figures, Stored},
        palette::Palette,
    },
    pane::Wish,
    place::Place,
    review::Comparison,
    settings::{Settings, Subject},
    theme::{Depth, Theme},
    travel::Travel,
    view::Sealed,
    widget::reader::Reader,
    world::{Panes, World},
};
use crate::model::{
    base::time::Timestamp,
    fold::snapshot::{FleetCost, FleetSnapshot},
    inventory::instance::InstanceId,
    judge::health::Level,
};
use ratatui::{buffer::Buffer, layout::Rect};
use std::{collections::VecDeque, sync::Arc};

/// How long a message stays, ms.
const MESSAGE_MS: i64 = 5_000;

/// Second Ctrl-c within this time quits, ms.
const INTERRUPT_MS: u64 = 2_000;

/// One line for the user.
pub(super) struct Message {
    pub level: Level,
    pub text: String,
    pub until: Timestamp,
}

/// The whole state.
pub struct App {
    pub(super) world: World,
    pub(super) panes: Panes,
    pub(super) place: Place,
    pub(super) last: Option<Place>,
    pub(super) layers: Vec<Layer>,
    pub(super) message: Option<Message>,
    pub(super) paused: Option<Timestamp>,
    pub(super) overlay: bool,
    pub(super) tenant: String,
    pub(super) figures: Figures,
    pub(super) cost: Option<FleetCost>,
    /// width of the last frame, for clicks
    columns: u16,
    keymap: Keymap,
    depth: Depth,
    /// the theme that the settings name; `:theme` may have chosen another since
    named_theme: String,
    pub(super) waiting: Option<Arc<FleetSnapshot>>,
    history: VecDeque<String>,
    interrupted: Option<Timestamp>,
    quit: bool,
    repaint: bool,
    pub(super) focused: Vec<InstanceId>,
    pub(super) effects: Vec<Effect>,
    pub(super) copies: Vec<String>,
    pub(super) desk: Desk,
    pub(super) travel: Travel,
    pub(super) comparison: Option<Comparison>,
    /// who polls, if it is another process
    pub(super) collector: Option<String>,
    /// why history is not kept
    pub(super) store: Option<&'static str>,
    /// what it does, for F12
    pub(super) stored: Stored,
}

impl App {
    /// The screen before any data came.
    pub fn new(settings: Settings, subject: Subject, now: Timestamp) -> Self {
        let last = subject.recording.as_ref().map(|r| r.to);
        let mut app = Self {
            world: World {
                snapshot: Arc::default(),
                scope: Vec::new(),
                narrowed: false,
                now,
                faults_only: false,
                theme: settings.theme.clone(),
                low_bandwidth: settings.low_bandwidth,
                sealed: Sealed::of(&subject.vault),
                charts: Charts::default(),
            },
            panes: Panes::default(),
            place: Place { scopes: Vec::new(), pane: PaneId::Fleet },
            last: None,
            layers: Vec::new(),
            message: None,
            paused: None,
            overlay: false,
            tenant: subject.tenant,
            figures: Figures::default(),
            cost: None,
            columns: 0,
            keymap: Keymap::default(),
            depth: settings.depth,
            named_theme: settings.theme.name,
            waiting: None,
            history: VecDeque::new(),
            interrupted: None,
            quit: false,
            repaint: false,
            focused: Vec::new(),
            effects: Vec::new(),
            copies: Vec::new(),
            desk: Desk::new(subject.vault, now, settings.lock_after_ms),
            travel: Travel::new(now, subject.recording),
            comparison: None,
            collector: None,
            store: None,
            stored: Stored::default(),
        };
        // A recording is entered at its end: there is nothing else to show.
        if let Some(last) = last {
            app.world.sealed = Sealed::Reading;
            app.go_to_time(last);
        }
        app
    }

    /// True once the user wants to leave.
    pub const fn wants_to_quit(&self) -> bool {
        self.quit
    }

    /// What is on the terminal is not what was drawn there: the next frame is a full one.
    pub const fn repaint(&mut self) {
        self.repaint = true;
    }

    /// Takes the wish for a full repaint.
    pub const fn take_repaint(&mut self) -> bool {
        std::mem::replace(&mut self.repaint, false)
    }

    /// Takes what the program shall do.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Takes texts for the clipboard.
    pub fn take_copies(&mut self) -> Vec<String> {
        std::mem::take(&mut self.copies)
    }

    /// The run loop's own figures, for F12.
    pub const fn set_figures(&mut self, figures: Figures) {
        self.figures = figures;
    }

    /// An answer to an effect.
    pub fn reply(&mut self, reply: Reply) {
        self.hear(reply);
    }

    /// The configuration changed. A theme that the user chose by a command stays, unless the configuration names another
    /// one than before.
    pub fn configure(&mut self, settings: Settings) {
        let is_chosen = self.world.theme.name != self.named_theme;
        if !is_chosen || settings.theme.name != self.named_theme {
            self.named_theme.clone_from(&settings.theme.name);
            self.world.theme = settings.theme;
        }
        self.world.low_bandwidth = settings.low_bandwidth;
        self.desk.lock_after_ms = settings.lock_after_ms;
        self.refresh();
    }

    /// Time goes on: messages vanish.
    pub fn tick(&mut self, now: Timestamp) {
        self.clock(now);
        if self.message.as_ref().is_some_and(|m| m.until <= now) {
            self.message = None;
        }
        self.layers.iter_mut().for_each(|layer| layer.tick(now));
        self.lock_when_idle(now);
    }

    /// A key.
    pub fn key(&mut self, chord: Chord) {
        self.desk.touched = self.travel.clock;
        if self.hold_for_form(chord) {
            return;
        }
        let contexts: Vec<Context> = match self.layers.last() {
            Some(layer) if layer.takes_text() => vec![layer.context()],
            Some(layer) => vec![layer.context(), Context::Global],
            None => vec![Context::Pane(self.place.pane), Context::Table, Context::Global],
        };
        match self.keymap.resolve(&contexts, chord) {
            Some(action) => self.act(action),
            None if self.layers.last().is_some_and(Layer::takes_text) => self.type_key(chord),
            None => {}
        }
    }

    /// Several keys by name, separated by blanks; a word that is no key's name is typed. For tests and demos.
    pub fn keys(&mut self, keys: &str) {
        for word in keys.split(' ').filter(|w| !w.is_empty()) {
            if let Some(chord) = Chord::parse(word) {
                self.key(chord);
            } else {
                for c in word.chars() {
                    self.key(Chord::of(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char(c))));
                }
            }
        }
    }

    /// Pasted text goes to the open input.
    pub fn paste(&mut self, text: &str) {
        self.desk.touched = self.travel.clock;
        if let Some(Layer::Modal(mut modal)) = self.layers.pop_if(|l| matches!(l, Layer::Modal(_))) {
            let mut out = Out::default();
            modal.paste(text, &mut out);
            return self.after_modal(modal, out);
        }
        match self.layers.last_mut() {
            Some(Layer::Palette(p)) => p.line.paste(text),
            Some(Layer::Jump(j)) => j.line.paste(text),
            Some(Layer::Filter(f)) => f.line.paste(text),
            Some(Layer::Prompt(p)) => p.line.paste(text),
            _ => return,
        }
        self.typed();
    }

    /// A click.
    pub fn click(&mut self, x: u16, y: u16) {
        if !self.layers.is_empty() {
            return;
        }
        if y == 1 {
            if let Some(pane) = chrome::tab_at(x, self.home(), self.place.pane, self.columns) {
                self.act(Action::Open(pane));
            }
            return;
        }
        let mut wishes = Vec::new();
        self.panes.get(self.place.pane).click(x, y, &self.world.view(), &mut wishes);
        self.carry_out(wishes);
        self.refresh();
    }

    /// An action: the layer on top first, then the pane, then the app.
    pub fn act(&mut self, action: Action) {
        if action != Action::Interrupt {
            self.interrupted = None;
        }
        if self.act_on_layer(action) || self.refuses(action) {
            return;
        }
        let mut wishes = Vec::new();
        let taken = match action {
            // The pane decides what "out" is before the app widens the scope; everything global stays global.
            Action::Interrupt | Action::Quit | Action::Open(_) | Action::Redraw => false,
            Action::Back => self.panes.get(self.place.pane).act(Action::Out, &self.world.view(), &mut wishes),
            a => self.panes.get(self.place.pane).act(a, &self.world.view(), &mut wishes),
        };
        self.carry_out(wishes);
        if !taken {
            self.act_on_app(action);
        }
        // Moving the cursor changes no row: a key must not cost more the more rows there are.
        if !(taken && action.only_moves()) {
            self.refresh();
        }
    }

    fn act_on_app(&mut self, action: Action) {
        if self.act_on_desk(action) || self.act_on_time(action) || self.act_on_review(action) {
            return;
        }
        match action {
            Action::Open(pane) => self.open(pane),
            Action::Out => {
                self.out();
            }
            Action::Back => self.back(),
            Action::Interrupt => self.interrupt(),
            Action::Quit => self.quit = true,
            Action::LastView => self.last_view(),
            Action::NextProblem => self.neighbour_problem(false),
            Action::PrevProblem => self.neighbour_problem(true),
            Action::Palette => {
                self.layers.push(Layer::Palette(Palette::new(&self.world.snapshot, &self.history)));
            }
            Action::Jump => self.layers.push(Layer::Jump(Jump::new(&self.world.snapshot))),
            Action::Filter => {
                let text = self.panes.get(self.place.pane).filter().to_owned();
                self.layers.push(Layer::Filter(FilterBox::new(&text)));
            }
            Action::Help => {
                let document = help::document(self.place.pane, &self.world.theme);
                self.layers.push(Layer::Help(Reader::new(document)));
            }
            Action::FaultsOnly => self.world.faults_only = !self.world.faults_only,
            Action::Pause => self.pause(),
            Action::Refresh => self.refresh_scope(),
            Action::Overlay => self.toggle_overlay(),
            Action::Redraw => self.repaint = true,
            _ => {}
        }
    }

    /// Layers take all keys; those that are only read hand everything else on and close.
    fn act_on_layer(&mut self, action: Action) -> bool {
        let Some(mut layer) = self.layers.pop() else { return false };
        if action == Action::Interrupt && layer.takes_text() {
            // The word about the second Ctrl-c needs the line that the input is on.
            self.close(layer, Action::Out);
            self.interrupt();
            self.refresh();
            return true;
        }
        if matches!(action, Action::Interrupt | Action::Overlay | Action::Redraw | Action::Pause) {
            self.layers.push(layer);
            self.act_on_app(action);
            return true;
        }
        // What is read stays open on the way through time.
        if action.kind() == Kind::Travels && matches!(layer, Layer::Details(_)) {
            self.layers.push(layer);
            return self.act_on_time(action);
        }
        if let Layer::Modal(modal) = layer {
            self.act_on_modal(modal, action);
            return true;
        }
        let keep = match &mut layer {
            Layer::Modal(_) => Some(true),
            Layer::Palette(p) => Self::act_on_palette(p, action),
            Layer::Jump(j) => match action {
                Action::Up | Action::Down => {
                    j.step(action == Action::Down);
                    Some(true)
                }
                Action::Enter | Action::Out => None,
                _ => Some(true),
            },
            Layer::Filter(_) | Layer::Prompt(_) => match action {
                Action::Enter | Action::Out => None,
                _ => Some(true),
            },
            Layer::Help(r) => Self::act_on_reader(r, action, &mut self.copies),
            Layer::Details(d) => Self::act_on_reader(&mut d.reader, action, &mut self.copies),
        };
        match keep {
            Some(true) => {
                self.layers.push(layer);
                true
            }
            // Closed, and the action goes on to the pane below.
            Some(false) => false,
            None => {
                self.close(layer, action);
                self.refresh();
                true
            }
        }
    }

    fn act_on_palette(p: &mut Palette, action: Action) -> Option<bool> {
        match action {
            Action::Up | Action::Down => p.step(action == Action::Down),
            Action::NextSection => p.complete(),
            Action::Enter | Action::Out => return None,
            _ => {}
        }
        Some(true)
    }

    fn act_on_reader(reader: &mut Reader, action: Action, copies: &mut Vec<String>) -> Option<bool> {
        if reader.act(action) {
            return Some(true);
        }
        match action {
            Action::Copy => copies.push(reader.document().to_copy()),
            Action::Out | Action::Back | Action::Enter | Action::Details | Action::Help => return None,
            Action::Open(_) | Action::Palette | Action::Jump | Action::Quit => return Some(false),
            _ => {}
        }
        Some(true)
    }

    /// Enter or Esc ended a layer.
    fn close(&mut self, layer: Layer, action: Action) {
        let entered = action == Action::Enter;
        match layer {
            Layer::Palette(p) if entered => self.run_command(p),
            Layer::Jump(j) if entered => {
                if let Some(id) = j.chosen(&self.world.snapshot) {
                    self.go_to_instance(id);
                }
            }
            Layer::Filter(f) => {
                let text = if entered && f.error.is_none() { f.line.text().to_owned() } else { f.before };
                // Either text was good once.
                let _ = self.panes.get(self.place.pane).set_filter(&text);
            }
            Layer::Modal(modal) => self.act_on_modal(modal, action),
            Layer::Prompt(prompt) if entered => self.answered(prompt),
            Layer::Prompt(_) | Layer::Palette(_) | Layer::Jump(_) | Layer::Help(_) | Layer::Details(_) => {}
        }
    }

    fn run_command(&mut self, mut palette: Palette) {
        match palette.command(&self.world.snapshot) {
            Ok((command, text)) => {
                Palette::remember(&mut self.history, text);
                self.command(command);
            }
            Err(e) => {
                palette.error = Some(e);
                self.layers.push(Layer::Palette(palette));
            }
        }
    }

    fn command(&mut self, command: Command) {
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
            Command::Tenant(_) if self.travel.recording.is_some() => self.act(Action::Tenants),
            Command::Tenant(slug) => self.ask(Request::Switch(slug)),
            Command::At(when) => self.at_text(&when),
        }
    }

    fn type_key(&mut self, chord: Chord) {
        if let Some(Layer::Modal(mut modal)) = self.layers.pop_if(|l| matches!(l, Layer::Modal(_))) {
            let mut out = Out::default();
            modal.type_key(chord, &mut out);
            return self.after_modal(modal, out);
        }
        let changed = match self.layers.last_mut() {
            Some(Layer::Palette(p)) => p.line.key(chord),
            Some(Layer::Jump(j)) => j.line.key(chord),
            Some(Layer::Filter(f)) => f.line.key(chord),
            Some(Layer::Prompt(p)) => p.line.key(chord),
            _ => false,
        };
        if changed {
            self.typed();
        }
    }

    /// The text of the open input changed.
    fn typed(&mut self) {
        match self.layers.last_mut() {
            Some(Layer::Palette(p)) => p.update(),
            Some(Layer::Jump(j)) => j.update(&self.world.snapshot),
            Some(Layer::Filter(_)) => self.apply_filter(),
            Some(Layer::Prompt(p)) => p.typed(),
            _ => {}
        }
    }

    /// The filter works while it is typed; a text that cannot be understood hides nothing.
    fn apply_filter(&mut self) {
        if let Some(Layer::Filter(f)) = self.layers.last_mut() {
            let pane = self.panes.get(self.place.pane);
            f.error = pane.set_filter(f.line.text()).err();
            if f.error.is_some() {
                let _ = pane.set_filter("");
            }
        }
        self.refresh();
    }

    pub(super) fn carry_out(&mut self, wishes: Vec<Wish>) {
        for wish in wishes {
            match wish {
                Wish::Go { pane, scope, focus, filter } => self.follow(pane, scope, focus, filter.as_deref()),
                Wish::Details(key) => self.open_details(key),
                Wish::Copy(text) => {
                    let lines = text.lines().count();
                    let what = if lines == 1 { "copied".to_owned() } else { format!("copied {lines} lines") };
                    self.copies.push(text);
                    self.say(Level::Ok, what);
                }
                Wish::Say(level, text) => self.say(level, text),
                Wish::Refresh(ids) => self.request_refresh(ids),
            }
        }
    }

    fn open_details(&mut self, key: RowKey) {
        let pane = self.place.pane;
        if let Some(document) = self.panes.get(pane).details(&key, &self.world.view()) {
            self.layers.push(Layer::Details(Details { key, reader: Reader::new(document), gone: false }));
        }
    }

    /// The open details show the row's newest state, or say that it has gone.
    pub(super) fn follow_details(&mut self) {
        let pane = self.place.pane;
        if let Some(Layer::Details(d)) = self.layers.last_mut() {
            match self.panes.get(pane).details(&d.key, &self.world.view()) {
                Some(document) => {
                    d.gone = false;
                    d.reader.set(document);
                }
                None => d.gone = true,
            }
        }
    }

    fn refresh_scope(&mut self) {
        let ids = self.world.view().instances().map(|(_, i)| i.id().clone()).collect();
        self.request_refresh(ids);
    }

    fn interrupt(&mut self) {
        let now = self.travel.clock;
        if self.interrupted.is_some_and(|at| now.ms_since(at) <= INTERRUPT_MS) {
            self.quit = true;
        }
        self.interrupted = Some(now);
        self.say(Level::Unknown, "Ctrl-c again quits".to_owned());
    }

    pub(super) fn say(&mut self, level: Level, text: String) {
        self.message = Some(Message { level, text, until: self.travel.clock.plus_ms(MESSAGE_MS) });
    }

    /// Recomputes scope and rows, and tells the program what is looked at.
    pub(super) fn refresh(&mut self) {
        self.resolve_scope();
        self.panes.get(self.place.pane).rebuild(&self.world.view());
        self.ask_for_charts();
        let looked_at = self.looked_at();
        if looked_at != self.focused {
            self.focused.clone_from(&looked_at);
            self.effects.retain(|e| !matches!(e, Effect::Focus(_)));
            self.effects.push(Effect::Focus(looked_at));
        }
    }

    /// Draws everything.
    pub fn render(&mut self, area: Rect, buf: &mut Buffer) {
        self.columns = area.width;
        chrome::render(self, area, buf);
    }
}
