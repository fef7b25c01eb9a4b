//! Deadlocks: what recurs on each instance, the last one first, with how often it happened. Enter draws the newest report of a
//! pattern; the older ones are a key away there. Above the patterns of one instance stand the chart of all its deadlocks and that of
//! the pattern under the cursor. Where nothing records deadlocks, a key shows a script that changes that.

use super::{
    Part,
    figure::Figure,
    kept::Kept,
    parts::{self, By, Line, Parts, PartsPane, Words, text},
    who::push_who,
};
use crate::{
    deadlock::session,
    model::{
        base::{figure, filter::Value, time::Timestamp},
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::{
            Facts,
            deadlocks::{self, DeadlockPattern, DeadlockReport, DeadlockTable},
            id::SeriesId,
            properties::Hosting,
            reading::{Reading, Unavailable},
            statement::{SqlText, Statement},
        },
    },
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, words},
            document::Document,
        },
        wish::Wish,
    },
};
use std::{fmt::Write as _, sync::Arc};

const PER_MINUTE: Figure = Figure::plain("deadlocks per minute", SeriesId::Deadlocks, 4.0);

const HOUR_MS: i64 = 3_600_000;

/// Digits of a fingerprint that the title of a chart leaves out.
const HIDDEN_DIGITS: usize = 8;

/// Times that the details list.
const TIMES: usize = 12;

/// The pane.
pub type DeadlocksPane = PartsPane<Deadlocks>;

/// Rows of the pane: a pattern of an instance each.
#[derive(Debug)]
pub enum Deadlocks {}

