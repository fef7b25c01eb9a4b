//! What servers say that no server should, from the answer to the screen: NULL in every column, the least and the greatest number,
//! times of other centuries, endless and obeyed texts. Nothing panics, and no cell shows what is no figure.

#![allow(dead_code, reason = "the fake server is shared with tests/engine, which uses the rest of it")]

#[path = "../../engine/probe/columns.rs"]
mod columns;
#[path = "../../engine/probe/fake.rs"]
mod fake;
#[path = "../../engine/probe/room_columns.rs"]
mod room_columns;
#[path = "../../engine/probe/store_columns.rs"]
mod store_columns;

use self::{
    columns::{COLUMNS, Kind, columns},
    fake::{NOW, plausible, set, tags},
};
use crate::stage::Stage;
use dbtop::{
    model::{
        base::time::Timestamp,
        fold::{Fleet, snapshot::FleetSnapshot, update::Update},
        inventory::instance::{InstanceId, InstanceInfo},
        judge::health::Thresholds,
        poll::{id::ProbeId, link::Link},
    },
    probe::{ProbeContext, poll, prepare},
    tds::{Answer, Ask, Cell, Question},
};
use std::sync::Arc;

/// A kind of nonsense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nonsense {
    /// NULL
    Null,
    /// −1, and a second before 1970
    Below,
    /// the least there is
    Least,
    /// the greatest there is
    Greatest,
    /// the greatest of 32 bits, a year from now
    Wrapped,
    /// zero, nothing, and what terminals obey
    Odd,
    /// more pages, tasks or bytes than there can be, though no number is longer
    Large,
}

use Nonsense::{Below, Greatest, Large, Least, Null, Odd, Wrapped};

const ALL: [Nonsense; 7] = [Null, Below, Least, Greatest, Wrapped, Odd, Large];

/// No count of a server is as large.
const LARGE: i64 = (1 << 60) + 4_321;

/// The panes that show what servers say, by their words.
const PANES: [&str; 14] = [
    "fleet",
    "activity",
    "waits",
    "blocking",
    "deadlocks",
    "queries",
    "modules",
    "querystore",
    "storage",
    "databases",
    "tempdb",
    "txlog",
    "memory",
    "grants",
];

fn cell(nonsense: Nonsense, kind: Kind) -> Cell {
    let year_ms = 366 * 86_400_000;
    let pick = |of: [Cell; 5]| {
        let [below, least, greatest, wrapped, odd] = of;
        if nonsense == Large {
            return match kind {
                Kind::Int => Cell::Int(LARGE),
                Kind::Float => Cell::Float(LARGE as f64),
                _ => greatest,
            };
        }
        match nonsense {
            Null => Cell::Null,
            Below => below,
            Least => least,
            Greatest | Large => greatest,
            Wrapped => wrapped,
            Odd => odd,
        }
    };
    let int = |n| Cell::Int(n);
    let instant = |utc_ms| Cell::Instant { utc_ms, offset_min: 60 };
    match kind {
        Kind::Int => pick([int(-1), int(i64::MIN), int(i64::MAX), int(i32::MAX.into()), int(0)]),
        Kind::Bit => pick([int(-1), int(i64::MIN), int(2), int(1), Cell::Bool(false)]),
        Kind::Float => pick([-1.0, f64::NEG_INFINITY, f64::MAX, f64::NAN, 0.0].map(Cell::Float)),
        Kind::Text => pick([
            Cell::Text("-".to_owned()),
            Cell::Text(String::new()),
            Cell::Text("W".repeat(5_000)),
            Cell::Text("  \u{e9}\u{1f418} ".repeat(40)),
            Cell::Text("\u{1b}[2J\u{202e}\r\nx\u{9b}31m".to_owned()),
        ]),
        Kind::Bytes => pick([
            Cell::Bytes(vec![]),
            Cell::Bytes(vec![0; 8]),
            Cell::Bytes(vec![255; 64]),
            Cell::Bytes(vec![255; 8]),
            Cell::Bytes(vec![1]),
        ]),
        Kind::Local => pick([-1_000, i64::MIN, i64::MAX, NOW + year_ms, 0].map(Cell::Local)),
        Kind::Instant => pick([-1_000, i64::MIN, i64::MAX, NOW + year_ms, 0].map(instant)),
    }
}

/// A server that answers every script with a row for each of its columns, in which that column alone is nonsense; where the
/// script has one row, its column number `first`.
struct Server {
    nonsense: Option<Nonsense>,
    first: usize,
    /// the server's clock, ms after [`NOW`]
    later_ms: i64,
}

impl Server {
    fn rows(&self, script: &str) -> Vec<Vec<Cell>> {
        let columns = columns(script);
        let row = |n: usize| {
            let at = (n + self.first) % columns.len().max(1);
            let mut row = plausible(script);
            for ((place, (name, kind)), cell) in columns.iter().enumerate().zip(row.iter_mut()) {
                match (&*cell, self.nonsense) {
                    _ if *name == "server_time" => {
                        *cell = Cell::Instant { utc_ms: NOW + self.later_ms, offset_min: 60 };
                    }
                    (_, Some(nonsense)) if place == at => *cell = self::cell(nonsense, *kind),
                    // Things that are told apart.
                    (Cell::Int(57), _) => *cell = Cell::Int(57 + n as i64),
                    (Cell::Text(text), _) if text.starts_with("some ") => {
                        *cell = Cell::Text(format!("{text} {n}"));
                    }
                    (Cell::Bytes(bytes), _) if bytes.len() == 8 => {
                        *cell = Cell::Bytes(vec![0, 0, 0, 0, 0, 0, 1, n as u8]);
                    }
                    _ => {}
                }
            }
            row
        };
        (0..columns.len().max(1)).map(row).collect()
    }
}

