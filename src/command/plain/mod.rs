//! The screen in plain lines, for screen readers and braille lines, and for terminals that can do no more: no frame, nothing
//! is drawn over, lines are only appended. A line is typed, an answer is printed; between two answers changes of health are
//! told, at most every five seconds. A fleet that does not change writes nothing.
//!
//! The session is that of the screen, and so is the language ([`crate::tui::command_line`]); rows are those of `dbtop once`.
//! [`console`] is the state, without any I/O; this file owns standard input and output.

mod about;
mod console;
mod help;
mod spoken;
#[cfg(test)]
mod tests;

use crate::{
    model::base::ascii,
    protocol::Job,
    tui::{Settings, Setup},
};
use anyhow::Context;
use console::Console;
use std::{
    io::{self, BufRead, Read, Write},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};
use zeroize::Zeroizing;

/// The longest line that is read, bytes: a bearer token can be pasted.
const LONGEST: u64 = 16 * 1024;
/// Lines that were typed and not read yet; a reader waits when it is full, and so does who types.
const LINES: usize = 4;
/// The first answer waits so long for the first polls.
const FIRST_WITHIN: Duration = Duration::from_secs(10);
/// So often it is looked whether something changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Speaks until the user quits, standard input ends or `cancel` fires.
///
/// # Errors
/// Standard output cannot be written.
pub async fn run(mut setup: Setup) -> anyhow::Result<()> {
    let settings = setup.settings.borrow_and_update().clone();
    let mut out = Out { is_ascii: settings.ascii, echo: Echo::of_terminal() };
    let mut console = Console::new(&settings, &setup.subject, (setup.clock)());
    let mut typed = lines();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let first_by = Instant::now() + FIRST_WITHIN;
    let mut replies_open = true;
    while !console.wants_to_quit() {
        tokio::select! {
            () = setup.cancel.cancelled() => break,
            Some(job) = setup.jobs.recv() => match job {
                Job::Stop => {
                    out.echo.give_back();
                    (setup.stop)();
                }
                Job::Continue => out.prompt(&console)?,
            },
            reply = setup.replies.recv(), if replies_open => match reply {
                Some(reply) => console.hear(reply),
                None => replies_open = false,
            },
            line = typed.recv(), if console.listens() => match line {
                Some(line) => console.type_line(&line, (setup.clock)()),
                None => console.end_of_input(),
            },
            changed = setup.settings.changed() => {
                if changed.is_ok() {
                    let settings: Settings = setup.settings.borrow_and_update().clone();
                    out.is_ascii = settings.ascii;
                    console.configure(&settings);
                }
            }
            _ = looks.tick() => {
                console.ingest(setup.snapshots.borrow_and_update().clone());
                console.look((setup.clock)(), Instant::now() >= first_by);
            }
        }
        for effect in console.take_effects() {
            // As on the screen: a full channel means that the program is busy, and says so.
            if setup.effects.try_send(effect).is_err() {
                console.say("busy: that was not taken, try again");
            }
        }
        out.write(&mut console)?;
    }
    out.echo.give_back();
    Ok(())
}

/// Lines of standard input, read by a thread of their own: nothing else can wait for one.
fn lines() -> mpsc::Receiver<Zeroizing<String>> {
    let (send, lines) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            // It may be a passphrase.
            let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
            let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut bytes);
            if !matches!(read, Ok(1..)) {
                return;
            }
            let line =
                Zeroizing::new(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned());
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Standard output.
struct Out {
    is_ascii: bool,
    echo: Echo,
}

impl Out {
    /// Appends what there is to say, and the prompt after it. Without anything it writes nothing.
    fn write(&mut self, console: &mut Console) -> anyhow::Result<()> {
        self.echo.be_quiet(console.asks_secret());
        let lines = console.take_lines();
        if lines.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        self.put(&text)?;
        if console.wants_to_quit() { Ok(()) } else { self.prompt(console) }
    }

    /// A pipe needs none: its reader waits for lines.
    fn prompt(&self, console: &Console) -> anyhow::Result<()> {
        if self.echo.is_terminal() && console.listens() { self.put(console.prompt()) } else { Ok(()) }
    }

    fn put(&self, text: &str) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        let put = |text: &str, out: &mut io::StdoutLock<'_>| {
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        };
        let done = if self.is_ascii {
            let lines: Vec<String> = text.split('\n').map(ascii::text).collect();
            put(&lines.join("\n"), &mut out)
        } else {
            put(text, &mut out)
        };
        done.context("writing to standard output")
    }
}

/// Whether the terminal shows what is typed. It does not while a secret is asked for, and gets back what it had on every way
/// out.
struct Echo {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
    is_quiet: bool,
}

#[cfg(unix)]
impl Echo {
    fn of_terminal() -> Self {
        Self { before: rustix::termios::tcgetattr(io::stdin()).ok(), is_quiet: false }
    }

    const fn is_terminal(&self) -> bool {
        self.before.is_some()
    }

    fn be_quiet(&mut self, wanted: bool) {
        use rustix::termios::{LocalModes, OptionalActions, tcsetattr};
        if wanted == self.is_quiet {
            return;
        }
        self.is_quiet = wanted;
        let Some(mut modes) = self.before.clone() else { return };
        if wanted {
            modes.local_modes.remove(LocalModes::ECHO);
            modes.local_modes.insert(LocalModes::ECHONL);
        }
        // If it fails there is no terminal left.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
    }

    fn give_back(&mut self) {
        self.be_quiet(false);
    }
}

#[cfg(not(unix))]
impl Echo {
    fn of_terminal() -> Self {
        Self { is_quiet: false }
    }

    fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&io::stdin())
    }

    fn be_quiet(&mut self, wanted: bool) {
        self.is_quiet = wanted;
    }

    fn give_back(&mut self) {
        self.is_quiet = false;
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.give_back();
    }
}
