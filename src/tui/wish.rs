//! Wishes of panes and layers to the app: they change only themselves, so everything else leaves them as a wish.

use super::{
    action::Action,
    ask::Ask,
    command_line::Command,
    id::{GroupBy, PaneId, RowKey},
    widget::document::Document,
};
use crate::model::{
    base::time::Timestamp,
    fold::scope::Scope,
    inventory::instance::InstanceId,
    judge::health::Level,
    poll::demand::Demand,
    timeline::{chart::MarkKind, past::When},
};
use std::sync::Arc;

/// How the pane that a link leads to shows its rows, so that the evidence stands first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// only those that a filter keeps
    Filter(String),
    /// all, by the column of this id
    Sort(&'static str),
    /// added up by what they share, by the column of this id
    Groups(GroupBy, &'static str),
    /// as the pane shows them by itself
    Own,
    /// what was seen at work, added up by statement, those that a filter keeps
    Samples(String),
    /// what queries cost between two instants; None: over the time of the charts
    Period(Option<(Timestamp, Timestamp)>),
}

/// A text for the user's editor.
#[derive(Debug, Clone)]
pub struct Edit {
    /// what the name of the file ends in, by which editors know its kind
    pub ending: &'static str,
    /// the text
    pub text: Arc<str>,
}

/// A wish. The app carries wishes out in their order.
#[derive(Debug)]
pub enum Wish {
    /// go to a pane: narrow the scope first, select a row there
    Go {
        /// where
        pane: PaneId,
        /// narrower scope to add
        scope: Option<Scope>,
        /// row to select
        focus: Option<RowKey>,
        /// how the rows there are shown
        look: Option<Look>,
    },
    /// show all about a row
    Details(RowKey),
    /// draw the deadlocks of a pattern
    Deadlock(InstanceId, u64),
    /// show a text over all
    Read(Document),
    /// open a text in the user's editor
    Edit(Edit),
    /// list what happened of a kind on an instance
    Events(InstanceId, MarkKind),
    /// put rows on the clipboard, and say how many lines they are
    Copy(String),
    /// put a text on the clipboard without a word
    Clip(String),
    /// one line for the user
    Say(Level, String),
    /// poll these now
    Refresh(Vec<InstanceId>),
    /// ask a server this, over a connection of its own
    Demand(InstanceId, Demand),
    /// narrow to this instance, in the pane that is open
    Instance(InstanceId),
    /// show another moment
    Travel(When),
    /// compare what is on the screen with another moment
    Compare(When),
    /// put a bookmark on the time line
    Bookmark {
        /// where
        at: Timestamp,
        /// what for
        note: String,
    },
    /// ask before a change of the inventory
    Ask(Box<Ask>),
    /// do this, as if its key was pressed
    Do(Action),
    /// remember a filter that was typed
    Filtered(String),
    /// carry out a command typed behind `:`, and remember it
    Run {
        /// its meaning
        command: Command,
        /// as typed
        text: String,
    },
}
