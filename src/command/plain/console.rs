//! The state of plain mode and how lines change it: typed lines, snapshots and answers come in, lines to say and effects go
//! out. No terminal, no clock, no channel in here, so tests drive it with texts.

mod holds;
mod list;
mod news;

use super::{about::About, help};
use crate::{
    cli::What,
    command::once::rows,
    model::{
        base::{figure, secret::Secret, time::Timestamp, zone::Zone},
        fold::{
            scope::Scope,
            snapshot::{FleetSnapshot, InstanceSnapshot},
        },
        inventory::instance::InstanceId,
        judge::health::Level,
        timeline::past::{self, Typed, When},
    },
    protocol::{Effect, HistoryRequest, InventoryRequest, Reply, VaultState},
    tui::{Action, PaneId, Recording, Settings, Subject, command_line},
};
use std::{collections::HashMap, fmt::Write as _, sync::Arc};

/// Rows that one answer tells; `more` tells the next ones.
const ROWS: usize = 20;
/// Rows that the first answer tells.
const FIRST_ROWS: usize = 3;
/// News come at most so often, ms.
const NEWS_MS: u64 = 5_000;
/// Changes that are told one by one at a time.
const MOST_NEWS: usize = 6;

/// Where the user is.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    about: About,
    scope: Option<Scope>,
    filter: String,
}

/// What the number of a row opens.
#[derive(Debug, Clone)]
enum Behind {
    Instance(InstanceId),
    /// the row, a fact a line
    Facts(Vec<String>),
    /// the list that a reason leads to
    Evidence(Option<About>),
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// for the first polls
    Waiting,
    Talking,
    Over,
}

/// What the next line is an answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asks {
    /// a passphrase for the vault
    Passphrase,
    /// the password of a login
    Password,
}

/// The past, while it is shown.
#[derive(Debug)]
struct Past {
    at: Timestamp,
    fleet: Arc<FleetSnapshot>,
}

/// The state.
pub struct Console {
    zone: Zone,
    lock_after_ms: Option<i64>,
    tenant: String,
    vault: VaultState,
    recording: Option<Recording>,
    now: Timestamp,
    live: Arc<FleetSnapshot>,
    past: Option<Past>,
    /// the question about the past that is open
    asked: Option<u64>,
    tickets: u64,
    place: Place,
    trail: Vec<Place>,
    /// what the numbers of the list above open
    numbers: Vec<Behind>,
    /// rows of the list that `more` has not told yet, with the number of the first
    rest: (usize, Vec<String>),
    faults_only: bool,
    quiet: bool,
    /// levels as they were told
    told: HashMap<InstanceId, Level>,
    told_at: Timestamp,
    /// who polls, as it was told; None: this program
    collector: Option<String>,
    touched: Timestamp,
    focus: Vec<InstanceId>,
    asks: Option<Asks>,
    stage: Stage,
    lines: Vec<String>,
    effects: Vec<Effect>,
}

impl Console {
    /// Before any data came.
    pub fn new(settings: &Settings, subject: &Subject, now: Timestamp) -> Self {
        let mut console = Self {
            zone: settings.zone.clone(),
            lock_after_ms: settings.lock_after_ms,
            tenant: subject.tenant.clone(),
            vault: subject.vault.clone(),
            recording: subject.recording.clone(),
            now,
            live: Arc::default(),
            past: None,
            asked: None,
            tickets: 0,
            place: Place { about: About::Rows(What::Fleet), scope: None, filter: String::new() },
            trail: Vec::new(),
            numbers: Vec::new(),
            rest: (0, Vec::new()),
            faults_only: false,
            quiet: false,
            told: HashMap::new(),
            told_at: now,
            collector: None,
            touched: now,
            focus: Vec::new(),
            asks: None,
            stage: Stage::Waiting,
            lines: Vec::new(),
            effects: Vec::new(),
        };
        // A recording is entered at its end: there is nothing else to show.
        if let Some(recording) = &subject.recording {
            console.go_to(recording.to);
        }
        console
    }

    /// The configuration changed.
    pub fn configure(&mut self, settings: &Settings) {
        self.zone = settings.zone.clone();
        self.lock_after_ms = settings.lock_after_ms;
    }

    /// True once the user wants to leave.
    pub const fn wants_to_quit(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// True while a line is waited for: a command once the fleet was told, or a secret.
    pub const fn listens(&self) -> bool {
        self.asked.is_none() && (matches!(self.stage, Stage::Talking) || self.asks.is_some())
    }

    /// True while the line that is waited for must not be shown.
    pub const fn asks_secret(&self) -> bool {
        self.asks.is_some()
    }

    /// What stands before the line that is waited for.
    pub const fn prompt(&self) -> &'static str {
        match self.asks {
            Some(Asks::Passphrase) => "passphrase, not shown: ",
            Some(Asks::Password) => "password, not shown: ",
            None => "> ",
        }
    }

