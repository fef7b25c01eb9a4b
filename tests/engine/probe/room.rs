//! Probes of what holds room, against the simulated fleet: tempdb, transaction logs, how files grow, memory grants.

use super::sim::{Client, eventually, file_latency, fleet};
use dbtop::{
    model::poll::{
        Sample, State,
        grants::GrantTable,
        growths::{FileGrowth, GrowthTable},
        id::ProbeId,
        log_use::LogUseTable,
        logs::LogRow,
        properties::Hosting,
        reading::Unavailable,
        room::FileUse,
        space::{Fits, Growth, SpaceTable},
        tempdb::{PageKind, TempdbTable},
        volumes::VolumeRow,
    },
    sim::{
        Sim, SimConfig,
        scenario::{Kind, Scenario},
        world::version::Version,
    },
};
use std::sync::Arc;

const FIRST: [ProbeId; 3] = [ProbeId::Rights, ProbeId::Properties, ProbeId::Databases];

async fn client(sim: &Sim, index: usize) -> Client {
    let mut client = Client::new(sim, index).await;
    client.poll(&FIRST).await;
    client
}

async fn tempdb(client: &mut Client) -> Arc<TempdbTable> {
    match client.one(ProbeId::TempdbUse).await {
        Ok(Sample::Known(State::TempdbUse(table))) => table,
        other => panic!("{other:?}"),
    }
}

async fn logs(client: &mut Client) -> Arc<Vec<LogRow>> {
    match client.one(ProbeId::Logs).await {
        Ok(Sample::Known(State::Logs(logs))) => logs,
        other => panic!("{other:?}"),
    }
}

async fn log_use(client: &mut Client) -> Arc<LogUseTable> {
    match client.one(ProbeId::LogUse).await {
        Ok(Sample::Known(State::LogUse(table))) => table,
        other => panic!("{other:?}"),
    }
}

async fn space(client: &mut Client) -> Arc<SpaceTable> {
    match client.one(ProbeId::Space).await {
        Ok(Sample::Known(State::Space(table))) => table,
        other => panic!("{other:?}"),
    }
}

async fn volumes(client: &mut Client) -> Arc<Vec<VolumeRow>> {
    match client.one(ProbeId::Volumes).await {
        Ok(Sample::Known(State::Volumes(rows))) => rows,
        other => panic!("{other:?}"),
    }
}

