//! What an earlier release wrote is what it was: histories and sealed tenants of `tests/fixture/released`, next to what that
//! release itself read out of them. Recordings and configuration: `tests/program/history/released.rs`.

use crate::{
    released::{FIRST, assert_told, list, text, told, unpack},
    world::{LONG, at},
};
use dbtop::{
    model::{
        base::{figure, secret::Secret, time::Timestamp},
        inventory::{
            instance::InstanceInfo,
            record::{Author, InstanceRecord, Slug},
        },
        poll::{
            id::{Metric, SeriesKey},
            link::Link,
        },
        timeline::record::{Record, Recorded},
    },
    store::{
        AuditFilter, Home, Tenant, Tenants,
        history::{Engine, EventFilter, Options, Reader, Tier},
    },
    vault::{Opener, Sealer},
};
use regex::{Captures, Regex};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

fn number(of: &Value) -> i64 {
    of.as_i64().unwrap()
}

fn uid(instance: &Value) -> Arc<str> {
    if text(instance).starts_with("sqlprd") {
        return crate::world::uid(text(instance));
    }
    format!("uid-{}", text(instance)).into()
}

/// Compares every instance, state, chart and event.
fn assert_history(path: &Path, sealer: Option<Sealer>, told: &Value) {
    let mut reader = Reader::open(path, sealer).unwrap();
    let infos: Vec<Value> = reader.instances().all().unwrap().iter().map(Arc::as_ref).map(instance).collect();
    assert_told(&told["instances"], &infos.into(), "instances");
    assert_states(&mut reader, list(&told["states"]));
    for chart in list(&told["charts"]) {
        assert_chart(&reader, chart);
    }
    let events = reader.events().list(&EventFilter::default(), at(-86_400), at(86_400)).unwrap();
    let events: Vec<Value> = events
        .into_iter()
        .map(|event| {
            json!({
                "no": event.no, "uid": event.uid, "kind": format!("{:?}", event.kind), "at_ms": event.at.ms(),
                "to_ms": event.to.map(Timestamp::ms), "words": event.what.to_string(), "episode": event.episode,
            })
        })
        .collect();
    let told: Vec<Value> = list(&told["events"]).iter().cloned().map(said_today).collect();
    assert_told(&told.into(), &events.into(), "events");
}

/// An event as the first release told it, with its durations and counts as they are said today: `29m20s` was `1760 s`, `1,758
/// sessions` were `1758`.
fn said_today(mut event: Value) -> Value {
    let seconds = Regex::new(r"\b(\d+) s\b").unwrap();
    let as_today = |found: &Captures<'_>| figure::wait(found[1].parse::<f64>().unwrap() * 1000.0);
    let words = seconds.replace_all(text(&event["words"]), as_today).into_owned();
    let counts = Regex::new(r"\b(\d+) sessions\b").unwrap();
    let grouped = |found: &Captures<'_>| figure::counted(found[1].parse().unwrap(), "session");
    event["words"] = counts.replace_all(&words, grouped).into_owned().into();
    event
}

fn instance(info: &InstanceInfo) -> Value {
    json!({
        "name": info.id.as_str(), "uid": *info.uid, "address": *info.address, "groups": info.groups, "labels": info.labels,
        "tls": format!("{:?}", info.tls), "tag": info.tag, "colors": info.colors,
    })
}

fn assert_states(reader: &mut Reader, told: &[Value]) {
    let mut asked: BTreeMap<(&str, i64), Vec<Value>> = BTreeMap::new();
    for state in told {
        let states = asked.entry((text(&state["instance"]), number(&state["asked_s"]))).or_default();
        states.push(json!({
            "at_ms": state["at_ms"], "slot": state["slot"], "what": state["what"], "texts": state["texts"],
        }));
    }
    for ((name, second), mut told) in asked {
        let past = reader.states().at(&[uid(&name.into())], at(second)).unwrap();
        assert_eq!(past.damaged, Vec::<String>::new());
        let mut found: Vec<Value> = past.kept.into_iter().map(state).collect();
        for states in [&mut told, &mut found] {
            states.sort_by_key(|state| (number(&state["at_ms"]), number(&state["slot"])));
        }
        assert_told(&told.into(), &found.into(), &format!("{name} at {second} s"));
    }
}

fn state(mut kept: Record) -> Value {
    let mut texts = Vec::new();
    kept.what.each_statement_mut(&mut |statement| texts.push(statement.text.batch.to_string()));
    json!({ "at_ms": kept.at.ms(), "slot": kept.what.slot().code(), "what": kept.what, "texts": texts })
}

fn assert_chart(reader: &Reader, told: &Value) {
    let metric = Metric::from_code(number(&told["metric"]) as u16).unwrap();
    assert_eq!(metric.probe().name(), text(&told["probe"]));
    let key = SeriesKey::with(metric, text(&told["key"]));
    let (from, to) = (at(number(&told["from_s"])), at(number(&told["to_s"])));
    let drawn = reader
        .charts()
        .draw(&uid(&told["instance"]), &key, from, to, number(&told["points"]) as u32)
        .unwrap();
    assert_eq!(drawn.damaged, 0);
    let buckets: Vec<Value> = drawn
        .line
        .buckets
        .iter()
        .map(|b| json!([b.at.ms(), f64::from(b.min), f64::from(b.avg), f64::from(b.max), b.n]))
        .collect();
    let found = json!({
        "tier": drawn.tier.map(Tier::code), "bucket_ms": drawn.line.bucket_ms, "hold_ms": drawn.line.hold_ms,
        "buckets": buckets,
    });
    let told = json!({
        "tier": told["tier"], "bucket_ms": told["bucket_ms"], "hold_ms": told["hold_ms"], "buckets": told["buckets"],
    });
    assert_told(&told, &found, &format!("{key:?} of {}", told["instance"]));
}

