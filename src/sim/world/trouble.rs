//! Sessions that a scenario adds to an instance: blocking storms, queues, sessions that take resources, and hostile data.

use super::{
    blocking,
    moment::{Active, Moment},
    profile::Database,
    storage::{HELD_DATABASE, Job},
    texts::{self, Sort, TEXTS},
    wait_types::Driver,
    work::{
        Grant, LATCH_IN_TRANSITION, LATCH_UNTRACKED, TROUBLE_FIRST, TextRef, Transaction, Wait, Work, spid,
    },
};
use crate::sim::scenario::Kind;

/// [`TextRef::template`] of the text that the `hostile_texts` event makes.
pub const HOSTILE_TEXT: u16 = u16::MAX;

/// Numbers of the sessions that each kind of trouble adds, so that two troubles at once do not share a session.
/// A storm has a head and up to 60 victims, a grant queue three holders and up to 60 waiters.
const STORM: usize = 0;
const GRANTS: usize = 61;
const BURNERS: usize = 124;
const STALLED: usize = 138;
const STARVED: usize = 147;
const CYCLE: usize = 171;
const EATER: usize = 177;
const READER: usize = 178;
const LATCHES: usize = 179;
const FILLER: usize = 185;
const LOG_HOLDER: usize = 186;
const VERSION_HOLDER: usize = 187;
const HOG: usize = 188;
const SLOW_FILE: usize = 189;

/// Isolation level of a snapshot.
pub const SNAPSHOT: i16 = 5;

/// Object id of the busiest table of every instance.
pub const TABLE_ID: i32 = 245_575_913;
/// Its heap or b-tree.
pub const TABLE_HOBT: i64 = 72_057_594_043_105_280;

