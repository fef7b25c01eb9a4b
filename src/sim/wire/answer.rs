//! An answer being written: turns the backend's steps into tokens and gets the DONE tokens right.
//!
//! Pure. `out` holds whole tokens only, so an answer may be ended cleanly between any two steps. `connection` sends the
//! bytes of `out` while it grows.

use std::time::Duration;

use bytes::BytesMut;

use super::{
    tokens::{self, COMMAND_SELECT, DONE_COUNT, DONE_ERROR, DONE_MORE, DoneKind},
    types,
};
use crate::sim::backend::{Column, Reply, ServerMessage};

/// From this severity on, SQL Server closes the connection after the message.
const FATAL_CLASS: u8 = 20;

/// The action after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// take the next step
    Step,
    /// wait, then take the next step
    Pause(Duration),
    /// deliver this many bytes of the packet at hand and close
    Cut(usize),
    /// finish the answer, deliver it and close
    Close,
}

/// One answer, of a batch or of one or more procedure calls.
#[derive(Debug)]
pub struct Answer {
    /// tokens not sent yet
    pub out: BytesMut,
    server: String,
    /// the database that the client was last told about
    database: String,
    in_procedure: bool,
    columns: Vec<Column>,
    /// a DONE waits here until it is known whether more follows
    held: Option<Held>,
    failed: bool,
    last_error: i32,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    kind: DoneKind,
    status: u16,
    command: u16,
    rows: u64,
}

impl Answer {
    /// Starts an answer of the instance `server` to a client whose current database is `database`.
    pub fn new(server: String, database: String) -> Self {
        Self {
            out: BytesMut::new(),
            server,
            database,
            in_procedure: false,
            columns: vec![],
            held: None,
            failed: false,
            last_error: 0,
        }
    }

    /// A statement runs inside a procedure call from here to [`Answer::end_call`].
    pub fn begin_call(&mut self) {
        self.release(true);
        (self.in_procedure, self.failed, self.last_error) = (true, false, 0);
    }

    /// Ends a procedure call: its statement's DONEINPROC, return status, output parameters, DONEPROC.
    pub fn end_call(&mut self, outputs: &[(u16, String, Vec<u8>)]) {
        self.end_statement();
        self.release(true);
        self.in_procedure = false;
        tokens::put_return_status(&mut self.out, self.last_error);
        for (ordinal, name, typed) in outputs {
            tokens::put_return_value(&mut self.out, *ordinal, name, typed);
        }
        let status = if self.last_error == 0 { 0 } else { DONE_ERROR };
        self.held = Some(Held { kind: DoneKind::Procedure, status, command: 0, rows: 0 });
    }

    /// Appends the tokens of one step of the backend.
    pub fn push(&mut self, reply: Reply) -> Next {
        match reply {
            Reply::Columns(columns) => {
                self.end_statement();
                self.release(true);
                types::put_columns(&mut self.out, &columns);
                self.columns = columns;
            }
            Reply::Row(row) => {
                if !self.columns.is_empty() {
                    types::put_row(&mut self.out, &self.columns, &row);
                }
            }
            Reply::Done(rows) => self.done(rows),
            Reply::Message(message) => return self.message(&message),
            Reply::Database(name) => {
                self.release(true);
                self.change_database(&name);
            }
            Reply::Pause(time) => return Next::Pause(time),
            Reply::Cut { keep } => return Next::Cut(keep),
        }
        Next::Step
    }

    /// Acknowledges a reset connection, which is back in its first database.
    pub fn reset(&mut self, home: &str) {
        tokens::put_reset_done(&mut self.out);
        self.change_database(home);
    }

    /// Tells the client about its current database, if that changed.
    pub fn change_database(&mut self, name: &str) {
        if name != self.database {
            tokens::put_database(&mut self.out, name, &self.database, &self.server);
            name.clone_into(&mut self.database);
        }
    }

    /// Appends ERROR or INFO.
    pub fn message(&mut self, message: &ServerMessage) -> Next {
        self.release(true);
        tokens::put_message(&mut self.out, message, &self.server);
        if message.class > 10 {
            self.failed = true;
            self.last_error = message.number;
        }
        if message.class >= FATAL_CLASS { Next::Close } else { Next::Step }
    }

