//! What the text of a module tells of itself: its name, and the line that a place in it is on. Pure; called by the decoder of queries
//! and by the panes that show a statement.

use super::{ident, lexer};

/// The words behind which the name of a module stands.
const KINDS: [&str; 5] = ["PROC", "PROCEDURE", "FUNCTION", "TRIGGER", "VIEW"];

/// The name of a module by its own text, as in `dbo.usp_Settle`. One that was renamed keeps its old name there. What it holds is
/// as harmless as the text.
pub fn name(text: &str) -> Option<String> {
    let mut code = lexer::code(text).filter(|token| !token.is_blank());
    // CREATE OR ALTER PROCEDURE
    code.by_ref().take(4).find(|token| KINDS.iter().any(|kind| token.is_word(kind)))?;
    let mut name = String::new();
    for token in code {
        if token.is_symbol(".") {
            name.push('.');
        } else if token.is_name() && (name.is_empty() || name.ends_with('.')) {
            name.push_str(&ident::unquote(token.text));
        } else {
            break;
        }
    }
    Some(name).filter(|name| !name.is_empty())
}

/// The line of a place in a text, from 1, as editors and error messages count: blanks before a statement belong to the line
/// before, so they are stepped over.
pub fn line(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or("");
    let at = at + (rest.len() - rest.trim_start().len());
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_statement_is_where_its_first_word_stands() {
        let text = "CREATE PROC p AS\nBEGIN\n    \n  SELECT 1;\nEND";
        let lines = [0, 17, 22, 23, 30, 9_999].map(|at| line(text, at));
        assert_eq!(lines, [1, 2, 4, 4, 4, 5]);
        assert_eq!(line("é", 1), 1, "inside of a character");
    }

    #[test]
    fn a_text_that_is_no_module_has_no_name() {
        assert_eq!(name("SELECT 1"), None);
        assert_eq!(name("create or alter proc [dbo].[a b] as select 1").as_deref(), Some("dbo.a b"));
    }
}
