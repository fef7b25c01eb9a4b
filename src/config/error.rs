//! Errors in configuration and inventory files: where, what, and what to write instead. Made by [`super::read()`] and
//! [`super::inventory`], printed by `command`. An error never holds a password: texts of an inventory stay out of it.

use std::{fmt, path::PathBuf};

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// the default
    Default,
    /// a file; its line from 1, unless it is about the file as a whole
    File {
        /// which
        path: PathBuf,
        /// where
        line: Option<usize>,
    },
    /// an environment variable
    Variable(String),
    /// an option of the command line, such as `--theme`
    CommandLine(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::File { path, line: Some(line) } => write!(f, "{}: line {line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::CommandLine(option) => f.write_str(option),
        }
    }
}

/// One error. Shown as `file: line 3: [ui] has no option `theem`; did you mean `theme`?`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// its place
    pub at: Origin,
    /// the option, such as `poll.fleet_s`; empty where there is none
    pub option: String,
    /// the problem
    pub problem: String,
    /// the way out; empty if the problem says it
    pub advice: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.problem)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, "; {}", self.advice) }
    }
}

/// The reason why there is no valid configuration or inventory.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// the inventory cannot be read
    #[error("reading {}: {source}", path.display())]
    Read {
        /// file
        path: PathBuf,
        /// cause
        source: std::io::Error,
    },
    /// all errors, each with its file and line or its variable, and the option
    #[error("{}", list(.0))]
    Invalid(Vec<Invalid>),
}

/// Several errors as one text: a single one in one line, more of them below a headline.
pub(super) fn list(errors: &[Invalid]) -> String {
    /// The most errors that are listed.
    const SHOWN: usize = 20;
    if let [only] = errors {
        return only.to_string();
    }
    let mut text = format!("{} errors", errors.len());
    for error in errors.iter().take(SHOWN) {
        text.push_str("\n  ");
        text.push_str(&error.to_string());
    }
    if errors.len() > SHOWN {
        text.push_str("\n  …");
    }
    text
}

/// Finds the name that was probably meant: few letters are missing, wrong or swapped.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let far = |name: &str| strsim::damerau_levenshtein(&word, &name.to_lowercase());
    let close = |name: &str, distance: usize| distance <= (name.len().max(word.len()) / 3).max(1);
    names.into_iter().map(|name| (far(name), name)).filter(|(d, name)| close(name, *d)).min().map(|(_, n)| n)
}

/// The parser's words about a value, in one line: without the names of Rust's types and without control characters.
pub(super) fn plain(message: &str) -> String {
    /// The most characters of it: a value may be as long as a file.
    const LONGEST: usize = 160;
    let mut words: String = said(&message.trim().replace(" as i128", ""))
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if words.chars().count() > LONGEST {
        words = words.chars().take(LONGEST).chain(['…']).collect();
    }
    words
}

/// `invalid type: string "soon", expected u32` is `"soon" is not a whole number`.
fn said(message: &str) -> String {
    /// What the parser calls a thing, and what people do. The first that fits is taken.
    const FOUND: [(&str, &str); 7] = [
        ("string ", ""),
        ("integer ", ""),
        ("floating point ", ""),
        ("boolean ", ""),
        ("sequence", "a list"),
        ("map", "a table"),
        ("datetime", "a date"),
    ];
    const WANTED: [(&str, &str); 6] = [
        ("a string", "a text"),
        ("a boolean", "true or false"),
        ("a sequence", "a list"),
        ("a map", "a table"),
        ("struct", "a table"),
        ("f64", "a number"),
    ];
    let spoken = |words: &str, table: &[(&str, &str)]| {
        let known = table.iter().find_map(|(theirs, ours)| {
            let rest = words.strip_prefix(theirs)?;
            Some(if ours.is_empty() { rest } else { *ours })
        });
        known.unwrap_or(words).replace('`', "")
    };
    let parts = |kind: &str| message.strip_prefix(kind)?.rsplit_once(", expected ");
    let is_whole = |wanted: &str| ["u8", "u16", "u32", "u64", "usize", "i64"].contains(&wanted);
    if let Some((found, wanted)) = parts("invalid type: ") {
        let wanted = if is_whole(wanted) { "a whole number".to_owned() } else { spoken(wanted, &WANTED) };
        format!("{} is not {wanted}", spoken(found, &FOUND))
    } else if let Some((found, _)) = parts("invalid value: ").filter(|(_, wanted)| is_whole(wanted)) {
        let found = spoken(found, &FOUND);
        format!("{found} is {}", if found.starts_with('-') { "below 0" } else { "too great" })
    } else if let Some((found, wanted)) = parts("invalid value: ") {
        format!("{} is not {}", spoken(found, &FOUND), spoken(wanted, &WANTED))
    } else if let Some(name) = message.strip_prefix("missing field ") {
        format!("{name} is missing")
    } else if let Some((found, wanted)) = parts("unknown variant ") {
        let wanted = wanted.trim_start_matches("one of ");
        format!("{found} is not known: write {wanted}")
    } else {
        message.to_owned()
    }
}

