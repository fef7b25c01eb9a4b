//! Blocking chains: from the rows of one poll to trees, worst first.
//!
//! The rows are hostile: sessions wait for themselves (parallel queries), for each other in a circle, for sessions
//! that have gone, several times, for negative ids. Every session gets at most one parent (that of its longest wait),
//! so what is left is trees and circles; a circle is cut at one place and says so. No recursion: depth is data.

use crate::model::poll::{
    activity::{Request, is_blocker, special_blocker},
    blocking::{BlockNode, BlockedTask, Blocking, Chain, ChainSession},
    resource::{self, DatabaseNames, Resource},
};
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

/// More waiting tasks than this of one poll are not looked at: SQL Server has at most some 32,000 workers.
pub const MAX_TASKS: usize = 40_000;

/// One edge: `who` waits for `blocker`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// who waits
    pub who: i32,
    /// for whom
    pub blocker: i32,
    /// for how long, ms; negative values of the server count as 0
    pub wait_ms: i64,
}

/// The edges as trees.
#[derive(Debug, Default)]
struct Forest {
    /// session ids; the index is the node
    ids: Vec<i32>,
    /// the edge of a node to its parent
    parent: Vec<Option<usize>>,
    wait_ms: Vec<i64>,
    /// cycles were cut here: these nodes are heads although they wait
    cut: HashSet<usize>,
}

impl Forest {
    fn grow(edges: impl Iterator<Item = Edge>) -> Self {
        let mut forest = Self::default();
        let mut index: HashMap<i32, usize> = HashMap::new();
        for edge in edges.take(MAX_TASKS).filter(|e| is_blocker(e.who, e.blocker)) {
            let who = forest.node(&mut index, edge.who);
            let blocker = forest.node(&mut index, edge.blocker);
            let wait_ms = edge.wait_ms.max(0);
            let better = match forest.parent[who] {
                None => true,
                Some(old) => {
                    (wait_ms, Reverse(edge.blocker)) > (forest.wait_ms[who], Reverse(forest.ids[old]))
                }
            };
            if better {
                forest.parent[who] = Some(blocker);
                forest.wait_ms[who] = wait_ms;
            }
        }
        forest.cut_cycles();
        forest
    }

    fn node(&mut self, index: &mut HashMap<i32, usize>, id: i32) -> usize {
        *index.entry(id).or_insert_with(|| {
            self.ids.push(id);
            self.parent.push(None);
            self.wait_ms.push(0);
            self.ids.len() - 1
        })
    }

    /// Walks up from every node; meeting a node of the same walk is a cycle. It is cut above its smallest session id,
    /// so that the same circle looks the same in the next poll.
    fn cut_cycles(&mut self) {
        let mut walk = vec![0usize; self.ids.len()];
        for start in 0..self.ids.len() {
            let this_walk = start + 1;
            let mut at = start;
            while walk[at] == 0 {
                walk[at] = this_walk;
                let Some(next) = self.parent[at] else { break };
                at = next;
            }
            if walk[at] != this_walk || self.parent[at].is_none() {
                continue;
            }
            let (mut lowest, mut i) = (at, at);
            while let Some(next) = self.parent[i] {
                if self.ids[next] < self.ids[lowest] {
                    lowest = next;
                }
                i = next;
                if i == at {
                    break;
                }
            }
            self.parent[lowest] = None;
            self.cut.insert(lowest);
        }
    }

    /// The children of all nodes, longest wait first: `list[start[n]..start[n + 1]]`.
    fn children(&self) -> (Vec<usize>, Vec<usize>) {
        let mut list: Vec<usize> = (0..self.ids.len()).filter(|n| self.parent[*n].is_some()).collect();
        list.sort_unstable_by_key(|n| (self.parent[*n], Reverse(self.wait_ms[*n]), self.ids[*n]));
        let mut start = vec![0; self.ids.len() + 1];
        for n in &list {
            if let Some(p) = self.parent[*n] {
                start[p + 1] += 1;
            }
        }
        for i in 1..start.len() {
            start[i] += start[i - 1];
        }
        (list, start)
    }

