//! What a server tells of files, volumes, logs and memory where it is not one on Windows of one's own: on Linux, as a Managed Instance,
//! as Azure SQL Database.

use super::sim::{Client, fleet};
use dbtop::{
    model::poll::{
        Sample, State,
        id::ProbeId,
        properties::{Hosting, Platform},
        reading::Unavailable,
        volumes::volume_of,
    },
    sim::{Sim, SimConfig, scenario::Scenario, world::version::Version},
};

const FIRST: [ProbeId; 3] = [ProbeId::Rights, ProbeId::Properties, ProbeId::Databases];

async fn hosted(hosting: Hosting) -> (Sim, Client) {
    let config = SimConfig {
        instances: 1,
        scenario: Scenario::from_toml("", 0).unwrap(),
        versions: vec![Version::V2022],
        hosting: vec![hosting],
        port: Some(0),
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.unwrap();
    let mut client = Client::new(&sim, 0).await;
    client.poll(&FIRST).await;
    (sim, client)
}

/// The databases whose logs are told.
async fn logs(client: &mut Client) -> Vec<String> {
    match client.one(ProbeId::Logs).await {
        Ok(Sample::Known(State::Logs(rows))) => rows.iter().map(|log| log.key().to_owned()).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_managed_instance_tells_the_logs_of_its_databases_and_says_why_it_has_no_volumes() {
    let (sim, mut client) = hosted(Hosting::ManagedInstance).await;
    let logs = logs(&mut client).await;
    let is_of_system = |name: &str| ["master", "tempdb", "model", "msdb"].contains(&name);
    assert!(logs.iter().any(|name| !is_of_system(name)), "its counters go by GUIDs: {logs:?}");
    let volumes = client.one(ProbeId::Volumes).await.unwrap_err();
    assert!(matches!(&volumes, Unavailable::NotHere(why) if why.contains("Managed Instance")), "{volumes:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn azure_sql_database_tells_its_files_how_they_grow_its_log_and_its_memory() {
    let (sim, mut client) = hosted(Hosting::AzureDatabase).await;
    let space = match client.one(ProbeId::Space).await {
        Ok(Sample::Known(State::Space(table))) => table,
        other => panic!("{other:?}"),
    };
    assert!(space.files.iter().all(|file| file.file.name.is_some()) && !space.files.is_empty(), "{space:?}");
    assert!(matches!(client.one(ProbeId::Files).await, Ok(Sample::Counters(_))));
    assert!(!logs(&mut client).await.is_empty());
    let databases = match client.one(ProbeId::Databases).await {
        Ok(Sample::Known(State::Databases(rows))) => rows,
        other => panic!("{other:?}"),
    };
    assert!(databases.iter().any(|row| row.size_bytes > Some(0)), "{databases:?}");
    match client.one(ProbeId::Memory).await {
        Ok(Sample::Known(State::Memory(now))) => assert!(now.physical_kb > Some(0), "{now:?}"),
        other => panic!("{other:?}"),
    }
    let volumes = client.one(ProbeId::Volumes).await.unwrap_err();
    assert!(matches!(&volumes, Unavailable::NotHere(why) if why.contains("Azure")), "{volumes:?}");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn linux_tells_no_mount_points_and_each_file_is_on_a_volume_all_the_same() {
    let sim = fleet(10, &[]).await;
    let mut looked_at = 0;
    for index in 0..10 {
        let mut client = Client::new(&sim, index).await;
        client.poll(&FIRST).await;
        if client.ctx.platform() != Platform::Linux {
            continue;
        }
        let volumes = match client.one(ProbeId::Volumes).await {
            Ok(Sample::Known(State::Volumes(rows))) => rows,
            other => panic!("{other:?}"),
        };
        let space = match client.one(ProbeId::Space).await {
            Ok(Sample::Known(State::Space(table))) => table,
            other => panic!("{other:?}"),
        };
        assert!(volumes.len() == 3 && volumes.iter().all(|v| v.free_pct().is_some()), "{volumes:?}");
        for file in &space.files {
            let path = file.file.path.as_deref().unwrap();
            let volume = volume_of(&volumes, path).unwrap_or_else(|| panic!("{path} in {volumes:?}"));
            assert!(path.starts_with(volume.key()), "{path} on {volume:?}");
            assert!(file.fits(Some(1), &volumes).is_some(), "whether it has room is known: {file:?}");
        }
        looked_at += 1;
    }
    assert!(looked_at > 0, "choose another seed");
    sim.stop().await;
}