    /// Takes the lines to say.
    pub fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// Takes the effects for the program.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Says a line.
    pub fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Nobody types any more.
    pub fn end_of_input(&mut self) {
        // A secret that nobody gives is left out; the fleet is told all the same.
        if self.asks.take().is_none() {
            self.stage = Stage::Over;
        }
    }

    /// A newer state of the fleet.
    pub fn ingest(&mut self, fleet: Arc<FleetSnapshot>) {
        self.live = fleet;
    }

    /// The time goes on: begins when the first polls are in or `is_late`, tells what changed, locks what nobody uses.
    pub fn look(&mut self, now: Timestamp, is_late: bool) {
        self.now = now;
        if self.stage == Stage::Waiting {
            let polled = |i: &Arc<InstanceSnapshot>| !i.health.is_before_the_first();
            let is_settled = !self.live.instances.is_empty() && self.live.instances.iter().all(polled);
            let is_waiting = self.asked.is_some() || self.asks.is_some() || self.vault == VaultState::Opening;
            if !is_waiting && (is_settled || is_late || self.recording.is_some()) {
                self.begin();
            }
            return;
        }
        self.pass_time();
    }

    fn begin(&mut self) {
        self.stage = Stage::Talking;
        let mut line = format!("dbtop, {}: ", self.tenant);
        self.push_state(&mut line);
        self.say(line);
        if self.live.instances.is_empty() && self.recording.is_none() {
            self.say(
                "no instance is watched: dbtop --demo shows a simulated fleet, dbtop instance add names one",
            );
        }
        self.learn();
        self.list(FIRST_ROWS);
        self.say("help lists the words; a number opens a row");
    }

    /// `2026-11-20 14:02:11 CET, 8 instances: 3 ok, 1 warning, 3 critical, 1 unknown`.
    fn push_state(&self, out: &mut String) {
        let (at, what) = self.past.as_ref().map_or((self.now, ""), |past| (past.at, "past, "));
        out.push_str(what);
        self.zone.push_instant(out, at);
        let counts = self.fleet().counts;
        out.push_str(", ");
        out.push_str(&figure::counted(self.fleet().instances.len(), "instance"));
        let each = [
            (counts.critical, "critical or offline"),
            (counts.warning, Level::Warning.word()),
            (counts.ok, Level::Ok.word()),
            (counts.unknown, Level::Unknown.word()),
        ];
        for (n, (count, word)) in each.into_iter().filter(|(count, _)| *count > 0).enumerate() {
            out.push_str(if n == 0 { ": " } else { ", " });
            // Writing to a String cannot fail.
            let _ = write!(out, "{count} {word}");
        }
    }

    /// The fleet that is told of: live, or as it was.
    fn fleet(&self) -> &FleetSnapshot {
        self.past.as_ref().map_or(&self.live, |past| &past.fleet)
    }

    /// A reply of the program.
    pub fn hear(&mut self, reply: Reply) {
        match reply {
            Reply::Message { text, .. } | Reply::Saved(Ok(text)) => self.say(text),
            Reply::Notes(notes) => self.lines.extend(notes),
            Reply::Vault { tenant, state } => self.hear_vault(tenant, state),
            Reply::Password { who, wanted_by } => {
                self.say(format!("{wanted_by} wants the password of {who}; an empty line leaves it out"));
                self.asks = Some(Asks::Password);
            }
            Reply::Past { ticket, snapshot, at, oldest, damaged, .. } if self.asked == Some(ticket) => {
                self.asked = None;
                if at < oldest {
                    self.say(format!("history begins at {}", self.zone.instant(oldest)));
                    return self.go_to(past::first(oldest, self.now));
                }
                self.past = Some(Past { at, fleet: snapshot });
                self.lines.extend(damaged.into_iter().map(|words| format!("damaged and missing: {words}")));
                if self.stage == Stage::Talking {
                    self.tell_state();
                }
            }
            Reply::NoHistory { ticket, why } if ticket.is_none() || ticket == self.asked => {
                self.asked = None;
                self.say(why);
            }
            Reply::Collector(words) => self.tell_collector(words),
            Reply::Store(Some(sign)) => self.say(format!("history is not kept: {sign}")),
            _ => {}
        }
    }

