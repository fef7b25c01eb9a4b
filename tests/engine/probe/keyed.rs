//! Every probe tells a thing once, however often its rows come and whatever moved in them meanwhile. New probes are in it by
//! themselves: scripts say what tells their rows apart.

use super::{
    columns::columns,
    fake::{Fake, Fate, plausible},
    poll::known,
};
use dbtop::{
    model::poll::id::ProbeId,
    probe::{
        catalog::probes,
        descriptor::Probe,
        poll,
        script::{Key, Script},
    },
    tds::Cell,
};

type Row = Vec<(&'static str, Cell)>;

/// A row about the `n`th thing; `moved`: what does not tell it apart has another value.
fn row(script: Script, n: i64, moved: bool) -> Row {
    let Key::By(key) = script.key else { panic!("{} has one row", script.name) };
    let cells = columns(script.name).iter().map(|(name, _)| *name).zip(plausible(script.name));
    let value = |(name, cell)| {
        let cell = match cell {
            Cell::Int(id) if key.contains(&name) => Cell::Int(id + n),
            Cell::Text(text) if key.contains(&name) => Cell::Text(format!("{text} {n}")),
            Cell::Bytes(mut id) if key.contains(&name) => {
                id.push(n as u8);
                Cell::Bytes(id.split_off(1))
            }
            Cell::Int(count) if moved => Cell::Int(count + 1),
            other => other,
        };
        (name, cell)
    };
    cells.map(value).collect()
}

/// What a probe makes of these rows in each of its scripts, as it is printed.
async fn told(probe: &Probe, rows: &[(i64, bool)]) -> String {
    let mut ctx = known().await;
    ctx.set_focused(true);
    let mut server = Fake::new();
    for script in probe.parts.iter().map(|part| part.script) {
        if let Key::By(_) = script.key {
            let rows = rows.iter().map(|(n, moved)| row(script, *n, *moved)).collect();
            server = server.with(script.name, Fate::Rows(rows));
        }
    }
    let seen = [("requests_seen", 60), ("blocked_requests", 1)].map(|(name, n)| (name, Cell::Int(n)));
    let mut server = server.with("blocked", Fate::Rows(vec![seen.to_vec()]));
    let outcome = poll(&mut server, &[probe.id], &mut ctx).await.remove(0).outcome;
    assert!(outcome.is_ok(), "{}: {outcome:?}", probe.id.name());
    format!("{outcome:?}")
}

#[tokio::test]
async fn each_thing_is_told_once_however_often_it_comes() {
    for probe in probes() {
        let name = probe.id.name();
        let once = told(probe, &[(0, false), (1, false), (2, false)]).await;
        let behind = [(0, false), (0, true), (1, false), (1, true), (2, false), (2, true)];
        assert_eq!(told(probe, &behind).await, once, "{name}: each behind itself");
        let far = [(0, false), (1, false), (2, false), (2, true), (1, true), (0, true)];
        assert_eq!(told(probe, &far).await, once, "{name}: all of them again");
        let moved = told(probe, &[(0, true), (1, true), (2, true)]).await;
        let before = [(0, true), (0, false), (1, true), (2, true), (2, false), (1, false)];
        assert_eq!(told(probe, &before).await, moved, "{name}: the first counts");
        let is_list =
            !matches!(probe.id, ProbeId::Properties | ProbeId::Rights | ProbeId::Headline | ProbeId::CpuRing)
                && probe.parts.iter().any(|part| matches!(part.script.key, Key::By(_)));
        let single = told(probe, &[(0, false)]).await;
        assert!(!is_list || single != once, "{name}: three things are not one");
    }
}
