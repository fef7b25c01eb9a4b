//! When each probe of one instance is due. Pure: time and chance are arguments. Owned by the instance's task, which
//! polls one round after another, so a probe never runs twice at once; what could not start in time is skipped and
//! counted, never made up for.
//!
//! The fast tier is the heartbeat: it decides when a round is, everything else takes part in the round that is nearest
//! to its own due time. So an instance is asked in as few round trips as its fastest interval allows.

use super::{
    focus::Focus,
    settings::{Settings, is_off},
};
use crate::{
    model::{
        inventory::record::PollSettings,
        poll::{
            cost::{Slowed, Tier},
            id::ProbeId,
        },
    },
    probe::{Lane, descriptor::Start, probe},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A sample older than this makes no rate with the next one (see `model::fold::rate`), so warming up starts again.
const COLD_AFTER: Duration = Duration::from_mins(5);

/// Who goes from one instance to the next and back does not have it asked anew each time.
const LOOKED_AT_AGAIN: Duration = Duration::from_mins(2);

fn is_fast(id: ProbeId) -> bool {
    probe(id).tier == Tier::Fast
}

/// Its first figures are worth no haste where no screen is: it is dear, and its counters are kept by the server.
fn is_patient(id: ProbeId, settings: &Settings) -> bool {
    let probe = probe(id);
    !settings.charts && probe.rate && probe.tier == Tier::Slow
}

/// It goes over the on-demand lane.
pub(super) fn is_heavy(id: ProbeId) -> bool {
    probe(id).lane == Lane::OnDemand
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    probe: ProbeId,
    due: Instant,
    /// end of its last poll
    last: Option<Instant>,
    every_ms: u32,
    /// polls since it was cold
    polls: u32,
    /// when it would be due, had nobody asked for it at once
    planned: Option<Instant>,
}

/// The time-table of one instance.
#[derive(Debug)]
pub struct Schedule {
    slots: [Slot; ProbeId::ALL.len()],
    focus: Focus,
    /// what the instance's own settings say
    poll: Arc<PollSettings>,
    /// what costs too much
    slowed: Slowed,
}

impl Schedule {
    /// Everything is due when the instance connects.
    pub fn new(settings: &Settings, poll: Arc<PollSettings>, now: Instant) -> Self {
        let slots = ProbeId::ALL.map(|probe| Slot {
            probe,
            due: now,
            last: None,
            every_ms: settings.every_ms(&poll, probe, false),
            polls: 0,
            planned: None,
        });
        Self { slots, focus: Focus::Fleet, poll, slowed: Slowed::default() }
    }

    /// A new connection after none or a failed one: the fast tier and what tells about the server at once, the rest
    /// right behind it. What goes over the on-demand lane comes at first anywhere within its interval (`chance`, from 0 to 1)
    /// unless the instance is on the screen: a fleet that starts would need a second connection to each at once.
    pub fn connected(&mut self, settings: &Settings, now: Instant, chance: f64) {
        let fast_ms = self.every_ms(ProbeId::Headline);
        for slot in &mut self.slots {
            let first = is_fast(slot.probe) || probe(slot.probe).start == Start::AtOnce;
            if slot.last.is_none_or(|last| now - last > COLD_AFTER) {
                slot.polls = 0;
            }
            slot.due = match slot.last {
                _ if first => now,
                None if is_heavy(slot.probe) && !self.focus.is_on_screen() => {
                    // What is read when there is news is read seldom: its first reading may come with the first rounds.
                    let every_ms = if probe(slot.probe).worth.ages() {
                        slot.every_ms
                    } else {
                        slot.every_ms.min(fast_ms)
                    };
                    let every = Duration::from_millis(every_ms.into());
                    now + settings.warm_up.max(every.mul_f64(chance.clamp(0.0, 1.0)))
                }
                // A collector that starts would ask the whole fleet twice at once.
                None if is_patient(slot.probe, settings) && !self.focus.is_close() => {
                    let every = Duration::from_millis(slot.every_ms.into());
                    now + settings.warm_up.max(every.mul_f64(chance.clamp(0.0, 1.0)))
                }
                None => now + settings.warm_up,
                // A probe that is not asked anew keeps its time.
                Some(_) => slot.due.max(now + settings.warm_up),
            };
        }
    }

    /// The probes to poll now; empty if it is not yet time for a round.
    pub fn due(&self, now: Instant) -> Vec<ProbeId> {
        if self.next() > now {
            return self.first_over_lane().filter(|slot| slot.due <= now).map(|slot| slot.probe).collect();
        }
        let half = Duration::from_millis(u64::from(self.every_ms(ProbeId::Headline)) / 2);
        // A probe that was never asked has a reason to wait.
        let nearest = |s: &&Slot| {
            !is_off(&self.poll, s.probe) && s.due <= now + if s.polls == 0 { Duration::ZERO } else { half }
        };
        self.slots.iter().filter(nearest).map(|s| s.probe).collect()
    }

    /// What goes over the on-demand lane and was never asked: it needs no round to begin.
    fn first_over_lane(&self) -> impl Iterator<Item = &Slot> {
        self.slots
            .iter()
            .filter(|slot| is_heavy(slot.probe) && slot.last.is_none() && !is_off(&self.poll, slot.probe))
    }

    /// What was never asked and comes later than the next round, with how long it is until then.
    pub fn to_come(&self, now: Instant) -> Vec<(ProbeId, Duration)> {
        let next = self.next().max(now);
        let later = self.first_over_lane().filter(|slot| slot.due > next);
        later.map(|slot| (slot.probe, slot.due.saturating_duration_since(now))).collect()
    }

    /// When there is something to do: the next round, or what is handed to the on-demand lane before it.
    pub fn wake(&self) -> Instant {
        self.first_over_lane().map(|slot| slot.due).fold(self.next(), Ord::min)
    }

    /// These are looked at again in the next round.
    pub fn wait_for_round(&mut self, probes: &[ProbeId]) {
        let round = self.next();
        for slot in self.slots.iter_mut().filter(|slot| probes.contains(&slot.probe)) {
            slot.due = slot.due.max(round);
        }
    }

    /// When the next round is.
    pub fn next(&self) -> Instant {
        let fast = self.slots.iter().filter(|s| is_fast(s.probe) && !is_off(&self.poll, s.probe));
        // There always are fast probes; the fallback is what `now` would be.
        fast.map(|s| s.due).min().unwrap_or_else(Instant::now)
    }

    /// A round is over. Each polled probe is due again an interval after it was due (`jitter` moves it by up to a
    /// tenth; from 0 to 1); intervals that went by meanwhile are skipped. Returns how many.
    pub fn done(&mut self, polled: &[ProbeId], settings: &Settings, now: Instant, jitter: f64) -> u64 {
        let fast = Duration::from_millis(self.every_ms(ProbeId::Headline).into());
        let mut skipped = 0;
        for slot in self.slots.iter_mut().filter(|s| polled.contains(&s.probe)) {
            slot.polls = slot.polls.saturating_add(1);
            slot.last = Some(now);
            let every = Duration::from_millis(slot.every_ms.into());
            let chance = jitter.clamp(0.0, 1.0);
            let is_hasty = self.focus.is_close() || !is_patient(slot.probe, settings);
            let step = match (slot.polls, probe(slot.probe).rate) {
                (1, true) if is_hasty => settings.warm_up.min(every),
                // After the start anywhere within an interval, so that what started together spreads out; the details
                // with the fast tier, so that they ride along.
                (1, _) | (2, true) => match probe(slot.probe).tier {
                    Tier::Fast | Tier::Detail => every.min(fast).mul_f64(0.3 + 0.7 * chance),
                    Tier::Slow => every.mul_f64(0.3 + 0.7 * chance),
                    Tier::Identity => every,
                },
                _ => every.mul_f64(0.9 + 0.2 * chance),
            };
            let late = now.saturating_duration_since(slot.due);
            let missed = (late.as_millis() / every.as_millis().max(1)) as u64;
            skipped += missed;
            let planned = slot.due.min(now) + step;
            slot.due = match slot.planned.take() {
                Some(as_before) if as_before > now + every / 3 && as_before <= now + step => as_before,
                Some(as_before) if as_before > now && as_before <= now + step => as_before + every,
                _ if missed > 0 || planned <= now => now + step,
                _ => planned,
            };
        }
        skipped
    }

    /// Somebody looks more closely, or less. Returns the probes whose interval changed, with the new one.
    pub fn focus(&mut self, focus: Focus, settings: &Settings, now: Instant) -> Vec<(ProbeId, u32)> {
        self.focus = focus;
        let changed = self.pace(settings, now);
        // Somebody looks, and nothing is known of it yet, or less than is told on the screen.
        let is_little = |slot: &&mut Slot| {
            let is_old = |last| now - last > LOOKED_AT_AGAIN;
            let tells_more = changed.iter().any(|(probe, _)| *probe == slot.probe);
            focus.is_on_screen()
                && is_heavy(slot.probe)
                && slot.last.is_none_or(|last| tells_more && is_old(last))
        };
        for slot in self.slots.iter_mut().filter(is_little) {
            slot.due = now;
        }
        // They were in no haste until now.
        let needs_two =
            |slot: &&mut Slot| focus.is_close() && slot.polls < 2 && is_patient(slot.probe, settings);
        for slot in self.slots.iter_mut().filter(needs_two) {
            slot.due = now;
        }
        changed
    }

    /// Other probes cost too much now. Returns the probes whose interval changed, with the new one.
    pub fn slow(&mut self, slowed: Slowed, settings: &Settings, now: Instant) -> Vec<(ProbeId, u32)> {
        self.slowed = slowed;
        self.pace(settings, now)
    }

    /// The instance's own settings changed. Returns the probes whose interval changed, with the new one.
    pub fn take_poll(
        &mut self,
        poll: Arc<PollSettings>,
        settings: &Settings,
        now: Instant,
    ) -> Vec<(ProbeId, u32)> {
        for slot in &mut self.slots {
            if is_off(&self.poll, slot.probe) && !is_off(&poll, slot.probe) {
                slot.due = now;
            }
        }
        self.poll = poll;
        self.pace(settings, now)
    }

    /// The collector's settings changed. Returns the probes whose interval changed, with the new one. A probe that is due at
    /// once by it comes somewhere within the new interval (`chance`, from 0 to 1): the whole fleet changes in one moment.
    pub fn take_settings(&mut self, settings: &Settings, now: Instant, chance: f64) -> Vec<(ProbeId, u32)> {
        let changed = self.pace(settings, now);
        for slot in self.slots.iter_mut().filter(|slot| changed.iter().any(|(probe, _)| *probe == slot.probe))
        {
            if slot.due <= now {
                slot.due = now + Duration::from_millis(slot.every_ms.into()).mul_f64(chance.clamp(0.0, 1.0));
            }
        }
        changed
    }

    fn pace(&mut self, settings: &Settings, now: Instant) -> Vec<(ProbeId, u32)> {
        let mut changed = Vec::new();
        for slot in &mut self.slots {
            let focused =
                if is_heavy(slot.probe) { self.focus.is_on_screen() } else { self.focus.is_close() };
            let every_ms = settings.slowed_every_ms(&self.poll, slot.probe, focused, self.slowed);
            if every_ms == slot.every_ms {
                continue;
            }
            slot.every_ms = every_ms;
            let every = Duration::from_millis(every_ms.into());
            slot.due = match slot.last {
                Some(last) => (last + every).max(now),
                // Another pace is no reason to wait longer for the first answer.
                None => slot.due.min(now + every),
            };
            changed.push((slot.probe, every_ms));
        }
        changed
    }

    /// After a pause or a reconnect: what became due meanwhile is due at `at`, and was not missed.
    pub fn resume(&mut self, at: Instant) {
        for slot in &mut self.slots {
            slot.due = slot.due.max(at);
        }
    }

    /// Everything is due now; the next time is when it would have been, so that a fleet does not march in step afterwards.
    pub fn refresh(&mut self, now: Instant) {
        for slot in self.slots.iter_mut().filter(|slot| slot.due > now) {
            slot.planned = Some(slot.due);
            slot.due = now;
        }
    }

    /// The probes that the instance's own settings switch off.
    pub fn off(&self) -> impl Iterator<Item = ProbeId> {
        ProbeId::ALL.into_iter().filter(|probe| is_off(&self.poll, *probe))
    }

    /// The interval of a probe now, ms.
    pub fn every_ms(&self, probe: ProbeId) -> u32 {
        self.slots.iter().find(|s| s.probe == probe).map_or(0, |s| s.every_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> (Settings, Instant, Schedule) {
        let (settings, now) = (Settings::default(), Instant::now());
        let mut schedule = Schedule::new(&settings, Arc::default(), now);
        schedule.connected(&settings, now, 0.5);
        (settings, now, schedule)
    }

    /// Plays `rounds` rounds that take no time; the times of each, s after the start, with their probes.
    fn play(rounds: usize, focused: bool, jitter: f64) -> Vec<(f64, Vec<ProbeId>)> {
        let (settings, now, mut schedule) = start();
        schedule.focus(if focused { Focus::OnScreen } else { Focus::Fleet }, &settings, now);
        (0..rounds)
            .map(|_| {
                let at = schedule.next().max(now);
                let due = schedule.due(at);
                schedule.done(&due, &settings, at, jitter);
                ((at - now).as_secs_f64(), due)
            })
            .collect()
    }

    #[test]
    fn the_first_round_tells_what_the_screen_needs_and_the_second_makes_rates() {
        let rounds = play(2, false, 0.5);
        let (at, first) = &rounds[0];
        assert!(*at < 0.001, "{at}");
        for probe in
            [ProbeId::Rights, ProbeId::Properties, ProbeId::Headline, ProbeId::Activity, ProbeId::Blocking]
        {
            assert!(first.contains(&probe), "{probe:?} in {first:?}");
        }
        assert!(!first.contains(&ProbeId::Volumes), "slow ones wait");
        let (at, second) = &rounds[1];
        assert!((*at - 1.5).abs() < 0.001, "{at}");
        assert!(second.contains(&ProbeId::Headline) && second.contains(&ProbeId::Waits), "{second:?}");
    }

    #[test]
    fn what_needs_a_second_connection_is_spread_over_its_interval_and_asked_at_once_on_the_screen() {
        let (settings, now) = (Settings::default(), Instant::now());
        for chance in [0.25, 0.5, 1.0] {
            let mut schedule = Schedule::new(&settings, Arc::default(), now);
            schedule.connected(&settings, now, chance);
            let every = Duration::from_millis(schedule.every_ms(ProbeId::Growths).into());
            let is_due = |schedule: &Schedule, at| {
                let due = schedule.due(at);
                due.contains(&ProbeId::Growths) && due.contains(&ProbeId::QueryStore)
            };
            assert!(!is_due(&schedule, now + every.mul_f64(chance - 0.01)), "{chance}");
            assert!(is_due(&schedule, now + every.mul_f64(chance + 0.01)), "{chance}");
            schedule.focus(Focus::OnScreen, &settings, now);
            assert!(is_due(&schedule, schedule.next()), "somebody looks");
        }
    }

    #[test]
    fn without_a_screen_queries_and_modules_begin_anywhere_within_their_interval_and_at_once_for_who_looks() {
        let (headless, now) = (Settings { charts: false, ..Settings::default() }, Instant::now());
        let slow = [ProbeId::Queries, ProbeId::Modules];
        let mut schedule = Schedule::new(&headless, Arc::default(), now);
        schedule.connected(&headless, now, 0.5);
        let every = Duration::from_millis(schedule.every_ms(slow[0]).into());
        let asked = |schedule: &Schedule, at| slow.map(|id| schedule.due(at).contains(&id));
        assert_eq!(asked(&schedule, now + every.mul_f64(0.49)), [false; 2]);
        let first = now + every.mul_f64(0.51);
        assert_eq!(asked(&schedule, first), [true; 2]);
        schedule.done(&slow, &headless, first, 0.5);
        assert_eq!(asked(&schedule, first + Duration::from_mins(1)), [false; 2], "no second one at once");
        schedule.focus(Focus::OnScreen, &headless, first);
        assert_eq!(asked(&schedule, first), [true; 2], "somebody looks");
        let (settings, now, schedule) = start();
        assert_eq!(
            asked(&schedule, now + settings.warm_up),
            [true; 2],
            "on a screen it is a matter of seconds"
        );
    }

    #[test]
    fn who_comes_on_the_screen_before_the_details_were_asked_waits_no_longer_for_them() {
        let (settings, now, mut schedule) = start();
        schedule.focus(Focus::OnScreen, &settings, now);
        let details = [ProbeId::Waits, ProbeId::Memory, ProbeId::Availability, ProbeId::Files];
        let at = now + Duration::from_secs(3);
        assert!(details.iter().all(|probe| schedule.due(at).contains(probe)), "{:?}", schedule.due(at));
    }

    #[test]
    fn a_fleet_instance_is_polled_every_half_minute_in_one_round() {
        let rounds = play(40, false, 0.5);
        let fast: Vec<_> = rounds.iter().filter(|(_, p)| p.contains(&ProbeId::Headline)).collect();
        for pair in fast.windows(2).skip(2) {
            let gap = pair[1].0 - pair[0].0;
            assert!((26.0..=33.0).contains(&gap), "{gap} between headlines");
            assert!(pair[1].1.contains(&ProbeId::Activity) && pair[1].1.contains(&ProbeId::Blocking));
        }
        let until = rounds[39].0;
        assert!(
            rounds.len() as f64 <= until / 30.0 * 1.5,
            "details ride along: {} rounds in {until} s",
            rounds.len()
        );
    }

    #[test]
    fn a_focused_instance_is_polled_every_two_seconds() {
        let rounds = play(60, true, 0.5);
        let fast: Vec<f64> =
            rounds.iter().filter(|(_, p)| p.contains(&ProbeId::Headline)).map(|(at, _)| *at).collect();
        let span = fast[fast.len() - 1] - fast[3];
        let mean = span / (fast.len() - 4) as f64;
        assert!((1.7..=2.2).contains(&mean), "{mean}");
    }

    #[test]
    fn jitter_moves_a_poll_by_a_tenth_at_most() {
        for (jitter, expected_ms) in [(0.0, 27_000), (1.0, 33_000)] {
            let (settings, mut at, mut schedule) = start();
            let mut steps = Vec::new();
            for _ in 0..6 {
                schedule.done(&[ProbeId::Headline], &settings, at, jitter);
                let next = schedule.slots.iter().find(|s| s.probe == ProbeId::Headline).unwrap().due;
                steps.push((next - at).as_millis());
                at = next;
            }
            assert_eq!(steps[0], 1_500, "the second one comes early");
            assert!(steps[2..].iter().all(|s| *s == expected_ms), "{steps:?}");
        }
    }

    #[test]
    fn late_polls_are_skipped_and_counted() {
        let (settings, now, mut schedule) = start();
        let mut at = now;
        for _ in 0..4 {
            let due = schedule.due(at);
            schedule.done(&due, &settings, at, 0.5);
            at = schedule.next();
        }
        let fast = [ProbeId::Headline, ProbeId::Activity, ProbeId::Blocking];
        let late = at + Duration::from_secs(95);
        assert_eq!(schedule.done(&fast, &settings, late, 0.5), 9, "three intervals of three probes went by");
        assert!(
            schedule.slots.iter().filter(|s| fast.contains(&s.probe)).all(|s| s.due > late),
            "no catching up"
        );
    }

    #[test]
    fn leaving_the_screen_slows_down_and_coming_back_is_at_once() {
        let (settings, now, mut schedule) = start();
        let due = schedule.due(now);
        schedule.done(&due, &settings, now, 0.5);
        let at = now + Duration::from_secs(10);
        let changed = schedule.focus(Focus::OnScreen, &settings, at);
        assert!(changed.contains(&(ProbeId::Headline, 2_000)));
        assert!(schedule.due(at).contains(&ProbeId::Headline));
        let due = schedule.due(at);
        schedule.done(&due, &settings, at, 0.5);
        schedule.focus(Focus::Fleet, &settings, at);
        assert!(!schedule.due(at + Duration::from_secs(20)).contains(&ProbeId::Headline));
        assert!(schedule.focus(Focus::Fleet, &settings, at).is_empty(), "nothing changed");
    }

    #[test]
    fn what_is_recorded_is_polled_fast_and_its_slow_probes_come_no_sooner() {
        let (settings, now, mut schedule) = start();
        let due = schedule.due(now);
        schedule.done(&due, &settings, now, 0.5);
        let slow = |changed: &[(ProbeId, u32)]| changed.iter().filter(|(id, _)| is_heavy(*id)).count();
        let at = now + Duration::from_mins(5);
        let changed = schedule.focus(Focus::Recorded, &settings, at);
        assert!(changed.contains(&(ProbeId::Headline, 2_000)));
        assert_eq!(slow(&changed), 0);
        let due = schedule.due(at);
        let seldom = [ProbeId::Growths, ProbeId::Room, ProbeId::LogUse, ProbeId::QueryStore];
        assert!(due.contains(&ProbeId::Headline) && !due.iter().any(|id| seldom.contains(id)), "{due:?}");
        let changed = schedule.focus(Focus::OnScreen, &settings, at);
        assert!(slow(&changed) > 0 && changed.len() == slow(&changed), "the rest has its pace already");
        let due = schedule.due(at);
        assert!(seldom.iter().all(|id| due.contains(id)), "somebody looks: {due:?}");
    }

    #[test]
    fn what_comes_later_than_the_first_rounds_says_when() {
        let (settings, now, schedule) = start();
        let told = schedule.to_come(now);
        let store =
            told.iter().find(|(probe, _)| *probe == ProbeId::QueryStore).expect("it is asked once an hour");
        let half = Duration::from_millis(u64::from(schedule.every_ms(ProbeId::QueryStore)) / 2);
        assert_eq!(store.1, half, "anywhere within its interval, here in the middle");
        assert!(told.iter().all(|(probe, wait)| is_heavy(*probe) && *wait > Duration::ZERO), "{told:?}");
        let mut schedule = schedule;
        let due = schedule.due(now + half * 2);
        schedule.done(&due, &settings, now + half * 2, 0.5);
        assert!(schedule.to_come(now).is_empty(), "what was asked has an age");
    }

    #[test]
    fn refresh_makes_everything_due() {
        let (settings, now, mut schedule) = start();
        let due = schedule.due(now);
        schedule.done(&due, &settings, now, 0.5);
        schedule.refresh(now);
        assert_eq!(schedule.due(now).len(), ProbeId::ALL.len());
    }

    #[test]
    fn a_faster_fleet_comes_spread_over_the_new_interval() {
        let (slow, now) = (Settings { fleet_every_ms: 3_600_000, ..Settings::default() }, Instant::now());
        let mut schedule = Schedule::new(&slow, Arc::default(), now);
        for _ in 0..4 {
            let at = schedule.next();
            let due = schedule.due(at);
            schedule.done(&due, &slow, at, 0.5);
        }
        let at = schedule.next() - Duration::from_mins(1);
        let changed = schedule.take_settings(&Settings::default(), at, 0.5);
        assert!(changed.contains(&(ProbeId::Headline, 30_000)), "{changed:?}");
        assert_eq!(schedule.next(), at + Duration::from_secs(15), "not all of the fleet at once");
        assert!(schedule.take_settings(&Settings::default(), at, 0.5).is_empty(), "nothing changed");
    }
}
