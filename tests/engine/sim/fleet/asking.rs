//! Starting fleets and asking them, the short way.

use dbtop::{
    model::inventory::{
        instance::Target,
        record::{Auth, InstanceRecord, SecretRef},
    },
    probe::catalog::scripts,
    sim::{
        Sim, SimConfig,
        scenario::Scenario,
        world::{rights::Login, version::Version},
    },
};
use std::{collections::BTreeMap, time::Duration};
use tiberius::{AuthMethod, Client, ColumnData, Config, error::Error};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

pub type Driver = Client<Compat<TcpStream>>;

pub const YEARS: [u16; 5] = [2016, 2017, 2019, 2022, 2025];

/// A fleet on free ports; no versions means all.
pub async fn fleet(instances: usize, versions: &[u16], scenario: &str) -> Sim {
    let config = SimConfig {
        instances,
        versions: versions.iter().map(|y| y.to_string().parse::<Version>().unwrap()).collect(),
        scenario: Scenario::from_toml(scenario, 0).unwrap(),
        port: Some(0),
        ..SimConfig::default()
    };
    Sim::start(config).await.unwrap()
}

/// One instance of a version, with logins beside the monitoring one.
pub async fn fleet_with(year: u16, logins: Vec<Login>) -> Sim {
    let version = year.to_string().parse::<Version>().unwrap();
    let config =
        SimConfig { instances: 1, versions: vec![version], port: Some(0), logins, ..SimConfig::default() };
    Sim::start(config).await.unwrap()
}

/// How dbtop reaches the instance at `index` as `user`.
pub fn target(sim: &Sim, index: usize, user: &str) -> Target {
    let address = sim.address(index).unwrap();
    let secret = SecretRef::Env("UNUSED".into());
    let mut record =
        InstanceRecord::new("SIM", address.ip().to_string(), Auth::Sql { user: user.into(), secret });
    record.port = Some(address.port());
    record.tls.ca_file = Some(sim.ca_file());
    Target::try_from(&record).unwrap()
}

pub async fn try_connect(sim: &Sim, index: usize) -> tiberius::Result<Driver> {
    let (user, password) = sim.login();
    connect_as(sim, index, user, password, "").await
}

pub async fn connect_as(
    sim: &Sim,
    index: usize,
    user: &str,
    password: &str,
    database: &str,
) -> tiberius::Result<Driver> {
    let address = sim.address(index).unwrap();
    let mut config = Config::new();
    config.host(address.ip().to_string());
    config.port(address.port());
    config.authentication(AuthMethod::sql_server(user, password));
    config.trust_cert_ca(sim.ca_file().to_str().unwrap());
    config.application_name("dbtop");
    if !database.is_empty() {
        config.database(database);
    }
    config.lossy_utf16_decoding(true);
    config.handshake_timeout(Some(Duration::from_secs(20)));
    let tcp = TcpStream::connect(address).await?;
    Box::pin(Client::connect(config, tcp.compat_write())).await
}

pub async fn connect(sim: &Sim, index: usize) -> Driver {
    try_connect(sim, index).await.unwrap()
}

/// A script of ours, its parameters NULL.
pub fn script(name: &str) -> String {
    let text = scripts().find(|script| script.name == name).unwrap().sql().replace("[$db$]", "[master]");
    (1..=32).rev().fold(text, |text, n| text.replace(&format!("@P{n}"), "NULL"))
}

/// A row by column name.
pub type Row = BTreeMap<String, ColumnData<'static>>;

/// The rows of the first result, or the number of the error.
pub async fn ask(client: &mut Driver, sql: &str) -> Result<Vec<Row>, u32> {
    let number = |error: Error| match error {
        Error::Server(token) => token.code(),
        other => panic!("{other:?}"),
    };
    let stream = client.simple_query(sql).await.map_err(number)?;
    let rows = stream.into_first_result().await.map_err(number)?;
    Ok(rows.into_iter().map(by_name).collect())
}

pub fn by_name(row: tiberius::Row) -> Row {
    let names: Vec<String> = row.columns().iter().map(|c| c.name().to_owned()).collect();
    names.into_iter().zip(row).collect()
}

/// The rows of one of our scripts.
pub async fn rows(client: &mut Driver, name: &str) -> Vec<Row> {
    ask(client, &script(name)).await.unwrap_or_else(|number| panic!("{name}: error {number}"))
}

/// The only row of one of our scripts.
pub async fn row(client: &mut Driver, name: &str) -> Row {
    rows(client, name).await.remove(0)
}

/// Any integer.
pub fn int(value: &ColumnData<'_>) -> Option<i64> {
    match value {
        ColumnData::I64(n) => *n,
        ColumnData::I32(n) => n.map(i64::from),
        ColumnData::I16(n) => n.map(i64::from),
        ColumnData::Bit(b) => b.map(i64::from),
        other => panic!("{other:?}"),
    }
}

/// A text; NULL is empty.
pub fn text(value: &ColumnData<'_>) -> String {
    match value {
        ColumnData::String(s) => s.as_deref().unwrap_or_default().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// A counter by name.
pub fn counter(rows: &[Row], name: &str) -> i64 {
    let row = rows.iter().find(|r| text(&r["counter_name"]) == name).unwrap();
    int(&row["cntr_value"]).unwrap()
}

/// (tasks, ms, signal ms) of a wait type; zeros if it was never waited for.
pub fn wait(rows: &[Row], name: &str) -> (i64, i64, i64) {
    let row = rows.iter().find(|r| text(&r["wait_type"]) == name);
    let get = |column: &str| row.and_then(|r| int(&r[column])).unwrap_or(0);
    (get("waiting_tasks_count"), get("wait_time_ms"), get("signal_wait_time_ms"))
}
