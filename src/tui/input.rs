//! The user's keys and mouse, read on a thread of its own and handed to the loop of the screen.
//!
//! On a terminal that is gone crossterm 0.29 reads again and again within one call and never comes back (its issue
//! 793). If the loop called it, neither a signal nor an error of drawing could end the program any more, and its
//! temporary files would stay. On this thread it does no harm: the loop ends, and the thread with the program.

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use std::{io, thread};
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, Receiver, Sender},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Events that wait for the loop: more than a person types between two frames. When it is full, the thread waits, and
/// what is typed or pasted meanwhile waits in the terminal.
const EVENTS: usize = 256;

/// Keys, pasted text, the mouse and new sizes, in the order in which they came. No more is read once it is dropped.
pub struct Input {
    events: Receiver<io::Result<Event>>,
    _reading: DropGuard,
}

impl Input {
    /// Reads from now on. To be called within the async runtime.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start() -> io::Result<Self> {
        let (send, events) = mpsc::channel(EVENTS);
        let stop = CancellationToken::new();
        let reading = stop.clone().drop_guard();
        let runtime = Handle::current();
        let read = async move { stop.run_until_cancelled(read(send)).await };
        thread::Builder::new().name("input".to_owned()).spawn(move || runtime.block_on(read))?;
        Ok(Self { events, _reading: reading })
    }

    /// Reads no more, and returns when that is so: another program has the keys from then on.
    pub async fn stop(self) {
        let Self { mut events, _reading: reading } = self;
        drop(reading);
        while events.recv().await.is_some() {}
    }

    /// The next event; None if there will be no more.
    pub async fn next(&mut self) -> Option<io::Result<Event>> {
        self.events.recv().await
    }
}

async fn read(send: Sender<io::Result<Event>>) {
    let mut events = EventStream::new();
    while let Some(event) = events.next().await {
        if send.send(event).await.is_err() {
            return;
        }
    }
}
