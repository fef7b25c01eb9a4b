//! No import circles: within each module of `src`, at most two files import each other. `imports`
//! says what counts as an import.

use crate::{imports::Graph, project::assert_none};
use std::collections::{BTreeMap, BTreeSet};

/// Most files of a circle: two that are halves of one thing.
const MOST: usize = 2;

#[test]
fn no_module_is_a_knot() {
    let graph = Graph::of_project();
    let circles = circles(&graph.edges.keys().copied().collect());
    let mut modules: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (nth, source) in graph.sources.iter().enumerate() {
        modules.entry(source.module()).or_default().push(nth);
    }
    let lines = |files: &[usize]| files.iter().map(|nth| graph.sources[*nth].lines).sum::<usize>();
    let mut offences = Vec::new();
    println!("{:<10} {:>6} {:>7} {:>15}", "module", "files", "lines", "largest circle");
    for (module, files) in &modules {
        let inside = circles.iter().filter(|circle| files.contains(&circle[0]));
        let (count, of) =
            inside.clone().map(|circle| (circle.len(), lines(circle))).max().unwrap_or_default();
        println!("{module:<10} {:>6} {:>7} {count:>7} {of:>7}", files.len(), lines(files));
        for circle in inside.filter(|circle| circle.len() > MOST) {
            let (count, advice) = (circle.len(), advice(&graph, circle));
            offences.push(format!("{module}: a circle of {count} files, at most {MOST}:\n{advice}"));
        }
    }
    assert_none("circles of imports inside a module", &offences);
}

/// The imports of a circle of which one less helps most, with what would be left.
fn advice(graph: &Graph, circle: &[usize]) -> String {
    let inside: BTreeSet<(usize, usize)> =
        graph.edges.keys().filter(|(a, b)| circle.contains(a) && circle.contains(b)).copied().collect();
    let left_without = |edge: &(usize, usize)| {
        let others = inside.iter().filter(|other| *other != edge).copied().collect();
        circles(&others).iter().map(Vec::len).max().unwrap_or(0)
    };
    let mut cuts: Vec<_> =
        inside.iter().map(|edge| (left_without(edge), graph.edges[edge].len(), *edge)).collect();
    cuts.sort_unstable();
    let mut text = vec!["    of these imports, to cut one helps most:".to_owned()];
    for (left, count, edge) in cuts.iter().take(6) {
        let (to, first) = (&graph.sources[edge.1].path, &graph.edges[edge][0]);
        let more = if *count > 1 { format!(", and {} more", count - 1) } else { String::new() };
        text.push(format!("    leaves {left}: {first} of {to}{more}"));
    }
    let names: Vec<_> = circle.iter().map(|nth| graph.sources[*nth].path.as_str()).collect();
    text.push(format!("    the circle: {}", names.join(" ")));
    text.join("\n")
}

/// The circles of a graph: its strongly connected components of two files and more.
fn circles(edges: &BTreeSet<(usize, usize)>) -> Vec<Vec<usize>> {
    let mut onward: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut back: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (a, b) in edges {
        onward.entry(*a).or_default().push(*b);
        back.entry(*b).or_default().push(*a);
    }
    let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
    for start in onward.keys() {
        walk(*start, &onward, &mut seen, &mut order);
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for start in order.into_iter().rev() {
        let mut part = Vec::new();
        walk(start, &back, &mut seen, &mut part);
        if part.len() > 1 {
            part.sort_unstable();
            found.push(part);
        }
    }
    found
}

/// Everything that is reached from a file and was not seen before, in the order in which it is left.
fn walk(from: usize, edges: &BTreeMap<usize, Vec<usize>>, seen: &mut BTreeSet<usize>, left: &mut Vec<usize>) {
    if !seen.insert(from) {
        return;
    }
    for to in edges.get(&from).into_iter().flatten() {
        walk(*to, edges, seen, left);
    }
    left.push(from);
}

#[test]
fn circles_are_found() {
    let edges = BTreeSet::from([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3), (4, 5), (6, 0)]);
    assert_eq!(circles(&edges), [vec![0, 1, 2], vec![3, 4]]);
}
