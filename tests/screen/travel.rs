//! Time travel shows the same screen as the live fleet did: real TDS, the collector, the store's writer and
//! reader, and the panes; and the same out of a recording that is carried away and played. Nothing in between is a stand-in but the servers.

use crate::{
    stage::Stage,
    views::{self, View},
};
use dbtop::{
    collect::{self, Command, Settings},
    config,
    model::{
        base::time::Timestamp,
        fold::snapshot::{FleetSnapshot, InstanceSnapshot},
        inventory::instance::InstanceInfo,
        judge::health::Thresholds,
        poll::id::ProbeId,
    },
    protocol::Reply,
    sim::{Sim, SimConfig},
    store::history::{Options, Reader, Recent, Stretch, Writer, copy, fleet_at},
    tds::Roots,
    tui,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch::Receiver;

/// What goes wrong in the fleet of these tests.
const TROUBLES: &str = r##"
[[event]]
on = "#1"
kind = "blocking_storm"
from_s = -120
[[event]]
on = "#2"
kind = "cpu_storm"
from_s = -60
[[event]]
on = "#3"
kind = "login_refused"
from_s = -60
[[event]]
on = "#4"
kind = "hostile"
from_s = -60
[[event]]
on = "#5"
kind = "no_rights"
from_s = -60
[[event]]
on = "#6"
kind = "restart"
from_s = 12
[[event]]
on = "#8"
kind = "log_hold"
from_s = -200
[[event]]
on = "#8"
kind = "version_store_hold"
from_s = -200
[[event]]
on = "#8"
kind = "autogrowth"
from_s = -90
[[event]]
on = "#10"
kind = "deadlock_pattern"
from_s = -400
[[event]]
on = "#9"
kind = "grant_hog"
from_s = -60
[[event]]
on = "#9"
kind = "tempdb_fill"
from_s = -200
[[event]]
on = "#7"
kind = "down"
from_s = 10
to_s = 18
"##;

/// A fleet with much that is wrong, polled fast, and kept; what was shown every few seconds meanwhile.
async fn live(folder: &Path) -> Vec<Arc<FleetSnapshot>> {
    let scenario = dbtop::sim::scenario::Scenario::from_toml(TROUBLES, 0).expect("the script is read");
    let config = SimConfig { instances: 10, port: Some(0), scenario, ..SimConfig::default() };
    let sim = Sim::start(config).await.expect("the simulator starts");
    let targets = config::inventory::parse(&sim.inventory_toml()).expect("the simulator's inventory is read");
    let settings = Settings {
        fleet_every_ms: 3_000,
        fleet_detail_every_ms: 4_000,
        slow_every_ms: 10_000,
        ..Settings::default()
    };
    let (recorder, writer) =
        Writer::start(&folder.join("history.db"), None, Options::default()).expect("the store opens");
    let resolver = Arc::new(config::secret::resolve);
    let mut collector = collect::start(targets, settings, resolver, Roots::public(), Some(recorder));
    let focus = collector.snapshots.borrow().instances[8].id().clone();
    collector.commands.send(Command::Focus(vec![focus])).await.expect("the collector listens");
    let mut shown = Vec::new();
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(3_400)).await;
        shown.push(complete(&mut collector.snapshots).await);
    }
    assert!(collector.shutdown().await);
    writer.join().expect("all is written");
    shown
}

/// Snapshots that come after one until nothing of its time can be on its way any more: what the reducer had before it is in them.
const LATER: usize = 4;

/// What is shown, once nothing of that time was still on its way: history has it under that time, the screen had not. A busy machine may take
/// long: whatever comes meanwhile is looked at.
async fn complete(snapshots: &mut Receiver<Arc<FleetSnapshot>>) -> Arc<FleetSnapshot> {
    let began = Instant::now();
    'anew: loop {
        assert!(began.elapsed() < Duration::from_mins(1), "something was on its way all the time");
        let then = Arc::clone(&snapshots.borrow_and_update());
        let shown = Instant::now();
        let mut later = 0;
        while later < LATER || shown.elapsed() < Duration::from_millis(700) {
            snapshots.changed().await.expect("the collector runs");
            let next = Arc::clone(&snapshots.borrow_and_update());
            later += 1;
            if then.instances.iter().zip(&next.instances).any(|(was, is)| is_late(was, is, then.at)) {
                continue 'anew;
            }
        }
        return then;
    }
}

