//! Two plans side by side: which operator of one is which of the other. Called by `lines` and panes.
//!
//! Operators are the same if they serve the same purpose on the same thing: first by table, index and logical operator,
//! then by table and logical operator (another index was chosen), then by purpose alone, in the order in which they
//! stand. What is left has no counterpart.

use super::{Operator, Query};

/// A line of a comparison: an operator of the first plan, of the second, or the two that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its index in the first plan.
    pub left: Option<usize>,
    /// Its index in the second plan.
    pub right: Option<usize>,
}

/// What makes two operators the same, from the strictest to the mildest.
const RULES: [fn(&Operator, &Operator) -> bool; 3] = [
    |a, b| a.logical == b.logical && table(a) == table(b) && index(a) == index(b),
    |a, b| kind(a) == kind(b) && table(a).is_some() && table(a) == table(b),
    |a, b| a.logical == b.logical && table(a).is_none() && table(b).is_none(),
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
    for same in RULES {
        for (at, operator) in left.operators.iter().enumerate() {
            if to_right.get(at).is_some_and(Option::is_some) {
                continue;
            }
            let free = |other: &usize| !taken.get(*other).copied().unwrap_or(true);
            let found = (0..right.operators.len())
                .filter(free)
                .find(|other| right.operators.get(*other).is_some_and(|other| same(operator, other)));
            if let Some(found) = found
                && let (Some(slot), Some(mark)) = (to_right.get_mut(at), taken.get_mut(found))
            {
                *slot = Some(found);
                *mark = true;
            }
        }
    }
    let mut pairs: Vec<Pair> =
        to_right.iter().enumerate().map(|(left, right)| Pair { left: Some(left), right: *right }).collect();
    for alone in (0..right.operators.len()).filter(|at| !taken.get(*at).copied().unwrap_or(true)) {
        let before =
            pairs.iter().position(|pair| pair.right.is_some_and(|right| Some(right) == alone.checked_sub(1)));
        let place = before.map_or(0, |before| before + 1);
        pairs.insert(place, Pair { left: None, right: Some(alone) });
    }
    pairs
}
