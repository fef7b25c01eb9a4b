//! How database files grow, and how far they may. What is free inside of a file only its own database tells: [`FileSpace::used_kb`] is
//! for who asks there.

use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        id::ProbeId,
        reading::Unavailable,
        space::{FileSpace, Growth, Most, SpaceTable},
        tempdb,
    },
    probe::{
        batch::Sets,
        catalog::file::file,
        context::ProbeContext,
        descriptor::{Company, Probe, needed},
        script::{Needs, Script, script},
    },
};
use std::sync::Arc;

const SPACE: Script = script!("space", Definition, by "database_id" "file_id");

/// Pages of the largest log, 2 TB: a log that may grow for ever ends there.
const LARGEST_LOG: i64 = 268_435_456;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(SPACE)],
    // Right behind the volumes: whether files have room is judged by both.
    company: Company::Alone,
    unknown_without: &[(Needs::Definition, "how database files grow")],
    panes: &["storage"],
    ..Probe::new(ProbeId::Space, Tier::Slow, decode)
};

/// A row without its two ids is left out. Every instance has files: no row means that we may not see them.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let mut total = None;
    let rows = sets.many("space")?.filter_map(|row| {
        total = total.max(row.count("total_files"));
        let file = file(row, ctx)?;
        let is_tempdb = file.database_id == tempdb::DATABASE_ID;
        Some(FileSpace {
            file,
            size_kb: kb(row.count("size_pages")).filter(|_| !is_tempdb),
            most: most(row.balance("max_pages"), row.count("size_pages")),
            growth: growth(row.count("growth"), row.bool("is_percent_growth")),
            used_kb: None,
            // Of logs it is 0.
            filegroup: row.i32("data_space_id").filter(|id| *id > 0),
        })
    });
    let mut files: Vec<FileSpace> = rows.collect();
    if files.is_empty() {
        return Err(Unavailable::NoRight(Needs::Definition.right(ctx.major()).into()));
    }
    files.sort_by_key(|f| f.file.ids());
    let total = total.and_then(|n| usize::try_from(n).ok()).unwrap_or(files.len());
    let left_out = total.saturating_sub(files.len()) as u64;
    Ok(Sample::Known(State::from(Arc::new(SpaceTable { files, left_out, ..SpaceTable::default() }))))
}

fn kb(pages: Option<i64>) -> Option<i64> {
    pages.and_then(|n| n.checked_mul(8))
}

/// -1: as its volume lets it; 0: as it is.
fn most(max_pages: Option<i64>, size_pages: Option<i64>) -> Most {
    match max_pages {
        Some(-1 | LARGEST_LOG) => Most::Unlimited,
        Some(0) => kb(size_pages).map_or(Most::Unknown, Most::Kb),
        Some(1..) => kb(max_pages).map_or(Most::Unknown, Most::Kb),
        _ => Most::Unknown,
    }
}

fn growth(growth: Option<i64>, is_percent: Option<bool>) -> Growth {
    match (growth, is_percent) {
        (Some(0), _) => Growth::Fixed,
        (Some(pct), Some(true)) => Growth::ByPct(pct),
        (Some(_), Some(false)) => kb(growth).map_or(Growth::Unknown, Growth::ByKb),
        _ => Growth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::fixture::{set, sets, text},
        tds::Cell,
    };

    fn decoded(rows: Vec<Vec<Cell>>) -> Result<SpaceTable, Unavailable> {
        let columns = [
            "total_files",
            "database_id",
            "file_id",
            "physical_name",
            "size_pages",
            "max_pages",
            "growth",
            "is_percent_growth",
        ];
        let answer = sets(vec![set("space", &columns, rows)]);
        match decode(&answer, &ProbeContext::new(crate::model::base::time::Timestamp::default))? {
            Sample::Known(State::Space(table)) => Ok(Arc::unwrap_or_clone(table)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn limits_and_growth_are_what_the_catalogue_means() {
        let limits =
            [(-1, Most::Unlimited), (LARGEST_LOG, Most::Unlimited), (100, Most::Kb(800)), (0, Most::Kb(80))];
        for (max, meant) in limits {
            assert_eq!(most(Some(max), Some(10)), meant, "{max}");
        }
        assert_eq!(
            (most(None, Some(1)), most(Some(-7), Some(1)), most(Some(0), None)),
            (Most::Unknown, Most::Unknown, Most::Unknown)
        );
        assert_eq!(growth(Some(0), None), Growth::Fixed);
        assert_eq!(growth(Some(10), Some(true)), Growth::ByPct(10));
        assert_eq!(growth(Some(8_192), Some(false)), Growth::ByKb(65_536));
        assert_eq!((growth(None, Some(true)), growth(Some(9), None)), (Growth::Unknown, Growth::Unknown));
        assert_eq!(growth(Some(i64::MAX), Some(false)), Growth::Unknown);
    }

    #[test]
    fn a_file_of_tempdb_has_no_size_and_files_stand_in_order() {
        let row = |database, file: Cell| {
            let path = text("D:\\a\u{1b}[31m.mdf");
            vec![
                Cell::Int(8),
                Cell::Int(database),
                file,
                path,
                Cell::Int(10),
                Cell::Int(-1),
                Cell::Int(0),
                Cell::Null,
            ]
        };
        let table = decoded(vec![
            row(5, Cell::Int(2)),
            row(5, Cell::Int(1)),
            row(2, Cell::Int(1)),
            row(6, Cell::Null),
        ])
        .unwrap();
        let sizes: Vec<_> = table.files.iter().map(|f| (f.file.ids(), f.size_kb)).collect();
        assert_eq!(sizes, [((2, 1), None), ((5, 1), Some(80)), ((5, 2), Some(80))]);
        assert_eq!((table.left_out, table.files[0].used_kb), (5, None));
        assert!(!table.files[0].file.path.as_deref().unwrap().contains('\u{1b}'));
        assert!(
            matches!(decoded(Vec::new()), Err(Unavailable::NoRight(right)) if &*right == "VIEW ANY DEFINITION")
        );
    }
}
