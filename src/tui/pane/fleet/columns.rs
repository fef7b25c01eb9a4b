//! The columns of the fleet, one row each: cell, order and filter side by side; and the other filter fields of an instance.

use super::super::reading;
use crate::model::{
    base::{
        figure,
        filter::{self, Value},
        time::Timestamp,
    },
    fold::snapshot::InstanceSnapshot,
    inventory::instance::TlsMode,
    judge::health::{Level, Reason},
    poll::{
        Facts, headline::Headline, id::SeriesId, properties::Properties, reading::Reading,
        wait_class::WaitCategory, waits::CategoryRate,
    },
};
use crate::tui::{
    filter::instance_values,
    view::View,
    widget::{
        canvas::width,
        cell::CellText,
        column::{self, Kind, ms, number, visit_values, whole, words},
        spark,
        table::Set,
    },
};
use ratatui::style::Modifier;
use std::fmt::Write as _;

/// Name of the instance.
pub const INSTANCE: &str = "instance";
/// Sparklines.
pub const PICTURES: [&str; 2] = [CPU_PICTURE, BATCH_PICTURE];
const CPU_PICTURE: &str = "cpu_picture";
const BATCH_PICTURE: &str = "batch_picture";

/// Points of a sparkline: half a minute each.
const SPARK: usize = 6;
/// Width of the top wait: its category to the left, its rate to the right.
const TOP_WAIT: usize = 18;
/// Width of the category alone, where there is no room for both.
const TOP_CATEGORY: usize = 11;
const BLANKS: &str = "                  ";

/// Rows of the fleet: an instance each.
#[derive(Debug)]
pub enum Instances {}

impl Kind for Instances {
    type Row<'a> = InstanceRow<'a>;
}

/// An instance as a row of the fleet.
#[derive(Clone, Copy)]
pub struct InstanceRow<'a> {
    /// the instance
    pub instance: &'a InstanceSnapshot,
    /// for styles and ages
    pub view: &'a View<'a>,
}

type Column = column::Column<Instances>;

/// Sets of columns, by what they are looked at for.
pub const SETS: &[Set] = &[
    Set { name: "load", columns: &["cpu", "batches", "waits", "wait", "runnable", "conn", "logins"] },
    Set { name: "memory", columns: &["mem", "ple", "tempdb", "flush"] },
    Set { name: "inventory", columns: &["version", "group", "labels", "tls", "up", "added"] },
];

