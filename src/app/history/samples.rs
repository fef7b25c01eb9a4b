//! Samples of a longer time, read from history a little at a time, so that other questions are answered in between. What was read is
//! told as it comes. `answer` begins, `service` goes on.

use super::archive::Archive;
use crate::{
    app::module::Links,
    model::{
        poll::State,
        timeline::{
            gathered::{PROBE, Walk},
            record::Recorded,
        },
    },
    protocol::{Answer, Reply},
    store::{StoreError, history::Past},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Other questions wait for so long at most.
const AT_A_TIME: Duration = Duration::from_millis(40);
/// It is told this often while it comes.
const TELL_EVERY: Duration = Duration::from_millis(800);
/// The time that reading takes at most; [`crate::model::timeline::gathered::Cut::words`] says it.
const AT_MOST: Duration = Duration::from_secs(20);

/// Samples that are read.
pub(super) struct Reading {
    ticket: u64,
    pub walk: Walk,
    uids: Vec<Arc<str>>,
    /// the time that it took so far
    took: Duration,
    told: Instant,
}

impl Reading {
    /// Nothing is read yet. `uids`: of the instances of the walk.
    pub fn new(ticket: u64, walk: Walk, uids: Vec<Arc<str>>) -> Self {
        Self { ticket, walk, uids, took: Duration::ZERO, told: Instant::now() }
    }

    /// No more comes.
    pub const fn is_over(&self) -> bool {
        self.walk.is_over()
    }

    /// Its question.
    pub const fn ticket(&self) -> u64 {
        self.ticket
    }

    /// Reads on for a moment, and tells what there is when it is time to.
    ///
    /// # Errors
    /// History cannot be read.
    pub fn go_on(&mut self, archive: &mut Archive, links: &Links) -> Result<(), StoreError> {
        let began = Instant::now();
        while began.elapsed() < AT_A_TIME && !self.walk.is_over() {
            self.read(archive)?;
            if self.took + began.elapsed() > AT_MOST {
                self.walk.out_of_time();
            }
        }
        self.took += began.elapsed();
        let is_due = self.told.elapsed() >= TELL_EVERY && self.walk.gathered().read_pct > 0;
        if is_due || self.walk.is_over() {
            self.told = Instant::now();
            let answer = Answer::Samples(Arc::new(self.walk.gathered().clone()));
            links.say(Reply::Answer { ticket: self.ticket, answer });
        }
        Ok(())
    }

    fn read(&mut self, archive: &mut Archive) -> Result<(), StoreError> {
        let Some((n, after, until)) = self.walk.wanted() else { return Ok(()) };
        let past = match self.uids.get(n) {
            Some(uid) => archive.reader()?.states().of_probe(uid, PROBE, after, until)?,
            None => Past::default(),
        };
        self.walk.damaged(past.damaged.len());
        self.walk.take(past.kept.iter().filter_map(|kept| match &kept.what {
            Recorded::Reading { state: Ok(State::Activity(activity)), every_ms, .. } => {
                Some((kept.at, &**activity, *every_ms))
            }
            _ => None,
        }));
        Ok(())
    }
}