async fn grants(client: &mut Client) -> Arc<GrantTable> {
    match client.one(ProbeId::Grants).await {
        Ok(Sample::Known(State::Grants(table))) => table,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_tempdb_tells_what_it_is_full_of_who_holds_it_and_where_tasks_queue() {
    let sim = fleet(1, &[(Kind::TempdbFill, None)]).await;
    let mut client = client(&sim, 0).await;
    let table = eventually("a session that fills tempdb", async || {
        let table = tempdb(&mut client).await;
        let first = table.sessions.first().cloned();
        first.is_some_and(|s| s.total_kb() > Some(100_000)).then_some(table)
    })
    .await;
    let eater = &table.sessions[0];
    assert!(eater.who.login.is_some() && eater.who.program.is_some() && eater.status.is_some(), "{eater:?}");
    let parts = [table.user_kb, table.internal_kb, table.version_kb, table.free_kb()].map(Option::unwrap);
    let (sum, size) = (parts.iter().sum::<i64>(), table.size_kb().unwrap());
    assert!((sum - size).abs() < size / 100, "the parts are the whole: {parts:?} of {size}");
    let kinds: Vec<_> = table.contention.as_ref().unwrap().iter().map(|c| (c.kind, c.tasks)).collect();
    assert_eq!(kinds, [(PageKind::Pfs, 8), (PageKind::Sgam, 1), (PageKind::Other, 3)]);
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_store_names_its_database_and_the_session_that_holds_it_on_every_version() {
    let sim = fleet(10, &[(Kind::VersionStoreHold, None)]).await;
    for index in 0..10 {
        let mut client = client(&sim, index).await;
        let table = tempdb(&mut client).await;
        let store = table.stores.iter().find(|store| store.tempdb_kb.is_some());
        let store = store.unwrap_or_else(|| panic!("{table:?}"));
        assert!(store.database.is_some() && store.tempdb_kb.is_some_and(|kb| kb > 0), "{store:?}");
        let holder = table.holders.first().unwrap_or_else(|| panic!("{table:?}"));
        assert!(holder.is_snapshot == Some(true) && holder.for_ms.is_some(), "{holder:?}");
        assert!(holder.who.login.is_some(), "{holder:?}");
        let year = client.ctx.major().unwrap();
        let is_new = table.stores.iter().any(|store| store.own_kb.is_some());
        assert!(!is_new || year >= 15, "accelerated recovery is from 2019 on: {year}");
        let mut own = table.stores.iter().filter(|store| store.own_kb.is_some_and(|kb| kb > 0));
        assert!(
            year < 15 || own.any(|store| store.holders().any(|session| session == holder.session_id)),
            "the snapshot keeps versions of its own database: {table:?}"
        );
    }
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_a_sleeping_session_holds_names_it_and_calm_ones_name_nobody() {
    let calm = fleet(1, &[]).await;
    let mut at_rest = client(&calm, 0).await;
    let rows = logs(&mut at_rest).await;
    assert!(rows.iter().all(|log| log.holder.is_none() && log.next_growth_kb.is_some()), "{rows:?}");
    calm.stop().await;
    let sim = fleet(1, &[(Kind::LogHold, None)]).await;
    let mut client = client(&sim, 0).await;
    let rows = logs(&mut client).await;
    let held: Vec<_> = rows.iter().filter(|log| log.holder.is_some()).collect();
    let [held] = held[..] else { panic!("{rows:?}") };
    let holder = held.holder.as_ref().unwrap();
    assert_eq!(held.reuse_wait.as_deref(), Some("ACTIVE_TRANSACTION"));
    assert!(holder.session_id.is_some() && holder.who.login.is_some(), "{holder:?}");
    let age_ms = dbtop::app::clock::now() - holder.since.unwrap();
    assert!((0..600_000).contains(&age_ms), "by our clock: {age_ms} ms");
    let structure = log_use(&mut client).await;
    let log = structure.of(held.database.as_deref().unwrap()).unwrap();
    assert!(log.vlfs.is_some_and(|n| n > 0) && log.active_vlfs <= log.vlfs, "{log:?}");
    let backup = dbtop::app::clock::now() - log.backup_at.unwrap();
    assert!((-2_000..1_000_000).contains(&backup), "the last backup of the log: {backup} ms");
    let master = structure.of("master").unwrap();
    assert_eq!((master.backup_at, master.since_backup_kb), (None, Some(0)), "{master:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_grew_until_its_volume_is_full_cannot_grow_again() {
    let fits = async |sim: &Sim| {
        let mut client = client(sim, 0).await;
        let (space, volumes) = (space(&mut client).await, volumes(&mut client).await);
        let file = space.files.iter().find(|f| f.file.ids() == (5, 1)).unwrap().clone();
        assert!(file.file.name.is_some() && file.size_kb.is_some_and(|kb| kb > 0), "{file:?}");
        assert_eq!(file.used_kb, None, "only its database tells");
        file.fits(None, &volumes)
    };
    let calm = fleet(1, &[]).await;
    assert_eq!(fits(&calm).await, Some(Fits::Yes));
    calm.stop().await;
    let sim = fleet(1, &[(Kind::Autogrowth, Some(1.0))]).await;
    let full = eventually("six growths", async || match fits(&sim).await {
        Some(Fits::NoRoom) => Some(()),
        _ => None,
    });
    full.await;
    sim.stop().await;
    let fixed = fleet(1, &[(Kind::LogFill, None)]).await;
    let mut client = client(&fixed, 0).await;
    let space = space(&mut client).await;
    let log = space.files.iter().find(|f| f.file.ids() == (5, 2)).unwrap();
    assert_eq!(log.growth, Growth::Fixed, "{log:?}");
    fixed.stop().await;
}

async fn growths(client: &mut Client) -> Result<Arc<GrowthTable>, Unavailable> {
    match client.one(ProbeId::Growths).await? {
        Sample::Known(State::Growths(table)) => Ok(table),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn growths_are_read_out_of_the_default_trace_once_each_or_it_is_said_why_not() {
    let sim = fleet(12, &[(Kind::Autogrowth, Some(1.0))]).await;
    let (mut told, mut refused, mut old, mut by_session) = (0, 0, 0, 0);
    for index in 0..12 {
        let mut client = client(&sim, index).await;
        let full = eventually("six growths of the data file", async || {
            // Each time anew: what was told before is not told again.
            client.ctx.resume(dbtop::probe::Watermarks::default());
            match growths(&mut client).await {
                Ok(table) => {
                    let of_data = table.growths.iter().filter(|g| g.is_log == Some(false)).count();
                    (of_data == 6).then_some(Some(table))
                }
                Err(Unavailable::NoRight(right)) => {
                    assert_eq!(&*right, "ALTER TRACE");
                    Some(None)
                }
                Err(Unavailable::SwitchedOff(by)) => {
                    assert_eq!(&*by, "default trace enabled");
                    Some(None)
                }
                Err(other) => panic!("{other:?}"),
            }
        })
        .await;
        let Some(table) = full else {
            refused += 1;
            continue;
        };
        if !table.session.is_empty() {
            assert!(!table.is_from_memory && table.growths.len() >= 6, "{table:?}");
            let again = growths(&mut client).await.unwrap();
            assert_eq!(again.growths.len(), 0, "a file is read on behind what was told");
            by_session += 1;
            continue;
        }
        told += 1;
        // The trace begins another file every day.
        let is_old = |growth: &&FileGrowth| dbtop::app::clock::now() - growth.at > 86_400_000;
        old += table.growths.iter().filter(is_old).count();
        let newest = &table.growths[0];
        let age_ms = dbtop::app::clock::now() - newest.at;
        assert!((0..120_000).contains(&age_ms), "by our clock: {age_ms} ms");
        assert!(newest.by_kb > Some(1_024) && newest.took_ms > Some(0), "{newest:?}");
        assert!(
            newest.database.is_some() && newest.file.is_some() && newest.who.login.is_some(),
            "{newest:?}"
        );
        assert!(table.growths.is_sorted_by(|a, b| a.at >= b.at), "{table:?}");
        // What is long is told late: the next reading begins a little before this one ended, and by the server's time each is known.
        let again = growths(&mut client).await.unwrap();
        let times = |table: &GrowthTable| table.growths.iter().map(|g| g.server_ms).collect::<Vec<_>>();
        assert!(again.growths.len() >= 6 && times(&table).iter().all(Option::is_some), "{again:?}");
        assert!(
            times(&again).iter().all(|time| times(&table).contains(time)),
            "nothing grew since: {again:?}"
        );
    }
    assert!(told > 6 && refused > 0, "{told} told, {by_session} by a session, {refused} refused");
    assert!(old > 0, "the first reading goes through the older files");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn growths_come_out_of_a_session_where_no_default_trace_tells_of_them() {
    let script = "[[event]]\non = '*'\nkind = 'autogrowth'\nfrom_s = -3600\namount = 1.0\n";
    let config = SimConfig {
        instances: 1,
        scenario: Scenario::from_toml(script, 0).unwrap(),
        versions: vec![Version::V2022],
        hosting: vec![Hosting::ManagedInstance],
        port: Some(0),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.unwrap();
    let mut client = client(&sim, 0).await;
    let table = growths(&mut client).await.unwrap();
    assert_eq!((&*table.session, table.is_from_memory), ("file_growths", true));
    let of_data: Vec<&FileGrowth> = table.growths.iter().filter(|g| g.is_log == Some(false)).collect();
    assert_eq!(of_data.len(), 6, "and not what somebody asked for: {table:?}");
    let newest = of_data[0];
    assert!(
        newest.by_kb > Some(1_024) && newest.took_ms > Some(0) && newest.who.login.is_some(),
        "{newest:?}"
    );
    assert!(newest.database == newest.file, "both have one name here: {newest:?}");
    let age_ms = dbtop::app::clock::now() - newest.at;
    assert!((3_500_000..3_660_000).contains(&age_ms), "by our clock: {age_ms} ms");
    // Memory tells all of it again, and each is the same.
    let again = growths(&mut client).await.unwrap();
    let times = |table: &GrowthTable| table.growths.iter().map(|g| g.server_ms).collect::<Vec<_>>();
    assert!(times(&again) == times(&table) && times(&table).iter().all(Option::is_some), "{again:?}");
    sim.set("*", Kind::NoRights, None);
    client.poll(&[ProbeId::Rights, ProbeId::Properties, ProbeId::Databases]).await;
    let why = growths(&mut client).await.unwrap_err();
    assert_eq!(
        why,
        Unavailable::SwitchedOff("default trace enabled".into()),
        "the reason of the trace stays"
    );
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_database_tells_what_is_in_use_of_its_data_files() {
    let sim = fleet(8, &[]).await;
    let (mut told, mut refused) = (0, 0);
    for index in 0..8 {
        let mut client = client(&sim, index).await;
        let table = match client.one(ProbeId::Room).await {
            Ok(Sample::Known(State::Room(table))) => table,
            other => panic!("{other:?}"),
        };
        let databases: std::collections::BTreeSet<i32> = table.files.iter().map(|file| file.ids.0).collect();
        told += databases.len();
        assert!(databases.contains(&1), "everybody may enter master: {table:?}");
        let share = |file: &&FileUse| file.free_pct().is_some_and(|pct| (0.5..46.0).contains(&pct));
        assert_eq!(table.files.iter().filter(share).count(), table.files.len(), "{table:?}");
        refused += table.silent.len();
        assert!(table.silent.iter().all(|silent| silent.why.contains("CONNECT ANY DATABASE")), "{table:?}");
    }
    assert!(told > 30, "{told} told, {refused} refused");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_slow_file_is_slow_and_the_others_are_not() {
    let sim = fleet(1, &[(Kind::IoSlowFile, Some(240.0))]).await;
    let table = file_latency(&sim).await;
    sim.stop().await;
    let is_slow = |f: &&dbtop::model::poll::files::FileRow| f.read_ms.is_some_and(|ms| ms > 100.0);
    let slow: Vec<_> = table.files.iter().filter(is_slow).collect();
    let [slow] = slow[..] else { panic!("{table:?}") };
    assert_eq!(slow.file.ids(), (5, 1));
    assert!(slow.pending_ios >= Some(9) && slow.ios_at_os < slow.pending_ios, "{slow:?}");
    assert!(slow.oldest_io_ms.is_some_and(|ms| (240..=480).contains(&ms)), "{slow:?}");
    let others = table.files.iter().filter(|f| f.file.ids() != (5, 1));
    assert!(others.clone().all(|f| f.pending_ios.is_some_and(|n| n < 9)), "{table:?}");
    assert!(
        others.clone().all(|f| f.oldest_io_ms.is_some() == (f.pending_ios > Some(0))),
        "without one there is no age, and it is not 0: {table:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_tell_who_waits_who_holds_and_what_the_semaphores_have() {
    let queue = fleet(1, &[(Kind::GrantQueue, Some(4.0))]).await;
    let mut client = client(&queue, 0).await;
    let table = eventually("a queue for grants", async || {
        let table = grants(&mut client).await;
        (table.grants.iter().filter(|g| g.waits()).count() == 4).then_some(table)
    })
    .await;
    let waiters: Vec<_> = table.grants.iter().take(4).collect();
    assert!(waiters.iter().all(|g| g.waits() && g.queue.is_some() && g.who.login.is_some()), "{waiters:?}");
    let semaphore = table.semaphores.iter().find(|s| s.number == Some(0)).unwrap();
    assert_eq!(semaphore.waiters, Some(4), "{semaphore:?}");
    assert!(!table.page_life.is_empty() && table.plans.iter().any(|p| &*p.name == "SQL Plans"), "{table:?}");
    queue.stop().await;
    let sim = fleet(10, &[(Kind::GrantHog, Some(85.0))]).await;
    for index in 0..10 {
        let mut client = self::client(&sim, index).await;
        let table = grants(&mut client).await;
        let hog = table.grants.iter().max_by_key(|g| g.granted_kb).unwrap();
        assert!(hog.used_pct().is_some_and(|pct| pct < 5.0), "{hog:?}");
        let is_new = client.ctx.major() == Some(17);
        assert_eq!(table.health.is_empty(), !is_new, "the engine judges its memory from 2025 on");
        if is_new {
            let newest = &table.health[0];
            assert!(newest.at.is_some() && newest.severity.is_some(), "{newest:?}");
        }
    }
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_lacks_its_own_right() {
    let sim = fleet(3, &[(Kind::NoRights, None)]).await;
    for index in 0..3 {
        let mut client = client(&sim, index).await;
        for probe in [ProbeId::TempdbUse, ProbeId::LogUse, ProbeId::Grants] {
            let outcome = client.one(probe).await;
            let Err(Unavailable::NoRight(right)) = outcome else { panic!("{}: {outcome:?}", probe.name()) };
            assert!(right.starts_with("VIEW SERVER"), "{right}");
        }
        let Err(Unavailable::NoRight(right)) = client.one(ProbeId::Growths).await else { panic!("{index}") };
        assert_eq!(&*right, "ALTER TRACE");
    }
    sim.stop().await;
}
