//! The queries of the plan cache: what each of them costs, the one that takes most CPU first, and how much of all CPU they explain
//! together. Above the queries of one instance stand the charts of all of them.

use super::{
    super::{
        costs::{self, Costs},
        figure::Figure,
        parts::{self, By, Line, Parts, PartsPane, Rank, Words, text},
        request,
    },
    group,
    shares::{self, share},
};
use crate::{
    model::{
        base::{figure, filter::Value},
        inventory::instance::InstanceId,
        poll::{
            Facts,
            counts::{Measure, Ran},
            demand::Demand,
            id::SeriesId,
            queries::{QueryRow, QueryTable},
            reading::Reading,
            statement::Statement,
        },
        timeline::samples::Mix,
    },
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, number, whole, words},
            document::Document,
            table::Set,
        },
        wish::Wish,
    },
};
use std::{fmt::Write as _, sync::Arc};

/// The CPU that they explain.
const CPU: Figure = Figure::plain("CPU of queries ms/s", SeriesId::QueryCpu, 10.0);

/// How often they run.
const RUNS: Figure = Figure::plain("query runs/s", SeriesId::QueryRuns, 1.0);

/// Bytes of a page.
pub(super) const PAGE: f64 = request::PAGE_BYTES;

/// More plans of one query than this are a sign of generated SQL: each text of it has a plan of its own.
const MANY_PLANS: i64 = 200;

/// The queries one by one.
pub type RowsPane = PartsPane<Queries>;

/// Rows of the pane: a query of an instance each.
#[derive(Debug)]
pub enum Queries {}

impl Kind for Queries {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Queries {
    type Table = QueryTable;
    type Part = QueryRow;
    const PANE: PaneId = PaneId::Queries;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "module";
    const APART: &'static str = "query";
    const ORDER: &'static [By<QueryRow>] = &[];
    // Instances on the screen are polled over another time than the fleet.
    const RANK: Option<Rank<Self>> = Some(QueryTable::cpu_ms_per_s);
    const FIGURES: &'static [Figure] = &[CPU, RUNS];
    const BESIDE: &'static [(&'static str, &'static str)] = shares::BESIDE;
    const SETS: &'static [Set] = shares::SETS;
    const WORDS: Words = Words {
        order: "most CPU first",
        left_out: "more took next to nothing",
        no_match: "No query matches the filter.",
        unknown: "Which query costs what",
        nothing: "No query ran",
        nameless: "a query",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<QueryTable>> {
        &facts.queries
    }

    fn parts(table: &QueryTable) -> (&[QueryRow], u64) {
        (&table.queries, table.left_out)
    }

    fn key(instance: &InstanceId, query: &QueryRow) -> RowKey {
        RowKey::Query(instance.clone(), query.hash)
    }

    /// Its plan changed, or it has too many.
    fn is_problem(query: &QueryRow) -> bool {
        query.old_plan_hash.is_some() || has_many_plans(query)
    }

    fn act(action: Action, row: Option<&RowKey>, _: Option<&InstanceId>) -> Option<Wish> {
        match (action, row?) {
            (Action::Plan, RowKey::Query(instance, query_hash)) => {
                Some(Wish::Demand(instance.clone(), Demand::Plans { query_hash: *query_hash }))
            }
            _ => None,
        }
    }

    fn texts<'p>(query: &'p QueryRow, with: &mut dyn FnMut(&'p str)) {
        let statement = query.statement.as_ref().map(Statement::as_str);
        query.databases().for_each(|name| with(name));
        [query.module.as_deref(), statement].into_iter().flatten().for_each(with);
    }

    /// Of the last interval. Among several instances one that does not answer says nothing of now.
    fn told(view: &View<'_>) -> Vec<String> {
        let is_one = view.single().is_some();
        let mut tables = view.instances().filter_map(|(_, i)| {
            let reading = &i.facts.queries;
            let table = if is_one { reading.get() } else { reading.fresh(view.now) }?;
            let over_ms = i64::try_from(table.over_ms).unwrap_or(i64::MAX);
            Some((reading.at?.plus_ms(-over_ms), &**table))
        });
        shares::told(&mut tables, None, view)
    }

    fn more(line: &Line<'_, Self>, d: &mut Document) {
        let (q, base, t) = (line.part, line.style(), line.view.theme);
        shares::tell_line(line, d);
        costs::one_run(line, d);
        costs::per_run(line, d, "duration", q.elapsed_us, costs::push_us);
        costs::pages(line, d);
        costs::per_run(line, d, "memory granted", q.grant_kb, costs::push_kb);
        costs::per_run(line, d, "of it used", q.used_kb, costs::push_kb);
        costs::per_run(line, d, "ideal", q.ideal_kb, costs::push_kb);
        costs::per_run(line, d, "spilled to tempdb", q.spills, |s, pages| figure::push_size(s, pages * PAGE));
        shares::tell_databases(q, base, t.dim, d);
        if let Some(old) = q.old_plan_hash {
            d.head("plan");
            let new = q.plan_hash.unwrap_or_default();
            d.text(format!("It changed since the poll before: 0x{old:016X} → 0x{new:016X}."), t.warning);
        }
        if has_many_plans(q) {
            d.head("plans");
            let mut words = String::new();
            figure::push_grouped(&mut words, q.plans.unwrap_or(0));
            words.push_str(
                " plans of one query are in the cache: its texts differ, as generated SQL with literals or lists of parameters \
                 does. Parameters, or the database option PARAMETERIZATION FORCED, make one plan of them.",
            );
            d.text(words, t.warning);
        }
        waits(line, d);
        if q.at_least {
            d.head("at least");
            let why = "Plans left the cache, or what the query had before is not known: there may have been more runs.";
            d.text(why, base);
        }
        costs::own_time(d, q.own_ms, base);
        costs::statement(d, q.statement.as_ref(), t.dim);
    }
}

impl Costs for Queries {
    fn database(q: &QueryRow) -> Option<&str> {
        q.database.as_deref()
    }

