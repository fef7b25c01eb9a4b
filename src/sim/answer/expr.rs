//! SELECT without FROM: the constants, functions and variables that clients ask for when they connect.

use super::{Asked, plan::string_of};
use crate::{
    sim::backend::{
        Column,
        ColumnType::{
            self, BigInt, Bit, DateTime, DateTime2, DateTimeOffset, Float, Int, NVarChar, NVarCharMax,
            SmallInt, VarBinary, Variant,
        },
        Value,
    },
    sql::{
        ident,
        lexer::{self, Kind, Token},
    },
};

type Typed = (ColumnType, Value);

/// The columns and the row of a SELECT without FROM; the error says what the simulator does not know.
pub fn select(text: &str, q: &Asked<'_>, database: &str) -> Result<(Vec<Column>, Vec<Vec<Value>>), String> {
    let tokens: Vec<Token<'_>> = lexer::code(text).filter(|t| !t.is_blank()).collect();
    let mut reader = Reader { tokens: &tokens, at: 1, q, database };
    if reader.eats("TOP") {
        // TOP 1, TOP (1): there is one row in any case
        reader.eats("(");
        reader.next();
        reader.eats(")");
    }
    let mut columns = Vec::new();
    let mut row = Vec::new();
    loop {
        let (name, (kind, value)) = reader.item()?;
        columns.push(Column { name, kind, nullable: true });
        row.push(value);
        if !reader.eats(",") {
            break;
        }
    }
    match reader.peek() {
        None => Ok((columns, vec![row])),
        Some(rest) if rest.is_word("OPTION") => Ok((columns, vec![row])),
        Some(rest) => Err(format!("the simulator cannot evaluate '{}'", rest.text)),
    }
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    q: &'a Asked<'a>,
    database: &'a str,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    fn eats(&mut self, word: &str) -> bool {
        let there = self.peek().is_some_and(|t| t.is_word(word) || t.is_symbol(word));
        self.at += usize::from(there);
        there
    }

    /// One column: `expr`, `expr AS name`, `expr name`, `name = expr`.
    fn item(&mut self) -> Result<(String, Typed), String> {
        let assigned = self.tokens.get(self.at + 1).is_some_and(|t| t.is_symbol("="));
        if assigned && let Some(name) = self.next() {
            self.at += 1;
            return Ok((ident::unquote(name.text).into_owned(), self.value()?));
        }
        let value = self.value()?;
        let named = self.eats("AS") || self.peek().is_some_and(Token::is_name);
        let name = if named { self.next().map(|t| ident::unquote(t.text).into_owned()) } else { None };
        Ok((name.unwrap_or_default(), value))
    }

    fn value(&mut self) -> Result<Typed, String> {
        let Some(token) = self.next() else { return Err("nothing to select".to_owned()) };
        let unknown = || format!("the simulator cannot evaluate '{}'", token.text);
        match token.kind {
            Kind::Number => number(token.text).ok_or_else(unknown),
            Kind::Text => Ok(string(&string_of(token.text))),
            Kind::Binary => Ok((VarBinary(8000), Value::Bytes(hex(token.text)))),
            Kind::Variable => self.variable(token.text).ok_or_else(unknown),
            Kind::Operator if token.text == "-" => match self.value()? {
                (kind, Value::Int(n)) => Ok((kind, Value::Int(-n))),
                (kind, Value::Float(n)) => Ok((kind, Value::Float(-n))),
                _ => Err(unknown()),
            },
            Kind::Keyword | Kind::Name => self.word(token).ok_or_else(unknown)?,
            _ => Err(unknown()),
        }
    }

    /// NULL, CURRENT_TIMESTAMP, CAST, CONVERT, or a function.
    fn word(&mut self, token: Token<'a>) -> Option<Result<Typed, String>> {
        let name = token.text.to_ascii_uppercase();
        match name.as_str() {
            "NULL" => return Some(Ok((Int, Value::Null))),
            "CURRENT_TIMESTAMP" => return Some(Ok(self.clock(DateTime))),
            "SYSTEM_USER" | "SESSION_USER" | "CURRENT_USER" | "USER" => {
                return Some(Ok(string(&self.q.session.user)));
            }
            _ => {}
        }
        if !self.eats("(") {
            return None;
        }
        if name == "CAST" {
            let value = self.value();
            return self.eats("AS").then(|| self.end_of_call()).map(|()| value);
        }
        if name == "CONVERT" {
            while !self.eats(",") {
                self.next()?;
            }
            let value = self.value();
            self.end_of_call();
            return Some(value);
        }
        let mut arguments = Vec::new();
        while !self.eats(")") {
            match self.value() {
                Ok((_, value)) => arguments.push(value),
                Err(problem) => return Some(Err(problem)),
            }
            if !self.eats(",") && !self.peek()?.is_symbol(")") {
                return None;
            }
        }
        self.function(&name, &arguments).map(Ok)
    }

    /// Skips the rest of a call, the target type of CAST included.
    fn end_of_call(&mut self) {
        let mut depth = 1;
        while let Some(token) = self.next() {
            depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
            if depth == 0 {
                return;
            }
        }
    }

    fn clock(&self, kind: ColumnType) -> Typed {
        let local_ns = self.q.moment.local_ns(self.q.moment.at_ms);
        let offset_min = self.q.moment.profile.utc_offset_min;
        (
            kind,
            Value::Time {
                local_ns,
                offset_min: if matches!(kind, DateTimeOffset(_)) { offset_min } else { 0 },
            },
        )
    }

    fn variable(&self, name: &str) -> Option<Typed> {
        let q = self.q;
        Some(match name.to_ascii_uppercase().as_str() {
            "@@VERSION" => (NVarChar(300), Value::Text(version_text(q))),
            "@@SPID" => (SmallInt, Value::Int(i64::from(q.session.spid))),
            "@@SERVERNAME" => string(&q.moment.profile.name),
            "@@SERVICENAME" => string("MSSQLSERVER"),
            "@@TRANCOUNT" | "@@ERROR" | "@@ROWCOUNT" | "@@FETCH_STATUS" => (Int, Value::Int(0)),
            "@@MAX_PRECISION" => (Int, Value::Int(38)),
            "@@LANGUAGE" => string("us_english"),
            "@@DATEFIRST" => (Int, Value::Int(7)),
            "@@TEXTSIZE" => (Int, Value::Int(2_147_483_647)),
            "@@LOCK_TIMEOUT" => (Int, Value::Int(-1)),
            "@@OPTIONS" => (Int, Value::Int(5_432)),
            _ => {
                let param = q.params.iter().find(|p| p.name.eq_ignore_ascii_case(name))?;
                (kind_of(&param.value), param.value.clone())
            }
        })
    }

    fn function(&self, name: &str, arguments: &[Value]) -> Option<Typed> {
        let q = self.q;
        let first = match arguments.first() {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        let yes = |held: bool| (Int, Value::Int(i64::from(held)));
        Some(match name {
            "SERVERPROPERTY" => (Variant, server_property(q, first)),
            "GETDATE" => self.clock(DateTime),
            "SYSDATETIME" => self.clock(DateTime2(7)),
            "SYSDATETIMEOFFSET" => self.clock(DateTimeOffset(7)),
            "GETUTCDATE" | "SYSUTCDATETIME" => {
                let utc_ns = i128::from(q.moment.utc_ms() + q.moment.clock_error_ms()) * 1_000_000;
                (DateTime2(7), Value::Time { local_ns: utc_ns, offset_min: 0 })
            }
            "DB_NAME" => string(self.database),
            "DB_ID" => {
                let wanted = if arguments.is_empty() { self.database } else { first };
                let found = q.moment.profile.databases.iter().find(|d| d.name.eq_ignore_ascii_case(wanted));
                (SmallInt, found.map_or(Value::Null, |d| Value::Int(i64::from(d.id))))
            }
            "SUSER_SNAME" | "SUSER_NAME" | "ORIGINAL_LOGIN" | "USER_NAME" => string(&q.session.user),
            "HOST_NAME" => string(&q.session.host),
            "APP_NAME" | "PROGRAM_NAME" => string(&q.session.program),
            "HAS_DBACCESS" => {
                let there = q.moment.profile.databases.iter().any(|d| d.name.eq_ignore_ascii_case(first));
                if there { yes(q.rights.may_enter(first)) } else { (Int, Value::Null) }
            }
            "HAS_PERMS_BY_NAME" => {
                let right = match arguments.get(2) {
                    Some(Value::Text(right)) => right.as_str(),
                    _ => "",
                };
                let held = match arguments.first() {
                    Some(Value::Null) => q.rights.on_server(right, q.moment.profile.version),
                    _ if first.to_ascii_lowercase().starts_with("msdb.") => {
                        Some(q.rights.selects_in_msdb(first.rsplit('.').next().unwrap_or_default()))
                    }
                    _ => None,
                };
                (Int, held.map_or(Value::Null, |held| Value::Int(i64::from(held))))
            }
            "IS_SRVROLEMEMBER" | "IS_MEMBER" => yes(first.eq_ignore_ascii_case("public")),
            "XACT_STATE" => (SmallInt, Value::Int(0)),
            "NEWID" => (ColumnType::Guid, Value::Guid(q.moment.profile.dice.at(q.moment.at_ms).bytes())),
            _ => return None,
        })
    }
}

