//! One budget of an instance: measures what our polls cost the server, and slows them when that is too much. Pure: time is
//! an argument. Called by the cost limiter.
//!
//! The measure is the CPU time of our own session there (`probe` cost), over two minutes. When that is above the budget,
//! the cost is asked with every poll, so that each tier gets its bill; then the interval of the tier with the largest bill
//! is doubled, and after some more polls the next one's, or the same again. The order is therefore: what costs most
//! first. The headline is the heartbeat: off the screen it keeps its interval, on the screen it never gets slower than
//! off it. When the cost is well below the budget again, the steps are taken back, last one first.

use crate::{
    model::poll::{
        cost::{CostSample, Slowed, Tier},
        id::ProbeId,
    },
    probe::{self, Pace},
};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// A rate is taken over at least this time, and over at least three rounds of the details.
const WINDOW: Duration = Duration::from_mins(2);
/// Bills kept at most: more than those of the window at the pace of a fleet, and two minutes on the screen.
const MOST: usize = 128;
/// Nothing is decided about less than this much time, than two whole rounds of the details, or about fewer bills.
const LEAST: Duration = Duration::from_secs(20);
const LEAST_BILLS: usize = 3;
/// The first polls after a connect ask everything; these bills are not counted.
const FIRST: u32 = 2;
/// An interval is doubled so many times at most.
const MOST_STEPS: u8 = 4;
/// Which of two tiers is slowed if their bills are the same. They are whenever one always rides with the other, as the
/// details at half their pace do with the slow tier: then the one that is asked most often, the heartbeat last.
const SLOWED_FIRST: [Tier; Tier::ALL.len()] = [Tier::Detail, Tier::Slow, Tier::Identity, Tier::Fast];
/// Below this share of the budget a step is taken back: half the interval costs twice as much at most.
const EASY: f64 = 0.4;

/// The factor of a probe's interval.
pub fn factor(slowed: Slowed, probe: ProbeId) -> u32 {
    let probe = probe::probe(probe);
    if probe.never_slowed { 1 } else { 1 << slowed.doubled[probe.tier as usize] }
}

/// CPU time of some polls, and which tiers were in them.
#[derive(Debug, Clone, Copy)]
struct Bill {
    at: Instant,
    over: Duration,
    cpu_ms: f64,
    tiers: [bool; Tier::ALL.len()],
    /// a round of the details was among them, not only what is asked more seldom than they are
    details: bool,
}

/// The budget of one instance, at one of its two paces.
#[derive(Debug, Default)]
pub struct Budget {
    before: Option<(Instant, CostSample)>,
    /// tiers that were polled since then
    open: [bool; Tier::ALL.len()],
    /// a round of the details was among them
    open_details: bool,
    seen: u32,
    bills: VecDeque<Bill>,
    /// tiers in the order in which they were slowed
    steps: Vec<Tier>,
    watching: bool,
}

/// The limit of an instance.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// CPU ms per s; 0: no limit
    pub limit: f64,
    /// interval of the details now
    pub details_every: Duration,
}

/// The result of a look at the cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// leave all as it is
    Keep,
    /// other intervals are in force; the rate that led to it, CPU ms per s
    Changed(f64),
    /// above the budget, and nothing is left to be slowed
    Exhausted(f64),
}

impl Budget {
    /// The tiers that are slowed now, for this limit.
    pub fn slowed(&self, limit: f64) -> Slowed {
        Slowed { doubled: self.doubled(), budget_us_per_s: (limit * 1000.0) as u32 }
    }

    fn doubled(&self) -> [u8; 4] {
        let mut doubled = [0; 4];
        for tier in &self.steps {
            doubled[*tier as usize] += 1;
        }
        doubled
    }

    /// True while the cost is to be asked with every poll.
    pub const fn is_watching(&self) -> bool {
        self.watching
    }

    /// A new connection, or another pace: measuring begins anew. The steps that are taken stay.
    pub fn begin(&mut self) {
        (self.before, self.open, self.open_details, self.seen) = (None, [false; 4], false, 0);
        self.bills.clear();
    }