    fn hear_vault(&mut self, tenant: String, state: VaultState) {
        if tenant != self.tenant {
            self.say(format!("tenant {tenant}"));
            self.tenant = tenant;
            (self.past, self.place.scope, self.stage) = (None, None, Stage::Waiting);
            self.trail.clear();
            self.told.clear();
        }
        match &state {
            VaultState::Locked { .. } if self.vault == VaultState::Open => {
                self.say("locked: polling goes on; unlock opens the inventory");
            }
            VaultState::Locked { by_passphrase: true, why } => {
                let why = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
                self.say(format!(
                    "the inventory of {} is locked{why}; an empty line leaves it so",
                    self.tenant
                ));
                self.asks = Some(Asks::Passphrase);
            }
            VaultState::Locked { by_passphrase: false, why } => {
                let why = why.as_deref().unwrap_or("what opened it before does not");
                self.say(format!("the inventory is locked: {why}; unlock tries again"));
            }
            VaultState::Open if self.vault != VaultState::Opening => self.say("the inventory is open"),
            VaultState::Choose => self.say("which tenant? tenant NAME; dbtop tenant list names them"),
            VaultState::Absent => self.say("there is no tenant yet: dbtop vault init makes one"),
            _ => {}
        }
        self.vault = state;
    }

    /// A line was typed.
    pub fn type_line(&mut self, line: &str, now: Timestamp) {
        (self.now, self.touched) = (now, now);
        if let Some(asks) = self.asks.take() {
            return self.answer(&asks, line);
        }
        let line = line.trim().trim_start_matches(':');
        match line {
            "" => self.list_here(),
            "back" => self.back(),
            "more" => self.more(ROWS),
            _ => match line.parse::<usize>() {
                Ok(number) => self.open(number),
                Err(_) => self.carry_out(line),
            },
        }
        self.tell_focus();
    }

    fn answer(&mut self, asks: &Asks, line: &str) {
        let secret = (!line.is_empty()).then(|| Secret::new(line.to_owned()));
        match (asks, secret) {
            (Asks::Passphrase, Some(secret)) => {
                self.vault = VaultState::Opening;
                self.effects.push(InventoryRequest::Unlock(Some(secret)).into());
            }
            (Asks::Passphrase, None) => self.say("it stays locked; unlock asks again"),
            (Asks::Password, secret) => self.effects.push(InventoryRequest::Password(secret).into()),
        }
    }

    fn carry_out(&mut self, line: &str) {
        use command_line::Command;
        match command_line::read(line, self.fleet()) {
            Err(why) => self.say(format!("{why}; help lists the words")),
            Ok(Command::Do(action)) => self.act(action),
            Ok(Command::Go { pane, scopes }) => self.go(pane, scopes),
            Ok(Command::Filter(text)) => {
                self.move_to(Place { filter: text, ..self.place.clone() });
            }
            Ok(Command::At(text)) => self.travel(&text),
            Ok(Command::Tenant(slug)) => self.effects.push(InventoryRequest::Switch(slug).into()),
            Ok(Command::Sort(_)) => self.say("lists stand in one order here, the worst first"),
            Ok(Command::Theme(_)) => self.say("there are no colours here"),
            Ok(Command::Period(_)) => self.say("dbtop once queries --from 10:00 --to 10:30 tells that"),
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Quit => self.stage = Stage::Over,
            Action::Help => self.lines.extend(help::lines()),
            Action::LastView => self.back(),
            Action::Redraw => self.list_here(),
            Action::NextProblem => self.next_problem(),
            Action::Cost => self.move_to(Place { about: About::Rows(What::Cost), ..self.place.clone() }),
            Action::FaultsOnly => {
                self.faults_only = !self.faults_only;
                self.say(if self.faults_only { "faults only" } else { "all instances" });
                self.list_here();
            }
            Action::Pause => {
                self.quiet = !self.quiet;
                self.say(if self.quiet {
                    "no news from now on; pause again brings them"
                } else {
                    "news again"
                });
                if !self.quiet {
                    self.tell_news();
                }
            }
            Action::Refresh if self.past.is_some() => self.say("this is the past; live comes back"),
            Action::Refresh => {
                let ids: Vec<InstanceId> = self.in_scope().iter().map(|i| i.id().clone()).collect();
                self.say(format!("polling {} now", figure::counted(ids.len(), "instance")));
                self.effects.push(Effect::Refresh(ids));
            }
            Action::Live if self.recording.is_some() => {
                let end = self.recording.as_ref().map(|recording| recording.to);
                if let Some(end) = end {
                    self.go_to(end);
                }
            }
            Action::Live => {
                self.past = None;
                self.tell_state();
            }
            Action::Lock => self.effects.push(InventoryRequest::Lock.into()),
            Action::Unlock => match &self.vault {
                VaultState::Locked { by_passphrase: true, .. } => {
                    self.asks = Some(Asks::Passphrase);
                    self.say("an empty line leaves it locked");
                }
                VaultState::Locked { .. } => self.effects.push(InventoryRequest::Unlock(None).into()),
                _ => self.say("nothing is locked"),
            },
            _ => self.say("only the full screen can do that: dbtop without --plain"),
        }
    }

