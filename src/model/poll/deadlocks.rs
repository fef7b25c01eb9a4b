//! Deadlocks that a server's own record told of, by what recurs: deadlocks of one pattern are one row, with the times at which it
//! happened and the newest reports. The reports were read in `probe::catalog::deadlocks`; here they are text.
//!
//! A poll tells only what is new. `DeadlockTable::follow` puts what was known before behind it, so that a state has all by itself.

use super::{
    id::{Emit, Metric, ProbeId, SeriesKey},
    names::{Field, Kind, Visit, Where, maybe},
    outcome::Outcome,
    statement::{SqlText, Statement},
    who::Who,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Patterns of one instance that are kept, those that happened last.
pub const MAX_PATTERNS: usize = 32;
/// Times of one pattern that are kept, the newest.
pub const MAX_TIMES: usize = 200;
/// Reports that are kept of a pattern, the newest: three of those that happened last, one of the others.
const MAX_REPORTS: usize = 3;
const MANY_REPORTS: usize = 8;

/// The deadlocks of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeadlockTable {
    /// what recurs, the last one first
    pub patterns: Vec<DeadlockPattern>,
    /// patterns that were known and are not kept any more
    pub left_out: u64,
    /// the server had more reports than one poll may read: there may be more deadlocks than are told
    pub at_least: bool,
    /// the session of Extended Events that told them
    pub session: Arc<str>,
    /// it told them out of its memory, which forgets, and not out of a file
    pub is_from_memory: bool,
}

/// Deadlocks that are alike: the same statements, the same locks.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeadlockPattern {
    /// what they have in common
    pub fingerprint: u64,
    /// the kind in words: `key lookup`, `opposite order`
    pub kind: Arc<str>,
    /// how many were told
    pub times: u64,
    /// the first of them
    pub first_at: Timestamp,
    /// the newest of them, the last one first
    pub seen: Vec<Seen>,
    /// the newest reports, the last one first
    pub reports: Vec<DeadlockReport>,
}

/// A deadlock of a pattern.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// when, by our clock
    pub at: Timestamp,
    /// what tells its report from others
    pub hash: u64,
    /// it was told for the first time
    pub is_new: bool,
}

/// What a report says of one deadlock.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeadlockReport {
    /// when, by our clock
    pub at: Timestamp,
    /// what tells it from others
    pub hash: u64,
    /// who took part, victims first
    pub parties: Vec<DeadlockParty>,
    /// what they fought for: tables with their database
    pub objects: Vec<Arc<str>>,
    /// the databases of both
    pub databases: Vec<Arc<str>>,
    /// rings in the report; 0: it was cut short or cannot be read
    pub rings: u32,
    /// the report as the server wrote it, without native stacks
    pub text: Option<Statement>,
    /// its bytes on the server
    pub bytes: Option<i64>,
}

/// A session in a deadlock.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeadlockParty {
    /// its session
    pub session_id: Option<i64>,
    /// it was rolled back
    pub is_victim: bool,
    /// who it is
    pub who: Who,
    /// `read committed`
    pub isolation: Arc<str>,
    /// where it was: `orders.dbo.usp_Pay:40`; None in a batch
    pub place: Option<Arc<str>>,
}

/// The fingerprint of a pattern, as it is shown and as its series is asked for.
pub fn fingerprint(number: u64) -> String {
    format!("{number:016x}")
}

impl DeadlockPattern {
    /// The series of how often it happens.
    pub fn series(&self) -> SeriesKey {
        SeriesKey::with(Metric::DeadlocksOf, fingerprint(self.fingerprint))
    }

    /// The newest report.
    pub fn newest(&self) -> Option<&DeadlockReport> {
        self.reports.first()
    }

    /// When it happened last.
    pub fn last_at(&self) -> Timestamp {
        self.seen.first().map_or(self.first_at, |seen| seen.at)
    }

