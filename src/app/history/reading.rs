//! What takes long to read of history: samples of a longer time, and what queries cost in it. Each such question walks through history a
//! slice at a time, so that other questions are answered in between, and is told as it comes. `answer` begins, `service` goes on.
//!
//! Every question gets an answer: those that are open take turns, and one that has to give way to newer ones is told so.

use super::archive::Archive;
use crate::{
    app::module::Links,
    model::{
        base::time::Timestamp,
        inventory::instance::InstanceId,
        poll::{State, id::ProbeId, queries::QueryTable},
        timeline::{gathered, record::Recorded, spent},
    },
    protocol::{Answer, Reply},
    store::{
        StoreError,
        history::{Past, Reader},
    },
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
/// The time that reading takes at most; [`gathered::Cut::words`] says it.
const AT_MOST: Duration = Duration::from_secs(20);
/// Questions that are read at the same time: two stretches that are compared, and those before them.
const MOST: usize = 4;
/// What the oldest of too many is told; the screen asks again what it still wants.
const GIVES_WAY: &str = "newer questions are read first: this one is asked again in some seconds";

/// A way through history.
pub(super) enum Walk {
    /// what was seen at work
    Samples(gathered::Walk),
    /// what queries cost
    Spent(spent::Walk),
}

impl Walk {
    fn is_over(&self) -> bool {
        self.read_pct() >= 100
    }

    fn read_pct(&self) -> u8 {
        match self {
            Self::Samples(walk) => walk.gathered().read_pct,
            Self::Spent(walk) => walk.read_pct(),
        }
    }

    fn out_of_time(&mut self) {
        match self {
            Self::Samples(walk) => walk.out_of_time(),
            Self::Spent(walk) => walk.out_of_time(),
        }
    }

    fn read_on(&mut self, reader: &mut Reader, uids: &[Arc<str>]) -> Result<(), StoreError> {
        match self {
            Self::Samples(walk) => read_samples(walk, reader, uids),
            Self::Spent(walk) => read_spent(walk, reader, uids).map(drop),
        }
    }

    /// What was read so far.
    fn told(&self, reader: &mut Reader) -> Result<Answer, StoreError> {
        Ok(match self {
            Self::Samples(walk) => Answer::Samples(Arc::new(walk.gathered().clone())),
            Self::Spent(walk) => Answer::Spent(Arc::new(walk.told(reader.stats().span()?))),
        })
    }
}

/// Reads the next part of samples. `uids`: of the instances of the walk.
fn read_samples(walk: &mut gathered::Walk, reader: &mut Reader, uids: &[Arc<str>]) -> Result<(), StoreError> {
    let Some((n, after, until)) = walk.wanted() else { return Ok(()) };
    let past = match uids.get(n) {
        Some(uid) => reader.states().of_probe(uid, gathered::PROBE, after, until)?,
        None => Past::default(),
    };
    walk.damaged(past.damaged.len());
    walk.take(past.kept.iter().filter_map(|kept| match &kept.what {
        Recorded::Reading { state: Ok(State::Activity(activity)), every_ms, .. } => {
            Some((kept.at, &**activity, *every_ms))
        }
        _ => None,
    }));
    Ok(())
}

/// Reads the next part of what queries cost. `uids`: of the instances of the walk. False: all is read.
///
/// # Errors
/// History cannot be read.
pub fn read_spent(
    walk: &mut spent::Walk,
    reader: &mut Reader,
    uids: &[Arc<str>],
) -> Result<bool, StoreError> {
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

/// A question that is read.
pub(super) struct Reading {
    ticket: u64,
    walk: Walk,
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

    /// Reads on for a moment. Returns what there is to be told, when it is time to.
    fn go_on(&mut self, archive: &mut Archive) -> Result<Option<Answer>, StoreError> {
        let began = Instant::now();
        while began.elapsed() < AT_A_TIME && !self.walk.is_over() {
            self.walk.read_on(archive.reader()?, &self.uids)?;
            if self.took + began.elapsed() > AT_MOST {
                self.walk.out_of_time();
            }
        }
        self.took += began.elapsed();
        let is_due = self.told.elapsed() >= TELL_EVERY && self.walk.read_pct() > 0;
        if !is_due && !self.walk.is_over() {
            return Ok(None);
        }
        self.told = Instant::now();
        self.walk.told(archive.reader()?).map(Some)
    }
}

/// The questions that are read, the next one to go on with in front.
#[derive(Default)]
pub(super) struct Readings {
    open: VecDeque<Reading>,
    /// the samples of the newest question that is read, with its ticket: where a range only moves on, the next question goes on from them
    known: Option<(u64, gathered::Walk)>,
}

impl Readings {
    /// The way through samples of a range, behind what is known of it.
    pub fn samples(&mut self, instances: &[InstanceId], range: (Timestamp, Timestamp), slot_ms: i64) -> Walk {
        let known = self.known.take().map(|(_, walk)| walk);
        Walk::Samples(gathered::Walk::after(known, instances, range, slot_ms))
    }

    /// One more. Of too many the oldest gives way.
    pub fn ask(&mut self, reading: Reading, links: &Links) {
        while let Some(old) = self.in_the_way_of(&reading).and_then(|n| self.open.remove(n)) {
            links.say(Reply::NoHistory { ticket: Some(old.ticket), why: GIVES_WAY.to_owned() });
        }
        self.open.push_back(reading);
    }

    /// The place of what has to give way: samples before new ones, since the screen shows one stretch of them; or the oldest of too many.
    fn in_the_way_of(&self, new: &Reading) -> Option<usize> {
        let is_samples = |reading: &Reading| matches!(reading.walk, Walk::Samples(_));
        let replaced = self.open.iter().position(|open| is_samples(new) && is_samples(open));
        let oldest = || (0..self.open.len()).min_by_key(|n| self.open.get(*n).map(|open| open.ticket));
        replaced.or_else(|| oldest().filter(|_| self.open.len() >= MOST))
    }

    /// Nothing is left to read.
    pub fn is_over(&self) -> bool {
        self.open.is_empty()
    }

    /// Reads on for a moment, in each question in its turn.
    pub fn go_on(&mut self, archive: &mut Archive, links: &Links) {
        let Some(mut reading) = self.open.pop_front() else { return };
        let ticket = reading.ticket;
        match reading.go_on(archive) {
            Ok(told) => {
                if let Some(answer) = told {
                    links.say(Reply::Answer { ticket, answer });
                }
                if reading.walk.is_over() {
                    self.keep(reading);
                } else {
                    self.open.push_back(reading);
                }
            }
            Err(e) => {
                let why = archive.unread(e).to_string();
                links.say(Reply::NoHistory { ticket: Some(ticket), why });
            }
        }
    }

    /// Keeps what the next question may go on from.
    fn keep(&mut self, read: Reading) {
        if let Walk::Samples(walk) = read.walk
            && self.known.as_ref().is_none_or(|(ticket, _)| *ticket < read.ticket)
        {
            self.known = Some((read.ticket, walk));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::history::file::Location,
        store::history::{Engine, Options},
    };

    const TO: Timestamp = Timestamp::from_ms(1_800_000_000_000);
    const DAY_MS: i64 = 86_400_000;

    /// An empty history.
    fn archive(folder: &tempfile::TempDir) -> Archive {
        let file = folder.path().join("history.db");
        Engine::open(&file, None, Options::default()).unwrap().close().unwrap();
        Archive::new(Location::of_recording(file))
    }

    /// A day of both kinds, for which so much time was taken already.
    fn readings(took: Duration) -> [Reading; 2] {
        let ids = [InstanceId::new("a"), InstanceId::new("b")];
        let range = (TO.plus_ms(-DAY_MS), TO);
        let walks = [
            Readings::default().samples(&ids, range, DAY_MS / 48),
            Walk::Spent(spent::Walk::new(&ids, range.0, range.1)),
        ];
        let uids = || vec!["uid-a".into(), "uid-b".into()];
        walks.map(|walk| Reading { took, ..Reading::new(1, walk, uids()) })
    }

    /// How much was read when it was over, and what ended it.
    fn end(reading: &mut Reading, archive: &mut Archive) -> (Timestamp, Option<gathered::Cut>) {
        loop {
            match reading.go_on(archive).unwrap() {
                Some(answer) if answer.is_partial() => {}
                Some(Answer::Samples(gathered)) => return (gathered.begins, gathered.cut),
                Some(Answer::Spent(told)) => return (told.begins, told.cut),
                other => assert!(other.is_none(), "{other:?}"),
            }
        }
    }

    #[test]
    fn a_day_is_read_to_its_begin_and_one_that_takes_too_long_is_cut_there_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut archive = archive(&folder);
        for mut reading in readings(Duration::ZERO) {
            assert_eq!(end(&mut reading, &mut archive), (TO.plus_ms(-DAY_MS), None));
        }
        for mut reading in readings(AT_MOST) {
            let (begins, cut) = end(&mut reading, &mut archive);
            assert_eq!(cut, Some(gathered::Cut::Time));
            assert!(begins > TO.plus_ms(-DAY_MS) && begins < TO, "the newest stretch is read: {begins:?}");
        }
    }

    #[test]
    fn new_samples_replace_open_ones_and_nothing_else() {
        let mut all = Readings::default();
        for (ticket, reading) in (1..).zip(readings(Duration::ZERO)) {
            all.open.push_back(Reading { ticket, ..reading });
        }
        let [samples, spent] = readings(Duration::ZERO);
        assert_eq!(all.in_the_way_of(&samples).map(|n| all.open[n].ticket), Some(1));
        assert_eq!(all.in_the_way_of(&spent).map(|n| all.open[n].ticket), None, "there is room");
    }

    #[test]
    fn what_was_read_of_an_older_question_does_not_replace_that_of_a_newer_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut archive = archive(&folder);
        let mut all = Readings::default();
        for ticket in [9, 4] {
            let [mut samples, _] = readings(Duration::ZERO);
            samples.ticket = ticket;
            end(&mut samples, &mut archive);
            all.keep(samples);
        }
        assert_eq!(all.known.map(|(ticket, _)| ticket), Some(9));
    }
}
