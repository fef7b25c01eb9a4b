//! One instance between two snapshots: takes samples, keeps what rates need, decides when its verdict is due again.

use super::{MAX_ROWS, Names, activity, cost::CostFold, headline::HeadlineFold, waits::WaitsFold};
use crate::model::{
    blocking,
    health::{Health, Level, Thresholds, Topic},
    history::{History, Series, SeriesId},
    instance::{InstanceId, InstanceInfo},
    properties::Platform,
    rate::Mark,
    reading::{Reading, Unavailable},
    resource::DatabaseNames,
    sample::{CpuRingSample, Link, MemorySample, ProbeId, Sample, SchedulerSample},
    score,
    snapshot::{CpuNow, Facts, InstanceSnapshot, MemoryNow},
    time::Timestamp,
};
use std::sync::Arc;

/// Ageing words (`no data for 90 s`) are said anew this often.
const AGEING_MS: i64 = 5_000;

/// A verdict is looked at again at least this often.
const LONGEST_MS: i64 = 60_000;

/// When and how a sample came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Poll {
    /// when the answer was there
    pub at: Timestamp,
    /// round trip, ms
    pub took_ms: u32,
    /// interval now, ms
    pub every_ms: u32,
}

/// The state of one instance.
#[derive(Debug)]
pub(super) struct Entry {
    info: Arc<InstanceInfo>,
    facts: Facts,
    history: Arc<History>,
    headline: HeadlineFold,
    waits: WaitsFold,
    cost: CostFold,
    health: Health,
    shown: Arc<InstanceSnapshot>,
    /// differs from what is shown
    dirty: bool,
    /// a headline came: its score is due in the history
    score_due: Option<Timestamp>,
    /// time itself may change the verdict from here on
    recheck_at: Timestamp,
    checked_at: Timestamp,
}

impl Entry {
    pub fn new(info: Arc<InstanceInfo>) -> Self {
        let shown = InstanceSnapshot {
            info: Arc::clone(&info),
            facts: Facts::default(),
            history: Arc::default(),
            health: Health::default(),
        };
        Self {
            info,
            facts: Facts::default(),
            history: Arc::default(),
            headline: HeadlineFold::default(),
            waits: WaitsFold::default(),
            cost: CostFold::default(),
            health: Health::default(),
            shown: Arc::new(shown),
            dirty: true,
            score_due: None,
            recheck_at: Timestamp::default(),
            checked_at: Timestamp::default(),
        }
    }

    pub fn id(&self) -> &InstanceId {
        &self.info.id
    }

    pub fn level(&self) -> Level {
        self.health.level
    }

    pub fn shown(&self) -> Arc<InstanceSnapshot> {
        Arc::clone(&self.shown)
    }

    pub fn polled_within(&self, limit_ms: u64, now: Timestamp) -> bool {
        self.facts.last_good_at.is_some_and(|at| now.ms_since(at) <= limit_ms)
    }

    pub fn take_info(&mut self, info: Arc<InstanceInfo>) {
        self.info = info;
        self.dirty = true;
    }

    /// A reconnect under way does not hide why the last attempt failed: down stays down until the link is up.
    pub fn take_link(&mut self, at: Timestamp, link: Link) {
        let same = match (&self.facts.link, &link) {
            (Link::Down { .. }, Link::Connecting | Link::Idle) => return,
            (Link::Down { failure: a, .. }, Link::Down { failure: b, .. }) => a.kind == b.kind,
            (a, b) => a == b,
        };
        if !same || self.facts.link_since.is_none() {
            self.facts.link_since = Some(at);
        }
        match &link {
            Link::Down { failure, .. } => {
                Arc::make_mut(&mut self.history).gap_all(at);
                self.facts.each_problem(|problem| {
                    if matches!(problem, None | Some(Unavailable::NotYet | Unavailable::Failed(_))) {
                        *problem = Some(Unavailable::Failed(failure.clone()));
                    }
                });
            }
            Link::Up if !same => self.facts.each_problem(|problem| {
                if matches!(problem, Some(Unavailable::Failed(_))) {
                    *problem = Some(Unavailable::NotYet);
                }
            }),
            Link::Up | Link::Idle | Link::Connecting => {}
        }
        self.facts.link = link;
        self.dirty = true;
    }

    /// The interval of a probe changed (the instance came on the screen, or left it): its age means something else.
    pub fn take_pace(&mut self, probe: ProbeId, every_ms: u32) {
        if let Some(reading) = self.facts.problem_of(probe) {
            *reading.1 = every_ms;
            self.dirty = true;
        }
    }

