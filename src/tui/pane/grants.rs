//! Memory grants: who waits for one, in order, and who holds one, the greatest first. Above those of one instance stand the semaphores,
//! page life per NUMA node, what the plan cache is made of, and what the engine says of its memory.

use super::{
    Part,
    figure::Figure,
    kept::{HOUR_MS, Kept},
    memory_words::{page_life, plans, push_kb, state_of_memory},
    parts::{self, By, Line, Parts, PartsPane, Words, bytes, text},
    request::asked,
    who::{duration, one_line, request, statement, tell_statement},
};
use crate::{
    model::{
        base::{figure, filter::Value},
        fold::snapshot::InstanceSnapshot,
        inventory::instance::InstanceId,
        judge::health::Level,
        poll::{
            Facts,
            grants::{GrantRow, GrantTable, Semaphore},
            id::{Metric, SeriesId, SeriesKey},
            reading::Reading,
        },
    },
    tui::{
        action::Action,
        id::{PaneId, RowKey},
        view::View,
        widget::{
            cell::CellText,
            column::{self, Kind, ms, number, size, whole, words},
            document::Document,
        },
        wish::Wish,
    },
};
use std::{fmt::Write as _, sync::Arc};

/// Queries that wait: the chart that stands alone where there is no room for two.
pub(super) const WAITING: Figure =
    Figure::plain("queries that wait for a grant", SeriesId::GrantsPending, 4.0);
/// How long pages stay in memory.
pub(super) const LIFE: Figure = Figure::plain("page life s", SeriesId::PageLife, 300.0);

/// A grant of this much of which less is used than [`LITTLE_PCT`] stands out, KB.
const LARGE_KB: i64 = 1 << 20;
const LITTLE_PCT: f64 = 10.0;

/// The pane.
pub type GrantsPane = PartsPane<Grants>;

/// Rows of the pane: a request with a grant, or one that waits for it.
#[derive(Debug)]
pub enum Grants {}

impl Kind for Grants {
    type Row<'a> = Line<'a, Self>;
}

impl Parts for Grants {
    type Table = GrantTable;
    type Part = GrantRow;
    const PANE: PaneId = PaneId::Grants;
    const COLUMNS: &'static [Column] = COLUMNS;
    const NAME: &'static str = "session";
    const APART: &'static str = "statement";
    const ORDER: &'static [By<GrantRow>] =
        &[|g| g.granted_kb.map(|kb| kb as f64), |g| g.waited_ms.filter(|_| g.waits()).map(|ms| ms as f64)];
    const FIGURES: &'static [Figure] = &[WAITING, LIFE];
    const WORDS: Words = Words {
        order: "who waits first, then the greatest",
        left_out: "more grants",
        no_match: "No grant matches the filter.",
        unknown: "Who holds memory grants",
        nothing: "No query holds or awaits a memory grant",
        nameless: "a session",
    };

    fn reading(facts: &Facts) -> &Reading<Arc<GrantTable>> {
        &facts.grants
    }

    fn parts(table: &GrantTable) -> (&[GrantRow], u64) {
        (&table.grants, table.left_out)
    }

    fn key(instance: &InstanceId, grant: &GrantRow) -> RowKey {
        RowKey::Session(instance.clone(), grant.session_id, grant.request_id)
    }

    fn act(action: Action, row: Option<&RowKey>, _: Option<&InstanceId>) -> Option<Wish> {
        asked(action, row)
    }

    fn is_problem(grant: &GrantRow) -> bool {
        grant.waits() || is_wasted(grant)
    }

