//! From a snapshot to the rows of `once deadlocks`: pure, as `rows` is. Times are by the clock of `ui.time_zone`.

use super::rows::{Column, Scoped, grid_with_holes, names_with_holes, of_instance};
use crate::{
    command::output::{Cell, Grid},
    model::{
        base::zone::Zone,
        poll::deadlocks::{DeadlockParty, DeadlockPattern, DeadlockTable, fingerprint},
    },
};
use std::sync::Arc;

/// A pattern with its table, and the zone of its times.
type PatternOf<'a> = (&'a DeadlockTable, &'a DeadlockPattern, &'a Zone);

/// A row a pattern, the last one first.
pub fn rows(scope: Scoped<'_>, zone: &Zone) -> Grid {
    let columns = pattern_columns();
    let rows = scope.iter().flat_map(|i| {
        of_instance(i, &i.facts.deadlocks, |table| {
            table.patterns.iter().map(|pattern| (&**table, pattern, zone)).collect()
        })
    });
    grid_with_holes(&columns, rows)
}

/// The names of the columns.
pub fn columns() -> Vec<&'static str> {
    names_with_holes(&pattern_columns())
}

fn pattern_columns<'a>() -> [Column<PatternOf<'a>>; 16] {
    [
        ("last_at", |(_, p, zone)| Cell::time(Some(p.last_at()), zone)),
        ("pattern", |(_, p, _)| Cell::text(Some(&*p.kind))),
        ("times", |(_, p, _)| Cell::int(i64::try_from(p.times).ok())),
        ("at_least", |(table, _, _)| Cell::Flag(table.at_least)),
        ("since", |(_, p, zone)| Cell::time(Some(p.first_at), zone)),
        ("databases", |(_, p, _)| Cell::text(Some(&joined(p.newest().map_or(&[], |r| &r.databases))))),
        ("objects", |(_, p, _)| Cell::text(Some(&joined(p.newest().map_or(&[], |r| &r.objects))))),
        ("victim_session_id", |(_, p, _)| Cell::int(p.victim().and_then(|party| party.session_id))),
        ("victim_login", |row| victim(row, |party| party.who.login.as_deref())),
        ("victim_host", |row| victim(row, |party| party.who.host.as_deref())),
        ("victim_program", |row| victim(row, |party| party.who.program.as_deref())),
        ("victim_module", |row| victim(row, |party| party.place.as_deref())),
        ("sessions", |(_, p, _)| Cell::int(p.newest().map(|report| report.parties.len() as i64))),
        ("fingerprint", |(_, p, _)| Cell::Text(fingerprint(p.fingerprint))),
        ("session", |(table, _, _)| Cell::text(Some(&*table.session).filter(|name| !name.is_empty()))),
        ("from_memory", |(table, _, _)| Cell::Flag(table.is_from_memory)),
    ]
}

fn victim<'a>((_, pattern, _): &PatternOf<'a>, read: fn(&'a DeadlockParty) -> Option<&'a str>) -> Cell {
    let pattern: &'a DeadlockPattern = pattern;
    Cell::text(pattern.victim().and_then(read))
}

fn joined(names: &[Arc<str>]) -> String {
    names.join(", ")
}
