//! How long files and functions are: short enough to be read in one go.

use crate::{
    imports::{block_len, is_start, is_word},
    project::{assert_none, files, line_of, production},
};

/// Most lines of a Rust file, its tests included.
const MAX_LINES: usize = 600;
/// Most lines of the middle one of all files in `src`.
const MAX_MEDIAN: usize = 200;
/// Most lines of a function, from its `fn` to its brace.
const MAX_FUNCTION: usize = 75;
/// Most lines of 99 of 100 functions.
const MAX_P99: usize = 50;

#[test]
fn files_are_short_enough_to_be_read() {
    let ours = files("src", ".rs");
    let mut offences = Vec::new();
    for file in ours.iter().chain(&files("tests", ".rs")) {
        let lines = file.text.lines().count();
        if lines > MAX_LINES {
            offences.push(format!(
                "{}: {lines} lines of at most {MAX_LINES}: split it by what it owns",
                file.path
            ));
        }
    }
    let sizes = Sizes::of(ours.iter().map(|file| file.text.lines().count()).collect());
    println!("files of src: {sizes}");
    if sizes.part(50) > MAX_MEDIAN {
        offences.push(format!("src: the median file has {} lines of at most {MAX_MEDIAN}", sizes.part(50)));
    }
    assert_none("file sizes", &offences);
}

#[test]
fn functions_are_short_enough_to_be_read() {
    let mut found = Vec::new();
    for (file, code) in production() {
        found.extend(
            functions(&code).into_iter().map(|(line, name, lines)| (lines, file.path.clone(), line, name)),
        );
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    let sizes = Sizes::of(found.iter().map(|(lines, ..)| *lines).collect());
    println!("functions of src: {sizes}");
    let told = |(lines, path, line, name): &(usize, String, usize, String)| {
        format!("{path}:{line}: {name} has {lines} lines")
    };
    let mut offences: Vec<String> =
        found.iter().take_while(|(lines, ..)| *lines > MAX_FUNCTION).map(told).collect();
    if sizes.part(99) > MAX_P99 {
        offences.push(format!(
            "1 of 100 functions has more than {} lines, goal {MAX_P99}; the longest:",
            sizes.part(99)
        ));
        offences.extend(found.iter().take(12).map(told));
    }
    assert_none("function sizes: say the steps by name, one function each", &offences);
}

/// Sizes in order, at least one.
struct Sizes(Vec<usize>);

impl Sizes {
    fn of(mut sizes: Vec<usize>) -> Self {
        sizes.sort_unstable();
        Self(sizes)
    }

    /// The size that so many percent do not exceed.
    fn part(&self, percent: usize) -> usize {
        self.0
            .get((self.0.len() * percent / 100).min(self.0.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }
}

impl std::fmt::Display for Sizes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [median, p90, p99, max] = [50, 90, 99, 100].map(|percent| self.part(percent));
        write!(
            f,
            "{} with {} lines, median {median}, p90 {p90}, p99 {p99}, max {max}",
            self.0.len(),
            self.0.iter().sum::<usize>()
        )
    }
}

/// Every function with a body: its line, its name, and how many lines it has.
fn functions(code: &str) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ").filter(|(at, _)| is_start(code, *at)) {
        let name: String = code[at + 3..].chars().take_while(|c| is_word(*c)).collect();
        let Some(open) = body(&code[at..]).filter(|_| !name.is_empty()) else { continue };
        let end = at + open + block_len(&code[at + open..]);
        found.push((line_of(code, at), name, code[at..end].lines().count()));
    }
    found
}

/// Where the body of the function that starts `code` opens; None if it has none.
fn body(code: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

#[test]
fn functions_are_found_with_their_ends() {
    let code = "trait T { fn no(x: [u8; 2]); }\nfn a() {\n  if x {\n  }\n}\nconst fn b(f: fn(u8) -> u8) -> [u8; 3] { f(1) }";
    let found: Vec<_> =
        functions(code).into_iter().map(|(line, name, lines)| format!("{line} {name} {lines}")).collect();
    assert_eq!(found, ["2 a 4", "6 b 1"]);
}