    /// What belongs to all of them: page life of the first two NUMA nodes, where there are several, and the plan cache.
    fn kept(line: &Line<'_, Self>) -> Vec<Kept> {
        let node = |n: u16| SeriesKey::with(Metric::NodePageLife, format!("{n:03}"));
        let lives = match line.table.page_life[..] {
            [(one, _), (other, _), ..] => {
                let title = format!("page life of nodes {one} and {other} s");
                let one = Kept::new(title, node(one), HOUR_MS);
                Some(Kept { least: 300.0, ..one.beside(node(other), ["first", "second"]) })
            }
            _ => None,
        };
        let plans = SeriesKey::with(Metric::PlanCache, "Object Plans");
        let title = "plan cache GB".to_owned();
        let cache = Kept::in_gb(title, Metric::PlanCache, &Arc::from("SQL Plans"), HOUR_MS);
        lives.into_iter().chain([cache.beside(plans, ["ad hoc", "procedures"])]).collect()
    }

    fn texts<'p>(grant: &'p GrantRow, with: &mut dyn FnMut(&'p str)) {
        grant.who.texts(with);
    }

    fn more(line: &Line<'_, Self>, d: &mut Document) {
        tell_statement(line.instance, line.part.session_id, d);
    }

    fn about(i: &InstanceSnapshot, table: &GrantTable, view: &View<'_>) -> Vec<Vec<(Part, String)>> {
        let mut lines: Vec<_> = table.semaphores.iter().filter_map(semaphore).collect();
        lines.push(page_life(table));
        lines.push(plans(table));
        lines.push(state_of_memory(i, view));
        lines.retain(|line| !line.is_empty());
        lines
    }
}

/// It holds much and uses little of it.
fn is_wasted(grant: &GrantRow) -> bool {
    grant.granted_kb.is_some_and(|kb| kb >= LARGE_KB) && grant.used_pct().is_some_and(|pct| pct < LITTLE_PCT)
}

/// `pool 2: 12 GB for grants, 10 GB granted to 3, 9 wait`. Nothing of a semaphore that nobody uses, but for the first of a pool.
fn semaphore(s: &Semaphore) -> Option<Vec<(Part, String)>> {
    let is_idle = s.grantees.unwrap_or(0) == 0 && s.waiters.unwrap_or(0) == 0;
    if is_idle && s.number != Some(0) {
        return None;
    }
    let mut text = String::new();
    let _ = match s.pool_id {
        Some(pool) => write!(text, "pool {pool}"),
        None => write!(text, "a pool"),
    };
    if s.number == Some(1) {
        text.push_str(", small queries");
    }
    text.push_str(": ");
    push_kb(&mut text, s.target_kb?);
    text.push_str(" for grants");
    for (name, kb, count) in [(" granted", s.granted_kb, s.grantees), (" of that in use", s.used_kb, None)] {
        let Some(kb) = kb else { continue };
        text.push_str(", ");
        push_kb(&mut text, kb);
        text.push_str(name);
        if let Some(count) = count {
            let _ = write!(text, " to {count}");
        }
    }
    let mut line = vec![(Part::Plain, text)];
    if let Some(waiters @ 1..) = s.waiters {
        line.push((Part::Level(Level::Warning), format!("{waiters} wait")));
    }
    for (count, words) in [(s.timeouts, "timed out since the start"), (s.forced, "got less than they need")] {
        if let Some(n @ 1..) = count {
            line.push((Part::Plain, format!("{n} {words}")));
        }
    }
    Some(line)
}

type Column = column::Column<Grants>;

const KB: f64 = 1024.0;

