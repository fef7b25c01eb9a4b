//! From requests to work for the backend: the batch, the statement behind each procedure call, and the calls that the wire
//! answers by itself. Keeps the prepared statements and the open transaction of one session.

use std::collections::HashMap;

use super::{
    answer::Answer,
    packet::{Kind, Message},
    read::Malformed,
    request::{self, Call, CallParam, Procedure, Transaction},
    tokens,
};
use crate::sim::backend::{Param, ServerMessage};

/// The most prepared statements that a session may hold at a time.
const MAX_PREPARED: usize = 4096;

/// An output parameter: its position, its name, its TYPE_INFO and value.
pub type Output = (u16, String, Vec<u8>);

/// One piece of work on the way to an answer.
#[derive(Debug, PartialEq)]
pub enum Work {
    /// run this batch
    Batch(String),
    /// run this statement inside a procedure call
    Call {
        /// the statement
        text: String,
        /// its parameters
        params: Vec<Param>,
        /// sent back after it
        outputs: Vec<Output>,
    },
    /// a call that needs no backend
    Reply {
        /// the error that refuses it
        refusal: Option<ServerMessage>,
        /// sent back after it
        outputs: Vec<Output>,
    },
}

#[derive(Debug, Clone)]
struct Prepared {
    text: String,
    names: Vec<String>,
}

/// The prepared statements and the transaction of a session.
#[derive(Debug, Default)]
pub struct Statements {
    prepared: HashMap<i32, Prepared>,
    last_handle: i32,
    transaction: Option<u64>,
    last_transaction: u64,
}

impl Statements {
    /// Forgets everything, as a reset connection does.
    pub fn clear(&mut self) {
        self.prepared.clear();
        self.transaction = None;
    }

    /// The work for a request. Errors in the request become messages of the answer; None is a request after which this
    /// server cannot go on.
    pub fn plan(&mut self, message: &Message, answer: &mut Answer) -> Option<Vec<Work>> {
        let planned = match message.kind {
            Kind::Batch => request::batch(&message.body).map(|text| vec![Work::Batch(text)]),
            Kind::Rpc => request::rpc(&message.body)
                .map(|calls| calls.into_iter().map(|call| self.call(call)).collect()),
            Kind::Transaction => request::transaction(&message.body).map(|asked| {
                self.transaction(asked, answer);
                vec![]
            }),
            Kind::BulkLoad => Err(Malformed("bulk load is not simulated")),
            _ => return None,
        };
        Some(planned.unwrap_or_else(|malformed| {
            answer.message(&refusal(8016, malformed.to_string()));
            vec![]
        }))
    }

    fn call(&mut self, call: Call) -> Work {
        let params = call.params;
        let at = |index: usize| params.get(index);
        match call.procedure {
            Procedure::ExecuteSql => {
                let names = request::declared_names(request::text_of(at(1)));
                run(request::text_of(at(0)).to_owned(), &names, &params, 2, vec![])
            }
            Procedure::Prepare | Procedure::PrepExec => {
                let text = request::text_of(at(2)).to_owned();
                let names = request::declared_names(request::text_of(at(1)));
                let Some(handle) = self.prepare(&text, &names) else {
                    return refused(
                        701,
                        "There is insufficient system memory: too many prepared statements.",
                    );
                };
                let outputs = vec![handle_output(at(0), handle)];
                if call.procedure == Procedure::Prepare {
                    Work::Reply { refusal: None, outputs }
                } else {
                    run(text, &names, &params, 3, outputs)
                }
            }
            Procedure::Execute => {
                let handle = request::int_of(at(0)).unwrap_or_default();
                match self.prepared.get(&handle) {
                    Some(known) => run(known.text.clone(), &known.names, &params, 1, vec![]),
                    None => unknown_handle(handle),
                }
            }
            Procedure::Unprepare => {
                let handle = request::int_of(at(0)).unwrap_or_default();
                match self.prepared.remove(&handle) {
                    Some(_) => Work::Reply { refusal: None, outputs: vec![] },
                    None => unknown_handle(handle),
                }
            }
            Procedure::Cursor => refused(16_937, "Server cursors are not simulated."),
            Procedure::Named(name) => run(format!("EXEC {name}"), &[], &params, 0, vec![]),
        }
    }

    fn prepare(&mut self, text: &str, names: &[String]) -> Option<i32> {
        if self.prepared.len() >= MAX_PREPARED {
            return None;
        }
        self.last_handle = self.last_handle.wrapping_add(1);
        let prepared = Prepared { text: text.to_owned(), names: names.to_vec() };
        self.prepared.insert(self.last_handle, prepared);
        Some(self.last_handle)
    }

    fn transaction(&mut self, asked: Transaction, answer: &mut Answer) {
        match asked {
            Transaction::Begin => self.begin(answer),
            Transaction::Commit { and_begin } => self.end(true, and_begin, answer),
            Transaction::Rollback { and_begin } => self.end(false, and_begin, answer),
            Transaction::Save => {}
            Transaction::Unsupported => {
                answer.message(&refusal(8501, "Distributed transactions are not simulated.".to_owned()));
            }
        }
    }

    fn begin(&mut self, answer: &mut Answer) {
        self.last_transaction += 1;
        self.transaction = Some(self.last_transaction);
        tokens::put_transaction_begun(&mut answer.out, self.last_transaction);
    }

    fn end(&mut self, committed: bool, and_begin: bool, answer: &mut Answer) {
        match self.transaction.take() {
            Some(descriptor) => tokens::put_transaction_ended(&mut answer.out, committed, descriptor),
            None if committed => {
                let text = "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
                answer.message(&refusal(3902, text.to_owned()));
            }
            None => {
                let text = "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.";
                answer.message(&refusal(3903, text.to_owned()));
            }
        }
        if and_begin {
            self.begin(answer);
        }
    }
}

/// The statement `text` with the parameters from position `first` on; those passed by reference come back unchanged.
fn run(text: String, names: &[String], params: &[CallParam], first: usize, mut outputs: Vec<Output>) -> Work {
    let values = params.get(first..).unwrap_or_default();
    let returned = values.iter().enumerate().filter_map(|(index, value)| {
        let typed = value.by_ref.as_ref()?.to_vec();
        Some(((first + index) as u16, value.param.name.clone(), typed))
    });
    outputs.extend(returned);
    Work::Call { text, params: request::named_values(values, names), outputs }
}

/// A new handle as an output parameter of type `int`, under the client's name for it.
fn handle_output(asked: Option<&CallParam>, handle: i32) -> Output {
    let name = asked.map(|param| param.param.name.clone()).unwrap_or_default();
    let mut typed = vec![0x26, 4, 4];
    typed.extend(handle.to_le_bytes());
    (0, name, typed)
}

fn unknown_handle(handle: i32) -> Work {
    refused(8179, &format!("Could not find prepared statement with handle {handle}."))
}

fn refused(number: i32, text: &str) -> Work {
    Work::Reply { refusal: Some(refusal(number, text.to_owned())), outputs: vec![] }
}

fn refusal(number: i32, text: String) -> ServerMessage {
    ServerMessage { number, class: 16, state: 1, text, line: 1 }
}
