//! From a snapshot to the rows of `once growths`: pure, as `rows` is. Times are by the clock of `ui.time_zone`.

use super::rows::{Column, Scoped, grid_with_holes, names_with_holes, of_instance};
use crate::{
    command::output::{Cell, Grid},
    model::{base::zone::Zone, poll::growths::FileGrowth},
};

/// A growth, and the zone of its time.
type GrowthOf<'a> = (&'a FileGrowth, &'a Zone);

/// A row a growth, the newest first.
pub fn rows(scope: Scoped<'_>, zone: &Zone) -> Grid {
    let columns = growth_columns();
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.growths, |table| table.growths.iter().map(|growth| (growth, zone)).collect())
    });
    grid_with_holes(&columns, rows)
}

/// The names of the columns.
pub fn columns() -> Vec<&'static str> {
    names_with_holes(&growth_columns())
}

fn growth_columns<'a>() -> [Column<GrowthOf<'a>>; 9] {
    [
        ("at", |(g, zone)| Cell::time(Some(g.at), zone)),
        ("database", |(g, _)| Cell::text(g.database.as_deref())),
        ("file", |(g, _)| Cell::text(g.file.as_deref())),
        ("type", |(g, _)| Cell::text(g.kind())),
        ("grown_kb", |(g, _)| Cell::int(g.by_kb)),
        ("took_ms", |(g, _)| Cell::int(g.took_ms)),
        ("login", |(g, _)| Cell::text(g.who.login.as_deref())),
        ("host", |(g, _)| Cell::text(g.who.host.as_deref())),
        ("program", |(g, _)| Cell::text(g.who.program.as_deref())),
    ]
}