/// The columns. A filter may ask for those that end in `filter`.
pub const COLUMNS: &[Column] = &[
    Column::sign("health", 1, 0).frozen().cell(|r, _, out| health(r, out)).filter_by(levels),
    Column::text(INSTANCE, "INSTANCE", 14, 0)
        .at_least(10)
        .frozen()
        .value(|r| words(Some(r.instance.id().as_str())))
        .cell(|r, _, out| name(r, out)),
    Column::number("score", "SCORE", 5, 2)
        .value(|r| whole(r.instance.health.score.map(i64::from)))
        .cell(score)
        .filter(),
    Column::text("why", "WHY", 43, 0)
        .at_least(20)
        .roomy(64)
        .growing()
        .value(|r| words(r.instance.health.reasons.first().map(Reason::text)))
        .cell(|r, _, out| why(r, out))
        .filter_by(|r, visit| {
            let zone = r.view.zone;
            r.instance.health.reasons.iter().for_each(|r| visit(Value::Text(&r.told(zone))));
        }),
    Column::number("cpu", "CPU %", 5, 1)
        .value(|r| number(r.head()?.cpu_pct))
        .cell(|r, v, out| r.figure(&r.facts().headline, v, out, push_whole))
        .filter(),
    Column::picture(CPU_PICTURE, SPARK as u16, 5)
        .cell(|r, _, out| picture(r, SeriesId::Cpu, Some(100.0), out)),
    Column::number("batches", "BATCH/S", 7, 6)
        .value(|r| number(r.head()?.batches_per_s))
        .cell(|r, v, out| r.figure(&r.facts().headline, v, out, figure::push_rate))
        .filter(),
    Column::picture(BATCH_PICTURE, SPARK as u16, 8)
        .cell(|r, _, out| picture(r, SeriesId::Batches, None, out)),
    Column::text("wait", "TOP WAIT       S/S", TOP_WAIT as u16, 7)
        .or("TOP WAIT", TOP_CATEGORY as u16)
        .value(|r| words(r.top_wait().map(|c| c.category.name())))
        .sort(|r| number(r.top_wait().map(|c| c.ms_per_s)))
        .cell(|r, _, out| top_wait(r, out))
        .filter(),
    Column::number("blocked", "BLOCKED", 7, 1)
        .or("BLK", 4)
        .value(|r| whole(r.head()?.blocked))
        .cell(blocked)
        .filter()
        .also(&["blk"]),
    Column::number("age", "AGE", 4, 3)
        .value(|r| ms(r.facts().last_good_at.map(|at| r.view.now - at)))
        .cell(|r, _, out| age(r, out))
        .filter_by(|r, visit| {
            let age_ms = r.facts().last_good_at.map(|at| r.view.now.ms_since(at));
            ms(age_ms.map(|age| age as i64)).into_iter().for_each(visit);
        }),
    Column::number("mem", "MEM %", 6, 9)
        .value(|r| number(r.facts().memory.get()?.used_pct))
        .cell(|r, v, out| r.figure(&r.facts().memory, v, out, push_whole))
        .filter(),
    Column::number("waits", "WAIT S/S", 9, 10)
        .value(|r| number(Some(r.facts().waits.get()?.total_ms_per_s / 1000.0)))
        .cell(|r, v, out| r.figure(&r.facts().waits, v, out, figure::push_rate))
        .filter(),
    Column::number("conn", "CONN", 5, 11)
        .value(|r| whole(r.head()?.connections))
        .cell(|r, v, out| r.figure(&r.facts().headline, v, out, figure::push_count))
        .filter(),
    Column::number("ple", "PAGE LIFE", 10, 12)
        .value(|r| ms(r.head()?.page_life_s.map(|s| s.saturating_mul(1000))))
        .cell(|r, v, out| r.figure(&r.facts().headline, v, out, figure::push_wait))
        .filter(),
    Column::number("runnable", "RUNNABLE", 9, 13)
        .value(|r| whole(r.facts().cpu.get()?.runnable))
        .cell(|r, v, out| r.figure(&r.facts().cpu, v, out, figure::push_count))
        .filter(),
    Column::number("flush", "FLUSH", 7, 14)
        .value(|r| r.head()?.log_flush_ms.map(Value::Ms))
        .cell(|r, v, out| r.figure(&r.facts().headline, v, out, figure::push_mean))
        .filter(),
    Column::number("logins", "LOGIN/S", 8, 15)
        .value(|r| number(r.head()?.logins_per_s))
        .cell(|r, v, out| r.figure(&r.facts().headline, v, out, figure::push_rate))
        .filter(),
    Column::number("tempdb", "TEMPDB %", 9, 16)
        .value(|r| number(r.head()?.tempdb_used_pct))
        .cell(|r, v, out| r.figure(&r.facts().headline, v, out, push_whole))
        .filter(),
    Column::number("deadlocks", "DEADLK", 7, 17)
        .value(|r| whole(r.head()?.deadlocks_recent.map(i64::from)))
        .cell(|r, v, out| r.figure(&r.facts().headline, v, out, figure::push_count))
        .filter(),
    Column::text("version", "VERSION", 12, 18)
        .value(|r| words(r.facts().properties.get()?.version.as_deref()))
        .cell(|r, _, out| reading::cell(out, r.view, &r.facts().properties, |p| Some(&**p), push_version))
        .filter_by(versions),
    Column::number("up", "UP", 6, 19)
        .value(|r| ms(r.head()?.started_at.map(|at| r.view.now - at)))
        .cell(|r, v, out| r.figure(&r.facts().headline, v, out, push_span)),
    Column::text("group", "GROUPS", 18, 20)
        .value(|r| words(r.instance.info.groups.first().map(|g| &**g)))
        .cell(|r, _, out| out.with(r.view.theme.dim, |s| push_list(s, &r.instance.info.groups))),
    Column::text("labels", "LABELS", 26, 22)
        .at_least(12)
        .value(|r| words(r.instance.info.labels.first().map(|(_, v)| &**v)))
        .cell(|r, _, out| labels(r, out)),
    Column::text("tls", "TLS", 12, 21)
        .value(|r| words(Some(tls_words(r.instance.info.tls))))
        .cell(|r, _, out| tls(r, out))
        .filter(),
    Column::text("address", "ADDRESS", 22, 22)
        .value(|r| words(Some(r.view.address(&r.instance.info))))
        .cell(|r, _, out| out.put(r.view.theme.dim, r.view.address(&r.instance.info))),
    Column::number("added", "ADDED", 10, 23)
        .value(|r| ms(r.instance.info.added_at.map(Timestamp::ms)))
        .cell(|r, _, out| added(r, out))
        .filter_by(|r, visit| {
            let added = r.instance.info.added_at.map(|at| r.view.zone.instant(at));
            if let Some(at) = &added {
                visit(Value::Text(at));
            }
        }),
];

