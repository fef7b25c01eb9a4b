//! A made-up fleet that tells what a fleet at the default cadence tells: what history keeps of it, minute after minute,
//! believable and the same every time. For the tests and the benchmark of the store; polls nothing.

#![allow(dead_code, reason = "each user of this file needs another part of it")]

use dbtop::model::{
    health::{Health, Level, Reason, Topic},
    instance::{InstanceId, InstanceInfo, TlsMode},
    kept::{Happened, Kept, State, rounded},
    properties::{Properties, Right, Rights, ServerOption},
    sample::{DatabaseRow, Link, ProbeId, VolumeRow},
    session::{Activity, Request, Resource, SessionCounts, SqlText, Statement},
    snapshot::{BlockNode, Blocking, Chain, CostNow, CpuNow, Headline, MemoryNow},
    time::Timestamp,
    wait::{CategoryRate, WaitCategory, WaitRate, WaitTable},
};
use std::sync::Arc;

/// 2026-10-01 00:00 UTC.
pub const START: Timestamp = Timestamp::from_ms(1_790_812_800_000);

/// A small generator of random numbers (xorshift), so that every run is the same.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 16) % n.max(1)
    }

    /// From -1 to 1, in the middle most.
    pub fn sway(&mut self) -> f64 {
        let one = |d: &mut Self| d.below(10_000) as f64 / 10_000.0;
        one(self) + one(self) - 1.0
    }
}

const WAITS: [(&str, WaitCategory, f64); 16] = [
    ("PAGEIOLATCH_SH", WaitCategory::BufferIo, 40.0),
    ("CXPACKET", WaitCategory::Parallelism, 60.0),
    ("CXCONSUMER", WaitCategory::Parallelism, 30.0),
    ("SOS_SCHEDULER_YIELD", WaitCategory::Cpu, 25.0),
    ("WRITELOG", WaitCategory::TranLogIo, 18.0),
    ("LCK_M_X", WaitCategory::Lock, 4.0),
    ("LCK_M_S", WaitCategory::Lock, 2.0),
    ("ASYNC_NETWORK_IO", WaitCategory::NetworkIo, 12.0),
    ("PAGELATCH_EX", WaitCategory::BufferLatch, 3.0),
    ("PAGELATCH_SH", WaitCategory::BufferLatch, 2.0),
    ("LATCH_EX", WaitCategory::Latch, 1.0),
    ("RESOURCE_SEMAPHORE", WaitCategory::Memory, 0.4),
    ("OLEDB", WaitCategory::Preemptive, 2.0),
    ("IO_COMPLETION", WaitCategory::OtherDiskIo, 5.0),
    ("PREEMPTIVE_OS_WRITEFILE", WaitCategory::Preemptive, 1.5),
    ("LOGBUFFER", WaitCategory::TranLogIo, 0.8),
];

struct Server {
    info: Arc<InstanceInfo>,
    dice: Dice,
    load: f64,
    blocked_until: i64,
    blocked_since: i64,
    page_life: i64,
    free_bytes: i64,
    connections: i64,
    texts: Vec<Arc<SqlText>>,
    level: Level,
}

/// The fleet.
pub struct World {
    servers: Vec<Server>,
}

pub fn info(name: &str) -> Arc<InstanceInfo> {
    Arc::new(InstanceInfo {
        id: InstanceId::new(name),
        uid: format!("uid-{name}").into(),
        address: format!("{name}.db.example,1433").into(),
        groups: vec!["prod".into()],
        labels: vec![("env".into(), "prod".into())],
        tls: TlsMode::Verify,
        poll: Arc::default(),
        tag: None,
        colors: Vec::new(),
    })
}

pub fn uid(name: &str) -> Arc<str> {
    format!("uid-{name}").into()
}

/// The name of instance number `n`.
pub fn name(n: usize) -> String {
    format!("sqlprd-{n:03}")
}

pub fn text(n: u64) -> Arc<SqlText> {
    let batch = format!(
        "SELECT o.order_id, o.customer_id, o.total /* {n} */\nFROM dbo.orders AS o\nJOIN dbo.customers AS c ON c.id = \
         o.customer_id\nWHERE o.region = N'north-{n}' AND o.created_at > DATEADD(DAY, -{n}, SYSUTCDATETIME())"
    );
    Arc::new(SqlText::new(batch.into(), None, None, false))
}

