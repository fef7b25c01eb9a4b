//! What each option means: the comments of `config.example.toml`, which names every option (a test keeps it so). For lists of
//! options on the screen and in the terminal.

use std::collections::BTreeMap;
use toml_edit::DocumentMut;

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// The comment of each option, such as `poll.fleet_s`, in one line: its last paragraph, since the ones before are about the
/// section. An option without one of its own has that of the option above it.
pub fn help() -> BTreeMap<String, String> {
    // A test reads it; a broken one would be an example of nothing.
    let example: DocumentMut = EXAMPLE.parse().unwrap_or_default();
    let mut found = BTreeMap::new();
    for (section, options) in example.iter() {
        let mut above = String::new();
        for (option, _) in options.as_table().into_iter().flat_map(toml_edit::Table::iter) {
            let key = options.as_table().and_then(|options| options.key(option));
            let comment = key.and_then(|key| key.leaf_decor().prefix()?.as_str()).unwrap_or_default();
            let lines: Vec<&str> =
                comment.trim().lines().map(|line| line.trim_start_matches(['#', ' ']).trim()).collect();
            let paragraph = lines.rsplit(|line| line.is_empty()).next().unwrap_or_default();
            let words = paragraph.join(" ");
            if !words.is_empty() {
                above = words;
            }
            found.insert(format!("{section}.{option}"), above.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_says_what_it_means() {
        let help = help();
        for (section, options) in &crate::config::options() {
            for (option, _) in options.as_table().into_iter().flatten() {
                let words = help.get(&format!("{section}.{option}")).map_or("", String::as_str);
                assert!(words.len() > 3 && !words.contains(['#', '\n']), "{section}.{option}: {words:?}");
            }
        }
        assert_eq!(help["health.cpu_critical_pct"], help["health.cpu_warning_pct"]);
        let cpu = &help["health.cpu_warning_pct"];
        assert!(
            cpu.starts_with("CPU of SQL Server"),
            "what is said of the whole section is not its own: {cpu}"
        );
    }
}
