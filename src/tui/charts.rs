//! Answers for the charts of longer times: the pane on the screen names the series that it wants, the app asks history
//! for them, and the answers stay here until others are wanted. Panes read them through `View` and never wait.

use crate::{
    model::{
        base::time::Timestamp,
        inventory::instance::InstanceId,
        timeline::chart::{ChartData, ChartQuery, Mark},
    },
    protocol::HistoryRequest,
};

/// Answers that are kept: those of the chart on the screen, and those before it until the new ones are there.
const MOST: usize = 12;

/// One thing that a pane wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// series
    Chart(ChartQuery),
    /// events of an instance between two times
    Marks(InstanceId, Timestamp, Timestamp),
}

#[derive(Debug)]
enum Answer {
    Open(u64),
    Chart(ChartData),
    Marks(Vec<Mark>),
    None(String),
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
    all: Vec<(Wanted, Answer)>,
}

impl Charts {
    /// The answer to a query; while it is open, the last answer to the same chart: points know their times, so the
    /// picture is true, if not complete.
    pub fn get(&self, query: &ChartQuery) -> Found<'_> {
        let mut open = false;
        for (wanted, answer) in self.all.iter().rev() {
            let Wanted::Chart(asked) = wanted else { continue };
            match answer {
                Answer::Chart(data) if asked == query => return Found::Data(data),
                Answer::None(why) if asked == query => return Found::None(why),
                Answer::Open(_) if asked == query => open = true,
                _ => {}
            }
        }
        let same = |a: &ChartQuery| {
            a.instance == query.instance && a.series == query.series && a.to - a.from == query.to - query.from
        };
        let before = self.all.iter().rev().find_map(|(wanted, answer)| match (wanted, answer) {
            (Wanted::Chart(asked), Answer::Chart(data)) if open && same(asked) => Some(data),
            _ => None,
        });
        before.map_or(Found::Open, Found::Data)
    }

    /// The events of an instance that are known for this stretch of time, or were a moment ago.
    pub fn marks(&self, instance: &InstanceId, from: Timestamp, to: Timestamp) -> &[Mark] {
        let of = |(wanted, answer): &'_ &(Wanted, Answer)| {
            matches!(answer, Answer::Marks(_))
                && matches!(wanted, Wanted::Marks(id, f, t) if id == instance && *f < to && *t > from)
        };
        match self.all.iter().rev().find(of) {
            Some((_, Answer::Marks(marks))) => marks,
            _ => &[],
        }
    }

    /// Returns the questions that are still to be asked. Where there are too many answers, the oldest wishes go first.
    pub fn missing(&mut self, wanted: Vec<Wanted>, mut ticket: impl FnMut() -> u64) -> Vec<HistoryRequest> {
        let mut requests = Vec::new();
        for w in wanted {
            if let Some(at) = self.all.iter().position(|(known, _)| *known == w) {
                // Wanted again: it is the newest now.
                let known = self.all.remove(at);
                self.all.push(known);
                continue;
            }
            let ticket = ticket();
            requests.push(match &w {
                Wanted::Chart(query) => HistoryRequest::Chart { ticket, query: query.clone() },
                Wanted::Marks(id, from, to) => {
                    HistoryRequest::Marks { ticket, from: *from, to: *to, instances: vec![id.clone()] }
                }
            });
            self.all.push((w, Answer::Open(ticket)));
        }
        let more = self.all.len().saturating_sub(MOST);
        self.all.drain(..more);
        requests
    }

    /// A chart came. One that is not wanted any more is dropped.
    pub fn chart_came(&mut self, ticket: u64, data: ChartData) {
        self.answer(ticket, Answer::Chart(data));
    }

    /// Events came. True if a chart wants them.
    pub fn marks_came(&mut self, ticket: u64, marks: Vec<Mark>) -> bool {
        self.answer(ticket, Answer::Marks(marks))
    }

    /// A chart cannot be drawn. True if it is one that is wanted.
    pub fn none_came(&mut self, ticket: u64, why: &str) -> bool {
        self.answer(ticket, Answer::None(why.to_owned()))
    }

    /// New events are there: those that are known are asked for again.
    pub fn forget_marks(&mut self) {
        self.all.retain(|(wanted, _)| !matches!(wanted, Wanted::Marks(..)));
    }

    fn answer(&mut self, ticket: u64, answer: Answer) -> bool {
        let open = self.all.iter_mut().find(|(_, a)| matches!(a, Answer::Open(t) if *t == ticket));
        let Some((_, slot)) = open else { return false };
        *slot = answer;
        true
    }

    /// A question could not be handed over: it is asked again with the next change.
    pub fn forget_open(&mut self, ticket: u64) {
        self.all.retain(|(_, a)| !matches!(a, Answer::Open(t) if *t == ticket));
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
            charts.missing(vec![Wanted::Chart(q.clone())], || {
                tickets += 1;
                tickets
            })
        };
        let (first, next) = (query(0), query(15_000));
        assert_eq!(ask(&mut charts, &first).len(), 1);
        assert_eq!(ask(&mut charts, &first).len(), 0);
        assert_eq!(tier(&charts, &first), "open");
        assert!(charts.answer(1, Answer::Chart(data("first"))));
        assert_eq!(tier(&charts, &first), "first");
        assert_eq!(ask(&mut charts, &next).len(), 1);
        assert_eq!(tier(&charts, &next), "first");
        charts.answer(2, Answer::Chart(data("next")));
        assert_eq!(tier(&charts, &next), "next");
        assert!(!charts.answer(2, Answer::Chart(data("late"))), "it was answered");
    }

    #[test]
    fn only_so_many_answers_are_kept() {
        let mut charts = Charts::default();
        for n in 0..40 {
            charts.missing(vec![Wanted::Chart(query(n * 15_000))], || n as u64);
        }
        assert_eq!(charts.all.len(), MOST);
        assert!(!charts.answer(3, Answer::None(String::new())), "nobody waits for it");
    }
}
