//! The audit log: who changed what, when, and how it went, the newest first. With one instance in scope its entries alone. What the
//! filter asks for is looked for in all entries that are kept, and the title says how far. Reads only: nothing can change an entry.

use super::{
    Part,
    listed::{Line, ListPane, Listed, Words, name, text},
};
use crate::{
    model::{
        base::{figure, filter::Value},
        inventory::record::{AuditEntry, AuditRow, Outcome},
        judge::health::Level,
    },
    protocol::{InventoryRequest, ListId},
    tui::{
        action::Action,
        ask::{Ask, Blank, Tone},
        id::RowKey,
        view::View,
        widget::{
            column::{self, Kind, number, words},
            document::Document,
        },
    },
};
use std::sync::Arc;

/// The pane.
pub type AuditPane = ListPane<Audit>;

/// Rows of the pane: an entry each.
#[derive(Debug)]
pub enum Audit {}

impl Kind for Audit {
    type Row<'a> = Line<'a, Self>;
}

/// An entry, with its time in words.
#[derive(Debug)]
pub struct Row {
    entry: Arc<AuditEntry>,
    at: String,
}

impl Listed for Audit {
    type Record = Row;
    const LIST: Option<ListId> = Some(ListId::Audit);
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "seq";
    const WORDS: Words = Words {
        order: "newest first",
        no_match: "No entry matches the filter.",
        none: &[
            "No entry.",
            "The audit log has one for every change of the inventory and of the vault: who, what, when, and how it went.",
            "A fleet without a vault has no audit log.",
        ],
        locked: "The audit log is",
    };

    fn records(view: &View<'_>) -> Vec<Row> {
        let Some(list) = view.lists.audit() else { return Vec::new() };
        let row = |entry: &Arc<AuditEntry>| Row { at: view.zone.instant(entry.at), entry: Arc::clone(entry) };
        match view.single() {
            Some(i) => list.about(i.id().as_str()).map(row).collect(),
            None => list.entries.iter().map(row).collect(),
        }
    }

    fn key(row: &Row) -> RowKey {
        RowKey::Entry(row.entry.seq)
    }

    fn texts<'r>(row: &'r Row, with: &mut dyn FnMut(&'r str)) {
        AuditRow::texts(&row.entry, &row.at, with);
    }

    const OF_ALL: Option<Action> = Some(Action::Export);
    const HEAD: &'static str = "entry ";

    fn ask(action: Action, on: &[&Row], _view: &View<'_>) -> Option<Result<Ask, String>> {
        (action == Action::Export).then(|| match on {
            [] => Err("no entry is shown: nothing to export".to_owned()),
            rows => Ok(export(rows)),
        })
    }

    fn tell(line: &Line<'_, Self>, document: &mut Document) {
        let (e, t) = (&line.record.entry, line.view.theme);
        let about = [
            ("login user", &e.author.login),
            ("terminal", &e.author.tty),
            ("SSH client", &e.author.ssh_client),
        ];
        for (name, text) in about {
            document.field(name, t.base, |s| s.push_str(text.as_deref().unwrap_or("")));
        }
        document.head("it is whole if");
        document.text("`dbtop audit verify` follows the chain of all entries and says so.", t.dim);
    }

    fn title(rows: &[Row], view: &View<'_>, out: &mut Vec<(Part, String)>) {
        let Some(list) = view.lists.audit() else { return };
        let told = if rows.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", rows.len()) };
        if list.read >= list.total {
            return out.push((Part::Plain, told));
        }
        let mut among = format!("{told}, among the newest ");
        figure::push_grouped(&mut among, list.read as i64);
        among.push_str(" of ");
        figure::push_grouped(&mut among, list.total as i64);
        let reached = list.reached.map(|at| view.zone.instant(at));
        if let Some(at) = &reached {
            among.extend([", back to ", at]);
        }
        out.push(if list.goes_on {
            (Part::Accent, format!("searching: {among}"))
        } else {
            let further = if reached.is_some() { ": / date<DAY looks further" } else { "" };
            (Part::Level(Level::Warning), among + further)
        });
    }
}

/// Asks for the file; the entries are those that are shown now.
fn export(rows: &[&Row]) -> Ask {
    let entries: Vec<u64> = rows.iter().map(|row| row.entry.seq).collect();
    let title = match entries.len() {
        1 => "Export 1 entry".to_owned(),
        n => format!("Export {n} entries"),
    };
    let blanks = vec![Blank::text(
        "file",
        "File",
        "",
        "ends in .csv or .json, and is not there yet; only you can read it",
    )];
    let lines = vec![(Tone::Aside, "The audit log has an entry about it, with its SHA-256.".to_owned())];
    let form = Ask::form(title, blanks, move |answers| match answers.said("file") {
        "" => Err(("file", "which file? Such as audit.csv".to_owned())),
        file => Ok(InventoryRequest::ExportAudit { file: file.into(), entries: entries.clone() }),
    });
    form.with_lines(lines)
}

