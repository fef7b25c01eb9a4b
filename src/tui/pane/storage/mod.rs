//! Storage: files, how fast they are read and written and how they grow. `b` adds them up by database, then by volume, where the free
//! space of each is, and when it is full; then it lists the times that files grew.

use super::{
    parts::PartsPane,
    sights::{Sight, SightsPane},
};
use crate::tui::id::RowKey;

mod databases;
mod files;
mod free;
mod growths;
mod recorded;
mod volumes;

/// The pane.
pub fn pane() -> SightsPane {
    SightsPane::new(vec![
        Sight::new("", PartsPane::<files::Files>::default(), |key| matches!(key, RowKey::File(..))),
        Sight::new("by database", PartsPane::<databases::Databases>::default(), |key| {
            matches!(key, RowKey::Database(..))
        }),
        Sight::new("by volume", PartsPane::<volumes::Volumes>::default(), |key| {
            matches!(key, RowKey::Volume(..))
        }),
        Sight::new("growths", PartsPane::<growths::Growths>::default(), |key| {
            matches!(key, RowKey::Growth(..))
        }),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{reading::Reading, volumes::VolumeRow},
        tui::{
            action::Action,
            fixture,
            pane::{Pane, stage::Stage},
            wish::Look,
        },
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
        let mut pane = pane();
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
        let mut pane = pane();
        pane.set_filter("db=orders").unwrap();
        pane.act(Action::GroupBy, &stage.view(), &mut Vec::new());
        assert_eq!(pane.filter(), "db=orders");
        assert!(pane.counts().0 > 0 && pane.counts().0 < pane.counts().1);
        pane.act(Action::GroupBy, &stage.view(), &mut Vec::new());
        assert_eq!(pane.filter(), "", "a volume has no database");
    }
}
