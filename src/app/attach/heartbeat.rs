//! The heartbeat: a file beside the lock. The collector rewrites it every second, so that anybody can see how it is
//! without asking it. Written by `collect`, read by `status`, `healthcheck` and a screen that follows a collector. It
//! names no instance: the folder of a tenant tells nothing that its sealed inventory hides.

use super::lock::Holder;
use crate::{
    model::{
        base::time::Timestamp,
        fold::{snapshot::FleetSnapshot, stats::CollectorStats},
    },
    store::{clock, history::WriterStats},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Seek, Write},
    path::Path,
    time::Duration,
};

/// The file in the state folder.
const FILE: &str = "collector.json";
/// The file beside it with the figures for Prometheus, written every quarter of a minute.
pub const METRICS_FILE: &str = "collector.prom";
/// How often it is written, ms.
pub const EVERY_MS: u64 = 1_000;

/// How a collector stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// opening the inventory
    Starting,
    /// polling
    Collecting,
    /// there is nothing to poll before somebody does something: see the words
    Waiting,
    /// ended in good order
    Stopped,
}

impl Standing {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Collecting => "collecting",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
        }
    }
}

/// One beat. Fields are only ever added, so a newer dbtop reads the beat of an older one, and an older that of a newer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// process
    pub pid: u32,
    /// version of dbtop
    pub version: String,
    /// the tenant, the inventory file's name, or `demo`
    pub title: String,
    /// since, ms since 1970 UTC
    pub started_ms: i64,
    /// when this was written, ms since 1970 UTC
    pub written_ms: i64,
    /// the same by the clock that nobody sets, ms since the system started; None: this system has none
    #[serde(default)]
    pub written_up_ms: Option<u64>,
    /// which start of the system that clock counts from
    #[serde(default)]
    pub boot: Option<String>,
    /// how it stands
    pub standing: Standing,
    /// why it waits, or what else a person should know; empty: nothing to say
    #[serde(default)]
    pub words: String,
    /// the fleet
    #[serde(default)]
    pub instances: Instances,
    /// polls of single probes since the start
    #[serde(default)]
    pub polls: Polls,
    /// newest good poll of any instance, ms since 1970 UTC
    #[serde(default)]
    pub newest_poll_ms: Option<i64>,
    /// when the collector heard of it, by the clock that nobody sets
    #[serde(default)]
    pub newest_poll_up_ms: Option<u64>,
    /// how far behind their time-table polls start: 99th percentile over the last minute, ms
    #[serde(default)]
    pub lag_ms: u32,
    /// round trips of polls over the last minute
    #[serde(default)]
    pub latency: Latency,
    /// what waits
    #[serde(default)]
    pub queues: Queues,
    /// samples that had to wait because the reducer or the store could not keep up: polling slowed down
    #[serde(default)]
    pub samples_waited: u64,
    /// this process
    #[serde(default)]
    pub process: Process,
    /// the store; None: nothing is kept
    #[serde(default)]
    pub store: Option<StoreFigures>,
}

/// Instances, by how they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instances {
    /// in the inventory
    pub total: u32,
    /// polled well within `offline_after_s`
    pub up: u32,
    /// ✖ critical, and offline
    pub critical: u32,
    /// ▲
    pub warning: u32,
    /// polled more slowly because they cost more than their budget
    pub slowed: u32,
}

/// Polls of single probes since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Polls {
    /// gave a sample
    pub ok: u64,
    /// started late, by more than a tenth of their interval
    pub late: u64,
    /// failed
    pub failed: u64,
    /// left out, since the one before still ran
    pub skipped: u64,
}

/// Round trips of whole polls over the last minute, ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// median
    #[serde(rename = "p50_ms")]
    pub p50: u32,
    /// 95th percentile
    #[serde(rename = "p95_ms")]
    pub p95: u32,
    /// 99th percentile
    #[serde(rename = "p99_ms")]
    pub p99: u32,
}

/// The queues of the collector: how much waits now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Queues {
    /// updates for the reducer
    pub updates: u32,
    /// instances for a permit to connect or to ask
    pub permits: u32,
}

/// The collector's process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// CPU over the last seconds, % of one core
    pub cpu_pct: f32,
    /// resident memory, bytes
    pub rss_bytes: u64,
}

