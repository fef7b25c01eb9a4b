//! What all sections of a page are made of besides tables: sentences in their place, statements. Knows nothing of the story.

use super::html::Html;
use crate::model::{base::figure::counted, poll::statement::SqlText};
use std::{cmp::Ordering, sync::Arc};

/// The most characters of a statement in a table.
const LINE_CHARS: usize = 160;
/// The most characters of a text.
const TEXT_CHARS: usize = 20_000;

/// The worst rows of a table, and how many there were in all.
#[derive(Debug)]
pub(super) struct Worst<T> {
    /// those that stay, the worst first
    pub rows: Vec<T>,
    /// with those that went
    pub all: usize,
}

impl<T> Default for Worst<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), all: 0 }
    }
}

impl<T> Worst<T> {
    /// Adds rows; so many stay.
    pub fn take(
        &mut self,
        rows: impl IntoIterator<Item = T>,
        most: usize,
        order: impl Fn(&T, &T) -> Ordering,
    ) {
        let before = self.rows.len();
        self.rows.extend(rows);
        self.all += self.rows.len() - before;
        self.rows.sort_by(order);
        self.rows.truncate(most);
    }
}

/// A name, or that there is none.
#[expect(clippy::ref_option, reason = "the columns of a table hand over fields of their rows")]
pub(super) fn name(name: &Option<Arc<str>>) -> String {
    name.as_deref().unwrap_or("–").to_owned()
}

/// A sentence in place of a table.
pub(super) fn none(html: &mut Html, words: &str) {
    html.leaf("p", &[("class", "dim")], words);
}

/// How many rows a table left out.
pub(super) fn more(html: &mut Html, all: usize, shown: usize, what: &str) {
    if all > shown {
        none(html, &format!("{} more; the recording has all.", counted(all - shown, what)));
    }
}

/// The begin of a statement in one line.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(LINE_CHARS).collect();
    let line = words.join(" ");
    let mut cut: String = line.chars().take(LINE_CHARS).collect();
    if cut.len() < line.len() || words.len() == LINE_CHARS {
        cut.push('…');
    }
    cut
}

/// A statement, or why it is not there.
pub(super) fn sql(html: &mut Html, title: &str, text: &SqlText, statement: Option<(usize, usize)>) {
    html.leaf("h3", &[], title);
    if text.is_lost() {
        return none(html, "The text is not kept.");
    }
    let part = statement.and_then(|(start, end)| text.batch.get(start..end)).filter(|part| !part.is_empty());
    let shown = part.unwrap_or(&text.batch);
    let cut: String = shown.chars().take(TEXT_CHARS).collect();
    html.leaf("pre", &[], &cut);
    if text.encrypted {
        none(html, "The module is encrypted.");
    }
    if cut.len() < shown.len() {
        none(html, "Cut here; the recording has more.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(write: impl FnOnce(&mut Html)) -> String {
        Html::page("t", "", write)
    }

    #[test]
    fn a_table_that_is_whole_says_nothing_and_one_that_is_cut_how_many_it_left_out() {
        let told = |all, shown| html(|html| more(html, all, shown, "row"));
        assert!(!told(0, 20).contains("more") && !told(20, 20).contains("more"));
        assert!(told(21, 20).contains("1 row more;") && told(519, 20).contains("499 rows more;"));
    }

    #[test]
    fn the_worst_rows_stay_and_all_are_counted() {
        let mut worst = Worst::default();
        for part in [vec![3, 9], vec![], vec![5, 1, 7]] {
            worst.take(part, 3, |a: &i32, b| b.cmp(a));
        }
        assert_eq!((worst.rows, worst.all), (vec![9, 7, 5], 5));
    }

    #[test]
    fn a_statement_is_cut_behind_its_last_character_and_says_so() {
        let line = |chars: usize| one_line(&"é".repeat(chars));
        assert_eq!(line(LINE_CHARS), "é".repeat(LINE_CHARS), "whole");
        assert_eq!(line(LINE_CHARS + 1), format!("{}…", "é".repeat(LINE_CHARS)));
        assert_eq!(one_line(" a\n\t b "), "a b");
        let text = |chars: usize| {
            let batch = "é".repeat(chars);
            html(|html| sql(html, "t", &SqlText::new(batch.as_str().into(), None, None, false), None))
        };
        let count = |html: &str| html.matches('é').count();
        let (whole, cut) = (text(TEXT_CHARS), text(TEXT_CHARS + 1));
        assert!(count(&whole) == TEXT_CHARS && !whole.contains("Cut here"));
        assert!(count(&cut) == TEXT_CHARS && cut.contains("Cut here"));
    }
}
