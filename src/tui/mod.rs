//! The screen: the only module that knows ratatui and crossterm.
//!
//! [`run`] is the loop. Snapshots come in over `watch` and are read only when a frame is due; keys become actions; all that
//! is asked of the rest of the program leaves as [`Effect`]s. The screen is a pure function of (snapshot, view state) in
//! [`app`]. `command` calls [`run`]; nothing in here knows a server, a file or a channel's other end.
//!
//! | file | owns |
//! |---|---|
//! | `id`, `action`, `command_line` | a row for each pane and each action; the commands behind `:` |
//! | `key`, [`keymap`] | keys, and the way from a key to its action |
//! | [`app`] | the whole state: routes events to layers, the pane, and its own parts |
//! | `world`, `view`, `moment`, `charts` | everything that panes look at, one moment of it |
//! | `inventory_state`, `travel`, `place`, `settings` | the other parts of the state, values with methods of their own |
//! | `pane`, `layer` | a file each; both return wishes (`wish`) and change nothing but themselves |
//! | `filter` | the filter that a pane holds |
//! | `lists`, `ask` | lists of the inventory, and the questions about things in them |
//! | `widget`, [`theme`] | drawing pieces that know no pane; styles |
//! | `input`, `frame_timer`, `terminal` | the loop's keys, its frames, its terminal |
//! | `drill` | a panic on purpose, in debug builds, for the test of how the terminal is left |

mod action;
pub mod app;
mod ask;
mod charts;
pub mod command_line;
mod demands;
#[cfg(debug_assertions)]
mod drill;
mod encoder;
mod fetched;
mod filter;
mod frame_timer;
mod id;
mod input;
mod inventory_state;
mod key;
pub mod keymap;
mod layer;
mod lists;
mod moment;
mod pane;
mod place;
mod settings;
mod terminal;
pub mod theme;
mod travel;
mod view;
mod widget;
mod wish;
mod world;

#[cfg(test)]
#[path = "../../tests/fixture/mod.rs"]
pub(crate) mod fixture;

pub use action::Action;
pub use app::App;
pub use encoder::Encoder;
pub use id::PaneId;
pub use layer::{
    deadlock::DeadlockSource,
    plan::{PlanSource, Request as LiveRequest},
};
pub use moment::Recording;
pub use pane::evidence_of;
pub use settings::{Alone, Settings, Subject};

use crate::{
    model::{base::time::Timestamp, fold::snapshot::FleetSnapshot, judge::health::Level},
    protocol::{Effect, Job, Reply},
};
use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};
use frame_timer::FrameTimer;
use input::Input;
use key::Chord;
use std::{io, sync::Arc, time::Duration};
use terminal::Screen;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Everything the screen needs.
pub struct Setup {
    /// appearance and behaviour; the newest counts, a reload sends another
    pub settings: watch::Receiver<Settings>,
    /// whose fleet it is
    pub subject: Subject,
    /// something that is shown by itself, without a fleet
    pub alone: Option<Alone>,
    /// newest state of the fleet; the screen never blocks the reducer
    pub snapshots: watch::Receiver<Arc<FleetSnapshot>>,
    /// effects; bounded by [`EFFECTS`](crate::protocol::EFFECTS), see [`Effect`] for what happens when it is full
    pub effects: mpsc::Sender<Effect>,
    /// answers; bounded by [`REPLIES`](crate::protocol::REPLIES)
    pub replies: mpsc::Receiver<Reply>,
    /// ends the screen from outside: SIGTERM, SIGHUP
    pub cancel: CancellationToken,
    /// the shell's job control
    pub jobs: mpsc::Receiver<Job>,
    /// stops the process; it goes on with [`Job::Continue`]
    pub stop: fn(),
    /// opens the user's editor with a text, by what the file's name ends in, and returns when it is closed; else why not
    pub edit: fn(&str, &str) -> Result<(), String>,
    /// the clock
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// Why the screen could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// no terminal, or it is gone
    #[error("could not use the terminal: {0}; run dbtop in a terminal, or `dbtop once` in scripts")]
    Terminal(#[from] io::Error),
}

/// Shows the fleet until the user quits or `cancel` fires. The terminal is given back in any case. To be awaited on one
/// thread (`Runtime::block_on`), not spawned: a panic on that thread means that the screen is gone.
///
/// # Errors
/// [`TuiError`] if there is no terminal.
pub async fn run(mut setup: Setup) -> Result<(), TuiError> {
    let settings = setup.settings.borrow_and_update().clone();
    let mut screen = Screen::enter(settings.mouse)?;
    let frames = FrameTimer::new(settings.low_bandwidth, Instant::now());
    let mut app = App::new(settings, setup.subject.clone(), (setup.clock)());
    if let Some(alone) = setup.alone.take() {
        app.show_alone(alone);
    }
    // The first paint waits for nothing.
    draw(&mut screen, &mut app)?;
    let input = Input::start()?;
    Ok(event_loop(setup, &mut screen, &mut app, frames, input).await?)
}

async fn event_loop(
    mut setup: Setup,
    screen: &mut Screen,
    app: &mut App,
    mut frames: FrameTimer,
    mut input: Input,
) -> io::Result<()> {
    let (mut fleet_open, mut replies_open, mut settings_open) = (true, true, true);
    let mut ingested: Option<Arc<FleetSnapshot>> = None;
    frames.data();
    while !app.wants_to_quit() {
        let due = frames.due();
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                let began = Instant::now();
                app.tick((setup.clock)());
                // `changed` below marks the value as seen, so a new one is recognised by identity.
                let newest = Arc::clone(&setup.snapshots.borrow_and_update());
                if ingested.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &newest)) {
                    ingested = Some(Arc::clone(&newest));
                    app.ingest(newest);
                }
                hand_over(app, &setup.effects);
                draw(screen, app)?;
                frames.painted(began, Instant::now(), screen.bytes());
                app.set_figures(frames.figures());
            }
            () = setup.cancel.cancelled() => break,
            Some(job) = setup.jobs.recv() => {
                if job == Job::Stop && !stopped(&mut setup, screen).await {
                    break;
                }
                screen.come_back()?;
                frames.key(Instant::now());
            }
            event = input.next() => match event {
                Some(Ok(event)) => {
                    if handle(app, &event) {
                        frames.key(Instant::now());
                    }
                    clipboard(screen, app)?;
                    input = edited(&mut setup, screen, app, input).await?;
                }
                // The terminal is gone: nobody is there to see a frame.
                Some(Err(e)) => return Err(e),
                None => break,
            },
            reply = setup.replies.recv(), if replies_open => match reply {
                Some(reply) => {
                    app.reply(reply);
                    frames.data();
                }
                None => replies_open = false,
            },
            changed = setup.settings.changed(), if settings_open => match changed {
                Ok(()) => {
                    let settings = setup.settings.borrow_and_update().clone();
                    frames.slow_down(settings.low_bandwidth);
                    screen.mouse(settings.mouse)?;
                    app.configure(settings);
                    frames.data();
                }
                Err(_) => settings_open = false,
            },
            changed = setup.snapshots.changed(), if fleet_open && !frames.waits_for_data() => match changed {
                Ok(()) => frames.data(),
                Err(_) => fleet_open = false,
            },
            () = tokio::time::sleep(frames.until_tick((setup.clock)())) => frames.data(),
        }
    }
    Ok(())
}

