//! Statements: finds the queries in a batch and learns the tables that the batch makes for itself.

use super::{Query, Shape, Source, Statement, parser::Parser};
use crate::sql::lexer::{Kind, Token};

/// Reserved words that begin or end a statement.
#[rustfmt::skip]
const BOUNDARIES: &[&str] = &[
    "ALTER", "BEGIN", "BREAK", "CLOSE", "COMMIT", "CONTINUE", "CREATE", "DBCC", "DEALLOCATE", "DECLARE", "DELETE",
    "DENY", "DROP", "ELSE", "END", "EXEC", "EXECUTE", "FETCH", "GOTO", "GRANT", "IF", "INSERT", "KILL", "MERGE",
    "OPEN", "PRINT", "RAISERROR", "RETURN", "REVOKE", "ROLLBACK", "SAVE", "SELECT", "SET", "TRUNCATE", "UPDATE",
    "USE", "WAITFOR", "WHILE", "WITH",
];

/// Words at the start of an entry in a table definition that is no column.
const NO_COLUMN: &[&str] = &["CHECK", "CONSTRAINT", "FOREIGN", "INDEX", "PRIMARY", "UNIQUE"];

/// True for a token that a statement cannot go on with.
pub(super) fn is_boundary(token: &Token<'_>) -> bool {
    token.is_symbol(";")
        || token.is_symbol(")")
        || (token.kind == Kind::Keyword && BOUNDARIES.iter().any(|word| token.is_word(word)))
}

impl Parser<'_> {
    /// True at the end of the batch, or before a token that cannot continue a statement.
    pub(super) fn at_boundary(&self) -> bool {
        self.peek(0).is_none_or(|token| is_boundary(&token))
    }

    /// The whole batch.
    pub(super) fn statements(&mut self) {
        while let Some(first) = self.peek(0) {
            let before = self.place();
            if !std::mem::take(&mut self.goes_on) && !first.is_symbol(";") {
                let (line, first_query) = (first.line, self.names.queries.len());
                self.names.statements.push(Statement { start: first.start, end: 0, line, first_query });
            }
            self.statement();
            if self.place() == before {
                self.advance();
            }
            let end = self.since(before).last().filter(|last| !last.is_symbol(";")).map(Token::end);
            if let (Some(end), Some(statement)) = (end, self.names.statements.last_mut()) {
                statement.end = end;
            }
        }
    }

    fn statement(&mut self) {
        if self.is("SELECT") || self.opens_query() {
            self.query_expr(None);
            self.ctes.clear();
            self.rest();
        } else if self.is("WITH") {
            self.common_tables();
            self.goes_on = true;
        } else if self.take("INSERT") {
            self.insert();
        } else if self.take("DECLARE") {
            self.declare();
        } else if self.is("CREATE") && self.word_at(1, "TABLE") {
            self.advance();
            self.advance();
            self.create_table();
        } else if self.take_any(&["GRANT", "DENY", "REVOKE"]) {
            // Up to TO the words are names of rights, SELECT and EXECUTE among them.
            self.skip_until(|token| token.is_symbol(";") || token.is_word("TO") || token.is_word("FROM"));
            self.rest();
        } else if self.take_any(&["IF", "WHILE", "PRINT"]) {
            self.expr();
        } else if self.take("SET") {
            self.set();
        } else if self.take_symbol(";") {
            self.ctes.clear();
        } else if !self.take_any(&["BEGIN", "END", "ELSE", "TRY", "CATCH", "RETURN"]) {
            self.advance();
            self.rest();
        }
    }

    /// Goes to the end of a statement that is not, or not fully, understood.
    fn rest(&mut self) {
        self.skip_until(is_boundary);
    }

    /// `SET @x = expr` and `SET option …`.
    fn set(&mut self) {
        let variable = self.peek(0).is_some_and(|token| token.kind == Kind::Variable);
        if variable && self.peek(1).is_some_and(|token| token.text.ends_with('=')) {
            self.advance();
            self.advance();
            self.expr();
        }
        self.rest();
    }

    /// The target of an INSERT and its column list; the query or the values follow as if they stood alone.
    fn insert(&mut self) {
        if self.take("TOP") {
            self.skip_group();
        }
        self.take("INTO");
        let Some(first) = self.peek(0) else { return };
        let parts = if first.kind == Kind::Variable {
            self.advance();
            vec![first.text.to_owned()]
        } else {
            self.parts()
        };
        if parts.is_empty() {
            return;
        }
        let source = Source { alias: String::new(), shape: self.resolve(parts), line: first.line };
        let id = self.names.queries.len();
        self.names.queries.push(Query { sources: vec![source], ..Query::default() });
        if self.is_symbol("(") && !self.opens_query() {
            self.query = Some(id);
            self.parenthesis(Self::expr_list);
            self.query = None;
        }
        if self.take("VALUES") {
            self.expr_list();
            self.rest();
            return;
        }
        // `OUTPUT … INTO …` stands between the target and the query.
        if !self.opens_query() {
            self.rest();
        }
        self.goes_on = self.opens_query() || self.is_any(&["SELECT", "WITH", "EXEC", "EXECUTE"]);
    }

    /// `DECLARE @x int = 1, @t TABLE (…)`.
    fn declare(&mut self) {
        while let Some(variable) = self.peek(0).filter(|token| token.kind == Kind::Variable) {
            self.advance();
            self.take("AS");
            if self.take("TABLE") {
                let columns = self.table_definition();
                self.tables.push((variable.text.to_owned(), Shape::Columns(columns)));
            } else {
                self.type_name();
                if self.take_symbol("=") {
                    self.expr();
                }
            }
            if !self.take_symbol(",") {
                break;
            }
        }
        self.rest();
    }

    fn create_table(&mut self) {
        let parts = self.parts();
        let columns = self.table_definition();
        if let Some(table) = parts.last().filter(|table| table.starts_with('#') && !columns.is_empty()) {
            self.tables.push((table.clone(), Shape::Columns(columns)));
        }
        self.rest();
    }

    /// The column names in `(a int, b int, PRIMARY KEY (a))`.
    fn table_definition(&mut self) -> Vec<String> {
        let mut columns = Vec::new();
        self.parenthesis(|parser| {
            loop {
                if !parser.is_any(NO_COLUMN) {
                    columns.extend(parser.take_name());
                }
                parser.skip_until(|token| token.is_symbol(","));
                if !parser.take_symbol(",") {
                    return;
                }
            }
        });
        columns
    }
}
