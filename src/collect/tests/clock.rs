//! Maintenance of an instance: how it ends, also when the wall clock is set or the machine is suspended meanwhile.

use super::{settings::settled, *};

#[tokio::test(start_paused = true)]
async fn a_step_of_the_clock_ends_no_maintenance() {
    let (fake, collector, start) = run(&one(), |_| {});
    seconds(40.0).await;
    let poll =
        PollSettings { maintenance_until: Some(clock().plus_ms(10_800_000)), ..PollSettings::default() };
    collector.commands.send(settled(poll)).await.unwrap();
    seconds(1.0).await;
    let polls = || fake.polls("a", ProbeId::Headline, start).len();
    let before = polls();
    ASLEEP.set(20 * 86_400_000);
    seconds(1_800.0).await;
    assert_eq!(polls(), before, "20 days ahead for half an hour");
    ASLEEP.set(0);
    seconds(8_900.0).await;
    assert_eq!(polls(), before, "it goes on for the three hours that were asked for");
    seconds(200.0).await;
    assert!(polls() > before, "and ends");
}

#[tokio::test(start_paused = true)]
async fn a_step_of_the_clock_alarms_nobody() {
    let (fake, collector, _) = run(&one(), |_| {});
    seconds(40.0).await;
    assert_eq!(shown(&collector, "a").health.level, Level::Ok);
    ASLEEP.set(20 * 86_400_000);
    let mut seen = Vec::new();
    for _ in 0..450 {
        seconds(0.2).await;
        seen.push(shown(&collector, "a").health.level);
    }
    seen.dedup();
    assert_eq!(seen, [Level::Ok], "20 days ahead for a minute and a half");
    // Who is silent all the same is told.
    fake.set("a", Act::Refuse);
    seconds(90.0).await;
    assert_ne!(shown(&collector, "a").health.level, Level::Ok);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_rests_is_not_called_offline_by_a_step_of_the_clock() {
    let (_fake, collector, _) = run(&one(), |_| {});
    seconds(40.0).await;
    let poll =
        PollSettings { maintenance_until: Some(clock().plus_ms(10_800_000)), ..PollSettings::default() };
    collector.commands.send(settled(poll)).await.unwrap();
    seconds(120.0).await;
    ASLEEP.set(20 * 86_400_000);
    seconds(600.0).await;
    let health = shown(&collector, "a").health.clone();
    assert_eq!(health.level, Level::Unknown, "{health:?}");
    assert!(health.reasons[0].text().starts_with("in maintenance for 2h4"), "{health:?}");
}

#[tokio::test(start_paused = true)]
async fn maintenance_ends_in_a_suspend() {
    let (fake, collector, start) = run(&one(), |_| {});
    seconds(40.0).await;
    let poll =
        PollSettings { maintenance_until: Some(clock().plus_ms(1_800_000)), ..PollSettings::default() };
    collector.commands.send(settled(poll)).await.unwrap();
    seconds(1.0).await;
    let polls = || fake.polls("a", ProbeId::Headline, start).len();
    let before = polls();
    ASLEEP.set(8 * 3_600_000);
    SUSPENDED.set(Duration::from_hours(8));
    seconds(120.0).await;
    assert!(polls() > before, "its half hour is over");
}

#[tokio::test(start_paused = true)]
async fn maintenance_pauses_polls_and_judgement_until_it_ends_by_itself() {
    let (fake, collector, start) = run(&one(), |_| {});
    seconds(40.0).await;
    let until = clock().plus_ms(1_800_000);
    let poll = PollSettings { maintenance_until: Some(until), ..PollSettings::default() };
    collector.commands.send(settled(poll)).await.unwrap();
    seconds(1.0).await;
    let polls = || fake.polls("a", ProbeId::Headline, start).len();
    let before = polls();
    fake.set("a", Act::Refuse);
    seconds(1_700.0).await;
    let health = shown(&collector, "a").health.clone();
    assert_eq!((polls(), health.level), (before, Level::Unknown), "nobody asks, nobody judges");
    assert_eq!(health.reasons[0].text(), "in maintenance for 1m");
    fake.set("a", Act::Answer(5));
    seconds(110.0).await;
    assert!(polls() > before, "it goes on by itself");
    assert_eq!(shown(&collector, "a").health.level, Level::Ok);
    let poll = PollSettings { running: Some(false), ..PollSettings::default() };
    collector.commands.send(settled(poll)).await.unwrap();
    seconds(5.0).await;
    let before = polls();
    seconds(3_600.0).await;
    assert_eq!(polls(), before);
    assert_eq!(shown(&collector, "a").health.reasons[0].text(), "stopped");
}