    /// How often it happened from then on, and whether it may have been more often.
    pub fn since(&self, from: Timestamp) -> (u64, bool) {
        let count = self.seen.iter().filter(|seen| seen.at >= from).count() as u64;
        (count, count == self.seen.len() as u64 && self.times > count)
    }

    /// Who was rolled back, by the newest report.
    pub fn victim(&self) -> Option<&DeadlockParty> {
        self.newest()?.parties.iter().find(|party| party.is_victim)
    }

    /// One more deadlock of it.
    pub fn push(&mut self, report: DeadlockReport) {
        if self.seen.iter().any(|seen| seen.hash == report.hash) {
            return;
        }
        self.first_at = if self.seen.is_empty() { report.at } else { self.first_at.min(report.at) };
        self.times += 1;
        self.seen.push(Seen { at: report.at, hash: report.hash, is_new: true });
        self.reports.push(report);
        self.tidy(MAX_REPORTS);
    }

    /// Takes over what was known of it.
    fn follow(&mut self, before: &Self) {
        let is_full = before.times > before.seen.len() as u64;
        let oldest = before.seen.last().map_or(before.first_at, |seen| seen.at);
        // Of what is older than all that is remembered nobody knows whether it was counted.
        let is_known = |hash: u64, at: Timestamp| {
            before.seen.iter().any(|seen| seen.hash == hash) || is_full && at <= oldest
        };
        self.seen.retain(|seen| !is_known(seen.hash, seen.at));
        self.reports.retain(|report| !is_known(report.hash, report.at));
        self.times = before.times.saturating_add(self.seen.len() as u64);
        self.first_at = self.seen.iter().map(|seen| seen.at).fold(before.first_at, Ord::min);
        self.seen.extend(before.seen.iter().map(|seen| Seen { is_new: false, ..*seen }));
        self.reports.extend(before.reports.iter().cloned());
        self.tidy(MAX_REPORTS);
    }

    fn tidy(&mut self, reports: usize) {
        self.seen.sort_by_key(|seen| std::cmp::Reverse(seen.at));
        self.seen.truncate(MAX_TIMES);
        self.reports.sort_by_key(|report| std::cmp::Reverse(report.at));
        self.reports.truncate(reports);
    }
}

impl DeadlockTable {
    /// Where the reports were read, where that says more than the usual file.
    pub fn source_words(&self) -> Option<String> {
        match (self.is_from_memory, &*self.session) {
            (_, "") | (false, "system_health") => None,
            (true, session) => Some(format!(
                "read out of the memory of session {session}: the server tells at most 4 MB, older ones are gone"
            )),
            (false, session) => Some(format!("read out of the file of session {session}")),
        }
    }

    /// The pattern with a fingerprint; a new one if it is not there.
    pub fn pattern(&mut self, fingerprint: u64, kind: &str) -> &mut DeadlockPattern {
        let at = self.patterns.iter().position(|pattern| pattern.fingerprint == fingerprint);
        let at = at.unwrap_or_else(|| {
            let new = DeadlockPattern { fingerprint, kind: kind.into(), ..DeadlockPattern::default() };
            self.patterns.push(new);
            self.patterns.len() - 1
        });
        &mut self.patterns[at]
    }

