//! Who waits for whom: the parties of a deadlock and the rings that they form. A report may hold several that have
//! nothing to do with each other (of 30,000 real ones with eight processes, most were four pairs); each is drawn by itself.

use super::{Deadlock, Holder, Process};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// A session in a deadlock; in a deadlock of one parallel query with itself, a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its tasks: indexes into [`Deadlock::processes`].
    pub tasks: Vec<usize>,
    /// It was rolled back.
    pub victim: bool,
}

/// A party waits for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who waits: an index into [`Graph::parties`].
    pub from: usize,
    /// Who holds what it waits for.
    pub to: usize,
    /// Its task that waits: an index into [`Deadlock::processes`].
    pub waiter: usize,
    /// The resource: an index into [`Deadlock::resources`].
    pub resource: usize,
    /// The mode that it wants.
    pub wants: String,
    /// The mode in which it is held.
    pub held: String,
}

/// Parties and their waits.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Who took part.
    pub parties: Vec<Party>,
    /// Who waits for whom, each pair once.
    pub waits: Vec<Wait>,
}

/// A ring: each waits for the next, the last for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Indexes into [`Graph::waits`], in order.
    pub waits: Vec<usize>,
}

impl Graph {
    /// The parties of a deadlock and their waits.
    pub fn of(deadlock: &Deadlock) -> Self {
        let sessions: BTreeMap<u64, usize> =
            deadlock.processes.iter().filter_map(|p| p.spid).map(|spid| (spid, 0)).collect();
        // One session alone is a parallel query that waits for itself: its tasks are the parties.
        let alone = sessions.len() <= 1;
        let mut graph = Self::default();
        let victims: HashSet<&str> = deadlock.victims.iter().map(String::as_str).collect();
        let mut of_session: HashMap<u64, usize> = HashMap::new();
        let mut of_process: HashMap<&str, (usize, usize)> = HashMap::new();
        for (at, process) in deadlock.processes.iter().enumerate() {
            let known = process.spid.filter(|_| !alone).and_then(|spid| of_session.get(&spid).copied());
            let party = known.unwrap_or_else(|| {
                graph.parties.push(Party { tasks: Vec::new(), victim: false });
                graph.parties.len() - 1
            });
            if let Some(spid) = process.spid {
                of_session.insert(spid, party);
            }
            of_process.entry(&process.id).or_insert((party, at));
            if let Some(party) = graph.parties.get_mut(party) {
                party.tasks.push(at);
                party.victim |= victims.contains(process.id.as_str());
            }
        }
        let mut known: HashSet<(usize, usize)> = HashSet::new();
        for (at, resource) in deadlock.resources.iter().enumerate() {
            let ends = |list: &'_ [Holder]| -> Vec<(usize, usize, usize)> {
                let mut seen = HashSet::new();
                let of = |(n, holder): (usize, &Holder)| {
                    let (party, task) = *of_process.get(holder.process.as_str())?;
                    Some((n, party, task))
                };
                list.iter().enumerate().filter_map(of).filter(|(_, party, _)| seen.insert(*party)).collect()
            };
            let owners = ends(&resource.owners);
            for (waiting, from, waiter) in ends(&resource.waiters) {
                for &(holding, to, _) in owners.iter().filter(|(_, to, _)| *to != from) {
                    if graph.waits.len() >= MAX_WAITS {
                        return graph;
                    }
                    if known.insert((from, to)) {
                        let mode = |list: &[Holder], n: usize| list.get(n).map(|holder| holder.mode.clone());
                        let wants = mode(&resource.waiters, waiting).unwrap_or_default();
                        let held = mode(&resource.owners, holding).filter(|mode| !mode.is_empty());
                        let held = held.unwrap_or_else(|| resource.mode.clone());
                        graph.waits.push(Wait { from, to, waiter, resource: at, wants, held });
                    }
                }
            }
        }
        graph
    }

    /// The rings: for each party that is in none yet, victims first, the shortest that it is in.
    pub fn rings(&self) -> Vec<Ring> {
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); self.parties.len()];
        for (at, wait) in self.waits.iter().enumerate() {
            if let Some(list) = next.get_mut(wait.from) {
                list.push(at);
            }
        }
        let circles = self.circles(&next);
        let mut order: Vec<usize> = (0..self.parties.len()).collect();
        order.sort_by_key(|at| !self.parties.get(*at).is_some_and(|party| party.victim));
        let mut told = vec![false; self.parties.len()];
        let mut rings = Vec::new();
        for start in order {
            if told.get(start).copied().unwrap_or(true) {
                continue;
            }
            let Some(ring) = self.shortest(start, &next, &circles) else { continue };
            for wait in ring.waits.iter().filter_map(|at| self.waits.get(*at)) {
                if let Some(mark) = told.get_mut(wait.from) {
                    *mark = true;
                }
            }
            rings.push(ring);
        }
        rings
    }

    /// The circle of each party: all who wait for each other, over whatever way, have one number. Found once, as looking for the rings of
    /// thousands who only queue would take its time.
    fn circles(&self, next: &[Vec<usize>]) -> Vec<Option<usize>> {
        let count = self.parties.len();
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); count];
        for wait in &self.waits {
            if let Some(list) = before.get_mut(wait.to) {
                list.push(wait.from);
            }
        }
        let mut circles: Vec<Option<usize>> = vec![None; count];
        for start in self.left_last(next).into_iter().rev() {
            let mut reached = vec![start];
            while let Some(here) = reached.pop() {
                if let Some(circle) = circles.get_mut(here).filter(|circle| circle.is_none()) {
                    *circle = Some(start);
                    reached.extend(before.get(here).into_iter().flatten());
                }
            }
        }
        circles
    }

    /// The parties in the order in which a walk from waiter to holder leaves them: each behind all that it waits for, but for circles.
    fn left_last(&self, next: &[Vec<usize>]) -> Vec<usize> {
        let mut seen = vec![false; self.parties.len()];
        let mut left = Vec::with_capacity(self.parties.len());
        for start in 0..self.parties.len() {
            // Who is walked through, and how many of its waits were followed.
            let mut path = Vec::new();
            let mut enter = |at: usize, path: &mut Vec<(usize, usize)>| {
                if let Some(seen) = seen.get_mut(at).filter(|seen| !**seen) {
                    *seen = true;
                    path.push((at, 0));
                }
            };
            enter(start, &mut path);
            while let Some((here, followed)) = path.last_mut() {
                let wait = next.get(*here).and_then(|waits| self.waits.get(*waits.get(*followed)?));
                *followed += 1;
                if let Some(wait) = wait {
                    enter(wait.to, &mut path);
                } else {
                    left.push(*here);
                    path.pop();
                }
            }
        }
        left
    }

    /// The shortest way from a party back to itself.
    fn shortest(&self, start: usize, next: &[Vec<usize>], circles: &[Option<usize>]) -> Option<Ring> {
        let circle = circles.get(start)?;
        let mut came: HashMap<usize, usize> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(here) = queue.pop_front() {
            for &at in next.get(here).into_iter().flatten() {
                let to = self.waits.get(at)?.to;
                if to == start {
                    return Some(self.way_back(start, here, at, &came));
                }
                if circles.get(to) == Some(circle) && !came.contains_key(&to) {
                    came.insert(to, at);
                    queue.push_back(to);
                }
            }
        }
        None
    }

    fn way_back(&self, start: usize, last: usize, closing: usize, came: &HashMap<usize, usize>) -> Ring {
        let mut waits = vec![closing];
        let mut here = last;
        while here != start
            && let Some(at) = came.get(&here).copied()
            && let Some(wait) = self.waits.get(at)
        {
            waits.push(at);
            here = wait.from;
        }
        waits.reverse();
        Ring { waits }
    }

    /// The task by which a party is told: the first of it.
    pub fn task<'a>(&self, deadlock: &'a Deadlock, party: usize) -> Option<&'a Process> {
        let first = *self.parties.get(party)?.tasks.first()?;
        deadlock.processes.get(first)
    }
}

/// Waits of one deadlock: a hundred tasks at an exchange wait for a hundred others.
const MAX_WAITS: usize = 100_000;
