//! Groups: members, health and description of each, those in trouble first. Made, renamed, described and deleted here; `m` picks the
//! members from the fleet. Enter shows the members.

use super::{
    Part,
    listed::{self, Line, ListPane, Listed, Words, count, name, text},
    reading,
};
use crate::{
    model::{
        base::filter::Value,
        fold::{scope::Scope, snapshot::Counts},
        inventory::{instance::InstanceId, record::GroupRecord},
        judge::health::Level,
    },
    protocol::{InventoryRequest, ListChange, ListId},
    tui::{
        action::Action,
        ask::{Answers, Ask, Blank, Tone, Wrong},
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, number, words},
            document::Document,
        },
        wish::Wish,
    },
};
use std::collections::HashMap;

/// Members that the details name.
const NAMED: usize = 200;

/// The pane.
pub type GroupsPane = ListPane<Groups>;

/// Rows of the pane: a group each.
#[derive(Debug)]
pub enum Groups {}

impl Kind for Groups {
    type Row<'a> = Line<'a, Self>;
}

/// A group, and how its members are.
#[derive(Debug)]
pub struct Group {
    name: String,
    description: String,
    counts: Counts,
    members: Vec<InstanceId>,
    worst: Option<InstanceId>,
    /// the saved filters that name it
    filters: Vec<String>,
}

impl Group {
    fn new(record: &GroupRecord, filters: &[String]) -> Self {
        Self {
            name: record.name.clone(),
            description: record.description.clone(),
            counts: Counts::default(),
            members: Vec::new(),
            worst: None,
            filters: filters.to_vec(),
        }
    }
}

impl Listed for Groups {
    type Record = Group;
    const LIST: Option<ListId> = Some(ListId::Groups);
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "group";
    const WORDS: Words = Words {
        order: "those in trouble first",
        no_match: "No group matches the filter.",
        none: &[
            "No group yet.",
            "A group is a part of the fleet with a name: everything can be narrowed to it, by :@NAME.",
            "+ makes one, m picks its members; instances can be in several.",
        ],
        locked: "Groups are",
    };

    /// Those that the inventory knows, and those that the instances on the screen are in.
    fn records(view: &View<'_>) -> Vec<Group> {
        let known = view.lists.groups().unwrap_or(&[]).iter();
        let mut groups: Vec<Group> = known.map(|g| Group::new(&g.record, &g.filters)).collect();
        let mut places: HashMap<String, usize> =
            groups.iter().enumerate().map(|(n, g)| (g.name.to_lowercase(), n)).collect();
        let mut scores: Vec<Option<u8>> = vec![None; groups.len()];
        for i in &view.snapshot.instances {
            for name in &i.info.groups {
                let at = *places.entry(name.to_lowercase()).or_insert_with(|| {
                    let record = GroupRecord { name: name.to_string(), description: String::new() };
                    groups.push(Group::new(&record, &[]));
                    scores.push(None);
                    groups.len() - 1
                });
                let (Some(group), Some(score)) = (groups.get_mut(at), scores.get_mut(at)) else { continue };
                group.counts.add(i.health.level);
                group.members.push(i.id().clone());
                if i.health.level >= Level::Warning
                    && score.is_none_or(|s| i.health.score.is_some_and(|n| n < s))
                {
                    *score = i.health.score;
                    group.worst = Some(i.id().clone());
                }
            }
        }
        groups.sort_by(|a, b| {
            let rank = |g: &Group| (g.counts.critical, g.counts.warning, g.counts.total());
            rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name))
        });
        groups
    }

    fn key(group: &Group) -> RowKey {
        RowKey::Group(group.name.as_str().into())
    }

    fn texts<'r>(group: &'r Group, with: &mut dyn FnMut(&'r str)) {
        with(&group.name);
        with(&group.description);
    }

    fn open(group: &Group) -> Wish {
        let scope = Some(Scope::Group(group.name.as_str().into()));
        Wish::Go { pane: PaneId::Fleet, scope, focus: None, look: None }
    }

    fn ask(action: Action, on: &[&Group], _view: &View<'_>) -> Option<Result<Ask, String>> {
        let one = || match on {
            [one] => Ok(*one),
            [] => Err("no group is under the cursor".to_owned()),
            _ => Err("one group at a time: Esc takes the marks away".to_owned()),
        };
        Some(match action {
            Action::Add => Ok(form("New group".to_owned(), None, "", "")),
            Action::Duplicate => one().map(copy),
            Action::Edit => one().map(|g| {
                form(format!("Group {}", g.name), Some(g.name.clone()), &g.name, &g.description)
                    .with_lines(listed::renamed(&g.filters))
            }),
            Action::Members => one().map(members),
            Action::Remove => one().map(removal),
            _ => return None,
        })
    }

    fn tell(line: &Line<'_, Self>, document: &mut Document) {
        document.head("members");
        if line.record.members.is_empty() {
            document.text("none: m picks them from the fleet", line.view.theme.dim);
        }
        for id in line.record.members.iter().take(NAMED) {
            let Some(i) = line.view.snapshot.find(id) else { continue };
            let mut text = format!("{} {id}", reading::sign(&i.health));
            if let Some(reason) = i.health.reasons.first() {
                text.push_str("  ");
                text.push_str(&reason.told(line.view.zone));
            }
            document.text(text, reading::level_style(line.view.theme, i.health.level));
        }
        if line.record.members.len() > NAMED {
            document.text(format!("and {} more", line.record.members.len() - NAMED), line.view.theme.dim);
        }
    }

    fn title(groups: &[Group], _view: &View<'_>, out: &mut Vec<(Part, String)>) {
        out.push((Part::Plain, crate::model::base::figure::counted(groups.len(), "group")));
    }
}