/// An offline instance counts as critical, too.
fn levels(r: &InstanceRow<'_>, visit: &mut dyn FnMut(Value<'_>)) {
    visit(Value::Text(r.instance.health.level.word()));
    if r.instance.health.level == Level::Offline {
        visit(Value::Text(Level::Critical.word()));
    }
}

/// The year and the full number: `version=2019`, `version=15.0.*`.
fn versions(r: &InstanceRow<'_>, visit: &mut dyn FnMut(Value<'_>)) {
    if let Some(p) = r.facts().properties.get() {
        p.versions(visit);
    }
}

impl<'a> InstanceRow<'a> {
    const fn facts(&self) -> &'a Facts {
        &self.instance.facts
    }

    const fn head(&self) -> Option<&'a Headline> {
        self.instance.facts.headline.get()
    }

    fn top_wait(&self) -> Option<&'a CategoryRate> {
        self.instance.facts.waits.get()?.categories.first()
    }

    /// Fills a cell with a figure of a reading.
    fn figure<T>(
        &self,
        reading: &Reading<T>,
        v: Option<Value<'_>>,
        out: &mut CellText,
        draw: fn(&mut String, f64),
    ) {
        reading::value(out, self.view, reading, v.and_then(Value::figure), draw);
    }
}

impl filter::Row for InstanceRow<'_> {
    fn text(&self, out: &mut String) {
        let i = self.instance;
        out.push_str(i.id().as_str());
        for g in &i.info.groups {
            out.push(' ');
            out.push_str(g);
        }
        for r in &i.health.reasons {
            out.push(' ');
            out.push_str(&r.told(self.view.zone));
        }
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        if !visit_values(COLUMNS, self, key, visit) {
            instance_values(&self.instance.info, key, visit);
        }
    }
}

fn health(r: &InstanceRow<'_>, out: &mut CellText) {
    let health = &r.instance.health;
    let style = reading::level_style(r.view.theme, health.level);
    let is_news = r.instance.is_news(r.view.now);
    out.put(if is_news { style.add_modifier(Modifier::REVERSED) } else { style }, reading::sign(health));
}

fn name(r: &InstanceRow<'_>, out: &mut CellText) {
    let (t, i) = (r.view.theme, r.instance);
    let calm = i.health.level == Level::Ok;
    out.put(if calm { t.base } else { t.strong }, i.id().as_str());
    if i.info.tls.is_insecure() {
        out.put(t.critical, " !");
    }
}

