//! Polls against a server made of result sets: the number of round trips, the effect of an error, the state that is kept.

use super::fake::{Fake, Fate, NOW};
use dbtop::{
    model::{
        base::{failure::FailureKind, time::Timestamp},
        poll::{Sample, id::ProbeId, reading::Unavailable},
    },
    probe::{Polled, ProbeContext, poll, prepare},
    tds::Cell,
};

const TIER: [ProbeId; 7] = [
    ProbeId::Headline,
    ProbeId::Activity,
    ProbeId::Blocking,
    ProbeId::Waits,
    ProbeId::Schedulers,
    ProbeId::Memory,
    ProbeId::Cost,
];

/// Texts and names of what a poll has seen: asked behind it, each once.
const ON_DEMAND: [&str; 3] = ["texts", "plan_databases", "resolve_job"];

fn outcome(polled: &[Polled], id: ProbeId) -> &Result<Sample, Unavailable> {
    &polled.iter().find(|p| p.probe == id).unwrap_or_else(|| panic!("{} has no outcome", id.name())).outcome
}

fn problem(polled: &[Polled], id: ProbeId) -> &Unavailable {
    outcome(polled, id).as_ref().expect_err(id.name())
}

fn no_right() -> Fate {
    Fate::Fails(300, FailureKind::Permission, "VIEW SERVER STATE permission was denied on object 'server'")
}

/// A context that knows a 2019 server on which everything is allowed.
pub async fn known() -> ProbeContext {
    let mut ctx = ProbeContext::new(|| Timestamp::from_ms(NOW));
    let mut server = Fake::new().with(
        "capabilities",
        Fate::Rows(vec![
            vec![("object_name", Cell::Text("dm_os_host_info".into()))],
            vec![("object_name", Cell::Text("dm_exec_input_buffer".into()))],
        ]),
    );
    prepare(&mut server, &mut ctx).await.unwrap();
    let polled =
        poll(&mut server, &[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases], &mut ctx).await;
    assert!(polled.iter().all(|p| p.outcome.is_ok()), "{polled:?}");
    ctx
}

#[tokio::test]
async fn the_first_poll_learns_the_rights_before_it_chooses_scripts() {
    let mut ctx = ProbeContext::new(dbtop::app::clock::now);
    let mut server = Fake::new()
        .with("capabilities", Fate::Rows(vec![vec![("object_name", Cell::Text("dm_exec_requests".into()))]]));
    prepare(&mut server, &mut ctx).await.unwrap();
    let polled = poll(&mut server, &ProbeId::ALL, &mut ctx).await;
    assert_eq!(polled.iter().map(|p| p.probe).collect::<Vec<_>>(), ProbeId::ALL);
    let questions = server.questions();
    assert_eq!(questions[0], "session");
    assert_eq!(questions[1], "rights capabilities");
    assert!(
        questions[2].starts_with(
            "properties sysinfo configuration host_2016 databases database_sizes headline counters"
        ),
        "{}",
        questions[2]
    );
    let last = "memory clerks files log_space tempdb_sessions tempdb_files tempdb_waits version_holders grant_queue \
                semaphores memory_counters cost";
    assert!(questions[2].ends_with(last), "own cost last: {}", questions[2]);
    let slow: Vec<_> = questions[3..].iter().filter(|q| !ON_DEMAND.contains(&q.as_str())).collect();
    assert_eq!(
        slow,
        [
            "availability",
            "volumes",
            "space",
            "growth_trace growths growth_source",
            "room_databases",
            "log_use",
            "jobs",
            "workload queries_2016",
            "modules module_triggers module_functions",
            "query_stores",
            "deadlock_source",
            "deadlocks"
        ],
        "slow ones have round trips of their own"
    );
}