    fn heads(&self, start: &[usize]) -> impl Iterator<Item = usize> {
        (0..self.ids.len()).filter(move |n| self.parent[*n].is_none() && start[*n + 1] > start[*n])
    }
}

/// Nodes of a tree in display order with their depth and whether they are the last of their siblings.
fn walk(head: usize, list: &[usize], start: &[usize]) -> Vec<(usize, u16, bool)> {
    let mut order = Vec::new();
    let mut open = vec![(head, 0u16, true)];
    while let Some((node, depth, last)) = open.pop() {
        order.push((node, depth, last));
        let children = &list[start[node]..start[node + 1]];
        for (i, child) in children.iter().enumerate().rev() {
            open.push((*child, depth.saturating_add(1), i + 1 == children.len()));
        }
    }
    order
}

/// How many sessions each session blocks, directly or not.
pub fn victims_of(edges: impl Iterator<Item = Edge>) -> HashMap<i32, u32> {
    let forest = Forest::grow(edges);
    let (list, start) = forest.children();
    let mut victims = HashMap::with_capacity(forest.ids.len());
    for head in forest.heads(&start) {
        let order = walk(head, &list, &start);
        for (node, count) in order.iter().zip(subtree_victims(&order)) {
            victims.insert(forest.ids[node.0], count);
        }
    }
    victims
}

/// Victims below each node of a tree in display order.
fn subtree_victims(order: &[(usize, u16, bool)]) -> Vec<u32> {
    let parents = parents_in(order);
    let mut victims = vec![0u32; order.len()];
    for i in (0..order.len()).rev() {
        if let Some(p) = parents[i] {
            victims[p] += victims[i] + 1;
        }
    }
    victims
}

/// The place of each node's parent within the display order. Depth fits its type: [`MAX_TASKS`] is below `u16::MAX`.
fn parents_in(order: &[(usize, u16, bool)]) -> Vec<Option<usize>> {
    let mut path: Vec<usize> = Vec::new();
    let mut parents = Vec::with_capacity(order.len());
    for (i, (_, depth, _)) in order.iter().enumerate() {
        path.truncate(usize::from(*depth));
        parents.push(path.last().copied());
        path.push(i);
    }
    parents
}

/// Builds the trees of one poll.
pub fn build(tasks: &[BlockedTask], sessions: &[ChainSession], names: DatabaseNames<'_>) -> Blocking {
    let by_id = best_sessions(sessions);
    let mut longest: HashMap<i32, &BlockedTask> = HashMap::new();
    for task in tasks.iter().take(MAX_TASKS).filter(|t| is_blocker(t.session_id, t.blocked_by)) {
        let best = longest.entry(task.session_id).or_insert(task);
        if task.wait_ms > best.wait_ms {
            *best = task;
        }
    }
    let from_tasks = tasks.iter().map(|t| Edge {
        who: t.session_id,
        blocker: t.blocked_by,
        wait_ms: t.wait_ms.unwrap_or_default(),
    });
    let from_requests =
        by_id.values().filter(|s| !longest.contains_key(&s.request.session_id)).filter_map(|s| {
            let blocker = s.request.blocked_by?;
            Some(Edge { who: s.request.session_id, blocker, wait_ms: s.request.wait_ms.unwrap_or_default() })
        });
    let mut requests: Vec<Edge> = from_requests.collect();
    requests.sort_unstable_by_key(|e| e.who);
    let forest = Forest::grow(from_tasks.chain(requests));
    let (list, start) = forest.children();
    let context = Context { forest: &forest, by_id: &by_id, tasks: &longest, names };
    let mut chains: Vec<Chain> =
        forest.heads(&start).map(|h| context.chain(&walk(h, &list, &start))).collect();
    chains.sort_by_cached_key(|c| {
        let weight = u128::from(c.victims) * u128::from(c.lost_ms.unsigned_abs());
        (Reverse(weight), Reverse(c.max_wait_ms), c.nodes.first().map(|n| n.request.session_id))
    });
    Blocking { chains, cycles_cut: u32::try_from(forest.cut.len()).unwrap_or(u32::MAX) }
}

