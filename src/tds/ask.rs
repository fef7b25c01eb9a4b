//! Asking: one question, one bounded answer, one deadline. `probe` is written against [`Ask`]; [`Connection`] implements it
//! for a real server, and tests have their own.

use super::{Answer, Cell, ResultSet, budget::Budget, convert, error, line::Line};
use crate::model::base::failure::{Failure, FailureKind};
use futures_util::TryStreamExt;
use std::{borrow::Cow, future::Future, sync::Arc, time::Duration};
use tiberius::{ColumnData, QueryItem, QueryStream, ToSql, error::Error};
use tokio::runtime::Handle;
use tokio_util::compat::Compat;

pub(super) type Client = tiberius::Client<Compat<Line>>;

/// The most bytes of one answer: eight texts at their cap of 512 KB, twice.
const MAX_BYTES: usize = 8 << 20;
/// The most rows of one answer, all sets together.
const MAX_ROWS: usize = 20_000;

/// A parameter of a question: `@P1` is the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Param<'a> {
    /// NULL (typed as int)
    Null,
    /// int or bigint
    Int(i64),
    /// varbinary
    Bytes(&'a [u8]),
    /// nvarchar
    Text(&'a str),
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// its subject, as messages name it, such as `waits, memory`
    pub what: &'a str,
    /// the batch
    pub sql: &'a str,
    /// sent as sp_executesql if there is any
    pub params: &'a [Param<'a>],
    /// until the last byte of the answer; then the connection is dropped
    pub within: Duration,
}

/// An answerer of questions: the seam between probes and the driver.
pub trait Ask: Send {
    /// Asks and collects. Dropping the future closes the connection.
    fn ask(&mut self, question: Question<'_>) -> impl Future<Output = Answer> + Send;

    /// False once the connection must not be used any more: connect anew.
    fn is_open(&self) -> bool;

    /// The protection of the connection, in words.
    fn transport(&self) -> &'static str;
}

/// A logged-in session. Owned by one task.
pub struct Connection {
    /// None once it is closed. Taken out while a question is under way, so that a dropped future closes it.
    client: Option<Box<Client>>,
    budget: Budget,
    address: Arc<str>,
    transport: &'static str,
}

impl Connection {
    pub(super) fn new(client: Client, budget: Budget, address: Arc<str>, transport: &'static str) -> Self {
        Self { client: Some(Box::new(client)), budget, address, transport }
    }

    /// Says goodbye to the server, waiting for `within` at most. Dropping the connection works too.
    pub async fn close(mut self, within: Duration) {
        if let Some(client) = self.client.take() {
            // The connection ends whether this works or not.
            let _ = tokio::time::timeout(within, client.close()).await;
        }
    }
}

/// So long a server may take to hear that an answer is not wanted any more.
const FAREWELL: Duration = Duration::from_secs(1);

/// A client with a question under way. Dropped before the whole answer is there, it tells the server to end the statement (an attention),
/// and closes: the driver leaves the acknowledgement on the wire, where it would shift every later answer.
struct UnderWay(Option<Box<Client>>);

impl UnderWay {
    /// The whole answer is there.
    fn whole(mut self) -> Option<Box<Client>> {
        self.0.take()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let (Some(mut client), Ok(runtime)) = (self.0.take(), Handle::try_current()) else { return };
        runtime.spawn(async move {
            // The connection ends whether the server hears of it or not.
            let _ = tokio::time::timeout(FAREWELL, client.cancel_query()).await;
        });
    }
}

impl Ask for Connection {
    async fn ask(&mut self, question: Question<'_>) -> Answer {
        let mut under_way = UnderWay(self.client.take());
        let Some(client) = under_way.0.as_deref_mut() else {
            let text = format!("the connection to {} is closed", self.address);
            return Answer { sets: Vec::new(), error: Some(Failure::new(FailureKind::Unreachable, text)) };
        };
        self.budget.refill(MAX_BYTES);
        let mut sets = Vec::new();
        let ended = tokio::time::timeout(question.within, collect(client, question, &mut sets)).await;
        let what = question.what;
        let error = match ended {
            Ok(Ok(())) => {
                self.client = under_way.whole();
                None
            }
            Ok(Err(Stop::Driver(e))) if error::is_statement_error(&e) => {
                self.client = under_way.whole();
                Some(error::query(&e, what))
            }
            Ok(Err(Stop::TooManyRows)) => Some(too_large(what, &format!("more than {MAX_ROWS} rows"))),
            Ok(Err(Stop::Driver(_))) if self.budget.is_spent() => {
                Some(too_large(what, &format!("more than {} MB", MAX_BYTES >> 20)))
            }
            Ok(Err(Stop::Driver(e))) => Some(error::query(&e, what)),
            Err(_) => {
                let text = format!(
                    "no whole answer to {what} within {}; connection dropped",
                    error::spelled(question.within)
                );
                Some(Failure::new(FailureKind::Timeout, text))
            }
        };
        Answer { sets, error }
    }

    fn is_open(&self) -> bool {
        self.client.is_some()
    }

    fn transport(&self) -> &'static str {
        self.transport
    }
}

fn too_large(what: &str, size: &str) -> Failure {
    Failure::new(FailureKind::Protocol, format!("the answer to {what} has {size}; connection dropped"))
}

enum Stop {
    Driver(Error),
    TooManyRows,
}

impl From<Error> for Stop {
    fn from(e: Error) -> Self {
        Self::Driver(e)
    }
}

async fn collect(client: &mut Client, question: Question<'_>, sets: &mut Vec<ResultSet>) -> Result<(), Stop> {
    if question.params.is_empty() {
        return read(client.simple_query(question.sql).await?, sets).await;
    }
    let params: Vec<&dyn ToSql> = question.params.iter().map(|p| p as &dyn ToSql).collect();
    read(client.query(question.sql, &params).await?, sets).await
}

async fn read(mut stream: QueryStream<'_>, sets: &mut Vec<ResultSet>) -> Result<(), Stop> {
    let mut rows = 0;
    while let Some(item) = stream.try_next().await? {
        match item {
            QueryItem::Metadata(meta) => {
                if let Some(last) = sets.last_mut() {
                    last.complete = true;
                }
                let columns = meta.columns().iter().map(|c| c.name().to_owned()).collect();
                sets.push(ResultSet { columns, ..ResultSet::default() });
            }
            QueryItem::Row(row) => {
                rows += 1;
                if rows > MAX_ROWS {
                    return Err(Stop::TooManyRows);
                }
                if let Some(set) = sets.last_mut() {
                    set.rows.push(row.into_iter().map(convert::cell).collect::<Vec<Cell>>());
                }
            }
        }
    }
    if let Some(last) = sets.last_mut() {
        last.complete = true;
    }
    Ok(())
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> ColumnData<'_> {
        match *self {
            Self::Null => ColumnData::I32(None),
            Self::Int(n) => ColumnData::I64(Some(n)),
            Self::Bytes(b) => ColumnData::Binary(Some(Cow::Borrowed(b))),
            Self::Text(text) => ColumnData::String(Some(Cow::Borrowed(text))),
        }
    }
}