type Column = column::Column<Audit>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    Column::text("at", "AT", 23, 0)
        .frozen()
        .value(|e| words(Some(&e.record.at)))
        .cell(text)
        .filter()
        .also(&["date"]),
    Column::text("user", "WHO", 16, 1)
        .at_least(8)
        .value(|e| words(Some(&e.record.entry.author.user)))
        .cell(name)
        .filter()
        .also(&["who"]),
    Column::text("action", "ACTION", 10, 0)
        .at_least(7)
        .value(|e| words(Some(&e.record.entry.action)))
        .cell(text)
        .filter(),
    Column::text("entity", "ENTITY", 9, 1)
        .at_least(8)
        .value(|e| words(Some(&e.record.entry.entity)))
        .cell(text)
        .filter(),
    Column::text("name", "NAME", 22, 0)
        .at_least(10)
        .value(|e| words(Some(&e.record.entry.name)))
        .cell(text)
        .filter(),
    Column::text("outcome", "OUTCOME", 8, 2)
        .value(|e| {
            words(Some(match e.record.entry.outcome {
                Outcome::Done => "done",
                Outcome::Refused(_) => "refused",
            }))
        })
        .cell(|e, v, out| match v {
            Some(Value::Text("refused")) => out.put(e.view.theme.warning, "refused"),
            v => text(e, v, out),
        })
        .filter(),
    Column::text("detail", "WHAT CHANGED", 40, 3)
        .at_least(14)
        .growing()
        .value(|e| {
            words(Some(match &e.record.entry.outcome {
                Outcome::Refused(why) => why,
                Outcome::Done => &e.record.entry.detail,
            }))
        })
        .cell(text)
        .filter(),
    Column::number("seq", "NO", 7, 6)
        .value(|e| number(Some(e.record.entry.seq as f64)))
        .cell(|e, _, out| out.fmt(e.view.theme.dim, format_args!("{}", e.record.entry.seq)))
        .filter(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::inventory::record::Author,
        protocol::{AuditList, List},
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

    fn entry(seq: u64, action: &str, entity: &str, name: &str, outcome: Outcome) -> Arc<AuditEntry> {
        Arc::new(AuditEntry {
            seq,
            at: fixture::NOW.plus_ms(-86_400_000 * (10 - seq as i64)),
            author: Author { user: "mira (1000)".into(), ..Author::default() },
            action: action.into(),
            entity: entity.into(),
            name: name.into(),
            outcome,
            detail: String::new(),
            id: None,
        })
    }

    fn told(mut stage: Stage) -> Stage {
        let refused = Outcome::Refused("its name is taken".into());
        let entries = vec![
            entry(9, "edit", "instance", "sqlprd-014", Outcome::Done),
            entry(8, "add", "group", "prod", refused),
            entry(7, "add", "instance", "sqlprd-003", Outcome::Done),
        ];
        stage.world.lists.take(List::Audit(AuditList { entries, total: 9, read: 3, ..AuditList::default() }));
        stage
    }

    #[test]
    fn filters_ask_by_action_entity_name_and_date() {
        let stage = told(Stage::fleet(fixture::small()));
        let mut pane = AuditPane::default();
        let mut kept = |filter: &str| {
            pane.set_filter(filter).unwrap();
            pane.rebuild(&stage.view());
            pane.counts().0
        };
        assert_eq!(kept("action=add entity=instance"), 1);
        assert_eq!(kept("name=sqlprd-*"), 2);
        assert_eq!(kept("date=2026-11-19*"), 1);
        assert_eq!(kept("outcome=refused taken"), 1, "why it was refused is searched, too");
        assert_eq!(kept("mira"), 3);
        assert!(stage.title(&mut pane).contains("the newest 3 of 9"));
    }

    #[test]
    fn one_instance_in_scope_has_its_own_entries() {
        let stage = told(Stage::one(fixture::small(), "sqlprd-014"));
        let mut pane = AuditPane::default();
        let lines = stage.draw(&mut pane, 120, 10);
        assert!(lines[1].contains("edit") && pane.counts() == (1, 1), "{lines:#?}");
    }
    #[test]
    fn the_title_says_how_far_it_was_searched_and_that_it_goes_on() {
        let mut stage = told(Stage::fleet(fixture::small()));
        let mut title = |goes_on, read| {
            let reached = Some(fixture::NOW);
            let list = AuditList { total: 60_000, read, goes_on, reached, ..AuditList::default() };
            stage.world.lists.take(List::Audit(list));
            stage.title(&mut AuditPane::default())
        };
        assert!(
            title(true, 12_000)
                .contains("searching: 0 entries, among the newest 12,000 of 60,000, back to 20")
        );
        assert!(title(false, 12_000).contains("/ date<DAY looks further"));
        assert!(!title(false, 60_000).contains("among"));
    }

    #[test]
    fn the_search_through_the_log_asks_what_the_columns_ask() {
        use crate::model::base::filter::Row as _;
        let stage = Stage::fleet(fixture::small());
        let view = stage.view();
        for outcome in [Outcome::Done, Outcome::Refused("its name is taken".into())] {
            let entry = entry(9, "edit", "instance", "sqlprd-014", outcome);
            let row = Row { at: view.zone.instant(entry.at), entry: Arc::clone(&entry) };
            let line = Line::<Audit> { view: &view, record: &row };
            let searched = AuditRow { entry: &entry, at: &row.at };
            let values = |row: &dyn crate::model::base::filter::Row, key: &str| {
                let mut found = Vec::new();
                row.values(key, &mut |value| found.push(format!("{value:?}")));
                found
            };
            for key in AuditRow::FILTER_KEYS {
                assert_eq!(values(&line, key), values(&searched, key), "{key}");
            }
            let asked = COLUMNS.iter().flat_map(|c| std::iter::once(&c.id).chain(c.also));
            assert!(asked.clone().all(|key| AuditRow::FILTER_KEYS.contains(key)));
            let (mut shown, mut found) = (String::new(), String::new());
            line.text(&mut shown);
            searched.text(&mut found);
            assert_eq!(shown, found);
        }
    }
}
