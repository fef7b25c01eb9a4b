//! Which file of `src` takes something from which other file of its module: the graph that `circles` judges.
//!
//! - A reference is a path in a `use` or in the code that starts with `crate`, `super`, `self`, a child module or the name
//!   of an imported module. Its target is the file that **defines** the name: a `pub use` is followed to its end.
//! - `mod child;` is no reference, and a `pub use` of what lies below its own file is a signpost and no reference either,
//!   unless the file uses the name itself. So a `mod.rs` that only shows its parts closes no circle; one that
//!   defines what its parts need, and works with the parts, does.
//! - To import a module is no reference; what is taken from it by a path is. `use x::*` is a reference to the file of `x`.
//! - Methods are not seen: an `impl` may be spread over files without a circle, as long as the paths go one way.
//! - Unit tests, and files for tests only, do not count.

use crate::project::{line_of, production};
use std::collections::{BTreeMap, HashMap};

/// A file of `src` with its code.
pub struct Source {
    pub path: String,
    pub lines: usize,
    /// `src/a/b.rs` and `src/a/b/mod.rs` are `["a", "b"]`
    module: Vec<String>,
    code: String,
    /// where its inline modules (`mod name { … }`) stand
    inline: Vec<(usize, usize)>,
    uses: Vec<Use>,
}

impl Source {
    /// The module of the crate that it belongs to.
    pub fn module(&self) -> &str {
        &self.module[0]
    }
}

/// One name that a `use` brings in.
struct Use {
    at: usize,
    end: usize,
    public: bool,
    /// absolute, from the crate's root; ends in `*` for a glob
    path: Vec<String>,
    name: String,
}

/// Files and, for each pair of them, the places of the references from the first to the second.
pub struct Graph {
    pub sources: Vec<Source>,
    pub edges: BTreeMap<(usize, usize), Vec<String>>,
}

impl Graph {
    /// Of the files in `src`.
    pub fn of_project() -> Self {
        Self::of(
            production()
                .into_iter()
                .map(|(file, code)| (file.path, file.text.lines().count(), code))
                .collect(),
        )
    }

    /// Of (path, lines, code without comments and strings).
    fn of(files: Vec<(String, usize, String)>) -> Self {
        let mut sources: Vec<Source> = files
            .into_iter()
            .map(|(path, lines, code)| Source {
                module: module_of(&path),
                inline: inline_modules(&code),
                uses: Vec::new(),
                path,
                lines,
                code,
            })
            .collect();
        let by_module: HashMap<Vec<String>, usize> =
            sources.iter().enumerate().map(|(nth, source)| (source.module.clone(), nth)).collect();
        for source in &mut sources {
            source.uses = uses_of(source, &by_module);
        }
        let mut graph = Self { sources, edges: BTreeMap::new() };
        for from in 0..graph.sources.len() {
            for (at, path) in graph.references(from, &by_module) {
                let Some(to) = graph.target(&path, &by_module, 8) else { continue };
                let source = &graph.sources[from];
                if to != from && graph.sources[to].module[0] == source.module[0] {
                    let place =
                        format!("{}:{}: `{}`", source.path, line_of(&source.code, at), path.join("::"));
                    graph.edges.entry((from, to)).or_default().push(place);
                }
            }
        }
        graph
    }

    /// Every reference of a file, with its place and its absolute path.
    fn references(&self, from: usize, modules: &HashMap<Vec<String>, usize>) -> Vec<(usize, Vec<String>)> {
        let source = &self.sources[from];
        let mut rest = source.code.clone().into_bytes();
        for used in &source.uses {
            rest[used.at..used.end].fill(b' ');
        }
        let rest = String::from_utf8_lossy(&rest).into_owned();
        let mut found = Vec::new();
        for used in &source.uses {
            let below = used.path.len() > source.module.len() && used.path.starts_with(&source.module);
            let signpost = used.public && below && !has_word(&rest, &used.name);
            if !signpost && !modules.contains_key(&used.path) {
                found.push((used.at, used.path.clone()));
            }
        }
        for (at, path) in paths(&rest) {
            found.extend(absolute(&path, at, source, modules).map(|path| (at, path)));
        }
        found
    }

    /// The file that defines what an absolute path names; None for another crate, or a module as such.
    fn target(&self, path: &[String], modules: &HashMap<Vec<String>, usize>, hops: usize) -> Option<usize> {
        let known = (1..=path.len()).rev().find(|len| modules.contains_key(&path[..*len]))?;
        let (file, name) = (modules[&path[..known]], path.get(known)?);
        let shown = |used: &&Use| used.public && (used.name == *name || used.name == "*");
        for used in self.sources[file].uses.iter().filter(shown).filter(|_| hops > 0) {
            let mut onward = used.path.clone();
            if used.name == "*" {
                onward.pop();
                let defines = modules.get(&onward).is_some_and(|nth| defines(&self.sources[*nth].code, name));
                if !defines {
                    continue;
                }
                onward.push(name.clone());
            }
            onward.extend_from_slice(&path[known + 1..]);
            if let Some(found) = self.target(&onward, modules, hops - 1) {
                return Some(found);
            }
        }
        Some(file)
    }
}

fn module_of(path: &str) -> Vec<String> {
    let within = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    within.split('/').map(str::to_owned).collect()
}

