//! Query Store: the queries that took most over the newest closed hour of each database. `b` shows those that became slower than the
//! day before, those whose runs differ, those with a forced plan, and then the stores themselves: how full, and why not recording.

use super::{
    Pane, Part,
    parts::{Choice, PartsPane},
};
use crate::{
    model::poll::query_store::StoredQuery,
    protocol::Query,
    tui::{
        action::Action,
        id::RowKey,
        view::View,
        widget::{canvas::Canvas, document::Document},
        wish::Wish,
    },
};

mod queries;
mod stores;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Top,
    Regressed,
    Varying,
    Forced,
    Stores,
}

impl Sight {
    const ALL: [Self; 5] = [Self::Top, Self::Regressed, Self::Varying, Self::Forced, Self::Stores];

    const fn word(self) -> &'static str {
        match self {
            Self::Top => "",
            Self::Regressed => "regressed",
            Self::Varying => "varying",
            Self::Forced => "forced plans",
            Self::Stores => "stores",
        }
    }
}

/// The pane.
#[derive(Debug)]
pub struct QueryStorePane {
    sight: Sight,
    top: PartsPane<queries::Queries>,
    regressed: PartsPane<queries::Queries>,
    varying: PartsPane<queries::Queries>,
    forced: PartsPane<queries::Queries>,
    stores: PartsPane<stores::Stores>,
}

impl Default for QueryStorePane {
    fn default() -> Self {
        Self {
            sight: Sight::Top,
            top: PartsPane::of(Choice {
                keeps: |query| query.now.runs.is_some(),
                rank: |_, query| query.cpu_ms_per_s(),
                order: "most CPU first",
                nothing: "No query ran in the newest closed interval",
            }),
            regressed: PartsPane::of(Choice {
                keeps: StoredQuery::is_regressed,
                rank: |_, query| query.lost_ms(),
                order: "most time lost first",
                nothing: "No query became slower than the day before",
            }),
            varying: PartsPane::of(Choice {
                keeps: StoredQuery::is_varying,
                rank: |_, query| query.stdev_us.map(|us| us as f64),
                order: "greatest deviation first",
                nothing: "No query varies much",
            }),
            forced: PartsPane::of(Choice {
                keeps: |query| query.forced.is_some(),
                rank: |_, query| query.forced.as_ref()?.failures.map(|n| n as f64),
                order: "most failures first",
                nothing: "No plan is forced",
            }),
            stores: PartsPane::default(),
        }
    }
}

impl QueryStorePane {
    fn of(&self, sight: Sight) -> &dyn Pane {
        match sight {
            Sight::Top => &self.top,
            Sight::Regressed => &self.regressed,
            Sight::Varying => &self.varying,
            Sight::Forced => &self.forced,
            Sight::Stores => &self.stores,
        }
    }

    fn shown(&self) -> &dyn Pane {
        self.of(self.sight)
    }

    fn change(&mut self) -> &mut dyn Pane {
        match self.sight {
            Sight::Top => &mut self.top,
            Sight::Regressed => &mut self.regressed,
            Sight::Varying => &mut self.varying,
            Sight::Forced => &mut self.forced,
            Sight::Stores => &mut self.stores,
        }
    }

    /// Shows something else. The filter goes along, where it means something there.
    fn turn(&mut self, sight: Sight) {
        let filter = self.shown().filter().to_owned();
        self.change().left();
        self.sight = sight;
        let next = self.change();
        if next.set_filter(&filter).is_err() {
            // A filter without text is always one.
            let _ = next.set_filter("");
        }
    }
}

impl Pane for QueryStorePane {
    fn rebuild(&mut self, view: &View<'_>) {
        self.change().rebuild(view);
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        if self.sight != Sight::Top {
            out.push((Part::Accent, self.sight.word().to_owned()));
        }
        self.shown().title(view, out);
    }

    fn wanted(&self, view: &View<'_>) -> Vec<Query> {
        self.shown().wanted(view)
    }

