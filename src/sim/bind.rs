//! Decides for each statement of a batch whether a real server of some version would run it for some login, and if not,
//! with which errors it would answer.
//!
//! Called by the simulator's backend before it answers a batch, so that a text that a real server refuses has no answer.
//! Names come from `sql::names`, facts from `sim::schema`. The order of checks is the server's: a missing column fails
//! the whole batch before anything runs; a missing object fails when its statement's turn comes, and ends the batch
//! there; a missing right fails one statement only. Scalar functions, numbers of arguments and types are not checked.

use super::{
    backend::ServerMessage,
    schema::{self, Access, Kind, Need, Object},
};
use crate::model::poll::properties::Hosting;
use crate::sql::{
    ident::ObjectName,
    names::{self, Columns, Names, Schema, Shape},
};
use std::{cell::RefCell, rc::Rc};

/// The sender of a batch, and the instance that gets it.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// The version of the instance, as a year.
    pub year: u16,
    /// Who runs it.
    pub hosting: Hosting,
    /// The login's name, for messages.
    pub user: &'a str,
    /// The current database.
    pub database: &'a str,
    /// True if the login holds a right. Cheap: asked for each object of each statement.
    pub held: &'a dyn Fn(Need<'_>) -> bool,
}

/// The result of binding a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound<'t> {
    /// The errors that refuse the batch as a whole, so that nothing of it runs; empty for one that runs.
    pub refused: Vec<ServerMessage>,
    /// Its statements in order, for a batch that runs. The condition of an IF or WHILE is a statement of its own.
    pub statements: Vec<Statement<'t>>,
}

/// The result of binding one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'t> {
    /// Its text, comments within it included, without the `;`.
    pub text: &'t str,
    /// Line of the batch on which it begins, from 1.
    pub line: u32,
    /// The errors that it returns in place of an answer, in order; empty for one that runs.
    pub errors: Vec<ServerMessage>,
    /// True if nothing after it runs.
    pub ends_batch: bool,
}

/// Texts that each thread remembers; beyond that the oldest is forgotten. dbtop sends about twenty different ones.
const REMEMBERED: usize = 64;

/// Texts longer than this are not remembered, in bytes: people paste such, a monitor does not repeat them.
const REMEMBERED_BYTES: usize = 32 * 1024;

thread_local! {
    /// The names in the last texts of this thread. A monitor sends the same texts again and again, and reading one takes
    /// several times as long as looking its names up.
    static READ: RefCell<Vec<(Box<str>, Rc<Names>)>> = const { RefCell::new(Vec::new()) };
}

/// The names in a text, from memory if the text came lately.
fn read(text: &str) -> Rc<Names> {
    if text.len() > REMEMBERED_BYTES {
        return Rc::new(names::read(text));
    }
    READ.with_borrow_mut(|remembered| {
        if let Some((_, names)) = remembered.iter().find(|(known, _)| **known == *text) {
            return Rc::clone(names);
        }
        let names = Rc::new(names::read(text));
        if remembered.len() >= REMEMBERED {
            remembered.remove(0);
        }
        remembered.push((text.into(), Rc::clone(&names)));
        names
    })
}

/// Checks a batch for a caller. Any text has a result, in time linear in its length.
pub fn check_batch<'t>(text: &'t str, caller: &Caller<'_>) -> Bound<'t> {
    let names = read(text);
    let failures: Vec<Failure> = (0..names.statements.len()).map(|it| failure(&names, it, caller)).collect();
    let refused = refusals(&names, &failures, caller);
    if !refused.is_empty() {
        return Bound { refused, statements: Vec::new() };
    }
    let statements = names.statements.iter().zip(failures).map(|(statement, failure)| Statement {
        text: text.get(statement.start..statement.end).unwrap_or_default(),
        line: statement.line,
        ends_batch: matches!(failure, Failure::Ends(_)),
        errors: failure.into_errors(),
    });
    Bound { refused, statements: statements.collect() }
}

/// The problems with the objects of one statement.
enum Failure {
    Nothing,
    /// the batch does not compile
    Compile(ServerMessage),
    /// the statement fails and the batch ends
    Ends(ServerMessage),
    /// the statement fails
    Statement(Vec<ServerMessage>),
}

impl Failure {
    fn into_errors(self) -> Vec<ServerMessage> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Compile(error) | Self::Ends(error) => vec![error],
            Self::Statement(errors) => errors,
        }
    }
}

/// The errors for which the batch does not compile: columns, and functions used as views or the reverse. A statement
/// with an unknown object is compiled when its turn comes, so its columns are not judged.
fn refusals(names: &Names, failures: &[Failure], caller: &Caller<'_>) -> Vec<ServerMessage> {
    let mut refused: Vec<ServerMessage> = failures
        .iter()
        .filter_map(|failure| match failure {
            Failure::Compile(error) => Some(error.clone()),
            _ => None,
        })
        .collect();
    let columns = names::bind(names, &Known(caller)).into_iter().filter(|fault| {
        let failure = failures.get(names.statement_of(fault.query));
        fault.number != 208 && !matches!(failure, Some(Failure::Ends(_)))
    });
    refused.extend(columns.map(|fault| error(fault.number, fault.to_string(), fault.line)));
    refused.sort_by_key(|error| error.line);
    refused
}

