//! A half-broken fleet: each broken instance says why, and no hostile text gets through.

use super::{assert_harmless, objects, records};
use crate::harness::{
    Home,
    process::{Ended, SimProcess, dbtop, run},
};
use std::{collections::HashMap, thread};

/// What happens to the first instances; the words of the fleet's `why`, and of the `problem` where a list of theirs
/// cannot be had. Empty: it can.
const FAULTS: [(&str, &str, &str); 7] = [
    ("down", "(refused)", "refused; is the instance started"),
    ("login_refused", "login refused (18456)", "check user and password"),
    ("black_hole", "(timed out)", "no answer"),
    ("no_rights", "needs VIEW SERVER STATE", "n/a (VIEW SERVER STATE)"),
    ("hostile_cut", "unreachable", "ended it without a word"),
    // Too many rows, or no end within the deadline where this machine is slow.
    ("hostile_endless", "bad answer|timed out", ""),
    ("hostile", "", ""),
];
/// The next one can be asked and has much to tell, none of it harmless.
const TELLS: &str = "hostile_names hostile_texts blocking_storm";
const INSTANCES: u32 = 15;

/// Everything that is asked of the fleet, at the same time: each takes as long as the slowest instance.
fn answers(sim: &SimProcess) -> HashMap<(&'static str, &'static str), Ended> {
    let asked = [
        ("fleet", "table"),
        ("fleet", "json"),
        ("activity", "table"),
        ("activity", "csv"),
        ("waits", "csv"),
        ("blocking", "json"),
        ("cost", "json"),
    ];
    let ask = |(subject, format): (&'static str, &'static str)| {
        let home = Home::new();
        let mut command = dbtop(&["once", subject, "-o", format, "--inventory", &sim.inventory()], &home);
        // A healthy one that has to wait for the processor must not look broken, so this stays generous.
        command.env("DBTOP_POLL_CONNECT_TIMEOUT_S", "8");
        ((subject, format), run(&mut command))
    };
    thread::scope(|s| {
        let running = asked.map(|what| s.spawn(move || ask(what)));
        running.into_iter().map(|t| t.join().expect("an answer")).collect()
    })
}

#[test]
fn every_fault_is_told_in_words_and_the_others_are_fine() {
    let event = |n: usize, kind: &str| format!("[[event]]\non = '#{n}'\nkind = '{kind}'\nfrom_s = -600\n");
    let broken = FAULTS.iter().zip(1..).map(|((kind, ..), n)| event(n, kind));
    let tells = TELLS.split(' ').map(|kind| event(FAULTS.len() + 1, kind));
    let sim = SimProcess::start(INSTANCES, 0, Some(&broken.chain(tells).collect::<String>()));
    let inventory: toml::Table = std::fs::read_to_string(&sim.inventory).unwrap().parse().unwrap();
    let instances = inventory["instance"].as_array().unwrap();
    let names: Vec<&str> = instances.iter().map(|i| i["name"].as_str().unwrap()).collect();
    let password = instances[0]["password"].as_str().unwrap();

    let answers = answers(&sim);
    for ((subject, format), ended) in &answers {
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), ""), "{subject} as {format}");
        assert_harmless(&ended.stdout);
        assert!(!ended.stdout.contains(password) && !ended.stdout.contains("://"), "{subject} as {format}");
    }
    let fleet = objects(&answers[&("fleet", "json")].stdout);
    assert_eq!(fleet.len(), INSTANCES as usize);
    let row = |name: &str| fleet.iter().find(|i| i["instance"] == name).unwrap();
    for ((kind, why, _), name) in FAULTS.iter().zip(&names) {
        let row = row(name);
        let said = row["why"].as_str().unwrap();
        let tells = |text: &str| why.split('|').any(|why| text.contains(why));
        assert!(row["level"] != "ok" && !said.is_empty() && tells(said), "{kind}: {row:?}");
        let table = &answers[&("fleet", "table")].stdout;
        assert!(table.lines().any(|l| l.starts_with(name) && tells(l)), "{kind}: {table}");
    }
    for name in &names[FAULTS.len() + 1..] {
        let row = row(name);
        assert!(row["level"] == "ok" && row["cpu_pct"].is_f64() && row["batches_per_s"].is_f64(), "{row:?}");
    }
    // Worst first, and what is not known is not shown as a figure.
    let rank =
        |level: &serde_json::Value| ["ok", "unknown", "warning", "critical"].iter().position(|l| level == l);
    assert!(fleet.is_sorted_by_key(|i| std::cmp::Reverse(rank(&i["level"]))), "{fleet:?}");
    for name in &names[..4] {
        assert!(row(name)["cpu_pct"].is_null() && row(name)["blocked"].is_null(), "{:?}", row(name));
    }

    let (columns, waits) = records(&answers[&("waits", "csv")].stdout);
    assert_eq!(columns.last().map(String::as_str), Some("problem"));
    for ((kind, _, problem), name) in
        FAULTS.iter().zip(&names).filter(|((.., problem), _)| !problem.is_empty())
    {
        let row = waits.iter().find(|r| r[0] == *name).unwrap_or_else(|| panic!("{kind}: no row"));
        assert!(row.last().unwrap().contains(problem), "{kind}: {row:?}");
    }
    let (_, activity) = records(&answers[&("activity", "csv")].stdout);
    let told: Vec<_> = activity.iter().filter(|r| r[0] == names[FAULTS.len()]).collect();
    assert!(told.len() >= 14, "a hostile server's requests are shown, made harmless: {activity:?}");
    let cost = objects(&answers[&("cost", "json")].stdout);
    assert_eq!(cost.len(), INSTANCES as usize + 1);
    let down = &cost[0];
    assert!(
        down["cpu_ms_per_s"].is_null() && down["problem"].as_str().unwrap().contains("refused"),
        "{down:?}"
    );
}