impl Moment<'_> {
    /// Everyday work and trouble, oldest request first.
    pub(super) fn all_work(&self) -> Vec<Work> {
        let mut all = self.everyday();
        if let Some(active) = self.active(Kind::BlockingStorm) {
            all.extend(self.storm(active));
        }
        if let Some(active) = self.active(Kind::CpuStorm) {
            all.extend(self.burners(active));
        }
        if let Some(active) = self.active(Kind::IoStall) {
            all.extend(self.stalled(active));
        }
        if let Some(active) = self.active(Kind::Threadpool) {
            all.extend(self.starved(active));
        }
        if let Some(active) = self.active(Kind::GrantQueue) {
            all.extend(self.grant_queue(active));
        }
        if let Some(active) = self.active(Kind::TempdbFill) {
            all.push(self.tempdb_eater(active));
        }
        if let Some(active) = self.active(Kind::LogFill) {
            all.push(self.log_filler(active));
        }
        if let Some(active) = self.active(Kind::LogHold) {
            all.push(self.log_holder(active));
        }
        if let Some(active) = self.active(Kind::VersionStoreHold) {
            all.push(self.version_holder(active));
        }
        if let Some(active) = self.active(Kind::GrantHog) {
            all.push(self.grant_hog(active));
        }
        if let Some(active) = self.active(Kind::IoSlowFile) {
            all.extend(self.slow_readers(active));
        }
        if let Some(active) = self.active(Kind::HostileCycle) {
            all.extend(self.cycle(active));
        }
        if let Some(active) = self.active(Kind::Latches) {
            all.extend(self.latches(active));
        }
        if let Some(active) = self.active(Kind::HostileTexts) {
            let mut work = self.added(READER, Sort::Person, active.age_ms);
            work.text = TextRef { template: HOSTILE_TEXT, variant: active.amount.clamp(0.0, 64.0) as u16 };
            all.push(work);
        }
        all.retain(|w| !self.is_killed(w.spid, w.started_ms));
        if self.is(Kind::HostileNames) {
            for (n, work) in all.iter_mut().enumerate().take(4) {
                let evil = |nth: usize| HOSTILE_NAMES[(n + nth) % HOSTILE_NAMES.len()].to_owned();
                (work.login, work.program, work.host) = (evil(0), evil(1), evil(2));
            }
        }
        all.sort_by_key(|w| w.started_ms);
        all
    }

    /// Sessions that wait for latches, milliseconds each. The first has waited for long, for one that the second holds.
    fn latches(&self, active: Active) -> Vec<Work> {
        let id = |n: usize| spid(self.profile.dice, TROUBLE_FIRST + LATCHES + n);
        (0..active.amount.clamp(1.0, 6.0) as usize)
            .map(|n| {
                let mut work = self.added(LATCHES + n, Sort::App, active.age_ms + 5);
                let (kind, blocked_by) = match n % 5 {
                    0 => ("PAGELATCH_EX", id(n + 1)),
                    1 => ("PAGEIOLATCH_SH", LATCH_UNTRACKED),
                    2 => ("LATCH_SH", LATCH_IN_TRANSITION),
                    3 => ("PAGEIOLATCH_EX", id(n)),
                    _ => ("PAGELATCH_SH", id(0)),
                };
                work.status = "suspended";
                work.last_wait = kind;
                let ms = if n == 0 { active.age_ms } else { 3 };
                let page = format!("5:1:{}", 8 + n);
                let (resource, description) = (page.clone(), page);
                work.wait = Some(Wait { kind: kind.into(), ms, resource, description, blocked_by });
                work.waiting_tasks = 1;
                work
            })
            .collect()
    }

    /// The number of requests that the engine calls blocked.
    pub fn blocked(&self) -> i64 {
        let waits =
            |w: &&Work| w.wait.as_ref().is_some_and(|wait| wait.blocked_by != 0 && wait.blocked_by != w.spid);
        self.work().iter().filter(waits).count() as i64
    }

    /// The `n`th added session, with a request that has run for `age_ms`.
    fn added(&self, n: usize, sort: Sort, age_ms: i64) -> Work {
        let dice = self.profile.dice.of("added").at(n as i64);
        let text = TextRef {
            template: *dice.of("text").pick(&texts::of_sort(sort)),
            variant: dice.of("variant").whole(0, 900) as u16,
        };
        let mut work = self.session(TROUBLE_FIRST + n, sort, text);
        work.started_ms = (self.at_ms - age_ms).max(self.started_ms());
        work.login_ms = work.login_ms.min(work.started_ms - 3_000);
        work.database_id = 5;
        work
    }

    fn storm(&self, active: Active) -> Vec<Work> {
        let mut head = self.added(STORM, Sort::BlockingHead, active.age_ms + 2_400);
        head.status = "sleeping";
        head.slept_since_ms = Some(head.started_ms + 140);
        head.last_wait = "WRITELOG";
        (head.cpu_ms, head.logical_reads, head.writes) = (16, 412, 9);
        head.transaction = Some(Transaction {
            id: self.transaction_id(head.started_ms),
            began_ms: head.started_ms,
            log_bytes: 2_202_009,
        });
        let victims = blocking::victims(active.amount)
            .filter(|v| v.first_s * 1e3 <= active.age_ms as f64)
            .map(|v| self.victim(active, v, head.spid));
        let mut all: Vec<Work> = victims.collect();
        all.push(head);
        all
    }

    fn victim(&self, active: Active, v: blocking::Victim, head: i32) -> Work {
        let waits_ms = active.age_ms - (v.first_s * 1e3) as i64;
        let mut work = self.added(STORM + 1 + v.nth, Sort::BlockingVictim, waits_ms + 2);
        let command = match v.wants {
            Driver::LockU => "UPDATE",
            Driver::LockX => "DELETE",
            Driver::LockIx => "INSERT",
            _ => "SELECT",
        };
        // a text that asks for such a lock
        if let Some(n) = TEXTS.iter().position(|t| t.sort == Sort::BlockingVictim && t.command == command) {
            work.text.template = n as u16 + u16::from(command == "SELECT" && v.nth % 2 == 1);
        }
        work.command = command;
        work.status = "suspended";
        let blocked_by = v.behind.map_or(head, |n| spid(self.profile.dice, TROUBLE_FIRST + STORM + 1 + n));
        let kind = match v.wants {
            Driver::LockU => "LCK_M_U",
            Driver::LockX => "LCK_M_X",
            Driver::LockIx => "LCK_M_IX",
            _ => "LCK_M_S",
        };
        let db = work.database_id;
        let lock = self.profile.dice.of("lock").at(v.behind.map_or(-1, |n| n as i64));
        let id = format!("lock{:010x}", lock.bits() >> 24);
        let (resource, description) = if v.wants == Driver::LockIx {
            (
                format!("OBJECT: {db}:{TABLE_ID}:0"),
                format!(
                    "objectlock lockPartition=0 objid={TABLE_ID} subresource=FULL dbid={db} id={id} mode=X associatedObjectId={TABLE_ID}"
                ),
            )
        } else {
            let hash = format!("{:012x}", lock.bits() >> 16);
            (
                format!("KEY: {db}:{TABLE_HOBT} ({hash})"),
                format!(
                    "keylock hobtid={TABLE_HOBT} dbid={db} id={id} mode={} associatedObjectId={TABLE_HOBT}",
                    if v.behind.is_some() { "U" } else { "X" }
                ),
            )
        };
        work.last_wait = kind;
        work.wait = Some(Wait { kind: kind.into(), ms: waits_ms, resource, description, blocked_by });
        work.waiting_tasks = 1;
        (work.cpu_ms, work.logical_reads) = (1, 6);
        if command != "SELECT" {
            let began_ms = work.started_ms;
            work.transaction =
                Some(Transaction { id: self.transaction_id(began_ms), began_ms, log_bytes: 320 });
        }
        work
    }

    fn burners(&self, active: Active) -> Vec<Work> {
        let count = (self.profile.cpus as usize).min(14);
        (0..count)
            .filter(|n| active.age_ms > *n as i64 * 700)
            .map(|n| {
                let age_ms = active.age_ms - n as i64 * 700;
                let mut work = self.added(BURNERS + n, Sort::Burner, age_ms);
                work.cpu_ms = age_ms * 85 / 100;
                work.logical_reads = age_ms * 240;
                work.rows = age_ms / 90;
                work.last_wait = "SOS_SCHEDULER_YIELD";
                let turn = self.at_ms / 400 + n as i64;
                work.status = if turn % 3 == 0 { "runnable" } else { "running" };
                if turn % 3 == 0 {
                    work.wait = None;
                }
                work
            })
            .collect()
    }

    fn stalled(&self, active: Active) -> Vec<Work> {
        (0..9)
            .map(|n| {
                let age_ms = (active.age_ms + n * 811) % 9_000;
                let mut work = self.added(STALLED + n as usize, Sort::App, age_ms.min(active.age_ms));
                work.status = "suspended";
                let kind = ["PAGEIOLATCH_SH", "PAGEIOLATCH_SH", "WRITELOG", "PAGEIOLATCH_EX"][n as usize % 4];
                let page = format!(
                    "5:1:{}",
                    self.profile.dice.of("page").at(n + self.at_ms / 700).whole(8, 9_000_000)
                );
                let page = if kind == "WRITELOG" { String::new() } else { page };
                let ms = (age_ms % (active.amount as i64 * 3).max(2)).min(age_ms);
                let blocked_by = if kind == "WRITELOG" { 0 } else { LATCH_UNTRACKED };
                work.wait = Some(Wait {
                    kind: kind.into(),
                    ms,
                    resource: page.clone(),
                    description: page,
                    blocked_by,
                });
                work.last_wait = kind;
                work.waiting_tasks = 1;
                (work.cpu_ms, work.logical_reads, work.reads) = (age_ms / 60, age_ms / 2, age_ms / 9);
                work
            })
            .collect()
    }

    fn starved(&self, active: Active) -> Vec<Work> {
        (0..24)
            .filter(|n| active.age_ms > n * 97)
            .map(|n| {
                let age_ms = active.age_ms - n * 97;
                let mut work = self.added(STARVED + n as usize, Sort::Report, age_ms);
                work.status = "suspended";
                work.dop = 8.min(self.profile.cpus);
                work.wait = Some(Wait {
                    kind: "CXPACKET".into(),
                    ms: age_ms,
                    resource: String::new(),
                    description: format!(
                        "exchangeEvent id=Pipe{n:x}9c0 WaitType=e_waitPipeNewRow nodeId={n}"
                    ),
                    blocked_by: 0,
                });
                work.waiting_tasks = work.dop * 2;
                work.last_wait = "CXPACKET";
                (work.cpu_ms, work.logical_reads) = (age_ms / 9, age_ms * 11);
                work
            })
            .collect()
    }

    fn grant_queue(&self, active: Active) -> Vec<Work> {
        let want_kb = self.profile.target_memory_kb() / 5;
        let holders = (0..3).map(|n| {
            let mut work = self.added(GRANTS + n, Sort::GrantSeeker, active.age_ms + 4_000 + n as i64 * 900);
            let age_ms = self.at_ms - work.started_ms;
            work.dop = 4.min(self.profile.cpus);
            work.grant = Some(Grant {
                requested_kb: want_kb,
                granted_kb: Some(want_kb),
                used_kb: want_kb / 9,
                asked_ms: work.started_ms,
            });
            (work.cpu_ms, work.logical_reads) = (age_ms * 2, age_ms * 30);
            work
        });
        let waiters = blocking::queue(active.amount).enumerate().filter_map(|(n, first_s)| {
            let ms = active.age_ms - (first_s * 1e3) as i64;
            (ms >= 0).then(|| {
                let mut work = self.added(GRANTS + 3 + n, Sort::GrantSeeker, ms + 3);
                work.status = "suspended";
                work.last_wait = "RESOURCE_SEMAPHORE";
                work.wait = Some(Wait {
                    kind: "RESOURCE_SEMAPHORE".into(),
                    ms,
                    resource: String::new(),
                    description: String::new(),
                    blocked_by: 0,
                });
                work.waiting_tasks = 1;
                work.cpu_ms = 2;
                work.grant = Some(Grant {
                    requested_kb: want_kb,
                    granted_kb: None,
                    used_kb: 0,
                    asked_ms: work.started_ms,
                });
                work
            })
        });
        holders.chain(waiters).collect()
    }

    fn tempdb_eater(&self, active: Active) -> Work {
        let mut work = self.added(EATER, Sort::TempdbEater, active.age_ms);
        let eaten_kb = self.tempdb().eaten_kb;
        work.tempdb_alloc = eaten_kb / 8;
        work.writes = work.tempdb_alloc / 8;
        work.cpu_ms = active.age_ms * 7 / 10;
        work.logical_reads = active.age_ms * 90;
        work.rows = active.age_ms * 40;
        work.last_wait = "PAGELATCH_UP";
        work
    }

    /// A person who went to lunch inside of a transaction: it holds the log.
    fn log_holder(&self, active: Active) -> Work {
        let mut work = self.asleep(LOG_HOLDER, active);
        work.database_id = HELD_DATABASE;
        let began_ms = work.started_ms;
        work.transaction =
            Some(Transaction { id: self.transaction_id(began_ms), began_ms, log_bytes: 48_320 });
        work.last_wait = "WRITELOG";
        work
    }

    /// A report that still sees the database as it was: nothing that changed since can be cleaned up.
    fn version_holder(&self, active: Active) -> Work {
        let mut work = self.asleep(VERSION_HOLDER, active);
        let began_ms = work.started_ms;
        work.transaction = Some(Transaction { id: self.transaction_id(began_ms), began_ms, log_bytes: 0 });
        work.isolation = SNAPSHOT;
        work
    }

    fn asleep(&self, n: usize, active: Active) -> Work {
        let mut work = self.added(n, Sort::Person, active.age_ms + 800);
        work.status = "sleeping";
        work.slept_since_ms = Some(work.started_ms + 210);
        (work.cpu_ms, work.logical_reads, work.writes) = (31, 1_904, 12);
        work
    }

    /// A query whose sort was estimated far too large.
    fn grant_hog(&self, active: Active) -> Work {
        let mut work = self.added(HOG, Sort::GrantSeeker, active.age_ms + 1_500);
        let workspace_kb = self.profile.target_memory_kb() * 3 / 4;
        let want_kb = (workspace_kb as f64 * active.amount.clamp(1.0, 99.0) / 100.0) as i64;
        work.dop = 4.min(self.profile.cpus);
        work.grant = Some(Grant {
            requested_kb: want_kb,
            granted_kb: Some(want_kb),
            used_kb: want_kb / 140,
            asked_ms: work.started_ms,
        });
        let age_ms = self.at_ms - work.started_ms;
        (work.cpu_ms, work.logical_reads) = (age_ms * 2, age_ms * 26);
        work
    }

    /// Sessions that read the one slow file.
    fn slow_readers(&self, active: Active) -> Vec<Work> {
        let reader = |n: i64| {
            let age_ms = (active.age_ms + n * 1_303) % 7_000;
            let mut work = self.added(SLOW_FILE + n as usize, Sort::App, age_ms.min(active.age_ms));
            let pages = self.profile.dice.of("slow page").at(n + self.at_ms / 900);
            let page = format!("{}:1:{}", work.database_id, pages.whole(8, 9_000_000));
            let ms = (age_ms % (active.amount as i64 * 2).max(2)).min(age_ms);
            let kind = "PAGEIOLATCH_SH";
            work.status = "suspended";
            work.wait = Some(Wait {
                kind: kind.into(),
                ms,
                resource: page.clone(),
                description: page,
                blocked_by: LATCH_UNTRACKED,
            });
            work.last_wait = kind;
            work.waiting_tasks = 1;
            (work.cpu_ms, work.logical_reads, work.reads) = (age_ms / 50, age_ms / 2, age_ms / 8);
            work
        };
        (0..5).map(reader).collect()
    }

    /// A load that never commits: its transaction holds the log.
    fn log_filler(&self, active: Active) -> Work {
        let mut work = self.added(FILLER, Sort::Etl, active.age_ms);
        let log = self.logs().into_iter().find(|log| log.database_id == work.database_id);
        let log_bytes = log.map_or(0, |log| log.used_kb << 10);
        let began_ms = work.started_ms;
        work.transaction = Some(Transaction { id: self.transaction_id(began_ms), began_ms, log_bytes });
        work.cpu_ms = active.age_ms * 4 / 10;
        work.writes = active.age_ms / 3;
        work.rows = active.age_ms * 20;
        work.last_wait = "WRITELOG";
        work
    }

    /// Three sessions in a ring, one behind itself, two behind sessions that do not exist.
    fn cycle(&self, active: Active) -> Vec<Work> {
        let id = |n: usize| spid(self.profile.dice, TROUBLE_FIRST + CYCLE + n);
        let blockers = [id(1), id(2), id(0), id(3), -2, -5];
        let added = |(n, blocked_by): (usize, i32)| {
            let mut work = self.added(CYCLE + n, Sort::BlockingVictim, active.age_ms + 5);
            work.status = "suspended";
            work.last_wait = "LCK_M_S";
            let db = work.database_id;
            work.wait = Some(Wait {
                kind: "LCK_M_S".into(),
                ms: active.age_ms,
                resource: format!("KEY: {db}:{TABLE_HOBT} (00000000000{n})"),
                description: format!(
                    "keylock hobtid={TABLE_HOBT} dbid={db} id=lock{n} mode=X associatedObjectId={TABLE_HOBT}"
                ),
                blocked_by,
            });
            work.waiting_tasks = 1;
            work
        };
        blockers.into_iter().enumerate().map(added).collect()
    }
}