    fn per_s(line: &Line<'_, Self>, n: Option<i64>) -> Option<f64> {
        line.table.of_query_per_s(line.part, n)
    }

    fn is_at_least(q: &QueryRow) -> bool {
        q.at_least
    }
}

pub(super) type Column = column::Column<Queries>;

const KB: f64 = 1024.0;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::text("query", "QUERY", 44, 0)
        .at_least(20)
        .growing()
        .value(|q| words(q.part.statement.as_ref().map(Statement::as_str)))
        .cell(|q, _, out| {
            if q.part.old_plan_hash.is_some() {
                out.put(q.view.theme.warning, "▲ ");
            }
            request::push_statement(out, q.part.statement.as_ref(), false, q.style(), q.view.theme.dim);
        })
        .filter()
        .also(&["sql", "statement", "text"]),
    costs::cpu(),
    share::<{ Measure::Cpu as usize }>("share", "CPU %").also(&["share_cpu"]),
    costs::runs(1),
    share::<{ Measure::Runs as usize }>("share_runs", "RUNS %"),
    costs::avg(2),
    share::<{ Measure::Elapsed as usize }>("share_duration", "TIME %"),
    costs::min(8),
    costs::max(6),
    costs::reads(2),
    share::<{ Measure::Reads as usize }>("share_reads", "READS %"),
    costs::disk(7),
    share::<{ Measure::PhysicalReads as usize }>("share_disk", "DISK %"),
    costs::writes(5),
    share::<{ Measure::Writes as usize }>("share_writes", "WRITES %"),
    Column::number("rows", "ROWS", 6, 7)
        .value(|q| number(q.part.per_run(q.part.rows)))
        .cell(|q, v, out| q.put(v, out, figure::push_count))
        .filter(),
    share::<{ Measure::Rows as usize }>("share_rows", "ROWS %"),
    Column::number("grant", "GRANT", 7, 6)
        .value(|q| q.part.per_run(q.part.grant_kb).map(|kb| Value::Bytes(kb * KB)))
        .cell(|q, v, out| q.put(v, out, figure::push_size))
        .filter(),
    share::<{ Measure::Grant as usize }>("share_grant", "GRANT %"),
    Column::number("spills", "SPILL/S", 8, 6)
        .value(|q| q.table.of_query_per_s(q.part, q.part.spills).map(|pages| Value::Bytes(pages * PAGE)))
        .cell(|q, v, out| q.put(v, out, figure::push_size))
        .filter(),
    share::<{ Measure::Spills as usize }>("share_spills", "SPILL %"),
    Column::number("dop", "DOP", 4, 8)
        .value(|q| number(q.part.per_run(q.part.dop)))
        .cell(|q, v, out| q.put(v, out, figure::push_count))
        .filter(),
    Column::number("plans", "PLANS", 5, 5)
        .value(|q| whole(q.part.plans))
        .cell(|q, v, out| match q.part.plans {
            Some(n) if has_many_plans(q.part) => {
                out.with(q.view.theme.warning, |s| figure::push_count(s, n as f64));
            }
            _ => q.put(v, out, figure::push_count),
        })
        .filter(),
    Column::text("wait", "WAITS", 24, 8)
        .at_least(14)
        .value(|q| words(mix(q).and_then(|mix| mix.waits.first()).map(|(wait, _)| &**wait)))
        .cell(|q, _, out| match mix(q) {
            Some(mix) => out.with(q.style(), |s| group::push_waits(s, mix)),
            None => out.put(q.view.theme.dim, "–"),
        })
        .filter_by(|q, visit| mix(q).into_iter().for_each(|mix| group::visit_waits(mix, visit)))
        .also(&["waits"]),
    shares::at_work(),
    Column::text("login", "LOGIN", 14, 12)
        .at_least(8)
        .value(|q| words(mix(q).and_then(|mix| mix.logins.first()).map(|name| &**name)))
        .cell(|q, _, out| names(q, |mix| &mix.logins, out))
        .filter_by(|q, visit| visit_names(q, |mix| &mix.logins, visit)),
    Column::text("program", "PROGRAM", 18, 12)
        .at_least(8)
        .value(|q| words(mix(q).and_then(|mix| mix.programs.first()).map(|name| &**name)))
        .cell(|q, _, out| names(q, |mix| &mix.programs, out))
        .filter_by(|q, visit| visit_names(q, |mix| &mix.programs, visit)),
    Column::text("plan", "PLAN", 18, 9)
        .cell(|q, _, out| match (q.part.plan_hash, q.part.old_plan_hash) {
            (Some(new), Some(_)) => out.fmt(q.view.theme.warning, format_args!("0x{new:016X}")),
            (Some(new), None) => out.fmt(q.style(), format_args!("0x{new:016X}")),
            (None, _) => out.put(q.view.theme.dim, "–"),
        })
        .filter_by(|q, visit| visit_hash(q.part.plan_hash, visit)),
    Column::text("db", "DATABASE", 14, 3)
        .at_least(8)
        .value(|q| words(q.part.database.as_deref()))
        .cell(|q, _, out| shares::put_databases(q.part, q.style(), q.view.theme.dim, out))
        .filter_by(|q, visit| shares::visit_databases(q.part, visit))
        .also(&["database"]),
    Column::text("module", "MODULE", 24, 4)
        .at_least(12)
        .value(|q| words(q.part.module.as_deref()))
        .cell(text)
        .filter()
        .also(&["procedure"]),
    Column::text("hash", "QUERY HASH", 18, 10)
        .cell(|q, _, out| out.fmt(q.style(), format_args!("0x{:016X}", q.part.hash)))
        .filter_by(|q, visit| visit_hash(Some(q.part.hash), visit)),
];

const fn has_many_plans(query: &QueryRow) -> bool {
    matches!(query.plans, Some(n) if n > MANY_PLANS)
}

/// What a query was seen waiting for; None: it was not seen.
pub(super) fn mix<'a>(q: &Line<'a, Queries>) -> Option<&'a Mix> {
    q.instance.history.samples()?.mix(q.part.hash)
}

