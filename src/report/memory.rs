//! The memory of an incident: machine and process at their fullest, clerks that grew, who waited for a memory grant and who held the
//! greatest. `gather` hands over the readings, `page` asks for the sections.

use super::{
    html::Html,
    parts::{Worst, more, name, none},
    words::{count, pct, size, span, wait},
};
use crate::model::{
    base::{time::Timestamp, zone::Zone},
    inventory::instance::InstanceId,
    poll::{
        State,
        clerks::ClerkTable,
        grants::{GrantRow, GrantTable},
        memory::MemoryNow,
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Rows of each table that are kept while the story is gathered.
const KEPT: usize = 60;
/// The most rows of a table.
const TOP: usize = 20;

/// Something that was told, and when.
type Told<T> = Option<(T, Timestamp)>;

/// An instance at its fullest.
#[derive(Debug, Clone, Default)]
struct Fullest {
    /// in use of the machine, %, and what was free then, KB
    used: Told<(f64, Option<f64>)>,
    /// the most that the process had, KB
    process_kb: Option<i64>,
    /// polls, and those of them in which machine or process was told that memory is low
    polls: u64,
    low: u64,
    /// the most that waited for a grant at once
    waiters: Told<i64>,
    /// the least page life of a node, s
    page_life: Told<i64>,
}

/// A clerk type over the stretch, KB.
#[derive(Debug, Clone, Copy)]
struct Clerk {
    first: i64,
    most: i64,
    last: i64,
}

type Grant = (Timestamp, GrantRow);

/// What memory went through.
#[derive(Debug, Default)]
pub(super) struct Memory {
    instances: Worst<(InstanceId, Fullest)>,
    clerks: Worst<(InstanceId, Arc<str>, Clerk)>,
    waited: Worst<(InstanceId, Grant)>,
    held: Worst<(InstanceId, Grant)>,
    polls: u64,
    grant_polls: u64,
    own: Own,
}

/// Of the instance that is read now.
#[derive(Debug, Default)]
struct Own {
    fullest: Fullest,
    clerks: BTreeMap<Arc<str>, Clerk>,
    /// of each session and request the longest wait, and the greatest grant
    waited: HashMap<(i32, i32), Grant>,
    held: HashMap<(i32, i32), Grant>,
}

impl Memory {
    /// Takes a reading of the instance that is read now.
    pub fn take(&mut self, at: Timestamp, state: &State) {
        match state {
            State::Memory(now) => self.own.memory(at, now),
            State::Clerks(table) => self.own.clerks(table),
            State::Grants(table) => {
                self.grant_polls += 1;
                return self.own.grants(at, table);
            }
            _ => return,
        }
        self.polls += 1;
    }

    /// The instance is read: of each kind the worst stay.
    pub fn end(&mut self, instance: &InstanceId) {
        let own = std::mem::take(&mut self.own);
        let id = || instance.clone();
        let used = |row: &(InstanceId, Fullest)| row.1.used.map_or(-1.0, |((pct, _), _)| pct);
        let is_told = own.fullest.polls > 0 || own.fullest.page_life.is_some();
        let told = is_told.then(|| (id(), own.fullest));
        self.instances.take(told, KEPT, |a, b| used(b).total_cmp(&used(a)));
        let grown = |clerk: &Clerk| clerk.most.saturating_sub(clerk.first);
        let clerks = own.clerks.into_iter().filter(|(_, clerk)| grown(clerk) > 0);
        self.clerks.take(clerks.map(|(kind, clerk)| (id(), kind, clerk)), KEPT, |a, b| {
            grown(&b.2).cmp(&grown(&a.2)).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1)))
        });
        let order = |a: &Grant, b: &Grant| (a.0, a.1.session_id).cmp(&(b.0, b.1.session_id));
        self.waited.take(own.waited.into_values().map(|grant| (id(), grant)), KEPT, |a, b| {
            b.1.1.waited_ms.cmp(&a.1.1.waited_ms).then_with(|| order(&a.1, &b.1))
        });
        self.held.take(own.held.into_values().map(|grant| (id(), grant)), KEPT, |a, b| {
            b.1.1.granted_kb.cmp(&a.1.1.granted_kb).then_with(|| order(&a.1, &b.1))
        });
    }
}

