//! Lists in one line: groups and labels as they are typed. Commas or semicolons stand between the items; a backslash takes the
//! next character as it is, as in the files that `exchange` reads.

use std::{collections::BTreeMap, fmt::Display};

/// Where the items of a text begin and end.
const BETWEEN: [char; 2] = [',', ';'];

/// The items without duplicates, whatever their case.
pub fn items(text: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for item in split(text) {
        if !items.iter().any(|there| there.eq_ignore_ascii_case(&item)) {
            items.push(item);
        }
    }
    items
}

/// The items as they are typed.
pub fn written<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let escape = |item: T| {
        let special = |c: char| BETWEEN.contains(&c) || c == '\\';
        item.to_string()
            .chars()
            .flat_map(|c| special(c).then_some('\\').into_iter().chain([c]))
            .collect::<String>()
    };
    items.into_iter().map(escape).collect::<Vec<_>>().join(", ")
}

/// Labels from `key=value, key=value`.
///
/// # Errors
/// An item without `=`, or a key twice.
pub fn labels(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut labels = BTreeMap::new();
    for item in split(text) {
        let (key, value) =
            item.split_once('=').ok_or_else(|| format!("{item:?} is no label: write key=value"))?;
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        if labels.contains_key(&key) {
            return Err(format!("{key} is there twice"));
        }
        labels.insert(key, value);
    }
    Ok(labels)
}

/// A hint that names what there is.
pub fn existing(how: &str, items: &[String]) -> String {
    const MOST: usize = 12;
    if items.is_empty() {
        return how.to_owned();
    }
    let more = if items.len() > MOST { ", …" } else { "" };
    format!("{how}; → completes. There are: {}{more}", written(items.iter().take(MOST)))
}

/// The items without blanks around them; empty ones are none.
fn split(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if BETWEEN.contains(&c) {
            items.push(String::new());
        } else if let (Some(item), Some(c)) =
            (items.last_mut(), if c == '\\' { chars.next() } else { Some(c) })
        {
            item.push(c);
        }
    }
    items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_are_split_at_commas_and_semicolons() {
        assert_eq!(items(" prod, web ;PROD,, x y "), ["prod", "web", "x y"]);
        assert_eq!(items(r"a\,b, c\\d, e\"), ["a,b", r"c\d", "e"]);
        assert_eq!(labels("env=prod, owner = a=b").unwrap()["owner"], "a=b");
        assert_eq!(labels("env=prod, env=test"), Err("env is there twice".to_owned()));
        assert!(labels("env").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(wanted in proptest::collection::vec("[a-z,;\\\\=]{1,6}", 0..5)) {
            let mut wanted = wanted;
            wanted.dedup();
            let unique = items(&written(&wanted));
            prop_assert_eq!(items(&written(&unique)), unique.clone());
            prop_assert!(wanted.iter().all(|item| unique.contains(item)));
        }
    }
}