/// `app_orders, +2`.
fn names(q: &Line<'_, Queries>, of: fn(&Mix) -> &Vec<Arc<str>>, out: &mut CellText) {
    let Some((first, more)) = mix(q).and_then(|mix| of(mix).split_first()) else {
        return out.put(q.view.theme.dim, "–");
    };
    out.put(q.style(), first);
    if !more.is_empty() {
        out.fmt(q.view.theme.dim, format_args!(", +{}", more.len()));
    }
}

fn visit_names(q: &Line<'_, Queries>, of: fn(&Mix) -> &Vec<Arc<str>>, visit: &mut dyn FnMut(Value<'_>)) {
    mix(q).into_iter().flat_map(of).for_each(|name| visit(Value::Text(name)));
}

/// What it was seen waiting for, and for whom.
fn waits(line: &Line<'_, Queries>, d: &mut Document) {
    let base = line.style();
    d.head("seen at work in the last 15 min");
    match mix(line) {
        Some(mix) => group::tell_mix(mix, base, d),
        None => d.text(
            "never: each of its runs began and ended between two polls of Activity.",
            line.view.theme.dim,
        ),
    }
}

/// A filter asks for a hash as it is shown.
fn visit_hash(hash: Option<u64>, visit: &mut dyn FnMut(Value<'_>)) {
    let Some(hash) = hash else { return };
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write!(text, "0x{hash:016X}");
    visit(Value::Text(&text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        fixture,
        pane::{Pane, stage::Stage},
        widget::column::ambiguous,
    };

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    /// One instance with these queries over a minute, with a minute of CPU of all sessions.
    fn with(queries: Vec<QueryRow>) -> Stage {
        let mut fleet = fixture::small();
        let cpu_us = queries.iter().filter_map(|q| q.cpu_us).reduce(i64::saturating_add);
        let table = QueryTable {
            queries,
            left_out: 3,
            cpu_us,
            runs: Some(1),
            workload_us: Some(60_000_000),
            over_ms: 60_000,
            sums: Vec::new(),
        };
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.queries = Reading::good(Arc::new(table.clone()), fixture::NOW, 20_000);
        }
        Stage::one(fleet, "sqlprd-001")
    }

    fn query(hash: u64, cpu_us: Option<i64>) -> QueryRow {
        let module = Some(format!("dbo.usp_{hash}").into());
        QueryRow { hash, cpu_us, runs: Some(120), elapsed_us: Some(2_400_000), module, ..QueryRow::default() }
    }

    #[test]
    fn most_cpu_stands_first_with_its_share_and_an_unknown_one_last() {
        let stage = with(vec![query(3, None), query(1, Some(6_000_000)), query(2, Some(30_000_000))]);
        let lines = stage.draw(&mut RowsPane::default(), 200, 16);
        let at = |name: &str| lines.iter().position(|l| l.contains(name)).unwrap();
        assert_eq!(["usp_2", "usp_1", "usp_3"].map(at), [1, 2, 3], "{lines:#?}");
        assert!(lines[1].contains("500") && lines[1].contains("50 %"), "{}", lines[1]);
        assert!(lines[1].contains("2.0") && lines[1].contains("20 ms"), "runs/s and average: {}", lines[1]);
    }

    #[test]
    fn the_title_says_how_much_of_the_cpu_is_explained_or_nothing() {
        let title = |stage: &Stage| {
            let mut out = Vec::new();
            let mut pane = RowsPane::default();
            pane.rebuild(&stage.view());
            pane.title(&stage.view(), &mut out);
            out.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" · ")
        };
        let told = title(&with(vec![query(1, Some(42_600_000))]));
        assert!(
            told.contains("explains 71 % of CPU · since 14:01:11")
                && told.contains("3 more took next to nothing"),
            "{told}"
        );
        assert!(!title(&with(vec![query(1, None)])).contains("explains"));
    }

    #[test]
    fn a_lower_bound_and_another_plan_are_marked_and_explained() {
        let changed =
            QueryRow { at_least: true, old_plan_hash: Some(7), plan_hash: Some(8), ..query(1, Some(6)) };
        let stage = with(vec![changed, query(2, Some(5))]);
        let mut pane = RowsPane::default();
        let lines = stage.draw(&mut pane, 280, 16);
        assert!(
            lines[1].contains('≥') && lines[1].contains("▲ ") && lines[1].contains("0x0000000000000008"),
            "{}",
            lines[1]
        );
        assert!(!lines[2].contains('≥') && !lines[2].contains('▲'), "{}", lines[2]);
        let text = pane.details(&pane.selected().unwrap(), &stage.view()).unwrap().to_copy();
        for words in ["0x0000000000000007 → 0x0000000000000008", "Plans left the cache", "duration: 20 ms"]
        {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(pane.next_problem(false, true, &stage.view()), "the plan that changed");
    }

    #[test]
    fn a_query_of_several_databases_says_so_and_is_found_by_each() {
        let database = Some(Arc::from("orders"));
        let of_three = QueryRow {
            other_databases: ["crm", "web"].map(Arc::from).into(),
            database: database.clone(),
            ..query(1, Some(6))
        };
        let of_one = QueryRow { plans: Some(4), database, ..query(2, Some(5)) };
        let stage = with(vec![of_three, of_one]);
        let mut pane = RowsPane::default();
        let lines = stage.draw(&mut pane, 280, 16);
        assert!(lines[1].contains("3 dbs, "), "where the column is narrow, too: {}", lines[1]);
        assert!(lines[2].contains("orders") && !lines[2].contains("dbs"), "{}", lines[2]);
        let told =
            |pane: &RowsPane| pane.details(&pane.selected().unwrap(), &stage.view()).unwrap().to_copy();
        assert!(
            told(&pane).contains(
                "Its newest plan is of orders. Plans that were the newest before were of crm, web."
            )
        );
        let mut found = |filter: &str| {
            pane.set_filter(filter).unwrap();
            pane.rebuild(&stage.view());
            pane.counts().0
        };
        assert_eq!(["db=orders", "db=web", "database=crm", "db=hr"].map(&mut found), [2, 1, 1, 0]);
        assert_eq!((found("crm"), found("")), (1, 2));
        pane.act(Action::End, &stage.view(), &mut Vec::new());
        assert!(told(&pane).contains("its other plans may be of other databases"), "{}", told(&pane));
    }

    #[test]
    fn a_little_lower_bound_is_a_figure() {
        // One run in a minute.
        let seldom = QueryRow { at_least: true, runs: Some(1), ..query(1, Some(6_000_000)) };
        let line = with(vec![seldom]).draw(&mut RowsPane::default(), 200, 16).remove(1);
        assert!(line.contains("≥0.017") && !line.contains("≥<"), "{line}");
    }

    #[test]
    fn the_column_that_orders_the_rows_has_its_share_beside_it_and_a_set_has_all() {
        let many = |hash, reads| QueryRow { reads: Some(reads), at_least: hash == 1, ..query(hash, Some(6)) };
        let mut stage = with(vec![many(1, 400), many(2, 100)]);
        let snapshot = Arc::make_mut(&mut stage.world.snapshot);
        for i in &mut snapshot.instances {
            let table = Arc::make_mut(i).facts.queries.value.as_mut().unwrap();
            let table = Arc::make_mut(table);
            table.sums = vec![Some(500); 12];
        }
        let mut pane = RowsPane::default();
        let head = |pane: &mut RowsPane| stage.draw(pane, 200, 16).remove(0);
        assert!(
            head(&mut pane).contains("CPU %") && !head(&mut pane).contains("READS %"),
            "{}",
            head(&mut pane)
        );
        pane.sort_by("reads").unwrap();
        let lines = stage.draw(&mut pane, 200, 16);
        assert!(lines[0].contains("READS %") && !lines[0].contains("CPU %"), "{}", lines[0]);
        assert!(lines[1].contains("≥80 %") && lines[2].contains("20 %"), "{lines:#?}");
        pane.act(Action::Columns, &stage.view(), &mut Vec::new());
        assert!(stage.title(&mut pane).contains("columns: shares"));
        let wide = stage.draw(&mut pane, 280, 16).remove(0);
        for title in ["CPU %", "RUNS %", "TIME %", "READS %", "WRITES %", "ROWS %", "GRANT %", "SPILL %"] {
            assert!(wide.contains(title), "{title} in {wide}");
        }
        pane.set_filter("share_reads>30").unwrap();
        pane.rebuild(&stage.view());
        assert_eq!(pane.counts().0, 1);
        let text = pane.details(&pane.selected().unwrap(), &stage.view()).unwrap().to_copy();
        for words in ["pages from memory: ≥400 of 500, ≥80 %", "1 of these may have had more", "over 1m"]
        {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(!text.contains("reads %"), "it is told once: {text}");
    }

    #[test]
    fn a_filter_finds_a_query_by_its_hash_module_and_figures() {
        let stage = with(vec![query(0xab, Some(6_000_000)), query(2, Some(60_000))]);
        let mut pane = RowsPane::default();
        for (filter, kept) in
            [("", 2), ("hash=0x00000000000000AB", 1), ("cpu>10", 1), ("module~usp_2", 1), ("usp_", 2)]
        {
            pane.set_filter(filter).unwrap();
            pane.rebuild(&stage.view());
            assert_eq!(pane.counts().0, kept, "{filter}");
        }
    }
}
