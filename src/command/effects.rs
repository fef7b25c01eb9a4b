//! Carries out what the screen wishes. Runs beside the screen; never touches it but through replies.

use super::historian::Order;
use crate::{
    collect::Command,
    model::inventory::instance::InstanceId,
    tui::effect::{Effect, Request},
};
use tokio::sync::{
    mpsc::{Receiver, Sender, error::TrySendError},
    watch,
};

/// Takes wishes until the screen is gone.
pub async fn carry_out(
    mut wishes: Receiver<Effect>,
    collector: Sender<Command>,
    keeper: Sender<Request>,
    historian: Sender<Order>,
    looked_at: watch::Sender<Vec<InstanceId>>,
) {
    while let Some(effect) = wishes.recv().await {
        let command = match effect {
            Effect::Focus(instances) => {
                // If another process polls, the historian asks it.
                looked_at.send_replace(instances.clone());
                Command::Focus(instances)
            }
            Effect::Refresh(instances) => Command::Refresh(instances),
            Effect::Ask(request) if request.is_history() => {
                if let Err(TrySendError::Full(_)) = historian.try_send(Order::Ask(*request)) {
                    tracing::warn!("history is busy: a question was dropped");
                }
                continue;
            }
            Effect::Ask(request) => {
                // The keeper may be busy with a key for half a second: what is looked at must not wait for that.
                if let Err(TrySendError::Full(_)) = keeper.try_send(*request) {
                    tracing::warn!("the keeper of the inventory is busy: a wish was dropped");
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
