//! The rows of the waits: a wait type of an instance, or of all instances in scope added up.

use crate::model::{
    base::figure,
    fold::snapshot::InstanceSnapshot,
    judge::{
        health::{Level, Thresholds},
        limits::Gauge,
    },
    poll::{
        activity::Request,
        wait_class::WaitCategory,
        waits::{CategoryRate, WaitRate, WaitTable},
    },
};
use crate::tui::view::View;
use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

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

/// The figures that rows are made of.
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
    /// poison types, whatever the filter, heaviest first: the instance that waits most, and how many wait
    pub poison: Vec<(Level, Row)>,
}

/// The rows that are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// benign types too
    pub benign: bool,
    /// one row for a type, whatever the instance
    pub merged: bool,
}

impl Harvest {
    /// Collects the waits of all instances in scope that pass `keep`.
    pub fn gather(view: &View<'_>, wanted: Wanted, mut keep: impl FnMut(&Row) -> bool) -> Self {
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
                let kept = keep(&row);
                if !wanted.merged {
                    harvest.before += 1;
                    harvest.rows.extend(kept.then_some(row));
                } else if !stale {
                    // Stale figures are not added to fresh ones; a filter tests the instances before they are added.
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

    /// The whole waiting time, and the part that waits for a CPU, ms per second.
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
    let limits = t.limits(Gauge::Poison).filter(|_| rate.poison)?;
    let level = if limits.is_critical(rate.ms_per_s) { Level::Critical } else { Level::Warning };
    limits.is_warning(rate.ms_per_s).then_some(level)
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
