//! Where the samples of the Queries pane come from: those of the last minutes from memory, those of longer and earlier times from
//! history, which tells them as it reads them. `samples` adds them up.

use super::super::range::TimeLine;
use crate::{
    model::{
        base::{figure, time::Timestamp},
        inventory::instance::InstanceId,
        timeline::{
            gathered::{self, Gathered},
            samples::Samples,
        },
    },
    protocol::{Answer, Query},
    tui::view::View,
};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

/// The samples that are shown, with the places of their instances.
pub type Sources<'a> = Vec<(u32, &'a Samples)>;

/// The instances whose samples are shown.
#[derive(Debug)]
pub struct Source {
    /// what tells their scope from others
    scope: u64,
    ids: Arc<[InstanceId]>,
}

impl Default for Source {
    fn default() -> Self {
        Self { scope: 0, ids: [].into() }
    }
}

impl Source {
    /// Learns who is in scope. Returns what tells those that are shown from others: with faults only fewer are shown than are asked for,
    /// so that a verdict that changes is no other question.
    pub fn see(&mut self, view: &View<'_>) -> u64 {
        let in_scope = || view.scope.iter().filter_map(|n| view.snapshot.instances.get(*n as usize));
        let mut scope = DefaultHasher::new();
        in_scope().for_each(|i| i.id().hash(&mut scope));
        let scope = scope.finish();
        if self.scope != scope || self.ids.is_empty() {
            self.scope = scope;
            self.ids = in_scope().map(|i| i.id().clone()).collect();
        }
        let mut shown = DefaultHasher::new();
        view.instances().for_each(|(n, i)| (n, i.id()).hash(&mut shown));
        shown.finish()
    }

    /// The instances, in the order of the scope.
    pub const fn ids(&self) -> &Arc<[InstanceId]> {
        &self.ids
    }

    /// The question to history; None while memory is enough, and for a longer time than is read.
    pub fn query(&self, line: TimeLine, view: &View<'_>) -> Option<Query> {
        let length_ms = line.ms();
        if line.is_in_memory() || length_ms > gathered::MOST_MS || self.ids.is_empty() {
            return None;
        }
        let slot_ms = gathered::slot_ms(length_ms, self.ids.len());
        let (_, end) = line.span(view.now);
        let end_ms = end.ms().div_euclid(slot_ms).saturating_add(1).saturating_mul(slot_ms);
        let to = Timestamp::from_ms(end_ms);
        Some(Query::Samples { instances: Arc::clone(&self.ids), from: to.plus_ms(-length_ms), to, slot_ms })
    }

    /// What history has told so far, or why nothing. In memory is no question to it.
    pub fn gathered<'a>(&self, line: TimeLine, view: &View<'a>) -> Result<&'a Gathered, String> {
        let Some(query) = self.query(line, view) else {
            return Err(if self.ids.is_empty() {
                "no instance is in scope".to_owned()
            } else {
                "samples of history are read over a day at most: W shows a shorter time".to_owned()
            });
        };
        let Query::Samples { instances, from, to, .. } = &query else { return Err(String::new()) };
        // While the next answer is open the last one to the same question stands in for it.
        let same = |asked: &Query| match asked {
            Query::Samples { instances: of, from: f, to: t, .. } => of == instances && *t - *f == *to - *from,
            _ => false,
        };
        match view.charts.newest(same) {
            Some((_, Answer::Samples(gathered))) => Ok(&**gathered),
            _ => Err(view.charts.why_not(&query).unwrap_or("asking history…").to_owned()),
        }
    }

    /// The samples, or why there are none.
    pub fn samples<'a>(&self, line: TimeLine, view: &View<'a>) -> Result<Sources<'a>, String> {
        if line.is_in_memory() {
            return Ok(view.instances().filter_map(|(n, i)| Some((n, i.history.samples()?))).collect());
        }
        let gathered = self.gathered(line, view)?;
        // They come in the order of the question, which is that of the scope; not all of it may be shown.
        let mut told = gathered.of.iter();
        let shown = view.instances().filter_map(|(n, i)| {
            let mut ahead = told.clone();
            let (_, samples) = ahead.find(|(id, _)| id == i.id())?;
            told = ahead;
            Some((n, &**samples))
        });
        Ok(shown.collect())
    }
}

/// `40 % read`, `read back to 11:20: 20 s of reading at most`, `2 parts of history damaged and left out`; nothing where all of it was read.
pub fn push_reach(out: &mut String, gathered: &Gathered, view: &View<'_>) {
    if gathered.read_pct < 100 {
        figure::push_pct(out, f64::from(gathered.read_pct));
        out.push_str(" read");
    } else if let Some(cut) = gathered.cut {
        out.push_str("read back to ");
        view.zone.push_minute(out, gathered.begins);
        out.push_str(": ");
        out.push_str(cut.words());
    }
    if gathered.damaged > 0 {
        let is_first = out.is_empty();
        out.push_str(if is_first { "" } else { ", " });
        figure::push_counted(out, gathered.damaged as u64, "part of history");
        out.push_str(" damaged and left out");
    }
}
