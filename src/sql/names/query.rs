//! Queries: CTEs, set operations, SELECT with its clauses.

use super::{Output, Query, QueryId, Shape, parser::Parser, statement};
use crate::sql::{ident, lexer::Kind};

impl Parser<'_> {
    /// A query with its CTEs, set operations and trailing clauses. `outer` is the query whose sources it may use.
    /// The result is the id of its first SELECT, if it has one.
    pub(super) fn query_expr(&mut self, outer: Option<QueryId>) -> Option<QueryId> {
        let ctes_outside = self.ctes.len();
        let (saved_query, saved_orders) = (self.query, std::mem::take(&mut self.orders));
        if self.is("WITH") {
            self.common_tables();
        }
        let first = self.names.queries.len();
        self.query_term(outer);
        while self.take_any(&["UNION", "EXCEPT", "INTERSECT"]) {
            self.take("ALL");
            self.query_term(outer);
        }
        let found = (first < self.names.queries.len()).then_some(first);
        self.query = found;
        self.trailing_clauses();
        (self.query, self.orders) = (saved_query, saved_orders);
        self.ctes.truncate(ctes_outside);
        found
    }

    fn query_term(&mut self, outer: Option<QueryId>) {
        if self.is_symbol("(") {
            self.parenthesis(|parser| {
                parser.query_expr(outer);
            });
        } else if self.is("SELECT") {
            self.select(outer);
        } else {
            self.confused();
        }
    }

    /// `WITH a AS (…), b(x, y) AS (…)`. The names stay in [`Parser::ctes`] for the caller to drop.
    pub(super) fn common_tables(&mut self) {
        self.take("WITH");
        if self.is("XMLNAMESPACES") {
            self.advance();
            self.skip_group();
            self.take_symbol(",");
        }
        loop {
            let Some(name) = self.take_name() else { return };
            let renamed = self.column_list();
            if !self.take("AS") || !self.is_symbol("(") {
                return;
            }
            // Known before its body is read, because the body may refer to it.
            let shape = Shape::Query { query: self.names.queries.len(), renamed };
            self.ctes.push((name.clone(), shape));
            let mut found = None;
            let saved = self.query.take();
            self.parenthesis(|parser| found = parser.query_expr(None));
            self.query = saved;
            if found.is_none() {
                self.ctes.push((name, Shape::Opaque));
            }
            if !self.take_symbol(",") {
                return;
            }
        }
    }

    /// `(a, b, c)`, if it is next.
    pub(super) fn column_list(&mut self) -> Option<Vec<String>> {
        let mut columns = None;
        if self.is_symbol("(") {
            self.parenthesis(|parser| {
                let list = columns.get_or_insert_with(Vec::new);
                while let Some(name) = parser.take_name() {
                    list.push(name);
                    parser.take_symbol(",");
                }
            });
        }
        columns
    }

    fn select(&mut self, outer: Option<QueryId>) {
        let id = self.names.queries.len();
        self.names.queries.push(Query { outer, ..Query::default() });
        let saved = self.query.replace(id);
        self.take("SELECT");
        self.take_any(&["ALL", "DISTINCT"]);
        self.top();
        self.items();
        if self.take("INTO") {
            let target = self.parts();
            if let [table] = target.as_slice() {
                self.tables.push((table.clone(), Shape::Query { query: id, renamed: None }));
            }
        }
        if self.take("FROM") {
            self.sources();
        }
        if self.take("WHERE") {
            self.expr();
        }
        self.group_by();
        if self.take("HAVING") {
            self.expr();
        }
        self.query = saved;
    }

    fn top(&mut self) {
        if self.take("TOP") {
            if self.is_symbol("(") {
                self.group();
            } else {
                self.advance();
            }
            self.take("PERCENT");
            if self.is("WITH") && self.word_at(1, "TIES") {
                self.advance();
                self.advance();
            }
        }
    }

    fn items(&mut self) {
        loop {
            self.item();
            if !self.take_symbol(",") {
                break;
            }
        }
        let ends =
            ["INTO", "FROM", "WHERE", "GROUP", "HAVING", "UNION", "EXCEPT", "INTERSECT", "ORDER", "FOR"];
        if self.peek(0).is_some() && !self.is_any(&ends) && !self.is("OPTION") && !self.at_boundary() {
            self.confused();
            self.skip_until(|token| {
                ends.iter().any(|word| token.is_word(word)) || statement::is_boundary(token)
            });
        }
    }

    /// One entry of the select list.
    fn item(&mut self) {
        let (first, second) = (self.peek(0), self.peek(1));
        if self.take_symbol("*") {
            let line = first.map_or(0, |token| token.line);
            self.output(Output::Star(None, line));
            return;
        }
        let assigns = second.is_some_and(|token| token.kind == Kind::Operator && token.text.ends_with('='));
        match first {
            Some(token) if token.kind == Kind::Variable && assigns => {
                self.advance();
                self.advance();
                self.expr();
                self.output(Output::Unnamed);
            }
            Some(token) if self.symbol_at(1, "=") && (token.is_name() || token.kind == Kind::Text) => {
                self.advance();
                self.advance();
                self.expr();
                self.output(Output::Named(alias_text(token.text)));
            }
            _ => self.plain_item(),
        }
    }

    /// `expr [[AS] alias]` or `alias.*`.
    fn plain_item(&mut self) {
        let start = self.place();
        let names = |ahead: usize| self.peek(ahead).is_some_and(|token| token.is_name());
        let mut dots = 0;
        while names(2 * dots) && self.symbol_at(2 * dots + 1, ".") && dots < 4 {
            dots += 1;
        }
        if dots > 0 && self.symbol_at(2 * dots, "*") {
            let qualifier = self.peek(2 * dots - 2);
            (0..=2 * dots).for_each(|_| {
                self.advance();
            });
            if let Some(token) = qualifier {
                self.output(Output::Star(Some(alias_text(token.text)), token.line));
            }
            return;
        }
        self.expr();
        let read = self.since(start);
        let is_column = read.iter().all(|token| token.is_name() || token.is_symbol("."));
        let own_name = read.last().filter(|_| is_column).map(|token| alias_text(token.text));
        let has_as = self.take("AS");
        let alias = self.peek(0).filter(|token| token.is_name() || token.kind == Kind::Text);
        if alias.is_some() {
            self.advance();
        } else if has_as {
            self.confused();
        }
        let name = alias.map(|token| alias_text(token.text)).or(own_name);
        self.output(name.map_or(Output::Unnamed, Output::Named));
    }

    fn group_by(&mut self) {
        if !self.is("GROUP") || !self.word_at(1, "BY") {
            return;
        }
        self.advance();
        self.advance();
        self.take("ALL");
        loop {
            if self.is("GROUPING") && self.word_at(1, "SETS") {
                self.advance();
                self.advance();
            }
            self.expr();
            if !self.take_symbol(",") {
                break;
            }
        }
        if self.is("WITH") && (self.word_at(1, "ROLLUP") || self.word_at(1, "CUBE")) {
            self.advance();
            self.advance();
        }
    }

    /// ORDER BY, OFFSET … FETCH, FOR XML or JSON, OPTION.
    fn trailing_clauses(&mut self) {
        self.orders = true;
        self.order_list();
        self.orders = false;
        if self.take("OFFSET") {
            self.expr();
            self.take_any(&["ROW", "ROWS"]);
            if self.take("FETCH") {
                self.take_any(&["NEXT", "FIRST"]);
                self.expr();
                self.take_any(&["ROW", "ROWS"]);
                self.take("ONLY");
            }
        }
        while self.is("FOR") && ["XML", "JSON", "BROWSE"].iter().any(|word| self.word_at(1, word)) {
            self.advance();
            self.advance();
            while self
                .peek(0)
                .is_some_and(|token| token.is_name() || token.kind == Kind::Text || token.is_symbol(","))
            {
                self.advance();
                self.skip_group();
            }
        }
        if self.take("OPTION") {
            self.skip_group();
        }
    }
}

/// The name in an alias, which may be written as a name or as a string.
fn alias_text(spelled: &str) -> String {
    let text = spelled.strip_prefix(['N', 'n']).filter(|rest| rest.starts_with('\'')).unwrap_or(spelled);
    match text.strip_prefix('\'') {
        Some(inner) => inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'"),
        None => ident::unquote(spelled).into_owned(),
    }
}
