//! The chart that explains why an instance is not ok: that of its first reason that has one. It is drawn first, and its head says
//! so. Parts of an instance (a volume, a log, a replica) have no points in memory: theirs are asked of history.

use super::super::{
    figure::{Figure, high, limits},
    kept::{HOUR_MS, KB_PER_GB, Kept, of_file, of_log, of_volume, scaled},
};
use crate::model::{
    fold::snapshot::InstanceSnapshot,
    judge::{
        health::Thresholds,
        limits::Gauge,
        why::{Trouble, Why},
    },
    poll::id::{Metric, SeriesId, SeriesKey},
};

/// All charts but the waits, which come second, in their order on a calm day.
pub static FIGURES: [Figure; 8] = [
    Figure {
        title: "CPU %",
        series: SeriesId::Cpu,
        other: Some((SeriesId::CpuOther, ["SQL Server", "others"])),
        top: Some(100.0),
        least: 0.0,
        limits: |t| limits(t, Gauge::Cpu),
    },
    Figure::plain("batches per second", SeriesId::Batches, 10.0),
    Figure::plain("sessions blocked", SeriesId::Blocked, 4.0),
    Figure {
        title: "memory of the machine %",
        series: SeriesId::Memory,
        other: None,
        top: Some(100.0),
        least: 0.0,
        limits: |t| limits(t, Gauge::Memory),
    },
    Figure::plain("page life s", SeriesId::PageLife, 300.0),
    Figure {
        title: "page read ms",
        series: SeriesId::PageRead,
        other: None,
        top: None,
        least: 10.0,
        limits: |t| limits(t, Gauge::Io),
    },
    Figure::plain("log flush ms", SeriesId::LogFlush, 5.0),
    Figure {
        title: "tempdb used %",
        series: SeriesId::Tempdb,
        other: None,
        top: Some(100.0),
        least: 0.0,
        limits: |t| Some(high(100.0 - t.tempdb_warning_pct, 100.0 - t.tempdb_critical_pct)),
    },
];

/// Charts of reasons that an instance without them does not need.
static MORE: [Figure; 3] = [
    Figure::plain("tasks that wait for a CPU", SeriesId::Runnable, 4.0),
    Figure::plain("queries that wait for a grant", SeriesId::GrantsPending, 4.0),
    Figure::plain("deadlocks per minute", SeriesId::Deadlocks, 4.0),
];

/// What the first chart shows.
pub enum Evidence {
    /// a figure
    Figure(&'static Figure),
    /// the waits
    Waits,
    /// a series that history keeps
    Kept(Kept),
}

/// The series of the figures in here.
pub fn series() -> impl Iterator<Item = SeriesId> {
    MORE.iter().flat_map(Figure::series)
}

/// The chart of the first reason that has one, and the place of that reason.
pub fn first(i: &InstanceSnapshot, thresholds: &Thresholds) -> Option<(usize, Evidence)> {
    let mut reasons = i.health.reasons.iter().enumerate();
    reasons.find_map(|(n, reason)| Some((n, of(reason.why(), i, thresholds)?)))
}

fn of(why: &Why, i: &InstanceSnapshot, thresholds: &Thresholds) -> Option<Evidence> {
    let series = match why {
        Why::Cpu { .. } => SeriesId::Cpu,
        Why::Runnable { .. } => SeriesId::Runnable,
        Why::Blocked { .. } => SeriesId::Blocked,
        Why::Memory { .. }
        | Why::MemoryLow
        | Why::MachineMemoryLow
        | Why::MemoryFree { .. }
        | Why::MemoryTarget { .. } => SeriesId::Memory,
        Why::Grants(_) => SeriesId::GrantsPending,
        Why::PageLife { .. } => SeriesId::PageLife,
        Why::PageReads(_) => SeriesId::PageRead,
        Why::LogFlushes(_) => SeriesId::LogFlush,
        Why::Tempdb(_) | Why::TempdbFilling { .. } => SeriesId::Tempdb,
        Why::Deadlocks(_) => SeriesId::Deadlocks,
        Why::Waits { workers: None, .. } => return Some(Evidence::Waits),
        _ => return kept(why, i, thresholds).map(Evidence::Kept),
    };
    FIGURES.iter().chain(&MORE).find(|figure| figure.series == series).map(Evidence::Figure)
}

fn kept(why: &Why, i: &InstanceSnapshot, thresholds: &Thresholds) -> Option<Kept> {
    let chart = Kept::new;
    Some(match why {
        Why::Workers(_) | Why::Waits { .. } => {
            let most = i.facts.cpu.get().and_then(|cpu| cpu.max_workers);
            let top = most.map(|n| n as f32);
            Kept { top, ..chart("busy workers".to_owned(), SeriesKey::of(Metric::ActiveWorkers), HOUR_MS) }
        }
        Why::SlowFile { database: Some(database), file: Some(file), .. }
        | Why::StalledIo { database: Some(database), file: Some(file), .. } => {
            of_file(file, &format!("{database}/{file}"))
        }
        Why::Volume { mount, .. } | Why::VolumeFilling { mount, .. } | Why::CannotGrow { mount, .. } => {
            let mount = mount.as_ref()?;
            let volumes = i.facts.volumes.get();
            let volume = volumes.and_then(|rows| rows.iter().find(|row| row.mount.as_ref() == Some(mount)));
            of_volume(mount, volume.and_then(|row| row.total_bytes), thresholds)
        }
        Why::Log { database, .. } => of_log(database.as_ref()?, thresholds),
        Why::Replica { database, replica, trouble, .. } => {
            let rows = i.facts.availability.get()?;
            let row = rows.iter().find(|row| row.database == *database && row.replica == *replica)?;
            let (what, metric, gauge, factor) = match trouble {
                Trouble::ToRedo(_) => ("to redo GB", Metric::RedoQueue, Gauge::RedoQueue, 1.0 / KB_PER_GB),
                Trouble::Behind(_) => ("behind s", Metric::ReplicaLag, Gauge::Lag, 1.0),
                _ => ("to send GB", Metric::SendQueue, Gauge::SendQueue, 1.0 / KB_PER_GB),
            };
            let told = limits(thresholds, gauge);
            let limits = told.map(|l| if gauge == Gauge::Lag { l } else { scaled(l, 1.0 / 1024.0) });
            let name = database.as_deref().unwrap_or("?");
            let key = SeriesKey::with(metric, row.series_key());
            Kept { factor, limits, ..chart(format!("{name} {what}"), key, HOUR_MS) }
        }
        _ => return None,
    })
}

/// ` · first reason`, ` · reason 3`: why a chart is the first one.
pub fn place(n: usize) -> String {
    if n == 0 { " · first reason".to_owned() } else { format!(" · reason {}", n + 1) }
}

/// The head of the first chart.
pub fn head(title: &str, n: usize) -> String {
    format!("{title}{}", place(n))
}
