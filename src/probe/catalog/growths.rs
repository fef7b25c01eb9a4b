//! When database files grew by themselves: out of the default trace, which every server keeps unless somebody switched it off.
//! Reading its files is slow: over the on-demand lane, the older ones once, then the newest alone since the last poll.

use crate::{
    model::poll::{
        Sample, State,
        cost::Tier,
        growths::{FileGrowth, GrowthTable},
        id::ProbeId,
        reading::Unavailable,
    },
    probe::{
        batch::Sets,
        catalog::who::who,
        context::ProbeContext,
        descriptor::{Company, Lane, Pace, Probe, needed},
        script::{Needs, Script, Takes, script},
    },
    tds::{Cell, Row},
};
use std::sync::Arc;

const TRACE: Script = script!("growth_trace", Nothing, one row);
const GROWTHS: Script =
    script!("growths", Trace, by "start_time" "database_id" "logical_name").taking(Takes::GrowthsSince);

/// The event of a log that grew; the other one is of data.
const LOG_GREW: i64 = 93;

/// See the module.
pub(super) static PROBE: Probe = Probe {
    parts: &[needed(TRACE), needed(GROWTHS)],
    pace: Pace::Seldom(4),
    company: Company::Alone,
    lane: Lane::OnDemand,
    timeout_ms: 20_000,
    unknown_without: &[(Needs::Trace, "when database files grew")],
    panes: &["storage"],
    ..Probe::new(ProbeId::Growths, Tier::Slow, decode)
};

/// A row without a time is left out.
fn decode(sets: &Sets, ctx: &ProbeContext) -> Result<Sample, Unavailable> {
    let trace = sets.one("growth_trace")?;
    let off = || Err(Unavailable::SwitchedOff("default trace enabled".into()));
    if trace.bool("is_enabled") == Some(false) {
        return off();
    }
    // Without the right no trace is seen.
    if trace.bool("alter_trace") == Some(false) {
        return Err(Unavailable::NoRight(Needs::Trace.right(ctx.major()).into()));
    }
    if trace.count("default_traces") == Some(0) {
        return off();
    }
    let clock = ctx.clock();
    let (mut total, mut read_to) = (None, None);
    let rows = sets.many("growths")?.filter_map(|row| {
        total = total.max(row.count("total_rows"));
        let at = clock.at(row, "start_time")?;
        let server_ms = local(row);
        read_to = read_to.max(server_ms);
        Some(FileGrowth {
            at: clock.ours(at),
            took_ms: clock.over(row.count("duration_us").map(|us| us / 1_000), at),
            by_kb: row.count("grown_pages").and_then(|pages| pages.checked_mul(8)),
            database: row.name("database_name").or_else(|| ctx.database(row.i32("database_id"))),
            file: row.name("logical_name"),
            is_log: row.i64("event_class").map(|event| event == LOG_GREW),
            who: who(row, ctx),
            server_ms,
        })
    });
    let mut growths: Vec<FileGrowth> = rows.collect();
    growths.sort_by_key(|growth| std::cmp::Reverse(growth.at));
    let total = total.and_then(|n| usize::try_from(n).ok()).unwrap_or(growths.len());
    let left_out = total.saturating_sub(growths.len()) as u64;
    let new = growths.len() as u64;
    Ok(Sample::Known(State::from(Arc::new(GrowthTable { growths, new, left_out, read_to }))))
}

