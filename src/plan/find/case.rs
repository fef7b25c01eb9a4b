//! What rules are given and what they return: a query under examination, and what was seen in it. [`super::findings`] weighs it.

use crate::plan::{Operator, Query, Statement};
use serde::Serialize;

/// From this share of the time on a finding is grave.
const GRAVE: f64 = 0.5;
/// From this share of the time on a finding is a warning.
pub(super) const WARNING: f64 = 0.1;
/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Worth knowing.
    Note,
    /// A tenth of the time or more.
    Warning,
    /// Half of the time or more, if that was measured and is no trifle.
    Grave,
}

impl Weight {
    /// Its mark on the screen.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Note => "·",
            Self::Warning => "▲",
            Self::Grave => "✖",
        }
    }

    /// By the share of the time that a finding may explain.
    pub fn of(share: f64) -> Self {
        if share >= GRAVE {
            Self::Grave
        } else if share >= WARNING {
            Self::Warning
        } else {
            Self::Note
        }
    }
}

/// What a rule saw, before it is weighed.
pub(super) struct Seen {
    pub operator: Option<usize>,
    pub share: Option<f64>,
    /// Heavier or lighter than its share says.
    pub weight: Option<Weight>,
    /// The share is a guess of the optimizer: no time can be named, so that it is never grave.
    pub is_guess: bool,
    /// Milliseconds at stake, where they are no part of the time of the query.
    pub ms: Option<f64>,
    pub text: String,
    pub advice: String,
}

impl Seen {
    /// At an operator, worth what the operator takes.
    pub fn at(case: &Case<'_>, at: usize, text: String, advice: impl Into<String>) -> Self {
        Self {
            operator: Some(at),
            share: case.share(at),
            weight: None,
            is_guess: false,
            ms: None,
            text,
            advice: advice.into(),
        }
    }

    /// On the query as a whole.
    pub const fn of(share: Option<f64>, text: String, advice: String) -> Self {
        Self { operator: None, share, weight: None, is_guess: false, ms: None, text, advice }
    }

    pub const fn weighing(mut self, weight: Weight) -> Self {
        self.weight = Some(weight);
        self
    }
}

/// A query under examination.
pub(super) struct Case<'a> {
    pub statement: &'a Statement,
    pub query: &'a Query,
    pub amounts: Vec<Option<f64>>,
    pub whole: f64,
    pub timed: bool,
    pub outside_ms: Option<u64>,
}

impl<'a> Case<'a> {
    /// The operators that ran; in a plan that did not run, all.
    pub fn operators(&self) -> impl Iterator<Item = (usize, &'a Operator)> + use<'a> {
        let ran = |operator: &Operator| operator.actual.as_ref().is_none_or(|actual| actual.executions > 0);
        self.query.operators.iter().enumerate().filter(move |(_, operator)| ran(operator))
    }

    pub fn operator(&self, at: usize) -> Option<&'a Operator> {
        self.query.operators.get(at)
    }

    /// The share of the query that an operator takes itself.
    pub fn share(&self, at: usize) -> Option<f64> {
        let amount = self.amounts.get(at).copied().flatten()?;
        (self.whole > 0.0).then(|| amount / self.whole)
    }

    /// The share of an amount of milliseconds, if the query was timed.
    pub fn share_of_ms(&self, ms: f64) -> Option<f64> {
        (self.timed && self.whole > 0.0).then(|| (ms / self.whole).clamp(0.0, 1.0))
    }

    /// The share that no operator took.
    pub fn outside(&self) -> Option<f64> {
        self.share_of_ms(self.outside_ms? as f64)
    }

    /// What holds the operator, from the nearest to the root.
    pub fn above(&self, at: usize) -> impl Iterator<Item = (usize, &'a Operator)> + use<'a> {
        let query = self.query;
        let parent = move |at: usize| Some(query.operators.get(at)?.parent? as usize);
        std::iter::successors(parent(at), move |at| parent(*at))
            .filter_map(move |at| Some((at, query.operators.get(at)?)))
    }
}
