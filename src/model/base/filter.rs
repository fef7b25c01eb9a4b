//! The filter language of `/` and of `once --filter`: what a person types to keep some rows.
//!
//! Terms are separated by blanks and must all hold. A term is
//! * a text, found anywhere in the row, whatever its case; with signs such as `.*[|` it is a regular expression;
//! * `"a text"` taken literally, blanks and all;
//! * `key=value`, `key!=value` (several values with commas, `*` for anything), `key~regex` for a field or label;
//! * `key>value`, `>=`, `<`, `<=` for figures; times are in seconds and sizes in MB unless a unit follows (`5m`, `2GB`);
//! * the same signs with a day or a moment, `2026-11-29` or `"2026-11-29 14:02"`: `=` is any time within it, `>` is after it;
//! * any of these with `!` before it: rows for which it does not hold.
//!
//! Blanks around a sign are none: `cpu > 80`. A figure is equal to what is typed if it is when written with as many digits:
//! `97` is 96.5 up to 97.5, `2016` is no other year, `1.5k` is 1,450 up to 1,550. A first `-l` or `-f` (k9s) says nothing.
//!
//! A row for which a figure is not known passes no comparison: unknown is not zero.

mod find;
pub mod rename;

pub use find::Seen;

use find::Needle;
use regex::{Regex, RegexBuilder};

/// An error in a filter, for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// not a regular expression
    #[error("{0} is no regular expression: put it in quotes to take it literally")]
    Regex(String),
    /// a comparison with something that is no figure
    #[error("{0} is no figure: write {1}80, {1}1.5k, {1}5m, {1}2GB, or for a day {1}2026-11-29")]
    Figure(String, String),
    /// no such field or label
    #[error("no field or label is called {0}")]
    Key(String),
    /// nothing after the sign
    #[error("a value is missing after {0}")]
    Value(String),
    /// a quote without its end
    #[error("the closing quote is missing")]
    Quote,
    /// a figure in a unit that the field does not have
    #[error("{key} is {is}, and {typed} is {not}: write {key}{advice}")]
    Unit {
        /// the field
        key: String,
        /// what it holds
        is: &'static str,
        /// what was typed
        typed: String,
        /// what that is
        not: &'static str,
        /// a sign and a value that fit
        advice: &'static str,
    },
}

/// One value of a row's field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// a name, a state
    Text(&'a str),
    /// a plain figure, or a percentage
    Number(f64),
    /// a time in milliseconds
    Ms(f64),
    /// a size in bytes
    Bytes(f64),
    /// a time or size whose name says its unit, as `read_ms` does: a plain figure means that one
    In(f64, Unit),
}

/// A unit that a name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// milliseconds
    Ms,
    /// bytes
    Bytes,
}

/// What the values of a field are, as far as some were seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    const TEXT: Self = Self(1);
    const PLAIN: Self = Self(2);
    const TIME: Self = Self(4);
    const SIZE: Self = Self(8);
    const FIGURE: Self = Self(2 | 4 | 8);

    /// Learns from a value.
    pub const fn learn(&mut self, value: Value<'_>) {
        self.0 |= match value {
            Value::Text(_) => Self::TEXT,
            Value::Number(_) => Self::PLAIN,
            Value::Ms(_) | Value::In(_, Unit::Ms) => Self::TIME,
            Value::Bytes(_) | Value::In(_, Unit::Bytes) => Self::SIZE,
        }
        .0;
    }

    /// No value was seen.
    pub const fn is_unknown(self) -> bool {
        self.0 == 0
    }

    const fn shares(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What it is in words, and a sign and a value that fit.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::TEXT => ("a text", "=NAME"),
            Self::TIME => ("a time", ">5s or >5m"),
            Self::SIZE => ("a size", ">5MB or >2GB"),
            _ => ("a plain figure", ">80 or >1.5k"),
        }
    }
}