    /// Takes a poll that is over, with the cost if it was asked.
    pub fn take(
        &mut self,
        polled: &[ProbeId],
        cost: Option<CostSample>,
        now: Instant,
        rule: Rule,
    ) -> Verdict {
        if let Some(cost) = cost {
            self.bill(cost, now, rule.details_every * 3);
        }
        for probe in polled.iter().filter(|probe| **probe != ProbeId::Cost).map(|probe| probe::probe(*probe))
        {
            self.open[probe.tier as usize] = true;
            self.open_details |= probe.tier == Tier::Detail && !matches!(probe.pace, Pace::Seldom(_));
        }
        if cost.is_none() { Verdict::Keep } else { self.judge(rule) }
    }

    /// A session's CPU time grows when a batch ends: what is told now is about the polls before this one.
    fn bill(&mut self, cost: CostSample, now: Instant, window: Duration) {
        let session = |c: &CostSample| (c.session_id, c.login_at);
        let (tiers, details) = (std::mem::take(&mut self.open), std::mem::take(&mut self.open_details));
        let before = self.before.replace((now, cost)).filter(|(_, old)| session(old) == session(&cost));
        self.seen = self.seen.saturating_add(1);
        let Some((then, old)) = before.filter(|_| self.seen > FIRST) else { return };
        let (Some(was), Some(is)) = (old.cpu_ms, cost.cpu_ms) else { return };
        while self.bills.len() >= MOST
            || self.bills.front().is_some_and(|bill| now - bill.at > window.max(WINDOW))
        {
            self.bills.pop_front();
        }
        let cpu_ms = is.saturating_sub(was).max(0) as f64;
        self.bills.push_back(Bill { at: now, over: now - then, cpu_ms, tiers, details });
    }

    fn judge(&mut self, Rule { limit, details_every }: Rule) -> Verdict {
        if limit <= 0.0 && self.steps.is_empty() {
            self.watching = false;
            return Verdict::Keep;
        }
        let Some(rate) = self.rate(details_every) else { return Verdict::Keep };
        if limit > 0.0 && rate > limit {
            return self.slow(rate);
        }
        if limit > 0.0 && rate >= limit * EASY {
            return Verdict::Keep;
        }
        self.watching = false;
        if self.bills.len() < LEAST_BILLS || self.steps.pop().is_none() {
            return Verdict::Keep;
        }
        self.bills.clear();
        Verdict::Changed(rate)
    }

    /// CPU ms per s, over whole rounds of the details: from one of them to another. None: too few.
    fn rate(&self, details_every: Duration) -> Option<f64> {
        let first = self.bills.iter().position(|bill| bill.details);
        let last = self.bills.iter().rposition(|bill| bill.details);
        let whole = match (first, last) {
            (Some(first), Some(last)) => self.bills.range(first + 1..=last),
            // They are switched off.
            _ => self.bills.range(..),
        };
        let over: Duration = whole.clone().map(|bill| bill.over).sum();
        // Two rounds, each a tenth shorter by chance.
        let enough = LEAST.max(details_every * 18 / 10);
        (over >= enough).then(|| whole.map(|bill| bill.cpu_ms).sum::<f64>() / over.as_secs_f64())
    }

    fn slow(&mut self, rate: f64) -> Verdict {
        if !std::mem::replace(&mut self.watching, true) {
            // Now bill by bill.
            self.bills.clear();
            return Verdict::Keep;
        }
        if self.bills.len() < LEAST_BILLS {
            return Verdict::Keep;
        }
        let (doubled, shares) = (self.doubled(), self.shares());
        let open = |tier: &Tier| doubled[*tier as usize] < MOST_STEPS && shares[*tier as usize] > 0.0;
        let most = SLOWED_FIRST
            .into_iter()
            .filter(open)
            .reduce(|most, tier| if shares[tier as usize] > shares[most as usize] { tier } else { most });
        self.bills.clear();
        let Some(tier) = most else { return Verdict::Exhausted(rate) };
        self.steps.push(tier);
        Verdict::Changed(rate)
    }

