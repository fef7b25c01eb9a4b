//! Passwords: fetched when first needed, kept in memory, shared by all instances that name the same command, fetched
//! again after a refused login. The fetching itself is `config`'s and comes in as a function, because it blocks.

use crate::model::{failure::Failure, failure::FailureKind, instance::SecretSource, secret::Secret};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// Fetches a password. Runs on a blocking thread.
pub type Resolver = Arc<dyn Fn(&SecretSource) -> Result<Secret, Failure> + Send + Sync>;

/// What could not be fetched is tried again after this; what was refused by a server, too.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

#[derive(Clone)]
enum State {
    Empty,
    Fetching,
    Ready(Secret, Instant),
    Failed(Failure, Instant),
}

/// One password, wherever it is used.
#[derive(Clone)]
pub struct SecretCell {
    source: Arc<SecretSource>,
    resolver: Resolver,
    state: watch::Sender<State>,
}

impl SecretCell {
    fn new(source: SecretSource, resolver: Resolver) -> Self {
        Self { source: Arc::new(source), resolver, state: watch::Sender::new(State::Empty) }
    }

    /// The password; waits if it is being fetched.
    ///
    /// # Errors
    /// Why it could not be fetched, without what it is.
    pub async fn get(&self) -> Result<Secret, Failure> {
        let mut changes = self.state.subscribe();
        loop {
            let begin = self.state.send_if_modified(|state| {
                let due = match state {
                    State::Empty => true,
                    State::Failed(_, at) => at.elapsed() >= AGAIN_AFTER,
                    State::Fetching | State::Ready(..) => false,
                };
                if due {
                    *state = State::Fetching;
                }
                due
            });
            if begin {
                self.fetch();
            }
            let state = changes.borrow_and_update().clone();
            match state {
                State::Ready(secret, _) => return Ok(secret),
                State::Failed(failure, _) => return Err(failure),
                State::Empty | State::Fetching => {}
            }
            // The sender is part of this cell, so it cannot be gone.
            let _ = changes.changed().await;
        }
    }

    /// In a task of its own: who asked may give up meanwhile.
    fn fetch(&self) {
        let cell = self.clone();
        tokio::spawn(async move {
            let (resolver, source) = (Arc::clone(&cell.resolver), Arc::clone(&cell.source));
            let fetched = tokio::task::spawn_blocking(move || resolver(&source)).await;
            let now = Instant::now();
            cell.state.send_replace(match fetched {
                Ok(Ok(secret)) => State::Ready(secret, now),
                Ok(Err(failure)) => State::Failed(failure, now),
                Err(_) => State::Failed(
                    Failure::new(FailureKind::Config, "password: fetching it was broken off"),
                    now,
                ),
            });
        });
    }

    /// A server refused it: it is fetched anew next time, if it is not brand new.
    pub fn refused(&self) {
        self.state.send_if_modified(|state| {
            let old = matches!(state, State::Ready(_, at) if at.elapsed() >= AGAIN_AFTER);
            if old {
                *state = State::Empty;
            }
            old
        });
    }
}

/// The passwords of all instances.
pub struct Secrets {
    resolver: Resolver,
    /// a command is run once, not once an instance
    by_command: HashMap<String, SecretCell>,
}

impl Secrets {
    pub fn new(resolver: Resolver) -> Self {
        Self { resolver, by_command: HashMap::new() }
    }

    /// The cell for a source.
    pub fn cell(&mut self, source: &SecretSource) -> SecretCell {
        let make = || SecretCell::new(source.clone(), Arc::clone(&self.resolver));
        match source {
            SecretSource::Command(line) => self.by_command.entry(line.clone()).or_insert_with(make).clone(),
            SecretSource::Env(_) | SecretSource::Literal(_) => make(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    fn counting(fails: bool) -> (Arc<AtomicU32>, Secrets) {
        let runs = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&runs);
        let resolver: Resolver = Arc::new(move |_| {
            let run = counter.fetch_add(1, SeqCst) + 1;
            if fails {
                Err(Failure::new(FailureKind::Config, "no"))
            } else {
                Ok(Secret::new(format!("secret {run}")))
            }
        });
        (runs, Secrets::new(resolver))
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_is_run_once_for_all_and_again_after_a_refusal() {
        let (runs, mut secrets) = counting(false);
        let source = SecretSource::Command("pass show dba".into());
        let cells: Vec<_> = (0..20).map(|_| secrets.cell(&source)).collect();
        for cell in &cells {
            assert_eq!(cell.get().await.ok().map(|s| s.reveal().to_owned()).as_deref(), Some("secret 1"));
        }
        cells[0].refused();
        cells[1].get().await.ok();
        assert_eq!(runs.load(SeqCst), 1, "a brand new one is not fetched again");
        tokio::time::advance(Duration::from_secs(31)).await;
        cells[0].refused();
        assert_eq!(cells[2].get().await.ok().map(|s| s.reveal().to_owned()).as_deref(), Some("secret 2"));
        assert_eq!(runs.load(SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_told_to_all_and_tried_again_later() {
        let (runs, mut secrets) = counting(true);
        let source = SecretSource::Command("false".into());
        let (a, b) = (secrets.cell(&source), secrets.cell(&source));
        assert!(a.get().await.is_err() && b.get().await.is_err());
        assert_eq!(runs.load(SeqCst), 1);
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!(b.get().await.is_err());
        assert_eq!(runs.load(SeqCst), 2);
    }
}
