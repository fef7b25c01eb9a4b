//! The sources after FROM: tables, functions, joins, APPLY, derived tables, VALUES.

use super::{Shape, Source, parser::Parser};
use crate::sql::{ident::ObjectName, lexer::Kind};

/// Reserved words that are rowset functions; their columns are not known here.
#[rustfmt::skip]
const ROWSET_WORDS: &[&str] = &[
    "CONTAINSTABLE", "FREETEXTTABLE", "OPENDATASOURCE", "OPENQUERY", "OPENROWSET", "OPENXML",
    "SEMANTICKEYPHRASETABLE", "SEMANTICSIMILARITYDETAILSTABLE", "SEMANTICSIMILARITYTABLE",
];

/// Built-in table functions that are named without a schema, and their columns (none: not known here).
const BUILT_IN: &[(&str, &[&str])] = &[
    ("CHANGETABLE", &[]),
    ("GENERATE_SERIES", &["value"]),
    ("OPENJSON", &[]),
    ("REGEXP_MATCHES", &[]),
    ("REGEXP_SPLIT_TO_TABLE", &["value", "ordinal"]),
    ("STRING_SPLIT", &["value", "ordinal"]),
    ("fn_helpcollations", &[]),
    ("fn_my_permissions", &[]),
    ("fn_trace_gettable", &[]),
    ("fn_virtualfilestats", &[]),
];

/// Table hints, which an old spelling puts into parentheses without WITH.
#[rustfmt::skip]
const HINTS: &[&str] = &[
    "FORCESEEK", "HOLDLOCK", "INDEX", "NOEXPAND", "NOLOCK", "NOWAIT", "PAGLOCK", "READCOMMITTED", "READPAST",
    "READUNCOMMITTED", "REPEATABLEREAD", "ROWLOCK", "SERIALIZABLE", "SNAPSHOT", "TABLOCK", "TABLOCKX", "UPDLOCK",
    "XLOCK",
];