/// Replaces the parser's list of all names by the name that was probably meant, if one is near.
pub(super) fn shorten(message: &str) -> (String, String) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((unknown, names)) if message.starts_with("unknown field") => {
            match nearest(unknown, names.iter().copied()) {
                Some(name) => (format!("unknown option `{unknown}`"), format!("did you mean `{name}`?")),
                None => (message.replacen("unknown field", "unknown option", 1), String::new()),
            }
        }
        _ => (message.to_owned(), String::new()),
    }
}

/// The line of a byte, from 1.
pub(super) fn line_at(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or("").matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["theme", "mouse", "low_bandwidth"];
        for (word, meant) in [("theem", "theme"), ("Mouse", "mouse"), ("low_bandwith", "low_bandwidth")] {
            assert_eq!(nearest(word, names), Some(meant));
        }
        assert_eq!(nearest("colour", names), None, "nothing is better than a wild guess");
        assert_eq!(nearest("fleet", ["fleet_s", "fleet_detail_s"]), Some("fleet_s"));
    }

    #[test]
    fn one_error_is_a_line_and_several_are_a_list() {
        let one = |line| Invalid {
            at: Origin::File { path: "c.toml".into(), line: Some(line) },
            option: String::new(),
            problem: "is wrong".into(),
            advice: "do it right".into(),
        };
        assert_eq!(list(&[one(3)]), "c.toml: line 3: is wrong; do it right");
        assert_eq!(list(&[one(3), one(5)]).lines().count(), 3);
        assert_eq!(list(&vec![one(1); 50]).lines().count(), 22, "nobody reads fifty lines");
    }

    #[test]
    fn words_of_the_parser_are_for_people() {
        let text = plain("invalid type: string \"a\u{1b}[31m\", expected u32\n");
        assert_eq!(text, "\"a [31m\" is not a whole number");
        for (theirs, ours) in [
            ("invalid type: integer `5`, expected a boolean", "5 is not true or false"),
            ("invalid type: sequence, expected a string", "a list is not a text"),
            ("invalid type: string \"1\", expected f64", "\"1\" is not a number"),
            ("invalid value: integer `-1`, expected u32", "-1 is below 0"),
            ("invalid value: integer `70000`, expected u16", "70000 is too great"),
            ("missing field `host`", "`host` is missing"),
            ("unknown variant `of`, expected `on` or `off`", "`of` is not known: write `on` or `off`"),
            ("unknown variant `x`, expected one of `a`, `b`", "`x` is not known: write `a`, `b`"),
        ] {
            assert_eq!(plain(theirs), ours);
        }
        let long = |chars: usize| plain(&"é".repeat(chars)).chars().count();
        assert_eq!([long(160), long(161), long(10_000)], [160, 161, 161], "cut, with a mark");
        assert!(!plain(&"é".repeat(160)).contains('…') && plain(&"é".repeat(161)).ends_with('…'));
        let (problem, advice) = shorten("unknown field `tsl`, expected one of `name`, `tls`");
        assert_eq!((problem.as_str(), advice.as_str()), ("unknown option `tsl`", "did you mean `tls`?"));
    }
}
