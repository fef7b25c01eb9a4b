//! One chart of a series that is not in memory: of a part of an instance, such as a file, a volume, a log. It is asked of history
//! and drawn when the answer is there. For the panes that draw charts of one instance (`instance`, `parts`).

use super::{
    figure::{Sight, high, limits, push_why_none},
    range::TimeLine,
};
use crate::{
    model::{
        base::time::Timestamp,
        fold::snapshot::InstanceSnapshot,
        judge::limits::{Gauge, Thresholds},
        poll::id::{Metric, SeriesKey},
        timeline::counted,
    },
    protocol::Query,
    tui::{
        view::View,
        widget::{
            canvas::Canvas,
            chart::{Chart, Limits, Plot, Points, Shape},
        },
    },
};
use std::sync::Arc;

/// An hour, ms.
pub const HOUR_MS: i64 = 3_600_000;

/// KB in a gigabyte.
pub const KB_PER_GB: f32 = 1_048_576.0;

/// Such a chart.
#[derive(Debug, Clone)]
pub struct Kept {
    /// what it shows, with the unit
    pub title: String,
    /// its series: one, or two that are read together
    pub keys: Vec<SeriesKey>,
    /// the names of both; not said of one
    pub names: [&'static str; 2],
    /// least time that it is shown over, ms: what is polled seldom needs more of it
    pub reach_ms: i64,
    /// values are multiplied by this, to change their unit
    pub factor: f32,
    /// end of the axis; None: what the points need
    pub top: Option<f32>,
    /// the axis goes at least so far
    pub least: f32,
    /// from where on the figure is a warning, and critical
    pub limits: Option<Limits>,
    /// it counts: each figure is that of a slot of time, whose length follows from that of the chart
    pub counts: bool,
}

/// Limits in another unit.
pub fn scaled(l: Limits, factor: f32) -> Limits {
    Limits { warning: l.warning * factor, critical: l.critical * factor, ..l }
}

/// What is free on a volume, with the limits of its size where that is known.
pub fn of_volume(mount: &Arc<str>, total_bytes: Option<i64>, thresholds: &Thresholds) -> Kept {
    let all_gb = total_bytes.map(|bytes| bytes as f32 / 1024.0 / KB_PER_GB);
    let of_all = |l: Limits| all_gb.map(|gb| scaled(l, gb / 100.0));
    let title = format!("free on {} GB", mount.trim_end_matches('\\'));
    Kept {
        limits: limits(thresholds, Gauge::Volume).and_then(of_all),
        ..Kept::in_gb(title, Metric::VolumeFree, mount, 6 * HOUR_MS)
    }
}

/// The series of a file: read, write, operations, traffic.
pub const OF_FILE: [Metric; 4] =
    [Metric::FileReadOf, Metric::FileWriteOf, Metric::FileOps, Metric::FileBytesOf];

/// How long reads and writes of a file take; `key`: that of its series.
pub fn of_file(name: &str, key: &str) -> Kept {
    latency(name, [Metric::FileReadOf, Metric::FileWriteOf], key)
}

/// How long reads and writes of a file, a volume or a database take.
pub fn latency(name: &str, [read, write]: [Metric; 2], key: &str) -> Kept {
    let title = format!("{name} ms");
    let writes = SeriesKey::with(write, key);
    let reads = Kept::new(title, SeriesKey::with(read, key), HOUR_MS);
    Kept { least: 10.0, ..reads.beside(writes, ["read", "write"]) }
}

/// What the files of something do, over time: how long reads and writes take, how much they carry, and how many there are. `metrics`:
/// read, write, operations, traffic.
pub fn traffic(name: &str, [read, write, ops, bytes]: [Metric; 4], key: &str) -> [Kept; 3] {
    let chart = |what: &str, metric| {
        let key = SeriesKey::with(metric, key);
        Kept { least: 10.0, ..Kept::new(format!("{name} {what}"), key, HOUR_MS) }
    };
    [
        latency(name, [read, write], key),
        chart("read and written MB/s", bytes),
        chart("reads and writes/s", ops),
    ]
}

/// How full the log of a database is.
pub fn of_log(database: &Arc<str>, thresholds: &Thresholds) -> Kept {
    let used = |l: Limits| high(100.0 - f64::from(l.warning), 100.0 - f64::from(l.critical));
    let key = SeriesKey::with(Metric::LogUsed, Arc::clone(database));
    Kept {
        top: Some(100.0),
        limits: limits(thresholds, Gauge::Log).map(used),
        ..Kept::new(format!("log of {database} in use %"), key, HOUR_MS)
    }
}

impl Kept {
    /// One series, as it is kept.
    pub fn new(title: String, key: SeriesKey, reach_ms: i64) -> Self {
        Self {
            title,
            keys: vec![key],
            names: [""; 2],
            reach_ms,
            factor: 1.0,
            top: None,
            least: 1.0,
            limits: None,
            counts: false,
        }
    }

