//! Probes against the simulated fleet: real driver, real TDS, every version, and how trouble appears to a probe.

use dbtop::{
    model::{
        base::{failure::FailureKind, secret::Secret, time::Timestamp},
        fold::{Fleet, update::Update},
        inventory::{
            address::Endpoint,
            instance::{InstanceId, InstanceInfo, Target, TlsMode},
            record::{Auth, SecretRef},
        },
        judge::health::Thresholds,
        poll::{
            Sample, State,
            activity::Activity,
            clerks::{ClerkRow, ClerkTable},
            files::FileTable,
            headline::HeadlineSample,
            id::ProbeId,
            link::Link,
            properties::Platform,
            reading::Unavailable,
        },
    },
    probe::{Polled, ProbeContext, poll, prepare},
    sim::{
        Sim, SimConfig,
        scenario::{Kind, Scenario},
        world::version::Version,
    },
    tds::{Ask, Connection, Roots, dial},
};
use std::{sync::Arc, time::Duration};

const WITHIN: Duration = Duration::from_secs(30);

/// A fleet with this trouble on all of it, lasting for ever.
pub async fn fleet(instances: usize, trouble: &[(Kind, Option<f64>)]) -> Sim {
    let none = Scenario::from_toml("", 0).unwrap();
    let config = SimConfig { instances, scenario: none, port: Some(0), ..SimConfig::default() };
    let sim = Sim::start(config).await.unwrap();
    for (kind, amount) in trouble {
        sim.set("*", *kind, *amount);
    }
    sim
}

pub(super) fn target(sim: &Sim, index: usize) -> Target {
    let address = sim.address(index).unwrap();
    let info = InstanceInfo {
        id: InstanceId::new(format!("SIM-{index}")),
        uid: format!("SIM-{index}").into(),
        address: address.to_string().into(),
        groups: vec![],
        labels: vec![],
        tls: TlsMode::Verify,
        poll: Arc::default(),
        tag: None,
        colors: Vec::new(),
        added_at: None,
    };
    Target {
        info: Arc::new(info),
        endpoint: Endpoint { host: address.ip().to_string(), port: Some(address.port()), instance: None },
        auth: Auth::Sql { user: sim.login().0.to_owned(), secret: SecretRef::Env("UNUSED".into()) },
        action: None,
        database: None,
        ca_file: Some(sim.ca_file()),
        host_in_certificate: None,
        read_only_intent: false,
        multi_subnet_failover: false,
    }
}

/// A prepared connection, and what is learned on it.
pub struct Client {
    pub conn: Connection,
    pub ctx: ProbeContext,
}

impl Client {
    pub async fn new(sim: &Sim, index: usize) -> Self {
        let target = target(sim, index);
        let secret = Secret::new(sim.login().1.to_owned());
        let dialed = dial(&target, WITHIN).await.unwrap();
        let mut conn = dialed.login(&target, &secret, &Roots::public(), WITHIN).await.unwrap();
        let mut ctx = ProbeContext::new(dbtop::app::clock::now);
        prepare(&mut conn, &mut ctx).await.unwrap();
        Self { conn, ctx }
    }

    pub async fn poll(&mut self, due: &[ProbeId]) -> Vec<Polled> {
        poll(&mut self.conn, due, &mut self.ctx).await
    }

    pub(super) async fn one(&mut self, id: ProbeId) -> Result<Sample, Unavailable> {
        self.poll(&[id]).await.remove(0).outcome
    }

    async fn headline(&mut self) -> HeadlineSample {
        match self.one(ProbeId::Headline).await {
            Ok(Sample::Headline(h)) => *h,
            other => panic!("{other:?}"),
        }
    }

    pub async fn activity(&mut self) -> Activity {
        match self.one(ProbeId::Activity).await {
            Ok(Sample::Activity(a)) => a,
            other => panic!("{other:?}"),
        }
    }
}

/// Tries for up to twenty seconds until something is true: the simulated world has its own clock.
pub async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..40 {
        if let Some(found) = attempt().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("not within twenty seconds: {what}");
}