/// The columns. A filter may ask for those that end in `filter`.
const COLUMNS: &[Column] = &[
    parts::instance(),
    Column::number("session", "SESSION", 7, 0)
        .value(|g| whole(Some(g.part.session_id.into())))
        .cell(|g, _, out| out.fmt(g.style(), format_args!("{}", g.part.session_id)))
        .filter(),
    Column::text("state", "STATE", 8, 0).value(|g| words(Some(state(g.part)))).cell(put_state).filter(),
    Column::number("waited", "WAITS", 7, 0)
        .value(|g| ms(g.part.waited_ms.filter(|_| g.part.waits())))
        .cell(duration)
        .filter(),
    Column::number("wanted", "WANTS", 8, 1).value(|g| size(g.part.wanted_kb, KB)).cell(bytes).filter(),
    Column::number("granted", "GRANTED", 8, 0).value(|g| size(g.part.granted_kb, KB)).cell(bytes).filter(),
    Column::number("in_use", "IN USE", 8, 1).value(|g| size(g.part.used_kb, KB)).cell(bytes).filter(),
    Column::number("used", "USED", 6, 2).value(|g| number(g.part.used_pct())).cell(used).filter(),
    Column::number("ideal", "IDEAL", 8, 6).value(|g| size(g.part.ideal_kb, KB)).cell(bytes).filter(),
    Column::number("dop", "DOP", 4, 7)
        .value(|g| whole(g.part.dop))
        .cell(|g, v, out| g.put(v, out, figure::push_count))
        .filter(),
    Column::number("gives_up", "GIVES UP", 8, 8)
        .value(|g| ms(g.part.timeout_ms.filter(|_| g.part.waits())))
        .cell(duration)
        .filter(),
    Column::number("queue", "QUEUE", 5, 9)
        .value(|g| whole(g.part.queue))
        .cell(|g, v, out| g.put(v, out, figure::push_count))
        .filter(),
    Column::text("login", "LOGIN", 16, 3)
        .at_least(8)
        .value(|g| words(g.part.who.login.as_deref()))
        .cell(text)
        .filter(),
    Column::text("host", "HOST", 14, 9)
        .at_least(8)
        .value(|g| words(g.part.who.host.as_deref()))
        .cell(text)
        .filter(),
    Column::text("program", "PROGRAM", 20, 6).at_least(10).value(|g| words(program(g))).cell(text).filter(),
    Column::text("statement", "STATEMENT", 30, 4)
        .at_least(16)
        .growing()
        .value(|g| words(statement(g.instance, g.part.session_id)))
        .cell(one_line)
        .filter(),
];

/// The job, if it is one, else the program.
fn program<'a>(g: &Line<'a, Grants>) -> Option<&'a str> {
    let job = request(g.instance, g.part.session_id).and_then(|r| r.job.as_deref());
    job.or(g.part.who.program.as_deref())
}

const fn state(grant: &GrantRow) -> &'static str {
    if grant.waits() { "waits" } else { "holds" }
}

fn put_state(g: &Line<'_, Grants>, _: Option<Value<'_>>, out: &mut CellText) {
    match (g.part.waits(), g.part.place) {
        (false, _) => out.put(g.style(), "holds"),
        (true, _) if g.is_stale() => out.put(g.style(), "waits"),
        (true, Some(place)) => {
            out.fmt(g.view.theme.warning, format_args!("waits {}", place.saturating_add(1)));
        }
        (true, None) => out.put(g.view.theme.warning, "waits"),
    }
}

