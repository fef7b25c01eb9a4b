//! Carries out the effects of the screen. Runs beside the screen and touches it through replies only.

use super::history::Order;
use crate::{
    collect::Command,
    model::inventory::instance::InstanceId,
    protocol::{Effect, InventoryRequest},
};
use tokio::sync::{
    mpsc::{Receiver, Sender, error::TrySendError},
    watch,
};

/// Takes effects until the screen is gone.
pub async fn carry_out(
    mut effects: Receiver<Effect>,
    collector: Sender<Command>,
    inventory: Sender<InventoryRequest>,
    history: Sender<Order>,
    on_screen: watch::Sender<Vec<InstanceId>>,
) {
    while let Some(effect) = effects.recv().await {
        let command = match effect {
            Effect::Focus(instances) => {
                // If another process polls, the history service asks it.
                on_screen.send_replace(instances.clone());
                Command::Focus(instances)
            }
            Effect::Refresh(instances) => Command::Refresh(instances),
            Effect::History(request) => {
                if let Err(TrySendError::Full(_)) = history.try_send(Order::Ask(*request)) {
                    tracing::warn!("history is busy: a question was dropped");
                }
                continue;
            }
            Effect::Inventory(request) => {
                // It may be busy with a key for half a second; the instances on the screen must not wait for that.
                if let Err(TrySendError::Full(_)) = inventory.try_send(*request) {
                    tracing::warn!("the inventory is busy: a wish was dropped");
                }
                continue;
            }
        };
        if collector.send(command).await.is_err() {
            tracing::warn!("the collector is gone");
            return;
        }
    }
}