    /// CPU ms by tier. The cost of a poll of the fast tier alone is taken off from those with others in them; where none was alone, the
    /// smallest even part of one: what rides with something cheap once cannot be what costs much elsewhere.
    fn shares(&self) -> [f64; 4] {
        let fast = Tier::Fast as usize;
        let others = |bill: &Bill| bill.tiers.iter().enumerate().filter(|(i, is)| **is && *i != fast).count();
        let with_fast = || self.bills.iter().filter(|bill| bill.tiers[fast]);
        let (sum, n) = with_fast()
            .filter(|bill| others(bill) == 0)
            .fold((0.0, 0_u32), |(sum, n), bill| (sum + bill.cpu_ms, n + 1));
        let usual = if n > 0 {
            sum / f64::from(n)
        } else {
            with_fast().map(|bill| bill.cpu_ms / (others(bill) as f64 + 1.0)).fold(f64::INFINITY, f64::min)
        };
        let mut shares = [0.0; 4];
        for bill in &self.bills {
            let others = others(bill);
            let part_of_fast = if bill.tiers[fast] { usual.min(bill.cpu_ms) } else { 0.0 };
            let (part_of_fast, rest) =
                if others == 0 { (bill.cpu_ms, 0.0) } else { (part_of_fast, bill.cpu_ms - part_of_fast) };
            for (i, share) in shares.iter_mut().enumerate().filter(|(i, _)| bill.tiers[*i]) {
                *share += if i == fast { part_of_fast } else { rest / others as f64 };
            }
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: [ProbeId; 3] = [ProbeId::Headline, ProbeId::Activity, ProbeId::Blocking];

    /// Plays a server where a poll of the fast tier takes `fast` ms and the details `detail` ms more, for so many minutes at
    /// fleet cadence. Returns all decisions.
    struct Server {
        budget: Budget,
        now: Instant,
        cpu_ms: f64,
        second: u32,
    }

    impl Server {
        fn new() -> Self {
            Self { budget: Budget::default(), now: Instant::now(), cpu_ms: 0.0, second: 0 }
        }

        fn play(&mut self, minutes: u32, fast: f64, detail: f64, limit: f64) -> Vec<Verdict> {
            let mut said = Vec::new();
            for _ in 0..minutes * 2 {
                let slowed = self.budget.slowed(limit);
                let is =
                    |probe, every: u32| (self.second / 30).is_multiple_of(every / 30 * factor(slowed, probe));
                let mut polled = vec![ProbeId::Headline];
                if is(ProbeId::Activity, 30) {
                    polled.extend([ProbeId::Activity, ProbeId::Blocking]);
                }
                let has_details = is(ProbeId::Waits, 60);
                if has_details {
                    polled.push(ProbeId::Waits);
                }
                let cost = CostSample {
                    session_id: Some(51),
                    cpu_ms: Some(self.cpu_ms as i64),
                    ..CostSample::default()
                };
                let asked = self.budget.is_watching() || (self.second / 30).is_multiple_of(2);
                let details_every = Duration::from_secs(60 * u64::from(factor(slowed, ProbeId::Waits)));
                let rule = Rule { limit, details_every };
                said.push(self.budget.take(&polled, asked.then_some(cost), self.now, rule));
                let fast = if polled.contains(&ProbeId::Activity) { fast } else { fast / 10.0 };
                self.cpu_ms += fast + if has_details { detail } else { 0.0 };
                self.now += Duration::from_secs(30);
                self.second += 30;
            }
            said.retain(|verdict| *verdict != Verdict::Keep);
            said
        }
    }

    #[test]
    fn the_costliest_tier_is_slowed_first_and_comes_back_when_it_is_cheap_again() {
        let mut server = Server::new();
        assert_eq!(server.play(20, 60.0, 60.0, 5.0), [], "3 ms/s of 5");
        // 2 + 10 ms/s: the details have to go to a quarter of their pace.
        let said = server.play(30, 60.0, 600.0, 5.0);
        assert!(matches!(said[..], [Verdict::Changed(_), Verdict::Changed(_)]), "{said:?}");
        let slowed = server.budget.slowed(5.0);
        assert_eq!((factor(slowed, ProbeId::Waits), factor(slowed, ProbeId::Activity)), (4, 1));
        assert_eq!(slowed.words(), "waits and details ×4 (own cost above 5 ms/s)");
        assert_eq!(server.play(30, 60.0, 600.0, 5.0), [], "4.5 ms/s: it stays so, to and fro helps nobody");
        let said = server.play(60, 10.0, 10.0, 5.0);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(!server.budget.slowed(5.0).is_any());
    }

    #[test]
    fn the_fast_tier_is_slowed_if_it_is_the_costly_one_and_the_end_is_said() {
        let mut server = Server::new();
        server.play(10, 600.0, 60.0, 5.0);
        assert!(server.budget.slowed(5.0).doubled[0] > 0);
        let said = Server::new().play(600, 90_000.0, 90_000.0, 5.0);
        assert!(matches!(said.last(), Some(Verdict::Exhausted(rate)) if *rate > 5.0), "{said:?}");
        assert_eq!(Server::new().play(60, 90_000.0, 90_000.0, 0.0), [], "0: no limit");
    }

    #[test]
    fn tiers_that_always_ride_together_are_slowed_from_the_one_that_is_asked_most_often() {
        let (mut budget, mut now, mut cpu_ms) = (Budget::default(), Instant::now(), 0);
        let rule = Rule { limit: 5.0, details_every: Duration::from_mins(1) };
        let together = [ProbeId::Headline, ProbeId::Waits, ProbeId::Volumes];
        let changed = (0..20).any(|_| {
            let cost = CostSample { session_id: Some(51), cpu_ms: Some(cpu_ms), ..CostSample::default() };
            (now, cpu_ms) = (now + Duration::from_mins(1), cpu_ms + 600);
            matches!(budget.take(&together, Some(cost), now, rule), Verdict::Changed(_))
        });
        assert!(changed, "10 ms/s of 5");
        let slowed = budget.slowed(5.0);
        assert_eq!((factor(slowed, ProbeId::Waits), factor(slowed, ProbeId::Volumes)), (2, 1));
    }

    #[test]
    fn a_heartbeat_that_always_has_company_is_not_blamed_for_the_dearest_of_it() {
        let (mut budget, mut now, mut cpu_ms) = (Budget::default(), Instant::now(), 0);
        let rule = Rule { limit: 5.0, details_every: Duration::from_mins(1) };
        let rounds = [[ProbeId::Headline, ProbeId::Waits], [ProbeId::Headline, ProbeId::Volumes]];
        let changed = rounds.iter().zip([760, 10]).cycle().take(40).any(|(polled, more_ms)| {
            let cost = CostSample { session_id: Some(51), cpu_ms: Some(cpu_ms), ..CostSample::default() };
            let verdict = budget.take(polled, Some(cost), now, rule);
            (now, cpu_ms) = (now + Duration::from_secs(30), cpu_ms + more_ms);
            matches!(verdict, Verdict::Changed(_))
        });
        assert!(changed, "12.8 ms/s of 5");
        assert_eq!(budget.slowed(5.0).words(), "waits and details ×2 (own cost above 5 ms/s)");
    }

    #[test]
    fn a_first_poll_that_asks_everything_and_a_new_session_are_no_habit() {
        let (mut budget, now) = (Budget::default(), Instant::now());
        let cost = |session, cpu_ms| {
            Some(CostSample { session_id: Some(session), cpu_ms: Some(cpu_ms), ..CostSample::default() })
        };
        let at = |s| now + Duration::from_secs(s);
        let rule = Rule { limit: 5.0, details_every: Duration::from_mins(1) };
        assert_eq!(budget.take(&FAST, cost(51, 0), at(0), rule), Verdict::Keep);
        assert_eq!(budget.take(&FAST, cost(51, 9_000), at(60), rule), Verdict::Keep);
        assert!(!budget.is_watching(), "the first bill does not count");
        assert_eq!(budget.take(&FAST, cost(51, 9_060), at(120), rule), Verdict::Keep);
        assert_eq!(budget.take(&FAST, cost(77, 50_000), at(180), rule), Verdict::Keep);
        assert!(!budget.is_watching(), "another session");
        budget.take(&FAST, cost(77, 51_000), at(240), rule);
        assert!(budget.is_watching(), "1,060 ms in two minutes");
    }
}
