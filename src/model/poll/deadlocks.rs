//! Deadlocks that a server's own record told of, by what recurs: deadlocks of one pattern are one row, with the times at which it
//! happened and the newest reports. The reports were read in `probe::catalog::deadlocks`; here they are text.
//!
//! A poll tells only what is new. `DeadlockTable::follow` puts what was known before behind it, so that a state has all by itself.

use super::{
    id::{Emit, Metric, ProbeId, SeriesKey},
    names::{Field, Kind, Visit, Where, maybe},
    outcome::Outcome,
    report_text::ReportText,
    statement::Statement,
    who::Who,
};
use crate::model::base::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, sync::Arc};

/// Patterns of one instance that are kept, those that happened last.
pub const MAX_PATTERNS: usize = 32;
/// Times of one pattern that are kept, the newest.
pub const MAX_TIMES: usize = 200;
/// Reports that are kept of a pattern, the newest: three of those that happened last, one of the others; of these fewer times, too.
const MAX_REPORTS: usize = 3;
const MANY_REPORTS: usize = 8;
const FEW_TIMES: usize = 50;
/// The memory that the deadlocks of an instance take, bytes. What is too much loses the text of its oldest reports, which history has.
pub const MAX_BYTES: usize = 256 << 10;

/// The deadlocks of an instance.
/// In files by position: fields are only appended, each with a default; variants keep their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeadlockTable {
    /// what recurs, the last one first
    pub patterns: Vec<DeadlockPattern>,
    /// patterns that were known and are not kept any more
    pub left_out: u64,
    /// the server had more reports than this poll could read: there may be more deadlocks than it told
    pub at_least: bool,
    /// the session of Extended Events that told them
    pub session: Arc<str>,
    /// it told them out of its memory, which forgets, and not out of a file
    pub is_from_memory: bool,
    /// of the time before this, by our clock, some may be missing, in this poll or in one before it; of the time behind it none is
    pub missed_to: Option<Timestamp>,
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
    /// what tells the deadlock itself from others: its time on the server and who was in it; 0: not known
    pub event: u64,
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
    pub text: Option<ReportText>,
    /// its bytes on the server
    pub bytes: Option<i64>,
    /// what tells the deadlock itself from others; 0: not known
    pub event: u64,
    /// the server told so many characters of it, and left the rest out; None: it is whole
    pub cut_after: Option<u32>,
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

