//! Settings that change while the collector runs: an instance's own and those of all; and the time that a connect has.

use super::*;

/// `a` with settings of its own; see [`target`].
pub(super) fn settled(mut poll: PollSettings) -> Command {
    let mut a = target("a");
    poll.probes_off.extend(heavy());
    Arc::make_mut(&mut a.info).poll = Arc::new(poll);
    Command::Inventory(vec![a])
}

#[tokio::test(start_paused = true)]
async fn an_instances_own_settings_take_effect_without_a_restart() {
    let (fake, collector, start) = run(&one(), |_| {});
    seconds(40.0).await;
    let off = vec!["waits".to_owned()];
    let poll = PollSettings { every_s: Some(600), probes_off: off, ..PollSettings::default() };
    collector.commands.send(settled(poll)).await.unwrap();
    seconds(1.0).await;
    let counts = |p| fake.polls("a", p, start).len();
    let (headlines, waits) = (counts(ProbeId::Headline), counts(ProbeId::Waits));
    seconds(500.0).await;
    assert!(counts(ProbeId::Headline) <= headlines + 1, "every ten minutes now");
    assert_eq!(counts(ProbeId::Waits), waits, "switched off");
    let now = shown(&collector, "a");
    let words = now.facts.waits.problem.as_ref().map(ToString::to_string);
    assert_eq!(words.as_deref(), Some("off (this instance's settings)"));
    assert_eq!(now.health.level, Level::Ok, "a slow instance is not a silent one: {:?}", now.health.reasons);
    // In the middle of the minute between two polls of details.
    seconds(17.0).await;
    collector.commands.send(settled(PollSettings::default())).await.unwrap();
    seconds(2.0).await;
    assert!(counts(ProbeId::Waits) > waits, "on again, and due at once");
    assert_eq!(fake.logins.lock().unwrap().len(), 1, "the connection stayed");
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_left_out_is_not_shown_and_one_without_a_name_is() {
    let (_, collector, _) = run(&one(), |_| {});
    let databases_out = vec!["SALES".to_owned(), "tempdb".to_owned()];
    collector
        .commands
        .send(settled(PollSettings { databases_out, ..PollSettings::default() }))
        .await
        .unwrap();
    seconds(5.0).await;
    let now = shown(&collector, "a");
    let rows = now.facts.databases.get().expect("the databases");
    let names: Vec<_> = rows.iter().map(|row| row.name.as_deref()).collect();
    assert_eq!(names, [Some("tempdb"), Some("archive"), None]);
}

#[tokio::test(start_paused = true)]
async fn a_login_has_what_the_dialing_left_of_the_time() {
    let fake = Fake::new();
    fake.set("a", Act::Sluggish);
    let start = Instant::now();
    let collector = run_over(&fake, &one(), |s| s.connect_within = Duration::from_secs(10));
    let mut snapshots = collector.snapshots.clone();
    let is_down = |fleet: &Arc<FleetSnapshot>| {
        fleet.instances.iter().any(|i| matches!(i.facts.link, Link::Down { .. }))
    };
    snapshots.wait_for(is_down).await.unwrap();
    let took = start.elapsed();
    assert!((Duration::from_millis(9_900)..Duration::from_millis(10_500)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn other_settings_take_effect_at_the_next_cycle_without_a_new_connection() {
    let (fake, collector, start) = run(&names(3), |s| s.fleet_every_ms = 3_600_000);
    seconds(40.0).await;
    let polls = |name: &str| fake.polls(name, ProbeId::Headline, start).len();
    fake.set("sql002", Act::Refuse);
    let before = polls("sql000");
    assert!(before <= 3, "once an hour");
    let thresholds = Thresholds { offline_after_s: 90, ..Thresholds::default() };
    let faster =
        Settings { fleet_every_ms: 30_000, clock, up, max_queries: 1, thresholds, ..Settings::default() };
    collector.commands.send(Command::Settings(Box::new(faster.clone()))).await.unwrap();
    seconds(300.0).await;
    assert!(
        (8..=13).contains(&(polls("sql000") - before)),
        "{} polls in five minutes",
        polls("sql000") - before
    );
    let snapshot = Arc::clone(&collector.snapshots.borrow());
    assert_eq!(snapshot.thresholds.offline_after_s, 90);
    assert_eq!(shown(&collector, "sql000").facts.headline.every_ms, 30_000);
    assert_eq!(shown(&collector, "sql002").health.level, Level::Offline, "judged by the new thresholds");
    assert_eq!(fake.logins.lock().unwrap().iter().filter(|(n, _)| n == "sql000").count(), 1);
    // A verdict changes with the threshold alone, without a poll.
    let patient = Settings { thresholds: Thresholds::default(), ..faster };
    let patient =
        Settings { thresholds: Thresholds { offline_after_s: 86_400, ..patient.thresholds }, ..patient };
    collector.commands.send(Command::Settings(Box::new(patient))).await.unwrap();
    seconds(1.0).await;
    assert_ne!(shown(&collector, "sql002").health.level, Level::Offline);
}