    fn render(&mut self, view: &View<'_>, canvas: &mut Canvas<'_>) {
        self.change().render(view, canvas);
    }

    fn act(&mut self, action: Action, view: &View<'_>, wishes: &mut Vec<Wish>) -> bool {
        if action == Action::GroupBy {
            let next = Sight::ALL.into_iter().cycle().skip_while(|sight| *sight != self.sight).nth(1);
            self.turn(next.unwrap_or(Sight::Top));
            self.change().rebuild(view);
            return true;
        }
        if self.change().act(action, view, wishes) {
            return true;
        }
        let is_turned = self.sight != Sight::Top;
        if action == Action::Out && is_turned {
            self.turn(Sight::Top);
            self.change().rebuild(view);
        }
        action == Action::Out && is_turned
    }

    fn next_problem(&mut self, back: bool, round: bool, view: &View<'_>) -> bool {
        self.change().next_problem(back, round, view)
    }

    fn focus(&mut self, key: RowKey) {
        match key {
            RowKey::Stored(..) if self.sight == Sight::Stores => self.turn(Sight::Top),
            RowKey::Database(..) if self.sight != Sight::Stores => self.turn(Sight::Stores),
            _ => {}
        }
        self.change().focus(key);
    }

    fn selected(&self) -> Option<RowKey> {
        self.shown().selected()
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

    fn details(&self, key: &RowKey, view: &View<'_>) -> Option<Document> {
        [Sight::Top, Sight::Stores].into_iter().find_map(|sight| self.of(sight).details(key, view))
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.change().set_filter(text)
    }

    fn filter(&self) -> &str {
        self.shown().filter()
    }

    fn reset_columns(&mut self) {
        for pane in [&mut self.top, &mut self.regressed, &mut self.varying, &mut self.forced] {
            pane.reset_columns();
        }
        self.stores.reset_columns();
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

    fn click(&mut self, x: u16, y: u16, view: &View<'_>, wishes: &mut Vec<Wish>) {
        self.change().click(x, y, view, wishes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{
            query_store::{ForcedPlan, QueryStoreTable, StoreRow, Stretch},
            reading::Reading,
        },
        tui::{fixture, pane::stage::Stage},
    };
    use std::sync::Arc;

    fn query(query_id: i64, runs: i64, elapsed_us: i64) -> StoredQuery {
        StoredQuery {
            database_id: 5,
            database: Some("orders".into()),
            query_id,
            module: Some(format!("dbo.usp_{query_id}").into()),
            now: Stretch { runs: Some(runs), cpu_us: Some(elapsed_us), elapsed_us: Some(elapsed_us) },
            over_ms: 3_600_000,
            ..StoredQuery::default()
        }
    }

    /// One instance: a top query, a slower one, a varying one, one with a failing forced plan; a full store, and one that cannot be read.
    fn stage() -> Stage {
        let slower = StoredQuery {
            before: Stretch { runs: Some(2_400), cpu_us: Some(1), elapsed_us: Some(24_000_000) },
            ..query(2, 100, 4_000_000)
        };
        let varying =
            StoredQuery { max_us: Some(90_000_000), stdev_us: Some(2_000_000), ..query(3, 4, 2_000_000) };
        let plan = ForcedPlan {
            plan_id: 77,
            failures: Some(12),
            new_failures: Some(4),
            reason: Some(8_712),
            ..ForcedPlan::default()
        };
        let forced = StoredQuery { forced: Some(plan), now: Stretch::default(), ..query(4, 0, 0) };
        let store = |id, name: &str| StoreRow {
            database_id: id,
            database: Some(name.into()),
            state: Some(2),
            desired_state: Some(2),
            size_mb: Some(250),
            cap_mb: Some(1_000),
            ..StoreRow::default()
        };
        let full = StoreRow {
            state: Some(1),
            readonly_reason: Some(65_536),
            size_mb: Some(1_000),
            ..store(5, "orders")
        };
        let closed = StoreRow {
            state: None,
            size_mb: None,
            problem: Some("n/a (CONNECT ANY DATABASE)".into()),
            ..store(6, "hr")
        };
        let later = StoreRow {
            problem: Some("off (its turn comes with the next poll)".into()),
            is_later: true,
            ..store(8, "web")
        };
        let table = QueryStoreTable {
            stores: vec![full, closed, store(7, "crm"), later],
            queries: vec![query(1, 50, 9_000_000), slower, varying, forced],
            ..QueryStoreTable::default()
        };
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.query_store = Reading::good(Arc::new(table.clone()), fixture::NOW, 900_000);
        }
        Stage::one(fleet, "sqlprd-001")
    }

    fn has(lines: &[String], words: &str) -> bool {
        lines.iter().any(|line| line.contains(words))
    }

    #[test]
    fn b_goes_from_the_top_to_the_regressed_the_varying_the_forced_and_the_stores_and_esc_back() {
        let stage = stage();
        let mut pane = QueryStorePane::default();
        let mut wishes = Vec::new();
        let mut next = |pane: &mut QueryStorePane| {
            pane.act(Action::GroupBy, &stage.view(), &mut wishes);
            stage.draw(pane, 200, 30)
        };
        let top = stage.draw(&mut pane, 200, 30);
        assert!(has(&top, "usp_1") && has(&top, "usp_2") && !has(&top, "usp_4"), "{top:#?}");
        assert!(has(&top, "orders: read-only") && has(&top, "1 database cannot be read"), "{top:#?}");
        assert!(has(&top, "1 database in the next poll"), "{top:#?}");
        let regressed = next(&mut pane);
        assert!(
            has(&regressed, "usp_2") && has(&regressed, "4.0x") && !has(&regressed, "usp_1"),
            "{regressed:#?}"
        );
        let varying = next(&mut pane);
        assert!(has(&varying, "usp_3") && !has(&varying, "usp_2"), "{varying:#?}");
        let forced = next(&mut pane);
        assert!(has(&forced, "usp_4") && has(&forced, "12 failed"), "{forced:#?}");
        let stores = next(&mut pane);
        assert!(
            has(&stores, "it reached its size cap") && has(&stores, "CONNECT ANY DATABASE"),
            "{stores:#?}"
        );
        assert!(matches!(pane.selected(), Some(RowKey::Database(..))));
        assert!(pane.act(Action::Out, &stage.view(), &mut Vec::new()));
        assert!(has(&stage.draw(&mut pane, 200, 30), "usp_1"));
        assert!(!pane.act(Action::Out, &stage.view(), &mut Vec::new()), "the next one widens the scope");
    }

    #[test]
    fn details_say_why_a_plan_cannot_be_forced_and_a_store_does_not_record() {
        let stage = stage();
        let mut pane = QueryStorePane::default();
        pane.rebuild(&stage.view());
        let id = stage.view().single().unwrap().id().clone();
        let text = |key| pane.details(&key, &stage.view()).unwrap().to_copy();
        let forced = text(RowKey::Stored(id.clone(), 5, 4, None));
        for words in ["4 times since the poll before", "an index of it is not there", "plan 77"] {
            assert!(forced.contains(words), "{words} in {forced}");
        }
        let full = text(RowKey::Database(id, 5));
        assert!(full.contains("it reached its size cap") && full.contains("MAX_STORAGE_SIZE_MB"), "{full}");
    }

    #[test]
    fn an_empty_sight_says_what_that_means() {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let table = QueryStoreTable { queries: vec![query(1, 5, 5)], ..QueryStoreTable::default() };
            Arc::make_mut(i).facts.query_store = Reading::good(Arc::new(table), fixture::NOW, 900_000);
        }
        let stage = Stage::one(fleet, "sqlprd-001");
        let mut pane = QueryStorePane::default();
        pane.act(Action::GroupBy, &stage.view(), &mut Vec::new());
        let lines = stage.draw(&mut pane, 120, 30);
        assert!(has(&lines, "No query became slower"), "{lines:#?}");
    }
}
