//! Long sentences in narrow places: a text broken into lines. Pure; called by whatever shows words.

use super::canvas::width;
use unicode_segmentation::UnicodeSegmentation;

/// Breaks a text at blanks so that no line is wider than `columns`; a word that is too long is cut.
pub fn fold(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for raw in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for (n, word) in raw.split(' ').enumerate() {
            let w = width(word);
            let blank = usize::from(n > 0);
            if used + blank + w > columns && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else if n > 0 {
                line.push(' ');
                used += 1;
            }
            if used + w <= columns {
                line.push_str(word);
                used += w;
                continue;
            }
            for g in word.graphemes(true) {
                let w = width(g);
                if used + w > columns && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push_str(g);
                used += w;
            }
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_folded_at_blanks() {
        assert_eq!(fold("one two three", 8), ["one two", "three"]);
        assert_eq!(fold("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(fold("a\nb", 4), ["a", "b"]);
        assert_eq!(fold("", 4), [""]);
        assert_eq!(fold("  in  by two", 8), ["  in  by", "two"]);
        assert_eq!(fold("never alone (so)", 15), ["never alone", "(so)"]);
        for w in 0..12 {
            for line in fold("größere Dinge 日本語 and so on", w) {
                assert!(width(&line) <= w.max(2), "{line:?} in {w}");
            }
        }
    }
}
