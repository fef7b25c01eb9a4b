//! The simulator's wire, driven by the real driver over real sockets and real TLS, and by raw bytes where the driver
//! would hide what matters.

mod hostile;
mod raw;
mod weather;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::echo::{Echo, PASSWORD, USER};
use dbtop::sim::{
    backend::Network,
    wire::{self, EncryptionPolicy, Tls},
};
use futures_util::TryStreamExt;
use tiberius::{
    AuthMethod, Client, ColumnData, Config, EncryptionLevel, QueryItem, Row, numeric::Numeric, time,
};
use tokio::net::TcpStream;
use tokio_util::{
    compat::{Compat, TokioAsyncWriteCompatExt},
    sync::CancellationToken,
};

type Driver = Client<Compat<TcpStream>>;

/// One instance on a free port, and the file with its CA. It ends with the test.
struct Server {
    address: SocketAddr,
    backend: Arc<Echo>,
    ca_file: tempfile::NamedTempFile,
    cancel: CancellationToken,
}

impl Server {
    async fn start(policy: EncryptionPolicy) -> Self {
        Self::start_in(policy, Network::Good).await
    }

    async fn start_in(policy: EncryptionPolicy, weather: Network) -> Self {
        let tls = Tls::new().unwrap();
        let ca_file = tempfile::Builder::new().suffix(".pem").tempfile().unwrap();
        std::fs::write(ca_file.path(), tls.ca_pem()).unwrap();
        let backend = Arc::new(Echo::default());
        *backend.network.lock().unwrap() = weather;
        let cancel = CancellationToken::new();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let serving =
            wire::serve(address, Arc::clone(&backend) as _, &tls, policy, cancel.clone()).await.unwrap();
        Self { address: serving.address, backend, ca_file, cancel }
    }

    fn config(&self, level: EncryptionLevel) -> Config {
        let mut config = self.config_without_ca(level);
        config.trust_cert_ca(self.ca_file.path().to_str().unwrap());
        config
    }

