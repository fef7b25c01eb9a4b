//! From the collector to the present writer: the writer changes with the tenant, the collector's channel does not. Started
//! by the history service.

use crate::{collect::Recorder, model::timeline::kept::Kept};
use tokio::sync::{mpsc::Receiver, watch};

/// Passes batches on until the collector is gone. A full queue of the writer slows the collector; without a writer nothing is
/// kept.
pub(super) async fn run(mut recorded: Receiver<Vec<Kept>>, to: watch::Receiver<Option<Recorder>>) {
    while let Some(batch) = recorded.recv().await {
        let writer = to.borrow().clone();
        if let Some(writer) = writer {
            // A writer that ended reports it itself.
            let _ = writer.send(batch).await;
        }
    }
}
