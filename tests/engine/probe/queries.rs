//! Queries of the plan cache over the wire: what a simulated server tells, and what the fold makes of two polls.

use super::sim::{Client, eventually, fleet, target};
use dbtop::{
    model::{
        fold::{Fleet, update::Update},
        judge::health::Thresholds,
        poll::{
            counts::Ran,
            id::ProbeId,
            queries::{QueryRow, QueryTable},
        },
    },
    probe::Polled,
    sim::{Sim, scenario::Kind},
};
use std::{collections::HashMap, sync::Arc};

/// A client, and the fold of what it polls.
struct Watched {
    client: Client,
    fleet: Fleet,
    id: dbtop::model::inventory::instance::InstanceId,
}

impl Watched {
    async fn new(sim: &Sim) -> Self {
        let mut client = Client::new(sim, 0).await;
        client.ctx.set_focused(true);
        client.poll(&[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases]).await;
        let info = target(sim, 0).info;
        let (mut fleet, id) = (Fleet::new(Thresholds::default()), info.id.clone());
        fleet.apply(Update::Inventory(vec![info]));
        Self { client, fleet, id }
    }

    /// Polls once more.
    async fn queries(&mut self) -> Option<Arc<QueryTable>> {
        for Polled { probe, took_ms, outcome } in self.client.poll(&[ProbeId::Queries]).await {
            assert!(outcome.is_ok(), "{outcome:?}");
            let (instance, at) = (self.id.clone(), dbtop::app::clock::now());
            self.fleet.apply(Update::Polled { instance, probe, at, took_ms, every_ms: 20_000, outcome });
        }
        self.fleet.snapshot(dbtop::app::clock::now()).instances[0].facts.queries.get().cloned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_have_their_statements_figures_and_a_part_of_the_cpu() {
    let sim = fleet(1, &[]).await;
    let mut watched = Watched::new(&sim).await;
    assert!(watched.queries().await.is_none(), "one poll tells no growth");
    let table = eventually("queries with statements", async || {
        let table = watched.queries().await?;
        (table.queries.len() > 3 && table.queries.iter().all(|q| q.statement.is_some())).then_some(table)
    })
    .await;
    let first = &table.queries[0];
    assert!(first.cpu_us > Some(0) && first.runs > Some(0) && first.reads > Some(0), "{first:?}");
    assert!(first.plans > Some(0) && first.plan_hash.is_some() && first.database.is_some(), "{first:?}");
    assert!(first.spills.is_some() && first.dop >= first.runs, "{first:?}");
    assert!(first.plan.as_ref().is_some_and(|plan| plan.handle.len() > 8), "{first:?}");
    assert!(table.coverage_pct().is_some_and(|pct| pct > 5.0), "{:?}", table.coverage_pct());
    let of_module = table.queries.iter().find(|q| q.module.is_some());
    let of_module = of_module.unwrap_or_else(|| panic!("{table:?}"));
    assert!(of_module.module.as_deref().unwrap().contains('.'), "{of_module:?}");
    let statement = of_module.statement.as_ref().unwrap().as_str();
    assert!(!statement.contains("CREATE PROCEDURE"), "the statement alone: {statement}");
    sim.stop().await;
}

/// The simulator tells all that ran, so that a query that is not among them idled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_idled_for_some_polls_is_told_with_all_its_runs() {
    let sim = fleet(1, &[]).await;
    let mut watched = Watched::new(&sim).await;
    let (mut told, mut poll) = (HashMap::new(), 0);
    let again = eventually("a query that comes back", async || {
        poll += 1;
        let table = watched.queries().await?;
        let is_back =
            |q: &&QueryRow| told.get(&q.hash).is_some_and(|last| poll - last > 2) && q.runs > Some(0);
        let back = table.queries.iter().find(is_back).cloned();
        told.extend(table.queries.iter().map(|q| (q.hash, poll)));
        back
    })
    .await;
    assert!(!again.at_least && again.own_ms == 0, "{again:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_changed_for_the_worse_is_told_with_both_plans() {
    let sim = fleet(1, &[]).await;
    let mut watched = Watched::new(&sim).await;
    let of_page = |table: &QueryTable| {
        let is_page = |module: &str| module == "dbo.usp_GetPage";
        table.queries.iter().find(|q| q.module.as_deref().is_some_and(is_page)).cloned()
    };
    let before = eventually("the query by its good plan", async || {
        of_page(&*watched.queries().await?).filter(|q| q.runs > Some(0) && !q.at_least)
    })
    .await;
    sim.set("*", Kind::PlanRegression, None);
    let changed = eventually("the query by its bad plan", async || {
        of_page(&*watched.queries().await?).filter(|q| q.old_plan_hash.is_some())
    })
    .await;
    assert_eq!(changed.old_plan_hash, before.plan_hash);
    let after = eventually("more of it", async || {
        of_page(&*watched.queries().await?)
            .filter(|q| q.runs > Some(0) && q.old_plan_hash.is_none() && !q.at_least)
    })
    .await;
    assert!(after.plan_hash == changed.plan_hash, "{after:?}");
    let times = after.per_run(after.cpu_us).unwrap() / before.per_run(before.cpu_us).unwrap();
    assert!((8.0..40.0).contains(&times), "{times} times the CPU");
    sim.stop().await;
}