impl World {
    pub fn new(instances: usize) -> Self {
        let servers = (0..instances).map(|n| {
            let mut dice = Dice::new(n as u64 + 1);
            let texts = (0..12).map(|_| text(dice.below(400))).collect();
            Server {
                info: info(&name(n)),
                load: 20.0 + dice.below(40) as f64,
                page_life: 3000 + dice.below(9000) as i64,
                free_bytes: (200 + dice.below(900) as i64) << 30,
                connections: 40 + dice.below(300) as i64,
                blocked_until: 0,
                blocked_since: 0,
                texts,
                level: Level::Ok,
                dice,
            }
        });
        Self { servers: servers.collect() }
    }

    pub fn infos(&self) -> Vec<Arc<InstanceInfo>> {
        self.servers.iter().map(|server| server.info.clone()).collect()
    }

    /// What the fleet told within the 30 seconds that begin `second` after [`START`]; `second` is a multiple of 30.
    pub fn round(&mut self, second: i64) -> Vec<Kept> {
        let mut out = Vec::with_capacity(self.servers.len() * 6);
        for (n, server) in self.servers.iter_mut().enumerate() {
            // Each instance at its own second, a little late or early, as the schedule has it.
            let own = (n as i64 * 7919 % 27_000) + server.dice.below(2500) as i64;
            server.round(second, START.plus_ms(second * 1000 + own), &mut out);
        }
        out
    }
}

impl Server {
    fn round(&mut self, second: i64, at: Timestamp, out: &mut Vec<Kept>) {
        let day = (second % 86_400) as f64 / 86_400.0;
        let rhythm = 0.6 + 0.4 * (std::f64::consts::TAU * (day - 0.3)).sin();
        self.load =
            (self.load + self.dice.sway() * 4.0 + (45.0 * rhythm - self.load) * 0.05).clamp(0.5, 99.0);
        if self.dice.below(2000) == 0 {
            (self.blocked_since, self.blocked_until) = (second, second + 60 + self.dice.below(600) as i64);
        }
        let mut tell = |probe, every_ms, state| {
            let what = Happened::Reading { probe, every_ms, state: Ok(state) };
            out.push(Kept { info: self.info.clone(), at, what });
        };
        if second == 0 {
            tell(ProbeId::Properties, 3_600_000, State::Properties(Arc::new(properties(60_000))));
            tell(ProbeId::Rights, 3_600_000, State::Rights(Arc::new(rights())));
        }
        if second % 900 == 0 {
            tell(ProbeId::Databases, 900_000, State::Databases(Arc::new(databases())));
        }
        tell(
            ProbeId::Headline,
            30_000,
            State::Headline(Box::new(self.dice.headline(self.load, self.page_life, self.connections))),
        );
        self.page_life = (self.page_life + 30 - self.dice.below(60) as i64).max(10);
        self.connections = (self.connections + self.dice.below(5) as i64 - 2).max(1);
        let blocked = second < self.blocked_until;
        let victims = if blocked { 1 + self.dice.below(4) as usize } else { 0 };
        let activity = self.dice.activity(self.load, &self.texts, at);
        tell(ProbeId::Activity, 30_000, State::Activity(Arc::new(activity)));
        let lasted_ms = (second - self.blocked_since) * 1000;
        let blocking = blocking(victims, lasted_ms, &self.texts[0]);
        tell(ProbeId::Blocking, 30_000, State::Blocking(Arc::new(blocking)));
        if second % 60 == 0 {
            tell(ProbeId::Waits, 60_000, State::Waits(Arc::new(self.dice.waits(self.load))));
            tell(ProbeId::Schedulers, 60_000, State::Cpu(Box::new(self.dice.schedulers(self.load))));
            let other_pct = Some(self.dice.below(4) as f64);
            tell(ProbeId::CpuRing, 60_000, State::Cpu(Box::new(CpuNow { other_pct, ..CpuNow::default() })));
            tell(ProbeId::Memory, 60_000, State::Memory(Box::new(self.dice.memory())));
            let cost = CostNow {
                cpu_ms_per_s: Some(rounded(2.0 + self.dice.sway())),
                reads_per_s: Some(rounded(140.0 + self.dice.sway() * 20.0)),
                cpu_ms_total: Some(second * 2),
                over_ms: 60_000,
                ..CostNow::default()
            };
            tell(ProbeId::Cost, 60_000, State::Cost(cost));
        }
        if second % 300 == 0 {
            self.free_bytes -= self.dice.below(1 << 24) as i64;
            let row = |mount: &str, share: i64| VolumeRow {
                mount: Some(mount.into()),
                total_bytes: Some(2 << 40),
                free_bytes: Some(self.free_bytes / share),
            };
            tell(ProbeId::Volumes, 300_000, State::Volumes(Arc::new(vec![row("C:\\", 3), row("D:\\", 1)])));
            tell(ProbeId::Jobs, 300_000, State::Jobs(Arc::default()));
        }
        self.level = if blocked { Level::Warning } else { Level::Ok };
        let health = health(self.level, victims, lasted_ms);
        out.push(Kept { info: self.info.clone(), at, what: Happened::Health { health, polled: true } });
        if second == 0 {
            let what = Happened::Link { link: Link::Up, since: at, was_down: false };
            out.push(Kept { info: self.info.clone(), at, what });
        }
    }
}

