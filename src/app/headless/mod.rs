//! A collector without a screen: a session for systemd and for machines without a terminal. `inventory` answers
//! the inventory service in place of a screen, `monitor` writes the heartbeat that `status`, `healthcheck` and screens read,
//! [`systemd`] and `serve` tell the service manager and Prometheus. `dbtop collect` runs it.

mod inventory;
pub mod metrics;
mod monitor;
mod serve;
pub mod systemd;

use self::{
    inventory::Stand,
    monitor::{Ended, Monitor},
    systemd::Notifier,
};
use super::{
    attach::{
        claim::claim,
        heartbeat::{Heartbeat, Standing},
        run_folder::RunFolder,
    },
    configuration::Given,
    fleet,
    prompt::Prompt,
    reload::Reloader,
    selection::Selection,
    session::{Headless, Session, Start},
    signals,
};
use crate::{
    protocol::{REPLIES, Reply},
    tds::Roots,
};
use anyhow::bail;
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::{
    mpsc::{self, Receiver},
    watch,
};

/// Collects until SIGTERM or Ctrl-C. `metrics`: the address for Prometheus; overrules the configuration.
///
/// # Errors
/// No inventory, a vault that needs a question to open, a collector that runs already, an error in the
/// configuration; or the fleet's folder went away.
pub async fn run(
    selection: &Selection,
    given: &Given,
    metrics: Option<SocketAddr>,
    prompt: &mut dyn Prompt,
) -> anyhow::Result<()> {
    let (cancel, wishes) = signals::listen_for_reload(|| true);
    let reloader = Reloader::open(given, |_| None, wishes)?;
    let port = match serve::address(metrics, &reloader.config().metrics)? {
        Some(at) => Some(serve::listen(at).await?),
        None => None,
    };
    let roots = tokio::task::spawn_blocking(Roots::load);
    let notifier = Arc::new(Notifier::of_process());
    let place = RunFolder::find(selection)?;
    let (_lock, holder) = claim(&place, &cancel, prompt).await?;
    let opened = fleet::open_unattended(selection, prompt).await?;
    let (replies, answers) = mpsc::channel(REPLIES);
    let mut session = Session::start(Start {
        selection: selection.clone(),
        opened,
        recording: None,
        reloader,
        roots,
        replies,
        headless: Some(Headless { place: place.clone(), notifier: Arc::clone(&notifier) }),
    })
    .await?;
    tracing::info!(version = holder.version, fleet = place.name, "collecting");
    let mut monitor = Monitor {
        beat: Heartbeat::first(&holder, &place.title),
        place,
        notifier: Arc::clone(&notifier),
        snapshots: session.collector.snapshots.clone(),
        gauge: session.collector.gauge.clone(),
        stand: tend_inventory(selection, &mut session, answers),
        store: session.history.figures.clone(),
    };
    if let Some(port) = port {
        session.spawn(serve::answer(port, monitor.figures()));
    }
    let ended = monitor.run(&cancel).await;
    tracing::info!("ending");
    notifier.stopping();
    session.stop().await;
    if ended == Ended::Gone {
        let folder = monitor.place.folder.display();
        bail!("the folder {folder} is gone: the tenant was renamed or deleted");
    }
    monitor.stop();
    Ok(())
}

/// Follows the inventory, whatever its kind. The channel has its state.
fn tend_inventory(
    selection: &Selection,
    session: &mut Session,
    answers: Receiver<Reply>,
) -> watch::Receiver<Stand> {
    if selection.is_sealed() {
        let (stand, standing) = watch::channel((Standing::Starting, String::new()));
        session.spawn(inventory::sealed(answers, session.inventory.clone(), stand));
        return standing;
    }
    // A plain inventory is open from the start, and never anything else.
    let (_, standing) = watch::channel((Standing::Collecting, String::new()));
    if let (None, Some(file)) = (selection.demo, &selection.inventory) {
        session.spawn(inventory::plain(file.clone(), session.collector.commands.clone()));
    }
    standing
}