fn score(r: &InstanceRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    let (t, level) = (r.view.theme, r.instance.health.level);
    match v.and_then(Value::figure) {
        // Only problems are coloured.
        Some(score) if level == Level::Ok => out.fmt(t.dim, format_args!("{score}")),
        Some(score) => out.fmt(reading::level_style(t, level), format_args!("{score}")),
        None => out.put(t.dim, "–"),
    }
}

fn age(r: &InstanceRow<'_>, out: &mut CellText) {
    match r.facts().last_good_at {
        Some(at) => out.with(age_style(r), |s| push_age(s, r.view.now.ms_since(at))),
        None => out.put(r.view.theme.dim, "–"),
    }
}

/// The day on which it came into the inventory.
fn added(r: &InstanceRow<'_>, out: &mut CellText) {
    match r.instance.info.added_at {
        Some(at) => out.with(r.view.theme.dim, |s| r.view.zone.push_date(s, at)),
        None => out.put(r.view.theme.dim, "–"),
    }
}

/// `■ env=prod  ■ team=orders`, each with a swatch in the colour of its label.
fn labels(r: &InstanceRow<'_>, out: &mut CellText) {
    let t = r.view.theme;
    if r.instance.info.labels.is_empty() {
        out.put(t.dim, "–");
    }
    for (n, (key, value)) in r.instance.info.labels.iter().enumerate() {
        let style = t.label(r.instance.info.label_color(n));
        out.put(t.base, if n == 0 { "" } else { "  " });
        out.put(style, "■");
        out.fmt(t.base, format_args!(" {key}={value}"));
    }
}

fn tls(r: &InstanceRow<'_>, out: &mut CellText) {
    let (t, tls) = (r.view.theme, r.instance.info.tls);
    out.put(if tls.is_insecure() { t.critical } else { t.dim }, tls_words(tls));
}

fn push_span(s: &mut String, ms: f64) {
    figure::push_span(s, ms as i64);
}

fn push_whole(s: &mut String, v: f64) {
    let _ = write!(s, "{v:.0}");
}

fn push_list(s: &mut String, names: &[std::sync::Arc<str>]) {
    for (n, g) in names.iter().enumerate() {
        s.push_str(if n == 0 { "" } else { ", " });
        s.push_str(g);
    }
}

/// `2019 CU27`, or the version number of products whose year is not known.
pub fn push_version(s: &mut String, p: &Properties) {
    match (p.year(), &p.version) {
        (Some(y), _) => {
            let _ = write!(s, "{y}");
        }
        (None, Some(v)) => s.push_str(v),
        (None, None) => s.push('–'),
    }
    if let Some(u) = p.update_level.as_ref().or(p.level.as_ref()) {
        let _ = write!(s, " {u}");
    }
}

/// Transport protection in words.
pub const fn tls_words(tls: TlsMode) -> &'static str {
    match tls {
        TlsMode::Verify => "verified",
        TlsMode::Pin(_) => "pinned",
        TlsMode::Strict => "strict",
        TlsMode::Insecure => "unverified",
        TlsMode::LoginOnly => "login only",
        TlsMode::Off => "none",
    }
}

fn age_style(r: &InstanceRow<'_>) -> ratatui::style::Style {
    let (t, now) = (r.view.theme, r.view.now);
    match r.instance.health.level {
        Level::Offline => t.critical,
        _ if r.facts().headline.is_stale(now) => t.warning,
        _ => t.dim,
    }
}

