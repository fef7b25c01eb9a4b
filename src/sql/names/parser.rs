//! The reader's state and its small moves over the tokens; the grammar is in the sibling files.

use super::{ColumnRef, Names, Output, Query, QueryId, Shape};
use crate::sql::{
    ident::{self, ObjectName},
    lexer::{self, Kind, Token},
};

/// Parentheses deeper than this are skipped: a bound on the stack, far beyond what people write.
const MAX_DEPTH: usize = 60;

/// A place in the tokens of a batch, and the names read up to there.
pub(super) struct Parser<'a> {
    code: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    pub(super) names: Names,
    /// The query that columns belong to now; None outside of queries.
    pub(super) query: Option<QueryId>,
    /// True inside ORDER BY.
    pub(super) orders: bool,
    /// Common table expressions in sight, the innermost last.
    pub(super) ctes: Vec<(String, Shape)>,
    /// Table variables and `#temp` tables that the batch defined so far.
    pub(super) tables: Vec<(String, Shape)>,
    /// True after a WITH or an INSERT whose query follows: it is part of the same statement.
    pub(super) goes_on: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(batch: &'a str) -> Self {
        Self {
            code: lexer::code(batch).collect(),
            at: 0,
            depth: 0,
            names: Names::default(),
            query: None,
            orders: false,
            ctes: Vec::new(),
            tables: Vec::new(),
            goes_on: false,
        }
    }

    /// The token `ahead` places from here.
    pub(super) fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.code.get(self.at + ahead).copied()
    }

    /// The place, to be compared or handed to [`Self::since`] later.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// The tokens read since `place`.
    pub(super) fn since(&self, place: usize) -> &[Token<'a>] {
        self.code.get(place..self.at).unwrap_or_default()
    }

    pub(super) fn advance(&mut self) -> Option<Token<'a>> {
        let token = self.peek(0)?;
        self.at += 1;
        Some(token)
    }

    pub(super) fn word_at(&self, ahead: usize, word: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.is_word(word))
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.word_at(0, word)
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        self.peek(0).is_some_and(|token| words.iter().any(|word| token.is_word(word)))
    }

    pub(super) fn symbol_at(&self, ahead: usize, symbol: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.is_symbol(symbol))
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.symbol_at(0, symbol)
    }

    /// Steps over `word` if it is next.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    /// Steps over one of `words` if it is next.
    pub(super) fn take_any(&mut self, words: &[&str]) -> bool {
        let found = self.is_any(words);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    /// Steps over a name and returns it without its quotes.
    pub(super) fn take_name(&mut self) -> Option<String> {
        let token = self.peek(0).filter(Token::is_name)?;
        self.at += 1;
        Some(ident::unquote(token.text).into_owned())
    }

    /// Reads `a`, `a.b`, `a..b` …, up to the end of the name. A reserved word may follow a dot.
    pub(super) fn parts(&mut self) -> Vec<String> {
        let mut parts = Vec::new();
        let Some(first) = self.take_name() else { return parts };
        parts.push(first);
        while self.is_symbol(".") {
            let part = self.peek(1).filter(|token| token.is_name() || token.kind == Kind::Keyword);
            match part {
                Some(token) => {
                    self.at += 2;
                    parts.push(ident::unquote(token.text).into_owned());
                }
                None if self.symbol_at(1, ".") => {
                    self.at += 1;
                    parts.push(String::new());
                }
                None => break,
            }
        }
        parts
    }

    /// Reads a parenthesis with `inside`, which starts after `(` and may stop anywhere before the matching `)`. Unread
    /// tokens make the query unclear.
    pub(super) fn parenthesis(&mut self, inside: impl FnOnce(&mut Self)) {
        if self.depth >= MAX_DEPTH {
            self.confused();
            self.skip_group();
            return;
        }
        if !self.take_symbol("(") {
            return;
        }
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        if !self.is_symbol(")") {
            self.confused();
            self.skip_to_close();
        }
        self.take_symbol(")");
    }

    /// Steps over a parenthesis and all that it holds.
    pub(super) fn skip_group(&mut self) {
        if self.take_symbol("(") {
            self.skip_to_close();
            self.take_symbol(")");
        }
    }

    /// Goes to the `)` that closes the parenthesis we are in, or to the end.
    pub(super) fn skip_to_close(&mut self) {
        self.skip_until(|_| false);
    }

    /// Goes to the first token outside of inner parentheses that satisfies `stop`, to the `)` that closes the
    /// parenthesis we are in, or to the end.
    pub(super) fn skip_until(&mut self, stop: impl Fn(&Token<'a>) -> bool) {
        let mut open = 0_usize;
        while let Some(token) = self.peek(0) {
            if open == 0 && (token.is_symbol(")") || stop(&token)) {
                return;
            }
            if token.is_symbol("(") {
                open += 1;
            } else if token.is_symbol(")") {
                open -= 1;
            }
            self.at += 1;
        }
    }

    /// True if a `(` is next that opens a query, perhaps behind more parentheses.
    pub(super) fn opens_query(&self) -> bool {
        let parentheses = (0..MAX_DEPTH).take_while(|&ahead| self.symbol_at(ahead, "(")).count();
        parentheses > 0 && (self.word_at(parentheses, "SELECT") || self.word_at(parentheses, "WITH"))
    }

    /// Notes that the current query was not understood.
    pub(super) fn confused(&mut self) {
        if let Some(query) = self.current() {
            query.unclear = true;
        }
    }

    /// The query that columns belong to now.
    pub(super) fn current(&mut self) -> Option<&mut Query> {
        self.query.and_then(|query| self.names.queries.get_mut(query))
    }

    /// Notes a column of the current query, from the parts of its name.
    pub(super) fn column(&mut self, mut parts: Vec<String>, line: u32) {
        let orders = self.orders;
        let (Some(name), qualifier) = (parts.pop(), parts.pop()) else { return };
        // `$action`, `$rowguid`, `$partition` are no columns of the sources.
        if name.starts_with('$') {
            return;
        }
        if let Some(query) = self.current() {
            query.columns.push(ColumnRef { qualifier, name, line, orders });
        }
    }

    /// Notes a result column of the current query.
    pub(super) fn output(&mut self, output: Output) {
        if let Some(query) = self.current() {
            query.output.push(output);
        }
    }

    /// Resolves a name after FROM or INSERT: a CTE, a table of the batch, or an object of the server.
    pub(super) fn resolve(&self, parts: Vec<String>) -> Shape {
        if let [single] = parts.as_slice() {
            let local = if single.starts_with(['#', '@']) { &self.tables } else { &self.ctes };
            if let Some((_, shape)) = local.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(single)) {
                return shape.clone();
            }
        }
        if parts.last().is_some_and(|last| last.starts_with(['#', '@'])) {
            return Shape::Opaque;
        }
        ObjectName::from_parts(parts).map_or(Shape::Opaque, |name| Shape::Object { name, called: false })
    }
}
