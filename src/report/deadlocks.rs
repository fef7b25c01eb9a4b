//! The deadlocks of an incident, by what recurs. `gather` hands over the newest table of each instance, `page` asks for the section.

use super::{
    html::Html,
    parts::{more, none},
    period::Period,
};
use crate::{
    model::{
        base::{figure, time::Timestamp, zone::Zone},
        inventory::instance::InstanceId,
        poll::deadlocks::{DeadlockPattern, DeadlockTable},
        timeline::event::What,
    },
    store::history::Event,
};
use std::sync::Arc;

/// The most rows.
const TOP: usize = 40;

/// Deadlocks, by instance.
#[derive(Debug, Default)]
pub(super) struct Deadlocks {
    /// of each instance as it was told last
    tables: Vec<(InstanceId, Arc<DeadlockTable>)>,
}

impl Deadlocks {
    /// Takes a reading: a later one has all that an earlier one had.
    pub fn take(&mut self, instance: &InstanceId, table: &Arc<DeadlockTable>) {
        match self.tables.last_mut() {
            Some((last, known)) if last == instance => *known = Arc::clone(table),
            _ => self.tables.push((instance.clone(), Arc::clone(table))),
        }
    }
}

/// How often a pattern happened between two instants, and whether it may have been more often.
fn within(pattern: &DeadlockPattern, from: Timestamp, to: Timestamp) -> (u64, bool) {
    let (until_now, at_least) = pattern.since(from);
    let later = pattern.seen.iter().filter(|seen| seen.at > to).count() as u64;
    (until_now.saturating_sub(later), at_least)
}

/// Deadlocks that the servers counted, and of which no report was read in that time.
fn counted_only(events: &[Event]) -> u64 {
    events.iter().map(|event| if let What::Deadlocks(count) = event.what { count } else { 0 }).sum()
}

/// What the page knows besides.
pub(super) struct Around<'a> {
    /// instances of the page
    pub instances: usize,
    /// its events
    pub events: &'a [Event],
    /// its time
    pub period: Period,
    /// whose clock tells times
    pub zone: &'a Zone,
}

/// What is not known, in words; None: everything was read.
fn unread(deadlocks: &Deadlocks, around: &Around<'_>) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let counted = counted_only(around.events);
    if counted > 0 {
        let were =
            if counted == 1 { "was counted whose report was" } else { "were counted whose reports were" };
        words.push(format!("{} {were} not read in that time", figure::counted(counted as usize, "deadlock")));
    }
    let silent = around.instances.saturating_sub(deadlocks.tables.len());
    if silent > 0 {
        words.push(format!(
            "of {silent} of {} no report was read: nobody asked, or the login may not",
            figure::counted(around.instances, "instance")
        ));
    }
    (!words.is_empty()).then(|| format!("Not known: {}.", words.join("; ")))
}

