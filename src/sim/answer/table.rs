//! A table that a SELECT chooses from: typed columns, rows of values, and short functions to write them.

use crate::sim::backend::{Column, ColumnType, Value};

/// All columns that a probe may select, with their rows.
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: Vec<(&'static str, ColumnType)>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &[(&'static str, ColumnType)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// A table of one row.
    pub fn one(row: Vec<(&'static str, ColumnType, Value)>) -> Self {
        let columns = row.iter().map(|(name, kind, _)| (*name, *kind)).collect();
        Self { columns, rows: vec![row.into_iter().map(|(_, _, value)| value).collect()] }
    }

    /// Adds a row; values in the order of the columns.
    pub fn push(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.columns.len(), "{:?}", self.columns);
        self.rows.push(row);
    }

    /// With these rows.
    #[must_use]
    pub fn with(mut self, rows: impl Iterator<Item = Vec<Value>>) -> Self {
        rows.for_each(|row| self.push(row));
        self
    }

    /// The rows with these columns; NULL for columns that the table does not have.
    pub fn shaped(self, columns: &[Column]) -> Vec<Vec<Value>> {
        let at = |name: &str| self.columns.iter().position(|(own, _)| own.eq_ignore_ascii_case(name));
        let picks: Vec<Option<usize>> = columns.iter().map(|c| at(&c.name)).collect();
        let value = |row: &[Value], pick: &Option<usize>| {
            pick.and_then(|n| row.get(n)).cloned().unwrap_or(Value::Null)
        };
        self.rows.iter().map(|row| picks.iter().map(|pick| value(row, pick)).collect()).collect()
    }

    /// The columns of these names, in this order, with `tag` standing for the constant that marks the set. The error
    /// is the first name that the table does not have.
    pub fn choose<'n>(
        self,
        names: &'n [String],
        tag: &str,
    ) -> Result<(Vec<Column>, Vec<Vec<Value>>), &'n str> {
        let mut picks = Vec::with_capacity(names.len());
        for name in names {
            if name == tag {
                picks.push(None);
            } else {
                let at = self.columns.iter().position(|(own, _)| own.eq_ignore_ascii_case(name));
                picks.push(Some(at.ok_or(name.as_str())?));
            }
        }
        let kind = |pick: &Option<usize>| {
            pick.and_then(|at| self.columns.get(at)).map_or(ColumnType::Int, |(_, kind)| *kind)
        };
        let described = |(name, pick): (&String, &Option<usize>)| Column {
            name: name.clone(),
            kind: kind(pick),
            nullable: pick.is_some(),
        };
        let columns = names.iter().zip(&picks).map(described).collect();
        // texts are moved, not copied; a column that is selected twice is copied the first time
        let again = |n: usize| picks.iter().skip(n + 1).any(|later| *later == picks[n]);
        let copies: Vec<bool> = (0..picks.len()).map(again).collect();
        let row = |mut row: Vec<Value>| -> Vec<Value> {
            let value = |(pick, copy): (&Option<usize>, &bool)| match pick.map(|at| row.get_mut(at)) {
                None => Value::Int(1),
                Some(None) => Value::Null,
                Some(Some(value)) if *copy => value.clone(),
                Some(Some(value)) => std::mem::replace(value, Value::Null),
            };
            picks.iter().zip(&copies).map(value).collect()
        };
        Ok((columns, self.rows.into_iter().map(row).collect()))
    }
}

/// An integer of any size.
pub fn int(n: impl Into<i64>) -> Value {
    Value::Int(n.into())
}

/// An integer that fits a column of four bytes, as a server's own counters wrap or stop there.
pub fn int4(n: i64) -> Value {
    Value::Int(n.clamp(i64::from(i32::MIN), i64::from(i32::MAX)))
}

/// A text.
pub fn text(s: impl Into<String>) -> Value {
    Value::Text(s.into())
}

/// A value or NULL.
pub fn opt<T>(value: Option<T>, make: impl FnOnce(T) -> Value) -> Value {
    value.map_or(Value::Null, make)
}

/// A date and time without a zone, from ns since 1970.
pub const fn local(local_ns: i128) -> Value {
    Value::Time { local_ns, offset_min: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_chosen_in_any_order_and_more_than_once() {
        let table =
            Table::one(vec![("a", ColumnType::Int, int(7)), ("b", ColumnType::NVarCharMax, text("x"))]);
        let names = ["b", "tag", "a", "b"].map(str::to_owned);
        let (columns, rows) = table.choose(&names, "tag").unwrap();
        assert_eq!(columns.iter().map(|c| &*c.name).collect::<Vec<_>>(), ["b", "tag", "a", "b"]);
        assert_eq!(rows, vec![vec![text("x"), int(1), int(7), text("x")]]);
    }

    #[test]
    fn an_unknown_column_is_named() {
        let table = Table::one(vec![("a", ColumnType::Int, int(7))]);
        assert_eq!(table.choose(&["a".to_owned(), "z".to_owned()], "tag").unwrap_err(), "z");
    }
}
