//! By which time ages are judged: a step of the clock is no age. Pure; whoever deletes, expires or closes something by its age
//! feeds an [`AgeClock`] with the two clocks of the machine and compares with what it returns. `store::history` has the one
//! that deletes, `collect` the one that ends maintenance.
//!
//! # The rule
//!
//! The time that the program believes in is a *wall time that was believed, plus what the monotonic clock counted since*. The
//! first one is what the last process left in the store; without that the newest stored row; without any the wall clock.
//!
//! - A wall clock within [`LEEWAY`] of the believed time is taken as it is.
//! - One that is further ahead is *in doubt*. Ages are judged by the believed time, which goes on with the monotonic clock.
//! - One that is further behind is taken as it is, too: it makes everything younger, so nothing is lost by it.
//! - A clock that has gone evenly for [`PROBATION`] is believed, whatever it says. That time may be spread over several runs
//!   (only what was spent in doubt counts), but the last [`EVEN`] of it is one piece, within one run. Doubt that one clock
//!   earned counts for no other: a step back begins anew, and a step ahead of more than [`LEEWAY`] does, too.
//! - The next run goes on with the doubt of the last one if its clock is no earlier than that one's was, and no later by more
//!   than [`ABSENCE`]. Nothing else tells a process that was off from a clock that was set. A clock that starts behind (a
//!   machine without a battery for it) is judged by this when it steps ahead.
//! - Windows that are only *closed* by their age (readings sealed into blocks, points into roll-ups) lose nothing when it
//!   happens early: for them a clock counts that has gone evenly for [`EVEN`].
//!
//! # What follows
//!
//! - *A step ahead for seconds or hours*: nothing happens; the rows of that time stand where their clock put them. They never
//!   are what is believed, for that is a value of its own in the store.
//! - *A step back*: everything is younger than it is. Rows that the clock dates before the limit of retention go when the
//!   clock is right again: they say so themselves.
//! - *A machine that was suspended*: `up` is `CLOCK_BOOTTIME` on Linux, which counts a suspend, so the clocks agree. Elsewhere
//!   it is in doubt for [`PROBATION`].
//! - *A store that was copied* is judged by the time that its first machine believed in, until this one has gone evenly.
//! - *Weeks without a process*: the same; deletion waits six hours. One that only runs for an hour a day gets there on the
//!   sixth day; one that never runs for [`EVEN`] never does, nor one that is off for more than [`ABSENCE`] between runs of
//!   less than [`PROBATION`]: the cap of the store is their only limit.
//! - *A process that is restarted every few minutes with a wrong clock* gains what it ran, and deletes nothing.
//! - A clock that is wrong for longer than [`PROBATION`] is believed: nothing here knows better by then.
//!
//! # Everything that is judged by a time
//!
//! | who | what | by |
//! |---|---|---|
//! | `store::history` retention | deletes states, points, roll-ups, events, texts | [`Judged::ages`] |
//! | `store::history` sealing | closes blocks, chunks, roll-ups | [`Judged::windows`] |
//! | `store::history` gaps | notes that nobody collected | rows; in doubt it waits for [`Judged::windows`]; [`Judged::latest`] takes it back |
//! | `store::history` the cap | evicts the oldest rows | no clock: the order of the rows |
//! | `store::history` episodes, incidents | end, or are prolonged | the rows' times: a step splits one, and deletes nothing |
//! | `collect` maintenance | polls again when it is over | [`Judged::ages`], in memory |
//! | `collect` budget of the own cost | a window of bills | the monotonic clock |
//! | `collect` passwords, tokens | fetched again | the monotonic clock; a token's life at most as its issuer says |
//! | `model::fold` cost, rates | a window of samples | the rows' times: a step tells nothing, not a rate |
//! | `model::fold` deadlocks of the last minutes | are forgotten | the rows' times; set back, the time begins anew |
//! | `model::judge` offline, stale | age of the newest answer | the wall clock, without what a suspend or a step ahead added to it (`fold::asleep`); a step makes all be polled |
//! | `model::judge` maintenance | nothing is judged until it is over | [`Judged::ages`], as its polls (`fold::doubt`) |
//! | `model::judge` restart, warming up | so young is an instance | the wall clock; a start later than now is none |
//! | heartbeat, `status`, `healthcheck`, screens that follow | a collector hangs, starts too long, has no good poll | the monotonic clock; the wall clock for what an earlier start of the system wrote |
//! | the store's lag | the oldest thing that waits | the monotonic clock |
//! | yield lock, watch requests | an asker that is gone | the wall clock, said again every second; a file that is held is never deleted |
//! | the screen: idle lock, messages, a live plan, a journey that is given up | end, or are asked for again | the wall clock; set back, the time begins anew |
//! | plain mode: idle lock, news | ends, are told | the same |
//! | log files | the oldest daily file goes | no clock: so many files are kept |
//! | the name of a backup | two in one second | no clock: a file that is there is never replaced |
//! | `store` deleted tenants | removed for good after 30 days | [`Judged::ages`], in a program that keeps running |
//! | `store` audit log | entries older than `[audit] keep_days` are removed | [`Judged::ages`], in a program that keeps running; `dbtop audit prune` goes on from what that one left |
//! | the data key of a tenant | a warning after a year | [`Judged::ages`], as the last program that kept running left it |
//! | bookmarks | nothing expires | - |

