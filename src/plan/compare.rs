//! Two plans side by side: which operator of one is which of the other. Called by `lines` and panes.
//!
//! Operators are the same if they serve the same purpose on the same thing: first by table, index and logical operator,
//! then by table and logical operator (another index was chosen), then by purpose alone, in the order in which they
//! stand. What is left has no counterpart.

use super::{Operator, Query};
use std::collections::{HashMap, VecDeque};

/// A line of a comparison: an operator of the first plan, of the second, or the two that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its index in the first plan.
    pub left: Option<usize>,
    /// Its index in the second plan.
    pub right: Option<usize>,
}

/// What tells an operator from others, by one of three rules; `None` where the rule does not apply to it.
type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// What makes two operators the same, from the strictest to the mildest: the same key.
const RULES: [for<'a> fn(&'a Operator) -> Option<Key<'a>>; 3] = [
    |operator| Some((&operator.logical, table(operator), index(operator))),
    |operator| Some((kind(operator), Some(table(operator)?), None)),
    |operator| table(operator).is_none().then_some((operator.logical.as_str(), None, None)),
];

fn table(operator: &Operator) -> Option<&str> {
    operator.object.as_ref().map(|object| object.table.as_str()).filter(|name| !name.is_empty())
}

fn index(operator: &Operator) -> Option<&str> {
    operator.object.as_ref().map(|object| object.index.as_str())
}

/// What an operator is for, whichever way: all seeks and scans fetch rows, a lookup fetches columns.
fn kind(operator: &Operator) -> &str {
    if operator.marks.lookup || operator.physical == "RID Lookup" {
        "lookup"
    } else if operator.physical.ends_with("Scan") || operator.physical.ends_with("Seek") {
        "fetch"
    } else {
        &operator.logical
    }
}

/// The operators of both plans, each once, in the order of the first; those of the second alone stand behind what comes
/// before them there.
pub fn align(left: &Query, right: &Query) -> Vec<Pair> {
    let mut to_right: Vec<Option<usize>> = vec![None; left.operators.len()];
    let mut taken = vec![false; right.operators.len()];
    for key in RULES {
        // Those of the second plan that are free, by their key, in their order.
        let mut free: HashMap<Key<'_>, VecDeque<usize>> = HashMap::new();
        for (at, operator) in right.operators.iter().enumerate().filter(|(at, _)| !is_set(&taken, *at)) {
            if let Some(key) = key(operator) {
                free.entry(key).or_default().push_back(at);
            }
        }
        for (operator, slot) in left.operators.iter().zip(&mut to_right).filter(|(_, slot)| slot.is_none()) {
            let found = key(operator).and_then(|key| free.get_mut(&key)?.pop_front());
            if let Some(mark) = found.and_then(|found| taken.get_mut(found)) {
                *mark = true;
                *slot = found;
            }
        }
    }
    let mut pairs = Vec::with_capacity(left.operators.len());
    push_alone(&mut pairs, &taken, 0);
    for (left, right) in to_right.iter().enumerate() {
        pairs.push(Pair { left: Some(left), right: *right });
        if let Some(right) = right {
            push_alone(&mut pairs, &taken, right + 1);
        }
    }
    pairs
}

/// The operators of the second plan from there on that have no counterpart, up to the first that has one.
fn push_alone(pairs: &mut Vec<Pair>, taken: &[bool], from: usize) {
    let alone = (from..taken.len()).take_while(|at| !is_set(taken, *at));
    pairs.extend(alone.map(|at| Pair { left: None, right: Some(at) }));
}

fn is_set(taken: &[bool], at: usize) -> bool {
    taken.get(at).copied().unwrap_or(true)
}
