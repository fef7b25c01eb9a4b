//! One instance between two snapshots: takes samples, or what history kept of them, holds what rates need, and decides when its
//! verdict is due again.

use super::{
    activity, blocking,
    cost::CostFold,
    headline::{Cpus, HeadlineFold},
    logs::LogsFold,
    rate::{Before, Mark},
    shared::{Keep, MAX_ROWS, Names, Poll, cut},
    snapshot::InstanceSnapshot,
    volumes::VolumesFold,
    waits::WaitsFold,
};
use crate::model::{
    base::time::Timestamp,
    inventory::instance::{InstanceId, InstanceInfo},
    judge::{
        health::{Health, Level, Thresholds, Topic},
        score,
    },
    poll::{
        Facts, Sample, State,
        cpu::{CpuNow, CpuRingSample, SchedulerSample},
        id::{ProbeId, ProbeSet, SeriesId, rounded},
        link::Link,
        properties::Platform,
        reading::{MetaMut, Unavailable},
        resource::DatabaseNames,
    },
    timeline::{
        history::{History, Series},
        record::{Record, Recorded},
    },
};
use std::{any::Any, collections::HashMap, sync::Arc};

/// Ageing words (`no data for 90 s`) are said anew this often.
const AGEING_MS: i64 = 5_000;

/// A verdict is looked at again at least this often.
const LONGEST_MS: i64 = 60_000;

/// Where the verdict in force comes from: another level is news only after one of the same origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VerdictOf {
    /// not all that is judged was answered yet
    Nobody,
    /// history remembers it
    History,
    /// all of it was answered here
    Answers,
}

/// The state of one instance.
#[derive(Debug)]
pub(super) struct Entry {
    /// what is shown of it, with what came since the last publication. A snapshot that was published shares it until then
    now: Arc<InstanceSnapshot>,
    headline: HeadlineFold,
    waits: WaitsFold,
    volumes: VolumesFold,
    logs: LogsFold,
    cost: CostFold,
    /// of the probes that have counters: what the next poll is compared with
    counters: HashMap<ProbeId, Before<Arc<dyn Any + Send + Sync>>>,
    /// the judged probes that were answered here, and not by what history remembers
    heard: ProbeSet,
    verdict_of: VerdictOf,
    /// differs from what was published
    dirty: bool,
    /// a headline came: its score is due in the history
    score_due: Option<Timestamp>,
    /// the verdict is one that history remembers, of then
    remembered_at: Option<Timestamp>,
    /// the rules changed since the verdict
    anew: bool,
    /// time itself may change the verdict from here on
    recheck_at: Timestamp,
    checked_at: Timestamp,
}

impl Entry {
    /// `history`: the empty one that its points go to.
    pub fn new(info: Arc<InstanceInfo>, history: Arc<History>) -> Self {
        let (facts, health) = (Facts::default(), Health::default());
        Self {
            now: Arc::new(InstanceSnapshot { info, facts, history, health, level_since: None }),
            headline: HeadlineFold::default(),
            waits: WaitsFold::default(),
            volumes: VolumesFold::default(),
            logs: LogsFold::default(),
            cost: CostFold::default(),
            counters: HashMap::new(),
            heard: ProbeSet::default(),
            verdict_of: VerdictOf::Nobody,
            dirty: true,
            score_due: None,
            remembered_at: None,
            anew: false,
            recheck_at: Timestamp::default(),
            checked_at: Timestamp::default(),
        }
    }

    pub fn id(&self) -> &InstanceId {
        &self.now.info.id
    }

    pub fn level(&self) -> Level {
        self.now.health.level
    }

    /// To be published after [`Self::refresh`].
    pub fn shown(&self) -> Arc<InstanceSnapshot> {
        Arc::clone(&self.now)
    }

    /// What is shown of it, to be changed: a copy if a snapshot shares it.
    fn change(&mut self) -> &mut InstanceSnapshot {
        self.dirty = true;
        Arc::make_mut(&mut self.now)
    }

    pub fn polled_within(&self, limit_ms: u64, now: Timestamp) -> bool {
        self.now.facts.last_good_at.is_some_and(|at| now.ms_since(at) <= limit_ms)
    }

    pub fn take_info(&mut self, info: Arc<InstanceInfo>) {
        self.change().info = info;
    }

