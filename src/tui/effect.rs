//! What the screen asks of the rest of the program, and what comes back. `command` carries effects out.

use crate::model::{health::Level, instance::InstanceId};

/// A wish of the screen. The channel holds [`EFFECTS`]; when it is full, [`Effect::Focus`] is sent again with the next
/// frame (only the newest one matters) and [`Effect::Refresh`] is dropped with a word to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// these instances are being looked at: poll them fast, all others at fleet pace
    Focus(Vec<InstanceId>),
    /// poll these instances now
    Refresh(Vec<InstanceId>),
}

/// An answer for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// one line, shown above the footer for some seconds
    Message {
        /// colours it
        level: Level,
        /// the line
        text: String,
    },
}

/// Capacity that the channel of effects should have: more wishes than a person has between two frames.
pub const EFFECTS: usize = 16;

/// Capacity that the channel of replies should have; a sender waits when it is full.
pub const REPLIES: usize = 64;
