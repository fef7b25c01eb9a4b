//! Samples of one instance or of many over a longer time, as history is read for them: stretch by stretch, the newest first, each
//! stretch of all instances. So what there is not is always the oldest, of all of them alike, and sums and charts compare what can
//! be compared. The history service reads and adds, the Queries pane shows. Pure.

use super::samples::Samples;
use crate::model::{
    base::time::Timestamp,
    inventory::instance::InstanceId,
    poll::{activity::Activity, id::ProbeId},
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// The probe whose answers are samples.
pub const PROBE: ProbeId = ProbeId::Activity;

/// Slots of a range: of one instance, and of many, whose slots are added up.
const SLOTS: i64 = 120;
const SLOTS_OF_MANY: i64 = 48;
/// The shortest slot, ms.
const SLOT_MS: i64 = 60_000;
/// The longest time that is read, ms.
pub const MOST_MS: i64 = 86_400_000;
/// About the length of a stretch, ms.
const STRETCH_MS: i64 = 1_800_000;
/// What came since the last look is read as one stretch. A longer time is read anew, so that nothing is cut off at its newest end, ms.
const MOST_BEHIND_MS: i64 = 2 * STRETCH_MS;
/// The most that is told apart, in all slots of all instances: the screen adds them up within a frame.
const MOST: usize = 100_000;
/// The most bytes of statements, of all instances together.
const TEXTS: usize = 8 << 20;

/// The length of a slot, ms.
pub const fn slot_ms(length_ms: i64, instances: usize) -> i64 {
    let slot_ms = length_ms / if instances > 1 { SLOTS_OF_MANY } else { SLOTS };
    if slot_ms > SLOT_MS { slot_ms } else { SLOT_MS }
}

/// Why it does not reach back as far as it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// reading took too long
    Time,
    /// it is too much to be kept in memory
    Memory,
}

impl Cut {
    /// In words, behind "read back to 11:20".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Time => "20 s of reading at most",
            Self::Memory => "memory is bounded",
        }
    }
}

/// What was read so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// of each instance, in the order in which they were asked for
    pub of: Vec<(InstanceId, Arc<Samples>)>,
    /// all of it is known from here on
    pub begins: Timestamp,
    /// the share of what was asked for that is read, %: 100 when no more comes
    pub read_pct: u8,
    /// why no more comes, though it begins later than it was asked for
    pub cut: Option<Cut>,
    /// parts of history that could not be read: what was seen in them is missing
    pub damaged: usize,
}

/// The way through a range: which stretch is read next, and what was read of it.
#[derive(Debug)]
pub struct Walk {
    gathered: Gathered,
    slot_ms: i64,
    from: Timestamp,
    to: Timestamp,
    /// the stretch that is read
    stretch: (Timestamp, Timestamp),
    /// it lies behind what is known: the range moved on
    is_behind: bool,
    /// what was read of it, of the first instances
    pending: Vec<Samples>,
    names: HashSet<Arc<str>>,
}

impl Walk {
    /// Nothing is read yet. `to` lies on the end of a slot.
    pub fn new(instances: &[InstanceId], (from, to): (Timestamp, Timestamp), slot_ms: i64) -> Self {
        let none = || Arc::new(Samples::new(slot_ms, i64::MAX));
        let of = instances.iter().map(|id| (id.clone(), none())).collect();
        let gathered = Gathered { of, begins: to, read_pct: 0, cut: None, damaged: 0 };
        let mut walk = Self {
            gathered,
            slot_ms: slot_ms.max(1),
            from,
            to,
            stretch: (to, to),
            is_behind: false,
            pending: Vec::new(),
            names: HashSet::new(),
        };
        walk.next_stretch();
        walk
    }

