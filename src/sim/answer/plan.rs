//! A batch taken apart: the kind of each statement, and the result of binding it. It is the same for every session with the
//! same rights, so the fleet keeps plans like a server does.

use crate::{
    model::poll::properties::Hosting,
    sim::{
        backend::ServerMessage,
        bind::{self, Caller},
        world::{
            rights::{Grant, Rights},
            version::Version,
        },
    },
    sql::{
        ident,
        lexer::{self, Kind, Token},
        names::{self, Output, Shape, Source},
    },
};
use std::time::Duration;

/// The depth to which `sp_executesql` inside of `sp_executesql` is followed.
const MAX_NESTING: u8 = 3;

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// the errors because of which nothing of it runs
    pub refused: Vec<ServerMessage>,
    /// its statements
    pub statements: Vec<Planned>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// its text
    pub text: String,
    /// its line
    pub line: u32,
    /// its action
    pub action: Action,
    /// errors in place of an answer
    pub errors: Vec<ServerMessage>,
    /// nothing after it runs
    pub ends_batch: bool,
}

/// The action of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// settings, transactions, control flow: done, without effect
    Nothing,
    /// one of our scripts
    Probe {
        /// its name
        name: String,
        /// the columns that it selects
        columns: Vec<String>,
    },
    /// SELECT without FROM
    Select,
    /// SELECT of columns from one view of `sys`, nothing else
    View {
        /// the view
        name: String,
        /// its columns; `*` for all
        columns: Vec<String>,
    },
    /// USE
    Use(String),
    /// PRINT
    Print(String),
    /// WAITFOR DELAY
    Wait(Duration),
    /// KILL
    Kill(i64),
    /// GRANT or CREATE USER
    Grant(Grant),
    /// `EXEC sim_types`: a value of every type
    Types,
    /// `EXEC sim_rows n`, `EXEC sim_endless`
    Rows(u64),
    /// an error
    Fail(i32, String),
}

/// The sender of the batch.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// version of the instance
    pub version: Version,
    /// who runs it
    pub hosting: Hosting,
    /// rights of the login
    pub rights: Rights,
    /// login
    pub user: &'a str,
    /// current database
    pub database: &'a str,
}

impl Plan {
    /// Takes a batch apart.
    pub fn of(text: &str, sender: &Sender<'_>) -> Self {
        Self::nested(text, sender, 0)
    }

    fn nested(text: &str, sender: &Sender<'_>, depth: u8) -> Self {
        let held = |need: crate::sim::schema::Need<'_>| sender.rights.held(need);
        let caller = Caller {
            year: sender.version.year(),
            hosting: sender.hosting,
            user: sender.user,
            database: sender.database,
            held: &held,
        };
        let bound = bind::check_batch(text, &caller);
        let mut plan = Self { refused: bound.refused, statements: Vec::new() };
        for statement in bound.statements {
            let tokens: Vec<Token<'_>> = lexer::code(statement.text).collect();
            if let Some(inner) = inner_batch(&tokens).filter(|_| depth < MAX_NESTING) {
                let inner = Self::nested(&inner, sender, depth + 1);
                plan.statements.extend(inner.refused.into_iter().map(|e| {
                    let line = statement.line;
                    let action = Action::Fail(e.number, e.text);
                    Planned { text: String::new(), line, action, errors: Vec::new(), ends_batch: false }
                }));
                plan.statements.extend(inner.statements);
                continue;
            }
            let action = action(statement.text, &tokens);
            if let Action::Fail(number @ (102 | 105), text) = &action {
                // bad syntax: nothing runs
                plan.refused.push(ServerMessage::error(*number, text.clone(), statement.line));
            }
            plan.statements.push(Planned {
                text: statement.text.to_owned(),
                line: statement.line,
                action,
                errors: statement.errors,
                ends_batch: statement.ends_batch,
            });
        }
        plan
    }
}

