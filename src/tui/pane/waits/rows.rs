//! The rows of the waits: a wait type of an instance, or of all instances in scope added up.

use super::super::reading;
use crate::{
    model::{
        figure,
        filter::{self, Value},
        health::{Level, Thresholds},
        reading::Reading,
        session::Request,
        snapshot::InstanceSnapshot,
        wait::{CategoryRate, WaitCategory, WaitRate, WaitTable},
    },
    tui::{
        filter::instance_values,
        id::RowKey,
        view::View,
        widget::{
            columns::Column,
            stack,
            table::{CellText, Rows, SortKey},
        },
    },
};
use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    sync::Arc,
};

/// Column of the instance's name.
pub const INSTANCE: usize = 0;
/// Column of the wait type.
pub const TYPE: usize = 1;
/// Column of the number of instances that a row adds up.
pub const ON: usize = 7;
/// Column of the sessions that wait now.
const WHO: usize = 9;

/// Columns of the types.
pub const COLUMNS: [Column; 10] = [
    Column::text("INSTANCE", 16, 0).at_least(10).frozen(),
    Column::text("TYPE", 34, 0).at_least(21),
    Column::text("CATEGORY", 15, 5),
    Column::number("S/S", 7, 0),
    Column::number("SIGNAL", 6, 6),
    Column::number("WAITS/S", 7, 3),
    Column::number("AVG", 8, 2),
    Column::number("ON", 4, 3),
    Column::number("MAX", 8, 4),
    Column::text("WHO (NOW)", 14, 1).at_least(12).growing(),
];

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// number of the instance in the snapshot; None: added up
    pub instance: Option<u32>,
    /// the rate, or the sum of the rates
    pub rate: WaitRate,
    /// instances that wait for it
    pub on: u32,
    /// the newest value is too old to be trusted
    pub stale: bool,
}

/// What the rows are made of.
#[derive(Debug, Default)]
pub struct Harvest {
    /// types, heaviest first
    pub rows: Vec<Row>,
    /// categories of all instances together, heaviest first
    pub categories: Vec<CategoryRate>,
    /// benign types that are left out, of the instance that has most of them
    pub benign_hidden: usize,
    /// rows before the filter
    pub before: usize,
    /// instances in scope
    pub instances: usize,
    /// poison types, whatever the filter, heaviest first: the instance that suffers most, and how many do
    pub poison: Vec<(Level, Row)>,
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// benign types too
    pub benign: bool,
    /// one row for a type, whatever the instance
    pub merged: bool,
}

impl Harvest {
    /// Collects the waits of all instances in scope that pass `keep`.
    pub fn gather(view: &View<'_>, wanted: Wanted, mut keep: impl FnMut(&dyn filter::Row) -> bool) -> Self {
        let mut harvest = Self::default();
        let mut names: HashSet<&str> = HashSet::new();
        let mut sums: HashMap<&str, Row> = HashMap::new();
        let mut categories = WaitCategory::ALL.map(|category| CategoryRate {
            category,
            ms_per_s: 0.0,
            signal_ms_per_s: 0.0,
            tasks_per_s: 0.0,
        });
        for (n, i) in view.instances() {
            harvest.instances += 1;
            let Some(table) = i.facts.waits.get() else { continue };
            let (stale, mut benign) = (i.facts.waits.is_stale(view.now), 0);
            if !stale {
                add_categories(&mut categories, table);
            }
            for rate in &table.types {
                if let Some(level) = poison_level(rate, &view.snapshot.thresholds).filter(|_| !stale) {
                    let row = Row { instance: Some(n), rate: rate.clone(), on: 1, stale };
                    harvest.note_poison(level, row);
                }
                if rate.benign && !wanted.benign {
                    benign += 1;
                    continue;
                }
                let row = Row { instance: Some(n), rate: rate.clone(), on: 1, stale };
                let kept = keep(&RowFields { row: &row, view });
                if !wanted.merged {
                    harvest.before += 1;
                    harvest.rows.extend(kept.then_some(row));
                } else if !stale {
                    // What is stale is not added to what is not; a filter looks at the instances before they are added.
                    names.insert(&rate.name);
                    if kept {
                        let sum = sums.entry(&rate.name);
                        sum.and_modify(|sum| add(sum, rate)).or_insert(Row { instance: None, ..row });
                    }
                }
            }
            harvest.benign_hidden = harvest.benign_hidden.max(benign);
        }
        harvest.before += names.len();
        harvest.rows.extend(sums.into_values());
        harvest.categories =
            categories.into_iter().filter(|c| c.ms_per_s > 0.0 || c.tasks_per_s > 0.0).collect();
        harvest.categories.sort_by(|a, b| b.ms_per_s.total_cmp(&a.ms_per_s));
        harvest.poison.sort_by(|(_, a), (_, b)| b.rate.ms_per_s.total_cmp(&a.rate.ms_per_s));
        harvest.rows.sort_by(|a, b| {
            let (x, y) = (&a.rate, &b.rate);
            y.ms_per_s
                .total_cmp(&x.ms_per_s)
                .then_with(|| x.name.cmp(&y.name))
                .then(a.instance.cmp(&b.instance))
        });
        harvest
    }

