//! The wait statistics of a moment: every type with its counters, most of a server's life in them.

use super::{
    dice::Dice,
    moment::Moment,
    wait_types::{Driver, IDLE, RARE, TRICKLE, WORK, WaitType},
};
use crate::sim::scenario::Kind;

/// One row of sys.dm_os_wait_stats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitRow {
    /// wait type
    pub name: &'static str,
    /// waits
    pub tasks: i64,
    /// ms
    pub wait_ms: i64,
    /// longest ms
    pub max_ms: i64,
    /// signal ms
    pub signal_ms: i64,
}

impl Moment<'_> {
    /// Rows with any wait, storms merged into the everyday rows of their type.
    pub fn waits(&self) -> Vec<WaitRow> {
        let totals = self.totals();
        let dice = self.profile.dice.of("waits");
        let mut rows: Vec<WaitRow> = Vec::with_capacity(WORK.len() + IDLE.len() + RARE.len());
        for (n, wait) in WORK.iter().chain(IDLE).enumerate().filter(|(_, w)| w.since <= self.profile.version)
        {
            let own = dice.at(n as i64);
            // disks and networks differ from server to server; the length of a storm's wait does not
            let pace = if is_extra(wait.driver) { 1.0 } else { own.of("pace").between(0.6, 1.7) };
            let share = wait.share * own.between(0.8, 1.2);
            let (tasks, wait_ms, signal_ms) =
                totals.wait(wait.driver, share, wait.avg_ms * pace, wait.signal);
            let max_ms = self.longest(wait, own).min(wait_ms);
            let row = WaitRow { name: wait.name, tasks, wait_ms, max_ms, signal_ms };
            if is_extra(wait.driver) { merge(&mut rows, row) } else { rows.push(row) }
        }
        for (n, name) in RARE.iter().enumerate() {
            let own = dice.of("rare").at(n as i64);
            // each server has met two thirds of them
            if own.chance(0.66) {
                let avg_ms = own.of("avg").skewed(0.3, 2_000.0);
                let (tasks, wait_ms, signal_ms) = totals.wait(TRICKLE, own.of("share").unit(), avg_ms, 0.02);
                if wait_ms > 0 {
                    let max_ms = ((avg_ms * 8.0) as i64).min(wait_ms);
                    rows.push(WaitRow { name, tasks: tasks.max(1), wait_ms, max_ms, signal_ms });
                }
            }
        }
        rows.retain(|r| r.tasks > 0);
        if self.is(Kind::HostileNegative) {
            for row in rows.iter_mut().step_by(7) {
                (row.tasks, row.wait_ms, row.signal_ms) = (-row.tasks, i64::MIN, -1);
            }
        }
        rows
    }

    /// The longest wait of a type: of an ordinary life, or of what has happened since the start. Only grows.
    fn longest(&self, wait: &WaitType, dice: Dice) -> i64 {
        let ordinary = !is_extra(wait.driver);
        let usual = if ordinary { wait.avg_ms * dice.of("max").between(9.0, 140.0) } else { 0.0 };
        let kinds: &[Kind] = match wait.driver {
            Driver::LockS | Driver::LockU | Driver::LockX | Driver::LockIx => &[Kind::BlockingStorm],
            Driver::Grants => &[Kind::GrantQueue],
            Driver::Threadpool => &[Kind::Threadpool],
            Driver::Io | Driver::Log => &[Kind::IoStall],
            _ => return usual as i64,
        };
        let hits = self.happenings().iter().filter(|h| kinds.contains(&h.kind));
        let occurrences =
            hits.flat_map(|h| h.span.occurrences(self.started_ms(), self.at_ms).map(|o| (h.amount, o)));
        let grown = occurrences.map(|(amount, o)| match wait.driver {
            Driver::Io | Driver::Log => amount * 12.0,
            Driver::Threadpool => amount * 3.0,
            _ => (o.to_ms.min(self.at_ms) - o.from_ms) as f64,
        });
        grown.fold(usual, f64::max) as i64
    }
}

/// Causes that come on top of an everyday cause with the same wait types.
const fn is_extra(driver: Driver) -> bool {
    use Driver::{Grants, LockIx, LockS, LockU, LockX, TempdbLatch, Threadpool};
    matches!(driver, LockS | LockU | LockX | LockIx | TempdbLatch | Threadpool | Grants)
}

fn merge(rows: &mut Vec<WaitRow>, row: WaitRow) {
    if row.tasks == 0 && row.wait_ms == 0 {
        return;
    }
    match rows.iter_mut().find(|r| r.name == row.name) {
        Some(r) => {
            r.tasks += row.tasks;
            r.wait_ms += row.wait_ms;
            r.signal_ms += row.signal_ms;
            r.max_ms = r.max_ms.max(row.max_ms);
        }
        None => rows.push(row),
    }
}
