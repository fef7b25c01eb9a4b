//! What a filter may ask of an instance.

use super::super::reading;
use super::columns;
use crate::model::{
    filter::{Row, Value},
    health::Level,
    snapshot::InstanceSnapshot,
};
use crate::tui::{filter::instance_values, view::View};

/// Names of the fields, labels aside.
pub const FIELDS: [&str; 19] = [
    "health",
    "score",
    "why",
    "cpu",
    "mem",
    "batches",
    "blk",
    "wait",
    "waits",
    "age",
    "conn",
    "ple",
    "runnable",
    "flush",
    "logins",
    "tempdb",
    "deadlocks",
    "version",
    "tls",
];

/// An instance as a row of the fleet.
pub struct InstanceRow<'a> {
    /// the instance
    pub instance: &'a InstanceSnapshot,
    /// for ages
    pub view: &'a View<'a>,
}

impl Row for InstanceRow<'_> {
    fn text(&self, out: &mut String) {
        let i = self.instance;
        out.push_str(i.id().as_str());
        for g in &i.info.groups {
            out.push(' ');
            out.push_str(g);
        }
        for r in &i.health.reasons {
            out.push(' ');
            out.push_str(&r.text);
        }
    }

    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
        let (i, f) = (self.instance, &self.instance.facts);
        let h = f.headline.get();
        let number = |v: Option<f64>| v.map(Value::Number);
        let whole = |v: Option<i64>| v.map(|v| Value::Number(v as f64));
        let value = match key {
            // What is offline is critical too.
            "health" if i.health.level == Level::Offline => {
                return ["offline", "critical"].iter().for_each(|w| visit(Value::Text(w)));
            }
            "health" => Some(Value::Text(reading::level_word(i.health.level))),
            "score" => i.health.score.map(|s| Value::Number(f64::from(s))),
            "why" => return i.health.reasons.iter().for_each(|r| visit(Value::Text(&r.text))),
            "cpu" => number(h.and_then(|h| h.cpu_pct)),
            "mem" => number(f.memory.get().and_then(|m| m.used_pct)),
            "batches" => number(h.and_then(|h| h.batches_per_s)),
            "blk" => whole(h.and_then(|h| h.blocked)),
            "wait" => {
                f.waits.get().and_then(|w| w.categories.first()).map(|c| Value::Text(c.category.name()))
            }
            "waits" => number(f.waits.get().map(|w| w.total_ms_per_s / 1000.0)),
            "age" => f.last_good_at.map(|at| Value::Ms(self.view.now.ms_since(at) as f64)),
            "conn" => whole(h.and_then(|h| h.connections)),
            "ple" => h.and_then(|h| h.page_life_s).map(|s| Value::Ms(s as f64 * 1000.0)),
            "runnable" => whole(f.cpu.get().and_then(|c| c.runnable)),
            "flush" => h.and_then(|h| h.log_flush_ms).map(Value::Ms),
            "logins" => number(h.and_then(|h| h.logins_per_s)),
            "tempdb" => number(h.and_then(|h| h.tempdb_used_pct)),
            "deadlocks" => whole(h.and_then(|h| h.deadlocks_recent).map(i64::from)),
            "version" => return version(i, visit),
            "tls" => Some(Value::Text(columns::tls_words(i.info.tls))),
            _ => return instance_values(&i.info, key, visit),
        };
        if let Some(v) = value {
            visit(v);
        }
    }
}

/// The year and the full number: `version=2019`, `version=15.0.*`.
fn version(i: &InstanceSnapshot, visit: &mut dyn FnMut(Value<'_>)) {
    let Some(p) = i.facts.properties.get() else { return };
    if let Some(year) = p.year() {
        visit(Value::Number(f64::from(year)));
    }
    if let Some(v) = &p.version {
        visit(Value::Text(v));
    }
}
