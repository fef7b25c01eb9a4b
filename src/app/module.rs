//! Modules: the parts that run beside the collector for as long as a session; their connections, and how they are awaited.
//! Modules are started in [`super::session`].

use crate::{
    collect::Command,
    config::Config,
    model::{
        fold::{snapshot::FleetSnapshot, update::Update},
        inventory::instance::InstanceInfo,
    },
    protocol::Reply,
};
use std::{pin::Pin, sync::Arc};
use tokio::sync::{
    mpsc::{Sender, WeakSender},
    watch,
};

/// The connections of every module. Cheap to clone.
#[derive(Clone)]
pub struct Links {
    /// the collector hears this
    pub collector: Sender<Command>,
    /// the fold takes these
    pub feed: WeakSender<Update>,
    /// the fleet as it is now; closed once the collector has ended
    pub fleet: watch::Receiver<Arc<FleetSnapshot>>,
    /// the configuration in force
    pub config: watch::Receiver<Arc<Config>>,
    /// the screen; None: there is none, and this process has taken the collector's lock by itself
    pub screen: Option<Sender<Reply>>,
}

impl Links {
    /// Sends the screen a reply, from a thread. Waits while the channel is full.
    pub fn say(&self, reply: Reply) {
        if let Some(screen) = &self.screen {
            // Nobody listens: the screen is gone, and this ends soon.
            let _ = screen.blocking_send(reply);
        }
    }

    /// The instances of the inventory.
    pub fn instances(&self) -> Vec<Arc<InstanceInfo>> {
        let fleet = Arc::clone(&self.fleet.borrow());
        fleet.instances.iter().map(|i| Arc::clone(&i.info)).collect()
    }

    /// Sends the collector a command, from a thread.
    pub fn command(&self, command: Command) {
        // The collector is gone only when the program ends.
        let _ = self.collector.blocking_send(command);
    }
}

/// A running part of the program. Its settings come by [`Links::config`]. It ends by itself, once the collector has ended and
/// nobody can ask it anything any more.
pub struct Module {
    /// in the log
    pub name: &'static str,
    /// done when it has ended
    pub ended: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Module {
    /// A module that has ended when `ended` is done. The future is polled only at the end of the session.
    pub fn new(name: &'static str, ended: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { name, ended: Box::pin(ended) }
    }
}
