//! Labels: each `key=value` with its colour and the instances that carry it. Renamed, coloured, made one with another, and taken off
//! all instances here. Enter shows who carries it.

use super::{
    Part,
    listed::{self, Line, ListPane, Listed, Words, count, name},
};
use crate::{
    model::{
        base::{figure::counted, filter::Value},
        fold::scope::Scope,
        inventory::{
            instance::InstanceId,
            record::{LabelColor, LabelRecord},
        },
        judge::health::Level,
    },
    protocol::{InventoryRequest, LabelLine, ListChange, ListId},
    tui::{
        action::Action,
        ask::{Ask, Blank, Tone},
        id::{PaneId, RowKey},
        view::View,
        widget::{
            column::{self, Kind, number, words},
            document::Document,
        },
        wish::Wish,
    },
};
use std::collections::HashMap;

/// Instances that the details name.
const NAMED: usize = 200;

/// The pane.
pub type LabelsPane = ListPane<Labels>;

/// Rows of the pane: a label each.
#[derive(Debug)]
pub enum Labels {}

impl Kind for Labels {
    type Row<'a> = Line<'a, Self>;
}

/// A label, and who carries it.
#[derive(Debug)]
pub struct Label {
    line: LabelLine,
    name: String,
    carriers: Vec<InstanceId>,
    production: usize,
}

impl Label {
    fn new(line: LabelLine) -> Self {
        Self { name: format!("{}={}", line.key, line.value), line, carriers: Vec::new(), production: 0 }
    }
}

impl Listed for Labels {
    type Record = Label;
    const LIST: Option<ListId> = Some(ListId::Labels);
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "label";
    const WORDS: Words = Words {
        order: "by name",
        no_match: "No label matches the filter.",
        none: &[
            "No label yet.",
            "A label is a key with a value, such as env=prod: filters, scopes and colours go by it.",
            "Instances get them in their form (i), many at once if they are marked in the fleet.",
        ],
        locked: "Labels are",
    };

    /// Those that the inventory knows, and those that the instances on the screen carry.
    fn records(view: &View<'_>) -> Vec<Label> {
        let known = view.lists.labels().unwrap_or(&[]).iter().cloned();
        let mut labels: Vec<Label> = known.map(Label::new).collect();
        let mut places: HashMap<String, usize> =
            labels.iter().enumerate().map(|(n, label)| (label.name.to_lowercase(), n)).collect();
        for i in &view.snapshot.instances {
            for (n, (key, value)) in i.info.labels.iter().enumerate() {
                let at = *places.entry(format!("{key}={value}").to_lowercase()).or_insert_with(|| {
                    let color = i.info.label_color(n);
                    let (key, value) = (key.to_string(), value.to_string());
                    labels.push(Label::new(LabelLine {
                        key,
                        value,
                        color,
                        changes_polling: false,
                        filters: Vec::new(),
                        written: None,
                    }));
                    labels.len() - 1
                });
                if let Some(label) = labels.get_mut(at) {
                    label.carriers.push(i.id().clone());
                    label.production += usize::from(i.info.is_production());
                }
            }
        }
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        labels
    }

    fn key(label: &Label) -> RowKey {
        RowKey::Group(label.name.as_str().into())
    }

    fn texts<'r>(label: &'r Label, with: &mut dyn FnMut(&'r str)) {
        with(&label.name);
    }

    fn open(label: &Label) -> Wish {
        let (key, value) = (label.line.key.as_str().into(), label.line.value.as_str().into());
        Wish::Go { pane: PaneId::Fleet, scope: Some(Scope::Label(key, value)), focus: None, look: None }
    }

    fn ask(action: Action, on: &[&Label], view: &View<'_>) -> Option<Result<Ask, String>> {
        let one = || match on {
            [one] => Ok(*one),
            [] => Err("no label is under the cursor".to_owned()),
            _ => Err("one label at a time: Esc takes the marks away".to_owned()),
        };
        Some(match action {
            Action::Add => Ok(form(None, view)),
            Action::Edit => one().map(|label| form(Some(label), view)),
            Action::Duplicate => one().and_then(|label| {
                Err(format!("a label has no copy: give {} another value on some instances", label.line.key))
            }),
            Action::Unite => match on {
                [one] => Ok(merge(&[*one], view)),
                [] => Err("no label is under the cursor".to_owned()),
                several => Ok(merge(several, view)),
            },
            Action::Remove => one().map(removal),
            _ => return None,
        })
    }

