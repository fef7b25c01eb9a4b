//! Saved filters: the dynamic groups of a fleet. Used, saved, renamed and deleted here. Enter filters the fleet by one.

use super::{
    Part,
    listed::{Line, ListPane, Listed, Words, count, name, not_one, text},
};
use crate::{
    model::{base::figure::counted, inventory::record::FilterRecord},
    protocol::{FilterLine, InventoryRequest, ListChange, ListId},
    tui::{
        action::Action,
        ask::{Ask, Blank, Tone},
        id::{PaneId, RowKey},
        view::View,
        widget::column::{self, Kind, number, words},
        wish::{Look, Wish},
    },
};

/// The pane.
pub type FiltersPane = ListPane<Filters>;

/// Rows of the pane: a saved filter each.
#[derive(Debug)]
pub enum Filters {}

impl Kind for Filters {
    type Row<'a> = Line<'a, Self>;
}

impl Listed for Filters {
    type Record = FilterLine;
    const LIST: Option<ListId> = Some(ListId::Filters);
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "filter";
    const WORDS: Words = Words {
        order: "by name",
        no_match: "No saved filter matches the filter.",
        none: &[
            "No saved filter yet.",
            "A saved filter is a group that finds its members by itself: env=prod !team=erp group=web.",
            "+ saves one; Enter filters the fleet by it, and commands take it with --saved.",
        ],
        locked: "Saved filters are",
    };

    fn records(view: &View<'_>) -> Vec<FilterLine> {
        let mut filters = view.lists.filters().unwrap_or(&[]).to_vec();
        filters.sort_by(|a, b| a.record.name.cmp(&b.record.name));
        filters
    }

    fn key(filter: &FilterLine) -> RowKey {
        RowKey::Group(filter.record.name.as_str().into())
    }

    fn texts<'r>(filter: &'r FilterLine, with: &mut dyn FnMut(&'r str)) {
        with(&filter.record.name);
        with(&filter.record.expression);
        with(&filter.record.description);
    }

    fn open(filter: &FilterLine) -> Wish {
        let look = Some(Look::Filter(filter.record.expression.clone()));
        Wish::Go { pane: PaneId::Fleet, scope: None, focus: None, look }
    }

    fn refuses(action: Action, on: &[&FilterLine], _view: &View<'_>) -> Option<String> {
        match action {
            Action::Edit | Action::Duplicate | Action::Remove => not_one("saved filter", on),
            _ => None,
        }
    }

    fn ask(action: Action, on: &[&FilterLine], _view: &View<'_>) -> Option<Ask> {
        Some(match (action, on) {
            (Action::Add, _) => form("New saved filter".to_owned(), None, &FilterRecord::default()),
            (Action::Edit, [line]) => {
                let name = line.record.name.clone();
                form(format!("Saved filter {name}"), Some(name), &line.record)
            }
            (Action::Duplicate, [line]) => {
                let copy = FilterRecord { name: String::new(), ..line.record.clone() };
                form(format!("New saved filter like {}", line.record.name), None, &copy)
            }
            (Action::Remove, [line]) => removal(&line.record),
            _ => return None,
        })
    }

    fn title(filters: &[FilterLine], _view: &View<'_>, out: &mut Vec<(Part, String)>) {
        out.push((Part::Plain, counted(filters.len(), "filter")));
    }
}

fn form(title: String, of: Option<String>, record: &FilterRecord) -> Ask {
    let blanks = vec![
        Blank::text("name", "Name", &record.name, "short: commands name it after --saved"),
        Blank::text(
            "expression",
            "Filter",
            &record.expression,
            "as behind /: env=prod, !team=erp, group=web, name; of what the inventory says, not of figures",
        ),
        Blank::text("description", "Description", &record.description, "for people"),
    ];
    Ask::form(title, blanks, move |answers| {
        let record = FilterRecord {
            name: answers.said("name").to_owned(),
            expression: answers.said("expression").to_owned(),
            description: answers.said("description").to_owned(),
        };
        record.validate().map_err(|e| (e.field, e.problem))?;
        if record.expression.is_empty() {
            return Err((
                "expression",
                "a filter that keeps all is none: write env=prod, or a name".to_owned(),
            ));
        }
        Ok(InventoryRequest::Change(ListChange::Filter { of: of.clone(), record }))
    })
}

fn removal(record: &FilterRecord) -> Ask {
    let lines = vec![
        (Tone::Plain, record.expression.clone()),
        (Tone::Aside, "The instances stay. Scripts that say --saved with its name fail then.".to_owned()),
    ];
    let name = record.name.clone();
    Ask::confirm(format!("Delete saved filter {name}?"), lines, "yes", move || {
        InventoryRequest::Change(ListChange::RemoveFilter(name.clone()))
    })
}

type Column = column::Column<Filters>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    Column::text("filter", "SAVED FILTER", 22, 0)
        .at_least(12)
        .frozen()
        .value(|f| words(Some(&f.record.record.name)))
        .cell(name)
        .filter()
        .also(&["name"]),
    Column::number("instances", "INSTANCES", 9, 0)
        .value(|f| number(f.record.count.map(|n| n as f64)))
        .cell(count)
        .filter(),
    Column::text("expression", "FILTER", 40, 1)
        .at_least(30)
        .growing()
        .value(|f| words(Some(&f.record.record.expression)))
        .cell(text)
        .filter(),
    Column::text("description", "DESCRIPTION", 30, 3)
        .at_least(24)
        .growing()
        .value(|f| words(Some(&f.record.record.description)))
        .cell(text)
        .filter(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::List,
        tui::{
            fixture,
            pane::{Pane, stage::Stage},
            widget::column::ambiguous,
        },
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn enter_filters_the_fleet_and_a_filter_that_cannot_be_read_has_no_count() {
        let mut stage = Stage::fleet(fixture::small());
        let line = |name: &str, expression: &str, count| FilterLine {
            record: FilterRecord {
                name: name.into(),
                expression: expression.into(),
                description: String::new(),
            },
            count,
        };
        let filters = vec![line("web", "group=web", Some(3)), line("odd", "gruop=web", None)];
        stage.world.lists.take(List::Filters(filters));
        let mut pane = FiltersPane::default();
        let lines = stage.draw(&mut pane, 100, 10);
        assert!(lines[1].contains("odd") && lines[1].contains('–'), "{lines:#?}");
        let wishes = stage.act(&mut pane, &[Action::Down, Action::Enter]);
        let is_used = |w: &Wish| matches!(w, Wish::Go { pane: PaneId::Fleet, look: Some(Look::Filter(f)), .. } if f == "group=web");
        assert!(wishes.iter().all(is_used) && wishes.len() == 1, "{wishes:?}");
        assert_eq!(pane.counts(), (2, 2));
    }
}
