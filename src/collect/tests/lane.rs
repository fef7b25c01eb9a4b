//! The on-demand lane: a connection of its own, a place for it, and its end.

use super::*;
use crate::{
    collect::{Asked, PLACES, Told, Word},
    model::poll::{
        demand::{Demand, Step},
        reading::Unavailable,
    },
};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

const DEMAND: Demand = Demand::SessionWaits { session_id: 57 };

/// Asks an instance; returns who hears of it, and what cancels it.
async fn ask(collector: &Collector, name: &str) -> (Receiver<Told>, CancellationToken) {
    let (tell, told) = mpsc::channel(8);
    let cancel = CancellationToken::new();
    let instance = InstanceId::new(name);
    let asked = Asked { ticket: 7, instance, demand: DEMAND, cancel: cancel.clone(), tell };
    collector.commands.send(Command::Ask(Box::new(asked))).await.unwrap();
    (told, cancel)
}

/// All that is told until the end: the steps, and the last word.
async fn hear(mut told: Receiver<Told>) -> (Vec<Step>, Option<Word>) {
    let mut steps = Vec::new();
    while let Some(Told { ticket, word }) = told.recv().await {
        assert_eq!(ticket, 7);
        match word {
            Word::Step(step) => steps.push(step),
            done @ Word::Done(_) => return (steps, Some(done)),
        }
    }
    (steps, None)
}

fn logins(fake: &Fake, name: &str) -> usize {
    fake.logins.lock().unwrap().iter().filter(|(n, _)| n == name).count()
}

fn answered(word: Option<&Word>) -> bool {
    matches!(word, Some(Word::Done(outcome)) if outcome.found.is_ok())
}

#[tokio::test(start_paused = true)]
async fn a_question_has_a_connection_of_its_own_which_closes_after_a_minute() {
    let (fake, collector, _) = run(&one(), |_| {});
    seconds(40.0).await;
    assert_eq!(logins(&fake, "a"), 1);
    let (told, _) = ask(&collector, "a").await;
    let (steps, done) = hear(told).await;
    assert_eq!(steps, [Step::Waits, Step::Connects, Step::Asks]);
    let Some(Word::Done(outcome)) = done else { panic!("no answer") };
    assert!(outcome.found.is_ok());
    assert!(outcome.cost_ms.is_some_and(|ms| ms >= 90), "its cost is told: {:?}", outcome.cost_ms);
    seconds(50.0).await;
    let (steps, _) = hear(ask(&collector, "a").await.0).await;
    assert_eq!((steps, logins(&fake, "a")), (vec![Step::Asks], 2), "the same connection");
    seconds(61.0).await;
    hear(ask(&collector, "a").await.0).await;
    assert_eq!(logins(&fake, "a"), 3, "it was closed in between");
}

