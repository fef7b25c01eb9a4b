//! From two sets of wait counters to a table of rates.

use super::{
    rate::{Before, Interval, Mark},
    shared::Names,
};
use crate::model::{
    base::leb128::{Bytes, put_signed},
    poll::{
        id::rounded,
        wait_class::{self, WaitCategory},
        waits::{CategoryRate, WaitCounter, WaitRate, WaitTable},
    },
};
use std::{cmp::Ordering, sync::Arc};

/// Compares the counters of two polls.
#[derive(Debug, Default)]
pub(super) struct WaitsFold {
    before: Before<Packed>,
}

/// The counters of a poll that make rates, sorted by name. Those of every instance stay in memory until the next poll: two hundred
/// types, most of them with small numbers.
#[derive(Debug)]
struct Packed {
    names: Box<[Arc<str>]>,
    figures: Box<[u8]>,
}

/// One wait type of them.
struct Counted<'a> {
    name: &'a str,
    tasks: i64,
    wait_ms: i64,
    signal_ms: i64,
}

impl Packed {
    fn of(rows: &[WaitCounter]) -> Self {
        let mut figures = Vec::with_capacity(rows.len() * 12);
        for row in rows {
            for figure in [row.tasks, row.wait_ms, row.signal_ms] {
                put_signed(&mut figures, figure);
            }
        }
        Self { names: rows.iter().map(|row| Arc::clone(&row.name)).collect(), figures: figures.into() }
    }

    fn counted(&self) -> Vec<Counted<'_>> {
        let mut figures = Bytes(&self.figures);
        let mut next = || figures.signed().ok();
        let counted = self
            .names
            .iter()
            .map_while(|name| Some(Counted { name, tasks: next()?, wait_ms: next()?, signal_ms: next()? }));
        counted.collect()
    }
}

impl WaitsFold {
    /// None if there is nothing to compare with: the first poll, after a restart, a gap, or `DBCC SQLPERF` clearing.
    pub fn fold(
        &mut self,
        mut rows: Vec<WaitCounter>,
        mark: Mark,
        numa_nodes: Option<i32>,
        names: &mut Names,
    ) -> Option<WaitTable> {
        for row in &mut rows {
            row.name = names.share(&row.name);
        }
        rows.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        rows.dedup_by(|a, b| a.name == b.name);
        self.before.compare(mark, Packed::of(&rows), |old, _, interval| {
            compare(&old.counted(), &rows).map(|deltas| tabulate(&deltas, interval, numa_nodes))
        })
    }
}

/// Growth of one wait type.
struct Growth<'a> {
    row: &'a WaitCounter,
    tasks: i64,
    wait_ms: i64,
    signal_ms: i64,
}

/// Pairs both sorted lists. A type that is new started at zero, as zero rows are left out. A type that fell is left
/// out once; if most fell or vanished, someone cleared the counters: None.
fn compare<'a>(old: &[Counted<'_>], new: &'a [WaitCounter]) -> Option<Vec<Growth<'a>>> {
    let mut grown = Vec::new();
    let (mut i, mut fell) = (0, 0);
    for row in new {
        while old.get(i).is_some_and(|o| o.name < &*row.name) {
            fell += 1;
            i += 1;
        }
        let before = old.get(i).filter(|o| o.name == &*row.name);
        i += usize::from(before.is_some());
        let since = |now: i64, then: fn(&Counted<'_>) -> i64| now.saturating_sub(before.map_or(0, then));
        let growth = Growth {
            row,
            tasks: since(row.tasks, |o| o.tasks),
            wait_ms: since(row.wait_ms, |o| o.wait_ms),
            signal_ms: since(row.signal_ms, |o| o.signal_ms),
        };
        if growth.tasks < 0 || growth.wait_ms < 0 || growth.signal_ms < 0 {
            fell += 1;
        } else if growth.tasks > 0 || growth.wait_ms > 0 {
            grown.push(growth);
        }
    }
    fell += old.len() - i;
    (fell * 2 <= old.len()).then_some(grown)
}

fn tabulate(deltas: &[Growth<'_>], interval: Interval, numa_nodes: Option<i32>) -> WaitTable {
    let types = Vec::with_capacity(deltas.len());
    let mut table = WaitTable { types, over_ms: interval.ms, ..WaitTable::default() };
    let mut sums = WaitCategory::ALL.map(|category| CategoryRate {
        category,
        ms_per_s: 0.0,
        signal_ms_per_s: 0.0,
        tasks_per_s: 0.0,
    });
    let is_believed =
        |d: &&Growth<'_>| [d.wait_ms, d.tasks].iter().all(|n| interval.believed_per_s(*n).is_some());
    for d in deltas.iter().filter(is_believed) {
        let name = &d.row.name;
        let rate = WaitRate {
            name: name.clone(),
            category: wait_class::category(name),
            benign: wait_class::is_benign(name),
            poison: wait_class::is_poison(name, numa_nodes),
            ms_per_s: rounded(interval.per_s(d.wait_ms)),
            signal_ms_per_s: rounded(interval.per_s(d.signal_ms.min(d.wait_ms))),
            tasks_per_s: rounded(interval.per_s(d.tasks)),
            avg_ms: (d.tasks > 0).then(|| rounded(d.wait_ms as f64 / d.tasks as f64)),
            max_ms: d.row.max_ms,
        };
        if !rate.benign {
            table.total_ms_per_s += rate.ms_per_s;
            table.signal_ms_per_s += rate.signal_ms_per_s;
            if let Some(sum) = sums.iter_mut().find(|s| s.category == rate.category) {
                sum.ms_per_s += rate.ms_per_s;
                sum.signal_ms_per_s += rate.signal_ms_per_s;
                sum.tasks_per_s += rate.tasks_per_s;
            }
        }
        table.types.push(rate);
    }
    let heavier = |a: f64, b: f64| b.partial_cmp(&a).unwrap_or(Ordering::Equal);
    table.types.sort_by(|a, b| heavier(a.ms_per_s, b.ms_per_s).then_with(|| a.name.cmp(&b.name)));
    table.categories = sums.into_iter().filter(|s| s.ms_per_s > 0.0 || s.tasks_per_s > 0.0).collect();
    table.categories.sort_by(|a, b| heavier(a.ms_per_s, b.ms_per_s));
    table
}
