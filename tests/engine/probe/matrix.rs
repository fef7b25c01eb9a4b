//! What a server withholds, for every probe and each of its scripts: a right, an object, a column of another version. A script that a
//! probe needs gives its reason to the whole probe, one that only adds to it costs its own columns at most. New probes and scripts are in it by
//! themselves.

use super::fake::{Fake, Fate, NOW};
use dbtop::{
    model::{
        base::{failure::FailureKind, time::Timestamp},
        poll::{Sample, id::ProbeId, reading::Unavailable},
    },
    probe::{
        ProbeContext,
        catalog::probes,
        descriptor::{Part, Probe},
        poll, prepare,
        script::{Event, Needs, Script, When},
    },
    tds::Cell,
};

/// What is withheld of a script, and what is said of it.
struct Withheld {
    name: &'static str,
    fate: Fate,
    /// None: it depends on the right
    reason: Option<&'static str>,
}

fn withheld() -> [Withheld; 3] {
    let object = "Invalid object name 'sys.some_view'.";
    let column = "Invalid column name 'some_column'.";
    [
        Withheld {
            name: "right",
            fate: Fate::Fails(300, FailureKind::Permission, "permission was denied on object 'server'"),
            reason: None,
        },
        Withheld {
            name: "object",
            fate: Fate::Fails(208, FailureKind::MissingObject, object),
            reason: Some("sys.some_view"),
        },
        Withheld {
            name: "version",
            fate: Fate::SpoilsBatch(207, FailureKind::MissingObject, column),
            reason: Some("some_column"),
        },
    ]
}

/// The major version of the server in `fake`.
const MAJOR: Option<i32> = Some(15);

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// A server whose answers lead to this part.
fn server(part: &Part) -> Fake {
    let mut server = Fake::new();
    let mut present = vec![vec![("object_name", text("dm_exec_requests"))]];
    for when in part.when {
        match when {
            When::Has(name) => {
                let (object, column) = name.split_once('.').unwrap_or((name, ""));
                let mut row = vec![("object_name", text(object))];
                if !column.is_empty() {
                    row.push(("column_name", text(column)));
                }
                present.push(row);
            }
            When::InMemory(event) | When::InFile(event) => {
                let is_ring = matches!(when, When::InMemory(_));
                let target = if is_ring { "ring_buffer" } else { "event_file" };
                let file = text("<EventFileTarget><File name=\"/x/a_0_1.xel\"/></EventFileTarget>");
                let row = vec![
                    ("name", text("system_health")),
                    ("target_name", text(target)),
                    ("target_data", file),
                ];
                let sessions = match event {
                    Event::Deadlock => "deadlock_source",
                    Event::Growth => "growth_source",
                };
                // A session is asked for growths where the trace is off.
                server = server
                    .with(sessions, Fate::Rows(vec![row]))
                    .with("growth_trace", Fate::Rows(vec![vec![("is_enabled", Cell::Int(0))]]));
            }
            When::Lacks(_) | When::Focused | When::SecondTrip => {}
        }
    }
    let blocked = [("requests_seen", Cell::Int(60)), ("blocked_requests", Cell::Int(1))];
    let database =
        [("database_id", Cell::Int(5)), ("database_name", text("a")), ("state_desc", text("ONLINE"))];
    server
        .with("capabilities", Fate::Rows(present))
        .with("blocked", Fate::Rows(vec![blocked.to_vec()]))
        .with("log_space", Fate::Rows(vec![vec![("log_reuse_wait_desc", text("ACTIVE_TRANSACTION"))]]))
        .with("query_stores", Fate::Rows(vec![database.to_vec()]))
        .with("room_databases", Fate::Rows(vec![database.to_vec()]))
}

/// What a probe says of a server that withholds one of its scripts, and whether that was asked at all.
async fn told(probe: &Probe, part: &Part, script: Script, fate: Fate) -> (Result<Sample, Unavailable>, bool) {
    let mut ctx = ProbeContext::new(|| Timestamp::from_ms(NOW));
    ctx.set_focused(true);
    let mut before = server(part);
    prepare(&mut before, &mut ctx).await.unwrap();
    poll(&mut before, &[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases], &mut ctx).await;
    let mut server = server(part).with(script.name, fate);
    let outcome = poll(&mut server, &[probe.id], &mut ctx).await.remove(0).outcome;
    (outcome, server.asked.iter().flatten().any(|asked| asked == script.name))
}

fn reason(script: Script, withheld: &Withheld) -> Option<Unavailable> {
    match withheld.reason {
        Some(name) => Some(Unavailable::Missing(name.into())),
        None => {
            (script.needs != Needs::Nothing).then(|| Unavailable::NoRight(script.needs.right(MAJOR).into()))
        }
    }
}

#[tokio::test]
async fn every_script_says_which_right_object_or_column_is_missing() {
    let mut checked = 0;
    for probe in probes() {
        for part in probe.parts {
            for withheld in withheld() {
                let what = format!("{}: {} without its {}", probe.id.name(), part.script.name, withheld.name);
                let (outcome, was_asked) = told(probe, part, part.script, withheld.fate.clone()).await;
                assert!(was_asked, "{what}: it was not asked");
                match (outcome, part.needed) {
                    (Ok(_), false) => {}
                    // One of several that stand for each other.
                    (Err(why), false) if Some(&why) == reason(part.script, &withheld).as_ref() => {}
                    (Err(Unavailable::Failed(failure)), true) if reason(part.script, &withheld).is_none() => {
                        // It needs no right: what the server says against it is told as it is.
                        assert_eq!(failure.kind, FailureKind::Permission, "{what}");
                    }
                    (Err(why), true) => assert_eq!(Some(why), reason(part.script, &withheld), "{what}"),
                    (told, _) => panic!("{what}: {told:?}"),
                }
                checked += 1;
            }
        }
    }
    assert!(checked >= 3 * ProbeId::ALL.len(), "every probe has a script: {checked}");
}

#[tokio::test]
async fn a_database_that_withholds_something_is_a_row_that_says_what() {
    let mut checked = 0;
    for (probe, each) in probes().filter_map(|probe| Some((probe, probe.each?))) {
        for part in each.first.iter().filter(|part| part.needed) {
            for withheld in withheld() {
                let what = format!("{}: {} without its {}", probe.id.name(), part.script.name, withheld.name);
                let (outcome, was_asked) = told(probe, part, part.script, withheld.fate.clone()).await;
                assert!(was_asked, "{what}: it was not asked");
                // Where no database tells, the probe says why the first does not.
                let shown = outcome.map_or_else(|why| why.to_string(), |sample| format!("{sample:?}"));
                // The right is that of the database.
                let why = match withheld.reason {
                    Some(name) => format!("n/a (no {name} here)"),
                    None => "n/a (VIEW DATABASE STATE)".to_owned(),
                };
                assert!(shown.contains(&why), "{what}: {why} in {shown}");
                checked += 1;
            }
        }
    }
    assert!(checked > 0);
}