    /// A poll gave nothing: the old value stays and ages.
    pub fn miss(&mut self, probe: ProbeId, at: Timestamp, every_ms: u32, problem: Unavailable) {
        self.dirty = true;
        Arc::make_mut(&mut self.history).gap_probe(probe, at);
        if probe == ProbeId::CpuRing {
            if let Some(cpu) = &mut self.facts.cpu.value {
                cpu.other_pct = None;
            }
            return;
        }
        if let Some((slot, every)) = self.facts.problem_of(probe) {
            *slot = Some(problem);
            *every = every_ms;
        }
    }

    /// A poll gave a sample.
    pub fn take(&mut self, sample: Sample, poll: &Poll, names: &mut Names) {
        self.dirty = true;
        let Poll { at, every_ms, .. } = *poll;
        self.facts.last_good_at = Some(at);
        let facts = &mut self.facts;
        match sample {
            Sample::Properties(p) => facts.properties = Reading::good(Arc::new(*p), at, every_ms),
            Sample::Rights(r) => facts.rights = Reading::good(Arc::new(r), at, every_ms),
            Sample::Databases(d) => facts.databases = Reading::good(Arc::new(cut(d)), at, every_ms),
            Sample::Availability(r) => facts.availability = Reading::good(Arc::new(cut(r)), at, every_ms),
            Sample::Volumes(v) => facts.volumes = Reading::good(Arc::new(cut(v)), at, every_ms),
            Sample::Jobs(j) => facts.jobs = Reading::good(Arc::new(cut(j)), at, every_ms),
            Sample::Headline(raw) => {
                let cpus = facts.properties.get().and_then(|p| p.cpu_count);
                let headline = self.headline.fold(&raw, poll, cpus, Arc::make_mut(&mut self.history));
                facts.headline = Reading::good(headline, at, every_ms);
                self.score_due = Some(at);
            }
            Sample::Activity(mut now) => {
                activity::fold(&mut now, facts.activity.get().map(|a| &**a), facts.activity.at, at);
                facts.activity = Reading::good(Arc::new(now), at, every_ms);
                lend_statements(facts);
            }
            Sample::Blocking { tasks, sessions } => {
                let databases = facts.databases.get();
                let databases = DatabaseNames(databases.map_or(&[], |d| &d[..]));
                let blocking = blocking::build(&tasks, &sessions, databases);
                facts.blocking = Reading::good(Arc::new(blocking), at, every_ms);
                lend_statements(facts);
            }
            Sample::Waits(rows) => {
                let started_at = self.headline.started_at();
                let mark = Mark { at, server_at: None, took_ms: poll.took_ms, started_at };
                let numa_nodes = facts.properties.get().and_then(|p| p.numa_nodes);
                let history = Arc::make_mut(&mut self.history);
                match self.waits.fold(cut(rows), mark, numa_nodes, history, names) {
                    Some(table) => facts.waits = Reading::good(Arc::new(table), at, every_ms),
                    None => facts.waits.fail(Unavailable::NeedsTwoSamples),
                }
                facts.waits.every_ms = every_ms;
            }
            Sample::Schedulers(s) => self.take_schedulers(s, poll),
            Sample::CpuRing(r) => self.take_cpu_ring(r, poll),
            Sample::Memory(m) => self.take_memory(m, poll),
            Sample::Cost(c) => {
                let cost = self.cost.fold(c, at, Arc::make_mut(&mut self.history));
                facts.cost = Reading::good(cost, at, every_ms);
            }
        }
    }

    fn take_schedulers(&mut self, s: SchedulerSample, poll: &Poll) {
        let other_pct = self.facts.cpu.get().and_then(|c| c.other_pct);
        let cpu = CpuNow {
            other_pct,
            runnable: s.runnable,
            queued: s.queued,
            workers: s.workers,
            active_workers: s.active_workers,
            max_workers: s.max_workers,
            pending_io: s.pending_io,
            schedulers: s.schedulers,
        };
        self.facts.cpu = Reading::good(cpu, poll.at, poll.every_ms);
        Arc::make_mut(&mut self.history).record(SeriesId::Runnable, poll.at, s.runnable.map(|n| n as f64));
    }