    fn travel(&mut self, text: &str) {
        let now = self.recording.as_ref().map_or(self.now, |recording| recording.to);
        match past::parse(text, now, &self.zone) {
            Err(why) => self.say(why.to_string()),
            Ok(Typed { when: When::Live, .. }) => self.act(Action::Live),
            Ok(Typed { when: When::At(at), note }) => {
                self.lines.extend(note);
                self.go_to(at);
            }
        }
    }

    fn go_to(&mut self, at: Timestamp) {
        let at = self.recording.as_ref().map_or(at, |recording| at.clamp(recording.from, recording.to));
        self.tickets += 1;
        self.asked = Some(self.tickets);
        self.effects.push(HistoryRequest::At { ticket: self.tickets, at }.into());
    }

    /// Says the moment, and the list as it is then.
    fn tell_state(&mut self) {
        let mut line = String::new();
        self.push_state(&mut line);
        self.say(line);
        self.list_here();
    }

    fn go(&mut self, pane: Option<PaneId>, scopes: Option<Vec<Scope>>) {
        let about = match pane.map(|pane| About::of(pane).ok_or(pane)) {
            Some(Err(pane)) => return self.say(help::elsewhere(pane)),
            Some(Ok(about)) => about,
            None => self.place.about,
        };
        let scope = scopes.map_or_else(|| self.place.scope.clone(), |mut scopes| scopes.pop());
        // The fleet is the whole of it, unless a scope was named; one instance has a page.
        let scope = if pane == Some(PaneId::Fleet) && matches!(scope, Some(Scope::Instance(_))) {
            None
        } else {
            scope
        };
        let is_one = matches!(scope, Some(Scope::Instance(_)));
        let about = if about == About::Instance && !is_one { About::Rows(What::Fleet) } else { about };
        self.move_to(Place { about, scope, filter: String::new() });
    }

    fn move_to(&mut self, place: Place) {
        let before = std::mem::replace(&mut self.place, place);
        if before != self.place {
            self.trail.push(before);
        }
        self.list_here();
    }

    fn back(&mut self) {
        match self.trail.pop() {
            Some(place) => {
                self.place = place;
                self.list_here();
            }
            None => self.say("there is nothing before this"),
        }
    }

    fn next_problem(&mut self) {
        let here = match &self.place.scope {
            Some(Scope::Instance(id)) => Some(id.clone()),
            _ => None,
        };
        let worst: Vec<InstanceId> = rows::worst_first(self.fleet())
            .into_iter()
            .filter(|i| i.health.level > Level::Unknown)
            .map(|i| i.id().clone())
            .collect();
        let at = here.and_then(|id| worst.iter().position(|other| *other == id)).map_or(0, |at| at + 1);
        match worst.get(at).or(worst.first()) {
            Some(id) => {
                let scope = Some(Scope::Instance(id.clone()));
                self.move_to(Place { about: About::Instance, scope, filter: String::new() });
            }
            None => self.say("no problem anywhere"),
        }
    }

    fn open(&mut self, number: usize) {
        match number.checked_sub(1).and_then(|at| self.numbers.get(at)).cloned() {
            None => self.say(format!("no row has the number {number}")),
            Some(Behind::Facts(facts)) => self.lines.extend(facts),
            Some(Behind::Instance(id)) => {
                let scope = Some(Scope::Instance(id));
                self.move_to(Place { about: About::Instance, scope, filter: String::new() });
            }
            Some(Behind::Evidence(Some(about))) => self.move_to(Place { about, ..self.place.clone() }),
            Some(Behind::Evidence(None)) => self.say("only the full screen shows what is behind that"),
        }
    }

    /// Tells the program what is looked at: one instance is polled as fast as on the screen.
    fn tell_focus(&mut self) {
        let focus = match (&self.place.scope, &self.past) {
            (Some(Scope::Instance(id)), None) => vec![id.clone()],
            _ => Vec::new(),
        };
        if focus != self.focus {
            self.focus.clone_from(&focus);
            self.effects.push(Effect::Focus(focus));
        }
    }
}