impl Ask for Server {
    async fn ask(&mut self, question: Question<'_>) -> Answer {
        let sets = tags(question.sql).into_iter().map(|tag| set(&tag, self.rows(&tag)));
        Answer { sets: sets.collect(), error: None }
    }

    fn is_open(&self) -> bool {
        true
    }

    fn transport(&self) -> &'static str {
        "no wire at all"
    }
}

/// The fleet after two polls: a good one, then one with nonsense.
fn fleet(nonsense: Nonsense, first: usize) -> Arc<FleetSnapshot> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let instance = InstanceId::new("odd");
    let mut fleet = Fleet::new(Thresholds::default());
    fleet.apply(Update::Inventory(vec![Arc::new(InstanceInfo::named("odd"))]));
    let at = |ms: i64| Timestamp::from_ms(NOW + ms);
    fleet.apply(Update::Link { instance: instance.clone(), at: at(0), link: Link::Up });
    let mut ctx = ProbeContext::new(|| Timestamp::from_ms(NOW));
    ctx.set_focused(true);
    runtime.block_on(async {
        for (later_ms, nonsense) in [(0, None), (30_000, Some(nonsense)), (60_000, Some(nonsense))] {
            let mut server = Server { nonsense, first, later_ms };
            prepare(&mut server, &mut ctx).await.unwrap();
            for polled in poll(&mut server, &ProbeId::ALL, &mut ctx).await {
                fleet.apply(Update::Polled {
                    instance: instance.clone(),
                    probe: polled.probe,
                    at: at(later_ms),
                    took_ms: 3,
                    every_ms: 30_000,
                    outcome: polled.outcome,
                });
            }
        }
    });
    fleet.snapshot(at(60_000))
}

/// Fails if a screen shows what terminals obey, or what is no figure.
#[track_caller]
fn is_readable(stage: &mut Stage, what: &str) {
    for line in stage.lines() {
        assert!(
            !line.chars().any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{9b}')),
            "{what}: {line:?}"
        );
        let words: Vec<&str> =
            line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.' | ','))).collect();
        for nonsense in ["NaN", "inf", "-inf", "-0", "1970-01-01"] {
            assert!(!words.contains(&nonsense), "{what}: {nonsense}: {line}");
        }
    }
}

/// Fields that are no counts: what somebody set is told as it is, and numbers that only tell things apart.
const NO_COUNTS: &[&str] = &[
    "configured",
    "in_use",
    "hash",
    "query_hash",
    "plan_hash",
    "query_id",
    "plan_id",
    "fingerprint",
    "no",
    "id",
    "event",
    "handle",
    "state",
    "desired_state",
    "readonly_reason",
    "reason",
    "interval_id",
    "transaction_id",
];

/// The numbers of what Debug writes that no count can be, each with the last name before it.
fn impossible(debug: &str) -> Vec<String> {
    let (mut found, mut name, mut word) = (Vec::new(), String::new(), String::new());
    for c in debug.chars().chain([' ']) {
        if c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+') {
            word.push(c);
            continue;
        }
        let is_number = word.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        let is_huge =
            is_number && word.parse::<f64>().is_ok_and(|n| n.abs() > (1_u64 << 60) as f64 / 1_000.0);
        if is_huge && !NO_COUNTS.contains(&name.as_str()) {
            found.push(format!("{name}: {word}"));
        }
        if c == ':' && !word.is_empty() && !is_number {
            name.clone_from(&word);
        }
        word.clear();
    }
    found
}

#[test]
fn a_count_that_cannot_be_is_not_known_and_no_reason_of_health() {
    let most = COLUMNS.iter().map(|(_, columns)| columns.len()).max().unwrap();
    for nonsense in [Greatest, Large, Least] {
        for first in 0..most {
            let snapshot = fleet(nonsense, first);
            let odd = &snapshot.instances[0];
            let (facts, health) = (format!("{:?}", odd.facts), format!("{:?}", odd.health));
            let mut found = impossible(&facts);
            found.extend(impossible(&health));
            found.sort();
            found.dedup();
            assert_eq!(found, [""; 0], "{nonsense:?}, column {first}");
        }
    }
}

#[test]
fn whatever_a_server_says_every_pane_can_be_read() {
    for nonsense in ALL {
        let snapshot = fleet(nonsense, 0);
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let mut stage = Stage::at(Arc::clone(&snapshot), width, height, Timestamp::from_ms(NOW + 61_000));
            for pane in PANES {
                stage.keys(&format!(": {pane} enter"));
                is_readable(&mut stage, &format!("{nonsense:?} {pane} {width}"));
                for keys in ["down down d", "G esc", "b", "b", "v v", "C"] {
                    stage.keys(keys);
                    is_readable(&mut stage, &format!("{nonsense:?} {pane} {width} after {keys}"));
                }
                stage.keys("esc esc 1 esc");
            }
        }
    }
}

#[test]
fn whatever_is_wrong_in_a_single_row_the_page_of_the_instance_can_be_read() {
    let widest = COLUMNS.iter().map(|(_, columns)| columns.len()).max().unwrap();
    for nonsense in ALL {
        for first in 1..widest {
            let snapshot = fleet(nonsense, first);
            let mut stage = Stage::at(snapshot, 160, 50, Timestamp::from_ms(NOW + 61_000));
            is_readable(&mut stage, &format!("{nonsense:?} in column {first}: fleet"));
            stage.keys("enter");
            is_readable(&mut stage, &format!("{nonsense:?} in column {first}: instance"));
            stage.keys("d");
            for _ in 0..4 {
                is_readable(&mut stage, &format!("{nonsense:?} in column {first}: details"));
                stage.keys("pgdn");
            }
        }
    }
}