/// The history of the release in a folder of its own.
fn history() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    unpack("history.db", &path);
    (folder, path)
}

#[test]
fn a_history_of_the_first_release_shows_what_it_showed() {
    let (_folder, path) = history();
    assert_history(&path, None, &told("history"));
}

#[test]
fn every_series_of_the_first_release_is_among_what_is_compared() {
    let told = told("history");
    let (mut metrics, mut probes, mut tiers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for chart in list(&told["charts"]).iter().filter(|chart| !list(&chart["buckets"]).is_empty()) {
        metrics.insert(number(&chart["metric"]) as u16);
        probes.insert(text(&chart["probe"]).to_owned());
        tiers.insert(chart["tier"].as_i64());
    }
    let codes = fs::read_to_string(format!("{FIRST}/codes.txt")).unwrap();
    let released = |kind: &str| -> Vec<(u16, String)> {
        let lines = codes.lines().filter_map(|line| line.strip_prefix(kind)?.trim().split_once(' '));
        lines.map(|(code, name)| (code.parse().unwrap(), name.to_owned())).collect()
    };
    assert_eq!(metrics, released("metric").into_iter().map(|(code, _)| code).collect());
    let drawn = |name: &str| !["properties", "rights", "databases"].contains(&name);
    let all = released("probe").into_iter().map(|(_, name)| name).filter(|name| drawn(name)).collect();
    assert_eq!(probes, all, "each probe that has series");
    assert_eq!(tiers, [None, Some(1), Some(2), Some(3)].into(), "as measured, and each roll-up");
    let kinds: BTreeSet<&str> = list(&told["events"]).iter().map(|event| text(&event["kind"])).collect();
    assert_eq!(kinds, released("event").iter().map(|(_, name)| name.as_str()).collect());
}

#[test]
fn a_history_of_the_first_release_is_written_on() {
    let (_folder, path) = history();
    let mut engine = Engine::open(&path, None, Options::default()).unwrap();
    let info = Reader::open(&path, None).unwrap().instances().all().unwrap().remove(0);
    let later = at(100_000);
    let what = Recorded::Link { link: Link::Connecting, since: later, was_down: false };
    engine.take(vec![Record { info, at: later, what }]);
    engine.commit().unwrap();
    engine.seal(later.plus_ms(7_200_000), LONG).unwrap();
    engine.close().unwrap();
    let mut told = told("history");
    // What was still to be sealed is sealed now, so that a chart of the last minutes may come from other rows; the day on
    // which nobody collected is an event of its own.
    told["events"] = json!([]);
    let mut reader = Reader::open(&path, None).unwrap();
    assert_states(&mut reader, list(&told["states"]));
    for chart in list(&told["charts"]) {
        assert_chart(&reader, chart);
    }
    let checked = reader.check().unwrap();
    assert_eq!((checked.problems, checked.words), (0, Vec::new()));
}

/// What a tenant holds.
fn inventory(tenant: &Tenant) -> Value {
    let found = tenant.inventory().unwrap();
    assert!(found.damage.is_empty());
    let secrets = |record: &InstanceRecord| -> Vec<String> {
        record.secrets().map(|secret| secret.reveal().to_owned()).collect()
    };
    let instances: Vec<Value> = found
        .instances
        .iter()
        .map(|entry| {
            json!({
                "id": entry.id.to_string(), "revision": entry.revision, "record": entry.record,
                "secrets": secrets(&entry.record),
            })
        })
        .collect();
    let deleted = tenant.deleted().unwrap().instances;
    let check = tenant.verify_audit().unwrap();
    json!({
        "instances": instances,
        "groups": found.groups.iter().map(|e| json!({"revision": e.revision, "record": e.record})).collect::<Vec<_>>(),
        "labels": found.labels.iter().map(|e| json!({"revision": e.revision, "record": e.record})).collect::<Vec<_>>(),
        "filters": found.filters.iter().map(|e| json!({"revision": e.revision, "record": e.record})).collect::<Vec<_>>(),
        "deleted": deleted.into_iter().map(|entry| entry.record.name).collect::<Vec<_>>(),
        "audit": tenant.audit(&AuditFilter::default()).unwrap(),
        "audit_good": check.good,
        "audit_head": check.head.hash_hex(),
        "slots": tenant.slots().unwrap().iter().map(|slot| slot.kind().name()).collect::<Vec<_>>(),
    })
}

#[test]
fn a_sealed_tenant_of_the_first_release_opens_with_all_that_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let tenants = Tenants::open(&Home::at(&folder.path().join("home"))).unwrap();
    let home = folder.path().join("home/tenants/acme");
    fs::create_dir(&home).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    }
    unpack("acme-inventory.db", &home.join("inventory.db"));
    unpack("acme-history.db", &home.join("history.db"));
    let opener = Opener::Passphrase(Secret::new("correct horse battery staple".to_owned()));
    let mut tenant = tenants.get(&Slug::parse("acme").unwrap()).unwrap().unlock(&opener).unwrap();
    assert_told(&told("acme"), &inventory(&tenant), "acme");
    let sealer = tenant.history_key(&Author::default()).unwrap();
    assert_history(&home.join("history.db"), Some(sealer), &told("acme-history"));
}