impl Kind for Deadlocks {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Deadlocks {
    type Table = DeadlockTable;
    type Part = DeadlockPattern;
    const PANE: PaneId = PaneId::Deadlocks;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "pattern";
    const ORDER: &'static [By<DeadlockPattern>] = &[|p| Some(p.last_at().ms() as f64)];
    const FIGURES: &'static [Figure] = &[PER_MINUTE];
    const WORDS: Words = Words {
        order: "the last one first",
        left_out: "older patterns",
        no_match: "No deadlock matches the filter.",
        unknown: "Which deadlocks there were",
        nothing: "No deadlock was recorded",
        nameless: "a pattern",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<DeadlockTable>> {
        &facts.deadlocks
    }

    fn parts(table: &DeadlockTable) -> (&[DeadlockPattern], u64) {
        (&table.patterns, table.left_out)
    }

    fn key(instance: &InstanceId, pattern: &DeadlockPattern) -> RowKey {
        RowKey::Deadlock(instance.clone(), pattern.fingerprint)
    }

    fn open(key: &RowKey) -> Wish {
        match key {
            RowKey::Deadlock(instance, fingerprint) => Wish::Deadlock(instance.clone(), *fingerprint),
            other => Wish::Details(other.clone()),
        }
    }

    fn kept(line: &Line<'_, Self>) -> Vec<Kept> {
        let pattern = line.part;
        let mut title = format!("{} {}", pattern.kind, deadlocks::fingerprint(pattern.fingerprint));
        title.truncate(title.len().saturating_sub(HIDDEN_DIGITS));
        vec![Kept::of_events(title, pattern.series())]
    }

    fn about(_: &InstanceSnapshot, table: &DeadlockTable, view: &View<'_>) -> Vec<Vec<(Part, String)>> {
        let source = table.source_words().map(|words| vec![(Part::Plain, words)]);
        let failed = failure(view).map(|words| vec![(Part::Level(Level::Warning), words)]);
        source.into_iter().chain(failed).collect()
    }

    fn look(action: Action, view: &View<'_>) -> Option<Wish> {
        (action == Action::RecordDeadlocks).then(|| match view.single() {
            Some(i) => Wish::Read(script(i, view)),
            None => Wish::Say(Level::Ok, "the script depends on the server: s leads to one".to_owned()),
        })
    }

    fn advice(view: &View<'_>) -> Vec<String> {
        let Some(i) = view.single() else { return Vec::new() };
        match &i.facts.deadlocks.problem {
            Some(Unavailable::Missing(_)) => {
                vec!["S shows a script for a session that records them; dbtop makes none itself.".to_owned()]
            }
            _ => failure(view).into_iter().collect(),
        }
    }

    /// It came back.
    fn is_problem(pattern: &DeadlockPattern) -> bool {
        pattern.times > 1
    }

    fn texts<'p>(pattern: &'p DeadlockPattern, with: &mut dyn FnMut(&'p str)) {
        with(&pattern.kind);
        let Some(newest) = pattern.newest() else { return };
        newest.objects.iter().chain(&newest.databases).for_each(|name| with(name));
        for party in &newest.parties {
            party.who.texts(with);
            party.place.iter().for_each(|place| with(place));
        }
    }

    fn told(tables: &mut dyn Iterator<Item = &DeadlockTable>) -> Option<String> {
        let (times, at_least) = tables.fold((0_u64, false), |(times, at_least), table| {
            let own: u64 = table.patterns.iter().map(|pattern| pattern.times).sum();
            let lacks = table.first_told().is_some_and(|first| table.may_lack(first));
            (times.saturating_add(own), at_least || lacks || table.left_out > 0)
        });
        (times > 0).then(|| {
            let mut told = String::from(if at_least { "≥" } else { "" });
            figure::push_counted(&mut told, times, "deadlock");
            told
        })
    }

    fn more(line: &Line<'_, Self>, d: &mut Document) {
        let (pattern, view) = (line.part, line.view);
        let t = view.theme;
        if let Some(newest) = pattern.newest() {
            d.head("the last one");
            for party in &newest.parties {
                let mut text = String::from("session ");
                match party.session_id {
                    Some(id) => drop(write!(text, "{id}")),
                    None => text.push('?'),
                }
                push_who(&mut text, &party.who);
                for word in [Some(&party.isolation), party.place.as_ref()].into_iter().flatten() {
                    if !word.is_empty() {
                        text.push_str(" · ");
                        text.push_str(word);
                    }
                }
                let style = if party.is_victim { t.critical } else { t.base };
                if party.is_victim {
                    text.push_str(" · rolled back");
                }
                d.text(text, style);
            }
            if let Some(chars) = newest.cut_after {
                d.text(cut(chars, newest.bytes), t.dim);
            }
            if newest.rings > 1 {
                d.text(format!("{} rings are in its report.", newest.rings), t.base);
            }
        }
        d.head("when");
        for seen in pattern.seen.iter().take(TIMES) {
            d.text(view.zone.instant(seen.at), t.base);
        }
        if let Some(more @ 1..) = pattern.times.checked_sub(TIMES as u64) {
            d.text(format!("and {more} before"), t.dim);
        }
        if line.table.may_lack(pattern.first_at) {
            let mut told =
                String::from("The server had more reports than are read at once: there may have been more");
            if let Some(to) = line.table.missed_to {
                told.push_str(" before ");
                told.push_str(&view.zone.instant(to));
            }
            d.text(told + ".", t.dim);
        }
    }
}

/// What is said of a report that came without its end.
fn cut(chars: u32, bytes: Option<i64>) -> String {
    let mut told = String::from("Its report was cut after ");
    figure::push_grouped(&mut told, chars.into());
    if let Some(bytes) = bytes {
        told.push_str(" of ");
        figure::push_grouped(&mut told, bytes / 2);
    }
    told + " characters: sessions and locks may be missing."
}

/// How the last reading of the one instance in scope failed, and when it is made again.
fn failure(view: &View<'_>) -> Option<String> {
    match &view.single()?.facts.deadlocks.problem {
        Some(Unavailable::Failed(failure)) => Some(failure.text.to_string()),
        _ => None,
    }
}

/// A session that records deadlocks, as a script that can be copied.
fn script(i: &InstanceSnapshot, view: &View<'_>) -> Document {
    shown(i, view, "deadlocks", session::script)
}

/// A session for a DBA to look at, by who runs the server.
pub(super) fn shown(
    i: &InstanceSnapshot,
    view: &View<'_>,
    what: &str,
    script: fn(Hosting) -> String,
) -> Document {
    let edition = i.facts.properties.get().and_then(|p| p.engine_edition);
    let databases = i.facts.databases.get().map_or(&[][..], |rows| rows);
    let names = databases.iter().filter_map(|row| row.name.as_deref());
    let text: Arc<str> = script(Hosting::of(edition, names)).into();
    let mut d = Document::new(format!("A session that records {what} on {}", i.id()));
    d.text("dbtop changes no server: a DBA looks at this and runs it. y copies it.", view.theme.dim);
    let end = text.len();
    d.statement = Some(Statement { text: Arc::new(SqlText::new(text, None, None, false)), start: 0, end });
    d
}

type Column = column::Column<Deadlocks>;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("last", "LAST", 19, 0)
        .at_least(8)
        .value(|d| Some(age(d, d.part.last_at())))
        .sort(|d| Some(Value::Number(d.part.last_at().ms() as f64)))
        .cell(|d, _, out| when(d, d.part.last_at(), out))
        .filter()
        .also(&["time"]),
    Column::text("pattern", "PATTERN", 18, 0)
        .at_least(10)
        .value(|d| words(Some(&d.part.kind)))
        .cell(text)
        .filter()
        .also(&["kind"]),
    Column::number("times", "TIMES", 6, 0)
        .value(|d| Some(Value::Number(d.part.times as f64)))
        .cell(|d, v, out| bound(d, v, d.table.may_lack(d.part.first_at), out))
        .filter(),
    Column::number("hour", "1H", 5, 3)
        .value(|d| Some(within(d, HOUR_MS)))
        .cell(|d, v, out| bound(d, v, is_bound(d, HOUR_MS), out))
        .filter(),
    Column::number("day", "24H", 5, 2)
        .value(|d| Some(within(d, 24 * HOUR_MS)))
        .cell(|d, v, out| bound(d, v, is_bound(d, 24 * HOUR_MS), out))
        .filter(),
    Column::text("since", "SINCE", 19, 4)
        .at_least(8)
        .value(|d| Some(age(d, d.part.first_at)))
        .sort(|d| Some(Value::Number(d.part.first_at.ms() as f64)))
        .cell(|d, _, out| when(d, d.part.first_at, out))
        .filter(),
    Column::text("db", "DATABASE", 14, 2)
        .at_least(8)
        .value(|d| words(newest(d).and_then(|report| report.databases.first()).map(|name| &**name)))
        .cell(|d, _, out| listed(d, newest(d).map_or(&[], |report| &report.databases), out))
        .filter()
        .also(&["database"]),
    Column::text("objects", "OBJECTS", 30, 1)
        .at_least(14)
        .growing()
        .value(|d| words(newest(d).and_then(|report| report.objects.first()).map(|name| &**name)))
        .cell(|d, _, out| listed(d, newest(d).map_or(&[], |report| &report.objects), out))
        .filter_by(|d, visit| {
            let objects = newest(d).map_or(&[][..], |report| &report.objects);
            for name in objects {
                visit(Value::Text(name));
            }
        })
        .also(&["object", "table"]),
    Column::text("victim", "VICTIM", 26, 1)
        .at_least(12)
        .value(|d| words(d.part.victim().and_then(|party| party.who.login.as_deref())))
        .cell(victim)
        .filter()
        .also(&["login"]),
    Column::text("module", "MODULE", 30, 5)
        .at_least(14)
        .value(|d| words(d.part.victim().and_then(|party| party.place.as_deref())))
        .cell(text)
        .filter(),
    Column::text("id", "PATTERN ID", 16, 6)
        .cell(|d, _, out| out.fmt(d.view.theme.dim, format_args!("{:016x}", d.part.fingerprint)))
        .filter_by(|d, visit| visit(Value::Text(&deadlocks::fingerprint(d.part.fingerprint))))
        .also(&["fingerprint"]),
];

fn newest<'a>(d: &Line<'a, Deadlocks>) -> Option<&'a DeadlockReport> {
    d.part.newest()
}

