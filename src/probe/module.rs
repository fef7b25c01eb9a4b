//! What is known of a server's modules between two polls: when they were polled, and the name of each, read out of the text that its
//! plan has. The decoder looks up; `context` lets it learn from each sample.

use super::{
    batch::Sets,
    query::{fingerprint, module},
    text::TextCache,
};
use crate::{
    model::poll::modules::{ModuleId, ModulesSample},
    tds::{Param, Row},
};
use std::{collections::HashMap, sync::Arc};

/// The sets with modules.
pub(super) const SETS: [&str; 3] = ["modules", "module_triggers", "module_functions"];

/// Rows that are wanted of an instance in the fleet, and of one on the screen.
const IN_FLEET: i64 = 20;
const ON_SCREEN: i64 = 100;

/// Names that are remembered.
const MOST: usize = 1_000;

/// See the module.
#[derive(Debug, Default)]
pub struct ModuleMemory {
    /// the server's clock at the last poll, ms since 1970 by its own zone
    since: Option<i64>,
    /// with the text that each was read out of: an id is given to another module after a drop, and so is a database's
    names: HashMap<ModuleId, (u64, Arc<str>)>,
}

impl ModuleMemory {
    /// The parameters of the next question.
    pub(super) fn params(&self, focused: bool) -> [Param<'static>; 2] {
        [self.since.map_or(Param::Null, Param::Int), Param::Int(if focused { ON_SCREEN } else { IN_FLEET })]
    }

    /// The handles of the texts that names are still to be read out of, the most expensive module first.
    pub(super) fn handles<'a>(&self, sets: &'a Sets) -> Vec<&'a [u8]> {
        let is_new = |row: &Row<'_>| id(*row).is_some_and(|id| self.known(id, *row).is_none());
        SETS.into_iter()
            .flat_map(|set| sets.all(set))
            .filter(is_new)
            .filter_map(|row| row.bytes("sql_handle"))
            .collect()
    }

    /// The name that is known of a module, if it is still of the text that its plan has.
    fn known(&self, id: ModuleId, row: Row<'_>) -> Option<&Arc<str>> {
        let (of, name) = self.names.get(&id)?;
        (*of == handle(row)).then_some(name)
    }

    /// The name of a module: as it was at the last poll, else out of a text that has come.
    pub(super) fn name(&self, id: ModuleId, row: Row<'_>, texts: &TextCache) -> Option<Arc<str>> {
        if let Some(name) = self.known(id, row) {
            return Some(name.clone());
        }
        module(&texts.statement(row.bytes("sql_handle")?, None, None)?.text.batch)
    }

    /// Takes what a sample has, for the next one.
    pub(super) fn learn(&mut self, sample: &ModulesSample) {
        self.since = sample.polled_at.or(self.since);
        if self.names.len() > MOST {
            self.names.clear();
        }
        let named = sample.modules.iter().filter_map(|m| Some((m.id, (m.handle, m.name.clone()?))));
        self.names.extend(named);
    }
}

/// Tells the text of a row's plan from others; 0: the row has none.
pub(super) fn handle(row: Row<'_>) -> u64 {
    row.bytes("sql_handle").map_or(0, fingerprint)
}

/// What identifies the module of a row.
pub(super) fn id(row: Row<'_>) -> Option<ModuleId> {
    Some(ModuleId { database_id: row.i32("database_id")?, object_id: row.i32("object_id")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::modules::ModuleCounter,
        probe::fixture::{set, sets},
        tds::Cell,
    };

    #[test]
    fn a_name_is_asked_for_until_it_is_known_and_the_next_poll_begins_where_this_one_was() {
        let columns = ["database_id", "object_id", "sql_handle"];
        let row_of =
            |object: i64, handle: u8| vec![Cell::Int(5), Cell::Int(object), Cell::Bytes(vec![handle])];
        let sets_of = |rows| sets(vec![set(SETS[0], &columns, rows)]);
        let sets = sets(vec![
            set(SETS[0], &columns, vec![row_of(1, 11), vec![Cell::Null; 3]]),
            set(SETS[2], &columns, vec![row_of(2, 12)]),
        ]);
        let mut memory = ModuleMemory::default();
        assert_eq!(memory.params(true), [Param::Null, Param::Int(ON_SCREEN)]);
        assert_eq!(memory.handles(&sets), [&[11], &[12]]);
        let row = sets.all(SETS[0]).next().unwrap();
        let known = ModuleCounter {
            handle: handle(row),
            id: ModuleId { database_id: 5, object_id: 1 },
            name: Some("dbo.p".into()),
            ..ModuleCounter::default()
        };
        memory.learn(&ModulesSample {
            modules: vec![known],
            polled_at: Some(77),
            ..ModulesSample::default()
        });
        assert_eq!(memory.handles(&sets), [&[12]]);
        assert_eq!(memory.params(false), [Param::Int(77), Param::Int(IN_FLEET)]);
        let id = id(row).unwrap();
        assert_eq!(memory.name(id, row, &TextCache::default()).as_deref(), Some("dbo.p"));
        // Dropped, and another one was made with its number.
        let other = sets_of(vec![row_of(1, 77)]);
        let row = other.all(SETS[0]).next().unwrap();
        assert_eq!(memory.handles(&other), [&[77]]);
        assert_eq!(memory.name(id, row, &TextCache::default()), None, "nobody is called by another's name");
    }
}