#[tokio::test]
async fn a_whole_tier_is_one_round_trip() {
    let mut ctx = known().await;
    let mut server = Fake::new().with("activity", Fate::Rows(vec![])).with("sleepers", Fate::Rows(vec![]));
    let polled = poll(&mut server, &TIER, &mut ctx).await;
    assert!(polled.iter().all(|p| p.outcome.is_ok()), "{polled:?}");
    assert_eq!(server.asked.len(), 1);
}

#[tokio::test]
async fn every_declared_column_reaches_the_sample() {
    let mut ctx = known().await;
    ctx.set_focused(true);
    let mut server = Fake::new().with("sleepers", Fate::Rows(vec![])).with(
        "blocked",
        Fate::Rows(vec![vec![("requests_seen", Cell::Int(60)), ("blocked_requests", Cell::Int(1))]]),
    );
    let online: Vec<_> = [
        ("database_id", Cell::Int(5)),
        ("database_name", Cell::Text("a".into())),
        ("total_rows", Cell::Int(1)),
        ("state_desc", Cell::Text("ONLINE".into())),
    ]
    .into();
    for list in ["query_stores", "room_databases"] {
        server = server.with(list, Fate::Rows(vec![online.clone()]));
    }
    let due: Vec<_> = ProbeId::ALL.into_iter().filter(|p| *p != ProbeId::Rights).collect();
    for polled in poll(&mut server, &due, &mut ctx).await {
        let shown = format!("{:?}", polled.outcome);
        // What the fold fills, counters that are not among these rows, and no last statement beside a running one.
        let expected = match polled.probe {
            ProbeId::Headline => 16,
            ProbeId::Activity => 2,
            // What a log may take, and when that is full, the fold says, too; nothing holds it, and no transaction is open.
            ProbeId::Logs => 4,
            // The text of no module begins as one.
            ProbeId::Modules => 3,
            // Idle is not believed on Linux; when a volume will be full is told by the fold.
            // How a clerk grew the fold says; what is free in a file only its database; no deadlock was missed.
            ProbeId::CpuRing | ProbeId::Volumes | ProbeId::Clerks | ProbeId::Space | ProbeId::Deadlocks => 1,
            // Nothing failed, before or now; the module is encrypted; this server knows no hints and no feedback; nobody knows such a
            // role. All files together have no name, kind, path, database, size, and nothing of I/Os in flight.
            ProbeId::QueryStore | ProbeId::Files => 8,
            // This server counts no spills; the statement is whole, of no module that has a name, and was never told before.
            ProbeId::Queries => 6,
            // The task waits for something without a name, which nobody asked for.
            ProbeId::Blocking => 5,
            _ => 0,
        };
        assert!(polled.outcome.is_ok(), "{shown}");
        assert_eq!(shown.matches("None").count(), expected, "{}: {shown}", polled.probe.name());
    }
}

#[tokio::test]
async fn a_missing_right_is_told_of_its_own_probe_and_not_asked_for_again() {
    let mut ctx = known().await;
    let mut server = Fake::new().with("waits", no_right()).with("memory", no_right());
    let polled = poll(&mut server, &TIER, &mut ctx).await;
    for id in TIER {
        match id {
            ProbeId::Waits | ProbeId::Memory => {
                assert_eq!(*problem(&polled, id), Unavailable::NoRight("VIEW SERVER STATE".into()));
            }
            _ => assert!(outcome(&polled, id).is_ok(), "{}", id.name()),
        }
    }
    let singly: Vec<_> =
        server.questions().into_iter().skip(1).filter(|q| !ON_DEMAND.contains(&q.as_str())).collect();
    assert_eq!(singly, ["waits", "memory", "cost"], "those without a whole set are asked again, one by one");
    server.asked.clear();
    let again = poll(&mut server, &TIER, &mut ctx).await;
    assert_eq!(*problem(&again, ProbeId::Waits), Unavailable::NoRight("VIEW SERVER STATE".into()));
    assert!(
        !server.questions().iter().any(|q| q.contains("waits") || q.contains("memory")),
        "{:?}",
        server.asked
    );
    // Someone granted the right: known with the next look at rights.
    let mut granted = Fake::new();
    poll(&mut granted, &[ProbeId::Rights], &mut ctx).await;
    let polled = poll(&mut granted, &TIER, &mut ctx).await;
    assert!(outcome(&polled, ProbeId::Waits).is_ok());
}

