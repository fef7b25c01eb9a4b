//! A small backend for testing the wire alone: a handful of statements, each made to show one thing of the protocol.
//!
//! Statements are separated by `;`. Known ones: `select 1`, `select types`, `select rows N`, `select text N`,
//! `select endless`, `select params`, `select cut`, `select server`, `select * from missing`, `print`, `kill me`,
//! `waitfor delay 'hh:mm:ss'`, `use NAME`, and what clients send by themselves (SET, BEGIN, COMMIT, ROLLBACK).

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI16, AtomicUsize, Ordering},
    },
    time::Duration,
};

use dbtop::sim::backend::{
    Backend, Column, ColumnType, LoginAttempt, Network, Param, Reply, ServerMessage, Session, Value,
};

/// The only login.
pub const USER: &str = "sa";
/// Its password, with characters that need care in LOGIN7.
pub const PASSWORD: &str = "Pä$$w0rd";

/// A bearer token that is let in.
pub const TOKEN: &str = "eyJ0eXAiOiJKV1QifQ.e30.c2ln";

/// The backend, with what the tests look at.
pub struct Echo {
    /// the next session id
    pub next_spid: AtomicI16,
    /// sessions that are logged in
    pub open: AtomicUsize,
    /// rows asked for by the wire since the start
    pub pulled: Arc<AtomicUsize>,
    /// sessions that were killed
    pub killed: Mutex<Vec<i16>>,
    /// the weather
    pub network: Mutex<Network>,
    /// the version it says it has
    pub product_version: Mutex<String>,
}

impl Default for Echo {
    fn default() -> Self {
        Self {
            next_spid: AtomicI16::new(51),
            open: AtomicUsize::new(0),
            pulled: Arc::default(),
            killed: Mutex::default(),
            network: Mutex::default(),
            product_version: Mutex::new("16.0.4188.2".into()),
        }
    }
}

type Replies = Box<dyn Iterator<Item = Reply> + Send>;

impl Backend for Echo {
    fn login(&self, attempt: &LoginAttempt, _client: IpAddr) -> Result<Session, ServerMessage> {
        let known = match &attempt.token {
            Some(token) => token == TOKEN,
            None => attempt.user == USER && attempt.password == PASSWORD,
        };
        if !known {
            return Err(error(18456, 14, &format!("Login failed for user '{}'.", attempt.user)));
        }
        self.open.fetch_add(1, Ordering::SeqCst);
        Ok(Session {
            spid: self.next_spid.fetch_add(1, Ordering::SeqCst),
            user: attempt.user.clone(),
            database: if attempt.database.is_empty() { "master".into() } else { attempt.database.clone() },
            program: attempt.program.clone(),
            host: attempt.host.clone(),
        })
    }

    fn batch(&self, session: &mut Session, text: &str, params: &[Param]) -> Replies {
        if text.contains("/* dbtop:check */") {
            return self.about(session);
        }
        let statements: Vec<String> =
            text.split([';', '\n']).map(|one| one.trim().to_lowercase()).filter(|s| !s.is_empty()).collect();
        let answers: Vec<Replies> =
            statements.iter().map(|statement| self.statement(session, statement, params)).collect();
        Box::new(answers.into_iter().flatten())
    }

    fn is_killed(&self, spid: i16) -> bool {
        self.killed.lock().unwrap().contains(&spid)
    }

    fn logout(&self, _spid: i16) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    fn network(&self) -> Network {
        *self.network.lock().unwrap()
    }

    fn version(&self) -> [u8; 4] {
        [16, 0, 0x10, 0x5c]
    }

    fn server_name(&self) -> String {
        "ECHO-01".into()
    }
}

impl Echo {
    /// The answer to the question of a connection test, two minutes behind.
    fn about(&self, session: &Session) -> Replies {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let local_ns = i128::try_from(now.as_nanos()).unwrap() - 120_000_000_000;
        list(vec![
            Reply::Columns(vec![
                column("server_time", ColumnType::DateTimeOffset(7)),
                column("product_version", ColumnType::NVarChar(128)),
                column("edition", ColumnType::NVarChar(128)),
                column("engine_edition", ColumnType::Int),
                column("login_name", ColumnType::NVarChar(128)),
            ]),
            Reply::Row(vec![
                Value::Time { local_ns, offset_min: 0 },
                Value::Text(self.product_version.lock().unwrap().clone()),
                Value::Text("Developer Edition (64-bit)".into()),
                Value::Int(3),
                Value::Text(session.user.clone()),
            ]),
            Reply::Done(Some(1)),
        ])
    }

