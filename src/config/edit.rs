//! One option in the text of a configuration file, set or taken out: comments, order and blank lines stay as they are. Called by
//! `app::settings`; it touches no file, and [`super::read()`] judges the result.

use super::{
    error::{line_at, plain},
    read::value_of,
};
use toml::Value;
use toml_edit::{Document, DocumentMut, Item, Table, TableLike};

/// The text with `[section] option` set to what `text` means for an option of the type of `default`; None: taken out, so that the
/// default counts.
///
/// # Errors
/// The text is no TOML, with the line; or the section is written as something else.
pub fn edited(
    file: &str,
    (section, option): (&str, &str),
    text: Option<&str>,
    default: &Value,
) -> Result<String, String> {
    let parsed = Document::parse(file).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(file, span.start));
        format!("line {line}: {}", plain(error.message()))
    })?;
    let Some(text) = text else { return Ok(without(file, &parsed, section, option)) };
    let mut document = parsed.into_mut();
    let value = item(&value_of(text, Some(default)))?;
    let there = document.as_table_mut().entry(section).or_insert_with(|| Item::Table(Table::new()));
    let line = || format!("`{section}` is no section: write a line [{section}] and its options below it");
    put(there.as_table_like_mut().ok_or_else(line)?, option, value);
    Ok(with_ends_of(file, &document))
}

/// Sets an option; a comment behind its old value stays behind the new one.
fn put(options: &mut dyn TableLike, option: &str, mut value: toml_edit::Value) {
    if let Some(Item::Value(old)) = options.get_mut(option) {
        *value.decor_mut() = old.decor().clone();
        *old = value;
    } else {
        options.insert(option, Item::Value(value));
    }
}

fn item(value: &Value) -> Result<toml_edit::Value, String> {
    value.to_string().parse().map_err(|error: toml_edit::TomlError| plain(error.message()))
}

/// The text without the option: the line goes, a comment behind it and those above it stay.
fn without(file: &str, parsed: &Document<&str>, section: &str, option: &str) -> String {
    let options = parsed.get(section).and_then(Item::as_table_like);
    let Some((key, value)) = options.and_then(|options| options.get_key_value(option)) else {
        return file.to_owned();
    };
    let is_in_a_line = parsed.get(section).is_some_and(Item::is_inline_table);
    let (Some(from), Some(to), false) = (key.span(), value.span(), is_in_a_line) else {
        let mut document = parsed.clone().into_mut();
        if let Some(options) = document.get_mut(section).and_then(Item::as_table_like_mut) {
            options.remove(option);
        }
        return with_ends_of(file, &document);
    };
    let begin = file[..from.start].rfind('\n').map_or(0, |at| at + 1);
    let end = file[to.end..].find('\n').map_or(file.len(), |at| to.end + at + 1);
    let rest = file[to.end..end].trim_start_matches([' ', '\t']);
    let rest = if rest.trim().is_empty() { "" } else { rest };
    [&file[..begin], rest, &file[end..]].concat()
}

/// The document as text, with the line ends that the file has.
fn with_ends_of(file: &str, document: &DocumentMut) -> String {
    let text = document.to_string();
    if file.contains("\r\n") { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# mine\n\n[ui]  # the screen\n# day or night\ntheme = 'dark' # Mira likes it\nmouse = false\n\n# slow\n[poll]\nfleet_s = 60\n";

    fn set(file: &str, section: &str, option: &str, text: Option<&str>) -> Result<String, String> {
        let default = crate::config::options()[section][option].clone();
        edited(file, (section, option), text, &default)
    }

    #[test]
    fn a_changed_option_leaves_all_else_as_it_was() {
        let text = set(FILE, "ui", "theme", Some("light")).unwrap();
        assert_eq!(text, FILE.replace("'dark'", "\"light\""));
        let text = set(FILE, "poll", "fleet_s", Some("45")).unwrap();
        assert_eq!(text, FILE.replace("60", "45"));
    }

    #[test]
    fn a_new_option_goes_to_its_section_and_a_new_section_to_the_end() {
        let text = set(FILE, "ui", "low_bandwidth", Some("true")).unwrap();
        assert_eq!(text, FILE.replace("mouse = false\n", "mouse = false\nlow_bandwidth = true\n"));
        let text = set(FILE, "health", "cpu_warning_pct", Some("70")).unwrap();
        assert!(text.starts_with(FILE) && text.ends_with("\n[health]\ncpu_warning_pct = 70.0\n"), "{text}");
        assert_eq!(set("", "history", "raw_days", Some("90")).unwrap(), "[history]\nraw_days = 90\n");
    }

    #[test]
    fn an_option_that_is_taken_out_leaves_its_comments() {
        let text = set(FILE, "ui", "theme", None).unwrap();
        assert_eq!(text, FILE.replace("theme = 'dark' # Mira likes it", "# Mira likes it"));
        let text = set(FILE, "ui", "mouse", None).unwrap();
        assert_eq!(text, FILE.replace("mouse = false\n", ""));
        assert_eq!(set(FILE, "vault", "lock_after_min", None).unwrap(), FILE, "it was not there");
    }

    #[test]
    fn other_ways_to_write_a_section_and_other_line_ends_stay() {
        assert_eq!(
            set("ui.theme = 'dark'\n", "ui", "mouse", Some("1")).unwrap(),
            "ui.theme = 'dark'\nui.mouse = true\n"
        );
        let inline = "ui = { theme = 'dark', mouse = true }\n";
        assert_eq!(set(inline, "ui", "theme", Some("mono")).unwrap(), inline.replace("'dark'", "\"mono\""));
        assert!(!set(inline, "ui", "theme", None).unwrap().contains("theme"));
        let windows = FILE.replace('\n', "\r\n");
        let text = set(&windows, "ui", "mouse", Some("true")).unwrap();
        assert_eq!(text, windows.replace("mouse = false", "mouse = true"));
        assert_eq!(set(&windows, "ui", "mouse", None).unwrap(), windows.replace("mouse = false\r\n", ""));
    }

    #[test]
    fn what_cannot_be_edited_is_named() {
        let broken = set("[ui]\ntheme = \n", "ui", "mouse", Some("true")).unwrap_err();
        assert!(broken.starts_with("line 2: "), "{broken}");
        let section = set("ui = 3\n", "ui", "mouse", Some("true")).unwrap_err();
        assert!(section.contains("no section"), "{section}");
    }
}
