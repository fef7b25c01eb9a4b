//! The sessions and requests of the everyday workload. Sessions that a scenario adds are in `trouble`.
//!
//! Everyday work comes from slots. A slot is a session that runs one request per cycle; the cycle's number decides text and
//! duration, so that two polls see the same request at two ages.

use super::{
    dice::Dice,
    moment::Moment,
    profile::Role,
    texts::{self, Sort, TEXTS},
};
use std::borrow::Cow;

/// What the engine says in place of a blocker where nobody is known to own a latch.
pub const LATCH_UNTRACKED: i32 = -5;
/// The same, while its owner changes.
pub const LATCH_IN_TRANSITION: i32 = -4;

/// A wait that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// wait type
    pub kind: Cow<'static, str>,
    /// ms so far
    pub ms: i64,
    /// dm_exec_requests.wait_resource
    pub resource: String,
    /// dm_os_waiting_tasks.resource_description
    pub description: String,
    /// blocking session, 0 for none
    pub blocked_by: i32,
}

/// A memory grant, KB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// requested
    pub requested_kb: i64,
    /// granted; None while it queues
    pub granted_kb: Option<i64>,
    /// used
    pub used_kb: i64,
    /// since when, ms
    pub asked_ms: i64,
}

/// An open transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction {
    /// id
    pub id: i64,
    /// begin, ms
    pub began_ms: i64,
    /// log bytes
    pub log_bytes: i64,
}

/// A running text, with the numbers in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextRef {
    /// position in [`TEXTS`]
    pub template: u16,
    /// numbers
    pub variant: u16,
}

/// One user session with its request, or asleep.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// session id
    pub spid: i32,
    /// login
    pub login: String,
    /// host
    pub host: String,
    /// program
    pub program: String,
    /// client address
    pub address: String,
    /// client process id
    pub client_pid: i32,
    /// database
    pub database_id: i32,
    /// login time, ms
    pub login_ms: i64,
    /// begin of the request; of the last one for a sleeper, ms
    pub started_ms: i64,
    /// end of the last request of a sleeper, ms; None while one runs
    pub slept_since_ms: Option<i64>,
    /// `running`, `runnable`, `suspended`, `sleeping`
    pub status: &'static str,
    /// command
    pub command: &'static str,
    /// CPU ms
    pub cpu_ms: i64,
    /// logical reads
    pub logical_reads: i64,
    /// physical reads
    pub reads: i64,
    /// writes
    pub writes: i64,
    /// rows
    pub rows: i64,
    /// wait now
    pub wait: Option<Wait>,
    /// wait before
    pub last_wait: &'static str,
    /// degree of parallelism
    pub dop: i32,
    /// tasks that wait
    pub waiting_tasks: i32,
    /// memory grant
    pub grant: Option<Grant>,
    /// open transaction
    pub transaction: Option<Transaction>,
    /// 2 = read committed …
    pub isolation: i16,
    /// percent complete
    pub percent: f64,
    /// tempdb pages allocated so far
    pub tempdb_alloc: i64,
    /// and given back
    pub tempdb_dealloc: i64,
    /// what runs or ran
    pub text: TextRef,
}

/// The behaviour of the requests of one sort.
struct Manner {
    sort: Sort,
    /// seconds from one request to the next
    cycle_s: (f64, f64),
    /// seconds that a request takes, most near the low end
    takes_s: (f64, f64),
    /// waits it meets, with the CPU share of the time
    waits: &'static [&'static str],
    cpu: f64,
    reads_per_s: f64,
    dop: i32,
    grant_mb: f64,
}

const MANNERS: [Manner; 6] = [
    Manner {
        sort: Sort::App,
        cycle_s: (0.8, 6.0),
        takes_s: (0.05, 4.0),
        waits: &["", "", "", "ASYNC_NETWORK_IO", "WRITELOG", "PAGEIOLATCH_SH", "SOS_SCHEDULER_YIELD"],
        cpu: 0.45,
        reads_per_s: 4_000.0,
        dop: 1,
        grant_mb: 0.0,
    },
    Manner {
        sort: Sort::Report,
        cycle_s: (120.0, 900.0),
        takes_s: (6.0, 700.0),
        waits: &["", "CXPACKET", "PAGEIOLATCH_SH", "ASYNC_NETWORK_IO", "PAGEIOLATCH_SH", "CXCONSUMER"],
        cpu: 0.3,
        reads_per_s: 60_000.0,
        dop: 8,
        grant_mb: 900.0,
    },
    Manner {
        sort: Sort::Etl,
        cycle_s: (200.0, 600.0),
        takes_s: (15.0, 300.0),
        waits: &["", "WRITELOG", "PAGEIOLATCH_EX", "IO_COMPLETION", "LOGBUFFER"],
        cpu: 0.5,
        reads_per_s: 25_000.0,
        dop: 4,
        grant_mb: 240.0,
    },
    Manner {
        sort: Sort::Job,
        cycle_s: (600.0, 3_600.0),
        takes_s: (20.0, 1_500.0),
        waits: &["", "PAGEIOLATCH_SH", "WRITELOG", "", "IO_COMPLETION"],
        cpu: 0.55,
        reads_per_s: 30_000.0,
        dop: 1,
        grant_mb: 12.0,
    },
    Manner {
        sort: Sort::Backup,
        cycle_s: (1_800.0, 9_000.0),
        takes_s: (30.0, 1_200.0),
        waits: &["BACKUPIO", "BACKUPBUFFER", "ASYNC_IO_COMPLETION", "BACKUPTHREAD"],
        cpu: 0.1,
        reads_per_s: 9_000.0,
        dop: 1,
        grant_mb: 0.0,
    },
    Manner {
        sort: Sort::Person,
        cycle_s: (300.0, 1_200.0),
        takes_s: (2.0, 240.0),
        waits: &["ASYNC_NETWORK_IO", "", "PAGEIOLATCH_SH", "ASYNC_NETWORK_IO"],
        cpu: 0.3,
        reads_per_s: 8_000.0,
        dop: 2,
        grant_mb: 40.0,
    },
];

