//! The thread of the history service: takes commands and ticks once a second. The work is in [`super::role`],
//! [`super::answer`], [`super::watched`] and [`super::figures`]; this file connects them.

use super::{
    answer::{Past, Question},
    archive::Archive,
    figures,
    file::Location,
    reading::Readings,
    recording::Recording,
    relay,
    role::Election,
    watched::Watched,
};
use crate::{
    app::{
        configuration,
        module::{Links, Module},
    },
    collect::{Command, Recorder},
    model::{inventory::instance::InstanceId, timeline::record::Record},
    protocol::{EFFECTS, HistoryRequest},
    store::history::{QUEUE, WriterStats},
};
use std::time::{Duration, Instant};
use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, Receiver, Sender},
        watch,
    },
};

/// Interval of the ticks: check who polls, read new writes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A command to the history service.
pub enum HistoryCommand {
    /// this is the fleet from now on
    Open(Location),
    /// there is no fleet for now: the tenant changes
    Close,
    /// this fleet has no history: its key cannot be had
    KeepNothing,
    /// there is no fleet: this recording is played
    Play(Recording),
    /// a question of the screen
    Ask(HistoryRequest),
}

/// A handle to the running service.
pub struct History {
    /// see [`HistoryCommand`]
    pub commands: Sender<HistoryCommand>,
    /// the writer's figures, while this process writes
    pub figures: watch::Receiver<Option<WriterStats>>,
    /// the instances on the screen; if another process polls, it is asked for them
    pub on_screen: watch::Sender<Vec<InstanceId>>,
}

/// Makes the channel that the collector records to; [`start`] takes the other end. Full: the reducer waits.
pub fn recorder() -> (Recorder, Receiver<Vec<Record>>) {
    mpsc::channel(QUEUE)
}

/// Starts it. Must be called within the runtime. It ends when the collector has ended and nobody sends commands any more; all that
/// was recorded is on the disk then.
///
/// # Errors
/// The system has no thread for it.
pub fn start(links: &Links, recorded: Receiver<Vec<Record>>) -> anyhow::Result<(History, Module)> {
    // Full: the screen says that it is busy.
    let (commands, taken) = mpsc::channel(EFFECTS);
    let (tell, figures) = watch::channel(None);
    let (on_screen, looks) = watch::channel(Vec::new());
    let runtime = Handle::current();
    let (decider, decision) = relay::decision();
    let most_bytes = configuration::history(&links.config.borrow()).backlog_bytes;
    let relay = runtime.spawn(relay::run(recorded, decision, most_bytes, links.screen.clone()));
    let service = Service {
        runtime,
        links: links.clone(),
        archive: None,
        election: Election::new(links.clone(), decider, tell),
        past: Past::default(),
        watched: Watched::new(looks),
    };
    let thread = std::thread::Builder::new().name("history".into()).spawn(move || service.run(taken))?;
    // The service must not end before the last reading has come.
    let last = commands.clone();
    let ended = async move {
        let _ = relay.await;
        drop(last);
        // The hook has reported the panic.
        let _ = tokio::task::spawn_blocking(|| thread.join()).await;
    };
    Ok((History { commands, figures, on_screen }, Module::new("history", ended)))
}

struct Service {
    runtime: Handle,
    links: Links,
    /// the history of the fleet; None: there is no fleet yet
    archive: Option<Archive>,
    election: Election,
    past: Past,
    watched: Watched,
}

/// Why the thread woke.
enum Woken {
    Commanded(HistoryCommand),
    Reconfigured,
    Ended,
    Time,
}

impl Service {
    fn run(mut self, mut commands: Receiver<HistoryCommand>) {
        let mut looked = Instant::now();
        loop {
            let at_most = if self.past.readings.is_over() {
                LOOK_EVERY.saturating_sub(looked.elapsed())
            } else {
                Duration::ZERO
            };
            match self.wait(&mut commands, at_most) {
                Woken::Commanded(command) => self.carry_out(command),
                Woken::Reconfigured => {
                    let options = configuration::history(&self.links.config.borrow());
                    let options = match &self.archive {
                        Some(archive) => archive.location.within(options),
                        None => options,
                    };
                    self.election.keep(options);
                }
                Woken::Ended => return self.close(),
                Woken::Time => self.read_on(),
            }
            // Also while one question follows the other.
            if looked.elapsed() >= LOOK_EVERY {
                self.look();
                looked = Instant::now();
            }
        }
    }

    fn wait(&mut self, commands: &mut Receiver<HistoryCommand>, at_most: Duration) -> Woken {
        let config = &mut self.links.config;
        self.runtime.block_on(async {
            tokio::select! {
                command = commands.recv() => command.map_or(Woken::Ended, Woken::Commanded),
                Ok(()) = config.changed() => Woken::Reconfigured,
                () = tokio::time::sleep(at_most) => Woken::Time,
            }
        })
    }

    fn carry_out(&mut self, command: HistoryCommand) {
        match command {
            HistoryCommand::Open(location) => {
                self.close();
                let archive = self.archive.insert(Archive::new(location));
                self.election.stand(archive);
            }
            HistoryCommand::Close => self.close(),
            HistoryCommand::KeepNothing if self.archive.is_none() => self.election.keep_nothing(),
            // That of this tenant, from when its vault was open before.
            HistoryCommand::KeepNothing => {}
            HistoryCommand::Play(recording) => {
                self.close();
                self.archive = Some(Archive::new(Location::of_recording(recording.file)));
                self.election.play(recording.infos);
            }
            HistoryCommand::Ask(request) => {
                let archive = self.archive.as_mut();
                Question::new(&self.links, &self.election, &mut self.past).answer(request, archive);
            }
        }
    }

    /// Reads a little more of what takes long.
    fn read_on(&mut self) {
        if let Some(archive) = &mut self.archive {
            self.past.readings.go_on(archive, &self.links);
        }
    }

    /// Once a second.
    fn look(&mut self) {
        if let Some(archive) = &mut self.archive {
            self.election.look(archive);
        }
        self.watched.exchange(self.archive.as_ref(), &self.election, &self.links);
        figures::tell(&mut self.election, &self.links);
    }

    /// Writes what was recorded and closes the file. Nobody polls until the role for the next fleet is decided.
    fn close(&mut self) {
        let Some(mut archive) = self.archive.take() else { return };
        self.links.command(Command::Follow(true));
        self.election.end(&mut archive);
        self.watched.drop_request();
        self.past.gone.clear();
        self.past.readings = Readings::default();
    }
}
