//! The words of the screen: `docs/CONTRIBUTING.md` has a table of them, and no text of `src/tui` has a word that the table refuses.

use super::project;

/// The refused words of the glossary.
fn refused() -> Vec<String> {
    let text = project::read("docs/CONTRIBUTING.md").unwrap_or_default();
    let table = text.lines().skip_while(|line| *line != "| word | meaning | not |").skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    let last = |row: &str| row.trim_matches(['|', ' ']).rsplit('|').next().unwrap_or("").to_owned();
    let words =
        rows.flat_map(|row| last(row).split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>());
    words.filter(|word| word != "–").collect()
}

/// True if the word stands in the text by itself.
fn has(text: &str, word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + word.len()..].chars().next())
    })
}

#[test]
fn the_screen_speaks_the_words_of_the_glossary() {
    let refused = refused();
    assert!(refused.len() > 8 && refused.iter().any(|word| word == "dearest"), "{refused:?}");
    let mut offences = Vec::new();
    for file in project::files("src/tui", ".rs") {
        let before_tests = file
            .text
            .split(
                "#[cfg(test)]
mod tests {",
            )
            .next()
            .unwrap_or_default();
        for line in
            before_tests.lines().filter(|line| !line.trim_start().starts_with("//") && line.contains('"'))
        {
            let of = refused.iter().filter(|word| has(line, word));
            offences.extend(of.map(|word| format!("{}: {word}: {}", file.path, line.trim())));
        }
    }
    project::assert_none("words that the glossary of docs/CONTRIBUTING.md refuses", &offences);
}

#[test]
fn a_word_is_found_by_itself_only() {
    assert!(has("it is gone: mend it", "mend") && !has("it was mended", "mend") && !has("recommend", "mend"));
}