    fn tell(line: &Line<'_, Self>, document: &mut Document) {
        let (t, label) = (line.view.theme, line.record);
        if label.line.changes_polling {
            document.text("It changes how its instances are polled: `dbtop label poll`.", t.base);
        }
        if let Some((_, words)) = other_case(label) {
            document.text(words, t.warning);
        }
        if let Some((_, words)) = listed::lost(&label.line.filters) {
            document.text(words, t.base);
        }
        document.head("carried by");
        if label.carriers.is_empty() {
            document.text("nobody", t.dim);
        }
        for id in label.carriers.iter().take(NAMED) {
            document.text(id.to_string(), t.base);
        }
        if label.carriers.len() > NAMED {
            document.text(format!("and {} more", label.carriers.len() - NAMED), t.dim);
        }
    }

    fn title(labels: &[Label], _view: &View<'_>, out: &mut Vec<(Part, String)>) {
        out.push((Part::Plain, counted(labels.len(), "label")));
        let other = labels.iter().filter(|label| label.line.written.is_some()).count();
        if other > 0 {
            let words = format!("{other} with a key in another case: i writes it alike");
            out.push((Part::Level(Level::Warning), words));
        }
    }
}

/// All labels as they are typed, to complete to.
fn names(view: &View<'_>) -> Vec<String> {
    Labels::records(view).into_iter().map(|label| label.name).collect()
}

fn blanks(name: &str, color: LabelColor, hint: &str, view: &View<'_>) -> Vec<Blank> {
    let colors: Vec<&'static str> = LabelColor::ALL.iter().map(|color| color.as_str()).collect();
    let label = Blank { known: names(view), ..Blank::text("label", "Label", name, hint) };
    vec![label, Blank::choice("color", "Colour", colors, color.as_str())]
}

/// Key and value of `env=prod`.
fn parts(text: &str) -> Result<(String, String), (&'static str, String)> {
    let Some((key, value)) = text.split_once('=') else {
        return Err(("label", "write key=value, such as env=prod".to_owned()));
    };
    let record = LabelRecord::new(key.trim(), value.trim());
    record.validate().map_err(|e| ("label", e.problem))?;
    Ok((record.key, record.value))
}

/// For a new label, or to give one another name or colour.
fn form(label: Option<&Label>, view: &View<'_>) -> Ask {
    let of = label.map(|label| (label.line.key.clone(), label.line.value.clone()));
    let (title, name, color, hint) = match label {
        None => ("New label".to_owned(), "", LabelColor::Blue, "key=value, such as env=prod"),
        Some(label) => (
            format!("Label {}, on {}", label.name, counted(label.carriers.len(), "instance")),
            label.name.as_str(),
            label.line.color,
            "another name changes it on every instance; the name of another label makes the two one",
        ),
    };
    Ask::form(title, blanks(name, color, hint, view), move |answers| {
        let to = parts(answers.said("label"))?;
        let color = LabelColor::parse(answers.said("color")).unwrap_or(LabelColor::Gray);
        Ok(InventoryRequest::Change(ListChange::Label { of: of.iter().cloned().collect(), to, color }))
    })
    .with_lines(label.and_then(production).into_iter().collect())
    .with_lines(label.map(|label| listed::renamed(&label.line.filters)).unwrap_or_default())
    .with_lines(label.and_then(other_case).into_iter().collect())
}

/// To make labels one with another.
fn merge(labels: &[&Label], view: &View<'_>) -> Ask {
    let of: Vec<(String, String)> =
        labels.iter().map(|label| (label.line.key.clone(), label.line.value.clone())).collect();
    let names: Vec<&str> = labels.iter().map(|label| label.name.as_str()).collect();
    // The one that most carry keeps its name.
    let most = labels.iter().max_by_key(|label| label.carriers.len());
    let (name, color) = match (labels, most) {
        ([_, _, ..], Some(most)) => (most.name.as_str(), most.line.color),
        _ => ("", labels.first().map_or(LabelColor::Gray, |label| label.line.color)),
    };
    let title = format!("Make {} one label", names.join(", "));
    let hint = "the label that they become; if it is there already its colour stays";
    Ask::form(title, blanks(name, color, hint, view), move |answers| {
        let to = parts(answers.said("label"))?;
        let color = LabelColor::parse(answers.said("color")).unwrap_or(LabelColor::Gray);
        Ok(InventoryRequest::Change(ListChange::Label { of: of.clone(), to, color }))
    })
}

/// Said where production carries a label.
fn production(label: &Label) -> Option<(Tone, String)> {
    let words = format!("{} of them are production: what goes by this label may change.", label.production);
    (label.production > 0).then_some((Tone::Warning, words))
}

/// Said where other labels write the key in another case.
fn other_case(label: &Label) -> Option<(Tone, String)> {
    let usual = label.line.written.as_ref()?;
    let words = format!(
        "The key {} is written {usual} elsewhere, and filters take both for one: call it {usual}={} here.",
        label.line.key, label.line.value
    );
    Some((Tone::Warning, words))
}