    /// The way through a range behind another walk. What that one knows of it stays, if it is about the same instances and the range
    /// only moved on: its last two slots were read too early and are read again, and what is new.
    pub fn after(
        before: Option<Self>,
        instances: &[InstanceId],
        (from, to): (Timestamp, Timestamp),
        slot_ms: i64,
    ) -> Self {
        let Some(known) = before.filter(|known| known.reaches_into(instances, (from, to), slot_ms)) else {
            return Self::new(instances, (from, to), slot_ms);
        };
        let known_to = known.behind();
        let begins = known.gathered.begins.max(from);
        let mut next = Self::new(instances, (known_to, to), slot_ms);
        next.names = known.names;
        for ((_, new), (_, mut old)) in next.gathered.of.iter_mut().zip(known.gathered.of) {
            Arc::make_mut(&mut old).keep_between(begins, known_to);
            *new = old;
        }
        next.gathered.begins = begins;
        next.gathered.cut = known.gathered.cut.filter(|_| begins > from);
        next.gathered.damaged = known.gathered.damaged;
        next.from = from;
        next.stretch = (known_to, to);
        next.is_behind = true;
        next
    }

    fn reaches_into(
        &self,
        instances: &[InstanceId],
        (from, to): (Timestamp, Timestamp),
        slot_ms: i64,
    ) -> bool {
        slot_ms == self.slot_ms
            && self.is_over()
            && to >= self.to
            && to - self.behind() <= MOST_BEHIND_MS.max(4 * slot_ms)
            && to - from == self.to - self.from
            && self.behind() > from.max(self.gathered.begins)
            && self.gathered.of.iter().map(|(id, _)| id).eq(instances)
    }

    /// From here on it was read too early.
    const fn behind(&self) -> Timestamp {
        self.to.plus_ms(-2 * self.slot_ms)
    }

    /// The next thing to read: the instance with this number, later than the first instant and up to the second. None: all is read.
    pub fn wanted(&self) -> Option<(usize, Timestamp, Timestamp)> {
        let (from, to) = self.stretch;
        // A slot begins with its first millisecond.
        (!self.is_over()).then(|| (self.pending.len(), from.plus_ms(-1), to.plus_ms(-1)))
    }

