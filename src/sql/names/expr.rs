//! Expressions: operands, operators, calls, CASE, windows. Precedence does not matter here, only which names stand
//! where an operand belongs.

use super::parser::Parser;
use crate::sql::lexer::Kind;

/// Functions whose first argument is a date part, not a column.
const DATE_PART_FUNCTIONS: &[&str] =
    &["DATEADD", "DATEDIFF", "DATEDIFF_BIG", "DATENAME", "DATEPART", "DATETRUNC", "DATE_BUCKET"];

/// Reserved words that are called like functions.
#[rustfmt::skip]
const CALLED_WORDS: &[&str] = &[
    "COALESCE", "CONTAINS", "CONVERT", "FREETEXT", "IDENTITY", "LEFT", "NULLIF", "RIGHT", "TRY_CONVERT", "UPDATE",
];

/// Reserved words that are operands by themselves.
#[rustfmt::skip]
const VALUE_WORDS: &[&str] = &[
    "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "DEFAULT", "NULL", "SESSION_USER",
    "SYSTEM_USER", "USER",
];

/// Methods of the types xml and json, which follow a column and a dot.
const METHODS: &[&str] = &["exist", "modify", "nodes", "query", "value"];

impl Parser<'_> {
    /// One expression, up to a token that cannot continue it.
    pub(super) fn expr(&mut self) {
        loop {
            if !self.operand() {
                self.confused();
                return;
            }
            self.postfix();
            if !self.operator() {
                return;
            }
        }
    }

    /// Expressions with commas between them.
    pub(super) fn expr_list(&mut self) {
        self.expr();
        while self.take_symbol(",") {
            self.expr();
        }
    }

    /// Steps over one binary operator.
    fn operator(&mut self) -> bool {
        if self.is("NOT") && ["LIKE", "IN", "BETWEEN"].iter().any(|word| self.word_at(1, word)) {
            self.advance();
        }
        let symbol = self.peek(0).is_some_and(|token| token.kind == Kind::Operator && token.text != "~");
        if symbol {
            self.advance();
        }
        symbol || self.take_any(&["AND", "OR", "LIKE", "IN", "BETWEEN", "ESCAPE"])
    }

    fn operand(&mut self) -> bool {
        while self.is_symbol("-")
            || self.is_symbol("+")
            || self.is_symbol("~")
            || self.is_any(&["NOT", "EXISTS", "ALL", "ANY", "SOME", "DISTINCT"])
        {
            self.advance();
        }
        let Some(token) = self.peek(0) else { return false };
        if self.is_symbol("(") {
            self.group();
            return true;
        }
        if token.is_name() {
            self.named_operand();
            return true;
        }
        if self.is("CASE") {
            self.case();
            return true;
        }
        if self.symbol_at(1, "(") && self.is_any(CALLED_WORDS) {
            self.advance();
            self.call(token.text);
            return true;
        }
        let plain = token.is_literal()
            || token.kind == Kind::Variable
            || token.is_symbol("*")
            || self.is_any(VALUE_WORDS);
        if plain {
            self.advance();
        }
        plain
    }

    /// A parenthesis in an expression: a sub-query, or a list of expressions.
    pub(super) fn group(&mut self) {
        let query = self.word_at(1, "SELECT") || self.word_at(1, "WITH") || self.symbol_at(1, "(");
        let is_query = query && self.opens_query();
        self.parenthesis(|parser| {
            if parser.is_symbol(")") {
                return;
            }
            if is_query {
                let outer = parser.query;
                parser.query_expr(outer);
                parser.postfix();
                if parser.operator() {
                    parser.expr();
                }
            } else {
                parser.expr();
            }
            while parser.take_symbol(",") {
                parser.expr();
            }
        });
    }

    /// A name where an operand belongs: a column, a call, a method of a column.
    fn named_operand(&mut self) {
        let Some(first) = self.peek(0) else { return };
        if self.is("NEXT") && self.word_at(1, "VALUE") && self.word_at(2, "FOR") {
            (0..3).for_each(|_| {
                self.advance();
            });
            self.parts();
            return;
        }
        let mut parts = self.parts();
        if self.take_symbol("::") {
            self.parts();
            if self.is_symbol("(") {
                self.call("");
            }
        } else if !self.is_symbol("(") {
            self.column(parts, first.line);
        } else if let [function] = parts.as_slice() {
            let function = function.clone();
            self.call(&function);
        } else {
            let method = parts.pop().unwrap_or_default();
            if METHODS.iter().any(|known| known.eq_ignore_ascii_case(&method)) {
                self.column(parts, first.line);
            }
            self.call(&method);
        }
    }

    /// The arguments of `function`, from its `(`.
    pub(super) fn call(&mut self, function: &str) {
        let named = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(function));
        let type_first = named(&["CONVERT", "TRY_CONVERT", "IDENTITY"]);
        let part_first = named(DATE_PART_FUNCTIONS);
        self.parenthesis(|parser| {
            if type_first {
                parser.type_name();
                parser.take_symbol(",");
            } else if part_first {
                parser.advance();
                parser.take_symbol(",");
            }
            parser.arguments();
        });
    }

    fn arguments(&mut self) {
        while !self.is_symbol(")") && self.peek(0).is_some() {
            let before = self.place();
            self.expr();
            if self.take("AS") {
                self.type_name();
            }
            if self.is("NULL") && self.word_at(1, "ON") || self.is("ABSENT") && self.word_at(1, "ON") {
                (0..3).for_each(|_| {
                    self.advance();
                });
            }
            let goes_on = self.take_symbol(",") || self.take_symbol(":") || self.take_any(&["FROM", "USING"]);
            if !goes_on || self.place() == before {
                return;
            }
        }
    }

    /// `int`, `nvarchar(max)`, `sys.sysname`, `double precision`.
    pub(super) fn type_name(&mut self) {
        self.take_any(&["NATIONAL", "DOUBLE"]);
        self.parts();
        self.take_any(&["VARYING", "PRECISION"]);
        self.skip_group();
    }

    fn case(&mut self) {
        self.take("CASE");
        if !self.is("WHEN") {
            self.expr();
        }
        while self.take("WHEN") {
            self.expr();
            if self.take("THEN") {
                self.expr();
            }
        }
        if self.take("ELSE") {
            self.expr();
        }
        if !self.take("END") {
            self.confused();
        }
    }

    /// Reads the tokens after an operand that still belong to it.
    fn postfix(&mut self) {
        loop {
            if self.is_symbol(".")
                && self.peek(1).is_some_and(|token| token.is_name())
                && self.symbol_at(2, "(")
            {
                self.advance();
                self.advance();
                self.call("");
            } else if self.take("COLLATE") {
                self.advance();
            } else if self.is("AT") && self.word_at(1, "TIME") && self.word_at(2, "ZONE") {
                (0..3).for_each(|_| {
                    self.advance();
                });
                self.operand();
            } else if self.is("WITHIN") && self.word_at(1, "GROUP") {
                self.advance();
                self.advance();
                self.parenthesis(Self::order_list);
            } else if self.is_any(&["IGNORE", "RESPECT"]) && self.word_at(1, "NULLS") {
                self.advance();
                self.advance();
            } else if self.take("OVER") {
                if self.take_name().is_none() {
                    self.window();
                }
            } else if self.take("IS") {
                self.take("NOT");
                if self.take("DISTINCT") {
                    self.take("FROM");
                    self.operand();
                } else if !self.take("NULL") {
                    self.confused();
                }
            } else {
                return;
            }
        }
    }

    /// `(PARTITION BY … ORDER BY … ROWS …)`. Output names are not visible in it.
    fn window(&mut self) {
        let orders = std::mem::take(&mut self.orders);
        self.parenthesis(|parser| {
            if parser.take("PARTITION") {
                parser.take("BY");
                parser.expr_list();
            }
            parser.order_list();
            if parser.is_any(&["ROWS", "RANGE"]) {
                parser.skip_to_close();
            }
        });
        self.orders = orders;
    }

    /// `ORDER BY …`, if it is next.
    pub(super) fn order_list(&mut self) {
        if !self.is("ORDER") || !self.word_at(1, "BY") {
            return;
        }
        self.advance();
        self.advance();
        loop {
            self.expr();
            self.take_any(&["ASC", "DESC"]);
            if !self.take_symbol(",") {
                return;
            }
        }
    }
}
