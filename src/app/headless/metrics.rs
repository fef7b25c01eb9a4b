//! The collector's figures for Prometheus, in the OpenMetrics text format. Made by `collect` for its endpoint and for the
//! file that `dbtop metrics` prints. An instance has the same name as in the log: a sealed inventory reveals no names.

use crate::{
    app::attach::heartbeat::{Heartbeat, StoreFigures},
    collect::Totals,
    model::{base::failure::FailureKind, fold::snapshot::FleetSnapshot},
};
use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabelSet, MetricEncoder, NoLabelSet,
        text,
    },
    metrics::MetricType,
    registry::Registry,
};
use std::{fmt, sync::Arc};

/// The format's content type in HTTP.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that the figures are made of, at one moment.
#[derive(Debug)]
pub struct Figures {
    /// the fleet
    pub fleet: Arc<FleetSnapshot>,
    /// the collector
    pub beat: Heartbeat,
    /// round trips of polls since the start
    pub latency: Totals,
}

impl Figures {
    /// As text, ending in `# EOF`.
    pub fn text(self) -> String {
        let mut registry = Registry::with_prefix("dbtop");
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut out = Out(encoder);
        self.process(&mut out)?;
        self.polls(&mut out)?;
        self.queues(&mut out)?;
        if let Some(store) = &self.beat.store {
            store_figures(store, &mut out)?;
        }
        self.instances(&mut out)
    }
}

impl Figures {
    fn process(&self, out: &mut Out) -> fmt::Result {
        let beat = &self.beat;
        let about = [("version", beat.version.as_str()), ("fleet", beat.title.as_str())];
        out.gauges("build_info", "Version of dbtop, and whose collector it is", [(&about[..], 1_u64)])?;
        let started_s = beat.started_ms as f64 / 1000.0;
        out.gauge("start_time_seconds", "Start of the collector, since 1970", &started_s)?;
        let cpu = f64::from(beat.process.cpu_pct) / 100.0;
        out.gauge("process_cpu_ratio", "CPU of the collector over the last seconds, cores", &cpu)?;
        out.gauge("process_resident_memory_bytes", "Memory of the collector", &beat.process.rss_bytes)
    }

    fn polls(&self, out: &mut Out) -> fmt::Result {
        let (polls, stats) = (&self.beat.polls, &self.fleet.collector);
        let outcomes = [("ok", polls.ok), ("failed", polls.failed), ("skipped", polls.skipped)]
            .map(|(o, n)| ([("outcome", o)], n));
        out.counters("polls", "Polls of single probes, by what came of them", outcomes)?;
        out.counter("polls_late", "Polls that started late, by over a tenth of their interval", polls.late)?;
        let classes =
            FailureKind::ALL.iter().zip(stats.errors).map(|(kind, n)| ([("class", kind.name())], n));
        out.counters("errors", "Failed polls and connects, by class", classes)?;
        out.counter("connects", "Connects tried", stats.connects)?;
        let buckets: Vec<(f64, u64)> =
            self.latency.below.iter().map(|(end, n)| (f64::from(*end) / 1000.0, *n)).collect();
        let sum_s = self.latency.sum_ms as f64 / 1000.0;
        let mut histogram = out.start("poll_seconds", "Round trips of polls", MetricType::Histogram)?;
        // Above the last bound.
        let rest = self.latency.count;
        let buckets: Vec<_> = cumulative_to_single(&buckets)
            .chain([(f64::INFINITY, rest.saturating_sub(last(&buckets)))])
            .collect();
        histogram.encode_histogram::<NoLabelSet>(sum_s, self.latency.count, &buckets, None)?;
        let latency = &self.beat.latency;
        let quantiles = [("0.5", latency.p50), ("0.95", latency.p95), ("0.99", latency.p99)];
        out.gauges(
            "poll_latency_seconds",
            "Round trips of polls over the last minute, by quantile",
            quantiles.map(|(q, ms)| ([("quantile", q)], f64::from(ms) / 1000.0)),
        )?;
        let lag_s = f64::from(self.beat.lag_ms) / 1000.0;
        out.gauge(
            "start_delay_p99_seconds",
            "How late polls start, 99th percentile of the last minute",
            &lag_s,
        )
    }