    fn note_poison(&mut self, level: Level, row: Row) {
        match self.poison.iter_mut().find(|(_, p)| p.rate.name == row.rate.name) {
            None => self.poison.push((level, row)),
            Some((worst, known)) => {
                let on = known.on + 1;
                if row.rate.ms_per_s > known.rate.ms_per_s {
                    *known = row;
                }
                *worst = level.max(*worst);
                known.on = on;
            }
        }
    }

    /// Waiting in all, and its part that waits for a CPU, ms per second.
    pub fn total(&self) -> (f64, f64) {
        self.categories.iter().fold((0.0, 0.0), |(a, b), c| (a + c.ms_per_s, b + c.signal_ms_per_s))
    }
}

fn add_categories(sums: &mut [CategoryRate], table: &WaitTable) {
    for c in &table.categories {
        if let Some(sum) = sums.iter_mut().find(|s| s.category == c.category) {
            sum.ms_per_s += c.ms_per_s;
            sum.signal_ms_per_s += c.signal_ms_per_s;
            sum.tasks_per_s += c.tasks_per_s;
        }
    }
}

fn add(sum: &mut Row, rate: &WaitRate) {
    let s = &mut sum.rate;
    s.ms_per_s += rate.ms_per_s;
    s.signal_ms_per_s += rate.signal_ms_per_s;
    s.tasks_per_s += rate.tasks_per_s;
    s.avg_ms = (s.tasks_per_s > 0.0).then(|| s.ms_per_s / s.tasks_per_s);
    s.max_ms = s.max_ms.max(rate.max_ms);
    s.poison |= rate.poison;
    sum.on += 1;
}

/// The level of a poison wait by the thresholds of the score; None for other waits and for a trace of one.
pub fn poison_level(rate: &WaitRate, t: &Thresholds) -> Option<Level> {
    if !rate.poison || rate.ms_per_s <= t.poison_warning_ms_per_s {
        None
    } else if rate.ms_per_s > t.poison_critical_ms_per_s {
        Some(Level::Critical)
    } else {
        Some(Level::Warning)
    }
}

/// Requests that wait for a type now.
pub fn waiters<'a>(i: &'a InstanceSnapshot, name: &'a str) -> impl Iterator<Item = &'a Request> {
    let requests = i.facts.activity.get().map_or(&[][..], |a| &a.requests);
    requests.iter().filter(move |r| r.wait_type.as_deref() == Some(name))
}

/// Seconds of waiting per second, from ms: `41.20`, `0.03`, `<0.01`, `1.2k`.
pub fn push_rate(out: &mut String, ms_per_s: f64) {
    let s = ms_per_s / 1000.0;
    if s > 0.0 && s < 0.005 {
        out.push_str("<0.01");
    } else if s.is_finite() && s.abs() < 99.995 {
        // Writing to a String cannot fail.
        let _ = write!(out, "{s:.2}");
    } else {
        figure::push_count(out, s);
    }
}

/// A part of a whole in percent; `–` of nothing.
pub fn push_share(out: &mut String, part: f64, whole: f64) {
    if whole > 0.0 && part.is_finite() {
        let _ = write!(out, "{:.0} %", (part / whole * 100.0).clamp(0.0, 100.0));
    } else {
        out.push('–');
    }
}

/// The rows as a table shows them.
pub struct TypeRows<'a> {
    /// in display order
    pub rows: &'a [Row],
    /// for names and styles
    pub view: &'a View<'a>,
}

impl Rows for TypeRows<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, i: usize) -> RowKey {
        let row = self.rows.get(i);
        let id = row.and_then(|r| self.view.instance(r.instance?)).map(|i| i.id().clone());
        RowKey::Wait(id, row.map_or_else(|| "".into(), |r| Arc::clone(&r.rate.name)))
    }

    fn cell(&self, i: usize, column: usize, out: &mut CellText) {
        let Some(row) = self.rows.get(i) else { return };
        let (t, r) = (self.view.theme, &row.rate);
        let style = if row.stale || r.benign { t.dim } else { t.base };
        match column {
            INSTANCE => {
                let i = row.instance.and_then(|n| self.view.instance(n));
                out.put(t.strong, i.map_or("", |i| i.id().as_str()));
            }
            TYPE => {
                let level = poison_level(r, &self.view.snapshot.thresholds);
                if let Some(level) = level {
                    out.put(reading::level_style(t, level), reading::glyph(level));
                    out.put(t.base, " ");
                }
                out.put(level.map_or(style, |l| reading::level_style(t, l)), &r.name);
            }
            2 => {
                let (glyph, colour) = stack::swatch(stack::band(r.category), t);
                out.put(if r.benign { t.dim } else { colour }, if r.benign { "·" } else { glyph });
                out.put(t.base, " ");
                out.put(t.dim, r.category.name());
            }
            3 => out.with(if row.stale { t.dim } else { t.strong }, |s| push_rate(s, r.ms_per_s)),
            4 => out.with(style, |s| push_share(s, r.signal_ms_per_s, r.ms_per_s)),
            5 => out.with(style, |s| figure::push_rate(s, r.tasks_per_s)),
            6 => match r.avg_ms {
                Some(avg) => out.with(style, |s| figure::push_mean(s, avg)),
                None => out.put(t.dim, "–"),
            },
            ON => out.with(style, |s| figure::push_count(s, f64::from(row.on))),
            8 => out.with(style, |s| figure::push_wait(s, r.max_ms as f64)),
            WHO => self.who(row, out),
            _ => {}
        }
    }
}

