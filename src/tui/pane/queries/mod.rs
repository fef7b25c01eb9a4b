//! Queries: what each query of the plan cache costs. `b` shows what was seen at work instead, added up by statement, module,
//! database, login or program, with what it waited for over time. `u` shows what they cost over a stretch of time, of history.
//!
//! | file | owns |
//! |---|---|
//! | `rows` | the queries of the plan cache, one by one |
//! | `shares` | how much of all each figure of one is |
//! | `period`, `spent` | what they cost over a stretch of time, alone or beside another one; its rows and columns |
//! | `samples` | what was seen at work |
//! | `source` | where that comes from: memory, history |
//! | `group` | rows and columns of that, and how waits are said |

use super::{
    Pane, Part,
    parts::Parts,
    sights::{hand_on, take_along},
};
use crate::{
    model::{base::time::Timestamp, judge::health::Level, timeline::samples::By},
    tui::{
        action::Action,
        id::RowKey,
        view::View,
        widget::document::Document,
        wish::{Look, Wish},
    },
};

mod group;
mod period;
mod rows;
mod samples;
mod shares;
mod source;
mod spent;
#[cfg(test)]
mod tests;

use period::PeriodPane;
use rows::{Queries, RowsPane};
use samples::SamplesPane;

/// What comes after a grouping; None: one by one.
const fn after(by: Option<By>) -> Option<By> {
    match by {
        None => Some(By::Statement),
        Some(By::Statement) => Some(By::Module),
        Some(By::Module) => Some(By::Database),
        Some(By::Database) => Some(By::Login),
        Some(By::Login) => Some(By::Program),
        Some(By::Program) => None,
    }
}

/// The pane.
#[derive(Debug, Default)]
pub struct QueriesPane {
    /// None: one by one, from the plan cache
    by: Option<By>,
    /// the grouping that Enter led out of, and that Esc leads back to
    inside: Option<By>,
    /// what they cost over a stretch of time is shown, in place of all that
    is_period: bool,
    rows: RowsPane,
    samples: SamplesPane,
    period: PeriodPane,
}

impl QueriesPane {
    fn shown(&self) -> &dyn Pane {
        match self.by {
            _ if self.is_period => &self.period,
            Some(_) => &self.samples,
            None => &self.rows,
        }
    }

    fn change(&mut self) -> &mut dyn Pane {
        match self.by {
            _ if self.is_period => &mut self.period,
            Some(_) => &mut self.samples,
            None => &mut self.rows,
        }
    }

    /// Shows what they cost over a stretch of time, or no longer. The filter goes along, where it means something there.
    fn turn_period(&mut self, is_period: bool) {
        if self.is_period != is_period {
            let filter = self.shown().filter().to_owned();
            self.change().left();
            self.is_period = is_period;
            take_along(&filter, self.change());
        }
    }

    /// Shows them by something else. The filter goes along, where it means something there.
    fn group(&mut self, by: Option<By>) {
        let filter = self.shown().filter().to_owned();
        self.change().left();
        self.by = by;
        self.is_period = false;
        self.inside = None;
        if let Some(by) = by {
            self.samples.group_by(by);
        }
        take_along(&filter, self.change());
    }

    /// From a group to its queries in the plan cache; where none of them is there, to all about the group.
    fn enter(&mut self, view: &View<'_>, wishes: &mut Vec<Wish>) {
        let (Some(by), Some(told)) = (self.by, self.samples.here()) else { return };
        let field = match by {
            By::Statement => "hash",
            By::Module => "module",
            By::Database => "db",
            By::Login => "login",
            By::Program => "program",
        };
        let filter = format!("{field}=\"{}\"", told.group.name);
        let is_asked = !SamplesPane::is_nameless(told) && self.rows.set_filter(&filter).is_ok();
        self.rows.rebuild(view);
        if is_asked && self.rows.counts().0 > 0 {
            (self.by, self.inside) = (None, Some(by));
            return;
        }
        let _ = self.rows.set_filter("");
        wishes.extend(self.samples.selected().map(Wish::Details));
        let why =
            "none of its queries is in the plan cache with a run that has ended: this is what was seen of it";
        wishes.push(Wish::Say(Level::Ok, why.to_owned()));
    }

    /// Out of the queries of a group, out of the groups; false: there is no step out.
    fn out(&mut self) -> bool {
        if self.is_period {
            let is_plain = self.period.filter().is_empty();
            if is_plain {
                self.turn_period(false);
            }
            return is_plain;
        }
        if let Some(by) = self.inside.take() {
            let _ = self.rows.set_filter("");
            self.by = Some(by);
            return true;
        }
        if self.by.is_some() && self.samples.filter().is_empty() {
            self.group(None);
            return true;
        }
        false
    }
}

impl Pane for QueriesPane {
    hand_on!();

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        self.shown().title(view, out);
        if self.by.is_some() && !self.is_period {
            // How much of all CPU the plan cache explains is told wherever queries are.
            let told = Queries::told(view);
            if !told.is_empty() {
                out.push((Part::Plain, format!("plan cache {}", told.join(" "))));
            }
        }
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        match action {
            Action::GroupBy => {
                self.group(if self.is_period { Some(By::Statement) } else { after(self.by) });
                self.change().rebuild(view);
                return true;
            }
            Action::Period => {
                self.turn_period(!self.is_period);
                self.change().rebuild(view);
                return true;
            }
            Action::Enter if self.by.is_some() && !self.is_period => {
                self.enter(view, wishes);
                self.change().rebuild(view);
                return true;
            }
            _ => {}
        }
        if self.change().act(action, view, wishes) {
            return true;
        }
        let is_out = action == Action::Out && self.out();
        if is_out {
            self.change().rebuild(view);
        }
        is_out
    }

    fn focus(&mut self, key: RowKey) {
        if matches!(key, RowKey::Query(..)) && (self.by.is_some() || self.is_period) {
            self.group(None);
        }
        self.change().focus(key);
    }

    fn show(&mut self, look: &Look) {
        match look {
            Look::Samples(filter) => {
                self.group(Some(By::Statement));
                let _ = self.samples.set_filter(filter);
            }
            Look::Sort(column) => {
                self.group(None);
                // The columns of panes are what links are written for.
                drop(self.rows.sort_by(column));
            }
            Look::Own => self.group(None),
            Look::Period(stretch) => {
                self.turn_period(true);
                self.period.set(*stretch);
            }
            Look::Filter(_) | Look::Groups(..) => {}
        }
    }

    fn ungroup(&mut self) {
        if self.by.is_some() || self.is_period {
            self.group(None);
        }
    }

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        let of_period = if self.is_period { self.period.details(key, view) } else { None };
        of_period.or_else(|| self.rows.details(key, view)).or_else(|| self.samples.details(key, view))
    }

    fn compare_with(&mut self, at: Timestamp) -> bool {
        if self.is_period {
            self.period.compare_with(at);
        }
        self.is_period
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.inside = None;
        self.change().set_filter(text)
    }

    fn reset_columns(&mut self) {
        self.rows.reset_columns();
        self.period.reset_columns();
        self.samples.reset_columns();
    }
}