impl Own {
    fn memory(&mut self, at: Timestamp, now: &MemoryNow) {
        let fullest = &mut self.fullest;
        fullest.polls += 1;
        fullest.low += u64::from([now.process_low, now.machine_low].contains(&Some(true)));
        fullest.process_kb = fullest.process_kb.max(now.process_kb);
        if let Some(pct) = now.used_pct
            && fullest.used.is_none_or(|((known, _), _)| pct > known)
        {
            fullest.used = Some(((pct, now.free_kb()), at));
        }
        if let Some(waiters) = now.grant_waiters
            && fullest.waiters.is_none_or(|(known, _)| waiters > known)
        {
            fullest.waiters = Some((waiters, at));
        }
    }

    fn clerks(&mut self, table: &ClerkTable) {
        for row in &table.clerks {
            let Some(kb) = row.pages_kb else { continue };
            let new = Clerk { first: kb, most: kb, last: kb };
            let known = self.clerks.entry(Arc::clone(&row.kind)).or_insert(new);
            (known.most, known.last) = (known.most.max(kb), kb);
        }
    }

    fn grants(&mut self, at: Timestamp, table: &GrantTable) {
        if let Some(life_s) = table.page_life.iter().map(|(_, life_s)| *life_s).min()
            && self.fullest.page_life.is_none_or(|(known, _)| life_s < known)
        {
            self.fullest.page_life = Some((life_s, at));
        }
        for row in &table.grants {
            let (known, of): (_, fn(&GrantRow) -> Option<i64>) = if row.waits() {
                (&mut self.waited, |row| row.waited_ms)
            } else {
                (&mut self.held, |row| row.granted_kb)
            };
            let key = (row.session_id, row.request_id);
            if of(row).is_some() && known.get(&key).is_none_or(|(_, known)| of(row) > of(known)) {
                known.insert(key, (at, row.clone()));
            }
        }
    }
}

fn or_dash<T>(told: Option<T>, words: impl FnOnce(T) -> String) -> String {
    told.map_or_else(|| "–".to_owned(), words)
}

fn kb(kb: i64) -> String {
    size(kb as f64 * 1024.0)
}

/// The section of memory.
pub(super) fn section(html: &mut Html, memory: &Memory, zone: &Zone) {
    if memory.polls == 0 {
        return none(html, "No poll of memory is kept of that time.");
    }
    let at = |at: Timestamp| zone.instant(at);
    let row = |(instance, told): &(InstanceId, Fullest)| {
        vec![
            instance.to_string(),
            or_dash(told.used, |((used, _), _)| pct(used)),
            or_dash(told.used.and_then(|((_, free), _)| free), |free| size(free * 1024.0)),
            or_dash(told.used, |(_, when)| at(when)),
            or_dash(told.process_kb, kb),
            format!("{} of {}", told.low, told.polls),
            or_dash(told.waiters, |(waiters, _)| count(waiters as f64)),
            or_dash(told.waiters.filter(|(waiters, _)| *waiters > 0), |(_, when)| at(when)),
            or_dash(told.page_life, |(life_s, _)| span(life_s.saturating_mul(1_000))),
        ]
    };
    let columns = [
        "instance",
        "#of the machine at most",
        "#free then",
        "at",
        "#process at most",
        "#polls with low memory",
        "#waited for a grant at most",
        "at",
        "#page life at least",
    ];
    html.table(&columns, memory.instances.rows.iter().take(TOP).map(row));
    more(html, memory.instances.all, TOP, "instance");
    html.leaf("h3", &[], "Clerks that grew most");
    if memory.clerks.rows.is_empty() {
        return none(html, "None was seen to grow.");
    }
    let row = |(instance, kind, clerk): &(InstanceId, Arc<str>, Clerk)| {
        vec![instance.to_string(), kind.to_string(), kb(clerk.first), kb(clerk.most), kb(clerk.last)]
    };
    let columns = ["instance", "clerk", "#at first", "#at most", "#at the end"];
    html.table(&columns, memory.clerks.rows.iter().take(TOP).map(row));
    more(html, memory.clerks.all, TOP, "clerk");
}