fn health(level: Level, victims: usize, lasted_ms: i64) -> Health {
    if level == Level::Ok {
        return Health { score: Some(100), level, reasons: Vec::new() };
    }
    let text = format!("{victims} sessions blocked {} s by 88 (sleeping)", lasted_ms / 1000).into();
    let reasons = vec![Reason { level, topic: Topic::Blocking(88), points: 20, text }];
    Health { score: Some(80), level, reasons }
}

impl Dice {
    fn rate(&mut self, about: f64) -> f64 {
        rounded((about * (1.0 + self.sway() * 0.3)).max(0.0))
    }

    fn headline(&mut self, load: f64, page_life: i64, connections: i64) -> Headline {
        Headline {
            cpu_pct: Some(rounded(load)),
            batches_per_s: Some(self.rate(load * 31.0)),
            logins_per_s: Some(self.rate(load * 0.1)),
            transactions_per_s: Some(self.rate(load * 44.0)),
            compilations_per_s: Some(self.rate(load * 2.1)),
            recompilations_per_s: Some(self.rate(load * 0.05)),
            log_flushes_per_s: Some(self.rate(load * 9.0)),
            log_flush_ms: Some(self.rate(1.2)),
            lazy_writes_per_s: Some(0.0),
            deadlocks_per_min: Some(0.0),
            deadlocks_recent: Some(0),
            connections: Some(connections),
            blocked: Some(0),
            page_life_s: Some(page_life),
            grants_pending: Some(0),
            grants_outstanding: Some(self.below(4) as i64),
            total_memory_kb: Some(61_000_000),
            target_memory_kb: Some(61_000_000),
            tempdb_used_pct: Some(rounded(3.0 + self.below(20) as f64 / 10.0)),
            tempdb_size_kb: Some(8_388_608),
            started_at: Some(START),
            round_trip_ms: 4 + self.below(9) as u32,
        }
    }

    fn schedulers(&mut self, load: f64) -> CpuNow {
        CpuNow {
            other_pct: None,
            runnable: Some((load / 12.0) as i64 + self.below(3) as i64),
            queued: Some(0),
            workers: Some(180 + self.below(6) as i64),
            active_workers: Some(60 + self.below(20) as i64),
            max_workers: Some(704),
            pending_io: Some(self.below(5) as i64),
            schedulers: Some(16),
        }
    }

    fn memory(&mut self) -> MemoryNow {
        MemoryNow {
            used_pct: Some(rounded(91.0 + self.below(10) as f64 / 10.0)),
            physical_kb: Some(67_108_864),
            process_kb: Some(61_300_000 + self.below(4000) as i64),
            process_low: Some(false),
            grant_waiters: Some(0),
            granted_kb: Some(self.below(900_000) as i64),
            grantable_kb: Some(44_000_000),
        }
    }

    fn waits(&mut self, load: f64) -> WaitTable {
        let mut types = Vec::new();
        let mut categories: Vec<CategoryRate> = Vec::new();
        for (name, category, weight) in WAITS {
            // Rare types are missing now and then.
            if weight < 1.0 && self.below(3) > 0 {
                continue;
            }
            let ms = rounded((weight * load / 30.0 * (1.0 + self.sway() * 0.5)).max(0.0));
            let (signal, tasks) = (rounded(ms * 0.04), rounded(ms * 0.7));
            types.push(WaitRate {
                name: name.into(),
                category,
                benign: false,
                poison: name == "RESOURCE_SEMAPHORE",
                ms_per_s: ms,
                signal_ms_per_s: signal,
                tasks_per_s: tasks,
                avg_ms: Some(rounded(ms / tasks.max(0.1))),
                max_ms: 9000,
            });
            match categories.iter_mut().find(|known| known.category == category) {
                Some(known) => known.ms_per_s = rounded(known.ms_per_s + ms),
                None => categories.push(CategoryRate {
                    category,
                    ms_per_s: ms,
                    signal_ms_per_s: signal,
                    tasks_per_s: tasks,
                }),
            }
        }
        types.sort_by(|one, other| other.ms_per_s.total_cmp(&one.ms_per_s));
        let total = types.iter().map(|wait| wait.ms_per_s).sum();
        WaitTable {
            types,
            categories,
            total_ms_per_s: rounded(total),
            signal_ms_per_s: rounded(total * 0.04),
            over_ms: 60_000,
        }
    }

