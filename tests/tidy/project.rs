//! Reads the project: its files, and Rust source without comments and strings.

use std::{fs, path::Path};

/// A text file of the project.
pub struct File {
    /// Path from the project's root, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl File {
    /// The module of the crate that the file belongs to: `src/tds/connect.rs` is of `tds`, `src/lib.rs` of `lib`.
    pub fn module(&self) -> Option<&str> {
        let within = self.path.strip_prefix("src/")?;
        within.split('/').next().map(|first| first.trim_end_matches(".rs"))
    }
}

/// The text of one file; None if there is no such file.
pub fn read(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

/// All files under `folder` (empty: the whole project) whose names end in `ending`, sorted by path. Build results and
/// the repository's own data are left out, and so is what is not text.
pub fn files(folder: &str, ending: &str) -> Vec<File> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if matches!(name.as_str(), "target" | ".git" | "proptest-regressions") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(ending)
                && let Ok(text) = fs::read_to_string(&path)
            {
                let path = path.strip_prefix(root()).unwrap_or(&path);
                found.push(File { path: path.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The sources of the program itself, each with its code (see [`code_of`]): without unit tests, and without the files
/// that are compiled for tests only.
pub fn production() -> Vec<(File, String)> {
    let all = files("src", ".rs");
    let for_tests: Vec<String> = all.iter().flat_map(test_modules).collect();
    all.into_iter()
        .filter(|file| !for_tests.contains(&file.path))
        .map(|file| {
            let mut code = code_of(&file.text);
            if let Some(tests) = code.find("#[cfg(test)]\nmod tests {") {
                code.truncate(tests);
            }
            (file, code)
        })
        .collect()
}

/// The files of the modules that `file` declares behind `#[cfg(test)]`.
fn test_modules(file: &File) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_root = file.path.ends_with("/mod.rs") || file.path == "src/lib.rs";
    let within = if is_root { folder.to_owned() } else { file.path.trim_end_matches(".rs").to_owned() };
    let mut found = Vec::new();
    for (at, mark) in file.text.match_indices("#[cfg(test)]") {
        let declaration = file.text[at + mark.len()..].split([';', '{']).next().unwrap_or_default();
        let Some((before, name)) = declaration.rsplit_once("mod ") else { continue };
        let named = before.split_once("#[path = \"").and_then(|(_, rest)| rest.split('"').next());
        found.push(match named {
            Some(path) => format!("{folder}/{path}"),
            None => format!("{within}/{}.rs", name.trim()),
        });
    }
    found
}

/// Fails with all `offences`, one a line, under the rule that they break.
#[track_caller]
pub fn assert_none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "\n{rule}:\n  {}\n", offences.join("\n  "));
}

/// The line, from 1, on which byte `at` of `text` stands.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count() + 1
}

/// Rust source with its comments and the contents of its strings blanked; every byte keeps its place.
pub fn code_of(rust: &str) -> String {
    let mut out = rust.as_bytes().to_vec();
    for (at, len, _) in no_code(rust) {
        for byte in out.iter_mut().skip(at).take(len).filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The strings of Rust source with the byte at which each begins, over the ends of lines that it is written on.
pub fn strings_of(rust: &str) -> Vec<(usize, String)> {
    let strings = no_code(rust).into_iter().filter(|(.., is_string)| *is_string);
    let whole = |(at, len, _): (usize, usize, bool)| {
        let mut text = String::new();
        for (n, part) in rust[at..at + len].split("\\\n").enumerate() {
            text.push_str(if n == 0 { part } else { part.trim_start() });
        }
        (at, text)
    };
    strings.map(whole).collect()
}

/// Comments, strings and characters: where each begins, its length, and whether it is a string.
fn no_code(rust: &str) -> Vec<(usize, usize, bool)> {
    let bytes = rust.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let tail = &rust[at..];
        let (len, is_string) = if tail.starts_with("//") {
            (tail.find('\n').unwrap_or(tail.len()), false)
        } else if tail.starts_with("/*") {
            (tail.find("*/").map_or(tail.len(), |end| end + 2), false)
        } else if tail.starts_with('"') {
            (string_len(tail), true)
        } else if let Some(len) = raw_string_len(tail).filter(|_| !is_word_before(bytes, at)) {
            (len, true)
        } else {
            (char_len(tail), false)
        };
        if len == 0 {
            at += tail.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        found.push((at, len, is_string));
        at += len;
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_word_before(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric() || bytes[before] == b'_')
}

fn string_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Length of `r"…"`, `r#"…"#` and so on, at the start of `rest`.
fn raw_string_len(rest: &str) -> Option<usize> {
    let after_r = rest.strip_prefix('r')?;
    let hashes = after_r.len() - after_r.trim_start_matches('#').len();
    let body = after_r[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&close).map_or(rest.len(), |end| 2 + hashes + end + close.len()))
}

/// Length of a character literal; 0 for a lifetime or anything else.
fn char_len(rest: &str) -> usize {
    let Some(inner) = rest.strip_prefix('\'') else { return 0 };
    if inner.starts_with('\\') {
        return inner.get(2..).and_then(|tail| tail.find('\'')).map_or(0, |end| end + 4);
    }
    let first = inner.chars().next().map_or(0, char::len_utf8);
    if inner[first..].starts_with('\'') { first + 2 } else { 0 }
}

#[test]
fn comments_and_strings_are_blanked() {
    let source =
        "use a; // crate::b\nlet x = \"crate::c\\\"\"; r#\"crate::d\"#; '\"'; 'l: /* e */ crate::f \"\"";
    let code = code_of(source);
    assert_eq!(code.len(), source.len());
    assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), "use a; let x = ; ; ; 'l: crate::f");
}

#[test]
fn strings_are_whole_over_the_ends_of_lines() {
    let source = "f(\"one \\\n   two\", r\"three\"); // \"four\"\n'\"'; \"fi\\\"ve\"";
    let texts: Vec<String> = strings_of(source).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["\"one two\"", "r\"three\"", "\"fi\\\"ve\""]);
    assert_eq!(strings_of(source)[1].0, source.find("r\"").unwrap());
}

#[test]
fn modules_for_tests_are_known_by_their_declaration() {
    let text =
        "#[cfg(test)]\npub(crate) mod fake;\n#[cfg(test)]\n#[path = \"b_tests.rs\"]\nmod tests;\nmod real;";
    let declared = |path: &str| test_modules(&File { path: path.into(), text: text.into() });
    assert_eq!(declared("src/a/mod.rs"), ["src/a/fake.rs", "src/a/b_tests.rs"]);
    assert_eq!(declared("src/a/b.rs"), ["src/a/b/fake.rs", "src/a/b_tests.rs"]);
    assert!(production().iter().all(|(file, _)| file.path != "src/sql/names/tests.rs"));
}