    /// Ends the answer.
    pub fn finish(&mut self) {
        self.end_statement();
        if self.held.is_none() {
            self.done(None);
        }
        self.release(false);
    }

    /// Ends the answer because the client cancelled it: the first of the two messages of a cancel.
    pub fn abort(&mut self) {
        self.release(true);
        tokens::put_done(&mut self.out, DoneKind::Batch, DONE_ERROR, 0, 0);
    }

    /// A result set that was left open, or an error that no DONE followed, ends here.
    fn end_statement(&mut self) {
        if !self.columns.is_empty() || self.failed {
            self.done(None);
        }
    }

    fn done(&mut self, rows: Option<u64>) {
        self.release(true);
        let mut status = if rows.is_some() { DONE_COUNT } else { 0 };
        if std::mem::take(&mut self.failed) {
            status |= DONE_ERROR;
        }
        let command = if self.columns.is_empty() { 0 } else { COMMAND_SELECT };
        self.columns.clear();
        let kind = if self.in_procedure { DoneKind::InProcedure } else { DoneKind::Batch };
        self.held = Some(Held { kind, status, command, rows: rows.unwrap_or(0) });
    }

    /// Writes the DONE that waits, now that it is known whether something follows.
    fn release(&mut self, more: bool) {
        let Some(held) = self.held.take() else { return };
        let status = held.status | if more { DONE_MORE } else { 0 };
        tokens::put_done(&mut self.out, held.kind, status, held.command, held.rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::backend::{ColumnType, Value};

    fn answer() -> Answer {
        Answer::new("srv".into(), "master".into())
    }

    fn columns() -> Reply {
        Reply::Columns(vec![Column { name: "a".into(), kind: ColumnType::Int, nullable: true }])
    }

    fn error(class: u8) -> Reply {
        Reply::Message(ServerMessage { number: 208, class, state: 1, text: "no".into(), line: 1 })
    }

    /// The (token, status) of every DONE in the answer; works because test answers hold no such bytes elsewhere.
    fn dones(answer: &Answer) -> Vec<(u8, u16)> {
        let bytes = &answer.out;
        (0..bytes.len().saturating_sub(12))
            .filter(|at| bytes[*at] >= 0xfd && bytes[*at + 2] == 0)
            .map(|at| (bytes[at], u16::from_le_bytes([bytes[at + 1], bytes[at + 2]])))
            .collect()
    }

    #[test]
    fn only_the_last_done_of_a_batch_says_that_nothing_follows() {
        let mut answer = answer();
        for _ in 0..2 {
            answer.push(columns());
            answer.push(Reply::Row(vec![Value::Int(1)]));
            answer.push(Reply::Done(Some(1)));
        }
        answer.finish();
        assert_eq!(dones(&answer), [(0xfd, DONE_COUNT | DONE_MORE), (0xfd, DONE_COUNT)]);
    }

    #[test]
    fn an_error_marks_the_done_of_its_own_statement_only() {
        let mut answer = answer();
        answer.push(error(16));
        answer.push(Reply::Done(None));
        answer.push(Reply::Done(Some(3)));
        answer.finish();
        assert_eq!(dones(&answer), [(0xfd, DONE_ERROR | DONE_MORE), (0xfd, DONE_COUNT)]);
    }

    #[test]
    fn an_answer_without_steps_still_ends() {
        let mut answer = answer();
        answer.finish();
        assert_eq!(dones(&answer), [(0xfd, 0)]);
    }

    #[test]
    fn a_failed_call_returns_its_error_number() {
        let mut answer = answer();
        answer.begin_call();
        answer.push(error(16));
        answer.end_call(&[]);
        answer.finish();
        assert_eq!(dones(&answer), [(0xff, DONE_ERROR | DONE_MORE), (0xfe, DONE_ERROR)]);
        assert!(answer.out.windows(5).any(|five| five == [0x79, 208, 0, 0, 0]));
    }

    #[test]
    fn fatal_errors_close_the_connection() {
        assert_eq!(answer().push(error(21)), Next::Close);
        assert_eq!(answer().push(error(16)), Next::Step);
    }
}
