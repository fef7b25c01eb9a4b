//! The settings: every option with its value, where it comes from, its default and what it means. Enter edits one in the configuration
//! file, whose comments stay; `D` takes it out of there, so that its default counts. What is not allowed is refused with its reason.

use super::{
    Part,
    listed::{Line, ListPane, Listed, Words, name, not_one, text},
};
use crate::{
    model::{
        base::{figure::counted, filter::Value},
        judge::health::Level,
    },
    protocol::{InventoryRequest, ListId, SettingLine},
    tui::{
        action::Action,
        ask::{Ask, Blank, Tone},
        id::RowKey,
        view::View,
        widget::{
            column::{self, Kind, words},
            document::Document,
        },
        wish::Wish,
    },
};
use std::fmt::Write as _;

/// The pane.
pub type SettingsPane = ListPane<Options>;

/// Rows of the pane: an option each.
#[derive(Debug)]
pub enum Options {}

impl Kind for Options {
    type Row<'a> = Line<'a, Self>;
}

impl Listed for Options {
    type Record = SettingLine;
    const LIST: Option<ListId> = Some(ListId::Settings);
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "option";
    const WORDS: Words = Words {
        order: "by name",
        no_match: "No option matches the filter.",
        none: &["The settings are being read …", "`dbtop config list` shows them, too."],
        locked: "Settings are",
    };
    const NEEDS_KEY: bool = false;

    fn records(view: &View<'_>) -> Vec<SettingLine> {
        view.lists.settings().map_or_else(Vec::new, |settings| settings.lines.clone())
    }

    fn key(line: &SettingLine) -> RowKey {
        RowKey::Group(line.key.as_str().into())
    }

    fn texts<'r>(line: &'r SettingLine, with: &mut dyn FnMut(&'r str)) {
        for text in [&line.key, &line.value, &line.from, &line.help] {
            with(text);
        }
    }

    fn open(_: &SettingLine) -> Wish {
        Wish::Do(Action::Edit)
    }

    fn refuses(action: Action, on: &[&SettingLine], view: &View<'_>) -> Option<String> {
        // Enter edits, too.
        let is_removal = match action {
            Action::Enter | Action::Edit => false,
            Action::Remove => true,
            _ => return None,
        };
        if let Some(words) = not_one("option", on) {
            return Some(words);
        }
        if file(view).is_empty() {
            return Some(NO_FILE.to_owned());
        }
        let outside = on.iter().find(|line| is_removal && !line.is_in_file);
        outside.map(|line| format!("{} is not in the file: it comes from {}", line.key, line.from))
    }

    fn ask(action: Action, on: &[&SettingLine], view: &View<'_>) -> Option<Ask> {
        Some(match (action, on) {
            (Action::Edit, [line]) => edit(line, file(view)),
            (Action::Remove, [line]) => unset(line, file(view)),
            _ => return None,
        })
    }

    fn foot(line: &SettingLine) -> Option<&str> {
        Some(&line.help)
    }

    fn tell(line: &Line<'_, Self>, document: &mut Document) {
        for (words, is_so) in about(line.record) {
            if is_so {
                document.text(words, line.view.theme.base);
            }
        }
    }

    fn title(lines: &[SettingLine], view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let Some(settings) = view.lists.settings() else { return };
        let own: Vec<&str> =
            lines.iter().filter(|line| line.from != "default").map(|line| line.key.as_str()).collect();
        let mut told = format!("{} of {} are not the default", own.len(), counted(lines.len(), "option"));
        for (n, key) in own.iter().take(NAMED).enumerate() {
            told.push_str(if n == 0 { ": " } else { ", " });
            told.push_str(key);
        }
        if own.len() > NAMED {
            // Writing to a String cannot fail.
            let _ = write!(told, ", +{}", own.len() - NAMED);
        }
        out.push((Part::Plain, told));
        if let Some(first) = settings.problems.first() {
            let more = settings.problems.len() - 1;
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            out.push((Part::Level(Level::Critical), format!("{first}{more}")));
        }
        if !settings.file.is_empty() {
            out.push((Part::Plain, settings.file.clone()));
        }
    }
}

/// The file that edits go into; empty: there is none.
fn file<'v>(view: &'v View<'_>) -> &'v str {
    view.lists.settings().map_or("", |settings| settings.file.as_str())
}

/// Options that the title names.
const NAMED: usize = 3;

/// Why nothing can be edited where there is no file.
const NO_FILE: &str = "no configuration file: name one with --config, and dbtop writes to it";

/// What is to be known before an edit, and whether it is so.
fn about(line: &SettingLine) -> [(String, bool); 2] {
    [
        (
            format!(
                "It is set by {}, which is stronger: an edit of the file counts once that is gone.",
                line.from
            ),
            line.is_overruled,
        ),
        ("An edit counts from the next start on.".to_owned(), line.waits_for_start),
    ]
}