impl<'a> Value<'a> {
    /// The text; None for a figure.
    pub const fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(t) => Some(t),
            Self::Number(_) | Self::Ms(_) | Self::Bytes(_) | Self::In(..) => None,
        }
    }

    /// The figure in its unit; None for a text.
    pub const fn figure(self) -> Option<f64> {
        match self {
            Self::Text(_) => None,
            Self::Number(v) | Self::Ms(v) | Self::Bytes(v) | Self::In(v, _) => Some(v),
        }
    }
}

/// The questions that a filter asks of a row.
pub trait Row {
    /// Appends everything that a plain term is looked for in.
    fn text(&self, out: &mut String);
    /// Visits what [`Row::text`] joins by blanks, piece by piece, if all of it stays where it is during a pass over the rows.
    /// False: the row does not tell it so.
    fn pieces(&self, _visit: &mut dyn FnMut(&str)) -> bool {
        false
    }
    /// Visits the values of a field or label; none if it is not known.
    fn values(&self, key: &str, visit: &mut dyn FnMut(Value<'_>));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone)]
enum Test {
    Contains(Needle),
    Matches(Regex),
    OneOf(String, Vec<Pattern>),
    FieldMatches(String, Regex),
    Compare(String, Order, Typed),
}

/// A figure, and how it was typed.
#[derive(Debug, Clone)]
struct Typed {
    figure: Figure,
    text: String,
}

/// A value to be equal to: a text with `*`, and a figure if it is one.
#[derive(Debug, Clone)]
struct Pattern {
    text: Regex,
    /// with half of its last digit
    figure: Option<(Typed, Figure)>,
}

/// A figure with its unit; times and sizes know what they are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Figure {
    /// no unit: seconds for times, MB for sizes
    Plain(f64),
    Ms(f64),
    Bytes(f64),
    /// the digits of a day, with hours, minutes and seconds as far as they were typed, and how many digits that are
    Moment(u64, usize),
}

/// A parsed filter. An empty one keeps every row.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// each with "not"
    terms: Vec<(bool, Test)>,
}

impl Filter {
    /// Keeps every row.
    pub const fn all() -> Self {
        Self { terms: Vec::new() }
    }