    /// Puts the last one first, and drops what is too much.
    pub fn tidy(&mut self) {
        self.patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.last_at()));
        let more = self.patterns.len().saturating_sub(MAX_PATTERNS);
        self.left_out = self.left_out.saturating_add(more as u64);
        self.patterns.truncate(MAX_PATTERNS);
        for pattern in self.patterns.iter_mut().skip(MANY_REPORTS) {
            pattern.tidy(1);
        }
    }

    /// Makes of what is new all that is known.
    pub(in crate::model) fn follow(&mut self, before: &Self) {
        for old in &before.patterns {
            self.pattern(old.fingerprint, &old.kind).follow(old);
        }
        self.left_out = self.left_out.saturating_add(before.left_out);
        self.at_least |= before.at_least;
        self.tidy();
    }

    /// The deadlocks that this poll told for the first time, with their pattern, the oldest first.
    pub fn news(&self) -> Vec<(Timestamp, &DeadlockPattern)> {
        let of = |pattern| move |seen: &Seen| seen.is_new.then_some((seen.at, pattern));
        let mut news: Vec<(Timestamp, &DeadlockPattern)> =
            self.patterns.iter().flat_map(|pattern| pattern.seen.iter().filter_map(of(pattern))).collect();
        news.sort_by_key(|(at, _)| *at);
        news
    }

    fn reports(&self) -> impl Iterator<Item = &DeadlockReport> {
        self.patterns.iter().flat_map(|pattern| &pattern.reports)
    }

    fn reports_mut(&mut self) -> impl Iterator<Item = &mut DeadlockReport> {
        self.patterns.iter_mut().flat_map(|pattern| &mut pattern.reports)
    }
}

impl Outcome for DeadlockTable {
    fn points(&self, _probe: ProbeId, _emit: Emit<'_>) {}

    fn each_name_mut(&mut self, visit: Visit<'_>) {
        visit(Field::Words(Where::Ours), &mut self.session);
        for report in self.reports_mut() {
            for party in &mut report.parties {
                party.who.each_name_mut(visit);
                maybe(visit, Field::Words(Where::Code), &mut party.place);
            }
            report.databases.iter_mut().for_each(|name| visit(Field::Name(Kind::Database), name));
            report.objects.iter_mut().for_each(|name| visit(Field::Words(Where::Code), name));
        }
    }

    fn each_statement(&self, with: &mut dyn FnMut(&Statement)) {
        self.reports().filter_map(|report| report.text.as_ref()).for_each(with);
    }

    fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        self.reports_mut().filter_map(|report| report.text.as_mut()).for_each(with);
    }

    /// All of it, for the next poll goes on from here; of the reports their identity, for history has them.
    fn only_judged(&self) -> Option<Self> {
        let mut lean = self.clone();
        lean.each_statement_mut(&mut |statement| {
            statement.text = Arc::new(SqlText::from(statement.text.id()));
        });
        Some(lean)
    }

