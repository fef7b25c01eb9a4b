//! One instance of the wire's test backend, and how a target for it looks.

use crate::echo::{Echo, PASSWORD, USER};
use dbtop::{
    model::{
        base::{failure::Failure, secret::Secret},
        inventory::{
            address::Endpoint,
            instance::{InstanceId, InstanceInfo, Target, TlsMode},
            record::{Auth, SecretRef},
        },
    },
    sim::wire::{self, EncryptionPolicy, Tls},
    tds::{Answer, Ask, Cell, Connection, Question, Roots, dial},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub const WITHIN: Duration = Duration::from_secs(20);

pub struct Server {
    pub address: SocketAddr,
    pub backend: Arc<Echo>,
    ca: tempfile::NamedTempFile,
    pub cancel: CancellationToken,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Server {
    pub async fn start(policy: EncryptionPolicy) -> Self {
        Self::start_with(policy, Tls::new().unwrap()).await
    }

    pub async fn start_with(policy: EncryptionPolicy, tls: Tls) -> Self {
        let ca = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(ca.path(), tls.ca_pem()).unwrap();
        let backend = Arc::new(Echo::default());
        let cancel = CancellationToken::new();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let serving = wire::serve(address, backend.clone(), &tls, policy, cancel.clone()).await.unwrap();
        Self { address: serving.address, backend, ca, cancel }
    }

    pub fn target(&self, tls: TlsMode) -> Target {
        let info = InstanceInfo {
            id: InstanceId::new("ECHO"),
            uid: "ECHO".into(),
            address: self.address.to_string().into(),
            groups: vec![],
            labels: vec![],
            tls,
            poll: Arc::default(),
            tag: None,
            colors: Vec::new(),
            added_at: None,
        };
        Target {
            info: Arc::new(info),
            endpoint: Endpoint { host: "127.0.0.1".into(), port: Some(self.address.port()), instance: None },
            auth: Auth::Sql { user: USER.into(), secret: SecretRef::Env("UNUSED".into()) },
            action: None,
            database: None,
            ca_file: Some(self.ca.path().to_owned()),
            host_in_certificate: None,
            read_only_intent: false,
            multi_subnet_failover: false,
        }
    }

    pub async fn connection(&self) -> Connection {
        connect(&self.target(TlsMode::Verify), PASSWORD, WITHIN).await.unwrap()
    }
}

pub async fn connect(target: &Target, password: &str, within: Duration) -> Result<Connection, Failure> {
    let secret = Secret::new(password.to_owned());
    dial(target, within).await?.login(target, &secret, &Roots::public(), within).await
}

pub async fn ask(conn: &mut Connection, sql: &str) -> Answer {
    conn.ask(Question { what: "a test", sql, params: &[], within: WITHIN }).await
}

pub fn one(answer: &Answer) -> Option<i64> {
    let cells = answer.sets.first()?.rows.first()?;
    match cells.first()? {
        Cell::Int(n) => Some(*n),
        _ => None,
    }
}