/// Whether something came that is of this time or before it. A problem and an interval tell no time: they may be of then.
fn is_late(then: &InstanceSnapshot, next: &InstanceSnapshot, at: Timestamp) -> bool {
    let is_of_then = |since: Option<Timestamp>| since.is_none_or(|since| since <= at);
    if next.facts.link != then.facts.link && is_of_then(next.facts.link_since) {
        return true;
    }
    next.facts.readings().zip(then.facts.readings()).any(|((_, now), (_, was))| {
        if now.at == was.at {
            (now.every_ms, now.problem) != (was.every_ms, was.problem)
        } else {
            is_of_then(now.at)
        }
    })
}

/// The screen without its footer, which tells of the collector now.
fn text(snapshot: &Arc<FleetSnapshot>, keys: &str) -> String {
    // In the past nothing has just changed, and nobody promises when a first reading will come.
    let mut then = (**snapshot).clone();
    for instance in &mut then.instances {
        let instance = Arc::make_mut(instance);
        instance.level_since = None;
        for probe in ProbeId::ALL {
            if let Some(meta) = instance.facts.reading_mut(probe) {
                *meta.due = None;
            }
        }
    }
    let text = Stage::at(Arc::new(then), 160, 50, snapshot.at).keys(keys).text();
    let lines: Vec<&str> = text.lines().collect();
    lines[..lines.len() - 1].join("\n")
}

/// The screen that plays a recording of these ends, at an instant: without its footer and without what is around the pane,
/// where the recording is named.
fn played(
    snapshot: &Arc<FleetSnapshot>,
    (from, to): (Timestamp, Timestamp),
    at: Timestamp,
    keys: &str,
) -> String {
    let mut stage = Stage::playing(tui::Recording { file: "night.db".into(), from, to }, 160, 50, to);
    stage.reply(Reply::Past {
        ticket: 1,
        snapshot: Arc::clone(snapshot),
        at,
        oldest: from,
        newest: to,
        damaged: Vec::new(),
    });
    let text = stage.keys(keys).text();
    assert!(text.contains("PAST") && text.contains("replay · night.db · "), "{text}");
    inside(&text)
}

fn inside(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[2..lines.len().min(49)].join("\n").trim_end().to_owned()
}

/// All of a history as a recording in a folder where nothing else is.
fn record(history: &Path, folder: &Path) -> PathBuf {
    let mut reader = Reader::open(history, None).expect("the store is read");
    let (from, to) = reader.stats().span().expect("the store is read").expect("something was kept");
    let file = folder.join("night.db");
    let stretch = Stretch { uids: Vec::new(), from, to };
    let done =
        copy(&mut reader, &file, None, &stretch, &mut |_| {}, &mut |_| {}).expect("it is carried away");
    assert!(done.damaged.is_empty() && done.left_out.is_empty(), "{done:?}");
    file
}

/// All views that have a past, of the fleet as it was last.
fn views(shown: &[Arc<FleetSnapshot>]) -> Vec<View> {
    let last = shown.last().expect("something was shown");
    let mut views = views::all(|| Stage::at(Arc::clone(last), 160, 50, last.at));
    views.retain(View::has_past);
    views
}

/// Panes with lines and charts above the rows of one instance, and the head of a column, which is there if they have rows.
const OF_ONE: [(&str, &str); 8] = [
    (": memory enter", "SHARE"),
    (": grants enter", "GRANTED"),
    (": tempdb enter", "HOLDS"),
    (": txlog enter", "GROWS BY"),
    ("6", "READ MS"),
    ("6 b", "SIZE"),
    ("6 b b", "FREE %"),
    ("6 b b b", "TOOK"),
];

/// Panes of rows that a fleet has at the latest after a few polls of it, and a head of a column that is there if they have some.
const OF_ALL: [(&str, &str); 4] = [
    ("5", "CPU %"),
    (": modules enter", "KIND"),
    (": querystore enter", "SLOWER"),
    (": deadlocks enter", "TIMES"),
];