/// The text inside of `EXEC sp_executesql N'…'` or `EXEC ('…')`.
fn inner_batch(tokens: &[Token<'_>]) -> Option<String> {
    let mut code = tokens.iter().filter(|t| !t.is_blank());
    let exec = code.next()?;
    if !exec.is_word("EXEC") && !exec.is_word("EXECUTE") {
        return None;
    }
    let next = code.find(|t| !t.is_symbol("."))?;
    let opens = next.is_symbol("(");
    if !opens && !is_name(next, "sp_executesql") && !is_name(next, "sys") {
        return None;
    }
    let text = code.find(|t| t.kind == Kind::Text)?;
    Some(string_of(text.text))
}

/// The value of a string literal; any other text as it is.
pub fn string_of(literal: &str) -> String {
    let inner = literal.strip_prefix(['N', 'n']).unwrap_or(literal);
    match inner.strip_prefix('\'') {
        Some(rest) => rest.strip_suffix('\'').unwrap_or(rest).replace("\'\'", "\'"),
        None => literal.to_owned(),
    }
}

fn is_name(token: &Token<'_>, name: &str) -> bool {
    ident::unquote(token.text).eq_ignore_ascii_case(name)
}

/// Finds the action of a statement.
fn action(text: &str, tokens: &[Token<'_>]) -> Action {
    let code: Vec<&Token<'_>> = tokens.iter().filter(|t| !t.is_blank()).collect();
    let Some(first) = code.first() else { return Action::Nothing };
    let word = |n: usize| code.get(n).map_or("", |t| t.text);
    match first.text.to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" => query(text),
        "SET" | "DECLARE" | "BEGIN" | "END" | "COMMIT" | "ROLLBACK" | "SAVE" | "IF" | "ELSE" | "RETURN"
        | "GO" | "REVERT" | "CLOSE" => Action::Nothing,
        "USE" => Action::Use(ident::unquote(word(1)).into_owned()),
        "PRINT" => Action::Print(string_of(word(1))),
        "WAITFOR" => delay(&string_of(word(2))).map_or_else(|| bad_syntax(word(2)), Action::Wait),
        "KILL" => word(1).parse().map_or_else(|_| bad_syntax(word(1)), Action::Kill),
        "EXEC" | "EXECUTE" => procedure(&code),
        "GRANT" => grant(&code).map_or_else(|| bad_syntax(word(1)), Action::Grant),
        "CREATE" if code.get(1).is_some_and(|t| t.is_word("USER")) => {
            Action::Grant(Grant::User(ident::unquote(word(2)).into_owned()))
        }
        "RAISERROR" => {
            let said = code.iter().find(|t| t.kind == Kind::Text).map_or("", |t| t.text);
            Action::Fail(50_000, string_of(said))
        }
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "BACKUP"
        | "RESTORE" | "DBCC" | "DENY" | "REVOKE" | "BULK" => {
            Action::Fail(50_000, format!("the simulator does not run {}", first.text.to_ascii_uppercase()))
        }
        _ => bad_syntax(first.text),
    }
}

/// `GRANT right TO login`, `GRANT SELECT ON dbo.table TO user`.
fn grant(code: &[&Token<'_>]) -> Option<Grant> {
    let to = code.iter().position(|t| t.is_word("TO"))?;
    let name = |t: &&Token<'_>| ident::unquote(t.text).into_owned();
    let whom = code.get(to + 1).map(name)?;
    match code.iter().position(|t| t.is_word("ON")) {
        Some(on) if code.get(1)?.is_word("SELECT") && on < to => {
            Some(Grant::Select { table: code.get(to - 1).map(name)?, to: whom })
        }
        Some(_) => None,
        None => {
            let words: Vec<&str> = code.get(1..to)?.iter().map(|t| t.text).collect();
            Some(Grant::Server { right: words.join(" "), to: whom })
        }
    }
}

fn bad_syntax(near: &str) -> Action {
    Action::Fail(102, format!("Incorrect syntax near '{}'.", near.chars().take(60).collect::<String>()))
}

/// A SELECT: one of ours, one without FROM, or one that the simulator has no rows for.
fn query(text: &str) -> Action {
    let names = names::read(text);
    let outer = names.queries.iter().find(|q| q.outer.is_none());
    if let Some(tag) = tag(text) {
        let outputs = names.queries.iter().find_map(|q| {
            let marked = format!("dbtop_{tag}");
            q.output.iter().any(|o| matches!(o, Output::Named(name) if *name == marked)).then_some(&q.output)
        });
        return Action::Probe { name: tag.to_owned(), columns: labels(outputs.map_or(&[], |all| all)) };
    }
    if outer.is_some_and(|q| q.sources.is_empty()) {
        return Action::Select;
    }
    let plain = lexer::code(text).all(|t| {
        !["WHERE", "JOIN", "APPLY", "GROUP", "ORDER", "TOP", "DISTINCT"].iter().any(|w| t.is_word(w))
    });
    if let ([one], true) = (&names.queries[..], plain)
        && let [Source { shape: Shape::Object { name, called: false }, .. }] = &one.sources[..]
        && name.schema.as_deref().is_some_and(|schema| schema.eq_ignore_ascii_case("sys"))
    {
        return Action::View { name: name.object.clone(), columns: labels(&one.output) };
    }
    let problem =
        "the simulator answers dbtop's own scripts, and SELECT of columns FROM one of a few system views";
    Action::Fail(50_000, problem.to_owned())
}

/// The names of result columns.
fn labels(outputs: &[Output]) -> Vec<String> {
    let label = |output: &Output| match output {
        Output::Named(name) => name.clone(),
        Output::Star(..) => "*".to_owned(),
        Output::Unnamed => "(unnamed)".to_owned(),
    };
    outputs.iter().map(label).collect()
}

/// The name in `/* dbtop:NAME */`.
fn tag(text: &str) -> Option<&str> {
    let rest = text.split_once("/* dbtop:")?.1;
    let name = rest.split_once("*/")?.0.trim();
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then_some(name)
}

/// `hh:mm[:ss[.mmm]]` as WAITFOR DELAY takes it.
fn delay(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut unit = 3600.0;
    for part in text.trim().split(':') {
        seconds += part.parse::<f64>().ok().filter(|n| (0.0..86_400.0).contains(n))? * unit;
        unit /= 60.0;
    }
    (unit < 3600.0 / 59.0).then(|| Duration::from_secs_f64(seconds.min(86_400.0)))
}

/// EXEC of a procedure.
fn procedure(code: &[&Token<'_>]) -> Action {
    let name = code.iter().skip(1).take_while(|t| t.is_name() || t.is_symbol(".")).last();
    let name = name.map(|t| ident::unquote(t.text).to_ascii_lowercase()).unwrap_or_default();
    let number = || code.iter().rev().find_map(|t| t.text.parse().ok());
    match name.as_str() {
        "sim_types" => Action::Types,
        "sim_rows" => Action::Rows(number().unwrap_or(1)),
        "sim_endless" => Action::Rows(u64::MAX),
        "sp_reset_connection" | "sp_set_session_context" => Action::Nothing,
        _ => Action::Fail(2812, format!("Could not find stored procedure '{name}'.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        let rights = Rights { admin: false, ..Rights::ADMIN };
        Plan::of(
            text,
            &Sender {
                version: Version::V2022,
                hosting: Hosting::Own,
                rights,
                user: "dbtop",
                database: "master",
            },
        )
    }

    fn actions(text: &str) -> Vec<Action> {
        plan(text).statements.into_iter().map(|s| s.action).collect()
    }

    #[test]
    fn statements_of_clients_are_told_apart() {
        let text = "SET NOCOUNT ON\nuse [msdb]; print N'it''s'; waitfor delay '00:00:01.5' kill 57\nselect 1 select 2";
        let expected = vec![
            Action::Nothing,
            Action::Use("msdb".into()),
            Action::Print("it's".into()),
            Action::Wait(Duration::from_millis(1500)),
            Action::Kill(57),
            Action::Select,
            Action::Select,
        ];
        assert_eq!(actions(text), expected);
    }

    #[test]
    fn a_script_is_known_by_its_tag_and_its_columns_by_their_names() {
        let text = "SELECT /* dbtop:waits */ 1 AS dbtop_waits, w.wait_time_ms, w.wait_type FROM sys.dm_os_wait_stats AS w;";
        let columns = ["dbtop_waits", "wait_time_ms", "wait_type"].map(str::to_owned).to_vec();
        assert_eq!(actions(text), vec![Action::Probe { name: "waits".into(), columns }]);
    }

    #[test]
    fn executed_text_is_run() {
        assert_eq!(actions("EXEC sp_executesql N'select 1'"), vec![Action::Select]);
        assert_eq!(actions("exec ('print ''x''')"), vec![Action::Print("x".into())]);
    }

    #[test]
    fn nonsense_fails_the_whole_batch() {
        let refused = plan("select 1; frobnicate the server").refused;
        assert_eq!(refused.first().map(|e| (e.number, e.class)), Some((102, 15)), "{refused:?}");
    }

    #[test]
    fn other_queries_are_refused_in_words() {
        let view = Action::View { name: "databases".into(), columns: vec!["name".into(), "*".into()] };
        assert_eq!(actions("SELECT name, d.* FROM sys.databases AS d"), vec![view]);
        let all = actions("SELECT name FROM sys.databases WHERE database_id = 1");
        assert!(matches!(&all[..], [Action::Fail(50_000, _)]), "{all:?}");
    }
}
