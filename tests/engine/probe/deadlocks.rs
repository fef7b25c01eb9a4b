//! Deadlocks over real TDS: the reports of every version, reading on from where the last reading ended, and what stands in the way.

use super::sim::{Client, eventually};
use dbtop::{
    collect::{self, Command, Settings},
    deadlock::{Deadlock, lines::pictures},
    model::{
        poll::{
            Sample, State,
            deadlocks::{DeadlockPattern, DeadlockTable},
            id::ProbeId,
            properties::Hosting,
            reading::Unavailable,
        },
        timeline::counted::{self, Counted, Known},
    },
    sim::{
        Sim, SimConfig,
        scenario::{Kind, Scenario},
        world::version::Version,
    },
    store::history::{EventFilter, Options, Reader, Writer},
    tds::Roots,
};
use std::{collections::HashSet, sync::Arc, time::Duration};

const FIRST: [ProbeId; 4] = [ProbeId::Rights, ProbeId::Properties, ProbeId::Databases, ProbeId::Headline];

/// A fleet on which something has been going on for a while.
async fn fleet(versions: &[Version], instances: usize, kind: &str, from_s: i64, amount: f64) -> Sim {
    let script = format!("[[event]]\non = '*'\nkind = '{kind}'\nfrom_s = {from_s}\namount = {amount:?}\n");
    let scenario = Scenario::from_toml(&script, 0).unwrap();
    let config =
        SimConfig { instances, scenario, versions: versions.to_vec(), port: Some(0), ..SimConfig::default() };
    Sim::start(config).await.unwrap()
}