/// A signal takes so long at most from the system to the screen, on a busy machine.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

/// Stops the process with the terminal given back, and returns when it is continued; false if it shall end then.
async fn stopped(setup: &mut Setup, screen: &mut Screen) -> bool {
    screen.leave();
    // What continues it may have come before the stop is carried out, and be on its way to us: nothing else would.
    if tokio::time::timeout(ON_ITS_WAY, setup.jobs.recv()).await == Ok(Some(Job::Continue)) {
        return true;
    }
    (setup.stop)();
    tokio::select! {
        biased;
        () = setup.cancel.cancelled() => false,
        () = async { while setup.jobs.recv().await.is_some_and(|job| job != Job::Continue) {} } => true,
    }
}

/// Gives the terminal to the user's editor, if a text waits for it, until it is closed. What comes for the screen meanwhile is taken, so that nobody waits.
async fn edited(setup: &mut Setup, screen: &mut Screen, app: &mut App, input: Input) -> io::Result<Input> {
    let Some(what) = app.take_edit() else { return Ok(input) };
    input.stop().await;
    screen.leave();
    let edit = setup.edit;
    let mut open = tokio::task::spawn_blocking(move || edit(what.ending, &what.text));
    let done = loop {
        tokio::select! {
            done = &mut open => break done.unwrap_or_else(|e| Err(e.to_string())),
            // The editor stops by itself, and is continued with us.
            Some(job) = setup.jobs.recv() => if job == Job::Stop { (setup.stop)() },
            Some(reply) = setup.replies.recv() => app.reply(reply),
        }
    };
    screen.come_back()?;
    if let Err(text) = done {
        app.reply(Reply::Message { level: Level::Warning, text });
    }
    Input::start()
}

fn draw(screen: &mut Screen, app: &mut App) -> io::Result<()> {
    if app.take_repaint() {
        screen.repaint()?;
    }
    screen.draw(|area, buf| {
        app.render(area, buf);
        app.cursor()
    })
}

/// True if the event changed anything.
fn handle(app: &mut App, event: &Event) -> bool {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            #[cfg(debug_assertions)]
            drill::key(*key);
            app.key(Chord::of(*key));
        }
        Event::Paste(text) => app.paste(text),
        // The window shrank and grew between two reads: the size is the same, but the terminal lost the part cut off.
        Event::Resize(..) => app.repaint(),
        Event::Mouse(m) => match m.kind {
            MouseEventKind::Down(MouseButton::Left) => app.click(m.column, m.row),
            MouseEventKind::ScrollDown => app.act(Action::Down),
            MouseEventKind::ScrollUp => app.act(Action::Up),
            _ => return false,
        },
        _ => return false,
    }
    true
}

fn clipboard(screen: &mut Screen, app: &mut App) -> io::Result<()> {
    for text in app.take_copies() {
        if !screen.copy(&text)? {
            app.reply(Reply::Message {
                level: Level::Warning,
                text: "too long for the terminal's clipboard: not copied".to_owned(),
            });
        }
    }
    Ok(())
}

fn hand_over(app: &mut App, effects: &mpsc::Sender<Effect>) {
    let mut is_full = false;
    for effect in app.take_effects() {
        // Behind one that found no room none is tried: nothing overtakes a lock.
        let refused = if is_full {
            Some(effect)
        } else {
            match effects.try_send(effect) {
                Err(mpsc::error::TrySendError::Full(effect)) => Some(effect),
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => None,
            }
        };
        is_full = refused.is_some();
        if let Some(effect) = refused {
            app.effect_dropped(&effect);
        }
    }
}