/// How long ago.
fn age(d: &Line<'_, Deadlocks>, at: Timestamp) -> Value<'static> {
    Value::Ms(d.view.now.ms_since(at) as f64)
}

fn when(d: &Line<'_, Deadlocks>, at: Timestamp, out: &mut CellText) {
    let (now, zone) = (d.view.now, d.view.zone);
    out.with(d.style(), |s| {
        if now.ms_since(at) >= 24 * HOUR_MS as u64 {
            zone.push_date(s, at);
            s.push(' ');
        }
        zone.push_clock(s, at);
    });
}

fn since(d: &Line<'_, Deadlocks>, ms: i64) -> (u64, bool) {
    d.part.since(d.view.now.plus_ms(-ms))
}

/// In that time there may have been more.
fn is_bound(d: &Line<'_, Deadlocks>, ms: i64) -> bool {
    since(d, ms).1 || d.table.may_lack(d.view.now.plus_ms(-ms).max(d.part.first_at))
}

fn within(d: &Line<'_, Deadlocks>, ms: i64) -> Value<'static> {
    Value::Number(since(d, ms).0 as f64)
}

/// A count that may be too low says so.
fn bound(d: &Line<'_, Deadlocks>, v: Option<Value<'_>>, at_least: bool, out: &mut CellText) {
    if at_least {
        out.put(d.style(), "≥");
    }
    d.put(v, out, figure::push_count);
}

/// The first of several names, and how many more there are.
fn listed(d: &Line<'_, Deadlocks>, names: &[Arc<str>], out: &mut CellText) {
    match names.split_first() {
        None => out.put(d.view.theme.dim, "–"),
        Some((first, rest)) => {
            out.put(d.style(), first);
            if !rest.is_empty() {
                out.fmt(d.view.theme.dim, format_args!(" +{}", rest.len()));
            }
        }
    }
}

fn victim(d: &Line<'_, Deadlocks>, _: Option<Value<'_>>, out: &mut CellText) {
    let Some(party) = d.part.victim() else { return out.put(d.view.theme.dim, "–") };
    out.with(d.style(), |s| {
        if let Some(id) = party.session_id {
            // Writing to a String cannot fail.
            let _ = write!(s, "{id} ");
        }
        s.push_str(party.who.login.as_deref().unwrap_or(""));
        if let Some(host) = &party.who.host {
            s.push('@');
            s.push_str(host);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::{deadlocks::DeadlockParty, who::Who},
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

    fn report(ago_s: i64, login: &str) -> DeadlockReport {
        let victim = DeadlockParty {
            session_id: Some(62),
            is_victim: true,
            who: Who { login: Some(login.into()), host: Some("WEB-03".into()), program: None },
            isolation: "read committed".into(),
            place: Some("orders.dbo.usp_List:12".into()),
        };
        DeadlockReport {
            at: fixture::NOW.plus_ms(-ago_s * 1_000),
            hash: ago_s as u64,
            parties: vec![victim, DeadlockParty { session_id: Some(88), ..DeadlockParty::default() }],
            objects: vec!["orders.dbo.Order".into(), "orders.dbo.Line".into()],
            databases: vec!["orders".into()],
            rings: 1,
            ..DeadlockReport::default()
        }
    }

    fn stage(reports: &[(u64, &str, i64)], at_least: bool) -> Stage {
        let mut table = DeadlockTable { at_least, ..DeadlockTable::default() };
        for (fingerprint, kind, ago_s) in reports {
            table.pattern(*fingerprint, kind).push(report(*ago_s, "report"));
        }
        table.tidy();
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.deadlocks = Reading::good(Arc::new(table.clone()), fixture::NOW, 0);
        }
        Stage::one(fleet, "sqlprd-001")
    }

    #[test]
    fn the_last_pattern_stands_first_with_how_often_it_happened() {
        let reports =
            [(7, "key lookup", 60), (7, "key lookup", 7_200), (7, "key lookup", 200_000), (9, "ring", 30)];
        let stage = stage(&reports, false);
        let lines = stage.draw(&mut DeadlocksPane::default(), 200, 12);
        let at = |name: &str| lines.iter().position(|l| l.contains(name)).unwrap();
        assert_eq!([at("ring"), at("key lookup")], [1, 2], "{lines:#?}");
        let counts: Vec<&str> = lines[2].split_whitespace().skip(3).take(3).collect();
        assert_eq!(counts, ["3", "1", "2"], "in all, in an hour, in a day: {}", lines[2]);
        for words in ["62 report@WEB-03", "orders.dbo.Order +1", "orders"] {
            assert!(lines[2].contains(words), "{words} in {}", lines[2]);
        }
    }

    #[test]
    fn enter_leads_to_the_picture_and_details_tell_who_and_when() {
        let stage = stage(&[(7, "key lookup", 60), (7, "key lookup", 90)], true);
        let mut pane = DeadlocksPane::default();
        let lines = stage.draw(&mut pane, 160, 12);
        assert!(lines[1].contains("≥2"), "{}", lines[1]);
        let key = pane.selected().unwrap();
        assert!(matches!(Deadlocks::open(&key), Wish::Deadlock(_, 7)));
        let text = pane.details(&key, &stage.view()).unwrap().to_copy();
        for words in [
            "session 62 (report, WEB-03) · read committed · orders.dbo.usp_List:12 · rolled back",
            "there may have been more",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(pane.next_problem(false, true, &stage.view()), "it came back");
    }

    #[test]
    fn a_count_is_bound_where_the_time_that_it_is_of_lacks_some() {
        let told = |missed_ago_s: i64| {
            let mut table = DeadlockTable::default();
            for ago_s in [60, 7_200] {
                table.pattern(7, "key lookup").push(report(ago_s, "report"));
            }
            table.missed_to = Some(fixture::NOW.plus_ms(-missed_ago_s * 1_000));
            let mut fleet = fixture::small();
            for i in &mut fleet.instances {
                let facts = &mut Arc::make_mut(i).facts;
                facts.deadlocks = Reading::good(Arc::new(table.clone()), fixture::NOW, 0);
            }
            let stage = Stage::one(fleet, "sqlprd-001");
            let mut pane = DeadlocksPane::default();
            let lines = stage.draw(&mut pane, 200, 12);
            let counts: Vec<String> =
                lines[1].split_whitespace().skip(3).take(3).map(str::to_owned).collect();
            (counts.join(" "), stage.title(&mut pane).contains("≥2 deadlocks"))
        };
        assert_eq!(told(9_000), ("2 1 2".to_owned(), false), "before the first of them");
        assert_eq!(told(4_000), ("≥2 1 ≥2".to_owned(), true), "in the day, and not in the last hour");
        assert_eq!(told(1_800), ("≥2 ≥1 ≥2".to_owned(), true));
    }

    #[test]
    fn a_filter_finds_a_pattern_by_table_login_and_age() {
        let stage = stage(&[(0xab, "key lookup", 60), (9, "ring", 90_000)], false);
        let mut pane = DeadlocksPane::default();
        for (filter, kept) in [
            ("", 2),
            ("table~Line", 2),
            ("last<1h", 1),
            ("pattern=ring", 1),
            ("id=00000000000000ab", 1),
            ("usp_List", 2),
            ("victim=nobody", 0),
        ] {
            pane.set_filter(filter).unwrap();
            pane.rebuild(&stage.view());
            assert_eq!(pane.counts().0, kept, "{filter}");
        }
    }
}