/// The number of sessions with ids of their own; a prime, so that a stride visits each.
const SPIDS: i64 = 242;

/// The session id of the `n`th session of an instance, scattered over 51..=292; those beyond them stand behind. Everyday work takes n from 0, trouble
/// from [`TROUBLE_FIRST`].
pub fn spid(dice: Dice, n: usize) -> i32 {
    if n as i64 >= SPIDS {
        return 51 + n as i32;
    }
    let offset = dice.of("spid").whole(0, SPIDS);
    51 + ((n as i64 * 89 + offset) % SPIDS) as i32
}

/// First number for [`spid`] of the sessions that a scenario adds.
pub const TROUBLE_FIRST: usize = 56;

impl Moment<'_> {
    /// Everyday requests that run now, longest first.
    pub fn everyday(&self) -> Vec<Work> {
        let mut all = Vec::new();
        let mut n = 0;
        for manner in &MANNERS {
            for _ in 0..self.slots(manner.sort) {
                all.extend(self.slot(manner, n));
                n += 1;
            }
        }
        all.sort_by_key(|w| w.started_ms);
        all
    }

    /// The number of sessions that do work of a sort.
    fn slots(&self, sort: Sort) -> usize {
        let p = self.profile;
        let power = p.busy * f64::from(p.cpus);
        let n = match (sort, p.role) {
            (Sort::App, Role::Prod) => 2.0 + power * 1.6,
            (Sort::Report, Role::Reporting) => 3.0 + power,
            (Sort::App | Sort::Job | Sort::Backup, _)
            | (Sort::Report | Sort::Etl, Role::Prod)
            | (Sort::Person, Role::Test) => 1.0,
            (Sort::Person, _) => 2.0,
            _ => 0.0,
        };
        (n as usize).min(24)
    }

    /// The request of one slot, if one runs.
    fn slot(&self, manner: &Manner, n: usize) -> Option<Work> {
        let dice = self.profile.dice.of("slot").at(n as i64);
        let cycle_ms = (dice.of("cycle").between(manner.cycle_s.0, manner.cycle_s.1) * 1e3) as i64;
        let since = self.at_ms + (dice.of("phase").unit() * cycle_ms as f64) as i64;
        let (cycle, age_ms) = (since.div_euclid(cycle_ms), since.rem_euclid(cycle_ms));
        let roll = dice.at(cycle);
        let takes_ms = (roll.of("takes").skewed(manner.takes_s.0, manner.takes_s.1) * 1e3) as i64;
        if age_ms >= takes_ms.min(cycle_ms) || self.at_ms - age_ms < self.started_ms() {
            return None;
        }
        let text = TextRef {
            template: *roll.of("text").pick(&texts::of_sort(manner.sort)),
            variant: roll.of("variant").whole(0, 900) as u16,
        };
        let mut work = self.session(n, manner.sort, text);
        work.started_ms = self.at_ms - age_ms;
        self.progress(&mut work, manner, roll, age_ms, takes_ms);
        Some(work)
    }

    /// The resources that a request has used at its age.
    fn progress(&self, work: &mut Work, manner: &Manner, roll: Dice, age_ms: i64, takes_ms: i64) {
        let seconds = age_ms as f64 / 1e3;
        let speed = roll.of("speed").between(0.4, 1.6);
        let wait = *roll.of("wait").at(age_ms / 900).pick(manner.waits);
        work.cpu_ms = (age_ms as f64 * manner.cpu * speed.min(1.2) * f64::from(manner.dop).sqrt()) as i64;
        work.logical_reads = (seconds * manner.reads_per_s * speed) as i64 + 3;
        work.reads = work.logical_reads / 40;
        work.rows = (seconds * 300.0 * speed) as i64;
        work.dop = if manner.dop > 1 { manner.dop.min(self.profile.cpus) } else { 1 };
        if matches!(
            work.command,
            "UPDATE" | "INSERT" | "DELETE" | "MERGE" | "BULK INSERT" | "SELECT INTO" | "ALTER INDEX"
        ) {
            work.writes = (seconds * 220.0 * speed) as i64 + 1;
            work.transaction = Some(Transaction {
                id: self.transaction_id(work.started_ms),
                began_ms: work.started_ms,
                log_bytes: work.writes * 4_100,
            });
        }
        if manner.grant_mb > 1.0 {
            let granted_kb = (manner.grant_mb * 1024.0 * roll.of("grant").between(0.2, 2.0)) as i64;
            let used_kb = (granted_kb as f64 * (seconds / 30.0).min(0.9)) as i64;
            let grant = Grant {
                requested_kb: granted_kb,
                granted_kb: Some(granted_kb),
                used_kb,
                asked_ms: work.started_ms,
            };
            work.grant = Some(grant);
            work.tempdb_alloc = (seconds * 40.0 * speed) as i64 * 8;
            work.tempdb_dealloc = work.tempdb_alloc / 3;
        }
        if matches!(manner.sort, Sort::Backup) || matches!(work.command, "DBCC TABLE CHECK") {
            work.percent = (age_ms as f64 / takes_ms as f64 * 100.0).min(99.9);
        }
        self.wait_or_run(work, wait, manner, roll, age_ms);
    }

    /// The wait of the request; None: it runs.
    fn wait_or_run(&self, work: &mut Work, wait: &'static str, manner: &Manner, roll: Dice, age_ms: i64) {
        let parallel_only = matches!(wait, "CXPACKET" | "CXCONSUMER") && work.dop == 1;
        if wait.is_empty() || parallel_only || (wait == "CXCONSUMER" && self.profile.version.year() < 2017) {
            work.status =
                if roll.of("runnable").at(age_ms / 500).chance(0.1) { "runnable" } else { "running" };
            work.last_wait = manner.waits[1.min(manner.waits.len() - 1)];
            if work.last_wait.is_empty() {
                work.last_wait = "MISCELLANEOUS";
            }
        } else {
            work.status = "suspended";
            work.last_wait = wait;
            let (resource, description) = self.everyday_resource(wait, work.database_id, roll);
            let ms = (age_ms % 900).min(roll.of("long").skewed(1.0, 400.0) as i64);
            let blocked_by = if wait.starts_with("PAGEIOLATCH") { LATCH_UNTRACKED } else { 0 };
            work.wait = Some(Wait { kind: wait.into(), ms, resource, description, blocked_by });
            work.waiting_tasks = if wait.starts_with("CX") { work.dop } else { 1 };
        }
    }

    fn everyday_resource(&self, wait: &str, database_id: i32, roll: Dice) -> (String, String) {
        if wait.starts_with("PAGEIOLATCH") {
            let page = roll.of("page").at(self.at_ms / 300).whole(8, 40_000_000);
            let page = format!("{database_id}:1:{page}");
            (page.clone(), page)
        } else if wait == "CXPACKET" {
            (
                String::new(),
                format!("exchangeEvent id=Pipe{:x} WaitType=e_waitPipeGetRow nodeId=4", roll.bits()),
            )
        } else {
            (String::new(), String::new())
        }
    }

    /// A session of some sort at rest; the caller fills in what it does.
    pub fn session(&self, n: usize, sort: Sort, text: TextRef) -> Work {
        let p = self.profile;
        let dice = p.dice.of("session").at(n as i64);
        let (login, host, program) = self.people(sort, dice);
        let connected_ms = (dice.of("connected").skewed(1_800.0, 400_000.0) * 1e3) as i64;
        Work {
            spid: spid(p.dice, n),
            login,
            host,
            program,
            address: format!(
                "10.{}.{}.{}",
                20 + p.index % 8,
                dice.of("net").whole(0, 16),
                dice.of("ip").whole(10, 250)
            ),
            client_pid: dice.of("pid").whole(900, 30_000) as i32,
            database_id: texts::database_of(p.dice, text.template),
            login_ms: (-connected_ms).max(self.started_ms()),
            started_ms: self.at_ms,
            slept_since_ms: None,
            status: "running",
            command: TEXTS.get(usize::from(text.template)).map_or("SELECT", |t| t.command),
            cpu_ms: 0,
            logical_reads: 0,
            reads: 0,
            writes: 0,
            rows: 0,
            wait: None,
            last_wait: "MISCELLANEOUS",
            dop: 1,
            waiting_tasks: 0,
            grant: None,
            transaction: None,
            isolation: 2,
            percent: 0.0,
            tempdb_alloc: 0,
            tempdb_dealloc: 0,
            text,
        }
    }

    /// A transaction id: ids grow with time as on a server.
    pub fn transaction_id(&self, began_ms: i64) -> i64 {
        1_000_000 + (began_ms + self.profile.uptime_ms) / 3
    }
}