#[tokio::test]
async fn one_script_that_does_not_compile_spoils_no_other_probe() {
    let mut ctx = known().await;
    let spoiler =
        Fate::SpoilsBatch(207, FailureKind::MissingObject, "Invalid column name 'work_queue_count'.");
    let mut server = Fake::new().with("schedulers", spoiler);
    let polled = poll(&mut server, &TIER, &mut ctx).await;
    for id in TIER {
        if id == ProbeId::Schedulers {
            assert_eq!(*problem(&polled, id), Unavailable::Missing("work_queue_count".into()));
        } else {
            assert!(outcome(&polled, id).is_ok(), "{}", id.name());
        }
    }
    let again = poll(&mut server, &[ProbeId::Schedulers, ProbeId::Waits], &mut ctx).await;
    assert!(outcome(&again, ProbeId::Waits).is_ok());
    assert_eq!(server.questions().last().unwrap(), "waits");
}

#[tokio::test]
async fn an_optional_script_that_fails_costs_only_its_columns() {
    let mut ctx = known().await;
    let mut server = Fake::new().with("grants", no_right());
    let polled = poll(&mut server, &[ProbeId::Activity], &mut ctx).await;
    let Ok(Sample::Activity(a)) = outcome(&polled, ProbeId::Activity) else { panic!("{polled:?}") };
    assert_eq!(a.requests[0].session_id, 57);
    assert_eq!(a.requests[0].grant, None);
}

#[tokio::test]
async fn a_set_that_was_cut_short_is_not_believed() {
    let mut ctx = known().await;
    let mut server = Fake::new().with("waits", Fate::CutShort);
    let polled = poll(&mut server, &[ProbeId::Schedulers, ProbeId::Waits, ProbeId::Memory], &mut ctx).await;
    let Unavailable::Failed(failure) = problem(&polled, ProbeId::Waits) else { panic!("{polled:?}") };
    assert_eq!(failure.number, Some(8115));
    assert!(outcome(&polled, ProbeId::Schedulers).is_ok() && outcome(&polled, ProbeId::Memory).is_ok());
    assert_eq!(server.questions(), ["waits schedulers memory", "memory", "waits", "schedulers"]);
}

#[tokio::test]
async fn an_error_of_the_moment_is_tried_again_with_the_next_poll() {
    let mut ctx = known().await;
    let locked = Fate::Fails(1222, FailureKind::LockTimeout, "Lock request time out period exceeded.");
    let mut server = Fake::new().with("memory", locked);
    let polled = poll(&mut server, &[ProbeId::Memory], &mut ctx).await;
    assert!(
        matches!(problem(&polled, ProbeId::Memory), Unavailable::Failed(f) if f.kind == FailureKind::LockTimeout)
    );
    let polled = poll(&mut Fake::new(), &[ProbeId::Memory], &mut ctx).await;
    assert!(outcome(&polled, ProbeId::Memory).is_ok());
}

#[tokio::test]
async fn a_broken_batch_keeps_what_came_and_isolates_the_culprit() {
    let mut ctx = known().await;
    let mut server = Fake::new().with("schedulers", Fate::Breaks(FailureKind::Timeout));
    let due = [ProbeId::Cost, ProbeId::Headline, ProbeId::Waits, ProbeId::Schedulers, ProbeId::Volumes];
    let polled = poll(&mut server, &due, &mut ctx).await;
    assert_eq!(polled.iter().map(|p| p.probe).collect::<Vec<_>>(), due, "in the order of the question");
    assert!(outcome(&polled, ProbeId::Headline).is_ok(), "whole sets are kept");
    for id in [ProbeId::Waits, ProbeId::Schedulers, ProbeId::Cost, ProbeId::Volumes] {
        let Unavailable::Failed(failure) = problem(&polled, id) else { panic!("{polled:?}") };
        assert!(failure.kind == FailureKind::Timeout || id == ProbeId::Volumes, "{}: {failure}", id.name());
    }
    assert_eq!(server.asked.len(), 1, "nothing is asked on a closed connection");
    let mut anew = Fake::new();
    prepare(&mut anew, &mut ctx).await.unwrap();
    poll(&mut anew, &due, &mut ctx).await;
    assert_eq!(anew.questions()[1..], ["headline counters blocked schedulers cost", "waits", "volumes"]);
}

