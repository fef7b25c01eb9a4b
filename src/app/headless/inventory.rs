//! The screen's part for the inventory, without a screen: hears the inventory service, answers that nobody is
//! there to be asked, and tries again to open what did not open. A plain file is read again when it changed.

use crate::{
    app::{
        attach::heartbeat::Standing,
        inventory::slots::old_key,
        reload::{Look, look},
        sockets::allow_sockets,
    },
    collect::Command,
    config::inventory,
    model::judge::health::Level,
    protocol::{InventoryRequest, List, ListId, Reply, VaultList, VaultState},
};
use std::{path::PathBuf, time::Duration};
use tokio::{
    sync::{
        mpsc::{Receiver, Sender},
        watch,
    },
    time::{MissedTickBehavior, interval},
};

/// How often an inventory that did not open is tried again.
const AGAIN_EVERY: Duration = Duration::from_secs(10);
/// How often a plain file is checked for changes. It is read once it looks the same twice.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often the age of the data key is asked for, besides each time when the inventory opens: a collector may run for years.
const KEY_EVERY: Duration = Duration::from_hours(1);

/// The state of the collector, and why it waits or what else there is to say.
pub type Stand = (Standing, String);

/// Hears the service of a sealed inventory until it ends.
pub async fn sealed(
    mut replies: Receiver<Reply>,
    requests: Sender<InventoryRequest>,
    stand: watch::Sender<Stand>,
) {
    let mut again = interval(AGAIN_EVERY);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut key = interval(KEY_EVERY);
    key.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            reply = replies.recv() => match reply {
                Some(Reply::Password { .. }) => {
                    tracing::warn!(
                        "some instances have a password that is to be asked for, and nobody is here to be asked: \
                         they stay down"
                    );
                    // Full: it asks again with the next reload.
                    let _ = requests.try_send(InventoryRequest::Password(None));
                }
                Some(Reply::Vault { state, .. }) => {
                    let opens = state == VaultState::Open;
                    take(state, &stand);
                    if opens {
                        let _ = requests.try_send(InventoryRequest::List(ListId::Vault));
                    }
                }
                Some(Reply::List(List::Vault(list))) => aged(&list, &stand),
                Some(reply) => say(reply),
                None => return,
            },
            _ = again.tick() => {
                if stand.borrow().0 == Standing::Waiting {
                    let _ = requests.try_send(InventoryRequest::Unlock(None));
                }
            }
            _ = key.tick() => {
                if stand.borrow().0 == Standing::Collecting {
                    let _ = requests.try_send(InventoryRequest::List(ListId::Vault));
                }
            }
        }
    }
}

fn take(state: VaultState, stand: &watch::Sender<Stand>) {
    let now = match state {
        VaultState::Open | VaultState::Plain => (Standing::Collecting, String::new()),
        VaultState::Opening => return,
        VaultState::Absent => (Standing::Waiting, "the tenant is gone".to_owned()),
        VaultState::Choose => (Standing::Waiting, "there are several tenants".to_owned()),
        VaultState::Locked { why, .. } => {
            let why = why.unwrap_or_else(|| "the vault opens with a passphrase only".to_owned());
            (Standing::Waiting, why)
        }
    };
    let changed = stand.send_if_modified(|stand| {
        let changed = *stand != now;
        stand.clone_from(&now);
        changed
    });
    if changed && now.0 == Standing::Waiting {
        tracing::warn!("{}", now.1);
    } else if changed {
        tracing::info!("the inventory is open");
    }
}

/// Says that the data key is too old, until there is a new one.
fn aged(list: &VaultList, stand: &watch::Sender<Stand>) {
    let words = list.key_age_ms.and_then(old_key).unwrap_or_default();
    let changed = stand.send_if_modified(|stand| {
        let changed = stand.0 == Standing::Collecting && stand.1 != words;
        if changed {
            stand.1.clone_from(&words);
        }
        changed
    });
    if changed && !words.is_empty() {
        tracing::warn!("{words}");
    }
}

/// Logs a message that a screen would show for some seconds.
fn say(reply: Reply) {
    match reply {
        Reply::Message { level: Level::Ok, text } => tracing::info!("{text}"),
        Reply::Message { text, .. } => tracing::warn!("{text}"),
        // They name instances, which the log of a sealed inventory does not.
        Reply::Notes(notes) => tracing::warn!(
            records = notes.len(),
            "records are damaged or cannot be reached by this version: see `dbtop instance list`"
        ),
        _ => {}
    }
}

/// Takes over every change of a plain inventory. A file with an error changes nothing.
pub async fn plain(file: PathBuf, collector: Sender<Command>) {
    let seen = |file: PathBuf| async move {
        // The file may be on a slow network drive.
        tokio::task::spawn_blocking(move || look(&file)).await.ok().flatten()
    };
    let mut read: Option<Look> = seen(file.clone()).await;
    let mut before = read.clone();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = seen(file.clone()).await;
        // Gone: more likely being replaced than deleted for good.
        if now.is_some() && now == before && now != read {
            read.clone_from(&now);
            let path = file.clone();
            match tokio::task::spawn_blocking(move || inventory::load(&path)).await {
                Ok(Ok(targets)) => {
                    tracing::info!(instances = targets.len(), "the inventory was changed: reloaded");
                    allow_sockets(targets.len() * 2);
                    if collector.send(Command::Inventory(targets)).await.is_err() {
                        return;
                    }
                }
                Ok(Err(error)) => tracing::warn!(%error, "the inventory was changed and stays as it was"),
                Err(error) => tracing::error!(%error, "reading the inventory"),
            }
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn an_old_data_key_is_told_until_it_is_rotated() {
        let (replies, heard) = mpsc::channel(4);
        let (requests, mut asked) = mpsc::channel(4);
        let (stand, standing) = watch::channel((Standing::Starting, String::new()));
        let tending = tokio::spawn(sealed(heard, requests, stand));
        let aged = |days: u64| {
            let key_age_ms = Some(days * 86_400_000);
            Reply::List(List::Vault(VaultList { slots: Vec::new(), generation: 1, key_age_ms }))
        };
        // The key was made so many days ago; a rotation opens the inventory again.
        for (days, told) in [(400, true), (0, false)] {
            replies.send(Reply::Vault { state: VaultState::Open, tenant: "acme".into() }).await.unwrap();
            assert!(matches!(asked.recv().await, Some(InventoryRequest::List(ListId::Vault))));
            replies.send(aged(days)).await.unwrap();
            let is_told = |stand: &Stand| stand.1.contains("400 days old");
            let mut seen = standing.clone();
            let seen = seen.wait_for(|stand| stand.0 == Standing::Collecting && is_told(stand) == told);
            tokio::time::timeout(Duration::from_secs(5), seen).await.expect("in time").unwrap();
        }
        drop(replies);
        tending.await.unwrap();
    }
}