    /// A reconnect under way does not hide why the last attempt failed: down stays down until the link is up.
    pub fn take_link(&mut self, at: Timestamp, link: Link, keep: &mut Keep) {
        let was_down = matches!(self.now.facts.link, Link::Down { .. });
        if self.change_link(at, link, was_down) {
            let Facts { link, link_since, .. } = &self.now.facts;
            let (link, since) = (link.clone(), link_since.unwrap_or(at));
            self.note(at, Recorded::Link { link, since, was_down }, keep);
        }
    }

    /// False if that is no news.
    fn change_link(&mut self, at: Timestamp, link: Link, was_down: bool) -> bool {
        let same = match (&self.now.facts.link, &link) {
            (Link::Down { .. }, Link::Connecting | Link::Idle) => return false,
            (Link::Down { failure: a, .. }, Link::Down { failure: b, .. }) => a.kind == b.kind,
            (a, b) => a == b,
        };
        let InstanceSnapshot { facts, history, .. } = self.change();
        if !same || facts.link_since.is_none() {
            facts.link_since = Some(at);
        }
        match &link {
            Link::Down { failure, .. } => {
                Arc::make_mut(history).gap_all(at);
                for probe in ProbeId::ALL {
                    if let Some(MetaMut { problem, .. }) = facts.reading_mut(probe)
                        && matches!(problem, None | Some(Unavailable::NotYet | Unavailable::Failed(_)))
                    {
                        *problem = Some(Unavailable::Failed(failure.clone()));
                    }
                }
            }
            // When it was down, every reading failed, whether that is remembered or not.
            Link::Up if !same => {
                for probe in ProbeId::ALL {
                    if let Some(MetaMut { problem, .. }) = facts.reading_mut(probe)
                        && (matches!(problem, Some(Unavailable::Failed(_)))
                            || (was_down && problem.is_none()))
                    {
                        *problem = Some(Unavailable::NotYet);
                    }
                }
            }
            Link::Up | Link::Idle | Link::Connecting => {}
        }
        facts.link = link;
        !same || matches!(facts.link, Link::Down { .. })
    }

    /// The interval of a probe changed (the instance came on the screen, or left it): its age means something else.
    pub fn take_pace(&mut self, probe: ProbeId, at: Timestamp, every_ms: u32, keep: &mut Keep) {
        self.note(at, Recorded::Pace { probe, every_ms }, keep);
        self.change_pace(probe, every_ms);
    }

    fn change_pace(&mut self, probe: ProbeId, every_ms: u32) {
        if let Some(reading) = self.change().facts.reading_mut(probe) {
            *reading.every_ms = every_ms;
        }
    }

    /// A poll gave nothing: the old value stays and ages.
    pub fn miss(
        &mut self,
        probe: ProbeId,
        at: Timestamp,
        every_ms: u32,
        problem: Unavailable,
        keep: &mut Keep,
    ) {
        self.change_problem(probe, every_ms, problem.clone());
        self.note(at, Recorded::Reading { probe, every_ms, state: Err(problem) }, keep);
    }

    fn change_problem(&mut self, probe: ProbeId, every_ms: u32, problem: Unavailable) {
        let facts = &mut self.change().facts;
        if problem.is_final() {
            facts.heard_of.insert(probe);
        }
        if probe == ProbeId::CpuRing {
            if let Some(cpu) = &mut facts.cpu.value {
                cpu.other_pct = None;
            }
            return;
        }
        if let Some(reading) = facts.reading_mut(probe) {
            *reading.problem = Some(problem);
            *reading.every_ms = every_ms;
        }
    }

    /// A poll gave a sample.
    pub fn take(&mut self, probe: ProbeId, sample: Sample, poll: &Poll, names: &mut Names, keep: &mut Keep) {
        let Poll { at, every_ms, .. } = *poll;
        self.change().facts.last_good_at = Some(at);
        if probe == ProbeId::Headline {
            self.score_due = Some(at);
        }
        match self.fold(probe, sample, poll, names) {
            Ok(state) => {
                self.change_value(probe, at, every_ms, &state);
                // Statements were lent to it meanwhile.
                let state = match (&state, &self.now.facts.activity.value) {
                    (State::Activity(_), Some(full)) => State::Activity(Arc::clone(full)),
                    _ => state,
                };
                self.note(at, Recorded::Reading { probe, every_ms, state: Ok(state) }, keep);
            }
            Err(problem) => self.miss(probe, at, every_ms, problem, keep),
        }
    }