/// How the store is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreFigures {
    /// it takes what comes
    pub writable: bool,
    /// the problem in two words, such as `disk full`; empty without one, and from older versions
    pub sign: String,
    /// why not, or what else is wrong, in words
    pub problem: Option<String>,
    /// age of the oldest thing that waits to be written, ms
    pub lag_ms: u64,
    /// batches that wait
    pub queued: u32,
    /// rows a second over the last seconds
    pub rows_per_s: f64,
    /// rows since the start
    pub rows: u64,
    /// numbers for charts in them
    pub points: u64,
    /// those of a second
    pub points_per_s: f64,
    /// the newest commit, ms since 1970 UTC; 0: none yet
    pub committed_ms: i64,
    /// what waits for the disk
    pub backlog: u64,
    /// size of its files, bytes
    pub size_bytes: u64,
    /// and their cap, bytes; 0: not told
    pub max_bytes: u64,
    /// samples lost since the start because it could not take them
    pub samples_lost: u64,
}

impl From<&WriterStats> for StoreFigures {
    fn from(stats: &WriterStats) -> Self {
        Self {
            writable: stats.health.is_fine(),
            sign: stats.health.sign().to_owned(),
            problem: (!stats.health.is_fine()).then(|| stats.health.words().to_owned()),
            lag_ms: stats.waits_since.map_or(0, |since| whole_ms(since.elapsed())),
            queued: u32::try_from(stats.queue).unwrap_or(u32::MAX),
            rows_per_s: stats.rows_per_s,
            rows: stats.rows,
            points: stats.points,
            points_per_s: stats.points_per_s,
            committed_ms: stats.committed_at_ms,
            backlog: stats.backlog as u64,
            size_bytes: stats.size_bytes,
            max_bytes: stats.max_bytes,
            samples_lost: stats.lost,
        }
    }
}

impl Heartbeat {
    /// The first one of a collector.
    pub fn first(holder: &Holder, title: &str) -> Self {
        Self {
            pid: holder.pid,
            version: holder.version.clone(),
            title: title.to_owned(),
            started_ms: holder.started_ms,
            written_ms: holder.started_ms,
            written_up_ms: None,
            boot: None,
            standing: Standing::Starting,
            words: String::new(),
            instances: Instances::default(),
            polls: Polls::default(),
            newest_poll_ms: None,
            newest_poll_up_ms: None,
            lag_ms: 0,
            latency: Latency::default(),
            queues: Queues::default(),
            samples_waited: 0,
            process: Process::default(),
            store: None,
        }
    }

    /// Counts the instances of a snapshot by their state.
    pub fn fill(&mut self, fleet: &FleetSnapshot) {
        let CollectorStats { polls_ok, polls_late, polls_failed, polls_skipped, .. } = fleet.collector;
        let stats = &fleet.collector;
        let polls_before = self.polls.ok;
        let slowed = stats.slowed;
        self.instances = Instances {
            total: fleet.instances.len() as u32,
            up: fleet.polled,
            critical: fleet.counts.critical,
            warning: fleet.counts.warning,
            slowed,
        };
        self.polls = Polls { ok: polls_ok, late: polls_late, failed: polls_failed, skipped: polls_skipped };
        // After a step back of the clock the newest one is not the latest.
        let newest = fleet.instances.iter().filter_map(|i| i.facts.last_good_at).max().map(Timestamp::ms);
        if newest != self.newest_poll_ms || fleet.collector.polls_ok != polls_before {
            self.newest_poll_up_ms = newest.and(up_ms());
        }
        self.newest_poll_ms = newest;
        self.lag_ms = stats.start_delay_p99_ms;
        self.latency =
            Latency { p50: stats.latency_p50_ms, p95: stats.latency_p95_ms, p99: stats.latency_p99_ms };
        self.queues = Queues { updates: stats.updates_queued, permits: stats.queued };
        self.samples_waited = stats.samples_waited;
        self.process = Process { cpu_pct: stats.process_cpu_pct, rss_bytes: stats.process_rss_bytes };
    }

    /// Stamps it with the time of writing: now.
    pub fn stamp(&mut self) {
        let now = clock::moment();
        self.written_ms = now.wall.ms();
        self.written_up_ms = up_ms();
        self.boot = clock::boot();
    }

