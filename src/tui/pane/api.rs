//! The interface of a pane to the app. Every pane has it; nothing in here knows any of them.

use crate::{
    model::{fold::scope::Scope, inventory::instance::InstanceId, judge::health::Level},
    protocol::{ListId, Query},
    tui::{
        action::Action,
        id::RowKey,
        view::View,
        widget::{canvas::Canvas, document::Document},
        wish::Wish,
    },
};

/// One part of a pane's title line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// plain
    Plain,
    /// coloured by level
    Level(Level),
    /// an active restriction: filter, faults only
    Accent,
}

/// A pane. The app calls `rebuild` when data, scope or filter changed, then `render` for every frame.
pub trait Pane {
    /// Computes the rows.
    fn rebuild(&mut self, view: &View<'_>);
    /// Adds parts to the title line, between the pane's name and the filter.
    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>);
    /// The questions that it has for history, after a rebuild.
    fn wanted(&self, _view: &View<'_>) -> Vec<Query> {
        Vec::new()
    }
    /// The list of the inventory that it shows.
    fn list(&self) -> Option<ListId> {
        None
    }
    /// Draws below the title line.
    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>);
    /// Carries out an action; false hands it on to the app.
    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool;
    /// Selects a row, now or when it appears.
    fn focus(&mut self, key: RowKey);
    /// The row that the cursor is on.
    fn selected(&self) -> Option<RowKey>;
    /// The marked instances, in display order; none where rows are no instances.
    fn marked(&self, _view: &View<'_>) -> Vec<InstanceId> {
        Vec::new()
    }
    /// The instance under the cursor; None where rows are no instances.
    fn under_cursor(&self) -> Option<InstanceId> {
        None
    }
    /// The instances chosen by marks or the filter, with a name for the crumb; None if there are none.
    fn chosen(&self, _view: &View<'_>) -> Option<Scope> {
        None
    }
    /// So many rows are marked.
    fn marks(&self) -> usize {
        0
    }
    /// Forgets the marks.
    fn clear_marks(&mut self) {}
    /// All about a row; None if it is not there (any more).
    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document>;
    /// Sets or clears the filter. Ok tells whether the pane can filter at all.
    ///
    /// # Errors
    /// Names the error in the text, for the user.
    fn set_filter(&mut self, text: &str) -> Result<(), String>;
    /// The filter's text; empty without one.
    fn filter(&self) -> &str;
    /// Rows shown and rows before the filter.
    fn counts(&self) -> (usize, usize);
    /// A click at a place of the screen.
    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>);
}