    /// Parses a text. `known` tells which fields and labels there are.
    ///
    /// # Errors
    /// [`FilterError`] says what to change.
    pub fn parse(text: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, FilterError> {
        let mut terms = Vec::new();
        for (word, quoted) in joined(words(text)?) {
            let (not, word) = match word.strip_prefix('!') {
                Some(rest) if !quoted => (true, rest),
                _ => (false, word.as_str()),
            };
            let (not, word, quoted) = match unquoted(word) {
                Some(inner) if !quoted => (not, inner, true),
                _ => (not, word, quoted),
            };
            if word.is_empty() {
                continue;
            }
            let (turned, what) =
                if quoted { (false, Test::Contains(Needle::new(word))) } else { term(word, known)? };
            terms.push((not != turned, what));
        }
        Ok(Self { terms })
    }

    /// The first comparison that no row can pass, because its figure is in a unit that the field does not have. `kinds` tells what
    /// fields hold; of one that is not known nothing is said.
    pub fn misfit(&self, kinds: &dyn Fn(&str) -> Kinds) -> Option<FilterError> {
        self.terms.iter().find_map(|(_, test)| {
            let (key, compared): (&String, Vec<&Typed>) = match test {
                Test::Compare(key, _, typed) => (key, vec![typed]),
                // A text may be equal to anything that is typed.
                Test::OneOf(key, patterns) if !kinds(key).shares(Kinds::TEXT) => {
                    (key, patterns.iter().filter_map(|pattern| Some(&pattern.figure.as_ref()?.0)).collect())
                }
                _ => return None,
            };
            let held = kinds(key);
            let odd =
                compared.into_iter().find(|typed| !held.is_unknown() && !held.shares(typed.figure.fits()))?;
            let (is, advice) = held.words();
            let not = odd.figure.words();
            Some(FilterError::Unit { key: key.clone(), is, typed: odd.text.clone(), not, advice })
        })
    }

    /// True if it keeps everything.
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True if the row stays. `scratch` is for reuse from row to row.
    pub fn keeps(&self, row: &dyn Row, scratch: &mut String) -> bool {
        self.keeps_in(row, scratch, None)
    }

    /// The same during a pass over many rows: what was `seen` of it is not searched again.
    pub fn keeps_in(&self, row: &dyn Row, scratch: &mut String, mut seen: Option<&mut Seen>) -> bool {
        let mut gathered = false;
        self.terms.iter().enumerate().all(|(n, (not, test))| {
            if let (Test::Contains(needle), Some(seen)) = (test, seen.as_deref_mut())
                && needle.is_within_a_piece()
            {
                let mut found = false;
                if row.pieces(&mut |piece| found = found || seen.holds(n, needle, piece)) {
                    return found != *not;
                }
            }
            if !gathered && matches!(test, Test::Contains(_) | Test::Matches(_)) {
                scratch.clear();
                row.text(scratch);
                gathered = true;
            }
            holds(test, row, scratch) != *not
        })
    }
}

/// Splits at blanks outside of quotes. True marks a word that was quoted from its first letter on.
fn words(text: &str) -> Result<Vec<(String, bool)>, FilterError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('"') {
            let end = inner.find('"').ok_or(FilterError::Quote)?;
            found.push((inner[..end].to_owned(), true));
            rest = inner[end + 1..].trim_start();
            continue;
        }
        let mut open = false;
        let end = rest
            .find(|c: char| {
                open ^= c == '"';
                c.is_whitespace() && !open
            })
            .unwrap_or(rest.len());
        if open {
            return Err(FilterError::Quote);
        }
        found.push((rest[..end].to_owned(), false));
        rest = rest[end..].trim_start();
    }
    Ok(found)
}

/// Puts a comparison together that was typed with blanks: a bare name, a sign, a value.
fn joined(words: Vec<(String, bool)>) -> Vec<(String, bool)> {
    let is_name = |word: &str| {
        let name = word.strip_prefix('!').unwrap_or(word);
        !name.is_empty() && name.chars().all(is_of_name)
    };
    let begins = |word: &str| SIGNS.iter().any(|sign| word.starts_with(sign));
    let waits = |word: &str| {
        split(word.strip_prefix('!').unwrap_or(word)).is_some_and(|(.., value)| value.is_empty())
    };
    let mut found: Vec<(String, bool)> = Vec::with_capacity(words.len());
    for (n, (word, quoted)) in words.into_iter().enumerate() {
        if n == 0 && !quoted && matches!(word.as_str(), "-l" | "-f") {
            continue;
        }
        match found.last_mut() {
            Some((last, false)) if !quoted && is_name(last) && begins(&word) => last.push_str(&word),
            // Another comparison is no value: the one before it lacks its own.
            Some((last, false)) if waits(last) && (quoted || split(&word).is_none()) => last.push_str(&word),
            _ => found.push((word, quoted)),
        }
    }
    found
}

/// Signs that a field or label may be called by.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')
}

fn unquoted(word: &str) -> Option<&str> {
    word.strip_prefix('"')?.strip_suffix('"')
}

const SIGNS: [&str; 7] = ["!=", "<=", ">=", "=", "<", ">", "~"];

/// `key sign value` if the word starts with a name and a sign follows it.
fn split(word: &str) -> Option<(&str, &str, &str)> {
    let end = word.find(|c: char| !is_of_name(c))?;
    let (key, rest) = word.split_at(end);
    let sign = SIGNS.iter().find(|s| rest.starts_with(**s))?;
    if key.is_empty() { None } else { Some((key, sign, &rest[sign.len()..])) }
}

