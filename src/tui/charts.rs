//! Answers for the charts of longer times: the pane on the screen names the series that it wants, the app asks history
//! for them, and the answers stay here until others are wanted. Panes read them through `View` and never wait.

use crate::{
    model::{
        base::time::Timestamp,
        inventory::instance::InstanceId,
        timeline::{
            chart::{ChartData, ChartQuery, Mark},
            forecast::Outlook,
        },
    },
    protocol::{Answer, HistoryRequest, Query},
};
use std::{collections::HashMap, sync::Arc};

/// Answers that are kept: those of the chart on the screen, and those before it until the new ones are there.
const MOST: usize = 12;
/// What was refused is asked again after this while it is wanted, ms: history was busy, or its disk failed for a moment.
const AGAIN_MS: u64 = 5_000;

/// How far a question has come.
#[derive(Debug)]
enum Stage {
    Open(u64),
    /// more of it comes
    Partly(u64, Answer),
    Answered(Answer),
    /// why, and since when
    Refused(String, Timestamp),
}

/// The answer of history about a chart.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// here it is, or what was there a moment before
    Data(&'a ChartData),
    /// asked for
    Open,
    /// why there is nothing
    None(&'a str),
}

/// Questions and answers, the newest last.
#[derive(Debug, Default)]
pub struct Charts {
    all: Vec<(Query, Stage)>,
    outlooks: Outlooks,
}

/// When volumes are full, by instance and mount point; all of one day. They come piece by piece, and each is wanted for as long as the day
/// lasts.
#[derive(Debug, Default)]
struct Outlooks {
    to: Timestamp,
    of: HashMap<InstanceId, HashMap<Arc<str>, Outlook>>,
}

impl Outlooks {
    fn take(&mut self, asked: Vec<(InstanceId, Arc<str>)>, to: Timestamp, told: Vec<Outlook>) {
        if self.to != to {
            self.to = to;
            self.of.clear();
        }
        for ((instance, mount), outlook) in asked.into_iter().zip(told) {
            self.of.entry(instance).or_default().insert(mount, outlook);
        }
    }
}

impl Charts {
    /// The answer to a query; while it is open, the last answer to the same chart: points know their times, so the
    /// picture is true, if not complete.
    pub fn get(&self, query: &ChartQuery) -> Found<'_> {
        let mut open = false;
        for (asked, stage) in self.all.iter().rev() {
            match stage {
                _ if !matches!(asked, Query::Chart(asked) if asked == query) => {}
                Stage::Answered(Answer::Chart(data)) => return Found::Data(data),
                Stage::Refused(why, _) => return Found::None(why),
                Stage::Open(_) => open = true,
                Stage::Answered(_) | Stage::Partly(..) => {}
            }
        }
        let same = |a: &ChartQuery| {
            a.instance == query.instance && a.series == query.series && a.to - a.from == query.to - query.from
        };
        let before = self.all.iter().rev().find_map(|entry| match entry {
            (Query::Chart(asked), Stage::Answered(Answer::Chart(data))) if open && same(asked) => Some(data),
            _ => None,
        });
        before.map_or(Found::Open, Found::Data)
    }

    /// The events of an instance that are known for this stretch of time, or were a moment ago.
    pub fn marks(&self, instance: &InstanceId, from: Timestamp, to: Timestamp) -> &[Mark] {
        let of = |asked: &Query| match asked {
            Query::Marks { instance: id, from: f, to: t } => id == instance && *f < to && *t > from,
            _ => false,
        };
        match self.newest(of) {
            Some((_, Answer::Marks(marks))) => marks,
            _ => &[],
        }
    }

    /// The newest answer to a question of this kind, with the question.
    pub fn newest(&self, is: impl Fn(&Query) -> bool) -> Option<(&Query, &Answer)> {
        self.all.iter().rev().find_map(|(asked, stage)| match stage {
            Stage::Answered(answer) | Stage::Partly(_, answer) if is(asked) => Some((asked, answer)),
            _ => None,
        })
    }

    /// When a volume is full, as history said on the day that ends at `to`. None: it was not asked yet, or had no answer.
    pub fn outlook(&self, instance: &InstanceId, mount: &str, to: Timestamp) -> Option<Outlook> {
        self.outlooks.of.get(instance).filter(|_| self.outlooks.to == to)?.get(mount).copied()
    }

    /// Why a question has no answer; None: it has one, or it is open.
    pub fn why_not(&self, query: &Query) -> Option<&str> {
        self.all.iter().rev().find_map(|(asked, stage)| match stage {
            Stage::Refused(why, _) if asked == query => Some(why.as_str()),
            _ => None,
        })
    }

    /// Returns the questions that are still to be asked. Where there are too many answers, the oldest wishes go first.
    pub fn missing(
        &mut self,
        wanted: Vec<Query>,
        now: Timestamp,
        mut ticket: impl FnMut() -> u64,
    ) -> Vec<HistoryRequest> {
        let mut requests = Vec::new();
        for query in wanted {
            let is_over =
                |stage: &Stage| matches!(stage, Stage::Refused(_, at) if now.ms_since(*at) >= AGAIN_MS);
            self.all.retain(|(asked, stage)| *asked != query || !is_over(stage));
            if let Some(at) = self.all.iter().position(|(asked, _)| *asked == query) {
                // Wanted again: it is the newest now.
                let known = self.all.remove(at);
                self.all.push(known);
                continue;
            }
            let ticket = ticket();
            requests.push(HistoryRequest::Ask { ticket, query: query.clone() });
            self.all.push((query, Stage::Open(ticket)));
        }
        let more = self.all.len().saturating_sub(MOST);
        self.all.drain(..more);
        requests
    }

    /// An answer came. One to a question that is not wanted any more is dropped.
    pub fn answered(&mut self, ticket: u64, answer: Answer) {
        let stage = if answer.is_partial() { Stage::Partly(ticket, answer) } else { Stage::Answered(answer) };
        self.settle(ticket, stage);
    }

    /// There is no answer. True if it is to a question that is wanted.
    pub fn refused(&mut self, ticket: u64, why: &str, now: Timestamp) -> bool {
        self.settle(ticket, Stage::Refused(why.to_owned(), now))
    }

    /// New events are there: those that are known are asked for again.
    pub fn forget_marks(&mut self) {
        self.all.retain(|(asked, _)| !matches!(asked, Query::Marks { .. }));
    }

    fn settle(&mut self, ticket: u64, stage: Stage) -> bool {
        let waits = |stage: &Stage| matches!(stage, Stage::Open(t) | Stage::Partly(t, _) if *t == ticket);
        let open = self.all.iter_mut().find(|(_, stage)| waits(stage));
        let Some((asked, slot)) = open else { return false };
        if let (Query::Outlooks { of, to }, Stage::Answered(Answer::Outlooks(told))) = (&*asked, &stage) {
            self.outlooks.take(of.clone(), *to, told.clone());
        }
        *slot = stage;
        true
    }

    /// A question could not be handed over: it is asked again with the next change.
    pub fn forget_open(&mut self, ticket: u64) {
        self.all.retain(|(_, stage)| !matches!(stage, Stage::Open(t) if *t == ticket));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        poll::id::{SeriesId, SeriesKey},
        timeline::chart::Range,
    };

    const NOW: Timestamp = Timestamp::from_ms(1_795_183_331_000);

    fn query(later_ms: i64) -> ChartQuery {
        let mut range = Range::default();
        range.zoom(true, None, NOW);
        range.query(InstanceId::new("a"), vec![SeriesKey::of(SeriesId::Cpu)], NOW.plus_ms(later_ms))
    }

    fn data(tier: &'static str) -> ChartData {
        ChartData { tier, ..ChartData::default() }
    }

    fn tier(charts: &Charts, query: &ChartQuery) -> &'static str {
        match charts.get(query) {
            Found::Data(data) => data.tier,
            Found::Open => "open",
            Found::None(_) => "none",
        }
    }

    #[test]
    fn a_chart_is_asked_for_once_and_the_last_one_stands_in_for_the_next() {
        let mut charts = Charts::default();
        let mut tickets = 0;
        let mut ask = |charts: &mut Charts, q: &ChartQuery| {
            charts.missing(vec![Query::Chart(q.clone())], NOW, || {
                tickets += 1;
                tickets
            })
        };
        let (first, next) = (query(0), query(15_000));
        assert_eq!(ask(&mut charts, &first).len(), 1);
        assert_eq!(ask(&mut charts, &first).len(), 0);
        assert_eq!(tier(&charts, &first), "open");
        assert!(charts.settle(1, Stage::Answered(Answer::Chart(data("first")))));
        assert_eq!(tier(&charts, &first), "first");
        assert_eq!(ask(&mut charts, &next).len(), 1);
        assert_eq!(tier(&charts, &next), "first");
        charts.answered(2, Answer::Chart(data("next")));
        assert_eq!(tier(&charts, &next), "next");
        assert!(!charts.settle(2, Stage::Answered(Answer::Chart(data("late")))), "it was answered");
    }

    #[test]
    fn what_comes_in_parts_is_shown_as_it_comes() {
        use crate::model::timeline::gathered::Gathered;
        let mut charts = Charts::default();
        let instances = [InstanceId::new("a")].into();
        let query = Query::Samples { instances, from: NOW.plus_ms(-60_000), to: NOW, slot_ms: 60_000 };
        charts.missing(vec![query.clone()], NOW, || 7);
        let part = |read_pct| {
            Answer::Samples(Gathered { of: Vec::new(), begins: NOW, read_pct, cut: None, damaged: 0 }.into())
        };
        let read = |charts: &Charts| match charts.newest(|asked| *asked == query) {
            Some((_, Answer::Samples(gathered))) => Some(gathered.read_pct),
            _ => None,
        };
        for pct in [30, 60, 100, 90] {
            charts.answered(7, part(pct));
        }
        assert_eq!(read(&charts), Some(100), "what comes after the last is dropped");
        let mut charts = Charts::default();
        charts.missing(vec![query.clone()], NOW, || 8);
        charts.answered(8, part(30));
        assert_eq!(read(&charts), Some(30));
        assert!(charts.refused(8, "the disk failed", NOW) && charts.why_not(&query).is_some());
    }

    #[test]
    fn a_question_of_samples_is_asked_once_though_another_one_comes_in_between() {
        let instances: Arc<[InstanceId]> = [InstanceId::new("a")].into();
        let over = |hours: i64| Query::Samples {
            instances: instances.clone(),
            from: NOW.plus_ms(-hours * 3_600_000),
            to: NOW,
            slot_ms: 60_000,
        };
        let (mut charts, mut tickets) = (Charts::default(), 0);
        let mut ask = |charts: &mut Charts, hours| {
            let asked = charts.missing(vec![over(hours)], NOW, || {
                tickets += 1;
                tickets
            });
            asked.len()
        };
        assert_eq!((ask(&mut charts, 24), ask(&mut charts, 24)), (1, 0));
        assert_eq!((ask(&mut charts, 6), ask(&mut charts, 24)), (1, 0), "each has its answer");
        // Too many at once: the oldest was told so, and is asked again while it is wanted.
        assert!(charts.refused(1, "newer questions", NOW.plus_ms(-5_000)));
        assert_eq!(ask(&mut charts, 24), 1);
    }

    #[test]
    fn what_was_refused_is_asked_again_a_little_later() {
        let mut charts = Charts::default();
        let ask = |charts: &mut Charts, ms: i64| {
            charts.missing(vec![Query::Chart(query(0))], NOW.plus_ms(ms), || 7).len()
        };
        assert_eq!(ask(&mut charts, 0), 1);
        assert!(charts.refused(7, "history is busy", NOW));
        assert_eq!((ask(&mut charts, 4_999), tier(&charts, &query(0))), (0, "none"));
        assert_eq!((ask(&mut charts, 5_000), tier(&charts, &query(0))), (1, "open"));
    }

    #[test]
    fn only_so_many_answers_are_kept() {
        let mut charts = Charts::default();
        for n in 0..40 {
            charts.missing(vec![Query::Chart(query(n * 15_000))], NOW, || n as u64);
        }
        assert_eq!(charts.all.len(), MOST);
        assert!(!charts.refused(3, "", NOW), "nobody waits for it");
    }
}