/// An instance that somebody else runs, on which a deadlock has recurred for an hour, and more of another kind.
async fn hosted(hosting: Hosting, kind: &str, amount: f64) -> (Sim, Client) {
    let script = format!("[[event]]\non = '*'\nkind = '{kind}'\nfrom_s = -3600\namount = {amount:?}\n");
    let scenario = Scenario::from_toml(&script, 0).unwrap();
    let config = SimConfig {
        instances: 1,
        scenario,
        versions: vec![Version::V2022],
        hosting: vec![hosting],
        port: Some(0),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.unwrap();
    let client = client(&sim, 0).await;
    (sim, client)
}

async fn client(sim: &Sim, index: usize) -> Client {
    let mut client = Client::new(sim, index).await;
    client.poll(&FIRST).await;
    client
}

async fn read(client: &mut Client) -> Result<Arc<DeadlockTable>, Unavailable> {
    match client.one(ProbeId::Deadlocks).await {
        Ok(Sample::Known(State::Deadlocks(table))) => Ok(table),
        Ok(other) => panic!("{other:?}"),
        Err(why) => Err(why),
    }
}

fn hashes(table: &DeadlockTable) -> HashSet<u64> {
    table.patterns.iter().flat_map(|pattern| pattern.seen.iter().map(|seen| seen.hash)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_that_recurs_is_one_pattern_on_every_version_and_its_report_is_drawn() {
    for version in Version::ALL {
        let sim = fleet(&[version], 1, "deadlock_pattern", -600, 2.0).await;
        let mut client = client(&sim, 0).await;
        let table = read(&mut client).await.unwrap();
        let [pattern] = &table.patterns[..] else { panic!("{table:?}") };
        assert_eq!(&*pattern.kind, "key lookup");
        assert!((15..=21).contains(&pattern.times), "two a minute for ten minutes: {}", pattern.times);
        let report = pattern.newest().unwrap();
        let victim = pattern.victim().unwrap_or_else(|| panic!("{report:?}"));
        assert!(victim.session_id.is_some() && victim.who.login.is_some() && victim.who.program.is_some());
        assert!(
            victim.place.as_deref().is_some_and(|place| place.ends_with("usp_ListRecent:12")),
            "{victim:?}"
        );
        assert!(
            report.objects.len() == 1 && report.objects[0].starts_with(&*report.databases[0]),
            "{report:?}"
        );
        let ago_ms = dbtop::app::clock::now() - report.at;
        assert!((0..90_000).contains(&ago_ms), "its time is by our clock: {ago_ms}");
        let text = report.text.as_ref().unwrap().statement().text.batch.clone();
        let read = Deadlock::read_all(text.as_bytes()).unwrap();
        assert_eq!(pictures(&read[0]).len(), 1);
        let dropped = report.bytes.unwrap() / 2 - text.chars().count() as i64;
        let has_stacks = version >= Version::V2022;
        assert_eq!(dropped > 1_000, has_stacks, "from 2022 on there are native stacks: {dropped}");
        sim.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_goes_on_where_the_last_one_ended_and_tells_nothing_twice() {
    let sim = fleet(&[], 1, "deadlocks", -60, 60.0).await;
    let mut client = client(&sim, 0).await;
    let first = read(&mut client).await.unwrap();
    let kinds: HashSet<&str> = first.patterns.iter().map(|pattern| &*pattern.kind).collect();
    assert_eq!(kinds, HashSet::from(["key lookup", "opposite order", "conversion"]));
    assert!(first.at_least, "a minute had sixty, and fifty are read at once");
    let next = eventually("more deadlocks", async || {
        let table = read(&mut client).await.unwrap();
        (!table.patterns.is_empty()).then_some(table)
    })
    .await;
    assert_eq!(hashes(&first).intersection(&hashes(&next)).count(), 0);
    let newest = first.patterns.iter().map(DeadlockPattern::last_at).max().unwrap();
    assert!(next.patterns.iter().all(|pattern| pattern.first_at > newest), "{next:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_reports_come_whole_and_all_of_them_take_little_memory() {
    // Of each pattern the newest reports are kept, and every thirty-first deadlock has a long one: it is among them for some start.
    let mut longest = 0;
    for earlier in 0..12 {
        let sim = fleet(&[Version::V2022], 1, "deadlocks", -300 - 15 * earlier, 6.0).await;
        let mut client = client(&sim, 0).await;
        let table = read(&mut client).await.unwrap();
        let reports = || table.patterns.iter().flat_map(|pattern| &pattern.reports);
        assert!(reports().all(|report| report.cut_after.is_none()), "they fit together");
        assert!(
            table.patterns.iter().all(|pattern| pattern.kind.as_ref() != "report cut short"),
            "{table:?}"
        );
        assert!(table.bytes() < 128 << 10, "{}", table.bytes());
        longest = reports().filter_map(|report| report.bytes).fold(longest, Ord::max);
        sim.stop().await;
        if longest > 2 * 80_000 {
            return;
        }
    }
    panic!("one has a parallel query: {longest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_gone_is_said_and_the_next_reading_begins_anew() {
    let sim = fleet(&[Version::V2016, Version::V2022], 2, "deadlock_pattern", -600, 6.0).await;
    let (mut one, other) = (client(&sim, 0).await, client(&sim, 1).await);
    assert!(!read(&mut one).await.unwrap().patterns.is_empty());
    // Another server has none of these files: as if the service had been moved.
    let platforms = [0, 1].map(|index| {
        let profile = &sim.fleet().profiles[index];
        (profile.linux, profile.version)
    });
    assert_ne!(platforms[0], platforms[1], "their paths differ");
    one.conn = other.conn;
    let why = read(&mut one).await.unwrap_err();
    assert!(matches!(&why, Unavailable::Failed(failure) if failure.text.contains("is invalid")), "{why:?}");
    assert!(!read(&mut one).await.unwrap().patterns.is_empty(), "all of it is read");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_managed_instance_tells_them_out_of_memory_and_only_what_is_new() {
    let (sim, mut client) = hosted(Hosting::ManagedInstance, "deadlock_pattern", 0.5).await;
    let table = read(&mut client).await.unwrap();
    assert_eq!((&*table.session, table.is_from_memory), ("system_health", true));
    let [pattern] = &table.patterns[..] else { panic!("{table:?}") };
    assert!((28..=30).contains(&pattern.times), "an hour of one in two minutes: {}", pattern.times);
    assert!(!table.at_least, "they fit into its memory");
    let again = read(&mut client).await.unwrap();
    let known = hashes(&table);
    assert!(
        again.patterns.iter().map(|p| p.times).sum::<u64>() <= 2,
        "older ones are passed over: {again:?}"
    );
    assert!(hashes(&again).difference(&known).count() <= 1, "the same report is the same deadlock");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_that_holds_more_than_the_server_writes_says_at_least() {
    let (sim, mut client) = hosted(Hosting::ManagedInstance, "deadlocks", 30.0).await;
    let table = read(&mut client).await.unwrap();
    assert_eq!(table.patterns.iter().map(|p| p.times).sum::<u64>(), 50, "as many as are read at once");
    assert!(table.at_least, "{:?}", table.patterns.len());
    let kinds: HashSet<&str> = table.patterns.iter().map(|pattern| &*pattern.kind).collect();
    assert_eq!(kinds, HashSet::from(["key lookup", "opposite order", "conversion"]));
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn azure_sql_database_tells_them_by_a_session_of_the_database_through_its_own_views() {
    let (sim, mut client) = hosted(Hosting::AzureDatabase, "deadlock_pattern", 0.5).await;
    let table = read(&mut client).await.unwrap();
    assert_eq!((&*table.session, table.is_from_memory), ("deadlocks", true));
    let [pattern] = &table.patterns[..] else { panic!("{table:?}") };
    assert_eq!((&*pattern.kind, pattern.times >= 28), ("key lookup", true));
    let text = pattern.newest().unwrap().text.as_ref().unwrap().statement().text.batch.clone();
    assert!(text.starts_with("<event name=\"database_xml_deadlock_report\""), "{text}");
    sim.set("*", Kind::NoRights, None);
    client.poll(&FIRST).await;
    let why = read(&mut client).await.unwrap_err();
    assert_eq!(why, Unavailable::NoRight("VIEW DATABASE PERFORMANCE STATE".into()));
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_rds_the_session_of_a_dba_is_read_where_system_health_is_out_of_reach() {
    let (sim, mut client) = hosted(Hosting::Rds, "deadlock_pattern", 0.5).await;
    let why = read(&mut client).await.unwrap_err();
    assert!(matches!(&why, Unavailable::Failed(failure) if failure.text.contains("is invalid")), "{why:?}");
    let table = read(&mut client).await.unwrap();
    assert_eq!((&*table.session, table.is_from_memory), ("deadlocks", false));
    assert!(table.patterns.iter().any(|pattern| pattern.times >= 28), "{table:?}");
    assert!(read(&mut client).await.unwrap().patterns.iter().all(|p| p.times <= 1), "it goes on from there");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collector_reads_them_over_its_lane_and_the_time_line_tells_which() {
    let sim = fleet(&[], 1, "deadlock_pattern", -20, 12.0).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let (recorder, writer) = Writer::start(&path, None, Options::default()).unwrap();
    let settings = Settings { fleet_every_ms: 1_000, fleet_detail_every_ms: 2_000, ..Settings::default() };
    let targets = dbtop::config::inventory::parse(&sim.inventory_toml()).unwrap();
    let resolver = Arc::new(dbtop::config::secret::resolve);
    let collector = collect::start(targets, settings, resolver, Roots::public(), Some(recorder));
    collector.commands.send(Command::Refresh(Vec::new())).await.unwrap();
    let mut grown = Vec::new();
    let mut collector_table = None;
    eventually("deadlocks that grow in number", async || {
        let snapshot = Arc::clone(&collector.snapshots.borrow());
        let table = snapshot.instances[0].facts.deadlocks.get()?.clone();
        let times = table.patterns.first()?.times;
        collector_table = Some(Arc::clone(&table));
        if grown.last() != Some(&times) {
            grown.push(times);
        }
        (grown.len() >= 2).then_some(())
    })
    .await;
    assert!(grown.is_sorted(), "what was known stays: {grown:?}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(collector.shutdown().await);
    writer.join().unwrap();
    let reader = Reader::open(&path, None).unwrap();
    let (from, to) = reader.stats().span().unwrap().unwrap();
    let events =
        reader.events().list(&EventFilter::default(), from.plus_ms(-86_400_000), to.plus_ms(60_000)).unwrap();
    let told: Vec<String> = events.iter().map(|event| event.what.to_string()).collect();
    let reported = told
        .iter()
        .filter(|words| words.contains("key lookup on ") && words.contains("rolled back: session "));
    assert!(reported.count() >= 1, "{told:?}");
    // What a chart of the pattern is made of.
    let (fingerprint, times) = {
        let table = collector_table.expect("it was shown");
        (table.patterns[0].fingerprint, table.patterns[0].times)
    };
    let counted: Vec<Counted> = events
        .iter()
        .filter_map(|event| Counted::deadlocks(event.at, event.to, &event.what, fingerprint))
        .collect();
    let span = (to.plus_ms(-3_600_000), to.plus_ms(60_000));
    let line = counted::line(
        counted.iter().copied(),
        3_660_000,
        span,
        Known { from: span.0, to: span.1, away: &[], unread: &[] },
    );
    let drawn = line.buckets.iter().map(|bucket| f64::from(bucket.avg)).sum::<f64>() as u64;
    assert_eq!(drawn, counted.iter().map(|counted| counted.count).sum::<u64>(), "each is in one slot");
    assert!(drawn >= times, "{drawn} of {times} that were known before the end");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calm_server_has_none_and_says_so_as_a_value() {
    let sim = fleet(&[], 1, "calm", 0, 1.0).await;
    let mut client = client(&sim, 0).await;
    let table = read(&mut client).await.unwrap();
    assert_eq!((table.patterns.len(), table.at_least), (0, false));
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_2025_on_transactions_are_locked_and_their_deadlocks_are_drawn_and_classed_as_before() {
    let reports = async |version| {
        let sim = fleet(&[version], 1, "deadlocks", -120, 6.0).await;
        let mut client = client(&sim, 0).await;
        let table = read(&mut client).await.unwrap();
        sim.stop().await;
        let text = |pattern: &DeadlockPattern| {
            let text = pattern.newest().unwrap().text.as_ref().unwrap().statement().text.batch.clone();
            (pattern.kind.to_string(), Deadlock::read_all(text.as_bytes()).unwrap().remove(0))
        };
        table.patterns.iter().map(text).collect::<Vec<_>>()
    };
    for (version, transactions) in [(Version::V2022, [0, 0, 0]), (Version::V2025, [0, 1, 2])] {
        let mut found = Vec::new();
        for (kind, report) in reports(version).await {
            let locked = report.resources.iter().filter(|resource| resource.is("xactlock"));
            assert!(
                locked.clone().all(|lock| lock.is("keylock") && lock.waiters[0].mode == "S"),
                "{report:?}"
            );
            let locked = locked.count();
            let drawn = pictures(&report);
            let told = drawn[0].why.matches("S on transaction of ").count();
            assert_eq!((drawn.len(), told, drawn[0].pattern.word()), (1, locked, &*kind), "{drawn:?}");
            let waits = |process: &dbtop::deadlock::Process| process.wait_resource.starts_with("XACT: ");
            assert_eq!(
                report.processes.iter().filter(|process| waits(process)).count(),
                locked,
                "{report:?}"
            );
            found.push((kind, locked));
        }
        found.sort();
        let kinds = ["conversion", "key lookup", "opposite order"].map(str::to_owned);
        assert_eq!(found, kinds.into_iter().zip(transactions).collect::<Vec<_>>(), "{version:?}");
    }
}