    fn statement(&self, session: &mut Session, text: &str, params: &[Param]) -> Replies {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number = || words.last().and_then(|word| word.parse::<i64>().ok()).unwrap_or(1);
        match words.as_slice() {
            ["select", "types"] => list(types()),
            ["select", "rows", _] => self.rows(number()),
            ["select", "endless"] => self.rows(i64::MAX),
            ["select", "text", _] => one("long", ColumnType::NVarCharMax, long_text(number() as usize)),
            ["select", "params", ..] => list(echoed(params)),
            ["select", "server"] => list(vec![
                Reply::Columns(vec![
                    column("spid", ColumnType::SmallInt),
                    column("user", ColumnType::NVarChar(128)),
                    column("database", ColumnType::NVarChar(128)),
                    column("program", ColumnType::NVarChar(128)),
                ]),
                Reply::Row(vec![
                    Value::Int(i64::from(session.spid)),
                    Value::Text(session.user.clone()),
                    Value::Text(session.database.clone()),
                    Value::Text(session.program.clone()),
                ]),
                Reply::Done(Some(1)),
            ]),
            ["select", "cut"] => list(vec![
                Reply::Columns(vec![column("a", ColumnType::NVarCharMax)]),
                Reply::Row(vec![long_text(20_000)]),
                Reply::Row(vec![long_text(20_000)]),
                Reply::Cut { keep: 100 },
            ]),
            ["select", "*", "from", "missing"] => list(vec![
                Reply::Message(error(208, 16, "Invalid object name 'missing'.")),
                Reply::Done(None),
            ]),
            ["select", digits] if digits.parse::<i64>().is_ok() => {
                one("", ColumnType::Int, Value::Int(number()))
            }
            ["print", ..] => list(vec![Reply::Message(error(0, 0, "hello")), Reply::Done(None)]),
            ["kill", "me"] => {
                self.killed.lock().unwrap().push(session.spid);
                self.rows(i64::MAX)
            }
            ["waitfor", "delay", time] => {
                list(vec![Reply::Pause(Duration::from_secs(seconds(time))), Reply::Done(None)])
            }
            ["use", name] => {
                name.trim_matches(['[', ']']).clone_into(&mut session.database);
                list(vec![Reply::Database(session.database.clone()), Reply::Done(None)])
            }
            ["set" | "begin" | "commit" | "rollback" | "if" | "declare", ..] => list(vec![Reply::Done(None)]),
            _ => list(vec![Reply::Message(error(102, 15, "Incorrect syntax.")), Reply::Done(None)]),
        }
    }

    /// `count` rows of a number and a text, made one by one.
    fn rows(&self, count: i64) -> Replies {
        let pulled = Arc::clone(&self.pulled);
        let columns = vec![column("n", ColumnType::BigInt), column("text", ColumnType::NVarChar(100))];
        let rows = (0..count).map(move |n| {
            pulled.fetch_add(1, Ordering::Relaxed);
            Reply::Row(vec![Value::Int(n), Value::Text(format!("row {n}"))])
        });
        let done = std::iter::once(Reply::Done(Some(count as u64)));
        Box::new(std::iter::once(Reply::Columns(columns)).chain(rows).chain(done))
    }
}

/// A text of `length` characters that shows where it is.
pub fn long_text(length: usize) -> Value {
    Value::Text((0..length).map(|at| char::from(b'a' + (at / 7 % 26) as u8)).collect())
}

fn seconds(time: &str) -> u64 {
    let parts = time.trim_matches('\'').split(':').map(|part| part.parse::<u64>().unwrap_or(0));
    parts.fold(0, |sum, part| sum * 60 + part)
}

fn list(replies: Vec<Reply>) -> Replies {
    Box::new(replies.into_iter())
}

fn one(name: &str, kind: ColumnType, value: Value) -> Replies {
    list(vec![Reply::Columns(vec![column(name, kind)]), Reply::Row(vec![value]), Reply::Done(Some(1))])
}

fn column(name: &str, kind: ColumnType) -> Column {
    Column { name: name.into(), kind, nullable: true }
}

fn error(number: i32, class: u8, text: &str) -> ServerMessage {
    ServerMessage { number, class, state: 1, text: text.into(), line: 1 }
}