impl Moment<'_> {
    /// The server's name; hostile where the scenario says so.
    pub fn server_name(&self) -> String {
        self.hostile_name(3, &self.profile.name)
    }

    /// A database's name; the first user database's is hostile where the scenario says so.
    pub fn database_name(&self, database: &Database) -> String {
        if database.id == 5 { self.hostile_name(0, &database.name) } else { database.name.clone() }
    }

    /// A job's name.
    pub fn job_name(&self, job: &Job) -> String {
        self.hostile_name(1, &job.name)
    }

    fn hostile_name(&self, nth: usize, name: &str) -> String {
        let hostile = HOSTILE_NAMES.get(nth).filter(|_| self.is(Kind::HostileNames));
        hostile.map_or_else(|| name.to_owned(), |evil| format!("{name}{evil}"))
    }
}

/// Names that must not reach a terminal as they are: escape sequences, bells, newlines, direction marks, a NUL, a
/// very long one.
pub const HOSTILE_NAMES: [&str; 6] = [
    "evil\u{1b}[31mred\u{1b}]0;owned\u{7}",
    "two\nlines\r\ttab\u{b}\u{c}",
    "\u{202e}gnp.exe\u{202c} \u{200b}zero\u{200d}width",
    "nul\0inside\u{9b}2J\u{90}dcs\u{9c}",
    "ẑ̷̛̳̭a̵̡͝l̶̰͂g̸̱̈o̵̬͠ 全角名前 👩\u{200d}👩\u{200d}👧",
    "x'; DROP TABLE [dbo].[Students]; -- aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// The text of the `hostile_texts` event: this many MB of escape sequences and statements, as UTF-16 with a broken
/// surrogate at either end.
pub fn hostile_text(megabytes: u16) -> Vec<u16> {
    let line = "SELECT '\u{1b}[2J\u{1b}]52;c;cm0gLXJmIC8=\u{7}' AS \u{202e}x, N'\u{0}\u{8}\u{7f}\u{85}' /* unclosed\r\n";
    let line: Vec<u16> = line.encode_utf16().collect();
    let units = usize::from(megabytes).max(1) * 1024 * 1024 / 2;
    let mut text = vec![0xdc00];
    text.extend(line.iter().copied().cycle().take(units));
    text.push(0xd800);
    text
}