    /// One that counts events, over any length of time: `title` goes on with what a slot is.
    pub fn of_events(title: String, key: SeriesKey) -> Self {
        Self { least: 4.0, counts: true, ..Self::new(title, key, 0) }
    }

    /// The time line that it is shown over.
    fn line(&self, line: TimeLine, now: Timestamp) -> TimeLine {
        if self.counts { line } else { line.reaching(self.reach_ms, now) }
    }

    /// One that is kept in KB, shown in GB.
    pub fn in_gb(title: String, metric: Metric, of: &Arc<str>, reach_ms: i64) -> Self {
        let key = SeriesKey::with(metric, Arc::clone(of));
        Self { factor: 1.0 / KB_PER_GB, ..Self::new(title, key, reach_ms) }
    }

    /// With a second series, drawn as a line.
    #[must_use]
    pub fn beside(mut self, key: SeriesKey, names: [&'static str; 2]) -> Self {
        self.keys.push(key);
        self.names = names;
        self
    }

    /// What is asked of history for it.
    pub fn query(&self, line: TimeLine, i: &InstanceSnapshot, view: &View<'_>) -> Query {
        Query::Chart(self.line(line, view.now).chart(i.id(), &self.keys, view.now))
    }

    /// Draws it. `behind` goes on with its title.
    pub fn draw(
        &self,
        behind: &str,
        i: &InstanceSnapshot,
        view: &View<'_>,
        canvas: &mut Canvas<'_>,
        sight: Sight<'_>,
    ) {
        let line = self.line(sight.line, view.now);
        let found = line.found(view, i.id(), &self.keys);
        let mut title = self.title.clone();
        if self.counts {
            title.push_str(" per ");
            title.push_str(counted::slot_name(line.ms()));
        }
        let is_longer = line.ms() != sight.line.ms();
        if is_longer {
            title.push_str(" · ");
            line.push_name(&mut title, view.now, view.zone);
        }
        title.push_str(behind);
        let (main, second) =
            if sight.dots { (Shape::Braille, Shape::Braille) } else { (Shape::Area, Shape::Line) };
        let mut why = String::new();
        if let Some(key) = self.keys.first() {
            push_why_none(&mut why, &found, i, key.metric.probe(), view);
        }
        let plot = |n: usize, shape, style| Plot {
            name: self.names.get(n).copied().unwrap_or_default(),
            points: Points::Kept(found.line(n), 0),
            shape,
            style,
        };
        let mut plots = vec![plot(0, main, view.theme.area(0))];
        let other = plot(1, second, view.theme.area(9));
        if self.keys.len() > 1 && !other.points.is_empty() {
            plots.push(other);
        }
        Chart {
            title: &title,
            plots: &plots,
            now: line.end(view),
            zone: view.zone,
            range_ms: line.ms(),
            factor: self.factor,
            top: self.top,
            least: self.least,
            limits: self.limits,
            empty: &why,
            cursor: line.cursor(),
            marks: if is_longer { &[] } else { line.marks(view, i.id()) },
        }
        .draw(canvas, view.theme);
    }
}