#[tokio::test]
async fn chains_cost_a_second_round_trip_only_when_something_is_blocked() {
    let mut ctx = known().await;
    let mut calm = Fake::new();
    poll(&mut calm, &[ProbeId::Blocking], &mut ctx).await;
    assert_eq!(calm.questions(), ["blocked"]);
    let blocked =
        Fate::Rows(vec![vec![("requests_seen", Cell::Int(60)), ("blocked_requests", Cell::Int(3))]]);
    let mut storm = Fake::new().with("blocked", blocked).with("connections", no_right());
    let polled = poll(&mut storm, &[ProbeId::Blocking], &mut ctx).await;
    let Ok(Sample::Blocking { tasks, sessions }) = outcome(&polled, ProbeId::Blocking) else {
        panic!("{polled:?}")
    };
    assert_eq!((tasks.len(), sessions.len()), (1, 1));
    assert_eq!(storm.questions()[1], "blocking chain transactions connections input_buffers");
}

#[tokio::test]
async fn locked_objects_are_named_once_each() {
    let mut ctx = known().await;
    let waits_for = |id: i64| {
        let raw = format!("objectlock lockPartition=0 objid={id} subresource=FULL dbid=5 id=lock1 mode=X");
        vec![
            ("session_id", Cell::Int(50 + id)),
            ("blocking_session_id", Cell::Int(88)),
            ("resource_description", Cell::Text(raw)),
        ]
    };
    let blocked =
        Fate::Rows(vec![vec![("requests_seen", Cell::Int(60)), ("blocked_requests", Cell::Int(3))]]);
    let mut server = Fake::new()
        .with("blocked", blocked)
        .with("chain", Fate::Rows(vec![]))
        .with("connections", Fate::Rows(vec![]))
        .with("blocking", Fate::Rows((1..=3).map(waits_for).collect()));
    poll(&mut server, &[ProbeId::Blocking], &mut ctx).await;
    assert_eq!(server.questions()[2..], ["resolve_object", "resolve_object"], "two names a poll");
    let polled = poll(&mut server, &[ProbeId::Blocking], &mut ctx).await;
    let Ok(Sample::Blocking { tasks, .. }) = outcome(&polled, ProbeId::Blocking) else {
        panic!("{polled:?}")
    };
    assert!(
        tasks.iter().all(|t| t.object.as_deref() == Some("some schema_name.some object_name")),
        "{tasks:?}"
    );
    server.asked.clear();
    poll(&mut server, &[ProbeId::Blocking], &mut ctx).await;
    assert_eq!(server.asked.len(), 2, "known by now");
}