fn echoed(params: &[Param]) -> Vec<Reply> {
    let mut replies = vec![Reply::Columns(vec![
        column("name", ColumnType::NVarChar(128)),
        column("value", ColumnType::NVarCharMax),
    ])];
    for param in params {
        let shown = match &param.value {
            Value::Null => Value::Null,
            Value::Text(text) => Value::Text(text.clone()),
            Value::Int(number) => Value::Text(number.to_string()),
            other => Value::Text(format!("{other:?}")),
        };
        replies.push(Reply::Row(vec![Value::Text(param.name.clone()), shown]));
    }
    replies.push(Reply::Done(Some(params.len() as u64)));
    replies
}

/// 2024-02-29 23:59:58.1234567, in nanoseconds since 1970.
pub const MOMENT_NS: i128 = 1_709_251_198_123_456_700;

/// One column of every type, with a value that shows its byte order.
pub fn typed_values() -> Vec<(&'static str, ColumnType, Value)> {
    let text = || Value::Text("Grüße €".into());
    let moment = |offset_min| Value::Time { local_ns: MOMENT_NS, offset_min };
    vec![
        ("c_bit", ColumnType::Bit, Value::Bool(true)),
        ("c_tinyint", ColumnType::TinyInt, Value::Int(200)),
        ("c_smallint", ColumnType::SmallInt, Value::Int(-12_345)),
        ("c_int", ColumnType::Int, Value::Int(-1_234_567_890)),
        ("c_bigint", ColumnType::BigInt, Value::Int(-1_234_567_890_123_456_789)),
        ("c_real", ColumnType::Real, Value::Float(1.5)),
        ("c_float", ColumnType::Float, Value::Float(-2.25e100)),
        ("c_decimal", ColumnType::Decimal(10, 2), Value::Scaled(-1_234_567)),
        ("c_decimal38", ColumnType::Decimal(38, 10), Value::Scaled(12_345_678_901_234_567_890_123_456_789)),
        ("c_money", ColumnType::Money, Value::Scaled(-123_456_789_012)),
        ("c_smallmoney", ColumnType::SmallMoney, Value::Scaled(12_345)),
        ("c_char", ColumnType::Char(10), text()),
        ("c_varchar", ColumnType::VarChar(20), text()),
        ("c_varcharmax", ColumnType::VarCharMax, text()),
        ("c_nchar", ColumnType::NChar(10), text()),
        ("c_nvarchar", ColumnType::NVarChar(20), Value::Text("日本語 😀".into())),
        ("c_nvarcharmax", ColumnType::NVarCharMax, Value::Text("日本語 😀".into())),
        ("c_binary", ColumnType::Binary(4), Value::Bytes(vec![1, 2])),
        ("c_varbinary", ColumnType::VarBinary(8), Value::Bytes(vec![0, 255, 1])),
        ("c_varbinarymax", ColumnType::VarBinaryMax, Value::Bytes(vec![0, 255, 1])),
        ("c_date", ColumnType::Date, moment(0)),
        ("c_time", ColumnType::Time(7), moment(0)),
        ("c_time0", ColumnType::Time(0), moment(0)),
        ("c_smalldatetime", ColumnType::SmallDateTime, moment(0)),
        ("c_datetime", ColumnType::DateTime, moment(0)),
        ("c_datetime2", ColumnType::DateTime2(7), moment(0)),
        ("c_datetime2_3", ColumnType::DateTime2(3), moment(0)),
        ("c_datetimeoffset", ColumnType::DateTimeOffset(7), moment(330)),
        (
            "c_guid",
            ColumnType::Guid,
            Value::Guid(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10"),
        ),
        ("c_xml", ColumnType::Xml, Value::Text("<a b=\"1\">é</a>".into())),
        ("c_variant_int", ColumnType::Variant, Value::Int(42)),
        ("c_variant_text", ColumnType::Variant, Value::Text("vår".into())),
    ]
}

/// A row with a value in every column, a row of NULLs, and a row with NULL in every second column.
fn types() -> Vec<Reply> {
    let typed = typed_values();
    let columns = typed.iter().map(|(name, kind, _)| column(name, *kind)).collect();
    let values: Vec<Value> = typed.into_iter().map(|(_, _, value)| value).collect();
    let half = values
        .iter()
        .enumerate()
        .map(|(index, value)| if index % 2 == 0 { value.clone() } else { Value::Null })
        .collect();
    let nulls = vec![Value::Null; values.len()];
    vec![
        Reply::Columns(columns),
        Reply::Row(values),
        Reply::Row(nulls),
        Reply::Row(half),
        Reply::Done(Some(3)),
    ]
}
