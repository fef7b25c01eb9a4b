//! Query Store and modules over the wire: what every version tells of its databases, with which rights, and what is read once.

use super::sim::{Client, eventually, fleet, target};
use dbtop::{
    model::{
        fold::{Fleet, update::Update},
        inventory::record::PollSettings,
        judge::{
            health::{Level, Thresholds, Topic},
            why::Why,
        },
        poll::{
            Sample, State,
            id::ProbeId,
            modules::{ModuleKind, ModuleTable},
            query_store::{QueryStoreTable, StoreState},
        },
    },
    probe::Polled,
    sim::{Sim, SimConfig, scenario::Kind, world::version::Version},
};
use std::sync::Arc;

const FIRST: [ProbeId; 4] = [ProbeId::Rights, ProbeId::Properties, ProbeId::Databases, ProbeId::Headline];

async fn client(sim: &Sim, index: usize) -> Client {
    let mut client = Client::new(sim, index).await;
    client.ctx.set_focused(true);
    client.poll(&FIRST).await;
    client
}

async fn stored(client: &mut Client) -> Arc<QueryStoreTable> {
    match client.one(ProbeId::QueryStore).await {
        Ok(Sample::Known(State::QueryStore(table))) => table,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_tells_its_stores_and_their_queries_or_says_per_database_why_not() {
    let sim = fleet(12, &[]).await;
    let (mut entered, mut refused, mut off, mut variants, mut waited) = (0, 0, 0, 0, 0);
    let (mut hints, mut feedback, mut replicas) = (0, 0, 0);
    for index in 0..12 {
        let mut client = client(&sim, index).await;
        let year = client.ctx.major().unwrap();
        let table = stored(&mut client).await;
        assert!(!table.stores.is_empty(), "{index}: the first user database has one");
        let may_enter = client.ctx.rights().unwrap().held("CONNECT ANY DATABASE") != Some(false);
        for store in &table.stores {
            assert!(store.database.is_some(), "{store:?}");
            if let Some(problem) = store.problem.as_deref() {
                assert_eq!(problem, "n/a (CONNECT ANY DATABASE)", "{store:?}");
                assert!(!may_enter && store.state.is_none() && store.size_mb.is_none(), "{store:?}");
                refused += 1;
                continue;
            }
            entered += 1;
            if store.state() == Some(StoreState::Off) {
                // A secondary replica, whose rows are those of the primary.
                let why = store.why_words().unwrap_or_default();
                assert!(
                    why.contains("holds rows") && why.contains("this is a secondary replica"),
                    "{store:?}"
                );
                assert_eq!(store.is_secondary, Some(true));
                assert!(
                    !store.is_problem() && table.of(store.database_id).any(|query| query.now.runs.is_some())
                );
                off += 1;
            } else {
                assert_eq!((store.state(), store.is_secondary), (Some(StoreState::ReadWrite), Some(false)));
            }
            assert!(store.used_pct().is_some_and(|pct| pct > 0.0 && pct < 100.0), "{store:?}");
            let (from, to) = store.from.zip(store.to).unwrap();
            assert!(to - from == 3_600_000, "an hour, whatever the interval: {store:?}");
            let ran = table.of(store.database_id).filter(|query| query.now.runs.is_some()).count() as i64;
            assert!(store.total.is_some_and(|total| total >= ran), "{store:?}");
        }
        for query in table.queries.iter().filter(|query| query.now.runs.is_some()) {
            assert!(query.cpu_ms_per_s() >= Some(0.0) && query.before.runs >= query.now.runs, "{query:?}");
            assert!(query.statement.as_ref().is_some_and(|s| !s.as_str().is_empty()), "{query:?}");
            assert!(query.hash.is_some() && query.max_us >= query.min_us, "{query:?}");
            assert!(query.query_id < 100_000, "variants are added up under their query: {query:?}");
            variants += usize::from(query.variants == 2);
            assert!(query.variants == 0 || year >= 16, "variants are from 2022 on");
            waited += usize::from(!query.waits.is_empty());
            assert!(query.waits.is_empty() || year >= 14, "waits are from 2017 on");
            assert!(query.feedback.is_none() && query.hint.is_none() || year >= 16, "{query:?}");
            let parts = query.replicas.iter().filter_map(|replica| replica.runs.runs);
            assert!(
                query.replicas.is_empty() || year >= 16 && parts.sum::<i64>() == query.now.runs.unwrap(),
                "{query:?}"
            );
            replicas += usize::from(query.replicas.len() == 2);
            hints += usize::from(query.hint.as_deref() == Some("OPTION(MAXDOP 2)"));
            feedback += usize::from(query.feedback.as_deref() == Some("memory grant: verification passed"));
        }
    }
    assert!(
        entered > 5 && refused > 0 && off > 0 && variants > 0 && waited > 5 && hints > 0 && feedback > 0,
        "{entered} {refused} {off} {variants} {waited} {hints} {feedback}"
    );
    assert!(replicas > 0, "a new version is in a group");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_right_each_database_says_so_and_the_probe_stands() {
    let sim = fleet(2, &[(Kind::NoRights, None)]).await;
    let mut client = client(&sim, 0).await;
    let table = stored(&mut client).await;
    assert!(table.queries.is_empty() && !table.stores.is_empty());
    for store in &table.stores {
        assert_eq!(store.problem.as_deref(), Some("n/a (CONNECT ANY DATABASE)"), "{store:?}");
    }
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_interval_is_read_once_and_databases_that_nobody_wants_are_left_out() {
    let sim = fleet(1, &[]).await;
    let mut client = client(&sim, 0).await;
    let first = stored(&mut client).await;
    assert!(first.queries.iter().any(|query| query.now.runs.is_some()), "{first:?}");
    let second = stored(&mut client).await;
    let numbers = |table: &QueryStoreTable| -> Vec<_> {
        table.queries.iter().map(|query| (query.database_id, query.query_id, query.now)).collect()
    };
    let intervals =
        |table: &QueryStoreTable| -> Vec<_> { table.stores.iter().map(|store| store.interval_id).collect() };
    // An interval may close between the two; then both are new.
    if intervals(&first) == intervals(&second) {
        assert_eq!(numbers(&first), numbers(&second), "what was read stays, and is not asked again");
    }
    assert!(client.ctx.watermarks().query_store.is_some());
    let name = first.stores[0].database.clone().unwrap();
    let settings = PollSettings { databases_out: vec![name.to_string()], ..PollSettings::default() };
    client.ctx.want_databases(Arc::new(settings));
    let third = stored(&mut client).await;
    assert!(third.stores.iter().all(|store| store.database.as_deref() != Some(&*name)), "{third:?}");
    assert!(third.queries.iter().all(|query| query.database.as_deref() != Some(&*name)));
    sim.stop().await;
}

/// A client, and the fold of what it polls.
struct Watched {
    client: Client,
    fleet: Fleet,
    id: dbtop::model::inventory::instance::InstanceId,
}

impl Watched {
    async fn new(sim: &Sim) -> Self {
        let client = client(sim, 0).await;
        let info = target(sim, 0).info;
        let (mut fleet, id) = (Fleet::new(Thresholds::default()), info.id.clone());
        fleet.apply(Update::Inventory(vec![info]));
        Self { client, fleet, id }
    }

    async fn poll(&mut self, probe: ProbeId) -> Arc<dbtop::model::fold::snapshot::FleetSnapshot> {
        for Polled { probe, took_ms, outcome } in self.client.poll(&[probe, ProbeId::Headline]).await {
            let (instance, at) = (self.id.clone(), dbtop::app::clock::now());
            self.fleet.apply(Update::Polled { instance, probe, at, took_ms, every_ms: 20_000, outcome });
        }
        self.fleet.snapshot(dbtop::app::clock::now())
    }

    async fn modules(&mut self) -> Option<Arc<ModuleTable>> {
        self.poll(ProbeId::Modules).await.instances[0].facts.modules.get().cloned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fills_turns_read_only_and_is_a_reason() {
    let sim = fleet(1, &[(Kind::QueryStoreFull, Some(1.0))]).await;
    let mut watched = Watched::new(&sim).await;
    let reasons = |snapshot: &dbtop::model::fold::snapshot::FleetSnapshot| -> Vec<_> {
        let reasons = snapshot.instances[0].health.reasons.iter();
        reasons.filter(|reason| reason.topic == Topic::QueryStore).cloned().collect()
    };
    let filling = watched.poll(ProbeId::QueryStore).await;
    assert!(reasons(&filling).is_empty(), "it fills, and is not full");
    sim.clear("*", Kind::QueryStoreFull);
    sim.set("*", Kind::QueryStoreFull, Some(1e9));
    let full = eventually("a store that is full", async || {
        let snapshot = watched.poll(ProbeId::QueryStore).await;
        (!reasons(&snapshot).is_empty()).then_some(snapshot)
    })
    .await;
    let [reason] = &reasons(&full)[..] else { panic!("{full:?}") };
    assert!(matches!(reason.why(), Why::StoreFull { database: Some(_), more: 0 }), "{reason:?}");
    assert_eq!(reason.level, Level::Warning);
    let table = full.instances[0].facts.query_store.get().unwrap();
    let store = table.stores.iter().find(|store| store.is_full()).unwrap();
    assert_eq!((store.state(), store.size_mb), (Some(StoreState::ReadOnly), store.cap_mb));
    assert_eq!(store.why_words().as_deref(), Some("it reached its size cap"));
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_cannot_be_forced_any_more_is_a_reason_when_its_failures_rise() {
    let sim = fleet(1, &[(Kind::PlanForceFailure, Some(3.6e6))]).await;
    let mut watched = Watched::new(&sim).await;
    let first = watched.poll(ProbeId::QueryStore).await;
    let is_told = |snapshot: &dbtop::model::fold::snapshot::FleetSnapshot| {
        snapshot.instances[0].health.reasons.iter().any(|reason| reason.topic == Topic::QueryStore)
    };
    assert!(!is_told(&first), "one poll tells no rise");
    let risen = eventually("failures that rise", async || {
        let snapshot = watched.poll(ProbeId::QueryStore).await;
        is_told(&snapshot).then_some(snapshot)
    })
    .await;
    let table = risen.instances[0].facts.query_store.get().unwrap();
    let failing = table.queries.iter().find(|query| query.is_failing()).unwrap();
    let plan = failing.forced.as_ref().unwrap();
    assert!(plan.failures > plan.new_failures && plan.new_failures > Some(0), "{plan:?}");
    assert_eq!(plan.reason_words(), Some("an index of it is not there"));
    assert!(failing.module.is_some() && failing.statement.is_some(), "{failing:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn procedures_triggers_and_functions_have_names_and_figures_on_every_version() {
    for version in Version::ALL {
        let config =
            SimConfig { instances: 1, versions: vec![version], port: Some(0), ..SimConfig::default() };
        let sim = Sim::start(config).await.unwrap();
        let mut watched = Watched::new(&sim).await;
        assert!(watched.modules().await.is_none(), "one poll tells no growth");
        let kinds = [ModuleKind::Procedure, ModuleKind::Trigger, ModuleKind::Function];
        let table = eventually("modules of each kind with names", async || {
            let table = watched.modules().await?;
            let has = |kind: &ModuleKind| table.modules.iter().any(|m| m.kind == *kind);
            (kinds.iter().all(has) && table.modules.iter().all(|m| m.name.is_some())).then_some(table)
        })
        .await;
        for module in &table.modules {
            let name = module.name.as_deref().unwrap();
            let begins = match module.kind {
                ModuleKind::Trigger => "dbo.trg_",
                ModuleKind::Function => "dbo.fn_",
                _ => "",
            };
            assert!(name.contains('.') && name.starts_with(begins), "{module:?}");
            assert!(module.runs > Some(0) && module.cpu_us > Some(0) && module.reads.is_some(), "{module:?}");
            assert!(module.database.is_some() && module.cached_at.is_some(), "{module:?}");
        }
        assert_eq!(table.lacking, [], "{version}");
        sim.stop().await;
    }
}
