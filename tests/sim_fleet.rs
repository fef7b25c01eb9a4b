//! The simulated fleet over real TDS with the real driver: every script on every version, and what scenarios do.

use dbtop::sim::{Sim, SimConfig, scenario::Scenario, world::version::Version};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};
use tiberius::{AuthMethod, Client, ColumnData, Config};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Driver = Client<Compat<TcpStream>>;

const YEARS: [u16; 5] = [2016, 2017, 2019, 2022, 2025];

async fn fleet(instances: usize, versions: &[u16], scenario: &str) -> Sim {
    let config = SimConfig {
        instances,
        versions: versions.iter().map(|y| y.to_string().parse::<Version>().unwrap()).collect(),
        scenario: Scenario::from_toml(scenario, 0).unwrap(),
        port: Some(0),
        ..SimConfig::default()
    };
    Sim::start(config).await.unwrap()
}

async fn try_connect(sim: &Sim, index: usize) -> tiberius::Result<Driver> {
    let address = sim.address(index).unwrap();
    let (user, password) = sim.login();
    let mut config = Config::new();
    config.host(address.ip().to_string());
    config.port(address.port());
    config.authentication(AuthMethod::sql_server(user, password));
    config.trust_cert_ca(sim.ca_file().to_str().unwrap());
    config.application_name("dbtop");
    config.lossy_utf16_decoding(true);
    config.handshake_timeout(Some(Duration::from_secs(20)));
    let tcp = TcpStream::connect(address).await?;
    Client::connect(config, tcp.compat_write()).await
}

async fn connect(sim: &Sim, index: usize) -> Driver {
    try_connect(sim, index).await.unwrap()
}

fn script(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tsql/probe/{name}.sql"))).unwrap()
}

/// The rows of one query as maps; an error as its number.
type Rows = Result<Vec<BTreeMap<String, ColumnData<'static>>>, u32>;

async fn ask(client: &mut Driver, sql: &str) -> Rows {
    let number = |error: tiberius::error::Error| match error {
        tiberius::error::Error::Server(token) => token.code(),
        other => panic!("{other:?}"),
    };
    let stream = client.simple_query(sql).await.map_err(number)?;
    let rows = stream.into_first_result().await.map_err(number)?;
    let map = |row: tiberius::Row| {
        let names: Vec<String> = row.columns().iter().map(|c| c.name().to_owned()).collect();
        names.into_iter().zip(row).collect()
    };
    Ok(rows.into_iter().map(map).collect())
}

fn int(value: &ColumnData<'_>) -> Option<i64> {
    match value {
        ColumnData::I64(n) => *n,
        ColumnData::I32(n) => n.map(i64::from),
        ColumnData::I16(n) => n.map(i64::from),
        ColumnData::Bit(b) => b.map(i64::from),
        other => panic!("{other:?}"),
    }
}

fn text(value: &ColumnData<'_>) -> String {
    match value {
        ColumnData::String(s) => s.as_deref().unwrap_or_default().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_script_is_answered_on_every_version_it_is_for() {
    for year in YEARS {
        let scenario = "[[event]]\non = '*'\nkind = 'blocking_storm'\nfrom_s = -300";
        let sim = fleet(1, &[year], scenario).await;
        let mut client = connect(&sim, 0).await;
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tsql/probe")).unwrap() {
            let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
            let mut sql = script(&name).replace("[$db$]", "[master]");
            for n in 1..=8 {
                sql = sql.replace(&format!("@P{n}"), "NULL");
            }
            let from: u16 = sql.split("min=").nth(1).unwrap()[..4].parse().unwrap();
            let answer = ask(&mut client, &sql).await;
            if year < from {
                assert!(matches!(answer, Err(207 | 208)), "{name} on {year}: {answer:?}");
            } else {
                let rows = answer.unwrap_or_else(|number| panic!("{name} on {year}: error {number}"));
                let empty =
                    ["locks_of_chain", "resolve_hobt", "texts", "availability", "jobs", "tempdb", "grants"];
                assert!(!rows.is_empty() || empty.contains(&name.as_str()), "{name} on {year}");
                assert!(rows.iter().all(|r| int(&r[&format!("dbtop_{name}")]) == Some(1)), "{name}");
            }
        }
    }
}