/// One row a session: the one with a running request, if there are several.
fn best_sessions(sessions: &[ChainSession]) -> HashMap<i32, &ChainSession> {
    let mut by_id: HashMap<i32, &ChainSession> = HashMap::with_capacity(sessions.len());
    let rank = |s: &ChainSession| (s.request.command.is_some(), s.request.wait_ms);
    for s in sessions {
        let best = by_id.entry(s.request.session_id).or_insert(s);
        if rank(s) > rank(best) {
            *best = s;
        }
    }
    by_id
}

struct Context<'a> {
    forest: &'a Forest,
    by_id: &'a HashMap<i32, &'a ChainSession>,
    tasks: &'a HashMap<i32, &'a BlockedTask>,
    names: DatabaseNames<'a>,
}

impl Context<'_> {
    fn chain(&self, order: &[(usize, u16, bool)]) -> Chain {
        let parents = parents_in(order);
        let victims = subtree_victims(order);
        let mut chain = Chain {
            nodes: Vec::with_capacity(order.len()),
            victims: 0,
            max_wait_ms: 0,
            lost_ms: 0,
            depth: 0,
        };
        for (i, (node, depth, last_child)) in order.iter().enumerate() {
            let wait_ms = self.forest.wait_ms[*node];
            if i > 0 {
                chain.victims += 1;
                chain.max_wait_ms = chain.max_wait_ms.max(wait_ms);
                chain.lost_ms = chain.lost_ms.saturating_add(wait_ms);
                chain.depth = chain.depth.max(*depth);
            }
            chain.nodes.push(self.node(*node, *depth, parents[i], *last_child, victims[i]));
        }
        chain
    }

    fn node(
        &self,
        node: usize,
        depth: u16,
        parent: Option<usize>,
        last_child: bool,
        victims: u32,
    ) -> BlockNode {
        let id = self.forest.ids[node];
        let session = self.by_id.get(&id).copied();
        let task = self.tasks.get(&id).copied();
        let mut request = session.map_or_else(|| stand_in(id), |s| s.request.clone());
        if let Some(task) = task {
            request.blocked_by = Some(task.blocked_by);
            request.wait_type = task.wait_type.clone().or(request.wait_type);
            request.wait_ms = task.wait_ms.or(request.wait_ms);
        }
        request.blocks = victims;
        let resource = self.resource(task, &request);
        let last_statement = session.and_then(|s| s.last_statement.clone());
        let statement_is_last = request.statement.is_none() && last_statement.is_some();
        BlockNode {
            depth,
            parent,
            last_child,
            victims,
            resource,
            statement: request.statement.clone().or(last_statement),
            statement_is_last,
            cycle_cut: self.forest.cut.contains(&node),
            request,
        }
    }

    fn resource(&self, task: Option<&BlockedTask>, request: &Request) -> Option<Resource> {
        let asked = |raw: Option<&str>| raw.and_then(|r| resource::decode(r, self.names));
        let described = asked(task.and_then(|t| t.resource.as_deref()));
        let mut merged = resource::merge(described, asked(request.wait_resource.as_deref()))?;
        if let Some(name) = task.and_then(|t| t.object.clone()) {
            merged.object = Some(name);
        }
        merged.unnamed = task.and_then(|t| t.unnamed.clone());
        Some(merged)
    }
}

/// For a blocker that is no session, or that was gone when its row was read.
fn stand_in(id: i32) -> Request {
    let status = special_blocker(id).unwrap_or("gone");
    Request { session_id: id, status: Some(status.into()), ..Request::default() }
}

#[cfg(test)]
#[path = "blocking_tests.rs"]
mod tests;
