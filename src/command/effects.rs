//! Carries out what the screen wishes. Runs beside the screen; never touches it but through replies.

use crate::{
    collect::Command,
    tui::effect::{Effect, Reply},
};
use tokio::sync::mpsc::{Receiver, Sender};

/// Takes wishes until the screen is gone.
pub async fn carry_out(mut wishes: Receiver<Effect>, collector: Sender<Command>, _replies: Sender<Reply>) {
    while let Some(effect) = wishes.recv().await {
        let command = match effect {
            Effect::Focus(instances) => Command::Focus(instances),
            Effect::Refresh(instances) => Command::Refresh(instances),
        };
        if collector.send(command).await.is_err() {
            tracing::warn!("the collector is gone");
            return;
        }
    }
}