/// Reads a term; the flag is true if its sign was a negation.
fn term(word: &str, known: &dyn Fn(&str) -> bool) -> Result<(bool, Test), FilterError> {
    let Some((key, sign, value)) = split(word) else {
        let special = word.contains(['\\', '^', '$', '*', '+', '?', '(', ')', '[', ']', '{', '}', '|']);
        let test = if special { Test::Matches(regex(word)?) } else { Test::Contains(Needle::new(word)) };
        return Ok((false, test));
    };
    if !known(key) {
        return Err(FilterError::Key(key.to_owned()));
    }
    let value = unquoted(value).unwrap_or(value);
    if value.is_empty() {
        return Err(FilterError::Value(format!("{key}{sign}")));
    }
    let key_text = key.to_ascii_lowercase();
    let order = match sign {
        "<" => Order::Less,
        "<=" => Order::LessOrEqual,
        ">" => Order::Greater,
        ">=" => Order::GreaterOrEqual,
        "~" => return Ok((false, Test::FieldMatches(key_text, regex(value)?))),
        _ => {
            let patterns =
                value.split(',').filter(|v| !v.is_empty()).map(pattern).collect::<Result<Vec<_>, _>>()?;
            // Of no value nothing is one: commas alone would keep no row, and say nothing.
            if patterns.is_empty() {
                return Err(FilterError::Value(format!("{key}{sign}")));
            }
            return Ok((sign == "!=", Test::OneOf(key_text, patterns)));
        }
    };
    let wrong = || FilterError::Figure(value.to_owned(), format!("{key}{sign}"));
    let typed = Typed { figure: figure(value).ok_or_else(wrong)?, text: value.to_owned() };
    Ok((false, Test::Compare(key_text, order, typed)))
}

fn regex(text: &str) -> Result<Regex, FilterError> {
    let built = RegexBuilder::new(text).case_insensitive(true).size_limit(1 << 20).build();
    built.map_err(|_| FilterError::Regex(text.to_owned()))
}

/// A value with `*` for anything.
fn pattern(value: &str) -> Result<Pattern, FilterError> {
    let parts: Vec<String> = value.split('*').map(regex::escape).collect();
    Ok(Pattern {
        text: regex(&format!("^{}$", parts.join(".*")))?,
        figure: figure(value).map(|figure| Typed { figure, text: value.to_owned() }).zip(half_digit(value)),
    })
}

/// The first digits of a moment as it is written everywhere, `2026-11-29 14:02:11 UTC`, at most so many; None for other texts.
fn moment(text: &str, most: usize) -> Option<Figure> {
    const SHAPE: &[u8] = b"0000-00-00 00:00:00";
    let (mut digits, mut count) = (0_u64, 0);
    for (c, wanted) in text.bytes().zip(SHAPE) {
        match wanted {
            _ if count == most => break,
            b'0' if c.is_ascii_digit() => (digits, count) = (digits * 10 + u64::from(c - b'0'), count + 1),
            b' ' if c == b'T' => {}
            sign if c == *sign => {}
            _ => return None,
        }
    }
    (count >= 8).then_some(Figure::Moment(digits, count))
}

