//! The simulator's wire, driven by the real driver over real sockets and real TLS, and by raw bytes where the driver
//! would hide what matters.

#[path = "clients/echo.rs"]
mod echo;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use dbtop::sim::wire::{self, EncryptionPolicy, Tls};
use echo::{Echo, PASSWORD, USER};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio_util::{
    compat::{Compat, TokioAsyncWriteCompatExt},
    sync::CancellationToken,
};

type Driver = Client<Compat<TcpStream>>;

/// One instance on a free port, and the file with its CA.
struct Server {
    address: SocketAddr,
    backend: Arc<Echo>,
    ca_file: tempfile::NamedTempFile,
    cancel: CancellationToken,
}

impl Server {
    async fn start(policy: EncryptionPolicy) -> Self {
        let tls = Tls::new().unwrap();
        let ca_file = tempfile::Builder::new().suffix(".pem").tempfile().unwrap();
        std::fs::write(ca_file.path(), tls.ca_pem()).unwrap();
        let backend = Arc::new(Echo::default());
        let cancel = CancellationToken::new();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let serving =
            wire::serve(address, Arc::clone(&backend) as _, &tls, policy, cancel.clone()).await.unwrap();
        Self { address: serving.address, backend, ca_file, cancel }
    }

    fn config(&self, level: EncryptionLevel) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1");
        config.port(self.address.port());
        config.authentication(AuthMethod::sql_server(USER, PASSWORD));
        config.encryption(level);
        config.trust_cert_ca(self.ca_file.path().to_str().unwrap());
        config.handshake_timeout(Some(Duration::from_secs(10)));
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

async fn connect(config: Config) -> tiberius::Result<Driver> {
    let tcp = TcpStream::connect(config.get_addr()).await?;
    Client::connect(config, tcp.compat_write()).await
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
