//! The instances on screens, between the processes of one fleet: a follower asks for those on its screen, the process that
//! polls reads the requests of others. The service calls this once a second.

use super::{
    archive::Archive,
    role::{Election, Role},
};
use crate::{
    app::{
        attach::watch_request::{self, WatchRequest},
        module::Links,
    },
    collect::Command,
    model::inventory::instance::InstanceId,
};
use std::{path::Path, sync::Arc};
use tokio::sync::watch;

/// The last requests, on both sides.
pub(super) struct Watched {
    /// what is on our screen
    on_screen: watch::Receiver<Vec<InstanceId>>,
    /// what we ask for; None: nothing
    request: Option<WatchRequest>,
    /// the request could not be written, and that was told
    refused: bool,
    /// what the screens of others ask us for
    theirs: Vec<InstanceId>,
}

impl Watched {
    /// Nothing is asked for yet.
    pub const fn new(on_screen: watch::Receiver<Vec<InstanceId>>) -> Self {
        Self { on_screen, request: None, refused: false, theirs: Vec::new() }
    }

    /// Asks for nothing any more.
    pub fn drop_request(&mut self) {
        self.request = None;
    }

    /// Once a second.
    pub fn exchange(&mut self, archive: Option<&Archive>, election: &Election, links: &Links) {
        let folder = archive.map(|archive| &*archive.location.folder);
        match folder.filter(|_| matches!(election.role(), Role::Following { .. })) {
            Some(folder) => self.ask_for_ours(folder, links),
            None => self.drop_request(),
        }
        let theirs = match folder.filter(|_| matches!(election.role(), Role::Collecting { .. })) {
            Some(folder) => asked_for(folder, links),
            None => Vec::new(),
        };
        if theirs != self.theirs {
            tracing::debug!(instances = theirs.len(), "screens that follow look at other instances");
            links.command(Command::Watched(theirs.clone()));
            self.theirs = theirs;
        }
    }

    fn ask_for_ours(&mut self, folder: &Path, links: &Links) {
        let ours = self.on_screen.borrow().clone();
        if ours.is_empty() {
            return self.drop_request();
        }
        let fleet = Arc::clone(&links.fleet.borrow());
        let uids: Vec<Arc<str>> =
            ours.iter().filter_map(|id| fleet.find(id)).map(|i| Arc::clone(&i.info.uid)).collect();
        let request = self.request.take().map_or_else(|| WatchRequest::new(folder), Ok);
        let said = request.and_then(|mut request| request.say(&uids).map(|()| request));
        let before = std::mem::replace(&mut self.refused, said.is_err());
        match said {
            Ok(request) => self.request = Some(request),
            Err(e) if !before => tracing::warn!("asking the collector for what is on the screen: {e}"),
            Err(_) => {}
        }
    }
}

/// The instances that the screens of others ask for.
fn asked_for(folder: &Path, links: &Links) -> Vec<InstanceId> {
    let uids = watch_request::all(folder);
    if uids.is_empty() {
        return Vec::new();
    }
    let fleet = links.fleet.borrow();
    let asked = fleet.instances.iter().filter(|i| uids.contains(&i.info.uid));
    asked.map(|i| i.id().clone()).collect()
}
