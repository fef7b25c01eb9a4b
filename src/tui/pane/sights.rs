//! A pane with several tables, of which one is shown: `b` turns to the next one, Esc to the first. `storage` and `query_store` are
//! such; `queries` shares the calls that go to the table on the screen as they are.

use super::{Pane, Part};
use crate::tui::{
    action::Action,
    id::RowKey,
    view::View,
    widget::document::Document,
    wish::{Look, Wish},
};

/// The calls of [`Pane`] that a pane hands to the table that it shows: `shown` and `change` of the pane lead to it.
macro_rules! hand_on {
    () => {
        fn rebuild(&mut self, view: &$crate::tui::view::View<'_>) {
            self.change().rebuild(view);
        }

        fn wanted(&self, view: &$crate::tui::view::View<'_>) -> Vec<$crate::protocol::Query> {
            self.shown().wanted(view)
        }

        fn render(
            &mut self,
            view: &$crate::tui::view::View<'_>,
            canvas: &mut $crate::tui::widget::canvas::Canvas<'_>,
        ) {
            self.change().render(view, canvas);
        }

        fn next_problem(&mut self, back: bool, round: bool, view: &$crate::tui::view::View<'_>) -> bool {
            self.change().next_problem(back, round, view)
        }

        fn selected(&self) -> Option<$crate::tui::id::RowKey> {
            self.shown().selected()
        }

        fn refuses(
            &self,
            action: $crate::tui::action::Action,
            view: &$crate::tui::view::View<'_>,
        ) -> Option<String> {
            self.shown().refuses(action, view)
        }

        fn marks(&self) -> usize {
            self.shown().marks()
        }

        fn left(&mut self) {
            self.change().left();
        }

        fn follow_now(&mut self) -> bool {
            self.change().follow_now()
        }

        fn clear_marks(&mut self) {
            self.change().clear_marks();
        }

        fn filter(&self) -> &str {
            self.shown().filter()
        }

        fn position(&self) -> Option<(usize, usize, usize)> {
            self.shown().position()
        }

        fn sort_by(&mut self, column: &str) -> Result<(), String> {
            self.change().sort_by(column)
        }

        fn counts(&self) -> (usize, usize) {
            self.shown().counts()
        }

        fn click(
            &mut self,
            x: u16,
            y: u16,
            view: &$crate::tui::view::View<'_>,
            wishes: &mut Vec<$crate::tui::wish::Wish>,
        ) {
            self.change().click(x, y, view, wishes);
        }
    };
}
pub(super) use hand_on;

/// Takes a filter along to another table, where it means something there.
pub fn take_along(filter: &str, to: &mut dyn Pane) {
    if to.set_filter(filter).is_err() {
        // A filter without text is always one.
        let _ = to.set_filter("");
    }
}

/// One of the tables.
pub struct Sight {
    word: &'static str,
    pane: Box<dyn Pane>,
    holds: fn(&RowKey) -> bool,
}

impl Sight {
    /// A table, how the title calls it (nothing for the first one), and the rows that it has.
    pub fn new(word: &'static str, pane: impl Pane + 'static, holds: fn(&RowKey) -> bool) -> Self {
        Self { word, pane: Box::new(pane), holds }
    }
}

/// The pane. It has one table at least.
pub struct SightsPane {
    sights: Vec<Sight>,
    at: usize,
}

impl SightsPane {
    /// Of these tables; the first one is shown.
    pub const fn new(sights: Vec<Sight>) -> Self {
        Self { sights, at: 0 }
    }

    fn shown(&self) -> &dyn Pane {
        &*self.sights[self.at].pane
    }

    fn change(&mut self) -> &mut dyn Pane {
        &mut *self.sights[self.at].pane
    }

    /// Shows another table. The filter goes along.
    fn turn(&mut self, to: usize) {
        if to == self.at {
            return;
        }
        let filter = self.shown().filter().to_owned();
        self.change().left();
        self.at = to;
        take_along(&filter, self.change());
    }
}

impl Pane for SightsPane {
    hand_on!();

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let word = self.sights[self.at].word;
        if !word.is_empty() {
            out.push((Part::Accent, word.to_owned()));
        }
        self.shown().title(view, out);
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        let next = match action {
            Action::GroupBy => (self.at + 1) % self.sights.len(),
            _ if self.change().act(action, view, wishes) => return true,
            Action::Out if self.at > 0 => 0,
            _ => return false,
        };
        self.turn(next);
        self.change().rebuild(view);
        true
    }

    fn focus(&mut self, key: RowKey) {
        if !(self.sights[self.at].holds)(&key)
            && let Some(to) = self.sights.iter().position(|sight| (sight.holds)(&key))
        {
            self.turn(to);
        }
        self.change().focus(key);
    }

    fn show(&mut self, _: &Look) {
        self.turn(0);
    }

    fn ungroup(&mut self) {
        self.turn(0);
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        self.sights.iter().find_map(|sight| sight.pane.details(key, view))
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.change().set_filter(text)
    }

    fn reset_columns(&mut self) {
        self.sights.iter_mut().for_each(|sight| sight.pane.reset_columns());
    }
}
