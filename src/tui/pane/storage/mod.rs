//! Storage: files, how fast they are read and written and how they grow. `b` adds them up by database, then by volume, where the free
//! space of each is, and when it is full; then it lists the times that files grew.

use super::{Pane, Part, parts::PartsPane};
use crate::{
    model::{judge::health::Level, poll::demand::Demand},
    protocol::Query,
    tui::{
        action::Action,
        id::RowKey,
        view::View,
        widget::{canvas::Canvas, document::Document},
        wish::{Look, Wish},
    },
};

mod databases;
mod files;
mod growths;
mod sums;
mod volumes;

/// By what files are added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum By {
    #[default]
    File,
    Database,
    Volume,
    Growth,
}

impl By {
    const ALL: [Self; 4] = [Self::File, Self::Database, Self::Volume, Self::Growth];

    const fn after(self) -> Self {
        match self {
            Self::File => Self::Database,
            Self::Database => Self::Volume,
            Self::Volume => Self::Growth,
            Self::Growth => Self::File,
        }
    }
}

/// The pane.
#[derive(Debug, Default)]
pub struct StoragePane {
    by: By,
    files: PartsPane<files::Files>,
    databases: PartsPane<databases::Databases>,
    volumes: PartsPane<volumes::Volumes>,
    growths: PartsPane<growths::Growths>,
}

impl StoragePane {
    fn of(&self, by: By) -> &dyn Pane {
        match by {
            By::File => &self.files,
            By::Database => &self.databases,
            By::Volume => &self.volumes,
            By::Growth => &self.growths,
        }
    }

    fn shown(&self) -> &dyn Pane {
        self.of(self.by)
    }

    fn change(&mut self) -> &mut dyn Pane {
        match self.by {
            By::File => &mut self.files,
            By::Database => &mut self.databases,
            By::Volume => &mut self.volumes,
            By::Growth => &mut self.growths,
        }
    }

    /// Asks the database under the cursor what is free inside of its files; by volume, all databases of the instance.
    fn free_space(&self, view: &View<'_>) -> Wish {
        let row = self.selected().filter(|_| self.counts().0 > 0);
        let database_id = match &row {
            Some(RowKey::File(_, id, _) | RowKey::Database(_, id)) => Some(*id),
            _ => None,
        };
        let instance = row.as_ref().and_then(RowKey::instance).or_else(|| view.single().map(|i| i.id()));
        let Some(instance) = instance else {
            let why = "choose an instance first: only its databases tell what is free inside of their files";
            return Wish::Say(Level::Ok, why.to_owned());
        };
        Wish::Demand(instance.clone(), Demand::FreeSpace { database_id })
    }

    /// Shows the files added up by something else. The filter goes along, where it means something there.
    fn group(&mut self, by: By) {
        let filter = self.shown().filter().to_owned();
        self.change().left();
        self.by = by;
        let next = self.change();
        if next.set_filter(&filter).is_err() {
            // A filter without text is always one.
            let _ = next.set_filter("");
        }
    }
}

impl Pane for StoragePane {
    fn rebuild(&mut self, view: &View<'_>) {
        self.change().rebuild(view);
    }

    fn title(&self, view: &View<'_>, out: &mut Vec<(Part, String)>) {
        match self.by {
            By::File => {}
            By::Database => out.push((Part::Accent, "by database".to_owned())),
            By::Volume => out.push((Part::Accent, "by volume".to_owned())),
            By::Growth => out.push((Part::Accent, "growths".to_owned())),
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
            self.group(self.by.after());
            self.change().rebuild(view);
            return true;
        }
        if action == Action::FreeSpace {
            wishes.push(self.free_space(view));
            return true;
        }
        if self.change().act(action, view, wishes) {
            return true;
        }
        let is_grouped = self.by != By::File;
        if action == Action::Out && is_grouped {
            self.group(By::File);
            self.change().rebuild(view);
        }
        action == Action::Out && is_grouped
    }

    fn next_problem(&mut self, back: bool, round: bool, view: &View<'_>) -> bool {
        self.change().next_problem(back, round, view)
    }

    fn focus(&mut self, key: RowKey) {
        match key {
            RowKey::File(..) if self.by != By::File => self.group(By::File),
            RowKey::Volume(..) if self.by != By::Volume => self.group(By::Volume),
            RowKey::Growth(..) if self.by != By::Growth => self.group(By::Growth),
            _ => {}
        }
        self.change().focus(key);
    }

    fn show(&mut self, _look: &Look) {
        self.group(By::File);
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
        By::ALL.into_iter().find_map(|by| self.of(by).details(key, view))
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.change().set_filter(text)
    }

    fn filter(&self) -> &str {
        self.shown().filter()
    }

    fn reset_columns(&mut self) {
        self.files.reset_columns();
        self.databases.reset_columns();
        self.volumes.reset_columns();
        self.growths.reset_columns();
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
        model::poll::{reading::Reading, volumes::VolumeRow},
        tui::{fixture, pane::stage::Stage},
    };
    use std::sync::Arc;

    #[test]
    fn files_are_added_up_by_database_then_by_volume_and_esc_shows_them_again() {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let mount = |mount: &str| VolumeRow { mount: Some(mount.into()), ..VolumeRow::default() };
            let volumes = vec![mount("D:\\"), mount("L:\\")];
            let facts = &mut Arc::make_mut(i).facts;
            facts.volumes = Reading::good(Arc::new(volumes), fixture::NOW, 900_000);
        }
        let stage = Stage::one(fleet, "sqlprd-001");
        let mut pane = StoragePane::default();
        let mut wishes = Vec::new();
        let files = stage.draw(&mut pane, 160, 40);
        assert!(files.iter().any(|l| l.contains("orders_log")), "{files:#?}");
        pane.act(Action::GroupBy, &stage.view(), &mut wishes);
        let databases = stage.draw(&mut pane, 160, 40);
        assert!(databases.iter().any(|l| l.contains("archive_2024")), "{databases:#?}");
        pane.act(Action::GroupBy, &stage.view(), &mut wishes);
        let volumes = stage.draw(&mut pane, 160, 40);
        assert!(volumes.iter().any(|l| l.contains("L:\\") && !l.contains("orders_log")), "{volumes:#?}");
        assert!(matches!(pane.selected(), Some(RowKey::Volume(..))));
        pane.show(&Look::Own);
        let linked = stage.draw(&mut pane, 160, 40);
        assert!(linked.iter().any(|l| l.contains("orders_log")), "a reason leads to the files: {linked:#?}");
        pane.act(Action::GroupBy, &stage.view(), &mut wishes);
        assert!(pane.act(Action::Out, &stage.view(), &mut wishes));
        assert!(stage.draw(&mut pane, 160, 40).iter().any(|l| l.contains("orders_log")));
        assert!(!pane.act(Action::Out, &stage.view(), &mut wishes), "the next one widens the scope");
    }

    #[test]
    fn a_filter_goes_along_where_it_means_something() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = StoragePane::default();
        pane.set_filter("db=orders").unwrap();
        pane.act(Action::GroupBy, &stage.view(), &mut Vec::new());
        assert_eq!(pane.filter(), "db=orders");
        assert!(pane.counts().0 > 0 && pane.counts().0 < pane.counts().1);
        pane.act(Action::GroupBy, &stage.view(), &mut Vec::new());
        assert_eq!(pane.filter(), "", "a volume has no database");
    }
}