/// Every probe gave a sample, or does not apply, or lacks a right that the login is known to lack.
fn assert_all_told(polled: &[Polled], client: &Client) {
    let lacks = |right: &str| client.ctx.rights().unwrap().held(right) == Some(false);
    for p in polled {
        match &p.outcome {
            Ok(_) | Err(Unavailable::NotHere(_)) => {}
            Err(Unavailable::NoRight(right)) if lacks(right) => {}
            // Nobody asks beforehand whether that right is held; and on some servers the trace is off.
            Err(Unavailable::NoRight(_) | Unavailable::SwitchedOff(_)) if p.probe == ProbeId::Growths => {}
            Err(why) => panic!("{}: {why:?}", p.probe.name()),
        }
    }
    assert!(polled.iter().filter(|p| p.outcome.is_ok()).count() >= 11, "{polled:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_probe_works_on_every_version_and_platform() {
    let sim = fleet(20, &[]).await;
    let mut seen = Vec::new();
    for index in 0..20 {
        let mut client = Client::new(&sim, index).await;
        client.ctx.set_focused(index % 2 == 0);
        let first = client.poll(&ProbeId::ALL).await;
        assert_all_told(&first, &client);
        let Some(Ok(Sample::Known(State::Properties(p)))) =
            first.iter().find(|p| p.probe == ProbeId::Properties).map(|p| &p.outcome)
        else {
            panic!("no properties");
        };
        assert!(
            p.year().is_some()
                && p.cpu_count.is_some()
                && p.started_at.is_some()
                && p.utc_offset_min.is_some(),
            "{p:?}"
        );
        assert_ne!(p.platform, Platform::Unknown, "{p:?}");
        assert!(p.clock_skew_ms.is_some_and(|ms| ms.abs() < 60_000), "{p:?}");
        seen.push((p.year(), p.platform));
        let second = client.poll(&ProbeId::ALL).await;
        assert_all_told(&second, &client);
    }
    for version in Version::ALL {
        assert!(
            seen.iter().any(|(year, _)| *year == Some(version.year())),
            "{} was not played: {seen:?}",
            version.year()
        );
    }
    assert!(seen.iter().any(|(_, platform)| *platform == Platform::Linux), "{seen:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headline_and_activity_are_whole_on_a_calm_instance() {
    let sim = fleet(1, &[]).await;
    let mut client = Client::new(&sim, 0).await;
    client.ctx.set_focused(true);
    client.poll(&[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases]).await;
    let h = client.headline().await;
    let shown = format!("{h:?}");
    assert!(!shown.contains("None"), "every headline figure is told: {shown}");
    let a = eventually("a request with its text", async || {
        let a = client.activity().await;
        a.requests.iter().any(|r| r.statement.is_some()).then_some(a)
    })
    .await;
    assert!(a.sessions.total.is_some_and(|n| n > 0));
    let busy = a.requests.iter().find(|r| r.statement.is_some()).unwrap();
    assert!(busy.started_at.is_some() && busy.login.is_some() && busy.database.is_some(), "{busy:?}");
    assert!(!busy.statement.as_ref().unwrap().as_str().is_empty());
    let later = client.headline().await;
    assert!(later.batches >= h.batches && later.process_cpu_ms >= h.process_cpu_ms, "counters grow");
    assert_eq!(later.started_at, h.started_at);
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_without_rights_learns_what_it_may_and_says_what_it_may_not() {
    let sim = fleet(3, &[(Kind::NoRights, None)]).await;
    for index in 0..3 {
        let mut client = Client::new(&sim, index).await;
        let polled = client.poll(&ProbeId::ALL).await;
        let of = |id: ProbeId| &polled.iter().find(|p| p.probe == id).unwrap().outcome;
        for id in [ProbeId::Properties, ProbeId::Rights, ProbeId::Databases, ProbeId::Cost] {
            assert!(of(id).is_ok(), "{}: {:?}", id.name(), of(id));
        }
        for id in [
            ProbeId::Files,
            ProbeId::Queries,
            ProbeId::Modules,
            ProbeId::Clerks,
            ProbeId::Logs,
            ProbeId::TempdbUse,
            ProbeId::LogUse,
            ProbeId::Grants,
            ProbeId::Deadlocks,
            ProbeId::Headline,
            ProbeId::Activity,
            ProbeId::Blocking,
            ProbeId::Waits,
            ProbeId::Schedulers,
            ProbeId::Memory,
        ] {
            let Err(Unavailable::NoRight(right)) = of(id) else { panic!("{}: {:?}", id.name(), of(id)) };
            assert!(right.starts_with("VIEW SERVER"), "{right}");
        }
        let again = client.poll(&[ProbeId::Headline, ProbeId::Waits, ProbeId::Cost]).await;
        let answered: Vec<bool> = again.iter().map(|p| p.outcome.is_ok()).collect();
        assert_eq!(
            answered,
            [false, false, true],
            "what needs a right is still missing, our own cost is not"
        );
    }
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latches_of_nobody_block_nobody_and_cost_no_further_question() {
    let sim = fleet(1, &[(Kind::Latches, None), (Kind::IoStall, Some(400.0))]).await;
    let mut client = Client::new(&sim, 0).await;
    client.poll(&[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases]).await;
    let seen = eventually("sessions that wait for latches", async || {
        let activity = client.activity().await;
        let latches =
            activity.requests.iter().filter(|r| r.wait_type.as_deref().is_some_and(|w| w.contains("LATCH")));
        (latches.count() >= 8).then_some(activity)
    })
    .await;
    let blocked = |by: &[Option<i32>]| by.iter().flatten().count();
    let by: Vec<_> = seen.requests.iter().map(|r| r.blocked_by).collect();
    assert!(by.iter().flatten().all(|by| *by > 0) && blocked(&by) <= 1, "{by:?}");
    // The one that waits for long is behind a session, and is told.
    let tasks = eventually("the latch that a session holds for long", async || {
        match client.one(ProbeId::Blocking).await {
            Ok(Sample::Blocking { tasks, .. }) => Some(tasks).filter(|t| !t.is_empty()),
            other => panic!("{other:?}"),
        }
    })
    .await;
    let [long] = &tasks[..] else { panic!("{tasks:?}") };
    assert_eq!(long.wait_type.as_deref(), Some("PAGELATCH_EX"));
    assert!(long.blocked_by > 0 && long.wait_ms >= Some(1_000), "{long:?}");
    assert_eq!(client.headline().await.blocked, Some(1), "the headline counts the same");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absurd_durations_are_measured_by_the_clock() {
    let trouble =
        [(Kind::HostileDurations, None), (Kind::BlockingStorm, Some(6.0)), (Kind::GrantQueue, None)];
    let sim = fleet(1, &trouble).await;
    let mut client = Client::new(&sim, 0).await;
    client.poll(&[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases, ProbeId::Headline]).await;
    let tasks = eventually("blocked sessions, and a queue for grants", async || {
        let Ok(Sample::Blocking { tasks, .. }) = client.one(ProbeId::Blocking).await else { panic!() };
        let a = client.activity().await;
        let now = dbtop::app::clock::now();
        for r in &a.requests {
            let clock = now - r.started_at.unwrap();
            let apart = |ms: i64| (ms - clock).abs();
            assert!(r.elapsed_ms.is_some_and(|ms| apart(ms) < 10_000), "{clock}: {r:?}");
            assert!(r.wait_ms.is_none_or(|ms| apart(ms) < 10_000), "{clock}: {r:?}");
            assert!(r.grant.and_then(|g| g.waited_ms).is_none_or(|ms| apart(ms) < 10_000), "{clock}: {r:?}");
            assert_eq!(r.eta_ms, None, "ages of the universe");
        }
        let queued = a.requests.iter().any(|r| r.grant.is_some_and(|g| g.waited_ms.is_some()));
        (queued && tasks.len() >= 2).then_some(tasks)
    })
    .await;
    assert!(tasks.iter().all(|t| t.wait_ms.is_some_and(|ms| ms < 60_000)), "{tasks:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_storm_has_a_sleeping_head_with_its_last_statement() {
    let sim = fleet(2, &[(Kind::BlockingStorm, Some(14.0))]).await;
    let mut client = Client::new(&sim, 0).await;
    client.poll(&[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases]).await;
    let (tasks, sessions) = eventually("a blocked session behind a sleeping head", async || {
        match client.one(ProbeId::Blocking).await {
            Ok(Sample::Blocking { tasks, sessions })
                if sessions.iter().any(|s| s.last_statement.is_some()) =>
            {
                Some((tasks, sessions))
            }
            Ok(_) => None,
            Err(why) => panic!("{why:?}"),
        }
    })
    .await;
    let head = sessions.iter().find(|s| s.last_statement.is_some()).unwrap();
    assert!(tasks.iter().any(|t| t.blocked_by == head.request.session_id), "{tasks:?}");
    assert_eq!(head.request.status.as_deref(), Some("sleeping"));
    assert!(
        head.request.open_transactions.is_some_and(|n| n > 0) && head.request.transaction_at.is_some(),
        "{head:?}"
    );
    assert!(head.request.command.is_none(), "a sleeper runs nothing");
    assert!(tasks.iter().all(|t| t.resource.is_some() && t.wait_ms.is_some()), "{tasks:?}");
    let named =
        eventually("the name of a locked object", async || match client.one(ProbeId::Blocking).await {
            Ok(Sample::Blocking { tasks, .. }) => tasks.iter().find_map(|t| t.object.clone()),
            _ => None,
        })
        .await;
    assert!(named.contains('.'), "{named}");
    sim.stop().await;
}

/// Polls of everything until the reasons of an instance are what is waited for.
const ROUNDS: usize = 12;

/// The reasons of an instance after two polls of everything, while this goes on since `from_s`; after some more, if they are not told by
/// then: on a busy machine a rate may come out of polls that took longer than what lies between them.
async fn reasons(index: usize, event: &str, are_told: impl Fn(&[String]) -> bool) -> Vec<String> {
    let scenario = Scenario::from_toml(event, 0).unwrap();
    let config = SimConfig { instances: 10, scenario, port: Some(0), ..SimConfig::default() };
    let sim = Sim::start(config).await.unwrap();
    let mut client = Client::new(&sim, index).await;
    let mut fleet = Fleet::new(Thresholds::default());
    let info = target(&sim, index).info;
    fleet.apply(Update::Inventory(vec![Arc::clone(&info)]));
    fleet.apply(Update::Link { instance: info.id.clone(), at: Timestamp::from_ms(1), link: Link::Up });
    // As an instance on the screen: only such are asked for their transactions.
    client.ctx.set_focused(true);
    client.poll(&[ProbeId::Rights, ProbeId::Properties]).await;
    // The world's clock runs on its own: rates need some of its time between two polls.
    let mut told = Vec::new();
    for round in 0..ROUNDS {
        for Polled { probe, took_ms, outcome } in client.poll(&ProbeId::ALL).await {
            let (instance, at) = (info.id.clone(), dbtop::app::clock::now());
            fleet.apply(Update::Polled { instance, probe, at, took_ms, every_ms: 30_000, outcome });
        }
        let health = &fleet.snapshot(dbtop::app::clock::now()).instances[0].health;
        told = health.reasons.iter().map(|reason| reason.text().to_owned()).collect();
        if round > 0 && are_told(&told) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1_200)).await;
    }
    sim.stop().await;
    told
}

fn since(kind: &str, on: usize, amount: f64) -> String {
    format!("[[event]]\non = '#{on}'\nkind = '{kind}'\nfrom_s = -290\namount = {amount:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_fills_names_the_session_that_holds_it() {
    let is_log = |text: &String| text.starts_with("log of ");
    let told = reasons(0, &since("log_fill", 1, 99.0), |told| told.iter().any(is_log)).await;
    let log = told.iter().find(|text| text.starts_with("log of ")).unwrap_or_else(|| panic!("{told:?}"));
    assert!(log.contains(" % free, session ") && log.ends_with(" holds it"), "{log}");
    let calm = reasons(0, "", |_| true).await;
    assert!(!calm.iter().any(|text| text.starts_with("log of ")), "{calm:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_schedulers_of_many_are_all_that_counts() {
    let has = |told: &[String], words: &str| told.iter().any(|text| text.contains(words));
    // Not the quarter that it is of all CPUs.
    let is_full = |text: &String| ["CPU 9", "CPU 100"].iter().any(|cpu| text.starts_with(cpu));
    let is_told = |told: &[String]| {
        has(told, "45 tasks wait for 4 CPUs") && has(told, " of 4 of ") && told.iter().any(is_full)
    };
    let told = reasons(0, &since("cpu_limit", 1, 4.0), is_told).await;
    assert!(is_told(&told), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_of_fifty_gigabytes_is_told_by_the_primary() {
    let is_sent = |text: &String| text.contains("50 GB to send");
    let told = reasons(0, &since("ag_queue", 2, 50.0), |told| told.iter().any(is_sent)).await;
    assert!(told.iter().any(is_sent), "{told:?}");
    let is_own = |text: &String| text.contains("to send") || text.contains("reverting");
    let own = reasons(1, &since("ag_queue", 2, 50.0), |told| told.iter().any(is_own)).await;
    assert!(own.iter().any(is_own), "{own:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clerks_hold_together_what_the_server_has_and_grants_are_among_them() {
    let mut found = Vec::new();
    for trouble in [&[][..], &[(Kind::GrantQueue, None)]] {
        let sim = fleet(1, trouble).await;
        let (total_kb, table) = memory_of(&sim).await;
        sim.stop().await;
        let sum: i64 = table.clerks.iter().filter_map(|clerk| clerk.pages_kb).sum();
        assert_eq!((table.all_kb, table.left_out), (Some(sum), 0), "{table:?}");
        // The buffer pool still fills between the two polls.
        let total_kb = total_kb.unwrap();
        assert!((sum - total_kb).abs() < total_kb / 1_000, "{sum} of {total_kb}");
        assert!(table.buffer_pool_kb().is_some() && table.clerks[0].pages_kb >= table.clerks[1].pages_kb);
        let grants = |clerk: &&ClerkRow| &*clerk.kind == "MEMORYCLERK_SQLQERESERVATIONS";
        found.push(table.clerks.iter().find(grants).and_then(|clerk| clerk.pages_kb));
    }
    assert!(found[1] > found[0], "queries that wait for grants: {found:?}");
}

/// Total Server Memory, KB, and the clerks.
async fn memory_of(sim: &Sim) -> (Option<i64>, ClerkTable) {
    let mut client = Client::new(sim, 0).await;
    client.poll(&[ProbeId::Rights, ProbeId::Properties]).await;
    let total_kb = match client.one(ProbeId::Headline).await {
        Ok(Sample::Headline(headline)) => headline.total_memory_kb,
        other => panic!("{other:?}"),
    };
    match client.one(ProbeId::Clerks).await {
        Ok(Sample::Known(State::Clerks(table))) => (total_kb, table.as_ref().clone()),
        other => panic!("{other:?}"),
    }
}

/// The average times of reads and writes of an instance, ms, over two seconds.
pub(super) async fn file_latency(sim: &Sim) -> FileTable {
    let mut client = Client::new(sim, 0).await;
    client.poll(&[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases]).await;
    let mut fleet = Fleet::new(Thresholds::default());
    let info = target(sim, 0).info;
    let id = info.id.clone();
    fleet.apply(Update::Inventory(vec![info]));
    for second in [0, 2] {
        if second > 0 {
            tokio::time::sleep(Duration::from_secs(second)).await;
        }
        let outcome = client.one(ProbeId::Files).await;
        let at = Timestamp::from_ms(1_795_183_331_000).plus_ms(second as i64 * 1000);
        fleet.apply(Update::Polled {
            instance: id.clone(),
            probe: ProbeId::Files,
            at,
            took_ms: 5,
            every_ms: 5_000,
            outcome,
        });
    }
    let snapshot = fleet.snapshot(Timestamp::from_ms(1_795_183_334_000));
    let files = &snapshot.instances[0].facts.files;
    files.get().unwrap_or_else(|| panic!("{files:?}")).as_ref().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_slow_where_the_disk_is() {
    let calm = fleet(1, &[]).await;
    let table = file_latency(&calm).await;
    calm.stop().await;
    let log = table.files.iter().find(|f| f.file.kind.as_deref() == Some("LOG") && f.write_ms.is_some());
    let log = log.unwrap_or_else(|| panic!("{table:?}"));
    assert!(
        log.file.name.as_deref().is_some_and(|n| n.ends_with("_log")) && log.file.database.is_some(),
        "{log:?}"
    );
    assert!(
        log.file.path.is_some()
            && log.size_bytes.is_some_and(|n| n > 0)
            && log.writes_per_s.is_some_and(|n| n > 0.0)
    );
    let stalled = fleet(1, &[(Kind::IoStall, Some(180.0))]).await;
    let slow = file_latency(&stalled).await;
    stalled.stop().await;
    let (calm_ms, slow_ms) = (table.write_ms.unwrap(), slow.write_ms.unwrap());
    assert!(calm_ms < 20.0 && slow_ms > calm_ms * 10.0, "{calm_ms} ms, in a stall {slow_ms} ms");
    assert!(slow.read_ms.unwrap() > 50.0, "{slow:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_data_is_polled_without_harm() {
    let sim = fleet(4, &[(Kind::Hostile, None)]).await;
    for index in 0..4 {
        let mut client = Client::new(&sim, index).await;
        client.ctx.set_focused(true);
        for _ in 0..3 {
            let polled = client.poll(&ProbeId::ALL).await;
            assert_eq!(polled.len(), ProbeId::ALL.len());
            let shown = format!("{polled:?}");
            for escape in ["\\u{1b}", "\\u{7}", "\\u{9b}", "\\u{202e}", "\\u{200b}"] {
                assert!(!shown.contains(escape), "a terminal would obey {escape}");
            }
            assert!(client.conn.is_open(), "hostile data alone costs no connection");
        }
    }
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_never_end_or_break_off_cost_the_connection_and_nothing_else() {
    for kind in [Kind::HostileEndless, Kind::HostileCut] {
        let sim = fleet(1, &[(kind, None)]).await;
        let polled = eventually("an answer that breaks the connection", async || {
            let mut client = Client::new(&sim, 0).await;
            let polled = client.poll(&ProbeId::ALL).await;
            (!client.conn.is_open()).then_some(polled)
        })
        .await;
        assert_eq!(polled.len(), ProbeId::ALL.len(), "each probe has an outcome");
        let failed = polled.iter().filter_map(|p| match &p.outcome {
            Err(Unavailable::Failed(failure)) => Some(failure),
            _ => None,
        });
        let kinds: Vec<_> = failed.map(|f| f.kind).collect();
        let expected =
            if kind == Kind::HostileCut { FailureKind::Unreachable } else { FailureKind::Protocol };
        assert!(kinds.contains(&expected), "{kind}: {kinds:?}");
        sim.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_login_and_a_failed_job_are_told() {
    let sim = fleet(1, &[(Kind::FailedJob, None)]).await;
    let mut client = Client::new(&sim, 0).await;
    client.poll(&[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases]).await;
    let job = eventually("a failed job", async || match client.one(ProbeId::Jobs).await {
        Ok(Sample::Known(State::Jobs(jobs))) => jobs.first().cloned(),
        other => panic!("{other:?}"),
    })
    .await;
    assert!(job.job.is_some() && job.step.is_some() && job.message.is_some(), "{job:?}");
    let age_ms = dbtop::app::clock::now() - job.at.unwrap();
    assert!((-60_000..48 * 3_600_000).contains(&age_ms), "server-local time made UTC: {age_ms} ms ago");
    sim.set("*", Kind::LoginRefused, None);
    let target = target(&sim, 0);
    let secret = Secret::new(sim.login().1.to_owned());
    let refused =
        dial(&target, WITHIN).await.unwrap().login(&target, &secret, &Roots::public(), WITHIN).await.err();
    assert_eq!(refused.map(|f| (f.kind, f.number)), Some((FailureKind::Login, Some(18_456))));
    sim.stop().await;
}