/// The time as the server's clock shows it: it is only ever compared with others of that clock.
fn local(row: Row<'_>) -> Option<i64> {
    match row.cell("start_time") {
        Cell::Local(ms) => Some(*ms),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::base::time::Timestamp,
        probe::fixture::{set, sets, text},
    };

    const NOW_MS: i64 = 1_769_850_000_000;

    fn decoded(trace: [Cell; 3], rows: Vec<Vec<Cell>>) -> Result<GrowthTable, Unavailable> {
        let clock = Cell::Instant { utc_ms: NOW_MS, offset_min: 0 };
        let of_trace = set(
            "growth_trace",
            &["alter_trace", "is_enabled", "default_traces", "server_time"],
            vec![trace.into_iter().chain([clock]).collect()],
        );
        let columns = [
            "total_rows",
            "event_class",
            "database_id",
            "database_name",
            "logical_name",
            "start_time",
            "duration_us",
            "grown_pages",
            "login_name",
        ];
        let answer = sets(vec![of_trace, set("growths", &columns, rows)]);
        let mut ctx = ProbeContext::new(Timestamp::default);
        ctx.note_clock(&answer, Timestamp::from_ms(NOW_MS));
        match decode(&answer, &ctx)? {
            Sample::Known(State::Growths(table)) => Ok(Arc::unwrap_or_clone(table)),
            other => panic!("{other:?}"),
        }
    }

    fn row(event: i64, file: &str, ms: i64, pages: Cell) -> Vec<Cell> {
        vec![
            Cell::Int(9),
            Cell::Int(event),
            Cell::Int(7),
            Cell::Null,
            text(file),
            Cell::Local(ms),
            Cell::Int(1_250_000),
            pages,
            text("CORP\\ann"),
        ]
    }

    #[test]
    fn a_growth_has_what_the_trace_says_the_newest_first() {
        let on = [Cell::Int(1), Cell::Int(1), Cell::Int(1)];
        let rows = vec![
            row(92, "orders\u{1b}[31m", NOW_MS - 8_000, Cell::Int(8_192)),
            row(93, "orders_log", NOW_MS - 1_000, Cell::Int(-1)),
            vec![
                Cell::Int(9),
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
                Cell::Null,
            ],
        ];
        let table = decoded(on, rows).unwrap();
        let [log, data] = &table.growths[..] else { panic!("{table:?}") };
        assert_eq!((log.is_log, log.by_kb, log.database.as_deref()), (Some(true), None, Some("db 7")));
        assert_eq!((data.is_log, data.by_kb, data.took_ms), (Some(false), Some(65_536), Some(1_250)));
        assert!(!data.file.as_deref().unwrap().contains('\u{1b}') && data.is_long(), "{data:?}");
        assert_eq!((table.left_out, table.new, table.read_to), (7, 2, Some(NOW_MS - 1_000)));
        assert_eq!((data.who.login.as_deref(), data.server_ms), (Some("CORP\\ann"), Some(NOW_MS - 8_000)));
    }

    #[test]
    fn a_growth_took_no_longer_than_since_it_began() {
        let on = [Cell::Int(1), Cell::Int(1), Cell::Int(1)];
        let took = |us: Cell| {
            let mut row = row(92, "a", NOW_MS - 60_000, Cell::Int(1));
            row[6] = us;
            decoded(on.clone(), vec![row]).unwrap().growths[0].took_ms
        };
        assert_eq!([took(Cell::Int(0)), took(Cell::Int(59_000_000))], [Some(0), Some(59_000)]);
        assert_eq!(
            [took(Cell::Int(70_000_000)), took(Cell::Int(1 << 55)), took(Cell::Int(i64::MAX))],
            [None; 3]
        );
        assert_eq!([took(Cell::Int(-1)), took(Cell::Null)], [None; 2]);
    }

    #[test]
    fn why_nobody_knows_is_told_apart() {
        let off = Err(Unavailable::SwitchedOff("default trace enabled".into()));
        let no_right = Err(Unavailable::NoRight("ALTER TRACE".into()));
        let (yes, no) = (|| Cell::Int(1), || Cell::Int(0));
        assert_eq!(decoded([yes(), no(), no()], vec![]), off);
        assert_eq!(decoded([no(), no(), no()], vec![]), off, "a right would not help");
        assert_eq!(decoded([no(), yes(), no()], vec![]), no_right, "without the right no trace is seen");
        assert_eq!(decoded([yes(), yes(), no()], vec![]), off, "somebody stopped it");
        assert_eq!(decoded([yes(), yes(), yes()], vec![]).map(|table| table.growths.len()), Ok(0));
        assert!(decoded([Cell::Null, Cell::Null, Cell::Null], vec![]).is_ok(), "unknown is not denied");
    }
}
