//! Questions on demand over real TDS: plans, waits of a session, the buffer pool, on every version of the simulated fleet.

use super::sim::{Client, eventually, fleet};
use dbtop::{
    model::{
        base::failure::FailureKind,
        poll::{
            Sample, State,
            demand::{Demand, Found, PlanSource},
            id::ProbeId,
            query_store::StoredQuery,
        },
    },
    plan::{Plan, Query, Statement, find::findings, time::own},
    probe,
    sim::{
        scenario::Kind,
        world::{
            queries::{self, VICTIMS},
            query_store::number,
            texts::{self, TEXTS},
            version::Version,
        },
    },
};

/// What is known of a server before it is asked.
async fn introduced(sim: &dbtop::sim::Sim, index: usize) -> Client {
    let mut client = Client::new(sim, index).await;
    client.poll(&[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases, ProbeId::Headline]).await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_request_shows_its_plan_and_its_waits_on_every_version() {
    let sim = fleet(Version::ALL.len() * 2, &[(Kind::BlockingStorm, None)]).await;
    let (mut live, mut not_live) = (0, 0);
    for index in 0..Version::ALL.len() * 2 {
        let mut client = introduced(&sim, index).await;
        let running = eventually("something runs", async || {
            let activity = client.activity().await;
            activity.requests.into_iter().find(|r| r.command.is_some() && r.wait_ms.unwrap_or(0) > 0)
        })
        .await;
        let session_id = running.session_id;
        let demand = Demand::SessionPlan { session_id };
        let Ok(Found::Plans(plans)) = probe::demand(&mut client.conn, demand, &mut client.ctx).await else {
            continue; // it ended in between
        };
        let plan = &plans[0];
        // Before 2019 only where trace flag 7412 is set; where it is not, that is said.
        let is_live = plan.source == PlanSource::Live;
        assert!(is_live || client.ctx.major() < Some(15), "{plan:?}");
        let hint = plan.not_live.as_deref().map(|why| why.contains("7412"));
        assert_eq!(hint, (!is_live).then_some(true), "{plan:?}");
        let xml = plan.xml.as_deref().unwrap();
        let read = Plan::read(xml.as_bytes()).unwrap();
        let asked = read.statements.iter().find(|s| s.is_of(plan.query_hash.unwrap())).expect("what it runs");
        // A backup has no tree.
        let has_run = asked.queries.iter().any(Query::is_actual);
        assert!(has_run == is_live || asked.queries.is_empty(), "{xml}");
        (live, not_live) = (live + usize::from(is_live), not_live + usize::from(!is_live));
        let demand = Demand::SessionWaits { session_id };
        let Ok(Found::Waits(waits)) = probe::demand(&mut client.conn, demand, &mut client.ctx).await else {
            panic!("no waits")
        };
        assert!(waits.iter().all(|wait| wait.ms > Some(0)), "{waits:?}");
    }
    assert!(live > 2 && not_live > 0, "{live} live, {not_live} not: choose another seed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_tells_what_its_client_sent_with_the_statement_that_runs_on_every_version() {
    let sim = fleet(Version::ALL.len(), &[(Kind::BlockingStorm, None)]).await;
    let (mut batches, mut calls, mut sleepers) = (0, 0, 0);
    for index in 0..Version::ALL.len() {
        let mut client = introduced(&sim, index).await;
        let requests = eventually("sessions are told with their texts", async || {
            let told = client.activity().await.requests;
            told.iter().any(|r| r.statement.is_some() && r.command.is_some()).then_some(told)
        })
        .await;
        for request in requests.iter().take(12) {
            let demand = Demand::SessionInput { session_id: request.session_id };
            let Ok(Found::Sent(sent)) = probe::demand(&mut client.conn, demand, &mut client.ctx).await else {
                continue; // it ended in between
            };
            let [sent] = &sent[..] else { panic!("one request: {sent:?}") };
            let (text, runs) = (sent.text.as_ref().unwrap(), request.command.is_some());
            match sent.event.as_deref() {
                Some("RPC Event") => {
                    assert!(text.text.batch.ends_with(";1"), "{sent:?}");
                    // Its statement is one of the module.
                    calls += usize::from(sent.running.is_some());
                }
                Some("Language Event") if runs => {
                    assert_eq!(sent.running, None, "it stands in the text");
                    let known = request.statement.as_ref().filter(|known| !known.as_str().trim().is_empty());
                    // Another one may have begun in between.
                    batches += usize::from(known.is_some_and(|known| known.as_str().trim() == text.as_str()));
                }
                Some("Language Event") => sleepers += 1,
                other => panic!("{other:?}"),
            }
        }
        let nobody = Demand::SessionInput { session_id: 32_000 };
        let failure = probe::demand(&mut client.conn, nobody, &mut client.ctx).await.unwrap_err();
        assert!(failure.text.contains("session 32000 is gone"), "{failure:?}");
    }
    assert!(batches > 0 && calls > 0 && sleepers > 0, "{batches} {calls} {sleepers}: choose another seed");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_found_in_the_plan_cache_by_its_hash_and_one_that_is_not_says_why() {
    let sim = fleet(1, &[]).await;
    let mut client = introduced(&sim, 0).await;
    let query_hash = eventually("a query runs", async || {
        client.activity().await.requests.into_iter().find_map(|r| r.query_hash)
    })
    .await;
    let demand = Demand::Plans { query_hash };
    let found = probe::demand(&mut client.conn, demand, &mut client.ctx).await;
    let Ok(Found::Plans(plans)) = found else { panic!("{found:?}") };
    assert_eq!(plans[0].source, PlanSource::Cached);
    assert!(plans[0].runs > Some(0) && plans[0].cpu_ms > Some(0.0) && plans[0].plan_hash.is_some());
    let read = Plan::read(plans[0].xml.as_deref().unwrap().as_bytes()).unwrap();
    let hash = read.statements[0].query_hash.as_deref().unwrap();
    assert_eq!(hash, format!("0x{query_hash:016X}"), "it is that query");
    let demand = Demand::Plans { query_hash: 12 };
    let failure = probe::demand(&mut client.conn, demand, &mut client.ctx).await.unwrap_err();
    assert!(failure.kind == FailureKind::MissingObject && failure.text.contains("RECOMPILE"), "{failure:?}");
    let failure =
        probe::demand(&mut client.conn, Demand::SessionPlan { session_id: 3 }, &mut client.ctx).await;
    assert!(failure.unwrap_err().text.contains("session 3 runs nothing now"));
}

/// What Query Store told, and the first of its queries that this holds for.
async fn stored(client: &mut Client, is_it: impl Fn(&StoredQuery) -> bool) -> Option<StoredQuery> {
    client.ctx.set_focused(true);
    let Ok(Sample::Known(State::QueryStore(table))) = client.one(ProbeId::QueryStore).await else {
        panic!("no stores")
    };
    table.queries.iter().find(|query| is_it(query)).cloned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_plans_of_a_query_that_regressed_come_out_of_query_store_on_every_version() {
    let sim = fleet(Version::ALL.len() * 2, &[(Kind::PlanRegression, None)]).await;
    let victim = VICTIMS.iter().find(|victim| victim.kind == Kind::PlanRegression).unwrap();
    let mut shown = 0;
    for index in 0..Version::ALL.len() * 2 {
        let mut client = introduced(&sim, index).await;
        let hash = u64::from_be_bytes(queries::hash(&sim.fleet().profiles[index], victim.template));
        let database_id = texts::database_of(sim.fleet().profiles[index].dice, victim.template);
        let query_id = number(victim.template);
        let demand = Demand::StoredPlans { database_id, query_id };
        let found = probe::demand(&mut client.conn, demand, &mut client.ctx).await;
        if client.ctx.rights().unwrap().held("CONNECT ANY DATABASE") == Some(false) {
            let failure = found.unwrap_err();
            assert!(failure.text.contains("CONNECT ANY DATABASE"), "{failure:?}");
            continue;
        }
        if found.as_ref().is_err_and(|failure| failure.kind == FailureKind::MissingObject) {
            continue; // its database has no store: before 2022 not all have one
        }
        let Ok(Found::Plans(plans)) = found else { panic!("{found:?}") };
        shown += 1;
        assert_eq!(plans.len(), 2, "the bad one and the good one before it: {plans:?}");
        let codes = plans.iter().map(|plan| codes(plan.xml.as_deref().unwrap())).collect::<Vec<_>>();
        assert!(
            codes[0].contains(&"P02") && !codes[1].contains(&"P02"),
            "the one that ran last first: {codes:?}"
        );
        for plan in &plans {
            let stored = plan.stored.as_ref().unwrap();
            assert_eq!((plan.source, stored.query_id), (PlanSource::Stored, query_id));
            assert!(!stored.database.starts_with("db ") && stored.xml_bytes > Some(1_000), "{stored:?}");
            assert!(plan.runs > Some(0) && plan.started_at.is_some() && plan.compiled_at < plan.started_at);
            let xml = plan.xml.as_deref().unwrap();
            let read = Plan::read(xml.as_bytes()).unwrap();
            assert_eq!(read.statements[0].query_hash.as_deref(), Some(&*format!("0x{hash:016X}")));
            let demand = Demand::StoredPlan { database_id, plan_id: stored.plan_id };
            let one = probe::demand(&mut client.conn, demand, &mut client.ctx).await;
            let Ok(Found::Plans(one)) = one else { panic!("{one:?}") };
            assert_eq!((one.len(), one[0].xml.as_deref()), (1, Some(xml)));
        }
        let gone = Demand::StoredPlan { database_id, plan_id: 999_999 };
        let failure = probe::demand(&mut client.conn, gone, &mut client.ctx).await.unwrap_err();
        assert!(
            failure.kind == FailureKind::MissingObject && failure.text.contains("any more"),
            "{failure:?}"
        );
    }
    assert!(shown >= Version::ALL.len() / 2, "{shown} stores have it: choose another seed");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stored_plan_says_that_it_is_forced_and_fails_and_variants_have_one_each() {
    let sim = fleet(Version::ALL.len(), &[(Kind::PlanForceFailure, Some(3.6e6))]).await;
    let (mut failing, mut with_variants) = (0, 0);
    for index in 0..Version::ALL.len() {
        let mut client = introduced(&sim, index).await;
        let plans = async |client: &mut Client, query: StoredQuery| {
            let demand = Demand::StoredPlans { database_id: query.database_id, query_id: query.query_id };
            match probe::demand(&mut client.conn, demand, &mut client.ctx).await {
                Ok(Found::Plans(plans)) => plans,
                other => panic!("{query:?}: {other:?}"),
            }
        };
        if let Some(query) = stored(&mut client, |query| query.forced.is_some()).await {
            let plan_id = query.forced.as_ref().unwrap().plan_id;
            let plans = plans(&mut client, query).await;
            let stored = plans.iter().filter_map(|plan| plan.stored.as_ref()).find(|stored| stored.is_forced);
            let stored = stored.unwrap();
            assert_eq!(stored.plan_id, plan_id, "as the poll numbers it");
            let words = stored.forced_words().unwrap();
            failing += usize::from(words.contains("an index of it is not there"));
        }
        if let Some(query) = stored(&mut client, |query| query.variants > 0).await {
            let plans = plans(&mut client, query).await;
            assert_eq!(plans.len(), 2, "a plan of each variant: {plans:?}");
            assert_ne!(plans[0].plan_hash, plans[1].plan_hash);
            with_variants += 1;
        }
    }
    assert!(failing > 0 && with_variants > 0, "{failing} {with_variants}");
    sim.stop().await;
}

/// The findings of the plan of a statement by their codes.
fn codes(xml: &str) -> Vec<&'static str> {
    codes_of(&Plan::read(xml.as_bytes()).unwrap().statements[0])
}

fn codes_of(statement: &Statement) -> Vec<&'static str> {
    let query = &statement.queries[0];
    findings(statement, query, &own(query)).into_iter().map(|finding| finding.code).collect()
}

/// The statement of a batch that is the query.
fn asked_of(batch: &Plan, query_hash: u64) -> &Statement {
    batch.statements.iter().find(|statement| statement.is_of(query_hash)).expect("the query")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_seek_an_index_that_is_gone_and_a_sniffed_value_show_in_the_plans_of_their_queries() {
    for (kind, module, wanted, is_estimated) in [
        (Kind::PlanRegression, Some("dbo.usp_GetPage"), ["P02", "P01"], true),
        (Kind::MissingIndex, None, ["P01", "P04"], true),
        (Kind::ParameterSniffing, Some("rpt.usp_MonthlyTurnover"), ["P15", "P08"], false),
    ] {
        let sim = fleet(Version::ALL.len(), &[(kind, None)]).await;
        for index in 0..Version::ALL.len() {
            let mut client = introduced(&sim, index).await;
            let victim = VICTIMS.iter().find(|victim| victim.kind == kind).unwrap();
            let text = &TEXTS[usize::from(victim.template)];
            assert_eq!(text.proc, module);
            let profile = &sim.fleet().profiles[index];
            let query_hash = u64::from_be_bytes(queries::hash(profile, victim.template));
            let demand = Demand::Plans { query_hash };
            let found = probe::demand(&mut client.conn, demand, &mut client.ctx).await;
            let Ok(Found::Plans(plans)) = found else { panic!("{kind}: {found:?}") };
            let of = |source| plans.iter().filter(move |plan| plan.source == source);
            assert_eq!(of(PlanSource::Cached).count(), 2, "{kind}: the bad one and the good one before it");
            let last: Vec<_> = of(PlanSource::LastActual).collect();
            // Servers before 2019 do not have them.
            assert_eq!(last.len(), usize::from(client.ctx.major() >= Some(15)), "{kind} on {index}");
            for plan in last {
                let xml = plan.xml.as_deref().unwrap();
                let batch = Plan::read(xml.as_bytes()).unwrap();
                // A procedure has another statement before it, which may take longer.
                assert_eq!(batch.statements.len(), 1 + usize::from(module.is_some()), "{kind}");
                assert_eq!(plan.query_hash, Some(query_hash));
                let query = &asked_of(&batch, query_hash).queries[0];
                assert!(query.is_actual() && query.is_timed() && plan.runs == Some(1), "{kind}");
                let codes = codes_of(asked_of(&batch, query_hash));
                assert!(wanted.iter().all(|code| codes.contains(code)), "{kind}: {codes:?}");
                assert!(
                    query
                        .parameters
                        .iter()
                        .any(|p| p.compiled.is_some() && p.runtime.is_some() && p.compiled != p.runtime),
                    "{kind}: compiled and run-time values"
                );
            }
            if is_estimated {
                let codes = codes(of(PlanSource::Cached).next().unwrap().xml.as_deref().unwrap());
                assert!(codes.contains(&"P01"), "{kind}: {codes:?}");
            }
        }
        sim.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_database_tells_what_is_free_inside_of_its_files_on_every_version_or_why_not() {
    let sim = fleet(Version::ALL.len() * 2, &[]).await;
    let (mut closed, mut open) = (0, 0);
    for index in 0..Version::ALL.len() * 2 {
        let mut client = introduced(&sim, index).await;
        let demand = Demand::FreeSpace { database_id: None };
        let found = probe::demand(&mut client.conn, demand, &mut client.ctx).await;
        let Ok(Found::Room(databases)) = found else { panic!("{found:?}") };
        assert!(databases.len() > 4, "{databases:?}");
        for database in &databases {
            match &database.files {
                Ok(files) => {
                    open += 1;
                    assert!(files.len() == 2, "data and log: {database:?}");
                    assert!(
                        files.iter().all(|f| f.size_kb > f.used_kb && f.used_kb > Some(0)),
                        "{database:?}"
                    );
                }
                Err(why) => {
                    closed += 1;
                    assert!(why.contains("CONNECT ANY DATABASE"), "{database:?}");
                }
            }
        }
        let one = Demand::FreeSpace { database_id: Some(1) };
        let found = probe::demand(&mut client.conn, one, &mut client.ctx).await;
        let Ok(Found::Room(databases)) = found else { panic!("{found:?}") };
        assert_eq!(databases.iter().map(|d| &*d.database).collect::<Vec<_>>(), ["master"]);
    }
    assert!(open > closed && closed > 0, "{open} told, {closed} closed: choose another seed");
    let mut client = introduced(&sim, 0).await;
    let gone = Demand::FreeSpace { database_id: Some(9_999) };
    let failure = probe::demand(&mut client.conn, gone, &mut client.ctx).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::MissingObject);
    sim.stop().await;
    let sim = fleet(1, &[(Kind::NoRights, None)]).await;
    let mut client = introduced(&sim, 0).await;
    let demand = Demand::FreeSpace { database_id: None };
    let found = probe::demand(&mut client.conn, demand, &mut client.ctx).await;
    let Ok(Found::Room(databases)) = found else { panic!("{found:?}") };
    assert!(databases.iter().all(|d| d.files.is_err()), "{databases:?}");
    let is_named = |database: &str| {
        let found = databases.iter().find(|d| &*d.database == database);
        found.and_then(|d| d.files.as_ref().err()).is_some_and(|why| why.contains("STATE"))
    };
    assert!(is_named("master"), "{databases:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_cache_tells_what_ran_once_only() {
    let sim = fleet(1, &[]).await;
    let mut client = introduced(&sim, 0).await;
    let found = probe::demand(&mut client.conn, Demand::PlanCache, &mut client.ctx).await;
    let Ok(Found::PlanCache(kinds)) = found else { panic!("{found:?}") };
    assert!(kinds.iter().any(|kind| &*kind.name == "Adhoc"), "{kinds:?}");
    for kind in &kinds {
        assert!(kind.plans >= kind.single && kind.bytes >= kind.single_bytes, "{kind:?}");
        assert!(kind.single > Some(0), "{kind:?}");
    }
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_buffer_pool_is_told_by_database_and_a_missing_right_is_named() {
    let sim = fleet(1, &[]).await;
    let mut client = introduced(&sim, 0).await;
    let found = probe::demand(&mut client.conn, Demand::BufferPool, &mut client.ctx).await;
    let Ok(Found::Buffers(buffers)) = found else { panic!("{found:?}") };
    assert!(buffers.len() > 3 && buffers.is_sorted_by(|a, b| a.pages >= b.pages), "{buffers:?}");
    assert!(buffers.iter().all(|row| !row.database.starts_with("db ")), "names: {buffers:?}");
    let sim = fleet(1, &[(Kind::NoRights, None)]).await;
    let mut client = introduced(&sim, 0).await;
    let of_session = [Demand::SessionPlan { session_id: 60 }, Demand::SessionInput { session_id: 60 }];
    for demand in [Demand::BufferPool, Demand::PlanCache].into_iter().chain(of_session) {
        let failure = probe::demand(&mut client.conn, demand, &mut client.ctx).await.unwrap_err();
        let is_unseen = ["STATE", "runs nothing", "is gone"];
        let told = is_unseen.iter().any(|words| failure.text.contains(words));
        assert!(told, "{demand}: {failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_databases_have_no_more_pages_in_memory_than_their_clerk() {
    for trouble in [&[][..], &[(Kind::GrantHog, Some(95.0))]] {
        let sim = fleet(2, trouble).await;
        for index in 0..2 {
            let mut client = introduced(&sim, index).await;
            let found = probe::demand(&mut client.conn, Demand::BufferPool, &mut client.ctx).await;
            let Ok(Found::Buffers(buffers)) = found else { panic!("{found:?}") };
            let clerks = match client.one(ProbeId::Clerks).await {
                Ok(Sample::Known(State::Clerks(table))) => table,
                other => panic!("{other:?}"),
            };
            let (by_database, by_clerk) = (
                buffers.iter().filter_map(|row| row.pages).sum::<i64>() * 8,
                clerks.buffer_pool_kb().unwrap(),
            );
            // It still fills between the two questions.
            let room = by_clerk / 100;
            assert!(by_database > 0 && by_database <= by_clerk + room, "{by_database} of {by_clerk}");
        }
        sim.stop().await;
    }
}