/// All that the `use` items of a file bring in, those for its tests left out. What does not lead into this crate is left
/// out, too.
fn uses_of(source: &Source, modules: &HashMap<Vec<String>, usize>) -> Vec<Use> {
    let code = &source.code;
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ").filter(|(at, _)| is_start(code, *at)) {
        let Some(len) = code[at..].find(';') else { continue };
        let before = code[..at].trim_end();
        let public = before.ends_with("pub") || before.ends_with(')');
        if before.trim_end_matches("pub").trim_end().ends_with("#[cfg(test)]") {
            continue;
        }
        let mut names = Vec::new();
        expand(&code[at + 4..at + len], &[], &mut names);
        for (path, name) in names {
            if let Some(path) = absolute(&path, at, source, modules) {
                found.push(Use { at, end: at + len, public, path, name });
            }
        }
    }
    found
}

/// `a::{b, c::{self, D as E}}` as its paths, each with the name that it gets here.
fn expand(tree: &str, before: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some((head, group)) = tree.split_once('{') {
        let mut path = before.to_vec();
        path.extend(head.split("::").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned));
        let inner = group.trim_end().strip_suffix('}').unwrap_or(group);
        let (mut depth, mut from) = (0_usize, 0);
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&inner[from..at], &path, found);
                    from = at + 1;
                }
                _ => {}
            }
        }
    } else if !tree.is_empty() {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
        let mut whole = before.to_vec();
        whole.extend(path.split("::").map(|word| word.trim().to_owned()));
        if whole.len() > 1 && whole.last().is_some_and(|last| last == "self") {
            whole.pop();
        }
        let name =
            alias.map_or_else(|| whole.last().cloned().unwrap_or_default(), |name| name.trim().to_owned());
        found.push((whole, name));
    }
}

/// Every `a::b::C` in code without its `use` items.
fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = code[at..].find("::") {
        let middle = at + next;
        let start = code[..middle].rfind(|c: char| !is_word(c)).map_or(0, |n| n + 1);
        let mut end = middle;
        while code[end..].starts_with("::") && code[end + 2..].starts_with(is_word) {
            end += 2 + code[end + 2..].find(|c: char| !is_word(c)).unwrap_or(code.len() - end - 2);
        }
        if start < middle && end > middle && !code[..start].ends_with(['$', ':']) {
            found.push((start, code[start..end].split("::").map(str::to_owned).collect()));
        }
        at = end.max(middle + 2);
    }
    found
}

/// A path from the crate's root, if it leads into this crate.
fn absolute(
    path: &[String],
    at: usize,
    source: &Source,
    modules: &HashMap<Vec<String>, usize>,
) -> Option<Vec<String>> {
    // An inline module is one step more to the roof.
    let mut depth = source.inline.iter().filter(|(from, to)| (*from..*to).contains(&at)).count();
    let mut base = source.module.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" | "dbtop" => return Some(path[1..].to_vec()),
        "self" if path.len() > 1 => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|word| word == "super") {
                rest = &rest[1..];
                if depth > 0 {
                    depth -= 1;
                } else {
                    base.pop()?;
                }
            }
        }
        head => {
            let child = [source.module.as_slice(), &[head.to_owned()]].concat();
            if !modules.contains_key(&child) {
                let bound = source.uses.iter().find(|used| used.name == head)?;
                // A type's own path is in its `use` already.
                modules.get(&bound.path)?;
                return Some([bound.path.as_slice(), &path[1..]].concat());
            }
        }
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// Where inline modules (`mod name { … }`) begin and end.
fn inline_modules(code: &str) -> Vec<(usize, usize)> {
    let heads = code.match_indices("mod ").filter(|(at, _)| is_start(code, *at));
    heads
        .filter_map(|(at, _)| {
            let open = code[at..].find(['{', ';']).map(|n| at + n)?;
            code[open..].starts_with('{').then(|| (open, open + block_len(&code[open..])))
        })
        .collect()
}

/// The length of the block that starts `code`, with both braces.
pub fn block_len(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    code.len()
}

fn defines(code: &str, name: &str) -> bool {
    ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "union"].iter().any(|kind| {
        let item = format!("{kind} {name}");
        code.match_indices(&item)
            .any(|(at, _)| is_start(code, at) && !code[at + item.len()..].starts_with(is_word))
    })
}

fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| is_start(code, at) && !code[at + word.len()..].starts_with(is_word))
}

/// True if a word may start at this byte.
pub fn is_start(code: &str, at: usize) -> bool {
    !code[..at].ends_with(is_word)
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn references_go_to_the_file_that_defines_the_name() {
    let files = [
        ("src/a/mod.rs", "mod b; mod c; mod d; pub use b::Bee; pub use c::*; pub struct Own;"),
        ("src/a/b.rs", "use super::{Own, See, d}; pub struct Bee; fn f() { d::deep(); }"),
        ("src/a/c.rs", "use crate::a::Bee as Other; pub struct See; mod x { use super::super::Own; }"),
        ("src/a/d.rs", "pub fn deep() { crate::other::far(); $crate::a::b::no(); }"),
        ("src/other.rs", "pub fn far() { crate::a::c::See; }"),
    ];
    // `c.rs` sees `Own` through two roofs; `mod.rs` only shows its parts, and `other.rs` is another module.
    let graph =
        Graph::of(files.iter().map(|(path, code)| ((*path).to_owned(), 1, (*code).to_owned())).collect());
    let named = |nth: usize| graph.sources[nth].path.trim_start_matches("src/a/").to_owned();
    let edges: Vec<_> = graph.edges.keys().map(|(a, b)| format!("{} {}", named(*a), named(*b))).collect();
    assert_eq!(edges, ["b.rs mod.rs", "b.rs c.rs", "b.rs d.rs", "c.rs mod.rs", "c.rs b.rs"]);
}