use super::time::Timestamp;
use std::time::Duration;

/// So far from the believed time a wall clock is taken as it is: a zone set wrong, a restart, a short sleep.
pub const LEEWAY: Duration = Duration::from_hours(2);
/// A clock that goes evenly for so long is believed, whatever it says.
pub const PROBATION: Duration = Duration::from_hours(6);
/// So much of the probation is one piece: who sets a clock right after the start does so sooner.
pub const EVEN: Duration = Duration::from_mins(15);
/// No process is off for longer than this and goes on with the doubt of the last one: a weekend.
pub const ABSENCE: Duration = Duration::from_hours(72);
/// Two clocks that part by more than this since the last step make a step: ten times what they drift in that time.
const STEP: Duration = Duration::from_mins(1);

/// One instant by both clocks of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// what people call the time; may be set
    pub wall: Timestamp,
    /// since some instant that is the same for as long as this process runs; never set
    pub up: Duration,
}

/// How long ago something was, by a wall clock: one that was set back lets the time begin anew. What waits for it to pass waits
/// for no longer than twice.
pub fn passed_ms(since: &mut Timestamp, now: Timestamp) -> u64 {
    *since = now.min(*since);
    now.ms_since(*since)
}

/// By which time things are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// for what deletes and expires
    pub ages: Timestamp,
    /// for what is closed and loses nothing when it is closed early
    pub windows: Timestamp,
    /// a row that is much later than this is of a clock that went back
    pub latest: Timestamp,
    /// the wall clock is further ahead than what is believed
    pub ahead_ms: Option<u64>,
}

/// The knowledge that one process leaves to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// the time that was believed
    pub believed: Timestamp,
    /// what the wall clock said then
    pub wall: Timestamp,
    /// how long it has been in doubt without a step back
    pub doubted: Duration,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct AgeClock {
    believed: Moment,
    /// since when the clocks go alike
    even: Moment,
    newest: Moment,
    /// in doubt before that
    doubted: Duration,
    /// the last process, as long as this clock is behind that one's
    left: Option<Remembered>,
}

impl AgeClock {
    /// Goes on from what the last process left; without that, from the newest stored row.
    pub fn resume(left: Option<Remembered>, newest_row: Option<Timestamp>, now: Moment) -> Self {
        let first = newest_row.map_or(now.wall, |row| row.min(now.wall));
        let mut clock = Self {
            believed: Moment { wall: left.map_or(first, |left| left.believed), up: now.up },
            even: now,
            newest: now,
            doubted: Duration::ZERO,
            left,
        };
        clock.doubted = clock.inherit(now.wall).unwrap_or_default();
        clock
    }