    /// Its age at `now`, ms. A step of the wall clock since it was written does not count, unless the system was started again
    /// meanwhile.
    pub fn age_ms(&self, now: Timestamp) -> u64 {
        age_ms(now, self.written_ms, self.written_up_ms, self.boot.as_deref())
    }

    /// Age of the newest good poll, ms. None: there was none yet.
    pub fn newest_poll_age_ms(&self, now: Timestamp) -> Option<u64> {
        let at = self.newest_poll_ms?;
        Some(age_ms(now, at, self.newest_poll_up_ms, self.boot.as_deref()))
    }
}

/// How long ago something was, ms: by the clock that nobody sets if it is of this start of the system, else by the wall, where what
/// lies in the future is new.
pub(super) fn age_ms(now: Timestamp, wall_ms: i64, up: Option<u64>, boot: Option<&str>) -> u64 {
    let same = boot.is_some() && boot == clock::boot().as_deref();
    match up.zip(up_ms()) {
        Some((then, now)) if same => now.saturating_sub(then),
        _ => now.ms_since(Timestamp::from_ms(wall_ms)),
    }
}

/// The clock that nobody sets, ms since the system started. None: each process counts from its own start.
pub(super) fn up_ms() -> Option<u64> {
    cfg!(target_os = "linux").then(|| whole_ms(clock::up()))
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Writes the beat. A reader sees the last one or this one. On a full disk it goes into the file that is there, which keeps the room
/// it has.
///
/// # Errors
/// The folder is gone or read-only, or the disk is full and there was no beat yet.
pub fn write(folder: &Path, beat: &Heartbeat) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(beat)?;
    // Room for the words of worse days.
    let padded = bytes.len().next_multiple_of(ROOM);
    bytes.resize(padded, b' ');
    match put(folder, FILE, &bytes) {
        Err(error) if is_full(&error) => {
            let mut file = OpenOptions::new().write(true).open(folder.join(FILE)).map_err(|_| error)?;
            overwrite(&mut file, &bytes)
        }
        done => done,
    }
}

/// The size of the file is a multiple of this, bytes.
const ROOM: usize = 4096;

/// True if there is no room, on the disk, in the user's share of it or within a limit of the process.
pub(super) fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// Replaces what is in a file, and gives no room back before the new text has found some: on a full disk there would be none.
pub(super) fn overwrite(file: &mut File, bytes: &[u8]) -> std::io::Result<()> {
    file.rewind()?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)
}

/// Replaces a file at once. It need not survive a power cut, so this waits for no disk.
///
/// # Errors
/// The folder is gone, full or read-only.
pub fn put(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = folder.join(format!("{name}.new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&fresh)?.write_all(bytes).and_then(|()| fs::rename(&fresh, folder.join(name)));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

/// The last beat of a state folder. None: there was never one, or it cannot be read as one.
///
/// # Errors
/// The file cannot be read.
pub fn read(folder: &Path) -> std::io::Result<Option<Heartbeat>> {
    match fs::read(folder.join(FILE)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_of_another_version_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        let old = r#"{"pid":7,"version":"0.1","title":"acme","started_ms":1,"written_ms":5,"standing":"collecting",
            "polls":{"ok":3},"instances":{"total":2,"moons":1},"new_thing":{}}"#;
        fs::write(folder.path().join(FILE), old).unwrap();
        let mut beat = read(folder.path()).unwrap().unwrap();
        assert_eq!((beat.pid, beat.polls.ok, beat.polls.failed, beat.instances.total), (7, 3, 0, 2));
        assert_eq!(beat.store, None);
        beat.store = Some(StoreFigures { writable: true, ..StoreFigures::default() });
        write(folder.path(), &beat).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(beat.clone()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing stays behind");
        let now = |ms| clock::moment().wall.plus_ms(ms);
        assert!(beat.age_ms(now(0)) > 1_000_000, "of another time");
        beat.stamp();
        let days = 20 * 86_400_000;
        #[cfg(target_os = "linux")]
        assert!(beat.age_ms(now(days)) < 10_000 && beat.age_ms(now(-days)) < 10_000, "the clock was set");
        beat.boot = Some("another start".to_owned());
        assert!(beat.age_ms(now(days)) > 1_000_000, "of before the system was started again");
        fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
    }
}