fn edit(line: &SettingLine, file: &str) -> Ask {
    let mut lines = vec![(Tone::Plain, line.help.clone())];
    lines
        .extend(about(line).into_iter().filter(|(_, is_so)| *is_so).map(|(words, _)| (Tone::Warning, words)));
    lines.push((Tone::Aside, format!("Now from: {}. Saved into {file}, whose comments stay.", line.from)));
    let key = line.key.clone();
    let default = if line.default.is_empty() { String::new() } else { format!("default: {}", line.default) };
    Ask::Form {
        title: line.key.clone(),
        lines,
        blanks: vec![Blank::old("value", "Value", &line.value, &default)],
        word: None,
        make: Box::new(move |answers| {
            let value = Some(answers.said("value").to_owned());
            Ok(InventoryRequest::Set { key: key.clone(), value })
        }),
    }
}

fn unset(line: &SettingLine, file: &str) -> Ask {
    let lines = vec![
        (Tone::Plain, format!("{} = {}", line.key, line.value)),
        (
            Tone::Plain,
            format!(
                "Without it {} counts.",
                if line.default.is_empty() { "the default" } else { &line.default }
            ),
        ),
    ];
    let key = line.key.clone();
    Ask::confirm(format!("Take {key} out of {file}?"), lines, "yes", move || InventoryRequest::Set {
        key: key.clone(),
        value: None,
    })
}

type Column = column::Column<Options>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    Column::text("option", "OPTION", 30, 0)
        .at_least(22)
        .frozen()
        .value(|o| words(Some(&o.record.key)))
        .cell(name)
        .filter()
        .also(&["key"]),
    Column::text("value", "VALUE", 22, 0)
        .at_least(12)
        .value(|o| words(Some(&o.record.value)))
        .cell(|o, v, out| match v {
            Some(Value::Text(v)) if o.record.from != "default" => out.put(o.view.theme.accent, v),
            v => text(o, v, out),
        })
        .filter(),
    Column::text("from", "FROM", 22, 1)
        .at_least(10)
        .value(|o| words(Some(&o.record.from)))
        .cell(|o, v, out| match v {
            Some(Value::Text(v)) if o.record.is_overruled => out.put(o.view.theme.warning, v),
            Some(Value::Text(v)) => out.put(o.view.theme.dim, v),
            _ => {}
        })
        .filter(),
    Column::text("default", "DEFAULT", 16, 4)
        .at_least(10)
        .value(|o| words(Some(&o.record.default)))
        .cell(text)
        .filter(),
    Column::text("help", "WHAT IT MEANS", 40, 3)
        .at_least(20)
        .growing()
        .value(|o| words(Some(&o.record.help)))
        .cell(|o, v, out| {
            if let Some(Value::Text(v)) = v {
                out.put(o.view.theme.dim, v);
            }
        })
        .filter(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{List, Settings},
        tui::{fixture, pane::stage::Stage, widget::column::ambiguous},
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    fn stage(file: &str) -> Stage {
        let mut stage = Stage::fleet(fixture::small());
        let line = |key: &str, value: &str, from: &str, is_in_file, is_overruled| SettingLine {
            key: key.into(),
            value: value.into(),
            default: "30".into(),
            from: from.into(),
            is_in_file,
            is_overruled,
            waits_for_start: false,
            help: "seconds between polls".into(),
        };
        let lines = vec![
            line("poll.fleet_s", "60", "DBTOP_POLL_FLEET_S", true, true),
            line("poll.focus_s", "2", "default", false, false),
        ];
        let settings = Settings { file: file.into(), problems: Vec::new(), lines };
        stage.world.lists.take(List::Settings(Box::new(settings)));
        stage
    }

    #[test]
    fn an_option_that_something_stronger_sets_says_so_before_it_is_edited() {
        let stage = stage("/etc/dbtop.toml");
        let wishes = stage.act(&mut SettingsPane::default(), &[Action::Edit]);
        let [Wish::Ask(ask)] = &wishes[..] else { panic!("{wishes:?}") };
        let Ask::Form { lines, .. } = &**ask else { panic!("{ask:?}") };
        assert!(lines.iter().any(|(_, l)| l.contains("set by DBTOP_POLL_FLEET_S")), "{lines:?}");
    }

    #[test]
    fn what_is_not_in_the_file_cannot_be_taken_out_and_without_a_file_nothing_is_edited() {
        let said =
            |stage: &Stage, actions: &[Action]| match &stage.act(&mut SettingsPane::default(), actions)[..] {
                [Wish::Say(_, words)] => words.clone(),
                other => panic!("{other:?}"),
            };
        assert!(said(&stage("/etc/dbtop.toml"), &[Action::Down, Action::Remove]).contains("not in the file"));
        assert_eq!(said(&stage(""), &[Action::Edit]), NO_FILE);
        let wishes = stage("/x").act(&mut SettingsPane::default(), &[Action::Enter]);
        assert!(matches!(wishes[..], [Wish::Do(Action::Edit)]), "{wishes:?}");
    }
}