#[tokio::test]
async fn a_locked_object_that_may_not_be_named_says_which_right_is_missing() {
    let waits_for = |id: i64, database: i64| {
        let raw =
            format!("objectlock lockPartition=0 objid={id} subresource=FULL dbid={database} id=l mode=X");
        vec![
            ("session_id", Cell::Int(50 + id)),
            ("blocking_session_id", Cell::Int(88)),
            ("resource_description", Cell::Text(raw)),
        ]
    };
    let seen = [("requests_seen", 60), ("blocked_requests", 2)].map(|(name, n)| (name, Cell::Int(n)));
    let denied = Fate::Fails(916, FailureKind::Permission, "not able to access the database");
    let mut server = Fake::new()
        .with("blocked", Fate::Rows(vec![seen.to_vec()]))
        .with("resolve_object", denied)
        .with("blocking", Fate::Rows(vec![waits_for(1, 5), waits_for(2, 99)]));
    let mut ctx = known().await;
    poll(&mut server, &[ProbeId::Blocking], &mut ctx).await;
    let polled = poll(&mut server, &[ProbeId::Blocking], &mut ctx).await;
    let Ok(Sample::Blocking { tasks, .. }) = outcome(&polled, ProbeId::Blocking) else { panic!() };
    let why: Vec<_> = tasks.iter().map(|t| t.unnamed.clone()).collect();
    let lacks = |right: &str| Some(Unavailable::NoRight(right.into()));
    assert_eq!(why, [lacks("CONNECT ANY DATABASE"), lacks("VIEW ANY DATABASE")], "the second is hidden");
}

#[tokio::test]
async fn jobs_at_work_are_named_once_each_and_only_for_who_may_read_them() {
    let request = |n: i64, step: i64| {
        let program =
            format!("SQLAgent - TSQL JobStep (Job 0xFF19966F868B11D0B42D00C04FC964F{n:X} : Step {step})");
        vec![
            ("session_id", Cell::Int(50 + n)),
            ("request_id", Cell::Int(0)),
            ("program_name", Cell::Text(program)),
        ]
    };
    let names = vec![vec![
        ("job_name", Cell::Text("Nightly load".to_owned())),
        ("step_name", Cell::Text("copy rows".to_owned())),
    ]];
    let server = |told: Vec<i64>| {
        Fake::new()
            .with("activity", Fate::Rows(told.into_iter().map(|n| request(n, 2)).collect()))
            .with("sleepers", Fate::Rows(vec![]))
            .with("resolve_job", Fate::Rows(names.clone()))
    };
    let jobs = |polled: &[Polled]| -> Vec<String> {
        let Ok(Sample::Activity(activity)) = outcome(polled, ProbeId::Activity) else { panic!("{polled:?}") };
        activity.requests.iter().map(|r| r.job.as_deref().unwrap_or_default().to_owned()).collect()
    };
    let resolved = |server: &Fake| server.questions().iter().filter(|name| **name == "resolve_job").count();
    let mut ctx = known().await;
    let mut first = server(vec![1, 2, 3]);
    let polled = poll(&mut first, &[ProbeId::Activity], &mut ctx).await;
    assert_eq!(resolved(&first), 2, "two names a poll");
    let by_id = "job 6F9619FF-8B86-D011-B42D-00C04FC964F3 step 2";
    let by_name = "Nightly load, step 2: copy rows";
    assert_eq!(jobs(&polled), [by_name, by_name, by_id]);
    let mut second = server(vec![1, 2, 3]);
    let polled = poll(&mut second, &[ProbeId::Activity], &mut ctx).await;
    assert_eq!((resolved(&second), jobs(&polled)), (1, vec![by_name.to_owned(); 3]));
    let mut third = server(vec![1, 2, 3]);
    poll(&mut third, &[ProbeId::Activity], &mut ctx).await;
    assert_eq!(resolved(&third), 0, "known by now");
    // A refusal is remembered; who lacks the right is not asked at all.
    let denied = Fate::Fails(229, FailureKind::Permission, "SELECT was denied on sysjobs");
    let mut refuses = server(vec![9]).with("resolve_job", denied);
    let polled = poll(&mut refuses, &[ProbeId::Activity], &mut ctx).await;
    assert!(jobs(&polled)[0].starts_with("job 6F96"), "{:?}", jobs(&polled));
    poll(&mut refuses, &[ProbeId::Activity], &mut ctx).await;
    assert_eq!(resolved(&refuses), 1);
    let mut nobody = ProbeContext::new(|| Timestamp::from_ms(NOW));
    let mut server = server(vec![1]);
    poll(&mut server, &[ProbeId::Activity], &mut nobody).await;
    assert_eq!(resolved(&server), 0, "its rights are not known");
}