/// What the fields say of a group.
fn record(answers: &dyn Answers) -> Result<GroupRecord, Wrong> {
    let record = GroupRecord {
        name: answers.said("name").to_owned(),
        description: answers.said("description").to_owned(),
    };
    record.validate().map_err(|e| (e.field, e.problem))?;
    Ok(record)
}

fn blanks(name: &str, description: &str) -> Vec<Blank> {
    vec![
        Blank::text("name", "Name", name, "short: it stands in crumbs and after :@"),
        Blank::text(
            "description",
            "Description",
            description,
            "for people: what these instances have in common",
        ),
    ]
}

fn form(title: String, of: Option<String>, name: &str, description: &str) -> Ask {
    Ask::form(title, blanks(name, description), move |answers| {
        let change = ListChange::Group { of: of.clone(), record: record(answers)? };
        Ok(InventoryRequest::Change(change))
    })
}

/// A new group with the same members.
fn copy(group: &Group) -> Ask {
    let members = group.members.clone();
    let title = format!("New group with the members of {}", group.name);
    Ask::form(title, blanks("", &group.description), move |answers| {
        Ok(InventoryRequest::Change(ListChange::CopyGroup {
            record: record(answers)?,
            members: members.clone(),
        }))
    })
}

fn members(group: &Group) -> Ask {
    let name = group.name.clone();
    Ask::Pick {
        title: format!("Members of {name}"),
        chosen: group.members.clone(),
        make: Box::new(move |join, leave| {
            InventoryRequest::Change(ListChange::Members { group: name.clone(), join, leave })
        }),
    }
}

fn removal(group: &Group) -> Ask {
    let n = group.members.len();
    let mut lines = Vec::new();
    match n {
        0 => lines.push((Tone::Aside, "It has no members.".to_owned())),
        1 => lines
            .push((Tone::Warning, "1 instance is in it: the instance stays, without the group.".to_owned())),
        _ => lines.push((Tone::Warning, format!("{n} instances are in it: they stay, without the group."))),
    }
    if n > 0 {
        let names: Vec<&str> = group.members.iter().take(8).map(InstanceId::as_str).collect();
        let more = if n > 8 { format!(" and {} more", n - 8) } else { String::new() };
        lines.push((Tone::Plain, format!("{}{more}", names.join(", "))));
        lines.push((
            Tone::Plain,
            format!("Scopes, saved filters and scripts that name @{} find nothing then.", group.name),
        ));
    }
    lines.extend(listed::lost(&group.filters));
    lines.push((
        Tone::Aside,
        format!("`dbtop group restore {}` brings it back with its members.", group.name),
    ));
    let name = group.name.clone();
    let word = if n > 0 { name.clone() } else { "yes".to_owned() };
    Ask::confirm(format!("Delete group {name}?"), lines, word, move || {
        InventoryRequest::Change(ListChange::RemoveGroup(name.clone()))
    })
}

