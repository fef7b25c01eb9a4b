//! What we cost a server: growth of our own session's counters.

use crate::model::{
    history::{History, SeriesId},
    rate::{Interval, Mark, delta, delta32},
    sample::CostSample,
    snapshot::CostNow,
    time::Timestamp,
};

/// The sample before, and the sum over all our sessions there.
#[derive(Debug, Default)]
pub(super) struct CostFold {
    before: Option<(Timestamp, CostSample)>,
    total_ms: i64,
}

impl CostFold {
    pub fn fold(&mut self, raw: CostSample, at: Timestamp, history: &mut History) -> CostNow {
        let session = |c: &CostSample| (c.session_id, c.login_at);
        let before = self.before.replace((at, raw)).filter(|(_, old)| session(old) == session(&raw));
        let mut now = CostNow::default();
        let mut grown_ms = raw.cpu_ms.filter(|_| before.is_none());
        if let Some((then, old)) = before {
            grown_ms = delta32(old.cpu_ms, raw.cpu_ms);
            let mark = |at| Mark { at, server_at: None, took_ms: 0, started_at: None };
            if let Ok(interval) = Interval::between(mark(then), mark(at)) {
                now.cpu_ms_per_s = grown_ms.map(|ms| interval.per_s(ms));
                now.reads_per_s = delta(old.logical_reads, raw.logical_reads).map(|n| interval.per_s(n));
            }
        }
        self.total_ms = self.total_ms.saturating_add(grown_ms.unwrap_or_default().max(0));
        now.cpu_ms_total = raw.cpu_ms.map(|_| self.total_ms);
        history.record(SeriesId::Cost, at, now.cpu_ms_per_s);
        now
    }
}
