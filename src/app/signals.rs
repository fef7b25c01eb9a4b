//! Signals. Ctrl-C, SIGTERM and all others that would end the program end it in good order; SIGXFSZ does not. SIGHUP has two
//! meanings: the terminal or the SSH line is gone, which ends the program as well, or the configuration shall be read again.
//! SIGTSTP and SIGCONT come from the shell's job control: whoever holds the terminal gives it back before the program stops,
//! and takes it again after that.
//!
//! Code that makes temporary files or takes the terminal listens first, so that nothing stays behind.

use crate::protocol::Job;
#[cfg(unix)]
use rustix::process::Signal as UnixSignal;
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

/// The signals that would end a program which does not know them, and that tell nothing of an error within it: what people and
/// services send, timers, the limit of CPU time, power that fails.
#[cfg(all(unix, not(target_os = "linux")))]
const ENDS: [UnixSignal; 9] = ENDS_EVERYWHERE;

/// See above; Linux has some of its own.
#[cfg(target_os = "linux")]
const ENDS: [UnixSignal; 12] = {
    let [a, b, c, d, e, f, g, h, i] = ENDS_EVERYWHERE;
    [a, b, c, d, e, f, g, h, i, UnixSignal::IO, UnixSignal::POWER, UnixSignal::STKFLT]
};

#[cfg(unix)]
const ENDS_EVERYWHERE: [UnixSignal; 9] = [
    UnixSignal::INT,
    UnixSignal::TERM,
    UnixSignal::QUIT,
    UnixSignal::USR1,
    UnixSignal::USR2,
    UnixSignal::ALARM,
    UnixSignal::VTALARM,
    UnixSignal::PROF,
    UnixSignal::XCPU,
];

#[cfg(unix)]
const fn kind(signal: UnixSignal) -> SignalKind {
    SignalKind::from_raw(signal.as_raw())
}

/// From now on a write beyond the file size limit of the process fails as any other does, with a cause that is told, and no signal
/// ends the program by it. To be called within the runtime.
#[cfg(unix)]
pub fn survive_file_size_limit() {
    // It stays registered for good, whoever listens.
    let _ = signal(kind(UnixSignal::XFSZ));
}

/// There is no such limit.
#[cfg(not(unix))]
pub const fn survive_file_size_limit() {}

/// Stops this process, as the system would have done by SIGTSTP. The other threads may run on for a moment: what shall wait for the
/// end of the stop waits for SIGCONT.
#[cfg(unix)]
pub fn stop() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), UnixSignal::STOP);
}

/// Nothing stops a program there.
#[cfg(not(unix))]
pub fn stop() {}

/// What job control asks for, from now on. Signals of one kind that come while the channel is full count as one.
#[cfg(unix)]
pub fn listen_for_jobs() -> mpsc::Receiver<Job> {
    JOBS.store(true, Ordering::Relaxed);
    let (send, jobs) = mpsc::channel(JOBS_WAITING);
    let Ok(mut signals) = JobSignals::listen() else { return jobs };
    tokio::spawn(async move {
        // Closed: the screen is over and the terminal given back. What is asked for now, the system would have done.
        while send.send(std::future::poll_fn(|cx| signals.poll(cx)).await).await.is_ok() {}
        loop {
            if std::future::poll_fn(|cx| signals.poll(cx)).await == Job::Stop {
                stop();
            }
        }
    });
    jobs
}

/// None ever comes.
#[cfg(not(unix))]
pub fn listen_for_jobs() -> mpsc::Receiver<Job> {
    mpsc::channel(JOBS_WAITING).1
}

/// A stop and what continues it.
const JOBS_WAITING: usize = 2;

/// True once somebody listens to job control.
static JOBS: AtomicBool = AtomicBool::new(false);

/// SIGTSTP and SIGCONT.
#[cfg(unix)]
struct JobSignals {
    stop: Signal,
    go_on: Signal,
}

#[cfg(unix)]
impl JobSignals {
    fn listen() -> std::io::Result<Self> {
        let (stop, go_on) = (kind(UnixSignal::TSTP), kind(UnixSignal::CONT));
        Ok(Self { stop: signal(stop)?, go_on: signal(go_on)? })
    }

    /// The last thing asked for. Of a stop and what continues it only the latter is told: after a stop nothing would come.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Job> {
        let (stops, goes_on) = (self.stop.poll_recv(cx).is_ready(), self.go_on.poll_recv(cx).is_ready());
        match (stops, goes_on) {
            (_, true) => Poll::Ready(Job::Continue),
            (true, false) => Poll::Ready(Job::Stop),
            (false, false) => Poll::Pending,
        }
    }
}

/// What breaks a question off or in.
#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// the program shall end
    End,
    /// the program shall stop, or was continued
    Job(Job),
}

/// The signals that break a question off or in, so that the terminal can be put back before anything ends or stops. Once
/// registered, a signal never again does by itself what the system would do: when the question is over and nobody else listens, this
/// does it in the system's place.
#[cfg(unix)]
pub struct Breaks {
    ends: Vec<(Signal, i32)>,
    jobs: Option<JobSignals>,
}

#[cfg(unix)]
impl Breaks {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system has no place for another handler.
    pub fn listen() -> std::io::Result<Self> {
        let kinds = ENDS.map(kind).into_iter().chain([SignalKind::hangup()]);
        let listen = |kind: SignalKind| Ok((signal(kind)?, 128 + kind.as_raw_value()));
        let ends = kinds.map(listen).collect::<std::io::Result<_>>()?;
        Ok(Self { ends, jobs: Some(JobSignals::listen()?) })
    }

    /// What came since the last call, the gravest first.
    pub fn came(&mut self) -> Option<Break> {
        // A task that waits without giving way has soon used up its budget of polls, and would hear of no signal any more.
        let look = tokio::task::unconstrained(std::future::poll_fn(|cx| Poll::Ready(self.look(cx))));
        match std::pin::pin!(look).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(came) => came,
            Poll::Pending => None,
        }
    }

    fn look(&mut self, cx: &mut Context<'_>) -> Option<Break> {
        if self.ends.iter_mut().any(|(signal, _)| signal.poll_recv(cx).is_ready()) {
            return Some(Break::End);
        }
        match self.jobs.as_mut()?.poll(cx) {
            Poll::Ready(job) => Some(Break::Job(job)),
            Poll::Pending => None,
        }
    }
}

#[cfg(unix)]
impl Drop for Breaks {
    #[expect(
        clippy::disallowed_methods,
        reason = "the end that the system would have made by the signal; commands at work wait for nobody"
    )]
    fn drop(&mut self) {
        let mut ends = std::mem::take(&mut self.ends);
        if HEARD.swap(true, Ordering::Relaxed) {
            ends.clear();
        }
        let mut jobs = self.jobs.take().filter(|_| !JOBS.swap(true, Ordering::Relaxed));
        if ends.is_empty() && jobs.is_none() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(std::future::poll_fn(move |cx| {
                if let Some(code) =
                    ends.iter_mut().find_map(|(s, code)| s.poll_recv(cx).is_ready().then_some(*code))
                {
                    // The code by which a shell tells a death by signal.
                    std::process::exit(code);
                }
                while let Some(Poll::Ready(job)) = jobs.as_mut().map(|jobs| jobs.poll(cx)) {
                    if job == Job::Stop {
                        stop();
                    }
                }
                Poll::<()>::Pending
            }));
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
    let mut ends: Vec<_> = ENDS.into_iter().filter_map(|end| signal(kind(end)).ok()).collect();
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