/// `80`, `1.5k`, `5m`, `2GB`, `95%`, `2026-11-29`.
fn figure(text: &str) -> Option<Figure> {
    if let Some(moment) = moment(text, usize::MAX) {
        return Some(moment);
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-'))).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let n: f64 = number.parse().ok()?;
    Some(match unit {
        "" | "%" => Figure::Plain(n),
        "k" => Figure::Plain(n * 1e3),
        "M" => Figure::Plain(n * 1e6),
        "ms" => Figure::Ms(n),
        "s" => Figure::Ms(n * 1e3),
        "m" | "min" => Figure::Ms(n * 6e4),
        "h" => Figure::Ms(n * 3.6e6),
        "d" => Figure::Ms(n * 8.64e7),
        _ => match unit.to_ascii_uppercase().as_str() {
            "KB" => Figure::Bytes(n * 1024.0),
            "MB" => Figure::Bytes(n * 1024.0 * 1024.0),
            "GB" => Figure::Bytes(n * 1024.0 * 1024.0 * 1024.0),
            "TB" => Figure::Bytes(n * 1024.0 * 1024.0 * 1024.0 * 1024.0),
            _ => return None,
        },
    })
}

/// Half of the last digit of a typed figure, in its unit: 0.5 of `97`, 50 of `1.5k`. A moment is compared by its digits, and is its own.
fn half_digit(text: &str) -> Option<Figure> {
    if let Some(moment) = moment(text, usize::MAX) {
        return Some(moment);
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-'))).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let digits = number.split_once('.').map_or(0, |(_, digits)| digits.len());
    figure(&format!("0.{}5{unit}", "0".repeat(digits)))
}

impl Figure {
    /// What it can be compared with.
    const fn fits(self) -> Kinds {
        match self {
            Self::Plain(_) => Kinds::FIGURE,
            Self::Ms(_) => Kinds::TIME,
            Self::Bytes(_) => Kinds::SIZE,
            Self::Moment(..) => Kinds::TEXT,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Plain(_) => "a figure",
            Self::Ms(_) => "a time",
            Self::Bytes(_) => "a size",
            Self::Moment(..) => "a moment",
        }
    }
}

/// The row's value and the typed one in the same unit; None if they cannot be compared.
fn in_one_unit(value: Value<'_>, typed: Figure) -> Option<(f64, f64)> {
    match (value, typed) {
        (Value::Number(a) | Value::In(a, _), Figure::Plain(b))
        | (Value::Ms(a) | Value::In(a, Unit::Ms), Figure::Ms(b))
        | (Value::Bytes(a) | Value::In(a, Unit::Bytes), Figure::Bytes(b)) => Some((a, b)),
        (Value::Ms(a), Figure::Plain(b)) => Some((a, b * 1e3)),
        (Value::Bytes(a), Figure::Plain(b)) => Some((a, b * 1024.0 * 1024.0)),
        // Fourteen digits are exact.
        (Value::Text(t), Figure::Moment(b, count)) => match moment(t, count) {
            Some(Figure::Moment(a, n)) if n == count => Some((a as f64, b as f64)),
            _ => None,
        },
        _ => None,
    }
}

fn holds(what: &Test, row: &dyn Row, text: &str) -> bool {
    match what {
        Test::Contains(needle) => needle.is_in(text),
        Test::Matches(regex) => regex.is_match(text),
        Test::OneOf(key, patterns) => any(row, key, |v| patterns.iter().any(|p| equals(v, p))),
        Test::FieldMatches(key, regex) => any(row, key, |v| matches!(v, Value::Text(t) if regex.is_match(t))),
        Test::Compare(key, order, typed) => any(row, key, |v| {
            in_one_unit(v, typed.figure).is_some_and(|(a, b)| match order {
                Order::Less => a < b,
                Order::LessOrEqual => a <= b,
                Order::Greater => a > b,
                Order::GreaterOrEqual => a >= b,
            })
        }),
    }
}

fn any(row: &dyn Row, key: &str, test: impl Fn(Value<'_>) -> bool) -> bool {
    let mut found = false;
    row.values(key, &mut |v| found = found || test(v));
    found
}

fn equals(value: Value<'_>, pattern: &Pattern) -> bool {
    match value {
        Value::Text(t) => {
            let is_then = |(typed, _): &(Typed, Figure)| {
                in_one_unit(value, typed.figure).is_some_and(|(a, b)| a.total_cmp(&b).is_eq())
            };
            pattern.text.is_match(t) || pattern.figure.as_ref().is_some_and(is_then)
        }
        v => pattern.figure.as_ref().is_some_and(|(typed, half)| {
            let (figure, half) = (in_one_unit(v, typed.figure), in_one_unit(v, *half));
            figure.zip(half).is_some_and(|((a, b), (_, half))| a >= b - half && a < b + half)
        }),
    }
}

#[cfg(test)]
mod tests;
