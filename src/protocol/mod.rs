//! The messages between the screen and the rest of the program: [`Effect`]s leave the screen, [`Reply`]s come back. Plain data
//! on [`crate::model`]. The screen sends and hears them, `app` carries them out; a collector without a screen hears the replies
//! of its own inventory service.
//!
//! Polling is asked for directly ([`Effect::Focus`], [`Effect::Refresh`]). An [`InventoryRequest`] goes to the inventory
//! service, which alone has the keys: the screen holds no record but the one in the open form, and of its passwords only what
//! was just typed. A [`HistoryRequest`] goes to the history service. A [`DemandRequest`]
//! goes to one server. Most of them have a ticket that comes back with the answer;
//! an answer to a question that is not open any more is dropped.

mod demand;
mod history;
mod inventory;
mod lists;
mod reply;
mod settings;
mod vault;

pub use demand::{DemandRequest, DemandWord, Shown, ShownPlan};
pub use history::{Answer, HistoryRequest, Query, StoreNow};
pub use inventory::{FormData, InventoryRequest, Refusal, TenantChange, TenantLine, VaultState};
pub use lists::{AuditList, AuditQuestion, FilterLine, GroupLine, LabelLine, List, ListChange, ListId};
pub use reply::Reply;
pub use settings::{SettingLine, Settings};
pub use vault::{NewKey, SlotChange, SlotLine, VaultList, old_key_days};

use crate::model::inventory::instance::InstanceId;

/// Capacity that the channel of effects should have: more than a person causes between two frames.
pub const EFFECTS: usize = 16;

/// Capacity that the channel of replies should have; a sender waits when it is full.
pub const REPLIES: usize = 64;

/// What the shell's job control asks of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// stop (SIGTSTP): the terminal is given back before that
    Stop,
    /// the program goes on (SIGCONT, `fg`): the terminal may be in another mode, size and state than it was left in
    Continue,
}

/// An effect that the screen asks of the program. The channel holds [`EFFECTS`]. When it is full, [`Effect::Focus`] is sent
/// again with the next frame (only the newest one matters), so is the lock of the vault, and the others are dropped with a message
/// to the user.
pub enum Effect {
    /// these instances are on the screen: poll them fast, all others at fleet pace
    Focus(Vec<InstanceId>),
    /// poll these instances now
    Refresh(Vec<InstanceId>),
    /// something about the inventory
    Inventory(Box<InventoryRequest>),
    /// something about the past
    History(Box<HistoryRequest>),
    /// a question to one server
    Demand(DemandRequest),
}

impl Effect {
    /// It locks the vault: that is never dropped.
    pub fn is_lock(&self) -> bool {
        matches!(self, Self::Inventory(request) if matches!(**request, InventoryRequest::Lock))
    }
}

impl From<InventoryRequest> for Effect {
    fn from(request: InventoryRequest) -> Self {
        Self::Inventory(Box::new(request))
    }
}

impl From<HistoryRequest> for Effect {
    fn from(request: HistoryRequest) -> Self {
        Self::History(Box::new(request))
    }
}

impl From<DemandRequest> for Effect {
    fn from(request: DemandRequest) -> Self {
        Self::Demand(request)
    }
}
