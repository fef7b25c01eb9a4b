//! Which database file a row is about, by the columns that every script has for it.

use crate::{model::poll::files::DatabaseFile, probe::context::ProbeContext, tds::Row};

/// Reads `database_id`, `file_id`, `logical_name`, `type_desc` and `physical_name`. None without the two ids: nothing could be compared
/// with it.
pub(super) fn file(row: Row<'_>, ctx: &ProbeContext) -> Option<DatabaseFile> {
    let database_id = row.i32("database_id")?;
    Some(DatabaseFile {
        database_id,
        file_id: row.i32("file_id")?,
        database: ctx.database(Some(database_id)),
        name: row.name("logical_name"),
        kind: row.line("type_desc", 60),
        path: row.line("physical_name", 260),
    })
}
