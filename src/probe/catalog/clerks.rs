//! Memory clerks, summed by type on the server.

use crate::{
    model::poll::{
        Sample, State,
        clerks::{ClerkRow, ClerkTable},
        cost::Tier,
        id::ProbeId,
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        context::ProbeContext,
        descriptor::{Pace, Probe, needed},
        script::{Needs, Script, script},
    },
};
use std::sync::Arc;

const CLERKS: Script = script!("clerks", Performance, by "clerk_type");

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(CLERKS)],
    pace: Pace::Slower(3),
    unknown_without: &[(Needs::Performance, "memory clerks")],
    panes: &["memory"],
    ..Probe::new(ProbeId::Clerks, Tier::Detail, decode)
};

/// A row without a type is left out. Every instance has clerks: no row means that we may not see them.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let (mut types, mut all_kb) = (None, None);
    let rows = sets.many("clerks")?.filter_map(|row| {
        types = types.max(row.count("total_types"));
        all_kb = all_kb.max(row.count("all_pages_kb"));
        Some(ClerkRow {
            kind: row.line("clerk_type", 60)?,
            clerks: row.count("clerks"),
            pages_kb: row.count("pages_kb"),
            virtual_kb: row.count("virtual_kb"),
            grown_kb: None,
        })
    });
    let clerks: Vec<ClerkRow> = rows.collect();
    if clerks.is_empty() {
        return Err(Unavailable::NoRight(Needs::Performance.right(ctx.major()).into()));
    }
    let types = types.and_then(|types| usize::try_from(types).ok()).unwrap_or(clerks.len());
    let left_out = types.saturating_sub(clerks.len()) as u64;
    Ok(Sample::Known(State::from(Arc::new(ClerkTable { clerks, left_out, all_kb }))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    fn decoded(rows: Vec<Vec<Cell>>) -> Result<ClerkTable, Unavailable> {
        let columns = ["total_types", "all_pages_kb", "clerk_type", "clerks", "pages_kb", "virtual_kb"];
        let answer = sets(vec![set("clerks", &columns, rows)]);
        match decode(&answer, &ProbeContext::new(crate::model::base::time::Timestamp::default))? {
            Sample::Known(State::Clerks(table)) => Ok(Arc::unwrap_or_clone(table)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_clerk_has_what_the_server_says_and_nothing_else() {
        let row = |kind: Cell, pages: Cell| {
            vec![Cell::Int(70), Cell::Int(1 << 50), kind, Cell::Null, pages, Cell::Int(-1)]
        };
        let rows = vec![
            row(text("MEMORYCLERK_SQLBUFFERPOOL"), Cell::Int((1 << 50) + 1)),
            row(text("EVIL\u{1b}[31m"), Cell::Int(-5)),
            row(Cell::Null, Cell::Int(9)),
            row(text("CACHESTORE_SQLCP"), Cell::Null),
        ];
        let table = decoded(rows).unwrap();
        assert_eq!((table.left_out, table.all_kb), (67, Some(1 << 50)));
        let [pool, evil, plans] = &table.clerks[..] else { panic!("{table:?}") };
        assert_eq!((pool.pages_kb, pool.clerks, pool.virtual_kb), (None, None, None));
        assert!(!evil.kind.contains('\u{1b}') && evil.pages_kb.is_none(), "{evil:?}");
        assert_eq!(plans.pages_kb, None);
    }

    #[test]
    fn without_a_row_nothing_is_known() {
        assert!(matches!(decoded(Vec::new()), Err(Unavailable::NoRight(_))));
        let nameless =
            vec![vec![Cell::Int(1), Cell::Int(1), Cell::Null, Cell::Null, Cell::Int(1), Cell::Null]];
        assert!(decoded(nameless).is_err());
    }
}