    fn rows(&self) -> usize {
        let report = |report: &DeadlockReport| {
            let bytes = report.text.as_ref().map_or(0, |text| text.text.batch.len());
            4 + report.parties.len() + bytes / 100
        };
        self.patterns.iter().map(|pattern| 2 + pattern.seen.len() / 5).sum::<usize>()
            + self.reports().map(report).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1_000)
    }

    fn report(s: i64, hash: u64) -> DeadlockReport {
        DeadlockReport { at: at(s), hash, rings: 1, ..DeadlockReport::default() }
    }

    fn table(reports: &[(u64, i64, u64)]) -> DeadlockTable {
        let mut table = DeadlockTable::default();
        for (fingerprint, s, hash) in reports {
            table.pattern(*fingerprint, "ring").push(report(*s, *hash));
        }
        table.tidy();
        table
    }

    /// Polls, one after another.
    fn polled(polls: &[&[(u64, i64, u64)]]) -> DeadlockTable {
        let mut known = DeadlockTable::default();
        for poll in polls {
            let mut now = table(poll);
            now.follow(&known);
            known = now;
        }
        known
    }

    #[test]
    fn a_report_that_is_read_again_is_counted_once() {
        let told = polled(&[&[(7, 10, 1), (7, 20, 2)], &[(7, 20, 2), (7, 30, 3), (9, 5, 4)]]);
        let [last, other] = &told.patterns[..] else { panic!("{told:?}") };
        assert_eq!((last.fingerprint, last.times, last.first_at, last.last_at()), (7, 3, at(10), at(30)));
        assert_eq!(last.reports.iter().map(|r| r.hash).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!((other.fingerprint, other.times), (9, 1));
        let news: Vec<_> = told.news().iter().map(|(at, p)| (at.ms() / 1_000, p.fingerprint)).collect();
        assert_eq!(news, [(5, 9), (30, 7)], "only what this poll told");
        assert_eq!(polled(&[&[(7, 10, 1)], &[]]).news().len(), 0);
    }

    #[test]
    fn the_last_hour_is_counted_and_says_when_it_may_have_been_more() {
        let pattern = &polled(&[&[(7, 10, 1), (7, 20, 2), (7, 30, 3)]]).patterns[0];
        assert_eq!((pattern.since(at(20)), pattern.since(at(31))), ((2, false), (0, false)));
        let many: Vec<_> = (0..MAX_TIMES as u64 + 50).map(|n| (7, n as i64, n)).collect();
        let pattern = &polled(&[&many]).patterns[0];
        assert_eq!((pattern.times, pattern.seen.len()), (250, MAX_TIMES));
        assert_eq!(pattern.since(at(0)), (MAX_TIMES as u64, true), "older ones are not remembered");
        assert_eq!(pattern.since(at(200)), (50, false));
        assert_eq!((pattern.first_at, pattern.reports.len()), (at(0), MAX_REPORTS));
        // An old one that comes again is not counted twice, though nobody remembers it.
        let again = &polled(&[&many, &[(7, 3, 3), (7, 900, 900)]]).patterns[0];
        assert_eq!(again.times, 251);
    }

    #[test]
    fn patterns_and_reports_have_a_limit_and_what_is_dropped_is_counted() {
        let many: Vec<_> = (0..MAX_PATTERNS as u64 + 3).map(|n| (n, n as i64, n)).collect();
        let mut told = polled(&[&many, &[(100, 900, 900)]]);
        assert_eq!((told.patterns.len(), told.left_out), (MAX_PATTERNS, 4));
        assert_eq!(told.patterns[0].fingerprint, 100);
        for n in 0..40_u64 {
            told.pattern(n, "ring").push(report(1_000 + n as i64, 1_000 + n));
        }
        told.tidy();
        assert!(told.patterns.iter().skip(MANY_REPORTS).all(|pattern| pattern.reports.len() == 1));
    }

    #[test]
    fn a_collector_without_tables_keeps_all_but_the_text_of_reports() {
        let mut whole = table(&[(7, 10, 1)]);
        let text = SqlText::new("<event/>".into(), None, None, false);
        let id = text.id();
        whole.patterns[0].reports[0].text = Some(Statement { text: Arc::new(text), start: 0, end: 8 });
        let lean = whole.only_judged().unwrap();
        let mut found = Vec::new();
        lean.each_statement(&mut |statement| found.push((statement.text.id(), statement.text.is_lost())));
        assert_eq!(found, [(id, true)]);
        assert_eq!((lean.patterns[0].times, lean.patterns[0].seen.len()), (1, 1));
    }

    #[test]
    fn every_name_of_a_report_is_shown_to_who_hides_names() {
        let mut whole = table(&[(7, 10, 1)]);
        let name = |name: &str| Some(Arc::from(name));
        whole.patterns[0].reports[0] = DeadlockReport {
            parties: vec![DeadlockParty {
                who: Who { login: name("ann"), host: name("web"), program: name("shop") },
                place: name("orders.dbo.usp_Pay:40"),
                ..DeadlockParty::default()
            }],
            objects: vec!["orders.dbo.Order".into()],
            databases: vec!["orders".into()],
            ..report(10, 1)
        };
        whole.session = "dl".into();
        let mut shown = Vec::new();
        whole.each_name_mut(&mut |_, text| shown.push(text.to_string()));
        shown.sort();
        assert_eq!(
            shown,
            ["ann", "dl", "orders", "orders.dbo.Order", "orders.dbo.usp_Pay:40", "shop", "web"]
        );
    }
}
