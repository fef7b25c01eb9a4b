//! The flight recorder over a simulated fleet: an instance that becomes critical is recorded in detail, and its incident has
//! what was before it.

use super::{Collector, part_of};
use crate::harness::{Home, PATIENCE, process::SimProcess};
use dbtop::{
    model::{
        base::time::Timestamp,
        poll::id::ProbeId,
        timeline::{chart::MarkKind, record::Recorded},
    },
    store::history::{Event, EventFilter, Reader},
};
use std::{
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

/// It fills within five minutes: above 80 % when the simulator starts, above 95 % three quarters of a minute later.
const SCENARIO: &str = "
[[event]]
on = \"#1\"
kind = \"tempdb_fill\"
from_s = -245
amount = 98
";

fn history(folder: &Path) -> Option<PathBuf> {
    let mut paths = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    paths.find_map(
        |path| if path.is_dir() { history(&path) } else { path.ends_with("history.db").then_some(path) },
    )
}

fn incident(home: &Home) -> Option<(Event, Reader)> {
    let reader = Reader::open(&history(&home.path())?, None).ok()?;
    let wanted = EventFilter { uids: Vec::new(), kinds: vec![MarkKind::Incident] };
    let found =
        reader.events().list(&wanted, Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX / 2)).ok()?;
    assert!(found.len() <= 1, "{found:?}");
    found.into_iter().next().map(|event| (event, reader))
}

#[test]
fn an_instance_that_becomes_critical_has_an_incident_with_what_was_before_in_detail() {
    let (sim, home) = (SimProcess::start(2, 0, Some(SCENARIO)), Home::new());
    let file = part_of(&sim, 2, &home);
    let mut collector = Collector::start(&["--inventory", file.to_str().unwrap()], &home);
    collector.hears("READY=1");
    let started = Instant::now();
    let (event, mut reader) = loop {
        if let Some(found) = incident(&home) {
            break found;
        }
        assert!(started.elapsed() < PATIENCE * 2, "no incident\n{}", collector.stderr());
        sleep(Duration::from_millis(500));
    };
    assert!(event.what.to_string().contains("tempdb"), "{event:?}");
    let (from, to) = (event.at, event.to.unwrap());
    assert_eq!(to - from, 15 * 60_000);
    let noticed = to.plus_ms(-5 * 60_000);
    let past = reader.states().between(&event.uid.unwrap(), from, noticed).unwrap();
    let headline =
        |what: &Recorded| matches!(what, Recorded::Reading { probe: ProbeId::Headline, state: Ok(_), .. });
    let times: Vec<Timestamp> =
        past.kept.iter().filter(|kept| headline(&kept.what)).map(|kept| kept.at).collect();
    // While it was unwell and not yet critical: every two seconds, where the fleet is asked every thirty.
    let before = times.iter().filter(|at| noticed - **at <= 16_000).count();
    assert!(before >= 5, "{before} in the last 16 s before: {times:?}");
}