#[tokio::test]
async fn texts_are_fetched_once_per_handle_and_a_few_at_a_time() {
    let mut ctx = known().await;
    let request = |n: u8| {
        vec![("session_id", Cell::Int(50 + i64::from(n))), ("sql_handle", Cell::Bytes(vec![n % 12; 20]))]
    };
    let text = |n: u8| {
        vec![
            ("sql_handle", Cell::Bytes(vec![n; 20])),
            ("batch_text", Cell::Text(format!("select {n}\u{1b}[31m"))),
        ]
    };
    let mut server = Fake::new()
        .with("activity", Fate::Rows((0..24).map(request).collect()))
        .with("sleepers", Fate::Rows(vec![]))
        .with("texts", Fate::Rows((0..12).map(text).collect()));
    let polled = poll(&mut server, &[ProbeId::Activity], &mut ctx).await;
    let Ok(Sample::Activity(a)) = outcome(&polled, ProbeId::Activity) else { panic!("{polled:?}") };
    assert_eq!(server.params, [0, 8]);
    assert_eq!(a.requests[3].statement.as_ref().unwrap().as_str(), "select 3[31m", "harmless");
    assert!(a.requests[11].statement.is_none(), "twelve handles, eight of them in the first poll");
    poll(&mut server, &[ProbeId::Activity], &mut ctx).await;
    let polled = poll(&mut server, &[ProbeId::Activity], &mut ctx).await;
    let Ok(Sample::Activity(a)) = outcome(&polled, ProbeId::Activity) else { panic!("{polled:?}") };
    assert_eq!(a.requests[11].statement.as_ref().unwrap().as_str(), "select 11[31m");
    assert_eq!(server.params, [0, 8, 0, 8, 0], "the rest with the second poll, nothing with the third");
}

#[tokio::test]
async fn a_set_that_does_not_come_is_a_bad_answer_not_an_empty_one() {
    let mut ctx = known().await;
    let mut server = Fake::new().with("waits", Fate::Silent);
    let polled = poll(&mut server, &[ProbeId::Waits], &mut ctx).await;
    assert!(
        matches!(problem(&polled, ProbeId::Waits), Unavailable::Failed(f) if f.kind == FailureKind::Protocol)
    );
}

#[tokio::test]
async fn set_up_that_a_server_does_not_take_is_passed_over_statement_by_statement() {
    let mut ctx = ProbeContext::new(dbtop::app::clock::now);
    let refused = Fate::Fails(102, FailureKind::Server, "Incorrect syntax near 'NOCOUNT'.");
    let mut server = Fake::new().with("session", refused);
    prepare(&mut server, &mut ctx).await.unwrap();
    assert_eq!(server.asked.len(), 1 + 6, "the whole, then each of the six");
    let mut dead = Fake::new().with("session", Fate::Breaks(FailureKind::Unreachable));
    let failure = prepare(&mut dead, &mut ctx).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
}

#[tokio::test]
async fn what_does_not_apply_is_not_asked() {
    let mut ctx = ProbeContext::new(dbtop::app::clock::now);
    let mut server = Fake::new().with(
        "properties",
        Fate::Rows(vec![vec![("is_hadr_enabled", Cell::Int(0)), ("engine_edition", Cell::Int(4))]]),
    );
    poll(&mut server, &[ProbeId::Properties], &mut ctx).await;
    server.asked.clear();
    let polled = poll(&mut server, &[ProbeId::Availability, ProbeId::Jobs], &mut ctx).await;
    assert!(matches!(problem(&polled, ProbeId::Availability), Unavailable::NotHere(_)));
    assert!(matches!(problem(&polled, ProbeId::Jobs), Unavailable::NotHere(_)));
    assert!(server.asked.is_empty());
}
