//! The simulator's own schema of system objects: the objects of each version, their columns with types, and the right that
//! each object needs.
//!
//! `sim::bind` checks batches against it, `sim::answer` takes the types of its result columns from it. It is written
//! for this program from the public documentation; `tests/catalog_check.sh` compares it with a catalogue that was
//! extracted from the engines. Of the objects that only Azure has there are those that dbtop asks for.
//!
//! `object` holds the types and the words that the data files are written with; one data file per family of objects;
//! `permission` knows the names of rights.

mod availability;
mod catalog;
mod catalog_server;
mod governor;
mod host;
mod memory;
mod msdb;
mod object;
mod others;
mod permission;
mod plans;
mod query_store;
mod sessions;
mod space;
#[cfg(test)]
mod tests;
mod transactions;

pub use object::{Access, Column, Home, Kind, Need, Object, Reach};
pub use permission::{Securable, known_permission};

use crate::sql::ident::ObjectName;

/// All families, the most asked ones first.
const FAMILIES: &[&[Object]] = &[
    sessions::OBJECTS,
    host::OBJECTS,
    transactions::OBJECTS,
    msdb::OBJECTS,
    catalog_server::OBJECTS,
    availability::OBJECTS,
    space::OBJECTS,
    memory::OBJECTS,
    plans::OBJECTS,
    catalog::OBJECTS,
    others::OBJECTS,
    governor::OBJECTS,
    query_store::OBJECTS,
];

/// Views of SQL Server 2000 that are found without their schema too.
const OLD_VIEWS: &[&str] = &["sysdatabases", "sysobjects", "sysprocesses"];

/// Every object of every version.
pub fn objects() -> impl Iterator<Item = &'static Object> {
    FAMILIES.iter().copied().flatten()
}

/// The object in this home with this name, compared without case, in any version.
pub fn get(home: Home, name: &str) -> Option<&'static Object> {
    objects().find(|object| object.home == home && object.name.eq_ignore_ascii_case(name))
}

/// The object that a name in a batch means when `database` is the current one, in any version. Names with a linked
/// server find nothing.
pub fn find(name: &ObjectName, database: &str) -> Option<&'static Object> {
    let is = |part: Option<&str>, word: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(word));
    let schema = name.schema.as_deref();
    if name.server.is_some() {
        None
    } else if is(schema, "sys") {
        get(Home::Sys, &name.object)
    } else if is(schema, "INFORMATION_SCHEMA") {
        get(Home::Information, &name.object)
    } else if schema.is_some() && !is(schema, "dbo") {
        None
    } else if OLD_VIEWS.iter().any(|old| old.eq_ignore_ascii_case(&name.object)) {
        get(Home::Sys, &name.object)
    } else if is(Some(name.database.as_deref().unwrap_or(database)), "msdb") {
        get(Home::Msdb, &name.object)
    } else {
        None
    }
}