    fn activity(&mut self, load: f64, texts: &[Arc<SqlText>], at: Timestamp) -> Activity {
        let count = 1 + (load / 15.0) as usize + self.below(3) as usize;
        let requests = (0..count).map(|n| {
            let text = texts[self.below(texts.len() as u64) as usize].clone();
            let end = text.batch.len();
            let elapsed = 200 + self.below(40_000) as i64;
            Request {
                session_id: 51 + n as i32 * 3,
                request_id: Some(0),
                status: Some(if n % 3 == 0 { "suspended" } else { "running" }.into()),
                command: Some("SELECT".into()),
                database: Some("sales".into()),
                login: Some("svc_web".into()),
                host: Some("web-07".into()),
                program: Some("OrderService".into()),
                address: Some("10.1.4.7".into()),
                login_at: Some(at.plus_ms(-3_600_000)),
                started_at: Some(at.plus_ms(-elapsed)),
                elapsed_ms: Some(elapsed),
                cpu_ms: Some(elapsed / 3),
                logical_reads: Some(self.below(900_000) as i64),
                rows: Some(self.below(4000) as i64),
                statement: Some(Statement { text, start: 0, end }),
                ..Request::default()
            }
        });
        let requests = requests.collect();
        let sessions = SessionCounts {
            total: Some(220 + self.below(9) as i64),
            active: Some(count as i64),
            sleeping: Some(214),
            sleeping_open: Some(0),
        };
        Activity { requests, sessions, only_own: false, left_out: 0 }
    }
}

fn blocking(victims: usize, lasted_ms: i64, text: &Arc<SqlText>) -> Blocking {
    if victims == 0 {
        return Blocking::default();
    }
    let node = |session_id: i32, depth: u16| BlockNode {
        request: Request { session_id, login: Some("svc_batch".into()), ..Request::default() },
        depth,
        parent: (depth > 0).then_some(0),
        last_child: false,
        victims: if depth == 0 { victims as u32 } else { 0 },
        resource: (depth > 0).then(|| Resource {
            kind: "KEY".into(),
            database: Some("sales".into()),
            object: Some("dbo.orders.pk_orders".into()),
            ..Resource::default()
        }),
        statement: Some(Statement { text: text.clone(), start: 0, end: text.batch.len() }),
        statement_is_last: depth == 0,
        cycle_cut: false,
    };
    let mut nodes = vec![node(88, 0)];
    nodes.extend((0..victims).map(|n| node(100 + n as i32, 1)));
    let chain = Chain {
        nodes,
        victims: victims as u32,
        max_wait_ms: lasted_ms,
        lost_ms: lasted_ms * victims as i64,
        depth: 1,
    };
    Blocking { chains: vec![chain], cycles_cut: 0 }
}

pub fn properties(memory_mb: i64) -> Properties {
    let option =
        |name: &str, value| ServerOption { name: name.into(), configured: Some(value), in_use: Some(value) };
    let options = vec![option("max server memory (MB)", memory_mb), option("xp_cmdshell", 0)];
    Properties {
        options: Some(Arc::new(options)),
        server_name: Some("SQLPRD".into()),
        edition: Some("Enterprise Edition (64-bit)".into()),
        version: Some("16.0.4105.2".into()),
        major: Some(16),
        cpu_count: Some(16),
        max_workers: Some(704),
        started_at: Some(START),
        ..Properties::default()
    }
}

fn rights() -> Rights {
    let right = Right { name: "VIEW SERVER STATE".into(), held: Some(true), gives: "everything".into() };
    Rights { rights: vec![right], present: vec!["dm_os_host_info".into()] }
}

fn databases() -> Vec<DatabaseRow> {
    let row = |id: i32, name: &str| DatabaseRow { id, name: Some(name.into()), state: Some("ONLINE".into()) };
    vec![row(1, "master"), row(2, "tempdb"), row(3, "model"), row(4, "msdb"), row(5, "sales"), row(6, "crm")]
}