/// The reasons, the heaviest first, as many as there is room for, and how many more there are; without any, the state of
/// the connection.
fn why(r: &InstanceRow<'_>, out: &mut CellText) {
    let (i, view, t) = (r.instance, r.view, r.view.theme);
    let reasons = &i.health.reasons;
    // In a word: a colour alone says nothing where there is none.
    if i.is_news(view.now) {
        out.put(
            t.strong,
            if reasons.is_empty() && i.health.level == Level::Ok { "new: ok" } else { "new: " },
        );
    }
    let Some(first) = reasons.first() else {
        if i.health.level != Level::Ok {
            out.with(t.dim, |s| reading::push_absence(s, i, i.facts.headline.problem.as_ref(), view));
        }
        return;
    };
    let style = |level| if level >= Level::Warning { t.base } else { t.dim };
    out.put(style(first.level), &first.told(view.zone));
    let mut shown = 1;
    for more in reasons.iter().skip(1) {
        // ` +9` stays free for those that follow.
        let rest = if shown + 1 < reasons.len() { 3 } else { 0 };
        let text = more.told(view.zone);
        let needed = width(out.as_str()) + 2 + width(&text) + rest;
        if out.room > 0 && needed > out.room {
            break;
        }
        out.put(t.dim, "; ");
        out.put(style(more.level), &text);
        shown += 1;
    }
    if shown < reasons.len() {
        out.keep(t.dim, format_args!(" +{}", reasons.len() - shown));
    }
}

fn picture(r: &InstanceRow<'_>, id: SeriesId, top: Option<f32>, out: &mut CellText) {
    let view = r.view;
    if view.low_bandwidth {
        return;
    }
    let mut buckets = [f32::NAN; SPARK];
    spark::bucket(r.instance.history.get(id), view.now, 30_000, &mut buckets);
    out.with(view.theme.spark, |s| spark::push(s, &buckets, top));
}

/// At most four characters: the reason has the exact time for which an instance has been silent.
fn push_age(s: &mut String, age_ms: u64) {
    let _ = match age_ms / 3_600_000 {
        0 => return reading::push_calm_age(s, age_ms),
        h @ 1..=99 => write!(s, "{h}h"),
        h => write!(s, "{}d", h / 24),
    };
}

/// Names that leave no room for a figure are cut at a word; all others are whole, as Query Store spells them.
const fn short_name(category: WaitCategory) -> &'static str {
    match category {
        WaitCategory::ServiceBroker => "Service Brok.",
        WaitCategory::FullTextSearch => "Full Text",
        WaitCategory::LogRateGovernor => "Log Rate Gov.",
        other => other.name(),
    }
}

/// The same within the width of a category alone.
const fn shortest_name(category: WaitCategory) -> &'static str {
    match category {
        WaitCategory::WorkerThread => "Worker Thr.",
        WaitCategory::BufferLatch => "Buffer Lat.",
        WaitCategory::OtherDiskIo => "Other Disk.",
        WaitCategory::ServiceBroker => "Service Br.",
        WaitCategory::LogRateGovernor => "Log Rate G.",
        other => short_name(other),
    }
}

fn top_wait(r: &InstanceRow<'_>, out: &mut CellText) {
    let (view, waits) = (r.view, &r.facts().waits);
    let is_narrow = (1..TOP_WAIT).contains(&out.room);
    match (waits.get(), r.top_wait()) {
        (_, Some(c)) if c.ms_per_s >= 50.0 && is_narrow => {
            out.put(reading::value_style(view.theme, waits, view.now), shortest_name(c.category));
        }
        (_, Some(c)) if c.ms_per_s >= 50.0 => {
            let style = reading::value_style(view.theme, waits, view.now);
            let name = short_name(c.category);
            out.put(style, name);
            out.with(view.theme.dim, |s| {
                let start = s.len();
                figure::push_rate(s, c.ms_per_s / 1000.0);
                let room = TOP_WAIT.saturating_sub(name.len() + s.len() - start).max(1);
                s.insert_str(start, BLANKS.get(..room).unwrap_or(BLANKS));
            });
        }
        (Some(_), _) => out.put(view.theme.dim, "–"),
        (None, _) => out.put(view.theme.dim, reading::short(waits.problem.as_ref())),
    }
}