    fn config_without_ca(&self, level: EncryptionLevel) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1");
        config.port(self.address.port());
        config.authentication(AuthMethod::sql_server(USER, PASSWORD));
        config.encryption(level);
        config.handshake_timeout(Some(Duration::from_secs(30)));
        config
    }

    async fn connect(&self, level: EncryptionLevel) -> tiberius::Result<Driver> {
        connect(self.config(level)).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Server {
    /// Waits until something is true of the backend; thirty seconds at most.
    async fn eventually(&self, what: &str, truth: impl Fn(&Echo) -> bool) {
        for _ in 0..3000 {
            if truth(&self.backend) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not within thirty seconds: {what}");
    }
}

async fn connect(config: Config) -> tiberius::Result<Driver> {
    let tcp = TcpStream::connect(config.get_addr()).await?;
    // The driver's login is a large future: it lives on the heap.
    Box::pin(Client::connect(config, tcp.compat_write())).await
}

async fn select_one(client: &mut Driver) -> i32 {
    let rows = client.simple_query("select 1").await.unwrap().into_first_result().await.unwrap();
    rows[0].get::<i32, _>(0).unwrap()
}

#[tokio::test]
async fn every_kind_of_encryption_logs_in_and_answers() {
    use EncryptionLevel as Client;
    use EncryptionPolicy as Policy;
    let cases = [
        (Policy::Optional, Client::Off),
        (Policy::Optional, Client::On),
        (Policy::Optional, Client::Required),
        (Policy::Optional, Client::NotSupported),
        (Policy::Optional, Client::Strict),
        (Policy::NotSupported, Client::NotSupported),
        (Policy::Required, Client::Required),
        (Policy::Required, Client::Strict),
        (Policy::Strict, Client::Strict),
    ];
    for (policy, level) in cases {
        let server = Server::start(policy).await;
        let mut client = server.connect(level).await.unwrap_or_else(|e| panic!("{policy:?} {level:?}: {e}"));
        assert_eq!(select_one(&mut client).await, 1, "{policy:?} {level:?}");
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_client_and_a_server_that_disagree_about_encryption_part_at_once() {
    let cases = [
        (EncryptionPolicy::NotSupported, EncryptionLevel::Required),
        (EncryptionPolicy::Required, EncryptionLevel::NotSupported),
        (EncryptionPolicy::Strict, EncryptionLevel::Required),
        (EncryptionPolicy::NotSupported, EncryptionLevel::Strict),
    ];
    for (policy, level) in cases {
        let server = Server::start(policy).await;
        let answer = tokio::time::timeout(Duration::from_secs(5), server.connect(level)).await;
        assert!(answer.expect("no hang").is_err(), "{policy:?} {level:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_ca_is_refused() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let other = tempfile::Builder::new().suffix(".pem").tempfile().unwrap();
    std::fs::write(other.path(), Tls::new().unwrap().ca_pem()).unwrap();
    for level in [EncryptionLevel::Required, EncryptionLevel::Strict] {
        let mut config = server.config_without_ca(level);
        config.trust_cert_ca(other.path().to_str().unwrap());
        let refused = connect(config).await.map(drop).expect_err("must not connect").to_string();
        assert!(refused.to_lowercase().contains("certificate"), "{refused}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_error_18456() {
    let server = Server::start(EncryptionPolicy::Required).await;
    let mut config = server.config(EncryptionLevel::Required);
    config.authentication(AuthMethod::sql_server(USER, "guess"));
    match connect(config).await.map(drop).expect_err("must not connect") {
        tiberius::error::Error::Server(error) => {
            assert_eq!((error.code(), error.class()), (18456, 14));
            assert_eq!(error.server(), "ECHO-01");
        }
        other => panic!("{other}"),
    }
    assert_eq!(server.backend.open.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn all_types_arrive_as_they_were_sent() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut client = server.connect(EncryptionLevel::Required).await.unwrap();
    let rows = client.simple_query("select types").await.unwrap().into_first_result().await.unwrap();
    let date = || time::Date::new(738_944);
    let ticks = 863_981_234_567;
    let text = |text: &'static str| ColumnData::String(Some(text.into()));
    let date_time2 = |ticks, scale| time::DateTime2::new(date(), time::Time::new(ticks, scale));
    let utc = time::DateTime2::new(date(), time::Time::new(ticks - 330 * 60 * 10_000_000, 7));
    let decimal38 = Numeric::new_with_scale(12_345_678_901_234_567_890_123_456_789, 10);
    let guid = "01234567-89ab-cdef-fedc-ba9876543210".parse().unwrap();
    let expected: Vec<ColumnData<'static>> = vec![
        ColumnData::Bit(Some(true)),
        ColumnData::U8(Some(200)),
        ColumnData::I16(Some(-12_345)),
        ColumnData::I32(Some(-1_234_567_890)),
        ColumnData::I64(Some(-1_234_567_890_123_456_789)),
        ColumnData::F32(Some(1.5)),
        ColumnData::F64(Some(-2.25e100)),
        ColumnData::Numeric(Some(Numeric::new_with_scale(-1_234_567, 2))),
        ColumnData::Numeric(Some(decimal38)),
        ColumnData::F64(Some(-12_345_678.901_2)),
        ColumnData::F64(Some(1.2345)),
        text("Grüße €   "),
        text("Grüße €"),
        text("Grüße €"),
        text("Grüße €   "),
        text("日本語 😀"),
        text("日本語 😀"),
        ColumnData::Binary(Some(vec![1, 2, 0, 0].into())),
        ColumnData::Binary(Some(vec![0, 255, 1].into())),
        ColumnData::Binary(Some(vec![0, 255, 1].into())),
        ColumnData::Date(Some(date())),
        ColumnData::Time(Some(time::Time::new(ticks, 7))),
        ColumnData::Time(Some(time::Time::new(86_398, 0))),
        ColumnData::SmallDateTime(Some(time::SmallDateTime::new(45_350, 0))),
        ColumnData::DateTime(Some(time::DateTime::new(45_349, 25_919_437))),
        ColumnData::DateTime2(Some(date_time2(ticks, 7))),
        ColumnData::DateTime2(Some(date_time2(86_398_123, 3))),
        ColumnData::DateTimeOffset(Some(time::DateTimeOffset::new(utc, 330))),
        ColumnData::Guid(Some(guid)),
        ColumnData::Xml(None),
        ColumnData::I32(Some(42)),
        text("vår"),
    ];
    let [full, empty, half] = rows.as_slice() else { panic!("{} rows", rows.len()) };
    for ((column, data), expected) in full.cells().zip(expected) {
        if let ColumnData::Xml(Some(xml)) = data {
            assert_eq!(xml.as_ref().to_string(), "\u{feff}<a b=\"1\">é</a>");
        } else {
            assert_eq!(*data, expected, "{}", column.name());
        }
    }
    assert_eq!(full.len(), crate::echo::typed_values().len());
    assert!(empty.cells().all(|(_, data)| is_null(data)));
    for (index, (column, data)) in half.cells().enumerate() {
        assert_eq!(is_null(data), index % 2 == 1, "{}", column.name());
    }
}

/// Every variant prints as `Name(None)` when it is NULL.
fn is_null(data: &ColumnData<'_>) -> bool {
    format!("{data:?}").ends_with("(None)")
}

#[tokio::test]
async fn several_results_keep_their_order_and_their_rows() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut client = server.connect(EncryptionLevel::Off).await.unwrap();
    let batch = "select 1; print 'x'; select rows 3; select rows 0; select 2";
    let sets = client.simple_query(batch).await.unwrap().into_results().await.unwrap();
    assert_eq!(sets.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 0, 1]);
    assert_eq!(sets[3][0].get::<i32, _>(0), Some(2));
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_batch_loses_neither_the_rows_nor_the_connection() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut client = server.connect(EncryptionLevel::Required).await.unwrap();
    let mut seen = vec![];
    let mut stream = client.simple_query("select 1; select * from missing; select 2").await.unwrap();
    let error = loop {
        match stream.try_next().await {
            Ok(Some(QueryItem::Row(row))) => seen.push(row.get::<i32, _>(0).unwrap()),
            Ok(Some(QueryItem::Metadata(_))) => {}
            Ok(None) => panic!("the error was lost"),
            Err(error) => break error,
        }
    };
    drop(stream);
    assert_eq!(seen, [1, 2]);
    assert!(matches!(error, tiberius::error::Error::Server(ref token) if token.code() == 208), "{error}");
    assert_eq!(select_one(&mut client).await, 1);
}

#[tokio::test]
async fn long_rows_and_many_rows_fit_any_packet_size() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    for packet_size in [512, 4096, 32_767] {
        let mut config = server.config(EncryptionLevel::Required);
        config.packet_size(packet_size);
        let mut client = connect(config).await.unwrap();
        for length in [0, 235, 236, 237, 2000, 100_000] {
            let sql = format!("select text {length}");
            let rows = client.simple_query(sql).await.unwrap().into_first_result().await.unwrap();
            let text = rows[0].get::<&str, _>(0).unwrap().to_owned();
            assert_eq!(
                dbtop::sim::backend::Value::Text(text),
                crate::echo::long_text(length),
                "{packet_size}"
            );
        }
        let sets = client.simple_query("select rows 3000").await.unwrap().into_first_result().await.unwrap();
        let last: &Row = sets.last().unwrap();
        assert_eq!(
            (sets.len(), last.get::<i64, _>("n"), last.get("text")),
            (3000, Some(2999), Some("row 2999"))
        );
    }
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_a_row_is_an_error() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    for level in [EncryptionLevel::NotSupported, EncryptionLevel::Required, EncryptionLevel::Strict] {
        let mut client = server.connect(level).await.unwrap();
        let answer = client.simple_query("select cut").await.unwrap().into_first_result();
        let answer = tokio::time::timeout(Duration::from_secs(5), answer).await.expect("no hang");
        assert!(answer.is_err(), "{level:?}");
    }
}

#[tokio::test]
async fn an_endless_result_stops_when_its_client_goes_away() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut client = server.connect(EncryptionLevel::Required).await.unwrap();
    let mut rows = client.simple_query("select endless").await.unwrap().into_row_stream();
    for n in 0..10_000_i64 {
        assert_eq!(rows.try_next().await.unwrap().unwrap().get::<i64, _>(0), Some(n));
    }
    drop(rows);
    drop(client);
    server.eventually("the session ends", |backend| backend.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn parameters_arrive_with_their_names_types_and_nulls() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut client = server.connect(EncryptionLevel::Required).await.unwrap();
    let long = "ä".repeat(100_000);
    let rows = client
        .query(
            "select params",
            &[&7_i32, &"naïve", &None::<i64>, &long.as_str(), &true, &1.5_f64, &vec![1_u8, 2]],
        )
        .await
        .unwrap()
        .into_first_result()
        .await
        .unwrap();
    let got: Vec<(&str, Option<&str>)> = rows.iter().map(|row| (row.get(0).unwrap(), row.get(1))).collect();
    let expected = [
        ("@P1", Some("7")),
        ("@P2", Some("naïve")),
        ("@P3", None),
        ("@P4", Some(long.as_str())),
        ("@P5", Some("Bool(true)")),
        ("@P6", Some("Float(1.5)")),
        ("@P7", Some("Bytes([1, 2])")),
    ];
    assert_eq!(got, expected);
    // The answer of a call ends cleanly: the connection goes on.
    assert_eq!(select_one(&mut client).await, 1);
}

#[tokio::test]
async fn the_database_and_the_program_are_those_that_the_client_named() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut config = server.config(EncryptionLevel::Required);
    config.database("sales");
    config.application_name("dbtop");
    let mut client = connect(config).await.unwrap();
    for (batch, database) in [("select server", "sales"), ("use [stock]; select server", "stock")] {
        let rows = client.simple_query(batch).await.unwrap().into_first_result().await.unwrap();
        assert_eq!((rows[0].get("database"), rows[0].get("program")), (Some(database), Some("dbtop")));
    }
}

#[tokio::test]
async fn a_killed_session_gets_error_596_and_is_closed_while_others_go_on() {
    let server = Server::start(EncryptionPolicy::Optional).await;
    let mut other = server.connect(EncryptionLevel::Required).await.unwrap();
    let mut victim = server.connect(EncryptionLevel::Required).await.unwrap();
    let answer = victim.simple_query("kill me").await.unwrap().into_first_result().await;
    match answer.expect_err("must fail") {
        tiberius::error::Error::Server(error) => assert_eq!((error.code(), error.class()), (596, 21)),
        other => panic!("{other}"),
    }
    server.eventually("the victim is gone", |backend| backend.open.load(Ordering::SeqCst) == 1).await;
    assert_eq!(select_one(&mut other).await, 1);
}
