//! Questions to servers that are open: whom, what, how far. The app asks and hears, this keeps them; they go on while the user
//! looks elsewhere, and the newest is the one that Esc cancels.

use crate::{
    model::{
        base::{figure, time::Timestamp},
        inventory::instance::InstanceId,
        poll::demand::{Demand, Step},
    },
    protocol::{DemandRequest, Shown},
};
use std::fmt::Write as _;

/// Questions that may be open at once.
const MOST: usize = 4;

/// A question that is open.
#[derive(Debug, Clone)]
pub struct Open<Place> {
    ticket: u64,
    /// whom
    pub instance: InstanceId,
    /// what
    pub demand: Demand,
    /// where the user was when they asked
    pub from: Place,
    since: Timestamp,
    step: Step,
    /// newer figures of what is shown: nobody pressed a key for it
    pub is_renewal: bool,
}

/// An answer, to be shown now or again.
#[derive(Debug)]
pub struct Ready {
    /// whose
    pub instance: InstanceId,
    /// to what
    pub demand: Demand,
    /// it
    pub shown: Shown,
}

/// All that are open, the newest last. `Place` is where the user was.
#[derive(Debug)]
pub struct Demands<Place> {
    next: u64,
    open: Vec<Open<Place>>,
}

impl<Place> Default for Demands<Place> {
    fn default() -> Self {
        Self { next: 1, open: Vec::new() }
    }
}

impl<Place> Demands<Place> {
    /// Opens a question.
    ///
    /// # Errors
    /// It is open already, or too many are: a sentence.
    pub fn ask(
        &mut self,
        instance: InstanceId,
        demand: Demand,
        from: Place,
        clock: Timestamp,
        is_renewal: bool,
    ) -> Result<DemandRequest, String> {
        if self.open.iter().any(|open| open.instance == instance && open.demand == demand) {
            return Err(format!("{instance} is being asked for {demand}: Esc cancels it"));
        }
        if self.open.len() >= MOST {
            return Err(format!("{MOST} questions are open: Esc cancels the newest"));
        }
        let ticket = self.next;
        self.next += 1;
        let request = DemandRequest::Ask { ticket, instance: instance.clone(), demand };
        self.open.push(Open { ticket, instance, demand, from, since: clock, step: Step::Waits, is_renewal });
        Ok(request)
    }

    /// A question has come so far.
    pub fn reach(&mut self, ticket: u64, step: Step) {
        if let Some(open) = self.open.iter_mut().find(|open| open.ticket == ticket) {
            open.step = step;
        }
    }

    /// Takes a question that has ended; None: it was cancelled.
    pub fn take(&mut self, ticket: u64) -> Option<Open<Place>> {
        let at = self.open.iter().position(|open| open.ticket == ticket)?;
        Some(self.open.remove(at))
    }

    /// Takes the newest one that somebody asked, with the request that ends it.
    pub fn cancel(&mut self) -> Option<(DemandRequest, Open<Place>)> {
        let at = self.open.iter().rposition(|open| !open.is_renewal)?;
        let open = self.open.remove(at);
        Some((DemandRequest::Cancel { ticket: open.ticket }, open))
    }

    /// Drops all that are open; returns the requests that end them.
    pub fn forget(&mut self) -> Vec<DemandRequest> {
        self.open.drain(..).map(|open| DemandRequest::Cancel { ticket: open.ticket }).collect()
    }

    /// Writes how far the newest is: `sqlprd-014: the plans of query 0x… · asking, 3s · Esc cancels`. Nothing if none is open.
    pub fn push_line(&self, clock: Timestamp, out: &mut String) {
        let mut asked = self.open.iter().rev().filter(|open| !open.is_renewal);
        let Some(open) = asked.next() else { return };
        let _ = write!(out, "{}: {} · {}", open.instance, open.demand, open.step.words());
        let s = clock.ms_since(open.since) / 1_000;
        if s > 0 {
            out.push_str(", ");
            figure::push_span(out, i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1_000));
        }
        let more = asked.count();
        if more > 0 {
            let _ = write!(out, " · {more} more");
        }
        out.push_str(" · Esc cancels");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Demand = Demand::SessionWaits { session_id: 5 };

    #[test]
    fn the_newest_is_told_and_cancelled_first() {
        let mut demands = Demands::default();
        let at = Timestamp::from_ms(1_000_000);
        let mut ask = |name: &str, demand| demands.ask(InstanceId::new(name), demand, (), at, false);
        assert!(ask("a", WAITS).is_ok() && ask("b", WAITS).is_ok());
        assert!(ask("b", WAITS).unwrap_err().contains("Esc cancels it"));
        let mut line = String::new();
        demands.reach(2, Step::Connects);
        demands.push_line(at.plus_ms(3_400), &mut line);
        assert_eq!(line, "b: the waits of session 5 · connecting, 3s · 1 more · Esc cancels");
        let (request, open) = demands.cancel().unwrap();
        assert_eq!((request, open.instance.as_str()), (DemandRequest::Cancel { ticket: 2 }, "b"));
        assert!(demands.take(2).is_none(), "its answer comes too late");
        assert!(demands.take(1).is_some() && demands.cancel().is_none());
    }

    #[test]
    fn nobody_opens_questions_without_end() {
        let mut demands = Demands::default();
        for n in 0..MOST {
            let demand = Demand::SessionPlan { session_id: n as i32 };
            assert!(demands.ask(InstanceId::new("a"), demand, (), Timestamp::default(), false).is_ok());
        }
        assert!(demands.ask(InstanceId::new("a"), WAITS, (), Timestamp::default(), true).is_err());
    }
}