impl TypeRows<'_> {
    /// Sessions that wait for it now, and who the first one is: `91, 97, +11 · report on WEB-07`.
    fn who(&self, row: &Row, out: &mut CellText) {
        let t = self.view.theme;
        let Some(i) = row.instance.and_then(|n| self.view.instance(n)) else {
            return self.how_many(row, out);
        };
        let activity: &Reading<_> = &i.facts.activity;
        if activity.get().is_none() {
            return out.put(t.dim, reading::short(activity.problem.as_ref()));
        }
        let style = reading::value_style(t, activity, self.view.now);
        let (mut n, mut first) = (0, None);
        for r in waiters(i, &row.rate.name) {
            n += 1;
            match n {
                1 => {
                    out.fmt(style, format_args!("{}", r.session_id));
                    first = Some(r);
                }
                2 => out.fmt(style, format_args!(", {}", r.session_id)),
                _ => {}
            }
        }
        if n > 2 {
            out.fmt(style, format_args!(", +{}", n - 2));
        }
        if let Some((login, host)) = first.and_then(|r| r.login.as_ref().zip(r.host.as_ref())) {
            out.fmt(t.dim, format_args!(" · {login} on {host}"));
        }
    }

    /// Sessions and instances of a row that adds up: `13 on 4`.
    fn how_many(&self, row: &Row, out: &mut CellText) {
        let (mut sessions, mut on) = (0, 0);
        for (_, i) in self.view.instances() {
            let n = waiters(i, &row.rate.name).count();
            sessions += n;
            on += usize::from(n > 0);
        }
        if sessions > 0 {
            out.fmt(self.view.theme.base, format_args!("{sessions} on {on}"));
        }
    }
}

/// What a column sorts by.
pub fn sort_key(row: &Row, column: usize, view: &View<'_>) -> SortKey {
    let r = &row.rate;
    match column {
        INSTANCE => row.instance.and_then(|n| view.instance(n)).map(|i| i.id().as_str()).into(),
        TYPE => Some(&*r.name).into(),
        2 => Some(r.category.name()).into(),
        3 => Some(r.ms_per_s).into(),
        4 => (r.ms_per_s > 0.0).then(|| r.signal_ms_per_s / r.ms_per_s).into(),
        5 => Some(r.tasks_per_s).into(),
        6 => r.avg_ms.into(),
        ON => Some(i64::from(row.on)).into(),
        8 => Some(r.max_ms).into(),
        WHO => {
            let i = row.instance.and_then(|n| view.instance(n));
            i.map(|i| waiters(i, &r.name).count() as i64).into()
        }
        _ => SortKey::None,
    }
}

/// What a filter may ask of a row, besides its instance.
pub const FIELDS: [&str; 9] =
    ["type", "category", "rate", "signal", "waits", "avg", "max", "benign", "poison"];

/// A row as a filter sees it.
pub struct RowFields<'a> {
    /// the row
    pub row: &'a Row,
    /// for names
    pub view: &'a View<'a>,
}

impl RowFields<'_> {
    fn instance(&self) -> Option<&InstanceSnapshot> {
        self.view.instance(self.row.instance?).map(|i| &**i)
    }
}

impl filter::Row for RowFields<'_> {
    fn text(&self, out: &mut String) {
        if let Some(i) = self.instance() {
            out.push_str(i.id().as_str());
            out.push(' ');
        }
        out.push_str(&self.row.rate.name);
        out.push(' ');
        out.push_str(self.row.rate.category.name());
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        let r = &self.row.rate;
        let word = |yes| Value::Text(if yes { "yes" } else { "no" });
        let value = match key {
            "type" => Some(Value::Text(&r.name)),
            "category" => Some(Value::Text(r.category.name())),
            "rate" => Some(Value::Number(r.ms_per_s / 1000.0)),
            "signal" => (r.ms_per_s > 0.0).then(|| Value::Number(r.signal_ms_per_s / r.ms_per_s * 100.0)),
            "waits" => Some(Value::Number(r.tasks_per_s)),
            "avg" => r.avg_ms.map(Value::Ms),
            "max" => Some(Value::Ms(r.max_ms as f64)),
            "benign" => Some(word(r.benign)),
            "poison" => Some(word(r.poison)),
            _ => return self.instance().into_iter().for_each(|i| instance_values(&i.info, key, visit)),
        };
        if let Some(value) = value {
            visit(value);
        }
    }
}
