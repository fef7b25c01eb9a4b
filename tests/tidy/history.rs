//! History is kept by an engine behind `store::history`: only `sqlite` names SQL, so that another one could stand beside it.

use crate::project::{assert_none, files, line_of};

/// Words that SQL has and Rust has not; the driver's crate.
const SQL: [&str; 10] = [
    "SELECT ",
    "INSERT INTO",
    "INSERT OR",
    "DELETE FROM",
    "UPDATE ",
    "CREATE TABLE",
    "CREATE INDEX",
    "PRAGMA ",
    "VACUUM",
    "rusqlite",
];

#[test]
fn only_the_engine_of_history_names_sql() {
    let mut offences = Vec::new();
    let all = files("src/store/history", ".rs");
    assert!(all.iter().any(|file| file.path.starts_with("src/store/history/sqlite/")), "the folder is there");
    for file in all.iter().filter(|file| !file.path.starts_with("src/store/history/sqlite/")) {
        for word in SQL {
            for (at, _) in file.text.match_indices(word) {
                let line = line_of(&file.text, at);
                offences.push(format!(
                    "{}:{line}: `{}` belongs below src/store/history/sqlite",
                    file.path,
                    word.trim()
                ));
            }
        }
    }
    assert_none("history behind its engine", &offences);
}
