//! The interface of a pane to the app. Every pane has it; nothing in here knows any of them.

use crate::{
    model::{
        base::time::Timestamp, fold::scope::Scope, inventory::instance::InstanceId, judge::health::Level,
    },
    protocol::{ListId, Query},
    tui::{
        action::Action,
        id::RowKey,
        view::View,
        widget::{canvas::Canvas, document::Document},
        wish::{Look, Wish},
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
    /// another time than now
    Past,
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
    /// Why an action cannot be carried out on the marks or the row under the cursor, in words; None: it can, or the pane has no say in it.
    /// Asked for every frame: keys that are refused are not told.
    fn refuses(&self, _action: Action, _view: &View<'_>) -> Option<String> {
        None
    }
    /// Moves the cursor to the next row that is a problem, or to the one before; beyond the last one it begins anew if `round`.
    /// False: there is none.
    fn next_problem(&mut self, _back: bool, _round: bool, _view: &View<'_>) -> bool {
        false
    }
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
    /// Shows its rows as a link wants them; filters are set by [`Pane::set_filter`].
    fn show(&mut self, _look: &Look) {}
    /// Shows its rows one by one: a link that comes with a filter names some of them.
    fn ungroup(&mut self) {}
    /// It is left, or entered anew: charts end now again, columns are scrolled back.
    fn left(&mut self) {}
    /// Lets charts that were moved into the past end now again; false if they do.
    fn follow_now(&mut self) -> bool {
        false
    }
    /// Forgets the marks.
    fn clear_marks(&mut self) {}
    /// Puts what it shows beside what was from an instant on; false: it leaves comparing to the app.
    fn compare_with(&mut self, _at: Timestamp) -> bool {
        false
    }
    /// All about a row; None if it is not there (any more).
    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document>;
    /// Sets or clears the filter. Ok tells whether the pane can filter at all.
    ///
    /// # Errors
    /// Names the error in the text, for the user.
    fn set_filter(&mut self, text: &str) -> Result<(), String>;
    /// The filter's text; empty without one.
    fn filter(&self) -> &str;
    /// The columns are as they are declared again: another scope is shown.
    fn reset_columns(&mut self) {}
    /// The rows in sight: first, last, and of how many; None where all are.
    fn position(&self) -> Option<(usize, usize, usize)> {
        None
    }
    /// Orders the rows by a column.
    ///
    /// # Errors
    /// Names the columns there are.
    fn sort_by(&mut self, _column: &str) -> Result<(), String> {
        Err("nothing to sort here: no table".to_owned())
    }
    /// Rows shown and rows before the filter.
    fn counts(&self) -> (usize, usize);
    /// A click at a place of the screen.
    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>);
}
