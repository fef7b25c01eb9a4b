//! What is said without a question: changes of health, and who polls. What was told once is not told again until it changes.

use super::{Console, MOST_NEWS, NEWS_MS};
use crate::{
    model::{
        base::{age::passed_ms, zone::Zone},
        fold::snapshot::InstanceSnapshot,
        judge::health::Level,
    },
    protocol::{InventoryRequest, VaultState},
};
use std::sync::Arc;

impl Console {
    /// Tells what changed since some seconds, locks what nobody used for long.
    pub(super) fn pass_time(&mut self) {
        let now = self.now;
        let untouched_ms = passed_ms(&mut self.touched, now);
        let is_idle = self.lock_after_ms.is_some_and(|after_ms| untouched_ms >= after_ms.unsigned_abs());
        if is_idle && self.vault == VaultState::Open {
            self.touched = now;
            self.effects.push(InventoryRequest::Lock.into());
        }
        let is_due = passed_ms(&mut self.told_at, now) >= NEWS_MS;
        if is_due && !self.quiet && self.asks.is_none() {
            self.tell_news();
        }
    }

    /// Who polls: that comes every second. How many instances it reaches changes with them, and is no news of its own.
    pub(super) fn tell_collector(&mut self, words: Option<String>) {
        let who =
            |words: &Option<String>| words.as_deref().map(|w| w.split(", ").next().unwrap_or(w).to_owned());
        if who(&words) != who(&self.collector) {
            self.say(words.clone().unwrap_or_else(|| "no collector runs: this program polls".to_owned()));
        }
        self.collector = words;
    }

    /// Takes the levels of now for told.
    pub(super) fn learn(&mut self) {
        let levels = self.live.instances.iter().filter(|i| !i.health.is_before_the_first());
        self.told = levels.map(|i| (i.id().clone(), i.health.level)).collect();
        self.told_at = self.now;
    }

    /// Changes of health since they were told last, the worst first. Nothing changed: nothing is said.
    pub(super) fn tell_news(&mut self) {
        let fleet = Arc::clone(&self.live);
        let changed = |i: &&Arc<InstanceSnapshot>| {
            let before = self.told.get(i.id()).copied();
            // An instance that was never polled has no news but bad ones.
            let was = before.unwrap_or(Level::Ok);
            !i.health.is_before_the_first() && was != i.health.level
        };
        let mut news: Vec<&Arc<InstanceSnapshot>> = fleet.instances.iter().filter(changed).collect();
        let is_same = news.is_empty() && self.told.len() == fleet.instances.len();
        news.sort_by(|a, b| a.worst_first(b));
        for i in news.iter().take(MOST_NEWS) {
            let before = self.told.get(i.id()).copied().unwrap_or(Level::Ok);
            let line = news_of(i, before, &self.zone);
            self.say(line);
        }
        if news.len() > MOST_NEWS {
            self.say(format!("and {} more changed: fleet lists them", news.len() - MOST_NEWS));
        }
        if !is_same {
            self.learn();
        }
    }
}

/// `new critical: sqlprd-014: 14 sessions blocked 5m12s by 88`, `resolved: sqlprd-014: ok`.
fn news_of(i: &InstanceSnapshot, before: Level, zone: &Zone) -> String {
    let level = i.health.level;
    let why = i.health.reasons.first().map_or_else(|| level.word().into(), |reason| reason.told_alone(zone));
    let word = level.word();
    match level {
        Level::Ok => format!("resolved: {}: {word}", i.id()),
        _ if level > before => format!("new {word}: {}: {why}", i.id()),
        _ => format!("now {word}: {}: {why}", i.id()),
    }
}
