//! The descriptor of a probe, all in one place: its scripts, how often and with whom it is asked, what it wants of a
//! server, what nobody knows without its right, its decoder. Each file of `catalog` has one; `plan` and `run` carry it out, and
//! `collect` makes its time-table of it.

use super::{
    batch::Sets,
    context::ProbeContext,
    script::{Needs, Script, When},
};
use crate::model::poll::{Sample, cost::Tier, id::ProbeId, reading::Unavailable};

/// Until a probe's whole answer is there, ms, unless it says otherwise.
const TIMEOUT_MS: u32 = 5_000;

/// A script's place in a probe.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// which
    pub script: Script,
    /// when
    pub when: &'static [When],
    /// without its result set there is no sample
    pub needed: bool,
}

/// A script that is always asked, and without which there is no sample.
pub(super) const fn needed(script: Script) -> Part {
    Part { script, when: &[], needed: true }
}

/// A script that adds to the sample.
pub(super) const fn optional(script: Script, when: &'static [When]) -> Part {
    Part { script, when, needed: false }
}

/// How a probe's interval follows from that of its tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// it is the tier's
    AsTier,
    /// on the screen it is that of the fleet: there is nothing newer
    NotFaster,
    /// on the screen it is so many times the tier's, and never above that of the fleet
    Slower(u32),
    /// it is this part of the tier's
    Faster(u32),
    /// it is this part of the tier's in the fleet, and that part on the screen, and often enough for rates
    Apart(u32, u32),
    /// off the screen it is so many times the tier's
    Seldom(u32),
}

/// When a probe is asked after a connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// the fast tier in the first poll, the others right behind it
    WithTier,
    /// in the first poll
    AtOnce,
}

/// With whom a probe shares a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// with all that are due
    Others,
    /// with nobody, after the others: it is known to be slow on some servers
    Alone,
}

/// Over which connection a probe is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// that of the polls
    Polls,
    /// the on-demand lane: it is slow, and nothing else waits for it
    OnDemand,
}

/// Something that a server or a login must have for the probe to be asked at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// availability groups are enabled
    AvailabilityGroups,
    /// an edition with SQL Server Agent
    Agent,
    /// a server that has volumes of its own
    Volumes,
    /// the right, or it is not known whether it is held
    Right(Needs),
}

/// What a probe asks of each database. The scripts name objects as `[$db$].sys.…`; `@P1` is the database's id, and each has
/// `CAST(@P1 AS int) AS database_id` among its columns.
#[derive(Debug)]
pub struct EachDatabase {
    /// the script of the probe whose rows are the databases: `database_id`, `database_name`, `state_desc`
    pub of: &'static str,
    /// asked of every database
    pub first: &'static [Part],
    /// asked behind it, where `more` wants it
    pub then: &'static [Part],
    /// the parameters of `then` behind the database's id, by what came first; None: there is nothing new
    pub more: fn(&Sets, i32, &ProbeContext) -> Option<Vec<i64>>,
}

impl EachDatabase {
    /// Its scripts.
    pub fn scripts(&self) -> impl Iterator<Item = Script> {
        self.first.iter().chain(self.then).map(|part| part.script)
    }
}

/// Whether a probe is asked when it is due. One that is not waits, and stays due.
#[derive(Debug, Clone, Copy)]
pub enum Worth {
    /// it is
    Always,
    /// when there is news, by this. Until then its last reading is true and does not grow old
    News(fn(&ProbeContext) -> bool),
}

impl Worth {
    /// It is asked now.
    pub fn is_now(self, ctx: &ProbeContext) -> bool {
        match self {
            Self::Always => true,
            Self::News(is_so) => is_so(ctx),
        }
    }

    /// Its reading grows old when no newer one comes.
    pub const fn ages(self) -> bool {
        !matches!(self, Self::News(_))
    }
}

/// Makes a sample of a probe's result sets. Needed sets are there.
pub type Decoder = fn(&Sets, &ProbeContext) -> Result<Sample, Unavailable>;

/// One probe.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// which
    pub id: ProbeId,
    /// its scripts, in the order of the batch
    pub parts: &'static [Part],
    /// with which others it is polled
    pub tier: Tier,
    /// its interval
    pub pace: Pace,
    /// it has figures that need two samples: the second one comes early, and never five minutes after the first
    pub rate: bool,
    /// when it is asked after a connect
    pub start: Start,
    /// cannot be switched off: it is the heartbeat, or says which scripts fit
    pub vital: bool,
    /// the cost limiter leaves its interval alone
    pub never_slowed: bool,
    /// with whom it shares a round trip
    pub company: Company,
    /// over which connection it is asked
    pub lane: Lane,
    /// whether it is asked when it is due
    pub worth: Worth,
    /// until the whole answer is there, ms
    pub timeout_ms: u32,
    /// not asked where one of these is known to be lacking
    pub wants: &'static [Want],
    /// what it asks of each database behind that
    pub each: Option<&'static EachDatabase>,
    /// whether the sets of the first round trip are worth a second one; see [`When::SecondTrip`]
    pub second_trip: Option<fn(&Sets) -> bool>,
    /// what nobody knows without a right, in words that go on with "is unknown"
    pub unknown_without: &'static [(Needs, &'static str)],
    /// the panes that show what it tells, as the permission doctor names them; none: only such that show it beside other things
    pub panes: &'static [&'static str],
    /// rows to sample
    pub decode: Decoder,
}

impl Probe {
    /// A probe with nothing special about it, and no scripts yet.
    pub(super) const fn new(id: ProbeId, tier: Tier, decode: Decoder) -> Self {
        Self {
            id,
            parts: &[],
            tier,
            pace: Pace::AsTier,
            rate: false,
            start: Start::WithTier,
            vital: false,
            never_slowed: false,
            company: Company::Others,
            lane: Lane::Polls,
            worth: Worth::Always,
            timeout_ms: TIMEOUT_MS,
            wants: &[],
            each: None,
            second_trip: None,
            unknown_without: &[],
            panes: &[],
            decode,
        }
    }
}
