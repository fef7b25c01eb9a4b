//! Names of what is on the screen: which pane, which row. Plain values that everything in `tui` may use; nothing in here
//! knows how a pane or a row looks.

use crate::model::{instance::InstanceId, wait::WaitCategory};
use std::sync::Arc;

/// The panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaneId {
    /// all instances in scope
    Fleet,
    /// one instance: takes the place of the fleet while it is in scope
    Instance,
    /// active requests
    Activity,
    /// wait statistics
    Waits,
    /// blocking chains
    Blocking,
}

impl PaneId {
    /// Name in tabs, titles and the palette.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fleet => "Fleet",
            Self::Instance => "Instance",
            Self::Activity => "Activity",
            Self::Waits => "Waits",
            Self::Blocking => "Blocking",
        }
    }
}

/// What a row is, whatever its place: selection and marks go by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowKey {
    /// an instance
    Instance(InstanceId),
    /// a request or session: instance, session id, request id
    Session(InstanceId, i32, i32),
    /// a wait type of an instance, or of all together
    Wait(Option<InstanceId>, Arc<str>),
    /// a wait category
    Category(WaitCategory),
    /// a group of rows by name
    Group(Arc<str>),
    /// the reason number n of the instance in scope
    Reason(usize),
}

impl RowKey {
    /// The instance that it belongs to.
    pub const fn instance(&self) -> Option<&InstanceId> {
        match self {
            Self::Instance(id) | Self::Session(id, ..) | Self::Wait(Some(id), _) => Some(id),
            Self::Wait(None, _) | Self::Category(_) | Self::Group(_) | Self::Reason(_) => None,
        }
    }
}
