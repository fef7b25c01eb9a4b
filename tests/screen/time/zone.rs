//! The clock of the person who looks: `[ui] time_zone` on the screen, in what they type, and after a change of it.

use super::{NOW, arrive, instants, small};
use crate::{fixture, stage};
use dbtop::{
    config,
    model::{
        base::{failure::FailureKind, time::Timestamp, zone::Zone},
        fold::snapshot::InstanceSnapshot,
        judge::{
            health::{Level, Reason, Topic},
            why::{Since, Why},
        },
    },
};
use std::sync::Arc;

fn zone(name: &str) -> Zone {
    config::zone(name).unwrap()
}

/// The small fleet on a screen whose clock shows this zone.
fn in_zone(name: &str) -> stage::Stage {
    let mut s = small();
    s.app.configure(dbtop::tui::Settings { zone: zone(name), ..stage::settings("dark") });
    s
}

#[test]
fn the_header_shows_the_clock_with_its_zone() {
    let header = |name: &str| in_zone(name).lines()[0].clone();
    assert!(header("utc").contains(" 14:02:11 UTC"), "{}", header("utc"));
    assert!(header("Europe/Berlin").contains(" 15:02:11 CET"), "{}", header("Europe/Berlin"));
    assert!(header("Asia/Kathmandu").contains(" 19:47:11 +05:45"), "{}", header("Asia/Kathmandu"));
    let mut s = small();
    assert!(s.lines()[0].contains("14:02:11 UTC"));
    s.app.configure(dbtop::tui::Settings { zone: zone("America/New_York"), ..stage::settings("dark") });
    assert!(
        s.lines()[0].contains("09:02:11 EST"),
        "a changed configuration counts at once: {}",
        s.lines()[0]
    );
}

#[test]
fn a_typed_time_is_one_of_that_clock() {
    let mut s = in_zone("Europe/Berlin");
    s.keys("t 02:14");
    let foot = s.lines().pop().unwrap();
    assert!(foot.contains("2026-11-20 02:14:00 CET, 12h48m ago"), "{foot}");
    s.keys("enter");
    let at = arrive(&mut s);
    assert_eq!(at, Timestamp::from_ms(1_795_183_331_000 - 42_491_000 - 3_600_000), "01:14 UTC");
    let header = s.lines()[0].clone();
    assert!(header.contains("◀ PAST 2026-11-20 02:14:00 CET"), "{header}");
    s.keys("t");
    "02:14 UTC enter".split(' ').for_each(|word| {
        s.keys(if word == "UTC" { "space UTC" } else { word });
    });
    assert_eq!(instants(&mut s).pop().unwrap().1, super::THEN, "a zone behind it counts");
}

#[test]
fn an_hour_that_came_twice_or_never_is_said_while_it_is_typed() {
    let mut s = in_zone("Europe/Berlin");
    for c in "t 2026-03-29 space 02:30".split(' ') {
        s.keys(c);
    }
    let foot = s.lines().pop().unwrap();
    assert!(foot.contains("there is no 02:30 on 2026-03-29 in Europe/Berlin"), "{foot}");
    s.keys("esc");
    for c in "t 2026-10-25 space 02:30".split(' ') {
        s.keys(c);
    }
    let foot = s.lines().pop().unwrap();
    assert!(foot.contains("2026-10-25 02:30:00 CEST") && foot.contains("came twice"), "{foot}");
    s.keys("enter");
    assert_eq!(
        instants(&mut s).pop().map(|(_, at)| at),
        Some(Timestamp::from_ms(1_792_888_200_000)),
        "00:30 UTC, the first one"
    );
}

#[test]
fn reasons_are_told_by_that_clock_in_the_fleet_and_on_the_page_of_an_instance() {
    let since = |name: &str, keys: &str| {
        let mut fleet = fixture::errors(1);
        let mut instance = InstanceSnapshot::clone(&fleet.instances[0]);
        let at = NOW.plus_ms(-211_000);
        let why = Why::Down {
            kind: FailureKind::Unreachable,
            number: None,
            obstacle: None,
            since: Some(Since::told(at, NOW)),
            missing: None,
        };
        instance.health.reasons = vec![Reason::new(Level::Offline, Topic::Link, 100, why)];
        fleet.instances = vec![Arc::new(instance)];
        let mut s = in_zone(name);
        s.ingest(fleet);
        s.keys(keys);
        let text = s.text();
        text.split("unreachable since ").nth(1).unwrap_or_else(|| panic!("{text}"))[..8].to_owned()
    };
    for keys in ["home", "enter", "d"] {
        assert_eq!(since("utc", keys), "13:58:40", "{keys}");
        assert_eq!(since("Asia/Kathmandu", keys), "19:43:40", "{keys}");
    }
}

#[test]
fn axes_have_whole_hours_and_midnights_of_that_clock() {
    let foot = |name: &str| {
        let mut s = in_zone(name);
        // The page of an instance, with charts of longer times.
        s.keys("enter");
        s.lines()
            .into_iter()
            .filter(|l| l.contains("14:0") || l.contains("19:4"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(foot("Asia/Kathmandu").contains("19:45"), "{}", foot("Asia/Kathmandu"));
    assert!(foot("utc").contains("14:00"), "{}", foot("utc"));
}