    /// The state after a sample and those before it.
    fn fold(
        &mut self,
        probe: ProbeId,
        sample: Sample,
        poll: &Poll,
        names: &mut Names,
    ) -> Result<State, Unavailable> {
        let Poll { at, .. } = *poll;
        let facts = &self.now.facts;
        Ok(match sample {
            Sample::Known(state) => self.known(state, at, names),
            Sample::Headline(raw) => {
                let of_machine = facts.properties.get().and_then(|p| p.cpu_count);
                let cpus = Cpus { of_machine, schedulers: facts.cpu.get().and_then(|c| c.schedulers) };
                State::Headline(Box::new(self.headline.fold(&raw, poll, cpus)))
            }
            Sample::Activity(mut now) => {
                activity::fold(&mut now, facts.activity.get().map(|a| &**a), facts.activity.at, at);
                State::Activity(Arc::new(now))
            }
            Sample::Blocking { tasks, sessions } => {
                let databases = facts.databases.get();
                let databases = DatabaseNames(databases.map_or(&[], |d| &d[..]));
                State::Blocking(Arc::new(blocking::build(&tasks, &sessions, databases)))
            }
            Sample::Waits(rows) => {
                let mark = self.mark(poll);
                let numa_nodes = facts.properties.get().and_then(|p| p.numa_nodes);
                let table = self.waits.fold(cut(rows), mark, numa_nodes, names);
                State::Waits(Arc::new(table.ok_or(Unavailable::NeedsTwoSamples)?))
            }
            Sample::Counters(now) => {
                let mark = self.mark(poll);
                let before = self.counters.entry(probe).or_default();
                let base = Arc::clone(&now).base();
                let state = before.compare(mark, base, |before, _, over| now.since(&**before, over));
                let mut state = state.ok_or(Unavailable::NeedsTwoSamples)?;
                if let (State::Files(table), Some(volumes)) = (&mut state, facts.volumes.get()) {
                    Arc::make_mut(table).place(volumes);
                }
                state
            }
            Sample::Schedulers(s) => {
                State::Cpu(Box::new(schedulers(&s, facts.cpu.get().and_then(|c| c.other_pct))))
            }
            Sample::CpuRing(r) => {
                State::Cpu(Box::new(CpuNow { other_pct: self.other_processes(r), ..CpuNow::default() }))
            }
            Sample::Cost(c) => State::Cost(self.cost.fold(c, at)),
        })
    }

    /// What a probe told, with what only older polls or other readings add to it.
    fn known(&mut self, mut state: State, at: Timestamp, names: &mut Names) -> State {
        let facts = &self.now.facts;
        state.truncate(MAX_ROWS);
        if let State::Volumes(rows) = &mut state {
            let rows: &mut Vec<_> = Arc::make_mut(rows);
            self.volumes.fold(rows, at);
        }
        if let State::Logs(rows) = &mut state {
            let volumes = facts.volumes.fresh(at).map_or(&[][..], |rows| &rows[..]);
            let rows: &mut Vec<_> = Arc::make_mut(rows);
            self.logs.fold(rows, volumes, at);
        }
        if let State::Space(table) = &mut state {
            let volumes = facts.volumes.fresh(at).map_or(&[][..], |rows| &rows[..]);
            let databases = facts.databases.get().map_or(&[][..], |rows| &rows[..]);
            Arc::make_mut(table).look_for_room(volumes, databases);
        }
        if let (State::Clerks(now), Some(before)) = (&mut state, facts.clerks.get()) {
            Arc::make_mut(now).compare(before);
        }
        if let (State::Growths(now), Some(before)) = (&mut state, facts.growths.get()) {
            Arc::make_mut(now).join(before);
        }
        if let State::Room(now) = &mut state {
            let now = Arc::make_mut(now);
            if let Some(before) = facts.room.get() {
                now.join(before);
            }
            now.add_up(facts.databases.get().map_or(&[][..], |rows| &rows[..]));
        }
        if let (State::Deadlocks(now), Some(before)) = (&mut state, facts.deadlocks.get()) {
            Arc::make_mut(now).follow(before);
        }
        if let State::Properties(p) = &mut state {
            // Every instance has the same ninety names.
            for option in Arc::make_mut(p).options.iter_mut().flat_map(Arc::make_mut) {
                option.name = names.share(&option.name);
            }
        }
        state
    }