    /// Takes the newest reading of the clocks.
    pub fn judge(&mut self, now: Moment) -> Judged {
        let off = now.wall - at(self.even, now.up);
        if off.unsigned_abs() > STEP.as_millis() as u64 {
            let same = (0..=ms(LEEWAY)).contains(&off);
            let doubted = if same { self.doubted() } else { Duration::ZERO };
            self.doubted = self.inherit(now.wall).unwrap_or(doubted);
            self.even = now;
        }
        self.newest = now;
        if self.doubted + self.even_for() >= PROBATION && self.even_for() >= EVEN {
            (self.believed, self.even, self.doubted, self.left) = (now, now, Duration::ZERO, None);
        }
        let believed = at(self.believed, now.up);
        if !self.is_in_doubt() {
            let latest = now.wall.max(believed);
            return Judged { ages: now.wall, windows: now.wall, latest, ahead_ms: None };
        }
        let ages = now.wall.min(believed);
        let windows = if self.even_for() >= EVEN { now.wall } else { ages };
        let ahead_ms = Some(now.wall.ms_since(believed)).filter(|ahead| *ahead > 0);
        Judged { ages, windows, latest: windows.max(believed), ahead_ms }
    }

    /// For the next process.
    pub fn remember(&self) -> Remembered {
        let believed = at(self.believed, self.newest.up);
        match self.left.filter(|left| self.newest.wall < left.wall) {
            Some(left) => Remembered { believed, ..left },
            None => Remembered { believed, wall: self.newest.wall, doubted: self.doubted() },
        }
    }

    /// The doubt of the last process, once: zero if that one had another clock. None: this clock is behind that one's, and
    /// may be set yet; or it was asked before.
    fn inherit(&mut self, wall: Timestamp) -> Option<Duration> {
        let left = self.left.filter(|left| wall.plus_ms(ms(STEP)) >= left.wall)?;
        self.left = None;
        Some(if wall - left.wall <= ms(ABSENCE) { left.doubted } else { Duration::ZERO })
    }

    fn is_in_doubt(&self) -> bool {
        let off = self.newest.wall - at(self.believed, self.newest.up);
        off.unsigned_abs() > LEEWAY.as_millis() as u64
    }

    /// How long it has been in doubt.
    fn doubted(&self) -> Duration {
        if self.is_in_doubt() { self.doubted + self.even_for() } else { Duration::ZERO }
    }

    fn even_for(&self) -> Duration {
        self.newest.up.saturating_sub(self.even.up)
    }
}

