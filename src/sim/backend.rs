//! The seam between the protocol (`sim::wire`) and the content (`sim::world`, `sim::answer`) of the simulator.
//!
//! The wire knows packets, tokens, TLS and cancelling, and nothing about SQL Server's contents. A [`Backend`] knows the
//! answers of one simulated instance, and nothing about bytes. Neither may use the other except through this file.

use std::{net::IpAddr, time::Duration};

/// One column of a result set, as COLMETADATA announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The column's name; empty for an unnamed expression.
    pub name: String,
    /// Its type on the wire.
    pub kind: ColumnType,
    /// True if NULL is allowed (sent as a flag; NULL values are sent in any case).
    pub nullable: bool,
}

/// The types that system views and the client tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// `bit`
    Bit,
    /// `tinyint`
    TinyInt,
    /// `smallint`
    SmallInt,
    /// `int`
    Int,
    /// `bigint`
    BigInt,
    /// `real`
    Real,
    /// `float`
    Float,
    /// `decimal(precision, scale)` / `numeric`
    Decimal(u8, u8),
    /// `money`
    Money,
    /// `smallmoney`
    SmallMoney,
    /// `char(n)`, n in bytes
    Char(u16),
    /// `varchar(n)`, n in bytes
    VarChar(u16),
    /// `varchar(max)`
    VarCharMax,
    /// `nchar(n)`, n in UTF-16 units
    NChar(u16),
    /// `nvarchar(n)`, n in UTF-16 units
    NVarChar(u16),
    /// `nvarchar(max)`
    NVarCharMax,
    /// `binary(n)`
    Binary(u16),
    /// `varbinary(n)`
    VarBinary(u16),
    /// `varbinary(max)`
    VarBinaryMax,
    /// `date`
    Date,
    /// `time(scale)`
    Time(u8),
    /// `smalldatetime`
    SmallDateTime,
    /// `datetime`
    DateTime,
    /// `datetime2(scale)`
    DateTime2(u8),
    /// `datetimeoffset(scale)`
    DateTimeOffset(u8),
    /// `uniqueidentifier`
    Guid,
    /// `xml`
    Xml,
    /// `sql_variant` (the value decides the base type)
    Variant,
}

/// One value of a row. A value that does not fit its column's type is a bug of the backend: the wire sends NULL.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL of the column's type
    Null,
    /// for `bit`
    Bool(bool),
    /// for all integer types
    Int(i64),
    /// for `real` and `float`
    Float(f64),
    /// for `decimal` and `money`: the unscaled integer (money has scale 4)
    Scaled(i128),
    /// for all character types and `xml`
    Text(String),
    /// for all character types of UTF-16, as raw units, so that broken surrogates can be sent
    Utf16(Vec<u16>),
    /// for all binary types
    Bytes(Vec<u8>),
    /// for all date and time types: nanoseconds since 1970-01-01 00:00 in the zone of the value, and that zone's
    /// offset from UTC in minutes (used by `datetimeoffset` only)
    Time {
        /// local nanoseconds since 1970-01-01
        local_ns: i128,
        /// minutes east of UTC
        offset_min: i16,
    },
    /// for `uniqueidentifier`, in the byte order of its printed form
    Guid([u8; 16]),
}

/// An ERROR or INFO token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMessage {
    /// error number, such as 208
    pub number: i32,
    /// severity; <= 10 is sent as INFO
    pub class: u8,
    /// state
    pub state: u8,
    /// text
    pub text: String,
    /// line within the batch, from 1
    pub line: u32,
}

impl ServerMessage {
    /// An error as servers send it: class 16 unless the number is known for another.
    pub fn error(number: i32, text: String, line: u32) -> Self {
        let class = match number {
            102 | 156 => 15,
            916 | 6102 | 18_456 => 14,
            4060 => 11,
            _ => 16,
        };
        Self { number, class, state: 1, text, line }
    }
}

/// One step of an answer, in order. A backend yields them lazily: the wire asks for the next one when the socket has
/// room, so an endless result costs no memory, and stops asking when the client cancels or goes away.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// starts a result set
    Columns(Vec<Column>),
    /// one row of the open result set
    Row(Vec<Value>),
    /// ends the statement: rows affected or returned (None: not counted)
    Done(Option<u64>),
    /// an ERROR (class > 10) or INFO (PRINT) token
    Message(ServerMessage),
    /// the current database changed (ENVCHANGE 1 and INFO 5701)
    Database(String),
    /// wait this long before the next step; a cancel arrives at once
    Pause(Duration),
    /// close the socket in the middle of sending, after flushing `keep` bytes of the pending packet
    Cut {
        /// bytes of the current packet still delivered
        keep: usize,
    },
}

/// The replies to a batch, in order.
pub type Replies = Box<dyn Iterator<Item = Reply> + Send>;

/// The request of a LOGIN7.
#[derive(Debug, Clone)]
pub struct LoginAttempt {
    /// login name
    pub user: String,
    /// password, in clear (checked by the backend, never logged)
    pub password: String,
    /// database asked for; empty for the default
    pub database: String,
    /// client program
    pub program: String,
    /// client host
    pub host: String,
    /// true for read-only intent
    pub read_only: bool,
    /// the bearer token that came instead of user and password
    pub token: Option<String>,
}

/// A session that the backend let in.
#[derive(Debug, Clone)]
pub struct Session {
    /// session id (spid), 51 and up, unique on the instance while it lives
    pub spid: i16,
    /// login name
    pub user: String,
    /// current database
    pub database: String,
    /// client program
    pub program: String,
    /// client host
    pub host: String,
}

/// An RPC or batch parameter by name (`@p1`) or position.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// name with its `@`; empty if positional
    pub name: String,
    /// value
    pub value: Value,
}

/// The state of an instance's network; read at accept and before each packet that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// as usual
    #[default]
    Good,
    /// connections are refused: the listener is closed and open connections are reset
    Down,
    /// connections are accepted by the kernel, nothing is ever answered, open ones go silent
    BlackHole,
    /// every packet is delayed
    Slow(Duration),
}

/// One simulated instance, which answers. Called from many connection tasks at once; all methods are cheap and never
/// block. State inside is a pure function of (seed, instance, time, scenario) plus the list of open sessions.
pub trait Backend: Send + Sync + 'static {
    /// Checks a login: a session, or the error (18456, 4060 …) to refuse it with.
    ///
    /// # Errors
    /// The ERROR token to send before closing.
    fn login(&self, attempt: &LoginAttempt, client: IpAddr) -> Result<Session, ServerMessage>;

    /// The time that a login waits before [`Backend::login`] is asked, as on a server that has run out of workers.
    fn login_pause(&self) -> Duration {
        Duration::ZERO
    }

    /// Answers a batch, or the statement of an RPC with its parameters. `USE` in the text changes
    /// `session.database`.
    fn batch(&self, session: &mut Session, text: &str, params: &[Param]) -> Replies;

    /// True once this session was ended by KILL: the wire sends error 596 and closes.
    fn is_killed(&self, spid: i16) -> bool;

    /// The client has cancelled what the session was asked.
    fn cancelled(&self, _spid: i16) {}

    /// The session is gone.
    fn logout(&self, spid: i16);

    /// The network weather now.
    fn network(&self) -> Network;

    /// Four version bytes for PRELOGIN and LOGINACK: major, minor, build high, build low (such as 16, 0, 0x10, 0x5c).
    fn version(&self) -> [u8; 4];

    /// The instance's server name, for the error tokens.
    fn server_name(&self) -> String;
}
