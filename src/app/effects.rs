//! Carries out the effects of the screen: hands each to the collector or a service. Runs beside the screen, started by the session,
//! and touches the screen through replies only. It waits for no service that is busy, but for the lock of the vault: that is owed
//! until it is taken.

use super::history::HistoryCommand;
use crate::{
    collect::Command,
    model::{
        base::failure::{Failure, FailureKind},
        inventory::instance::InstanceId,
        judge::health::Level,
    },
    protocol::{DemandRequest, DemandWord, Effect, HistoryRequest, InventoryRequest, Reply},
};
use tokio::sync::{
    mpsc::{Receiver, Sender, error::TrySendError},
    watch,
};

/// Who takes effects.
pub struct Services {
    /// the collector
    pub collector: Sender<Command>,
    /// the inventory service
    pub inventory: Sender<InventoryRequest>,
    /// the history service
    pub history: Sender<HistoryCommand>,
    /// questions to one server
    pub demands: Sender<DemandRequest>,
    /// the instances on the screen
    pub on_screen: watch::Sender<Vec<InstanceId>>,
    /// hears of effects that were dropped
    pub screen: Option<Sender<Reply>>,
}

/// Takes effects until the screen is gone.
pub async fn carry_out(mut effects: Receiver<Effect>, to: Services) {
    let mut owes_lock = false;
    loop {
        let effect = tokio::select! {
            biased;
            place = to.inventory.reserve(), if owes_lock => {
                // The service is gone only when the program ends.
                if let Ok(place) = place {
                    place.send(InventoryRequest::Lock);
                }
                owes_lock = false;
                continue;
            }
            effect = effects.recv() => effect,
        };
        let Some(effect) = effect else { return };
        let command = match effect {
            Effect::Focus(instances) => {
                // If another process polls, the history service asks it.
                to.on_screen.send_replace(instances.clone());
                Command::Focus(instances)
            }
            Effect::Refresh(instances) => Command::Refresh(instances),
            Effect::History(request) => {
                to.ask_history(*request);
                continue;
            }
            Effect::Demand(request) => {
                to.ask_server(request);
                continue;
            }
            Effect::Inventory(request) => {
                owes_lock = to.ask_inventory(*request, owes_lock);
                continue;
            }
        };
        if to.collector.send(command).await.is_err() {
            tracing::warn!("the collector is gone");
            return;
        }
    }
}

impl Services {
    fn ask_history(&self, request: HistoryRequest) {
        let ticket = request.ticket();
        if let Err(TrySendError::Full(_)) = self.history.try_send(HistoryCommand::Ask(request)) {
            tracing::warn!("history is busy: an effect was dropped");
            self.say(Reply::NoHistory { ticket, why: "history is busy: try again".to_owned() });
        }
    }

    /// The screen knows by then that something is open; a full channel refuses the question in its own words.
    fn ask_server(&self, request: DemandRequest) {
        if let Err(TrySendError::Full(DemandRequest::Ask { ticket, .. })) = self.demands.try_send(request) {
            let text = "too many questions to servers are open: try again";
            let found = Err(Failure::new(FailureKind::Config, text));
            self.say(Reply::Demanded { ticket, word: DemandWord::Done { found, cost_ms: None } });
        }
    }

    /// The service may be busy with a key for half a second; the instances on the screen must not wait for that. True: a lock of the
    /// vault waits for room, and nothing overtakes it.
    fn ask_inventory(&self, request: InventoryRequest, owes_lock: bool) -> bool {
        let is_lock = matches!(request, InventoryRequest::Lock);
        let is_full = owes_lock || matches!(self.inventory.try_send(request), Err(TrySendError::Full(_)));
        if is_full && !is_lock {
            tracing::warn!("the inventory is busy: an effect was dropped");
            let text = "the inventory is busy: that was not taken, try again".to_owned();
            self.say(Reply::Message { level: Level::Warning, text });
        }
        owes_lock || (is_full && is_lock)
    }

    fn say(&self, reply: Reply) {
        if let Some(screen) = &self.screen {
            // Full: the screen has enough to say.
            let _ = screen.try_send(reply);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn a_busy_inventory_drops_what_is_asked_with_a_word_and_never_the_lock() {
        let (collector, _commands) = mpsc::channel(4);
        let (inventory, mut asked) = mpsc::channel(1);
        let (history, _questions) = mpsc::channel(1);
        let (replies, mut screen) = mpsc::channel(8);
        let on_screen = watch::Sender::new(Vec::new());
        let (demands, _) = mpsc::channel(1);
        let to = Services { collector, inventory, history, demands, on_screen, screen: Some(replies) };
        let (effects, taken) = mpsc::channel(8);
        let task = tokio::spawn(carry_out(taken, to));
        // There is room for one, and the service is busy.
        let wanted = [
            InventoryRequest::Backup(None),
            InventoryRequest::Lock,
            InventoryRequest::Unlock(None),
            InventoryRequest::Lock,
        ];
        for request in wanted {
            effects.send(request.into()).await.unwrap();
        }
        effects.send(Effect::Focus(Vec::new())).await.unwrap();
        let Some(Reply::Message { text, .. }) = screen.recv().await else { panic!("nothing is told") };
        assert!(text.contains("busy"), "{text}");
        // What is on the screen does not wait.
        while effects.capacity() < effects.max_capacity() {
            tokio::task::yield_now().await;
        }
        assert!(matches!(asked.recv().await, Some(InventoryRequest::Backup(None))));
        assert!(matches!(asked.recv().await, Some(InventoryRequest::Lock)));
        effects.send(InventoryRequest::Settings.into()).await.unwrap();
        assert!(matches!(asked.recv().await, Some(InventoryRequest::Settings)));
        drop(effects);
        task.await.unwrap();
        assert!(asked.recv().await.is_none());
        assert!(screen.recv().await.is_none(), "one was dropped");
    }
}