/// The time of the wall clock at `up` if it goes on evenly from `since`.
fn at(since: Moment, up: Duration) -> Timestamp {
    since.wall.plus_ms(ms(up.saturating_sub(since.up)))
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;

    /// A machine: seconds of its monotonic clock, and how far its wall clock is off.
    struct Machine {
        clock: AgeClock,
        up: i64,
        off: i64,
    }

    fn wall(second: i64) -> Timestamp {
        Timestamp::from_ms(1_790_000_000_000 + second * 1000)
    }

    impl Machine {
        fn start(left: Option<Remembered>, newest_row: Option<Timestamp>, off: i64) -> Self {
            let now = Moment { wall: wall(off), up: Duration::ZERO };
            Self { clock: AgeClock::resume(left, newest_row, now), up: 0, off }
        }

        /// Lets so many seconds pass; the ages are so many seconds after the start.
        fn run(&mut self, seconds: i64) -> (i64, i64) {
            let mut judged = None;
            for second in (0..=seconds).step_by(2) {
                let up = self.up + second;
                let now = Moment { wall: wall(up + self.off), up: Duration::from_secs(up as u64) };
                judged = Some(self.clock.judge(now));
            }
            self.up += seconds;
            let s = |at: Timestamp| (at - wall(0)) / 1000;
            judged.map_or((0, 0), |judged| (s(judged.ages), s(judged.windows)))
        }
    }

    #[test]
    fn a_clock_that_goes_evenly_is_believed_at_once() {
        let mut machine = Machine::start(None, None, 0);
        assert_eq!(machine.run(10), (10, 10));
        assert_eq!(machine.run(40 * DAY), (40 * DAY + 10, 40 * DAY + 10));
    }

    #[test]
    fn a_step_ahead_makes_nothing_old_for_six_hours() {
        for days in [20, 40] {
            let mut machine = Machine::start(None, None, 0);
            machine.run(30 * HOUR);
            machine.off = days * DAY;
            assert_eq!(machine.run(6), (30 * HOUR + 6, 30 * HOUR + 6));
            assert_eq!(machine.run(5 * HOUR).0, 35 * HOUR + 6);
            assert_eq!(machine.run(0).1, 35 * HOUR + 6 + days * DAY, "what loses nothing is closed");
            assert_eq!(machine.run(HOUR).0, 36 * HOUR + 6 + days * DAY, "it is the time by now");
            machine.off = 0;
            assert_eq!(machine.run(10).0, 36 * HOUR + 16, "and back at once");
        }
    }

    #[test]
    fn doubt_of_one_clock_counts_for_no_other() {
        // After a weekend, and nearly believed: the clock steps ahead.
        let mut machine = Machine::start(Some(left(0, 0, 0)), None, 60 * HOUR);
        machine.run(6 * HOUR - 900);
        machine.off += 40 * DAY;
        assert_eq!(machine.run(5 * HOUR).0, 11 * HOUR - 900);
        machine.run(HOUR);
        assert_eq!(machine.run(0).0, 12 * HOUR - 900 + 60 * HOUR + 40 * DAY, "six hours of its own");
        // The same between two runs: an hour a day, the sixth with another clock.
        for (ahead, trusted) in [(0, true), (20 * DAY, false)] {
            let (mut remembered, mut judged) = (left(0, 0, 0), 0);
            for day in 1..=6 {
                let off = day * DAY + if day == 6 { ahead } else { 0 };
                let mut machine = Machine::start(Some(remembered), None, off);
                judged = machine.run(HOUR).0;
                remembered = machine.clock.remember();
            }
            assert_eq!(judged > 5 * DAY, trusted, "{judged}");
        }
    }

    #[test]
    fn a_machine_whose_clock_starts_in_1970_gets_there() {
        let (mut remembered, mut judged) = (left(0, 0, 0), 0);
        for day in 1..=7 {
            let mut machine = Machine::start(Some(remembered), None, -20_000 * DAY);
            machine.run(60);
            // One day the network is gone.
            if day != 4 {
                machine.off = day * DAY;
                judged = machine.run(HOUR).0;
            }
            remembered = machine.clock.remember();
        }
        assert_eq!(judged, 7 * DAY + HOUR + 60);
        // A clock that is set to another time than that of the last run begins anew.
        let mut machine = Machine::start(Some(left(0, DAY, 5 * 3600 + 3000)), None, -20_000 * DAY);
        machine.run(60);
        machine.off = 20 * DAY;
        assert!(machine.run(2 * HOUR).0 < 3 * HOUR);
    }

    #[test]
    fn steps_to_and_fro_begin_anew_each_time() {
        let mut machine = Machine::start(None, None, 0);
        for _ in 0..20 {
            machine.off = 20 * DAY;
            assert!(machine.run(5 * HOUR).0 < 30 * DAY - 20 * DAY);
            machine.off = 0;
            machine.run(60);
        }
        // Many small steps are one large one.
        let mut machine = Machine::start(None, None, 0);
        for _ in 0..200 {
            machine.off += HOUR;
            assert!(machine.run(6).0 < 3 * HOUR);
        }
    }

    #[test]
    fn a_step_back_makes_all_younger_and_the_way_back_is_no_step() {
        let mut machine = Machine::start(None, None, 0);
        machine.run(30 * HOUR);
        machine.off = -20 * DAY;
        assert_eq!(machine.run(3 * HOUR).0, 33 * HOUR - 20 * DAY);
        machine.off = 0;
        assert_eq!(machine.run(6).0, 33 * HOUR + 6, "as it was before");
        machine.off = -20 * DAY;
        machine.run(7 * HOUR);
        machine.off = 0;
        assert_eq!(machine.run(6).0, 40 * HOUR + 12 - 20 * DAY, "after hours the other clock is the time");
    }

    #[test]
    fn an_hour_more_or_less_is_no_doubt() {
        let mut machine = Machine::start(Some(left(0, 0, 0)), Some(wall(0)), HOUR);
        assert_eq!(machine.run(6), (HOUR + 6, HOUR + 6));
        machine.off = -HOUR;
        assert_eq!(machine.run(6).0, 12 - HOUR);
    }

    fn left(believed: i64, wall_s: i64, doubted_s: u64) -> Remembered {
        Remembered { believed: wall(believed), wall: wall(wall_s), doubted: Duration::from_secs(doubted_s) }
    }

    #[test]
    fn a_process_that_starts_after_weeks_waits_hours() {
        for (left, row) in [(Some(left(0, 0, 0)), None), (None, Some(wall(0)))] {
            let mut machine = Machine::start(left, row, 30 * DAY);
            assert_eq!(machine.run(600), (600, 600));
            assert_eq!(machine.run(HOUR), (HOUR + 600, 30 * DAY + HOUR + 600));
            assert_eq!(machine.run(5 * HOUR).0, 30 * DAY + 6 * HOUR + 600);
        }
    }

    #[test]
    fn rows_of_the_future_are_no_reason_to_believe_in_it() {
        let mut machine = Machine::start(None, Some(wall(20 * DAY)), 0);
        assert_eq!(machine.run(6).0, 6);
        machine.off = 20 * DAY;
        assert_eq!(machine.run(6).0, 12);
        // Nor is a wrong clock that a process was killed with.
        let mut next =
            Machine::start(Some(machine.clock.remember()), Some(wall(20 * DAY + 12)), 20 * DAY + 14);
        assert_eq!(next.run(6).0, 18);
    }

    /// Runs of `seconds`, `gap` seconds apart, all with this clock; the run after which the ages are those of the clock.
    fn runs(off: i64, seconds: i64, gap: i64, most: usize) -> Option<usize> {
        let (mut remembered, mut start) = (left(0, 0, 0), off);
        (0..most).find(|_| {
            let mut machine = Machine::start(Some(remembered), None, start);
            let trusted = machine.run(seconds).0 == start + seconds;
            remembered = machine.clock.remember();
            start += seconds + gap;
            trusted
        })
    }

    #[test]
    fn restarts_with_a_wrong_clock_gain_nothing_and_short_runs_get_there() {
        assert_eq!(runs(20 * DAY, 300, 10, 500), None, "every five minutes, for days");
        assert_eq!(runs(20 * DAY, HOUR, 10, 500), Some(5), "six hours in all");
        assert_eq!(runs(DAY, HOUR, 23 * HOUR, 500), Some(5), "an hour a day");
        assert_eq!(runs(DAY, 23 * HOUR, HOUR, 500), Some(0), "a restart a day");
        // A clock that is set back between two runs begins anew.
        let mut machine = Machine::start(Some(left(0, 20 * DAY, 5 * 3600 + 3000)), None, 19 * DAY);
        assert!(machine.run(1200).0 < HOUR);
        let mut machine = Machine::start(Some(left(0, 20 * DAY, 5 * 3600 + 3000)), None, 20 * DAY);
        assert!(machine.run(1200).0 > 20 * DAY, "the same without that");
    }
}