    fn queues(&self, out: &mut Out) -> fmt::Result {
        let (queues, stats) = (&self.beat.queues, &self.fleet.collector);
        let waiting =
            [("updates", queues.updates), ("permits", queues.permits), ("history", stats.history_waits)];
        out.gauges(
            "queue",
            "What waits, by where",
            waiting.map(|(name, n)| ([("queue", name)], u64::from(n))),
        )?;
        out.counter(
            "samples_waited",
            "Samples that had to wait since the reducer or the store could not keep up: polling slowed down",
            self.beat.samples_waited,
        )?;
        out.gauge("connections", "Instances connected", &u64::from(stats.connected))?;
        out.gauge("polls_running", "Polls under way", &u64::from(stats.in_flight))
    }

    fn instances(&self, out: &mut Out) -> fmt::Result {
        let counts = &self.fleet.counts;
        let levels = [
            ("ok", counts.ok),
            ("warning", counts.warning),
            ("critical", counts.critical),
            ("unknown", counts.unknown),
        ];
        out.gauges("instances", "Instances, by health", levels.map(|(l, n)| ([("level", l)], u64::from(n))))?;
        let slowed = u64::from(self.beat.instances.slowed);
        out.gauge(
            "instances_slowed",
            "Instances polled more slowly, for they cost more than their budget",
            &slowed,
        )?;
        let fleet = &self.fleet;
        let limit_ms = fleet.thresholds.offline_after_s.saturating_mul(1000);
        let name = |i: &crate::model::fold::snapshot::InstanceSnapshot| i.info.log_name().to_owned();
        let good = |at: crate::model::base::time::Timestamp| u64::from(fleet.at.ms_since(at) <= limit_ms);
        let up =
            fleet.instances.iter().map(|i| ([("instance", name(i))], i.facts.last_good_at.map_or(0, good)));
        out.gauges("instance_up", "1 if the instance was polled well lately", up)?;
        let polled = fleet.instances.iter().filter_map(|i| {
            let at = i.facts.last_good_at?;
            Some(([("instance", name(i))], at.ms() as f64 / 1000.0))
        });
        out.gauges("instance_last_poll_seconds", "The newest good poll, since 1970", polled)?;
        let cost = fleet.instances.iter().filter_map(|i| {
            let ms_per_s = i.facts.cost.get()?.cpu_ms_per_s?;
            Some(([("instance", name(i))], ms_per_s / 1000.0))
        });
        out.gauges("instance_own_cpu_ratio", "CPU that dbtop takes on the instance, cores", cost)
    }
}

fn store_figures(store: &StoreFigures, out: &mut Out) -> fmt::Result {
    out.gauge("store_writable", "1 if the store takes what comes", &u64::from(store.writable))?;
    out.gauge("store_lag_seconds", "Age of the oldest thing to be written", &(store.lag_ms as f64 / 1000.0))?;
    out.gauge("store_rows_per_second", "Rows written over the last seconds", &store.rows_per_s)?;
    out.gauge("store_size_bytes", "Size of the store's files", &store.size_bytes)?;
    out.counter("store_rows", "Rows written", store.rows)?;
    out.counter("store_samples_lost", "Samples lost, for the store could not take them", store.samples_lost)
}

/// The library wants each bucket's own count, and adds them up itself.
fn cumulative_to_single(buckets: &[(f64, u64)]) -> impl Iterator<Item = (f64, u64)> {
    let before = std::iter::once(0).chain(buckets.iter().map(|(_, n)| *n));
    buckets.iter().zip(before).map(|((end, n), before)| (*end, n.saturating_sub(before)))
}

fn last(buckets: &[(f64, u64)]) -> u64 {
    buckets.last().map_or(0, |(_, n)| *n)
}

/// Where families go.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn start<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, None, kind)
    }

    fn gauge(&mut self, name: &str, help: &str, value: &impl EncodeGaugeValue) -> fmt::Result {
        self.start(name, help, MetricType::Gauge)?.encode_gauge(value)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.start(name, help, MetricType::Counter)?.encode_counter::<NoLabelSet, _, u64>(&value, None)
    }

    fn gauges<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, impl EncodeGaugeValue)>,
    ) -> fmt::Result {
        let mut family = self.start(name, help, MetricType::Gauge)?;
        values.into_iter().try_for_each(|(labels, v)| family.encode_family(&labels)?.encode_gauge(&v))
    }

    fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, impl EncodeCounterValue)>,
    ) -> fmt::Result {
        let mut family = self.start(name, help, MetricType::Counter)?;
        values.into_iter().try_for_each(|(labels, v)| {
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&v, None)
        })
    }
}