impl Parser<'_> {
    /// The sources after FROM, with their joins.
    pub(super) fn sources(&mut self) {
        loop {
            self.joined(false);
            if !self.take_symbol(",") {
                return;
            }
        }
    }

    /// One source and what is joined to it.
    fn joined(&mut self, applied: bool) {
        self.source(applied);
        loop {
            if self.take("ON") {
                self.expr();
                continue;
            }
            let is_apply = self.is_any(&["CROSS", "OUTER"]) && self.word_at(1, "APPLY");
            if is_apply {
                self.advance();
                self.advance();
            } else if self.is_any(&["PIVOT", "UNPIVOT"]) {
                self.pivot();
                continue;
            } else if self.take_any(&["INNER", "LEFT", "RIGHT", "FULL", "CROSS"]) {
                self.take("OUTER");
                self.take_any(&["LOOP", "HASH", "MERGE", "REMOTE"]);
                if !self.take("JOIN") {
                    self.confused();
                    return;
                }
            } else if !self.take("JOIN") {
                return;
            }
            self.source(is_apply);
        }
    }

    fn source(&mut self, applied: bool) {
        let Some(first) = self.peek(0) else { return };
        let shape = if self.is_symbol("(") {
            match self.derived(applied) {
                Some(shape) => shape,
                None => return,
            }
        } else if first.kind == Kind::Variable {
            self.advance();
            if self.is_symbol(".") {
                self.advance();
                self.take_name();
                self.call("nodes");
                Shape::Columns(Vec::new())
            } else {
                self.resolve(vec![first.text.to_owned()])
            }
        } else if self.is_any(ROWSET_WORDS) {
            self.advance();
            self.skip_group();
            Shape::Opaque
        } else if first.is_name() {
            self.named_source(first.line)
        } else {
            self.confused();
            return;
        };
        let last = match &shape {
            Shape::Object { name, .. } => name.object.clone(),
            _ if first.kind == Kind::Variable || first.is_name() => {
                crate::sql::ident::unquote(first.text).into_owned()
            }
            _ => String::new(),
        };
        self.source_rest(shape, last, first.line);
    }

    /// Hints, alias and column list of a source; then notes it.
    fn source_rest(&mut self, shape: Shape, own_name: String, line: u32) {
        if self.is("FOR") && self.word_at(1, "SYSTEM_TIME") {
            self.confused();
            self.skip_until(|token| token.is_word("AS") && token.kind == Kind::Keyword);
        }
        self.hints();
        let alias =
            if self.take("AS") || !self.is_any(&["APPLY", "WINDOW"]) { self.take_name() } else { None };
        self.hints();
        let renamed = if alias.is_some() { self.column_list() } else { None };
        self.hints();
        let shape = match (shape, renamed) {
            (Shape::Query { query, .. }, Some(list)) => Shape::Query { query, renamed: Some(list) },
            (_, Some(list)) => Shape::Columns(list),
            // `nodes()` without a column list says nothing about its columns.
            (Shape::Columns(list), None) if list.is_empty() => Shape::Opaque,
            (shape, None) => shape,
        };
        let alias = alias.unwrap_or(own_name);
        if let Some(query) = self.current() {
            query.sources.push(Source { alias, shape, line });
        }
    }

    /// A parenthesis after FROM or JOIN: a query, VALUES, or joins (which have noted themselves: None).
    fn derived(&mut self, applied: bool) -> Option<Shape> {
        let mut shape = None;
        if self.opens_query() {
            let current = self.query;
            let beside = current.and_then(|id| self.names.queries.get(id)).and_then(|query| query.outer);
            let outer = if applied { current } else { beside };
            self.parenthesis(|parser| {
                let query = parser.query_expr(outer);
                shape = Some(query.map_or(Shape::Opaque, |query| Shape::Query { query, renamed: None }));
            });
            // Parentheses too deep to be read leave no query.
            return Some(shape.unwrap_or(Shape::Opaque));
        }
        if self.word_at(1, "VALUES") {
            self.parenthesis(|parser| {
                parser.advance();
                parser.expr_list();
            });
            return Some(Shape::Opaque);
        }
        self.parenthesis(|parser| parser.joined(applied));
        None
    }

    /// A table, view, CTE or function by its name.
    fn named_source(&mut self, line: u32) -> Shape {
        let mut parts = self.parts();
        if !self.is_symbol("(") || self.is_hint_list() {
            return self.resolve(parts);
        }
        if let [function] = parts.as_slice() {
            let function = function.clone();
            let built_in = BUILT_IN.iter().find(|(name, _)| name.eq_ignore_ascii_case(&function));
            if let Some((_, columns)) = built_in {
                return self.built_in(&function, columns);
            }
        } else if parts.last().is_some_and(|last| last.eq_ignore_ascii_case("nodes")) {
            parts.pop();
            self.column(parts, line);
            self.call("nodes");
            return Shape::Columns(Vec::new());
        }
        self.call("");
        ObjectName::from_parts(parts).map_or(Shape::Opaque, |name| Shape::Object { name, called: true })
    }

    fn built_in(&mut self, function: &str, columns: &[&str]) -> Shape {
        if function.eq_ignore_ascii_case("CHANGETABLE") {
            self.skip_group();
        } else {
            self.call(function);
        }
        if self.is("WITH") && self.symbol_at(1, "(") {
            self.advance();
            self.skip_group();
        }
        if columns.is_empty() {
            Shape::Opaque
        } else {
            Shape::Columns(columns.iter().map(|&column| column.to_owned()).collect())
        }
    }

    /// `PIVOT (…) AS p`: the columns come from values, so the query is not judged.
    fn pivot(&mut self) {
        self.confused();
        let line = self.advance().map_or(0, |token| token.line);
        self.skip_group();
        self.source_rest(Shape::Opaque, String::new(), line);
    }

    /// True if a parenthesis with a table hint is next.
    fn is_hint_list(&self) -> bool {
        self.is_symbol("(") && HINTS.iter().any(|hint| self.word_at(1, hint))
    }

    /// Steps over `WITH (hints)`, `(hints)` and TABLESAMPLE.
    fn hints(&mut self) {
        if self.is("WITH") && self.symbol_at(1, "(") {
            self.advance();
            self.skip_group();
        } else if self.is_hint_list() {
            self.skip_group();
        } else if self.take("TABLESAMPLE") {
            self.take("SYSTEM");
            self.skip_group();
            self.take_any(&["PERCENT", "ROWS"]);
            if self.take("REPEATABLE") {
                self.skip_group();
            }
        }
    }
}
