//! Signals that end the program in good order: Ctrl-C, SIGTERM, and SIGHUP when the terminal or the SSH line is gone.
//! Whoever makes temporary files or takes the terminal listens first, so that nothing stays behind.

use tokio_util::sync::CancellationToken;

/// Listens from now on, for the rest of the program's life: the token is cancelled by the first signal.
pub fn listen() -> CancellationToken {
    let ended = CancellationToken::new();
    tokio::spawn(told(ended.clone()));
    ended
}

#[cfg(unix)]
fn told(ended: CancellationToken) -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    // Registered here and not in the task: a signal that comes before the task's first turn must not kill us.
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    async move {
        std::future::poll_fn(|cx| {
            let came = signals.iter_mut().any(|s| s.poll_recv(cx).is_ready());
            if came { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        ended.cancel();
    }
}

#[cfg(not(unix))]
fn told(ended: CancellationToken) -> impl Future<Output = ()> {
    async move {
        // Without a handler Ctrl-C ends the program as the system does it.
        if tokio::signal::ctrl_c().await.is_ok() {
            ended.cancel();
        }
    }
}