    /// What neither SQL Server nor idling used. Up to 2022 the record's idle share on Linux is always 0: not known.
    fn take_cpu_ring(&mut self, ring: CpuRingSample, poll: &Poll) {
        let properties = self.facts.properties.get();
        let unbelievable =
            properties.is_some_and(|p| p.platform == Platform::Linux && p.major.is_none_or(|m| m < 17));
        let other_pct = match (ring.sql_pct, ring.idle_pct) {
            (Some(sql), Some(idle)) if !unbelievable => Some((100.0 - sql - idle).clamp(0.0, 100.0)),
            _ => None,
        };
        let cpu = self.facts.cpu.value.get_or_insert_default();
        cpu.other_pct = other_pct;
        if self.facts.cpu.at.is_none() {
            self.facts.cpu.at = Some(poll.at);
            self.facts.cpu.every_ms = poll.every_ms;
        }
        Arc::make_mut(&mut self.history).record(SeriesId::CpuOther, poll.at, other_pct);
    }

    fn take_memory(&mut self, m: MemorySample, poll: &Poll) {
        let used_pct = match (m.physical_kb, m.available_kb) {
            (Some(all), Some(free)) if all > 0 => {
                Some((100.0 - free as f64 / all as f64 * 100.0).clamp(0.0, 100.0))
            }
            _ => None,
        };
        let memory = MemoryNow {
            used_pct,
            physical_kb: m.physical_kb,
            process_kb: m.process_kb,
            process_low: m.process_low,
            grant_waiters: m.grant_waiters,
            granted_kb: m.granted_kb,
            grantable_kb: m.grantable_kb,
        };
        self.facts.memory = Reading::good(memory, poll.at, poll.every_ms);
        Arc::make_mut(&mut self.history).record(SeriesId::Memory, poll.at, used_pct);
    }

    /// The rules changed: the next snapshot has a new verdict.
    pub fn judge_again(&mut self) {
        self.recheck_at = Timestamp::default();
    }

    /// Judges again if something came or time could change the verdict. True if what is shown changed.
    pub fn refresh(&mut self, thresholds: &Thresholds, now: Timestamp) -> bool {
        if !self.dirty && now < self.recheck_at && now >= self.checked_at {
            return false;
        }
        let health = score::assess(&self.info.poll, &self.facts, &self.history, thresholds, now);
        if let Some(at) = self.score_due.take() {
            Arc::make_mut(&mut self.history).record(SeriesId::Score, at, health.score.map(f64::from));
        }
        let line_ends = |s: &Series| s.points().next_back().is_some_and(|(_, v)| !v.is_nan());
        if self.facts.headline.is_stale(now) && self.history.get(SeriesId::PollMs).is_some_and(line_ends) {
            Arc::make_mut(&mut self.history).gap_probe(ProbeId::Headline, now);
            self.dirty = true;
        }
        self.dirty |= health != self.health;
        self.health = health;
        self.checked_at = now;
        self.recheck_at = self.next_recheck(thresholds, now);
        if !std::mem::take(&mut self.dirty) {
            return false;
        }
        self.shown = Arc::new(InstanceSnapshot {
            info: Arc::clone(&self.info),
            facts: self.facts.clone(),
            history: Arc::clone(&self.history),
            health: self.health.clone(),
        });
        true
    }

    fn next_recheck(&self, thresholds: &Thresholds, now: Timestamp) -> Timestamp {
        let stale_words = self.facts.headline.is_stale(now) && self.health.level < Level::Offline;
        let ageing = stale_words || self.health.reasons.iter().any(|r| r.topic == Topic::Restart);
        if ageing {
            return now.plus_ms(AGEING_MS);
        }
        let offline_ms =
            i64::try_from(thresholds.offline_after_s).unwrap_or(i64::MAX / 2000).saturating_mul(1000);
        let offline_at = self.facts.last_good_at.or(self.facts.link_since).map(|at| at.plus_ms(offline_ms));
        let stale_at = self.facts.stale_times();
        let woken_at = self.info.poll.maintenance_until;
        let due = stale_at
            .into_iter()
            .chain([offline_at, woken_at])
            .flatten()
            .filter(|t| *t >= now)
            .map(|t| t.plus_ms(1));
        due.chain([now.plus_ms(LONGEST_MS)]).min().unwrap_or(now)
    }
}

fn cut<T>(mut rows: Vec<T>) -> Vec<T> {
    rows.truncate(MAX_ROWS);
    rows
}

/// Gives the sleeping blockers among the requests the last statement that blocking knows.
fn lend_statements(facts: &mut Facts) {
    let (Some(now), Some(blocking)) = (facts.activity.get(), facts.blocking.get()) else { return };
    if let Some(full) = activity::lend_statements(now, blocking) {
        facts.activity.value = Some(Arc::new(full));
    }
}
