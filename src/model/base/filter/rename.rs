//! Names in the text of a filter: whether it asks for a group or a label, and the same text with another name in its place. For saved
//! filters, which would find nothing after a rename.

use super::{FilterError, joined, pattern, regex, split, unquoted, words};

/// A filter after a rename.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renamed {
    /// the text with the new name; None: the old one does not stand in it
    pub text: Option<String>,
    /// it finds the old name by a pattern, or beside others that keep the old key: a person must look at it
    pub is_open: bool,
}

/// A filter in which `old` (key and value, as `("group", "web")`) is called `new`.
///
/// # Errors
/// It cannot be read.
pub fn renamed(text: &str, old: (&str, &str), new: (&str, &str)) -> Result<Renamed, FilterError> {
    let mut found = Renamed::default();
    let mut is_changed = false;
    let mut out: Vec<String> = Vec::new();
    for (word, quoted) in joined(words(text)?) {
        if quoted {
            out.push(format!("\"{word}\""));
            continue;
        }
        let (not, bare) = word.strip_prefix('!').map_or(("", &*word), |rest| ("!", rest));
        let Some((key, sign, value)) = split(bare) else {
            out.push(word);
            continue;
        };
        let value = unquoted(value).unwrap_or(value);
        if value.contains('"') {
            // Quotes in the middle are part of the value: it stays as it is.
            out.push(word);
            continue;
        }
        let (mut key, mut value) = (key.to_owned(), value.to_owned());
        if key.eq_ignore_ascii_case(old.0) {
            match term(sign, &value, old, new)? {
                Term::Other => {}
                Term::Open => found.is_open = true,
                Term::Named(to) => {
                    is_changed = true;
                    value = to;
                    if !old.0.eq_ignore_ascii_case(new.0) {
                        new.0.clone_into(&mut key);
                    }
                }
            }
        }
        let quote = if value.contains(char::is_whitespace) { "\"" } else { "" };
        out.push(format!("{not}{key}{sign}{quote}{value}{quote}"));
    }
    found.text = is_changed.then(|| out.join(" "));
    Ok(found)
}

/// True if a filter asks for this value of the key, by name or by a pattern.
pub fn names(text: &str, key: &str, value: &str) -> bool {
    // No value is empty, so a pattern that takes the empty one takes all.
    renamed(text, (key, value), (key, "")).is_ok_and(|found| found.is_open || found.text.is_some())
}

/// What a term says of a name.
enum Term {
    /// nothing
    Other,
    /// it may mean it, and cannot be written anew
    Open,
    /// it names it: these are its values afterwards
    Named(String),
}

fn term(sign: &str, value: &str, old: (&str, &str), new: (&str, &str)) -> Result<Term, FilterError> {
    let is_same_key = old.0.eq_ignore_ascii_case(new.0);
    match sign {
        "=" | "!=" => {}
        "~" => {
            let regex = regex(value)?;
            let is_open = regex.is_match(old.1) && !(is_same_key && regex.is_match(new.1));
            return Ok(if is_open { Term::Open } else { Term::Other });
        }
        _ => return Ok(Term::Other),
    }
    let values: Vec<&str> = value.split(',').filter(|value| !value.is_empty()).collect();
    let is_old = |value: &&&str| value.to_lowercase() == old.1.to_lowercase();
    if values.iter().any(|value| is_old(&value)) {
        // A comma or a quote in a name cannot be written, nor can two keys in one term.
        let is_sayable = !new.1.contains([',', '"']);
        let is_alone = values.iter().all(|value| is_old(&value));
        return Ok(if is_sayable && (is_same_key || is_alone) {
            let to = |value: &&str| if is_old(&value) { new.1.to_owned() } else { (*value).to_owned() };
            let mut values: Vec<String> = values.iter().map(to).collect();
            values.dedup();
            Term::Named(values.join(","))
        } else {
            Term::Open
        });
    }
    for value in values.into_iter().filter(|value| value.contains('*')) {
        let pattern = pattern(value)?.text;
        if pattern.is_match(old.1) && !(is_same_key && pattern.is_match(new.1)) {
            return Ok(Term::Open);
        }
    }
    Ok(Term::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_group_is_named_anew_wherever_it_stands_and_all_else_stays() {
        let group = |text: &str| renamed(text, ("group", "web"), ("group", "front end")).unwrap();
        for (text, to) in [
            ("group=web", "group=\"front end\""),
            ("GROUP = WEB env=prod", "GROUP=\"front end\" env=prod"),
            ("!group=web cpu>80", "!group=\"front end\" cpu>80"),
            ("group!=web,erp", "group!=\"front end,erp\""),
            ("\"group=web\" group=\"web\" a.*", "\"group=web\" group=\"front end\" a.*"),
        ] {
            assert_eq!(group(text), Renamed { text: Some(to.to_owned()), is_open: false }, "{text}");
        }
        for text in ["group=webshop", "web", "env=web", "\"group=web\"", "group=*", "group~x", ""] {
            assert_eq!(group(text), Renamed::default(), "{text}");
        }
        for text in ["group=w*", "group~^web$", "!group~we."] {
            assert_eq!(group(text), Renamed { text: None, is_open: true }, "{text}");
        }
        assert!(renamed("group=\"web", ("group", "web"), ("group", "x")).is_err());
    }

    #[test]
    fn a_label_takes_its_key_along_unless_others_need_the_old_one() {
        let label = |text: &str| renamed(text, ("env", "prod"), ("stage", "live")).unwrap();
        assert_eq!(label("env=prod team=a").text.as_deref(), Some("stage=live team=a"));
        assert_eq!(label("env!=Prod").text.as_deref(), Some("stage!=live"));
        assert_eq!(label("env=prod,test"), Renamed { text: None, is_open: true });
        assert_eq!(label("env=p*"), Renamed { text: None, is_open: true });
        let same_key = renamed("env=prod,live", ("env", "prod"), ("env", "live")).unwrap();
        assert_eq!(same_key.text.as_deref(), Some("env=live"), "what was made one stands once");
        let comma = renamed("env=prod", ("env", "prod"), ("env", "a,b")).unwrap();
        assert_eq!(comma, Renamed { text: None, is_open: true });
    }

    #[test]
    fn what_a_filter_names_is_found_by_name_and_by_pattern() {
        for text in ["env=prod", "env = PROD", "!env=test,prod", "env~pr", "env=p*"] {
            assert!(names(text, "env", "prod"), "{text}");
        }
        for text in ["env=test", "env=*", "prod", "team=prod", "env=\"prod"] {
            assert!(!names(text, "env", "prod"), "{text}");
        }
    }
}