/// The effect of a statement's objects on it. The worst comes first.
fn failure(names: &Names, statement: usize, caller: &Caller<'_>) -> Failure {
    let line = names.statements.get(statement).map_or(1, |statement| statement.line);
    let sources = names
        .queries
        .get(names.queries_of(statement))
        .unwrap_or_default()
        .iter()
        .flat_map(|query| &query.sources)
        .filter_map(|source| match &source.shape {
            Shape::Object { name, called } => Some((name, *called, source.line)),
            _ => None,
        });
    let mut missing = None;
    let mut refused = Vec::new();
    let mut denied = Vec::new();
    for (name, called, source_line) in sources {
        let Some(object) = known(name, caller) else {
            missing.get_or_insert_with(|| error(208, format!("Invalid object name '{name}'."), line));
            continue;
        };
        if called != (object.kind == Kind::Function) {
            return Failure::Compile(misused(name, called, source_line));
        }
        let other = name.database.as_deref().filter(|other| !other.eq_ignore_ascii_case(caller.database));
        let database = other.unwrap_or(caller.database);
        if other.is_some() && !(caller.held)(Need::Enter(database)) {
            missing.get_or_insert_with(|| no_entry(caller.user, database, line));
        }
        match object.access {
            Access::Select => refused.extend(select_denied(object, caller, line)),
            _ if denied.is_empty() => denied = state_denied(object, database, caller, line),
            _ => {}
        }
    }
    if let Some(error) = missing {
        return Failure::Ends(error);
    }
    // Rights on tables are checked before the statement starts, rights to server state when a view is opened.
    let errors = if refused.is_empty() { denied } else { refused };
    if errors.is_empty() { Failure::Nothing } else { Failure::Statement(errors) }
}

/// The object that a name means, if the caller's version has it.
fn known(name: &ObjectName, caller: &Caller<'_>) -> Option<&'static Object> {
    schema::find(name, caller.database)
        .filter(|object| object.exists_in(caller.year) && object.exists_on(caller.hosting))
}

/// The schema as the caller's version has it.
struct Known<'a>(&'a Caller<'a>);

impl Schema for Known<'_> {
    fn columns(&self, object: &ObjectName, called: bool) -> Option<Columns<'_>> {
        let object = known(object, self.0)?;
        (called == (object.kind == Kind::Function))
            .then(|| Columns::These(object.columns_in(self.0.year).map(|column| column.name).collect()))
    }
}

/// Errors for a view or function of server or database state that the caller may not read; empty if it may.
fn state_denied(object: &Object, database: &str, caller: &Caller<'_>, line: u32) -> Vec<ServerMessage> {
    let lacks = |needs: &[Need<'static>]| needs.iter().copied().find(|&need| !(caller.held)(need));
    let split = caller.year >= 2022;
    match object.access {
        Access::Public | Access::FewerRows(_) | Access::Select => Vec::new(),
        Access::Server(needs) | Access::Policy(needs) => {
            let Some(need) = lacks(needs) else { return Vec::new() };
            let half = if need == Need::ServerSecurityState { "Security" } else { "Performance" };
            let right = if split {
                format!("VIEW SERVER {} STATE", half.to_uppercase())
            } else {
                "VIEW SERVER STATE".to_owned()
            };
            if split && matches!(object.access, Access::Policy(_)) {
                let action =
                    format!("Microsoft.Sql/Sqlservers/SystemViewsAndFunctions/Server{half}State/Rows/Select");
                let text = format!(
                    "The user does not have the external policy action '{action}' or permission '{right}' to \
                     perform this action."
                );
                return vec![error(371, text, line)];
            }
            let text = format!("{right} permission was denied on object 'server', database 'master'.");
            vec![error(300, text, line), not_allowed(line)]
        }
        Access::Database => {
            let needs = [Need::DatabasePerformanceState, Need::ServerPerformanceState];
            if needs.into_iter().any(|need| (caller.held)(need)) {
                return Vec::new();
            }
            let right = if split { "VIEW DATABASE PERFORMANCE STATE" } else { "VIEW DATABASE STATE" };
            let text = format!("{right} permission denied in database '{database}'.");
            vec![error(262, text, line), not_allowed(line)]
        }
    }
}

/// The error for a table of msdb that the caller may not read.
fn select_denied(object: &Object, caller: &Caller<'_>, line: u32) -> Option<ServerMessage> {
    (!(caller.held)(Need::SelectInMsdb(object.name))).then(|| {
        let (name, database) = (object.name, object.database());
        let text = format!(
            "The SELECT permission was denied on the object '{name}', database '{database}', schema 'dbo'."
        );
        error(229, text, line)
    })
}

/// The error for a view with arguments, or a function without.
fn misused(name: &ObjectName, called: bool, line: u32) -> ServerMessage {
    if called {
        let text = format!(
            "Parameters supplied for object '{name}' which is not a function. If the parameters are intended as a \
             table hint, a WITH keyword is required."
        );
        error(215, text, line)
    } else {
        error(216, format!("Parameters were not supplied for the function '{name}'."), line)
    }
}

fn no_entry(user: &str, database: &str, line: u32) -> ServerMessage {
    let text = format!(
        "The server principal \"{user}\" is not able to access the database \"{database}\" under the current \
         security context."
    );
    error(916, text, line)
}

/// The second error that follows a missing right to server or database state.
fn not_allowed(line: u32) -> ServerMessage {
    error(297, "The user does not have permission to perform this action.".to_owned(), line)
}

/// An error with the class and state that servers send with its number.
fn error(number: i32, text: String, line: u32) -> ServerMessage {
    let (class, state) = match number {
        229 => (14, 5),
        262 | 300 | 916 => (14, 1),
        371 => (14, 3),
        _ => (16, 1),
    };
    ServerMessage { number, class, state, text, line }
}