#[tokio::test(start_paused = true)]
async fn what_is_due_in_the_fleet_shares_an_opening_that_asks_nothing_twice_and_closes_behind_it() {
    let fake = Fake::new();
    fake.set("a", Act::Telling);
    let (collector, _) = with_lane(&fake).await;
    seconds(3_700.0).await;
    let asked: Vec<ProbeId> = fake.asked.lock().unwrap().iter().flat_map(|(_, _, due)| due.clone()).collect();
    let times = |id: ProbeId| asked.iter().filter(|asked| **asked == id).count();
    let together = times(ProbeId::Growths);
    for id in [ProbeId::LogUse, ProbeId::Room, ProbeId::QueryStore] {
        assert_eq!(times(id), together, "{id:?}");
    }
    let openings = logins(&fake, "a") - 1;
    assert!(together >= 1 && openings <= together + times(ProbeId::Deadlocks), "{openings} for {together}");
    // The polls ask for rights once in an hour.
    assert!(times(ProbeId::Rights) <= 3, "{}", times(ProbeId::Rights));
    let before = logins(&fake, "a");
    let (steps, _) = hear(ask(&collector, "a").await.0).await;
    assert!(steps.contains(&Step::Connects), "{steps:?}");
    assert_eq!(logins(&fake, "a"), before + 1, "nobody looked: it was closed");
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_delays_no_poll() {
    let (fake, collector, start) = run(&one(), |_| {});
    seconds(40.0).await;
    hear(ask(&collector, "a").await.0).await;
    fake.set("a", Act::Answer(5_000));
    let (told, _) = ask(&collector, "a").await;
    seconds(0.1).await;
    fake.set("a", Act::Answer(5));
    let before = fake.polls("a", ProbeId::Headline, start).len();
    collector.commands.send(Command::Refresh(Vec::new())).await.unwrap();
    seconds(1.0).await;
    assert!(fake.polls("a", ProbeId::Headline, start).len() > before, "polled while the question is open");
    assert!(answered(hear(told).await.1.as_ref()));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_question_ends_at_once_and_takes_its_connection_with_it() {
    let (fake, collector, _) = run(&one(), |_| {});
    seconds(40.0).await;
    fake.set("a", Act::Answer(15_000));
    let (told, cancel) = ask(&collector, "a").await;
    seconds(1.0).await;
    cancel.cancel();
    let began = Instant::now();
    assert_eq!(hear(told).await.1, None, "no word about an answer that nobody wants");
    assert!(began.elapsed() < Duration::from_secs(1));
    fake.set("a", Act::Answer(5));
    let before = logins(&fake, "a");
    assert!(answered(hear(ask(&collector, "a").await.0).await.1.as_ref()));
    assert_eq!(logins(&fake, "a"), before + 1, "the statement ended with its connection");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_forgotten_on_the_way_is_made_anew_without_a_word() {
    let (fake, collector, _) = run(&one(), |_| {});
    seconds(40.0).await;
    hear(ask(&collector, "a").await.0).await;
    fake.set("a", Act::Closed);
    let (steps, done) = hear(ask(&collector, "a").await.0).await;
    assert!(answered(done.as_ref()), "{done:?}");
    assert!(steps.contains(&Step::Connects));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_cannot_be_reached_or_is_not_there_says_why() {
    let (fake, collector, _) = run(&one(), |_| {});
    seconds(40.0).await;
    fake.set("a", Act::WrongPassword);
    for (name, words) in [("a", "as the test says"), ("nobody", "nobody is not polled")] {
        let Some(Word::Done(outcome)) = hear(ask(&collector, name).await.0).await.1 else {
            panic!("silence")
        };
        let failure = outcome.found.unwrap_err();
        assert!(failure.text.contains(words), "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_lanes_are_open_than_there_are_places_and_an_idle_one_makes_room() {
    let names = names(PLACES + 1);
    let (fake, collector, _) = run(&names, |_| {});
    seconds(60.0).await;
    for name in &names {
        fake.set(name, Act::Answer(10_000));
    }
    let mut open = Vec::new();
    for name in &names[..PLACES] {
        open.push(ask(&collector, name).await.0);
    }
    seconds(2.0).await;
    let (mut told, _) = ask(&collector, &names[PLACES]).await;
    seconds(1.0).await;
    assert_eq!(told.try_recv().unwrap().word, Word::Step(Step::Waits));
    assert!(told.try_recv().is_err(), "all places are taken");
    for name in &names {
        fake.set(name, Act::Answer(5));
    }
    let began = Instant::now();
    assert!(answered(hear(told).await.1.as_ref()));
    assert!(began.elapsed() < Duration::from_secs(55), "it need not wait until one was idle for a minute");
    for told in open {
        assert!(answered(hear(told).await.1.as_ref()));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_in_an_endless_line_before_one_instance() {
    let (fake, collector, _) = run(&one(), |_| {});
    seconds(40.0).await;
    fake.set("a", Act::Answer(15_000));
    let mut told = Vec::new();
    for _ in 0..12 {
        told.push(ask(&collector, "a").await.0);
        seconds(0.1).await;
    }
    let mut refused = 0;
    for told in &mut told {
        while let Ok(Told { word, .. }) = told.try_recv() {
            refused += usize::from(matches!(word, Word::Done(outcome) if outcome.found.is_err()));
        }
    }
    assert_eq!(refused, 3, "one is open, eight wait");
}

#[tokio::test(start_paused = true)]
async fn an_open_lane_hears_which_databases_are_wanted_now() {
    let fake = Fake::new();
    let collector = run_over(&fake, &one(), |s| s.slow_every_ms = 30_000);
    let inventory = |databases_out: &[&str]| {
        let mut target = target("a");
        let probes_off = heavy().filter(|name| name != ProbeId::LogUse.name()).collect();
        let databases_out = databases_out.iter().map(ToString::to_string).collect();
        Arc::make_mut(&mut target.info).poll =
            Arc::new(PollSettings { probes_off, databases_out, ..PollSettings::default() });
        Command::Inventory(vec![target])
    };
    let kept_open = async || {
        for _ in 0..30 {
            seconds(20.0).await;
            assert!(answered(hear(ask(&collector, "a").await.0).await.1.as_ref()));
        }
        std::mem::take(&mut *fake.wanted.lock().unwrap())
    };
    collector.commands.send(inventory(&[])).await.unwrap();
    let wanted = kept_open().await;
    assert!(wanted.len() > 1 && wanted.iter().all(|wanted| *wanted), "{wanted:?}");
    let before = logins(&fake, "a");
    collector.commands.send(inventory(&["archive"])).await.unwrap();
    let wanted = kept_open().await;
    assert!(wanted.len() > 1 && wanted.iter().skip(1).all(|wanted| !wanted), "{wanted:?}");
    assert_eq!(logins(&fake, "a"), before, "over the same connection");
}

/// A collector of one instance that has its lane.
async fn with_lane(fake: &Fake) -> (Collector, Instant) {
    let collector = run_over(fake, &[], |_| {});
    let mut target = target("a");
    Arc::make_mut(&mut target.info).poll = Arc::default();
    let start = Instant::now();
    collector.commands.send(Command::Inventory(vec![target])).await.unwrap();
    (collector, start)
}

#[tokio::test(start_paused = true)]
async fn where_there_are_deadlocks_they_are_read_within_an_interval_and_a_failed_reading_is_made_again() {
    let fake = Fake::new();
    fake.set("a", Act::Unreadable(3));
    let (collector, start) = with_lane(&fake).await;
    let readings = || fake.polls("a", ProbeId::Deadlocks, start);
    seconds(35.0).await;
    assert_eq!(readings().len(), 1, "an interval of the fleet is 30 s: {:?}", readings());
    let problem = shown(&collector, "a").facts.deadlocks.problem.clone();
    let Some(Unavailable::Failed(failure)) = problem else { panic!("{problem:?}") };
    assert!(failure.text.ends_with("as the test says; asked again after 30s"), "{failure:?}");
    seconds(850.0).await;
    let gaps: Vec<f64> = readings().windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps.len(), 4, "{gaps:?}");
    for (gap, wait) in gaps.iter().zip([30.0, 60.0, 120.0, 240.0]) {
        assert!((wait..wait + 70.0).contains(gap), "{wait} s after the round that heard of it: {gaps:?}");
    }
    fake.set("a", Act::Deadlocks(3));
    seconds(520.0).await;
    let deadlocks = shown(&collector, "a").facts.deadlocks.clone();
    assert!(deadlocks.problem.is_none() && deadlocks.value.is_some(), "{deadlocks:?}");
    let count = readings().len();
    seconds(2_000.0).await;
    assert_eq!(readings().len(), count, "it told, and nothing happened since");
    fake.set("a", Act::NoRight);
    collector.commands.send(Command::Refresh(Vec::new())).await.unwrap();
    seconds(2_000.0).await;
    assert_eq!(readings().len(), count + 1, "a right is given by somebody, seldom");
}

#[tokio::test(start_paused = true)]
async fn deadlocks_are_read_over_the_lane_when_their_counter_moved_and_grow_not_old() {
    let fake = Fake::new();
    fake.set("a", Act::Deadlocks(0));
    let collector = run_over(&fake, &one(), |_| {});
    let mut with_lane = target("a");
    // What else goes over the lane comes at a time of its own.
    let others = heavy().filter(|name| name != ProbeId::Deadlocks.name()).collect();
    Arc::make_mut(&mut with_lane.info).poll =
        Arc::new(PollSettings { probes_off: others, ..PollSettings::default() });
    collector.commands.send(Command::Inventory(vec![with_lane])).await.unwrap();
    let start = Instant::now();
    let readings = || fake.polls("a", ProbeId::Deadlocks, start).len();
    seconds(5.0).await;
    assert_eq!(readings(), 0, "a fleet that starts has other things to do");
    seconds(600.0).await;
    assert_eq!((readings(), logins(&fake, "a")), (1, 2), "once, over a connection of its own");
    let of_lane = |due: &[ProbeId]| due.contains(&ProbeId::Deadlocks);
    assert!(fake.asked.lock().unwrap().iter().all(|(_, _, due)| !of_lane(due) || due.len() == 1));
    let (now, shown_then) = (clock(), shown(&collector, "a"));
    let deadlocks = &shown_then.facts.deadlocks;
    assert!(deadlocks.fresh(now).is_some(), "nothing has happened since: {deadlocks:?}");
    fake.set("a", Act::Deadlocks(3));
    seconds(100.0).await;
    assert!((2..4).contains(&readings()), "within a minute, and again: the file lags: {}", readings());
    seconds(600.0).await;
    assert_eq!(readings(), 4);
    collector.commands.send(Command::Refresh(Vec::new())).await.unwrap();
    seconds(60.0).await;
    assert_eq!(readings(), 5, "somebody wants to know");
    // On the screen nothing is asked twice for that, and its age means the same.
    collector.commands.send(Command::Focus(vec![InstanceId::new("a")])).await.unwrap();
    seconds(300.0).await;
    assert_eq!((readings(), shown(&collector, "a").facts.deadlocks.every_ms), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn probes_of_the_lane_have_a_budget_of_their_own_and_say_when_it_is_used_up() {
    let fake = Fake::new();
    fake.set("a", Act::Heavy(20_000));
    let collector = run_over(&fake, &one(), |s| s.slow_every_ms = 120_000);
    let mut with_lane = target("a");
    let off = ["deadlocks", "query_store", "growths", "room"].map(String::from).to_vec();
    Arc::make_mut(&mut with_lane.info).poll =
        Arc::new(PollSettings { probes_off: off, ..PollSettings::default() });
    collector.commands.send(Command::Inventory(vec![with_lane])).await.unwrap();
    collector.commands.send(Command::Focus(vec![InstanceId::new("a")])).await.unwrap();
    let start = Instant::now();
    let asked = || fake.polls("a", ProbeId::LogUse, start).len();
    seconds(1_800.0).await;
    assert_eq!(asked(), 3, "20 s each, 60 s an hour");
    let problem = shown(&collector, "a").facts.log_use.problem.clone();
    let words = problem.map(|problem| problem.to_string()).unwrap_or_default();
    assert!(words.contains("deferred") && words.contains("1m00s of CPU within an hour"), "{words}");
    assert!(answered(hear(ask(&collector, "a").await.0).await.1.as_ref()), "what somebody asks is answered");
    let headlines = fake.polls("a", ProbeId::Headline, start).len();
    assert!(headlines > 800, "the polls have another budget: {headlines}");
    seconds(2_400.0).await;
    assert!((4..=6).contains(&asked()), "the first ones are an hour old: {}", asked());
    let no_limit =
        Settings { clock, up, lane_budget: Duration::ZERO, slow_every_ms: 120_000, ..Settings::default() };
    collector.commands.send(Command::Settings(Box::new(no_limit))).await.unwrap();
    let before = asked();
    seconds(1_200.0).await;
    assert!(asked() >= before + 8, "{} after {before}", asked());
}
