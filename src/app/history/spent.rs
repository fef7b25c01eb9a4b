//! What queries cost over a longer time, read from history a little at a time, so that other questions are answered in between. What
//! was read is told as it comes. `answer` begins, `service` goes on.

use super::archive::Archive;
use crate::{
    app::module::Links,
    model::{
        poll::{State, id::ProbeId, queries::QueryTable},
        timeline::{record::Recorded, spent::Walk},
    },
    protocol::{Answer, Reply},
    store::{StoreError, history::Reader},
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// Other questions wait for so long at most.
const AT_A_TIME: Duration = Duration::from_millis(40);
/// It is told this often while it comes.
const TELL_EVERY: Duration = Duration::from_millis(800);
/// The time that reading takes at most; [`crate::model::timeline::gathered::Cut::words`] says it.
const AT_MOST: Duration = Duration::from_secs(20);
/// Stretches that are read at the same time: two that are compared, and those before them.
const MOST: usize = 4;

/// A stretch that is read.
pub(super) struct SpentReading {
    ticket: u64,
    walk: Walk,
    uids: Vec<Arc<str>>,
    /// the time that it took so far
    took: Duration,
    told: Instant,
}

impl SpentReading {
    /// Nothing is read yet. `uids`: of the instances of the walk.
    pub fn new(ticket: u64, walk: Walk, uids: Vec<Arc<str>>) -> Self {
        Self { ticket, walk, uids, took: Duration::ZERO, told: Instant::now() }
    }

    fn go_on(&mut self, archive: &mut Archive, links: &Links) -> Result<(), StoreError> {
        let began = Instant::now();
        while began.elapsed() < AT_A_TIME && read_on(&mut self.walk, archive.reader()?, &self.uids)? {
            if self.took + began.elapsed() > AT_MOST {
                self.walk.out_of_time();
            }
        }
        self.took += began.elapsed();
        if self.told.elapsed() >= TELL_EVERY || self.walk.is_over() {
            self.told = Instant::now();
            let told = self.walk.told(archive.reader()?.stats().span()?);
            links.say(Reply::Answer { ticket: self.ticket, answer: Answer::Spent(Arc::new(told)) });
        }
        Ok(())
    }
}

/// Reads the next part of a walk. `uids`: of its instances. False: all is read.
///
/// # Errors
/// History cannot be read.
pub fn read_on(walk: &mut Walk, reader: &mut Reader, uids: &[Arc<str>]) -> Result<bool, StoreError> {
    let Some((n, after, until)) = walk.wanted() else { return Ok(false) };
    let kept = match uids.get(n) {
        Some(uid) => reader.states().of_probe(uid, ProbeId::Queries, after, until)?.kept,
        None => Vec::new(),
    };
    walk.take(kept.iter().filter_map(|kept| match &kept.what {
        Recorded::Reading { state: Ok(State::Queries(table)), .. } => {
            let table: &QueryTable = table;
            Some((kept.at, table))
        }
        _ => None,
    }));
    Ok(true)
}

/// The stretches that are read, the one that was asked for first in front.
#[derive(Default)]
pub(super) struct Readings(VecDeque<SpentReading>);

impl Readings {
    /// One more. Of too many the oldest is not waited for any more.
    pub fn ask(&mut self, reading: SpentReading) {
        while self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(reading);
    }

    /// Nothing is left to read.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads on for a moment.
    pub fn go_on(&mut self, archive: &mut Archive, links: &Links) {
        let Some(reading) = self.0.front_mut() else { return };
        if let Err(e) = reading.go_on(archive, links) {
            let (ticket, why) = (Some(reading.ticket), archive.unread(e).to_string());
            links.say(Reply::NoHistory { ticket, why });
            self.0.pop_front();
        } else if reading.walk.is_over() {
            self.0.pop_front();
        }
    }
}
