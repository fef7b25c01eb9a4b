//! How the screen looks and behaves, and whose fleet it shows. `command` makes both; a reload of the configuration sends
//! new [`Settings`] over a `watch` channel, the [`Subject`] stays what it was at the start.

use super::{
    layer::{deadlock::DeadlockSource, plan::PlanSource},
    moment::Recording,
    theme::{Depth, Theme},
};
use crate::{model::base::zone::Zone, protocol::VaultState};

/// Appearance and behaviour, as configured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// styles
    pub theme: Theme,
    /// colours that the terminal can show, for `:theme`
    pub depth: Depth,
    /// whose clock times are told by
    pub zone: Zone,
    /// half the frames, no sparklines
    pub low_bandwidth: bool,
    /// ASCII characters only
    pub ascii: bool,
    /// the mouse selects and scrolls
    pub mouse: bool,
    /// the inventory locks after so long without a key, ms; None: never
    pub lock_after_ms: Option<i64>,
}

/// The fleet that is watched when the screen starts.
#[derive(Debug, Clone)]
pub struct Subject {
    /// first crumb: whose fleet, or `demo`
    pub tenant: String,
    /// how the inventory stands
    pub vault: VaultState,
    /// what is played; None: a fleet that lives
    pub recording: Option<Recording>,
}

/// Something that is shown by itself, without a fleet: closing it ends the program.
#[derive(Clone, Debug)]
pub enum Alone {
    /// a plan, and others to compare it with
    Plan(PlanSource, Vec<PlanSource>),
    /// the deadlocks of a file
    Deadlocks(Vec<DeadlockSource>),
}