/// The keys to these panes with one instance in scope: those of which something is wrong there.
fn of_one(shown: &[Arc<FleetSnapshot>]) -> Vec<(String, &'static str)> {
    let last = shown.last().expect("something was shown");
    let some = [7, 8].iter().filter_map(|at| last.instances.get(*at));
    let keys = |i: &InstanceSnapshot| {
        let name = i.id().to_string();
        OF_ONE.iter().map(move |(keys, words)| (format!("/ {name} enter enter {keys}"), *words))
    };
    some.flat_map(|i| keys(i)).collect()
}

/// Each of these panes has had rows, of one instance and of all.
fn assert_has_rows(shown: &[Arc<FleetSnapshot>]) {
    let last = shown.last().expect("something was shown");
    for (keys, words) in OF_ALL {
        let of_all = text(last, keys);
        assert!(of_all.contains(words), "{keys}:\n{of_all}");
    }
    for (keys, words) in OF_ONE {
        let of_all = text(last, keys);
        let screens =
            of_one(shown).into_iter().filter(|(of_one, _)| of_one.ends_with(&format!("enter enter {keys}")));
        let of_one: Vec<String> = screens.map(|(keys, _)| text(last, &keys)).collect();
        assert!(of_all.contains(words), "{keys}:\n{of_all}");
        // Few logins may read the times that files grew.
        let may_lack = words == "TOOK";
        assert!(may_lack || of_one.iter().any(|text| text.contains(words)), "{keys}:\n{}", of_one.join("\n"));
    }
}

/// Every pane, and every instance by itself, out of the recording as it was live.
fn compare_recording(history: &Path, shown: &[Arc<FleetSnapshot>], views: &[View]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = record(history, folder.path());
    let mut reader = Reader::open(&file, None).expect("the recording is read");
    let infos = reader.instances().all().expect("it knows its instances");
    let ends = reader.stats().span().expect("the recording is read").expect("something is in it");
    for (n, then) in shown.iter().enumerate() {
        let past = fleet_at(&mut reader, &infos, &Thresholds::default(), then.at, Recent::All)
            .expect("the past is there");
        let panes = views.iter().map(|view| view.keys.clone());
        let instances = (0..infos.len()).map(|i| format!("{} enter", "down ".repeat(i)));
        let of_one = of_one(shown).into_iter().map(|(keys, _)| keys);
        for keys in panes.chain(instances).chain(of_one) {
            assert_eq!(
                inside(&text(then, &keys)),
                played(&past, ends, then.at, &keys),
                "after the keys {keys:?}, number {n}"
            );
        }
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").flatten().collect();
    assert_eq!(left.len(), 1, "nothing lies beside the recording: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pane_at_an_instant_is_what_it_was_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = live(folder.path()).await;
    let views = views(&shown);
    let mut reader = Reader::open(&folder.path().join("history.db"), None).expect("the store is read");
    for (n, then) in shown.iter().enumerate() {
        let infos: Vec<Arc<InstanceInfo>> = then.instances.iter().map(|i| Arc::clone(&i.info)).collect();
        let past = fleet_at(&mut reader, &infos, &Thresholds::default(), then.at, Recent::All)
            .expect("the past is there");
        for View { name, keys, .. } in &views {
            assert_eq!(text(then, keys), text(&past, keys), "{name}, number {n}");
        }
        // Every instance by itself, with its charts.
        for i in 0..infos.len() {
            let keys = format!("{} enter", "down ".repeat(i));
            assert_eq!(text(then, &keys), text(&past, &keys), "instance in row {i}, number {n}");
        }
        // What stands above the rows of one, with the charts.
        for (keys, _) in of_one(&shown) {
            assert_eq!(text(then, &keys), text(&past, &keys), "{keys}, number {n}");
        }
    }
    compare_recording(&folder.path().join("history.db"), &shown, &views);
    assert_has_rows(&shown);
    let last = shown.last().expect("something was shown");
    assert!(
        text(last, "4").contains("open transaction"),
        "there was something to compare:\n{}",
        text(last, "4")
    );
}