    /// What was read of that: polls in the order of time, with the interval, ms.
    pub fn take<'a>(&mut self, polls: impl Iterator<Item = (Timestamp, &'a Activity, u32)>) {
        let mut samples = Samples::new(self.slot_ms, i64::MAX);
        for (at, activity, every_ms) in polls {
            samples.add(at, activity, every_ms);
        }
        let names = &mut self.names;
        samples.each_name_mut(&mut |name| match names.get(&**name) {
            Some(known) => *name = Arc::clone(known),
            None => {
                names.insert(Arc::clone(name));
            }
        });
        self.pending.push(samples);
        if self.pending.len() >= self.gathered.of.len() {
            self.end_stretch();
        }
    }

    /// So many parts of what was read last are damaged.
    pub const fn damaged(&mut self, parts: usize) {
        self.gathered.damaged += parts;
    }

    /// Reading takes too long. The newest stretch is always read, one behind what is known, too.
    pub fn out_of_time(&mut self) {
        if self.gathered.begins < self.to && !self.is_behind && !self.is_over() {
            self.cut(Cut::Time);
        }
    }

    /// No more comes.
    pub const fn is_over(&self) -> bool {
        self.gathered.read_pct >= 100
    }

    /// What was read so far, of whole stretches.
    pub const fn gathered(&self) -> &Gathered {
        &self.gathered
    }

    fn cut(&mut self, why: Cut) {
        self.pending.clear();
        self.gathered.cut = Some(why);
        self.gathered.read_pct = 100;
    }

    fn end_stretch(&mut self) {
        let (from, _) = self.stretch;
        let texts: usize = self.gathered.of.iter().map(|(_, samples)| samples.text_bytes()).sum();
        let mut room = TEXTS.saturating_sub(texts);
        for ((_, all), mut read) in self.gathered.of.iter_mut().zip(self.pending.drain(..)) {
            if self.is_behind && read.text_bytes() > room {
                // The newer statements are of more use.
                room += all.text_bytes();
                Arc::make_mut(all).forget_statements();
            }
            if read.text_bytes() > room {
                read.forget_statements();
            }
            room = room.saturating_sub(read.text_bytes());
            let all = Arc::make_mut(all);
            if self.is_behind {
                let known = std::mem::replace(all, read);
                all.put_before(known);
            } else {
                all.put_before(read);
            }
        }
        self.gathered.begins = self.gathered.begins.min(from);
        let seen: usize = self.gathered.of.iter().map(|(_, samples)| samples.len()).sum();
        if self.is_behind {
            self.forget_oldest(seen);
        }
        if self.is_behind || self.gathered.begins <= self.from {
            self.gathered.read_pct = 100;
        } else if seen > MOST {
            self.cut(Cut::Memory);
        } else {
            let read = (self.to - self.gathered.begins) * 100 / (self.to - self.from).max(1);
            self.gathered.read_pct = read.clamp(0, 99) as u8;
            self.next_stretch();
        }
    }

    /// Forgets the oldest slots of all, until as much is left as there may be.
    fn forget_oldest(&mut self, mut seen: usize) {
        let mut slots: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for slot in self.gathered.of.iter().flat_map(|(_, samples)| samples.slots()) {
            *slots.entry(slot.from).or_default() += slot.seen.len();
        }
        for (from, of_slot) in slots {
            if seen <= MOST {
                break;
            }
            seen -= of_slot;
            self.gathered.begins = from.plus_ms(self.slot_ms);
            self.gathered.cut = Some(Cut::Memory);
        }
        let begins = self.gathered.begins;
        for (_, samples) in &mut self.gathered.of {
            if samples.slots().next().is_some_and(|slot| slot.from < begins) {
                Arc::make_mut(samples).keep_between(begins, self.to);
            }
        }
    }

    fn next_stretch(&mut self) {
        let to = self.gathered.begins;
        let slots = (STRETCH_MS / self.slot_ms).max(1);
        self.stretch = (to.plus_ms(-slots * self.slot_ms).max(self.from), to);
        if self.gathered.of.is_empty() || to <= self.from {
            self.gathered.read_pct = 100;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{poll::activity::Request, timeline::samples::add_up};

    const HOUR_MS: i64 = 3_600_000;
    const TO: Timestamp = Timestamp::from_ms(1_800_000 * 1_000_000);

    fn ids(n: usize) -> Vec<InstanceId> {
        (0..n).map(|n| InstanceId::new(format!("sql-{n}"))).collect()
    }

    fn poll(n: usize) -> Activity {
        let request = |n: usize| Request {
            command: Some("SELECT".into()),
            query_hash: Some(n as u64),
            login: Some("web".into()),
            ..Request::default()
        };
        Activity { requests: (0..n).map(request).collect(), ..Activity::default() }
    }

    /// Reads `steps` of it: a poll a minute, each with so many at work.
    fn read(walk: &mut Walk, steps: usize, at_work: usize) -> Vec<(usize, i64)> {
        let mut asked = Vec::new();
        for _ in 0..steps {
            let Some((instance, after, until)) = walk.wanted() else { break };
            asked.push((instance, (TO - until) / 60_000));
            let activity = poll(at_work);
            let first = after.ms().div_euclid(60_000) + 1;
            let times =
                (first..).map(|minute| Timestamp::from_ms(minute * 60_000)).take_while(|at| *at <= until);
            walk.take(times.map(|at| (at, &activity, 60_000)));
        }
        asked
    }

    fn covered(walk: &Walk) -> Vec<u64> {
        let ever = (Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX / 4));
        let of = |samples: &Arc<Samples>| {
            add_up([(0, &**samples)].into_iter(), ever, |_, _| "all".into()).covered_ms
        };
        walk.gathered().of.iter().map(|(_, samples)| of(samples)).collect()
    }

    fn is_in_order(walk: &Walk) -> bool {
        walk.gathered().of.iter().all(|(_, samples)| {
            let times: Vec<i64> = samples.slots().map(|slot| slot.from.ms()).collect();
            times.windows(2).all(|pair| pair[0] < pair[1])
        })
    }

    #[test]
    fn the_newest_stretch_of_all_comes_before_an_older_one_of_any() {
        let slot = slot_ms(3 * HOUR_MS, 2);
        assert_eq!((slot, slot_ms(3 * HOUR_MS, 1), slot_ms(HOUR_MS, 1)), (225_000, 90_000, 60_000));
        let mut walk = Walk::new(&ids(2), (TO.plus_ms(-3 * HOUR_MS), TO), slot);
        assert_eq!(read(&mut walk, 3, 1), [(0, 0), (1, 0), (0, 30)]);
        // Half of a stretch is not told.
        assert_eq!((walk.gathered().begins, walk.gathered().read_pct), (TO.plus_ms(-HOUR_MS / 2), 16));
        assert_eq!(covered(&walk), [1_800_000, 1_800_000]);
        read(&mut walk, 100, 1);
        assert!(walk.is_over() && walk.wanted().is_none() && walk.gathered().cut.is_none());
        assert_eq!((walk.gathered().begins, covered(&walk)), (TO.plus_ms(-3 * HOUR_MS), vec![10_800_000; 2]));
        assert!(is_in_order(&walk));
    }

    #[test]
    fn what_takes_too_long_is_cut_at_the_oldest_end_and_said() {
        let mut walk = Walk::new(&ids(3), (TO.plus_ms(-24 * HOUR_MS), TO), slot_ms(24 * HOUR_MS, 3));
        walk.out_of_time();
        assert!(!walk.is_over(), "the newest stretch is read all the same");
        read(&mut walk, 7, 1);
        walk.out_of_time();
        assert_eq!(walk.gathered().cut, Some(Cut::Time));
        assert_eq!((walk.gathered().begins, walk.wanted()), (TO.plus_ms(-HOUR_MS), None));
        assert_eq!(covered(&walk), [3_600_000; 3]);
    }

    #[test]
    fn what_does_not_fit_in_memory_is_cut_and_said() {
        let mut walk = Walk::new(&ids(60), (TO.plus_ms(-24 * HOUR_MS), TO), slot_ms(24 * HOUR_MS, 60));
        read(&mut walk, 60 * 48, 100);
        assert_eq!((walk.gathered().cut, walk.is_over()), (Some(Cut::Memory), true));
        let seen: usize = walk.gathered().of.iter().map(|(_, samples)| samples.len()).sum();
        assert!(seen <= MOST + 60 * 100, "{seen}");
    }

    #[test]
    fn names_are_shared_over_all() {
        let mut walk = Walk::new(&ids(2), (TO.plus_ms(-HOUR_MS), TO), 60_000);
        read(&mut walk, 100, 1);
        let logins = |n: usize| {
            let samples = &walk.gathered().of[n].1;
            samples
                .slots()
                .flat_map(|slot| &slot.seen)
                .map(|seen| seen.who.login.clone().unwrap())
                .collect::<Vec<_>>()
        };
        assert!(logins(0).iter().chain(&logins(1)).all(|login| Arc::ptr_eq(login, &logins(0)[0])));
    }

    #[test]
    fn a_range_that_moves_on_reads_what_is_new() {
        let (from, slot) = (TO.plus_ms(-3 * HOUR_MS), slot_ms(3 * HOUR_MS, 2));
        let moved = |by: i64| (from.plus_ms(by), TO.plus_ms(by));
        let known = || {
            let mut walk = Walk::new(&ids(2), moved(0), slot);
            read(&mut walk, 100, 1);
            Some(walk)
        };
        let mut walk = Walk::after(known(), &ids(2), moved(slot), slot);
        assert_eq!(walk.wanted().unwrap().1, TO.plus_ms(-2 * slot - 1), "its last slots were read too early");
        assert_eq!(read(&mut walk, 100, 1).len(), 2, "one stretch of each");
        assert!(walk.is_over() && is_in_order(&walk));
        assert_eq!((walk.gathered().begins, walk.gathered().cut), (from.plus_ms(slot), None));
        assert_eq!(covered(&walk), [10_800_000; 2], "each minute once");
        // Others, another length, and a range that is far off begin anew.
        let begins = |walk: &Walk| walk.gathered().begins == walk.to;
        assert!(begins(&Walk::after(known(), &ids(3), moved(slot), slot)));
        assert!(begins(&Walk::after(known(), &ids(2), (from, TO.plus_ms(slot)), slot)));
        assert!(begins(&Walk::after(known(), &ids(2), moved(9 * HOUR_MS), slot)));
        assert!(begins(&Walk::after(None, &ids(2), moved(0), slot)));
    }

    #[test]
    fn what_came_while_nobody_looked_is_never_cut_off() {
        let (from, slot) = (TO.plus_ms(-24 * HOUR_MS), slot_ms(24 * HOUR_MS, 2));
        let known = || {
            let mut walk = Walk::new(&ids(2), (from, TO), slot);
            read(&mut walk, 200, 1);
            Some(walk)
        };
        let later = |ms: i64| (from.plus_ms(ms), TO.plus_ms(ms));
        // A short time behind is one stretch, and is read whatever it takes.
        let mut walk = Walk::after(known(), &ids(2), later(slot), slot);
        read(&mut walk, 1, 1);
        walk.out_of_time();
        assert!(!walk.is_over(), "half of the newest stretch is read");
        read(&mut walk, 1, 1);
        assert!(walk.is_over() && walk.gathered().cut.is_none());
        assert_eq!(covered(&walk), [24 * 3_600_000; 2]);
        // Eight hours later it begins anew, at the newest end.
        let mut walk = Walk::after(known(), &ids(2), later(8 * HOUR_MS), slot);
        read(&mut walk, 2, 1);
        walk.out_of_time();
        assert_eq!(
            (walk.gathered().cut, walk.gathered().begins),
            (Some(Cut::Time), TO.plus_ms(8 * HOUR_MS - slot))
        );
    }

    #[test]
    fn a_range_that_moves_on_for_long_keeps_to_its_memory() {
        let (from, slot) = (TO.plus_ms(-24 * HOUR_MS), slot_ms(24 * HOUR_MS, 60));
        let mut walk = Walk::new(&ids(60), (from, TO), slot);
        read(&mut walk, 60 * 48, 100);
        let seen =
            |walk: &Walk| -> usize { walk.gathered().of.iter().map(|(_, samples)| samples.len()).sum() };
        for n in 1..=6 {
            let range = (from.plus_ms(n * slot), TO.plus_ms(n * slot));
            walk = Walk::after(Some(walk), &ids(60), range, slot);
            read(&mut walk, 60, 100);
        }
        assert!(walk.is_over() && is_in_order(&walk) && seen(&walk) <= MOST, "{}", seen(&walk));
        assert_eq!(walk.gathered().cut, Some(Cut::Memory));
        let newest = walk.gathered().of[0].1.slots().last().unwrap().from;
        assert_eq!(newest, TO.plus_ms(5 * slot), "the newest is there");
        assert!(walk.gathered().begins > TO.plus_ms(-24 * HOUR_MS));
    }

    #[test]
    fn nobody_is_nothing_to_read() {
        let walk = Walk::new(&[], (TO.plus_ms(-HOUR_MS), TO), 60_000);
        assert!(walk.is_over() && walk.wanted().is_none());
    }
}