/// The section.
pub(super) fn section(html: &mut Html, deadlocks: &Deadlocks, around: &Around<'_>) {
    let (from, to, zone) = (around.period.from, around.period.to, around.zone);
    let unread = unread(deadlocks, around);
    let mut rows: Vec<(&InstanceId, &DeadlockPattern, u64, bool)> = Vec::new();
    for (instance, table) in &deadlocks.tables {
        for pattern in &table.patterns {
            let (times, at_least) = within(pattern, from, to);
            if times > 0 {
                rows.push((instance, pattern, times, at_least || table.at_least));
            }
        }
    }
    if let Some(words) = &unread {
        none(html, words);
    }
    if rows.is_empty() {
        if !deadlocks.tables.is_empty() && counted_only(around.events) == 0 {
            none(
                html,
                if unread.is_some() {
                    "The others had no deadlock in that time."
                } else {
                    "No deadlock happened in that time."
                },
            );
        }
        return;
    }
    rows.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(b.0)));
    let row = |(instance, pattern, times, at_least): &(&InstanceId, &DeadlockPattern, u64, bool)| {
        let seen = pattern.seen.iter().filter(|seen| seen.at >= from && seen.at <= to);
        let last = seen.map(|seen| seen.at).max().map_or_else(|| "–".to_owned(), |at| zone.instant(at));
        let report = pattern.newest();
        let joined = |names: &[Arc<str>]| if names.is_empty() { "–".to_owned() } else { names.join(", ") };
        let victim = pattern.victim();
        let of = |name: Option<&Arc<str>>| name.map_or_else(|| "–".to_owned(), ToString::to_string);
        vec![
            instance.to_string(),
            pattern.kind.to_string(),
            format!("{}{times}", if *at_least { "≥" } else { "" }),
            last,
            report.map_or_else(|| "–".to_owned(), |report| joined(&report.objects)),
            report.map_or_else(|| "–".to_owned(), |report| joined(&report.databases)),
            of(victim.and_then(|party| party.who.login.as_ref())),
            of(victim.and_then(|party| party.who.program.as_ref())),
            of(victim.and_then(|party| party.place.as_ref())),
        ]
    };
    let columns = ["instance", "pattern", "#times", "last", "about", "database", "victim", "program", "in"];
    html.table(&columns, rows.iter().take(TOP).map(row));
    more(html, rows.len(), TOP, "pattern");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{base::zone::UTC, poll::deadlocks::Seen, timeline::chart::MarkKind};

    #[test]
    fn only_what_happened_between_the_two_instants_counts() {
        let at = |minute: i64| Timestamp::from_ms(minute * 60_000);
        let seen = |minute: i64| Seen { at: at(minute), hash: minute as u64, is_new: true, event: 0 };
        let pattern = DeadlockPattern {
            times: 4,
            first_at: at(10),
            seen: vec![seen(40), seen(30), seen(20), seen(10)],
            ..DeadlockPattern::default()
        };
        assert_eq!(within(&pattern, at(15), at(35)), (2, false));
        assert_eq!(within(&pattern, at(0), at(50)), (4, false));
        assert_eq!(within(&pattern, at(41), at(50)), (0, false));
        let more = DeadlockPattern { times: 900, ..pattern };
        assert_eq!(within(&more, at(0), at(35)), (3, true), "of many the newest times are kept");
    }

    #[test]
    fn what_was_not_read_is_not_called_nothing() {
        let at = |minute: i64| Timestamp::from_ms(minute * 60_000);
        let told = |tables: &[&str], counted: u64| {
            let mut all = Deadlocks::default();
            for name in tables {
                all.take(&InstanceId::new(*name), &Arc::default());
            }
            let event = Event {
                no: 1,
                uid: Some("a".into()),
                kind: MarkKind::Deadlock,
                at: at(5),
                to: None,
                what: What::Deadlocks(counted),
                episode: None,
            };
            let events = if counted > 0 { vec![event] } else { Vec::new() };
            let period = Period { from: at(0), to: at(60) };
            let around = Around { instances: 2, events: &events, period, zone: &UTC };
            Html::page("", "", |html| section(html, &all, &around))
        };
        assert!(told(&["a", "b"], 0).contains("No deadlock happened in that time."));
        let page = told(&["a"], 0);
        assert!(page.contains("of 1 of 2 instances no report was read"), "{page}");
        assert!(page.contains("The others had no deadlock"), "{page}");
        let page = told(&["a", "b"], 3);
        assert!(page.contains("3 deadlocks were counted whose reports were not read"), "{page}");
        assert!(!page.contains("No deadlock") && !page.contains("had no deadlock"), "{page}");
        let page = told(&[], 0);
        assert!(page.contains("of 2 of 2 instances") && !page.contains("no deadlock"), "{page}");
    }

    #[test]
    fn the_newest_table_of_each_instance_stands_for_all_before_it() {
        let mut all = Deadlocks::default();
        let table = |times| {
            let pattern = DeadlockPattern { times, ..DeadlockPattern::default() };
            Arc::new(DeadlockTable { patterns: vec![pattern], ..DeadlockTable::default() })
        };
        for (name, times) in [("a", 1), ("a", 2), ("b", 7)] {
            all.take(&InstanceId::new(name), &table(times));
        }
        let told: Vec<_> =
            all.tables.iter().map(|(id, table)| (id.as_str(), table.patterns[0].times)).collect();
        assert_eq!(told, [("a", 2), ("b", 7)]);
    }
}
