//! The figures of the store for the screen: sent every second, whoever writes it. Its growth is counted only when asked
//! for, on a thread beside the service: a large file takes seconds.

use super::{archive::Archive, role::Election};
use crate::{
    app::{attach::heartbeat::StoreFigures, module::Links},
    model::base::time::Timestamp,
    protocol::{Reply, StoreNow},
    store::history::Reader,
};
use std::thread::JoinHandle;

/// Sends the figures. Once a second.
pub(super) fn tell(election: &mut Election, links: &Links) {
    let figures = election.figures();
    links.say(Reply::Stored(figures.as_ref().map(now)));
}

/// Counts how fast the store grows; one count at a time.
#[derive(Default)]
pub(super) struct Growth {
    counting: Option<JoinHandle<()>>,
}

impl Growth {
    /// Begins to count. The thread sends the answer itself.
    pub fn tell(&mut self, archive: &Archive, links: &Links) {
        let Some(screen) = links.screen.clone() else { return };
        if self.counting.as_ref().is_some_and(|counting| !counting.is_finished()) {
            return;
        }
        let (file, sealer) = (archive.location.file.clone(), archive.location.sealer.clone());
        // A thread that ends with the program: quitting does not wait for it.
        let counting = std::thread::Builder::new().name("growth".into()).spawn(move || {
            match Reader::open(&file, sealer).and_then(|reader| reader.stats().growth_a_day()) {
                // The screen is gone: nobody wants to know.
                Ok(bytes) => drop(screen.blocking_send(Reply::Growth(bytes))),
                Err(e) => tracing::debug!("counting how the history grows: {e}"),
            }
        });
        self.counting = counting.ok();
    }
}

fn now(figures: &StoreFigures) -> StoreNow {
    StoreNow {
        rows_per_s: figures.rows_per_s,
        points_per_s: figures.points_per_s,
        committed_at: (figures.committed_ms > 0).then(|| Timestamp::from_ms(figures.committed_ms)),
        backlog: figures.backlog,
        lost: figures.samples_lost,
        size_bytes: figures.size_bytes,
        max_bytes: figures.max_bytes,
    }
}