/// The section of memory grants.
pub(super) fn grants(html: &mut Html, memory: &Memory, zone: &Zone) {
    if memory.grant_polls == 0 {
        return none(html, "No poll of memory grants is kept of that time.");
    }
    let begin = |instance: &InstanceId, (at, grant): &Grant| {
        [instance.to_string(), zone.instant(*at), grant.session_id.to_string()]
    };
    let end = |grant: &GrantRow| [name(&grant.who.login), name(&grant.who.host), name(&grant.who.program)];
    html.leaf("h3", &[], "Requests that waited longest for a grant");
    if memory.waited.rows.is_empty() {
        none(html, "None was seen waiting.");
    } else {
        let row = |(instance, grant): &(InstanceId, Grant)| {
            let own = [or_dash(grant.1.waited_ms, |ms| wait(ms as f64)), or_dash(grant.1.wanted_kb, kb)];
            begin(instance, grant).into_iter().chain(own).chain(end(&grant.1)).collect()
        };
        let columns = ["instance", "at", "#session", "#waited", "#wanted", "login", "host", "program"];
        html.table(&columns, memory.waited.rows.iter().take(TOP).map(row));
        more(html, memory.waited.all, TOP, "request");
    }
    html.leaf("h3", &[], "Greatest grants");
    if memory.held.rows.is_empty() {
        return none(html, "No request was seen with a grant.");
    }
    let row = |(instance, grant): &(InstanceId, Grant)| {
        let held = &grant.1;
        let own = [or_dash(held.granted_kb, kb), or_dash(held.used_pct(), pct), or_dash(held.ideal_kb, kb)];
        begin(instance, grant).into_iter().chain(own).chain(end(held)).collect()
    };
    let columns =
        ["instance", "at", "#session", "#granted", "#of it used", "#ideal", "login", "host", "program"];
    html.table(&columns, memory.held.rows.iter().take(TOP).map(row));
    more(html, memory.held.all, TOP, "grant");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        base::zone::UTC,
        poll::{clerks::ClerkRow, who::Who},
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(minute * 60_000)
    }

    fn told(states: Vec<State>) -> String {
        let mut memory = Memory::default();
        for (minute, state) in (1..).zip(states) {
            memory.take(at(minute), &state);
        }
        memory.end(&InstanceId::new("sql-01"));
        Html::page("", "", |html| {
            section(html, &memory, &UTC);
            grants(html, &memory, &UTC);
        })
    }

    #[test]
    fn memory_is_told_at_its_fullest_with_the_clerk_that_grew() {
        let now = |used_pct: f64, waiters: i64| {
            State::Memory(Box::new(MemoryNow {
                used_pct: Some(used_pct),
                physical_kb: Some(100 << 20),
                grant_waiters: Some(waiters),
                process_low: Some(used_pct > 95.0),
                ..MemoryNow::default()
            }))
        };
        let clerks = |kind: &str, gb: i64| {
            let row = ClerkRow { kind: kind.into(), pages_kb: Some(gb << 20), ..ClerkRow::default() };
            State::Clerks(Arc::new(ClerkTable { clerks: vec![row], ..ClerkTable::default() }))
        };
        let plans = "CACHESTORE_SQLCP";
        let page = told(vec![now(50.0, 0), now(98.0, 3), now(60.0, 1), clerks(plans, 2), clerks(plans, 9)]);
        for words in
            ["98", "1 of 3", "1970-01-01 00:02:00", plans, "2.0 GB", "9.0 GB", "No poll of memory grants"]
        {
            assert!(page.contains(words), "{words} in {page}");
        }
        assert!(told(Vec::new()).contains("No poll of memory is kept"));
    }

    #[test]
    fn who_waited_longest_and_who_held_most_are_told_once_each() {
        let who = |login: &str| Who { login: Some(login.into()), ..Who::default() };
        let waits = |waited_ms| GrantRow {
            session_id: 61,
            wanted_kb: Some(4 << 20),
            waited_ms: Some(waited_ms),
            who: who("report"),
            ..GrantRow::default()
        };
        let holds = GrantRow {
            session_id: 70,
            granted_kb: Some(8 << 20),
            max_used_kb: Some(2 << 20),
            who: who("batch"),
            ..GrantRow::default()
        };
        let table = |grants| State::Grants(Arc::new(GrantTable { grants, ..GrantTable::default() }));
        let page = told(vec![
            table(vec![waits(2_000), holds.clone()]),
            table(vec![waits(41_000), holds]),
            table(Vec::new()),
        ]);
        for (words, times) in [("report", 1), ("batch", 1), ("41", 1), ("8.0 GB", 1), ("25", 1)] {
            assert!(page.matches(words).count() >= times, "{words} in {page}");
        }
        assert_eq!((page.matches("report").count(), page.matches("batch").count()), (1, 1), "{page}");
        assert!(!page.contains("None was seen waiting"), "{page}");
        let page = told(vec![table(Vec::new())]);
        assert!(page.contains("None was seen waiting") && page.contains("No request was seen"), "{page}");
    }
}
