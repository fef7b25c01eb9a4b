//! Passwords: fetched when first needed, kept in memory, shared by all instances that name the same command, fetched
//! again after a refused login. The fetching itself is `config`'s and comes in as a function, because it blocks.

use super::token;
use crate::model::{
    base::{
        failure::{Failure, FailureKind},
        secret::Secret,
        time::Timestamp,
    },
    inventory::record::{Auth, SecretRef},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// Fetches a password. Runs on a blocking thread.
pub type Resolver = Arc<dyn Fn(&SecretRef) -> Result<Secret, Failure> + Send + Sync>;

/// A token is fetched anew so long before it ends.
const TOKEN_MARGIN: Duration = Duration::from_mins(5);
/// A token that does not say when it ends is fetched anew after this: most live for an hour.
const TOKEN_LIFE: Duration = Duration::from_mins(45);

/// One that came just now and says that it has ended: our clock is ahead, or it is none. The server decides; it is not fetched
/// anew with every connect.
const TOKEN_LEAST: Duration = Duration::from_mins(1);

/// A secret that could not be fetched is tried again after this; one that a server refused, too.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

#[derive(Clone)]
enum State {
    Empty,
    Fetching,
    /// since when, and until when it is good
    Ready(Secret, Instant, Option<Instant>),
    Failed(Failure, Instant),
}

/// One password, wherever it is used.
#[derive(Clone)]
pub struct SecretCell {
    source: Arc<SecretRef>,
    /// a bearer token, which ends by itself
    is_token: bool,
    resolver: Resolver,
    clock: fn() -> Timestamp,
    state: watch::Sender<State>,
}

impl SecretCell {
    fn new(source: SecretRef, is_token: bool, resolver: Resolver, clock: fn() -> Timestamp) -> Self {
        Self { source: Arc::new(source), is_token, resolver, clock, state: watch::Sender::new(State::Empty) }
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
                    State::Ready(_, _, until) => until.is_some_and(|until| until <= Instant::now()),
                    State::Fetching => false,
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
                State::Ready(secret, ..) => return Ok(secret),
                State::Failed(failure, _) => return Err(failure),
                State::Empty | State::Fetching => {}
            }
            // The sender is part of this cell, so it cannot be gone.
            let _ = changes.changed().await;
        }
    }

    /// In a task of its own: the caller may give up meanwhile.
    fn fetch(&self) {
        let cell = self.clone();
        tokio::spawn(async move {
            let (resolver, source) = (Arc::clone(&cell.resolver), Arc::clone(&cell.source));
            let fetched = tokio::task::spawn_blocking(move || resolver(&source)).await;
            let now = Instant::now();
            cell.state.send_replace(match fetched {
                Ok(Ok(secret)) => {
                    let until = cell.is_token.then(|| now + token_life(&secret, (cell.clock)()));
                    State::Ready(secret, now, until)
                }
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
            let old = matches!(state, State::Ready(_, at, _) if at.elapsed() >= AGAIN_AFTER);
            if old {
                *state = State::Empty;
            }
            old
        });
    }
}

/// How long a token that came just now may be used. Its end is a time of the wall clock.
fn token_life(token: &Secret, now: Timestamp) -> Duration {
    token::life(token.reveal(), now)
        .map_or(TOKEN_LIFE, |life| life.saturating_sub(TOKEN_MARGIN).max(TOKEN_LEAST))
}

/// The passwords of all instances.
pub struct Secrets {
    resolver: Resolver,
    clock: fn() -> Timestamp,
    /// a command is run once, not once an instance; for a password and for a token
    by_command: HashMap<(String, bool), SecretCell>,
}

impl Secrets {
    /// Nothing fetched yet. `clock` is the wall clock, by which tokens end.
    pub fn new(resolver: Resolver, clock: fn() -> Timestamp) -> Self {
        Self { resolver, clock, by_command: HashMap::new() }
    }

    /// The cell for a login; one that needs no secret has an empty one.
    pub fn cell(&mut self, auth: &Auth) -> SecretCell {
        let is_token = matches!(auth, Auth::Entra { .. });
        let none = SecretRef::Stored(Secret::new(String::new()));
        let source = auth.secret().unwrap_or(&none);
        let make = || SecretCell::new(source.clone(), is_token, Arc::clone(&self.resolver), self.clock);
        match source {
            SecretRef::Command(line) => {
                self.by_command.entry((line.clone(), is_token)).or_insert_with(make).clone()
            }
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Ask | SecretRef::Stored(_) => make(),
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
        (runs, Secrets::new(resolver, Timestamp::default))
    }

    fn password(command: &str) -> Auth {
        Auth::Sql { user: "u".into(), secret: SecretRef::Command(command.into()) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_fetched_again_before_it_ends_and_a_password_is_not() {
        let (runs, mut secrets) = counting(false);
        let token = secrets.cell(&Auth::Entra { token: SecretRef::Command("az".into()) });
        let plain = secrets.cell(&password("az"));
        for cell in [&token, &plain] {
            assert!(cell.get().await.is_ok());
        }
        assert_eq!(runs.load(SeqCst), 2, "a token and a password are two things");
        tokio::time::advance(Duration::from_mins(44)).await;
        assert_eq!(token.get().await.ok().map(|s| s.reveal().to_owned()).as_deref(), Some("secret 1"));
        tokio::time::advance(Duration::from_mins(2)).await;
        assert_eq!(token.get().await.ok().map(|s| s.reveal().to_owned()).as_deref(), Some("secret 3"));
        assert_eq!(plain.get().await.ok().map(|s| s.reveal().to_owned()).as_deref(), Some("secret 2"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_has_ended_by_our_clock_is_used_for_a_minute() {
        let runs = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&runs);
        let resolver: Resolver = Arc::new(move |_| {
            counter.fetch_add(1, SeqCst);
            // {"exp":1}
            Ok(Secret::new("e30.eyJleHAiOjF9.c2ln".to_owned()))
        });
        let cell = Secrets::new(resolver, || Timestamp::from_ms(1_790_000_000_000))
            .cell(&Auth::Entra { token: SecretRef::Command("az".into()) });
        for _ in 0..5 {
            assert!(cell.get().await.is_ok());
        }
        assert_eq!(runs.load(SeqCst), 1);
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(cell.get().await.is_ok());
        assert_eq!(runs.load(SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_ends_by_the_clock_that_is_given() {
        let runs = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&runs);
        let resolver: Resolver = Arc::new(move |_| {
            counter.fetch_add(1, SeqCst);
            // {"exp":1000600}
            Ok(Secret::new("e30.eyJleHAiOjEwMDA2MDB9.c2ln".to_owned()))
        });
        let token = Auth::Entra { token: SecretRef::Command("az".into()) };
        let cell = Secrets::new(resolver, || Timestamp::from_ms(1_000_000_000)).cell(&token);
        assert!(cell.get().await.is_ok());
        tokio::time::advance(Duration::from_secs(299)).await;
        assert!(cell.get().await.is_ok());
        assert_eq!(runs.load(SeqCst), 1, "ten minutes, less the margin");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(cell.get().await.is_ok());
        assert_eq!(runs.load(SeqCst), 2);
    }

    #[tokio::test]
    async fn a_login_by_ticket_needs_no_secret() {
        let resolver: Resolver = Arc::new(|source| match source {
            SecretRef::Stored(secret) => Ok(secret.clone()),
            _ => Err(Failure::new(FailureKind::Config, "no")),
        });
        let cell = Secrets::new(resolver, Timestamp::default).cell(&Auth::Kerberos);
        assert_eq!(cell.get().await.ok().map(|s| s.reveal().to_owned()).as_deref(), Some(""));
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_is_run_once_for_all_and_again_after_a_refusal() {
        let (runs, mut secrets) = counting(false);
        let source = password("pass show dba");
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
        let source = password("false");
        let (a, b) = (secrets.cell(&source), secrets.cell(&source));
        assert!(a.get().await.is_err() && b.get().await.is_err());
        assert_eq!(runs.load(SeqCst), 1);
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!(b.get().await.is_err());
        assert_eq!(runs.load(SeqCst), 2);
    }
}
