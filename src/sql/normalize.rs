//! Statement texts made comparable and short: fingerprints for grouping, one-liners for display.
//!
//! Called by the collectors (grouping of statements that differ in literals only) and the panes (one line of a long
//! text). Escape sequences and widths are the terminal's business: callers sanitise what they draw.

use super::{
    ident,
    lexer::{self, Kind, Token},
    words,
};

/// `text` with literals as `?`, comments dropped, blanks folded, lists of literals in `IN (…)` as one `?`, keywords
/// in upper and names in lower case. Statements of the same shape become the same text.
pub fn normalize(text: &str) -> String {
    let mut out = Normal { text: String::new(), last: None, list: List::No, comma: false, sign: None };
    for token in lexer::code(text) {
        out.push(&token);
    }
    out.flush();
    out.text
}

/// A stable 64-bit fingerprint of the normalised text: FNV-1a (Fowler, Noll, Vo; offset 0xcbf29ce484222325, prime
/// 0x100000001b3). The same on every machine and in every release, so it may be stored.
pub fn fingerprint(text: &str) -> u64 {
    normalize(text)
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// `text` on one line: comments dropped, every run of blanks one space, cut after `max_chars` characters with `…`.
/// Reads no more of the text than it shows.
pub fn squeeze(text: &str, max_chars: usize) -> String {
    let mut out = String::new();
    let (mut left, mut gap) = (max_chars, false);
    for token in lexer::tokens(text) {
        if token.is_blank() {
            gap = !out.is_empty();
            continue;
        }
        for c in std::iter::repeat_n(' ', usize::from(gap)).chain(token.text.chars()) {
            if left == 0 {
                out.pop();
                out.push('…');
                return out;
            }
            out.push(if c.is_whitespace() { ' ' } else { c });
            left -= 1;
        }
        gap = false;
    }
    out
}

/// The state of reading an `IN (…)` list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    No,
    /// `IN` was read
    Announced,
    /// inside its parentheses
    Inside,
}

/// The text being built, and the little that must be remembered to fold signs and lists.
struct Normal {
    text: String,
    last: Option<(Kind, bool)>,
    list: List,
    comma: bool,
    sign: Option<char>,
}

impl Normal {
    fn push(&mut self, token: &Token<'_>) {
        if token.is_literal() {
            self.sign = None;
            let folds = self.list == List::Inside && self.comma;
            self.comma = false;
            if !folds {
                self.word(Kind::Number, "?");
            }
            return;
        }
        if matches!(token.text, "-" | "+") && token.kind == Kind::Operator && self.operand_is_due() {
            self.flush_sign();
            self.sign = token.text.chars().next();
            return;
        }
        self.flush();
        if self.list == List::Inside && token.is_symbol(",") && self.text.ends_with('?') {
            self.comma = true;
            return;
        }
        self.list = match (self.list, token.kind) {
            (_, Kind::Keyword) if token.is_word("IN") => List::Announced,
            (List::Announced, _) if token.is_symbol("(") => List::Inside,
            (List::Inside, _) if !token.is_symbol(")") && !token.is_symbol("(") => List::Inside,
            _ => List::No,
        };
        match token.kind {
            Kind::Keyword => self.word(token.kind, &token.text.to_ascii_uppercase()),
            Kind::Name | Kind::Variable => self.word(token.kind, &token.text.to_lowercase()),
            Kind::QuotedName => self.word(token.kind, &plain_name(token.text)),
            _ => self.word(token.kind, token.text),
        }
    }

    /// True where an operand must follow, so that a minus is a sign and no subtraction.
    fn operand_is_due(&self) -> bool {
        match self.last {
            None | Some((Kind::Keyword | Kind::Operator, _)) => true,
            Some((Kind::Punct, closes)) => !closes,
            _ => false,
        }
    }

    /// Writes the tokens that were held back, because no literal followed.
    fn flush(&mut self) {
        if std::mem::take(&mut self.comma) {
            self.word(Kind::Punct, ",");
        }
        self.flush_sign();
    }

    fn flush_sign(&mut self) {
        if let Some(sign) = self.sign.take() {
            self.word(Kind::Operator, sign.encode_utf8(&mut [0; 4]));
        }
    }

    fn word(&mut self, kind: Kind, text: &str) {
        let glued_left = matches!(text, "." | "," | ")" | ";" | "::");
        let glued_right = self.text.ends_with(['.', '(', ':']) && matches!(self.last, Some((Kind::Punct, _)));
        let call = text == "(" && matches!(self.last, Some((Kind::Name | Kind::QuotedName, _)));
        if !self.text.is_empty() && !glued_left && !glued_right && !call {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.last = Some((kind, text == ")"));
    }
}

/// A quoted name as it would be written without its quotes, if it needs none.
fn plain_name(spelled: &str) -> String {
    let name = ident::unquote(spelled).to_lowercase();
    let mut all = lexer::tokens(&name);
    let regular = matches!((all.next(), all.next()), (Some(Token { kind: Kind::Name, .. }), None));
    if regular && !words::is_reserved(&name) { name } else { ident::quote_name(&name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn statements_that_differ_in_literals_only_are_one() {
        let shape = "SELECT a, b.c FROM dbo.t AS b WHERE x IN (?) AND y = ? AND z > ? - ? ORDER BY f(?)";
        for text in [
            "select a,b.c from dbo.t as b where x in (1,2, 3) and y='it''s' and z > -1 - 2 order by f(0x1)",
            "SELECT a , b.[c]\n FROM [dbo].T AS b /* why */ WHERE X IN (-7) AND y = N'' AND z>1-+5 -- end\n ORDER BY f(1.5)",
        ] {
            assert_eq!(normalize(text), shape);
        }
        assert_eq!(fingerprint("select 1"), fingerprint("SELECT  22 -- x"));
        assert_ne!(fingerprint("select a from t"), fingerprint("select b from t"));
    }

    #[test]
    fn lists_of_names_and_subqueries_keep_their_shape() {
        assert_eq!(normalize("x in (1, a, 2, 3, @p)"), "x IN (?, a, ?, @p)");
        assert_eq!(normalize("x in (select 1, 2)"), "x IN (SELECT ?)");
        assert_eq!(normalize("f(1, 2), -a"), "f(?, ?), - a");
        assert_eq!(normalize("x in (1, -a)"), "x IN (?, - a)");
    }

    #[test]
    fn names_that_need_their_brackets_keep_them() {
        assert_eq!(normalize("[my col].[plan].[OK]"), "[my col].[plan].ok");
    }

    #[test]
    fn squeezing_shows_one_line() {
        assert_eq!(squeeze("  select\n\t1 /* x */ -- y\n , 'a\nb' ", 80), "select 1 , 'a b'");
        assert_eq!(squeeze("select 123456", 8), "select …");
        assert_eq!(squeeze("select 1", 8), "select 1");
        assert_eq!(squeeze("", 8), "");
        assert_eq!(squeeze("abc", 0), "…");
    }

    proptest! {
        #[test]
        fn blanks_and_comments_never_matter(text in r"([a-z0-9 '\[\]().,=<>@-]|in |select |\n){0,40}") {
            let spread: Vec<_> = lexer::code(&text).map(|token| token.text).collect();
            prop_assert_eq!(normalize(&spread.join(" /* ' */\n")), normalize(&text));
        }

        #[test]
        fn squeezed_text_fits(text in r"\PC{0,40}", max in 1_usize..20) {
            prop_assert!(squeeze(&text, max).chars().count() <= max);
        }
    }
}