impl Seen {
    /// True for the same deadlock: by its report, or by its time and who was in it.
    const fn is_of(self, hash: u64, event: u64) -> bool {
        self.hash == hash || self.event != 0 && self.event == event
    }
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
        if self.seen.iter().any(|seen| seen.is_of(report.hash, report.event)) {
            return;
        }
        self.first_at = if self.seen.is_empty() { report.at } else { self.first_at.min(report.at) };
        self.times += 1;
        self.seen.push(Seen { at: report.at, hash: report.hash, is_new: true, event: report.event });
        self.reports.push(report);
        self.tidy(MAX_REPORTS, MAX_TIMES);
    }

    /// Forgets what was told before, by whichever name.
    fn forget(&mut self, is_known: impl Fn(u64, u64) -> bool) {
        let count = self.seen.len();
        self.seen.retain(|seen| !is_known(seen.hash, seen.event));
        self.reports.retain(|report| !is_known(report.hash, report.event));
        let gone = count - self.seen.len();
        self.times = self.times.saturating_sub(gone as u64);
        if gone > 0 {
            self.first_at = self.seen.iter().map(|seen| seen.at).min().unwrap_or(self.first_at);
        }
    }

    /// Takes over what was known of it.
    fn follow(&mut self, before: &Self) {
        let is_full = before.times > before.seen.len() as u64;
        let oldest = before.seen.last().map_or(before.first_at, |seen| seen.at);
        // Of what is older than all that is remembered nobody knows whether it was counted.
        let is_known = |at: Timestamp| is_full && at <= oldest;
        self.seen.retain(|seen| !is_known(seen.at));
        self.reports.retain(|report| !is_known(report.at));
        self.times = before.times.saturating_add(self.seen.len() as u64);
        self.first_at = self.seen.iter().map(|seen| seen.at).fold(before.first_at, Ord::min);
        self.seen.extend(before.seen.iter().map(|seen| Seen { is_new: false, ..*seen }));
        self.reports.extend(before.reports.iter().cloned());
        self.tidy(MAX_REPORTS, MAX_TIMES);
    }

    fn tidy(&mut self, reports: usize, times: usize) {
        self.seen.sort_by_key(|seen| std::cmp::Reverse(seen.at));
        self.seen.truncate(times);
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

    /// From then on there may have been more than are told.
    pub fn may_lack(&self, from: Timestamp) -> bool {
        // A state of a version that kept no time says so of all.
        self.missed_to.map_or(self.at_least, |to| to > from)
    }

    /// The first deadlock of all.
    pub fn first_told(&self) -> Option<Timestamp> {
        self.patterns.iter().map(|pattern| pattern.first_at).min()
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
            pattern.tidy(1, FEW_TIMES);
        }
        self.save_room();
    }

    /// Forgets texts, the oldest first, until all has room; then the oldest reports.
    fn save_room(&mut self) {
        let mut bytes = self.bytes();
        if bytes <= MAX_BYTES {
            return;
        }
        let mut oldest: Vec<&mut DeadlockReport> = self.reports_mut().collect();
        oldest.sort_by_key(|report| report.at);
        for text in oldest.into_iter().filter_map(|report| report.text.as_mut()) {
            if bytes <= MAX_BYTES {
                return;
            }
            bytes -= text.held_bytes();
            text.forget();
        }
        while self.bytes() > MAX_BYTES {
            let oldest = self.patterns.iter_mut().min_by_key(|pattern| {
                let last = pattern.reports.last().map(|report| report.at);
                (last.is_none(), last)
            });
            if oldest.and_then(|pattern| pattern.reports.pop()).is_none() {
                return;
            }
        }
    }

    /// The bytes of memory that it takes, about.
    pub fn bytes(&self) -> usize {
        let words =
            |words: &[Arc<str>]| words.iter().map(|word| size_of::<Arc<str>>() + word.len()).sum::<usize>();
        let party = |party: &DeadlockParty| {
            let mut chars = party.isolation.len() + party.place.as_ref().map_or(0, |place| place.len());
            party.who.texts(&mut |text| chars += text.len());
            size_of::<DeadlockParty>() + chars
        };
        let report = |report: &DeadlockReport| {
            size_of::<DeadlockReport>()
                + report.parties.iter().map(party).sum::<usize>()
                + words(&report.objects)
                + words(&report.databases)
                + report.text.as_ref().map_or(0, ReportText::held_bytes)
        };
        let pattern = |p: &DeadlockPattern| {
            size_of::<DeadlockPattern>() + p.kind.len() + p.seen.len() * size_of::<Seen>()
        };
        self.patterns.iter().map(pattern).sum::<usize>() + self.reports().map(report).sum::<usize>()
    }

    /// Makes of what is new all that is known. What the server tells again is known, even where it is called another pattern now.
    pub(in crate::model) fn follow(&mut self, before: &Self) {
        let known = |of: fn(&Seen) -> u64| -> HashSet<u64> {
            before.patterns.iter().flat_map(|pattern| &pattern.seen).map(of).collect()
        };
        let (hashes, events) = (known(|seen| seen.hash), known(|seen| seen.event));
        for pattern in &mut self.patterns {
            pattern.forget(|hash, event| hashes.contains(&hash) || event != 0 && events.contains(&event));
        }
        self.patterns.retain(|pattern| !pattern.seen.is_empty());
        for old in &before.patterns {
            self.pattern(old.fingerprint, &old.kind).follow(old);
        }
        self.left_out = self.left_out.saturating_add(before.left_out);
        self.missed_to = self.missed_to.max(before.missed_to);
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
        self.reports().filter_map(|report| report.text.as_ref()).for_each(|text| with(&text.statement()));
    }

    fn each_statement_mut(&mut self, with: &mut dyn FnMut(&mut Statement)) {
        for text in self.reports_mut().filter_map(|report| report.text.as_mut()) {
            let before = text.statement();
            let mut after = before.clone();
            with(&mut after);
            if after != before {
                *text = after.into();
            }
        }
    }

    /// All of it, for the next poll goes on from here; of the reports their identity, for history has them.
    fn only_judged(&self) -> Option<Self> {
        let mut lean = self.clone();
        lean.reports_mut().filter_map(|report| report.text.as_mut()).for_each(ReportText::forget);
        Some(lean)
    }

    fn rows(&self) -> usize {
        let report = |report: &DeadlockReport| {
            let bytes = report.text.as_ref().map_or(0, ReportText::held_bytes);
            4 + report.parties.len() + bytes / 100
        };
        self.patterns.iter().map(|pattern| 2 + pattern.seen.len() / 5).sum::<usize>()
            + self.reports().map(report).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll::statement::SqlText;

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
    fn a_deadlock_that_is_told_again_by_another_name_is_one() {
        let of = |fingerprint, kind: &str, hash, event| {
            let mut table = DeadlockTable::default();
            table.pattern(fingerprint, kind).push(DeadlockReport { event, ..report(10, hash) });
            table.pattern(fingerprint, kind).push(report(20 + hash as i64, hash + 1_000));
            table.tidy();
            table
        };
        let mut again = of(8, "key lookup", 2, 77);
        again.follow(&of(7, "report cut short", 1, 77));
        let times: Vec<_> = again.patterns.iter().map(|p| (p.fingerprint, p.times, p.seen.len())).collect();
        assert_eq!(times, [(8, 1, 1), (7, 2, 2)], "the one of 10 s is told once");
        let news: Vec<_> = again.news().iter().map(|(at, _)| *at).collect();
        assert_eq!(news, [at(22)]);
        assert_eq!(again.patterns[0].first_at, at(22));
        let mut again = of(8, "key lookup", 1, 0);
        again.follow(&of(7, "ring", 1, 0));
        assert_eq!(again.patterns.len(), 1, "by its report alone");
    }

    /// A report that no packer makes smaller, of so many bytes.
    fn noise(bytes: usize) -> ReportText {
        let mut dice = fastrand::Rng::with_seed(bytes as u64);
        ReportText::packed(&(0..bytes).map(|_| char::from(dice.u8(33..126))).collect::<String>())
    }

    #[test]
    fn the_deadlocks_of_an_instance_have_a_room_whatever_they_say() {
        let long: Arc<str> = "n".repeat(120).into();
        let party = DeadlockParty {
            who: Who { login: Some(long.clone()), host: Some(long.clone()), program: Some(long.clone()) },
            place: Some(long.clone()),
            ..DeadlockParty::default()
        };
        let mut table = DeadlockTable::default();
        for n in 0..MAX_PATTERNS as u64 * 4 {
            for m in 0..300 {
                let mut report = report((m * 100 + n) as i64, n * 1_000 + m);
                if m > 290 {
                    report.parties = vec![party.clone(); 8];
                    report.objects = vec![long.clone(); 8];
                    report.text = Some(noise(80_000));
                }
                table.pattern(n, "ring").push(report);
            }
        }
        table.tidy();
        assert!(table.bytes() <= MAX_BYTES, "{}", table.bytes());
        assert_eq!((table.patterns.len(), table.left_out), (MAX_PATTERNS, MAX_PATTERNS as u64 * 3));
        assert!(table.patterns.iter().all(|p| p.times == 300), "all are counted");
        assert!(table.reports().any(|r| r.text.as_ref().is_some_and(ReportText::is_lost)));

        // Reports as servers write them have all the room that they need.
        let xml = r#"<process id="process2a" spid="62"><executionStack>SELECT 1</executionStack></process>"#;
        let mut table = DeadlockTable::default();
        for n in 0..48 {
            let text = Some(ReportText::packed(&xml.repeat(8_000 + n)));
            table.pattern(n as u64 % 16, "ring").push(DeadlockReport { text, ..report(n as i64, n as u64) });
        }
        table.tidy();
        assert!(table.reports().all(|report| !report.text.as_ref().unwrap().is_lost()), "{}", table.bytes());
    }

    #[test]
    fn a_collector_without_tables_keeps_all_but_the_text_of_reports() {
        let mut whole = table(&[(7, 10, 1)]);
        let id = SqlText::new("<event/>".into(), None, None, false).id();
        whole.patterns[0].reports[0].text = Some(ReportText::packed("<event/>"));
        let lean = whole.only_judged().unwrap();
        let mut found = Vec::new();
        lean.each_statement(&mut |statement| found.push((statement.text.id(), statement.text.is_lost())));
        assert_eq!(found, [(id, true)]);
        assert_eq!((lean.patterns[0].times, lean.patterns[0].seen.len()), (1, 1));
    }

    #[test]
    fn what_was_missed_is_of_the_time_before_it_and_stays_so() {
        let at = |s: i64| Timestamp::from_ms(s * 1_000);
        let mut table = DeadlockTable { at_least: true, missed_to: Some(at(50)), ..DeadlockTable::default() };
        let calm = DeadlockTable::default();
        let follow = |table: &mut DeadlockTable, now: &DeadlockTable| {
            let before = std::mem::replace(table, now.clone());
            table.follow(&before);
        };
        follow(&mut table, &calm);
        assert!(!table.at_least, "this poll read all");
        assert_eq!([49, 50, 51].map(|s| table.may_lack(at(s))), [true, false, false]);
        follow(&mut table, &DeadlockTable { at_least: true, missed_to: Some(at(80)), ..calm.clone() });
        follow(&mut table, &calm);
        assert_eq!([79, 80].map(|s| table.may_lack(at(s))), [true, false]);
        let old = DeadlockTable { at_least: true, ..calm };
        assert!(old.may_lack(at(9_000)), "a version that kept no time says so of all");
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
