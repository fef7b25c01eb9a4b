//! Signals. Ctrl-C and SIGTERM end the program in good order. SIGHUP has two meanings: the terminal or the SSH line is
//! gone, which ends the program as well, or the configuration shall be read again.
//!
//! Code that makes temporary files or takes the terminal listens first, so that nothing stays behind.

use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(unix)]
use std::task::{Context, Poll, Waker};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Listens from now on, for the rest of the program's life: the token is cancelled by the first signal.
pub fn listen() -> CancellationToken {
    listen_for_reload(|| false).0
}

/// As [`listen`], but a SIGHUP asks for a reload as long as `lives` returns true. The channel holds one request; another one that
/// comes meanwhile would ask for the same.
pub fn listen_for_reload(lives: fn() -> bool) -> (CancellationToken, mpsc::Receiver<()>) {
    HEARD.store(true, Ordering::Relaxed);
    let ended = CancellationToken::new();
    let (reload, wanted) = mpsc::channel(1);
    tokio::spawn(told(ended.clone(), reload, lives));
    (ended, wanted)
}

/// True once somebody listens for the end of the program.
static HEARD: AtomicBool = AtomicBool::new(false);

/// The signals that break a question off, so that the terminal can be put back before anything ends. Once registered, a
/// signal never again does by itself what the system would do: when the question is over and nobody else listens, this
/// ends the program in its place.
#[cfg(unix)]
pub struct Breaks(Vec<(Signal, i32)>);

#[cfg(unix)]
impl Breaks {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system has no place for another handler.
    pub fn listen() -> std::io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let listen = |kind: SignalKind| Ok((signal(kind)?, 128 + kind.as_raw_value()));
        kinds.into_iter().map(listen).collect::<std::io::Result<_>>().map(Self)
    }

    /// True if one came.
    pub fn came(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.0.iter_mut().any(|(signal, _)| signal.poll_recv(&mut cx).is_ready())
    }
}

#[cfg(unix)]
impl Drop for Breaks {
    #[expect(
        clippy::disallowed_methods,
        reason = "the end that the system would have made by the signal; commands at work wait for nobody"
    )]
    fn drop(&mut self) {
        let mut signals = std::mem::take(&mut self.0);
        if HEARD.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let code = std::future::poll_fn(|cx| {
                    let came =
                        signals.iter_mut().find_map(|(s, code)| s.poll_recv(cx).is_ready().then_some(*code));
                    came.map_or(Poll::Pending, Poll::Ready)
                });
                // The code by which a shell tells a death by signal.
                std::process::exit(code.await);
            });
        }
    }
}

/// True while somebody is at the terminal that standard output goes to. A line that was cut answers with an error.
#[cfg(unix)]
pub fn terminal_is_there() -> bool {
    rustix::termios::tcgetattr(std::io::stdout()).is_ok()
}

/// Elsewhere no signal says that it is gone.
#[cfg(not(unix))]
pub fn terminal_is_there() -> bool {
    true
}

#[cfg(unix)]
fn told(ended: CancellationToken, reload: mpsc::Sender<()>, lives: fn() -> bool) -> impl Future<Output = ()> {
    // Registered here and not in the task: a signal that comes before the task's first turn must not kill us.
    let mut ends: Vec<_> = [SignalKind::interrupt(), SignalKind::terminate()]
        .into_iter()
        .filter_map(|k| signal(k).ok())
        .collect();
    let mut hangup: Vec<_> = signal(SignalKind::hangup()).into_iter().collect();
    async move {
        loop {
            let is_hangup = std::future::poll_fn(|cx| {
                if ends.iter_mut().any(|s| s.poll_recv(cx).is_ready()) {
                    Poll::Ready(false)
                } else if hangup.iter_mut().any(|s| s.poll_recv(cx).is_ready()) {
                    Poll::Ready(true)
                } else {
                    Poll::Pending
                }
            });
            if !(is_hangup.await && lives()) {
                break;
            }
            // Full: one reload is coming anyway. Closed: nobody reloads.
            let _ = reload.try_send(());
        }
        ended.cancel();
    }
}

#[cfg(not(unix))]
fn told(ended: CancellationToken, _: mpsc::Sender<()>, _: fn() -> bool) -> impl Future<Output = ()> {
    async move {
        // Without a handler Ctrl-C ends the program as the system does it.
        if tokio::signal::ctrl_c().await.is_ok() {
            ended.cancel();
        }
    }
}
