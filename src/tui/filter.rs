//! The filter that a pane holds: its text as typed, and the parsed form that rows are tested with.

use super::{
    view::View,
    widget::column::{Column, Filter as Asked, Kind},
};
use crate::model::{
    base::filter::{Filter, FilterError, Kinds, Row, Seen, Value},
    inventory::instance::InstanceInfo,
};
use std::sync::Arc;

/// Rows that are looked at, to learn what fields hold, after each text.
const LEARNED_FROM: u32 = 200;

/// Fields of any row: those of its instance. Labels come on top.
const OF_INSTANCE: [&str; 3] = ["instance", "group", "address"];

/// A filter that a pane holds.
#[derive(Debug)]
pub struct FilterSlot {
    text: String,
    filter: Filter,
    /// names that an error message lists
    fields: Vec<&'static str>,
    /// what each of them holds, as far as rows with a value were seen
    kinds: Vec<Kinds>,
    /// rows that are still looked at for it
    to_learn: u32,
    /// other names for the same
    also: Vec<&'static str>,
    labels: Vec<Arc<str>>,
    /// rows belong to instances, so that fields of these can be asked for
    of_instances: bool,
    scratch: String,
}

impl FilterSlot {
    /// No filter yet. Rows can be asked for these columns, and for `more` that have none.
    pub fn new<K: Kind>(columns: &[Column<K>], more: &[&'static str]) -> Self {
        let asked = || columns.iter().filter(|c| !matches!(c.filter, Asked::None));
        let fields: Vec<_> = asked().map(|c| c.id).chain(more.iter().copied()).collect();
        Self {
            text: String::new(),
            filter: Filter::all(),
            kinds: vec![Kinds::default(); fields.len()],
            to_learn: LEARNED_FROM,
            fields,
            also: asked().flat_map(|c| c.also).copied().collect(),
            labels: Vec::new(),
            of_instances: true,
            scratch: String::new(),
        }
    }

    /// For rows that belong to no instance.
    pub fn of_columns<K: Kind>(columns: &[Column<K>]) -> Self {
        Self { of_instances: false, ..Self::new(columns, &[]) }
    }

    /// Learns which labels there are, so that a wrong name can be told from an empty answer.
    pub fn learn(&mut self, view: &View<'_>) {
        self.labels.clear();
        for i in &view.snapshot.instances {
            for (k, _) in &i.info.labels {
                if !self.labels.contains(k) {
                    self.labels.push(Arc::clone(k));
                }
            }
        }
    }

    /// Takes a new text.
    ///
    /// # Errors
    /// Names the error; the old filter stays.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let known = |key: &str| {
            let is = |k: &str| k.eq_ignore_ascii_case(key);
            let of_instance: &[&str] = if self.of_instances { &OF_INSTANCE } else { &[] };
            self.fields.iter().chain(&self.also).chain(of_instance).any(|f| is(f))
                || self.labels.iter().any(|l| is(l))
        };
        let filter = Filter::parse(text, &known).map_err(|e| match e {
            FilterError::Key(_) => format!("{e}: {}", self.fields.join(" ")),
            other => other.to_string(),
        })?;
        let kinds = |key: &str| {
            let mut fields = self.fields.iter().zip(&self.kinds);
            fields.find(|(field, _)| field.eq_ignore_ascii_case(key)).map_or_else(Kinds::default, |(_, k)| *k)
        };
        self.to_learn = LEARNED_FROM;
        if let Some(misfit) = filter.misfit(&kinds) {
            return Err(misfit.to_string());
        }
        self.filter = filter;
        text.trim().clone_into(&mut self.text);
        Ok(())
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Learns from a row what fields hold.
    fn learn_kinds(&mut self, row: &dyn Row) {
        self.to_learn -= 1;
        for (field, kinds) in self.fields.iter().zip(&mut self.kinds) {
            row.values(field, &mut |value| kinds.learn(value));
        }
    }

    /// True if the row stays.
    pub fn keeps(&mut self, row: &dyn Row) -> bool {
        self.keeps_in(row, None)
    }

    /// The same during a pass over many rows that stay where they are.
    pub fn keeps_in(&mut self, row: &dyn Row, seen: Option<&mut Seen>) -> bool {
        if self.to_learn > 0 {
            self.learn_kinds(row);
        }
        self.filter.is_empty() || self.filter.keeps_in(row, &mut self.scratch, seen)
    }
}

/// Visits the values of the instance that a row belongs to.
pub fn instance_values(info: &InstanceInfo, key: &str, visit: &mut dyn FnMut(Value<'_>)) {
    match key {
        "instance" => visit(Value::Text(info.id.as_str())),
        "group" => info.groups.iter().for_each(|g| visit(Value::Text(g))),
        "address" => visit(Value::Text(&info.address)),
        _ => info
            .labels
            .iter()
            .filter(|(k, _)| k.eq_ignore_ascii_case(key))
            .for_each(|(_, v)| visit(Value::Text(v))),
    }
}
