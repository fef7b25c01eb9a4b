//! Who is looked at, between the processes of one fleet: the one that follows asks for what is on its screen, the one that
//! polls hears what others ask for. Part of the historian, which comes by once a second.

use super::{Role, Work};
use crate::{
    collect::Command,
    command::collect::focus::{self, Wish},
    model::inventory::instance::InstanceId,
};
use std::sync::Arc;
use tokio::sync::watch;

/// What was asked for last, on both sides.
pub(super) struct Watched {
    /// what is on our screen
    looks: watch::Receiver<Vec<InstanceId>>,
    /// what we ask for; None: nothing
    wish: Option<Wish>,
    /// it could not be asked for, and that was said
    refused: bool,
    /// what the screens of others ask us for
    theirs: Vec<InstanceId>,
}

impl Watched {
    pub fn new(looks: watch::Receiver<Vec<InstanceId>>) -> Self {
        Self { looks, wish: None, refused: false, theirs: Vec::new() }
    }

    /// Asks for nothing any more.
    pub fn drop_wish(&mut self) {
        self.wish = None;
    }
}

impl Work {
    /// Once a second.
    pub(super) fn exchange_looks(&mut self) {
        let follows = matches!(self.role, Role::Following { .. });
        let ours = if follows { self.watched.looks.borrow().clone() } else { Vec::new() };
        self.ask_for(&ours);
        let theirs = if matches!(self.role, Role::Collecting { .. }) { self.asked_for() } else { Vec::new() };
        if theirs != self.watched.theirs {
            tracing::debug!(instances = theirs.len(), "screens that follow look at other instances");
            self.command(Command::Watched(theirs.clone()));
            self.watched.theirs = theirs;
        }
    }

    fn ask_for(&mut self, ours: &[InstanceId]) {
        let Some(fleet) = self.fleet.as_ref().filter(|_| !ours.is_empty()) else {
            return self.watched.drop_wish();
        };
        let snapshot = Arc::clone(&self.ties.snapshots.borrow());
        let uids: Vec<Arc<str>> =
            ours.iter().filter_map(|id| snapshot.find(id)).map(|i| Arc::clone(&i.info.uid)).collect();
        let wish = self.watched.wish.take().map_or_else(|| Wish::new(&fleet.folder), Ok);
        let said = wish.and_then(|mut wish| wish.say(&uids).map(|()| wish));
        let before = std::mem::replace(&mut self.watched.refused, said.is_err());
        match said {
            Ok(wish) => self.watched.wish = Some(wish),
            Err(e) if !before => tracing::warn!("asking the collector for what is on the screen: {e}"),
            Err(_) => {}
        }
    }

    fn asked_for(&self) -> Vec<InstanceId> {
        let Some(fleet) = &self.fleet else { return Vec::new() };
        let uids = focus::wished(&fleet.folder);
        if uids.is_empty() {
            return Vec::new();
        }
        let snapshot = self.ties.snapshots.borrow();
        let asked = snapshot.instances.iter().filter(|i| uids.contains(&i.info.uid));
        asked.map(|i| i.id().clone()).collect()
    }
}
