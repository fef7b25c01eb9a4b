//! The words of the screen: `docs/CONTRIBUTING.md` has a table of them, and no text of the program and of its documents has a word
//! that the table refuses.

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

/// The texts in quotes on a line of code.
fn quoted(line: &str) -> String {
    line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_text_speaks_the_words_of_the_glossary() {
    let refused = refused();
    assert!(refused.len() > 8 && refused.iter().any(|word| word == "dearest"), "{refused:?}");
    let mut offences = Vec::new();
    let mut read = |path: &str, number: usize, text: &str| {
        let of = refused.iter().filter(|word| has(text, word));
        offences.extend(of.map(|word| format!("{path}:{}: {word}: {}", number + 1, text.trim())));
    };
    for file in project::files("src", ".rs") {
        let lines = file.text.lines().enumerate();
        for (n, line) in lines.take_while(|(_, line)| !line.starts_with("#[cfg(test)]")) {
            let is_comment = line.trim_start().starts_with("//");
            // The comments of the command line are its help.
            match is_comment {
                false => read(&file.path, n, &quoted(line)),
                true if file.path.starts_with("src/cli/") => read(&file.path, n, line),
                true => {}
            }
        }
    }
    let documents = project::files("docs", ".md").into_iter().map(|file| (file.path, file.text));
    let others = ["README.md", "config.example.toml"]
        .map(|path| (path.to_owned(), project::read(path).unwrap_or_default()));
    for (path, text) in documents.chain(others) {
        // The glossary names what it refuses; what was changed is told in the words of then.
        if path.ends_with("CONTRIBUTING.md") || path.ends_with("CHANGELOG.md") {
            continue;
        }
        text.lines().enumerate().for_each(|(n, line)| read(&path, n, line));
    }
    project::assert_none("words that the glossary of docs/CONTRIBUTING.md refuses", &offences);
}

#[test]
fn a_word_is_found_by_itself_only() {
    assert!(has("it is gone: mend it", "mend") && !has("it was mended", "mend") && !has("recommend", "mend"));
}
