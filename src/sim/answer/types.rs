//! Results for tests of clients: a value of every type, any number of rows.

use crate::sim::backend::{
    Column,
    ColumnType::{
        self, BigInt, Binary, Bit, Char, Date, DateTime, DateTime2, DateTimeOffset, Decimal, Float, Guid,
        Int, Money, NChar, NVarChar, NVarCharMax, Real, SmallDateTime, SmallInt, SmallMoney, Time, TinyInt,
        VarBinary, VarBinaryMax, VarChar, VarCharMax, Variant, Xml,
    },
    Replies, Reply, Value,
};

/// One row with a value of every type, and one of NULLs.
pub fn every_type() -> Vec<Reply> {
    let at = Value::Time { local_ns: 1_780_000_000_123_456_700, offset_min: 120 };
    let word = |s: &str| Value::Text(s.to_owned());
    let all: Vec<(&str, ColumnType, Value)> = vec![
        ("bit", Bit, Value::Bool(true)),
        ("tinyint", TinyInt, Value::Int(255)),
        ("smallint", SmallInt, Value::Int(-32_768)),
        ("int", Int, Value::Int(-2_147_483_648)),
        ("bigint", BigInt, Value::Int(i64::MIN)),
        ("real", Real, Value::Float(1.5)),
        ("float", Float, Value::Float(-2.25)),
        ("decimal", Decimal(38, 4), Value::Scaled(-12_345_678)),
        ("money", Money, Value::Scaled(-99_990_000)),
        ("smallmoney", SmallMoney, Value::Scaled(12_500)),
        ("char", Char(8), word("char")),
        ("varchar", VarChar(20), word("varchar")),
        ("varchar_max", VarCharMax, word("varchar(max)")),
        ("nchar", NChar(8), word("nchar")),
        ("nvarchar", NVarChar(20), word("nvarchar ä 全 👩")),
        ("nvarchar_max", NVarCharMax, word("nvarchar(max)")),
        ("binary", Binary(4), Value::Bytes(vec![1, 2, 3, 4])),
        ("varbinary", VarBinary(8), Value::Bytes(vec![0xde, 0xad])),
        ("varbinary_max", VarBinaryMax, Value::Bytes(vec![0; 20])),
        ("date", Date, at.clone()),
        ("time", Time(7), at.clone()),
        ("smalldatetime", SmallDateTime, at.clone()),
        ("datetime", DateTime, at.clone()),
        ("datetime2", DateTime2(7), at.clone()),
        ("datetimeoffset", DateTimeOffset(7), at),
        (
            "uniqueidentifier",
            Guid,
            Value::Guid(*b"\x6f\x96\x19\xff\x8b\x86\xd0\x11\xb4\x2d\x00\xc0\x4f\xc9\x64\xff"),
        ),
        ("xml", Xml, word("<a b=\"1\"/>")),
        ("sql_variant", Variant, Value::Int(42)),
    ];
    let columns = all
        .iter()
        .map(|(name, kind, _)| Column { name: (*name).to_owned(), kind: *kind, nullable: true })
        .collect();
    let nulls = vec![Value::Null; all.len()];
    let values = all.into_iter().map(|(.., value)| value).collect();
    vec![Reply::Columns(columns), Reply::Row(values), Reply::Row(nulls), Reply::Done(Some(2))]
}

/// Rows of a number and a text, made one by one.
pub fn rows(count: u64) -> Replies {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind, nullable: false };
    let columns = Reply::Columns(vec![column("n", BigInt), column("text", NVarChar(100))]);
    let rows = (1..=count).map(|n| Reply::Row(vec![Value::Int(n as i64), Value::Text(format!("row {n}"))]));
    Box::new(std::iter::once(columns).chain(rows).chain(std::iter::once(Reply::Done(Some(count)))))
}

/// The same rows again and again.
pub fn endless(rows: Vec<Vec<Value>>) -> Replies {
    Box::new(rows.into_iter().cycle().map(Reply::Row))
}
