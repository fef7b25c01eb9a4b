//! The state of the screen and how keys change it. No terminal, no clock, no channel in here: events and time come in,
//! effects and texts for the clipboard go out, so tests drive it with key names.
//!
//! The app only routes: an event goes to the layer on top, then to the pane, then to the part of the app that it concerns, a
//! file each. The parts are values with methods of their own: `InventoryState` for the inventory, `Travel` for moments, `Status` for
//! messages and figures, `Outbox` for outgoing effects.

mod chrome;
mod demand;
mod forms;
mod inventory;
mod layers;
mod menu;
mod navigate;
mod outbox;
mod plans;
mod replies;
mod review;
mod status;
mod time;

use super::{
    action::{Action, Context, Kind},
    charts::Charts,
    demands::{Demands, Ready},
    fetched::Fetched,
    id::PaneId,
    inventory_state::InventoryState,
    key::Chord,
    keymap::Keymap,
    layer::{
        Layer, details::Reading, filter::FilterBox, help, jump::Jump, overlay::Figures, palette::Palette,
    },
    lists::Lists,
    moment::Moment,
    pane::Panes,
    place::{Place, Trail},
    settings::{Settings, Subject},
    theme::Depth,
    travel::Travel,
    view::Sealed,
    widget::canvas,
    wish::Edit,
    world::World,
};
use crate::{
    model::{
        base::time::Timestamp, inventory::instance::InstanceId, judge::health::Level, poll::demand::Demand,
    },
    protocol::{Effect, HistoryRequest},
};
use outbox::Outbox;
use ratatui::{buffer::Buffer, layout::Rect};
use status::Status;
use std::{collections::VecDeque, sync::Arc};

/// Second Ctrl-c within this time quits, ms.
const INTERRUPT_MS: u64 = 2_000;