type Column = column::Column<Groups>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    Column::text("group", "GROUP", 20, 0)
        .at_least(12)
        .frozen()
        .value(|g| words(Some(&g.record.name)))
        .cell(name)
        .filter()
        .also(&["name"]),
    Column::number("members", "MEMBERS", 7, 0)
        .value(|g| number(Some(f64::from(g.record.counts.total()))))
        .cell(count)
        .filter(),
    Column::number("critical", "✖ CRIT", 6, 0)
        .value(|g| number(Some(f64::from(g.record.counts.critical))))
        .cell(|g, v, out| health(g, v, Level::Critical, out))
        .filter(),
    Column::number("warning", "▲ WARN", 6, 0)
        .value(|g| number(Some(f64::from(g.record.counts.warning))))
        .cell(|g, v, out| health(g, v, Level::Warning, out))
        .filter(),
    Column::number("unknown", "○ N/A", 6, 2)
        .value(|g| number(Some(f64::from(g.record.counts.unknown))))
        .cell(|g, v, out| health(g, v, Level::Unknown, out))
        .filter(),
    Column::number("ok", "● OK", 6, 1)
        .value(|g| number(Some(f64::from(g.record.counts.ok))))
        .cell(|g, v, out| health(g, v, Level::Ok, out))
        .filter(),
    Column::text("worst", "WORST", 16, 3)
        .at_least(10)
        .value(|g| words(g.record.worst.as_ref().map(InstanceId::as_str)))
        .cell(text)
        .filter(),
    Column::text("description", "DESCRIPTION", 30, 4)
        .at_least(12)
        .growing()
        .value(|g| words(Some(&g.record.description)))
        .cell(text)
        .filter(),
];

/// So many members at a level, in its colour; none is dimmed.
fn health(line: &Line<'_, Groups>, v: Option<Value<'_>>, level: Level, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(n) if n > 0.0 => out.fmt(reading::level_style(line.view.theme, level), format_args!("{n:.0}")),
        _ => out.put(line.view.theme.dim, "0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{GroupLine, List},
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

    fn stage() -> Stage {
        let mut stage = Stage::fleet(fixture::small());
        let group = |name: &str, description: &str| GroupLine {
            record: GroupRecord { name: name.to_owned(), description: description.to_owned() },
            filters: Vec::new(),
        };
        stage.world.lists.take(List::Groups(vec![group("Prod", "earns the money"), group("empty", "")]));
        stage
    }

    #[test]
    fn a_group_of_the_inventory_and_of_the_fleet_is_one_row_and_an_empty_one_is_seen() {
        let lines = stage().draw(&mut GroupsPane::default(), 120, 20);
        assert!(lines[1].contains("Prod") && lines[1].contains("earns the money"), "{lines:#?}");
        let rows = |name: &str| lines.iter().filter(|l| l.to_lowercase().contains(name)).count();
        assert_eq!([rows("prod "), rows("empty"), rows("test ")], [1, 1, 1], "{lines:#?}");
    }

    #[test]
    fn what_hangs_on_a_group_is_said_before_it_is_deleted() {
        let stage = stage();
        let mut pane = GroupsPane::default();
        let wishes = stage.act(&mut pane, &[Action::Remove]);
        let [Wish::Ask(ask)] = &wishes[..] else { panic!("{wishes:?}") };
        let Ask::Form { lines, word, .. } = &**ask else { panic!("{ask:?}") };
        assert_eq!(word.as_deref(), Some("Prod"));
        assert!(lines[0].1.contains("5 instances are in it"), "{lines:?}");
        assert!(lines.iter().any(|(_, l)| l.contains("sqlprd-014")), "{lines:?}");
    }

    #[test]
    fn no_row_no_question() {
        let stage = stage();
        let mut pane = GroupsPane::default();
        pane.set_filter("zzz").unwrap();
        for action in [Action::Edit, Action::Remove, Action::Members, Action::Duplicate] {
            let wishes = stage.act(&mut pane, &[action]);
            assert!(matches!(&wishes[..], [Wish::Say(..)]), "{action:?}: {wishes:?}");
        }
        assert!(stage.act(&mut pane, &[Action::Enter, Action::Details, Action::Copy]).is_empty());
    }
}