fn removal(label: &Label) -> Ask {
    let n = label.carriers.len();
    let mut lines = Vec::new();
    if n > 0 {
        lines.push((Tone::Warning, format!("It is taken off {}.", counted(n, "instance"))));
        lines.extend(production(label));
        if label.line.changes_polling {
            lines.push((Tone::Warning, "What it says of polling goes with it.".to_owned()));
        }
        lines.extend(listed::lost(&label.line.filters));
    } else {
        lines.push((Tone::Aside, "Nobody carries it.".to_owned()));
    }
    let (key, value, name) = (label.line.key.clone(), label.line.value.clone(), label.name.clone());
    let word = if n > 0 { name.clone() } else { "yes".to_owned() };
    Ask::confirm(format!("Delete label {name}?"), lines, word, move || {
        InventoryRequest::Change(ListChange::RemoveLabel { key: key.clone(), value: value.clone() })
    })
}

type Column = column::Column<Labels>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    Column::text("label", "LABEL", 30, 0)
        .at_least(16)
        .frozen()
        .growing()
        .value(|l| words(Some(&l.record.name)))
        .cell(|l, v, out| {
            if let Some(Value::Text(v)) = v {
                out.put(l.view.theme.label(l.record.line.color), v);
            }
        })
        .filter(),
    Column::text("key", "KEY", 16, 3)
        .at_least(8)
        .value(|l| words(Some(&l.record.line.key)))
        .cell(name)
        .filter(),
    Column::text("color", "COLOUR", 8, 1)
        .value(|l| words(Some(l.record.line.color.as_str())))
        .cell(listed::text)
        .filter()
        .also(&["colour"]),
    Column::number("instances", "INSTANCES", 9, 0)
        .value(|l| number(Some(l.record.carriers.len() as f64)))
        .cell(count)
        .filter(),
    Column::number("production", "PRODUCTION", 10, 2)
        .value(|l| number(Some(l.record.production as f64)))
        .cell(count)
        .filter(),
    Column::text("polling", "POLLING", 12, 4)
        .value(|l| words(Some(if l.record.line.changes_polling { "of its own" } else { "" })))
        .cell(listed::text)
        .filter(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        fixture,
        pane::{Pane, stage::Stage},
        widget::column::ambiguous,
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn the_labels_of_the_fleet_are_counted() {
        let lines = Stage::fleet(fixture::small()).draw(&mut LabelsPane::default(), 100, 20);
        let row =
            |name: &str| lines.iter().find(|l| l.contains(name)).unwrap_or_else(|| panic!("{lines:#?}"));
        assert!(row("env=prod").contains("red") && row("env=prod").contains(" 5"), "{lines:#?}");
        assert!(row("team=orders").contains(" 8"), "{lines:#?}");
    }

    #[test]
    fn marked_labels_become_the_one_that_most_carry() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = LabelsPane::default();
        let wishes = stage.act(&mut pane, &[Action::Mark, Action::Mark, Action::Unite]);
        let [Wish::Ask(ask)] = &wishes[..] else { panic!("{wishes:?}") };
        let Ask::Form { title, blanks, .. } = &**ask else { panic!("{ask:?}") };
        assert!(title.contains("env=prod, env=reporting"), "{title}");
        assert!(format!("{blanks:?}").contains("Text(\"env=prod\")"), "{blanks:?}");
    }

    #[test]
    fn a_label_is_a_key_and_a_value() {
        assert_eq!(parts(" env = prod "), Ok(("env".to_owned(), "prod".to_owned())));
        assert!(parts("env").is_err() && parts("=prod").is_err() && parts("").is_err());
    }

    #[test]
    fn a_key_in_another_case_is_told_with_what_to_do_and_what_hangs_on_a_label_too() {
        let mut stage = Stage::fleet(fixture::small());
        let line = |key: &str, written: Option<&str>, filters: &[&str]| LabelLine {
            key: key.into(),
            value: "prod".into(),
            color: LabelColor::Red,
            changes_polling: false,
            filters: filters.iter().map(|name| (*name).to_owned()).collect(),
            written: written.map(str::to_owned),
        };
        let lines = vec![line("Tier", Some("tier"), &["gold"]), line("tier", None, &[])];
        stage.world.lists.take(crate::protocol::List::Labels(lines));
        let mut pane = LabelsPane::default();
        assert!(stage.title(&mut pane).contains("1 with a key in another case"));
        pane.set_filter("Tier").unwrap();
        let wishes = stage.act(&mut pane, &[Action::Edit]);
        let [Wish::Ask(ask)] = &wishes[..] else { panic!("{wishes:?}") };
        let Ask::Form { lines, .. } = &**ask else { panic!("{ask:?}") };
        let said: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
        assert!(said[0].contains("get the new name, too: gold"), "{said:?}");
        assert!(said[1].contains("call it tier=prod"), "{said:?}");
    }
}