/// A large grant of which little is used stands out.
fn used(g: &Line<'_, Grants>, v: Option<Value<'_>>, out: &mut CellText) {
    match v.and_then(Value::figure) {
        Some(pct) if is_wasted(g.part) && !g.is_stale() => {
            out.with(g.view.theme.warning, |s| figure::push_pct(s, pct));
        }
        _ => g.put(v, out, figure::push_pct),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::poll::grants::{MemoryHealth, PlanKind},
        tui::{
            fixture,
            pane::{Pane, stage::Stage},
            widget::column::ambiguous,
        },
    };

    fn stage(table: &GrantTable) -> Stage {
        let mut fleet = fixture::small();
        for i in &mut fleet.instances {
            let facts = &mut Arc::make_mut(i).facts;
            facts.grants = Reading::good(Arc::new(table.clone()), fixture::NOW, 60_000);
        }
        Stage::one(fleet, "sqlprd-001")
    }

    fn holds(session_id: i32, granted_kb: i64, max_used_kb: i64) -> GrantRow {
        GrantRow {
            session_id,
            granted_kb: Some(granted_kb),
            max_used_kb: Some(max_used_kb),
            ..GrantRow::default()
        }
    }

    fn waits(session_id: i32, ms: i64) -> GrantRow {
        GrantRow { session_id, waited_ms: Some(ms), place: Some(0), ..GrantRow::default() }
    }

    #[test]
    fn each_name_stands_for_one_column() {
        assert_eq!(ambiguous(COLUMNS), [""; 0]);
    }

    #[test]
    fn who_waits_stands_before_who_holds_and_a_hog_is_a_problem() {
        let grants =
            vec![holds(61, 2_000, 1_900), waits(62, 5_000), holds(63, 9 << 20, 9 << 10), waits(64, 341_000)];
        let stage = stage(&GrantTable { grants, ..GrantTable::default() });
        let mut pane = GrantsPane::default();
        let lines = stage.draw(&mut pane, 160, 14);
        let at = |id: &str| lines.iter().position(|l| l.contains(id)).unwrap();
        let order = [" 64 ", " 62 ", " 63 ", " 61 "].map(at);
        assert!(order.is_sorted(), "{lines:#?}");
        assert!(
            lines[order[0]].contains("5m41s") && lines[order[0]].contains("waits 1"),
            "{}",
            lines[order[0]]
        );
        pane.set_filter("state=holds used<10").unwrap();
        pane.rebuild(&stage.view());
        assert_eq!(pane.counts(), (1, 4));
        assert!(pane.next_problem(false, true, &stage.view()));
    }

    #[test]
    fn semaphores_nodes_plans_and_verdicts_are_said_above() {
        let semaphore = Semaphore {
            pool_id: Some(2),
            number: Some(0),
            target_kb: Some(12 << 20),
            granted_kb: Some(10 << 20),
            grantees: Some(3),
            waiters: Some(9),
            timeouts: Some(2),
            ..Semaphore::default()
        };
        let idle =
            Semaphore { number: Some(1), target_kb: Some(1), grantees: Some(0), ..Semaphore::default() };
        let health = |severity: &str| MemoryHealth {
            severity: Some(severity.into()),
            potential_mb: Some(1_536),
            reclaimable_mb: Some(30 << 10),
            out_of_memory: Some(0),
            timeouts: Some(if severity == "HIGH" { 3 } else { 0 }),
            ..MemoryHealth::default()
        };
        let table = GrantTable {
            grants: vec![waits(62, 5_000)],
            semaphores: vec![semaphore, idle],
            page_life: vec![(0, 4_200), (1, 90)],
            plans: vec![PlanKind {
                name: "SQL Plans".into(),
                pages_kb: Some(3 << 20),
                plans: Some(48_000),
                in_use: Some(41),
            }],
            health: vec![health("LOW"), health("HIGH")],
            ..GrantTable::default()
        };
        let text = stage(&table).draw(&mut GrantsPane::default(), 160, 44).join("\n");
        for words in [
            "pool 2: 12 GB for grants, 10 GB granted to 3 · 9 wait · 2 timed out since the start",
            "page life by NUMA node: 0: 1h10m, 1: 1m30s",
            "plan cache: SQL Plans 3.0 GB in 48,000 (41 in use)",
            "the engine says LOW, worse than LOW 1 of the last 2 times",
            "1.5 GB may still be allocated",
            "30 GB in caches that can shrink",
            "out of memory 0 times",
            "3 grants that timed out",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(!text.contains("small queries"), "nobody uses it: {text}");
    }

    #[test]
    fn the_plan_and_the_waits_of_the_session_under_the_cursor_are_asked_for() {
        let stage = stage(&GrantTable { grants: vec![holds(63, 9 << 20, 9)], ..GrantTable::default() });
        let wishes = stage.act(&mut GrantsPane::default(), &[Action::Plan, Action::SessionWaits]);
        let demands: Vec<String> = wishes.iter().map(|wish| format!("{wish:?}")).collect();
        assert!(demands[0].contains("SessionPlan") && demands[0].contains("63"), "{demands:?}");
        assert!(demands[1].contains("SessionWaits") && demands[1].contains("63"), "{demands:?}");
        let nobody = self::stage(&GrantTable::default());
        let told = format!("{:?}", nobody.act(&mut GrantsPane::default(), &[Action::Plan]));
        assert!(told.contains("no session is under the cursor"), "{told}");
    }
}