    /// A reading is what it is now, whether it was polled or remembered.
    fn change_value(&mut self, probe: ProbeId, at: Timestamp, every_ms: u32, state: &State) {
        let judged = if self.now.history.is_only_judged() { state.only_judged() } else { None };
        let facts = &mut self.change().facts;
        facts.heard_of.insert(probe);
        facts.take(probe, at, every_ms, judged.as_ref().unwrap_or(state));
        if matches!(state, State::Activity(_) | State::Blocking(_)) {
            lend_statements(facts);
        }
    }

    /// The CPU that neither SQL Server nor idling used. Up to 2022 the record's idle share on Linux is always 0: not known.
    fn other_processes(&self, ring: CpuRingSample) -> Option<f64> {
        let properties = self.now.facts.properties.get();
        let unbelievable =
            properties.is_some_and(|p| p.platform == Platform::Linux && p.major.is_none_or(|m| m < 17));
        match (ring.sql_pct, ring.idle_pct) {
            (Some(sql), Some(idle)) if !unbelievable => Some(rounded((100.0 - sql - idle).clamp(0.0, 100.0))),
            _ => None,
        }
    }

    /// When a sample of counters was taken, where the script does not ask for the server's clock.
    fn mark(&self, poll: &Poll) -> Mark {
        let started_at = self.headline.started_at();
        Mark { at: poll.at, server_at: None, took_ms: poll.took_ms, started_at }
    }

    /// Takes back what was kept, in the order of time.
    pub fn remember(&mut self, kept: &Record) {
        let at = kept.at;
        match &kept.what {
            Recorded::Link { link, since, was_down } => {
                self.change_link(at, link.clone(), *was_down);
                self.change().facts.link_since = Some(*since);
            }
            Recorded::Pace { probe, every_ms } => self.change_pace(*probe, *every_ms),
            Recorded::Reading { probe, every_ms, state: Ok(state) } => {
                self.heard_good(at);
                self.change_value(*probe, at, *every_ms, state);
            }
            Recorded::Reading { probe, every_ms, state: Err(problem) } => {
                if *problem == Unavailable::NeedsTwoSamples {
                    // It did answer.
                    self.heard_good(at);
                }
                self.change_problem(*probe, *every_ms, problem.clone());
            }
            Recorded::Health { health, .. } => {
                // A screen that follows hears of all changes like this; what is read first is no change.
                let is_known = self.verdict_of == VerdictOf::History;
                let now = self.change();
                let is_first = now.health.is_before_the_first() || health.is_before_the_first();
                if is_known && !is_first && health.level != now.health.level {
                    now.level_since = Some(at);
                }
                now.health = health.clone();
                self.verdict_of = VerdictOf::History;
                self.remembered_at = Some(at);
            }
        }
        Arc::make_mut(&mut self.change().history).note(at, &kept.what);
    }

    fn heard_good(&mut self, at: Timestamp) {
        let facts = &mut self.change().facts;
        facts.last_good_at = facts.last_good_at.max(Some(at));
    }

    /// The last fifteen minutes, from elsewhere.
    pub fn take_history(&mut self, history: Arc<History>) {
        self.change().history = history;
        self.judge_again();
    }

    /// Points and gaps of what happened, and word of it to who keeps.
    fn note(&mut self, at: Timestamp, what: Recorded, keep: &mut Keep) {
        self.hear(&what);
        Arc::make_mut(&mut self.change().history).note(at, &what);
        if let Some(kept) = keep {
            kept.push(Record { info: Arc::clone(&self.now.info), at, what });
        }
    }

    /// What was heard of the instance since the program looks at it.
    fn hear(&mut self, what: &Recorded) {
        match what {
            Recorded::Reading { probe, state, .. }
                if state.as_ref().err().is_none_or(Unavailable::is_final) =>
            {
                self.heard.insert(*probe);
            }
            Recorded::Link { link: Link::Down { .. }, .. } => self.heard = ProbeSet::judged(),
            _ => {}
        }
    }