fn string(text: &str) -> Typed {
    let units = text.encode_utf16().count();
    let kind = if units <= 4000 { NVarChar(units.max(1) as u16) } else { NVarCharMax };
    (kind, Value::Text(text.to_owned()))
}

fn number(text: &str) -> Option<Typed> {
    if let Ok(n) = text.parse::<i64>() {
        return Some((if i32::try_from(n).is_ok() { Int } else { BigInt }, Value::Int(n)));
    }
    text.parse().ok().map(|n| (Float, Value::Float(n)))
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.bytes().skip(2).filter_map(|b| char::from(b).to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

const fn kind_of(value: &Value) -> ColumnType {
    match value {
        Value::Bool(_) => Bit,
        Value::Int(_) => BigInt,
        Value::Float(_) => Float,
        Value::Bytes(_) => VarBinary(8000),
        Value::Time { .. } => DateTimeOffset(7),
        Value::Guid(_) => ColumnType::Guid,
        Value::Scaled(_) => ColumnType::Money,
        Value::Null | Value::Text(_) | Value::Utf16(_) => NVarCharMax,
    }
}

/// `@@VERSION`.
fn version_text(q: &Asked<'_>) -> String {
    let p = q.moment.profile;
    let update = if p.build.update.is_empty() { String::new() } else { format!("-{}", p.build.update) };
    let kb = if p.build.kb.is_empty() { String::new() } else { format!(" ({})", p.build.kb) };
    let (os, release) = p.os();
    format!(
        "Microsoft SQL Server {} ({}{update}){kb} - {} (X64) \n\t(simulated by dbtop)\n\t{} on {os} {release}",
        p.version,
        p.build.level,
        p.product_version(),
        p.edition(),
    )
}

/// SERVERPROPERTY of a name; NULL for one that is not known.
fn server_property(q: &Asked<'_>, name: &str) -> Value {
    let p = q.moment.profile;
    let text = |s: &str| Value::Text(s.to_owned());
    let int = |n: i64| Value::Int(n);
    match name.to_ascii_lowercase().as_str() {
        "servername" | "machinename" | "computernamephysicalnetbios" => text(&p.name),
        "edition" => text(p.edition()),
        "engineedition" => int(p.engine_edition().into()),
        "productversion" => text(&p.product_version()),
        "productmajorversion" => text(&p.product_major().to_string()),
        "productlevel" => text(p.build.level),
        "productupdatelevel" if !p.build.update.is_empty() => text(p.build.update),
        "productupdatereference" if !p.build.kb.is_empty() => text(p.build.kb),
        "collation" => text(p.collation),
        "ishadrenabled" => int(i64::from(p.membership.is_some())),
        "isclustered" | "issingleuser" | "isintegratedsecurityonly" => int(0),
        "processid" => int(p.dice.of("process").whole(900, 9_000)),
        _ => Value::Null,
    }
}
