//! The words of the screen: `docs/CONTRIBUTING.md` has a table of them, and no text of the program and of its documents has a word
//! that the table refuses.

use super::project;
use dbtop::model::base::figure::counted;

/// What is counted on the screen and in reports: one of it, and more.
#[rustfmt::skip]
const COUNTED: [(&str, &str); 56] = [
    ("CPU", "CPUs"), ("attempt", "attempts"), ("change", "changes"), ("clerk", "clerks"), ("grant", "grants"), ("module", "modules"), ("database", "databases"), ("deadlock", "deadlocks"),
    ("episode", "episodes"), ("event", "events"), ("file", "files"), ("filter", "filters"), ("group", "groups"),
    ("growth", "growths"), ("instance", "instances"), ("key", "keys"), ("label", "labels"), ("line", "lines"), ("log", "logs"),
    ("operator", "operators"), ("option", "options"), ("other", "others"), ("page", "pages"), ("parameter", "parameters"), ("part", "parts"),
    ("pattern", "patterns"), ("plan", "plans"), ("poll", "polls"), ("request", "requests"), ("ring", "rings"), ("row", "rows"), ("run", "runs"),
    ("session", "sessions"), ("slot", "slots"), ("store", "stores"), ("task", "tasks"), ("tenant", "tenants"),
    ("thread", "threads"), ("time", "times"), ("type", "types"), ("update", "updates"), ("variant", "variants"),
    ("volume", "volumes"), ("wait", "waits"), ("bookmark", "bookmarks"),
    // Of several words.
    ("grant that timed out", "grants that timed out"), ("transaction that aborted", "transactions that aborted"),
    ("part of history", "parts of history"), ("wish of the optimizer", "wishes of the optimizer"),
    ("other session", "other sessions"), ("report of deadlocks", "reports of deadlocks"),
    ("failure of a connection", "failures of a connection"), ("change of plans", "changes of plans"), ("change of configuration", "changes of configuration"),
    ("growth of a database file", "growths of a database file"),
    ("gap without a collector: nothing is known of that time", "gaps without a collector: nothing is known of that time"),
];

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

/// True if the word stands in the text by itself, at the beginning of a sentence, too.
fn has(text: &str, word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let text = &text.to_lowercase();
    let word = &word.to_lowercase();
    text.match_indices(word).any(|(at, _)| {
        !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + word.len()..].chars().next())
    })
}

/// Each line with the one behind it, as one text: a phrase may go on there.
fn two_by_two(lines: &[(usize, &str)], mut read: impl FnMut(usize, &str)) {
    let text = |line: &str| line.trim().trim_start_matches(['/', '#', '!']).trim().to_owned();
    for (at, (n, line)) in lines.iter().enumerate() {
        let next = lines.get(at + 1).map_or("", |(_, line)| line);
        read(*n, &format!("{} {}", text(line), text(next)));
    }
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
    for (file, code) in project::production() {
        // Unit tests are cut off behind the code.
        for (at, text) in project::strings_of(&file.text[..code.len()]) {
            read(&file.path, project::line_of(&file.text, at) - 1, &text);
        }
        // The comments of the command line are its help.
        if file.path.starts_with("src/cli/") {
            let comment = |(_, line): &(usize, &str)| line.trim_start().starts_with("//");
            let lines: Vec<(usize, &str)> = file.text.lines().enumerate().filter(comment).collect();
            two_by_two(&lines, |n, lines| read(&file.path, n, lines));
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
        let lines: Vec<(usize, &str)> = text.lines().enumerate().collect();
        two_by_two(&lines, |n, lines| read(&path, n, lines));
    }
    project::assert_none("words that the glossary of docs/CONTRIBUTING.md refuses", &offences);
}

#[test]
fn a_phrase_is_found_over_the_end_of_its_line() {
    let mut found = 0;
    two_by_two(&[(0, "/// who cannot"), (1, "/// tell")], |_, text| {
        found += usize::from(has(text, "cannot tell"));
    });
    assert_eq!(found, 1);
}

#[test]
fn a_word_is_found_by_itself_only() {
    assert!(has("Mend it", "mend") && has("A user for actions", "User for actions"));
    assert!(has("it is gone: mend it", "mend") && !has("it was mended", "mend") && !has("recommend", "mend"));
}

#[test]
fn what_is_counted_is_told_in_the_right_number() {
    for (one, more) in COUNTED {
        assert_eq!((counted(1, one), counted(2, one)), (format!("1 {one}"), format!("2 {more}")));
    }
    let mut offences = Vec::new();
    let mut calls = 0;
    for (file, code) in project::production() {
        for (at, _) in ["counted(", "more(html"].iter().flat_map(|call| code.match_indices(call)) {
            let mut depth = 0;
            let ends = code[at..].find(|letter| {
                depth += i32::from(letter == '(') - i32::from(letter == ')');
                letter == ')' && depth == 0
            });
            let call = &file.text[at..ends.map_or(code.len(), |ends| at + ends)];
            // Without a word it is told by its caller's caller, or is another thing of that name.
            let Some((_, word)) = project::strings_of(call).pop() else { continue };
            let word = word.trim_matches('"');
            calls += 1;
            if COUNTED.iter().all(|(one, _)| *one != word) {
                offences.push(format!("{}:{}: {word}", file.path, project::line_of(&file.text, at)));
            }
        }
    }
    assert!(calls > 80, "{calls} calls");
    project::assert_none("words that are counted, and not in the table of tests/tidy/words.rs", &offences);
}