fn blocked(r: &InstanceRow<'_>, v: Option<Value<'_>>, out: &mut CellText) {
    let (t, headline) = (r.view.theme, &r.facts().headline);
    match v.and_then(Value::figure) {
        Some(0.0) => out.put(t.dim, "0"),
        Some(n) => {
            let stale = headline.is_stale(r.view.now);
            out.fmt(if stale { t.dim } else { t.strong }, format_args!("{n}"));
        }
        None => r.figure(headline, None, out, figure::push_count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        action::Action,
        fixture,
        pane::{Pane as _, fleet::FleetPane, stage::Stage},
        widget::column::ambiguous,
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn sets_name_columns_that_there_are() {
        for set in SETS {
            for id in set.columns {
                assert!(COLUMNS.iter().any(|c| c.id == *id), "{}: {id}", set.name);
            }
        }
    }

    #[test]
    fn the_top_wait_is_there_at_120_columns_and_has_its_rate_where_there_is_room() {
        let stage = Stage::fleet(fixture::small());
        let head = |width: u16| {
            let lines = stage.draw(&mut FleetPane::default(), width, 20);
            lines.into_iter().find(|line| line.contains("INSTANCE")).unwrap()
        };
        let narrow = head(120);
        for title in ["SCORE", "WHY", "CPU %", "BATCH/S", "TOP WAIT", "BL", "AGE"] {
            assert!(narrow.contains(title), "{title}: {narrow}");
        }
        assert!(!narrow.contains("S/S"), "{narrow}");
        assert!(head(160).contains("TOP WAIT       S/S"), "{}", head(160));
        for category in WaitCategory::ALL {
            let name = shortest_name(category);
            assert!(width(name) <= TOP_CATEGORY, "{name}");
            let whole = category.name() == name || category == WaitCategory::FullTextSearch;
            assert!(whole || name.ends_with('.'), "a name that is cut ends in a stop: {name}");
        }
    }

    #[test]
    fn the_day_an_instance_was_added_is_told_and_unknown_is_no_day() {
        let mut fleet = fixture::small();
        let older = fixture::instance("older", &["prod"], fixture::Story::Never, fixture::NOW);
        fleet.instances.push(std::sync::Arc::new(older));
        let stage = Stage::fleet(fleet);
        let mut pane = FleetPane::default();
        stage.act(&mut pane, &[Action::Columns; 3]);
        assert!(stage.title(&mut pane).contains("columns: inventory"));
        let drawn = |pane: &mut FleetPane| stage.draw(pane, 160, 20);
        let all = drawn(&mut pane);
        let row = |name: &str| all.iter().find(|line| line.contains(name)).unwrap().trim_end().to_owned();
        assert!(row("sqlprd-014").ends_with("2026-08-22"), "{all:#?}");
        assert!(row("older").ends_with('–') && !all.concat().contains("1970"), "{all:#?}");
        for (filter, kept) in [("added>2026-08-01", 8), ("added=2026-08-22", 8), ("added<2026-08-01", 0)] {
            pane.set_filter(filter).unwrap();
            let found = drawn(&mut pane).iter().filter(|line| line.contains("sql")).count();
            assert_eq!(found, kept, "{filter}");
            assert!(!drawn(&mut pane).concat().contains("older"), "{filter}: unknown is no day");
        }
        pane.set_filter("").unwrap();
        for turned in [false, true] {
            pane.sort_by("added").unwrap();
            if turned {
                stage.act(&mut pane, &[Action::SortReverse]);
            }
            let last =
                drawn(&mut pane).into_iter().rfind(|line| line.contains("sql") || line.contains("older"));
            assert!(last.unwrap().contains("older"), "turned {turned}: unknown is last");
        }
    }

    #[test]
    fn a_renamed_column_is_filtered_by_either_name() {
        let stage = Stage::fleet(fixture::small());
        let mut pane = FleetPane::default();
        let all = stage.draw(&mut pane, 200, 40);
        let mut shown = |filter: &str| {
            pane.set_filter(filter).unwrap();
            stage.draw(&mut pane, 200, 40)
        };
        assert_eq!(shown("blocked>0"), shown("blk>0"));
        assert_ne!(shown("blk>0"), all, "the filter leaves rows out");
    }
}