/// The whole state.
pub struct App {
    world: World,
    panes: Panes,
    place: Place,
    /// the view before this one
    last: Option<Place>,
    /// the views that led here
    trail: Trail,
    /// the one on top is last
    layers: Vec<Box<dyn Layer>>,
    status: Status,
    outbox: Outbox,
    inventory: InventoryState,
    travel: Travel,
    /// first crumb: whose fleet it is
    tenant: String,
    /// width of the last frame, for clicks
    columns: u16,
    /// see [`App::cursor`]
    cursor: Option<(u16, u16)>,
    keymap: Keymap,
    depth: Depth,
    is_ascii: bool,
    /// the theme that the settings name; `:theme` may have chosen another since
    named_theme: String,
    /// commands that were typed, the newest first
    commands: VecDeque<String>,
    /// and filters
    filters: VecDeque<String>,
    interrupted: Option<Timestamp>,
    /// questions to servers that are open
    demands: Demands<Place>,
    /// the newest answer to one
    ready: Option<Ready>,
    /// when the live plan on the screen was asked for last
    live: Option<Timestamp>,
    /// what was wanted once and costs a server more than a moment
    wanted: Option<((InstanceId, Demand), Timestamp)>,
    /// one layer is all there is, and without it the program ends: what is said to whoever would go elsewhere
    alone: Option<&'static str>,
    quit: bool,
    repaint: bool,
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
                lists: Lists::default(),
                fetched: Fetched::default(),
                moment: Moment { zone: settings.zone, ..Moment::new(now, subject.recording) },
            },
            panes: Panes::default(),
            place: Place { scopes: Vec::new(), pane: PaneId::Fleet },
            last: None,
            trail: Trail::default(),
            layers: Vec::new(),
            status: Status::default(),
            outbox: Outbox::default(),
            inventory: InventoryState::new(subject.vault, now, settings.lock_after_ms),
            travel: Travel::new(),
            tenant: subject.tenant,
            columns: 0,
            cursor: None,
            keymap: Keymap::default(),
            depth: settings.depth,
            is_ascii: settings.ascii,
            named_theme: settings.theme.name,
            commands: VecDeque::new(),
            filters: VecDeque::new(),
            interrupted: None,
            demands: Demands::default(),
            ready: None,
            live: None,
            wanted: None,
            alone: None,
            quit: false,
            repaint: false,
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

    /// The terminal no longer shows the last frame: the next one is drawn in full.
    pub const fn repaint(&mut self) {
        self.repaint = true;
    }

    /// Takes the request for a full repaint.
    pub const fn take_repaint(&mut self) -> bool {
        std::mem::replace(&mut self.repaint, false)
    }

    /// Takes the effects for the program.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        self.outbox.take_effects()
    }

    /// Takes texts for the clipboard.
    pub fn take_copies(&mut self) -> Vec<String> {
        self.outbox.take_copies()
    }

    /// Takes a text for the user's editor.
    pub const fn take_edit(&mut self) -> Option<Edit> {
        self.outbox.take_edit()
    }

    /// The run loop's own figures, for F12.
    pub const fn set_figures(&mut self, figures: Figures) {
        self.status.figures = figures;
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
        self.world.moment.zone = settings.zone;
        self.is_ascii = settings.ascii;
        self.inventory.lock_after_ms = settings.lock_after_ms;
        self.refresh();
    }

    /// Advances the time: old messages vanish.
    pub fn tick(&mut self, now: Timestamp) {
        self.clock(now);
        self.status.tick(now);
        self.layers.iter_mut().for_each(|layer| layer.tick(now));
        self.keep_live();
        if self.inventory.is_idle(now) {
            self.inventory.touched = now;
            self.lock();
        }
    }

    /// A key.
    pub fn key(&mut self, chord: Chord) {
        self.inventory.touched = self.world.moment.clock;
        if self.layers.is_empty() && self.inventory.hold(chord) {
            return;
        }
        let top = self.layers.last().map(|layer| layer.context());
        let pane = Context::of_pane(self.place.pane);
        let action = match top {
            Some(top) if top.takes_text() => self.keymap.resolve(&[top], chord),
            Some(top) => {
                let shown = self.layers.last().and_then(|layer| layer.meaning(chord));
                let own = self.keymap.resolve(&[top], chord).or(shown);
                own.or_else(|| self.keymap.resolve(&[Context::Global], chord))
            }
            None => self.keymap.resolve(&pane, chord),
        };
        match action {
            Some(action) => self.act(action),
            None if top.is_some_and(Context::takes_text) => {
                self.with_top(|layer, behind, out| layer.type_key(chord, behind, out));
            }
            // Silence would leave one in doubt if the key was heard.
            None => self.say(Level::Unknown, format!("{chord} does nothing here: ? lists the keys")),
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
        self.inventory.touched = self.world.moment.clock;
        self.with_top(|layer, behind, out| layer.paste(text, behind, out));
    }

    /// A click.
    pub fn click(&mut self, x: u16, y: u16) {
        if !self.layers.is_empty() {
            return;
        }
        if y == 1 {
            if let Some(pane) =
                chrome::tab_at(x, self.home(), self.place.pane, chrome::tab_columns(self, self.columns))
            {
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
        if !action.only_moves() {
            self.status.forget();
        }
        // It lies over everything, so it closes first.
        if action == Action::Out && std::mem::take(&mut self.status.overlay) {
            return;
        }
        if self.refuses_to_leave(action) || self.act_on_layer(action) || self.refuses(action) {
            return;
        }
        if action == Action::Out && self.cancel_demand() {
            return;
        }
        let mut wishes = Vec::new();
        let taken = match action {
            // The pane decides on "out" before the app widens the scope; everything global stays global.
            Action::Interrupt | Action::Quit | Action::Open(_) | Action::Redraw => false,
            // What changes the inventory needs it open: the pane is asked then.
            a if a.kind() == Kind::Changes => false,
            Action::Back => self.panes.get(self.place.pane).act(Action::Out, &self.world.view(), &mut wishes),
            a => self.panes.get(self.place.pane).act(a, &self.world.view(), &mut wishes),
        };
        self.carry_out(wishes);
        if !taken {
            self.act_on_app(action);
        }
        // Moving the cursor changes no row: a key must not cost more the more rows there are.
        if taken && action.only_moves() {
            // But what is under it may have charts of its own.
            self.ask_for_charts();
        } else {
            self.refresh();
        }
    }

    fn act_on_app(&mut self, action: Action) {
        if self.act_on_inventory(action) || self.act_on_time(action) || self.act_on_review(action) {
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
            Action::NextProblem => self.next_problem(false),
            Action::PrevProblem => self.next_problem(true),
            Action::Palette => {
                self.open_layer(Palette::new(&self.world.snapshot, &self.commands));
            }
            Action::Jump => self.open_layer(Jump::new(&self.world.snapshot)),
            Action::Filter => {
                let text = self.panes.get(self.place.pane).filter().to_owned();
                self.open_layer(FilterBox::new(&text, &self.filters));
            }
            Action::Help => {
                // A layer that has keys of its own asks for help on them.
                let document = match self.layers.last().map(|layer| layer.context()) {
                    Some(of) => help::of_layer(of, &self.world.theme),
                    None => help::document(self.place.pane, &self.world.theme),
                };
                self.open_layer(Reading::new(document));
            }
            Action::FaultsOnly => self.world.faults_only = !self.world.faults_only,
            Action::Pause => self.pause(),
            Action::Refresh => self.refresh_scope(),
            Action::Overlay => self.toggle_overlay(),
            Action::Redraw => self.repaint = true,
            Action::Answer => self.show_answer(),
            Action::ToQuery => self.go_to_query(),
            Action::Menu => self.open_menu(),
            Action::Reserved => self.say(
                Level::Ok,
                "no pane yet: 7 Jobs, 8 Policies, 9 Alerts, 0 Code are to come; :all shows all instances"
                    .to_owned(),
            ),
            Action::Columns => self.say(Level::Ok, "here is one set of columns: ← and → scroll".to_owned()),
            // By their words, in a pane that has no such action: to the pane that has it.
            Action::HeatMap => self.act_in(PaneId::Fleet, action),
            Action::GroupBy => self.act_in(PaneId::Activity, action),
            Action::Benign => self.act_in(PaneId::Waits, action),
            Action::ByObject => self.act_in(PaneId::Blocking, action),
            _ => {}
        }
    }

    /// Goes to a pane and carries an action out there.
    fn act_in(&mut self, pane: PaneId, action: Action) {
        // The fleet has the pane of an instance in its place.
        let scopes = (pane == PaneId::Fleet && self.place.instance().is_some()).then(Vec::new);
        self.go(Some(pane), scopes);
        self.refresh();
        if self.place.pane == pane {
            self.act(action);
        }
    }

    fn refresh_scope(&mut self) {
        let ids = self.world.view().instances().map(|(_, i)| i.id().clone()).collect();
        self.request_refresh(ids);
    }

    fn request_refresh(&mut self, ids: Vec<InstanceId>) {
        let text = match ids.as_slice() {
            [] => return,
            [one] => format!("polling {one} now"),
            many => format!("polling {} instances now", many.len()),
        };
        self.outbox.poll(ids);
        self.say(Level::Ok, text);
    }

    /// F12. Opening it asks for the growth of the store.
    fn toggle_overlay(&mut self) {
        self.status.overlay = !self.status.overlay;
        if self.status.overlay && self.world.moment.recording.is_none() {
            self.ask(HistoryRequest::Growth);
        }
    }

    fn interrupt(&mut self) {
        let now = self.world.moment.clock;
        if self.interrupted.is_some_and(|at| now.ms_since(at) <= INTERRUPT_MS) {
            self.quit = true;
        }
        self.interrupted = Some(now);
        self.say(Level::Unknown, "Ctrl-c again quits".to_owned());
    }

    fn say(&mut self, level: Level, text: String) {
        self.status.say(level, text, self.world.moment.clock);
    }

    /// Asks the inventory or history.
    fn ask(&mut self, request: impl Into<Effect>) {
        self.outbox.ask(request);
    }

    /// Recomputes scope and rows, and tells the program which instances are on the screen.
    fn refresh(&mut self) {
        self.resolve_scope();
        self.panes.get(self.place.pane).rebuild(&self.world.view());
        self.ask_for_charts();
        self.ask_for_list();
        let looked_at = self.looked_at();
        self.outbox.focus(looked_at);
    }

    /// Draws everything.
    pub fn render(&mut self, area: Rect, buf: &mut Buffer) {
        self.columns = area.width;
        self.cursor = chrome::render(self, area, buf);
        if self.is_ascii {
            canvas::to_ascii(buf);
        }
    }

    /// Where the hardware cursor shall stand in the last frame: readers of the screen follow it.
    pub const fn cursor(&self) -> Option<(u16, u16)> {
        self.cursor
    }
}