    /// The verdict is this one now. A change of its level is news where all that it is made of was known before.
    fn change_health(&mut self, health: Health, now: Timestamp) {
        let of_answers = self.verdict_of == VerdictOf::Answers;
        if self.heard.contains_all(ProbeSet::judged()) {
            self.verdict_of = VerdictOf::Answers;
        }
        if health == self.now.health {
            return;
        }
        let shown = self.change();
        let is_first = shown.health.is_before_the_first() || health.is_before_the_first();
        if of_answers && !is_first && health.level != shown.health.level {
            shown.level_since = Some(now);
        }
        shown.health = health;
    }

    /// The next snapshot has a new verdict.
    pub fn judge_again(&mut self) {
        self.recheck_at = Timestamp::default();
    }

    /// The rules changed: what is in force by the old ones does not count.
    pub fn judge_anew(&mut self) {
        self.judge_again();
        self.anew = true;
    }

    /// Judges again if something came or time could change the verdict. True if what is shown changed.
    pub fn refresh(&mut self, thresholds: &Thresholds, now: Timestamp, keep: &mut Keep) -> bool {
        if !self.dirty && now < self.recheck_at && now >= self.checked_at {
            return false;
        }
        // A verdict that is remembered is what was shown, until time could have changed it.
        let remembered_at = self.remembered_at.take();
        let nothing = Health::default();
        let shown = &*self.now;
        let in_force = if std::mem::take(&mut self.anew) { &nothing } else { &shown.health };
        let health = match remembered_at.filter(|at| now < self.next_recheck(thresholds, *at)) {
            Some(_) => shown.health.clone(),
            None => score::assess(&shown.info.poll, &shown.facts, &shown.history, thresholds, in_force, now),
        };
        let scored = self.score_due.take();
        if scored.is_some() || health != self.now.health {
            let what = Recorded::Health { health: health.clone(), polled: scored.is_some() };
            self.note(scored.unwrap_or(now), what, keep);
        }
        let line_ends = |s: &Series| s.points().next_back().is_some_and(|(_, v)| !v.is_nan());
        let InstanceSnapshot { facts, history, .. } = &*self.now;
        if facts.headline.is_stale(now) && history.get(SeriesId::PollMs).is_some_and(line_ends) {
            Arc::make_mut(&mut self.change().history).gap_probe(ProbeId::Headline, now);
        }
        self.change_health(health, now);
        self.checked_at = now;
        self.recheck_at = self.next_recheck(thresholds, now);
        std::mem::take(&mut self.dirty)
    }

    fn next_recheck(&self, thresholds: &Thresholds, now: Timestamp) -> Timestamp {
        let InstanceSnapshot { info, facts, health, .. } = &*self.now;
        let stale_words = facts.headline.is_stale(now) && health.level < Level::Offline;
        let ageing = stale_words || health.reasons.iter().any(|r| r.topic == Topic::Restart);
        if ageing {
            return now.plus_ms(AGEING_MS);
        }
        let offline_ms =
            i64::try_from(thresholds.offline_after_s).unwrap_or(i64::MAX / 2000).saturating_mul(1000);
        let offline_at = facts.last_good_at.or(facts.link_since).map(|at| at.plus_ms(offline_ms));
        let judged = facts.readings().filter(|(probe, _)| probe.is_judged());
        let stale_at = judged.map(|(_, reading)| reading.stale_at());
        let woken_at = info.poll.maintenance_until;
        let due =
            stale_at.chain([offline_at, woken_at]).flatten().filter(|t| *t >= now).map(|t| t.plus_ms(1));
        due.chain([now.plus_ms(LONGEST_MS)]).min().unwrap_or(now)
    }
}

fn schedulers(s: &SchedulerSample, other_pct: Option<f64>) -> CpuNow {
    CpuNow {
        other_pct,
        runnable: s.runnable,
        queued: s.queued,
        workers: s.workers,
        active_workers: s.active_workers,
        max_workers: s.max_workers,
        pending_io: s.pending_io,
        schedulers: s.schedulers,
    }
}

/// Lends the sleeping blockers among the requests the last statement that blocking knows.
fn lend_statements(facts: &mut Facts) {
    let (Some(now), Some(blocking)) = (facts.activity.get(), facts.blocking.get()) else { return };
    if let Some(full) = activity::lend_statements(now, blocking) {
        facts.activity.value = Some(Arc::new(full));
    }
}
