//! The question for the file that a text of a layer is written into: a plan, a deadlock.

use crate::{
    protocol::InventoryRequest,
    tui::{
        ask::{Ask, Blank, Tone},
        wish::{Edit, Wish},
    },
};
use std::sync::Arc;

/// Characters of a proposed name: the names of plans come from servers.
const MOST_NAME: usize = 60;

/// A text that shall become a file.
pub struct File {
    /// `plan`, `deadlock`: for the title and the audit log
    pub what: &'static str,
    /// how its name ends, without the point
    pub ending: &'static str,
    /// what it may be called: anything
    pub name: String,
    /// which one it is, for the audit log
    pub scope: String,
    /// the text
    pub text: Arc<str>,
}

impl File {
    /// The name that is proposed: `plan-0x8A3F.sqlplan`.
    fn proposed(&self) -> String {
        let mut name = format!("{}-", self.what);
        for c in self.name.chars().take(MOST_NAME) {
            let is_plain = c.is_ascii_alphanumeric() || c == '_';
            match c {
                _ if is_plain => name.push(c),
                _ if !name.ends_with('-') => name.push('-'),
                _ => {}
            }
        }
        name.truncate(name.trim_end_matches('-').len());
        format!("{name}.{}", self.ending)
    }

    /// Opens it in the user's editor.
    pub fn edit(self) -> Wish {
        Wish::Edit(Edit { ending: self.ending, text: self.text })
    }

    /// Asks for its name.
    pub fn ask(self) -> Ask {
        let hint = format!("ends in .{}, and is not there yet; only you can read it", self.ending);
        let blanks = vec![Blank::text("file", "File", &self.proposed(), &hint)];
        let lines = vec![(
            Tone::Aside,
            "It may have literals of statements in it. Where there is an audit log, it has an entry about it, with its SHA-256."
                .to_owned(),
        )];
        let Self { what, ending, scope, text, .. } = self;
        let text: Arc<str> = in_utf8(&text);
        let form = Ask::form(format!("Write the {what} into a file"), blanks, move |answers| {
            let file = answers.said("file");
            let has_ending = file.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case(ending));
            if !has_ending {
                return Err(("file", format!("its name ends in .{ending}, which other tools know it by")));
            }
            let (file, scope, text) = (file.into(), scope.clone(), Arc::clone(&text));
            Ok(InventoryRequest::WriteFile { file, what, scope, text })
        });
        form.with_lines(lines)
    }
}

/// The text with a declaration that is true: what was UTF-16 on its way here is written as UTF-8, and SSMS believes the declaration.
fn in_utf8(text: &Arc<str>) -> Arc<str> {
    let text_ = text.trim_start_matches('\u{feff}');
    let rest = text_.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    match rest {
        Some((_, rest)) => format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{rest}").into(),
        None if text_.len() < text.len() => text_.into(),
        None => Arc::clone(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> File {
        let text = "<x/>".into();
        File { what: "plan", ending: "sqlplan", name: name.to_owned(), scope: "x".to_owned(), text }
    }

    #[test]
    fn a_proposed_name_is_harmless() {
        for (name, proposed) in [
            ("0x8A3F", "plan-0x8A3F.sqlplan"),
            ("sqlprd-014 · orders", "plan-sqlprd-014-orders.sqlplan"),
            ("../../etc/passwd\u{1b}[2J", "plan-etc-passwd-2J.sqlplan"),
            ("", "plan.sqlplan"),
            ("日本", "plan.sqlplan"),
        ] {
            assert_eq!(file(name).proposed(), proposed);
        }
        assert!(file(&"x".repeat(9_000)).proposed().len() < 80);
    }

    #[test]
    fn the_declaration_of_a_file_is_true() {
        let of = |text: &str| in_utf8(&text.into()).to_string();
        let utf8 = "<?xml version=\"1.0\" encoding=\"utf-8\"?><a/>";
        assert_eq!(of("<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>"), utf8);
        assert_eq!(of("\u{feff}<?xml version='1.0' encoding='UTF-16'?><a/>"), utf8);
        assert_eq!(of("<a/>"), "<a/>");
        assert_eq!(of("\u{feff}<a/>"), "<a/>");
    }
}
